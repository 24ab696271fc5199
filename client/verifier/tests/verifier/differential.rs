//! The same verdicts as other implementations, over generated inputs that are damaged in every way that comes to mind.
//!
//! | what | held against |
//! |---|---|
//! | justifications | `smoldot` 5, `bp-header-chain` in its strict mode, `finality-grandpa` with the signature check of `sp-consensus-grandpa` |
//! | storage proofs | `sp_state_machine::read_proof_check`, `smoldot` 5 |
//! | bundles | all of them, on what the ordinary codec makes of the bytes |
//!
//! Nothing may be accepted here that one of them refuses, but for the differences that are named and counted below.
//! What is refused here and accepted by one of them is counted by our reason. Seeds are fixed: each run is the same.

use crate::kit::*;
use bp_header_chain::justification::{
	Error as BridgeError, JustificationVerificationContext, PrecommitError,
	verify_justification as bridge_verify,
};
use codec::{Decode, DecodeAll, Encode};
use dpki_verifier::{Ed25519, Error, Query, TrieReader, Verifier, Zebra};
use finality_grandpa::{Chain, voter_set::VoterSet};
use smoldot::{
	finality::verify::{JustificationVerifyConfig, verify_justification as smoldot_verify},
	trie::proof_decode,
};
use sp_consensus_grandpa::{
	AuthorityId, AuthoritySignature, ConsensusLog, GRANDPA_ENGINE_ID, check_message_signature,
};
use sp_core::{H256, blake2_256, storage::StateVersion};
use sp_runtime::{
	generic::OpaqueDigestItemId,
	traits::{BlakeTwo256, Header as _},
};
use sp_state_machine::read_proof_check;
use sp_trie::StorageProof;
use std::{
	cell::RefCell,
	collections::{BTreeMap, HashMap, HashSet},
};

const JUSTIFICATIONS: usize = 30_000;
const PROOFS: usize = 60_000;
const BUNDLES: usize = 20_000;

/// How often each thing happened.
#[derive(Default)]
struct Tally(BTreeMap<String, usize>);

impl Tally {
	fn count(&mut self, what: impl Into<String>) {
		*self.0.entry(what.into()).or_default() += 1;
	}

	fn get(&self, what: &str) -> usize {
		self.0.get(what).copied().unwrap_or(0)
	}

	fn print(&self, title: &str) {
		println!("{title}");
		for (what, times) in &self.0 {
			println!("{times:>8}  {what}");
		}
	}
}

/// The name of an error, without what it says about the case.
fn name(error: &Error) -> String {
	let text = format!("{error:?}");
	let end = if text.starts_with("Malformed") { text.len() } else { text.find([' ', '{', '(']).unwrap_or(text.len()) };
	text[..end].into()
}

/// Most signatures come up again and again; each is verified once.
#[derive(Default)]
struct Remembering(RefCell<HashMap<(Vec<u8>, [u8; 64], [u8; 32]), bool>>);

impl Ed25519 for Remembering {
	fn verify(&self, public: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
		let case = (message.to_vec(), *signature, *public);
		*self.0.borrow_mut().entry(case).or_insert_with(|| Zebra.verify(public, message, signature))
	}
}

// ---- Justifications ----------------------------------------------------------------------------------------------

