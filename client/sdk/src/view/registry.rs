//! What of the registry and of organisations is asked for seldom, and by nobody but people.

use super::{ReadError, View};
use dpki_primitives::{
	Moment,
	anchor::MAX_ANCHORS_PER_KEY,
	ids::{AnchorId, DeviceId, KeyId, OrganisationId},
	quota::DeviceQuota,
	storage_keys,
};
use sp_crypto_hashing::twox_128;

/// `Organisations.Dissolved`: when an organisation was dissolved, a `u64`; absent means that it was not.
pub fn dissolved_key(id: OrganisationId) -> Vec<u8> {
	let (pallet, item) = (storage_keys::ORGANISATIONS.as_bytes(), b"Dissolved");
	[&twox_128(pallet)[..], &twox_128(item), &id.0].concat()
}

impl View {
	/// What a device has left of what it may do alone.
	pub async fn key_quota(&self, id: DeviceId) -> Result<DeviceQuota, ReadError> {
		let quota = self.read("the quota of the device", storage_keys::key_quota(id)).await?;
		Ok(quota.unwrap_or_default())
	}

	/// The anchors of a key, whoever has them; none if there is none, or the key was revoked.
	pub async fn anchors_of_key(&self, id: KeyId) -> Result<Vec<AnchorId>, ReadError> {
		type Anchors = bounded_collections::BoundedVec<
			AnchorId,
			bounded_collections::ConstU32<MAX_ANCHORS_PER_KEY>,
		>;
		let key = storage_keys::key_anchors(id);
		let anchors: Option<Anchors> = self.read("the anchors of the key", key).await?;
		Ok(anchors.map(Into::into).unwrap_or_default())
	}

	/// When the organisation of this name was dissolved; `None` if it was not, or never was there.
	pub async fn dissolved_at(&self, id: OrganisationId) -> Result<Option<Moment>, ReadError> {
		self.read("the end of the organisation", dissolved_key(id)).await
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::submit::signed::committed_metadata;

	#[test]
	fn an_end_lies_where_the_chain_keeps_it() {
		let pallet = committed_metadata().pallet_by_name("Organisations").unwrap();
		let entry = pallet.storage().unwrap().entry_by_name("Dissolved").unwrap();
		let hashers: Vec<_> = entry.keys().map(|key| format!("{:?}", key.hasher)).collect();
		assert_eq!(hashers, ["Identity"]);
		assert_eq!(dissolved_key(OrganisationId([7; 32]))[32..], [7; 32]);
	}
}
