//! What a device does alone, and what it does not.

use super::{kit::*, mock::*};
use crate::{Call, Error, Event, KeyQuotas, Keys};
use dpki_primitives::{
	context::{MAX_SIGNATURE_LIFETIME, Registrant},
	device::{MAX_GRACE, MAX_KEYS_PER_DEVICE},
	ids::DeviceId,
	key::{KeyPurpose::*, KeyType},
	quota::{QUOTA_BURST, QUOTA_RECOVERY},
	refusal::Refusal,
	status::Status,
};
use frame_support::{assert_noop, assert_ok};

fn first() -> Pair {
	Pair::ed25519(1)
}

fn device() -> DeviceId {
	enrol("drone-1", &[(Sign, first())])
}

#[test]
fn a_device_adds_a_key_alone_without_an_account() {
	run(|| {
		let device = device();
		allow_self_service();
		let pair = Pair::new(KeyType::P256, 2);
		let call = Wish::own(device, Tls, &pair, &first()).call();
		let validity = validate(call.clone()).unwrap();
		assert_eq!(validity.provides.len(), 1);
		assert_ok!(submit(call).unwrap());
		let event = Event::KeyRegistered { key: pair.id(), device, purpose: Tls };
		assert_eq!(last_event(), event.into());
		assert_eq!(Dpki::key_status(pair.id()), Status::Valid);
	});
}

#[test]
fn an_organisation_has_to_allow_it() {
	run(|| {
		let device = device();
		let wish = Wish::own(device, Tls, &Pair::ed25519(2), &first());
		assert_eq!(submit(wish.call()), Err(Refusal::SelfServiceOff));
		let replacing = Wish::own(device, Sign, &Pair::ed25519(2), &first()).replacing(&first(), 0);
		assert_eq!(submit(replacing.call()), Err(Refusal::SelfServiceOff));
		let call = own_announcement(device, &first(), &Pair::ed25519(2), &first());
		assert_eq!(submit(call), Err(Refusal::SelfServiceOff));
	});
}

#[test]
fn a_quota_bounds_what_a_device_does_and_comes_back() {
	run(|| {
		let device = device();
		allow_self_service();
		for n in 0..QUOTA_BURST as u8 {
			let wish = Wish::own(device, Tls, &Pair::ed25519(10 + n), &first());
			assert_ok!(submit(wish.call()).unwrap());
		}
		let wish = Wish::own(device, Tls, &Pair::ed25519(2), &first());
		assert_eq!(validate(wish.call()), Err(Refusal::QuotaExhausted));
		let call = own_announcement(device, &first(), &Pair::ed25519(3), &first());
		assert_eq!(submit(call), Err(Refusal::QuotaExhausted));
		assert_eq!(Dpki::key_quota(device).signed.left(NOW), 0);

		set_time(NOW + QUOTA_RECOVERY);
		assert_ok!(submit(wish.call()).unwrap());
		let wish = Wish::own(device, Tls, &Pair::ed25519(4), &first());
		assert_eq!(submit(wish.call()), Err(Refusal::QuotaExhausted));
		assert_eq!(KeyQuotas::<Test>::iter().count(), 1);
	});
}

#[test]
fn a_registrar_is_not_held_to_the_quota() {
	run(|| {
		let device = device();
		allow_self_service();
		for n in 0..=QUOTA_BURST as u8 {
			let wish = Wish::own(device, Tls, &Pair::ed25519(10 + n), &first()).by_bob();
			assert_ok!(wish.register());
		}
	});
}

#[test]
fn only_a_valid_signing_key_of_the_device_speaks_for_it() {
	run(|| {
		let device = device();
		allow_self_service();
		enrol("drone-2", &[(Sign, Pair::ed25519(9))]);
		let tls = Pair::ed25519(2);
		assert_ok!(submit(Wish::own(device, Tls, &tls, &first()).call()).unwrap());
		for signer in [&tls, &Pair::ed25519(9), &Pair::ed25519(8)] {
			let wish = Wish::own(device, Ssh, &Pair::ed25519(3), signer);
			assert_eq!(submit(wish.call()), Err(Refusal::ConsentInvalid));
		}
		assert_ok!(Dpki::revoke_key(signed(BOB), first().id(), REASON));
		let wish = Wish::own(device, Ssh, &Pair::ed25519(3), &first());
		assert_eq!(submit(wish.call()), Err(Refusal::ConsentInvalid));
	});
}

#[test]
fn what_was_signed_for_a_registrar_is_nothing_to_the_device_alone() {
	run(|| {
		let device = device();
		allow_self_service();
		let wish = Wish::own(device, Ssh, &Pair::ed25519(3), &first());
		assert_eq!(submit(wish.clone().by_bob().call()), Err(Refusal::ConsentInvalid));
		let (key, consent) = wish.sign();
		let result = Dpki::register_key(signed(BOB), device, key, consent, expires());
		assert_eq!(result, Err(Error::<Test>::ConsentInvalid.into()));
	});
}

