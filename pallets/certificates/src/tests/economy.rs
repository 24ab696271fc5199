//! Who pays what to whom, to the last unit.

use super::{
	doubles::{MOST_DEPOSITS, TestEconomy},
	mock::*,
};
use crate::{FeeSchedule, Fees, HoldReason, LevelPrices, Price};
use codec::MaxEncodedLen;
use dpki_primitives::{
	application::{ApplicationRecord, Observation, Outcome, RefusalCause, Renewal, Votes},
	assurance::{Endorsements, Level, WithdrawalReason},
	certificate::{CertificateRecord, Office},
	economy::{Economy as _, Resource, UNITS_PER_APPLICATION},
	ids::CertificateId,
	revocation::RevocationReason,
};
use frame_support::{
	assert_noop, assert_ok,
	dispatch::DispatchResult,
	storage::with_storage_layer,
	traits::{LockableCurrency, WithdrawReasons},
};
use sp_runtime::TokenError;

/// Whoever has less than the deposit, or with it less than can be owed, is refused, and nothing changes.
#[track_caller]
fn is_unaffordable(call: impl Fn() -> DispatchResult) {
	let dear = Price { network: WEALTH, observation: 0, endorsement: 0 };
	let prices = LevelPrices { dv: dear, ..FEES.issue };
	for fees in [
		FeeSchedule { deposit: WEALTH, ..FEES },
		FeeSchedule { issue: prices, control: prices, ..FEES },
	] {
		assert_ok!(Certificates::set_fees(root(), fees));
		// As in an extrinsic, which changes everything or nothing.
		assert_noop!(with_storage_layer(&call), TokenError::FundsUnavailable);
	}
}

#[test]
fn who_cannot_pay_what_can_be_owed_neither_applies_nor_renews() {
	run(|| {
		is_unaffordable(|| try_apply(ALICE, request(dns("b.example"), Level::Dv, 2), 2));
	});
	run(|| {
		let id = dns_certificate("a.example", 1);
		is_unaffordable(|| Certificates::renew(signed(ALICE), id, Renewal::Control));
	});
}

#[test]
fn everything_that_can_be_owed_is_held_while_the_application_is_open() {
	run(|| {
		let id = apply(ALICE, request(dns("a.example"), Level::Ev, 1), 1);
		assert_eq!(held(HoldReason::Escrow, &ALICE), 80 + 101 + 3 * 70);
		assert_eq!(held(HoldReason::ApplicationDeposit, &ALICE), 100);
		prove_control(id);
		assert_eq!(held(HoldReason::Escrow, &ALICE), 3 * 70 + 1);
		for n in 0..3 {
			assert_ok!(endorse(CertificateId::of(id), n, Level::Ev));
		}
		assert_eq!(outcome(id), Some(Outcome::Granted));
		assert_eq!(held(HoldReason::Escrow, &ALICE), 0);
		assert_eq!(held(HoldReason::ApplicationDeposit, &ALICE), 0);
		assert_eq!(wealth(&VALIDATORS), EXISTENTIAL + 80);
		assert_eq!(wealth(&observer(0)), EXISTENTIAL + 50, "half of 101, without the odd unit");
		assert_eq!(wealth(&observer(1)), EXISTENTIAL + 50);
		assert_eq!(wealth(&endorser(0)), EXISTENTIAL + 70);
		assert_eq!(wealth(&ALICE), WEALTH - 80 - 100 - 210, "the odd unit returned");
	});
}

#[test]
fn a_certificate_has_a_deposit_until_it_is_revoked() {
	run(|| {
		let application = apply(ALICE, request(dns("a.example"), Level::Dv, 1), 1);
		let id = CertificateId::of(application);
		let deposit = || TestEconomy::deposit(Resource::Certificate(id));
		assert_eq!(deposit(), Some(ALICE), "with the application");
		prove_control(application);
		assert_eq!(outcome(application), Some(Outcome::Granted));
		assert_eq!(deposit(), Some(ALICE));
		let renewal = next_application(ALICE);
		assert_ok!(Certificates::renew(signed(ALICE), id, Renewal::Control));
		prove_control(renewal);
		assert_eq!(deposit(), Some(ALICE), "one for the certificate, and none for its renewals");
		assert_eq!(TestEconomy::deposit(Resource::Certificate(CertificateId::of(renewal))), None);
		assert_ok!(Certificates::revoke(signed(ALICE), id, RevocationReason::Superseded));
		assert_eq!(deposit(), None);
	});
}

