//! How tiles get into the blocks.
//!
//! A node stores the last bytes of an encoded extrinsic as the blob. The system pallet has the extrinsic that is being
//! executed, byte by byte as it stands in the block, so this module looks whether it ends with the tile. That holds for
//! the call by itself and for one that carries it last, and can be fooled by none: whatever is stored is what was hashed.

use crate::{Config, Error, Event, Pallet, commitments::unpaid};
use dpki_primitives::{
	economy::{Economy, Operation},
	ids::{BlobDigest, OrganisationId},
};
use frame_support::{ensure, pallet_prelude::*};

impl<T: Config> Pallet<T> {
	pub(crate) fn do_publish_tile(
		account: T::AccountId,
		organisation: OrganisationId,
		tile: &[u8],
	) -> DispatchResult {
		Self::ensure_registrar(&account, organisation)?;
		ensure!(!tile.is_empty(), Error::<T>::TileEmpty);
		let extrinsic = Self::extrinsic_that_ends_with(tile).ok_or(Error::<T>::TileNotLast)?;
		T::Economy::charge(&account, Operation::PublishTile, 1).map_err(unpaid)?;

		let digest = BlobDigest(sp_io::hashing::sha2_256(tile));
		// Tiles are shorter than `MAX_TILE_LEN`.
		let length = tile.len() as u32;
		Self::deposit_event(Event::TilePublished { organisation, digest, length });
		// HAZARD: nothing that can fail may follow. The index is not storage: it is kept even if the call is undone. If
		// what carries the call fails afterwards, the blob stays under its right name.
		sp_io::transaction_index::index(extrinsic, length, digest.0);
		Ok(())
	}

	/// The index of the extrinsic that is being executed, if its last bytes are these.
	fn extrinsic_that_ends_with(tile: &[u8]) -> Option<u32> {
		let index = frame_system::Pallet::<T>::extrinsic_index()?;
		frame_system::Pallet::<T>::extrinsic_data(index)
			.ends_with(tile)
			.then_some(index)
	}
}
