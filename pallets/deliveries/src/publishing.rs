//! Who may publish what for which device, and how the blob gets into the block.

use crate::{Config, Deliveries, Error, Pallet, WeightInfo};
use dpki_primitives::{
	channel::ChannelId,
	delivery::{DeliveryRecord, MAX_SEQUENCE_STEP, Recipient, Suite},
	economy::{Economy, FundsMissing, Operation},
	ids::{BlobDigest, DeviceId, KeyId},
	key::KeyPurpose,
	organisation::{Organisations, Role},
	registry::Registry,
};
use frame_support::{ensure, pallet_prelude::*, traits::Time};
use sp_runtime::TokenError;

impl<T: Config> Pallet<T> {
	/// The weight of a publication of so many bytes, whichever way it goes: it becomes the newest delivery, or waits for
	/// approvals in the place of what another publisher has left waiting.
	pub(crate) fn weight_of_publish(length: u32) -> Weight {
		T::WeightInfo::publish(length).max(T::WeightInfo::publish_displacing(length))
	}

	/// The same for so many devices.
	pub(crate) fn weight_of_publish_shared(recipients: u32, length: u32) -> Weight {
		let displacing = T::WeightInfo::publish_shared_displacing(recipients, length);
		T::WeightInfo::publish_shared(recipients, length).max(displacing)
	}

	pub(crate) fn do_publish(
		publisher: T::AccountId,
		device: DeviceId,
		channel: ChannelId,
		sequence: u64,
		suite: Suite,
		recipient: KeyId,
		envelope: &[u8],
	) -> DispatchResult {
		let recipient = Recipient { device, sequence, key: recipient };
		Self::publish_for(publisher, channel, suite, &[recipient], suite.min_len(), envelope)
	}

	pub(crate) fn do_publish_shared(
		publisher: T::AccountId,
		channel: ChannelId,
		suite: Suite,
		recipients: &[Recipient],
		envelope: &[u8],
	) -> DispatchResult {
		ensure!(suite.is_shared(), Error::<T>::SuiteNotShared);
		let others = recipients.len().checked_sub(1).ok_or(Error::<T>::RecipientMissing)? as u32;
		let min_len = suite.min_len().saturating_add(others.saturating_mul(suite.slot_len()));
		Self::publish_for(publisher, channel, suite, recipients, min_len, envelope)
	}

	/// Publishes one envelope for all of these devices, or for none.
	fn publish_for(
		publisher: T::AccountId,
		channel: ChannelId,
		suite: Suite,
		recipients: &[Recipient],
		min_len: u32,
		envelope: &[u8],
	) -> DispatchResult {
		let extrinsic = Self::take_direct_publish().ok_or(Error::<T>::CallNested)?;
		let digest = BlobDigest(sp_io::hashing::sha2_256(envelope));
		let length = envelope.len() as u32;
		for recipient in recipients {
			Self::publish_to(&publisher, channel, suite, *recipient, digest, length)?;
		}
		// Behind the rules of each device: what is wrong with these is the more telling.
		ensure!(length >= min_len, Error::<T>::EnvelopeTooShort);
		T::Economy::charge(&publisher, Operation::PublishDelivery, recipients.len() as u32)
			.map_err(|FundsMissing| TokenError::FundsUnavailable)?;
		// HAZARD: nothing that can fail may follow. The index is not storage: it is kept even if the call is undone.
		sp_io::transaction_index::index(extrinsic, length, digest.0);
		Ok(())
	}

	/// Makes an envelope the newest delivery of a device on a channel, or lets it wait for approvals.
	fn publish_to(
		publisher: &T::AccountId,
		channel: ChannelId,
		suite: Suite,
		Recipient { device, sequence, key: recipient }: Recipient,
		digest: BlobDigest,
		length: u32,
	) -> DispatchResult {
		let organisation =
			T::Registry::device(device).ok_or(Error::<T>::DeviceUnknown)?.organisation;
		ensure!(
			T::Organisations::has_role(organisation, publisher, Role::Publisher),
			Error::<T>::RoleMissing
		);
		ensure!(T::Registry::device_status(device).is_valid(), Error::<T>::DeviceNotValid);
		Self::ensure_recipient(device, suite, recipient)?;
		ensure!(sequence > 0, Error::<T>::SequenceMissing);
		let newest = Deliveries::<T>::get(device, channel).map_or(0, |record| record.sequence);
		ensure!(sequence > newest, Error::<T>::DeliveryOutdated);
		ensure!(sequence - newest <= MAX_SEQUENCE_STEP, Error::<T>::SequenceTooFar);
		let record = DeliveryRecord {
			organisation,
			publisher: publisher.clone().into(),
			sequence,
			suite,
			recipient,
			digest,
			length,
			published_at: T::Time::now(),
		};
		// A publisher has a role in it, so the organisation exists and has a policy.
		match Self::approval_rule(organisation) {
			None => Self::put_in_place(device, channel, record, publisher.clone(), None),
			Some(_) => {
				Self::ensure_may_propose(publisher, device, channel)?;
				Self::propose(device, channel, record, publisher.clone());
			},
		}
		Ok(())
	}

	/// Whether an envelope of this suite can be opened by the device with this key, and may be.
	pub(crate) fn ensure_recipient(
		device: DeviceId,
		suite: Suite,
		recipient: KeyId,
	) -> Result<(), Error<T>> {
		let key = T::Registry::key(recipient).ok_or(Error::<T>::RecipientUnknown)?;
		ensure!(key.device == device, Error::<T>::RecipientOfAnotherDevice);
		ensure!(
			key.purpose == KeyPurpose::KeyAgreement
				&& key.public.key_type == suite.recipient_type(),
			Error::<T>::RecipientUnfit
		);
		ensure!(T::Registry::key_status(recipient).is_valid(), Error::<T>::RecipientNotValid);
		Ok(())
	}
}
