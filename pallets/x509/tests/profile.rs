//! What the profiles ask beyond RFC 5280.

mod common;

use common::{Draft, NOW, Party, dns, fault};
use dpki_x509::{
	Error, PathError, Profile, ProfileRules, Pure, Rules, Target, extension::ANY_PURPOSE,
	time::Validity, validate, verify_root,
};
use x509_cert::{
	der::{
		asn1::{ObjectIdentifier, OctetString},
		oid::{
			AssociatedOid,
			db::rfc5912::{ECDSA_WITH_SHA_384, ID_KP_SERVER_AUTH},
		},
	},
	ext::pkix::{
		AuthorityKeyIdentifier, BasicConstraints, KeyUsage, KeyUsages, SubjectAltName,
		SubjectKeyIdentifier,
	},
	serial_number::SerialNumber,
};

const VENDOR: &str = "1.3.6.1.4.1.37244.2.1=FFF1";
const PRODUCT: &str = "1.3.6.1.4.1.37244.2.2=8000";

/// A product attestation authority, an intermediate and a device.
struct Matter {
	paa: Party,
	pai: Party,
	dac: Party,
}

impl Matter {
	fn new() -> Self {
		Self::named("CN=PAA", &format!("CN=PAI,{VENDOR}"), &format!("CN=DAC,{VENDOR},{PRODUCT}"))
	}

	fn named(paa: &str, pai: &str, dac: &str) -> Self {
		Self { paa: Party::new(paa, 1), pai: Party::new(pai, 2), dac: Party::new(dac, 3) }
	}

	fn paa(&self) -> Draft {
		Draft::authority(&self.paa, &self.paa).with_path_len(1)
	}

	fn pai(&self) -> Draft {
		Draft::authority(&self.pai, &self.paa).with_path_len(0)
	}

	fn dac(&self) -> Draft {
		Draft::device(&self.dac, &self.pai)
			.with(&BasicConstraints { ca: false, path_len_constraint: None }, true)
	}

	fn judge(&self, paa: Draft, pai: Draft, dac: Draft) -> Result<(), PathError> {
		let (paa, pai, dac) = (paa.sign(&self.paa), pai.sign(&self.paa), dac.sign(&self.pai));
		let rules = Rules { profile: Profile::Matter, ..Rules::at(NOW) };
		validate(&Pure, &paa, &[&pai, &dac], &rules)
	}

	fn verdict(&self) -> Result<(), PathError> {
		self.judge(self.paa(), self.pai(), self.dac())
	}
}

#[test]
fn a_matter_path_is_valid() {
	assert_eq!(Matter::new().verdict(), Ok(()));
	let vendor = format!("CN=PAA,{VENDOR}");
	let both = format!("CN=x,{VENDOR},{PRODUCT}");
	assert_eq!(Matter::named(&vendor, &both, &both).verdict(), Ok(()));
	let old = Matter::named("CN=PAA", "CN=PAI Mvid:FFF1", "CN=DAC Mvid:FFF1 Mpid:8000");
	assert_eq!(old.verdict(), Ok(()));
}

#[test]
fn a_matter_root_or_intermediate_can_be_judged_alone() {
	let world = Matter::new();
	let root = verify_root(&Pure, &world.paa().der(&world.paa), Profile::Matter).unwrap();
	let pai = world.pai().sign(&world.paa);
	let rules = Rules { profile: Profile::Matter, ..Rules::at(NOW) };
	assert_eq!(validate(&Pure, &root, &[&pai], &rules), Ok(()));
}

#[test]
fn matter_paths_have_one_intermediate() {
	let world = Matter::new();
	let paa = world.paa().sign(&world.paa);
	let direct = Draft::device(&world.dac, &world.paa)
		.with(&BasicConstraints { ca: false, path_len_constraint: None }, true)
		.sign(&world.paa);
	let rules = Rules { profile: Profile::Matter, ..Rules::at(NOW) };
	let refusal = validate(&Pure, &paa, &[&direct], &rules);
	assert_eq!(refusal, fault(1, Error::ProfilePathMismatch));
}

#[test]
fn matter_uses_p256_with_sha256() {
	// The path is refused for its signature too; the profile is asked about the certificate alone.
	let world = Matter::new();
	let pai = world
		.pai()
		.edit(|body| body.signature.oid = ECDSA_WITH_SHA_384)
		.sign(&world.paa);
	let refusal = Profile::Matter.check_certificate(&pai, dpki_x509::Role::Intermediate);
	assert_eq!(refusal, Err(Error::ProfileAlgorithmMismatch));
}

