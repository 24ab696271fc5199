// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! The command line.

use crate::network::NetworkCommand;
use clap::Parser;
use sc_cli::RpcParams;
use sc_service::config::IpNetwork;
use std::{
	net::{Ipv4Addr, Ipv6Addr},
	num::NonZeroU32,
	path::PathBuf,
	time::Duration,
};

/// Calls that a connection from elsewhere may make in a minute: all at once, or a hundred a second for ever. Far above what
/// agents, wallets and light clients need; a stranger gets no more than a small part of a core by it.
const CALLS_PER_MINUTE: NonZeroU32 = NonZeroU32::new(6_000).expect("it is not zero; qed");

/// Calls in one request. Substrate has no limit but the length of the request, which is one of some hundred thousand.
const CALLS_PER_BATCH: u32 = 128;

/// How long the pool does not look again at a transaction that it has found invalid or has had no room for, in seconds.
/// Substrate's half an hour is longer than a transaction lives: what was invalid on a fork that did not last, or was put out
/// of a full pool, could not be sent again before it lapsed.
const BAN_SECONDS: u64 = 8;

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

	/// Where compiled runtimes are kept, so that the next start takes a second instead of ten.
	///
	/// Below the base path, if nothing is said. Several nodes on a machine may share a folder. What lies there is executed
	/// as it is: nobody else may be able to write to it.
	#[arg(long, value_name = "FOLDER", env = "DPKI_RUNTIME_CACHE")]
	pub runtime_cache: Option<PathBuf>,
}

impl Cli {
	/// Sets the limits that Substrate has none for, or unsuitable ones, where the operator has not.
	pub fn set_limits(&mut self) {
		set_rpc_limits(&mut self.run.rpc_params);
		self.run.pool_config.tx_ban_seconds.get_or_insert(BAN_SECONDS);
	}
}

fn set_rpc_limits(rpc: &mut RpcParams) {
	if rpc.rpc_rate_limit.is_none() {
		rpc.rpc_rate_limit = Some(CALLS_PER_MINUTE);
		// Who is on this machine has other means to keep it busy; and a proxy on it counts for all behind it.
		let loopback = [
			IpNetwork::new(Ipv4Addr::new(127, 0, 0, 0), 8),
			IpNetwork::new(Ipv6Addr::LOCALHOST, 128),
		];
		rpc.rpc_rate_limit_whitelisted_ips.extend(loopback.into_iter().flatten());
	}
	if !rpc.rpc_disable_batch_requests {
		rpc.rpc_max_batch_request_len.get_or_insert(CALLS_PER_BATCH);
	}
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

	fn limits(arguments: &[&str]) -> (RpcParams, Option<u64>) {
		let mut cli = Cli::try_parse_from(["dpki-node"].iter().chain(arguments)).unwrap();
		cli.set_limits();
		(cli.run.rpc_params, cli.run.pool_config.tx_ban_seconds)
	}

	#[test]
	fn strangers_are_limited_and_this_machine_is_not() {
		let (rpc, ban) = limits(&[]);
		assert_eq!(rpc.rpc_rate_limit, Some(CALLS_PER_MINUTE));
		assert_eq!(rpc.rpc_max_batch_request_len, Some(CALLS_PER_BATCH));
		assert_eq!(ban, Some(BAN_SECONDS));
		let free = |address: &str| {
			let address: std::net::IpAddr = address.parse().unwrap();
			rpc.rpc_rate_limit_whitelisted_ips.iter().any(|it| it.contains(address))
		};
		assert!(free("127.0.0.1") && free("::1"));
		assert!(!free("10.0.0.1") && !free("2001:db8::1"));
	}

	#[test]
	fn what_the_operator_has_limited_stays_so() {
		let (rpc, ban) = limits(&["--rpc-rate-limit", "10", "--tx-ban-seconds", "60"]);
		assert_eq!(rpc.rpc_rate_limit.map(NonZeroU32::get), Some(10));
		assert!(rpc.rpc_rate_limit_whitelisted_ips.is_empty());
		assert_eq!(ban, Some(60));
		let (rpc, _) = limits(&["--rpc-max-batch-request-len", "7"]);
		assert_eq!(rpc.rpc_max_batch_request_len, Some(7));
		let (rpc, _) = limits(&["--rpc-disable-batch-requests"]);
		assert_eq!(rpc.rpc_max_batch_request_len, None);
	}

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
