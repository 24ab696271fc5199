//! Rolls: fleets whose keys stand on the chain, read and proven from there.
//!
//! The keys are read a tile at a time, 256 of them, whatever the size. What they come to is held against the root that counts,
//! so a node that gives other keys is found out; a view that proves what it reads needs no such check, and gets it too.

use super::{FleetError, FleetLeaf, FleetRecord, MembershipProof, SeenKeys};
use crate::{
	View,
	possession::{PossessionError, SigningKey},
	view::ReadError,
};
pub use dpki_primitives::fleet::{
	MAX_KEYS_PER_APPEND, RollEntry, RollKey, RollRecord, RollTerms, RollTile,
	roll::{member_name, place_of},
};
use dpki_primitives::{
	Moment,
	fleet::{
		TILE_WIDTH, TreeHash,
		tile::entries_in,
		tree::{path_ranges, root_of},
	},
	ids::FleetId,
	key::KeyType,
	storage_keys,
};
use std::ops::Range;

/// A key with its signature for a place of a roll under these terms: what its holder makes, and nobody else can.
pub fn sign_entry(
	genesis: [u8; 32],
	fleet: FleetId,
	terms: &RollTerms,
	place: u32,
	expires_at: Moment,
	key: &(impl SigningKey + ?Sized),
) -> Result<RollEntry, PossessionError> {
	let public = key.public();
	let other = PossessionError::NotForRoll { key_type: public.key_type };
	let bytes = <[u8; 32]>::try_from(public.bytes.as_slice());
	let (KeyType::Ed25519, Ok(bytes)) = (public.key_type, bytes) else { return Err(other) };
	let signature = key.sign(&terms.possession(genesis, fleet, place, expires_at).payload())?;
	let possession = <[u8; 64]>::try_from(signature.as_slice()).map_err(|_| other)?;
	Ok(RollEntry { key: bytes, possession })
}

impl View {
	/// What is kept of a roll beside its keys; nothing if the fleet has its leaves in tiles.
	pub async fn roll(&self, id: FleetId) -> Result<Option<RollRecord>, ReadError> {
		self.read("the roll", storage_keys::roll(id)).await
	}

	/// The keys of a tile of a roll; none beyond the last.
	pub async fn roll_tile(&self, id: FleetId, tile: u32) -> Result<RollTile, ReadError> {
		let key = storage_keys::roll_tile(id, tile);
		Ok(self.read("the keys of a roll", key).await?.unwrap_or_default())
	}
}

/// A roll at one block. It keeps the last tile.
pub struct Roll<'a> {
	view: &'a View,
	id: FleetId,
	fleet: &'a FleetRecord,
	record: RollRecord,
	recent: Option<(u32, RollTile)>,
}

impl<'a> Roll<'a> {
	/// The roll of this fleet, whose record is from the same view; nothing if its leaves are in tiles.
	pub async fn open(
		view: &'a View,
		id: FleetId,
		fleet: &'a FleetRecord,
	) -> Result<Option<Self>, FleetError> {
		let roll = view.roll(id).await?;
		Ok(roll.map(|record| Self { view, id, fleet, record, recent: None }))
	}

	/// What its keys have in common.
	pub fn terms(&self) -> &RollTerms {
		&self.record.terms
	}

	/// How many keys there are.
	pub fn size(&self) -> u32 {
		self.record.size
	}

	/// The key at a place.
	pub async fn key(&mut self, index: u32) -> Result<RollKey, FleetError> {
		let size = self.size();
		let tile = self.tile(index / TILE_WIDTH).await?;
		let key = tile.get((index % TILE_WIDTH) as usize);
		key.copied().ok_or(FleetError::NoSuchMember { index, size })
	}

	/// Reads every key, refuses one that is there twice, and checks that they lead to the root that counts. `progress` gets
	/// the number of members that were seen.
	pub async fn audit(&mut self, progress: impl FnMut(u32)) -> Result<(), FleetError> {
		let mut seen = SeenKeys::default();
		let note = |index, leaf: &FleetLeaf| seen.note(index, leaf);
		self.roots(note, progress).await.map(|_| ())
	}

	/// What this member shows. Every key is read for it, as a path leads past all of them.
	pub async fn prove(
		&mut self,
		index: u32,
		progress: impl FnMut(u32),
	) -> Result<MembershipProof, FleetError> {
		let size = self.size();
		let none = || FleetError::NoSuchMember { index, size };
		let own = index / TILE_WIDTH;
		let mut beside = Vec::new();
		let collect = |place: u32, leaf: &FleetLeaf| {
			if place / TILE_WIDTH == own {
				beside.push(leaf.clone());
			}
			Ok(())
		};
		let roots = self.roots(collect, progress).await?;
		let nodes: Vec<_> = beside.iter().map(FleetLeaf::hash).collect();
		let path = path(index, size, &nodes, &roots).and_then(|path| path.try_into().ok());
		let path = path.ok_or_else(none)?;
		let leaf = beside.get((index % TILE_WIDTH) as usize).cloned().ok_or_else(none)?;
		let organisation = self.fleet.organisation;
		Ok(MembershipProof { fleet: self.id, organisation, index, leaf, path })
	}

