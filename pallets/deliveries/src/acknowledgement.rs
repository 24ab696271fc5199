//! What a device has to show to be believed about its newest delivery.
//!
//! Nobody signs the extrinsic, so [`Pallet::authorize_acknowledge`] judges it, before it enters a pool and again in the
//! block, and the call judges the state once more before it writes. Only the signature, which does not depend on the
//! state, is verified once. That rests on nobody but `frame_system::AuthorizeCall` making the origin of an authorised
//! call: see decision 0002.

use crate::{Acknowledgements, Config, Deliveries, Error, Event, Pallet};
use alloc::vec::Vec;
use dpki_primitives::{
	Moment,
	channel::ChannelId,
	context::{Action, SigningContext, is_expiry_acceptable},
	delivery::{Acknowledgement, Outcome, RefusalReason},
	ids::{BlobDigest, DeviceId, KeyId},
	key::{KeyPurpose, PublicKey, Signature},
	refusal::Refusal,
	registry::Registry,
	status::Status,
};
use frame_support::{ensure, pallet_prelude::*, traits::Time};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::traits::Zero;

/// Blocks for which a pool keeps an acknowledgement before it judges it again.
const LONGEVITY: TransactionLongevity = 64;

/// What a device says of a delivery, and by which key: the arguments of [`acknowledge`](Pallet::acknowledge) without
/// the signature.
#[derive(Clone, Copy)]
pub(crate) struct Statement {
	/// Which device.
	pub device: DeviceId,
	/// On which channel.
	pub channel: ChannelId,
	/// Which delivery.
	pub sequence: u64,
	/// Which blob.
	pub digest: BlobDigest,
	/// What became of it.
	pub outcome: Outcome,
	/// By which key of the device it is signed.
	pub key: KeyId,
	/// Last moment at which the signature is accepted.
	pub expires_at: Moment,
}

impl Statement {
	/// What the device signs.
	pub fn payload<T: Config>(&self) -> Vec<u8> {
		let Self { device, channel, sequence, digest, outcome, expires_at, .. } = *self;
		let genesis = frame_system::BlockHash::<T>::get(BlockNumberFor::<T>::zero()).into();
		let action = Action::AcknowledgeDelivery { device, channel, digest, outcome };
		SigningContext { genesis, action, nonce: sequence, expires_at }.payload()
	}
}

impl<T: Config> Pallet<T> {
	/// Whether the acknowledgement may enter the pool and a block. The signature comes last, as the dearest.
	///
	/// A success provides another tag than a refusal. A device that succeeds on retry would otherwise have its
	/// success thrown out of the pool by the block that brings its refusal.
	pub(crate) fn authorize_acknowledge(
		statement: Statement,
		signature: &Signature,
	) -> TransactionValidityWithRefund {
		let invalid = |refusal: Refusal| InvalidTransaction::Custom(refusal.code());
		let public = Self::judge_acknowledgement(&statement).map_err(invalid)?;
		ensure!(
			T::Registry::verify(&public, &statement.payload::<T>(), signature),
			invalid(Refusal::AcknowledgementInvalid)
		);
		let Statement { device, channel, sequence, outcome, .. } = statement;
		let validity = ValidTransaction::with_tag_prefix("Deliveries::acknowledge")
			.and_provides((device, channel, sequence, outcome == Outcome::Applied))
			.longevity(LONGEVITY)
			.propagate(true)
			.build()?;
		Ok((validity, Weight::zero()))
	}

	/// Notes the acknowledgement. The signature is the one that [`Self::authorize_acknowledge`] verified in this very
	/// extrinsic.
	pub(crate) fn do_acknowledge(statement: Statement) -> DispatchResult {
		Self::judge_acknowledgement(&statement)
			.map_err(|refusal| Error::<T>::AcknowledgementRefused(refusal.code()))?;
		let Statement { device, channel, sequence, digest, outcome, .. } = statement;
		let at = T::Time::now();
		let acknowledgement = Acknowledgement { sequence, digest, outcome, at };
		Acknowledgements::<T>::insert(device, channel, acknowledgement);
		Self::deposit_event(Event::DeliveryAcknowledged {
			device,
			channel,
			sequence,
			digest,
			outcome,
		});
		Ok(())
	}

	/// Everything about an acknowledgement that depends on the state or the time. Returns the key under which its
	/// signature has to verify.
	fn judge_acknowledgement(statement: &Statement) -> Result<PublicKey, Refusal> {
		let Statement { device, channel, sequence, digest, outcome, key, expires_at } = *statement;
		ensure!(is_expiry_acceptable(expires_at, T::Time::now()), Refusal::SignatureExpired);
		match T::Registry::device_status(device) {
			Status::Valid => {},
			Status::Unknown => return Err(Refusal::DeviceUnknown),
			Status::Revoked(_) | Status::IssuerRevoked(_) => return Err(Refusal::DeviceRevoked),
			Status::Suspended => return Err(Refusal::DeviceOnHold),
			Status::NotYetValid | Status::Expired | Status::Superseded => {
				return Err(Refusal::AcknowledgementInvalid);
			},
		}

		let delivery = Deliveries::<T>::get(device, channel).ok_or(Refusal::DeliveryUnknown)?;
		ensure!(sequence >= delivery.sequence, Refusal::DeliverySuperseded);
		ensure!(
			sequence == delivery.sequence && digest == delivery.digest,
			Refusal::DeliveryUnknown
		);
		let before = Acknowledgements::<T>::get(device, channel);
		let before = before.filter(|ack| ack.sequence == sequence);
		ensure!(
			before.is_none_or(|ack| may_replace(ack.outcome, outcome)),
			Refusal::DeliveryAcknowledged
		);

		let record = T::Registry::key(key)
			.filter(|record| record.device == device && record.purpose == KeyPurpose::Sign)
			.ok_or(Refusal::AcknowledgementInvalid)?;
		ensure!(T::Registry::key_status(key).is_valid(), Refusal::AcknowledgementInvalid);
		Ok(record.public)
	}
}

/// Whether a device may correct itself: a retry can turn a refusal into a success, and what was a success is over when a
/// lower channel claims the same. That is final, so there are three words about a delivery at most; one refusal is as good
/// as another.
fn may_replace(before: Outcome, after: Outcome) -> bool {
	const CONFLICT: Outcome = Outcome::Refused(RefusalReason::ChannelConflict);
	match (before, after) {
		(CONFLICT, _) => false,
		(Outcome::Refused(_), Outcome::Applied) => true,
		(before, after) => before == Outcome::Applied && after == CONFLICT,
	}
}
