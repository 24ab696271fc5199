//! `dpki-bench`: load for the chain, for `scripts/bench`. Each part starts validators of its own, measures, and prints the
//! list of its metrics.
//!
//! Transactions are signed before the clock starts and sent by few threads; what this program takes of the processors is
//! told beside what the validators take. Only finalised blocks count.

#![forbid(unsafe_code)]

mod device;
mod follow;
mod load;
mod nodes;
mod odd;
mod parts;
mod processes;
mod report;
mod send;
mod statistics;
mod world;

use clap::{Args, Parser, Subcommand};
use nodes::{Setup, VALIDATORS};
use parts::{backends, batch, fleet, growth, latency, own};
use report::Metric;
use serde_json::Value;
use std::{error::Error, path::PathBuf, process::ExitCode};

/// Result of everything in this program.
pub type Result<T, E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

/// Load for the device PKI chain: what it finalises in a second, and what that costs.
#[derive(Parser)]
#[command(name = "dpki-bench")]
struct Cli {
	#[command(flatten)]
	common: Common,
	#[command(subcommand)]
	part: Part,
}

/// What all parts need.
#[derive(Args)]
struct Common {
	/// The program of the node
	#[arg(long, value_name = "FILE")]
	node: PathBuf,
	/// An empty folder
	#[arg(long, value_name = "DIR")]
	folder: PathBuf,
	/// The processors that this program may use, such as 0 or 0-1; the nodes may use all
	#[arg(long, value_name = "LIST")]
	cores: Option<String>,
	/// Length of a slot in milliseconds
	#[arg(long, value_name = "MILLISECONDS", default_value_t = 1_000)]
	slot: u64,
	/// A further option of every node; several can be given
	#[arg(long, value_name = "OPTION", allow_hyphen_values = true)]
	node_option: Vec<String>,
}

/// What is measured.
#[derive(Subcommand)]
enum Part {
	/// Registrations in transactions of their own, beside transfers
	Own {
		/// Validators
		#[arg(long, default_value_t = 2)]
		validators: usize,
		/// Transactions of each kind in a run
		#[arg(long, default_value_t = 3_008)]
		count: u32,
		/// Runs
		#[arg(long, default_value_t = 5)]
		runs: u32,
		/// Transactions that may be accepted and not final
		#[arg(long, default_value_t = 3_008)]
		window: usize,
	},
	/// From submission to finality under light load
	Latency {
		/// Validators
		#[arg(long, default_value_t = 4)]
		validators: usize,
		/// Transactions in a run
		#[arg(long, default_value_t = 104)]
		count: u32,
		/// Runs
		#[arg(long, default_value_t = 5)]
		runs: u32,
	},
	/// Many keys under one signature, and what signatures take
	Batch {
		/// Validators
		#[arg(long, default_value_t = 4)]
		validators: usize,
		/// Transactions in a run, with 256 keys in each
		#[arg(long, default_value_t = 32)]
		count: u32,
		/// Transactions in a run that append keys to rolls, with 4,096 keys in each
		#[arg(long, default_value_t = 16)]
		rolls: u32,
		/// Runs
		#[arg(long, default_value_t = 5)]
		runs: u32,
	},
	/// Two validators that were compiled differently, with signatures over which verifiers differ
	Backends {
		/// The program of the second validator
		#[arg(long, value_name = "FILE")]
		other: PathBuf,
		/// Transactions with 1,024 good signatures each, and as many with a spoilt one
		#[arg(long, default_value_t = 32)]
		count: u32,
	},
	/// A fleet that is committed, watched, proven and revoked
	Fleet {
		/// Validators
		#[arg(long, default_value_t = 4)]
		validators: usize,
		/// Members
		#[arg(long, default_value_t = 1_000_000)]
		members: u32,
		/// How many are proven, and how many strangers are refused
		#[arg(long, default_value_t = 1_000)]
		samples: u32,
		/// The command line program
		#[arg(long, value_name = "FILE")]
		dpki: PathBuf,
	},
	/// The same on chains with more and more devices
	Growth {
		/// With how many devices the chains begin
		#[arg(long, value_delimiter = ',', default_value = "10000,100000")]
		sizes: Vec<u32>,
		/// Registrations in a run
		#[arg(long, default_value_t = 2_000)]
		count: u32,
		/// Runs
		#[arg(long, default_value_t = 5)]
		runs: u32,
	},
}

fn main() -> ExitCode {
	match run(Cli::parse()) {
		Ok(metrics) => {
			let metrics: Vec<_> = metrics.into_iter().map(Metric::into_json).collect();
			println!("{:#}", Value::Array(metrics));
			ExitCode::SUCCESS
		},
		Err(error) => {
			eprintln!("dpki-bench: {error}");
			ExitCode::FAILURE
		},
	}
}

fn run(cli: Cli) -> Result<Vec<Metric>> {
	let Common { node, folder, cores, slot: slot_ms, node_option: options } = cli.common;
	let setup =
		Setup { node, other: None, folder, cores: processes::own_cores()?, options, slot_ms };
	if let Some(cores) = cores {
		processes::pin(&cores)?;
	}
	std::fs::create_dir_all(&setup.folder)?;
	// Its main thread starts the nodes and lives as long as they may.
	let runtime = tokio::runtime::Builder::new_multi_thread()
		.worker_threads(2)
		.enable_all()
		.build()?;
	runtime.block_on(measure(&setup, cli.part))
}

async fn measure(setup: &Setup, part: Part) -> Result<Vec<Metric>> {
	match part {
		Part::Own { validators, count, runs, window } => {
			refuse_too_many(validators)?;
			own::measure(setup, own::Plan { validators, count, runs, window }).await
		},
		Part::Latency { validators, count, runs } => {
			refuse_too_many(validators)?;
			latency::measure(setup, latency::Plan { validators, count, runs }).await
		},
		Part::Batch { validators, count, rolls, runs } => {
			refuse_too_many(validators)?;
			batch::measure(setup, batch::Plan { validators, count, rolls, runs }).await
		},
		Part::Backends { other, count } => {
			backends::measure(setup, &backends::Plan { other, count }).await
		},
		Part::Fleet { validators, members, samples, dpki } => {
			refuse_too_many(validators)?;
			fleet::measure(setup, &fleet::Plan { validators, members, samples, dpki }).await
		},
		Part::Growth { sizes, count, runs } => {
			growth::measure(setup, &growth::Plan { sizes, count, runs }).await
		},
	}
}

fn refuse_too_many(validators: usize) -> Result<()> {
	match validators {
		1.. if validators <= VALIDATORS.len() => Ok(()),
		_ => Err(format!("a local chain has one to {} validators", VALIDATORS.len()).into()),
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use clap::CommandFactory;

	#[test]
	fn the_command_line_is_consistent() {
		Cli::command().debug_assert();
	}

	#[test]
	fn more_validators_than_there_are_names_are_refused() {
		assert!(refuse_too_many(1).is_ok() && refuse_too_many(4).is_ok());
		assert!(refuse_too_many(0).is_err() && refuse_too_many(5).is_err());
	}
}
