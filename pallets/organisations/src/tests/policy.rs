//! `set_policy`: changed only under the policy itself. And what the bodies of an organisation are.

use super::mock::*;
use dpki_primitives::{
	ids::OrganisationId,
	motion::{Bodies, Body, Electorate, Quorum},
	organisation::{DeliveryPolicies, DeliveryPolicy, Governance, OrganisationKind},
};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::{DispatchError, DispatchResult};

const WATCHED_BY_TWO: DeliveryPolicy = DeliveryPolicy::Watchdogs { needed: 2 };

fn set_policy(origin: RuntimeOrigin, policy: DeliveryPolicy) -> DispatchResult {
	Pallet::set_policy(origin, acme(), policy)
}

#[test]
fn under_simple_an_administrator_changes_the_policy_alone() {
	run(|| {
		create_acme();
		assert_ok!(set(alice(), bob(), ADMINISTRATOR));
		assert_eq!(Pallet::delivery_policy(acme()), Some(DeliveryPolicy::Simple));
		assert_ok!(set_policy(signed(bob()), DeliveryPolicy::MultiAdmin));
		assert_eq!(Pallet::delivery_policy(acme()), Some(DeliveryPolicy::MultiAdmin));
		assert_eq!(
			last_event(),
			Event::PolicyChanged {
				organisation: acme(),
				policy: DeliveryPolicy::MultiAdmin,
				by: Authority::Account(bob()),
			}
		);
	});
}

#[test]
fn under_multi_admin_no_administrator_changes_the_policy_alone() {
	run(|| {
		multi_admin_acme();
		for policy in [DeliveryPolicy::Simple, DeliveryPolicy::Watchdogs { needed: 1 }] {
			for administrator in [alice(), bob()] {
				assert_noop!(set_policy(signed(administrator), policy), Error::VoteNeeded);
			}
		}
	});
}

#[test]
fn under_multi_admin_two_administrators_change_the_policy() {
	run(|| {
		multi_admin_acme();
		let electorate = Electorate::Organisation(acme(), Body::Administrators);
		let call = crate::Call::set_policy { organisation: acme(), policy: DeliveryPolicy::Simple };
		assert_ok!(carry(electorate, alice(), [], call.clone()));
		assert_eq!(policy(), DeliveryPolicy::MultiAdmin, "one is not two");
		assert_ok!(carry(electorate, alice(), [bob()], call));
		assert_eq!(policy(), DeliveryPolicy::Simple);
	});
}

#[test]
fn under_multi_admin_any_two_of_many_administrators_suffice() {
	run(|| {
		multi_admin_acme();
		for more in [dave(), erin()] {
			assert_ok!(set_as(administrators(), more, ADMINISTRATOR));
		}
		let electorate = Electorate::Organisation(acme(), Body::Administrators);
		let call = crate::Call::set_policy { organisation: acme(), policy: DeliveryPolicy::Simple };
		assert_ok!(carry(electorate, dave(), [erin()], call));
		assert_eq!(policy(), DeliveryPolicy::Simple);
	});
}

#[test]
fn under_watchdogs_their_own_quorum_changes_the_policy() {
	run(|| {
		watched_acme();
		let electorate = Electorate::Organisation(acme(), Body::Watchdogs);
		let call = crate::Call::set_policy { organisation: acme(), policy: DeliveryPolicy::Simple };
		assert_ok!(carry(electorate, bob(), [], call.clone()));
		assert_eq!(policy(), WATCHED_BY_TWO);
		assert_ok!(carry(electorate, bob(), [dave()], call));
		assert_eq!(policy(), DeliveryPolicy::Simple);
	});
}

#[test]
fn under_watchdogs_administrators_change_the_policy_neither_alone_nor_by_vote() {
	run(|| {
		watched_acme();
		for policy in [DeliveryPolicy::Simple, DeliveryPolicy::Watchdogs { needed: 1 }] {
			assert_noop!(set_policy(signed(alice()), policy), Error::VoteNeeded);
			assert_noop!(set_policy(administrators(), policy), Error::VoteNeeded);
		}
	});
}

#[test]
fn a_watchdog_alone_or_a_stranger_changes_no_policy() {
	run(|| {
		watched_acme();
		for who in [bob(), erin()] {
			assert_noop!(set_policy(signed(who), DeliveryPolicy::Simple), Error::RoleMissing);
		}
	});
}

#[test]
fn what_another_organisation_or_the_council_carried_changes_no_policy() {
	run(|| {
		watched_acme();
		let other = OrganisationId::from_name(b"other");
		for body in [Body::Administrators, Body::Watchdogs] {
			let origin: RuntimeOrigin = Electorate::Organisation(other, body).into();
			assert_noop!(set_policy(origin, DeliveryPolicy::Simple), Error::RoleMissing);
		}
		for origin in [council(), RuntimeOrigin::root(), RuntimeOrigin::none()] {
			assert_noop!(set_policy(origin, DeliveryPolicy::Simple), DispatchError::BadOrigin);
		}
	});
}

