//! States of chains whose devices are members of fleets.
//!
//! Each fleet has its record, and for every 4,096 members a chunk in which somebody is revoked, which is the most that there
//! can be. Beside them stand [`SINGLES`] devices that are registered by themselves, since a chain has those too, and the
//! verdict about a member needs the proof that it is none of them. All of that is built as a whole. Only the leaves are
//! not: a root tells nothing of the tree below it, so the hashes on the way to a member are drawn.

use crate::state::{
	Entry, Random, Registry, Sample, TIME, device_name, prefix, public_key, singles,
};
use codec::Encode;
use dpki_primitives::{
	fleet::{
		Commitment, FleetHead, FleetKey, FleetLeaf, FleetRecord, MAX_FLEET_SIZE, MEMBERS_PER_CHUNK,
		MembershipProof, RevocationChunk,
		revocation::MASK_LEN,
		tree::{path_ranges, root_from_path},
	},
	ids::{BlobDigest, FleetId, OrganisationId},
	key::{KeyPurpose, KeyType},
	revocation::{Revocation, RevocationReason},
	status::Validity,
	storage_keys,
};

/// Devices that are registered by themselves.
pub const SINGLES: u32 = 1_000;

impl Registry {
	/// A state with so many members in as few fleets as can hold them; one member of each fleet can be asked for. `seed`
	/// draws which.
	pub fn fleets(members: u64, seed: u64) -> Self {
		let mut random = Random(seed);
		let count = members.div_ceil(MAX_FLEET_SIZE.into());
		let size = u32::try_from(members.div_ceil(count)).expect("a fleet is bounded");
		let fleets: Vec<_> = (0..count).map(|number| fleet(number, size, &mut random)).collect();

		let mut records: Vec<Entry> = fleets
			.iter()
			.map(|(proof, record)| (storage_keys::fleet(proof.fleet), record.encode()))
			.collect();
		records.sort_unstable();
		let chunks = size.div_ceil(MEMBERS_PER_CHUNK);
		let mut places: Vec<_> = fleets
			.iter()
			.flat_map(|(proof, _)| {
				(0..chunks).map(|chunk| storage_keys::revoked_members(proof.fleet, chunk))
			})
			.collect();
		places.sort_unstable();
		let chunk = chunk().encode();
		let large: [(Vec<u8>, Box<dyn Iterator<Item = Entry>>); 2] = [
			(prefix(storage_keys::fleet(FleetId([0; 32]))), Box::new(records.into_iter())),
			(
				prefix(storage_keys::revoked_members(FleetId([0; 32]), 0)),
				Box::new(places.into_iter().map(move |place| (place, chunk.clone()))),
			),
		];
		let samples = fleets.into_iter().map(|(proof, _)| Sample::Member(Box::new(proof)));
		Self::merged(singles(SINGLES), large.into(), samples.collect())
	}
}

/// A fleet, and the proof of one of its members, who is not revoked.
fn fleet(number: u64, size: u32, random: &mut Random) -> (MembershipProof, FleetRecord) {
	let organisation = OrganisationId::from_name(format!("fleet-owner-{number}").as_bytes());
	// The first of each chunk is revoked.
	let index = (random.next() % u64::from(size)) as u32 | 1;
	let index = index.min(size - 1);
	let leaf = FleetLeaf {
		name: device_name(index).into_bytes().try_into().expect("the name is short"),
		purpose: KeyPurpose::Sign,
		// No key of those that are registered singly.
		key: FleetKey::new(KeyType::Ed25519, &public_key(u32::MAX - index).bytes)
			.expect("an Ed25519 key has 32 bytes"),
		validity: Validity { not_before: TIME - 1_000_000, not_after: None },
	};
	let steps = path_ranges(index, size).expect("the place is in the fleet").len();
	let path: Vec<_> = (0..steps).map(|_| random.hash()).collect();
	let root = root_from_path(index, size, &leaf.hash(), &path).expect("the path is as long");
	let name = b"drones".as_slice();
	let record = FleetRecord {
		organisation,
		name: name.to_vec().try_into().expect("the name is short"),
		committed_at: 1,
		revisions: 1,
		current: Some(FleetHead {
			revision: 0,
			commitment: Commitment { size, root, tiles: BlobDigest(random.hash()) },
			since: 1,
			unavailable: false,
		}),
		previous: None,
		candidate: None,
		retired_at: None,
		revocation: None,
	};
	let fleet = FleetId::from_name(organisation, name);
	let path = path.try_into().expect("a path is bounded");
	(MembershipProof { fleet, organisation, index, leaf, path }, record)
}

/// A chunk of which the first is revoked.
fn chunk() -> RevocationChunk {
	let mut mask = [0; MASK_LEN];
	mask[0] = 1;
	let mut chunk = RevocationChunk::default();
	chunk.revoke(&mask, Revocation { reason: RevocationReason::KeyCompromise, at: TIME - 500 });
	chunk
}
