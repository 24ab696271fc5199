// SPDX-License-Identifier: Apache-2.0

//! The registry: SSH anchors and their revocations, vouchers, devices and their first keys; and what holds of everything
//! that is registered, whoever did it.

use super::{
	Actor, Attempt,
	world::{Secret, World},
};
use dpki_primitives::{
	Moment,
	anchor::{AnchorKind, AnchorMaterial, AnchorRecord},
	context::{Action, Registrant},
	device::DeviceRecord,
	ids::{AnchorId, DeviceId, KeyId, Name, OrganisationId, VoucherCommitment, VoucherId},
	key::{KeyPurpose, KeyRecord, NewKey},
	organisation::Role,
	revocation::{RevocationReason, SshRevocation, SshSubject},
	status::{Standing, Status, Validity, status},
	voucher::{MAX_VOUCHER_LIFETIME, VoucherRecord, VoucherStanding, VoucherState},
};
use dpki_runtime::{AccountId, Dpki, Runtime, RuntimeEvent, Timestamp};
use frame_support::traits::Time;
use pallet_dpki::{Anchors, Call, DeviceKeys, Devices, Event, Keys, RevokedAnchorKeys, Vouchers};
use sp_core::{Pair, ed25519};
use std::collections::{BTreeMap, BTreeSet};

/// How many names each organisation has for its devices.
const DEVICE_NAMES: u64 = 40;

/// A voucher as its holder has it.
struct Held {
	pair: ed25519::Pair,
	organisation: OrganisationId,
	name: Name,
}

#[derive(Default)]
pub struct Registry {
	anchor_pairs: Vec<ed25519::Pair>,
	tried_anchors: Vec<AnchorId>,
	held: Vec<Held>,
	/// Every key that was ever registered, by what was announced.
	registered: BTreeSet<KeyId>,
	anchors: BTreeMap<AnchorId, AnchorRecord>,
	devices: BTreeMap<DeviceId, DeviceRecord>,
	keys: BTreeMap<KeyId, KeyRecord>,
	vouchers: BTreeMap<VoucherId, VoucherRecord>,
	ssh_revocations: BTreeMap<AnchorId, Vec<SshRevocation>>,
	revoked_anchor_keys: BTreeSet<KeyId>,
	/// The time at which all of this was remembered.
	checked_at: Moment,
}

/// Why something is revoked.
pub fn some_reason(world: &mut World) -> RevocationReason {
	let reasons = RevocationReason::ALL;
	reasons[world.dice.roll(reasons.len() as u64) as usize]
}

/// The wire encoding of an SSH key.
fn ssh_material(public: &[u8; 32]) -> AnchorMaterial {
	let string = |part: &[u8]| [&(part.len() as u32).to_be_bytes(), part].concat();
	[string(b"ssh-ed25519"), string(public)].concat().try_into().expect("51 bytes")
}

/// A device, most of the time an unrevoked one with keys; `None` if there is none yet.
pub fn some_device(world: &mut World) -> Option<(DeviceId, DeviceRecord)> {
	for _ in 0..4 {
		let id = *world.dice.pick(&world.devices)?;
		let record = Devices::<Runtime>::get(id)?;
		if !record.withdrawal.is_revoked() && !DeviceKeys::<Runtime>::get(id).is_empty() {
			return Some((id, record));
		}
	}
	let id = *world.dice.pick(&world.devices)?;
	Some((id, Devices::<Runtime>::get(id)?))
}

/// A key by which the device can speak now, if there is one; else any that was to speak for it.
pub fn signer(world: &World, device: DeviceId) -> Option<Secret> {
	DeviceKeys::<Runtime>::get(device)
		.into_iter()
		.filter(|id| Keys::<Runtime>::get(id).is_some_and(|key| key.purpose == KeyPurpose::Sign))
		.find(|id| Dpki::key_status(*id).is_valid())
		.and_then(|id| world.secrets.get(&id).cloned())
		.or_else(|| key_for(world, device, KeyPurpose::Sign))
}

