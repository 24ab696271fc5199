//! `dpki node`: the way of a member's node into the network, and its session keys.

mod join;
mod spec;
mod standing;

use crate::{
	error::{Error, Result},
	output::{Report, hex},
	prompt,
	session::Session,
	values::Member,
};
use clap::Subcommand;
use dpki_client::calls;
use std::path::PathBuf;

/// A member's own node.
#[derive(Subcommand)]
#[command(after_help = "\
Examples:
  dpki node join consortium.raw.json --account north.key
  dpki node rotate-keys --account north.key")]
pub enum NodeCommand {
	/// Tell what is to be done until a node is a validator of the network, and check what is done
	///
	/// Asks the node of --url, which has to be on this computer. Changes nothing. Exit code 0 if everything is done, 3 if
	/// something is left.
	#[command(after_help = "\
Examples:
  dpki node join consortium.raw.json --account north.key
  dpki node join consortium.raw.json \\
      --validator 5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty --json")]
	Join {
		/// The raw chain specification of the network
		spec: PathBuf,
		/// The validator: SS58 address, 0x and 64 digits, or such as //Bob; the account of --account if left out
		#[arg(long, value_name = "ACCOUNT")]
		validator: Option<Member>,
	},
	/// Have the node make new session keys, and register them for the account of its validator
	///
	/// The private keys stay in the node, which has to be on this computer. They are used from the session after next
	/// on; the node keeps the old ones as long as they are needed.
	#[command(after_help = "\
Example:
  dpki node rotate-keys --account north.key")]
	RotateKeys {
		/// Do not ask for confirmation
		#[arg(long)]
		yes: bool,
	},
}

impl NodeCommand {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		match self {
			Self::Join { spec, validator } => join::run(session, &spec, validator).await,
			Self::RotateKeys { yes } => rotate_keys(session, yes).await,
		}
	}
}

async fn rotate_keys(session: &Session, yes: bool) -> Result<Report> {
	if !session.is_local() {
		return Err(Error::NodeNotHere { url: session.url().into() });
	}
	let account = session.account()?;
	prompt::confirm(&format!("Replace the session keys of {}?", account.address()), yes)?;
	let client = session.connect().await?;
	let (keys, proof) = client
		.new_session_keys(&session.actor(&account))
		.await
		.map_err(|error| Error::UnsafeRefused { reason: error.to_string() })?;
	let call = calls::set_session_keys(keys, &proof)?;
	let doing = "registering the session keys";
	let finalized = session.submit(&client, &account, &call, doing).await?;
	Ok(Report::new()
		.done("Registered new session keys; they are used from the session after next on")
		.row("validator", account.address())
		.row("session_keys", hex(&[keys.aura, keys.grandpa].concat()))
		.finalized(&finalized))
}
