//! Justifications, against `smoldot`, `bp-header-chain` and `finality-grandpa`.

use super::{Remembering, Tally, name};
use crate::kit::*;
use bp_header_chain::justification::{
	GrandpaJustification as BridgeJustification, JustificationVerificationContext,
	JustificationVerificationError as BridgeError, PrecommitError,
	verify_and_optimize_justification, verify_justification as bridge_verify,
};
use codec::{DecodeAll, Encode};
use dpki_verifier::{Error, Query, Verifier, thin_justification};
use finality_grandpa::{Chain, voter_set::VoterSet};
use smoldot::finality::verify::{
	JustificationVerifyConfig, verify_justification as smoldot_verify,
};
use sp_consensus_grandpa::check_message_signature;
use sp_core::{H256, storage::StateVersion};
use sp_runtime::traits::Header as _;
use std::collections::{HashMap, HashSet};

/// Of these, seven of eight are damaged.
const CASES: usize = 24_000;

/// How many of the cases have to differ from an honest one. With those of the other tests: more than 100,000.
const LEAST_DAMAGED: usize = 18_000;

pub fn by_smoldot(world: &World, target: (H256, u32), justification: &Justification) -> bool {
	let authorities: Vec<[u8; 32]> = world.keys.iter().map(public).collect();
	let config = JustificationVerifyConfig {
		justification: justification.encode(),
		block_number_bytes: 4,
		authorities_set_id: world.set_id,
		authorities_list: authorities.iter().map(|authority| &authority[..]),
		randomness_seed: [0; 32],
	};
	let commit = &justification.commit;
	(commit.target_hash, commit.target_number) == target && smoldot_verify(config).is_ok()
}

/// What the bridge is told of a set, and a justification as it reads one.
fn for_bridge(
	world: &World,
	justification: &Justification,
) -> (JustificationVerificationContext, BridgeJustification<Header>) {
	let set = bp_header_chain::AuthoritySet::new(authority_list(&world.keys), world.set_id);
	let context = JustificationVerificationContext::try_from(set).unwrap();
	(context, BridgeJustification::decode_all(&mut &justification.encode()[..]).unwrap())
}

pub fn by_bridge(
	world: &World,
	target: (H256, u32),
	justification: &Justification,
) -> Result<(), BridgeError> {
	let (context, justification) = for_bridge(world, justification);
	bridge_verify(target, &context, &justification)
}

/// Whether the bridge refuses nothing but that there are more votes than needed: it wants no more, and nodes store all
/// that they have. Its own optimiser takes out what it has no need of, and what is left passes its strict mode.
pub fn by_bridge_but_for_surplus(
	world: &World,
	target: (H256, u32),
	justification: &Justification,
) -> bool {
	let surplus = BridgeError::Precommit(PrecommitError::RedundantAuthorityVote);
	if by_bridge(world, target, justification) != Err(surplus) {
		return false;
	}
	let (context, mut justification) = for_bridge(world, justification);
	verify_and_optimize_justification(target, &context, &mut justification).is_ok()
		&& bridge_verify(target, &context, &justification).is_ok()
}

/// A justification without the votes that are not needed, as bundles are served.
pub fn thin(world: &World, justification: &Justification) -> Justification {
	let set = set(world.set_id, &world.keys);
	let bytes = thin_justification(&justification.encode(), set.threshold()).unwrap();
	Justification::decode_all(&mut &bytes[..]).unwrap()
}

/// The headers of a justification as `finality-grandpa` wants to see a chain.
struct Ancestry<'a>(HashMap<H256, &'a Header>);

impl Chain<H256, u32> for Ancestry<'_> {
	fn ancestry(&self, base: H256, block: H256) -> Result<Vec<H256>, finality_grandpa::Error> {
		let (mut route, mut current) = (Vec::new(), block);
		while current != base {
			let header = self.0.get(&current).ok_or(finality_grandpa::Error::NotDescendent)?;
			current = *header.parent_hash();
			route.push(current);
		}
		route.pop();
		Ok(route)
	}
}

