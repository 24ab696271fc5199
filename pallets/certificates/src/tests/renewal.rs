//! Control that lapses and is proven again, and endorsements that are asked for again.

use super::mock::*;
use crate::{Certificates as Stored, OpenRenewals};
use dpki_primitives::{
	application::{CertificateRequest, Observation, Outcome, RefusalCause, Renewal},
	assurance::Level,
	certificate::MAX_LIVE_CERTIFICATES,
	ids::{ApplicationId, CertificateId},
	revocation::RevocationReason,
	status::Status,
};
use frame_support::{assert_noop, assert_ok};

fn renew(id: CertificateId, renewal: Renewal) -> ApplicationId {
	let who = match renewal {
		Renewal::Control => ALICE,
		Renewal::Endorsement => ADMIN,
	};
	let application = next_application(who.clone());
	assert_ok!(Certificates::renew(signed(who), id, renewal));
	application
}

#[test]
fn control_lapses_unless_it_is_proven_again() {
	run(|| {
		let id = dns_certificate("a.example", 1);
		set_time(NOW + POLICY.control_lifetime);
		assert_eq!(Certificates::certificate_status(id), Status::Valid);
		let application = renew(id, Renewal::Control);
		set_time(NOW + POLICY.control_lifetime + 1);
		assert_eq!(Certificates::certificate_status(id), Status::Expired);
		prove_control(application);
		assert_eq!(outcome(application), Some(Outcome::Granted));
		assert_eq!(Certificates::certificate_status(id), Status::Valid);
		assert!(!OpenRenewals::<Test>::contains_key(id, Renewal::Control));
		set_time(NOT_AFTER + 1);
		assert_eq!(Certificates::certificate_status(id), Status::Expired, "all the same");
	});
}

#[test]
fn whoever_proves_a_lapsed_subject_first_takes_it() {
	run(|| {
		let id = dns_certificate("a.example", 1);
		set_time(NOW + POLICY.control_lifetime + 1);
		let renewal = renew(id, Renewal::Control);
		let request = CertificateRequest {
			holder: account_holder(BOB),
			..request(dns("a.example"), Level::Dv, 2)
		};
		let taker = apply(BOB, request, 2);
		for application in [taker, renewal] {
			assert_ok!(commit(application, 0, Observation::Controlled));
			assert_ok!(commit(application, 1, Observation::Controlled));
		}
		skip(11);
		for application in [taker, renewal] {
			assert_ok!(reveal(application, 0, Observation::Controlled));
			assert_ok!(reveal(application, 1, Observation::Controlled));
		}
		assert_eq!(outcome(taker), Some(Outcome::Granted));
		assert_eq!(outcome(renewal), Some(Outcome::Refused(RefusalCause::SubjectHeld)));
		assert_eq!(Certificates::certificate_status(id), Status::Expired);
	});
}

#[test]
fn a_certificate_needs_no_second_place_to_be_renewed() {
	run(|| {
		let ids: Vec<_> = (1..=MAX_LIVE_CERTIFICATES as u8)
			.map(|seed| dns_certificate("a.example", seed))
			.collect();
		let application = renew(ids[3], Renewal::Control);
		prove_control(application);
		assert_eq!(outcome(application), Some(Outcome::Granted));
		let live = Certificates::subject(dns("a.example").id()).unwrap().live;
		assert_eq!(live.len(), ids.len());
		assert!(ids.iter().all(|id| live.contains(id)));
	});
}

#[test]
fn a_refused_renewal_leaves_the_certificate_its_time() {
	run(|| {
		let id = dns_certificate("a.example", 1);
		let application = renew(id, Renewal::Control);
		assert_ok!(commit(application, 0, Observation::NotControlled));
		assert_ok!(commit(application, 1, Observation::NotControlled));
		skip(11);
		assert_ok!(reveal(application, 0, Observation::NotControlled));
		assert_eq!(outcome(application), Some(Outcome::Refused(RefusalCause::ControlNotProven)));
		assert_eq!(Certificates::certificate_status(id), Status::Valid);
	});
}

#[test]
fn a_certificate_that_is_revoked_in_between_is_not_renewed() {
	run(|| {
		let id = dns_certificate("a.example", 1);
		let application = renew(id, Renewal::Control);
		assert_ok!(Certificates::revoke(signed(ALICE), id, RevocationReason::Superseded));
		prove_control(application);
		assert_eq!(outcome(application), Some(Outcome::Refused(RefusalCause::CertificateEnded)));
		assert_eq!(
			Stored::<Test>::get(id).unwrap().control_until,
			Some(NOW + POLICY.control_lifetime)
		);
	});
}

#[test]
fn a_shorter_lifetime_of_control_takes_nothing_away() {
	run(|| {
		let id = dns_certificate("a.example", 1);
		let mut policy = POLICY;
		policy.control_lifetime = DAY;
		assert_ok!(Certificates::set_policy(root(), policy));
		prove_control(renew(id, Renewal::Control));
		assert_eq!(
			Stored::<Test>::get(id).unwrap().control_until,
			Some(NOW + POLICY.control_lifetime)
		);
	});
}

#[test]
fn endorsements_are_asked_for_again_and_paid_again() {
	run(|| {
		let application = apply(ADMIN, acme_request(Level::Ov, 1), 1);
		let id = CertificateId::of(application);
		assert_noop!(
			Certificates::renew(signed(ADMIN), id, Renewal::Endorsement),
			Error::RenewalOpen
		);
		assert_ok!(endorse(id, 0, Level::Ov));
		assert_ok!(endorse(id, 1, Level::Ov));
		set_time(NOW + 50 * DAY + 1);
		assert_eq!(level(id), Some(Level::Dv));
		let again = renew(id, Renewal::Endorsement);
		assert_ok!(endorse(id, 0, Level::Ov));
		assert_ok!(endorse(id, 2, Level::Ov));
		assert_eq!(outcome(again), Some(Outcome::Granted));
		assert_eq!(level(id), Some(Level::Ov));
		assert_eq!(wealth(&endorser(0)), EXISTENTIAL + 50 + 30);
		assert_eq!(wealth(&endorser(2)), EXISTENTIAL + 30);
	});
}

#[test]
fn a_renewal_is_for_the_holder_of_something_that_can_be_renewed() {
	run(|| {
		let named = dns_certificate("a.example", 1);
		let organisation = acme_certificate(Level::Dv, 2);
		let renew = |who, id, renewal| Certificates::renew(signed(who), id, renewal);
		assert_noop!(renew(BOB, named, Renewal::Control), Error::NotHolder);
		assert_noop!(renew(ALICE, named, Renewal::Endorsement), Error::RenewalUnfit);
		assert_noop!(renew(ADMIN, organisation, Renewal::Control), Error::RenewalUnfit);
		assert_noop!(
			renew(ALICE, CertificateId([9; 32]), Renewal::Control),
			Error::CertificateNotFound
		);
		assert_ok!(renew(ALICE, named, Renewal::Control));
		assert_noop!(renew(ALICE, named, Renewal::Control), Error::RenewalOpen);
		set_time(NOT_AFTER + 1);
		assert_noop!(renew(ADMIN, organisation, Renewal::Endorsement), Error::CertificateEnded);
	});
}
