//! `acknowledge`, as a pool and a block see it.

use super::{
	doubles::{TestRegistry, TestTime},
	mock::*,
};
use crate::{Acknowledgements, Deliveries};
use dpki_primitives::{
	context::MAX_SIGNATURE_LIFETIME,
	delivery::{Acknowledgement, Outcome, RefusalReason},
	ids::{BlobDigest, DeviceId, KeyId},
	key::{KeyPurpose, Signature},
	refusal::Refusal,
	revocation::{Revocation, RevocationReason},
	status::Status,
};
use frame_support::assert_ok;
use sp_runtime::{
	DispatchError,
	traits::Dispatchable,
	transaction_validity::{InvalidTransaction, TransactionValidityError},
};

const REVOCATION: Revocation = Revocation { reason: RevocationReason::KeyCompromise, at: NOW };
const REFUSED: Outcome = Outcome::Refused(RefusalReason::ApplyFailed);

fn invalid(refusal: Refusal) -> TransactionValidityError {
	InvalidTransaction::Custom(refusal.code()).into()
}

/// Pool and block refuse the call, for the same reason.
fn call_is_refused(call: RuntimeCall, refusal: Refusal) {
	let before = Acknowledgements::<Test>::get(drone(), CHANNEL);
	assert_eq!(pool_verdict(call.clone()), Err(invalid(refusal)));
	assert_eq!(Executive::apply_extrinsic(general(call)), Err(invalid(refusal)));
	assert_eq!(Acknowledgements::<Test>::get(drone(), CHANNEL), before);
}

/// Pool and block refuse the acknowledgement for what the state is, and so does the call itself.
fn is_refused(ack: Ack, refusal: Refusal) {
	call_is_refused(ack.call(), refusal);
	let before = Acknowledgements::<Test>::get(drone(), CHANNEL);
	let dispatched = ack.call().dispatch(frame_system::RawOrigin::Authorized.into());
	assert_eq!(dispatched.unwrap_err().error, Error::AcknowledgementRefused(refusal.code()).into());
	assert_eq!(Acknowledgements::<Test>::get(drone(), CHANNEL), before);
}

fn accept(ack: &Ack) {
	assert_ok!(pool_verdict(ack.call()));
	assert_ok!(Executive::apply_extrinsic(general(ack.call())).unwrap());
}

#[test]
fn a_device_acknowledges_its_newest_delivery() {
	run(|| {
		publish(1);
		TestTime::set(NOW + 5);
		accept(&Ack::applied(1));
		let digest = BlobDigest::of(&envelope(100));
		assert_eq!(
			Acknowledgements::<Test>::get(drone(), CHANNEL),
			Some(Acknowledgement { sequence: 1, digest, outcome: Outcome::Applied, at: NOW + 5 })
		);
		assert_eq!(
			events().pop(),
			Some(Event::DeliveryAcknowledged {
				device: drone(),
				channel: CHANNEL,
				sequence: 1,
				digest,
				outcome: Outcome::Applied,
			})
		);
	});
}

#[test]
fn a_signature_is_verified_once_in_a_block() {
	run(|| {
		publish(1);
		let call = Ack::applied(1).call();
		TestRegistry::forget_verifications();
		assert_ok!(Executive::apply_extrinsic(general(call)).unwrap());
		assert_eq!(TestRegistry::verifications(), 1);
	});
}

#[test]
fn a_signature_is_verified_only_if_the_state_allows_the_acknowledgement() {
	run(|| {
		publish(1);
		publish(2);
		TestRegistry::forget_verifications();
		is_refused(Ack::applied(1), Refusal::DeliverySuperseded);
		assert_eq!(TestRegistry::verifications(), 0);
	});
}

#[test]
fn a_pool_passes_an_acknowledgement_on_and_keeps_one_of_a_kind() {
	run(|| {
		publish(1);
		let applied = pool_verdict(Ack::applied(1).call()).unwrap();
		assert!(applied.propagate);
		assert!(applied.requires.is_empty());
		assert!(applied.longevity < u64::MAX);
		let later = Ack { expires_at: EXPIRY + 1, ..Ack::applied(1) };
		assert_eq!(applied.provides, pool_verdict(later.call()).unwrap().provides);
		let refused = Ack { outcome: REFUSED, ..Ack::applied(1) };
		assert_ne!(applied.provides, pool_verdict(refused.call()).unwrap().provides);
	});
}

