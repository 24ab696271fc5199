//! Who makes and finalises blocks, changed by vote on a chain that goes on meanwhile.

use codec::Decode;
use dpki_client::{Account, Client, Head};
use dpki_e2e::{Dpki, Node, PATIENCE, Workspace, hex};
use dpki_light::LightClient;
use dpki_verifier::{AuthoritySet, Checkpoint, Verifier, Zebra};
use futures::StreamExt;
use serde_json::{Value, json};
use std::time::Duration;
use subxt_rpcs::client::rpc_params;

/// Blocks per session.
const LENGTH: u32 = 8;

/// How the pre-runtime digest of Aura begins in a header: its kind, its engine, and the length of a slot number.
const SLOT_DIGEST: &str = "0x066175726120";

async fn ask(client: &Client, method: &str, params: subxt_rpcs::client::RpcParams) -> Value {
	client.rpc().request(method, params).await.expect("it is answered")
}

/// The number of the slot in which a block was made.
async fn slot(client: &Client, head: &Head) -> u64 {
	let header = ask(client, "chain_getHeader", rpc_params![hex(&head.hash)]).await;
	let logs = header["digest"]["logs"].as_array().expect("a header has a digest");
	let digits = logs
		.iter()
		.filter_map(Value::as_str)
		.find_map(|log| log.strip_prefix(SLOT_DIGEST))
		.expect("Aura tells the slot");
	let bytes = bytes(digits);
	u64::from_le_bytes(bytes.try_into().expect("a slot number has eight bytes"))
}

fn bytes(digits: &str) -> Vec<u8> {
	hex::decode(digits.trim_start_matches("0x")).expect("hexadecimal digits")
}

/// Waits for a finalised block of which `is_it` is true.
async fn finalised(client: &Client, is_it: impl AsyncFn(&Head) -> bool) -> Head {
	let mut heads = client.finalized_heads();
	loop {
		// Each block may take as long as anything.
		let head = tokio::time::timeout(PATIENCE, heads.next()).await.expect("finality goes on");
		if let Ok(head) = head.expect("the stream has no end")
			&& is_it(&head).await
		{
			return head;
		}
	}
}

