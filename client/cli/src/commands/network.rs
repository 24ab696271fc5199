//! `dpki network`: the nodes of a network, seen from outside.

use crate::{error::Result, output::Report, session::Session, values::NodeAddress};
use clap::Subcommand;
use futures::future::join_all;
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;
use subxt_rpcs::client::{RpcClient, RpcParams, rpc_params};
use tokio::time::timeout;

/// How long a node may take to answer everything.
const PATIENCE: Duration = Duration::from_secs(10);

/// The nodes of a network.
#[derive(Subcommand)]
#[command(after_help = "\
Example:
  dpki network status north=ws://10.0.0.1:9944 south=ws://10.0.0.2:9944

`dpki-node network` makes the keys and the chain specification of a new network.")]
pub enum NetworkCommand {
	/// Show how far nodes are, how much their finality is behind, and how many peers they have
	///
	/// Exit code 0 if all of them answer, are of one chain, are synchronised, have peers and finalise; 3 otherwise.
	#[command(after_help = "\
Examples:
  dpki network status
  dpki network status north=ws://10.0.0.1:9944 south=ws://10.0.0.2:9944 --json")]
	Status {
		/// Nodes, as URL or NAME=URL; that of --url if left out
		#[arg(value_name = "NODE")]
		nodes: Vec<NodeAddress>,
		/// By how many blocks the finalised one may be behind the best one
		#[arg(long, value_name = "BLOCKS", default_value_t = 10)]
		max_lag: u64,
	},
}

impl NetworkCommand {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		let Self::Status { mut nodes, max_lag } = self;
		if nodes.is_empty() {
			nodes.push(NodeAddress { name: session.url().into(), url: session.url().into() });
		}
		let asked = join_all(nodes.into_iter().map(Node::ask)).await;
		Ok(report(&asked, max_lag))
	}
}

/// What a node says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answers {
	/// The hash of its first block.
	pub genesis: String,
	/// Whether it makes blocks.
	pub is_validator: bool,
	/// Whether it is behind its peers, by its own judgement.
	pub is_syncing: bool,
	/// How many peers it has.
	pub peers: u64,
	/// Its best block.
	pub best: u64,
	/// Its newest finalised block.
	pub finalized: u64,
	/// The hash of that.
	pub finalized_hash: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Health {
	peers: u64,
	is_syncing: bool,
}

impl Answers {
	/// Asks a node. The error is a sentence about what it did not answer.
	pub async fn of(rpc: &RpcClient) -> Result<Self, String> {
		let health: Health = ask(rpc, "system_health", rpc_params![]).await?;
		let roles: Vec<String> = ask(rpc, "system_nodeRoles", rpc_params![]).await?;
		let finalized_hash: String = ask(rpc, "chain_getFinalizedHead", rpc_params![]).await?;
		Ok(Self {
			genesis: ask(rpc, "chain_getBlockHash", rpc_params![0]).await?,
			is_validator: roles.iter().any(|role| role == "Authority"),
			is_syncing: health.is_syncing,
			peers: health.peers,
			finalized: number(rpc, rpc_params![finalized_hash.clone()]).await?,
			finalized_hash,
			// After the finalised one, which then is not the higher of the two.
			best: number(rpc, rpc_params![]).await?,
		})
	}

	/// By how many blocks finality is behind.
	pub fn lag(&self) -> u64 {
		self.best.saturating_sub(self.finalized)
	}
}

async fn number(rpc: &RpcClient, block: RpcParams) -> Result<u64, String> {
	let header: Value = ask(rpc, "chain_getHeader", block).await?;
	let digits = header["number"].as_str().and_then(|number| number.strip_prefix("0x"));
	digits
		.and_then(|digits| u64::from_str_radix(digits, 16).ok())
		.ok_or_else(|| "its block has no number".into())
}

/// One request; the error is a sentence.
pub async fn ask<T: for<'json> Deserialize<'json>>(
	rpc: &RpcClient,
	method: &str,
	params: RpcParams,
) -> Result<T, String> {
	rpc.request(method, params).await.map_err(|error| format!("{method}: {error}"))
}

/// A connection to a node.
pub async fn connect(url: &str) -> Result<RpcClient, String> {
	match timeout(PATIENCE, RpcClient::from_insecure_url(url)).await {
		Ok(connected) => connected.map_err(|error| error.to_string()),
		Err(_) => Err(format!("it did not answer within {} s", PATIENCE.as_secs())),
	}
}

/// A node and what it says, or why it says nothing.
struct Node {
	address: NodeAddress,
	answers: Result<Answers, String>,
}

impl Node {
	async fn ask(address: NodeAddress) -> Self {
		let asking = async { Answers::of(&connect(&address.url).await?).await };
		let answers = match timeout(PATIENCE, asking).await {
			Ok(answers) => answers,
			Err(_) => Err(format!("it did not answer within {} s", PATIENCE.as_secs())),
		};
		Self { address, answers }
	}

