//! What is removed, when, and that nothing depends on it.

use super::mock::*;
use crate::{
	ApplicationVotes, Applications, ClosedQueue, ClosedRange, Ending, EndingCount, EndingCursor,
	WeightInfo,
};
use dpki_primitives::{
	application::Renewal, assurance::Level, certificate::day_of, ids::CertificateId, status::Status,
};
use frame_support::{assert_noop, assert_ok, traits::Hooks, weights::Weight};

type W = <Test as crate::Config>::WeightInfo;

#[test]
fn a_closed_application_stays_readable_and_is_removed_then() {
	run(|| {
		let open = apply(ALICE, request(dns("open.example"), Level::Dv, 1), 1);
		let id = apply(ALICE, request(dns("a.example"), Level::Dv, 1), 1);
		prove_control(id);
		skip(50);
		idle();
		assert!(Applications::<Test>::contains_key(id));
		assert_eq!(ApplicationVotes::<Test>::get(id).len(), 2);
		skip(1);
		idle();
		assert!(!Applications::<Test>::contains_key(id));
		assert!(!ApplicationVotes::<Test>::contains_key(id));
		assert!(Applications::<Test>::contains_key(open), "open ones are never removed");
		assert_eq!(ClosedQueue::<Test>::iter().count(), 0);
		assert_eq!(ClosedRange::<Test>::get(), (1, 1));
		assert_eq!(Certificates::certificate_status(CertificateId::of(id)), Status::Valid);
		assert_noop!(close(id), Error::ApplicationNotFound);
	});
}

#[test]
fn cleaning_takes_no_more_weight_than_there_is() {
	run(|| {
		for seed in 1..4 {
			let id = apply(ALICE, request(dns("a.example"), Level::Dv, seed), seed);
			assert_ok!(Certificates::withdraw_application(signed(ALICE), id));
		}
		skip(51);
		let block = System::block_number();
		assert_eq!(Certificates::on_idle(block, Weight::zero()), Weight::zero());
		assert_eq!(Applications::<Test>::iter().count(), 3);
		let two = W::clean_application().saturating_mul(2);
		assert!(Certificates::on_idle(block, two).all_lte(two));
		assert_eq!(Applications::<Test>::iter().count(), 1);
	});
}

#[test]
fn one_block_removes_a_bounded_number() {
	run(|| {
		for _ in 0..70 {
			let id = apply(ALICE, request(dns("a.example"), Level::Dv, 1), 1);
			assert_ok!(Certificates::withdraw_application(signed(ALICE), id));
		}
		skip(51);
		idle();
		assert_eq!(Applications::<Test>::iter().count(), 6);
		idle();
		assert_eq!(Applications::<Test>::iter().count(), 0);
	});
}

#[test]
fn the_index_by_end_forgets_days_that_are_over() {
	run(|| {
		let id = dns_certificate("a.example", 1);
		let first_day = day_of(NOW + POLICY.control_lifetime);
		set_time(NOW + 10 * DAY);
		let application = next_application(ALICE);
		assert_ok!(Certificates::renew(signed(ALICE), id, Renewal::Control));
		prove_control(application);
		let second_day = day_of(NOW + 100 * DAY);
		assert_eq!(EndingCount::<Test>::get(first_day), 1);
		assert_eq!(EndingCount::<Test>::get(second_day), 1);
		set_time(NOW + (POLICY.control_lifetime + DAY));
		for _ in 0..3 {
			idle();
		}
		assert_eq!(EndingCount::<Test>::get(first_day), 0);
		assert!(!Ending::<Test>::contains_key(first_day, 0));
		assert_eq!(EndingCount::<Test>::get(second_day), 1);
		assert_eq!(EndingCursor::<Test>::get(), Some(first_day + 1));
	});
}
