//! What becomes of transactions. Fees are ten for each unit of a quota.

use super::mock::*;
use crate::{AccountBuckets, Metered};
use codec::Encode;
use dpki_primitives::refusal::Refusal;
use frame_support::{assert_ok, dispatch::Pays};
use pallet_transaction_payment::ChargeTransactionPayment;
use scale_info::TypeInfo;
use sp_runtime::{
	traits::TransactionExtension,
	transaction_validity::{InvalidTransaction, TransactionValidityError},
};

fn refused(refusal: Refusal) -> TransactionValidityError {
	InvalidTransaction::Custom(refusal.code()).into()
}

fn left(who: Account) -> u64 {
	Pallet::allowance(&who).expect("somebody answers for the account").left
}

/// The weight with which a transaction takes so many units.
fn worth(units: u64) -> u64 {
	units * QUOTA_UNIT - BASE_FEE - METER
}

/// The fee of a transaction of this weight.
fn fee(weight: u64) -> u64 {
	weight + BASE_FEE
}

#[test]
fn a_member_without_tokens_acts_until_its_quota_is_used_up_and_again_when_it_has_recovered() {
	run(|| {
		feeless(true);
		join(PAUPER, ACME);
		assert_eq!(left(PAUPER), 200);
		assert_ok!(transact(PAUPER, worth(150)));
		assert_eq!(left(PAUPER), 50);
		assert_ok!(pool(PAUPER, worth(50), 0));
		let exhausted = refused(Refusal::AllowanceExhausted);
		assert_eq!(pool(PAUPER, worth(51), 0).unwrap_err(), exhausted);
		assert_eq!(transact(PAUPER, worth(51)).unwrap_err(), exhausted);
		assert_eq!(left(PAUPER), 50);
		go_to(2);
		assert_ok!(pool(PAUPER, worth(51), 0));
		assert_ok!(transact(PAUPER, worth(51)));
		assert_eq!(left(PAUPER), 9);
	});
}

#[test]
fn a_trustee_without_tokens_acts_too() {
	run(|| {
		feeless(true);
		appoint(PAUPER);
		assert_ok!(transact(PAUPER, worth(150)));
		assert_eq!(left(PAUPER), 50);
	});
}

#[test]
fn who_is_known_to_nobody_pays_on_a_feeless_chain_and_not_for_quotas() {
	run(|| {
		feeless(true);
		assert_eq!(pool(PAUPER, 1_000, 0).unwrap_err(), InvalidTransaction::Payment.into());
		assert_ok!(transact(ALICE, 1_000));
		assert_eq!(free(ALICE), ENDOWMENT - fee(1_000) - PASS_METER);
	});
}

#[test]
fn everybody_pays_on_a_chain_with_fees() {
	run(|| {
		join(ALICE, ACME);
		join(PAUPER, ACME);
		assert_eq!(pool(PAUPER, 1_000, 0).unwrap_err(), InvalidTransaction::Payment.into());
		assert_ok!(transact(ALICE, 1_000));
		assert_eq!(free(ALICE), ENDOWMENT - fee(1_000) - SKIP_METER);
		assert!(!AccountBuckets::<Test>::contains_key(ALICE));
	});
}

#[test]
fn who_was_a_member_pays_again() {
	run(|| {
		feeless(true);
		join(PAUPER, ACME);
		assert_ok!(pool(PAUPER, 1_000, 0));
		leave(PAUPER);
		assert_eq!(pool(PAUPER, 1_000, 0).unwrap_err(), InvalidTransaction::Payment.into());
	});
}

#[test]
fn a_member_with_tokens_keeps_them_until_its_quota_is_used_up() {
	run(|| {
		feeless(true);
		join(ALICE, ACME);
		assert_ok!(transact(ALICE, worth(150)));
		assert_eq!(free(ALICE), ENDOWMENT);
		// A membership needs no consent, so it must not keep anybody from paying as before.
		assert_ok!(transact(ALICE, worth(51)));
		assert!(free(ALICE) < ENDOWMENT);
		assert_eq!(left(ALICE), 50);
	});
}

#[test]
fn a_tip_is_refused_where_no_fee_is_taken() {
	run(|| {
		feeless(true);
		join(ALICE, ACME);
		assert_eq!(pool(ALICE, 1_000, 1).unwrap_err(), refused(Refusal::TipUnwanted));
		assert_ok!(pool(BOB, 1_000, 1));
	});
}

#[test]
fn quota_is_taken_although_the_dispatch_fails() {
	run(|| {
		feeless(true);
		join(PAUPER, ACME);
		let used = worth(150);
		assert_ok!(send(PAUPER, used, Dispatched { used, fails: true, pays: Pays::Yes }));
		assert_eq!(left(PAUPER), 50);
	});
}

#[test]
fn what_was_declared_and_not_used_is_put_back() {
	run(|| {
		feeless(true);
		join(PAUPER, ACME);
		let used = worth(110);
		assert_ok!(send(PAUPER, worth(200), Dispatched { used, fails: false, pays: Pays::Yes }));
		assert_eq!(left(PAUPER), 90);
	});
}

#[test]
fn members_take_no_quota_for_the_charge_that_does_not_take_place() {
	run(|| {
		ChargeWeight::set(100);
		feeless(true);
		join(PAUPER, ACME);
		assert_ok!(transact(PAUPER, worth(150)));
		assert_eq!(left(PAUPER), 50);
	});
}

#[test]
fn what_costs_no_fee_still_takes_a_unit() {
	run(|| {
		feeless(true);
		join(PAUPER, ACME);
		let used = worth(150);
		assert_ok!(send(PAUPER, used, Dispatched { used, fails: false, pays: Pays::No }));
		assert_eq!(left(PAUPER), 199);
	});
}

#[test]
fn members_stand_in_the_pool_where_payers_without_a_tip_stand() {
	run(|| {
		feeless(true);
		join(PAUPER, ACME);
		let member = pool(PAUPER, 1_000, 0).unwrap().priority;
		assert_eq!(member, pool(ALICE, 1_000, 0).unwrap().priority);
		assert!(member < pool(ALICE, 1_000, 100).unwrap().priority);
	});
}

#[test]
fn fees_are_said_to_be_paid_only_where_they_are() {
	run(|| {
		feeless(true);
		join(PAUPER, ACME);
		let paid = || {
			System::events()
				.iter()
				.any(|record| matches!(record.event, RuntimeEvent::TransactionPayment(_)))
		};
		assert_ok!(transact(PAUPER, 1_000));
		assert!(!paid());
		assert_ok!(transact(ALICE, 1_000));
		assert!(paid());
	});
}

#[test]
fn clients_see_the_payment_of_fees_and_nothing_else() {
	type Inner = ChargeTransactionPayment<Test>;
	assert_eq!(
		<Metered<Test> as TransactionExtension<RuntimeCall>>::IDENTIFIER,
		<Inner as TransactionExtension<RuntimeCall>>::IDENTIFIER
	);
	assert_eq!(Metered::<Test>::type_info(), Inner::type_info());
	assert_eq!(extension(9).encode(), Inner::from(9).encode());
}
