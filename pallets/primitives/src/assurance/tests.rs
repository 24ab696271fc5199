//! The vectors, and the properties that hold for any endorsements.

use super::*;
use crate::revocation::{Revocation, RevocationReason};
use alloc::string::String;
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
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
			withdrawn: it.withdrawn.then_some((WithdrawalReason::FactsChanged, it.endorsed_at)),
		};
		(record, it.accreditation.map(Accreditation::from))
	}
}

type Input = (Endorsed, Vec<(EndorsementRecord, Option<Accreditation>)>, Quorum, Moment);

fn cases() -> Vec<(String, Input, Expected)> {
	let cases: Vec<Case> =
		serde_json::from_str(include_str!("../../vectors/assurance.json")).unwrap();
	let read = |case: Case| {
		let certificate = Endorsed {
			status: status(&case.certificate.status),
			requested: level(&case.certificate.requested),
			digest: CertificateDigest([case.certificate.digest; 32]),
			organisation: case.certificate.organisation.map(|it| OrganisationId([it; 32])),
		};
		let endorsements = case.endorsements.into_iter().map(Into::into).collect();
		let quorum = Quorum { ov: case.quorum.ov, ev: case.quorum.ev };
		(case.name, (certificate, endorsements, quorum, case.now), case.expected)
	};
	cases.into_iter().map(read).collect()
}

#[test]
fn the_vectors_hold() {
	let cases = cases();
	assert!(cases.len() >= 30);
	let mut seen = Vec::new();
	for (name, (certificate, endorsements, quorum, now), expected) in cases {
		let assessment = assess(&certificate, &endorsements, quorum, now);
		assert_eq!(assessment.level.map(Level::name), expected.level.as_deref(), "{name}");
		assert_eq!(assessment.counted_for_ov, expected.counted_for_ov, "{name}");
		assert_eq!(assessment.counted_for_ev, expected.counted_for_ev, "{name}");
		let findings: Vec<_> = assessment.explanations.iter().map(|it| it.finding.name()).collect();
		assert_eq!(findings, expected.findings, "{name}");
		seen.extend(findings);
	}
	seen.sort_unstable();
	seen.dedup();
	assert_eq!(seen.len(), 9, "each finding has a case");
}

#[test]
fn no_endorsement_makes_a_valid_certificate_invalid() {
	for (name, (mut certificate, endorsements, quorum, now), _) in cases() {
		certificate.status = Status::Valid;
		assert!(assess(&certificate, &endorsements, quorum, now).level.is_some(), "{name}");
	}
}

#[test]
fn the_order_of_endorsements_does_not_change_the_level() {
	for (name, (certificate, mut endorsements, quorum, now), _) in cases() {
		let level = assess(&certificate, &endorsements, quorum, now).level;
		endorsements.reverse();
		assert_eq!(assess(&certificate, &endorsements, quorum, now).level, level, "{name}");
	}
}

#[test]
fn fewer_endorsements_never_give_a_higher_level() {
	for (name, (certificate, endorsements, quorum, now), _) in cases() {
		let level = assess(&certificate, &endorsements, quorum, now).level;
		for left_out in 0..endorsements.len() {
			let mut fewer = endorsements.clone();
			fewer.remove(left_out);
			assert!(assess(&certificate, &fewer, quorum, now).level <= level, "{name}");
		}
	}
}
