//! `propose`.

use super::mock::*;
use crate::{Calls, NextMotion};
use codec::Encode;
use dpki_primitives::{
	ids::OrganisationId,
	motion::{Ballot, Body, Electorate, MotionRecord, MotionState, Quorum, Tally},
};
use frame_support::{assert_ok, weights::Weight};
use sp_runtime::{DispatchError, TokenError};

#[test]
fn a_motion_is_stored_with_its_call_and_the_vote_of_its_proposer() {
	run(|| {
		assert_ok!(propose(1, COUNCIL_ELECTORATE, note(7)));
		let call = note(7).encode();
		let call_hash = sp_io::hashing::blake2_256(&call);
		let tally = Tally { ayes: 1, nays: 0, quorum: Quorum { seats: 3, needed: 2 } };
		assert_eq!(
			motion(0),
			MotionRecord {
				electorate: COUNCIL_ELECTORATE,
				proposer: 1,
				reason: reason("because"),
				call_hash,
				call_len: call.len() as u32,
				transaction_version: 1,
				proposed_at: 1,
				deadline: 11,
				deposit: BASE_DEPOSIT + BYTE_DEPOSIT * call.len() as u64,
				ballots: 1,
				tally,
				state: MotionState::Open,
			}
		);
		assert_eq!(Calls::<Test>::get(0).unwrap().to_vec(), call);
		assert_eq!(ballot(0, 1), Some(Ballot { aye: true, reason: reason("because"), at: 1 }));
		assert_eq!(noted(7), 0);
		assert_eq!(
			events(),
			[
				Event::Proposed {
					motion: 0,
					electorate: COUNCIL_ELECTORATE,
					proposer: 1,
					call_hash,
					deadline: 11,
					reason: reason("because"),
				},
				Event::Voted { motion: 0, voter: 1, aye: true, reason: reason("because"), tally },
			]
		);
	});
}

#[test]
fn motions_are_numbered_without_a_gap() {
	run(|| {
		assert_eq!([proposed(1, 1), proposed(2, 2), proposed(1, 1)], [0, 1, 2]);
		assert_eq!(NextMotion::<Test>::get(), 3);
	});
}

#[test]
fn a_single_trustee_decides_with_the_proposal() {
	run(|| {
		Council::set([1]);
		assert_ok!(propose(1, COUNCIL_ELECTORATE, note(7)));
		assert_eq!(state(0), MotionState::Carried { at: 1, succeeded: true });
		assert_eq!((noted(7), held(1)), (1, 0));
	});
}

#[test]
fn a_watchdog_proposes_to_its_organisation() {
	run(|| {
		assert_ok!(propose(11, watchdogs(), note(7)));
		assert_eq!(motion(0).tally.quorum, Quorum { seats: 5, needed: 2 });
	});
}

#[test]
fn who_has_no_seat_proposes_nothing() {
	run(|| {
		for (who, electorate) in
			[(4, COUNCIL_ELECTORATE), (1, watchdogs()), (11, COUNCIL_ELECTORATE)]
		{
			refused(Error::SeatMissing, || refusal(propose(who, electorate, note(7))));
		}
	});
}

#[test]
fn nothing_is_proposed_to_nobody() {
	run(|| {
		let other = OrganisationId::from_name(b"other");
		for electorate in [
			Electorate::Organisation(other, Body::Watchdogs),
			Electorate::Organisation(acme(), Body::Administrators),
		] {
			refused(Error::ElectorateUnknown, || refusal(propose(11, electorate, note(7))));
		}
		Council::set([]);
		refused(Error::ElectorateUnknown, || refusal(propose(1, COUNCIL_ELECTORATE, note(7))));
	});
}

#[test]
fn an_electorate_that_could_never_carry_proposes_nothing() {
	run(|| {
		Council::set(1..=19);
		refused(Error::ElectorateTooLarge, || refusal(propose(1, COUNCIL_ELECTORATE, note(7))));
		Council::set(1..=18);
		assert_ok!(propose(1, COUNCIL_ELECTORATE, note(7)));
	});
}

