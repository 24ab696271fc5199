//! `dpki certificate`: applying for certificates, and what becomes of them.

mod application;
mod apply;
mod council;
pub mod holder;
pub mod issue;
pub mod show;
mod terms;

use crate::{
	error::Result,
	output::Report,
	proven::Proof,
	session::Session,
	values::{
		self, Member, Name,
		certificates::{RenewalArg, subject},
		reason_parser,
	},
};
use apply::{Apply, ApplyCsr, DraftCommand};
use clap::{Args, Subcommand};
use council::CouncilCommand;
use dpki_primitives::{
	ids::{ApplicationId, CertificateId},
	revocation::RevocationReason,
	subject::Subject,
};
use std::time::Duration;

/// How old the block may be at which a certificate is proven.
const MAX_AGE: Duration = Duration::from_secs(10 * 60);

/// Applying for certificates, and what becomes of them.
#[derive(Subcommand)]
#[command(after_help = "\
Examples, with a key of this computer, and with one that only OpenSSL knows:
  dpki certificate apply dns:drone.example --key drone.key --org acme
  dpki certificate draft dns:drone.example --public drone.pub.pem --org acme --out drone.draft
  openssl req -new -key drone.key.pem -config drone.draft.cnf -outform DER -out drone.csr
  dpki certificate apply-csr --draft drone.draft --csr drone.csr
  dpki certificate show 0x9c01...7e")]
pub enum CertificateCommand {
	/// Apply for a certificate with a private key on this computer, which only signs
	#[command(after_help = "\
Examples:
  dpki certificate apply dns:drone.example --key drone.key --org acme
  dpki certificate apply org:acme --org acme --level ev --display-name 'Acme Drones' \\
      --key acme.key
  dpki certificate apply pseudonym --key mine.key --valid 30d")]
	Apply(Apply),
	/// Draft an application for a key elsewhere: makes a file to apply with, and a configuration by which OpenSSL makes a
	/// certification request (PKCS#10)
	#[command(after_help = "\
Examples:
  dpki certificate draft dns:drone.example --public drone.pub.pem --org acme --out drone.draft
  openssl req -new -key drone.key.pem -config drone.draft.cnf -outform DER -out drone.csr")]
	Draft(DraftCommand),
	/// Apply with a certification request that was made for a draft
	#[command(after_help = "\
Example:
  dpki certificate apply-csr --draft drone.draft --csr drone.csr")]
	ApplyCsr(ApplyCsr),
	/// Answer a device that asks for an X.509 certificate of one of its services, with a CA key on this computer
	#[command(after_help = "\
Example:
  dpki certificate issue web.request --ca-cert ca.crt --ca-key ca.key --valid 90d --out web.pem
  dpki deliver --org acme --device drone-7 --tls web=web.pem --yes
The device made the key of the service and keeps it.")]
	Issue(issue::Issue),
	/// Have a certificate looked at again: by observers before its control lapses, or by endorsers
	#[command(after_help = "\
Examples:
  dpki certificate renew 0x9c01...7e control
  dpki certificate renew 0x9c01...7e endorsement")]
	Renew {
		/// The certificate
		#[arg(value_name = "ID")]
		certificate: CertificateId,
		/// By whom
		#[arg(value_enum)]
		what: RenewalArg,
	},
	/// Take an application back, until the first observer has begun to work on it
	#[command(after_help = "\
Example:
  dpki certificate withdraw 0x77aa...01")]
	Withdraw {
		/// The application
		#[arg(value_name = "ID")]
		application: ApplicationId,
	},
	/// Close an application whose time is over; what nobody earned returns to its payer
	#[command(after_help = "\
Example:
  dpki certificate close 0x77aa...01")]
	Close {
		/// The application
		#[arg(value_name = "ID")]
		application: ApplicationId,
	},
	/// Change the display name of a certificate of an organisation; its endorsements stop counting
	#[command(after_help = "\
Examples:
  dpki certificate amend 0x9c01...7e --display-name 'Acme Robotics'
  dpki certificate amend 0x9c01...7e --no-display-name")]
	Amend {
		/// The certificate
		#[arg(value_name = "ID")]
		certificate: CertificateId,
		/// The new name
		#[arg(long, value_name = "NAME", required_unless_present = "no_display_name")]
		display_name: Option<String>,
		/// Show no name any more
		#[arg(long, conflicts_with = "display_name")]
		no_display_name: bool,
	},
	/// Revoke a certificate for ever; keyCompromise ends every certificate of its key
	#[command(after_help = "\
Example:
  dpki certificate revoke 0x9c01...7e --reason keyCompromise")]
	Revoke {
		/// The certificate
		#[arg(value_name = "ID")]
		certificate: CertificateId,
		/// Reason by its RFC 5280 name
		#[arg(long, default_value = "unspecified", ignore_case = true, value_parser = reason_parser())]
		reason: RevocationReason,
		/// Do not ask for confirmation
		#[arg(long)]
		yes: bool,
	},
	/// Put a certificate on hold
	#[command(after_help = "\
Example:
  dpki certificate suspend 0x9c01...7e")]
	Suspend {
		/// The certificate
		#[arg(value_name = "ID")]
		certificate: CertificateId,
	},
	/// End a hold of the own
	#[command(after_help = "\
Example:
  dpki certificate release 0x9c01...7e")]
	Release {
		/// The certificate
		#[arg(value_name = "ID")]
		certificate: CertificateId,
	},
	/// Show a certificate: its verdict, its effective level, and which endorsements count for it and which do not
	#[command(after_help = "\
Examples:
  dpki certificate show 0x9c01...7e
  dpki certificate show 0x9c01...7e --proven --checkpoint chain.checkpoint")]
	Show {
		/// The certificate
		#[arg(value_name = "ID")]
		certificate: CertificateId,
		#[command(flatten)]
		proof: Proof,
	},
	/// Show an application: where it stands, its votes, and what observers look for
	#[command(after_help = "\
Example:
  dpki certificate application 0x77aa...01")]
	Application {
		/// The application
		#[arg(value_name = "ID")]
		application: ApplicationId,
	},
	/// List the open applications: all of them, or those of a payer or for a holder
	#[command(after_help = "\
Examples:
  dpki certificate applications --org acme
  dpki certificate applications --holder //Bob --json")]
	Applications {
		/// Only those for this organisation
		#[arg(long, value_name = "NAME", conflicts_with = "holder")]
		org: Option<Name>,
		/// Only those for this account, or that it pays for
		#[arg(long, value_name = "ACCOUNT")]
		holder: Option<Member>,
	},
	/// List the certificates of an organisation, of an account, or about a subject, oldest first
	#[command(after_help = "\
Examples:
  dpki certificate list --org acme
  dpki certificate list --holder //Bob
  dpki certificate list --about dns:drone.example --json")]
	List(List),
	/// List the certificates that end soon, by end of validity or because control lapses
	#[command(after_help = "\
Examples:
  dpki certificate ending --within 30d
  dpki certificate ending --within 7d --org acme")]
	Ending {
		/// How far to look ahead, a year at most
		#[arg(long, default_value = "30d", value_parser = values::duration)]
		within: Duration,
		/// Only those of this organisation
		#[arg(long, value_name = "NAME")]
		org: Option<Name>,
	},
	/// Show the policy and the prices
	#[command(after_help = "\
Example:
  dpki certificate terms --json")]
	Terms,
	/// What the council decides about certificates, each by a motion
	#[command(subcommand)]
	Council(CouncilCommand),
}

