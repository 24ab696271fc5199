//! Certificates: what is stored of a granted application, the verdict about it, and the policy of the consortium.
//!
//! A certificate is never removed, so that revoked stays distinguishable from unknown. Its life is counted in chain
//! time.

use crate::{
	Moment,
	application::{BlockHeight, MAX_VOTES},
	assurance::{Endorsed, Level, Quorum},
	device::DeviceRecord,
	ids::{CertificateDigest, CertificateId, OrganisationId},
	key::{KeyRecord, PublicKey},
	revocation::{Revocation, RevocationReason},
	status::{Standing, Status, Validity, status},
	subject::Subject,
};
use alloc::vec::Vec;
use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

const DAY: Moment = 24 * 60 * 60 * 1000;

/// Longest display name in bytes of UTF-8; the upper bound of `organizationName` is 64 characters (X.520).
pub const MAX_DISPLAY_NAME_LEN: u32 = 64;

/// Most endorsements that a policy can ask for: as many endorsers can each have the next one beside the one that ends.
pub const MAX_QUORUM: u32 = crate::assurance::MAX_ENDORSEMENTS / crate::assurance::MAX_PER_ENDORSER;

/// Most live certificates about one subject.
pub const MAX_LIVE_CERTIFICATES: u32 = 8;

/// Most entries in one page of a query.
pub const MAX_PAGE: u32 = 64;

/// The name of an organisation, as shown to people at OV and EV.
pub type DisplayName = BoundedVec<u8, ConstU32<MAX_DISPLAY_NAME_LEN>>;

/// Whether the name can be shown: not empty, UTF-8, no control characters and none that change the direction of text,
/// no space at either end.
pub fn is_valid_display_name(name: &[u8]) -> bool {
	let misleads = |c: char| {
		c.is_control()
			|| matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
	};
	core::str::from_utf8(name)
		.is_ok_and(|name| !name.is_empty() && name.trim() == name && !name.chars().any(misleads))
}

/// Who a certificate belongs to, and who may act on it.
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
pub enum Holder {
	/// This account.
	#[codec(index = 0)]
	Account([u8; 32]),
	/// The registrars of this organisation, and its administrators for a certificate about itself.
	#[codec(index = 1)]
	Organisation(OrganisationId),
}

impl Holder {
	/// The organisation, if it is one.
	pub const fn organisation(self) -> Option<OrganisationId> {
		match self {
			Holder::Account(_) => None,
			Holder::Organisation(organisation) => Some(organisation),
		}
	}
}

/// Who put a certificate on hold, and may take it off.
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
pub enum Authority {
	/// Its holder.
	#[codec(index = 0)]
	Holder,
	/// The consortium, which may also end what the holder began.
	#[codec(index = 1)]
	Consortium,
}

/// That, since when and by whom a certificate is on hold: `certificateHold` of RFC 5280.
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
pub struct Suspension {
	/// By whom.
	pub by: Authority,
	/// Since when.
	pub at: Moment,
}

/// A certificate as stored. Never removed.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct CertificateRecord {
	/// What it is about.
	pub subject: Subject,
	/// Whose it is.
	pub holder: Holder,
	/// The level that was requested; what it is worth says [`crate::assurance::assess`].
	pub requested: Level,
	/// The key that is certified.
	pub key: PublicKey,
	/// The name to be shown at OV and EV.
	pub display_name: Option<DisplayName>,
	/// When it is valid.
	pub validity: Validity,
	/// Last moment for which control of the subject counts as proven; `None` for subjects that need no such proof.
	pub control_until: Option<Moment>,
	/// Whether it is on hold.
	pub suspension: Option<Suspension>,
	/// Set once, never unset.
	pub revocation: Option<Revocation>,
}

impl CertificateRecord {
	/// The last moment at which it can be valid, as things stand: control that is not proven again ends it like the end
	/// of its validity.
	pub fn ends_at(&self) -> Moment {
		let end = self.validity.not_after.unwrap_or(Moment::MAX);
		self.control_until.map_or(end, |control| control.min(end))
	}

