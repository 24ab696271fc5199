//! Bonds: what is asked of endorsers, how it is taken out, and how it is slashed.

use super::mock::*;
use crate::{Accreditations, Bonds, HoldReason, SlashCount};
use dpki_primitives::{
	assurance::{AccreditationState, Finding, Level},
	bond::{MAX_UNBONDING, SlashReason, SlashRecord},
	certificate::Office,
	ids::CertificateId,
};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::{AccountId32, BuildStorage, DispatchResult, TokenError};

const MINIMUM: u64 = 100;
const NEW: AccountId32 = AccountId32::new([77; 32]);

/// Endorsers with funds, the first three of them with a bond of twice the minimum that is asked for from then on.
fn bonded(test: impl FnOnce()) {
	run(|| {
		for n in 0..6 {
			assert_ok!(Balances::force_set_balance(root(), endorser(n), 1_000));
		}
		for n in 0..3 {
			assert_ok!(bond(n, 2 * MINIMUM));
		}
		assert_ok!(Certificates::set_minimum_bond(root(), MINIMUM));
		test();
	});
}

fn bond(n: u8, amount: u64) -> DispatchResult {
	Certificates::bond(signed(endorser(n)), amount)
}

fn unbond(n: u8, amount: u64) -> DispatchResult {
	Certificates::unbond(signed(endorser(n)), amount)
}

fn withdraw(n: u8) -> DispatchResult {
	Certificates::withdraw_bond(signed(endorser(n)))
}

fn slash(n: u8, amount: u64) -> DispatchResult {
	Certificates::slash(root(), endorser(n), amount, SlashReason::FalseStatement, [7; 32])
}

fn accredit_again(n: u8) -> DispatchResult {
	let (office, level) = (Office::Endorser, Level::Ev);
	Certificates::accredit(root(), office, endorser(n), endorser_organisation(n), level)
}

fn state(n: u8) -> AccreditationState {
	Accreditations::<Test>::get(Office::Endorser, endorser(n)).unwrap().state
}

fn on_hold(n: u8) -> u64 {
	held(HoldReason::EndorserBond, &endorser(n))
}

/// A certificate at EV, which three endorse.
fn endorsed() -> CertificateId {
	let id = acme_certificate(Level::Ev, 1);
	for n in 0..3 {
		assert_ok!(endorse(id, n, Level::Ev));
	}
	assert_eq!(level(id), Some(Level::Ev));
	id
}

#[test]
fn a_consortium_that_asks_for_no_bond_has_endorsers_without_one() {
	run(|| {
		assert_eq!(crate::MinimumBond::<Test>::get(), 0);
		let id = endorsed();
		assert_ok!(Balances::force_set_balance(root(), endorser(0), 1_000));
		assert_ok!(bond(0, 50));
		assert_ok!(unbond(0, 50));
		assert_ok!(slash(0, 50));
		assert_eq!(state(0), AccreditationState::Active);
		assert_eq!(level(id), Some(Level::Ev));
	});
}

#[test]
fn a_chain_begins_with_the_least_bond_that_its_genesis_names() {
	let certificates = crate::GenesisConfig { minimum_bond: MINIMUM };
	let genesis = RuntimeGenesisConfig { certificates, ..Default::default() };
	let mut chain: sp_io::TestExternalities = genesis.build_storage().unwrap().into();
	chain.execute_with(|| assert_eq!(Certificates::minimum_bond(), MINIMUM));
}

#[test]
fn nobody_is_accredited_as_an_endorser_without_the_least_bond() {
	bonded(|| {
		let (organisation, level) = (observer_organisation(0), Level::Ev);
		let accredit =
			|office, level| Certificates::accredit(root(), office, NEW, organisation, level);
		assert_noop!(accredit(Office::Endorser, level), Error::BondTooLow);
		assert_ok!(Balances::force_set_balance(root(), NEW, 1_000));
		assert_ok!(Certificates::bond(signed(NEW), MINIMUM - 1));
		assert_noop!(accredit(Office::Endorser, level), Error::BondTooLow);
		assert_ok!(Certificates::bond(signed(NEW), 1));
		assert_ok!(accredit(Office::Endorser, level));
		// Observers attest what machines see, and are asked for none.
		assert_ok!(Certificates::unbond(signed(NEW), MINIMUM));
		assert_ok!(accredit(Office::Observer, Level::Dv));
	});
}

#[test]
fn nobody_endorses_below_a_minimum_that_was_raised_and_what_was_endorsed_before_counts() {
	bonded(|| {
		let id = endorsed();
		assert_ok!(Certificates::set_minimum_bond(root(), 2 * MINIMUM + 1));
		assert_eq!(level(id), Some(Level::Ev));
		let other = acme_certificate(Level::Ev, 2);
		assert_noop!(endorse(other, 0, Level::Ev), Error::BondTooLow);
		assert_eq!(Certificates::pending_endorsements(endorser(0), 0).items, []);
		assert_ok!(bond(0, 1));
		assert_eq!(Certificates::pending_endorsements(endorser(0), 0).items, [other]);
		assert_ok!(endorse(other, 0, Level::Ev));
	});
}

