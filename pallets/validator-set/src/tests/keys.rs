//! Who sets session keys, and of whom they are proven to be.

use super::mock::*;
use crate::{KeysInService, ServedKeys};
use frame_support::{assert_noop, assert_ok, traits::KeyOwnerProofSystem};
use sp_runtime::{KeyTypeId, key_types::DUMMY};

type SessionError = pallet_session::Error<Test>;

fn key(number: u64) -> (KeyTypeId, [u8; 8]) {
	(DUMMY, number.to_le_bytes())
}

#[test]
fn nobody_but_a_validator_sets_session_keys() {
	run(|| {
		assert_noop!(set_keys(9, 109), SessionError::NoAssociatedValidatorId);
		assert_ok!(add(9));
		assert_ok!(set_keys(9, 109));
	});
}

#[test]
fn keys_are_set_with_a_proof_of_their_owner_for_this_validator() {
	run(|| {
		assert_ok!(add(5));
		assert_noop!(set_keys_as(4, 5, 105), SessionError::InvalidProof);
		let none = Session::set_keys(RuntimeOrigin::signed(5), keys(105), vec![]);
		assert_noop!(none, SessionError::InvalidProof);
		assert_noop!(set_keys(5, 101), SessionError::DuplicatedKey);
		assert_ok!(set_keys(5, 105));
	});
}

#[test]
fn keys_are_not_set_while_changes_are_held() {
	run(|| {
		ChangesHeld::set(true);
		assert_noop!(set_keys(1, 201), SessionError::NoAssociatedValidatorId);
	});
}

#[test]
fn changed_keys_serve_from_the_session_after_next_and_their_owner_can_be_proven() {
	run(|| {
		assert_ok!(set_keys(2, 202));
		pass_to_session(1);
		assert_eq!(Authorities::get(), [101, 102, 103, 104]);
		assert_eq!(events(), [Event::SetPlanned { session: 2, validators: 4 }]);
		pass_to_session(2);
		assert_eq!(Authorities::get(), [101, 202, 103, 104]);
		let proof = ServedKeys::<Test>::prove(key(202)).unwrap();
		pass_to_session(4);
		// The history would be that of the old key if the new one had not made a set of its own.
		assert_eq!(ServedKeys::<Test>::check_proof(key(202), proof), Some((2, ())));
		assert_eq!(Changes::get(), 1);
	});
}

#[test]
fn who_sets_other_keys_is_still_proven_to_have_those_that_serve() {
	run(|| {
		assert_ok!(set_keys(2, 202));
		assert_eq!(Historical::check_proof(key(102), Historical::prove(key(102)).unwrap()), None);

		let proof = ServedKeys::<Test>::prove(key(102)).unwrap();
		assert_eq!(ServedKeys::<Test>::check_proof(key(102), proof.clone()), Some((2, ())));
		pass_to_session(1);
		assert_eq!(ServedKeys::<Test>::check_proof(key(102), proof), Some((2, ())));
		let later = ServedKeys::<Test>::prove(key(102)).unwrap();
		assert_eq!(ServedKeys::<Test>::check_proof(key(102), later), Some((2, ())));
		// Looking into the past has changed nothing.
		assert_eq!(Session::load_keys(&2), Some(keys(202)));
	});
}

#[test]
fn keys_that_do_not_serve_are_nobodys() {
	run(|| {
		assert_ok!(set_keys(2, 202));
		let proof = ServedKeys::<Test>::prove(key(202)).unwrap();
		assert_eq!(ServedKeys::<Test>::check_proof(key(202), proof), None);
	});
}

#[test]
fn the_keys_in_service_are_written_down_when_they_change() {
	run(|| {
		let numbers = || -> Vec<_> {
			KeysInService::<Test>::get().iter().map(|(_, keys)| keys.number.0).collect()
		};
		assert_eq!(numbers(), [101, 102, 103, 104]);
		assert_ok!(set_keys(2, 202));
		pass_to_session(1);
		assert_eq!(numbers(), [101, 102, 103, 104]);
		pass_to_session(2);
		assert_eq!(numbers(), [101, 202, 103, 104]);
	});
}

#[test]
fn a_key_of_who_is_forgotten_can_be_used_by_another() {
	run(|| {
		assert_ok!(remove(2));
		assert_ok!(add(5));
		assert_noop!(set_keys(5, 102), SessionError::DuplicatedKey);
		pass_to_session(2);
		assert_ok!(set_keys(5, 102));
	});
}
