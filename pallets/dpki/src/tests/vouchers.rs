//! Issue and cancellation of vouchers.

use super::mock::*;
use crate::{Call, Error, Event};
use dpki_primitives::{
	ids::{DeviceId, Name, OrganisationId, VoucherCommitment, VoucherId},
	key::KeyPurpose,
	refusal::Refusal,
	voucher::{MAX_VOUCHER_LIFETIME, VoucherRecord, VoucherState},
};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchError;

const COMMITMENT: VoucherCommitment = VoucherCommitment([4; 32]);

fn voucher() -> VoucherId {
	VoucherId::from_commitment(acme(), COMMITMENT)
}

fn issue_for(expires_at: u64) -> sp_runtime::DispatchResult {
	Dpki::issue_voucher(signed(BOB), acme(), COMMITMENT, name("drone-1"), expires_at)
}

#[test]
fn a_registrar_issues_a_voucher() {
	run(|| {
		assert_ok!(issue_for(NOW + 5));
		let device = DeviceId::from_name(acme(), b"drone-1");
		assert_eq!(
			Dpki::voucher(voucher()),
			Some(VoucherRecord {
				organisation: acme(),
				device,
				sponsor: BOB.into(),
				expires_at: NOW + 5,
				state: VoucherState::Open,
			})
		);
		let event = Event::VoucherIssued {
			voucher: voucher(),
			organisation: acme(),
			device,
			expires_at: NOW + 5,
		};
		assert_eq!(last_event(), event.into());
	});
}

#[test]
fn only_a_registrar_of_the_organisation_issues_vouchers() {
	run(|| {
		for who in [CAROL, MALLORY] {
			assert_noop!(
				Dpki::issue_voucher(signed(who), acme(), COMMITMENT, name("drone-1"), NOW + 5),
				Error::<Test>::RoleMissing
			);
		}
		assert_noop!(
			Dpki::issue_voucher(
				RuntimeOrigin::root(),
				acme(),
				COMMITMENT,
				name("drone-1"),
				NOW + 5
			),
			DispatchError::BadOrigin
		);
	});
}

#[test]
fn an_unknown_organisation_has_no_vouchers() {
	run(|| {
		let nowhere = OrganisationId([0; 32]);
		assert_noop!(
			Dpki::issue_voucher(signed(BOB), nowhere, COMMITMENT, name("drone-1"), NOW + 5),
			Error::<Test>::OrganisationUnknown
		);
	});
}

#[test]
fn a_voucher_needs_a_valid_device_name() {
	run(|| {
		for bad in [name("Drone"), name("-a"), Name::default()] {
			assert_noop!(
				Dpki::issue_voucher(signed(BOB), acme(), COMMITMENT, bad, NOW + 5),
				Error::<Test>::DeviceNameInvalid
			);
		}
	});
}

#[test]
fn a_voucher_expires_in_the_future_but_not_too_far() {
	run(|| {
		assert_noop!(issue_for(NOW), Error::<Test>::VoucherExpiryPast);
		assert_noop!(issue_for(NOW + MAX_VOUCHER_LIFETIME + 1), Error::<Test>::VoucherExpiryTooFar);
		assert_ok!(issue_for(NOW + MAX_VOUCHER_LIFETIME));
	});
}

#[test]
fn a_voucher_is_issued_once_even_after_it_was_cancelled() {
	run(|| {
		assert_ok!(issue_for(NOW + 5));
		assert_noop!(issue_for(NOW + 5), Error::<Test>::VoucherExists);
		assert_ok!(Dpki::cancel_voucher(signed(BOB), voucher()));
		assert_noop!(issue_for(NOW + 5), Error::<Test>::VoucherExists);
	});
}

#[test]
fn two_organisations_can_issue_the_same_commitment() {
	run(|| {
		assert_ok!(issue_for(NOW + 5));
		let device_name = name("drone-1");
		assert_ok!(Dpki::issue_voucher(signed(MALLORY), other(), COMMITMENT, device_name, NOW + 6));
		assert_eq!(Dpki::voucher(voucher()).unwrap().expires_at, NOW + 5);
		let theirs = VoucherId::from_commitment(other(), COMMITMENT);
		assert_eq!(Dpki::voucher(theirs).unwrap().organisation, other());
	});
}

#[test]
fn no_voucher_is_issued_for_a_device_that_exists() {
	run(|| {
		enrol("drone-1", &[(KeyPurpose::Sign, Pair::ed25519(1))]);
		assert_noop!(issue_for(NOW + 5), Error::<Test>::DeviceExists);
	});
}

