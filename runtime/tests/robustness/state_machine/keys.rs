// SPDX-License-Identifier: Apache-2.0

//! What becomes of devices and keys after their enrolment, and how they come in without one: keys that are added,
//! replaced, announced and revealed, with a registrar or alone, and ended by the device itself; requests; batches; proofs of
//! compromise.

mod batches;

use super::{
	Actor, Attempt,
	registry::{new_key, raw, signer, some_device, some_purpose, some_reason, something_unknown},
	world::{Secret, World},
};
use dpki_primitives::{
	Moment,
	context::{Action, Registrant, SigningContext},
	device::{Compromised, DeviceRecord, MAX_GRACE, NewDevice},
	ids::{DeviceId, KeyCommitment, KeyId, Name, OrganisationId, RequestId},
	key::{Consent, KeyPurpose, NewKey},
	key_policy::{KeyPolicy, MIN_VALIDITY_LIMIT, ValidityLimits},
	organisation::Role,
	quota::{QUOTA_BURST, QUOTA_RECOVERY},
	request::{REQUEST_LIFETIME, Rejection},
	revocation::{RevocationReason, Withdrawal},
	status::Status,
};
use dpki_runtime::{Dpki, Runtime, RuntimeCall, RuntimeEvent, System, Timestamp};
use frame_support::traits::Time;
use pallet_dpki::{
	Anchors, Call, DeviceKeys, Devices, Event, KeyPolicies, NextKeys, RequestQueues, Requests,
};
use std::collections::{BTreeMap, BTreeSet};

const HOUR: Moment = 60 * 60 * 1_000;

/// What a batch is about, and what of it was there before.
enum Batch {
	/// Devices with their keys: whether each was registered.
	Devices(Vec<(DeviceId, Vec<KeyId>, bool)>),
	/// Whether each of the keys was revoked.
	RevokedKeys(Vec<(KeyId, bool)>),
	/// Whether each of the devices was revoked.
	RevokedDevices(Vec<(DeviceId, bool)>),
}

#[derive(Default)]
pub struct Keys {
	/// Which secret was announced to follow which key.
	announced: Vec<(KeyId, Secret)>,
	/// Until when each replaced key was to be good, as announced when it was replaced.
	superseded: BTreeMap<KeyId, Moment>,
	/// The keys that nobody may rely on ever again.
	compromised: BTreeSet<KeyId>,
	/// When each device did something alone, by whether its announced keys did it.
	alone: BTreeMap<(DeviceId, bool), Vec<Moment>>,
	/// When each request was made.
	requested: BTreeMap<RequestId, Moment>,
	/// The batch that is tried now.
	batch: Option<Batch>,
	/// What is announced to follow the key that its device wants to end now.
	kept: Option<KeyCommitment>,
}

/// What an organisation may ask of keys; now and then what nobody could keep.
pub fn some_key_policy(world: &mut World) -> KeyPolicy {
	let limit = match world.dice.roll(8) {
		0 => Some(MIN_VALIDITY_LIMIT + world.dice.roll(48 * HOUR)),
		1 => Some(1),
		_ => None,
	};
	KeyPolicy {
		validity: ValidityLimits { tls: limit, ..Default::default() },
		self_service: !world.dice.once_in(6),
		requests: !world.dice.once_in(6),
		..Default::default()
	}
}

/// A device of an organisation that lets devices act alone, if there is one among a few.
fn some_free_device(world: &mut World) -> Option<(DeviceId, DeviceRecord)> {
	for _ in 0..4 {
		let (device, record) = some_device(world)?;
		if KeyPolicies::<Runtime>::get(record.organisation).self_service {
			return Some((device, record));
		}
	}
	some_device(world)
}

