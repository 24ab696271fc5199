//! A key that ended, or is known as compromised, comes back as nothing.

use super::{kit::*, mock::*, pki::*};
use crate::{BatchFailure, Error};
use dpki_primitives::{
	anchor::{AnchorKind, Basis, ChainVerdict, Profile},
	device::NewDevice,
	ids::{AnchorId, DeviceId},
	key::{KeyPurpose::*, NewKey},
	key_policy::KeyPolicy,
	refusal::Refusal,
	registry::CompromisedKeys,
	status::Status,
};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchResult;

fn first() -> Pair {
	Pair::ed25519(1)
}

/// Became known elsewhere as compromised.
fn leaked() -> Pair {
	Pair::ed25519(66)
}

fn leak() {
	Leaks::note(leaked().id(), NOW);
}

fn device_id(name: &str) -> DeviceId {
	DeviceId::from_name(acme(), name.as_bytes())
}

/// The key as the first one of a device that BOB registers.
fn first_key(name: &str, pair: &Pair) -> NewKey {
	new_key(Sign, pair, pair.sign(&possession(bob(), device_id(name), Sign, pair, 0).payload()))
}

fn register_ssh_of(pair: &Pair) -> DispatchResult {
	let (kind, material) = (AnchorKind::SshUserCa, ssh_ed25519(pair));
	let possession = pair.sign(&anchor_context(&ALICE, kind, &material).payload());
	Dpki::register_anchor(signed(ALICE), acme(), kind, material, possession, NOW + 1_000)
}

#[test]
fn a_compromised_key_enrols_no_device() {
	run(|| {
		leak();
		let voucher = voucher_pair();
		issue(&voucher, "drone-1");
		let enrolment = Enrolment::new(&voucher, "drone-1", &[(Sign, first()), (Tls, leaked())]);
		assert_eq!(enrolment.validate().unwrap_err(), Refusal::KeyWasRevoked);
		assert_eq!(enrolment.submit(), Err(Refusal::KeyWasRevoked));
	});
}

#[test]
fn a_compromised_key_is_neither_added_nor_put_in_the_place_of_another() {
	run(|| {
		allow_self_service();
		let tls = Pair::ed25519(2);
		let device = enrol("drone-1", &[(Sign, first()), (Tls, tls.clone())]);
		leak();
		let wish = Wish::own(device, Tls, &leaked(), &first());
		for wish in [wish.clone(), wish.replacing(&tls, 0)] {
			let call = wish.call();
			assert_eq!(validate(call.clone()).unwrap_err(), Refusal::KeyWasRevoked);
			assert_eq!(submit(call), Err(Refusal::KeyWasRevoked));
			assert_noop!(wish.by_bob().register(), Error::<Test>::KeyWasRevoked);
		}
	});
}

#[test]
fn a_key_that_was_announced_and_leaked_is_not_revealed() {
	run(|| {
		let device = enrol("drone-1", &[(Sign, first())]);
		assert_ok!(announce(device, &first(), &leaked(), &first()));
		leak();
		let call = reveal(device, &first(), Sign, &leaked(), None);
		assert_eq!(validate(call.clone()).unwrap_err(), Refusal::KeyWasRevoked);
		assert_eq!(submit(call), Err(Refusal::KeyWasRevoked));
	});
}

#[test]
fn a_compromised_key_is_neither_requested_nor_approved() {
	run(|| {
		set_policy(KeyPolicy { requests: true, ..Default::default() });
		let request = |device: &str, pair: &Pair| {
			let keys = vec![first_key(device, pair)].try_into().unwrap();
			Dpki::request_keys(signed(BOB), acme(), name(device), keys, None, NOW + 1_000)
		};
		assert_ok!(request("drone-1", &leaked()));
		let waiting = Dpki::requests_to(acme()).last().unwrap().id;
		leak();
		assert_noop!(request("drone-2", &leaked()), Error::<Test>::KeyWasRevoked);
		assert_noop!(Dpki::approve_request(signed(BOB), waiting), Error::<Test>::KeyWasRevoked);
	});
}

#[test]
fn a_batch_with_a_compromised_key_is_refused_with_its_position() {
	run(|| {
		leak();
		let device = |device: &str, pair: &Pair| NewDevice {
			name: name(device),
			keys: vec![first_key(device, pair)].try_into().unwrap(),
		};
		let devices = vec![device("drone-1", &first()), device("drone-2", &leaked())];
		let failure = BatchFailure { index: 1, refusal: Refusal::KeyWasRevoked.code() };
		assert_noop!(
			Dpki::register_batch(signed(BOB), acme(), devices.try_into().unwrap(), NOW + 1_000),
			Error::<Test>::BatchFailed(failure)
		);
	});
}

#[test]
fn a_compromised_key_becomes_no_anchor() {
	run(|| {
		leak();
		assert_noop!(register_ssh_of(&leaked()), Error::<Test>::AnchorKeyWasRevoked);

		let root = Party::root("Root");
		root.register_root();
		let unit = root.issue("Unit");
		let public = Party::root("Public CA");
		for party in [&unit, &public] {
			Leaks::note(party.key_id(), NOW);
		}
		unit.assert_refused_below(&root, Error::AnchorKeyWasRevoked);
		assert_noop!(
			Dpki::adopt_authority(
				RuntimeOrigin::root(),
				Basis::SelfSigned(Profile::TlsServer),
				public.material()
			),
			Error::<Test>::AnchorKeyWasRevoked
		);
	});
}

#[test]
fn a_certificate_of_a_compromised_key_is_revoked_below_any_anchor() {
	run(|| {
		let root = Party::root("Root");
		root.register_root();
		let leaf = root.issue_to(entity("device"), ed25519_pair());
		let check = || {
			Dpki::check_certificate(root.id(), core::slice::from_ref(&leaf.der), Profile::Rfc5280)
		};
		assert_eq!(check(), ChainVerdict::Status(Status::Valid));
		Leaks::note(leaf.key_id(), NOW);
		let problem = "CertificateRevoked".into();
		assert_eq!(check(), ChainVerdict::Broken { at: Some(0), problem });
	});
}

#[test]
fn a_revoked_device_key_becomes_no_anchor_and_a_revoked_anchor_key_no_device_key() {
	run(|| {
		let device = enrol("drone-1", &[(Sign, first()), (Tls, leaked())]);
		assert_ok!(Dpki::revoke_key(signed(BOB), leaked().id(), REASON));
		assert_noop!(register_ssh_of(&leaked()), Error::<Test>::AnchorKeyInUse);

		let ca = Pair::ed25519(5);
		assert_ok!(register_ssh_of(&ca));
		let anchor = AnchorId::of(AnchorKind::SshUserCa, &ssh_ed25519(&ca));
		let wish = Wish::own(device, Tls, &ca, &first()).by_bob();
		assert_noop!(wish.register(), Error::<Test>::KeyAlreadyRegistered);
		assert_ok!(Dpki::revoke_anchor(signed(ALICE), anchor, REASON));
		assert_noop!(wish.register(), Error::<Test>::KeyWasRevoked);
		let voucher = voucher_pair();
		issue(&voucher, "drone-2");
		let enrolment = Enrolment::new(&voucher, "drone-2", &[(Sign, ca)]);
		assert_eq!(enrolment.submit(), Err(Refusal::KeyWasRevoked));
	});
}
