// SPDX-License-Identifier: Apache-2.0

//! Who decides: the council of trustees, organisations about themselves, and nobody else outside a
//! development chain.
//!
//! A motion that two thirds of the council carry counts as root, in two ways. Pallets that let the
//! runtime choose their origin take [`RootOrCouncil`] and are called by the motion directly. Calls
//! that insist on root go through [`mandate`]. More than a third of the council rejects. Each proposer
//! has places of its own and pays a deposit for each, so no single trustee fills the agenda.

use super::economy::UnlessFeeless;
use crate::{
	AccountId, Balance, Balances, BlockNumber, CouncilMembership, Economy, MILLI_UNIT,
	Organisations, Runtime, RuntimeCall, RuntimeEvent, RuntimeHoldReason, System, UNIT,
	call_filter::MandateFilter, mandate, weights,
};
use dpki_primitives::economy::Departures;
use frame_support::{
	parameter_types,
	traits::{ChangeMembers, EitherOfDiverse, InitializeMembers, NeverEnsureOrigin},
	weights::Weight,
};
use frame_system::EnsureRoot;
use pallet_motions::{CouncilAndBodies, EnsureCouncil};
use sp_runtime::Perbill;

/// The instance of `pallet-membership` that lists the seats of the council.
pub type CouncilInstance = pallet_membership::Instance1;

/// Root, or two thirds of the council.
pub type RootOrCouncil = EitherOfDiverse<EnsureRoot<AccountId>, EnsureCouncil>;

/// The most seats that the council can have.
pub const MAX_COUNCIL_MEMBERS: u32 = 100;

/// What is held of its proposer's tokens for an open motion, whatever its call.
pub const MOTION_DEPOSIT: Balance = 10 * UNIT;

/// What is held for each byte of the call of an open motion.
pub const MOTION_BYTE_DEPOSIT: Balance = MILLI_UNIT;

/// Blocks of a day at one second.
pub const DAY: BlockNumber = 24 * 60 * 60;

parameter_types! {
	/// Seats.
	pub const MaxMembers: u32 = MAX_COUNCIL_MEMBERS;
	/// Held for an open motion.
	pub const BaseDeposit: Balance = MOTION_DEPOSIT;
	/// Held for each byte of its call.
	pub const ByteDeposit: Balance = MOTION_BYTE_DEPOSIT;
	/// The shortest time for a vote. It only keeps a deadline from passing before anybody could vote at
	/// all, and is the same for every chain, because a constant cannot depend on the preset. It need not
	/// leave time to take notice: silence carries nothing, so a motion that is too short just expires.
	pub const MinPeriod: BlockNumber = 10;
	/// The longest time for a vote: thirty days at one second.
	pub const MaxPeriod: BlockNumber = 30 * DAY;
	/// How long a decision stays readable: ninety days at one second.
	pub const Retention: BlockNumber = 90 * DAY;
	/// Longest call, in bytes. A new runtime is longer: it is authorised by its hash.
	pub const MaxCallLen: u32 = 65_536;
	/// A call may fill half of a block.
	pub MaxCallWeight: Weight = Perbill::from_percent(50) * super::system::MAXIMUM_BLOCK_WEIGHT;
	/// Open motions of one proposer.
	pub const MaxOpenMotions: u32 = 10;
	/// Accounts that can vote on a motion: twice as many as the council has seats, for those who lose
	/// theirs in the meantime.
	pub const MaxVotes: u32 = 2 * MAX_COUNCIL_MEMBERS;
}

impl pallet_motions::Config for Runtime {
	type RuntimeCall = RuntimeCall;
	type RuntimeHoldReason = RuntimeHoldReason;
	type Currency = Balances;
	type Electorates = CouncilAndBodies<CouncilMembership, Organisations>;
	// Whoever may propose has a seat, and can have but few motions open.
	type BaseDeposit = UnlessFeeless<BaseDeposit>;
	type ByteDeposit = UnlessFeeless<ByteDeposit>;
	type MinPeriod = MinPeriod;
	type MaxPeriod = MaxPeriod;
	type Retention = Retention;
	type MaxCallLen = MaxCallLen;
	type MaxCallWeight = MaxCallWeight;
	type MaxOpenMotions = MaxOpenMotions;
	type MaxVotes = MaxVotes;
	type WeightInfo = pallet_motions::weights::SubstrateWeight<Runtime>;
}

impl pallet_membership::Config<CouncilInstance> for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type AddOrigin = RootOrCouncil;
	type RemoveOrigin = RootOrCouncil;
	type SwapOrigin = RootOrCouncil;
	type ResetOrigin = RootOrCouncil;
	// Nothing asks for a prime member; an appointment would only look as if it meant something.
	type PrimeOrigin = NeverEnsureOrigin<()>;
	// There is no second list of the seats: motions read this one.
	type MembershipInitialized = Seats;
	type MembershipChanged = Seats;
	type MaxMembers = MaxMembers;
	type WeightInfo = weights::membership::SubstrateWeight<Runtime>;
}

/// The account of a trustee exists as long as its seat, with or without tokens, so that it can send
/// transactions where it need not pay for them. The weights of the pallet are measured with this.
pub struct Seats;

impl InitializeMembers<AccountId> for Seats {
	fn initialize_members(members: &[AccountId]) {
		for account in members {
			System::inc_sufficients(account);
		}
	}
}

impl ChangeMembers<AccountId> for Seats {
	fn change_members_sorted(incoming: &[AccountId], outgoing: &[AccountId], _: &[AccountId]) {
		for account in incoming {
			System::inc_sufficients(account);
		}
		for account in outgoing {
			System::dec_sufficients(account);
			Economy::departed(account);
		}
	}
}

impl mandate::Config for Runtime {
	type RuntimeCall = RuntimeCall;
	type CallFilter = MandateFilter;
	type MandateOrigin = EnsureCouncil;
	type WeightInfo = weights::mandate::SubstrateWeight<Runtime>;
}

/// Exists for development chains. Any other chain has no key in it, none of its calls sets one, and
/// [`MandateFilter`] keeps the council from making them as root.
impl pallet_sudo::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeCall = RuntimeCall;
	type WeightInfo = pallet_sudo::weights::SubstrateWeight<Runtime>;
}
