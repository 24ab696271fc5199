//! What one certificate has to keep.

mod common;

use common::{Draft, Party, World, dns, email, ip, raw_extension, time, uri};
use dpki_x509::{
	Certificate, Error, MAX_CERTIFICATE_LEN, ObjectIdentifier, Profile, Pure, read_branch,
	verify_root,
};
use x509_cert::{
	Version,
	der::{
		Any, Decode, Encode, Tag,
		asn1::{BitString, Null, OctetString},
		oid::{AssociatedOid, db::rfc5912},
	},
	ext::pkix::{
		AuthorityInfoAccessSyntax, AuthorityKeyIdentifier, BasicConstraints, CertificatePolicies,
		ExtendedKeyUsage, InhibitAnyPolicy, KeyUsage, KeyUsages, NameConstraints,
		PolicyConstraints, SubjectAltName, SubjectKeyIdentifier, constraints::name::GeneralSubtree,
	},
	name::Name,
	serial_number::SerialNumber,
	time::Validity,
};

fn device() -> Draft {
	World::new().device_draft()
}

fn authority() -> Draft {
	World::new().ca_draft()
}

fn read(draft: Draft) -> Result<(), Error> {
	draft.read(&World::new().ca).map(|_| ())
}

const UNKNOWN: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.99999.1");

#[test]
fn a_plain_certificate_is_read() {
	let world = World::new();
	let certificate = world.device_draft().sign(&world.ca);
	assert_eq!(certificate.subject().as_name(), &world.device.name);
	assert_eq!(certificate.issuer().as_name(), &world.ca.name);
	assert_eq!(certificate.serial(), [1, 2, 3]);
	assert_eq!(certificate.validity().not_after, common::NOT_AFTER);
	assert!(certificate.is_signed_by(&Pure, &world.ca_draft().sign(&world.root)));
}

#[test]
fn more_bytes_than_the_limit_are_not_read() {
	let der = vec![0; MAX_CERTIFICATE_LEN + 1];
	assert_eq!(Certificate::from_der(&der).err(), Some(Error::CertificateTooLong));
}

#[test]
fn bytes_after_the_certificate_are_refused() {
	let world = World::new();
	let mut der = world.device_draft().der(&world.ca);
	der.push(0);
	assert_eq!(Certificate::from_der(&der).err(), Some(Error::CertificateMalformed));
}

#[test]
fn a_default_that_is_spelled_out_is_refused() {
	let constraints = |value: &[u8]| device().with_raw(BasicConstraints::OID, value, true);
	assert_eq!(read(constraints(&[0x30, 0])), Ok(()));
	assert_eq!(read(constraints(&[0x30, 3, 1, 1, 0])), Err(Error::ExtensionMalformed));
}

#[test]
fn other_versions_are_refused() {
	for version in [Version::V1, Version::V2] {
		let draft = device().edit(|body| body.version = version);
		assert_eq!(read(draft), Err(Error::CertificateVersionUnsupported));
	}
}

#[test]
fn serial_numbers_are_positive_and_short() {
	let serial = |der: &[u8]| {
		let serial = SerialNumber::from_der(der).unwrap();
		device().edit(|body| body.serial_number = serial)
	};
	assert_eq!(read(serial(&[2, 1, 0])), Err(Error::SerialNumberInvalid));
	assert_eq!(read(serial(&[2, 1, 0x80])), Err(Error::SerialNumberInvalid));
	let mut long = vec![2, 21, 1];
	long.extend([0; 20]);
	assert_eq!(read(serial(&long)), Err(Error::SerialNumberInvalid));
	let mut longest = vec![2, 20, 1];
	longest.extend([0; 19]);
	assert_eq!(read(serial(&longest)), Ok(()));
}

#[test]
fn the_issuer_has_a_name() {
	let draft = device().edit(|body| body.issuer = Name::default());
	assert_eq!(read(draft), Err(Error::IssuerEmpty));
}

#[test]
fn the_end_of_a_validity_does_not_lie_before_its_beginning() {
	let validity = |from, to| {
		device().edit(|b| b.validity = Validity { not_before: time(from), not_after: time(to) })
	};
	assert_eq!(read(validity(10, 9)), Err(Error::ValidityInvalid));
	assert_eq!(read(validity(10, 10)), Ok(()));
}

