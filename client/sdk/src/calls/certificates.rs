//! Calls about certificates, and about those who observe and endorse them.

use super::{Call, CallError, check_len};
use crate::{
	AccountId,
	api::{BoundedVec, tx},
	certificate::FeeSchedule,
};
use dpki_primitives::{
	Moment,
	application::{CertificateRequest, Observation, Possession, Renewal},
	assurance::{Level, WithdrawalReason},
	certificate::{CertificatePolicy, MAX_DISPLAY_NAME_LEN, Office},
	ids::{ApplicationId, CertificateDigest, CertificateId, OrganisationId},
	revocation::RevocationReason,
};
use subxt::utils::{AccountId32, Static};

/// Applies for a certificate, with a proof that the key is held, see [`Draft`](crate::certificate::Draft).
pub fn apply(
	request: CertificateRequest,
	possession: Possession,
	expires_at: Moment,
) -> impl Call + use<> {
	tx().certificates().apply(Static(request), Static(possession), expires_at)
}

/// Applies for the control of a certificate's subject to be seen again, or for endorsements.
pub fn renew(certificate: CertificateId, renewal: Renewal) -> impl Call + use<> {
	tx().certificates().renew(Static(certificate), Static(renewal))
}

/// Takes the own application back, until the first observer has begun to work on it.
pub fn withdraw_application(application: ApplicationId) -> impl Call + use<> {
	tx().certificates().withdraw_application(Static(application))
}

/// Commits an observer to what it saw, see [`HiddenVote`](crate::certificate::HiddenVote).
pub fn commit(application: ApplicationId, commitment: [u8; 32]) -> impl Call + use<> {
	tx().certificates().commit(Static(application), commitment)
}

/// Reveals what an observer committed itself to.
pub fn reveal(
	application: ApplicationId,
	observation: Observation,
	salt: [u8; 32],
) -> impl Call + use<> {
	tx().certificates().reveal(Static(application), Static(observation), salt)
}

/// Closes an application whose time is over.
pub fn close_application(application: ApplicationId) -> impl Call + use<> {
	tx().certificates().close(Static(application))
}

/// Endorses a certificate as `digest` names it. `evidence` is the hash of what the endorser keeps.
pub fn endorse(
	certificate: CertificateId,
	level: Level,
	digest: CertificateDigest,
	evidence: Option<[u8; 32]>,
	expires_at: Moment,
) -> impl Call + use<> {
	tx().certificates().endorse(
		Static(certificate),
		Static(level),
		Static(digest),
		evidence,
		expires_at,
	)
}

/// Takes the own endorsement back.
pub fn withdraw_endorsement(
	certificate: CertificateId,
	reason: WithdrawalReason,
) -> impl Call + use<> {
	tx().certificates().withdraw_endorsement(Static(certificate), Static(reason))
}

/// Changes the display name of a certificate, whose endorsements stop counting by it.
pub fn amend_certificate(
	certificate: CertificateId,
	display_name: Option<&str>,
) -> Result<impl Call + use<>, CallError> {
	if let Some(name) = display_name {
		check_len("the display name", name.len(), 1..=MAX_DISPLAY_NAME_LEN)?;
	}
	let name = display_name.map(|name| BoundedVec(name.as_bytes().to_vec()));
	Ok(tx().certificates().amend(Static(certificate), name))
}

/// Revokes a certificate for ever: by its holder, or for a motion of the council.
pub fn revoke_certificate(
	certificate: CertificateId,
	reason: RevocationReason,
) -> impl Call + use<> {
	tx().certificates().revoke(Static(certificate), Static(reason))
}

/// Puts a certificate on hold: by its holder, or for a motion of the council.
pub fn suspend_certificate(certificate: CertificateId) -> impl Call + use<> {
	tx().certificates().suspend(Static(certificate))
}

/// Ends a hold: by the holder if it is its own, or for a motion of the council.
pub fn release_certificate(certificate: CertificateId) -> impl Call + use<> {
	tx().certificates().release(Static(certificate))
}

/// Accredits an observer or an endorser, or changes its accreditation; for a motion of the council.
pub fn accredit(
	office: Office,
	account: &AccountId,
	organisation: OrganisationId,
	level: Level,
) -> impl Call + use<> {
	tx().certificates().accredit(
		Static(office),
		AccountId32(*account),
		Static(organisation),
		Static(level),
	)
}

/// Suspends an accreditation; for a motion of the council. [`accredit`] ends the suspension.
pub fn suspend_accreditation(office: Office, account: &AccountId) -> impl Call + use<> {
	tx().certificates().suspend_accreditation(Static(office), AccountId32(*account))
}

/// Releases an observer or endorser from its office; for a motion of the council.
pub fn release_accreditation(office: Office, account: &AccountId) -> impl Call + use<> {
	tx().certificates().release_accreditation(Static(office), AccountId32(*account))
}

/// Marks an observer or endorser as compromised from a moment on; for a motion of the council.
pub fn mark_compromised(office: Office, account: &AccountId, from: Moment) -> impl Call + use<> {
	tx().certificates()
		.mark_compromised(Static(office), AccountId32(*account), from)
}

