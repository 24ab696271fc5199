//! Members of fleets: under the same bundle as everything else, with the path beside it.

use crate::kit::*;
use codec::Encode;
use dpki_primitives::{
	fleet::{
		Commitment, FleetHead, FleetKey, FleetLeaf, FleetRecord, MembershipProof, RevocationChunk,
		tree::{path_ranges, root_of},
	},
	ids::{BlobDigest, DeviceId, FleetId, OrganisationId},
	key::{KeyPurpose, KeyRecord, KeyType},
	revocation::{Revocation, RevocationReason},
	status::{Status, Validity},
	storage_keys,
};
use dpki_verifier::{Error, Freshness, Query};
use sp_core::storage::StateVersion;
use std::collections::BTreeMap;

const SIZE: u32 = 1_000;

fn acme() -> OrganisationId {
	OrganisationId::from_name(b"acme")
}

fn drones() -> FleetId {
	FleetId::from_name(acme(), b"drones")
}

fn leaf(index: u32) -> FleetLeaf {
	let mut key = [7; 32];
	key[..4].copy_from_slice(&index.to_be_bytes());
	FleetLeaf {
		name: format!("member-{index}").into_bytes().try_into().unwrap(),
		purpose: KeyPurpose::Tls,
		key: FleetKey::new(KeyType::Ed25519, &key).unwrap(),
		validity: Validity { not_before: 1, not_after: None },
	}
}

fn prove(index: u32) -> MembershipProof {
	let hashes: Vec<_> = (0..SIZE).map(|index| leaf(index).hash()).collect();
	let root =
		|range: std::ops::Range<u32>| root_of(&hashes[range.start as usize..range.end as usize]);
	let path: Vec<_> = path_ranges(index, SIZE).unwrap().into_iter().map(root).collect();
	MembershipProof {
		fleet: drones(),
		organisation: acme(),
		index,
		leaf: leaf(index),
		path: path.try_into().unwrap(),
	}
}

fn fleet() -> FleetRecord {
	let hashes: Vec<_> = (0..SIZE).map(|index| leaf(index).hash()).collect();
	let commitment = Commitment { size: SIZE, root: root_of(&hashes), tiles: BlobDigest([1; 32]) };
	FleetRecord {
		organisation: acme(),
		name: b"drones".to_vec().try_into().unwrap(),
		committed_at: 1,
		revisions: 1,
		current: Some(FleetHead { revision: 0, commitment, since: 1, unavailable: false }),
		previous: None,
		candidate: None,
		retired_at: None,
		revocation: None,
	}
}

/// A state with the fleet, of which members 3 and 700 are revoked.
fn entries() -> BTreeMap<Vec<u8>, Vec<u8>> {
	let mut mask = [0; 512];
	(mask[0], mask[87]) = (1 << 3, 1 << 4);
	let mut chunk = RevocationChunk::default();
	assert_eq!(chunk.revoke(&mask, revocation()), 2);
	let mut entries = registry(50);
	entries.insert(storage_keys::fleet(drones()), fleet().encode());
	entries.insert(storage_keys::revoked_members(drones(), 0), chunk.encode());
	entries
}

fn judge(entries: BTreeMap<Vec<u8>, Vec<u8>>, proof: &MembershipProof) -> Status {
	let world = World::with(4, entries, StateVersion::V1);
	let query = Query::new().member(proof);
	let bundle = world.answer(&query).encode();
	let mut verifier = world.verifier();
	let verified = verifier.verify(&bundle, &query, Freshness::without_clock()).unwrap();
	verified.member_status(proof).unwrap()
}

#[test]
fn a_member_is_proven_and_a_revoked_one_is_refused() {
	assert_eq!(judge(entries(), &prove(7)), Status::Valid);
	for index in [3, 700] {
		assert_eq!(judge(entries(), &prove(index)), Status::Revoked(revocation()));
	}
}

#[test]
fn where_nobody_is_revoked_the_chunk_is_proven_absent() {
	let mut entries = entries();
	entries.remove(&storage_keys::revoked_members(drones(), 0));
	assert_eq!(judge(entries, &prove(3)), Status::Valid);
}

#[test]
fn who_is_no_member_is_unknown() {
	let other_key = MembershipProof { leaf: leaf(8), ..prove(7) };
	let other_place = MembershipProof { index: 8, ..prove(7) };
	let beyond = MembershipProof { index: SIZE, ..prove(7) };
	let of_another = MembershipProof { organisation: OrganisationId([9; 32]), ..prove(7) };
	let elsewhere = MembershipProof { fleet: FleetId([9; 32]), ..prove(7) };
	for forged in [other_key, other_place, beyond, of_another, elsewhere] {
		assert_eq!(judge(entries(), &forged), Status::Unknown, "{forged:?}");
	}
}

#[test]
fn a_leaf_that_no_device_can_have_is_unknown_without_a_question() {
	let mut forged = prove(7);
	forged.leaf.key.bytes.truncate(31);
	assert_eq!(Query::new().member(&forged), Query::new());
	assert_eq!(judge(entries(), &forged), Status::Unknown);
}

#[test]
fn a_key_of_another_device_is_no_member() {
	let proof = prove(7);
	let record = KeyRecord {
		device: DeviceId([5; 32]),
		purpose: KeyPurpose::Tls,
		public: proof.leaf.key.public().unwrap(),
		validity: Validity { not_before: 1, not_after: None },
		registered_at: 1,
		superseded_at: None,
		withdrawal: Default::default(),
	};
	let mut entries = entries();
	entries.insert(storage_keys::key(proof.key().unwrap()), record.encode());
	assert_eq!(judge(entries, &proof), Status::Unknown);
}

#[test]
fn a_key_that_ended_elsewhere_is_no_valid_member() {
	let (proof, key) = (prove(7), prove(7).key().unwrap());
	let reason = RevocationReason::KeyCompromise;
	let with = |place: Vec<u8>, value: Vec<u8>| {
		let mut entries = entries();
		entries.insert(place, value);
		judge(entries, &proof)
	};
	let leaked = with(storage_keys::compromised_key(key), 40u64.encode());
	assert_eq!(leaked, Status::Revoked(Revocation { reason, at: 40 }));
	assert_eq!(with(storage_keys::revoked_anchor_key(key), ().encode()), Status::Unknown);
}

#[test]
fn everything_that_the_verdict_depends_on_has_to_be_asked_for() {
	let proof = prove(7);
	let world = World::with(4, entries(), StateVersion::V1);
	for left_out in proof.storage_keys().unwrap() {
		let keys = proof.storage_keys().unwrap();
		let asked = keys.into_iter().filter(|key| *key != left_out);
		let query = asked.fold(Query::new(), Query::storage_key);
		let bundle = world.answer(&query).encode();
		let mut verifier = world.verifier();
		let verified = verifier.verify(&bundle, &query, Freshness::without_clock()).unwrap();
		assert_eq!(verified.member_status(&proof), Err(Error::NotAsked));
	}
}
