//! What is true of the storage between any two blocks.

use crate::{Acknowledgements, Config, Deliveries, DirectPublish, Pallet};
use dpki_primitives::{
	delivery::{MAX_BLOB_LEN, MIN_BLOB_LEN},
	registry::Registry,
};
use frame_support::ensure;
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
	/// Deliveries are for registered devices of their organisation and have possible numbers and lengths;
	/// acknowledgements are about a delivery that there was; no extrinsic is noted outside of itself.
	pub(crate) fn do_try_state() -> Result<(), TryRuntimeError> {
		for (device, delivery) in Deliveries::<T>::iter() {
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
		}
		for (device, acknowledgement) in Acknowledgements::<T>::iter() {
			let Some(delivery) = Deliveries::<T>::get(device) else {
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
}
