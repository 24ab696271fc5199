//! The ends of things.

use super::{mock::*, pki::Party};
use crate::{
	Call, Error, Event, Keys, RevokedAnchorKeys, RevokedSshSubjects, SshRevocationCount,
	SshRevocations,
};
use dpki_primitives::{
	anchor::AnchorKind,
	ids::{AnchorId, DeviceId, KeyId, VoucherId},
	key::KeyPurpose::*,
	organisation::Role,
	revocation::{
		MAX_SSH_REVOCATIONS, Revocation, RevocationReason, SSH_REVOCATIONS_PER_PAGE, SshRevocation,
		SshSubject,
	},
	status::Status,
};
use frame_support::{
	assert_noop, assert_ok,
	dispatch::{DispatchClass, GetDispatchInfo},
};
use sp_runtime::DispatchError;

const REVOKED: Revocation = Revocation { reason: REASON, at: NOW };
const ANOTHER: RevocationReason = RevocationReason::Unspecified;

fn device() -> (DeviceId, KeyId) {
	let pair = Pair::ed25519(1);
	let keys = [(Sign, pair.clone()), (Ssh, Pair::ed25519(2))];
	(enrol("drone-1", &keys), pair.id())
}

#[test]
fn a_revoked_key_leaves_its_device_and_stays_known() {
	run(|| {
		let (device, key) = device();
		assert_ok!(Dpki::revoke_key(signed(BOB), key, REASON));
		assert_eq!(Dpki::key_status(key), Status::Revoked(REVOKED));
		assert_eq!(last_event(), Event::KeyRevoked { key, device, reason: REASON }.into());
		let left: Vec<_> = Dpki::keys_of(device).into_iter().map(|(id, _)| id).collect();
		assert_eq!(left, [Pair::ed25519(2).id()]);
		assert_eq!(Dpki::device(device).unwrap().keys_registered, 2);
		assert_eq!(Dpki::device_status(device), Status::Valid);
	});
}

#[test]
fn a_revoked_device_takes_its_keys_with_it() {
	run(|| {
		let (device, key) = device();
		assert_ok!(Dpki::revoke_device(signed(BOB), device, REASON));
		assert_eq!(Dpki::device_status(device), Status::Revoked(REVOKED));
		assert_eq!(Dpki::key_status(key), Status::IssuerRevoked(REVOKED));
		let event = Event::DeviceRevoked { device, organisation: acme(), reason: REASON };
		assert_eq!(last_event(), event.into());
		assert_ok!(Dpki::revoke_key(signed(BOB), key, ANOTHER));
		let own = Revocation { reason: ANOTHER, at: NOW };
		assert_eq!(Dpki::key_status(key), Status::Revoked(own));
	});
}

/// The body stands in for registrars that are lost or not to be trusted. Here root stands for its vote.
#[test]
fn the_body_that_governs_an_organisation_ends_its_keys_and_devices() {
	run(|| {
		let (device, key) = device();
		assert_ok!(Dpki::revoke_key(RuntimeOrigin::root(), key, REASON));
		assert_eq!(Dpki::key_status(key), Status::Revoked(REVOKED));
		assert_ok!(Dpki::revoke_device(RuntimeOrigin::root(), device, REASON));
		assert_eq!(Dpki::device_status(device), Status::Revoked(REVOKED));
	});
}

/// Who governs alone can make itself a registrar, and has to.
#[test]
fn nobody_else_ends_keys_and_devices() {
	run(|| {
		let (device, key) = device();
		let administrator = CAROL;
		Roles::set(acme(), &administrator, &[Role::Administrator]);
		for who in [administrator, MALLORY] {
			let refused = Error::<Test>::RoleMissing;
			assert_noop!(Dpki::revoke_key(signed(who.clone()), key, REASON), refused);
			let refused = Error::<Test>::RoleMissing;
			assert_noop!(Dpki::revoke_device(signed(who), device, REASON), refused);
		}
		let none = RuntimeOrigin::none();
		assert_noop!(Dpki::revoke_key(none.clone(), key, REASON), DispatchError::BadOrigin);
		assert_noop!(Dpki::revoke_device(none, device, REASON), DispatchError::BadOrigin);
	});
}

#[test]
fn a_revoked_anchor_leaves_the_list_and_stays_known() {
	run(|| {
		let (first, second) = (register_ssh(&Pair::ed25519(1)), register_ssh(&Pair::ed25519(2)));
		assert_ok!(Dpki::revoke_anchor(signed(CAROL), first, REASON));
		assert_eq!(Dpki::anchor_status(first), Status::Revoked(REVOKED));
		assert!(Dpki::anchor_material(first).is_some());
		let event = Event::AnchorRevoked { anchor: first, organisation: acme(), reason: REASON };
		assert_eq!(last_event(), event.into());
		let listed: Vec<_> = Dpki::anchors_of(acme()).into_iter().map(|(id, _)| id).collect();
		assert_eq!(listed, [second]);
	});
}

