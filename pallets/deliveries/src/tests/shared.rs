//! `publish_shared`: one envelope for many devices.

use super::{
	doubles::{TestEconomy, TestOrganisations, TestRegistry},
	mock::*,
};
use crate::{Call, Deliveries, Envelope, Proposals};
use codec::{Decode, Encode};
use dpki_primitives::{
	delivery::{MAX_RECIPIENTS, Recipient, Recipients, Suite},
	ids::{BlobDigest, DeviceId, OrganisationId},
	key::{KeyPurpose, KeyType},
	organisation::{DeliveryPolicy, Role},
};
use frame_support::assert_ok;
use sp_runtime::{DispatchError, OpaqueExtrinsic, TokenError};
use sp_state_machine::IndexOperation;

const SUITE: Suite = Suite::SharedX25519;

/// So many further devices, each with a key.
fn fleet(count: u8) -> Vec<Recipient> {
	(1..=count)
		.map(|number| {
			let device = TestRegistry::add_device(ACME, &format!("fleet-{number}"));
			let public = public(KeyType::X25519, &[number; 32]);
			let key = TestRegistry::add_key(device, KeyPurpose::KeyAgreement, public);
			Recipient { device, sequence: u64::from(number), key }
		})
		.collect()
}

fn shortest(count: usize) -> Envelope {
	envelope(SUITE.min_len() as usize + (count - 1) * SUITE.slot_len() as usize)
}

fn call(suite: Suite, recipients: &[Recipient], envelope: Envelope) -> RuntimeCall {
	let recipients = Recipients::truncate_from(recipients.to_vec());
	Call::publish_shared { channel: CHANNEL, suite, recipients, envelope }.into()
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
fn a_publisher_without_funds_reaches_no_device() {
	is_refused(
		|| {
			TestEconomy::take_funds_away();
			call(SUITE, &fleet(3), shortest(3))
		},
		TokenError::FundsUnavailable,
	);
}

#[test]
fn one_envelope_is_the_newest_delivery_of_each_device() {
	let indexed = run(|| {
		let fleet = fleet(3);
		assert_ok!(apply(call(SUITE, &fleet, shortest(3))).unwrap());
		let digest = BlobDigest::of(&shortest(3));
		for Recipient { device, sequence, key } in fleet {
			let record = Deliveries::<Test>::get(device, CHANNEL).unwrap();
			assert_eq!((record.sequence, record.recipient), (sequence, key));
			assert_eq!((record.digest, record.suite), (digest, SUITE));
		}
		assert_eq!(events().len(), 3);
	});
	assert_eq!(indexed.len(), 1, "the blob is stored once");
}

#[test]
fn one_device_that_cannot_be_delivered_to_keeps_it_from_all() {
	is_refused(
		|| {
			let mut fleet = fleet(3);
			fleet[2].device = DeviceId([9; 32]);
			call(SUITE, &fleet, shortest(3))
		},
		Error::DeviceUnknown,
	);
	is_refused(
		|| {
			let mut fleet = fleet(3);
			fleet[1].sequence = 0;
			call(SUITE, &fleet, shortest(3))
		},
		Error::SequenceMissing,
	);
	is_refused(
		|| {
			let mut fleet = fleet(3);
			fleet[0].key = fleet[1].key;
			call(SUITE, &fleet, shortest(3))
		},
		Error::RecipientOfAnotherDevice,
	);
	is_refused(
		|| {
			let mut fleet = fleet(2);
			let theirs = OrganisationId([2; 32]);
			fleet[1].device = TestRegistry::add_device(theirs, "stranger");
			call(SUITE, &fleet, shortest(2))
		},
		Error::RoleMissing,
	);
}

#[test]
fn an_envelope_without_room_for_its_recipients_is_refused() {
	is_refused(
		|| {
			let envelope = envelope(shortest(3).len() - 1);
			call(SUITE, &fleet(3), envelope)
		},
		Error::EnvelopeTooShort,
	);
}

#[test]
fn nobody_is_no_recipient() {
	is_refused(|| call(SUITE, &[], shortest(1)), Error::RecipientMissing);
}

#[test]
fn a_suite_for_one_device_is_refused() {
	is_refused(
		|| call(Suite::X25519ChaCha20Poly1305, &fleet(2), shortest(2)),
		Error::SuiteNotShared,
	);
}

#[test]
fn what_nodes_store_is_the_envelope_however_many_recipients_are_before_it() {
	for count in [1, 2, 100] {
		for longer in [0, 1, 16_384] {
			let envelope = envelope(shortest(count.into()).len() + longer);
			let mut encoded = Vec::new();
			let indexed = run(|| {
				let extrinsic = signed(call(SUITE, &fleet(count), envelope.clone()));
				encoded = extrinsic.encode();
				assert_ok!(Executive::apply_extrinsic(extrinsic).unwrap());
			});
			// The database takes the last bytes of the extrinsic as the block holds it.
			let stored = OpaqueExtrinsic::decode(&mut &encoded[..]).unwrap().encode();
			let [IndexOperation::Insert { extrinsic: 0, hash, size }] = &indexed[..] else {
				panic!("expected one entry for the first extrinsic, found {indexed:?}");
			};
			assert_eq!(stored[stored.len() - *size as usize..], envelope[..]);
			assert_eq!(*hash, BlobDigest::of(&envelope).0);
		}
	}
}

#[test]
fn no_wrapper_carries_a_shared_envelope() {
	run(|| {
		let calls = vec![call(SUITE, &fleet(2), shortest(2))];
		let wrapped = pallet_utility::Call::batch_all { calls };
		assert_eq!(apply(wrapped.into()).unwrap(), Err(Error::CallNested.into()));
	});
}

#[test]
fn each_device_is_approved_by_itself() {
	run(|| {
		TestOrganisations::give(ACME, approver(1), Role::Watchdog);
		TestOrganisations::set_policy(DeliveryPolicy::Watchdogs { needed: 1 });
		let fleet = fleet(2);
		assert_ok!(apply(call(SUITE, &fleet, shortest(2))).unwrap());
		assert_eq!(Proposals::<Test>::iter().count(), 2);
		let device = fleet[0].device;
		let record = Proposals::<Test>::get(device, CHANNEL).unwrap().record;
		let origin = RuntimeOrigin::signed(approver(1));
		let others = record.id(fleet[1].device, CHANNEL);
		assert!(Pallet::approve(origin.clone(), device, CHANNEL, others).is_err());
		assert_ok!(Pallet::approve(origin, device, CHANNEL, record.id(device, CHANNEL)));
		assert!(Deliveries::<Test>::contains_key(device, CHANNEL));
		assert!(!Deliveries::<Test>::contains_key(fleet[1].device, CHANNEL));
	});
}

#[test]
fn as_many_as_can_be_are_published_at_once() {
	run(|| {
		let recipients: Vec<_> = (0..MAX_RECIPIENTS)
			.map(|number| {
				let device = TestRegistry::add_device(ACME, &format!("many-{number}"));
				let mut bytes = [7; 32];
				bytes[..4].copy_from_slice(&number.to_le_bytes());
				let public = public(KeyType::X25519, &bytes);
				let key = TestRegistry::add_key(device, KeyPurpose::KeyAgreement, public);
				Recipient { device, sequence: 1, key }
			})
			.collect();
		let envelope = shortest(recipients.len());
		assert_ok!(apply(call(SUITE, &recipients, envelope)).unwrap());
		assert_eq!(Deliveries::<Test>::iter().count(), MAX_RECIPIENTS as usize);
	});
}
