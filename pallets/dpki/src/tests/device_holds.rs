//! Devices and keys on hold. Root stands for the body that governs an organisation, and ALICE governs alone, too.

use super::{kit::*, mock::*, pki::*};
use crate::{Call, Devices, Error, Event, Keys};
use dpki_primitives::{
	anchor::{ChainVerdict, Profile},
	context::{Action, SigningContext},
	device::Compromised,
	ids::{DeviceId, KeyId},
	key::{Consent, KeyPurpose::*},
	key_policy::KeyPolicy,
	refusal::Refusal,
	revocation::{Hold, HoldAuthority, Revocation, RevocationReason, Withdrawal},
	status::Status,
};
use frame_support::{
	assert_noop, assert_ok,
	dispatch::{DispatchClass, GetDispatchInfo},
};
use sp_runtime::{AccountId32, DispatchError};

const MILD: RevocationReason = RevocationReason::Unspecified;

fn first() -> Pair {
	Pair::ed25519(1)
}

fn tls() -> Pair {
	Pair::ed25519(2)
}

/// A device with a key that signs and one that does not.
fn device() -> DeviceId {
	enrol("drone-1", &[(Sign, first()), (Tls, tls())])
}

fn held_by(by: HoldAuthority, at: u64) -> Withdrawal {
	Withdrawal::OnHold(Hold { reason: REASON, at, by })
}

fn suspend_device(device: DeviceId) {
	assert_ok!(Dpki::suspend_device(signed(BOB), device, REASON));
}

fn suspend_key(key: KeyId) {
	assert_ok!(Dpki::suspend_key(signed(BOB), key, REASON));
}

/// The word of the device that one of its keys is to end.
fn renunciation(device: DeviceId, key: &Pair, by: &Pair) -> RuntimeCall {
	let (key, reason, expires_at) = (key.id(), MILD, expires());
	let action = Action::RevokeKey { device, key, reason };
	let context = SigningContext { genesis: GENESIS, action, nonce: 0, expires_at };
	let consent = Consent { key: by.id(), signature: by.sign(&context.payload()) };
	RuntimeCall::Dpki(Call::revoke_own_key { key, reason, consent, expires_at })
}

#[test]
fn a_device_on_hold_suspends_its_keys_until_it_is_released() {
	run(|| {
		let (device, organisation) = (device(), acme());
		let keys = [first(), tls()].map(|pair| pair.id());
		suspend_device(device);
		let by = HoldAuthority::Registrar;
		let event = Event::DeviceSuspended { device, organisation, reason: REASON, by };
		assert_eq!(last_event(), event.into());
		assert_eq!(Dpki::device(device).unwrap().withdrawal, held_by(by, NOW));
		assert_eq!(Dpki::device_status(device), Status::Suspended);
		assert_eq!(keys.map(Dpki::key_status), [Status::Suspended; 2]);
		assert_ok!(Dpki::release_device(signed(BOB), device));
		assert_eq!(last_event(), Event::DeviceReleased { device, organisation, by }.into());
		assert_eq!(Dpki::device_status(device), Status::Valid);
		assert_eq!(keys.map(Dpki::key_status), [Status::Valid; 2]);
	});
}

#[test]
fn a_key_on_hold_is_suspended_alone_until_it_is_released() {
	run(|| {
		let (device, key) = (device(), tls().id());
		let by = HoldAuthority::Registrar;
		suspend_key(key);
		let event = Event::KeySuspended { key, device, reason: REASON, by };
		assert_eq!(last_event(), event.into());
		assert_eq!(Dpki::key_status(key), Status::Suspended);
		assert_eq!(Dpki::key_status(first().id()), Status::Valid);
		assert_eq!(Dpki::device_status(device), Status::Valid);
		assert_eq!(Dpki::keys_of(device).len(), 2, "it keeps its place");
		assert_ok!(Dpki::release_key(signed(BOB), key));
		assert_eq!(last_event(), Event::KeyReleased { key, device, by }.into());
		assert_eq!(Dpki::key_status(key), Status::Valid);
	});
}

