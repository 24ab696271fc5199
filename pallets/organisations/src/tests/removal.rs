//! `remove_member`.

use super::mock::*;
use crate::{Members, Organisations};
use dpki_primitives::organisation::RoleSet;
use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchError;

#[test]
fn an_administrator_removes_a_member() {
	run(|| {
		create_acme();
		assert_ok!(set(alice(), bob(), PUBLISHER));
		assert_ok!(remove(alice(), bob()));
		assert_eq!(Members::<Test>::get(acme(), bob()), None);
		assert_eq!(Organisations::<Test>::get(acme()).unwrap().members, 1);
		assert_eq!(
			last_event(),
			Event::MemberRemoved {
				organisation: acme(),
				account: bob(),
				by: Authority::Account(alice())
			}
		);
	});
}

#[test]
fn a_member_can_leave() {
	run(|| {
		create_acme();
		assert_ok!(set(alice(), bob(), PUBLISHER));
		assert_ok!(remove(bob(), bob()));
		assert_eq!(Members::<Test>::get(acme(), bob()), None);
		assert_eq!(
			last_event(),
			Event::MemberRemoved {
				organisation: acme(),
				account: bob(),
				by: Authority::Account(bob())
			}
		);
	});
}

#[test]
fn a_member_cannot_remove_another_one() {
	run(|| {
		create_acme();
		assert_ok!(set(alice(), bob(), PUBLISHER));
		assert_ok!(set(alice(), carol(), PUBLISHER));
		assert_noop!(remove(bob(), carol()), Error::RoleMissing);
	});
}

#[test]
fn a_stranger_cannot_be_removed() {
	run(|| {
		create_acme();
		assert_noop!(remove(alice(), bob()), Error::MemberUnknown);
		assert_noop!(remove(bob(), bob()), Error::MemberUnknown);
	});
}

#[test]
fn nobody_leaves_an_organisation_that_does_not_exist() {
	run(|| {
		assert_noop!(remove(alice(), alice()), Error::MemberUnknown);
		assert_noop!(remove(alice(), bob()), Error::RoleMissing);
	});
}

#[test]
fn the_last_administrator_can_neither_leave_nor_be_removed() {
	run(|| {
		create_acme();
		assert_ok!(set(alice(), bob(), PUBLISHER));
		assert_noop!(remove(alice(), alice()), Error::LastAdministratorNeeded);
		assert_ok!(set(alice(), bob(), RoleSet::ALL));
		assert_ok!(remove(bob(), alice()));
		assert_noop!(remove(bob(), bob()), Error::LastAdministratorNeeded);
	});
}

#[test]
fn a_removed_administrator_has_no_say_any_more() {
	run(|| {
		create_acme();
		assert_ok!(set(alice(), bob(), RoleSet::ALL));
		assert_ok!(remove(bob(), alice()));
		assert_noop!(set(alice(), alice(), RoleSet::ALL), Error::RoleMissing);
		assert_noop!(remove(alice(), bob()), Error::RoleMissing);
	});
}

#[test]
fn nobody_removes_a_member_without_an_account() {
	run(|| {
		create_acme();
		for origin in [RuntimeOrigin::root(), RuntimeOrigin::none()] {
			assert_noop!(Pallet::remove_member(origin, acme(), alice()), DispatchError::BadOrigin);
		}
	});
}
