//! Weights of `pallet_deliveries`.
//!
//! Estimates in the format of the bencher, on the safe side: 6 ns per byte for decoding and hashing an envelope, 1.1 ms
//! for a P-256 verification in wasm (measured with `p256` 0.13) beside an Ed25519 one. The bencher's output takes
//! their place.

#![cfg_attr(rustfmt, rustfmt_skip)]
#![allow(unused_parens)]
#![allow(unused_imports)]
#![allow(missing_docs)]

use frame_support::{traits::Get, weights::Weight};
use core::marker::PhantomData;

/// Weight functions needed for `pallet_deliveries`.
pub trait WeightInfo {
	fn publish(n: u32, ) -> Weight;
	fn acknowledge() -> Weight;
	fn authorize_acknowledge() -> Weight;
	fn direct_blob() -> Weight;
}

/// Weights for `pallet_deliveries` with the database weights of the runtime.
pub struct SubstrateWeight<T>(PhantomData<T>);
impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	/// Storage: `Deliveries::DirectPublish` (r:1 w:1)
	/// Proof: `Deliveries::DirectPublish` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
	/// Storage: `Dpki::Devices` (r:1 w:0)
	/// Proof: `Dpki::Devices` (`max_values`: None, `max_size`: Some(154), added: 2629, mode: `MaxEncodedLen`)
	/// Storage: `Organisations::Members` (r:1 w:0)
	/// Proof: `Organisations::Members` (`max_values`: None, `max_size`: Some(81), added: 2556, mode: `MaxEncodedLen`)
	/// Storage: `Organisations::Organisations` (r:1 w:0)
	/// Proof: `Organisations::Organisations` (`max_values`: None, `max_size`: Some(122), added: 2597, mode: `MaxEncodedLen`)
	/// Storage: `Timestamp::Now` (r:1 w:0)
	/// Proof: `Timestamp::Now` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
	/// Storage: `Dpki::Keys` (r:1 w:0)
	/// Proof: `Dpki::Keys` (`max_values`: None, `max_size`: Some(665), added: 3140, mode: `MaxEncodedLen`)
	/// Storage: `Deliveries::Deliveries` (r:1 w:1)
	/// Proof: `Deliveries::Deliveries` (`max_values`: None, `max_size`: Some(213), added: 2688, mode: `MaxEncodedLen`)
	/// The range of component `n` is `[48, 65536]`.
	fn publish(n: u32, ) -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `0`
		//  Estimated: `4130`
		Weight::from_parts(80_000_000, 4130)
			.saturating_add(Weight::from_parts(6_000, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(7_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64))
	}
	/// Storage: `Timestamp::Now` (r:1 w:0)
	/// Proof: `Timestamp::Now` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
	/// Storage: `Dpki::Devices` (r:1 w:0)
	/// Proof: `Dpki::Devices` (`max_values`: None, `max_size`: Some(154), added: 2629, mode: `MaxEncodedLen`)
	/// Storage: `Deliveries::Deliveries` (r:1 w:0)
	/// Proof: `Deliveries::Deliveries` (`max_values`: None, `max_size`: Some(213), added: 2688, mode: `MaxEncodedLen`)
	/// Storage: `Deliveries::Acknowledgements` (r:1 w:1)
	/// Proof: `Deliveries::Acknowledgements` (`max_values`: None, `max_size`: Some(82), added: 2557, mode: `MaxEncodedLen`)
	/// Storage: `Dpki::Keys` (r:1 w:0)
	/// Proof: `Dpki::Keys` (`max_values`: None, `max_size`: Some(665), added: 3140, mode: `MaxEncodedLen`)
	fn acknowledge() -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `0`
		//  Estimated: `4130`
		Weight::from_parts(60_000_000, 4130)
			.saturating_add(T::DbWeight::get().reads(5_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Storage: `Timestamp::Now` (r:1 w:0)
	/// Proof: `Timestamp::Now` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
	/// Storage: `Dpki::Devices` (r:1 w:0)
	/// Proof: `Dpki::Devices` (`max_values`: None, `max_size`: Some(154), added: 2629, mode: `MaxEncodedLen`)
	/// Storage: `Deliveries::Deliveries` (r:1 w:0)
	/// Proof: `Deliveries::Deliveries` (`max_values`: None, `max_size`: Some(213), added: 2688, mode: `MaxEncodedLen`)
	/// Storage: `Deliveries::Acknowledgements` (r:1 w:0)
	/// Proof: `Deliveries::Acknowledgements` (`max_values`: None, `max_size`: Some(82), added: 2557, mode: `MaxEncodedLen`)
	/// Storage: `Dpki::Keys` (r:1 w:0)
	/// Proof: `Dpki::Keys` (`max_values`: None, `max_size`: Some(665), added: 3140, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	fn authorize_acknowledge() -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `0`
		//  Estimated: `4130`
		Weight::from_parts(1_350_000_000, 4130)
			.saturating_add(T::DbWeight::get().reads(6_u64))
	}
	/// Storage: `Deliveries::DirectPublish` (r:0 w:1)
	/// Proof: `Deliveries::DirectPublish` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
	fn direct_blob() -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `0`
		//  Estimated: `0`
		Weight::from_parts(5_000_000, 0)
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
}
