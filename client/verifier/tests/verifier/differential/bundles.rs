//! Whole bundles, against all of the others together.

use super::{
	Remembering, Tally,
	justifications::{by_node, by_smoldot},
	name,
	proofs::{Values, by_smoldot_trie, by_state_machine},
};
use crate::kit::*;
use codec::DecodeAll;
use dpki_verifier::{Query, Verifier};
use sp_consensus_grandpa::{ConsensusLog, GRANDPA_ENGINE_ID};
use sp_core::storage::StateVersion;
use sp_runtime::{generic::OpaqueDigestItemId, traits::Header as _};
use std::collections::BTreeMap;

/// Of these, seven of eight are damaged.
const CASES: usize = 26_000;

/// How many of the cases have to differ from an honest one. With those of the other tests: more than 100,000.
const LEAST_DAMAGED: usize = 22_000;

/// What the other implementations say together about the bytes of a bundle.
fn by_others(world: &World, bytes: &[u8], query: &Query) -> Option<Values> {
	type Form = (u8, Vec<(Header, Justification)>, Header, Justification, Vec<Vec<u8>>);
	let (1, fragments, header, justification, proof) = Form::decode_all(&mut &bytes[..]).ok()?
	else {
		return None;
	};
	let mut keys = world.keys.clone();
	let mut set_id = world.set_id;
	for (header, justification) in &fragments {
		let now = World {
			keys: keys.clone(),
			set_id,
			..World::with(1, BTreeMap::new(), StateVersion::V1)
		};
		let target = (header.hash(), header.number);
		if !by_smoldot(&now, target, justification) || !by_node(&now, target, justification) {
			return None;
		}
		let next = header.digest().convert_first(|item| {
			item.try_to(OpaqueDigestItemId::Consensus(&GRANDPA_ENGINE_ID)).and_then(
				|log: ConsensusLog<u32>| match log {
					ConsensusLog::ScheduledChange(change) => Some(change),
					_ => None,
				},
			)
		})?;
		keys = (0..20)
			.flat_map(|from| crate::kit::keys(from, 1))
			.filter(|key| next.next_authorities.contains(&(authority_id(key), 1)))
			.collect();
		set_id += 1;
	}
	let now = World { keys, set_id, ..World::with(1, BTreeMap::new(), StateVersion::V1) };
	let target = (header.hash(), header.number);
	if !by_smoldot(&now, target, &justification) || !by_node(&now, target, &justification) {
		return None;
	}
	let values = by_state_machine(&header.state_root.0, &proof, query.keys())?;
	assert_eq!(Some(&values), by_smoldot_trie(&header.state_root.0, &proof, query.keys()).as_ref());
	Some(values)
}

#[test]
fn no_damaged_bundle_is_believed() {
	let mut random = Random(3);
	let mut tally = Tally::default();
	let remembering = Remembering::default();
	let world = World::with(4, registry(5), StateVersion::V1);
	let query = drone_query();
	let plain = world.answer(&query);
	let mut late = plain.clone();
	let hand_over = world.block(15, &change_to(&keys(1, 4)));
	late.fragments = vec![(hand_over.clone(), justify(&world.keys, world.set_id, &hand_over))];
	late.justification = justify(&keys(1, 4), world.set_id + 1, &late.header);
	let bundles = [plain.encode(), late.encode()];
	for case in 0..CASES {
		let honest = &bundles[case % 2];
		let mut bytes = honest.clone();
		for _ in 0..random.damages() {
			let place = random.below(bytes.len());
			match random.below(6) {
				0 => bytes[place] = random.next() as u8,
				1 => drop(bytes.remove(place)),
				2 => bytes.insert(place, random.next() as u8),
				3 => bytes.truncate(place),
				4 => {
					let from = random.below(honest.len());
					let piece = &honest[from..(from + random.below(140)).min(honest.len())];
					bytes.splice(place..place, piece.iter().copied());
				},
				_ => bytes[place] ^= 1 << random.below(8),
			}
			if bytes.is_empty() {
				break;
			}
		}
		tally.count_damaged(&bytes != honest);
		let mut verifier = Verifier::new(world.checkpoint.clone(), &remembering);
		let ours = verifier.verify(&bytes, &query, fresh());
		match ours {
			Ok(verified) => {
				tally.count("accepted");
				let values: Values = query
					.keys()
					.iter()
					.map(|key| verified.value(key).unwrap().map(<[u8]>::to_vec))
					.collect();
				assert_eq!(Some(values), by_others(&world, &bytes, &query), "case {case}");
				assert_eq!(&bytes, honest, "case {case}: another form of the same bundle");
			},
			Err(error) => {
				assert_ne!(&bytes, honest, "case {case}: an honest bundle is refused: {error}");
				tally.count("refused");
				tally.count(format!("refused as {}", name(&error)));
				if by_others(&world, &bytes, &query).is_some() {
					tally.count(format!("refused as {}, accepted by the others", name(&error)));
				}
			},
		}
	}
	tally.print("bundles");
	assert!(tally.get("damaged") >= LEAST_DAMAGED, "too few were damaged");
	assert!(tally.get("accepted") > 1000);
	assert!(tally.get("refused") > CASES / 2);
}
