//! How old an answer may be.

use crate::kit::*;
use codec::Encode;
use dpki_primitives::{Moment, storage_keys};
use dpki_verifier::{DEFAULT_MAX_AHEAD, Error, Freshness, Part, Query};
use sp_core::storage::StateVersion;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

/// The verdict by this clock about a state of [`TIME`].
fn by_clock(freshness: Freshness) -> Result<(), Error> {
	let (world, query) = (World::new(4), Query::new());
	let bundle = world.answer(&query).encode();
	world.verifier().verify(&bundle, &query, freshness).map(|_| ())
}

#[test]
fn a_head_grows_stale() {
	assert_eq!(by_clock(Freshness::at_most(MINUTE, TIME)), Ok(()));
	assert_eq!(by_clock(Freshness::at_most(MINUTE, TIME + 60_000)), Ok(()));
	let stale = Err(Error::Stale { age: 60_001, allowed: 60_000 });
	assert_eq!(by_clock(Freshness::at_most(MINUTE, TIME + 60_001)), stale);
	let stale = Err(Error::Stale { age: Moment::MAX - TIME, allowed: 0 });
	assert_eq!(by_clock(Freshness::at_most(Duration::ZERO, Moment::MAX)), stale);
	assert_eq!(by_clock(Freshness::at_most(Duration::MAX, Moment::MAX)), Ok(()));
}

#[test]
fn a_head_from_the_future_is_refused() {
	let ahead = DEFAULT_MAX_AHEAD.as_millis() as Moment;
	assert_eq!(by_clock(Freshness::at_most(MINUTE, TIME - ahead)), Ok(()));
	let refused = Err(Error::FromTheFuture { ahead: ahead + 1, allowed: ahead });
	assert_eq!(by_clock(Freshness::at_most(MINUTE, TIME - ahead - 1)), refused);
	let refused = Err(Error::FromTheFuture { ahead: TIME, allowed: ahead });
	assert_eq!(by_clock(Freshness::at_most(MINUTE, 0)), refused);
	let strict = Freshness::at_most(MINUTE, TIME - 1).with_max_ahead(Duration::ZERO);
	assert_eq!(by_clock(strict), Err(Error::FromTheFuture { ahead: 1, allowed: 0 }));
}

#[test]
fn without_a_clock_the_order_of_blocks_is_all() {
	assert_eq!(by_clock(Freshness::without_clock()), Ok(()));
	assert_eq!(by_clock(Freshness::without_clock().with_max_ahead(Duration::ZERO)), Ok(()));
	let (world, query) = (World::new(4), Query::new());
	let mut verifier = world.verifier();
	let (old, new) = (world.answer_at(19, &query).encode(), world.answer_at(20, &query).encode());
	verifier.verify(&new, &query, Freshness::without_clock()).unwrap();
	let refused = verifier.verify(&old, &query, Freshness::without_clock()).map(|_| ());
	assert_eq!(refused, Err(Error::OlderThanSeen { number: 19, seen: 20 }));
}

#[test]
fn an_older_head_is_refused() {
	let (world, query) = (World::new(4), Query::new());
	for number in [0, 1, 9] {
		let refused = Err(Error::OlderThanSeen { number, seen: 10 });
		assert_eq!(world.verdict(&world.answer_at(number, &query), &query), refused);
	}
}

#[test]
fn another_block_at_the_same_height_is_refused() {
	let (world, query) = (World::new(4), Query::new());
	let refused = Err(Error::ConflictsWithSeen { number: 10 });
	assert_eq!(world.verdict(&world.answer_at(10, &query), &query), refused);
}

#[test]
fn a_known_head_still_needs_a_justification_of_itself() {
	let (world, query) = (World::new(4), Query::new());
	let mut verifier = world.verifier();
	let mut parts = world.answer(&query);
	verifier.verify(&parts.encode(), &query, fresh()).unwrap();
	parts.justification = justify(&world.keys, world.set_id, &world.block(21, &[]));
	let refused = verifier.verify(&parts.encode(), &query, fresh()).map(|_| ());
	assert_eq!(refused, Err(Error::TargetMismatch { number: 20 }));
}

#[test]
fn a_refused_head_moves_nothing() {
	let (world, query) = (World::new(4), Query::new());
	let mut verifier = world.verifier();
	let bundle = world.answer(&query).encode();
	assert!(verifier.verify(&bundle, &query, Freshness::at_most(MINUTE, 0)).is_err());
	assert_eq!(verifier.checkpoint(), &world.checkpoint);
}

#[test]
fn a_state_has_a_time() {
	let with_time = |time: Option<Vec<u8>>| {
		let mut entries = registry(5);
		entries.remove(&storage_keys::now());
		entries.extend(time.map(|time| (storage_keys::now(), time)));
		let world = World::with(4, entries, StateVersion::V1);
		world.verdict(&world.answer(&Query::new()), &Query::new()).map(|_| ())
	};
	assert_eq!(with_time(Some(TIME.encode())), Ok(()));
	assert_eq!(with_time(None), Err(Error::TimeMissing));
	for malformed in [vec![], vec![0; 7], vec![0; 9]] {
		assert_eq!(with_time(Some(malformed)), Err(Error::Malformed(Part::Record)));
	}
}
