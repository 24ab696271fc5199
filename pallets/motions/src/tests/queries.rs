//! What clients are told before they vote.

use super::mock::*;
use crate::Calls;
use codec::Encode;
use dpki_primitives::motion::{Quorum, Tally};
use frame_support::{BoundedVec, assert_ok, dispatch::GetDispatchInfo};

#[test]
fn the_bounds_of_a_call_are_those_that_a_deciding_vote_needs() {
	run(|| {
		let id = proposed(1, 7);
		let (length, weight) = Pallet::call_bounds(id).unwrap();
		assert_eq!(length, note(7).encoded_size() as u32);
		assert_eq!(weight, note(7).get_dispatch_info().call_weight);
		assert_eq!(Pallet::call_bounds(99), None);
	});
	new_test_ext().execute_with(|| {
		let id = proposed(1, 7);
		Calls::<Test>::insert(id, BoundedVec::truncate_from(vec![0xff]));
		assert_eq!(Pallet::call_bounds(id), None);
	});
}

#[test]
fn the_tally_is_that_of_the_present_seats() {
	run(|| {
		Council::set([1, 2, 3, 4, 5]);
		let id = proposed(1, 7);
		assert_ok!(vote(2, id, false));
		Council::set([2, 3, 4, 5]);
		let quorum = Quorum::two_thirds(4);
		assert_eq!(Pallet::current_tally(id), Some(Tally { ayes: 0, nays: 1, quorum }));
		assert_eq!(motion(id).tally.ayes, 1, "the record is that of the newest vote");
		assert_eq!(Pallet::current_tally(99), None);
		Council::set([]);
		assert_eq!(Pallet::current_tally(id), None);
	});
}
