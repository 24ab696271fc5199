//! Where the records lie, and what is noticed when they are wrong.

use super::mock::*;
use crate::{Members, Organisations};
use dpki_primitives::{organisation::RoleSet, storage_keys};
use frame_support::{
	assert_ok,
	traits::{GetStorageVersion, StorageVersion},
};

#[test]
fn records_lie_where_devices_look_for_them() {
	run(|| {
		assert_eq!(
			Organisations::<Test>::hashed_key_for(acme()),
			storage_keys::organisation(acme())
		);
		assert_eq!(
			Members::<Test>::hashed_key_for(acme(), alice()),
			storage_keys::member(acme(), alice().as_ref())
		);
	});
}

#[test]
fn the_storage_layout_is_version_1() {
	run(|| assert_eq!(Pallet::in_code_storage_version(), StorageVersion::new(1)));
}

/// Runs `corrupt` on a good state and expects the check of the state to notice.
fn is_noticed(corrupt: impl FnOnce()) {
	new_test_ext().execute_with(|| {
		create_acme();
		assert_ok!(Pallet::do_try_state());
		corrupt();
		assert!(Pallet::do_try_state().is_err());
	});
}

#[test]
fn a_wrong_count_of_members_is_noticed() {
	is_noticed(|| Members::<Test>::insert(acme(), bob(), RoleSet::ALL));
}

#[test]
fn a_missing_administrator_is_noticed() {
	is_noticed(|| {
		Members::<Test>::remove(acme(), alice());
		Organisations::<Test>::mutate(acme(), |record| {
			let record = record.as_mut().unwrap();
			(record.members, record.administrators, record.watchdogs) = (0, 0, 0);
		});
	});
}

#[test]
fn a_member_without_roles_is_noticed() {
	is_noticed(|| Members::<Test>::insert(acme(), alice(), RoleSet::EMPTY));
}

#[test]
fn a_member_of_nothing_is_noticed() {
	is_noticed(|| Organisations::<Test>::remove(acme()));
}

#[test]
fn an_organisation_under_a_foreign_id_is_noticed() {
	is_noticed(|| {
		Organisations::<Test>::mutate(acme(), |record| {
			record.as_mut().unwrap().name = name("other");
		});
	});
}