#[test]
fn the_last_moment_that_can_be_written_is_no_end() {
	let world = World::new();
	let end = dpki_x509::time::Validity::NO_END;
	let draft = device().edit(|body| body.validity.not_after = time(end));
	assert_eq!(draft.sign(&world.ca).validity().not_after, end);
}

#[test]
fn the_two_names_of_the_algorithm_are_the_same() {
	let world = World::new();
	let mut encoded =
		x509_cert::Certificate::from_der(&world.device_draft().der(&world.ca)).unwrap();
	encoded.signature_algorithm.oid = rfc5912::ECDSA_WITH_SHA_384;
	let der = encoded.to_der().unwrap();
	assert_eq!(Certificate::from_der(&der).err(), Some(Error::AlgorithmMismatch));
}

#[test]
fn unknown_algorithms_and_parameters_are_refused() {
	let sha1 = device()
		.edit(|body| body.signature.oid = ObjectIdentifier::new_unwrap("1.2.840.10045.4.1"));
	assert_eq!(read(sha1), Err(Error::AlgorithmUnsupported));
	let null = device().edit(|body| body.signature.parameters = Some(Any::from(Null)));
	assert_eq!(read(null), Err(Error::AlgorithmUnsupported));
	let rsa = device().edit(|body| body.signature.oid = rfc5912::SHA_256_WITH_RSA_ENCRYPTION);
	assert_eq!(read(rsa), Err(Error::AlgorithmUnsupported), "NULL is missing");
	let pss = device().edit(|body| body.signature.oid = rfc5912::ID_RSASSA_PSS);
	assert_eq!(read(pss), Err(Error::AlgorithmUnsupported), "the parameters are missing");
}

#[test]
fn keys_of_other_curves_and_types_are_refused() {
	let curve = device().edit(|body| {
		let p521 = Any::encode_from(&rfc5912::SECP_521_R_1).unwrap();
		body.subject_public_key_info.algorithm.parameters = Some(p521);
	});
	assert_eq!(read(curve), Err(Error::PublicKeyUnsupported));
	let dsa = device().edit(|body| body.subject_public_key_info.algorithm.oid = rfc5912::ID_DSA);
	assert_eq!(read(dsa), Err(Error::PublicKeyUnsupported));
}

#[test]
fn a_point_off_the_curve_is_refused() {
	let draft = device().edit(|body| {
		let mut point = body.subject_public_key_info.subject_public_key.raw_bytes().to_vec();
		point[40] ^= 1;
		body.subject_public_key_info.subject_public_key = BitString::from_bytes(&point).unwrap();
	});
	assert_eq!(read(draft), Err(Error::PublicKeyMalformed));
}

#[test]
fn a_repeated_extension_is_refused() {
	let draft = device().edit(|body| {
		let list = body.extensions.as_mut().unwrap();
		list.push(list[0].clone());
	});
	assert_eq!(read(draft), Err(Error::ExtensionRepeated));
}

#[test]
fn an_unknown_extension_is_refused_only_if_it_is_critical() {
	assert_eq!(read(device().with_raw(UNKNOWN, &[5, 0], false)), Ok(()));
	assert_eq!(read(device().with_raw(UNKNOWN, &[5, 0], true)), Err(Error::ExtensionUnknown));
}

#[test]
fn there_are_limits_to_the_number_of_extensions_and_names() {
	let many = device().edit(|body| {
		body.extensions = Some(
			(0..=dpki_x509::MAX_EXTENSIONS as u32)
				.map(|arc| raw_extension(UNKNOWN.push_arc(arc).unwrap(), &[5, 0], false))
				.collect(),
		);
	});
	assert_eq!(read(many), Err(Error::ExtensionListTooLong));
	let names = vec![dns("a"); dpki_x509::MAX_NAMES + 1];
	assert_eq!(read(device().with_names(&names)), Err(Error::NameListTooLong));
	let subtrees = vec![dns("a"); dpki_x509::MAX_SUBTREES + 1];
	let draft = authority().with_constraints(&subtrees, &[]);
	assert_eq!(read(draft), Err(Error::NameListTooLong));
}

#[test]
fn an_empty_list_of_extensions_is_refused() {
	let draft = device().edit(|body| body.extensions = Some(Vec::new()));
	assert_eq!(read(draft), Err(Error::CertificateMalformed));
}

