//! `dpki org`: organisations and their members.
//!
//! What an organisation decides by vote is in `dpki motion`.

mod key_policy;
mod members;

use crate::{
	error::{Error, Result},
	output::{Report, hex, rfc3339},
	prompt,
	session::Session,
	transaction,
	values::{Member, MemberRole, Name, OrgKind, Policy},
};
use clap::Subcommand;
use dpki_client::{Call, View, account, calls, view::dissolved_key};
use dpki_primitives::organisation::{
	DeliveryPolicy, OrganisationKind, OrganisationRecord, Role, RoleSet,
};
use serde_json::{Value, json};

/// Organisations and their members.
#[derive(Subcommand)]
#[command(after_help = "\
Examples:
  dpki org create acme --kind ecosystem-operator
  dpki org show acme")]
pub enum OrgCommand {
	/// Create an organisation; the signing account becomes its first administrator with every role
	#[command(after_help = "\
Example:
  dpki org create acme --kind ecosystem-operator --account admin.key")]
	Create {
		/// Its name, unique on the chain: lower-case letters, digits, hyphens and dots
		name: Name,
		/// What it is
		#[arg(long, value_enum)]
		kind: OrgKind,
	},
	/// Show an organisation, and with --member what one account may do in it
	#[command(after_help = "\
Examples:
  dpki org show acme
  dpki org show acme --member 5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty")]
	Show {
		/// Its name
		name: Name,
		/// An account: SS58 address, 0x and 64 digits, or a development account such as //Bob
		#[arg(long, value_name = "ACCOUNT")]
		member: Option<Member>,
	},
	/// Give roles to members and take them away
	#[command(subcommand)]
	Member(MemberCommand),
	/// Show what the organisation asks of the keys of its devices, or change what is given
	///
	/// It is changed by whoever may change the policy. What is registered already stays as it is.
	#[command(after_help = "\
Examples:
  dpki org key-policy acme
  dpki org key-policy acme --self-service on --longest tls=365d --types ed25519,p256,x25519")]
	KeyPolicy(key_policy::KeyPolicyCommand),
	/// Change how deliveries are approved, and with it who changes the members who approve
	///
	/// An administrator does this alone under the policy `simple`; under the others `dpki motion propose policy` does.
	#[command(after_help = "\
Examples:
  dpki org policy acme multi-admin
  dpki org policy acme watchdogs:2")]
	Policy {
		/// Name of the organisation
		name: Name,
		/// simple: one publisher publishes; multi-admin: two people; watchdogs:M: M of the watchdogs approve
		policy: Policy,
	},
	/// Accept an invitation: become a member with the roles that were offered
	///
	/// It costs nothing. To decline, remove the own account: `dpki org member remove`.
	#[command(after_help = "\
Example:
  dpki org join acme --account bob.key")]
	Join {
		/// Name of the organisation
		name: Name,
	},
	/// Offer the own membership to another account: how a member changes its key
	#[command(after_help = "\
Example:
  dpki org hand-over acme 5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty --account old.key")]
	HandOver {
		/// Name of the organisation
		name: Name,
		/// The account that shall have the membership
		to: Member,
	},
	/// Take the own offer of a membership back
	#[command(after_help = "\
Example:
  dpki org cancel-hand-over acme --account old.key")]
	CancelHandOver {
		/// Name of the organisation
		name: Name,
	},
	/// Accept a membership that another account has offered
	#[command(after_help = "\
Example:
  dpki org accept acme --from 5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty --account new.key")]
	Accept {
		/// Name of the organisation
		name: Name,
		/// The account that has offered it
		#[arg(long, value_name = "ACCOUNT")]
		from: Member,
	},
	/// Complete a recovery of lost keys, or object to it
	///
	/// It begins by vote: `dpki motion propose recover`.
	#[command(subcommand)]
	Recover(RecoverCommand),
	/// Show when an organisation was dissolved, whose name never comes back
	#[command(after_help = "\
Example:
  dpki org dissolved acme")]
	Dissolved {
		/// Name of the organisation
		name: Name,
	},
	/// Dissolve an organisation for which nothing was ever registered; its name never comes back
	#[command(after_help = "\
Example:
  dpki org dissolve acme --yes")]
	Dissolve {
		/// Name of the organisation
		name: Name,
		/// Do not ask for confirmation
		#[arg(long)]
		yes: bool,
	},
}

