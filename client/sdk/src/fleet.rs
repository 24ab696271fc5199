//! Fleets: from a list of keys to tiles and a commitment, and from tiles to proofs.
//!
//! An [`Importer`] takes leaves one after the other and writes tiles as they become full, so a million lines take the
//! memory of a few tiles. [`FleetTiles`] reads them again, from wherever they are: each tile is checked by its name and by
//! the root above it, so neither the place nor the way has to be trusted. What a member shows is a
//! [`MembershipProof`]; the verdict about it is [`View::member_status`], or that of `dpki-verifier` without a connection.

mod audit;
mod folder;
mod holding;
pub mod roll;
mod tiles;
pub mod watch;

pub use audit::RevokedChunks;
pub use dpki_primitives::fleet::{
	Candidate, Change, ChunkMask, Commitment, FleetHead, FleetKey, FleetLeaf, FleetRecord,
	MAX_FLEET_SIZE, MemberFacts, MembershipProof, NotAMember, RevocationChunk, Tile,
};
pub use folder::TileFolder;
pub use holding::{Holding, held_commitments};
pub use tiles::FleetTiles;

use crate::{View, blob::BlobError, view::ReadError};
use audit::SeenKeys;
use dpki_primitives::{
	Moment,
	fleet::{
		AvailabilityVote, MEMBERS_PER_CHUNK, Tiler, member_status,
		revocation::{MASK_LEN, chunk_of, chunks},
		tile::TileError,
	},
	ids::{FleetId, OrganisationId},
	status::{Status, status},
	storage_keys,
};
use std::{collections::BTreeMap, io, path::PathBuf};

/// Why something about a fleet could not be done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FleetError {
	/// A leaf says what no device can be.
	#[error(
		"member {index} cannot be ({reason}): check its name, the length of its key, and that the key can serve its purpose"
	)]
	Leaf {
		/// Which one.
		index: u32,
		/// What is wrong.
		reason: &'static str,
	},
	/// A key is there twice. Whoever revoked one of them would leave the other good.
	#[error("member {index} has the key of an earlier member: list each key once")]
	KeyRepeated {
		/// Which one.
		index: u32,
	},
	/// A revoked place has another key than under the commitment before. Revocations stay with places: the new key would
	/// be revoked, and the old one good at any other place.
	#[error(
		"member {index} is revoked, and its place has another key now: leave revoked places as they are"
	)]
	RevokedReplaced {
		/// Which one.
		index: u32,
	},
	/// There is no member at all.
	#[error("the fleet has no member: list at least one")]
	Empty,
	/// A fleet has no such member.
	#[error("the fleet has {size} members and none with the number {index}: count from 0")]
	NoSuchMember {
		/// Which one.
		index: u32,
		/// How many there are.
		size: u32,
	},
	/// A record could not be read.
	#[error(transparent)]
	Read(#[from] ReadError),
	/// The keys of a roll are not those that count.
	#[error("the keys on the roll are not those that count: ask another node, or one with proofs")]
	RollWrong,
	/// A tile could not be had.
	#[error(transparent)]
	Blob(#[from] BlobError),
	/// A tile is not the right one.
	#[error("tile {place} of level {level} is wrong: {error}")]
	Tile {
		/// Its level.
		level: u32,
		/// Its place in the level.
		place: u32,
		/// What is wrong.
		error: TileError,
	},
	/// A tile could not be written.
	#[error(
		"the tile {path} could not be written ({source}): check the folder and the space in it"
	)]
	Write {
		/// Where.
		path: PathBuf,
		/// Why.
		source: io::Error,
	},
	/// A tile that nobody needs could not be removed.
	#[error("{path} could not be tidied ({source}): check whose the folder is")]
	Prune {
		/// Where.
		path: PathBuf,
		/// Why.
		source: io::Error,
	},
	/// The tiles belong to a fleet that does not begin with the other.
	#[error(
		"a fleet of {to} members does not go on from one of {from}: give the tiles of the longer one"
	)]
	NoGrowth {
		/// From how many members.
		from: u32,
		/// To how many.
		to: u32,
	},
}

/// Takes the leaves of a fleet, one after the other, and writes its tiles into a folder.
///
/// It remembers 64 bits of a hash of every key, to notice one that comes twice, and otherwise holds one tile of each level.
#[derive(Debug)]
pub struct Importer {
	folder: TileFolder,
	tiler: Tiler,
	count: u32,
	keys: SeenKeys,
}

impl Importer {
	/// Begins a fleet whose tiles go into this folder.
	pub fn new(folder: TileFolder) -> Self {
		Self { folder, tiler: Tiler::default(), count: 0, keys: SeenKeys::default() }
	}

	/// Takes the next member.
	pub fn push(&mut self, leaf: FleetLeaf) -> Result<(), FleetError> {
		let index = self.count;
		let bad = |reason| FleetError::Leaf { index, reason };
		if index >= MAX_FLEET_SIZE {
			return Err(bad("a fleet holds 2^24 members"));
		}
		self.keys.note(index, &leaf)?;
		let mut written = Ok(());
		let folder = &self.folder;
		let mut emit = |tile: Tile| keep_first(&mut written, folder.write(&tile.encode()));
		self.tiler
			.push(leaf, &mut emit)
			.map_err(|_| bad("it breaks a rule for leaves"))?;
		written?;
		self.count += 1;
		Ok(())
	}

	/// How many members there are so far.
	pub fn count(&self) -> u32 {
		self.count
	}

