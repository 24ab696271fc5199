//! `dpki observer`: control proofs, as those see them who look.

use super::{
	accreditation::{self, Decision, require_active},
	motion::propose::Terms,
};
use crate::{
	error::{Error, Result},
	files,
	output::Report,
	session::Session,
	transaction,
	values::{
		Member, Name,
		certificates::{ObservationArg, moment, observation_name},
	},
};
use clap::Subcommand;
use dpki_client::{
	Client, View, calls,
	certificate::{CHALLENGE_LABEL, CHALLENGE_PATH, HiddenVote},
	subject,
	view::ApplicationAnswer,
};
use dpki_primitives::{
	Moment, application::Phase, assurance::Level, certificate::Office, ids::ApplicationId,
	subject::Subject,
};
use std::{
	net::IpAddr,
	path::{Path, PathBuf},
};

const OFFICE: Office = Office::Observer;

/// Control proofs, as those see them who look.
#[derive(Subcommand)]
#[command(after_help = "\
Examples:
  dpki observer pending
  dpki observer commit 0x77aa...01 controlled --vote drone.vote
  dpki observer reveal --vote drone.vote
  dpki observer accredit //Bob --org lab --reason 'runs a resolver in Zurich'")]
pub enum ObserverCommand {
	/// List the applications on which the account can still vote or has to reveal its vote, with what to look for and
	/// where
	#[command(after_help = "\
Examples:
  dpki observer pending
  dpki observer pending 5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty --json")]
	Pending {
		/// Whose work: SS58 address, 0x and 64 digits, or such as //Bob; that of --account if left out
		#[arg(value_name = "ACCOUNT")]
		who: Option<Member>,
	},
	/// Commit to what was seen, without telling it yet; the file keeps the secret that opens the commitment
	#[command(after_help = "\
Example:
  dpki observer commit 0x77aa...01 controlled --vote drone.vote")]
	Commit {
		/// The application
		#[arg(value_name = "ID")]
		application: ApplicationId,
		/// What was seen
		#[arg(value_enum)]
		seen: ObservationArg,
		/// Where to keep the vote until it is revealed; a new file
		#[arg(long, value_name = "FILE")]
		vote: PathBuf,
	},
	/// Reveal what was committed to, once nobody can commit any more; the deciding vote decides
	#[command(after_help = "\
Example:
  dpki observer reveal --vote drone.vote")]
	Reveal {
		/// The file that `dpki observer commit` made
		#[arg(long, value_name = "FILE")]
		vote: PathBuf,
	},
	/// List everyone who was ever accredited
	#[command(after_help = "\
Examples:
  dpki observer list --json
  dpki observer list --start 64")]
	List {
		/// Number of the first entry
		#[arg(long, default_value_t = 0)]
		start: u32,
	},
	/// Show the accreditation of an account
	#[command(after_help = "\
Example:
  dpki observer show 5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty")]
	Show {
		/// The account
		#[arg(value_name = "ACCOUNT")]
		who: Member,
	},
	/// The council: accredit an account, or end its suspension
	#[command(after_help = "\
Example:
  dpki observer accredit //Bob --org lab --reason 'runs a resolver in Zurich'")]
	Accredit {
		/// The account
		#[arg(value_name = "ACCOUNT")]
		who: Member,
		/// The organisation that controls it; all accounts of one have one voice
		#[arg(long, value_name = "NAME")]
		org: Name,
		#[command(flatten)]
		terms: Terms,
	},
	/// The council: let nothing count that the account says or said, for the time being
	#[command(after_help = "\
Example:
  dpki observer suspend //Bob --reason 'cannot be reached'")]
	Suspend {
		/// The account
		#[arg(value_name = "ACCOUNT")]
		who: Member,
		#[command(flatten)]
		terms: Terms,
	},
	/// The council: end an accreditation
	#[command(after_help = "\
Example:
  dpki observer release //Bob --reason 'contract ended'")]
	Release {
		/// The account
		#[arg(value_name = "ACCOUNT")]
		who: Member,
		#[command(flatten)]
		terms: Terms,
	},
	/// The council: nothing that the account said from a moment on is to be believed; it never acts again
	#[command(after_help = "\
Example:
  dpki observer compromised //Bob --from 2026-11-20T09:00:00Z --reason 'see incident 17'")]
	Compromised {
		/// The account
		#[arg(value_name = "ACCOUNT")]
		who: Member,
		/// From when on: a time in UTC, or a day
		#[arg(long, value_name = "TIME", value_parser = moment)]
		from: Moment,
		#[command(flatten)]
		terms: Terms,
	},
}

