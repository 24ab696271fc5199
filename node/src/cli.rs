// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! The command line.

use crate::network::NetworkCommand;
use clap::Parser;
use std::time::Duration;

/// The command line.
#[derive(Debug, Parser)]
pub struct Cli {
	/// What to do; nothing means running a node.
	#[command(subcommand)]
	pub subcommand: Option<Subcommand>,

	/// Options of every Substrate node.
	#[clap(flatten)]
	pub run: sc_cli::RunCmd,

	/// Options of this node.
	#[clap(flatten)]
	pub options: NodeOptions,
}

/// Options that only this node has.
#[derive(Debug, Clone, clap::Args)]
pub struct NodeOptions {
	/// Do not serve stored blobs to IPFS peers over Bitswap.
	///
	/// They are served by default wherever the network backend can (litep2p). Clients can fetch the
	/// same blobs over RPC in any case.
	#[arg(long, conflicts_with = "ipfs_server")]
	pub no_ipfs_server: bool,

	/// How long a finality vote is expected to travel through the network, in milliseconds.
	///
	/// A round of votes takes six times as long at least. The default suits validators that reach
	/// each other in a few tens of milliseconds; raise it for a network that spans continents.
	#[arg(
		long,
		value_name = "MILLISECONDS",
		default_value_t = 100,
		value_parser = clap::value_parser!(u64).range(10..=10_000)
	)]
	pub grandpa_gossip_ms: u64,

	/// Vote for the block that many blocks behind the best one.
	///
	/// A lag lets short forks settle before the vote, and delays every revocation by as many blocks.
	#[arg(long, value_name = "BLOCKS", default_value_t = 0)]
	pub grandpa_voting_lag: u32,
}

impl NodeOptions {
	/// [`Self::grandpa_gossip_ms`] as a duration.
	pub fn grandpa_gossip(&self) -> Duration {
		Duration::from_millis(self.grandpa_gossip_ms)
	}
}

/// What the node can do besides running.
#[derive(Debug, clap::Subcommand)]
#[allow(clippy::large_enum_variant)]
pub enum Subcommand {
	/// Generate, inspect and insert keys.
	#[command(subcommand)]
	Key(sc_cli::KeySubcommand),

	/// Found a network: make the keys of its members, and its chain specification.
	#[command(subcommand)]
	Network(NetworkCommand),

	/// Write a chain specification to standard output, with this node as its boot node.
	BuildSpec(sc_cli::BuildSpecCmd),

	/// Write a chain specification to a file.
	ExportChainSpec(sc_cli::ExportChainSpecCmd),

	/// Execute a stored block again and check it.
	CheckBlock(sc_cli::CheckBlockCmd),

	/// Write blocks to a file.
	ExportBlocks(sc_cli::ExportBlocksCmd),

	/// Write the state of a block into a chain specification.
	ExportState(sc_cli::ExportStateCmd),

	/// Import blocks from a file.
	ImportBlocks(sc_cli::ImportBlocksCmd),

	/// Remove the chain's database.
	PurgeChain(sc_cli::PurgeChainCmd),

	/// Go back to an earlier block, not beyond the finalised one.
	Revert(sc_cli::RevertCmd),

	/// Show the best and the finalised block of the database.
	ChainInfo(sc_cli::ChainInfoCmd),
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn the_commands_of_the_runbook_make_sense() {
		let runbook = include_str!("../../docs/operations.md");
		let lines = runbook.lines().map(str::trim).filter(|line| line.starts_with("dpki-node "));
		let commands: Vec<_> = lines.collect();
		assert!(commands.len() > 5, "{commands:?}");
		for command in commands {
			if let Err(error) = Cli::try_parse_from(command.split_whitespace()) {
				panic!("{command}: {error}");
			}
		}
	}
}