#[test]
fn no_revocation_is_repeated_or_overwritten() {
	run(|| {
		let (device, key) = device();
		let anchor = register_ssh(&Pair::ed25519(9));
		assert_ok!(Dpki::revoke_key(signed(BOB), key, REASON));
		assert_ok!(Dpki::revoke_device(signed(BOB), device, REASON));
		assert_ok!(Dpki::revoke_anchor(signed(CAROL), anchor, REASON));
		set_time(NOW + 5);
		assert_noop!(Dpki::revoke_key(signed(BOB), key, ANOTHER), Error::<Test>::KeyAlreadyRevoked);
		assert_noop!(
			Dpki::revoke_device(signed(BOB), device, ANOTHER),
			Error::<Test>::DeviceAlreadyRevoked
		);
		assert_noop!(
			Dpki::revoke_anchor(signed(CAROL), anchor, ANOTHER),
			Error::<Test>::AnchorAlreadyRevoked
		);
		assert_eq!(Dpki::key_status(key), Status::Revoked(REVOKED));
		assert_eq!(Dpki::device_status(device), Status::Revoked(REVOKED));
		assert_eq!(Dpki::anchor_status(anchor), Status::Revoked(REVOKED));
	});
}

#[test]
fn only_the_right_role_of_the_right_organisation_revokes() {
	run(|| {
		let (device, key) = device();
		let anchor = register_ssh(&Pair::ed25519(9));
		let subject = SshSubject::Serial(1);
		for who in [CAROL, MALLORY] {
			assert_noop!(
				Dpki::revoke_key(signed(who.clone()), key, REASON),
				Error::<Test>::RoleMissing
			);
			assert_noop!(
				Dpki::revoke_device(signed(who), device, REASON),
				Error::<Test>::RoleMissing
			);
		}
		for who in [BOB, MALLORY] {
			assert_noop!(
				Dpki::revoke_anchor(signed(who.clone()), anchor, REASON),
				Error::<Test>::RoleMissing
			);
			assert_noop!(
				Dpki::revoke_ssh(signed(who), anchor, subject, REASON),
				Error::<Test>::RoleMissing
			);
		}
	});
}

#[test]
fn what_is_unknown_cannot_be_revoked_and_is_never_valid() {
	run(|| {
		let (anchor, device, key) = (AnchorId([0; 32]), DeviceId([0; 32]), KeyId([0; 32]));
		assert_noop!(Dpki::revoke_key(signed(BOB), key, REASON), Error::<Test>::KeyUnknown);
		assert_noop!(
			Dpki::revoke_device(signed(BOB), device, REASON),
			Error::<Test>::DeviceUnknown
		);
		assert_noop!(
			Dpki::revoke_anchor(signed(CAROL), anchor, REASON),
			Error::<Test>::AnchorUnknown
		);
		assert_noop!(
			Dpki::revoke_ssh(signed(CAROL), anchor, SshSubject::Serial(1), REASON),
			Error::<Test>::AnchorUnknown
		);
		assert_eq!(Dpki::anchor_status(anchor), Status::Unknown);
		assert_eq!(Dpki::device_status(device), Status::Unknown);
		assert_eq!(Dpki::key_status(key), Status::Unknown);
	});
}

#[test]
fn ssh_subjects_are_listed_and_indexed() {
	run(|| {
		let anchor = register_ssh(&Pair::ed25519(1));
		let subjects = [SshSubject::Serial(7), SshSubject::KeyFingerprint([7; 32])];
		for (position, subject) in (0..).zip(subjects) {
			assert_ok!(Dpki::revoke_ssh(signed(CAROL), anchor, subject, REASON));
			let event = Event::SshRevoked { anchor, subject, reason: REASON, position };
			assert_eq!(last_event(), event.into());
			let index = RevokedSshSubjects::<Test>::get(anchor, subject.digest());
			assert_eq!(index, Some(position));
		}
		assert_eq!(
			Dpki::ssh_revocations(anchor, 0),
			subjects.map(|subject| SshRevocation { subject, revocation: REVOKED })
		);
		assert_eq!(Dpki::ssh_revocation_count(anchor), 2);
		let other = RevokedSshSubjects::<Test>::get(anchor, SshSubject::Serial(8).digest());
		assert_eq!(other, None);
	});
}

#[test]
fn an_ssh_subject_is_revoked_once_per_anchor() {
	run(|| {
		let (first, second) = (register_ssh(&Pair::ed25519(1)), register_ssh(&Pair::ed25519(2)));
		let subject = SshSubject::Serial(1);
		assert_ok!(Dpki::revoke_ssh(signed(CAROL), first, subject, REASON));
		assert_noop!(
			Dpki::revoke_ssh(signed(CAROL), first, subject, ANOTHER),
			Error::<Test>::SshSubjectAlreadyRevoked
		);
		assert_ok!(Dpki::revoke_ssh(signed(CAROL), second, subject, REASON));
	});
}

