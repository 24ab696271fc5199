//! `dpki endorser`: attesting who is behind certificates.

mod bond;

use super::{
	accreditation::{self, Decision, require_active},
	certificate::show,
	motion::propose::Terms,
};
use crate::{
	error::{Error, Result},
	files,
	output::{Report, hex},
	session::Session,
	values::{
		self, Member, Name,
		certificates::{LevelArg, WithdrawalArg, moment},
	},
};
use clap::{ArgGroup, Args, Subcommand};
use dpki_client::calls;
use dpki_primitives::{
	Moment,
	assurance::Level,
	certificate::Office,
	ids::{CertificateDigest, CertificateId},
};
use sha2::{Digest, Sha256};
use std::{path::PathBuf, time::Duration};

const OFFICE: Office = Office::Endorser;

/// Attesting who is behind certificates.
#[derive(Subcommand)]
#[command(after_help = "\
Examples:
  dpki endorser pending
  dpki endorser endorse 0x9c01...7e --level ov --valid 365d --evidence register-extract.pdf
  dpki endorser accredit //Dave --org notary --level ev --reason 'audited in May'")]
pub enum EndorserCommand {
	/// List the certificates that wait for endorsements which the account could give and be paid for
	#[command(after_help = "\
Examples:
  dpki endorser pending
  dpki endorser pending 5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty --json")]
	Pending {
		/// Whose work: SS58 address, 0x and 64 digits, or such as //Bob; that of --account if left out
		#[arg(value_name = "ACCOUNT")]
		who: Option<Member>,
	},
	/// Endorse a certificate as it is now: attest at a level who is behind it
	#[command(after_help = "\
Examples:
  dpki endorser endorse 0x9c01...7e --level ov --valid 365d --evidence register-extract.pdf
  dpki endorser endorse 0x9c01...7e --level ev --valid 365d --digest 0x5f3c...d1")]
	Endorse(Endorse),
	/// Take an endorsement back; it stays readable and stops counting
	#[command(after_help = "\
Example:
  dpki endorser withdraw 0x9c01...7e --because facts-changed")]
	Withdraw {
		/// The certificate
		#[arg(value_name = "ID")]
		certificate: CertificateId,
		/// Why
		#[arg(long, value_enum)]
		because: WithdrawalArg,
	},
	/// Raise what the account has bonded, of its own funds; the council asks endorsers for a least amount
	#[command(after_help = "\
Example:
  dpki endorser bond 1_000_000_000_000_000")]
	Bond {
		/// How much, in the smallest unit
		#[arg(value_parser = values::amount)]
		amount: u128,
	},
	/// Take a part of the bond out; it can be slashed for a while yet, and who has too little left is suspended
	#[command(after_help = "\
Example:
  dpki endorser unbond 1_000_000_000_000_000 --yes")]
	Unbond {
		/// How much, in the smallest unit
		#[arg(value_parser = values::amount)]
		amount: u128,
		/// Do not ask for confirmation
		#[arg(long)]
		yes: bool,
	},
	/// Take back what is due of the bond
	#[command(after_help = "\
Example:
  dpki endorser withdraw-bond --account endorser.key")]
	WithdrawBond,
	/// Show what an account has bonded, what of it is on its way out, and what it has lost
	#[command(after_help = "\
Examples:
  dpki endorser bonded
  dpki endorser bonded 5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty --json")]
	Bonded {
		/// SS58 address, 0x and 64 digits, or such as //Bob; that of --account if left out
		#[arg(value_name = "ACCOUNT")]
		who: Option<Member>,
		/// Number of the first slash to show
		#[arg(long, default_value_t = 0)]
		start: u32,
	},
	/// List everyone who was ever accredited
	#[command(after_help = "\
Examples:
  dpki endorser list --json
  dpki endorser list --start 64")]
	List {
		/// Number of the first entry
		#[arg(long, default_value_t = 0)]
		start: u32,
	},
	/// Show the accreditation of an account
	#[command(after_help = "\
Example:
  dpki endorser show 5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty")]
	Show {
		/// The account
		#[arg(value_name = "ACCOUNT")]
		who: Member,
	},
	/// The council: accredit an account up to a level, or end its suspension
	#[command(after_help = "\
Example:
  dpki endorser accredit //Dave --org notary --level ev --reason 'audited in May'")]
	Accredit {
		/// The account
		#[arg(value_name = "ACCOUNT")]
		who: Member,
		/// The organisation that controls it; all accounts of one have one voice
		#[arg(long, value_name = "NAME")]
		org: Name,
		/// The highest level that it may attest: ov or ev
		#[arg(long, value_enum)]
		level: LevelArg,
		#[command(flatten)]
		terms: Terms,
	},
	/// The council: let nothing count that the account says or said, for the time being
	#[command(after_help = "\
Example:
  dpki endorser suspend //Dave --reason 'audit is overdue'")]
	Suspend {
		/// The account
		#[arg(value_name = "ACCOUNT")]
		who: Member,
		#[command(flatten)]
		terms: Terms,
	},
	/// The council: end an accreditation, and with it all endorsements of the account
	#[command(after_help = "\
Example:
  dpki endorser release //Dave --reason 'contract ended'")]
	Release {
		/// The account
		#[arg(value_name = "ACCOUNT")]
		who: Member,
		#[command(flatten)]
		terms: Terms,
	},
	/// The council: nothing that the account attested from a moment on is to be believed; what it attested before counts,
	/// and it never acts again
	#[command(after_help = "\
Example:
  dpki endorser compromised //Dave --from 2026-11-20T09:00:00Z --reason 'see incident 17'")]
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

/// Endorse a certificate as it is now.
#[derive(Args)]
#[command(group = ArgGroup::new("kept").args(["evidence", "evidence_hash"]))]
pub struct Endorse {
	/// The certificate
	#[arg(value_name = "ID")]
	certificate: CertificateId,
	/// What is attested
	#[arg(long, value_enum)]
	level: LevelArg,
	/// For how long the endorsement counts
	#[arg(long, value_parser = values::duration)]
	valid: Duration,
	/// A file with the evidence, of which the chain gets the SHA-256; keep it
	#[arg(long, value_name = "FILE")]
	evidence: Option<PathBuf>,
	/// The hash of the evidence, if it is no file
	#[arg(long, value_name = "HASH", value_parser = values::hash)]
	evidence_hash: Option<Hash>,
	/// What was reviewed, as `dpki certificate show` told it; a certificate that has changed since is refused
	#[arg(long, value_name = "DIGEST", value_parser = values::hash)]
	digest: Option<Hash>,
}

/// A hash of 32 bytes.
type Hash = [u8; 32];

impl EndorserCommand {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		let (who, decision, terms) = match self {
			Self::Pending { who } => return pending(session, who).await,
			Self::Endorse(command) => return command.run(session).await,
			Self::Withdraw { certificate, because } => {
				return withdraw(session, certificate, because).await;
			},
			Self::Bond { amount } => return bond::raise(session, amount).await,
			Self::Unbond { amount, yes } => return bond::lower(session, amount, yes).await,
			Self::WithdrawBond => return bond::withdraw(session).await,
			Self::Bonded { who, start } => return bond::show(session, who, start).await,
			Self::List { start } => return accreditation::list(session, OFFICE, start).await,
			Self::Show { who } => return accreditation::show(session, OFFICE, &who).await,
			Self::Accredit { who, org, level, terms } => {
				(who, Decision::Accredit(org, level.into()), terms)
			},
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
	let (mut reports, mut start) = (Vec::new(), Some(0));
	while let Some(from) = start {
		let page = view.pending_endorsements(&who, from).await?;
		for id in page.items {
			reports.push(show::certificate(&view, id).await?);
		}
		start = page.next;
	}
	Ok(Report::list(reports, "nothing to do"))
}

impl Endorse {
	async fn run(self, session: &Session) -> Result<Report> {
		let evidence = match (&self.evidence, self.evidence_hash) {
			(Some(path), _) => Some(<[u8; 32]>::from(Sha256::digest(&*files::read(path)?))),
			(None, hash) => hash,
		};
		let account = session.account()?;
		let (client, view) = session.view().await?;
		let accreditation = require_active(&view, OFFICE, &session.actor(&account)).await?;
		let id = self.certificate;
		let record = show::find(&view, id).await?;
		require_level(self.level.into(), accreditation.level, record.requested)?;
		// From the record that was read: a node must not choose what is attested.
		let digest = record.digest(id);
		if self.digest.is_some_and(|reviewed| CertificateDigest(reviewed) != digest) {
			return Err(Error::NotAllowed {
				why: format!(
					"the certificate {id} is not any more what was reviewed: it is {digest} now"
				),
				next: format!("look at it again with `dpki certificate show {id}`"),
			});
		}
		let expires_at = values::after(view.now(), self.valid)?;
		let call = calls::endorse(id, self.level.into(), digest, evidence, expires_at);
		let finalized = session.submit(&client, &account, &call, "endorsing").await?;
		let level = Level::from(self.level);
		Ok(show::content(Report::new(), &record)
			.done(format!("Endorsed certificate {id} at {}", level.name()))
			.data("certificate", id.to_string())
			.row("level", level.name())
			.row("digest", digest)
			.data("evidence", evidence.map(|hash| hex(&hash)))
			.time("expires_at", expires_at)
			.finalized(&finalized))
	}
}

/// Refuses a level that the account may not attest, or the certificate did not ask for.
fn require_level(level: Level, accredited: Level, requested: Level) -> Result<()> {
	let refuse = |why: String, next: String| Err(Error::NotAllowed { why, next });
	let word = |level: Level| level.name().to_lowercase();
	if level == Level::Dv {
		return refuse(
			"DV is what observers check, and not endorsed".to_owned(),
			"endorse at --level ov or --level ev".to_owned(),
		);
	}
	if level > accredited {
		return refuse(
			format!("the account is accredited up to {}", accredited.name()),
			format!(
				"endorse at --level {}, or have the council accredit it with `dpki endorser accredit ACCOUNT --org NAME \
				 --level {}`",
				word(accredited),
				word(level),
			),
		);
	}
	if level > requested {
		return refuse(
			format!("the certificate asks for {} only", requested.name()),
			match requested {
				Level::Dv => "leave it: there is nothing to endorse".to_owned(),
				requested => format!("endorse it at --level {}", word(requested)),
			},
		);
	}
	Ok(())
}

async fn withdraw(
	session: &Session,
	certificate: CertificateId,
	because: WithdrawalArg,
) -> Result<Report> {
	let account = session.account()?;
	let client = session.connect().await?;
	let call = calls::withdraw_endorsement(certificate, because.into());
	let finalized = session.submit(&client, &account, &call, "withdrawing").await?;
	Ok(Report::new()
		.done(format!("Withdrew the endorsement of certificate {certificate}"))
		.data("certificate", certificate.to_string())
		.finalized(&finalized))
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_level_that_is_not_the_accounts_to_attest_names_the_one_that_is() {
		assert!(require_level(Level::Ev, Level::Ev, Level::Ev).is_ok());
		assert!(require_level(Level::Ov, Level::Ev, Level::Ov).is_ok());
		let refused = |level, accredited, requested| {
			let error = require_level(level, accredited, requested).unwrap_err();
			(error.to_string(), error.next_step().unwrap())
		};
		let (why, next) = refused(Level::Ev, Level::Ov, Level::Ev);
		assert_eq!(why, "the account is accredited up to OV");
		assert!(
			next.starts_with("endorse at --level ov, or") && next.contains("--level ev`"),
			"{next}"
		);
		let (why, next) = refused(Level::Ev, Level::Ev, Level::Ov);
		assert_eq!(
			(&why[..], &next[..]),
			("the certificate asks for OV only", "endorse it at --level ov")
		);
		assert!(refused(Level::Ov, Level::Ov, Level::Dv).1.contains("nothing to endorse"));
		assert!(
			refused(Level::Dv, Level::Ev, Level::Ev)
				.0
				.starts_with("DV is what observers check")
		);
	}
}
