//! The embedded light client: tied to the pinned authorities, and good for the same code as a node's RPC.

use dpki_client::{
	Account, BlobStore, ChainBlobs, Client, Judgement, Policy, Use, View, calls,
	primitives::{
		channel::ChannelId,
		ids::{AnchorId, DeviceId, KeyId},
		motion::MotionId,
		revocation::{RevocationReason, SshSubject},
		status::Status,
	},
};
use dpki_e2e::{
	Dpki, Fleet, Node, PATIENCE, Process, Workspace, anchors, binary, block, hex,
	proofs::{bytes, fragments, new_device, reach, schedule_change},
};
use dpki_light::{AnchorError, Checkpoint, LightClient, LightError};
use dpki_verifier::{AuthoritySet, Query};
use futures::StreamExt;
use serde_json::Value;
use std::{
	path::Path,
	time::{SystemTime, UNIX_EPOCH},
};

/// The raw specification of a node's chain, and where its peers reach it.
async fn chain(node: &Node) -> (String, [String; 1]) {
	let spec = std::fs::read_to_string(&node.spec).expect("the node has a specification");
	(spec, [node.peer_address().await])
}

/// A light client of a node's chain that knows no more than its genesis hash.
async fn start(node: &Node) -> LightClient {
	let genesis = node.client().await.genesis_hash();
	let (spec, peers) = chain(node).await;
	LightClient::start(&spec, &peers, genesis).await.expect("it starts")
}

/// Starts a light client from this checkpoint and gives it up to the end of patience to meet the authorities.
async fn tied(
	node: &Node,
	checkpoint: Checkpoint,
) -> Result<(LightClient, Checkpoint), AnchorError> {
	let (spec, peers) = chain(node).await;
	let light = LightClient::start_from(&spec, &peers, checkpoint).await.expect("it starts");
	let met = tokio::time::timeout(PATIENCE, light.tied())
		.await
		.expect("it comes to a verdict");
	met.map(|met| (light, met))
}

/// The state at a block at least this high.
async fn view(client: &Client, number: u32) -> View {
	let reached = async {
		let mut heads = client.finalized_heads();
		loop {
			match heads.next().await {
				Some(Ok(head)) if head.number >= number => return client.at(head),
				Some(_) => {},
				None => panic!("the heads have ended"),
			}
		}
	};
	tokio::time::timeout(PATIENCE, reached).await.expect("the chain goes on")
}

/// What there is to be found on the chain of a fleet with one device.
struct Known {
	device: DeviceId,
	anchor: AnchorId,
	/// Since when all of it is there.
	block: u32,
}

/// Everything that the SDK is for, over whatever transport this client stands on. The serial number is one that nobody
/// has revoked yet.
async fn reads_submits_and_fetches(client: &Client, known: &Known, serial: u64) {
	let found = view(client, known.block).await;
	let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is set");
	let judged = found.judge(&Policy::of(Use::Tls), now.as_millis() as u64);
	assert_eq!(judged, Judgement::Fresh);

	// Storage, present and absent, and the runtime.
	assert_eq!(found.device_status(known.device).await.expect("it is read"), Status::Valid);
	assert_eq!(found.keys_of(known.device).await.expect("they are read").len(), 3);
	assert_eq!(found.anchor_status(known.anchor).await.expect("it is read"), Status::Valid);
	assert_eq!(found.key_status(KeyId([7; 32])).await.expect("it is read"), Status::Unknown);
	assert_eq!(found.motion(MotionId::default()).await.expect("it is asked"), None);

	// A blob, by what it hashes to.
	let record = found
		.delivery(known.device, ChannelId::DEFAULT)
		.await
		.expect("it is read")
		.expect("it is there");
	let blobs = ChainBlobs::new(client);
	let blob = blobs.get(record.digest, record.length).await.expect("somebody has it");
	assert_eq!(blob.len(), record.length as usize);

	// A transaction, to the end.
	let alice = Account::from_uri("//Alice").expect("a development account");
	let subject = SshSubject::Serial(serial);
	let call = calls::revoke_ssh(known.anchor, subject, RevocationReason::Superseded);
	let done = client.submit(&alice, &call).await.expect("it is revoked");
	let revoked = view(client, done.number).await.ssh_revocations(known.anchor).await;
	let revoked = revoked.expect("they are read");
	assert!(revoked.iter().any(|entry| entry.subject == subject), "{revoked:?}");
}

