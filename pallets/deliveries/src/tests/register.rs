//! What other pallets are told of deliveries.

use super::{doubles::TestTime, mock::*};
use crate::Proposals;
use dpki_primitives::{
	approval::{PROPOSAL_LIFETIME, Proposal},
	delivery::{DeliveryRegister, DeliveryStanding},
	ids::DeviceId,
};

fn standing(sequence: u64) -> DeliveryStanding {
	Pallet::standing(drone(), CHANNEL, sequence)
}

/// Lets a delivery of this number wait for approvals, beside the newest one.
fn wait(sequence: u64) {
	let mut record = crate::Deliveries::<Test>::get(drone(), CHANNEL).unwrap();
	record.sequence = sequence;
	let (expires_at, approvals) = (NOW + PROPOSAL_LIFETIME, Default::default());
	let proposal = Proposal { record, expires_at, approvals };
	Proposals::<Test>::insert(drone(), CHANNEL, proposal);
}

#[test]
fn the_newest_delivery_stands_and_those_before_it_are_outdated() {
	run(|| {
		assert_eq!(standing(1), DeliveryStanding::Missing);
		publish(1);
		assert_eq!(standing(1), DeliveryStanding::Stands);
		next_block();
		publish(2);
		assert_eq!(standing(1), DeliveryStanding::Outdated);
		assert_eq!(standing(2), DeliveryStanding::Stands);
		assert_eq!(standing(3), DeliveryStanding::Missing);
		let elsewhere = Pallet::standing(drone(), other_channel(), 2);
		assert_eq!(elsewhere, DeliveryStanding::Missing);
		let nobody = Pallet::standing(DeviceId([5; 32]), CHANNEL, 2);
		assert_eq!(nobody, DeliveryStanding::Missing);
	});
}

#[test]
fn what_waits_for_approvals_stands_as_long_as_it_can_be_approved() {
	run(|| {
		publish(1);
		wait(3);
		for (sequence, expected) in [
			(1, DeliveryStanding::Stands),
			(2, DeliveryStanding::Outdated),
			(3, DeliveryStanding::Stands),
			(4, DeliveryStanding::Missing),
		] {
			assert_eq!(standing(sequence), expected, "{sequence}");
		}
		TestTime::set(NOW + PROPOSAL_LIFETIME);
		assert_eq!(standing(3), DeliveryStanding::Stands);
		TestTime::set(NOW + PROPOSAL_LIFETIME + 1);
		assert_eq!(standing(3), DeliveryStanding::Missing);
		assert_eq!(standing(1), DeliveryStanding::Stands);
	});
}

#[test]
fn what_was_withdrawn_is_missing() {
	run(|| {
		publish(1);
		wait(2);
		assert_eq!(standing(2), DeliveryStanding::Stands);
		Proposals::<Test>::remove(drone(), CHANNEL);
		assert_eq!(standing(2), DeliveryStanding::Missing);
	});
}
