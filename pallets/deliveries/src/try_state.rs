//! What is true of the storage between any two blocks.

use crate::{
	Acknowledgements, Approvals, Channels, Config, Deliveries, DirectPublish, Pallet, Proposals,
};
use dpki_primitives::{
	approval::Approvers,
	delivery::{DeliveryRecord, MAX_BLOB_LEN, MIN_BLOB_LEN},
	ids::DeviceId,
	registry::Registry,
};
use frame_support::ensure;
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
	/// Deliveries, and those that wait for approvals, are for registered devices of their organisation and have possible
	/// numbers and lengths; what waits is newer than what is there; nobody approved twice, and approvals are about the
	/// newest delivery; acknowledgements are about a delivery that there was; the channels of a device are those on which it has
	/// a delivery; no extrinsic is noted outside of itself.
	pub(crate) fn do_try_state() -> Result<(), TryRuntimeError> {
		for (device, channel, delivery) in Deliveries::<T>::iter() {
			Self::try_state_of(device, &delivery)?;
			ensure!(
				Channels::<T>::get(device).contains(channel),
				"a delivery is on no channel of its device"
			);
		}
		for (device, channels) in Channels::<T>::iter() {
			ensure!(!channels.is_empty(), "a device has an empty set of channels");
			ensure!(
				channels.iter().all(|channel| Deliveries::<T>::contains_key(device, channel)),
				"a channel of a device has no delivery"
			);
		}
		for (device, channel, proposal) in Proposals::<T>::iter() {
			Self::try_state_of(device, &proposal.record)?;
			try_state_of_approvers(&proposal.approvals)?;
			let newest = Deliveries::<T>::get(device, channel).map_or(0, |it| it.sequence);
			ensure!(proposal.record.sequence > newest, "what waits for approvals was overtaken");
		}
		for (device, channel, approvals) in Approvals::<T>::iter() {
			try_state_of_approvers(&approvals.by)?;
			ensure!(!approvals.by.is_empty(), "nobody approved what needed approvals");
			ensure!(
				Deliveries::<T>::get(device, channel)
					.is_some_and(|delivery| approvals.is_about(device, channel, &delivery)),
				"approvals are about no newest delivery"
			);
		}
		for (device, channel, acknowledgement) in Acknowledgements::<T>::iter() {
			let Some(delivery) = Deliveries::<T>::get(device, channel) else {
				return Err("an acknowledgement is about no delivery".into());
			};
			ensure!(
				acknowledgement.sequence <= delivery.sequence,
				"an acknowledgement is ahead of its delivery"
			);
			ensure!(
				acknowledgement.sequence < delivery.sequence
					|| acknowledgement.digest == delivery.digest,
				"an acknowledgement is about another blob than its delivery"
			);
		}
		ensure!(!DirectPublish::<T>::exists(), "an extrinsic is still noted as direct");
		Ok(())
	}

	fn try_state_of(device: DeviceId, delivery: &DeliveryRecord) -> Result<(), TryRuntimeError> {
		ensure!(
			T::Registry::device(device)
				.is_some_and(|record| record.organisation == delivery.organisation),
			"a delivery is for no device of its organisation"
		);
		ensure!(
			T::Registry::key(delivery.recipient).is_some_and(|key| key.device == device),
			"a delivery is encrypted to no key of its device"
		);
		ensure!(delivery.sequence > 0, "a delivery has the number 0");
		ensure!(
			(MIN_BLOB_LEN..=MAX_BLOB_LEN).contains(&delivery.length),
			"a delivery has an impossible length"
		);
		Ok(())
	}
}

fn try_state_of_approvers(by: &Approvers) -> Result<(), TryRuntimeError> {
	for (at, account) in by.iter().enumerate() {
		ensure!(!by[..at].contains(account), "an account approved twice");
	}
	Ok(())
}