/// A key that is to be registered for a device, in the place of another one or beside the others, with the consent of the
/// device.
fn further_key(
	world: &mut World,
	registrant: Registrant,
	(device, record): (DeviceId, &DeviceRecord),
	replacing: Option<(KeyId, Moment)>,
	purpose: KeyPurpose,
) -> Option<(NewKey, Consent, Moment)> {
	let by = signer(world, device)?;
	let (expires_at, nonce) = (world.expiry(), record.keys_registered);
	let new = new_key(world, registrant, device, purpose, nonce, expires_at);
	let (key, not_after) = (new.id(device), new.not_after);
	let action = match replacing {
		None => Action::AdmitKey { registrant, device, purpose, key, not_after },
		Some((old, grace)) => {
			Action::ReplaceKey { registrant, device, old, purpose, key, not_after, grace }
		},
	};
	let signature = by.sign(&world.payload(action, nonce, expires_at));
	Some((new, Consent { key: by.id(), signature }, expires_at))
}

/// A key of the device, whatever for.
fn some_key(world: &mut World, device: DeviceId) -> Option<KeyId> {
	let keys = DeviceKeys::<Runtime>::get(device).into_inner();
	world.dice.pick(&keys).copied()
}

fn purpose_of(key: KeyId) -> KeyPurpose {
	Dpki::key(key).map_or(KeyPurpose::Sign, |record| record.purpose)
}

fn device_of(key: KeyId) -> Option<DeviceId> {
	Dpki::key(key).map(|record| record.device)
}

fn name(text: String) -> Name {
	text.into_bytes().try_into().expect("names are short")
}

impl Keys {
	fn set_policy(world: &mut World) -> Attempt {
		let organisation = world.some_organisation();
		let policy = some_key_policy(world);
		let person = world.holder(organisation, Role::Administrator);
		Attempt::Signed(person, Call::set_key_policy { organisation, policy }.into())
	}

	/// With a registrar, or by the device alone.
	fn add(world: &mut World, is_alone: bool) -> Option<Attempt> {
		let (device, record) =
			if is_alone { some_free_device(world)? } else { some_device(world)? };
		let person = world.holder(record.organisation, Role::Registrar);
		let registrant = match is_alone {
			true => Registrant::Device,
			false => Registrant::Account(raw(world.account(person))),
		};
		let purpose = some_purpose(world, 1);
		let (key, consent, expires_at) =
			further_key(world, registrant, (device, &record), None, purpose)?;
		Some(match is_alone {
			true => Attempt::General(Call::add_own_key { device, key, consent, expires_at }.into()),
			false => Attempt::Signed(
				person,
				Call::register_key { device, key, consent, expires_at }.into(),
			),
		})
	}

	fn replace(world: &mut World, is_alone: bool) -> Option<Attempt> {
		let (device, record) =
			if is_alone { some_free_device(world)? } else { some_device(world)? };
		let person = world.holder(record.organisation, Role::Registrar);
		let registrant = match is_alone {
			true => Registrant::Device,
			false => Registrant::Account(raw(world.account(person))),
		};
		let old = some_key(world, device)?;
		let grace = match world.dice.roll(10) {
			0 => 0,
			1 => MAX_GRACE + 1,
			_ => world.dice.roll(24 * HOUR),
		};
		let purpose = match world.dice.roll(15) {
			0 => some_purpose(world, 1),
			_ => purpose_of(old),
		};
		let (key, consent, expires_at) =
			further_key(world, registrant, (device, &record), Some((old, grace)), purpose)?;
		Some(match is_alone {
			true => Attempt::General(
				Call::replace_own_key { old, key, grace, consent, expires_at }.into(),
			),
			false => Attempt::Signed(
				person,
				Call::replace_key { old, key, grace, consent, expires_at }.into(),
			),
		})
	}