/// The rules of a node: a valid commit by `finality-grandpa`, all signatures good, and no header that no vote needs.
/// `sc-consensus-grandpa` has them too, but brings the network with it.
pub fn by_node(world: &World, target: (H256, u32), justification: &Justification) -> bool {
	let commit = &justification.commit;
	let voters = VoterSet::new(authority_list(&world.keys)).unwrap();
	let headers = justification.votes_ancestries.iter();
	let chain = Ancestry(headers.map(|header| (header.hash(), header)).collect());
	let valid = finality_grandpa::validate_commit(commit, &voters, &chain)
		.is_ok_and(|result| result.is_valid());
	if (commit.target_hash, commit.target_number) != target || !valid {
		return false;
	}
	let lowest = commit.precommits.iter().min_by_key(|signed| signed.precommit.target_number);
	let base = lowest.unwrap().precommit.target_hash;
	let mut needed = HashSet::new();
	for signed in &commit.precommits {
		let message = finality_grandpa::Message::Precommit(signed.precommit.clone());
		let (id, signature) = (&signed.id, &signed.signature);
		if !check_message_signature(&message, id, signature, justification.round, world.set_id)
			.is_valid()
		{
			return false;
		}
		let block = signed.precommit.target_hash;
		if block != base {
			let Ok(route) = chain.ancestry(base, block) else { return false };
			needed.insert(block);
			needed.extend(route);
		}
	}
	needed == chain.0.keys().copied().collect()
}

/// A good justification of the head, by some or all, for it or for blocks above it.
fn good_justification(world: &World, answer: &Parts, random: &mut Random) -> Justification {
	let (head, mut justification) = (&answer.header, answer.justification.clone());
	let minority = (world.keys.len() - 1) / 3;
	let mut above: Vec<Header> = Vec::new();
	for _ in 0..random.below(4) {
		let on = random.below(above.len() + 1);
		let parent = if on == 0 { head } else { &above[on - 1] };
		let root = H256::from_slice(&random.bytes(32));
		above.push(header(parent.number + 1, parent.hash(), root, &[]));
	}
	let mut shown = HashSet::new();
	for voter in 0..minority {
		if let Some(block) = above.get(random.below(6)) {
			let vote = vote(&world.keys[voter], block.hash(), block.number, ROUND, world.set_id);
			justification.commit.precommits[voter] = vote;
			let mut hash = block.hash();
			while let Some(header) = above.iter().find(|header| header.hash() == hash) {
				if shown.insert(hash) {
					justification.votes_ancestries.push(header.clone());
				}
				hash = header.parent_hash;
			}
		}
	}
	for _ in 0..random.below(minority + 1) {
		let voter = random.below(justification.commit.precommits.len());
		let signed = &justification.commit.precommits[voter];
		if signed.precommit.target_hash == head.hash() {
			justification.commit.precommits.remove(voter);
		}
	}
	justification
}

