// SPDX-License-Identifier: Apache-2.0

//! The length of a slot, chosen once, at genesis.
//!
//! A consortium in one data centre wants slots of a second; one that spans continents wants two to
//! six. Both run the same runtime, so the length is state instead of a constant. No call changes it:
//! the slot of a block is its time divided by this length, so another value makes the slot number
//! jump and the chain stops.

pub use pallet::*;

use frame_support::pallet_prelude::*;

/// Slot length of a chain whose genesis does not say otherwise, in milliseconds.
pub const DEFAULT_SLOT_DURATION: u64 = 1_000;
/// The shortest slot that leaves time to build a block and to import it elsewhere, in milliseconds.
pub const MIN_SLOT_DURATION: u64 = 200;
/// The longest slot, in milliseconds. Beyond a minute a revocation would be too late to matter.
pub const MAX_SLOT_DURATION: u64 = 60_000;

/// See the module's documentation.
#[frame_support::pallet]
pub mod pallet {
	use super::*;

	/// Nothing to configure.
	#[pallet::config]
	pub trait Config: frame_system::Config {}

	/// Holds the length of a slot.
	#[pallet::pallet]
	pub struct Pallet<T>(_);

	/// Slot length in milliseconds.
	#[pallet::storage]
	pub type SlotDuration<T> =
		StorageValue<_, u64, ValueQuery, frame_support::traits::ConstU64<DEFAULT_SLOT_DURATION>>;

	/// The slot length with which the chain begins.
	#[pallet::genesis_config]
	#[derive(frame_support::DefaultNoBound)]
	pub struct GenesisConfig<T: Config> {
		/// Slot length in milliseconds; nothing means [`DEFAULT_SLOT_DURATION`].
		pub slot_duration: Option<u64>,
		#[doc(hidden)]
		#[serde(skip)]
		pub _config: PhantomData<T>,
	}

	#[pallet::genesis_build]
	impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
		fn build(&self) {
			let millis = self.slot_duration.unwrap_or(DEFAULT_SLOT_DURATION);
			assert!(
				(MIN_SLOT_DURATION..=MAX_SLOT_DURATION).contains(&millis),
				"slot duration of {millis} ms is not between {MIN_SLOT_DURATION} and {MAX_SLOT_DURATION} ms",
			);
			SlotDuration::<T>::put(millis);
		}
	}
}

/// Slot length in milliseconds, as a parameter for other pallets.
pub struct SlotMillis<T>(PhantomData<T>);

impl<T: Config> Get<u64> for SlotMillis<T> {
	fn get() -> u64 {
		SlotDuration::<T>::get()
	}
}

/// Half a slot in milliseconds: two blocks may not be closer in time. Half, because the clock of an
/// author may run ahead of its predecessor's.
pub struct HalfSlotMillis<T>(PhantomData<T>);

impl<T: Config> Get<u64> for HalfSlotMillis<T> {
	fn get() -> u64 {
		SlotDuration::<T>::get() / 2
	}
}
