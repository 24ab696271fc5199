//! What may be asked by other pallets, through [`Registry`]; everybody else asks the view functions.

use crate::{Config, KeyPolicies, Pallet, Registrants, RequestQueues, RevokedAnchorKeys, crypto};
use dpki_primitives::{
	Moment,
	device::DeviceRecord,
	ids::{DeviceId, KeyId, OrganisationId},
	key::{KeyRecord, PublicKey},
	key_policy::KeyPolicy,
	organisation::Belongings,
	registry::Registry,
	status::{Status, status},
};

impl<T: Config> Pallet<T> {
	pub(crate) fn status_of_key(
		key: &KeyRecord,
		device: Option<&DeviceRecord>,
		now: Moment,
	) -> Status {
		status(Some(&key.standing()), &[device.map(DeviceRecord::standing)], now)
	}

	pub(crate) fn status_of_device(device: Option<&DeviceRecord>, now: Moment) -> Status {
		status(device.map(DeviceRecord::standing).as_ref(), &[], now)
	}
}

impl<T: Config> Belongings for Pallet<T> {
	/// An open voucher counts: it could bring a device to an organisation that is no more. So do a request and a key
	/// policy, which would be those of the next organisation of this name.
	fn is_empty(organisation: OrganisationId) -> bool {
		!Registrants::<T>::contains_key(organisation)
			&& !RequestQueues::<T>::contains_key(organisation)
			&& !KeyPolicies::<T>::contains_key(organisation)
	}
}

impl<T: Config> Registry for Pallet<T> {
	fn device(device: DeviceId) -> Option<DeviceRecord> {
		Self::device(device)
	}

	fn device_status(device: DeviceId) -> Status {
		Self::device_status(device)
	}

	fn key(key: KeyId) -> Option<KeyRecord> {
		Self::key(key)
	}

	fn key_status(key: KeyId) -> Status {
		Self::key_status(key)
	}

	fn key_policy(organisation: OrganisationId) -> KeyPolicy {
		Self::key_policy(organisation)
	}

	fn is_anchor_key_revoked(key: KeyId) -> bool {
		RevokedAnchorKeys::<T>::contains_key(key)
	}

	fn is_well_formed(key: &PublicKey) -> bool {
		crypto::is_well_formed(key)
	}

	fn verify(key: &PublicKey, payload: &[u8], signature: &[u8]) -> bool {
		crypto::verify(key, payload, signature)
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn enrol_for_benchmark(
		organisation: OrganisationId,
		name: &[u8],
		signing: PublicKey,
		agreement: PublicKey,
	) -> DeviceId {
		crate::benchmarking::enrol_unchecked::<T>(organisation, name, signing, agreement)
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn revoke_for_benchmark(key: KeyId) {
		use dpki_primitives::revocation::{Revocation, RevocationReason, Withdrawal};
		let revocation = Revocation { reason: RevocationReason::KeyCompromise, at: Self::now() };
		crate::Keys::<T>::mutate(key, |record| {
			let record = record.as_mut().expect("the key was made for the benchmark");
			record.withdrawal = Withdrawal::Revoked(revocation);
		});
	}
}
