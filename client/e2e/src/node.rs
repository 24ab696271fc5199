//! A node with the development chain, and those that others follow it with.

use crate::{Process, Workspace, binary, chaos::key_of, hex, run};
use dpki_client::{Client, account::address};
use serde_json::{Value, json};
use std::{
	collections::BTreeMap,
	net::SocketAddr,
	path::{Path, PathBuf},
	sync::{Mutex, OnceLock, PoisonError},
};

/// What the node says when its RPC listens; the addresses follow, see [`rpc_port`].
pub(crate) const RPC_LISTENS: &str = "Running JSON-RPC server: addr=";

/// A loopback address of which the node chooses the port. A number chosen here could be another process's by the time
/// that the node claims it, and the node would quietly move its RPC to yet another one.
const ANY_PORT: &str = "/ip4/127.0.0.1/tcp/0";

/// The options of a node that tells Prometheus its figures; otherwise none does.
pub(crate) const MEASURED: [&str; 2] = ["--prometheus-port", "0"];

/// What the node says when its figures can be read; the address follows.
const METRICS_ARE_AT: &str = "Prometheus exporter started at ";

/// One validator with the development chain and nothing but loopback addresses.
pub struct Node {
	process: Option<Process>,
	base: PathBuf,
	log: PathBuf,
	/// Where the RPC listens; zero before the node has chosen.
	rpc_port: u16,
	/// Where peers reach the node, once somebody was told.
	peer_address: OnceLock<String>,
	/// Which chain, and in which role.
	role: Vec<String>,
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

	/// Starts a node as somebody does who tries it out, with `--dev` and no other word, and waits until it answers. It keeps
	/// its chain in a folder that it makes for itself, in that of the test.
	pub fn start_bare(workspace: &Workspace) -> Self {
		let node = binary("dpki-node").display().to_string();
		let place = format!("TMPDIR={}", workspace.path().display());
		let (env, log) = (Path::new("/usr/bin/env"), workspace.join("bare.log"));
		let started = Process::start_until(env, [place, node, "--dev".into()], &log, RPC_LISTENS);
		let (process, line) = started.unwrap_or_else(|said| panic!("{said}"));
		Self {
			process: Some(process),
			base: workspace.join("bare"),
			log,
			rpc_port: rpc_port(&line).unwrap_or_else(|| panic!("no IPv4 address in: {line}")),
			peer_address: OnceLock::new(),
			role: vec!["--dev".into()],
			options: vec![],
			spec: put_spec(workspace, "chain-spec.json", &build_spec("dev", true)),
		}
	}

	/// Starts a node with these options besides the usual ones, and waits until it answers.
	pub fn start_with(workspace: &Workspace, options: &[&str]) -> Self {
		Self::begin_dev(workspace, &build_spec("dev", true), options)
	}

	/// Starts a node of a development chain on which so many [made-up accounts](crate::chaos::key_of) have tokens, with
	/// these options besides the usual ones, and waits until it answers.
	pub fn start_endowed(workspace: &Workspace, accounts: usize, options: &[&str]) -> Self {
		Self::begin_altered(workspace, |genesis| endow(genesis, accounts), options)
	}

	/// Starts a node of a chain whose genesis differs from that of the development chain by what `alter` does to it, and
	/// waits until it answers.
	pub fn start_altered(workspace: &Workspace, alter: impl FnOnce(&mut Value)) -> Self {
		Self::begin_altered(workspace, alter, &[])
	}

	fn begin_altered(
		workspace: &Workspace,
		alter: impl FnOnce(&mut Value),
		options: &[&str],
	) -> Self {
		Self::begin_dev(workspace, &altered_spec(workspace, "dev", alter), options)
	}

	/// With the raw specification, also where `--dev` alone would give the same: a node that makes a genesis compiles the
	/// runtime for it, which takes longer than all else of its start.
	fn begin_dev(workspace: &Workspace, raw: &[u8], options: &[&str]) -> Self {
		let spec = put_spec(workspace, "chain-spec.json", raw);
		let chain = spec.display().to_string();
		Self::begin(workspace, "node", spec, &["--dev", "--chain", &chain], options)
	}

	/// Starts //Alice's node of a chain with four well-known validators, whose genesis differs from the shipped one by what
	/// `alter` does to it, and waits until it answers.
	pub fn start_local(workspace: &Workspace, alter: impl FnOnce(&mut Value)) -> Self {
		Self::start_local_with(workspace, alter, [], &[])
	}

