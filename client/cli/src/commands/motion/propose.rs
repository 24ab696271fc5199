//! `dpki motion propose`: one command per intent.

mod anchor;
mod hold;
mod slash;

use super::outcome;
use crate::{
	commands::{org, x509::ProfileArg},
	error::Result,
	files, lookup,
	output::Report,
	session::Session,
	values::{
		self, BodyArg, DeviceRef, HexBytes, Member, MemberRole, Name, OrgKind, Policy,
		reason_parser,
	},
};
use anchor::AnchorProposal;
use clap::{Args, Subcommand, ValueEnum};
use dpki_client::{
	Account, Call, Client,
	calls::{self, EncodedCall},
};
use dpki_primitives::{
	anchor::Basis,
	ids::{AnchorId, KeyId},
	motion::{Body, Electorate},
	organisation::RoleSet,
	revocation::RevocationReason,
};
use hold::{HoldProposal, ReleaseProposal};
use slash::SlashProposal;

/// What can be proposed.
#[derive(Subcommand)]
#[command(after_help = "\
Examples:
  dpki motion propose upgrade 0x5f3c...d1 --reason 'release 2.0'
  dpki motion propose policy acme watchdogs:3")]
pub enum ProposeCommand {
	/// The council: give an account a seat
	#[command(after_help = "\
Example:
  dpki motion propose admit 5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty \\
      --reason 'operates node 5'")]
	Admit {
		/// The account
		#[arg(value_name = "ACCOUNT")]
		trustee: Member,
		#[command(flatten)]
		terms: Terms,
	},
	/// The council: take a seat away
	#[command(after_help = "\
Example:
  dpki motion propose expel 5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty \\
      --reason 'key was lost'")]
	Expel {
		/// The account
		#[arg(value_name = "ACCOUNT")]
		trustee: Member,
		#[command(flatten)]
		terms: Terms,
	},
	/// The council: create an organisation without a deposit, as one is needed on a chain without fees
	#[command(after_help = "\
Example:
  dpki motion propose admit-org acme 5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty \\
      --kind manufacturer")]
	AdmitOrg {
		/// Its name
		name: Name,
		/// Its first administrator
		#[arg(value_name = "ACCOUNT")]
		founder: Member,
		/// What it is
		#[arg(long, value_enum)]
		kind: OrgKind,
		#[command(flatten)]
		terms: Terms,
	},
	/// The council: authorise an upgrade of the runtime by its hash; anybody can bring the code afterwards
	#[command(after_help = "\
Example:
  dpki motion propose upgrade 0x5f3c...d1 --reason 'release 2.0' --blocks 604800")]
	Upgrade {
		/// BLAKE2-256 of the code
		#[arg(value_name = "HASH", value_parser = values::hash)]
		code: CodeHash,
		#[command(flatten)]
		terms: Terms,
	},
	/// The council: trust an X.509 authority in the name of the consortium
	#[command(after_help = "\
Examples:
  dpki motion propose adopt paa.crt --profile matter --reason 'see minutes'
  dpki motion propose adopt ca.crt --parent 0x1f0c...e2
  dpki motion propose adopt public-ca.crt --by-vote --profile tls-server")]
	Adopt {
		/// Its certificate
		#[arg(value_name = "FILE")]
		cert: std::path::PathBuf,
		/// Id of the anchor that has issued it; its profile is passed on
		#[arg(long, value_name = "ID", conflicts_with_all = ["profile", "by_vote"])]
		parent: Option<AnchorId>,
		/// What is asked of it and of everything below it
		#[arg(long, value_enum, default_value = "rfc5280")]
		profile: ProfileArg,
		/// It was issued by an authority that is no anchor: nothing but the vote speaks for it
		#[arg(long)]
		by_vote: bool,
		#[command(flatten)]
		terms: Terms,
	},
	/// The council: retire, revoke, suspend, release or roll over an anchor that it has adopted
	#[command(
		subcommand,
		after_help = "\
Examples:
  dpki motion propose anchor revoke 0x1f0c...e2 --because keyCompromise --reason 'see minutes'
  dpki motion propose anchor rollover 0x1f0c...e2 --to 0x77aa...01 --at 2030-01-31T12:00:00Z"
	)]
	Anchor(AnchorProposal),
	/// The council: burn a part of an endorser's bond, for what it was proven to have done
	#[command(after_help = "\