/// A key of the device's list that the holder of the device has and that is for this.
pub fn key_for(world: &World, device: DeviceId, purpose: KeyPurpose) -> Option<Secret> {
	DeviceKeys::<Runtime>::get(device)
		.into_iter()
		.filter(|id| Keys::<Runtime>::get(id).is_some_and(|key| key.purpose == purpose))
		.find_map(|id| world.secrets.get(&id).cloned())
}

/// An account as signatures name it.
pub fn raw(account: AccountId) -> [u8; 32] {
	account.into()
}

impl Registry {
	fn register_anchor(&mut self, world: &mut World) -> Attempt {
		let organisation = world.some_organisation();
		let person = world.holder(organisation, Role::AnchorManager);
		let pair = match world.dice.pick(&self.anchor_pairs) {
			Some(used) if world.dice.once_in(4) => *used,
			_ => match world.new_secret(false) {
				Secret::Ed25519(pair) => *pair,
				Secret::X25519(_) => unreachable!("asked for one that signs"),
			},
		};
		let kind = AnchorKind::ALL[world.dice.roll(AnchorKind::ALL.len() as u64) as usize];
		let material = ssh_material(&pair.public().0);
		let anchor = AnchorId::of(kind, &material);
		let account = raw(world.account(person));
		let expires_at = world.expiry();
		let possess = Action::PossessAnchor { account, organisation, anchor };
		let possession = pair.sign(&world.payload(possess, 0, expires_at)).0;
		self.anchor_pairs.push(pair);
		self.tried_anchors.push(anchor);
		let possession = possession.to_vec().try_into().expect("64 bytes");
		let call = Call::register_anchor { organisation, kind, material, possession, expires_at };
		Attempt::Signed(person, call.into())
	}

	fn change_anchor(&self, world: &mut World) -> Attempt {
		let anchor = match world.dice.pick(&self.tried_anchors) {
			Some(anchor) => *anchor,
			None => AnchorId(world.fresh_bytes()),
		};
		let person = match Anchors::<Runtime>::get(anchor) {
			Some(record) => world.holder(record.organisation, Role::AnchorManager),
			None => world.somebody(),
		};
		let reason = some_reason(world);
		let call = match world.dice.roll(12) {
			0 => Call::retire_anchor { anchor },
			1 => Call::revoke_anchor { anchor, reason },
			_ => {
				let subject = if world.dice.once_in(2) {
					SshSubject::Serial(world.dice.roll(200))
				} else {
					SshSubject::KeyFingerprint(world.fresh_bytes())
				};
				Call::revoke_ssh { anchor, subject, reason }
			},
		};
		Attempt::Signed(person, call.into())
	}

	fn issue_voucher(&mut self, world: &mut World) -> Attempt {
		let organisation = world.some_organisation();
		let person = world.holder(organisation, Role::Registrar);
		let pair = match world.dice.pick(&self.held) {
			Some(held) if world.dice.once_in(10) => held.pair,
			_ => ed25519::Pair::from_seed(&world.fresh_bytes()),
		};
		let mut name = format!("device-{}", world.dice.roll(DEVICE_NAMES));
		if world.dice.once_in(20) {
			name.push('/');
		}
		let name: Name = name.into_bytes().try_into().expect("names are short");
		let now = Timestamp::now();
		let expires_at = match world.dice.roll(20) {
			0 => now - 1,
			1 => now + MAX_VOUCHER_LIFETIME + 1,
			_ => now + world.dice.roll(2 * 60 * 60 * 1_000),
		};
		let commitment = VoucherCommitment::of(&pair.public().0);
		self.held.push(Held { pair, organisation, name: name.clone() });
		let call = Call::issue_voucher { organisation, commitment, device_name: name, expires_at };
		Attempt::Signed(person, call.into())
	}

