//! Certificates: control of a name seen by observers, levels attested by endorsers, and how both are taken away.

use dpki_client::Client;
use dpki_e2e::{Dpki, Node, Workspace, block, run};
use futures::StreamExt;
use serde_json::{Value, json};
use std::path::Path;

/// Observers and endorsers, each with the organisation that controls it. Of two organisations a second account is
/// accredited.
const OBSERVERS: [(&str, &str); 4] =
	[("//Bob", "lab-b"), ("//Charlie", "lab-c"), ("//Dave", "lab-d"), ("//Bob//stash", "lab-b")];
const ENDORSERS: [(&str, &str); 3] =
	[("//Eve", "notary-e"), ("//Ferdie", "notary-f"), ("//Eve//stash", "notary-e")];

/// Who takes part in the control proof that is to succeed.
const VOTERS: [&str; 3] = ["//Bob", "//Charlie", "//Dave"];

/// A chain with these, whose council, //Alice, runs the organisation `acme`. Three observing organisations prove control,
/// and two endorsing ones attest OV and EV.
struct Consortium {
	node: Node,
	alice: Dpki,
	workspace: Workspace,
}

impl Consortium {
	fn start(test: &str, commit_blocks: &str) -> Self {
		let workspace = Workspace::new(test);
		let node = Node::start(&workspace);
		let alice = Dpki::new(&node, "//Alice");
		let this = Self { node, alice, workspace };
		let organisations = [
			("//Alice", "acme"),
			("//Bob", "lab-b"),
			("//Charlie", "lab-c"),
			("//Dave", "lab-d"),
			("//Eve", "notary-e"),
			("//Ferdie", "notary-f"),
		];
		together(organisations, |(founder, name)| {
			this.acting_for(founder).ok(["org", "create", name, "--kind", "test-lab"])
		});
		let windows = ["--commit-blocks", commit_blocks, "--reveal-blocks", "120"];
		let quorums = ["--observers", "3", "--endorsers-ov", "2", "--endorsers-ev", "2"];
		this.decide(&[&["certificate", "council", "policy"][..], &windows, &quorums].concat());
		for (account, organisation) in OBSERVERS {
			this.decide(&["observer", "accredit", account, "--org", organisation]);
		}
		together(ENDORSERS, |(account, _)| {
			this.acting_for(account).ok(["endorser", "bond", "1_000_000_000_000_000"])
		});
		for (account, organisation) in ENDORSERS {
			this.decide(&["endorser", "accredit", account, "--org", organisation, "--level", "ev"]);
		}
		this
	}

	fn acting_for(&self, name: &str) -> Dpki {
		self.alice.acting_for(name)
	}

	/// Has the council decide, whose only seat is //Alice's.
	fn decide(&self, words: &[&str]) {
		let decided = self.alice.ok(words);
		assert_eq!(decided["state"], "carried", "{decided}");
	}

	fn file(&self, name: &str) -> String {
		self.workspace.join(name).display().to_string()
	}

	/// A key that only OpenSSL knows, and its public half.
	fn openssl_key(&self, name: &str) -> (String, String) {
		let (key, public) = (self.file(name), self.file(&format!("{name}.pub")));
		openssl(&["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", &key]);
		openssl(&["pkey", "-in", &key, "-pubout", "-out", &public]);
		(key, public)
	}

	/// A key for the command line.
	fn key(&self, name: &str) -> String {
		let file = self.file(name);
		let made = run(
			Path::new("ssh-keygen"),
			["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", file.as_str()],
		);
		assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
		file
	}

	fn commit(&self, observer: &str, application: &str) -> Value {
		let vote = self.vote_file(observer, application);
		let words = ["observer", "commit", application, "controlled", "--vote", &vote];
		self.acting_for(observer).ok(words)
	}

	fn reveal(&self, observer: &str, application: &str) -> Value {
		let vote = self.vote_file(observer, application);
		self.acting_for(observer).ok(["observer", "reveal", "--vote", &vote])
	}

	fn vote_file(&self, observer: &str, application: &str) -> String {
		self.file(&format!("{}-{application}.vote", observer.replace('/', "")))
	}

	fn application(&self, id: &str) -> Value {
		self.alice.ok(["certificate", "application", id])
	}

	fn certificate(&self, id: &str) -> Value {
		self.alice.ok(["certificate", "show", id])
	}

