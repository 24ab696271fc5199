//! `dissolve`, and what becomes of the deposit and the name.

use super::mock::*;
use crate::{Deposits, Dissolved, HandOvers, Members, Organisations, Recoveries};
use dpki_primitives::{
	motion::{Body, Electorate},
	organisation::{DeliveryPolicy, OrganisationKind, Organisations as _},
};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::{AccountId32, DispatchError, DispatchResult, TokenError};

fn dissolve(origin: RuntimeOrigin) -> DispatchResult {
	Pallet::dissolve(origin, acme())
}

#[test]
fn the_founder_pays_a_deposit() {
	run(|| {
		create_acme();
		assert_eq!(Deposits::<Test>::get(acme()), Some((alice(), DEPOSIT)));
		assert_eq!(held(alice()), DEPOSIT);
		let kind = OrganisationKind::TestLab;
		assert_ok!(Pallet::create(signed(alice()), name("other"), kind));
		assert_eq!(held(alice()), 2 * DEPOSIT);
	});
}

#[test]
fn without_the_deposit_nothing_is_created() {
	run(|| {
		let pauper = AccountId32::new([9; 32]);
		assert_noop!(
			Pallet::create(signed(pauper), name("acme"), OrganisationKind::TestLab),
			TokenError::FundsUnavailable
		);
	});
}

#[test]
fn a_dissolved_organisation_leaves_nothing_but_that_it_was_dissolved() {
	run(|| {
		TestTime::set(1_700_000_000_000);
		create_acme();
		assert!(founded().contains(&acme()), "the economy knows of it");
		assert_ok!(Pallet::hand_over(signed(alice()), acme(), erin()));
		assert_ok!(Pallet::begin_recovery(council(), acme(), Body::Administrators, erin()));
		assert_ok!(dissolve(signed(alice())));
		assert!(!founded().contains(&acme()));
		assert_eq!(
			last_event(),
			Event::OrganisationDissolved { organisation: acme(), by: Authority::Account(alice()) }
		);
		assert!(!Pallet::exists(acme()));
		assert_eq!(Organisations::<Test>::get(acme()), None);
		assert_eq!(Members::<Test>::iter().count() + HandOvers::<Test>::iter().count(), 0);
		assert_eq!((Deposits::<Test>::get(acme()), Recoveries::<Test>::get(acme())), (None, None));
		assert_eq!(Dissolved::<Test>::get(acme()), Some(1_700_000_000_000));
		assert_noop!(dissolve(signed(alice())), Error::RoleMissing);
	});
}

#[test]
fn the_deposit_returns_to_who_paid_it() {
	run(|| {
		create_acme();
		assert_ok!(Pallet::hand_over(signed(alice()), acme(), erin()));
		assert_ok!(Pallet::accept_hand_over(signed(erin()), acme(), alice()));
		assert_ok!(dissolve(signed(erin())));
		assert_eq!((held(alice()), Balances::free_balance(alice())), (0, ENDOWMENT));
	});
}

#[test]
fn the_name_never_comes_back() {
	run(|| {
		create_acme();
		assert_ok!(dissolve(signed(alice())));
		for who in [alice(), bob()] {
			assert_noop!(
				Pallet::create(signed(who), name("acme"), OrganisationKind::TestLab),
				Error::NameRetired
			);
		}
	});
}

#[test]
fn an_organisation_with_members_is_not_dissolved() {
	run(|| {
		create_acme();
		assert_ok!(set(alice(), bob(), PUBLISHER));
		assert_noop!(dissolve(signed(alice())), Error::MembersLeft);
		assert_ok!(remove(alice(), bob()));
		assert_ok!(dissolve(signed(alice())));
	});
}

#[test]
fn an_organisation_to_which_anything_belongs_is_not_dissolved() {
	run(|| {
		create_acme();
		TestBelongings::give(acme());
		assert_noop!(dissolve(signed(alice())), Error::BelongingsLeft);
	});
}

#[test]
fn nobody_dissolves_what_is_not_theirs() {
	run(|| {
		assert_noop!(dissolve(signed(alice())), Error::RoleMissing);
		create_acme();
		assert_noop!(dissolve(signed(bob())), Error::RoleMissing);
		for origin in [RuntimeOrigin::root(), RuntimeOrigin::none(), council()] {
			assert_noop!(dissolve(origin), DispatchError::BadOrigin);
		}
	});
}

#[test]
fn a_policy_is_met_to_dissolve_as_it_is_to_change_it() {
	run(|| {
		create_acme();
		let needed = DeliveryPolicy::Watchdogs { needed: 1 };
		assert_ok!(Pallet::set_policy(signed(alice()), acme(), needed));
		assert_noop!(dissolve(signed(alice())), Error::VoteNeeded);
		assert_noop!(dissolve(administrators()), Error::VoteNeeded);
		let electorate = Electorate::Organisation(acme(), Body::Watchdogs);
		let call = crate::Call::dissolve { organisation: acme() };
		assert_ok!(carry(electorate, alice(), [], call));
		assert!(!Pallet::exists(acme()));
	});
}
