//! A device: an agent with its own folder.

use crate::{Node, Process, Workspace, binary, process::PATIENCE};
use dpki_primitives::ids::{DeviceId, OrganisationId};
use serde_json::Value;
use std::{
	ffi::OsStr,
	fs,
	path::{Path, PathBuf},
	process::{Command, Output, Stdio},
	time::Instant,
};

/// A device with its agent's configuration, keys and SSH folder.
pub struct Device {
	/// Its folder.
	pub path: PathBuf,
	/// Its name.
	pub name: String,
	/// Its organisation.
	pub organisation: String,
	agent: Option<Process>,
}

impl Device {
	/// Sets a device up; it is not enrolled yet.
	pub async fn init(workspace: &Workspace, node: &Node, organisation: &str, name: &str) -> Self {
		let genesis = hex(&node.client().await.genesis_hash());
		let device = Self::unconfigured(workspace, organisation, name);
		let output = device.try_init(node, &genesis).await;
		assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
		device
	}

	/// A folder for a device, and nothing in it.
	pub fn unconfigured(workspace: &Workspace, organisation: &str, name: &str) -> Self {
		let path = workspace.join(format!("{organisation}-{name}"));
		fs::create_dir_all(&path).expect("creates the device's folder");
		Self { path, name: name.into(), organisation: organisation.into(), agent: None }
	}

	/// `dpki-agent init` with this genesis hash.
	pub async fn try_init(&self, node: &Node, genesis: &str) -> Output {
		self.run([
			"init".into(),
			"--config".into(),
			self.join("agent.toml").display().to_string(),
			"--chain-spec".into(),
			node.spec.display().to_string(),
			"--genesis".into(),
			genesis.into(),
			"--peer".into(),
			node.peer_address().await,
			"--organisation".into(),
			self.organisation.clone(),
			"--device".into(),
			self.name.clone(),
			"--state".into(),
			self.join("state").display().to_string(),
			"--ssh-dir".into(),
			self.ssh().display().to_string(),
		])
	}

	/// A path in its folder.
	pub fn join(&self, name: impl AsRef<Path>) -> PathBuf {
		self.path.join(name)
	}

	/// The folder that its sshd reads.
	pub fn ssh(&self) -> PathBuf {
		self.join("ssh")
	}

	/// The id under which the chain knows it.
	pub fn id(&self) -> DeviceId {
		let organisation = OrganisationId::from_name(self.organisation.as_bytes());
		DeviceId::from_name(organisation, self.name.as_bytes())
	}

	/// Enrols it; it has to work.
	pub fn enrol(&self, voucher: &Path) {
		let output = self.try_enrol(voucher);
		assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
	}

	/// Tries to enrol it.
	pub fn try_enrol(&self, voucher: &Path) -> Output {
		self.run_configured("enrol", ["--voucher-file".as_ref(), voucher.as_os_str()])
	}

	/// Tries to enrol it, which has to be refused, and gives the error.
	pub fn refused_enrolment(&self, voucher: &Path) -> String {
		let output = self.try_enrol(voucher);
		assert!(!output.status.success(), "the enrolment was not refused");
		String::from_utf8_lossy(&output.stderr).trim().to_string()
	}

	/// Has the device consent to a key that this account is to register; it has to work. The answer of the agent.
	pub fn consent(&self, account: &str, args: &[&str]) -> Value {
		let output =
			self.run_configured("consent", [&["--account", account, "--json"][..], args].concat());
		assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
		serde_json::from_slice(&output.stdout).expect("it answers in JSON")
	}

	/// Has the device ask a CA for a certificate; it has to work.
	pub fn request(&self, args: &[&str]) {
		let output = self.run_configured("request", args);
		assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
	}

	/// Has the device replace the key that opens its deliveries; it has to work. The answer of the agent.
	pub fn rotate(&self, overlap: &str) -> Value {
		let output = self.run_configured("rotate", ["--overlap", overlap, "--json"]);
		assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
		serde_json::from_slice(&output.stdout).expect("it answers in JSON")
	}

	/// Has the device make a hybrid key and write its public half into this file; it has to work.
	pub fn hybrid(&self, out: &str) {
		let output = self.run_configured("hybrid", ["--out", out]);
		assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
	}

	/// Has the device replace that key, and write the public half of the new one into this file; it has to work.
	pub fn rotate_hybrid(&self, overlap: &str, out: &str) -> Value {
		let args = ["--hybrid", "--overlap", overlap, "--out", out, "--json"];
		let output = self.run_configured("rotate", args);
		assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
		serde_json::from_slice(&output.stdout).expect("it answers in JSON")
	}

	/// Tries that, which has to be refused, and gives the error.
	pub fn refused_rotation_of_hybrid(&self, out: &str) -> String {
		let output = self.run_configured("rotate", ["--hybrid", "--overlap", "5s", "--out", out]);
		assert!(!output.status.success(), "the key was replaced");
		String::from_utf8_lossy(&output.stderr).trim().to_string()
	}

	/// Has the device revoke a key of its own; it has to work.
	pub fn revoke(&self, key: &str, args: &[&str]) {
		let output = self.run_configured("revoke", [&[key][..], args].concat());
		assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
	}

