//! `dpki account`: balances, which pay the fees, and who acts for an account.

use crate::{
	error::{Error, Result},
	output::{Report, hex},
	prompt,
	session::Session,
	values::{self, Member},
};
use clap::{Subcommand, ValueEnum};
use dpki_client::{Call, account, calls, calls::ProxyRight};

/// Balances, which pay the fees, and who acts for an account.
#[derive(Subcommand)]
#[command(after_help = "\
Examples:
  dpki account show
  dpki account send --to 5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty --amount 1_000_000_000_000")]
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
  dpki account send --to 5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty --amount 1_000_000_000_000")]
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
}

/// Who acts for an account.
#[derive(Subcommand)]
#[command(after_help = "\
Example:
  dpki account proxy add 5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty --right publishing")]
pub enum ProxyCommand {
	/// Appoint a proxy; a deposit is held
	#[command(after_help = "\
Examples:
  dpki account proxy add 5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty --right publishing
  dpki deliver --org acme --device drone-7 --user-ca user-ca.pub --principals pilot=alice \\
      --account server.key --on-behalf-of 5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY")]
	Add {
		/// Who shall act
		#[arg(value_name = "ACCOUNT")]
		proxy: Member,
		/// What it may do
		#[arg(long, value_enum)]
		right: Right,
	},
	/// Dismiss a proxy; the deposit returns
	#[command(after_help = "\
Example:
  dpki account proxy remove 5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty --right publishing")]
	Remove {
		/// Who shall act no longer
		#[arg(value_name = "ACCOUNT")]
		proxy: Member,
		/// The right that it was given
		#[arg(long, value_enum)]
		right: Right,
	},
}

/// What a proxy may do.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Right {
	/// Everything
	Any,
	/// Move a membership to a new account, which is to be trusted with it; register and revoke keys of devices
	KeyRotation,
	/// Publish deliveries
	Publishing,
	/// Observe and endorse, as an accredited account
	Attesting,
}

impl From<Right> for ProxyRight {
	fn from(right: Right) -> Self {
		match right {
			Right::Any => Self::Any,
			Right::KeyRotation => Self::KeyRotation,
			Right::Publishing => Self::Publishing,
			Right::Attesting => Self::Attesting,
		}
	}
}

impl AccountCommand {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		match self {
			Self::Show { address } => show(session, address).await,
			Self::Send { to, amount, yes } => send(session, &to, amount, yes).await,
			Self::Proxy(ProxyCommand::Add { proxy, right }) => {
				let call = calls::add_proxy(&proxy.0, right.into());
				set_proxy(session, &proxy, right, &call, "Appointed").await
			},
			Self::Proxy(ProxyCommand::Remove { proxy, right }) => {
				let call = calls::remove_proxy(&proxy.0, right.into());
				set_proxy(session, &proxy, right, &call, "Dismissed").await
			},
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

async fn set_proxy(
	session: &Session,
	Member(proxy): &Member,
	right: Right,
	call: &impl Call,
	done: &str,
) -> Result<Report> {
	let account = session.account()?;
	let client = session.connect().await?;
	let finalized = session.submit(&client, &account, call, "changing the proxies").await?;
	let right = right.to_possible_value().map(|value| value.get_name().to_owned());
	Ok(Report::new()
		.done(format!("{done} a proxy"))
		.row("account", account::address(&session.actor(&account)))
		.row("proxy", account::address(proxy))
		.row("right", right.unwrap_or_default())
		.finalized(&finalized))
}
