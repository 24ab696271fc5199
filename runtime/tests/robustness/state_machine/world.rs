// SPDX-License-Identifier: Apache-2.0

//! What everybody draws from: chance, people with accounts, keys of devices.

use super::Attempt;
use codec::Encode;
use curve25519_dalek::{EdwardsPoint, MontgomeryPoint, Scalar, scalar::clamp_integer};
use dpki_primitives::{
	Moment,
	context::{Action, MAX_SIGNATURE_LIFETIME, SigningContext},
	ids::{DeviceId, KeyId, OrganisationId},
	key::{KeyType, PublicKey, Signature},
	organisation::Role,
};
use dpki_runtime::{AccountId, Runtime, RuntimeCall, System, Timestamp, UNIT};
use frame_support::{dispatch::GetDispatchInfo, traits::Time};
use pallet_multisig::{Multisigs, Pallet as Multisig};
use sha2::{Digest, Sha512};
use sp_core::{Pair, ed25519, sr25519};
use sp_keyring::Sr25519Keyring;
use sp_runtime::MultiSignature;
use std::collections::{BTreeMap, VecDeque};

/// The names that organisations may take.
pub const ORGANISATIONS: [&str; 5] = ["acme", "bolt", "cog", "dome", "edge"];

/// Stands for an account that belongs to several people, who act for it together. It follows the numbers of the people.
pub const GROUP: usize = 12;

/// Those people, by their numbers. Two of them have to agree.
const PARTNERS: [usize; 3] = [2, 5, 9];

/// SplitMix64: enough randomness for a test, the same in every run.
pub struct Dice(u64);

impl Dice {
	/// A number below `sides`; 0 if there is none.
	pub fn roll(&mut self, sides: u64) -> u64 {
		self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
		let mut z = self.0;
		z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
		z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
		(z ^ (z >> 31)) % sides.max(1)
	}

	/// Once in so many times.
	pub fn once_in(&mut self, times: u64) -> bool {
		self.roll(times) == 0
	}

	/// One of them.
	pub fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
		from.get(self.roll(from.len() as u64) as usize)
	}
}

/// A device's key: for signatures, or for agreement.
#[derive(Clone)]
pub enum Secret {
	Ed25519(Box<ed25519::Pair>),
	X25519([u8; 32]),
}

impl Secret {
	pub fn public(&self) -> PublicKey {
		let (key_type, bytes) = match self {
			Self::Ed25519(pair) => (KeyType::Ed25519, pair.public().0),
			Self::X25519(secret) => {
				(KeyType::X25519, MontgomeryPoint::mul_base_clamped(*secret).to_bytes())
			},
		};
		PublicKey::new(key_type, &bytes).expect("both have 32 bytes")
	}

	pub fn id(&self) -> KeyId {
		KeyId::of(&self.public())
	}

	pub fn sign(&self, payload: &[u8]) -> Signature {
		let bytes = match self {
			Self::Ed25519(pair) => pair.sign(payload).0,
			Self::X25519(secret) => xeddsa(secret, payload),
		};
		bytes.to_vec().try_into().expect("64 bytes are few")
	}
}

/// XEdDSA with a nonce that follows from the message, which verifies as any other.
fn xeddsa(secret: &[u8; 32], payload: &[u8]) -> [u8; 64] {
	let hash =
		|parts: &[&[u8]]| Scalar::from_bytes_mod_order_wide(&Sha512::digest(parts.concat()).into());
	let scalar = Scalar::from_bytes_mod_order(clamp_integer(*secret));
	let mut public = EdwardsPoint::mul_base(&scalar).compress().to_bytes();
	let scalar = if public[31] & 0x80 == 0 { scalar } else { -scalar };
	public[31] &= 0x7f;
	let nonce = hash(&[secret, payload]);
	let commitment = EdwardsPoint::mul_base(&nonce).compress().to_bytes();
	let answer = nonce + hash(&[&commitment, &public, payload]) * scalar;
	[commitment, answer.to_bytes()].concat().try_into().expect("twice 32 bytes")
}

