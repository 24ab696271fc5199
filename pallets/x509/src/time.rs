//! Time, as certificates tell it.

use crate::error::Error;
use x509_cert::time::Time;

/// Seconds since the Unix epoch. Certificates know nothing finer (RFC 5280 section 4.1.2.5), so a clock in
/// milliseconds is rounded down: the last second of a validity belongs to it as a whole.
pub type UnixTime = u64;

/// The times within which something is in force, both included (RFC 5280 section 4.1.2.5).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Validity {
	/// The first second.
	pub not_before: UnixTime,
	/// The last second.
	pub not_after: UnixTime,
}

impl Validity {
	/// 31 December 9999, 23:59:59: "no well-defined expiration date" (RFC 5280 section 4.1.2.5).
	pub const NO_END: UnixTime = 253_402_300_799;

	/// The validity of a certificate. Times before 1970 cannot be told, neither here nor in chain time.
	pub(crate) fn read(validity: &x509_cert::time::Validity) -> Result<Self, Error> {
		let not_before = unix_time(validity.not_before);
		let not_after = unix_time(validity.not_after);
		ensure!(not_before <= not_after, Error::ValidityInvalid);
		Ok(Self { not_before, not_after })
	}

	/// Refuses a moment outside.
	pub fn check(&self, at: UnixTime) -> Result<(), Error> {
		ensure!(self.not_before <= at, Error::CertificateNotYetValid);
		ensure!(at <= self.not_after, Error::CertificateExpired);
		Ok(())
	}

	/// The first millisecond of the validity.
	pub const fn first_millisecond(&self) -> u64 {
		self.not_before.saturating_mul(1000)
	}

	/// The last millisecond of the validity, which is that of its last second.
	pub const fn last_millisecond(&self) -> u64 {
		self.not_after.saturating_mul(1000).saturating_add(999)
	}
}

pub(crate) fn unix_time(time: Time) -> UnixTime {
	time.to_unix_duration().as_secs()
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn both_ends_belong_to_the_validity() {
		let validity = Validity { not_before: 10, not_after: 20 };
		assert_eq!(validity.check(9), Err(Error::CertificateNotYetValid));
		assert_eq!(validity.check(10), Ok(()));
		assert_eq!(validity.check(20), Ok(()));
		assert_eq!(validity.check(21), Err(Error::CertificateExpired));
		assert_eq!((validity.first_millisecond(), validity.last_millisecond()), (10_000, 20_999));
	}
}
