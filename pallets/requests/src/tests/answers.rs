//! `answer`, `refuse` and `clear`.

use super::{
	doubles::{TestDeliveries, TestOrganisations, TestRegistry, TestTime},
	mock::*,
};
use crate::{Contents, Filings};
use dpki_primitives::{
	channel::ChannelId,
	filing::{FILING_LIFETIME, FilingStanding, Objection},
	ids::{DeviceId, OrganisationId},
	organisation::Role,
	revocation::{Revocation, RevocationReason},
	status::Status,
};
use frame_support::{
	assert_noop, assert_ok,
	dispatch::{CheckIfFeeless, DispatchResult},
};
use sp_runtime::{AccountId32, DispatchError};

const OBJECTION: Objection = Objection::NamesNotAllowed;

/// A channel that is not the one of whoever names none.
fn channel() -> ChannelId {
	ChannelId::new(2).unwrap()
}

fn content() -> [u8; 32] {
	Said::web(0, 0).content()
}

/// Answers with a delivery that is there.
fn answer(who: AccountId32, content: [u8; 32], sequence: u64) -> DispatchResult {
	TestDeliveries::deliver(drone(), channel(), sequence);
	answer_as_it_is(who, content, sequence)
}

fn answer_as_it_is(who: AccountId32, content: [u8; 32], sequence: u64) -> DispatchResult {
	Pallet::answer(RuntimeOrigin::signed(who), drone(), 0, content, channel(), sequence)
}

fn refuse(who: AccountId32, content: [u8; 32]) -> DispatchResult {
	Pallet::refuse(RuntimeOrigin::signed(who), drone(), 0, content, OBJECTION)
}

fn clear(slot: u8) -> DispatchResult {
	Pallet::clear(RuntimeOrigin::signed(stranger()), drone(), slot)
}

fn is_free(slot: u8) -> bool {
	let call = crate::Call::<Test>::clear { device: drone(), slot };
	RuntimeCall::from(call).is_feeless(&RuntimeOrigin::signed(stranger()))
}

fn standing() -> Option<FilingStanding> {
	Filings::<Test>::get(drone(), 0).map(|filing| filing.standing)
}

#[test]
fn a_publisher_tells_in_which_delivery_on_which_channel_the_certificate_is() {
	run(|| {
		accept(Said::web(0, 0).file());
		TestTime::set(NOW + 5);
		assert_ok!(answer(publisher(), content(), 3));
		assert_eq!(
			standing(),
			Some(FilingStanding::Answered { channel: channel(), sequence: 3, at: NOW + 5 })
		);
		assert!(!Contents::<Test>::contains_key(drone(), 0), "nobody has to read it any more");
		let (device, slot, content, by) = (drone(), 0, content(), publisher());
		let channel = channel();
		let event = Event::RequestAnswered { device, slot, content, channel, sequence: 3, by };
		assert_eq!(events().pop(), Some(event));
	});
}

#[test]
fn a_publisher_tells_why_there_is_none() {
	run(|| {
		accept(Said::web(0, 0).file());
		assert_ok!(refuse(publisher(), content()));
		let refused = FilingStanding::Refused { objection: OBJECTION, at: NOW };
		assert_eq!(standing(), Some(refused));
		assert!(!Contents::<Test>::contains_key(drone(), 0));
		let (device, slot, content, by) = (drone(), 0, content(), publisher());
		let event = Event::RequestRefused { device, slot, content, objection: OBJECTION, by };
		assert_eq!(events().pop(), Some(event));
	});
}

#[test]
fn an_answer_is_one_to_exactly_what_was_asked() {
	run(|| {
		assert_noop!(answer(publisher(), content(), 1), Error::FilingUnknown);
		accept(Said::web(0, 0).file());
		assert_noop!(answer(publisher(), [9; 32], 1), Error::FilingUnknown);
		assert_noop!(refuse(publisher(), [9; 32]), Error::FilingUnknown);
		accept(Said { body: b"another key".to_vec(), ..Said::web(0, 1) }.file());
		assert_noop!(answer(publisher(), content(), 1), Error::FilingUnknown);
	});
}

#[test]
fn a_request_is_answered_once() {
	run(|| {
		accept(Said::web(0, 0).file());
		assert_ok!(refuse(publisher(), content()));
		assert_noop!(refuse(publisher(), content()), Error::FilingUnknown);
		assert_noop!(answer(publisher(), content(), 1), Error::FilingUnknown);
		assert_noop!(clear(0), Error::FilingUnknown);
		accept(Said::web(0, 1).file());
		assert_ok!(answer(publisher(), content(), 1));
	});
}

#[test]
fn only_publishers_of_the_organisation_answer() {
	run(|| {
		accept(Said::web(0, 0).file());
		let elsewhere = AccountId32::new([20; 32]);
		TestOrganisations::add_publisher(OrganisationId([2; 32]), elsewhere.clone());
		let registrar = AccountId32::new([21; 32]);
		TestOrganisations::give(ACME, registrar.clone(), Role::Registrar);
		for who in [stranger(), elsewhere, registrar] {
			assert_noop!(answer(who.clone(), content(), 1), Error::RoleMissing);
			assert_noop!(refuse(who, content()), Error::RoleMissing);
		}
		for origin in [RuntimeOrigin::root(), RuntimeOrigin::none()] {
			let answered = Pallet::answer(origin.clone(), drone(), 0, content(), channel(), 1);
			assert_noop!(answered, DispatchError::BadOrigin);
			let refused = Pallet::refuse(origin.clone(), drone(), 0, content(), OBJECTION);
			assert_noop!(refused, DispatchError::BadOrigin);
			assert_noop!(Pallet::clear(origin, drone(), 0), DispatchError::BadOrigin);
		}
	});
}

