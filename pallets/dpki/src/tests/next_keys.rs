//! Announced successors. The thief in these tests holds the current signing key of a device.

use super::{kit::*, mock::*};
use crate::{Call, Error, Event, NextKeys};
use dpki_primitives::{
	device::MAX_KEYS_PER_DEVICE,
	ids::{DeviceId, KeyCommitment},
	key::{KeyPurpose, KeyPurpose::*, KeyType},
	quota::{QUOTA_BURST, QUOTA_RECOVERY},
	refusal::Refusal,
	revocation::RevocationReason,
	status::Status,
};
use frame_support::{assert_noop, assert_ok};

fn stolen() -> Pair {
	Pair::ed25519(1)
}

/// Kept apart by the owner.
fn next() -> Pair {
	Pair::ed25519(2)
}

/// The thief's own.
fn thief() -> Pair {
	Pair::ed25519(66)
}

/// A device whose signing key has an announced successor.
fn device() -> DeviceId {
	let device = enrol("drone-1", &[(Sign, stolen())]);
	assert_ok!(announce(device, &stolen(), &next(), &stolen()));
	device
}

#[test]
fn a_registrar_announces_what_the_device_consents_to() {
	run(|| {
		let device = enrol("drone-1", &[(Sign, stolen())]);
		let (key, commitment, consent) = announcement(bob(), device, &stolen(), &next(), &stolen());
		assert_noop!(
			Dpki::announce_next_key(signed(CAROL), key, commitment, consent.clone(), expires()),
			Error::<Test>::RoleMissing
		);
		assert_noop!(
			Dpki::announce_next_key(signed(ALICE), key, commitment, consent.clone(), expires()),
			Error::<Test>::ConsentInvalid
		);
		let other = KeyCommitment([9; 32]);
		assert_noop!(
			Dpki::announce_next_key(signed(BOB), key, other, consent.clone(), expires()),
			Error::<Test>::ConsentInvalid
		);
		assert_noop!(
			Dpki::announce_next_key(signed(BOB), key, commitment, consent.clone(), NOW - 1),
			Error::<Test>::SignatureExpired
		);
		assert_ok!(Dpki::announce_next_key(signed(BOB), key, commitment, consent, expires()));
		assert_eq!(last_event(), Event::SuccessorAnnounced { key, device, commitment }.into());
		assert_eq!(Dpki::next_key(key), Some(commitment));
		assert_noop!(
			announce(device, &Pair::ed25519(8), &next(), &stolen()),
			Error::<Test>::KeyUnknown
		);
	});
}

#[test]
fn nothing_is_announced_for_what_has_ended_or_been_followed() {
	run(|| {
		let device = enrol("drone-1", &[(Sign, stolen()), (Tls, thief())]);
		let fresh = Pair::ed25519(3);
		assert_ok!(
			Wish::own(device, Sign, &next(), &stolen())
				.by_bob()
				.replacing(&stolen(), 0)
				.register()
		);
		assert_noop!(
			announce(device, &stolen(), &fresh, &next()),
			Error::<Test>::KeyAlreadyReplaced
		);
		assert_ok!(Dpki::revoke_key(signed(BOB), thief().id(), REASON));
		assert_noop!(
			announce(device, &thief(), &fresh, &next()),
			Error::<Test>::ReplacedKeyRevoked
		);
		assert_ok!(Dpki::revoke_device(signed(BOB), device, REASON));
		assert_noop!(announce(device, &next(), &fresh, &next()), Error::<Test>::DeviceWasRevoked);
	});
}

/// No device alone can bring it about, see below; a registrar that does makes room for it.
#[test]
fn a_list_that_a_registrar_has_filled_has_no_room_for_an_announced_key() {
	run(|| {
		let (device, other) = (device(), Pair::ed25519(5));
		assert_ok!(Wish::own(device, Sign, &other, &stolen()).by_bob().register());
		assert_ok!(Dpki::revoke_key(signed(BOB), stolen().id(), RevocationReason::KeyCompromise));
		for n in 1..MAX_KEYS_PER_DEVICE as u8 {
			let wish = Wish::own(device, Tls, &Pair::ed25519(70 + n), &other).by_bob();
			assert_ok!(wish.register());
		}
		let call = || reveal(device, &stolen(), Sign, &next(), None);
		assert_eq!(submit(call()), Err(Refusal::KeyListFull));
		assert_ok!(Dpki::revoke_key(signed(BOB), Pair::ed25519(71).id(), REASON));
		assert_ok!(submit(call()).unwrap());
	});
}

#[test]
fn the_holder_of_the_announced_key_takes_the_device_back() {
	run(|| {
		let device = device();
		let call = reveal(device, &stolen(), Sign, &next(), None);
		assert_ok!(validate(call.clone()));
		assert_ok!(submit(call).unwrap());
		assert_eq!(Dpki::key_status(stolen().id()), Status::Superseded);
		assert_eq!(Dpki::key_status(next().id()), Status::Valid);
		assert_eq!(NextKeys::<Test>::iter().count(), 0);
		let again = reveal(device, &stolen(), Sign, &next(), None);
		assert_eq!(submit(again), Err(Refusal::SuccessorUnknown));
	});
}

