//! `hand_over`, `cancel_hand_over`, `accept_hand_over`: how a member changes its key.

use super::mock::*;
use crate::{HandOvers, Organisations};
use dpki_primitives::{
	motion::{Body, Electorate},
	organisation::{HandOver, RoleSet},
};
use frame_support::{assert_noop, assert_ok, dispatch::CheckIfFeeless};
use sp_runtime::{AccountId32, DispatchError, DispatchResult};

fn offer(from: AccountId32, to: AccountId32) -> DispatchResult {
	Pallet::hand_over(signed(from), acme(), to)
}

fn accept(to: AccountId32, from: AccountId32) -> DispatchResult {
	Pallet::accept_hand_over(signed(to), acme(), from)
}

fn cancel(from: AccountId32) -> DispatchResult {
	Pallet::cancel_hand_over(signed(from), acme())
}

#[test]
fn a_membership_moves_with_all_its_roles_when_the_new_account_accepts() {
	run(|| {
		create_acme();
		let before = Organisations::<Test>::get(acme());
		assert_ok!(offer(alice(), erin()));
		let expires_at = 1 + HAND_OVER_PERIOD;
		assert_eq!(
			HandOvers::<Test>::get(acme(), alice()),
			Some(HandOver { to: erin(), expires_at })
		);
		assert_eq!(
			last_event(),
			Event::HandOverOffered { organisation: acme(), from: alice(), to: erin(), expires_at }
		);
		assert_eq!(roles(alice()), Some(RoleSet::ALL), "nothing moves before it is accepted");

		assert_ok!(accept(erin(), alice()));
		assert_eq!((roles(alice()), roles(erin())), (None, Some(RoleSet::ALL)));
		assert_eq!(HandOvers::<Test>::get(acme(), alice()), None);
		assert_eq!(Organisations::<Test>::get(acme()), before, "the counts stay");
		assert_eq!(
			last_event(),
			Event::MembershipMoved {
				organisation: acme(),
				from: alice(),
				to: erin(),
				roles: RoleSet::ALL
			}
		);
		assert_noop!(set(alice(), bob(), PUBLISHER), Error::RoleMissing);
	});
}

#[test]
fn the_roles_that_move_are_those_at_the_time_of_accepting() {
	run(|| {
		create_acme();
		assert_ok!(set(alice(), bob(), RoleSet::ALL));
		assert_ok!(offer(bob(), erin()));
		assert_ok!(set(alice(), bob(), PUBLISHER));
		assert_ok!(accept(erin(), bob()));
		assert_eq!(roles(erin()), Some(PUBLISHER));
	});
}

#[test]
fn a_watchdog_changes_its_key_without_a_vote_and_votes_once() {
	run(|| {
		watched_acme();
		let electorate = Electorate::Organisation(acme(), Body::Watchdogs);
		let policy_before = policy();
		let call = crate::Call::set_policy {
			organisation: acme(),
			policy: dpki_primitives::organisation::DeliveryPolicy::Simple,
		};
		assert_ok!(carry(electorate, bob(), [], call));
		assert_ok!(offer(bob(), erin()));
		assert_ok!(accept(erin(), bob()));
		let vote = |who| {
			let bound = MaxCallWeight::get();
			Motions::vote(signed(who), 0, true, Default::default(), 1_000, bound)
		};
		assert_ok!(vote(erin()));
		assert_eq!(policy(), policy_before, "the same watchdog has not become two");
		assert_ok!(vote(carol()));
		assert_ne!(policy(), policy_before);
	});
}

#[test]
fn only_a_member_offers() {
	run(|| {
		create_acme();
		assert_noop!(offer(bob(), erin()), Error::MemberUnknown);
		for origin in [RuntimeOrigin::root(), RuntimeOrigin::none(), administrators(), council()] {
			assert_noop!(Pallet::hand_over(origin, acme(), erin()), DispatchError::BadOrigin);
		}
	});
}

#[test]
fn a_membership_is_not_offered_to_a_member() {
	run(|| {
		create_acme();
		assert_ok!(set(alice(), bob(), PUBLISHER));
		assert_noop!(offer(alice(), bob()), Error::MemberExists);
		assert_noop!(offer(alice(), alice()), Error::MemberExists);
	});
}

