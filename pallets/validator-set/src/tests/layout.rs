//! Where the records lie, and what is noticed when they are wrong.

use super::mock::*;
use crate::{Bounds, KeysInService, Validators};
use dpki_primitives::{storage_keys, validator::ValidatorBounds};
use frame_support::{
	assert_ok,
	traits::{GetStorageVersion, Hooks, StorageVersion},
};

#[test]
fn records_lie_where_clients_look_for_them() {
	run(|| {
		assert_eq!(Validators::<Test>::hashed_key().to_vec(), storage_keys::validators());
		assert_eq!(Bounds::<Test>::hashed_key().to_vec(), storage_keys::validator_bounds());
	});
}

#[test]
fn the_storage_layout_is_version_1() {
	run(|| assert_eq!(Pallet::in_code_storage_version(), StorageVersion::new(1)));
}

#[test]
fn the_constants_fit_together_and_the_pallet_has_its_name() {
	run(<Pallet as Hooks<u64>>::integrity_test);
}

/// Runs `corrupt` on a good state and expects the check of the state to notice.
fn is_noticed(corrupt: impl FnOnce()) {
	new_test_ext().execute_with(|| {
		assert_ok!(Pallet::do_try_state());
		corrupt();
		assert!(Pallet::do_try_state().is_err());
	});
}

#[test]
fn validators_out_of_order_are_noticed() {
	is_noticed(|| {
		Validators::<Test>::mutate(|records| {
			let (first, second) = (records[0], records[1]);
			records[0] = second;
			records[1] = first;
		})
	});
}

#[test]
fn bounds_that_are_not_kept_are_noticed() {
	is_noticed(|| Bounds::<Test>::put(ValidatorBounds { minimum: 0, maximum: 8 }));
	is_noticed(|| Bounds::<Test>::put(ValidatorBounds { minimum: 5, maximum: 8 }));
	is_noticed(|| Bounds::<Test>::put(ValidatorBounds { minimum: 1, maximum: 3 }));
}

#[test]
fn a_stranger_who_serves_is_noticed() {
	is_noticed(|| {
		Validators::<Test>::mutate(|records| {
			records.remove(0);
		})
	});
}

#[test]
fn lost_keys_are_noticed() {
	is_noticed(|| pallet_session::NextKeys::<Test>::remove(1));
}

#[test]
fn keys_of_others_are_noticed() {
	is_noticed(KeysInService::<Test>::kill);
}

#[test]
fn an_account_that_is_gone_is_noticed() {
	is_noticed(|| frame_system::Account::<Test>::remove(1));
}
