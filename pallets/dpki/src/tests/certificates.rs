//! X.509 roots: made by `rcgen`, which also makes the bad ones, and by OpenSSL where `rcgen` cannot.

use super::mock::*;
use crate::{Error, fixtures};
use dpki_primitives::{
	anchor::{AnchorKind, AnchorMaterial},
	context::{Action, Registrant, SigningContext},
	ids::{AnchorId, KeyId},
	key::{KeyPurpose, KeyType, NewKey, PublicKey, Signature},
	status::{Status, Validity},
};
use frame_support::{assert_noop, assert_ok};
use p256::ecdsa::signature::Signer;
use rcgen::{
	BasicConstraints, CertificateParams, CustomExtension, IsCa, Issuer, KeyPair, KeyUsagePurpose,
	PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, PublicKeyData, SerialNumber,
	SigningKey, date_time_ymd,
};
use rsa::{
	Pkcs1v15Sign, RsaPrivateKey,
	pkcs1::DecodeRsaPrivateKey,
	sha2::{Digest, Sha256, Sha384},
};
use sp_runtime::DispatchResult;
use x509_cert::{
	Certificate,
	der::{Decode, Encode, asn1::BitString, oid::db::rfc5912},
};

const ROOT: AnchorKind = AnchorKind::X509Root;

/// What `register_root` and the tests of the extensions start from: a root that is accepted.
fn params() -> CertificateParams {
	let mut params = CertificateParams::default();
	params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
	params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
	params.not_before = date_time_ymd(2020, 1, 1);
	params.not_after = date_time_ymd(2040, 1, 1);
	params.serial_number = Some(SerialNumber::from_slice(&[0x35; 20]));
	params
}

fn params_with(change: impl FnOnce(&mut CertificateParams)) -> CertificateParams {
	let mut params = params();
	change(&mut params);
	params
}

fn ed25519() -> KeyPair {
	KeyPair::generate_for(&PKCS_ED25519).unwrap()
}

fn der(params: CertificateParams, pair: &KeyPair) -> Vec<u8> {
	params.self_signed(pair).unwrap().der().to_vec()
}

fn bounded(der: &[u8]) -> AnchorMaterial {
	der.to_vec().try_into().unwrap()
}

fn payload(der: &[u8]) -> Vec<u8> {
	anchor_context(&CAROL, ROOT, der).payload()
}

fn register(der: &[u8], possession: &[u8]) -> DispatchResult {
	let possession: Signature = possession.to_vec().try_into().unwrap();
	Dpki::register_anchor(signed(CAROL), acme(), ROOT, bounded(der), possession, NOW + 1_000)
}

fn assert_der_refused(der: &[u8], error: Error<Test>) {
	assert_noop!(register(der, &[]), error);
}

/// Registers a root for [`acme`].
pub fn register_root() -> AnchorId {
	let pair = ed25519();
	let der = der(params(), &pair);
	assert_ok!(register(&der, &pair.sign(&payload(&der)).unwrap()));
	AnchorId::of(ROOT, &der)
}

/// Registers the root with the RSA key of 2048 bits for [`acme`].
pub fn register_rsa_root() -> AnchorId {
	let der = fixtures::RSA2048_ROOT;
	assert_ok!(register(&der, &Pair::new(KeyType::Rsa, 1).sign(&payload(&der))));
	AnchorId::of(ROOT, &der)
}

pub fn register_p384_root() -> AnchorId {
	let der = fixtures::P384_ROOT;
	let pair = p384::ecdsa::SigningKey::from_slice(&fixtures::P384_KEY).unwrap();
	let possession: p384::ecdsa::Signature = pair.sign(&payload(&der));
	assert_ok!(register(&der, &possession.to_bytes()));
	AnchorId::of(ROOT, &der)
}

/// The root in `der` with the same key and another signature: `n - s` in the place of `s`.
fn malleated(der: &[u8]) -> Vec<u8> {
	let mut certificate = Certificate::from_der(der).unwrap();
	let signature = certificate.signature.raw_bytes();
	let flipped = match certificate.signature_algorithm.oid {
		rfc5912::ECDSA_WITH_SHA_256 => {
			let (r, s) = p256::ecdsa::Signature::from_der(signature).unwrap().split_scalars();
			let flipped = p256::ecdsa::Signature::from_scalars(r, -s).unwrap();
			flipped.to_der().as_bytes().to_vec()
		},
		rfc5912::ECDSA_WITH_SHA_384 => {
			let (r, s) = p384::ecdsa::Signature::from_der(signature).unwrap().split_scalars();
			let flipped = p384::ecdsa::Signature::from_scalars(r, -s).unwrap();
			flipped.to_der().as_bytes().to_vec()
		},
		other => panic!("{other} cannot be malleated"),
	};
	certificate.signature = BitString::from_bytes(&flipped).unwrap();
	certificate.to_der().unwrap()
}

