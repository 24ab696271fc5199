//! The way from one layout of the storage to the next, rehearsed on bytes as the old one wrote them.

use super::{mock::*, pki::*};
use crate::{
	AnchorMaterials, Anchors, KeyAnchors, OrganisationAnchors, Pallet, Registrants,
	RevokedAnchorKeys, WeightInfo,
	migrations::v2::{AnchorRecordV1, MigrateV1ToV2},
};
use codec::Encode;
use dpki_primitives::{
	anchor::{AnchorKind, AnchorRecord, Certification, MAX_ANCHORS_PER_KEY},
	ids::{AnchorId, KeyId},
	revocation::{Revocation, RevocationReason},
	status::{Status, Validity},
};
use frame_support::{
	migrations::{SteppedMigration, SteppedMigrationError},
	storage::unhashed,
	traits::StorageVersion,
	weights::{Weight, WeightMeter},
};

const ROOT: AnchorKind = AnchorKind::X509Root;

/// Stores an anchor as version 1 did; returns its id.
fn store_v1(
	kind: AnchorKind,
	material: &[u8],
	change: impl FnOnce(&mut AnchorRecordV1),
) -> AnchorId {
	let anchor = AnchorId::of(kind, material);
	let mut record = AnchorRecordV1 {
		organisation: acme(),
		kind,
		key: None,
		key_id: KeyId(sp_io::hashing::blake2_256(material)),
		validity: Validity { not_before: 1_000, not_after: Some(LAST - 999) },
		registered_at: 2_000,
		retired_at: None,
		revocation: None,
	};
	change(&mut record);
	let organisation = record.organisation;
	if record.revocation.is_some() {
		RevokedAnchorKeys::<Test>::insert(record.key_id, ());
	} else {
		OrganisationAnchors::<Test>::try_append(organisation, anchor).unwrap();
	}
	unhashed::put(&Anchors::<Test>::hashed_key_for(anchor), &record);
	let material: dpki_primitives::anchor::AnchorMaterial = material.to_vec().try_into().unwrap();
	AnchorMaterials::<Test>::insert(anchor, material);
	Registrants::<Test>::insert(organisation, ());
	StorageVersion::new(1).put::<Pallet<Test>>();
	anchor
}

/// Runs the migration with room for `per_step` anchors in each step; returns the number of steps.
fn migrate(per_step: u64) -> u32 {
	let weight = <Test as crate::Config>::WeightInfo::migrate_anchor().saturating_mul(per_step);
	let (mut cursor, mut steps) = (None, 0);
	loop {
		let mut meter = WeightMeter::with_limit(weight);
		cursor = MigrateV1ToV2::<Test>::step(cursor, &mut meter).unwrap();
		steps += 1;
		if cursor.is_none() {
			assert_eq!(StorageVersion::get::<Pallet<Test>>(), 2);
			return steps;
		}
	}
}

#[test]
fn a_record_of_version_1_is_what_version_1_wrote() {
	let pair = Pair::ed25519(1);
	let record = AnchorRecordV1 {
		organisation: acme(),
		kind: AnchorKind::SshHostCa,
		key: Some(pair.public()),
		key_id: pair.id(),
		validity: Validity { not_before: 5, not_after: Some(6) },
		registered_at: 7,
		retired_at: Some(8),
		revocation: Some(Revocation { reason: RevocationReason::Superseded, at: 9 }),
	};
	let public = pair.public();
	let key = (public.key_type, public.bytes.to_vec());
	let fields = (acme().0, 1u8, Some(key), pair.id().0, 5u64, Some(6u64), 7u64);
	let ends = (Some(8u64), Some((4u8, 9u64)));
	assert_eq!(record.encode(), (fields, ends).encode());
}

#[test]
fn what_is_not_migrated_yet_is_unknown_and_not_valid() {
	run_migrated(|| {
		let anchor = store_v1(ROOT, &[1], |_| {});
		assert_eq!(Dpki::anchor_status(anchor), Status::Unknown);
	});
}

/// Runs a test, then the migration, and then checks the invariants.
fn run_migrated(test: impl FnOnce()) {
	run(|| {
		test();
		migrate(3);
	});
}