#[test]
fn a_period_lies_within_its_bounds() {
	run(|| {
		let propose = |period| {
			let call = Box::new(note(7));
			refusal(Pallet::propose(signed(1), COUNCIL_ELECTORATE, call, period, reason("")))
		};
		for period in [0, MIN_PERIOD - 1, MAX_PERIOD + 1, u64::MAX] {
			refused(Error::PeriodOutOfRange, || propose(period));
		}
		assert_ok!(propose(MIN_PERIOD));
		assert_ok!(propose(MAX_PERIOD));
		assert_eq!((motion(0).deadline, motion(1).deadline), (1 + MIN_PERIOD, 1 + MAX_PERIOD));
	});
}

fn remark(length: usize) -> RuntimeCall {
	frame_system::Call::remark { remark: vec![0; length] }.into()
}

#[test]
fn a_call_is_bounded_in_length() {
	run(|| {
		let overhead = remark(100).encoded_size() - 100;
		let longest = MAX_CALL_LEN as usize - overhead;
		refused(Error::CallTooLong, || {
			refusal(propose(1, COUNCIL_ELECTORATE, remark(longest + 1)))
		});
		assert_ok!(propose(1, COUNCIL_ELECTORATE, remark(longest)));
		assert_eq!(motion(0).call_len, MAX_CALL_LEN);
	});
}

fn weigh(declared: Weight) -> RuntimeCall {
	super::probe::Call::weigh { declared, used: Weight::zero() }.into()
}

#[test]
fn a_call_is_bounded_in_weight() {
	run(|| {
		let most = MaxCallWeight::get();
		for too_heavy in [most + Weight::from_parts(1, 0), most + Weight::from_parts(0, 1)] {
			refused(Error::CallTooHeavy, || {
				refusal(propose(1, COUNCIL_ELECTORATE, weigh(too_heavy)))
			});
		}
		assert_ok!(propose(1, COUNCIL_ELECTORATE, weigh(most)));
	});
}

#[test]
fn one_member_cannot_freeze_the_others() {
	run(|| {
		for mark in 0..MAX_OPEN {
			proposed(1, mark);
		}
		refused(Error::OpenMotionLimitReached, || refusal(propose(1, COUNCIL_ELECTORATE, note(9))));
		proposed(2, 9);
		assert_ok!(Pallet::withdraw(signed(1), 0, reason("")));
		proposed(1, 9);
	});
}

#[test]
fn without_the_deposit_nothing_is_proposed() {
	run(|| {
		Council::set([1, 2, 30]);
		refused(TokenError::FundsUnavailable, || refusal(propose(30, COUNCIL_ELECTORATE, note(7))));
	});
}

#[test]
fn nobody_proposes_without_an_account() {
	run(|| {
		for origin in [RuntimeOrigin::root(), RuntimeOrigin::none(), COUNCIL_ELECTORATE.into()] {
			let call = Box::new(note(7));
			refused(DispatchError::BadOrigin, || {
				refusal(Pallet::propose(origin, COUNCIL_ELECTORATE, call, 10, reason("")))
			});
		}
	});
}

#[test]
fn a_proposal_that_decides_nothing_does_not_pay_for_its_call() {
	use crate::WeightInfo;
	run(|| {
		let call = weigh(MaxCallWeight::get());
		let length = call.encoded_size() as u32;
		let paid = propose(1, COUNCIL_ELECTORATE, call).unwrap().actual_weight.unwrap();
		let measured = <Test as crate::Config>::WeightInfo::propose(length);
		assert_eq!(paid, measured + Pallet::reads_of_seats(1));
	});
}

#[test]
fn a_proposal_that_decides_at_once_pays_for_that_and_for_its_call() {
	use crate::WeightInfo;
	use frame_support::dispatch::GetDispatchInfo;
	run(|| {
		Council::set([1]);
		let call = note(7);
		let (length, call_weight) =
			(call.encoded_size() as u32, call.get_dispatch_info().call_weight);
		let paid = propose(1, COUNCIL_ELECTORATE, call).unwrap().actual_weight.unwrap();
		assert_eq!(noted(7), 1);
		let measured = <Test as crate::Config>::WeightInfo::propose(length)
			+ <Test as crate::Config>::WeightInfo::carry(1, length)
			+ Pallet::reads_of_seats(1);
		assert_eq!(paid, measured + call_weight);
	});
}
