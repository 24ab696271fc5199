//! Weights of `pallet_validator_set`.
//!
//! All of them are estimates in the format of the bencher, above what the same number of reads, writes and bytes costs
//! elsewhere in the set: 40 µs to read, compare and write a list of 100 records, and 1 µs per validator whose keys are
//! looked for. The bencher's output takes their place.

#![cfg_attr(rustfmt, rustfmt_skip)]
#![allow(unused_parens)]
#![allow(unused_imports)]
#![allow(missing_docs)]

use frame_support::{traits::Get, weights::Weight};
use core::marker::PhantomData;

/// Weight functions needed for `pallet_validator_set`.
pub trait WeightInfo {
	fn add_validator() -> Weight;
	fn remove_validator() -> Weight;
	fn disable_validator() -> Weight;
	fn enable_validator() -> Weight;
	fn set_bounds() -> Weight;
	fn leave() -> Weight;
	fn on_offence() -> Weight;
	fn plan() -> Weight;
}

/// Weights for `pallet_validator_set` with the database weights of the runtime.
pub struct SubstrateWeight<T>(PhantomData<T>);
impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	/// Storage: `Organisations::Organisations` (r:1 w:0), `ValidatorSet::Bounds` (r:1 w:0), `ValidatorSet::Validators` (r:1 w:1)
	/// Storage: `Session::CurrentIndex` (r:1 w:0), `System::Account` (r:1 w:1), `Session::Validators` (r:1 w:0), `Session::DisabledValidators` (r:1 w:1)
	fn add_validator() -> Weight {
		// Proof Size summary in bytes:
		//  Estimated: `19000`
		Weight::from_parts(70_000_000, 19000)
			.saturating_add(T::DbWeight::get().reads(7_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Storage: `ValidatorSet::Validators` (r:1 w:1), `ValidatorSet::Bounds` (r:1 w:0), `Session::NextKeys` (r:100 w:0)
	fn remove_validator() -> Weight {
		// Proof Size summary in bytes:
		//  Estimated: `270000`
		Weight::from_parts(150_000_000, 270000)
			.saturating_add(T::DbWeight::get().reads(102_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Storage: `ValidatorSet::Validators` (r:1 w:1), `ValidatorSet::Bounds` (r:1 w:0), `Session::NextKeys` (r:100 w:0)
	/// Storage: `Session::Validators` (r:1 w:0), `Session::DisabledValidators` (r:1 w:1), `System::Digest` (r:1 w:1)
	fn disable_validator() -> Weight {
		// Proof Size summary in bytes:
		//  Estimated: `280000`
		Weight::from_parts(180_000_000, 280000)
			.saturating_add(T::DbWeight::get().reads(105_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Storage: `ValidatorSet::Validators` (r:1 w:1), `Session::CurrentIndex` (r:1 w:0)
	/// Storage: `Session::Validators` (r:1 w:0), `Session::DisabledValidators` (r:1 w:1)
	fn enable_validator() -> Weight {
		// Proof Size summary in bytes:
		//  Estimated: `15000`
		Weight::from_parts(70_000_000, 15000)
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64))
	}
	/// Storage: `ValidatorSet::Validators` (r:1 w:0), `Session::NextKeys` (r:100 w:0), `ValidatorSet::Bounds` (r:0 w:1)
	fn set_bounds() -> Weight {
		// Proof Size summary in bytes:
		//  Estimated: `270000`
		Weight::from_parts(140_000_000, 270000)
			.saturating_add(T::DbWeight::get().reads(101_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Storage: `ValidatorSet::Validators` (r:1 w:1), `ValidatorSet::Bounds` (r:1 w:0), `Session::NextKeys` (r:100 w:0)
	fn leave() -> Weight {
		// Proof Size summary in bytes:
		//  Estimated: `270000`
		Weight::from_parts(150_000_000, 270000)
			.saturating_add(T::DbWeight::get().reads(102_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Storage: `ValidatorSet::Validators` (r:1 w:1), `ValidatorSet::Bounds` (r:1 w:0), `Session::NextKeys` (r:100 w:0)
	/// Storage: `Session::Validators` (r:1 w:0), `Session::DisabledValidators` (r:1 w:1), `System::Digest` (r:1 w:1)
	fn on_offence() -> Weight {
		// Proof Size summary in bytes:
		//  Estimated: `280000`
		Weight::from_parts(200_000_000, 280000)
			.saturating_add(T::DbWeight::get().reads(105_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Storage: `ValidatorSet::Validators` (r:1 w:1), `ValidatorSet::Bounds` (r:1 w:0), `Session::Validators` (r:1 w:0)
	/// Storage: `Session::QueuedKeys` (r:1 w:0), `Session::NextKeys` (r:100 w:100), `Session::KeyOwner` (r:0 w:200)
	/// Storage: `Balances::Holds` (r:100 w:0), `Session::ExternallySetKeys` (r:100 w:100), `System::Account` (r:100 w:100)
	fn plan() -> Weight {
		// Proof Size summary in bytes:
		//  Estimated: `1300000`
		Weight::from_parts(5_000_000_000, 1300000)
			.saturating_add(T::DbWeight::get().reads(404_u64))
			.saturating_add(T::DbWeight::get().writes(501_u64))
	}
}
