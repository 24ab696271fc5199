//! Hurts a consortium of four validators on this machine, and tells how it took it.
//!
//! `scripts/bench chaos` runs all of it. Each scenario has a network of its own, which ends with it; what was borrowed of the
//! machine (namespaces, mounts) is given back even if this program is killed.

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

fn main() -> ExitCode {
	let arguments = Arguments::parse();
	let scenarios = if arguments.scenarios.is_empty() {
		Scenario::value_variants().to_vec()
	} else {
		arguments.scenarios.clone()
	};
	let mut figures = Figures::default();
	for scenario in scenarios {
		eprintln!("== {scenario:?}");
		match run(scenario, &arguments) {
			Ok(found) => figures.join(found),
			Err(reason) => figures.remark(format!("{scenario:?} was not tried: {reason}")),
		}
		if let Some(path) = &arguments.json {
			let text = format!("{:#}\n", figures.json());
			if let Err(error) = std::fs::write(path, text) {
				eprintln!("{} cannot be written: {error}", path.display());
				return ExitCode::FAILURE;
			}
		}
	}
	for figure in figures.missed() {
		eprintln!("missed: {} is {} {}", figure.id, figure.value, figure.unit);
	}
	if figures.missed().is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// One scenario on a network of its own. The error is why it is impossible here.
fn run(scenario: Scenario, arguments: &Arguments) -> Result<Figures, String> {
	let time = Duration::from_secs(arguments.time);
	let workspace = Workspace::new(&format!("chaos-{scenario:?}").to_lowercase());
	let options = Options {
		apart: matches!(scenario, Scenario::Partition | Scenario::Slow),
		accounts: if scenario == Scenario::Load { arguments.transactions } else { 4 },
		node: arguments.node.clone(),
	};
	let mut consortium = Consortium::start(&workspace, &options)?;
	let network = &mut consortium;
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
			figures.join(load::flood(network, 0, count, load::Sending::Once));
		},
		Scenario::Abuse => {
			let (rpc, peers) = (network.rpc(0), network.node(0).peer_address());
			let other = network.rpc(1);
			figures.join(abuse::all(rpc, peers, other, arguments.invalid, 1_000, 15));
		},
	}
	if scenario == Scenario::Slow {
		let found = consortium.history.check();
		assert!(found.is_empty(), "{found:?}");
	} else {
		consortium.conclude();
	}
	Ok(figures)
}
