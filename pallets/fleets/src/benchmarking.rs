//! Benchmarks: every call at its longest path and with its largest arguments.

use crate::{
	Call, ChunkMasks, Config, ConsistencyProof, Event, Fleets, Pallet, RevokedMembers, RollEntries,
	Rolls, TileBytes, Votes,
};
use alloc::{vec, vec::Vec};
use dpki_primitives::{
	device::MAX_GRACE,
	economy::Economy,
	fleet::{
		AvailabilityVoters, ChunkMask, Commitment, MAX_BATCHES_PER_CHUNK,
		MAX_CHUNKS_PER_REVOCATION, MAX_FLEET_SIZE, MAX_KEYS_PER_APPEND, MAX_ROLL_NAME_LEN,
		MAX_TILE_LEN, RollEntry, RollTerms,
		revocation::MASK_LEN,
		tree::{TreeHash, consistency_ranges, leaf_hash, node_hash, root_of},
	},
	ids::{BlobDigest, FleetId, Name, OrganisationId, RevisionId},
	key::KeyPurpose,
	organisation::Organisations,
	revocation::RevocationReason,
	status::Validity,
};
use frame_benchmarking::v2::*;
use frame_support::traits::{Get, Time};
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

/// Where the keys of the benchmarks are kept.
const KEYSTORE: sp_runtime::KeyTypeId = sp_runtime::KeyTypeId(*b"roll");

const TERMS: RollTerms = RollTerms {
	purpose: KeyPurpose::Tls,
	validity: Validity { not_before: 0, not_after: Some(u64::MAX) },
};

/// A roll with the longest name.
fn opened<T: Config>() -> Scene<T> {
	let scene = scene::<T>();
	let name = Name::truncate_from(vec![b'a'; MAX_ROLL_NAME_LEN as usize]);
	Pallet::<T>::open_roll(scene.origin().into(), scene.organisation, name.clone(), TERMS)
		.expect("a registrar opens a roll");
	Scene { fleet: FleetId::from_name(scene.organisation, &name), ..scene }
}

/// So many keys for the places from `from` on.
fn entries<T: Config>(fleet: FleetId, from: u32, count: u32) -> RollEntries {
	let entry = |place: u32| {
		// From a seed: a phrase would be stretched once more for each signature.
		let seed = alloc::format!("0x{place:064x}").into_bytes();
		let key = sp_io::crypto::ed25519_generate(KEYSTORE, Some(seed));
		let payload = TERMS.possession(Pallet::<T>::genesis(), fleet, place, expires_at::<T>());
		let possession = sp_io::crypto::ed25519_sign(KEYSTORE, &key, &payload.payload())
			.expect("the keystore holds the key");
		RollEntry { key: key.0, possession: possession.0 }
	};
	RollEntries::truncate_from((from..).take(count as usize).map(entry).collect())
}

fn expires_at<T: Config>() -> u64 {
	T::Time::now().saturating_add(1_000)
}

/// A roll on which 255 keys stand, so that the first tile is read and the frontier is as long as it can be there.
fn begun<T: Config>() -> (Scene<T>, u32) {
	let (scene, from) = (opened::<T>(), 255);
	let first = entries::<T>(scene.fleet, 0, from);
	Pallet::<T>::append_keys(scene.origin().into(), scene.fleet, 0, 0, expires_at::<T>(), first)
		.expect("a registrar appends keys");
	(scene, from)
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

	#[benchmark]
	fn open_roll() {
		let scene = scene::<T>();
		let name = Name::truncate_from(vec![b'a'; MAX_ROLL_NAME_LEN as usize]);
		let fleet = FleetId::from_name(scene.organisation, &name);

		#[extrinsic_call]
		_(scene.origin(), scene.organisation, name, TERMS);

		assert!(Rolls::<T>::contains_key(fleet));
	}

	#[benchmark]
	fn append_keys(n: Linear<1, MAX_KEYS_PER_APPEND>) {
		let (scene, from) = begun::<T>();
		let entries = entries::<T>(scene.fleet, from, n);

		#[extrinsic_call]
		_(scene.origin(), scene.fleet, from, MAX_GRACE, expires_at::<T>(), entries);

		assert_eq!(Rolls::<T>::get(scene.fleet).map(|it| it.size), Some(from + n));
	}

	/// The last signature of all is not that of its key.
	#[benchmark]
	fn refuse_keys(n: Linear<1, MAX_KEYS_PER_APPEND>) {
		let (scene, from) = begun::<T>();
		let mut entries = entries::<T>(scene.fleet, from, n);
		if let Some(last) = entries.last_mut() {
			last.possession[32] ^= 1;
		}
		let (origin, expires_at) = (scene.origin().into(), expires_at::<T>());
		let refusal;

		#[block]
		{
			refusal =
				Pallet::<T>::append_keys(origin, scene.fleet, from, MAX_GRACE, expires_at, entries);
		}

		let expected = crate::Error::<T>::PossessionInvalid((n - 1) as u16).into();
		assert_eq!(refusal.map_err(|it| it.error), Err(expected));
	}

	impl_benchmark_test_suite!(
		Pallet,
		crate::tests::mock::new_test_ext(),
		crate::tests::mock::Test
	);
}
