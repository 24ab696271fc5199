//! What holds after any sequence of key operations, whoever does them in whatever order.

use super::{kit::*, mock::*};
use crate::{Call, Keys};
use dpki_primitives::{
	Moment,
	device::Compromised,
	ids::{DeviceId, KeyCommitment, KeyId},
	key::{KeyPurpose, KeyPurpose::*, KeyRecord},
	key_policy::KeyPolicy,
	quota::QUOTA_RECOVERY,
	revocation::{Revocation, RevocationReason},
};
use std::collections::BTreeMap;

const RUNS: u64 = 24;
const STEPS: usize = 120;
const DEVICES: usize = 3;
/// The keys that the actors of a run draw from. Few, so that they meet again and again.
const PAIRS: u8 = 60;

/// Deterministic, so that a failure names its run (Marsaglia's xorshift64).
struct Dice(u64);

impl Dice {
	fn below(&mut self, bound: usize) -> usize {
		self.0 ^= self.0 << 13;
		self.0 ^= self.0 >> 7;
		self.0 ^= self.0 << 17;
		usize::try_from(self.0 >> 33).unwrap() % bound
	}

	fn pair(&mut self) -> Pair {
		Pair::ed25519(1 + self.below(PAIRS.into()) as u8)
	}

	fn purpose(&mut self) -> KeyPurpose {
		[Sign, Sign, Tls, Ssh][self.below(4)]
	}

	fn device(&mut self) -> DeviceId {
		DeviceId::from_name(acme(), format!("drone-{}", self.below(DEVICES)).as_bytes())
	}
}

/// What only revocation and compromise may take from a device: a signing key that nothing will end by itself.
fn has_lasting_signing_key(device: DeviceId) -> bool {
	let lasts = |key: &KeyRecord| {
		key.purpose == Sign && !key.withdrawal.is_revoked() && key.superseded_at.is_none()
	};
	Keys::<Test>::iter_values().any(|key| key.device == device && lasts(&key))
}

/// What was seen of a key once.
#[derive(Clone, PartialEq, Debug)]
struct Seen {
	device: DeviceId,
	registered_at: Moment,
	superseded_at: Option<Moment>,
	revocation: Option<Revocation>,
}

fn all_keys() -> BTreeMap<KeyId, Seen> {
	Keys::<Test>::iter()
		.map(|(id, key)| {
			let KeyRecord { device, registered_at, superseded_at, withdrawal, .. } = key;
			let revocation = withdrawal.revocation();
			(id, Seen { device, registered_at, superseded_at, revocation })
		})
		.collect()
}

/// Those who act, and what they remember.
struct World {
	dice: Dice,
	now: Moment,
	pairs: BTreeMap<KeyId, Pair>,
	/// Announced successors behind the keys that they follow.
	announced: Vec<(Pair, Pair)>,
}

impl World {
	fn new(seed: u64) -> Self {
		let pairs = (1..=PAIRS).map(Pair::ed25519).map(|pair| (pair.id(), pair)).collect();
		Self { dice: Dice(seed), now: NOW, pairs, announced: Vec::new() }
	}

	/// Mostly a key of the device, sometimes another one.
	fn key_of(&mut self, device: DeviceId) -> Pair {
		let keys = Dpki::keys_of(device);
		if keys.is_empty() || self.dice.below(6) == 0 {
			return self.dice.pair();
		}
		let (id, _) = keys[self.dice.below(keys.len())];
		self.pairs[&id].clone()
	}

	/// Mostly a signing key of the device.
	fn signer_of(&mut self, device: DeviceId) -> Pair {
		let signer = self.key_of(device);
		let is_signing = |pair: &Pair| Dpki::key(pair.id()).is_some_and(|key| key.purpose == Sign);
		if is_signing(&signer) { signer } else { self.key_of(device) }
	}