#[test]
fn a_delivery_is_acknowledged_once() {
	run(|| {
		publish(1);
		accept(&Ack::applied(1));
		is_refused(Ack::applied(1), Refusal::DeliveryAcknowledged);
		let later = Ack { expires_at: EXPIRY + 1, ..Ack::applied(1) };
		is_refused(later, Refusal::DeliveryAcknowledged);
	});
}

#[test]
fn a_success_replaces_a_refusal_and_not_the_other_way() {
	run(|| {
		publish(1);
		let refused = Ack { outcome: REFUSED, ..Ack::applied(1) };
		accept(&refused);
		accept(&Ack::applied(1));
		assert_eq!(
			Acknowledgements::<Test>::get(drone(), CHANNEL).unwrap().outcome,
			Outcome::Applied
		);
		is_refused(refused, Refusal::DeliveryAcknowledged);
	});
}

#[test]
fn a_refusal_does_not_replace_another_one() {
	run(|| {
		publish(1);
		accept(&Ack { outcome: REFUSED, ..Ack::applied(1) });
		let other = Outcome::Refused(RefusalReason::BundleInvalid);
		is_refused(Ack { outcome: other, ..Ack::applied(1) }, Refusal::DeliveryAcknowledged);
	});
}

#[test]
fn only_a_conflict_of_channels_replaces_a_success_and_that_is_final() {
	const CONFLICT: Outcome = Outcome::Refused(RefusalReason::ChannelConflict);
	run(|| {
		publish(1);
		accept(&Ack { outcome: REFUSED, ..Ack::applied(1) });
		accept(&Ack::applied(1));
		for reason in [RefusalReason::BundleInvalid, RefusalReason::ChannelIgnored] {
			let refused = Ack { outcome: Outcome::Refused(reason), ..Ack::applied(1) };
			is_refused(refused, Refusal::DeliveryAcknowledged);
		}
		accept(&Ack { outcome: CONFLICT, ..Ack::applied(1) });
		for outcome in [Outcome::Applied, REFUSED, CONFLICT] {
			is_refused(Ack { outcome, ..Ack::applied(1) }, Refusal::DeliveryAcknowledged);
		}
	});
}

#[test]
fn every_delivery_is_acknowledged_anew() {
	run(|| {
		publish(1);
		accept(&Ack::applied(1));
		publish(2);
		accept(&Ack { outcome: REFUSED, ..Ack::applied(2) });
		assert_eq!(Acknowledgements::<Test>::get(drone(), CHANNEL).unwrap().sequence, 2);
	});
}

#[test]
fn a_delivery_that_is_not_the_newest_cannot_be_acknowledged() {
	run(|| {
		publish(1);
		publish(2);
		is_refused(Ack::applied(1), Refusal::DeliverySuperseded);
	});
}

#[test]
fn a_delivery_that_there_never_was_cannot_be_acknowledged() {
	run(|| {
		is_refused(Ack::applied(1), Refusal::DeliveryUnknown);
		publish(1);
		is_refused(Ack::applied(2), Refusal::DeliveryUnknown);
		let other_blob = Ack { digest: BlobDigest([5; 32]), ..Ack::applied(1) };
		is_refused(other_blob, Refusal::DeliveryUnknown);
	});
}

#[test]
fn an_unknown_device_acknowledges_nothing() {
	run(|| {
		publish(1);
		let nobody = DeviceId::from_name(ACME, b"nobody");
		is_refused(Ack { device: nobody, ..Ack::applied(1) }, Refusal::DeviceUnknown);
	});
}

#[test]
fn a_revoked_device_acknowledges_nothing() {
	run(|| {
		publish(1);
		for status in [Status::Revoked(REVOCATION), Status::IssuerRevoked(REVOCATION)] {
			TestRegistry::set_device_status(drone(), status);
			is_refused(Ack::applied(1), Refusal::DeviceRevoked);
		}
	});
}

#[test]
fn a_device_that_is_not_valid_for_another_reason_acknowledges_nothing() {
	run(|| {
		publish(1);
		for status in [Status::NotYetValid, Status::Expired, Status::Superseded] {
			TestRegistry::set_device_status(drone(), status);
			is_refused(Ack::applied(1), Refusal::AcknowledgementInvalid);
		}
		TestRegistry::set_device_status(drone(), Status::Suspended);
		is_refused(Ack::applied(1), Refusal::DeviceOnHold);
	});
}

