//! What an application leads to, and what it does not reserve.

use super::{
	doubles::{TestOrganisations, TestRegistry, TestRequests, TestTime},
	mock::*,
};
use crate::{ApplicationNonce, Applications, Certificates as Stored, OpenByPayer, OpenCount};
use dpki_primitives::{
	application::{
		CertificateRequest, MAX_OPEN_APPLICATIONS, Observation, Outcome, Phase, Possession,
		RefusalCause, request_challenge,
	},
	assurance::Level,
	certificate::{Holder, MAX_LIVE_CERTIFICATES},
	context::{Action, SigningContext},
	ids::{CertificateId, KeyId},
	organisation::Role,
	revocation::RevocationReason,
	status::Status,
	subject::{Subject, uuid_of_key},
};
use frame_support::{assert_noop, assert_ok};

fn pseudonym(seed: u8) -> Subject {
	Subject::Pseudonym(KeyId::of(&public(seed)))
}

#[test]
fn a_pseudonym_is_certified_within_the_call() {
	run(|| {
		let id = apply(ALICE, request(pseudonym(1), Level::Dv, 1), 1);
		assert_eq!(outcome(id), Some(Outcome::Granted));
		let certificate = CertificateId::of(id);
		assert_eq!(Certificates::certificate_status(certificate), Status::Valid);
		assert_eq!(level(certificate), Some(Level::Dv));
		assert_eq!(Stored::<Test>::get(certificate).unwrap().control_until, None);
		assert_eq!((OpenCount::<Test>::get(), OpenByPayer::<Test>::get(ALICE)), (0, 0));
	});
}

#[test]
fn a_uuid_is_that_of_the_key_and_its_holder_keeps_it_with_other_keys() {
	run(|| {
		let uuid = Subject::Uuid(uuid_of_key(KeyId::of(&public(1))));
		let other_key = request(uuid.clone(), Level::Dv, 2);
		assert_noop!(try_apply(ALICE, other_key.clone(), 2), Error::KeyMismatch);
		apply(ALICE, request(uuid, Level::Dv, 1), 1);
		apply(ALICE, other_key, 2);
	});
}

#[test]
fn an_organisation_is_certified_by_its_administrator_only() {
	run(|| {
		let request = acme_request(Level::Ov, 1);
		assert_noop!(try_apply(REGISTRAR, request.clone(), 1), Error::RoleMissing);
		assert_noop!(try_apply(ALICE, request.clone(), 1), Error::RoleMissing);
		let certificate = CertificateId::of(apply(ADMIN, request, 1));
		assert_eq!(level(certificate), Some(Level::Dv), "nobody has endorsed it yet");
	});
}

#[test]
fn a_service_and_a_device_are_certified_by_a_registrar() {
	run(|| {
		let device = TestRegistry::add_device(acme(), "drone-7");
		let name = b"ground-station".to_vec().try_into().unwrap();
		for (seed, subject) in
			[(1, Subject::Service { organisation: acme(), name }), (2, Subject::Device(device))]
		{
			let by_alice = request(subject.clone(), Level::Dv, seed);
			assert_noop!(try_apply(REGISTRAR, by_alice.clone(), seed), Error::HolderUnfit);
			let held = CertificateRequest { holder: Holder::Organisation(acme()), ..by_alice };
			assert_noop!(try_apply(ADMIN, held.clone(), seed), Error::RoleMissing);
			let id = apply(REGISTRAR, held, seed);
			assert_eq!(outcome(id), Some(Outcome::Granted));
		}
	});
}

#[test]
fn a_person_is_a_salted_hash_that_waits_for_endorsers() {
	run(|| {
		let person = Subject::Person([0xab; 32]);
		let dv = request(person.clone(), Level::Dv, 1);
		assert_noop!(try_apply(ALICE, dv, 1), Error::LevelUnfit);
		let id = apply(ALICE, request(person, Level::Ov, 1), 1);
		assert!(matches!(
			Applications::<Test>::get(id).unwrap().phase,
			Phase::Endorsement { until: 101 }
		));
	});
}