impl ObserverCommand {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		let (who, decision, terms) = match self {
			Self::Pending { who } => return pending(session, who).await,
			Self::Commit { application, seen, vote } => {
				return commit(session, application, seen, &vote).await;
			},
			Self::Reveal { vote } => return reveal(session, &vote).await,
			Self::List { start } => return accreditation::list(session, OFFICE, start).await,
			Self::Show { who } => return accreditation::show(session, OFFICE, &who).await,
			Self::Accredit { who, org, terms } => (who, Decision::Accredit(org, Level::Dv), terms),
			Self::Suspend { who, terms } => (who, Decision::Suspend, terms),
			Self::Release { who, terms } => (who, Decision::Release, terms),
			Self::Compromised { who, from, terms } => (who, Decision::Compromised(from), terms),
		};
		accreditation::decide(session, OFFICE, &who, decision, &terms).await
	}
}

async fn pending(session: &Session, who: Option<Member>) -> Result<Report> {
	let who = session.whose(who)?;
	let (_client, view) = session.view().await?;
	require_active(&view, OFFICE, &who).await?;
	let mut reports = Vec::new();
	let mut start = Some(0);
	while let Some(from) = start {
		let page = view.pending_observations(&who, from).await?;
		for id in page.items {
			reports.push(work(&view, id, "commit").await?);
		}
		start = page.next;
	}
	let mut start = Some(0);
	while let Some(from) = start {
		let page = view.pending_reveals(&who, from).await?;
		for id in page.items {
			reports.push(work(&view, id, "reveal").await?);
		}
		start = page.next;
	}
	Ok(Report::list(reports, "nothing to do"))
}

/// One thing to do, with its deadline and what to look for.
async fn work(view: &View, id: ApplicationId, what: &'static str) -> Result<Report> {
	let ApplicationAnswer { application, challenge, .. } = view.application(id).await?;
	let report = Report::new().done(format!("{what}: application {id}"));
	let mut report = report.data("application", id.to_string()).data("work", what);
	if let Some(Phase::Control { commit_until, reveal_until, .. }) =
		application.record.map(|record| record.phase)
	{
		report = report.row_as("commit_until", format!("block {commit_until}"), commit_until);
		report = report.row_as("reveal_until", format!("block {reveal_until}"), reveal_until);
	}
	if let Some((subject, challenge)) = challenge {
		report = looked_for(report, &subject, &challenge);
	}
	Ok(report.read_at(view.head()))
}

/// Adds what has to stand where, for a subject whose control is proven.
pub fn looked_for(report: Report, subject: &Subject, challenge: &[u8; 32]) -> Report {
	report
		.row("subject", subject::to_text(subject))
		.row("challenge", hex::encode(challenge))
		.row("place", place(subject))
}

/// Where observers look for a challenge.
fn place(subject: &Subject) -> String {
	match subject {
		Subject::Dns(name) => {
			format!("TXT record of {CHALLENGE_LABEL}.{}", String::from_utf8_lossy(name))
		},
		Subject::Ipv4(address) => format!("http://{}{CHALLENGE_PATH}", IpAddr::from(*address)),
		Subject::Ipv6(address) => format!("http://[{}]{CHALLENGE_PATH}", IpAddr::from(*address)),
		_ => "nowhere: there is no control to prove".to_owned(),
	}
}