#[test]
fn an_answer_names_a_delivery_that_is_there_on_its_channel() {
	run(|| {
		accept(Said::web(0, 0).file());
		let refused = |sequence, error: Error| {
			assert_noop!(answer_as_it_is(publisher(), content(), sequence), error);
		};
		refused(0, Error::DeliveryMissing);
		refused(1, Error::DeliveryMissing);
		// Those of another channel, and of another device, say nothing about this one.
		TestDeliveries::deliver(drone(), ChannelId::DEFAULT, 3);
		TestDeliveries::deliver(DeviceId([5; 32]), channel(), 3);
		refused(3, Error::DeliveryMissing);
		TestDeliveries::deliver(drone(), channel(), 3);
		refused(2, Error::DeliveryOutdated);
		refused(4, Error::DeliveryMissing);
		refused(0, Error::DeliveryMissing);
		assert_ok!(answer_as_it_is(publisher(), content(), 3));
	});
}

#[test]
fn what_is_wrong_with_the_request_is_told_before_what_is_wrong_with_the_delivery() {
	run(|| {
		assert_noop!(answer_as_it_is(publisher(), content(), 1), Error::FilingUnknown);
		accept(Said::web(0, 0).file());
		assert_noop!(answer_as_it_is(stranger(), content(), 1), Error::RoleMissing);
		TestTime::set(NOW + FILING_LIFETIME + 1);
		assert_noop!(answer_as_it_is(publisher(), content(), 1), Error::FilingExpired);
	});
}

#[test]
fn what_is_over_is_not_answered_and_anybody_clears_it_for_nothing() {
	run(|| {
		accept(Said::web(0, 0).file());
		TestTime::set(NOW + FILING_LIFETIME);
		assert_noop!(clear(0), Error::FilingWaits);
		assert!(!is_free(0));
		TestTime::set(NOW + FILING_LIFETIME + 1);
		assert_noop!(answer(publisher(), content(), 1), Error::FilingExpired);
		assert_noop!(refuse(publisher(), content()), Error::FilingExpired);
		assert!(is_free(0));
		assert_ok!(clear(0));
		assert_eq!(standing(), None);
		assert!(!Contents::<Test>::contains_key(drone(), 0));
		let (device, slot, content) = (drone(), 0, content());
		assert_eq!(events().pop(), Some(Event::RequestCleared { device, slot, content }));
		assert_noop!(clear(0), Error::FilingUnknown);
		assert!(!is_free(0));
	});
}

#[test]
fn what_is_over_is_replaced_too() {
	run(|| {
		accept(Said::web(0, 0).file());
		let now = NOW + FILING_LIFETIME + 1;
		TestTime::set(now);
		accept(Said { expires_at: now + 1, ..Said::web(0, 1) }.file());
		assert_ok!(answer(publisher(), content(), 1));
	});
}

#[test]
fn what_a_revoked_device_asked_for_is_cleared() {
	run(|| {
		accept(Said::web(0, 0).file());
		let revocation = Revocation { reason: RevocationReason::KeyCompromise, at: NOW };
		TestRegistry::set_device_status(drone(), Status::Revoked(revocation));
		assert!(is_free(0) && !is_free(1));
		assert_ok!(clear(0));
		assert_eq!(standing(), None);
	});
}

#[test]
fn what_was_answered_to_a_device_that_is_revoked_is_cleared_too() {
	run(|| {
		accept(Said::web(0, 0).file());
		assert_ok!(answer(publisher(), content(), 3));
		assert_noop!(clear(0), Error::FilingUnknown);
		let revocation = Revocation { reason: RevocationReason::KeyCompromise, at: NOW };
		TestRegistry::set_device_status(drone(), Status::Revoked(revocation));
		assert_ok!(clear(0));
		assert_eq!(standing(), None);
	});
}

#[test]
fn what_a_device_on_hold_asked_for_stays() {
	run(|| {
		accept(Said::web(0, 0).file());
		TestRegistry::set_device_status(drone(), Status::Suspended);
		assert!(!is_free(0));
		assert_noop!(clear(0), Error::FilingWaits);
		assert_ok!(answer(publisher(), content(), 3));
		assert_noop!(clear(0), Error::FilingUnknown);
	});
}

#[test]
fn what_a_key_asked_for_that_was_revoked_is_not_answered_and_cleared() {
	run(|| {
		accept(Said::web(0, 0).file());
		let revocation = Revocation { reason: RevocationReason::KeyCompromise, at: NOW };
		TestRegistry::revoke_key(signing_key(), revocation);
		assert_noop!(answer(publisher(), content(), 1), Error::FilingExpired);
		assert!(is_free(0));
		assert_ok!(clear(0));
		assert_eq!(standing(), None);
	});
}

#[test]
fn nothing_of_a_device_that_there_is_not_is_cleared() {
	run(|| {
		let nobody = DeviceId([5; 32]);
		let origin = RuntimeOrigin::signed(stranger());
		assert_noop!(Pallet::clear(origin, nobody, 0), Error::FilingUnknown);
	});
}