#[test]
fn a_name_waits_for_observers_and_becomes_dv() {
	run(|| {
		let id = apply(ALICE, request(dns("example.com"), Level::Dv, 1), 1);
		let certificate = CertificateId::of(id);
		assert_eq!(Certificates::certificate_status(certificate), Status::Unknown);
		prove_control(id);
		assert_eq!(outcome(id), Some(Outcome::Granted));
		let record = Stored::<Test>::get(certificate).unwrap();
		assert_eq!(record.control_until, Some(NOW + POLICY.control_lifetime));
		assert_eq!(record.validity.not_after, Some(NOT_AFTER));
		assert_eq!(level(certificate), Some(Level::Dv));
	});
}

#[test]
fn a_sponsor_can_pay_for_another_holder() {
	run(|| {
		let request = CertificateRequest {
			holder: account_holder(BOB),
			..request(pseudonym(1), Level::Dv, 1)
		};
		let certificate = CertificateId::of(apply(ALICE, request, 1));
		let revoke =
			|who| Certificates::revoke(signed(who), certificate, RevocationReason::Unspecified);
		assert_noop!(revoke(ALICE), Error::NotHolder);
		assert_ok!(revoke(BOB));
	});
}

#[test]
fn a_pending_application_reserves_nothing_and_the_first_proven_wins() {
	run(|| {
		let squatter = apply(ALICE, request(dns("example.com"), Level::Dv, 1), 1);
		let owner_request = CertificateRequest {
			holder: account_holder(BOB),
			..request(dns("example.com"), Level::Dv, 2)
		};
		let owner = apply(BOB, owner_request, 2);
		for n in 0..2 {
			assert_ok!(commit(squatter, n, Observation::Controlled));
			assert_ok!(commit(owner, n, Observation::Controlled));
		}
		skip(11);
		for n in 0..2 {
			assert_ok!(reveal(owner, n, Observation::Controlled));
		}
		assert_eq!(outcome(owner), Some(Outcome::Granted));
		for n in 0..2 {
			assert_ok!(reveal(squatter, n, Observation::Controlled));
		}
		assert_eq!(outcome(squatter), Some(Outcome::Refused(RefusalCause::SubjectHeld)));
		assert_eq!(Certificates::certificate_status(CertificateId::of(squatter)), Status::Unknown);
	});
}

#[test]
fn a_second_holder_is_refused_and_the_same_one_is_not() {
	run(|| {
		dns_certificate("example.com", 1);
		let other = CertificateRequest {
			holder: account_holder(BOB),
			..request(dns("example.com"), Level::Dv, 2)
		};
		assert_noop!(try_apply(BOB, other, 2), Error::SubjectHeld);
		dns_certificate("example.com", 3);
	});
}

#[test]
fn a_subject_is_free_again_when_its_certificates_have_ended() {
	run(|| {
		let other = |seed| CertificateRequest {
			holder: account_holder(BOB),
			not_after: NOT_AFTER + 50 * DAY,
			..request(dns("example.com"), Level::Dv, seed)
		};
		let first = dns_certificate("example.com", 1);
		let second = dns_certificate("example.com", 2);
		assert_ok!(Certificates::revoke(signed(ALICE), first, RevocationReason::Superseded));
		assert_noop!(try_apply(BOB, other(3), 3), Error::SubjectHeld);
		assert_ok!(Certificates::suspend(signed(ALICE), second));
		assert_noop!(try_apply(BOB, other(3), 3), Error::SubjectHeld);
		set_time(NOW + POLICY.control_lifetime + 1);
		assert_ok!(try_apply(BOB, other(3), 3));
	});
}

