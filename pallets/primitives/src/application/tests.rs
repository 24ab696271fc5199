//! What ids, commitments and requests are bound to.

use super::*;
use crate::key::KeyType;
use alloc::string::ToString;

const NOW: Moment = 1_800_000_000_000;

fn key() -> PublicKey {
	PublicKey::new(KeyType::Ed25519, &[3; 32]).unwrap()
}

#[test]
fn every_part_of_a_commitment_changes_it() {
	let (application, observer, salt) = (ApplicationId([1; 32]), [2; 32], [3; 32]);
	let base = commitment(application, &observer, Observation::Controlled, &salt);
	for other in [
		commitment(ApplicationId([9; 32]), &observer, Observation::Controlled, &salt),
		commitment(application, &[9; 32], Observation::Controlled, &salt),
		commitment(application, &observer, Observation::NotControlled, &salt),
		commitment(application, &observer, Observation::Controlled, &[9; 32]),
	] {
		assert_ne!(other, base);
	}
}

#[test]
fn every_part_of_a_control_challenge_changes_it() {
	let challenge = |genesis, application, subject, key| {
		control_challenge(
			&[genesis; 32],
			ApplicationId([application; 32]),
			SubjectId([subject; 32]),
			KeyId([key; 32]),
		)
	};
	let base = challenge(1, 2, 3, 4);
	for other in
		[challenge(9, 2, 3, 4), challenge(1, 9, 3, 4), challenge(1, 2, 9, 4), challenge(1, 2, 3, 9)]
	{
		assert_ne!(other, base);
	}
}

#[test]
fn a_request_is_named_by_all_of_its_parts() {
	let base = CertificateRequest {
		subject: Subject::Person([1; 32]),
		holder: Holder::Account([2; 32]),
		level: Level::Ov,
		key: key(),
		display_name: None,
		not_after: NOW,
	};
	for other in [
		CertificateRequest { subject: Subject::Person([9; 32]), ..base.clone() },
		CertificateRequest { holder: Holder::Account([9; 32]), ..base.clone() },
		CertificateRequest { level: Level::Ev, ..base.clone() },
		CertificateRequest {
			key: PublicKey::new(KeyType::Ed25519, &[9; 32]).unwrap(),
			..base.clone()
		},
		CertificateRequest {
			display_name: Some(b"Acme".to_vec().try_into().unwrap()),
			..base.clone()
		},
		CertificateRequest { not_after: NOW + 1, ..base.clone() },
	] {
		assert_ne!(other.digest(), base.digest());
	}
}

#[test]
fn ids_of_applications_and_their_certificates_differ() {
	let application = ApplicationId::of(&[1; 32], 0);
	assert_ne!(application, ApplicationId::of(&[1; 32], 1));
	assert_ne!(application, ApplicationId::of(&[2; 32], 0));
	assert_ne!(application.to_string(), CertificateId::of(application).to_string());
}
