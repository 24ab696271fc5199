//! Many devices in one call.

use super::{kit::*, mock::*};
use crate::{BatchFailure, Devices, Error, Event, Keys};
use codec::Encode;
use dpki_primitives::{
	context::Registrant,
	device::{MAX_DEVICES_PER_BATCH, NewDevice},
	ids::{DeviceId, KeyId},
	key::{KeyPurpose, KeyPurpose::*, KeyType},
	refusal::Refusal,
	revocation::RevocationReason,
	status::Status,
};
use frame_support::{assert_noop, assert_ok, dispatch::GetDispatchInfo, storage};
use sp_runtime::{DispatchError, DispatchResult};

fn id(name: &str) -> DeviceId {
	DeviceId::from_name(acme(), name.as_bytes())
}

fn new_device(registrant: Registrant, device: &str, keys: &[(KeyPurpose, Pair)]) -> NewDevice {
	let keys = (0..).zip(keys).map(|(nonce, (purpose, pair))| {
		let context = possession(registrant, id(device), *purpose, pair, nonce);
		new_key(*purpose, pair, pair.sign(&context.payload()))
	});
	NewDevice { name: name(device), keys: keys.collect::<Vec<_>>().try_into().unwrap() }
}

/// Device `n` with a key of its own.
pub(super) fn drone(n: u8) -> NewDevice {
	new_device(bob(), &format!("drone-{n}"), &[(Sign, Pair::ed25519(n))])
}

/// Registers the devices as BOB.
pub(super) fn register(devices: Vec<NewDevice>) -> DispatchResult {
	let devices = devices.try_into().unwrap();
	// As in an extrinsic, which changes everything or nothing.
	storage::with_storage_layer(|| Dpki::register_batch(signed(BOB), acme(), devices, expires()))
}

fn failed(index: u16, refusal: Refusal) -> DispatchError {
	Error::<Test>::BatchFailed(BatchFailure { index, refusal: refusal.code() }).into()
}

#[test]
fn a_registrar_registers_many_devices_at_once() {
	run(|| {
		let mut devices: Vec<_> = (1..100).map(drone).collect();
		let keys = [(Sign, Pair::new(KeyType::P256, 100)), (Tls, Pair::new(KeyType::Rsa, 1))];
		devices.push(new_device(bob(), "gateway", &keys));
		assert_ok!(register(devices));
		assert_eq!(Devices::<Test>::iter().count(), 100);
		assert_eq!(Keys::<Test>::iter().count(), 101);
		assert_eq!(Dpki::device_status(id("drone-7")), Status::Valid);
		assert_eq!(Dpki::key_status(Pair::ed25519(7).id()), Status::Valid);
		let event = Event::DeviceRegistered { device: id("gateway"), organisation: acme() };
		assert!(System::events().iter().any(|it| it.event == event.clone().into()));
	});
}

#[test]
fn the_position_and_the_reason_of_the_first_refusal_are_told() {
	run(|| {
		enrol("drone-50", &[(Sign, Pair::ed25519(50))]);
		let good = || (1..20).map(drone).collect::<Vec<_>>();
		let with = |index: usize, device: NewDevice| {
			let mut devices = good();
			devices[index] = device;
			register(devices)
		};
		let mut forged = drone(30);
		forged.keys[0].possession[0] ^= 1;
		let mut expired = drone(30);
		expired.keys[0].not_after = Some(NOW - 1);
		let hash = (KeyAgreement, Pair::new(KeyType::XWing, 1));
		let signing = (Sign, Pair::ed25519(31));
		let bad_name = new_device(bob(), "Drone", std::slice::from_ref(&signing));
		let used_name = new_device(bob(), "drone-50", std::slice::from_ref(&signing));
		let used_key = new_device(bob(), "drone-31", &[(Sign, Pair::ed25519(50))]);
		let twice = new_device(bob(), "drone-31", &[(Sign, Pair::ed25519(1))]);
		let of_alice = Registrant::Account(ALICE.into());
		for (device, refusal) in [
			(forged.clone(), Refusal::PossessionInvalid),
			(expired, Refusal::KeyValidityInvalid),
			(bad_name, Refusal::DeviceNameInvalid),
			(used_name, Refusal::DeviceExists),
			(drone(1), Refusal::DeviceRepeated),
			(used_key, Refusal::KeyAlreadyRegistered),
			(twice, Refusal::KeyRepeated),
			(new_device(bob(), "drone-31", &[]), Refusal::KeyListEmpty),
			(
				new_device(bob(), "drone-31", &[(Tls, signing.1.clone())]),
				Refusal::SigningKeyMissing,
			),
			(new_device(bob(), "drone-31", &[signing.clone(), hash]), Refusal::KeyUnproven),
			(new_device(of_alice, "drone-31", &[signing]), Refusal::PossessionInvalid),
		] {
			assert_noop!(with(11, device), failed(11, refusal));
		}
		// The first counts, whatever is wrong with it.
		let mut devices = good();
		devices[3] = forged.clone();
		devices[2] = drone(50);
		assert_noop!(register(devices), failed(2, Refusal::DeviceExists));
		let mut devices = good();
		devices[2] = forged;
		devices[3] = drone(50);
		assert_noop!(register(devices), failed(2, Refusal::PossessionInvalid));
		assert_ok!(register(good()));
	});
}

