//! The commands about certificates as a person types them: what needs no chain, and what is refused before one is asked.

use assert_cmd::Command;
use serde_json::Value;
use std::{fs, os::unix::fs::PermissionsExt, path::Path};
use tempfile::TempDir;

/// Nobody answers there.
const NOWHERE: &str = "ws://127.0.0.1:1";
const ID: &str = "0xabababababababababababababababababababababababababababababababab";

/// The program in an environment of its own.
fn dpki(arguments: &[&str]) -> Command {
	let mut command = Command::cargo_bin("dpki").unwrap();
	for variable in ["DPKI_ACCOUNT", "DPKI_GENESIS", "DPKI_PASSPHRASE"] {
		command.env_remove(variable);
	}
	command.env("DPKI_URL", NOWHERE).args(arguments);
	command
}

fn json(arguments: &[&str]) -> Value {
	let assert = dpki(&[arguments, &["--json"]].concat()).assert().success();
	let text = String::from_utf8(assert.get_output().stdout.clone()).unwrap();
	serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Standard error of a command that fails with this exit code.
fn fails(code: i32, arguments: &[&str]) -> String {
	let assert = dpki(arguments).assert().failure().code(code).stdout("");
	String::from_utf8(assert.get_output().stderr.clone()).unwrap()
}

fn name(folder: &TempDir, file: &str) -> String {
	folder.path().join(file).to_str().unwrap().to_owned()
}

#[test]
fn a_person_is_a_hash_that_the_salt_opens() {
	let folder = tempfile::tempdir().unwrap();
	let salt = name(&folder, "alice.salt");
	let person = ["subject", "person", "Alice Example", "--salt", &salt];
	let made = json(&person);
	let subject = made["subject"].as_str().unwrap();
	assert!(subject.starts_with("person:0x"), "{made}");
	assert_eq!(fs::metadata(&salt).unwrap().permissions().mode() & 0o777, 0o600);
	assert!(!made.to_string().contains(fs::read_to_string(&salt).unwrap().trim()));
	assert!(fails(1, &person).contains("exists already"));

	let check =
		|who| dpki(&["subject", "person", who, "--salt", &salt, "--check", subject]).assert();
	check("Alice Example").success();
	check("Alice Exampel").code(3);
}

#[test]
fn what_is_no_subject_is_told_with_the_forms_that_are() {
	for wrong in ["drone.example", "dns:Drone.example", "ip:10.0.0.1", "org:Acme!", "mail:a@b.c"] {
		let error = fails(2, &["subject", "show", wrong]);
		assert!(
			error.contains("names no subject") && error.contains("dns:drone.example"),
			"{error}"
		);
	}
}

#[test]
fn a_list_is_of_one_thing() {
	fails(2, &["certificate", "list"]);
	fails(2, &["certificate", "list", "--org", "acme", "--about", "dns:drone.example"]);
	fails(2, &["certificate", "list", "--holder", "nobody"]);
	fails(2, &["certificate", "ending", "--within", "soon"]);
	let error = fails(1, &["certificate", "ending", "--within", "2000d"]);
	assert!(error.contains("a year at most"), "{error}");
}

#[test]
fn a_name_is_changed_or_taken_away_but_not_both() {
	let amend = ["certificate", "amend", ID, "--account", "//Alice"];
	fails(2, &amend);
	fails(2, &[&amend[..], &["--display-name", "Acme", "--no-display-name"]].concat());
	let error = fails(1, &[&amend[..], &["--display-name", &"x".repeat(65)]].concat());
	assert!(error.contains("the display name"), "{error}");
}

#[test]
fn what_cannot_be_certified_is_refused_before_any_node_is_asked() {
	let folder = tempfile::tempdir().unwrap();
	let (public, out) = (name(&folder, "key.pub"), name(&folder, "draft"));
	fs::write(&public, "ssh-ed25519 AAAA").unwrap();
	let draft = ["certificate", "draft", "dns:a.example", "--public", &public, "--out", &out];
	let error = fails(1, &[&draft[..], &["--account", "//Alice"]].concat());
	assert!(error.contains("no public key") && error.contains("openssl pkey -pubout"), "{error}");
	assert!(!Path::new(&out).exists());

	let csr = name(&folder, "csr");
	fs::write(&csr, b"\x30\x00").unwrap();
	fs::write(&out, "dpki-draft1:00").unwrap();
	let apply =
		["certificate", "apply-csr", "--draft", &out, "--csr", &csr, "--account", "//Alice"];
	let error = fails(1, &apply);
	assert!(error.contains("next: give the file that `dpki certificate draft` made"), "{error}");
	// A draft is never written over: the request that was made for it would be worth nothing.
	let error = fails(1, &[&draft[..], &["--account", "//Alice"]].concat());
	assert!(error.contains("exists already"), "{error}");
}

#[test]
fn a_vote_is_kept_in_a_new_file_and_opened_by_its_owner() {
	let folder = tempfile::tempdir().unwrap();
	let vote = name(&folder, "drone.vote");
	fs::write(&vote, "dpki-vote1:00").unwrap();
	let commit = ["observer", "commit", ID, "controlled", "--vote", &vote, "--account", "//Bob"];
	assert!(fails(1, &commit).contains("exists already"));
	fails(2, &["observer", "commit", ID, "maybe", "--vote", &vote]);
	let error = fails(1, &["observer", "reveal", "--vote", &vote, "--account", "//Bob"]);
	assert!(error.contains("next: give the file that `dpki observer commit` made"), "{error}");
}

#[test]
fn times_levels_and_prices_are_read_strictly() {
	let accredit = ["endorser", "accredit", "//Dave", "--org", "notary", "--level"];
	fails(2, &[&accredit[..], &["xv"]].concat());
	let compromised = ["endorser", "compromised", "//Dave", "--from"];
	let error = fails(2, &[&compromised[..], &["yesterday"]].concat());
	assert!(error.contains("2026-11-20T09:00:00Z"), "{error}");
	let prices = ["certificate", "council", "prices"];
	let error = fails(2, &[&prices[..], &["--issue", "dv:1:2"]].concat());
	assert!(error.contains("LEVEL:NETWORK:OBSERVATION:ENDORSEMENT"), "{error}");
	fails(2, &[&prices[..], &["--feeless", "perhaps"]].concat());
	for command in [&["endorser", "bond"][..], &["endorser", "unbond"]] {
		fails(2, &[command, &["half"]].concat());
		let error = fails(1, &[command, &["0", "--account", "//Dave"]].concat());
		assert!(error.contains("the amount is zero"), "{error}");
	}
}

#[test]
fn without_a_node_every_command_says_so() {
	let folder = tempfile::tempdir().unwrap();
	let vote = name(&folder, "new.vote");
	for command in [
		&["certificate", "show", ID][..],
		&["certificate", "application", ID],
		&["certificate", "list", "--org", "acme"],
		&["certificate", "ending"],
		&["certificate", "terms"],
		&["certificate", "renew", ID, "control"],
		&["certificate", "withdraw", ID],
		&["certificate", "close", ID],
		&["certificate", "amend", ID, "--no-display-name"],
		&["certificate", "revoke", ID, "--yes"],
		&["revoke", "certificate", ID, "--yes"],
		&["certificate", "suspend", ID],
		&["certificate", "release", ID],
		&["certificate", "council", "revoke", ID, "--because", "superseded"],
		&["certificate", "council", "suspend", ID],
		&["certificate", "council", "release", ID],
		&["certificate", "council", "policy", "--observers", "3"],
		&["certificate", "council", "prices", "--deposit", "5"],
		&["certificate", "council", "minimum-bond", "0"],
		&["observer", "pending"],
		&["observer", "commit", ID, "not-controlled", "--vote", &vote],
		&["observer", "list"],
		&["observer", "show", "//Bob"],
		&["observer", "accredit", "//Bob", "--org", "lab"],
		&["observer", "suspend", "//Bob"],
		&["observer", "release", "//Bob"],
		&["observer", "compromised", "//Bob", "--from", "2026-11-20"],
		&["endorser", "pending", "//Dave"],
		&["endorser", "endorse", ID, "--level", "ov", "--valid", "30d"],
		&["endorser", "withdraw", ID, "--because", "facts-changed"],
		&["endorser", "bond", "1_000"],
		&["endorser", "unbond", "1_000", "--yes"],
		&["endorser", "withdraw-bond"],
		&["endorser", "bonded", "//Dave", "--start", "64"],
		&["endorser", "list", "--start", "64"],
		&["endorser", "show", "//Dave"],
		&["endorser", "accredit", "//Dave", "--org", "notary", "--level", "ev"],
		&["endorser", "suspend", "//Dave"],
		&["endorser", "release", "//Dave"],
		&["endorser", "compromised", "//Dave", "--from", "2026-11-20T09:00:00Z"],
		&["subject", "show", "device:acme/drone-7"],
		&["subject", "certificates", "service:acme/api"],
		&["status", "certificate", ID, "--level", "ev"],
	] {
		let error = fails(1, &[command, &["--account", "//Alice"]].concat());
		let first = error.lines().next();
		assert_eq!(
			first,
			Some("error: no node answers at ws://127.0.0.1:1"),
			"{command:?}: {error}"
		);
	}
	assert!(!Path::new(&vote).exists(), "nothing was committed to");
}

#[test]
fn who_asks_what_waits_is_asked_whose_work_it_is() {
	for office in ["observer", "endorser"] {
		let error = fails(1, &[office, "pending"]);
		assert!(error.contains("whose records are meant is not said"), "{error}");
		assert!(error.contains("next: name the account"), "{error}");
	}
}

#[test]
fn who_signs_is_asked_for_an_account() {
	for command in [
		&["certificate", "renew", ID, "control"][..],
		&["endorser", "withdraw", ID, "--because", "facts-changed"],
		&["observer", "accredit", "//Bob", "--org", "lab"],
	] {
		let error = fails(1, command);
		assert!(error.contains("needs an account"), "{command:?}: {error}");
	}
}
