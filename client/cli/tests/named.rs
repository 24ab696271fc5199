//! Files as commands name them, and what keys in them are called.

use assert_cmd::Command;
use serde_json::Value;
use std::{fs, process};
use tempfile::TempDir;

fn dpki(arguments: &[&str]) -> Command {
	let mut command = Command::cargo_bin("dpki").unwrap();
	for variable in ["DPKI_URL", "DPKI_ACCOUNT", "DPKI_GENESIS", "DPKI_PASSPHRASE"] {
		command.env_remove(variable);
	}
	command.args(arguments);
	command
}

fn json(arguments: &[&str]) -> Value {
	let assert = dpki(&[arguments, &["--json"]].concat()).assert().success();
	serde_json::from_slice(&assert.get_output().stdout).unwrap()
}

/// Standard error of a command that fails with this exit code.
fn fails(code: i32, arguments: &[&str]) -> String {
	let assert = dpki(arguments).assert().failure().code(code).stdout("");
	String::from_utf8(assert.get_output().stderr.clone()).unwrap()
}

fn openssl(arguments: &[&str]) -> String {
	let output = process::Command::new("openssl").args(arguments).output().unwrap();
	assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
	String::from_utf8(output.stdout).unwrap()
}

fn name(folder: &TempDir, name: &str) -> String {
	folder.path().join(name).to_str().unwrap().to_owned()
}

#[test]
fn a_key_has_one_id_in_all_its_files() {
	let folder = tempfile::tempdir().unwrap();
	let (key, public) = (name(&folder, "root.key"), name(&folder, "root.pub.pem"));
	dpki(&["key", "new", "x509-root", &key, "--subject", "CN=Acme Root"])
		.assert()
		.success();
	fs::write(&public, openssl(&["pkey", "-in", &key, "-pubout"])).unwrap();
	let id = json(&["key", "show", &key])["key_id"].clone();
	assert!(id.as_str().is_some_and(|id| id.starts_with("0x")), "{id}");
	for file in [name(&folder, "root.key.crt"), public] {
		assert_eq!(json(&["key", "show", &file])["key_id"], id, "{file}");
	}
}

#[test]
fn an_rsa_key_has_one_id_in_its_certificate_and_in_pem() {
	let folder = tempfile::tempdir().unwrap();
	let (key, certificate) = (name(&folder, "rsa.key"), name(&folder, "rsa.crt"));
	let made = ["req", "-x509", "-newkey", "rsa:2048", "-noenc", "-subj", "/CN=rsa", "-days", "1"];
	openssl(&[&made[..], &["-keyout", &key, "-out", &certificate]].concat());
	let public = name(&folder, "rsa.pub.pem");
	fs::write(&public, openssl(&["pkey", "-in", &key, "-pubout"])).unwrap();
	let shown = json(&["key", "show", &public]);
	assert!(shown["key_id"].is_string(), "{shown}");
	assert_eq!(json(&["key", "show", &certificate])["key_id"], shown["key_id"]);
	fs::write(&public, "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n").unwrap();
	let error = fails(1, &["key", "show", &public]);
	assert!(error.contains("neither a key nor a certificate"), "{error}");
}

#[test]
fn a_bundle_that_is_not_there_is_told_so() {
	let folder = tempfile::tempdir().unwrap();
	let checkpoint = ["--checkpoint", "chain.checkpoint"];
	let gone = name(&folder, "drone-7.dpki");
	let error = fails(1, &[&["bundle", "verify", &gone][..], &checkpoint].concat());
	assert!(error.contains("cannot read") && error.contains("drone-7.dpki"), "{error}");
	assert!(error.contains("next: check the name and the folder"), "{error}");
}

#[test]
fn an_ssh_certificate_is_named_in_the_same_ways_wherever_it_is_asked_for() {
	let gone = "/nonexistent/me-cert.pub";
	// A verdict is asked for at a node first.
	for (group, told) in [("revoke", "cannot read /nonexistent"), ("status", "no node answers")] {
		for named in [&[gone][..], &["--cert", gone]] {
			let nowhere = ["--url", "ws://127.0.0.1:1"];
			let error = fails(1, &[&[group, "ssh-cert"][..], named, &nowhere].concat());
			assert!(error.contains(told), "{error}");
		}
		fails(2, &[group, "ssh-cert", gone, "--cert", gone]);
		fails(2, &[group, "ssh-cert"]);
	}
}
