//! Proofs of membership: what is believed, and a million that are not.

use super::*;
use crate::{
	fleet::{
		Candidate, Change, FleetKey, SupersededHead,
		tree::{path_ranges, root_of},
	},
	ids::BlobDigest,
	key::{KeyPurpose, KeyType},
	revocation::{Revocation, RevocationReason},
	status::Validity,
};
use alloc::{format, vec};

const NOW: Moment = 1_000;
const SIZE: u32 = 1_000;
const REVOKED: Revocation = Revocation { reason: RevocationReason::KeyCompromise, at: 900 };

fn acme() -> OrganisationId {
	OrganisationId::from_name(b"acme")
}

fn leaf(index: u32) -> FleetLeaf {
	let mut key = [7; 32];
	key[..4].copy_from_slice(&index.to_be_bytes());
	FleetLeaf {
		name: format!("drone-{index}").into_bytes().try_into().unwrap(),
		purpose: KeyPurpose::Sign,
		key: FleetKey::new(KeyType::Ed25519, &key).unwrap(),
		validity: Validity { not_before: 10, not_after: Some(5_000) },
	}
}

struct Tree(Vec<TreeHash>);

impl Tree {
	fn new(size: u32) -> Self {
		Self((0..size).map(|index| leaf(index).hash()).collect())
	}

	fn commitment(&self) -> Commitment {
		let size = self.0.len() as u32;
		Commitment { size, root: root_of(&self.0), tiles: BlobDigest([9; 32]) }
	}

	fn prove(&self, index: u32) -> MembershipProof {
		let ranges = path_ranges(index, self.0.len() as u32).unwrap();
		let root = |range: core::ops::Range<u32>| {
			root_of(&self.0[range.start as usize..range.end as usize])
		};
		MembershipProof {
			fleet: FleetId::from_name(acme(), b"drones"),
			organisation: acme(),
			index,
			leaf: leaf(index),
			path: ranges.into_iter().map(root).collect::<Vec<_>>().try_into().unwrap(),
		}
	}
}

fn head(commitment: Commitment) -> FleetHead {
	FleetHead { revision: 0, commitment, since: 100, unavailable: false }
}

fn fleet(commitment: Commitment) -> FleetRecord {
	FleetRecord {
		organisation: acme(),
		name: b"drones".to_vec().try_into().unwrap(),
		committed_at: 100,
		revisions: 1,
		current: Some(head(commitment)),
		previous: None,
		candidate: None,
		retired_at: None,
		revocation: None,
	}
}

fn chunk(place: u32) -> RevocationChunk {
	let mut mask = vec![0; place as usize / 8 + 1];
	mask[place as usize / 8] = 1 << (place % 8);
	let mut chunk = RevocationChunk::default();
	chunk.revoke(&mask, REVOKED);
	chunk
}

fn verdict(proof: &MembershipProof, fleet: &FleetRecord) -> Status {
	member_status(proof, MemberFacts { fleet: Some(fleet), ..Default::default() }, NOW)
}

#[test]
fn a_member_is_valid_as_long_as_its_leaf_says() {
	let tree = Tree::new(SIZE);
	let (fleet, proof) = (fleet(tree.commitment()), tree.prove(700));
	let at =
		|now| member_status(&proof, MemberFacts { fleet: Some(&fleet), ..Default::default() }, now);
	// The fleet counts from 100 on, the leaf from 10 to 5,000.
	assert_eq!(at(99), Status::NotYetValid);
	assert_eq!(at(100), Status::Valid);
	assert_eq!(at(5_000), Status::Valid);
	assert_eq!(at(5_001), Status::Expired);
}

#[test]
fn who_is_in_no_fleet_is_unknown() {
	let tree = Tree::new(SIZE);
	let (fleet, proof) = (fleet(tree.commitment()), tree.prove(700));
	assert_eq!(member_status(&proof, MemberFacts::default(), NOW), Status::Unknown);
	let stranger = MembershipProof { leaf: leaf(701), ..proof.clone() };
	assert_eq!(verdict(&stranger, &fleet), Status::Unknown);
	assert_eq!(stranger.head(&fleet), Err(NotAMember::OtherRoot));
	let organisation = OrganisationId::from_name(b"evil");
	let misplaced = MembershipProof { organisation, ..proof.clone() };
	assert_eq!(misplaced.head(&fleet), Err(NotAMember::OtherOrganisation));
	assert_eq!(verdict(&misplaced, &fleet), Status::Unknown);
	let empty = FleetRecord { current: None, ..fleet };
	assert_eq!(verdict(&proof, &empty), Status::Unknown);
}