Example:
  dpki motion propose slash //Dave --amount 500_000_000_000_000 --because false-statement \\
      --evidence proof.pdf --reason 'see minutes'")]
	Slash(SlashProposal),
	/// The council: make any call as root; for experts
	#[command(after_help = "\
Example:
  dpki motion propose root 0x00001074657374 --reason 'see ticket 4711'")]
	Root {
		/// The encoded call, such as a wallet shows it
		#[arg(value_name = "HEX")]
		call: HexBytes,
		#[command(flatten)]
		terms: Terms,
	},
	/// An organisation: change its policy, by the vote that the present policy asks for
	#[command(after_help = "\
Example:
  dpki motion propose policy acme watchdogs:3 --reason 'one more site'")]
	Policy {
		/// Name of the organisation
		name: Name,
		/// simple, multi-admin or watchdogs:M
		policy: Policy,
		#[command(flatten)]
		terms: Terms,
	},
	/// An organisation: make an account a member with exactly these roles
	#[command(after_help = "\
Examples:
  dpki motion propose member-set acme //Bob --roles publisher
  dpki motion propose member-set acme //Bob --roles watchdog --by watchdogs")]
	MemberSet {
		/// Name of the organisation
		name: Name,
		/// The account
		member: Member,
		/// All roles that it shall have
		#[arg(long, value_enum, value_delimiter = ',', required = true)]
		roles: Vec<MemberRole>,
		/// Who votes
		#[arg(long, value_enum, default_value = "administrators")]
		by: BodyArg,
		#[command(flatten)]
		terms: Terms,
	},
	/// An organisation: end a membership
	#[command(after_help = "\
Example:
  dpki motion propose member-remove acme //Bob --reason 'left the company'")]
	MemberRemove {
		/// Name of the organisation
		name: Name,
		/// The account
		member: Member,
		/// Who votes
		#[arg(long, value_enum, default_value = "administrators")]
		by: BodyArg,
		#[command(flatten)]
		terms: Terms,
	},
	/// The council, or administrators: give an account a seat in a body whose keys were lost, after a delay
	#[command(after_help = "\
Examples:
  dpki motion propose recover acme administrators //Bob --reason 'keys burned, see minutes'
  dpki motion propose recover acme administrators //Bob --by administrators")]
	Recover {
		/// Name of the organisation
		name: Name,
		/// The body
		#[arg(value_enum)]
		body: BodyArg,
		/// Who is to get the seat
		#[arg(value_name = "ACCOUNT")]
		member: Member,
		/// Who votes
		#[arg(long, value_enum, default_value = "council")]
		by: Voters,
		#[command(flatten)]
		terms: Terms,
	},
	/// The council, or a body: call a recovery off
	#[command(after_help = "\
Example:
  dpki motion propose cancel-recovery acme --by watchdogs")]
	CancelRecovery {
		/// Name of the organisation
		name: Name,
		/// Who votes
		#[arg(long, value_enum, default_value = "council")]
		by: Voters,
		#[command(flatten)]
		terms: Terms,
	},
	/// An organisation: revoke a key of one of its devices, by the vote that its policy asks for; needs no registrar
	#[command(after_help = "\
Example:
  dpki motion propose revoke-key acme 0x3b1c...9f --because keyCompromise \\
      --reason 'registrar is gone'")]
	RevokeKey {
		/// Name of the organisation
		name: Name,
		/// Id of the key; `dpki device show` shows it
		#[arg(value_name = "ID")]
		key: KeyId,
		/// Why it is revoked, by its RFC 5280 name
		#[arg(long, default_value = "unspecified", ignore_case = true, value_parser = reason_parser())]
		because: RevocationReason,
		#[command(flatten)]
		terms: Terms,
	},
	/// An organisation: revoke one of its devices with all its keys, by the vote that its policy asks for
	#[command(after_help = "\
