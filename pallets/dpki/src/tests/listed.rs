//! What devices an organisation has.

use super::{kit::*, mock::*};
use crate::{DeviceCount, OrganisationDevices};
use dpki_primitives::{
	certificate::Page,
	context::Registrant,
	device::NewDevice,
	ids::{DeviceId, OrganisationId},
	key::KeyPurpose::*,
	key_policy::KeyPolicy,
	status::Status,
};
use frame_support::assert_ok;
use sp_runtime::AccountId32;

fn devices_of(organisation: OrganisationId) -> Vec<DeviceId> {
	let Page { total, next, items } = Dpki::devices_of(organisation, 0);
	assert_eq!((total as usize, next), (items.len(), None));
	items
}

/// A device of this organisation with an Ed25519 key of this seed.
fn new_device(who: &AccountId32, organisation: OrganisationId, text: &str, seed: u8) -> NewDevice {
	let device = DeviceId::from_name(organisation, text.as_bytes());
	let (pair, registrant) = (Pair::ed25519(seed), Registrant::Account(who.clone().into()));
	let proof = pair.sign(&possession(registrant, device, Sign, &pair, 0).payload());
	NewDevice { name: name(text), keys: vec![new_key(Sign, &pair, proof)].try_into().unwrap() }
}

#[test]
fn devices_are_listed_by_whichever_way_they_come() {
	run(|| {
		assert_eq!(devices_of(acme()), []);
		let enrolled = enrol("drone-1", &[(Sign, Pair::ed25519(1))]);
		let batch =
			vec![new_device(&BOB, acme(), "drone-2", 2), new_device(&BOB, acme(), "drone-3", 3)];
		let batch = batch.try_into().unwrap();
		assert_ok!(Dpki::register_batch(signed(BOB), acme(), batch, expires()));

		set_policy(KeyPolicy { requests: true, ..Default::default() });
		let NewDevice { name, keys } = new_device(&MALLORY, acme(), "drone-4", 4);
		let asked = Dpki::request_keys(signed(MALLORY), acme(), name, keys, None, expires());
		assert_ok!(asked);
		let request = Dpki::requests_to(acme())[0].id;
		assert_eq!(devices_of(acme()).len(), 3, "a request is no device");
		assert_ok!(Dpki::approve_request(signed(BOB), request));

		let id = |text: &str| DeviceId::from_name(acme(), text.as_bytes());
		let expected = [enrolled, id("drone-2"), id("drone-3"), id("drone-4")];
		assert_eq!(devices_of(acme()), expected);
	});
}

#[test]
fn a_revoked_device_stays_on_the_list() {
	run(|| {
		let device = enrol("drone-1", &[(Sign, Pair::ed25519(1))]);
		assert_ok!(Dpki::revoke_device(signed(BOB), device, REASON));
		assert_eq!(devices_of(acme()), [device]);
	});
}

#[test]
fn what_was_refused_is_not_listed() {
	run(|| {
		let device = enrol("drone-1", &[(Sign, Pair::ed25519(1))]);
		let batch =
			vec![new_device(&BOB, acme(), "drone-2", 2), new_device(&BOB, acme(), "drone-1", 3)];
		let batch = batch.try_into().unwrap();
		assert!(Dpki::register_batch(signed(BOB), acme(), batch, expires()).is_err());
		assert_eq!(devices_of(acme()), [device]);
	});
}

/// The name of a device is one of its organisation, and nobody else's.
#[test]
fn two_organisations_have_a_device_of_the_same_name() {
	run(|| {
		let ours = enrol("drone-1", &[(Sign, Pair::ed25519(1))]);
		let batch = vec![new_device(&MALLORY, other(), "drone-1", 2)].try_into().unwrap();
		assert_ok!(Dpki::register_batch(signed(MALLORY), other(), batch, expires()));
		let theirs = DeviceId::from_name(other(), b"drone-1");
		assert_ne!(ours, theirs);
		assert_eq!((devices_of(acme()), devices_of(other())), (vec![ours], vec![theirs]));
		assert_eq!(Dpki::device(ours).unwrap().name, Dpki::device(theirs).unwrap().name);

		assert_ok!(Dpki::revoke_device(signed(MALLORY), theirs, REASON));
		assert_eq!(Dpki::device_status(ours), Status::Valid);
		assert!(Dpki::revoke_device(signed(MALLORY), ours, REASON).is_err());
		assert_eq!(Dpki::keys_of(ours)[0].0, Pair::ed25519(1).id());
	});
}

/// Runs `corrupt` on a good state and expects the check of the state to notice.
fn is_noticed(corrupt: impl FnOnce(DeviceId)) {
	ext().execute_with(|| {
		let device = enrol("drone-1", &[(Sign, Pair::ed25519(1))]);
		assert_ok!(Dpki::do_try_state());
		corrupt(device);
		assert!(Dpki::do_try_state().is_err());
	});
}

#[test]
fn a_broken_list_of_devices_is_noticed() {
	is_noticed(|_| DeviceCount::<Test>::insert(acme(), 0));
	is_noticed(|_| DeviceCount::<Test>::insert(acme(), 2));
	is_noticed(|_| OrganisationDevices::<Test>::remove(acme(), 0));
	is_noticed(|_| OrganisationDevices::<Test>::insert(acme(), 0, DeviceId([1; 32])));
	is_noticed(|device| {
		OrganisationDevices::<Test>::insert(acme(), 1, device);
		DeviceCount::<Test>::insert(acme(), 2);
	});
	is_noticed(|device| {
		OrganisationDevices::<Test>::remove(acme(), 0);
		DeviceCount::<Test>::remove(acme());
		OrganisationDevices::<Test>::insert(other(), 0, device);
		DeviceCount::<Test>::insert(other(), 1);
	});
}