/// A device that knows the genesis and its authorities.
async fn new_device(client: &Client) -> Verifier<Zebra> {
	let genesis = client.genesis_hash();
	let params = rpc_params!["GrandpaApi_grandpa_authorities", "0x", hex(&genesis)];
	let answer = ask(client, "state_call", params).await;
	let bytes = bytes(answer.as_str().expect("bytes"));
	let authorities = Vec::<([u8; 32], u64)>::decode(&mut &*bytes).expect("authorities");
	let authorities = authorities.into_iter().map(|(key, _)| key).collect();
	let set = AuthoritySet::new(0, authorities).expect("a set of authorities");
	Verifier::new(Checkpoint { genesis, set, number: 0, hash: genesis }, Zebra)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_validator_is_voted_in_and_makes_and_finalises_blocks() {
	let (first, second) = (Workspace::new("validator-1"), Workspace::new("validator-2"));
	let node = Node::start_altered(&first, |genesis| {
		genesis["timing"]["sessionLength"] = LENGTH.into();
	});
	let mut joined = node.join(&second).await;
	let (alice, bob) = (Dpki::new(&node, "//Alice"), Dpki::new(&joined, "//Bob"));
	let client = node.client().await;
	let mut device = new_device(&client).await;
	let spec = std::fs::read_to_string(&node.spec).expect("the node has a specification");
	let peers = [node.peer_address().await, joined.peer_address().await];
	let light = LightClient::start(&spec, &peers, client.genesis_hash()).await.expect("starts");

	let early = bob.refused(["node", "rotate-keys", "--yes"]);
	assert!(early.contains("NoAssociatedValidatorId"), "{early}");
	assert_eq!(alice.ok(["validator", "add", "//Bob"])["state"], "carried");
	let waits = &alice.ok(["validator", "list"])[0];
	assert_eq!(
		(&waits["standing"], &waits["serves"], &waits["has_keys"]),
		(&json!("enabled"), &json!(false), &json!(false))
	);
	bob.ok(["node", "rotate-keys", "--yes"]);

	// Two of two have to vote now, so that nothing is finalised without Bob's.
	let bob_account = waits["account_id"].clone();
	let begun = finalised(&client, async |head: &Head| {
		let serving = client.at(*head).serving_validators().await.expect("it is read");
		serving.iter().any(|validator| hex(validator) == bob_account)
	})
	.await;
	assert_eq!(begun.number % LENGTH, 0, "a set begins with its session");
	// Bob's account is the lower one: the even slots are his.
	let authored = finalised(&client, async |head: &Head| {
		head.number > begun.number && slot(&client, head).await % 2 == 0
	})
	.await;
	assert!(authored.number > begun.number);

	// A device follows the change, and so does a light client.
	let answer = ask(&client, "dpki_warpFragments", rpc_params![Value::Null]).await;
	let fragments = bytes(answer["fragments"].as_str().expect("bytes"));
	let checkpoint = device.advance(&fragments).expect("it is proven");
	assert_eq!((checkpoint.number, checkpoint.set.id()), (begun.number, 1));
	let tied = async {
		let mut known = light.checkpoint();
		while known.set.id() == 0 {
			known = light.checkpoint_after(&known).await.expect("it is not led astray");
		}
		light.tied().await.expect("it has met the authorities")
	};
	let tied = tokio::time::timeout(PATIENCE, tied).await.expect("the light client follows");
	assert_eq!(tied.set.id(), 1);

	// Without the second validator blocks are made and none is finalised; when it is back, all of them are.
	assert_eq!(alice.ok(["validator", "list"])[0]["serves"], true);
	joined.stop();
	let stopped = client.finalized_head().await.expect("the node answers").number;
	let ahead = async {
		loop {
			let best = ask(&client, "chain_getHeader", rpc_params![]).await;
			let number = best["number"].as_str().expect("a number").trim_start_matches("0x");
			let number = u32::from_str_radix(number, 16).expect("hexadecimal digits");
			if number > stopped + 5 {
				return number;
			}
			tokio::time::sleep(Duration::from_millis(100)).await;
		}
	};
	let ahead = tokio::time::timeout(PATIENCE, ahead).await.expect("blocks are made");
	// What it had voted on when it was stopped may still have come through.
	let finalized = client.finalized_head().await.expect("the node answers").number;
	assert!(finalized < ahead - 2, "{finalized} of {ahead} was finalised by one of two");
	joined.resume();
	finalised(&client, async |head: &Head| head.number > ahead).await;
}

/// How many final blocks there are for two nodes with the same keys to be caught.
const LONGEST_LIE: u32 = 200;

#[tokio::test(flavor = "multi_thread")]
async fn a_validator_whose_keys_are_in_two_nodes_is_reported_and_leaves() {
	let workspace = Workspace::new("twice");
	let alice = Node::start_local(&workspace, |genesis| {
		genesis["timing"]["sessionLength"] = LENGTH.into();
	});
	let bob = Node::beside(&workspace, "bob", &[&alice], &["--bob"]).await;
	let charlie = Node::beside(&workspace, "charlie", &[&alice, &bob], &["--charlie"]).await;
	let all = [&alice, &bob, &charlie];
	let _dave = Node::beside(&workspace, "dave", &all, &["--dave"]).await;
	let client = alice.client().await;
	let before = finalised(&client, async |head: &Head| head.number > 2).await;
	let serving = client.at(before).serving_validators().await.expect("it is read");
	assert_eq!(serving.len(), 4);

	// As if somebody had copied the keystore to a spare machine and started it, to be safe.
	let _spare = Node::beside(&workspace, "spare", &all, &["--dave"]).await;
	let dave = Account::from_uri("//Dave").expect("a development account").id();
	let gone = finalised(&client, async |head: &Head| {
		assert!(head.number < before.number + LONGEST_LIE, "two votes by one key are not noticed");
		let serving = client.at(*head).serving_validators().await.expect("it is read");
		!serving.contains(&dave)
	})
	.await;
	// By what was proven alone: nobody has voted on it, and the others stay.
	let view = client.at(gone);
	assert_eq!(view.serving_validators().await.expect("it is read").len(), 3);
	assert!(view.motions(0).await.expect("they are read").is_empty());
	let after = finalised(&client, async |head: &Head| head.number > gone.number + LENGTH).await;
	assert_eq!(client.at(after).serving_validators().await.expect("it is read").len(), 3);
	// What it did is forgotten with it.
	let records = client.at(after).validators().await.expect("they are read");
	assert!(records.iter().all(|record| record.account != dave), "{records:?}");
}
