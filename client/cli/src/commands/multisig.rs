//! `dpki multisig`: accounts of several people.
//!
//! The commands here carry any encoded call. Every other command does the same for its own call with `--as-multi`.

use crate::{
	error::{Error, Result},
	output::{Report, hex},
	prompt,
	proven::Trust,
	session::Session,
	values::{self, HexBytes, Member},
};
use clap::{Args, Subcommand};
use dpki_client::{
	Account, Call, Client, Finalized, View, account,
	calls::{self, EncodedCall, Multisig, MultisigProgress},
	view::PendingCall,
};
use std::str::FromStr;

/// Accounts of several people.
#[derive(Subcommand)]
#[command(after_help = "\
An account of several people is written as how many of them have to agree, and who they are:
2:ACCOUNT,ACCOUNT,ACCOUNT.
The order does not matter. Nobody registers it: whoever knows these knows the account.

Examples:
  dpki multisig address 2://Alice,//Bob,//Charlie
  dpki org create acme --kind regulator --as-multi 2://Alice,//Bob,//Charlie --account //Alice
  dpki org create acme --kind regulator --as-multi 2://Alice,//Bob,//Charlie --account //Bob")]
pub enum MultisigCommand {
	/// Show the address of an account of several people; no chain is needed
	#[command(after_help = "\
Example:
  dpki multisig address 2://Alice,//Bob,//Charlie")]
	Address {
		/// How many have to agree, and all members
		#[arg(value_name = "M:ACCOUNT,..")]
		group: Group,
	},
	/// Begin a call of the account; a deposit is held of who signs until it is made or called off
	///
	/// The chain keeps the hash of the call alone: the call itself, which is shown, goes to the other members.
	#[command(after_help = "\
Example:
  dpki multisig propose 2://Alice,//Bob,//Charlie 0x00001074657374 --account //Alice")]
	Propose {
		/// How many have to agree, and all members
		#[arg(value_name = "M:ACCOUNT,..")]
		group: Group,
		/// The encoded call, such as a wallet shows it
		#[arg(value_name = "HEX")]
		call: HexBytes,
	},
	/// Agree to a call that another member has begun; who agrees last brings the call, and it is made
	#[command(after_help = "\
Examples:
  dpki multisig approve 2://Alice,//Bob,//Charlie --call 0x00001074657374 --account //Bob
  dpki multisig approve 3://Alice,//Bob,//Charlie --hash 0x5f3c...d1 --account //Bob
What the call does is shown first, and who waits for it, as it is on record: a node elsewhere has
to prove it.")]
	Approve(Approve),
	/// Call off what the own account has begun; its deposit returns
	#[command(after_help = "\
Example:
  dpki multisig cancel 2://Alice,//Bob,//Charlie 0x5f3c...d1 --account //Alice")]
	Cancel {
		/// How many have to agree, and all members
		#[arg(value_name = "M:ACCOUNT,..")]
		group: Group,
		/// BLAKE2-256 of the call
		#[arg(value_name = "HASH", value_parser = values::hash)]
		hash: CallHash,
	},
	/// List the calls of an account of several people that wait for members to agree
	#[command(after_help = "\
Examples:
  dpki multisig list 2://Alice,//Bob,//Charlie
  dpki multisig list 5DjYJStmdZ2rcqXbXGX7TW85JsrW6uG4y9MUcLq2BoPMpRA7 --json")]
	List {
		/// How many have to agree and all members, or the address
		#[arg(value_name = "M:ACCOUNT,..|ADDRESS")]
		group: GroupOrAddress,
	},
}

/// Agree to a call that another member has begun.
#[derive(Args)]
pub struct Approve {
	/// How many have to agree, and all members
	#[arg(value_name = "M:ACCOUNT,..")]
	group: Group,
	/// The encoded call
	#[arg(long, value_name = "HEX", required_unless_present = "hash", conflicts_with = "hash")]
	call: Option<HexBytes>,
	/// Its BLAKE2-256 alone, which agrees and does not make the call; what it does is not known then
	#[arg(long, value_name = "HASH", value_parser = values::hash)]
	hash: Option<CallHash>,
	#[command(flatten)]
	trust: Trust,
	/// Agree without asking
	#[arg(long)]
	yes: bool,
}

