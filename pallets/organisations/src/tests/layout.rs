//! Where the records lie, and what is noticed when they are wrong.

use super::mock::*;
use crate::{
	Deposits, Dissolved, HandOvers, Invitations, Members, Memberships, Organisations, Recoveries,
};
use dpki_primitives::{
	ids::OrganisationId,
	motion::Body,
	organisation::{DeliveryPolicy, HandOver, Invitation, OrganisationRecord, Recovery, RoleSet},
	storage_keys,
};
use frame_support::{
	BoundedVec, assert_ok,
	traits::{GetStorageVersion, Hooks, StorageVersion},
};
use sp_runtime::AccountId32;

#[test]
fn records_lie_where_devices_look_for_them() {
	run(|| {
		assert_eq!(
			Organisations::<Test>::hashed_key_for(acme()),
			storage_keys::organisation(acme())
		);
		assert_eq!(
			Members::<Test>::hashed_key_for(acme(), alice()),
			storage_keys::member(acme(), alice().as_ref())
		);
		assert_eq!(
			HandOvers::<Test>::hashed_key_for(acme(), alice()),
			storage_keys::hand_over(acme(), alice().as_ref())
		);
		assert_eq!(Recoveries::<Test>::hashed_key_for(acme()), storage_keys::recovery(acme()));
		assert_eq!(Invitations::<Test>::hashed_key_for(acme()), storage_keys::invitations(acme()));
	});
}

#[test]
fn the_storage_layout_is_version_1() {
	run(|| assert_eq!(Pallet::in_code_storage_version(), StorageVersion::new(1)));
}

#[test]
fn the_constants_fit_together_and_the_pallet_has_its_name() {
	run(<Pallet as Hooks<u64>>::integrity_test);
}

/// Runs `corrupt` on a good state and expects the check of the state to notice.
fn is_noticed(corrupt: impl FnOnce()) {
	new_test_ext().execute_with(|| {
		create_acme();
		assert_ok!(Pallet::do_try_state());
		corrupt();
		assert!(Pallet::do_try_state().is_err());
	});
}

#[test]
fn a_wrong_count_of_members_is_noticed() {
	is_noticed(|| Members::<Test>::insert(acme(), bob(), RoleSet::ALL));
}

#[test]
fn a_missing_administrator_is_noticed() {
	is_noticed(|| {
		Members::<Test>::remove(acme(), alice());
		Organisations::<Test>::mutate(acme(), |record| {
			let record = record.as_mut().unwrap();
			(record.members, record.administrators, record.watchdogs) = (0, 0, 0);
		});
	});
}

#[test]
fn a_member_without_roles_is_noticed() {
	is_noticed(|| Members::<Test>::insert(acme(), alice(), RoleSet::EMPTY));
}

#[test]
fn a_member_of_nothing_is_noticed() {
	is_noticed(|| Organisations::<Test>::remove(acme()));
}

#[test]
fn a_membership_that_is_listed_under_one_of_the_two_only_is_noticed() {
	is_noticed(|| Memberships::<Test>::remove(alice(), acme()));
	is_noticed(|| Memberships::<Test>::insert(bob(), acme(), ()));
	is_noticed(|| Memberships::<Test>::insert(alice(), OrganisationId::from_name(b"other"), ()));
}

#[test]
fn a_member_whose_account_may_end_is_noticed() {
	is_noticed(|| {
		System::dec_sufficients(&alice());
	});
}

#[test]
fn an_organisation_under_a_foreign_id_is_noticed() {
	is_noticed(|| {
		Organisations::<Test>::mutate(acme(), |record| {
			record.as_mut().unwrap().name = name("other");
		});
	});
}

fn change(change: impl FnOnce(&mut OrganisationRecord)) {
	Organisations::<Test>::mutate(acme(), |record| change(record.as_mut().unwrap()));
}

#[test]
fn a_wrong_count_of_watchdogs_is_noticed() {
	is_noticed(|| change(|record| record.watchdogs = 0));
}

#[test]
fn a_policy_that_nobody_can_meet_is_noticed() {
	is_noticed(|| change(|record| record.policy = DeliveryPolicy::MultiAdmin));
	is_noticed(|| change(|record| record.policy = DeliveryPolicy::Watchdogs { needed: 2 }));
}

#[test]
fn an_organisation_that_came_back_is_noticed() {
	is_noticed(|| Dissolved::<Test>::insert(acme(), 0));
}

#[test]
fn a_deposit_that_differs_from_what_is_held_is_noticed() {
	is_noticed(|| Deposits::<Test>::insert(acme(), (alice(), DEPOSIT - 1)));
	is_noticed(|| Deposits::<Test>::insert(acme(), (bob(), DEPOSIT)));
	is_noticed(|| Deposits::<Test>::remove(acme()));
	let nothing = OrganisationId::from_name(b"nothing");
	is_noticed(|| Deposits::<Test>::insert(nothing, (erin(), 0)));
}

#[test]
fn what_is_pending_for_nobody_is_noticed() {
	is_noticed(|| {
		System::inc_sufficients(&carol());
		HandOvers::<Test>::insert(acme(), bob(), HandOver { to: carol(), expires_at: 1 });
	});
	let nothing = OrganisationId::from_name(b"nothing");
	is_noticed(|| {
		let recovery = Recovery { account: bob(), body: Body::Administrators, ready_at: 1 };
		System::inc_sufficients(&bob());
		Recoveries::<Test>::insert(nothing, recovery);
	});
}

fn put_invitations(organisation: OrganisationId, invited: &[AccountId32]) {
	let invitation = |account: &AccountId32| Invitation {
		account: account.clone(),
		roles: PUBLISHER,
		by: Authority::Account(alice()),
		expires_at: 9,
	};
	let pending: Vec<_> = invited.iter().map(invitation).collect();
	Invitations::<Test>::insert(organisation, BoundedVec::truncate_from(pending));
}

#[test]
fn an_invitation_of_a_member_of_the_same_account_twice_or_to_nothing_is_noticed() {
	let nothing = OrganisationId::from_name(b"nothing");
	let put = |organisation, invited: &[AccountId32]| {
		for who in invited {
			System::inc_sufficients(who);
		}
		put_invitations(organisation, invited);
	};
	is_noticed(|| put(acme(), &[alice()]));
	is_noticed(|| put(acme(), &[bob(), bob()]));
	is_noticed(|| put(acme(), &[]));
	is_noticed(|| put(nothing, &[bob()]));
}

#[test]
fn an_account_that_may_end_before_it_could_accept_is_noticed() {
	is_noticed(|| {
		HandOvers::<Test>::insert(acme(), alice(), HandOver { to: bob(), expires_at: 9 });
	});
}

#[test]
fn an_account_that_may_end_before_it_could_join_is_noticed() {
	is_noticed(|| put_invitations(acme(), &[bob()]));
}