#[tokio::test]
async fn the_same_code_runs_over_a_node_and_over_the_light_client() {
	let fleet = Fleet::start("transports");
	let anchor_key = fleet.add_ssh_ca("ssh-user-ca");
	let device = fleet.enrol("drone-1").await;
	let delivered = fleet.admin.ok(["deliver", "--org", "acme", "--device", "drone-1", "--empty"]);
	let anchor = anchors(&fleet.admin)[0];
	assert!(anchor_key.exists());
	let block = u32::try_from(block(&delivered)).expect("a block number");
	let known = Known { device: device.id(), anchor, block };

	let node = fleet.node.client().await;
	reads_submits_and_fetches(&node, &known, 1).await;
	let light = start(&fleet.node).await;
	let embedded = Client::from_rpc(light.rpc()).await.expect("it answers");
	reads_submits_and_fetches(&embedded, &known, 2).await;
	assert_eq!(node.genesis_hash(), embedded.genesis_hash());
	assert!(light.checkpoint().number > 0, "it has come to a checkpoint");
}

#[tokio::test]
async fn a_light_client_believes_its_pinned_authorities_and_those_whom_they_named() {
	let workspace = Workspace::new("anchor");
	let node = Node::start(&workspace);
	let alice = Dpki::new(&node, "//Alice");
	let client = node.client().await;
	let mut device = new_device(&client).await;
	let change = async |device: &dpki_e2e::proofs::Device| {
		let at = client.finalized_head().await.expect("the node answers").number + 10;
		alice.ok(["motion", "propose", "root", &hex(&schedule_change(device, at))]);
		reach(&client, &Query::new(), None, u64::from(at) + 1).await;
	};

	// A device that is pinned to the second set of the chain meets it.
	change(&device).await;
	let served = fragments(&client, None).await;
	device.advance(&bytes(&served["fragments"])).expect("it is proven");
	let pinned = device.checkpoint().clone();
	assert_eq!(pinned.set.id(), 1);
	let (_light, met) = tied(&node, pinned.clone()).await.expect("they are its authorities");
	assert!(met.number >= pinned.number && met.set == pinned.set);

	// While it was away the authorities have changed: peers prove it. The light client passes over so many blocks at once.
	change(&device).await;
	reach(&client, &Query::new(), None, 50).await;
	let (light, met) = tied(&node, pinned.clone()).await.expect("they were named by those");
	assert_eq!(met.set.id(), 2);
	let embedded = Client::from_rpc(light.rpc()).await.expect("it answers");
	let head = embedded.finalized_head().await.expect("it answers");
	assert!(head.number >= met.number);

	// Others than its own, as they would look to it on a chain that former authorities have made up.
	let other = |id| AuthoritySet::new(id, vec![[9; 32]]).expect("a set");
	let astray = Checkpoint { set: other(2), ..pinned.clone() };
	let error = tied(&node, astray).await.map(|_| ()).expect_err("these are others");
	assert!(matches!(error, AnchorError::Diverged { set: 2, .. }), "{error}");
	let unproven = Checkpoint { set: other(1), ..pinned.clone() };
	let error = tied(&node, unproven).await.map(|_| ()).expect_err("these have named nobody");
	assert!(matches!(error, AnchorError::TooOld { pinned: 1, found: 2, .. }), "{error}");

	// And what needs no peer to be refused.
	let (spec, peers) = chain(&node).await;
	let first = Checkpoint { set: other(0), ..pinned.clone() };
	let error = LightClient::start_from(&spec, &peers, first)
		.await
		.expect_err("other authorities");
	assert!(matches!(error, LightError::WrongCheckpoint), "{error}");
	let elsewhere = Checkpoint { genesis: [7; 32], ..pinned };
	let error = LightClient::start_from(&spec, &peers, elsewhere)
		.await
		.expect_err("other chain");
	assert!(matches!(error, LightError::WrongGenesis { .. }), "{error}");
}

