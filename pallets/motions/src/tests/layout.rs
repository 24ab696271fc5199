//! Where the records lie, and what is noticed when they are wrong.

use super::mock::*;
use crate::{Ballots, Calls, Closed, ClosedRange, Motions, NextMotion, OpenMotions};
use dpki_primitives::{
	motion::{Ballot, MotionState},
	storage_keys,
};
use frame_support::{
	BoundedVec, assert_ok,
	storage::storage_prefix,
	traits::{GetStorageVersion, Hooks, StorageVersion, fungible::MutateHold, tokens::Precision},
};

#[test]
fn records_lie_where_clients_look_for_them() {
	run(|| {
		assert_eq!(NextMotion::<Test>::hashed_key().to_vec(), storage_keys::next_motion());
		assert_eq!(Motions::<Test>::hashed_key_for(7), storage_keys::motion(7));
		assert_eq!(Calls::<Test>::hashed_key_for(7), storage_keys::motion_call(7));
		// The accounts of this runtime are shorter than those of the chain; the hasher is what is compared.
		let start = storage_prefix(b"Motions", b"Ballots").to_vec();
		let ours = Ballots::<Test>::hashed_key_for(7, 9);
		let theirs = storage_keys::ballot(7, &[9; 32]);
		assert!(ours.starts_with(&start) && theirs.starts_with(&start));
		let motion = start.len() + 8 + 4;
		assert_eq!(ours[..motion], theirs[..motion]);
		let blake2 = |account: &[u8]| sp_io::hashing::blake2_128(account).to_vec();
		assert_eq!(ours[motion..motion + 16], blake2(&9u64.to_le_bytes()));
		assert_eq!(theirs[motion..motion + 16], blake2(&[9; 32]));
	});
}

#[test]
fn the_storage_layout_is_version_1() {
	run(|| assert_eq!(Pallet::in_code_storage_version(), StorageVersion::new(1)));
}

#[test]
fn the_constants_of_this_runtime_fit_together() {
	run(Pallet::integrity_test);
}

/// Runs `corrupt` on a state with an open motion (0) and two closed ones (1, 2), and expects the check of the state to
/// notice.
fn is_noticed(corrupt: impl FnOnce()) {
	new_test_ext().execute_with(|| {
		proposed(1, 7);
		for mark in [8, 9] {
			let id = proposed(2, mark);
			assert_ok!(vote(3, id, true));
			go_to(System::block_number() + 1);
		}
		assert_ok!(Pallet::do_try_state());
		corrupt();
		assert!(Pallet::do_try_state().is_err());
	});
}

fn change(id: u32, change: impl FnOnce(&mut crate::MotionOf<Test>)) {
	Motions::<Test>::mutate(id, |motion| change(motion.as_mut().unwrap()));
}

#[test]
fn a_number_that_was_not_given_is_noticed() {
	is_noticed(|| NextMotion::<Test>::put(2));
}

#[test]
fn a_missing_or_exchanged_call_is_noticed() {
	is_noticed(|| Calls::<Test>::remove(0));
	is_noticed(|| Calls::<Test>::insert(0, BoundedVec::truncate_from(vec![1])));
	is_noticed(|| {
		let mut call = Calls::<Test>::get(0).unwrap();
		call[0] ^= 1;
		Calls::<Test>::insert(0, call);
	});
}

#[test]
fn miscounted_ballots_are_noticed() {
	is_noticed(|| change(0, |motion| motion.ballots += 1));
	is_noticed(|| change(0, |motion| motion.tally.nays += 1));
	let ballot = Ballot { aye: true, reason: reason(""), at: 1 };
	is_noticed(|| Ballots::<Test>::insert(0, 3, ballot));
}

#[test]
fn a_decision_that_the_votes_do_not_support_is_noticed() {
	is_noticed(|| change(1, |motion| motion.tally.ayes = 1));
	is_noticed(|| change(1, |motion| motion.state = MotionState::Rejected { at: 1 }));
	is_noticed(|| change(0, |motion| motion.tally.quorum.needed = 1));
}

#[test]
fn a_wrong_count_of_open_motions_is_noticed() {
	is_noticed(|| OpenMotions::<Test>::insert(1, 2));
	is_noticed(|| OpenMotions::<Test>::remove(1));
	is_noticed(|| OpenMotions::<Test>::insert(2, 1));
	is_noticed(|| OpenMotions::<Test>::insert(2, 0));
}

#[test]
fn a_deposit_that_differs_from_what_is_held_is_noticed() {
	is_noticed(|| {
		Balances::release(&HoldReason::Motion.into(), &1, 1, Precision::Exact).unwrap();
	});
	is_noticed(|| {
		Balances::hold(&HoldReason::Motion.into(), &2, 1).unwrap();
	});
}

#[test]
fn a_wrong_queue_is_noticed() {
	is_noticed(|| Closed::<Test>::remove(1));
	is_noticed(|| Closed::<Test>::insert(5, 0));
	is_noticed(|| Closed::<Test>::insert(0, 0));
	is_noticed(|| ClosedRange::<Test>::put((1, 2)));
	is_noticed(|| {
		Closed::<Test>::insert(0, 2);
		Closed::<Test>::insert(1, 1);
	});
}

#[test]
fn what_belongs_to_no_motion_is_noticed() {
	is_noticed(|| Calls::<Test>::insert(9, BoundedVec::truncate_from(vec![1])));
	let ballot = Ballot { aye: true, reason: reason(""), at: 1 };
	is_noticed(|| Ballots::<Test>::insert(9, 1, ballot));
}
