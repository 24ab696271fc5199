//! Requests that are refused for what they say.

use super::{doubles::TestRegistry, mock::*};
use dpki_primitives::{
	application::CertificateRequest,
	assurance::Level,
	certificate::Holder,
	context::MAX_SIGNATURE_LIFETIME,
	ids::{DeviceId, KeyId, OrganisationId},
	key::{KeyType, PublicKey},
	revocation::{Revocation, RevocationReason},
	subject::Subject,
};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchError;

fn pseudonym(seed: u8) -> Subject {
	Subject::Pseudonym(KeyId::of(&public(seed)))
}

fn is_refused(request: CertificateRequest, error: impl Into<DispatchError>) {
	let error = error.into();
	run(move || {
		assert_noop!(try_apply(ALICE, request, 1), error);
	});
}

#[test]
fn a_malformed_subject_is_refused() {
	for subject in [dns("localhost"), dns("*.example.com"), Subject::Ipv4([10, 0, 0, 1])] {
		is_refused(request(subject, Level::Dv, 1), Error::SubjectMalformed);
	}
}

#[test]
fn a_pseudonym_above_dv_is_refused() {
	is_refused(request(pseudonym(1), Level::Ov, 1), Error::LevelUnfit);
}

#[test]
fn a_pseudonym_of_another_key_is_refused() {
	is_refused(request(pseudonym(2), Level::Dv, 1), Error::KeyMismatch);
}

#[test]
fn a_display_name_is_for_organisations_above_dv_and_has_to_be_readable() {
	let named = |request: CertificateRequest, name: &str| CertificateRequest {
		display_name: Some(name.as_bytes().to_vec().try_into().unwrap()),
		..request
	};
	is_refused(named(request(dns("a.b"), Level::Ov, 1), "Acme"), Error::DisplayNameUnfit);
	is_refused(
		named(request(Subject::Person([1; 32]), Level::Ov, 1), "Bob"),
		Error::DisplayNameUnfit,
	);
	is_refused(named(acme_request(Level::Dv, 1), "Acme"), Error::DisplayNameUnfit);
	is_refused(named(acme_request(Level::Ov, 1), " Acme"), Error::DisplayNameUnfit);
	run(|| {
		assert_ok!(try_apply(ADMIN, named(acme_request(Level::Ov, 1), "Acme"), 1));
	});
}

#[test]
fn a_validity_that_is_over_or_too_long_is_refused() {
	let ending =
		|not_after| CertificateRequest { not_after, ..request(pseudonym(1), Level::Dv, 1) };
	is_refused(ending(NOW), Error::ValidityInvalid);
	is_refused(ending(NOW + POLICY.max_lifetime + 1), Error::ValidityInvalid);
	run(|| {
		assert_ok!(try_apply(ALICE, ending(NOW + POLICY.max_lifetime), 1));
	});
}

#[test]
fn a_stale_or_far_reaching_signature_is_refused() {
	run(|| {
		let request = request(pseudonym(1), Level::Dv, 1);
		for expires_at in [NOW - 1, NOW + MAX_SIGNATURE_LIFETIME + 1] {
			let possession = possession_with(&ALICE, &request, 1, 0, expires_at);
			assert_noop!(
				Certificates::apply(signed(ALICE), request.clone(), possession, expires_at),
				Error::SignatureExpired
			);
		}
	});
}

#[test]
fn a_key_that_anybody_could_sign_for_is_refused() {
	let zero = PublicKey::new(KeyType::Ed25519, &[0; 32]).unwrap();
	is_refused(
		CertificateRequest { key: zero, ..request(dns("a.b"), Level::Dv, 1) },
		Error::KeyMalformed,
	);
}

#[test]
fn an_agreement_key_is_refused() {
	let agreement = PublicKey::new(KeyType::X25519, &[9; 32]).unwrap();
	is_refused(
		CertificateRequest { key: agreement, ..request(dns("a.b"), Level::Dv, 1) },
		Error::KeyCannotSign,
	);
}

