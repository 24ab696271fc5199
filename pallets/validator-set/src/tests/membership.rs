//! Who is admitted, disabled, enabled and removed, and what is refused.

use super::mock::*;
use crate::Bounds;
use dpki_primitives::{
	ids::OrganisationId,
	organisation::Belongings,
	validator::{ValidatorBounds, ValidatorStanding},
};
use frame_support::{assert_noop, assert_ok, traits::Contains};
use sp_runtime::DispatchError;

#[test]
fn the_genesis_admits_all_who_have_session_keys() {
	run(|| {
		assert_eq!(Session::validators(), [1, 2, 3, 4]);
		for validator in 1..=4 {
			let record = record(validator).unwrap();
			assert_eq!(record.organisation, OrganisationId::CONSORTIUM);
			assert_eq!(record.standing, ValidatorStanding::Enabled);
			assert_eq!((record.answers_from, record.caught), (0, None));
		}
		assert_eq!(Bounds::<Test>::get(), ValidatorBounds { minimum: 3, maximum: 8 });
	});
}

#[test]
#[should_panic(expected = "the genesis has 2 validators, not 3 to 8")]
fn a_genesis_with_fewer_validators_than_the_minimum_is_refused() {
	chain_of(2, 3);
}

#[test]
#[should_panic(expected = "no set of validators has these bounds")]
fn a_genesis_without_a_minimum_is_refused() {
	chain_of(2, 0);
}

#[test]
fn nobody_but_the_council_decides() {
	run(|| {
		for who in [RuntimeOrigin::signed(1), RuntimeOrigin::none()] {
			let bad = DispatchError::BadOrigin;
			assert_noop!(ValidatorSet::add_validator(who.clone(), 5, acme()), bad);
			assert_noop!(ValidatorSet::remove_validator(who.clone(), 1), bad);
			assert_noop!(ValidatorSet::disable_validator(who.clone(), 1), bad);
			assert_noop!(ValidatorSet::enable_validator(who.clone(), 1), bad);
			assert_noop!(ValidatorSet::set_bounds(who, 1, 4), bad);
		}
		assert_noop!(ValidatorSet::leave(RuntimeOrigin::root()), DispatchError::BadOrigin);
	});
}

#[test]
fn a_validator_is_admitted_for_an_organisation_that_exists() {
	run(|| {
		let unknown = OrganisationId::from_name(b"nobody");
		assert_noop!(
			ValidatorSet::add_validator(RuntimeOrigin::root(), 5, unknown),
			Error::OrganisationUnknown
		);
		assert_ok!(add(5));
		let consortium = OrganisationId::CONSORTIUM;
		assert_ok!(ValidatorSet::add_validator(RuntimeOrigin::root(), 6, consortium));

		assert_eq!(record(5).unwrap().organisation, acme());
		let added = Event::ValidatorAdded { validator: 5, organisation: acme() };
		assert_eq!(events()[0], added);
		assert!(ValidatorSet::contains(&5) && !ValidatorSet::contains(&7));
		assert!(!ValidatorSet::is_empty(acme()) && ValidatorSet::is_empty(unknown));
	});
}

#[test]
fn a_validator_is_admitted_once() {
	run(|| {
		assert_noop!(add(1), Error::ValidatorExists);
		assert_ok!(disable(1));
		assert_noop!(add(1), Error::ValidatorExists);
	});
}

#[test]
fn a_validator_that_leaves_can_be_kept() {
	run(|| {
		assert_ok!(remove(1));
		assert_ok!(add(1));
		end_sessions(3);
		assert_eq!(Session::validators(), [1, 2, 3, 4]);
		assert_eq!(Changes::get(), 0);
	});
}

#[test]
fn no_more_are_admitted_than_the_maximum() {
	run(|| {
		for validator in 5..=8 {
			assert_ok!(add(validator));
		}
		assert_noop!(add(9), Error::TooManyValidators);

		// Who is leaving makes room, and cannot be kept when another has taken it.
		assert_ok!(remove(8));
		assert_ok!(add(9));
		assert_noop!(add(8), Error::TooManyValidators);
	});
}

#[test]
fn those_who_leave_count_until_they_are_forgotten_where_room_is_short() {
	run(|| {
		assert_ok!(set_bounds(3, 10));
		for validator in 5..=10 {
			assert_ok!(add(validator));
		}
		assert_ok!(remove(10));
		assert_noop!(add(11), Error::TooManyValidators);
		end_sessions(1);
		assert_ok!(add(11));
	});
}

