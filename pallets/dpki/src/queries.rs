//! What may be asked: by the runtime API, and by other pallets through [`Registry`].

use crate::{
	AnchorMaterials, Anchors, Config, CrlPointers, DeviceKeys, Devices, KeyAnchors, KeyPolicies,
	KeyQuotas, Keys, NextKeys, OrganisationAnchors, Pallet, Registrants, RequestQueues, Requests,
	RevokedAnchorKeys, SshRevocationCount, SshRevocations, Vouchers, crypto,
};
use alloc::vec::Vec;
use dpki_primitives::{
	Moment,
	anchor::{AnchorMaterial, AnchorRecord, CrlPointer},
	device::DeviceRecord,
	ids::{AnchorId, DeviceId, KeyCommitment, KeyId, OrganisationId, RequestId, VoucherId},
	key::{KeyRecord, PublicKey},
	key_policy::KeyPolicy,
	organisation::Belongings,
	quota::DeviceQuota,
	registry::Registry,
	request::{KeyRequest, QueuedRequest},
	revocation::SshRevocation,
	status::{Status, status},
	voucher::VoucherRecord,
};

impl<T: Config> Pallet<T> {
	/// The anchor as stored.
	pub fn anchor(anchor: AnchorId) -> Option<AnchorRecord> {
		Anchors::<T>::get(anchor)
	}

	/// The SSH key blob or the certificate of the anchor.
	pub fn anchor_material(anchor: AnchorId) -> Option<AnchorMaterial> {
		AnchorMaterials::<T>::get(anchor)
	}

	/// The verdict about the anchor now, everything above it included.
	pub fn anchor_status(anchor: AnchorId) -> Status {
		Self::anchor_status_at(anchor, Self::now())
	}

	/// Where the anchor publishes its revocation list.
	pub fn crl_pointer(anchor: AnchorId) -> Option<CrlPointer> {
		CrlPointers::<T>::get(anchor)
	}

	/// The anchors of the key, whoever has them; none if the key was revoked.
	pub fn anchors_of_key(key: KeyId) -> Vec<AnchorId> {
		KeyAnchors::<T>::get(key).into_inner()
	}

	/// The unrevoked anchors of the organisation, in the order of their registration.
	pub fn anchors_of(organisation: OrganisationId) -> Vec<(AnchorId, AnchorRecord)> {
		OrganisationAnchors::<T>::get(organisation)
			.into_iter()
			.filter_map(|id| Some((id, Anchors::<T>::get(id)?)))
			.collect()
	}

	/// How many entries the revocation list of this SSH CA has.
	pub fn ssh_revocation_count(anchor: AnchorId) -> u32 {
		SshRevocationCount::<T>::get(anchor)
	}

	/// A page of the revocation list of this SSH CA.
	pub fn ssh_revocations(anchor: AnchorId, page: u32) -> Vec<SshRevocation> {
		SshRevocations::<T>::get(anchor, page).into_inner()
	}

	/// The device as stored.
	pub fn device(device: DeviceId) -> Option<DeviceRecord> {
		Devices::<T>::get(device)
	}

	/// The verdict about the device now.
	pub fn device_status(device: DeviceId) -> Status {
		status(Devices::<T>::get(device).map(|it| it.standing()).as_ref(), &[], Self::now())
	}

	/// The unrevoked keys of the device, oldest first, without those that ended in another way and lost their place.
	pub fn keys_of(device: DeviceId) -> Vec<(KeyId, KeyRecord)> {
		DeviceKeys::<T>::get(device)
			.into_iter()
			.filter_map(|id| Some((id, Keys::<T>::get(id)?)))
			.collect()
	}

	/// The key as stored.
	pub fn key(key: KeyId) -> Option<KeyRecord> {
		Keys::<T>::get(key)
	}

	/// The verdict about the key now, its device included.
	pub fn key_status(key: KeyId) -> Status {
		match Keys::<T>::get(key) {
			Some(record) => {
				let device = Devices::<T>::get(record.device);
				Self::status_of_key(&record, device.as_ref(), Self::now())
			},
			None => Status::Unknown,
		}
	}

	pub(crate) fn status_of_key(
		key: &KeyRecord,
		device: Option<&DeviceRecord>,
		now: Moment,
	) -> Status {
		status(Some(&key.standing()), &[device.map(DeviceRecord::standing)], now)
	}

	/// What is announced of the key that is to follow this one.
	pub fn next_key(key: KeyId) -> Option<KeyCommitment> {
		NextKeys::<T>::get(key)
	}

	/// What the organisation asks of the keys of its devices.
	pub fn key_policy(organisation: OrganisationId) -> KeyPolicy {
		KeyPolicies::<T>::get(organisation)
	}

	/// What the device may do alone yet.
	pub fn key_quota(device: DeviceId) -> DeviceQuota {
		KeyQuotas::<T>::get(device)
	}

	/// The request as stored.
	pub fn request(request: RequestId) -> Option<KeyRequest> {
		Requests::<T>::get(request)
	}

	/// The requests to the organisation, oldest first.
	pub fn requests_to(organisation: OrganisationId) -> Vec<QueuedRequest> {
		RequestQueues::<T>::get(organisation).into_inner()
	}

	/// The voucher as stored.
	pub fn voucher(voucher: VoucherId) -> Option<VoucherRecord> {
		Vouchers::<T>::get(voucher)
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
}