#[test]
fn the_release_of_a_device_releases_no_key_that_is_on_hold_itself() {
	run(|| {
		let (device, key) = (device(), tls().id());
		suspend_device(device);
		suspend_key(key);
		assert_ok!(Dpki::release_device(signed(BOB), device));
		assert_eq!(Dpki::key_status(key), Status::Suspended);
		assert_eq!(Dpki::key_status(first().id()), Status::Valid);
		suspend_device(device);
		assert_ok!(Dpki::release_key(signed(BOB), key));
		assert_eq!(Dpki::key_status(key), Status::Suspended, "its device is");
	});
}

#[test]
fn a_hold_of_a_device_or_key_begins_and_ends_once() {
	run(|| {
		let (device, key) = (device(), tls().id());
		let bob = || signed(BOB);
		let refused = Error::<Test>::DeviceNotSuspended;
		assert_noop!(Dpki::release_device(bob(), device), refused);
		assert_noop!(Dpki::release_key(bob(), key), Error::<Test>::KeyNotSuspended);
		suspend_device(device);
		suspend_key(key);
		let refused = Error::<Test>::DeviceSuspended;
		assert_noop!(Dpki::suspend_device(bob(), device, MILD), refused);
		assert_noop!(Dpki::suspend_key(bob(), key, MILD), Error::<Test>::KeySuspended);
	});
}

#[test]
fn nothing_that_was_revoked_or_is_unknown_is_put_on_hold_or_released() {
	run(|| {
		let (device, key) = (device(), tls().id());
		let bob = || signed(BOB);
		assert_ok!(Dpki::revoke_key(bob(), key, REASON));
		let refused = Error::<Test>::KeyWasRevoked;
		assert_noop!(Dpki::suspend_key(bob(), key, REASON), refused);
		assert_noop!(Dpki::release_key(bob(), key), Error::<Test>::KeyWasRevoked);
		assert_ok!(Dpki::revoke_device(bob(), device, REASON));
		let refused = Error::<Test>::DeviceWasRevoked;
		assert_noop!(Dpki::suspend_device(bob(), device, REASON), refused);
		assert_noop!(Dpki::release_device(bob(), device), Error::<Test>::DeviceWasRevoked);
		let refused = Error::<Test>::DeviceWasRevoked;
		assert_noop!(Dpki::suspend_key(bob(), first().id(), REASON), refused);
		let (device, key) = (DeviceId([0; 32]), KeyId([0; 32]));
		let refused = Error::<Test>::DeviceUnknown;
		assert_noop!(Dpki::suspend_device(bob(), device, REASON), refused);
		assert_noop!(Dpki::release_device(bob(), device), Error::<Test>::DeviceUnknown);
		assert_noop!(Dpki::suspend_key(bob(), key, REASON), Error::<Test>::KeyUnknown);
		assert_noop!(Dpki::release_key(bob(), key), Error::<Test>::KeyUnknown);
	});
}

/// The one thing that a hold must never do.
#[test]
fn no_release_brings_back_what_was_revoked_on_hold() {
	run(|| {
		let (device, key) = (device(), tls().id());
		suspend_device(device);
		suspend_key(key);
		set_time(NOW + 5);
		assert_ok!(Dpki::revoke_key(signed(BOB), key, MILD));
		assert_ok!(Dpki::revoke_device(signed(BOB), device, MILD));
		let revoked = Revocation { reason: MILD, at: NOW + 5 };
		assert_eq!(Keys::<Test>::get(key).unwrap().withdrawal, Withdrawal::Revoked(revoked));
		assert_eq!(Devices::<Test>::get(device).unwrap().withdrawal, Withdrawal::Revoked(revoked));
		for origin in [signed(BOB), RuntimeOrigin::root()] {
			let refused = Error::<Test>::DeviceWasRevoked;
			assert_noop!(Dpki::release_device(origin.clone(), device), refused);
			assert_noop!(Dpki::release_key(origin, key), Error::<Test>::DeviceWasRevoked);
		}
		assert_eq!(Dpki::key_status(key), Status::Revoked(revoked));
	});
}

