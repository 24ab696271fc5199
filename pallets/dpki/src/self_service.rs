//! What a device does alone: it adds and replaces keys by the word of one of its signing keys, without an account, if its
//! organisation lets it.
//!
//! Nobody signs the extrinsic and nobody pays, so everything is judged before it enters a pool, as for an enrolment (see
//! [`crate::enrolment`]). What keeps it scarce is a quota per device that comes back with time: it is looked up before
//! any signature is verified.
//!
//! What a device can do alone, whoever has stolen its signing key can do too. So an organisation has to allow it, and a
//! signing key with an announced successor brings in no other signing key: a thief is left with keys that a registrar
//! can take away, and the holder of the announced key takes the device back (see [`crate::next_keys`]).

use crate::{
	Config, Devices, Error, Event, KeyPolicies, KeyQuotas, Keys, NextKeys, Pallet, crypto,
	keys::{Admission, Replacing},
};
use codec::Encode;
use dpki_primitives::{
	Moment,
	context::{Action, Registrant},
	ids::{DeviceId, KeyCommitment, KeyId},
	key::{Consent, KeyPurpose, NewKey, PublicKey},
	quota::DeviceQuota,
};
use frame_support::{
	dispatch::DispatchResult,
	ensure,
	pallet_prelude::{
		TransactionPriority, TransactionTag, TransactionValidityWithRefund, ValidTransaction,
	},
	weights::Weight,
};

/// How many blocks such a transaction may wait in a pool, after which the device asks again.
const LONGEVITY: u64 = 64;

/// Behind everything that pays, as an enrolment.
const PRIORITY: TransactionPriority = 1;

/// An announcement of which everything but the signature has been judged.
pub(crate) struct Announcement {
	signer: PublicKey,
	pub device: DeviceId,
	nonce: u64,
}

impl<T: Config> Pallet<T> {
	/// Whether a key that a device brings in alone may enter a pool and a block. Two signature verifications.
	pub(crate) fn authorize_own_key(
		device: DeviceId,
		replacing: Option<Replacing>,
		key: &NewKey,
		consent: &Consent,
		expires_at: Moment,
	) -> TransactionValidityWithRefund {
		let (admission, _) = Self::judge_own_key(device, replacing, key, consent.key, expires_at)?;
		Self::verify_admission(&admission, key, &consent.signature)?;
		Ok((Self::own_transaction(device), Weight::zero()))
	}

	/// As [`Self::authorize_own_key`], for the device of the key that is replaced.
	pub(crate) fn authorize_own_replacement(
		replacing: Replacing,
		key: &NewKey,
		consent: &Consent,
		expires_at: Moment,
	) -> TransactionValidityWithRefund {
		let device = Self::device_of_replaced(replacing.old)?;
		Self::authorize_own_key(device, Some(replacing), key, consent, expires_at)
	}

	/// Registers the key. The signatures are those that the authorisation verified in this very extrinsic.
	pub(crate) fn do_add_own_key(
		device: DeviceId,
		replacing: Option<Replacing>,
		key: NewKey,
		consenting: KeyId,
		expires_at: Moment,
	) -> DispatchResult {
		let (admission, quota) =
			Self::judge_own_key(device, replacing, &key, consenting, expires_at)?;
		KeyQuotas::<T>::insert(device, quota);
		Self::admit(admission, key.into_terms())?;
		Ok(())
	}

	/// Everything about a key that a device brings in alone that depends on the state or the time; with the quota that is
	/// left after it.
	fn judge_own_key(
		device: DeviceId,
		replacing: Option<Replacing>,
		key: &NewKey,
		consenting: KeyId,
		expires_at: Moment,
	) -> Result<(Admission, DeviceQuota), Error<T>> {
		let quota = Self::left_alone(device)?;
		// The announced successor may come by the word of the key that it follows: that is what was announced.
		let is_announced = replacing.is_some_and(|it| NextKeys::<T>::contains_key(it.old));
		if !is_announced {
			Self::ensure_unbound(consenting, key.purpose)?;
		}
		let admission = Self::judge_admission(
			Registrant::Device,
			device,
			replacing,
			key,
			consenting,
			expires_at,
		)?;
		Ok((admission, quota))
	}

	/// That the device may do something alone now, and what is left of its quota after that.
	pub(crate) fn left_alone(device: DeviceId) -> Result<DeviceQuota, Error<T>> {
		let record = Devices::<T>::get(device).ok_or(Error::<T>::DeviceUnknown)?;
		ensure!(
			KeyPolicies::<T>::get(record.organisation).self_service,
			Error::<T>::SelfServiceOff
		);
		let quota = KeyQuotas::<T>::get(device);
		let signed = quota.signed.spend(Self::now()).ok_or(Error::<T>::QuotaExhausted)?;
		Ok(DeviceQuota { signed, ..quota })
	}

