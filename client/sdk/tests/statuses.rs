//! The vectors of the one status function and those of the levels, over a connection: what a node stores is turned into
//! verdicts and levels by the functions of the chain, at the time of the block and not of the client.

use codec::Encode;
use dpki_client::{
	Client, RpcClient,
	primitives::{
		status::Status,
		storage_keys,
		vectors::{self, ANCHOR, CERTIFICATE, DEVICE, KEY, Told, levels},
	},
};
use serde_json::{
	Value, json,
	value::{RawValue, to_raw_value},
};
use std::collections::BTreeMap;
use subxt_rpcs::client::{RawRpcFuture, RawRpcSubscription, RpcClientT};

/// A node with this state in its newest finalised block. It knows no more methods than reading takes.
struct Node(BTreeMap<Vec<u8>, Vec<u8>>);

impl Node {
	fn answer(&self, method: &str, params: Option<&RawValue>) -> Option<Value> {
		let hash = |byte: u8| format!("0x{}", hex::encode([byte; 32]));
		Some(match method {
			"chain_getBlockHash" => json!(hash(1)),
			"chain_getFinalizedHead" => json!(hash(2)),
			"chain_getHeader" => json!({
				"parentHash": hash(3),
				"number": "0x7",
				"stateRoot": hash(4),
				"extrinsicsRoot": hash(5),
				"digest": { "logs": [] },
			}),
			"state_getStorage" => {
				let params: Vec<String> = serde_json::from_str(params?.get()).ok()?;
				let key = hex::decode(params.first()?.strip_prefix("0x")?).ok()?;
				json!(self.0.get(&key).map(|value| format!("0x{}", hex::encode(value))))
			},
			_ => return None,
		})
	}
}

impl RpcClientT for Node {
	fn request_raw<'a>(
		&'a self,
		method: &'a str,
		params: Option<Box<RawValue>>,
	) -> RawRpcFuture<'a, Box<RawValue>> {
		let answer = self
			.answer(method, params.as_deref())
			.map(|answer| to_raw_value(&answer).unwrap());
		let refusal = || subxt_rpcs::Error::Client(format!("{method} is not known here").into());
		Box::pin(std::future::ready(answer.ok_or_else(refusal)))
	}

	fn subscribe_raw<'a>(
		&'a self,
		method: &'a str,
		_: Option<Box<RawValue>>,
		_: &'a str,
	) -> RawRpcFuture<'a, RawRpcSubscription> {
		let refusal = subxt_rpcs::Error::Client(format!("{method} is not known here").into());
		Box::pin(std::future::ready(Err(refusal)))
	}
}

#[test]
fn the_vectors_hold_over_a_connection() {
	let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
	let words = vectors::judge(
		|_| true,
		|told, now| {
			let mut state = told.state();
			state.insert(storage_keys::now(), now.encode());
			runtime.block_on(async {
				let client = Client::from_rpc(RpcClient::new(Node(state))).await.unwrap();
				let view = client.at_finalized().await.unwrap();
				assert_eq!(view.now(), now);
				match told {
					Told::Anchor(_) => view.anchor_status(ANCHOR).await,
					Told::Device(_) => view.device_status(DEVICE).await,
					Told::Key(..) => view.key_status(KEY).await,
					Told::Certificate { .. } => {
						let found = view.stored_certificate(CERTIFICATE).await.unwrap();
						let assessed = view.assessed(CERTIFICATE).await.unwrap();
						let assessed = assessed.map(|it| it.assessment.status);
						assert_eq!(found.as_ref().map(|(_, status)| *status), assessed);
						Ok(assessed.unwrap_or(Status::Unknown))
					},
					Told::Member { proof, .. } => view.member_status(&proof).await,
				}
				.unwrap()
			})
		},
	);
	assert_eq!(words.len(), 8, "each verdict is given: {words:?}");
}

#[test]
fn the_vectors_of_levels_hold_over_a_connection() {
	let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
	levels::judge(|case| {
		let mut state = case.state();
		state.insert(storage_keys::now(), case.now.encode());
		runtime.block_on(async {
			let client = Client::from_rpc(RpcClient::new(Node(state))).await.unwrap();
			let view = client.at_finalized().await.unwrap();
			let found = view.assessed(CERTIFICATE).await.unwrap();
			assert_eq!(found.as_ref().map(|found| found.record.clone()), case.record());
			found.map(|found| found.assessment)
		})
	});
}
