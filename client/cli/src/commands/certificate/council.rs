//! What the council decides about certificates.

use crate::{
	commands::motion::propose::{Terms, to_council},
	error::{Error, Result},
	output::Report,
	session::Session,
	values::{self, certificates::PriceArg, reason_parser},
};
use clap::{Args, Subcommand};
use dpki_client::{calls, certificate::FeeSchedule};
use dpki_primitives::{
	certificate::CertificatePolicy, ids::CertificateId, revocation::RevocationReason,
};
use std::time::Duration;

/// What the council decides about certificates, each by a motion.
#[derive(Subcommand)]
#[command(after_help = "\
Examples:
  dpki certificate council revoke 0x9c01...7e --because privilegeWithdrawn \\
      --reason 'court order 4711'
  dpki certificate council policy --observers 3
  dpki certificate council prices --feeless true")]
pub enum CouncilCommand {
	/// Revoke a certificate of anybody for ever
	#[command(after_help = "\
Example:
  dpki certificate council revoke 0x9c01...7e --because privilegeWithdrawn \\
      --reason 'court order 4711'")]
	Revoke {
		/// The certificate
		#[arg(value_name = "ID")]
		certificate: CertificateId,
		/// Reason by its RFC 5280 name
		#[arg(long, default_value = "unspecified", ignore_case = true, value_parser = reason_parser())]
		because: RevocationReason,
		#[command(flatten)]
		terms: Terms,
	},
	/// Put a certificate of anybody on hold, or take over the hold of its holder
	#[command(after_help = "\
Example:
  dpki certificate council suspend 0x9c01...7e --reason 'see incident 17'")]
	Suspend {
		/// The certificate
		#[arg(value_name = "ID")]
		certificate: CertificateId,
		#[command(flatten)]
		terms: Terms,
	},
	/// End any hold
	#[command(after_help = "\
Example:
  dpki certificate council release 0x9c01...7e")]
	Release {
		/// The certificate
		#[arg(value_name = "ID")]
		certificate: CertificateId,
		#[command(flatten)]
		terms: Terms,
	},
	/// Change the policy; what is not named stays as it is
	#[command(after_help = "\
Examples:
  dpki certificate council policy --observers 3 --endorsers-ev 4
  dpki certificate council policy --control-lifetime 47d --reason 'as public CAs do from 2029 on'")]
	Policy(PolicyChange),
	/// Change the prices; what is not named stays as it is
	#[command(after_help = "\
Examples:
  dpki certificate council prices --feeless true
  dpki certificate council prices --deposit 1_000_000_000_000 \\
      --issue dv:100_000_000:300_000_000:0")]
	Prices(PriceChange),
	/// Set what an endorser has to have bonded; 0 asks for no bond
	#[command(after_help = "\
Examples:
  dpki certificate council minimum-bond 1_000_000_000_000_000 --reason 'as the minutes say'
  dpki certificate council minimum-bond 0")]
	MinimumBond {
		/// How much, in the smallest unit
		#[arg(value_parser = values::amount)]
		amount: u128,
		#[command(flatten)]
		terms: Terms,
	},
}

/// A change of the policy.
#[derive(Args)]
pub struct PolicyChange {
	/// How many organisations have to have seen control
	#[arg(long, value_name = "N")]
	observers: Option<u32>,
	/// How many organisations have to endorse OV
	#[arg(long, value_name = "N")]
	endorsers_ov: Option<u32>,
	/// How many organisations have to endorse EV
	#[arg(long, value_name = "N")]
	endorsers_ev: Option<u32>,
	/// For how many blocks observers may commit themselves
	#[arg(long, value_name = "N")]
	commit_blocks: Option<u32>,
	/// For how many blocks after that they may reveal
	#[arg(long, value_name = "N")]
	reveal_blocks: Option<u32>,
	/// For how many blocks the fees of endorsers are kept for them
	#[arg(long, value_name = "N")]
	endorsement_blocks: Option<u32>,
	/// For how long control counts as proven
	#[arg(long, value_name = "SPAN", value_parser = values::duration)]
	control_lifetime: Option<Duration>,
	/// For how long a certificate can be valid
	#[arg(long, value_name = "SPAN", value_parser = values::duration)]
	max_lifetime: Option<Duration>,
	/// For how long an endorsement can count
	#[arg(long, value_name = "SPAN", value_parser = values::duration)]
	max_endorsement_lifetime: Option<Duration>,
	#[command(flatten)]
	terms: Terms,
}

/// A change of the prices, in the smallest unit.
#[derive(Args)]
pub struct PriceChange {
	/// Whether everything counts as zero, for strangers too; `dpki economy feeless` frees those whom the consortium knows
	#[arg(long, value_name = "true|false")]
	feeless: Option<bool>,
	/// On hold while an application is open
	#[arg(long, value_name = "AMOUNT", value_parser = values::amount)]
	deposit: Option<u128>,
	/// For a new certificate: for the validators, for all observers together, for each endorser
	#[arg(long, value_name = "LEVEL:NETWORK:OBSERVATION:ENDORSEMENT")]
	issue: Vec<PriceArg>,
	/// For proving control again
	#[arg(long, value_name = "LEVEL:NETWORK:OBSERVATION:ENDORSEMENT")]
	control: Vec<PriceArg>,
	/// For being endorsed again
	#[arg(long, value_name = "LEVEL:NETWORK:OBSERVATION:ENDORSEMENT")]
	endorsement: Vec<PriceArg>,
	#[command(flatten)]
	terms: Terms,
}