#[test]
fn a_subject_has_a_bounded_number_of_live_certificates() {
	run(|| {
		for seed in 1..=MAX_LIVE_CERTIFICATES as u8 {
			acme_certificate(Level::Dv, seed);
		}
		assert_noop!(try_apply(ADMIN, acme_request(Level::Dv, 99), 99), Error::SubjectFull);
		let first =
			crate::HolderCertificates::<Test>::get(Holder::Organisation(acme()), 0).unwrap();
		assert_ok!(Certificates::revoke(signed(ADMIN), first, RevocationReason::Superseded));
		assert_ok!(try_apply(ADMIN, acme_request(Level::Dv, 99), 99));
	});
}

#[test]
fn a_payer_has_a_bounded_number_of_open_applications() {
	run(|| {
		for n in 0..MAX_OPEN_APPLICATIONS {
			apply(ALICE, request(dns(&format!("n{n}.example")), Level::Dv, 1), 1);
		}
		let one_more = request(dns("more.example"), Level::Dv, 1);
		assert_noop!(try_apply(ALICE, one_more.clone(), 1), Error::TooManyApplications);
		let first = crate::OpenApplications::<Test>::get(0).unwrap();
		assert_ok!(Certificates::withdraw_application(signed(ALICE), first));
		assert_ok!(try_apply(ALICE, one_more, 1));
	});
}

#[test]
fn a_request_of_pkcs10_stands_for_a_signature() {
	run(|| {
		let request = request(pseudonym(1), Level::Dv, 1);
		let action = Action::ApplyForCertificate { payer: ALICE.into(), request: request.digest() };
		let payload = SigningContext { genesis: GENESIS, action, nonce: 0, expires_at: EXPIRY };
		let challenge = request_challenge(&payload.payload());
		let der = |subject: &Subject| {
			let bytes = TestRequests::request(&request.key, subject, &challenge);
			Possession::Request(bytes.try_into().unwrap())
		};
		assert_noop!(
			Certificates::apply(signed(ALICE), request.clone(), der(&dns("a.b")), EXPIRY),
			Error::RequestInvalid
		);
		assert_noop!(
			Certificates::apply(signed(BOB), request.clone(), der(&request.subject), EXPIRY),
			Error::RequestInvalid
		);
		let good = der(&request.subject);
		assert_ok!(Certificates::apply(signed(ALICE), request.clone(), good, EXPIRY));
	});
}

#[test]
fn a_proof_of_possession_is_good_for_one_payer_and_one_use() {
	run(|| {
		let request = request(pseudonym(1), Level::Dv, 1);
		let possession = possession_of(&ALICE, &request, 1);
		let apply =
			|who| Certificates::apply(signed(who), request.clone(), possession.clone(), EXPIRY);
		assert_noop!(apply(BOB), Error::PossessionInvalid);
		assert_ok!(apply(ALICE));
		assert_noop!(apply(ALICE), Error::PossessionInvalid);
		assert_eq!(ApplicationNonce::<Test>::get(ALICE), 1);
	});
}

#[test]
fn a_proof_of_possession_covers_every_part_of_the_request() {
	run(|| {
		let signed_for = acme_request(Level::Ov, 1);
		let possession = possession_of(&ADMIN, &signed_for, 1);
		for changed in [
			CertificateRequest { level: Level::Ev, ..signed_for.clone() },
			CertificateRequest { not_after: NOT_AFTER + 1, ..signed_for.clone() },
			CertificateRequest {
				display_name: Some(b"Acme".to_vec().try_into().unwrap()),
				..signed_for.clone()
			},
			CertificateRequest { key: public(2), ..signed_for },
		] {
			assert_noop!(
				Certificates::apply(signed(ADMIN), changed, possession.clone(), EXPIRY),
				Error::PossessionInvalid
			);
		}
	});
}

