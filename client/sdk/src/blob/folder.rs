//! A folder, in which each blob is a file that is named by its CID: a stick, a share, what a web server hands out.

use super::{BlobError, BlobKeeper, BlobStore, cid, verify};
use async_trait::async_trait;
use dpki_primitives::ids::BlobDigest;
use std::{
	fs,
	io::{self, ErrorKind, Read},
	path::{Path, PathBuf},
};

/// A folder of blobs.
#[derive(Clone, Debug)]
pub struct BlobFolder(PathBuf);

impl BlobFolder {
	/// This folder, which is there.
	pub fn at(path: impl Into<PathBuf>) -> Self {
		Self(path.into())
	}

	/// Where it is.
	pub fn path(&self) -> &Path {
		&self.0
	}

	/// The file of a blob.
	pub fn place(&self, digest: BlobDigest) -> PathBuf {
		self.0.join(cid(digest))
	}

	/// Writes a blob under its name, unless it is there.
	pub fn write(&self, blob: &[u8]) -> io::Result<()> {
		let path = self.place(BlobDigest::of(blob));
		if fs::read(&path).is_ok_and(|found| found == blob) {
			return Ok(());
		}
		// Whoever reads a file under this name while it is written finds the whole blob or none.
		let partial = path.with_extension("part");
		fs::write(&partial, blob)?;
		fs::rename(&partial, &path)
	}

	fn read(&self, digest: BlobDigest, max_len: u32) -> Result<Vec<u8>, BlobError> {
		let unavailable = |reason: String| BlobError::Unavailable { cid: cid(digest), reason };
		let said = |error: io::Error| match error.kind() {
			ErrorKind::NotFound => unavailable(format!("it is not in {}", self.0.display())),
			_ => unavailable(format!("{}: {error}", self.0.display())),
		};
		let path = self.place(digest);
		// Something else than a file might have no end, or wait for somebody who writes to it.
		if !fs::metadata(&path).map_err(said)?.is_file() {
			return Err(unavailable(format!("{} is no file", path.display())));
		}
		let mut blob = Vec::new();
		let file = fs::File::open(&path).map_err(said)?;
		// One byte more tells that it is too long.
		file.take(u64::from(max_len) + 1).read_to_end(&mut blob).map_err(said)?;
		verify(digest, max_len, &blob)?;
		Ok(blob)
	}
}

#[async_trait]
impl BlobStore for BlobFolder {
	async fn get(&self, digest: BlobDigest, max_len: u32) -> Result<Vec<u8>, BlobError> {
		// A share whose server is gone can block for minutes.
		let folder = self.clone();
		let reading = tokio::task::spawn_blocking(move || folder.read(digest, max_len));
		reading.await.unwrap_or_else(|error| {
			Err(BlobError::Unavailable { cid: cid(digest), reason: error.to_string() })
		})
	}
}

#[async_trait]
impl BlobKeeper for BlobFolder {
	async fn put(&self, blob: &[u8]) -> Result<(), BlobError> {
		self.write(blob).map_err(|error| BlobError::NotStored {
			store: format!("folder={}", self.0.display()),
			cid: cid(BlobDigest::of(blob)),
			reason: error.to_string(),
		})
	}

	async fn release(&self, digest: BlobDigest) -> Result<(), BlobError> {
		match fs::remove_file(self.place(digest)) {
			Err(error) if error.kind() != ErrorKind::NotFound => Err(BlobError::NotReleased {
				store: format!("folder={}", self.0.display()),
				cid: cid(digest),
				reason: error.to_string(),
			}),
			_ => Ok(()),
		}
	}
}
