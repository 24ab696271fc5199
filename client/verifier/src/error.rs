//! Why something was not believed.

use core::fmt;
use dpki_primitives::Moment;

/// The part of an input that an [`Error`] is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Part {
	/// The outline of a bundle.
	Bundle,
	/// The list of authority-set changes.
	Fragments,
	/// A block header.
	Header,
	/// The digest of a block header.
	Digest,
	/// The announcement of an authority-set change in a digest.
	AuthorityChange,
	/// A list of authorities.
	Authorities,
	/// A GRANDPA justification.
	Justification,
	/// The headers between a justification's target and its votes.
	VoteAncestries,
	/// The list of proof nodes.
	Proof,
	/// A node of the trie, or a value that is stored beside its node.
	ProofNode,
	/// The storage keys of a query.
	Keys,
	/// A storage key.
	Key,
	/// The value under a storage key.
	Record,
	/// A checkpoint.
	Checkpoint,
	/// A recovery.
	Recovery,
}

impl Part {
	const fn name(self) -> &'static str {
		match self {
			Part::Bundle => "the bundle",
			Part::Fragments => "the list of authority-set changes",
			Part::Header => "a header",
			Part::Digest => "the digest of a header",
			Part::AuthorityChange => "an authority-set change",
			Part::Authorities => "the list of authorities",
			Part::Justification => "a justification",
			Part::VoteAncestries => "the vote ancestries",
			Part::Proof => "the storage proof",
			Part::ProofNode => "a node of the storage proof",
			Part::Keys => "the list of storage keys",
			Part::Key => "a storage key",
			Part::Record => "a record",
			Part::Checkpoint => "the checkpoint",
			Part::Recovery => "the recovery",
		}
	}
}

impl fmt::Display for Part {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(self.name())
	}
}

/// Why something was not believed. Whatever the reason, nothing has changed: the checkpoint stands where it stood.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Error {
	/// A part does not decode, is cut short, or is followed by something else.
	Malformed(Part),
	/// A part is of a version that this crate does not know.
	UnknownVersion {
		/// Which part.
		part: Part,
		/// Its version.
		found: u8,
	},
	/// A part is larger than the limit in [`crate::limits`].
	TooLarge {
		/// Which part.
		part: Part,
		/// Its length in bytes or its count.
		found: usize,
		/// The limit.
		allowed: usize,
	},

	/// A list of authorities is empty.
	AuthoritiesEmpty,
	/// A list of authorities names one twice, or a checkpoint names them out of order.
	AuthorityRepeated {
		/// Whom.
		authority: [u8; 32],
	},
	/// An authority has a weight other than 1.
	AuthorityWeight {
		/// Who.
		authority: [u8; 32],
		/// The weight.
		weight: u64,
	},
	/// The set id has no successor.
	SetIdExhausted,

	/// A fragment or the head is not above the fragment before it.
	OutOfOrder {
		/// The block number.
		number: u32,
		/// The block number that it has to be above.
		previous: u32,
	},
	/// A fragment announces no change of authorities.
	ChangeMissing {
		/// The block number.
		number: u32,
	},
	/// A header announces more than one change of authorities.
	ChangeRepeated {
		/// The block number.
		number: u32,
	},
	/// A header announces a forced change, which breaks the chain of trust.
	ChangeForced {
		/// The block number.
		number: u32,
	},
	/// A header announces a change that is to happen in a later block.
	ChangeDelayed {
		/// The block number.
		number: u32,
		/// By how many blocks.
		delay: u32,
	},
	/// A header carries a GRANDPA message of an unknown kind.
	ChangeUnknown {
		/// The block number.
		number: u32,
		/// The index of the kind.
		kind: u8,
	},
	/// The head is older than one that was accepted before.
	OlderThanSeen {
		/// The number of the head.
		number: u32,
		/// The number of the newest accepted one.
		seen: u32,
	},
	/// The head is another block than the one that was accepted before at the same height.
	ConflictsWithSeen {
		/// The number of both.
		number: u32,
	},

	/// The justification is for another block than the header beside it.
	TargetMismatch {
		/// The number in the header.
		number: u32,
	},
	/// Two thirds of the authorities or fewer have signed.
	TooFewVotes {
		/// How many have.
		found: usize,
		/// How many are needed.
		needed: usize,
	},
	/// Somebody who is not in the set has signed. An honest bundle for another set id looks like this too.
	UnknownAuthority {
		/// Who.
		authority: [u8; 32],
	},
	/// An authority appears twice.
	RepeatedVote {
		/// Who.
		authority: [u8; 32],
	},
	/// A vote is for a block that the vote ancestries do not link to the target.
	VoteUnlinked {
		/// The number of the block that was voted for, or of the header whose parent is missing.
		number: u32,
	},
	/// A header of the vote ancestries links no vote to the target.
	AncestryUnused {
		/// Its number.
		number: u32,
	},
	/// A header appears twice in the vote ancestries.
	AncestryRepeated {
		/// Its number.
		number: u32,
	},
	/// The votes finalise a block above the one that the justification names.
	TargetTooLow {
		/// The number of the block that they finalise.
		number: u32,
	},
	/// A signature does not verify. An honest justification of the same authorities under another set id looks like
	/// this too.
	BadSignature {
		/// Whose.
		authority: [u8; 32],
	},

	/// The proof lacks a node on the way to an asked key, or the value at its end.
	NodeMissing,
	/// The proof has a node that no asked key needs.
	NodeSurplus,
	/// The proof has a node twice.
	NodeRepeated,
	/// The state has no time, so it is not of this chain.
	TimeMissing,
	/// The state says that its chain began with another genesis block.
	OtherChain,
	/// The record was not part of the query.
	NotAsked,

	/// The chain time is too far behind the caller's clock.
	Stale {
		/// By how many milliseconds.
		age: Moment,
		/// How many are allowed.
		allowed: Moment,
	},
	/// The chain time is too far ahead of the caller's clock.
	FromTheFuture {
		/// By how many milliseconds.
		ahead: Moment,
		/// How many are allowed.
		allowed: Moment,
	},

	/// The recovery has expired.
	RecoveryExpired {
		/// When, in milliseconds since the Unix epoch.
		at: Moment,
	},
	/// The recovery is good for longer than a recovery may be.
	RecoveryTooLong {
		/// Until when, in milliseconds since the Unix epoch.
		until: Moment,
	},
	/// The recovery leads to another chain, an earlier block or no newer authority set.
	RecoveryNotForward,
}

