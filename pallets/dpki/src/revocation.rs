//! Revocation. It is set once and never unset, and it never iterates: what depends on a revoked record is found
//! invalid by the status function, which looks at the record's issuers.

use crate::{
	Anchors, Config, DeviceKeys, Devices, Error, Event, Keys, NextKeys, OrganisationAnchors,
	Pallet, RevokedAnchorKeys, RevokedSshSubjects, SshRevocationCount, SshRevocations,
};
use dpki_primitives::{
	anchor::{AnchorKind, AnchorRecord},
	device::DeviceRecord,
	ids::{AnchorId, DeviceId, KeyId},
	key::KeyRecord,
	revocation::{
		MAX_SSH_REVOCATIONS, Revocation, RevocationReason, SSH_REVOCATIONS_PER_PAGE, SshRevocation,
		SshSubject,
	},
};
use frame_support::ensure;
use sp_runtime::DispatchResult;

impl<T: Config> Pallet<T> {
	/// Revokes an anchor. Its record and material stay, its place in the organisation's list becomes free, and its key
	/// is remembered: nothing of that key is registered any more. What is registered already, another anchor of the
	/// key, has an end of its own.
	pub(crate) fn do_revoke_anchor(
		account: T::AccountId,
		anchor: AnchorId,
		reason: RevocationReason,
	) -> DispatchResult {
		let record = Self::managed_anchor(&account, anchor)?;
		Self::end_anchor(anchor, record, reason)?;
		Ok(())
	}

	/// Ends an anchor on whose authority ever.
	pub(crate) fn end_anchor(
		anchor: AnchorId,
		mut record: AnchorRecord,
		reason: RevocationReason,
	) -> Result<(), Error<T>> {
		ensure!(record.revocation.is_none(), Error::<T>::AnchorAlreadyRevoked);
		record.revocation = Some(Revocation { reason, at: Self::now() });
		let organisation = record.organisation;
		RevokedAnchorKeys::<T>::insert(record.key_id, ());
		Anchors::<T>::insert(anchor, record);
		OrganisationAnchors::<T>::mutate(organisation, |list| list.retain(|id| *id != anchor));
		Self::deposit_event(Event::AnchorRevoked { anchor, organisation, reason });
		Ok(())
	}

	/// Appends to the revocation list of an SSH CA. A retired CA can still revoke, as what it signed is in use; for
	/// a revoked one there is nothing left to revoke.
	pub(crate) fn do_revoke_ssh(
		account: T::AccountId,
		anchor: AnchorId,
		subject: SshSubject,
		reason: RevocationReason,
	) -> DispatchResult {
		let record = Self::managed_anchor(&account, anchor)?;
		ensure!(record.kind != AnchorKind::X509Root, Error::<T>::AnchorNotSsh);
		ensure!(record.revocation.is_none(), Error::<T>::AnchorWasRevoked);
		ensure!(subject != SshSubject::Serial(0), Error::<T>::SshSerialZero);
		let digest = subject.digest();
		ensure!(
			!RevokedSshSubjects::<T>::contains_key(anchor, digest),
			Error::<T>::SshSubjectAlreadyRevoked
		);
		let position = SshRevocationCount::<T>::get(anchor);
		ensure!(position < MAX_SSH_REVOCATIONS, Error::<T>::SshRevocationListFull);

		let entry = SshRevocation { subject, revocation: Revocation { reason, at: Self::now() } };
		SshRevocations::<T>::try_mutate(anchor, position / SSH_REVOCATIONS_PER_PAGE, |page| {
			page.try_push(entry).map_err(|_| Error::<T>::SshRevocationListFull)
		})?;
		RevokedSshSubjects::<T>::insert(anchor, digest, position);
		SshRevocationCount::<T>::insert(anchor, position + 1);
		Self::deposit_event(Event::SshRevoked { anchor, subject, reason, position });
		Ok(())
	}

	/// Revokes a key. It leaves the list of its device and stays known as revoked for ever.
	pub(crate) fn do_revoke_key(
		account: T::AccountId,
		key: KeyId,
		reason: RevocationReason,
	) -> DispatchResult {
		let record = Keys::<T>::get(key).ok_or(Error::<T>::KeyUnknown)?;
		Self::managed_device(&account, record.device)?;
		Self::end_key(key, record, reason)?;
		Ok(())
	}

	/// Ends a key on whose authority ever. What was announced to follow it stays if the key is compromised, as that is
	/// what it was announced for; in every other case the organisation does not want the key, nor its successor.
	pub(crate) fn end_key(
		key: KeyId,
		mut record: KeyRecord,
		reason: RevocationReason,
	) -> Result<(), Error<T>> {
		ensure!(record.revocation.is_none(), Error::<T>::KeyAlreadyRevoked);
		let device = record.device;
		record.revocation = Some(Revocation { reason, at: Self::now() });
		Keys::<T>::insert(key, record);
		DeviceKeys::<T>::mutate(device, |list| list.retain(|id| *id != key));
		if reason != RevocationReason::KeyCompromise {
			NextKeys::<T>::remove(key);
		}
		Self::deposit_event(Event::KeyRevoked { key, device, reason });
		Ok(())
	}

	/// Revokes a device, and with it, by the status function, its keys.
	pub(crate) fn do_revoke_device(
		account: T::AccountId,
		device: DeviceId,
		reason: RevocationReason,
	) -> DispatchResult {
		let record = Self::managed_device(&account, device)?;
		Self::end_device(device, record, reason)?;
		Ok(())
	}

	/// Ends a device on whose authority ever.
	pub(crate) fn end_device(
		device: DeviceId,
		mut record: DeviceRecord,
		reason: RevocationReason,
	) -> Result<(), Error<T>> {
		ensure!(record.revocation.is_none(), Error::<T>::DeviceAlreadyRevoked);
		record.revocation = Some(Revocation { reason, at: Self::now() });
		let organisation = record.organisation;
		Devices::<T>::insert(device, record);
		Self::deposit_event(Event::DeviceRevoked { device, organisation, reason });
		Ok(())
	}
}
