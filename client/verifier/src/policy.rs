//! How old the newest proven state may be, use by use.
//!
//! No carrier can forge a state, but each can keep the newer ones to itself, and a device that hears nothing cannot tell
//! whether it is offline or cut off. So whoever relies on a state decides beforehand how long it is good for:
//!
//! | age by chain time | judgement | may be relied on |
//! |---|---|---|
//! | up to the maximum age | [`Judgement::Fresh`] | yes, for everything |
//! | then, as long as the grace lasts | [`Judgement::Grace`] | for what was in force already; nothing new begins |
//! | then, failing closed | [`Judgement::Refused`] | no |
//! | then, failing open | [`Judgement::Tolerated`] | for what was in force already, with a warning |
//!
//! The measure is the chain time inside the proof, held against a clock that never goes behind it ([`Floor`]). A state
//! without a time, as that of the genesis block, is never fresh.

use crate::freshness::{Freshness, millis};
use core::time::Duration;
use dpki_primitives::Moment;

/// What happens when maximum age and grace are over.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum WhenStale {
	/// The use is refused: it fails closed.
	#[default]
	Refuse,
	/// The use goes on: it fails open. Then whoever cuts the device off keeps every revocation from it, for ever.
	Allow,
}

/// How old a state may be for one use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Policy {
	/// Up to this age a state is as good as new.
	pub max_age: Duration,
	/// For so long after that, what is in force stays so.
	pub grace: Duration,
	/// What happens then.
	pub when_stale: WhenStale,
}

/// What is done with a state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Use {
	/// Somebody logs in by SSH.
	SshLogin,
	/// A TLS connection to a peer is accepted.
	Tls,
	/// A delivery is put in force.
	Delivery,
}

/// What a [`Policy`] says about a state. Ages are milliseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub enum Judgement {
	/// It is as good as new.
	Fresh,
	/// It is too old to begin anything new.
	Grace {
		/// Its age.
		age: Moment,
	},
	/// It is too old, and its user has decided to go on.
	Tolerated {
		/// Its age.
		age: Moment,
	},
	/// It is too old.
	Refused {
		/// Its age.
		age: Moment,
		/// The age up to which it would have been good.
		allowed: Moment,
	},
}

impl Judgement {
	/// Whether what is in force may stay so.
	pub const fn may_go_on(self) -> bool {
		!matches!(self, Self::Refused { .. })
	}

	/// Whether something new may begin.
	pub const fn may_begin(self) -> bool {
		matches!(self, Self::Fresh)
	}
}

impl Policy {
	/// Refuses whatever is older than this.
	pub const fn closed_after(max_age: Duration) -> Self {
		Self { max_age, grace: Duration::ZERO, when_stale: WhenStale::Refuse }
	}

	/// The policy for a use of which nothing is known but what it is. All fail closed.
	///
	/// Ten minutes: clocks of devices are often minutes wrong. A login has a day of grace, because a device that is cut off
	/// may be one that somebody has to log in to; what TLS lets in is not worth that much.
	pub const fn of(what: Use) -> Self {
		let max_age = Duration::from_secs(10 * 60);
		let grace = match what {
			Use::SshLogin => Duration::from_secs(24 * 60 * 60),
			Use::Tls => Duration::from_secs(60 * 60),
			Use::Delivery => Duration::ZERO,
		};
		Self { max_age, grace, when_stale: WhenStale::Refuse }
	}

	/// Judges a state of this chain time when the clock shows `now`, both in milliseconds since the Unix epoch. A clock that
	/// is behind the chain makes every state fresh: let a [`Floor`] correct it.
	pub fn judge(&self, time: Moment, now: Moment) -> Judgement {
		let age = now.saturating_sub(time);
		let max_age = millis(self.max_age);
		let allowed = max_age.saturating_add(millis(self.grace));
		if time > 0 && age <= max_age {
			return Judgement::Fresh;
		}
		match self.when_stale {
			_ if time > 0 && age <= allowed => Judgement::Grace { age },
			WhenStale::Allow => Judgement::Tolerated { age },
			WhenStale::Refuse => Judgement::Refused { age, allowed },
		}
	}

	/// How long a state of this chain time can still be relied on: `None` for ever, zero if it cannot be. In milliseconds.
	pub fn remaining(&self, time: Moment, now: Moment) -> Option<Moment> {
		match self.when_stale {
			WhenStale::Allow => None,
			WhenStale::Refuse if time == 0 => Some(0),
			WhenStale::Refuse => {
				let allowed = millis(self.max_age).saturating_add(millis(self.grace));
				Some(allowed.saturating_sub(now.saturating_sub(time)))
			},
		}
	}

	/// What a [`Verifier`](crate::Verifier) has to be told so that it refuses what this policy refuses, when the clock shows
	/// `now`.
	pub fn freshness(&self, now: Moment) -> Freshness {
		match self.when_stale {
			WhenStale::Refuse => Freshness::at_most(self.max_age.saturating_add(self.grace), now),
			WhenStale::Allow => Freshness::without_clock(),
		}
	}
}

/// The newest chain time that was proven: a clock that shows less is wrong.
///
/// A device without a battery for its clock boots in 1970, and one that asks the network for the time may be told
/// anything. Whoever sets the clock back does not make an old state fresh.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Floor(Moment);

impl Floor {
	/// The floor that was stored, in milliseconds since the Unix epoch; 0 if there is none.
	pub const fn new(stored: Moment) -> Self {
		Self(stored)
	}

	/// Takes note of the chain time of a proven state. It never falls.
	pub const fn rise(&mut self, time: Moment) {
		if time > self.0 {
			self.0 = time;
		}
	}

	/// The newest proven chain time; 0 if there was none.
	pub const fn time(self) -> Moment {
		self.0
	}

	/// What the clock shows, or the floor if it shows less.
	pub const fn now(self, clock: Moment) -> Moment {
		if clock > self.0 { clock } else { self.0 }
	}
}
