//! Quotas: a stock of units that every action takes from and that time refills.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;

/// How much a [`Bucket`] holds, and how fast it fills again.
///
/// Time is counted in ticks of the user's choice: blocks, or milliseconds of chain time. Whoever wants less than one unit
/// per tick makes the units smaller: ten actions in a day of 86,400 blocks are actions that take 8,640 units each
/// from a bucket of 86,400 that gets one back per block.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Debug,
	Default,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct QuotaPolicy {
	/// The most that can be taken at once, in units. Nothing can ever be taken if it is zero.
	pub capacity: u64,
	/// What comes back per tick, in units. Nothing ever comes back if it is zero.
	pub refill: u64,
}

/// A stock of units that actions take from and time refills.
///
/// It keeps what was taken and not what is left, so that the default value is a full bucket whatever the policy, a bucket
/// that has recovered equals one that never was, and a policy that changes applies to what is in use at once.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Debug,
	Default,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct Bucket {
	/// How many units were missing at `at`.
	taken: u64,
	/// The tick in which the bucket was last taken from.
	at: u64,
}

impl Bucket {
	/// A bucket that is empty at `now`, whatever the policy.
	pub const fn empty(now: u64) -> Self {
		Self { taken: u64::MAX, at: now }
	}

	/// The units that are missing at `now`. A `now` before the last change counts as the tick of that change.
	pub const fn missing(&self, policy: QuotaPolicy, now: u64) -> u64 {
		let taken = if self.taken < policy.capacity { self.taken } else { policy.capacity };
		taken.saturating_sub(now.saturating_sub(self.at).saturating_mul(policy.refill))
	}

	/// The units that can be taken at `now`.
	pub const fn left(&self, policy: QuotaPolicy, now: u64) -> u64 {
		policy.capacity.saturating_sub(self.missing(policy, now))
	}

	/// Whether the bucket is full at `now`: then it need not be stored.
	pub const fn is_full(&self, policy: QuotaPolicy, now: u64) -> bool {
		self.missing(policy, now) == 0
	}

	/// That `units` can be taken at `now`.
	pub const fn check(&self, policy: QuotaPolicy, now: u64, units: u64) -> Result<(), Exhausted> {
		let left = self.left(policy, now);
		if units <= left {
			return Ok(());
		}
		let reachable = units <= policy.capacity && policy.refill > 0;
		let wait = if reachable { Some((units - left).div_ceil(policy.refill)) } else { None };
		Err(Exhausted { wait })
	}

	/// Takes `units` at `now`, or nothing if there are not as many.
	pub fn take(&mut self, policy: QuotaPolicy, now: u64, units: u64) -> Result<(), Exhausted> {
		self.check(policy, now, units)?;
		self.taken = self.missing(policy, now).saturating_add(units);
		self.at = self.at.max(now);
		Ok(())
	}

	/// Puts back `units` that were taken and not needed. The bucket never gets fuller than full.
	pub fn put_back(&mut self, policy: QuotaPolicy, now: u64, units: u64) {
		self.taken = self.missing(policy, now).saturating_sub(units);
		self.at = self.at.max(now);
	}
}

/// There is not as much in the bucket as was to be taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Exhausted {
	/// After how many ticks there is, if nobody takes anything meanwhile; `None` if there never is.
	pub wait: Option<u64>,
}

impl fmt::Display for Exhausted {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self.wait {
			Some(ticks) => write!(f, "the quota is used up: try again {ticks} ticks later"),
			None => f.write_str("the quota is smaller than what was asked for: ask for less"),
		}
	}
}

#[cfg(feature = "std")]
impl std::error::Error for Exhausted {}

/// What that is bounded by which nobody pays for, where nobody pays. Pallets whose calls cost nothing ask it before anything
/// that is dear. A unit is a microsecond of computation, or a byte.
pub trait Quotas<Subject> {
	/// That `units` could be taken from the bucket of `subject` now: the question of the transaction pool.
	fn check(subject: &Subject, units: u64) -> Result<(), Exhausted>;

	/// Takes `units` from the bucket of `subject`, or nothing if there are not as many.
	fn take(subject: &Subject, units: u64) -> Result<(), Exhausted>;
}

/// No bound: for mocks.
impl<Subject> Quotas<Subject> for () {
	fn check(_: &Subject, _: u64) -> Result<(), Exhausted> {
		Ok(())
	}

