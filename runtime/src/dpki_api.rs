// SPDX-License-Identifier: Apache-2.0

//! What clients may ask the registry in one call.
//!
//! Every answer carries the storage key of the record that it was made from, so that whoever does
//! not want to believe the node can ask for the proof. Light clients run these calls themselves.

use alloc::vec::Vec;
use codec::{Decode, Encode};
use dpki_primitives::{
	anchor::AnchorRecord,
	delivery::{Acknowledgement, DeliveryRecord},
	device::DeviceRecord,
	ids::{AnchorId, DeviceId, KeyId, OrganisationId, VoucherId},
	key::KeyRecord,
	organisation::OrganisationRecord,
	status::Status,
	voucher::VoucherRecord,
};
use scale_info::TypeInfo;

/// A record, where it lies, and the verdict about it at the block that was asked.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct Verdict<Record> {
	/// The record, if the chain has one.
	pub record: Option<Record>,
	/// The verdict; unknown if there is no record.
	pub status: Status,
	/// The raw storage key of the record.
	pub storage_key: Vec<u8>,
}

/// A record without a verdict, and where it lies.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct Located<Record> {
	/// The record, if the chain has one.
	pub record: Option<Record>,
	/// The raw storage key of the record.
	pub storage_key: Vec<u8>,
}

sp_api::decl_runtime_apis! {
	/// Questions about the registry, answered from the state of one block.
	pub trait DpkiApi {
		/// The organisation.
		fn organisation(id: OrganisationId) -> Located<OrganisationRecord>;

		/// The trust anchor.
		fn anchor(id: AnchorId) -> Verdict<AnchorRecord>;

		/// The organisation's unrevoked anchors, at most
		/// [`MAX_ANCHORS_PER_ORGANISATION`](dpki_primitives::anchor::MAX_ANCHORS_PER_ORGANISATION).
		fn anchors_of(organisation: OrganisationId) -> Vec<(AnchorId, Verdict<AnchorRecord>)>;

		/// The device.
		fn device(id: DeviceId) -> Verdict<DeviceRecord>;

		/// The key, its device included in the verdict.
		fn key(id: KeyId) -> Verdict<KeyRecord>;

		/// The device's unrevoked keys, at most
		/// [`MAX_KEYS_PER_DEVICE`](dpki_primitives::device::MAX_KEYS_PER_DEVICE).
		fn keys_of(device: DeviceId) -> Vec<(KeyId, Verdict<KeyRecord>)>;

		/// The voucher.
		fn voucher(id: VoucherId) -> Located<VoucherRecord>;

		/// The device's newest delivery.
		fn delivery(device: DeviceId) -> Located<DeliveryRecord>;

		/// The device's newest acknowledgement.
		fn acknowledgement(device: DeviceId) -> Located<Acknowledgement>;
	}
}
