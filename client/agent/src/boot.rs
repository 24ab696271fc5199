//! A clock that nobody sets: how long the system runs, and which of its starts this is.
//!
//! The wall clock of a device can be set back, and `Instant` begins anew with each process. What the kernel counts since it
//! has started goes on while the agent does not run, also while the device sleeps. It is worth nothing beyond that start,
//! which has a random name of its own.

use dpki_client::primitives::Moment;
use std::{fmt, fs, str::FromStr};

/// The name of this start of the system, see `random(4)`.
const START: &str = "/proc/sys/kernel/random/boot_id";

/// Seconds since the system has started, sleep included, see `proc(5)`.
const UPTIME: &str = "/proc/uptime";

/// What the clock showed once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
	start: String,
	/// Milliseconds since then.
	uptime: Moment,
}

/// The text is no reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no reading of the clock since the start of the system")]
pub struct InvalidReading;

impl Reading {
	/// What the clock shows, or `None` where there is none.
	pub fn now() -> Option<Self> {
		let start = fs::read_to_string(START).ok()?.trim().to_owned();
		let text = fs::read_to_string(UPTIME).ok()?;
		let (seconds, hundredths) = text.split_whitespace().next()?.split_once('.')?;
		let (seconds, hundredths): (Moment, Moment) =
			(seconds.parse().ok()?, hundredths.parse().ok()?);
		let uptime = seconds.checked_mul(1000)?.checked_add(hundredths.checked_mul(10)?)?;
		is_name(&start).then_some(Self { start, uptime })
	}

	/// How many milliseconds have passed since an earlier reading; `None` if that cannot be told.
	pub fn since(&self, earlier: &Self) -> Option<Moment> {
		if self.start != earlier.start {
			return None;
		}
		self.uptime.checked_sub(earlier.uptime)
	}

	/// The reading of so many milliseconds before, or of the start.
	#[cfg(test)]
	pub fn earlier_by(&self, span: Moment) -> Self {
		Self { uptime: self.uptime.saturating_sub(span), ..self.clone() }
	}
}

fn is_name(text: &str) -> bool {
	!text.is_empty() && text.chars().all(|c| c.is_ascii_graphic())
}

impl fmt::Display for Reading {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		write!(f, "{} {}", self.start, self.uptime)
	}
}

impl FromStr for Reading {
	type Err = InvalidReading;

	fn from_str(text: &str) -> Result<Self, InvalidReading> {
		let (start, uptime) = text.split_once(' ').ok_or(InvalidReading)?;
		let uptime = uptime.parse().map_err(|_| InvalidReading)?;
		if !is_name(start) {
			return Err(InvalidReading);
		}
		Ok(Self { start: start.to_owned(), uptime })
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn the_clock_runs_and_is_read_as_it_was_written() {
		let first = Reading::now().unwrap();
		assert_eq!(first.to_string().parse(), Ok(first.clone()));
		std::thread::sleep(std::time::Duration::from_millis(30));
		let passed = Reading::now().unwrap().since(&first).unwrap();
		assert!((20..10_000).contains(&passed), "{passed}");
	}

	#[test]
	fn readings_of_two_starts_and_of_the_future_tell_nothing() {
		let now = Reading::now().unwrap();
		assert_eq!(now.earlier_by(10).since(&now), None);
		let other: Reading = format!("other {}", now.uptime).parse().unwrap();
		assert_eq!((now.since(&other), other.since(&now)), (None, None));
		for wrong in ["", "7", " 7", "start", "start x", "start -1"] {
			assert_eq!(wrong.parse::<Reading>(), Err(InvalidReading), "{wrong}");
		}
	}
}
