// SPDX-License-Identifier: Apache-2.0

//! What is done to a state when an upgrade is rehearsed: as much as a migration of every device would, and nothing else.

// `storage_alias` emits items without documentation.
#![allow(missing_docs)]

use crate::Runtime;
use dpki_primitives::ids::DeviceId;
use frame_support::{
	migrations::{SteppedMigration, SteppedMigrationError},
	pallet_prelude::ValueQuery,
	storage_alias,
	weights::{Weight, WeightMeter, constants::WEIGHT_REF_TIME_PER_MICROS},
};
use pallet_dpki::Devices;

/// How many devices were visited. Those that are enrolled meanwhile count if their place comes later.
#[storage_alias]
pub type Visited = StorageValue<Rehearsal, u32, ValueQuery>;

/// The most devices that are visited in a block if so many have been: few at first, so that a rehearsal on a small state takes
/// more than one, too, and more and more, so that one on a large state ends within some hundred. The most of all have room in
/// the share of a block that the steps have.
pub fn most_per_block(visited: u32) -> u32 {
	if cfg!(test) { u32::MAX } else { (visited / 4).clamp(32, 256) }
}

/// Decodes each device and writes it anew.
pub struct VisitDevices;

impl VisitDevices {
	/// What a device costs: it is read and written, as is the count; its place is looked for.
	fn each() -> Weight {
		let decoding = Weight::from_parts(10 * WEIGHT_REF_TIME_PER_MICROS, 0);
		<Runtime as frame_system::Config>::DbWeight::get()
			.reads_writes(3, 2)
			.saturating_add(decoding)
	}
}

impl SteppedMigration for VisitDevices {
	type Cursor = DeviceId;
	type Identifier = [u8; 17];

	fn id() -> Self::Identifier {
		*b"rehearsal/devices"
	}

	fn step(
		mut cursor: Option<DeviceId>,
		meter: &mut WeightMeter,
	) -> Result<Option<DeviceId>, SteppedMigrationError> {
		let mut devices = match cursor {
			Some(last) => {
				Devices::<Runtime>::iter_keys_from(Devices::<Runtime>::hashed_key_for(last))
			},
			None => Devices::<Runtime>::iter_keys(),
		};
		for visited in 0..most_per_block(Visited::get()) {
			if meter.try_consume(Self::each()).is_err() {
				if visited == 0 {
					return Err(SteppedMigrationError::InsufficientWeight {
						required: Self::each(),
					});
				}
				break;
			}
			let Some(device) = devices.next() else { return Ok(None) };
			Devices::<Runtime>::mutate_extant(device, |_| ());
			Visited::mutate(|visited| *visited = visited.saturating_add(1));
			cursor = Some(device);
		}
		Ok(cursor)
	}
}
