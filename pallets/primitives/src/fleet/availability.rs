//! When the votes of those who hold the leaves suffice.
//!
//! A root counts only when more than two thirds of the voters say that they have fetched every tile and hashed it again:
//! then at least one honest voter has the leaves, as long as less than a third is not honest. As soon as so many deny it
//! that those who are left cannot be more than two thirds, the leaves count as unavailable. Who does not vote delays the
//! commitment and nothing else: blocks are made and finalised without it.
//!
//! A vote names a [`RevisionId`](crate::ids::RevisionId): the hash of fleet, number, size, root, tiles, of the commitment that is
//! replaced and of its grace. What a voter has said of one candidate can so never count for another that stands in its place,
//! be it by a proposal that came later or in a block of another branch.

use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Who says whether leaves are to be had.
pub trait AvailabilityVoters<AccountId> {
	/// Everybody who may vote now, each once, in any order. Bounded by the runtime.
	fn voters() -> Vec<AccountId>;

	/// Makes these the voters; for benchmarks of other pallets.
	#[cfg(feature = "runtime-benchmarks")]
	fn set_for_benchmark(voters: Vec<AccountId>);
}

/// What one voter says of one commitment.
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
pub struct AvailabilityVote<AccountId> {
	/// Who.
	pub voter: AccountId,
	/// Whether every tile was fetched and leads to the root.
	pub available: bool,
}

/// What the votes come to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Availability {
	/// More than two thirds hold the leaves.
	Available,
	/// So many deny it that there cannot be more than two thirds.
	Unavailable,
	/// Neither yet.
	Open,
}

/// What these votes come to among these voters. Votes of those who are no voters any more do not count.
pub fn availability<AccountId: PartialEq>(
	voters: &[AccountId],
	votes: &[AvailabilityVote<AccountId>],
) -> Availability {
	let count = |available| {
		votes
			.iter()
			.filter(|vote| vote.available == available && voters.contains(&vote.voter))
			.count()
	};
	let needed = needed(voters.len());
	if count(true) >= needed {
		Availability::Available
	} else if !voters.is_empty() && count(false) > voters.len().saturating_sub(needed) {
		Availability::Unavailable
	} else {
		Availability::Open
	}
}

/// How many of so many voters are more than two thirds.
pub const fn needed(voters: usize) -> usize {
	voters - voters.div_ceil(3) + 1
}

#[cfg(test)]
mod tests {
	use super::*;

	fn votes(yes: u8, no: u8) -> Vec<AvailabilityVote<u8>> {
		let vote = |voter| AvailabilityVote { voter, available: voter < yes };
		(0..yes + no).map(vote).collect()
	}

	#[test]
	fn more_than_two_thirds_are_needed() {
		for (voters, enough) in [(1, 1), (2, 2), (3, 3), (4, 3), (7, 5), (100, 67)] {
			assert_eq!(needed(voters), enough, "{voters}");
		}
	}

	#[test]
	fn four_voters_decide_with_three_and_two_keep_them_from_it() {
		let voters: Vec<u8> = (0..4).collect();
		for (yes, no, decided) in [
			(0, 0, Availability::Open),
			(2, 1, Availability::Open),
			(3, 1, Availability::Available),
			(4, 0, Availability::Available),
			(2, 2, Availability::Unavailable),
			(0, 4, Availability::Unavailable),
		] {
			assert_eq!(availability(&voters, &votes(yes, no)), decided, "{yes} to {no}");
		}
	}

	#[test]
	fn who_is_no_voter_any_more_does_not_count() {
		let voters: Vec<u8> = (2..6).collect();
		assert_eq!(availability(&voters, &votes(4, 0)), Availability::Open);
		assert_eq!(availability(&voters, &votes(0, 4)), Availability::Unavailable);
		assert_eq!(availability(&[], &votes(4, 0)), Availability::Open);
	}
}
