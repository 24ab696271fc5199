//! Assurance levels, and the one rule by which the effective level of a certificate follows from its endorsements.
//!
//! A certificate stores the level that was *requested*. What it is worth is computed by [`assess`] whenever somebody
//! asks, so that an endorsement that stops counting takes effect at once and everywhere. A certificate whose
//! endorsements fail falls from EV to OV to DV and never becomes invalid by it; validity is the business of
//! [`crate::status`]. `vectors/assurance.json` beside this crate holds the cases that every reader of the chain has to
//! answer alike.

use crate::{
	Moment,
	ids::{CertificateDigest, OrganisationId},
	status::Status,
};
use alloc::vec::Vec;
use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Most endorsements that a certificate carries: one list, provable in one read.
pub const MAX_ENDORSEMENTS: u32 = 16;

/// Most endorsements of one certificate by one endorser that are in their time: an earlier one, and the one that follows it.
pub const MAX_PER_ENDORSER: u32 = 2;

/// How well a subject was checked. Levels are ordered.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	PartialOrd,
	Ord,
	Debug,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum Level {
	/// Domain validated: machines checked what [`crate::subject`] says for the kind of subject.
	#[codec(index = 0)]
	Dv,
	/// Organisation validated: endorsers attest who is behind it.
	#[codec(index = 1)]
	Ov,
	/// Extended validation: more endorsers attest it, by stricter rules.
	#[codec(index = 2)]
	Ev,
}

impl Level {
	/// Every level, lowest first.
	pub const ALL: [Level; 3] = [Level::Dv, Level::Ov, Level::Ev];

	/// The level as printed and as used in the vector file.
	pub const fn name(self) -> &'static str {
		match self {
			Level::Dv => "DV",
			Level::Ov => "OV",
			Level::Ev => "EV",
		}
	}
}

/// How many controlling organisations have to endorse.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Debug,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct Quorum {
	/// For OV; at least 1.
	pub ov: u32,
	/// For EV; at least as many as for OV.
	pub ev: u32,
}

impl Quorum {
	/// The number of organisations that this level needs; none for DV.
	pub const fn needed(&self, level: Level) -> u32 {
		match level {
			Level::Dv => 0,
			Level::Ov => self.ov,
			Level::Ev => self.ev,
		}
	}
}

/// Whether somebody who was accredited still is.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Debug,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum AccreditationState {
	/// It is.
	#[codec(index = 0)]
	Active,
	/// Not for the time being.
	#[codec(index = 1)]
	Suspended,
	/// Not any more.
	#[codec(index = 2)]
	Released,
}

/// The accreditation of an observer or an endorser, as stored. Never removed, as old endorsements depend on it.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Debug,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct Accreditation {
	/// Who controls it. All that one organisation controls has one voice.
	pub organisation: OrganisationId,
	/// The highest level that it may attest: OV or EV for an endorser, DV for an observer.
	pub level: Level,
	/// Whether it is in force.
	pub state: AccreditationState,
	/// When it was first accredited.
	pub accredited_at: Moment,
	/// From when on nothing that it said is to be believed. Only ever moved to an earlier moment.
	pub compromised_from: Option<Moment>,
}

impl Accreditation {
	/// Whether it may act now: a compromise is told after the fact, so whoever is compromised at all may not.
	pub fn may_act(&self) -> bool {
		self.state == AccreditationState::Active && self.compromised_from.is_none()
	}

	/// Whether it was compromised at `moment`.
	pub fn was_compromised_at(&self, moment: Moment) -> bool {
		self.compromised_from.is_some_and(|from| moment >= from)
	}
}

/// Why an endorser took an endorsement back.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Debug,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum WithdrawalReason {
	/// It should never have been given.
	#[codec(index = 0)]
	GivenInError,
	/// What was attested is not true any more.
	#[codec(index = 1)]
	FactsChanged,
	/// The evidence turned out to be false.
	#[codec(index = 2)]
	EvidenceFalse,
	/// The holder asked for it.
	#[codec(index = 3)]
	HolderRequest,
}

