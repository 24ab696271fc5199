// SPDX-License-Identifier: Apache-2.0

//! Devices and keys on hold: who puts them there and releases them, and what they do not do meanwhile.

use super::{
	Actor, Attempt,
	registry::{some_device, some_reason, something_unknown},
	world::World,
};
use dpki_primitives::{
	ids::{DeviceId, KeyId, OrganisationId},
	organisation::Role,
	revocation::{HoldAuthority, Withdrawal},
};
use dpki_runtime::{Dpki, Runtime, RuntimeEvent};
use pallet_dpki::{Call, DeviceKeys, Devices, Event, Keys};
use std::collections::BTreeMap;

/// On whose authority what is on hold is so.
#[derive(Default)]
pub struct Holds {
	devices: BTreeMap<DeviceId, HoldAuthority>,
	keys: BTreeMap<KeyId, HoldAuthority>,
}

fn of_device(device: DeviceId) -> Withdrawal {
	Dpki::device(device).expect("devices are never removed").withdrawal
}

fn of_key(key: KeyId) -> Withdrawal {
	Dpki::key(key).expect("keys are never removed").withdrawal
}

/// Most of the time by a registrar.
fn by_registrar(world: &mut World, owner: OrganisationId, call: Call<Runtime>) -> Attempt {
	let person = match world.dice.once_in(6) {
		true => world.somebody(),
		false => world.holder(owner, Role::Registrar),
	};
	Attempt::Signed(person, call.into())
}

impl Holds {
	fn suspend(world: &mut World) -> Option<Attempt> {
		let (device, record) = some_device(world)?;
		let reason = some_reason(world);
		let keys = DeviceKeys::<Runtime>::get(device).into_inner();
		let call = match world.dice.pick(&keys) {
			Some(key) if world.dice.once_in(2) => Call::suspend_key { key: *key, reason },
			_ => Call::suspend_device { device, reason },
		};
		Some(by_registrar(world, record.organisation, call))
	}

	/// Most of the time of what is on hold.
	fn release(world: &mut World) -> Option<Attempt> {
		let devices: Vec<_> = Devices::<Runtime>::iter()
			.filter(|(_, record)| record.withdrawal.is_on_hold())
			.map(|(id, record)| (record.organisation, Call::release_device { device: id }))
			.collect();
		let keys: Vec<_> = Keys::<Runtime>::iter()
			.filter(|(_, record)| record.withdrawal.is_on_hold())
			.filter_map(|(id, record)| {
				let owner = Dpki::device(record.device)?.organisation;
				Some((owner, Call::release_key { key: id }))
			})
			.collect();
		let held = [devices, keys].concat();
		let (owner, call) = match world.dice.pick(&held) {
			Some(one) if !world.dice.once_in(8) => one.clone(),
			_ => {
				let (device, record) = some_device(world)?;
				let key = DeviceKeys::<Runtime>::get(device).first().copied();
				let call = match key {
					Some(key) if world.dice.once_in(2) => Call::release_key { key },
					_ => Call::release_device { device },
				};
				(record.organisation, call)
			},
		};
		Some(by_registrar(world, owner, call))
	}
}

impl Actor for Holds {
	fn act(&mut self, world: &mut World) -> Attempt {
		let attempt = match world.dice.roll(5) {
			0 | 1 => Self::suspend(world),
			_ => Self::release(world),
		};
		attempt.unwrap_or_else(|| something_unknown(world))
	}

	/// What is on hold says nothing, gets no key, and is neither replaced nor followed; and nobody ends the hold of a
	/// higher authority.
	fn observe(&mut self, event: &RuntimeEvent) {
		let speaking = match event {
			RuntimeEvent::Dpki(
				Event::KeyRegistered { device, .. }
				| Event::KeyReplaced { device, .. }
				| Event::SuccessorAnnounced { device, .. },
			)
			| RuntimeEvent::Deliveries(pallet_deliveries::Event::DeliveryAcknowledged {
				device,
				..
			})
			| RuntimeEvent::Requests(pallet_requests::Event::RequestFiled { device, .. }) => Some(*device),
			_ => None,
		};
		if let Some(device) = speaking {
			assert!(!of_device(device).is_on_hold(), "{device} is on hold and acts: {event:?}");
		}
		let RuntimeEvent::Dpki(event) = event else { return };
		match event {
			Event::KeyReplaced { old: key, .. } | Event::SuccessorAnnounced { key, .. } => {
				assert!(!of_key(*key).is_on_hold(), "{key} is on hold and was followed");
			},
			Event::DeviceSuspended { device, by, .. } => {
				let before = self.devices.insert(*device, *by);
				assert!(before.is_none_or(|it| it != *by && by.may_end(it)), "{device}");
			},
			Event::DeviceReleased { device, by, .. } => {
				let before = self.devices.remove(device).expect("it was on hold");
				assert!(by.may_end(before), "{device} was released by {by:?}");
				assert_eq!(of_device(*device), Withdrawal::None);
			},
			Event::KeySuspended { key, by, .. } => {
				let before = self.keys.insert(*key, *by);
				assert!(before.is_none_or(|it| it != *by && by.may_end(it)), "{key}");
			},
			Event::KeyReleased { key, by, .. } => {
				let before = self.keys.remove(key).expect("it was on hold");
				assert!(by.may_end(before), "{key} was released by {by:?}");
				assert_eq!(of_key(*key), Withdrawal::None);
			},
			// The hold is over, and never comes back.
			Event::DeviceRevoked { device, .. } => {
				self.devices.remove(device);
			},
			Event::KeyRevoked { key, .. } => {
				self.keys.remove(key);
			},
			_ => {},
		}
	}

	/// What is remembered is what is stored.
	fn check(&mut self) {
		for (device, record) in Devices::<Runtime>::iter() {
			let by = record.withdrawal.hold().map(|hold| hold.by);
			assert_eq!(by, self.devices.get(&device).copied(), "{device}");
		}
		for (key, record) in Keys::<Runtime>::iter() {
			let by = record.withdrawal.hold().map(|hold| hold.by);
			assert_eq!(by, self.keys.get(&key).copied(), "{key}");
		}
	}
}