#[test]
fn the_deposit_of_a_certificate_returns_when_it_is_not_issued() {
	run(|| {
		let id = apply(ALICE, request(dns("a.example"), Level::Dv, 1), 1);
		skip(1_000);
		assert_ok!(close(id));
		assert_eq!(outcome(id), Some(Outcome::TimedOut));
		assert_eq!(TestEconomy::deposit(Resource::Certificate(CertificateId::of(id))), None);
	});
}

#[test]
fn a_certificate_that_is_revoked_while_endorsers_are_awaited_has_no_deposit_any_more() {
	run(|| {
		let application = apply(ADMIN, acme_request(Level::Ov, 1), 1);
		let id = CertificateId::of(application);
		assert_eq!(TestEconomy::deposit(Resource::Certificate(id)), Some(ADMIN));
		assert_ok!(Certificates::revoke(signed(ADMIN), id, RevocationReason::Unspecified));
		assert_eq!(TestEconomy::deposit(Resource::Certificate(id)), None);
		assert_ok!(close(application));
		assert_eq!(TestEconomy::deposit(Resource::Certificate(id)), None);
	});
}

#[test]
fn who_cannot_pay_the_deposit_of_a_certificate_does_not_apply() {
	run(|| {
		for n in 0..MOST_DEPOSITS {
			let other = Resource::Certificate(CertificateId([n as u8; 32]));
			assert_ok!(TestEconomy::hold(&ALICE, other));
		}
		let apply = || try_apply(ALICE, request(dns("a.example"), Level::Dv, 1), 1);
		assert_noop!(with_storage_layer(apply), TokenError::FundsUnavailable);
	});
}

#[test]
fn a_refused_application_costs_what_observers_earned_and_nothing_else() {
	run(|| {
		let id = apply(ALICE, request(dns("a.example"), Level::Ev, 1), 1);
		for n in 0..3 {
			assert_ok!(commit(id, n, Observation::NotControlled));
		}
		skip(11);
		assert_ok!(reveal(id, 0, Observation::NotControlled));
		assert_eq!(outcome(id), None, "two others can still have seen control");
		assert_ok!(reveal(id, 1, Observation::NotControlled));
		assert_eq!(wealth(&ALICE), WEALTH - 100);
		assert_eq!(wealth(&observer(0)), EXISTENTIAL + 50);
		assert_eq!(wealth(&observer(2)), EXISTENTIAL, "who has not revealed is not paid");
		assert_eq!(wealth(&VALIDATORS), EXISTENTIAL);
	});
}

#[test]
fn endorsers_that_stay_away_are_not_paid_and_the_rest_returns() {
	run(|| {
		let id = apply(ADMIN, acme_request(Level::Ev, 1), 1);
		assert_ok!(endorse(CertificateId::of(id), 0, Level::Ev));
		skip(100);
		assert_noop!(close(id), Error::ApplicationNotDue);
		skip(1);
		assert_ok!(close(id));
		assert_eq!(outcome(id), Some(Outcome::Granted));
		assert_eq!(wealth(&ADMIN), WEALTH - 80 - 70);
	});
}

#[test]
fn an_endorsement_after_the_time_for_it_is_not_paid() {
	run(|| {
		let id = apply(ADMIN, acme_request(Level::Ov, 1), 1);
		skip(101);
		assert_ok!(endorse(CertificateId::of(id), 0, Level::Ov));
		assert_eq!(wealth(&endorser(0)), EXISTENTIAL);
	});
}

#[test]
fn an_organisation_is_paid_once_however_often_it_endorses() {
	run(|| {
		let application = apply(ADMIN, acme_request(Level::Ov, 1), 1);
		let id = CertificateId::of(application);
		accredit(Office::Endorser, endorser(1), endorser_organisation(0), Level::Ev);
		assert_ok!(endorse(id, 0, Level::Ov));
		let reason = WithdrawalReason::HolderRequest;
		assert_ok!(Certificates::withdraw_endorsement(signed(endorser(0)), id, reason));
		assert_ok!(endorse(id, 0, Level::Ov));
		assert_ok!(endorse(id, 1, Level::Ov));
		assert_eq!(wealth(&endorser(0)), EXISTENTIAL + 50);
		assert_eq!(wealth(&endorser(1)), EXISTENTIAL);
		assert_eq!(outcome(application), None);
	});
}