	/// What is wrong with it, in a network with this genesis.
	fn problem(&self, genesis: Option<&str>, max_lag: u64) -> Option<String> {
		let answers = match &self.answers {
			Err(reason) => return Some(format!("no answer ({reason})")),
			Ok(answers) => answers,
		};
		if genesis.is_some_and(|genesis| genesis != answers.genesis) {
			Some("another chain than the first node".into())
		} else if answers.peers == 0 {
			Some("no peers".into())
		} else if answers.is_syncing {
			Some("synchronising".into())
		} else if answers.finalized == 0 {
			Some("nothing finalised".into())
		} else if answers.lag() > max_lag {
			Some(format!("finality is {} blocks behind", answers.lag()))
		} else {
			None
		}
	}
}

fn report(nodes: &[Node], max_lag: u64) -> Report {
	let genesis = nodes.iter().find_map(|node| node.answers.as_ref().ok());
	let genesis = genesis.map(|answers| answers.genesis.as_str());
	let judged: Vec<_> = nodes.iter().map(|node| (node, node.problem(genesis, max_lag))).collect();
	let troubled = judged.iter().filter(|(_, problem)| problem.is_some()).count();
	let sentence = match troubled {
		0 => format!("All {} nodes are well", nodes.len()),
		_ => format!("{troubled} of {} nodes are not well", nodes.len()),
	};
	let width = nodes.iter().map(|node| node.address.name.len()).max().unwrap_or(0).max(4);
	let mut report = Report::new()
		.checked(troubled == 0, sentence)
		.data("healthy", troubled == 0)
		.data("genesis", genesis)
		.tail(format!(
			"  {:width$}  {:9}  {:>9}  {:>9}  {:>4}  {:>5}  state",
			"node", "role", "best", "finalised", "lag", "peers"
		));
	for (node, problem) in &judged {
		let state = problem.as_deref().unwrap_or("ok");
		let name = &node.address.name;
		report = report.tail(match &node.answers {
			Ok(it) => format!(
				"  {name:width$}  {:9}  {:>9}  {:>9}  {:>4}  {:>5}  {state}",
				role(it),
				it.best,
				it.finalized,
				it.lag(),
				it.peers
			),
			Err(_) => format!(
				"  {name:width$}  {:9}  {:>9}  {:>9}  {:>4}  {:>5}  {state}",
				"-", "-", "-", "-", "-"
			),
		});
	}
	report
		.data("nodes", judged.iter().map(|(node, problem)| row(node, problem)).collect::<Vec<_>>())
}

fn role(answers: &Answers) -> &'static str {
	if answers.is_validator { "validator" } else { "full" }
}

fn row(node: &Node, problem: &Option<String>) -> Value {
	let NodeAddress { name, url } = &node.address;
	let mut row = json!({ "name": name, "url": url, "problem": problem });
	if let Ok(answers) = &node.answers {
		row["genesis"] = json!(answers.genesis);
		row["role"] = json!(role(answers));
		row["peers"] = json!(answers.peers);
		row["best"] = json!(answers.best);
		row["finalized"] = json!(answers.finalized);
		row["finalized_hash"] = json!(answers.finalized_hash);
		row["lag"] = json!(answers.lag());
		row["syncing"] = json!(answers.is_syncing);
	}
	row
}

#[cfg(test)]
mod tests {
	use super::*;

	fn node(name: &str, change: impl FnOnce(&mut Answers)) -> Node {
		let mut answers = Answers {
			genesis: "0x01".into(),
			is_validator: true,
			is_syncing: false,
			peers: 4,
			best: 12,
			finalized: 11,
			finalized_hash: "0x02".into(),
		};
		change(&mut answers);
		Node {
			address: NodeAddress { name: name.into(), url: "ws://x".into() },
			answers: Ok(answers),
		}
	}

	#[test]
	fn a_network_is_well_if_each_node_is() {
		let well = report(&[node("north", |_| ()), node("full", |it| it.is_validator = false)], 10);
		let json = well.to_json();
		assert_eq!((&json["healthy"], &json["genesis"]), (&json!(true), &json!("0x01")));
		assert_eq!(json["nodes"][1]["role"], "full");
		assert_eq!(json["nodes"][0]["lag"], 1);
		assert_eq!(well.exit_code(), 0);
	}

	#[test]
	fn each_trouble_is_named_and_one_is_enough() {
		let troubles: [(fn(&mut Answers), &str); 5] = [
			(|it| it.genesis = "0x03".into(), "another chain"),
			(|it| it.peers = 0, "no peers"),
			(|it| it.is_syncing = true, "synchronising"),
			(|it| (it.best, it.finalized) = (3, 0), "nothing finalised"),
			(|it| it.best = 40, "29 blocks behind"),
		];
		for (trouble, word) in troubles {
			let told = report(&[node("north", |_| ()), node("south", trouble)], 10);
			let json = told.to_json();
			let problem = json["nodes"][1]["problem"].as_str().unwrap().to_owned();
			assert!(problem.contains(word), "{problem}");
			assert_eq!(
				(&json["healthy"], &json["nodes"][0]["problem"]),
				(&json!(false), &Value::Null)
			);
			assert_eq!(told.exit_code(), crate::output::EXIT_NOT_VALID);
		}
	}

	#[test]
	fn a_node_that_is_silent_is_in_the_list() {
		let mut silent = node("south", |_| ());
		silent.answers = Err("connection refused".into());
		let json = report(&[silent, node("north", |_| ())], 10).to_json();
		assert_eq!(json["genesis"], "0x01");
		assert_eq!(json["nodes"][0]["problem"], "no answer (connection refused)");
	}
}