#[test]
fn a_key_without_possession_or_with_a_stale_signature_is_refused() {
	run(|| {
		let device = device();
		allow_self_service();
		let (mut key, consent) = Wish::own(device, Ssh, &Pair::ed25519(3), &first()).sign();
		let good = key.possession.clone();
		key.possession[0] ^= 1;
		let call = |key, expires_at| {
			let consent = consent.clone();
			RuntimeCall::Dpki(Call::add_own_key { device, key, consent, expires_at })
		};
		assert_eq!(submit(call(key.clone(), expires())), Err(Refusal::PossessionInvalid));
		key.possession = good;
		assert_eq!(submit(call(key.clone(), NOW - 1)), Err(Refusal::SignatureExpired));
		let too_far = NOW + MAX_SIGNATURE_LIFETIME + 1;
		assert_eq!(submit(call(key.clone(), too_far)), Err(Refusal::SignatureExpired));
		assert_ok!(submit(call(key.clone(), expires())).unwrap());
		assert_eq!(submit(call(key, expires())), Err(Refusal::KeyAlreadyRegistered));
	});
}

#[test]
fn nobody_speaks_for_a_revoked_or_unknown_device() {
	run(|| {
		let device = device();
		allow_self_service();
		assert_ok!(Dpki::revoke_device(signed(BOB), device, REASON));
		let wish = Wish::own(device, Ssh, &Pair::ed25519(3), &first());
		assert_eq!(submit(wish.call()), Err(Refusal::DeviceRevoked));
		let wish = Wish::own(DeviceId([5; 32]), Ssh, &Pair::ed25519(3), &first());
		assert_eq!(submit(wish.call()), Err(Refusal::DeviceUnknown));
	});
}

#[test]
fn only_the_pipeline_that_judges_can_carry_it_out() {
	run(|| {
		let device = device();
		allow_self_service();
		let (key, consent) = Wish::own(device, Ssh, &Pair::ed25519(3), &first()).sign();
		for origin in [signed(ALICE), RuntimeOrigin::root(), RuntimeOrigin::none()] {
			assert_noop!(
				Dpki::add_own_key(origin, device, key.clone(), consent.clone(), expires()),
				sp_runtime::DispatchError::BadOrigin
			);
		}
	});
}

#[test]
fn a_device_rotates_its_only_signing_key_alone() {
	run(|| {
		let device = device();
		allow_self_service();
		let next = Pair::ed25519(2);
		let grace = 60_000;
		let wish = Wish::own(device, Sign, &next, &first()).replacing(&first(), grace);
		assert_ok!(submit(wish.call()).unwrap());
		let (old, key, superseded_at) = (first().id(), next.id(), NOW + grace);
		assert_eq!(last_event(), Event::KeyReplaced { old, key, device, superseded_at }.into());
		assert_eq!(Dpki::key_status(key), Status::Valid);
		set_time(NOW + grace - 1);
		assert_eq!(Dpki::key_status(old), Status::Valid);
		set_time(NOW + grace);
		assert_eq!(Dpki::key_status(old), Status::Superseded);
		assert_eq!(Keys::<Test>::get(old).unwrap().superseded_at, Some(superseded_at));
		let by_old = Wish::own(device, Tls, &Pair::ed25519(3), &first());
		assert_eq!(submit(by_old.call()), Err(Refusal::ConsentInvalid));
		let by_new = Wish::own(device, Tls, &Pair::ed25519(3), &next);
		assert_ok!(submit(by_new.call()).unwrap());
	});
}

#[test]
fn a_replacement_is_for_one_grace_and_one_key_only() {
	run(|| {
		let device = device();
		allow_self_service();
		let second = Pair::ed25519(4);
		assert_ok!(submit(Wish::own(device, Sign, &second, &first()).call()).unwrap());
		let wish = Wish::own(device, Sign, &Pair::ed25519(2), &first()).replacing(&first(), 5);
		let (key, consent) = wish.sign();
		let expires_at = expires();
		for (old, grace) in [(first().id(), 6), (second.id(), 5)] {
			let (key, consent) = (key.clone(), consent.clone());
			let call = Call::replace_own_key { old, key, grace, consent, expires_at };
			assert_eq!(submit(RuntimeCall::Dpki(call)), Err(Refusal::ConsentInvalid));
		}
		let call = Call::add_own_key { device, key, consent, expires_at };
		assert_eq!(submit(RuntimeCall::Dpki(call)), Err(Refusal::ConsentInvalid));
		assert_eq!(wish.registrant, Registrant::Device);
		assert_ok!(submit(wish.call()).unwrap());
	});
}

#[test]
fn a_device_that_rotates_for_ever_does_not_run_out_of_places() {
	run(|| {
		let device = device();
		allow_self_service();
		let (mut now, mut current) = (NOW, first());
		for n in 0..3 * MAX_KEYS_PER_DEVICE as u8 {
			now += QUOTA_RECOVERY;
			set_time(now);
			let next = Pair::ed25519(100 + n);
			let wish = Wish::own(device, Sign, &next, &current).replacing(&current, 1_000);
			assert_ok!(submit(wish.call()).unwrap());
			current = next;
			Dpki::do_try_state().unwrap();
		}
		assert_eq!(Dpki::keys_of(device).len(), MAX_KEYS_PER_DEVICE as usize - 1);
		assert_eq!(Dpki::key_status(current.id()), Status::Valid);
		assert_eq!(Dpki::key_status(first().id()), Status::Superseded);
	});
}

