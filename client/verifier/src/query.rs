//! What is asked for.

use crate::{
	error::{Error, Part},
	limits::{MAX_KEY_LEN, MAX_KEYS},
	reader::at_most,
};
use alloc::{vec, vec::Vec};
use dpki_primitives::{
	channel::ChannelId,
	fleet::MembershipProof,
	ids::{AnchorId, DeviceId, FleetId, KeyId},
	storage_keys,
};
use sp_crypto_hashing::{twox_64, twox_128};

/// The storage keys that a bundle has to answer: for each, the proof shows the value or its absence.
///
/// The chain time is always asked for. Serve [`Query::keys`] to whoever makes the bundle.
///
/// ```
/// use dpki_primitives::ids::{DeviceId, KeyId};
/// use dpki_verifier::Query;
///
/// // The status of a key depends on its device, so both are asked for.
/// let (device, key) = (DeviceId([7; 32]), KeyId([8; 32]));
/// let query = Query::new().device(device).key(key);
/// assert_eq!(query.keys().len(), 3);
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Query {
	/// Ascending and distinct.
	keys: Vec<Vec<u8>>,
	binds_genesis: bool,
}

impl Query {
	/// Asks for the chain time and nothing else.
	pub fn new() -> Self {
		Self { keys: vec![storage_keys::now()], binds_genesis: false }
	}

	/// Asks for the record of an anchor.
	pub fn anchor(self, id: AnchorId) -> Self {
		self.storage_key(storage_keys::anchor(id))
	}

	/// Asks for the record of a device.
	pub fn device(self, id: DeviceId) -> Self {
		self.storage_key(storage_keys::device(id))
	}

	/// Asks for the list of a device's unrevoked keys.
	pub fn device_keys(self, id: DeviceId) -> Self {
		self.storage_key(storage_keys::device_keys(id))
	}

	/// Asks for the record of a key.
	pub fn key(self, id: KeyId) -> Self {
		self.storage_key(storage_keys::key(id))
	}

	/// Asks for the channels on which a device ever got a delivery.
	pub fn channels(self, id: DeviceId) -> Self {
		self.storage_key(storage_keys::channels(id))
	}

	/// Asks for the newest delivery to a device on a channel.
	pub fn delivery(self, id: DeviceId, channel: ChannelId) -> Self {
		self.storage_key(storage_keys::delivery(id, channel))
	}

	/// Asks for the record of a fleet.
	pub fn fleet(self, id: FleetId) -> Self {
		self.storage_key(storage_keys::fleet(id))
	}

	/// Asks for all that the verdict about this member depends on. A proof whose leaf no device can have adds nothing: its
	/// verdict is known.
	pub fn member(self, proof: &MembershipProof) -> Self {
		proof
			.storage_keys()
			.into_iter()
			.flatten()
			.fold(self, |query, key| query.storage_key(key))
	}

	/// Asks for whatever lies under this key, see [`storage_keys`].
	pub fn storage_key(mut self, key: Vec<u8>) -> Self {
		if let Err(place) = self.keys.binary_search(&key) {
			self.keys.insert(place, key);
		}
		self
	}

	/// Asks for the hash of the chain's first block too, which the state keeps for ever under [`genesis_key`], and refuses a
	/// state in which it is not that of the checkpoint.
	///
	/// GRANDPA's signatures do not name the chain. If the same authorities run two chains with the same keys, a block
	/// of one passes for a block of the other unless this is asked for. It costs up to two kilobytes in the bundle, so a
	/// query does not ask for it by itself; the SDK and the command line do.
	pub fn bind_genesis(mut self) -> Self {
		self.binds_genesis = true;
		self.storage_key(genesis_key())
	}

	/// The storage keys, ascending.
	pub fn keys(&self) -> &[Vec<u8>] {
		&self.keys
	}

	/// Whether [`Self::bind_genesis`] was asked for.
	pub fn binds_genesis(&self) -> bool {
		self.binds_genesis
	}

	/// Which of the keys this is, if it is one.
	pub(crate) fn position(&self, key: &[u8]) -> Option<usize> {
		self.keys.binary_search_by(|asked| asked.as_slice().cmp(key)).ok()
	}

	pub(crate) fn check(&self) -> Result<(), Error> {
		at_most(Part::Keys, self.keys.len(), MAX_KEYS)?;
		for key in &self.keys {
			at_most(Part::Key, key.len(), MAX_KEY_LEN)?;
		}
		Ok(())
	}
}

impl Default for Query {
	fn default() -> Self {
		Self::new()
	}
}

/// The storage key of the hash of the chain's first block, `System.BlockHash(0)`, 44 bytes: `frame_system` sets it in block 1 and spares it when it forgets old block hashes.
pub fn genesis_key() -> Vec<u8> {
	let number = 0u32.to_le_bytes();
	let parts: [&[u8]; 4] =
		[&twox_128(b"System"), &twox_128(b"BlockHash"), &twox_64(&number), &number];
	parts.concat()
}
