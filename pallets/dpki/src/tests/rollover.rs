//! Several live anchors, and a planned passage from one to the next.

use super::{mock::*, pki::*};
use crate::{Error, Event};
use dpki_primitives::{
	anchor::{Basis, Profile},
	ids::AnchorId,
	status::Status,
};
use frame_support::{assert_noop, assert_ok};
use rcgen::date_time_ymd;
use std::time::Duration;

const RETIRE_AT: u64 = NOW + 100_000;

fn plan(anchor: AnchorId, successor: AnchorId) -> sp_runtime::DispatchResult {
	Dpki::plan_rollover(signed(CAROL), anchor, successor, RETIRE_AT)
}

fn two_roots() -> (AnchorId, AnchorId) {
	(Party::root("Root").register_root(), Party::root("Root").register_root())
}

#[test]
fn both_anchors_are_in_force_until_the_planned_time_and_then_one_is() {
	run(|| {
		let (old, new) = two_roots();
		assert_ok!(plan(old, new));
		let event = Event::RolloverPlanned { anchor: old, successor: new, retire_at: RETIRE_AT };
		assert_eq!(last_event(), event.into());
		set_time(RETIRE_AT - 1);
		assert_eq!([old, new].map(Dpki::anchor_status), [Status::Valid; 2]);
		set_time(RETIRE_AT);
		assert_eq!([old, new].map(Dpki::anchor_status), [Status::Superseded, Status::Valid]);
		assert_eq!(Dpki::anchor(old).unwrap().successor, Some(new));
	});
}

#[test]
fn what_the_old_root_issued_outlives_its_planned_retirement() {
	run(|| {
		let (old, new) = (Party::root("Root"), Party::root("Root"));
		old.register_root();
		new.register_root();
		let unit = old.issue("Unit");
		unit.register_below(&old);
		assert_ok!(plan(old.id(), new.id()));
		set_time(RETIRE_AT);
		assert_eq!(Dpki::anchor_status(unit.id()), Status::Valid);
	});
}

#[test]
fn ssh_cas_roll_over_too() {
	run(|| {
		let (old, new) = (register_ssh(&Pair::ed25519(1)), register_ssh(&Pair::ed25519(2)));
		assert_ok!(plan(old, new));
		set_time(RETIRE_AT);
		assert_eq!(Dpki::anchor_status(old), Status::Superseded);
	});
}

#[test]
fn a_plan_is_cancelled_until_its_time_has_come() {
	run(|| {
		let (old, new) = two_roots();
		let cancel = || Dpki::cancel_rollover(signed(CAROL), old);
		assert_noop!(cancel(), Error::<Test>::RolloverNotPlanned);
		assert_ok!(plan(old, new));
		assert_noop!(plan(old, new), Error::<Test>::RolloverAlreadyPlanned);
		assert_ok!(cancel());
		assert_eq!(last_event(), Event::RolloverCancelled { anchor: old }.into());
		let record = Dpki::anchor(old).unwrap();
		assert_eq!((record.retired_at, record.successor), (None, None));
		assert_ok!(plan(old, new));
		set_time(RETIRE_AT);
		assert_noop!(cancel(), Error::<Test>::RolloverNotPlanned);
		assert_noop!(plan(old, new), Error::<Test>::AnchorAlreadyRetired);
		assert_noop!(Dpki::retire_anchor(signed(CAROL), old), Error::<Test>::AnchorAlreadyRetired);
	});
}

#[test]
fn a_planned_retirement_can_come_at_once() {
	run(|| {
		let (old, new) = two_roots();
		assert_ok!(plan(old, new));
		assert_ok!(Dpki::retire_anchor(signed(CAROL), old));
		assert_eq!(Dpki::anchor_status(old), Status::Superseded);
		assert_eq!(Dpki::anchor(old).unwrap().retired_at, Some(NOW));
	});
}

#[test]
fn a_plan_lies_in_the_future_and_speaks_of_anchors_that_exist() {
	run(|| {
		let (old, new) = two_roots();
		assert_noop!(
			Dpki::plan_rollover(signed(CAROL), old, new, NOW),
			Error::<Test>::RolloverTimePast
		);
		for (old, new) in [(AnchorId([0; 32]), new), (old, AnchorId([0; 32]))] {
			assert_noop!(plan(old, new), Error::<Test>::AnchorUnknown);
		}
		for anchor in [old, AnchorId([0; 32])] {
			let refused = Dpki::cancel_rollover(signed(CAROL), anchor);
			let error = match anchor == old {
				true => Error::<Test>::RolloverNotPlanned,
				false => Error::<Test>::AnchorUnknown,
			};
			assert_noop!(refused, error);
		}
	});
}

#[test]
fn a_revoked_anchor_does_not_roll_over() {
	run(|| {
		let (old, new) = two_roots();
		assert_ok!(plan(old, new));
		assert_ok!(Dpki::revoke_anchor(signed(CAROL), old, REASON));
		assert_noop!(plan(old, new), Error::<Test>::AnchorWasRevoked);
		assert_noop!(Dpki::cancel_rollover(signed(CAROL), old), Error::<Test>::AnchorWasRevoked);
	});
}

#[test]
fn only_an_anchor_manager_plans_and_cancels() {
	run(|| {
		let (old, new) = two_roots();
		for who in [BOB, MALLORY] {
			assert_noop!(
				Dpki::plan_rollover(signed(who.clone()), old, new, RETIRE_AT),
				Error::<Test>::RoleMissing
			);
			assert_noop!(Dpki::cancel_rollover(signed(who), old), Error::<Test>::RoleMissing);
		}
	});
}

#[test]
fn a_successor_can_take_the_place_of_the_old_anchor() {
	run(|| {
		let (old, new) = two_roots();
		let ssh = register_ssh(&Pair::ed25519(1));
		let foreign = Party::root("Root");
		let basis = Basis::SelfSigned(Profile::Rfc5280);
		assert_ok!(foreign.register_for(MALLORY, other(), basis));
		let of_profile = Party::root("Root");
		assert_ok!(of_profile.register(Basis::SelfSigned(Profile::IdevId)));
		// Both are good now, or will be, but not from now until the first is retired.
		let mut ending = authority("Root");
		ending.not_after = date_time_ymd(2027, 1, 15) + Duration::from_secs(8 * 3_600 + 50);
		let mut beginning = authority("Root");
		beginning.not_before = date_time_ymd(2030, 1, 1);
		let ending = Party::root_of(ending, ed25519_pair()).register_root();
		let beginning = Party::root_of(beginning, ed25519_pair()).register_root();
		assert_eq!(Dpki::anchor_status(ending), Status::Valid);
		for unfit in [old, ssh, foreign.id(), of_profile.id(), beginning, ending] {
			assert_noop!(plan(old, unfit), Error::<Test>::RolloverSuccessorUnfit);
		}
		assert_ok!(Dpki::retire_anchor(signed(CAROL), new));
		assert_noop!(plan(old, new), Error::<Test>::RolloverSuccessorUnfit);
	});
}

/// A circle would leave nothing in force.
#[test]
fn two_anchors_do_not_retire_in_favour_of_each_other() {
	run(|| {
		let (old, new) = two_roots();
		assert_ok!(plan(old, new));
		assert_noop!(
			Dpki::plan_rollover(signed(CAROL), new, old, RETIRE_AT + 1),
			Error::<Test>::RolloverSuccessorUnfit
		);
	});
}
