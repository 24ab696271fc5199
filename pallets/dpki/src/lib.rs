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
pub mod migrations;
mod next_keys;
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
	use dpki_primitives::{
		Moment,
		anchor::{
			AnchorKind, AnchorMaterial, AnchorRecord, Basis, CrlPointer, MAX_ANCHORS_PER_KEY,
			MAX_ANCHORS_PER_ORGANISATION,
		},
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
		revocation::{RevocationReason, SSH_REVOCATIONS_PER_PAGE, SshRevocation, SshSubject},
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
}