	/// The root over each tile, if they lead to the one that counts.
	async fn roots(
		&mut self,
		mut judge: impl FnMut(u32, &FleetLeaf) -> Result<(), FleetError>,
		mut progress: impl FnMut(u32),
	) -> Result<Vec<TreeHash>, FleetError> {
		let (size, terms, fleet) = (self.size(), self.record.terms, self.fleet);
		let mut roots = Vec::new();
		for number in 0..size.div_ceil(TILE_WIDTH) {
			let first = number * TILE_WIDTH;
			let tile = self.tile(number).await?;
			let mut nodes = Vec::with_capacity(tile.len());
			for (place, key) in (first..).zip(tile) {
				let leaf = terms.leaf(&fleet.name, place, key).ok_or(FleetError::RollWrong)?;
				judge(place, &leaf)?;
				nodes.push(leaf.hash());
			}
			if entries_in(0, number, size) != Some(nodes.len() as u32) {
				return Err(FleetError::RollWrong);
			}
			roots.push(root_of(&nodes));
			progress(first + nodes.len() as u32);
		}
		let counted = fleet.current.map(|head| (head.commitment.size, head.commitment.root));
		let found = (size > 0).then(|| (size, root_of(&roots)));
		if counted != found {
			return Err(FleetError::RollWrong);
		}
		Ok(roots)
	}

	async fn tile(&mut self, number: u32) -> Result<&RollTile, FleetError> {
		if self.recent.as_ref().is_none_or(|(known, _)| *known != number) {
			self.recent = Some((number, self.view.roll_tile(self.id, number).await?));
		}
		let recent = self.recent.as_ref().map(|(_, tile)| tile);
		recent.ok_or(FleetError::RollWrong)
	}
}

/// The path of a leaf, from the hashes of the leaves in its tile and the roots over all tiles; `None` if there is no such
/// leaf.
fn path(index: u32, size: u32, own: &[TreeHash], tiles: &[TreeHash]) -> Option<Vec<TreeHash>> {
	let first = index - index % TILE_WIDTH;
	let end = size.min(first.saturating_add(TILE_WIDTH));
	let root = |range: Range<u32>| {
		let is_within = range.start >= first && range.end <= end;
		// What is beside the tile is made of whole tiles, of which the last may be incomplete.
		let nodes = match is_within {
			true => own.get((range.start - first) as usize..(range.end - first) as usize),
			false => {
				let end = range.end.div_ceil(TILE_WIDTH) as usize;
				tiles.get((range.start / TILE_WIDTH) as usize..end)
			},
		};
		nodes.map(root_of)
	};
	path_ranges(index, size)?.into_iter().map(root).collect()
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::possession::SoftwareKey;
	use dpki_primitives::{
		fleet::tree::{leaf_hash, root_from_path},
		key::KeyPurpose,
		status::Validity,
	};

	const TERMS: RollTerms = RollTerms {
		purpose: KeyPurpose::Tls,
		validity: Validity { not_before: 5, not_after: None },
	};

	#[test]
	fn every_path_leads_to_the_root_over_all_tiles() {
		for size in [1, 2, 255, 256, 257, 511, 513, 700, 1_024, 1_030] {
			let leaves: Vec<_> = (0u32..size).map(|at| leaf_hash(&at.to_be_bytes())).collect();
			let tiles: Vec<_> = leaves.chunks(TILE_WIDTH as usize).map(root_of).collect();
			let root = root_of(&leaves);
			assert_eq!(root_of(&tiles), root, "{size}");
			for index in 0..size {
				let tile = (index / TILE_WIDTH) as usize;
				let own = leaves.chunks(TILE_WIDTH as usize).nth(tile).unwrap();
				let path = path(index, size, own, &tiles).unwrap();
				let found = root_from_path(index, size, &leaves[index as usize], &path);
				assert_eq!(found, Some(root), "{index} of {size}");
			}
			assert_eq!(path(size, size, &leaves, &tiles), None);
		}
	}

	#[test]
	fn a_key_signs_for_its_place() {
		let (genesis, fleet) = ([1; 32], FleetId([2; 32]));
		let key = SoftwareKey::from_secret_bytes(KeyType::Ed25519, &[3; 32]).unwrap();
		let entry = sign_entry(genesis, fleet, &TERMS, 7, 9, &key).unwrap();
		assert_eq!(entry.key[..], key.public().bytes[..]);
		let payload = TERMS.possession(genesis, fleet, 7, 9).payload();
		let public = ed25519_dalek::VerifyingKey::from_bytes(&entry.key).unwrap();
		let signature = ed25519_dalek::Signature::from_bytes(&entry.possession);
		public.verify_strict(&payload, &signature).unwrap();
	}

	#[test]
	fn only_ed25519_keys_stand_on_a_roll() {
		let key = SoftwareKey::generate(KeyType::P256).unwrap();
		let refused = sign_entry([1; 32], FleetId([2; 32]), &TERMS, 7, 9, &key).unwrap_err();
		assert!(refused.to_string().contains("use an Ed25519 key"), "{refused}");
	}
}
