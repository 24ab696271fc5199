//! Reads the tiles of a fleet, and proves with them.

use super::{Commitment, FleetError, FleetLeaf, MembershipProof, Tile};
use crate::blob::BlobStore;
use dpki_primitives::{
	fleet::{
		MAX_TILE_LEN, TILE_WIDTH, TileEntry, TreeHash,
		tile::{TileError, span},
		tree::{consistency_ranges, path_ranges, root_of},
	},
	ids::{BlobDigest, FleetId, OrganisationId},
};
use std::{collections::HashSet, ops::Range};

/// The tiles under a commitment, in a store that is not trusted. It keeps the last tile of each level.
pub struct FleetTiles<'a> {
	store: &'a dyn BlobStore,
	commitment: Commitment,
	/// By level: the place in the level, and the tile.
	recent: Vec<Option<(u32, Tile)>>,
}

impl<'a> FleetTiles<'a> {
	/// The tiles of this commitment.
	pub fn new(store: &'a dyn BlobStore, commitment: Commitment) -> Self {
		let levels = commitment.top_level() as usize + 1;
		Self { store, commitment, recent: vec![None; levels] }
	}

	/// How many members there are.
	pub fn size(&self) -> u32 {
		self.commitment.size
	}

	/// A member.
	pub async fn leaf(&mut self, index: u32) -> Result<FleetLeaf, FleetError> {
		let size = self.commitment.size;
		let none = FleetError::NoSuchMember { index, size };
		if index >= size {
			return Err(none);
		}
		match self.tile(0, index / TILE_WIDTH).await? {
			Tile::Leaves(leaves) => leaves.get((index % TILE_WIDTH) as usize).cloned().ok_or(none),
			Tile::Entries(_) => Err(none),
		}
	}

	/// What this member shows.
	pub async fn prove(
		&mut self,
		organisation: OrganisationId,
		fleet: FleetId,
		index: u32,
	) -> Result<MembershipProof, FleetError> {
		let size = self.commitment.size;
		let none = || FleetError::NoSuchMember { index, size };
		let ranges = path_ranges(index, size).ok_or_else(none)?;
		let leaf = self.leaf(index).await?;
		let path = self.roots(ranges).await?.try_into().map_err(|_| none())?;
		Ok(MembershipProof { fleet, organisation, index, leaf, path })
	}

	/// The proof that this fleet begins with its first `from` members.
	pub async fn prove_growth(&mut self, from: u32) -> Result<Vec<TreeHash>, FleetError> {
		let to = self.commitment.size;
		let ranges = consistency_ranges(from, to).ok_or(FleetError::NoGrowth { from, to })?;
		self.roots(ranges).await
	}

	/// Reads every tile and checks that they lead to the root: what a voter does. `progress` gets the number of members
	/// that were seen, and `judge` each of them.
	pub async fn audit(
		&mut self,
		mut judge: impl FnMut(u32, &FleetLeaf) -> Result<(), FleetError>,
		mut progress: impl FnMut(u32),
	) -> Result<(), FleetError> {
		let size = self.commitment.size;
		for place in 0..size.div_ceil(TILE_WIDTH) {
			let first = place * TILE_WIDTH;
			if let Tile::Leaves(leaves) = self.tile(0, place).await? {
				for (index, leaf) in (first..).zip(leaves) {
					judge(index, leaf)?;
				}
			}
			progress(first.saturating_add(TILE_WIDTH).min(size));
		}
		Ok(())
	}

	/// The names of all tiles: those of the leaves first, the one at the top last.
	pub async fn digests(&mut self) -> Result<Vec<BlobDigest>, FleetError> {
		let mut level = vec![self.commitment.tiles];
		let mut levels = Vec::new();
		for above in (1..=self.commitment.top_level()).rev() {
			let mut below = Vec::new();
			for place in 0..self.commitment.size.div_ceil(span(above)) {
				if let Tile::Entries(entries) = self.tile(above, place).await? {
					below.extend(entries.iter().map(|entry| entry.digest));
				}
			}
			levels.push(std::mem::replace(&mut level, below));
		}
		levels.push(level);
		Ok(levels.into_iter().rev().flatten().collect())
	}

