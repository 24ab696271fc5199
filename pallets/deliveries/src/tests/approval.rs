//! Deliveries that wait for approvals.

use super::{
	doubles::{TestOrganisations, TestRegistry, TestTime},
	mock::*,
};
use crate::{Approvals, Call, Deliveries, Proposals, weights::WeightInfo};
use dpki_primitives::{
	approval::{ApprovalRecord, PROPOSAL_LIFETIME},
	delivery::{DeliveryRecord, Suite},
	ids::{BlobDigest, KeyId, OrganisationId},
	organisation::{DeliveryPolicy, Role},
	revocation::{Revocation, RevocationReason},
	status::Status,
};
use frame_support::{assert_ok, dispatch::DispatchResultWithPostInfo};
use sp_runtime::{AccountId32, DispatchError};

const REVOKED: Status =
	Status::Revoked(Revocation { reason: RevocationReason::KeyCompromise, at: NOW });

/// An organisation where so many of three watchdogs have to approve.
fn watched(needed: u32) {
	for number in 1..=3 {
		TestOrganisations::give(ACME, approver(number), Role::Watchdog);
	}
	TestOrganisations::set_policy(DeliveryPolicy::Watchdogs { needed });
}

/// An organisation where an anchor manager has to approve; the publisher is one, too.
fn multi_admin() {
	TestOrganisations::give(ACME, approver(1), Role::AnchorManager);
	TestOrganisations::give(ACME, publisher(), Role::AnchorManager);
	TestOrganisations::set_policy(DeliveryPolicy::MultiAdmin);
}

fn digest() -> BlobDigest {
	BlobDigest::of(&envelope(100))
}

fn withdraw(who: AccountId32) -> sp_runtime::DispatchResult {
	Pallet::withdraw(RuntimeOrigin::signed(who), drone(), CHANNEL, delivery_id(CHANNEL, 1))
}

/// The call is refused and changes nothing.
fn is_refused(result: impl FnOnce() -> DispatchResultWithPostInfo, error: Error) {
	let before = (
		Proposals::<Test>::get(drone(), CHANNEL),
		Deliveries::<Test>::get(drone(), CHANNEL),
		events(),
	);
	let refused = frame_support::storage::with_storage_layer(|| result().map_err(|e| e.error));
	assert_eq!(refused.map(|_| ()), Err(error.into()));
	let after = (
		Proposals::<Test>::get(drone(), CHANNEL),
		Deliveries::<Test>::get(drone(), CHANNEL),
		events(),
	);
	assert_eq!(after, before);
}

#[test]
fn what_needs_approval_waits_and_is_no_delivery() {
	let indexed = run(|| {
		watched(1);
		publish(1);
		assert_eq!(Deliveries::<Test>::get(drone(), CHANNEL), None);
		let proposal = Proposals::<Test>::get(drone(), CHANNEL).unwrap();
		assert_eq!((proposal.record.sequence, proposal.record.digest), (1, digest()));
		assert_eq!(proposal.expires_at, NOW + PROPOSAL_LIFETIME);
		assert!(proposal.approvals.is_empty());
		assert!(matches!(&events()[..], [Event::DeliveryProposed { sequence: 1, .. }]));
	});
	// Who approves has to be able to fetch it.
	assert_eq!(indexed.len(), 1);
}

#[test]
fn with_the_last_approval_it_is_the_newest_delivery() {
	run(|| {
		watched(2);
		publish(1);
		assert_ok!(approve(approver(1), 1));
		assert_eq!(Deliveries::<Test>::get(drone(), CHANNEL), None);
		assert!(matches!(events().pop(), Some(Event::DeliveryApproved { missing: 1, .. })));
		assert_ok!(approve(approver(3), 1));
		let delivery = Deliveries::<Test>::get(drone(), CHANNEL).unwrap();
		assert_eq!((delivery.sequence, delivery.publisher), (1, publisher().into()));
		assert_eq!(Proposals::<Test>::get(drone(), CHANNEL), None);
		let by = vec![approver(1).into(), approver(3).into()].try_into().unwrap();
		let record = ApprovalRecord { delivery: delivery_id(CHANNEL, 1), by };
		assert_eq!(Approvals::<Test>::get(drone(), CHANNEL), Some(record));
		let [.., approved, published] = &events()[..] else { panic!("two events") };
		assert!(matches!(approved, Event::DeliveryApproved { missing: 0, .. }));
		assert!(matches!(published, Event::DeliveryPublished { sequence: 1, .. }));
	});
}

