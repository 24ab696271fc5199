//! `begin_recovery`, `cancel_recovery`, `complete_recovery`: when the keys of a body were lost.

use super::mock::*;
use crate::{MAX_MEMBERS, Organisations, Recoveries};
use dpki_primitives::{
	ids::OrganisationId,
	motion::{Body, Electorate},
	organisation::{DeliveryPolicy, Recovery, Role, RoleSet},
};
use frame_support::{assert_noop, assert_ok, dispatch::CheckIfFeeless};
use sp_runtime::{AccountId32, DispatchError, DispatchResult};

const READY_AT: u64 = 1 + RECOVERY_DELAY;

fn begin(origin: RuntimeOrigin, body: Body, account: AccountId32) -> DispatchResult {
	Pallet::begin_recovery(origin, acme(), body, account)
}

fn cancel(origin: RuntimeOrigin) -> DispatchResult {
	Pallet::cancel_recovery(origin, acme())
}

/// By the account that is to get the seat; by Erin if there is none.
fn complete() -> DispatchResult {
	let account = Recoveries::<Test>::get(acme()).map_or(erin(), |recovery| recovery.account);
	complete_as(account)
}

fn complete_as(account: AccountId32) -> DispatchResult {
	Pallet::complete_recovery(signed(account), acme())
}

#[test]
fn the_council_gives_an_organisation_a_new_administrator_after_the_delay() {
	run(|| {
		create_acme();
		let call = crate::Call::begin_recovery {
			organisation: acme(),
			body: Body::Administrators,
			account: bob(),
		};
		assert_ok!(carry(Electorate::Council, trustee(), [], call));
		assert_eq!(
			Recoveries::<Test>::get(acme()),
			Some(Recovery { account: bob(), body: Body::Administrators, ready_at: READY_AT })
		);
		assert_eq!(roles(bob()), None);
		go_to(READY_AT - 1);
		assert_noop!(complete(), Error::RecoveryNotReady);
		go_to(READY_AT);
		assert_ok!(complete());
		assert_eq!(roles(bob()), Some(ADMINISTRATOR));
		assert_eq!(
			last_event(),
			Event::RecoveryCompleted { organisation: acme(), account: bob(), roles: ADMINISTRATOR }
		);
		assert_eq!(roles(alice()), Some(RoleSet::ALL), "nothing is taken from anybody");
		assert_noop!(complete(), Error::RecoveryUnknown);
	});
}

#[test]
fn it_is_told_who_began_a_recovery() {
	run(|| {
		create_acme();
		assert_ok!(begin(council(), Body::Administrators, bob()));
		assert_eq!(
			last_event(),
			Event::RecoveryBegun {
				organisation: acme(),
				body: Body::Administrators,
				account: bob(),
				ready_at: READY_AT,
				by: Authority::Council,
			}
		);
	});
}

#[test]
fn the_remaining_administrators_appoint_another_one_by_vote() {
	run(|| {
		multi_admin_acme();
		assert_ok!(set_as(administrators(), dave(), ADMINISTRATOR));
		let electorate = Electorate::Organisation(acme(), Body::Administrators);
		let call = crate::Call::begin_recovery {
			organisation: acme(),
			body: Body::Administrators,
			account: erin(),
		};
		assert_ok!(carry(electorate, alice(), [bob()], call));
		go_to(READY_AT);
		assert_ok!(complete());
		assert_eq!(roles(erin()), Some(ADMINISTRATOR));
	});
}

#[test]
fn an_organisation_that_lost_all_administrators_governs_itself_again() {
	run(|| {
		multi_admin_acme();
		// The keys of Alice and Bob are lost. Two seats make a quorum again, which takes the lost ones away.
		assert_ok!(begin(council(), Body::Administrators, dave()));
		go_to(READY_AT);
		assert_ok!(complete());
		assert_ok!(begin(council(), Body::Administrators, erin()));
		go_to(READY_AT + RECOVERY_DELAY);
		assert_ok!(complete());
		let electorate = Electorate::Organisation(acme(), Body::Administrators);
		for lost in [alice(), bob()] {
			let call = crate::Call::remove_member { organisation: acme(), account: lost.clone() };
			assert_ok!(carry(electorate, dave(), [erin()], call));
			assert_eq!(roles(lost), None);
		}
	});
}

#[test]
fn the_council_gives_lost_watchdogs_a_successor() {
	run(|| {
		watched_acme();
		assert_ok!(begin(council(), Body::Watchdogs, erin()));
		go_to(READY_AT);
		assert_ok!(complete());
		assert_eq!(roles(erin()), Some(WATCHDOG));
	});
}

#[test]
fn who_is_a_member_already_keeps_its_other_roles() {
	run(|| {
		create_acme();
		assert_ok!(set(alice(), bob(), PUBLISHER));
		assert_ok!(begin(council(), Body::Administrators, bob()));
		go_to(READY_AT);
		assert_ok!(complete());
		assert_eq!(roles(bob()), Some(PUBLISHER.with(Role::Administrator)));
	});
}

#[test]
fn every_present_member_of_the_body_can_object() {
	run(|| {
		multi_admin_acme();
		for objector in [alice(), bob()] {
			assert_ok!(begin(council(), Body::Administrators, erin()));
			go_to(READY_AT + 7);
			assert_ok!(cancel(signed(objector.clone())));
			assert_eq!(
				last_event(),
				Event::RecoveryCancelled {
					organisation: acme(),
					account: erin(),
					by: Authority::Account(objector),
				}
			);
			assert_noop!(complete(), Error::RecoveryUnknown);
		}
		assert_eq!(roles(erin()), None);
	});
}