#[test]
fn extensions_that_are_not_what_they_should_be_are_refused() {
	for oid in [
		AuthorityKeyIdentifier::OID,
		SubjectKeyIdentifier::OID,
		KeyUsage::OID,
		CertificatePolicies::OID,
		SubjectAltName::OID,
		BasicConstraints::OID,
		NameConstraints::OID,
		PolicyConstraints::OID,
		ExtendedKeyUsage::OID,
		InhibitAnyPolicy::OID,
		AuthorityInfoAccessSyntax::OID,
	] {
		assert_eq!(
			read(device().with_raw(oid, b"no", false)),
			Err(Error::ExtensionMalformed),
			"{oid}"
		);
	}
}

#[test]
fn lists_that_have_something_in_them_are_not_empty() {
	for (oid, critical) in [
		(CertificatePolicies::OID, false),
		(SubjectAltName::OID, false),
		(NameConstraints::OID, true),
		(PolicyConstraints::OID, true),
		(ExtendedKeyUsage::OID, false),
		(AuthorityInfoAccessSyntax::OID, false),
	] {
		let draft = authority().with_raw(oid, &[0x30, 0], critical);
		assert_eq!(read(draft), Err(Error::ExtensionMalformed), "{oid}");
	}
	let no_bits = device().with_raw(KeyUsage::OID, &[3, 1, 0], true);
	assert_eq!(read(no_bits), Err(Error::ExtensionMalformed));
	let no_id = device().with_raw(SubjectKeyIdentifier::OID, &[4, 0], false);
	assert_eq!(read(no_id), Err(Error::ExtensionMalformed));
}

#[test]
fn names_have_the_syntax_of_their_form() {
	for bad in [dns("a_b.c"), dns(""), dns("*"), ip(&[1, 2, 3]), email("a"), uri("/a")] {
		let draft = device().with_names(std::slice::from_ref(&bad));
		assert_eq!(read(draft), Err(Error::ExtensionMalformed), "{bad:?}");
	}
	let good = [dns("*.a.org"), ip(&[0; 16]), email("a@b.org"), uri("urn:a:b")];
	assert_eq!(read(device().with_names(&good)), Ok(()));
}

#[test]
fn key_identifiers_must_not_be_critical() {
	let value = |oid: ObjectIdentifier| {
		let list = device().body.extensions.unwrap();
		list.into_iter()
			.find(|extension| extension.extn_id == oid)
			.unwrap()
			.extn_value
			.into_bytes()
	};
	for oid in [SubjectKeyIdentifier::OID, AuthorityKeyIdentifier::OID] {
		let draft = device().with_raw(oid, &value(oid), true);
		assert_eq!(read(draft), Err(Error::ExtensionCriticalityInvalid));
	}
}

#[test]
fn constraints_of_authorities_are_critical() {
	let drafts = [
		authority().with_constraints(&[dns("a.org")], &[]).edit(|body| {
			body.extensions.as_mut().unwrap().last_mut().unwrap().critical = false;
		}),
		authority().with(&InhibitAnyPolicy(0), false),
		authority().with(
			&PolicyConstraints { require_explicit_policy: Some(0), inhibit_policy_mapping: None },
			false,
		),
	];
	for draft in drafts {
		assert_eq!(read(draft), Err(Error::ExtensionCriticalityInvalid));
	}
}

#[test]
fn access_information_must_not_be_critical() {
	let place = [0x30, 0x10, 0x30, 0x0e, 6, 8, 43, 6, 1, 5, 5, 7, 48, 2, 0x86, 2, b'a', b':'];
	let oid = AuthorityInfoAccessSyntax::OID;
	assert_eq!(read(device().with_raw(oid, &place, false)), Ok(()));
	let draft = device().with_raw(oid, &place, true);
	assert_eq!(read(draft), Err(Error::ExtensionCriticalityInvalid));
}

#[test]
fn only_authorities_have_the_extensions_of_authorities() {
	let draft = device().with_constraints(&[dns("a.org")], &[]);
	assert_eq!(read(draft), Err(Error::ExtensionNotAllowed));
	assert_eq!(read(device().with(&InhibitAnyPolicy(0), true)), Err(Error::ExtensionNotAllowed));
}

#[test]
fn only_authorities_may_sign_certificates() {
	let draft = device().with_usage(KeyUsages::KeyCertSign);
	assert_eq!(read(draft), Err(Error::KeyUsageInconsistent));
}

