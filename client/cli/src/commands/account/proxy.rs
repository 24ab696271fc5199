//! `dpki account proxy`: who acts for an account, at once or after an announcement that the account can reject.

use crate::{
	error::Result,
	output::{Report, hex},
	prompt,
	session::Session,
	values::{self, HexBytes, Member},
};
use clap::{Args, Subcommand, ValueEnum};
use dpki_client::{
	Call, account,
	calls::{self, EncodedCall, ProxyRight},
};

/// BLAKE2-256 of a call.
pub type CallHash = [u8; 32];

/// Who acts for an account.
#[derive(Subcommand)]
#[command(after_help = "\
Example:
  dpki account proxy add 5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty --right publishing

A proxy with a delay announces each call, waits, and carries it out unless the account has
rejected it meanwhile:
  dpki account proxy add //Bob --right any --delay 600 --account //Alice
  dpki account proxy announce //Alice 0x00001074657374 --account //Bob
  dpki account proxy reject //Bob 0x5f3c...d1 --account //Alice    # if it must not be made
  dpki account proxy carry-out //Alice 0x00001074657374 --account //Bob")]
pub enum ProxyCommand {
	/// Appoint a proxy; a deposit is held
	#[command(after_help = "\
Examples:
  dpki account proxy add 5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty --right publishing
  dpki deliver --org acme --device drone-7 --user-ca user-ca.pub --principals pilot=alice \\
      --account server.key --on-behalf-of 5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY
  dpki account proxy add //Bob --right key-rotation --delay 600")]
	Add(Terms),
	/// Dismiss a proxy; the deposit returns
	#[command(after_help = "\
Example:
  dpki account proxy remove 5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty --right publishing")]
	Remove(Terms),
	/// Dismiss every proxy; the deposit returns
	#[command(after_help = "\
Example:
  dpki account proxy clear --yes")]
	Clear {
		/// Do not ask for confirmation
		#[arg(long)]
		yes: bool,
	},
	/// As a proxy with a delay: announce a call; a deposit is held until it is carried out, taken back or rejected
	#[command(after_help = "\
Example:
  dpki account proxy announce //Alice 0x00001074657374 --account //Bob
The chain keeps the hash of the call alone: whoever is to agree needs the bytes.")]
	Announce {
		/// The account for which it is to be made
		#[arg(value_name = "ACCOUNT")]
		real: Member,
		/// The encoded call, such as a wallet shows it
		#[arg(value_name = "HEX")]
		call: HexBytes,
	},
	/// As a proxy: take an own announcement back
	#[command(after_help = "\
Example:
  dpki account proxy recall //Alice 0x5f3c...d1 --account //Bob")]
	Recall {
		/// The account for which the call was to be made
		#[arg(value_name = "ACCOUNT")]
		real: Member,
		/// BLAKE2-256 of the call
		#[arg(value_name = "HASH", value_parser = values::hash)]
		hash: CallHash,
	},
	/// Reject what a proxy of the account has announced
	#[command(after_help = "\
Example:
  dpki account proxy reject //Bob 0x5f3c...d1 --account //Alice
The event Proxy.Announced names proxy and hash.")]
	Reject {
		/// The proxy
		#[arg(value_name = "ACCOUNT")]
		proxy: Member,
		/// BLAKE2-256 of the call
		#[arg(value_name = "HASH", value_parser = values::hash)]
		hash: CallHash,
	},
	/// Make a call that was announced, once its delay is over; anybody can
	#[command(after_help = "\
Examples:
  dpki account proxy carry-out //Alice 0x00001074657374 --account //Bob
  dpki account proxy carry-out //Alice 0x00001074657374 --proxy //Bob --account //Charlie")]
	CarryOut {
		/// The account for which it is made
		#[arg(value_name = "ACCOUNT")]
		real: Member,
		/// The encoded call
		#[arg(value_name = "HEX")]
		call: HexBytes,
		/// Who has announced it; the account that acts if left out
		#[arg(long, value_name = "ACCOUNT")]
		proxy: Option<Member>,
		/// Do not ask for confirmation
		#[arg(long)]
		yes: bool,
	},
}