	fn take(_: &Subject, _: u64) -> Result<(), Exhausted> {
		Ok(())
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	const POLICY: QuotaPolicy = QuotaPolicy { capacity: 100, refill: 3 };

	/// SplitMix64: enough randomness for a test, the same in every run.
	struct Dice(u64);

	impl Dice {
		fn next(&mut self) -> u64 {
			self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
			let mut z = self.0;
			z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
			z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
			z ^ (z >> 31)
		}

		/// Small numbers, large ones, and the largest.
		fn number(&mut self) -> u64 {
			match self.next() % 8 {
				0 => 0,
				1 => u64::MAX,
				2 => self.next(),
				_ => self.next() % 200,
			}
		}
	}

	#[test]
	fn a_new_bucket_is_full() {
		assert_eq!(Bucket::default().left(POLICY, 0), 100);
		assert!(Bucket::default().is_full(POLICY, 0));
	}

	#[test]
	fn an_empty_bucket_fills_as_one_does_from_which_all_was_taken() {
		let (empty, mut emptied) = (Bucket::empty(10), Bucket::default());
		assert_eq!(emptied.take(POLICY, 10, 100), Ok(()));
		for now in [0, 10, 11, 43, 44, u64::MAX] {
			assert_eq!(empty.left(POLICY, now), emptied.left(POLICY, now), "{now}");
		}
	}

	#[test]
	fn what_is_taken_comes_back_exactly_with_time() {
		let mut bucket = Bucket::default();
		assert_eq!(bucket.take(POLICY, 10, 100), Ok(()));
		assert_eq!(bucket.left(POLICY, 10), 0);
		assert_eq!(bucket.left(POLICY, 11), 3);
		assert_eq!(bucket.left(POLICY, 43), 99);
		assert_eq!(bucket.left(POLICY, 44), 100);
		assert_eq!(bucket.left(POLICY, u64::MAX), 100);
	}

	#[test]
	fn the_refusal_tells_how_long_to_wait_and_changes_nothing() {
		let mut bucket = Bucket::default();
		assert_eq!(bucket.take(POLICY, 0, 95), Ok(()));
		let before = bucket;
		assert_eq!(bucket.take(POLICY, 0, 10), Err(Exhausted { wait: Some(2) }));
		assert_eq!(bucket, before);
		assert_eq!(bucket.check(POLICY, 1, 10), Err(Exhausted { wait: Some(1) }));
		assert_eq!(bucket.check(POLICY, 2, 10), Ok(()));
	}

	#[test]
	fn what_exceeds_the_bucket_or_never_comes_back_is_refused_without_a_time() {
		let mut bucket = Bucket::default();
		assert_eq!(bucket.take(POLICY, 0, 101), Err(Exhausted { wait: None }));
		let once = QuotaPolicy { capacity: 1, refill: 0 };
		assert_eq!(bucket.take(once, 0, 1), Ok(()));
		assert_eq!(bucket.take(once, u64::MAX, 1), Err(Exhausted { wait: None }));
	}

	#[test]
	fn what_was_not_needed_is_put_back_but_never_more_than_was_taken() {
		let mut bucket = Bucket::default();
		assert_eq!(bucket.take(POLICY, 5, 60), Ok(()));
		bucket.put_back(POLICY, 5, 20);
		assert_eq!(bucket.left(POLICY, 5), 60);
		bucket.put_back(POLICY, 5, u64::MAX);
		assert_eq!(bucket.left(POLICY, 5), 100);
	}

	#[test]
	fn a_smaller_policy_does_not_punish_what_was_taken_before() {
		let mut bucket = Bucket::default();
		assert_eq!(bucket.take(POLICY, 0, 100), Ok(()));
		let smaller = QuotaPolicy { capacity: 10, refill: 1 };
		assert_eq!(bucket.left(smaller, 0), 0);
		assert_eq!(bucket.left(smaller, 10), 10);
	}

	#[test]
	fn time_that_goes_back_gives_nothing() {
		let mut bucket = Bucket::default();
		assert_eq!(bucket.take(POLICY, 50, 100), Ok(()));
		assert_eq!(bucket.take(POLICY, 20, 1), Err(Exhausted { wait: Some(1) }));
		bucket.put_back(POLICY, 20, 1);
		assert_eq!(bucket.left(POLICY, 50), 1);
	}

	/// Against a model that takes one step per tick and cannot overflow.
	#[test]
	fn a_bucket_agrees_with_counting_tick_by_tick() {
		let mut dice = Dice(1);
		for _ in 0..200 {
			let policy = QuotaPolicy { capacity: dice.next() % 100, refill: dice.next() % 10 };
			let (mut bucket, mut left, mut now) = (Bucket::default(), policy.capacity, 0);
			for _ in 0..100 {
				for _ in 0..dice.next() % 20 {
					now += 1;
					left = (left + policy.refill).min(policy.capacity);
				}
				let units = dice.next() % 40;
				if dice.next().is_multiple_of(4) {
					bucket.put_back(policy, now, units);
					left = (left + units).min(policy.capacity);
				} else if bucket.take(policy, now, units).is_ok() {
					left = left.checked_sub(units).expect("no more was taken than there was");
				} else {
					assert!(units > left, "{units} of {left} were refused");
				}
				assert_eq!(bucket.left(policy, now), left);
			}
		}
	}

	#[test]
	fn no_numbers_overflow_or_fill_a_bucket_above_its_capacity() {
		let mut dice = Dice(2);
		for _ in 0..20_000 {
			let mut bucket = Bucket { taken: dice.number(), at: dice.number() };
			let policy = QuotaPolicy { capacity: dice.number(), refill: dice.number() };
			let (now, units) = (dice.number(), dice.number());
			let before = bucket.left(policy, now);
			assert!(before <= policy.capacity);
			match bucket.take(policy, now, units) {
				Ok(()) => assert_eq!(bucket.left(policy, now), before - units),
				Err(Exhausted { wait }) => {
					assert!(units > before);
					let later = wait.map(|ticks| now.max(bucket.at).checked_add(ticks));
					if let Some(Some(later)) = later {
						assert_eq!(bucket.check(policy, later, units), Ok(()));
					}
				},
			}
			bucket.put_back(policy, now, dice.number());
			assert!(bucket.left(policy, now) <= policy.capacity);
		}
	}

	#[test]
	fn a_bucket_takes_sixteen_bytes() {
		assert_eq!(Bucket::default().encode().len(), 16);
		assert_eq!(Bucket::max_encoded_len(), 16);
	}
}