#[test]
fn a_path_length_is_for_authorities_that_may_sign_certificates() {
	let draft = authority().with_path_len(0).with_usage(KeyUsages::CRLSign);
	assert_eq!(read(draft), Err(Error::KeyUsageInconsistent));
	let draft = device().with(&BasicConstraints { ca: false, path_len_constraint: Some(0) }, true);
	assert_eq!(read(draft), Err(Error::KeyUsageInconsistent));
}

#[test]
fn without_a_subject_the_alternative_names_are_there_and_critical() {
	let nameless = || device().edit(|body| body.subject = Name::default());
	let names = SubjectAltName(vec![dns("a.org")]);
	assert_eq!(read(nameless()), Err(Error::SubjectEmpty));
	assert_eq!(read(nameless().with(&names, false)), Err(Error::ExtensionCriticalityInvalid));
	assert_eq!(read(nameless().with(&names, true)), Ok(()));
}

#[test]
fn critical_policies_have_known_qualifiers_only() {
	let qualified = |qualifier: &str| {
		let information = x509_cert::ext::pkix::certpolicy::PolicyInformation {
			policy_identifier: UNKNOWN,
			policy_qualifiers: Some(vec![x509_cert::ext::pkix::certpolicy::PolicyQualifierInfo {
				policy_qualifier_id: ObjectIdentifier::new_unwrap(qualifier),
				qualifier: Some(Any::new(Tag::Ia5String, *b"a:").unwrap()),
			}]),
		};
		CertificatePolicies(vec![information])
	};
	assert_eq!(read(device().with(&qualified("1.3.6.1.5.5.7.2.1"), true)), Ok(()));
	assert_eq!(read(device().with(&qualified("1.3.6.1.4.1.99999.2"), false)), Ok(()));
	assert_eq!(
		read(device().with(&qualified("1.3.6.1.4.1.99999.2"), true)),
		Err(Error::ExtensionUnknown)
	);
}

#[test]
fn an_attribute_that_is_no_text_of_its_type_is_refused() {
	let draft = device().edit(|body| {
		let bad = Any::new(Tag::Utf8String, [0xff]).unwrap();
		let rdn = x509_cert::name::RelativeDistinguishedName::try_from(vec![
			x509_cert::attr::AttributeTypeAndValue { oid: common::common_name(), value: bad },
		]);
		body.subject = x509_cert::name::RdnSequence(vec![rdn.unwrap()]);
	});
	assert_eq!(read(draft), Err(Error::CertificateMalformed));
}

#[test]
fn a_root_vouches_for_itself() {
	let world = World::new();
	let root = |draft: Draft, signer: &Party| {
		verify_root(&Pure, &draft.der(signer), Profile::Rfc5280).map(|_| ())
	};
	assert_eq!(root(world.root_draft(), &world.root), Ok(()));
	assert_eq!(root(world.root_draft(), &world.ca), Err(Error::SignatureInvalid));
	assert_eq!(root(world.ca_draft(), &world.root), Err(Error::AnchorNotSelfIssued));
	let device = Draft::device(&world.root, &world.root);
	assert_eq!(root(device, &world.root), Err(Error::IssuerNotAuthority));
	let no_id = world.root_draft().without(SubjectKeyIdentifier::OID);
	assert_eq!(root(no_id, &world.root), Err(Error::SubjectKeyIdentifierMissing));
	let no_usage = world.root_draft().without(KeyUsage::OID);
	assert_eq!(root(no_usage, &world.root), Err(Error::KeyUsageMissing));
	let no_signing = world.root_draft().with_usage(KeyUsages::CRLSign);
	assert_eq!(root(no_signing, &world.root), Err(Error::KeyUsageMismatch));
	let not_critical = world
		.root_draft()
		.with(&BasicConstraints { ca: true, path_len_constraint: None }, false);
	assert_eq!(root(not_critical, &world.root), Err(Error::ExtensionCriticalityInvalid));
	let usage = KeyUsage(KeyUsages::KeyCertSign.into());
	let not_critical = world.root_draft().with(&usage, false);
	assert_eq!(root(not_critical, &world.root), Err(Error::ExtensionCriticalityInvalid));
}

