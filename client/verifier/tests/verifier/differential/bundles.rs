//! Whole bundles, against all of the others together.
//!
//! The justification of each authority-set change and of the head is judged by `smoldot`, by the rules of a node and by
//! the bridge in its strict mode, each with the set that has to have made it; the proof by `sp-state-machine` and
//! `smoldot`.

use super::{
	Remembering, Tally,
	justifications::{
		by_bridge, by_bridge_but_for_surplus, by_node, by_smoldot, damage as damage_justification,
		thin,
	},
	name,
	proofs::{Values, by_smoldot_trie, by_state_machine},
};
use crate::kit::*;
use codec::DecodeAll;
use dpki_verifier::{Query, Verifier};
use ed25519_zebra::SigningKey;
use sp_consensus_grandpa::{ConsensusLog, GRANDPA_ENGINE_ID};
use sp_core::{H256, storage::StateVersion};
use sp_runtime::{generic::OpaqueDigestItemId, traits::Header as _};
use std::collections::BTreeMap;

/// Of these, seven of eight are damaged.
const CASES: usize = 30_000;

/// How many of the cases have to differ from an honest one. With those of the other tests: more than 100,000.
const LEAST_DAMAGED: usize = 22_000;

/// A world of which only the authorities count.
fn governed_by(keys: Vec<SigningKey>, set_id: u64) -> World {
	World { keys, set_id, ..World::with(1, BTreeMap::new(), StateVersion::V1) }
}

/// Whether each of the others takes this block for finalised, and the bridge without any reservation.
struct Finality {
	by_all: bool,
	by_strict_bridge: bool,
}

impl Finality {
	fn of(now: &World, header: &Header, justification: &Justification) -> Self {
		let target = (header.hash(), header.number);
		let by_strict_bridge = by_bridge(now, target, justification).is_ok();
		let by_all = (by_strict_bridge || by_bridge_but_for_surplus(now, target, justification))
			&& by_smoldot(now, target, justification)
			&& by_node(now, target, justification);
		Self { by_all, by_strict_bridge }
	}
}