/// A pending recovery.
#[derive(Subcommand)]
#[command(after_help = "\
Example:
  dpki org recover complete acme")]
pub enum RecoverCommand {
	/// Take the seat with the account that it is for, once the time for objections is over
	#[command(after_help = "\
Example:
  dpki org recover complete acme")]
	Complete {
		/// Name of the organisation
		name: Name,
	},
	/// Object: a key that is said to be lost is not
	#[command(after_help = "\
Example:
  dpki org recover cancel acme --account admin.key")]
	Cancel {
		/// Name of the organisation
		name: Name,
	},
}

/// Members of an organisation.
#[derive(Subcommand)]
#[command(after_help = "\
Example:
  dpki org member set acme //Bob --roles registrar,publisher")]
pub enum MemberCommand {
	/// List the members with their roles, and who is invited
	#[command(after_help = "\
Example:
  dpki org member list acme")]
	List {
		/// Name of the organisation
		name: Name,
	},
	/// Invite an account, or give a member exactly these roles
	///
	/// Whoever is invited becomes a member by `dpki org join`.
	#[command(after_help = "\
Example:
  dpki org member set acme 5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty \\
      --roles registrar,publisher")]
	Set {
		/// Name of the organisation
		name: Name,
		/// The account
		member: Member,
		/// All roles that it shall have
		#[arg(long, value_enum, value_delimiter = ',', required = true)]
		roles: Vec<MemberRole>,
	},
	/// End a membership, or withdraw an invitation
	#[command(after_help = "\
Example:
  dpki org member remove acme 5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty")]
	Remove {
		/// Name of the organisation
		name: Name,
		/// The account
		member: Member,
	},
}

impl OrgCommand {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		match self {
			Self::Create { name, kind } => create(session, &name, kind).await,
			Self::Show { name, member } => show(session, &name, member).await,
			Self::KeyPolicy(command) => command.run(session).await,
			Self::Member(MemberCommand::List { name }) => members::list(session, &name).await,
			Self::Member(MemberCommand::Set { name, member, roles }) => {
				set_member(session, &name, &member, &roles).await
			},
			Self::Member(MemberCommand::Remove { name, member }) => {
				remove_member(session, &name, &member).await
			},
			Self::Policy { name, policy } => set_policy(session, &name, policy).await,
			Self::Join { name } => join(session, &name).await,
			Self::HandOver { name, to } => hand_over(session, &name, &to).await,
			Self::CancelHandOver { name } => cancel_hand_over(session, &name).await,
			Self::Accept { name, from } => accept(session, &name, &from).await,
			Self::Recover(RecoverCommand::Complete { name }) => {
				let call = calls::complete_recovery(name.organisation());
				recover(session, &name, &call, "completing the recovery", "Completed").await
			},
			Self::Recover(RecoverCommand::Cancel { name }) => {
				let call = calls::cancel_recovery(name.organisation());
				recover(session, &name, &call, "calling the recovery off", "Called off").await
			},
			Self::Dissolved { name } => dissolved(session, &name).await,
			Self::Dissolve { name, yes } => dissolve(session, &name, yes).await,
		}
	}
}

/// The organisation as stored, or an error.
pub async fn organisation(view: &View, name: &Name) -> Result<OrganisationRecord> {
	view.organisation(name.organisation())
		.await?
		.ok_or_else(|| Error::Unknown { what: "organisation", name: name.to_string() })
}

/// Fails, with the command that does it, unless an administrator alone may change what the policy protects.
fn require_no_vote(name: &Name, policy: DeliveryPolicy, command: &str) -> Result<()> {
	if policy == DeliveryPolicy::Simple {
		return Ok(());
	}
	Err(Error::NotAllowed {
		why: format!(
			"{name} has the policy {}, under which the {} decide this by vote",
			Policy(policy),
			policy.body().name()
		),
		next: format!("propose it with `dpki motion propose {command}`"),
	})
}