/// Registers the root in `der` with an honest proof by the P-256 or P-384 key of `pair`.
fn register_ecdsa(der: &[u8], pair: &KeyPair) -> DispatchResult {
	let in_der = pair.sign(&payload(der)).unwrap();
	let possession = match pair.is_compatible(&PKCS_ECDSA_P256_SHA256) {
		true => p256::ecdsa::Signature::from_der(&in_der).unwrap().to_bytes().to_vec(),
		false => p384::ecdsa::Signature::from_der(&in_der).unwrap().to_bytes().to_vec(),
	};
	register(der, &possession)
}

/// Replaces one occurrence of `from`, of which there is exactly one.
fn patched(der: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
	let places: Vec<_> = (0..der.len()).filter(|at| der[*at..].starts_with(from)).collect();
	assert_eq!((places.len(), from.len()), (1, to.len()));
	let mut patched = der.to_vec();
	patched[places[0]..][..to.len()].copy_from_slice(to);
	patched
}

const BASIC_CONSTRAINTS: [u64; 4] = [2, 5, 29, 19];
const KEY_USAGE: [u64; 4] = [2, 5, 29, 15];
const KEY_IDENTIFIER: [u64; 4] = [2, 5, 29, 14];
const CA: [u8; 5] = [0x30, 3, 1, 1, 0xff];
const KEY_CERT_SIGN: [u8; 4] = [3, 2, 2, 4];
const IDENTIFIER: [u8; 4] = [4, 2, 1, 1];

/// A root with exactly these extensions: id, critical, value.
fn with_extensions(extensions: &[([u64; 4], bool, &[u8])]) -> Vec<u8> {
	let mut params = params_with(|it| {
		it.is_ca = IsCa::NoCa;
		it.key_usages = Vec::new();
	});
	params.custom_extensions = extensions
		.iter()
		.map(|(oid, critical, value)| {
			let mut extension = CustomExtension::from_oid_content(oid, value.to_vec());
			extension.set_criticality(*critical);
			extension
		})
		.collect();
	der(params, &ed25519())
}

#[test]
fn an_ed25519_root_is_registered_with_its_key_and_validity() {
	run(|| {
		let pair = ed25519();
		let der = der(params(), &pair);
		assert_ok!(register(&der, &pair.sign(&payload(&der)).unwrap()));
		let record = Dpki::anchor(AnchorId::of(ROOT, &der)).unwrap();
		let key = PublicKey::new(KeyType::Ed25519, pair.public_key_raw()).unwrap();
		assert_eq!((record.key_id, record.key), (KeyId::of(&key), Some(key)));
		let validity =
			Validity { not_before: 1_577_836_800_000, not_after: Some(2_208_988_800_999) };
		assert_eq!(record.validity, validity);
		assert_eq!(Dpki::anchor_material(AnchorId::of(ROOT, &der)), Some(bounded(&der)));
	});
}

#[test]
fn a_p256_root_is_registered_with_its_compressed_key() {
	run(|| {
		let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
		let der = der(params(), &pair);
		let in_der = pair.sign(&payload(&der)).unwrap();
		assert_noop!(register(&der, &in_der), Error::<Test>::AnchorPossessionInvalid);
		let possession = p256::ecdsa::Signature::from_der(&in_der).unwrap();
		assert_ok!(register(&der, &possession.to_bytes()));
		let record = Dpki::anchor(AnchorId::of(ROOT, &der)).unwrap();
		let key = crate::crypto::p256_key(pair.public_key_raw()).unwrap();
		assert_eq!((record.key_id, record.key), (KeyId::of(&key), Some(key)));
	});
}

