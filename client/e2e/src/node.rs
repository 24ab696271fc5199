//! A node with the development chain.

use crate::{Process, Workspace, binary, run};
use dpki_client::Client;
use serde_json::Value;
use std::{net::SocketAddr, path::PathBuf, sync::OnceLock};

/// What the node says when its RPC listens; the addresses follow, see [`rpc_port`].
const RPC_LISTENS: &str = "Running JSON-RPC server: addr=";

/// A loopback address of which the node chooses the port. A number chosen here could be another process's by the time
/// that the node claims it, and the node would quietly move its RPC to yet another one.
const ANY_PORT: &str = "/ip4/127.0.0.1/tcp/0";

/// One validator with the development chain and nothing but loopback addresses.
pub struct Node {
	process: Option<Process>,
	base: PathBuf,
	log: PathBuf,
	/// Where the RPC listens; zero before the node has chosen.
	rpc_port: u16,
	/// Where peers reach the node, once somebody was told.
	peer_address: OnceLock<String>,
	/// Options besides the usual ones.
	options: Vec<String>,
	/// The raw chain specification, as devices get it.
	pub spec: PathBuf,
}

impl Node {
	/// Starts a node and waits until it answers.
	pub fn start(workspace: &Workspace) -> Self {
		Self::start_with(workspace, &[])
	}

	/// Starts a node with these options besides the usual ones, and waits until it answers.
	pub fn start_with(workspace: &Workspace, options: &[&str]) -> Self {
		Self::begin(workspace, build_spec("dev", true), options)
	}

	/// Starts a node of a chain whose genesis differs from that of the development chain by what `alter` does to it, and
	/// waits until it answers.
	pub fn start_altered(workspace: &Workspace, alter: impl FnOnce(&mut Value)) -> Self {
		let plain = build_spec("dev", false);
		let mut spec: Value = serde_json::from_slice(&plain).expect("a specification is JSON");
		alter(&mut spec["genesis"]["runtimeGenesis"]["patch"]);
		let altered = workspace.join("altered.json");
		std::fs::write(&altered, spec.to_string()).expect("writes the chain specification");
		let raw = build_spec(&altered.display().to_string(), true);
		let spec = workspace.join("chain-spec.json").display().to_string();
		Self::begin(workspace, raw, &["--chain", &spec])
	}

	/// Starts another node of the same chain, which is no validator yet, and waits until it answers.
	pub async fn join(&self, workspace: &Workspace) -> Self {
		let spec = std::fs::read(&self.spec).expect("the node has a specification");
		let path = workspace.join("chain-spec.json").display().to_string();
		let peer = self.peer_address().await;
		// Not with the keys of the first one, which `--dev` alone would give it.
		Self::begin(workspace, spec, &["--chain", &path, "--ferdie", "--bootnodes", &peer])
	}

	fn begin(workspace: &Workspace, raw_spec: Vec<u8>, options: &[&str]) -> Self {
		let spec = workspace.join("chain-spec.json");
		std::fs::write(&spec, raw_spec).expect("writes the chain specification");
		let mut node = Self {
			process: None,
			base: workspace.join("node"),
			log: workspace.join("node.log"),
			rpc_port: 0,
			peer_address: OnceLock::new(),
			options: options.iter().map(ToString::to_string).collect(),
			spec,
		};
		node.resume();
		node
	}

	/// Stops the chain; it can be resumed.
	pub fn stop(&mut self) {
		self.process = None;
	}

	/// Starts the node again where it stopped, at the addresses that others know.
	pub fn resume(&mut self) {
		let listen = self.peer_address.get().and_then(|address| address.split("/p2p/").next());
		let args = [
			"--dev".to_string(),
			"--base-path".into(),
			self.base.display().to_string(),
			"--rpc-port".into(),
			self.rpc_port.to_string(),
			"--listen-addr".into(),
			listen.unwrap_or(ANY_PORT).into(),
			"--no-mdns".into(),
			"--no-prometheus".into(),
			"--no-telemetry".into(),
		];
		let args = args.iter().chain(&self.options);
		let started = Process::start_until(&binary("dpki-node"), args, &self.log, RPC_LISTENS);
		let (process, line) = started.unwrap_or_else(|said| panic!("{said}"));
		let port = rpc_port(&line).unwrap_or_else(|| panic!("no IPv4 address in: {line}"));
		assert!(
			self.rpc_port == 0 || self.rpc_port == port,
			"port {} was taken while the node was stopped: run the test again",
			self.rpc_port
		);
		self.rpc_port = port;
		self.process = Some(process);
	}

	/// The address of its RPC.
	pub fn url(&self) -> String {
		format!("ws://127.0.0.1:{}", self.rpc_port)
	}

	/// A client of its RPC.
	pub async fn client(&self) -> Client {
		Client::connect(&self.url()).await.expect("the node answers")
	}

	/// The address at which peers reach it.
	pub async fn peer_address(&self) -> String {
		if let Some(address) = self.peer_address.get() {
			return address.clone();
		}
		let addresses: Vec<String> = self
			.client()
			.await
			.rpc()
			.request("system_localListenAddresses", Default::default())
			.await
			.expect("a node knows where it listens");
		let address = addresses
			.iter()
			.find(|address| address.starts_with("/ip4/127.0.0.1/tcp/"))
			.unwrap_or_else(|| panic!("no loopback address in {addresses:?}"));
		self.peer_address.get_or_init(|| address.clone()).clone()
	}
}

/// The specification of a chain, as the node exports it.
fn build_spec(chain: &str, raw: bool) -> Vec<u8> {
	let raw = raw.then_some("--raw");
	let args = ["build-spec", "--chain", chain, "--disable-default-bootnode"];
	let exported = run(&binary("dpki-node"), args.into_iter().chain(raw));
	assert!(exported.status.success(), "{}", String::from_utf8_lossy(&exported.stderr));
	exported.stdout
}

/// The port in the line that begins with [`RPC_LISTENS`] and goes on with addresses and commas.
fn rpc_port(line: &str) -> Option<u16> {
	let (_, addresses) = line.split_once(RPC_LISTENS)?;
	addresses
		.split(',')
		.filter_map(|address| address.trim().parse::<SocketAddr>().ok())
		.find(SocketAddr::is_ipv4)
		.map(|address| address.port())
}

#[cfg(test)]
mod tests {
	use super::rpc_port;

	#[test]
	fn the_port_is_read_from_either_form_of_the_line() {
		let line = "2026-11-21 14:07:00 Running JSON-RPC server: addr=127.0.0.1:40001,[::1]:40002";
		assert_eq!(rpc_port(line), Some(40001));
		assert_eq!(rpc_port("Running JSON-RPC server: addr=127.0.0.1:40001,"), Some(40001));
		assert_eq!(rpc_port("Running JSON-RPC server: addr=[::1]:40002,"), None);
	}
}
