//! Deliveries that more than one person stands for: the chain and the device want the same approvals.

use dpki_client::{
	Account, Bundle, Client, calls, envelope,
	primitives::{
		channel::ChannelId,
		delivery::{DeliveryBinding, Outcome, RefusalReason, Suite},
		ids::OrganisationId,
		key::KeyPurpose,
	},
};
use dpki_e2e::{Device, Dpki, Fleet, PATIENCE, block, login_name, public};
use serde_json::{Value, json};
use std::time::Duration;

/// The words that deliver access to the device `drone-1`, for whoever has a certificate for `ops`.
fn deliver(user_ca: &std::path::Path, further: &[&str]) -> Vec<String> {
	let mut words: Vec<String> = ["deliver", "--org", "acme", "--device", "drone-1", "--user-ca"]
		.map(Into::into)
		.into();
	words.push(public(user_ca).display().to_string());
	words.push("--principals".into());
	words.push(format!("{}=ops", login_name()));
	words.extend(further.iter().map(ToString::to_string));
	words
}

fn approve(person: &Dpki, review: &str) -> Value {
	person.ok(["approve-delivery", review, "--yes"])
}

fn sequence_in_force(device: &Device) -> Value {
	device.status()["sequence"].clone()
}

#[tokio::test]
async fn watchdogs_have_to_approve_and_one_missing_approval_keeps_a_delivery_back() {
	let fleet = Fleet::start("watchdogs");
	let user_ca = fleet.add_ssh_ca("ssh-user-ca");
	let mut device = fleet.enrol("drone-1").await;
	device.start();
	for person in ["//Bob", "//Charlie"] {
		fleet.admin.ok(["org", "member", "set", "acme", person, "--roles", "watchdog"]);
		fleet.admin.acting_for(person).ok(["org", "join", "acme"]);
	}
	let (bob, charlie) = (fleet.admin.acting_for("//Bob"), fleet.admin.acting_for("//Charlie"));
	fleet.admin.ok(["org", "policy", "acme", "watchdogs:2"]);

	let sentence = fleet.admin.refused(deliver(&user_ca, &[]));
	assert!(sentence.contains("need 2 approvals"), "{sentence}");
	let file = fleet.workspace.join("drone-1.review").display().to_string();
	let published = fleet.admin.ok(deliver(&user_ca, &["--review", &file]));
	assert_eq!((&published["waits"], &published["approvals_missing"]), (&json!(true), &json!(2)));

	// One approval of two: it shows what it is about, and the device sees no delivery.
	let shown = approve(&bob, &file);
	assert!(shown["content"].to_string().contains("is open to the principals ops"), "{shown}");
	assert_eq!(shown["approvals_missing"], json!(1));
	let sentence = bob.refused(["approve-delivery", &file, "--yes"]);
	assert!(sentence.contains("ApprovalRepeated"), "{sentence}");
	let stranger = fleet.admin.acting_for("//Dave");
	let sentence = stranger.refused(["approve-delivery", &file, "--yes"]);
	assert!(sentence.contains("RoleMissing") || sentence.contains("pay"), "{sentence}");
	device.reach(block(&shown)).await;
	assert_eq!(sequence_in_force(&device), Value::Null);

	// The second one puts it in force.
	let last = approve(&charlie, &file);
	assert_eq!(last["waits"], json!(false));
	device.reach(block(&last)).await;
	wait_for(&device, 1).await;

	// What was withdrawn cannot be approved any more.
	let file = fleet.workspace.join("withdrawn.review").display().to_string();
	fleet.admin.ok(deliver(&user_ca, &["--review", &file]));
	let sentence = bob.refused(["withdraw-delivery", "acme/drone-1"]);
	assert!(sentence.contains("NotThePublisher"), "{sentence}");
	fleet.admin.ok(["withdraw-delivery", "acme/drone-1"]);
	let sentence = charlie.refused(["approve-delivery", &file, "--yes"]);
	assert!(sentence.contains("no delivery"), "{sentence}");
}

