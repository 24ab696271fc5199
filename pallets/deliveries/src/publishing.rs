//! Who may publish what for which device, and how the blob gets into the block.

use crate::{Config, Deliveries, Error, Event, Pallet};
use dpki_primitives::{
	delivery::{DeliveryRecord, MAX_SEQUENCE_STEP, MIN_BLOB_LEN, Suite},
	economy::{Economy, FundsMissing, Operation},
	ids::{BlobDigest, DeviceId, KeyId},
	key::{KeyPurpose, KeyType},
	organisation::{DeliveryPolicies, DeliveryPolicy, Organisations, Role},
	registry::Registry,
};
use frame_support::{ensure, pallet_prelude::*, traits::Time};
use sp_runtime::TokenError;

impl<T: Config> Pallet<T> {
	pub(crate) fn do_publish(
		publisher: T::AccountId,
		device: DeviceId,
		sequence: u64,
		suite: Suite,
		recipient: KeyId,
		envelope: &[u8],
	) -> DispatchResult {
		let extrinsic = Self::take_direct_publish().ok_or(Error::<T>::CallNested)?;
		let organisation =
			T::Registry::device(device).ok_or(Error::<T>::DeviceUnknown)?.organisation;
		ensure!(
			T::Organisations::has_role(organisation, &publisher, Role::Publisher),
			Error::<T>::RoleMissing
		);
		ensure!(
			T::Policies::delivery_policy(organisation) == Some(DeliveryPolicy::Simple),
			Error::<T>::ApprovalMissing
		);
		ensure!(T::Registry::device_status(device).is_valid(), Error::<T>::DeviceNotValid);
		Self::ensure_recipient(device, suite, recipient)?;
		let newest = Deliveries::<T>::get(device).map_or(0, |record| record.sequence);
		ensure!(sequence > newest, Error::<T>::SequenceNotRising);
		ensure!(sequence - newest <= MAX_SEQUENCE_STEP, Error::<T>::SequenceTooFar);
		ensure!(envelope.len() >= MIN_BLOB_LEN as usize, Error::<T>::EnvelopeTooShort);
		T::Economy::charge(&publisher, Operation::PublishDelivery, 1)
			.map_err(|FundsMissing| TokenError::FundsUnavailable)?;

		let digest = BlobDigest(sp_io::hashing::sha2_256(envelope));
		let length = envelope.len() as u32;
		Deliveries::<T>::insert(
			device,
			DeliveryRecord {
				organisation,
				publisher: publisher.clone().into(),
				sequence,
				suite,
				recipient,
				digest,
				length,
				published_at: T::Time::now(),
			},
		);
		Self::deposit_event(Event::DeliveryPublished {
			device,
			organisation,
			publisher,
			sequence,
			recipient,
			digest,
			length,
		});
		// HAZARD: nothing that can fail may follow. The index is not storage: it is kept even if the call is undone.
		sp_io::transaction_index::index(extrinsic, length, digest.0);
		Ok(())
	}

	/// Whether an envelope of this suite can be opened by the device with this key, and may be.
	fn ensure_recipient(device: DeviceId, suite: Suite, recipient: KeyId) -> Result<(), Error<T>> {
		let key = T::Registry::key(recipient).ok_or(Error::<T>::RecipientUnknown)?;
		ensure!(key.device == device, Error::<T>::RecipientOfAnotherDevice);
		ensure!(
			key.purpose == KeyPurpose::KeyAgreement && key.public.key_type == recipient_type(suite),
			Error::<T>::RecipientUnfit
		);
		ensure!(T::Registry::key_status(recipient).is_valid(), Error::<T>::RecipientNotValid);
		Ok(())
	}
}

/// The type of key to which envelopes of this suite are encrypted.
const fn recipient_type(suite: Suite) -> KeyType {
	match suite {
		Suite::X25519ChaCha20Poly1305 => KeyType::X25519,
	}
}