#[test]
fn a_policy_of_an_unknown_organisation_cannot_be_set() {
	run(|| {
		for origin in [signed(alice()), administrators()] {
			assert_noop!(set_policy(origin, DeliveryPolicy::MultiAdmin), Error::RoleMissing);
		}
		assert_eq!(Pallet::delivery_policy(acme()), None);
	});
}

#[test]
fn a_policy_that_nobody_can_meet_is_refused() {
	run(|| {
		create_acme();
		assert_ok!(set(alice(), bob(), WATCHDOG));
		for policy in [
			DeliveryPolicy::MultiAdmin,
			DeliveryPolicy::Watchdogs { needed: 0 },
			DeliveryPolicy::Watchdogs { needed: 3 },
			DeliveryPolicy::Watchdogs { needed: u32::MAX },
		] {
			assert_noop!(set_policy(signed(alice()), policy), Error::PolicyNotMet);
		}
		assert_ok!(set_policy(signed(alice()), WATCHED_BY_TWO));
	});
}

#[test]
fn setting_the_policy_that_is_there_changes_nothing_and_says_nothing() {
	run(|| {
		create_acme();
		System::reset_events();
		assert_ok!(set_policy(signed(alice()), DeliveryPolicy::Simple));
		assert!(System::events().is_empty());
	});
}

#[test]
fn two_thirds_of_the_administrators_decide_where_the_policy_names_no_number() {
	run(|| {
		create_acme();
		assert_ok!(set(alice(), bob(), ADMINISTRATOR));
		assert_ok!(set(alice(), carol(), ADMINISTRATOR));
		assert_ok!(set(alice(), dave(), ADMINISTRATOR));
		let quorum = |body| <Pallet as Bodies<_>>::quorum(acme(), body);
		assert_eq!(quorum(Body::Administrators), Some(Quorum { seats: 4, needed: 3 }));
		assert_eq!(quorum(Body::Watchdogs), None, "watchdogs have no say");
		assert_ok!(set_policy(signed(alice()), DeliveryPolicy::MultiAdmin));
		assert_eq!(quorum(Body::Administrators), Some(Quorum { seats: 4, needed: 2 }));
		assert_eq!(quorum(Body::Watchdogs), None);
	});
}

#[test]
fn as_many_watchdogs_decide_as_the_policy_names() {
	run(|| {
		watched_acme();
		let quorum = |body| <Pallet as Bodies<_>>::quorum(acme(), body);
		assert_eq!(quorum(Body::Watchdogs), Some(Quorum { seats: 3, needed: 2 }));
		assert_eq!(quorum(Body::Administrators), Some(Quorum { seats: 1, needed: 1 }));
		for (who, watches, administers) in
			[(alice(), false, true), (bob(), true, false), (erin(), false, false)]
		{
			let has_seat = |body| <Pallet as Bodies<_>>::has_seat(acme(), body, &who);
			assert_eq!(has_seat(Body::Watchdogs), watches);
			assert_eq!(has_seat(Body::Administrators), administers);
		}
	});
}

#[test]
fn an_unknown_organisation_has_no_bodies() {
	run(|| {
		for body in [Body::Administrators, Body::Watchdogs] {
			assert_eq!(<Pallet as Bodies<_>>::quorum(acme(), body), None);
			assert!(!<Pallet as Bodies<_>>::has_seat(acme(), body, &alice()));
		}
	});
}

#[test]
fn a_member_of_several_organisations_has_a_seat_only_where_it_was_given() {
	run(|| {
		create_acme();
		let kind = OrganisationKind::TestLab;
		assert_ok!(Pallet::create(signed(bob()), name("other"), kind));
		assert!(!<Pallet as Bodies<_>>::has_seat(acme(), Body::Administrators, &bob()));
	});
}

#[test]
fn whoever_changes_the_policy_governs_what_else_is_settled() {
	let governs = |origin| <Pallet as Governance<RuntimeOrigin>>::ensure_governs(origin, acme());
	run(|| {
		create_acme();
		assert_ok!(governs(signed(alice())));
		assert_eq!(governs(signed(bob())), Err(Error::RoleMissing.into()));
		assert_eq!(governs(RuntimeOrigin::root()), Err(DispatchError::BadOrigin));
	});
	run(|| {
		multi_admin_acme();
		assert_eq!(governs(signed(alice())), Err(Error::VoteNeeded.into()));
		assert_ok!(governs(administrators()));
	});
}