#[test]
fn who_has_no_seat_in_the_body_cannot_object() {
	run(|| {
		watched_acme();
		assert_ok!(begin(council(), Body::Watchdogs, erin()));
		for who in [alice(), erin(), trustee()] {
			assert_noop!(cancel(signed(who)), Error::RoleMissing);
		}
		assert_noop!(cancel(administrators()), Error::RoleMissing);
		assert_ok!(cancel(signed(carol())));

		assert_ok!(begin(council(), Body::Administrators, erin()));
		for who in [bob(), erin()] {
			assert_noop!(cancel(signed(who)), Error::RoleMissing);
		}
		assert_noop!(cancel(watchdogs()), Error::RoleMissing);
		for origin in [RuntimeOrigin::root(), RuntimeOrigin::none()] {
			assert_noop!(cancel(origin), DispatchError::BadOrigin);
		}
		assert_ok!(cancel(signed(alice())));
	});
}

#[test]
fn the_council_and_the_administrators_can_think_better_of_it() {
	run(|| {
		create_acme();
		for origin in [council(), administrators()] {
			assert_ok!(begin(council(), Body::Administrators, bob()));
			assert_ok!(cancel(origin));
		}
		assert_noop!(cancel(council()), Error::RecoveryUnknown);
	});
}

#[test]
fn no_account_recovers_alone() {
	run(|| {
		watched_acme();
		for who in [alice(), bob(), trustee(), erin()] {
			assert_noop!(begin(signed(who), Body::Administrators, erin()), Error::VoteNeeded);
		}
		for origin in [RuntimeOrigin::root(), RuntimeOrigin::none()] {
			assert_noop!(begin(origin, Body::Administrators, erin()), DispatchError::BadOrigin);
		}
	});
}

#[test]
fn a_body_appoints_to_no_other_body() {
	run(|| {
		watched_acme();
		assert_noop!(begin(administrators(), Body::Watchdogs, erin()), Error::RoleMissing);
		for body in [Body::Administrators, Body::Watchdogs] {
			assert_noop!(begin(watchdogs(), body, erin()), Error::RoleMissing);
			let other: RuntimeOrigin =
				Electorate::Organisation(OrganisationId::from_name(b"other"), body).into();
			assert_noop!(begin(other, Body::Administrators, erin()), Error::RoleMissing);
		}
	});
}

#[test]
fn a_body_without_a_say_is_not_recovered() {
	run(|| {
		assert_noop!(begin(council(), Body::Administrators, erin()), Error::BodyWithoutSay);
		create_acme();
		assert_noop!(begin(council(), Body::Watchdogs, erin()), Error::BodyWithoutSay);
	});
}

#[test]
fn who_has_the_seat_does_not_get_it_again() {
	run(|| {
		create_acme();
		assert_noop!(begin(council(), Body::Administrators, alice()), Error::SeatTaken);
	});
}

#[test]
fn one_recovery_is_pending_at_a_time() {
	run(|| {
		create_acme();
		assert_ok!(begin(council(), Body::Administrators, bob()));
		assert_noop!(begin(council(), Body::Administrators, carol()), Error::RecoveryPending);
	});
}

#[test]
fn nothing_is_completed_that_was_not_begun_or_without_an_account() {
	run(|| {
		create_acme();
		assert_noop!(complete(), Error::RecoveryUnknown);
		assert_ok!(begin(council(), Body::Administrators, bob()));
		go_to(READY_AT);
		for origin in [RuntimeOrigin::root(), RuntimeOrigin::none(), council(), administrators()] {
			assert_noop!(Pallet::complete_recovery(origin, acme()), DispatchError::BadOrigin);
		}
	});
}

#[test]
fn nobody_takes_a_seat_for_another_account() {
	run(|| {
		create_acme();
		assert_ok!(begin(council(), Body::Administrators, bob()));
		go_to(READY_AT);
		for who in [alice(), erin(), trustee()] {
			assert_noop!(complete_as(who), Error::RecoveryForAnother);
		}
		assert_ok!(complete_as(bob()));
	});
}

#[test]
fn a_seat_is_taken_for_nothing_once_and_when_it_can_be() {
	run(|| {
		create_acme();
		let is_free = |who| {
			let call =
				RuntimeCall::Organisations(crate::Call::complete_recovery { organisation: acme() });
			call.is_feeless(&signed(who))
		};
		assert_ok!(begin(council(), Body::Administrators, bob()));
		assert!(!is_free(bob()));
		go_to(READY_AT);
		assert!(is_free(bob()) && !is_free(alice()));
		assert_ok!(complete());
		assert!(!is_free(bob()));
	});
}

#[test]
fn a_recovery_obeys_the_bounds() {
	new_test_ext().execute_with(|| {
		create_acme();
		assert_ok!(begin(council(), Body::Administrators, bob()));
		go_to(READY_AT);
		let change = |members, administrators| {
			Organisations::<Test>::mutate(acme(), |record| {
				let record = record.as_mut().unwrap();
				(record.members, record.administrators) = (members, administrators);
			});
		};
		change(MAX_MEMBERS, 1);
		assert_noop!(complete(), Error::MemberLimitReached);
		change(100, crate::MAX_BODY_SEATS);
		assert_noop!(complete(), Error::SeatLimitReached);
	});
}

#[test]
fn a_policy_that_changed_in_the_meantime_does_not_stop_a_recovery() {
	run(|| {
		watched_acme();
		assert_ok!(begin(council(), Body::Watchdogs, erin()));
		assert_ok!(Pallet::set_policy(watchdogs(), acme(), DeliveryPolicy::Simple));
		go_to(READY_AT);
		assert_ok!(complete());
		assert_eq!(roles(erin()), Some(WATCHDOG));
	});
}