#[test]
fn a_key_that_was_revoked_as_that_of_a_device_is_refused() {
	run(|| {
		TestRegistry::add_revoked_key(public(1), RevocationReason::Superseded, NOW);
		let request = request(pseudonym(1), Level::Dv, 1);
		assert_noop!(try_apply(ALICE, request, 1), Error::KeyRevoked);
	});
}

#[test]
fn an_unknown_or_revoked_device_is_refused() {
	run(|| {
		let device = TestRegistry::add_device(acme(), "drone-7");
		let revocation = Revocation { reason: RevocationReason::Unspecified, at: NOW };
		TestRegistry::revoke_device(device, revocation);
		for device in [device, DeviceId([1; 32])] {
			let request = CertificateRequest {
				holder: Holder::Organisation(acme()),
				..request(Subject::Device(device), Level::Dv, 1)
			};
			assert_noop!(try_apply(REGISTRAR, request, 1), Error::DeviceNotValid);
		}
	});
}

#[test]
fn a_certificate_about_an_organisation_for_another_holder_is_refused() {
	let subject = Subject::Organisation(acme());
	is_refused(request(subject.clone(), Level::Dv, 1), Error::HolderUnfit);
	let other = Holder::Organisation(observer_organisation(0));
	is_refused(
		CertificateRequest { holder: other, ..request(subject, Level::Dv, 1) },
		Error::HolderUnfit,
	);
}

#[test]
fn an_unknown_organisation_is_refused() {
	let nobody = OrganisationId([200; 32]);
	let subject = Subject::Organisation(nobody);
	is_refused(
		CertificateRequest {
			holder: Holder::Organisation(nobody),
			..request(subject, Level::Dv, 1)
		},
		Error::OrganisationNotFound,
	);
}

#[test]
fn an_application_without_the_funds_is_refused() {
	run(|| {
		let poor = observer(0);
		let request = CertificateRequest {
			holder: account_holder(poor.clone()),
			..request(pseudonym(1), Level::Dv, 1)
		};
		assert!(try_apply(poor, request, 1).is_err());
		assert_eq!(crate::OpenCount::<Test>::get(), 0);
	});
}

#[test]
fn every_call_of_the_consortium_is_refused_to_an_account() {
	run(|| {
		use dpki_primitives::certificate::Office::Observer;
		let bad = DispatchError::BadOrigin;
		let (who, org) = (observer(0), observer_organisation(0));
		assert_noop!(
			Certificates::accredit(signed(ALICE), Observer, who.clone(), org, Level::Dv),
			bad
		);
		assert_noop!(
			Certificates::suspend_accreditation(signed(ALICE), Observer, who.clone()),
			bad
		);
		assert_noop!(
			Certificates::release_accreditation(signed(ALICE), Observer, who.clone()),
			bad
		);
		assert_noop!(Certificates::mark_compromised(signed(ALICE), Observer, who, NOW), bad);
		assert_noop!(Certificates::set_policy(signed(ALICE), POLICY), bad);
		assert_noop!(Certificates::set_fees(signed(ALICE), FEES), bad);
		let reason = dpki_primitives::bond::SlashReason::Collusion;
		assert_noop!(Certificates::slash(signed(ALICE), endorser(0), 1, reason, [0; 32]), bad);
		assert_noop!(Certificates::set_minimum_bond(signed(ALICE), 1), bad);
	});
}

#[test]
fn an_incoherent_policy_and_uncountable_fees_are_refused() {
	run(|| {
		let policy = dpki_primitives::certificate::CertificatePolicy { observers: 0, ..POLICY };
		assert_noop!(Certificates::set_policy(root(), policy), Error::PolicyIncoherent);
		let mut fees = FEES;
		fees.issue.ev.endorsement = u64::MAX / 2;
		assert_noop!(Certificates::set_fees(root(), fees), Error::FeesTooHigh);
		let mut fees = FEES;
		fees.deposit = u64::MAX;
		assert_noop!(Certificates::set_fees(root(), fees), Error::FeesTooHigh);
	});
}
