// SPDX-License-Identifier: Apache-2.0

//! Rehearsals of upgrades, on states that earlier runtimes have left.
//!
//! `states/N.json` is a small state of a runtime whose `spec_version` was N, as the random transactions of
//! [`state_machine`](crate::state_machine) left it: an object of storage keys and values, both in hexadecimal. A release
//! that changes the layout of anything first adds the state of the version before it (`DPKI_DUMP=PATH DPKI_STEPS=600`
//! writes one), and is then held against all of them here. What a migration has to do beyond keeping every invariant
//! is asserted in a test of its own, with [`Rehearsal`]: that of the registry in [`registry`].

mod registry;

use crate::common::chain;
use dpki_runtime::{
	AllPalletsWithSystem, Dpki, Executive, Runtime, genesis_config_presets::LOCAL_PRESET,
	migrations::SingleBlock, timing,
};
use frame_support::{
	StorageHasher, Twox128,
	traits::{GetStorageVersion, OnRuntimeUpgrade, StorageVersion, UpgradeCheckSelect},
	weights::Weight,
};
use sp_core::storage::{StateVersion, Storage};
use sp_io::TestExternalities;
use sp_runtime::TryRuntimeError;
use std::{collections::BTreeMap, fs, path::PathBuf};

/// The state that an earlier runtime left, on which this one is put.
pub struct Rehearsal {
	chain: TestExternalities,
}

impl Rehearsal {
	/// On a state as `states/N.json` has it.
	pub fn on_recorded(json: &str) -> Self {
		let entries: BTreeMap<String, String> =
			serde_json::from_str(json).expect("an object of keys and values");
		let bytes = |text: &String| {
			sp_core::bytes::from_hex(text).expect("keys and values are hexadecimal")
		};
		let top = entries.iter().map(|(key, value)| (bytes(key), bytes(value))).collect();
		let storage = Storage { top, children_default: Default::default() };
		Self { chain: TestExternalities::new_with_state_version(storage, StateVersion::V1) }
	}

	/// On the first state of a chain of today, made older by hand.
	pub fn on_altered(alter: impl FnOnce()) -> Self {
		let mut chain = chain(LOCAL_PRESET);
		chain.execute_with(alter);
		chain.commit_all().expect("nothing is left open");
		Self { chain }
	}

	/// Upgrades it, with what each migration checks of itself before and after, with every invariant of every pallet, and
	/// with every value decoded. A second run has to change nothing. Returns what the first has cost.
	pub fn upgrade(&mut self) -> Result<Weight, TryRuntimeError> {
		let weight = self
			.chain
			.execute_with(|| Executive::try_runtime_upgrade(UpgradeCheckSelect::All))?;
		self.chain.commit_all().map_err(|_| "a transaction was left open")?;
		let once = *self.chain.backend.root();
		self.chain.execute_with(|| {
			<(SingleBlock, AllPalletsWithSystem) as OnRuntimeUpgrade>::on_runtime_upgrade();
		});
		self.chain.commit_all().map_err(|_| "a transaction was left open")?;
		if *self.chain.backend.root() != once {
			return Err("the upgrade changes a state that was upgraded before".into());
		}
		Ok(weight)
	}

	/// Looks into the state.
	pub fn look<R>(&mut self, at: impl FnOnce() -> R) -> R {
		self.chain.execute_with(at)
	}
}

/// Everything that a state holds, as `states/N.json` has it. Without the code, which no migration reads.
pub fn record(chain: &mut TestExternalities) -> String {
	chain.commit_all().expect("nothing is left open");
	let hex = |bytes: &[u8]| sp_core::bytes::to_hex(bytes, false);
	let entries = chain.execute_with(entries);
	let entries: BTreeMap<_, _> =
		entries.iter().map(|(key, value)| (hex(key), hex(value))).collect();
	serde_json::to_string_pretty(&entries).expect("it is text") + "\n"
}

/// Everything that the state holds. Without the code, which no migration reads.
fn entries() -> BTreeMap<Vec<u8>, Vec<u8>> {
	let mut key = Vec::new();
	let mut entries = BTreeMap::new();
	while let Some(next) = sp_io::storage::next_key(&key) {
		if let Some(value) = sp_io::storage::get(&next).filter(|_| next != b":code") {
			entries.insert(next.clone(), value.to_vec());
		}
		key = next;
	}
	entries
}

fn recorded() -> Vec<PathBuf> {
	let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/robustness/states");
	let entries = fs::read_dir(folder).expect("there are recorded states");
	let mut paths: Vec<_> = entries.map(|entry| entry.expect("it can be read").path()).collect();
	paths.sort();
	paths
}

#[test]
fn every_recorded_state_can_be_upgraded() {
	let paths = recorded();
	assert!(!paths.is_empty());
	for path in paths {
		let name = path.display();
		let mut rehearsal = Rehearsal::on_recorded(&fs::read_to_string(&path).unwrap());
		let before = rehearsal.look(|| {
			let devices = pallet_dpki::Devices::<Runtime>::iter_keys().count();
			let keys = pallet_dpki::Keys::<Runtime>::iter_keys().count();
			let anchors = pallet_dpki::Anchors::<Runtime>::iter_keys().count();
			assert!(devices > 0 && keys > devices && anchors > 0, "{name} holds too little");
			(devices, keys, anchors)
		});
		let weight = rehearsal.upgrade().unwrap_or_else(|error| panic!("{name}: {error:?}"));
		let most = dpki_runtime::configs::system::MAXIMUM_BLOCK_WEIGHT;
		assert!(weight.all_lt(most), "{name} takes more than a block: {weight:?}");
		rehearsal.look(|| {
			let after = (
				pallet_dpki::Devices::<Runtime>::iter().count(),
				pallet_dpki::Keys::<Runtime>::iter().count(),
				pallet_dpki::Anchors::<Runtime>::iter().count(),
			);
			assert_eq!(before, after, "{name}: records were lost, or do not decode");
			assert_eq!(Dpki::on_chain_storage_version(), Dpki::in_code_storage_version());
		});
	}
}

#[test]
fn a_chain_of_today_needs_no_migration() {
	let mut rehearsal = Rehearsal::on_altered(|| ());
	rehearsal.upgrade().unwrap();
}

#[test]
fn a_layout_without_its_migration_is_noticed() {
	let mut rehearsal = Rehearsal::on_altered(|| StorageVersion::new(0).put::<Dpki>());
	assert!(rehearsal.upgrade().is_err());
}

#[test]
fn a_record_that_does_not_decode_is_noticed() {
	let mut rehearsal = Rehearsal::on_altered(|| {
		let map = [Twox128::hash(b"Dpki"), Twox128::hash(b"Devices")].concat();
		sp_io::storage::set(&[map, vec![1; 32]].concat(), &[1, 2, 3]);
	});
	assert!(rehearsal.upgrade().is_err());
}

#[test]
fn a_length_that_no_genesis_could_have_is_noticed() {
	let mut rehearsal = Rehearsal::on_altered(|| timing::SlotDuration::<Runtime>::put(199));
	assert!(rehearsal.upgrade().is_err());
	let mut rehearsal = Rehearsal::on_altered(|| timing::SessionLength::<Runtime>::put(86_401));
	assert!(rehearsal.upgrade().is_err());
}

#[test]
fn a_broken_invariant_is_noticed() {
	let mut rehearsal = Rehearsal::on_altered(|| {
		pallet_dpki::DeviceKeys::<Runtime>::insert(
			dpki_primitives::ids::DeviceId([1; 32]),
			dpki_primitives::device::KeyList::default(),
		);
	});
	assert!(rehearsal.upgrade().is_err());
}