/// An endorsement as stored.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Debug,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct EndorsementRecord {
	/// The account that attests.
	pub endorser: [u8; 32],
	/// What it attests: OV or EV. An endorsement for EV is one for OV too.
	pub level: Level,
	/// What exactly was endorsed.
	pub digest: CertificateDigest,
	/// Hash of the evidence, which the endorser keeps.
	pub evidence: Option<[u8; 32]>,
	/// When it was given.
	pub endorsed_at: Moment,
	/// Last moment at which it counts.
	pub expires_at: Moment,
	/// Whether, why and when it was taken back. That does not stand if the endorser was compromised at that moment.
	pub withdrawn: Option<(WithdrawalReason, Moment)>,
}

/// The endorsements of a certificate, in the order in which they were given, but that some took the place of one that was over.
pub type Endorsements = BoundedVec<EndorsementRecord, ConstU32<MAX_ENDORSEMENTS>>;

/// What the effective level of a certificate depends on, its endorsements aside.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Endorsed {
	/// The verdict about the certificate.
	pub status: Status,
	/// The level that was requested, above which it never gets.
	pub requested: Level,
	/// The digest of the certificate as it is now.
	pub digest: CertificateDigest,
	/// The organisation that the certificate belongs to, whose own word does not count.
	pub organisation: Option<OrganisationId>,
}

/// Why an endorsement counts, or does not.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub enum Finding {
	/// It counts.
	#[codec(index = 0)]
	Counted,
	/// The endorser took it back, before the moment from which it counts as compromised.
	#[codec(index = 1)]
	Withdrawn,
	/// The certificate is not any more what was endorsed.
	#[codec(index = 2)]
	DigestMismatch,
	/// Its time is over.
	#[codec(index = 3)]
	Expired,
	/// The endorser is not accredited, or not for this level.
	#[codec(index = 4)]
	NotAccredited,
	/// The endorser is suspended.
	#[codec(index = 5)]
	EndorserSuspended,
	/// It was made at or after the moment from which the endorser counts as compromised.
	#[codec(index = 6)]
	EndorserCompromised,
	/// The endorser belongs to the organisation that it endorses.
	#[codec(index = 7)]
	OwnOrganisation,
	/// Another endorsement speaks for the same controlling organisation.
	#[codec(index = 8)]
	OrganisationCounted,
}

impl Finding {
	/// The finding in a few words, as printed and as used in the vector file.
	pub const fn name(self) -> &'static str {
		match self {
			Finding::Counted => "counted",
			Finding::Withdrawn => "withdrawn",
			Finding::DigestMismatch => "digest mismatch",
			Finding::Expired => "expired",
			Finding::NotAccredited => "not accredited",
			Finding::EndorserSuspended => "endorser suspended",
			Finding::EndorserCompromised => "endorser compromised",
			Finding::OwnOrganisation => "own organisation",
			Finding::OrganisationCounted => "organisation counted",
		}
	}

	/// Whether an endorsement with this finding will never count again as it is. A suspension can end, an organisation's
	/// other endorsement can expire, an endorser can come under another organisation, and it can turn out later that it was
	/// somebody else who withdrew.
	pub const fn is_final(self) -> bool {
		matches!(self, Finding::Expired | Finding::EndorserCompromised)
	}
}

/// What became of one endorsement.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct Explanation {
	/// The account that endorsed.
	pub endorser: [u8; 32],
	/// The organisation that controls it, if it was ever accredited.
	pub organisation: Option<OrganisationId>,
	/// What it attested.
	pub level: Level,
	/// Why it counts, or does not.
	pub finding: Finding,
}

