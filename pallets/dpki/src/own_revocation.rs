//! Revocation by the device itself: the word of one of its signing keys ends that key, or one of those that do not sign.
//!
//! Whoever has stolen a signing key can say whatever it can. So what a signing key ends is bounded by what its owner can
//! have back:
//!
//! - *Itself*, always. That is no more than whoever holds a key can do by a proof of its compromise
//!   ([`crate::compromise`]), and needs neither the leave of the organisation nor a quota. A milder reason that a thief gives
//!   does not stay: it becomes compromise as soon as anybody proves that, or the organisation says so.
//! - *A key that does not sign*, where the organisation lets devices act alone, and within the quota of the device. The
//!   owner brings in another one: by its registrar, by the announced successor of that key, or by the device itself.
//! - *No other signing key.* A thief of one would be the only one left to speak for the device, and the owner could not
//!   come back without enrolling it under another name.
//! - *No announcement.* What was announced to follow a key outlives what the device alone does to it, so a key with an
//!   announced successor ends for its compromise and for no other reason. The announced key itself is not registered
//!   before it is revealed, so there is nothing to revoke.
//!
//! It is operational, as every revocation, and nobody pays. Each key ends once, and a block takes no more of these
//! together with the reports of a compromise than [`MAX_UNPAID_REPORTS`].

use crate::{
	Config, Devices, Error, KeyQuotas, Keys, MAX_UNPAID_REPORTS, NextKeys, Pallet,
	compromise::{LONGEVITY, PRIORITY},
	crypto,
};
use codec::Encode;
use dpki_primitives::{
	Moment,
	context::Action,
	ids::KeyId,
	key::{Consent, KeyPurpose, KeyRecord, PublicKey},
	quota::DeviceQuota,
	revocation::RevocationReason,
};
use frame_support::{
	dispatch::DispatchResult,
	ensure,
	pallet_prelude::{InvalidTransaction, TransactionValidityWithRefund, ValidTransaction},
	weights::Weight,
};

/// A revocation of which everything but the signature has been judged.
struct Renunciation {
	record: KeyRecord,
	signer: PublicKey,
	/// What is left of the quota of the device, if this takes of it.
	quota: Option<DeviceQuota>,
}

impl<T: Config> Pallet<T> {
	/// Whether the revocation of a key by its device may enter a pool and a block. One signature verification.
	pub(crate) fn authorize_own_revocation(
		key: KeyId,
		reason: RevocationReason,
		consent: &Consent,
		expires_at: Moment,
	) -> TransactionValidityWithRefund {
		// As for the reports of a compromise: it waits for the next block.
		ensure!(Self::unpaid_reports() < MAX_UNPAID_REPORTS, InvalidTransaction::Future);
		let Renunciation { record, signer, quota } =
			Self::judge_own_revocation(key, reason, consent.key, expires_at)?;
		let action = Action::RevokeKey { device: record.device, key, reason };
		let payload = Self::payload(action, 0, expires_at);
		ensure!(crypto::verify(&signer, &payload, &consent.signature), Error::<T>::ConsentInvalid);
		let mut provides = alloc::vec![(b"dpki/revoke-own", key).encode()];
		if quota.is_some() {
			// One after the other, like everything that takes of the quota: all but one would fail in a block.
			provides.push(Self::self_service_tag(record.device));
		}
		let validity = ValidTransaction {
			priority: PRIORITY,
			requires: alloc::vec::Vec::new(),
			provides,
			longevity: LONGEVITY,
			propagate: true,
		};
		Ok((validity, Weight::zero()))
	}

	/// Revokes the key. The signature is the one that the authorisation verified in this very extrinsic.
	pub(crate) fn do_revoke_own_key(
		key: KeyId,
		reason: RevocationReason,
		consenting: KeyId,
		expires_at: Moment,
	) -> DispatchResult {
		let Renunciation { record, quota, .. } =
			Self::judge_own_revocation(key, reason, consenting, expires_at)?;
		Self::count_unpaid();
		if let Some(quota) = quota {
			KeyQuotas::<T>::insert(record.device, quota);
		}
		Self::end_key(key, record, reason)?;
		Ok(())
	}

	/// Everything about it that depends on the state or the time.
	fn judge_own_revocation(
		key: KeyId,
		reason: RevocationReason,
		consenting: KeyId,
		expires_at: Moment,
	) -> Result<Renunciation, Error<T>> {
		let now = Self::now();
		Self::ensure_unexpired(expires_at, now)?;
		let record = Keys::<T>::get(key).ok_or(Error::<T>::KeyUnknown)?;
		ensure!(!record.withdrawal.is_revoked(), Error::<T>::KeyAlreadyRevoked);
		let quota = match consenting == key {
			true => None,
			false => {
				let protects = record.purpose == KeyPurpose::Sign;
				ensure!(!protects, Error::<T>::SigningKeyProtected);
				Some(Self::left_alone(record.device)?)
			},
		};
		let keeps_successor = reason == RevocationReason::KeyCompromise;
		ensure!(
			keeps_successor || !NextKeys::<T>::contains_key(key),
			Error::<T>::SuccessorAnnounced
		);
		let device = Devices::<T>::get(record.device).ok_or(Error::<T>::DeviceUnknown)?;
		Self::ensure_unwithdrawn(&device)?;
		let signer = Self::speaking_key(record.device, consenting, &device, now)?;
		Ok(Renunciation { record, signer, quota })
	}
}
