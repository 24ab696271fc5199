//! Motions: how a body decides, and what is on record about it.
//!
//! The rule is [`Tally::verdict`], a pure function that clients apply as well. Windows of time are counted in blocks, not
//! in chain time: while the chain stands still nobody can vote or object, and then no window may pass.

use crate::{ids::OrganisationId, organisation::Role};
use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// The number of a motion, counted from 0.
pub type MotionId = u32;

/// Longest reason, in bytes.
pub const MAX_REASON_LEN: u32 = 256;

/// Why somebody proposes, votes or withdraws, in the own words of that person. Meant to be UTF-8, but unchecked: who
/// shows it has to escape it.
pub type Reason = BoundedVec<u8, ConstU32<MAX_REASON_LEN>>;

/// A body of an organisation that decides by vote.
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
pub enum Body {
	/// The members with the role Administrator.
	#[codec(index = 0)]
	Administrators,
	/// The members with the role Watchdog.
	#[codec(index = 1)]
	Watchdogs,
}

impl Body {
	/// Every body.
	pub const ALL: [Body; 2] = [Body::Administrators, Body::Watchdogs];

	/// The body in one word, as clients print and take it.
	pub const fn name(self) -> &'static str {
		match self {
			Body::Administrators => "administrators",
			Body::Watchdogs => "watchdogs",
		}
	}

	/// The role that gives a seat in this body.
	pub const fn role(self) -> Role {
		match self {
			Body::Administrators => Role::Administrator,
			Body::Watchdogs => Role::Watchdog,
		}
	}
}

/// Who votes on a motion. It is also the origin of the call of a motion that was carried.
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
pub enum Electorate {
	/// The trustees of the consortium.
	#[codec(index = 0)]
	Council,
	/// A body of an organisation.
	#[codec(index = 1)]
	Organisation(OrganisationId, Body),
}

/// How many votes carry a motion.
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
	/// How many may vote.
	pub seats: u32,
	/// How many of them have to be in favour; at least 1, and possibly more than there are seats.
	pub needed: u32,
}

impl Quorum {
	/// Two thirds of the seats, rounded up. More than a third of them against it rejects.
	pub const fn two_thirds(seats: u32) -> Self {
		// Without the product, which could overflow.
		Self::at_least(seats - seats / 3, seats)
	}

	/// A fixed number of votes.
	pub const fn at_least(needed: u32, seats: u32) -> Self {
		Self { seats, needed: if needed == 0 { 1 } else { needed } }
	}
}

/// The votes of those who have a seat at the time of counting.
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
pub struct Tally {
	/// How many are in favour.
	pub ayes: u32,
	/// How many are against it.
	pub nays: u32,
	/// How many would have been needed.
	pub quorum: Quorum,
}

/// Where a count of votes leads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
	/// Both ways are still possible.
	Open,
	/// Enough are in favour.
	Carried,
	/// So many are against it that not enough could be in favour any more.
	Rejected,
}

impl Tally {
	/// Where this count leads. Silence is no vote: it neither carries nor rejects.
	pub const fn verdict(&self) -> Verdict {
		if self.ayes >= self.quorum.needed {
			Verdict::Carried
		} else if self.nays > self.quorum.seats.saturating_sub(self.quorum.needed) {
			Verdict::Rejected
		} else {
			Verdict::Open
		}
	}
}

/// How a motion stands.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum MotionState<BlockNumber> {
	/// Votes are taken, until the deadline.
	#[codec(index = 0)]
	Open,
	/// It was carried, and its call was dispatched, once.
	#[codec(index = 1)]
	Carried {
		/// The block of the deciding vote.
		at: BlockNumber,
		/// Whether the call succeeded. The event `Executed` of that block says why not.
		succeeded: bool,
	},
	/// It was voted down.
	#[codec(index = 2)]
	Rejected {
		/// The block of the deciding vote.
		at: BlockNumber,
	},
	/// Its proposer took it back.
	#[codec(index = 3)]
	Withdrawn {
		/// In which block.
		at: BlockNumber,
		/// Why.
		reason: Reason,
	},
	/// The deadline passed without a decision.
	#[codec(index = 4)]
	Expired {
		/// The block in which it was closed.
		at: BlockNumber,
	},
}