#[test]
fn a_leaf_that_cannot_be_is_unknown_though_it_is_in_the_tree() {
	let mut leaf = leaf(0);
	leaf.name = b"Drone 0".to_vec().try_into().unwrap();
	let root = leaf.hash();
	let proof = MembershipProof { leaf, path: Default::default(), ..Tree::new(1).prove(0) };
	let fleet = fleet(Commitment { size: 1, root, tiles: BlobDigest([0; 32]) });
	assert!(proof.is_under(&fleet.current.unwrap().commitment));
	assert_eq!(proof.head(&fleet), Err(NotAMember::LeafMalformed));
	assert_eq!(verdict(&proof, &fleet), Status::Unknown);
}

#[test]
fn a_candidate_proves_nothing() {
	let tree = Tree::new(SIZE);
	let candidate = Candidate {
		revision: 0,
		commitment: tree.commitment(),
		change: Change::Commit,
		proposed_at: 100,
		grace: 0,
		unavailable: false,
	};
	let mut fleet =
		FleetRecord { current: None, candidate: Some(candidate), ..fleet(tree.commitment()) };
	assert_eq!(verdict(&tree.prove(5), &fleet), Status::Unknown);
	fleet.promote(100);
	assert_eq!(fleet.candidate, None);
	assert_eq!(verdict(&tree.prove(5), &fleet), Status::Valid);
}

#[test]
fn a_proof_under_the_previous_head_is_good_until_its_grace_is_over() {
	let (before, after) = (Tree::new(SIZE), Tree::new(SIZE + 1));
	let superseded = |superseded_at| FleetRecord {
		previous: Some(SupersededHead { head: head(before.commitment()), superseded_at }),
		..fleet(after.commitment())
	};
	let proof = before.prove(3);
	assert_eq!(verdict(&proof, &superseded(NOW + 1)), Status::Valid);
	assert_eq!(verdict(&proof, &superseded(NOW)), Status::Superseded);
	assert_eq!(verdict(&after.prove(3), &superseded(NOW)), Status::Valid);
	assert_eq!(verdict(&proof, &fleet(after.commitment())), Status::Unknown);
}

#[test]
fn a_revoked_member_is_revoked_and_its_neighbours_are_not() {
	let tree = Tree::new(SIZE);
	let (fleet, chunk) = (fleet(tree.commitment()), chunk(700));
	let facts = MemberFacts { fleet: Some(&fleet), chunk: Some(&chunk), ..Default::default() };
	assert_eq!(member_status(&tree.prove(700), facts, NOW), Status::Revoked(REVOKED));
	for neighbour in [0, 699, 701, 999] {
		assert_eq!(member_status(&tree.prove(neighbour), facts, NOW), Status::Valid);
	}
}

#[test]
fn members_fall_with_their_fleet_and_wait_while_its_leaves_are_not_to_be_had() {
	let tree = Tree::new(SIZE);
	let proof = tree.prove(1);
	let revoked = FleetRecord { revocation: Some(REVOKED), ..fleet(tree.commitment()) };
	assert_eq!(verdict(&proof, &revoked), Status::IssuerRevoked(REVOKED));
	let held = FleetHead { unavailable: true, ..head(tree.commitment()) };
	let held = FleetRecord { current: Some(held), ..fleet(tree.commitment()) };
	assert_eq!(verdict(&proof, &held), Status::Suspended);
	let retired = FleetRecord { retired_at: Some(500), ..fleet(tree.commitment()) };
	assert_eq!(verdict(&proof, &retired), Status::Valid);
}

fn device(revocation: Option<Revocation>) -> DeviceRecord {
	DeviceRecord {
		organisation: acme(),
		name: b"drone-1".to_vec().try_into().unwrap(),
		enrolled_at: 50,
		keys_registered: 1,
		withdrawal: revocation.into(),
	}
}

