//! Benchmarks: every call at its longest path and with its largest arguments.

use crate::{
	Call, ChunkMasks, Config, ConsistencyProof, Event, Fleets, Pallet, RevokedMembers, TileBytes,
	Votes,
};
use alloc::{vec, vec::Vec};
use dpki_primitives::{
	device::MAX_GRACE,
	economy::Economy,
	fleet::{
		AvailabilityVoters, ChunkMask, Commitment, MAX_BATCHES_PER_CHUNK,
		MAX_CHUNKS_PER_REVOCATION, MAX_FLEET_SIZE, MAX_TILE_LEN,
		revocation::MASK_LEN,
		tree::{TreeHash, consistency_ranges, leaf_hash, node_hash, root_of},
	},
	ids::{BlobDigest, FleetId, Name, OrganisationId, RevisionId},
	organisation::Organisations,
	revocation::RevocationReason,
};
use frame_benchmarking::v2::*;
use frame_support::traits::Get;
use frame_system::{Pallet as System, RawOrigin};

/// A registrar with a fleet.
struct Scene<T: Config> {
	registrar: T::AccountId,
	organisation: OrganisationId,
	fleet: FleetId,
}

fn name() -> Name {
	Name::truncate_from(b"drones".to_vec())
}

fn voters<T: Config>(count: u32) -> Vec<T::AccountId> {
	(0..count).map(|index| account("voter", index, 0)).collect()
}

fn commitment(size: u32, root: TreeHash) -> Commitment {
	Commitment { size, root, tiles: BlobDigest([1; 32]) }
}

fn scene<T: Config>() -> Scene<T> {
	let registrar: T::AccountId = whitelisted_caller();
	let organisation = T::Organisations::create_for_benchmark(b"acme", &registrar);
	T::Economy::endow_for_benchmark(&registrar);
	let fleet = FleetId::from_name(organisation, &name());
	System::<T>::set_block_number(1u32.into());
	System::<T>::set_extrinsic_index(0);
	Scene { registrar, organisation, fleet }
}

impl<T: Config> Scene<T> {
	fn origin(&self) -> RawOrigin<T::AccountId> {
		RawOrigin::Signed(self.registrar.clone())
	}

	/// Commits the fleet; it counts with the vote of the one voter.
	fn committed(self, commitment: Commitment) -> Self {
		let Self { organisation, fleet, .. } = self;
		Pallet::<T>::commit(self.origin().into(), organisation, name(), commitment)
			.expect("a registrar commits a fleet");
		let voters = voters::<T>(1);
		T::Voters::set_for_benchmark(voters.clone());
		let revision = self.candidate();
		Pallet::<T>::vote(RawOrigin::Signed(voters[0].clone()).into(), fleet, revision, true)
			.expect("a voter votes");
		self
	}

	/// What a vote on the candidate names.
	fn candidate(&self) -> RevisionId {
		let fleet = Fleets::<T>::get(self.fleet);
		fleet.and_then(|it| it.candidate_id()).expect("there is a candidate")
	}

	/// Has a further candidate.
	fn with_candidate(self) -> Self {
		let next = commitment(MAX_FLEET_SIZE, [9; 32]);
		Pallet::<T>::rotate(self.origin().into(), self.fleet, next, MAX_GRACE)
			.expect("a registrar rotates a fleet");
		self
	}
}

/// Two commitments of the largest sizes with the longest proof between them. The hashes of the proof are made up, and the
/// roots are those to which they lead.
fn growth() -> (Commitment, Commitment, ConsistencyProof) {
	let (first, second) = (MAX_FLEET_SIZE - 1, MAX_FLEET_SIZE);
	let ranges = consistency_ranges(first, second).expect("the second tree is larger");
	let hashes: Vec<_> = (0..ranges.len()).map(|at| leaf_hash(&[at as u8])).collect();
	// From the bottom up: the range that the first tree ends with, and for each further one whether it is at the left.
	let (mut old, mut new) = (hashes[0], hashes[0]);
	for (range, hash) in ranges.iter().zip(&hashes).skip(1) {
		if range.end <= first {
			old = node_hash(hash, &old);
			new = node_hash(hash, &new);
		} else {
			new = node_hash(&new, hash);
		}
	}
	let proof = ConsistencyProof::truncate_from(hashes);
	(commitment(first, old), commitment(second, new), proof)
}

fn masks(count: u32, bits: u8) -> ChunkMasks {
	let mask =
		|chunk| ChunkMask { chunk, mask: vec![bits; MASK_LEN].try_into().unwrap_or_default() };
	ChunkMasks::truncate_from((0..count as u16).map(mask).collect())
}

