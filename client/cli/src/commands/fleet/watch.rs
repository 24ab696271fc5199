//! `dpki fleet watch`: what a validator runs beside its node, so that fleets come to count.

use super::sources;
use crate::{
	error::{Error, Result},
	output::Report,
	session::Session,
	values,
};
use clap::Args;
use dpki_client::{
	Account, Client, Head, SubmitError, View, calls,
	fleet::{
		Holding, TileFolder, held_commitments,
		watch::{Duty, Finding, Watch as Duties, look},
	},
};
use dpki_primitives::Moment;
use futures::StreamExt;
use std::{
	path::PathBuf,
	time::{Duration, Instant, SystemTime},
};
use tokio::signal::unix::{SignalKind, signal};

/// Hold the tiles of all fleets, and vote.
#[derive(Args)]
pub struct Watch {
	/// The folder in which the tiles are kept that this validator answers for
	#[arg(long, value_name = "DIR")]
	hold: PathBuf,
	/// A folder with tiles, asked before the node; several can be given
	#[arg(long, value_name = "DIR")]
	tiles: Vec<PathBuf>,
	/// For how long tiles may be missing before they are said to be
	#[arg(long, value_parser = values::duration, default_value = "10m")]
	patience: Duration,
	/// Look at what is proposed now, and end
	#[arg(long)]
	once: bool,
}

/// For how long one round goes on, before what has come meanwhile gets its turn.
const LONGEST_ROUND: Duration = Duration::from_secs(30);

/// How often what nobody needs any more is removed.
const PRUNING_INTERVAL: Duration = Duration::from_secs(600);

/// For how long tiles stay in any case: somebody may have put them there to propose them.
const LEAST_AGE: Duration = Duration::from_secs(3_600);

/// A node whose newest finalised block is older knows too little of what is needed.
const FRESHNESS: Duration = Duration::from_secs(600);

/// One validator at work.
struct Watcher<'a> {
	session: &'a Session,
	client: Client,
	account: Account,
	holding: Holding,
	duties: Duties,
	once: bool,
	votes: u32,
	next_pruning: Instant,
}

impl Watch {
	/// Runs the command, until it is told to end.
	pub async fn run(self, session: &Session) -> Result<Report> {
		let account = session.account()?;
		let (client, view) = session.view().await?;
		let voter = session.actor(&account);
		if !view.serving_validators().await?.contains(&voter) {
			session.warn(
				"the account is no validator of this session: it will be heard once it is one",
			);
		}
		let folder = TileFolder::create(self.hold)?;
		let holding = Holding::new(folder, sources(&client, self.tiles));
		let duties = Duties::new(voter, self.patience);
		let mut watcher = Watcher {
			session,
			client,
			account,
			holding,
			duties,
			once: self.once,
			votes: 0,
			next_pruning: Instant::now(),
		};
		let ended = if self.once {
			watcher.look_around(&view).await
		} else {
			tokio::select! {
				ended = watcher.follow() => ended,
				ended = told_to_end() => ended,
			}
		};
		match ended {
			Ok(()) | Err(Error::Interrupted { .. }) => {},
			Err(error) => return Err(error),
		}
		let votes = watcher.votes;
		Ok(Report::new()
			.done("Watched the fleets")
			.row_as("votes", votes.to_string(), votes))
	}
}

/// Until a person or a service manager has enough.
async fn told_to_end() -> Result<()> {
	let unheard = |source| Error::File { doing: "listen for", path: "signals".into(), source };
	let mut terminate = signal(SignalKind::terminate()).map_err(unheard)?;
	tokio::select! {
		_ = terminate.recv() => Ok(()),
		heard = tokio::signal::ctrl_c() => heard.map_err(unheard),
	}
}

