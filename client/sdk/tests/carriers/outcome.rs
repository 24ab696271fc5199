//! What became of a transaction, and of motions, by way of a node that says what it likes.

use super::{
	prover::{hex, unhex},
	*,
};
use codec::Encode;
use dpki_client::{Client, Included, Prover, SubmitError, View, view::ReadError};
use dpki_primitives::{
	motion::{Electorate, MotionRecord, MotionState, Quorum, Tally},
	storage_keys,
};
use jsonrpsee::types::ErrorObjectOwned;
use kit::{GENESIS, Header, Parts, State};
use liar::Liar;
use serde_json::{Value, json};
use sp_core::H256;
use sp_crypto_hashing::blake2_256;
use sp_runtime::traits::{BlakeTwo256, Hash, Header as _};
use std::{collections::BTreeMap, sync::Arc};

/// `System.ExtrinsicSuccess` and `System.ExtrinsicFailed` with `DispatchError::BadOrigin`, of no weight.
const SUCCESS: &[u8] = &[0, 0, 0, 0, 0, 0];
const FAILURE: &[u8] = &[0, 1, 2, 0, 0, 0, 0];

/// `System.Events`.
fn events_key() -> Vec<u8> {
	let key = "26aa394eea5630e07c48ae0c9558cef780d41e5e16056765bc8461851072c9d7";
	hex::decode(key).unwrap()
}

/// What happened in a block: this in each transaction, in its order.
fn events(of: &[&[u8]]) -> Vec<u8> {
	let records = of.iter().zip(0u32..).map(|(event, index)| {
		// In which transaction, what, and that nobody is told of it by a topic.
		[&[0][..], &index.to_le_bytes(), event, &[0]].concat()
	});
	let records: Vec<_> = records.collect();
	[codec::Compact(records.len() as u32).encode(), records.concat()].concat()
}

/// A transaction as a node tells it: with its length before it.
fn transaction(number: u16) -> Vec<u8> {
	vec![number as u8, (number >> 8) as u8, 9, 9, 9].encode()
}

/// Blocks 18 to 20, of which the last is proven to be final; the first holds transactions.
struct Chain {
	world: World,
	state: State,
	body: Vec<Vec<u8>>,
	headers: Vec<Header>,
}

impl Chain {
	/// With this in each of its transactions.
	fn new(of: &[&[u8]]) -> Self {
		let entries = [(events_key(), events(of))].into_iter().chain(kit::registry(50));
		Self::with(World::new(4), of.len(), entries.collect())
	}

	fn with(world: World, transactions: usize, entries: BTreeMap<Vec<u8>, Vec<u8>>) -> Self {
		let state = State::new(entries, StateVersion::V1);
		let body: Vec<_> = (0..transactions as u16).map(transaction).collect();
		let root = BlakeTwo256::ordered_trie_root(body.clone(), StateVersion::V0);
		let first = Header::new(18, root, state.root(), H256([7; 32]), Default::default());
		let next = |number, parent: &Header, root| kit::header(number, parent.hash(), root, &[]);
		let second = next(19, &first, H256([8; 32]));
		let third = next(20, &second, world.state.root());
		Self { world, state, body, headers: vec![first, second, third] }
	}

	fn header(&self, hash: &[u8]) -> Option<&Header> {
		self.headers.iter().find(|header| header.hash().as_bytes() == hash)
	}

	fn bundle(&self) -> Vec<u8> {
		let (header, query) = (self.headers[2].clone(), Query::new().bind_genesis());
		let justification = kit::justify(&self.world.keys, self.world.set_id, &header);
		let proof = self.world.state.prove(query.keys());
		Parts { fragments: Vec::new(), header, justification, proof }.encode()
	}

	/// The transaction at this index, where the node says that it is.
	fn included(&self, index: u16) -> Included {
		let extrinsic = blake2_256(&transaction(index));
		Included { block: self.headers[0].hash().0, extrinsic }
	}

	fn answer(&self, method: &str, parameters: &[Value]) -> Option<Value> {
		Some(match method {
			"chain_getBlockHash" => hex(&GENESIS).into(),
			"dpki_bundle" => json!({
				"blockNumber": 20,
				"blockHash": hex(self.headers[2].hash().as_bytes()),
				"bundle": hex(&self.bundle()),
			}),
			"chain_getHeader" => {
				let header = self.header(&unhex(&parameters[0]));
				header.map_or(Value::Null, |header| serde_json::to_value(header).unwrap())
			},
			"chain_getBlock" => {
				let header = self.header(&unhex(&parameters[0]))?;
				let body: Vec<_> = self.body.iter().map(|bytes| hex(bytes)).collect();
				json!({ "block": { "header": header, "extrinsics": body } })
			},
			"state_getReadProof" => {
				let keys: Vec<_> = parameters[0].as_array()?.iter().map(unhex).collect();
				let is_first = unhex(&parameters[1]) == self.headers[0].hash().as_bytes();
				let state = if is_first { &self.state } else { &self.world.state };
				let proof: Vec<_> = state.prove(&keys).iter().map(|node| hex(node)).collect();
				json!({ "at": parameters[1], "proof": proof })
			},
			_ => return None,
		})
	}
}

