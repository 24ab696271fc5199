//! Certificates, applications, and those who observe and endorse: answers of the runtime at one block.
//!
//! A light client runs the runtime itself; a node is believed. Each answer names the raw storage keys that prove it.

use super::{Listing, ReadError, View};
use crate::{
	AccountId,
	certificate::{Escrow, FeeSchedule},
};
use codec::{Decode, Encode};
use dpki_primitives::{
	application::{ApplicationRecord, Votes},
	assurance::{Accreditation, Assessment, Endorsements},
	certificate::{
		CertificatePolicy, CertificateRecord, Dependencies, Holder, Office, SubjectRecord,
		certificate_status,
	},
	ids::{ApplicationId, CertificateDigest, CertificateId, KeyId, SubjectId},
	status::Status,
	storage_keys,
	subject::Subject,
};

/// A record, where it lies, and the verdict about it.
#[derive(Clone, PartialEq, Eq, Debug, Decode)]
pub struct Verdict<Record> {
	/// The record, if the chain has one.
	pub record: Option<Record>,
	/// The verdict; unknown if there is no record.
	pub status: Status,
	/// The raw storage key of the record.
	pub storage_key: Vec<u8>,
}

/// A record without a verdict, and where it lies.
#[derive(Clone, PartialEq, Eq, Debug, Decode)]
pub struct Located<Record> {
	/// The record, if the chain has one.
	pub record: Option<Record>,
	/// The raw storage key of the record.
	pub storage_key: Vec<u8>,
}

/// A certificate and the verdict about it.
#[derive(Clone, PartialEq, Eq, Debug, Decode)]
pub struct CertificateAnswer {
	/// The certificate.
	pub certificate: Verdict<CertificateRecord>,
	/// What endorsers attest as things stand.
	pub digest: Option<CertificateDigest>,
	/// The raw storage keys of everything else that the verdict depends on.
	pub depends_on: Vec<Vec<u8>>,
}

/// What a certificate is worth.
#[derive(Clone, PartialEq, Eq, Debug, Decode)]
pub struct AssessmentAnswer {
	/// The effective level and its explanation; `None` if there is no such certificate.
	pub assessment: Option<Assessment>,
	/// The raw storage keys of everything that it depends on.
	pub depends_on: Vec<Vec<u8>>,
}

/// An application and what hangs on it.
#[derive(Clone, PartialEq, Eq, Debug, Decode)]
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
	pub escrow: Option<Escrow>,
}

/// Who holds a subject.
#[derive(Clone, PartialEq, Eq, Debug, Decode)]
pub struct SubjectAnswer {
	/// The last one who proved it, and its certificates that were live when that was last changed.
	pub subject: Located<SubjectRecord>,
	/// The verdicts about these.
	pub live: Vec<(CertificateId, Verdict<CertificateRecord>)>,
}

/// What applications are subject to.
#[derive(Clone, PartialEq, Eq, Debug, Decode)]
pub struct CertificateTerms {
	/// The rules.
	pub policy: CertificatePolicy,
	/// The raw storage key of the policy.
	pub policy_key: Vec<u8>,
	/// The prices.
	pub fees: FeeSchedule,
	/// The raw storage key of the prices.
	pub fees_key: Vec<u8>,
}

impl View {
	/// The certificate, and what the verdict about it depends on.
	pub async fn certificate(&self, id: CertificateId) -> Result<CertificateAnswer, ReadError> {
		self.call("the certificate", "DpkiApi_certificate", &id.encode()).await
	}

	/// The certificate as stored, and the verdict about it, of storage alone and without asking the runtime.
	pub async fn stored_certificate(
		&self,
		id: CertificateId,
	) -> Result<Option<(CertificateRecord, Status)>, ReadError> {
		let record: Option<CertificateRecord> =
			self.read("the certificate", storage_keys::certificate(id)).await?;
		let Some(record) = record else { return Ok(None) };
		let key_id = KeyId::of(&record.key);
		let item = "whether the key is compromised";
		let compromised = self.read(item, storage_keys::compromised_key(key_id)).await?;
		let key = self.key(key_id).await?;
		let device = match record.subject {
			Subject::Device(device) => self.device(device).await?,
			_ => None,
		};
		let dependencies = Dependencies { compromised, key: key.as_ref(), device: device.as_ref() };
		let status = certificate_status(Some(&record), dependencies, self.now());
		Ok(Some((record, status)))
	}

