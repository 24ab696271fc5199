// SPDX-License-Identifier: Apache-2.0

//! Migrations that are too large for one block: a bounded number of entries in each block, and nobody has to wait.
//!
//! While they go on, every call is carried out as always. So a pallet whose entries are migrated reads both forms of an
//! entry, and writes the new one: an entry is migrated when it is first written or when its step comes, whichever is sooner,
//! and no answer depends on how far the steps are. Clients that prove entries read both forms, too, before the upgrade is
//! voted on. A step leaves alone what has the new form already.
//!
//! The steps come after the inherents of a block and before its transactions, and take at most [`SHARE`] of it; what they
//! take is counted, so that transactions have that much less room. A full chain cannot starve them.
//!
//! Where they are is one value of the state: [`Progress`], under the prefix `Migrations`. It is not in the metadata; `dpki
//! runtime show` reads it. If a step fails, nothing of it remains, the log of every node says so, and it is tried again in the
//! next block: the chain goes on with both forms until an upgrade brings a better step. `docs/decisions/0035-upgrades.md`
//! tells why this is not `pallet-migrations`.

// `storage_alias` emits items without documentation.
#![allow(missing_docs)]

use alloc::vec::Vec;
use codec::{Decode, Encode, MaxEncodedLen};
use core::marker::PhantomData;
use frame_support::{
	BoundedVec,
	dispatch::DispatchClass,
	migrations::SteppedMigrations,
	pallet_prelude::ValueQuery,
	storage_alias,
	traits::{ConstU32, Get, OnRuntimeUpgrade, PostInherents},
	weights::{Weight, WeightMeter},
};
use sp_runtime::Perbill;

/// How much of a block the steps may take.
pub const SHARE: Perbill = Perbill::from_percent(20);

/// Longest name of a migration, in bytes.
pub type MaxIdLen = ConstU32<64>;

/// Longest cursor, in bytes: more than any storage key of ours.
pub type MaxCursorLen = ConstU32<256>;

/// The most migrations that a runtime carries along.
pub type MaxMigrations = ConstU32<64>;

/// The name of a migration in SCALE. It is never given to another one.
pub type Id = BoundedVec<u8, MaxIdLen>;

/// Which migration is being carried out, and how far it is.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen)]
pub struct Position {
	/// Which one.
	pub id: Id,
	/// Behind which entry it goes on; none before its first step.
	pub cursor: Option<BoundedVec<u8, MaxCursorLen>>,
}

/// Where the steps are; nothing if none is left.
#[storage_alias]
pub type Progress = StorageValue<Migrations, Position>;

/// What has ended, of those that the runtime carries along.
#[storage_alias]
pub type Ended = StorageValue<Migrations, BoundedVec<Id, MaxMigrations>, ValueQuery>;

/// Carries out the migrations of a list, first to last.
pub struct Steps<T, List>(PhantomData<(T, List)>);

impl<T: frame_system::Config, List: SteppedMigrations> Steps<T, List> {
	/// The most that the steps take of a block.
	pub fn limit() -> Weight {
		SHARE * T::BlockWeights::get().max_block
	}

	fn ids() -> Vec<Id> {
		let ids = (0..List::len()).filter_map(List::nth_id);
		ids.map(BoundedVec::truncate_from).collect()
	}

	/// Goes to the first one that has not ended.
	fn turn_to_next(ids: &[Id]) {
		let ended = Ended::get();
		match ids.iter().find(|id| !ended.contains(id)) {
			Some(id) => Progress::put(Position { id: id.clone(), cursor: None }),
			None => Progress::kill(),
		}
	}

	/// Carries out the next step, within what `meter` allows.
	fn step(position: Position, meter: &mut WeightMeter) {
		let ids = Self::ids();
		let Some(at) = ids.iter().position(|id| *id == position.id) else {
			// Of another runtime, which has not handed it on.
			return Self::turn_to_next(&ids);
		};
		let cursor = position.cursor.map(BoundedVec::into_inner);
		match List::nth_transactional_step(at as u32, cursor, meter) {
			Some(Ok(Some(cursor))) => {
				let cursor = Some(BoundedVec::truncate_from(cursor));
				Progress::put(Position { id: position.id, cursor });
			},
			Some(Ok(None)) => {
				Ended::mutate(|ended| {
					// There is room: each is of this runtime's list.
					let _ = ended.try_push(position.id);
				});
				Self::turn_to_next(&ids);
			},
			Some(Err(error)) => {
				log::error!(
					target: "runtime::migrations",
					"a step of the migration {:?} failed and is tried again: {error:?}",
					position.id,
				);
			},
			None => {},
		}
	}
}

impl<T: frame_system::Config, List: SteppedMigrations> OnRuntimeUpgrade for Steps<T, List> {
	/// Begins the first migration that has not ended, unless one of the list is going on.
	fn on_runtime_upgrade() -> Weight {
		let ids = Self::ids();
		let ended = Ended::get();
		if ended.iter().any(|id| !ids.contains(id)) {
			Ended::mutate(|ended| ended.retain(|id| ids.contains(id)));
		}
		if Progress::get().is_none_or(|position| !ids.contains(&position.id)) {
			Self::turn_to_next(&ids);
		}
		T::DbWeight::get().reads_writes(3, 2)
	}
}

impl<T: frame_system::Config, List: SteppedMigrations> PostInherents for Steps<T, List> {
	fn post_inherents() {
		let mut meter = WeightMeter::with_limit(Self::limit());
		// On every block: whether there is anything to do.
		let mut own = T::DbWeight::get().reads(1);
		if let Some(position) = Progress::get() {
			own.saturating_accrue(T::DbWeight::get().reads_writes(1, 2));
			meter.consume(own);
			Self::step(position, &mut meter);
			own = meter.consumed();
		}
		frame_system::Pallet::<T>::register_extra_weight_unchecked(own, DispatchClass::Mandatory);
	}
}
