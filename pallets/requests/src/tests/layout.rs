//! Where the records lie, and what is noticed when they are wrong.

use super::mock::*;
use crate::{Contents, Filers, Filings, Waiting, WaitingCount};
use dpki_primitives::{
	filing::{Filing, FilingBody},
	ids::{DeviceId, OrganisationId},
	storage_keys,
};
use frame_support::{
	assert_ok,
	traits::{GetStorageVersion, Hooks, StorageVersion},
};

#[test]
fn records_lie_where_devices_look_for_them() {
	run(|| {
		let filing = storage_keys::filing(drone(), 2);
		assert_eq!(Filings::<Test>::hashed_key_for(drone(), 2), filing);
		let content = storage_keys::filing_content(drone(), 2);
		assert_eq!(Contents::<Test>::hashed_key_for(drone(), 2), content);
		assert_eq!(Filers::<Test>::hashed_key_for(drone()), storage_keys::filer(drone()));
		let count = storage_keys::waiting_filing_count(ACME);
		assert_eq!(WaitingCount::<Test>::hashed_key_for(ACME), count);
		let entry = storage_keys::waiting_filing(ACME, 7);
		assert_eq!(Waiting::<Test>::hashed_key_for(ACME, 7), entry);
	});
}

#[test]
fn the_storage_layout_is_version_1() {
	run(|| assert_eq!(Pallet::in_code_storage_version(), StorageVersion::new(1)));
}

#[test]
fn the_constants_fit_together() {
	run(<Pallet as Hooks<u64>>::integrity_test);
}

/// Runs `corrupt` on a good state and expects the check of the state to notice.
fn is_noticed(corrupt: impl FnOnce()) {
	new_test_ext().execute_with(|| {
		accept(Said::web(0, 0).file());
		accept(Said::web(1, 1).file());
		assert_ok!(Pallet::do_try_state());
		corrupt();
		assert!(Pallet::do_try_state().is_err());
	});
}

fn change_is_noticed(change: impl FnOnce(&mut Filing)) {
	is_noticed(|| Filings::<Test>::mutate(drone(), 0, |filing| change(filing.as_mut().unwrap())));
}

#[test]
fn a_filing_of_another_organisation_device_slot_or_number_is_noticed() {
	change_is_noticed(|filing| filing.organisation = OrganisationId([5; 32]));
	change_is_noticed(|filing| filing.number = 2);
	change_is_noticed(|filing| filing.content = [5; 32]);
	let copy = |device: DeviceId, slot: u8| {
		let filing = Filings::<Test>::get(drone(), 0).unwrap();
		Filings::<Test>::insert(device, slot, filing);
	};
	is_noticed(|| copy(DeviceId([5; 32]), 0));
	is_noticed(|| copy(drone(), 4));
	is_noticed(|| copy(drone(), 2));
}

#[test]
fn a_content_of_nothing_or_of_something_else_is_noticed() {
	is_noticed(|| Contents::<Test>::remove(drone(), 0));
	is_noticed(|| {
		let content = Contents::<Test>::get(drone(), 0).unwrap();
		Contents::<Test>::insert(drone(), 2, content);
	});
	is_noticed(|| {
		Contents::<Test>::mutate(drone(), 0, |content| {
			content.as_mut().unwrap().body = FilingBody::truncate_from(vec![1]);
		});
	});
}

#[test]
fn a_list_that_is_not_what_waits_is_noticed() {
	is_noticed(|| Waiting::<Test>::remove(ACME, 0));
	is_noticed(|| Waiting::<Test>::insert(ACME, 0, (drone(), 1)));
	is_noticed(|| Waiting::<Test>::insert(ACME, 2, (drone(), 1)));
	is_noticed(|| WaitingCount::<Test>::insert(ACME, 1));
	is_noticed(|| WaitingCount::<Test>::insert(ACME, 3));
	is_noticed(|| WaitingCount::<Test>::insert(OrganisationId([5; 32]), 0));
	is_noticed(|| Filings::<Test>::remove(drone(), 0));
}
