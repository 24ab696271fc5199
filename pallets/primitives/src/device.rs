//! Devices.

use crate::{
	Moment,
	ids::{KeyId, Name, OrganisationId},
	revocation::Revocation,
	status::{Standing, Validity},
};
use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Most unrevoked keys of a device.
pub const MAX_KEYS_PER_DEVICE: u32 = 16;

/// Most keys that one enrolment can bring.
pub const MAX_KEYS_PER_ENROLMENT: u32 = 4;

/// The unrevoked keys of a device, oldest first.
pub type KeyList = BoundedVec<KeyId, ConstU32<MAX_KEYS_PER_DEVICE>>;

/// A device as stored.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct DeviceRecord {
	/// Whose device it is.
	pub organisation: OrganisationId,
	/// Its name within the organisation.
	pub name: Name,
	/// When it was enrolled.
	pub enrolled_at: Moment,
	/// How many keys were ever registered for it: the nonce of the next proof of possession.
	pub keys_registered: u64,
	/// Set once, never unset.
	pub revocation: Option<Revocation>,
}

impl DeviceRecord {
	/// What [`crate::status::status`] needs of this record.
	pub fn standing(&self) -> Standing {
		Standing {
			validity: Validity { not_before: self.enrolled_at, not_after: None },
			suspended: false,
			superseded: false,
			revocation: self.revocation,
		}
	}
}
