//! The commands that need no chain, run as a person runs them, and what becomes of a command without a node.

use assert_cmd::Command;
use dpki_client::possession::{AgreementKey, SigningKey, SoftwareKey};
use dpki_primitives::ids::KeyId;
use serde_json::Value;
use std::{
	fs,
	os::unix::fs::PermissionsExt,
	path::{Path, PathBuf},
	process,
};
use tempfile::TempDir;

/// The program in an environment of its own.
fn dpki(arguments: &[&str]) -> Command {
	let mut command = Command::cargo_bin("dpki").unwrap();
	for variable in ["DPKI_URL", "DPKI_ACCOUNT", "DPKI_GENESIS", "DPKI_PASSPHRASE"] {
		command.env_remove(variable);
	}
	command.args(arguments);
	command
}

fn succeeds(arguments: &[&str]) -> String {
	String::from_utf8(dpki(arguments).assert().success().get_output().stdout.clone()).unwrap()
}

fn json(arguments: &[&str]) -> Value {
	let text = succeeds(&[arguments, &["--json"]].concat());
	serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Standard error of a command that fails with this exit code.
fn fails(code: i32, arguments: &[&str]) -> String {
	let assert = dpki(arguments).assert().failure().code(code).stdout("");
	String::from_utf8(assert.get_output().stderr.clone()).unwrap()
}

fn mode(path: &Path) -> u32 {
	fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn run(program: &str, arguments: &[&str]) -> String {
	let output = process::Command::new(program).args(arguments).output().unwrap();
	assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
	String::from_utf8(output.stdout).unwrap()
}

/// A folder with names in it.
struct Folder(TempDir);

impl Folder {
	fn new() -> Self {
		Self(tempfile::tempdir().unwrap())
	}

	fn path(&self, name: &str) -> PathBuf {
		self.0.path().join(name)
	}

	fn name(&self, name: &str) -> String {
		self.path(name).to_str().unwrap().to_owned()
	}
}

#[test]
fn an_account_is_made_once_and_shown_by_its_address() {
	let folder = Folder::new();
	let file = folder.name("admin.key");
	let made = json(&["key", "new", "account", &file]);
	assert_eq!(mode(&folder.path("admin.key")), 0o600);
	let shown = json(&["key", "show", &file]);
	assert_eq!(shown["address"], made["address"]);
	assert_eq!(shown["account_id"], made["account_id"]);
	let before = fs::read(&file).unwrap();
	assert!(fails(1, &["key", "new", "account", &file]).contains("exists already"));
	assert_eq!(fs::read(&file).unwrap(), before);
}

#[test]
fn a_passphrase_is_needed_to_open_what_it_closed() {
	let folder = Folder::new();
	for (kind, more) in [("account", vec![]), ("x509-root", vec!["--subject", "Acme Root"])] {
		let file = folder.name(kind);
		let arguments = [vec!["key", "new", kind, &file, "--passphrase"], more].concat();
		dpki(&arguments).env("DPKI_PASSPHRASE", "correct horse").assert().success();
		let text = fs::read_to_string(&file).unwrap();
		assert!(text.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"), "{kind}");
		let show = |passphrase| {
			let mut command = dpki(&["key", "show", &file]);
			command.env("DPKI_PASSPHRASE", passphrase).assert()
		};
		show("correct horse").success();
		let output = show("battery staple").failure().code(1).get_output().stderr.clone();
		let output = String::from_utf8(output).unwrap();
		assert!(output.contains("does not open"), "{output}");
		// Nobody has typed it, so nobody is told to try again.
		assert!(output.contains("next: correct DPKI_PASSPHRASE"), "{output}");
		assert!(!output.contains("battery"), "{output}");
	}
}

#[test]
fn a_passphrase_that_protects_nothing_is_refused() {
	let folder = Folder::new();
	let file = folder.name("admin.key");
	for (passphrase, sentence) in [("", "set, but empty"), ("x", "fewer than 8 characters")] {
		let assert = dpki(&["key", "new", "account", &file, "--passphrase"])
			.env("DPKI_PASSPHRASE", passphrase)
			.assert()
			.code(1);
		let error = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
		assert!(error.contains(sentence) && error.contains("next: "), "{error}");
		assert!(!error.contains("two passphrases"), "{error}");
		assert!(!Path::new(&file).exists());
	}
}

#[test]
fn a_key_of_the_wrong_algorithm_says_so_once_its_passphrase_has_opened_it() {
	let folder = Folder::new();
	let (root, other) = (folder.name("root.key"), folder.name("ed448.key"));
	let new = ["key", "new", "x509-root", &root, "--subject", "Acme Root", "--passphrase"];
	dpki(&new).env("DPKI_PASSPHRASE", "right words").assert().success();
	let cipher = ["-aes-256-cbc", "-pass", "pass:right words"];
	let make = ["genpkey", "-algorithm", "ED448", "-out", &other];
	run("openssl", &[&make[..], &cipher].concat());
	fs::set_permissions(&other, fs::Permissions::from_mode(0o600)).unwrap();
	let with_account = ["org", "create", "acme", "--kind", "regulator", "--account", &root];
	for (arguments, sentence) in [
		(&with_account[..], "holds no Ed25519 key"),
		(&["key", "show", &other][..], "unsupported algorithm"),
	] {
		for (passphrase, sentence) in [("right words", sentence), ("wrong", "does not open")] {
			let assert = dpki(arguments).env("DPKI_PASSPHRASE", passphrase).assert().code(1);
			let error = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
			assert!(error.contains(sentence), "{passphrase}: {error}");
		}
	}
}

#[test]
fn the_root_key_has_to_be_that_of_the_certificate() {
	let folder = Folder::new();
	let (one, other) = (folder.name("one.key"), folder.name("other.key"));
	for key in [&one, &other] {
		succeeds(&["key", "new", "x509-root", key, "--subject", "Acme Root"]);
	}
	let certificate = other + ".crt";
	let add = ["anchor", "add", "--org", "acme", "--kind", "x509-root", "--account", "//Alice"];
	let pair = ["--key", &one, "--cert", &certificate, "--url", "ws://127.0.0.1:1"];
	let error = fails(1, &[&add[..], &pair].concat());
	assert!(error.contains("not that of the certificate"), "{error}");
}

#[test]
fn ssh_keygen_reads_the_ssh_cas() {
	let folder = Folder::new();
	for algorithm in ["ed25519", "p256"] {
		let (file, public) = (folder.name(algorithm), folder.name(&format!("{algorithm}.pub")));
		let made = json(&["key", "new", "ssh-ca", &file, "--algorithm", algorithm]);
		assert_eq!(mode(Path::new(&file)), 0o600);
		let fingerprint = made["fingerprint"].as_str().unwrap();
		assert!(run("ssh-keygen", &["-l", "-f", &public]).contains(fingerprint));
		let public_line = fs::read_to_string(&public).unwrap();
		assert_eq!(run("ssh-keygen", &["-y", "-f", &file]).trim(), public_line.trim());
		assert_eq!(json(&["key", "show", &file])["fingerprint"], made["fingerprint"]);
		assert_eq!(json(&["key", "show", &public])["user_ca_anchor"], made["user_ca_anchor"]);
		assert!(made["key_id"].is_string(), "{made}");
		assert_eq!(json(&["key", "show", &public])["key_id"], made["key_id"]);
		assert!(fails(1, &["key", "new", "ssh-ca", &file]).contains("exists already"));
	}
}

#[test]
fn an_agreement_key_is_made_in_the_form_that_agents_read() {
	let folder = Folder::new();
	let file = folder.name("agreement.key");
	let made = json(&["key", "new", "agreement", &file]);
	assert_eq!((&made["algorithm"], mode(Path::new(&file))), (&Value::from("x25519"), 0o600));
	let text = fs::read_to_string(&file).unwrap();
	assert!(text.len() == 65 && text.ends_with('\n'));
	assert!(text.trim().bytes().all(|digit| digit.is_ascii_hexdigit()));
	let key = AgreementKey::from_text(&text, None).unwrap();
	assert_eq!(made["key_id"], KeyId::of(&key.public()).to_string());
	assert!(fails(1, &["key", "new", "agreement", &file]).contains("exists already"));
}

#[test]
fn the_bare_digits_of_an_agent_are_shown_as_either_key() {
	let folder = Folder::new();
	let file = folder.name("agreement.key");
	let made = json(&["key", "new", "agreement", &file]);
	let shown = json(&["key", "show", &file]);
	assert_eq!(shown["agreement_key_id"], made["key_id"]);
	assert_eq!(shown["agreement_public_key"], made["public_key"]);
	let text = fs::read_to_string(&file).unwrap();
	let signing = SoftwareKey::from_text(&text, None).unwrap();
	assert_eq!(shown["signing_key_id"], KeyId::of(&signing.public()).to_string());
	assert!(!shown.to_string().contains(text.trim()));
	fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
	assert!(fails(1, &["key", "show", &file]).contains("others can read"));
}

#[test]
fn what_cannot_be_shown_is_not_answered_with_the_same_advice() {
	let folder = Folder::new();
	fs::write(folder.path("notes"), "milk, bread").unwrap();
	let error = fails(1, &["key", "show", &folder.name("notes")]);
	assert!(error.contains("neither a key nor a certificate"), "{error}");
	assert!(error.contains("next: give a private or public key file"), "{error}");
}

#[test]
fn half_a_pair_of_files_is_not_completed() {
	let folder = Folder::new();
	fs::write(folder.path("ca.pub"), "something else").unwrap();
	assert!(fails(1, &["key", "new", "ssh-ca", &folder.name("ca")]).contains("ca.pub exists"));
	assert!(!folder.path("ca").exists());
}

#[test]
fn openssl_believes_the_x509_root() {
	let folder = Folder::new();
	let (key, certificate) = (folder.name("root.key"), folder.name("root.key.crt"));
	let subject = "CN=Acme Root,O=Acme,C=DE";
	let made = json(&["key", "new", "x509-root", &key, "--subject", subject, "--valid", "30d"]);
	assert_eq!(mode(Path::new(&key)), 0o600);
	run("openssl", &["verify", "-x509_strict", "-CAfile", &certificate, &certificate]);
	let of_key = run("openssl", &["pkey", "-in", &key, "-pubout"]);
	let of_certificate = run("openssl", &["x509", "-in", &certificate, "-noout", "-pubkey"]);
	assert_eq!(of_key, of_certificate);
	let text = run("openssl", &["x509", "-in", &certificate, "-noout", "-text"]);
	assert!(text.contains("CA:TRUE") && text.contains("CN = Acme Root"), "{text}");
	let shown = json(&["key", "show", &certificate]);
	assert_eq!(shown["root_anchor"], made["root_anchor"]);
	assert_eq!(shown["ca"], Value::Bool(true));
	assert_eq!(json(&["key", "show", &key])["algorithm"], "p256");
}

#[test]
fn a_private_key_that_others_can_read_is_refused() {
	let folder = Folder::new();
	let (ca, user) = ca_and_user(&folder);
	fs::set_permissions(&ca, fs::Permissions::from_mode(0o644)).unwrap();
	let error = fails(1, &["ssh", "sign", "--offline", "--ca", &ca, "--principal", "alice", &user]);
	assert!(error.contains("others can read") && error.contains("chmod 600"), "{error}");
}

#[test]
fn a_public_key_is_not_taken_for_a_private_one_that_lies_open() {
	let folder = Folder::new();
	let (ca, user) = ca_and_user(&folder);
	let (public, certificate) = (ca.clone() + ".pub", folder.name("id-cert.pub"));
	succeeds(&["ssh", "sign", "--offline", "--ca", &ca, "--principal", "alice", &user]);
	for (file, what) in [(&public, "is a public key"), (&certificate, "is an SSH certificate")] {
		for arguments in [
			&["ssh", "sign", "--offline", "--ca", file, "--principal", "alice", &user][..],
			&["org", "create", "acme", "--kind", "regulator", "--account", file],
		] {
			let error = fails(1, arguments);
			assert!(error.contains(what), "{error}");
			assert!(!error.contains("others can read"), "{error}");
		}
	}
	let sign = ["ssh", "sign", "--offline", "--ca", &public, "--principal", "alice", &user];
	let error = fails(1, &sign);
	assert!(error.contains(&format!("most likely {ca}\n")), "{error}");
}

fn ca_and_user(folder: &Folder) -> (String, String) {
	let (ca, user) = (folder.name("user-ca"), folder.name("id"));
	succeeds(&["key", "new", "ssh-ca", &ca]);
	run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", &user]);
	(ca, user + ".pub")
}

#[test]
fn ssh_keygen_reads_a_user_certificate() {
	let folder = Folder::new();
	let (ca, user) = ca_and_user(&folder);
	let signed = json(&[
		"ssh",
		"sign",
		"--offline",
		"--ca",
		&ca,
		"--principal",
		"alice,ops",
		"--for",
		"10m",
		"--serial",
		"4711",
		"--key-id",
		"alice@acme",
		&user,
	]);
	assert_eq!(signed["serial"], "4711");
	assert_eq!(signed["principals"], serde_json::json!(["alice", "ops"]));
	let file = folder.name("id-cert.pub");
	assert_eq!(signed["file"], file.as_str());
	let text = run("ssh-keygen", &["-L", "-f", &file]);
	for part in [
		"ssh-ed25519-cert-v01@openssh.com user certificate",
		"Key ID: \"alice@acme\"",
		"Serial: 4711",
		"alice\n",
		"ops\n",
		"permit-pty",
		signed["ca_fingerprint"].as_str().unwrap(),
	] {
		assert!(text.contains(part), "no {part} in {text}");
	}
	let span = seconds(&signed["valid_until"]) - seconds(&signed["valid_from"]);
	assert!((600..=720).contains(&span), "{span}");
}

fn seconds(time: &Value) -> i64 {
	run("date", &["-u", "-d", time.as_str().unwrap(), "+%s"])
		.trim()
		.parse()
		.unwrap()
}

#[test]
fn a_certificate_replaces_an_older_one_and_nothing_else() {
	let folder = Folder::new();
	let (ca, user) = ca_and_user(&folder);
	let sign = ["ssh", "sign", "--offline", "--ca", &ca, "--principal", "alice", &user];
	let (first, second) = (json(&sign), json(&sign));
	assert_ne!(first["serial"], second["serial"]);
	assert_ne!(first["serial"], "0");
	let onto_key = [&sign[..], &["--out", &user]].concat();
	assert!(fails(1, &onto_key).contains("exists already"));
	assert!(fs::read_to_string(&user).unwrap().starts_with("ssh-ed25519 "));
}

#[test]
fn a_replaced_certificate_that_still_opens_something_is_named() {
	let folder = Folder::new();
	let (ca, user) = ca_and_user(&folder);
	let sign = ["ssh", "sign", "--offline", "--ca", &ca, "--principal", "alice", &user];
	let first = json(&sign);
	assert_eq!(first["replaced"], Value::Null);
	let second = json(&sign);
	assert_eq!(second["replaced"]["serial"], first["serial"]);
	assert_eq!(second["replaced"]["valid_until"], first["valid_until"]);
	let warning = second["warnings"][0].as_str().unwrap();
	let anchor = first["ca_anchor"].as_str().unwrap();
	let serial = first["serial"].as_str().unwrap();
	let revoke = format!("dpki revoke ssh-cert --ca {anchor} --serial {serial}");
	assert!(warning.contains(&revoke), "{warning}");

	// One that has ended opens nothing any more.
	let expired = ["-s", &ca, "-I", "old", "-n", "alice", "-V", "20200101:20200102", &user];
	run("ssh-keygen", &[&["-q"][..], &expired].concat());
	assert_eq!(json(&sign)["replaced"], Value::Null);
}

#[test]
fn a_file_that_cannot_be_written_is_named_as_it_was_given() {
	let folder = Folder::new();
	let (ca, user) = ca_and_user(&folder);
	let out = folder.name("none/id-cert.pub");
	let sign = ["ssh", "sign", "--offline", "--ca", &ca, "--principal", "a", "--out", &out, &user];
	let error = fails(1, &sign);
	assert!(error.contains(&format!("cannot write {out}: ")), "{error}");
	assert!(error.contains("next: make the folder first"), "{error}");
}

#[test]
fn a_certificate_goes_to_standard_output_on_request() {
	let folder = Folder::new();
	let (ca, user) = ca_and_user(&folder);
	let sign = ["ssh", "sign", "--offline", "--ca", &ca, "--principal", "a", "--out", "-", &user];
	let text = succeeds(&sign);
	assert!(text.starts_with("ssh-ed25519-cert-v01@openssh.com "), "{text}");
	assert_eq!(text.lines().count(), 1);
	assert!(!folder.path("id-cert.pub").exists());
}

#[test]
fn ssh_keygen_reads_a_host_certificate() {
	let folder = Folder::new();
	let (ca, host) = ca_and_user(&folder);
	succeeds(&[
		"ssh",
		"host-sign",
		"--offline",
		"--ca",
		&ca,
		"--host",
		"drone-7.acme.example",
		&host,
	]);
	let text = run("ssh-keygen", &["-L", "-f", &folder.name("id-cert.pub")]);
	assert!(text.contains("host certificate") && text.contains("drone-7.acme.example"), "{text}");
	assert!(!text.contains("permit-pty"), "{text}");
}

#[test]
fn signing_needs_principals_and_reasonable_times() {
	let folder = Folder::new();
	let (ca, user) = ca_and_user(&folder);
	let base = ["ssh", "sign", "--offline", "--ca", &ca, &user];
	for wrong in [
		&[][..],
		&["--principal", ""],
		&["--principal", "alice", "--for", "2y"],
		&["--principal", "alice", "--for", "0s"],
		&["--principal", "alice", "--serial", "0"],
		&["--principal", "admin;x"],
	] {
		fails(2, &[&base[..], wrong].concat());
	}
}

#[test]
fn a_malformed_voucher_is_refused_before_any_node_is_asked() {
	for voucher in ["dpki-voucher1:nonsense", "DPKI-VOUCHER1:"] {
		let error = fails(1, &["voucher", "show", voucher, "--url", "ws://127.0.0.1:1"]);
		assert!(error.starts_with("error: "), "{error}");
		assert!(!error.contains("no node answers"), "{error}");
	}
	let mistyped = fails(1, &["voucher", "show", "pki-voucher1:secret"]);
	assert!(mistyped.contains("neither a voucher") && !mistyped.contains("secret"), "{mistyped}");
}

#[test]
fn a_voucher_comes_through_a_pipe_too() {
	let output = dpki(&["voucher", "show", "-", "--offline"]).write_stdin("garbage").assert();
	output.failure().code(1);
}

#[test]
fn without_a_node_there_is_one_clear_sentence() {
	let url = ["--url", "ws://127.0.0.1:1"];
	for command in [
		&["chain", "info"][..],
		&["org", "show", "acme"],
		&["status", "device", "acme/drone-7"],
		&["org", "create", "acme", "--kind", "manufacturer", "--account", "//Alice"],
		&["account", "show", "//Alice"],
	] {
		let error = fails(1, &[command, &url].concat());
		let mut lines = error.lines();
		assert_eq!(lines.next(), Some("error: no node answers at ws://127.0.0.1:1"));
		assert!(lines.next().unwrap().starts_with("next: start a node"), "{error}");
		assert_eq!(lines.next(), None);
	}
}

#[test]
fn errors_are_json_on_request() {
	let error = fails(1, &["chain", "info", "--json", "--url", "ws://127.0.0.1:1"]);
	let error: Value = serde_json::from_str(&error).unwrap();
	assert_eq!(error["error"], "no node answers at ws://127.0.0.1:1");
	assert!(error["next"].as_str().unwrap().contains("--url"));
	let usage = fails(2, &["org", "create", "Acme!", "--json"]);
	let usage: Value = serde_json::from_str(&usage).unwrap();
	assert!(usage["error"].as_str().unwrap().contains("Acme!"), "{usage}");
	let usage = fails(2, &["org", "create", "acme", "--json"]);
	let usage: Value = serde_json::from_str(&usage).unwrap();
	assert!(usage["error"].as_str().unwrap().contains("--kind"), "{usage}");
}

#[test]
fn a_command_that_signs_asks_for_an_account() {
	let error = fails(1, &["org", "create", "acme", "--kind", "manufacturer"]);
	assert!(error.contains("needs an account") && error.contains("--account"), "{error}");
}

#[test]
fn a_proposal_that_is_no_call_is_refused_before_any_node_is_asked() {
	let url = ["--account", "//Alice", "--url", "ws://127.0.0.1:1"];
	let error = fails(1, &[&["motion", "propose", "root", "0xffff"][..], &url].concat());
	assert!(error.contains("no call of this chain"), "{error}");
	for wrong in [&["root", "0xf"][..], &["upgrade", "0xabcd"], &["policy", "acme", "watchdogs"]] {
		fails(2, &[&["motion", "propose"][..], wrong, &url].concat());
	}
	let motion = ["motion", "vote", "3", "aye"];
	let error = fails(1, &[&motion[..], &url].concat());
	assert!(error.contains("no node answers"), "{error}");
	fails(2, &["motion", "vote", "3", "maybe"]);
}

#[test]
fn an_empty_delivery_has_to_be_meant() {
	let error = fails(1, &["deliver", "--org", "acme", "--device", "drone-7"]);
	assert!(error.contains("nothing to deliver") && error.contains("--empty"), "{error}");
}

#[test]
fn a_delivery_that_lets_nobody_in_has_to_be_meant() {
	let device = ["--org", "acme", "--device", "drone-7", "--url", "ws://127.0.0.1:1"];
	let deliver = [&["deliver", "--account", "//Alice"][..], &device].concat();
	let hosts = "ca.pub=*.acme.example";
	for (given, missing) in [
		(&["--user-ca", "user-ca.pub"][..], "give --principals too"),
		(&["--principals", "pilot=alice"][..], "give --user-ca too"),
		(&["--known-hosts-ca", hosts][..], "give --user-ca and --principals too"),
	] {
		let error = fails(1, &[&deliver[..], given].concat());
		assert!(error.contains("nobody could log in any more"), "{error}");
		assert!(error.contains(missing) && error.contains("--yes"), "{error}");
		// What is meant goes on, and so does what lets somebody in.
		let error = fails(1, &[&deliver[..], given, &["--yes"]].concat());
		assert!(error.contains("no node answers"), "{error}");
	}
	let both = ["--user-ca", "user-ca.pub", "--principals", "pilot=alice"];
	for meant in [&both[..], &["--empty"]] {
		let error = fails(1, &[&deliver[..], meant].concat());
		assert!(error.contains("no node answers"), "{error}");
	}
}

#[test]
fn the_usage_asks_for_nothing_that_the_environment_gives() {
	let usage = |arguments: &[&str]| {
		let mut command = dpki(arguments);
		command.env("DPKI_ACCOUNT", "//Alice").env("DPKI_URL", "ws://127.0.0.1:1");
		let assert = command.assert().code(2);
		String::from_utf8(assert.get_output().stderr.clone()).unwrap()
	};
	let text = usage(&["ssh", "sign", "--ca", "user-ca"]);
	assert!(text.contains("Usage: dpki ssh sign"), "{text}");
	assert!(!text.contains("--account") && !text.contains("--url"), "{text}");
	// What is wrong in the environment is told all the same.
	let mut command = dpki(&["chain", "info"]);
	let assert = command.env("DPKI_GENESIS", "0x12").assert().code(2);
	let text = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
	assert!(text.contains("64 hexadecimal digits"), "{text}");
}

#[test]
fn the_rule_for_names_is_shown_whole() {
	let help = succeeds(&["org", "create", "--help"]);
	assert!(help.contains("lower-case letters, digits, hyphens and dots"), "{help}");
}

#[test]
fn file_errors_have_a_next_step_for_programs_too() {
	let error = fails(1, &["key", "show", "/nonexistent/key", "--json"]);
	let error: Value = serde_json::from_str(&error).unwrap();
	assert!(error["next"].as_str().unwrap().contains("check the name"), "{error}");
	let sentence = fails(1, &["voucher", "show", "dpki-voucher1:", "--offline", "--json"]);
	let sentence: Value = serde_json::from_str(&sentence).unwrap();
	assert!(sentence["next"].as_str().is_some(), "{sentence}");
}

#[test]
fn what_a_device_would_refuse_is_no_delivery() {
	let base = ["deliver", "--org", "acme", "--device", "drone-7", "--account", "//Alice"];
	for (option, wrong) in [
		("--principals", "%u=alice"),
		("--principals", "-o=alice"),
		("--principals", "pilot=admin;x"),
		("--known-hosts-ca", "ca.pub=!drone"),
	] {
		let option = format!("{option}={wrong}");
		let error = fails(2, &[&base[..], &[option.as_str()]].concat());
		assert!(error.contains("cannot be a"), "{wrong}: {error}");
	}
}

#[test]
fn tokens_are_sent_in_whole_numbers_and_never_none() {
	let to = ["account", "send", "--account", "//Alice", "--to", "//Bob", "--yes"];
	let error = fails(1, &[&to[..], &["--amount", "0"]].concat());
	assert!(error.contains("nothing to send"), "{error}");
	for amount in ["1.5", "", "one"] {
		fails(2, &[&to[..], &["--amount", amount]].concat());
	}
}

#[test]
fn a_secret_account_phrase_never_shows() {
	let phrase = "lorem ipsum dolor sit amet";
	for arguments in
		[&["chain", "info", "--help"][..], &["org", "create", "a", "--kind", "regulator"]]
	{
		let output = dpki(arguments).env("DPKI_ACCOUNT", phrase).output().unwrap();
		for text in [output.stdout, output.stderr] {
			assert!(!String::from_utf8_lossy(&text).contains("lorem"));
		}
	}
}

#[test]
fn completions_are_scripts() {
	for shell in ["bash", "zsh", "fish"] {
		assert!(succeeds(&["completions", shell]).contains("voucher"), "{shell}");
	}
}
