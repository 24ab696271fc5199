// SPDX-License-Identifier: Apache-2.0

//! `dpki-peers`: what logs, directories and filters of others take for what the chain does, in one process on this machine.
//! Prints the rows that they come to, as JSON, for `scripts/lib/peers.py`; `docs/peers.md` says whom each comparison
//! flatters.
//!
//! The tool stands outside of the workspace: nobody needs its dependencies to build, run or test the chain.

mod directory;
mod log;
mod revocations;
mod row;

use clap::Parser;
use std::{error::Error, path::PathBuf, process::ExitCode};

/// Result of everything in this program.
pub type Result<T, E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

/// Logs and filters of others, measured beside the device PKI chain.
#[derive(Parser)]
#[command(name = "dpki-peers")]
struct Cli {
	/// An empty folder for the tiles of the log
	#[arg(long, value_name = "DIR")]
	folder: PathBuf,
	/// How often each of them is measured
	#[arg(long, default_value_t = 5)]
	runs: usize,
	/// Devices of which some are revoked, and entries of the log
	#[arg(long, default_value_t = 1_000_000)]
	members: u32,
	/// Keys in the directory
	#[arg(long, default_value_t = 100_000)]
	labels: u32,
	/// Keys that are added to the directory at once
	#[arg(long, default_value_t = 10_000)]
	epoch: u32,
}

fn measure(cli: &Cli) -> Result<serde_json::Value> {
	if cli.runs == 0 || cli.members < 100 || cli.labels == 0 || cli.epoch == 0 {
		return Err(
			"there is nothing to measure: at least a run, 100 members, a label and an epoch of one"
				.into(),
		);
	}
	let mut rows = revocations::measure(cli.members, cli.runs)?;
	eprintln!("the filters are measured");
	rows.extend(log::measure(&cli.folder, cli.members, cli.runs)?);
	eprintln!("the log is measured");
	rows.extend(directory::measure(cli.labels, cli.epoch, cli.runs)?);
	Ok(rows.into())
}

fn main() -> ExitCode {
	match measure(&Cli::parse()) {
		Ok(rows) => {
			println!("{rows}");
			ExitCode::SUCCESS
		},
		Err(error) => {
			eprintln!("error: {error}");
			ExitCode::FAILURE
		},
	}
}
