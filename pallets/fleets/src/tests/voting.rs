//! `vote`: who counts, and what follows.

use super::mock::*;
use crate::Votes;
use dpki_primitives::{Moment, fleet::Commitment, status::Status};
use frame_support::{assert_ok, dispatch::CheckIfFeeless};

fn vote_call(revision: u32, available: bool) -> Call {
	Call::vote { fleet: drones(), revision: revision_id(revision), available }
}

fn rotate(commitment: Commitment, grace: Moment) {
	let rotate = Call::rotate { fleet: drones(), commitment, grace };
	assert_ok!(transact(REGISTRAR, rotate));
}

#[test]
fn a_commitment_counts_when_more_than_two_thirds_hold_its_leaves() {
	run(|| {
		let commitment = commitment(5, 0);
		assert_ok!(commit(commitment));
		let proof = prove(&leaves(5, 0), 3);
		for voter in &VOTERS[..2] {
			assert_ok!(vote(*voter, 0, true));
			assert_eq!(Pallet::member_status(&proof), Status::Unknown);
		}
		assert_ok!(vote(VOTERS[2], 0, true));
		assert_eq!(Pallet::member_status(&proof), Status::Valid);
		assert_eq!(Pallet::fleet_status(drones()), Status::Valid);
		let head = fleet().current.unwrap();
		assert_eq!((head.revision, head.commitment, head.since), (0, commitment, NOW));
		let committed = Event::FleetCommitted { fleet: drones(), revision: 0, commitment };
		assert_eq!(events().last(), Some(&committed));
		// Who is late is heard too.
		assert_ok!(vote(VOTERS[3], 0, true));
	});
}

#[test]
fn who_is_no_voter_has_no_say() {
	run(|| {
		assert_ok!(commit(commitment(5, 0)));
		for who in [REGISTRAR, STRANGER] {
			is_refused(who, vote_call(0, true), Error::VoterUnknown);
		}
	});
}

#[test]
fn a_voter_says_the_same_once() {
	run(|| {
		assert_ok!(commit(commitment(5, 0)));
		assert_ok!(vote(VOTERS[0], 0, true));
		is_refused(VOTERS[0], vote_call(0, true), Error::VoteRepeated);
		assert_ok!(vote(VOTERS[0], 0, false));
		is_refused(VOTERS[0], vote_call(0, false), Error::VoteRepeated);
		assert_eq!(Votes::<Test>::get(drones(), 0).len(), 1);
	});
}

#[test]
fn nobody_votes_on_what_there_is_not() {
	run(|| {
		committed(5);
		for revision in [1, u32::MAX] {
			is_refused(VOTERS[0], vote_call(revision, true), Error::RevisionUnknown);
		}
	});
}

#[test]
fn a_vote_on_a_candidate_does_not_count_for_the_one_that_replaced_it() {
	run(|| {
		committed(5);
		rotate(commitment(5, 1), 0);
		let before = vote_call(1, true);
		assert_ok!(transact(VOTERS[0], before.clone()));
		rotate(commitment(5, 2), 0);
		is_refused(VOTERS[1], before.clone(), Error::RevisionUnknown);
		// Nor what was withdrawn in between, and proposed again.
		assert_ok!(transact(REGISTRAR, Call::withdraw { fleet: drones() }));
		is_refused(VOTERS[1], before.clone(), Error::RevisionUnknown);
		rotate(commitment(5, 1), 0);
		is_refused(VOTERS[1], before, Error::RevisionUnknown);
		assert!(Votes::<Test>::get(drones(), 3).is_empty());
	});
}

#[test]
fn a_vote_on_a_candidate_does_not_count_for_one_with_its_number_on_another_branch() {
	let votes = |change: &dyn Fn(&mut Commitment), grace| {
		let mut call = None;
		run(|| {
			committed(5);
			let mut other = commitment(5, 1);
			change(&mut other);
			rotate(other, grace);
			call = Some(vote_call(1, true));
		});
		call.unwrap()
	};
	let same = votes(&|_| (), 0);
	let others = [
		votes(&|it| it.size += 1, 0),
		votes(&|it| it.root[0] ^= 1, 0),
		votes(&|it| it.tiles.0[0] ^= 1, 0),
		votes(&|_| (), 1),
	];
	run(|| {
		committed(5);
		rotate(commitment(5, 1), 0);
		for other in others {
			is_refused(VOTERS[0], other.clone(), Error::RevisionUnknown);
			assert!(!other.is_feeless(&RuntimeOrigin::signed(VOTERS[0])));
		}
		assert_ok!(transact(VOTERS[0], same));
	});
}

