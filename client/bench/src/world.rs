//! Who acts in the loads, and the transactions that they make.

use crate::{
	Result,
	load::{Chain, Transaction, account, key, make},
	nodes::Network,
	odd,
	send::{Manner, send},
};
use codec::{Compact, Encode};
use dpki_client::{
	AccountId, Voucher, calls,
	fleet::roll::{RollEntry, RollTerms, sign_entry},
	possession::{Registration, SoftwareKey},
};
use dpki_primitives::{
	Moment,
	context::Registrant,
	device::{MAX_GRACE, NewDevice},
	fleet::TILE_WIDTH,
	ids::{DeviceId, FleetId, KeyId, OrganisationId},
	key::{KeyPurpose, KeyType, NewKey},
	organisation::OrganisationKind,
	status::Validity,
	storage_keys,
};
use sp_crypto_hashing::blake2_256;
use std::{
	ops::Range,
	time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Tokens of an account that makes transactions, and of one that gets some, in the smallest unit.
const PLENTY: u64 = 100_000_000_000_000_000;
const SOMETHING: u64 = 1_000_000_000_000;

/// What a transfer moves.
const AMOUNT: u128 = 1_000_000_000;

/// The name of the roll of each organisation, and what its keys have in common.
const ROLL: &str = "roll";
const TERMS: RollTerms =
	RollTerms { purpose: KeyPurpose::Tls, validity: Validity { not_before: 0, not_after: None } };

/// For how long the signatures of a load are good, in milliseconds: half of what the chain takes.
const LIFETIME: Moment = 12 * 60 * 60 * 1000;

/// How the transactions are sent that only prepare something.
const PREPARING: Manner = Manner { window: 2_000, gap: Duration::ZERO };

/// The actors of a chain.
pub struct World {
	/// The chain.
	pub chain: Chain,
	/// How many organisations there are, each with one registrar.
	pub organisations: u32,
	/// The number of the first of them.
	first: u32,
	expires_at: Moment,
}

/// The accounts that a load of transfers and one of registrations begin with.
pub fn endowed(senders: u32, organisations: u32) -> Vec<(AccountId, u64)> {
	let of = |kind: &'static str, count, amount| {
		(0..count).map(move |number| (account(kind, number), amount))
	};
	of("sender", senders, PLENTY)
		.chain(of("receiver", senders, SOMETHING))
		.chain(of("registrar", organisations, PLENTY))
		.collect()
}

impl World {
	/// Creates organisations, from this number on. Each load has its own: a transaction that was lost would keep all later
	/// ones of its account from their blocks.
	pub async fn found(network: &Network, first: u32, organisations: u32) -> Result<Self> {
		let chain = Chain::of(&network.first().rpc).await?;
		let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
		let expires_at = Moment::try_from(now)? + LIFETIME;
		let world = Self { chain, organisations, first, expires_at };
		world.check()?;
		let load: Vec<_> = (first..first + organisations)
			.map(|number| {
				let kind = OrganisationKind::Manufacturer;
				let call = (20u8, 0u8, name(number), kind).encode();
				Transaction {
					bytes: chain.signed(&key("registrar", number), 0, &call),
					effect: storage_keys::organisation(organisation(number)),
				}
			})
			.collect();
		prepare(network, &load).await?;
		Ok(world)
	}

	/// That the calls mean what they should, one of each kind.
	fn check(&self) -> Result<()> {
		let (chain, to) = (&self.chain, account("receiver", 0));
		chain.check(&transfer_call(&to), &calls::transfer(&to, AMOUNT))?;
		let create = calls::create_organisation("bench-0", OrganisationKind::Manufacturer)?;
		let call = (20u8, 0u8, name(0), OrganisationKind::Manufacturer).encode();
		chain.check(&call, &create)?;
		let (devices, _) = self.devices(0, 0..1);
		let call = self.batch_call(0, &devices);
		let same = calls::register_batch(organisation(0), devices, self.expires_at)?;
		chain.check(&call, &same)?;
		chain.check(&open_call(0), &calls::open_roll(organisation(0), ROLL, TERMS)?)?;
		let entries = self.entries(0, 0, 2);
		let same = calls::append_keys(roll(0), 0, MAX_GRACE, self.expires_at, entries)?;
		chain.check(&self.append_call(0, 0, 2), &same)
	}

	/// The first transfers of so many senders, from this number on, each to its receiver.
	pub fn transfers(&self, first: u32, count: u32) -> Vec<Transaction> {
		make(count, |number| {
			let number = first + number;
			let to = account("receiver", number);
			Transaction {
				bytes: self.chain.signed(&key("sender", number), 0, &transfer_call(&to)),
				effect: storage_keys::account(&to),
			}
		})
	}

