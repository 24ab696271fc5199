// SPDX-License-Identifier: Apache-2.0

//! Calls that are refused although the pallet that has them would carry them out.

use crate::{Hashing, Runtime, RuntimeCall, configs::governance::CouncilInstance, mandate};
use frame_support::traits::Contains;
use pallet_collective::{Call as CouncilCall, CostOf, Members, ProposalOf};
use sp_runtime::traits::Hash;

/// What an account or a motion may call. Root is not asked, and what it carries out is judged by
/// [`MandateFilter`].
///
/// Refused, with `System.CallFiltered`, is what would let a single trustee hold up the council:
///
/// - `Council.propose` with a threshold below two thirds of the seats. No call of this runtime takes
///   a smaller majority, so such a motion is good for nothing, but it would take nearly the whole
///   council to reject it. With two thirds, more than a third can always close a motion.
/// - `Council.propose` of a motion that has ended and whose deposit was not released: the council
///   would forget for whom it holds it. `Council.release_proposal_cost`, which anybody may call, comes
///   first.
/// - `Council.execute`, because the word of one member counts for nothing.
pub struct BaseFilter;

impl Contains<RuntimeCall> for BaseFilter {
	fn contains(call: &RuntimeCall) -> bool {
		match call {
			RuntimeCall::Council(CouncilCall::propose { threshold, proposal, .. }) => {
				is_two_thirds_of_council(*threshold) && !has_unreleased_deposit(proposal)
			},
			RuntimeCall::Council(CouncilCall::execute { .. }) => false,
			_ => true,
		}
	}
}

fn is_two_thirds_of_council(threshold: u32) -> bool {
	let seats = Members::<Runtime, CouncilInstance>::decode_len().unwrap_or(0) as u64;
	u64::from(threshold) * 3 >= seats * 2
}

fn has_unreleased_deposit(proposal: &RuntimeCall) -> bool {
	let hash = Hashing::hash_of(proposal);
	CostOf::<Runtime, CouncilInstance>::contains_key(hash)
		&& !ProposalOf::<Runtime, CouncilInstance>::contains_key(hash)
}

/// What [`mandate`] may carry out as root: everything but the calls of `pallet-sudo`, which takes
/// root for its administrator and would let a motion appoint one. A call that carries another one is
/// judged by what it carries.
pub struct MandateFilter;

impl Contains<RuntimeCall> for MandateFilter {
	fn contains(call: &RuntimeCall) -> bool {
		match call {
			RuntimeCall::Sudo(_) => false,
			RuntimeCall::Mandate(mandate::Call::dispatch_as_root { call }) => Self::contains(call),
			RuntimeCall::Council(
				CouncilCall::propose { proposal, .. } | CouncilCall::execute { proposal, .. },
			) => Self::contains(proposal),
			_ => true,
		}
	}
}