#[test]
fn an_endorsement_below_the_requested_level_is_not_paid() {
	run(|| {
		let application = apply(ADMIN, acme_request(Level::Ev, 1), 1);
		assert_ok!(endorse(CertificateId::of(application), 0, Level::Ov));
		assert_eq!(wealth(&endorser(0)), EXISTENTIAL);
	});
}

#[test]
fn an_application_about_a_revoked_certificate_can_be_closed_at_once() {
	run(|| {
		let application = apply(ADMIN, acme_request(Level::Ov, 1), 1);
		assert_noop!(close(application), Error::ApplicationNotDue);
		let (id, reason) = (CertificateId::of(application), RevocationReason::Unspecified);
		assert_ok!(Certificates::revoke(signed(ADMIN), id, reason));
		assert_ok!(close(application));
		assert_eq!(wealth(&ADMIN), WEALTH - 40);
	});
}

#[test]
fn renewals_have_prices_of_their_own() {
	run(|| {
		let id = dns_certificate("a.example", 1);
		let before = wealth(&ALICE);
		let application = next_application(ALICE);
		assert_ok!(Certificates::renew(signed(ALICE), id, Renewal::Control));
		assert_eq!(held(HoldReason::Escrow, &ALICE), 11 + 61);
		prove_control(application);
		assert_eq!(wealth(&ALICE), before - 11 - 60);
	});
}

#[test]
fn a_feeless_consortium_holds_and_pays_nothing() {
	run(|| {
		let mut fees = FEES;
		fees.feeless = true;
		assert_ok!(Certificates::set_fees(root(), fees));
		let id = apply(ALICE, request(dns("a.example"), Level::Ov, 1), 1);
		assert_eq!(held(HoldReason::Escrow, &ALICE), 0);
		assert_eq!(held(HoldReason::ApplicationDeposit, &ALICE), 0);
		prove_control(id);
		assert_ok!(endorse(CertificateId::of(id), 0, Level::Ov));
		assert_ok!(endorse(CertificateId::of(id), 1, Level::Ov));
		assert_eq!(outcome(id), Some(Outcome::Granted), "it closes as with fees");
		assert_eq!(wealth(&ALICE), WEALTH);
		assert_eq!(wealth(&endorser(0)), EXISTENTIAL);
	});
}

#[test]
fn a_feeless_chain_asks_nothing_of_those_whom_it_knows_and_takes_quota() {
	run(|| {
		TestEconomy::set_feeless(true);
		TestEconomy::know(&ALICE, UNITS_PER_APPLICATION + 1);
		let id = apply(ALICE, request(dns("a.example"), Level::Ov, 1), 1);
		assert_eq!(TestEconomy::quota(&ALICE), Some(1));
		assert_eq!(held(HoldReason::Escrow, &ALICE), 0);
		assert_eq!(held(HoldReason::ApplicationDeposit, &ALICE), 0);
		prove_control(id);
		for n in 0..2 {
			assert_ok!(endorse(CertificateId::of(id), n, Level::Ov));
		}
		assert_eq!(outcome(id), Some(Outcome::Granted), "it closes as with fees");
		for (who, before) in
			[(ALICE, WEALTH), (observer(0), EXISTENTIAL), (endorser(0), EXISTENTIAL)]
		{
			assert_eq!(wealth(&who), before, "{who}");
		}

		let more = request(dns("b.example"), Level::Dv, 2);
		assert_noop!(try_apply(ALICE, more, 2), TokenError::FundsUnavailable);
		let renew = || Certificates::renew(signed(ALICE), CertificateId::of(id), Renewal::Control);
		assert_noop!(renew(), TokenError::FundsUnavailable);
		TestEconomy::know(&ALICE, UNITS_PER_APPLICATION);
		assert_ok!(renew());
		assert_eq!(wealth(&ALICE), WEALTH);
	});
}

#[test]
fn strangers_pay_by_the_schedule_on_a_feeless_chain() {
	run(|| {
		TestEconomy::set_feeless(true);
		apply(BOB, request(dns("a.example"), Level::Ev, 1), 1);
		assert_eq!(held(HoldReason::Escrow, &BOB), 80 + 101 + 3 * 70);
		assert_eq!(held(HoldReason::ApplicationDeposit, &BOB), 100);
	});
}

