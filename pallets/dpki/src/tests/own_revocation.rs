//! What a device ends alone, and what whoever has stolen one of its keys does not.

use super::{kit::*, mock::*};
use crate::{Call, Error, Event, KeyQuotas, MAX_UNPAID_REPORTS, NextKeys, UnpaidReports};
use dpki_primitives::{
	context::{Action, MAX_SIGNATURE_LIFETIME, SigningContext},
	device::Compromised,
	ids::{DeviceId, KeyId},
	key::{Consent, KeyPurpose::*, KeyType},
	quota::QUOTA_BURST,
	refusal::Refusal,
	revocation::{Revocation, RevocationReason},
	status::Status,
};
use frame_support::{
	assert_noop, assert_ok,
	dispatch::{DispatchClass, GetDispatchInfo},
	pallet_prelude::{InvalidTransaction, TransactionValidityError},
};

const UNUSED: RevocationReason = RevocationReason::CessationOfOperation;

fn signing() -> Pair {
	Pair::ed25519(1)
}

fn tls() -> Pair {
	Pair::ed25519(2)
}

/// A device with a key that signs and one that does not.
fn device() -> DeviceId {
	enrol("drone-1", &[(Sign, signing()), (Tls, tls())])
}

/// The word of a device.
fn context(device: DeviceId, key: KeyId, reason: RevocationReason) -> SigningContext {
	let action = Action::RevokeKey { device, key, reason };
	SigningContext { genesis: GENESIS, action, nonce: 0, expires_at: expires() }
}

fn sent(key: KeyId, reason: RevocationReason, by: &Pair, signed: &SigningContext) -> RuntimeCall {
	let consent = Consent { key: by.id(), signature: by.sign(&signed.payload()) };
	let expires_at = signed.expires_at;
	RuntimeCall::Dpki(Call::revoke_own_key { key, reason, consent, expires_at })
}

/// The revocation of a key by the word of another one, or of itself.
fn revocation(device: DeviceId, key: &Pair, reason: RevocationReason, by: &Pair) -> RuntimeCall {
	sent(key.id(), reason, by, &context(device, key.id(), reason))
}

fn revoked(reason: RevocationReason) -> Status {
	Status::Revoked(Revocation { reason, at: NOW })
}

#[test]
fn a_device_ends_a_key_that_does_not_sign() {
	run(|| {
		let device = device();
		allow_self_service();
		let call = revocation(device, &tls(), UNUSED, &signing());
		assert_eq!(call.get_dispatch_info().class, DispatchClass::Operational);
		assert_ok!(validate(call.clone()));
		assert_ok!(submit(call.clone()).unwrap());
		let (key, reason) = (tls().id(), UNUSED);
		assert_eq!(last_event(), Event::KeyRevoked { key, device, reason }.into());
		assert_eq!(Dpki::key_status(key), revoked(reason));
		assert_eq!(Dpki::keys_of(device).len(), 1);
		assert_eq!(submit(call), Err(Refusal::KeyAlreadyRevoked));
	});
}

#[test]
fn signing_keys_of_every_type_can_say_so() {
	run(|| {
		let first = signing();
		let device = device();
		allow_self_service();
		let types = KeyType::ALL.into_iter().filter(|it| Sign.allows(*it));
		for (seed, key_type) in (40..).zip(types) {
			let pair = Pair::new(key_type, seed);
			assert_ok!(Wish::own(device, Sign, &pair, &first).by_bob().register());
			assert_ok!(submit(revocation(device, &pair, REASON, &pair)).unwrap());
			assert_eq!(Dpki::key_status(pair.id()), revoked(REASON), "{key_type:?}");
		}
	});
}

#[test]
fn a_signing_key_ends_itself_whatever_its_organisation_allows_and_however_much_was_done() {
	run(|| {
		let device = device();
		assert_ok!(submit(revocation(device, &signing(), UNUSED, &signing())).unwrap());
		assert_eq!(Dpki::key_status(signing().id()), revoked(UNUSED));
		assert_eq!(KeyQuotas::<Test>::iter().count(), 0);
		assert_eq!(Dpki::key_status(tls().id()), Status::Valid);
	});
}

