//! `vectors/assurance.json` as records, for the tests of everybody who says what a certificate is worth.
//!
//! The file holds what a level follows from. [`Case::state`] tells it by the records of [`CERTIFICATE`], so that the
//! registry in its storage, the verifier in a proof and a client behind a connection answer the same file.

use super::{CERTIFICATE, public_key};
use crate::{
	Moment,
	assurance::{
		Accreditation, AccreditationState, Assessment, Endorsed, EndorsementRecord, Level, Quorum,
		WithdrawalReason,
	},
	certificate::{Authority, CertificatePolicy, CertificateRecord, Holder, Office, Suspension},
	ids::{CertificateDigest, OrganisationId},
	revocation::{Revocation, RevocationReason},
	status::{Status, Validity},
	storage_keys,
	subject::Subject,
};
use alloc::{collections::BTreeMap, string::String, vec::Vec};
use codec::Encode;
use serde::Deserialize;

/// A certificate, its endorsements, and what it is worth.
pub struct Case {
	/// What it shows, as a sentence.
	pub name: String,
	/// What is endorsed.
	pub certificate: Endorsed,
	/// Its endorsements, each with the accreditation of the endorser.
	pub endorsements: Vec<(EndorsementRecord, Option<Accreditation>)>,
	/// How many organisations it takes.
	pub quorum: Quorum,
	/// When.
	pub now: Moment,
	expected: Expected,
}

impl Case {
	/// The record of [`CERTIFICATE`]; `None` where the verdict is that there is none.
	pub fn record(&self) -> Option<CertificateRecord> {
		let always = Validity { not_before: 0, not_after: None };
		let (mut validity, mut suspension, mut revocation) = (always, None, None);
		match self.certificate.status {
			Status::Valid => {},
			Status::Unknown => return None,
			Status::NotYetValid => validity.not_before = self.now + 1,
			Status::Expired => validity.not_after = Some(self.now - 1),
			Status::Suspended => suspension = Some(Suspension { by: Authority::Holder, at: 0 }),
			Status::Revoked(why) => revocation = Some(why),
			other => panic!("no certificate stands like this by itself: {}", other.name()),
		}
		Some(CertificateRecord {
			subject: Subject::Dns(b"www.acme.example".to_vec().try_into().expect("a name")),
			holder: match self.certificate.organisation {
				None => Holder::Account([0; 32]),
				Some(organisation) => Holder::Organisation(organisation),
			},
			requested: self.certificate.requested,
			key: public_key(),
			display_name: None,
			validity,
			control_until: None,
			suspension,
			revocation,
		})
	}

	/// What the state holds, by storage key: everything that [`crate::assessment::assessed`] reads, but the time.
	pub fn state(&self) -> BTreeMap<Vec<u8>, Vec<u8>> {
		let record = self.record();
		let digest = record.as_ref().map(|record| record.digest(CERTIFICATE));
		let endorsement = |(it, _): &(EndorsementRecord, _)| EndorsementRecord {
			// The file numbers what was endorsed; of the record there is a digest.
			digest: match digest {
				Some(digest) if it.digest == self.certificate.digest => digest,
				_ => it.digest,
			},
			..*it
		};
		let endorsements: Vec<_> = self.endorsements.iter().map(endorsement).collect();
		let policy = CertificatePolicy { endorsers: self.quorum, ..Default::default() };
		let endorsers = self.endorsements.iter().filter_map(|(it, accreditation)| {
			let key = storage_keys::accreditation(Office::Endorser, &it.endorser);
			Some((key, accreditation.as_ref()?.encode()))
		});
		record
			.map(|record| (storage_keys::certificate(CERTIFICATE), record.encode()))
			.into_iter()
			.chain([
				(storage_keys::endorsements(CERTIFICATE), endorsements.encode()),
				(storage_keys::certificate_policy(), policy.encode()),
			])
			.chain(endorsers)
			.collect()
	}

	/// Panics unless this is what the certificate is worth. Returns the findings about its endorsements, by name.
	pub fn assert(&self, found: &Assessment) -> Vec<&'static str> {
		let (name, expected) = (&self.name, &self.expected);
		assert_eq!(found.status, self.certificate.status, "{name}");
		assert_eq!(found.requested, self.certificate.requested, "{name}");
		assert_eq!(found.quorum, self.quorum, "{name}");
		assert_eq!(found.level.map(Level::name), expected.level.as_deref(), "{name}");
		assert_eq!(found.counted_for_ov, expected.counted_for_ov, "{name}");
		assert_eq!(found.counted_for_ev, expected.counted_for_ev, "{name}");
		let endorsers = found.explanations.iter().map(|it| it.endorser);
		assert!(endorsers.eq(self.endorsements.iter().map(|(it, _)| it.endorser)), "{name}");
		let findings: Vec<_> = found.explanations.iter().map(|it| it.finding.name()).collect();
		assert_eq!(findings, expected.findings, "{name}");
		findings
	}
}

/// All cases of the file.
pub fn cases() -> Vec<Case> {
	let cases: Vec<Written> = serde_json::from_str(include_str!("../../vectors/assurance.json"))
		.expect("the vectors are beside this crate, and well formed");
	cases.into_iter().map(Case::from).collect()
}

