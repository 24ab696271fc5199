//! Validators on this machine, with a chain made for the occasion.

use crate::{
	Result,
	processes::{cpu_time, ticks_per_second},
};
use dpki_client::{AccountId, account::address};
use serde_json::{Value, json};
use std::{
	fs::{self, File},
	io::{BufRead, BufReader, Write},
	net::SocketAddr,
	path::{Path, PathBuf},
	process::{Child, Command, Stdio},
	sync::mpsc,
	time::{Duration, Instant},
};
use subxt_rpcs::{RpcClient, client::rpc_params};

/// The well-known validators, in the order in which they come to serve.
pub const VALIDATORS: [&str; 4] = ["alice", "bob", "charlie", "dave"];

/// What the node says when its RPC listens; the addresses follow.
const RPC_LISTENS: &str = "Running JSON-RPC server: addr=";

/// How long a node may take to start. A genesis of a hundred thousand devices takes some seconds.
const PATIENCE: Duration = Duration::from_secs(300);

/// A chain that is to be.
pub struct Genesis {
	/// How many of [`VALIDATORS`] there are.
	pub validators: usize,
	/// Who begins with how much, beside the well-known accounts.
	pub endowed: Vec<(AccountId, u64)>,
	/// Entries of the state that are there from the beginning, beside what the pallets make.
	pub state: Vec<(Vec<u8>, Vec<u8>)>,
}

/// How nodes are started.
#[derive(Clone, Debug)]
pub struct Setup {
	/// The program.
	pub node: PathBuf,
	/// The program of every second validator, if it is another one.
	pub other: Option<PathBuf>,
	/// Where everything goes.
	pub folder: PathBuf,
	/// The processors that nodes may use.
	pub cores: String,
	/// Further options of every node.
	pub options: Vec<String>,
	/// Length of a slot in milliseconds.
	pub slot_ms: u64,
}

/// A running node. It ends with this.
pub struct Node {
	child: Child,
	/// Where its RPC is.
	pub url: String,
	/// A connection to it.
	pub rpc: RpcClient,
	/// Where it writes what it has to say.
	pub log: PathBuf,
}

/// Some validators that finalise together.
pub struct Network {
	/// They.
	pub nodes: Vec<Node>,
	ticks: u64,
}

impl Network {
	/// Starts the validators of a chain, and waits until it finalises.
	pub async fn start(setup: &Setup, name: &str, genesis: &Genesis) -> Result<Self> {
		let folder = setup.folder.join(name);
		fs::create_dir_all(&folder)?;
		let spec = setup.spec(&folder, genesis)?;
		let mut network = Self { nodes: Vec::new(), ticks: ticks_per_second()? };
		let mut boot = Vec::new();
		for (nth, validator) in VALIDATORS[..genesis.validators].iter().enumerate() {
			let program = setup.other.as_ref().filter(|_| nth % 2 == 1).unwrap_or(&setup.node);
			let node = setup.start(program, &folder, &spec, validator, &boot).await?;
			if boot.is_empty() {
				boot = vec!["--bootnodes".into(), node.peer_address().await?];
			}
			network.nodes.push(node);
		}
		network.wait_until_final(3).await?;
		Ok(network)
	}

	/// The processor time that all of them have taken.
	pub fn cpu_time(&self) -> Result<Duration> {
		self.nodes.iter().map(|node| cpu_time(node.child.id(), self.ticks)).sum()
	}

	/// The first of them.
	pub fn first(&self) -> &Node {
		&self.nodes[0]
	}

	async fn wait_until_final(&self, number: u64) -> Result<()> {
		let end = Instant::now() + PATIENCE;
		for node in &self.nodes {
			while node.finalized().await? < number {
				if Instant::now() > end {
					return Err(format!("nothing is final; see {}", node.log.display()).into());
				}
				tokio::time::sleep(Duration::from_millis(50)).await;
			}
		}
		Ok(())
	}
}

impl Node {
	/// The number of its newest finalised block.
	pub async fn finalized(&self) -> Result<u64> {
		let hash: Value = self.rpc.request("chain_getFinalizedHead", rpc_params![]).await?;
		let header: Value = self.rpc.request("chain_getHeader", rpc_params![hash]).await?;
		let number = header["number"].as_str().unwrap_or_default();
		Ok(u64::from_str_radix(number.trim_start_matches("0x"), 16)?)
	}