fn by_smoldot(world: &World, target: (H256, u32), justification: &Justification) -> bool {
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

fn by_bridge(
	world: &World,
	target: (H256, u32),
	justification: &Justification,
) -> Result<(), BridgeError> {
	let set = bp_header_chain::AuthoritySet::new(authority_list(&world.keys), world.set_id);
	let context = JustificationVerificationContext::try_from(set).unwrap();
	bridge_verify::<Header>(target, &context, justification)
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
fn by_node(world: &World, target: (H256, u32), justification: &Justification) -> bool {
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

/// A good justification of block 20, by some or all, for it or for blocks above it.
fn good_justification(world: &World, head: &Header, random: &mut Random) -> Justification {
	let mut justification = justify(&world.keys, world.set_id, head);
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
fn damage(world: &World, head: &Header, justification: &mut Justification, random: &mut Random) {
	let count = justification.commit.precommits.len();
	let voter = random.below(count);
	let some_key = |random: &mut Random| {
		let strangers = keys(100, 3);
		let key = random.below(world.keys.len() + 3);
		world.keys.get(key).unwrap_or_else(|| &strangers[key - world.keys.len()]).clone()
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
			commit.precommits.push(vote(&key, head.hash(), head.number, ROUND, world.set_id));
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
			let (round, set_id) =
				(ROUND + random.next() % 2, world.set_id + random.next() % 3 - 1);
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
	for case in 0..JUSTIFICATIONS {
		let world = &worlds[random.below(worlds.len())];
		let mut parts = world.answer(&query);
		parts.justification = good_justification(world, &parts.header, &mut random);
		for _ in 0..random.below(4) {
			damage(world, &parts.header, &mut parts.justification, &mut random);
		}
		let target = (parts.header.hash(), parts.header.number);
		let mut verifier = Verifier::new(world.checkpoint.clone(), &remembering);
		let ours = verifier.verify(&parts.encode(), &query, fresh()).map(|_| ());
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
					// It wants the votes that are needed and no more; nodes store all that they have.
					Err(BridgeError::Precommit(PrecommitError::RedundantAuthorityVote)) => {
						let needed = world.checkpoint.set.threshold();
						assert!(parts.justification.commit.precommits.len() > needed);
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
	assert!(tally.get("accepted") > JUSTIFICATIONS / 10);
	assert!(tally.get("refused") > JUSTIFICATIONS / 10);
	// Where we are stricter than others, and on purpose; see the rules in `justification`.
	for what in tally.0.keys().filter(|what| what.contains("accepted by")) {
		let known = [
			"refused as UnknownAuthority, accepted by a node",
			"refused as RepeatedVote, accepted by a node",
			"refused as AncestryRepeated, accepted by a node",
			"refused as AncestryRepeated, accepted by smoldot",
			"refused as VoteUnlinked, accepted by a node",
			"refused as VoteUnlinked, accepted by smoldot",
			"refused as VoteUnlinked, accepted by the bridge",
			"refused as TargetTooLow, accepted by the bridge",
		];
		assert!(known.contains(&&what[..]), "unexplained: {what}");
	}
}

// ---- Storage proofs ----------------------------------------------------------------------------------------------

type Values = Vec<Option<Vec<u8>>>;

fn by_us(root: &[u8; 32], nodes: &[Vec<u8>], keys: &[Vec<u8>]) -> Result<Values, Error> {
	let nodes: Vec<&[u8]> = nodes.iter().map(|node| &node[..]).collect();
	let mut reader = TrieReader::new(root, &nodes)?;
	let mut values = Vec::new();
	for key in keys {
		values.push(reader.read(key)?.map(<[u8]>::to_vec));
	}
	reader.finish()?;
	Ok(values)
}

fn by_state_machine(root: &[u8; 32], nodes: &[Vec<u8>], keys: &[Vec<u8>]) -> Option<Values> {
	let proof = StorageProof::new(nodes.iter().cloned());
	let values = read_proof_check::<BlakeTwo256, _>(H256(*root), proof, keys).ok()?;
	keys.iter().map(|key| values.get(key).cloned()).collect()
}

fn by_smoldot_trie(root: &[u8; 32], nodes: &[Vec<u8>], keys: &[Vec<u8>]) -> Option<Values> {
	let config = proof_decode::Config { proof: nodes.to_vec().encode() };
	let proof = proof_decode::decode_and_verify_proof(config).ok()?;
	keys.iter()
		.map(|key| {
			let value = proof.storage_value(root, key).ok()?;
			Some(value.map(|(value, _)| value.to_vec()))
		})
		.collect()
}

/// A small state whose keys share beginnings, so that all kinds of nodes come up.
fn random_state(random: &mut Random) -> (State, Vec<Vec<u8>>) {
	let version = if random.below(2) == 0 { StateVersion::V0 } else { StateVersion::V1 };
	let mut entries = BTreeMap::new();
	let mut keys = Vec::new();
	for _ in 0..random.below(40) {
		let mut key = match keys.get(random.below(keys.len() + 1)) {
			Some(other) => {
				let other: &Vec<u8> = other;
				other[..random.below(other.len() + 1)].to_vec()
			},
			None => Vec::new(),
		};
		let more = random.below(5);
		key.extend(random.bytes(more).into_iter().map(|byte| byte & 0x33));
		let len = [0, 1, 4, 20, 31, 32, 33, 34, 80][random.below(9)];
		entries.insert(key.clone(), random.bytes(len));
		keys.push(key);
	}
	(State::new(entries, version), keys)
}

fn damage_proof(
	root: &mut [u8; 32],
	nodes: &mut Vec<Vec<u8>>,
	keys: &mut Vec<Vec<u8>>,
	other: &[Vec<u8>],
	random: &mut Random,
) {
	let place = random.below(nodes.len());
	let byte = nodes.get(place).map_or(0, |node| random.below(node.len()));
	match random.below(11) {
		0 if !nodes.is_empty() => drop(nodes.remove(place)),
		1 if !nodes.is_empty() => nodes.push(nodes[place].clone()),
		2 if !other.is_empty() => nodes.push(other[random.below(other.len())].clone()),
		3 if !other.is_empty() && !nodes.is_empty() => {
			nodes[place] = other[random.below(other.len())].clone();
		},
		4 => {
			let len = random.below(50);
			nodes.push(random.bytes(len));
		},
		5 if nodes.get(place).is_some_and(|node| !node.is_empty()) => {
			nodes[place][byte] ^= 1 << random.below(8);
		},
		6 if !nodes.is_empty() => nodes[place].truncate(byte),
		7 if !keys.is_empty() => {
			let key = random.below(keys.len());
			if random.below(2) == 0 {
				keys[key].push(random.next() as u8);
			} else {
				keys[key].pop();
			}
		},
		8 if !nodes.is_empty() => nodes.swap(place, 0),
		_ => {
			// Damages the root node and takes the damaged one for the truth, so that what is looked at is out of
			// form and not merely unknown.
			if let Some(node) = nodes.iter_mut().find(|node| blake2_256(node) == *root) {
				if node.is_empty() {
					return;
				}
				let byte = random.below(node.len().min(12));
				match random.below(3) {
					0 => node[byte] ^= 1 << random.below(8),
					1 => node.truncate(byte),
					_ => node.push(random.next() as u8),
				}
				*root = blake2_256(node);
			}
		},
	}
}

#[test]
fn storage_proofs_are_judged_as_others_judge_them() {
	let mut random = Random(2);
	let mut tally = Tally::default();
	let mut state = random_state(&mut random);
	for case in 0..PROOFS {
		if case % 20 == 0 {
			state = random_state(&mut random);
		}
		let (state, known) = &state;
		let mut keys: Vec<Vec<u8>> = Vec::new();
		for _ in 0..=random.below(3) {
			let mut key = match known.get(random.below(known.len() + 1)) {
				Some(key) => key.clone(),
				None => {
					let len = random.below(6);
					random.bytes(len)
				},
			};
			if random.below(4) == 0 {
				key.push(random.next() as u8 & 0x33);
			}
			keys.push(key);
		}
		let mut root = state.root().0;
		let mut nodes = state.prove(&keys);
		let other = state.prove(known);
		let damages = random.below(3);
		for _ in 0..damages {
			damage_proof(&mut root, &mut nodes, &mut keys, &other, &mut random);
		}
		let ours = by_us(&root, &nodes, &keys);
		let reference = by_state_machine(&root, &nodes, &keys);
		let smoldot = by_smoldot_trie(&root, &nodes, &keys);
		match ours {
			Ok(values) => {
				tally.count("accepted");
				assert_eq!(Some(&values), reference.as_ref(), "case {case}: read_proof_check");
				match smoldot {
					Some(theirs) => assert_eq!(values, theirs, "case {case}: smoldot"),
					// It reads the inlined nodes beside the way too; we do not, and nothing depends on them. This
					// comes up only where the root was made for a damaged node.
					None => {
						assert_ne!(root, state.root().0, "case {case}: smoldot refuses");
						tally.count("accepted, not by smoldot: damaged inlined node beside the way");
					},
				}
			},
			Err(error) => {
				assert!(damages > 0, "case {case}: an honest proof is refused: {error}");
				tally.count("refused");
				for (accepts, who) in
					[(reference.is_some(), "read_proof_check"), (smoldot.is_some(), "smoldot")]
				{
					if accepts {
						tally.count(format!("refused as {}, accepted by {who}", name(&error)));
					}
				}
			},
		}
	}
	tally.print("storage proofs");
	assert!(tally.get("accepted") > PROOFS / 10);
	assert!(tally.get("refused") > PROOFS / 10);
	for what in tally.0.keys().filter(|what| what.contains("accepted by")) {
		let known = [
			// More than was asked for.
			"refused as NodeSurplus, accepted by read_proof_check",
			"refused as NodeSurplus, accepted by smoldot",
			"refused as NodeRepeated, accepted by read_proof_check",
			// `sp_trie` does not mind what stands behind a node, nor branches that should be none.
			"refused as Malformed(ProofNode), accepted by read_proof_check",
		];
		assert!(known.contains(&&what[..]), "unexplained: {what}");
	}
}

// ---- Bundles -----------------------------------------------------------------------------------------------------

/// What the other implementations say together about the bytes of a bundle.
fn by_others(world: &World, bytes: &[u8], query: &Query) -> Option<Values> {
	type Form = (u8, Vec<(Header, Justification)>, Header, Justification, Vec<Vec<u8>>);
	let (1, fragments, header, justification, proof) = Form::decode_all(&mut &bytes[..]).ok()? else {
		return None;
	};
	let mut keys = world.keys.clone();
	let mut set_id = world.set_id;
	for (header, justification) in &fragments {
		let now = World { keys: keys.clone(), set_id, ..World::with(1, BTreeMap::new(), StateVersion::V1) };
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
	for case in 0..BUNDLES {
		let honest = &bundles[case % 2];
		let mut bytes = honest.clone();
		for _ in 0..random.below(3) {
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
	assert!(tally.get("accepted") > 1000);
	assert!(tally.get("refused") > BUNDLES / 2);
}

// ---- Signatures --------------------------------------------------------------------------------------------------

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
