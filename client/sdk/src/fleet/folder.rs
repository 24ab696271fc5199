//! Tiles in a folder, each in a file that is named by its CID.

use super::FleetError;
use crate::blob::{BlobError, BlobStore, cid, verify};
use async_trait::async_trait;
use dpki_primitives::ids::BlobDigest;
use std::{
	fs, io,
	path::{Path, PathBuf},
};

/// A folder of tiles. It can be served as it is: the name of each file is its CID.
#[derive(Clone, Debug)]
pub struct TileFolder(PathBuf);

impl TileFolder {
	/// This folder, which is made if there is none.
	pub fn create(path: impl Into<PathBuf>) -> Result<Self, FleetError> {
		let path = path.into();
		fs::create_dir_all(&path)
			.map_err(|source| FleetError::Write { path: path.clone(), source })?;
		Ok(Self(path))
	}

	/// This folder, which is there.
	pub fn at(path: impl Into<PathBuf>) -> Self {
		Self(path.into())
	}

	/// Where it is.
	pub fn path(&self) -> &Path {
		&self.0
	}

	/// Writes a tile under its name, unless it is there.
	pub fn write(&self, tile: &[u8]) -> Result<(), FleetError> {
		let path = self.place(BlobDigest::of(tile));
		if fs::read(&path).is_ok_and(|found| found == tile) {
			return Ok(());
		}
		// Whoever reads a file under this name finds the whole tile, also after the power failed.
		let partial = path.with_extension("part");
		fs::write(&partial, tile)
			.and_then(|()| fs::rename(&partial, &path))
			.map_err(|source| FleetError::Write { path, source })
	}

	fn place(&self, digest: BlobDigest) -> PathBuf {
		self.0.join(cid(digest))
	}
}

#[async_trait]
impl BlobStore for TileFolder {
	async fn get(&self, digest: BlobDigest, max_len: u32) -> Result<Vec<u8>, BlobError> {
		let blob = fs::read(self.place(digest)).map_err(|error| BlobError::Unavailable {
			cid: cid(digest),
			reason: match error.kind() {
				io::ErrorKind::NotFound => format!("it is not in {}", self.0.display()),
				_ => error.to_string(),
			},
		})?;
		verify(digest, max_len, &blob)?;
		Ok(blob)
	}
}