#[test]
fn a_registrar_cancels_an_open_or_expired_voucher_once() {
	run(|| {
		assert_ok!(issue_for(NOW + 5));
		set_time(NOW + 6);
		assert_ok!(Dpki::cancel_voucher(signed(ALICE), voucher()));
		assert_eq!(Dpki::voucher(voucher()).unwrap().state, VoucherState::Cancelled(NOW + 6));
		let device = DeviceId::from_name(acme(), b"drone-1");
		let event = Event::VoucherCancelled { voucher: voucher(), organisation: acme(), device };
		assert_eq!(last_event(), event.into());
		assert_noop!(
			Dpki::cancel_voucher(signed(ALICE), voucher()),
			Error::<Test>::VoucherCancelled
		);
	});
}

#[test]
fn only_a_registrar_of_its_organisation_cancels_a_voucher() {
	run(|| {
		assert_ok!(issue_for(NOW + 5));
		for who in [CAROL, MALLORY] {
			assert_noop!(Dpki::cancel_voucher(signed(who), voucher()), Error::<Test>::RoleMissing);
		}
	});
}

#[test]
fn a_used_or_unknown_voucher_cannot_be_cancelled() {
	run(|| {
		assert_noop!(Dpki::cancel_voucher(signed(BOB), voucher()), Error::<Test>::VoucherUnknown);
		let pair = voucher_pair();
		let id = issue(&pair, "drone-1");
		let keys = [(KeyPurpose::Sign, Pair::ed25519(1))];
		Enrolment::new(&pair, "drone-1", &keys).submit().unwrap().unwrap();
		assert_noop!(Dpki::cancel_voucher(signed(BOB), id), Error::<Test>::VoucherRedeemed);
	});
}

fn clearing() -> RuntimeCall {
	RuntimeCall::Dpki(Call::clear_expired_voucher { voucher: voucher() })
}

#[test]
fn anybody_clears_a_voucher_that_expired_unused() {
	run(|| {
		assert_ok!(issue_for(NOW + 5));
		set_time(NOW + 5);
		assert_eq!(submit(clearing()), Err(Refusal::VoucherNotExpired));
		set_time(NOW + 6);
		assert_ok!(validate(clearing()));
		assert_ok!(submit(clearing()).unwrap());
		let event = Event::VoucherCleared { voucher: voucher(), organisation: acme() };
		assert_eq!(last_event(), event.into());
		assert_eq!(Dpki::voucher(voucher()), None);
		assert_eq!(submit(clearing()), Err(Refusal::VoucherUnknown));
		assert_ok!(issue_for(NOW + 10));
	});
}

#[test]
fn what_was_used_or_taken_back_is_remembered() {
	run(|| {
		assert_ok!(issue_for(NOW + 5));
		assert_ok!(Dpki::cancel_voucher(signed(BOB), voucher()));
		set_time(NOW + 6);
		assert_eq!(submit(clearing()), Err(Refusal::VoucherCancelled));
	});
	run(|| {
		let used = issue(&voucher_pair(), "drone-1");
		let keys = [(KeyPurpose::Sign, Pair::ed25519(1))];
		assert_ok!(Enrolment::new(&voucher_pair(), "drone-1", &keys).submit().unwrap());
		set_time(NOW + MAX_VOUCHER_LIFETIME);
		let call = RuntimeCall::Dpki(Call::clear_expired_voucher { voucher: used });
		assert_eq!(submit(call), Err(Refusal::VoucherRedeemed));
	});
}

#[test]
fn a_voucher_that_was_cleared_away_lets_nobody_in() {
	run(|| {
		let issued = issue(&voucher_pair(), "drone-1");
		set_time(NOW + 24 * 60 * 60 * 1_000 + 1);
		let call = RuntimeCall::Dpki(Call::clear_expired_voucher { voucher: issued });
		assert_ok!(submit(call).unwrap());
		let keys = [(KeyPurpose::Sign, Pair::ed25519(1))];
		let mut enrolment = Enrolment::new(&voucher_pair(), "drone-1", &keys);
		enrolment.expires_at += 24 * 60 * 60 * 1_000;
		enrolment.sign();
		assert_eq!(enrolment.submit(), Err(Refusal::VoucherUnknown));
	});
}

#[test]
fn only_the_pipeline_that_judges_clears_vouchers() {
	run(|| {
		assert_ok!(issue_for(NOW + 5));
		set_time(NOW + 6);
		for origin in [signed(ALICE), RuntimeOrigin::root(), RuntimeOrigin::none()] {
			assert_noop!(Dpki::clear_expired_voucher(origin, voucher()), DispatchError::BadOrigin);
		}
	});
}