Example:
  dpki motion propose revoke-device acme drone-7 --because keyCompromise")]
	RevokeDevice {
		/// Name of the organisation
		name: Name,
		/// Name of the device in it
		device: Name,
		/// Why it is revoked, by its RFC 5280 name
		#[arg(long, default_value = "unspecified", ignore_case = true, value_parser = reason_parser())]
		because: RevocationReason,
		#[command(flatten)]
		terms: Terms,
	},
	/// An organisation: put one of its devices, or a key of one, on hold; no registrar ends that
	#[command(
		subcommand,
		after_help = "Example:\n  dpki motion propose hold device acme drone-7 --because keyCompromise"
	)]
	Hold(HoldProposal),
	/// An organisation: take one of its devices, or a key of one, off hold
	#[command(
		subcommand,
		after_help = "Example:\n  dpki motion propose release device acme drone-7"
	)]
	Release(ReleaseProposal),
	/// An organisation: dissolve it, by the vote that its policy asks for
	#[command(after_help = "\
Example:
  dpki motion propose dissolve acme")]
	Dissolve {
		/// Name of the organisation
		name: Name,
		#[command(flatten)]
		terms: Terms,
	},
}

/// BLAKE2-256 of a runtime.
pub type CodeHash = [u8; 32];

/// Why something is proposed, and for how long votes are taken.
#[derive(Args)]
pub struct Terms {
	/// Why, for the record: up to 256 bytes
	#[arg(long, default_value = "")]
	reason: String,
	/// For how many blocks votes are taken: a day of 1 s blocks if left out
	#[arg(long, value_name = "N", default_value_t = 24 * 60 * 60)]
	blocks: u32,
}

/// Who votes, where more than one body can.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Voters {
	/// The trustees
	Council,
	/// The organisation's administrators
	Administrators,
	/// The organisation's watchdogs
	Watchdogs,
}

impl Voters {
	fn electorate(self, organisation: &Name) -> Electorate {
		let of = |body| Electorate::Organisation(organisation.organisation(), body);
		match self {
			Self::Council => Electorate::Council,
			Self::Administrators => of(Body::Administrators),
			Self::Watchdogs => of(Body::Watchdogs),
		}
	}
}

/// Who decides.
#[derive(Debug, PartialEq, Eq)]
enum Deciders {
	/// These.
	Known(Electorate),
	/// The body that the present policy of the organisation names.
	ByPolicy(Name),
}

/// What is proposed to whom.
struct Proposal {
	deciders: Deciders,
	call: EncodedCall,
	terms: Terms,
}

/// Proposes a call to the council and votes for it.
pub async fn to_council(session: &Session, call: &impl Call, terms: &Terms) -> Result<Report> {
	let account = session.account()?;
	let client = session.connect().await?;
	submit(session, &client, &account, Electorate::Council, calls::encode(call)?, terms).await
}

async fn submit(
	session: &Session,
	client: &Client,
	account: &Account,
	electorate: Electorate,
	call: EncodedCall,
	terms: &Terms,
) -> Result<Report> {
	let words = call.describe()?;
	let call = calls::propose(electorate, call, terms.blocks, &terms.reason)?;
	let finalized = session.submit(client, account, &call, "proposing").await?;
	let report = match electorate {
		Electorate::Council => Report::new().done("Proposed a motion to the council"),
		_ => Report::new().done("Proposed a motion"),
	};
	let report = report.row("call", words);
	Ok(outcome(report, client, &finalized).await.finalized(&finalized))
}

