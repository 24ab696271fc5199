// SPDX-License-Identifier: Apache-2.0

//! Answers about certificates.
//!
//! The verdict about a certificate and its effective level follow from several records. Each answer names the
//! storage keys of all of them, present or absent, so that whoever proves these at one block can compute
//! the answer again with the functions of [`dpki_primitives`].

use super::{Located, Verdict};
use crate::{AccountId, Balance, Certificates, Runtime};
use alloc::vec::Vec;
use codec::{Decode, Encode};
use dpki_primitives::{
	application::{ApplicationRecord, Votes},
	assessment::{assessment_keys, verdict_keys},
	assurance::{Accreditation, Assessment},
	certificate::{CertificatePolicy, CertificateRecord, Office, SubjectRecord},
	ids::{ApplicationId, CertificateDigest, CertificateId, SubjectId},
	storage_keys,
	subject::Subject,
};
use pallet_certificates::{Escrow, FeeSchedule};
use scale_info::TypeInfo;

/// A certificate and the verdict about it.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct CertificateAnswer {
	/// The certificate.
	pub certificate: Verdict<CertificateRecord>,
	/// What endorsers attest as things stand.
	pub digest: Option<CertificateDigest>,
	/// The raw storage keys of everything else that the verdict depends on.
	pub depends_on: Vec<Vec<u8>>,
}

/// What a certificate is worth.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct AssessmentAnswer {
	/// The effective level and its explanation; `None` if there is no such certificate.
	pub assessment: Option<Assessment>,
	/// The raw storage keys of everything that it depends on.
	pub depends_on: Vec<Vec<u8>>,
}

/// An application and what hangs on it.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct ApplicationAnswer {
	/// The application.
	pub application: Located<ApplicationRecord>,
	/// The votes on it.
	pub votes: Located<Votes>,
	/// The certificate that it is, or will be, about.
	pub certificate: Option<CertificateId>,
	/// What observers look at, and what has to stand there, if it waits for them.
	pub challenge: Option<(Subject, [u8; 32])>,
	/// What its payer has on hold for it, if it is open.
	pub escrow: Option<Escrow<Balance>>,
}

/// Who holds a subject.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct SubjectAnswer {
	/// The last one who proved it, and its certificates that were live when that was last changed.
	pub subject: Located<SubjectRecord>,
	/// The verdicts about these: the subject can be taken by somebody else once none of them holds it.
	pub live: Vec<(CertificateId, Verdict<CertificateRecord>)>,
}

/// What applications are subject to.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct CertificateTerms {
	/// The rules.
	pub policy: CertificatePolicy,
	/// The raw storage key of the policy; where nothing is stored, the policy is its default.
	pub policy_key: Vec<u8>,
	/// The prices.
	pub fees: FeeSchedule<Balance>,
	/// The raw storage key of the prices; where nothing is stored, they are those of the runtime.
	pub fees_key: Vec<u8>,
}

/// See [`DpkiApi`](super::DpkiApi).
pub fn certificate(id: CertificateId) -> CertificateAnswer {
	let certificate = verdict(id);
	let record = certificate.record.as_ref();
	CertificateAnswer {
		digest: record.map(|record| record.digest(id)),
		depends_on: record.map(verdict_keys).unwrap_or_default(),
		certificate,
	}
}

/// See [`DpkiApi`](super::DpkiApi).
pub fn assessment(id: CertificateId) -> AssessmentAnswer {
	let (record, endorsements) = (Certificates::certificate(id), Certificates::endorsements(id));
	let depends_on = assessment_keys(id, record.as_ref(), &endorsements);
	AssessmentAnswer { assessment: Certificates::assessment(id), depends_on }
}

/// See [`DpkiApi`](super::DpkiApi).
pub fn application(id: ApplicationId) -> ApplicationAnswer {
	let record = Certificates::application(id);
	ApplicationAnswer {
		certificate: record.as_ref().map(|record| record.certificate(id)),
		challenge: Certificates::challenge(id),
		escrow: pallet_certificates::Escrows::<Runtime>::get(id),
		votes: Located {
			record: record.is_some().then(|| Certificates::votes(id)),
			storage_key: storage_keys::application_votes(id),
		},
		application: Located { record, storage_key: storage_keys::application(id) },
	}
}

/// See [`DpkiApi`](super::DpkiApi).
pub fn subject(id: SubjectId) -> SubjectAnswer {
	let record = Certificates::subject(id);
	let live = record.iter().flat_map(|it| it.live.iter()).map(|id| (*id, verdict(*id)));
	SubjectAnswer {
		live: live.collect(),
		subject: Located { record, storage_key: storage_keys::subject(id) },
	}
}

/// See [`DpkiApi`](super::DpkiApi).
pub fn accreditation(office: Office, account: &AccountId) -> Located<Accreditation> {
	Located {
		record: Certificates::accreditation(office, account),
		storage_key: storage_keys::accreditation(office, account.as_ref()),
	}
}

/// See [`DpkiApi`](super::DpkiApi).
pub fn terms() -> CertificateTerms {
	CertificateTerms {
		policy: Certificates::policy(),
		policy_key: storage_keys::certificate_policy(),
		fees: pallet_certificates::Fees::<Runtime>::get(),
		fees_key: pallet_certificates::Fees::<Runtime>::hashed_key().to_vec(),
	}
}

/// The certificate with the verdict about it.
pub fn verdict(id: CertificateId) -> Verdict<CertificateRecord> {
	Verdict {
		record: Certificates::certificate(id),
		status: Certificates::certificate_status(id),
		storage_key: storage_keys::certificate(id),
	}
}
