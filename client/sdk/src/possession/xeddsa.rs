//! XEdDSA on Curve25519: signatures by X25519 keys that verify as Ed25519 ones.
//!
//! Signal, "The XEdDSA and VXEdDSA Signature Schemes", revision 1, sections 2.2 to 2.4. The u-coordinate of an X25519 key
//! stands for two points of the Edwards curve; the one with sign bit 0 verifies.

use ed25519_dalek::{
	VerifyingKey,
	hazmat::{ExpandedSecretKey, raw_sign},
};
use rand_core::{OsRng, RngCore};
use sha2::{Digest, Sha512};
use zeroize::{Zeroize, Zeroizing};

/// Opens what `hash1` of the specification hashes: no point is encoded like this, so that no other use of SHA-512 in the
/// scheme can be given the same input.
const HASH1: [u8; 32] = {
	let mut prefix = [0xff; 32];
	prefix[0] = 0xfe;
	prefix
};

/// The signature `R || s` of the X25519 key with these secret bytes (RFC 7748) over `message`.
pub(super) fn sign(secret: &[u8; 32], message: &[u8]) -> [u8; 64] {
	let mut random = Zeroizing::new([0; 64]);
	OsRng.fill_bytes(&mut *random);
	let (key, public) = calculate_key_pair(secret, &random);
	raw_sign::<Sha512>(&key, message, &public).to_bytes()
}

/// The scalar whose point has sign bit 0, with what makes its nonces, and that point.
fn calculate_key_pair(secret: &[u8; 32], random: &[u8; 64]) -> (ExpandedSecretKey, VerifyingKey) {
	let mut bytes = Zeroizing::new([0; 64]);
	bytes[..32].copy_from_slice(secret);
	// Clamps the scalar as X25519 does.
	let mut key = ExpandedSecretKey::from_bytes(&bytes);
	if VerifyingKey::from(&key).as_bytes()[31] & 0x80 != 0 {
		key.scalar = -key.scalar;
	}
	// The nonce is the hash of this prefix and the message: two signatures share one only if the random bytes repeat and
	// the message is the same, and nobody who lacks the secret can compute it even if they know the random bytes.
	let mut digest = Sha512::new()
		.chain_update(HASH1)
		.chain_update(key.scalar.as_bytes())
		.chain_update(random)
		.finalize();
	key.hash_prefix.copy_from_slice(&digest[..32]);
	digest.as_mut_slice().zeroize();
	let public = VerifyingKey::from(&key);
	(key, public)
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::possession::AgreementKey;
	use curve25519_dalek::montgomery::MontgomeryPoint;
	use ed25519_dalek::Signature;

	/// Secrets of many keys, the same in every run.
	fn secrets() -> impl Iterator<Item = [u8; 32]> {
		(0u8..64).map(|seed| Sha512::digest([seed])[..32].try_into().unwrap())
	}

	/// The Ed25519 key that verifies for an X25519 key, computed as a verifier does who knows only its public half.
	fn convert(secret: &[u8; 32]) -> VerifyingKey {
		let public = AgreementKey::from_secret_bytes(secret).public();
		let u = MontgomeryPoint(public.bytes[..].try_into().unwrap());
		VerifyingKey::from(u.to_edwards(0).unwrap())
	}

	/// The sign bit of the point of the secret itself.
	fn sign_bit(secret: &[u8; 32]) -> u8 {
		let mut bytes = [0; 64];
		bytes[..32].copy_from_slice(secret);
		VerifyingKey::from(&ExpandedSecretKey::from_bytes(&bytes)).as_bytes()[31] >> 7
	}

	fn verifies(key: &VerifyingKey, message: &[u8], signature: &[u8; 64]) -> bool {
		key.verify_strict(message, &Signature::from_bytes(signature)).is_ok()
	}

	#[test]
	fn signatures_verify_strictly_under_the_converted_key() {
		let mut seen = [0; 2];
		for secret in secrets() {
			seen[usize::from(sign_bit(&secret))] += 1;
			let signature = sign(&secret, b"message");
			assert!(verifies(&convert(&secret), b"message", &signature), "{secret:?}");
			assert!(!verifies(&convert(&secret), b"another", &signature), "{secret:?}");
		}
		assert!(seen[0] > 0 && seen[1] > 0, "both sign bits are tried: {seen:?}");
	}

	#[test]
	fn the_public_point_is_the_one_that_the_conversion_gives() {
		for secret in secrets() {
			let (_, public) = calculate_key_pair(&secret, &[1; 64]);
			assert_eq!(public.as_bytes()[31] & 0x80, 0);
			assert_eq!(public, convert(&secret), "{secret:?}");
			let u = AgreementKey::from_secret_bytes(&secret).public();
			assert_eq!(public.to_montgomery().as_bytes()[..], u.bytes[..], "{secret:?}");
		}
	}

	#[test]
	fn the_signature_of_another_key_does_not_verify() {
		let secrets: Vec<_> = secrets().collect();
		for pair in secrets.windows(2) {
			let signature = sign(&pair[0], b"message");
			assert!(!verifies(&convert(&pair[1]), b"message", &signature));
		}
	}

	#[test]
	fn nonces_depend_on_the_secret_and_on_the_random_bytes() {
		let (secret, other) = ([1; 32], [2; 32]);
		let prefix =
			|secret: &[u8; 32], random: &[u8; 64]| calculate_key_pair(secret, random).0.hash_prefix;
		assert_eq!(prefix(&secret, &[1; 64]), prefix(&secret, &[1; 64]));
		assert_ne!(prefix(&secret, &[1; 64]), prefix(&secret, &[2; 64]));
		assert_ne!(prefix(&secret, &[1; 64]), prefix(&other, &[1; 64]));
		assert_ne!(sign(&secret, b"message"), sign(&secret, b"message"));
	}
}
