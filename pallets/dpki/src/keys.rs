//! Keys of devices: what a new key must be, what proves its possession, and its registration.

use crate::{Config, DeviceKeys, Devices, Error, Event, Keys, Pallet, crypto};
use alloc::vec::Vec;
use dpki_primitives::{
	Moment,
	context::{Action, Registrant},
	device::{DeviceRecord, KeyList, MAX_KEYS_PER_DEVICE},
	ids::{DeviceId, KeyId},
	key::{KeyPurpose, KeyRecord, NewKey, PublicKey},
	status::Validity,
};
use frame_support::ensure;

/// The circumstances under which possession of a key is proven.
#[derive(Clone, Copy)]
pub(crate) struct Occasion {
	/// Who registers.
	pub registrant: Registrant,
	/// For which device.
	pub device: DeviceId,
	/// How many keys were ever registered for the device.
	pub nonce: u64,
	/// Last moment at which the proof is accepted.
	pub expires_at: Moment,
}

impl<T: Config> Pallet<T> {
	/// Registers a key for a device on the authority of `account`. Returns how many signing keys of the device were
	/// tried.
	pub(crate) fn do_register_key(
		account: T::AccountId,
		device: DeviceId,
		key: NewKey,
		expires_at: Moment,
	) -> Result<u32, Error<T>> {
		let mut record = Self::managed_device(&account, device)?;
		ensure!(record.revocation.is_none(), Error::<T>::DeviceWasRevoked);
		let now = Self::now();
		Self::ensure_unexpired(expires_at, now)?;
		let mut list = DeviceKeys::<T>::get(device);
		ensure!(list.len() < MAX_KEYS_PER_DEVICE as usize, Error::<T>::KeyListFull);
		Self::ensure_registrable(&key, now)?;

		let registrant = Registrant::Account(account.into());
		let occasion = Occasion { registrant, device, nonce: record.keys_registered, expires_at };
		let vouching = match key.public.key_type.can_sign() {
			true => Vec::new(),
			false => Self::valid_signing_keys(&list, &record, now),
		};
		let tried = Self::ensure_possession(&key, &occasion, &vouching)?;

		Self::add_key(device, &mut record, &mut list, key, now)?;
		DeviceKeys::<T>::insert(device, list);
		Devices::<T>::insert(device, record);
		Ok(tried)
	}

	/// That a key may be registered at all: its form, its purpose, its validity, and that it is new to the chain.
	pub(crate) fn ensure_registrable(key: &NewKey, now: Moment) -> Result<(), Error<T>> {
		ensure!(crypto::is_well_formed(&key.public), Error::<T>::KeyMalformed);
		ensure!(key.purpose.allows(key.public.key_type), Error::<T>::KeyUnfitForPurpose);
		ensure!(key.not_after.is_none_or(|end| end >= now), Error::<T>::KeyValidityInvalid);
		match Keys::<T>::get(KeyId::of(&key.public)) {
			None => Ok(()),
			Some(record) if record.revocation.is_some() => Err(Error::<T>::KeyWasRevoked),
			Some(_) => Err(Error::<T>::KeyAlreadyRegistered),
		}
	}

	/// That the holder of the key wants it registered on this occasion. A key that cannot sign is vouched for by one
	/// of `vouching`; returns how many of them were tried.
	pub(crate) fn ensure_possession(
		key: &NewKey,
		occasion: &Occasion,
		vouching: &[PublicKey],
	) -> Result<u32, Error<T>> {
		let action = Action::PossessKey {
			registrant: occasion.registrant,
			device: occasion.device,
			purpose: key.purpose,
			key: KeyId::of(&key.public),
			not_after: key.not_after,
		};
		let payload = Self::payload(action, occasion.nonce, occasion.expires_at);
		if key.public.key_type.can_sign() {
			ensure!(
				crypto::verify(&key.public, &payload, &key.possession),
				Error::<T>::PossessionInvalid
			);
			return Ok(0);
		}
		ensure!(!vouching.is_empty(), Error::<T>::SigningKeyMissing);
		let voucher = vouching
			.iter()
			.position(|signing| crypto::verify(signing, &payload, &key.possession))
			.ok_or(Error::<T>::PossessionInvalid)?;
		Ok(voucher as u32 + 1)
	}

	/// The signing keys in `list` that may be relied on now.
	fn valid_signing_keys(list: &KeyList, device: &DeviceRecord, now: Moment) -> Vec<PublicKey> {
		list.iter()
			.filter_map(Keys::<T>::get)
			.filter(|key| key.purpose == KeyPurpose::Sign)
			.filter(|key| Self::status_of_key(key, Some(device), now).is_valid())
			.map(|key| key.public)
			.collect()
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
