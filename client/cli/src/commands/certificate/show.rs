//! Certificates as they are told: verdict, level, and why.

use crate::{
	commands::accreditation::paged,
	error::{Error, Result},
	lookup,
	output::{self, Report, hex, rfc3339},
	session::Session,
	values::{self, Member, Name},
};
use dpki_client::{
	Head, View, account, subject,
	view::{Listing, Verdict},
};
use dpki_primitives::{
	assessment::Assessed,
	assurance::{Assessment, Level},
	certificate::{Authority, CertificateRecord, Holder, day_of},
	ids::{CertificateId, KeyId, OrganisationId},
	revocation::RevocationReason,
	status::{Standing, Status, Validity},
	storage_keys,
	subject::Subject,
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, time::Duration};

/// The farthest that `dpki certificate ending` looks ahead: one query for each day.
const MAX_DAYS: u32 = 366;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The certificate as stored, or an error.
pub async fn find(view: &View, id: CertificateId) -> Result<CertificateRecord> {
	let answer = view.certificate(id).await?;
	answer
		.certificate
		.record
		.ok_or_else(|| Error::Unknown { what: "certificate", name: id.to_string() })
}

/// Everything about a certificate, as the node's runtime tells it.
pub async fn certificate(view: &View, id: CertificateId) -> Result<Report> {
	let answer = view.certificate(id).await?;
	let assessed = view.assessment(id).await?;
	let found = answer.certificate.record.zip(assessed.assessment);
	let found = found.map(|(record, assessment)| Assessed { record, assessment });
	let report = told(view, id, found, view.head()).await?;
	let proof: Vec<_> = assessed.depends_on.iter().map(|key| hex(key)).collect();
	Ok(report.data("proven_by", proof).data("proven", false))
}

/// The same by records that the node has proven, and by the rule of the chain as this program knows it. Of the node are only
/// the names of organisations, and they are held against the ids.
pub async fn proven(session: &Session, proven: &View, id: CertificateId) -> Result<Report> {
	let (_client, view) = session.view().await?;
	let (found, keys) = proven.assessed_by(id).await?;
	let keys: Vec<_> = keys.iter().map(|key| hex(key)).collect();
	let report = told(&view, id, found, proven.head()).await?;
	Ok(report.data("proven_by", keys).data("proven", true))
}

async fn told(
	view: &View,
	id: CertificateId,
	found: Option<Assessed>,
	head: Head,
) -> Result<Report> {
	let unknown = || Error::Unknown { what: "certificate", name: id.to_string() };
	let found = found.ok_or_else(unknown)?;
	let record = &found.record;
	let status = found.assessment.status;
	let report = content(Report::new(), record)
		.done(format!("Certificate {id}: {}", headline(&found)))
		.data("certificate", id.to_string())
		.row("holder", holder(view, record.holder).await?)
		.data("status", status.name())
		.data("reason", status.reason().map(RevocationReason::rfc5280_name))
		.time_if("control_until", record.control_until)
		.row("digest", record.digest(id));
	let report = match record.suspension {
		Some(hold) => {
			let by = match hold.by {
				Authority::Holder => "holder",
				Authority::Consortium => "consortium",
			};
			report.row("suspended_by", by).time("suspended_at", hold.at)
		},
		None => report,
	};
	let report = explained(view, report, &found.assessment).await?;
	Ok(report.data("storage_key", hex(&storage_keys::certificate(id))).read_at(head))
}

/// What endorsers attest, as far as it is told.
pub fn content(report: Report, record: &CertificateRecord) -> Report {
	let name = record
		.display_name
		.as_ref()
		.map(|name| String::from_utf8_lossy(name).into_owned());
	let report = report
		.row("subject", subject::to_text(&record.subject))
		.data("subject_id", record.subject.id().to_string())
		.row("requested_level", record.requested.name())
		.row("key_id", KeyId::of(&record.key))
		.data("algorithm", record.key.key_type.name())
		.data("public_key", hex(&record.key.bytes))
		.time("not_before", record.validity.not_before)
		.time_if("not_after", record.validity.not_after);
	match name {
		Some(name) => report.row("display_name", name),
		None => report.data("display_name", Value::Null),
	}
}

