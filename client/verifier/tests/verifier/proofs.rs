//! Storage proofs: exactly what was asked, and nothing left out.

use crate::kit::*;
use codec::Encode;
use dpki_primitives::{ids::DeviceId, storage_keys};
use dpki_verifier::{Error, Part, Query, TrieReader, limits};
use sp_core::storage::StateVersion;
use sp_crypto_hashing::blake2_256;
use std::collections::BTreeMap;

/// The verdict about an honest answer to `drone_query` whose proof is changed like this.
fn with(change: impl FnOnce(&World, &mut Vec<Vec<u8>>)) -> Result<(), Error> {
	let (world, query) = (World::new(4), drone_query());
	let mut parts = world.answer(&query);
	change(&world, &mut parts.proof);
	world.verdict(&parts, &query).map(|_| ())
}

#[test]
fn no_node_can_be_left_out() {
	let nodes = World::new(4).answer(&drone_query()).proof.len();
	assert!(nodes > 5);
	for index in 0..nodes {
		let refused = with(|_, proof| drop(proof.remove(index)));
		assert_eq!(refused, Err(Error::NodeMissing), "{index}");
	}
	assert_eq!(with(|_, proof| proof.clear()), Err(Error::NodeMissing));
}

#[test]
fn no_node_can_be_added() {
	let more = with(|world, proof| {
		let other = world.state.prove(&[storage_keys::device(device_id("lost"))]);
		let new = other.into_iter().find(|node| !proof.contains(node)).unwrap();
		proof.push(new);
	});
	assert_eq!(more, Err(Error::NodeSurplus));
	assert_eq!(with(|_, proof| proof.push(vec![])), Err(Error::NodeSurplus));
	assert_eq!(with(|_, proof| proof.push(vec![7; 40])), Err(Error::NodeSurplus));
}

#[test]
fn no_node_is_there_twice() {
	for index in 0..World::new(4).answer(&drone_query()).proof.len() {
		let refused = with(|_, proof| proof.push(proof[index].clone()));
		assert_eq!(refused, Err(Error::NodeRepeated), "{index}");
	}
}

#[test]
fn nodes_come_in_any_order() {
	assert_eq!(with(|_, proof| proof.reverse()), Ok(()));
	assert_eq!(with(|_, proof| proof.rotate_left(3)), Ok(()));
}

#[test]
fn no_bit_of_a_node_can_be_changed() {
	let (world, query) = (World::new(4), drone_query());
	let parts = world.answer(&query);
	let root = parts.header.state_root.0;
	for node in 0..parts.proof.len() {
		for byte in 0..parts.proof[node].len() {
			let mut proof = parts.proof.clone();
			proof[node][byte] ^= 1 << (byte % 8);
			assert!(read(&root, &proof, query.keys()).is_err(), "{node} {byte}");
		}
	}
}

#[test]
fn an_answer_to_another_question_is_none() {
	let world = World::new(4);
	let (asked, other) = (drone_query(), Query::new().device(device_id("lost")).key(key_id(3)));
	let refused = world.verdict(&world.answer(&other), &asked);
	assert_eq!(refused, Err(Error::NodeMissing));
	let more = world.answer(&asked.clone().key(key_id(2)));
	assert_eq!(world.verdict(&more, &asked), Err(Error::NodeSurplus));
	let less = world.answer(&Query::new().key(key_id(1)));
	assert_eq!(world.verdict(&less, &asked), Err(Error::NodeMissing));
}

#[test]
fn a_record_that_is_absent_cannot_be_claimed() {
	// The proof comes from a state that has the record, the header from one that has not.
	let (with, without) = (World::new(4), {
		let mut entries = registry(50);
		entries.remove(&storage_keys::key(key_id(1)));
		World::with(4, entries, StateVersion::V1)
	});
	let query = drone_query();
	let mut parts = without.answer(&query);
	assert!(without.verdict(&parts, &query).is_ok());
	parts.proof = with.answer(&query).proof;
	assert_eq!(without.verdict(&parts, &query), Err(Error::NodeMissing));
}

#[test]
fn a_record_that_is_present_cannot_be_denied() {
	let (with, without) = (World::new(4), {
		let mut entries = registry(50);
		entries.remove(&storage_keys::key(key_id(1)));
		World::with(4, entries, StateVersion::V1)
	});
	let query = drone_query();
	let mut parts = with.answer(&query);
	parts.proof = without.answer(&query).proof;
	assert_eq!(with.verdict(&parts, &query), Err(Error::NodeMissing));

	// With the proof that a neighbour is absent.
	let absent = Query::new().key(dpki_primitives::ids::KeyId([0x11; 32]));
	parts.proof = with.answer(&absent).proof;
	assert_eq!(with.verdict(&parts, &query), Err(Error::NodeMissing));
}

