//! The vectors of the one status function, over records that are proven.

use crate::kit::*;
use codec::Encode;
use dpki_primitives::{
	storage_keys,
	vectors::{self, ANCHOR, DEVICE, KEY, Told},
};
use dpki_verifier::{Freshness, Query};
use sp_core::storage::StateVersion;

#[test]
fn the_vectors_hold_for_what_is_proven() {
	let words = vectors::judge(
		|_| true,
		|told, now| {
			let mut entries = told.state();
			entries.insert(storage_keys::now(), now.encode());
			let query = match &told {
				Told::Anchor(_) => Query::new().anchor(ANCHOR),
				Told::Device(_) => Query::new().device(DEVICE),
				Told::Key(..) => Query::new().device(DEVICE).key(KEY),
				Told::Member { proof, .. } => Query::new().member(proof),
			};
			let world = World::with(4, entries, StateVersion::V1);
			let bundle = world.answer(&query).encode();
			let mut verifier = world.verifier();
			let verified = verifier.verify(&bundle, &query, Freshness::without_clock()).unwrap();
			match told {
				Told::Anchor(_) => verified.anchor_status(ANCHOR),
				Told::Device(_) => verified.device_status(DEVICE),
				Told::Key(..) => verified.key_status(KEY),
				Told::Member { proof, .. } => verified.member_status(&proof),
			}
			.unwrap()
		},
	);
	assert_eq!(words.len(), 8, "each verdict is given: {words:?}");
}
