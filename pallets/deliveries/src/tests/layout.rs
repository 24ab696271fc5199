//! Where the records lie, and what is noticed when they are wrong.

use super::{
	doubles::{TestOrganisations, TestRegistry},
	mock::*,
};
use crate::{Acknowledgements, Approvals, Channels, Deliveries, DirectPublish, Proposals};
use dpki_primitives::{
	channel::ChannelSet,
	delivery::{Acknowledgement, DeliveryRecord},
	ids::{BlobDigest, DeliveryId, DeviceId, OrganisationId},
	organisation::{DeliveryPolicy, Role},
	storage_keys,
};
use frame_support::{
	assert_ok,
	traits::{GetStorageVersion, Hooks, StorageVersion},
};

#[test]
fn records_lie_where_devices_look_for_them() {
	run(|| {
		assert_eq!(
			Deliveries::<Test>::hashed_key_for(drone(), CHANNEL),
			storage_keys::delivery(drone(), CHANNEL)
		);
		assert_eq!(
			Acknowledgements::<Test>::hashed_key_for(drone(), CHANNEL),
			storage_keys::acknowledgement(drone(), CHANNEL)
		);
		assert_eq!(
			Proposals::<Test>::hashed_key_for(drone(), CHANNEL),
			storage_keys::proposal(drone(), CHANNEL)
		);
		assert_eq!(Channels::<Test>::hashed_key_for(drone()), storage_keys::channels(drone()));
		assert_eq!(
			Approvals::<Test>::hashed_key_for(drone(), CHANNEL),
			storage_keys::approvals(drone(), CHANNEL)
		);
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
		publish(1);
		assert_ok!(Executive::apply_extrinsic(general(Ack::applied(1).call())).unwrap());
		assert_ok!(Pallet::do_try_state());
		corrupt();
		assert!(Pallet::do_try_state().is_err());
	});
}

fn delivery_is_noticed(change: impl FnOnce(&mut DeliveryRecord)) {
	is_noticed(|| {
		Deliveries::<Test>::mutate(drone(), CHANNEL, |record| change(record.as_mut().unwrap()))
	});
}

fn acknowledgement_is_noticed(change: impl FnOnce(&mut Acknowledgement)) {
	is_noticed(|| {
		Acknowledgements::<Test>::mutate(drone(), CHANNEL, |record| {
			change(record.as_mut().unwrap())
		});
	});
}

#[test]
fn a_delivery_of_another_organisation_is_noticed() {
	delivery_is_noticed(|record| record.organisation = OrganisationId([5; 32]));
}

#[test]
fn a_delivery_for_an_unknown_device_is_noticed() {
	is_noticed(|| {
		let record = Deliveries::<Test>::get(drone(), CHANNEL).unwrap();
		Deliveries::<Test>::insert(DeviceId([5; 32]), CHANNEL, record);
	});
}

#[test]
fn a_delivery_to_a_key_of_another_device_is_noticed() {
	is_noticed(|| {
		let other = TestRegistry::add_device(ACME, "drone-8");
		let record = Deliveries::<Test>::get(drone(), CHANNEL).unwrap();
		Deliveries::<Test>::insert(other, CHANNEL, record);
	});
}

#[test]
fn an_impossible_number_or_length_is_noticed() {
	delivery_is_noticed(|record| record.sequence = 0);
	delivery_is_noticed(|record| record.length = 47);
	delivery_is_noticed(|record| record.length = 64 * 1024 + 1);
}

#[test]
fn channels_that_are_not_those_of_the_deliveries_are_noticed() {
	is_noticed(|| Channels::<Test>::remove(drone()));
	is_noticed(|| Channels::<Test>::insert(drone(), ChannelSet::EMPTY.with(other_channel())));
	is_noticed(|| {
		Channels::<Test>::mutate(drone(), |set| *set = set.with(other_channel()));
	});
	is_noticed(|| Channels::<Test>::insert(DeviceId([5; 32]), ChannelSet::EMPTY));
}

#[test]
fn an_acknowledgement_of_nothing_is_noticed() {
	is_noticed(|| Deliveries::<Test>::remove(drone(), CHANNEL));
}

#[test]
fn an_acknowledgement_of_another_delivery_is_noticed() {
	acknowledgement_is_noticed(|record| record.sequence = 2);
	acknowledgement_is_noticed(|record| record.digest = BlobDigest([5; 32]));
}

#[test]
fn a_forgotten_note_is_noticed() {
	is_noticed(|| DirectPublish::<Test>::put((1, 0)));
}

/// Runs `corrupt` on a state where delivery 1 was approved and delivery 2 waits, and expects the check to notice.
fn is_noticed_where_approvals_count(corrupt: impl FnOnce()) {
	new_test_ext().execute_with(|| {
		TestOrganisations::give(ACME, approver(1), Role::Watchdog);
		TestOrganisations::give(ACME, approver(2), Role::Watchdog);
		TestOrganisations::set_policy(DeliveryPolicy::Watchdogs { needed: 1 });
		publish(1);
		assert_ok!(approve(approver(1), 1));
		TestOrganisations::set_policy(DeliveryPolicy::Watchdogs { needed: 2 });
		publish(2);
		assert_ok!(approve(approver(1), 2));
		assert_ok!(Pallet::do_try_state());
		corrupt();
		assert!(Pallet::do_try_state().is_err());
	});
}

#[test]
fn what_waits_for_what_is_no_device_is_noticed() {
	is_noticed_where_approvals_count(|| {
		let proposal = Proposals::<Test>::get(drone(), CHANNEL).unwrap();
		Proposals::<Test>::insert(DeviceId([5; 32]), CHANNEL, proposal);
	});
}

#[test]
fn what_waits_and_was_overtaken_is_noticed() {
	is_noticed_where_approvals_count(|| {
		Proposals::<Test>::mutate(drone(), CHANNEL, |it| it.as_mut().unwrap().record.sequence = 1);
	});
}

#[test]
fn a_repeated_approval_is_noticed() {
	is_noticed_where_approvals_count(|| {
		Proposals::<Test>::mutate(drone(), CHANNEL, |it| {
			it.as_mut().unwrap().approvals.try_push(approver(1).into()).unwrap();
		});
	});
	is_noticed_where_approvals_count(|| {
		Approvals::<Test>::mutate(drone(), CHANNEL, |it| {
			it.as_mut().unwrap().by.try_push(approver(1).into()).unwrap();
		});
	});
}

#[test]
fn approvals_of_nobody_or_of_another_delivery_are_noticed() {
	is_noticed_where_approvals_count(|| {
		Approvals::<Test>::mutate(drone(), CHANNEL, |it| it.as_mut().unwrap().by.clear());
	});
	is_noticed_where_approvals_count(|| {
		Approvals::<Test>::mutate(drone(), CHANNEL, |it| {
			it.as_mut().unwrap().delivery = DeliveryId([5; 32]);
		});
	});
}