#[test]
fn a_key_on_hold_is_revoked_by_whoever_proves_its_compromise() {
	run(|| {
		let device = device();
		suspend_device(device);
		suspend_key(first().id());
		let (what, proof) = (Compromised::Key(first().id()), compromise(&first()));
		assert_ok!(submit(RuntimeCall::Dpki(Call::report_compromise { what, proof })).unwrap());
		assert!(matches!(Dpki::key_status(first().id()), Status::Revoked(_)));
		assert_ok!(Dpki::release_device(signed(BOB), device));
		assert!(matches!(Dpki::key_status(first().id()), Status::Revoked(_)));
	});
}

#[test]
fn a_key_on_hold_is_registered_nowhere_else() {
	run(|| {
		device();
		suspend_key(tls().id());
		let voucher = voucher_pair();
		issue(&voucher, "drone-2");
		let again = Enrolment::new(&voucher, "drone-2", &[(Sign, Pair::ed25519(3)), (Tls, tls())]);
		assert_eq!(again.submit(), Err(Refusal::KeyAlreadyRegistered));
	});
}

#[test]
fn only_a_registrar_and_the_body_put_on_hold_and_release() {
	run(|| {
		let (device, key) = (device(), tls().id());
		for who in [CAROL, MALLORY] {
			let who = || signed(who.clone());
			let refused = Error::<Test>::RoleMissing;
			assert_noop!(Dpki::suspend_device(who(), device, REASON), refused);
			assert_noop!(Dpki::release_device(who(), device), Error::<Test>::RoleMissing);
			assert_noop!(Dpki::suspend_key(who(), key, REASON), Error::<Test>::RoleMissing);
			assert_noop!(Dpki::release_key(who(), key), Error::<Test>::RoleMissing);
		}
		let none = RuntimeOrigin::none;
		assert_noop!(Dpki::suspend_device(none(), device, REASON), DispatchError::BadOrigin);
		assert_noop!(Dpki::release_device(none(), device), DispatchError::BadOrigin);
		assert_noop!(Dpki::suspend_key(none(), key, REASON), DispatchError::BadOrigin);
		assert_noop!(Dpki::release_key(none(), key), DispatchError::BadOrigin);
	});
}

/// No key of the device is an account that could, and there is no general transaction for it.
#[test]
fn a_device_releases_neither_itself_nor_its_keys() {
	run(|| {
		let (device, key) = (device(), tls().id());
		suspend_device(device);
		suspend_key(key);
		let account: [u8; 32] = first().public().bytes.to_vec().try_into().unwrap();
		let itself = || signed(AccountId32::new(account));
		assert_noop!(Dpki::release_device(itself(), device), Error::<Test>::RoleMissing);
		assert_noop!(Dpki::release_key(itself(), key), Error::<Test>::RoleMissing);
	});
}

#[test]
fn what_whoever_governs_put_on_hold_is_released_by_no_registrar() {
	for governing in [RuntimeOrigin::root(), signed(ALICE)] {
		run(|| {
			let (device, key) = (device(), tls().id());
			assert_ok!(Dpki::suspend_device(governing.clone(), device, REASON));
			assert_ok!(Dpki::suspend_key(governing.clone(), key, REASON));
			let refused = Error::<Test>::SuspendedByGovernance;
			assert_noop!(Dpki::release_device(signed(BOB), device), refused);
			let refused = Error::<Test>::SuspendedByGovernance;
			assert_noop!(Dpki::release_key(signed(BOB), key), refused);
			// The body and whoever governs alone are one authority.
			assert_ok!(Dpki::release_device(RuntimeOrigin::root(), device));
			assert_ok!(Dpki::release_key(signed(ALICE), key));
			assert_eq!(Dpki::key_status(key), Status::Valid);
		});
	}
}