/// Damages a justification, mostly in ways in which the signatures stay real.
pub fn damage(
	world: &World,
	head: &Header,
	justification: &mut Justification,
	random: &mut Random,
) {
	let count = justification.commit.precommits.len();
	let voter = random.below(count);
	let some_key = |random: &mut Random| {
		let strangers = keys(100, 3);
		let key = random.below(world.keys.len() + 3);
		*world.keys.get(key).unwrap_or_else(|| &strangers[key - world.keys.len()])
	};
	let block = |random: &mut Random, justification: &Justification| {
		let number = head.number.wrapping_add(random.below(5) as u32).wrapping_sub(1);
		match random.below(4) {
			0 => header(number, head.hash(), H256::repeat_byte(random.next() as u8), &[]),
			1 => header(number, head.parent_hash, H256::zero(), &[]),
			2 => head.clone(),
			_ => {
				let blocks = &justification.votes_ancestries;
				let parent = blocks.get(random.below(blocks.len())).unwrap_or(head);
				header(parent.number + 1, parent.hash(), H256::zero(), &[])
			},
		}
	};
	let commit = &mut justification.commit;
	match random.below(17) {
		0 if count > 0 => drop(commit.precommits.remove(voter)),
		1 if count > 0 => commit.precommits.push(commit.precommits[voter].clone()),
		2 if count > 0 => commit.precommits[voter].id = authority_id(&some_key(random)),
		3 => {
			let key = some_key(random);
			commit
				.precommits
				.push(vote(&key, head.hash(), head.number, ROUND, world.set_id));
		},
		4 => {
			let key = some_key(random);
			let block = block(random, justification);
			let vote = vote(&key, block.hash(), block.number, ROUND, world.set_id);
			let precommits = &mut justification.commit.precommits;
			match precommits.iter().position(|signed| signed.id == vote.id) {
				Some(place) => precommits[place] = vote,
				None => precommits.push(vote),
			}
			if random.below(3) > 0 {
				justification.votes_ancestries.push(block);
			}
		},
		5 => {
			let block = block(random, justification);
			justification.votes_ancestries.push(block);
		},
		6 => {
			let blocks = &mut justification.votes_ancestries;
			if !blocks.is_empty() {
				blocks.remove(random.below(blocks.len()));
			}
		},
		7 => {
			let blocks = &mut justification.votes_ancestries;
			if !blocks.is_empty() {
				blocks.push(blocks[random.below(blocks.len())].clone());
			}
		},
		8 => commit.target_number = commit.target_number.wrapping_add(random.below(3) as u32),
		9 => {
			let block = block(random, justification);
			justification.commit.target_hash = block.hash();
			justification.commit.target_number = block.number;
		},
		10 => justification.round = random.next() % 3 + ROUND - 1,
		11 if count > 0 => {
			let (round, set_id) = (ROUND + random.next() % 2, world.set_id + random.next() % 3 - 1);
			let key = &world.keys[voter % world.keys.len()];
			commit.precommits[voter] = vote(key, head.hash(), head.number, round, set_id);
		},
		12 if count > 0 => {
			let precommit = &mut commit.precommits[voter].precommit;
			precommit.target_number = precommit.target_number.wrapping_add(1);
		},
		13 if count > 0 => {
			// The number in a vote is signed too, so a voter can lie about it with a real signature.
			let block = block(random, justification);
			let key = &world.keys[voter % world.keys.len()];
			let number = block.number.wrapping_add(random.below(2) as u32);
			justification.commit.precommits[voter] =
				vote(key, block.hash(), number, ROUND, world.set_id);
		},
		14 if count > 1 => commit.precommits.swap(voter, 0),
		15 => {
			// Moves so many votes up that a higher block is finalised.
			let block = header(head.number + 1, head.hash(), H256::zero(), &[]);
			let moved = random.below(world.keys.len() + 1);
			for key in &world.keys[..moved] {
				let vote = vote(key, block.hash(), block.number, ROUND, world.set_id);
				if let Some(place) = commit.precommits.iter().position(|it| it.id == vote.id) {
					commit.precommits[place] = vote;
				}
			}
			justification.votes_ancestries.push(block);
		},
		_ => {
			let mut bytes = justification.encode();
			let place = random.below(bytes.len());
			bytes[place] ^= 1 << random.below(8);
			if let Ok(damaged) = Justification::decode_all(&mut &bytes[..]) {
				*justification = damaged;
			}
		},
	}
}

/// Thinning spoils nothing that is good, and what it makes good is good for everybody, the bridge included.
fn judge_thinned(
	world: &World,
	parts: &Parts,
	verdict: &Result<(), Error>,
	remembering: &Remembering,
	tally: &mut Tally,
) {
	let target = (parts.header.hash(), parts.header.number);
	let thinned = Parts { justification: thin(world, &parts.justification), ..parts.clone() };
	let mut verifier = Verifier::new(world.checkpoint.clone(), remembering);
	let ours = verifier.verify(&thinned.encode(), &Query::new(), fresh()).map(|_| ());
	match (verdict, &ours) {
		(Ok(()), Err(error)) => panic!("thinning spoils: {error}\n{:?}", parts.justification),
		(Err(_), Ok(())) => tally.count("thinned: refused before, accepted now"),
		(Ok(()), Ok(())) => tally.count("thinned: still accepted"),
		(Err(_), Err(_)) => tally.count("thinned: still refused"),
	}
	if ours.is_ok() {
		assert!(by_smoldot(world, target, &thinned.justification));
		assert!(by_node(world, target, &thinned.justification));
		assert_eq!(by_bridge(world, target, &thinned.justification), Ok(()));
	}
}

