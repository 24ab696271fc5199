//! `dpki fleet list`: the fleets of an organisation, with what proves that none was left out.

use crate::{
	commands::accreditation::paged,
	error::Result,
	output::{Report, hex, rfc3339},
	session::Session,
	values::Name,
};
use clap::Args;
use dpki_primitives::{ids::name_to_string, revocation::RevocationReason};
use serde_json::json;

/// List the fleets of an organisation.
#[derive(Args)]
pub struct List {
	/// Name of the organisation
	#[arg(value_name = "ORG")]
	org: Name,
	/// The number at which the page begins
	#[arg(long, default_value_t = 0)]
	start: u32,
}

impl List {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		let Self { org, start } = self;
		let (_client, view) = session.view().await?;
		let page = view.fleets_of(org.organisation(), start).await?;
		let mut report = Report::new()
			.done(format!("{} fleets of {org}", page.total))
			.read_at(view.head());
		let mut entries = Vec::new();
		for (id, verdict) in &page.items {
			let Some(record) = &verdict.record else { continue };
			let (name, status) = (name_to_string(&record.name), verdict.status);
			let members = record.current.map(|head| head.commitment.size);
			let words = match members {
				Some(members) => format!("{}, {members} members", status.name()),
				None => "no commitment of it counts".to_owned(),
			};
			report = report.tail(format!("  {id}  {name}  {words}"));
			entries.push(json!({
				"fleet": id.to_string(),
				"name": name,
				"status": status.name(),
				"reason": status.reason().map(RevocationReason::rfc5280_name),
				"members": members,
				"candidate_members": record.candidate.map(|it| it.commitment.size),
				"committed_at": rfc3339(record.committed_at),
				"retired_at": record.retired_at.map(rfc3339),
				"storage_key": hex(&verdict.storage_key),
			}));
		}
		Ok(paged(report, "fleets", entries, &page))
	}
}