/// Whose certificates, or about what.
#[derive(Args)]
#[command(group = clap::ArgGroup::new("which").required(true).args(["org", "holder", "about"]))]
pub struct List {
	/// Name of the organisation that holds them
	#[arg(long, value_name = "NAME")]
	org: Option<Name>,
	/// Account that holds them: SS58 address, 0x and 64 digits, or such as //Bob
	#[arg(long, value_name = "ACCOUNT")]
	holder: Option<Member>,
	/// What they are about, see `dpki subject show`
	#[arg(long, value_name = "SUBJECT", value_parser = subject)]
	about: Option<Subject>,
	/// Number of the first entry
	#[arg(long, default_value_t = 0)]
	start: u32,
}

impl CertificateCommand {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		match self {
			Self::Apply(command) => command.run(session).await,
			Self::Draft(command) => command.run(session).await,
			Self::ApplyCsr(command) => command.run(session).await,
			Self::Issue(command) => command.run(session).await,
			Self::Renew { certificate, what } => holder::renew(session, certificate, what).await,
			Self::Withdraw { application } => application::withdraw(session, application).await,
			Self::Close { application } => application::close(session, application).await,
			Self::Amend { certificate, display_name, .. } => {
				holder::amend(session, certificate, display_name.as_deref()).await
			},
			Self::Revoke { certificate, reason, yes } => {
				holder::revoke(session, certificate, reason, yes).await
			},
			Self::Suspend { certificate } => holder::suspend(session, certificate).await,
			Self::Release { certificate } => holder::release(session, certificate).await,
			Self::Show { certificate, proof } => match proof.view(session, MAX_AGE).await? {
				Some(proven) => show::proven(session, &proven, certificate).await,
				None => show::certificate(&session.view().await?.1, certificate).await,
			},
			Self::Application { application } => application::show(session, application).await,
			Self::Applications { org, holder } => application::list(session, org, holder).await,
			Self::List(List { org, holder, about, start }) => {
				show::list(session, org, holder, about, start).await
			},
			Self::Ending { within, org } => show::ending(session, within, org).await,
			Self::Terms => terms::show(session).await,
			Self::Council(command) => command.run(session).await,
		}
	}
}
