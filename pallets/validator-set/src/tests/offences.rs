//! What becomes of those who were proven to have voted twice.

use super::mock::*;
use dpki_primitives::validator::ValidatorStanding;
use frame_support::{assert_noop, assert_ok};

#[test]
fn who_has_voted_twice_is_removed() {
	run(|| {
		pass_to_session(1);
		catch(2, 1);
		assert_eq!(events(), [Event::OffenderRemoved { validator: 2, session: 1 }]);
		assert_eq!(barred(), [2]);
		pass_to_session(2);
		assert_eq!(barred(), [2]);
		pass_to_session(3);
		assert_eq!(Session::validators(), [1, 3, 4]);
		assert_eq!((record(2), Session::load_keys(&2)), (None, None));
	});
}

#[test]
fn who_is_needed_for_the_minimum_is_kept_and_makes_no_blocks() {
	run(|| {
		assert_ok!(set_bounds(4, 8));
		catch(2, 0);
		let kept = Event::OffenderKept { validator: 2, session: 0 };
		assert_eq!(events().last(), Some(&kept));
		let record = record(2).unwrap();
		assert_eq!((record.standing, record.caught), (ValidatorStanding::Enabled, Some(0)));

		pass_to_session(4);
		assert_eq!((Session::validators(), barred()), (vec![1, 2, 3, 4], vec![2]));
		// A change of the set does not let it make blocks again.
		assert_ok!(set_keys(3, 203));
		pass_to_session(6);
		assert_eq!((Changes::get(), barred()), (1, vec![2]));
	});
}

#[test]
fn who_was_kept_goes_as_soon_as_another_can_serve() {
	run(|| {
		assert_ok!(set_bounds(4, 8));
		catch(2, 0);
		add_with_keys(5);
		pass_to_session(1);
		assert_eq!(
			events(),
			[
				Event::OffenderRemoved { validator: 2, session: 0 },
				Event::SetPlanned { session: 2, validators: 4 },
			]
		);
		pass_to_session(2);
		assert_eq!(Session::validators(), [1, 3, 4, 5]);
	});
}

#[test]
fn who_was_kept_can_be_forgiven() {
	run(|| {
		assert_ok!(set_bounds(4, 8));
		catch(2, 0);
		assert_ok!(enable(2));
		assert_eq!((record(2).unwrap().caught, barred()), (None, vec![]));
		assert_noop!(enable(2), Error::ValidatorIsEnabled);
	});
}

#[test]
fn the_last_validator_goes_on_making_blocks() {
	chain_of(1, 1).execute_with(|| {
		catch(1, 0);
		assert_eq!(events(), [Event::OffenderKept { validator: 1, session: 0 }]);
		assert!(barred().is_empty());
		end_sessions(3);
		assert_eq!(Session::validators(), [1]);
	});
}

#[test]
fn many_who_have_voted_twice_do_not_stop_the_chain() {
	run(|| {
		(1..=4).for_each(|validator| catch(validator, 0));
		// One can be spared, and one can be kept from making blocks.
		assert_eq!(barred(), [1]);
		pass_to_session(2);
		assert_eq!(Session::validators(), [2, 3, 4]);
		assert!(barred().is_empty(), "of three nobody can be spared");
		for validator in 2..=4 {
			assert_eq!(record(validator).unwrap().caught, Some(0));
		}
	});
}

#[test]
fn the_second_report_about_one_incident_changes_nothing() {
	run(|| {
		assert_ok!(set_bounds(4, 8));
		System::reset_events();
		catch(2, 0);
		catch(2, 0);
		assert_eq!(events(), [Event::OffenderKept { validator: 2, session: 0 }]);
		assert_ok!(set_bounds(3, 8));
		System::reset_events();
		catch(3, 0);
		catch(3, 0);
		assert_eq!(events(), [Event::OffenderRemoved { validator: 3, session: 0 }]);
	});
}

#[test]
fn what_was_before_the_last_decision_in_its_favour_is_forgiven() {
	run(|| {
		catch(2, 0);
		pass_to_session(2);
		assert_eq!(record(2), None);
		assert_ok!(add(2));
		assert_ok!(set_keys(2, 202));
		catch(2, 0);
		catch(2, 2);
		assert_eq!(record(2).unwrap().standing, ValidatorStanding::Enabled);

		pass_to_session(4);
		assert_eq!(Session::validators(), [1, 2, 3, 4]);
		catch(2, 3);
		assert_eq!(record(2).unwrap().standing, ValidatorStanding::Leaving);
	});
}

#[test]
fn who_is_disabled_or_leaving_answers_too() {
	run(|| {
		assert_ok!(disable(1));
		catch(1, 0);
		assert_eq!(record(1).unwrap().standing, ValidatorStanding::Leaving);
		add_with_keys(5);
		assert_ok!(remove(2));
		System::reset_events();
		catch(2, 0);
		assert!(events().is_empty());
		assert_eq!(record(2).unwrap().caught, Some(0));
	});
}

#[test]
fn who_is_no_validator_any_more_has_nothing_to_lose() {
	run(|| {
		catch(9, 0);
		assert!(events().is_empty());
	});
}
