//! Who could undermine a policy by changing members has to meet it first.

use super::mock::*;
use crate::MAX_BODY_SEATS;
use dpki_primitives::{
	motion::{Body, Electorate},
	organisation::{DeliveryPolicy, Role, RoleSet},
};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::AccountId32;

const REGISTRAR: RoleSet = RoleSet::EMPTY.with(Role::Registrar);

#[test]
fn under_multi_admin_one_administrator_gives_and_takes_no_role_that_the_policy_rests_on() {
	run(|| {
		multi_admin_acme();
		for role in [Role::Administrator, Role::AnchorManager, Role::Publisher] {
			let roles = RoleSet::EMPTY.with(role);
			assert_noop!(set(alice(), erin(), roles), Error::VoteNeeded);
			assert_noop!(
				set(bob(), bob(), ADMINISTRATOR.with(Role::Publisher).with(role)),
				Error::VoteNeeded
			);
		}
		assert_noop!(set(alice(), carol(), REGISTRAR), Error::VoteNeeded);
		assert_noop!(remove(alice(), bob()), Error::VoteNeeded);
		assert_noop!(remove(alice(), carol()), Error::VoteNeeded);
	});
}

#[test]
fn under_multi_admin_one_administrator_still_changes_the_other_roles() {
	run(|| {
		multi_admin_acme();
		assert_ok!(set(bob(), erin(), REGISTRAR));
		assert_ok!(set(alice(), erin(), REGISTRAR.with(Role::Watchdog)));
		assert_ok!(set(alice(), carol(), PUBLISHER.with(Role::Registrar)));
		assert_ok!(remove(bob(), erin()));
	});
}

#[test]
fn under_multi_admin_two_administrators_change_every_role() {
	run(|| {
		multi_admin_acme();
		let electorate = Electorate::Organisation(acme(), Body::Administrators);
		let call =
			crate::Call::set_member { organisation: acme(), account: erin(), roles: RoleSet::ALL };
		assert_ok!(carry(electorate, alice(), [bob()], call));
		assert_ok!(join(erin()));
		assert_eq!(roles(erin()), Some(RoleSet::ALL));
		let call = crate::Call::remove_member { organisation: acme(), account: bob() };
		assert_ok!(carry(electorate, alice(), [erin()], call));
		assert_eq!(roles(bob()), None);
	});
}

#[test]
fn under_multi_admin_there_are_always_two_administrators() {
	run(|| {
		multi_admin_acme();
		assert_noop!(Pallet::remove_member(administrators(), acme(), bob()), Error::PolicyNotMet);
		assert_noop!(
			Pallet::set_member(administrators(), acme(), bob(), REGISTRAR),
			Error::PolicyNotMet
		);
	});
}

#[test]
fn the_list_of_watchdogs_changes_under_their_quorum_only() {
	run(|| {
		watched_acme();
		assert_noop!(set(alice(), erin(), WATCHDOG), Error::VoteNeeded);
		assert_noop!(set(alice(), alice(), RoleSet::ALL), Error::VoteNeeded);
		assert_noop!(set(alice(), bob(), PUBLISHER), Error::VoteNeeded);
		assert_noop!(remove(alice(), bob()), Error::VoteNeeded);
		assert_noop!(remove(bob(), bob()), Error::VoteNeeded);
		assert_noop!(
			Pallet::set_member(administrators(), acme(), erin(), WATCHDOG),
			Error::VoteNeeded
		);
		assert_noop!(Pallet::remove_member(administrators(), acme(), bob()), Error::VoteNeeded);

		let electorate = Electorate::Organisation(acme(), Body::Watchdogs);
		let call =
			crate::Call::set_member { organisation: acme(), account: erin(), roles: WATCHDOG };
		assert_ok!(carry(electorate, bob(), [carol()], call));
		assert_ok!(join(erin()));
		assert_eq!(roles(erin()), Some(WATCHDOG));
		let call = crate::Call::remove_member { organisation: acme(), account: bob() };
		assert_ok!(carry(electorate, carol(), [erin()], call));
		assert_eq!(roles(bob()), None);
	});
}

