//! Devices: how they come into being, and who may act on them. Their end is in [`crate::revocation`].

use crate::{
	Config, DeviceKeys, Devices, Error, KeyPolicies, Pallet, crypto::Claim, keys::Occasion,
};
use alloc::{collections::BTreeSet, vec::Vec};
use dpki_primitives::{
	Moment,
	context::Registrant,
	device::{DeviceRecord, KeyList},
	ids::{DeviceId, Name, OrganisationId},
	key::{KeyPurpose, KeyTerms, NewKey},
	organisation::Role,
	revocation::Withdrawal,
};
use frame_support::ensure;

impl<T: Config> Pallet<T> {
	/// Everything about the first keys of a device that depends on the state or the time.
	pub(crate) fn judge_first_keys(
		organisation: OrganisationId,
		device: DeviceId,
		keys: &[NewKey],
		now: Moment,
	) -> Result<(), Error<T>> {
		ensure!(!Devices::<T>::contains_key(device), Error::<T>::DeviceExists);
		ensure!(!keys.is_empty(), Error::<T>::KeyListEmpty);
		// Without one the device could neither consent to further keys nor acknowledge.
		ensure!(
			keys.iter().any(|key| key.purpose == KeyPurpose::Sign),
			Error::<T>::SigningKeyMissing
		);
		let policy = KeyPolicies::<T>::get(organisation);
		let mut seen = BTreeSet::new();
		for key in keys {
			// There is no signing key yet whose word could stand for the proof.
			ensure!(!key.public.key_type.is_hash(), Error::<T>::KeyUnproven);
			ensure!(seen.insert(key.id(device)), Error::<T>::KeyRepeated);
			Self::ensure_registrable(device, &key.clone().into_terms(), &policy, now)?;
		}
		Ok(())
	}

	/// What the first keys of a device claim to have signed: each that it is to be registered by this registrant.
	pub(crate) fn first_claims(
		registrant: Registrant,
		device: DeviceId,
		keys: &[NewKey],
		expires_at: Moment,
	) -> Vec<Claim<'_>> {
		(0..)
			.zip(keys)
			.map(|(nonce, key)| {
				let occasion = Occasion { registrant, device, nonce, expires_at };
				Claim {
					key: &key.public,
					payload: Self::possession_payload(key, &occasion),
					signature: &key.possession,
				}
			})
			.collect()
	}

	/// Stores a device with its first keys, all of which have been judged.
	pub(crate) fn create_device(
		device: DeviceId,
		organisation: OrganisationId,
		name: Name,
		keys: impl IntoIterator<Item = KeyTerms>,
		now: Moment,
	) -> Result<(), Error<T>> {
		let mut record = DeviceRecord {
			organisation,
			name,
			enrolled_at: now,
			keys_registered: 0,
			withdrawal: Withdrawal::None,
		};
		let mut list = KeyList::default();
		for key in keys {
			Self::add_key(device, &mut record, &mut list, key, now)?;
		}
		DeviceKeys::<T>::insert(device, list);
		Devices::<T>::insert(device, record);
		Self::list_device(organisation, device);
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
