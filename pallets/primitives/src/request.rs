//! Requests: keys that wait for a registrar.
//!
//! What a registrar approves is the hash of everything that follows from the approval. Whoever sees a request on its way
//! can send another one for the same device, but that has another id, and nothing takes the place of a pending request.

use crate::{
	Moment,
	device::MAX_KEYS_PER_ENROLMENT,
	ids::{DeviceId, KeyId, Name, OrganisationId, RequestId},
	key::{KeyPurpose, KeyTerms},
};
use alloc::vec::Vec;
use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Most requests that can wait for the registrars of an organisation.
pub const MAX_REQUESTS_PER_ORGANISATION: u32 = 32;

/// Most requests of one account among them, so that filling the queue takes many accounts that pay.
pub const MAX_REQUESTS_PER_ACCOUNT: u32 = 2;

/// How long a request can be approved: 7 days.
pub const REQUEST_LIFETIME: Moment = 7 * 24 * 60 * 60 * 1000;

/// Keys that wait for a registrar, as stored. Their possession is proven.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct KeyRequest {
	/// The account that asks.
	pub requester: [u8; 32],
	/// Which organisation is asked.
	pub organisation: OrganisationId,
	/// The name of the device within it.
	pub device_name: Name,
	/// The keys, in the order in which they are to be registered.
	pub keys: BoundedVec<KeyTerms, ConstU32<MAX_KEYS_PER_ENROLMENT>>,
	/// The signing key by which the device, if there is one, has agreed.
	pub consenting: Option<KeyId>,
	/// Last moment at which it can be approved.
	pub expires_at: Moment,
}

impl KeyRequest {
	/// The id of the request. Its expiry is not in it, so that who asks can tell it before the chain has the request.
	pub fn id(&self) -> RequestId {
		let device = self.device();
		let keys: Vec<(KeyPurpose, KeyId, Option<Moment>)> = self
			.keys
			.iter()
			.map(|key| (key.purpose, KeyId::of_device(device, &key.public), key.not_after))
			.collect();
		RequestId::of(device, &self.requester, &keys, self.consenting)
	}

	/// Which device the keys are for.
	pub fn device(&self) -> DeviceId {
		DeviceId::from_name(self.organisation, &self.device_name)
	}
}

/// A request in the queue of its organisation.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Debug,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct QueuedRequest {
	/// Which request.
	pub id: RequestId,
	/// Who asked.
	pub requester: [u8; 32],
	/// Last moment at which it can be approved.
	pub expires_at: Moment,
}

/// Why a registrar said no.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Debug,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum Rejection {
	/// No reason was given.
	#[codec(index = 0)]
	Unspecified,
	/// The organisation does not know the device.
	#[codec(index = 1)]
	DeviceUnknown,
	/// The keys are not those that the device shows.
	#[codec(index = 2)]
	KeysDiffer,
	/// The device is to come in another way.
	#[codec(index = 3)]
	NotNeeded,
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::key::{KeyType, PublicKey};

	#[test]
	fn everything_that_is_agreed_to_is_in_the_id() {
		let key = |n: u8| KeyTerms {
			purpose: KeyPurpose::Sign,
			public: PublicKey::new(KeyType::Ed25519, &[n; 32]).unwrap(),
			not_after: None,
		};
		let request = KeyRequest {
			requester: [1; 32],
			organisation: OrganisationId([2; 32]),
			device_name: b"drone-1".to_vec().try_into().unwrap(),
			keys: alloc::vec![key(3), key(4)].try_into().unwrap(),
			consenting: None,
			expires_at: 5,
		};
		let id = request.id();
		assert_eq!(KeyRequest { expires_at: 6, ..request.clone() }.id(), id);
		let mut others = alloc::vec![
			KeyRequest { requester: [9; 32], ..request.clone() },
			KeyRequest { organisation: OrganisationId([9; 32]), ..request.clone() },
			KeyRequest { device_name: b"drone-2".to_vec().try_into().unwrap(), ..request.clone() },
			KeyRequest { consenting: Some(KeyId([9; 32])), ..request.clone() },
		];
		let mut changed = request.clone();
		changed.keys[0] = key(9);
		others.push(changed);
		let mut changed = request.clone();
		changed.keys = alloc::vec![key(4), key(3)].try_into().unwrap();
		others.push(changed);
		let mut changed = request.clone();
		changed.keys[1].purpose = KeyPurpose::Tls;
		others.push(changed);
		let mut changed = request.clone();
		changed.keys[1].not_after = Some(7);
		others.push(changed);
		let mut changed = request;
		changed.keys.pop();
		others.push(changed);
		for other in others {
			assert_ne!(other.id(), id, "{other:?}");
		}
	}
}