	/// Adds the names of all tiles that are known by those above them, where some may be missing.
	pub(super) async fn known_digests(
		&mut self,
		is_missing: impl Fn(&FleetError) -> bool,
		known: &mut HashSet<BlobDigest>,
	) -> Result<(), FleetError> {
		known.insert(self.commitment.tiles);
		for above in (1..=self.commitment.top_level()).rev() {
			for place in 0..self.commitment.size.div_ceil(span(above)) {
				match self.tile(above, place).await {
					Ok(Tile::Entries(entries)) => known.extend(entries.iter().map(|it| it.digest)),
					Ok(Tile::Leaves(_)) => {},
					Err(error) if is_missing(&error) => {},
					Err(error) => return Err(error),
				}
			}
		}
		Ok(())
	}

	async fn roots(&mut self, ranges: Vec<Range<u32>>) -> Result<Vec<TreeHash>, FleetError> {
		let mut roots = Vec::with_capacity(ranges.len());
		for range in ranges {
			roots.push(self.range_root(range).await?);
		}
		Ok(roots)
	}

	/// The root over a range that is a node of the tree.
	async fn range_root(&mut self, range: Range<u32>) -> Result<TreeHash, FleetError> {
		let mut level = 0;
		// The lowest tile that holds all of it. What is wider than an entry of that tile begins with one, and ends with one
		// or with the fleet.
		while range.start / span(level) != (range.end - 1) / span(level) {
			level += 1;
		}
		let place = range.start / span(level);
		let entry_span = if level == 0 { 1 } else { span(level - 1) };
		let begin = (range.start - place * span(level)) / entry_span;
		let end = (range.end - place * span(level)).div_ceil(entry_span);
		let nodes = self.tile(level, place).await?.nodes();
		let wrong = FleetError::Tile { level, place, error: TileError::Malformed };
		nodes.get(begin as usize..end as usize).map(root_of).ok_or(wrong)
	}

	/// A tile, through those above it.
	async fn tile(&mut self, level: u32, place: u32) -> Result<&Tile, FleetError> {
		let top = self.commitment.top_level();
		let mut entry = TileEntry { root: self.commitment.root, digest: self.commitment.tiles };
		for above in (level..=top).rev() {
			// How many tiles of the wanted level a tile of this one spans.
			let width = TILE_WIDTH.saturating_pow(above - level);
			let here = place / width;
			let found = self.open(&entry, above, here).await?;
			if above == level {
				break;
			}
			let below = place / (width / TILE_WIDTH) % TILE_WIDTH;
			let wrong = FleetError::Tile { level: above, place: here, error: TileError::Malformed };
			entry = match found {
				Tile::Entries(entries) => *entries.get(below as usize).ok_or(wrong)?,
				Tile::Leaves(_) => return Err(wrong),
			};
		}
		let wrong = FleetError::Tile { level, place, error: TileError::Malformed };
		let recent = self.recent.get(level as usize).and_then(Option::as_ref);
		recent.map(|(_, tile)| tile).ok_or(wrong)
	}

	/// The tile of this entry, which the level above or the commitment names.
	async fn open(
		&mut self,
		entry: &TileEntry,
		level: u32,
		place: u32,
	) -> Result<&Tile, FleetError> {
		let slot = &mut self.recent[level as usize];
		// What is kept was checked against the same entry: there is one for each place under a commitment.
		if slot.as_ref().is_none_or(|(known, _)| *known != place) {
			let bytes = self.store.get(entry.digest, MAX_TILE_LEN).await?;
			let tile = Tile::open(entry, level, place, self.commitment.size, &bytes)
				.map_err(|error| FleetError::Tile { level, place, error })?;
			*slot = Some((place, tile));
		}
		let wrong = FleetError::Tile { level, place, error: TileError::Malformed };
		slot.as_ref().map(|(_, tile)| tile).ok_or(wrong)
	}
}
