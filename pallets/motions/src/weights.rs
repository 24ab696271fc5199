//! Weights of `pallet_motions`.
//!
//! Estimates in the format of the bencher, above what the same number of reads, writes and hashes costs elsewhere in
//! the set: 60 to 120 µs of computation per call, 15 µs per vote that is counted, 5 ns per byte of a call. The bencher's
//! output takes their place.

#![cfg_attr(rustfmt, rustfmt_skip)]
#![allow(unused_parens)]
#![allow(unused_imports)]
#![allow(missing_docs)]

use frame_support::{traits::Get, weights::Weight};
use core::marker::PhantomData;

/// Weight functions needed for `pallet_motions`.
pub trait WeightInfo {
	fn propose(b: u32, ) -> Weight;
	fn vote(v: u32, ) -> Weight;
	fn reject(v: u32, ) -> Weight;
	fn carry(v: u32, b: u32, ) -> Weight;
	fn withdraw() -> Weight;
	fn close() -> Weight;
	fn on_idle_base() -> Weight;
	fn forget(v: u32, ) -> Weight;
}

/// Weights for `pallet_motions` with the database weights of the runtime.
pub struct SubstrateWeight<T>(PhantomData<T>);
impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	/// Storage: `CouncilMembership::Members` (r:1 w:0), `Organisations::Organisations` (r:1 w:0), `Organisations::Members` (r:1 w:0)
	/// Storage: `Motions::OpenMotions` (r:1 w:1), `Motions::NextMotion` (r:1 w:1), `Motions::Motions` (r:0 w:1), `Motions::Calls` (r:0 w:1), `Motions::Ballots` (r:1 w:1)
	/// Storage: `Balances::Holds` (r:1 w:1), `System::Account` (r:1 w:1)
	/// The range of component `b` is `[1, 65536]`.
	fn propose(b: u32, ) -> Weight {
		// Proof Size summary in bytes:
		//  Estimated: `6800`
		Weight::from_parts(120_000_000, 6800)
			.saturating_add(Weight::from_parts(5_000, 0).saturating_mul(b.into()))
			.saturating_add(T::DbWeight::get().reads(9_u64))
			.saturating_add(T::DbWeight::get().writes(7_u64))
	}
	/// Storage: `Motions::Motions` (r:1 w:1), `Motions::Ballots` (r:201 w:1), `CouncilMembership::Members` (r:1 w:0), `Organisations::Organisations` (r:1 w:0), `Organisations::Members` (r:200 w:0)
	/// The range of component `v` is `[1, 200]`.
	fn vote(v: u32, ) -> Weight {
		// Proof Size summary in bytes:
		//  Estimated: `6800 + v * (5400 ±0)`
		Weight::from_parts(80_000_000, 6800)
			.saturating_add(Weight::from_parts(15_000_000, 5400).saturating_mul(v.into()))
			.saturating_add(T::DbWeight::get().reads(5_u64))
			.saturating_add(T::DbWeight::get().reads((2_u64).saturating_mul(v.into())))
			.saturating_add(T::DbWeight::get().writes(2_u64))
	}
	/// As `vote`, and storage: `Motions::OpenMotions` (r:1 w:1), `Motions::ClosedRange` (r:1 w:1), `Motions::Closed` (r:0 w:1), `Balances::Holds` (r:1 w:1), `System::Account` (r:1 w:1)
	/// The range of component `v` is `[1, 200]`.
	fn reject(v: u32, ) -> Weight {
		// Proof Size summary in bytes:
		//  Estimated: `6800 + v * (5400 ±0)`
		Weight::from_parts(130_000_000, 6800)
			.saturating_add(Weight::from_parts(15_000_000, 5400).saturating_mul(v.into()))
			.saturating_add(T::DbWeight::get().reads(9_u64))
			.saturating_add(T::DbWeight::get().reads((2_u64).saturating_mul(v.into())))
			.saturating_add(T::DbWeight::get().writes(7_u64))
	}
	/// As `reject`, and storage: `Motions::Calls` (r:1 w:0), `Motions::Motions` (r:1 w:1)
	/// The range of component `v` is `[1, 200]`.
	/// The range of component `b` is `[1, 65536]`.
	fn carry(v: u32, b: u32, ) -> Weight {
		// Proof Size summary in bytes:
		//  Estimated: `72336 + v * (5400 ±0)`
		Weight::from_parts(170_000_000, 72336)
			.saturating_add(Weight::from_parts(15_000_000, 5400).saturating_mul(v.into()))
			.saturating_add(Weight::from_parts(5_000, 0).saturating_mul(b.into()))
			.saturating_add(T::DbWeight::get().reads(10_u64))
			.saturating_add(T::DbWeight::get().reads((2_u64).saturating_mul(v.into())))
			.saturating_add(T::DbWeight::get().writes(7_u64))
	}
	/// Storage: `Motions::Motions` (r:1 w:1), `Motions::OpenMotions` (r:1 w:1), `Motions::ClosedRange` (r:1 w:1), `Motions::Closed` (r:0 w:1), `Balances::Holds` (r:1 w:1), `System::Account` (r:1 w:1)
	fn withdraw() -> Weight {
		// Proof Size summary in bytes:
		//  Estimated: `6800`
		Weight::from_parts(90_000_000, 6800)
			.saturating_add(T::DbWeight::get().reads(5_u64))
			.saturating_add(T::DbWeight::get().writes(6_u64))
	}
	/// As `withdraw`.
	fn close() -> Weight {
		// Proof Size summary in bytes:
		//  Estimated: `6800`
		Weight::from_parts(90_000_000, 6800)
			.saturating_add(T::DbWeight::get().reads(5_u64))
			.saturating_add(T::DbWeight::get().writes(6_u64))
	}
	/// Storage: `Motions::ClosedRange` (r:1 w:0), `Motions::Closed` (r:1 w:0), `Motions::Motions` (r:1 w:0)
	fn on_idle_base() -> Weight {
		// Proof Size summary in bytes:
		//  Estimated: `6800`
		Weight::from_parts(30_000_000, 6800)
			.saturating_add(T::DbWeight::get().reads(3_u64))
	}
	/// Storage: `Motions::ClosedRange` (r:1 w:1), `Motions::Closed` (r:0 w:1), `Motions::Motions` (r:0 w:1), `Motions::Calls` (r:0 w:1), `Motions::Ballots` (r:200 w:200)
	/// The range of component `v` is `[1, 200]`.
	fn forget(v: u32, ) -> Weight {
		// Proof Size summary in bytes:
		//  Estimated: `3600 + v * (2800 ±0)`
		Weight::from_parts(60_000_000, 3600)
			.saturating_add(Weight::from_parts(5_000_000, 2800).saturating_mul(v.into()))
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().reads((1_u64).saturating_mul(v.into())))
			.saturating_add(T::DbWeight::get().writes(4_u64))
			.saturating_add(T::DbWeight::get().writes((1_u64).saturating_mul(v.into())))
	}
}
