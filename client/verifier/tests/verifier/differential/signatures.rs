//! Signatures, against `sp-core`, which is what the chain uses.

use codec::Decode;
use dpki_verifier::{Ed25519, Zebra};
use sp_consensus_grandpa::{AuthorityId, AuthoritySignature};

/// Encodings of points of small order, canonical and not: where implementations of Ed25519 differ.
#[test]
fn signatures_are_judged_as_the_chain_judges_them() {
	let mut small_order: Vec<[u8; 32]> = vec![[0; 32], [0; 32], [0xff; 32]];
	small_order[1][0] = 1;
	small_order[2][31] = 0x7f;
	for low in [0xec, 0xed, 0xee] {
		for high in [0x7f, 0xff] {
			let mut point = [0xff; 32];
			(point[0], point[31]) = (low, high);
			small_order.push(point);
		}
	}
	let mut accepted = 0;
	for public in &small_order {
		for commitment in &small_order {
			let mut signature = [0; 64];
			signature[..32].copy_from_slice(commitment);
			let ours = Zebra.verify(public, b"message", &signature);
			let id = AuthorityId::decode(&mut &public[..]).unwrap();
			let chain = AuthoritySignature::decode(&mut &signature[..]).unwrap();
			let chain: sp_core::ed25519::Signature = chain.into();
			let theirs =
				<sp_core::ed25519::Pair as sp_core::Pair>::verify(&chain, b"message", &id.into());
			assert_eq!(ours, theirs);
			accepted += usize::from(ours);
		}
	}
	assert!(accepted > 0, "ZIP-215 accepts some of these");
}