/// Sets the policy; for a motion of the council.
pub fn set_certificate_policy(policy: CertificatePolicy) -> impl Call + use<> {
	tx().certificates().set_policy(Static(policy))
}

/// Sets the prices; for a motion of the council.
pub fn set_certificate_fees(fees: FeeSchedule) -> impl Call + use<> {
	tx().certificates().set_fees(Static(fees))
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::{calls::tests::assert_encodes, certificate::Price};
	use dpki_primitives::{
		certificate::Holder,
		key::{KeyType, PublicKey},
		subject::Subject,
	};

	const ACCOUNT: AccountId = [3; 32];
	const ORGANISATION: OrganisationId = OrganisationId([4; 32]);
	const CERTIFICATE: CertificateId = CertificateId([5; 32]);
	const APPLICATION: ApplicationId = ApplicationId([6; 32]);

	#[test]
	fn calls_about_applications_encode() {
		let request = CertificateRequest {
			subject: Subject::Dns(b"drone.example".to_vec().try_into().unwrap()),
			holder: Holder::Organisation(ORGANISATION),
			level: Level::Ev,
			key: PublicKey::new(KeyType::P256, &[2; 33]).unwrap(),
			display_name: Some(b"Acme".to_vec().try_into().unwrap()),
			not_after: 7,
		};
		for possession in [
			Possession::Signature(vec![8; 64].try_into().unwrap()),
			Possession::Request(vec![9; 300].try_into().unwrap()),
		] {
			let call = apply(request.clone(), possession.clone(), 10);
			assert_encodes(&call, (23, 0), (request.clone(), possession, 10u64));
		}
		for renewal in [Renewal::Control, Renewal::Endorsement] {
			assert_encodes(&renew(CERTIFICATE, renewal), (23, 1), (CERTIFICATE, renewal));
		}
		assert_encodes(&withdraw_application(APPLICATION), (23, 2), APPLICATION);
		assert_encodes(&close_application(APPLICATION), (23, 5), APPLICATION);
	}

	#[test]
	fn calls_of_observers_and_endorsers_encode() {
		assert_encodes(&commit(APPLICATION, [1; 32]), (23, 3), (APPLICATION, [1u8; 32]));
		let seen = Observation::Unreachable;
		assert_encodes(
			&reveal(APPLICATION, seen, [2; 32]),
			(23, 4),
			(APPLICATION, seen, [2u8; 32]),
		);
		let (digest, evidence) = (CertificateDigest([7; 32]), Some([8u8; 32]));
		let call = endorse(CERTIFICATE, Level::Ov, digest, evidence, 9);
		assert_encodes(&call, (23, 6), (CERTIFICATE, Level::Ov, digest, evidence, 9u64));
		let reason = WithdrawalReason::EvidenceFalse;
		assert_encodes(&withdraw_endorsement(CERTIFICATE, reason), (23, 7), (CERTIFICATE, reason));
	}

	#[test]
	fn calls_about_certificates_encode() {
		let call = amend_certificate(CERTIFICATE, Some("Acme")).unwrap();
		assert_encodes(&call, (23, 8), (CERTIFICATE, Some(b"Acme".to_vec())));
		let call = amend_certificate(CERTIFICATE, None).unwrap();
		assert_encodes(&call, (23, 8), (CERTIFICATE, None::<Vec<u8>>));
		let reason = RevocationReason::Superseded;
		assert_encodes(&revoke_certificate(CERTIFICATE, reason), (23, 9), (CERTIFICATE, reason));
		assert_encodes(&suspend_certificate(CERTIFICATE), (23, 10), CERTIFICATE);
		assert_encodes(&release_certificate(CERTIFICATE), (23, 11), CERTIFICATE);
		for wrong in [String::new(), "x".repeat(65)] {
			let refused = amend_certificate(CERTIFICATE, Some(&wrong)).err();
			assert!(matches!(refused, Some(CallError::Length { .. })), "{wrong}");
		}
	}

	#[test]
	fn calls_of_the_council_about_certificates_encode() {
		let (office, level) = (Office::Endorser, Level::Ev);
		let call = accredit(office, &ACCOUNT, ORGANISATION, level);
		assert_encodes(&call, (23, 12), (office, ACCOUNT, ORGANISATION, level));
		let arguments = (office, ACCOUNT);
		assert_encodes(&suspend_accreditation(office, &ACCOUNT), (23, 13), arguments);
		assert_encodes(&release_accreditation(office, &ACCOUNT), (23, 14), arguments);
		assert_encodes(&mark_compromised(office, &ACCOUNT, 9), (23, 15), (office, ACCOUNT, 9u64));
		let policy = CertificatePolicy::default();
		assert_encodes(&set_certificate_policy(policy), (23, 16), policy);
		let mut fees = FeeSchedule { feeless: true, deposit: 1, ..FeeSchedule::default() };
		fees.control.ev = Price { network: 2, observation: 3, endorsement: 4 };
		assert_encodes(&set_certificate_fees(fees), (23, 17), fees);
	}
}
