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
use dpki_e2e::{Device, Dpki, Fleet, PATIENCE, binary, block, login_name, public, run};
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

/// Makes these two people the watchdogs of the organisation, both of whom have to approve from then on.
fn under_two_watchdogs(fleet: &Fleet) -> [Dpki; 2] {
	let people = ["//Bob", "//Charlie"].map(|person| {
		fleet.admin.ok(["org", "member", "set", "acme", person, "--roles", "watchdog"]);
		let person = fleet.admin.acting_for(person);
		person.ok(["org", "join", "acme"]);
		person
	});
	fleet.admin.ok(["org", "policy", "acme", "watchdogs:2"]);
	people
}

#[tokio::test]
async fn watchdogs_change_their_list_by_vote_and_from_then_on_others_approve() {
	let fleet = Fleet::start("watchdogs-list");
	let user_ca = fleet.add_ssh_ca("ssh-user-ca");
	let mut device = fleet.enrol("drone-1").await;
	device.start();
	let [bob, charlie] = under_two_watchdogs(&fleet);
	let dave = fleet.admin.acting_for("//Dave");
	let publish = |name: &str| {
		let file = fleet.workspace.join(name).display().to_string();
		let published = fleet.admin.ok(deliver(&user_ca, &["--review", &file]));
		assert_eq!(published["approvals_missing"], json!(2));
		file
	};
	let first = publish("first.review");
	approve(&bob, &first);
	approve(&charlie, &first);
	wait_for(&device, 1).await;

	// Not by the administrator, nor by the motion of the administrators, nor by one watchdog.
	let appoint = ["member-set", "acme", "//Dave", "--roles", "watchdog"];
	let dismiss = ["member-remove", "acme", "//Charlie"];
	for alone in [
		&["org", "member", "set", "acme", "//Dave", "--roles", "watchdog"][..],
		&["org", "member", "remove", "acme", "//Charlie"],
	] {
		let sentence = fleet.admin.refused(alone);
		assert!(sentence.contains("VoteNeeded"), "{sentence}");
	}
	let propose = |person: &Dpki, words: &[&str], by: &str| {
		person.ok([&["motion", "propose"][..], words, &["--by", by]].concat())
	};
	fleet
		.admin
		.failed([&["motion", "propose"][..], &dismiss, &["--by", "administrators"]].concat());
	let proposed = propose(&bob, &appoint, "watchdogs");
	assert_eq!(proposed["state"], "open", "{proposed}");
	let carried = |proposed: &Value, by: &Dpki| {
		let voted = by.ok(["motion", "vote", &proposed["motion"].to_string(), "aye", "--yes"]);
		assert_eq!(voted["state"], "carried", "{voted}");
	};
	carried(&proposed, &charlie);
	dave.ok(["org", "join", "acme"]);
	let proposed = propose(&bob, &dismiss, "watchdogs");
	carried(&proposed, &dave);

	// Whoever was dismissed approves nothing any more, and the device waits for who was appointed.
	let second = publish("second.review");
	approve(&bob, &second);
	let sentence = charlie.refused(["approve-delivery", &second, "--yes"]);
	assert!(sentence.contains("RoleMissing"), "{sentence}");
	assert_eq!(sequence_in_force(&device), json!(1));
	let last = approve(&dave, &second);
	assert_eq!(last["waits"], json!(false));
	wait_for(&device, 2).await;
}

/// Has the CA of `drone-1`, and of whatever else is named, replaced; what the command says.
fn rotate(fleet: &Fleet, old: &std::path::Path, further: &[&str]) -> (Option<i32>, Value) {
	fleet.admin.answers(rotation(fleet, old, further))
}

fn rotation(fleet: &Fleet, old: &std::path::Path, further: &[&str]) -> Vec<String> {
	let text = |name: &str| fleet.workspace.join(name).display().to_string();
	let (old, new, state) = (public(old).display().to_string(), text("new-ca"), text("rotation"));
	let principals = format!("{}=ops", login_name());
	let words = ["ssh", "rotate", "--org", "acme", "--device", "drone-1", "--old-ca", &old];
	let files = ["--new-ca", &new, "--state", &state, "--principals", &principals];
	let rest = ["--overlap", "1s", "--despite-stragglers", "--yes"];
	let words = [&words[..], &files, &rest, further].concat();
	words.into_iter().map(String::from).collect()
}

