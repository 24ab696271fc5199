//! How the leaves are cut into blobs, and how those are found from one digest.
//!
//! Level 0 holds the leaves, [`TILE_WIDTH`] in a tile. A tile of the next level holds an entry for each of so many tiles
//! below it: the root over the leaves under that tile, and the digest that names it as a blob. The one tile at the top is
//! named by the [`Commitment`]. So a single digest leads to all leaves, every blob is checked by its name before it is
//! looked at, and the path of one leaf takes one tile of each level. Only the last tile of a level may hold fewer
//! entries than [`TILE_WIDTH`].
//!
//! | level | encoding | longest |
//! |---|---|---|
//! | 0 | SCALE `Vec<FleetLeaf>` | 256 leaves of 117 bytes |
//! | 1, 2 | SCALE `Vec<TileEntry>` | 256 entries of 64 bytes |

use super::{
	leaf::FleetLeaf,
	roll::ON_ROLL,
	tree::{Frontier, MAX_FLEET_SIZE, TreeHash, root_of},
};
use crate::ids::BlobDigest;
use alloc::{vec, vec::Vec};
use codec::{Compact, Decode, DecodeAll, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Most entries of a tile.
pub const TILE_WIDTH: u32 = 256;

/// Longest leaf in bytes: the longest name with its length, purpose, type, the longest key with its length, both ends of
/// the validity.
pub const MAX_LEAF_LEN: u32 = 64 + 1 + 1 + 34 + 8 + 9;

/// Longest tile in bytes: one of leaves, with its count. It is below [`MAX_BLOB_LEN`](crate::delivery::MAX_BLOB_LEN).
pub const MAX_TILE_LEN: u32 = TILE_WIDTH * MAX_LEAF_LEN + 2;

/// What an organisation commits itself to.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Debug,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct Commitment {
	/// How many leaves there are: 1 to [`MAX_FLEET_SIZE`].
	pub size: u32,
	/// The root over all leaves.
	pub root: TreeHash,
	/// The tile at the top, or [`ON_ROLL`].
	pub tiles: BlobDigest,
}

impl Commitment {
	/// Whether there can be such a fleet.
	pub const fn has_valid_size(&self) -> bool {
		0 < self.size && self.size <= MAX_FLEET_SIZE
	}

	/// Whether the leaves stand on the chain, on a [`roll`](super::roll), and in no tile.
	pub fn is_on_roll(&self) -> bool {
		self.tiles == ON_ROLL
	}

	/// The level of the tile at the top.
	pub fn top_level(&self) -> u32 {
		top_level(self.size)
	}
}

/// The level of the one tile at the top of so many leaves.
pub fn top_level(size: u32) -> u32 {
	let (mut level, mut tiles) = (0, size.div_ceil(TILE_WIDTH));
	while tiles > 1 {
		(level, tiles) = (level + 1, tiles.div_ceil(TILE_WIDTH));
	}
	level
}

/// How many leaves a full tile of this level spans.
pub const fn span(level: u32) -> u32 {
	TILE_WIDTH.saturating_pow(level.saturating_add(1))
}

/// What a tile says about one below it.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Debug,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct TileEntry {
	/// The root over the leaves under it.
	pub root: TreeHash,
	/// The name of the blob.
	pub digest: BlobDigest,
}

/// A tile.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Tile {
	/// Of level 0.
	Leaves(Vec<FleetLeaf>),
	/// Of a higher level.
	Entries(Vec<TileEntry>),
}

/// Bytes are not the tile that belongs at its place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TileError {
	/// They are not the blob of this name, or too long for a tile.
	Mismatch,
	/// They do not decode, or hold another number of entries.
	Malformed,
	/// A leaf breaks a rule of [`FleetLeaf::is_well_formed`].
	LeafMalformed,
	/// The leaves or entries have another root.
	OtherRoot,
}

impl core::fmt::Display for TileError {
	fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
		f.write_str(match self {
			TileError::Mismatch => "it is not the blob of this name: fetch it from another place",
			TileError::Malformed => "it is no tile of this place in the fleet",
			TileError::LeafMalformed => "it holds a leaf that no device can have",
			TileError::OtherRoot => "its leaves lead to another root",
		})
	}
}

#[cfg(feature = "std")]
impl std::error::Error for TileError {}

