//! Further keys of a device, registered by an account.

use super::mock::*;
use crate::{Error, Event, WeightInfo};
use dpki_primitives::{
	context::{Action, MAX_SIGNATURE_LIFETIME, Registrant, SigningContext},
	device::MAX_KEYS_PER_DEVICE,
	ids::DeviceId,
	key::{KeyPurpose, KeyPurpose::*, KeyType, NewKey, PublicKey},
	status::Status,
};
use frame_support::{assert_noop, assert_ok, dispatch::DispatchResultWithPostInfo};
use sp_core::Pair as _;
use sp_runtime::DispatchError;

const EXPIRES: u64 = NOW + 1_000;

fn device() -> DeviceId {
	enrol("drone-1", &[(Sign, Pair::ed25519(1))])
}

fn context(device: DeviceId, purpose: KeyPurpose, pair: &Pair, nonce: u64) -> SigningContext {
	possession(Registrant::Account(BOB.into()), device, purpose, pair, nonce)
}

/// A key with an honest proof for BOB, who registers it.
fn proven(device: DeviceId, purpose: KeyPurpose, pair: &Pair, nonce: u64) -> NewKey {
	new_key(purpose, pair, pair.sign(&context(device, purpose, pair, nonce).payload()))
}

fn agreement(device: DeviceId, seed: u8, nonce: u64, vouching: &Pair) -> NewKey {
	let pair = Pair::new(KeyType::X25519, seed);
	let context = context(device, KeyAgreement, &pair, nonce);
	new_key(KeyAgreement, &pair, vouching.sign(&context.payload()))
}

fn register(device: DeviceId, key: NewKey) -> DispatchResultWithPostInfo {
	Dpki::register_key(signed(BOB), device, key, EXPIRES)
}

#[test]
fn a_registrar_registers_keys_one_after_the_other() {
	run(|| {
		let device = device();
		let (second, third) = (Pair::new(KeyType::P256, 2), Pair::ed25519(3));
		assert_ok!(register(device, proven(device, Tls, &second, 1)));
		assert_ok!(register(device, proven(device, Ssh, &third, 2)));
		let event = Event::KeyRegistered { key: third.id(), device, purpose: Ssh };
		assert_eq!(last_event(), event.into());
		assert_eq!(Dpki::device(device).unwrap().keys_registered, 3);
		let ids: Vec<_> = Dpki::keys_of(device).into_iter().map(|(id, _)| id).collect();
		assert_eq!(ids, [Pair::ed25519(1).id(), second.id(), third.id()]);
		assert_eq!(Dpki::key_status(third.id()), Status::Valid);
	});
}

#[test]
fn a_proof_is_good_for_one_registration() {
	run(|| {
		let device = device();
		let pair = Pair::ed25519(2);
		for nonce in [0, 2] {
			assert_noop!(
				register(device, proven(device, Ssh, &pair, nonce)),
				Error::<Test>::PossessionInvalid
			);
		}
		assert_ok!(register(device, proven(device, Ssh, &pair, 1)));
	});
}

#[test]
fn possession_is_proven_for_this_registration_only() {
	run(|| {
		let (device, foreign) = (device(), enrol("drone-2", &[(Sign, Pair::ed25519(9))]));
		let pair = Pair::ed25519(2);
		let good = context(device, Ssh, &pair, 1);
		let action = |not_after| Action::PossessKey {
			registrant: Registrant::Account(BOB.into()),
			device,
			purpose: Ssh,
			key: pair.id(),
			not_after,
		};
		let alice = Registrant::Account(ALICE.into());
		for wrong in [
			possession(alice, device, Ssh, &pair, 1),
			context(foreign, Ssh, &pair, 1),
			context(device, Tls, &pair, 1),
			context(device, Ssh, &Pair::ed25519(3), 1),
			SigningContext { genesis: [8; 32], ..good.clone() },
			SigningContext { expires_at: EXPIRES + 1, ..good.clone() },
			SigningContext { action: action(Some(NOW + 1)), ..good.clone() },
		] {
			let key = new_key(Ssh, &pair, pair.sign(&wrong.payload()));
			assert_noop!(register(device, key), Error::<Test>::PossessionInvalid);
		}
		let key = new_key(Ssh, &pair, Pair::ed25519(3).sign(&good.payload()));
		assert_noop!(register(device, key), Error::<Test>::PossessionInvalid);
		assert_ok!(register(device, new_key(Ssh, &pair, pair.sign(&good.payload()))));
	});
}

