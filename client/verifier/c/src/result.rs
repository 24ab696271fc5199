//! Results and verdicts as numbers.

use dpki_primitives::{
	key::{KeyPurpose, KeyType},
	revocation::RevocationReason,
	status::Status,
};
use dpki_verifier::Error;

/// What became of a call. Numbers never change their meaning.
#[repr(i32)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DpkiResult {
	/// All is well.
	Ok = 0,
	/// A pointer is null that must not be, or a count is too large.
	Argument = 1,
	/// The buffer for the next checkpoint is too small.
	BufferTooSmall = 2,
	/// Some input is malformed.
	Malformed = 10,
	/// Some input is of an unknown version: update the firmware.
	UnknownVersion = 11,
	/// Some input is larger than allowed.
	TooLarge = 12,
	/// An authority set is empty, names somebody twice, or has weights.
	AuthoritySet = 20,
	/// The changes of the authority set and the head are out of order, or a change is missing.
	OutOfOrder = 21,
	/// A forced, delayed or unknown change of the authority set: a recovery is needed.
	Change = 22,
	/// The head is older than one seen before.
	OlderThanSeen = 23,
	/// The head contradicts one seen before.
	ConflictsWithSeen = 24,
	/// The justification is for another block.
	TargetMismatch = 30,
	/// Too few authorities have signed.
	TooFewVotes = 31,
	/// Somebody else has signed: fetch the changes since the checkpoint.
	UnknownAuthority = 32,
	/// An authority has signed twice.
	RepeatedVote = 33,
	/// The votes do not belong to the block, or the headers between them do not.
	Ancestry = 34,
	/// A signature is wrong, or for another authority set.
	BadSignature = 35,
	/// The storage proof is incomplete, or for other keys.
	NodeMissing = 40,
	/// The storage proof has more than was asked for.
	NodeSurplus = 41,
	/// The state has no time, or is that of another chain.
	OtherChain = 42,
	/// The block is too old.
	Stale = 50,
	/// The block is ahead of the clock.
	FromTheFuture = 51,
	/// The recovery has expired, is good for too long, or does not lead forward.
	Recovery = 60,
	/// Something else was refused.
	Other = 99,
}

impl From<&Error> for DpkiResult {
	fn from(error: &Error) -> Self {
		match error {
			Error::Malformed(_) => Self::Malformed,
			Error::UnknownVersion { .. } => Self::UnknownVersion,
			Error::TooLarge { .. } => Self::TooLarge,
			Error::AuthoritiesEmpty
			| Error::AuthorityRepeated { .. }
			| Error::AuthorityWeight { .. }
			| Error::SetIdExhausted => Self::AuthoritySet,
			Error::OutOfOrder { .. } | Error::ChangeMissing { .. } => Self::OutOfOrder,
			Error::ChangeRepeated { .. }
			| Error::ChangeForced { .. }
			| Error::ChangeDelayed { .. }
			| Error::ChangeUnknown { .. } => Self::Change,
			Error::OlderThanSeen { .. } => Self::OlderThanSeen,
			Error::ConflictsWithSeen { .. } => Self::ConflictsWithSeen,
			Error::TargetMismatch { .. } => Self::TargetMismatch,
			Error::TooFewVotes { .. } => Self::TooFewVotes,
			Error::UnknownAuthority { .. } => Self::UnknownAuthority,
			Error::RepeatedVote { .. } => Self::RepeatedVote,
			Error::VoteUnlinked { .. }
			| Error::AncestryUnused { .. }
			| Error::AncestryRepeated { .. }
			| Error::TargetTooLow { .. } => Self::Ancestry,
			Error::BadSignature { .. } => Self::BadSignature,
			Error::NodeMissing => Self::NodeMissing,
			Error::NodeSurplus | Error::NodeRepeated => Self::NodeSurplus,
			Error::TimeMissing | Error::OtherChain => Self::OtherChain,
			Error::Stale { .. } => Self::Stale,
			Error::FromTheFuture { .. } => Self::FromTheFuture,
			Error::RecoveryExpired { .. }
			| Error::RecoveryTooLong { .. }
			| Error::RecoveryNotForward => Self::Recovery,
			_ => Self::Other,
		}
	}
}

/// The verdict about a record. Only `VALID` is a yes.
#[repr(i32)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DpkiStatus {
	/// The chain holds no such record.
	Unknown = 0,
	/// It may be relied on now.
	Valid = 1,
	/// Its time has not come.
	NotYetValid = 2,
	/// Its time is over.
	Expired = 3,
	/// It is on hold.
	Suspended = 4,
	/// It was revoked.
	Revoked = 5,
	/// A newer one took its place.
	Superseded = 6,
	/// Something that it depends on was revoked.
	IssuerRevoked = 7,
}

impl From<Status> for DpkiStatus {
	fn from(status: Status) -> Self {
		match status {
			Status::Unknown => Self::Unknown,
			Status::Valid => Self::Valid,
			Status::NotYetValid => Self::NotYetValid,
			Status::Expired => Self::Expired,
			Status::Suspended => Self::Suspended,
			Status::Revoked(_) => Self::Revoked,
			Status::Superseded => Self::Superseded,
			Status::IssuerRevoked(_) => Self::IssuerRevoked,
		}
	}
}

/// The number in RFC 5280 section 5.3.1.
pub(crate) fn reason(reason: RevocationReason) -> u8 {
	match reason {
		RevocationReason::Unspecified => 0,
		RevocationReason::KeyCompromise => 1,
		RevocationReason::CaCompromise => 2,
		RevocationReason::AffiliationChanged => 3,
		RevocationReason::Superseded => 4,
		RevocationReason::CessationOfOperation => 5,
		RevocationReason::PrivilegeWithdrawn => 9,
		RevocationReason::AaCompromise => 10,
	}
}

pub(crate) fn key_type(key_type: KeyType) -> u8 {
	match key_type {
		KeyType::Ed25519 => 0,
		KeyType::Sr25519 => 1,
		KeyType::Secp256k1 => 2,
		KeyType::P256 => 3,
		KeyType::X25519 => 4,
		KeyType::Rsa => 5,
		KeyType::MlDsa44 => 6,
		KeyType::MlDsa65 => 7,
		KeyType::MlDsa87 => 8,
		KeyType::XWing => 9,
	}
}

pub(crate) fn purpose(purpose: KeyPurpose) -> u8 {
	match purpose {
		KeyPurpose::Sign => 0,
		KeyPurpose::KeyAgreement => 1,
		KeyPurpose::Tls => 2,
		KeyPurpose::Ssh => 3,
	}
}
