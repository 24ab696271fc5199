//! The command line, as far as it goes without a chain.

use dpki_agent::config::{Config, SshSettings};
use std::{
	fs,
	io::Write,
	path::Path,
	process::{Command, Output, Stdio},
};

/// A chain that smoldot takes for one and that nobody runs: its runtime is a memory, the end of its data, a version,
/// and no consensus that smoldot would have to ask it for.
const RUNTIME: &str = concat!(
	"0061736d01000000",
	"0503010001",
	"0606017f0041000b",
	"071802066d656d6f727902000b5f5f686561705f626173650300",
	"00240f72756e74696d655f76657273696f6e00000000000000000000000000000000000000",
	"01000d0c72756e74696d655f61706973",
);
/// Where the genesis state names the first authorities.
const GRANDPA_AUTHORITIES: &str =
	"0x5f9cc45b7a00c5899361e1c6099678dc5e0621c4869aa60c02be9adcc98a0d1d";
/// Its genesis hash.
pub const GENESIS: &str = "0x1bb00b22fed50de06d7db0585c717a05a404cc93e1b4143f4b258187c5b9d8bb";
/// Nobody is there.
const PEER: &str = "/ip4/127.0.0.1/tcp/1/p2p/12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp";

pub fn agent(args: &[&str]) -> Output {
	Command::new(env!("CARGO_BIN_EXE_dpki-agent")).args(args).output().unwrap()
}

fn init_with(dir: &Path, genesis: &str, extra: &[&str]) -> Output {
	Command::new(env!("CARGO_BIN_EXE_dpki-agent"))
		.args(init_args(dir, genesis, extra))
		.output()
		.unwrap()
}

/// The command line that sets a device up in this directory, for the chain that is laid there.
pub fn init_args(dir: &Path, genesis: &str, extra: &[&str]) -> Vec<String> {
	let path = |name: &str| dir.join(name).display().to_string();
	let top = serde_json::json!({
		"0x3a636f6465": format!("0x{RUNTIME}"),
		GRANDPA_AUTHORITIES: format!("0x04{}0100000000000000", "05".repeat(32)),
	});
	let spec = serde_json::json!({
		"name": "Nobody",
		"id": "nobody",
		"genesis": { "raw": { "top": top, "childrenDefault": {} } },
	});
	fs::write(path("chain.json"), spec.to_string()).unwrap();
	let (config, spec, state, ssh) =
		(path("agent.toml"), path("chain.json"), path("state"), path("ssh"));
	let args = [
		"init",
		"--config",
		&config,
		"--chain-spec",
		&spec,
		"--genesis",
		genesis,
		"--peer",
		PEER,
		"--organisation",
		"acme",
		"--device",
		"drone-7",
		"--state",
		&state,
		"--ssh-dir",
		&ssh,
	];
	args.iter().chain(extra).map(|word| (*word).to_owned()).collect()
}

pub fn init(dir: &Path, extra: &[&str]) -> Output {
	init_with(dir, GENESIS, extra)
}

/// The configuration of a device that was set up in this directory, and its path.
pub fn configured(dir: &Path, extra: &[&str]) -> (Config, String) {
	let made = init(dir, extra);
	assert!(made.status.success(), "{made:?}");
	let path = dir.join("agent.toml");
	(Config::load(&path).unwrap(), path.display().to_string())
}

/// Fails with one line on standard error that holds these words.
pub fn assert_fails(output: &Output, words: &str) {
	assert_fails_with(output, 1, words);
}

