//! Who has to sign what. Each test breaks one rule of an honest justification.

use crate::kit::*;
use dpki_verifier::Error;
use sp_core::H256;

/// The verdict about block 20 of a world with `validators` if its justification is changed like this.
fn with(validators: u8, change: impl FnOnce(&World, &mut Parts)) -> Result<(), Error> {
	let (world, query) = (World::new(validators), drone_query());
	let mut parts = world.answer(&query);
	change(&world, &mut parts);
	world.verdict(&parts, &query).map(|_| ())
}

/// A chain of blocks that stands on `header`.
fn blocks_above(header: &Header, count: usize) -> Vec<Header> {
	let mut blocks = vec![header.clone()];
	for _ in 0..count {
		let last = blocks.last().unwrap();
		blocks.push(crate::kit::header(last.number + 1, last.hash(), H256::zero(), &[]));
	}
	blocks.remove(0);
	blocks
}

/// Makes `voter` of an honest justification vote for this block.
fn revote(world: &World, parts: &mut Parts, voter: usize, block: &Header) {
	let key = &world.keys[voter];
	parts.justification.commit.precommits[voter] =
		vote(key, block.hash(), block.number, ROUND, world.set_id);
}

#[test]
fn more_than_two_thirds_suffice_and_less_do_not() {
	for validators in 1..=22u8 {
		let needed = usize::from(validators - (validators - 1) / 3);
		assert!(needed * 3 > usize::from(validators) * 2);
		let keep = |count| {
			with(validators, |_, parts| parts.justification.commit.precommits.truncate(count))
		};
		assert_eq!(keep(needed), Ok(()), "{validators}");
		let refused = Error::TooFewVotes { found: needed - 1, needed };
		assert_eq!(keep(needed - 1), Err(refused), "{validators}");
	}
}

#[test]
fn no_votes_are_too_few() {
	let verdict = with(4, |_, parts| parts.justification.commit.precommits.clear());
	assert_eq!(verdict, Err(Error::TooFewVotes { found: 0, needed: 3 }));
}

/// The forgery that light clients before smoldot 4 accepted: the votes are real and for a real block, the commit is
/// rewritten to name the forged one.
#[test]
fn a_real_justification_does_not_finalise_a_forged_header() {
	let (world, query) = (World::new(4), drone_query());
	let honest = world.answer(&query);
	let mut entries = registry(50);
	entries.remove(&dpki_primitives::storage_keys::key(key_id(1)));
	let forged_state = State::new(entries, sp_core::storage::StateVersion::V1);
	let mut forged = honest.clone();
	forged.header = header(20, honest.header.parent_hash, forged_state.root(), &[]);
	forged.proof = forged_state.prove(query.keys());
	assert_eq!(world.verdict(&forged, &query), Err(Error::TargetMismatch { number: 20 }));

	forged.justification.commit.target_hash = forged.header.hash();
	assert_eq!(world.verdict(&forged, &query), Err(Error::VoteUnlinked { number: 20 }));

	// With the votes' block as "ancestry", and with a forged block that claims to stand on it.
	forged.justification.votes_ancestries = vec![honest.header.clone()];
	assert_eq!(world.verdict(&forged, &query), Err(Error::TargetTooLow { number: 20 }));
	forged.header = header(21, honest.header.hash(), forged_state.root(), &[]);
	forged.justification.commit.target_hash = forged.header.hash();
	forged.justification.commit.target_number = 21;
	assert!(world.verdict(&forged, &query).is_err());

	// And with the votes rewritten too.
	for precommit in &mut forged.justification.commit.precommits {
		precommit.precommit.target_hash = forged.header.hash();
		precommit.precommit.target_number = 21;
	}
	forged.justification.votes_ancestries.clear();
	assert!(matches!(world.verdict(&forged, &query), Err(Error::BadSignature { .. })));
}

#[test]
fn the_number_of_the_target_is_that_of_the_header() {
	let verdict = with(4, |_, parts| parts.justification.commit.target_number = 21);
	assert_eq!(verdict, Err(Error::TargetMismatch { number: 20 }));
}

#[test]
fn a_stranger_has_no_vote() {
	let stranger = &keys(100, 1)[0];
	let refused = Err(Error::UnknownAuthority { authority: public(stranger) });
	let replaced = with(4, |world, parts| {
		parts.justification.commit.precommits[0] =
			vote(stranger, parts.header.hash(), 20, ROUND, world.set_id);
	});
	assert_eq!(replaced, refused);
	let added = with(4, |world, parts| {
		let vote = vote(stranger, parts.header.hash(), 20, ROUND, world.set_id);
		parts.justification.commit.precommits.push(vote);
	});
	assert_eq!(added, refused);
}

