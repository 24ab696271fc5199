//! Stand-ins for what this pallet asks.

use codec::Encode;
use core::cell::{Cell, RefCell};
use dpki_primitives::{
	Moment,
	application::RequestVerifier,
	device::DeviceRecord,
	economy::{Economy, FundsMissing, Operation, Resource},
	ids::{DeviceId, KeyId, Name, OrganisationId},
	key::{KeyPurpose, KeyRecord, KeyType, PublicKey},
	key_policy::KeyPolicy,
	organisation::{Organisations, Role},
	registry::Registry,
	revocation::{Revocation, RevocationReason, Withdrawal},
	status::{Status, Validity},
	subject::Subject,
};
use frame_support::traits::Time;
use sp_runtime::AccountId32;
use std::collections::{BTreeMap, BTreeSet};

type Membership = (OrganisationId, AccountId32, u8);

thread_local! {
	static NOW: Cell<Moment> = const { Cell::new(0) };
	static ORGANISATIONS: RefCell<BTreeSet<OrganisationId>> = const { RefCell::new(BTreeSet::new()) };
	static ROLES: RefCell<BTreeSet<Membership>> = const { RefCell::new(BTreeSet::new()) };
	static DEVICES: RefCell<BTreeMap<DeviceId, DeviceRecord>> = const { RefCell::new(BTreeMap::new()) };
	static FEELESS: Cell<bool> = const { Cell::new(false) };
	static QUOTAS: RefCell<BTreeMap<AccountId32, u64>> = const { RefCell::new(BTreeMap::new()) };
	static DEPOSITS: RefCell<BTreeMap<Resource, AccountId32>> = const { RefCell::new(BTreeMap::new()) };
	static KEYS: RefCell<BTreeMap<KeyId, KeyRecord>> = const { RefCell::new(BTreeMap::new()) };
}

/// Forgets everything.
pub fn reset() {
	NOW.set(0);
	ORGANISATIONS.with_borrow_mut(BTreeSet::clear);
	ROLES.with_borrow_mut(BTreeSet::clear);
	DEVICES.with_borrow_mut(BTreeMap::clear);
	KEYS.with_borrow_mut(BTreeMap::clear);
	FEELESS.set(false);
	QUOTAS.with_borrow_mut(BTreeMap::clear);
	DEPOSITS.with_borrow_mut(BTreeMap::clear);
}

/// A clock that stands still until it is set.
pub struct TestTime;

impl TestTime {
	pub fn set(now: Moment) {
		NOW.set(now);
	}
}

impl Time for TestTime {
	type Moment = Moment;

	fn now() -> Moment {
		NOW.get()
	}
}

/// Organisations and roles. Leaves out how they come about.
pub struct TestOrganisations;

impl TestOrganisations {
	pub fn add(organisation: OrganisationId) {
		ORGANISATIONS.with_borrow_mut(|all| all.insert(organisation));
	}

	pub fn grant(organisation: OrganisationId, who: &AccountId32, role: Role) {
		Self::add(organisation);
		ROLES.with_borrow_mut(|roles| roles.insert((organisation, who.clone(), role as u8)));
	}

	pub fn take(organisation: OrganisationId, who: &AccountId32, role: Role) {
		ROLES.with_borrow_mut(|roles| roles.remove(&(organisation, who.clone(), role as u8)));
	}
}

impl Organisations<AccountId32> for TestOrganisations {
	fn exists(organisation: OrganisationId) -> bool {
		ORGANISATIONS.with_borrow(|all| all.contains(&organisation))
	}

	fn has_role(organisation: OrganisationId, who: &AccountId32, role: Role) -> bool {
		ROLES.with_borrow(|roles| roles.contains(&(organisation, who.clone(), role as u8)))
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn create_for_benchmark(name: &[u8], who: &AccountId32) -> OrganisationId {
		let organisation = OrganisationId::from_name(name);
		for role in Role::ALL {
			Self::grant(organisation, who, role);
		}
		organisation
	}
}

/// The switch of the chain, the quotas of those whom it knows, and who has paid which deposit. Leaves out every other fee, and
/// that quotas recover.
pub struct TestEconomy;

/// How many deposits an account can pay.
pub const MOST_DEPOSITS: usize = 250;

impl TestEconomy {
	pub fn set_feeless(feeless: bool) {
		FEELESS.set(feeless);
	}

	/// Makes the account known, with so many units to spend.
	pub fn know(who: &AccountId32, units: u64) {
		QUOTAS.with_borrow_mut(|quotas| quotas.insert(who.clone(), units));
	}

	/// What the account has left.
	pub fn quota(who: &AccountId32) -> Option<u64> {
		QUOTAS.with_borrow(|quotas| quotas.get(who).copied())
	}

	/// Who has paid a deposit for the resource.
	pub fn deposit(resource: Resource) -> Option<AccountId32> {
		DEPOSITS.with_borrow(|deposits| deposits.get(&resource).cloned())
	}
}

impl Economy<AccountId32> for TestEconomy {
	fn charge(_: &AccountId32, _: Operation, _: u32) -> Result<(), FundsMissing> {
		unreachable!("what certificates cost is in their own schedule")
	}

	fn waive(payer: &AccountId32, units: u64) -> Result<bool, FundsMissing> {
		let left = if FEELESS.get() { Self::quota(payer) } else { None };
		let Some(left) = left else { return Ok(false) };
		Self::know(payer, left.checked_sub(units).ok_or(FundsMissing)?);
		Ok(true)
	}

