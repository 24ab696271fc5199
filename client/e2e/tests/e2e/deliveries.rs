//! Deliveries that the chain or the device refuses, while the access of before stays.

use dpki_client::{Account, Bundle, Client, Item, blob, calls, envelope, submit::SubmitError};
use dpki_e2e::{Device, Fleet, PATIENCE, Sshd, block, login_name, public};
use dpki_primitives::{
	channel::ChannelId,
	delivery::{DeliveryBinding, Outcome, RefusalReason, Suite},
	ids::{AnchorId, BlobDigest, KeyId, OrganisationId},
	key::{KeyPurpose, PublicKey},
};
use serde_json::{Value, json};
use std::{path::Path, time::Duration};

/// The agreement key of a device.
async fn recipient(client: &Client, device: &Device) -> (KeyId, PublicKey) {
	let view = client.at_finalized().await.expect("the node answers");
	let keys = view.keys_of(device.id()).await.expect("the keys are read");
	let (id, record) = keys
		.into_iter()
		.find(|(_, record)| record.purpose == KeyPurpose::KeyAgreement)
		.expect("the device has an agreement key");
	(id, record.public)
}

/// Waits until the device has said what became of this delivery.
async fn outcome(client: &Client, device: &Device, sequence: u64) -> Outcome {
	let answer = async {
		loop {
			let view = client.at_finalized().await.expect("the node answers");
			match view.acknowledgement(device.id(), ChannelId::DEFAULT).await.expect("it is read") {
				Some(seen) if seen.sequence == sequence => return seen.outcome,
				_ => tokio::time::sleep(Duration::from_millis(200)).await,
			}
		}
	};
	tokio::time::timeout(PATIENCE, answer).await.unwrap_or_else(|_| {
		panic!("the device never acknowledged delivery {sequence}; it said:\n{}", device.log())
	})
}

