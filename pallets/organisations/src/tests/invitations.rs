//! `set_member` for who is no member, `join`, and what ends an invitation.

use super::mock::*;
use crate::{Call, Invitations, MAX_BODY_SEATS, MAX_INVITATIONS, MAX_MEMBERS, Organisations};
use dpki_primitives::{
	economy::Sponsors,
	ids::OrganisationId,
	motion::Body,
	organisation::{DeliveryPolicy, Invitation, OrganisationKind, Role, RoleSet},
};
use frame_support::{assert_noop, assert_ok, dispatch::CheckIfFeeless};
use sp_runtime::{AccountId32, DispatchError};

const EXPIRES_AT: u64 = 1 + HAND_OVER_PERIOD;
const REGISTRAR: RoleSet = RoleSet::EMPTY.with(Role::Registrar);

/// Has no tokens.
fn pauper() -> AccountId32 {
	AccountId32::new([9; 32])
}

fn somebody(index: u32) -> AccountId32 {
	let mut account = [9; 32];
	account[..4].copy_from_slice(&index.to_le_bytes());
	AccountId32::new(account)
}

/// Whether joining costs the account nothing.
fn joins_for_nothing(who: AccountId32) -> bool {
	let call = RuntimeCall::Organisations(Call::join { organisation: acme() });
	call.is_feeless(&signed(who))
}

#[test]
fn nobody_becomes_a_member_unasked() {
	run(|| {
		create_acme();
		let before = Organisations::<Test>::get(acme());
		assert_ok!(invite(alice(), bob(), PUBLISHER));
		assert_eq!(
			last_event(),
			Event::MemberInvited {
				organisation: acme(),
				account: bob(),
				roles: PUBLISHER,
				expires_at: EXPIRES_AT,
				by: Authority::Account(alice()),
			}
		);
		assert_eq!(
			Invitations::<Test>::get(acme()).into_inner(),
			[Invitation {
				account: bob(),
				roles: PUBLISHER,
				by: Authority::Account(alice()),
				expires_at: EXPIRES_AT
			}]
		);
		assert_eq!(roles(bob()), None);
		assert!(<Pallet as Sponsors<_>>::sponsors(&bob()).is_empty());
		assert_eq!(Organisations::<Test>::get(acme()), before);

		assert_ok!(join(bob()));
		assert_eq!(roles(bob()), Some(PUBLISHER));
		assert_eq!(<Pallet as Sponsors<_>>::sponsors(&bob()), [acme()]);
		assert!(!Invitations::<Test>::contains_key(acme()));
		assert_noop!(join(bob()), Error::InvitationUnknown);
	});
}

#[test]
fn an_organisation_cannot_attach_itself_to_the_member_of_another_one() {
	run(|| {
		create_acme();
		for index in 0..5 {
			let text = format!("stranger-{index}");
			assert_ok!(Pallet::create(signed(bob()), name(&text), OrganisationKind::TestLab));
			let stranger = OrganisationId::from_name(text.as_bytes());
			assert_ok!(Pallet::set_member(signed(bob()), stranger, alice(), RoleSet::ALL));
		}
		assert_eq!(<Pallet as Sponsors<_>>::sponsors(&alice()), [acme()]);
	});
}

#[test]
fn nobody_accepts_what_was_not_offered_to_it() {
	run(|| {
		create_acme();
		assert_ok!(invite(alice(), bob(), PUBLISHER));
		for who in [alice(), carol()] {
			assert_noop!(join(who), Error::InvitationUnknown);
		}
		let other = OrganisationId::from_name(b"other");
		assert_noop!(Pallet::join(signed(bob()), other), Error::InvitationUnknown);
		for origin in [RuntimeOrigin::root(), RuntimeOrigin::none(), council(), administrators()] {
			assert_noop!(Pallet::join(origin, acme()), DispatchError::BadOrigin);
		}
	});
}

#[test]
fn an_invitation_expires() {
	run(|| {
		create_acme();
		assert_ok!(invite(alice(), bob(), PUBLISHER));
		assert_ok!(invite(alice(), carol(), PUBLISHER));
		go_to(EXPIRES_AT);
		assert_ok!(join(bob()));
		go_to(EXPIRES_AT + 1);
		assert_noop!(join(carol()), Error::InvitationExpired);
		assert!(!joins_for_nothing(carol()));
		// Another one takes its place.
		assert_ok!(invite(alice(), carol(), REGISTRAR));
		assert_ok!(join(carol()));
		assert_eq!(roles(carol()), Some(REGISTRAR));
	});
}