	async fn peer_address(&self) -> Result<String> {
		let all: Vec<String> =
			self.rpc.request("system_localListenAddresses", rpc_params![]).await?;
		let ours = all.into_iter().find(|address| address.starts_with("/ip4/127.0.0.1/tcp/"));
		ours.ok_or_else(|| "the node listens on no loopback address".into())
	}

	/// How long it took to make blocks, in milliseconds, of those with more than the inherent transaction: with how many
	/// transactions, and how long.
	pub fn proposals(&self) -> Result<Vec<(u64, u64)>> {
		let log = fs::read_to_string(&self.log)?;
		Ok(log.lines().filter_map(proposal).filter(|(count, _)| *count > 1).collect())
	}
}

/// Reads what the block author says of a block: `... at 7 (12 ms) ... extrinsics_count: 3 ...`.
fn proposal(line: &str) -> Option<(u64, u64)> {
	let (_, rest) = line.split_once("Prepared block for proposing at ")?;
	let (took, rest) = rest.split_once('(')?.1.split_once(" ms)")?;
	let count = rest.split_once("extrinsics_count: ")?.1;
	let digits: String = count.chars().take_while(char::is_ascii_digit).collect();
	Some((digits.parse().ok()?, took.parse().ok()?))
}

impl Drop for Node {
	fn drop(&mut self) {
		let _ = self.child.kill();
		let _ = self.child.wait();
	}
}

impl Setup {
	/// Writes the raw specification of a chain.
	fn spec(&self, folder: &Path, genesis: &Genesis) -> Result<PathBuf> {
		let mut plain = self.build_spec("local", false)?;
		alter(&mut plain["genesis"]["runtimeGenesis"]["patch"], genesis, self.slot_ms)?;
		let path = folder.join("plain.json");
		fs::write(&path, plain.to_string())?;
		let mut raw = self.build_spec(&path.display().to_string(), true)?;
		let top = raw["genesis"]["raw"]["top"].as_object_mut().ok_or("no raw genesis")?;
		for (key, value) in &genesis.state {
			let text = |bytes: &[u8]| format!("0x{}", hex::encode(bytes));
			top.insert(text(key), json!(text(value)));
		}
		let path = folder.join("spec.json");
		serde_json::to_writer(File::create(&path)?, &raw)?;
		Ok(path)
	}

	fn build_spec(&self, chain: &str, raw: bool) -> Result<Value> {
		let made = Command::new(&self.node)
			.args(["build-spec", "--chain", chain, "--disable-default-bootnode"])
			.args(raw.then_some("--raw"))
			.output()?;
		match made.status.success() {
			true => Ok(serde_json::from_slice(&made.stdout)?),
			false => Err(String::from_utf8_lossy(&made.stderr).trim().into()),
		}
	}

