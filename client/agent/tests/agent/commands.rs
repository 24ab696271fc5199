//! The command line, as far as it goes without a chain.

use std::{
	fs,
	io::{ErrorKind, Write},
	path::Path,
	process::{Command, Output, Stdio},
};

fn agent(args: &[&str]) -> Output {
	Command::new(env!("CARGO_BIN_EXE_dpki-agent")).args(args).output().unwrap()
}

fn init(dir: &Path, extra: &[&str]) -> Output {
	let path = |name: &str| dir.join(name).display().to_string();
	fs::write(path("chain.json"), "{}").unwrap();
	let genesis = format!("0x{}", "07".repeat(32));
	let (config, spec, state, ssh) =
		(path("agent.toml"), path("chain.json"), path("state"), path("ssh"));
	let mut args = vec![
		"init",
		"--config",
		&config,
		"--chain-spec",
		&spec,
		"--genesis",
		&genesis,
		"--peer",
		"/ip4/127.0.0.1/tcp/1/p2p/x",
		"--organisation",
		"acme",
		"--device",
		"drone-7",
		"--state",
		&state,
		"--ssh-dir",
		&ssh,
	];
	args.extend(extra);
	agent(&args)
}

/// Fails with one line on standard error that holds these words.
fn assert_fails(output: &Output, words: &str) {
	let said = String::from_utf8_lossy(&output.stderr);
	assert_eq!(output.status.code(), Some(1), "{said}");
	assert!(said.contains(words) && said.trim_end().lines().count() == 1, "{said}");
}

#[test]
fn init_prints_what_the_registrar_needs_and_no_secret() {
	let dir = tempfile::tempdir().unwrap();
	let made = init(dir.path(), &["--json"]);
	assert!(made.status.success(), "{made:?}");
	let text = String::from_utf8(made.stdout).unwrap();
	let json: serde_json::Value = serde_json::from_str(&text).unwrap();
	for name in ["signing", "agreement", "host"] {
		assert!(json["keys"][name]["id"].as_str().unwrap().starts_with("0x"), "{name}");
	}
	assert!(json["keys"]["host"]["public"].as_str().unwrap().starts_with("SHA256:"));
	for name in ["signing.key", "agreement.key"] {
		let secret = fs::read_to_string(dir.path().join("state").join(name)).unwrap();
		assert!(!text.contains(secret.trim()));
	}
	let again = init(dir.path(), &["--json"]);
	assert_eq!(String::from_utf8(again.stdout).unwrap(), text, "a repeated run changes nothing");
}

#[test]
fn status_is_told_before_and_after_the_first_run() {
	let dir = tempfile::tempdir().unwrap();
	init(dir.path(), &[]);
	let config = dir.path().join("agent.toml").display().to_string();
	assert_fails(&agent(&["status", "--config", &config]), "dpki-agent run");
	let status = dpki_agent::status::Status { device: "drone-7".into(), ..Default::default() };
	dpki_agent::status::Reporter::new(&dir.path().join("state")).report(&status, 1);
	let shown = agent(&["status", "--config", &config, "--json"]);
	let json: serde_json::Value = serde_json::from_slice(&shown.stdout).unwrap();
	assert_eq!(json["device"], "drone-7");
}

#[test]
fn errors_are_one_sentence_with_the_next_step() {
	let dir = tempfile::tempdir().unwrap();
	assert_fails(&init(dir.path(), &["--host-key", "/nonexistent"]), "/nonexistent");
	init(dir.path(), &[]);
	let path = dir.path().join("agent.toml");
	let config = path.display().to_string();
	let enrol = agent(&["enrol", "--config", &config, "--voucher", "dpki-voucher"]);
	assert_fails(&enrol, "voucher");
	let other = dpki_client::Voucher::generate([9; 32], "acme", "drone-7", u64::MAX).unwrap();
	let file = dir.path().join("voucher");
	fs::write(&file, other.to_text().as_bytes()).unwrap();
	let file = file.display().to_string();
	let enrol = agent(&["enrol", "--config", &config, "--voucher-file", &file]);
	assert_fails(&enrol, "the voucher is for the chain 0x0909");
	let run = agent(&["run", "--config", &config, "--once", "--timeout", "5"]);
	assert_fails(&run, "chain specification");
	let text = fs::read_to_string(&path).unwrap();
	fs::write(&path, text.replace("[ssh]", "[ssh]\ncolour = 1")).unwrap();
	assert_fails(&agent(&["run", "--config", &config]), "colour");
}

#[test]
fn a_voucher_comes_through_a_pipe() {
	let dir = tempfile::tempdir().unwrap();
	init(dir.path(), &[]);
	let config = dir.path().join("agent.toml").display().to_string();
	let other = dpki_client::Voucher::generate([9; 32], "acme", "drone-7", u64::MAX).unwrap();
	let mut enrol = Command::new(env!("CARGO_BIN_EXE_dpki-agent"))
		.args(["enrol", "--config", &config, "--voucher", "-"])
		.stdin(Stdio::piped())
		.stderr(Stdio::piped())
		.spawn()
		.unwrap();
	// With the line break that `jq -r` writes.
	let line = format!("{}\n", other.to_text().as_str());
	enrol.stdin.take().unwrap().write_all(line.as_bytes()).unwrap();
	assert_fails(&enrol.wait_with_output().unwrap(), "the voucher is for the chain 0x0909");
	let help = agent(&["enrol", "--help"]);
	let help = String::from_utf8(help.stdout).unwrap();
	let pipe = "dpki voucher new --org acme --device drone-7 --json | jq -r .voucher |";
	assert!(help.contains(pipe), "{help}");
}

const UNIT: &str = include_str!("../../dpki-agent.service");

#[test]
fn systemd_understands_the_unit() {
	let dir = tempfile::tempdir().unwrap();
	let path = dir.path().join("dpki-agent.service");
	let verify = |unit: &str| {
		// The program need not be installed.
		let unit = unit.replace("/usr/bin/dpki-agent", env!("CARGO_BIN_EXE_dpki-agent"));
		fs::write(&path, unit).unwrap();
		Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&path).output()
	};
	let verified = match verify(UNIT) {
		Err(error) if error.kind() == ErrorKind::NotFound => {
			eprintln!("not tested, systemd-analyze is missing: install the package systemd");
			return;
		},
		verified => verified.unwrap(),
	};
	// It complains about much of what it does not know without failing.
	let complaint = |output: &Output| {
		let said = String::from_utf8_lossy(&output.stderr).into_owned();
		said.lines().find(|line| line.contains("dpki-agent.service")).map(str::to_owned)
	};
	assert_eq!((verified.status.code(), complaint(&verified)), (Some(0), None));
	let broken = verify(&UNIT.replace("ProtectClock=", "ProtectClocks=")).unwrap();
	assert!(complaint(&broken).is_some(), "the test can fail: {broken:?}");
}

#[test]
fn the_unit_names_the_usual_places() {
	let usual = dpki_agent::config::SshSettings::default().directory;
	for line in [
		format!("ReadWritePaths={}", usual.display()),
		"ExecStart=/usr/bin/dpki-agent run --config /etc/dpki/agent.toml".into(),
		"StateDirectory=dpki-agent".into(),
	] {
		assert!(UNIT.lines().any(|found| found == line), "{line}");
	}
}