#[test]
fn a_p384_root_is_registered() {
	run(|| {
		let pair = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap();
		let made_here = der(params(), &pair);
		let possession = pair.sign(&payload(&made_here)).unwrap();
		let possession = p384::ecdsa::Signature::from_der(&possession).unwrap();
		assert_ok!(register(&made_here, &possession.to_bytes()));
		let record = Dpki::anchor(AnchorId::of(ROOT, &made_here)).unwrap();
		let key_id = KeyId::of_spki(&pair.subject_public_key_info());
		assert_eq!((record.key, record.key_id), (None, key_id));

		register_p384_root();
	});
}

#[test]
fn rsa_roots_of_2048_to_4096_bits_are_registered() {
	run(|| {
		let pair = RsaPrivateKey::from_pkcs1_der(&fixtures::RSA2048_KEY).unwrap();
		let der = fixtures::RSA2048_ROOT;
		let digest = Sha256::digest(payload(&der));
		assert_ok!(register(&der, &pair.sign(Pkcs1v15Sign::new::<Sha256>(), &digest).unwrap()));
		assert_eq!(Dpki::anchor(AnchorId::of(ROOT, &der)).unwrap().key, None);

		let der = fixtures::RSA2048_SHA384_ROOT;
		let sign256 = pair.sign(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(payload(&der)));
		assert_noop!(register(&der, &sign256.unwrap()), Error::<Test>::AnchorPossessionInvalid);
		let digest = Sha384::digest(payload(&der));
		assert_ok!(register(&der, &pair.sign(Pkcs1v15Sign::new::<Sha384>(), &digest).unwrap()));

		let pair = RsaPrivateKey::from_pkcs1_der(&fixtures::RSA4096_KEY).unwrap();
		let der = fixtures::RSA4096_ROOT;
		let digest = rsa::sha2::Sha512::digest(payload(&der));
		let scheme = Pkcs1v15Sign::new::<rsa::sha2::Sha512>();
		assert_ok!(register(&der, &pair.sign(scheme, &digest).unwrap()));
	});
}

#[test]
fn possession_of_a_root_is_proven_by_its_own_key() {
	run(|| {
		let (pair, another) = (ed25519(), ed25519());
		let der = der(params(), &pair);
		for possession in [another.sign(&payload(&der)), pair.sign(&payload(&[0]))] {
			assert_noop!(
				register(&der, &possession.unwrap()),
				Error::<Test>::AnchorPossessionInvalid
			);
		}
	});
}

/// The id of an anchor covers every byte of its certificate, so a certificate anew has another id.
#[test]
fn the_key_of_a_revoked_root_does_not_come_back_in_a_certificate_that_is_issued_anew() {
	run(|| {
		let pair = ed25519();
		let issue = |serial: u8| {
			let serial_number = Some(SerialNumber::from_slice(&[serial]));
			der(params_with(|it| it.serial_number = serial_number), &pair)
		};
		let again = |der: &[u8]| register(der, &pair.sign(&payload(der)).unwrap());
		let (first, second, third) = (issue(1), issue(2), issue(3));
		assert_ok!(again(&first));
		assert_ok!(again(&second));
		let anchor = AnchorId::of(ROOT, &first);
		assert_ok!(Dpki::revoke_anchor(signed(CAROL), anchor, REASON));
		assert_noop!(again(&third), Error::<Test>::AnchorKeyWasRevoked);
	});
}

#[test]
fn the_key_of_a_revoked_root_does_not_come_back_under_a_malleated_signature() {
	for algorithm in [&PKCS_ECDSA_P256_SHA256, &PKCS_ECDSA_P384_SHA384] {
		let pair = KeyPair::generate_for(algorithm).unwrap();
		let der = der(params(), &pair);
		let malleated = malleated(&der);
		assert_ne!(malleated, der);
		run(|| {
			assert_ok!(register_ecdsa(&malleated, &pair));
		});
		run(|| {
			assert_ok!(register_ecdsa(&der, &pair));
			let anchor = AnchorId::of(ROOT, &der);
			assert_ok!(Dpki::revoke_anchor(signed(CAROL), anchor, REASON));
			assert_noop!(register_ecdsa(&malleated, &pair), Error::<Test>::AnchorKeyWasRevoked);
		});
	}
}