#[test]
fn the_watchdogs_change_nothing_but_their_list() {
	run(|| {
		watched_acme();
		for roles in [PUBLISHER, WATCHDOG.with(Role::Publisher)] {
			assert_noop!(Pallet::set_member(watchdogs(), acme(), erin(), roles), Error::VoteNeeded);
		}
		assert_noop!(Pallet::remove_member(watchdogs(), acme(), alice()), Error::VoteNeeded);
		// A member with other roles loses this one and stays.
		assert_ok!(set(alice(), bob(), WATCHDOG.with(Role::Registrar)));
		assert_ok!(Pallet::set_member(watchdogs(), acme(), bob(), REGISTRAR));
		assert_ok!(remove(alice(), bob()));
	});
}

#[test]
fn under_watchdogs_an_administrator_still_changes_the_other_roles() {
	run(|| {
		watched_acme();
		assert_ok!(set(alice(), erin(), RoleSet::ALL.without(WATCHDOG)));
		assert_ok!(set(alice(), bob(), WATCHDOG.with(Role::Registrar)));
		assert_ok!(remove(erin(), erin()));
	});
}

#[test]
fn there_are_always_as_many_watchdogs_as_are_needed() {
	run(|| {
		watched_acme();
		assert_ok!(Pallet::remove_member(watchdogs(), acme(), bob()));
		assert_noop!(Pallet::remove_member(watchdogs(), acme(), carol()), Error::PolicyNotMet);
	});
}

#[test]
fn watchdogs_without_a_policy_of_theirs_have_no_say() {
	run(|| {
		create_acme();
		for origin in [watchdogs(), council()] {
			let refused = Pallet::set_member(origin, acme(), erin(), WATCHDOG);
			assert!(refused.is_err());
		}
		assert_noop!(Pallet::set_member(watchdogs(), acme(), erin(), WATCHDOG), Error::RoleMissing);
		assert_noop!(
			Pallet::set_policy(watchdogs(), acme(), DeliveryPolicy::MultiAdmin),
			Error::VoteNeeded
		);
	});
}

#[test]
fn what_another_organisation_carried_changes_no_member() {
	run(|| {
		create_acme();
		let other = dpki_primitives::ids::OrganisationId::from_name(b"other");
		let origin =
			|| -> RuntimeOrigin { Electorate::Organisation(other, Body::Administrators).into() };
		assert_noop!(Pallet::set_member(origin(), acme(), erin(), PUBLISHER), Error::RoleMissing);
		assert_noop!(Pallet::remove_member(origin(), acme(), alice()), Error::RoleMissing);
	});
}

#[test]
fn under_simple_the_administrators_may_vote_where_one_of_them_could_act() {
	run(|| {
		create_acme();
		assert_ok!(set_as(administrators(), bob(), RoleSet::ALL));
		assert_eq!(
			last_event(),
			Event::MemberAdded {
				organisation: acme(),
				account: bob(),
				roles: RoleSet::ALL,
				by: Authority::Body(Body::Administrators),
			}
		);
	});
}

#[test]
fn the_seats_of_a_body_are_bounded() {
	run(|| {
		create_acme();
		let somebody = |index: u32| {
			let mut account = [9; 32];
			account[..4].copy_from_slice(&index.to_le_bytes());
			AccountId32::new(account)
		};
		for index in 1..MAX_BODY_SEATS {
			assert_ok!(set(alice(), somebody(index), RoleSet::ALL));
		}
		for roles in [ADMINISTRATOR, WATCHDOG] {
			assert_noop!(set(alice(), erin(), roles), Error::SeatLimitReached);
		}
		assert_ok!(set(alice(), erin(), PUBLISHER));
		assert_ok!(set(alice(), somebody(1), PUBLISHER));
		assert_ok!(set(alice(), erin(), RoleSet::ALL));
	});
}

#[test]
fn a_policy_guards_a_motion_that_is_underway_when_it_changes() {
	run(|| {
		watched_acme();
		let electorate = Electorate::Organisation(acme(), Body::Watchdogs);
		let call =
			crate::Call::set_member { organisation: acme(), account: erin(), roles: WATCHDOG };
		assert_ok!(carry(electorate, bob(), [], call));
		assert_ok!(Pallet::set_policy(watchdogs(), acme(), DeliveryPolicy::Simple));
		let late = Motions::vote(
			signed(carol()),
			0,
			true,
			Default::default(),
			1_000,
			MaxCallWeight::get(),
		);
		assert_eq!(
			late.map_err(|refused| refused.error),
			Err(pallet_motions::Error::<Test>::ElectorateUnknown.into())
		);
	});
}
