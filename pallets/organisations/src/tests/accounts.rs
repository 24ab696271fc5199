//! The accounts of members: they exist as long as the membership, and organisations answer for them.

use super::mock::*;
use crate::Deposits;
use dpki_primitives::{
	economy::{MAX_SPONSORS, Sponsors},
	ids::OrganisationId,
	organisation::{OrganisationKind, RoleSet},
};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::{AccountId32, DispatchError};

/// Has no tokens.
fn pauper() -> AccountId32 {
	AccountId32::new([9; 32])
}

fn exists(who: AccountId32) -> bool {
	System::account_exists(&who)
}

fn sponsors(who: AccountId32) -> Vec<OrganisationId> {
	<Pallet as Sponsors<_>>::sponsors(&who)
}

#[test]
fn the_account_of_a_member_exists_without_tokens_until_the_membership_ends() {
	run(|| {
		create_acme();
		assert!(!exists(pauper()));
		assert_ok!(set(alice(), pauper(), PUBLISHER));
		assert!(exists(pauper()));
		assert_eq!(sponsors(pauper()), [acme()]);
		// Other roles are no other membership.
		assert_ok!(set(alice(), pauper(), RoleSet::ALL));
		assert_eq!(System::sufficients(&pauper()), 1);
		assert_ok!(remove(pauper(), pauper()));
		assert!(!exists(pauper()));
		assert!(sponsors(pauper()).is_empty());
		assert_eq!(departed(), [pauper()]);
	});
}

#[test]
fn an_account_exists_as_long_as_any_of_its_memberships() {
	run(|| {
		create_acme();
		assert_ok!(Pallet::create(signed(bob()), name("borg"), OrganisationKind::TestLab));
		let borg = OrganisationId::from_name(b"borg");
		assert_ok!(set(alice(), pauper(), PUBLISHER));
		assert_ok!(Pallet::set_member(signed(bob()), borg, pauper(), PUBLISHER));
		assert_ok!(Pallet::join(signed(pauper()), borg));
		assert_eq!(sponsors(pauper()).len(), 2);
		assert_ok!(remove(alice(), pauper()));
		assert!(exists(pauper()));
		assert_eq!(sponsors(pauper()), [borg]);
		assert_ok!(Pallet::remove_member(signed(bob()), borg, pauper()));
		assert!(!exists(pauper()));
	});
}

#[test]
fn an_account_with_tokens_outlives_its_membership() {
	run(|| {
		create_acme();
		assert_ok!(set(alice(), bob(), PUBLISHER));
		assert_ok!(remove(alice(), bob()));
		assert!(exists(bob()));
		assert_eq!(Balances::free_balance(bob()), ENDOWMENT);
	});
}

#[test]
fn a_membership_that_moves_takes_the_account_with_it() {
	run(|| {
		create_acme();
		let successor = AccountId32::new([10; 32]);
		assert_ok!(set(alice(), pauper(), PUBLISHER));
		assert_ok!(Pallet::hand_over(signed(pauper()), acme(), successor.clone()));
		assert_ok!(Pallet::accept_hand_over(signed(successor.clone()), acme(), pauper()));
		assert!(exists(successor.clone()) && !exists(pauper()));
		assert_eq!(sponsors(successor), [acme()]);
	});
}

#[test]
fn an_offer_keeps_the_account_in_being_as_long_as_it_stands() {
	run(|| {
		create_acme();
		let successor = AccountId32::new([10; 32]);
		let offer = |from, to: &AccountId32| Pallet::hand_over(signed(from), acme(), to.clone());
		let kept = || (System::sufficients(&pauper()), System::sufficients(&successor));
		assert_ok!(offer(alice(), &successor));
		assert_eq!(kept(), (0, 1));
		assert_ok!(offer(alice(), &successor));
		assert_eq!(kept(), (0, 1), "the same offer again");
		assert_ok!(offer(alice(), &pauper()));
		assert_eq!(kept(), (1, 0), "another one in its place");
		assert_ok!(Pallet::cancel_hand_over(signed(alice()), acme()));
		assert_eq!(kept(), (0, 0), "it was taken back");
		assert!(!exists(pauper()) && !exists(successor.clone()));

		assert_ok!(set(alice(), pauper(), PUBLISHER));
		assert_ok!(offer(pauper(), &successor));
		assert_ok!(remove(alice(), pauper()));
		assert_eq!(kept(), (0, 0), "who offered it is no member any more");

		assert_ok!(set(alice(), pauper(), PUBLISHER));
		assert_ok!(offer(pauper(), &successor));
		System::inc_account_nonce(&successor);
		assert_ok!(Pallet::accept_hand_over(signed(successor.clone()), acme(), pauper()));
		assert_eq!(kept(), (0, 1), "the membership keeps it from now on");
		assert_eq!(System::account_nonce(&successor), 1, "it has not ended in between");
	});
}

#[test]
fn a_seat_that_is_to_be_recovered_brings_the_account_into_being_until_it_is_called_off() {
	run(|| {
		create_acme();
		let body = dpki_primitives::motion::Body::Administrators;
		assert_ok!(Pallet::begin_recovery(council(), acme(), body, pauper()));
		assert!(exists(pauper()));
		assert_ok!(Pallet::cancel_recovery(signed(alice()), acme()));
		assert!(!exists(pauper()));
		assert_ok!(Pallet::begin_recovery(council(), acme(), body, pauper()));
		go_to(System::block_number() + RECOVERY_DELAY);
		assert_ok!(Pallet::complete_recovery(signed(pauper()), acme()));
		assert_eq!(System::sufficients(&pauper()), 1);
	});
}

#[test]
fn no_more_organisations_than_are_tried_answer_for_an_account() {
	run(|| {
		for index in 0..MAX_SPONSORS + 2 {
			let name = name(&format!("org-{index}"));
			assert_ok!(Pallet::create(signed(alice()), name, OrganisationKind::TestLab));
		}
		assert_eq!(sponsors(alice()).len(), MAX_SPONSORS as usize);
	});
}

#[test]
fn the_council_admits_an_organisation_without_a_deposit() {
	run(|| {
		let kind = OrganisationKind::TestLab;
		assert_ok!(Pallet::admit(council(), pauper(), name("acme"), kind));
		assert_eq!(roles(pauper()), Some(RoleSet::ALL));
		assert_eq!(Deposits::<Test>::get(acme()), Some((pauper(), 0)));
		assert_eq!(
			last_event(),
			Event::OrganisationCreated {
				organisation: acme(),
				name: name("acme"),
				kind,
				founder: pauper()
			}
		);
		assert_ok!(Pallet::dissolve(signed(pauper()), acme()));
		assert!(!exists(pauper()));
	});
}

#[test]
fn nobody_but_the_council_admits_organisations() {
	run(|| {
		let kind = OrganisationKind::TestLab;
		for origin in [signed(alice()), administrators()] {
			assert_noop!(
				Pallet::admit(origin, pauper(), name("acme"), kind),
				DispatchError::BadOrigin
			);
		}
	});
}

#[test]
fn the_council_admits_under_the_rules_for_names() {
	run(|| {
		let admit =
			|text: &str| Pallet::admit(council(), pauper(), name(text), OrganisationKind::TestLab);
		assert_noop!(admit("Acme"), Error::NameInvalid);
		create_acme();
		assert_noop!(admit("acme"), Error::NameTaken);
		assert_ok!(Pallet::dissolve(signed(alice()), acme()));
		assert_noop!(admit("acme"), Error::NameRetired);
	});
}
