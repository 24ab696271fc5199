// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Does what the command line asks.

use crate::{
	chain_spec,
	cli::{Cli, NodeOptions, Subcommand},
	service::{self, FullClient},
};
use dpki_runtime::opaque::Block;
use sc_cli::SubstrateCli;
use sc_network::config::NetworkBackendType;
use sc_service::{Configuration, PartialComponents};
use std::{path::PathBuf, sync::Arc, time::Duration};

/// How long a connection without open substreams is kept. IPFS peers have none between two requests,
/// and a fetch of many small blobs should not dial once per blob.
const IDLE_CONNECTION_TIMEOUT: Duration = Duration::from_secs(60 * 60);

impl SubstrateCli for Cli {
	fn impl_name() -> String {
		"DPKI node".into()
	}

	fn impl_version() -> String {
		env!("SUBSTRATE_CLI_IMPL_VERSION").into()
	}

	fn description() -> String {
		env!("CARGO_PKG_DESCRIPTION").into()
	}

	fn author() -> String {
		"the DPKI developers".into()
	}

	fn support_url() -> String {
		"the operators of your consortium".into()
	}

	fn copyright_start_year() -> i32 {
		2026
	}

	fn load_spec(&self, id: &str) -> Result<Box<dyn sc_service::ChainSpec>, String> {
		Ok(Box::new(match id {
			"dev" => chain_spec::development()?,
			"" | "local" => chain_spec::local()?,
			path => chain_spec::ChainSpec::from_json_file(PathBuf::from(path))?,
		}))
	}
}

/// Runs the command line of this process.
pub fn run() -> sc_cli::Result<()> {
	let cli = Cli::from_args();
	let cache = cli.options.runtime_cache.as_deref();

	match &cli.subcommand {
		Some(Subcommand::Key(cmd)) => cmd.run(&cli),
		Some(Subcommand::Network(cmd)) => cmd.run(),
		Some(Subcommand::BuildSpec(cmd)) => {
			let runner = cli.create_runner(cmd)?;
			runner.sync_run(|config| cmd.run(config.chain_spec, config.network))
		},
		Some(Subcommand::ExportChainSpec(cmd)) => cmd.run(cli.load_spec(&cmd.chain)?),
		Some(Subcommand::CheckBlock(cmd)) => {
			let runner = cli.create_runner(cmd)?;
			runner.async_run(|config| {
				let PartialComponents { client, task_manager, import_queue, .. } =
					service::new_partial(&config, cache)?;
				Ok((cmd.run(client, import_queue), task_manager))
			})
		},
		Some(Subcommand::ExportBlocks(cmd)) => {
			let runner = cli.create_runner(cmd)?;
			runner.async_run(|config| {
				let PartialComponents { client, task_manager, .. } =
					service::new_partial(&config, cache)?;
				Ok((cmd.run(client, config.database), task_manager))
			})
		},
		Some(Subcommand::ExportState(cmd)) => {
			let runner = cli.create_runner(cmd)?;
			runner.async_run(|config| {
				let PartialComponents { client, task_manager, .. } =
					service::new_partial(&config, cache)?;
				Ok((cmd.run(client, config.chain_spec), task_manager))
			})
		},
		Some(Subcommand::ImportBlocks(cmd)) => {
			let runner = cli.create_runner(cmd)?;
			runner.async_run(|config| {
				let PartialComponents { client, task_manager, import_queue, .. } =
					service::new_partial(&config, cache)?;
				Ok((cmd.run(client, import_queue), task_manager))
			})
		},
		Some(Subcommand::PurgeChain(cmd)) => {
			let runner = cli.create_runner(cmd)?;
			runner.sync_run(|config| cmd.run(config.database))
		},
		Some(Subcommand::Revert(cmd)) => {
			let runner = cli.create_runner(cmd)?;
			runner.async_run(|config| {
				let PartialComponents { client, task_manager, backend, .. } =
					service::new_partial(&config, cache)?;
				let revert_finality = Box::new(|client: Arc<FullClient>, _, blocks| {
					sc_consensus_grandpa::revert(client, blocks)?;
					Ok(())
				});
				Ok((cmd.run(client, backend, Some(revert_finality)), task_manager))
			})
		},
		Some(Subcommand::ChainInfo(cmd)) => {
			let runner = cli.create_runner(cmd)?;
			runner.sync_run(|config| cmd.run::<Block>(&config))
		},
		None => run_node(cli),
	}
}

fn run_node(mut cli: Cli) -> sc_cli::Result<()> {
	// A node that forgets everything when it stops has no identity worth keeping.
	if cli.run.tmp {
		cli.run.network_params.node_key_params.unsafe_force_node_key_generation = true;
	}
	cli.set_limits();
	let options = cli.options.clone();
	let runner = cli.create_runner(&cli.run)?;

	runner.run_node_until_exit(|mut config| async move {
		configure_network(&mut config, &options);
		match config.network.network_backend {
			NetworkBackendType::Litep2p => {
				service::new_full::<sc_network::Litep2pNetworkBackend>(config, &options)
			},
			NetworkBackendType::Libp2p => {
				service::new_full::<sc_network::NetworkWorker<_, _>>(config, &options)
			},
		}
		.map_err(sc_cli::Error::Service)
	})
}

/// Only litep2p serves Bitswap. Who asks for it on libp2p is told by the service that it cannot be.
fn configure_network(config: &mut Configuration, options: &NodeOptions) {
	let network = &mut config.network;
	network.idle_connection_timeout = IDLE_CONNECTION_TIMEOUT;
	if matches!(network.network_backend, NetworkBackendType::Litep2p) && !options.no_ipfs_server {
		network.ipfs_server = true;
	}
}
