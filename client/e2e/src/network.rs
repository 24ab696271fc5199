//! A local consortium, started and stopped by the script that people use.

use crate::{Workspace, target};
use serde_json::Value;
use std::{
	io::{Read, Write},
	net::{Ipv4Addr, TcpListener, TcpStream},
	path::{Path, PathBuf},
	process::{Command, Output, Stdio},
	sync::atomic::{AtomicU16, Ordering},
};

/// How many ports there are for one process of tests, and for how many processes beside each other: together they are
/// below those numbers that the kernel gives to outgoing connections.
const PORTS: u16 = 40;
const PROCESSES: u16 = 300;

/// A TCP port on loopback that nobody listens on, another one each time. No outgoing connection gets its number while a node
/// that has it is stopped, so that the node finds it again.
pub fn free_port() -> u16 {
	static GIVEN: AtomicU16 = AtomicU16::new(0);
	let turn = std::process::id() % u32::from(PROCESSES);
	let first = 20_000 + PORTS * u16::try_from(turn).expect("it is small");
	let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
	let mut next = std::iter::repeat_with(|| GIVEN.fetch_add(1, Ordering::Relaxed));
	let given = next.by_ref().take_while(|given| *given < PORTS);
	let port = given.map(|given| first + given).find(is_free);
	port.expect("a test takes fewer ports than there are for it")
}

/// Four validators and a full node. It is taken down when this is dropped.
pub struct Network {
	folder: PathBuf,
}

/// A node of it.
#[derive(Debug, Clone)]
pub struct Member {
	/// What it is called.
	pub name: String,
	/// Its process.
	pub pid: u32,
	/// Where its RPC is.
	pub url: String,
	/// Where its metrics are.
	pub metrics: String,
}

impl Network {
	/// Brings one up, with these options, and waits until each node finalises.
	pub fn up(workspace: &Workspace, options: &[&str]) -> Self {
		let network = Self { folder: workspace.join("network") };
		let up = network.script("up", options);
		assert!(up.status.success(), "{}", said(&up));
		network
	}

	/// Runs `scripts/network` with a command and options.
	pub fn script(&self, command: &str, options: &[&str]) -> Output {
		let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/network");
		Command::new(script)
			.args([command, "--built", "--dir"])
			.arg(&self.folder)
			.args(options)
			.env("DPKI_BIN", target())
			.env_remove("DPKI_URL")
			.env_remove("DPKI_GENESIS")
			.stdin(Stdio::null())
			.output()
			.expect("scripts/network starts")
	}

	/// What `scripts/network status --json` says, and its exit code.
	pub fn status(&self) -> (Option<i32>, Value) {
		let status = self.script("status", &["--json"]);
		let value = serde_json::from_slice(&status.stdout)
			.unwrap_or_else(|_| panic!("not JSON: {}", said(&status)));
		(status.status.code(), value)
	}

	/// A path in its folder.
	pub fn join(&self, name: impl AsRef<Path>) -> PathBuf {
		self.folder.join(name)
	}

	/// The nodes.
	pub fn members(&self) -> Vec<Member> {
		let list = std::fs::read_to_string(self.join("nodes")).expect("the network is up");
		let member = |line: &str| {
			let words: Vec<_> = line.split(' ').collect();
			let [name, pid, url, metrics] = words[..] else { panic!("no node: {line}") };
			Member {
				name: name.into(),
				pid: pid.parse().expect("a process has a number"),
				url: url.into(),
				metrics: metrics.into(),
			}
		};
		list.lines().map(member).collect()
	}

	/// The node of this name.
	pub fn member(&self, name: &str) -> Member {
		let found = self.members().into_iter().find(|member| member.name == name);
		found.unwrap_or_else(|| panic!("the network has no node {name}"))
	}

	/// The raw chain specification.
	pub fn spec(&self) -> PathBuf {
		self.join("spec/local-net.raw.json")
	}
}

impl Drop for Network {
	fn drop(&mut self) {
		// When a test fails its logs are wanted; the processes are ended all the same.
		if std::thread::panicking() {
			for name in ["north", "east", "south", "west", "full"] {
				let log = std::fs::read_to_string(self.join(name).join("log")).unwrap_or_default();
				let tail: Vec<_> = log.lines().rev().take(5).collect();
				eprintln!("{name}:\n{}", tail.into_iter().rev().collect::<Vec<_>>().join("\n"));
			}
		}
		self.script("down", &[]);
	}
}

impl Member {
	/// Whether its process is there.
	pub fn runs(&self) -> bool {
		let state = std::fs::read_to_string(format!("/proc/{}/stat", self.pid));
		// Killed, and not yet seen to by whoever has to: the third field, behind the name in parentheses.
		state
			.is_ok_and(|state| !state.rsplit(')').next().is_some_and(|rest| rest.starts_with(" Z")))
	}

	/// Ends its process without giving it time for anything.
	pub fn kill(&self) {
		let killed = Command::new("kill").args(["-KILL", &self.pid.to_string()]).status();
		assert!(killed.expect("kill starts").success(), "{} was gone already", self.name);
	}

	/// What Prometheus would read.
	pub fn scrape(&self) -> String {
		let address = self.metrics.trim_start_matches("http://");
		let (host, path) = address.split_once('/').expect("an address with a path");
		let mut stream = TcpStream::connect(host).expect("its metrics port is open");
		write!(stream, "GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
			.expect("it takes requests");
		let mut answer = String::new();
		stream.read_to_string(&mut answer).expect("it answers in text");
		answer
	}
}

/// What a program printed and complained about.
pub fn said(output: &Output) -> String {
	let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
	text(&output.stdout) + &text(&output.stderr)
}
