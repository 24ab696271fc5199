//! Accounts of several people and consents of devices, as far as they need no chain.

use assert_cmd::Command;
use serde_json::Value;
use std::fs;

const GROUP: &str = "2://Alice,//Bob,//Charlie";
const NOWHERE: [&str; 4] = ["--account", "//Alice", "--url", "ws://127.0.0.1:1"];

fn dpki(arguments: &[&str]) -> Command {
	let mut command = Command::cargo_bin("dpki").unwrap();
	for variable in ["DPKI_URL", "DPKI_ACCOUNT", "DPKI_GENESIS", "DPKI_PASSPHRASE"] {
		command.env_remove(variable);
	}
	command.args(arguments);
	command
}

/// Standard error of a command that fails with this exit code.
fn fails(code: i32, arguments: &[&str]) -> String {
	let assert = dpki(arguments).assert().failure().code(code).stdout("");
	String::from_utf8(assert.get_output().stderr.clone()).unwrap()
}

#[test]
fn the_address_of_a_group_does_not_depend_on_the_order_of_its_members() {
	let address = |group: &str| {
		let assert = dpki(&["multisig", "address", group, "--json"]).assert().success();
		let json: Value = serde_json::from_slice(&assert.get_output().stdout).unwrap();
		json["address"].as_str().unwrap().to_owned()
	};
	assert_eq!(address(GROUP), address("2://Charlie,//Bob,//Alice"));
	assert_ne!(address(GROUP), address("3://Alice,//Bob,//Charlie"));
}

#[test]
fn what_is_no_group_makes_no_sense() {
	for wrong in ["2://Alice", "4://Alice,//Bob,//Charlie", "1://Alice,//Bob", "//Alice,//Bob"] {
		fails(2, &["multisig", "address", wrong]);
		let create = ["org", "create", "acme", "--kind", "regulator", "--as-multi", wrong];
		fails(2, &[&create[..], &NOWHERE].concat());
	}
	let create = ["org", "create", "acme", "--kind", "regulator", "--as-multi", GROUP];
	let error = fails(1, &[&create[..], &NOWHERE].concat());
	assert!(error.contains("no node answers"), "{error}");
	// One account acts for another in one way at a time.
	fails(2, &[&create[..], &["--on-behalf-of", "//Bob"], &NOWHERE].concat());
}

#[test]
fn bytes_that_are_no_call_are_refused_before_any_node_is_asked() {
	for command in [
		&["multisig", "propose", GROUP, "0xffff"][..],
		&["multisig", "approve", GROUP, "--call", "0xffff"],
		&["account", "call", "0xffff"],
		&["account", "proxy", "announce", "//Bob", "0xffff"],
		&["account", "proxy", "carry-out", "//Bob", "0xffff"],
	] {
		let error = fails(1, &[command, &NOWHERE].concat());
		assert!(error.contains("no call of this chain"), "{error}");
	}
	fails(2, &[&["multisig", "approve", GROUP][..], &NOWHERE].concat());
}

#[test]
fn what_is_no_consent_is_refused_before_any_node_is_asked() {
	let folder = tempfile::tempdir().unwrap();
	let file = folder.path().join("consent");
	let name = file.to_str().unwrap();
	let register = ["device", "register-key", "acme/drone-7", "--consent", name];
	for (text, sentence) in
		[("nothing", "this is no consent"), ("dpki-consent1:AAAA", "copied wrongly")]
	{
		fs::write(&file, text).unwrap();
		let error = fails(1, &[&register[..], &NOWHERE].concat());
		assert!(error.contains(sentence) && error.contains("next: "), "{error}");
	}
	// The consent tells what the key is for: nothing else does.
	for twice in [&["--purpose", "tls"][..], &["--valid", "1d"], &["--consent-key", "x"]] {
		fails(2, &[&register[..], twice, &NOWHERE].concat());
	}
	let alone = ["device", "register-key", "acme/drone-7"];
	fails(2, &[&alone[..], &NOWHERE].concat());
	let error = fails(1, &[&alone[..], &["--purpose", "tls", "--key", name], &NOWHERE].concat());
	assert!(error.contains("has to consent") && error.contains("dpki-agent consent"), "{error}");
}
