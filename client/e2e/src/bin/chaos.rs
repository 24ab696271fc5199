//! Hurts a consortium of four validators on this machine, and tells how it took it.
//!
//! `scripts/bench chaos` runs all of it, on two networks: one on loopback, and one with a network namespace for each node for
//! what takes cables. What was borrowed of the machine (namespaces, mounts) is given back even if this program is killed.
//!
//! The nodes are the program `dpki-node` beside this one, or the one that the variable `DPKI_NODE` names, such as one that was
//! built with RocksDB and is started with `-- --database rocksdb`.

use clap::{Parser, ValueEnum};
use dpki_e2e::{
	Workspace,
	chaos::{Consortium, Figures, Options, abuse, crash, faults, load},
};
use std::{path::PathBuf, process::ExitCode, time::Duration};

#[derive(Parser)]
#[command(
	about = "Hurts a consortium of four validators on this machine, and tells how it took it"
)]
struct Arguments {
	/// What is done to it; nothing means everything.
	scenarios: Vec<Scenario>,

	/// How long each fault lasts, in seconds.
	#[arg(long, value_name = "SECONDS", default_value_t = 30)]
	time: u64,

	/// How often all validators are killed.
	#[arg(long, value_name = "COUNT", default_value_t = 100)]
	rounds: u64,

	/// How many transactions are sent at once.
	#[arg(long, value_name = "COUNT", default_value_t = 12_000)]
	transactions: usize,

	/// How many invalid transactions are sent.
	#[arg(long, value_name = "COUNT", default_value_t = 50_000)]
	invalid: usize,

	/// Write the figures to this file, as `scripts/bench` reads them.
	#[arg(long, value_name = "FILE")]
	json: Option<PathBuf>,

	/// Options of every node, such as `--database rocksdb`.
	#[arg(last = true)]
	node: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Scenario {
	/// One and two of four are killed, one is stopped.
	Kill,
	/// The network is cut, 3 to 1 and 2 to 2. Takes root.
	Partition,
	/// 200 ms and 5 % loss on every cable. Takes root.
	Slow,
	/// The clock of one is five seconds ahead, and behind. Takes libfaketime.
	Clock,
	/// The disk of one is full. Takes root.
	Disk,
	/// All are killed at once, right after a client was told that something is final.
	Crash,
	/// More transactions than there is room for.
	Load,
	/// Malformed, oversized and unsafe requests, invalid transactions, floods of connections.
	Abuse,
}

impl Scenario {
	/// Whether each node needs a network namespace of its own.
	fn takes_cables(self) -> bool {
		matches!(self, Scenario::Partition | Scenario::Slow)
	}
}

/// The accounts before those that load the network: of whoever revokes, and of those who are honest.
const OTHER_ACCOUNTS: usize = 3;

fn main() -> ExitCode {
	let arguments = Arguments::parse();
	let asked = |it: &Scenario| arguments.scenarios.is_empty() || arguments.scenarios.contains(it);
	let scenarios: Vec<_> =
		Scenario::value_variants().iter().copied().filter(|it| asked(it)).collect();
	let mut figures = Figures::default();
	for apart in [false, true] {
		let here: Vec<_> =
			scenarios.iter().copied().filter(|it| it.takes_cables() == apart).collect();
		if here.is_empty() {
			continue;
		}
		if let Err(reason) = run(&here, apart, &arguments, &mut figures) {
			figures.remark(format!("not tried: {here:?}: {reason}"));
		}
	}
	for figure in figures.missed() {
		eprintln!("missed: {} is {} {}", figure.id, figure.value, figure.unit);
	}
	if figures.missed().is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Scenarios on one network, in their order. The error is why it is impossible here.
fn run(
	scenarios: &[Scenario],
	apart: bool,
	arguments: &Arguments,
	figures: &mut Figures,
) -> Result<(), String> {
	let workspace = Workspace::new(if apart { "chaos-apart" } else { "chaos" });
	let loaded = scenarios.contains(&Scenario::Load);
	let accounts = OTHER_ACCOUNTS + if loaded { arguments.transactions } else { 0 };
	let options = Options { apart, accounts, node: arguments.node.clone() };
	let mut network = Consortium::start(&workspace, &options)?;
	for scenario in scenarios {
		eprintln!("== {scenario:?}");
		figures.join(hurt(*scenario, &mut network, arguments));
		if let Some(path) = &arguments.json {
			let text = format!("{:#}\n", figures.json());
			std::fs::write(path, text).expect("writes the figures");
		}
	}
	// Those with slow cables have none any more, and were asked before.
	if !scenarios.contains(&Scenario::Slow) {
		network.look_back();
	}
	let found = network.history.check();
	assert!(found.is_empty(), "{found:?}");
	eprintln!("{} things were told, and none contradicts another", network.history.len());
	Ok(())
}

fn hurt(scenario: Scenario, network: &mut Consortium, arguments: &Arguments) -> Figures {
	let time = Duration::from_secs(arguments.time);
	let mut figures = Figures::default();
	match scenario {
		Scenario::Kill => {
			figures.join(faults::kill_one(network, time));
			figures.join(faults::kill_two(network, time));
			figures.join(faults::freeze_one(network, time));
		},
		Scenario::Partition => {
			figures.join(faults::partition_3_1(network, time));
			figures.join(faults::partition_2_2(network, time));
		},
		Scenario::Slow => figures.join(faults::slow_and_lossy(network, time)),
		Scenario::Clock => {
			figures.join(faults::wrong_clock(network, 5, time));
			figures.join(faults::wrong_clock(network, -5, time));
		},
		Scenario::Disk => figures.join(faults::full_disk(network, time)),
		Scenario::Crash => {
			let registry = crash::Registry::found(network);
			figures.join(crash::kill_all(network, &registry, arguments.rounds));
		},
		Scenario::Load => {
			let count = arguments.transactions;
			figures.join(load::flood(network, OTHER_ACCOUNTS, count, load::Sending::Once));
		},
		Scenario::Abuse => {
			let node = network.node(0);
			abuse::insert_session_keys(node.base(), node.spec());
			let target = abuse::Target {
				rpc: node.rpc(),
				peers: node.peer_address(),
				secrets: abuse::secrets_of(node.base()),
				other: network.rpc(1),
			};
			figures.join(abuse::all(target, arguments.invalid, 1_000, 15));
		},
	}
	figures
}
