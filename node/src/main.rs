// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! The consortium's node: makes, finalises, stores and serves the chain.
//!
//! [`cli`] says what can be asked of it, [`command`] does it, [`service`] assembles a running node,
//! [`rpc`] is what clients may ask over the network, and [`chain_spec`] knows the built-in chains.

mod chain_spec;
mod cli;
mod command;
mod rpc;
mod service;

fn main() -> sc_cli::Result<()> {
	command::run()
}