#[test]
fn only_a_registrar_of_the_organisation_registers_keys() {
	run(|| {
		let device = device();
		let pair = Pair::ed25519(2);
		for who in [CAROL, MALLORY] {
			let registrant = Registrant::Account(who.clone().into());
			let payload = possession(registrant, device, Ssh, &pair, 1).payload();
			let key = new_key(Ssh, &pair, pair.sign(&payload));
			assert_noop!(
				Dpki::register_key(signed(who), device, key, EXPIRES),
				Error::<Test>::RoleMissing
			);
		}
		let key = proven(device, Ssh, &pair, 1);
		assert_noop!(
			Dpki::register_key(RuntimeOrigin::none(), device, key, EXPIRES),
			DispatchError::BadOrigin
		);
	});
}

#[test]
fn an_unknown_or_revoked_device_gets_no_key() {
	run(|| {
		let unknown = DeviceId([0; 32]);
		let pair = Pair::ed25519(2);
		assert_noop!(
			register(unknown, proven(unknown, Ssh, &pair, 0)),
			Error::<Test>::DeviceNotFound
		);
		let device = device();
		assert_ok!(Dpki::revoke_device(signed(BOB), device, REASON));
		assert_noop!(
			register(device, proven(device, Ssh, &pair, 1)),
			Error::<Test>::DeviceWasRevoked
		);
	});
}

#[test]
fn a_key_is_registered_once_for_one_device() {
	run(|| {
		let (device, foreign) = (device(), enrol("drone-2", &[(Sign, Pair::ed25519(9))]));
		let known = Pair::ed25519(1);
		for device in [device, foreign] {
			assert_noop!(
				register(device, proven(device, Ssh, &known, 1)),
				Error::<Test>::KeyAlreadyRegistered
			);
		}
	});
}

#[test]
fn a_revoked_key_cannot_be_registered_again() {
	run(|| {
		let device = device();
		let known = Pair::ed25519(1);
		assert_ok!(Dpki::revoke_key(signed(BOB), known.id(), REASON));
		assert_noop!(
			register(device, proven(device, Sign, &known, 1)),
			Error::<Test>::KeyWasRevoked
		);
	});
}

#[test]
fn a_stale_or_far_expiry_is_refused() {
	run(|| {
		let device = device();
		for expires_at in [NOW - 1, NOW + MAX_SIGNATURE_LIFETIME + 1] {
			let pair = Pair::ed25519(2);
			let context = SigningContext { expires_at, ..context(device, Ssh, &pair, 1) };
			let key = new_key(Ssh, &pair, pair.sign(&context.payload()));
			assert_noop!(
				Dpki::register_key(signed(BOB), device, key, expires_at),
				Error::<Test>::SignatureExpired
			);
		}
	});
}

#[test]
fn a_device_has_a_bounded_number_of_unrevoked_keys() {
	run(|| {
		let device = device();
		for n in 1..MAX_KEYS_PER_DEVICE as u8 {
			let key = proven(device, Ssh, &Pair::ed25519(n + 100), n.into());
			assert_ok!(register(device, key));
		}
		let key = proven(device, Ssh, &Pair::ed25519(2), MAX_KEYS_PER_DEVICE.into());
		assert_noop!(register(device, key.clone()), Error::<Test>::KeyListFull);
		assert_ok!(Dpki::revoke_key(signed(BOB), Pair::ed25519(101).id(), REASON));
		assert_ok!(register(device, key));
	});
}

