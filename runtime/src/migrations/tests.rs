// SPDX-License-Identifier: Apache-2.0

//! Migrations in steps: they end, take no more than their share, and stop nobody when they fail.

use super::{
	rehearsal::{VisitDevices, Visited},
	steps::{Ended, Id, MaxCursorLen, MaxMigrations, Position, Progress, Steps},
};
use crate::{Runtime, System};
use alloc::{collections::BTreeSet, vec::Vec};
use codec::Encode;
use core::cell::Cell;
use dpki_primitives::{
	device::DeviceRecord,
	ids::{DeviceId, OrganisationId},
};
use frame_support::{
	migrations::{SteppedMigration, SteppedMigrationError, SteppedMigrations},
	traits::{Get, OnRuntimeUpgrade, PostInherents},
	weights::{Weight, WeightMeter},
};
use sp_io::TestExternalities;

/// What is longer would be cut: a cursor would lead elsewhere, and two names could be one.
#[test]
fn names_and_cursors_have_room() {
	fn have_room<List: SteppedMigrations>() {
		let ids: Vec<_> = (0..List::len()).filter_map(List::nth_id).collect();
		assert!(ids.len() <= <MaxMigrations as Get<u32>>::get() as usize);
		assert!(ids.iter().all(|id| Id::try_from(id.clone()).is_ok()));
		assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "a name is given once");
		assert!(List::cursor_max_encoded_len() <= <MaxCursorLen as Get<u32>>::get() as usize);
	}
	have_room::<super::Stepped>();
	have_room::<(VisitDevices,)>();
}

/// Puts so many devices on the chain.
fn enrol(number: u32) {
	for index in 0..number {
		let mut id = [0; 32];
		id[..4].copy_from_slice(&index.to_be_bytes());
		let record = DeviceRecord {
			organisation: OrganisationId([1; 32]),
			name: b"drone".to_vec().try_into().expect("it is short"),
			enrolled_at: 7,
			keys_registered: 3,
			withdrawal: Default::default(),
		};
		pallet_dpki::Devices::<Runtime>::insert(DeviceId(id), record);
	}
}

/// Makes a block as far as steps are concerned, and tells what they have taken of it.
fn block<List: SteppedMigrations>() -> Weight {
	frame_system::BlockWeight::<Runtime>::kill();
	Steps::<Runtime, List>::post_inherents();
	System::block_weight().total()
}

/// Makes blocks until nothing is left, and tells how many.
fn blocks<List: SteppedMigrations>() -> u32 {
	let mut made = 0;
	while Progress::exists() {
		assert!(block::<List>().all_lte(Steps::<Runtime, List>::limit()));
		made += 1;
	}
	made
}

fn upgrade<List: SteppedMigrations>() {
	Steps::<Runtime, List>::on_runtime_upgrade();
}

fn run(test: impl FnOnce()) {
	TestExternalities::new_empty().execute_with(test);
}

thread_local! {
	/// Whether [`Moody`] fails.
	static FAILS: Cell<bool> = const { Cell::new(false) };
}

/// A migration of two steps, which fails when it is told to, after it has written something.
struct Moody;

impl SteppedMigration for Moody {
	type Cursor = u8;
	type Identifier = [u8; 5];

	fn id() -> [u8; 5] {
		*b"moody"
	}

	fn step(cursor: Option<u8>, _: &mut WeightMeter) -> Result<Option<u8>, SteppedMigrationError> {
		Visited::put(1_000);
		if FAILS.with(Cell::get) {
			Err(SteppedMigrationError::Failed)
		} else {
			Ok(cursor.xor(Some(1)))
		}
	}
}

/// A migration that asks for more than a step may take.
struct Greedy;

impl SteppedMigration for Greedy {
	type Cursor = u8;
	type Identifier = [u8; 6];

	fn id() -> [u8; 6] {
		*b"greedy"
	}

	fn step(_: Option<u8>, meter: &mut WeightMeter) -> Result<Option<u8>, SteppedMigrationError> {
		let required = meter.limit();
		meter
			.try_consume(required)
			.map_err(|()| SteppedMigrationError::InsufficientWeight { required })?;
		Ok(None)
	}
}

#[test]
fn a_hundred_thousand_devices_are_migrated_with_a_bounded_share_of_each_block() {
	const DEVICES: u32 = 100_000;
	run(|| {
		enrol(DEVICES);
		upgrade::<VisitDevices>();
		let made = blocks::<VisitDevices>();
		assert_eq!(Visited::get(), DEVICES);
		assert!(made > 10, "{made} blocks");
		println!("{DEVICES} devices took the steps of {made} blocks");
		assert_eq!(pallet_dpki::Devices::<Runtime>::iter().count() as u32, DEVICES);
	});
}

#[test]
fn without_a_migration_nothing_is_done() {
	run(|| {
		upgrade::<()>();
		assert!(!Progress::exists() && !Ended::exists());
		assert!(block::<()>().all_lt(Weight::from_parts(100_000_000, 1)));
	});
}

#[test]
fn migrations_follow_one_another_and_each_is_done_once() {
	run(|| {
		enrol(5);
		type Both = (Moody, VisitDevices);
		upgrade::<Both>();
		assert_eq!(Progress::get().unwrap().id.into_inner(), b"moody".encode());
		assert_eq!(blocks::<Both>(), 3);
		// The first one leaves a thousand, the second one adds to it.
		assert_eq!((Visited::get(), Ended::get().len()), (1_005, 2));

		upgrade::<Both>();
		assert!(!Progress::exists());
		// The next runtime does without the first one, and does not do the second one again.
		upgrade::<(VisitDevices,)>();
		assert!(!Progress::exists());
		assert_eq!(Ended::get().len(), 1);
	});
}

#[test]
fn an_upgrade_in_the_middle_goes_on_where_it_was() {
	run(|| {
		enrol(5_000);
		upgrade::<(VisitDevices,)>();
		block::<(VisitDevices,)>();
		let position = Progress::get().unwrap();
		assert!(position.cursor.is_some());
		upgrade::<(VisitDevices, Moody)>();
		assert_eq!(Progress::get(), Some(position));
		blocks::<(VisitDevices,)>();
		assert_eq!(Visited::get(), 5_000);
	});
}

#[test]
fn a_step_that_fails_leaves_nothing_and_is_tried_again() {
	run(|| {
		FAILS.with(|fails| fails.set(true));
		upgrade::<Moody>();
		let begun = Progress::get();
		block::<Moody>();
		block::<Moody>();
		assert_eq!((Progress::get(), Visited::get()), (begun, 0));

		FAILS.with(|fails| fails.set(false));
		assert_eq!(blocks::<Moody>(), 2);
	});
}

#[test]
fn a_step_that_asks_for_too_much_does_not_get_it() {
	run(|| {
		upgrade::<Greedy>();
		assert!(block::<Greedy>().all_lte(Steps::<Runtime, Greedy>::limit()));
		assert!(Progress::exists() && Ended::get().is_empty());
	});
}

#[test]
fn a_migration_that_nobody_knows_any_more_yields_to_the_next() {
	run(|| {
		let id = b"of yore".to_vec().try_into().unwrap();
		Progress::put(Position { id, cursor: None });
		block::<Moody>();
		assert_eq!(Progress::get().unwrap().id.into_inner(), b"moody".encode());
		blocks::<Moody>();
	});
}