#[test]
fn a_compromised_key_is_followed_though_it_is_revoked() {
	run(|| {
		let device = device();
		assert_ok!(Dpki::revoke_key(signed(BOB), stolen().id(), RevocationReason::KeyCompromise));
		let third = Pair::ed25519(3);
		let commitment = KeyCommitment::of(next().id(), &third.public());
		let call = reveal(device, &stolen(), Sign, &next(), Some(commitment));
		assert_ok!(submit(call).unwrap());
		assert!(matches!(Dpki::key_status(stolen().id()), Status::Revoked(_)));
		assert_eq!(Dpki::key_status(next().id()), Status::Valid);
		assert_eq!(Dpki::next_key(next().id()), Some(commitment));
		assert_ok!(submit(reveal(device, &next(), Sign, &third, None)).unwrap());
		assert_eq!(Dpki::key_status(third.id()), Status::Valid);
	});
}

#[test]
fn a_key_that_the_organisation_does_not_want_has_no_successor() {
	run(|| {
		let device = device();
		let reason = RevocationReason::PrivilegeWithdrawn;
		assert_ok!(Dpki::revoke_key(signed(BOB), stolen().id(), reason));
		let call = reveal(device, &stolen(), Sign, &next(), None);
		assert_eq!(submit(call), Err(Refusal::SuccessorUnknown));
	});
}

#[test]
fn a_thief_cannot_bring_another_signing_key_into_the_device() {
	run(|| {
		let device = device();
		allow_self_service();
		let other = Pair::ed25519(5);
		assert_ok!(Wish::own(device, Sign, &other, &stolen()).by_bob().register());

		let replaced = Wish::own(device, Sign, &thief(), &stolen()).replacing(&stolen(), 0);
		assert_eq!(submit(replaced.call()), Err(Refusal::SuccessorDiffers));
		let added = Wish::own(device, Sign, &thief(), &stolen());
		assert_eq!(submit(added.call()), Err(Refusal::SignerBound));
		let of_other = Wish::own(device, Sign, &thief(), &stolen()).replacing(&other, 0);
		assert_eq!(submit(of_other.call()), Err(Refusal::SignerBound));
		let call = own_announcement(device, &other, &thief(), &stolen());
		assert_eq!(submit(call), Err(Refusal::SignerBound));
		let call = own_announcement(device, &stolen(), &thief(), &stolen());
		assert_eq!(submit(call), Err(Refusal::SuccessorAnnounced));
		let call = reveal(device, &stolen(), Sign, &thief(), None);
		assert_eq!(submit(call), Err(Refusal::SuccessorDiffers));
		let with_bob = Wish::own(device, Sign, &thief(), &stolen()).by_bob();
		assert_noop!(with_bob.replacing(&stolen(), 0).register(), Error::<Test>::SuccessorDiffers);

		assert_ok!(submit(reveal(device, &stolen(), Sign, &next(), None)).unwrap());
	});
}

#[test]
fn a_thief_cannot_use_up_the_way_back() {
	run(|| {
		let device = device();
		allow_self_service();
		for n in 0..QUOTA_BURST as u8 {
			let wish = Wish::own(device, Tls, &Pair::ed25519(70 + n), &stolen());
			assert_ok!(submit(wish.call()).unwrap());
		}
		assert_eq!(Dpki::key_quota(device).signed.left(NOW), 0);
		assert_ok!(submit(reveal(device, &stolen(), Sign, &next(), None)).unwrap());
	});
}

/// The successor is that of another key, whose own place is gone with it.
#[test]
fn a_thief_cannot_fill_the_list_before_an_announced_key() {
	run(|| {
		let (device, other) = (device(), Pair::ed25519(5));
		allow_self_service();
		assert_ok!(Wish::own(device, Sign, &other, &stolen()).by_bob().register());
		assert_ok!(announce(device, &other, &next(), &other));
		assert_ok!(Dpki::revoke_key(signed(BOB), other.id(), RevocationReason::KeyCompromise));
		let mut now = NOW;
		let mut refused = None;
		for n in 0..MAX_KEYS_PER_DEVICE as u8 {
			now += QUOTA_RECOVERY;
			set_time(now);
			let wish = Wish::own(device, Tls, &Pair::ed25519(70 + n), &stolen());
			refused = submit(wish.call()).err();
		}
		assert_eq!(refused, Some(Refusal::KeyListFull));
		assert_ok!(submit(reveal(device, &other, Sign, &next(), None)).unwrap());
	});
}

