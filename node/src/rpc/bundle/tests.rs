// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Limits, refusals, and what is kept.

use super::*;
use crate::rpc::mock::{
	Chain,
	Change::{Forced, Proven, Strange, Unproven},
	Memory,
};
use dpki_primitives::storage_keys;
use sp_keyring::Ed25519Keyring::Eve;

/// States of which the proofs are what the test says. Left out is the trie, which is real in `client/e2e`.
#[derive(Default)]
struct Stub {
	nodes: Mutex<Vec<Vec<u8>>>,
	asked: Mutex<u64>,
}

impl States for Stub {
	fn prove(&self, _: Hash, _: &[Vec<u8>]) -> Result<Vec<Vec<u8>>, Refusal> {
		*self.asked.lock() += 1;
		Ok(self.nodes.lock().clone())
	}
}

/// A node of a chain.
struct Node {
	chain: Chain,
	states: Arc<Stub>,
	bundles: Bundles<Memory>,
}

impl Node {
	/// It can prove this block of the chain.
	fn new(chain: Chain, head: BlockNumber) -> Self {
		chain.justify(head);
		let (states, finality) = (Arc::<Stub>::default(), Arc::new(chain.finality()));
		let figures = BundleFigures::new(None).unwrap();
		let bundles = Bundles::new(states.clone(), finality, figures);
		Self { chain, states, bundles }
	}

	/// Asks for one key, with the checkpoint at this block.
	fn ask(&self, name: u8, checkpoint: BlockNumber) -> Result<Bundle, Refusal> {
		self.bundles.bundle(vec![key(name)], Some(self.chain.hash(checkpoint)))
	}

	/// How many proofs were made so far, and how many answers were kept from before.
	fn counted(&self) -> (u64, u64) {
		let Bundles { figures, .. } = &self.bundles;
		assert_eq!(figures.made.get(), *self.states.asked.lock());
		(figures.made.get(), figures.kept.get())
	}

	/// Lets proofs have nodes of these lengths.
	fn prove_with(&self, lengths: &[usize]) {
		*self.states.nodes.lock() = lengths.iter().map(|length| vec![7; *length]).collect();
	}
}

fn key(number: u8) -> Bytes {
	Bytes(vec![number; MIN_KEY_LEN])
}

#[test]
fn the_chain_time_is_always_proven() {
	assert_eq!(query(Vec::new()), Ok(Query::new()));
	assert_eq!(query(vec![Bytes(storage_keys::now())]), Ok(Query::new()));
	assert_eq!(query(vec![key(1)]).unwrap().keys().len(), 2);
}

#[test]
fn the_order_of_keys_and_repetitions_make_no_difference() {
	assert_eq!(query(vec![key(1), key(2), key(1)]), query(vec![key(2), key(1)]));
}

#[test]
fn too_many_keys_are_refused() {
	let keys = |count: usize| (0..count).map(|number| key(number as u8)).collect::<Vec<_>>();
	assert_eq!(query(keys(MAX_KEYS - 1)).unwrap().keys().len(), MAX_KEYS);
	for (count, found) in [(MAX_KEYS, MAX_KEYS + 1), (MAX_KEYS + 9, MAX_KEYS + 9)] {
		let refused = Refusal::TooManyKeys { found, allowed: MAX_KEYS };
		assert_eq!(query(keys(count)), Err(refused));
	}
}

#[test]
fn keys_that_are_not_those_of_records_are_refused() {
	for found in [0, b":code".len(), MIN_KEY_LEN - 1, MAX_KEY_LEN + 1] {
		let refused = Refusal::KeyLength { found, min: MIN_KEY_LEN, max: MAX_KEY_LEN };
		assert_eq!(query(vec![Bytes(vec![1; found])]), Err(refused));
	}
}

#[test]
fn the_same_question_costs_one_proof_for_each_block() {
	let node = Node::new(Chain::new(9, &[]), 7);
	let first = node.ask(1, 0).unwrap();
	assert_eq!((first.block_number, first.block_hash), (7, node.chain.hash(7)));
	assert_eq!(node.counted(), (1, 0));
	// Who asks in another order, for the time too, or stands elsewhere before the same changes, asks the same.
	let keys = vec![Bytes(storage_keys::now()), key(1)];
	assert_eq!(node.bundles.bundle(keys, None), Ok(first.clone()));
	assert_eq!(node.ask(1, 5), Ok(first.clone()));
	assert_eq!(node.counted(), (1, 2));

	node.chain.justify(8);
	let next = node.ask(1, 0).unwrap();
	assert_eq!(next.block_hash, node.chain.hash(8));
	assert_ne!(next.bundle, first.bundle);
	assert_eq!(node.ask(1, 0), Ok(next));
	assert_eq!(node.counted(), (2, 3));
}

