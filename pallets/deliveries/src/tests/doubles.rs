//! Stand-ins for the two pallets that this one asks.

use core::cell::{Cell, RefCell};
use dpki_primitives::{
	Moment,
	device::DeviceRecord,
	economy::{Economy, FundsMissing, Operation, Resource},
	ids::{DeviceId, KeyId, Name, OrganisationId},
	key::{KeyPurpose, KeyRecord, KeyType, PublicKey},
	key_policy::KeyPolicy,
	organisation::{DeliveryPolicies, DeliveryPolicy, Organisations, Role},
	registry::Registry,
	status::{Status, Validity},
};
use frame_support::traits::Time;
use sp_runtime::AccountId32;
use std::collections::BTreeMap;

thread_local! {
	static NOW: Cell<Moment> = const { Cell::new(0) };
	static VERIFICATIONS: Cell<u32> = const { Cell::new(0) };
	static DEVICES: RefCell<BTreeMap<DeviceId, (DeviceRecord, Status)>> = const { RefCell::new(BTreeMap::new()) };
	static KEYS: RefCell<BTreeMap<KeyId, (KeyRecord, Status)>> = const { RefCell::new(BTreeMap::new()) };
	static MEMBERS: RefCell<Vec<(OrganisationId, AccountId32, Role)>> = const { RefCell::new(Vec::new()) };
	static POLICY: Cell<DeliveryPolicy> = const { Cell::new(DeliveryPolicy::Simple) };
	static FUNDS: Cell<bool> = const { Cell::new(true) };
}

/// Forgets everything.
pub fn reset() {
	NOW.with(|cell| cell.set(0));
	TestRegistry::forget_verifications();
	DEVICES.with_borrow_mut(BTreeMap::clear);
	KEYS.with_borrow_mut(BTreeMap::clear);
	MEMBERS.with_borrow_mut(Vec::clear);
	POLICY.set(DeliveryPolicy::Simple);
	FUNDS.set(true);
}

/// Everything is free for who has any funds. Leaves out prices, and whose funds they are.
pub struct TestEconomy;

impl TestEconomy {
	pub fn take_funds_away() {
		FUNDS.set(false);
	}
}

impl Economy<AccountId32> for TestEconomy {
	fn charge(_: &AccountId32, _: Operation, _: u32) -> Result<(), FundsMissing> {
		if FUNDS.get() { Ok(()) } else { Err(FundsMissing) }
	}

	fn waive(_: &AccountId32, _: u64) -> Result<bool, FundsMissing> {
		unreachable!("deliveries have no schedule of their own")
	}

	fn hold(_: &AccountId32, _: Resource) -> Result<(), FundsMissing> {
		if FUNDS.get() { Ok(()) } else { Err(FundsMissing) }
	}

	fn pass_on(_: Resource, _: Resource) {}

	fn release(_: Resource) {}

	#[cfg(feature = "runtime-benchmarks")]
	fn endow_for_benchmark(_: &AccountId32) {}
}

/// A clock that stands still until it is set.
pub struct TestTime;

impl TestTime {
	pub fn set(now: Moment) {
		NOW.with(|cell| cell.set(now));
	}
}

impl Time for TestTime {
	type Moment = Moment;

	fn now() -> Moment {
		NOW.with(Cell::get)
	}
}

/// A list of who has which role, and one policy for all. Leaves out names, and who gives the roles.
pub struct TestOrganisations;

impl TestOrganisations {
	pub fn add_publisher(organisation: OrganisationId, who: AccountId32) {
		Self::give(organisation, who, Role::Publisher);
	}

	pub fn give(organisation: OrganisationId, who: AccountId32, role: Role) {
		MEMBERS.with_borrow_mut(|members| members.push((organisation, who, role)));
	}

	pub fn take(organisation: OrganisationId, who: AccountId32, role: Role) {
		let taken = (organisation, who, role);
		MEMBERS.with_borrow_mut(|members| members.retain(|member| *member != taken));
	}

	pub fn set_policy(policy: DeliveryPolicy) {
		POLICY.set(policy);
	}
}

impl Organisations<AccountId32> for TestOrganisations {
	fn exists(organisation: OrganisationId) -> bool {
		MEMBERS.with_borrow(|members| members.iter().any(|(id, ..)| *id == organisation))
	}

