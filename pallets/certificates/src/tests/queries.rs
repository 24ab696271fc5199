//! What can be asked.

use super::mock::*;
use dpki_primitives::{
	application::{CertificateRequest, Observation, Renewal, control_challenge},
	assurance::Level,
	certificate::{Holder, MAX_PAGE, Office, Page, day_of},
	ids::{CertificateId, KeyId},
	organisation::Belongings,
	revocation::RevocationReason,
	subject::Subject,
};
use frame_support::assert_ok;

fn page<Item>(total: u32, items: Vec<Item>) -> Page<Item> {
	Page { total, next: None, items }
}

#[test]
fn an_observer_sees_what_it_can_still_vote_on() {
	run(|| {
		let first = apply(ALICE, request(dns("a.example"), Level::Dv, 1), 1);
		let second = apply(ALICE, request(dns("b.example"), Level::Dv, 1), 1);
		apply(ADMIN, acme_request(Level::Ov, 2), 2);
		let pending = |n| Certificates::pending_observations(observer(n), 0);
		assert_eq!(pending(0), page(3, vec![first, second]));
		assert_ok!(commit(first, 0, Observation::Controlled));
		assert_eq!(pending(0), page(3, vec![second]));
		assert_eq!(pending(1), page(3, vec![first, second]));
		let reveals = |n| Certificates::pending_reveals(observer(n), 0);
		assert_eq!(reveals(0), page(3, vec![first]));
		assert_eq!(reveals(1), page(3, vec![]));
		assert_eq!(Certificates::pending_observations(ALICE, 0), page(3, vec![]));
		assert_ok!(commit(first, 1, Observation::Controlled));
		skip(11);
		assert_eq!(pending(1), page(3, vec![]));
		assert_ok!(reveal(first, 0, Observation::Controlled));
		assert_eq!(reveals(0), page(3, vec![]));
	});
}

#[test]
fn an_endorser_sees_what_it_can_be_paid_for() {
	run(|| {
		let ov = acme_certificate(Level::Ov, 1);
		let ev = acme_certificate(Level::Ev, 2);
		accredit(Office::Endorser, endorser(1), endorser_organisation(1), Level::Ov);
		accredit(Office::Endorser, endorser(2), acme(), Level::Ev);
		let pending = |n| Certificates::pending_endorsements(endorser(n), 0);
		assert_eq!(pending(0), page(2, vec![ov, ev]));
		assert_eq!(pending(1), page(2, vec![ov]));
		assert_eq!(pending(2), page(2, vec![]), "its own organisation's are left to others");
		assert_ok!(endorse(ov, 0, Level::Ov));
		assert_eq!(pending(0), page(2, vec![ev]));
		skip(101);
		assert_eq!(pending(0), page(2, vec![]));
	});
}

#[test]
fn the_challenge_is_that_of_the_application() {
	run(|| {
		let subject = dns("a.example");
		let id = apply(ALICE, request(subject.clone(), Level::Dv, 1), 1);
		let expected = control_challenge(&GENESIS, id, subject.id(), KeyId::of(&public(1)));
		assert_eq!(Certificates::challenge(id), Some((subject.clone(), expected)));
		prove_control(id);
		assert_eq!(Certificates::challenge(id), None);
		let renewal = next_application(ALICE);
		let certificate = CertificateId::of(id);
		assert_ok!(Certificates::renew(signed(ALICE), certificate, Renewal::Control));
		let again = control_challenge(&GENESIS, renewal, subject.id(), KeyId::of(&public(1)));
		assert_eq!(Certificates::challenge(renewal), Some((subject, again)));
		assert_ne!(again, expected);
	});
}

#[test]
fn certificates_are_listed_by_holder_and_by_subject() {
	run(|| {
		let first = dns_certificate("a.example", 1);
		let second = dns_certificate("a.example", 2);
		let third = dns_certificate("b.example", 1);
		assert_ok!(Certificates::revoke(signed(ALICE), first, RevocationReason::Superseded));
		let alice = account_holder(ALICE);
		assert_eq!(Certificates::certificates_of(alice, 0), page(3, vec![first, second, third]));
		assert_eq!(Certificates::certificates_of(alice, 2), page(3, vec![third]));
		assert_eq!(Certificates::certificates_of(alice, 9), page(3, vec![]));
		let subject = dns("a.example").id();
		assert_eq!(Certificates::certificates_about(subject, 0), page(2, vec![first, second]));
		assert_eq!(Certificates::subject(subject).unwrap().holder, alice);
	});
}