#[test]
fn serial_zero_is_not_a_subject() {
	run(|| {
		let anchor = register_ssh(&Pair::ed25519(1));
		assert_noop!(
			Dpki::revoke_ssh(signed(CAROL), anchor, SshSubject::Serial(0), REASON),
			Error::<Test>::SshSerialZero
		);
	});
}

#[test]
fn the_list_of_an_ssh_anchor_goes_on_over_pages_and_ends() {
	run(|| {
		let anchor = register_ssh(&Pair::ed25519(1));
		for serial in 1..=MAX_SSH_REVOCATIONS {
			let subject = SshSubject::Serial(serial.into());
			assert_ok!(Dpki::revoke_ssh(signed(CAROL), anchor, subject, REASON));
		}
		let pages = MAX_SSH_REVOCATIONS / SSH_REVOCATIONS_PER_PAGE;
		for page in 0..pages {
			let len = SshRevocations::<Test>::get(anchor, page).len();
			assert_eq!(len, SSH_REVOCATIONS_PER_PAGE as usize);
		}
		assert!(!SshRevocations::<Test>::contains_key(anchor, pages));
		assert_eq!(SshRevocationCount::<Test>::get(anchor), MAX_SSH_REVOCATIONS);
		let subject = SshSubject::KeyFingerprint([1; 32]);
		assert_noop!(
			Dpki::revoke_ssh(signed(CAROL), anchor, subject, REASON),
			Error::<Test>::SshRevocationListFull
		);
	});
}

#[test]
fn a_retired_ssh_anchor_still_revokes_but_a_revoked_one_does_not() {
	run(|| {
		let anchor = register_ssh(&Pair::ed25519(1));
		assert_ok!(Dpki::retire_anchor(signed(CAROL), anchor));
		assert_ok!(Dpki::revoke_ssh(signed(CAROL), anchor, SshSubject::Serial(1), REASON));
		assert_ok!(Dpki::revoke_anchor(signed(CAROL), anchor, REASON));
		assert_noop!(
			Dpki::revoke_ssh(signed(CAROL), anchor, SshSubject::Serial(2), REASON),
			Error::<Test>::AnchorWasRevoked
		);
	});
}

#[test]
fn an_x509_anchor_has_no_ssh_subjects() {
	run(|| {
		let anchor = super::certificates::register_root();
		assert_eq!(Dpki::anchor(anchor).unwrap().kind, AnchorKind::X509Root);
		assert_noop!(
			Dpki::revoke_ssh(signed(CAROL), anchor, SshSubject::Serial(1), REASON),
			Error::<Test>::AnchorNotSsh
		);
	});
}

#[test]
fn a_block_full_of_other_transactions_has_room_for_every_revocation() {
	let (anchor, device, key) = (AnchorId([0; 32]), DeviceId([0; 32]), KeyId([0; 32]));
	let (subject, reason) = (SshSubject::Serial(1), REASON);
	let calls = [
		Call::<Test>::revoke_anchor { anchor, reason },
		Call::revoke_ssh { anchor, subject, reason },
		Call::revoke_key { key, reason },
		Call::revoke_device { device, reason },
		Call::cancel_voucher { voucher: VoucherId([0; 32]) },
	];
	for call in calls {
		assert_eq!(call.get_dispatch_info().class, DispatchClass::Operational, "{call:?}");
	}
	let retirement = Call::<Test>::retire_anchor { anchor };
	assert_eq!(retirement.get_dispatch_info().class, DispatchClass::Normal);
}

#[test]
fn the_keys_of_revoked_anchors_are_remembered_and_no_others() {
	let is_noticed = |corrupt: &dyn Fn()| {
		ext().execute_with(|| {
			let (first, second) = (Pair::ed25519(1), Pair::ed25519(2));
			let anchor = register_ssh(&first);
			register_ssh(&second);
			assert_ok!(Dpki::revoke_anchor(signed(CAROL), anchor, REASON));
			assert!(RevokedAnchorKeys::<Test>::contains_key(first.id()));
			assert!(!RevokedAnchorKeys::<Test>::contains_key(second.id()));
			assert_ok!(Dpki::do_try_state());
			corrupt();
			assert!(Dpki::do_try_state().is_err());
		});
	};
	is_noticed(&|| RevokedAnchorKeys::<Test>::remove(Pair::ed25519(1).id()));
	is_noticed(&|| RevokedAnchorKeys::<Test>::insert(Pair::ed25519(2).id(), ()));
}

#[test]
fn a_key_that_is_that_of_a_device_and_of_an_anchor_is_noticed() {
	ext().execute_with(|| {
		let (_, key) = device();
		let root = Party::root("Root");
		root.register_root();
		assert_ok!(Dpki::do_try_state());
		Keys::<Test>::insert(root.key_id(), Keys::<Test>::get(key).unwrap());
		let expected = "a key is that of a device and of an anchor";
		assert_eq!(Dpki::do_try_state(), Err(expected.into()));
	});
}
