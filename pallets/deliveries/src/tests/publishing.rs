//! `publish`, sent directly.

use super::{
	doubles::{TestEconomy, TestOrganisations, TestRegistry},
	mock::*,
};
use crate::{Call, Deliveries, Envelope};
use codec::{Decode, Encode};
use dpki_primitives::{
	delivery::{DeliveryRecord, MAX_BLOB_LEN, MAX_SEQUENCE_STEP, MIN_BLOB_LEN, Suite},
	ids::{BlobDigest, DeviceId, KeyId, OrganisationId},
	key::{KeyPurpose, KeyType},
	revocation::{Revocation, RevocationReason},
	status::Status,
};
use frame_support::assert_ok;
use sp_runtime::{DispatchError, TokenError};

const REVOKED: Status =
	Status::Revoked(Revocation { reason: RevocationReason::KeyCompromise, at: NOW });

fn publish_to(device: DeviceId, recipient: KeyId) -> RuntimeCall {
	Call::publish {
		device,
		channel: CHANNEL,
		sequence: 1,
		suite: Suite::X25519ChaCha20Poly1305,
		recipient,
		envelope: envelope(100),
	}
	.into()
}

/// The call is refused, changes nothing, and puts nothing into the index.
fn is_refused(prepare: impl FnOnce() -> RuntimeCall, error: impl Into<DispatchError>) {
	let indexed = run(|| {
		let call = prepare();
		assert_eq!(apply(call).unwrap(), Err(error.into()));
		assert_eq!(Deliveries::<Test>::iter().count(), 0);
		assert!(events().is_empty());
	});
	assert!(indexed.is_empty());
}

#[test]
fn a_publisher_without_funds_publishes_nothing() {
	is_refused(
		|| {
			TestEconomy::take_funds_away();
			publish_call(3, envelope(100))
		},
		TokenError::FundsUnavailable,
	);
}

#[test]
fn a_publisher_publishes_for_a_device_of_its_organisation() {
	run(|| {
		assert_ok!(apply(publish_call(3, envelope(100))).unwrap());
		let digest = BlobDigest::of(&envelope(100));
		assert_eq!(
			Deliveries::<Test>::get(drone(), CHANNEL),
			Some(DeliveryRecord {
				organisation: ACME,
				publisher: publisher().into(),
				sequence: 3,
				suite: Suite::X25519ChaCha20Poly1305,
				recipient: recipient(),
				digest,
				length: 100,
				published_at: NOW,
			})
		);
		assert_eq!(
			events(),
			[Event::DeliveryPublished {
				device: drone(),
				channel: CHANNEL,
				organisation: ACME,
				publisher: publisher(),
				sequence: 3,
				recipient: recipient(),
				digest,
				length: 100,
			}]
		);
	});
}

#[test]
fn a_newer_delivery_takes_the_place_of_the_older_one() {
	run(|| {
		publish(1);
		publish(1 + MAX_SEQUENCE_STEP);
		assert_eq!(
			Deliveries::<Test>::get(drone(), CHANNEL).unwrap().sequence,
			1 + MAX_SEQUENCE_STEP
		);
	});
}

#[test]
fn nobody_can_use_up_the_sequence_numbers() {
	run(|| {
		publish(1);
		for sequence in [2 + MAX_SEQUENCE_STEP, u64::MAX] {
			let refused = apply(publish_call(sequence, envelope(100))).unwrap();
			assert_eq!(refused, Err(Error::SequenceTooFar.into()));
		}
		assert_eq!(Deliveries::<Test>::get(drone(), CHANNEL).unwrap().sequence, 1);
	});
}

#[test]
fn the_sequence_starts_above_zero() {
	is_refused(|| publish_call(0, envelope(100)), Error::SequenceMissing);
}

#[test]
fn the_sequence_has_to_rise() {
	run(|| {
		publish(5);
		for (sequence, error) in [
			(0, Error::SequenceMissing),
			(4, Error::DeliveryOutdated),
			(5, Error::DeliveryOutdated),
		] {
			let refused = apply(publish_call(sequence, envelope(100))).unwrap();
			assert_eq!(refused, Err(error.into()), "{sequence}");
		}
		assert_eq!(Deliveries::<Test>::get(drone(), CHANNEL).unwrap().sequence, 5);
	});
}

#[test]
fn envelopes_of_the_shortest_and_longest_length_are_accepted() {
	run(|| {
		assert_ok!(apply(publish_call(1, envelope(MIN_BLOB_LEN as usize))).unwrap());
		assert_ok!(apply(publish_call(2, envelope(MAX_BLOB_LEN as usize))).unwrap());
		assert_eq!(Deliveries::<Test>::get(drone(), CHANNEL).unwrap().length, MAX_BLOB_LEN);
	});
}