#[tokio::test]
async fn an_agent_keeps_the_checkpoint_to_which_it_has_come() {
	let fleet = Fleet::start("pinned");
	let mut device = fleet.enrol("drone-1").await;
	device.start();
	let delivered = fleet.admin.ok(["deliver", "--org", "acme", "--device", "drone-1", "--empty"]);
	device.reach(block(&delivered)).await;
	device.stop();
	let kept = device.checkpoint();
	assert_eq!(kept["set_id"], 0, "{kept}");
	assert!(kept["number"].as_u64().is_some_and(|number| number > 0), "{kept}");

	// From its configuration, it takes the higher one; and one of others stops it.
	let digits = kept["checkpoint"].as_str().expect("digits").to_owned();
	let bytes = bytes(&Value::from(digits.as_str()));
	let real = Checkpoint::decode(&bytes).expect("it is one");
	let set = AuthoritySet::new(5, vec![[9; 32]]).expect("a set");
	let astray = Checkpoint { set, number: 1, ..real };
	let text = format!("checkpoint = \"{}\"\n\n[ssh]", hex(&astray.encode()));
	device.reconfigure(|config| config.replacen("[ssh]", &text, 1));
	assert_eq!(device.checkpoint()["set_id"], 5);
	let error = device.refused_run_within(60);
	assert!(error.contains("was led astray"), "{error}");
}

#[test]
fn the_example_can_be_read_in_one_go() {
	let example = include_str!("../../../light/examples/embed.rs");
	let lines = example.lines().count();
	assert!(lines < 60, "it has {lines} lines");
}

#[tokio::test]
async fn the_example_tells_whether_a_device_and_its_keys_are_valid_until_they_are_revoked() {
	let fleet = Fleet::start("embed");
	let device = fleet.enrol("drone-1").await;
	let client = fleet.node.client().await;
	let at = client.at_finalized().await.expect("the node answers");
	let keys = at.keys_of(device.id()).await.expect("they are read");
	let told = fleet.workspace.join("told");
	let args = [
		fleet.node.spec.display().to_string(),
		hex(&client.genesis_hash()),
		fleet.node.peer_address().await,
		"acme/drone-1".to_owned(),
		fleet.workspace.join("checkpoint").display().to_string(),
	];
	// What it prints is to be waited for, as that of the others is.
	let start = |words: &str| {
		let example = binary("examples/embed").display().to_string();
		let shell = ["-c", r#"exec "$0" "$@" >&2"#, &example];
		let args = shell.into_iter().chain(args.iter().map(String::as_str));
		Process::start_until(Path::new("/bin/sh"), args, &told, words)
			.unwrap_or_else(|said| panic!("{said}"))
	};
	let until = |process: &Process, words: &str| {
		process.until(words).unwrap_or_else(|said| panic!("{said}"))
	};
	let (process, line) = start("acme/drone-1 ");
	assert!(line.contains(&device.id().to_string()), "{line}");
	// Now and then it may call the last news too old.
	until(&process, ": Valid, use it");
	for (key, record) in &keys {
		until(&process, &format!("{:?} key {key}: Valid, use it", record.purpose));
	}
	let key = keys[0].0.to_string();
	fleet.admin.ok(["revoke", "key", &key, "--reason", "keyCompromise", "--yes"]);
	let line = until(&process, &format!("key {key}: Revoked"));
	assert!(line.contains("do not"), "{line}");
	let revoke = ["revoke", "device", "acme/drone-1", "--reason", "keyCompromise", "--yes"];
	fleet.admin.ok(revoke);
	let line = until(&process, &format!("{}: Revoked", device.id()));
	assert!(line.contains("do not"), "{line}");
	// Its other keys end with it.
	let line = until(&process, &format!("key {}: IssuerRevoked", keys[1].0));
	assert!(line.contains("do not"), "{line}");
	process.stop();

	// It begins again where it was.
	let kept = std::fs::read(fleet.workspace.join("checkpoint")).expect("it was kept");
	assert!(Checkpoint::decode(&kept).expect("it is one").number > 0);
	let (_process, line) = start("acme/drone-1 ");
	assert!(line.contains("Revoked") && line.contains("do not"), "{line}");
}
