//! `dpki org`: organisations and their members.

use crate::{
	error::{Error, Result},
	output::{Report, hex},
	session::Session,
	values::{Member, MemberRole, Name, OrgKind},
};
use clap::Subcommand;
use dpki_client::{account, calls};
use dpki_primitives::organisation::{OrganisationKind, RoleSet};

/// Organisations and their members.
#[derive(Subcommand)]
pub enum OrgCommand {
	/// Create an organisation; the signing account becomes its first administrator with every role
	#[command(after_help = "\
Example:
  dpki org create acme --kind ecosystem-operator --account admin.key")]
	Create {
		/// Its name, unique on the chain: a-z, 0-9, - and .
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
}

/// Members of an organisation.
#[derive(Subcommand)]
pub enum MemberCommand {
	/// Make an account a member with exactly these roles
	#[command(after_help = "\
Example:
  dpki org member set acme 5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty --roles registrar,publisher")]
	Set {
		/// Name of the organisation
		name: Name,
		/// The account
		member: Member,
		/// All roles that it shall have
		#[arg(long, value_enum, value_delimiter = ',', required = true)]
		roles: Vec<MemberRole>,
	},
	/// End a membership
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
			Self::Member(MemberCommand::Set { name, member, roles }) => {
				set_member(session, &name, &member, &roles).await
			},
			Self::Member(MemberCommand::Remove { name, member }) => {
				remove_member(session, &name, &member).await
			},
		}
	}
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
		.row("administrator", account.address())
		.finalized(&finalized))
}

async fn show(session: &Session, name: &Name, member: Option<Member>) -> Result<Report> {
	let (_client, view) = session.view().await?;
	let id = name.organisation();
	let record = view
		.organisation(id)
		.await?
		.ok_or_else(|| Error::Unknown { what: "organisation", name: name.to_string() })?;
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
		.row_as("anchors", anchors.len().to_string(), anchors)
		.read_at(view.head());
	if let Some(Member(member)) = member {
		let roles = role_names(view.roles(id, &member).await?);
		let text =
			if roles.is_empty() { "none: not a member".to_owned() } else { roles.join(", ") };
		report = report.row("member", account::address(&member)).row_as("roles", text, roles);
	}
	Ok(report)
}

async fn set_member(
	session: &Session,
	name: &Name,
	Member(member): &Member,
	roles: &[MemberRole],
) -> Result<Report> {
	let roles: RoleSet = roles.iter().map(|role| (*role).into()).collect();
	let account = session.account()?;
	let client = session.connect().await?;
	let call = calls::set_member(name.organisation(), member, roles);
	let finalized = session.submit(&client, &account, &call, "setting the roles").await?;
	let roles = role_names(roles);
	Ok(Report::new()
		.done(format!("Set the roles of a member of {name}"))
		.data("organisation", name.organisation().to_string())
		.row("member", account::address(member))
		.data("account_id", hex(member))
		.row_as("roles", roles.join(", "), roles)
		.finalized(&finalized))
}

async fn remove_member(session: &Session, name: &Name, Member(member): &Member) -> Result<Report> {
	let account = session.account()?;
	let client = session.connect().await?;
	let call = calls::remove_member(name.organisation(), member);
	let finalized = session.submit(&client, &account, &call, "removing the member").await?;
	Ok(Report::new()
		.done(format!("Removed a member of {name}"))
		.data("organisation", name.organisation().to_string())
		.row("member", account::address(member))
		.data("account_id", hex(member))
		.finalized(&finalized))
}

fn role_names(roles: RoleSet) -> Vec<String> {
	roles.iter().map(|role| role.name().to_owned()).collect()
}