async fn set_policy(session: &Session, name: &Name, policy: Policy) -> Result<Report> {
	let account = session.account()?;
	let (client, view) = session.view().await?;
	let record = organisation(&view, name).await?;
	require_no_vote(name, record.policy, &format!("policy {name} {policy}"))?;
	let call = calls::set_policy(name.organisation(), policy.0);
	let submitted = session.submit(&client, &account, &call, "changing the policy").await;
	let finalized = submitted.map_err(|error| unmet(error, name, &record, &policy))?;
	Ok(Report::new()
		.done(format!("Changed the policy of {name}"))
		.data("organisation", name.organisation().to_string())
		.row("policy", policy)
		.finalized(&finalized))
}

/// Names who is missing for a policy that was refused for that.
fn unmet(error: Error, name: &Name, record: &OrganisationRecord, policy: &Policy) -> Error {
	let (role, needed, found) = match policy.0 {
		DeliveryPolicy::Watchdogs { needed } => (Role::Watchdog, needed, record.watchdogs),
		DeliveryPolicy::MultiAdmin => (Role::Administrator, 2, record.administrators),
		DeliveryPolicy::Simple => return error,
	};
	if !transaction::is_refusal(&error, "PolicyNotMet") {
		return error;
	}
	let role = role.name();
	Error::NotAllowed {
		why: format!(
			"the policy {policy} needs {needed} members with the role {role}, and {name} has {found} (PolicyNotMet)"
		),
		next: format!(
			"give it first with `dpki org member set {name} ACCOUNT --roles {role}` (with the roles that it has besides), and whoever is new accepts with \
			 `dpki org join {name}`"
		),
	}
}

async fn join(session: &Session, name: &Name) -> Result<Report> {
	let account = session.account()?;
	let client = session.connect().await?;
	let call = calls::join(name.organisation());
	let finalized = session.submit(&client, &account, &call, "accepting the invitation").await?;
	let member = session.actor(&account);
	let view = client.at_finalized().await?;
	let roles = role_names(view.roles(name.organisation(), &member).await?);
	Ok(Report::new()
		.done(format!("Joined {name}"))
		.data("organisation", name.organisation().to_string())
		.row("member", account::address(&member))
		.row_as("roles", roles.join(", "), roles)
		.finalized(&finalized))
}

async fn hand_over(session: &Session, name: &Name, Member(to): &Member) -> Result<Report> {
	let account = session.account()?;
	let client = session.connect().await?;
	let call = calls::hand_over(name.organisation(), to);
	let finalized = session.submit(&client, &account, &call, "offering the membership").await?;
	let offer = client
		.at_finalized()
		.await?
		.hand_over(name.organisation(), &session.actor(&account))
		.await?;
	Ok(Report::new()
		.done(format!("Offered the membership in {name}"))
		.data("organisation", name.organisation().to_string())
		.row("from", account::address(&session.actor(&account)))
		.row("to", account::address(to))
		.data("expires_at_block", offer.map(|offer| offer.expires_at))
		.tail(format!(
			"The other account accepts with `dpki org accept {name} --from {}`",
			account::address(&session.actor(&account))
		))
		.finalized(&finalized))
}

async fn cancel_hand_over(session: &Session, name: &Name) -> Result<Report> {
	let account = session.account()?;
	let client = session.connect().await?;
	let call = calls::cancel_hand_over(name.organisation());
	let finalized = session.submit(&client, &account, &call, "taking the offer back").await?;
	Ok(Report::new()
		.done(format!("Took the offer of the membership in {name} back"))
		.data("organisation", name.organisation().to_string())
		.row("from", account::address(&session.actor(&account)))
		.finalized(&finalized))
}

async fn accept(session: &Session, name: &Name, Member(from): &Member) -> Result<Report> {
	let account = session.account()?;
	let client = session.connect().await?;
	let call = calls::accept_hand_over(name.organisation(), from);
	let finalized = session.submit(&client, &account, &call, "accepting the membership").await?;
	Ok(Report::new()
		.done(format!("Accepted the membership in {name}"))
		.data("organisation", name.organisation().to_string())
		.row("from", account::address(from))
		.row("to", account::address(&session.actor(&account)))
		.finalized(&finalized))
}