	fn hold(payer: &AccountId32, resource: Resource) -> Result<(), FundsMissing> {
		DEPOSITS.with_borrow_mut(|deposits| {
			match deposits.values().filter(|it| *it == payer).count() < MOST_DEPOSITS {
				true => drop(deposits.insert(resource, payer.clone())),
				false => return Err(FundsMissing),
			}
			Ok(())
		})
	}

	fn pass_on(_: Resource, _: Resource) {}

	fn release(resource: Resource) {
		DEPOSITS.with_borrow_mut(|deposits| deposits.remove(&resource));
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn endow_for_benchmark(_: &AccountId32) {}
}

/// Devices and keys. Leaves out every signature algorithm except Ed25519, and of malformed keys it knows the zeros only.
pub struct TestRegistry;

impl TestRegistry {
	pub fn add_device(organisation: OrganisationId, name: &str) -> DeviceId {
		let device = DeviceId::from_name(organisation, name.as_bytes());
		let record = DeviceRecord {
			organisation,
			name: Name::truncate_from(name.as_bytes().to_vec()),
			enrolled_at: 0,
			keys_registered: 0,
			withdrawal: Default::default(),
		};
		DEVICES.with_borrow_mut(|devices| devices.insert(device, record));
		device
	}

	/// Has this record, and no other, under the id.
	pub fn set_device(id: DeviceId, record: Option<DeviceRecord>) {
		DEVICES.with_borrow_mut(|devices| {
			devices.remove(&id);
			devices.extend(record.map(|record| (id, record)));
		});
	}

	/// Has this record, and no other, under the id.
	pub fn set_key(id: KeyId, record: Option<KeyRecord>) {
		KEYS.with_borrow_mut(|keys| {
			keys.remove(&id);
			keys.extend(record.map(|record| (id, record)));
		});
	}

	pub fn revoke_device(device: DeviceId, revocation: Revocation) {
		DEVICES.with_borrow_mut(|devices| {
			devices.get_mut(&device).unwrap().withdrawal = Withdrawal::Revoked(revocation);
		});
	}

	/// Registers a key of some device and revokes it.
	pub fn add_revoked_key(public: PublicKey, reason: RevocationReason, at: Moment) {
		let record = KeyRecord {
			device: DeviceId([9; 32]),
			purpose: KeyPurpose::Tls,
			public: public.clone(),
			validity: Validity { not_before: 0, not_after: None },
			registered_at: 0,
			superseded_at: None,
			withdrawal: Withdrawal::Revoked(Revocation { reason, at }),
		};
		KEYS.with_borrow_mut(|keys| keys.insert(KeyId::of(&public), record));
	}
}

impl Registry for TestRegistry {
	fn device(device: DeviceId) -> Option<DeviceRecord> {
		DEVICES.with_borrow(|devices| devices.get(&device).cloned())
	}

	fn device_status(device: DeviceId) -> Status {
		match Self::device(device) {
			None => Status::Unknown,
			Some(record) => record.withdrawal.revocation().map_or(Status::Valid, Status::Revoked),
		}
	}

	fn key(key: KeyId) -> Option<KeyRecord> {
		KEYS.with_borrow(|keys| keys.get(&key).cloned())
	}

	fn key_status(key: KeyId) -> Status {
		match Self::key(key) {
			None => Status::Unknown,
			Some(record) => record.withdrawal.revocation().map_or(Status::Valid, Status::Revoked),
		}
	}

	fn key_policy(_: OrganisationId) -> KeyPolicy {
		KeyPolicy::default()
	}

	fn is_anchor_key_revoked(_: KeyId) -> bool {
		false
	}

	fn is_well_formed(key: &PublicKey) -> bool {
		key.has_valid_len() && key.bytes.iter().any(|byte| *byte != 0)
	}

	fn verify(key: &PublicKey, payload: &[u8], signature: &[u8]) -> bool {
		let (Ok(public), Ok(signature)) =
			(<[u8; 32]>::try_from(&key.bytes[..]), <[u8; 64]>::try_from(signature))
		else {
			return false;
		};
		key.key_type == KeyType::Ed25519
			&& sp_io::crypto::ed25519_verify(&signature.into(), payload, &public.into())
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn enrol_for_benchmark(
		organisation: OrganisationId,
		name: &[u8],
		_: PublicKey,
		_: PublicKey,
	) -> DeviceId {
		Self::add_device(organisation, core::str::from_utf8(name).unwrap())
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn revoke_for_benchmark(_: KeyId) {}
}

/// A request is the encoding of what it has to say. Leaves out DER, the fields of PKCS#10, and the signature: whoever
/// knows the challenge can make one here.
pub struct TestRequests;

impl TestRequests {
	pub fn request(key: &PublicKey, subject: &Subject, challenge: &[u8; 32]) -> Vec<u8> {
		(key, subject, challenge).encode()
	}
}

impl RequestVerifier for TestRequests {
	fn is_valid(request: &[u8], key: &PublicKey, subject: &Subject, challenge: &[u8; 32]) -> bool {
		request == Self::request(key, subject, challenge)
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn benchmark_key() -> PublicKey {
		PublicKey::new(KeyType::Ed25519, &[7; 32]).unwrap()
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn benchmark_request(
		subject: &Subject,
		challenge: &[u8; 32],
	) -> dpki_primitives::application::RequestDer {
		Self::request(&Self::benchmark_key(), subject, challenge).try_into().unwrap()
	}
}
