// SPDX-License-Identifier: Apache-2.0

//! Weights of `pallet_requests`.
//!
//! All of them are estimates, derived from the measured ones of `pallet_deliveries` (acknowledgements and withdrawals), with
//! the database accesses of these calls. `scripts/weights requests` measures them.

#![allow(missing_docs, unused_imports)]

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// What each benchmark of `pallet_requests` costs.
pub trait WeightInfo {
	fn file() -> Weight;
	fn authorize_file() -> Weight;
	fn withdraw() -> Weight;
	fn authorize_withdraw() -> Weight;
	fn answer() -> Weight;
	fn refuse() -> Weight;
	fn clear() -> Weight;
}

/// The estimated weights, with accesses to the database that `T` names.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	/// Reads time, device, key, filer, the slot and the length of the list; writes filer, slot, content and list.
	fn file() -> Weight {
		Weight::from_parts(80_000_000, 4137)
			.saturating_add(T::DbWeight::get().reads(6_u64))
			.saturating_add(T::DbWeight::get().writes(5_u64))
	}

	/// Reads time, device, key, filer and the genesis hash; verifies one signature.
	fn authorize_file() -> Weight {
		Weight::from_parts(570_000_000, 4137).saturating_add(T::DbWeight::get().reads(5_u64))
	}

	/// Reads as `file`, and both ends of the list; writes filer, slot, content, list, and the filing that moves.
	fn withdraw() -> Weight {
		Weight::from_parts(90_000_000, 4137)
			.saturating_add(T::DbWeight::get().reads(8_u64))
			.saturating_add(T::DbWeight::get().writes(7_u64))
	}

	/// As `authorize_file`, and the slot.
	fn authorize_withdraw() -> Weight {
		Weight::from_parts(560_000_000, 4137).saturating_add(T::DbWeight::get().reads(6_u64))
	}

	/// Reads time, slot, key, role, and both ends of the list; writes slot, content, list, and the filing that moves.
	fn answer() -> Weight {
		Weight::from_parts(60_000_000, 3717)
			.saturating_add(T::DbWeight::get().reads(7_u64))
			.saturating_add(T::DbWeight::get().writes(6_u64))
	}

	/// As `answer`.
	fn refuse() -> Weight {
		Weight::from_parts(60_000_000, 3717)
			.saturating_add(T::DbWeight::get().reads(6_u64))
			.saturating_add(T::DbWeight::get().writes(6_u64))
	}

	/// As `answer`, with the device in the place of the role.
	fn clear() -> Weight {
		Weight::from_parts(60_000_000, 3717)
			.saturating_add(T::DbWeight::get().reads(7_u64))
			.saturating_add(T::DbWeight::get().writes(6_u64))
	}
}