/// Which proxy, and what for.
#[derive(Args)]
pub struct Terms {
	/// The proxy
	#[arg(value_name = "ACCOUNT")]
	proxy: Member,
	/// What it may do
	#[arg(long, value_enum)]
	right: Right,
	/// For how many blocks it has to announce a call before it makes it; 0 asks for no announcement
	#[arg(long, value_name = "BLOCKS", default_value_t = 0)]
	delay: u32,
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

impl ProxyCommand {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		match self {
			Self::Add(terms) => {
				let call = calls::add_proxy(&terms.proxy.0, terms.right.into(), terms.delay);
				terms.set(session, &call, "Appointed").await
			},
			Self::Remove(terms) => {
				let call = calls::remove_proxy(&terms.proxy.0, terms.right.into(), terms.delay);
				terms.set(session, &call, "Dismissed").await
			},
			Self::Clear { yes } => {
				let question = "Dismiss every proxy of the account?";
				prompt::confirm(question, yes)?;
				let report = Report::new().done("Dismissed every proxy");
				submit(session, report, &calls::remove_proxies(), "dismissing the proxies").await
			},
			Self::Announce { real, call: HexBytes(bytes) } => {
				let call = EncodedCall::from_bytes(&bytes)?;
				let hash = call.hash();
				let report = about(Report::new().done("Announced the call"), "for", &real, &hash)
					.row("call", call.describe()?);
				let call = calls::announce(&real.0, hash);
				submit(session, report, &call, "announcing the call").await
			},
			Self::Recall { real, hash } => {
				let report = Report::new().done("Took the announcement back");
				let report = about(report, "for", &real, &hash);
				let call = calls::remove_announcement(&real.0, hash);
				submit(session, report, &call, "taking the announcement back").await
			},
			Self::Reject { proxy, hash } => {
				let report = Report::new().done("Rejected the announcement");
				let report = about(report, "proxy", &proxy, &hash);
				let call = calls::reject_announcement(&proxy.0, hash);
				submit(session, report, &call, "rejecting the announcement").await
			},
			Self::CarryOut { real, call: HexBytes(bytes), proxy, yes } => {
				carry_out(session, &real, EncodedCall::from_bytes(&bytes)?, proxy, yes).await
			},
		}
	}
}

fn about(report: Report, role: &str, Member(account): &Member, hash: &CallHash) -> Report {
	report.row(role, account::address(account)).row("call_hash", hex(hash))
}

async fn submit(
	session: &Session,
	report: Report,
	call: &impl Call,
	doing: &str,
) -> Result<Report> {
	let account = session.account()?;
	let client = session.connect().await?;
	let finalized = session.submit(&client, &account, call, doing).await?;
	Ok(report
		.row("account", account::address(&session.actor(&account)))
		.finalized(&finalized))
}

impl Terms {
	async fn set(self, session: &Session, call: &impl Call, done: &str) -> Result<Report> {
		let right = self.right.to_possible_value().map(|value| value.get_name().to_owned());
		let report = Report::new()
			.done(format!("{done} a proxy"))
			.row("proxy", account::address(&self.proxy.0))
			.row("right", right.unwrap_or_default())
			.row_as("delay", self.delay.to_string(), self.delay);
		submit(session, report, call, "changing the proxies").await
	}
}

async fn carry_out(
	session: &Session,
	real: &Member,
	call: EncodedCall,
	proxy: Option<Member>,
	yes: bool,
) -> Result<Report> {
	let (words, hash) = (call.describe()?, call.hash());
	let account = session.account()?;
	let actor = session.actor(&account);
	let client = session.connect().await?;
	let address = account::address(&real.0);
	prompt::confirm(&format!("{words}\nMake this call for {address}?"), yes)?;
	let delegate = proxy.map_or(actor, |Member(proxy)| proxy);
	let call = calls::announced(&delegate, &real.0, call);
	let finalized = session.submit(&client, &account, &call, "carrying the call out").await?;
	// The transaction succeeds whatever becomes of the call.
	calls::proxied(&finalized)?;
	Ok(about(Report::new().done("Carried the call out"), "for", real, &hash)
		.row("call", words)
		.finalized(&finalized))
}