	/// That the word of this key alone can bring in a key for this purpose.
	fn ensure_unbound(signer: KeyId, purpose: KeyPurpose) -> Result<(), Error<T>> {
		let is_bound = purpose == KeyPurpose::Sign && NextKeys::<T>::contains_key(signer);
		ensure!(!is_bound, Error::<T>::SignerBound);
		Ok(())
	}

	/// Whether an announcement that a device makes alone may enter a pool and a block. One signature verification.
	pub(crate) fn authorize_own_announcement(
		key: KeyId,
		commitment: KeyCommitment,
		consent: &Consent,
		expires_at: Moment,
	) -> TransactionValidityWithRefund {
		let (announcement, _) = Self::judge_own_announcement(key, consent.key, expires_at)?;
		Self::verify_announcement(
			&announcement,
			Registrant::Device,
			key,
			commitment,
			consent,
			expires_at,
		)?;
		Ok((Self::own_transaction(announcement.device), Weight::zero()))
	}

	/// Announces the successor of a key, as the first one. The signature is the one that the authorisation verified in
	/// this very extrinsic.
	pub(crate) fn do_announce_alone(
		key: KeyId,
		commitment: KeyCommitment,
		consenting: KeyId,
		expires_at: Moment,
	) -> DispatchResult {
		let (Announcement { device, .. }, quota) =
			Self::judge_own_announcement(key, consenting, expires_at)?;
		KeyQuotas::<T>::insert(device, quota);
		Self::announce(device, key, commitment);
		Ok(())
	}

	fn judge_own_announcement(
		key: KeyId,
		consenting: KeyId,
		expires_at: Moment,
	) -> Result<(Announcement, DeviceQuota), Error<T>> {
		let record = Keys::<T>::get(key).ok_or(Error::<T>::KeyUnknown)?;
		let quota = Self::left_alone(record.device)?;
		// Whoever holds the current key must not be able to change what was announced.
		ensure!(!NextKeys::<T>::contains_key(key), Error::<T>::SuccessorAnnounced);
		Self::ensure_unbound(consenting, record.purpose)?;
		let announcement = Self::judge_announcement(key, consenting, expires_at)?;
		Ok((announcement, quota))
	}

	/// Everything about an announcement that depends on the state or the time.
	pub(crate) fn judge_announcement(
		key: KeyId,
		consenting: KeyId,
		expires_at: Moment,
	) -> Result<Announcement, Error<T>> {
		let now = Self::now();
		Self::ensure_unexpired(expires_at, now)?;
		let current = Keys::<T>::get(key).ok_or(Error::<T>::KeyUnknown)?;
		let device = current.device;
		let record = Devices::<T>::get(device).ok_or(Error::<T>::DeviceUnknown)?;
		Self::ensure_unwithdrawn(&record)?;
		Self::ensure_replaceable(&current)?;
		ensure!(current.superseded_at.is_none(), Error::<T>::KeyAlreadyReplaced);
		let signer = Self::speaking_key(device, consenting, &record, now)?;
		Ok(Announcement { signer, device, nonce: record.keys_registered })
	}

	/// That the device announces this successor.
	pub(crate) fn verify_announcement(
		announcement: &Announcement,
		registrant: Registrant,
		key: KeyId,
		commitment: KeyCommitment,
		consent: &Consent,
		expires_at: Moment,
	) -> Result<(), Error<T>> {
		let device = announcement.device;
		let action = Action::AnnounceKey { registrant, device, key, commitment };
		let payload = Self::payload(action, announcement.nonce, expires_at);
		ensure!(
			crypto::verify(&announcement.signer, &payload, &consent.signature),
			Error::<T>::ConsentInvalid
		);
		Ok(())
	}

	/// Stores an announcement that has been judged.
	pub(crate) fn announce(device: DeviceId, key: KeyId, commitment: KeyCommitment) {
		NextKeys::<T>::insert(key, commitment);
		Self::deposit_event(Event::SuccessorAnnounced { key, device, commitment });
	}

	/// What a pool is told of a transaction of this device. It holds one of them at a time.
	fn own_transaction(device: DeviceId) -> ValidTransaction {
		ValidTransaction {
			priority: PRIORITY,
			requires: alloc::vec::Vec::new(),
			provides: alloc::vec![Self::self_service_tag(device)],
			longevity: LONGEVITY,
			propagate: true,
		}
	}

	/// By which a pool knows what takes of the quota of a device.
	pub(crate) fn self_service_tag(device: DeviceId) -> TransactionTag {
		(b"dpki/self-service", device).encode()
	}
}