#[test]
fn what_is_registered_singly_wins() {
	let tree = Tree::new(SIZE);
	let (fleet, proof) = (fleet(tree.commitment()), tree.prove(1));
	let key = |device, revocation: Option<Revocation>| KeyRecord {
		device,
		purpose: KeyPurpose::Sign,
		public: proof.leaf.key.public().unwrap(),
		validity: Validity { not_before: 0, not_after: Some(2_000) },
		registered_at: 0,
		superseded_at: None,
		withdrawal: revocation.into(),
	};
	let with = |device: Option<DeviceRecord>, key: Option<KeyRecord>, chunk, now| {
		let facts = MemberFacts {
			fleet: Some(&fleet),
			chunk,
			device: device.as_ref(),
			key: key.as_ref(),
			..Default::default()
		};
		member_status(&proof, facts, now)
	};
	let own = proof.device();
	// A device that was revoked singly does not live on in a fleet.
	assert_eq!(with(Some(device(Some(REVOKED))), None, None, NOW), Status::IssuerRevoked(REVOKED));
	assert_eq!(with(Some(device(None)), None, None, NOW), Status::Valid);
	// The key of another device is no key of this one.
	let other = DeviceId([1; 32]);
	assert_eq!(with(None, Some(key(other, None)), None, NOW), Status::Unknown);
	// The record of the key counts, not the leaf; the bitmap counts all the same.
	let registered = || Some(device(None));
	assert_eq!(with(registered(), Some(key(own, None)), None, NOW), Status::Valid);
	assert_eq!(with(registered(), Some(key(own, None)), None, 2_001), Status::Expired);
	let revoked = Some(key(own, Some(REVOKED)));
	assert_eq!(with(registered(), revoked, None, NOW), Status::Revoked(REVOKED));
	let chunk = chunk(1);
	assert_eq!(
		with(registered(), Some(key(own, None)), Some(&chunk), NOW),
		Status::Revoked(REVOKED)
	);
}

#[test]
fn a_proof_names_what_it_depends_on() {
	let proof = Tree::new(SIZE).prove(700);
	let [fleet, chunk, device, key, compromised, anchor] = proof.storage_keys().unwrap();
	assert_eq!(fleet, storage_keys::fleet(FleetId::from_name(acme(), b"drones")));
	assert_eq!(chunk, storage_keys::revoked_members(proof.fleet, 0));
	assert_eq!(device, storage_keys::device(DeviceId::from_name(acme(), b"drone-700")));
	let id = KeyId::of(&leaf(700).key.public().unwrap());
	assert_eq!(key, storage_keys::key(id));
	assert_eq!(compromised, storage_keys::compromised_key(id));
	assert_eq!(anchor, storage_keys::revoked_anchor_key(id));
}

#[test]
fn a_key_that_ended_elsewhere_is_no_valid_member() {
	let tree = Tree::new(SIZE);
	let (fleet, proof) = (fleet(tree.commitment()), tree.prove(1));
	let plain = MemberFacts { fleet: Some(&fleet), ..Default::default() };
	let at = |facts| member_status(&proof, facts, NOW);
	let leaked = Revocation { reason: RevocationReason::KeyCompromise, at: 300 };
	let compromised = MemberFacts { compromised: Some(300), ..plain };
	assert_eq!(at(compromised), Status::Revoked(leaked));
	let chunk = chunk(1);
	assert_eq!(at(MemberFacts { chunk: Some(&chunk), ..compromised }), Status::Revoked(REVOKED));
	let of_an_anchor = MemberFacts { is_anchor_key_revoked: true, ..plain };
	assert_eq!(at(of_an_anchor), Status::Unknown);
	// What leaked as the key of an anchor is known as both.
	assert_eq!(at(MemberFacts { compromised: Some(300), ..of_an_anchor }), Status::Revoked(leaked));
	// Also if it is registered singly.
	let single = KeyRecord {
		device: proof.device(),
		purpose: KeyPurpose::Sign,
		public: proof.leaf.key.public().unwrap(),
		validity: Validity { not_before: 0, not_after: None },
		registered_at: 0,
		superseded_at: None,
		withdrawal: Default::default(),
	};
	assert_eq!(at(MemberFacts { key: Some(&single), ..compromised }), Status::Revoked(leaked));
}