#[test]
fn a_batch_as_a_whole_is_refused() {
	run(|| {
		assert_noop!(register(Vec::new()), Error::<Test>::BatchEmpty);
		let devices = vec![drone(1)].try_into().unwrap();
		assert_noop!(
			Dpki::register_batch(signed(CAROL), acme(), devices, expires()),
			Error::<Test>::RoleMissing
		);
		let devices = vec![drone(1)].try_into().unwrap();
		assert_noop!(
			Dpki::register_batch(signed(BOB), acme(), devices, NOW - 1),
			Error::<Test>::SignatureExpired
		);
	});
}

#[test]
fn the_error_says_no_more_than_errors_can() {
	let error = Error::<Test>::BatchFailed(BatchFailure { index: u16::MAX, refusal: 255 });
	assert!(error.encode().len() <= frame_support::MAX_MODULE_ERROR_ENCODED_SIZE);
	let failure = BatchFailure { index: 3, refusal: Refusal::DeviceExists.code() };
	assert_eq!(failure.refusal(), Some(Refusal::DeviceExists));
	assert!(MAX_DEVICES_PER_BATCH <= u32::from(u16::MAX));
}

#[test]
fn dearer_keys_weigh_more() {
	let weight = |key_type| {
		let device = new_device(bob(), "drone", &[(Tls, Pair::new(key_type, 1))]);
		let call = crate::Call::<Test>::register_batch {
			organisation: acme(),
			devices: vec![device].try_into().unwrap(),
			expires_at: NOW,
		};
		call.get_dispatch_info().call_weight.ref_time()
	};
	assert!(weight(KeyType::Ed25519) < weight(KeyType::P256));
	assert!(weight(KeyType::P256) < weight(KeyType::Rsa));
}

#[test]
fn many_keys_are_revoked_at_once_or_none() {
	run(|| {
		assert_ok!(register((1..10).map(drone).collect()));
		let keys: Vec<KeyId> = (1..10).map(|n| Pair::ed25519(n).id()).collect();
		let revoke = |who, keys: Vec<KeyId>| {
			let keys = keys.try_into().unwrap();
			storage::with_storage_layer(|| Dpki::revoke_keys(signed(who), keys, REASON))
		};
		assert_noop!(revoke(BOB, Vec::new()), Error::<Test>::BatchEmpty);
		assert_noop!(revoke(CAROL, keys.clone()), failed(0, Refusal::RoleMissing));
		let mut unknown = keys.clone();
		unknown.insert(4, KeyId([9; 32]));
		assert_noop!(revoke(BOB, unknown), failed(4, Refusal::KeyUnknown));
		let twice = [&keys[..], &keys[..1]].concat();
		assert_noop!(revoke(BOB, twice), failed(9, Refusal::KeyAlreadyRevoked));
		assert_ok!(revoke(BOB, keys.clone()));
		for key in keys {
			assert!(matches!(Dpki::key_status(key), Status::Revoked(_)));
		}
	});
}

#[test]
fn many_devices_are_revoked_at_once_or_none() {
	run(|| {
		assert_ok!(register((1..10).map(drone).collect()));
		let devices: Vec<DeviceId> = (1..10).map(|n| id(&format!("drone-{n}"))).collect();
		let reason = RevocationReason::CessationOfOperation;
		let revoke = |who, devices: Vec<DeviceId>| {
			let devices = devices.try_into().unwrap();
			storage::with_storage_layer(|| Dpki::revoke_devices(signed(who), devices, reason))
		};
		assert_noop!(revoke(BOB, Vec::new()), Error::<Test>::BatchEmpty);
		assert_noop!(revoke(MALLORY, devices.clone()), failed(0, Refusal::RoleMissing));
		let mut unknown = devices.clone();
		unknown.push(DeviceId([9; 32]));
		assert_noop!(revoke(BOB, unknown), failed(9, Refusal::DeviceUnknown));
		assert_ok!(revoke(BOB, devices.clone()));
		assert_noop!(revoke(BOB, devices), failed(0, Refusal::DeviceRevoked));
		assert!(matches!(Dpki::key_status(Pair::ed25519(3).id()), Status::IssuerRevoked(_)));
	});
}
