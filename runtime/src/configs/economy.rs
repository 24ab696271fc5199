// SPDX-License-Identifier: Apache-2.0

//! Tokens, fees, and what stands in their place.
//!
//! Whoever acts through an account pays, be it a member of an organisation or a trustee: fees are what
//! keeps the chain from being filled. They go to the author of the block. A consortium can vote fees
//! off: then its trustees, validators and members take from quotas that recover, and everybody else still pays
//! (decision 0017). A device's own transactions have no account and cost nothing; each of them is
//! bounded by something that was paid for (decision 0002).

use super::governance::RootOrCouncil;
use crate::{
	AccountId, Authorship, Balance, Balances, CouncilMembership, MICRO_UNIT, MILLI_UNIT,
	Organisations, Runtime, RuntimeEvent, RuntimeFreezeReason, RuntimeHoldReason, System,
	ValidatorSet,
};
use core::marker::PhantomData;
use frame_support::{
	PalletId, parameter_types,
	traits::{ConstU8, ConstU32, Get, VariantCountOf},
	weights::{ConstantMultiplier, IdentityFee},
};
use pallet_economy::ToPot;
use pallet_transaction_payment::{ConstFeeMultiplier, FungibleAdapter, Multiplier};
use sp_runtime::traits::One;

/// The least that an account must hold to exist.
pub const EXISTENTIAL_DEPOSIT: Balance = MILLI_UNIT;

parameter_types! {
	/// The least that an account must hold to exist.
	pub const ExistentialDeposit: Balance = EXISTENTIAL_DEPOSIT;
	/// Fee of a byte: one that stays on every validator's disk for ever.
	pub const TransactionByteFee: Balance = MICRO_UNIT;
	/// Fees do not follow demand: a consortium plans its costs.
	pub FeeMultiplier: Multiplier = Multiplier::one();
	/// Yields the account in which fees wait for the author of the block.
	pub const PotId: PalletId = PalletId(*b"dpki/val");
	/// A unit of a quota: a microsecond of computation, or a byte.
	pub const QuotaUnit: u128 = MICRO_UNIT;
	/// Half a second of computation: more than the vote that carries the heaviest motion can take, with
	/// which the council raises quotas that turned out too small.
	pub const MinCapacity: u64 = 500_000;
}

impl pallet_balances::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeHoldReason = RuntimeHoldReason;
	type RuntimeFreezeReason = RuntimeFreezeReason;
	type WeightInfo = crate::weights::balances::SubstrateWeight<Runtime>;
	type Balance = Balance;
	type DustRemoval = ();
	type ExistentialDeposit = ExistentialDeposit;
	type AccountStore = System;
	type ReserveIdentifier = [u8; 8];
	type FreezeIdentifier = RuntimeFreezeReason;
	type MaxLocks = ConstU32<50>;
	type MaxReserves = ();
	type MaxFreezes = VariantCountOf<RuntimeFreezeReason>;
	type DoneSlashHandler = ();
}

impl pallet_transaction_payment::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type OnChargeTransaction = FungibleAdapter<Balances, ToPot<Runtime>>;
	// A picosecond of computation costs one of the token's smallest units.
	type WeightToFee = IdentityFee<Balance>;
	type LengthToFee = ConstantMultiplier<Balance, TransactionByteFee>;
	type FeeMultiplierUpdate = ConstFeeMultiplier<FeeMultiplier>;
	type OperationalFeeMultiplier = ConstU8<5>;
	type WeightInfo = crate::weights::extensions::Payment;
}

impl pallet_skip_feeless_payment::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
}

impl pallet_economy::Config for Runtime {
	type RuntimeHoldReason = RuntimeHoldReason;
	type Currency = Balances;
	type EconomyOrigin = RootOrCouncil;
	type Organisations = Organisations;
	// A validator has to be able to set its session keys on a feeless chain, too.
	type Trustees = (CouncilMembership, ValidatorSet);
	type Author = BlockAuthor;
	type PotId = PotId;
	type QuotaUnit = QuotaUnit;
	type MinCapacity = MinCapacity;
	type WeightInfo = pallet_economy::weights::SubstrateWeight<Runtime>;
}

/// Who makes the present block.
pub struct BlockAuthor;

impl Get<Option<AccountId>> for BlockAuthor {
	fn get() -> Option<AccountId> {
		Authorship::author()
	}
}

/// An amount that is nothing while the chain is feeless. Only for what is asked of those whom the
/// consortium knows: for strangers the amount is what bounds them.
pub struct UnlessFeeless<Amount>(PhantomData<Amount>);

impl<Amount: Get<Balance>> Get<Balance> for UnlessFeeless<Amount> {
	fn get() -> Balance {
		match pallet_economy::Feeless::<Runtime>::get() {
			true => 0,
			false => Amount::get(),
		}
	}
}