#[test]
fn an_envelope_without_room_for_key_and_tag_is_refused() {
	is_refused(|| publish_call(1, envelope(MIN_BLOB_LEN as usize - 1)), Error::EnvelopeTooShort);
}

#[test]
fn an_envelope_that_is_too_long_does_not_decode() {
	let too_long = vec![0u8; MAX_BLOB_LEN as usize + 1].encode();
	assert!(Envelope::decode(&mut &too_long[..]).is_err());
}

#[test]
fn nothing_is_published_for_an_unknown_device() {
	is_refused(
		|| publish_to(DeviceId::from_name(ACME, b"nobody"), recipient()),
		Error::DeviceUnknown,
	);
}

#[test]
fn nothing_is_published_for_a_revoked_device() {
	is_refused(
		|| {
			TestRegistry::set_device_status(drone(), REVOKED);
			publish_call(1, envelope(100))
		},
		Error::DeviceNotValid,
	);
}

#[test]
fn a_publisher_of_another_organisation_is_refused() {
	is_refused(
		|| {
			let other = OrganisationId([2; 32]);
			let device = TestRegistry::add_device(other, "drone-8");
			TestOrganisations::add_publisher(other, sp_runtime::AccountId32::new([3; 32]));
			publish_to(device, recipient())
		},
		Error::RoleMissing,
	);
}

#[test]
fn an_envelope_without_room_for_what_its_suite_needs_is_refused() {
	is_refused(
		|| {
			let public = public(KeyType::XWing, &[4; 32]);
			let recipient = TestRegistry::add_key(drone(), KeyPurpose::KeyAgreement, public);
			let suite = Suite::XWingChaCha20Poly1305;
			let envelope = envelope(suite.min_len() as usize - 1);
			let (device, channel) = (drone(), CHANNEL);
			Call::publish { device, channel, sequence: 1, suite, recipient, envelope }.into()
		},
		Error::EnvelopeTooShort,
	);
}

#[test]
fn every_suite_wants_a_key_of_its_type() {
	run(|| {
		let xwing = public(KeyType::XWing, &[4; 32]);
		let xwing = TestRegistry::add_key(drone(), KeyPurpose::KeyAgreement, xwing);
		let mut sequence = 0;
		for suite in Suite::ALL {
			for recipient in [recipient(), xwing] {
				sequence += 1;
				let envelope = envelope(suite.min_len() as usize);
				let (device, channel) = (drone(), CHANNEL);
				let call = Call::publish { device, channel, sequence, suite, recipient, envelope };
				let fits = (recipient == xwing) == (suite.recipient_type() == KeyType::XWing);
				let expected = if fits { Ok(()) } else { Err(Error::RecipientUnfit.into()) };
				assert_eq!(apply(call.into()).unwrap(), expected, "{suite:?}");
			}
		}
	});
}

#[test]
fn an_unknown_recipient_is_refused() {
	is_refused(|| publish_to(drone(), KeyId([4; 32])), Error::RecipientUnknown);
}

#[test]
fn a_recipient_of_another_device_is_refused() {
	is_refused(
		|| {
			let other = TestRegistry::add_device(ACME, "drone-8");
			let public = public(KeyType::X25519, &[4; 32]);
			let key = TestRegistry::add_key(other, KeyPurpose::KeyAgreement, public);
			publish_to(drone(), key)
		},
		Error::RecipientOfAnotherDevice,
	);
}

#[test]
fn a_signing_key_cannot_be_the_recipient() {
	is_refused(|| publish_to(drone(), signing_key()), Error::RecipientUnfit);
}

#[test]
fn an_agreement_key_of_a_type_that_the_suite_does_not_use_is_refused() {
	is_refused(
		|| {
			let public = public(KeyType::Ed25519, &[4; 32]);
			let key = TestRegistry::add_key(drone(), KeyPurpose::KeyAgreement, public);
			publish_to(drone(), key)
		},
		Error::RecipientUnfit,
	);
}

#[test]
fn a_recipient_that_is_not_valid_is_refused() {
	for status in [REVOKED, Status::Superseded, Status::Expired, Status::NotYetValid] {
		is_refused(
			|| {
				TestRegistry::set_key_status(recipient(), status);
				publish_call(1, envelope(100))
			},
			Error::RecipientNotValid,
		);
	}
}

#[test]
fn nobody_publishes_without_an_account() {
	run(|| {
		for origin in [RuntimeOrigin::root(), RuntimeOrigin::none()] {
			let refused = Pallet::publish(
				origin,
				drone(),
				CHANNEL,
				1,
				Suite::X25519ChaCha20Poly1305,
				recipient(),
				envelope(100),
			);
			assert_eq!(refused, Err(DispatchError::BadOrigin));
		}
	});
}
