//! Anchors on hold.

use super::{mock::*, pki::*};
use crate::{Error, Event};
use dpki_primitives::{ids::AnchorId, status::Status};
use frame_support::{
	assert_noop, assert_ok,
	dispatch::{DispatchClass, GetDispatchInfo},
};

#[test]
fn an_anchor_on_hold_suspends_everything_below_until_it_is_released() {
	run(|| {
		let root = Party::root("Root");
		let anchor = root.register_root();
		let unit = root.issue("Unit").register_below(&root);
		assert_ok!(Dpki::suspend_anchor(signed(CAROL), anchor));
		assert_eq!(last_event(), Event::AnchorSuspended { anchor, organisation: acme() }.into());
		assert_eq!([anchor, unit].map(Dpki::anchor_status), [Status::Suspended; 2]);
		assert_ok!(Dpki::release_anchor(signed(CAROL), anchor));
		assert_eq!(last_event(), Event::AnchorReleased { anchor, organisation: acme() }.into());
		assert_eq!([anchor, unit].map(Dpki::anchor_status), [Status::Valid; 2]);
	});
}

#[test]
fn a_hold_begins_and_ends_once() {
	run(|| {
		let anchor = Party::root("Root").register_root();
		assert_noop!(
			Dpki::release_anchor(signed(CAROL), anchor),
			Error::<Test>::AnchorNotSuspended
		);
		assert_ok!(Dpki::suspend_anchor(signed(CAROL), anchor));
		assert_noop!(
			Dpki::suspend_anchor(signed(CAROL), anchor),
			Error::<Test>::AnchorAlreadySuspended
		);
	});
}

#[test]
fn ssh_cas_revoked_and_unknown_anchors_are_not_put_on_hold() {
	run(|| {
		let ssh = register_ssh(&Pair::ed25519(1));
		let revoked = Party::root("Root").register_root();
		assert_ok!(Dpki::suspend_anchor(signed(CAROL), revoked));
		assert_ok!(Dpki::revoke_anchor(signed(CAROL), revoked, REASON));
		for (anchor, error) in [
			(ssh, Error::<Test>::AnchorNotX509),
			(revoked, Error::AnchorWasRevoked),
			(AnchorId([0; 32]), Error::AnchorUnknown),
		] {
			assert_eq!(Dpki::suspend_anchor(signed(CAROL), anchor), Err(error.into()));
		}
		for (anchor, error) in [
			(ssh, Error::<Test>::AnchorNotX509),
			(revoked, Error::AnchorWasRevoked),
			(AnchorId([0; 32]), Error::AnchorUnknown),
		] {
			assert_eq!(Dpki::release_anchor(signed(CAROL), anchor), Err(error.into()));
		}
	});
}

#[test]
fn only_an_anchor_manager_puts_on_hold_and_releases() {
	run(|| {
		let anchor = Party::root("Root").register_root();
		for who in [BOB, MALLORY] {
			assert_noop!(
				Dpki::suspend_anchor(signed(who.clone()), anchor),
				Error::<Test>::RoleMissing
			);
			assert_noop!(Dpki::release_anchor(signed(who), anchor), Error::<Test>::RoleMissing);
		}
	});
}

#[test]
fn a_full_block_does_not_keep_a_hold_waiting() {
	let suspend = crate::Call::<Test>::suspend_anchor { anchor: AnchorId([0; 32]) };
	assert_eq!(suspend.get_dispatch_info().class, DispatchClass::Operational);
}
