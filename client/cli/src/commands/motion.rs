//! `dpki motion`: what the council and organisations decide by vote.

pub mod propose;
mod vote;

use crate::{
	error::{Error, Result},
	output::{self, Report, hex},
	prompt,
	session::Session,
	values::Member,
};
use clap::Subcommand;
use dpki_client::{
	Client, Finalized, SubmitError, View, account, calls,
	motion::{self, Outcome, Progress},
	view::{Motion, OpenedMotion},
};
use dpki_primitives::motion::{Electorate, MotionId, MotionState, Tally};
use propose::ProposeCommand;
use serde_json::{Value, json};
use vote::VoteCommand;

/// What is decided by vote.
#[derive(Subcommand)]
#[command(after_help = "\
Examples:
  dpki motion propose admit //Bob --reason 'operates node 5'
  dpki motion list --open
  dpki motion vote 3 aye")]
pub enum MotionCommand {
	/// Propose a motion and vote for it; where one vote decides, it is carried out at once
	#[command(subcommand)]
	Propose(ProposeCommand),
	/// Vote on a motion, or change the own vote; the deciding vote carries it out
	#[command(after_help = "\
Examples:
  dpki motion show 3
  dpki motion vote 3 aye --reason 'reviewed by us'
  dpki motion vote 3 nay
  dpki motion vote 3 aye --call-hash 0x5f3c...d1 \\
      --yes    # in a script: of this call and no other
What the motion would do is shown first, as it is on record: a node elsewhere has to prove it.")]
	Vote(VoteCommand),
	/// Take the own motion back
	#[command(after_help = "\
Example:
  dpki motion withdraw 3 --reason 'wrong hash'")]
	Withdraw {
		/// Its number
		motion: MotionId,
		/// Why, for the record: up to 256 bytes
		#[arg(long, default_value = "")]
		reason: String,
	},
	/// Close a motion whose deadline has passed; its proposer gets the deposit back
	#[command(after_help = "\
Example:
  dpki motion close 3")]
	Close {
		/// Its number
		motion: MotionId,
	},
	/// Council: move the own seat to another account of the same trustee, at once and without a vote
	///
	/// The old account has no say any more, and cannot take the seat back. Votes that it has given on open motions count no
	/// more: vote again with the new one.
	#[command(after_help = "\
Example:
  dpki motion move-seat 5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty --account old.account")]
	MoveSeat {
		/// The account that is to have the seat
		#[arg(value_name = "ACCOUNT")]
		to: Member,
		/// Do not ask for confirmation
		#[arg(long)]
		yes: bool,
	},
	/// List motions, newest first
	#[command(after_help = "\
Examples:
  dpki motion list --open
  dpki motion list --page 1 --json")]
	List {
		/// Which page; 0 holds the newest
		#[arg(long, default_value_t = 0)]
		page: u32,
		/// Only those on which votes are taken
		#[arg(long)]
		open: bool,
	},
	/// Show a motion, what it would do, and how it stands
	#[command(after_help = "\
Examples:
  dpki motion show 3
  dpki motion show 3 --voter 5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty")]
	Show {
		/// Its number
		motion: MotionId,
		/// An account whose vote to show: SS58 address, 0x and 64 digits, or a development account such as //Bob
		#[arg(long, value_name = "ACCOUNT")]
		voter: Option<Member>,
	},
}

impl MotionCommand {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		match self {
			Self::Propose(command) => command.run(session).await,
			Self::Vote(command) => command.run(session).await,
			Self::Withdraw { motion, reason } => withdraw(session, motion, &reason).await,
			Self::Close { motion } => close(session, motion).await,
			Self::MoveSeat { to, yes } => move_seat(session, &to, yes).await,
			Self::List { page, open } => list(session, page, open).await,
			Self::Show { motion, voter } => show(session, motion, voter).await,
		}
	}
}

async fn find(view: &View, id: MotionId) -> Result<OpenedMotion> {
	view.motion(id)
		.await?
		.ok_or_else(|| Error::Unknown { what: "motion", name: id.to_string() })
}

