//! `dpki org member list`: who may do what in an organisation.

use super::{organisation, role_names};
use crate::{
	error::Result,
	output::{Report, hex},
	session::Session,
	values::Name,
};
use dpki_client::account;
use serde_json::{Value, json};

/// Lists the members and the invitations.
pub async fn list(session: &Session, name: &Name) -> Result<Report> {
	let (_client, view) = session.view().await?;
	let id = name.organisation();
	let record = organisation(&view, name).await?;
	let members = view.members_of(id).await?;
	let mut report = Report::new()
		.done(format!("{} members of {name}", members.len()))
		.data("organisation", id.to_string())
		.read_at(view.head());
	// Which members there are is the word of the node, how many there are is in the record.
	if members.len() != record.members as usize {
		report = report.warn(format!(
			"the node names {} members, and the record counts {}: ask another node",
			members.len(),
			record.members
		));
	}
	let mut entries = Vec::new();
	for (member, roles) in members {
		let (address, roles) = (account::address(&member), role_names(roles));
		report = report.tail(format!("  {address}  {}", roles.join(", ")));
		entries.push(json!({ "member": address, "account_id": hex(&member), "roles": roles }));
	}
	let mut invited = Vec::new();
	for invitation in view.invitations(id).await? {
		let (address, until) = (account::address(&invitation.account), invitation.expires_at);
		let roles = role_names(invitation.roles);
		report =
			report.tail(format!("  {address}  invited until block {until}: {}", roles.join(", ")));
		invited.push(json!({ "account": address, "roles": roles, "expires_at_block": until }));
	}
	Ok(report
		.data("members", Value::Array(entries))
		.data("invited", Value::Array(invited)))
}