#[test]
fn whoever_governs_makes_the_hold_of_a_registrar_its_own_and_ends_it() {
	run(|| {
		let (device, key, by) = (device(), tls().id(), HoldAuthority::Governance);
		suspend_device(device);
		suspend_key(key);
		set_time(NOW + 5);
		// A milder reason would make certificates good again that are on hold with a key that may have leaked.
		assert_ok!(Dpki::suspend_device(RuntimeOrigin::root(), device, MILD));
		assert_ok!(Dpki::suspend_key(RuntimeOrigin::root(), key, MILD));
		assert_eq!(Dpki::device(device).unwrap().withdrawal, held_by(by, NOW));
		assert_eq!(Dpki::key(key).unwrap().withdrawal, held_by(by, NOW));
		let refused = Error::<Test>::SuspendedByGovernance;
		assert_noop!(Dpki::release_device(signed(BOB), device), refused);
		let again = Dpki::suspend_device(RuntimeOrigin::root(), device, REASON);
		assert_eq!(again, Err(Error::<Test>::DeviceSuspended.into()));
		assert_ok!(Dpki::release_device(RuntimeOrigin::root(), device));
		suspend_device(device);
		assert_ok!(Dpki::release_device(RuntimeOrigin::root(), device));
	});
}

#[test]
fn a_device_on_hold_changes_none_of_its_keys() {
	run(|| {
		let device = device();
		set_policy(KeyPolicy { self_service: true, requests: true, ..Default::default() });
		let new = Pair::ed25519(3);
		assert_ok!(announce(device, &first(), &Pair::ed25519(4), &first()));
		suspend_device(device);
		let wish = Wish::own(device, Tls, &new, &first());
		let replacing = Wish::own(device, Tls, &new, &first()).replacing(&tls(), 0);
		for call in [
			wish.call(),
			replacing.call(),
			own_announcement(device, &tls(), &new, &first()),
			renunciation(device, &tls(), &first()),
			renunciation(device, &tls(), &tls()),
			reveal(device, &first(), Sign, &Pair::ed25519(4), None),
		] {
			assert!(submit(call).is_err());
		}
		for call in [wish.call(), replacing.call(), renunciation(device, &tls(), &first())] {
			assert_eq!(submit(call), Err(Refusal::DeviceOnHold));
		}
		let call = reveal(device, &first(), Sign, &Pair::ed25519(4), None);
		assert_eq!(submit(call), Err(Refusal::DeviceOnHold));
		let refused = Error::<Test>::DeviceSuspended;
		// Nor with a registrar, who needs its word.
		assert_noop!(wish.clone().by_bob().register(), refused);
		let refused = Error::<Test>::DeviceSuspended;
		assert_noop!(replacing.by_bob().register(), refused);
		let refused = Error::<Test>::DeviceSuspended;
		assert_noop!(announce(device, &tls(), &new, &first()), refused);
		assert_ok!(Dpki::release_device(signed(BOB), device));
		assert_ok!(submit(wish.call()).unwrap());
	});
}

#[test]
fn a_request_of_a_device_is_not_approved_while_it_is_on_hold() {
	run(|| {
		let device = device();
		set_policy(KeyPolicy { requests: true, ..Default::default() });
		let (key, consent) = Wish::own(device, Tls, &Pair::ed25519(3), &first()).by_bob().sign();
		let keys = vec![key].try_into().unwrap();
		let drone = name("drone-1");
		assert_ok!(Dpki::request_keys(signed(BOB), acme(), drone, keys, Some(consent), expires()));
		let request = Dpki::requests_to(acme())[0].id;
		suspend_device(device);
		let refused = Error::<Test>::DeviceSuspended;
		assert_noop!(Dpki::approve_request(signed(BOB), request), refused);
		assert_ok!(Dpki::release_device(signed(BOB), device));
		assert_ok!(Dpki::approve_request(signed(BOB), request));
	});
}