#[test]
fn every_watchdog_can_be_needed() {
	run(|| {
		watched(3);
		publish(1);
		for number in 1..=3 {
			assert_eq!(Deliveries::<Test>::get(drone(), CHANNEL), None);
			assert_ok!(approve(approver(number), 1));
		}
		assert!(Deliveries::<Test>::contains_key(drone(), CHANNEL));
	});
}

#[test]
fn under_multi_admin_another_account_approves() {
	run(|| {
		multi_admin();
		publish(1);
		is_refused(|| approve(publisher(), 1), Error::ApproverIsPublisher);
		assert_ok!(approve(approver(1), 1));
		assert!(Deliveries::<Test>::contains_key(drone(), CHANNEL));
	});
}

#[test]
fn a_publisher_who_is_a_watchdog_is_one_of_them() {
	run(|| {
		watched(2);
		TestOrganisations::give(ACME, publisher(), Role::Watchdog);
		publish(1);
		assert_ok!(approve(publisher(), 1));
		assert_eq!(Deliveries::<Test>::get(drone(), CHANNEL), None);
		assert_ok!(approve(approver(1), 1));
		assert!(Deliveries::<Test>::contains_key(drone(), CHANNEL));
	});
}

#[test]
fn who_has_not_the_role_does_not_approve() {
	run(|| {
		watched(1);
		TestOrganisations::give(ACME, approver(9), Role::Administrator);
		TestOrganisations::give(ACME, approver(9), Role::AnchorManager);
		publish(1);
		is_refused(|| approve(approver(9), 1), Error::RoleMissing);
		is_refused(|| approve(AccountId32::new([3; 32]), 1), Error::RoleMissing);
		assert_eq!(
			Pallet::approve(RuntimeOrigin::root(), drone(), CHANNEL, delivery_id(CHANNEL, 1))
				.map_err(|e| e.error),
			Err(DispatchError::BadOrigin)
		);
	});
}

#[test]
fn nobody_approves_twice() {
	run(|| {
		watched(2);
		publish(1);
		assert_ok!(approve(approver(1), 1));
		is_refused(|| approve(approver(1), 1), Error::ApprovalRepeated);
	});
}

#[test]
fn an_approval_is_one_of_exactly_this_delivery() {
	run(|| {
		watched(1);
		is_refused(|| approve(approver(1), 1), Error::ProposalUnknown);
		publish(1);
		is_refused(|| approve(approver(1), 2), Error::ProposalUnknown);
		let origin = || RuntimeOrigin::signed(approver(1));
		let record = Proposals::<Test>::get(drone(), CHANNEL).unwrap().record;
		let changes: [fn(&mut DeliveryRecord); 7] = [
			|it| it.organisation = OrganisationId([9; 32]),
			|it| it.publisher = [9; 32],
			|it| it.sequence = 2,
			|it| it.suite = Suite::SharedX25519,
			|it| it.recipient = KeyId([9; 32]),
			|it| it.digest = BlobDigest([9; 32]),
			|it| it.length = 101,
		];
		for change in changes {
			let mut other = record.clone();
			change(&mut other);
			let id = other.id(drone(), CHANNEL);
			let approve = || Pallet::approve(origin(), drone(), CHANNEL, id);
			is_refused(approve, Error::ProposalUnknown);
			let withdraw =
				Pallet::withdraw(RuntimeOrigin::signed(publisher()), drone(), CHANNEL, id);
			assert_eq!(withdraw, Err(Error::ProposalUnknown.into()));
		}
		for (channel, of) in [(CHANNEL, other_channel()), (other_channel(), CHANNEL)] {
			let id = record.id(drone(), of);
			let approve = || Pallet::approve(origin(), drone(), channel, id);
			is_refused(approve, Error::ProposalUnknown);
		}
		assert_ok!(approve(approver(1), 1));
		is_refused(|| approve(approver(2), 1), Error::ProposalUnknown);
	});
}

