//! Storage proofs, against `sp-state-machine` and `smoldot`.

use super::{Tally, name};
use crate::kit::*;
use codec::Encode;
use dpki_verifier::{Error, TrieReader};
use smoldot::trie::{proof_decode, trie_node};
use sp_core::{H256, storage::StateVersion};
use sp_crypto_hashing::blake2_256;
use sp_runtime::traits::BlakeTwo256;
use sp_state_machine::{StorageProof, read_proof_check};
use std::collections::BTreeMap;

/// Of these, seven of eight are damaged.
const CASES: usize = 80_000;

/// How many of the cases have to differ from an honest one. With those of the other tests: more than 100,000.
const LEAST_DAMAGED: usize = 67_000;

pub type Values = Vec<Option<Vec<u8>>>;

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

pub fn by_state_machine(root: &[u8; 32], nodes: &[Vec<u8>], keys: &[Vec<u8>]) -> Option<Values> {
	let proof = StorageProof::new(nodes.iter().cloned());
	let values = read_proof_check::<BlakeTwo256, _>(H256(*root), proof, keys).ok()?;
	keys.iter().map(|key| values.get(key).cloned()).collect()
}

pub fn by_smoldot_trie(root: &[u8; 32], nodes: &[Vec<u8>], keys: &[Vec<u8>]) -> Option<Values> {
	let config = proof_decode::Config { proof: nodes.to_vec().encode() };
	let proof = proof_decode::decode_and_verify_proof(config).ok()?;
	keys.iter()
		.map(|key| {
			let value = proof.storage_value(root, key).ok()?;
			Some(value.map(|(value, _)| value.to_vec()))
		})
		.collect()
}

/// Whether something is wrong with a node that lies inside this one.
fn has_damaged_child(node: &[u8]) -> bool {
	let Ok(node) = trie_node::decode(node) else { return false };
	let inlined = node.children.iter().flatten().filter(|child| child.len() < 32);
	inlined.into_iter().any(|child| {
		trie_node::decode(child).is_err() || is_superfluous(child) || has_damaged_child(child)
	})
}

/// Whether a node that is no root holds nothing, or nothing but another node.
fn is_superfluous(node: &[u8]) -> bool {
	trie_node::decode(node).is_ok_and(|node| {
		matches!(node.storage_value, trie_node::StorageValue::None)
			&& node.children.iter().flatten().count() < 2
	})
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
	keys: &mut [Vec<u8>],
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
	let (mut state, mut known) = random_state(&mut random);
	let mut other = state.prove(&known);
	for case in 0..CASES {
		if case % 50 == 0 {
			(state, known) = random_state(&mut random);
			other = state.prove(&known);
		}
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
		let honest = (root, nodes.clone(), keys.clone());
		for _ in 0..random.damages() {
			damage_proof(&mut root, &mut nodes, &mut keys, &other, &mut random);
		}
		let is_damaged = honest != (root, nodes.clone(), keys.clone());
		tally.count_damaged(is_damaged);
		let ours = by_us(&root, &nodes, &keys);
		let reference = by_state_machine(&root, &nodes, &keys);
		let smoldot = by_smoldot_trie(&root, &nodes, &keys);
		match ours {
			Ok(values) => {
				tally.count("accepted");
				assert_eq!(Some(&values), reference.as_ref(), "case {case}: read_proof_check");
				match smoldot {
					Some(theirs) => assert_eq!(values, theirs, "case {case}: smoldot"),
					// It reads the inlined nodes beside the way too; we do not, and nothing depends on them. No
					// honest state has such a node: the root was made for it.
					None => {
						assert_ne!(root, state.root().0, "case {case}: smoldot refuses");
						let is_explained = nodes.iter().any(|node| has_damaged_child(node));
						assert!(is_explained, "case {case}: smoldot refuses\n{nodes:x?}");
						tally
							.count("accepted, not by smoldot: damaged inlined node beside the way");
					},
				}
			},
			Err(error) => {
				assert!(is_damaged, "case {case}: an honest proof is refused: {error}");
				tally.count("refused");
				if error == Error::NodeMissing && root == blake2_256(&[0]) {
					// `memory-db` knows the node of the empty trie without being told.
					assert!(smoldot.is_none() && !nodes.contains(&vec![0]));
					tally.count("refused, accepted by read_proof_check: empty trie, left out");
					continue;
				}
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
	assert!(tally.get("damaged") >= LEAST_DAMAGED, "too few were damaged");
	assert!(tally.get("accepted") > CASES / 10);
	assert!(tally.get("refused") > CASES / 10);
	for what in tally
		.0
		.keys()
		.filter(|what| what.starts_with("refused as") && what.contains("accepted by"))
	{
		let known = [
			// More than was asked for: both look at what they need, and smoldot at what hangs together.
			"refused as NodeSurplus, accepted by read_proof_check",
			"refused as NodeSurplus, accepted by smoldot",
			"refused as NodeRepeated, accepted by read_proof_check",
			// `sp_trie` does not mind what stands behind a node, nor branches that should be none.
			"refused as Malformed(ProofNode), accepted by read_proof_check",
		];
		assert!(known.contains(&&what[..]), "unexplained: {what}");
	}
}
