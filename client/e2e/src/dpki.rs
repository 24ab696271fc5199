//! The command line, as a script would call it.

use crate::{Node, binary};
use serde_json::Value;
use std::{
	env,
	ffi::OsStr,
	io::{Read, Write},
	path::{Path, PathBuf},
	process::{Command, Stdio},
};

/// With what every question to a person ends.
const QUESTION: &str = "[y/N] ";

/// `dpki`, pointed at a node and acting for an account.
#[derive(Clone)]
pub struct Dpki {
	url: String,
	account: String,
	/// Where it remembers what was proven to it.
	memory: PathBuf,
}

impl Dpki {
	/// For an account of the development chain, such as `//Alice`.
	pub fn new(node: &Node, account: &str) -> Self {
		Self { memory: node.base().with_extension("memory"), ..Self::at(&node.url(), account) }
	}

	/// At a node of this address, for an account or the file of one.
	pub fn at(url: &str, account: &str) -> Self {
		let memory = env::temp_dir().join(format!("dpki-e2e-{}", std::process::id()));
		Self { url: url.into(), account: account.into(), memory }
	}

	/// The same account and what it remembers, at a node of another address.
	pub fn moved_to(&self, url: &str) -> Self {
		Self { url: url.into(), ..self.clone() }
	}

	/// The same, remembering in this folder.
	pub fn remembering(&self, memory: &Path) -> Self {
		Self { memory: memory.into(), ..self.clone() }
	}

	/// The same node, another account.
	pub fn acting_for(&self, account: &str) -> Self {
		Self { account: account.into(), ..self.clone() }
	}

	/// Runs a command that has to succeed and gives its answer.
	pub fn ok<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Value {
		let (code, answer, said) = self.run(args);
		assert_eq!(code, Some(0), "dpki failed: {said}");
		answer
	}

	/// Runs a command that has to succeed as a person would, and gives what it prints.
	pub fn prints<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> String {
		let output = self.command(args).output().expect("dpki starts");
		assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
		String::from_utf8_lossy(&output.stdout).into_owned()
	}

	/// Runs a command as a person does at a terminal, who types this when asked. Whether it succeeded, and all that the
	/// terminal showed. Panics if nothing was asked.
	pub fn asks<A: AsRef<OsStr>>(
		&self,
		args: impl IntoIterator<Item = A>,
		typed: &str,
	) -> (bool, String) {
		// A shell runs what `script` is given, in a terminal of its own.
		let asked = self.command(args);
		let words = std::iter::once(asked.get_program()).chain(asked.get_args()).map(quoted);
		let mut command = Command::new("script");
		command
			.args(["--quiet", "--return", "--flush", "--command"])
			.arg(words.collect::<Vec<_>>().join(" "))
			.arg("/dev/null")
			.env("SHELL", "/bin/sh");
		self.describe(&mut command);
		let started = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
		let mut child = started.expect("script starts: it comes with util-linux");
		let mut terminal = child.stdout.take().expect("piped");
		let mut keyboard = child.stdin.take().expect("piped");
		let (mut shown, mut byte) = (Vec::new(), [0]);
		while !shown.ends_with(QUESTION.as_bytes()) {
			let read = terminal.read(&mut byte).expect("the terminal can be read");
			assert_ne!(read, 0, "nothing was asked: {}", String::from_utf8_lossy(&shown));
			shown.extend(byte);
		}
		keyboard.write_all(typed.as_bytes()).expect("it can be typed");
		terminal.read_to_end(&mut shown).expect("the terminal can be read");
		let done = child.wait().expect("script ends with the command");
		(done.success(), String::from_utf8_lossy(&shown).into_owned())
	}

	/// Runs a command that has to be refused and gives the sentence of its error.
	pub fn refused<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> String {
		let (code, answer, said) = self.run(args);
		assert_eq!(code, Some(1), "dpki was not refused: {answer} {said}");
		// Warnings stand in lines of their own before it.
		let last = said.lines().last().unwrap_or_default();
		let error: Value =
			serde_json::from_str(last).unwrap_or_else(|_| panic!("not JSON: {said}"));
		error["error"]
			.as_str()
			.unwrap_or_else(|| panic!("no error in: {said}"))
			.to_string()
	}

	/// Runs a motion whose call is made and fails, and gives what it tells of it.
	pub fn failed<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Value {
		let (code, answer, said) = self.run(args);
		assert_eq!(code, Some(1), "the call did not fail: {answer} {said}");
		assert_eq!(answer["state"], "failed", "{answer} {said}");
		answer
	}

	/// Runs a command as the account of several people, whose other members have to agree, and gives the encoded call.
	pub fn begun<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> String {
		let (code, answer, said) = self.run(args);
		assert_eq!(code, Some(4), "dpki does not wait for others: {answer} {said}");
		let error: Value =
			serde_json::from_str(&said).unwrap_or_else(|_| panic!("not JSON: {said}"));
		let next = error["next"].as_str().unwrap_or_default().trim_end_matches('`');
		next.rsplit(' ').next().unwrap_or_default().to_string()
	}

	/// Runs a verdict and gives it, whatever it is.
	pub fn status<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Value {
		let (code, answer, said) = self.run(args);
		assert!(matches!(code, Some(0 | 3)), "no verdict: {said}");
		assert_eq!(code == Some(0), answer["valid"] == Value::Bool(true), "{answer}");
		answer
	}

	/// Runs a command that has something to say whether all is well or not: its exit code and its answer.
	pub fn answers<A: AsRef<OsStr>>(
		&self,
		args: impl IntoIterator<Item = A>,
	) -> (Option<i32>, Value) {
		let (code, answer, said) = self.run(args);
		assert!(matches!(code, Some(0 | 3)), "dpki failed: {said}");
		(code, answer)
	}

	fn run<A: AsRef<OsStr>>(
		&self,
		args: impl IntoIterator<Item = A>,
	) -> (Option<i32>, Value, String) {
		let output = self.command(args).arg("--json").output().expect("dpki starts");
		let answer = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
		(output.status.code(), answer, String::from_utf8_lossy(&output.stderr).trim().to_string())
	}

	fn command<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Command {
		let mut command = Command::new(binary("dpki"));
		command.args(args).stdin(Stdio::null());
		self.describe(&mut command);
		command
	}

	/// Tells a command of the node, the account and the memory.
	fn describe(&self, command: &mut Command) {
		command
			.env("DPKI_URL", &self.url)
			.env("DPKI_ACCOUNT", &self.account)
			.env("XDG_STATE_HOME", &self.memory)
			.env_remove("DPKI_GENESIS")
			.env_remove("DPKI_CHECKPOINT");
	}
}

/// A word as a shell reads it back.
fn quoted(word: &OsStr) -> String {
	let word = word.to_str().expect("the words of tests are text");
	format!("'{}'", word.replace('\'', "'\\''"))
}