#[test]
fn a_long_list_comes_in_pages() {
	run(|| {
		for n in 0..MAX_PAGE as u8 + 6 {
			let subject = Subject::Pseudonym(KeyId::of(&public(n)));
			apply(ALICE, request(subject, Level::Dv, n), n);
		}
		let alice = account_holder(ALICE);
		let first = Certificates::certificates_of(alice, 0);
		assert_eq!((first.total, first.next, first.items.len()), (70, Some(64), 64));
		let second = Certificates::certificates_of(alice, 64);
		assert_eq!((second.total, second.next, second.items.len()), (70, None, 6));
	});
}

#[test]
fn what_ends_on_a_day_is_listed_as_things_stand() {
	run(|| {
		let named = dns_certificate("a.example", 1);
		let organisation = acme_certificate(Level::Dv, 2);
		let revoked = acme_certificate(Level::Dv, 3);
		assert_ok!(Certificates::revoke(signed(ADMIN), revoked, RevocationReason::Superseded));
		let lapse = day_of(NOW + POLICY.control_lifetime);
		assert_eq!(Certificates::ending_on(lapse, 0), page(1, vec![named]));
		assert_eq!(Certificates::ending_on(day_of(NOT_AFTER), 0), page(2, vec![organisation]));
		set_time(NOW + 80 * DAY);
		let application = next_application(ALICE);
		assert_ok!(Certificates::renew(signed(ALICE), named, Renewal::Control));
		prove_control(application);
		assert_eq!(Certificates::ending_on(lapse, 0), page(1, vec![]), "it goes on");
		assert_eq!(
			Certificates::ending_on(day_of(NOT_AFTER), 0),
			page(3, vec![organisation, named])
		);
	});
}

#[test]
fn everyone_who_was_accredited_is_listed() {
	run(|| {
		let listed = Certificates::accredited(Office::Observer, 4);
		assert_eq!(listed.total, 6);
		assert_eq!(listed.items[0].0, observer(4));
		assert_eq!(
			Certificates::accreditation(Office::Observer, &observer(4)),
			Some(listed.items[0].1)
		);
		assert_eq!(Certificates::accreditation(Office::Endorser, &observer(4)), None);
	});
}

#[test]
fn records_are_read_as_they_are_stored() {
	run(|| {
		let application = apply(ADMIN, acme_request(Level::Ov, 1), 1);
		let id = CertificateId::of(application);
		assert_ok!(endorse(id, 0, Level::Ov));
		assert_eq!(Certificates::endorsements(id).len(), 1);
		assert_eq!(Certificates::application(application).unwrap().payer, [4; 32]);
		assert_eq!(Certificates::votes(application).len(), 0);
		let expected: CertificateRequest = acme_request(Level::Ov, 1);
		let record = Certificates::certificate(id).unwrap();
		assert_eq!((record.key, record.holder), (expected.key, Holder::Organisation(acme())));
	});
}

#[test]
fn an_organisation_is_empty_until_something_of_it_is_applied_for_or_accredited() {
	run(|| {
		let is_empty = <Certificates as Belongings>::is_empty;
		assert!(is_empty(acme()) && !is_empty(observer_organisation(0)));
		let service =
			Subject::Service { organisation: acme(), name: b"api".to_vec().try_into().unwrap() };
		let request = CertificateRequest {
			holder: Holder::Organisation(acme()),
			..request(service, Level::Dv, 1)
		};
		apply(REGISTRAR, request, 1);
		assert!(!is_empty(acme()));
	});
}

#[test]
fn an_open_application_of_an_organisation_belongs_to_it() {
	run(|| {
		let request = CertificateRequest {
			holder: Holder::Organisation(acme()),
			..request(dns("a.example"), Level::Dv, 1)
		};
		apply(REGISTRAR, request, 1);
		assert!(!<Certificates as Belongings>::is_empty(acme()));
	});
}