#[test]
fn who_is_unknown_is_not_decided_about() {
	run(|| {
		assert_noop!(remove(9), Error::ValidatorUnknown);
		assert_noop!(disable(9), Error::ValidatorUnknown);
		assert_noop!(enable(9), Error::ValidatorUnknown);
		assert_noop!(leave(9), Error::ValidatorUnknown);
	});
}

#[test]
fn who_is_leaving_is_not_decided_about_again() {
	run(|| {
		assert_ok!(remove(1));
		assert_noop!(remove(1), Error::ValidatorIsLeaving);
		assert_noop!(disable(1), Error::ValidatorIsLeaving);
		assert_noop!(enable(1), Error::ValidatorIsLeaving);
		assert_noop!(leave(1), Error::ValidatorIsLeaving);
	});
}

#[test]
fn no_decision_leaves_fewer_than_the_minimum() {
	run(|| {
		assert_ok!(remove(1));
		assert_noop!(remove(2), Error::TooFewValidators);
		assert_noop!(disable(2), Error::TooFewValidators);
		assert_noop!(leave(2), Error::TooFewValidators);

		// One without keys does not stand in for one that serves, and is not missed itself.
		assert_ok!(add(5));
		assert_noop!(remove(2), Error::TooFewValidators);
		assert_ok!(disable(5));
		assert_ok!(enable(5));
		assert_ok!(set_keys(5, 105));
		assert_ok!(remove(2));
		assert_noop!(remove(5), Error::TooFewValidators);
	});
}

#[test]
fn a_validator_is_disabled_and_enabled_once() {
	run(|| {
		assert_noop!(enable(1), Error::ValidatorIsEnabled);
		assert_ok!(disable(1));
		assert_noop!(disable(1), Error::ValidatorIsDisabled);
		assert_eq!(barred(), [1]);
		assert_ok!(enable(1));
		assert!(barred().is_empty());
		assert_eq!(
			events(),
			[Event::ValidatorDisabled { validator: 1 }, Event::ValidatorEnabled { validator: 1 }]
		);
	});
}

#[test]
fn no_more_are_kept_from_making_blocks_than_the_set_can_do_without() {
	chain_of(5, 1).execute_with(|| {
		assert_ok!(disable(1));
		assert_ok!(disable(2));
		// One of five is what the set can do without; the other goes on until the set changes.
		assert_eq!(barred(), [1]);
		end_sessions(2);
		assert_eq!(Session::validators(), [3, 4, 5]);
	});
}

#[test]
fn bounds_are_those_of_a_set_that_can_be() {
	run(|| {
		assert_noop!(set_bounds(0, 4), Error::BoundsInvalid);
		assert_noop!(set_bounds(5, 4), Error::BoundsInvalid);
		assert_noop!(set_bounds(1, MAX_VALIDATORS + 1), Error::BoundsInvalid);
		assert_noop!(set_bounds(5, 8), Error::TooFewValidators);
		assert_noop!(set_bounds(1, 3), Error::TooManyValidators);

		assert_ok!(set_bounds(4, 4));
		let bounds = ValidatorBounds { minimum: 4, maximum: 4 };
		assert_eq!(events(), [Event::BoundsSet { bounds }]);
		assert_noop!(add(5), Error::TooManyValidators);
		assert_noop!(remove(1), Error::TooFewValidators);
	});
}

#[test]
fn the_account_of_a_founder_ends_with_its_record_if_nothing_else_holds_it() {
	run(|| {
		assert_eq!((System::providers(&4), System::consumers(&4)), (1, 1));
		assert_ok!(leave(4));
		end_sessions(2);
		assert_eq!((System::providers(&4), System::consumers(&4)), (0, 0));
	});
}

#[test]
fn the_account_of_a_validator_exists_as_long_as_its_record() {
	run(|| {
		assert_eq!(System::providers(&5), 0);
		add_with_keys(5);
		assert_eq!((System::providers(&5), System::consumers(&5)), (1, 1));
		end_sessions(2);
		assert_ok!(leave(5));
		assert_eq!(events(), [Event::ValidatorLeft { validator: 5 }]);
		end_sessions(3);
		assert_eq!(record(5), None);
		assert_eq!((System::providers(&5), System::consumers(&5)), (0, 0));
	});
}