/// BLAKE2-256 of a call.
pub type CallHash = [u8; 32];

/// `M:ACCOUNT,ACCOUNT[,ACCOUNT...]`: an account of several people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
	/// The account.
	pub account: Multisig,
	text: String,
}

impl FromStr for Group {
	type Err = String;

	fn from_str(text: &str) -> Result<Self, String> {
		let malformed = || {
			"write how many have to agree and who the members are: 2:ACCOUNT,ACCOUNT,ACCOUNT"
				.to_owned()
		};
		let (threshold, members) = text.split_once(':').ok_or_else(malformed)?;
		let threshold = threshold.parse().map_err(|_| malformed())?;
		let members: Vec<_> = members
			.split(',')
			.map(|member| Ok(member.parse::<Member>()?.0))
			.collect::<Result<_, String>>()?;
		let account = Multisig::new(threshold, &members).map_err(|error| error.to_string())?;
		Ok(Self { account, text: text.to_owned() })
	}
}

impl Group {
	/// Makes a call as this account, as far as the agreement of one member goes. What was sent is final, and the call in it
	/// is either made or waits for others, which is an error: what was asked for has not come to pass.
	pub async fn agree(
		&self,
		session: &Session,
		client: &Client,
		signer: &Account,
		call: &impl Call,
	) -> Result<Result<Finalized, dpki_client::SubmitError>> {
		let call = calls::encode(call)?;
		let view = client.at_finalized().await?;
		let pending = view.pending_call(&self.account.id(), &call.hash()).await?;
		let weight = view.call_weight(&call).await?;
		let begun = pending.as_ref().map(|pending| pending.begun);
		let agree = self.account.agree(&signer.id(), begun, call.clone(), weight)?;
		let finalized = match session.send(client, signer, &agree).await? {
			Ok(finalized) => finalized,
			Err(error) => return Ok(Err(error)),
		};
		match calls::multisig_progress(&finalized) {
			MultisigProgress::Executed(result) => Ok(result.map(|()| finalized)),
			MultisigProgress::Pending => Err(Error::AwaitsOthers {
				agreed: pending.map_or(0, |pending| pending.approvals.len()) + 1,
				needed: self.account.threshold().into(),
				group: self.text.clone(),
				call: hex(call.bytes()),
			}),
		}
	}
}

/// An account of several people, by its members or by its address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupOrAddress(dpki_client::AccountId);

impl FromStr for GroupOrAddress {
	type Err = String;

	fn from_str(text: &str) -> Result<Self, String> {
		match text.contains(':') {
			true => Ok(Self(text.parse::<Group>()?.account.id())),
			false => Ok(Self(text.parse::<Member>()?.0)),
		}
	}
}

impl MultisigCommand {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		match self {
			Self::Address { group } => Ok(described(Report::new(), &group)),
			Self::Propose { group, call: HexBytes(bytes) } => {
				let call = EncodedCall::from_bytes(&bytes)?;
				propose(session, &group, call).await
			},
			Self::Approve(approve) => approve.run(session).await,
			Self::Cancel { group, hash } => cancel(session, &group, hash).await,
			Self::List { group: GroupOrAddress(id) } => list(session, &id).await,
		}
	}
}

fn described(report: Report, group: &Group) -> Report {
	let members: Vec<_> = group.account.signatories().iter().map(account::address).collect();
	let threshold = group.account.threshold();
	report
		.row("address", account::address(&group.account.id()))
		.row_as("members", members.join(", "), members)
		.row_as("needed", threshold.to_string(), threshold)
}

/// The pending call, or an error that says how one comes to be.
async fn begun(view: &View, group: &Group, hash: &CallHash) -> Result<PendingCall> {
	view.pending_call(&group.account.id(), hash)
		.await?
		.ok_or_else(|| Error::NotAllowed {
			why: format!("no call {} of this account waits for its members", hex(hash)),
			next: "`dpki multisig list` shows those that do, `dpki multisig propose` begins one"
				.to_owned(),
		})
}

