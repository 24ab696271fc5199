//! What a device may do alone for nothing, and how soon again.
//!
//! Nobody pays for what a device does without a registrar, and each further key stays in the state for ever. So each device
//! has a few operations at hand that come back with time: [`Bucket`]s whose ticks are milliseconds of chain time, in
//! which an operation is as many units as it takes to come back.

use crate::{
	Moment,
	economy::{Bucket, QuotaPolicy},
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// How many operations a device that has done nothing for a while can do one after the other.
pub const QUOTA_BURST: u64 = 4;

/// How long it takes until one operation has come back: 6 hours, so 4 in a day.
pub const QUOTA_RECOVERY: Moment = 6 * 60 * 60 * 1000;

const POLICY: QuotaPolicy = QuotaPolicy { capacity: QUOTA_BURST * QUOTA_RECOVERY, refill: 1 };

/// One allowance.
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
pub struct Quota(Bucket);

impl Quota {
	/// This allowance with one operation less; `None` if there is none left at `now`.
	pub fn spend(mut self, now: Moment) -> Option<Self> {
		self.0.take(POLICY, now, QUOTA_RECOVERY).ok()?;
		Some(self)
	}

	/// How many operations are left at `now`.
	pub const fn left(self, now: Moment) -> u64 {
		self.0.left(POLICY, now) / QUOTA_RECOVERY
	}
}

/// The allowances of a device.
///
/// There are two, so that whoever has stolen a signing key cannot use up what the holder of the announced key needs to
/// take the device back.
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
pub struct DeviceQuota {
	/// For what its signing keys do.
	pub signed: Quota,
	/// For what its announced keys do.
	pub announced: Quota,
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_quota_is_used_up_and_comes_back_one_by_one() {
		let now = 1_000_000_000_000;
		let mut quota = Quota::default();
		for left in (0..QUOTA_BURST).rev() {
			quota = quota.spend(now).unwrap();
			assert_eq!(quota.left(now), left);
		}
		assert_eq!(quota.spend(now), None);
		assert_eq!(quota.spend(now + QUOTA_RECOVERY - 1), None);
		assert_eq!(quota.left(now + QUOTA_RECOVERY), 1);
		let again = quota.spend(now + QUOTA_RECOVERY).unwrap();
		assert_eq!(again.spend(now + QUOTA_RECOVERY), None);
		assert_eq!(again.left(now + 10 * QUOTA_RECOVERY), QUOTA_BURST);
	}

	#[test]
	fn what_is_left_is_what_can_be_spent() {
		let mut used = Quota::default();
		for step in 0..100 {
			for wait in [0, 1, QUOTA_RECOVERY - 1, QUOTA_RECOVERY, 9 * QUOTA_RECOVERY] {
				let now = step * QUOTA_RECOVERY / 7 + wait;
				let (mut rest, mut spent) = (used, 0);
				while let Some(less) = rest.spend(now) {
					(rest, spent) = (less, spent + 1);
				}
				assert_eq!(spent, used.left(now), "{used:?} at {now}");
			}
			used = used.spend(step * QUOTA_RECOVERY / 7).unwrap_or(used);
		}
	}

	#[test]
	fn the_end_of_time_lets_nothing_overflow() {
		let used = (0..QUOTA_BURST).fold(Quota::default(), |it, _| it.spend(u64::MAX).unwrap());
		for now in [0, u64::MAX] {
			assert_eq!(used.left(now), 0);
			assert_eq!(used.spend(now), None);
		}
	}
}
