//! Tiles: what leads to the leaves, and what does not.

use super::*;
use crate::{
	delivery::MAX_BLOB_LEN,
	fleet::{FleetKey, tree},
	ids::MAX_NAME_LEN,
	key::{KeyPurpose, KeyType},
	status::Validity,
};
use alloc::collections::BTreeMap;
use codec::MaxEncodedLen;

fn leaf(index: u32) -> FleetLeaf {
	let mut key = [7; 32];
	key[..4].copy_from_slice(&index.to_be_bytes());
	FleetLeaf {
		name: alloc::format!("drone-{index}").into_bytes().try_into().unwrap(),
		purpose: KeyPurpose::Tls,
		key: FleetKey::new(KeyType::Ed25519, &key).unwrap(),
		validity: Validity { not_before: 1, not_after: None },
	}
}

type Blobs = BTreeMap<BlobDigest, Vec<u8>>;

fn cut(size: u32) -> (Commitment, Blobs) {
	let (mut tiler, mut blobs) = (Tiler::default(), Blobs::new());
	let mut emit = |tile: Tile| {
		let bytes = tile.encode();
		blobs.insert(BlobDigest::of(&bytes), bytes);
	};
	for index in 0..size {
		tiler.push(leaf(index), &mut emit).unwrap();
	}
	(tiler.finish(&mut emit).unwrap(), blobs)
}

/// All leaves under a commitment, as one who trusts nothing reads them.
fn read(commitment: &Commitment, blobs: &Blobs) -> Result<Vec<FleetLeaf>, TileError> {
	let top = TileEntry { root: commitment.root, digest: commitment.tiles };
	let mut level = commitment.top_level();
	let mut entries = vec![top];
	loop {
		let mut below = Vec::new();
		let mut leaves = Vec::new();
		for (place, entry) in (0..).zip(&entries) {
			let bytes = blobs.get(&entry.digest).ok_or(TileError::Mismatch)?;
			match Tile::open(entry, level, place, commitment.size, bytes)? {
				Tile::Leaves(found) => leaves.extend(found),
				Tile::Entries(found) => below.extend(found),
			}
		}
		match level {
			0 => return Ok(leaves),
			_ => (level, entries) = (level - 1, below),
		}
	}
}

/// Around every border between levels; the largest takes three.
const SIZES: [u32; 8] = [1, 2, 255, 256, 257, 513, 65_536, 65_537];

#[test]
fn one_digest_leads_to_all_leaves() {
	for size in SIZES {
		let (commitment, blobs) = cut(size);
		let leaves = read(&commitment, &blobs).unwrap();
		assert_eq!(leaves.len(), size as usize);
		let hashes: Vec<_> = leaves.iter().map(FleetLeaf::hash).collect();
		assert_eq!(commitment.root, tree::root_of(&hashes));
		assert!((0..size).step_by(97).all(|index| leaves[index as usize] == leaf(index)));
	}
}

#[test]
fn there_are_as_many_levels_as_are_needed() {
	for (size, level) in [(1, 0), (256, 0), (257, 1), (65_536, 1), (65_537, 2)] {
		assert_eq!(top_level(size), level);
	}
	assert_eq!(top_level(MAX_FLEET_SIZE), 2);
	assert_eq!(span(2), MAX_FLEET_SIZE);
}

#[test]
fn another_size_of_the_same_tiles_is_refused() {
	for size in [1, 2, 256, 257, 600] {
		let (commitment, blobs) = cut(size);
		let others = (0..size + 300).filter(|other| *other != size).chain([MAX_FLEET_SIZE]);
		for other in others {
			let forged = Commitment { size: other, ..commitment };
			assert!(read(&forged, &blobs).is_err(), "{size} as {other}");
		}
	}
}

#[test]
fn another_root_over_the_same_tiles_is_refused() {
	let (commitment, blobs) = cut(300);
	let forged = Commitment { root: [1; 32], ..commitment };
	assert_eq!(read(&forged, &blobs), Err(TileError::OtherRoot));
}

#[test]
fn a_tile_that_is_missing_or_changed_is_noticed() {
	let (commitment, blobs) = cut(600);
	for digest in blobs.keys() {
		let mut without = blobs.clone();
		without.remove(digest);
		assert_eq!(read(&commitment, &without), Err(TileError::Mismatch));
		let mut changed = blobs.clone();
		changed.get_mut(digest).unwrap()[100] ^= 1;
		assert_eq!(read(&commitment, &changed), Err(TileError::Mismatch));
	}
}

/// The entry of a tile of these bytes, as a dishonest organisation would make it.
fn entry(root: TreeHash, bytes: &[u8]) -> TileEntry {
	TileEntry { root, digest: BlobDigest::of(bytes) }
}

#[test]
fn a_tile_of_another_shape_is_refused() {
	let leaves: Vec<_> = (0..3).map(leaf).collect();
	let tile = Tile::Leaves(leaves.clone());
	let bytes = tile.encode();
	let root = tile.entry().root;
	let open = |level, place, size, bytes: &[u8]| {
		Tile::open(&entry(root, bytes), level, place, size, bytes)
	};
	assert_eq!(open(0, 0, 3, &bytes), Ok(tile.clone()));
	assert_eq!(open(0, 1, 259, &bytes), Ok(tile));
	for (level, place, size) in [(0, 0, 4), (0, 0, 2), (0, 1, 256), (1, 0, 3), (0, u32::MAX, 3)] {
		assert_eq!(open(level, place, size, &bytes), Err(TileError::Malformed));
	}
	let longer = [&bytes[..], &[0]].concat();
	assert_eq!(open(0, 0, 3, &longer), Err(TileError::Malformed));
	assert_eq!(open(0, 0, 3, &bytes[..bytes.len() - 1]), Err(TileError::Malformed));
	assert_eq!(open(0, 0, 3, &[]), Err(TileError::Malformed));
	let too_long = vec![0; MAX_TILE_LEN as usize + 1];
	assert_eq!(open(0, 0, 3, &too_long), Err(TileError::Mismatch));
}

#[test]
fn a_leaf_that_cannot_be_is_found_in_its_tile() {
	let unfit = FleetLeaf { name: b"No Name".to_vec().try_into().unwrap(), ..leaf(1) };
	let tile = Tile::Leaves(vec![leaf(0), unfit.clone()]);
	let bytes = tile.encode();
	let opened = Tile::open(&tile.entry(), 0, 0, 2, &bytes);
	assert_eq!(opened, Err(TileError::LeafMalformed));
	assert_eq!(Tiler::default().push(unfit, &mut |_| ()), Err(Unfit));
	assert_eq!(Tiler::default().finish(&mut |_| ()), Err(Unfit));
}

#[test]
fn the_longest_tile_is_a_blob() {
	assert_eq!(MAX_LEAF_LEN as usize, FleetLeaf::max_encoded_len());
	assert_eq!(TileEntry::max_encoded_len(), 64);
	const { assert!(MAX_TILE_LEN <= MAX_BLOB_LEN) };
	let leaf = FleetLeaf {
		name: vec![b'a'; MAX_NAME_LEN as usize].try_into().unwrap(),
		purpose: KeyPurpose::Tls,
		key: FleetKey::new(KeyType::P256, &[2; 33]).unwrap(),
		validity: Validity { not_before: 1, not_after: Some(2) },
	};
	let bytes = Tile::Leaves(vec![leaf; TILE_WIDTH as usize]).encode();
	assert_eq!(bytes.len(), MAX_TILE_LEN as usize);
}
