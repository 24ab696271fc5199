//! What has to hold of the constants and of the runtime around this pallet, checked by every test run of a runtime.

use crate::{Config, PUBLISH_OVERHEAD, Pallet, WeightInfo, roll::costs};
use codec::MaxEncodedLen;
use dpki_primitives::{
	delivery::MAX_BLOB_LEN,
	fleet::{
		ChunkMask, FleetLeaf, MAX_CHUNKS_PER_REVOCATION, MAX_FLEET_SIZE, MAX_KEYS_PER_APPEND,
		MAX_TILE_LEN, MEMBERS_PER_CHUNK, RollEntry, TILE_WIDTH, tile::MAX_LEAF_LEN,
	},
	storage_keys,
};
use frame_support::{
	dispatch::DispatchClass,
	traits::{Get, PalletInfoAccess},
};

impl<T: Config> Pallet<T> {
	/// The constants fit together, devices find the storage where they look for it, and every call fits into a block.
	pub(crate) fn do_integrity_test() {
		const {
			assert!(MAX_TILE_LEN <= MAX_BLOB_LEN, "every tile is a blob");
			assert!(TILE_WIDTH.pow(3) == MAX_FLEET_SIZE, "three levels of tiles hold every fleet");
			assert!(
				MAX_CHUNKS_PER_REVOCATION * MEMBERS_PER_CHUNK >= 1_000_000,
				"a million members can be revoked at once"
			);
		}
		assert_eq!(FleetLeaf::max_encoded_len(), MAX_LEAF_LEN as usize, "every leaf has room");
		assert!(T::MaxVoters::get() > 0, "somebody can vote");
		assert_eq!(
			<Self as PalletInfoAccess>::name(),
			storage_keys::FLEETS,
			"devices look for the storage of this pallet under another name: rename it in the runtime",
		);

		let lengths = T::BlockLength::get();
		assert!(
			MAX_TILE_LEN + PUBLISH_OVERHEAD <= *lengths.max.get(DispatchClass::Normal),
			"the longest tile has to fit into the bytes that a block has for it",
		);
		let masks = MAX_CHUNKS_PER_REVOCATION as usize * ChunkMask::max_encoded_len();
		assert!(
			masks + PUBLISH_OVERHEAD as usize
				<= *lengths.max.get(DispatchClass::Operational) as usize,
			"the longest revocation has to fit into the bytes that a block has for it",
		);
		let entries = MAX_KEYS_PER_APPEND as usize * RollEntry::max_encoded_len();
		assert!(
			entries + PUBLISH_OVERHEAD as usize <= *lengths.max.get(DispatchClass::Normal) as usize,
			"the most keys of a roll have to fit into the bytes that a block has for them",
		);
		let (weights, quota) = (T::BlockWeights::get(), T::QuotaWeight::get());
		for (call, class, weight) in [
			("commit", DispatchClass::Normal, T::WeightInfo::commit().saturating_add(quota)),
			("append", DispatchClass::Normal, T::WeightInfo::append().saturating_add(quota)),
			("rotate", DispatchClass::Normal, T::WeightInfo::rotate().saturating_add(quota)),
			("withdraw", DispatchClass::Normal, T::WeightInfo::withdraw()),
			("vote", DispatchClass::Normal, T::WeightInfo::vote()),
			(
				"revoke_members",
				DispatchClass::Operational,
				T::WeightInfo::revoke_members(MAX_CHUNKS_PER_REVOCATION),
			),
			("revoke_fleet", DispatchClass::Operational, T::WeightInfo::revoke_fleet()),
			("retire_fleet", DispatchClass::Normal, T::WeightInfo::retire_fleet()),
			("publish_tile", DispatchClass::Normal, T::WeightInfo::publish_tile(MAX_TILE_LEN)),
			("open_roll", DispatchClass::Normal, T::WeightInfo::open_roll().saturating_add(quota)),
			("append_keys", DispatchClass::Normal, costs::at_most::<T>(MAX_KEYS_PER_APPEND)),
		] {
			let of_class = weights.get(class);
			let limit = of_class.max_extrinsic.or(of_class.max_total).unwrap_or(weights.max_block);
			assert!(weight.all_lte(limit), "the dearest `{call}` has to fit into a block");
		}
	}
}
