//! Fleets: many device keys under one record.
//!
//! An organisation puts the keys of its devices into a Merkle tree and records the root, the size, and the name of the
//! list of leaves. A key is then proven by its leaf and a path to the root, and that it is not revoked by one bit of a
//! bitmap in the state. A fleet of a million keys takes one record and, where something was revoked, one value for
//! [`MEMBERS_PER_CHUNK`] members.
//!
//! | module | rule |
//! |---|---|
//! | [`tree`] | the Merkle tree of RFC 6962: roots, inclusion, consistency |
//! | [`leaf`] | what a leaf says, and its one encoding |
//! | [`tile`] | how the leaves are cut into blobs, and how those are found from one digest |
//! | [`record`] | the fleet as stored, and the way of a commitment from its proposal to its end |
//! | [`revocation`] | the bitmap |
//! | [`roll`] | fleets whose keys stand on the chain, with their possession proven |
//! | [`membership`] | what a device shows, and the verdict about it |
//! | [`availability`] | when the votes of those who hold the leaves suffice |
//!
//! # What a leaf promises, and what it does not
//!
//! A leaf is the word of the organisation that these are the keys of its devices. Nobody has proven to the chain to hold
//! such a key, but for those of a [`roll`], and neither is looked up by its key, so the rule that a key is registered once does not reach into fleets: the same key can stand in several
//! leaves. Three things keep that harmless. A leaf names its device by the *name*, and the id follows from the
//! organisation of the fleet, so no organisation can list a device of another. A key that is registered singly, with its
//! possession proven, wins: a leaf with the key of another device is unknown, and what is revoked singly, or compromised anywhere, is revoked in
//! every fleet. And whoever talks to a device has it use the key, as with every public key.

pub mod availability;
pub mod leaf;
pub mod membership;
pub mod record;
pub mod revocation;
pub mod roll;
pub mod tile;
pub mod tree;

pub use availability::{Availability, AvailabilityVote, AvailabilityVoters, availability};
pub use leaf::{FleetKey, FleetLeaf, MAX_FLEET_KEY_LEN};
pub use membership::{MemberFacts, MembershipProof, NotAMember, member_status};
pub use record::{Candidate, Change, FleetHead, FleetRecord, SupersededHead};
pub use revocation::{
	ChunkMask, MAX_BATCHES_PER_CHUNK, MAX_CHUNKS_PER_REVOCATION, MEMBERS_PER_CHUNK,
	RevocationBatch, RevocationChunk,
};
pub use roll::{
	MAX_KEYS_PER_APPEND, MAX_ROLL_NAME_LEN, RollEntry, RollKey, RollRecord, RollTerms, RollTile,
};
pub use tile::{Commitment, MAX_TILE_LEN, TILE_WIDTH, Tile, TileEntry, Tiler};
pub use tree::{
	MAX_CONSISTENCY_LEN, MAX_FLEET_SIZE, MAX_PATH_LEN, MEMBERS_PER_COMMITMENT_FEE, TreeHash,
};
