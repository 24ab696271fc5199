//! Fleets whose keys stand on the chain.
//!
//! A *roll* is the list of the keys of a fleet in the state, [`TILE_WIDTH`] in a value. The purpose of the keys and their
//! validity are the same for all and stand once, and the names of the devices follow from their places, so that a member takes
//! the 32 bytes of its key and nothing else. The leaves, the tree over them and the proofs are those of every fleet: whoever
//! is shown a leaf with a path need not know where the list is kept.
//!
//! The root grows with the roll, from the roots of the complete subtrees ([`RollRecord::frontier`]), so that what was there
//! before is not read again.
//!
//! # Possession
//!
//! Whoever puts a key on a roll shows that its holder wants it there: a signature by the key over
//! [`Action::JoinRoll`](crate::context::Action::JoinRoll) for this fleet, place, purpose and validity. All of a call are
//! verified in the block.

use super::{
	leaf::{FleetKey, FleetLeaf},
	tile::TILE_WIDTH,
	tree::{Frontier, MAX_FLEET_SIZE, MAX_PATH_LEN, TreeHash},
};
use crate::{
	Moment,
	context::{Action, SigningContext},
	ids::{BlobDigest, FleetId, MAX_NAME_LEN, Name},
	key::{KeyPurpose, KeyType},
	status::Validity,
};
use alloc::{format, vec::Vec};
use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Most keys of one call: sixteen tiles.
pub const MAX_KEYS_PER_APPEND: u32 = 16 * TILE_WIDTH;

/// Longest name of a fleet with a roll: the names of its devices are longer by a hyphen and eight digits at most.
pub const MAX_ROLL_NAME_LEN: u32 = MAX_NAME_LEN - 1 - (MAX_FLEET_SIZE - 1).ilog10() - 1;

/// What a commitment names in the place of the tile at the top, if its leaves stand on the chain. No blob has this name.
pub const ON_ROLL: BlobDigest = BlobDigest([0; 32]);

/// An Ed25519 key.
pub type RollKey = [u8; 32];

/// The keys of [`TILE_WIDTH`] places, of the last ones maybe fewer.
pub type RollTile = BoundedVec<RollKey, ConstU32<TILE_WIDTH>>;

/// What all keys of a roll have in common.
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
pub struct RollTerms {
	/// What the keys are for.
	pub purpose: KeyPurpose,
	/// When they may be used.
	pub validity: Validity,
}

impl RollTerms {
	/// The leaf of the key at a place of the fleet of this name; `None` if the name is too long for a roll.
	pub fn leaf(&self, fleet: &[u8], place: u32, key: &RollKey) -> Option<FleetLeaf> {
		Some(FleetLeaf {
			name: member_name(fleet, place)?,
			purpose: self.purpose,
			key: FleetKey::new(KeyType::Ed25519, key)?,
			validity: self.validity,
		})
	}

	/// What the key at a place signs to stand there.
	pub fn possession(
		&self,
		genesis: [u8; 32],
		fleet: FleetId,
		place: u32,
		expires_at: Moment,
	) -> SigningContext {
		let Self { purpose, validity } = *self;
		let action = Action::JoinRoll { fleet, purpose, validity };
		SigningContext { genesis, action, nonce: u64::from(place), expires_at }
	}
}

/// The name of the device at a place: that of the fleet, a hyphen, and the place in decimal digits. `None` if it is too long.
///
/// ```
/// use dpki_primitives::fleet::roll::member_name;
///
/// assert_eq!(member_name(b"drones", 7).unwrap().as_slice(), b"drones-7");
/// ```
pub fn member_name(fleet: &[u8], place: u32) -> Option<Name> {
	let mut name = fleet.to_vec();
	name.extend_from_slice(format!("-{place}").as_bytes());
	name.try_into().ok()
}

/// The place of the device of this name; `None` if no place of the fleet has this name.
pub fn place_of(fleet: &[u8], name: &[u8]) -> Option<u32> {
	let digits = name.strip_prefix(fleet)?.strip_prefix(b"-")?;
	let place = core::str::from_utf8(digits).ok()?.parse().ok()?;
	// A place has one name: without leading zeros or a sign.
	member_name(fleet, place).filter(|it| it.as_slice() == name).map(|_| place)
}

/// A key with the proof that its holder wants it on the roll.
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
pub struct RollEntry {
	/// The key.
	pub key: RollKey,
	/// Its signature (RFC 8032), see [`RollTerms::possession`].
	pub possession: [u8; 64],
}

/// A roll as stored, beside its tiles.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct RollRecord {
	/// What its keys have in common.
	pub terms: RollTerms,
	/// How many there are.
	pub size: u32,
	/// The roots of the largest complete subtrees, from the left: one for each bit of the size.
	pub frontier: BoundedVec<TreeHash, ConstU32<MAX_PATH_LEN>>,
}

impl RollRecord {
	/// A roll without keys.
	pub fn new(terms: RollTerms) -> Self {
		Self { terms, size: 0, frontier: Default::default() }
	}

	/// Adds leaves at the end, and gives the root over all of them; `None`, and nothing is changed, if there would be more
	/// than a fleet can have.
	pub fn extend(&mut self, leaves: &[TreeHash]) -> Option<TreeHash> {
		let added = u32::try_from(leaves.len()).ok()?;
		let size = self.size.checked_add(added).filter(|size| *size <= MAX_FLEET_SIZE)?;
		let mut frontier = Frontier::resume(self.size, self.frontier.to_vec())?;
		leaves.iter().for_each(|leaf| frontier.push(*leaf));
		let root = frontier.root();
		self.frontier = frontier.into_roots().try_into().ok()?;
		self.size = size;
		Some(root)
	}