	/// A random step. Whether it takes keys away for ever.
	fn step(&mut self) -> bool {
		let device = self.dice.device();
		let (pair, signer, old) = (self.dice.pair(), self.signer_of(device), self.key_of(device));
		let purpose = match Dpki::key(old.id()) {
			Some(key) if self.dice.below(5) != 0 => key.purpose,
			_ => self.dice.purpose(),
		};
		let wish = Wish::own(device, purpose, &pair, &signer);
		let grace = [0, 1, 1_000, 3 * QUOTA_RECOVERY][self.dice.below(4)];
		match self.dice.below(14) {
			0 | 1 => {
				wish.by_bob().register().ok();
			},
			2 | 3 => {
				submit(wish.call()).ok();
			},
			4 => {
				wish.by_bob().replacing(&old, grace).register().ok();
			},
			5 | 6 => {
				submit(wish.replacing(&old, grace).call()).ok();
			},
			7 => {
				if announce(device, &old, &pair, &signer).is_ok() {
					self.announced.push((old, pair));
				}
			},
			8 => {
				if submit(own_announcement(device, &old, &pair, &signer)).is_ok() {
					self.announced.push((old, pair));
				}
			},
			9 | 10 => self.reveal(device, old, purpose, pair),
			11 => {
				let reasons = [RevocationReason::KeyCompromise, RevocationReason::Superseded];
				let reason = reasons[self.dice.below(2)];
				// Rarely, or nothing would be left to play with.
				if self.dice.below(3) == 0 {
					Dpki::revoke_key(signed(BOB), old.id(), reason).ok();
					return true;
				}
			},
			12 => {
				if self.dice.below(3) == 0 {
					let (what, proof) = (Compromised::Key(old.id()), compromise(&old));
					let call = RuntimeCall::Dpki(Call::report_compromise { what, proof });
					submit(call).ok();
					return true;
				}
			},
			_ => {
				self.now += [1, 1_000, QUOTA_RECOVERY, 4 * QUOTA_RECOVERY][self.dice.below(4)];
				set_time(self.now);
			},
		}
		false
	}

	/// Mostly of what was announced, or has been.
	fn reveal(&mut self, device: DeviceId, old: Pair, purpose: KeyPurpose, pair: Pair) {
		let (old, pair) = match self.announced.len() {
			0 => (old, pair),
			len => self.announced[self.dice.below(len)].clone(),
		};
		let (device, purpose) =
			Dpki::key(old.id()).map_or((device, purpose), |key| (key.device, key.purpose));
		let successor = self.dice.pair();
		let next =
			(self.dice.below(2) == 0).then(|| KeyCommitment::of(pair.id(), &successor.public()));
		if submit(reveal(device, &old, purpose, &pair, next)).is_ok() && next.is_some() {
			self.announced.push((pair, successor));
		}
	}
}

#[test]
fn no_sequence_of_key_operations_breaks_a_promise() {
	let (mut registered, mut replaced, mut revoked) = (0, 0, 0);
	for seed in 1..=RUNS {
		run(|| {
			let mut world = World::new(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
			set_policy(KeyPolicy { self_service: true, ..Default::default() });
			for n in 0..DEVICES {
				enrol(&format!("drone-{n}"), &[(Sign, Pair::ed25519(1 + n as u8))]);
			}
			let devices: Vec<DeviceId> = (0..DEVICES)
				.map(|n| DeviceId::from_name(acme(), format!("drone-{n}").as_bytes()))
				.collect();
			for at in 0..STEPS {
				let before = all_keys();
				let lasting =
					devices.iter().map(|it| has_lasting_signing_key(*it)).collect::<Vec<_>>();
				let takes_away = world.step();
				let after = all_keys();
				let context = format!("run {seed}, step {at}");

				for (id, was) in &before {
					let is = after.get(id).unwrap_or_else(|| panic!("{context}: {id} is gone"));
					assert_eq!((was.device, was.registered_at), (is.device, is.registered_at));
					assert!(
						was.revocation.is_none() || was.revocation == is.revocation,
						"{context}"
					);
					// A reveal ends at once what had a grace, and nothing else moves it.
					assert!(
						was.superseded_at.is_none() || was.superseded_at == is.superseded_at,
						"{context}: {id} was replaced twice"
					);
				}
				for (device, lasting) in devices.iter().zip(lasting) {
					assert!(
						!lasting || takes_away || has_lasting_signing_key(*device),
						"{context}: {device} was locked out"
					);
				}
				assert!(after.len() <= before.len() + 1, "{context}: one step, one key");
				Dpki::do_try_state().unwrap_or_else(|error| panic!("{context}: {error:?}"));
			}
			let keys = all_keys();
			registered += keys.len() - DEVICES;
			replaced += keys.values().filter(|key| key.superseded_at.is_some()).count();
			revoked += keys.values().filter(|key| key.revocation.is_some()).count();
		});
	}
	// The dice have to fall on what matters.
	assert!(
		registered > 100 && replaced > 50 && revoked > 20,
		"{registered} registered, {replaced} replaced, {revoked} revoked"
	);
}