/// The two RSA-2048 roots carry the same key, and differ in the hash that signed them.
#[test]
fn the_key_of_a_revoked_rsa_root_does_not_come_back() {
	run(|| {
		let pair = RsaPrivateKey::from_pkcs1_der(&fixtures::RSA2048_KEY).unwrap();
		let (first, second) = (fixtures::RSA2048_ROOT, fixtures::RSA2048_SHA384_ROOT);
		let digest = Sha256::digest(payload(&first));
		assert_ok!(register(&first, &pair.sign(Pkcs1v15Sign::new::<Sha256>(), &digest).unwrap()));
		assert_ok!(Dpki::revoke_anchor(signed(CAROL), AnchorId::of(ROOT, &first), REASON));
		let digest = Sha384::digest(payload(&second));
		let possession = pair.sign(Pkcs1v15Sign::new::<Sha384>(), &digest).unwrap();
		assert_noop!(register(&second, &possession), Error::<Test>::AnchorKeyWasRevoked);
	});
}

#[test]
fn the_key_of_a_device_is_no_root() {
	run(|| {
		let pair = ed25519();
		let der = der(params(), &pair);
		let public = PublicKey::new(KeyType::Ed25519, pair.public_key_raw()).unwrap();
		issue(&voucher_pair(), "drone-1");
		let mut enrolment = Enrolment::new(&voucher_pair(), "drone-1", &[]);
		let registrant = Registrant::Voucher(enrolment.voucher_id());
		let action = Action::PossessKey {
			registrant,
			device: enrolment.device(),
			purpose: KeyPurpose::Sign,
			key: KeyId::of(&public),
			not_after: None,
		};
		let expires_at = NOW + 1_000;
		let context = SigningContext { genesis: GENESIS, action, nonce: 0, expires_at };
		let possession = pair.sign(&context.payload()).unwrap().try_into().unwrap();
		let purpose = KeyPurpose::Sign;
		enrolment.keys.push(NewKey { purpose, public, not_after: None, possession });
		enrolment.sign();
		assert_ok!(enrolment.submit().unwrap());
		let possession = pair.sign(&payload(&der)).unwrap();
		assert_noop!(register(&der, &possession), Error::<Test>::AnchorKeyInUse);
	});
}

#[test]
fn a_p384_key_has_one_id_in_whichever_form_the_certificate_has_it() {
	let pair = p384::ecdsa::SigningKey::from_slice(&fixtures::P384_KEY).unwrap();
	let with_point = |is_compressed| {
		let point = pair.verifying_key().to_encoded_point(is_compressed);
		let mut certificate = Certificate::from_der(&fixtures::P384_ROOT).unwrap();
		let body = &mut certificate.tbs_certificate;
		body.subject_public_key_info.subject_public_key =
			BitString::from_bytes(point.as_bytes()).unwrap();
		let signature: p384::ecdsa::Signature = pair.sign(&body.to_der().unwrap());
		certificate.signature = BitString::from_bytes(signature.to_der().as_bytes()).unwrap();
		certificate.to_der().unwrap()
	};
	run(|| {
		let ids = [true, false].map(|is_compressed| {
			let der = with_point(is_compressed);
			let possession: p384::ecdsa::Signature = pair.sign(&payload(&der));
			assert_ok!(register(&der, &possession.to_bytes()));
			Dpki::anchor(AnchorId::of(ROOT, &der)).unwrap().key_id
		});
		assert_eq!(ids[0], ids[1]);
	});
}

#[test]
fn weak_keys_and_hashes_are_refused() {
	run(|| {
		assert_der_refused(&fixtures::RSA1024_ROOT, Error::CertificateKeyUnsupported);
		assert_der_refused(&fixtures::RSA2048_SHA1_ROOT, Error::CertificateAlgorithmUnsupported);
	});
}

#[test]
fn a_root_that_is_not_signed_by_its_own_key_is_refused() {
	run(|| {
		let (pair, another) = (ed25519(), ed25519());
		let issuer = Issuer::new(params(), &another);
		let der = params().signed_by(&pair, &issuer).unwrap().der().to_vec();
		assert_der_refused(&der, Error::CertificateSignatureInvalid);
	});
}

