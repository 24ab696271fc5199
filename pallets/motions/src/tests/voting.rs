//! `vote`: who votes, how often, until when, and how votes are counted.

use super::mock::*;
use crate::WeightInfo;
use dpki_primitives::motion::{Ballot, MotionState, Quorum, Tally};
use frame_support::{
	assert_ok,
	dispatch::DispatchErrorWithPostInfo,
	traits::Get,
	weights::{Weight, constants::RocksDbWeight},
};
use sp_runtime::DispatchError;

fn tally(ayes: u32, nays: u32, seats: u32) -> Tally {
	Tally { ayes, nays, quorum: Quorum::two_thirds(seats) }
}

#[test]
fn two_thirds_of_the_council_carry() {
	run(|| {
		let id = proposed(1, 7);
		assert_ok!(vote(2, id, true));
		assert_eq!(state(id), MotionState::Carried { at: 1, succeeded: true });
		assert_eq!(motion(id).tally, tally(2, 0, 3));
		assert_eq!(noted(7), 1);
	});
}

#[test]
fn more_than_a_third_of_the_council_rejects() {
	run(|| {
		let id = proposed(1, 7);
		assert_ok!(vote(2, id, false));
		assert_eq!(state(id), MotionState::Open, "one of three is a third, and not more");
		events();
		go_to(3);
		assert_ok!(vote(3, id, false));
		assert_eq!(state(id), MotionState::Rejected { at: 3 });
		let tally = tally(1, 2, 3);
		assert_eq!(
			events(),
			[
				Event::Voted {
					motion: id,
					voter: 3,
					aye: false,
					reason: reason("so I think"),
					tally
				},
				Event::Rejected { motion: id },
			]
		);
		assert_eq!(noted(7), 0);
	});
}

#[test]
fn the_watchdogs_decide_by_the_number_of_their_policy() {
	run(|| {
		assert_ok!(propose(11, watchdogs(), note(7)));
		for nay in [12, 13, 14] {
			assert_ok!(vote(nay, 0, false));
			assert_eq!(state(0), MotionState::Open);
		}
		assert_ok!(vote(15, 0, true));
		assert_eq!(state(0), MotionState::Carried { at: 1, succeeded: true });

		assert_ok!(propose(11, watchdogs(), note(8)));
		for nay in [12, 13, 14, 15] {
			assert_ok!(vote(nay, 1, false));
		}
		assert_eq!(state(1), MotionState::Rejected { at: 1 });
	});
}

#[test]
fn a_vote_is_on_record_with_its_reason() {
	run(|| {
		let id = proposed(1, 7);
		go_to(4);
		assert_ok!(Pallet::vote(signed(2), id, false, reason("too early"), 0, Weight::zero()));
		assert_eq!(ballot(id, 2), Some(Ballot { aye: false, reason: reason("too early"), at: 4 }));
	});
}

#[test]
fn a_member_can_change_its_vote() {
	run(|| {
		Council::set([1, 2, 3, 4, 5]);
		let id = proposed(1, 7);
		assert_ok!(vote(2, id, false));
		assert_eq!(motion(id).tally, tally(1, 1, 5));
		assert_ok!(vote(2, id, true));
		assert_eq!(motion(id).tally, tally(2, 0, 5));
		assert_ok!(vote(1, id, false));
		assert_eq!(motion(id).tally, tally(1, 1, 5));
		assert_eq!(motion(id).ballots, 2, "a changed vote is not another one");
		assert_ok!(vote(2, id, false));
		assert_eq!(state(id), MotionState::Rejected { at: 1 });
	});
}

#[test]
fn who_lost_the_seat_does_not_count() {
	run(|| {
		Council::set([1, 2, 3, 4]);
		let id = proposed(1, 7);
		assert_ok!(vote(2, id, true));
		// 1 and 2 are replaced: of four seats two are taken by accounts that have not voted.
		Council::set([3, 4, 5, 6]);
		assert_ok!(vote(3, id, true));
		assert_eq!(state(id), MotionState::Open);
		assert_eq!(motion(id).tally, tally(1, 0, 4));
		refused(Error::SeatMissing, || refusal(vote(1, id, true)));
		assert_ok!(vote(4, id, true));
		assert_ok!(vote(5, id, true));
		assert_eq!(state(id), MotionState::Carried { at: 1, succeeded: true });
	});
}

#[test]
fn a_change_of_seats_decides_with_the_next_vote_even_if_it_repeats_one() {
	run(|| {
		Council::set([1, 2, 3, 4, 5]);
		let id = proposed(1, 7);
		assert_ok!(vote(2, id, true));
		assert_ok!(vote(3, id, true));
		assert_eq!(state(id), MotionState::Open);
		Council::set([1, 2, 3, 4]);
		assert_eq!((state(id), noted(7)), (MotionState::Open, 0));
		assert_ok!(vote(3, id, true));
		assert_eq!(state(id), MotionState::Carried { at: 1, succeeded: true });
		assert_eq!(motion(id).ballots, 3);
	});
}

#[test]
fn the_last_block_of_the_period_still_takes_votes_and_the_next_one_does_not() {
	run(|| {
		let (first, second) = (proposed(1, 7), proposed(1, 8));
		go_to(11);
		assert_ok!(vote(2, first, true));
		assert_eq!(noted(7), 1);
		go_to(12);
		refused(Error::DeadlinePassed, || refusal(vote(2, second, true)));
		assert_eq!((state(second), noted(8)), (MotionState::Open, 0));
	});
}