#[test]
fn nobody_votes_twice() {
	let first = public(&keys(0, 1)[0]);
	let refused = Err(Error::RepeatedVote { authority: first });
	let instead_of_others = with(4, |_, parts| {
		let votes = &mut parts.justification.commit.precommits;
		*votes = vec![votes[0].clone(), votes[0].clone(), votes[0].clone()];
	});
	assert_eq!(instead_of_others, refused);
	let besides_others = with(4, |_, parts| {
		let votes = &mut parts.justification.commit.precommits;
		votes.push(votes[0].clone());
	});
	assert_eq!(besides_others, refused);
}

#[test]
fn an_equivocation_does_not_count() {
	let verdict = with(4, |world, parts| {
		let above = &blocks_above(&parts.header, 1)[0];
		let vote = vote(&world.keys[0], above.hash(), 21, ROUND, world.set_id);
		parts.justification.commit.precommits.push(vote);
		parts.justification.votes_ancestries.push(above.clone());
	});
	assert_eq!(verdict, Err(Error::RepeatedVote { authority: public(&keys(0, 1)[0]) }));
}

#[test]
fn a_signature_is_for_one_set_one_round_and_one_block() {
	let resigned = |number, round, set_id| {
		with(4, |world, parts| {
			let key = &world.keys[1];
			let mut vote = vote(key, parts.header.hash(), number, round, set_id);
			vote.precommit.target_number = 20;
			parts.justification.commit.precommits[1] = vote;
		})
	};
	let refused = Err(Error::BadSignature { authority: public(&keys(1, 1)[0]) });
	assert_eq!(resigned(20, ROUND, 7), Ok(()));
	assert_eq!(resigned(20, ROUND, 6), refused, "the set before");
	assert_eq!(resigned(20, ROUND, 8), refused, "the set after");
	assert_eq!(resigned(20, ROUND + 1, 7), refused, "another round");
	assert_eq!(resigned(21, ROUND, 7), refused, "another block");
}

#[test]
fn a_prevote_is_no_precommit() {
	let verdict = with(4, |world, parts| {
		let hash = parts.header.hash();
		let prevote = finality_grandpa::Prevote { target_hash: hash, target_number: 20u32 };
		let message = finality_grandpa::Message::Prevote(prevote);
		let payload = sp_consensus_grandpa::localized_payload(ROUND, world.set_id, &message);
		let signature: [u8; 64] = world.keys[0].sign(&payload).into();
		parts.justification.commit.precommits[0].signature =
			sp_core::ed25519::Signature::from_raw(signature).into();
	});
	assert!(matches!(verdict, Err(Error::BadSignature { .. })));
}

#[test]
fn an_old_set_cannot_sign_new_blocks() {
	let (world, query) = (World::new(4), drone_query());
	let mut parts = world.answer(&query);
	parts.justification = justify(&world.keys, world.set_id - 1, &parts.header);
	assert!(matches!(world.verdict(&parts, &query), Err(Error::BadSignature { .. })));
}

#[test]
fn a_bad_signature_beyond_the_threshold_is_refused_too() {
	let verdict = with(4, |_, parts| {
		parts.justification.commit.precommits[3].signature =
			sp_core::ed25519::Signature::from_raw([0; 64]).into();
	});
	assert_eq!(verdict, Err(Error::BadSignature { authority: public(&keys(3, 1)[0]) }));
}

#[test]
fn votes_for_descendants_count_if_the_way_is_shown() {
	let verdict = with(7, |world, parts| {
		let above = blocks_above(&parts.header, 3);
		revote(world, parts, 0, &above[2]);
		revote(world, parts, 1, &above[2]);
		revote(world, parts, 2, &above[0]);
		parts.justification.votes_ancestries = above;
	});
	assert_eq!(verdict, Ok(()));
}

#[test]
fn votes_on_forks_above_the_target_count() {
	let verdict = with(7, |world, parts| {
		let left = header(21, parts.header.hash(), H256::repeat_byte(1), &[]);
		let right = header(21, parts.header.hash(), H256::repeat_byte(2), &[]);
		revote(world, parts, 0, &left);
		revote(world, parts, 1, &right);
		parts.justification.votes_ancestries = vec![left, right];
	});
	assert_eq!(verdict, Ok(()));
}