#[test]
fn the_mild_reason_that_a_thief_gives_becomes_compromise() {
	run(|| {
		let device = device();
		let key = signing().id();
		assert_ok!(submit(revocation(device, &signing(), UNUSED, &signing())).unwrap());
		set_time(NOW + 5);
		let proof = compromise(&signing());
		let report =
			RuntimeCall::Dpki(Call::report_compromise { what: Compromised::Key(key), proof });
		assert_ok!(submit(report.clone()).unwrap());
		assert_eq!(Dpki::key_status(key), revoked(RevocationReason::KeyCompromise));
		// That is the last word, whoever says another one.
		assert_eq!(submit(report), Err(Refusal::KeyAlreadyRevoked));
		for reason in [UNUSED, RevocationReason::KeyCompromise] {
			let refused = Dpki::revoke_key(signed(BOB), key, reason);
			assert_noop!(refused, Error::<Test>::KeyAlreadyRevoked);
		}
	});
}

#[test]
fn a_key_that_does_not_sign_says_nothing_about_itself_or_others() {
	run(|| {
		let device = device();
		allow_self_service();
		for key in [tls(), Pair::ed25519(3)] {
			if key.id() != tls().id() {
				assert_ok!(Wish::own(device, Ssh, &key, &signing()).by_bob().register());
			}
			let call = revocation(device, &key, REASON, &tls());
			assert_eq!(submit(call), Err(Refusal::ConsentInvalid));
		}
	});
}

#[test]
fn a_thief_of_one_signing_key_ends_no_other() {
	run(|| {
		let device = device();
		allow_self_service();
		let other = Pair::ed25519(3);
		assert_ok!(Wish::own(device, Sign, &other, &signing()).by_bob().register());
		for reason in [REASON, UNUSED] {
			let call = revocation(device, &signing(), reason, &other);
			assert_eq!(submit(call), Err(Refusal::SigningKeyProtected));
		}
		assert_eq!(Dpki::key_status(signing().id()), Status::Valid);
	});
}

#[test]
fn a_thief_does_not_take_the_announced_successor_away() {
	run(|| {
		let device = device();
		allow_self_service();
		let (next, next_tls) = (Pair::ed25519(3), Pair::ed25519(4));
		assert_ok!(announce(device, &signing(), &next, &signing()));
		assert_ok!(announce(device, &tls(), &next_tls, &signing()));
		for key in [tls(), signing()] {
			let call = revocation(device, &key, UNUSED, &signing());
			assert_eq!(submit(call), Err(Refusal::SuccessorAnnounced));
			assert_ok!(submit(revocation(device, &key, REASON, &signing())).unwrap());
			assert!(NextKeys::<Test>::contains_key(key.id()));
		}
		// The announced key is not known before it is revealed.
		let call = revocation(device, &next, REASON, &next);
		assert_eq!(submit(call), Err(Refusal::KeyUnknown));

		assert_ok!(submit(reveal(device, &signing(), Sign, &next, None)).unwrap());
		assert_ok!(submit(reveal(device, &tls(), Tls, &next_tls, None)).unwrap());
		for key in [next, next_tls] {
			assert_eq!(Dpki::key_status(key.id()), Status::Valid);
		}
	});
}

#[test]
fn others_are_ended_only_where_devices_act_alone_and_within_their_quota() {
	run(|| {
		let device = device();
		let call = revocation(device, &tls(), UNUSED, &signing());
		assert_eq!(submit(call), Err(Refusal::SelfServiceOff));
		allow_self_service();
		let pairs: Vec<_> = (0..=QUOTA_BURST as u8).map(|n| Pair::ed25519(10 + n)).collect();
		for pair in &pairs {
			assert_ok!(Wish::own(device, Ssh, pair, &signing()).by_bob().register());
		}
		let (last, first) = pairs.split_last().unwrap();
		for pair in first {
			assert_ok!(submit(revocation(device, pair, UNUSED, &signing())).unwrap());
		}
		let refused = submit(revocation(device, last, UNUSED, &signing()));
		assert_eq!(refused, Err(Refusal::QuotaExhausted));
		let itself = revocation(device, &signing(), REASON, &signing());
		assert_ok!(submit(itself).unwrap());
	});
}

