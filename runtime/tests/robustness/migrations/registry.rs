// SPDX-License-Identifier: Apache-2.0

//! The migration of the registry from layout 1 to layout 2, carried out on a recorded state by the engine of this
//! runtime.
//!
//! Layout 1 was never launched: this runtime does not list the migration, and no state of that layout was recorded. So
//! the anchors of a recorded state are written back to the form that they had in it. Those that it could not tell of,
//! which are intermediates, suspended, followed by another or of a profile, keep the form of today, as does an anchor
//! that is written while the steps of a migration go on.

use super::{Rehearsal, entries};
use dpki_primitives::{
	Moment,
	anchor::{AnchorKind, AnchorRecord, Certification},
	ids::{AnchorId, KeyId},
	status::{Status, Validity},
};
use dpki_runtime::{
	AllPalletsWithSystem, Dpki, Runtime,
	migrations::steps::{Ended, Progress, Steps},
};
use frame_support::{
	StoragePrefixedMap,
	storage::unhashed,
	traits::{
		GetStorageVersion, OnRuntimeUpgrade, PostInherents, StorageVersion, TryDecodeEntireStorage,
		TryState, TryStateSelect,
	},
};
use pallet_dpki::{
	Anchors, KeyAnchors,
	migrations::v2::{AnchorRecordV1, MigrateV1ToV2},
};
use sp_runtime::TryRuntimeError;
use std::collections::{BTreeMap, BTreeSet};

const RECORDED: &str = include_str!("../states/1.json");

/// What carries migrations out in this runtime, with the one that is rehearsed.
type Engine = Steps<Runtime, (MigrateV1ToV2<Runtime>,)>;

/// The last millisecond of a second, counted from its first.
const REST_OF_SECOND: Moment = 999;

/// Every invariant of every pallet, and that every value decodes.
fn check() -> Result<(), TryRuntimeError> {
	let number = dpki_runtime::System::block_number();
	<AllPalletsWithSystem as TryState<u32>>::try_state(number, TryStateSelect::All)?;
	let decoded = AllPalletsWithSystem::try_decode_entire_state();
	decoded.map(|_| ()).map_err(|_| "a value does not decode".into())
}

/// The anchor as layout 1 had it; `None` if it had no such anchors.
fn in_layout_1(record: &AnchorRecord, now: Moment) -> Option<AnchorRecordV1> {
	let is_root = record.kind == AnchorKind::X509Root;
	let had_it = record.kind != AnchorKind::X509Intermediate
		&& record.certification == is_root.then(Certification::default)
		&& record.retired_at.is_none_or(|at| at <= now)
		&& record.successor.is_none()
		&& !record.suspended;
	let Validity { not_before, not_after } = record.validity;
	had_it.then(|| AnchorRecordV1 {
		organisation: record.organisation,
		kind: record.kind,
		key: record.key.clone(),
		key_id: record.key_id,
		validity: Validity {
			not_before,
			not_after: not_after.map(|end| if is_root { end - REST_OF_SECOND } else { end }),
		},
		registered_at: record.registered_at,
		retired_at: record.retired_at,
		revocation: record.revocation,
	})
}

/// Writes the anchors back to layout 1, which had no index by key either. Returns which they are.
fn write_back() -> BTreeSet<AnchorId> {
	let now = pallet_timestamp::Now::<Runtime>::get();
	let older: BTreeMap<_, _> = Anchors::<Runtime>::iter()
		.filter_map(|(id, record)| Some((id, in_layout_1(&record, now)?)))
		.collect();
	for (id, record) in &older {
		unhashed::put(&Anchors::<Runtime>::hashed_key_for(id), record);
		KeyAnchors::<Runtime>::mutate_exists(record.key_id, |listed| {
			let mut rest = listed.take().unwrap_or_default();
			rest.retain(|listed| listed != id);
			*listed = (!rest.is_empty()).then_some(rest);
		});
	}
	StorageVersion::new(1).put::<Dpki>();
	older.into_keys().collect()
}

/// The verdict on every anchor.
fn statuses() -> BTreeMap<AnchorId, Status> {
	Anchors::<Runtime>::iter_keys()
		.map(|id| (id, Dpki::anchor_status(id)))
		.collect()
}

/// The index by key; the order in a list says nothing.
fn by_key() -> BTreeMap<KeyId, BTreeSet<AnchorId>> {
	KeyAnchors::<Runtime>::iter()
		.map(|(key, anchors)| (key, anchors.into_iter().collect()))
		.collect()
}

/// Everything but that index, what the engine remembers, and the weight of the block.
fn rest_of_state() -> BTreeMap<Vec<u8>, Vec<u8>> {
	let mut entries = entries();
	let index = KeyAnchors::<Runtime>::final_prefix();
	entries.retain(|key, _| !key.starts_with(&index));
	for key in [
		Ended::hashed_key(),
		Progress::hashed_key(),
		frame_system::BlockWeight::<Runtime>::hashed_key(),
	] {
		entries.remove(&key[..]);
	}
	entries
}

/// Makes blocks, as far as migrations are concerned, until nothing is left; tells how many.
fn migrate() -> u32 {
	Engine::on_runtime_upgrade();
	let mut blocks = 0;
	while Progress::exists() {
		frame_system::BlockWeight::<Runtime>::kill();
		Engine::post_inherents();
		let taken = dpki_runtime::System::block_weight().total();
		assert!(taken.all_lte(Engine::limit()), "{taken:?} is more than a migration's share");
		blocks += 1;
		assert!(blocks < 100, "it does not end");
	}
	blocks
}

#[test]
fn a_recorded_registry_of_the_layout_before_becomes_what_it_was() {
	let mut rehearsal = Rehearsal::on_recorded(RECORDED);
	let before = rehearsal.look(|| {
		check().expect("the recorded state keeps every invariant");
		(statuses(), by_key(), rest_of_state())
	});
	let older = rehearsal.look(|| {
		let older = write_back();
		assert!(check().is_err(), "the layout before is taken for the one of today");
		older
	});
	assert!(older.len() >= 4, "only {} anchors are rehearsed on", older.len());
	assert!(older.len() < before.0.len(), "no anchor has the form of today");
	rehearsal.look(|| {
		for (id, status) in statuses() {
			let expected = if older.contains(&id) { Status::Unknown } else { before.0[&id] };
			// Below an anchor that is not migrated yet nothing is valid either.
			assert!(status == expected || !status.is_valid(), "{id} is {status:?}");
		}
		assert!(migrate() > 0);
		check().expect("the migrated state keeps every invariant");
		assert_eq!(Dpki::on_chain_storage_version(), Dpki::in_code_storage_version());
		assert_eq!(statuses(), before.0);
		assert_eq!(by_key(), before.1);
		let (after, expected) = (rest_of_state(), before.2);
		let changed: Vec<_> =
			expected.iter().filter(|(key, value)| after.get(*key) != Some(value)).collect();
		assert!(changed.is_empty() && after.len() == expected.len(), "{changed:?}");
		assert_eq!(Ended::get().len(), 1);
		Engine::on_runtime_upgrade();
		assert!(!Progress::exists(), "it would be done once more");
	});
	// What this runtime itself lists finds a state of today, with every check before and after.
	rehearsal.upgrade().unwrap();
}
