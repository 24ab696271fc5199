//! Entries of rolls over which verifiers of Ed25519 can differ.
//!
//! Their keys have a part of small order: `A = aB + T`. Of a signature under such a key the equation with the cofactor holds,
//! and without it only by chance, one time in eight. A verifier that compares without it, one by one or in batches, would
//! refuse what the rule of the chain (`dpki_crypto::ed25519`) accepts, and the chain would divide.

use codec::Encode;
use curve25519_dalek::{
	EdwardsPoint, Scalar, constants::EIGHT_TORSION, edwards::CompressedEdwardsY,
};
use dpki_client::fleet::roll::{RollEntry, RollTerms};
use dpki_primitives::{Moment, ids::FleetId};
use sha2::{Digest, Sha512};
use sp_crypto_hashing::blake2_256;

/// The key and the signature for a place of a roll, with a part of small order of each kind in turns.
pub fn entry(
	genesis: [u8; 32],
	fleet: FleetId,
	terms: &RollTerms,
	place: u32,
	expires_at: Moment,
) -> RollEntry {
	let payload = terms.possession(genesis, fleet, place, expires_at).payload();
	let secret = |use_of: &str| {
		let half = |part: u8| blake2_256(&("dpki-bench odd", use_of, fleet, place, part).encode());
		let wide: Vec<u8> = [half(0), half(1)].concat();
		Scalar::from_bytes_mod_order_wide(&wide.try_into().expect("two hashes are 64 bytes"))
	};
	let torsion = EIGHT_TORSION[place as usize % EIGHT_TORSION.len()];
	let (a, r) = (secret("key"), secret("nonce"));
	let key = (EdwardsPoint::mul_base(&a) + torsion).compress();
	let point = EdwardsPoint::mul_base(&r).compress();
	let s = r + challenge(&point, &key, &payload) * a;
	let mut possession = [0; 64];
	possession[..32].copy_from_slice(point.as_bytes());
	possession[32..].copy_from_slice(s.as_bytes());
	RollEntry { key: key.to_bytes(), possession }
}

/// Makes the signature one that every verifier refuses, and only after the arithmetic.
pub fn spoil(entry: &mut RollEntry) {
	entry.possession[32] ^= 1;
}

/// RFC 8032 section 5.1.7: `SHA-512(R || A || M)`.
fn challenge(point: &CompressedEdwardsY, key: &CompressedEdwardsY, message: &[u8]) -> Scalar {
	let hash = Sha512::new()
		.chain_update(point.as_bytes())
		.chain_update(key.as_bytes())
		.chain_update(message);
	Scalar::from_bytes_mod_order_wide(&hash.finalize().into())
}

#[cfg(test)]
mod tests {
	use super::*;
	use dpki_crypto::{Pure, ed25519};
	use dpki_primitives::{key::KeyPurpose, status::Validity};

	#[test]
	fn the_rule_of_the_chain_accepts_what_a_strict_one_refuses() {
		let terms = RollTerms {
			purpose: KeyPurpose::Tls,
			validity: Validity { not_before: 0, not_after: None },
		};
		let fleet = FleetId([3; 32]);
		let mut strict = 0;
		for place in 0..64 {
			let payload = terms.possession([7; 32], fleet, place, 9).payload();
			let mut entry = entry([7; 32], fleet, &terms, place, 9);
			let judged = |it: &RollEntry| ed25519::verify(&Pure, &it.key, &payload, &it.possession);
			assert!(judged(&entry), "{place}");
			let key = ed25519_dalek::VerifyingKey::from_bytes(&entry.key).expect("a point");
			let signature = ed25519_dalek::Signature::from_bytes(&entry.possession);
			strict += u32::from(key.verify_strict(&payload, &signature).is_ok());
			spoil(&mut entry);
			assert!(!judged(&entry), "{place}");
		}
		assert!(strict < 32, "{strict} of 64 have nothing odd about them");
	}
}