#[test]
fn only_this_was_signed_and_only_for_a_while() {
	run(|| {
		let device = device();
		allow_self_service();
		let (key, by) = (tls().id(), signing());
		let good = context(device, key, UNUSED);
		let refused = |signed: SigningContext| {
			assert_eq!(submit(sent(key, UNUSED, &by, &signed)), Err(Refusal::ConsentInvalid));
		};
		refused(SigningContext { genesis: [8; 32], ..good.clone() });
		refused(SigningContext { nonce: 1, ..good.clone() });
		refused(context(DeviceId([5; 32]), key, UNUSED));
		refused(context(device, by.id(), UNUSED));
		refused(context(device, key, REASON));
		refused(SigningContext { action: Action::Compromise { key }, ..good.clone() });
		for expires_at in [NOW - 1, NOW + MAX_SIGNATURE_LIFETIME + 1] {
			let stale = SigningContext { expires_at, ..good.clone() };
			assert_eq!(submit(sent(key, UNUSED, &by, &stale)), Err(Refusal::SignatureExpired));
		}
		assert_ok!(submit(sent(key, UNUSED, &by, &good)).unwrap());
	});
}

#[test]
fn who_cannot_speak_for_the_device_ends_none_of_its_keys() {
	run(|| {
		let device = device();
		allow_self_service();
		let theirs = Pair::ed25519(9);
		enrol("drone-2", &[(Sign, theirs.clone())]);
		for by in [theirs, Pair::ed25519(8)] {
			let call = revocation(device, &tls(), REASON, &by);
			assert_eq!(submit(call), Err(Refusal::ConsentInvalid));
		}
		let unknown = revocation(device, &Pair::ed25519(8), REASON, &signing());
		assert_eq!(submit(unknown), Err(Refusal::KeyUnknown));
		assert_ok!(Dpki::revoke_device(signed(BOB), device, REASON));
		let call = revocation(device, &signing(), REASON, &signing());
		assert_eq!(submit(call), Err(Refusal::DeviceRevoked));
	});
}

#[test]
fn a_key_that_was_replaced_says_nothing_any_more() {
	run(|| {
		let device = device();
		let next = Pair::ed25519(3);
		let wish = Wish::own(device, Sign, &next, &signing()).replacing(&signing(), 0);
		assert_ok!(wish.by_bob().register());
		let call = revocation(device, &signing(), REASON, &signing());
		assert_eq!(submit(call), Err(Refusal::ConsentInvalid));
	});
}

#[test]
fn only_the_pipeline_that_judges_can_carry_it_out() {
	run(|| {
		let device = device();
		let RuntimeCall::Dpki(Call::revoke_own_key { key, reason, consent, expires_at }) =
			revocation(device, &signing(), REASON, &signing())
		else {
			unreachable!("it is that call")
		};
		for origin in [signed(ALICE), RuntimeOrigin::root(), RuntimeOrigin::none()] {
			assert_noop!(
				Dpki::revoke_own_key(origin, key, reason, consent.clone(), expires_at),
				sp_runtime::DispatchError::BadOrigin
			);
		}
	});
}

#[test]
fn a_block_takes_so_many_together_with_the_reports_of_a_compromise() {
	run(|| {
		let device = device();
		let report = |pair: &Pair| {
			let (what, proof) = (Compromised::Key(pair.id()), compromise(pair));
			RuntimeCall::Dpki(Call::report_compromise { what, proof })
		};
		assert_ok!(submit(report(&tls())).unwrap());
		UnpaidReports::<Test>::mutate(|(_, count)| *count = MAX_UNPAID_REPORTS - 1);
		let other = Pair::ed25519(3);
		assert_ok!(Wish::own(device, Sign, &other, &signing()).by_bob().register());
		assert_ok!(submit(revocation(device, &signing(), REASON, &signing())).unwrap());
		assert_eq!(UnpaidReports::<Test>::get().1, MAX_UNPAID_REPORTS);

		let (key, reason) = (other.id(), REASON);
		let payload = context(device, key, reason).payload();
		let consent = Consent { key, signature: other.sign(&payload) };
		let judge = || Dpki::authorize_own_revocation(key, reason, &consent, expires());
		let full = Err(TransactionValidityError::Invalid(InvalidTransaction::Future));
		assert_eq!(judge().map(drop), full);
		System::set_block_number(System::block_number() + 1);
		assert_ok!(judge());
	});
}