	/// Whether the certificate, about which `status` is the verdict, keeps others from its subject at `now`. One on hold
	/// does so too, but only until it ends.
	pub fn holds_subject(&self, status: Status, now: Moment) -> bool {
		matches!(status, Status::Valid | Status::NotYetValid | Status::Suspended)
			&& now <= self.ends_at()
	}

	/// What endorsers attest: everything in the record that is not about its state. It changes when the certificate is
	/// amended, and older endorsements stop counting.
	pub fn digest(&self, id: CertificateId) -> CertificateDigest {
		let content = (
			id,
			&self.subject,
			self.holder,
			self.requested,
			&self.key,
			&self.display_name,
			self.validity,
		);
		CertificateDigest(crate::ids::derive(b"dpki/certificate-digest/1", &content))
	}

	/// What [`crate::assurance::assess`] needs of this record.
	pub fn endorsed(&self, id: CertificateId, status: Status) -> Endorsed {
		Endorsed {
			status,
			requested: self.requested,
			digest: self.digest(id),
			organisation: self.holder.organisation(),
		}
	}

	/// What [`crate::status::status`] needs of this record.
	fn standing(&self) -> Standing {
		Standing {
			validity: Validity { not_after: Some(self.ends_at()), ..self.validity },
			suspended: self.suspension.is_some(),
			superseded_at: None,
			revocation: self.revocation,
		}
	}
}

/// The records beside its own that the verdict about a certificate depends on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Dependencies<'a> {
	/// Since when the key is one of those that are known to be compromised: by the revocation of a certificate of it, as the key
	/// of an anchor, or by its own word.
	pub compromised: Option<Moment>,
	/// The key, if it is also registered as that of a device.
	pub key: Option<&'a KeyRecord>,
	/// The device that the certificate is about, if it is about one that exists.
	pub device: Option<&'a DeviceRecord>,
}

/// The verdict about a certificate at chain time `now`.
///
/// A certificate ends with its key, wherever that became known as compromised: in another certificate, as the key of a device or
/// of an anchor, or by its own word. One that is on hold as a device's because that is suspected puts its certificates on
/// hold. A certificate about a device falls with it, and is on hold with it. Nothing else makes a certificate invalid but its
/// own record; endorsements never do.
///
/// The other way round it goes less far. A certificate that is revoked for the compromise of its key marks the key for
/// certificates, chains and fleets, and for whatever is registered afterwards. It does not end a key that is a device's or an
/// anchor's already: who holds a certificate, as an organisation may that granted access to somebody's key, is not who holds
/// the key. `report_compromise` with the key's own signature ends that.
pub fn certificate_status(
	record: Option<&CertificateRecord>,
	dependencies: Dependencies,
	now: Moment,
) -> Status {
	let Some(record) = record else { return Status::Unknown };
	let mut own = record.standing();
	let registered = dependencies
		.key
		.and_then(|key| key.withdrawal.revocation())
		.filter(|revocation| revocation.reason == RevocationReason::KeyCompromise)
		.map(|revocation| revocation.at);
	let compromised = [dependencies.compromised, registered].into_iter().flatten().min();
	own.revocation = own
		.revocation
		.or(compromised.map(|at| Revocation { reason: RevocationReason::KeyCompromise, at }));
	own.suspended |= dependencies
		.key
		.and_then(|key| key.withdrawal.hold())
		.is_some_and(|hold| hold.reason == RevocationReason::KeyCompromise);
	match record.subject {
		Subject::Device(_) => {
			status(Some(&own), &[dependencies.device.map(DeviceRecord::standing)], now)
		},
		_ => status(Some(&own), &[], now),
	}
}

/// Who holds a subject, as stored.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct SubjectRecord {
	/// The last one who proved it. Somebody else can take its place once none of the certificates
	/// [holds](CertificateRecord::holds_subject) the subject any more.
	pub holder: Holder,
	/// The holder's certificates that were live when the list was last changed.
	pub live: BoundedVec<CertificateId, ConstU32<MAX_LIVE_CERTIFICATES>>,
}