#[test]
fn applications_keep_what_they_have_in_escrow_when_the_chain_becomes_feeless_or_ceases_to_be() {
	run(|| {
		let everything = Balances::total_issuance();
		TestEconomy::know(&ALICE, u64::MAX);
		let paid = apply(ALICE, request(dns("a.example"), Level::Ev, 1), 1);
		TestEconomy::set_feeless(true);
		let free = apply(ALICE, request(dns("b.example"), Level::Ev, 2), 2);
		assert_eq!(held(HoldReason::Escrow, &ALICE), 80 + 101 + 3 * 70);
		prove_control(paid);
		assert_eq!(wealth(&VALIDATORS), EXISTENTIAL + 80, "what was promised is paid");
		assert_ok!(endorse(CertificateId::of(paid), 0, Level::Ev));
		TestEconomy::set_feeless(false);
		assert_ok!(close(free));
		assert_eq!(outcome(free), Some(Outcome::Refused(RefusalCause::TooFewObservers)));
		for n in 1..3 {
			assert_ok!(endorse(CertificateId::of(paid), n, Level::Ev));
		}
		assert_eq!(outcome(paid), Some(Outcome::Granted));
		assert_eq!(held(HoldReason::Escrow, &ALICE), 0);
		assert_eq!(held(HoldReason::ApplicationDeposit, &ALICE), 0);
		assert_eq!(wealth(&ALICE), WEALTH - 80 - 100 - 210);
		assert_eq!(wealth(&observer(0)), EXISTENTIAL + 50);
		assert_eq!(wealth(&endorser(2)), EXISTENTIAL + 70);
		assert_eq!(Balances::total_issuance(), everything, "nothing is lost or made");
	});
}

#[test]
fn a_unit_of_quota_is_taken_for_each_byte_that_an_application_can_leave() {
	let bytes = ApplicationRecord::max_encoded_len()
		+ Votes::max_encoded_len()
		+ CertificateRecord::max_encoded_len()
		+ Endorsements::max_encoded_len();
	assert!(bytes as u64 <= UNITS_PER_APPLICATION, "{bytes}");
}

#[test]
fn new_fees_leave_open_applications_alone() {
	run(|| {
		let id = apply(ALICE, request(dns("a.example"), Level::Dv, 1), 1);
		let mut fees = FEES;
		fees.issue.dv.network = 9_999;
		fees.issue.dv.observation = 9_999;
		assert_ok!(Certificates::set_fees(root(), fees));
		prove_control(id);
		assert_eq!(wealth(&ALICE), WEALTH - 20 - 100);
	});
}

#[test]
fn dust_that_no_account_can_take_returns_to_the_payer() {
	run(|| {
		let mut fees = FEES;
		fees.issue.dv.observation = 8;
		assert_ok!(Certificates::set_fees(root(), fees));
		assert_ok!(Balances::force_set_balance(root(), observer(0), 0));
		assert_ok!(Balances::force_set_balance(root(), VALIDATORS, 0));
		let id = apply(ALICE, request(dns("a.example"), Level::Dv, 1), 1);
		prove_control(id);
		assert_eq!(outcome(id), Some(Outcome::Granted));
		assert_eq!(wealth(&observer(0)), 0);
		assert_eq!(wealth(&observer(1)), EXISTENTIAL + 4);
		assert_eq!(wealth(&VALIDATORS), 20);
		assert_eq!(wealth(&ALICE), WEALTH - 20 - 4);
	});
}

#[test]
fn funds_that_the_payer_locks_later_are_owed_all_the_same() {
	run(|| {
		let id = apply(ALICE, request(dns("a.example"), Level::Dv, 1), 1);
		Balances::set_lock(*b"vesting ", &ALICE, WEALTH, WithdrawReasons::all());
		prove_control(id);
		assert_eq!(wealth(&VALIDATORS), EXISTENTIAL + 20);
		assert_eq!(wealth(&observer(0)), EXISTENTIAL + 50);
	});
}

#[test]
fn a_payer_that_observes_elsewhere_or_validates_pays_itself_nothing() {
	run(|| {
		assert_ok!(Balances::force_set_balance(root(), VALIDATORS, WEALTH));
		let request = dpki_primitives::application::CertificateRequest {
			holder: account_holder(VALIDATORS),
			..request(dns("a.example"), Level::Dv, 1)
		};
		let id = apply(VALIDATORS, request, 1);
		prove_control(id);
		assert_eq!(wealth(&VALIDATORS), WEALTH - 100);
	});
}

#[test]
fn the_first_fees_are_those_of_the_runtime() {
	run(|| assert_eq!(Fees::<Test>::get(), FEES));
}