/// The verdict and the level in words.
pub fn headline(Assessed { record, assessment }: &Assessed) -> String {
	match assessment.level {
		Some(level) if level == assessment.requested => format!("valid, {}", level.name()),
		Some(level) => {
			format!("valid, {} (requested {})", level.name(), assessment.requested.name())
		},
		None => words(record, assessment.status),
	}
}

/// A verdict with its reason and since when.
pub fn words(record: &CertificateRecord, status: Status) -> String {
	lookup::verdict(status, &standing(record))
}

/// What the words for a verdict need of the record.
pub fn standing(record: &CertificateRecord) -> Standing {
	Standing {
		validity: Validity { not_after: Some(record.ends_at()), ..record.validity },
		suspended: record.suspension.is_some(),
		superseded_at: None,
		revocation: record.revocation,
	}
}

/// Adds the effective level, and one line for each endorsement.
async fn explained(view: &View, report: Report, assessment: &Assessment) -> Result<Report> {
	let level = assessment.level.map(Level::name);
	let mut report = report
		.row_as("level", level.unwrap_or("none"), level)
		.data("counted_for_ov", assessment.counted_for_ov)
		.data("counted_for_ev", assessment.counted_for_ev)
		.data("needed_for_ov", assessment.quorum.ov)
		.data("needed_for_ev", assessment.quorum.ev);
	if assessment.requested > Level::Dv {
		let counted = format!(
			"{} of {} for OV, {} of {} for EV",
			assessment.counted_for_ov,
			assessment.quorum.ov,
			assessment.counted_for_ev,
			assessment.quorum.ev,
		);
		report = report.row_as("endorsements_that_count", counted, assessment.counted_for_ov);
	}
	let mut names = BTreeMap::new();
	for id in assessment.explanations.iter().filter_map(|it| it.organisation) {
		names.insert(id, lookup::organisation_name(view, id).await?);
	}
	let name = |id: OrganisationId| names.get(&id).cloned().unwrap_or_else(|| id.to_string());
	let (lines, endorsements) = endorsements(assessment, name);
	let report = lines.into_iter().fold(report, |report, line| report.tail(line));
	Ok(report.data("endorsements", Value::Array(endorsements)))
}

/// What became of each endorsement, for people and for programs.
pub fn endorsements(
	assessment: &Assessment,
	name: impl Fn(OrganisationId) -> String,
) -> (Vec<String>, Vec<Value>) {
	let told = assessment.explanations.iter().map(|it| {
		let organisation = it.organisation.map(&name);
		let endorser = account::address(&it.endorser);
		let of = organisation.as_deref().unwrap_or("no organisation");
		let (level, finding) = (it.level.name(), it.finding.name());
		let line = format!("  endorsement {level}  {endorser} ({of}): {finding}");
		let entry = json!({
			"endorser": endorser,
			"organisation": organisation,
			"level": level,
			"finding": finding,
		});
		(line, entry)
	});
	told.unzip()
}

/// The holder by name or address.
pub async fn holder(view: &View, holder: Holder) -> Result<String> {
	Ok(match holder {
		Holder::Account(account) => account::address(&account),
		Holder::Organisation(id) => format!("org:{}", lookup::organisation_name(view, id).await?),
	})
}

/// A certificate in one line.
pub fn line(id: CertificateId, record: &CertificateRecord, status: Status) -> String {
	format!("  {id}  {}: {}", subject::to_text(&record.subject), words(record, status))
}

/// A certificate in a list, for programs.
pub fn entry(
	id: CertificateId,
	record: &CertificateRecord,
	verdict: &Verdict<CertificateRecord>,
) -> Value {
	json!({
		"certificate": id.to_string(),
		"subject": subject::to_text(&record.subject),
		"requested_level": record.requested.name(),
		"status": verdict.status.name(),
		"reason": verdict.status.reason().map(RevocationReason::rfc5280_name),
		"key_id": KeyId::of(&record.key).to_string(),
		"ends_at": rfc3339(record.ends_at()),
		"storage_key": hex(&verdict.storage_key),
	})
}

/// Adds the certificates of a page.
pub fn listed(
	mut report: Report,
	page: &Listing<(CertificateId, Verdict<CertificateRecord>)>,
) -> (Report, Vec<Value>) {
	let mut entries = Vec::new();
	for (id, verdict) in &page.items {
		let Some(record) = &verdict.record else { continue };
		report = report.tail(line(*id, record, verdict.status));
		entries.push(entry(*id, record, verdict));
	}
	(report, entries)
}

