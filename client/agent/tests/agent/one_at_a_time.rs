//! The lock on the state directory, and what `dpki-agent status` tells of who holds it.

use crate::commands::{GENESIS, agent, assert_fails, assert_fails_with, configured};
use dpki_agent::{
	config::{Config, parse_hash},
	lock::StateLock,
	run::clock,
	status::{HeadStatus, Reporter, Status},
};
use std::{
	fs,
	io::{BufRead, BufReader},
	os::unix::fs::PermissionsExt,
	process::{Child, ChildStderr, Command, Stdio},
};

/// An agent that runs, as a process of its own.
struct Running {
	child: Child,
	/// Kept open, since an agent that cannot say anything would end.
	_says: BufReader<ChildStderr>,
}

impl Running {
	/// Starts it, and waits for what it says first.
	fn start(config: &str) -> (Self, String) {
		let mut child = Command::new(env!("CARGO_BIN_EXE_dpki-agent"))
			.args(["run", "--config", config, "--log", "dpki_agent=info"])
			.stderr(Stdio::piped())
			.spawn()
			.unwrap();
		let mut says = BufReader::new(child.stderr.take().unwrap());
		let mut line = String::new();
		says.read_line(&mut line).unwrap();
		(Self { child, _says: says }, line)
	}

	/// As by `kill -9`.
	fn kill(mut self) {
		self.child.kill().unwrap();
		self.child.wait().unwrap();
	}
}

impl Drop for Running {
	fn drop(&mut self) {
		let _ = self.child.kill();
		let _ = self.child.wait();
	}
}

fn status(config: &str) -> (Option<i32>, serde_json::Value) {
	let output = agent(&["status", "--config", config, "--json"]);
	let json = serde_json::from_slice(&output.stdout);
	(output.status.code(), json.unwrap_or_else(|error| panic!("{error}: {output:?}")))
}

/// Writes what an agent writes that has seen a block of this chain time.
fn report(config: &Config, time: u64) {
	let head = Some(HeadStatus { number: 9, time, stale: false });
	let word = Status { device: "drone-7".into(), head, ..Status::default() };
	Reporter::new(config.status_path()).report(&word, clock());
}

#[test]
fn a_second_agent_is_refused_and_told_of_the_first() {
	let dir = tempfile::tempdir().unwrap();
	let (_, config) = configured(dir.path(), &[]);
	let (first, said) = Running::start(&config);
	assert!(said.contains("following the chain"), "{said}");
	let words = format!("another agent (process {}) uses the state directory", first.child.id());
	let (_second, said) = Running::start(&config);
	assert!(said.contains(&words), "{said}");
	assert_fails(&agent(&["run", "--config", &config, "--once", "--timeout", "1"]), &words);
	let genesis = parse_hash(GENESIS).unwrap();
	let voucher = dpki_client::Voucher::generate(genesis, "acme", "drone-7", u64::MAX).unwrap();
	let file = dir.path().join("voucher");
	fs::write(&file, voucher.to_text().as_bytes()).unwrap();
	let file = file.display().to_string();
	let enrol = ["enrol", "--config", &config, "--voucher-file", &file, "--timeout", "1"];
	assert_fails(&agent(&enrol), &words);
}

#[test]
fn a_killed_agent_leaves_no_lock() {
	let dir = tempfile::tempdir().unwrap();
	let (_, config) = configured(dir.path(), &[]);
	let (first, _) = Running::start(&config);
	first.kill();
	let (_next, said) = Running::start(&config);
	assert!(said.contains("following the chain"), "{said}");
}

#[test]
fn status_tells_a_running_agent_from_a_dead_one() {
	let dir = tempfile::tempdir().unwrap();
	let (_, config) = configured(dir.path(), &[]);
	let (running, _) = Running::start(&config);
	let (code, json) = status(&config);
	assert_eq!((code, json["running"].as_bool()), (Some(3), Some(true)), "{json}");
	assert_eq!(json["pid"].as_u64(), Some(running.child.id().into()), "{json}");
	assert!(json["warnings"][0].as_str().unwrap().contains("no finalised block"), "{json}");
	running.kill();
	let (code, json) = status(&config);
	assert_eq!((code, json["running"].as_bool()), (Some(3), Some(false)), "{json}");
	assert!(json["warnings"][0].as_str().unwrap().contains("no agent runs"), "{json}");
}

#[test]
fn status_succeeds_only_while_an_agent_runs_and_its_block_is_recent() {
	let dir = tempfile::tempdir().unwrap();
	let (config, path) = configured(dir.path(), &[]);
	let lock = StateLock::acquire(&config.state).unwrap();
	report(&config, clock());
	let (code, json) = status(&path);
	assert_eq!((code, json["working"].as_bool()), (Some(0), Some(true)), "{json}");
	report(&config, clock() - 3_600_000);
	let (code, json) = status(&path);
	assert_eq!((code, json["working"].as_bool()), (Some(3), Some(false)), "{json}");
	report(&config, clock());
	drop(lock);
	let shown = agent(&["status", "--config", &path]);
	let text = String::from_utf8(shown.stdout).unwrap();
	assert_eq!(shown.status.code(), Some(3), "{text}");
	assert!(text.contains("agent         not running\n"), "{text}");
	assert!(text.lines().any(|line| line.starts_with("block         9 of 20")), "{text}");
}

#[test]
fn an_agent_that_never_ran_has_no_status() {
	let dir = tempfile::tempdir().unwrap();
	let (config, path) = configured(dir.path(), &[]);
	assert_fails_with(&agent(&["status", "--config", &path]), 3, "dpki-agent run");
	let _lock = StateLock::acquire(&config.state).unwrap();
	assert_fails_with(&agent(&["status", "--config", &path]), 3, "see its log");
}

#[test]
fn the_status_lies_where_others_can_read_it_if_so_configured() {
	let dir = tempfile::tempdir().unwrap();
	let public = dir.path().join("run");
	fs::create_dir(&public).unwrap();
	let file = public.join("status.json");
	let (config, path) = configured(dir.path(), &["--status-file", file.to_str().unwrap()]);
	let (_running, _) = Running::start(&path);
	assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o7777, 0o644);
	assert!(!config.state.join("status.json").exists());
	assert_eq!(status(&path).1["device"], "drone-7");
}
