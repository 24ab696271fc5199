//! Calls about fleets.

use super::{Call, CallError, check_len, name};
use crate::api::{BoundedVec, tx};
use dpki_primitives::{
	Moment,
	fleet::{
		ChunkMask, Commitment, MAX_CHUNKS_PER_REVOCATION, MAX_CONSISTENCY_LEN, MAX_KEYS_PER_APPEND,
		MAX_TILE_LEN, RollEntry, RollTerms, TreeHash,
	},
	ids::{FleetId, OrganisationId, RevisionId},
	revocation::RevocationReason,
};
use subxt::utils::Static;

/// Proposes the first [commitment](crate::fleet::Importer::finish) of a fleet.
pub fn commit_fleet(
	organisation: OrganisationId,
	fleet: &str,
	commitment: Commitment,
) -> Result<impl Call + use<>, CallError> {
	Ok(tx().fleets().commit(Static(organisation), name(fleet)?, Static(commitment)))
}

/// Proposes a commitment that goes on where the current one ends, with the
/// [proof](crate::fleet::FleetTiles::prove_growth) of it.
pub fn append_fleet(
	fleet: FleetId,
	commitment: Commitment,
	grace: Moment,
	proof: &[TreeHash],
) -> Result<impl Call + use<>, CallError> {
	check_len("the proof of consistency", proof.len(), 0..=MAX_CONSISTENCY_LEN)?;
	let proof = BoundedVec(proof.to_vec());
	Ok(tx().fleets().append(Static(fleet), Static(commitment), grace, proof))
}

/// Proposes a commitment with other leaves.
pub fn rotate_fleet(fleet: FleetId, commitment: Commitment, grace: Moment) -> impl Call + use<> {
	tx().fleets().rotate(Static(fleet), Static(commitment), grace)
}

/// Takes a candidate back.
pub fn withdraw_commitment(fleet: FleetId) -> impl Call + use<> {
	tx().fleets().withdraw(Static(fleet))
}

/// Says whether the leaves are to be had of what was [looked at](crate::fleet::watch::Duty).
pub fn vote_availability(
	fleet: FleetId,
	revision: RevisionId,
	available: bool,
) -> impl Call + use<> {
	tx().fleets().vote(Static(fleet), Static(revision), available)
}

/// Revokes members for ever; see [`masks`](crate::fleet::masks).
pub fn revoke_members(
	fleet: FleetId,
	masks: Vec<ChunkMask>,
	reason: RevocationReason,
) -> Result<impl Call + use<>, CallError> {
	check_len("the list of chunks", masks.len(), 1..=MAX_CHUNKS_PER_REVOCATION)?;
	let masks = BoundedVec(masks.into_iter().map(Static).collect());
	Ok(tx().fleets().revoke_members(Static(fleet), masks, Static(reason)))
}

/// Revokes a fleet with all its members for ever.
pub fn revoke_fleet(fleet: FleetId, reason: RevocationReason) -> impl Call + use<> {
	tx().fleets().revoke_fleet(Static(fleet), Static(reason))
}

/// Retires a fleet: its members stay good, nothing new is committed.
pub fn retire_fleet(fleet: FleetId) -> impl Call + use<> {
	tx().fleets().retire_fleet(Static(fleet))
}

/// Stores a tile with the blobs of the chain.
pub fn publish_tile(
	organisation: OrganisationId,
	tile: &[u8],
) -> Result<impl Call + use<>, CallError> {
	check_len("the tile", tile.len(), 1..=MAX_TILE_LEN)?;
	Ok(tx().fleets().publish_tile(Static(organisation), BoundedVec(tile.to_vec())))
}

/// Begins a fleet whose keys stand on the chain.
pub fn open_roll(
	organisation: OrganisationId,
	fleet: &str,
	terms: RollTerms,
) -> Result<impl Call + use<>, CallError> {
	Ok(tx().fleets().open_roll(Static(organisation), name(fleet)?, Static(terms)))
}

