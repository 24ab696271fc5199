//! What happens on one channel and what does not happen on another.

use super::{
	doubles::{TestOrganisations, TestRegistry},
	mock::*,
};
use crate::{Acknowledgements, Approvals, Channels, Deliveries, Envelope, Proposals};
use codec::Encode;
use dpki_primitives::{
	channel::{ChannelId, ChannelSet, MAX_CHANNELS},
	delivery::MAX_SEQUENCE_STEP,
	organisation::{DeliveryPolicy, Role},
	refusal::Refusal,
	revocation::{Revocation, RevocationReason},
	status::Status,
};
use frame_support::assert_ok;
use sp_runtime::{OpaqueExtrinsic, traits::Dispatchable};
use sp_state_machine::IndexOperation;

fn sequence_of(channel: ChannelId) -> Option<u64> {
	Deliveries::<Test>::get(drone(), channel).map(|record| record.sequence)
}

fn watched(needed: u32) {
	for number in 1..=3 {
		TestOrganisations::give(ACME, approver(number), Role::Watchdog);
	}
	TestOrganisations::set_policy(DeliveryPolicy::Watchdogs { needed });
}

#[test]
fn a_delivery_displaces_none_on_another_channel() {
	run(|| {
		publish(7);
		let before = Deliveries::<Test>::get(drone(), CHANNEL);
		publish_on(other_channel(), 1);
		assert_eq!(Deliveries::<Test>::get(drone(), CHANNEL), before);
		assert_eq!(sequence_of(other_channel()), Some(1));
	});
}

#[test]
fn each_channel_has_its_own_numbers() {
	run(|| {
		publish_on(other_channel(), 1 + MAX_SEQUENCE_STEP / 2);
		publish(1);
		for (channel, sequence, error) in [
			(CHANNEL, 1, Error::DeliveryOutdated),
			(CHANNEL, 2 + MAX_SEQUENCE_STEP, Error::SequenceTooFar),
			(other_channel(), 2, Error::DeliveryOutdated),
		] {
			let refused = apply(publish_call_on(channel, sequence, envelope(100))).unwrap();
			assert_eq!(refused, Err(error.into()));
		}
		publish(2);
		assert_eq!(sequence_of(CHANNEL), Some(2));
		assert_eq!(sequence_of(other_channel()), Some(1 + MAX_SEQUENCE_STEP / 2));
	});
}

#[test]
fn the_channels_of_a_device_are_those_with_a_delivery() {
	run(|| {
		assert_eq!(Channels::<Test>::get(drone()), ChannelSet::EMPTY);
		publish_on(other_channel(), 1);
		assert_eq!(Channels::<Test>::get(drone()), ChannelSet::EMPTY.with(other_channel()));
		for channel in ChannelId::all() {
			publish_on(channel, 2);
		}
		assert_eq!(Channels::<Test>::get(drone()), ChannelSet::ALL);
	});
}

#[test]
fn what_waits_is_on_no_channel_until_it_is_approved() {
	run(|| {
		watched(1);
		publish_on(other_channel(), 1);
		assert_eq!(Channels::<Test>::get(drone()), ChannelSet::EMPTY);
		assert_ok!(approve_on(other_channel(), approver(1), 1));
		assert_eq!(Channels::<Test>::get(drone()), ChannelSet::EMPTY.with(other_channel()));
	});
}

#[test]
fn there_is_no_channel_beyond_the_last() {
	run(|| {
		let last = ChannelId::new(MAX_CHANNELS - 1).unwrap();
		let bytes = signed(publish_call_on(last, 1, envelope(100))).encode();
		let at = bytes
			.windows(33)
			.position(|it| it[..32] == drone().0 && it[32] == last.number());
		let mut beyond = bytes.clone();
		beyond[at.unwrap() + 32] = MAX_CHANNELS;
		let decode = |bytes: &[u8]| <UncheckedExtrinsic as codec::Decode>::decode(&mut &*bytes);
		assert!(decode(&bytes).is_ok() && decode(&beyond).is_err());
	});
}

#[test]
fn a_proposal_on_one_channel_blocks_none_on_another() {
	run(|| {
		watched(1);
		TestOrganisations::add_publisher(ACME, approver(9));
		publish(1);
		Proposals::<Test>::mutate(drone(), CHANNEL, |proposal| {
			proposal.as_mut().unwrap().record.publisher = approver(9).into();
		});
		let again = apply(publish_call(2, envelope(100))).unwrap();
		assert_eq!(again, Err(Error::ProposalWaiting.into()));
		publish_on(other_channel(), 1);
		assert!(Proposals::<Test>::contains_key(drone(), CHANNEL));
		assert_ok!(approve_on(other_channel(), approver(1), 1));
		assert!(Proposals::<Test>::contains_key(drone(), CHANNEL));
		assert!(Approvals::<Test>::contains_key(drone(), other_channel()));
		assert!(!Approvals::<Test>::contains_key(drone(), CHANNEL));
	});
}

