//! Devices.

use crate::{
	Moment,
	ids::{AnchorId, KeyId, Name, OrganisationId},
	key::{NewKey, PublicKey},
	revocation::Withdrawal,
	status::{Standing, Validity},
};
use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Most unrevoked keys of a device.
pub const MAX_KEYS_PER_DEVICE: u32 = 16;

/// Most keys that one enrolment can bring.
pub const MAX_KEYS_PER_ENROLMENT: u32 = 4;

/// Most devices that one call can register.
pub const MAX_DEVICES_PER_BATCH: u32 = 256;

/// Most devices, or keys, that one call can revoke.
pub const MAX_REVOCATIONS_PER_BATCH: u32 = 256;

/// How long a replaced key can stay good: 7 days, for what has the old key to learn of the new one.
pub const MAX_GRACE: Moment = 7 * 24 * 60 * 60 * 1000;

/// The keys of a device that are not revoked, oldest first. Those that have ended in another way leave it when their place
/// is needed.
pub type KeyList = BoundedVec<KeyId, ConstU32<MAX_KEYS_PER_DEVICE>>;

/// A device that asks to be registered together with others.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct NewDevice {
	/// Its name within the organisation.
	pub name: Name,
	/// Its keys. Their possession is proven for the registrar, with the position in this list as nonce.
	pub keys: BoundedVec<NewKey, ConstU32<MAX_KEYS_PER_ENROLMENT>>,
}

/// What its own key proves to be compromised.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum Compromised {
	/// This key of a device.
	#[codec(index = 0)]
	Key(KeyId),
	/// This anchor.
	#[codec(index = 1)]
	Anchor(AnchorId),
	/// This key, as whatever it is known: that of a certificate or of a member of a fleet, of which the chain may hold no
	/// record by the id of the key; or that of a device or an anchor, which ends as if it were named itself.
	#[codec(index = 2)]
	Public(PublicKey),
}

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
	/// Whether it was revoked, or is on hold.
	pub withdrawal: Withdrawal,
}

impl DeviceRecord {
	/// What [`crate::status::status`] needs of this record.
	pub fn standing(&self) -> Standing {
		Standing {
			validity: Validity { not_before: self.enrolled_at, not_after: None },
			suspended: self.withdrawal.is_on_hold(),
			superseded_at: None,
			revocation: self.withdrawal.revocation(),
		}
	}
}