async fn recover(
	session: &Session,
	name: &Name,
	call: &impl Call,
	doing: &str,
	done: &str,
) -> Result<Report> {
	let account = session.account()?;
	let (client, view) = session.view().await?;
	let Some(recovery) = view.recovery(name.organisation()).await? else {
		return Err(Error::NotAllowed {
			why: format!("no recovery of {name} is pending"),
			next: "one begins by vote: `dpki motion propose recover`".to_owned(),
		});
	};
	let finalized = session.submit(&client, &account, call, doing).await?;
	Ok(Report::new()
		.done(format!("{done} the recovery of {name}"))
		.data("organisation", name.organisation().to_string())
		.row("body", recovery.body.name())
		.row("member", account::address(&recovery.account))
		.finalized(&finalized))
}

async fn dissolve(session: &Session, name: &Name, yes: bool) -> Result<Report> {
	let account = session.account()?;
	let (client, view) = session.view().await?;
	let present = organisation(&view, name).await?.policy;
	require_no_vote(name, present, &format!("dissolve {name}"))?;
	prompt::confirm(&format!("Dissolve {name}? Its name never comes back."), yes)?;
	let call = calls::dissolve(name.organisation());
	let finalized = session.submit(&client, &account, &call, "dissolving the organisation").await?;
	Ok(Report::new()
		.done(format!("Dissolved {name}"))
		.row("organisation", name.organisation())
		.finalized(&finalized))
}

async fn create(session: &Session, name: &Name, kind: OrgKind) -> Result<Report> {
	let call = calls::create_organisation(name.as_str(), kind.into())?;
	let account = session.account()?;
	let client = session.connect().await?;
	let finalized = session.submit(&client, &account, &call, "creating the organisation").await?;
	Ok(Report::new()
		.done(format!("Created the organisation {name}"))
		.row("organisation", name.organisation())
		.data("name", name.as_str())
		.row("kind", OrganisationKind::from(kind).name())
		.row("administrator", account::address(&session.actor(&account)))
		.finalized(&finalized))
}

async fn show(session: &Session, name: &Name, member: Option<Member>) -> Result<Report> {
	let (_client, view) = session.view().await?;
	let id = name.organisation();
	let record = organisation(&view, name).await?;
	let recovery = view.recovery(id).await?;
	let anchors = view.organisation_anchors(id).await?;
	let anchors: Vec<String> = anchors.iter().map(ToString::to_string).collect();
	let mut report = Report::new()
		.done(format!("Organisation {name}"))
		.row("organisation", id)
		.data("name", name.as_str())
		.row("kind", record.kind.name())
		.time("created_at", record.created_at)
		.row_as("members", record.members.to_string(), record.members)
		.row_as("administrators", record.administrators.to_string(), record.administrators)
		.row_as("watchdogs", record.watchdogs.to_string(), record.watchdogs)
		.row("policy", Policy(record.policy))
		.row_as("anchors", anchors.len().to_string(), anchors)
		.read_at(view.head());
	report = match recovery {
		Some(recovery) => {
			let (account, body) = (account::address(&recovery.account), recovery.body.name());
			let text = format!("{account} among the {body}, from block {}", recovery.ready_at);
			let value =
				json!({ "account": account, "body": body, "ready_at_block": recovery.ready_at });
			report.row_as("recovery", text, value)
		},
		None => report.data("recovery", Value::Null),
	};
	if let Some(Member(member)) = member {
		let roles = role_names(view.roles(id, &member).await?);
		let text =
			if roles.is_empty() { "none: not a member".to_owned() } else { roles.join(", ") };
		report = report.row("member", account::address(&member)).row_as("roles", text, roles);
		if let Some(invitation) =
			view.invitations(id).await?.into_iter().find(|it| it.account == member)
		{
			let offered = role_names(invitation.roles);
			report = report
				.row_as("invited_as", offered.join(", "), offered)
				.data("invitation_expires_at_block", invitation.expires_at);
		}
		if let Some(offer) = view.hand_over(id, &member).await? {
			report = report.row("offered_to", account::address(&offer.to));
		}
	}
	Ok(report)
}

