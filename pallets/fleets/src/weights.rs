// SPDX-License-Identifier: Apache-2.0

//! Weights of `pallet_fleets`.
//!
//! In the generated form of `scripts/weights`, which replaces this file. All of them are estimates, made from measured
//! calls of the other pallets with as many accesses to the database, and from the hashes, comparisons and bytes that
//! each adds in WebAssembly.

#![allow(missing_docs, unused_imports)]

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// What each benchmark of `pallet_fleets` costs.
pub trait WeightInfo {
	fn commit() -> Weight;
	fn append() -> Weight;
	fn rotate() -> Weight;
	fn withdraw() -> Weight;
	fn vote() -> Weight;
	fn revoke_members(c: u32) -> Weight;
	fn revoke_fleet() -> Weight;
	fn retire_fleet() -> Weight;
	fn publish_tile(n: u32) -> Weight;
}

/// The estimated weights, with accesses to the database that `T` names.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	/// Storage: `Organisations::Members` (r:1 w:0)
	/// Storage: `Fleets::Fleets` (r:1 w:1)
	/// Storage: `Fleets::FleetCount` (r:1 w:1)
	/// Storage: `Fleets::Votes` (r:0 w:1)
	/// Storage: `Timestamp::Now` (r:1 w:0)
	/// Storage: what `Economy` charges and holds (r:7 w:5)
	fn commit() -> Weight {
		Weight::from_parts(160_000_000, 4500)
			.saturating_add(T::DbWeight::get().reads(11_u64))
			.saturating_add(T::DbWeight::get().writes(8_u64))
	}

	/// Storage: `Fleets::Fleets` (r:1 w:1)
	/// Storage: `Organisations::Members` (r:1 w:0)
	/// Storage: `Fleets::Votes` (r:0 w:1)
	/// Storage: `Timestamp::Now` (r:1 w:0)
	/// Storage: what `Economy` charges (r:4 w:2)
	fn append() -> Weight {
		Weight::from_parts(250_000_000, 4500)
			.saturating_add(T::DbWeight::get().reads(7_u64))
			.saturating_add(T::DbWeight::get().writes(4_u64))
	}

	/// Storage: `Fleets::Fleets` (r:1 w:1)
	/// Storage: `Organisations::Members` (r:1 w:0)
	/// Storage: `Fleets::Votes` (r:0 w:1)
	/// Storage: `Timestamp::Now` (r:1 w:0)
	/// Storage: what `Economy` charges (r:4 w:2)
	fn rotate() -> Weight {
		Weight::from_parts(110_000_000, 4500)
			.saturating_add(T::DbWeight::get().reads(7_u64))
			.saturating_add(T::DbWeight::get().writes(4_u64))
	}

	/// Storage: `Fleets::Fleets` (r:1 w:1)
	/// Storage: `Organisations::Members` (r:1 w:0)
	/// Storage: `Fleets::Votes` (r:0 w:1)
	fn withdraw() -> Weight {
		Weight::from_parts(40_000_000, 4500)
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64))
	}

	/// Storage: `Fleets::Fleets` (r:1 w:1)
	/// Storage: `Session::Validators` (r:1 w:0)
	/// Storage: `Fleets::Votes` (r:1 w:2)
	/// Storage: `Timestamp::Now` (r:1 w:0)
	fn vote() -> Weight {
		Weight::from_parts(600_000_000, 6800)
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}

	/// Storage: `Fleets::Fleets` (r:1 w:0)
	/// Storage: `Organisations::Members` (r:1 w:0)
	/// Storage: `Timestamp::Now` (r:1 w:0)
	/// Storage: `Fleets::RevokedMembers` (r:256 w:256)
	/// `c` is to be measured from 1 to 256.
	fn revoke_members(c: u32) -> Weight {
		Weight::from_parts(50_000_000, 4500)
			.saturating_add(Weight::from_parts(60_000_000, 4600).saturating_mul(c.into()))
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().reads((1_u64).saturating_mul(c.into())))
			.saturating_add(T::DbWeight::get().writes((1_u64).saturating_mul(c.into())))
	}

	/// Storage: `Fleets::Fleets` (r:1 w:1)
	/// Storage: `Organisations::Members` (r:1 w:0)
	/// Storage: `Fleets::Votes` (r:0 w:1)
	/// Storage: `Timestamp::Now` (r:1 w:0)
	/// Storage: what `Economy` returns (r:4 w:4)
	fn revoke_fleet() -> Weight {
		Weight::from_parts(110_000_000, 4500)
			.saturating_add(T::DbWeight::get().reads(7_u64))
			.saturating_add(T::DbWeight::get().writes(6_u64))
	}

	/// Storage: `Fleets::Fleets` (r:1 w:1)
	/// Storage: `Organisations::Members` (r:1 w:0)
	/// Storage: `Fleets::Votes` (r:0 w:1)
	/// Storage: `Timestamp::Now` (r:1 w:0)
	fn retire_fleet() -> Weight {
		Weight::from_parts(42_000_000, 4500)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64))
	}

	/// Storage: `Organisations::Members` (r:1 w:0)
	/// Storage: `System::ExtrinsicData` (r:1 w:0)
	/// Storage: what `Economy` charges (r:4 w:2)
	/// `n` is to be measured from 1 to 29954.
	fn publish_tile(n: u32) -> Weight {
		Weight::from_parts(90_000_000, 4500)
			.saturating_add(Weight::from_parts(3_000, 1).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(6_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64))
	}
}
