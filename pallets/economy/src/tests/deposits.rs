use super::mock::*;
use crate::{Deposits, MAX_OWED, Owed};
use dpki_primitives::{
	economy::{Deposit, Economy as _, FundsMissing, Resource, ResourceKind},
	ids::{AnchorId, DeviceId, KeyId, VoucherId},
};
use frame_support::{
	assert_ok,
	traits::{
		Hooks,
		fungible::MutateHold,
		tokens::{Fortitude, Precision, Restriction},
	},
	weights::Weight,
};

const VOUCHER: Resource = Resource::Voucher(VoucherId([1; 32]));
const DEVICE: Resource = Resource::Device(DeviceId([2; 32]));
const KEY: Resource = Resource::Key(KeyId([3; 32]));
const ANCHOR: Resource = Resource::Anchor(AnchorId([4; 32]));

#[test]
fn a_deposit_is_held_and_returned() {
	run(|| {
		assert_eq!(Pallet::hold(&ALICE, VOUCHER), Ok(()));
		assert_eq!((held(ALICE), free(ALICE)), (1_000, ENDOWMENT - 1_000));
		assert_eq!(
			last_event(),
			Event::DepositHeld { resource: VOUCHER, payer: ALICE, amount: 1_000 }
		);
		Pallet::release(VOUCHER);
		assert_eq!((held(ALICE), free(ALICE)), (0, ENDOWMENT));
		assert_eq!(
			last_event(),
			Event::DepositReturned { resource: VOUCHER, payer: ALICE, amount: 1_000 }
		);
	});
}

#[test]
fn the_deposit_of_a_voucher_becomes_that_of_its_device() {
	run(|| {
		assert_eq!(Pallet::hold(&ALICE, VOUCHER), Ok(()));
		Pallet::pass_on(VOUCHER, DEVICE);
		assert_eq!(last_event(), Event::DepositPassedOn { from: VOUCHER, to: DEVICE });
		Pallet::release(VOUCHER);
		assert_eq!(held(ALICE), 1_000);
		Pallet::release(DEVICE);
		assert_eq!(held(ALICE), 0);
	});
}

#[test]
fn a_deposit_is_not_overwritten_by_one_that_is_passed_on() {
	run(|| {
		assert_eq!(Pallet::hold(&ALICE, VOUCHER), Ok(()));
		assert_eq!(Pallet::hold(&BOB, DEVICE), Ok(()));
		Pallet::pass_on(VOUCHER, DEVICE);
		Pallet::release(VOUCHER);
		Pallet::release(DEVICE);
		assert_eq!((held(ALICE), held(BOB)), (0, 0));
	});
}

#[test]
fn one_deposit_is_held_per_resource() {
	run(|| {
		assert_eq!(Pallet::hold(&ALICE, KEY), Ok(()));
		assert_eq!(Pallet::hold(&BOB, KEY), Ok(()));
		assert_eq!((held(ALICE), held(BOB)), (50, 0));
	});
}

#[test]
fn what_was_paid_returns_whatever_the_schedule_says_later() {
	run(|| {
		assert_eq!(Pallet::hold(&ALICE, KEY), Ok(()));
		assert_ok!(Pallet::set_deposit(root(), ResourceKind::Key, 70));
		assert_eq!(Deposits::<Test>::get(KEY), Some(Deposit { payer: ALICE, amount: 50 }));
		feeless(true);
		Pallet::release(KEY);
		assert_eq!((held(ALICE), free(ALICE)), (0, ENDOWMENT));
	});
}

#[test]
fn what_was_stored_for_nothing_returns_nothing() {
	run(|| {
		feeless(true);
		assert_eq!(Pallet::hold(&PAUPER, DEVICE), Ok(()));
		feeless(false);
		assert!(!Deposits::<Test>::contains_key(DEVICE));
		System::reset_events();
		Pallet::release(DEVICE);
		assert!(System::events().is_empty());
	});
}

#[test]
fn what_needs_no_deposit_has_none() {
	run(|| {
		assert_eq!(Pallet::hold(&PAUPER, ANCHOR), Ok(()));
		assert!(!Deposits::<Test>::contains_key(ANCHOR));
	});
}