async fn propose(session: &Session, group: &Group, call: EncodedCall) -> Result<Report> {
	let signer = session.account()?;
	let (client, view) = session.view().await?;
	let hash = call.hash();
	if view.pending_call(&group.account.id(), &hash).await?.is_some() {
		return Err(Error::NotAllowed {
			why: "this call has been begun already".to_owned(),
			next: "agree to it with `dpki multisig approve`".to_owned(),
		});
	}
	let words = call.describe()?;
	let actor = session.actor(&signer);
	let begin = group.account.agree_by_hash(&actor, None, hash)?;
	let finalized = session.submit(&client, &signer, &begin, "beginning the call").await?;
	Ok(described(Report::new().done("Began the call: it waits for other members"), group)
		.row("call", words)
		.row("call_hash", hex(&hash))
		.row("call_bytes", hex(call.bytes()))
		.finalized(&finalized)
		.tail(
			"Others agree with `dpki multisig approve`; who agrees last gives the bytes with --call.",
		))
}

impl Approve {
	async fn run(self, session: &Session) -> Result<Report> {
		let (call, hash) = match (&self.call, self.hash) {
			(Some(HexBytes(bytes)), _) => {
				let call = EncodedCall::from_bytes(bytes)?;
				let hash = call.hash();
				(Some(call), hash)
			},
			(None, Some(hash)) => (None, hash),
			(None, None) => {
				return Err(Error::Usage("say what to agree to: give --call or --hash".to_owned()));
			},
		};
		let signer = session.account()?;
		let mut chain = self.trust.chain(session).await?;
		let view = chain.view().await?;
		let pending = begun(&view, &self.group, &hash).await?;
		let words = call.as_ref().map(EncodedCall::describe).transpose()?;
		let told = told(&self.group, &pending, words.as_deref(), &hash);
		prompt::confirm(&format!("{}\nAgree to this?", told.join("\n")), self.yes)?;
		// Whoever was asked may have answered after hours.
		let current = chain.view().await?;
		let pending = begun(&current, &self.group, &hash).await?;
		let report = match call {
			Some(call) => self.with_call(session, chain.client(), &signer, call, &pending).await?,
			None => self.by_hash(session, chain.client(), &signer, hash, &pending).await?,
		};
		let report = described(report, &self.group).row("call_hash", hex(&hash));
		let report = words.into_iter().fold(report, |report, words| report.row("call", words));
		Ok(report.data("proven", view.is_proven()))
	}

	async fn with_call(
		&self,
		session: &Session,
		client: &Client,
		signer: &Account,
		call: EncodedCall,
		pending: &PendingCall,
	) -> Result<Report> {
		// The word of the node: too little is refused by the chain, and what is too much is paid back.
		let weight = client.at_finalized().await?.call_weight(&call).await?;
		let actor = session.actor(signer);
		let agree = self.group.account.agree(&actor, Some(pending.begun), call, weight)?;
		let finalized = session.submit(client, signer, &agree, "agreeing to the call").await?;
		let (sentence, state) = match calls::multisig_progress(&finalized) {
			MultisigProgress::Executed(result) => {
				result?;
				("Agreed to the call, and it was made", "executed")
			},
			MultisigProgress::Pending => {
				("Agreed to the call: it waits for other members", "pending")
			},
		};
		Ok(Report::new().done(sentence).data("state", state).finalized(&finalized))
	}

	async fn by_hash(
		&self,
		session: &Session,
		client: &Client,
		signer: &Account,
		hash: CallHash,
		pending: &PendingCall,
	) -> Result<Report> {
		let actor = session.actor(signer);
		let agree = self.group.account.agree_by_hash(&actor, Some(pending.begun), hash)?;
		let finalized = session.submit(client, signer, &agree, "agreeing to the call").await?;
		Ok(Report::new()
			.done("Agreed to the call")
			.data("state", "pending")
			.finalized(&finalized)
			.tail("It is made when a member gives its bytes with `dpki multisig approve --call`."))
	}
}

