//! Views of the state by way of a node that says what it likes.

use super::*;
use codec::Encode;
use dpki_client::{
	Client, Prover, View, client::ClientError, prover::ProverError, view::ReadError,
};
use dpki_primitives::{ids::OrganisationId, storage_keys};
use dpki_verifier::Checkpoint;
use jsonrpsee::types::ErrorObjectOwned;
use liar::{Liar, Said};
use serde_json::{Value, json};
use std::sync::Arc;

pub(super) fn hex(bytes: &[u8]) -> String {
	format!("0x{}", hex::encode(bytes))
}

pub(super) fn unhex(value: &Value) -> Vec<u8> {
	hex::decode(value.as_str().unwrap().trim_start_matches("0x")).unwrap()
}

/// A node of this world that answers honestly, before `alter` has a say. What it tells without a proof is nobody's to believe.
async fn node(world: World, alter: impl Fn(&str, Value) -> Value + Send + Sync + 'static) -> Liar {
	let world = Arc::new((world, alter));
	Liar::start(move |method, parameters| {
		let world = world.clone();
		async move {
			let (world, alter) = &*world;
			answer(world, method, &parameters).map(|answer| alter(method, answer))
		}
	})
	.await
}

fn answer(world: &World, method: &str, parameters: &[Value]) -> Said {
	let header = world.block(20, &[]);
	Ok(match method {
		"chain_getBlockHash" => hex(&kit::GENESIS).into(),
		"dpki_bundle" => json!({
			"blockNumber": 20,
			"blockHash": hex(header.hash().as_bytes()),
			"bundle": hex(&world.answer(&Query::new().bind_genesis()).encode()),
		}),
		"chain_getHeader" => serde_json::to_value(&header).unwrap(),
		"state_getReadProof" => {
			assert_eq!(unhex(&parameters[1]), header.hash().as_bytes(), "at the proven block");
			let keys: Vec<_> = parameters[0].as_array().unwrap().iter().map(unhex).collect();
			let proof: Vec<_> = world.state.prove(&keys).iter().map(|node| hex(node)).collect();
			json!({ "at": parameters[1], "proof": proof })
		},
		_ => return Err(ErrorObjectOwned::owned(-32_601, "nobody asked for a proof", None::<()>)),
	})
}

async fn prover_at(node: &Liar, checkpoint: Checkpoint) -> Result<Prover<Zebra>, ProverError> {
	let client = Client::connect(&node.url()).await.unwrap();
	Prover::new(client, &node.url(), checkpoint, Zebra)
}

async fn view_at(node: &Liar) -> Result<View, ProverError> {
	prover_at(node, World::new(4).checkpoint).await?.view(fresh()).await
}

/// A world in which the drone has another key than in that of the others.
fn other_state() -> World {
	let mut entries = kit::registry(50);
	let made_up = kit::key_record("drone", 99, None);
	entries.insert(storage_keys::key(key_id(1)), made_up.encode());
	World::with(4, entries, StateVersion::V1)
}