impl Tile {
	/// The tile that stands at `place` of `level` in a fleet of `size` leaves, if these bytes are the blob of this name
	/// and lead to this root.
	pub fn open(
		entry: &TileEntry,
		level: u32,
		place: u32,
		size: u32,
		bytes: &[u8],
	) -> Result<Self, TileError> {
		if bytes.len() > MAX_TILE_LEN as usize || BlobDigest::of(bytes) != entry.digest {
			return Err(TileError::Mismatch);
		}
		let count = entries_in(level, place, size).ok_or(TileError::Malformed)?;
		// The count comes first, so that nothing is allocated for more.
		let found = Compact::<u32>::decode(&mut &bytes[..]).map_err(|_| TileError::Malformed)?;
		if found.0 != count {
			return Err(TileError::Malformed);
		}
		let tile = match level {
			0 => Vec::<FleetLeaf>::decode_all(&mut &bytes[..]).map(Tile::Leaves),
			_ => Vec::<TileEntry>::decode_all(&mut &bytes[..]).map(Tile::Entries),
		};
		let tile = tile.map_err(|_| TileError::Malformed)?;
		if let Tile::Leaves(leaves) = &tile
			&& !leaves.iter().all(FleetLeaf::is_well_formed)
		{
			return Err(TileError::LeafMalformed);
		}
		if root_of(&tile.nodes()) != entry.root {
			return Err(TileError::OtherRoot);
		}
		Ok(tile)
	}

	/// The hashes over which its root is formed.
	pub fn nodes(&self) -> Vec<TreeHash> {
		match self {
			Tile::Leaves(leaves) => leaves.iter().map(FleetLeaf::hash).collect(),
			Tile::Entries(entries) => entries.iter().map(|entry| entry.root).collect(),
		}
	}

	/// Its bytes.
	pub fn encode(&self) -> Vec<u8> {
		match self {
			Tile::Leaves(leaves) => leaves.encode(),
			Tile::Entries(entries) => entries.encode(),
		}
	}

	/// What the level above says about it.
	pub fn entry(&self) -> TileEntry {
		TileEntry { root: root_of(&self.nodes()), digest: BlobDigest::of(&self.encode()) }
	}
}

/// How many entries the tile at `place` of `level` has in a fleet of `size` leaves; `None` if there is no such tile.
pub fn entries_in(level: u32, place: u32, size: u32) -> Option<u32> {
	let below = match level {
		0 => size,
		_ => size.div_ceil(span(level - 1)),
	};
	let before = place.checked_mul(TILE_WIDTH)?;
	let rest = below.checked_sub(before).filter(|rest| *rest > 0)?;
	Some(rest.min(TILE_WIDTH))
}

/// There are more leaves than a fleet can have, none at all, or one that no device can have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unfit;

/// Cuts leaves into tiles as they come, in memory for one tile of each level.
#[derive(Clone, Debug, Default)]
pub struct Tiler {
	size: u32,
	leaves: Vec<FleetLeaf>,
	/// The entries that are in no tile yet, from level 1 up.
	entries: Vec<Vec<TileEntry>>,
	frontier: Frontier,
}

impl Tiler {
	/// Adds a leaf. `emit` gets each tile as soon as it is full.
	pub fn push(&mut self, leaf: FleetLeaf, emit: &mut impl FnMut(Tile)) -> Result<(), Unfit> {
		if self.size >= MAX_FLEET_SIZE || !leaf.is_well_formed() {
			return Err(Unfit);
		}
		self.frontier.push(leaf.hash());
		self.leaves.push(leaf);
		self.size += 1;
		if self.leaves.len() == TILE_WIDTH as usize {
			let tile = Tile::Leaves(core::mem::take(&mut self.leaves));
			self.complete(tile, emit);
		}
		Ok(())
	}

	/// Hands out the tiles that are not full, the one at the top last, and tells what they come to.
	pub fn finish(mut self, emit: &mut impl FnMut(Tile)) -> Result<Commitment, Unfit> {
		if self.size == 0 {
			return Err(Unfit);
		}
		if !self.leaves.is_empty() {
			let tile = Tile::Leaves(core::mem::take(&mut self.leaves));
			self.complete(tile, emit);
		}
		let top = top_level(self.size);
		// The tile at the top is the only one of its level, so its entry is the only one of the level above.
		for level in 0..top as usize {
			let entries = core::mem::take(&mut self.entries[level]);
			if !entries.is_empty() {
				self.complete_above(level, Tile::Entries(entries), emit);
			}
		}
		let tiles = self.entries[top as usize].first().ok_or(Unfit)?.digest;
		Ok(Commitment { size: self.size, root: self.frontier.root(), tiles })
	}

	fn complete(&mut self, tile: Tile, emit: &mut impl FnMut(Tile)) {
		let entry = tile.entry();
		emit(tile);
		self.add_entry(0, entry, emit);
	}

	/// Adds the entry of a tile of entries that stood at `level`, counted from level 1.
	fn complete_above(&mut self, level: usize, tile: Tile, emit: &mut impl FnMut(Tile)) {
		let entry = tile.entry();
		emit(tile);
		self.add_entry(level + 1, entry, emit);
	}

	fn add_entry(&mut self, level: usize, entry: TileEntry, emit: &mut impl FnMut(Tile)) {
		if self.entries.len() <= level {
			self.entries.resize(level + 1, vec![]);
		}
		self.entries[level].push(entry);
		if self.entries[level].len() == TILE_WIDTH as usize {
			let entries = core::mem::take(&mut self.entries[level]);
			self.complete_above(level, Tile::Entries(entries), emit);
		}
	}
}

#[cfg(test)]
mod tests;