#[benchmarks]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn commit() {
		let scene = scene::<T>();
		let one = commitment(1, root_of(&[]));
		Pallet::<T>::commit(scene.origin().into(), scene.organisation, name(), one)
			.expect("a registrar commits a fleet");
		let other = Name::truncate_from(vec![b'a'; 63]);
		let fleet = FleetId::from_name(scene.organisation, &other);

		#[extrinsic_call]
		_(scene.origin(), scene.organisation, other, commitment(MAX_FLEET_SIZE, [1; 32]));

		assert!(Fleets::<T>::contains_key(fleet));
	}

	#[benchmark]
	fn append() {
		let (first, second, proof) = growth();
		let scene = scene::<T>().committed(first).with_candidate();

		#[extrinsic_call]
		_(scene.origin(), scene.fleet, second, MAX_GRACE, proof);

		assert_eq!(Fleets::<T>::get(scene.fleet).map(|it| it.revisions), Some(3));
	}

	#[benchmark]
	fn rotate() {
		let scene = scene::<T>().committed(commitment(9, [1; 32])).with_candidate();

		#[extrinsic_call]
		_(scene.origin(), scene.fleet, commitment(9, [2; 32]), MAX_GRACE);

		assert_eq!(Fleets::<T>::get(scene.fleet).map(|it| it.revisions), Some(3));
	}

	#[benchmark]
	fn withdraw() {
		let scene = scene::<T>().committed(commitment(9, [1; 32])).with_candidate();

		#[extrinsic_call]
		_(scene.origin(), scene.fleet);

		assert!(Fleets::<T>::get(scene.fleet).is_some_and(|it| it.candidate.is_none()));
	}

	/// The vote that decides, of as many voters as there can be.
	#[benchmark]
	fn vote() {
		let scene = scene::<T>().committed(commitment(9, [1; 32])).with_candidate();
		let voters = voters::<T>(T::MaxVoters::get());
		T::Voters::set_for_benchmark(voters.clone());
		let revision = scene.candidate();
		let deciding = dpki_primitives::fleet::availability::needed(voters.len()) - 1;
		for voter in &voters[..deciding] {
			let origin = RawOrigin::Signed(voter.clone());
			Pallet::<T>::vote(origin.into(), scene.fleet, revision, true).expect("a voter votes");
		}

		#[extrinsic_call]
		_(RawOrigin::Signed(voters[deciding].clone()), scene.fleet, revision, true);

		assert_eq!(
			Fleets::<T>::get(scene.fleet).and_then(|it| it.current).map(|it| it.revision),
			Some(1)
		);
		assert!(!Votes::<T>::contains_key(scene.fleet, 0));
	}

	/// Every chunk holds as many batches as it can, of which two become one.
	#[benchmark]
	fn revoke_members(c: Linear<1, MAX_CHUNKS_PER_REVOCATION>) {
		let scene = scene::<T>().committed(commitment(MAX_FLEET_SIZE, [1; 32]));
		for bit in 0..MAX_BATCHES_PER_CHUNK {
			Pallet::<T>::revoke_members(
				scene.origin().into(),
				scene.fleet,
				masks(c, 1 << bit),
				RevocationReason::Superseded,
			)
			.expect("a registrar revokes members");
		}

		#[extrinsic_call]
		_(scene.origin(), scene.fleet, masks(c, 0xff), RevocationReason::KeyCompromise);

		assert_eq!(
			RevokedMembers::<T>::get(scene.fleet, c - 1).map(|it| it.count()),
			Some(MASK_LEN as u32 * 8)
		);
	}

	#[benchmark]
	fn revoke_fleet() {
		let scene = scene::<T>().committed(commitment(9, [1; 32])).with_candidate();

		#[extrinsic_call]
		_(scene.origin(), scene.fleet, RevocationReason::KeyCompromise);

		assert!(Fleets::<T>::get(scene.fleet).is_some_and(|it| it.revocation.is_some()));
	}

	#[benchmark]
	fn retire_fleet() {
		let scene = scene::<T>().committed(commitment(9, [1; 32])).with_candidate();

		#[extrinsic_call]
		_(scene.origin(), scene.fleet);

		assert!(Fleets::<T>::get(scene.fleet).is_some_and(|it| it.retired_at.is_some()));
	}

	#[benchmark]
	fn publish_tile(n: Linear<1, MAX_TILE_LEN>) {
		let scene = scene::<T>();
		let organisation = scene.organisation;
		let tile = TileBytes::truncate_from(vec![0xA5; n as usize]);
		let digest = BlobDigest::of(&tile);
		System::<T>::note_extrinsic(tile.to_vec());

		#[extrinsic_call]
		_(scene.origin(), organisation, tile);

		let published = Event::<T>::TilePublished { organisation, digest, length: n };
		System::<T>::assert_last_event(published.into());
	}

	impl_benchmark_test_suite!(
		Pallet,
		crate::tests::mock::new_test_ext(),
		crate::tests::mock::Test
	);
}
