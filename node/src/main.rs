// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! The consortium's node: makes, finalises, stores and serves the chain.
//!
//! [`cli`] says what can be asked of it, [`command`] does it, [`service`] assembles a running node,
//! [`consensus`] lets it make and finalise blocks, [`rpc`] is what clients may ask over the network,
//! [`metrics`] tells Prometheus about the PKI and [`validator_metrics`] about who serves, [`chain_spec`] knows the built-in
//! chains, and [`network`] founds others.

// `sc_cli::Error` is large, it is not ours, and it is returned once in the life of the process.
#![allow(clippy::result_large_err)]

mod chain_spec;
mod cli;
mod command;
mod consensus;
mod metrics;
mod network;
mod rpc;
mod service;
mod validator_metrics;

use std::process::ExitCode;

fn main() -> ExitCode {
	match command::run() {
		Ok(()) => ExitCode::SUCCESS,
		Err(error) => {
			// Told as a sentence: operators need what to do next, not the error's structure.
			eprintln!("dpki-node: {error}");
			ExitCode::FAILURE
		},
	}
}