impl fmt::Display for Error {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Error::Malformed(part) => {
				write!(f, "{part} is malformed: get it again, from another source if it stays so")
			},
			Error::UnknownVersion { part, found } => {
				write!(
					f,
					"{part} is of version {found}, which this program does not know: update it"
				)
			},
			Error::TooLarge { part, found, allowed } => {
				write!(f, "{part} has {found} where {allowed} are allowed: ask for less at once")
			},
			Error::AuthoritiesEmpty => f.write_str("an authority set is empty: ask another source"),
			Error::AuthorityRepeated { authority } => {
				write!(f, "authority {} is named twice or out of order: ask another source", Hex(authority))
			},
			Error::AuthorityWeight { authority, weight } => {
				write!(f, "authority {} has weight {weight}, only 1 is known: ask another source", Hex(authority))
			},
			Error::SetIdExhausted => f.write_str("the authority set has no successor: get a recovery from the chain's operators"),
			Error::OutOfOrder { number, previous } => {
				write!(f, "block {number} comes after block {previous}: ask for the bundle again")
			},
			Error::ChangeMissing { number } => {
				write!(f, "block {number} stands for an authority-set change and announces none: ask another source")
			},
			Error::ChangeRepeated { number } => {
				write!(f, "block {number} announces several authority-set changes: ask another source")
			},
			Error::ChangeForced { number } => write!(
				f,
				"block {number} forces a new authority set: get a recovery from the chain's operators"
			),
			Error::ChangeDelayed { number, delay } => write!(
				f,
				"block {number} delays an authority-set change by {delay} blocks, which is not \
				 supported: get a recovery from the chain's operators"
			),
			Error::ChangeUnknown { number, kind } => write!(
				f,
				"block {number} carries a GRANDPA message of the unknown kind {kind}: update this program"
			),
			Error::OlderThanSeen { number, seen } => {
				write!(
					f,
					"block {number} is older than block {seen}, seen before: ask another source"
				)
			},
			Error::ConflictsWithSeen { number } => {
				write!(f, "block {number} is not the one seen before: do not trust this source")
			},
			Error::TargetMismatch { number } => {
				write!(f, "the justification is not for block {number}: do not trust this source")
			},
			Error::TooFewVotes { found, needed } => {
				write!(f, "{found} authorities have signed, {needed} are needed: ask another source")
			},
			Error::UnknownAuthority { authority } => write!(
				f,
				"{} has signed, which is not in the authority set: ask for the changes since the \
				 checkpoint, and check that it is of this chain",
				Hex(authority)
			),
			Error::RepeatedVote { authority } => write!(f, "{} has signed twice: ask another source", Hex(authority)),
			Error::VoteUnlinked { number } => {
				write!(
					f,
					"block {number}, which a vote needs, is not linked to the target: do not trust \
					 this source"
				)
			},
			Error::AncestryUnused { number } => {
				write!(f, "the justification has the header {number}, which no vote needs: ask another source")
			},
			Error::AncestryRepeated { number } => {
				write!(f, "the justification has the header {number} twice: ask another source")
			},
			Error::TargetTooLow { number } => {
				write!(f, "the votes finalise block {number}, not the block that is claimed: ask another source")
			},
			Error::BadSignature { authority } => write!(
				f,
				"the signature of {} is wrong, or made for another authority set: ask for the changes \
				 since the checkpoint",
				Hex(authority)
			),
			Error::NodeMissing => {
				f.write_str("the storage proof is incomplete: ask again, with exactly these keys")
			},
			Error::NodeSurplus => f.write_str(
				"the storage proof has more than was asked for: ask again, with exactly these keys",
			),
			Error::NodeRepeated => f.write_str("the storage proof has a node twice: ask another source"),
			Error::TimeMissing => f.write_str("the state has no time: it is not of this chain"),
			Error::OtherChain => {
				f.write_str("the state is that of another chain: do not trust this source")
			},
			Error::NotAsked => f.write_str("the record was not asked for: put it into the query"),
			Error::Stale { age, allowed } => write!(
				f,
				"the block is {age} ms old, {allowed} ms are allowed: ask another source, and check the clock"
			),
			Error::FromTheFuture { ahead, allowed } => write!(
				f,
				"the block is {ahead} ms ahead of the clock, {allowed} ms are allowed: set the clock"
			),
			Error::RecoveryExpired { at } => {
				write!(f, "the recovery expired at {at} ms of Unix time: get a new one")
			},
			Error::RecoveryTooLong { until } => {
				write!(f, "the recovery is good until {until} ms of Unix time, which is too long: get one for a shorter time")
			},
			Error::RecoveryNotForward => f.write_str(
				"the recovery leads to another chain, an earlier block or no newer authority set: get another one",
			),
		}
	}
}

impl core::error::Error for Error {}

struct Hex<'a>(&'a [u8; 32]);

impl fmt::Display for Hex<'_> {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str("0x")?;
		self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
	}
}
