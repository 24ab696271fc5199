//! Maximum age, grace, and what happens after them.

use crate::kit::*;
use dpki_primitives::Moment;
use dpki_verifier::{Error, Floor, Judgement, Policy, Query, Use, WhenStale};
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);
const GRACED: Policy = Policy { grace: MINUTE, ..Policy::closed_after(MINUTE) };
const OPEN: Policy = Policy { when_stale: WhenStale::Allow, ..GRACED };

#[test]
fn a_state_is_fresh_then_graced_then_refused() {
	let at = |age: Moment| GRACED.judge(TIME, TIME + age);
	assert_eq!(at(0), Judgement::Fresh);
	assert_eq!(at(60_000), Judgement::Fresh);
	assert_eq!(at(60_001), Judgement::Grace { age: 60_001 });
	assert_eq!(at(120_000), Judgement::Grace { age: 120_000 });
	assert_eq!(at(120_001), Judgement::Refused { age: 120_001, allowed: 120_000 });
	let (begin, go_on): (Vec<_>, Vec<_>) = [0, 60_001, 120_001]
		.into_iter()
		.map(|age| (at(age).may_begin(), at(age).may_go_on()))
		.unzip();
	assert_eq!((begin, go_on), (vec![true, false, false], vec![true, true, false]));
}

#[test]
fn who_fails_open_goes_on_for_ever_and_begins_nothing() {
	let judged = OPEN.judge(TIME, Moment::MAX);
	assert_eq!(judged, Judgement::Tolerated { age: Moment::MAX - TIME });
	assert!(judged.may_go_on() && !judged.may_begin());
	assert_eq!(OPEN.remaining(TIME, Moment::MAX), None);
}

#[test]
fn a_state_without_a_time_is_never_fresh() {
	for now in [0, 1, TIME] {
		assert!(!GRACED.judge(0, now).may_go_on(), "{now}");
		assert!(!OPEN.judge(0, now).may_begin(), "{now}");
		assert_eq!(GRACED.remaining(0, now), Some(0));
	}
}

#[test]
fn what_remains_ends_when_the_judgement_turns() {
	for age in [0, 1, 60_000, 119_999] {
		let now = TIME + age;
		let left = GRACED.remaining(TIME, now).unwrap();
		assert!(GRACED.judge(TIME, now + left).may_go_on(), "{age}");
		assert!(!GRACED.judge(TIME, now + left + 1).may_go_on(), "{age}");
	}
	assert_eq!(GRACED.remaining(TIME, Moment::MAX), Some(0));
}

#[test]
fn everything_fails_closed_unless_it_is_decided_otherwise() {
	for what in [Use::SshLogin, Use::Tls, Use::Delivery] {
		let policy = Policy::of(what);
		assert!(!policy.judge(TIME, Moment::MAX).may_go_on(), "{what:?}");
	}
	assert_eq!(Policy::of(Use::Delivery).grace, Duration::ZERO);
	assert_eq!(WhenStale::default(), WhenStale::Refuse);
	let longest = Policy::closed_after(Duration::MAX);
	assert_eq!(longest.judge(1, Moment::MAX), Judgement::Fresh);
}

#[test]
fn the_verifier_refuses_what_the_policy_refuses() {
	let (world, query) = (World::new(4), Query::new());
	let bundle = world.answer(&query).encode();
	let verdict = |policy: Policy, now| {
		world.verifier().verify(&bundle, &query, policy.freshness(now)).map(|_| ())
	};
	assert_eq!(verdict(GRACED, TIME + 120_000), Ok(()));
	let stale = Err(Error::Stale { age: 120_001, allowed: 120_000 });
	assert_eq!(verdict(GRACED, TIME + 120_001), stale);
	assert_eq!(verdict(OPEN, Moment::MAX), Ok(()));
}

#[test]
fn a_clock_that_was_set_back_makes_nothing_fresh() {
	let mut floor = Floor::new(TIME);
	assert_eq!(floor.now(0), TIME);
	assert_eq!(floor.now(TIME + 5), TIME + 5);
	floor.rise(TIME + 200_000);
	floor.rise(TIME);
	assert_eq!(floor.time(), TIME + 200_000);
	assert!(!GRACED.judge(TIME, floor.now(0)).may_go_on());
	assert_eq!(GRACED.judge(floor.time(), floor.now(0)), Judgement::Fresh);
}
