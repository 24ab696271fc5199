//! A node with the development chain.

use crate::{Process, Workspace, binary, free_port, run};
use dpki_client::Client;
use std::path::PathBuf;

/// One validator with the development chain and nothing but loopback addresses.
pub struct Node {
	process: Option<Process>,
	base: PathBuf,
	log: PathBuf,
	rpc_port: u16,
	p2p_port: u16,
	/// The raw chain specification, as devices get it.
	pub spec: PathBuf,
}

impl Node {
	/// Starts a node and waits until it answers.
	pub fn start(workspace: &Workspace) -> Self {
		let spec = workspace.join("chain-spec.json");
		let exported = run(
			&binary("dpki-node"),
			["build-spec", "--chain", "dev", "--raw", "--disable-default-bootnode"],
		);
		assert!(exported.status.success(), "{}", String::from_utf8_lossy(&exported.stderr));
		std::fs::write(&spec, exported.stdout).expect("writes the chain specification");
		let mut node = Self {
			process: None,
			base: workspace.join("node"),
			log: workspace.join("node.log"),
			rpc_port: free_port(),
			p2p_port: free_port(),
			spec,
		};
		node.resume();
		node
	}

	/// Stops the chain; it can be resumed.
	pub fn stop(&mut self) {
		self.process = None;
	}

	/// Starts the node again where it stopped.
	pub fn resume(&mut self) {
		let args = [
			"--dev".to_string(),
			"--base-path".into(),
			self.base.display().to_string(),
			"--rpc-port".into(),
			self.rpc_port.to_string(),
			"--listen-addr".into(),
			format!("/ip4/127.0.0.1/tcp/{}", self.p2p_port),
			"--no-mdns".into(),
			"--no-prometheus".into(),
			"--no-telemetry".into(),
		];
		self.process = Some(Process::start(
			&binary("dpki-node"),
			args,
			&self.log,
			Some("Running JSON-RPC server"),
		));
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
		let id: String = self
			.client()
			.await
			.rpc()
			.request("system_localPeerId", Default::default())
			.await
			.expect("a node knows its peer id");
		format!("/ip4/127.0.0.1/tcp/{}/p2p/{id}", self.p2p_port)
	}
}
