// SPDX-License-Identifier: Apache-2.0

//! Deliveries: published by people, acknowledged by devices.

use super::{
	Actor, Attempt,
	registry::{key_for, some_device},
	world::World,
};
use dpki_primitives::{
	context::Action,
	delivery::{MAX_SEQUENCE_STEP, MIN_BLOB_LEN, Outcome, RefusalReason, Suite},
	ids::{BlobDigest, DeviceId, KeyId},
	key::KeyPurpose,
	organisation::Role,
};
use dpki_runtime::{Runtime, RuntimeCall};
use pallet_deliveries::{Acknowledgements, Call};
use std::collections::BTreeMap;

#[derive(Default)]
pub struct Deliveries {
	/// The number of the newest delivery of each device.
	published: BTreeMap<DeviceId, u64>,
	/// The number of the newest acknowledgement of each device, and whether it was a success.
	acknowledged: BTreeMap<DeviceId, (u64, bool)>,
}

fn publish(world: &mut World) -> Attempt {
	let Some((device, record)) = some_device(world) else { return acknowledge_nothing(world) };
	let person = world.holder(record.organisation, Role::Publisher);
	let newest = pallet_deliveries::Deliveries::<Runtime>::get(device).map_or(0, |it| it.sequence);
	let sequence = match world.dice.roll(20) {
		0 => newest,
		1 => newest + MAX_SEQUENCE_STEP + 1,
		_ => newest + 1 + world.dice.roll(3),
	};
	let recipient = match key_for(world, device, KeyPurpose::KeyAgreement) {
		Some(secret) if !world.dice.once_in(15) => secret.id(),
		_ => KeyId(world.fresh_bytes()),
	};
	let length = MIN_BLOB_LEN as u64 - 2 + world.dice.roll(200);
	let envelope: Vec<u8> = (0..length).map(|_| world.dice.roll(256) as u8).collect();
	let publish = RuntimeCall::from(Call::publish {
		device,
		sequence,
		suite: Suite::X25519ChaCha20Poly1305,
		recipient,
		envelope: envelope.try_into().expect("it is short"),
	});
	// Wrapped into anything but one proxy it has to be refused.
	if world.dice.once_in(30) {
		let other_signatories = vec![world.account((person + 1) % world.people())];
		let call = Box::new(publish);
		let wrapped = pallet_multisig::Call::as_multi_threshold_1 { other_signatories, call };
		return Attempt::Signed(person, wrapped.into());
	}
	Attempt::Signed(person, publish)
}

/// Approves what waits, or has it taken back.
fn decide(world: &mut World) -> Attempt {
	let waiting: Vec<_> = pallet_deliveries::Proposals::<Runtime>::iter().collect();
	let Some((device, proposal)) = world.dice.pick(&waiting).cloned() else {
		return acknowledge_nothing(world);
	};
	let record = proposal.record;
	let (sequence, digest) = (record.sequence, record.digest);
	let role = match world.dice.roll(4) {
		0 => Role::AnchorManager,
		1 => Role::Publisher,
		_ => Role::Watchdog,
	};
	let person = world.holder(record.organisation, role);
	let call = if role == Role::Publisher {
		Call::withdraw { device, sequence, digest }
	} else {
		Call::approve { device, sequence, digest }
	};
	Attempt::Signed(person, call.into())
}

fn acknowledge(world: &mut World) -> Attempt {
	let delivered: Vec<_> = pallet_deliveries::Deliveries::<Runtime>::iter_keys().collect();
	let device = match world.dice.pick(&delivered) {
		Some(device) if !world.dice.once_in(10) => *device,
		_ => match some_device(world) {
			Some((device, _)) => device,
			None => return acknowledge_nothing(world),
		},
	};
	let newest = pallet_deliveries::Deliveries::<Runtime>::get(device);
	let (sequence, digest) = match newest {
		Some(delivery) if !world.dice.once_in(20) => (delivery.sequence, delivery.digest),
		_ => (1 + world.dice.roll(5), BlobDigest(world.fresh_bytes())),
	};
	let outcome = match world.dice.roll(3) {
		0 => Outcome::Refused(RefusalReason::ApplyFailed),
		_ => Outcome::Applied,
	};
	let Some(by) = key_for(world, device, KeyPurpose::Sign) else {
		return acknowledge_nothing(world);
	};
	let expires_at = world.expiry();
	let action = Action::AcknowledgeDelivery { device, digest, outcome };
	let signature = by.sign(&world.payload(action, sequence, expires_at));
	let key = by.id();
	let call = Call::acknowledge { device, sequence, digest, outcome, key, expires_at, signature };
	Attempt::General(call.into())
}

/// For when there is nothing yet to act on.
fn acknowledge_nothing(world: &mut World) -> Attempt {
	let call = Call::acknowledge {
		device: DeviceId(world.fresh_bytes()),
		sequence: 1,
		digest: BlobDigest(world.fresh_bytes()),
		outcome: Outcome::Applied,
		key: KeyId(world.fresh_bytes()),
		expires_at: world.expiry(),
		signature: Default::default(),
	};
	Attempt::General(call.into())
}

impl Actor for Deliveries {
	fn act(&mut self, world: &mut World) -> Attempt {
		match world.dice.roll(5) {
			0 | 1 => publish(world),
			2 | 3 => acknowledge(world),
			_ => decide(world),
		}
	}

	fn check(&mut self) {
		for (device, before) in &self.published {
			let after = pallet_deliveries::Deliveries::<Runtime>::get(device);
			let after = after.expect("there is always a newest one").sequence;
			assert!(after >= *before, "{device} was led back from {before} to {after}");
		}
		for (device, (before, was_success)) in &self.acknowledged {
			let after = Acknowledgements::<Runtime>::get(device).expect("none is taken back");
			assert!(after.sequence >= *before, "an acknowledgement was taken back");
			let is_success = after.outcome == Outcome::Applied;
			assert!(
				after.sequence > *before || !was_success || is_success,
				"a success was taken back"
			);
		}
		self.published = pallet_deliveries::Deliveries::<Runtime>::iter()
			.map(|(device, delivery)| (device, delivery.sequence))
			.collect();
		self.acknowledged = Acknowledgements::<Runtime>::iter()
			.map(|(device, it)| (device, (it.sequence, it.outcome == Outcome::Applied)))
			.collect();
	}
}
