//! How the call of a carried motion is dispatched: once, with its bounds, with its origin.

use super::{mock::*, probe};
use crate::Calls;
use dpki_primitives::motion::{Electorate, MotionState};
use frame_support::{BoundedVec, assert_ok, weights::Weight};
use sp_runtime::DispatchError;

#[test]
fn the_electorate_is_the_origin_of_the_call() {
	run(|| {
		let id = proposed(1, 7);
		assert_ok!(vote(2, id, true));
		assert_eq!(probe::Marks::<Test>::get(7), Some((1, Electorate::Council)));
		assert_ok!(propose(11, watchdogs(), note(8)));
		assert_ok!(vote(12, 1, true));
		assert_eq!(probe::Marks::<Test>::get(8), Some((1, watchdogs())));
	});
}

#[test]
fn the_deciding_vote_tells_that_it_carried_and_what_became_of_the_call() {
	run(|| {
		let id = proposed(1, 7);
		events();
		assert_ok!(vote(2, id, true));
		assert!(matches!(
			events()[..],
			[
				Event::Voted { .. },
				Event::Carried { motion: 0 },
				Event::Executed { motion: 0, result: Ok(()) },
			]
		));
	});
}

#[test]
fn a_call_that_fails_changes_nothing_and_is_not_tried_again() {
	run(|| {
		let call = probe::Call::note_and_fail { mark: 7 }.into();
		assert_ok!(propose(1, COUNCIL_ELECTORATE, call));
		assert_ok!(vote(2, 0, true));
		assert_eq!(state(0), MotionState::Carried { at: 1, succeeded: false });
		assert_eq!((noted(7), held(1)), (0, 0));
		let error: DispatchError = probe::Error::<Test>::ToldTo.into();
		let Some(Event::Executed { motion: 0, result: Err(told) }) = events().pop() else {
			panic!("the failure is not told");
		};
		assert_eq!(told.stripped(), error.stripped());
		refused(Error::MotionClosed, || refusal(vote(3, 0, true)));
	});
}

#[test]
fn a_call_that_the_origin_may_not_make_fails() {
	run(|| {
		let call = pallet_balances::Call::transfer_keep_alive { dest: 2, value: 1 }.into();
		assert_ok!(propose(1, COUNCIL_ELECTORATE, call));
		assert_ok!(vote(2, 0, true));
		assert_eq!(state(0), MotionState::Carried { at: 1, succeeded: false });
	});
}

#[test]
fn a_call_that_leads_back_to_its_own_motion_is_not_dispatched_again() {
	run(|| {
		let call = probe::Call::vote_again { voter: 3, motion: 0 }.into();
		assert_ok!(propose(1, COUNCIL_ELECTORATE, call));
		assert_ok!(vote(2, 0, true));
		assert_eq!(state(0), MotionState::Carried { at: 1, succeeded: false });
		let executed = |event: &Event| matches!(event, Event::Executed { .. });
		assert_eq!(events().iter().filter(|event| executed(event)).count(), 1);
	});
}

#[test]
fn a_vote_that_would_carry_needs_a_weight_bound_that_suffices() {
	run(|| {
		let id = proposed(1, 7);
		let (length, weight) = Pallet::call_bounds(id).unwrap();
		for low in
			[Weight::zero(), weight - Weight::from_parts(1, 0), weight - Weight::from_parts(0, 1)]
		{
			refused(Error::CallWeightBoundTooLow, || {
				refusal(Pallet::vote(signed(2), id, true, reason(""), length, low))
			});
		}
		assert_eq!(ballot(id, 2), None);
		assert_ok!(Pallet::vote(signed(2), id, true, reason(""), length, weight));
		assert_eq!(noted(7), 1);
	});
}

#[test]
fn a_vote_that_would_carry_needs_a_length_bound_that_suffices() {
	run(|| {
		let id = proposed(1, 7);
		let (length, weight) = Pallet::call_bounds(id).unwrap();
		refused(Error::CallLengthBoundTooLow, || {
			refusal(Pallet::vote(signed(2), id, true, reason(""), length - 1, weight))
		});
		assert_ok!(Pallet::vote(signed(2), id, true, reason(""), length, weight));
	});
}

#[test]
fn a_vote_that_decides_nothing_needs_no_bounds() {
	run(|| {
		let id = proposed(1, 7);
		assert_ok!(Pallet::vote(signed(2), id, false, reason(""), 0, Weight::zero()));
		assert_ok!(Pallet::vote(signed(3), id, false, reason(""), 0, Weight::zero()));
		assert_eq!(state(id), MotionState::Rejected { at: 1 });
	});
}

#[test]
fn a_motion_of_an_earlier_encoding_cannot_be_carried_but_rejected() {
	run(|| {
		let (first, second) = (proposed(1, 7), proposed(1, 8));
		TestVersion::upgrade();
		refused(Error::CallOutdated, || refusal(vote(2, first, true)));
		assert_ok!(vote(2, second, false));
		assert_ok!(vote(3, second, false));
		assert_eq!((state(second), noted(7)), (MotionState::Rejected { at: 1 }, 0));
		assert_ok!(Pallet::withdraw(signed(1), first, reason("to be proposed again")));
	});
}

#[test]
fn a_call_that_cannot_be_read_is_not_dispatched() {
	new_test_ext().execute_with(|| {
		let id = proposed(1, 7);
		let unreadable = BoundedVec::truncate_from(vec![0xff; 3]);
		Calls::<Test>::insert(id, unreadable);
		refused(Error::CallOutdated, || refusal(vote(2, id, true)));
	});
}