/// Has the worth of [`CERTIFICATE`] told of every case by `read`, which answers from wherever it put the state: `None` if
/// there is no such certificate. Panics at an answer that is not the case's.
pub fn judge(mut read: impl FnMut(&Case) -> Option<Assessment>) {
	let mut findings = Vec::new();
	for case in cases() {
		match read(&case) {
			Some(found) => findings.extend(case.assert(&found)),
			None => assert_eq!(case.certificate.status, Status::Unknown, "{}", case.name),
		}
	}
	findings.sort_unstable();
	findings.dedup();
	assert_eq!(findings.len(), 9, "each finding has a case: {findings:?}");
}

/// A case as the file has it.
#[derive(Deserialize)]
struct Written {
	name: String,
	certificate: Certificate,
	quorum: Needed,
	now: Moment,
	endorsements: Vec<Endorsement>,
	expected: Expected,
}

#[derive(Deserialize)]
struct Certificate {
	status: String,
	requested: String,
	digest: u8,
	organisation: Option<u8>,
}

#[derive(Deserialize)]
struct Needed {
	ov: u32,
	ev: u32,
}

#[derive(Deserialize)]
struct Endorsement {
	endorser: u8,
	level: String,
	digest: u8,
	endorsed_at: Moment,
	expires_at: Moment,
	withdrawn: bool,
	/// When, if it is not told, in the moment of the endorsement.
	#[serde(default)]
	withdrawn_at: Option<Moment>,
	accreditation: Option<Endorser>,
}

#[derive(Deserialize)]
struct Endorser {
	organisation: u8,
	level: String,
	state: String,
	compromised_from: Option<Moment>,
}

#[derive(Deserialize)]
struct Expected {
	level: Option<String>,
	counted_for_ov: u32,
	counted_for_ev: u32,
	findings: Vec<String>,
}

fn level(name: &str) -> Level {
	Level::ALL
		.into_iter()
		.find(|level| level.name() == name)
		.expect("the vectors name levels")
}

fn status(name: &str) -> Status {
	let revocation = Revocation { reason: RevocationReason::Unspecified, at: 0 };
	[
		Status::Unknown,
		Status::Valid,
		Status::NotYetValid,
		Status::Expired,
		Status::Suspended,
		Status::Revoked(revocation),
	]
	.into_iter()
	.find(|status| status.name() == name)
	.expect("the vectors name verdicts")
}

impl From<Endorser> for Accreditation {
	fn from(endorser: Endorser) -> Self {
		Accreditation {
			organisation: OrganisationId([endorser.organisation; 32]),
			level: level(&endorser.level),
			state: match endorser.state.as_str() {
				"active" => AccreditationState::Active,
				"suspended" => AccreditationState::Suspended,
				"released" => AccreditationState::Released,
				other => panic!("the vectors name no state {other}"),
			},
			accredited_at: 0,
			compromised_from: endorser.compromised_from,
		}
	}
}

impl From<Endorsement> for (EndorsementRecord, Option<Accreditation>) {
	fn from(it: Endorsement) -> Self {
		let record = EndorsementRecord {
			endorser: [it.endorser; 32],
			level: level(&it.level),
			digest: CertificateDigest([it.digest; 32]),
			evidence: None,
			endorsed_at: it.endorsed_at,
			expires_at: it.expires_at,
			withdrawn: it.withdrawn.then(|| {
				(WithdrawalReason::FactsChanged, it.withdrawn_at.unwrap_or(it.endorsed_at))
			}),
		};
		(record, it.accreditation.map(Accreditation::from))
	}
}

impl From<Written> for Case {
	fn from(written: Written) -> Self {
		let certificate = written.certificate;
		Self {
			name: written.name,
			certificate: Endorsed {
				status: status(&certificate.status),
				requested: level(&certificate.requested),
				digest: CertificateDigest([certificate.digest; 32]),
				organisation: certificate.organisation.map(|it| OrganisationId([it; 32])),
			},
			endorsements: written.endorsements.into_iter().map(Into::into).collect(),
			quorum: Quorum { ov: written.quorum.ov, ev: written.quorum.ev },
			now: written.now,
			expected: written.expected,
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::assessment::{StoredRecords, assessed};
	use codec::Decode;
	use core::convert::Infallible;

	struct State(BTreeMap<Vec<u8>, Vec<u8>>);

	impl StoredRecords for State {
		type Error = Infallible;

		fn stored<Record: Decode>(&self, key: &[u8]) -> Result<Option<Record>, Infallible> {
			let decoded = |bytes: &Vec<u8>| Record::decode(&mut &bytes[..]).expect("it is one");
			Ok(self.0.get(key).map(decoded))
		}
	}

	fn read(case: &Case) -> Option<Assessment> {
		let Ok(found) = assessed(&State(case.state()), CERTIFICATE, case.now);
		found.map(|found| found.assessment)
	}

	#[test]
	fn records_that_are_read_by_the_rule_give_the_levels() {
		judge(read);
	}

	#[test]
	#[should_panic(expected = "as many as needed are EV")]
	fn another_level_is_noticed() {
		judge(|case| {
			let found = read(case)?;
			let level = found.level.map(|level| level.min(Level::Ov));
			Some(Assessment { level, ..found })
		});
	}

	#[test]
	#[should_panic(expected = "no endorsement is DV")]
	fn no_answer_is_noticed() {
		judge(|_| None);
	}
}
