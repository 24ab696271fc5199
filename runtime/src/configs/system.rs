// SPDX-License-Identifier: Apache-2.0

//! What every block and transaction obeys: limits, time, bookkeeping.

use crate::{
	AccountId, Aura, Balance, Block, BlockNumber, Hash, Nonce, PalletInfo, Runtime, RuntimeCall,
	RuntimeEvent, RuntimeOrigin, RuntimeTask, VERSION, call_filter::TransactionFilter, timing,
};
use frame_support::{
	derive_impl,
	dispatch::DispatchClass,
	parameter_types,
	traits::ConstU16,
	weights::{
		Weight,
		constants::{ParityDbWeight, WEIGHT_REF_TIME_PER_MILLIS},
	},
};
use frame_system::limits::{BlockLength, BlockWeights};
use sp_runtime::Perbill;
use sp_version::RuntimeVersion;

/// Share of a block that ordinary transactions may fill; the rest is kept for operational ones.
pub const NORMAL_DISPATCH_RATIO: Perbill = Perbill::from_percent(80);

/// Computation per block: half of the default slot, because every other validator repeats the work
/// before it can build on it. The proof size is unlimited: there is no relay chain to show it to.
pub const MAXIMUM_BLOCK_WEIGHT: Weight =
	Weight::from_parts(500 * WEIGHT_REF_TIME_PER_MILLIS, u64::MAX);

/// Bytes of transactions per block.
pub const MAXIMUM_BLOCK_LENGTH: u32 = 5 * 1024 * 1024;

parameter_types! {
	/// How many block hashes a transaction may refer to: about forty minutes at one second.
	pub const BlockHashCount: BlockNumber = 2_400;
	/// The version of this runtime.
	pub const Version: RuntimeVersion = VERSION;
	/// Limits of computation.
	pub RuntimeBlockWeights: BlockWeights =
		BlockWeights::with_sensible_defaults(MAXIMUM_BLOCK_WEIGHT, NORMAL_DISPATCH_RATIO);
	/// Limits of size.
	pub RuntimeBlockLength: BlockLength = BlockLength::builder()
		.max_length(MAXIMUM_BLOCK_LENGTH)
		.modify_max_length_for_class(DispatchClass::Normal, |length| {
			*length = NORMAL_DISPATCH_RATIO * *length;
		})
		.build();
}

#[derive_impl(frame_system::config_preludes::SolochainDefaultConfig)]
impl frame_system::Config for Runtime {
	type BaseCallFilter = TransactionFilter;
	type Block = Block;
	type BlockWeights = RuntimeBlockWeights;
	type BlockLength = RuntimeBlockLength;
	type BlockHashCount = BlockHashCount;
	type AccountId = AccountId;
	type Nonce = Nonce;
	type Hash = Hash;
	type DbWeight = ParityDbWeight;
	type Version = Version;
	type AccountData = pallet_balances::AccountData<Balance>;
	type SystemWeightInfo = frame_system::weights::SubstrateWeight<Runtime>;
	type ExtensionsWeightInfo = crate::weights::extensions::System;
	type SS58Prefix = ConstU16<42>;
	type MaxConsumers = frame_support::traits::ConstU32<16>;
	type SingleBlockMigrations = crate::migrations::SingleBlock;
	type PostInherents = crate::migrations::Steps;
}

impl timing::Config for Runtime {}

impl pallet_timestamp::Config for Runtime {
	type Moment = u64;
	type OnTimestampSet = Aura;
	type MinimumPeriod = timing::HalfSlotMillis<Runtime>;
	type WeightInfo = pallet_timestamp::weights::SubstrateWeight<Runtime>;
}