/// Adds what a proposal or a vote has led to. A call that failed makes the exit code that of an error: nothing was done.
async fn outcome(report: Report, client: &Client, finalized: &Finalized) -> Report {
	let Some(outcome) = motion::outcome(finalized) else { return report };
	// Only a hint depends on it, and the motion is decided whether it can be read or not.
	let minimum_bond = match &outcome.progress {
		Progress::Carried(Err(error)) if lacks_bond(error) => minimum_bond(client).await.ok(),
		_ => None,
	};
	told(report, outcome, minimum_bond)
}

fn told(report: Report, outcome: Outcome, minimum_bond: Option<u128>) -> Report {
	let report = counted(
		report.row_as("motion", outcome.motion.to_string(), outcome.motion),
		Some(outcome.tally),
	);
	match outcome.progress {
		Progress::Open => report.row("state", "open"),
		Progress::Rejected => report.row("state", "rejected"),
		Progress::Carried(Ok(())) => report.row("state", "carried"),
		Progress::Carried(Err(error)) => report
			.row("state", "failed")
			.row("failure", &error)
			.row("next", next(error, minimum_bond))
			.warn("the motion was carried, but its call failed and changed nothing")
			.succeeded(false),
	}
}

/// What to do before the same is proposed again.
fn next(error: SubmitError, minimum_bond: Option<u128>) -> String {
	let step = match minimum_bond.filter(|_| lacks_bond(&error)) {
		Some(minimum) => format!(
			"have that account bond what is missing of {minimum}: `dpki endorser bond {minimum}` if it has bonded nothing, \
			 which `dpki endorser bonded ACCOUNT` shows"
		),
		None => Error::from(error).next_step().unwrap_or_else(|| "mend the cause".to_owned()),
	};
	format!("{step}; then propose it again, as a motion is carried out once")
}

/// Whether an account that is to be an endorser has bonded too little.
fn lacks_bond(error: &SubmitError) -> bool {
	matches!(error, SubmitError::Failed { error, .. } if error == "BondTooLow")
}

async fn minimum_bond(client: &Client) -> Result<u128> {
	Ok(client.at_finalized().await?.minimum_bond().await?)
}

async fn withdraw(session: &Session, id: MotionId, reason: &str) -> Result<Report> {
	let account = session.account()?;
	let client = session.connect().await?;
	let call = calls::withdraw(id, reason)?;
	let finalized = session.submit(&client, &account, &call, "withdrawing the motion").await?;
	Ok(Report::new()
		.done(format!("Withdrew motion {id}"))
		.data("motion", id)
		.data("state", "withdrawn")
		.finalized(&finalized))
}

async fn move_seat(session: &Session, Member(to): &Member, yes: bool) -> Result<Report> {
	let account = session.account()?;
	let client = session.connect().await?;
	let (from, to_address) = (account::address(&session.actor(&account)), account::address(to));
	let question =
		format!("Move the seat of {from} to {to_address}? Only that account can move it back.");
	prompt::confirm(&question, yes)?;
	let call = calls::move_seat(to);
	let finalized = session.submit(&client, &account, &call, "moving the seat").await?;
	Ok(Report::new()
		.done("Moved the seat in the council")
		.row("from", from)
		.row("to", to_address)
		.finalized(&finalized))
}

async fn close(session: &Session, id: MotionId) -> Result<Report> {
	let account = session.account()?;
	let client = session.connect().await?;
	let call = calls::close(id);
	let finalized = session.submit(&client, &account, &call, "closing the motion").await?;
	Ok(Report::new()
		.done(format!("Closed motion {id}: it expired undecided"))
		.data("motion", id)
		.data("state", "expired")
		.finalized(&finalized))
}

async fn list(session: &Session, page: u32, only_open: bool) -> Result<Report> {
	let (_client, view) = session.view().await?;
	let mut reports = Vec::new();
	for (id, record) in view.motions(page).await? {
		if only_open && !record.state.is_open() {
			continue;
		}
		let electorate = electorate(&view, &record.electorate).await?;
		reports.push(stored(id, &record, &electorate, view.head().number));
	}
	Ok(Report::list(reports, "no motions"))
}