/// A node of this chain that answers honestly, before `alter` has a say.
async fn node(chain: Chain, alter: impl Fn(&str, Value) -> Value + Send + Sync + 'static) -> Liar {
	let chain = Arc::new((chain, alter));
	Liar::start(move |method, parameters| {
		let chain = chain.clone();
		async move {
			let (chain, alter) = &*chain;
			let answer = chain.answer(method, &parameters);
			let unknown = || ErrorObjectOwned::owned(-32_601, "nobody asks this", None::<()>);
			answer.map(|answer| alter(method, answer)).ok_or_else(unknown)
		}
	})
	.await
}

/// The state of block 20, as it is proven.
async fn view_at(node: &Liar) -> View {
	let client = Client::connect(&node.url()).await.unwrap();
	let mut prover = Prover::new(client, &node.url(), World::new(4).checkpoint, Zebra).unwrap();
	prover.view(fresh()).await.unwrap()
}

/// What a node proves that alters its answers so.
async fn proven(
	chain: Chain,
	included: Included,
	alter: impl Fn(&str, Value) -> Value + Send + Sync + 'static,
) -> Result<dpki_client::Finalized, SubmitError> {
	view_at(&node(chain, alter).await).await.outcome(&included).await
}

fn honest(_: &str, answer: Value) -> Value {
	answer
}

#[tokio::test]
async fn what_a_transaction_did_is_proven() {
	let chain = Chain::new(&[SUCCESS, FAILURE, SUCCESS]);
	let (third, second) = (chain.included(2), chain.included(1));
	let hash = chain.headers[0].hash().0;
	let done = proven(chain, third, honest).await.unwrap();
	assert_eq!((done.number, done.hash, done.extrinsic), (18, hash, third.extrinsic));
	assert!(done.proven);
	let names: Vec<_> = done.events.iter().map(|event| &event.name[..]).collect();
	assert_eq!(names, ["ExtrinsicSuccess"]);
	let failed = proven(Chain::new(&[SUCCESS, FAILURE, SUCCESS]), second, honest).await;
	assert!(matches!(failed, Err(SubmitError::Failed { .. })), "{failed:?}");
}

#[tokio::test]
async fn a_transaction_of_which_the_block_does_not_say_once_what_became_of_it_is_no_success() {
	let record = |index: u32, event: &[u8]| [&[0][..], &index.to_le_bytes(), event, &[0]].concat();
	let of = |count: u32, records: &[Vec<u8>]| {
		[codec::Compact(count).encode(), records.concat()].concat()
	};
	let (done, failed) = (record(0, SUCCESS), record(0, FAILURE));
	let other = record(1, SUCCESS);
	for (expected, events) in [
		("does not say what became of it", Vec::new()),
		("does not say what became of it", of(0, &[])),
		("does not say what became of it", of(1, std::slice::from_ref(&other))),
		("does not say what became of it", of(2, &[done.clone(), done.clone()])),
		("does not say what became of it", of(2, &[done.clone(), failed.clone()])),
		("does not say what became of it", of(2, &[failed.clone(), failed])),
		("tells of 3 events and has 2", of(3, &[done, other])),
	] {
		let entries = [(events_key(), events)].into_iter().chain(kit::registry(50)).collect();
		let chain = Chain::with(World::new(4), 2, entries);
		let included = chain.included(0);
		let error = proven(chain, included, honest).await.expect_err(expected);
		assert!(matches!(error, SubmitError::ResultUnreadable { .. }), "{error}");
		assert!(error.to_string().contains(expected), "{expected}: {error}");
		assert!(error.may_be_included());
	}
}

#[tokio::test]
async fn a_block_in_which_much_happens_proves_it_too() {
	let all = [SUCCESS].repeat(4000);
	assert!(events(&all).len() > dpki_verifier::limits::MAX_NODE_LEN);
	let chain = Chain::new(&all);
	let last = chain.included(3999);
	let done = proven(chain, last, honest).await.unwrap();
	assert_eq!(done.events.len(), 1);
}

#[tokio::test]
async fn a_node_that_says_that_a_transaction_is_final_has_to_prove_it() {
	type Lie = fn(&str, Value) -> Value;
	let lies: [(&str, Lie); 4] = [
		("not the transactions", |method, mut answer| {
			if method == "chain_getBlock" {
				answer["block"]["extrinsics"][0] = hex(&transaction(9)).into();
			}
			answer
		}),
		("not the transactions", |method, mut answer| {
			if method == "chain_getBlock" {
				answer["block"]["extrinsics"].as_array_mut().unwrap().swap(0, 1);
			}
			answer
		}),
		("is not proven", |method, mut answer| {
			// Another one was the one that failed.
			if method == "state_getReadProof" {
				let other = Chain::new(&[FAILURE, SUCCESS]).state.prove(&[events_key()]);
				answer["proof"] = other.iter().map(|node| hex(node)).collect();
			}
			answer
		}),
		("is not proven", |method, mut answer| {
			// Short values lie in the nodes that lead to them, so that nothing can be left out but all.
			if method == "state_getReadProof" {
				answer["proof"] = json!([]);
			}
			answer
		}),
	];
	for (expected, lie) in lies {
		let chain = Chain::new(&[SUCCESS, FAILURE]);
		let included = chain.included(1);
		let error = proven(chain, included, lie).await.expect_err(expected);
		assert!(matches!(error, SubmitError::Unproven { .. }), "{error}");
		assert!(error.to_string().contains(expected), "{expected}: {error}");
		assert!(error.may_be_included());
	}
}