impl<BlockNumber: Copy> MotionState<BlockNumber> {
	/// Whether votes are taken.
	pub const fn is_open(&self) -> bool {
		matches!(self, Self::Open)
	}

	/// The state in one word, as clients print it.
	pub const fn name(&self) -> &'static str {
		match self {
			Self::Open => "open",
			Self::Carried { succeeded: true, .. } => "carried",
			Self::Carried { succeeded: false, .. } => "failed",
			Self::Rejected { .. } => "rejected",
			Self::Withdrawn { .. } => "withdrawn",
			Self::Expired { .. } => "expired",
		}
	}

	/// The block in which it was closed.
	pub const fn closed_at(&self) -> Option<BlockNumber> {
		match self {
			Self::Open => None,
			Self::Carried { at, .. }
			| Self::Rejected { at }
			| Self::Withdrawn { at, .. }
			| Self::Expired { at } => Some(*at),
		}
	}
}

/// A motion as stored. Its call lies beside it.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct MotionRecord<AccountId, Balance, BlockNumber> {
	/// Who votes.
	pub electorate: Electorate,
	/// Who proposed it; its first vote is the proposer's.
	pub proposer: AccountId,
	/// Why.
	pub reason: Reason,
	/// BLAKE2-256 of the encoded call.
	pub call_hash: [u8; 32],
	/// Length of the encoded call in bytes.
	pub call_len: u32,
	/// The version of the encoding of calls for which it was proposed. Under another one the same bytes may be another
	/// call than the one that was voted on, so it cannot be carried any more.
	pub transaction_version: u32,
	/// The block in which it was proposed.
	pub proposed_at: BlockNumber,
	/// The last block in which votes are taken.
	pub deadline: BlockNumber,
	/// What is held from the proposer while it is open.
	pub deposit: Balance,
	/// How many ballots lie beside it, those of accounts that lost their seat included.
	pub ballots: u32,
	/// The count after the newest vote.
	pub tally: Tally,
	/// How it stands.
	pub state: MotionState<BlockNumber>,
}

/// A vote as stored. A later vote of the same account replaces it.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Ballot<BlockNumber> {
	/// In favour, or against.
	pub aye: bool,
	/// Why.
	pub reason: Reason,
	/// The block in which it was cast.
	pub at: BlockNumber,
}

/// What the call of a motion needs. A vote that may carry the motion has to allow for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct CallBounds {
	/// Length of the encoded call in bytes.
	pub length: u32,
	/// Computation, in picoseconds.
	pub ref_time: u64,
	/// Size of the storage proof, in bytes.
	pub proof_size: u64,
}

/// What the record of a motion does not tell: how it stands at one block.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct MotionStanding {
	/// The count over those who have a seat now, from which the next vote starts; `None` if nobody has one.
	pub tally: Option<Tally>,
	/// What a vote that may carry the motion has to allow for; `None` if its call cannot be read any more.
	pub bounds: Option<CallBounds>,
}

/// How many motions a page of answers holds.
pub const MOTIONS_PER_PAGE: u32 = 32;

/// The numbers of the motions on a page, newest first, if there ever were `count`. Page 0 holds the newest. Numbers have
/// no gap, so who asks for all pages knows that no motion was left out.
pub fn motions_on_page(count: u32, page: u32) -> impl Iterator<Item = MotionId> {
	let end = count.saturating_sub(page.saturating_mul(MOTIONS_PER_PAGE));
	(end.saturating_sub(MOTIONS_PER_PAGE)..end).rev()
}

/// Who may vote, and how many votes decide: what the voting mechanism asks.
pub trait Electorates<AccountId> {
	/// The seats of this electorate now; `None` if it does not exist or nobody has a seat.
	fn quorum(electorate: &Electorate) -> Option<Quorum>;

	/// Whether `who` has a seat in this electorate now.
	fn has_seat(electorate: &Electorate, who: &AccountId) -> bool;

	/// Gives `who` a seat; for benchmarks of other pallets. Seats beyond what fits may be left out.
	#[cfg(feature = "runtime-benchmarks")]
	fn add_seat_for_benchmark(electorate: &Electorate, who: &AccountId);
}

