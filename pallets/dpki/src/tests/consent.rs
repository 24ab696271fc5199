//! The consent of a device to a further key: without it a registrar could speak for the device.

use super::mock::*;
use crate::Error;
use dpki_primitives::{
	context::{Action, Registrant, SigningContext},
	ids::{DeviceId, KeyId},
	key::{Consent, KeyPurpose, KeyPurpose::*, KeyType, NewKey},
	status::Status,
};
use frame_support::{assert_noop, assert_ok};

/// BOB's account.
const BY_BOB: Registrant = Registrant::Account([2; 32]);

fn signing() -> Pair {
	Pair::ed25519(1)
}

fn device() -> DeviceId {
	enrol("drone-1", &[(Sign, signing()), (Tls, Pair::new(KeyType::P256, 1))])
}

/// A key with an honest proof for BOB, who registers it as the third one.
fn proven(device: DeviceId, purpose: KeyPurpose, pair: &Pair) -> NewKey {
	new_key(purpose, pair, pair.sign(&possession(BY_BOB, device, purpose, pair, 2).payload()))
}

fn register(device: DeviceId, key: &NewKey, consent: Consent) -> sp_runtime::DispatchResult {
	Dpki::register_key(signed(BOB), device, key.clone(), consent, NOW + 1_000)
}

fn assert_refused(device: DeviceId, key: &NewKey, consent: Consent) {
	assert_noop!(register(device, key, consent), Error::<Test>::ConsentInvalid);
}

#[test]
fn a_registrar_alone_gives_a_device_no_key() {
	run(|| {
		let device = device();
		// A key whose secret the registrar holds, of whatever purpose.
		for (purpose, pair) in [
			(Sign, Pair::ed25519(66)),
			(Sign, Pair::new(KeyType::P256, 66)),
			(KeyAgreement, Pair::new(KeyType::X25519, 66)),
			(Tls, Pair::ed25519(66)),
			(Ssh, Pair::ed25519(66)),
		] {
			let key = proven(device, purpose, &pair);
			let nothing = Consent { key: KeyId::default(), signature: Default::default() };
			assert_refused(device, &key, nothing);
			let unsigned = Consent { key: signing().id(), signature: Default::default() };
			assert_refused(device, &key, unsigned);
			// The key cannot consent to itself, nor can its proof of possession.
			assert_refused(device, &key, consent(BY_BOB, device, &key, 2, &pair));
			let possession = key.possession.clone();
			assert_refused(device, &key, Consent { key: signing().id(), signature: possession });
			assert_eq!(Dpki::key_status(pair.id()), Status::Unknown);
			assert_eq!(Dpki::device(device).unwrap().keys_registered, 2);
		}
	});
}

#[test]
fn a_valid_signing_key_of_the_device_consents() {
	run(|| {
		let device = device();
		let second = Pair::new(KeyType::P256, 2);
		let key = proven(device, Sign, &second);
		assert_ok!(register(device, &key, consent(BY_BOB, device, &key, 2, &signing())));

		// Each of its signing keys can, a new one as well as the first.
		let third = Pair::ed25519(3);
		let payload = possession(BY_BOB, device, Ssh, &third, 3).payload();
		let key = new_key(Ssh, &third, third.sign(&payload));
		assert_ok!(register(device, &key, consent(BY_BOB, device, &key, 3, &second)));
	});
}

#[test]
fn no_key_of_another_device_consents() {
	run(|| {
		let device = device();
		let foreign = Pair::ed25519(9);
		enrol("drone-2", &[(Sign, foreign.clone())]);
		let key = proven(device, Ssh, &Pair::ed25519(2));
		assert_refused(device, &key, consent(BY_BOB, device, &key, 2, &foreign));
		let mut disguised = consent(BY_BOB, device, &key, 2, &foreign);
		disguised.key = signing().id();
		assert_refused(device, &key, disguised);
	});
}

#[test]
fn no_key_for_another_purpose_consents() {
	run(|| {
		let device = device();
		let key = proven(device, Ssh, &Pair::ed25519(2));
		let tls = Pair::new(KeyType::P256, 1);
		assert_eq!(Dpki::key_status(tls.id()), Status::Valid);
		assert_refused(device, &key, consent(BY_BOB, device, &key, 2, &tls));
	});
}

