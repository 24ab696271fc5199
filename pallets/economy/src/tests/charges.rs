use super::mock::*;
use dpki_primitives::economy::{Economy as _, FundsMissing, Operation};

#[test]
fn an_operation_is_paid_into_the_pot() {
	run(|| {
		assert_eq!(Pallet::charge(&ALICE, Operation::IssueVoucher, 1), Ok(()));
		assert_eq!(free(ALICE), ENDOWMENT - 100);
		assert_eq!(pot(), EXISTENTIAL_DEPOSIT + 100);
		assert_eq!(
			last_event(),
			Event::Charged {
				payer: ALICE,
				operation: Operation::IssueVoucher,
				count: 1,
				amount: 100
			}
		);
	});
}

#[test]
fn what_is_done_in_a_batch_is_paid_by_the_piece() {
	run(|| {
		assert_eq!(Pallet::charge(&ALICE, Operation::BatchKey, 40), Ok(()));
		assert_eq!(pot(), EXISTENTIAL_DEPOSIT + 120);
	});
}

#[test]
fn what_has_no_price_is_free() {
	run(|| {
		assert_eq!(Pallet::charge(&PAUPER, Operation::RegisterKey, 1), Ok(()));
		assert!(System::events().is_empty());
	});
}

#[test]
fn who_cannot_pay_and_live_is_refused() {
	run(|| {
		assert_eq!(Pallet::charge(&PAUPER, Operation::IssueVoucher, 1), Err(FundsMissing));
		let all = (ENDOWMENT / 3 + 1) as u32;
		assert_eq!(Pallet::charge(&ALICE, Operation::BatchKey, all), Err(FundsMissing));
		// 999,999 of 1,000,000: less than the existential deposit would be left.
		assert_eq!(Pallet::charge(&ALICE, Operation::BatchKey, 333_333), Err(FundsMissing));
		assert_eq!(free(ALICE), ENDOWMENT);
	});
}

#[test]
fn nothing_is_charged_on_a_feeless_chain() {
	run(|| {
		feeless(true);
		assert_eq!(Pallet::charge(&PAUPER, Operation::IssueVoucher, 1), Ok(()));
		feeless(false);
		assert_eq!(Pallet::charge(&PAUPER, Operation::IssueVoucher, 1), Err(FundsMissing));
	});
}
