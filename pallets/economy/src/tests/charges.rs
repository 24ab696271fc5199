use super::mock::*;
use crate::{AccountBuckets, OrganisationBuckets};
use dpki_primitives::economy::{Economy as _, FundsMissing, Operation, QuotaPolicies, QuotaPolicy};

const UNITS: u64 = Operation::CommitFleet.units();

/// Quotas of four commitments for an account and eight for an organisation, of which a fifth is left beside.
fn set_large_quotas() {
	let of = |count: u64| QuotaPolicy { capacity: count * UNITS / 4 * 5, refill: UNITS };
	let policies = QuotaPolicies { account: of(4), organisation: of(8) };
	assert_eq!(Pallet::set_quotas(root(), policies), Ok(()));
}

fn left(who: Account) -> (u64, u64) {
	let allowance = Pallet::allowance(&who).unwrap();
	(allowance.left / UNITS, allowance.organisations[0].1 / UNITS)
}

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

#[test]
fn what_obliges_others_takes_quota_by_its_size_on_a_feeless_chain() {
	run(|| {
		set_large_quotas();
		feeless(true);
		join(PAUPER, ACME);
		assert_eq!(left(PAUPER), (4, 8));
		assert_eq!(Pallet::charge(&PAUPER, Operation::CommitFleet, 1), Ok(()));
		assert_eq!(left(PAUPER), (3, 7));
		assert_eq!(Pallet::charge(&PAUPER, Operation::CommitFleet, 3), Ok(()));
		assert_eq!(left(PAUPER), (0, 4));
		assert_eq!(Pallet::charge(&PAUPER, Operation::CommitFleet, 1), Err(FundsMissing));
		// Others of the organisation have what is left of its quota.
		join(ALICE, ACME);
		assert_eq!(Pallet::charge(&ALICE, Operation::CommitFleet, 4), Ok(()));
		join(BOB, ACME);
		assert_eq!(Pallet::charge(&BOB, Operation::CommitFleet, 1), Err(FundsMissing));
		go_to(2);
		assert_eq!(Pallet::charge(&BOB, Operation::CommitFleet, 1), Ok(()));
		assert_eq!(free(ALICE), ENDOWMENT);
	});
}

#[test]
fn what_others_ask_for_is_waived_on_a_feeless_chain_for_whom_somebody_answers() {
	run(|| {
		set_large_quotas();
		join(PAUPER, ACME);
		assert_eq!(Pallet::waive(&PAUPER, UNITS), Ok(false), "there are fees");
		assert!(!AccountBuckets::<Test>::contains_key(PAUPER));
		feeless(true);
		assert_eq!(Pallet::waive(&PAUPER, UNITS), Ok(true));
		assert_eq!(left(PAUPER), (3, 7));
		assert_eq!(Pallet::waive(&PAUPER, 3 * UNITS + 1), Err(FundsMissing));
		assert_eq!(left(PAUPER), (3, 7));
		appoint(BOB);
		assert_eq!(Pallet::waive(&BOB, 4 * UNITS), Ok(true));
		assert_eq!(Pallet::waive(&BOB, 1), Err(FundsMissing));
		assert_eq!(Pallet::waive(&CAROL, u64::MAX), Ok(false), "nobody answers for it");
	});
}

#[test]
fn nothing_of_a_quota_is_taken_for_other_operations_nor_on_a_chain_with_fees() {
	run(|| {
		join(ALICE, ACME);
		appoint(BOB);
		assert_eq!(Pallet::charge(&ALICE, Operation::CommitFleet, 1_000), Ok(()));
		feeless(true);
		for operation in Operation::ALL.into_iter().filter(|it| *it != Operation::CommitFleet) {
			assert_eq!(Pallet::charge(&ALICE, operation, 1_000), Ok(()));
		}
		assert!(!AccountBuckets::<Test>::contains_key(ALICE));
		assert!(!OrganisationBuckets::<Test>::contains_key(ACME));
		// A trustee has its own quota, and somebody for whom nobody answers none.
		assert_eq!(Pallet::charge(&BOB, Operation::CommitFleet, 1), Err(FundsMissing));
		assert_eq!(Pallet::charge(&CAROL, Operation::CommitFleet, 1), Ok(()));
	});
}