/// What the other implementations say together about the bytes of a bundle: the values, and whether the bridge has no
/// reservation about any of its justifications.
fn by_others(world: &World, bytes: &[u8], query: &Query) -> Option<(Values, bool)> {
	type Form = (u8, Vec<(Header, Justification)>, Header, Justification, Vec<Vec<u8>>);
	let (1, fragments, header, justification, proof) = Form::decode_all(&mut &bytes[..]).ok()?
	else {
		return None;
	};
	let mut keys = world.keys.clone();
	let mut set_id = world.set_id;
	let mut by_strict_bridge = true;
	for (header, justification) in &fragments {
		let finality = Finality::of(&governed_by(keys.clone(), set_id), header, justification);
		if !finality.by_all {
			return None;
		}
		by_strict_bridge &= finality.by_strict_bridge;
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
	let finality = Finality::of(&governed_by(keys, set_id), &header, &justification);
	if !finality.by_all {
		return None;
	}
	let values = by_state_machine(&header.state_root.0, &proof, query.keys())?;
	let others = by_smoldot_trie(&header.state_root.0, &proof, query.keys())?;
	assert_eq!(values, others);
	Some((values, by_strict_bridge && finality.by_strict_bridge))
}

/// A bundle and who has to have finalised its head.
struct Honest {
	parts: Parts,
	bytes: Vec<u8>,
	governed: World,
}

impl Honest {
	fn new(parts: Parts, governed: World) -> Self {
		Self { bytes: parts.encode(), parts, governed }
	}
}

/// An answer of the set of the checkpoint and one of the set after it, each with all votes and with those that are
/// needed.
fn honest(world: &World, query: &Query) -> Vec<Honest> {
	let first = || governed_by(world.keys.clone(), world.set_id);
	let second = || governed_by(keys(1, 4), world.set_id + 1);
	let plain = world.answer(query);
	let mut late = plain.clone();
	let hand_over = world.block(15, &change_to(&keys(1, 4)));
	late.fragments = vec![(hand_over.clone(), justify(&world.keys, world.set_id, &hand_over))];
	late.justification = justify(&keys(1, 4), world.set_id + 1, &late.header);
	let thinned = |parts: &Parts, governed: &World| {
		let mut parts = parts.clone();
		for (_, justification) in &mut parts.fragments {
			*justification = thin(world, justification);
		}
		parts.justification = thin(governed, &parts.justification);
		parts
	};
	let (thin_plain, thin_late) = (thinned(&plain, &first()), thinned(&late, &second()));
	vec![
		Honest::new(plain, first()),
		Honest::new(late, second()),
		Honest::new(thin_plain, first()),
		Honest::new(thin_late, second()),
	]
}

/// Damages the bytes of a bundle.
fn damage_bytes(bytes: &mut Vec<u8>, honest: &[u8], random: &mut Random) {
	if bytes.is_empty() {
		return;
	}
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
}

/// Damages one part of a bundle and leaves the form of all whole, so that what comes after it is looked at, too.
fn damage_part(
	world: &World,
	honest: &Honest,
	other: &Parts,
	parts: &mut Parts,
	random: &mut Random,
) {
	match random.below(10) {
		0..=3 => {
			let header = parts.header.clone();
			damage_justification(&honest.governed, &header, &mut parts.justification, random);
		},
		4 | 5 => match parts.fragments.first_mut() {
			Some((header, justification)) => {
				damage_justification(world, header, justification, random);
			},
			None => parts.fragments.clone_from(&other.fragments),
		},
		6 => {
			// A forged header beside votes that are real, and a target that says so or does not.
			parts.header.state_root = H256::from_slice(&random.bytes(32));
			if random.below(2) == 0 {
				parts.justification.commit.target_hash = parts.header.hash();
			}
		},
		7 => match random.below(3) {
			0 => parts.justification = other.justification.clone(),
			1 => parts.fragments.clone_from(&other.fragments),
			_ => parts.fragments.clear(),
		},
		_ => {
			let nodes = &mut parts.proof;
			let place = random.below(nodes.len());
			match random.below(4) {
				0 if !nodes.is_empty() => drop(nodes.remove(place)),
				1 if !nodes.is_empty() => nodes.push(nodes[place].clone()),
				2 if !nodes.is_empty() => {
					let byte = random.below(nodes[place].len());
					nodes[place][byte] ^= 1 << random.below(8);
				},
				_ => nodes.push(random.bytes(40)),
			}
		},
	}
}

#[test]
fn no_damaged_bundle_is_believed() {
	let mut random = Random(3);
	let mut tally = Tally::default();
	let remembering = Remembering::default();
	let world = World::with(4, registry(5), StateVersion::V1);
	let query = drone_query();
	let bundles = honest(&world, &query);
	for case in 0..CASES {
		let which = case % bundles.len();
		let honest = &bundles[which];
		let in_bytes = random.below(2) == 0;
		let mut bytes = honest.bytes.clone();
		let mut parts = honest.parts.clone();
		for _ in 0..random.damages() {
			if in_bytes {
				damage_bytes(&mut bytes, &honest.bytes, &mut random);
			} else {
				let other = &bundles[which ^ 1].parts;
				damage_part(&world, honest, other, &mut parts, &mut random);
				bytes = parts.encode();
			}
		}
		tally.count_damaged(bytes != honest.bytes);
		let others = by_others(&world, &bytes, &query);
		let mut verifier = Verifier::new(world.checkpoint.clone(), &remembering);
		match verifier.verify(&bytes, &query, fresh()) {
			Ok(verified) => {
				tally.count("accepted");
				let values: Values = query
					.keys()
					.iter()
					.map(|key| verified.value(key).unwrap().map(<[u8]>::to_vec))
					.collect();
				let (theirs, by_strict_bridge) =
					others.unwrap_or_else(|| panic!("case {case}: one of the others refuses"));
				assert_eq!(values, theirs, "case {case}");
				if by_strict_bridge {
					tally.count("accepted, by the bridge too");
				} else {
					tally.count("accepted, not by the bridge: more votes than needed");
				}
				let is_another_form = in_bytes && bytes != honest.bytes;
				assert!(!is_another_form, "case {case}: another form of the same bundle");
			},
			Err(error) => {
				assert_ne!(
					bytes, honest.bytes,
					"case {case}: an honest bundle is refused: {error}"
				);
				tally.count("refused");
				tally.count(format!("refused as {}", name(&error)));
				if others.is_some() {
					tally.count(format!("refused as {}, accepted by the others", name(&error)));
				}
			},
		}
	}
	tally.print("bundles");
	assert!(tally.get("damaged") >= LEAST_DAMAGED, "too few were damaged");
	assert!(tally.get("accepted, by the bridge too") > 1000);
	assert!(tally.get("accepted, not by the bridge: more votes than needed") > 1000);
	assert!(tally.get("refused") > CASES / 2);
	// Where we are stricter than all of them together, and on purpose.
	for what in tally.0.keys().filter(|what| what.ends_with("accepted by the others")) {
		// They look at what they need of a proof, and do not mind what is beside it.
		let known = ["refused as NodeSurplus, accepted by the others"];
		assert!(known.contains(&&what[..]), "unexplained: {what}");
	}
}
