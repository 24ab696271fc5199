// SPDX-License-Identifier: Apache-2.0

//! What the council may do in place of an administrator's key.
//!
//! Some calls of the framework accept only the root origin: authorising an upgrade, restarting a
//! stalled finality, writing storage in an emergency. A motion of the council has the council as its
//! origin instead. This pallet turns the latter into the former, and does nothing else. The motion
//! carries the whole call, so members and auditors see what is voted on, not a hash of it.

pub use crate::weights::mandate::WeightInfo;
pub use pallet::*;

use alloc::boxed::Box;
use frame_support::{
	dispatch::GetDispatchInfo,
	pallet_prelude::*,
	traits::{Contains, UnfilteredDispatchable},
};
use frame_system::{RawOrigin, pallet_prelude::*};
use sp_runtime::traits::Hash;

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

		/// Which of them may be passed on.
		type CallFilter: Contains<<Self as Config>::RuntimeCall>;

		/// The majority that counts as root.
		type MandateOrigin: EnsureOrigin<Self::RuntimeOrigin>;

		/// Weight of the pallet's own work; `n` is the length of the encoded inner call in bytes.
		type WeightInfo: WeightInfo;
	}

	/// Why a call was refused.
	#[pallet::error]
	pub enum Error<T> {
		/// The council does not carry out this call, not even as root: nothing but an upgrade of the
		/// runtime can change that.
		CallNotPermitted,
	}

	/// Passes calls of the council on as root.
	#[pallet::pallet]
	pub struct Pallet<T>(_);

	/// What auditors watch.
	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// A call was carried out as root. The motion that carried it is in the events of the
		/// same transaction.
		DispatchedAsRoot {
			/// Blake2-256 hash of the encoded call.
			call_hash: T::Hash,
		},
	}

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// Carries out `call` as root.
		///
		/// Who: [`Config::MandateOrigin`]. Cost: the inner call's weight, and what is linear in its
		/// encoded length, because it is hashed; as part of a motion it is paid with the deciding
		/// vote. Event: [`Event::DispatchedAsRoot`]. Refusals: [`Error::CallNotPermitted`] for what
		/// [`Config::CallFilter`] does not contain, and the inner call's own; then nothing that it did
		/// remains, and the motion's event carries the reason.
		#[pallet::call_index(0)]
		#[pallet::weight({
			let inner = call.get_dispatch_info();
			let own = T::WeightInfo::dispatch_as_root(call.encoded_size() as u32);
			(own.saturating_add(inner.call_weight), inner.class)
		})]
		pub fn dispatch_as_root(
			origin: OriginFor<T>,
			call: Box<<T as Config>::RuntimeCall>,
		) -> DispatchResultWithPostInfo {
			T::MandateOrigin::ensure_origin(origin)?;
			ensure!(T::CallFilter::contains(&call), Error::<T>::CallNotPermitted);

			let (call_hash, length) =
				call.using_encoded(|bytes| (T::Hashing::hash(bytes), bytes.len() as u32));
			let own = T::WeightInfo::dispatch_as_root(length);
			let with_own = |inner: Option<Weight>| inner.map(|weight| weight.saturating_add(own));
			match call.dispatch_bypass_filter(RawOrigin::Root.into()) {
				Ok(inner) => {
					Self::deposit_event(Event::DispatchedAsRoot { call_hash });
					Ok(with_own(inner.actual_weight).into())
				},
				Err(mut refusal) => {
					let inner = &mut refusal.post_info.actual_weight;
					*inner = with_own(*inner);
					Err(refusal)
				},
			}
		}
	}
}

/// Measures the pallet's own work around the cheapest call of any length.
#[cfg(feature = "runtime-benchmarks")]
pub mod benchmarking {
	use super::*;
	use alloc::vec;
	use frame_benchmarking::v2::*;

	/// Longest inner call that is measured, in bytes: more than any motion but one that carries a
	/// whole runtime.
	const MAX_LENGTH: u32 = 1024 * 1024;

	#[benchmarks(where <T as Config>::RuntimeCall: From<frame_system::Call<T>>)]
	mod benchmarks {
		use super::*;

		#[benchmark]
		fn dispatch_as_root(n: Linear<0, MAX_LENGTH>) -> Result<(), BenchmarkError> {
			let origin = T::MandateOrigin::try_successful_origin()
				.map_err(|_| BenchmarkError::Weightless)?;
			let remark = vec![0; n as usize];
			let call = Box::new(frame_system::Call::<T>::remark { remark }.into());

			#[extrinsic_call]
			_(origin as T::RuntimeOrigin, call);

			Ok(())
		}
	}
}