	/// The effective level of the certificate with one explanation per endorsement.
	pub async fn assessment(&self, id: CertificateId) -> Result<AssessmentAnswer, ReadError> {
		self.call("the assessment", "DpkiApi_assessment", &id.encode()).await
	}

	/// The endorsements of the certificate as stored.
	pub async fn endorsements(
		&self,
		id: CertificateId,
	) -> Result<Located<Endorsements>, ReadError> {
		self.call("the endorsements", "DpkiApi_endorsements", &id.encode()).await
	}

	/// The application, for as long as it is stored.
	pub async fn application(&self, id: ApplicationId) -> Result<ApplicationAnswer, ReadError> {
		self.call("the application", "DpkiApi_application", &id.encode()).await
	}

	/// How many applications the account ever made.
	pub async fn application_nonce(&self, account: &AccountId) -> Result<u64, ReadError> {
		let key = storage_keys::application_nonce(account);
		Ok(self.read("the count of applications", key).await?.unwrap_or(0))
	}

	/// Who holds the subject.
	pub async fn subject(&self, id: SubjectId) -> Result<SubjectAnswer, ReadError> {
		self.call("the subject", "DpkiApi_subject", &id.encode()).await
	}

	/// The certificates of a holder, oldest first, from number `start` on.
	pub async fn certificates_of(
		&self,
		holder: Holder,
		start: u32,
	) -> Result<Listing<(CertificateId, Verdict<CertificateRecord>)>, ReadError> {
		let item = "the certificates of the holder";
		self.call(item, "DpkiApi_certificates_of", &(holder, start).encode()).await
	}

	/// The certificates ever granted about a subject, oldest first, from number `start` on.
	pub async fn certificates_about(
		&self,
		subject: SubjectId,
		start: u32,
	) -> Result<Listing<(CertificateId, Verdict<CertificateRecord>)>, ReadError> {
		let item = "the certificates about the subject";
		self.call(item, "DpkiApi_certificates_about", &(subject, start).encode()).await
	}

	/// The unrevoked certificates that end on a day since the Unix epoch, from entry `start` on.
	pub async fn certificates_ending_on(
		&self,
		day: u32,
		start: u32,
	) -> Result<Listing<(CertificateId, Verdict<CertificateRecord>)>, ReadError> {
		let item = "the certificates that end on a day";
		self.call(item, "DpkiApi_certificates_ending_on", &(day, start).encode()).await
	}

	/// The accreditation of an account for an office.
	pub async fn accreditation(
		&self,
		office: Office,
		account: &AccountId,
	) -> Result<Located<Accreditation>, ReadError> {
		let item = "the accreditation";
		self.call(item, "DpkiApi_accreditation", &(office, account).encode()).await
	}

	/// Everyone who was ever accredited for an office, from number `start` on.
	pub async fn accredited(
		&self,
		office: Office,
		start: u32,
	) -> Result<Listing<(AccountId, Located<Accreditation>)>, ReadError> {
		let item = "the list of the accredited";
		self.call(item, "DpkiApi_accredited", &(office, start).encode()).await
	}

	/// The applications on which the organisation of this observer can still commit itself, from entry `start` of the
	/// open ones on. A page can be empty and still have a next one.
	pub async fn pending_observations(
		&self,
		observer: &AccountId,
		start: u32,
	) -> Result<Listing<ApplicationId>, ReadError> {
		let item = "the open applications";
		self.call(item, "DpkiApi_pending_observations", &(observer, start).encode())
			.await
	}

	/// The votes that this observer still has to reveal, likewise.
	pub async fn pending_reveals(
		&self,
		observer: &AccountId,
		start: u32,
	) -> Result<Listing<ApplicationId>, ReadError> {
		let item = "the open votes";
		self.call(item, "DpkiApi_pending_reveals", &(observer, start).encode()).await
	}

	/// The certificates that this endorser could endorse and be paid for, likewise.
	pub async fn pending_endorsements(
		&self,
		endorser: &AccountId,
		start: u32,
	) -> Result<Listing<CertificateId>, ReadError> {
		let item = "the certificates that wait for endorsements";
		self.call(item, "DpkiApi_pending_endorsements", &(endorser, start).encode())
			.await
	}

	/// The policy and the prices that hold.
	pub async fn certificate_terms(&self) -> Result<CertificateTerms, ReadError> {
		self.call("the terms of certificates", "DpkiApi_certificate_terms", &[]).await
	}
}
