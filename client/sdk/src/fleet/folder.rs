//! Tiles in a folder, each in a file that is named by its CID.

use super::FleetError;
use crate::blob::{BlobError, BlobFolder, BlobStore};
use async_trait::async_trait;
use dpki_primitives::ids::BlobDigest;
use std::{
	fs,
	path::{Path, PathBuf},
};

/// A folder of tiles. It can be served as it is: the name of each file is its CID.
#[derive(Clone, Debug)]
pub struct TileFolder(BlobFolder);

impl TileFolder {
	/// This folder, which is made if there is none.
	pub fn create(path: impl Into<PathBuf>) -> Result<Self, FleetError> {
		let path = path.into();
		fs::create_dir_all(&path)
			.map_err(|source| FleetError::Write { path: path.clone(), source })?;
		Ok(Self::at(path))
	}

	/// This folder, which is there.
	pub fn at(path: impl Into<PathBuf>) -> Self {
		Self(BlobFolder::at(path))
	}

	/// Where it is.
	pub fn path(&self) -> &Path {
		self.0.path()
	}

	/// Writes a tile under its name, unless it is there.
	pub fn write(&self, tile: &[u8]) -> Result<(), FleetError> {
		let path = self.0.place(BlobDigest::of(tile));
		self.0.write(tile).map_err(|source| FleetError::Write { path, source })
	}
}

#[async_trait]
impl BlobStore for TileFolder {
	async fn get(&self, digest: BlobDigest, max_len: u32) -> Result<Vec<u8>, BlobError> {
		self.0.get(digest, max_len).await
	}
}
