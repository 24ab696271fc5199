//! Devices: how they come into being, and who may act on them. Their end is in [`crate::revocation`].

use crate::{Config, DeviceKeys, Devices, Error, Pallet};
use dpki_primitives::{
	Moment,
	device::{DeviceRecord, KeyList},
	ids::{DeviceId, Name, OrganisationId},
	key::NewKey,
	organisation::Role,
};

impl<T: Config> Pallet<T> {
	/// Stores a device with its first keys, all of which have been judged.
	pub(crate) fn create_device(
		device: DeviceId,
		organisation: OrganisationId,
		name: Name,
		keys: impl IntoIterator<Item = NewKey>,
		now: Moment,
	) -> Result<(), Error<T>> {
		let mut record = DeviceRecord {
			organisation,
			name,
			enrolled_at: now,
			keys_registered: 0,
			revocation: None,
		};
		let mut list = KeyList::default();
		for key in keys {
			Self::add_key(device, &mut record, &mut list, key, now)?;
		}
		DeviceKeys::<T>::insert(device, list);
		Devices::<T>::insert(device, record);
		Ok(())
	}

	/// The device, if `account` may act on it.
	pub(crate) fn managed_device(
		account: &T::AccountId,
		device: DeviceId,
	) -> Result<DeviceRecord, Error<T>> {
		let record = Devices::<T>::get(device).ok_or(Error::<T>::DeviceUnknown)?;
		Self::ensure_role(record.organisation, account, Role::Registrar)?;
		Ok(record)
	}
}