#[test]
fn matter_fixes_basic_constraints() {
	let world = Matter::new();
	let (paa, pai, dac) = (|| world.paa(), || world.pai(), || world.dac());
	let mismatch = |index| fault(index, Error::ProfileConstraintsMismatch);
	let free = BasicConstraints { ca: true, path_len_constraint: None };
	assert_eq!(world.judge(paa().with(&free, true), pai(), dac()), Ok(()));
	assert_eq!(world.judge(paa().with_path_len(2), pai(), dac()), mismatch(0));
	assert_eq!(world.judge(paa(), pai().with(&free, true), dac()), mismatch(1));
	assert_eq!(world.judge(paa(), pai().with_path_len(1), dac()), mismatch(1));
	let absent = dac().without(BasicConstraints::OID);
	assert_eq!(world.judge(paa(), pai(), absent), mismatch(2));
	let no = BasicConstraints { ca: false, path_len_constraint: None };
	assert_eq!(world.judge(paa(), pai(), dac().with(&no, false)), mismatch(2));
}

#[test]
fn matter_fixes_key_usage() {
	let world = Matter::new();
	let (paa, pai, dac) = (|| world.paa(), || world.pai(), || world.dac());
	let mismatch = |index| fault(index, Error::ProfileKeyUsageMismatch);
	let ca = KeyUsages::KeyCertSign | KeyUsages::CRLSign;
	let with_digital = pai().with_usage(ca | KeyUsages::DigitalSignature);
	assert_eq!(world.judge(paa(), with_digital, dac()), Ok(()));
	assert_eq!(world.judge(paa().with_usage(KeyUsages::KeyCertSign), pai(), dac()), mismatch(0));
	let more = pai().with_usage(ca | KeyUsages::KeyAgreement);
	assert_eq!(world.judge(paa(), more, dac()), mismatch(1));
	let more = dac().with_usage(KeyUsages::DigitalSignature | KeyUsages::KeyAgreement);
	assert_eq!(world.judge(paa(), pai(), more), mismatch(2));
	let soft = dac().with(&KeyUsage(KeyUsages::DigitalSignature.into()), false);
	assert_eq!(world.judge(paa(), pai(), soft), mismatch(2));
}

#[test]
fn matter_fixes_key_identifiers() {
	let world = Matter::new();
	let (paa, pai, dac) = (|| world.paa(), || world.pai(), || world.dac());
	let short = SubjectKeyIdentifier(OctetString::new([1; 19]).unwrap());
	let refusal = world.judge(paa(), pai(), dac().with(&short, false));
	assert_eq!(refusal, fault(2, Error::ProfileKeyIdentifierInvalid));
	let absent = dac().without(SubjectKeyIdentifier::OID);
	assert_eq!(world.judge(paa(), pai(), absent), fault(2, Error::ProfileKeyIdentifierInvalid));
	let issuer = |id: &[u8]| AuthorityKeyIdentifier {
		key_identifier: Some(OctetString::new(id).unwrap()),
		..Default::default()
	};
	let short = dac().with(&issuer(&[1; 19]), false);
	assert_eq!(world.judge(paa(), pai(), short), fault(2, Error::ProfileKeyIdentifierInvalid));
	let other = dac().with(&issuer(&[1; 20]), false);
	assert_eq!(world.judge(paa(), pai(), other), fault(2, Error::AuthorityKeyIdentifierMismatch));
	let other = paa().with(&issuer(&[1; 20]), false);
	assert_eq!(world.judge(other, pai(), dac()), fault(0, Error::AuthorityKeyIdentifierMismatch));
	let absent = paa().without(AuthorityKeyIdentifier::OID);
	assert_eq!(world.judge(absent, pai(), dac()), Ok(()));
}