#[test]
fn justifications_are_judged_as_others_judge_them() {
	let mut random = Random(1);
	let mut tally = Tally::default();
	let query = Query::new();
	let remembering = Remembering::default();
	let worlds: Vec<World> = [1, 2, 3, 4, 7]
		.into_iter()
		.map(|validators| World::with(validators, registry(0), StateVersion::V1))
		.collect();
	let answers: Vec<Parts> = worlds.iter().map(|world| world.answer(&query)).collect();
	for case in 0..CASES {
		let world = random.below(worlds.len());
		let (world, mut parts) = (&worlds[world], answers[world].clone());
		let honest = good_justification(world, &parts, &mut random);
		parts.justification = honest.clone();
		for _ in 0..random.damages() {
			damage(world, &parts.header, &mut parts.justification, &mut random);
		}
		tally.count_damaged(parts.justification != honest);
		let target = (parts.header.hash(), parts.header.number);
		let mut verifier = Verifier::new(world.checkpoint.clone(), &remembering);
		let ours = verifier.verify(&parts.encode(), &query, fresh()).map(|_| ());
		if ours.is_ok() || case % 8 == 0 {
			judge_thinned(world, &parts, &ours, &remembering, &mut tally);
		}
		let smoldot = by_smoldot(world, target, &parts.justification);
		let node = by_node(world, target, &parts.justification);
		let bridge = by_bridge(world, target, &parts.justification);
		match ours {
			Ok(()) => {
				tally.count("accepted");
				assert!(smoldot, "case {case}: smoldot refuses\n{:?}", parts.justification);
				assert!(node, "case {case}: finality-grandpa refuses\n{:?}", parts.justification);
				match bridge {
					Ok(()) => tally.count("accepted, by the bridge too"),
					Err(BridgeError::Precommit(PrecommitError::RedundantAuthorityVote)) => {
						let needed = world.checkpoint.set.threshold();
						assert!(parts.justification.commit.precommits.len() > needed);
						assert!(by_bridge_but_for_surplus(world, target, &parts.justification));
						tally.count("accepted, not by the bridge: more votes than needed");
					},
					Err(error) => panic!("case {case}: the bridge refuses: {error:?}"),
				}
			},
			Err(error) => {
				tally.count("refused");
				for (accepts, who) in
					[(smoldot, "smoldot"), (node, "a node"), (bridge.is_ok(), "the bridge")]
				{
					if accepts {
						tally.count(format!("refused as {}, accepted by {who}", name(&error)));
					}
				}
			},
		}
	}
	tally.print("justifications");
	assert!(tally.get("damaged") >= LEAST_DAMAGED, "too few were damaged");
	assert!(tally.get("accepted") > CASES / 10);
	assert!(tally.get("refused") > CASES / 10);
	// Where we are stricter than others, and on purpose; see the rules in `justification`.
	for what in tally
		.0
		.keys()
		.filter(|what| what.starts_with("refused as") && what.contains("accepted by"))
	{
		let known = [
			"refused as UnknownAuthority, accepted by a node",
			"refused as RepeatedVote, accepted by a node",
			"refused as AncestryRepeated, accepted by a node",
			"refused as AncestryRepeated, accepted by smoldot",
			"refused as VoteUnlinked, accepted by a node",
			"refused as VoteUnlinked, accepted by the bridge",
			"refused as TargetTooLow, accepted by the bridge",
		];
		assert!(known.contains(&&what[..]), "unexplained: {what}");
	}
}
