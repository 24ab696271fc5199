//! The one verdict of the system.
//!
//! Whoever judges a record calls [`status`]; nothing judges in another way. `vectors/status.json` beside this crate
//! holds its cases. The tests of this crate answer all of them; those of the registry, certificates, fleets, the runtime,
//! the SDK, the agent, the verifier and its C interface put each case that their records can tell where they read records,
//! and answer it from there.
//!
//! A thing that nobody has revoked, and that some organisations advise against, is not revoked (*de facto revoked*, as it is
//! called elsewhere, is no verdict): what such advice is worth is decided by whoever relies on the thing.

use crate::{
	Moment,
	revocation::{Revocation, RevocationReason},
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// A span of chain time.
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
pub struct Validity {
	/// First valid moment.
	pub not_before: Moment,
	/// Last valid moment; `None` means no end.
	pub not_after: Option<Moment>,
}

/// What a verdict about one record depends on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Standing {
	/// When it is valid.
	pub validity: Validity,
	/// Whether it is on hold, which X.509 anchors, certificates, devices and their keys can be.
	pub suspended: bool,
	/// From when on another one takes its place; that moment is the first one without it.
	pub superseded_at: Option<Moment>,
	/// Whether it was revoked.
	pub revocation: Option<Revocation>,
}

/// The verdict. Only [`Status::Valid`] is a yes.
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
pub enum Status {
	/// The chain holds no such record. Never to be taken for valid.
	#[codec(index = 0)]
	Unknown,
	/// It may be relied on now.
	#[codec(index = 1)]
	Valid,
	/// Its time has not come.
	#[codec(index = 2)]
	NotYetValid,
	/// Its time is over.
	#[codec(index = 3)]
	Expired,
	/// It is on hold.
	#[codec(index = 4)]
	Suspended,
	/// It was revoked.
	#[codec(index = 5)]
	Revoked(Revocation),
	/// A newer one took its place.
	#[codec(index = 6)]
	Superseded,
	/// Something that it depends on was revoked.
	#[codec(index = 7)]
	IssuerRevoked(Revocation),
}

impl Status {
	/// Whether the thing may be relied on.
	pub const fn is_valid(self) -> bool {
		matches!(self, Status::Valid)
	}

	/// The verdict in one word, as printed and as used in the vector file.
	pub const fn name(self) -> &'static str {
		match self {
			Status::Unknown => "unknown",
			Status::Valid => "valid",
			Status::NotYetValid => "not yet valid",
			Status::Expired => "expired",
			Status::Suspended => "suspended",
			Status::Revoked(_) => "revoked",
			Status::Superseded => "superseded",
			Status::IssuerRevoked(_) => "issuer revoked",
		}
	}

	/// The reason and time of a revocation, own or inherited.
	pub const fn revocation(self) -> Option<Revocation> {
		match self {
			Status::Revoked(revocation) | Status::IssuerRevoked(revocation) => Some(revocation),
			_ => None,
		}
	}

	/// Why it was revoked, if it was.
	pub fn reason(self) -> Option<RevocationReason> {
		self.revocation().map(|revocation| revocation.reason)
	}
}

/// The verdict about a record at chain time `now`.
///
/// `own` is the record, or `None` if the chain has none. `issuers` are the records that it depends on, nearest
/// first (the device of a key, the anchor of a certificate); a missing issuer is `None`.
///
/// When several things are wrong the gravest is told, in this order: unknown, revoked, issuer unknown, issuer
/// revoked, suspended, expired, not yet valid, superseded. Superseded is the mildest, because what a superseded
/// record issued stays good: a retired anchor that has expired is expired. For the same reason a superseded issuer
/// does not spoil what it issued: a rollover with overlap would be impossible otherwise. Both ends of a validity are
/// inclusive, as in RFC 5280 section 4.1.2.5.
pub fn status(own: Option<&Standing>, issuers: &[Option<Standing>], now: Moment) -> Status {
	let Some(own) = own else { return Status::Unknown };
	if let Some(revocation) = own.revocation {
		return Status::Revoked(revocation);
	}
	if issuers.iter().any(Option::is_none) {
		return Status::Unknown;
	}
	let issuers = || issuers.iter().flatten();
	if let Some(revocation) = issuers().find_map(|issuer| issuer.revocation) {
		return Status::IssuerRevoked(revocation);
	}
	let any = |rule: &dyn Fn(&Standing) -> bool| rule(own) || issuers().any(rule);
	if any(&|standing| standing.suspended) {
		return Status::Suspended;
	}
	if any(&|standing| standing.validity.not_after.is_some_and(|end| now > end)) {
		return Status::Expired;
	}
	if any(&|standing| now < standing.validity.not_before) {
		return Status::NotYetValid;
	}
	if own.superseded_at.is_some_and(|at| now >= at) {
		return Status::Superseded;
	}
	Status::Valid
}
