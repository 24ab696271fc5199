// SPDX-License-Identifier: Apache-2.0

//! Deliveries: published by people, acknowledged by devices.

use super::{
	Actor, Attempt,
	registry::{key_for, some_device},
	world::World,
};
use dpki_primitives::{
	approval::ApprovalRule,
	channel::ChannelId,
	context::Action,
	delivery::{
		MAX_SEQUENCE_STEP, MIN_BLOB_LEN, Outcome, Recipient, Recipients, RefusalReason, Suite,
	},
	device::DeviceRecord,
	ids::{BlobDigest, DeviceId, KeyId},
	key::KeyPurpose,
	organisation::{DeliveryPolicies, Role},
};
use dpki_runtime::{AccountId, Organisations, Runtime, RuntimeCall, RuntimeEvent};
use pallet_deliveries::{Acknowledgements, Approvals, Call, Event};
use std::collections::{BTreeMap, BTreeSet};

const CONFLICT: Outcome = Outcome::Refused(RefusalReason::ChannelConflict);

#[derive(Default)]
pub struct Deliveries {
	/// The number of the newest delivery of each device on each channel.
	published: BTreeMap<(DeviceId, ChannelId), u64>,
	/// The number of the newest acknowledgement of each device on each channel, and what it says.
	acknowledged: BTreeMap<(DeviceId, ChannelId), (u64, Outcome)>,
}

/// One of three channels, the default one more often than not.
fn some_channel(world: &mut World) -> ChannelId {
	let number = world.dice.roll(5).saturating_sub(2) as u8;
	ChannelId::new(number).expect("it is one of the lowest")
}

/// Most of the time a device that can open something, and half of the time one whose deliveries need approvals.
fn some_addressee(world: &mut World) -> Option<(DeviceId, DeviceRecord)> {
	let is_plain = world.dice.once_in(2);
	for _ in 0..12 {
		let (device, record) = some_device(world)?;
		let policy = Organisations::delivery_policy(record.organisation);
		let fits = is_plain || policy.and_then(ApprovalRule::of).is_some();
		if fits && key_for(world, device, KeyPurpose::KeyAgreement).is_some() {
			return Some((device, record));
		}
	}
	some_device(world)
}