#[tokio::test]
async fn records_are_proven_and_so_is_it_that_there_are_none() {
	let honest = node(World::new(4), |_, answer| answer).await;
	let mut prover = prover_at(&honest, World::new(4).checkpoint).await.unwrap();
	let view = prover.view(fresh()).await.unwrap();
	assert!(view.is_proven());
	assert_eq!((view.head().number, view.now()), (20, kit::TIME));
	assert_eq!(prover.checkpoint().number, 20, "the next one begins there");
	let drone = kit::device_id("drone");
	assert_eq!(view.device(drone).await.unwrap(), Some(kit::device_record("drone", None)));
	assert_eq!(view.key(key_id(1)).await.unwrap(), Some(kit::key_record("drone", 1, None)));
	assert!(view.key_status(key_id(1)).await.unwrap().is_valid());
	assert!(!view.key_status(key_id(2)).await.unwrap().is_valid(), "it is revoked");
	assert_eq!(view.device(kit::device_id("nobody")).await.unwrap(), None);
	assert!(view.device_keys(drone).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_record_that_is_not_proven_is_not_believed() {
	type Lie = fn(Value) -> Value;
	let lies: [(&str, Lie); 5] = [
		("another value", |answer| {
			let public = hex::encode([1; 32]);
			let text = answer.to_string();
			assert!(text.contains(&public), "the key is in its proof");
			serde_json::from_str(&text.replace(&public, &hex::encode([99; 32]))).unwrap()
		}),
		("the proof of another state", |_| {
			let proof = other_state().state.prove(&[storage_keys::key(key_id(1))]);
			json!({ "proof": proof.iter().map(|node| hex(node)).collect::<Vec<_>>() })
		}),
		("no proof", |_| json!({ "proof": [] })),
		("half a proof", |mut answer| {
			answer["proof"].as_array_mut().unwrap().pop();
			answer
		}),
		("more than the proof", |mut answer| {
			answer["proof"].as_array_mut().unwrap().push(hex(&[7; 40]).into());
			answer
		}),
	];
	for (lie, alter) in lies {
		let lying = node(World::new(4), move |method, answer| match method {
			"state_getReadProof" => alter(answer),
			_ => answer,
		})
		.await;
		let view = view_at(&lying).await.unwrap();
		let error = view.key(key_id(1)).await.expect_err(lie);
		let expected = matches!(
			error,
			ReadError::Unproven { error: Unproven::NodeMissing | Unproven::NodeSurplus, .. }
		);
		assert!(expected, "{lie}: {error}");
	}
}

#[tokio::test]
async fn an_answer_that_is_no_proof_is_told_apart() {
	for wrong in [json!({ "proof": ["0x0g"] }), json!({ "proof": 7 }), Value::Null] {
		let shown = wrong.to_string();
		let lying = node(World::new(4), move |method, answer| match method {
			"state_getReadProof" => wrong.clone(),
			_ => answer,
		})
		.await;
		let error = view_at(&lying).await.unwrap().key(key_id(1)).await.expect_err(&shown);
		let expected = matches!(error, ReadError::Malformed { .. } | ReadError::Request { .. });
		assert!(expected, "{shown}: {error}");
	}
}

#[tokio::test]
async fn a_head_that_is_not_final_has_no_view() {
	let forged = other_state().answer(&Query::new().bind_genesis());
	let bundle = |bundle: Vec<u8>| {
		node(World::new(4), move |method, mut answer| {
			if method == "dpki_bundle" {
				answer["bundle"] = hex(&bundle).into();
			}
			answer
		})
	};
	let mut stranger = other_state();
	stranger.keys = kit::keys(100, 4);
	let stranger = stranger.answer(&Query::new().bind_genesis());
	let mut grafted = forged;
	grafted.justification = World::new(4).answer(&Query::new()).justification;
	for lie in [stranger.encode(), grafted.encode()] {
		let error = view_at(&bundle(lie).await).await.unwrap_err();
		assert!(matches!(error, ProverError::Unproven(_)), "{error}");
	}
	let old = World::new(4).answer_at(9, &Query::new().bind_genesis()).encode();
	let error = view_at(&bundle(old).await).await.unwrap_err();
	assert!(error.to_string().contains("older"), "{error}");
}

#[tokio::test]
async fn the_root_of_the_state_is_that_of_the_proven_header_and_no_other() {
	let lying = node(World::new(4), |method, answer| match method {
		"chain_getHeader" => serde_json::to_value(other_state().block(20, &[])).unwrap(),
		_ => answer,
	})
	.await;
	let error = view_at(&lying).await.unwrap_err();
	assert!(matches!(error, ProverError::Client(ClientError::Malformed { .. })), "{error}");
}

#[tokio::test]
async fn the_checkpoint_of_another_chain_is_refused() {
	let honest = node(World::new(4), |_, answer| answer).await;
	let checkpoint = Checkpoint { genesis: [1; 32], ..World::new(4).checkpoint };
	let error = prover_at(&honest, checkpoint).await.unwrap_err();
	assert!(matches!(error, ProverError::OtherChain), "{error}");
}

#[tokio::test]
async fn what_has_no_proof_is_not_asked_of_a_node_that_is_not_believed() {
	let honest = node(World::new(4), |_, answer| answer).await;
	let view = view_at(&honest).await.unwrap();
	let listed = view.devices_of(OrganisationId([1; 32]), 0).await.map(|_| ());
	assert!(matches!(listed, Err(ReadError::Unprovable { .. })), "{listed:?}");
}
