use super::mock::*;
use crate::Deposits;
use dpki_primitives::{
	economy::{Deposit, Economy as _, FundsMissing, Resource, ResourceKind},
	ids::{AnchorId, DeviceId, KeyId, VoucherId},
};
use frame_support::assert_ok;

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
