//! `set_member`.

use super::mock::*;
use crate::{MAX_MEMBERS, Members, Organisations};
use dpki_primitives::organisation::{Role, RoleSet};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::{AccountId32, DispatchError};

fn counts() -> (u32, u32) {
	let record = Organisations::<Test>::get(acme()).unwrap();
	(record.members, record.administrators)
}

#[test]
fn an_administrator_adds_a_member() {
	run(|| {
		create_acme();
		assert_ok!(set(alice(), bob(), PUBLISHER));
		assert_eq!(Members::<Test>::get(acme(), bob()), Some(PUBLISHER));
		assert_eq!(counts(), (2, 1));
		assert_eq!(
			last_event(),
			Event::MemberAdded {
				organisation: acme(),
				account: bob(),
				roles: PUBLISHER,
				by: Authority::Account(alice())
			}
		);
	});
}

#[test]
fn an_administrator_changes_the_roles_of_a_member() {
	run(|| {
		create_acme();
		assert_ok!(set(alice(), bob(), PUBLISHER));
		assert_ok!(set(alice(), bob(), ADMINISTRATOR));
		assert_eq!(Members::<Test>::get(acme(), bob()), Some(ADMINISTRATOR));
		assert_eq!(counts(), (2, 2));
		assert_eq!(
			last_event(),
			Event::MemberRolesChanged {
				organisation: acme(),
				account: bob(),
				roles: ADMINISTRATOR,
				by: Authority::Account(alice()),
			}
		);
	});
}

#[test]
fn setting_the_roles_that_a_member_has_changes_nothing_and_says_nothing() {
	run(|| {
		create_acme();
		assert_ok!(set(alice(), bob(), PUBLISHER));
		System::reset_events();
		assert_ok!(set(alice(), bob(), PUBLISHER));
		assert!(System::events().is_empty());
		assert_eq!(counts(), (2, 1));
	});
}

#[test]
fn a_member_without_the_administrator_role_changes_nobody() {
	run(|| {
		create_acme();
		let all_but_administrator =
			Role::ALL.into_iter().filter(|role| *role != Role::Administrator).collect();
		assert_ok!(set(alice(), bob(), all_but_administrator));
		assert_noop!(set(bob(), carol(), PUBLISHER), Error::RoleMissing);
		assert_noop!(set(bob(), bob(), RoleSet::ALL), Error::RoleMissing);
	});
}

#[test]
fn an_administrator_of_another_organisation_changes_nobody() {
	run(|| {
		create_acme();
		assert_ok!(Pallet::create(
			signed(bob()),
			name("other"),
			dpki_primitives::organisation::OrganisationKind::TestLab
		));
		assert_noop!(set(bob(), carol(), PUBLISHER), Error::RoleMissing);
	});
}

#[test]
fn an_unknown_organisation_has_no_administrator() {
	run(|| {
		assert_noop!(set(alice(), bob(), PUBLISHER), Error::RoleMissing);
	});
}

#[test]
fn an_empty_set_of_roles_is_refused() {
	run(|| {
		create_acme();
		assert_noop!(set(alice(), bob(), RoleSet::EMPTY), Error::RolesEmpty);
		assert_noop!(set(alice(), alice(), RoleSet::EMPTY), Error::RolesEmpty);
	});
}

#[test]
fn the_last_administrator_cannot_be_demoted() {
	run(|| {
		create_acme();
		assert_ok!(set(alice(), bob(), PUBLISHER));
		assert_noop!(set(alice(), alice(), PUBLISHER), Error::LastAdministratorNeeded);
		assert_ok!(set(alice(), bob(), ADMINISTRATOR));
		assert_ok!(set(alice(), alice(), PUBLISHER));
		assert_eq!(counts(), (2, 1));
		assert_noop!(set(bob(), bob(), PUBLISHER), Error::LastAdministratorNeeded);
	});
}

#[test]
fn the_last_administrator_can_lose_other_roles() {
	run(|| {
		create_acme();
		assert_ok!(set(alice(), alice(), ADMINISTRATOR));
		assert_eq!(counts(), (1, 1));
	});
}

#[test]
fn members_are_bounded() {
	run(|| {
		create_acme();
		for index in 1..MAX_MEMBERS {
			let mut account = [9; 32];
			account[..4].copy_from_slice(&index.to_le_bytes());
			assert_ok!(set(alice(), AccountId32::new(account), PUBLISHER));
		}
		assert_eq!(counts(), (MAX_MEMBERS, 1));
		assert_noop!(set(alice(), bob(), PUBLISHER), Error::MemberLimitReached);
		// A full organisation can still change and exchange its members.
		assert_ok!(set(alice(), alice(), ADMINISTRATOR));
		let mut account = [9; 32];
		account[..4].copy_from_slice(&1u32.to_le_bytes());
		assert_ok!(remove(alice(), AccountId32::new(account)));
		assert_ok!(set(alice(), bob(), PUBLISHER));
	});
}

#[test]
fn nobody_sets_a_member_without_an_account() {
	run(|| {
		create_acme();
		for origin in [RuntimeOrigin::root(), RuntimeOrigin::none()] {
			assert_noop!(
				Pallet::set_member(origin, acme(), bob(), PUBLISHER),
				DispatchError::BadOrigin
			);
		}
	});
}