	/// The root over all keys.
	pub fn root(&self) -> Option<TreeHash> {
		Some(Frontier::resume(self.size, self.frontier.to_vec())?.root())
	}
}

/// The hashes of the leaves of these keys, which stand at `first` and after it; `None` if the name of the fleet is too long.
pub fn leaf_hashes<'a>(
	terms: &RollTerms,
	fleet: &[u8],
	first: u32,
	keys: impl IntoIterator<Item = &'a RollKey>,
) -> Option<Vec<TreeHash>> {
	(first..)
		.zip(keys)
		.map(|(place, key)| Some(terms.leaf(fleet, place, key)?.hash()))
		.collect()
}

const _: () = {
	assert!(MAX_KEYS_PER_APPEND <= u16::MAX as u32, "every position in a call has a number");
	assert!(MAX_FLEET_SIZE.is_power_of_two(), "no size has more bits than the frontier has room");
};

#[cfg(test)]
mod tests {
	use super::*;
	use crate::fleet::tree::root_of;
	use alloc::vec;

	const TERMS: RollTerms = RollTerms {
		purpose: KeyPurpose::Tls,
		validity: Validity { not_before: 5, not_after: Some(9) },
	};

	fn keys(count: u32) -> Vec<RollKey> {
		(0..count)
			.map(|place| {
				let mut key = [7; 32];
				key[..4].copy_from_slice(&place.to_be_bytes());
				key
			})
			.collect()
	}

	#[test]
	fn a_roll_that_grows_in_steps_has_the_root_of_one_that_was_made_at_once() {
		let keys = keys(700);
		let leaves = leaf_hashes(&TERMS, b"drones", 0, &keys).unwrap();
		for steps in [vec![700], vec![1, 255, 1, 443], vec![256, 256, 188], vec![699, 1]] {
			let (mut roll, mut begin) = (RollRecord::new(TERMS), 0);
			for step in steps {
				let root = roll.extend(&leaves[begin..begin + step]).unwrap();
				begin += step;
				assert_eq!(root, root_of(&leaves[..begin]));
				assert_eq!((roll.size as usize, roll.root()), (begin, Some(root)));
				assert_eq!(roll.frontier.len() as u32, roll.size.count_ones());
			}
		}
	}

	#[test]
	fn the_largest_roll_is_full() {
		let mut roll = RollRecord { size: MAX_FLEET_SIZE - 1, ..RollRecord::new(TERMS) };
		roll.frontier = vec![[1; 32]; 24].try_into().unwrap();
		assert_eq!(roll.clone().extend(&[[2; 32]; 2]), None);
		assert!(roll.extend(&[[2; 32]]).is_some());
		assert_eq!((roll.size, roll.frontier.len()), (MAX_FLEET_SIZE, 1));
		let full = roll.clone();
		assert_eq!(roll.extend(&[[2; 32]]), None);
		assert_eq!(roll, full);
	}

	#[test]
	fn a_frontier_of_another_size_is_not_taken_up() {
		let mut roll = RollRecord { size: 3, ..RollRecord::new(TERMS) };
		assert_eq!((roll.root(), roll.extend(&[[1; 32]])), (None, None));
	}

	#[test]
	fn a_place_has_one_name_and_every_name_fits() {
		for (name, place) in [
			("drones-7", Some(7)),
			("drones-0", Some(0)),
			("drones-07", None),
			("drones-+7", None),
			("drones-", None),
			("drones7", None),
			("planes-7", None),
		] {
			assert_eq!(place_of(b"drones", name.as_bytes()), place, "{name}");
		}
		let longest = vec![b'a'; MAX_ROLL_NAME_LEN as usize];
		let name = member_name(&longest, MAX_FLEET_SIZE - 1).unwrap();
		assert_eq!(name.len(), MAX_NAME_LEN as usize);
		assert!(crate::ids::is_valid_name(&name));
		let longer = vec![b'a'; MAX_ROLL_NAME_LEN as usize + 1];
		assert_eq!(member_name(&longer, MAX_FLEET_SIZE - 1), None);
	}

	#[test]
	fn every_leaf_is_well_formed() {
		let leaf = TERMS.leaf(b"drones", 7, &[3; 32]).unwrap();
		assert!(leaf.is_well_formed());
		assert_eq!((leaf.name.as_slice(), leaf.validity), (&b"drones-7"[..], TERMS.validity));
	}

	#[test]
	fn what_is_signed_depends_on_chain_fleet_place_terms_and_end() {
		let fleet = FleetId([1; 32]);
		let base = TERMS.possession([2; 32], fleet, 3, 4).payload();
		let validity = Validity { not_before: 5, not_after: None };
		for other in [
			TERMS.possession([9; 32], fleet, 3, 4),
			TERMS.possession([2; 32], FleetId([9; 32]), 3, 4),
			TERMS.possession([2; 32], fleet, 9, 4),
			TERMS.possession([2; 32], fleet, 3, 9),
			RollTerms { purpose: KeyPurpose::Sign, ..TERMS }.possession([2; 32], fleet, 3, 4),
			RollTerms { validity, ..TERMS }.possession([2; 32], fleet, 3, 4),
		] {
			assert_ne!(other.payload(), base);
		}
	}
}
