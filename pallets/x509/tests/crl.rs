//! Revocation lists.

mod common;

use common::{
	NOT_AFTER, NOT_BEFORE, NOW, Party, World, ecdsa_sha256, extension, fault, raw_extension, time,
};
use dpki_x509::{
	Certificate, Error, MAX_CRL_LEN, PathError, Pure, Rules, crl::RevocationList, path::Revocation,
	validate,
};
use x509_cert::{
	Version,
	crl::{CertificateList, RevokedCert, TbsCertList},
	der::{
		Decode, Encode,
		asn1::{ObjectIdentifier, OctetString, Uint},
		oid::{AssociatedOid, db::rfc5912::ECDSA_WITH_SHA_384},
	},
	ext::pkix::{AuthorityKeyIdentifier, CrlNumber, KeyUsages},
	serial_number::SerialNumber,
};

/// A list of the intermediate that revokes these serial numbers.
fn list(revoked: &[&[u8]]) -> TbsCertList {
	let world = World::new();
	let entry = |serial: &&[u8]| RevokedCert {
		serial_number: SerialNumber::new(serial).unwrap(),
		revocation_date: time(NOT_BEFORE),
		crl_entry_extensions: None,
	};
	let key = AuthorityKeyIdentifier {
		key_identifier: Some(OctetString::new(world.ca.key_id()).unwrap()),
		..Default::default()
	};
	TbsCertList {
		version: Version::V2,
		signature: ecdsa_sha256(),
		issuer: world.ca.name.clone(),
		this_update: time(NOT_BEFORE),
		next_update: Some(time(NOT_AFTER)),
		revoked_certificates: (!revoked.is_empty()).then(|| revoked.iter().map(entry).collect()),
		crl_extensions: Some(vec![
			extension(&key, false),
			extension(&CrlNumber(Uint::new(&[1]).unwrap()), false),
		]),
	}
}

fn der(body: TbsCertList, signer: &Party) -> Vec<u8> {
	let signature = signer.sign(&body.to_der().unwrap());
	let signature_algorithm = body.signature.clone();
	CertificateList { tbs_cert_list: body, signature_algorithm, signature }
		.to_der()
		.unwrap()
}

fn read(body: TbsCertList) -> RevocationList {
	RevocationList::from_der(&der(body, &World::new().ca)).unwrap()
}

/// The verdict on the device, whose serial number is 010203, where lists that are there have to be usable.
fn judge(lists: &[RevocationList]) -> Result<(), PathError> {
	let world = World::new();
	let rules = Rules { revocation: Revocation::WhereListed(lists), ..Rules::at(NOW) };
	world.judge(world.root_draft(), world.ca_draft(), world.device_draft(), &rules)
}

#[test]
fn a_certificate_on_the_list_is_revoked() {
	assert_eq!(judge(&[]), Ok(()));
	assert_eq!(judge(&[read(list(&[]))]), Ok(()));
	assert_eq!(judge(&[read(list(&[&[1, 2, 4]]))]), Ok(()));
	assert_eq!(
		judge(&[read(list(&[&[1, 2, 4], &[1, 2, 3]]))]),
		fault(2, Error::CertificateRevoked)
	);
}

#[test]
fn where_lists_are_required_every_issuer_has_one() {
	let world = World::new();
	let lists = [read(list(&[]))];
	let rules = Rules { revocation: Revocation::Required(&lists), ..Rules::at(NOW) };
	let verdict = world.judge(world.root_draft(), world.ca_draft(), world.device_draft(), &rules);
	assert_eq!(verdict, fault(1, Error::RevocationUnknown));
	let ca = world.ca_draft().sign(&world.root);
	let device = world.device_draft().sign(&world.ca);
	assert_eq!(validate(&Pure, &ca, &[&device], &rules), Ok(()));
}

#[test]
fn a_list_that_is_not_usable_does_not_pass_for_none() {
	let mut old = list(&[]);
	old.next_update = Some(time(NOW - 1));
	assert_eq!(judge(&[read(old.clone())]), fault(2, Error::RevocationListExpired));
	let mut new = list(&[]);
	new.this_update = time(NOW + 1);
	assert_eq!(judge(&[read(new)]), fault(2, Error::RevocationListExpired));
	let mut endless = list(&[]);
	endless.next_update = None;
	assert_eq!(judge(&[read(endless)]), fault(2, Error::RevocationListExpired));
	let forged = RevocationList::from_der(&der(list(&[]), &World::new().root)).unwrap();
	assert_eq!(judge(&[forged]), fault(2, Error::SignatureInvalid));
	assert_eq!(judge(&[read(old), read(list(&[]))]), Ok(()), "one usable list is enough");
}