	fn has_role(organisation: OrganisationId, who: &AccountId32, role: Role) -> bool {
		MEMBERS.with_borrow(|members| members.contains(&(organisation, who.clone(), role)))
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn create_for_benchmark(name: &[u8], who: &AccountId32) -> OrganisationId {
		let organisation = OrganisationId::from_name(name);
		Self::add_publisher(organisation, who.clone());
		organisation
	}
}

impl DeliveryPolicies for TestOrganisations {
	fn delivery_policy(organisation: OrganisationId) -> Option<DeliveryPolicy> {
		<Self as Organisations<AccountId32>>::exists(organisation).then(|| POLICY.get())
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn watch_for_benchmark(organisation: OrganisationId, watchdogs: &[[u8; 32]]) {
		for account in watchdogs {
			Self::give(organisation, AccountId32::new(*account), Role::Watchdog);
		}
		POLICY.set(DeliveryPolicy::Watchdogs { needed: watchdogs.len() as u32 });
	}
}

/// Devices and keys with the status that a test gives them; counts how often it is asked to verify. Leaves out what leads to a status, how devices and keys
/// get in, and every signature algorithm except Ed25519.
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
		DEVICES.with_borrow_mut(|devices| devices.insert(device, (record, Status::Valid)));
		device
	}

	/// Adds a key, or changes whose and what for it is.
	pub fn add_key(device: DeviceId, purpose: KeyPurpose, public: PublicKey) -> KeyId {
		let key = KeyId::of(&public);
		let record = KeyRecord {
			device,
			purpose,
			public,
			validity: Validity { not_before: 0, not_after: None },
			registered_at: 0,
			superseded_at: None,
			withdrawal: Default::default(),
		};
		KEYS.with_borrow_mut(|keys| keys.insert(key, (record, Status::Valid)));
		key
	}

	/// How many signatures were verified since [`Self::forget_verifications`].
	pub fn verifications() -> u32 {
		VERIFICATIONS.get()
	}

	pub fn forget_verifications() {
		VERIFICATIONS.set(0);
	}

	pub fn set_device_status(device: DeviceId, status: Status) {
		DEVICES.with_borrow_mut(|devices| devices.get_mut(&device).unwrap().1 = status);
	}

	pub fn set_key_status(key: KeyId, status: Status) {
		KEYS.with_borrow_mut(|keys| keys.get_mut(&key).unwrap().1 = status);
	}
}

impl Registry for TestRegistry {
	fn device(device: DeviceId) -> Option<DeviceRecord> {
		DEVICES.with_borrow(|devices| devices.get(&device).map(|(record, _)| record.clone()))
	}

	fn device_status(device: DeviceId) -> Status {
		DEVICES.with_borrow(|devices| devices.get(&device).map_or(Status::Unknown, |it| it.1))
	}

	fn key(key: KeyId) -> Option<KeyRecord> {
		KEYS.with_borrow(|keys| keys.get(&key).map(|(record, _)| record.clone()))
	}

	fn key_status(key: KeyId) -> Status {
		KEYS.with_borrow(|keys| keys.get(&key).map_or(Status::Unknown, |it| it.1))
	}

	fn key_policy(_: OrganisationId) -> KeyPolicy {
		KeyPolicy::default()
	}

	fn is_anchor_key_revoked(_: KeyId) -> bool {
		false
	}

	fn is_well_formed(key: &PublicKey) -> bool {
		key.has_valid_len()
	}

	fn verify(key: &PublicKey, payload: &[u8], signature: &[u8]) -> bool {
		VERIFICATIONS.set(VERIFICATIONS.get() + 1);
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
		signing: PublicKey,
		agreement: PublicKey,
	) -> DeviceId {
		let device = Self::add_device(organisation, core::str::from_utf8(name).unwrap());
		Self::add_key(device, KeyPurpose::Sign, signing);
		Self::add_key(device, KeyPurpose::KeyAgreement, agreement);
		device
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn revoke_for_benchmark(key: KeyId) {
		use dpki_primitives::revocation::{Revocation, RevocationReason};
		let revocation = Revocation { reason: RevocationReason::KeyCompromise, at: NOW.get() };
		Self::set_key_status(key, Status::Revoked(revocation));
	}
}
