//! Revocation: reasons, times, and what of an SSH CA's work is no longer to be believed.

use crate::Moment;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Why something was revoked: `CRLReason` of RFC 5280 section 5.3.1 with its numbers. `certificateHold` (6) is
/// a suspension and `removeFromCRL` (8) its end, so neither is a reason to revoke; 7 is unused there too.
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
pub enum RevocationReason {
	/// No reason was given.
	#[codec(index = 0)]
	Unspecified,
	/// The private key is known or suspected to be known to somebody else.
	#[codec(index = 1)]
	KeyCompromise,
	/// The private key of the issuer is.
	#[codec(index = 2)]
	CaCompromise,
	/// The subject left the organisation, or its name changed.
	#[codec(index = 3)]
	AffiliationChanged,
	/// Another one took its place.
	#[codec(index = 4)]
	Superseded,
	/// It is not needed any more.
	#[codec(index = 5)]
	CessationOfOperation,
	/// A right that it carried was taken away.
	#[codec(index = 9)]
	PrivilegeWithdrawn,
	/// The private key of the attribute authority is compromised.
	#[codec(index = 10)]
	AaCompromise,
}

impl RevocationReason {
	/// Every reason.
	pub const ALL: [RevocationReason; 8] = [
		RevocationReason::Unspecified,
		RevocationReason::KeyCompromise,
		RevocationReason::CaCompromise,
		RevocationReason::AffiliationChanged,
		RevocationReason::Superseded,
		RevocationReason::CessationOfOperation,
		RevocationReason::PrivilegeWithdrawn,
		RevocationReason::AaCompromise,
	];

	/// The name that RFC 5280 gives the reason.
	pub const fn rfc5280_name(self) -> &'static str {
		match self {
			RevocationReason::Unspecified => "unspecified",
			RevocationReason::KeyCompromise => "keyCompromise",
			RevocationReason::CaCompromise => "cACompromise",
			RevocationReason::AffiliationChanged => "affiliationChanged",
			RevocationReason::Superseded => "superseded",
			RevocationReason::CessationOfOperation => "cessationOfOperation",
			RevocationReason::PrivilegeWithdrawn => "privilegeWithdrawn",
			RevocationReason::AaCompromise => "aACompromise",
		}
	}
}

/// That, why and when something was revoked.
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
pub struct Revocation {
	/// Why.
	pub reason: RevocationReason,
	/// Since when, in chain time of the block that holds the revocation.
	pub at: Moment,
}

/// Who put a device or a key of one on hold, and may take it off.
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
pub enum HoldAuthority {
	/// A registrar of the organisation.
	#[codec(index = 0)]
	Registrar,
	/// Whatever changes the policy of the organisation: the body that decides by vote, or any administrator where one is
	/// trusted alone. It may also end, or make its own, what a registrar began.
	#[codec(index = 1)]
	Governance,
}

impl HoldAuthority {
	/// The authority in one word, as clients print it.
	pub const fn name(self) -> &'static str {
		match self {
			HoldAuthority::Registrar => "registrar",
			HoldAuthority::Governance => "governance",
		}
	}

	/// Whether it may end, or make its own, a hold of this authority.
	pub fn may_end(self, hold: HoldAuthority) -> bool {
		self == HoldAuthority::Governance || hold == HoldAuthority::Registrar
	}
}

/// That, why, by whom and since when a device or a key of one is on hold: `certificateHold` of RFC 5280.
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
pub struct Hold {
	/// For which reason it would be revoked if what is suspected is true.
	pub reason: RevocationReason,
	/// Since when, in chain time of the block that holds the beginning.
	pub at: Moment,
	/// Who began it, or has made it its own since.
	pub by: HoldAuthority,
}

/// What stands against the trust in a device or a key of one. A hold and a revocation exclude each other: a revocation
/// takes the place of a hold, and nothing the place of a revocation, so that no release can bring back what was revoked.
///
/// The first two are encoded as the `Option<Revocation>` that records had in this place before there were holds: those
/// records stay what they are, and a reader from before refuses one that is on hold instead of taking it for good.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Debug,
	Default,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum Withdrawal {
	/// Nothing.
	#[default]
	#[codec(index = 0)]
	None,
	/// It was revoked, for ever.
	#[codec(index = 1)]
	Revoked(Revocation),
	/// It is on hold, until it is released or revoked.
	#[codec(index = 2)]
	OnHold(Hold),
}

impl Withdrawal {
	/// The revocation, if it was revoked.
	pub const fn revocation(&self) -> Option<Revocation> {
		match self {
			Withdrawal::Revoked(revocation) => Some(*revocation),
			Withdrawal::None | Withdrawal::OnHold(_) => None,
		}
	}

	/// The hold, if it is on hold.
	pub const fn hold(&self) -> Option<Hold> {
		match self {
			Withdrawal::OnHold(hold) => Some(*hold),
			Withdrawal::None | Withdrawal::Revoked(_) => None,
		}
	}

	/// Whether it was revoked.
	pub const fn is_revoked(&self) -> bool {
		matches!(self, Withdrawal::Revoked(_))
	}

	/// Whether it is on hold.
	pub const fn is_on_hold(&self) -> bool {
		matches!(self, Withdrawal::OnHold(_))
	}
}

impl From<Option<Revocation>> for Withdrawal {
	fn from(revocation: Option<Revocation>) -> Self {
		revocation.map_or(Withdrawal::None, Withdrawal::Revoked)
	}
}

/// What is revoked under an SSH CA: the two selectors of OpenSSH's key revocation lists (`PROTOCOL.krl`,
/// sections 1.1 and 3) that identify one thing and nothing else.
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
pub enum SshSubject {
	/// The certificate with this serial number. Never zero: zero is what unnumbered certificates carry.
	#[codec(index = 0)]
	Serial(u64),
	/// Every use of the public key whose wire encoding has this SHA2-256.
	#[codec(index = 1)]
	KeyFingerprint([u8; 32]),
}

impl SshSubject {
	/// The hash by which the chain indexes the subject under its anchor.
	pub fn digest(&self) -> [u8; 32] {
		crate::ids::derive(b"dpki/ssh-subject/1", self)
	}
}

/// One entry in the revocation list of an SSH CA.
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
pub struct SshRevocation {
	/// What is revoked.
	pub subject: SshSubject,
	/// Why and since when.
	pub revocation: Revocation,
}

/// Entries in one page of an anchor's SSH revocation list.
pub const SSH_REVOCATIONS_PER_PAGE: u32 = 64;

/// The number of entries that a list may hold: 64 pages, all of which a device can prove and turn into a KRL.
pub const MAX_SSH_REVOCATIONS: u32 = 64 * SSH_REVOCATIONS_PER_PAGE;