#[test]
fn the_state_root_is_that_of_the_header() {
	let (world, query) = (World::new(4), drone_query());
	let mut parts = world.answer(&query);
	parts.header.state_root.0[0] ^= 1;
	parts.justification = justify(&world.keys, world.set_id, &parts.header);
	assert_eq!(world.verdict(&parts, &query), Err(Error::NodeMissing));
}

/// Reads all keys, and uses all nodes.
fn read(
	root: &[u8; 32],
	nodes: &[Vec<u8>],
	keys: &[Vec<u8>],
) -> Result<Vec<Option<Vec<u8>>>, Error> {
	let nodes: Vec<&[u8]> = nodes.iter().map(|node| &node[..]).collect();
	let mut reader = TrieReader::new(root, &nodes)?;
	let values = keys
		.iter()
		.map(|key| reader.read(key).map(|value| value.map(Into::into)))
		.collect::<Result<_, _>>()?;
	reader.finish()?;
	Ok(values)
}

/// What is said about `key` in a trie of this one node.
fn of_node(node: &[u8], key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
	let values = read(&blake2_256(node), &[node.to_vec()], &[key.to_vec()])?;
	Ok(values.into_iter().next().unwrap())
}

#[test]
fn the_empty_trie_holds_nothing() {
	assert_eq!(of_node(&[0], b"key"), Ok(None));
	assert_eq!(of_node(&[0], b""), Ok(None));
}

#[test]
fn keys_of_any_length_are_found() {
	for version in [StateVersion::V0, StateVersion::V1] {
		let entries: BTreeMap<_, _> = (0..=limits::MAX_KEY_LEN)
			.map(|len| (vec![len as u8; len], vec![len as u8; len % 70]))
			.collect();
		let state = State::new(entries.clone(), version);
		for (key, value) in entries {
			let keys = [key];
			let values = read(&state.root().0, &state.prove(&keys), &keys).unwrap();
			assert_eq!(values, [Some(value)]);
		}
	}
}

#[test]
fn a_key_has_a_longest_length() {
	let refused = of_node(&[0], &[0; limits::MAX_KEY_LEN + 1]);
	assert!(matches!(refused, Err(Error::TooLarge { part: Part::Key, .. })));
}

#[test]
fn nodes_out_of_form_are_refused() {
	let malformed = Err(Error::Malformed(Part::ProofNode));
	let leaf = |head: &[u8]| [head, &[4, 0xaa]].concat();
	// A leaf for the key 0x12 with the value 0xaa, in the one right form.
	assert_eq!(of_node(&leaf(&[0x42, 0x12]), &[0x12]), Ok(Some(vec![0xaa])));
	assert_eq!(of_node(&leaf(&[0x42, 0x12]), &[0x13]), Ok(None));
	for (name, node) in [
		("empty", vec![]),
		("reserved headers", vec![0x01]),
		("reserved headers", vec![0x0f, 0x12]),
		("the empty trie with something behind", vec![0, 0]),
		("padding", leaf(&[0x41, 0x12])),
		("key cut short", vec![0x42]),
		("no value", vec![0x42, 0x12]),
		("value cut short", vec![0x42, 0x12, 8, 0xaa]),
		("value length not canonical", vec![0x42, 0x12, 5, 0, 0xaa]),
		("something behind", [leaf(&[0x42, 0x12]), vec![0]].concat()),
		("hash cut short", [vec![0x22, 0x12], vec![0; 31]].concat()),
		("branch without bitmap", vec![0x82, 0x12]),
		("branch without children", vec![0xc2, 0x12, 0, 0, 4, 0xaa]),
		("branch with one child and no value", vec![0x80, 1, 0, 16, 0x41, 1, 4, 0xaa]),
		("child too long", [vec![0xc0, 1, 0, 4, 0xaa, 33 << 2], vec![0; 33]].concat()),
		("child cut short", vec![0xc0, 1, 0, 4, 0xaa, 4]),
	] {
		assert_eq!(of_node(&node, &[0x12]), malformed, "{name}");
	}
	let endless = [vec![0x7f], vec![0xff; 1000]].concat();
	assert_eq!(of_node(&endless, &[0x12]), malformed);
}

#[test]
fn an_inlined_child_is_read_in_place() {
	// A branch with the value 0xaa under the empty key, and a leaf 0xbb under 0x12 inside.
	let branch = [0xc0, 2, 0, 4, 0xaa, 16, 0x41, 0x02, 4, 0xbb];
	assert_eq!(of_node(&branch, &[0x12]), Ok(Some(vec![0xbb])));
	assert_eq!(of_node(&branch, &[]), Ok(Some(vec![0xaa])));
	assert_eq!(of_node(&branch, &[0x13]), Ok(None));
	assert_eq!(of_node(&branch, &[0x22]), Ok(None));
	assert_eq!(of_node(&branch, &[0x12, 0x34]), Ok(None));
}

