//! What a server of bundles leaves of a justification.

use crate::{
	differential::justifications::{by_bridge, by_node, by_smoldot},
	kit::*,
};
use codec::{DecodeAll, Encode};
use dpki_verifier::{Error, Part, thin_justification};
use sp_core::H256;

fn thin(world: &World, justification: &Justification) -> Justification {
	let threshold = world.checkpoint.set.threshold();
	let bytes = thin_justification(&justification.encode(), threshold).unwrap();
	Justification::decode_all(&mut &bytes[..]).unwrap()
}

/// A world of four, an honest answer, and a block on top of its head.
fn world() -> (World, Parts, Header) {
	let world = World::new(4);
	let parts = world.answer(&drone_query());
	let above = header(21, parts.header.hash(), H256::zero(), &[]);
	(world, parts, above)
}

#[test]
fn an_equivocation_in_an_honest_justification_is_taken_out() {
	let (world, parts, above) = world();
	let elsewhere = header(20, H256::repeat_byte(0x99), H256::zero(), &[]);
	let target = (parts.header.hash(), 20);
	for (block, shown) in [(&above, true), (&elsewhere, false)] {
		let mut parts = parts.clone();
		let key = &world.keys[2];
		let second = vote(key, block.hash(), block.number, ROUND, world.set_id);
		parts.justification.commit.precommits.insert(1, second);
		if shown {
			parts.justification.votes_ancestries.push(block.clone());
			assert!(by_node(&world, target, &parts.justification), "honest nodes make this");
		}
		let refused = Err(Error::RepeatedVote { authority: public(key) });
		assert_eq!(world.verdict(&parts, &drone_query()).map(|_| ()), refused);
		parts.justification = thin(&world, &parts.justification);
		assert!(world.verdict(&parts, &drone_query()).is_ok());
	}
}

#[test]
fn what_is_left_satisfies_everybody() {
	let (world, mut parts, above) = world();
	let target = (parts.header.hash(), 20);
	let key = &world.keys[0];
	parts.justification.commit.precommits[0] = vote(key, above.hash(), 21, ROUND, world.set_id);
	parts.justification.votes_ancestries = vec![above];
	// Without thinning there is one vote too many for the bridge.
	assert!(by_bridge(&world, target, &parts.justification).is_err());
	let thinned = thin(&world, &parts.justification);
	assert_eq!(thinned.commit.precommits.len(), 3);
	assert!(thinned.votes_ancestries.is_empty());
	assert_eq!(by_bridge(&world, target, &thinned), Ok(()));
	assert!(by_smoldot(&world, target, &thinned));
	assert!(by_node(&world, target, &thinned));
}

#[test]
fn headers_that_are_needed_are_kept() {
	let (world, mut parts, above) = world();
	let higher = header(22, above.hash(), H256::zero(), &[]);
	let unused = header(22, above.hash(), H256::repeat_byte(1), &[]);
	parts.justification.commit.precommits.truncate(2);
	let vote = vote(&world.keys[2], higher.hash(), 22, ROUND, world.set_id);
	parts.justification.commit.precommits.push(vote);
	parts.justification.votes_ancestries =
		vec![unused, higher.clone(), above.clone(), parts.header.clone(), above.clone()];
	assert!(world.verdict(&parts, &drone_query()).is_err());
	parts.justification = thin(&world, &parts.justification);
	assert_eq!(parts.justification.votes_ancestries, [higher, above]);
	assert!(world.verdict(&parts, &drone_query()).is_ok());
}

#[test]
fn an_equivocator_alone_does_not_finalise() {
	let (world, mut parts, _) = world();
	let key = &world.keys[2];
	let precommits = &mut parts.justification.commit.precommits;
	precommits.truncate(2);
	for fill in [1, 2] {
		let block = header(20, H256::repeat_byte(fill), H256::zero(), &[]);
		precommits.push(vote(key, block.hash(), 20, ROUND, world.set_id));
	}
	parts.justification = thin(&world, &parts.justification);
	let refused = Err(Error::TooFewVotes { found: 2, needed: 3 });
	assert_eq!(world.verdict(&parts, &drone_query()).map(|_| ()), refused);
}

#[test]
fn what_is_no_justification_cannot_be_thinned() {
	let (_, parts, _) = world();
	let bytes = parts.justification.encode();
	for len in 0..bytes.len() {
		assert!(matches!(thin_justification(&bytes[..len], 3), Err(Error::Malformed(_))));
	}
	let longer = [&bytes[..], &[0]].concat();
	let refused = Err(Error::Malformed(Part::Justification));
	assert_eq!(thin_justification(&longer, 3), refused);
}