	fn announce(&mut self, world: &mut World, is_alone: bool) -> Option<Attempt> {
		let (device, record) =
			if is_alone { some_free_device(world)? } else { some_device(world)? };
		let person = world.holder(record.organisation, Role::Registrar);
		let registrant = match is_alone {
			true => Registrant::Device,
			false => Registrant::Account(raw(world.account(person))),
		};
		let key = some_key(world, device)?;
		let next = world.some_secret(purpose_of(key) == KeyPurpose::KeyAgreement);
		let commitment = KeyCommitment::of(key, &next.public());
		self.announced.push((key, next));
		let by = signer(world, device)?;
		let expires_at = world.expiry();
		let action = Action::AnnounceKey { registrant, device, key, commitment };
		let signature = by.sign(&world.payload(action, record.keys_registered, expires_at));
		let consent = Consent { key: by.id(), signature };
		Some(match is_alone {
			true => Attempt::General(
				Call::announce_own_key { key, commitment, consent, expires_at }.into(),
			),
			false => Attempt::Signed(
				person,
				Call::announce_next_key { key, commitment, consent, expires_at }.into(),
			),
		})
	}

	/// Most of the time of what is announced yet.
	fn reveal(&mut self, world: &mut World) -> Option<Attempt> {
		let waiting = |(old, next): &&(KeyId, Secret)| {
			NextKeys::<Runtime>::get(old) == Some(KeyCommitment::of(*old, &next.public()))
		};
		let waiting: Vec<_> = self.announced.iter().filter(waiting).collect();
		let (old, secret) = match world.dice.pick(&waiting) {
			Some(one) if !world.dice.once_in(8) => (*one).clone(),
			_ => world.dice.pick(&self.announced)?.clone(),
		};
		let device = device_of(old)?;
		let purpose = purpose_of(old);
		let next = world.dice.once_in(2).then(|| {
			let next = world.new_secret(purpose == KeyPurpose::KeyAgreement);
			let commitment = KeyCommitment::of(secret.id(), &next.public());
			self.announced.push((secret.id(), next));
			commitment
		});
		let (key, expires_at, not_after) = (secret.id(), world.expiry(), None);
		let action = Action::RevealKey { device, old, purpose, key, not_after, next };
		let possession = secret.sign(&world.payload(action, 0, expires_at));
		let key = NewKey { purpose, public: secret.public(), not_after, possession };
		Some(Attempt::General(Call::reveal_next_key { old, key, next, expires_at }.into()))
	}

	/// Of a key by its device alone; now and then of the key that says so, or of another signing key.
	fn renounce(world: &mut World) -> Option<Attempt> {
		let (device, _) = some_free_device(world)?;
		let by = signer(world, device)?;
		let key = match world.dice.roll(8) {
			0 => by.id(),
			_ => some_key(world, device)?,
		};
		let (reason, expires_at) = (some_reason(world), world.expiry());
		let action = Action::RevokeKey { device, key, reason };
		let signature = by.sign(&world.payload(action, 0, expires_at));
		let consent = Consent { key: by.id(), signature };
		Some(Attempt::General(Call::revoke_own_key { key, reason, consent, expires_at }.into()))
	}

	/// For a new device, or for one that consents.
	fn request(world: &mut World) -> Option<Attempt> {
		let organisation = match world.dice.roll(8) {
			0 => world.some_organisation(),
			_ => {
				let open: Vec<_> = KeyPolicies::<Runtime>::iter()
					.filter_map(|(organisation, policy)| policy.requests.then_some(organisation))
					.collect();
				*world.dice.pick(&open)?
			},
		};
		let person = world.dice.roll(world.people() as u64 + 1) as usize;
		let registrant = Registrant::Account(raw(world.account(person)));
		if world.dice.once_in(3) {
			let (device, record) = some_device(world)?;
			let purpose = some_purpose(world, 1);
			let (key, consent, expires_at) =
				further_key(world, registrant, (device, &record), None, purpose)?;
			let call = Call::request_keys {
				organisation: record.organisation,
				device_name: record.name,
				keys: vec![key].try_into().expect("one is not too many"),
				consent: Some(consent),
				expires_at,
			};
			return Some(Attempt::Signed(person, call.into()));
		}
		let device_name = name(format!("asked-{}", world.dice.roll(60)));
		let (keys, expires_at) = first_keys(world, registrant, organisation, &device_name, None);
		let keys = keys.try_into().expect("at most three");
		let consent = None;
		let call = Call::request_keys { organisation, device_name, keys, consent, expires_at };
		Some(Attempt::Signed(person, call.into()))
	}

