//! `dpki account`: balances, which pay the fees, and who acts for an account.

mod proxy;

use crate::{
	error::{Error, Result},
	output::{Report, hex},
	prompt,
	session::Session,
	values::{self, HexBytes, Member},
};
use clap::Subcommand;
use dpki_client::{
	account,
	calls::{self, EncodedCall},
};
use proxy::ProxyCommand;

/// Balances, which pay the fees, and who acts for an account.
#[derive(Subcommand)]
#[command(after_help = "\
Examples:
  dpki account show
  dpki account send --to 5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty \\
      --amount 1_000_000_000_000")]
pub enum AccountCommand {
	/// Show what an account can spend, in the smallest unit
	#[command(after_help = "\
Examples:
  dpki account show
  dpki account show 5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty --json")]
	Show {
		/// SS58 address, 0x and 64 digits, or a development account such as //Bob; that of --account if left out
		#[arg(value_name = "ADDRESS")]
		address: Option<Member>,
	},
	/// Send tokens to another account
	#[command(after_help = "\
Example:
  dpki account send --to 5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty \\
      --amount 1_000_000_000_000")]
	Send {
		/// SS58 address, 0x and 64 digits, or a development account such as //Bob
		#[arg(long, value_name = "ADDRESS")]
		to: Member,
		/// How much, in the smallest unit
		#[arg(long, value_parser = values::amount)]
		amount: u128,
		/// Do not ask for confirmation
		#[arg(long)]
		yes: bool,
	},
	/// Let another account act for this one, which it does with --on-behalf-of
	#[command(subcommand)]
	Proxy(ProxyCommand),
	/// Make any call, such as one for which there is no command; for experts
	///
	/// What the call does is shown first. It is made by the account alone, with --on-behalf-of or --as-multi.
	#[command(after_help = "\
Example:
  dpki account call 0x00001074657374")]
	Call {
		/// The encoded call, such as a wallet shows it
		#[arg(value_name = "HEX")]
		call: HexBytes,
		/// Do not ask for confirmation
		#[arg(long)]
		yes: bool,
	},
}

impl AccountCommand {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		match self {
			Self::Show { address } => show(session, address).await,
			Self::Send { to, amount, yes } => send(session, &to, amount, yes).await,
			Self::Proxy(command) => command.run(session).await,
			Self::Call { call: HexBytes(bytes), yes } => make(session, &bytes, yes).await,
		}
	}
}

async fn show(session: &Session, address: Option<Member>) -> Result<Report> {
	let id = match address {
		Some(Member(id)) => id,
		None => session.account()?.id(),
	};
	let (_client, view) = session.view().await?;
	let free = view.free_balance(&id).await?;
	Ok(Report::new()
		.done(format!("Account {}", account::address(&id)))
		.data("address", account::address(&id))
		.row("account_id", hex(&id))
		// Text for programs too: numbers of 128 bits do not fit those of JSON.
		.row("free_balance", free)
		.read_at(view.head()))
}

async fn send(session: &Session, Member(to): &Member, amount: u128, yes: bool) -> Result<Report> {
	if amount == 0 {
		return Err(Error::Usage("there is nothing to send: give an --amount above 0".to_owned()));
	}
	let address = account::address(to);
	let account = session.account()?;
	let client = session.connect().await?;
	prompt::confirm(&format!("Send {amount} to {address}? This cannot be undone."), yes)?;
	let call = calls::transfer(to, amount);
	let finalized = session.submit(&client, &account, &call, "sending the tokens").await?;
	Ok(Report::new()
		.done(format!("Sent {amount} to {address}"))
		.row("from", account::address(&session.actor(&account)))
		.row("to", address)
		.data("amount", amount.to_string())
		.finalized(&finalized))
}

async fn make(session: &Session, bytes: &[u8], yes: bool) -> Result<Report> {
	let call = EncodedCall::from_bytes(bytes)?;
	let words = call.describe()?;
	let account = session.account()?;
	let client = session.connect().await?;
	prompt::confirm(&format!("{words}\nMake this call?"), yes)?;
	let call = call.into_transaction()?;
	let finalized = session.submit(&client, &account, &call, "making the call").await?;
	Ok(Report::new()
		.done("Made the call")
		.row("account", account::address(&session.actor(&account)))
		.row("call", words)
		.finalized(&finalized))
}