/// What the organisations answer about their bodies.
pub trait Bodies<AccountId> {
	/// The seats of this body now; `None` if there is no such organisation, or if the body has no say in it.
	fn quorum(organisation: OrganisationId, body: Body) -> Option<Quorum>;

	/// Whether `who` has a seat in this body now.
	fn has_seat(organisation: OrganisationId, body: Body, who: &AccountId) -> bool;
}

#[cfg(test)]
mod tests {
	use super::*;
	use alloc::{string::String, vec::Vec};
	use serde::Deserialize;

	#[derive(Deserialize)]
	struct Case {
		name: String,
		seats: u32,
		/// Absent for two thirds.
		at_least: Option<u32>,
		ayes: u32,
		nays: u32,
		needed: u32,
		verdict: String,
	}

	#[test]
	fn the_vectors_hold() {
		let cases: Vec<Case> =
			serde_json::from_str(include_str!("../vectors/quorum.json")).unwrap();
		for case in cases {
			let quorum = match case.at_least {
				Some(needed) => Quorum::at_least(needed, case.seats),
				None => Quorum::two_thirds(case.seats),
			};
			assert_eq!(quorum.needed, case.needed, "{}", case.name);
			let verdict = match (Tally { ayes: case.ayes, nays: case.nays, quorum }).verdict() {
				Verdict::Open => "open",
				Verdict::Carried => "carried",
				Verdict::Rejected => "rejected",
			};
			assert_eq!(verdict, case.verdict, "{}", case.name);
		}
	}

	#[test]
	fn two_thirds_carry_and_more_than_a_third_rejects_for_every_size() {
		for seats in 1..=300u32 {
			for votes in 0..=seats {
				let quorum = Quorum::two_thirds(seats);
				let carried = Tally { ayes: votes, nays: 0, quorum }.verdict() == Verdict::Carried;
				assert_eq!(carried, votes * 3 >= seats * 2, "{votes} of {seats} in favour");
				let rejected =
					Tally { ayes: 0, nays: votes, quorum }.verdict() == Verdict::Rejected;
				assert_eq!(rejected, votes * 3 > seats, "{votes} of {seats} against");
			}
		}
	}

	#[test]
	fn the_largest_electorate_does_not_overflow() {
		let quorum = Quorum::two_thirds(u32::MAX);
		assert_eq!(quorum.needed, 2_863_311_530);
		assert_eq!(Tally { ayes: 0, nays: u32::MAX, quorum }.verdict(), Verdict::Rejected);
	}

	#[test]
	fn pages_tell_every_motion_once_and_the_newest_first() {
		for count in [0u32, 1, 31, 32, 33, 100] {
			let pages = count.div_ceil(MOTIONS_PER_PAGE);
			let told: Vec<_> = (0..pages).flat_map(|page| motions_on_page(count, page)).collect();
			assert_eq!(told, (0..count).rev().collect::<Vec<_>>());
			assert_eq!(motions_on_page(count, pages).count(), 0);
		}
		assert_eq!(motions_on_page(u32::MAX, u32::MAX).count(), 0);
	}

	#[test]
	fn each_body_and_each_state_has_a_word_of_its_own() {
		crate::assert_distinct_words(&Body::ALL.map(Body::name));
		let states = [
			MotionState::Open,
			MotionState::Carried { at: 7u32, succeeded: true },
			MotionState::Carried { at: 7, succeeded: false },
			MotionState::Rejected { at: 7 },
			MotionState::Withdrawn { at: 7, reason: Reason::default() },
			MotionState::Expired { at: 7 },
		];
		crate::assert_distinct_words(&states.map(|state| state.name()));
	}

	#[test]
	fn a_motion_is_closed_in_the_block_that_its_state_names() {
		let reason = Reason::default();
		assert!(MotionState::<u32>::Open.is_open());
		assert_eq!(MotionState::<u32>::Open.closed_at(), None);
		for state in [
			MotionState::Carried { at: 7u32, succeeded: false },
			MotionState::Rejected { at: 7 },
			MotionState::Withdrawn { at: 7, reason },
			MotionState::Expired { at: 7 },
		] {
			assert!(!state.is_open());
			assert_eq!(state.closed_at(), Some(7));
		}
	}
}
