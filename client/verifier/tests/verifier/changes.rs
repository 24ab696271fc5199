//! Following the authority set.

use crate::kit::*;
use codec::{Compact, Encode};
use dpki_verifier::{Error, Fragment, Part, encode_fragments, limits};
use ed25519_zebra::SigningKey;
use sp_consensus_grandpa::{ConsensusLog, GRANDPA_ENGINE_ID};
use sp_runtime::DigestItem;

/// Sets of four, each with three of the set before.
fn sets() -> Vec<Vec<SigningKey>> {
	(0..4).map(|from| keys(from, 4)).collect()
}

/// The hand-over from set 7 + `index` to the next in block `number`.
fn hand_over(world: &World, index: usize, number: u32) -> (Header, Justification) {
	let sets = sets();
	let header = world.block(number, &change_to(&sets[index + 1]));
	let justification = justify(&sets[index], world.set_id + index as u64, &header);
	(header, justification)
}

/// An answer in block 40, after changes in blocks 15, 20 and 30.
fn late_answer(world: &World) -> Parts {
	let mut parts = world.answer_at(40, &drone_query());
	parts.fragments =
		vec![hand_over(world, 0, 15), hand_over(world, 1, 20), hand_over(world, 2, 30)];
	parts.justification = justify(&sets()[3], world.set_id + 3, &parts.header);
	parts
}

fn fragments_of(list: &[(Header, Justification)]) -> Vec<u8> {
	let encoded: Vec<_> =
		list.iter().map(|(header, proof)| (header.encode(), proof.encode())).collect();
	let fragments: Vec<_> = encoded
		.iter()
		.map(|(header, justification)| Fragment { header, justification })
		.collect();
	encode_fragments(&fragments)
}

#[test]
fn changes_are_followed_to_the_head() {
	let world = World::new(4);
	let checkpoint = world.verdict(&late_answer(&world), &drone_query()).unwrap();
	assert_eq!(checkpoint.set, set(world.set_id + 3, &sets()[3]));
	assert_eq!(checkpoint.number, 40);
}

#[test]
fn a_head_can_be_the_hand_over_itself() {
	let (world, query) = (World::new(4), drone_query());
	let (header, justification) = hand_over(&world, 0, 15);
	let mut parts = world.answer_at(15, &query);
	(parts.header, parts.justification) = (header, justification);
	let bundle = parts.encode();
	let mut verifier = world.verifier();
	verifier.verify(&bundle, &query, fresh()).unwrap();
	assert_eq!(verifier.checkpoint().set, set(world.set_id + 1, &sets()[1]));

	// The same block again, although its signers are known no more; then a block of the new set.
	verifier.verify(&bundle, &query, fresh()).unwrap();
	let mut next = world.answer_at(16, &query);
	next.justification = justify(&sets()[1], world.set_id + 1, &next.header);
	verifier.verify(&next.encode(), &query, fresh()).unwrap();
}

#[test]
fn changes_that_are_known_are_passed_over() {
	let (world, query) = (World::new(4), drone_query());
	let bundle = late_answer(&world).encode();
	let mut verifier = world.verifier();
	let two = fragments_of(&[hand_over(&world, 0, 15), hand_over(&world, 1, 20)]);
	assert_eq!(verifier.advance(&two).unwrap().set.id(), world.set_id + 2);
	verifier.verify(&bundle, &query, fresh()).unwrap();
	verifier.verify(&bundle, &query, fresh()).unwrap();
	assert_eq!(verifier.checkpoint().set.id(), world.set_id + 3);
}

#[test]
fn changes_can_be_followed_without_a_question() {
	let world = World::new(4);
	let mut verifier = world.verifier();
	let checkpoint = verifier.advance(&fragments_of(&late_answer(&world).fragments)).unwrap();
	assert_eq!((checkpoint.set.id(), checkpoint.number), (world.set_id + 3, 30));
	let before = checkpoint.clone();
	assert_eq!(verifier.advance(&fragments_of(&[])), Ok(&before));
}

#[test]
fn a_skipped_change_is_noticed() {
	let world = World::new(4);
	for skipped in 0..3 {
		let mut parts = late_answer(&world);
		parts.fragments.remove(skipped);
		let refused = world.verdict(&parts, &drone_query());
		assert!(
			matches!(refused, Err(Error::UnknownAuthority { .. } | Error::BadSignature { .. })),
			"{refused:?}"
		);
	}
}