#[test]
fn a_signing_key_on_hold_does_not_speak_for_its_device() {
	run(|| {
		let device = device();
		allow_self_service();
		suspend_key(first().id());
		let wish = Wish::own(device, Tls, &Pair::ed25519(3), &first());
		assert_eq!(submit(wish.call()), Err(Refusal::ConsentInvalid));
		assert_noop!(wish.by_bob().register(), Error::<Test>::ConsentInvalid);
		let call = renunciation(device, &tls(), &first());
		assert_eq!(submit(call), Err(Refusal::ConsentInvalid));
	});
}

#[test]
fn a_key_on_hold_is_not_replaced_nor_followed() {
	run(|| {
		let device = device();
		allow_self_service();
		let next = Pair::ed25519(3);
		assert_ok!(announce(device, &tls(), &next, &first()));
		suspend_key(tls().id());
		let wish = Wish::own(device, Tls, &next, &first()).replacing(&tls(), 0);
		assert_eq!(submit(wish.call()), Err(Refusal::KeyOnHold));
		assert_noop!(wish.by_bob().register(), Error::<Test>::KeySuspended);
		assert_noop!(announce(device, &tls(), &next, &first()), Error::<Test>::KeySuspended);
		let call = || reveal(device, &tls(), Tls, &next, None);
		assert_eq!(submit(call()), Err(Refusal::KeyOnHold));
		// What turns out to be compromised is followed by what was announced for that case.
		assert_ok!(Dpki::revoke_key(signed(BOB), tls().id(), REASON));
		assert_ok!(submit(call()).unwrap());
		assert_eq!(Dpki::key_status(next.id()), Status::Valid);
	});
}

#[test]
fn time_goes_on_for_a_key_on_hold() {
	run(|| {
		let device = device();
		let short = Pair::ed25519(3);
		let wish = Wish::own(device, Tls, &short, &first()).until(NOW + 10).by_bob();
		assert_ok!(wish.register());
		suspend_key(short.id());
		set_time(NOW + 11);
		assert_eq!(Dpki::key_status(short.id()), Status::Suspended);
		assert_ok!(Dpki::release_key(signed(BOB), short.id()));
		assert_eq!(Dpki::key_status(short.id()), Status::Expired);
	});
}

#[test]
fn a_chain_of_certificates_is_on_hold_with_the_key_of_its_device() {
	run(|| {
		let root = Party::root("Root");
		let anchor = root.register_root();
		let leaf = root.issue_to(entity("drone-1"), certified(&tls()));
		let device = device();
		let check =
			|| Dpki::check_certificate(anchor, std::slice::from_ref(&leaf.der), Profile::Rfc5280);
		assert_eq!(check(), ChainVerdict::Status(Status::Valid));
		suspend_device(device);
		assert_eq!(check(), ChainVerdict::Status(Status::Suspended));
		assert_ok!(Dpki::release_device(signed(BOB), device));
		suspend_key(tls().id());
		assert_eq!(check(), ChainVerdict::Status(Status::Suspended));
	});
}

#[test]
fn a_full_block_keeps_no_hold_waiting() {
	let (device, key) = (DeviceId([0; 32]), KeyId([0; 32]));
	let reason = REASON;
	for (call, class) in [
		(Call::<Test>::suspend_device { device, reason }, DispatchClass::Operational),
		(Call::suspend_key { key, reason }, DispatchClass::Operational),
		(Call::release_device { device }, DispatchClass::Normal),
		(Call::release_key { key }, DispatchClass::Normal),
	] {
		assert_eq!(call.get_dispatch_info().class, class);
	}
}
