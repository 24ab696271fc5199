//! Weights of `pallet_dpki`.
//!
//! Estimates on the high side, in the format of the benchmark tool, which is to replace them: 1.1 ms for a P-256,
//! 5 ms for a P-384 and 4 ms for an RSA-4096 verification in Wasm, 50 µs for one by the host.

#![allow(unused_parens, unused_imports, missing_docs)]

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// The cost of each call of `pallet_dpki`.
pub trait WeightInfo {
	fn register_ssh_anchor() -> Weight;
	fn register_rsa_anchor() -> Weight;
	fn register_p384_anchor() -> Weight;
	fn retire_anchor() -> Weight;
	fn revoke_anchor() -> Weight;
	fn revoke_ssh() -> Weight;
	fn issue_voucher() -> Weight;
	fn cancel_voucher() -> Weight;
	fn authorize_enrol(k: u32) -> Weight;
	fn enrol(k: u32) -> Weight;
	fn register_key() -> Weight;
	fn revoke_key() -> Weight;
	fn revoke_device() -> Weight;
}

/// Weights for `pallet_dpki` on the database that the runtime names.
pub struct SubstrateWeight<T>(PhantomData<T>);
impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	fn register_ssh_anchor() -> Weight {
		Weight::from_parts(3_000_000_000, 6000)
			.saturating_add(T::DbWeight::get().reads(8_u64))
			.saturating_add(T::DbWeight::get().writes(4_u64))
	}
	fn register_rsa_anchor() -> Weight {
		Weight::from_parts(12_000_000_000, 10000)
			.saturating_add(T::DbWeight::get().reads(8_u64))
			.saturating_add(T::DbWeight::get().writes(4_u64))
	}
	fn register_p384_anchor() -> Weight {
		Weight::from_parts(14_000_000_000, 10000)
			.saturating_add(T::DbWeight::get().reads(8_u64))
			.saturating_add(T::DbWeight::get().writes(4_u64))
	}
	fn retire_anchor() -> Weight {
		Weight::from_parts(40_000_000, 4000)
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	fn revoke_anchor() -> Weight {
		Weight::from_parts(50_000_000, 5000)
			.saturating_add(T::DbWeight::get().reads(5_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	fn revoke_ssh() -> Weight {
		Weight::from_parts(70_000_000, 7000)
			.saturating_add(T::DbWeight::get().reads(7_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	fn issue_voucher() -> Weight {
		Weight::from_parts(50_000_000, 4000)
			.saturating_add(T::DbWeight::get().reads(5_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64))
	}
	fn cancel_voucher() -> Weight {
		Weight::from_parts(40_000_000, 4000)
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	fn authorize_enrol(k: u32) -> Weight {
		// k is in 1..=4
		Weight::from_parts(300_000_000, 6000)
			.saturating_add(Weight::from_parts(1_300_000_000, 6500).saturating_mul(k.into()))
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().reads((2_u64).saturating_mul(k.into())))
	}
	fn enrol(k: u32) -> Weight {
		// k is in 1..=4
		Weight::from_parts(80_000_000, 15000)
			.saturating_add(Weight::from_parts(30_000_000, 6500).saturating_mul(k.into()))
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().reads((2_u64).saturating_mul(k.into())))
			.saturating_add(T::DbWeight::get().writes(3_u64))
			.saturating_add(T::DbWeight::get().writes((1_u64).saturating_mul(k.into())))
	}
	fn register_key() -> Weight {
		Weight::from_parts(3_000_000_000, 15000)
			.saturating_add(T::DbWeight::get().reads(9_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	fn revoke_key() -> Weight {
		Weight::from_parts(60_000_000, 6000)
			.saturating_add(T::DbWeight::get().reads(6_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64))
	}
	fn revoke_device() -> Weight {
		Weight::from_parts(40_000_000, 4000)
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
}