#[test]
fn changes_come_in_the_order_of_their_blocks() {
	let world = World::new(4);
	for (one, other) in [(0, 1), (1, 2), (0, 2)] {
		let mut parts = late_answer(&world);
		parts.fragments.swap(one, other);
		assert!(world.verdict(&parts, &drone_query()).is_err());
	}
	let mut parts = late_answer(&world);
	parts.fragments.insert(1, parts.fragments[0].clone());
	let refused = Err(Error::OutOfOrder { number: 15, previous: 15 });
	assert_eq!(world.verdict(&parts, &drone_query()), refused);
}

#[test]
fn known_changes_are_in_order_too() {
	let (world, query) = (World::new(4), drone_query());
	let mut parts = world.answer(&query);
	parts.fragments = vec![hand_over(&world, 0, 5), hand_over(&world, 0, 4)];
	let refused = Err(Error::OutOfOrder { number: 4, previous: 5 });
	assert_eq!(world.verdict(&parts, &query), refused);
}

#[test]
fn the_head_is_above_the_last_change() {
	let (world, query) = (World::new(4), drone_query());
	let mut parts = late_answer(&world);
	parts.header = world.block(30, &[]);
	parts.justification = justify(&sets()[3], world.set_id + 3, &parts.header);
	let refused = Err(Error::OutOfOrder { number: 30, previous: 30 });
	assert_eq!(world.verdict(&parts, &query), refused);
}

#[test]
fn a_fragment_announces_a_change() {
	let (world, query) = (World::new(4), drone_query());
	let mut parts = world.answer(&query);
	let header = world.block(15, &[]);
	parts.fragments = vec![(header.clone(), justify(&world.keys, world.set_id, &header))];
	assert_eq!(world.verdict(&parts, &query), Err(Error::ChangeMissing { number: 15 }));
}

#[test]
fn a_fragment_is_signed_by_the_set_that_hands_over() {
	let world = World::new(4);
	let mut parts = late_answer(&world);
	let (header, justification) = &mut parts.fragments[1];
	*justification = justify(&sets()[2], world.set_id + 2, header);
	assert!(world.verdict(&parts, &drone_query()).is_err());
}

/// The verdict about a head that announces this.
fn announcing(messages: &[ConsensusLog<u32>]) -> Result<(), Error> {
	let (world, query) = (World::new(4), drone_query());
	let mut parts = world.answer(&query);
	parts.header = world.block(20, messages);
	parts.justification = justify(&world.keys, world.set_id, &parts.header);
	world.verdict(&parts, &query).map(|_| ())
}

#[test]
fn forced_changes_are_refused() {
	let forced = ConsensusLog::ForcedChange(3, scheduled(&keys(1, 4), 0));
	let scheduled = ConsensusLog::ScheduledChange(scheduled(&keys(1, 4), 0));
	let refused = Err(Error::ChangeForced { number: 20 });
	assert_eq!(announcing(std::slice::from_ref(&forced)), refused);
	assert_eq!(announcing(&[scheduled.clone(), forced.clone()]), refused);
	assert_eq!(announcing(&[forced, scheduled]), refused);
}

#[test]
fn delayed_changes_are_refused() {
	let delayed = ConsensusLog::ScheduledChange(scheduled(&keys(1, 4), 1));
	assert_eq!(announcing(&[delayed]), Err(Error::ChangeDelayed { number: 20, delay: 1 }));
}

#[test]
fn there_is_one_change_in_a_block() {
	let change = ConsensusLog::ScheduledChange(scheduled(&keys(1, 4), 0));
	let refused = Err(Error::ChangeRepeated { number: 20 });
	assert_eq!(announcing(&[change.clone(), change]), refused);
}

#[test]
fn messages_that_change_nothing_are_passed_over() {
	let messages = [ConsensusLog::OnDisabled(1), ConsensusLog::Pause(2), ConsensusLog::Resume(3)];
	assert_eq!(announcing(&messages), Ok(()));
}

#[test]
fn the_next_set_has_distinct_members_of_weight_one() {
	let change = |authorities| {
		let change =
			sp_consensus_grandpa::ScheduledChange { next_authorities: authorities, delay: 0 };
		announcing(&[ConsensusLog::ScheduledChange(change)])
	};
	assert_eq!(change(vec![]), Err(Error::AuthoritiesEmpty));
	let mut list = authority_list(&keys(1, 4));
	list[2].1 = 2;
	let authority = public(&keys(3, 1)[0]);
	assert_eq!(change(list), Err(Error::AuthorityWeight { authority, weight: 2 }));
	let list = authority_list(&[keys(1, 4), keys(2, 1)].concat());
	let authority = public(&keys(2, 1)[0]);
	assert_eq!(change(list), Err(Error::AuthorityRepeated { authority }));
}

