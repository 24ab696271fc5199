//! The key that opens deliveries: how it comes to the chain without a voucher, and how it is replaced.

use dpki_client::{
	Account,
	primitives::{channel::ChannelId, delivery::Suite},
};
use dpki_e2e::{Device, Fleet, PATIENCE, block, scan};
use serde_json::{Value, json};
use std::time::Duration;

const DELIVER: [&str; 7] = ["deliver", "--org", "acme", "--device", "drone-1", "--empty", "--wait"];

#[tokio::test]
async fn a_device_comes_by_its_fingerprint_and_replaces_its_key() {
	let fleet = Fleet::start("renewal");
	fleet
		.admin
		.ok(["org", "key-policy", "acme", "--requests", "on", "--self-service", "on"]);
	let mut device = Device::init(&fleet.workspace, &fleet.node, "acme", "drone-1").await;

	// Somebody else asks under its name, with other keys.
	let stranger = Device::init(&fleet.workspace, &fleet.node, "acme", "drone-1-of-mallory").await;
	let request = |device: &Device| {
		let key = |purpose: &str, file: &str| {
			format!("{purpose}={}", device.join("state").join(file).display())
		};
		let keys = [
			key("sign", "signing.key"),
			key("key-agreement", "agreement.key"),
			key("ssh", "host_key"),
		];
		let mut words = vec!["key", "request", "--org", "acme", "--device", "drone-1"];
		for key in &keys {
			words.extend(["--key", key.as_str()]);
		}
		let asked = fleet.admin.ok(&words);
		asked["request"].as_str().expect("an id").to_string()
	};
	let (theirs, ours) = (request(&stranger), request(&device));
	let shown = scan(&device.drawn_fingerprint());
	assert_eq!(shown, device.fingerprint());
	let approve = |id: &str| {
		["key", "approve", id, "--fingerprint", shown.as_str(), "--yes"].map(String::from)
	};
	let sentence = fleet.admin.refused(approve(&theirs));
	assert!(sentence.contains("not the one of the device"), "{sentence}");
	fleet.admin.ok(approve(&ours));

	device.start();
	let delivered = fleet.admin.ok(DELIVER);
	assert_eq!(delivered["outcome"], json!("applied"));
	let old = std::fs::read_to_string(device.join("state/agreement.key")).expect("it has a key");

	// Beside the agent that runs; the old key is good for some seconds yet.
	let rotated = device.rotate("5s");
	assert_ne!(rotated["old"], rotated["next"]);
	let delivered = fleet.admin.ok(DELIVER);
	assert_eq!(delivered["recipient_key"], rotated["next"]);
	assert_eq!(delivered["outcome"], json!("applied"));
	until_replaced(&device, "agreement.key", &old).await;
	let delivered = fleet.admin.ok(DELIVER);
	assert_eq!(delivered["outcome"], json!("applied"));
	device.reach(block(&delivered)).await;

	// The hybrid key is replaced likewise, and by itself. One envelope goes to the hybrid keys of several devices.
	let alice = Account::from_uri("//Alice").expect("an account").address();
	let other = fleet.enrol("drone-2").await;
	let place = |name: &str| fleet.workspace.join(name).display().to_string();
	let (first, second, next) = (place("first"), place("second"), place("next"));
	for (device, name, file) in
		[(&device, "acme/drone-1", &first), (&other, "acme/drone-2", &second)]
	{
		device.hybrid(file);
		// What the chain does not know has no follower on it.
		let sentence = device.refused_rotation_of_hybrid(&next);
		assert!(sentence.contains("does not know the hybrid key of this device"), "{sentence}");
		assert!(!device.join("state/hybrid.next.key").exists(), "none is made");
		let signed = format!("{file}.consent");
		device.consent(&alice, &["--purpose", "key-agreement", "--hybrid", "--out", &signed]);
		fleet.admin.ok(["device", "register-key", name, "--consent", &signed]);
	}
	let both =
		["deliver", "--org", "acme", "--device", "drone-1", "--device", "drone-2", "--empty"];
	let sentence = fleet.admin.refused([&both[..], &["--hybrid-key", &first]].concat());
	assert!(sentence.contains("2 devices and 1 hybrid keys"), "{sentence}");
	let keys = ["--hybrid-key", &second, "--hybrid-key", &first];
	let delivered = fleet.admin.ok([&both[..], &keys].concat());
	let sequence = delivered["deliveries"][0]["sequence"].clone();
	device.tells("applied it", |status| status["sequence"] == sequence).await;
	let client = fleet.node.client().await;
	let view = client.at_finalized().await.expect("the node answers");
	for device in [&device, &other] {
		let record = view
			.delivery(device.id(), ChannelId::DEFAULT)
			.await
			.expect("it is read")
			.expect("it is there");
		assert_eq!(record.suite, Suite::SharedXWing);
	}

	let old = std::fs::read_to_string(device.join("state/hybrid.key")).expect("it has a key");
	let rotated = device.rotate_hybrid("5s", &next);
	assert_ne!(rotated["old"], rotated["next"]);
	let to = |file| [&DELIVER[..], &["--hybrid-key", file]].concat();
	let delivered = fleet.admin.ok(to(&next));
	assert_eq!(delivered["recipient_key"], rotated["next"]);
	assert_eq!(delivered["outcome"], json!("applied"));
	until_replaced(&device, "hybrid.key", &old).await;
	assert!(!device.join("state/hybrid.next.key").exists(), "it has taken the other one's place");
	let sentence = fleet.admin.refused(to(&first));
	assert!(sentence.contains("no valid key of acme/drone-1"), "{sentence}");
	assert_eq!(fleet.admin.ok(to(&next))["outcome"], json!("applied"));

	// A device ends its own keys beside the agent that runs, another one's never, and its voice only if that is meant.
	let key = |device: &str, purpose: &str| {
		let shown = fleet.admin.ok(["device", "show", device]);
		let keys = shown["keys"].as_array().expect("a list").clone();
		let is_it = |key: &&Value| key["purpose"] == purpose && key["status"] == "valid";
		let found = keys.iter().find(is_it).unwrap_or_else(|| panic!("{purpose}: {shown}"));
		found["key_id"].as_str().expect("an id").to_string()
	};
	let why = ["--reason", "cessationOfOperation"];
	let foreign = key("acme/drone-2", "ssh");
	let sentence = device.refused_revocation(&foreign, &why);
	assert!(sentence.contains("no key") && sentence.contains("of this device"), "{sentence}");
	let ssh = key("acme/drone-1", "ssh");
	device.revoke(&ssh, &why);
	let verdict = fleet.admin.status(["status", "key", &ssh]);
	assert_eq!(
		(&verdict["status"], &verdict["reason"]),
		(&json!("revoked"), &json!("cessationOfOperation"))
	);
	assert_eq!(fleet.admin.status(["status", "key", &foreign])["status"], "valid");
	let sign = key("acme/drone-1", "sign");
	let compromise = ["--reason", "keyCompromise"];
	let sentence = device.refused_revocation(&sign, &compromise);
	assert!(sentence.contains("give --last if that is meant"), "{sentence}");
	device.revoke(&sign, &[&compromise[..], &["--last"]].concat());
	let verdict = fleet.admin.status(["status", "key", &sign]);
	assert_eq!(
		(&verdict["status"], &verdict["reason"]),
		(&json!("revoked"), &json!("keyCompromise"))
	);
}

/// Waits until the agent has put a key away.
async fn until_replaced(device: &Device, name: &str, old: &str) {
	let gone = async {
		loop {
			let key = std::fs::read_to_string(device.join("state").join(name));
			if key.is_ok_and(|key| key != old) {
				return;
			}
			tokio::time::sleep(Duration::from_millis(200)).await;
		}
	};
	tokio::time::timeout(PATIENCE, gone)
		.await
		.unwrap_or_else(|_| panic!("the old key is still there:\n{}", device.log()));
}