#[test]
fn a_child_under_a_hash_is_too_long_to_be_inlined() {
	let leaf = [0x41, 0x02, 4, 0xbb];
	let branch = [&[0xc0, 2, 0, 4, 0xaa, 32 << 2][..], &blake2_256(&leaf)].concat();
	let refused = read(&blake2_256(&branch), &[branch, leaf.to_vec()], &[vec![0x12]]);
	assert_eq!(refused, Err(Error::Malformed(Part::ProofNode)));
}

#[test]
fn a_node_of_the_empty_trie_is_nobodys_child() {
	let branch = [0xc0, 2, 0, 4, 0xaa, 4, 0];
	assert_eq!(of_node(&branch, &[0x12]), Err(Error::Malformed(Part::ProofNode)));
}

#[test]
fn a_hashed_value_comes_with_the_proof() {
	let value = vec![7; 40];
	let leaf = [&[0x22, 0x12][..], &blake2_256(&value)].concat();
	let (root, keys) = (blake2_256(&leaf), [vec![0x12]]);
	let both = [leaf.clone(), value.clone()];
	assert_eq!(read(&root, &both, &keys), Ok(vec![Some(value)]));
	assert_eq!(read(&root, &[leaf], &keys), Err(Error::NodeMissing));
	assert_eq!(read(&root, &both, &[vec![0x13]]), Err(Error::NodeSurplus));
}

#[test]
fn a_proof_has_a_largest_size() {
	let too_many = with(|_, proof| {
		proof.extend((0..limits::MAX_PROOF_NODES as u32).map(|index| index.encode()));
	});
	assert!(matches!(too_many, Err(Error::TooLarge { part: Part::Proof, .. })));
	let too_long = with(|_, proof| proof.push(vec![0; limits::MAX_NODE_LEN + 1]));
	assert!(matches!(too_long, Err(Error::TooLarge { part: Part::ProofNode, .. })));
	let node = vec![0; limits::MAX_NODE_LEN + 1];
	assert!(matches!(TrieReader::new(&[0; 32], &[&node]), Err(Error::TooLarge { .. })));
	let nodes = vec![&[0u8][..]; limits::MAX_PROOF_NODES + 1];
	assert!(matches!(TrieReader::new(&[0; 32], &nodes), Err(Error::TooLarge { .. })));
}

#[test]
fn a_query_has_a_largest_size() {
	let world = World::new(4);
	let mut query = Query::new();
	for index in 0..limits::MAX_KEYS as u32 - 1 {
		query = query.device(DeviceId(blake2_256(&index.encode())));
	}
	assert!(world.verdict(&world.answer(&query), &query).is_ok());
	let more = query.device(DeviceId([0; 32]));
	let refused = Error::TooLarge { part: Part::Keys, found: 65, allowed: 64 };
	assert_eq!(world.verdict(&world.answer(&more), &more), Err(refused));
	let long = Query::new().storage_key(vec![0; limits::MAX_KEY_LEN + 1]);
	let refused = Error::TooLarge { part: Part::Key, found: 257, allowed: 256 };
	assert_eq!(world.verdict(&world.answer(&long), &long), Err(refused));
}

#[test]
fn the_hash_of_a_value_is_proven_without_the_value() {
	let long = vec![7; limits::MAX_NODE_LEN + 1];
	for version in [StateVersion::V0, StateVersion::V1] {
		for value in [&long[..100], &long[..3]] {
			let mut entries = registry(20);
			entries.insert(b"value".to_vec(), value.to_vec());
			let world = World::with(4, entries, version);
			let (root, proof) = (world.state.root().0, world.state.prove(&[b"value".to_vec()]));
			let nodes: Vec<&[u8]> = proof.iter().map(Vec::as_slice).collect();
			let hash = TrieReader::new(&root, &nodes).unwrap().read_hash(b"value");
			assert_eq!(hash, Ok(Some(blake2_256(value))), "{version:?}");
			let absent = world.state.prove(&[b"other".to_vec()]);
			let nodes: Vec<&[u8]> = absent.iter().map(Vec::as_slice).collect();
			assert_eq!(TrieReader::new(&root, &nodes).unwrap().read_hash(b"other"), Ok(None));
		}
	}
	let mut entries = registry(20);
	entries.insert(b"value".to_vec(), long.clone());
	let world = World::with(4, entries, StateVersion::V1);
	let (root, proof) = (world.state.root().0, world.state.prove(&[b"value".to_vec()]));
	let nodes: Vec<&[u8]> =
		proof.iter().map(Vec::as_slice).filter(|node| node.len() < long.len()).collect();
	assert_eq!(nodes.len(), proof.len() - 1, "the value is left out");
	let mut reader = TrieReader::new(&root, &nodes).unwrap();
	assert_eq!(reader.read(b"value"), Err(Error::NodeMissing));
	assert_eq!(reader.read_hash(b"value"), Ok(Some(blake2_256(&long))));
	// Without the way to it there is no hash either.
	let mut reader = TrieReader::new(&root, &nodes[1..]).unwrap();
	assert_eq!(reader.read_hash(b"value"), Err(Error::NodeMissing));
}