/// The verdict about a head with this GRANDPA message.
fn with_message(message: Vec<u8>) -> Result<(), Error> {
	let (world, query) = (World::new(4), drone_query());
	let mut parts = world.answer(&query);
	parts.header.digest.push(DigestItem::Consensus(GRANDPA_ENGINE_ID, message));
	parts.justification = justify(&world.keys, world.set_id, &parts.header);
	world.verdict(&parts, &query).map(|_| ())
}

#[test]
fn messages_that_are_not_understood_are_refused() {
	let malformed = Err(Error::Malformed(Part::AuthorityChange));
	assert_eq!(with_message(vec![]), malformed);
	assert_eq!(with_message(vec![6]), Err(Error::ChangeUnknown { number: 20, kind: 6 }));
	assert_eq!(with_message(vec![0]), Err(Error::ChangeUnknown { number: 20, kind: 0 }));
	let whole = ConsensusLog::ScheduledChange(scheduled(&keys(1, 4), 0)).encode();
	assert_eq!(with_message(whole.clone()), Ok(()));
	assert_eq!(with_message([whole.clone(), vec![0]].concat()), malformed);
	for len in 1..whole.len() {
		assert!(matches!(with_message(whole[..len].to_vec()), Err(Error::Malformed(_))), "{len}");
	}
}

#[test]
fn a_set_can_have_many_members_but_not_any_number() {
	let weights: Vec<_> = (0..=limits::MAX_AUTHORITIES as u32)
		.map(|index| (sp_crypto_hashing::blake2_256(&index.encode()), 1u64))
		.collect();
	let message = |count: usize| (1u8, &weights[..count], 0u32).encode();
	assert_eq!(with_message(message(limits::MAX_AUTHORITIES)), Ok(()));
	let too_many = Error::TooLarge {
		part: Part::Authorities,
		found: limits::MAX_AUTHORITIES + 1,
		allowed: limits::MAX_AUTHORITIES,
	};
	assert_eq!(with_message(message(limits::MAX_AUTHORITIES + 1)), Err(too_many));
}

#[test]
fn the_last_set_id_has_no_successor() {
	let (mut world, query) = (World::new(4), drone_query());
	world.set_id = u64::MAX;
	world.checkpoint.set = set(u64::MAX, &world.keys);
	let mut parts = world.answer(&query);
	assert!(world.verdict(&parts, &query).is_ok());
	parts.header = world.block(20, &change_to(&keys(1, 4)));
	parts.justification = justify(&world.keys, u64::MAX, &parts.header);
	assert_eq!(world.verdict(&parts, &query), Err(Error::SetIdExhausted));
}

#[test]
fn a_list_of_changes_has_its_form() {
	let world = World::new(4);
	let bytes = fragments_of(&[hand_over(&world, 0, 15)]);
	for len in 0..bytes.len() {
		assert!(matches!(world.verifier().advance(&bytes[..len]), Err(Error::Malformed(_))));
	}
	let longer = [&bytes[..], &[0]].concat();
	let refused = world.verifier().advance(&longer).map(|_| ());
	assert_eq!(refused, Err(Error::Malformed(Part::Fragments)));
	let many = Compact(limits::MAX_FRAGMENTS as u32 + 1).encode();
	assert_eq!(
		world.verifier().advance(&many).map(|_| ()),
		Err(Error::TooLarge { part: Part::Fragments, found: 257, allowed: 256 })
	);
	let long = vec![0; limits::MAX_BUNDLE_LEN + 1];
	assert!(matches!(world.verifier().advance(&long), Err(Error::TooLarge { .. })));
}

#[test]
fn a_refused_list_of_changes_moves_nothing() {
	let world = World::new(4);
	let mut verifier = world.verifier();
	let good = hand_over(&world, 0, 15);
	let mut bad = hand_over(&world, 1, 20);
	bad.1.round += 1;
	assert!(verifier.advance(&fragments_of(&[good, bad])).is_err());
	assert_eq!(verifier.checkpoint(), &world.checkpoint);
}