async fn show(session: &Session, id: MotionId, voter: Option<Member>) -> Result<Report> {
	let (_client, view) = session.view().await?;
	let opened = find(&view, id).await?;
	let electorate = electorate(&view, &opened.record.electorate).await?;
	let mut report = stored(id, &opened.record, &electorate, view.head().number)
		.row("call", describe(&opened.record, &opened.call))
		.data("call_bytes", hex(&opened.call))
		// Text for programs too: numbers of 128 bits do not fit those of JSON.
		.row("deposit", opened.record.deposit);
	if opened.record.state.is_open() {
		report = counted(report, opened.standing.tally);
	}
	if let Some(Member(voter)) = voter {
		report = report.row("voter", account::address(&voter));
		report = match view.ballot(id, &voter).await? {
			Some(ballot) => {
				let word = if ballot.aye { "aye" } else { "nay" };
				report.row("vote", word).row("vote_reason", printable(&ballot.reason))
			},
			None => report.row_as("vote", "none", Value::Null),
		};
	}
	Ok(report.read_at(view.head()))
}

/// What is stored about a motion.
fn stored(id: MotionId, record: &Motion, electorate: &str, now: u32) -> Report {
	let report = Report::new()
		.done(format!("Motion {id}: {}", state(&record.state, record.deadline, now)))
		.data("motion", id)
		.data("state", record.state.name())
		.data("closed_at_block", record.state.closed_at())
		.row("electorate", electorate)
		.row("proposer", account::address(&record.proposer))
		.row("reason", printable(&record.reason))
		.row_as("deadline", format!("block {}", record.deadline), record.deadline)
		.data("call_hash", hex(&record.call_hash));
	let report = match &record.state {
		MotionState::Withdrawn { reason, .. } => report.row("withdrawn_because", printable(reason)),
		_ => report,
	};
	counted(report, Some(record.tally))
}

/// Adds a count of votes; a later one replaces it.
fn counted(report: Report, tally: Option<Tally>) -> Report {
	let Some(tally) = tally else {
		return report.row_as("votes", "nobody has a seat", Value::Null);
	};
	let Tally { ayes, nays, quorum } = tally;
	let value =
		json!({ "ayes": ayes, "nays": nays, "needed": quorum.needed, "seats": quorum.seats });
	report.row_as("votes", count(tally), value)
}

/// A count of votes in words.
fn count(Tally { ayes, nays, quorum }: Tally) -> String {
	format!("{ayes} in favour, {nays} against; {} of {} needed", quorum.needed, quorum.seats)
}

/// The state in words.
fn state(state: &MotionState<u32>, deadline: u32, now: u32) -> String {
	match state.closed_at() {
		Some(at) => format!("{} in block {at}", state.name()),
		None if now > deadline => "undecided after its deadline, to be closed".to_owned(),
		None => format!("open for {} more blocks", deadline - now),
	}
}

/// Who votes, by name.
async fn electorate(view: &View, electorate: &Electorate) -> Result<String> {
	Ok(match electorate {
		Electorate::Council => "council".to_owned(),
		Electorate::Organisation(id, body) => match view.organisation(*id).await? {
			Some(record) => format!("{} of {}", body.name(), printable(&record.name)),
			None => format!("{} of {id}, which is no more", body.name()),
		},
	})
}

/// What the motion with this call would do, in words.
fn describe(record: &Motion, call: &[u8]) -> String {
	let known = record.transaction_version == calls::transaction_version();
	let told =
		known.then(|| calls::EncodedCall::from_bytes(call).and_then(|call| call.describe()).ok());
	told.flatten()
		.unwrap_or_else(|| format!("{} (of another runtime than this program knows)", hex(call)))
}

/// A text from the chain, which nobody has checked.
fn printable(text: &[u8]) -> String {
	output::printable(&String::from_utf8_lossy(text))
}

#[cfg(test)]
mod tests {
	use super::*;
	use dpki_client::Event;
	use dpki_primitives::motion::{MotionRecord, Quorum, Reason};

	const TALLY: Tally = Tally { ayes: 2, nays: 1, quorum: Quorum::two_thirds(4) };

	pub(super) fn record(state: MotionState<u32>) -> Motion {
		MotionRecord {
			electorate: Electorate::Council,
			proposer: [3; 32],
			reason: b"\x1b[2Jnew".to_vec().try_into().unwrap(),
			call_hash: [4; 32],
			call_len: 3,
			transaction_version: calls::transaction_version(),
			proposed_at: 1,
			deadline: 100,
			deposit: 5,
			ballots: 3,
			tally: TALLY,
			state,
		}
	}