#[test]
fn other_keys_and_other_changes_have_answers_of_their_own() {
	let node = Node::new(Chain::new(9, &[(2, Proven), (4, Proven)]), 8);
	let answers: Vec<_> = [(1, 0), (2, 0), (1, 3), (1, 5)]
		.map(|(key, at)| node.ask(key, at).unwrap())
		.into();
	assert_eq!(node.counted(), (4, 0));
	// Two changes, two, one, none.
	let lengths: Vec<_> = answers.iter().map(|answer| answer.bundle.len()).collect();
	assert_eq!(lengths[0], lengths[1]);
	assert!(lengths[1] > lengths[2] && lengths[2] > lengths[3], "{lengths:?}");
	for (place, (key, at)) in [(1, 1), (2, 1), (1, 2), (1, 4)].into_iter().enumerate() {
		assert_eq!(node.ask(key, at).as_ref(), Ok(&answers[place]));
	}
	assert_eq!(node.counted(), (4, 4));
}

#[test]
fn long_answers_are_not_kept() {
	let node = Node::new(Chain::new(2, &[]), 2);
	let half = MAX_CACHED_LEN / 2;
	node.prove_with(&[half, half / 2 + 1]);
	let rest = MAX_CACHED_LEN - node.ask(1, 0).unwrap().bundle.len();
	for (key, longer, kept) in [(2, 0, 1), (3, 1, 1)] {
		node.prove_with(&[half, half / 2 + 1 + rest + longer]);
		for _ in 0..2 {
			let answer = node.ask(key, 0).unwrap();
			assert_eq!(answer.bundle.len(), MAX_CACHED_LEN + longer);
		}
		assert_eq!(node.counted().1, kept);
	}
	assert_eq!(node.counted(), (4, 1));
}

#[test]
fn an_answer_that_would_be_too_long_is_refused() {
	let node = Node::new(Chain::new(2, &[]), 2);
	let refused = Refusal::AnswerTooLong { allowed: MAX_ANSWER_LEN };
	assert_eq!(refused.code(), 18_004);
	for lengths in [
		vec![1; MAX_PROOF_NODES + 1],
		vec![MAX_NODE_LEN + 1],
		vec![MAX_NODE_LEN; MAX_ANSWER_LEN / MAX_NODE_LEN + 1],
	] {
		node.prove_with(&lengths);
		assert_eq!(node.ask(1, 0).unwrap_err(), refused);
	}
	node.prove_with(&[MAX_NODE_LEN; MAX_ANSWER_LEN / MAX_NODE_LEN]);
	assert!(node.ask(1, 0).unwrap().bundle.len() > MAX_ANSWER_LEN);
}

#[test]
fn who_is_ahead_of_what_can_be_proven_is_told_to_ask_later() {
	let node = Node::new(Chain::new(9, &[]), 6);
	let refused = node.ask(1, 8).unwrap_err();
	assert_eq!(refused, Refusal::Ahead { asked: 8, newest: 6 });
	assert_eq!(refused.code(), 18_006);
	assert!(node.ask(1, 6).is_ok());
	let coming = node.chain.extend();
	let refused = node.bundles.bundle(vec![key(1)], Some(coming));
	assert_eq!(refused, Err(Refusal::Ahead { asked: 10, newest: 9 }));
	node.chain.justify(8);
	assert!(node.ask(1, 8).is_ok());
}

#[test]
fn more_changes_than_a_bundle_holds_are_refused_before_any_work() {
	let most = MAX_FRAGMENTS as BlockNumber;
	let changes: Vec<_> = (1..=most + 1).map(|number| (number, Proven)).collect();
	let node = Node::new(Chain::new(most + 2, &changes), most + 2);
	let refused = node.ask(1, 0).unwrap_err();
	let found = MAX_FRAGMENTS + 1;
	assert_eq!(refused, Refusal::TooManyChanges { found, allowed: MAX_FRAGMENTS });
	assert_eq!(refused.code(), 18_007);
	assert_eq!(node.counted(), (0, 0));
	assert!(node.ask(1, 1).is_ok());
}

#[test]
fn no_bundle_leads_over_a_forced_change() {
	let node = Node::new(Chain::new(9, &[(2, Proven), (4, Forced), (6, Proven)]), 8);
	for checkpoint in [0, 2, 3] {
		let refused = node.ask(1, checkpoint).unwrap_err();
		assert_eq!(refused, Refusal::ForcedChange { number: 4 });
		assert_eq!(refused.code(), 18_008);
	}
	assert!(node.ask(1, 4).is_ok());
}

#[test]
fn a_change_whose_proof_is_not_stored_is_refused() {
	for missing in [Unproven, Strange] {
		let node = Node::new(Chain::new(9, &[(2, Proven), (4, missing)]), 8);
		let refused = node.ask(1, 0).unwrap_err();
		assert_eq!(refused, Refusal::ChangeNotStored, "{missing:?}");
		assert_eq!(refused.code(), 18_009);
		assert!(node.ask(1, 4).is_ok());
	}
	// A node that came by a warp proof does not even know that there was one.
	let node = Node::new(Chain::new(9, &[(4, Proven)]).known_since(3), 8);
	assert_eq!(node.ask(1, 0), Err(Refusal::ChangeNotStored));
	assert!(node.ask(1, 4).is_ok());
}

#[test]
fn nothing_is_served_before_a_block_can_be_proven() {
	let node = Node::new(Chain::new(3, &[]), 2);
	node.chain.justify_by(2, &[Eve]);
	let refused = node.ask(1, 0).unwrap_err();
	assert_eq!((refused.code(), refused), (18_001, Refusal::NothingFinal));
}