#[test]
fn every_algorithm_notices_a_changed_certificate() {
	run(|| {
		let serial = [0x35; 20];
		let mut changed = serial;
		changed[19] ^= 1;
		for algorithm in [&PKCS_ED25519, &PKCS_ECDSA_P256_SHA256, &PKCS_ECDSA_P384_SHA384] {
			let der = der(params(), &KeyPair::generate_for(algorithm).unwrap());
			let der = patched(&der, &serial, &changed);
			assert_der_refused(&der, Error::CertificateSignatureInvalid);
		}
		for root in [&fixtures::RSA2048_ROOT, &fixtures::RSA2048_SHA384_ROOT] {
			let der = patched(root, &[0xa0, 3, 2, 1, 2, 2, 1, 1], &[0xa0, 3, 2, 1, 2, 2, 1, 3]);
			assert_der_refused(&der, Error::CertificateSignatureInvalid);
		}
	});
}

#[test]
fn a_root_issued_under_another_name_is_refused() {
	run(|| {
		let (pair, another) = (ed25519(), ed25519());
		let mut issuing = params();
		issuing.distinguished_name.push(rcgen::DnType::OrganizationName, "another");
		let issuer = Issuer::new(issuing, &another);
		let der = params().signed_by(&pair, &issuer).unwrap().der().to_vec();
		assert_der_refused(&der, Error::CertificateNotSelfIssued);

		let nameless = params_with(|it| it.distinguished_name = rcgen::DistinguishedName::new());
		assert_der_refused(
			&super::certificates::der(nameless, &pair),
			Error::CertificateNameMissing,
		);
	});
}

#[test]
fn an_expired_root_is_refused_and_a_later_one_is_not_yet_valid() {
	run(|| {
		let pair = ed25519();
		let expired = params_with(|it| it.not_after = date_time_ymd(2026, 12, 31));
		let der_expired = der(expired, &pair);
		let possession = pair.sign(&payload(&der_expired)).unwrap();
		assert_noop!(register(&der_expired, &possession), Error::<Test>::CertificateExpired);

		let later = params_with(|it| it.not_before = date_time_ymd(2030, 1, 1));
		let der = der(later, &pair);
		assert_ok!(register(&der, &pair.sign(&payload(&der)).unwrap()));
		let anchor = AnchorId::of(ROOT, &der);
		assert_eq!(Dpki::anchor_status(anchor), Status::NotYetValid);
		// The last second belongs to the validity as a whole.
		set_time(2_208_988_800_999);
		assert_eq!(Dpki::anchor_status(anchor), Status::Valid);
		set_time(2_208_988_801_000);
		assert_eq!(Dpki::anchor_status(anchor), Status::Expired);
	});
}

#[test]
fn a_validity_that_ends_before_it_begins_is_refused() {
	run(|| {
		let backwards = params_with(|it| {
			it.not_before = date_time_ymd(2035, 1, 1);
			it.not_after = date_time_ymd(2034, 12, 31);
		});
		assert_der_refused(&der(backwards, &ed25519()), Error::CertificateValidityInvalid);
	});
}

#[test]
fn only_one_certificate_in_der_is_accepted() {
	run(|| {
		let good = der(params(), &ed25519());
		assert_der_refused(&[&good[..], &[0]].concat(), Error::CertificateMalformed);
		for len in 0..good.len() {
			assert_der_refused(&good[..len], Error::CertificateMalformed);
		}
		let pem = b"-----BEGIN CERTIFICATE-----\n";
		assert_der_refused(pem, Error::CertificateMalformed);
		// BER allows any octet but zero for TRUE, DER only 0xff.
		let key_usage_critical = [0x55, 0x1d, 0x0f, 1, 1, 0xff];
		let lax = patched(&good, &key_usage_critical, &[0x55, 0x1d, 0x0f, 1, 1, 1]);
		assert_der_refused(&lax, Error::CertificateMalformed);
	});
}

#[test]
fn the_inner_and_the_outer_algorithm_agree() {
	run(|| {
		let mut der = fixtures::RSA2048_ROOT;
		let sha256_with_rsa = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 0x0b];
		let outer = (0..der.len()).rfind(|at| der[*at..].starts_with(&sha256_with_rsa)).unwrap();
		der[outer + 8] = 0x0c;
		assert_der_refused(&der, Error::CertificateMalformed);
	});
}

#[test]
fn other_versions_are_refused() {
	run(|| {
		let good = der(params(), &ed25519());
		let version2 = patched(&good, &[0xa0, 3, 2, 1, 2], &[0xa0, 3, 2, 1, 1]);
		assert_der_refused(&version2, Error::CertificateVersionUnsupported);
	});
}