	/// The verdict about the certificate, if it has to have this level at least.
	fn status(&self, id: &str, level: &str) -> Value {
		self.alice.status(["status", "certificate", id, "--level", level])
	}

	fn endorse(&self, endorser: &str, id: &str) -> Value {
		let words = ["endorser", "endorse", id, "--level", "ev", "--valid", "30d"];
		self.acting_for(endorser).ok(words)
	}
}

/// Does several things at the same time, each for an account of its own.
fn together<T: Send, R: Send>(
	all: impl IntoIterator<Item = T>,
	work: impl Fn(T) -> R + Sync,
) -> Vec<R> {
	std::thread::scope(|scope| {
		let work = &work;
		let running: Vec<_> = all.into_iter().map(|one| scope.spawn(move || work(one))).collect();
		running.into_iter().map(|it| it.join().expect("it succeeds")).collect()
	})
}

fn openssl(arguments: &[&str]) {
	let output = run(Path::new("openssl"), arguments);
	assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn text(answer: &Value, key: &str) -> String {
	answer[key]
		.as_str()
		.unwrap_or_else(|| panic!("no {key} in {answer}"))
		.to_owned()
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

/// The organisation behind each endorsement, and what is found about it.
fn findings(certificate: &Value) -> Vec<(&str, &str)> {
	let endorsements = certificate["endorsements"].as_array().expect("a list");
	endorsements
		.iter()
		.map(|it| {
			let word = |key: &str| it[key].as_str().unwrap_or_else(|| panic!("no {key} in {it}"));
			(word("organisation"), word("finding"))
		})
		.collect()
}

#[tokio::test]
async fn a_name_is_certified_by_observers_raised_by_endorsers_and_falls_with_them() {
	let consortium = Consortium::start("certificates", "40");
	let client = consortium.node.client().await;
	let alice = &consortium.alice;

	// A request by OpenSSL for a key that nothing else here ever sees.
	let (key, public) = consortium.openssl_key("drone.pem");
	let (draft, csr) = (consortium.file("drone.draft"), consortium.file("drone.csr"));
	let drafted = alice.ok([
		"certificate",
		"draft",
		"dns:drone.example",
		"--org",
		"acme",
		"--level",
		"ev",
		"--public",
		&public,
		"--out",
		&draft,
	]);
	let request = |config: &str, csr: &str| {
		let words = ["req", "-new", "-key", &key, "-config", config, "-outform", "DER"];
		openssl(&[&words[..], &["-out", csr]].concat());
	};
	let config = text(&drafted, "openssl_config");
	request(&config, &csr);

	// The same request made for another occasion is worth nothing.
	let forged = consortium.file("forged.csr");
	let challenge = text(&drafted, "challenge_password");
	let other = std::fs::read_to_string(&config).expect("it was written");
	let other = other.replace(&challenge, &"00".repeat(32));
	let other_config = consortium.file("forged.cnf");
	std::fs::write(&other_config, other).expect("writes a configuration");
	request(&other_config, &forged);
	let apply =
		|csr: &str| ["certificate", "apply-csr", "--draft", &draft, "--csr", csr].map(String::from);
	let refused = alice.refused(apply(&forged));
	assert!(refused.contains("RequestInvalid"), "{refused}");

	let applied = alice.ok(apply(&csr));
	assert_eq!(applied["granted"], json!(false));
	assert_eq!(applied["place"], "TXT record of _dpki-challenge.drone.example");
	let (application, id) = (text(&applied, "application"), text(&applied, "certificate"));
	let open = consortium.application(&application);
	assert_eq!((&open["state"], &open["observers_needed"]), (&json!("control"), &json!(3)));
	let again = alice.refused(apply(&csr));
	assert!(again.contains("before another application"), "{again}");

	// Three organisations look, and say so without telling what they saw.
	let work = consortium.acting_for("//Bob").ok(["observer", "pending"]);
	assert_eq!(
		(&work[0]["work"], &work[0]["challenge"]),
		(&json!("commit"), &applied["challenge"])
	);
	together(VOTERS, |observer| consortium.commit(observer, &application));
	let vote = consortium.file("twice.vote");
	let twice = ["observer", "commit", &application, "controlled", "--vote", &vote];
	let twice = consortium.acting_for("//Bob//stash").refused(twice);
	assert!(twice.contains("OrganisationVoted"), "{twice}");
	assert!(!Path::new(&vote).exists(), "the vote that was refused is kept");
	let own = consortium.vote_file("//Bob", &application);
	let early = consortium.acting_for("//Bob").refused(["observer", "reveal", "--vote", &own]);
	assert!(early.contains("RevealWindowNotOpen"), "{early}");

	// With the third one that tells, control is proven.
	pass_block(&client, open["commit_until"].as_u64().expect("a block")).await;
	for observer in ["//Bob", "//Charlie"] {
		assert_eq!(consortium.reveal(observer, &application)["decided"], json!(false));
	}
	assert_eq!(consortium.status(&id, "dv")["status"], "unknown");
	assert_eq!(consortium.reveal("//Dave", &application)["decided"], json!(true));
	assert_eq!(consortium.application(&application)["state"], "endorsement");
	let status = consortium.status(&id, "dv");
	assert_eq!((&status["valid"], &status["level"]), (&json!(true), &json!("DV")));

	// Whoever comes second gets nothing.
	let late = consortium.key("late");
	let second = ["certificate", "apply", "dns:drone.example", "--key", &late];
	let second = consortium.acting_for("//Ferdie//stash").refused(second);
	assert!(second.contains("SubjectHeld"), "{second}");
	let held = alice.ok(["subject", "show", "dns:drone.example"]);
	assert_eq!(held["holder"], "org:acme");
	assert_eq!(held["certificates"][0]["certificate"], id.as_str());

	// Two accounts of one organisation have one voice; with the second organisation the quorum of EV is reached.
	let before = text(&consortium.certificate(&id), "chain_time");
	let pending = consortium.acting_for("//Eve").ok(["endorser", "pending"]);
	assert_eq!(pending[0]["certificate"], id.as_str());
	consortium.endorse("//Eve", &id);
	consortium.endorse("//Eve//stash", &id);
	let shown = consortium.certificate(&id);
	assert_eq!(shown["level"], "DV");
	assert_eq!(findings(&shown), [("notary-e", "counted"), ("notary-e", "organisation counted")]);
	consortium.endorse("//Ferdie", &id);
	let status = consortium.status(&id, "ev");
	assert_eq!((&status["valid"], &status["level"]), (&json!(true), &json!("EV")));
	assert_eq!(consortium.application(&application)["state"], "granted");
	assert!(!consortium.certificate(&id)["proven_by"].as_array().expect("a list").is_empty());

	// An endorsement is taken back: the other account of the organisation still speaks for it.
	let withdraw = ["endorser", "withdraw", &id, "--because", "given-in-error"];
	consortium.acting_for("//Eve//stash").ok(withdraw);
	assert_eq!(consortium.certificate(&id)["level"], "EV");

	// It turns out that //Eve was corrupt since before the endorsements.
	consortium.decide(&["endorser", "compromised", "//Eve", "--from", &before]);
	let shown = consortium.certificate(&id);
	assert_eq!((&shown["status"], &shown["level"]), (&json!("valid"), &json!("DV")));
	assert_eq!(
		findings(&shown),
		[("notary-e", "endorser compromised"), ("notary-e", "withdrawn"), ("notary-f", "counted")]
	);
	let status = consortium.status(&id, "ev");
	assert_eq!((&status["valid"], &status["level"]), (&json!(false), &json!("DV")));
	let endorse = ["endorser", "endorse", &id, "--level", "ev", "--valid", "30d"];
	let never = consortium.acting_for("//Eve").refused(endorse);
	assert!(never.contains("compromised"), "{never}");

	// The end, for the certificate and for its key.
	let stranger = consortium.acting_for("//Bob").refused(["certificate", "revoke", &id, "--yes"]);
	assert!(stranger.contains("NotHolder"), "{stranger}");
	alice.ok(["certificate", "revoke", &id, "--reason", "keyCompromise", "--yes"]);
	let status = consortium.status(&id, "dv");
	assert_eq!(
		(&status["status"], &status["reason"]),
		(&json!("revoked"), &json!("keyCompromise"))
	);
	let (draft, csr) = (consortium.file("again.draft"), consortium.file("again.csr"));
	let words = ["certificate", "draft", "uuid", "--public", &public, "--out", &draft];
	let drafted = alice.ok(words);
	request(&text(&drafted, "openssl_config"), &csr);
	let dead = alice.refused(["certificate", "apply-csr", "--draft", &draft, "--csr", &csr]);
	assert!(dead.contains("KeyRevoked"), "{dead}");
}

#[tokio::test]
async fn what_observers_do_not_see_is_not_certified_and_what_needs_none_is_at_once() {
	let consortium = Consortium::start("control", "30");
	let client = consortium.node.client().await;
	let (alice, key) = (&consortium.alice, consortium.key("acme"));

	// One organisation fewer than the quorum takes part.
	let apply = ["certificate", "apply", "dns:drone.example", "--org", "acme", "--key", &key];
	let applied = alice.ok(apply);
	let (application, id) = (text(&applied, "application"), text(&applied, "certificate"));
	let early = alice.refused(["certificate", "close", &application]);
	assert!(early.contains("ApplicationNotDue"), "{early}");
	together(["//Bob", "//Charlie"], |observer| consortium.commit(observer, &application));
	let observed = alice.refused(["certificate", "withdraw", &application]);
	assert!(observed.contains("ApplicationObserved"), "{observed}");
	let open = consortium.application(&application);
	pass_block(&client, open["commit_until"].as_u64().expect("a block")).await;
	let closed = consortium.acting_for("//Ferdie").ok(["certificate", "close", &application]);
	assert_eq!(closed["state"], "refused-too-few-observers");
	assert_eq!(consortium.status(&id, "dv")["status"], "unknown");

	// An organisation about itself needs no observers, and nobody else applies for it.
	let apply = ["certificate", "apply", "org:acme", "--org", "acme", "--key", &key];
	let stranger = consortium.acting_for("//Bob").refused(apply);
	assert!(stranger.contains("RoleMissing"), "{stranger}");
	let more = ["--level", "ov", "--display-name", "Acme Drones", "--valid", "20d"];
	let granted = alice.ok([&apply[..], &more].concat());
	assert_eq!(granted["granted"], json!(true));
	let id = text(&granted, "certificate");
	assert_eq!(consortium.certificate(&id)["display_name"], "Acme Drones");
	let listed = alice.ok(["certificate", "list", "--org", "acme"]);
	assert_eq!((&listed["total"], &listed["next"]), (&json!(1), &Value::Null));
	for (within, count) in [("30d", 1), ("10d", 0)] {
		let ending = alice.ok(["certificate", "ending", "--within", within]);
		assert_eq!(ending["certificates"].as_array().map(Vec::len), Some(count), "{within}");
	}

	// It is put on hold by its holder, taken over by the consortium, and released only by it.
	alice.ok(["certificate", "suspend", &id]);
	assert_eq!(consortium.status(&id, "dv")["status"], "suspended");
	consortium.decide(&["certificate", "council", "suspend", &id]);
	let refused = alice.refused(["certificate", "release", &id]);
	assert!(refused.contains("SuspendedByConsortium"), "{refused}");
	consortium.decide(&["certificate", "council", "release", &id]);
	assert_eq!(consortium.status(&id, "dv")["status"], "valid");

	// What is endorsed is what was reviewed: a new name needs new endorsements.
	let digest = text(&consortium.certificate(&id), "digest");
	alice.ok(["certificate", "amend", &id, "--display-name", "Acme Robotics"]);
	let endorse = ["endorser", "endorse", &id, "--level", "ov", "--valid", "10d"];
	let reviewed = [&endorse[..], &["--digest", &digest]].concat();
	let changed = consortium.acting_for("//Eve").refused(reviewed);
	assert!(changed.contains("not any more what was reviewed"), "{changed}");
	together(["//Eve", "//Ferdie"], |who| consortium.acting_for(who).ok(endorse));
	assert_eq!(consortium.status(&id, "ov")["level"], "OV");

	// The organisation hangs on it.
	let dissolve = alice.refused(["org", "dissolve", "acme", "--yes"]);
	assert!(dissolve.contains("BelongingsLeft"), "{dissolve}");
	let renewed = alice.ok(["certificate", "renew", &id, "endorsement"]);
	let application = text(&renewed, "application");
	assert_eq!(consortium.application(&application)["purpose"], "endorsement");
	assert!(block(&renewed) > 0);

	// Whoever finds the key ends the certificate with it, and needs nothing of its holder but pays.
	let stranger = consortium.acting_for("//Bob");
	let found = ["key", "compromised", &key, "--yes"];
	stranger.ok(found);
	let status = consortium.status(&id, "dv");
	assert_eq!(
		(&status["status"], &status["reason"]),
		(&json!("revoked"), &json!("keyCompromise"))
	);
	let again = stranger.refused(found);
	assert!(again.contains("KeyAlreadyRevoked"), "{again}");
}