	/// Registrations of devices with a key each, so many in each transaction, signed by the registrars in turns: the first
	/// that they do after their organisations.
	pub fn registrations(&self, count: u32, devices: u32) -> Vec<Transaction> {
		make(count, |number| {
			let (registrar, nonce) = self.turn(number);
			let range = number * devices..(number + 1) * devices;
			let (devices, last) = self.devices(registrar, range);
			let call = self.batch_call(registrar, &devices);
			Transaction {
				bytes: self.chain.signed(&key("registrar", registrar), nonce, &call),
				effect: storage_keys::key(last),
			}
		})
	}

	/// Which registrar makes the transaction of this number, and how many it has made before.
	fn turn(&self, number: u32) -> (u32, u32) {
		(self.first + number % self.organisations, 1 + number / self.organisations)
	}

	/// Devices of an organisation, and the key of the last of them.
	fn devices(&self, registrar: u32, range: Range<u32>) -> (Vec<NewDevice>, KeyId) {
		let registrant = Registrant::Account(account("registrar", registrar));
		let mut last = KeyId([0; 32]);
		let devices = range.map(|number| {
			let name = format!("device-{number}").into_bytes();
			let device = DeviceId::from_name(organisation(registrar), &name);
			let key = self.new_key(registrant, device, number);
			last = KeyId::of(&key.public);
			NewDevice {
				name: name.try_into().expect("the name is short"),
				keys: vec![key].try_into().expect("one key is no more than a device may have"),
			}
		});
		let devices = devices.collect();
		(devices, last)
	}

	fn new_key(&self, registrant: Registrant, device: DeviceId, number: u32) -> NewKey {
		let secret = blake2_256(&("dpki-bench device", device, number).encode());
		let key = SoftwareKey::from_secret_bytes(KeyType::Ed25519, &secret);
		let (genesis, expires_at) = (self.chain.genesis, self.expires_at);
		Registration { genesis, registrant, device, keys_registered: 0, expires_at }
			.prove(KeyPurpose::Sign, &key.expect("a hash is a secret"), None)
			.expect("a key in memory signs")
	}

	fn batch_call(&self, registrar: u32, devices: &[NewDevice]) -> Vec<u8> {
		(21u8, 30u8, organisation(registrar), devices, self.expires_at).encode()
	}

	/// A roll for each registrar: the first that it does after its organisation.
	pub fn rolls(&self) -> Vec<Transaction> {
		make(self.organisations, |number| {
			let (registrar, nonce) = self.turn(number);
			Transaction {
				bytes: self.chain.signed(
					&key("registrar", registrar),
					nonce,
					&open_call(registrar),
				),
				effect: storage_keys::roll(roll(registrar)),
			}
		})
	}

	/// So many full tiles of keys in each transaction, appended to their rolls by the registrars in turns: the first that
	/// they do after opening them.
	pub fn appends(&self, count: u32, tiles: u32) -> Vec<Transaction> {
		make(count, |number| {
			let (registrar, nonce) = self.turn(number);
			let tile = (nonce - 1) * tiles;
			let call = self.append_call(registrar, tile * TILE_WIDTH, tiles * TILE_WIDTH);
			Transaction {
				bytes: self.chain.signed(&key("registrar", registrar), nonce + 1, &call),
				effect: storage_keys::roll_tile(roll(registrar), tile),
			}
		})
	}

	fn append_call(&self, registrar: u32, from: u32, count: u32) -> Vec<u8> {
		let entries = self.entries(registrar, from, count);
		(25u8, 10u8, roll(registrar), from, MAX_GRACE, self.expires_at, entries).encode()
	}

	fn entries(&self, registrar: u32, from: u32, count: u32) -> Vec<RollEntry> {
		let (genesis, fleet) = (self.chain.genesis, roll(registrar));
		let entry = |place: u32| {
			let secret = blake2_256(&("dpki-bench roll", fleet, place).encode());
			let key = SoftwareKey::from_secret_bytes(KeyType::Ed25519, &secret);
			let key = key.expect("a hash is a secret");
			sign_entry(genesis, fleet, &TERMS, place, self.expires_at, &key)
				.expect("an Ed25519 key in memory signs")
		};
		(from..from + count).map(entry).collect()
	}

