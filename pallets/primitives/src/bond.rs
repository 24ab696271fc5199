//! Bonds: what an endorser stands to lose if it is proven to have misbehaved.
//!
//! A bond is held of the endorser's own account. What is taken out of it stays on hold, and can still be slashed, for
//! longer than the longest vote about that takes.

use crate::{Moment, application::BlockHeight};
use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Most parts of a bond that wait for their end at the same time.
pub const MAX_UNBONDING: u32 = 16;

/// A part of a bond that is on its way out.
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
pub struct Unbonding<Balance> {
	/// How much, in the smallest unit.
	pub amount: Balance,
	/// Last block at which it can be slashed; it can be withdrawn after that.
	pub until: BlockHeight,
}

/// The bond of an account, as stored. All of it is on hold.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Bond<Balance> {
	/// What stands behind the word of the endorser, in the smallest unit. Only this counts towards the minimum.
	pub active: Balance,
	/// What is on its way out, the oldest first.
	pub unbonding: BoundedVec<Unbonding<Balance>, ConstU32<MAX_UNBONDING>>,
}

impl<Balance: Default> Default for Bond<Balance> {
	fn default() -> Self {
		Self { active: Balance::default(), unbonding: BoundedVec::new() }
	}
}

impl<Balance> Bond<Balance> {
	/// Every amount of the bond: first what is active, then what is on its way out, the last to end first. A slash
	/// takes them in this order, so that who leaves in time keeps no more than who stays.
	pub fn amounts_mut(&mut self) -> impl Iterator<Item = &mut Balance> {
		let unbonding = self.unbonding.iter_mut().rev().map(|part| &mut part.amount);
		core::iter::once(&mut self.active).chain(unbonding)
	}
}

/// What an endorser was proven to have done.
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
pub enum SlashReason {
	/// It attested what is not true, and knew or could have known it.
	#[codec(index = 0)]
	FalseStatement,
	/// It cannot show the evidence whose hash it gave, or never looked at any.
	#[codec(index = 1)]
	EvidenceMissing,
	/// It agreed with whom it endorsed, or with other endorsers, on what to attest.
	#[codec(index = 2)]
	Collusion,
	/// It let others endorse by its account.
	#[codec(index = 3)]
	AccountShared,
}

impl SlashReason {
	/// Every reason.
	pub const ALL: [SlashReason; 4] =
		[Self::FalseStatement, Self::EvidenceMissing, Self::Collusion, Self::AccountShared];

	/// The reason as printed and as written on a command line.
	pub const fn name(self) -> &'static str {
		match self {
			Self::FalseStatement => "false-statement",
			Self::EvidenceMissing => "evidence-missing",
			Self::Collusion => "collusion",
			Self::AccountShared => "account-shared",
		}
	}
}

/// A slash as stored. Never removed.
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
pub struct SlashRecord<Balance> {
	/// How much was burnt, in the smallest unit.
	pub amount: Balance,
	/// Why.
	pub reason: SlashReason,
	/// Hash of the proof, which those who voted have seen; the consortium keeps it.
	pub evidence: [u8; 32],
	/// When.
	pub at: Moment,
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_slash_takes_what_is_active_first_and_then_what_would_leave_last() {
		let mut bond = Bond { active: 1u64, ..Bond::default() };
		for (amount, until) in [(2, 10), (3, 20)] {
			bond.unbonding.try_push(Unbonding { amount, until }).unwrap();
		}
		assert_eq!(bond.amounts_mut().map(|amount| *amount).collect::<Vec<_>>(), [1, 3, 2]);
	}

	#[test]
	fn every_reason_has_a_word_of_its_own() {
		crate::assert_distinct_words(&SlashReason::ALL.map(SlashReason::name));
		for (index, reason) in SlashReason::ALL.into_iter().enumerate() {
			assert_eq!(reason.encode(), [index as u8]);
		}
	}
}