#[test]
fn what_is_announced_comes_by_the_word_of_the_current_key_too() {
	run(|| {
		let device = device();
		allow_self_service();
		let wish = Wish::own(device, Sign, &next(), &stolen()).replacing(&stolen(), 1_000);
		assert_ok!(submit(wish.call()).unwrap());
		assert_eq!(Dpki::next_key(stolen().id()), None);
		assert_eq!(Dpki::key_status(stolen().id()), Status::Valid);
	});
}

#[test]
fn a_device_announces_alone_what_was_not_announced() {
	run(|| {
		let device = enrol("drone-1", &[(Sign, stolen())]);
		allow_self_service();
		let call = own_announcement(device, &stolen(), &next(), &stolen());
		assert_ok!(validate(call.clone()));
		assert_ok!(submit(call.clone()).unwrap());
		assert_eq!(submit(call), Err(Refusal::SuccessorAnnounced));
		assert_ok!(submit(reveal(device, &stolen(), Sign, &next(), None)).unwrap());
		let call = own_announcement(device, &stolen(), &thief(), &next());
		assert_eq!(submit(call), Err(Refusal::KeyAlreadyReplaced));
		let call = own_announcement(device, &Pair::ed25519(8), &thief(), &next());
		assert_eq!(submit(call), Err(Refusal::KeyUnknown));
		let call = own_announcement(device, &next(), &thief(), &stolen());
		assert_eq!(submit(call), Err(Refusal::ConsentInvalid));
	});
}

#[test]
fn a_registrar_and_the_device_change_what_was_announced() {
	run(|| {
		let device = device();
		let better = Pair::new(KeyType::P256, 3);
		assert_ok!(announce(device, &stolen(), &better, &stolen()));
		let call = reveal(device, &stolen(), Sign, &next(), None);
		assert_eq!(submit(call), Err(Refusal::SuccessorDiffers));
		assert_ok!(submit(reveal(device, &stolen(), Sign, &better, None)).unwrap());
	});
}

#[test]
fn a_reveal_that_cannot_take_the_place_is_refused() {
	run(|| {
		let device = device();
		let call = |purpose: KeyPurpose| reveal(device, &stolen(), purpose, &next(), None);
		assert_eq!(submit(call(Tls)), Err(Refusal::KeyPurposeDiffers));
		let unknown = reveal(device, &Pair::ed25519(8), Sign, &next(), None);
		assert_eq!(submit(unknown), Err(Refusal::KeyUnknown));

		let RuntimeCall::Dpki(Call::reveal_next_key { old, key, next: after, .. }) = call(Sign)
		else {
			unreachable!("it is a reveal")
		};
		let changed = |key, next, expires_at| {
			RuntimeCall::Dpki(Call::reveal_next_key { old, key, next, expires_at })
		};
		let stale = changed(key.clone(), after, NOW - 1);
		assert_eq!(submit(stale), Err(Refusal::SignatureExpired));
		let with_next = changed(key.clone(), Some(KeyCommitment([9; 32])), expires());
		assert_eq!(submit(with_next), Err(Refusal::PossessionInvalid));
		let mut longer = key.clone();
		longer.not_after = Some(NOW + 5);
		assert_eq!(submit(changed(longer, after, expires())), Err(Refusal::PossessionInvalid));

		assert_ok!(Dpki::revoke_device(signed(BOB), device, REASON));
		assert_eq!(submit(call(Sign)), Err(Refusal::DeviceRevoked));
	});
}

#[test]
fn reveals_have_a_quota_of_their_own() {
	run(|| {
		let device = enrol("drone-1", &[(Sign, Pair::ed25519(1))]);
		assert_ok!(announce(device, &Pair::ed25519(1), &Pair::ed25519(2), &Pair::ed25519(1)));
		let call = |n: u8| {
			let (old, key, next) = (Pair::ed25519(n), Pair::ed25519(n + 1), Pair::ed25519(n + 2));
			let next = KeyCommitment::of(key.id(), &next.public());
			reveal(device, &old, Sign, &key, Some(next))
		};
		for n in 1..=QUOTA_BURST as u8 {
			assert_ok!(submit(call(n)).unwrap());
		}
		assert_eq!(submit(call(QUOTA_BURST as u8 + 1)), Err(Refusal::QuotaExhausted));
	});
}

#[test]
fn the_successor_of_any_key_can_be_announced_but_one_that_proves_nothing_does_not_come_so() {
	run(|| {
		let agreement = Pair::new(KeyType::X25519, 7);
		let device = enrol("drone-1", &[(Sign, stolen()), (KeyAgreement, agreement.clone())]);
		let fresh = Pair::new(KeyType::X25519, 8);
		assert_ok!(announce(device, &agreement, &fresh, &stolen()));
		assert_ok!(submit(reveal(device, &agreement, KeyAgreement, &fresh, None)).unwrap());
		let hash = Pair::new(KeyType::XWing, 9);
		assert_ok!(announce(device, &fresh, &hash, &stolen()));
		let call = reveal(device, &fresh, KeyAgreement, &hash, None);
		assert_eq!(submit(call), Err(Refusal::KeyUnproven));
	});
}
