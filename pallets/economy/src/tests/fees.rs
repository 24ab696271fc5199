use super::mock::*;
use dpki_primitives::economy::{Economy as _, Operation};
use frame_support::{assert_ok, traits::Hooks, weights::Weight};

fn idle() {
	Pallet::on_idle(System::block_number(), Weight::MAX);
}

#[test]
fn the_author_of_a_block_gets_all_that_was_paid_in_it() {
	run(|| {
		set_author(Some(BOB));
		assert_ok!(transact(ALICE, 5_000));
		assert_eq!(Pallet::charge(&ALICE, Operation::IssueVoucher, 1), Ok(()));
		let paid = ENDOWMENT - free(ALICE);
		assert!(paid > 5_000);
		idle();
		assert_eq!(free(BOB), ENDOWMENT + paid);
		assert_eq!(pot(), EXISTENTIAL_DEPOSIT);
		assert_eq!(last_event(), Event::AuthorPaid { author: BOB, amount: paid });
		System::reset_events();
		idle();
		assert!(System::events().is_empty());
	});
}

#[test]
fn without_an_author_fees_wait_for_the_next_one() {
	run(|| {
		assert_ok!(transact(ALICE, 5_000));
		let waiting = pot();
		idle();
		assert_eq!(pot(), waiting);
		set_author(Some(BOB));
		idle();
		assert_eq!(pot(), EXISTENTIAL_DEPOSIT);
	});
}

#[test]
fn what_an_account_cannot_take_waits_until_it_can() {
	run(|| {
		set_author(Some(AUTHOR_ACCOUNT));
		assert_eq!(Pallet::charge(&ALICE, Operation::BatchKey, 1), Ok(()));
		idle();
		assert_eq!((free(AUTHOR_ACCOUNT), pot()), (0, EXISTENTIAL_DEPOSIT + 3));
		assert_eq!(Pallet::charge(&ALICE, Operation::BatchKey, 3), Ok(()));
		idle();
		assert_eq!((free(AUTHOR_ACCOUNT), pot()), (12, EXISTENTIAL_DEPOSIT));
	});
}

#[test]
fn a_full_block_pays_nobody() {
	run(|| {
		set_author(Some(BOB));
		assert_ok!(transact(ALICE, 5_000));
		let needed = Weight::from_parts(PAY_AUTHOR, 0);
		let short = needed.saturating_sub(Weight::from_parts(1, 0));
		assert_eq!(Pallet::on_idle(1, short), Weight::zero());
		assert_eq!(free(BOB), ENDOWMENT);
		assert_eq!(Pallet::on_idle(1, needed), needed);
		assert!(free(BOB) > ENDOWMENT);
	});
}