/// Who is accredited to say what.
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
pub enum Office {
	/// Says whether applicants control names and addresses.
	#[codec(index = 0)]
	Observer,
	/// Attests who is behind a certificate.
	#[codec(index = 1)]
	Endorser,
}

/// The rules of the consortium for certificates.
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
pub struct CertificatePolicy {
	/// How many organisations have to have seen control.
	pub observers: u32,
	/// How many organisations have to endorse.
	pub endorsers: Quorum,
	/// For how many blocks observers may commit themselves.
	pub commit_blocks: BlockHeight,
	/// For how many blocks after that they may reveal.
	pub reveal_blocks: BlockHeight,
	/// For how many blocks the fees of endorsers are kept for them.
	pub endorsement_blocks: BlockHeight,
	/// For how long control counts as proven.
	pub control_lifetime: Moment,
	/// For how long a certificate can be valid.
	pub max_lifetime: Moment,
	/// For how long an endorsement can count.
	pub max_endorsement_lifetime: Moment,
}

impl Default for CertificatePolicy {
	/// What holds while the state says nothing. Two of several observers and two or three endorsers: one that is
	/// corrupt is never enough. Windows of 5 minutes and 14 days at blocks of a second. A certificate lasts 200 days and
	/// control 100 days, of the order of what public CAs agreed on for 2026 and 2027 (CA/Browser Forum, SC-081v3).
	fn default() -> Self {
		Self {
			observers: 2,
			endorsers: Quorum { ov: 2, ev: 3 },
			commit_blocks: 300,
			reveal_blocks: 300,
			endorsement_blocks: 14 * 24 * 60 * 60,
			control_lifetime: 100 * DAY,
			max_lifetime: 200 * DAY,
			max_endorsement_lifetime: 398 * DAY,
		}
	}
}

impl CertificatePolicy {
	/// Whether the rules can be kept at all: every number is one at least, nothing is beyond the bounds of the lists,
	/// and EV is not easier than OV.
	pub fn is_coherent(&self) -> bool {
		(1..=MAX_VOTES).contains(&self.observers)
			&& self.endorsers.ov >= 1
			&& self.endorsers.ov <= self.endorsers.ev
			&& self.endorsers.ev <= MAX_QUORUM
			&& self.commit_blocks >= 1
			&& self.reveal_blocks >= 1
			&& self.endorsement_blocks >= 1
			&& self.control_lifetime >= 1
			&& self.max_lifetime >= 1
			&& self.max_endorsement_lifetime >= 1
	}
}

/// One page of a list, and how to get the next.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct Page<Item> {
	/// How many entries the whole list has, those that do not answer the question included.
	pub total: u32,
	/// The index at which the next page begins; `None` after the last.
	pub next: Option<u32>,
	/// Those entries of the page that answer the question.
	pub items: Vec<Item>,
}

impl<Item> Page<Item> {
	/// The page of a list with `total` entries that begins at index `start`, of which `item` yields those that answer the
	/// question.
	pub fn of(total: u32, start: u32, item: impl FnMut(u32) -> Option<Item>) -> Self {
		let end = start.saturating_add(MAX_PAGE).min(total);
		Page {
			total,
			next: (end < total).then_some(end),
			items: (start..end).filter_map(item).collect(),
		}
	}

	/// The same page of something else.
	pub fn map<Other>(self, change: impl FnMut(Item) -> Other) -> Page<Other> {
		let Page { total, next, items } = self;
		Page { total, next, items: items.into_iter().map(change).collect() }
	}
}

/// The day in which a moment lies, counted from the Unix epoch: the buckets of the index by end.
pub const fn day_of(moment: Moment) -> u32 {
	let day = moment / DAY;
	if day > u32::MAX as u64 { u32::MAX } else { day as u32 }
}

#[cfg(test)]
mod tests;
