//! Bonds of endorsers: asked for before the office, taken out with it, slashed by vote.

use dpki_e2e::{Dpki, Node, Workspace, run};
use serde_json::{Value, json};
use std::path::Path;

/// What the development chain asks of endorsers, in the smallest unit.
const MINIMUM: &str = "1_000_000_000_000_000";

fn text(answer: &Value, key: &str) -> String {
	answer[key]
		.as_str()
		.unwrap_or_else(|| panic!("no {key} in {answer}"))
		.to_owned()
}

/// The level of a certificate, and what is found about the one endorsement of it.
fn level(alice: &Dpki, id: &str) -> (String, String) {
	let shown = alice.ok(["certificate", "show", id]);
	(text(&shown, "level"), text(&shown["endorsements"][0], "finding"))
}

#[test]
fn an_endorser_answers_with_its_bond_for_what_it_says() {
	let workspace = Workspace::new("bonds");
	let node = Node::start(&workspace);
	let alice = Dpki::new(&node, "//Alice");
	let eve = alice.acting_for("//Eve");
	alice.ok(["org", "create", "acme", "--kind", "test-lab"]);
	eve.ok(["org", "create", "notary", "--kind", "test-lab"]);
	let quorums = ["--endorsers-ov", "1", "--endorsers-ev", "1"];
	alice.ok([&["certificate", "council", "policy"][..], &quorums].concat());
	let key = workspace.join("acme").display().to_string();
	let made = run(Path::new("ssh-keygen"), ["-q", "-t", "ed25519", "-N", "", "-f", key.as_str()]);
	assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
	let apply = ["certificate", "apply", "org:acme", "--org", "acme", "--level", "ov", "--key"];
	let applied = alice.ok([&apply[..], &[key.as_str()]].concat());
	assert_eq!(
		(text(&applied, "requested_level"), text(&applied, "level")),
		("OV".into(), "DV".into())
	);
	assert_eq!(applied["endorsements_needed"], 1);
	assert!(applied["on_hold"].is_object() && applied["left_the_balance"].is_string(), "{applied}");
	let id = text(&applied, "certificate");
	let open =
		|option: [&str; 2]| alice.ok([&["certificate", "applications"][..], &option].concat());
	for option in [["--org", "acme"], ["--holder", "//Alice"]] {
		assert_eq!(open(option)[0]["application"], applied["application"], "{option:?}");
	}
	assert_eq!(open(["--org", "notary"]), json!([]));

	// No office without a bond.
	assert_eq!(alice.ok(["certificate", "terms"])["minimum_bond"], MINIMUM.replace('_', ""));
	let accredit = ["endorser", "accredit", "//Eve", "--org", "notary", "--level", "ev"];
	let failed = alice.failed(accredit);
	assert!(text(&failed, "failure").contains("BondTooLow"), "{failed}");
	let bond = format!("`dpki endorser bond {}`", MINIMUM.replace('_', ""));
	assert!(text(&failed, "next").contains(&bond), "{failed}");
	let bonded = eve.ok(["endorser", "bond", MINIMUM]);
	assert_eq!((&bonded["sufficient"], &bonded["active"]), (&json!(true), &bonded["minimum"]));
	assert_eq!(alice.ok(accredit)["state"], "carried");
	eve.ok(["endorser", "endorse", &id, "--level", "ov", "--valid", "10d"]);
	assert_eq!(level(&alice, &id), ("OV".into(), "counted".into()));

	// Whoever takes it out leaves the office at once; it stays on hold.
	let refused = eve.refused(["endorser", "unbond", "2_000_000_000_000_000", "--yes"]);
	assert!(refused.contains("BondExceeded"), "{refused}");
	let taken = eve.ok(["endorser", "unbond", "1_000", "--yes"]);
	assert!(taken["until"].as_u64().is_some_and(|until| until > 2 * 30 * 24 * 60 * 60), "{taken}");
	assert_eq!(level(&alice, &id), ("DV".into(), "endorser suspended".into()));
	let early = eve.refused(["endorser", "withdraw-bond"]);
	assert!(early.contains("UnbondingNotDue"), "{early}");
	let bonded = alice.ok(["endorser", "bonded", "//Eve"]);
	assert_eq!(
		(&bonded["sufficient"], &bonded["active"]),
		(&json!(false), &json!("999999999999000"))
	);
	assert_eq!(bonded["unbonding"][0]["amount"], "1000");
	assert_eq!(bonded["unbonding"][0]["until"], taken["until"]);

	// Whoever has to do something about it is told what.
	let told = eve.refused(["endorser", "pending"]);
	assert!(told.ends_with("is suspended"), "{told}");

	// Bonded and accredited again, it counts again; then it is slashed.
	eve.ok(["endorser", "bond", "1_000"]);
	assert_eq!(alice.ok(accredit)["state"], "carried");
	assert_eq!(level(&alice, &id), ("OV".into(), "counted".into()));
	let minimum = ["certificate", "council", "minimum-bond"];
	assert_eq!(alice.ok([&minimum[..], &["2_000_000_000_000_000"]].concat())["state"], "carried");
	let told = eve.refused(["endorser", "pending"]);
	assert!(told.contains("1000000000000000 below what endorsers have to bond"), "{told}");
	assert_eq!(alice.ok([&minimum[..], &[MINIMUM]].concat())["state"], "carried");
	let proof = workspace.join("proof.txt");
	std::fs::write(&proof, "the register says otherwise").expect("writes the proof");
	let proof = proof.display().to_string();
	let slash = [
		"motion",
		"propose",
		"slash",
		"//Eve",
		"--amount",
		"400_000_000_000_000",
		"--because",
		"false-statement",
		"--evidence",
		&proof,
		"--reason",
		"see minutes",
	];
	assert_eq!(alice.ok(slash)["state"], "carried");
	let bonded = eve.ok(["endorser", "bonded"]);
	assert_eq!(bonded["active"], "600000000000000");
	let lost = &bonded["slashes"][0];
	assert_eq!(
		(&lost["amount"], &lost["reason"]),
		(&json!("400000000000000"), &json!("false-statement"))
	);
	assert_eq!(level(&alice, &id), ("DV".into(), "endorser suspended".into()));

	// A consortium without money asks for none.
	assert_eq!(alice.ok(["certificate", "council", "minimum-bond", "0"])["state"], "carried");
	assert_eq!(alice.ok(accredit)["state"], "carried");
	assert_eq!(level(&alice, &id), ("OV".into(), "counted".into()));
}
