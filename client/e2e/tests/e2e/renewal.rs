//! The key that opens deliveries: how it comes to the chain without a voucher, and how it is replaced.

use dpki_e2e::{Device, Fleet, PATIENCE, block};
use serde_json::json;
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
	let shown = device.fingerprint();
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
	let gone = async {
		loop {
			let key = std::fs::read_to_string(device.join("state/agreement.key"));
			if key.is_ok_and(|key| key != old) {
				return;
			}
			tokio::time::sleep(Duration::from_millis(200)).await;
		}
	};
	tokio::time::timeout(PATIENCE, gone)
		.await
		.unwrap_or_else(|_| panic!("the old key is still there:\n{}", device.log()));
	let delivered = fleet.admin.ok(DELIVER);
	assert_eq!(delivered["outcome"], json!("applied"));
	device.reach(block(&delivered)).await;
}
