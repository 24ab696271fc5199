//! The rules of a chain are replaced while it runs: nobody stops, nobody is left behind.

use codec::{Decode, Encode};
use dpki_client::{
	Account, Client, Fit, Head, RuntimeVersion, View, calls,
	primitives::{
		device::DeviceRecord,
		ids::{DeviceId, OrganisationId},
		revocation::RevocationReason,
		status::Status,
		storage_keys,
	},
};
use dpki_e2e::{
	Dpki, Fleet, Node, PATIENCE, Workspace, block, hex,
	proofs::{new_device, reach},
};
use dpki_light::LightClient;
use dpki_verifier::Query;
use futures::StreamExt;
use serde_json::{Value, json};
use sp_crypto_hashing::{blake2_256, twox_128};
use sp_maybe_compressed_blob::{CODE_BLOB_BOMB_LIMIT, compress_weakly};
use ssh_key::{Algorithm, LineEnding, PrivateKey, rand_core::OsRng};
use std::{fmt::Write, path::PathBuf, time::Duration};
use subxt_rpcs::client::rpc_params;

/// How many devices the rehearsal migrates in a block, once it has migrated so many.
fn most_per_block(visited: u32) -> u32 {
	(visited / 4).clamp(32, 256)
}

/// How many devices are enrolled before the upgrade, as many as a short test has time for.
const ENROLLED: u32 = 200;

/// From so many devices on the blocks are made faster.
const LARGE: u32 = 10_000;

/// How many devices are on the chain when it is upgraded: `DPKI_UPGRADE_DEVICES`, or those that are [enrolled](ENROLLED). What
/// there are more have been in the state from its first block on.
fn devices() -> u32 {
	let asked = std::env::var("DPKI_UPGRADE_DEVICES").ok();
	let asked =
		asked.map_or(ENROLLED, |number| number.parse().expect("DPKI_UPGRADE_DEVICES is a number"));
	asked.max(ENROLLED)
}

/// The record of the device of this number in the state of the first block, as if somebody had enrolled it.
fn grown(number: u32) -> (Vec<u8>, Vec<u8>) {
	let organisation = OrganisationId::from_name(b"grown");
	let name = format!("device-{number:08}").into_bytes();
	let id = DeviceId::from_name(organisation, &name);
	let record = DeviceRecord {
		organisation,
		name: name.try_into().expect("it is short"),
		enrolled_at: 1_700_000_000_000,
		keys_registered: 1,
		withdrawal: Default::default(),
	};
	(storage_keys::device(id), record.encode())
}

/// The code of the runtime that comes after the one of the node, as a release is.
pub fn next_runtime() -> Vec<u8> {
	let code = dpki_rehearsal::WASM_BINARY
		.expect("the runtime for rehearsals was not built: build without SKIP_WASM_BUILD");
	// What is built for tests is not compressed, and fits into no block.
	compress_weakly(code, CODE_BLOB_BOMB_LIMIT).expect("it can be compressed")
}

/// Waits for a finalised block of which `is_it` is true.
async fn finalised(client: &Client, is_it: impl AsyncFn(&View) -> bool) -> View {
	let mut heads = client.finalized_heads();
	loop {
		// Each block may take as long as anything: a large state takes many.
		let next = tokio::time::timeout(PATIENCE, heads.next()).await.expect("finality goes on");
		if let Some(Ok(head)) = next {
			let view = client.at(head);
			if is_it(&view).await {
				return view;
			}
		}
	}
}

/// A table of devices with a key for each, as it leaves a factory.
fn table(workspace: &Workspace, number: u32) -> PathBuf {
	let mut table = "name,purpose,key\n".to_owned();
	for index in 0..number {
		let key = PrivateKey::random(&mut OsRng, Algorithm::Ed25519).expect("a key can be made");
		let file = format!("batch-{index}.key");
		key.write_openssh_file(&workspace.join(&file), LineEnding::LF)
			.expect("writes the key");
		writeln!(table, "batch-{index},sign,{file}").expect("it is text");
	}
	let path = workspace.join("devices.csv");
	std::fs::write(&path, table).expect("writes the table");
	path
}

