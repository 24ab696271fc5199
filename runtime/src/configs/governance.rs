// SPDX-License-Identifier: Apache-2.0

//! Who decides: the council of trustees, and nobody else outside a development chain.
//!
//! A motion that two thirds of the council carry counts as root, in two ways. Pallets that let the
//! runtime choose their origin take [`RootOrCouncil`] and are called by the motion directly. Calls
//! that insist on root go through [`mandate`].
//!
//! More than a third of the council rejects: with that many against it, two thirds cannot be reached
//! and anyone may close the motion. [`BaseFilter`] sees to it that no motion asks for less than two
//! thirds, and a deposit that grows with the number of open motions to it that no single trustee fills
//! the agenda.
//!
//! [`BaseFilter`]: crate::call_filter::BaseFilter

use crate::{
	AccountId, Balance, Balances, BlockNumber, Council, Runtime, RuntimeCall, RuntimeEvent,
	RuntimeHoldReason, RuntimeOrigin, UNIT, call_filter::MandateFilter, mandate, weights,
};
use frame_support::{
	parameter_types,
	traits::{EitherOfDiverse, NeverEnsureOrigin, fungible::HoldConsideration},
	weights::Weight,
};
use frame_system::EnsureRoot;
use pallet_collective::EnsureProportionAtLeast;
use sp_runtime::{Perbill, traits::Convert};

/// The instance of `pallet-collective` that is the council.
pub type CouncilInstance = pallet_collective::Instance1;

/// Two thirds of the council.
pub type TwoThirdsOfCouncil = EnsureProportionAtLeast<AccountId, CouncilInstance, 2, 3>;

/// Root, or two thirds of the council.
pub type RootOrCouncil = EitherOfDiverse<EnsureRoot<AccountId>, TwoThirdsOfCouncil>;

/// The most seats that the council can have.
pub const MAX_COUNCIL_MEMBERS: u32 = 100;

/// What a motion holds of its proposer's tokens if no other motion is open.
pub const MOTION_DEPOSIT: Balance = 10 * UNIT;

parameter_types! {
	/// Blocks for which a motion stays open: a day at one second.
	pub const MotionDuration: BlockNumber = 24 * 60 * 60;
	/// Motions that may be open at once.
	pub const MaxProposals: u32 = 100;
	/// Seats.
	pub const MaxMembers: u32 = MAX_COUNCIL_MEMBERS;
	/// A motion may fill half of a block.
	pub MaxProposalWeight: Weight =
		Perbill::from_percent(50) * super::system::MAXIMUM_BLOCK_WEIGHT;
	/// Why the deposit of a motion is held.
	pub const MotionHoldReason: RuntimeHoldReason =
		RuntimeHoldReason::Council(pallet_collective::HoldReason::ProposalSubmission);
}

/// The deposit of a motion beside so many open ones: [`MOTION_DEPOSIT`] for the first, twice that for
/// the second, and so on. All of [`MaxProposals`] would hold 5,050 times the first.
pub struct MotionDeposit;

impl Convert<u32, Balance> for MotionDeposit {
	fn convert(open_motions: u32) -> Balance {
		MOTION_DEPOSIT.saturating_mul(Balance::from(open_motions).saturating_add(1))
	}
}

impl pallet_collective::Config<CouncilInstance> for Runtime {
	type RuntimeOrigin = RuntimeOrigin;
	type Proposal = RuntimeCall;
	type RuntimeEvent = RuntimeEvent;
	type MotionDuration = MotionDuration;
	type MaxProposals = MaxProposals;
	type MaxMembers = MaxMembers;
	// Silence counts as no: there is never a prime member to follow, see below.
	type DefaultVote = pallet_collective::PrimeDefaultVote;
	type WeightInfo = pallet_collective::weights::SubstrateWeight<Runtime>;
	// Members change in one place only, `CouncilMembership`; else the two lists could differ.
	type SetMembersOrigin = NeverEnsureOrigin<()>;
	type MaxProposalWeight = MaxProposalWeight;
	type DisapproveOrigin = RootOrCouncil;
	// Burns the deposit. All other ends of a motion let anybody give it back to the proposer.
	type KillOrigin = RootOrCouncil;
	type Consideration =
		HoldConsideration<AccountId, Balances, MotionHoldReason, MotionDeposit, u32>;
}

impl pallet_membership::Config<CouncilInstance> for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type AddOrigin = RootOrCouncil;
	type RemoveOrigin = RootOrCouncil;
	type SwapOrigin = RootOrCouncil;
	type ResetOrigin = RootOrCouncil;
	// A prime's vote would stand in for absent members, and two thirds would no longer be two thirds.
	type PrimeOrigin = NeverEnsureOrigin<()>;
	type MembershipInitialized = Council;
	type MembershipChanged = Council;
	type MaxMembers = MaxMembers;
	type WeightInfo = pallet_membership::weights::SubstrateWeight<Runtime>;
}

impl mandate::Config for Runtime {
	type RuntimeCall = RuntimeCall;
	type CallFilter = MandateFilter;
	type MandateOrigin = TwoThirdsOfCouncil;
	type WeightInfo = weights::mandate::SubstrateWeight<Runtime>;
}

/// Exists for development chains. Any other chain has no key in it, none of its calls sets one, and
/// [`MandateFilter`] keeps the council from making them as root.
impl pallet_sudo::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeCall = RuntimeCall;
	type WeightInfo = pallet_sudo::weights::SubstrateWeight<Runtime>;
}
