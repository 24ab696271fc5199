// SPDX-License-Identifier: Apache-2.0

//! Ten thousand keys: in batches, which leave records of each, and on a roll, which has a place for each.

use crate::common::{account, apply, chain, origin, signed};
use dpki_primitives::{
	Moment,
	context::{Action, Registrant, SigningContext},
	device::{MAX_DEVICES_PER_BATCH, NewDevice},
	fleet::{
		MAX_KEYS_PER_APPEND, MembershipProof, RollEntry, RollTerms,
		roll::leaf_hashes,
		tree::{TreeHash, path_ranges, root_of},
	},
	ids::{DeviceId, FleetId, KeyId, OrganisationId},
	key::{KeyPurpose, KeyType, NewKey, PublicKey},
	organisation::OrganisationKind,
	status::{Status, Validity},
};
use dpki_runtime::{
	Fleets, Organisations, Runtime, RuntimeCall, System,
	dpki_api::runtime_decl_for_dpki_api::DpkiApiV1, genesis_config_presets::LOCAL_PRESET,
};
use frame_support::assert_ok;
use sp_core::{Pair as _, ed25519};
use sp_keyring::Sr25519Keyring::Eve;
use std::{collections::HashMap, ops::Range};

const NOW: Moment = 1_800_000_000_000;
const EXPIRES_AT: Moment = NOW + 60_000;

/// Devices in batches, as large as they can be.
const REGISTERED: u32 = 20 * MAX_DEVICES_PER_BATCH;
/// Devices on a roll: all others of the ten thousand.
const ON_ROLL: u32 = 10_000 - REGISTERED;

const ROLL: &[u8] = b"meters";
const TERMS: RollTerms =
	RollTerms { purpose: KeyPurpose::Tls, validity: Validity { not_before: 0, not_after: None } };

fn acme() -> OrganisationId {
	OrganisationId::from_name(b"acme")
}

fn meters() -> FleetId {
	FleetId::from_name(acme(), ROLL)
}

fn genesis() -> [u8; 32] {
	System::block_hash(0).into()
}

/// The key pair of device `n` of all.
fn pair(n: u32) -> ed25519::Pair {
	let mut seed = [0; 32];
	seed[..4].copy_from_slice(&n.to_be_bytes());
	ed25519::Pair::from_seed(&seed)
}

fn public(n: u32) -> PublicKey {
	PublicKey::new(KeyType::Ed25519, &pair(n).public().0).unwrap()
}

fn name(n: u32) -> Vec<u8> {
	format!("drone-{n}").into_bytes()
}

fn drone(n: u32) -> NewDevice {
	let purpose = KeyPurpose::Sign;
	let action = Action::PossessKey {
		registrant: Registrant::Account(account(Eve).into()),
		device: DeviceId::from_name(acme(), &name(n)),
		purpose,
		key: KeyId::of(&public(n)),
		not_after: None,
	};
	let context = SigningContext { genesis: genesis(), action, nonce: 0, expires_at: EXPIRES_AT };
	let possession = pair(n).sign(&context.payload()).0.to_vec().try_into().unwrap();
	let key = NewKey { purpose, public: public(n), not_after: None, possession };
	NewDevice { name: name(n).try_into().unwrap(), keys: vec![key].try_into().unwrap() }
}

/// The entry of device `REGISTERED + place` of all, for this place of the roll.
fn entry(place: u32) -> RollEntry {
	let pair = pair(REGISTERED + place);
	let payload = TERMS.possession(genesis(), meters(), place, EXPIRES_AT).payload();
	RollEntry { key: pair.public().0, possession: pair.sign(&payload).0 }
}

/// Has a block to itself: none has room for two of the largest.
fn send(call: impl Into<RuntimeCall>) {
	let number = System::block_number() + 1;
	System::initialize(&number, &System::parent_hash(), &Default::default());
	assert_ok!(apply(signed(Eve, call.into())).expect("it is applied"));
}

