//! Revocation. It is set once and never unset, but that the reason of a key can become compromise. It never iterates: what
//! depends on a revoked record is found invalid by the status function, which looks at the record's issuers.

use crate::{
	Anchors, Config, DeviceKeys, Devices, Error, Event, KeyAnchors, Keys, NextKeys,
	OrganisationAnchors, Pallet, RevokedAnchorKeys, RevokedSshSubjects, SshRevocationCount,
	SshRevocations, context::Actor,
};
use dpki_primitives::{
	device::DeviceRecord,
	economy::{Economy, Resource},
	ids::{AnchorId, DeviceId, KeyId},
	key::KeyRecord,
	organisation::Governance,
	registry::CompromisedKeys,
	revocation::{
		MAX_SSH_REVOCATIONS, Revocation, RevocationReason, SSH_REVOCATIONS_PER_PAGE, SshRevocation,
		SshSubject, Withdrawal,
	},
};
use frame_support::ensure;
use frame_system::{ensure_signed, pallet_prelude::OriginFor};
use sp_runtime::{DispatchError, DispatchResult};

impl<T: Config> Pallet<T> {
	/// Revokes an anchor. Its record and material stay, and its place in its owner's list becomes free.
	///
	/// Its manager ends its key with it: nothing of that key is registered any more, and every other anchor of the key
	/// ends too. Who manages the anchor above takes back what that anchor gave to the key, in all of its certificates, and no
	/// more: what others have issued to the same key is not its to judge.
	pub(crate) fn do_revoke_anchor(
		actor: Actor<T::AccountId>,
		anchor: AnchorId,
		reason: RevocationReason,
	) -> DispatchResult {
		let record = Anchors::<T>::get(anchor).ok_or(Error::<T>::AnchorUnknown)?;
		let revocation = Revocation { reason, at: Self::now() };
		let Err(error) = Self::ensure_manager(&actor, record.organisation) else {
			return Self::revoke_anchor_key(anchor, record.key_id, revocation);
		};
		let issuer = record.issuer();
		let above = issuer.and_then(Anchors::<T>::get).ok_or(error)?;
		Self::ensure_manager(&actor, above.organisation)?;
		ensure!(record.revocation.is_none(), Error::<T>::AnchorAlreadyRevoked);
		Self::end_anchor(anchor, revocation);
		// The same key under another certificate of this issuer would go on as if nothing had been taken back. An issuer is its
		// key: a root that was renewed is another anchor of it.
		let givers = KeyAnchors::<T>::get(above.key_id);
		let is_of_issuer = |id: &AnchorId| {
			let given_by = Anchors::<T>::get(id).and_then(|other| other.issuer());
			given_by.is_some_and(|giver| givers.contains(&giver))
		};
		for id in KeyAnchors::<T>::get(record.key_id).into_iter().filter(is_of_issuer) {
			Self::end_anchor(id, revocation);
		}
		Ok(())
	}

	/// Ends the key of an anchor and every anchor of it, of which there are
	/// [`MAX_ANCHORS_PER_KEY`](dpki_primitives::anchor::MAX_ANCHORS_PER_KEY) at most.
	pub(crate) fn revoke_anchor_key(
		anchor: AnchorId,
		key: KeyId,
		revocation: Revocation,
	) -> DispatchResult {
		let is_revoked = RevokedAnchorKeys::<T>::contains_key(key);
		ensure!(!is_revoked, Error::<T>::AnchorAlreadyRevoked);
		RevokedAnchorKeys::<T>::insert(key, ());
		if revocation.reason == RevocationReason::KeyCompromise {
			// Certificates of this key, which are not the registry's, end with it.
			T::CompromisedKeys::note(key, revocation.at);
		}
		Self::deposit_event(Event::AnchorKeyRevoked { key, reason: revocation.reason });
		let others = KeyAnchors::<T>::take(key);
		for id in others.into_iter().filter(|id| *id != anchor) {
			Self::end_anchor(id, revocation);
		}
		Self::end_anchor(anchor, revocation);
		Ok(())
	}

	/// Marks an anchor as revoked, unless it is.
	pub(crate) fn end_anchor(anchor: AnchorId, revocation: Revocation) {
		let Some(mut record) = Anchors::<T>::get(anchor) else { return };
		if record.revocation.is_some() {
			return;
		}
		record.revocation = Some(revocation);
		let (organisation, reason) = (record.organisation, revocation.reason);
		Anchors::<T>::insert(anchor, record);
		OrganisationAnchors::<T>::mutate(organisation, |list| list.retain(|id| *id != anchor));
		T::Economy::release(Resource::Anchor(anchor));
		Self::deposit_event(Event::AnchorRevoked { anchor, organisation, reason });
	}