	fn cancel_voucher(&self, world: &mut World) -> Attempt {
		let Some(held) = world.dice.pick(&self.held) else { return something_unknown(world) };
		let voucher = VoucherId::of(held.organisation, &held.pair.public().0);
		let person = world.holder(held.organisation, Role::Registrar);
		Attempt::Signed(person, Call::cancel_voucher { voucher }.into())
	}

	/// Most of the time one that has expired.
	fn clear_voucher(&self, world: &mut World) -> Attempt {
		let id = |held: &Held| VoucherId::of(held.organisation, &held.pair.public().0);
		let has_expired = |id: &VoucherId| {
			Vouchers::<Runtime>::get(id)
				.is_some_and(|it| it.state_at(Timestamp::now()) == VoucherStanding::Expired)
		};
		let expired: Vec<_> = self.held.iter().map(id).filter(has_expired).collect();
		let voucher = match world.dice.pick(&expired) {
			Some(voucher) if !world.dice.once_in(4) => Some(*voucher),
			_ => world.dice.pick(&self.held).map(id),
		};
		match voucher {
			Some(voucher) => Attempt::General(Call::clear_expired_voucher { voucher }.into()),
			None => something_unknown(world),
		}
	}

	/// Most of the time with a voucher that is open.
	fn enrol(&self, world: &mut World) -> Attempt {
		let is_open = |held: &&Held| {
			let id = VoucherId::of(held.organisation, &held.pair.public().0);
			Vouchers::<Runtime>::get(id)
				.is_some_and(|it| it.state_at(Timestamp::now()) == VoucherStanding::Open)
		};
		let open: Vec<_> = self.held.iter().filter(is_open).collect();
		let held = match world.dice.pick(&open) {
			Some(held) if !world.dice.once_in(5) => held,
			_ => match world.dice.pick(&self.held) {
				Some(held) => held,
				None => return something_unknown(world),
			},
		};
		let (organisation, name) = (held.organisation, held.name.clone());
		let voucher = VoucherId::of(organisation, &held.pair.public().0);
		let device = DeviceId::from_name(organisation, &name);
		let expires_at = world.expiry();
		let mut keys = Vec::new();
		for nonce in 0..1 + world.dice.roll(4) {
			let purpose = some_purpose(world, nonce);
			let registrant = Registrant::Voucher(voucher);
			keys.push(new_key(world, registrant, device, purpose, nonce, expires_at));
		}
		let signed = keys.iter().map(|key| (key.purpose, KeyId::of(&key.public))).collect();
		let action = Action::Enrol { voucher, device, keys: signed };
		let mut voucher_signature = held.pair.sign(&world.payload(action, 0, expires_at)).0;
		if world.dice.once_in(30) {
			voucher_signature[world.dice.roll(64) as usize] ^= 1;
		}
		let call = Call::enrol {
			organisation,
			voucher_public: held.pair.public().0,
			device_name: name,
			keys: keys.try_into().expect("at most four"),
			expires_at,
			voucher_signature,
		};
		Attempt::General(call.into())
	}

	fn revoke(&self, world: &mut World) -> Attempt {
		let Some((device, record)) = some_device(world) else { return something_unknown(world) };
		let person = world.holder(record.organisation, Role::Registrar);
		let reason = some_reason(world);
		let keys = DeviceKeys::<Runtime>::get(device).into_inner();
		let call = match world.dice.pick(&keys) {
			Some(key) if !world.dice.once_in(6) => Call::revoke_key { key: *key, reason },
			_ => Call::revoke_device { device, reason },
		};
		Attempt::Signed(person, call.into())
	}

