//! When a decision takes effect.

use super::mock::*;
use crate::HeldBack;
use frame_support::assert_ok;
use pallet_session::historical::StoredRange;

#[test]
fn sessions_pass_without_a_change() {
	run(|| {
		end_sessions(5);
		assert_eq!(Changes::get(), 0);
		assert_eq!(Authorities::get(), [101, 102, 103, 104]);
		assert!(events().is_empty());
	});
}

#[test]
fn an_admitted_validator_serves_from_the_session_after_next() {
	run(|| {
		pass_to_session(1);
		add_with_keys(5);

		pass_to_session(2);
		assert_eq!(events(), [Event::SetPlanned { session: 3, validators: 5 }]);
		assert_eq!(Session::validators(), [1, 2, 3, 4]);
		assert_eq!(Changes::get(), 0);

		pass_to_session(3);
		assert_eq!(System::block_number(), 3 * LENGTH);
		assert_eq!(Session::validators(), [1, 2, 3, 4, 5]);
		assert_eq!(Authorities::get(), [101, 102, 103, 104, 105]);
		assert!(events().is_empty());

		pass_to_session(6);
		assert_eq!(Changes::get(), 1);
	});
}

#[test]
fn a_validator_without_keys_waits_until_it_has_some() {
	run(|| {
		assert_ok!(add(5));
		pass_to_session(4);
		assert_eq!(Session::validators(), [1, 2, 3, 4]);
		assert_eq!(Changes::get(), 0);

		assert_ok!(set_keys(5, 105));
		pass_to_session(5);
		assert_eq!(Session::validators(), [1, 2, 3, 4]);
		pass_to_session(6);
		assert_eq!(Session::validators(), [1, 2, 3, 4, 5]);
	});
}

#[test]
fn a_removed_validator_serves_until_the_session_after_next() {
	run(|| {
		assert_ok!(remove(2));
		assert_eq!(events(), [Event::ValidatorRemoved { validator: 2 }]);
		pass_to_session(1);
		assert_eq!(Session::validators(), [1, 2, 3, 4]);
		assert!(barred().is_empty(), "it goes in good order");
		pass_to_session(2);
		assert_eq!(Session::validators(), [1, 3, 4]);
		assert_eq!(Authorities::get(), [101, 103, 104]);
		assert_eq!(events(), [Event::ValidatorForgotten { validator: 2 }]);
		assert_eq!(record(2), None);
		assert_eq!(Session::load_keys(&2), None);
	});
}

#[test]
fn a_disabled_validator_makes_no_blocks_and_serves_until_the_session_after_next() {
	run(|| {
		assert_ok!(disable(2));
		assert_eq!(barred(), [2]);
		pass_to_session(1);
		assert_eq!((Session::validators(), barred()), (vec![1, 2, 3, 4], vec![2]));
		pass_to_session(2);
		assert_eq!((Session::validators(), barred()), (vec![1, 3, 4], vec![]));
		assert!(Session::load_keys(&2).is_some(), "it keeps its keys");

		assert_ok!(enable(2));
		pass_to_session(4);
		assert_eq!(Session::validators(), [1, 2, 3, 4]);
	});
}

#[test]
fn a_change_that_was_planned_before_lets_nobody_make_blocks_who_may_not() {
	run(|| {
		add_with_keys(5);
		pass_to_session(1);
		assert_ok!(disable(2));
		// The set changes here, and with it the numbers of its members.
		pass_to_session(2);
		assert_eq!(Session::validators(), [1, 2, 3, 4, 5]);
		assert_eq!(barred(), [2]);
		pass_to_session(3);
		assert_eq!((Session::validators(), barred()), (vec![1, 3, 4, 5], vec![]));
	});
}

#[test]
fn all_that_was_decided_in_a_session_is_one_change() {
	run(|| {
		add_with_keys(5);
		add_with_keys(6);
		assert_ok!(remove(1));
		assert_ok!(disable(2));
		pass_to_session(4);
		assert_eq!(Session::validators(), [3, 4, 5, 6]);
		assert_eq!(Changes::get(), 1);
	});
}

#[test]
fn what_is_decided_and_taken_back_in_a_session_is_no_change() {
	run(|| {
		assert_ok!(disable(2));
		assert_ok!(enable(2));
		pass_to_session(3);
		assert_eq!(Changes::get(), 0);
	});
}

#[test]
fn nothing_is_planned_while_changes_are_held_and_all_of_it_afterwards() {
	run(|| {
		assert_ok!(remove(1));
		ChangesHeld::set(true);
		pass_to_session(3);
		assert_eq!(Session::validators(), [1, 2, 3, 4]);
		assert_eq!(Changes::get(), 0);

		ChangesHeld::set(false);
		pass_to_session(5);
		assert_eq!(Session::validators(), [2, 3, 4]);
	});
}

/// Finality while it waits for a forced change: of what sessions say it hears nothing.
#[test]
fn keys_that_were_set_before_changes_were_held_are_told_again_afterwards() {
	run(|| {
		assert_ok!(set_keys(2, 202));
		ChangesHeld::set(true);
		// Nobody plans a change, and `pallet-session` makes one all the same.
		pass_to_session(2);
		assert_eq!(Authorities::get(), [101, 202, 103, 104]);
		assert_eq!(Changes::get(), 1);
		assert!(HeldBack::<Test>::get());
		pass_to_session(4);
		assert_eq!(Changes::get(), 1);

		ChangesHeld::set(false);
		pass_to_session(5);
		assert_eq!(events(), [Event::SetPlanned { session: 6, validators: 4 }]);
		pass_to_session(6);
		assert_eq!(Authorities::get(), [101, 202, 103, 104]);
		assert_eq!(Changes::get(), 2);
		assert!(!HeldBack::<Test>::get());
		pass_to_session(9);
		assert_eq!(Changes::get(), 2);
	});
}

#[test]
fn nothing_is_told_again_if_nobody_had_set_keys() {
	run(|| {
		ChangesHeld::set(true);
		pass_to_session(2);
		ChangesHeld::set(false);
		pass_to_session(5);
		assert_eq!(Changes::get(), 0);
	});
}

#[test]
fn history_of_sessions_is_bounded() {
	run(|| {
		end_sessions(HISTORY + 10);
		let (first, end) = StoredRange::<Test>::get().unwrap();
		// Beyond the history: the session that has just ended, the current and the next one.
		assert!(end - first <= HISTORY + 3, "{first}..{end}");
	});
}