#[test]
fn matter_vendors_and_products_are_those_of_the_issuer() {
	let pai = format!("CN=PAI,{VENDOR}");
	let dac = format!("CN=DAC,{VENDOR},{PRODUCT}");
	let verdict = |paa: &str, pai: &str, dac: &str| Matter::named(paa, pai, dac).verdict();
	let other = "1.3.6.1.4.1.37244.2.1=FFF2";
	let other_product = "1.3.6.1.4.1.37244.2.2=8001";
	assert_eq!(verdict("CN=PAA", "CN=PAI", &dac), fault(1, Error::VendorIdMissing));
	assert_eq!(verdict("CN=PAA", &pai, "CN=DAC"), fault(2, Error::VendorIdMissing));
	let no_product = format!("CN=DAC,{VENDOR}");
	assert_eq!(verdict("CN=PAA", &pai, &no_product), fault(2, Error::ProductIdMissing));
	let stranger = format!("CN=DAC,{other},{PRODUCT}");
	assert_eq!(verdict("CN=PAA", &pai, &stranger), fault(2, Error::VendorIdMismatch));
	let paa = format!("CN=PAA,{other}");
	assert_eq!(verdict(&paa, &pai, &dac), fault(1, Error::VendorIdMismatch));
	let bound = format!("CN=PAI,{VENDOR},{other_product}");
	assert_eq!(verdict("CN=PAA", &bound, &dac), fault(2, Error::ProductIdMismatch));
	let paa = format!("CN=PAA,{PRODUCT}");
	assert_eq!(verdict(&paa, &pai, &dac), fault(0, Error::ProductIdMalformed));
	let lower = "CN=DAC,1.3.6.1.4.1.37244.2.1=fff1";
	assert_eq!(verdict("CN=PAA", &pai, lower), fault(2, Error::VendorIdMalformed));
}

/// The verdict on a device with this subject directly below a root.
fn idevid(subject: &str, change: impl FnOnce(Draft) -> Draft) -> Result<(), PathError> {
	let maker = Party::new("CN=Maker", 1);
	let device = Party::new(subject, 2);
	let root = Draft::authority(&maker, &maker).sign(&maker);
	let draft = Draft::device(&device, &maker)
		.edit(|body| body.validity.not_after = common::time(Validity::NO_END));
	let rules = Rules { profile: Profile::IdevId, ..Rules::at(NOW) };
	validate(&Pure, &root, &[&change(draft).sign(&maker)], &rules)
}

#[test]
fn an_initial_device_identity_names_the_serial_number_of_the_device() {
	assert_eq!(idevid("serialNumber=A1,O=Maker", |draft| draft), Ok(()));
	assert_eq!(idevid("CN=A1", |draft| draft), fault(1, Error::DeviceSerialMissing));
	assert_eq!(idevid("serialNumber=\\ ", |draft| draft), fault(1, Error::DeviceSerialMissing));
	let twice = "serialNumber=A1,serialNumber=A2";
	assert_eq!(idevid(twice, |draft| draft), fault(1, Error::ProfileNameMismatch));
}

#[test]
fn an_initial_device_identity_signs_and_is_not_for_all_purposes() {
	let agreement = |draft: Draft| draft.with_usage(KeyUsages::KeyAgreement);
	let refusal = idevid("serialNumber=A1", agreement);
	assert_eq!(refusal, fault(1, Error::ProfileKeyUsageMismatch));
	assert_eq!(idevid("serialNumber=A1", |draft| draft.without(KeyUsage::OID)), Ok(()));
	let any = |draft: Draft| draft.with_purposes(&[ANY_PURPOSE]);
	assert_eq!(idevid("serialNumber=A1", any), fault(1, Error::ProfileExtendedKeyUsageMismatch));
}

#[test]
fn an_initial_device_identity_has_an_algorithm_of_the_standard() {
	use rcgen::{CertificateParams, DnType, DnValue, KeyPair, PKCS_ED25519};
	let key = KeyPair::generate_for(&PKCS_ED25519).unwrap();
	let mut params = CertificateParams::new(Vec::new()).unwrap();
	let serial = DnType::CustomDnType(vec![2, 5, 4, 5]);
	params.distinguished_name.push(serial, DnValue::Utf8String("A1".into()));
	let der = params.self_signed(&key).unwrap().der().to_vec();
	let certificate = dpki_x509::Certificate::from_der(&der).unwrap();
	let refusal = Profile::IdevId.check_certificate(&certificate, dpki_x509::Role::EndEntity);
	assert_eq!(refusal, Err(Error::ProfileAlgorithmMismatch));
}

/// The verdict on a server `a.org` below a root.
fn tls(
	subject: &str,
	root: impl FnOnce(Draft) -> Draft,
	server: impl FnOnce(Draft) -> Draft,
) -> Result<(), PathError> {
	let ca = Party::new("CN=CA", 1);
	let host = Party::new(subject, 2);
	let draft = Draft::device(&host, &ca)
		.with_names(&[dns("a.org")])
		.with_purposes(&[ID_KP_SERVER_AUTH]);
	let root = root(Draft::authority(&ca, &ca)).sign(&ca);
	let rules = Rules { profile: Profile::TlsServer, ..Rules::at(NOW) };
	validate(&Pure, &root, &[&server(draft).sign(&ca)], &rules)
}

