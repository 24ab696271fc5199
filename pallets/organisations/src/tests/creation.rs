//! `create`.

use super::mock::*;
use crate::{Members, Organisations};
use dpki_primitives::organisation::{
	DeliveryPolicy, OrganisationKind, OrganisationRecord, RoleSet,
};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchError;

#[test]
fn the_founder_becomes_the_first_member_with_every_role() {
	run(|| {
		TestTime::set(1_700_000_000_000);
		assert_ok!(Pallet::create(signed(alice()), name("acme"), OrganisationKind::Manufacturer));
		assert_eq!(
			Organisations::<Test>::get(acme()),
			Some(OrganisationRecord {
				name: name("acme"),
				kind: OrganisationKind::Manufacturer,
				created_at: 1_700_000_000_000,
				members: 1,
				administrators: 1,
				watchdogs: 1,
				policy: DeliveryPolicy::Simple,
			})
		);
		assert_eq!(Members::<Test>::get(acme(), alice()), Some(RoleSet::ALL));
		assert_eq!(
			last_event(),
			Event::OrganisationCreated {
				organisation: acme(),
				name: name("acme"),
				kind: OrganisationKind::Manufacturer,
				founder: alice(),
			}
		);
	});
}

#[test]
fn a_name_that_is_no_host_name_is_refused() {
	run(|| {
		for bad in ["", "Acme", "-acme", "acme-", "ac me", "acme_7"] {
			assert_noop!(
				Pallet::create(signed(alice()), name(bad), OrganisationKind::TestLab),
				Error::NameInvalid
			);
		}
	});
}

#[test]
fn a_name_cannot_be_taken_twice() {
	run(|| {
		create_acme();
		for who in [alice(), bob()] {
			assert_noop!(
				Pallet::create(signed(who), name("acme"), OrganisationKind::TestLab),
				Error::NameTaken
			);
		}
	});
}

#[test]
fn one_account_can_found_several_organisations() {
	run(|| {
		create_acme();
		assert_ok!(Pallet::create(signed(alice()), name("acme-2"), OrganisationKind::TestLab));
	});
}

#[test]
fn nobody_creates_an_organisation_without_an_account() {
	run(|| {
		for origin in [RuntimeOrigin::root(), RuntimeOrigin::none()] {
			assert_noop!(
				Pallet::create(origin, name("acme"), OrganisationKind::Regulator),
				DispatchError::BadOrigin
			);
		}
	});
}
