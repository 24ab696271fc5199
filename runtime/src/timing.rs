// SPDX-License-Identifier: Apache-2.0

//! The lengths of a slot and of a session, chosen once, at genesis.
//!
//! A consortium in one data centre wants slots of a second; one that spans continents wants two to
//! six. Both run the same runtime, so the length is state instead of a constant. No call changes it:
//! the slot of a block is its time divided by this length, so another value makes the slot number
//! jump and the chain stops.
//!
//! The length of a session is how long a vote about validators takes to come into effect, at least; a
//! consortium with slower slots wants fewer of them in it. No call changes it either: the end of a
//! session is the block whose number it divides.

pub use pallet::*;

use frame_support::pallet_prelude::*;
use frame_system::pallet_prelude::BlockNumberFor;

/// Slot length of a chain whose genesis does not say otherwise, in milliseconds.
pub const DEFAULT_SLOT_DURATION: u64 = 1_000;
/// The shortest slot that leaves time to build a block and to import it elsewhere, in milliseconds.
pub const MIN_SLOT_DURATION: u64 = 200;
/// The longest slot, in milliseconds. Beyond a minute a revocation would be too late to matter.
pub const MAX_SLOT_DURATION: u64 = 60_000;

/// Blocks per session of a chain whose genesis does not say otherwise: ten minutes at one second.
pub const DEFAULT_SESSION_LENGTH: u32 = 600;
/// The shortest session, in blocks: long enough for finality to take notice of each change of the set.
pub const MIN_SESSION_LENGTH: u32 = 5;
/// The longest session, in blocks: a day at one second. A validator would be removed within two.
pub const MAX_SESSION_LENGTH: u32 = 86_400;

/// See the module's documentation.
#[frame_support::pallet]
pub mod pallet {
	use super::*;

	/// The layout of the storage: that of the first chains, on which no number was written down.
	const STORAGE_VERSION: StorageVersion = StorageVersion::new(0);

	/// Nothing to configure.
	#[pallet::config]
	pub trait Config: frame_system::Config {}

	/// Holds the lengths of a slot and of a session.
	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	/// Slot length in milliseconds.
	#[pallet::storage]
	pub type SlotDuration<T> =
		StorageValue<_, u64, ValueQuery, frame_support::traits::ConstU64<DEFAULT_SLOT_DURATION>>;

	/// Blocks per session.
	#[pallet::storage]
	pub type SessionLength<T> =
		StorageValue<_, u32, ValueQuery, frame_support::traits::ConstU32<DEFAULT_SESSION_LENGTH>>;

	/// The lengths with which the chain begins.
	#[pallet::genesis_config]
	#[derive(frame_support::DefaultNoBound)]
	pub struct GenesisConfig<T: Config> {
		/// Slot length in milliseconds; nothing means [`DEFAULT_SLOT_DURATION`].
		pub slot_duration: Option<u64>,
		/// Blocks per session; nothing means [`DEFAULT_SESSION_LENGTH`].
		pub session_length: Option<u32>,
		#[doc(hidden)]
		#[serde(skip)]
		pub _config: PhantomData<T>,
	}

	#[pallet::genesis_build]
	impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
		fn build(&self) {
			let millis = self.slot_duration.unwrap_or(DEFAULT_SLOT_DURATION);
			assert!(
				is_slot_duration(millis),
				"slot duration of {millis} ms is not between {MIN_SLOT_DURATION} and {MAX_SLOT_DURATION} ms",
			);
			SlotDuration::<T>::put(millis);
			let blocks = self.session_length.unwrap_or(DEFAULT_SESSION_LENGTH);
			assert!(
				is_session_length(blocks),
				"session of {blocks} blocks is not between {MIN_SESSION_LENGTH} and {MAX_SESSION_LENGTH} blocks",
			);
			SessionLength::<T>::put(blocks);
		}
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			ensure!(
				is_slot_duration(SlotDuration::<T>::get()),
				"a slot has a length out of bounds"
			);
			ensure!(
				is_session_length(SessionLength::<T>::get()),
				"a session has a length out of bounds"
			);
			Ok(())
		}
	}
}

fn is_slot_duration(millis: u64) -> bool {
	(MIN_SLOT_DURATION..=MAX_SLOT_DURATION).contains(&millis)
}

fn is_session_length(blocks: u32) -> bool {
	(MIN_SESSION_LENGTH..=MAX_SESSION_LENGTH).contains(&blocks)
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

/// Blocks per session, as a parameter for other pallets.
pub struct SessionBlocks<T>(PhantomData<T>);

impl<T: Config> Get<u32> for SessionBlocks<T> {
	fn get() -> u32 {
		// It divides numbers of blocks.
		SessionLength::<T>::get().max(1)
	}
}
