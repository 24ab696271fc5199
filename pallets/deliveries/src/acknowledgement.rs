//! What a device has to show to be believed about its newest delivery.

use crate::{Acknowledgements, Config, Deliveries, Error, Event, Pallet};
use dpki_primitives::{
	Moment,
	context::{Action, SigningContext, is_expiry_acceptable},
	delivery::{Acknowledgement, Outcome},
	ids::{BlobDigest, DeviceId, KeyId},
	key::{KeyPurpose, Signature},
	refusal::Refusal,
	registry::Registry,
	status::Status,
};
use frame_support::{ensure, pallet_prelude::*, traits::Time};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::traits::Zero;

/// Blocks for which a pool keeps an acknowledgement before it judges it again.
const LONGEVITY: TransactionLongevity = 64;

impl<T: Config> Pallet<T> {
	/// Whether the acknowledgement may enter the pool and a block.
	///
	/// A success provides another tag than a refusal. A device that succeeds on retry would otherwise have its
	/// success thrown out of the pool by the block that brings its refusal.
	pub(crate) fn authorize_acknowledge(
		_source: TransactionSource,
		device: &DeviceId,
		sequence: &u64,
		digest: &BlobDigest,
		outcome: &Outcome,
		key: &KeyId,
		expires_at: &Moment,
		signature: &Signature,
	) -> TransactionValidityWithRefund {
		Self::judge_acknowledgement(
			*device,
			*sequence,
			*digest,
			*outcome,
			*key,
			*expires_at,
			signature,
		)
		.map_err(|refusal| InvalidTransaction::Custom(refusal.code()))?;
		let validity = ValidTransaction::with_tag_prefix("Deliveries::acknowledge")
			.and_provides((device, sequence, *outcome == Outcome::Applied))
			.longevity(LONGEVITY)
			.propagate(true)
			.build()?;
		Ok((validity, Weight::zero()))
	}

	pub(crate) fn do_acknowledge(
		device: DeviceId,
		sequence: u64,
		digest: BlobDigest,
		outcome: Outcome,
		key: KeyId,
		expires_at: Moment,
		signature: &Signature,
	) -> DispatchResult {
		// Judged once more: root may assume the origin of an authorised call without having been authorised.
		Self::judge_acknowledgement(device, sequence, digest, outcome, key, expires_at, signature)
			.map_err(|refusal| Error::<T>::AcknowledgementRefused(refusal.code()))?;
		let at = T::Time::now();
		Acknowledgements::<T>::insert(device, Acknowledgement { sequence, digest, outcome, at });
		Self::deposit_event(Event::DeliveryAcknowledged { device, sequence, digest, outcome });
		Ok(())
	}

	/// The rules, cheapest first; the signature comes last.
	fn judge_acknowledgement(
		device: DeviceId,
		sequence: u64,
		digest: BlobDigest,
		outcome: Outcome,
		key: KeyId,
		expires_at: Moment,
		signature: &Signature,
	) -> Result<(), Refusal> {
		ensure!(is_expiry_acceptable(expires_at, T::Time::now()), Refusal::SignatureExpired);
		match T::Registry::device_status(device) {
			Status::Valid => {},
			Status::Unknown => return Err(Refusal::DeviceUnknown),
			Status::Revoked(_) | Status::IssuerRevoked(_) => return Err(Refusal::DeviceRevoked),
			Status::NotYetValid | Status::Expired | Status::Suspended | Status::Superseded => {
				return Err(Refusal::AcknowledgementInvalid);
			},
		}

		let delivery = Deliveries::<T>::get(device).ok_or(Refusal::DeliveryUnknown)?;
		ensure!(sequence >= delivery.sequence, Refusal::DeliverySuperseded);
		ensure!(
			sequence == delivery.sequence && digest == delivery.digest,
			Refusal::DeliveryUnknown
		);
		let before = Acknowledgements::<T>::get(device).filter(|ack| ack.sequence == sequence);
		ensure!(
			before.is_none_or(|ack| may_replace(ack.outcome, outcome)),
			Refusal::DeliveryAcknowledged
		);

		let public = T::Registry::key(key)
			.filter(|record| record.device == device && record.purpose == KeyPurpose::Sign)
			.ok_or(Refusal::AcknowledgementInvalid)?
			.public;
		ensure!(T::Registry::key_status(key).is_valid(), Refusal::AcknowledgementInvalid);
		let payload = acknowledgement_payload::<T>(device, sequence, digest, outcome, expires_at);
		ensure!(T::Registry::verify(&public, &payload, signature), Refusal::AcknowledgementInvalid);
		Ok(())
	}
}

/// Whether a device may correct itself: a retry can turn a refusal into a success. A success is final, and one
/// refusal is as good as another.
fn may_replace(before: Outcome, after: Outcome) -> bool {
	matches!((before, after), (Outcome::Refused(_), Outcome::Applied))
}

/// What the device signs.
pub(crate) fn acknowledgement_payload<T: Config>(
	device: DeviceId,
	sequence: u64,
	digest: BlobDigest,
	outcome: Outcome,
	expires_at: Moment,
) -> alloc::vec::Vec<u8> {
	let genesis = frame_system::BlockHash::<T>::get(BlockNumberFor::<T>::zero()).into();
	let action = Action::AcknowledgeDelivery { device, digest, outcome };
	SigningContext { genesis, action, nonce: sequence, expires_at }.payload()
}
