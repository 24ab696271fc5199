// SPDX-License-Identifier: Apache-2.0

//! What the council may do in place of an administrator's key.
//!
//! Some calls of the framework accept only the root origin: authorising an upgrade, restarting a
//! stalled finality, writing storage in an emergency. A motion of the council has the origin "n of m
//! members" instead. This pallet turns the latter into the former, and does nothing else. The motion
//! carries the whole call, so members and auditors see what is voted on, not a hash of it.

pub use pallet::*;

use alloc::boxed::Box;
use frame_support::{
	dispatch::{GetDispatchInfo, PostDispatchInfo},
	pallet_prelude::*,
	traits::UnfilteredDispatchable,
};
use frame_system::{RawOrigin, pallet_prelude::*};

/// Weight of passing a call on, without the call's own weight.
pub trait WeightInfo {
	/// Weight of [`Call::dispatch_as_root`] without the inner call.
	fn dispatch_as_root() -> Weight;
}

impl WeightInfo for () {
	/// Passing a call on costs less than the framework's measured base of any transaction.
	fn dispatch_as_root() -> Weight {
		frame_support::weights::constants::ExtrinsicBaseWeight::get()
	}
}

/// See the module's documentation.
#[frame_support::pallet]
pub mod pallet {
	use super::*;

	/// Who holds the mandate, and over which calls.
	#[pallet::config]
	pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>> {
		/// The calls that can be passed on.
		type RuntimeCall: Parameter
			+ UnfilteredDispatchable<RuntimeOrigin = Self::RuntimeOrigin>
			+ GetDispatchInfo;

		/// The majority that counts as root.
		type MandateOrigin: EnsureOrigin<Self::RuntimeOrigin>;

		/// Weight of the pallet's own work.
		type WeightInfo: WeightInfo;
	}

	/// Passes calls of the council on as root.
	#[pallet::pallet]
	pub struct Pallet<T>(_);

	/// What auditors watch.
	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// A call was carried out as root. The motion that carried it is in the council's events of
		/// the same transaction.
		DispatchedAsRoot {
			/// Blake2-256 hash of the encoded call.
			call_hash: T::Hash,
		},
	}

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// Carries out `call` as root.
		///
		/// Who: [`Config::MandateOrigin`]. Cost: the inner call's weight and a constant; as part of
		/// a motion it is paid by whoever closes the motion. Event: [`Event::DispatchedAsRoot`].
		/// Refusals: the inner call's own; then nothing that it did remains, and the council's event
		/// carries the reason.
		#[pallet::call_index(0)]
		#[pallet::weight({
			let inner = call.get_dispatch_info();
			(T::WeightInfo::dispatch_as_root().saturating_add(inner.call_weight), inner.class)
		})]
		pub fn dispatch_as_root(
			origin: OriginFor<T>,
			call: Box<<T as Config>::RuntimeCall>,
		) -> DispatchResultWithPostInfo {
			T::MandateOrigin::ensure_origin(origin)?;

			let call_hash = <T::Hashing as sp_runtime::traits::Hash>::hash_of(&call);
			let inner: PostDispatchInfo = call.dispatch_bypass_filter(RawOrigin::Root.into())?;
			Self::deposit_event(Event::DispatchedAsRoot { call_hash });

			Ok(inner
				.actual_weight
				.map(|weight| weight.saturating_add(T::WeightInfo::dispatch_as_root()))
				.into())
		}
	}
}

/// Measures the pallet's own work around the smallest call there is.
#[cfg(feature = "runtime-benchmarks")]
pub mod benchmarking {
	use super::*;
	use alloc::vec;
	use frame_benchmarking::v2::*;

	#[benchmarks(where <T as Config>::RuntimeCall: From<frame_system::Call<T>>)]
	mod benchmarks {
		use super::*;

		#[benchmark]
		fn dispatch_as_root() -> Result<(), BenchmarkError> {
			let origin = T::MandateOrigin::try_successful_origin()
				.map_err(|_| BenchmarkError::Weightless)?;
			let call = Box::new(frame_system::Call::<T>::remark { remark: vec![] }.into());

			#[extrinsic_call]
			_(origin as T::RuntimeOrigin, call);

			Ok(())
		}
	}
}