/// Something that somebody will try; nothing, if it has become pointless.
type Intention = Box<dyn FnOnce(&mut World) -> Option<Attempt>>;

pub struct World {
	pub dice: Dice,
	people: Vec<sr25519::Pair>,
	group: AccountId,
	/// What is to be tried next.
	intentions: VecDeque<Intention>,
	/// Every device, in the order of their registration.
	pub devices: Vec<DeviceId>,
	/// The keys that were ever made for devices, by their ids.
	pub secrets: BTreeMap<KeyId, Secret>,
	seeds: u64,
}

impl World {
	pub fn new(seed: u64) -> Self {
		let people: Vec<_> = Sr25519Keyring::well_known().map(Sr25519Keyring::pair).collect();
		assert_eq!(people.len(), GROUP);
		let mut partners = PARTNERS.map(|person| AccountId::from(people[person].public()));
		partners.sort();
		let group = Multisig::<Runtime>::multi_account_id(&partners, 2);
		let (intentions, secrets) = (VecDeque::new(), BTreeMap::new());
		let (dice, devices) = (Dice(seed), Vec::new());
		Self { dice, people, group, intentions, devices, secrets, seeds: 0 }
	}

	/// Intends to try something after everything else that is intended.
	pub fn intend(&mut self, what: impl FnOnce(&mut World) -> Option<Attempt> + 'static) {
		self.intentions.push_back(Box::new(what));
	}

	/// The next of the things that are intended and not pointless.
	pub fn next_intention(&mut self) -> Option<Attempt> {
		while let Some(intention) = self.intentions.pop_front() {
			if let Some(attempt) = intention(self) {
				return Some(attempt);
			}
		}
		None
	}

	/// Gives the group something to act with.
	pub fn endow_group(&mut self) -> Attempt {
		let (dest, value) = (self.account(GROUP).into(), 100_000 * UNIT);
		let call = pallet_balances::Call::transfer_keep_alive { dest, value };
		Attempt::Signed(0, RuntimeCall::Balances(call))
	}

	/// The approval of one of the group, after which another one intends to approve too.
	pub fn together(&mut self, call: RuntimeCall) -> (usize, RuntimeCall) {
		let first = self.dice.roll(PARTNERS.len() as u64) as usize;
		let second = if self.dice.once_in(20) { first } else { (first + 1) % PARTNERS.len() };
		let approval = self.approval(PARTNERS[first], &call);
		self.intentions.push_front(Box::new(move |world| {
			Some(Attempt::Signed(PARTNERS[second], world.approval(PARTNERS[second], &call)))
		}));
		(PARTNERS[first], approval)
	}

	fn approval(&self, person: usize, call: &RuntimeCall) -> RuntimeCall {
		let others = PARTNERS.into_iter().filter(|partner| *partner != person);
		let mut other_signatories: Vec<_> = others.map(|partner| self.account(partner)).collect();
		other_signatories.sort();
		let hash = sp_io::hashing::blake2_256(&call.encode());
		let maybe_timepoint =
			Multisigs::<Runtime>::get(&self.group, hash).map(|pending| pending.when);
		pallet_multisig::Call::as_multi {
			threshold: 2,
			other_signatories,
			maybe_timepoint,
			call: Box::new(call.clone()),
			max_weight: call.get_dispatch_info().call_weight,
		}
		.into()
	}

	/// The same by somebody whom the person has appointed, if there is anybody.
	pub fn by_proxy(&mut self, person: usize, call: RuntimeCall) -> Attempt {
		let real = self.account(person);
		let (appointed, _) = pallet_proxy::Proxies::<Runtime>::get(&real);
		let proxies: Vec<_> = appointed
			.into_iter()
			.filter_map(|it| self.find(&it.delegate))
			.filter(|proxy| *proxy != GROUP)
			.collect();
		let Some(proxy) = self.dice.pick(&proxies).copied() else {
			return Attempt::Signed(person, call);
		};
		let (real, force_proxy_type, call) = (real.into(), None, Box::new(call));
		let call = pallet_proxy::Call::proxy { real, force_proxy_type, call };
		Attempt::Signed(proxy, call.into())
	}