#[tokio::test]
async fn under_multi_admin_one_person_signs_and_another_one_publishes() {
	let fleet = Fleet::start("multi-admin");
	let user_ca = fleet.add_ssh_ca("ssh-user-ca");
	let mut device = fleet.enrol("drone-1").await;
	device.start();
	let members = [("//Bob", "administrator,publisher"), ("//Charlie", "publisher")];
	for (person, roles) in members {
		fleet.admin.ok(["org", "member", "set", "acme", person, "--roles", roles]);
		fleet.admin.acting_for(person).ok(["org", "join", "acme"]);
	}
	let bob = fleet.admin.acting_for("//Bob");
	fleet.admin.ok(["org", "policy", "acme", "multi-admin"]);

	// Nobody delivers alone.
	let file = fleet.workspace.join("drone-1.review").display().to_string();
	let sentence = fleet.admin.refused(deliver(&user_ca, &["--review", &file]));
	assert!(sentence.contains("want the content signed"), "{sentence}");
	let alone = ["--review", &file, "--sign-for", "//Alice"];
	let sentence = fleet.admin.refused(deliver(&user_ca, &alone));
	assert!(sentence.contains("are one account"), "{sentence}");

	// Alice signs, Bob publishes, Alice approves what was published.
	fleet.admin.ok(deliver(&user_ca, &["--review", &file, "--sign-for", "//Bob"]));
	let charlie = fleet.admin.acting_for("//Charlie");
	let sentence = charlie.refused(["publish-delivery", &file, "--yes"]);
	assert!(sentence.contains("sealed for"), "{sentence}");
	let published = bob.ok(["publish-delivery", &file, "--yes"]);
	assert_eq!(published["approvals_missing"], json!(1));
	assert!(published["content"].to_string().contains("an anchor manager"), "{published}");
	let approved = approve(&fleet.admin, &file);
	device.reach(block(&approved)).await;
	wait_for(&device, 1).await;

	// What the chain lets pass without a signature, the device does not.
	let client = fleet.node.client().await;
	publish_unsigned(&client, &device).await;
	let refused = Outcome::Refused(RefusalReason::ApprovalMissing);
	assert_eq!(outcome(&client, &device, 2).await, refused);
	assert_eq!(sequence_in_force(&device), json!(1));
}

const CHANNEL: ChannelId = ChannelId::DEFAULT;

/// Delivery 2, published by Bob and approved by Alice, whose content nobody signed.
async fn publish_unsigned(client: &Client, device: &Device) {
	let account = |uri| Account::from_uri(uri).expect("a development account");
	let (alice, bob) = (account("//Alice"), account("//Bob"));
	let view = client.at_finalized().await.expect("the node answers");
	let keys = view.keys_of(device.id()).await.expect("the keys are read");
	let (recipient, record) = keys
		.into_iter()
		.find(|(_, record)| record.purpose == KeyPurpose::KeyAgreement)
		.expect("the device has an agreement key");
	let binding = DeliveryBinding {
		genesis: client.genesis_hash(),
		organisation: OrganisationId::from_name(b"acme"),
		publisher: bob.id(),
		device: device.id(),
		channel: CHANNEL,
		recipient,
		suite: Suite::X25519ChaCha20Poly1305,
		sequence: 2,
	};
	let plaintext = Bundle::default().encode().expect("encodes");
	let envelope = envelope::seal(&record.public, &binding, &plaintext).expect("seals");
	let publish = calls::publish(device.id(), CHANNEL, 2, binding.suite, recipient, &envelope);
	client.submit(&bob, &publish.expect("encodes")).await.expect("Bob publishes");
	let view = client.at_finalized().await.expect("the node answers");
	let proposal = view
		.proposal(device.id(), CHANNEL)
		.await
		.expect("it is read")
		.expect("it waits");
	let id = proposal.record.id(device.id(), CHANNEL);
	let approve = calls::approve_delivery(device.id(), CHANNEL, id);
	client.submit(&alice, &approve).await.expect("Alice approves");
}

/// Waits until this delivery is in force.
async fn wait_for(device: &Device, sequence: u64) {
	let waiting = async {
		while sequence_in_force(device) != json!(sequence) {
			tokio::time::sleep(Duration::from_millis(200)).await;
		}
	};
	tokio::time::timeout(PATIENCE, waiting)
		.await
		.unwrap_or_else(|_| panic!("delivery {sequence} never came into force:\n{}", device.log()));
}

/// Waits until the device has said what became of this delivery.
async fn outcome(client: &Client, device: &Device, sequence: u64) -> Outcome {
	let answer = async {
		loop {
			let view = client.at_finalized().await.expect("the node answers");
			match view.acknowledgement(device.id(), CHANNEL).await.expect("it is read") {
				Some(seen) if seen.sequence == sequence => return seen.outcome,
				_ => tokio::time::sleep(Duration::from_millis(200)).await,
			}
		}
	};
	tokio::time::timeout(PATIENCE, answer).await.unwrap_or_else(|_| {
		panic!("the device never acknowledged delivery {sequence}:\n{}", device.log())
	})
}
