//! Weights of `pallet_economy`.
//!
//! Estimates in the format of the bencher, above what the same number of reads, writes and hashes costs elsewhere in
//! the set: 10 to 20 µs of computation per call, 60 µs where tokens move. The bencher's output takes their place.

#![cfg_attr(rustfmt, rustfmt_skip)]
#![allow(unused_parens)]
#![allow(unused_imports)]
#![allow(missing_docs)]

use frame_support::{traits::Get, weights::Weight};
use core::marker::PhantomData;

/// Weight functions needed for `pallet_economy`.
pub trait WeightInfo {
	fn set_fee() -> Weight;
	fn set_deposit() -> Weight;
	fn set_feeless() -> Weight;
	fn set_quotas() -> Weight;
	fn pay_author() -> Weight;
	fn return_owed() -> Weight;
	fn meter() -> Weight;
	fn pass_meter() -> Weight;
	fn skip_meter() -> Weight;
}

/// Weights for `pallet_economy` with the database weights of the runtime.
pub struct SubstrateWeight<T>(PhantomData<T>);
impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	/// Storage: `Economy::Fees` (r:0 w:1)
	fn set_fee() -> Weight {
		Weight::from_parts(12_000_000, 0)
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Storage: `Economy::DepositSchedule` (r:0 w:1)
	fn set_deposit() -> Weight {
		Weight::from_parts(12_000_000, 0)
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Storage: `Economy::Feeless` (r:0 w:1)
	fn set_feeless() -> Weight {
		Weight::from_parts(10_000_000, 0)
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Storage: `Economy::Policies` (r:0 w:1)
	fn set_quotas() -> Weight {
		Weight::from_parts(12_000_000, 0)
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Storage: `System::Account` (r:2 w:2), `Authorship::Author` (r:1 w:0), `Economy::Owed` (r:1 w:0)
	fn pay_author() -> Weight {
		// Proof Size summary in bytes:
		//  Estimated: `9798`
		Weight::from_parts(60_000_000, 9798)
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64))
	}
	/// Storage: `Economy::Owed` (r:1 w:1), `Economy::Deposits` (r:1 w:1), `Balances::Holds` (r:1 w:1), `System::Account` (r:1 w:1)
	fn return_owed() -> Weight {
		// Proof Size summary in bytes:
		//  Estimated: `6800`
		Weight::from_parts(70_000_000, 6800)
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().writes(4_u64))
	}
	/// Storage: `Economy::Feeless` (r:1 w:0), `Economy::Policies` (r:1 w:0), `CouncilMembership::Members` (r:1 w:0)
	/// Storage: `Organisations::Memberships` (r:4 w:0), `Economy::AccountBuckets` (r:1 w:1), `Economy::OrganisationBuckets` (r:4 w:1)
	fn meter() -> Weight {
		// Proof Size summary in bytes:
		//  Estimated: `14500`
		Weight::from_parts(50_000_000, 14500)
			.saturating_add(T::DbWeight::get().reads(12_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64))
	}
	/// Storage: `Economy::Feeless` (r:1 w:0), `Economy::Policies` (r:1 w:0), `CouncilMembership::Members` (r:1 w:0)
	/// Storage: `Organisations::Memberships` (r:1 w:0)
	fn pass_meter() -> Weight {
		// Proof Size summary in bytes:
		//  Estimated: `5500`
		Weight::from_parts(10_000_000, 5500)
			.saturating_add(T::DbWeight::get().reads(4_u64))
	}
	/// Storage: `Economy::Feeless` (r:1 w:0)
	fn skip_meter() -> Weight {
		// Proof Size summary in bytes:
		//  Estimated: `1486`
		Weight::from_parts(2_000_000, 1486)
			.saturating_add(T::DbWeight::get().reads(1_u64))
	}
}
