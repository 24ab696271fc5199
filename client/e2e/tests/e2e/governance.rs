//! What people decide together: the council, and an organisation about itself.

use dpki_client::Client;
use dpki_e2e::{Dpki, Node, Workspace, block};
use futures::StreamExt;
use serde_json::{Value, json};

/// What the chain would do as root if the council let it: `System.remark` with a text.
const HARMLESS: &str = "0x00001074657374";

/// A chain whose council, at first `//Alice` alone, has seated these as well.
struct Council {
	node: Node,
	alice: Dpki,
	_workspace: Workspace,
}

impl Council {
	fn start(test: &str, others: &[&str]) -> Self {
		let workspace = Workspace::new(test);
		let node = Node::start(&workspace);
		let alice = Dpki::new(&node, "//Alice");
		let council = Self { node, alice, _workspace: workspace };
		for (seated, other) in others.iter().enumerate() {
			let proposed = council.alice.ok(["motion", "propose", "admit", other]);
			let mut state = proposed["state"].clone();
			// Of one seat one vote decides; of two, two; of three, two.
			for voter in &others[..seated] {
				if state == "open" {
					state = council.vote(voter, &proposed["motion"], "aye")["state"].clone();
				}
			}
			assert_eq!(state, "carried", "{other} was not seated");
		}
		council
	}

	fn acting_for(&self, name: &str) -> Dpki {
		self.alice.acting_for(name)
	}

	fn propose(&self, intent: &[&str]) -> Value {
		let proposed = self.alice.ok([&["motion", "propose"][..], intent].concat());
		assert_eq!(proposed["state"], "open", "{proposed}");
		proposed["motion"].clone()
	}

	fn vote(&self, voter: &str, motion: &Value, vote: &str) -> Value {
		let motion = motion.to_string();
		let words = ["motion", "vote", &motion, vote, "--reason", "see ticket 4711", "--yes"];
		self.acting_for(voter).ok(words)
	}

	fn state(&self, motion: &Value) -> Value {
		self.alice.ok(["motion", "show", &motion.to_string()])["state"].clone()
	}
}

/// Waits for a finalised block with a higher number.
async fn pass_block(client: &Client, number: u64) {
	let mut heads = client.finalized_heads();
	loop {
		let head = heads.next().await.expect("the stream has no end");
		if head.is_ok_and(|head| u64::from(head.number) > number) {
			return;
		}
	}
}

#[tokio::test]
async fn two_thirds_of_the_council_carry_and_more_than_a_third_rejects() {
	let council = Council::start("council", &["//Bob", "//Charlie", "//Dave"]);
	let hash = "0x".to_owned() + &"ab".repeat(32);

	let upgrade = council.propose(&["upgrade", &hash, "--reason", "release 2.0"]);
	let shown = council.alice.ok(["motion", "show", &upgrade.to_string()]);
	let text = shown["call"].as_str().expect("the call in words");
	assert!(text.contains("authorize_upgrade") && text.contains(&"ab".repeat(32)), "{text}");
	assert_eq!(
		(&shown["reason"], &shown["electorate"]),
		(&json!("release 2.0"), &json!("council"))
	);
	assert_eq!(shown["votes"], json!({ "ayes": 1, "nays": 0, "needed": 3, "seats": 4 }));
	// A member may change its mind.
	assert_eq!(council.vote("//Bob", &upgrade, "nay")["state"], "open");
	assert_eq!(council.vote("//Bob", &upgrade, "aye")["state"], "open");
	assert_eq!(council.vote("//Charlie", &upgrade, "aye")["state"], "carried");
	assert_eq!(council.state(&upgrade), "carried");
	let ballot = council
		.alice
		.ok(["motion", "show", &upgrade.to_string(), "--voter", "//Charlie"]);
	assert_eq!(
		(&ballot["vote"], &ballot["vote_reason"]),
		(&json!("aye"), &json!("see ticket 4711"))
	);

	let root = council.propose(&["root", HARMLESS]);
	assert_eq!(council.vote("//Charlie", &root, "nay")["state"], "open");
	assert_eq!(council.vote("//Dave", &root, "nay")["state"], "rejected");
	// It is decided: whatever comes now comes too late.
	let late =
		council
			.acting_for("//Bob")
			.refused(["motion", "vote", &root.to_string(), "aye", "--yes"]);
	assert!(late.contains("MotionClosed"), "{late}");
	assert_eq!(council.state(&root), "rejected");

	let stranger = council.acting_for("//Eve").refused(["motion", "propose", "root", HARMLESS]);
	assert!(stranger.contains("SeatMissing"), "{stranger}");
}