#[test]
fn an_invitation_is_worth_what_its_giver_may_give_when_it_is_accepted() {
	run(|| {
		create_acme();
		assert_ok!(set(alice(), bob(), ADMINISTRATOR));
		assert_ok!(invite(bob(), carol(), PUBLISHER));
		assert_ok!(invite(bob(), dave(), REGISTRAR));
		assert_ok!(Pallet::set_policy(signed(alice()), acme(), DeliveryPolicy::MultiAdmin));
		// The policy guards this role now, and not that one.
		assert_noop!(join(carol()), Error::InvitationVoid);
		assert_ok!(join(dave()));
		assert_ok!(invite(bob(), erin(), REGISTRAR));
		assert_ok!(set_as(administrators(), dave(), ADMINISTRATOR));
		assert_ok!(set_as(administrators(), bob(), REGISTRAR));
		assert_noop!(join(erin()), Error::InvitationVoid);
		assert!(!joins_for_nothing(erin()));
	});
}

#[test]
fn what_a_body_offered_is_void_when_it_has_no_say_any_more() {
	run(|| {
		watched_acme();
		assert_ok!(invite_as(watchdogs(), erin(), WATCHDOG));
		Organisations::<Test>::mutate(acme(), |record| {
			record.as_mut().unwrap().policy = DeliveryPolicy::Simple;
		});
		assert_noop!(join(erin()), Error::InvitationVoid);
	});
}

#[test]
fn what_a_body_offered_expires_with_the_policy_under_which_it_voted() {
	run(|| {
		watched_acme();
		let before = Organisations::<Test>::get(acme()).unwrap().policy;
		assert_ok!(invite_as(watchdogs(), erin(), WATCHDOG));
		assert_ok!(invite(alice(), pauper(), REGISTRAR));
		assert_ok!(Pallet::set_policy(watchdogs(), acme(), DeliveryPolicy::Simple));
		assert_noop!(join(erin()), Error::InvitationExpired);
		// That the policy comes back brings nothing else back.
		assert_ok!(Pallet::set_policy(signed(alice()), acme(), before));
		assert_noop!(join(erin()), Error::InvitationExpired);
		assert!(!joins_for_nothing(erin()));
		// What an administrator has offered alone is judged by what the administrator may give.
		assert_ok!(join(pauper()));
		assert_ok!(invite_as(watchdogs(), erin(), WATCHDOG));
		assert_ok!(join(erin()));
	});
}

#[test]
fn what_a_body_offered_expires_when_a_seat_in_it_is_lost_or_recovered() {
	run(|| {
		multi_admin_acme();
		let offer = || {
			assert_ok!(invite_as(administrators(), erin(), PUBLISHER));
		};
		offer();
		assert_ok!(set_as(administrators(), dave(), ADMINISTRATOR));
		assert!(joins_for_nothing(erin()), "a further seat changes nothing");
		assert_ok!(set_as(administrators(), dave(), REGISTRAR));
		assert_noop!(join(erin()), Error::InvitationExpired);

		offer();
		assert_ok!(set_as(administrators(), dave(), ADMINISTRATOR));
		assert!(joins_for_nothing(erin()));
		assert_ok!(Pallet::hand_over(signed(dave()), acme(), pauper()));
		assert_ok!(Pallet::accept_hand_over(signed(pauper()), acme(), dave()));
		assert_noop!(join(erin()), Error::InvitationExpired);

		offer();
		assert_ok!(Pallet::remove_member(administrators(), acme(), pauper()));
		assert_noop!(join(erin()), Error::InvitationExpired);

		offer();
		assert_ok!(Pallet::begin_recovery(council(), acme(), Body::Administrators, carol()));
		go_to(System::block_number() + RECOVERY_DELAY);
		offer();
		assert_ok!(Pallet::complete_recovery(signed(carol()), acme()));
		assert_noop!(join(erin()), Error::InvitationExpired);
	});
}

#[test]
fn guarded_roles_are_offered_by_vote_only() {
	run(|| {
		multi_admin_acme();
		assert_noop!(invite(alice(), erin(), PUBLISHER), Error::VoteNeeded);
		assert_ok!(invite_as(administrators(), erin(), PUBLISHER));
		// Nor does one administrator take back what two have offered, or put something else in its place.
		assert_noop!(remove(alice(), erin()), Error::VoteNeeded);
		assert_noop!(invite(alice(), erin(), REGISTRAR), Error::VoteNeeded);
		assert_ok!(join(erin()));
	});
}

#[test]
fn the_bounds_hold_when_an_invitation_is_accepted() {
	new_test_ext().execute_with(|| {
		create_acme();
		assert_ok!(invite(alice(), bob(), ADMINISTRATOR));
		let change = |members, administrators| {
			Organisations::<Test>::mutate(acme(), |record| {
				let record = record.as_mut().unwrap();
				(record.members, record.administrators) = (members, administrators);
			});
		};
		change(MAX_MEMBERS, 1);
		assert_noop!(join(bob()), Error::MemberLimitReached);
		assert_noop!(invite(alice(), carol(), PUBLISHER), Error::MemberLimitReached);
		change(100, MAX_BODY_SEATS);
		assert_noop!(join(bob()), Error::SeatLimitReached);
	});
}