pub fn assert_fails_with(output: &Output, code: i32, words: &str) {
	let said = String::from_utf8_lossy(&output.stderr);
	assert_eq!(output.status.code(), Some(code), "{said}");
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
fn init_makes_nothing_for_another_chain_than_the_pinned_one() {
	let dir = tempfile::tempdir().unwrap();
	let wrong = format!("0x{}", "11".repeat(32));
	let made = init_with(dir.path(), &wrong, &[]);
	assert_fails(
		&made,
		&format!("describes the chain {GENESIS}, but the configuration pins {wrong}"),
	);
	let left: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
	assert_eq!(left, ["chain.json"]);
	assert!(init(dir.path(), &[]).status.success(), "with the right hash it can be repeated");
}

#[test]
fn init_with_other_values_says_what_differs_and_keeps_the_keys() {
	let dir = tempfile::tempdir().unwrap();
	configured(dir.path(), &[]);
	let key = dir.path().join("state/signing.key");
	let before = fs::read(&key).unwrap();
	let again = init(dir.path(), &["--max-head-age", "900"]);
	assert_fails(&again, "chain.max-head-age is 600, not 900");
	assert_eq!(fs::read(&key).unwrap(), before);
}

#[test]
fn errors_are_one_sentence_with_the_next_step() {
	let dir = tempfile::tempdir().unwrap();
	assert_fails(&init(dir.path(), &["--host-key", "/nonexistent"]), "/nonexistent");
	assert_fails(&init(dir.path(), &["--sshd", "/nonexistent"]), "say with --sshd");
	let (_, config) = configured(dir.path(), &[]);
	let enrol = agent(&["enrol", "--config", &config, "--voucher", "dpki-voucher"]);
	assert_fails(&enrol, "voucher");
	let other = dpki_client::Voucher::generate([9; 32], "acme", "drone-7", u64::MAX).unwrap();
	let file = dir.path().join("voucher");
	fs::write(&file, other.to_text().as_bytes()).unwrap();
	let file = file.display().to_string();
	let enrol = agent(&["enrol", "--config", &config, "--voucher-file", &file]);
	assert_fails(&enrol, "the voucher is for the chain 0x0909");
	let text = fs::read_to_string(&config).unwrap();
	fs::write(&config, text.replace("[ssh]", "[ssh]\ncolour = 1")).unwrap();
	assert_fails(&agent(&["run", "--config", &config]), "colour");
	fs::write(&config, text).unwrap();
	fs::write(dir.path().join("chain.json"), "{}").unwrap();
	let run = agent(&["run", "--config", &config, "--once", "--timeout", "5"]);
	assert_fails(&run, "chain specification");
}

#[test]
fn programs_get_errors_as_json() {
	let dir = tempfile::tempdir().unwrap();
	let nope = dir.path().join("nope.toml").display().to_string();
	let error = |output: Output, code: i32| {
		assert_eq!((output.status.code(), output.stdout.len()), (Some(code), 0), "{output:?}");
		let json: serde_json::Value = serde_json::from_slice(&output.stderr).unwrap();
		json["error"].as_str().unwrap().to_owned()
	};
	for args in [
		&["status", "--config", &nope, "--json"][..],
		&["run", "--config", &nope, "--json"],
		&["enrol", "--config", &nope, "--voucher", "x", "--json"],
	] {
		let sentence = error(agent(args), 1);
		assert!(sentence.contains("nope.toml"), "{sentence}");
	}
	let sentence = error(init(dir.path(), &["--json", "--host-key", "/nonexistent"]), 1);
	assert!(sentence.contains("/nonexistent"), "{sentence}");
	let sentence = error(agent(&["status", "--json", "--colour"]), 2);
	assert!(sentence.contains("--colour") && sentence.contains("--help"), "{sentence}");
	let help = agent(&["status", "--json", "--help"]);
	assert!(help.status.success() && help.stdout.starts_with(b"Show"), "{help:?}");
}

#[test]
fn a_voucher_comes_through_a_pipe() {
	let dir = tempfile::tempdir().unwrap();
	let (_, config) = configured(dir.path(), &[]);
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

/// What `systemd-analyze verify` makes of this unit. No systemd has to run for it.
fn systemd_verifies(unit: &Path) -> Output {
	let asked = Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(unit).output();
	asked.expect("systemd-analyze can be run: scripts/setup installs Debian's package `systemd`")
}

/// That systemd finds nothing to complain about in this `dpki-agent.service`.
pub fn assert_understood(unit: &Path) {
	let verified = systemd_verifies(unit);
	let said = String::from_utf8_lossy(&verified.stderr);
	assert!(verified.status.success() && !said.contains("dpki-agent.service"), "{said}");
}

#[test]
fn systemd_understands_the_unit() {
	let dir = tempfile::tempdir().unwrap();
	let path = dir.path().join("dpki-agent.service");
	let verify = |unit: &str| {
		// The program need not be installed.
		let unit = unit.replace("/usr/bin/dpki-agent", env!("CARGO_BIN_EXE_dpki-agent"));
		fs::write(&path, unit).unwrap();
		systemd_verifies(&path)
	};
	let verified = verify(UNIT);
	// It complains about much of what it does not know without failing.
	let complaint = |output: &Output| {
		let said = String::from_utf8_lossy(&output.stderr).into_owned();
		said.lines().find(|line| line.contains("dpki-agent.service")).map(str::to_owned)
	};
	assert_eq!((verified.status.code(), complaint(&verified)), (Some(0), None));
	let broken = verify(&UNIT.replace("ProtectClock=", "ProtectClocks="));
	assert!(complaint(&broken).is_some(), "the test can fail: {broken:?}");
}

#[test]
fn systemd_understands_what_install_writes() {
	let dir = tempfile::tempdir().unwrap();
	let unit = dir.path().join("dpki-agent.service");
	let early = dir.path().join("dpki-agent-lapse.service");
	let text = unit.display().to_string();
	for extra in
		[&[][..], &["--seal-command", "/bin/echo 5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e"]]
	{
		let place = tempfile::tempdir().unwrap();
		let (_, config) = configured(place.path(), extra);
		let args = ["install", "--config", &config, "--unit", &text];
		let written = agent(&[&args[..], &["--replace"]].concat());
		assert!(written.status.success(), "{written:?}");
		assert!(agent(&args).status.success(), "the same again");
		let printed = agent(&["install", "--config", &config, "--print", "--unit", &text]);
		let both = [&unit, &early]
			.map(|path| format!("# {}\n{}\n", path.display(), fs::read_to_string(path).unwrap()));
		assert_eq!(String::from_utf8(printed.stdout).unwrap(), both.concat());
		assert_understood(&unit);
		let verified = systemd_verifies(&early);
		let said = String::from_utf8_lossy(&verified.stderr);
		assert!(verified.status.success() && !said.contains("dpki-agent-lapse"), "{said}");
	}
	fs::write(&unit, "[Unit]\n").unwrap();
	let (_, config) = configured(dir.path(), &[]);
	assert_fails(&agent(&["install", "--config", &config, "--unit", &text]), "give --replace");
}

#[test]
fn the_unit_names_the_usual_places() {
	let usual = SshSettings::default().directory;
	for line in [
		format!("ReadWritePaths={}", usual.display()),
		"ExecStart=/usr/bin/dpki-agent run --config /etc/dpki/agent.toml".into(),
		"StateDirectory=dpki-agent".into(),
		"RuntimeDirectory=sshd dpki-agent".into(),
	] {
		assert!(UNIT.lines().any(|found| found == line), "{line}");
	}
	let manual = include_str!("../../README.md");
	assert!(
		manual.contains("--status-file /run/dpki-agent/status.json"),
		"where the unit makes room"
	);
}

#[test]
fn a_service_is_certified_by_those_who_know_nothing_of_the_chain() {
	let dir = tempfile::tempdir().unwrap();
	let (_, config) = configured(dir.path(), &[]);
	let ask = |more: &[&str]| {
		let common = ["request", "--config", &config, "--name", "web.example"];
		agent(&[&common[..], more].concat())
	};
	let tls = |more: &[&str]| ask(&[&["tls", "--service", "web"][..], more].concat());
	for form in [&["--plain"][..], &["--self-signed"], &[]] {
		assert_fails(&tls(form), "no [apply.tls.web]: add it");
	}
	let service = format!("\n[apply.tls.web]\ndirectory = \"{}/web\"\n", dir.path().display());
	let text = fs::read_to_string(&config).unwrap();
	fs::write(&config, text + &service).unwrap();
	assert_fails(&ask(&["ssh-host", "--plain"]), "are for `tls`");
	assert_fails(&ask(&["ssh-user", "--user", "ops"]), "give --principal");
	let user = |login: &str, more: &[&str]| {
		let common = ["request", "--config", &config, "ssh-user", "--user", login];
		agent(&[&common[..], more].concat())
	};
	let crew = ["--principal", "crew"];
	assert_fails(&user("ops", &crew), "no path for `ops` under [apply.user-keys]");
	assert_fails(&user("ops", &["--withdraw"]), "no path for `ops` under [apply.user-keys]");
	assert_fails(&ask(&["ssh-host", "--user", "ops"]), "are for `ssh-user`");
	let asked = String::from_utf8(tls(&["--plain"]).stdout).unwrap();
	assert!(asked.starts_with("-----BEGIN CERTIFICATE REQUEST-----"), "{asked}");
	let key = dir.path().join("state/tls/web/0.key");
	let made = fs::read(&key).unwrap();
	let signed = dir.path().join("web.pem").display().to_string();
	let longest = u32::MAX.to_string();
	let told = tls(&["--self-signed", "--days", &longest, "--out", &signed, "--json"]);
	let told: serde_json::Value = serde_json::from_slice(&told.stdout).unwrap();
	assert_eq!(told["key"], key.display().to_string());
	let text = fs::read_to_string(&signed).unwrap();
	assert!(text.starts_with("-----BEGIN CERTIFICATE-----"), "{text}");
	assert_eq!(told["pem"], text);
	assert_eq!(fs::read(&key).unwrap(), made, "one key");
}