	/// Nothing that was registered goes away, and nothing that was taken away comes back.
	fn compare(&self) {
		for (id, before) in &self.anchors {
			let after = Anchors::<Runtime>::get(id).expect("anchors are never removed");
			self.compare_anchor(before, &after);
		}
		for (id, before) in &self.devices {
			let after = Devices::<Runtime>::get(id).expect("devices are never removed");
			check_standing(&before.standing(), &after.standing());
			assert!(after.keys_registered >= before.keys_registered, "the number fell");
			assert_eq!((before.organisation, &before.name), (after.organisation, &after.name));
			assert_eq!(before.enrolled_at, after.enrolled_at);
		}
		for (id, before) in &self.keys {
			let after = Keys::<Runtime>::get(id).expect("keys are never removed");
			check_standing(&before.standing(), &after.standing());
			assert_eq!((before.device, before.purpose), (after.device, after.purpose));
			assert_eq!(
				(&before.public, before.registered_at),
				(&after.public, after.registered_at)
			);
		}
		for (id, before) in &self.vouchers {
			let Some(after) = Vouchers::<Runtime>::get(id) else {
				let standing = before.state_at(Timestamp::now());
				assert_eq!(standing, VoucherStanding::Expired, "{id} was forgotten");
				continue;
			};
			if before.expires_at != after.expires_at || before.device != after.device {
				let standing = before.state_at(Timestamp::now());
				assert_eq!(standing, VoucherStanding::Expired, "{id} was issued twice");
				continue;
			}
			assert!(before.state == VoucherState::Open || before.state == after.state, "{id}");
			assert_eq!(VoucherRecord { state: after.state, ..before.clone() }, after);
		}
		for (id, before) in &self.ssh_revocations {
			let after = ssh_revocations(*id);
			assert!(after.starts_with(before), "an entry of a revocation list changed");
		}
		for key in &self.revoked_anchor_keys {
			assert!(RevokedAnchorKeys::<Runtime>::contains_key(key), "a revoked key came back");
		}
	}

	/// A hold can end, and so can a plan. What was retired stays so since the same time.
	fn compare_anchor(&self, before: &AnchorRecord, after: &AnchorRecord) {
		assert!(before.revocation.is_none() || before.revocation == after.revocation);
		if before.is_retired(self.checked_at) {
			assert_eq!(before.retired_at, after.retired_at, "a retirement was moved");
			assert_eq!(before.successor, after.successor);
		}
		let AnchorRecord { retired_at, revocation, successor, suspended, .. } = *after;
		let expected =
			AnchorRecord { retired_at, revocation, successor, suspended, ..before.clone() };
		assert_eq!(&expected, after);
	}

	fn remember(&mut self) {
		self.checked_at = Timestamp::now();
		self.anchors = Anchors::<Runtime>::iter().collect();
		self.devices = Devices::<Runtime>::iter().collect();
		self.keys = Keys::<Runtime>::iter().collect();
		self.vouchers = Vouchers::<Runtime>::iter().collect();
		self.ssh_revocations = self.anchors.keys().map(|id| (*id, ssh_revocations(*id))).collect();
		self.revoked_anchor_keys = RevokedAnchorKeys::<Runtime>::iter_keys().collect();
	}

	/// What the runtime answers is what the rule says about the records.
	fn check_verdicts(&self) {
		let now: Moment = Timestamp::now();
		for (id, record) in &self.anchors {
			let mut above = Vec::new();
			let mut next = record.issuer();
			while let Some(issuer) = next {
				let found = self.anchors.get(&issuer).expect("an issuer is never removed");
				next = found.issuer();
				above.push(found);
			}
			let standings: Vec<_> = above.iter().map(|it| Some(it.standing())).collect();
			let verdict = status(Some(&record.standing()), &standings, now);
			assert_eq!(Dpki::anchor_status(*id), verdict);
			let is_good = |it: &AnchorRecord| {
				let Validity { not_before, not_after } = it.validity;
				let is_in_time = not_before <= now && not_after.is_none_or(|end| now <= end);
				it.revocation.is_none() && !it.suspended && is_in_time
			};
			let is_valid =
				is_good(record) && !record.is_retired(now) && above.iter().copied().all(is_good);
			assert_eq!(verdict.is_valid(), is_valid, "{id} is {verdict:?}");
		}
		for (id, record) in &self.devices {
			assert_eq!(Dpki::device_status(*id), status(Some(&record.standing()), &[], now));
		}
		for (id, record) in &self.keys {
			let device = self.devices.get(&record.device).map(DeviceRecord::standing);
			let verdict = status(Some(&record.standing()), &[device], now);
			assert_eq!(Dpki::key_status(*id), verdict);
			let is_revoked = matches!(verdict, Status::Revoked(_) | Status::IssuerRevoked(_));
			assert!(!(is_revoked && verdict.is_valid()));
		}
	}

