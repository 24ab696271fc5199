// SPDX-License-Identifier: Apache-2.0

//! Weights of `dpki_runtime::mandate`.
//!
//! Estimates in the shape of what `scripts/weights` generates, on the safe side: 5 ns per byte for encoding and hashing
//! the call in wasm, and the framework's base of any transaction for the rest. The measured weights take their place.

#![allow(missing_docs, unused_imports)]

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// What each benchmark of `dpki_runtime::mandate` costs.
pub trait WeightInfo {
	fn dispatch_as_root(n: u32) -> Weight;
}

/// The measured weights, with accesses to the database that `T` names.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	/// `n` is to be measured from 0 to 1048576.
	fn dispatch_as_root(n: u32) -> Weight {
		Weight::from_parts(110_000_000, 0)
			.saturating_add(Weight::from_parts(5_000, 0).saturating_mul(n.into()))
	}
}
