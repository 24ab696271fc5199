//! Weights of `pallet_certificates`.
//!
//! Estimates, above what the same reads, writes, hashes and signatures cost elsewhere in the set: 1.4 ms for the dearest
//! signature (P-256 in wasm), 4 ms for a certification request, 15 µs per record that is read and decoded. Proof sizes
//! are the sums of the bounds of what is read. The bencher's output takes their place.

#![allow(missing_docs)]

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// Weight functions needed for `pallet_certificates`.
pub trait WeightInfo {
	fn apply() -> Weight;
	fn apply_with_request() -> Weight;
	fn renew() -> Weight;
	fn withdraw_application() -> Weight;
	fn commit() -> Weight;
	fn reveal(v: u32) -> Weight;
	fn close(v: u32) -> Weight;
	fn endorse() -> Weight;
	fn withdraw_endorsement() -> Weight;
	fn amend() -> Weight;
	fn revoke() -> Weight;
	fn suspend() -> Weight;
	fn release() -> Weight;
	fn accredit() -> Weight;
	fn suspend_accreditation() -> Weight;
	fn release_accreditation() -> Weight;
	fn mark_compromised() -> Weight;
	fn set_policy() -> Weight;
	fn set_fees() -> Weight;
	fn clean_application() -> Weight;
	fn clean_ending() -> Weight;
}

/// Weights for `pallet_certificates` with the database weights of the runtime.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> SubstrateWeight<T> {
	fn of(micros: u64, proof: u64, reads: u64, writes: u64) -> Weight {
		Weight::from_parts(micros.saturating_mul(1_000_000), proof)
			.saturating_add(T::DbWeight::get().reads_writes(reads, writes))
	}
}

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	/// The applicant's signature, the live certificates of a subject twice (8 each, with their keys' records), the lists
	/// of open applications, subject, holder and end, three holds and one payment.
	fn apply() -> Weight {
		Self::of(2_400, 90_000, 70, 31)
	}
	fn apply_with_request() -> Weight {
		Self::of(5_000, 90_000, 70, 31)
	}
	fn renew() -> Weight {
		Self::of(250, 25_000, 20, 16)
	}
	fn withdraw_application() -> Weight {
		Self::of(200, 20_000, 16, 16)
	}
	fn commit() -> Weight {
		Self::of(100, 12_000, 6, 1)
	}
	/// As the second half of [`Self::apply`], and per vote `v` an accreditation and a payment.
	fn reveal(v: u32) -> Weight {
		Self::of(900, 70_000, 50, 30)
			.saturating_add(Self::of(80, 6_000, 3, 2).saturating_mul(v.into()))
	}
	/// Like [`Self::reveal`]: it can grant.
	fn close(v: u32) -> Weight {
		Self::of(900, 70_000, 50, 30)
			.saturating_add(Self::of(80, 6_000, 3, 2).saturating_mul(v.into()))
	}
	/// A full list with 16 accreditations, a payment, and the closing of the application.
	fn endorse() -> Weight {
		Self::of(600, 80_000, 45, 20)
	}
	fn withdraw_endorsement() -> Weight {
		Self::of(60, 8_000, 3, 1)
	}
	fn amend() -> Weight {
		Self::of(80, 10_000, 7, 1)
	}
	fn revoke() -> Weight {
		Self::of(80, 10_000, 6, 2)
	}
	fn suspend() -> Weight {
		Self::of(70, 8_000, 5, 1)
	}
	fn release() -> Weight {
		Self::of(70, 8_000, 5, 1)
	}
	fn accredit() -> Weight {
		Self::of(60, 9_000, 4, 4)
	}
	fn suspend_accreditation() -> Weight {
		Self::of(40, 4_000, 1, 1)
	}
	fn release_accreditation() -> Weight {
		Self::of(40, 4_000, 1, 1)
	}
	fn mark_compromised() -> Weight {
		Self::of(40, 4_000, 2, 1)
	}
	fn set_policy() -> Weight {
		Self::of(30, 0, 0, 1)
	}
	fn set_fees() -> Weight {
		Self::of(40, 0, 0, 1)
	}
	fn clean_application() -> Weight {
		Self::of(60, 12_000, 4, 4)
	}
	fn clean_ending() -> Weight {
		Self::of(30, 6_000, 4, 3)
	}
}