/// The tree over the leaves of the roll, of which each part is computed once.
struct Tree {
	leaves: Vec<TreeHash>,
	known: HashMap<Range<u32>, TreeHash>,
}

impl Tree {
	fn new() -> Self {
		let keys: Vec<_> = (0..ON_ROLL).map(|place| pair(REGISTERED + place).public().0).collect();
		let leaves = leaf_hashes(&TERMS, ROLL, 0, &keys).expect("the name is short");
		Self { leaves, known: HashMap::new() }
	}

	fn proof(&mut self, place: u32) -> MembershipProof {
		let ranges = path_ranges(place, ON_ROLL).expect("it is on the roll");
		let root = |range: Range<u32>| {
			let nodes = &self.leaves[range.start as usize..range.end as usize];
			*self.known.entry(range).or_insert_with(|| root_of(nodes))
		};
		let path: Vec<_> = ranges.into_iter().map(root).collect();
		let key = pair(REGISTERED + place).public().0;
		MembershipProof {
			fleet: meters(),
			organisation: acme(),
			index: place,
			leaf: TERMS.leaf(ROLL, place, &key).expect("the name is short"),
			path: path.try_into().expect("no path is longer"),
		}
	}
}

#[test]
fn ten_thousand_keys_are_registered_counted_and_looked_up() {
	chain(LOCAL_PRESET).execute_with(|| {
		pallet_timestamp::Now::<Runtime>::put(NOW);
		let organisation = acme();
		let founded = b"acme".to_vec().try_into().unwrap();
		assert_ok!(Organisations::create(origin(Eve), founded, OrganisationKind::Manufacturer));

		for first in (0..REGISTERED).step_by(MAX_DEVICES_PER_BATCH as usize) {
			let devices: Vec<_> = (first..first + MAX_DEVICES_PER_BATCH).map(drone).collect();
			let (devices, expires_at) = (devices.try_into().unwrap(), EXPIRES_AT);
			send(pallet_dpki::Call::register_batch { organisation, devices, expires_at });
		}
		let name_of_roll = ROLL.to_vec().try_into().unwrap();
		send(pallet_fleets::Call::open_roll { organisation, name: name_of_roll, terms: TERMS });
		for from in (0..ON_ROLL).step_by(MAX_KEYS_PER_APPEND as usize) {
			let end = ON_ROLL.min(from + MAX_KEYS_PER_APPEND);
			let entries: Vec<_> = (from..end).map(entry).collect();
			let (fleet, entries) = (meters(), entries.try_into().unwrap());
			let (grace, expires_at) = (0, EXPIRES_AT);
			send(pallet_fleets::Call::append_keys { fleet, from, grace, expires_at, entries });
		}

		assert_eq!(pallet_dpki::Keys::<Runtime>::iter_keys().count() as u32, REGISTERED);
		assert_eq!(Runtime::devices_of(acme(), 0).total, REGISTERED);
		let roll = Fleets::fleet(meters()).expect("it was opened").current;
		assert_eq!(roll.expect("keys were appended").commitment.size, ON_ROLL);

		for n in 0..REGISTERED {
			let verdict = Runtime::key(KeyId::of(&public(n)));
			assert_eq!(verdict.status, Status::Valid, "drone-{n}");
			let device = DeviceId::from_name(acme(), &name(n));
			assert_eq!(verdict.record.map(|record| record.device), Some(device), "drone-{n}");
		}
		let mut tree = Tree::new();
		for place in 0..ON_ROLL {
			let status = Runtime::fleet_member(tree.proof(place));
			assert_eq!(status, Status::Valid, "place {place}");
		}
		let elsewhere = MembershipProof { index: 7, ..tree.proof(8) };
		assert_eq!(Runtime::fleet_member(elsewhere), Status::Unknown);
		let stranger = KeyId::of(&public(REGISTERED));
		assert_eq!(Runtime::key(stranger).status, Status::Unknown, "it has no record of its own");
	});
}