	fn decide(world: &mut World) -> Option<Attempt> {
		let waiting: Vec<_> = RequestQueues::<Runtime>::iter()
			.flat_map(|(organisation, queue)| {
				queue.into_iter().map(move |place| (organisation, place.id))
			})
			.collect();
		let (organisation, request) = *world.dice.pick(&waiting)?;
		let person = world.holder(organisation, Role::Registrar);
		let call: Call<Runtime> = match world.dice.roll(4) {
			0 => Call::reject_request { request, reason: Rejection::KeysDiffer },
			1 if world.dice.once_in(6) => {
				let request = RequestId(world.fresh_bytes());
				Call::reject_request { request, reason: Rejection::NotNeeded }
			},
			_ => Call::approve_request { request },
		};
		Some(Attempt::Signed(person, call.into()))
	}

	/// By whoever has the secret of a key or of an anchor. Rarely, or nothing would be left.
	fn report(world: &mut World) -> Option<Attempt> {
		if world.dice.once_in(4) {
			return Self::report_by_itself(world);
		}
		let (what, key) = if world.dice.once_in(3) {
			let anchors: Vec<_> =
				Anchors::<Runtime>::iter().map(|(id, record)| (id, record.key_id)).collect();
			let (anchor, key) = *world.dice.pick(&anchors)?;
			(Compromised::Anchor(anchor), key)
		} else {
			let (device, _) = some_device(world)?;
			let key = some_key(world, device)?;
			(Compromised::Key(key), key)
		};
		let secret = world.secrets.get(&key)?.clone();
		let genesis: [u8; 32] = System::block_hash(0).into();
		let mut proof = secret.sign(&SigningContext::compromise(genesis, key).payload());
		if world.dice.once_in(8) {
			proof[0] ^= 1;
		}
		Some(Attempt::General(Call::report_compromise { what, proof }.into()))
	}

	/// A key that is named by itself, by somebody who pays: mostly that of a certificate, now and then whichever.
	fn report_by_itself(world: &mut World) -> Option<Attempt> {
		let certified: Vec<_> = pallet_certificates::Certificates::<Runtime>::iter_values()
			.map(|record| KeyId::of(&record.key))
			.collect();
		let secret = match world.dice.pick(&certified).copied() {
			Some(key) if !world.dice.once_in(4) => world.secrets.get(&key)?.clone(),
			_ => world.some_secret(false),
		};
		let genesis: [u8; 32] = System::block_hash(0).into();
		let mut proof = secret.sign(&SigningContext::compromise(genesis, secret.id()).payload());
		if world.dice.once_in(8) {
			proof[0] ^= 1;
		}
		let what = Compromised::Public(secret.public());
		let call = Call::report_compromise { what, proof }.into();
		// Nobody takes it for nothing.
		Some(match world.dice.once_in(8) {
			true => Attempt::General(call),
			false => Attempt::Signed(world.somebody(), call),
		})
	}

	/// Takes notice of what a device did alone: not more at once than it may, and not sooner again.
	fn note_alone(&mut self, device: DeviceId, is_revealed: bool) {
		let times = self.alone.entry((device, is_revealed)).or_default();
		times.push(Timestamp::now());
		let now = Timestamp::now();
		for (before, since) in times.iter().rev().enumerate() {
			let allowed = QUOTA_BURST + (now - since) / QUOTA_RECOVERY;
			assert!((before as u64) < allowed, "{device} did too much alone");
		}
	}
}