#[test]
fn a_proposal_to_a_revoked_key_is_displaced_on_its_channel() {
	run(|| {
		watched(1);
		TestOrganisations::add_publisher(ACME, approver(9));
		let old = TestRegistry::add_key(
			drone(),
			dpki_primitives::key::KeyPurpose::KeyAgreement,
			public(dpki_primitives::key::KeyType::X25519, &[4; 32]),
		);
		publish(1);
		Proposals::<Test>::mutate(drone(), CHANNEL, |proposal| {
			let record = &mut proposal.as_mut().unwrap().record;
			(record.publisher, record.recipient) = (approver(9).into(), old);
		});
		let again = || apply(publish_call(2, envelope(100))).unwrap();
		assert_eq!(again(), Err(Error::ProposalWaiting.into()));
		let revocation = Revocation { reason: RevocationReason::KeyCompromise, at: NOW };
		TestRegistry::set_key_status(old, Status::Revoked(revocation));
		assert_ok!(again());
	});
}

#[test]
fn withdrawing_takes_back_what_waits_on_one_channel() {
	run(|| {
		watched(1);
		publish(1);
		publish_on(other_channel(), 1);
		let origin = RuntimeOrigin::signed(publisher());
		let delivery = delivery_id(other_channel(), 1);
		assert_ok!(Pallet::withdraw(origin, drone(), other_channel(), delivery));
		assert!(Proposals::<Test>::contains_key(drone(), CHANNEL));
		assert!(!Proposals::<Test>::contains_key(drone(), other_channel()));
	});
}

#[test]
fn each_channel_is_acknowledged_by_itself() {
	run(|| {
		publish(1);
		publish_on(other_channel(), 1);
		let ack = Ack { channel: other_channel(), ..Ack::applied(1) };
		assert_ok!(Executive::apply_extrinsic(general(ack.call())).unwrap());
		assert!(Acknowledgements::<Test>::contains_key(drone(), other_channel()));
		assert!(!Acknowledgements::<Test>::contains_key(drone(), CHANNEL));
		let again = ack.call().dispatch(frame_system::RawOrigin::Authorized.into());
		let code = Refusal::DeliveryAcknowledged.code();
		assert_eq!(again.unwrap_err().error, Error::AcknowledgementRefused(code).into());
		assert_ok!(Executive::apply_extrinsic(general(Ack::applied(1).call())).unwrap());
	});
}

#[test]
fn a_pool_keeps_the_acknowledgements_of_two_channels() {
	run(|| {
		publish(1);
		publish_on(other_channel(), 1);
		let other = Ack { channel: other_channel(), ..Ack::applied(1) };
		let provides = |ack: &Ack| pool_verdict(ack.call()).unwrap().provides;
		assert_ne!(provides(&Ack::applied(1)), provides(&other));
	});
}

#[test]
fn an_empty_channel_is_not_acknowledged() {
	run(|| {
		publish(1);
		let ack = Ack { channel: other_channel(), ..Ack::applied(1) };
		let code = Refusal::DeliveryUnknown.code();
		let refused = ack.call().dispatch(frame_system::RawOrigin::Authorized.into());
		assert_eq!(refused.unwrap_err().error, Error::AcknowledgementRefused(code).into());
	});
}

#[test]
fn what_nodes_store_is_the_envelope_on_every_channel() {
	for channel in [CHANNEL, other_channel()] {
		let envelope: Envelope = envelope(16_500);
		let mut encoded = Vec::new();
		let indexed = run(|| {
			let extrinsic = signed(publish_call_on(channel, 1, envelope.clone()));
			encoded = extrinsic.encode();
			assert_ok!(Executive::apply_extrinsic(extrinsic).unwrap());
		});
		let stored =
			<OpaqueExtrinsic as codec::Decode>::decode(&mut &encoded[..]).unwrap().encode();
		let [IndexOperation::Insert { size, .. }] = &indexed[..] else { panic!("{indexed:?}") };
		assert_eq!(stored[stored.len() - *size as usize..], envelope[..]);
	}
}
