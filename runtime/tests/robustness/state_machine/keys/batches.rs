// SPDX-License-Identifier: Apache-2.0

//! Devices and keys that come and go many at once.

use super::{Keys, first_keys, name, some_key};
use crate::state_machine::{
	Attempt,
	registry::{raw, some_device, some_reason},
	world::World,
};
use dpki_primitives::{context::Registrant, device::NewDevice, organisation::Role};
use dpki_runtime::Runtime;
use pallet_dpki::{Call, DeviceKeys};

/// How many names there are for the devices that each organisation registers in batches.
const BATCH_NAMES: u64 = 400;

impl Keys {
	pub(super) fn register_batch(world: &mut World) -> Attempt {
		let organisation = world.some_organisation();
		let person = world.holder(organisation, Role::Registrar);
		let registrant = Registrant::Account(raw(world.account(person)));
		let expires_at = world.expiry();
		let mut devices = Vec::new();
		for _ in 0..world.dice.roll(6) {
			let name = name(format!("batch-{}", world.dice.roll(BATCH_NAMES)));
			let (keys, _) = first_keys(world, registrant, organisation, &name, Some(expires_at));
			let keys = keys.try_into().expect("at most three");
			devices.push(NewDevice { name, keys });
		}
		let devices = devices.try_into().expect("at most five");
		Attempt::Signed(person, Call::register_batch { organisation, devices, expires_at }.into())
	}

	pub(super) fn revoke_batch(world: &mut World) -> Option<Attempt> {
		let (first, record) = some_device(world)?;
		let person = world.holder(record.organisation, Role::Registrar);
		let reason = some_reason(world);
		let call: Call<Runtime> = if world.dice.once_in(3) {
			let mut devices = vec![first];
			if world.dice.once_in(4) {
				devices.push(some_device(world)?.0);
			}
			let devices = devices.try_into().expect("two are not too many");
			Call::revoke_devices { devices, reason }
		} else {
			let mut keys: Vec<_> =
				DeviceKeys::<Runtime>::get(first).into_iter().skip(1).take(2).collect();
			if world.dice.once_in(4) {
				let (other, _) = some_device(world)?;
				keys.extend(some_key(world, other));
			}
			let keys = keys.try_into().expect("three are not too many");
			Call::revoke_keys { keys, reason }
		};
		Some(Attempt::Signed(person, call.into()))
	}
}
