//! From version 1 to version 2 of the layout.
//!
//! | item | change |
//! |---|---|
//! | `Anchors` | three fields at the end: successor, hold, certification. A root of version 1 becomes one without profile; it ends with its last second, not with the beginning of it |
//! | `KeyAnchors` | new, and filled |
//!
//! Version 1 left other anchors of a revoked key in force, which version 2 does not know: they are revoked, without a
//! reason and as of the migration. It did not bound the anchors of one key either; those beyond
//! [`MAX_ANCHORS_PER_KEY`](dpki_primitives::anchor::MAX_ANCHORS_PER_KEY) stay out of the index, and so do not end with the
//! others.
//!
//! A record that has not been reached yet is too short for its type and reads as absent, and what is absent is never
//! valid. A second run over a record that was reached changes nothing.

use crate::{
	Anchors, Config, KeyAnchors, OrganisationAnchors, Pallet, RevokedAnchorKeys, WeightInfo,
};
use codec::{Decode, DecodeAll, Encode};
use core::marker::PhantomData;
use dpki_primitives::{
	Moment,
	anchor::{AnchorKind, AnchorRecord, Certification},
	ids::{AnchorId, KeyId, OrganisationId},
	key::PublicKey,
	revocation::{Revocation, RevocationReason},
	status::Validity,
};
use frame_support::{
	migrations::{MigrationId, SteppedMigration, SteppedMigrationError},
	storage::unhashed,
	traits::StorageVersion,
	weights::WeightMeter,
};

/// The anchor record of version 1.
#[derive(Clone, Encode, Decode)]
pub struct AnchorRecordV1 {
	/// As now.
	pub organisation: OrganisationId,
	/// One of the first three.
	pub kind: AnchorKind,
	/// As now.
	pub key: Option<PublicKey>,
	/// As now.
	pub key_id: KeyId,
	/// As now but for the end of a root: the first millisecond of its last second.
	pub validity: Validity,
	/// As now.
	pub registered_at: Moment,
	/// As now, never in the future.
	pub retired_at: Option<Moment>,
	/// As now.
	pub revocation: Option<Revocation>,
}

/// The migration.
pub struct MigrateV1ToV2<T>(PhantomData<T>);

impl<T: Config> SteppedMigration for MigrateV1ToV2<T> {
	type Cursor = AnchorId;
	type Identifier = MigrationId<11>;

	fn id() -> Self::Identifier {
		MigrationId { pallet_id: *b"pallet-dpki", version_from: 1, version_to: 2 }
	}

	fn step(
		mut cursor: Option<Self::Cursor>,
		meter: &mut WeightMeter,
	) -> Result<Option<Self::Cursor>, SteppedMigrationError> {
		let required = T::WeightInfo::migrate_anchor();
		if !meter.can_consume(required) {
			return Err(SteppedMigrationError::InsufficientWeight { required });
		}
		// A chain that began with a later layout has nothing of the old one.
		if StorageVersion::get::<Pallet<T>>() >= 2 {
			return Ok(None);
		}
		let mut anchors = match cursor {
			Some(last) => Anchors::<T>::iter_keys_from_key(last),
			None => Anchors::<T>::iter_keys(),
		};
		while meter.try_consume(required).is_ok() {
			let Some(anchor) = anchors.next() else {
				StorageVersion::new(2).put::<Pallet<T>>();
				return Ok(None);
			};
			Self::migrate(anchor);
			cursor = Some(anchor);
		}
		Ok(cursor)
	}
}

impl<T: Config> MigrateV1ToV2<T> {
	pub(crate) fn migrate(anchor: AnchorId) {
		let raw = unhashed::get_raw(&Anchors::<T>::hashed_key_for(anchor)).unwrap_or_default();
		// What is longer than a record of version 1 is none.
		let Ok(old) = AnchorRecordV1::decode_all(&mut &raw[..]) else { return };
		let is_root = old.kind == AnchorKind::X509Root;
		let not_after = match old.validity.not_after {
			Some(end) if is_root && end % 1000 == 0 => Some(end.saturating_add(999)),
			end => end,
		};
		let mut record = AnchorRecord {
			retired_at: old.retired_at,
			revocation: old.revocation,
			certification: is_root.then(Certification::default),
			..AnchorRecord::new(
				old.organisation,
				old.kind,
				old.key,
				old.key_id,
				Validity { not_before: old.validity.not_before, not_after },
				old.registered_at,
			)
		};
		if !RevokedAnchorKeys::<T>::contains_key(record.key_id) {
			// One that finds no place is ended by itself, as in version 1.
			let _ = KeyAnchors::<T>::try_append(record.key_id, anchor);
		} else if record.revocation.is_none() {
			let reason = RevocationReason::Unspecified;
			record.revocation = Some(Revocation { reason, at: Pallet::<T>::now() });
			OrganisationAnchors::<T>::mutate(record.organisation, |list| {
				list.retain(|id| *id != anchor)
			});
		}
		Anchors::<T>::insert(anchor, record);
	}
}