/// Appends keys to a roll, from the place `from` on, with the [entries](crate::fleet::roll::sign_entry) that they have signed
/// until `expires_at`.
pub fn append_keys(
	fleet: FleetId,
	from: u32,
	grace: Moment,
	expires_at: Moment,
	entries: Vec<RollEntry>,
) -> Result<impl Call + use<>, CallError> {
	check_len("the list of keys", entries.len(), 1..=MAX_KEYS_PER_APPEND)?;
	let entries = BoundedVec(entries.into_iter().map(Static).collect());
	Ok(tx().fleets().append_keys(Static(fleet), from, grace, expires_at, entries))
}

#[cfg(test)]
mod tests {
	use super::{super::tests::assert_encodes, *};
	use dpki_primitives::{ids::BlobDigest, key::KeyPurpose, status::Validity};

	const ORGANISATION: OrganisationId = OrganisationId([4; 32]);
	const FLEET: FleetId = FleetId([5; 32]);
	const REASON: RevocationReason = RevocationReason::KeyCompromise;

	const ENTRY: RollEntry = RollEntry { key: [7; 32], possession: [8; 64] };

	fn commitment() -> Commitment {
		Commitment { size: 3, root: [1; 32], tiles: BlobDigest([2; 32]) }
	}

	#[test]
	fn calls_about_fleets_encode() {
		let commit = commit_fleet(ORGANISATION, "drones", commitment()).unwrap();
		assert_encodes(&commit, (25, 0), (ORGANISATION, b"drones".to_vec(), commitment()));
		let append = append_fleet(FLEET, commitment(), 7, &[[9; 32]]).unwrap();
		assert_encodes(&append, (25, 1), (FLEET, commitment(), 7u64, vec![[9u8; 32]]));
		assert_encodes(&rotate_fleet(FLEET, commitment(), 7), (25, 2), (FLEET, commitment(), 7u64));
		assert_encodes(&withdraw_commitment(FLEET), (25, 3), FLEET);
		let revision = RevisionId([6; 32]);
		let vote = vote_availability(FLEET, revision, true);
		assert_encodes(&vote, (25, 4), (FLEET, revision, true));
		let masks = vec![ChunkMask { chunk: 1, mask: vec![7].try_into().unwrap() }];
		let revoke = revoke_members(FLEET, masks.clone(), REASON).unwrap();
		assert_encodes(&revoke, (25, 5), (FLEET, masks, REASON));
		assert_encodes(&revoke_fleet(FLEET, REASON), (25, 6), (FLEET, REASON));
		assert_encodes(&retire_fleet(FLEET), (25, 7), FLEET);
		let publish = publish_tile(ORGANISATION, &[1, 2]).unwrap();
		assert_encodes(&publish, (25, 8), (ORGANISATION, vec![1u8, 2]));
		let validity = Validity { not_before: 1, not_after: Some(2) };
		let terms = RollTerms { purpose: KeyPurpose::Tls, validity };
		let open = open_roll(ORGANISATION, "drones", terms).unwrap();
		assert_encodes(&open, (25, 9), (ORGANISATION, b"drones".to_vec(), terms));
		let entries = vec![ENTRY; 2];
		let append = append_keys(FLEET, 3, 4, 5, entries.clone()).unwrap();
		assert_encodes(&append, (25, 10), (FLEET, 3u32, 4u64, 5u64, entries));
	}

	#[test]
	fn what_no_call_holds_is_refused() {
		assert!(commit_fleet(ORGANISATION, "No Name", commitment()).is_err());
		assert!(append_fleet(FLEET, commitment(), 7, &[[9; 32]; 26]).is_err());
		assert!(revoke_members(FLEET, vec![], REASON).is_err());
		assert!(publish_tile(ORGANISATION, &[]).is_err());
		assert!(append_keys(FLEET, 0, 0, 0, vec![]).is_err());
		let many = vec![ENTRY; MAX_KEYS_PER_APPEND as usize + 1];
		assert!(append_keys(FLEET, 0, 0, 0, many).is_err());
		assert!(publish_tile(ORGANISATION, &[0; MAX_TILE_LEN as usize + 1]).is_err());
	}
}