/// `dpki certificate list`.
pub async fn list(
	session: &Session,
	org: Option<Name>,
	account: Option<Member>,
	about: Option<Subject>,
	start: u32,
) -> Result<Report> {
	let (_client, view) = session.view().await?;
	let (page, of) = match (org, account, about) {
		(Some(org), ..) => {
			let holder = Holder::Organisation(org.organisation());
			(view.certificates_of(holder, start).await?, format!("of {org}"))
		},
		(None, Some(Member(who)), _) => {
			let page = view.certificates_of(Holder::Account(who), start).await?;
			(page, format!("of {}", account::address(&who)))
		},
		(None, None, Some(about)) => {
			let page = view.certificates_about(about.id(), start).await?;
			(page, format!("about {}", subject::to_text(&about)))
		},
		(None, None, None) => {
			return Err(Error::Usage("say whose: give --org, --holder or --about".to_owned()));
		},
	};
	let report = Report::new()
		.done(format!("{} certificates {of}", page.total))
		.read_at(view.head());
	let (report, entries) = listed(report, &page);
	Ok(paged(report, "certificates", entries, &page))
}

/// `dpki certificate ending`.
pub async fn ending(session: &Session, within: Duration, org: Option<Name>) -> Result<Report> {
	if within > DAY * MAX_DAYS {
		return Err(Error::Usage("that is too far ahead: look at a year at most".to_owned()));
	}
	let (_client, view) = session.view().await?;
	let until = values::after(view.now(), within)?;
	let only = org.as_ref().map(|org| Holder::Organisation(org.organisation()));
	let (mut report, mut entries) = (Report::new(), Vec::new());
	for day in day_of(view.now())..=day_of(until) {
		let mut start = Some(0);
		while let Some(from) = start {
			let page = view.certificates_ending_on(day, from).await?;
			for (id, verdict) in &page.items {
				let Some(record) = &verdict.record else { continue };
				let is_soon = (view.now()..=until).contains(&record.ends_at());
				if !is_soon || only.is_some_and(|only| only != record.holder) {
					continue;
				}
				let subject = subject::to_text(&record.subject);
				report = report.tail(format!("  {}  {id}  {subject}", rfc3339(record.ends_at())));
				entries.push(entry(*id, record, verdict));
			}
			start = page.next;
		}
	}
	let span = output::span(within);
	Ok(report
		.done(format!("{} certificates end within {span}", entries.len()))
		.data("certificates", Value::Array(entries))
		.read_at(view.head()))
}

#[cfg(test)]
mod tests {
	use super::*;
	use dpki_primitives::{
		assurance::Quorum,
		key::{KeyType, PublicKey},
		revocation::Revocation,
	};

	fn record() -> CertificateRecord {
		CertificateRecord {
			subject: subject::parse("dns:a.example").unwrap(),
			holder: Holder::Account([1; 32]),
			requested: Level::Ev,
			key: PublicKey::new(KeyType::Ed25519, &[2; 32]).unwrap(),
			display_name: None,
			validity: Validity { not_before: 0, not_after: Some(5_000) },
			control_until: Some(3_000),
			suspension: None,
			revocation: None,
		}
	}

	fn assessed(status: Status, level: Option<Level>) -> Assessed {
		let assessment = Assessment {
			status,
			level,
			requested: Level::Ev,
			quorum: Quorum { ov: 2, ev: 3 },
			counted_for_ov: 0,
			counted_for_ev: 0,
			explanations: vec![],
		};
		Assessed { record: record(), assessment }
	}

	#[test]
	fn a_level_below_the_requested_one_is_told_with_it() {
		let told = |level| headline(&assessed(Status::Valid, Some(level)));
		assert_eq!(told(Level::Ev), "valid, EV");
		assert_eq!(told(Level::Dv), "valid, DV (requested EV)");
		let revocation = Revocation { reason: RevocationReason::Superseded, at: 2_000 };
		let told = headline(&assessed(Status::Revoked(revocation), None));
		assert_eq!(told, "revoked (superseded) since 1970-01-01T00:00:02Z");
	}

	#[test]
	fn lapsed_control_is_told_by_its_own_time() {
		let told = words(&record(), Status::Expired);
		assert_eq!(told, "expired since 1970-01-01T00:00:03Z");
	}
}
