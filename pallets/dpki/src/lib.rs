#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]
#![deny(missing_docs, rustdoc::broken_intra_doc_links)]

extern crate alloc;

mod anchors;
mod authorities;
mod batches;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod calls;
mod chains;
mod children;
mod compromise;
mod context;
mod costs;
mod crl;
pub mod crypto;
mod devices;
mod economy;
mod enrolment;
mod errors;
mod events;
#[cfg(any(test, feature = "runtime-benchmarks"))]
mod fixtures;
mod holds;
mod integrity;
mod key_policy;
mod keys;
mod listed;
pub mod migrations;
mod next_keys;
mod own_revocation;
mod queries;
mod refusals;
mod requests;
mod revocation;
mod rollover;
mod self_service;
pub mod ssh;
mod storage;
#[cfg(test)]
mod tests;
#[cfg(any(test, feature = "try-runtime"))]
mod try_state;
mod vouchers;
pub mod weights;
mod x509;

pub use batches::BatchFailure;
pub use compromise::MAX_UNPAID_REPORTS;
pub use pallet::*;
pub use weights::WeightInfo;

use frame_support::pallet_macros::import_section;

#[import_section(storage::storage)]
#[import_section(events::events)]
#[import_section(errors::errors)]
#[import_section(calls::calls)]
#[frame_support::pallet]
pub mod pallet {
	use crate::{BatchFailure, WeightInfo, anchors, costs, keys::Replacing};
	use alloc::vec::Vec;
	use dpki_primitives::{
		Moment,
		anchor::{
			AnchorKind, AnchorMaterial, AnchorRecord, Basis, CrlPointer, MAX_ANCHORS_PER_KEY,
			MAX_ANCHORS_PER_ORGANISATION,
		},
		certificate::Page,
		device::{
			Compromised, DeviceRecord, KeyList, MAX_DEVICES_PER_BATCH, MAX_KEYS_PER_ENROLMENT,
			MAX_REVOCATIONS_PER_BATCH, NewDevice,
		},
		economy::{Economy, Operation, Quotas, Resource},
		ids::{
			AnchorId, DeviceId, KeyCommitment, KeyId, Name, OrganisationId, RequestId,
			VoucherCommitment, VoucherId,
		},
		key::{Consent, KeyPurpose, KeyRecord, NewKey, Signature},
		key_policy::KeyPolicy,
		organisation::{Governance, Organisations},
		quota::DeviceQuota,
		registry::CompromisedKeys,
		request::{KeyRequest, MAX_REQUESTS_PER_ORGANISATION, QueuedRequest, Rejection},
		revocation::{
			HoldAuthority, RevocationReason, SSH_REVOCATIONS_PER_PAGE, SshRevocation, SshSubject,
		},
		status::Status,
		voucher::VoucherRecord,
	};
	use frame_support::{pallet_prelude::*, traits::Time};
	use frame_system::pallet_prelude::*;

	/// The layout of the storage.
	const STORAGE_VERSION: StorageVersion = StorageVersion::new(2);

	/// The registry.
	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	#[pallet::config]
	pub trait Config:
		frame_system::Config<AccountId: Into<[u8; 32]>, Hash: Into<[u8; 32]>>
	{
		/// Who may act for which organisation.
		type Organisations: Organisations<Self::AccountId>;

		/// Who may change what an organisation has settled.
		type Governance: Governance<Self::RuntimeOrigin, Error = DispatchError>;

		/// Who adopts, retires and revokes the anchors of the consortium.
		type AnchorOrigin: EnsureOrigin<Self::RuntimeOrigin>;

		/// Chain time in milliseconds since the Unix epoch.
		type Time: Time<Moment = Moment>;

		/// What fees and deposits are asked of.
		type Economy: Economy<Self::AccountId>;

		/// What the enrolments of devices take from, where their organisations pay with quotas.
		type Quotas: Quotas<OrganisationId>;

		/// The keys that became known elsewhere as compromised.
		type CompromisedKeys: CompromisedKeys;

		/// The measured cost of each call.
		type WeightInfo: WeightInfo;
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn integrity_test() {
			Self::do_integrity_test();
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	/// What anybody may ask.
	#[pallet::view_functions]
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

		/// The anchors that this one has issued, revoked ones too, in the order of their registration, from number `start` on.
		pub fn children_of(anchor: AnchorId, start: u32) -> Page<AnchorId> {
			Page::of(ChildCount::<T>::get(anchor), start, |index| Children::<T>::get(anchor, index))
		}

		/// Those unrevoked anchors of the organisation that end, or are to be retired, from now until this moment.
		pub fn anchors_ending(organisation: OrganisationId, until: Moment) -> Vec<AnchorId> {
			let now = Self::now();
			Self::anchors_of(organisation)
				.into_iter()
				.filter(|(_, record)| {
					record.ends_at().is_some_and(|end| (now..=until).contains(&end))
				})
				.map(|(id, _)| id)
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

		/// The devices that the organisation ever had, revoked ones too, in the order of their registration, from number
		/// `start` on.
		pub fn devices_of(organisation: OrganisationId, start: u32) -> Page<DeviceId> {
			let device = |index| OrganisationDevices::<T>::get(organisation, index);
			Page::of(DeviceCount::<T>::get(organisation), start, device)
		}

		/// The device as stored.
		pub fn device(device: DeviceId) -> Option<DeviceRecord> {
			Devices::<T>::get(device)
		}

		/// The verdict about the device now.
		pub fn device_status(device: DeviceId) -> Status {
			Self::status_of_device(Devices::<T>::get(device).as_ref(), Self::now())
		}

		/// The unrevoked keys of the device, oldest first, without those that ended in another way and lost their place.
		pub fn keys_of(device: DeviceId) -> Vec<(KeyId, KeyRecord)> {
			DeviceKeys::<T>::get(device)
				.into_iter()
				.filter_map(|id| Some((id, Keys::<T>::get(id)?)))
				.collect()
		}

		/// Those unrevoked keys of the device that end, or are to be superseded, from now until this moment.
		pub fn keys_ending(device: DeviceId, until: Moment) -> Vec<KeyId> {
			let now = Self::now();
			Self::keys_of(device)
				.into_iter()
				.filter(|(_, record)| {
					record.ends_at().is_some_and(|end| (now..=until).contains(&end))
				})
				.map(|(id, _)| id)
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
}