	/// The same with keys that have a part of small order. Of the spoilt ones the last signature of each transaction is wrong,
	/// so that all of them begin where their rolls do.
	pub fn odd_appends(&self, count: u32, tiles: u32, spoilt: bool) -> Vec<Transaction> {
		make(count, |number| {
			let (registrar, nonce) = self.turn(number);
			let (genesis, fleet) = (self.chain.genesis, roll(registrar));
			let tile = if spoilt { 0 } else { (nonce - 1) * tiles };
			let from = tile * TILE_WIDTH;
			let mut entries: Vec<_> = (from..from + tiles * TILE_WIDTH)
				.map(|place| odd::entry(genesis, fleet, &TERMS, place, self.expires_at))
				.collect();
			if spoilt {
				entries.last_mut().into_iter().for_each(odd::spoil);
			}
			let call = (25u8, 10u8, fleet, from, MAX_GRACE, self.expires_at, entries).encode();
			Transaction {
				bytes: self.chain.signed(&key("registrar", registrar), nonce + 1, &call),
				effect: storage_keys::roll_tile(fleet, tile),
			}
		})
	}

	/// Vouchers of the registrars in turns, and the transactions that issue them: the first after their organisations.
	pub fn vouchers(&self, count: u32) -> Result<(Vec<Voucher>, Vec<Transaction>)> {
		let vouchers = (0..count).map(|number| {
			let (owner, _) = self.turn(number);
			let (organisation, device) = (format!("bench-{owner}"), format!("device-{number}"));
			Voucher::generate(self.chain.genesis, &organisation, &device, self.expires_at)
		});
		let vouchers = vouchers.collect::<Result<Vec<_>, _>>()?;
		let load = make(count, |number| {
			let (voucher, (owner, nonce)) = (&vouchers[number as usize], self.turn(number));
			let device = voucher.device().as_bytes().to_vec();
			let commitment = voucher.commitment();
			let arguments = (organisation(owner), commitment, device, self.expires_at);
			let call = (21u8, 4u8, arguments).encode();
			Transaction {
				bytes: self.chain.signed(&key("registrar", owner), nonce, &call),
				effect: storage_keys::voucher(voucher.id()),
			}
		});
		Ok((vouchers, load))
	}

	/// The enrolments that spend vouchers, each with so many keys of one type.
	pub fn enrolments(
		&self,
		vouchers: &[Voucher],
		key_type: KeyType,
		keys: u32,
	) -> Vec<Transaction> {
		make(vouchers.len() as u32, |number| {
			let voucher = &vouchers[number as usize];
			let device = voucher.device_id();
			let registrant = Registrant::Voucher(voucher.id());
			let (genesis, expires_at) = (self.chain.genesis, self.expires_at);
			let mut proofs =
				Registration { genesis, registrant, device, keys_registered: 0, expires_at };
			let new: Vec<_> = (0..keys)
				.map(|nth| {
					let seed = ("dpki-bench enrolment", device, nth).encode();
					let key = SoftwareKey::from_secret_bytes(key_type, &blake2_256(&seed));
					let key = key.expect("a hash is a secret");
					proofs.prove(KeyPurpose::Sign, &key, None).expect("a key in memory signs")
				})
				.collect();
			let signature = voucher.sign_enrolment(&new, expires_at);
			let effect = new.last().map(|key| storage_keys::key(KeyId::of(&key.public)));
			let name = voucher.device().as_bytes().to_vec();
			let organisation = voucher.organisation_id();
			let arguments = (organisation, voucher.public(), name, new, expires_at, signature);
			Transaction {
				bytes: self.chain.general(&(21u8, 6u8, arguments).encode()),
				effect: effect.unwrap_or_default(),
			}
		})
	}
}

/// Sends what only prepares; all of it has to succeed.
pub async fn prepare(network: &Network, load: &[Transaction]) -> Result<()> {
	let outcome = send(network, load, PREPARING).await?;
	match outcome.effective == load.len() {
		true => Ok(()),
		false => Err(format!(
			"{} of {} preparing transactions had an effect: {}",
			outcome.effective,
			load.len(),
			outcome.facts(1)
		)
		.into()),
	}
}

/// The organisation of this number.
pub fn organisation(number: u32) -> OrganisationId {
	OrganisationId::from_name(&name(number))
}

fn name(number: u32) -> Vec<u8> {
	format!("bench-{number}").into_bytes()
}

/// The roll of a registrar.
fn roll(registrar: u32) -> FleetId {
	FleetId::from_name(organisation(registrar), ROLL.as_bytes())
}

fn open_call(registrar: u32) -> Vec<u8> {
	(25u8, 9u8, organisation(registrar), ROLL.as_bytes(), TERMS).encode()
}

fn transfer_call(to: &AccountId) -> Vec<u8> {
	(3u8, 3u8, 0u8, to, Compact(AMOUNT)).encode()
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn each_account_is_endowed_once() {
		let endowed = endowed(3, 2);
		let accounts: std::collections::BTreeSet<_> = endowed.iter().map(|it| it.0).collect();
		assert_eq!((endowed.len(), accounts.len()), (8, 8));
	}
}