impl Watcher<'_> {
	/// At each finalised block, for ever. What the node does not answer is asked again at the next one.
	async fn follow(&mut self) -> Result<()> {
		let mut heads = self.client.finalized_heads();
		// The stream has no end.
		while let Some(head) = heads.next().await {
			let looked = match head {
				Ok(head) => self.look_at(head).await,
				Err(error) => Err(error.into()),
			};
			match looked {
				Ok(()) => {},
				Err(error @ Error::Interrupted { .. }) => return Err(error),
				Err(error) => self.session.warn(&error.to_string()),
			}
		}
		Ok(())
	}

	async fn look_at(&mut self, head: Head) -> Result<()> {
		let view = self.client.at(head);
		self.look_around(&view).await
	}

	async fn look_around(&mut self, view: &View) -> Result<()> {
		let voter = self.session.actor(&self.account);
		if !view.serving_validators().await?.contains(&voter) {
			return Ok(());
		}
		let began = Instant::now();
		for duty in self.duties.duties(view, began).await? {
			self.fulfil(view, &duty).await?;
			// What is missing takes a while each time, and whoever commits to nothing much of it. What is new by then is
			// looked at first in the next round.
			if !self.once && began.elapsed() > LONGEST_ROUND {
				break;
			}
		}
		if self.next_pruning <= Instant::now() {
			self.next_pruning = Instant::now() + PRUNING_INTERVAL;
			self.prune(view).await?;
		}
		Ok(())
	}

	/// Removes the tiles of candidates that were dropped, and of heads that were replaced. It is no duty: the watch goes on
	/// if it fails.
	async fn prune(&self, view: &View) -> Result<()> {
		let Some(since) = oldest_to_keep(view.now(), SystemTime::now()) else { return Ok(()) };
		let fleets = view.fleets().await?;
		let needed = fleets.iter().flat_map(|(_, record)| held_commitments(record, view.now()));
		match self.holding.prune(needed, since).await {
			Ok(0) => {},
			Ok(removed) => self.session.tell(
				Report::new()
					.done(format!("Removed {removed} tiles that no fleet needs any more"))
					.data("removed", removed),
			),
			Err(error) => self.session.warn(&error.to_string()),
		}
		Ok(())
	}

	async fn fulfil(&mut self, view: &View, duty: &Duty) -> Result<()> {
		let began = Instant::now();
		let policy = view.key_policy(duty.organisation).await?;
		let revoked = async || {
			let newest = self.client.at_finalized().await?;
			Ok::<_, Error>(newest.all_revoked_members(duty.fleet).await?)
		};
		let finding = look(duty, &self.holding, &policy, revoked, |_| ()).await?;
		let took = began.elapsed();
		let Some(available) = self.duties.judge(duty, &finding, Instant::now()) else {
			if !matches!(finding, Finding::Missing(_)) {
				self.duties.settle(duty, &finding);
			}
			return Ok(());
		};
		let call = calls::vote_availability(duty.fleet, duty.id, available);
		match self.session.submit(&self.client, &self.account, &call, "voting").await {
			Ok(finalized) => {
				self.votes += 1;
				self.duties.settle(duty, &finding);
				self.session.tell(told(duty, &finding, available, took).finalized(&finalized));
				Ok(())
			},
			// Another session of this account was faster, or the fleet has gone on.
			Err(error) if is_moot(&error) => {
				self.duties.settle(duty, &finding);
				Ok(())
			},
			Err(error) => {
				self.duties.postpone(duty, Instant::now());
				Err(error)
			},
		}
	}
}

/// Since when tiles have to lie in the folder to be removed; `None` if the chain time of the node is another than that of
/// this machine, so that it may not know yet what is needed.
fn oldest_to_keep(chain_time: Moment, now: SystemTime) -> Option<SystemTime> {
	let finalised = SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(chain_time))?;
	let is_fresh = now.duration_since(finalised).is_ok_and(|age| age < FRESHNESS);
	now.checked_sub(LEAST_AGE).filter(|_| is_fresh)
}

/// Whether the chain does not want to hear the vote any more.
fn is_moot(error: &Error) -> bool {
	let Error::Submit(SubmitError::Failed { error, .. }) = error else { return false };
	matches!(error.as_str(), "VoteRepeated" | "RevisionUnknown" | "FleetUnknown")
}

fn told(duty: &Duty, finding: &Finding, available: bool, took: Duration) -> Report {
	let size = duty.commitment.size;
	let sentence = match finding {
		Finding::Held => format!("Holds the {size} members of {}", duty.fleet),
		Finding::Wrong(error) | Finding::Missing(error) => {
			format!("Denies {}: {error}", duty.fleet)
		},
	};
	Report::new()
		.done(sentence)
		.row("fleet", duty.fleet)
		.row_as("revision", duty.revision.to_string(), duty.revision)
		.row_as("members", size.to_string(), size)
		.data("available", available)
		.row_as("checked_in", format!("{} ms", took.as_millis()), took.as_millis() as u64)
}

#[cfg(test)]
mod tests {
	use super::*;

	fn failed(error: &str) -> Error {
		let (pallet, sentence) = ("Fleets".into(), String::new());
		Error::Submit(SubmitError::Failed { pallet, error: error.into(), sentence })
	}

	#[test]
	fn nothing_is_removed_by_what_an_old_block_says() {
		let now = SystemTime::UNIX_EPOCH + Duration::from_secs(10_000_000);
		let at = |seconds: u64| oldest_to_keep(seconds * 1_000, now);
		assert_eq!(at(10_000_000 - 599), Some(now - LEAST_AGE));
		assert_eq!((at(10_000_000 - 600), at(0), at(u64::MAX / 1_000)), (None, None, None));
		// The clock of this machine is behind: nobody knows how old anything is.
		assert_eq!(at(10_000_001), None);
	}

	#[test]
	fn a_vote_that_nobody_waits_for_is_no_failure() {
		for error in ["VoteRepeated", "RevisionUnknown", "FleetUnknown"] {
			assert!(is_moot(&failed(error)), "{error}");
		}
		assert!(!is_moot(&failed("VoterUnknown")));
		assert!(!is_moot(&Error::AccountMissing));
	}
}
