//! A delivery on its ways besides the chain's own: over Bitswap between our client, two nodes and Helia, through a trustless
//! gateway, in a daemon with the RPC of Kubo, in a folder; and the end of its copies.

use dpki_client::{
	BlobKeeper, BlobStore, Client,
	blob::{BitswapBlobs, BlobError, BlobFolder, GatewayBlobs, KuboBlobs, cid, gateway::Form},
	primitives::{
		channel::ChannelId,
		delivery::{MAX_BLOB_LEN, Outcome},
		ids::{BlobDigest, DeviceId},
	},
};
use dpki_e2e::{Fleet, Node, PATIENCE, Process, block, login_name, npm, public, run};
use futures::StreamExt;
use std::{fs, path::Path, time::Duration};

/// A name that nothing has.
const NOTHING: BlobDigest = BlobDigest([7; 32]);

/// Starts one of the scripts and gives its address.
fn peer(script: &Path, args: &[&str], log: &Path) -> (Process, String) {
	let script = script.display().to_string();
	let args = [&[script.as_str()], args].concat();
	let started = Process::start_until(Path::new("node"), args, log, "listening ");
	let (process, line) = started.unwrap_or_else(|said| panic!("{said}"));
	let (_, address) = line.split_once("listening ").expect("it was waited for");
	(process, address.trim().to_owned())
}

fn bitswap(address: &str) -> BitswapBlobs {
	BitswapBlobs::new(address)
		.expect("an address of a peer")
		.with_patience(PATIENCE)
}

/// The error of a store that does not have it.
async fn missing(store: &dyn BlobStore) -> String {
	let error = store.get(NOTHING, MAX_BLOB_LEN).await.expect_err("nobody has it");
	assert!(matches!(error, BlobError::Unavailable { .. }), "{error}");
	let sentence = error.to_string();
	assert!(sentence.contains(&cid(NOTHING)) && !sentence.contains('\n'), "{sentence}");
	sentence
}

/// Waits until the finalised block is at least this one.
async fn reach(client: &Client, number: u64) {
	let mut heads = client.finalized_heads();
	let reaching = async {
		while let Some(head) = heads.next().await {
			if head.is_ok_and(|head| u64::from(head.number) >= number) {
				return;
			}
		}
	};
	tokio::time::timeout(PATIENCE, reaching).await.expect("the chain goes on");
}

/// Waits until the chain has learnt that the device has applied this delivery.
async fn applied(client: &Client, device: DeviceId, sequence: u64) {
	let mut heads = client.finalized_heads();
	let waiting = async {
		while let Some(head) = heads.next().await {
			let Ok(head) = head else { continue };
			let view = client.at(head);
			let said = view.acknowledgement(device, ChannelId::DEFAULT).await.expect("it is read");
			if let Some(said) = said.filter(|said| said.sequence == sequence) {
				assert_eq!(said.outcome, Outcome::Applied);
				return;
			}
		}
	};
	tokio::time::timeout(PATIENCE, waiting).await.expect("the device has said so");
}