	/// The same with these entries in the state of the first block besides, and with these options besides the usual ones.
	pub fn start_local_with(
		workspace: &Workspace,
		alter: impl FnOnce(&mut Value),
		state: impl IntoIterator<Item = (Vec<u8>, Vec<u8>)>,
		options: &[&str],
	) -> Self {
		let mut raw = spec_of(&altered_spec(workspace, "local", alter));
		let top = raw["genesis"]["raw"]["top"].as_object_mut().expect("a raw genesis has entries");
		top.extend(state.into_iter().map(|(key, value)| (hex(&key), hex(&value).into())));
		let spec = put_spec(workspace, "chain-spec.json", raw.to_string().as_bytes());
		let chain = spec.display().to_string();
		let role = ["--chain", &chain, "--alice"];
		let options = [&["--unsafe-force-node-key-generation"][..], options].concat();
		Self::begin(workspace, "alice", spec, &role, &options)
	}

	/// Starts another node of the same chain with these options, which meets these at first, and waits until it answers.
	pub async fn beside(
		workspace: &Workspace,
		name: &str,
		others: &[&Node],
		options: &[&str],
	) -> Self {
		let spec = &others.first().expect("it meets somebody").spec;
		let chain = spec.display().to_string();
		let mut peers = vec!["--unsafe-force-node-key-generation".to_owned()];
		for other in others {
			peers.extend(["--bootnodes".to_owned(), other.peer_address().await]);
		}
		let all: Vec<_> = options.iter().copied().chain(peers.iter().map(String::as_str)).collect();
		Self::begin(workspace, name, spec.clone(), &["--chain", &chain], &all)
	}

	/// Starts a node on this base path with these words, at an address that others know already, and waits until it
	/// answers.
	pub fn placed(
		workspace: &Workspace,
		base: &str,
		spec: &Path,
		words: &[&str],
		peer_address: Option<String>,
	) -> Self {
		let mut node = Self {
			process: None,
			base: workspace.join(base),
			log: workspace.join(format!("{base}.log")),
			rpc_port: 0,
			peer_address: peer_address.map_or_else(OnceLock::new, OnceLock::from),
			role: words.iter().map(ToString::to_string).collect(),
			options: vec![],
			spec: spec.to_path_buf(),
		};
		node.resume();
		node
	}

	/// What it wrote.
	pub fn log(&self) -> String {
		std::fs::read_to_string(&self.log).unwrap_or_default()
	}

	/// Starts another node of the same chain, which is no validator yet, and waits until it answers.
	pub async fn join(&self, workspace: &Workspace) -> Self {
		let chain = self.spec.display().to_string();
		// Not with the keys of the first one, which `--dev` alone would give it.
		let role = ["--dev", "--chain", &chain, "--ferdie"];
		let options = ["--bootnodes", &self.peer_address().await];
		Self::begin(workspace, "node", self.spec.clone(), &role, &options)
	}

	/// Starts a node with another chain of the same authority: the first block differs in an entry of no meaning.
	pub fn start_elsewhere(workspace: &Workspace) -> Self {
		let mut other = spec_of(&build_spec("dev", true));
		other["genesis"]["raw"]["top"]["0x656c73657768657265"] = "0x01".into();
		let spec = put_spec(workspace, "elsewhere.json", other.to_string().as_bytes());
		let chain = spec.display().to_string();
		let role = ["--chain", &chain, "--alice", "--force-authoring"];
		let keys = ["--unsafe-force-node-key-generation"];
		Self::begin(workspace, "elsewhere", spec, &role, &keys)
	}

	/// Starts a node that authors nothing and knows nobody but this one.
	pub async fn follow(workspace: &Workspace, name: &str, other: &Node) -> Self {
		let options = ["--bootnodes", &other.peer_address().await];
		Self::begin(workspace, name, other.spec.clone(), &["--chain", "dev"], &options)
	}

	fn begin(
		workspace: &Workspace,
		name: &str,
		spec: PathBuf,
		role: &[&str],
		options: &[&str],
	) -> Self {
		let mut node = Self {
			process: None,
			base: workspace.join(name),
			log: workspace.join(format!("{name}.log")),
			rpc_port: 0,
			peer_address: OnceLock::new(),
			role: role.iter().map(ToString::to_string).collect(),
			options: options.iter().map(ToString::to_string).collect(),
			spec,
		};
		node.resume();
		node
	}

	/// Starts the node again at another address, which none of its peers knows; and it knows none of them.
	pub fn move_away(&mut self) {
		self.stop();
		self.peer_address = OnceLock::new();
		self.resume();
	}

	/// Lets the node do nothing any more, with all its connections open.
	pub fn freeze(&self) {
		self.process.as_ref().expect("the node runs").freeze();
	}

	/// Stops the chain; it can be resumed.
	pub fn stop(&mut self) {
		self.process = None;
	}

