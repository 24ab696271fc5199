//! What is held, and when it returns.

use super::mock::*;
use codec::Encode;
use frame_support::{
	assert_ok,
	traits::{
		fungible::Mutate,
		tokens::{Fortitude, Precision, Preservation},
	},
};

fn deposit(mark: u32) -> u64 {
	BASE_DEPOSIT + BYTE_DEPOSIT * note(mark).encoded_size() as u64
}

#[test]
fn the_deposit_grows_with_the_call_and_adds_up_over_motions() {
	run(|| {
		proposed(1, 7);
		assert_eq!(held(1), deposit(7));
		let call = frame_system::Call::remark { remark: vec![0; 50] };
		let length = RuntimeCall::from(call.clone()).encoded_size() as u64;
		assert_ok!(propose(1, COUNCIL_ELECTORATE, call.into()));
		assert_eq!(held(1), deposit(7) + BASE_DEPOSIT + BYTE_DEPOSIT * length);
	});
}

#[test]
fn the_deposit_returns_however_the_motion_ends() {
	run(|| {
		let carried = proposed(1, 1);
		assert_ok!(vote(2, carried, true));
		let rejected = proposed(1, 2);
		assert_ok!(vote(2, rejected, false));
		assert_ok!(vote(3, rejected, false));
		let withdrawn = proposed(1, 3);
		assert_ok!(Pallet::withdraw(signed(1), withdrawn, reason("")));
		let expired = proposed(1, 4);
		assert_eq!(held(1), deposit(4));
		go_to(12);
		assert_ok!(Pallet::close(signed(9), expired));
		assert_eq!((held(1), Balances::free_balance(1)), (0, ENDOWMENT));
	});
}

#[test]
fn what_was_held_returns_when_deposits_are_no_longer_asked_for() {
	run(|| {
		let motion = proposed(1, 7);
		TestBaseDeposit::set(0);
		TestByteDeposit::set(0);
		assert_eq!(held(1), deposit(7));
		assert_ok!(Pallet::withdraw(signed(1), motion, reason("")));
		assert_eq!((held(1), Balances::free_balance(1)), (0, ENDOWMENT));
	});
}

#[test]
fn who_has_no_tokens_proposes_where_there_is_no_deposit() {
	run(|| {
		TestBaseDeposit::set(0);
		TestByteDeposit::set(0);
		let who = 1;
		assert_ok!(<Balances as Mutate<_>>::burn_from(
			&who,
			ENDOWMENT,
			Preservation::Expendable,
			Precision::Exact,
			Fortitude::Force,
		));
		let motion = proposed(who, 7);
		assert_eq!(held(who), 0);
		assert_ok!(Pallet::withdraw(signed(who), motion, reason("")));
	});
}