#[test]
fn every_anchor_is_migrated_with_everything_that_was_known_of_it() {
	run(|| {
		let root = store_v1(ROOT, &[1], |record| record.retired_at = Some(3_000));
		let pair = Pair::ed25519(1);
		let ssh = ssh_ed25519(&pair);
		let ssh = store_v1(AnchorKind::SshUserCa, &ssh, |record| {
			record.key = Some(pair.public());
			record.key_id = pair.id();
			record.validity.not_after = None;
		});
		let revocation = Revocation { reason: REASON, at: 4_000 };
		let revoked = store_v1(ROOT, &[2], |record| record.revocation = Some(revocation));
		assert!(migrate(1) > 3, "one anchor in each step");

		let record = Dpki::anchor(root).unwrap();
		assert_eq!(record.retired_at, Some(3_000));
		assert_eq!(record.certification, Some(Certification::default()));
		// The last second belongs to the validity as a whole.
		let validity = Validity { not_before: 1_000, not_after: Some(LAST) };
		assert_eq!((record.validity, record.registered_at), (validity, 2_000));
		assert_eq!(Dpki::anchor_status(root), Status::Superseded);
		assert_eq!(Dpki::anchors_of_key(record.key_id), [root]);

		let validity = Validity { not_before: 1_000, not_after: None };
		let kind = AnchorKind::SshUserCa;
		let expected =
			AnchorRecord::new(acme(), kind, Some(pair.public()), pair.id(), validity, 2_000);
		assert_eq!(Dpki::anchor(ssh), Some(expected));
		assert_eq!(Dpki::anchor_status(revoked), Status::Revoked(revocation));
		assert!(Dpki::anchors_of_key(Dpki::anchor(revoked).unwrap().key_id).is_empty());
	});
}

#[test]
fn a_migrated_root_can_have_intermediates() {
	run(|| {
		let root = Party::root("Root");
		store_v1(ROOT, &root.der, |_| {});
		migrate(10);
		assert_eq!(Dpki::anchor_status(root.id()), Status::Valid);
		root.issue("Unit").register_below(&root);
	});
}

#[test]
fn what_version_1_left_in_force_of_a_revoked_key_is_revoked() {
	run(|| {
		let key = KeyId([5; 32]);
		let revocation = Revocation { reason: REASON, at: 4_000 };
		store_v1(ROOT, &[1], |record| {
			record.key_id = key;
			record.revocation = Some(revocation);
		});
		let left = store_v1(ROOT, &[2], |record| record.key_id = key);
		migrate(10);
		let revoked = Revocation { reason: RevocationReason::Unspecified, at: NOW };
		assert_eq!(Dpki::anchor_status(left), Status::Revoked(revoked));
		assert!(Dpki::anchors_of(acme()).is_empty());
	});
}

#[test]
fn more_anchors_of_a_key_than_there_may_be_now_stay_as_they_are() {
	run(|| {
		let key = KeyId([5; 32]);
		let count = MAX_ANCHORS_PER_KEY as u8 + 2;
		let anchors: Vec<_> =
			(0..count).map(|n| store_v1(ROOT, &[n], |record| record.key_id = key)).collect();
		migrate(10);
		assert_eq!(KeyAnchors::<Test>::get(key).len(), MAX_ANCHORS_PER_KEY as usize);
		assert!(anchors.into_iter().all(|anchor| Dpki::anchor_status(anchor).is_valid()));
	});
}

#[test]
fn a_second_run_changes_nothing_and_a_new_chain_needs_none() {
	run(|| {
		let anchor = store_v1(ROOT, &[1], |_| {});
		migrate(10);
		let once = Dpki::anchor(anchor).unwrap();
		MigrateV1ToV2::<Test>::migrate(anchor);
		assert_eq!(Dpki::anchor(anchor), Some(once));
		assert_eq!(migrate(1), 1);
	});
}

#[test]
fn without_room_for_one_anchor_the_migration_asks_for_it() {
	run_migrated(|| {
		store_v1(ROOT, &[1], |_| {});
		let required = <Test as crate::Config>::WeightInfo::migrate_anchor();
		let mut meter = WeightMeter::with_limit(required.saturating_sub(Weight::from_parts(1, 0)));
		let refusal = MigrateV1ToV2::<Test>::step(None, &mut meter);
		assert_eq!(refusal, Err(SteppedMigrationError::InsufficientWeight { required }));
	});
}