	/// A key has one device and was announced once; a device's number counts its keys.
	fn check_counts(&self) {
		let stored: BTreeSet<_> = self.keys.keys().copied().collect();
		assert_eq!(stored, self.registered, "other keys are stored than were announced");
		let mut counts = BTreeMap::<DeviceId, u64>::new();
		for record in self.keys.values() {
			*counts.entry(record.device).or_default() += 1;
		}
		for (id, record) in &self.devices {
			assert_eq!(Some(&record.keys_registered), counts.get(id), "{id} miscounts its keys");
		}
	}
}

fn ssh_revocations(anchor: AnchorId) -> Vec<SshRevocation> {
	let pages = Dpki::ssh_revocation_count(anchor)
		.div_ceil(dpki_primitives::revocation::SSH_REVOCATIONS_PER_PAGE);
	(0..pages).flat_map(|page| Dpki::ssh_revocations(anchor, page)).collect()
}

/// Revoked stays revoked, for the same reason and since the same time; superseded stays superseded.
fn check_standing(before: &Standing, after: &Standing) {
	assert!(before.revocation.is_none() || before.revocation == after.revocation);
	assert!(before.superseded_at.is_none() || after.superseded_at.is_some());
	assert_eq!(before.validity.not_before, after.validity.not_before);
}

/// One that makes the device able to speak, and then any.
pub fn some_purpose(world: &mut World, nonce: u64) -> KeyPurpose {
	if nonce == 0 && !world.dice.once_in(20) {
		return KeyPurpose::Sign;
	}
	KeyPurpose::ALL[world.dice.roll(KeyPurpose::ALL.len() as u64) as usize]
}

/// A new key with the proof of its possession.
pub fn new_key(
	world: &mut World,
	registrant: Registrant,
	device: DeviceId,
	purpose: KeyPurpose,
	nonce: u64,
	expires_at: Moment,
) -> NewKey {
	let secret = world.some_secret(purpose == KeyPurpose::KeyAgreement);
	let not_after = match world.dice.roll(12) {
		0 => Some(Timestamp::now().saturating_sub(1)),
		1 => Some(Timestamp::now() + world.dice.roll(48 * 60 * 60 * 1_000)),
		_ => None,
	};
	let key = secret.id();
	let possess = Action::PossessKey { registrant, device, purpose, key, not_after };
	let possession = secret.sign(&world.payload(possess, nonce, expires_at));
	NewKey { purpose, public: secret.public(), not_after, possession }
}

/// For when there is nothing yet to act on.
pub fn something_unknown(world: &mut World) -> Attempt {
	let (device, reason) = (DeviceId(world.fresh_bytes()), some_reason(world));
	Attempt::Signed(world.somebody(), Call::revoke_device { device, reason }.into())
}

impl Actor for Registry {
	fn act(&mut self, world: &mut World) -> Attempt {
		match world.dice.roll(25) {
			24 => self.clear_voucher(world),
			0 | 1 => self.register_anchor(world),
			2..=5 => self.change_anchor(world),
			6..=12 => self.issue_voucher(world),
			13 => self.cancel_voucher(world),
			14..=21 => self.enrol(world),
			_ => self.revoke(world),
		}
	}

	fn observe(&mut self, event: &RuntimeEvent) {
		if let RuntimeEvent::Dpki(Event::KeyRegistered { key, .. }) = event {
			assert!(self.registered.insert(*key), "{key} was registered a second time");
		}
	}

	fn check(&mut self) {
		self.compare();
		self.remember();
		self.check_verdicts();
		self.check_counts();
	}
}