	/// Tries that, which has to be refused, and gives the error.
	pub fn refused_revocation(&self, key: &str, args: &[&str]) -> String {
		let output = self.run_configured("revoke", [&[key][..], args].concat());
		assert!(!output.status.success(), "the key was revoked");
		String::from_utf8_lossy(&output.stderr).trim().to_string()
	}

	/// What the device shows to be enrolled without a voucher.
	pub fn fingerprint(&self) -> String {
		let output = self.run_configured("fingerprint", ["--json"]);
		assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
		let answer: Value = serde_json::from_slice(&output.stdout).expect("it answers in JSON");
		answer["fingerprint"].as_str().expect("it has one").to_string()
	}

	/// What it prints of that for a person with a camera.
	pub fn drawn_fingerprint(&self) -> String {
		let output = self.run_configured("fingerprint", ["--qr"]);
		assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
		String::from_utf8_lossy(&output.stdout).into_owned()
	}

	/// Lets the agent converge once, which has to be refused, and gives the error.
	pub fn refused_run(&self) -> String {
		self.refused_run_within(30)
	}

	/// The same with so many seconds for it.
	pub fn refused_run_within(&self, seconds: u32) -> String {
		let seconds = seconds.to_string();
		let output = self.run_configured("run", ["--once", "--timeout", &seconds]);
		assert!(!output.status.success(), "the agent ran");
		String::from_utf8_lossy(&output.stderr).trim().to_string()
	}

	/// The checkpoint that the agent keeps.
	pub fn checkpoint(&self) -> Value {
		let output = self.run_configured("checkpoint", ["--json"]);
		serde_json::from_slice(&output.stdout).unwrap_or(Value::Null)
	}

	/// Changes the configuration; the agent reads it when it starts.
	pub fn reconfigure(&self, change: impl FnOnce(String) -> String) {
		let path = self.join("agent.toml");
		let text = fs::read_to_string(&path).expect("the configuration is there");
		fs::write(&path, change(text)).expect("writes the configuration");
	}

	/// Starts the agent.
	pub fn start(&mut self) {
		let args =
			["run", "--config", &self.join("agent.toml").display().to_string()].map(String::from);
		self.agent = Some(Process::start(&binary("dpki-agent"), args, &self.join("agent.log")));
	}

	/// Starts the agent with a clock that is off by this much, as `libfaketime` takes it, such as `-1d`. The clock that
	/// runs since the start of the system is left alone: nobody can set that one.
	pub fn start_at(&mut self, offset: &str) {
		let log = self.join("agent.log");
		let args = self.words_at(offset, "run");
		self.agent = Some(Process::start(Path::new("/usr/bin/env"), args, &log));
	}

	/// Has the agent take away what has ended, as at a start of the system, by such a clock; what it tells.
	pub fn lapse_at(&self, offset: &str) -> Value {
		let words = self.words_at(offset, "lapse").into_iter().chain(["--json".to_owned()]);
		let output = Command::new("/usr/bin/env").args(words).output().expect("env starts");
		assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
		serde_json::from_slice(&output.stdout).expect("it answers in JSON")
	}

	/// The words by which `env` starts the agent with another clock.
	fn words_at(&self, offset: &str, command: &str) -> Vec<String> {
		let config = self.join("agent.toml").display().to_string();
		let agent = binary("dpki-agent").display().to_string();
		vec![
			"LD_PRELOAD=/usr/$LIB/faketime/libfaketime.so.1".into(),
			format!("FAKETIME={offset}"),
			"DONT_FAKE_MONOTONIC=1".into(),
			agent,
			command.into(),
			"--config".into(),
			config,
		]
	}

	/// Stops the agent.
	pub fn stop(&mut self) {
		self.agent = None;
	}

	/// What the agent wrote.
	pub fn log(&self) -> String {
		fs::read_to_string(self.join("agent.log")).unwrap_or_default()
	}

	/// What the agent says of itself.
	pub fn status(&self) -> Value {
		let output = self.run_configured("status", ["--json"]);
		serde_json::from_slice(&output.stdout).unwrap_or(Value::Null)
	}

	/// Waits until the agent has acted on a finalised block at least this high.
	pub async fn reach(&self, block: u64) {
		let reached = |status: &Value| {
			status["head"]["number"].as_u64().is_some_and(|number| number >= block)
		};
		self.tells(&format!("reached block {block}"), reached).await;
	}

	/// Waits until the agent says this of itself.
	pub async fn tells(&self, what: &str, is_so: impl Fn(&Value) -> bool) {
		let began = Instant::now();
		while !is_so(&self.status()) {
			let (status, log) = (self.status(), self.log());
			assert!(began.elapsed() < PATIENCE, "never {what}: {status}; it said:\n{log}");
			tokio::time::sleep(std::time::Duration::from_millis(100)).await;
		}
	}

	fn run_configured<A: AsRef<OsStr>>(
		&self,
		command: &str,
		args: impl IntoIterator<Item = A>,
	) -> Output {
		let mut all =
			vec![command.into(), "--config".into(), self.join("agent.toml").into_os_string()];
		all.extend(args.into_iter().map(|arg| arg.as_ref().to_os_string()));
		self.run(all)
	}

	fn run<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Output {
		Command::new(binary("dpki-agent"))
			.args(args)
			.stdin(Stdio::null())
			.output()
			.expect("dpki-agent starts")
	}
}

/// Bytes as the command lines take them.
pub fn hex(bytes: &[u8]) -> String {
	format!("0x{}", hex::encode(bytes))
}
