//! Trust anchors: registration and retirement. Their end is in [`crate::revocation`].

use crate::{
	AnchorMaterials, Anchors, Config, Error, Event, Keys, OrganisationAnchors, Pallet, Registrants,
	RevokedAnchorKeys, crypto::AnchorKey, ssh, x509,
};
use dpki_primitives::{
	Moment,
	anchor::{AnchorKind, AnchorMaterial, AnchorRecord},
	context::Action,
	ids::{AnchorId, KeyId, OrganisationId},
	key::Signature,
	organisation::Role,
	status::Validity,
};
use frame_support::ensure;
use sp_runtime::DispatchResult;

impl<T: Config> Pallet<T> {
	/// Registers an anchor that `account` has shown to hold. It is active at once: the organisation answers for its
	/// own anchors, and nobody else's devices trust them unless told to.
	pub(crate) fn do_register_anchor(
		account: T::AccountId,
		organisation: OrganisationId,
		kind: AnchorKind,
		material: AnchorMaterial,
		possession: Signature,
		expires_at: Moment,
	) -> DispatchResult {
		Self::ensure_role(organisation, &account, Role::AnchorManager)?;
		let now = Self::now();
		Self::ensure_unexpired(expires_at, now)?;

		let anchor = AnchorId::of(kind, &material);
		if let Some(record) = Anchors::<T>::get(anchor) {
			return Err(match record.revocation {
				Some(_) => Error::<T>::AnchorWasRevoked,
				None => Error::<T>::AnchorExists,
			}
			.into());
		}
		let mut anchors = OrganisationAnchors::<T>::get(organisation);
		anchors.try_push(anchor).map_err(|_| Error::<T>::AnchorListFull)?;

		let (key, key_id, validity) = Self::read_material(kind, &material, now)?;
		// The id of an anchor covers its kind and every byte of its certificate, so the same key has many.
		ensure!(!RevokedAnchorKeys::<T>::contains_key(key_id), Error::<T>::AnchorKeyWasRevoked);
		ensure!(!Keys::<T>::contains_key(key_id), Error::<T>::AnchorKeyInUse);
		let action = Action::PossessAnchor { account: account.into(), organisation, anchor };
		ensure!(
			key.verify(&Self::payload(action, 0, expires_at), &possession),
			Error::<T>::AnchorPossessionInvalid
		);

		let record = AnchorRecord {
			organisation,
			kind,
			key: key.into_public(),
			key_id,
			validity,
			registered_at: now,
			retired_at: None,
			revocation: None,
		};
		Anchors::<T>::insert(anchor, record);
		AnchorMaterials::<T>::insert(anchor, material);
		OrganisationAnchors::<T>::insert(organisation, anchors);
		Registrants::<T>::insert(organisation, ());
		Self::deposit_event(Event::AnchorRegistered { anchor, organisation, kind });
		Ok(())
	}

	fn read_material(
		kind: AnchorKind,
		material: &[u8],
		now: Moment,
	) -> Result<(AnchorKey, KeyId, Validity), Error<T>> {
		match kind {
			AnchorKind::SshUserCa | AnchorKind::SshHostCa => {
				let key = ssh::parse(material)?;
				let (key_id, key) = (KeyId::of(&key), AnchorKey::Device(key));
				Ok((key, key_id, Validity { not_before: now, not_after: None }))
			},
			AnchorKind::X509Root => {
				let root = x509::parse_root(material)?;
				let is_expired = root.validity.not_after.is_some_and(|end| now > end);
				ensure!(!is_expired, Error::<T>::CertificateExpired);
				Ok((root.key, root.key_id, root.validity))
			},
		}
	}

	/// The key of an anchor that was registered with this material.
	pub(crate) fn anchor_key(kind: AnchorKind, material: &[u8]) -> Result<AnchorKey, Error<T>> {
		match kind {
			AnchorKind::SshUserCa | AnchorKind::SshHostCa => {
				Ok(AnchorKey::Device(ssh::parse(material)?))
			},
			AnchorKind::X509Root => Ok(x509::parse_root(material)?.key),
		}
	}

	/// Retires an anchor: what it signed stays good, nothing new is to be signed.
	pub(crate) fn do_retire_anchor(account: T::AccountId, anchor: AnchorId) -> DispatchResult {
		let mut record = Self::managed_anchor(&account, anchor)?;
		ensure!(record.revocation.is_none(), Error::<T>::AnchorWasRevoked);
		ensure!(record.retired_at.is_none(), Error::<T>::AnchorAlreadyRetired);
		record.retired_at = Some(Self::now());
		let organisation = record.organisation;
		Anchors::<T>::insert(anchor, record);
		Self::deposit_event(Event::AnchorRetired { anchor, organisation });
		Ok(())
	}

	/// The anchor, if `account` may act on it.
	pub(crate) fn managed_anchor(
		account: &T::AccountId,
		anchor: AnchorId,
	) -> Result<AnchorRecord, Error<T>> {
		let record = Anchors::<T>::get(anchor).ok_or(Error::<T>::AnchorUnknown)?;
		Self::ensure_role(record.organisation, account, Role::AnchorManager)?;
		Ok(record)
	}
}
