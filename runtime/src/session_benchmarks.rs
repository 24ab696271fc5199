// SPDX-License-Identifier: Apache-2.0

//! Measures the calls of the session pallet with the keys of this runtime. The framework's own benchmarks of it need its
//! staking.

use alloc::vec::Vec;
use frame_benchmarking::v2::*;
use frame_system::RawOrigin;

/// The pallet under which these benchmarks are listed.
pub struct Pallet<T: Config>(core::marker::PhantomData<T>);

/// What the benchmarks need of a runtime.
pub trait Config: pallet_session::Config {
	/// An account that can set session keys, and keys that are not set yet with the proof that it owns them.
	fn owner_with_keys() -> (Self::AccountId, Self::Keys, Vec<u8>);
}

#[benchmarks]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn set_keys() -> Result<(), BenchmarkError> {
		let (owner, keys, proof) = T::owner_with_keys();
		#[block]
		{
			pallet_session::Pallet::<T>::set_keys(RawOrigin::Signed(owner).into(), keys, proof)?;
		}
		Ok(())
	}

	#[benchmark]
	fn purge_keys() -> Result<(), BenchmarkError> {
		let (owner, keys, proof) = T::owner_with_keys();
		let origin = RawOrigin::Signed(owner);
		pallet_session::Pallet::<T>::set_keys(origin.clone().into(), keys, proof)?;
		#[block]
		{
			pallet_session::Pallet::<T>::purge_keys(origin.into())?;
		}
		Ok(())
	}
}
