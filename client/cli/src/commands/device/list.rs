//! `dpki device list`: the devices of an organisation, with what proves that none was left out.

use crate::{
	commands::accreditation::paged,
	error::Result,
	lookup,
	output::{self, Report, hex, rfc3339},
	session::Session,
	values::{self, Name},
};
use clap::Args;
use dpki_client::{View, view::Verdict};
use dpki_primitives::{
	Moment,
	ids::{DeviceId, KeyId, name_to_string},
	key::KeyRecord,
	revocation::RevocationReason,
};
use serde_json::{Value, json};
use std::time::Duration;

/// List the devices of an organisation.
#[derive(Args)]
pub struct List {
	/// Name of the organisation
	#[arg(long = "organisation", visible_alias = "org")]
	org: Name,
	/// Only devices with unrevoked keys that end, or are to be superseded, within this time
	#[arg(long, value_name = "TIME", value_parser = values::duration)]
	ending: Option<Duration>,
	/// The number at which the page begins
	#[arg(long, default_value_t = 0)]
	start: u32,
}

impl List {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		let Self { org, ending, start } = self;
		let (_client, view) = session.view().await?;
		let until = ending.map(|within| values::after(view.now(), within)).transpose()?;
		let page = view.devices_of(org.organisation(), start).await?;
		let headline = match ending {
			None => format!("{} devices of {org}", page.total),
			Some(within) => {
				format!("Devices of {org} with keys that end within {}", output::span(within))
			},
		};
		let mut report = Report::new().done(headline).read_at(view.head());
		let mut entries = Vec::new();
		for (id, verdict) in &page.items {
			let Some(record) = &verdict.record else { continue };
			let keys = match until {
				None => None,
				Some(until) => Some(ending_keys(&view, *id, until).await?),
			};
			if keys.as_ref().is_some_and(Vec::is_empty) {
				continue;
			}
			let name = name_to_string(&record.name);
			let words = lookup::verdict(verdict.status, &record.standing());
			report = report.tail(format!("  {id}  {name}  {words}"));
			for (line, _) in keys.iter().flatten() {
				report = report.tail(line);
			}
			entries.push(json!({
				"device": id.to_string(),
				"name": name,
				"status": verdict.status.name(),
				"reason": verdict.status.reason().map(RevocationReason::rfc5280_name),
				"enrolled_at": rfc3339(record.enrolled_at),
				"keys_registered": record.keys_registered,
				"storage_key": hex(&verdict.storage_key),
				"keys_ending": keys.map(|keys| keys.into_iter().map(|(_, it)| it).collect::<Vec<_>>()),
			}));
		}
		Ok(paged(report, "devices", entries, &page))
	}
}

/// The keys of a device that end until then, for people and for programs.
async fn ending_keys(view: &View, device: DeviceId, until: Moment) -> Result<Vec<(String, Value)>> {
	let page = view.keys_ending(device, until).await?;
	let told = |(id, verdict): &(KeyId, Verdict<KeyRecord>)| {
		let record = verdict.record.as_ref()?;
		let end = record.ends_at().map(rfc3339)?;
		let purpose = record.purpose.name();
		let line = format!("    {end}  {id}  {purpose}");
		let json = json!({ "key": id.to_string(), "purpose": purpose, "ends_at": end });
		Some((line, json))
	};
	Ok(page.items.iter().filter_map(told).collect())
}