	/// Appends to the revocation list of an SSH CA. A retired CA can still revoke, as what it signed is in use; for
	/// a revoked one there is nothing left to revoke.
	pub(crate) fn do_revoke_ssh(
		account: T::AccountId,
		anchor: AnchorId,
		subject: SshSubject,
		reason: RevocationReason,
	) -> DispatchResult {
		let record = Self::managed_anchor(&Actor::Account(account), anchor)?;
		ensure!(!record.kind.is_x509(), Error::<T>::AnchorNotSsh);
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
		origin: OriginFor<T>,
		key: KeyId,
		reason: RevocationReason,
	) -> DispatchResult {
		let record = Keys::<T>::get(key).ok_or(Error::<T>::KeyUnknown)?;
		Self::revocable_device(origin, record.device)?;
		Self::end_key(key, record, reason)?;
		Ok(())
	}

	/// Ends a key on whose authority ever, on hold or not. A key ends once; but a milder reason gives way to compromise, at the time that
	/// stands already: a thief who ends a stolen key as superseded must not be believed for ever. What was announced to follow it stays if the key is compromised, as that is
	/// what it was announced for; in every other case the organisation does not want the key, nor its successor.
	pub(crate) fn end_key(
		key: KeyId,
		mut record: KeyRecord,
		reason: RevocationReason,
	) -> Result<(), Error<T>> {
		ensure!(Self::may_end(&record, reason), Error::<T>::KeyAlreadyRevoked);
		let device = record.device;
		let at = record.withdrawal.revocation().map_or_else(Self::now, |before| before.at);
		record.withdrawal = Withdrawal::Revoked(Revocation { reason, at });
		Keys::<T>::insert(key, record);
		DeviceKeys::<T>::mutate(device, |list| list.retain(|id| *id != key));
		if reason != RevocationReason::KeyCompromise {
			NextKeys::<T>::remove(key);
		}
		T::Economy::release(Resource::Key(key));
		Self::deposit_event(Event::KeyRevoked { key, device, reason });
		Ok(())
	}

	/// Whether a key can be revoked for this reason, or the reason of its revocation become this one.
	pub(crate) fn may_end(record: &KeyRecord, reason: RevocationReason) -> bool {
		let worst = RevocationReason::KeyCompromise;
		record
			.withdrawal
			.revocation()
			.is_none_or(|before| reason == worst && before.reason != worst)
	}

	/// Revokes a device, and with it, by the status function, its keys.
	pub(crate) fn do_revoke_device(
		origin: OriginFor<T>,
		device: DeviceId,
		reason: RevocationReason,
	) -> DispatchResult {
		let record = Self::revocable_device(origin, device)?;
		Self::end_device(device, record, reason)?;
		Ok(())
	}

	/// The device, if whoever acts may end it or its keys: a registrar, or the body of the organisation that decides by
	/// vote, for the day on which its registrars are lost or not to be trusted. An account that governs alone acts as the
	/// registrar that it can make itself.
	pub(crate) fn revocable_device(
		origin: OriginFor<T>,
		device: DeviceId,
	) -> Result<DeviceRecord, DispatchError> {
		if let Ok(account) = ensure_signed(origin.clone()) {
			return Ok(Self::managed_device(&account, device)?);
		}
		let record = Devices::<T>::get(device).ok_or(Error::<T>::DeviceUnknown)?;
		T::Governance::ensure_governs(origin, record.organisation)?;
		Ok(record)
	}

	/// Ends a device on whose authority ever, on hold or not.
	pub(crate) fn end_device(
		device: DeviceId,
		mut record: DeviceRecord,
		reason: RevocationReason,
	) -> Result<(), Error<T>> {
		ensure!(!record.withdrawal.is_revoked(), Error::<T>::DeviceAlreadyRevoked);
		record.withdrawal = Withdrawal::Revoked(Revocation { reason, at: Self::now() });
		let organisation = record.organisation;
		Devices::<T>::insert(device, record);
		T::Economy::release(Resource::Device(device));
		Self::deposit_event(Event::DeviceRevoked { device, organisation, reason });
		Ok(())
	}
}
