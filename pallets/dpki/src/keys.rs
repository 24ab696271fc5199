//! Keys of devices: what a new key must be, what proves its possession, what shows that its device wants it, and its
//! registration.

use crate::{
	Config, DeviceKeys, Devices, Error, Event, KeyAnchors, Keys, Pallet, RevokedAnchorKeys, crypto,
};
use dpki_primitives::{
	Moment,
	context::{Action, Registrant},
	device::{DeviceRecord, KeyList, MAX_KEYS_PER_DEVICE},
	ids::{DeviceId, KeyId},
	key::{Consent, KeyPurpose, KeyRecord, NewKey},
	status::Validity,
};
use frame_support::ensure;

/// The circumstances under which possession of a key is proven and a device consents to it.
#[derive(Clone, Copy)]
pub(crate) struct Occasion {
	/// Who registers.
	pub registrant: Registrant,
	/// For which device.
	pub device: DeviceId,
	/// How many keys were ever registered for the device.
	pub nonce: u64,
	/// Last moment at which the signatures are accepted.
	pub expires_at: Moment,
}

impl<T: Config> Pallet<T> {
	/// Registers a key for a device on the authority of `account`, with the consent of the device.
	pub(crate) fn do_register_key(
		account: T::AccountId,
		device: DeviceId,
		key: NewKey,
		consent: Consent,
		expires_at: Moment,
	) -> Result<(), Error<T>> {
		let mut record = Self::managed_device(&account, device)?;
		ensure!(record.revocation.is_none(), Error::<T>::DeviceWasRevoked);
		let now = Self::now();
		Self::ensure_unexpired(expires_at, now)?;
		let mut list = DeviceKeys::<T>::get(device);
		ensure!(list.len() < MAX_KEYS_PER_DEVICE as usize, Error::<T>::KeyListFull);
		Self::ensure_registrable(&key, now)?;

		let registrant = Registrant::Account(account.into());
		let occasion = Occasion { registrant, device, nonce: record.keys_registered, expires_at };
		Self::ensure_consent(&key, &consent, &occasion, &record, now)?;
		Self::ensure_possession(&key, &occasion)?;

		Self::add_key(device, &mut record, &mut list, key, now)?;
		DeviceKeys::<T>::insert(device, list);
		Devices::<T>::insert(device, record);
		Ok(())
	}

	/// That a key may be registered at all: its form, its purpose, its validity, and that it is new to the chain.
	pub(crate) fn ensure_registrable(key: &NewKey, now: Moment) -> Result<(), Error<T>> {
		ensure!(crypto::is_well_formed(&key.public), Error::<T>::KeyMalformed);
		ensure!(key.purpose.allows(key.public.key_type), Error::<T>::KeyUnfitForPurpose);
		ensure!(key.not_after.is_none_or(|end| end >= now), Error::<T>::KeyValidityInvalid);
		let id = KeyId::of(&key.public);
		ensure!(!RevokedAnchorKeys::<T>::contains_key(id), Error::<T>::KeyWasRevoked);
		// What a device signs must never read as what a certification authority signs.
		ensure!(!KeyAnchors::<T>::contains_key(id), Error::<T>::KeyAlreadyRegistered);
		match Keys::<T>::get(id) {
			None => Ok(()),
			Some(record) if record.revocation.is_some() => Err(Error::<T>::KeyWasRevoked),
			Some(_) => Err(Error::<T>::KeyAlreadyRegistered),
		}
	}

	/// That the holder of the key wants it registered on this occasion.
	pub(crate) fn ensure_possession(key: &NewKey, occasion: &Occasion) -> Result<(), Error<T>> {
		let action = Action::PossessKey {
			registrant: occasion.registrant,
			device: occasion.device,
			purpose: key.purpose,
			key: KeyId::of(&key.public),
			not_after: key.not_after,
		};
		let payload = Self::payload(action, occasion.nonce, occasion.expires_at);
		ensure!(
			crypto::verify(&key.public, &payload, &key.possession),
			Error::<T>::PossessionInvalid
		);
		Ok(())
	}

	/// That the device wants the key registered on this occasion. The consenting key has to be one that may speak for
	/// the device now; whoever asks names it, so that one signature is verified and not one per key of the device.
	fn ensure_consent(
		key: &NewKey,
		consent: &Consent,
		occasion: &Occasion,
		device: &DeviceRecord,
		now: Moment,
	) -> Result<(), Error<T>> {
		let consenting = Keys::<T>::get(consent.key)
			.filter(|it| it.device == occasion.device && it.purpose == KeyPurpose::Sign)
			.filter(|it| Self::status_of_key(it, Some(device), now).is_valid())
			.ok_or(Error::<T>::ConsentInvalid)?;
		let action = Action::AdmitKey {
			registrant: occasion.registrant,
			device: occasion.device,
			purpose: key.purpose,
			key: KeyId::of(&key.public),
			not_after: key.not_after,
		};
		let payload = Self::payload(action, occasion.nonce, occasion.expires_at);
		ensure!(
			crypto::verify(&consenting.public, &payload, &consent.signature),
			Error::<T>::ConsentInvalid
		);
		Ok(())
	}

	/// Stores a key that has been judged. The caller stores `record` and `list`.
	pub(crate) fn add_key(
		device: DeviceId,
		record: &mut DeviceRecord,
		list: &mut KeyList,
		key: NewKey,
		now: Moment,
	) -> Result<(), Error<T>> {
		let NewKey { purpose, public, not_after, .. } = key;
		let id = KeyId::of(&public);
		list.try_push(id).map_err(|_| Error::<T>::KeyListFull)?;
		record.keys_registered = record.keys_registered.saturating_add(1);
		let key = KeyRecord {
			device,
			purpose,
			public,
			validity: Validity { not_before: now, not_after },
			registered_at: now,
			superseded: false,
			revocation: None,
		};
		Keys::<T>::insert(id, key);
		Self::deposit_event(Event::KeyRegistered { key: id, device, purpose });
		Ok(())
	}
}
