//! `dpki key ending`: what has to be replaced soon.

use crate::{
	commands::accreditation::paged,
	error::Result,
	lookup,
	output::{Report, hex, rfc3339},
	session::Session,
	values::{self, DeviceRef},
};
use dpki_primitives::revocation::RevocationReason;
use serde_json::json;
use std::time::Duration;

/// The keys of a device that end, or are to be superseded, within a time.
pub async fn list(session: &Session, device: &DeviceRef, within: Duration) -> Result<Report> {
	let (_client, view) = session.view().await?;
	lookup::device(&view, device).await?;
	let until = values::after(view.now(), within)?;
	let page = view.keys_ending(device.id, until).await?;
	let (count, span) = (page.items.len(), humantime::format_duration(within));
	let mut report = Report::new()
		.done(format!("{count} keys of {} end within {span}", device.text))
		.data("device", device.id.to_string())
		.read_at(view.head());
	let mut entries = Vec::new();
	for (id, verdict) in &page.items {
		let Some(record) = &verdict.record else { continue };
		let end = record.ends_at().map(rfc3339);
		let told = end.clone().unwrap_or_default();
		report = report.tail(format!("  {told}  {id}  {}", record.purpose.name()));
		entries.push(json!({
			"key": id.to_string(),
			"purpose": record.purpose.name(),
			"status": verdict.status.name(),
			"reason": verdict.status.reason().map(RevocationReason::rfc5280_name),
			"ends_at": end,
			"storage_key": hex(&verdict.storage_key),
		}));
	}
	Ok(paged(report, "keys", entries, &page))
}
