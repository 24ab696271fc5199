//! Weights of `pallet_organisations`.
//!
//! Estimates in the format of the bencher, above what the same number of reads, writes and hashes costs elsewhere in
//! the set: 25 to 30 µs of computation per call, 60 µs and more where a deposit moves. The bencher's output takes their
//! place.

#![cfg_attr(rustfmt, rustfmt_skip)]
#![allow(unused_parens)]
#![allow(unused_imports)]
#![allow(missing_docs)]

use frame_support::{traits::Get, weights::Weight};
use core::marker::PhantomData;

/// Weight functions needed for `pallet_organisations`.
pub trait WeightInfo {
	fn create() -> Weight;
	fn set_member() -> Weight;
	fn remove_member() -> Weight;
	fn set_policy() -> Weight;
	fn hand_over() -> Weight;
	fn cancel_hand_over() -> Weight;
	fn accept_hand_over() -> Weight;
	fn begin_recovery() -> Weight;
	fn cancel_recovery() -> Weight;
	fn complete_recovery() -> Weight;
	fn dissolve() -> Weight;
}

/// Weights for `pallet_organisations` with the database weights of the runtime.
pub struct SubstrateWeight<T>(PhantomData<T>);
impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	/// Storage: `Organisations::Organisations` (r:1 w:1)
	/// Proof: `Organisations::Organisations` (`max_values`: None, `max_size`: Some(122), added: 2597, mode: `MaxEncodedLen`)
	/// Storage: `Organisations::Dissolved` (r:1 w:0)
	/// Proof: `Organisations::Dissolved` (`max_values`: None, `max_size`: Some(40), added: 2515, mode: `MaxEncodedLen`)
	/// Storage: `Organisations::Deposits` (r:0 w:1)
	/// Proof: `Organisations::Deposits` (`max_values`: None, `max_size`: Some(96), added: 2571, mode: `MaxEncodedLen`)
	/// Storage: `Organisations::Members` (r:0 w:1)
	/// Proof: `Organisations::Members` (`max_values`: None, `max_size`: Some(81), added: 2556, mode: `MaxEncodedLen`)
	/// Storage: `Timestamp::Now` (r:1 w:0)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Storage: `System::Account` (r:1 w:1)
	/// Storage: `Organisations::Memberships` (r:0 w:1), `Organisations::Members` (r:1 w:0)
	fn create() -> Weight {
		// Proof Size summary in bytes:
		//  Estimated: `12005`
		Weight::from_parts(70_000_000, 12005)
			.saturating_add(T::DbWeight::get().reads(6_u64))
			.saturating_add(T::DbWeight::get().writes(6_u64))
	}
	/// Storage: `Organisations::Members` (r:2 w:1)
	/// Proof: `Organisations::Members` (`max_values`: None, `max_size`: Some(81), added: 2556, mode: `MaxEncodedLen`)
	/// Storage: `Organisations::Organisations` (r:1 w:1)
	/// Proof: `Organisations::Organisations` (`max_values`: None, `max_size`: Some(122), added: 2597, mode: `MaxEncodedLen`)
	/// Storage: `Organisations::Memberships` (r:0 w:1), `System::Account` (r:1 w:1)
	fn set_member() -> Weight {
		// Proof Size summary in bytes:
		//  Estimated: `8699`
		Weight::from_parts(45_000_000, 8699)
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().writes(4_u64))
	}
	/// Storage: `Organisations::Members` (r:2 w:1)
	/// Proof: `Organisations::Members` (`max_values`: None, `max_size`: Some(81), added: 2556, mode: `MaxEncodedLen`)
	/// Storage: `Organisations::Organisations` (r:1 w:1)
	/// Proof: `Organisations::Organisations` (`max_values`: None, `max_size`: Some(122), added: 2597, mode: `MaxEncodedLen`)
	/// Storage: `Organisations::HandOvers` (r:0 w:1)
	/// Proof: `Organisations::HandOvers` (`max_values`: None, `max_size`: Some(116), added: 2591, mode: `MaxEncodedLen`)
	/// Storage: `Organisations::Memberships` (r:0 w:1), `System::Account` (r:1 w:1)
	fn remove_member() -> Weight {
		// Proof Size summary in bytes:
		//  Estimated: `8699`
		Weight::from_parts(45_000_000, 8699)
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().writes(5_u64))
	}
	/// Storage: `Organisations::Members` (r:1 w:0)
	/// Proof: `Organisations::Members` (`max_values`: None, `max_size`: Some(81), added: 2556, mode: `MaxEncodedLen`)
	/// Storage: `Organisations::Organisations` (r:1 w:1)
	/// Proof: `Organisations::Organisations` (`max_values`: None, `max_size`: Some(122), added: 2597, mode: `MaxEncodedLen`)
	fn set_policy() -> Weight {
		// Proof Size summary in bytes:
		//  Estimated: `6143`
		Weight::from_parts(30_000_000, 6143)
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Storage: `Organisations::Members` (r:2 w:0)
	/// Proof: `Organisations::Members` (`max_values`: None, `max_size`: Some(81), added: 2556, mode: `MaxEncodedLen`)
	/// Storage: `Organisations::HandOvers` (r:0 w:1)
	/// Proof: `Organisations::HandOvers` (`max_values`: None, `max_size`: Some(116), added: 2591, mode: `MaxEncodedLen`)
	fn hand_over() -> Weight {
		// Proof Size summary in bytes:
		//  Estimated: `6102`
		Weight::from_parts(30_000_000, 6102)
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Storage: `Organisations::HandOvers` (r:1 w:1)
	/// Proof: `Organisations::HandOvers` (`max_values`: None, `max_size`: Some(116), added: 2591, mode: `MaxEncodedLen`)
	fn cancel_hand_over() -> Weight {
		// Proof Size summary in bytes:
		//  Estimated: `3581`
		Weight::from_parts(25_000_000, 3581)
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Storage: `Organisations::HandOvers` (r:1 w:1)
	/// Proof: `Organisations::HandOvers` (`max_values`: None, `max_size`: Some(116), added: 2591, mode: `MaxEncodedLen`)
	/// Storage: `Organisations::Members` (r:2 w:2)
	/// Proof: `Organisations::Members` (`max_values`: None, `max_size`: Some(81), added: 2556, mode: `MaxEncodedLen`)
	/// Storage: `Organisations::Memberships` (r:0 w:2), `System::Account` (r:2 w:2)
	fn accept_hand_over() -> Weight {
		// Proof Size summary in bytes:
		//  Estimated: `8693`
		Weight::from_parts(60_000_000, 8693)
			.saturating_add(T::DbWeight::get().reads(5_u64))
			.saturating_add(T::DbWeight::get().writes(7_u64))
	}
	/// Storage: `Organisations::Organisations` (r:1 w:0)
	/// Proof: `Organisations::Organisations` (`max_values`: None, `max_size`: Some(122), added: 2597, mode: `MaxEncodedLen`)
	/// Storage: `Organisations::Members` (r:1 w:0)
	/// Proof: `Organisations::Members` (`max_values`: None, `max_size`: Some(81), added: 2556, mode: `MaxEncodedLen`)
	/// Storage: `Organisations::Recoveries` (r:1 w:1)
	/// Proof: `Organisations::Recoveries` (`max_values`: None, `max_size`: Some(69), added: 2544, mode: `MaxEncodedLen`)
	fn begin_recovery() -> Weight {
		// Proof Size summary in bytes:
		//  Estimated: `8687`
		Weight::from_parts(30_000_000, 8687)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Storage: `Organisations::Recoveries` (r:1 w:1)
	/// Proof: `Organisations::Recoveries` (`max_values`: None, `max_size`: Some(69), added: 2544, mode: `MaxEncodedLen`)
	/// Storage: `Organisations::Members` (r:1 w:0)
	/// Proof: `Organisations::Members` (`max_values`: None, `max_size`: Some(81), added: 2556, mode: `MaxEncodedLen`)
	fn cancel_recovery() -> Weight {
		// Proof Size summary in bytes:
		//  Estimated: `6090`
		Weight::from_parts(30_000_000, 6090)
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Storage: `Organisations::Recoveries` (r:1 w:1)
	/// Proof: `Organisations::Recoveries` (`max_values`: None, `max_size`: Some(69), added: 2544, mode: `MaxEncodedLen`)
	/// Storage: `Organisations::Organisations` (r:1 w:1)
	/// Proof: `Organisations::Organisations` (`max_values`: None, `max_size`: Some(122), added: 2597, mode: `MaxEncodedLen`)
	/// Storage: `Organisations::Members` (r:1 w:1)
	/// Proof: `Organisations::Members` (`max_values`: None, `max_size`: Some(81), added: 2556, mode: `MaxEncodedLen`)
	/// Storage: `Organisations::Memberships` (r:0 w:1), `System::Account` (r:1 w:1)
	fn complete_recovery() -> Weight {
		// Proof Size summary in bytes:
		//  Estimated: `8687`
		Weight::from_parts(45_000_000, 8687)
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().writes(5_u64))
	}
	/// Storage: `Organisations::Members` (r:2 w:1)
	/// Proof: `Organisations::Members` (`max_values`: None, `max_size`: Some(81), added: 2556, mode: `MaxEncodedLen`)
	/// Storage: `Organisations::Organisations` (r:1 w:1)
	/// Proof: `Organisations::Organisations` (`max_values`: None, `max_size`: Some(122), added: 2597, mode: `MaxEncodedLen`)
	/// Storage: `Organisations::Deposits` (r:1 w:1)
	/// Proof: `Organisations::Deposits` (`max_values`: None, `max_size`: Some(96), added: 2571, mode: `MaxEncodedLen`)
	/// Storage: `Organisations::HandOvers` (r:0 w:1)
	/// Proof: `Organisations::HandOvers` (`max_values`: None, `max_size`: Some(116), added: 2591, mode: `MaxEncodedLen`)
	/// Storage: `Organisations::Recoveries` (r:0 w:1)
	/// Proof: `Organisations::Recoveries` (`max_values`: None, `max_size`: Some(69), added: 2544, mode: `MaxEncodedLen`)
	/// Storage: `Organisations::Dissolved` (r:0 w:1)
	/// Proof: `Organisations::Dissolved` (`max_values`: None, `max_size`: Some(40), added: 2515, mode: `MaxEncodedLen`)
	/// Storage: `Timestamp::Now` (r:1 w:0)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Storage: `System::Account` (r:1 w:1)
	/// Storage: of two pallets, what belongs to the organisation (r:2 w:0)
	/// Storage: `Organisations::Memberships` (r:0 w:1), `System::Account` (r:1 w:1)
	fn dissolve() -> Weight {
		// Proof Size summary in bytes:
		//  Estimated: `22373`
		Weight::from_parts(95_000_000, 22373)
			.saturating_add(T::DbWeight::get().reads(10_u64))
			.saturating_add(T::DbWeight::get().writes(10_u64))
	}
}