#[test]
fn who_became_a_member_since_the_offer_does_not_accept_another_membership() {
	run(|| {
		create_acme();
		assert_ok!(set(alice(), bob(), PUBLISHER));
		assert_ok!(offer(bob(), erin()));
		assert_ok!(set(alice(), erin(), WATCHDOG));
		assert_noop!(accept(erin(), bob()), Error::MemberExists);
	});
}

#[test]
fn only_the_account_that_was_named_accepts() {
	run(|| {
		create_acme();
		assert_noop!(accept(erin(), alice()), Error::HandOverUnknown);
		assert_ok!(offer(alice(), erin()));
		assert_noop!(accept(dave(), alice()), Error::HandOverUnknown);
		assert_noop!(accept(erin(), bob()), Error::HandOverUnknown);
		for origin in [RuntimeOrigin::root(), RuntimeOrigin::none(), administrators()] {
			assert_noop!(
				Pallet::accept_hand_over(origin, acme(), alice()),
				DispatchError::BadOrigin
			);
		}
	});
}

#[test]
fn an_offer_is_accepted_once() {
	run(|| {
		create_acme();
		assert_ok!(offer(alice(), erin()));
		assert_ok!(accept(erin(), alice()));
		assert_noop!(accept(erin(), alice()), Error::HandOverUnknown);
	});
}

#[test]
fn a_membership_is_accepted_for_nothing_once_and_when_it_can_be() {
	run(|| {
		create_acme();
		let is_free = |who| {
			let call = crate::Call::accept_hand_over { organisation: acme(), from: alice() };
			RuntimeCall::Organisations(call).is_feeless(&signed(who))
		};
		assert!(!is_free(erin()));
		assert_ok!(offer(alice(), erin()));
		assert!(is_free(erin()) && !is_free(dave()));
		go_to(2 + HAND_OVER_PERIOD);
		assert!(!is_free(erin()));
		go_to(1 + HAND_OVER_PERIOD);
		assert_ok!(accept(erin(), alice()));
		assert!(!is_free(erin()));
	});
}

#[test]
fn an_offer_expires() {
	run(|| {
		create_acme();
		assert_ok!(offer(alice(), erin()));
		go_to(2 + HAND_OVER_PERIOD);
		assert_noop!(accept(erin(), alice()), Error::HandOverExpired);
		go_to(1 + HAND_OVER_PERIOD);
		assert_ok!(accept(erin(), alice()));
	});
}

#[test]
fn a_later_offer_replaces_the_earlier_one() {
	run(|| {
		create_acme();
		assert_ok!(offer(alice(), erin()));
		assert_ok!(offer(alice(), dave()));
		assert_noop!(accept(erin(), alice()), Error::HandOverUnknown);
		assert_ok!(accept(dave(), alice()));
	});
}

#[test]
fn an_offer_can_be_taken_back_by_who_made_it() {
	run(|| {
		create_acme();
		assert_noop!(cancel(alice()), Error::HandOverUnknown);
		assert_ok!(offer(alice(), erin()));
		assert_noop!(cancel(erin()), Error::HandOverUnknown);
		assert_ok!(cancel(alice()));
		assert_eq!(last_event(), Event::HandOverCancelled { organisation: acme(), from: alice() });
		assert_noop!(accept(erin(), alice()), Error::HandOverUnknown);
		for origin in [RuntimeOrigin::root(), RuntimeOrigin::none(), administrators()] {
			assert_noop!(Pallet::cancel_hand_over(origin, acme()), DispatchError::BadOrigin);
		}
	});
}

#[test]
fn a_removed_member_has_nothing_to_hand_over() {
	run(|| {
		create_acme();
		assert_ok!(set(alice(), bob(), PUBLISHER));
		assert_ok!(offer(bob(), erin()));
		assert_ok!(remove(alice(), bob()));
		assert_noop!(accept(erin(), bob()), Error::HandOverUnknown);
		// Nor does the old offer come back with the member.
		assert_ok!(set(alice(), bob(), PUBLISHER));
		assert_noop!(accept(erin(), bob()), Error::HandOverUnknown);
	});
}