#[test]
fn what_changed_before_the_decision_refuses_the_application() {
	let decided = |change: fn(), request: CertificateRequest, expected| {
		run(|| {
			let id = apply(ALICE, request, 1);
			for n in 0..2 {
				assert_ok!(commit(id, n, Observation::Controlled));
			}
			skip(11);
			change();
			for n in 0..2 {
				assert_ok!(reveal(id, n, Observation::Controlled));
			}
			assert_eq!(outcome(id), Some(Outcome::Refused(expected)));
			assert!(Stored::<Test>::get(CertificateId::of(id)).is_none());
		});
	};
	let plain = request(dns("example.com"), Level::Dv, 1);
	let compromise =
		|| TestRegistry::add_revoked_key(public(1), RevocationReason::KeyCompromise, NOW);
	decided(compromise, plain.clone(), RefusalCause::KeyCompromised);
	let brief = CertificateRequest { not_after: NOW + 5, ..plain.clone() };
	decided(|| TestTime::set(NOW + 6), brief, RefusalCause::CertificateEnded);
}

#[test]
fn the_ninth_of_several_pending_applications_finds_the_subject_full() {
	run(|| {
		let ids: Vec<_> = (0..=MAX_LIVE_CERTIFICATES as u8)
			.map(|seed| apply(ALICE, request(dns("example.com"), Level::Dv, 1 + seed), 1 + seed))
			.collect();
		for id in &ids {
			assert_ok!(commit(*id, 0, Observation::Controlled));
			assert_ok!(commit(*id, 1, Observation::Controlled));
		}
		skip(11);
		for id in &ids {
			assert_ok!(reveal(*id, 0, Observation::Controlled));
			assert_ok!(reveal(*id, 1, Observation::Controlled));
		}
		let (last, granted) = ids.split_last().unwrap();
		assert!(granted.iter().all(|id| outcome(*id) == Some(Outcome::Granted)));
		assert_eq!(outcome(*last), Some(Outcome::Refused(RefusalCause::SubjectFull)));
	});
}

#[test]
fn an_application_can_be_taken_back_until_somebody_works_on_it() {
	run(|| {
		let id = apply(ALICE, request(dns("example.com"), Level::Dv, 1), 1);
		let withdraw = |who, id| Certificates::withdraw_application(signed(who), id);
		assert_noop!(withdraw(BOB, id), Error::NotPayer);
		assert_ok!(withdraw(ALICE, id));
		assert_eq!(outcome(id), Some(Outcome::Withdrawn));
		assert_eq!(wealth(&ALICE), WEALTH);
		assert_noop!(withdraw(ALICE, id), Error::ApplicationClosed);

		let id = apply(ALICE, request(dns("example.com"), Level::Dv, 1), 1);
		assert_ok!(commit(id, 0, Observation::Controlled));
		assert_noop!(withdraw(ALICE, id), Error::ApplicationObserved);

		let id = apply(ALICE, request(Subject::Person([1; 32]), Level::Ov, 1), 1);
		assert_noop!(withdraw(ALICE, id), Error::ApplicationGranted);
		assert_noop!(withdraw(ALICE, next_application(BOB)), Error::ApplicationNotFound);
	});
}

#[test]
fn an_organisation_can_hold_a_name_through_its_registrar() {
	run(|| {
		let request = CertificateRequest {
			holder: Holder::Organisation(acme()),
			..request(dns("acme.example"), Level::Dv, 1)
		};
		assert_noop!(try_apply(ALICE, request.clone(), 1), Error::RoleMissing);
		let id = apply(REGISTRAR, request, 1);
		prove_control(id);
		let certificate = CertificateId::of(id);
		TestOrganisations::take(acme(), &REGISTRAR, Role::Registrar);
		assert_noop!(Certificates::suspend(signed(REGISTRAR), certificate), Error::NotHolder);
		TestOrganisations::grant(acme(), &BOB, Role::Registrar);
		assert_ok!(Certificates::suspend(signed(BOB), certificate));
	});
}