/// How many devices the migration of the rehearsal has visited.
async fn visited(client: &Client, view: &View) -> u32 {
	let key = [twox_128(b"Rehearsal"), twox_128(b"Visited")].concat();
	let params = rpc_params![hex(&key), hex(&view.head().hash)];
	let value: Option<String> =
		client.rpc().request("state_getStorage", params).await.expect("it is answered");
	let bytes = value.map(|value| hex::decode(&value[2..]).expect("hexadecimal digits"));
	bytes.map_or(0, |bytes| u32::decode(&mut &*bytes).expect("a number"))
}

/// Between these blocks all devices were migrated, a few of them in each block.
async fn migrated_in_steps(client: &Client, from: u32, to: u32) {
	let total = devices() + 1;
	let mut last = 0;
	for number in from..=to {
		let view = client.at(Head { number, hash: block_hash(client, number).await, time: 0 });
		let now = visited(client, &view).await;
		// Each step does all that it may, and there is none without it.
		let due = total.min(last + most_per_block(last));
		assert!(now == due || (last == 0 && now == 0), "{last} and {now} at block {number}");
		if now > 0 && now < total {
			let migration = view.migration().await.expect("it is read").expect("it is going on");
			assert_eq!(migration.id, b"rehearsal/devices");
		}
		last = now;
	}
	assert_eq!(last, total);
}

/// The hash of a block; a node that came by proofs of finality fetches the blocks before afterwards, so it is waited for.
async fn block_hash(client: &Client, number: u32) -> [u8; 32] {
	let waiting = async {
		loop {
			let params = rpc_params![number];
			let found: Option<String> = client
				.rpc()
				.request("chain_getBlockHash", params)
				.await
				.expect("it is answered");
			if let Some(found) = found {
				return found;
			}
			tokio::time::sleep(Duration::from_millis(100)).await;
		}
	};
	let found = tokio::time::timeout(PATIENCE, waiting).await.expect("the block comes");
	hex::decode(&found[2..])
		.expect("hexadecimal digits")
		.try_into()
		.expect("a hash")
}

/// The runtime that a node has at its newest finalised block.
async fn spec_version(client: &Client) -> u32 {
	let head = client.finalized_head().await.expect("it answers");
	client.runtime_version(head.hash).await.expect("it answers").spec
}

