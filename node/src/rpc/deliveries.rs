// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! What of a block's events is about deliveries: that one was published, and what became of it.

use dpki_primitives::{
	delivery::{Outcome, RefusalReason},
	ids::DeviceId,
};
use dpki_runtime::{Hash, Runtime, RuntimeEvent};
use pallet_deliveries::Event;
use serde::Serialize;

/// What happened to a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Happened {
	/// It was published.
	Published,
	/// Its device has applied it.
	Applied,
	/// Its device could not fetch it.
	BlobUnavailable,
	/// Its device could not open it.
	EnvelopeInvalid,
	/// Its device did not accept what was in it.
	BundleInvalid,
	/// Its device went back to the state before.
	ApplyFailed,
	/// Its device missed approvals.
	ApprovalMissing,
	/// A lower channel of its device claims the same.
	ChannelConflict,
	/// Its device obeys no delivery on this channel.
	ChannelIgnored,
}

/// One event of a delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Delivery {
	/// Which of the block's events it is, counted from 0 over all of them.
	pub index: u32,
	/// What happened.
	pub kind: Happened,
	/// For which device it is.
	pub device: Hash,
	/// On which channel.
	pub channel: u8,
	/// Its number.
	pub sequence: u64,
	/// SHA2-256 of the blob.
	pub digest: Hash,
	/// The organisation in whose name it was published; nothing if it is acknowledged.
	pub organisation: Option<Hash>,
	/// The device key that it is encrypted to; nothing if it is acknowledged.
	pub recipient: Option<Hash>,
	/// Length of the blob in bytes; nothing if it is acknowledged.
	pub length: Option<u32>,
}

impl Delivery {
	/// What this event tells of a delivery, if it does.
	pub fn from_event(index: u32, event: &RuntimeEvent) -> Option<Self> {
		match event {
			RuntimeEvent::Deliveries(event) => Self::from_deliveries(index, event),
			_ => None,
		}
	}

	/// Whether it is for this device; every delivery is for nobody in particular.
	pub fn is_for(&self, device: Option<DeviceId>) -> bool {
		device.is_none_or(|device| self.device == Hash::from(device.0))
	}

	fn from_deliveries(index: u32, event: &Event<Runtime>) -> Option<Self> {
		Some(match event {
			Event::DeliveryPublished {
				device,
				channel,
				organisation,
				publisher: _,
				sequence,
				recipient,
				digest,
				length,
			} => Self {
				index,
				kind: Happened::Published,
				device: Hash::from(device.0),
				channel: channel.number(),
				sequence: *sequence,
				digest: Hash::from(digest.0),
				organisation: Some(Hash::from(organisation.0)),
				recipient: Some(Hash::from(recipient.0)),
				length: Some(*length),
			},
			Event::DeliveryAcknowledged { device, channel, sequence, digest, outcome } => Self {
				index,
				kind: match outcome {
					Outcome::Applied => Happened::Applied,
					Outcome::Refused(RefusalReason::BlobUnavailable) => Happened::BlobUnavailable,
					Outcome::Refused(RefusalReason::EnvelopeInvalid) => Happened::EnvelopeInvalid,
					Outcome::Refused(RefusalReason::BundleInvalid) => Happened::BundleInvalid,
					Outcome::Refused(RefusalReason::ApplyFailed) => Happened::ApplyFailed,
					Outcome::Refused(RefusalReason::ApprovalMissing) => Happened::ApprovalMissing,
					Outcome::Refused(RefusalReason::ChannelConflict) => Happened::ChannelConflict,
					Outcome::Refused(RefusalReason::ChannelIgnored) => Happened::ChannelIgnored,
				},
				device: Hash::from(device.0),
				channel: channel.number(),
				sequence: *sequence,
				digest: Hash::from(digest.0),
				organisation: None,
				recipient: None,
				length: None,
			},
			// Without a wildcard: who adds an event decides here whether subscribers are told.
			Event::DeliveryProposed { .. }
			| Event::DeliveryApproved { .. }
			| Event::ProposalWithdrawn { .. }
			| Event::__Ignore(..) => return None,
		})
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use dpki_primitives::{
		channel::ChannelId,
		ids::{BlobDigest, KeyId, OrganisationId},
	};

	fn told(event: Event<Runtime>) -> serde_json::Value {
		let delivery = Delivery::from_event(5, &RuntimeEvent::Deliveries(event)).unwrap();
		serde_json::to_value(delivery).unwrap()
	}

	#[test]
	fn a_publication_and_an_acknowledgement_are_told() {
		let (device, digest) = (DeviceId([1; 32]), BlobDigest([2; 32]));
		let (organisation, recipient) = (OrganisationId([3; 32]), KeyId([4; 32]));
		let publisher = [9; 32].into();
		let channel = ChannelId::new(2).unwrap();
		let published = Event::DeliveryPublished {
			device,
			channel,
			organisation,
			publisher,
			sequence: 8,
			recipient,
			digest,
			length: 1_072,
		};
		let expected = serde_json::json!({
			"index": 5,
			"kind": "published",
			"device": device.to_string(),
			"channel": 2,
			"sequence": 8,
			"digest": digest.to_string(),
			"organisation": organisation.to_string(),
			"recipient": recipient.to_string(),
			"length": 1_072,
		});
		assert_eq!(told(published), expected);
		for (outcome, kind) in [
			(Outcome::Applied, "applied"),
			(Outcome::Refused(RefusalReason::ApplyFailed), "applyFailed"),
			(Outcome::Refused(RefusalReason::ApprovalMissing), "approvalMissing"),
			(Outcome::Refused(RefusalReason::ChannelConflict), "channelConflict"),
			(Outcome::Refused(RefusalReason::ChannelIgnored), "channelIgnored"),
		] {
			let sequence = 8;
			let event = Event::DeliveryAcknowledged { device, channel, sequence, digest, outcome };
			assert_eq!(told(event)["kind"], kind);
		}
	}

	#[test]
	fn a_device_hears_of_its_own_deliveries_only() {
		let (device, digest) = (DeviceId([1; 32]), BlobDigest([2; 32]));
		let outcome = Outcome::Applied;
		let (channel, sequence) = (ChannelId::DEFAULT, 8);
		let event = Event::DeliveryAcknowledged { device, channel, sequence, digest, outcome };
		let delivery = Delivery::from_event(0, &RuntimeEvent::Deliveries(event)).unwrap();
		assert!(delivery.is_for(None) && delivery.is_for(Some(device)));
		assert!(!delivery.is_for(Some(DeviceId([7; 32]))));
	}
}