/// The first keys of a device, the first of which signs most of the time.
fn first_keys(
	world: &mut World,
	registrant: Registrant,
	organisation: OrganisationId,
	name: &Name,
	expires_at: Option<Moment>,
) -> (Vec<NewKey>, Moment) {
	let device = DeviceId::from_name(organisation, name);
	let expires_at = expires_at.unwrap_or_else(|| world.expiry());
	let mut keys = Vec::new();
	for nonce in 0..1 + world.dice.roll(3) {
		let purpose = some_purpose(world, nonce);
		keys.push(new_key(world, registrant, device, purpose, nonce, expires_at));
	}
	(keys, expires_at)
}

impl Actor for Keys {
	fn act(&mut self, world: &mut World) -> Attempt {
		let attempt = match world.dice.roll(42) {
			0 | 1 => Some(Self::set_policy(world)),
			2..=6 => Self::add(world, false),
			7..=9 => Self::add(world, true),
			10..=12 => Self::replace(world, false),
			13..=15 => Self::replace(world, true),
			16 | 17 => self.announce(world, false),
			18 | 19 => self.announce(world, true),
			20..=23 => self.reveal(world),
			24..=28 => Self::request(world),
			29..=32 => Self::decide(world),
			33 => Self::report(world),
			34..=37 => Some(Self::register_batch(world)),
			38 | 39 => Self::renounce(world),
			_ => Self::revoke_batch(world),
		};
		attempt.unwrap_or_else(|| something_unknown(world))
	}

	fn before(&mut self, call: &RuntimeCall) {
		let RuntimeCall::Dpki(call) = call else { return };
		let is_key_revoked = |key| Dpki::key(key).is_some_and(|it| it.withdrawal.is_revoked());
		let is_device_revoked =
			|device| Dpki::device(device).is_some_and(|it| it.withdrawal.is_revoked());
		if let Call::revoke_own_key { key, .. } = call {
			self.kept = NextKeys::<Runtime>::get(key);
		}
		self.batch = match call {
			Call::register_batch { organisation, devices, .. } => {
				let device = |it: &NewDevice| {
					let id = DeviceId::from_name(*organisation, &it.name);
					let keys = it.keys.iter().map(|key| key.id(id)).collect();
					(id, keys, Devices::<Runtime>::contains_key(id))
				};
				Some(Batch::Devices(devices.iter().map(device).collect()))
			},
			Call::revoke_keys { keys, .. } => {
				let key = |id: &KeyId| (*id, is_key_revoked(*id));
				Some(Batch::RevokedKeys(keys.iter().map(key).collect()))
			},
			Call::revoke_devices { devices, .. } => {
				let device = |id: &DeviceId| (*id, is_device_revoked(*id));
				Some(Batch::RevokedDevices(devices.iter().map(device).collect()))
			},
			_ => None,
		};
	}

	/// All of a batch, or nothing of it. What a device does alone is held to its quota.
	fn after(&mut self, call: &RuntimeCall, is_carried_out: bool) {
		match self.batch.take() {
			Some(Batch::Devices(devices)) => {
				for (device, keys, was) in devices {
					assert!(!(was && is_carried_out), "{device} was registered again");
					let is = Devices::<Runtime>::contains_key(device);
					assert_eq!(is, was || is_carried_out, "a batch was registered in part");
					if is_carried_out {
						let is_its = |key: &KeyId| device_of(*key) == Some(device);
						assert!(keys.iter().all(is_its), "a key of {device} is missing");
					}
				}
			},
			Some(Batch::RevokedKeys(keys)) => {
				for (key, was) in keys {
					let is = Dpki::key(key).is_some_and(|it| it.withdrawal.is_revoked());
					assert_eq!(is, was || is_carried_out, "a batch was revoked in part");
				}
			},
			Some(Batch::RevokedDevices(devices)) => {
				for (device, was) in devices {
					let is = Dpki::device(device).is_some_and(|it| it.withdrawal.is_revoked());
					assert_eq!(is, was || is_carried_out, "a batch was revoked in part");
				}
			},
			None => {},
		}
		let RuntimeCall::Dpki(call) = call else { return };
		if !is_carried_out {
			return;
		}
		match call {
			Call::add_own_key { device, .. } => self.note_alone(*device, false),
			Call::replace_own_key { old: key, .. } | Call::announce_own_key { key, .. } => {
				self.note_alone(device_of(*key).expect("it was found"), false)
			},
			Call::revoke_own_key { key, consent, .. } => {
				assert_eq!(NextKeys::<Runtime>::get(key), self.kept, "the successor of {key}");
				if consent.key != *key {
					assert!(purpose_of(*key) != KeyPurpose::Sign, "{key} was ended by another");
					self.note_alone(device_of(*key).expect("it was found"), false);
				}
			},
			Call::reveal_next_key { old, key, .. } => {
				let device = device_of(*old).expect("it was found");
				let was_announced = self
					.announced
					.iter()
					.any(|(announced, next)| announced == old && next.public() == key.public);
				assert!(was_announced, "{old} was followed by what nobody announced");
				self.note_alone(device, true);
			},
			_ => {},
		}
	}