fn publish(world: &mut World) -> Attempt {
	let Some((device, record)) = some_addressee(world) else { return acknowledge_nothing(world) };
	let person = world.holder(record.organisation, Role::Publisher);
	let channel = some_channel(world);
	let newest = pallet_deliveries::Deliveries::<Runtime>::get(device, channel);
	let newest = newest.map_or(0, |it| it.sequence);
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
	let envelope = random_bytes(world, length);
	let publish = RuntimeCall::from(Call::publish {
		device,
		channel,
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

fn random_bytes(world: &mut World, length: u64) -> Vec<u8> {
	(0..length).map(|_| world.dice.roll(256) as u8).collect()
}

/// One envelope for up to three devices of an organisation that can open it.
fn publish_shared(world: &mut World) -> Attempt {
	let Some((_, DeviceRecord { organisation, .. })) = some_addressee(world) else {
		return acknowledge_nothing(world);
	};
	let person = world.holder(organisation, Role::Publisher);
	let channel = some_channel(world);
	let mut recipients = Recipients::default();
	for _ in 0..12 {
		let Some((device, record)) = some_device(world) else { continue };
		let Some(key) = key_for(world, device, KeyPurpose::KeyAgreement) else { continue };
		let is_there = recipients.iter().any(|it: &Recipient| it.device == device);
		let fits = record.organisation == organisation && !is_there;
		// Now and then one of another organisation, or one twice.
		if recipients.len() == 3 || !(fits || world.dice.once_in(40)) {
			continue;
		}
		let newest = pallet_deliveries::Deliveries::<Runtime>::get(device, channel);
		let sequence = newest.map_or(0, |it| it.sequence) + 1;
		let recipient = Recipient { device, sequence, key: key.id() };
		recipients.try_push(recipient).expect("three are few");
	}
	let suite = match world.dice.once_in(20) {
		true => Suite::X25519ChaCha20Poly1305,
		false => Suite::SharedX25519,
	};
	let others = (recipients.len() as u32).saturating_sub(1);
	let shortest = suite.min_len() + others * suite.slot_len();
	let length = u64::from(shortest) + world.dice.roll(60) - u64::from(world.dice.once_in(30));
	let envelope = random_bytes(world, length).try_into().expect("it is short");
	Attempt::Signed(person, Call::publish_shared { channel, suite, recipients, envelope }.into())
}

/// Approves what waits, or has it taken back.
fn decide(world: &mut World) -> Attempt {
	let waiting: Vec<_> = pallet_deliveries::Proposals::<Runtime>::iter().collect();
	let Some((device, channel, proposal)) = world.dice.pick(&waiting).cloned() else {
		return publish(world);
	};
	let record = proposal.record;
	let delivery = match world.dice.once_in(15) {
		true => record.id(device, some_channel(world)),
		false => record.id(device, channel),
	};
	if world.dice.once_in(4) {
		let person = match world.dice.once_in(3) {
			true => world.holder(record.organisation, Role::Publisher),
			false => world.person(&AccountId::from(record.publisher)),
		};
		return Attempt::Signed(person, Call::withdraw { device, channel, delivery }.into());
	}
	let role = if world.dice.once_in(3) { Role::AnchorManager } else { Role::Watchdog };
	let person = world.holder(record.organisation, role);
	Attempt::Signed(person, Call::approve { device, channel, delivery }.into())
}

fn acknowledge(world: &mut World) -> Attempt {
	let delivered: Vec<_> = pallet_deliveries::Deliveries::<Runtime>::iter_keys().collect();
	let (device, channel) = match world.dice.pick(&delivered) {
		Some(delivered) if !world.dice.once_in(10) => *delivered,
		_ => match some_device(world) {
			Some((device, _)) => (device, some_channel(world)),
			None => return acknowledge_nothing(world),
		},
	};
	let newest = pallet_deliveries::Deliveries::<Runtime>::get(device, channel);
	let (sequence, digest) = match newest {
		Some(delivery) if !world.dice.once_in(20) => (delivery.sequence, delivery.digest),
		_ => (1 + world.dice.roll(5), BlobDigest(world.fresh_bytes())),
	};
	let outcome = match world.dice.roll(6) {
		0 | 1 => Outcome::Refused(RefusalReason::ApplyFailed),
		2 => CONFLICT,
		_ => Outcome::Applied,
	};
	let Some(by) = key_for(world, device, KeyPurpose::Sign) else {
		return acknowledge_nothing(world);
	};
	let expires_at = world.expiry();
	let action = Action::AcknowledgeDelivery { device, channel, digest, outcome };
	let signature = by.sign(&world.payload(action, sequence, expires_at));
	let key = by.id();
	let call = Call::acknowledge {
		device,
		channel,
		sequence,
		digest,
		outcome,
		key,
		expires_at,
		signature,
	};
	Attempt::General(call.into())
}

/// For when there is nothing yet to act on.
fn acknowledge_nothing(world: &mut World) -> Attempt {
	let call = Call::acknowledge {
		device: DeviceId(world.fresh_bytes()),
		channel: some_channel(world),
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
		match world.dice.roll(9) {
			0..=2 => publish(world),
			3 => publish_shared(world),
			4 | 5 => acknowledge(world),
			_ => decide(world),
		}
	}

	/// What becomes the newest has the approvals that the policy of its organisation asks for, of as many who may approve.
	fn observe(&mut self, event: &RuntimeEvent) {
		let RuntimeEvent::Deliveries(Event::DeliveryPublished {
			device,
			channel,
			organisation,
			publisher,
			..
		}) = event
		else {
			return;
		};
		let approved = Approvals::<Runtime>::get(device, channel);
		let policy = Organisations::delivery_policy(*organisation).expect("it has members");
		let Some(rule) = ApprovalRule::of(policy) else {
			assert_eq!(approved, None, "{device} has approvals that nobody asked for");
			return;
		};
		let approved = approved.unwrap_or_else(|| panic!("{device} lacks its approvals"));
		let newest = pallet_deliveries::Deliveries::<Runtime>::get(device, channel);
		let newest = newest.expect("it was published");
		assert!(approved.is_about(*device, *channel, &newest), "{device} has other approvals");
		let counts = |approver: &&[u8; 32]| {
			let account = AccountId::from(**approver);
			pallet_organisations::Members::<Runtime>::get(organisation, account)
				.is_some_and(|roles| rule.counts(publisher.as_ref(), approver, roles))
		};
		let approvers: BTreeSet<_> = approved.by.iter().filter(counts).collect();
		assert!(approvers.len() as u32 >= rule.needed, "{device} lacks some of its approvals");
	}

	fn check(&mut self) {
		for ((device, channel), before) in &self.published {
			let after = pallet_deliveries::Deliveries::<Runtime>::get(device, channel);
			let after = after.expect("there is always a newest one").sequence;
			assert!(after >= *before, "{device} was led back from {before} to {after}");
		}
		for ((device, channel), (before, word)) in &self.acknowledged {
			let after =
				Acknowledgements::<Runtime>::get(device, channel).expect("none is taken back");
			assert!(after.sequence >= *before, "an acknowledgement was taken back");
			let is_new = after.sequence > *before || after.outcome == *word;
			let replaces = match word {
				Outcome::Applied => after.outcome == CONFLICT,
				Outcome::Refused(_) => *word != CONFLICT && after.outcome == Outcome::Applied,
			};
			// Two words on one delivery can come in one block.
			let skips = !matches!(*word, Outcome::Applied | CONFLICT) && after.outcome == CONFLICT;
			assert!(is_new || replaces || skips, "{word:?} was taken back: {after:?}");
		}
		self.published = pallet_deliveries::Deliveries::<Runtime>::iter()
			.map(|(device, channel, delivery)| ((device, channel), delivery.sequence))
			.collect();
		self.acknowledged = Acknowledgements::<Runtime>::iter()
			.map(|(device, channel, it)| ((device, channel), (it.sequence, it.outcome)))
			.collect();
	}
}
