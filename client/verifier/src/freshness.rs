//! How old an answer may be.
//!
//! A carrier cannot forge a block, but it can hold new ones back and show the state from before a revocation. Three
//! things stand against that: a device never goes back behind a block that it has accepted (the
//! [`Checkpoint`](crate::Checkpoint) rises); the chain time, read from the same state as the records, must not lie
//! further behind the device's clock than its user allows; and it must not lie ahead of it, because then the clock is
//! wrong and the age means nothing.

use crate::error::Error;
use core::time::Duration;
use dpki_primitives::Moment;

/// How far the chain time may lie ahead of the clock by default. `pallet_timestamp` lets the author of a block go ahead
/// of the other validators' clocks by as much.
pub const DEFAULT_MAX_AHEAD: Duration = Duration::from_secs(30);

/// How old an answer may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Freshness(Option<Limits>);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Limits {
	now: Moment,
	max_age: Duration,
	max_ahead: Duration,
}

impl Freshness {
	/// At most this old by a clock that shows `now`, in milliseconds since the Unix epoch.
	pub const fn at_most(max_age: Duration, now: Moment) -> Self {
		Self(Some(Limits { now, max_age, max_ahead: DEFAULT_MAX_AHEAD }))
	}

	/// Lets the chain time lie ahead of the clock by this much instead of [`DEFAULT_MAX_AHEAD`].
	pub const fn with_max_ahead(self, max_ahead: Duration) -> Self {
		match self.0 {
			Some(limits) => Self(Some(Limits { max_ahead, ..limits })),
			None => self,
		}
	}

	/// For devices without a clock: nothing older than what was seen, and no more than that.
	///
	/// Whoever carries the bundles can then keep such a device at the newest block that it has seen, for ever: what was
	/// revoked later stays good for it.
	pub const fn without_clock() -> Self {
		Self(None)
	}

	pub(crate) fn check(self, time: Moment) -> Result<(), Error> {
		let Some(Limits { now, max_age, max_ahead }) = self.0 else { return Ok(()) };
		let (age, ahead) = (now.saturating_sub(time), time.saturating_sub(now));
		let (max_age, max_ahead) = (millis(max_age), millis(max_ahead));
		if ahead > max_ahead {
			return Err(Error::FromTheFuture { ahead, allowed: max_ahead });
		}
		if age > max_age {
			return Err(Error::Stale { age, allowed: max_age });
		}
		Ok(())
	}
}

/// A span in milliseconds, or the longest one.
pub(crate) fn millis(duration: Duration) -> Moment {
	Moment::try_from(duration.as_millis()).unwrap_or(Moment::MAX)
}