#[tokio::test]
async fn a_motion_that_nobody_decides_in_time_expires() {
	let council = Council::start("expiry", &["//Bob"]);
	let client = council.node.client().await;
	let proposed = council.alice.ok(["motion", "propose", "root", HARMLESS, "--blocks", "10"]);
	let motion = proposed["motion"].to_string();
	let early = council.alice.refused(["motion", "close", &motion]);
	assert!(early.contains("DeadlineNotPassed"), "{early}");

	pass_block(&client, block(&proposed) + 10).await;
	let late = council.acting_for("//Bob").refused(["motion", "vote", &motion, "aye", "--yes"]);
	assert!(late.contains("DeadlinePassed"), "{late}");
	council.acting_for("//Eve").ok(["motion", "close", &motion]);
	assert_eq!(council.state(&proposed["motion"]), "expired");

	let withdrawn = council.propose(&["root", HARMLESS]);
	let words = ["motion", "withdraw", &withdrawn.to_string(), "--reason", "by mistake"];
	let other = council.acting_for("//Bob").refused(words);
	assert!(other.contains("NotProposer"), "{other}");
	council.alice.ok(words);
	assert_eq!(council.state(&withdrawn), "withdrawn");
	let open = council.alice.ok(["motion", "list", "--open"]);
	assert_eq!(open, json!([]));
	let all = council.alice.ok(["motion", "list"]);
	assert_eq!(all[0]["withdrawn_because"], "by mistake");
}

#[tokio::test]
async fn a_member_changes_its_key_and_a_policy_changes_only_under_itself() {
	let council = Council::start("policy", &[]);
	let alice = &council.alice;
	alice.ok(["org", "create", "acme", "--kind", "manufacturer"]);
	alice.ok(["org", "member", "set", "acme", "//Bob", "--roles", "administrator"]);

	let (bob, charlie) = (council.acting_for("//Bob"), council.acting_for("//Charlie"));
	let stranger = charlie.refused(["org", "join", "acme"]);
	assert!(stranger.contains("InvitationUnknown"), "{stranger}");
	assert_eq!(bob.ok(["org", "join", "acme"])["roles"], json!(["administrator"]));

	// Bob's new key is //Charlie.
	bob.ok(["org", "hand-over", "acme", "//Charlie"]);
	let stranger = council
		.acting_for("//Dave")
		.refused(["org", "accept", "acme", "--from", "//Bob"]);
	assert!(stranger.contains("HandOverUnknown"), "{stranger}");
	charlie.ok(["org", "accept", "acme", "--from", "//Bob"]);
	let roles = |who| alice.ok(["org", "show", "acme", "--member", who])["roles"].clone();
	assert_eq!((roles("//Bob"), roles("//Charlie")), (json!([]), json!(["administrator"])));

	alice.ok(["org", "policy", "acme", "multi-admin"]);
	let alone = alice.refused(["org", "policy", "acme", "simple"]);
	assert!(alone.contains("decide this by vote"), "{alone}");
	let motion = council.propose(&["policy", "acme", "watchdogs:1"]);
	let stranger = bob.refused(["motion", "vote", &motion.to_string(), "aye", "--yes"]);
	assert!(stranger.contains("SeatMissing"), "{stranger}");
	assert_eq!(council.vote("//Charlie", &motion, "aye")["state"], "carried");
	assert_eq!(alice.ok(["org", "show", "acme"])["policy"], "watchdogs:1");

	// From now on it is the watchdogs' to change: Alice is the only one, so her motion is carried at once.
	let proposed = alice.ok(["motion", "propose", "policy", "acme", "simple"]);
	assert_eq!(proposed["state"], "carried", "{proposed}");
	assert_eq!(alice.ok(["org", "show", "acme"])["policy"], "simple");

	// The council, here Alice alone, helps whose keys are lost, and who is still there objects.
	alice.ok(["motion", "propose", "recover", "acme", "administrators", "//Dave"]);
	let another = alice.refused(["org", "recover", "complete", "acme"]);
	assert!(another.contains("RecoveryForAnother"), "{another}");
	let early = council.acting_for("//Dave").refused(["org", "recover", "complete", "acme"]);
	assert!(early.contains("RecoveryNotReady"), "{early}");
	charlie.ok(["org", "recover", "cancel", "acme"]);
	assert_eq!(alice.ok(["org", "show", "acme"])["recovery"], Value::Null);

	alice.ok(["org", "member", "remove", "acme", "//Charlie"]);
	alice.ok(["org", "dissolve", "acme", "--yes"]);
	let gone = alice.refused(["org", "show", "acme"]);
	assert!(gone.contains("knows no organisation acme"), "{gone}");
}