#[test]
fn a_proof_round_trips_and_says_nothing_else() {
	let proof = Tree::new(SIZE).prove(700);
	let bytes = proof.to_bytes();
	assert_eq!(MembershipProof::from_bytes(&bytes), Ok(proof));
	for end in 0..bytes.len() {
		assert_eq!(MembershipProof::from_bytes(&bytes[..end]), Err(NotAMember::Malformed));
	}
	let longer = [&bytes[..], &[0]].concat();
	assert_eq!(MembershipProof::from_bytes(&longer), Err(NotAMember::Malformed));
	let newer = [&[2], &bytes[1..]].concat();
	assert_eq!(MembershipProof::from_bytes(&newer), Err(NotAMember::Malformed));
}

/// Numbers that look random and are the same in every run (xorshift64*).
struct Numbers(u64);

impl Numbers {
	fn below(&mut self, end: usize) -> usize {
		self.0 ^= self.0 >> 12;
		self.0 ^= self.0 << 25;
		self.0 ^= self.0 >> 27;
		(self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % end
	}
}

/// Changes a proof into another one, in a way that somebody could try.
fn mutate(proof: &mut MembershipProof, tree: &Tree, numbers: &mut Numbers) {
	let path = &mut proof.path;
	let place = numbers.below(path.len());
	match numbers.below(10) {
		0 => path[place][numbers.below(32)] ^= 1 << numbers.below(8),
		1 => _ = path.remove(place),
		2 => {
			let hash = path[place];
			let _ = path.try_insert(numbers.below(place + 1), hash);
		},
		3 => path[place] = tree.0[numbers.below(tree.0.len())],
		4 => {
			let other = numbers.below(path.len());
			let (one, two) = (path[place], path[other]);
			(path[place], path[other]) = (two, one);
		},
		5 => proof.index = numbers.below(3 * SIZE as usize) as u32,
		6 => proof.index ^= 1 << numbers.below(32),
		7 => proof.leaf = leaf(numbers.below(2 * SIZE as usize) as u32),
		8 => proof.leaf.key.bytes[numbers.below(32)] ^= 1 << numbers.below(8),
		_ => proof.leaf.validity.not_after = Some(numbers.below(1 << 30) as u64 + 10),
	}
}

#[test]
fn of_a_million_mutated_proofs_none_is_believed() {
	let tree = Tree::new(SIZE);
	let fleet = fleet(tree.commitment());
	let proofs: Vec<_> = (0..SIZE).map(|index| tree.prove(index)).collect();
	let mut numbers = Numbers(0x5eed);
	let mut refused = 0;
	while refused < 1_000_000 {
		let honest = &proofs[numbers.below(SIZE as usize)];
		let mut proof = honest.clone();
		(0..=numbers.below(3)).for_each(|_| mutate(&mut proof, &tree, &mut numbers));
		// What was changed back is no mutation, and neither is the honest proof of another member.
		if proofs.get(proof.index as usize) == Some(&proof) {
			continue;
		}
		assert_eq!(verdict(&proof, &fleet), Status::Unknown, "{proof:?}");
		refused += 1;
	}
}

#[test]
fn bytes_that_were_changed_are_believed_as_little() {
	let tree = Tree::new(SIZE);
	let fleet = fleet(tree.commitment());
	for index in [0, 1, 511, 512, 998, 999] {
		let honest = tree.prove(index).to_bytes();
		for place in 0..honest.len() {
			for bit in 0..8 {
				let mut bytes = honest.clone();
				bytes[place] ^= 1 << bit;
				let Ok(proof) = MembershipProof::from_bytes(&bytes) else { continue };
				// The id of the fleet says where the record is looked for: there is none elsewhere.
				if proof.fleet != FleetId::from_name(acme(), b"drones") {
					continue;
				}
				assert_eq!(verdict(&proof, &fleet), Status::Unknown, "bit {bit} of {place}");
			}
		}
	}
}