#[test]
fn a_proposal_expires() {
	run(|| {
		watched(1);
		publish(1);
		TestTime::set(NOW + PROPOSAL_LIFETIME + 1);
		is_refused(|| approve(approver(1), 1), Error::ProposalExpired);
		TestTime::set(NOW + PROPOSAL_LIFETIME);
		assert_ok!(approve(approver(1), 1));
	});
}

#[test]
fn a_watchdog_who_is_none_any_more_is_not_counted() {
	run(|| {
		watched(2);
		publish(1);
		assert_ok!(approve(approver(1), 1));
		TestOrganisations::take(ACME, approver(1), Role::Watchdog);
		assert_ok!(approve(approver(2), 1));
		assert_eq!(Deliveries::<Test>::get(drone(), CHANNEL), None);
		assert!(matches!(events().pop(), Some(Event::DeliveryApproved { missing: 1, .. })));
		assert_ok!(approve(approver(3), 1));
		let by = Approvals::<Test>::get(drone(), CHANNEL).unwrap().by;
		assert_eq!(by.to_vec(), [approver(2), approver(3)].map(<[u8; 32]>::from));
	});
}

#[test]
fn a_newer_proposal_takes_the_place_of_the_older_one_without_its_approvals() {
	run(|| {
		watched(2);
		publish(1);
		assert_ok!(approve(approver(1), 1));
		publish(2);
		is_refused(|| approve(approver(2), 1), Error::ProposalUnknown);
		assert_ok!(approve(approver(2), 2));
		assert_eq!(Deliveries::<Test>::get(drone(), CHANNEL), None);
	});
}

/// What another publisher has published waits for the device.
fn another_has_published() {
	watched(2);
	TestOrganisations::add_publisher(ACME, approver(9));
	publish(1);
	assert_ok!(approve(approver(1), 1));
	Proposals::<Test>::mutate(drone(), CHANNEL, |proposal| {
		proposal.as_mut().unwrap().record.publisher = approver(9).into();
	});
}

/// The publisher publishes as well.
fn attempt() -> DispatchResultWithPostInfo {
	let attempt = apply(publish_call(2, envelope(100))).unwrap();
	attempt.map(|()| Default::default()).map_err(Into::into)
}

#[test]
fn nobody_displaces_what_another_has_published_as_long_as_it_can_be_approved() {
	run(|| {
		another_has_published();
		is_refused(attempt, Error::ProposalWaiting);
		TestTime::set(NOW + PROPOSAL_LIFETIME);
		is_refused(attempt, Error::ProposalWaiting);
		TestTime::set(NOW + PROPOSAL_LIFETIME + 1);
		assert_ok!(attempt());
		let waiting = Proposals::<Test>::get(drone(), CHANNEL).unwrap();
		assert_eq!(AccountId32::new(waiting.record.publisher), publisher());
		assert!(waiting.approvals.is_empty());
	});
}

#[test]
fn what_can_no_longer_be_approved_keeps_nobody_waiting() {
	run(|| {
		another_has_published();
		TestOrganisations::take(ACME, approver(9), Role::Publisher);
		assert_ok!(attempt());
	});
}

#[test]
fn only_the_publisher_withdraws() {
	run(|| {
		watched(1);
		TestOrganisations::add_publisher(ACME, approver(9));
		publish(1);
		let attempt = |who| withdraw(who).map(Into::into).map_err(Into::into);
		is_refused(|| attempt(approver(9)), Error::NotThePublisher);
		is_refused(|| attempt(approver(1)), Error::NotThePublisher);
		assert_ok!(withdraw(publisher()));
		assert_eq!(Proposals::<Test>::get(drone(), CHANNEL), None);
		let withdrawn = Event::ProposalWithdrawn {
			device: drone(),
			channel: CHANNEL,
			sequence: 1,
			digest: digest(),
		};
		assert_eq!(events().pop(), Some(withdrawn));
		is_refused(|| attempt(publisher()), Error::ProposalUnknown);
		is_refused(|| approve(approver(1), 1), Error::ProposalUnknown);
	});
}