	async fn start(
		&self,
		program: &Path,
		folder: &Path,
		spec: &Path,
		validator: &str,
		options: &[String],
	) -> Result<Node> {
		let log = folder.join(format!("{validator}.log"));
		let mut file = File::create(&log)?;
		// The kernel ends the node with this program.
		let mut child = Command::new("setpriv")
			.args(["--pdeathsig", "KILL", "taskset", "-c", &self.cores])
			.arg(program)
			.arg("--chain")
			.arg(spec)
			.arg("--base-path")
			.arg(folder.join(validator))
			.arg(format!("--{validator}"))
			.args(["--rpc-port", "0", "--listen-addr", "/ip4/127.0.0.1/tcp/0", "--force-authoring"])
			.args(["--allow-private-ip", "--no-mdns", "--no-prometheus", "--no-telemetry"])
			.args(["--unsafe-force-node-key-generation", "--rpc-max-response-size", "64"])
			.args(options)
			.args(&self.options)
			.stdin(Stdio::null())
			.stdout(Stdio::null())
			.stderr(Stdio::piped())
			.spawn()?;
		let said = child.stderr.take().ok_or("its error output is piped")?;
		let (sender, addresses) = mpsc::channel();
		std::thread::spawn(move || {
			for line in BufReader::new(said).lines().map_while(std::io::Result::ok) {
				let _ = writeln!(file, "{line}");
				if let Some(port) = rpc_port(&line) {
					let _ = sender.send(port);
				}
			}
		});
		let port = addresses.recv_timeout(PATIENCE);
		let Ok(port) = port else {
			let _ = child.kill();
			let _ = child.wait();
			return Err(format!("the node did not start; see {}", log.display()).into());
		};
		let url = format!("ws://127.0.0.1:{port}");
		let rpc = RpcClient::from_url(&url).await?;
		Ok(Node { child, url, rpc, log })
	}
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

/// Makes the chain of four validators one of so many, and endows accounts.
fn alter(patch: &mut Value, genesis: &Genesis, slot_ms: u64) -> Result<()> {
	let list = |patch: &mut Value, place: &str| -> Result<Vec<Value>> {
		let list = patch.pointer_mut(place).and_then(Value::as_array_mut);
		Ok(list.ok_or_else(|| format!("no {place} in the genesis"))?.clone())
	};
	let mut keys = list(patch, "/session/keys")?;
	if genesis.validators == 0 || genesis.validators > keys.len() {
		return Err(format!("there are one to {} validators", keys.len()).into());
	}
	keys.truncate(genesis.validators);
	let members: Vec<_> = keys.iter().map(|entry| entry[0].clone()).collect();
	let mut balances = list(patch, "/balances/balances")?;
	balances.extend(
		genesis
			.endowed
			.iter()
			.map(|(account, amount)| json!([address(account), amount])),
	);
	patch["session"]["keys"] = keys.into();
	patch["councilMembership"]["members"] = members.into();
	patch["validatorSet"]["minimum"] = 1.into();
	patch["timing"]["slotDuration"] = slot_ms.into();
	patch["balances"]["balances"] = balances.into();
	Ok(())
}

#[cfg(test)]
mod tests {
	use super::*;

	fn patch() -> Value {
		let keys: Vec<_> = ["a", "b", "c", "d"].iter().map(|it| json!([it, it, {}])).collect();
		json!({
			"session": { "keys": keys },
			"councilMembership": { "members": ["a", "b", "c", "d"] },
			"validatorSet": { "minimum": 3, "maximum": 100 },
			"balances": { "balances": [["a", 1]] },
		})
	}

	#[test]
	fn a_genesis_has_as_many_validators_as_asked_for() {
		let mut altered = patch();
		let endowed = vec![([1; 32], 5)];
		alter(&mut altered, &Genesis { validators: 2, endowed, state: vec![] }, 500).unwrap();
		assert_eq!(altered["timing"]["slotDuration"], 500);
		assert_eq!(altered["session"]["keys"].as_array().unwrap().len(), 2);
		assert_eq!(altered["councilMembership"]["members"], json!(["a", "b"]));
		assert_eq!(altered["validatorSet"], json!({ "minimum": 1, "maximum": 100 }));
		assert_eq!(altered["balances"]["balances"][1], json!([address(&[1; 32]), 5]));
	}

	#[test]
	fn a_genesis_of_another_form_is_refused() {
		let genesis = |validators| Genesis { validators, endowed: vec![], state: vec![] };
		assert!(alter(&mut patch(), &genesis(0), 1_000).is_err());
		assert!(alter(&mut patch(), &genesis(5), 1_000).is_err());
		assert!(alter(&mut json!({}), &genesis(1), 1_000).is_err());
	}

	#[test]
	fn the_log_tells_how_long_a_block_took() {
		let line = "2026-11-22 01:02:03 🎁 Prepared block for proposing at 7 (332 ms) hash: 0xab; parent_hash: 0xcd; end: NoMoreTransactions; extrinsics_count: 1949";
		assert_eq!(proposal(line), Some((1949, 332)));
		assert_eq!(proposal("Imported #7"), None);
		assert_eq!(
			rpc_port("x Running JSON-RPC server: addr=127.0.0.1:40001,[::1]:2"),
			Some(40001)
		);
		assert_eq!(rpc_port("x"), None);
	}
}
