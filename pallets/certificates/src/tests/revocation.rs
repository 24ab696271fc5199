//! The life of a certificate after it was granted.

use super::{doubles::TestRegistry, mock::*};
use crate::CompromisedKeys;
use dpki_primitives::{
	application::CertificateRequest,
	assurance::Level,
	certificate::{Authority, Holder},
	ids::{CertificateId, KeyId},
	registry::CompromisedKeys as _,
	revocation::{Revocation, RevocationReason},
	status::Status,
	subject::Subject,
};
use frame_support::{assert_noop, assert_ok};

const REASON: RevocationReason = RevocationReason::CessationOfOperation;
const UNKNOWN: CertificateId = CertificateId([9; 32]);

#[test]
fn the_holder_and_the_consortium_can_revoke_and_nobody_else() {
	run(|| {
		let first = dns_certificate("a.example", 1);
		let second = dns_certificate("b.example", 2);
		assert_noop!(Certificates::revoke(signed(BOB), first, REASON), Error::NotHolder);
		assert_ok!(Certificates::revoke(signed(ALICE), first, REASON));
		assert_ok!(Certificates::revoke(root(), second, REASON));
		for id in [first, second] {
			let revoked = Status::Revoked(Revocation { reason: REASON, at: NOW });
			assert_eq!(Certificates::certificate_status(id), revoked);
		}
		assert_noop!(
			Certificates::revoke(signed(ALICE), UNKNOWN, REASON),
			Error::CertificateNotFound
		);
	});
}

#[test]
fn revoked_stays_revoked_with_its_first_reason_and_time() {
	run(|| {
		let id = dns_certificate("a.example", 1);
		assert_ok!(Certificates::revoke(signed(ALICE), id, REASON));
		let status = Certificates::certificate_status(id);
		set_time(NOW + 5);
		let again = RevocationReason::KeyCompromise;
		assert_noop!(Certificates::revoke(root(), id, again), Error::CertificateRevoked);
		assert_noop!(Certificates::suspend(root(), id), Error::CertificateRevoked);
		assert_noop!(Certificates::release(root(), id), Error::CertificateRevoked);
		assert_noop!(Certificates::amend(signed(ALICE), id, None), Error::CertificateEnded);
		set_time(NOT_AFTER + DAY);
		assert_eq!(Certificates::certificate_status(id), status);
	});
}

#[test]
fn a_compromised_key_takes_every_certificate_of_it_along_and_never_returns() {
	run(|| {
		let first = dns_certificate("a.example", 1);
		let second = dns_certificate("b.example", 1);
		let other_key = dns_certificate("a.example", 2);
		let compromise = RevocationReason::KeyCompromise;
		assert_ok!(Certificates::revoke(signed(ALICE), first, compromise));
		let revoked = Status::Revoked(Revocation { reason: compromise, at: NOW });
		assert_eq!(Certificates::certificate_status(second), revoked);
		assert_eq!(Certificates::certificate_status(other_key), Status::Valid);
		assert!(CompromisedKeys::<Test>::contains_key(KeyId::of(&public(1))));
		let again = request(dns("c.example"), Level::Dv, 1);
		assert_noop!(try_apply(ALICE, again, 1), Error::KeyRevoked);

		let other_holder = CertificateRequest {
			holder: account_holder(BOB),
			..request(dns("b.example"), Level::Dv, 3)
		};
		assert_ok!(try_apply(BOB, other_holder, 3));
		set_time(NOW + 5);
		assert_ok!(Certificates::revoke(signed(ALICE), second, compromise));
		assert_eq!(CompromisedKeys::<Test>::get(KeyId::of(&public(1))), Some(NOW));
	});
}

/// As the registry does with the key of a certificate that has proven its own compromise.
#[test]
fn a_key_that_became_known_as_compromised_ends_the_certificates_of_every_holder() {
	run(|| {
		let first = dns_certificate("a.example", 1);
		let of_bob = CertificateRequest {
			holder: account_holder(BOB),
			..request(dns("b.example"), Level::Dv, 1)
		};
		let second = apply(BOB, of_bob, 1);
		prove_control(second);
		let second = CertificateId::of(second);
		let other_key = dns_certificate("c.example", 2);
		Certificates::note(KeyId::of(&public(1)), NOW);
		let revoked =
			Status::Revoked(Revocation { reason: RevocationReason::KeyCompromise, at: NOW });
		for (id, holder) in [(first, ALICE), (second, BOB)] {
			assert_eq!(Certificates::certificate_status(id), revoked);
			assert_noop!(Certificates::amend(signed(holder), id, None), Error::CertificateEnded);
		}
		assert_eq!(Certificates::certificate_status(other_key), Status::Valid);
		let again = request(dns("d.example"), Level::Dv, 1);
		assert_noop!(try_apply(ALICE, again, 1), Error::KeyRevoked);
		set_time(NOW + 5);
		Certificates::note(KeyId::of(&public(1)), NOW + 5);
		assert_eq!(CompromisedKeys::<Test>::get(KeyId::of(&public(1))), Some(NOW));
	});
}