#[tokio::test]
async fn a_bundle_that_is_not_meant_as_it_is_changes_nothing() {
	let fleet = Fleet::start("bundles");
	let (user_ca, host_ca) = (fleet.add_ssh_ca("ssh-user-ca"), fleet.add_ssh_ca("ssh-host-ca"));
	let known_hosts = fleet.known_hosts(&host_ca);
	let mut device = fleet.enrol("drone-1").await;
	let mut other = fleet.enrol("drone-2").await;
	device.start();
	fleet.deliver_access(&device, &user_ca, &host_ca);
	let sshd = Sshd::start(&fleet.workspace, &device.ssh().join("current/sshd.conf"));
	let key = fleet.user_key("alice");
	fleet.grant(&user_ca, &key, "10m");
	assert!(sshd.login(&key, &known_hosts, "true").granted, "{}", sshd.log());

	let client = fleet.node.client().await;
	let (alice, bob) = (account("//Alice"), account("//Bob"));
	let (recipient_id, recipient_key) = recipient(&client, &device).await;
	let binding = |sequence| DeliveryBinding {
		genesis: client.genesis_hash(),
		organisation: OrganisationId::from_name(b"acme"),
		publisher: alice.id(),
		device: device.id(),
		channel: ChannelId::DEFAULT,
		recipient: recipient_id,
		suite: Suite::X25519ChaCha20Poly1305,
		sequence,
	};
	let nothing = Bundle { items: vec![] }.encode().expect("encodes");
	let seal = |binding: DeliveryBinding| {
		envelope::seal(&recipient_key, &binding, &nothing).expect("seals")
	};
	let publish = async |account: &Account, sequence, envelope: &[u8]| {
		let (channel, suite) = (ChannelId::DEFAULT, Suite::X25519ChaCha20Poly1305);
		let call = calls::publish(device.id(), channel, sequence, suite, recipient_id, envelope);
		client.submit(account, &call.expect("encodes")).await
	};
	let refused = |reason| Outcome::Refused(reason);
	// The chain is told a code; the device names the refusal and says why.
	let named = async |sequence: u64, name: &str| {
		let is_told = |status: &Value| status["last_refusal"]["sequence"] == sequence;
		device.tells(&format!("named the refusal of {sequence}"), is_told).await;
		let refusal = device.status()["last_refusal"].clone();
		assert_eq!(refusal["reason"], name, "{refusal}");
		let sentence = refusal["sentence"].as_str().expect("it has a sentence");
		assert!(device.log().contains(sentence), "{sentence}\n{}", device.log());
	};

	// A flipped bit.
	let mut flipped = seal(binding(2));
	let middle = flipped.len() / 2;
	flipped[middle] ^= 1;
	publish(&alice, 2, &flipped).await.expect("the chain cannot see into it");
	assert_eq!(outcome(&client, &device, 2).await, refused(RefusalReason::EnvelopeInvalid));
	named(2, "envelope invalid").await;

	// Sealed for another device.
	let (other_id, other_key) = recipient(&client, &other).await;
	let theirs = DeliveryBinding { device: other.id(), recipient: other_id, ..binding(3) };
	let theirs = envelope::seal(&other_key, &theirs, &nothing).expect("seals");
	publish(&alice, 3, &theirs).await.expect("the chain cannot see into it");
	assert_eq!(outcome(&client, &device, 3).await, refused(RefusalReason::EnvelopeInvalid));
	named(3, "envelope invalid").await;

	// Sealed by another publisher, for another organisation, for another channel, for another sequence number.
	let channel = ChannelId::new(3).expect("it is one");
	for (sequence, wrong) in [
		(4, DeliveryBinding { publisher: bob.id(), ..binding(4) }),
		(5, DeliveryBinding { organisation: OrganisationId::from_name(b"evil"), ..binding(5) }),
		(6, DeliveryBinding { channel, ..binding(6) }),
		(7, binding(2)),
	] {
		publish(&alice, sequence, &seal(wrong))
			.await
			.expect("the chain cannot see into it");
		assert_eq!(
			outcome(&client, &device, sequence).await,
			refused(RefusalReason::EnvelopeInvalid),
			"{sequence}"
		);
		named(sequence, "envelope invalid").await;
	}

	// Names an anchor that is not there.
	let stranger = Bundle { items: vec![Item::SshUserCa { anchor: AnchorId([7; 32]) }] };
	let stranger = stranger.encode().expect("encodes");
	let envelope = envelope::seal(&recipient_key, &binding(8), &stranger).expect("seals");
	publish(&alice, 8, &envelope).await.expect("the chain cannot see into it");
	assert_eq!(outcome(&client, &device, 8).await, refused(RefusalReason::BundleInvalid));
	named(8, "bundle invalid").await;

	// In the clear beside the envelope, so that the chain itself refuses it by name: the key of another device, a key that the
	// suite cannot use, an older sequence number, a member of another organisation.
	let call = |suite, recipient| {
		let channel = ChannelId::DEFAULT;
		calls::publish(device.id(), channel, 9, suite, recipient, &seal(binding(9)))
	};
	for (call, name) in [
		(call(Suite::X25519ChaCha20Poly1305, other_id), "RecipientOfAnotherDevice"),
		(call(Suite::SharedXWing, recipient_id), "RecipientUnfit"),
	] {
		let submitted = client.submit(&alice, &call.expect("encodes")).await;
		let error = submitted.expect_err(name);
		assert!(is(&error, name), "{name}: {error}");
	}
	let error = publish(&alice, 8, &seal(binding(8))).await.expect_err("an old sequence number");
	assert!(is(&error, "DeliveryOutdated"), "{error}");
	fleet
		.admin
		.acting_for("//Bob")
		.ok(["org", "create", "evil", "--kind", "service-provider"]);
	let error = publish(&bob, 9, &seal(binding(9))).await.expect_err("another organisation");
	assert!(is(&error, "RoleMissing"), "{error}");

	// Another blob than the one of the record, from a store that lies: the device asks it again, and says what it got.
	let sealed = DeliveryBinding { device: other.id(), recipient: other_id, ..binding(1) };
	let sealed = envelope::seal(&other_key, &sealed, &nothing).expect("seals");
	let suite = Suite::X25519ChaCha20Poly1305;
	let channel = ChannelId::DEFAULT;
	let call = calls::publish(other.id(), channel, 1, suite, other_id, &sealed).expect("encodes");
	client.submit(&alice, &call).await.expect("it is published");
	let store = other.join("store");
	std::fs::create_dir(&store).expect("creates the store");
	let mut altered = sealed.clone();
	altered[40] ^= 1;
	std::fs::write(store.join(blob::cid(BlobDigest::of(&sealed))), altered).expect("writes it");
	let lines = format!("\n[[blobs]]\nkind = \"folder\"\naddress = \"{}\"\n", store.display());
	other.reconfigure(|text| text + &lines);
	other.start();
	let is_named = |status: &Value| status["last_refusal"]["reason"] == "blob mismatch";
	other.tells("named the other blob", is_named).await;
	other.stop();

	// After all that the old access stands, and the next good delivery is applied.
	assert!(sshd.login(&key, &known_hosts, "true").granted, "{}", sshd.log());
	let delivered = fleet.deliver_access(&device, &user_ca, &host_ca);
	assert_eq!(delivered["sequence"], 9);
	device.reach(block(&delivered)).await;
	assert!(sshd.login(&key, &known_hosts, "true").granted, "{}", sshd.log());
	another_publisher_has_a_channel_of_its_own(&fleet, &device, &user_ca);
	assert!(sshd.login(&key, &known_hosts, "true").granted, "{}", sshd.log());
}