#[test]
fn what_was_withdrawn_can_be_published_again_under_its_number() {
	run(|| {
		watched(1);
		publish(1);
		assert_ok!(withdraw(publisher()));
		publish(1);
		assert_ok!(approve(approver(1), 1));
		assert_eq!(Deliveries::<Test>::get(drone(), CHANNEL).unwrap().sequence, 1);
	});
}

#[test]
fn what_could_not_be_published_any_more_is_not_approved() {
	run(|| {
		watched(1);
		publish(1);
		TestOrganisations::take(ACME, publisher(), Role::Publisher);
		is_refused(|| approve(approver(1), 1), Error::PublisherLost);
		TestOrganisations::add_publisher(ACME, publisher());
		TestRegistry::set_key_status(recipient(), Status::Superseded);
		is_refused(|| approve(approver(1), 1), Error::RecipientNotValid);
		TestRegistry::set_key_status(recipient(), Status::Valid);
		TestRegistry::set_device_status(drone(), REVOKED);
		is_refused(|| approve(approver(1), 1), Error::DeviceNotValid);
		TestRegistry::set_device_status(drone(), Status::Valid);
		assert_ok!(approve(approver(1), 1));
	});
}

#[test]
fn a_policy_that_changed_meanwhile_is_the_one_that_holds() {
	run(|| {
		watched(2);
		publish(1);
		assert_ok!(approve(approver(1), 1));
		TestOrganisations::set_policy(DeliveryPolicy::MultiAdmin);
		is_refused(|| approve(approver(2), 1), Error::RoleMissing);
		// The watchdog's approval is none of an anchor manager's.
		TestOrganisations::give(ACME, approver(8), Role::AnchorManager);
		assert_ok!(approve(approver(8), 1));
		let by = Approvals::<Test>::get(drone(), CHANNEL).unwrap().by;
		assert_eq!(by.to_vec(), [approver(8)].map(<[u8; 32]>::from));
	});
}

#[test]
fn once_no_approval_is_needed_a_proposal_is_published_anew() {
	run(|| {
		watched(1);
		publish(1);
		TestOrganisations::set_policy(DeliveryPolicy::Simple);
		is_refused(|| approve(approver(1), 1), Error::ApprovalNotNeeded);
		publish(1);
		assert_eq!(Deliveries::<Test>::get(drone(), CHANNEL).unwrap().sequence, 1);
		assert_eq!(
			(Proposals::<Test>::get(drone(), CHANNEL), Approvals::<Test>::get(drone(), CHANNEL)),
			(None, None)
		);
	});
}

#[test]
fn approvals_are_those_of_the_newest_delivery() {
	run(|| {
		watched(1);
		publish(1);
		assert_ok!(approve(approver(1), 1));
		TestOrganisations::set_policy(DeliveryPolicy::Simple);
		publish(2);
		assert_eq!(Approvals::<Test>::get(drone(), CHANNEL), None);
	});
}

#[test]
fn what_waits_stands_above_the_newest_delivery() {
	run(|| {
		publish(3);
		watched(1);
		for sequence in [2, 3] {
			let refused = apply(publish_call(sequence, envelope(100))).unwrap();
			assert_eq!(refused, Err(Error::DeliveryOutdated.into()));
		}
		publish(4);
		// The device follows the old one until the new one is approved.
		assert_eq!(Deliveries::<Test>::get(drone(), CHANNEL).unwrap().sequence, 3);
	});
}

#[test]
fn an_approval_costs_what_it_counted() {
	run(|| {
		watched(2);
		publish(1);
		type Weights = crate::weights::SubstrateWeight<Test>;
		let first = approve(approver(1), 1).unwrap().actual_weight;
		let second = approve(approver(2), 1).unwrap().actual_weight;
		assert_eq!((first, second), (Some(Weights::approve(0)), Some(Weights::approve(1))));
	});
}

#[test]
fn an_approval_can_come_through_any_wrapper() {
	run(|| {
		watched(1);
		TestOrganisations::give(ACME, publisher(), Role::Watchdog);
		publish(1);
		let delivery = delivery_id(CHANNEL, 1);
		let call = Call::approve { device: drone(), channel: CHANNEL, delivery }.into();
		assert_ok!(apply(pallet_utility::Call::batch_all { calls: vec![call] }.into()).unwrap());
		assert!(Deliveries::<Test>::contains_key(drone(), CHANNEL));
	});
}
