//! What a device shows to prove that its key is a member, and the verdict about it.

use super::{
	leaf::FleetLeaf,
	record::{FleetHead, FleetRecord},
	revocation::{MEMBERS_PER_CHUNK, RevocationChunk, chunk_of},
	tile::Commitment,
	tree::{MAX_PATH_LEN, TreeHash, is_included},
};
use crate::{
	Moment,
	device::DeviceRecord,
	ids::{DeviceId, FleetId, KeyId, OrganisationId},
	key::KeyRecord,
	revocation::{Revocation, RevocationReason},
	status::{Standing, Status, status},
	storage_keys,
};
use alloc::vec::Vec;
use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, DecodeAll, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;

/// The version of the encoding of proofs.
const VERSION: u8 = 1;

/// A leaf with its path. It is no secret and needs no protection: what it says is checked against the state.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct MembershipProof {
	/// The fleet.
	pub fleet: FleetId,
	/// The organisation of the fleet.
	pub organisation: OrganisationId,
	/// The place in the fleet.
	pub index: u32,
	/// What stands there.
	pub leaf: FleetLeaf,
	/// The hashes beside the way to the root, from the leaf up.
	pub path: BoundedVec<TreeHash, ConstU32<MAX_PATH_LEN>>,
}

/// Why a proof proves nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotAMember {
	/// The bytes are no proof of this version.
	Malformed,
	/// The leaf says something that no device can be.
	LeafMalformed,
	/// The chain knows no such fleet.
	FleetUnknown,
	/// The fleet is that of another organisation.
	OtherOrganisation,
	/// The path leads to the root of neither the current nor the previous head.
	OtherRoot,
}

impl fmt::Display for NotAMember {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(match self {
			NotAMember::Malformed => "the proof of membership is malformed: get it again",
			NotAMember::LeafMalformed => "the leaf says what no device can be: do not trust it",
			NotAMember::FleetUnknown => "the chain knows no such fleet: check its id",
			NotAMember::OtherOrganisation => "the fleet belongs to another organisation",
			NotAMember::OtherRoot => {
				"the proof is for no head of the fleet that counts: get a newer one"
			},
		})
	}
}

impl core::error::Error for NotAMember {}

impl MembershipProof {
	/// The proof as it travels: the version, and the fields in SCALE.
	pub fn to_bytes(&self) -> Vec<u8> {
		(VERSION, self).encode()
	}

	/// The proof that these bytes are. Nothing may follow it.
	pub fn from_bytes(bytes: &[u8]) -> Result<Self, NotAMember> {
		let (version, mut rest) = bytes.split_first().ok_or(NotAMember::Malformed)?;
		if *version != VERSION {
			return Err(NotAMember::Malformed);
		}
		Self::decode_all(&mut rest).map_err(|_| NotAMember::Malformed)
	}

	/// The device that the leaf is about.
	pub fn device(&self) -> DeviceId {
		self.leaf.device(self.organisation)
	}

	/// The id that the registry has, or would have, for the key of the leaf; `None` if the leaf is malformed.
	pub fn key(&self) -> Option<KeyId> {
		self.leaf.key_id(self.organisation)
	}

	/// Where the records lie on which the verdict depends: the fleet, the chunk of the bitmap, what is registered singly
	/// under the ids of the device and the key, and what ended the key elsewhere, as compromised or as that of an anchor.
	/// `None` if the leaf is malformed.
	pub fn storage_keys(&self) -> Option<[Vec<u8>; 6]> {
		let key = self.key()?;
		Some([
			storage_keys::fleet(self.fleet),
			storage_keys::revoked_members(self.fleet, chunk_of(self.index)),
			storage_keys::device(self.device()),
			storage_keys::key(key),
			storage_keys::compromised_key(key),
			storage_keys::revoked_anchor_key(key),
		])
	}

	/// Whether the leaf stands at its place under this commitment.
	pub fn is_under(&self, commitment: &Commitment) -> bool {
		is_included(self.index, commitment.size, &commitment.root, &self.leaf.hash(), &self.path)
	}

	/// Under which head of the fleet the leaf stands, and from when on that one is replaced.
	pub fn head(&self, fleet: &FleetRecord) -> Result<(FleetHead, Option<Moment>), NotAMember> {
		if !self.leaf.is_well_formed() {
			return Err(NotAMember::LeafMalformed);
		}
		if fleet.organisation != self.organisation {
			return Err(NotAMember::OtherOrganisation);
		}
		let current = fleet.current.map(|head| (head, None));
		let previous = fleet.previous.map(|it| (it.head, Some(it.superseded_at)));
		[current, previous]
			.into_iter()
			.flatten()
			.find(|(head, _)| self.is_under(&head.commitment))
			.ok_or(NotAMember::OtherRoot)
	}
}

/// The records at [`MembershipProof::storage_keys`]; `None` means that there is none, which has to be known, not
/// supposed.
#[derive(Clone, Copy, Debug, Default)]
pub struct MemberFacts<'a> {
	/// The fleet.
	pub fleet: Option<&'a FleetRecord>,
	/// What is revoked in the chunk of the member.
	pub chunk: Option<&'a RevocationChunk>,
	/// The device, if it is registered singly.
	pub device: Option<&'a DeviceRecord>,
	/// The key, if it is registered singly.
	pub key: Option<&'a KeyRecord>,
	/// Since when the key is known to be compromised.
	pub compromised: Option<Moment>,
	/// Whether the key was revoked as that of an anchor.
	pub is_anchor_key_revoked: bool,
}

/// The verdict about a member at chain time `now`, by the same rule as about a key that is registered singly.
///
/// Its own record is the leaf, with the revocation from the bitmap. It depends on the fleet as on an issuer, and on the
/// device, if that is registered singly too. If the key is, its record takes the place of the leaf; the bitmap counts all
/// the same. A key that is registered for another device is unknown here, and so is one that ended as that of an anchor: no
/// device can have it. A key that is compromised anywhere is compromised everywhere.
pub fn member_status(proof: &MembershipProof, facts: MemberFacts<'_>, now: Moment) -> Status {
	let Some(fleet) = facts.fleet else { return Status::Unknown };
	let Ok((head, superseded_at)) = proof.head(fleet) else { return Status::Unknown };
	let reason = RevocationReason::KeyCompromise;
	let revoked = facts
		.chunk
		.and_then(|chunk| chunk.of(proof.index % MEMBERS_PER_CHUNK))
		.or(facts.compromised.map(|at| Revocation { reason, at }));
	if facts.is_anchor_key_revoked && revoked.is_none() {
		return Status::Unknown;
	}
	let own = match facts.key {
		Some(key) if key.device != proof.device() => return Status::Unknown,
		Some(key) => {
			let single = key.standing();
			Standing { revocation: single.revocation.or(revoked), ..single }
		},
		None => Standing {
			validity: proof.leaf.validity,
			suspended: false,
			superseded_at,
			revocation: revoked,
		},
	};
	let fleet = fleet.standing(&head);
	match facts.device {
		Some(device) => status(Some(&own), &[Some(fleet), Some(device.standing())], now),
		None => status(Some(&own), &[Some(fleet)], now),
	}
}

#[cfg(test)]
mod tests;