/// Another publisher delivers on channel 3: what is in force on channel 0 stays, and is not taken over.
fn another_publisher_has_a_channel_of_its_own(fleet: &Fleet, device: &Device, user_ca: &Path) {
	fleet
		.admin
		.ok(["org", "member", "set", "acme", "//Charlie", "--roles", "publisher"]);
	let charlie = fleet.admin.acting_for("//Charlie");
	charlie.ok(["org", "join", "acme"]);
	let user_ca = public(user_ca).display().to_string();
	let words = "deliver --org acme --device drone-1 --channel 3 --wait --user-ca";
	let deliver = |login: &str, principal: &str| {
		let principals = format!("{login}={principal}");
		let words = words.split(' ').chain([user_ca.as_str(), "--principals"]);
		words.map(str::to_owned).chain([principals]).collect::<Vec<_>>()
	};
	let delivered = charlie.ok(deliver("guest", "ops"));
	assert_eq!((&delivered["outcome"], &delivered["channel"]), (&json!("applied"), &json!(3)));
	assert!(device.ssh().join("current/principals/guest").exists());
	let sentence = charlie.refused(deliver(&login_name(), "all"));
	assert!(sentence.contains("a lower channel"), "{sentence}");
	let verdict = fleet.admin.status(["status", "delivery", "acme/drone-1"]);
	let told: Vec<_> = verdict["channels"].as_array().expect("a list").iter().collect();
	let statuses: Vec<_> = told.iter().map(|it| (&it["channel"], &it["status"])).collect();
	assert_eq!(
		statuses,
		[(&json!(0), &json!("applied")), (&json!(3), &json!("refused"))],
		"{verdict}"
	);
}

#[tokio::test]
async fn a_device_applies_what_a_publishing_proxy_has_published() {
	let fleet = Fleet::start("proxy");
	let user_ca = fleet.add_ssh_ca("ssh-user-ca");
	let mut device = fleet.enrol("drone-1").await;
	device.start();
	let user_ca = public(&user_ca).display().to_string();
	let principals = format!("{}=ops", login_name());
	let server = fleet.admin.acting_for("//Bob");
	let deliver = [
		"deliver",
		"--org",
		"acme",
		"--device",
		"drone-1",
		"--user-ca",
		&user_ca,
		"--principals",
		&principals,
		"--on-behalf-of",
		"//Alice",
	];
	let sentence = server.refused(deliver);
	assert!(sentence.contains("NotProxy"), "{sentence}");
	fleet.admin.ok(["account", "proxy", "add", "//Bob", "--right", "publishing"]);

	// The node serves the envelope as it was sealed, or the device could not open it.
	let delivered = server.ok(deliver.into_iter().chain(["--wait"]));
	assert_eq!((&delivered["outcome"], &delivered["sequence"]), (&json!("applied"), &json!(1)));
	let client = fleet.node.client().await;
	let view = client.at_finalized().await.expect("the node answers");
	let record = view
		.delivery(device.id(), ChannelId::DEFAULT)
		.await
		.expect("it is read")
		.expect("it is there");
	assert_eq!(record.publisher, account("//Alice").id());

	// It publishes, and nothing else.
	let appoint = [
		"org",
		"member",
		"set",
		"acme",
		"//Bob",
		"--roles",
		"publisher",
		"--on-behalf-of",
		"//Alice",
	];
	let sentence = server.refused(appoint);
	assert!(sentence.contains("CallFiltered"), "{sentence}");
	fleet.admin.ok(["account", "proxy", "remove", "//Bob", "--right", "publishing"]);
	let sentence = server.refused(deliver);
	assert!(sentence.contains("NotProxy"), "{sentence}");
}

#[tokio::test]
async fn a_verdict_about_a_delivery_is_one_about_its_device_too() {
	let fleet = Fleet::start("verdicts");
	let (user_ca, host_ca) = (fleet.add_ssh_ca("ssh-user-ca"), fleet.add_ssh_ca("ssh-host-ca"));
	let verdict = |device: &str| fleet.admin.status(["status", "delivery", device]);
	assert_eq!(verdict("acme/drone-1")["status"], "unknown");
	let mut device = fleet.enrol("drone-1").await;
	device.start();
	assert_eq!(verdict("acme/drone-1")["status"], "none");
	fleet.deliver_access(&device, &user_ca, &host_ca);
	assert_eq!(verdict("acme/drone-1")["status"], "applied");

	// A CA of another kind, and one that is to sign nothing new.
	let deliver = |ca: &std::path::Path| {
		let ca = public(ca).display().to_string();
		let words = "deliver --org acme --device drone-1 --principals pilot=ops --user-ca";
		fleet.admin.refused(words.split(' ').chain([ca.as_str()]))
	};
	let sentence = deliver(&host_ca);
	assert!(sentence.contains("is registered as an ssh-host-ca, not as"), "{sentence}");
	fleet
		.admin
		.ok(["anchor", "retire", &public(&user_ca).display().to_string(), "--yes"]);
	let sentence = deliver(&user_ca);
	assert!(sentence.contains("is retired (superseded) since"), "{sentence}");

	let revoke = ["revoke", "device", "acme/drone-1", "--reason", "keyCompromise", "--yes"];
	fleet.admin.ok(revoke);
	let revoked = verdict("acme/drone-1");
	assert_eq!(
		(revoked["status"].as_str(), revoked["reason"].as_str()),
		(Some("revoked"), Some("keyCompromise"))
	);
}

fn account(uri: &str) -> Account {
	Account::from_uri(uri).expect("a development account")
}

fn is(error: &SubmitError, name: &str) -> bool {
	matches!(error, SubmitError::Failed { error, .. } if error == name)
}
