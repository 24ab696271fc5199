//! What a leaf says.
//!
//! The leaf of the tree is the SCALE encoding of [`FleetLeaf`]. It is the only one: SCALE has one encoding for each value,
//! and what breaks a rule of [`FleetLeaf::is_well_formed`] is no leaf, whatever tree it stands in.

use super::tree::{TreeHash, leaf_hash};
use crate::{
	ids::{DeviceId, KeyId, Name, OrganisationId, is_valid_name},
	key::{KeyPurpose, KeyType, PublicKey},
	key_policy::KeyPolicy,
	status::Validity,
};
use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Longest key of a fleet in bytes: a compressed point. RSA keys are registered singly.
pub const MAX_FLEET_KEY_LEN: u32 = 33;

/// A public key that fits into a leaf.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct FleetKey {
	/// Its algorithm.
	pub key_type: KeyType,
	/// Its bytes in the encoding that [`KeyType`] names.
	pub bytes: BoundedVec<u8, ConstU32<MAX_FLEET_KEY_LEN>>,
}

impl FleetKey {
	/// A key from its parts; `None` if `bytes` has not a length of its type, or the type is too long for a fleet.
	pub fn new(key_type: KeyType, bytes: &[u8]) -> Option<Self> {
		let key = Self { key_type, bytes: bytes.to_vec().try_into().ok()? };
		key.has_valid_len().then_some(key)
	}

	/// The same key as the registry has it.
	pub fn public(&self) -> Option<PublicKey> {
		PublicKey::new(self.key_type, &self.bytes)
	}

	fn has_valid_len(&self) -> bool {
		self.key_type.public_lens().contains(&self.bytes.len())
	}
}

/// A key of a device, as a member of a fleet.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct FleetLeaf {
	/// The name of the device within the organisation of the fleet.
	pub name: Name,
	/// What the key is for.
	pub purpose: KeyPurpose,
	/// The key.
	pub key: FleetKey,
	/// When it may be used.
	pub validity: Validity,
}

impl FleetLeaf {
	/// Whether it says something that can be: a possible name, a key of its length that can serve the purpose, a validity
	/// that does not end before it begins.
	pub fn is_well_formed(&self) -> bool {
		is_valid_name(&self.name)
			&& self.key.has_valid_len()
			&& self.purpose.allows(self.key.key_type)
			&& self.validity.not_after.is_none_or(|end| end >= self.validity.not_before)
	}

	/// Whether the organisation allows such a key to be committed: its type, and how long it lasts from the moment from
	/// which it may be used.
	pub fn is_allowed_by(&self, policy: &KeyPolicy) -> bool {
		let Validity { not_before, not_after } = self.validity;
		policy.key_types.contains(self.key.key_type)
			&& policy.validity.of(self.purpose).is_none_or(|limit| {
				not_after.is_some_and(|end| end.saturating_sub(not_before) <= limit)
			})
	}

	/// The device, which is one of the organisation of the fleet whatever the leaf says.
	pub fn device(&self, organisation: OrganisationId) -> DeviceId {
		DeviceId::from_name(organisation, &self.name)
	}

	/// The id that the registry has, or would have, for the key; `None` if the leaf is malformed.
	pub fn key_id(&self, organisation: OrganisationId) -> Option<KeyId> {
		Some(KeyId::of_device(self.device(organisation), &self.key.public()?))
	}

	/// Its hash in the tree.
	pub fn hash(&self) -> TreeHash {
		leaf_hash(&self.encode())
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::key_policy::{KeyTypeSet, ValidityLimits};
	use codec::DecodeAll;

	fn leaf() -> FleetLeaf {
		FleetLeaf {
			name: b"drone-7".to_vec().try_into().unwrap(),
			purpose: KeyPurpose::Tls,
			key: FleetKey::new(KeyType::P256, &[2; 33]).unwrap(),
			validity: Validity { not_before: 5, not_after: Some(9) },
		}
	}

	#[test]
	fn a_leaf_round_trips_and_nothing_may_follow_it() {
		let bytes = leaf().encode();
		assert_eq!(FleetLeaf::decode_all(&mut &bytes[..]), Ok(leaf()));
		assert!(FleetLeaf::decode_all(&mut &[&bytes[..], &[0]].concat()[..]).is_err());
		// A compact length in a longer form than needed is another encoding of the same value.
		let longer = [&[0b0001_1101u8, 0][..], &bytes[1..]].concat();
		assert!(FleetLeaf::decode_all(&mut &longer[..]).is_err());
	}

	#[test]
	fn what_cannot_be_is_no_leaf() {
		assert!(leaf().is_well_formed());
		let name = b"Drone 7".to_vec().try_into().unwrap();
		assert!(!FleetLeaf { name, ..leaf() }.is_well_formed());
		assert!(!FleetLeaf { name: Default::default(), ..leaf() }.is_well_formed());
		assert!(!FleetLeaf { purpose: KeyPurpose::KeyAgreement, ..leaf() }.is_well_formed());
		let key = FleetKey { key_type: KeyType::Ed25519, ..leaf().key };
		assert!(!FleetLeaf { key, ..leaf() }.is_well_formed());
		let validity = Validity { not_before: 5, not_after: Some(4) };
		assert!(!FleetLeaf { validity, ..leaf() }.is_well_formed());
		assert!(FleetKey::new(KeyType::Rsa, &[1; 33]).is_none());
		assert!(FleetKey::new(KeyType::Ed25519, &[1; 33]).is_none());
	}

	#[test]
	fn a_key_is_held_to_the_policy_of_the_organisation() {
		let free = KeyPolicy::default();
		assert!(leaf().is_allowed_by(&free));
		let key_types = KeyTypeSet::EMPTY.with(KeyType::Ed25519);
		assert!(!leaf().is_allowed_by(&KeyPolicy { key_types, ..free }));
		let limited = |tls| KeyPolicy {
			validity: ValidityLimits { tls: Some(tls), ..Default::default() },
			..free
		};
		assert!(leaf().is_allowed_by(&limited(4)) && !leaf().is_allowed_by(&limited(3)));
		let validity = Validity { not_before: 5, not_after: None };
		assert!(!FleetLeaf { validity, ..leaf() }.is_allowed_by(&limited(4)));
	}

	#[test]
	fn a_device_belongs_to_the_organisation_of_the_fleet() {
		let [acme, other] = [b"acme", b"evil"].map(|name| OrganisationId::from_name(name));
		assert_eq!(leaf().device(acme), DeviceId::from_name(acme, b"drone-7"));
		assert_ne!(leaf().device(acme), leaf().device(other));
	}
}