#[test]
fn an_expired_signature_is_refused() {
	run(|| {
		publish(1);
		let ack = Ack::applied(1);
		TestTime::set(EXPIRY + 1);
		is_refused(ack.clone(), Refusal::SignatureExpired);
		TestTime::set(EXPIRY);
		accept(&ack);
	});
}

#[test]
fn a_signature_that_expires_too_far_ahead_is_refused() {
	run(|| {
		publish(1);
		let too_far = NOW + MAX_SIGNATURE_LIFETIME + 1;
		is_refused(Ack { expires_at: too_far, ..Ack::applied(1) }, Refusal::SignatureExpired);
		accept(&Ack { expires_at: too_far - 1, ..Ack::applied(1) });
	});
}

#[test]
fn a_signature_for_anything_else_is_refused() {
	run(|| {
		publish(1);
		let ack = Ack::applied(1);
		let others = [
			Ack { genesis: [8; 32], ..ack.clone() },
			Ack { device: DeviceId([8; 32]), ..ack.clone() },
			Ack { channel: other_channel(), ..ack.clone() },
			Ack { sequence: 2, ..ack.clone() },
			Ack { digest: BlobDigest([8; 32]), ..ack.clone() },
			Ack { outcome: REFUSED, ..ack.clone() },
			Ack { expires_at: EXPIRY + 1, ..ack.clone() },
		];
		for other in others {
			let call = ack.call_with(other.signature());
			call_is_refused(call, Refusal::AcknowledgementInvalid);
		}
		let broken = Signature::truncate_from(vec![0; 3]);
		call_is_refused(ack.call_with(broken), Refusal::AcknowledgementInvalid);
	});
}

#[test]
fn a_key_that_the_chain_does_not_know_signs_nothing() {
	run(|| {
		publish(1);
		is_refused(Ack { key: KeyId([5; 32]), ..Ack::applied(1) }, Refusal::AcknowledgementInvalid);
	});
}

#[test]
fn a_key_of_another_device_signs_nothing() {
	run(|| {
		publish(1);
		let other = TestRegistry::add_device(ACME, "drone-8");
		TestRegistry::add_key(other, KeyPurpose::Sign, signing_public());
		is_refused(Ack::applied(1), Refusal::AcknowledgementInvalid);
	});
}

#[test]
fn a_key_for_another_purpose_signs_nothing() {
	run(|| {
		publish(1);
		for purpose in [KeyPurpose::Tls, KeyPurpose::Ssh, KeyPurpose::KeyAgreement] {
			TestRegistry::add_key(drone(), purpose, signing_public());
			is_refused(Ack::applied(1), Refusal::AcknowledgementInvalid);
		}
	});
}

#[test]
fn a_key_that_is_not_valid_signs_nothing() {
	run(|| {
		publish(1);
		for status in [
			Status::Revoked(REVOCATION),
			Status::IssuerRevoked(REVOCATION),
			Status::Superseded,
			Status::Expired,
			Status::NotYetValid,
			Status::Suspended,
			Status::Unknown,
		] {
			TestRegistry::set_key_status(signing_key(), status);
			is_refused(Ack::applied(1), Refusal::AcknowledgementInvalid);
		}
	});
}

#[test]
fn no_other_origin_acknowledges_in_the_place_of_the_device() {
	run(|| {
		publish(1);
		assert_eq!(apply(Ack::applied(1).call()).unwrap(), Err(DispatchError::BadOrigin));
		for origin in [RuntimeOrigin::root(), RuntimeOrigin::none()] {
			let dispatched = Ack::applied(1).call().dispatch(origin);
			assert_eq!(dispatched.unwrap_err().error, DispatchError::BadOrigin);
		}
		assert_eq!(Acknowledgements::<Test>::get(drone(), CHANNEL), None);
	});
}

#[test]
fn an_acknowledgement_stays_until_the_next_one() {
	run(|| {
		publish(1);
		accept(&Ack::applied(1));
		publish(2);
		assert_eq!(Acknowledgements::<Test>::get(drone(), CHANNEL).unwrap().sequence, 1);
		assert_eq!(Deliveries::<Test>::get(drone(), CHANNEL).unwrap().sequence, 2);
	});
}