#[test]
fn a_server_has_alternative_names_and_its_common_name_is_one_of_them() {
	let same = |draft: Draft| draft;
	assert_eq!(tls("CN=a.org", same, same), Ok(()));
	assert_eq!(tls("O=A", same, same), Ok(()));
	let mismatch = fault(1, Error::ProfileNameMismatch);
	for name in ["CN=b.org", "CN=A.org", "CN=A"] {
		assert_eq!(tls(name, same, same), mismatch, "{name}");
	}
	assert_eq!(tls("CN=a.org", same, |draft| draft.with_names(&[dns("A.org")])), mismatch);
	assert_eq!(tls("CN=A.org", same, |draft| draft.with_names(&[dns("A.org")])), Ok(()));
	assert_eq!(tls("CN=a.org", same, |draft| draft.without(SubjectAltName::OID)), mismatch);
	assert_eq!(tls("O=A", same, |draft| draft.with_names(&[dns("*.org")])), mismatch);
	assert_eq!(tls("O=A", same, |draft| draft.with_names(&[common::email("a@b.org")])), mismatch);
	let critical = |draft: Draft| draft.with(&SubjectAltName(vec![dns("a.org")]), true);
	assert_eq!(tls("CN=a.org", same, critical), fault(1, Error::ExtensionCriticalityInvalid));
}

#[test]
fn a_server_is_for_servers_and_no_authority() {
	let same = |draft: Draft| draft;
	let mismatch = fault(1, Error::ProfileExtendedKeyUsageMismatch);
	let with =
		|purposes: &'static [ObjectIdentifier]| move |draft: Draft| draft.with_purposes(purposes);
	assert_eq!(tls("O=A", same, with(&[ANY_PURPOSE])), mismatch);
	assert_eq!(tls("O=A", same, with(&[ID_KP_SERVER_AUTH, ANY_PURPOSE])), mismatch);
	let ca =
		|draft: Draft| draft.with(&BasicConstraints { ca: true, path_len_constraint: None }, true);
	assert_eq!(tls("O=A", same, ca), fault(1, Error::ProfileConstraintsMismatch));
}

#[test]
fn a_public_root_has_no_purposes_and_names_its_own_key() {
	let same = |draft: Draft| draft;
	let purposes = |draft: Draft| draft.with_purposes(&[ID_KP_SERVER_AUTH]);
	assert_eq!(tls("O=A", purposes, same), fault(0, Error::ProfileExtendedKeyUsageMismatch));
	let other = AuthorityKeyIdentifier {
		key_identifier: Some(OctetString::new([1; 20]).unwrap()),
		..Default::default()
	};
	let refusal = tls("O=A", |draft| draft.with(&other, false), same);
	assert_eq!(refusal, fault(0, Error::AuthorityKeyIdentifierMismatch));
	let by_serial = AuthorityKeyIdentifier {
		key_identifier: Some(OctetString::new(Party::new("CN=CA", 1).key_id()).unwrap()),
		authority_cert_issuer: Some(vec![common::directory("CN=CA")]),
		authority_cert_serial_number: Some(SerialNumber::new(&[1]).unwrap()),
	};
	let refusal = tls("O=A", |draft| draft.with(&by_serial, false), same);
	assert_eq!(refusal, fault(0, Error::ProfileKeyIdentifierInvalid));
}

#[test]
fn a_branch_of_a_public_pki_has_purposes_and_authorities_below_it() {
	let (ca, branch, unit) =
		(Party::new("CN=CA", 1), Party::new("CN=Branch", 2), Party::new("CN=Unit", 3));
	let purposes = [ID_KP_SERVER_AUTH];
	let anchor = Draft::authority(&branch, &ca).with_purposes(&purposes).sign(&ca);
	let below = Draft::authority(&unit, &branch).sign(&branch);
	let judge = |target| {
		let rules = Rules { profile: Profile::TlsServer, target, ..Rules::at(NOW) };
		validate(&Pure, &anchor, &[&below], &rules)
	};
	assert_eq!(judge(Target::Authority), Ok(()));
	// Whatever is not asked for as an authority is a server.
	assert_eq!(judge(Target::Any), fault(1, Error::ProfileConstraintsMismatch));
}