impl ProposeCommand {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		let Proposal { deciders, call, terms } = self.proposal()?;
		let account = session.account()?;
		let (client, view) = session.view().await?;
		let electorate = match deciders {
			Deciders::Known(electorate) => electorate,
			Deciders::ByPolicy(name) => {
				let body = org::organisation(&view, &name).await?.policy.body();
				Electorate::Organisation(name.organisation(), body)
			},
		};
		submit(session, &client, &account, electorate, call, &terms).await
	}

	/// What is proposed to whom, as far as it can be told without the chain.
	fn proposal(self) -> Result<Proposal> {
		let council = || Deciders::Known(Electorate::Council);
		let body = |name: &Name, body: BodyArg| {
			Deciders::Known(Electorate::Organisation(name.organisation(), body.into()))
		};
		let (deciders, call, terms) = match self {
			Self::Admit { trustee: Member(trustee), terms } => {
				(council(), calls::encode(&calls::admit_trustee(&trustee))?, terms)
			},
			Self::Expel { trustee: Member(trustee), terms } => {
				(council(), calls::encode(&calls::remove_trustee(&trustee))?, terms)
			},
			Self::AdmitOrg { name, founder: Member(founder), kind, terms } => {
				let call = calls::admit_organisation(&founder, name.as_str(), kind.into())?;
				(council(), calls::encode(&call)?, terms)
			},
			Self::Upgrade { code, terms } => {
				let upgrade = calls::encode(&calls::authorize_upgrade(code))?;
				(council(), calls::encode(&calls::as_root(upgrade))?, terms)
			},
			Self::Root { call: HexBytes(bytes), terms } => {
				let call = EncodedCall::from_bytes(&bytes)?;
				(council(), calls::encode(&calls::as_root(call))?, terms)
			},
			Self::Adopt { cert, parent, profile, by_vote, terms } => {
				let der = lookup::certificate_der(&cert, &files::read(&cert)?)?;
				let basis = match (parent, by_vote) {
					(Some(parent), _) => Basis::IssuedBy(parent),
					(None, true) => Basis::Vote(profile.into()),
					(None, false) => Basis::SelfSigned(profile.into()),
				};
				(council(), calls::encode(&calls::adopt_authority(basis, &der)?)?, terms)
			},
			Self::Anchor(proposal) => {
				let (call, terms) = proposal.call()?;
				(council(), call, terms)
			},
			Self::Slash(proposal) => {
				let (call, terms) = proposal.call()?;
				(council(), call, terms)
			},
			Self::Policy { name, policy: Policy(policy), terms } => {
				let call = calls::encode(&calls::set_policy(name.organisation(), policy))?;
				(Deciders::ByPolicy(name), call, terms)
			},
			Self::MemberSet { name, member: Member(member), roles, by, terms } => {
				let roles: RoleSet = roles.into_iter().map(Into::into).collect();
				let call = calls::set_member(name.organisation(), &member, roles);
				(body(&name, by), calls::encode(&call)?, terms)
			},
			Self::MemberRemove { name, member: Member(member), by, terms } => {
				let call = calls::remove_member(name.organisation(), &member);
				(body(&name, by), calls::encode(&call)?, terms)
			},
			Self::Recover { name, body, member: Member(member), by, terms } => {
				let call = calls::begin_recovery(name.organisation(), body.into(), &member);
				(Deciders::Known(by.electorate(&name)), calls::encode(&call)?, terms)
			},
			Self::CancelRecovery { name, by, terms } => {
				let call = calls::cancel_recovery(name.organisation());
				(Deciders::Known(by.electorate(&name)), calls::encode(&call)?, terms)
			},
			Self::RevokeKey { name, key, because, terms } => {
				let call = calls::encode(&calls::revoke_key(key, because))?;
				(Deciders::ByPolicy(name), call, terms)
			},
			Self::RevokeDevice { name, device, because, terms } => {
				let device = DeviceRef::new(&name, &device).id;
				let call = calls::encode(&calls::revoke_device(device, because))?;
				(Deciders::ByPolicy(name), call, terms)
			},
			Self::Hold(proposal) => {
				let (name, call, terms) = proposal.call()?;
				(Deciders::ByPolicy(name), call, terms)
			},
			Self::Release(proposal) => {
				let (name, call, terms) = proposal.call()?;
				(Deciders::ByPolicy(name), call, terms)
			},
			Self::Dissolve { name, terms } => {
				let call = calls::encode(&calls::dissolve(name.organisation()))?;
				(Deciders::ByPolicy(name), call, terms)
			},
		};
		Ok(Proposal { deciders, call, terms })
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use clap::Parser;

	#[derive(Parser)]
	struct Line {
		#[command(subcommand)]
		command: ProposeCommand,
	}

	fn proposal(line: &str) -> Result<Proposal> {
		let words = std::iter::once("propose").chain(line.split(' '));
		Line::try_parse_from(words)
			.unwrap_or_else(|error| panic!("{error}"))
			.command
			.proposal()
	}

	#[test]
	fn each_intent_goes_to_those_who_decide_it() {
		let acme: Name = "acme".parse().unwrap();
		let known = |voters: Voters| Deciders::Known(voters.electorate(&acme));
		let by_policy = || Deciders::ByPolicy(acme.clone());
		let code = "ab".repeat(32);
		for (line, deciders, call) in [
			("admit //Bob".to_owned(), known(Voters::Council), "add_member"),
			("expel //Bob".into(), known(Voters::Council), "remove_member"),
			("admit-org acme //Bob --kind test-lab".into(), known(Voters::Council), "admit"),
			(format!("upgrade {code}"), known(Voters::Council), "authorize_upgrade"),
			("root 0x00001074657374".into(), known(Voters::Council), "dispatch_as_root"),
			(format!("anchor retire {code}"), known(Voters::Council), "retire_anchor"),
			(
				format!("anchor revoke {code} --because keyCompromise"),
				known(Voters::Council),
				"revoke_anchor",
			),
			(format!("anchor suspend {code}"), known(Voters::Council), "suspend_anchor"),
			(format!("anchor release {code}"), known(Voters::Council), "release_anchor"),
			(
				format!("anchor rollover {code} --to {code} --at 2030-01-31T12:00:00Z"),
				known(Voters::Council),
				"plan_rollover",
			),
			(format!("anchor cancel-rollover {code}"), known(Voters::Council), "cancel_rollover"),
			(
				format!("anchor crl {code} --address https://crl.example/ca.crl"),
				known(Voters::Council),
				"set_crl_pointer",
			),
			(
				format!("slash //Dave --amount 5 --because collusion --evidence-hash {code}"),
				known(Voters::Council),
				"slash",
			),
			("policy acme watchdogs:3".into(), by_policy(), "set_policy"),
			("dissolve acme".into(), by_policy(), "dissolve"),
			(format!("revoke-key acme 0x{code}"), by_policy(), "revoke_key"),
			(
				"revoke-device acme drone-7 --because keyCompromise".into(),
				by_policy(),
				"revoke_device",
			),
			("hold device acme drone-7".into(), by_policy(), "suspend_device"),
			(format!("hold key acme 0x{code}"), by_policy(), "suspend_key"),
			("release device acme drone-7".into(), by_policy(), "release_device"),
			(format!("release key acme 0x{code}"), by_policy(), "release_key"),
			(
				"member-set acme //Bob --roles watchdog --by watchdogs".into(),
				known(Voters::Watchdogs),
				"set_member",
			),
			("member-remove acme //Bob".into(), known(Voters::Administrators), "remove_member"),
			("recover acme watchdogs //Bob".into(), known(Voters::Council), "begin_recovery"),
			(
				"recover acme administrators //Bob --by administrators".into(),
				known(Voters::Administrators),
				"begin_recovery",
			),
			(
				"cancel-recovery acme --by watchdogs".into(),
				known(Voters::Watchdogs),
				"cancel_recovery",
			),
		] {
			let proposal = proposal(&line).unwrap();
			assert_eq!(proposal.deciders, deciders, "{line}");
			let words = proposal.call.describe().unwrap();
			assert!(words.contains(call), "{line}: {words}");
		}
	}

	#[test]
	fn an_upgrade_is_made_as_root_and_names_its_hash() {
		let words = proposal(&format!("upgrade 0x{}", "ab".repeat(32))).unwrap();
		let words = words.call.describe().unwrap();
		assert!(words.contains("dispatch_as_root") && words.contains(&"ab".repeat(32)), "{words}");
	}

	#[test]
	fn a_slash_names_its_proof_and_takes_something() {
		let line = |rest: &str| {
			format!("propose slash //Dave --because collusion {rest}")
				.split(' ')
				.map(str::to_owned)
				.collect::<Vec<_>>()
		};
		assert!(Line::try_parse_from(line("--amount 5")).is_err());
		let hash = "ab".repeat(32);
		let error = proposal(&format!(
			"slash //Dave --amount 0 --because collusion --evidence-hash {hash}"
		));
		assert!(error.err().unwrap().to_string().contains("above 0"));
	}

	#[test]
	fn bytes_that_are_no_call_are_not_proposed() {
		let error = proposal("root 0xffff").err().unwrap();
		assert!(error.to_string().contains("no call of this chain"), "{error}");
	}

	#[test]
	fn a_proposal_is_open_for_a_day_unless_told_otherwise() {
		assert_eq!(proposal("dissolve acme").unwrap().terms.blocks, 86_400);
		let terms = proposal("dissolve acme --blocks 20 --reason over").unwrap().terms;
		assert_eq!((terms.blocks, terms.reason.as_str()), (20, "over"));
	}
}