	#[test]
	fn a_motion_is_told_with_its_count_and_its_time() {
		let json = stored(7, &record(MotionState::Open), "council", 60).to_json();
		assert_eq!((&json["motion"], &json["state"]), (&json!(7), &json!("open")));
		let votes = json!({ "ayes": 2, "nays": 1, "needed": 3, "seats": 4 });
		assert_eq!((&json["votes"], &json["deadline"]), (&votes, &json!(100)));
		assert_eq!(json["reason"], "\u{fffd}[2Jnew");
		let open = MotionState::Open;
		assert_eq!(state(&open, 100, 60), "open for 40 more blocks");
		assert_eq!(state(&open, 100, 100), "open for 0 more blocks");
		assert!(state(&open, 100, 101).contains("to be closed"));
		assert_eq!(state(&MotionState::Rejected { at: 9 }, 100, 60), "rejected in block 9");
	}

	#[test]
	fn a_withdrawn_motion_tells_why() {
		let reason: Reason = b"wrong hash".to_vec().try_into().unwrap();
		let withdrawn = record(MotionState::Withdrawn { at: 9, reason });
		let json = stored(7, &withdrawn, "council", 60).to_json();
		assert_eq!(json["withdrawn_because"], "wrong hash");
		assert_eq!(json["closed_at_block"], json!(9));
	}

	#[test]
	fn a_call_that_cannot_be_read_is_shown_as_it_is() {
		let call = calls::encode(&calls::close(3)).unwrap().bytes().to_vec();
		let mut record = record(MotionState::Open);
		let told = describe(&record, &call);
		assert!(told.contains("close"), "{told}");
		record.transaction_version += 1;
		let told = describe(&record, &call);
		assert!(told.starts_with(&hex(&call)), "{told}");
	}

	#[test]
	fn what_a_vote_has_led_to_is_told() {
		use codec::Encode;
		let event = |name: &str, fields| Event {
			pallet: "Motions".into(),
			name: name.into(),
			fields,
			text: String::new(),
		};
		let told = |more: Vec<Event>| {
			let voted = (7u32, [3u8; 32], true, Vec::<u8>::new(), TALLY).encode();
			let events = [vec![event("Voted", voted)], more].concat();
			let finalized = Finalized {
				number: 1,
				hash: [1; 32],
				extrinsic: [2; 32],
				events,
				proven: false,
				is_final: true,
			};
			let report = super::told(Report::new(), motion::outcome(&finalized).unwrap(), None);
			(report.exit_code(), report.to_json())
		};
		let state = |(code, json): (u8, Value)| (code, json["state"].clone());
		assert_eq!(state(told(vec![])), (0, json!("open")));
		let rejected = told(vec![event("Rejected", 7u32.encode())]);
		assert_eq!(state(rejected), (0, json!("rejected")));
		let (code, carried) = told(vec![event("Executed", (7u32, 0u8).encode())]);
		assert_eq!((&carried["state"], &carried["motion"]), (&json!("carried"), &json!(7)));
		assert_eq!(code, 0);
		let (code, failed) = told(vec![event("Executed", (7u32, 1u8, 2u8).encode())]);
		assert_eq!((code, &failed["state"]), (output::EXIT_ERROR, &json!("failed")));
		assert!(failed["warnings"][0].as_str().unwrap().contains("changed nothing"), "{failed}");
		let next = failed["next"].as_str().unwrap();
		assert!(next.starts_with("use one that has the right; then propose it again"), "{next}");
	}

	#[test]
	fn a_call_that_failed_for_a_bond_names_the_command_and_the_amount() {
		let failed = || SubmitError::Failed {
			pallet: "Certificates".into(),
			error: "BondTooLow".into(),
			sentence:
				"The endorser has bonded less than the consortium asks for: raise the bond first."
					.into(),
		};
		let known = next(failed(), Some(8_000));
		assert!(known.contains("`dpki endorser bond 8000`"), "{known}");
		assert!(next(failed(), None).starts_with("raise the bond first;"));
	}
}