#[tokio::test]
async fn a_block_of_another_branch_or_of_later_or_without_it_proves_nothing() {
	let refused = async |alter: fn(&mut Chain) -> Included| {
		let mut chain = Chain::new(&[SUCCESS, SUCCESS]);
		let included = alter(&mut chain);
		let error = proven(chain, included, honest).await.unwrap_err();
		assert!(matches!(error, SubmitError::Unproven { .. }), "{error}");
		error.to_string()
	};
	// Another block 18, with a body and a state as good as those of the right one.
	let sentence = refused(|chain| {
		let mut fork = chain.headers[0].clone();
		fork.parent_hash = H256([9; 32]);
		chain.headers.push(fork.clone());
		Included { block: fork.hash().0, ..chain.included(1) }
	})
	.await;
	assert!(sentence.contains("no ancestor of block 20"), "{sentence}");
	let sentence = refused(|chain| {
		let later = kit::header(21, chain.headers[2].hash(), H256([8; 32]), &[]);
		chain.headers.push(later.clone());
		Included { block: later.hash().0, ..chain.included(1) }
	})
	.await;
	assert!(sentence.contains("too far from block 20"), "{sentence}");
	let sentence = refused(|chain| chain.included(7)).await;
	assert!(sentence.contains("the block does not hold it"), "{sentence}");
	let sentence = refused(|chain| Included { block: [7; 32], ..chain.included(1) }).await;
	assert!(sentence.contains("not the header"), "{sentence}");
}

/// A motion with this call, where the call that lies beside it is that one.
fn motion(proposed: &[u8], stored: &[u8]) -> Chain {
	let record: dpki_client::view::Motion = MotionRecord {
		electorate: Electorate::Council,
		proposer: [3; 32],
		reason: b"why".to_vec().try_into().unwrap(),
		call_hash: blake2_256(proposed),
		call_len: proposed.len() as u32,
		transaction_version: 1,
		proposed_at: 1,
		deadline: 100,
		deposit: 5,
		ballots: 1,
		tally: Tally { ayes: 1, nays: 0, quorum: Quorum::two_thirds(4) },
		state: MotionState::Open,
	};
	let mut entries = kit::registry(50);
	entries.insert(storage_keys::motion(7), record.encode());
	entries.insert(storage_keys::motion_call(7), stored.encode());
	Chain::with(World::with(4, entries, StateVersion::V1), 0, kit::registry(1))
}

#[tokio::test]
async fn the_call_of_a_motion_is_proven_however_long_it_is() {
	for call in [vec![1; 3], vec![2; 100], vec![3; 65_536]] {
		let node = node(motion(&call, &call), honest).await;
		let view = view_at(&node).await;
		let (record, stored) = view.stored_motion(7).await.unwrap().expect("it is there");
		assert_eq!((record.call_hash, &stored), (blake2_256(&call), &call));
		assert_eq!(view.stored_motion(8).await.unwrap(), None);
		assert!(matches!(view.motion(7).await, Err(ReadError::Unprovable { .. })));
	}
}

#[tokio::test]
async fn another_call_than_was_proposed_is_not_shown() {
	for (real, made_up) in [(vec![1; 3], vec![2; 3]), (vec![1; 50_000], vec![2; 50_000])] {
		// One that the node has made up.
		let other = motion(&made_up, &made_up).world.state.prove(&[storage_keys::motion_call(7)]);
		let other: Value = other.iter().map(|node| hex(node)).collect();
		let calls = hex(&storage_keys::motion_call(7));
		let lying = Liar::start({
			let chain = Arc::new(motion(&real, &real));
			move |method, parameters| {
				let (chain, other, calls) = (chain.clone(), other.clone(), calls.clone());
				async move {
					let is_call = method == "state_getReadProof" && parameters[0][0] == calls;
					let answer = chain.answer(method, &parameters);
					let answer = answer.filter(|_| !is_call);
					Ok(answer.unwrap_or_else(|| json!({ "proof": other })))
				}
			}
		})
		.await;
		let error = view_at(&lying).await.stored_motion(7).await.unwrap_err();
		assert!(matches!(error, ReadError::Unproven { .. }), "{error}");
	}
	// A state in which the two do not belong together is no chain's.
	let node = node(motion(&[1; 40], &[2; 40]), honest).await;
	let view = view_at(&node).await;
	let error = view.stored_motion(7).await.unwrap_err();
	assert!(matches!(error, ReadError::Malformed { .. }), "{error}");
}