#[test]
fn no_revoked_key_consents() {
	run(|| {
		let device = device();
		let key = proven(device, Sign, &Pair::ed25519(2));
		let consent = consent(BY_BOB, device, &key, 2, &signing());
		assert_ok!(Dpki::revoke_key(signed(BOB), signing().id(), REASON));
		assert_refused(device, &key, consent);
	});
}

#[test]
fn no_expired_key_consents() {
	run(|| {
		let voucher = voucher_pair();
		let id = issue(&voucher, "drone-1");
		let mut enrolment = Enrolment::new(&voucher, "drone-1", &[]);
		let device = enrolment.device();
		let expiring = |registrant, nonce, pair: &Pair, not_after| {
			let mut key = new_key(Sign, pair, Default::default());
			key.not_after = not_after;
			let (purpose, id) = (key.purpose, pair.id());
			let action = Action::PossessKey { registrant, device, purpose, key: id, not_after };
			let context =
				SigningContext { genesis: GENESIS, action, nonce, expires_at: NOW + 1_000 };
			key.possession = pair.sign(&context.payload());
			key
		};
		enrolment
			.keys
			.push(expiring(Registrant::Voucher(id), 0, &signing(), Some(NOW + 10)));
		enrolment.sign();
		assert_ok!(enrolment.submit().unwrap());

		let key = expiring(BY_BOB, 1, &Pair::ed25519(2), None);
		let consent = consent(BY_BOB, device, &key, 1, &signing());
		set_time(NOW + 11);
		assert_eq!(Dpki::key_status(signing().id()), Status::Expired);
		assert_refused(device, &key, consent.clone());
		set_time(NOW + 10);
		assert_ok!(register(device, &key, consent));
	});
}

#[test]
fn a_consent_is_for_one_registration_only() {
	run(|| {
		let (device, another) = (device(), enrol("drone-2", &[(Sign, Pair::ed25519(9))]));
		let key = proven(device, Ssh, &Pair::ed25519(2));
		let good = admission(BY_BOB, device, &key, 2);
		let by_alice = Registrant::Account(ALICE.into());
		let for_tls = NewKey { purpose: Tls, ..key.clone() };
		let ending = NewKey { not_after: Some(NOW + 1), ..key.clone() };
		let of_another_key = new_key(Ssh, &Pair::ed25519(3), Default::default());
		for wrong in [
			admission(by_alice, device, &key, 2),
			admission(BY_BOB, another, &key, 2),
			admission(BY_BOB, device, &for_tls, 2),
			admission(BY_BOB, device, &ending, 2),
			admission(BY_BOB, device, &of_another_key, 2),
			admission(BY_BOB, device, &key, 1),
			admission(BY_BOB, device, &key, 3),
			SigningContext { genesis: [8; 32], ..good.clone() },
			SigningContext { expires_at: NOW + 1_001, ..good.clone() },
		] {
			let signature = signing().sign(&wrong.payload());
			assert_refused(device, &key, Consent { key: signing().id(), signature });
		}
		let signature = signing().sign(&good.payload());
		let consent = Consent { key: signing().id(), signature };
		assert_ok!(register(device, &key, consent.clone()));
		// Used once, it is worth nothing for the next key either.
		let pair = Pair::ed25519(4);
		let payload = possession(BY_BOB, device, Ssh, &pair, 3).payload();
		assert_refused(device, &new_key(Ssh, &pair, pair.sign(&payload)), consent);
	});
}

#[test]
fn consent_does_not_stand_in_for_possession() {
	run(|| {
		let device = device();
		let victim = Pair::ed25519(2);
		let mut key = proven(device, Ssh, &victim);
		key.possession = signing().sign(&possession(BY_BOB, device, Ssh, &victim, 2).payload());
		let consent = consent(BY_BOB, device, &key, 2, &signing());
		assert_noop!(register(device, &key, consent), Error::<Test>::PossessionInvalid);
	});
}