/// A node that was not there at the upgrade comes to the same chain with the same runtime.
async fn arrives(node: &Node, number: u32, hash: [u8; 32]) {
	let client = node.client().await;
	let view = finalised(&client, async |view: &View| view.head().number >= number).await;
	assert_eq!(client.runtime_version(view.head().hash).await.unwrap().spec, 2);
	assert_eq!(block_hash(&client, number).await, hash, "it is on another chain");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_is_upgraded_by_vote_while_everybody_goes_on() {
	let workspace = Workspace::new("upgrade");
	let (code, next) = (next_runtime(), workspace.join("next.compact.compressed.wasm"));
	let hash = blake2_256(&code);
	std::fs::write(&next, &code).expect("writes the runtime");
	let next = next.display().to_string();
	// Three validators, each of whom finality needs.
	let three = |genesis: &mut Value| {
		genesis["session"]["keys"].as_array_mut().expect("the validators").truncate(3);
		// Thousands of blocks, for which nobody wants to wait an hour.
		if devices() > LARGE {
			genesis["timing"]["slotDuration"] = 400.into();
		}
	};
	// It is asked about each block of the migration when that is over.
	let archive = ["--state-pruning", "archive"];
	let state = (ENROLLED..devices()).map(grown);
	let node = Node::start_local_with(&workspace, three, state, &archive);
	let second = Node::beside(&workspace, "bob", &[&node], &["--bob"]).await;
	let third = Node::beside(&workspace, "charlie", &[&node, &second], &["--charlie"]).await;
	let alice = Dpki::new(&node, "//Alice");
	alice.ok(["org", "create", "acme", "--kind", "ecosystem-operator"]);
	let fleet = Fleet { node, admin: alice.clone(), organisation: "acme".into(), workspace };
	let table = table(&fleet.workspace, ENROLLED).display().to_string();
	alice.ok(["device", "batch", &table, "--org", "acme"]);
	let mut device = fleet.enrol("drone-1").await;
	device.start();
	let deliver = || alice.ok(["deliver", "--org", "acme", "--device", "drone-1", "--empty"]);
	device.reach(block(&deliver())).await;

	let client = fleet.node.client().await;
	let mut verifier = new_device(&client).await;
	let spec = std::fs::read_to_string(&fleet.node.spec).expect("the node has a specification");
	let peers = [fleet.node.peer_address().await];
	let light = LightClient::start(&spec, &peers, client.genesis_hash())
		.await
		.expect("it starts");
	let light = Client::from_rpc(light.rpc()).await.expect("it answers");
	assert_eq!(spec_version(&light).await, 1);

	// Nothing is brought that nobody has voted for.
	let early = alice.refused(["runtime", "apply", &next]);
	assert!(early.contains("has authorised no runtime"), "{early}");
	let proposed = alice.ok(["runtime", "propose", &next, "--reason", "rehearsal"]);
	assert_eq!((&proposed["spec_version"], &proposed["state"]), (&json!(2), &json!("open")));
	assert_eq!(proposed["code_hash"], hex(&hash));
	let motion = proposed["motion"].to_string();
	for voter in ["//Bob", "//Charlie"] {
		alice.acting_for(voter).ok(["motion", "vote", &motion, "aye", "--yes"]);
	}
	assert_eq!(alice.ok(["runtime", "show"])["authorized"], hex(&hash));

	// Somebody without an account brings it.
	let before = client.finalized_head().await.expect("it answers");
	let applied = alice.acting_for("").ok(["runtime", "apply", &next]);
	assert_eq!(applied["spec_version"], 2);
	let begun = client.at_finalized().await.expect("it answers");
	assert_eq!(client.code_hash(begun.head().hash).await.unwrap(), hash);

	let shown = alice.ok(["runtime", "show"]);
	assert_eq!((&shown["compatible"], &shown["authorized"]), (&json!(true), &Value::Null));
	let sentence = shown["program"].as_str().expect("a sentence");
	assert!(sentence.contains("the chain runs dpki 2 and this program was made for dpki 1"));

	// While devices are migrated, one is revoked and another one gets a delivery.
	alice.ok(["revoke", "device", "acme/batch-7", "--reason", "keyCompromise", "--yes"]);
	let delivered = block(&deliver());
	device.reach(delivered).await;
	let ended = finalised(&client, async |view: &View| {
		view.migration().await.is_ok_and(|migration| migration.is_none())
			&& visited(&client, view).await > 0
	})
	.await;
	migrated_in_steps(&client, before.number, ended.head().number).await;

	// The light client has followed, and submits as before.
	let seen =
		finalised(&light, async |view: &View| view.head().number >= ended.head().number).await;
	let version = light.runtime_version(seen.head().hash).await.expect("it answers");
	assert!(matches!(version.fit(), Fit::Compatible { .. }), "{version}");
	assert_eq!(version, RuntimeVersion { spec: 2, ..RuntimeVersion::known() });
	let drone = device.id();
	assert_eq!(seen.device_status(drone).await.expect("it is read"), Status::Valid);
	let account = Account::from_uri("//Alice").expect("a development account");
	let call = calls::revoke_device(drone, RevocationReason::Superseded);
	let done = light.submit(&account, &call).await.expect("it is revoked");
	let seen = finalised(&light, async |view: &View| view.head().number >= done.number).await;
	assert!(matches!(seen.device_status(drone).await.unwrap(), Status::Revoked(_)));
	device.stop();

	// A device that knows no more than the first authorities believes what is after the upgrade.
	let bundle = reach(&client, &Query::new(), None, u64::from(done.number)).await;
	verifier
		.verify(&bundle, &Query::new(), dpki_e2e::proofs::freshness())
		.expect("it is proven");

	// Who was not there comes over the upgrade, block by block or by proofs of finality.
	let all = [&fleet.node, &second, &third];
	let from_genesis = Node::beside(&fleet.workspace, "archive", &all, &[]).await;
	arrives(&from_genesis, done.number, done.hash).await;
	drop(from_genesis);
	let warped = Node::beside(&fleet.workspace, "warped", &all, &["--sync", "warp"]).await;
	arrives(&warped, done.number, done.hash).await;
	assert!(warped.log().contains("Warp sync is complete"), "{}", warped.log());
}