#[test]
fn a_list_of_another_issuer_says_nothing() {
	let mut other = list(&[&[1, 2, 3]]);
	other.issuer = World::new().device.name;
	assert_eq!(judge(&[read(other)]), Ok(()));
}

#[test]
fn a_list_is_usable_for_its_own_issuer_only() {
	let world = World::new();
	let list = read(list(&[]));
	let usable = |issuer: &Certificate| list.check_usable(&Pure, issuer, NOW);
	assert_eq!(usable(&world.ca_draft().sign(&world.root)), Ok(()));
	let other_name = Party::new("CN=Other", 2);
	let other_name = common::Draft::authority(&other_name, &world.root).sign(&world.root);
	assert_eq!(usable(&other_name), Err(Error::IssuerMismatch));
}

#[test]
fn an_issuer_that_must_not_sign_lists_has_none() {
	let world = World::new();
	let lists = [read(list(&[]))];
	let rules = Rules { revocation: Revocation::WhereListed(&lists), ..Rules::at(NOW) };
	let ca = world.ca_draft().with_usage(KeyUsages::KeyCertSign);
	let verdict = world.judge(world.root_draft(), ca, world.device_draft(), &rules);
	assert_eq!(verdict, fault(2, Error::KeyUsageMismatch));
}

#[test]
fn partial_lists_and_lists_without_number_or_key_are_not_usable() {
	let unsupported = fault(2, Error::RevocationListUnsupported);
	let critical = |oid: &str| {
		let mut body = list(&[]);
		let oid = ObjectIdentifier::new_unwrap(oid);
		body.crl_extensions.as_mut().unwrap().push(raw_extension(oid, &[0x30, 0], true));
		body
	};
	// issuingDistributionPoint and deltaCRLIndicator
	assert_eq!(judge(&[read(critical("2.5.29.28"))]), unsupported);
	assert_eq!(judge(&[read(critical("2.5.29.27"))]), unsupported);
	for oid in [CrlNumber::OID, AuthorityKeyIdentifier::OID] {
		let mut body = list(&[]);
		body.crl_extensions
			.as_mut()
			.unwrap()
			.retain(|extension| extension.extn_id != oid);
		assert_eq!(judge(&[read(body)]), unsupported);
	}
	let mut body = list(&[&[9]]);
	let entry = &mut body.revoked_certificates.as_mut().unwrap()[0];
	let oid = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.99999.1");
	entry.crl_entry_extensions = Some(vec![raw_extension(oid, &[5, 0], true)]);
	assert_eq!(judge(&[read(body)]), unsupported);
}

#[test]
fn what_is_no_list_is_refused() {
	let world = World::new();
	let refusal = |der: &[u8]| RevocationList::from_der(der).err();
	let mut long = der(list(&[]), &world.ca);
	long.push(0);
	assert_eq!(refusal(&long), Some(Error::RevocationListMalformed));
	assert_eq!(refusal(&vec![0; MAX_CRL_LEN + 1]), Some(Error::RevocationListTooLong));
	let mut two = CertificateList::from_der(&der(list(&[]), &world.ca)).unwrap();
	two.signature_algorithm.oid = ECDSA_WITH_SHA_384;
	assert_eq!(refusal(&two.to_der().unwrap()), Some(Error::AlgorithmMismatch));
	let mut empty = list(&[]);
	empty.revoked_certificates = Some(Vec::new());
	assert_eq!(refusal(&der(empty, &world.ca)), Some(Error::RevocationListMalformed));
	let mut v1 = list(&[]);
	v1.version = Version::V1;
	assert_eq!(refusal(&der(v1, &world.ca)), Some(Error::RevocationListMalformed));
	let mut nobody = list(&[]);
	nobody.issuer = Default::default();
	assert_eq!(refusal(&der(nobody, &world.ca)), Some(Error::IssuerEmpty));
}

#[test]
fn after_a_change_of_keys_the_list_may_be_signed_by_the_key_before() {
	let world = World::new();
	let renewed = Party::new("CN=Intermediate,O=Consortium", 4);
	let root = world.root_draft().sign(&world.root);
	let ca = world.ca_draft().sign(&world.root);
	let self_issued = common::Draft::authority(&renewed, &world.ca)
		.edit(|body| body.serial_number = SerialNumber::new(&[7]).unwrap())
		.sign(&world.ca);
	let device = common::Draft::device(&world.device, &renewed).sign(&renewed);
	let lists = [read(list(&[&[1, 2, 3]]))];
	let rules = Rules { revocation: Revocation::WhereListed(&lists), ..Rules::at(NOW) };
	let verdict = validate(&Pure, &root, &[&ca, &self_issued, &device], &rules);
	assert_eq!(verdict, fault(3, Error::CertificateRevoked));
}