async fn commit(
	session: &Session,
	application: ApplicationId,
	seen: ObservationArg,
	path: &Path,
) -> Result<Report> {
	files::refuse_existing(&[path])?;
	let account = session.account()?;
	let (client, view) = session.view().await?;
	let observer = session.actor(&account);
	require_active(&view, OFFICE, &observer).await?;
	let vote = HiddenVote::new(client.genesis_hash(), application, observer, seen.into());
	// Before the transaction: a commitment whose secret is lost cannot be revealed, and nobody else of the organisation
	// can vote in its place.
	files::write_secret(path, vote.to_text().as_bytes())?;
	let call = calls::commit(application, vote.commitment());
	let submitted = session.submit(&client, &account, &call, "committing").await;
	let finalized = submitted.inspect_err(|error| {
		if !error.may_be_included() {
			let _ = std::fs::remove_file(path);
		}
	})?;
	Ok(Report::new()
		.done(format!("Committed to a vote on application {application}"))
		.data("application", application.to_string())
		.row("vote", path.display())
		.tail("Reveal it with `dpki observer reveal` once nobody can commit any more; until then it is a secret.")
		.finalized(&finalized))
}

async fn reveal(session: &Session, path: &Path) -> Result<Report> {
	let vote: HiddenVote = files::read_text(path)?.parse()?;
	files::refuse_exposed(path)?;
	let account = session.account()?;
	let client = session.connect().await?;
	if !vote.is_of(&client.genesis_hash()) || vote.observer != session.actor(&account) {
		return Err(Error::NotAllowed {
			why: format!("{} holds a vote of another account or on another chain", path.display()),
			next: "sign with the account that committed, at a node of its chain".to_owned(),
		});
	}
	let call = calls::reveal(vote.application, vote.observation, vote.salt());
	let finalized = match session.submit(&client, &account, &call, "revealing").await {
		Err(error) if transaction::is_refusal(&error, "RevealWindowNotOpen") => {
			let phase = phase(&client, vote.application).await.ok().flatten();
			return Err(too_early(error, phase));
		},
		submitted => submitted?,
	};
	let decided = finalized.events.iter().any(|event| {
		event.pallet == "Certificates"
			&& matches!(event.name.as_str(), "ApplicationClosed" | "CertificateIssued")
	});
	Ok(Report::new()
		.done(format!("Revealed a vote on application {}", vote.application))
		.data("application", vote.application.to_string())
		.row("seen", observation_name(vote.observation))
		.data("decided", decided)
		.tail(match decided {
			true => {
				"It was the deciding vote; `dpki certificate application` shows what became of it."
			},
			false => "The application is still undecided.",
		})
		.finalized(&finalized))
}

async fn phase(client: &Client, id: ApplicationId) -> Result<Option<Phase>> {
	let view = client.at_finalized().await?;
	Ok(view.application(id).await?.application.record.map(|record| record.phase))
}

/// Names the block from which on it can be revealed.
fn too_early(error: Error, phase: Option<Phase>) -> Error {
	match phase {
		Some(Phase::Control { commit_until, .. }) => Error::NotAllowed {
			why: error.to_string(),
			next: format!(
				"reveal from block {} on; `dpki chain info` shows how far the chain is",
				commit_until.saturating_add(1)
			),
		},
		_ => error,
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn who_reveals_too_early_is_told_the_block() {
		let refused = || -> Error {
			dpki_client::SubmitError::Failed {
				pallet: "Certificates".into(),
				error: "RevealWindowNotOpen".into(),
				sentence: "The window is still open: wait until it is over.".into(),
			}
			.into()
		};
		let phase = Phase::Control { commit_until: 40, reveal_until: 80, needed: 2 };
		let error = too_early(refused(), Some(phase));
		assert_eq!(error.to_string(), "the window is still open (RevealWindowNotOpen)");
		assert!(error.next_step().unwrap().starts_with("reveal from block 41 on"));
		assert_eq!(too_early(refused(), None).next_step().unwrap(), "wait until it is over");
	}

	#[test]
	fn each_kind_of_subject_has_its_place() {
		let place = |text| place(&subject::parse(text).unwrap());
		assert_eq!(place("dns:a.example"), "TXT record of _dpki-challenge.a.example");
		assert_eq!(place("ip:9.9.9.9"), "http://9.9.9.9/.well-known/dpki-challenge");
		assert_eq!(place("ip:2606:4700::1"), "http://[2606:4700::1]/.well-known/dpki-challenge");
		assert!(place("org:acme").starts_with("nowhere"));
	}
}
