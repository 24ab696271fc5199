//! Tiles that somebody answers for: fetched once, from wherever they are, and kept.

use super::{Commitment, FleetError, FleetRecord, FleetTiles, TileFolder};
use crate::blob::{BlobError, BlobStore, Stores, cid, digest};
use async_trait::async_trait;
use dpki_primitives::{Moment, ids::BlobDigest};
use std::{collections::HashSet, fs, io, path::PathBuf, time::SystemTime};

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

	/// Removes the tiles that lie in the folder since before `since` and belong to none of these commitments, and returns how
	/// many they were. What has not the name of a tile stays, and what came since then: it may be cut for a commitment that
	/// is not proposed yet.
	///
	/// Nothing is removed if a tile is damaged that names others. Those below one that is missing are not known, and go: they
	/// came after it, and will again.
	pub async fn prune(
		&self,
		commitments: impl IntoIterator<Item = Commitment>,
		since: SystemTime,
	) -> Result<u32, FleetError> {
		let mut needed = HashSet::new();
		for commitment in commitments {
			let mut tiles = FleetTiles::new(&self.folder, commitment);
			tiles.known_digests(|error| self.is_missing(error), &mut needed).await?;
		}
		let path = self.folder.path().to_owned();
		// A folder of millions of tiles takes a while.
		let pruning = tokio::task::spawn_blocking(move || remove_others(path, &needed, since));
		pruning
			.await
			.unwrap_or_else(|error| Err(self.unremovable(io::Error::other(error))))
	}

	/// Whether a tile could not be read because it is not there.
	fn is_missing(&self, error: &FleetError) -> bool {
		let FleetError::Blob(BlobError::Unavailable { cid, .. }) = error else { return false };
		matches!(self.folder.path().join(cid).try_exists(), Ok(false))
	}

	fn unremovable(&self, source: io::Error) -> FleetError {
		FleetError::Prune { path: self.folder.path().to_owned(), source }
	}
}

/// What a voter holds of a fleet at this moment: what may count, what counts, and what has counted until its grace is over.
/// Of a roll it holds nothing.
pub fn held_commitments(record: &FleetRecord, now: Moment) -> impl Iterator<Item = Commitment> {
	let previous = record.previous.filter(|it| now < it.superseded_at);
	let heads = [previous.map(|it| it.head), record.current];
	let candidate = record.candidate.map(|it| it.commitment);
	let all = heads.into_iter().flatten().map(|head| head.commitment).chain(candidate);
	all.filter(|commitment| !commitment.is_on_roll())
}

fn remove_others(
	folder: PathBuf,
	needed: &HashSet<BlobDigest>,
	since: SystemTime,
) -> Result<u32, FleetError> {
	let failed = |path: PathBuf| move |source| FleetError::Prune { path, source };
	let mut removed = 0;
	for entry in fs::read_dir(&folder).map_err(failed(folder.clone()))? {
		let entry = entry.map_err(failed(folder.clone()))?;
		let path = entry.path();
		// Neither other files nor folders have such a name.
		let tile = entry.file_name().to_str().and_then(digest);
		let is_needed = tile.is_none_or(|tile| needed.contains(&tile));
		let when = || entry.metadata().and_then(|it| it.modified());
		if is_needed || when().map_err(failed(path.clone()))? >= since {
			continue;
		}
		fs::remove_file(&path).map_err(failed(path))?;
		removed += 1;
	}
	Ok(removed)
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
