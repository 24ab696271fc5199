// SPDX-License-Identifier: Apache-2.0

//! Certificates that devices ask for, over the chain, and what they are answered.

use super::{
	Actor, Attempt,
	registry::{key_for, some_device},
	world::World,
};
use dpki_primitives::{
	channel::ChannelId,
	context::Action,
	filing::{FilingBody, FilingKind, FilingStanding, Objection},
	ids::{DeviceId, KeyId, Name},
	key::KeyPurpose,
	organisation::Role,
};
use dpki_runtime::Runtime;
use pallet_deliveries::{Deliveries, Proposals};
use pallet_requests::{Call, Filers};
use std::collections::BTreeMap;

#[derive(Default)]
pub struct Filings {
	/// The number of the next statement of each device.
	next: BTreeMap<DeviceId, u64>,
}

/// The number of the next statement of a device, most of the time.
fn some_number(world: &mut World, device: DeviceId) -> u64 {
	let next = Filers::<Runtime>::get(device).next;
	if world.dice.once_in(15) { world.dice.roll(3) } else { next }
}

fn file(world: &mut World) -> Attempt {
	let device = some_device(world).map(|(device, _)| device);
	let device = device.unwrap_or_else(|| DeviceId(world.fresh_bytes()));
	let slot = world.dice.roll(9) as u8 / 2;
	let kind = match world.dice.roll(5) {
		0 => FilingKind::SshHost,
		1 => FilingKind::Tls { service: Name::truncate_from(b"No Name".to_vec()) },
		_ => FilingKind::Tls { service: Name::truncate_from(b"web".to_vec()) },
	};
	let length = world.dice.roll(40) as usize;
	let body = FilingBody::truncate_from(world.fresh_bytes().repeat(2)[..length].to_vec());
	let number = some_number(world, device);
	let expires_at = world.expiry();
	let content = kind.content(&body);
	let action = Action::FileRequest { device, slot, content };
	let payload = world.payload(action, number, expires_at);
	let (key, signature) = match key_for(world, device, KeyPurpose::Sign) {
		Some(secret) => (secret.id(), secret.sign(&payload)),
		None => (KeyId(world.fresh_bytes()), Default::default()),
	};
	let call = Call::file { device, slot, kind, body, number, key, expires_at, signature };
	Attempt::General(call.into())
}

/// Something that waits, or waited.
fn some_filing(world: &mut World) -> Option<(DeviceId, u8, [u8; 32])> {
	let filings: Vec<_> = pallet_requests::Filings::<Runtime>::iter().collect();
	let waits = |standing| matches!(standing, FilingStanding::Waiting { .. });
	let is_picky = !world.dice.once_in(8);
	let fitting: Vec<_> = filings
		.iter()
		.filter(|(.., filing)| !is_picky || waits(filing.standing))
		.collect();
	let (device, slot, filing) = world.dice.pick(&fitting)?;
	Some((*device, *slot, filing.content))
}

fn withdraw(world: &mut World) -> Attempt {
	let Some((device, slot, content)) = some_filing(world) else { return file(world) };
	let number = some_number(world, device);
	let expires_at = world.expiry();
	let Some(by) = key_for(world, device, KeyPurpose::Sign) else { return file(world) };
	let action = Action::WithdrawRequest { device, slot, content };
	let signature = by.sign(&world.payload(action, number, expires_at));
	let key = by.id();
	let call = Call::withdraw { device, slot, content, number, key, expires_at, signature };
	Attempt::General(call.into())
}

/// A delivery to the device, most of the time: the newest on some channel, or one that waits.
fn some_delivery(world: &mut World, device: DeviceId) -> (ChannelId, u64) {
	let newest = Deliveries::<Runtime>::iter_prefix(device);
	let mut found: Vec<_> = newest.map(|(channel, record)| (channel, record.sequence)).collect();
	let waiting = Proposals::<Runtime>::iter_prefix(device);
	found.extend(waiting.map(|(channel, proposal)| (channel, proposal.record.sequence)));
	let picked = world.dice.pick(&found).copied();
	match picked.filter(|_| !world.dice.once_in(8)) {
		Some(delivery) => delivery,
		None => (ChannelId::DEFAULT, world.dice.roll(9)),
	}
}

fn answer(world: &mut World) -> Attempt {
	let Some((device, slot, content)) = some_filing(world) else { return file(world) };
	let content = if world.dice.once_in(15) { world.fresh_bytes() } else { content };
	let organisation = pallet_requests::Filings::<Runtime>::get(device, slot)
		.expect("it was picked from what is there")
		.organisation;
	let person = world.holder(organisation, Role::Publisher);
	let call = match world.dice.roll(2) {
		0 => Call::refuse { device, slot, content, objection: Objection::NotNeeded },
		_ => {
			let (channel, sequence) = some_delivery(world, device);
			Call::answer { device, slot, content, channel, sequence }
		},
	};
	Attempt::Signed(person, call.into())
}

fn clear(world: &mut World) -> Attempt {
	let Some((device, slot, _)) = some_filing(world) else { return file(world) };
	let person = world.somebody();
	Attempt::Signed(person, Call::clear { device, slot }.into())
}

impl Actor for Filings {
	fn act(&mut self, world: &mut World) -> Attempt {
		match world.dice.roll(10) {
			0..=4 => file(world),
			5 => withdraw(world),
			6 | 7 => answer(world),
			_ => clear(world),
		}
	}

	/// A number that was used is never used again.
	fn check(&mut self) {
		for (device, before) in &self.next {
			let after = Filers::<Runtime>::get(device).next;
			assert!(after >= *before, "{device} was led back from {before} to {after}");
		}
		self.next = Filers::<Runtime>::iter().map(|(device, filer)| (device, filer.next)).collect();
	}
}
