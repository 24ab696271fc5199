//! Many devices in one call: all of them or none.
//!
//! A batch is told which of its members was refused first, and why: it fails as a whole, so there is no event that could
//! say so, and the error carries the position and the number of the [`Refusal`].

use crate::{Config, Error, Event, Keys, Pallet, Registrants, crypto};
use alloc::{collections::BTreeSet, vec::Vec};
use codec::{Decode, DecodeWithMemTracking, Encode};
use dpki_primitives::{
	Moment,
	context::Registrant,
	device::NewDevice,
	ids::{DeviceId, KeyId, OrganisationId, is_valid_name},
	key::NewKey,
	organisation::Role,
	refusal::Refusal,
	revocation::RevocationReason,
};
use frame_support::{PalletError, ensure};
use scale_info::TypeInfo;
use sp_runtime::{DispatchError, DispatchResult};

/// Which member of a batch was refused first, and why.
#[derive(
	Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo, PalletError,
)]
pub struct BatchFailure {
	/// Its position in the batch, counted from 0.
	pub index: u16,
	/// The number of the [`Refusal`]; 0 where there is none.
	pub refusal: u8,
}

impl BatchFailure {
	/// The reason, if it has a number.
	pub fn refusal(&self) -> Option<Refusal> {
		Refusal::from_code(self.refusal)
	}
}

impl<T: Config> Pallet<T> {
	/// Registers devices with their keys on the authority of `account`.
	pub(crate) fn do_register_batch(
		account: T::AccountId,
		organisation: OrganisationId,
		devices: Vec<NewDevice>,
		expires_at: Moment,
	) -> DispatchResult {
		Self::ensure_role(organisation, &account, Role::Registrar)?;
		let now = Self::now();
		Self::ensure_unexpired(expires_at, now)?;
		ensure!(!devices.is_empty(), Error::<T>::BatchEmpty);

		let registrant = Registrant::Account(account.into());
		let id = |device: &NewDevice| DeviceId::from_name(organisation, &device.name);
		let (mut names, mut keys) = (BTreeSet::new(), BTreeSet::new());
		let refused = (0usize..).zip(&devices).find_map(|(index, device)| {
			Self::judge_new_device(organisation, device, &mut names, &mut keys, now)
				.err()
				.map(|error| (index, error))
		});
		// What comes before the first that is refused may be refused for its signatures, which are verified together.
		let judged = refused.as_ref().map_or(devices.len(), |(index, _)| *index);
		let (mut claims, mut owners) = (Vec::new(), Vec::new());
		for (index, device) in (0usize..).zip(&devices[..judged]) {
			claims.extend(Self::first_claims(registrant, id(device), &device.keys, expires_at));
			owners.resize(claims.len(), index);
		}
		if let Err(position) = crypto::verify_all(&claims) {
			let index = owners.get(position).copied().unwrap_or_default();
			return Err(Self::failed(index, Error::<T>::PossessionInvalid));
		}
		if let Some((index, error)) = refused {
			return Err(Self::failed(index, error));
		}

		Registrants::<T>::insert(organisation, ());
		for new in devices {
			let device = DeviceId::from_name(organisation, &new.name);
			Self::deposit_event(Event::DeviceRegistered { device, organisation });
			let keys = new.keys.into_iter().map(NewKey::into_terms);
			Self::create_device(device, organisation, new.name, keys, now)?;
		}
		Ok(())
	}

	/// Everything about a member of a batch that depends on the state, the time, or the members before it.
	fn judge_new_device(
		organisation: OrganisationId,
		new: &NewDevice,
		names: &mut BTreeSet<DeviceId>,
		keys: &mut BTreeSet<KeyId>,
		now: Moment,
	) -> Result<(), Error<T>> {
		ensure!(is_valid_name(&new.name), Error::<T>::DeviceNameInvalid);
		let device = DeviceId::from_name(organisation, &new.name);
		ensure!(names.insert(device), Error::<T>::DeviceRepeated);
		Self::judge_first_keys(organisation, device, &new.keys, now)?;
		let is_new = |key: &NewKey| keys.insert(key.id(device));
		ensure!(new.keys.iter().all(is_new), Error::<T>::KeyRepeated);
		Ok(())
	}

	/// Revokes keys on the authority of `account`.
	pub(crate) fn do_revoke_keys(
		account: T::AccountId,
		keys: Vec<KeyId>,
		reason: RevocationReason,
	) -> DispatchResult {
		ensure!(!keys.is_empty(), Error::<T>::BatchEmpty);
		Self::each(keys, |key| {
			let record = Keys::<T>::get(key).ok_or(Error::<T>::KeyUnknown)?;
			Self::managed_device(&account, record.device)?;
			Self::end_key(key, record, reason)
		})
	}

	/// Revokes devices on the authority of `account`.
	pub(crate) fn do_revoke_devices(
		account: T::AccountId,
		devices: Vec<DeviceId>,
		reason: RevocationReason,
	) -> DispatchResult {
		ensure!(!devices.is_empty(), Error::<T>::BatchEmpty);
		Self::each(devices, |device| {
			let record = Self::managed_device(&account, device)?;
			Self::end_device(device, record, reason)
		})
	}

	/// Does something to each member. What the members before a failure changed is undone with the call.
	fn each<M>(members: Vec<M>, mut act: impl FnMut(M) -> Result<(), Error<T>>) -> DispatchResult {
		(0usize..)
			.zip(members)
			.try_for_each(|(index, member)| act(member).map_err(|error| Self::failed(index, error)))
	}

	fn failed(index: usize, error: Error<T>) -> DispatchError {
		let refusal = error.refusal().map_or(0, |refusal| refusal.code());
		// No batch is longer, which the constants are held to.
		let index = index.try_into().unwrap_or(u16::MAX);
		Error::<T>::BatchFailed(BatchFailure { index, refusal }).into()
	}
}
