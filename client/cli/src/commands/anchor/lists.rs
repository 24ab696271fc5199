//! `dpki anchor children`, `ending` and `of-key`: lists of anchors that come with what proves them.

use crate::{
	commands::accreditation::paged,
	error::Result,
	lookup,
	output::{Report, hex, rfc3339},
	session::Session,
	values::{self, AnchorRef, Name},
};
use dpki_client::view::{Listing, Verdict};
use dpki_primitives::{
	anchor::AnchorRecord,
	ids::{AnchorId, KeyId},
	revocation::RevocationReason,
	storage_keys,
};
use serde_json::{Value, json};
use std::time::Duration;

type Anchors = Listing<(AnchorId, Verdict<AnchorRecord>)>;

/// What an anchor has issued, one page of it.
pub async fn children(session: &Session, anchor: &AnchorRef, start: u32) -> Result<Report> {
	let (_client, view) = session.view().await?;
	let known = lookup::anchor(&view, anchor, super::X509).await?;
	let page = view.anchor_children(known.id, start).await?;
	let report = Report::new()
		.done(format!("{} anchors below {}", page.total, known.id))
		.data("anchor", known.id.to_string())
		.read_at(view.head());
	let line = |id: AnchorId, record: &AnchorRecord, verdict: &Verdict<AnchorRecord>| {
		format!("  {id}  {}", lookup::anchor_verdict(verdict.status, record))
	};
	Ok(listed(report, &page, line))
}

/// The anchors of an organisation that end, or are to be retired, within a time.
pub async fn ending(session: &Session, org: &Name, within: Duration) -> Result<Report> {
	let (_client, view) = session.view().await?;
	let until = values::after(view.now(), within)?;
	let page = view.anchors_ending(org.organisation(), until).await?;
	let span = humantime::format_duration(within);
	let report = Report::new()
		.done(format!("{} anchors of {org} end within {span}", page.items.len()))
		.read_at(view.head());
	let line = |id: AnchorId, record: &AnchorRecord, _: &Verdict<AnchorRecord>| {
		let end = record.ends_at().map(rfc3339).unwrap_or_default();
		format!("  {end}  {id}  {}", record.kind.name())
	};
	Ok(listed(report, &page, line))
}

/// The anchors of a key.
pub async fn of_key(session: &Session, key: KeyId) -> Result<Report> {
	let (_client, view) = session.view().await?;
	let anchors = view.anchors_of_key(key).await?;
	let mut report = Report::new()
		.done(format!("{} anchors have the key {key}", anchors.len()))
		.data("key", key.to_string())
		.data("storage_key", hex(&storage_keys::key_anchors(key)))
		.read_at(view.head());
	let mut entries = Vec::new();
	for id in anchors {
		let Some(record) = view.anchor(id).await? else { continue };
		let status = view.anchor_status(id).await?;
		let verdict = lookup::anchor_verdict(status, &record);
		report = report.tail(format!("  {id}  {}  {verdict}", record.kind.name()));
		let storage_key = storage_keys::anchor(id);
		entries.push(entry(
			id,
			&record,
			&Verdict { record: Some(record.clone()), status, storage_key },
		));
	}
	Ok(report.data("anchors", entries))
}

/// Adds the anchors of a page, each with a line of its own.
fn listed(
	mut report: Report,
	page: &Anchors,
	line: impl Fn(AnchorId, &AnchorRecord, &Verdict<AnchorRecord>) -> String,
) -> Report {
	let mut entries = Vec::new();
	for (id, verdict) in &page.items {
		let Some(record) = &verdict.record else { continue };
		report = report.tail(line(*id, record, verdict));
		entries.push(entry(*id, record, verdict));
	}
	paged(report, "anchors", entries, page)
}

/// An anchor in a list, for programs.
fn entry(id: AnchorId, record: &AnchorRecord, verdict: &Verdict<AnchorRecord>) -> Value {
	json!({
		"anchor": id.to_string(),
		"kind": record.kind.name(),
		"organisation": record.organisation.to_string(),
		"status": verdict.status.name(),
		"reason": verdict.status.reason().map(RevocationReason::rfc5280_name),
		"ends_at": record.ends_at().map(rfc3339),
		"storage_key": hex(&verdict.storage_key),
	})
}