#[test]
fn who_cannot_pay_a_deposit_and_live_is_refused() {
	run(|| {
		assert_eq!(Pallet::hold(&PAUPER, VOUCHER), Err(FundsMissing));
		assert_ok!(Pallet::set_deposit(root(), ResourceKind::Key, ENDOWMENT));
		assert_eq!(Pallet::hold(&ALICE, KEY), Err(FundsMissing));
		assert!(!Deposits::<Test>::contains_key(KEY));
	});
}

/// Takes what is held of Alice away from her, as nothing here does.
fn seize(amount: u64) {
	assert_ok!(Balances::transfer_on_hold(
		&HoldReason::Resource.into(),
		&ALICE,
		&BOB,
		amount,
		Precision::Exact,
		Restriction::Free,
		Fortitude::Force,
	));
}

fn give_back(amount: u64) {
	assert_ok!(Balances::hold(&HoldReason::Resource.into(), &ALICE, amount));
}

fn end_of_block() -> u64 {
	<Pallet as Hooks<u64>>::on_idle(1, Weight::MAX).ref_time()
}

#[test]
fn a_deposit_that_cannot_return_is_told_and_tried_again_until_it_does() {
	run(|| {
		assert_eq!(Pallet::hold(&ALICE, KEY), Ok(()));
		seize(20);
		Pallet::release(KEY);
		assert_eq!(last_event(), Event::DepositOwed { resource: KEY, payer: ALICE, amount: 50 });
		assert_eq!(Deposits::<Test>::get(KEY), Some(Deposit { payer: ALICE, amount: 50 }));
		assert_eq!(held(ALICE), 30);

		assert_eq!(end_of_block(), PAY_AUTHOR + RETURN_OWED);
		assert_eq!((held(ALICE), Owed::<Test>::get().len()), (30, 1), "nothing has changed");

		give_back(20);
		assert_eq!(end_of_block(), PAY_AUTHOR + RETURN_OWED);
		assert_eq!(
			last_event(),
			Event::DepositReturned { resource: KEY, payer: ALICE, amount: 50 }
		);
		assert_eq!(held(ALICE), 0);
		assert!(!Owed::<Test>::exists() && !Deposits::<Test>::contains_key(KEY));
		assert_eq!(end_of_block(), PAY_AUTHOR);
	});
}

#[test]
fn a_deposit_that_is_owed_keeps_no_other_one_waiting() {
	run(|| {
		assert_eq!(Pallet::hold(&ALICE, KEY), Ok(()));
		seize(50);
		Pallet::release(KEY);
		assert_eq!(Pallet::hold(&CAROL, DEVICE), Ok(()));
		assert_ok!(Owed::<Test>::try_append(DEVICE));
		end_of_block();
		assert_eq!(Owed::<Test>::get().into_inner(), [DEVICE, KEY]);
		end_of_block();
		assert_eq!((held(CAROL), Owed::<Test>::get().into_inner()), (0, vec![KEY]));
		give_back(50);
		end_of_block();
		assert_eq!(held(ALICE), 0);
	});
}

#[test]
fn a_block_without_room_returns_nothing_that_is_owed() {
	run(|| {
		assert_eq!(Pallet::hold(&ALICE, KEY), Ok(()));
		assert_ok!(Owed::<Test>::try_append(KEY));
		let room = Weight::from_parts(PAY_AUTHOR + RETURN_OWED - 1, u64::MAX);
		assert_eq!(<Pallet as Hooks<u64>>::on_idle(1, room).ref_time(), PAY_AUTHOR);
		assert_eq!(held(ALICE), 50);
	});
}

#[test]
fn what_is_owed_is_bounded_and_listed_once() {
	run(|| {
		let key = |index: u32| Resource::Key(KeyId([index as u8; 32]));
		for index in 0..=MAX_OWED {
			assert_eq!(Pallet::hold(&ALICE, key(index)), Ok(()));
		}
		let all = held(ALICE);
		seize(all);
		for index in 0..=MAX_OWED {
			Pallet::release(key(index));
			Pallet::release(key(index));
		}
		assert_eq!(Owed::<Test>::get().len() as u32, MAX_OWED);
		give_back(all);
		for _ in 0..MAX_OWED {
			end_of_block();
		}
		// The one that had no place is recorded, and returns when it is asked for.
		assert_eq!(held(ALICE), 50);
		Pallet::release(key(MAX_OWED));
		assert_eq!(held(ALICE), 0);
	});
}