#[test]
fn tolerant_reading_waives_criticality_and_the_sign_of_serial_numbers_only() {
	let world = World::new();
	let tolerant = |draft: Draft| Certificate::from_der_tolerant(&draft.der(&world.ca)).map(|_| ());
	assert_eq!(tolerant(authority().with(&InhibitAnyPolicy(0), false)), Ok(()));
	let negative = SerialNumber::from_der(&[2, 1, 0x80]).unwrap();
	assert_eq!(tolerant(device().edit(|body| body.serial_number = negative)), Ok(()));
	assert_eq!(tolerant(device().with_raw(UNKNOWN, &[5, 0], true)), Err(Error::ExtensionUnknown));
	let usage = device().with_usage(KeyUsages::KeyCertSign);
	assert_eq!(tolerant(usage), Err(Error::KeyUsageInconsistent));
}

#[test]
fn an_authority_key_has_issuer_and_serial_number_together() {
	let key = AuthorityKeyIdentifier {
		key_identifier: Some(OctetString::new([1; 20]).unwrap()),
		authority_cert_issuer: Some(vec![dns("a.org")]),
		authority_cert_serial_number: None,
	};
	assert_eq!(read(device().with(&key, false)), Err(Error::ExtensionMalformed));
}

#[test]
fn a_named_key_has_an_identifier_in_it() {
	let key = AuthorityKeyIdentifier {
		key_identifier: Some(OctetString::new([]).unwrap()),
		..Default::default()
	};
	assert_eq!(read(device().with(&key, false)), Err(Error::ExtensionMalformed));
}

#[test]
fn a_relative_name_has_an_attribute() {
	let draft = device().edit(|body| {
		body.subject = x509_cert::name::RdnSequence(vec![Default::default()]);
	});
	assert_eq!(read(draft), Err(Error::CertificateMalformed));
}

#[test]
fn an_authority_has_a_name() {
	let names = SubjectAltName(vec![dns("a.org")]);
	let nameless = authority().edit(|body| body.subject = Name::default()).with(&names, true);
	let certificate = nameless.sign(&World::new().root);
	assert_eq!(certificate.check_authority(), Err(Error::SubjectEmpty));
}

#[test]
fn subtrees_are_whole_and_lists_of_them_are_not_empty() {
	let subtree = |minimum, maximum| GeneralSubtree { base: dns("a.org"), minimum, maximum };
	let constraints = |permitted: Option<Vec<GeneralSubtree>>, excluded| {
		let constraints =
			NameConstraints { permitted_subtrees: permitted, excluded_subtrees: excluded };
		read(authority().with(&constraints, true))
	};
	let refused = Err(Error::ExtensionMalformed);
	assert_eq!(constraints(Some(vec![subtree(0, None)]), None), Ok(()));
	assert_eq!(constraints(Some(vec![subtree(1, None)]), None), refused);
	assert_eq!(constraints(Some(vec![subtree(0, Some(1))]), None), refused);
	assert_eq!(constraints(Some(vec![]), Some(vec![subtree(0, None)])), refused);
}

#[test]
fn a_policy_does_not_occur_twice() {
	let policy = x509_cert::ext::pkix::certpolicy::PolicyInformation {
		policy_identifier: UNKNOWN,
		policy_qualifiers: None,
	};
	let policies = CertificatePolicies(vec![policy.clone(), policy]);
	assert_eq!(read(device().with(&policies, false)), Err(Error::ExtensionMalformed));
}

#[test]
fn a_branch_is_an_authority_that_another_one_issued() {
	let (root, ca) = (Party::new("CN=Root", 1), Party::new("CN=Branch", 2));
	let read = |draft: Draft| read_branch(&draft.der(&root), Profile::Rfc5280).map(|_| ());
	assert_eq!(read(Draft::authority(&ca, &root)), Ok(()));
	assert_eq!(read(Draft::authority(&root, &root)), Err(Error::AnchorSelfIssued));
	assert_eq!(read(Draft::device(&ca, &root)), Err(Error::IssuerNotAuthority));
	let unnamed = Draft::authority(&ca, &root).without(AuthorityKeyIdentifier::OID);
	assert_eq!(read(unnamed), Err(Error::AuthorityKeyIdentifierMissing));
	// A product attestation authority is a root.
	let as_paa = read_branch(&Draft::authority(&ca, &root).der(&root), Profile::Matter);
	assert_eq!(as_paa.map(|_| ()), Err(Error::AuthorityKeyIdentifierMismatch));
}
