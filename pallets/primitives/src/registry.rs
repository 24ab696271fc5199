//! What other pallets may ask the registry.

use crate::{
	Moment,
	device::DeviceRecord,
	ids::{DeviceId, KeyId, OrganisationId},
	key::{KeyRecord, PublicKey},
	key_policy::KeyPolicy,
	status::Status,
};

/// The registry of devices and keys, as the other pallets see it.
pub trait Registry {
	/// The device as stored.
	fn device(device: DeviceId) -> Option<DeviceRecord>;

	/// The verdict about the device now.
	fn device_status(device: DeviceId) -> Status;

	/// The key as stored.
	fn key(key: KeyId) -> Option<KeyRecord>;

	/// The verdict about the key now, its device included.
	fn key_status(key: KeyId) -> Status;

	/// Whether the bytes can be a key of their type that nobody holds but its owner: the right length and form, and none
	/// of the points for which anybody can make signatures.
	fn is_well_formed(key: &PublicKey) -> bool;

	/// What the organisation asks of the keys of its devices.
	fn key_policy(organisation: OrganisationId) -> KeyPolicy;

	/// Whether the key was revoked as the key of an anchor.
	fn is_anchor_key_revoked(key: KeyId) -> bool;

	/// Whether `signature` over `payload` verifies under `key`, see [`crate::context`] for the encodings.
	fn verify(key: &PublicKey, payload: &[u8], signature: &[u8]) -> bool;

	/// Stores a device of this organisation with these two keys, unchecked; for benchmarks of other pallets.
	#[cfg(feature = "runtime-benchmarks")]
	fn enrol_for_benchmark(
		organisation: OrganisationId,
		name: &[u8],
		signing: PublicKey,
		agreement: PublicKey,
	) -> DeviceId;

	/// Revokes a key that [`enrol_for_benchmark`](Self::enrol_for_benchmark) has stored, unchecked.
	#[cfg(feature = "runtime-benchmarks")]
	fn revoke_for_benchmark(key: KeyId);
}

/// The keys that are known to be in other hands than their owner's, wherever that became known. What is in here is
/// registered for nothing any more, and whatever was certified or committed with it is not valid.
pub trait CompromisedKeys {
	/// Since when the key is one of them.
	fn compromised_since(key: KeyId) -> Option<Moment>;

	/// Whether the key is one of them.
	fn is_compromised(key: KeyId) -> bool {
		Self::compromised_since(key).is_some()
	}

	/// Makes the key one of them, since `at` or since before.
	fn note(key: KeyId, at: Moment);
}

/// None is known, and none is remembered: for mocks.
impl CompromisedKeys for () {
	fn compromised_since(_: KeyId) -> Option<Moment> {
		None
	}

	fn note(_: KeyId, _: Moment) {}
}