#[test]
fn a_bond_is_of_free_funds_and_of_something() {
	bonded(|| {
		assert_noop!(bond(0, 0), Error::AmountZero);
		assert_noop!(bond(0, 1_001), TokenError::FundsUnavailable);
		assert_ok!(bond(0, 10));
		assert_eq!(on_hold(0), 2 * MINIMUM + 10);
		assert_eq!(Bonds::<Test>::get(endorser(0)).unwrap().active, 2 * MINIMUM + 10);
	});
}

#[test]
fn who_takes_its_bond_out_is_suspended_at_once_and_returns_by_vote_only() {
	bonded(|| {
		let id = endorsed();
		assert_ok!(unbond(0, MINIMUM));
		assert_eq!(state(0), AccreditationState::Active, "the minimum is left");
		assert_ok!(unbond(0, 1));
		assert_eq!(state(0), AccreditationState::Suspended);
		assert_eq!(level(id), Some(Level::Ov));
		assert_eq!(findings(id), [Finding::EndorserSuspended, Finding::Counted, Finding::Counted]);
		assert_noop!(accredit_again(0), Error::BondTooLow);
		assert_ok!(bond(0, 1));
		assert_eq!(state(0), AccreditationState::Suspended);
		assert_ok!(accredit_again(0));
		assert_eq!(level(id), Some(Level::Ev));
	});
}

#[test]
fn what_is_taken_out_stays_on_hold_for_its_period_whatever_becomes_of_the_office() {
	bonded(|| {
		assert_noop!(unbond(0, 0), Error::AmountZero);
		assert_noop!(unbond(0, 2 * MINIMUM + 1), Error::BondExceeded);
		assert_noop!(unbond(5, 1), Error::BondExceeded);
		assert_noop!(withdraw(0), Error::UnbondingNotDue);
		assert_ok!(unbond(0, MINIMUM));
		assert_ok!(Certificates::suspend_accreditation(root(), Office::Endorser, endorser(0)));
		assert_eq!(on_hold(0), 2 * MINIMUM, "a suspension frees nothing");
		skip(10);
		assert_ok!(Certificates::release_accreditation(root(), Office::Endorser, endorser(0)));
		assert_ok!(unbond(0, MINIMUM));
		skip(UNBONDING - 10);
		assert_noop!(withdraw(0), Error::UnbondingNotDue);
		skip(1);
		assert_ok!(withdraw(0));
		assert_eq!(on_hold(0), MINIMUM);
		assert_noop!(withdraw(0), Error::UnbondingNotDue);
		skip(10);
		assert_ok!(withdraw(0));
		assert_eq!((on_hold(0), wealth(&endorser(0))), (0, 1_000));
		assert!(!Bonds::<Test>::contains_key(endorser(0)), "nothing is left to store");
	});
}

#[test]
fn only_so_many_parts_are_on_their_way_out_at_once() {
	bonded(|| {
		for _ in 0..MAX_UNBONDING {
			assert_ok!(unbond(0, 1));
		}
		assert_noop!(unbond(0, 1), Error::UnbondingFull);
		skip(UNBONDING + 1);
		assert_ok!(withdraw(0));
		assert_ok!(unbond(0, 1));
	});
}

#[test]
fn a_slash_burns_what_stands_behind_the_office_and_is_on_record() {
	bonded(|| {
		let id = endorsed();
		let issuance = Balances::total_issuance();
		let payments = wealth(&endorser(0));
		assert_ok!(slash(0, MINIMUM));
		assert_eq!(state(0), AccreditationState::Active, "the minimum is left");
		set_time(NOW + 5);
		assert_ok!(slash(0, 1));
		assert_eq!(state(0), AccreditationState::Suspended);
		assert_eq!(level(id), Some(Level::Ov));
		assert_eq!(Balances::total_issuance(), issuance - MINIMUM - 1);
		assert_eq!(wealth(&endorser(0)), payments - MINIMUM - 1);
		let record = |amount, at| SlashRecord {
			amount,
			reason: SlashReason::FalseStatement,
			evidence: [7; 32],
			at,
		};
		let slashes = Certificates::slashes(endorser(0), 0);
		assert_eq!(slashes.items, [record(MINIMUM, NOW), record(1, NOW + 5)]);
		assert_eq!(Certificates::slashes(endorser(0), 1).items, [record(1, NOW + 5)]);
	});
}

