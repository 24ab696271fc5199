//! `withdraw` and `close`.

use super::mock::*;
use dpki_primitives::motion::MotionState;
use frame_support::{assert_ok, dispatch::Pays};
use sp_runtime::DispatchError;

#[test]
fn a_proposer_takes_a_motion_back_with_a_reason() {
	run(|| {
		let id = proposed(1, 7);
		events();
		go_to(3);
		assert_ok!(Pallet::withdraw(signed(1), id, reason("a mistake")));
		assert_eq!(state(id), MotionState::Withdrawn { at: 3, reason: reason("a mistake") });
		assert_eq!(held(1), 0);
		assert_eq!(events(), [Event::Withdrawn { motion: id, reason: reason("a mistake") }]);
	});
}

#[test]
fn a_proposer_without_a_seat_still_takes_it_back() {
	run(|| {
		let id = proposed(1, 7);
		Council::set([2, 3, 4]);
		assert_ok!(Pallet::withdraw(signed(1), id, reason("")));
	});
}

#[test]
fn nobody_else_takes_a_motion_back() {
	run(|| {
		let id = proposed(1, 7);
		for who in [2, 9] {
			refused(Error::NotProposer, || Pallet::withdraw(signed(who), id, reason("")));
		}
		for origin in [RuntimeOrigin::root(), RuntimeOrigin::none(), COUNCIL_ELECTORATE.into()] {
			refused(DispatchError::BadOrigin, || Pallet::withdraw(origin, id, reason("")));
		}
	});
}

#[test]
fn what_is_not_open_is_not_taken_back() {
	run(|| {
		refused(Error::MotionUnknown, || Pallet::withdraw(signed(1), 0, reason("")));
		let carried = proposed(1, 7);
		assert_ok!(vote(2, carried, true));
		refused(Error::MotionClosed, || Pallet::withdraw(signed(1), carried, reason("")));
		let late = proposed(1, 8);
		go_to(12);
		refused(Error::DeadlinePassed, || Pallet::withdraw(signed(1), late, reason("")));
	});
}

#[test]
fn anyone_closes_what_is_past_its_deadline_for_free_and_nothing_is_dispatched() {
	run(|| {
		let id = proposed(1, 7);
		events();
		go_to(11);
		refused(Error::DeadlineNotPassed, || refusal(Pallet::close(signed(9), id)));
		go_to(12);
		assert_eq!(Pallet::close(signed(9), id).unwrap().pays_fee, Pays::No);
		assert_eq!(state(id), MotionState::Expired { at: 12 });
		assert_eq!((held(1), noted(7)), (0, 0));
		assert_eq!(events(), [Event::Expired { motion: id }]);
	});
}

#[test]
fn a_motion_is_closed_once() {
	run(|| {
		refused(Error::MotionUnknown, || refusal(Pallet::close(signed(9), 0)));
		let id = proposed(1, 7);
		go_to(12);
		assert_ok!(Pallet::close(signed(9), id));
		refused(Error::MotionClosed, || refusal(Pallet::close(signed(9), id)));
	});
}

#[test]
fn nobody_closes_without_an_account() {
	run(|| {
		let id = proposed(1, 7);
		go_to(12);
		for origin in [RuntimeOrigin::root(), RuntimeOrigin::none(), COUNCIL_ELECTORATE.into()] {
			refused(DispatchError::BadOrigin, || refusal(Pallet::close(origin, id)));
		}
	});
}
