//! How closed motions leave the state.

use super::mock::*;
use crate::{
	Ballots, Calls, Closed, ClosedRange, Motions, WeightInfo, retention::MAX_FORGOTTEN_PER_BLOCK,
};
use frame_support::{assert_ok, weights::Weight};

type Weights = <Test as crate::Config>::WeightInfo;

/// A motion that was carried in the present block.
fn carried(mark: u32) -> u32 {
	let id = proposed(1, mark);
	assert_ok!(vote(2, id, true));
	id
}

#[test]
fn a_closed_motion_stays_readable_for_the_retention_and_then_leaves_nothing() {
	run(|| {
		let id = carried(7);
		events();
		go_to(RETENTION);
		idle(Weight::MAX);
		assert!(Motions::<Test>::contains_key(id) && ballot(id, 2).is_some());
		assert!(events().is_empty());
		go_to(1 + RETENTION);
		idle(Weight::MAX);
		assert!(!Motions::<Test>::contains_key(id) && !Calls::<Test>::contains_key(id));
		assert_eq!(Ballots::<Test>::iter().count() + Closed::<Test>::iter().count(), 0);
		assert_eq!(ClosedRange::<Test>::get(), (0, 0));
		assert_eq!(events(), [Event::Forgotten { motion: id }]);
		refused(Error::MotionUnknown, || refusal(vote(3, id, true)));
	});
}

#[test]
fn open_motions_are_never_removed() {
	run(|| {
		let id = proposed(1, 7);
		go_to(1_000);
		idle(Weight::MAX);
		assert!(Motions::<Test>::contains_key(id));
		assert!(held(1) > 0);
	});
}

#[test]
fn the_order_of_closing_decides_not_the_order_of_proposing() {
	run(|| {
		let (early, late) = (proposed(1, 7), proposed(1, 8));
		assert_ok!(vote(2, late, true));
		go_to(5);
		assert_ok!(vote(2, early, true));
		go_to(1 + RETENTION);
		idle(Weight::MAX);
		assert!(Motions::<Test>::contains_key(early) && !Motions::<Test>::contains_key(late));
	});
}

#[test]
fn a_bounded_number_is_removed_per_block() {
	run(|| {
		let count = MAX_FORGOTTEN_PER_BLOCK + 3;
		(0..count).for_each(|mark| {
			carried(mark);
		});
		go_to(1 + RETENTION);
		idle(Weight::MAX);
		assert_eq!(Motions::<Test>::iter().count(), 3);
		idle(Weight::MAX);
		assert_eq!(Motions::<Test>::iter().count(), 0);
	});
}

#[test]
fn a_full_block_removes_nothing() {
	run(|| {
		let id = carried(7);
		go_to(1 + RETENTION);
		let enough = Weights::on_idle_base() + Weights::forget(MAX_VOTES);
		for low in
			[Weight::zero(), enough - Weight::from_parts(1, 0), enough - Weight::from_parts(0, 1)]
		{
			assert_eq!(idle(low), Weight::zero());
			assert!(Motions::<Test>::contains_key(id));
		}
		assert!(idle(enough).all_lte(enough));
		assert!(!Motions::<Test>::contains_key(id));
	});
}

#[test]
fn what_is_used_is_what_the_ballots_weigh() {
	run(|| {
		carried(7);
		go_to(1 + RETENTION);
		assert_eq!(
			idle(Weight::MAX),
			Weights::on_idle_base() + Weights::forget(2) + Weights::on_idle_base()
		);
	});
}