#[test]
fn a_hold_is_ended_by_whoever_may() {
	run(|| {
		let id = dns_certificate("a.example", 1);
		let suspended_by = || Certificates::certificate(id).unwrap().suspension.map(|it| it.by);
		assert_noop!(Certificates::suspend(signed(BOB), id), Error::NotHolder);
		assert_noop!(Certificates::release(signed(ALICE), id), Error::CertificateNotSuspended);
		assert_ok!(Certificates::suspend(signed(ALICE), id));
		assert_eq!(Certificates::certificate_status(id), Status::Suspended);
		assert_noop!(Certificates::suspend(signed(ALICE), id), Error::CertificateSuspended);
		assert_noop!(Certificates::release(signed(BOB), id), Error::NotHolder);
		assert_ok!(Certificates::release(signed(ALICE), id));
		assert_eq!(Certificates::certificate_status(id), Status::Valid);

		assert_ok!(Certificates::suspend(signed(ALICE), id));
		assert_ok!(Certificates::suspend(root(), id));
		assert_eq!(suspended_by(), Some(Authority::Consortium), "the hold was taken over");
		assert_noop!(Certificates::suspend(root(), id), Error::CertificateSuspended);
		assert_noop!(Certificates::release(signed(ALICE), id), Error::SuspendedByConsortium);
		assert_ok!(Certificates::release(root(), id));

		assert_noop!(Certificates::suspend(root(), UNKNOWN), Error::CertificateNotFound);
		assert_noop!(Certificates::release(root(), UNKNOWN), Error::CertificateNotFound);
	});
}

#[test]
fn a_certificate_ends_with_its_validity() {
	run(|| {
		let id = acme_certificate(Level::Dv, 1);
		set_time(NOT_AFTER);
		assert_eq!(Certificates::certificate_status(id), Status::Valid);
		set_time(NOT_AFTER + 1);
		assert_eq!(Certificates::certificate_status(id), Status::Expired);
	});
}

#[test]
fn a_certificate_about_a_device_falls_with_it() {
	run(|| {
		let device = TestRegistry::add_device(acme(), "drone-7");
		let request = CertificateRequest {
			holder: Holder::Organisation(acme()),
			..request(Subject::Device(device), Level::Dv, 1)
		};
		let id = CertificateId::of(apply(REGISTRAR, request, 1));
		assert_eq!(Certificates::certificate_status(id), Status::Valid);
		let revocation = Revocation { reason: REASON, at: NOW };
		TestRegistry::revoke_device(device, revocation);
		assert_eq!(Certificates::certificate_status(id), Status::IssuerRevoked(revocation));
	});
}

#[test]
fn a_key_that_a_device_lost_takes_its_certificates_along() {
	run(|| {
		let id = dns_certificate("a.example", 1);
		TestRegistry::add_revoked_key(public(1), RevocationReason::Superseded, NOW);
		assert_eq!(Certificates::certificate_status(id), Status::Valid);
		TestRegistry::add_revoked_key(public(1), RevocationReason::KeyCompromise, NOW);
		assert!(Certificates::certificate_status(id).revocation().is_some());
	});
}

#[test]
fn only_the_holder_of_an_organisations_certificate_amends_its_name() {
	run(|| {
		let id = acme_certificate(Level::Ov, 1);
		let name = |text: &str| Some(text.as_bytes().to_vec().try_into().unwrap());
		assert_noop!(Certificates::amend(signed(BOB), id, name("Acme")), Error::NotHolder);
		assert_noop!(
			Certificates::amend(signed(ADMIN), id, name("Ac\nme")),
			Error::DisplayNameUnfit
		);
		assert_ok!(Certificates::amend(signed(ADMIN), id, name("Acme")));
		assert_ok!(Certificates::amend(signed(ADMIN), id, None));
		let dns = dns_certificate("a.example", 2);
		assert_noop!(
			Certificates::amend(signed(ALICE), dns, name("Acme")),
			Error::DisplayNameUnfit
		);
		assert_noop!(Certificates::amend(signed(ALICE), UNKNOWN, None), Error::CertificateNotFound);
	});
}
