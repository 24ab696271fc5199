//! The signing side of XEdDSA, written from section 2 of its specification with the arithmetic of the curve alone, so
//! that what the registry verifies is held against something else than itself.

use crate::crypto::{self, Ed25519, Scheme, XEdDsa};
use curve25519_dalek::{EdwardsPoint, MontgomeryPoint, Scalar, scalar::clamp_integer};
use dpki_primitives::key::{KeyType, PublicKey};
use hex_literal::hex;
use rsa::sha2::{Digest, Sha512};

/// The public key of this X25519 secret.
pub fn public(secret: &[u8; 32]) -> [u8; 32] {
	MontgomeryPoint::mul_base_clamped(*secret).to_bytes()
}

/// `xeddsa_sign(k, M, Z)`.
pub fn sign(secret: &[u8; 32], message: &[u8], random: &[u8; 64]) -> [u8; 64] {
	let k = Scalar::from_bytes_mod_order(clamp_integer(*secret));
	let mut public = EdwardsPoint::mul_base(&k).compress().to_bytes();
	let a = if public[31] & 0x80 == 0 { k } else { -k };
	public[31] &= 0x7f;

	// hash_1: 2^256 - 2 in little-endian order keeps the nonce apart from every other hash.
	let mut prefix = [0xff; 32];
	prefix[0] = 0xfe;
	let r = reduced_hash(&[&prefix, a.as_bytes(), message, random]);
	let commitment = EdwardsPoint::mul_base(&r).compress().to_bytes();
	let h = reduced_hash(&[&commitment, &public, message]);
	let s = r + h * a;
	[commitment, s.to_bytes()].concat().try_into().expect("twice 32 bytes")
}

fn reduced_hash(parts: &[&[u8]]) -> Scalar {
	let mut hash = Sha512::new();
	parts.iter().for_each(|part| hash.update(part));
	Scalar::from_bytes_mod_order_wide(&hash.finalize().into())
}

/// A secret, its public key, and its signature over `a message` with 64 times 7 as randomness, computed with integers
/// in Python. The Edwards form of the first (Bob's key of RFC 7748 section 6.1) has sign bit 1, that of the second 0.
const KNOWN: [([u8; 32], [u8; 32], [u8; 64]); 2] = [
	(
		hex!("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"),
		hex!("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"),
		hex!(
			"5ed0a48e3e5ef4fea7b210f4078d5b28aa2d9e1873d76c8e6b9bfc962f1da088"
			"b6ab2c008d816a848f4744f2a32146835af64f3c7899cae28b31cf90ca7f9b0c"
		),
	),
	(
		[1; 32],
		hex!("a4e09292b651c278b9772c569f5fa9bb13d906b46ab68c9df9dc2b4409f8a209"),
		hex!(
			"7956c164aa9fbb59afb99cc220374865ad0eac74e601cdba80feedfae8fd4919"
			"63a5be3e0d3ae77ed9fd1c1b3de503606932c9604e5847d31ce9ade4a2812506"
		),
	),
];

#[test]
fn known_signatures_are_made_and_verified() {
	for (secret, expected_public, expected_signature) in KNOWN {
		assert_eq!(public(&secret), expected_public);
		assert_eq!(sign(&secret, b"a message", &[7; 64]), expected_signature);
		assert!(XEdDsa::verify(&expected_public, b"a message", &expected_signature));
	}
}

#[test]
fn a_signature_by_another_key_or_over_another_message_is_refused() {
	let [(_, first, signature), (_, second, _)] = KNOWN;
	assert!(XEdDsa::verify(&first, b"a message", &signature));
	assert!(!XEdDsa::verify(&second, b"a message", &signature));
	assert!(!XEdDsa::verify(&first, b"b message", &signature));
	assert!(!XEdDsa::verify(&first, b"a message", &[0; 64]));
}

#[test]
fn no_bit_of_a_signature_can_be_changed() {
	for (_, public, signature) in KNOWN {
		for bit in 0..512 {
			let mut changed = signature;
			changed[bit / 8] ^= 1 << (bit % 8);
			assert!(!XEdDsa::verify(&public, b"a message", &changed), "bit {bit}");
		}
		assert!(!XEdDsa::verify(&public, b"a message", &signature[..63]));
		assert!(!XEdDsa::verify(&public, b"a message", &[&signature[..], &[0]].concat()));
	}
}

#[test]
fn the_edwards_form_with_sign_bit_0_verifies_what_the_agreement_key_signed() {
	for (_, public, signature) in KNOWN {
		let mut edwards = MontgomeryPoint(public).to_edwards(0).unwrap().compress().to_bytes();
		assert_eq!(edwards[31] & 0x80, 0);
		assert!(Ed25519::verify(&edwards, b"a message", &signature));
		edwards[31] ^= 0x80;
		assert!(!Ed25519::verify(&edwards, b"a message", &signature));
	}
}

#[test]
fn a_point_of_the_twist_verifies_nothing() {
	let mut twist = [0; 32];
	twist[0] = 2;
	assert!(MontgomeryPoint(twist).to_edwards(0).is_none());
	assert!(!XEdDsa::verify(&twist, b"a message", &KNOWN[0].2));
}

#[test]
fn an_agreement_key_has_one_encoding() {
	let is_well_formed = |bytes: [u8; 32]| {
		crypto::is_well_formed(&PublicKey::new(KeyType::X25519, &bytes).expect("32 bytes"))
	};
	for (_, mut public, signature) in KNOWN {
		assert!(is_well_formed(public));
		// Agreement ignores the top bit, so this is the same key.
		public[31] |= 0x80;
		assert!(!is_well_formed(public));
		assert!(!XEdDsa::verify(&public, b"a message", &signature));
	}
	// The elements of the field end at 2^255 - 20 (0xec), which is of small order; the one before it is a key, and
	// whatever lies above encodes another element once more.
	let below = |first: u8| {
		let mut bytes = [0xff; 32];
		(bytes[0], bytes[31]) = (first, 0x7f);
		bytes
	};
	assert!(is_well_formed(below(0xeb)));
	for first in 0xec..=0xff {
		assert!(!is_well_formed(below(first)), "{first:#x}");
	}
}
