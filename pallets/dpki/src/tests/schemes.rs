//! The signature schemes by themselves.

use super::mock::*;
use crate::crypto::{self, Ed25519, Scheme};
use dpki_primitives::key::{KeyType, PublicKey};

#[test]
fn each_scheme_accepts_its_own_signatures_and_no_others() {
	for key_type in KeyType::ALL.into_iter().filter(|it| !it.is_hash()) {
		let pair = Pair::new(key_type, 1);
		let public = pair.public();
		let signature = pair.sign(b"message");
		assert!(crypto::verify(&public, b"message", &signature), "{key_type:?}");
		assert!(!crypto::verify(&public, b"massage", &signature), "{key_type:?}");
		let another = Pair::new(key_type, 2).public();
		assert!(!crypto::verify(&another, b"message", &signature), "{key_type:?}");
		for at in 0..signature.len() {
			let mut changed = signature.clone();
			changed[at] ^= 1;
			assert!(!crypto::verify(&public, b"message", &changed), "{key_type:?} at {at}");
		}
		for len in [0, signature.len() - 1] {
			assert!(!crypto::verify(&public, b"message", &signature[..len]), "{key_type:?}");
		}
		let longer = [&signature[..], &[0]].concat();
		assert!(!crypto::verify(&public, b"message", &longer), "{key_type:?}");
	}
}

#[test]
fn no_key_that_anybody_holds_is_well_formed() {
	let mut neutral = [0u8; 32];
	neutral[0] = 1;
	let forged = [&neutral[..], &[0; 32]].concat();
	for (first, rest) in [(0, 0), (1, 0), (0xec, 0xff), (0xed, 0xff), (0xee, 0xff)] {
		for sign in [0x7f, 0xff] {
			let mut bytes = [rest; 32];
			bytes[0] = first;
			bytes[31] = (rest & 0x7f) | (!0x7f & sign);
			let key = PublicKey::new(KeyType::Ed25519, &bytes).unwrap();
			assert!(!crypto::is_well_formed(&key), "{bytes:?}");
			assert!(!Ed25519::verify(&bytes, b"message", &forged), "{bytes:?}");
			let key = PublicKey::new(KeyType::X25519, &bytes).unwrap();
			assert!(!crypto::is_well_formed(&key), "{bytes:?}");
		}
	}
	for (key_type, bytes) in [
		(KeyType::Ed25519, "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
		(KeyType::Ed25519, "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
		(KeyType::X25519, "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
		(KeyType::X25519, "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
		(KeyType::Sr25519, "0000000000000000000000000000000000000000000000000000000000000000"),
	] {
		let bytes: dpki_primitives::ids::KeyId = bytes.parse().unwrap();
		let key = PublicKey::new(key_type, &bytes.0).unwrap();
		assert!(!crypto::is_well_formed(&key), "{bytes}");
	}
}

/// What the list is for: without it the host takes a forged signature for good.
#[test]
fn the_host_accepts_a_forgery_under_a_key_of_small_order() {
	let mut neutral = [0u8; 32];
	neutral[0] = 1;
	let forged = [&neutral[..], &[0; 32]].concat().try_into().unwrap();
	assert!(sp_io::crypto::ed25519_verify(
		&sp_core::ed25519::Signature::from_raw(forged),
		b"any message",
		&sp_core::ed25519::Public::from_raw(neutral),
	));
}

#[test]
fn a_compressed_point_starts_with_its_tag() {
	for key_type in [KeyType::P256, KeyType::Secp256k1] {
		let mut key = Pair::new(key_type, 1).public();
		assert!(crypto::is_well_formed(&key));
		key.bytes[0] = 4;
		assert!(!crypto::is_well_formed(&key));
	}
}
