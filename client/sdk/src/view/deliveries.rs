//! What was delivered to a device, on each of its channels.

use super::{ReadError, View};
use dpki_primitives::{
	approval::{ApprovalRecord, Proposal},
	channel::{ChannelId, ChannelSet},
	delivery::{Acknowledgement, DeliveryRecord},
	ids::DeviceId,
	storage_keys,
};

/// What is on record about one channel of a device.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Delivered {
	/// Which channel.
	pub channel: ChannelId,
	/// Its newest delivery.
	pub delivery: Option<DeliveryRecord>,
	/// What waits for approvals on it.
	pub proposal: Option<Proposal>,
	/// What the device has said last about it.
	pub acknowledgement: Option<Acknowledgement>,
}

impl View {
	/// The channels on which a device ever got a delivery. On no other is any.
	pub async fn channels(&self, device: DeviceId) -> Result<ChannelSet, ReadError> {
		let channels = self.read("the channels of the device", storage_keys::channels(device));
		Ok(channels.await?.unwrap_or_default())
	}

	/// The newest delivery for a device on a channel.
	pub async fn delivery(
		&self,
		device: DeviceId,
		channel: ChannelId,
	) -> Result<Option<DeliveryRecord>, ReadError> {
		self.read("the delivery", storage_keys::delivery(device, channel)).await
	}

	/// The delivery of a device that waits for approvals on a channel.
	pub async fn proposal(
		&self,
		device: DeviceId,
		channel: ChannelId,
	) -> Result<Option<Proposal>, ReadError> {
		self.read("the delivery that waits", storage_keys::proposal(device, channel))
			.await
	}

	/// Who approved the newest delivery of a device on a channel; `None` if nobody had to.
	pub async fn approvals(
		&self,
		device: DeviceId,
		channel: ChannelId,
	) -> Result<Option<ApprovalRecord>, ReadError> {
		self.read("the approvals", storage_keys::approvals(device, channel)).await
	}

	/// The newest acknowledgement of a device on a channel.
	pub async fn acknowledgement(
		&self,
		device: DeviceId,
		channel: ChannelId,
	) -> Result<Option<Acknowledgement>, ReadError> {
		self.read("the acknowledgement", storage_keys::acknowledgement(device, channel))
			.await
	}

	/// All channels of a device on which there is, or waits, anything; from the lowest.
	pub async fn deliveries(&self, device: DeviceId) -> Result<Vec<Delivered>, ReadError> {
		let channels = self.channels(device).await?;
		let mut found = Vec::new();
		for channel in ChannelId::all() {
			let proposal = self.proposal(device, channel).await?;
			let (delivery, acknowledgement) = if channels.contains(channel) {
				let acknowledgement = self.acknowledgement(device, channel).await?;
				(self.delivery(device, channel).await?, acknowledgement)
			} else {
				(None, None)
			};
			if delivery.is_some() || proposal.is_some() {
				found.push(Delivered { channel, delivery, proposal, acknowledgement });
			}
		}
		Ok(found)
	}
}