	/// How many people there are.
	pub fn people(&self) -> usize {
		self.people.len()
	}

	/// Somebody.
	pub fn somebody(&mut self) -> usize {
		self.dice.roll(self.people() as u64) as usize
	}

	/// The account of a person, or of the group.
	pub fn account(&self, person: usize) -> AccountId {
		match person {
			GROUP => self.group.clone(),
			person => self.people[person].public().into(),
		}
	}

	/// Whose account it is, the group's included.
	pub fn find(&self, account: &AccountId) -> Option<usize> {
		(0..=GROUP).find(|person| self.account(*person) == *account)
	}

	/// Whose account it is.
	pub fn person(&mut self, account: &AccountId) -> usize {
		self.find(account).unwrap_or_else(|| self.somebody())
	}

	/// The account of somebody, or of the group.
	pub fn some_account(&mut self) -> AccountId {
		let person = self.dice.roll(GROUP as u64 + 1) as usize;
		self.account(person)
	}

	pub fn sign(&self, person: usize, payload: &[u8]) -> MultiSignature {
		self.people[person].sign(payload).into()
	}

	pub fn some_organisation_name(&mut self) -> &'static str {
		ORGANISATIONS[self.dice.roll(ORGANISATIONS.len() as u64) as usize]
	}

	pub fn some_organisation(&mut self) -> OrganisationId {
		OrganisationId::from_name(self.some_organisation_name().as_bytes())
	}

	/// Most of the time somebody with this role in the organisation.
	pub fn holder(&mut self, organisation: OrganisationId, role: Role) -> usize {
		if self.dice.once_in(12) {
			return self.somebody();
		}
		let holders: Vec<_> = (0..=GROUP)
			.filter(|person| {
				pallet_organisations::Members::<Runtime>::get(organisation, self.account(*person))
					.is_some_and(|roles| roles.contains(role))
			})
			.collect();
		match self.dice.pick(&holders) {
			Some(holder) => *holder,
			None => self.somebody(),
		}
	}

	/// 32 bytes that were not there before.
	pub fn fresh_bytes(&mut self) -> [u8; 32] {
		self.seeds += 1;
		sp_io::hashing::blake2_256(&("robustness", self.seeds).encode())
	}

	/// A new key for a device.
	pub fn new_secret(&mut self, is_for_agreement: bool) -> Secret {
		let seed = self.fresh_bytes();
		let secret = if is_for_agreement {
			Secret::X25519(seed)
		} else {
			Secret::Ed25519(Box::new(ed25519::Pair::from_seed(&seed)))
		};
		self.secrets.insert(secret.id(), secret.clone());
		secret
	}

	/// A new key, or now and then one that was used before.
	pub fn some_secret(&mut self, is_for_agreement: bool) -> Secret {
		if self.dice.once_in(15) && !self.secrets.is_empty() {
			let one = self.dice.roll(self.secrets.len() as u64) as usize;
			return self.secrets.values().nth(one).expect("there are that many").clone();
		}
		self.new_secret(is_for_agreement)
	}

	/// When a signature is to expire: soon, and now and then in the past or too late.
	pub fn expiry(&mut self) -> Moment {
		let now = Timestamp::now();
		match self.dice.roll(40) {
			0 => now - 1,
			1 => now + MAX_SIGNATURE_LIFETIME + 1,
			_ => now + self.dice.roll(MAX_SIGNATURE_LIFETIME),
		}
	}

	/// What is signed; now and then for another chain or with another number.
	pub fn payload(&mut self, action: Action, nonce: u64, expires_at: Moment) -> Vec<u8> {
		let mut genesis: [u8; 32] = System::block_hash(0).into();
		let mut nonce = nonce;
		match self.dice.roll(80) {
			0 => genesis[0] ^= 1,
			1 => nonce += 1,
			_ => {},
		}
		SigningContext { genesis, action, nonce, expires_at }.payload()
	}
}