#[tokio::test]
async fn a_delivery_goes_every_way_and_its_copies_end() {
	// Before anything runs: this takes as long as the registry does.
	let helia = npm::install("e2e/ipfs", "helia", &["--omit=optional"]).join("helia.mjs");
	let kubo = npm::install("e2e/ipfs", "kubo", &["--omit=optional"]).join("kubo.mjs");

	let fleet = Fleet::start("blobs");
	let files = &fleet.workspace;
	let second = Node::follow(files, "second", &fleet.node).await;
	let repo = files.join("repo").display().to_string();
	let (_daemon, daemon_url) = peer(&kubo, &[&repo], &files.join("kubo.log"));
	let user_ca = public(&fleet.add_ssh_ca("ssh-user-ca")).display().to_string();
	let mut device = fleet.enrol("drone-1").await;

	// Delivered to the chain, and put in two stores besides.
	let (stick, pins) = (files.join("stick"), files.join("pins").display().to_string());
	fs::create_dir(&stick).expect("makes the folder");
	let in_daemon = format!("kubo={daemon_url}");
	let in_folder = format!("folder={}", stick.display());
	let principals = format!("{}=ops", login_name());
	let deliver = |also: &[&str]| -> Vec<String> {
		let words = ["deliver", "--org", "acme", "--device", "drone-1", "--user-ca", &user_ca];
		let more = ["--principals", &principals];
		[&words[..], &more, also].concat().into_iter().map(String::from).collect()
	};
	let everywhere = ["--also", &in_daemon, "--also", &in_folder, "--pins", &pins];
	let sentence = fleet.admin.refused(deliver(&["--also", "chain", "--pins", &pins]));
	assert!(sentence.contains("blobs can only be fetched there"), "{sentence}");
	let delivered = fleet.admin.ok(deliver(&everywhere));
	assert_eq!(delivered["sequence"], 1, "what was refused was not published");
	let digest: BlobDigest =
		delivered["digest"].as_str().expect("it has one").parse().expect("a digest");
	let name = cid(digest);
	assert_eq!(delivered["cid"], name.as_str());

	// Our client, from the node that took it and from one that only follows.
	let first = bitswap(&fleet.node.peer_address().await);
	let envelope = first.get(digest, MAX_BLOB_LEN).await.expect("the node has it");
	assert_eq!(delivered["length"], envelope.len());
	reach(&second.client().await, block(&delivered)).await;
	let follower = bitswap(&second.peer_address().await);
	assert_eq!(follower.get(digest, MAX_BLOB_LEN).await.as_ref(), Ok(&envelope));
	assert!(missing(&first).await.contains("does not have it"));
	let short = envelope.len() as u32 - 1;
	let error = first.get(digest, short).await.expect_err("it is too long");
	assert!(matches!(error, BlobError::TooLong { .. }), "{error}");

	// Helia, from the node.
	let address = fleet.node.peer_address().await;
	let script = helia.display().to_string();
	let fetched = run(Path::new("node"), [script.as_str(), "fetch", &address, &name]);
	assert!(fetched.status.success(), "{}", String::from_utf8_lossy(&fetched.stderr));
	assert_eq!(fetched.stdout, envelope);

	// Our client, from Helia.
	let file = files.join("envelope");
	fs::write(&file, &envelope).expect("writes the envelope");
	let file = file.display().to_string();
	let (_helia, helia_address) = peer(&helia, &["serve", &file], &files.join("helia.log"));
	let from_helia = bitswap(&helia_address);
	assert_eq!(from_helia.get(digest, MAX_BLOB_LEN).await.as_ref(), Ok(&envelope));
	assert!(missing(&from_helia).await.contains("does not have it"));

	// Through a gateway that has it from the node, in both forms.
	let (_gateway, gateway_url) = peer(&helia, &["gateway", &address], &files.join("gateway.log"));
	for form in [Form::Raw, Form::Car] {
		let gateway = GatewayBlobs::new(&gateway_url, form).expect("an address");
		let gateway = gateway.with_patience(PATIENCE);
		assert_eq!(gateway.get(digest, MAX_BLOB_LEN).await.as_ref(), Ok(&envelope), "{form:?}");
		let error = gateway.get(digest, short).await.expect_err("it is too long");
		assert!(matches!(error, BlobError::TooLong { .. }), "{error}");
	}

	// The copies.
	let daemon = KuboBlobs::new(&daemon_url).expect("an address");
	assert_eq!(daemon.get(digest, MAX_BLOB_LEN).await.as_ref(), Ok(&envelope));
	let impatient = daemon.clone().with_patience(Duration::from_secs(2));
	missing(&impatient).await;
	let folder = BlobFolder::at(&stick);
	assert_eq!(folder.get(digest, MAX_BLOB_LEN).await.as_ref(), Ok(&envelope));

	// Nobody has applied it, so nothing is taken away.
	let unpin = ["blob", "unpin", &pins];
	let kept = fleet.admin.ok(unpin);
	assert_eq!(kept["waiting"][0]["cid"], name.as_str());
	assert_eq!(kept["waiting"][0]["devices"][0], device.id().to_string());
	assert_eq!(kept["unpinned"].as_array().map(Vec::len), Some(0));
	assert!(folder.get(digest, MAX_BLOB_LEN).await.is_ok());

	// The device fetches it through the gateway, and from nowhere else.
	let stores = format!("\n[[blobs]]\nkind = \"gateway-car\"\naddress = \"{gateway_url}\"\n");
	device.reconfigure(|text| text + &stores);
	device.start();
	let client = fleet.node.client().await;
	applied(&client, device.id(), 1).await;
	let freed = fleet.admin.ok(unpin);
	assert_eq!(freed["unpinned"][0], name.as_str());
	assert!(folder.get(digest, MAX_BLOB_LEN).await.is_err());
	// It was pinned, and is no more: that it is unpinned a second time is no error either.
	assert_eq!(pinned(&daemon_url, &name), Some(false));
	daemon.release(digest).await.expect("it is not pinned");
	assert_eq!(fs::read_dir(&pins).expect("the folder is there").count(), 0);

	// A copy can be made later, from what the chain keeps.
	let copy = ["blob", "copy", &name, "--to", &in_folder, "--to", &in_daemon];
	assert_eq!(fleet.admin.ok(copy)["length"], envelope.len());
	assert!(stick.join(&name).exists());
	assert_eq!(pinned(&daemon_url, &name), Some(true));

	// A store that is gone is told, with what to do, and the delivery is published all the same.
	let gone = "kubo=http://127.0.0.1:1";
	let sentence = fleet.admin.refused(deliver(&["--also", gone, "--pins", &pins]));
	assert!(
		sentence.contains("is published, but kubo=http://127.0.0.1:1 did not take"),
		"{sentence}"
	);
	// The device asks its stores in turn: one that is gone, one that lies, a node over Bitswap.
	device.stop();
	let view = client.at_finalized().await.expect("the node answers");
	let record = view.delivery(device.id(), ChannelId::DEFAULT).await.expect("it is read");
	let newest = record.filter(|record| record.sequence == 2).expect("it is there").digest;
	let spoiled = files.join("spoiled");
	fs::create_dir(&spoiled).expect("makes the folder");
	fs::write(spoiled.join(cid(newest)), b"not what its name says").expect("writes the lie");
	let store = |kind: &str, address: &str| {
		format!("\n[[blobs]]\nkind = \"{kind}\"\naddress = \"{address}\"\n")
	};
	let in_turn = store("kubo", "http://127.0.0.1:1")
		+ &store("folder", &spoiled.display().to_string())
		+ &store("bitswap", &second.peer_address().await);
	device.reconfigure(|text| text.replace(&stores, &in_turn));
	device.start();
	applied(&client, device.id(), 2).await;

	// Who waits until it is applied leaves no copy behind, unless that is said.
	let more = files.join("more").display().to_string();
	let waited = ["--also", &in_folder, "--pins", &more, "--wait=110s"];
	let is_there = |delivered: &serde_json::Value| {
		stick.join(delivered["cid"].as_str().expect("it has one")).exists()
	};
	let freed = fleet.admin.ok(deliver(&waited));
	assert_eq!((&freed["outcome"], &freed["unpinned"]), (&"applied".into(), &true.into()));
	assert!(!is_there(&freed) && fs::read_dir(&more).expect("it is there").count() == 0);
	let kept = fleet.admin.ok(deliver(&[&waited[..], &["--keep-copies"]].concat()));
	assert!(is_there(&kept) && fs::read_dir(&more).expect("it is there").count() == 1);
}

/// Whether the daemon says that it keeps this block; `None` if it does not answer.
fn pinned(daemon: &str, name: &str) -> Option<bool> {
	let url = format!("{daemon}/api/v0/pin/ls?arg={name}");
	let ask =
		"fetch(process.argv[1], { method: 'POST' }).then((it) => it.text()).then(console.log)";
	let asked = run(Path::new("node"), ["-e", ask, &url]);
	let said = String::from_utf8_lossy(&asked.stdout).into_owned();
	match (said.contains("\"Keys\""), said.contains("is not pinned")) {
		(true, false) => Some(true),
		(false, true) => Some(false),
		_ => None,
	}
}