#[test]
fn leaves_that_are_not_to_be_had_stop_the_candidate_and_nothing_else() {
	run(|| {
		committed(5);
		let rotate = Call::rotate { fleet: drones(), commitment: commitment(5, 1), grace: 0 };
		assert_ok!(transact(REGISTRAR, rotate));
		assert_ok!(vote(VOTERS[0], 1, true));
		assert_ok!(vote(VOTERS[1], 1, false));
		assert!(!fleet().candidate.unwrap().unavailable);
		assert_ok!(vote(VOTERS[2], 1, false));
		assert!(fleet().candidate.unwrap().unavailable);
		let unavailable = Event::FleetUnavailable { fleet: drones(), revision: 1 };
		assert_eq!(events().last(), Some(&unavailable));
		// The current head is as good as before.
		assert_eq!(Pallet::member_status(&prove(&leaves(5, 0), 1)), Status::Valid);
		assert_eq!(Pallet::member_status(&prove(&leaves(5, 1), 1)), Status::Unknown);
		// The leaves turn up after all.
		assert_ok!(vote(VOTERS[1], 1, true));
		assert!(!fleet().candidate.unwrap().unavailable);
		assert_ok!(vote(VOTERS[2], 1, true));
		assert_eq!(fleet().current.unwrap().revision, 1);
		assert_eq!(Pallet::member_status(&prove(&leaves(5, 1), 1)), Status::Valid);
	});
}

#[test]
fn a_head_whose_leaves_are_lost_puts_its_members_on_hold() {
	run(|| {
		committed(5);
		let proof = prove(&leaves(5, 0), 1);
		assert_ok!(vote(VOTERS[0], 0, false));
		assert_eq!(Pallet::member_status(&proof), Status::Valid);
		assert_ok!(vote(VOTERS[3], 0, false));
		assert_eq!(Pallet::member_status(&proof), Status::Suspended);
		let event = |available| match available {
			false => Event::FleetUnavailable { fleet: drones(), revision: 0 },
			true => Event::FleetAvailable { fleet: drones(), revision: 0 },
		};
		assert_eq!(events().last(), Some(&event(false)));
		assert_ok!(vote(VOTERS[0], 0, true));
		assert_eq!(Pallet::member_status(&proof), Status::Valid);
		assert_eq!(events().last(), Some(&event(true)));
	});
}

#[test]
fn votes_on_a_head_that_was_replaced_are_forgotten() {
	run(|| {
		committed(5);
		let rotate = Call::rotate { fleet: drones(), commitment: commitment(5, 1), grace: 0 };
		assert_ok!(transact(REGISTRAR, rotate));
		carry(1);
		assert!(!Votes::<Test>::contains_key(drones(), 0));
		is_refused(VOTERS[3], vote_call(0, false), Error::RevisionUnknown);
	});
}

#[test]
fn only_present_voters_count() {
	run(|| {
		assert_ok!(commit(commitment(5, 0)));
		assert_ok!(vote(VOTERS[0], 0, true));
		assert_ok!(vote(VOTERS[1], 0, true));
		TestVoters::set(&[VOTERS[1], 21, 22, 23]);
		is_refused(VOTERS[0], vote_call(0, true), Error::VoterUnknown);
		assert_ok!(vote(21, 0, true));
		assert_eq!(fleet().current, None);
		assert_eq!(Votes::<Test>::get(drones(), 0).len(), 2);
		assert_ok!(vote(22, 0, true));
		assert!(fleet().current.is_some());
	});
}

#[test]
fn more_voters_than_can_be_counted_are_refused() {
	run(|| {
		let many: Vec<u64> = (100..140).collect();
		TestVoters::set(&many);
		assert_ok!(commit(commitment(5, 0)));
		for voter in &many[..10] {
			assert_ok!(vote(*voter, 0, true));
		}
		is_refused(many[10], vote_call(0, true), Error::TooManyVoters);
	});
}

#[test]
fn the_first_word_of_a_voter_is_free() {
	run(|| {
		assert_ok!(commit(commitment(5, 0)));
		let is_free =
			|who, revision| vote_call(revision, false).is_feeless(&RuntimeOrigin::signed(who));
		assert!(is_free(VOTERS[0], 0));
		assert!(!is_free(STRANGER, 0) && !is_free(VOTERS[0], 1));
		assert!(!vote_call(0, true).is_feeless(&RuntimeOrigin::root()));
		assert_ok!(vote(VOTERS[0], 0, true));
		assert!(!is_free(VOTERS[0], 0));
		let commit =
			Call::commit { organisation: acme(), name: name("b"), commitment: commitment(1, 0) };
		assert!(!commit.is_feeless(&RuntimeOrigin::signed(VOTERS[0])));
	});
}