	/// Ends the node in good order, as a service manager does: what it has told is in its database.
	pub fn end(mut self) {
		self.process.take().expect("the node runs").end();
	}

	/// Starts the node again where it stopped, at the addresses that others know.
	pub fn resume(&mut self) {
		let listen = self.peer_address.get().and_then(|address| address.split("/p2p/").next());
		let args = [
			"--base-path".to_string(),
			self.base.display().to_string(),
			"--rpc-port".into(),
			self.rpc_port.to_string(),
			"--listen-addr".into(),
			listen.unwrap_or(ANY_PORT).into(),
			"--no-mdns".into(),
			"--no-telemetry".into(),
		];
		let is_measured = self.options.iter().any(|option| option == MEASURED[0]);
		let silent = (!is_measured).then(|| "--no-prometheus".to_string());
		let args = self.role.iter().chain(&args).chain(&silent).chain(&self.options);
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

	/// The folder with its chain and its keys.
	pub fn base(&self) -> PathBuf {
		self.base.clone()
	}

	/// The address of its RPC.
	pub fn url(&self) -> String {
		format!("ws://127.0.0.1:{}", self.rpc_port)
	}

	/// What Prometheus would read now, of a node of [`Fleet::start_measured`](crate::Fleet::start_measured). Empty as long as
	/// nobody can read it.
	pub fn scrape(&self) -> String {
		let log = self.log();
		let mut places = log.lines().filter_map(|line| line.split_once(METRICS_ARE_AT));
		let Some((_, place)) = places.next_back() else { return String::new() };
		let url = format!("http://{}/metrics", place.trim());
		let read = run(Path::new("/usr/bin/curl"), ["-s", &url]);
		String::from_utf8(read.stdout).expect("figures are text")
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

/// What a made-up account begins with, in the smallest unit: ten thousand whole tokens.
const ENDOWMENT: u64 = 10_000_000_000_000_000;

/// Gives tokens to so many [made-up accounts](crate::chaos::key_of) in the genesis of a plain specification.
pub(crate) fn endow(genesis: &mut Value, accounts: usize) {
	let balances = genesis["balances"]["balances"].as_array_mut().expect("a list of balances");
	let id = |number| key_of(number).verifying_key().to_bytes();
	balances.extend((0..accounts).map(|number| json!([address(&id(number)), ENDOWMENT])));
}

/// The specification in this JSON.
fn spec_of(json: &[u8]) -> Value {
	serde_json::from_slice(json).expect("a specification is JSON")
}

/// Writes a specification to a file of the workspace.
pub(crate) fn put_spec(workspace: &Workspace, name: &str, json: &[u8]) -> PathBuf {
	let path = workspace.join(name);
	std::fs::write(&path, json).expect("writes the chain specification");
	path
}

/// The raw specification of a chain that the node knows by name, but for what `alter` does to its genesis. Many tests make
/// the same of it.
pub(crate) fn altered_spec(
	workspace: &Workspace,
	chain: &str,
	alter: impl FnOnce(&mut Value),
) -> Vec<u8> {
	static ALTERED: Mutex<BTreeMap<String, Vec<u8>>> = Mutex::new(BTreeMap::new());
	let mut plain = spec_of(&build_spec(chain, false));
	alter(&mut plain["genesis"]["runtimeGenesis"]["patch"]);
	let plain = plain.to_string();
	let mut altered = ALTERED.lock().unwrap_or_else(PoisonError::into_inner);
	if let Some(raw) = altered.get(&plain) {
		return raw.clone();
	}
	let path = put_spec(workspace, "altered.json", plain.as_bytes());
	let raw = export_spec(&path.display().to_string(), true);
	altered.insert(plain, raw.clone());
	raw
}

/// The specification of a chain that the node knows by name, as it exports it: always the same.
fn build_spec(chain: &str, raw: bool) -> Vec<u8> {
	static KNOWN: Mutex<BTreeMap<(String, bool), Vec<u8>>> = Mutex::new(BTreeMap::new());
	let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
	known
		.entry((chain.into(), raw))
		.or_insert_with(|| export_spec(chain, raw))
		.clone()
}

fn export_spec(chain: &str, raw: bool) -> Vec<u8> {
	let raw = raw.then_some("--raw");
	let args = ["build-spec", "--chain", chain, "--disable-default-bootnode"];
	let exported = run(&binary("dpki-node"), args.into_iter().chain(raw));
	assert!(exported.status.success(), "{}", String::from_utf8_lossy(&exported.stderr));
	exported.stdout
}

/// The port in the line that begins with [`RPC_LISTENS`] and goes on with addresses and commas.
pub(crate) fn rpc_port(line: &str) -> Option<u16> {
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