/// What is agreed to, one line for each fact: the chain has the hash of the call, and the bytes of that hash are the call.
fn told(group: &Group, pending: &PendingCall, words: Option<&str>, hash: &CallHash) -> Vec<String> {
	let agreed: Vec<_> = pending.approvals.iter().map(account::address).collect();
	let unknown = "not known here: without its bytes nobody can tell what it does";
	vec![
		format!("A call of {}:", account::address(&group.account.id())),
		format!("  call: {}", words.unwrap_or(unknown)),
		format!("  call hash: {}", hex(hash)),
		format!("  begun by: {}", account::address(&pending.depositor)),
		format!(
			"  agreed: {} of {}: {}",
			agreed.len(),
			group.account.threshold(),
			agreed.join(", ")
		),
	]
}

async fn cancel(session: &Session, group: &Group, hash: CallHash) -> Result<Report> {
	let signer = session.account()?;
	let (client, view) = session.view().await?;
	let pending = begun(&view, group, &hash).await?;
	let actor = session.actor(&signer);
	let cancel = group.account.cancel(&actor, pending.begun, hash)?;
	let finalized = session.submit(&client, &signer, &cancel, "calling it off").await?;
	Ok(described(Report::new().done("Called the call off"), group)
		.row("call_hash", hex(&hash))
		.finalized(&finalized))
}

async fn list(session: &Session, id: &dpki_client::AccountId) -> Result<Report> {
	let (_client, view) = session.view().await?;
	let mut reports = Vec::new();
	for (hash, pending) in view.pending_calls(id).await? {
		let agreed: Vec<_> = pending.approvals.iter().map(account::address).collect();
		let begun = format!("block {}, transaction {}", pending.begun.block, pending.begun.index);
		reports.push(
			Report::new()
				.row("call_hash", hex(&hash))
				.row("begun_by", account::address(&pending.depositor))
				.row_as("begun", begun, pending.begun.block)
				.row_as("agreed", agreed.join(", "), agreed)
				// Text for programs too: numbers of 128 bits do not fit those of JSON.
				.row("deposit", pending.deposit),
		);
	}
	Ok(Report::list(reports, "no call of this account waits for its members"))
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_group_is_its_members_and_how_many_have_to_agree() {
		let group: Group = "2://Alice,//Bob,//Charlie".parse().unwrap();
		let again: Group = "2://Charlie,//Alice,//Bob".parse().unwrap();
		assert_eq!(group.account, again.account);
		let address = account::address(&group.account.id());
		let GroupOrAddress(id) = address.parse().unwrap();
		assert_eq!(id, group.account.id());
		assert_eq!("2://Alice,//Bob,//Charlie".parse(), Ok(GroupOrAddress(id)));
		for wrong in
			["", "2", "//Alice,//Bob", "2:", "2://Alice", "3://Alice,//Bob", "x://Alice,//Bob"]
		{
			assert!(wrong.parse::<Group>().is_err(), "{wrong}");
		}
	}
	#[test]
	fn whoever_agrees_is_shown_what_the_call_does_or_that_nobody_can_tell() {
		let group: Group = "2://Alice,//Bob,//Charlie".parse().unwrap();
		let Member(alice) = "//Alice".parse().unwrap();
		let pending = PendingCall {
			begun: calls::Beginning { block: 3, index: 1 },
			deposit: 5,
			depositor: alice,
			approvals: vec![alice],
		};
		let shown = told(&group, &pending, Some("System.remark"), &[7; 32]).join("\n");
		for part in [
			&account::address(&group.account.id())[..],
			"call: System.remark",
			&hex(&[7; 32]),
			"agreed: 1 of 2",
			&account::address(&alice),
		] {
			assert!(shown.contains(part), "no {part} in {shown}");
		}
		let unknown = told(&group, &pending, None, &[7; 32]).join("\n");
		assert!(unknown.contains("nobody can tell what it does"), "{unknown}");
	}
}