#[test]
fn a_serial_number_is_positive_and_at_most_20_octets_long() {
	run(|| {
		let with_serial = |serial: &[u8]| {
			let serial_number = Some(SerialNumber::from_slice(serial));
			der(params_with(|it| it.serial_number = serial_number), &ed25519())
		};
		let good = with_serial(&[5]);
		let negative = patched(&good, &[2, 1, 2, 2, 1, 5], &[2, 1, 2, 2, 1, 0x85]);
		for bad in [with_serial(&[0]), negative, with_serial(&[0x35; 21]), with_serial(&[0xff; 20])]
		{
			assert_der_refused(&bad, Error::CertificateSerialInvalid);
		}
		assert_der_refused(&with_serial(&[0x35; 22]), Error::CertificateMalformed);
	});
}

#[test]
fn a_certificate_that_is_no_authority_is_refused() {
	run(|| {
		let leaf = params_with(|it| it.is_ca = IsCa::ExplicitNoCa);
		assert_der_refused(&der(leaf, &ed25519()), Error::CertificateNotAuthority);
		let no_usage = params_with(|it| it.key_usages = Vec::new());
		assert_der_refused(&der(no_usage, &ed25519()), Error::CertificateNotAuthority);
		let wrong_usage = params_with(|it| it.key_usages = vec![KeyUsagePurpose::CrlSign]);
		assert_der_refused(&der(wrong_usage, &ed25519()), Error::CertificateNotAuthority);
	});
}

#[test]
fn the_marks_of_an_authority_are_critical() {
	run(|| {
		let identifier = (KEY_IDENTIFIER, false, &IDENTIFIER[..]);
		for critical in [(false, true), (true, false)] {
			let der = with_extensions(&[
				(BASIC_CONSTRAINTS, critical.0, &CA),
				(KEY_USAGE, critical.1, &KEY_CERT_SIGN),
				identifier,
			]);
			assert_der_refused(&der, Error::CertificateCriticalityInvalid);
		}
		let der = with_extensions(&[
			(BASIC_CONSTRAINTS, true, &CA),
			(KEY_USAGE, true, &KEY_CERT_SIGN),
			identifier,
		]);
		assert_der_refused(&der, Error::AnchorPossessionInvalid);
	});
}

#[test]
fn a_root_without_key_identifier_is_refused() {
	run(|| {
		let der =
			with_extensions(&[(BASIC_CONSTRAINTS, true, &CA), (KEY_USAGE, true, &KEY_CERT_SIGN)]);
		assert_der_refused(&der, Error::CertificateKeyIdentifierMissing);
	});
}

#[test]
fn an_unknown_critical_extension_is_refused_and_an_uncritical_one_is_not() {
	run(|| {
		let unknown = [1, 3, 6, 1];
		let with = |critical| {
			with_extensions(&[
				(BASIC_CONSTRAINTS, true, &CA),
				(KEY_USAGE, true, &KEY_CERT_SIGN),
				(KEY_IDENTIFIER, false, &IDENTIFIER),
				(unknown, critical, &[5, 0]),
			])
		};
		assert_der_refused(&with(true), Error::CertificateExtensionUnknown);
		assert_der_refused(&with(false), Error::AnchorPossessionInvalid);
	});
}

#[test]
fn an_extension_does_not_occur_twice() {
	run(|| {
		let der = with_extensions(&[
			(BASIC_CONSTRAINTS, true, &CA),
			(KEY_USAGE, true, &KEY_CERT_SIGN),
			(KEY_IDENTIFIER, false, &IDENTIFIER),
			(KEY_IDENTIFIER, false, &IDENTIFIER),
		]);
		assert_der_refused(&der, Error::CertificateExtensionRepeated);
	});
}

#[test]
fn a_malformed_extension_is_refused() {
	run(|| {
		let der = with_extensions(&[
			(BASIC_CONSTRAINTS, true, &[0x30, 3, 1, 1]),
			(KEY_USAGE, true, &KEY_CERT_SIGN),
			(KEY_IDENTIFIER, false, &IDENTIFIER),
		]);
		assert_der_refused(&der, Error::CertificateExtensionMalformed);
	});
}

#[test]
fn a_certificate_with_more_extensions_than_are_read_is_refused() {
	run(|| {
		let unknown: Vec<_> = (0..33).map(|n| ([1, 3, 6, n], false, &[5, 0][..])).collect();
		assert_der_refused(&with_extensions(&unknown), Error::CertificateTooComplex);
	});
}