#[test]
fn a_slash_reaches_what_is_on_its_way_out_until_its_last_block() {
	bonded(|| {
		assert_ok!(unbond(0, 50));
		skip(1);
		assert_ok!(unbond(0, 60));
		// All that is active, and of what leaves later first.
		assert_ok!(slash(0, 90 + 20));
		let bond = Bonds::<Test>::get(endorser(0)).unwrap();
		let parts: Vec<_> = bond.unbonding.iter().map(|part| part.amount).collect();
		assert_eq!((bond.active, parts), (0, vec![50, 40]));
		skip(UNBONDING - 1);
		assert_ok!(slash(0, 41));
		let bond = Bonds::<Test>::get(endorser(0)).unwrap();
		assert_eq!(bond.unbonding.iter().map(|part| part.amount).collect::<Vec<_>>(), [49]);
		// More than there is takes what there is, because some of it may have left during the vote.
		assert_ok!(slash(0, 1_000));
		assert!(!Bonds::<Test>::contains_key(endorser(0)));
		assert_eq!(SlashCount::<Test>::get(endorser(0)), 3);
		assert_eq!((on_hold(0), wealth(&endorser(0))), (0, 800));
	});
}

#[test]
fn a_slash_is_of_something_that_is_there() {
	bonded(|| {
		assert_noop!(slash(0, 0), Error::AmountZero);
		assert_noop!(slash(5, 1), Error::BondMissing);
		assert_noop!(
			Certificates::slash(root(), NEW, 1, SlashReason::Collusion, [0; 32]),
			Error::BondMissing
		);
	});
}

#[test]
fn a_bond_that_is_taken_out_of_a_compromised_account_undoes_nothing() {
	bonded(|| {
		let id = endorsed();
		set_time(NOW + 10);
		let (office, account) = (Office::Endorser, endorser(1));
		assert_ok!(Certificates::mark_compromised(root(), office, account, NOW + 5));
		assert_ok!(unbond(1, 2 * MINIMUM));
		assert_ok!(slash(1, MINIMUM));
		assert_eq!(state(1), AccreditationState::Active);
		assert_eq!(findings(id)[1], Finding::Counted, "it was said before");
	});
}

#[test]
fn a_bond_that_is_taken_out_before_the_compromise_is_known_undoes_nothing_either() {
	let ways: [fn() -> DispatchResult; 3] = [
		|| unbond(1, 2 * MINIMUM),
		|| slash(1, 2 * MINIMUM),
		|| Certificates::suspend_accreditation(root(), Office::Endorser, endorser(1)),
	];
	for suspend in ways {
		bonded(|| {
			let id = endorsed();
			set_time(NOW + 10);
			assert_ok!(suspend());
			assert_eq!(findings(id)[1], Finding::EndorserSuspended);
			let mark =
				|from| Certificates::mark_compromised(root(), Office::Endorser, endorser(1), from);
			assert_ok!(mark(NOW + 5));
			assert_eq!(state(1), AccreditationState::Active);
			assert_eq!(findings(id)[1], Finding::Counted, "it was said before");
			assert_noop!(endorse(id, 1, Level::Ev), Error::AccreditationCompromised);
			// Whoever doubts what was said before, too, moves the moment, or suspends the account again.
			assert_ok!(Certificates::suspend_accreditation(root(), Office::Endorser, endorser(1)));
			assert_eq!(findings(id)[1], Finding::EndorserSuspended);
			assert_ok!(mark(NOW - 5));
			assert_eq!(findings(id)[1], Finding::EndorserCompromised);
		});
	}
}

#[test]
fn a_compromise_gives_no_office_back_that_was_released() {
	bonded(|| {
		let id = endorsed();
		let office = Office::Endorser;
		assert_ok!(Certificates::release_accreditation(root(), office, endorser(1)));
		set_time(NOW + 10);
		assert_ok!(Certificates::mark_compromised(root(), office, endorser(1), NOW + 5));
		assert_eq!(state(1), AccreditationState::Released);
		assert_eq!(findings(id)[1], Finding::NotAccredited);
	});
}

#[test]
fn who_is_in_office_can_be_given_less_to_say_below_a_raised_minimum_and_not_more() {
	bonded(|| {
		let accredit = |organisation, level| {
			Certificates::accredit(root(), Office::Endorser, endorser(0), organisation, level)
		};
		assert_ok!(Certificates::set_minimum_bond(root(), 3 * MINIMUM));
		let other = endorser_organisation(1);
		assert_noop!(accredit(other, Level::Ov), Error::BondTooLow);
		assert_ok!(accredit(endorser_organisation(0), Level::Ov));
		assert_noop!(accredit(endorser_organisation(0), Level::Ev), Error::BondTooLow);
		assert_ok!(Certificates::suspend_accreditation(root(), Office::Endorser, endorser(0)));
		assert_noop!(accredit(endorser_organisation(0), Level::Ov), Error::BondTooLow);
	});
}
