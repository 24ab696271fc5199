//! `dpki node join`: a list of what is done and what is next, each line checked.

use super::{
	spec::{self, Spec},
	standing::Standing,
};
use crate::{
	commands::network::{self, Answers, ask},
	error::Result,
	output::{Report, hex},
	session::Session,
	values::Member,
};
use dpki_client::{AccountId, account};
use futures::future::join_all;
use serde_json::json;
use std::{path::Path, time::Duration};
use subxt_rpcs::client::{RpcClient, rpc_params};
use tokio::{net::TcpStream, time::timeout};

/// How long a boot node may take to accept a connection.
const REACH_TIMEOUT: Duration = Duration::from_secs(5);

/// By how many blocks a synchronised node's finality may be behind its best block.
const MAX_LAG: u64 = 32;

/// A line of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Step {
	/// What it is about, in one word.
	name: &'static str,
	/// What was found.
	found: String,
	/// What is to be done; nothing if it is done.
	next: Option<String>,
}

impl Step {
	fn done(name: &'static str, found: impl Into<String>) -> Self {
		Self { name, found: found.into(), next: None }
	}

	fn open(name: &'static str, found: impl Into<String>, next: impl Into<String>) -> Self {
		Self { name, found: found.into(), next: Some(next.into()) }
	}

	fn check(
		name: &'static str,
		is_done: bool,
		found: impl Into<String>,
		next: impl Into<String>,
	) -> Self {
		if is_done { Self::done(name, found) } else { Self::open(name, found, next) }
	}
}

/// Runs the command.
pub async fn run(session: &Session, path: &Path, validator: Option<Member>) -> Result<Report> {
	let spec = Spec::read(path)?;
	let validator = session.whose(validator)?;
	let reachable = reach(&spec.boot_nodes).await;
	let mut steps = vec![
		Step::done("specification", format!("chain {}, genesis {}", spec.id, hex(&spec.genesis))),
		boot_nodes(&spec.boot_nodes, &reachable),
	];
	steps.extend(node(session, &spec, path, &validator).await);
	Ok(report(&steps, &spec, &validator))
}

/// Those of the boot nodes that accept connections.
async fn reach(boot_nodes: &[String]) -> Vec<String> {
	let attempts = boot_nodes.iter().map(|node| async move {
		let (host, port) = spec::socket(node)?;
		let connected = timeout(REACH_TIMEOUT, TcpStream::connect((host.as_str(), port))).await;
		matches!(connected, Ok(Ok(_))).then(|| node.clone())
	});
	join_all(attempts).await.into_iter().flatten().collect()
}

fn boot_nodes(all: &[String], reachable: &[String]) -> Step {
	let name = "boot nodes";
	if all.is_empty() {
		let next =
			"ask the operators for the address of a node, and start yours with --bootnodes ADDRESS";
		return Step::open(name, "the specification names none", next);
	}
	let found = format!("{} of {} accept connections", reachable.len(), all.len());
	let next = "check the firewall and the names, and ask their operators whether they run";
	Step::check(name, !reachable.is_empty(), found, next)
}

/// The steps that the node itself has to be asked about; the list ends where the rest could not be told.
async fn node(session: &Session, spec: &Spec, path: &Path, validator: &AccountId) -> Vec<Step> {
	let mut steps = Vec::new();
	let started = format!(
		"make its key with `dpki-node key generate-node-key --chain {0} --base-path FOLDER`, then start it with \
		 `dpki-node --chain {0} --base-path FOLDER --validator`",
		path.display()
	);
	if !session.is_local() {
		let next = "run this on the computer of the node, with --url ws://127.0.0.1:PORT: its unsafe methods must \
		            not be open to others";
		return vec![Step::open("node", format!("{} is elsewhere", session.url()), next)];
	}
	let rpc = match network::connect(session.url()).await {
		Ok(rpc) => rpc,
		Err(reason) => {
			let found = format!("none answers at {} ({reason})", session.url());
			return vec![Step::open("node", found, started)];
		},
	};
	let (peer, answers) = match answers(&rpc).await {
		Ok(answers) => answers,
		Err(reason) => return vec![Step::open("node", reason, started)],
	};
	steps.push(Step::done("node", format!("{peer} runs, which is its name among the peers")));
	let genesis = hex(&spec.genesis);
	let is_same = answers.genesis == genesis;
	let next = format!(
		"stop it, check that {} is what the operators gave you, and start it with that and an empty --base-path",
		path.display()
	);
	steps.push(Step::check("chain", is_same, format!("its genesis is {}", answers.genesis), next));
	if !is_same {
		return steps;
	}
	steps.extend(on_its_way(&answers));
	let standing = match Standing::read(&rpc, validator, &answers.finalized_hash).await {
		Ok(standing) => standing,
		Err(reason) => {
			steps.push(Step::open("session keys", reason, "update this program or the node"));
			return steps;
		},
	};
	let held = match &standing.keys {
		Some(keys) => {
			Some(ask::<bool>(&rpc, "author_hasSessionKeys", rpc_params![hex(keys)]).await)
		},
		None => None,
	};
	steps.extend(on_the_chain(&standing, held));
	steps
}