#[test]
fn an_administrator_withdraws_an_invitation() {
	run(|| {
		create_acme();
		assert_ok!(invite(alice(), bob(), PUBLISHER));
		assert_noop!(remove(carol(), bob()), Error::RoleMissing);
		assert_ok!(remove(alice(), bob()));
		assert_eq!(
			last_event(),
			Event::InvitationWithdrawn {
				organisation: acme(),
				account: bob(),
				by: Authority::Account(alice())
			}
		);
		assert_noop!(join(bob()), Error::InvitationUnknown);
		assert_noop!(remove(alice(), bob()), Error::MemberUnknown);
	});
}

#[test]
fn whoever_is_invited_can_decline_whatever_the_policy_guards() {
	run(|| {
		watched_acme();
		assert_ok!(invite_as(watchdogs(), pauper(), WATCHDOG));
		assert_ok!(remove(pauper(), pauper()));
		assert!(!is_invited(&pauper()));
		assert!(!System::account_exists(&pauper()));
	});
}

#[test]
fn an_invited_account_without_tokens_exists_and_joins_for_nothing() {
	run(|| {
		create_acme();
		assert!(!joins_for_nothing(pauper()));
		assert_ok!(invite(alice(), pauper(), PUBLISHER));
		assert!(System::account_exists(&pauper()));
		assert!(joins_for_nothing(pauper()) && !joins_for_nothing(alice()));
		assert_ok!(join(pauper()));
		assert_eq!(System::sufficients(&pauper()), 1);
		assert!(!joins_for_nothing(pauper()));
	});
}

#[test]
fn an_invitation_changes_without_a_second_reference_to_the_account() {
	run(|| {
		create_acme();
		for roles in [PUBLISHER, ADMINISTRATOR] {
			assert_ok!(invite(alice(), pauper(), roles));
			assert_eq!(System::sufficients(&pauper()), 1);
		}
		assert_ok!(join(pauper()));
		assert_eq!(roles(pauper()), Some(ADMINISTRATOR));
	});
}

#[test]
fn who_becomes_a_member_by_other_means_is_invited_no_longer() {
	run(|| {
		create_acme();
		assert_ok!(set(alice(), bob(), ADMINISTRATOR));
		assert_ok!(invite(alice(), pauper(), PUBLISHER));
		assert_ok!(Pallet::hand_over(signed(bob()), acme(), pauper()));
		assert_ok!(Pallet::accept_hand_over(signed(pauper()), acme(), bob()));
		assert_eq!((roles(pauper()), is_invited(&pauper())), (Some(ADMINISTRATOR), false));
		assert_eq!(System::sufficients(&pauper()), 1);

		assert_ok!(invite(alice(), carol(), PUBLISHER));
		assert_ok!(Pallet::begin_recovery(council(), acme(), Body::Administrators, carol()));
		go_to(System::block_number() + RECOVERY_DELAY);
		assert_ok!(Pallet::complete_recovery(signed(carol()), acme()));
		assert_eq!((roles(carol()), is_invited(&carol())), (Some(ADMINISTRATOR), false));
	});
}

#[test]
fn pending_invitations_are_bounded_and_expired_ones_make_room() {
	run(|| {
		create_acme();
		assert_ok!(invite(alice(), somebody(0), PUBLISHER));
		go_to(2);
		for index in 1..MAX_INVITATIONS {
			assert_ok!(invite(alice(), somebody(index), PUBLISHER));
		}
		go_to(EXPIRES_AT);
		assert_noop!(invite(alice(), bob(), PUBLISHER), Error::InvitationLimitReached);
		// One that is pending is changed in its place.
		assert_ok!(invite(alice(), somebody(5), REGISTRAR));
		go_to(EXPIRES_AT + 1);
		assert_ok!(invite(alice(), bob(), PUBLISHER));
		assert!(is_invited(&bob()) && !is_invited(&somebody(0)));
		assert!(!System::account_exists(&somebody(0)));
		assert_noop!(invite(alice(), carol(), PUBLISHER), Error::InvitationLimitReached);
		assert_ok!(remove(alice(), somebody(1)));
		assert_ok!(invite(alice(), carol(), PUBLISHER));
	});
}

#[test]
fn an_organisation_that_has_invited_somebody_is_not_dissolved() {
	run(|| {
		create_acme();
		assert_ok!(invite(alice(), bob(), PUBLISHER));
		assert_noop!(Pallet::dissolve(signed(alice()), acme()), Error::MembersLeft);
		assert_ok!(remove(bob(), bob()));
		assert_ok!(Pallet::dissolve(signed(alice()), acme()));
		assert_noop!(join(bob()), Error::InvitationUnknown);
	});
}