#[test]
fn a_list_of_good_keys_is_full() {
	run(|| {
		let device = device();
		allow_self_service();
		for n in 1..MAX_KEYS_PER_DEVICE as u8 {
			let wish = Wish::own(device, Tls, &Pair::ed25519(10 + n), &first()).by_bob();
			assert_ok!(wish.register());
		}
		let wish = Wish::own(device, Tls, &Pair::ed25519(2), &first());
		assert_eq!(submit(wish.call()), Err(Refusal::KeyListFull));
		let replacing = Wish::own(device, Sign, &Pair::ed25519(2), &first());
		let late = replacing.clone().replacing(&first(), 1);
		assert_eq!(submit(late.call()), Err(Refusal::KeyListFull));
		let at_once = replacing.replacing(&first(), 0);
		assert_ok!(submit(at_once.call()).unwrap());
		assert_eq!(Dpki::keys_of(device).len(), MAX_KEYS_PER_DEVICE as usize);
	});
}

#[test]
fn a_replacement_that_cannot_take_the_place_is_refused() {
	run(|| {
		let device = device();
		allow_self_service();
		let other = enrol("drone-2", &[(Sign, Pair::ed25519(9))]);
		let new = Pair::ed25519(2);
		let wish = Wish::own(device, Sign, &new, &first());
		let refused = |wish: Wish| submit(wish.call()).unwrap_err();
		assert_eq!(refused(wish.clone().replacing(&Pair::ed25519(8), 0)), Refusal::KeyUnknown);
		let of_other = Wish::own(other, Sign, &new, &Pair::ed25519(9)).replacing(&first(), 0);
		assert_eq!(refused(of_other), Refusal::ConsentInvalid);
		let tls = Wish::own(device, Tls, &new, &first()).replacing(&first(), 0);
		assert_eq!(refused(tls), Refusal::KeyPurposeDiffers);
		assert_eq!(refused(wish.clone().replacing(&first(), MAX_GRACE + 1)), Refusal::GraceTooLong);
		let short = wish.clone().replacing(&first(), 5_000).until(NOW + 4_999);
		assert_eq!(refused(short), Refusal::SuccessorTooShort);

		assert_ok!(submit(wish.replacing(&first(), 5_000).call()).unwrap());
		let again = Wish::own(device, Sign, &Pair::ed25519(3), &new).replacing(&first(), 0);
		assert_eq!(refused(again), Refusal::KeyAlreadyReplaced);
		assert_ok!(Dpki::revoke_key(signed(BOB), first().id(), REASON));
		let revoked = Wish::own(device, Sign, &Pair::ed25519(3), &new).replacing(&first(), 0);
		assert_eq!(refused(revoked), Refusal::ReplacedKeyRevoked);
	});
}

#[test]
fn a_registrar_replaces_a_key_that_the_device_consents_to() {
	run(|| {
		let device = device();
		let wish = Wish::own(device, Sign, &Pair::ed25519(2), &first()).replacing(&first(), 5);
		let (key, consent) = wish.clone().by_bob().sign();
		let old = first().id();
		assert_noop!(
			Dpki::replace_key(signed(CAROL), old, key, 5, consent, expires()),
			Error::<Test>::RoleMissing
		);
		assert_ok!(wish.by_bob().register());
		assert_eq!(Keys::<Test>::get(old).unwrap().superseded_at, Some(NOW + 5));
		let unknown = Wish::own(device, Sign, &Pair::ed25519(3), &first());
		assert_noop!(
			unknown.by_bob().replacing(&Pair::ed25519(8), 5).register(),
			Error::<Test>::KeyUnknown
		);
	});
}

#[test]
fn a_registrar_is_refused_what_cannot_take_the_place_as_the_device_is() {
	run(|| {
		let device = device();
		let new = Pair::ed25519(2);
		let wish = Wish::own(device, Sign, &new, &first()).by_bob();
		let late = wish.clone().replacing(&first(), MAX_GRACE + 1);
		assert_noop!(late.register(), Error::<Test>::GraceTooLong);
		let short = wish.clone().replacing(&first(), 5_000).until(NOW + 4_999);
		assert_noop!(short.register(), Error::<Test>::SuccessorTooShort);
		let tls = Wish::own(device, Tls, &new, &first()).by_bob().replacing(&first(), 0);
		assert_noop!(tls.register(), Error::<Test>::KeyPurposeDiffers);

		assert_ok!(wish.replacing(&first(), 5_000).register());
		let again = Wish::own(device, Sign, &Pair::ed25519(3), &new).by_bob();
		let again = again.replacing(&first(), 0);
		assert_noop!(again.register(), Error::<Test>::KeyAlreadyReplaced);
		assert_ok!(Dpki::revoke_key(signed(BOB), first().id(), REASON));
		assert_noop!(again.register(), Error::<Test>::ReplacedKeyRevoked);
	});
}