async fn answers(rpc: &RpcClient) -> Result<(String, Answers), String> {
	let peer = ask(rpc, "system_localPeerId", rpc_params![]).await?;
	Ok((peer, Answers::of(rpc).await?))
}

/// What the node does by itself once it is started rightly.
fn on_its_way(answers: &Answers) -> Vec<Step> {
	let role = if answers.is_validator { "started as a validator" } else { "a full node" };
	let peers = match answers.peers {
		1 => "1 peer".to_owned(),
		peers => format!("{peers} peers"),
	};
	let is_synchronised = !answers.is_syncing && answers.finalized > 0 && answers.lag() <= MAX_LAG;
	let height = format!("best block {}, finalised {}", answers.best, answers.finalized);
	vec![
		Step::check("role", answers.is_validator, role, "start it with --validator"),
		Step::check(
			"peers",
			answers.peers > 0,
			peers,
			"check that its p2p port is open, or name a node with --bootnodes ADDRESS",
		),
		Step::check(
			"synchronised",
			is_synchronised && answers.peers > 0,
			height,
			"wait and run this again; it goes on as long as the best block grows",
		),
	]
}

/// What people do: register the keys, and vote. `held` says whether the node has the private halves of the registered
/// keys, if there are any, or why that could not be asked.
fn on_the_chain(standing: &Standing, held: Option<Result<bool, String>>) -> Vec<Step> {
	let rotate = "run `dpki node rotate-keys --account FILE` on the node's computer";
	let registered = match standing.keys {
		Some(keys) => Step::done("session keys", format!("registered: {}", hex(&keys))),
		None => Step::open(
			"session keys",
			"none are registered",
			format!("once the council has admitted the account as a validator, {rotate}"),
		),
	};
	let held = match held {
		None => {
			Step::open("private keys", "of none that are registered", "register session keys first")
		},
		Some(Ok(held)) => Step::check(
			"private keys",
			held,
			if held { "this node has them" } else { "this node does not have them" },
			format!(
				"if they are lost, {rotate}; if another node has them, never run both with the same keys"
			),
		),
		Some(Err(reason)) => Step::open(
			"private keys",
			reason,
			"give the RPC port that listens on loopback, and start the node without --rpc-methods safe",
		),
	};
	let set = match (standing.serves, standing.will_serve) {
		(true, _) => Step::done("validator set", "it serves in this session"),
		(false, true) => Step::open(
			"validator set",
			"it will serve in the next session",
			"nothing: wait for the next session and run this again",
		),
		(false, false) => Step::open(
			"validator set",
			"it is not in the set",
			"have the council vote on it (`dpki motion list --open`); a vote counts from the session after next on",
		),
	};
	vec![registered, held, set]
}

fn report(steps: &[Step], spec: &Spec, validator: &AccountId) -> Report {
	let open = steps.iter().filter(|step| step.next.is_some()).count();
	let width = steps.iter().map(|step| step.name.len()).max().unwrap_or(0);
	let sentence = match open {
		0 => "This node is a validator of the network".to_owned(),
		1 => "One step is left".to_owned(),
		_ => format!("{open} steps are left"),
	};
	let lines = steps.iter().flat_map(|step| {
		let mark = if step.next.is_none() { "ok  " } else { "next" };
		let line = format!("  {mark}  {:width$}  {}", step.name, step.found);
		[Some(line), step.next.as_ref().map(|next| format!("        {:width$}  -> {next}", ""))]
	});
	let told: Vec<_> = steps
		.iter()
		.map(
			|it| json!({ "step": it.name, "done": it.next.is_none(), "found": it.found, "next": it.next }),
		)
		.collect();
	let report = Report::new()
		.checked(open == 0, sentence)
		.data("done", open == 0)
		.data("chain", spec.id.clone())
		.data("genesis_hash", hex(&spec.genesis))
		.data("validator", account::address(validator))
		.data("steps", told);
	lines.flatten().fold(report, Report::tail)
}

