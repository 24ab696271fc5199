//! `dpki motion vote`: what is decided is shown as it is on record, before anybody says yes to it.
//!
//! A motion is named by its number, and a node could show another call under it. So record and call are proven, as whatever is
//! signed by; of another call than the record names the hash would be another one. The vote is a vote on that call and no
//! other: the chain never gives a number twice nor changes a call, and where the state is proven the vote counts only in a
//! chain that has the block in which the call was seen.

use super::{count, describe, electorate, outcome, printable, state};
use crate::{
	error::{Error, Result},
	output::{Report, hex},
	prompt,
	proven::Trust,
	session::Session,
	values,
};
use clap::{Args, ValueEnum};
use dpki_client::{Client, View, account, calls, view::Motion};
use dpki_primitives::motion::{CallBounds, MotionId};

/// Vote on a motion.
#[derive(Args)]
pub struct VoteCommand {
	/// Its number
	motion: MotionId,
	/// In favour, or against
	#[arg(value_enum)]
	vote: Vote,
	/// Why, for the record: up to 256 bytes
	#[arg(long, default_value = "")]
	reason: String,
	/// BLAKE2-256 of its call, as `dpki motion show` told it: no vote is cast on another one
	#[arg(long, value_name = "HASH", value_parser = values::hash)]
	call_hash: Option<CallHash>,
	#[command(flatten)]
	trust: Trust,
	/// Vote without asking
	#[arg(long)]
	yes: bool,
}

/// BLAKE2-256 of a call.
type CallHash = [u8; 32];

/// A vote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Vote {
	/// In favour
	Aye,
	/// Against
	Nay,
}

impl VoteCommand {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		let (id, vote) = (self.motion, self.vote);
		let account = session.account()?;
		let mut chain = self.trust.chain(session).await?;
		let view = chain.view().await?;
		let (record, call) = find(&view, id).await?;
		require_call(id, record.call_hash, self.call_hash)?;
		let who = electorate(&view, &record.electorate).await?;
		let words = describe(&record, &call);
		let told = told(id, &record, &words, &who, view.head().number);
		prompt::confirm(&question(&told, vote), self.yes)?;
		// Whoever was asked may have answered after hours.
		let current = chain.view().await?;
		let bounds = match vote {
			// A vote against carries nothing.
			Vote::Nay => CallBounds { length: 0, ref_time: 0, proof_size: 0 },
			Vote::Aye => bounds(chain.client(), &current, id).await?,
		};
		let call = calls::vote(id, vote == Vote::Aye, &self.reason, bounds)?;
		let finalized = session.submit(chain.client(), &account, &call, "voting").await?;
		let report = Report::new()
			.done(format!("Voted on motion {id}"))
			.row("call", words)
			.row("call_hash", hex(&record.call_hash))
			.data("electorate", who)
			.data("proven", view.is_proven());
		Ok(outcome(report, chain.client(), &finalized).await.finalized(&finalized))
	}
}

async fn find(view: &View, id: MotionId) -> Result<(Motion, Vec<u8>)> {
	view.stored_motion(id)
		.await?
		.ok_or_else(|| Error::Unknown { what: "motion", name: id.to_string() })
}

/// What carrying the call out may take, as the node says. Too little is refused by the chain, and what is too much is paid
/// back: nothing else depends on it.
async fn bounds(client: &Client, view: &View, id: MotionId) -> Result<CallBounds> {
	let told = client.at(view.head()).motion(id).await?;
	told.and_then(|opened| opened.standing.bounds).ok_or_else(|| Error::NotAllowed {
		why: format!(
			"the call of motion {id} was encoded for another runtime and cannot be carried out"
		),
		next: "propose it again, or vote against it".to_owned(),
	})
}

/// Refuses a motion of another call than the one that is to be voted on.
fn require_call(id: MotionId, found: CallHash, expected: Option<CallHash>) -> Result<()> {
	if expected.is_none_or(|expected| expected == found) {
		return Ok(());
	}
	Err(Error::NotAllowed {
		why: format!(
			"motion {id} is about the call {}, and not the one that was given",
			hex(&found)
		),
		next: "look at what it would do with `dpki motion show`, and check its number".to_owned(),
	})
}

/// What is voted on, one line for each fact.
fn told(id: MotionId, record: &Motion, words: &str, who: &str, now: u32) -> Vec<String> {
	let mut lines = vec![
		format!("Motion {id} of {who}: {}", state(&record.state, record.deadline, now)),
		format!("  call: {words}"),
		format!("  call hash: {}", hex(&record.call_hash)),
		format!("  proposer: {}", account::address(&record.proposer)),
	];
	if !record.reason.is_empty() {
		lines.push(format!("  reason: {}", printable(&record.reason)));
	}
	lines.push(format!("  votes: {}", count(record.tally)));
	lines
}

fn question(told: &[String], vote: Vote) -> String {
	let side = match vote {
		Vote::Aye => "in favour of this",
		Vote::Nay => "against this",
	};
	format!("{}\nVote {side}?", told.join("\n"))
}

#[cfg(test)]
mod tests {
	use super::{super::tests::record, *};
	use dpki_primitives::motion::MotionState;

	#[test]
	fn whoever_votes_is_shown_what_the_motion_does() {
		let told = told(7, &record(MotionState::Open), "Dpki.revoke_key", "council", 60);
		let question = question(&told, Vote::Aye);
		for part in [
			"Motion 7 of council: open for 40 more blocks",
			"call: Dpki.revoke_key",
			&hex(&[4; 32]),
			&account::address(&[3; 32]),
			"reason: \u{fffd}[2Jnew",
			"2 in favour, 1 against; 3 of 4 needed",
		] {
			assert!(question.contains(part), "no {part} in {question}");
		}
		assert!(question.ends_with("Vote in favour of this?"), "{question}");
		assert!(super::question(&told, Vote::Nay).ends_with("Vote against this?"));
	}

	#[test]
	fn a_vote_for_one_call_is_none_for_another() {
		assert!(require_call(7, [4; 32], None).is_ok());
		assert!(require_call(7, [4; 32], Some([4; 32])).is_ok());
		let error = require_call(7, [4; 32], Some([5; 32])).unwrap_err();
		assert!(error.to_string().contains(&hex(&[4; 32])), "{error}");
		assert!(error.next_step().unwrap().contains("dpki motion show"));
	}
}
