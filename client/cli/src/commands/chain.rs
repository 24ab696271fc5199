//! `dpki chain`: the chain itself.

use crate::{
	error::Result,
	output::{Report, hex, rfc3339},
	session::Session,
};
use clap::Subcommand;
use dpki_client::client::ClientError;
use serde_json::Value;
use subxt_rpcs::client::{RpcClient, RpcParams};

/// The chain itself.
#[derive(Subcommand)]
#[command(after_help = "\
Example:
  dpki chain info")]
pub enum ChainCommand {
	/// Show which chain answers, and how far it is
	#[command(after_help = "\
Examples:
  dpki chain info
  dpki chain info --url wss://node.acme.example --json")]
	Info,
}

impl ChainCommand {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		let Self::Info = self;
		let (client, view) = session.view().await?;
		let head = view.head();
		let name = ask(client.rpc(), "system_chain").await?;
		let version = ask(client.rpc(), "state_getRuntimeVersion").await?;
		let name = name.as_str().unwrap_or_default().to_owned();
		let spec_name = version["specName"].as_str().unwrap_or_default().to_owned();
		let spec_version = version["specVersion"].clone();
		Ok(Report::new()
			.done(format!("Chain {name}"))
			.data("chain", name)
			.row("genesis_hash", hex(&client.genesis_hash()))
			.row_as("runtime", format!("{spec_name} {spec_version}"), spec_name)
			.data("spec_version", spec_version)
			.row_as("finalized_block", head.number.to_string(), head.number)
			.row("finalized_hash", hex(&head.hash))
			.row("chain_time", rfc3339(head.time)))
	}
}

async fn ask(rpc: &RpcClient, method: &str) -> Result<Value> {
	rpc.request(method, RpcParams::new()).await.map_err(|error| {
		ClientError::Request { method: method.to_owned(), reason: error.to_string() }.into()
	})
}