#[cfg(test)]
mod tests {
	use super::*;

	fn spec() -> Spec {
		Spec { id: "acme".into(), genesis: [1; 32], boot_nodes: Vec::new() }
	}

	fn answers() -> Answers {
		Answers {
			genesis: hex(&[1; 32]),
			is_validator: true,
			is_syncing: false,
			peers: 3,
			best: 101,
			finalized: 100,
			finalized_hash: hex(&[2; 32]),
		}
	}

	fn open(steps: &[Step]) -> Vec<&'static str> {
		steps.iter().filter(|step| step.next.is_some()).map(|step| step.name).collect()
	}

	#[test]
	fn a_node_that_runs_well_has_nothing_left_to_do_by_itself() {
		assert_eq!(open(&on_its_way(&answers())), [""; 0]);
		for (change, left) in [
			((|it| it.is_validator = false) as fn(&mut Answers), &["role"][..]),
			(|it| it.peers = 0, &["peers", "synchronised"]),
			(|it| it.is_syncing = true, &["synchronised"]),
			(|it| it.best = 200, &["synchronised"]),
			(|it| (it.best, it.finalized) = (0, 0), &["synchronised"]),
		] {
			let mut answers = answers();
			change(&mut answers);
			assert_eq!(open(&on_its_way(&answers)), left);
		}
	}

	#[test]
	fn keys_and_votes_are_told_in_their_order() {
		let none = Standing { keys: None, serves: false, will_serve: false };
		let steps = on_the_chain(&none, None);
		assert_eq!(open(&steps), ["session keys", "private keys", "validator set"]);
		assert!(steps[0].next.as_ref().unwrap().contains("rotate-keys"));
		assert!(steps[2].next.as_ref().unwrap().contains("council"));

		let registered = Standing { keys: Some([7; 64]), ..none };
		assert_eq!(open(&on_the_chain(&registered, Some(Ok(true)))), ["validator set"]);
		let elsewhere = on_the_chain(&registered, Some(Ok(false)));
		assert!(elsewhere[1].next.as_ref().unwrap().contains("never run both"));
		let closed = on_the_chain(&registered, Some(Err("RPC call is unsafe".into())));
		assert!(closed[1].next.as_ref().unwrap().contains("loopback"));

		let soon = Standing { will_serve: true, ..registered.clone() };
		let soon = on_the_chain(&soon, Some(Ok(true)));
		assert!(soon[2].next.as_ref().unwrap().contains("wait"));
		let serves = Standing { serves: true, ..registered };
		assert_eq!(open(&on_the_chain(&serves, Some(Ok(true)))), [""; 0]);
	}

	#[test]
	fn boot_nodes_are_counted_by_who_answers() {
		let all = ["a".to_owned(), "b".to_owned()];
		assert_eq!(boot_nodes(&all, &all[..1]).next, None);
		assert!(boot_nodes(&all, &[]).next.unwrap().contains("firewall"));
		assert!(boot_nodes(&[], &[]).next.unwrap().contains("--bootnodes"));
	}

	#[test]
	fn the_exit_code_says_whether_all_is_done() {
		let done = report(&[Step::done("node", "runs")], &spec(), &[3; 32]);
		assert_eq!((done.exit_code(), &done.to_json()["done"]), (0, &json!(true)));
		let steps = [Step::done("node", "runs"), Step::open("peers", "none", "wait")];
		let left = report(&steps, &spec(), &[3; 32]);
		assert_eq!(left.exit_code(), crate::output::EXIT_NOT_VALID);
		let told = left.to_json();
		assert_eq!(
			told["steps"][1],
			json!({ "step": "peers", "done": false, "found": "none", "next": "wait" })
		);
	}
}
