//! Further keys of a device, registered by an account. The consent of the device is given here; what becomes of a
//! registration without it is in [`super::consent`].

use super::mock::*;
use crate::{Call, Error, Event, WeightInfo, weights::SubstrateWeight};
use dpki_primitives::{
	context::{Action, MAX_SIGNATURE_LIFETIME, Registrant, SigningContext},
	device::MAX_KEYS_PER_DEVICE,
	ids::DeviceId,
	key::{Consent, KeyPurpose, KeyPurpose::*, KeyType, NewKey, PublicKey, Signature},
	refusal::Refusal,
	status::Status,
};
use frame_support::{assert_noop, assert_ok, dispatch::GetDispatchInfo};
use sp_runtime::{DispatchError, DispatchResult};

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

/// The consent of the signing key that [`device`] enrols with, for BOB.
fn consented(device: DeviceId, key: &NewKey) -> Consent {
	let nonce = Dpki::device(device).map_or(0, |record| record.keys_registered);
	consent(Registrant::Account(BOB.into()), device, key, nonce, &Pair::ed25519(1))
}

fn register(device: DeviceId, key: NewKey) -> DispatchResult {
	let consent = consented(device, &key);
	Dpki::register_key(signed(BOB), device, key, consent, EXPIRES)
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
			let consent = consent(registrant, device, &key, 1, &Pair::ed25519(1));
			assert_noop!(
				Dpki::register_key(signed(who), device, key, consent, EXPIRES),
				Error::<Test>::RoleMissing
			);
		}
		let key = proven(device, Ssh, &pair, 1);
		let consent = consented(device, &key);
		assert_noop!(
			Dpki::register_key(RuntimeOrigin::none(), device, key, consent, EXPIRES),
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
			Error::<Test>::DeviceUnknown
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
			let consent = consented(device, &key);
			assert_noop!(
				Dpki::register_key(signed(BOB), device, key, consent, expires_at),
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
fn an_agreement_key_proves_its_own_possession() {
	run(|| {
		let device = device();
		let pair = Pair::new(KeyType::X25519, 3);
		assert_ok!(register(device, proven(device, KeyAgreement, &pair, 1)));
		assert_eq!(Dpki::key_status(pair.id()), Status::Valid);
	});
}

#[test]
fn the_agreement_key_of_another_cannot_be_registered_without_its_secret() {
	run(|| {
		let (device, foreign) = (device(), enrol("drone-2", &[(Sign, Pair::ed25519(9))]));
		let victim = Pair::new(KeyType::X25519, 3);
		let payload = context(device, KeyAgreement, &victim, 1).payload();
		for attempt in [
			Pair::ed25519(1).sign(&payload),
			Pair::new(KeyType::X25519, 4).sign(&payload),
			// What the victim signed for its own device.
			victim.sign(&context(foreign, KeyAgreement, &victim, 1).payload()),
			Signature::default(),
		] {
			let key = new_key(KeyAgreement, &victim, attempt);
			assert_noop!(register(device, key), Error::<Test>::PossessionInvalid);
		}
	});
}

#[test]
fn an_agreement_key_has_one_encoding() {
	run(|| {
		let device = device();
		let pair = Pair::new(KeyType::X25519, 3);
		let mut top_bit = proven(device, KeyAgreement, &pair, 1);
		top_bit.public.bytes[31] |= 0x80;
		assert_noop!(register(device, top_bit), Error::<Test>::KeyMalformed);
		// 9 + 2^255 - 19, which agreement takes for the base point 9.
		let mut unreduced = [0xff; 32];
		(unreduced[0], unreduced[31]) = (0xf6, 0x7f);
		let mut key = proven(device, KeyAgreement, &pair, 1);
		key.public = PublicKey::new(KeyType::X25519, &unreduced).unwrap();
		assert_noop!(register(device, key), Error::<Test>::KeyMalformed);
	});
}

#[test]
fn the_key_of_a_revoked_anchor_is_no_key_of_a_device() {
	run(|| {
		let device = device();
		let pair = Pair::ed25519(2);
		let anchor = register_ssh(&pair);
		assert_ok!(Dpki::revoke_anchor(signed(CAROL), anchor, REASON));
		assert_noop!(register(device, proven(device, Ssh, &pair, 1)), Error::<Test>::KeyWasRevoked);
		issue(&voucher_pair(), "drone-2");
		let enrolment = Enrolment::new(&voucher_pair(), "drone-2", &[(Sign, pair)]);
		assert_eq!(enrolment.submit(), Err(Refusal::KeyWasRevoked));
	});
}

#[test]
fn a_registration_has_one_weight() {
	run(|| {
		let device = device();
		for (purpose, key_type) in [(Sign, KeyType::P256), (KeyAgreement, KeyType::X25519)] {
			let key = proven(device, purpose, &Pair::new(key_type, 2), 1);
			let consent = consented(device, &key);
			let call = Call::<Test>::register_key { device, key, consent, expires_at: EXPIRES };
			let weight = call.get_dispatch_info().call_weight;
			assert_eq!(weight, SubstrateWeight::<Test>::register_key());
		}
	});
}
