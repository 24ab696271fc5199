//! Tiles that somebody answers for: fetched once, from wherever they are, and kept.

use super::TileFolder;
use crate::blob::{BlobError, BlobStore, Stores, cid};
use async_trait::async_trait;
use dpki_primitives::ids::BlobDigest;

/// A folder that fills itself from other places. What a voter says is to be had lies in here afterwards, and what was
/// fetched before a restart is not fetched again.
pub struct Holding {
	folder: TileFolder,
	sources: Stores,
}

impl Holding {
	/// Keeps in this folder what is fetched from these places.
	pub fn new(folder: TileFolder, sources: Stores) -> Self {
		Self { folder, sources }
	}
}

#[async_trait]
impl BlobStore for Holding {
	async fn get(&self, digest: BlobDigest, max_len: u32) -> Result<Vec<u8>, BlobError> {
		// What is kept and damaged is fetched again, like what is missing.
		if let Ok(blob) = self.folder.get(digest, max_len).await {
			return Ok(blob);
		}
		let blob = self.sources.get(digest, max_len).await?;
		// A tile that cannot be kept is not held, and nothing is said for it.
		self.folder.write(&blob).map_err(|error| BlobError::Unavailable {
			cid: cid(digest),
			reason: error.to_string(),
		})?;
		Ok(blob)
	}
}