	fn observe(&mut self, event: &RuntimeEvent) {
		let RuntimeEvent::Dpki(event) = event else { return };
		let now = Timestamp::now();
		match event.clone() {
			Event::KeyReplaced { old, superseded_at, .. } => {
				assert!(superseded_at <= now + MAX_GRACE, "{old} keeps too long a grace");
				// A reveal ends at once what had a grace.
				if let Some(before) = self.superseded.insert(old, superseded_at) {
					assert!(superseded_at <= before, "{old} was replaced, and comes back");
				}
			},
			Event::KeyRevoked { key, reason: RevocationReason::KeyCompromise, .. }
			| Event::AnchorKeyRevoked { key, .. }
			| Event::KeyCompromised { key } => {
				self.compromised.insert(key);
			},
			Event::KeysRequested { request, .. } => {
				self.requested.insert(request, now);
			},
			Event::RequestApproved { request, .. } => {
				let made =
					self.requested.remove(&request).expect("it was made, and is decided once");
				assert!(now <= made + REQUEST_LIFETIME, "{request} had expired");
				assert!(!Requests::<Runtime>::contains_key(request));
			},
			Event::RequestExpired { request, .. } => {
				let made = self.requested.remove(&request).expect("it was made, and not decided");
				assert!(now > made + REQUEST_LIFETIME, "{request} lost its place");
				assert!(!Requests::<Runtime>::contains_key(request));
			},
			Event::RequestRejected { request, .. } => {
				self.requested.remove(&request).expect("it was made, and is decided once");
			},
			_ => {},
		}
	}

	fn check(&mut self) {
		let now = Timestamp::now();
		for key in &self.compromised {
			let verdict = Dpki::key_status(*key);
			assert!(!verdict.is_valid(), "{key} is compromised and {verdict:?}");
		}
		for (key, superseded_at) in &self.superseded {
			let record = Dpki::key(*key).expect("keys are never removed");
			assert_eq!(record.superseded_at, Some(*superseded_at), "the grace of {key}");
			let verdict = Dpki::key_status(*key);
			let device = Dpki::device_status(record.device);
			let is_whole = device.is_valid()
				&& record.withdrawal == Withdrawal::None
				&& record.validity.not_after.is_none_or(|end| now <= end);
			if is_whole {
				let expected =
					if now < *superseded_at { Status::Valid } else { Status::Superseded };
				assert_eq!(verdict, expected, "{key} within its grace until {superseded_at}");
			}
			assert!(!(now >= *superseded_at && verdict.is_valid()), "{key} outlives its grace");
		}
		for (device, _) in Devices::<Runtime>::iter() {
			let keys = DeviceKeys::<Runtime>::get(device);
			let unique: BTreeSet<_> = keys.iter().collect();
			assert_eq!(unique.len(), keys.len(), "{device} lists a key twice");
		}
	}
}