/// The worth of a certificate, and why.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct Assessment {
	/// The verdict about the certificate.
	pub status: Status,
	/// The effective level; `None` if the certificate is not valid.
	pub level: Option<Level>,
	/// The level that was requested.
	pub requested: Level,
	/// How many organisations were needed at that moment.
	pub quorum: Quorum,
	/// How many organisations attest OV or more.
	pub counted_for_ov: u32,
	/// How many organisations attest EV.
	pub counted_for_ev: u32,
	/// One entry per endorsement, in the order in which they are stored.
	pub explanations: Vec<Explanation>,
}

/// The effective level of a certificate at chain time `now`.
///
/// `endorsements` are those of the certificate, each with the accreditation of its endorser, or `None` if it has none.
/// When several things speak against an endorsement, the first of the order in which [`Finding`] lists them is told.
/// Of the endorsements that one organisation controls, the one of the highest level speaks for it, and of those the
/// first.
pub fn assess(
	certificate: &Endorsed,
	endorsements: &[(EndorsementRecord, Option<Accreditation>)],
	quorum: Quorum,
	now: Moment,
) -> Assessment {
	let mut explanations: Vec<Explanation> = endorsements
		.iter()
		.map(|(record, accreditation)| Explanation {
			endorser: record.endorser,
			organisation: accreditation.map(|it| it.organisation),
			level: record.level,
			finding: judge(certificate, record, accreditation.as_ref(), now),
		})
		.collect();

	for index in 0..explanations.len() {
		if explanations[index].finding == Finding::Counted && is_spoken_for(&explanations, index) {
			explanations[index].finding = Finding::OrganisationCounted;
		}
	}

	let count = |level| {
		let counts = |it: &&Explanation| it.finding == Finding::Counted && it.level >= level;
		explanations.iter().filter(counts).count() as u32
	};
	let (counted_for_ov, counted_for_ev) = (count(Level::Ov), count(Level::Ev));
	let reached = if counted_for_ev >= quorum.ev && counted_for_ov >= quorum.ov {
		Level::Ev
	} else if counted_for_ov >= quorum.ov {
		Level::Ov
	} else {
		Level::Dv
	};
	Assessment {
		status: certificate.status,
		level: certificate.status.is_valid().then_some(reached.min(certificate.requested)),
		requested: certificate.requested,
		quorum,
		counted_for_ov,
		counted_for_ev,
		explanations,
	}
}

/// What speaks against one endorsement, taken by itself.
pub fn judge(
	certificate: &Endorsed,
	record: &EndorsementRecord,
	accreditation: Option<&Accreditation>,
	now: Moment,
) -> Finding {
	// Whoever has stolen the account of an endorser must not undo what was endorsed before.
	let is_void = |(_, at)| accreditation.is_some_and(|endorser| endorser.was_compromised_at(at));
	if record.withdrawn.is_some_and(|withdrawal| !is_void(withdrawal)) {
		return Finding::Withdrawn;
	}
	if record.digest != certificate.digest {
		return Finding::DigestMismatch;
	}
	if now > record.expires_at {
		return Finding::Expired;
	}
	let Some(endorser) = accreditation else { return Finding::NotAccredited };
	// DV is what machines check: an endorsement of it says nothing.
	if endorser.state == AccreditationState::Released
		|| endorser.level < record.level
		|| record.level == Level::Dv
	{
		return Finding::NotAccredited;
	}
	if endorser.state == AccreditationState::Suspended {
		return Finding::EndorserSuspended;
	}
	if endorser.was_compromised_at(record.endorsed_at) {
		return Finding::EndorserCompromised;
	}
	if certificate.organisation == Some(endorser.organisation) {
		return Finding::OwnOrganisation;
	}
	Finding::Counted
}

/// Whether another endorsement of the same organisation is to be preferred to the one at `index`: a higher one, or an
/// equal one before it.
fn is_spoken_for(explanations: &[Explanation], index: usize) -> bool {
	let own = &explanations[index];
	explanations.iter().enumerate().any(|(other_index, other)| {
		other.finding == Finding::Counted
			&& other.organisation == own.organisation
			&& (other.level > own.level || (other.level == own.level && other_index < index))
	})
}

#[cfg(test)]
mod tests;