impl CouncilCommand {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		match self {
			Self::Revoke { certificate, because, terms } => {
				to_council(session, &calls::revoke_certificate(certificate, because), &terms).await
			},
			Self::Suspend { certificate, terms } => {
				to_council(session, &calls::suspend_certificate(certificate), &terms).await
			},
			Self::Release { certificate, terms } => {
				to_council(session, &calls::release_certificate(certificate), &terms).await
			},
			Self::MinimumBond { amount, terms } => {
				to_council(session, &calls::set_minimum_bond(amount), &terms).await
			},
			Self::Policy(change) => {
				let (_client, view) = session.view().await?;
				let policy = change.of(view.certificate_terms().await?.policy)?;
				to_council(session, &calls::set_certificate_policy(policy), &change.terms).await
			},
			Self::Prices(change) => {
				let (_client, view) = session.view().await?;
				let fees = change.of(view.certificate_terms().await?.fees)?;
				to_council(session, &calls::set_certificate_fees(fees), &change.terms).await
			},
		}
	}
}

impl PolicyChange {
	fn of(&self, before: CertificatePolicy) -> Result<CertificatePolicy> {
		let mut policy = before;
		for (wish, place) in [
			(self.observers, &mut policy.observers),
			(self.endorsers_ov, &mut policy.endorsers.ov),
			(self.endorsers_ev, &mut policy.endorsers.ev),
			(self.commit_blocks, &mut policy.commit_blocks),
			(self.reveal_blocks, &mut policy.reveal_blocks),
			(self.endorsement_blocks, &mut policy.endorsement_blocks),
		] {
			*place = wish.unwrap_or(*place);
		}
		for (wish, place) in [
			(self.control_lifetime, &mut policy.control_lifetime),
			(self.max_lifetime, &mut policy.max_lifetime),
			(self.max_endorsement_lifetime, &mut policy.max_endorsement_lifetime),
		] {
			if let Some(span) = wish {
				*place = values::after(0, span)?;
			}
		}
		if policy == before {
			return Err(nothing_changes());
		}
		if !policy.is_coherent() {
			return Err(Error::Usage(
				"this policy cannot be kept: no number is zero, EV needs at least as many endorsers as OV, at most 16, \
				 and at most 32 observers can take part"
					.to_owned(),
			));
		}
		Ok(policy)
	}
}

impl PriceChange {
	fn of(&self, before: FeeSchedule) -> Result<FeeSchedule> {
		let mut fees = before;
		fees.feeless = self.feeless.unwrap_or(fees.feeless);
		fees.deposit = self.deposit.unwrap_or(fees.deposit);
		for (wishes, prices) in [
			(&self.issue, &mut fees.issue),
			(&self.control, &mut fees.control),
			(&self.endorsement, &mut fees.endorsement),
		] {
			wishes.iter().for_each(|wish| wish.set(prices));
		}
		if fees == before { Err(nothing_changes()) } else { Ok(fees) }
	}
}

fn nothing_changes() -> Error {
	Error::Usage("nothing would change: name what is to be different".to_owned())
}

#[cfg(test)]
mod tests {
	use super::*;
	use clap::Parser;

	#[derive(Parser)]
	struct Line {
		#[command(subcommand)]
		command: CouncilCommand,
	}

	fn parse(line: &str) -> CouncilCommand {
		let words = std::iter::once("council").chain(line.split(' '));
		Line::try_parse_from(words).unwrap_or_else(|error| panic!("{error}")).command
	}

	fn policy(line: &str) -> Result<CertificatePolicy> {
		let CouncilCommand::Policy(change) = parse(line) else { panic!("a policy") };
		change.of(CertificatePolicy::default())
	}

	#[test]
	fn a_policy_changes_only_where_it_is_told_to() {
		let before = CertificatePolicy::default();
		let changed = policy("policy --observers 3 --control-lifetime 47d").unwrap();
		let control_lifetime = 47 * 24 * 60 * 60 * 1000;
		assert_eq!(changed, CertificatePolicy { observers: 3, control_lifetime, ..before });
		let error = policy("policy --observers 2").unwrap_err().to_string();
		assert!(error.contains("nothing would change"), "{error}");
		for wrong in ["policy --observers 0", "policy --endorsers-ov 4", "policy --endorsers-ev 17"]
		{
			let error = policy(wrong).unwrap_err().to_string();
			assert!(error.contains("cannot be kept"), "{wrong}: {error}");
		}
	}

	#[test]
	fn prices_change_only_where_they_are_told_to() {
		let change = parse("prices --feeless true --issue ev:1:2:3 --issue dv:4:5:0 --deposit 6");
		let CouncilCommand::Prices(change) = change else { panic!("prices") };
		let fees = change.of(FeeSchedule::default()).unwrap();
		assert_eq!((fees.feeless, fees.deposit), (true, 6));
		assert_eq!((fees.issue.ev.endorsement, fees.issue.dv.observation), (3, 5));
		assert_eq!(fees.control, FeeSchedule::default().control);
		assert!(change.of(fees).is_err());
	}
}