#[tokio::test]
async fn a_fleet_gets_another_ca_when_its_watchdogs_agree_and_not_before() {
	let fleet = Fleet::start("rotation-approvals");
	let old = fleet.add_ssh_ca("ssh-user-ca");
	let host_ca = fleet.add_ssh_ca("ssh-host-ca").display().to_string();
	let mut devices = vec![fleet.enrol("drone-1").await, fleet.enrol("drone-2").await];
	for device in &mut devices {
		device.start();
	}
	// Both have the old CA, from before there were watchdogs.
	let both = deliver(&old, &["--device", "drone-2"]);
	fleet.admin.ok(&both);
	for device in &devices {
		wait_for(device, 1).await;
	}
	let [bob, charlie] = under_two_watchdogs(&fleet);
	let sentence = fleet.admin.refused(&both);
	assert!(sentence.contains("need 2 approvals"), "{sentence}");

	let state = fleet.workspace.join("rotation").display().to_string();
	let rotate = |wait, further: &[&str]| {
		rotate(&fleet, &old, &[&["--device", "drone-2", "--wait", wait], further].concat())
	};
	let fates = |told: &Value| -> Vec<(Value, Value)> {
		let devices = told["devices"].as_array().expect("a list");
		devices.iter().map(|it| (it["stage"].clone(), it["outcome"].clone())).collect()
	};
	let files = ["drone-1", "drone-2"].map(|name| format!("{state}.{name}.review.next"));
	let approve_both = ["approve-delivery", &files[0], &files[1], "--yes"];

	// It waits for them, and tells what they have to run.
	let (code, told) = rotate("1s", &[]);
	assert_eq!((code, &told["revoked"]), (Some(3), &json!(false)), "{told}");
	assert_eq!(fates(&told), [(json!("proposed"), Value::Null), (json!("proposed"), Value::Null)]);
	let next = told["next"].as_str().expect("a sentence");
	assert!(next.contains("2 accounts") && next.contains("approve-delivery"), "{next}");

	// One of the deliveries is taken back, which is a straggler, and published again when that is asked for.
	fleet.admin.ok(["withdraw-delivery", "acme/drone-2"]);
	let approved = bob.ok(approve_both);
	assert_eq!(approved["deliveries"][0]["approvals_missing"], 1, "{approved}");
	assert_eq!(approved["left_out"].as_array().map(Vec::len), Some(1), "{approved}");
	let (_, told) = rotate("1s", &[]);
	assert_eq!(
		fates(&told),
		[(json!("proposed"), Value::Null), (json!("proposed"), json!("lapsed"))]
	);
	let (_, told) = rotate("1s", &["--again"]);
	assert_eq!(fates(&told), [(json!("proposed"), Value::Null), (json!("proposed"), Value::Null)]);
	let approved = bob.ok(approve_both);
	assert_eq!(approved["in_force"], 0, "{approved}");
	let sentence = bob.refused(approve_both);
	assert!(sentence.contains("has approved it already"), "{sentence}");

	// With one approval missing, the old CA is in force, and nothing is applied.
	let (code, told) = rotate("2s", &[]);
	assert_eq!((code, &told["revoked"]), (Some(3), &json!(false)), "{told}");
	let verdict = fleet.admin.status(["status", "anchor", told["old_ca"].as_str().unwrap()]);
	assert_eq!(verdict["status"], "valid");
	for device in &devices {
		assert_eq!(sequence_in_force(device), json!(1));
	}

	// With it, the devices have the new one, and the old one goes.
	let approved = charlie.ok(approve_both);
	assert_eq!(approved["in_force"], 2, "{approved}");
	let (code, told) = rotate("60s", &[]);
	assert_eq!((code, &told["revoked"]), (Some(0), &json!(true)), "{told}");
	let new = told["new_ca"].as_str().expect("an id");
	for device in &devices {
		let only = |status: &Value| status["ssh"]["user_cas"] == json!([new]);
		device.tells("believed the new CA alone", only).await;
	}

	// What a device asks for is certified, and is in force when they agree to that, too.
	let config = devices[0].join("agent.toml").display().to_string();
	let ask = ["request", "--config", &config, "ssh-host", "--name", "device.test", "--no-wait"];
	let asked = run(&binary("dpki-agent"), ask);
	assert!(asked.status.success(), "{}", String::from_utf8_lossy(&asked.stderr));
	let review = format!("{state}.drone-1.review");
	let answer = ["request", "answer", "acme/drone-1", "ssh-host", "--ca", &host_ca, "--yes"];
	let answered = fleet.admin.ok([&answer[..], &["--review", &review]].concat());
	assert_eq!((&answered["waits"], &answered["sequence"]), (&json!(true), &json!(3)));
	let listed = fleet.admin.ok(["request", "list", "--device", "acme/drone-1"]);
	assert_eq!((&listed[0]["channel"], &listed[0]["sequence"]), (&json!(0), &json!(3)));
	for person in [&bob, &charlie] {
		assert_eq!(sequence_in_force(&devices[0]), json!(2));
		approve(person, answered["awaits"].as_str().expect("a file"));
	}
	wait_for(&devices[0], 3).await;
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

	// The CA is replaced in the same way: nobody does that alone either.
	let signed_for =
		|wait, publisher| rotate(&fleet, &user_ca, &["--sign-for", publisher, "--wait", wait]);
	let sentence = fleet.admin.refused(rotation(&fleet, &user_ca, &["--wait", "1s"]));
	assert!(sentence.contains("want the content signed"), "{sentence}");
	let (code, told) = signed_for("1s", "//Bob");
	assert_eq!((code, &told["devices"][0]["stage"]), (Some(3), &json!("signed")), "{told}");
	let file = fleet.workspace.join("rotation.drone-1.review.next").display().to_string();
	bob.ok(["publish-delivery", &file, "--yes"]);
	approve(&fleet.admin, &file);
	let (code, told) = signed_for("60s", "//Bob");
	assert_eq!((code, &told["revoked"]), (Some(0), &json!(true)), "{told}");
	assert_eq!(told["devices"][0]["sequence"], 3, "it was signed once: {told}");
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