#[test]
fn malformed_unfit_and_expired_keys_are_refused() {
	run(|| {
		let device = device();
		let mut key = proven(device, Ssh, &Pair::ed25519(2), 1);
		key.public.bytes.truncate(31);
		assert_noop!(register(device, key), Error::<Test>::KeyMalformed);
		let key = proven(device, KeyAgreement, &Pair::ed25519(2), 1);
		assert_noop!(register(device, key), Error::<Test>::KeyUnfitForPurpose);
		let mut key = proven(device, Ssh, &Pair::ed25519(2), 1);
		key.not_after = Some(NOW - 1);
		assert_noop!(register(device, key), Error::<Test>::KeyValidityInvalid);
	});
}

#[test]
fn a_key_of_small_order_proves_nothing_and_is_refused() {
	run(|| {
		let device = device();
		let mut neutral = [0; 32];
		neutral[0] = 1;
		// The signature (R = neutral element, s = 0) fits every message under this key.
		let forged = [&neutral[..], &[0; 32]].concat().try_into().unwrap();
		let public = PublicKey::new(KeyType::Ed25519, &neutral).unwrap();
		let key = NewKey { purpose: Ssh, public, not_after: None, possession: forged };
		assert_noop!(register(device, key), Error::<Test>::KeyMalformed);
	});
}

#[test]
fn a_valid_signing_key_of_the_device_vouches_for_an_agreement_key() {
	run(|| {
		let device = device();
		let second = Pair::new(KeyType::P256, 2);
		assert_ok!(register(device, proven(device, Sign, &second, 1)));
		let info = register(device, agreement(device, 3, 2, &second)).unwrap();
		assert_eq!(info.actual_weight, Some(<() as WeightInfo>::register_agreement_key(2)));
		let info = register(device, agreement(device, 4, 3, &Pair::ed25519(1))).unwrap();
		assert_eq!(info.actual_weight, Some(<() as WeightInfo>::register_agreement_key(1)));
	});
}

#[test]
fn nothing_but_a_valid_signing_key_of_the_device_vouches() {
	run(|| {
		let device = device();
		let foreign = Pair::ed25519(9);
		enrol("drone-2", &[(Sign, foreign.clone())]);
		let ssh = Pair::ed25519(2);
		assert_ok!(register(device, proven(device, Ssh, &ssh, 1)));
		for vouching in [foreign, ssh] {
			assert_noop!(
				register(device, agreement(device, 3, 2, &vouching)),
				Error::<Test>::PossessionInvalid
			);
		}
		let signing = Pair::ed25519(1);
		assert_ok!(Dpki::revoke_key(signed(BOB), signing.id(), REASON));
		assert_noop!(
			register(device, agreement(device, 3, 2, &signing)),
			Error::<Test>::SigningKeyMissing
		);
	});
}

#[test]
fn an_expired_signing_key_vouches_for_nothing() {
	run(|| {
		let voucher = sp_core::ed25519::Pair::from_seed(&[100; 32]);
		issue(&voucher, "drone-1");
		let signing = Pair::ed25519(1);
		let mut enrolment = Enrolment::new(&voucher, "drone-1", &[]);
		let device = enrolment.device();
		let action = Action::PossessKey {
			registrant: Registrant::Voucher(enrolment.voucher_id()),
			device,
			purpose: Sign,
			key: signing.id(),
			not_after: Some(NOW + 10),
		};
		let payload = SigningContext { genesis: GENESIS, action, nonce: 0, expires_at: EXPIRES };
		let mut key = new_key(Sign, &signing, signing.sign(&payload.payload()));
		key.not_after = Some(NOW + 10);
		enrolment.keys.push(key);
		enrolment.sign();
		assert_ok!(enrolment.submit().unwrap());

		set_time(NOW + 10);
		assert_eq!(Dpki::key_status(signing.id()), Status::Valid);
		set_time(NOW + 11);
		assert_eq!(Dpki::key_status(signing.id()), Status::Expired);
		assert_noop!(
			register(device, agreement(device, 3, 1, &signing)),
			Error::<Test>::SigningKeyMissing
		);
	});
}