	/// Writes the last tiles and tells what they come to.
	pub fn finish(self) -> Result<Commitment, FleetError> {
		let mut written = Ok(());
		let folder = &self.folder;
		let mut emit = |tile: Tile| keep_first(&mut written, folder.write(&tile.encode()));
		let commitment = self.tiler.finish(&mut emit).map_err(|_| FleetError::Empty)?;
		written?;
		Ok(commitment)
	}
}

fn keep_first(written: &mut Result<(), FleetError>, next: Result<(), FleetError>) {
	if written.is_ok() {
		*written = next;
	}
}

/// The masks that revoke these members.
pub fn masks(members: impl IntoIterator<Item = u32>) -> Vec<ChunkMask> {
	let mut chunks = BTreeMap::<u32, [u8; MASK_LEN]>::new();
	for member in members {
		let place = member % MEMBERS_PER_CHUNK;
		let mask = chunks.entry(chunk_of(member)).or_insert([0; MASK_LEN]);
		mask[place as usize / 8] |= 1 << (place % 8);
	}
	chunks
		.into_iter()
		.filter_map(|(chunk, mask)| {
			let len = mask.iter().rposition(|byte| *byte != 0)? + 1;
			let mask = mask[..len].to_vec().try_into().ok()?;
			Some(ChunkMask { chunk: u16::try_from(chunk).ok()?, mask })
		})
		.collect()
}

/// How many fleets are read at once.
const FLEETS_PER_PAGE: u32 = 256;

impl View {
	/// All fleets as stored, in the order of their ids. It takes one request for their names and one for the records, for
	/// each 256 of them.
	pub async fn fleets(&self) -> Result<Vec<(FleetId, FleetRecord)>, ReadError> {
		let none = storage_keys::fleet(FleetId([0; 32]));
		let prefix = none.strip_suffix(&[0; 32]).unwrap_or(&none);
		let item = "the fleets";
		let mut fleets = Vec::new();
		let mut last = None;
		loop {
			let page = self.read_page(item, prefix, FLEETS_PER_PAGE, last.as_deref()).await?;
			let Some((key, _)) = page.last() else { return Ok(fleets) };
			last = Some(key.clone());
			for (key, record) in page {
				let id = key.strip_prefix(prefix).and_then(|id| id.try_into().ok());
				let id = id.ok_or_else(|| self.malformed(item, "a key of another length"))?;
				fleets.push((FleetId(id), record));
			}
		}
	}

	/// The fleet as stored.
	pub async fn fleet(&self, id: FleetId) -> Result<Option<FleetRecord>, ReadError> {
		self.read("the fleet", storage_keys::fleet(id)).await
	}

	/// What is revoked in a chunk of a fleet.
	pub async fn revoked_members(
		&self,
		id: FleetId,
		chunk: u32,
	) -> Result<Option<RevocationChunk>, ReadError> {
		self.read("the revoked members", storage_keys::revoked_members(id, chunk)).await
	}

	/// What is revoked in a fleet, in all chunks that have something.
	pub async fn all_revoked_members(&self, id: FleetId) -> Result<RevokedChunks, ReadError> {
		let size = self.fleet(id).await?.map_or(0, |record| record.size());
		let mut revoked = RevokedChunks::new();
		for number in 0..chunks(size) {
			if let Some(chunk) = self.revoked_members(id, number).await? {
				revoked.insert(number, chunk);
			}
		}
		Ok(revoked)
	}

	/// How many members of a fleet are revoked.
	pub async fn count_revoked_members(&self, id: FleetId) -> Result<u32, ReadError> {
		let revoked = self.all_revoked_members(id).await?;
		Ok(revoked.values().map(|chunk| chunk.count()).sum())
	}

	/// What the voters say of a revision of a fleet.
	pub async fn availability_votes(
		&self,
		id: FleetId,
		revision: u32,
	) -> Result<Vec<AvailabilityVote<crate::AccountId>>, ReadError> {
		let key = storage_keys::availability_votes(id, revision);
		Ok(self.read("the votes", key).await?.unwrap_or_default())
	}

	/// The verdict about a fleet: unknown as long as no commitment of it counts.
	pub async fn fleet_status(&self, id: FleetId) -> Result<Status, ReadError> {
		let record = self.fleet(id).await?;
		let standing = record.and_then(|it| it.current.map(|head| it.standing(&head)));
		Ok(status(standing.as_ref(), &[], self.now()))
	}

	/// The verdict about the key of a fleet member, by the same rule as [`key_status`](Self::key_status).
	pub async fn member_status(&self, proof: &MembershipProof) -> Result<Status, ReadError> {
		let Some(id) = proof.key() else { return Ok(Status::Unknown) };
		let (fleet, key) = (self.fleet(proof.fleet).await?, self.key(id).await?);
		let chunk = self.revoked_members(proof.fleet, chunk_of(proof.index)).await?;
		let device = self.device(proof.device()).await?;
		let compromised: Option<Moment> =
			self.read("the compromised key", storage_keys::compromised_key(id)).await?;
		let anchor: Option<()> =
			self.read("the key of an anchor", storage_keys::revoked_anchor_key(id)).await?;
		let facts = MemberFacts {
			fleet: fleet.as_ref(),
			chunk: chunk.as_ref(),
			device: device.as_ref(),
			key: key.as_ref(),
			compromised,
			is_anchor_key_revoked: anchor.is_some(),
		};
		Ok(member_status(proof, facts, self.now()))
	}
}

/// The id of the fleet of this name in this organisation.
pub fn fleet_id(organisation: OrganisationId, name: &str) -> FleetId {
	FleetId::from_name(organisation, name.as_bytes())
}

#[cfg(test)]
mod tests;