#[test]
fn a_vote_without_its_way_is_refused() {
	let lone = |shown: fn(Vec<Header>) -> Vec<Header>| {
		with(7, |world, parts| {
			let above = blocks_above(&parts.header, 3);
			revote(world, parts, 0, &above[2]);
			parts.justification.votes_ancestries = shown(above);
		})
	};
	assert_eq!(lone(|_| vec![]), Err(Error::VoteUnlinked { number: 23 }));
	assert_eq!(lone(|above| above[1..].to_vec()), Err(Error::VoteUnlinked { number: 22 }));
	assert_eq!(lone(|above| above[..2].to_vec()), Err(Error::VoteUnlinked { number: 23 }));
	assert_eq!(
		lone(|above| vec![above[0].clone(), above[2].clone()]),
		Err(Error::VoteUnlinked { number: 23 })
	);
}

#[test]
fn a_vote_on_another_branch_is_refused() {
	let verdict = with(7, |world, parts| {
		let elsewhere = header(21, H256::repeat_byte(0x99), H256::zero(), &[]);
		revote(world, parts, 0, &elsewhere);
		parts.justification.votes_ancestries = vec![elsewhere];
	});
	assert_eq!(verdict, Err(Error::VoteUnlinked { number: 21 }));
}

#[test]
fn a_vote_below_the_target_is_refused() {
	let verdict = with(7, |world, parts| {
		let below = header(19, H256::repeat_byte(19), H256::zero(), &[]);
		parts.header.parent_hash = below.hash();
		parts.justification = justify(&world.keys, world.set_id, &parts.header);
		revote(world, parts, 0, &below);
		parts.justification.votes_ancestries = vec![parts.header.clone()];
	});
	assert_eq!(verdict, Err(Error::VoteUnlinked { number: 19 }));
}

#[test]
fn the_number_in_a_vote_is_that_of_its_block() {
	let verdict = with(7, |world, parts| {
		let above = blocks_above(&parts.header, 1);
		parts.justification.commit.precommits[0] =
			vote(&world.keys[0], above[0].hash(), 22, ROUND, world.set_id);
		parts.justification.votes_ancestries = above;
	});
	assert_eq!(verdict, Err(Error::VoteUnlinked { number: 22 }));
	let target = with(7, |world, parts| {
		parts.justification.commit.precommits[0] =
			vote(&world.keys[0], parts.header.hash(), 21, ROUND, world.set_id);
	});
	assert_eq!(target, Err(Error::VoteUnlinked { number: 21 }));
}

#[test]
fn an_unused_ancestry_is_refused() {
	for unused in [
		(|parts: &Parts| parts.header.clone()) as fn(&Parts) -> Header,
		|parts| blocks_above(&parts.header, 1).remove(0),
		|_| header(5, H256::zero(), H256::zero(), &[]),
	] {
		let verdict = with(4, |_, parts| {
			let header = unused(parts);
			parts.justification.votes_ancestries.push(header);
		});
		assert!(matches!(verdict, Err(Error::AncestryUnused { .. })), "{verdict:?}");
	}
}

#[test]
fn a_repeated_ancestry_is_refused() {
	let verdict = with(7, |world, parts| {
		let above = blocks_above(&parts.header, 1);
		revote(world, parts, 0, &above[0]);
		parts.justification.votes_ancestries = [above.clone(), above].concat();
	});
	assert_eq!(verdict, Err(Error::AncestryRepeated { number: 21 }));
}

#[test]
fn votes_that_finalise_a_higher_block_are_for_that_block() {
	let verdict = with(4, |world, parts| {
		let above = blocks_above(&parts.header, 2);
		for voter in 0..3 {
			revote(world, parts, voter, &above[1 - voter % 2]);
		}
		parts.justification.votes_ancestries = above;
	});
	assert_eq!(verdict, Err(Error::TargetTooLow { number: 21 }));
}

#[test]
fn the_first_block_number_has_nothing_below_it() {
	// A header 0 as ancestry has no parent that could be linked.
	let verdict = with(7, |world, parts| {
		let zero = header(0, H256::zero(), H256::zero(), &[]);
		revote(world, parts, 0, &zero);
		parts.justification.votes_ancestries = vec![zero];
	});
	assert_eq!(verdict, Err(Error::VoteUnlinked { number: 0 }));
}
