//! Announced successors: the way back of a device whose key was lost or stolen.
//!
//! While a key is in good hands, the device publishes a hash of the key that is to follow it, and keeps that key apart.
//! Whoever holds the announced key can have it take the place of the current one at any time, with the current one or
//! without, even if that was revoked because somebody else has it. Nothing that the holder of the current key can do alone
//! changes what was announced, uses up the quota of the announced key, or its place in the list of keys, or brings another
//! key into its place. A registrar who revokes the current key for another reason than its compromise takes the announcement
//! away with it.

use crate::{
	Config, DeviceKeys, Devices, Error, KeyPolicies, KeyQuotas, Keys, NextKeys, Pallet,
	compromise::PRIORITY, crypto,
};
use codec::Encode;
use dpki_primitives::{
	Moment,
	context::{Action, Registrant},
	device::{DeviceRecord, KeyList, MAX_KEYS_PER_DEVICE},
	ids::{KeyCommitment, KeyId},
	key::{Consent, KeyRecord, NewKey},
	quota::DeviceQuota,
};
use frame_support::{
	dispatch::DispatchResult,
	ensure,
	pallet_prelude::{TransactionValidityWithRefund, ValidTransaction},
	weights::Weight,
};

/// How many blocks a reveal may wait in a pool, after which its sender asks again.
const LONGEVITY: u64 = 64;

/// A reveal whose claims about the state hold.
struct Reveal {
	old: KeyRecord,
	device: DeviceRecord,
	list: KeyList,
	quota: DeviceQuota,
	now: Moment,
}

impl<T: Config> Pallet<T> {
	/// Announces the successor of a key on the authority of `account`, with the consent of the device, or changes what
	/// was announced.
	pub(crate) fn do_announce_next_key(
		account: T::AccountId,
		key: KeyId,
		commitment: KeyCommitment,
		consent: Consent,
		expires_at: Moment,
	) -> DispatchResult {
		let device = Self::device_of_replaced(key)?;
		Self::managed_device(&account, device)?;
		let announcement = Self::judge_announcement(key, consent.key, expires_at)?;
		let registrant = Registrant::Account(account.into());
		Self::verify_announcement(
			&announcement,
			registrant,
			key,
			commitment,
			&consent,
			expires_at,
		)?;
		Self::announce(device, key, commitment);
		Ok(())
	}

	/// Whether a reveal may enter a pool and a block. One signature verification.
	pub(crate) fn authorize_reveal(
		old: KeyId,
		key: &NewKey,
		next: Option<KeyCommitment>,
		expires_at: Moment,
	) -> TransactionValidityWithRefund {
		let Reveal { old: record, .. } = Self::judge_reveal(old, key, expires_at)?;
		let device = record.device;
		let (purpose, id, not_after) = (key.purpose, key.id(device), key.not_after);
		let action = Action::RevealKey { device, old, purpose, key: id, not_after, next };
		let payload = Self::payload(action, 0, expires_at);
		ensure!(
			crypto::verify(&key.public, &payload, &key.possession),
			Error::<T>::PossessionInvalid
		);
		let validity = ValidTransaction {
			priority: PRIORITY,
			requires: alloc::vec::Vec::new(),
			provides: alloc::vec![(b"dpki/reveal", old).encode()],
			longevity: LONGEVITY,
			propagate: true,
		};
		Ok((validity, Weight::zero()))
	}

	/// Has the announced key take the place of the other one at once. The signature is the one that the authorisation
	/// verified in this very extrinsic.
	pub(crate) fn do_reveal(
		old: KeyId,
		key: NewKey,
		next: Option<KeyCommitment>,
		expires_at: Moment,
	) -> DispatchResult {
		let Reveal { old: record, device: mut owner, mut list, quota, now } =
			Self::judge_reveal(old, &key, expires_at)?;
		let device = record.device;
		KeyQuotas::<T>::insert(device, quota);
		let id = Self::add_key(device, &mut owner, &mut list, key.into_terms(), now)?;
		DeviceKeys::<T>::insert(device, list);
		Devices::<T>::insert(device, owner);
		// A revoked key is told to be replaced, too: its revocation stays the verdict. Its holder may be a thief, so there
		// is no grace.
		Self::supersede(old, record, id, now);
		if let Some(commitment) = next {
			Self::announce(device, id, commitment);
		}
		Ok(())
	}

	/// Everything about a reveal that depends on the state or the time.
	fn judge_reveal(old: KeyId, key: &NewKey, expires_at: Moment) -> Result<Reveal, Error<T>> {
		let now = Self::now();
		Self::ensure_unexpired(expires_at, now)?;
		let record = Keys::<T>::get(old).ok_or(Error::<T>::KeyUnknown)?;
		let announced = NextKeys::<T>::get(old).ok_or(Error::<T>::SuccessorUnknown)?;
		ensure!(announced == KeyCommitment::of(old, &key.public), Error::<T>::SuccessorDiffers);
		ensure!(record.purpose == key.purpose, Error::<T>::KeyPurposeDiffers);
		let id = record.device;
		let device = Devices::<T>::get(id).ok_or(Error::<T>::DeviceUnknown)?;
		Self::ensure_unwithdrawn(&device)?;
		// One that was revoked may be followed: that is what was announced.
		ensure!(!record.withdrawal.is_on_hold(), Error::<T>::KeySuspended);
		let quota = KeyQuotas::<T>::get(id);
		let announced = quota.announced.spend(now).ok_or(Error::<T>::QuotaExhausted)?;
		let quota = DeviceQuota { announced, ..quota };

		let mut list = DeviceKeys::<T>::get(id);
		list.retain(|listed| *listed != old);
		Self::make_room(&mut list, MAX_KEYS_PER_DEVICE as usize, now)?;
		ensure!(!key.public.key_type.is_hash(), Error::<T>::KeyUnproven);
		let policy = KeyPolicies::<T>::get(device.organisation);
		Self::ensure_registrable(id, &key.clone().into_terms(), &policy, now)?;
		Ok(Reveal { old: record, device, list, quota, now })
	}
}