#[test]
fn a_late_vote_changes_nothing() {
	run(|| {
		let carried = proposed(1, 7);
		assert_ok!(vote(2, carried, true));
		let rejected = proposed(1, 8);
		assert_ok!(vote(2, rejected, false));
		assert_ok!(vote(3, rejected, false));
		let withdrawn = proposed(1, 9);
		assert_ok!(Pallet::withdraw(signed(1), withdrawn, reason("")));
		let expired = proposed(1, 10);
		go_to(12);
		assert_ok!(Pallet::close(signed(9), expired));
		for closed in [carried, rejected, withdrawn, expired] {
			for aye in [true, false] {
				refused(Error::MotionClosed, || refusal(vote(3, closed, aye)));
			}
		}
		assert_eq!((noted(7), noted(8), noted(9), noted(10)), (1, 0, 0, 0));
	});
}

#[test]
fn nobody_votes_on_a_motion_that_does_not_exist() {
	run(|| refused(Error::MotionUnknown, || refusal(vote(1, 0, true))));
}

#[test]
fn who_has_no_seat_does_not_vote() {
	run(|| {
		let id = proposed(1, 7);
		refused(Error::SeatMissing, || refusal(vote(4, id, true)));
		refused(Error::SeatMissing, || refusal(vote(11, id, true)));
	});
}

#[test]
fn a_motion_whose_electorate_is_gone_takes_no_votes_and_expires() {
	run(|| {
		assert_ok!(propose(11, watchdogs(), note(7)));
		Organisation::set(2, []);
		refused(Error::ElectorateUnknown, || refusal(vote(12, 0, true)));
		go_to(12);
		assert_ok!(Pallet::close(signed(9), 0));
		assert_eq!((state(0), held(11)), (MotionState::Expired { at: 12 }, 0));
	});
}

#[test]
fn votes_are_bounded_even_if_seats_change_hands() {
	run(|| {
		let id = proposed(1, 7);
		for voter in 2..=MAX_VOTES as u64 {
			Council::set([voter, 18, 19, 20]);
			assert_ok!(vote(voter, id, true));
		}
		Council::set([17, 18, 19, 20]);
		refused(Error::VoteLimitReached, || refusal(vote(17, id, true)));
		// Who has voted can still change the vote.
		Council::set([2, 18, 19, 20]);
		assert_ok!(vote(2, id, false));
	});
}

#[test]
fn nobody_votes_without_an_account() {
	run(|| {
		let id = proposed(1, 7);
		for origin in [RuntimeOrigin::root(), RuntimeOrigin::none(), COUNCIL_ELECTORATE.into()] {
			refused(DispatchError::BadOrigin, || {
				refusal(Pallet::vote(origin, id, true, reason(""), 0, Weight::zero()))
			});
		}
	});
}

#[test]
fn only_the_vote_that_carries_pays_for_the_call() {
	run(|| {
		Council::set([1, 2, 3, 4]);
		let used = Weight::from_parts(500_000_000, 50_000);
		let declared = MaxCallWeight::get();
		let call: RuntimeCall = super::probe::Call::weigh { declared, used }.into();
		assert_ok!(propose(1, COUNCIL_ELECTORATE, call));
		let (length, _) = Pallet::call_bounds(0).unwrap();
		let undecided = vote(2, 0, true).unwrap().actual_weight.unwrap();
		type Weights = <Test as crate::Config>::WeightInfo;
		let looking = Weights::vote(2).max(Weights::reject(2));
		assert_eq!(undecided, looking + Pallet::reads_of_seats(2));
		let deciding = vote(3, 0, true).unwrap().actual_weight.unwrap();
		assert_eq!(deciding, Weights::carry(3, length) + Pallet::reads_of_seats(3) + used);
	});
}

#[test]
fn a_vote_pays_for_the_look_at_the_member_behind_each_ballot() {
	run(|| {
		type Weights = <Test as crate::Config>::WeightInfo;
		let id = proposed(1, 7);
		let paid = vote(2, id, false).unwrap().actual_weight.unwrap();
		// The record of the organisation, and two members.
		let measured = Weights::vote(2).max(Weights::reject(2));
		assert_eq!(paid, measured + RocksDbWeight::get().reads(3));

		let votes = <Test as crate::Config>::MaxVotes::get();
		let declared = Pallet::weight_of_voting(MAX_CALL_LEN, Weight::zero());
		let measured = Weights::carry(votes, MAX_CALL_LEN);
		let seats = RocksDbWeight::get().reads(u64::from(votes) + 1);
		assert!(declared.all_gte(measured + seats));
	});
}

#[test]
fn a_refused_vote_does_not_pay_for_the_call() {
	run(|| {
		let id = proposed(1, 7);
		let bound = MaxCallWeight::get();
		for (who, motion) in [(4, id), (1, 99)] {
			let Err(DispatchErrorWithPostInfo { post_info, .. }) = vote(who, motion, true) else {
				panic!("the vote was not refused");
			};
			let paid = post_info.actual_weight.unwrap();
			assert_eq!(paid + bound, Pallet::weight_of_voting(MAX_CALL_LEN, bound));
		}
	});
}

#[test]
fn the_council_seats_a_trustee_by_motion_who_votes_at_once_on_open_motions() {
	run(|| {
		let open = proposed(1, 7);
		let call =
			pallet_membership::Call::<Test, pallet_membership::Instance1>::add_member { who: 4 };
		assert_ok!(propose(1, COUNCIL_ELECTORATE, call.into()));
		refused(Error::SeatMissing, || refusal(vote(4, open, true)));
		assert_ok!(vote(2, open + 1, true));
		assert_eq!(Council::seats(), [1, 2, 3, 4]);
		assert_ok!(vote(4, open, true));
		assert_eq!(motion(open).tally, tally(2, 0, 4));
		assert_ok!(vote(3, open, true));
		assert_eq!(noted(7), 1);
	});
}