async fn dissolved(session: &Session, name: &Name) -> Result<Report> {
	let (_client, view) = session.view().await?;
	let id = name.organisation();
	let at = view.dissolved_at(id).await?;
	let sentence = match at {
		Some(at) => format!("Organisation {name} was dissolved on {}", rfc3339(at)),
		None => format!("No organisation {name} was dissolved"),
	};
	Ok(Report::new()
		.done(sentence)
		.row("organisation", id)
		.data("dissolved_at", at.map(rfc3339))
		.data("storage_key", hex(&dissolved_key(id)))
		.read_at(view.head()))
}

async fn set_member(
	session: &Session,
	name: &Name,
	Member(member): &Member,
	roles: &[MemberRole],
) -> Result<Report> {
	let roles: RoleSet = roles.iter().map(|role| (*role).into()).collect();
	let account = session.account()?;
	let (client, view) = session.view().await?;
	let is_member = !view.roles(name.organisation(), member).await?.is_empty();
	let call = calls::set_member(name.organisation(), member, roles);
	let doing = if is_member { "setting the roles" } else { "inviting the account" };
	let finalized = session.submit(&client, &account, &call, doing).await?;
	let roles = role_names(roles);
	let done = match is_member {
		true => format!("Set the roles of a member of {name}"),
		false => format!("Invited an account to {name}"),
	};
	let report = Report::new()
		.done(done)
		.data("organisation", name.organisation().to_string())
		.row("member", account::address(member))
		.data("account_id", hex(member))
		.data("invited", !is_member)
		.row_as("roles", roles.join(", "), roles);
	let report = match is_member {
		true => report,
		false => report.tail(format!("The account accepts with `dpki org join {name}`")),
	};
	Ok(report.finalized(&finalized))
}

async fn remove_member(session: &Session, name: &Name, Member(member): &Member) -> Result<Report> {
	let account = session.account()?;
	let client = session.connect().await?;
	let call = calls::remove_member(name.organisation(), member);
	let finalized = session.submit(&client, &account, &call, "removing the member").await?;
	Ok(Report::new()
		.done(format!("Removed a member, or an invitation, of {name}"))
		.data("organisation", name.organisation().to_string())
		.row("member", account::address(member))
		.data("account_id", hex(member))
		.finalized(&finalized))
}

fn role_names(roles: RoleSet) -> Vec<String> {
	roles.iter().map(|role| role.name().to_owned()).collect()
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_policy_that_is_not_met_names_who_is_missing() {
		let name: Name = "acme".parse().unwrap();
		let record = OrganisationRecord {
			name: b"acme".to_vec().try_into().unwrap(),
			kind: OrganisationKind::Manufacturer,
			policy: DeliveryPolicy::Simple,
			created_at: 1,
			members: 2,
			administrators: 1,
			watchdogs: 0,
		};
		let refused = |error: &str, policy: &str| {
			let error = dpki_client::SubmitError::Failed {
				pallet: "Organisations".into(),
				error: error.into(),
				sentence: "There are too few: appoint some.".into(),
			};
			unmet(error.into(), &name, &record, &policy.parse().unwrap())
		};
		let error = refused("PolicyNotMet", "watchdogs:3");
		let sentence = error.to_string();
		assert!(sentence.contains("needs 3 members with the role watchdog"), "{sentence}");
		assert!(sentence.contains("acme has 0 (PolicyNotMet)"), "{sentence}");
		let next = error.next_step().unwrap();
		assert!(next.contains("`dpki org member set acme ACCOUNT --roles watchdog`"), "{next}");
		let error = refused("PolicyNotMet", "multi-admin");
		assert!(error.to_string().contains("2 members with the role administrator"), "{error}");
		assert!(transaction::is_refusal(&refused("RoleMissing", "multi-admin"), "RoleMissing"));
	}

	#[test]
	fn what_needs_a_vote_names_the_command_that_proposes_it() {
		let name: Name = "acme".parse().unwrap();
		assert!(require_no_vote(&name, DeliveryPolicy::Simple, "dissolve acme").is_ok());
		for (policy, body) in [
			(DeliveryPolicy::MultiAdmin, "administrators"),
			(DeliveryPolicy::Watchdogs { needed: 2 }, "watchdogs"),
		] {
			let error = require_no_vote(&name, policy, "dissolve acme").unwrap_err();
			assert!(error.to_string().contains(body), "{error}");
			let next = error.next_step().unwrap();
			assert!(next.contains("dpki motion propose dissolve acme"), "{next}");
		}
	}
}
