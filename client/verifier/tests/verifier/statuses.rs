//! The vectors of the one status function and those of the levels, over records that are proven.

use crate::kit::*;
use codec::Encode;
use dpki_primitives::{
	assessment::assessment_keys,
	storage_keys,
	vectors::{self, ANCHOR, CERTIFICATE, DEVICE, KEY, Told, levels},
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
				Told::Certificate { record, .. } => {
					assessment_keys(CERTIFICATE, record.as_ref(), &[])
						.into_iter()
						.fold(Query::new().certificate(CERTIFICATE), Query::storage_key)
				},
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
				Told::Certificate { .. } => verified.certificate_status(CERTIFICATE),
				Told::Member { proof, .. } => verified.member_status(&proof),
			}
			.unwrap()
		},
	);
	assert_eq!(words.len(), 8, "each verdict is given: {words:?}");
}

#[test]
fn the_vectors_of_levels_hold_for_what_is_proven() {
	levels::judge(|case| {
		let mut entries = case.state();
		entries.insert(storage_keys::now(), case.now.encode());
		let world = World::with(4, entries, StateVersion::V1);
		let mut query = Query::new().certificate(CERTIFICATE);
		loop {
			let bundle = world.answer(&query).encode();
			let mut verifier = world.verifier();
			let verified = verifier.verify(&bundle, &query, Freshness::without_clock()).unwrap();
			match verified.next_query().unwrap() {
				Some(next) => query = next,
				None => {
					let found = verified.certificate(CERTIFICATE).unwrap().into_option();
					assert_eq!(found.as_ref().map(|found| found.record.clone()), case.record());
					break found.map(|found| found.assessment);
				},
			}
		}
	});
}
