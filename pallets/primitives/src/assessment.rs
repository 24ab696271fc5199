//! What a certificate is worth, from the records that say so.
//!
//! [`assessed`] is the one function that puts these records together. The chain runs it over its storage, a device over
//! what was proven to it, and neither can come to another answer than the other: they differ in the reader,
//! [`CertificateRecords`], and in nothing else. Whoever reads by storage keys is a [`StoredRecords`], and needs no more
//! than that; [`assessment_keys`] are the keys that it is going to read.
//!
//! Two steps find them out: which endorsers there are, and which key and device the certificate is about, says the
//! certificate with its list of endorsements; only then is it known whose accreditations to ask for.

use crate::{
	Moment,
	assurance::{Accreditation, Assessment, EndorsementRecord, Endorsements, Level, assess},
	certificate::{CertificatePolicy, CertificateRecord, Dependencies, Office, certificate_status},
	device::DeviceRecord,
	ids::{CertificateId, DeviceId, KeyId},
	key::KeyRecord,
	status::Status,
	storage_keys,
	subject::Subject,
};
use alloc::vec::Vec;
use codec::Decode;

/// Reads the records that the worth of a certificate depends on.
///
/// `None` means that there is no such record. A reader that cannot tell must answer with an error: a record that is held
/// back is not one that is absent.
pub trait CertificateRecords {
	/// Why a record could not be read.
	type Error;

	/// The certificate.
	fn certificate(&self, id: CertificateId) -> Result<Option<CertificateRecord>, Self::Error>;

	/// Since when the key is one of those that are known to be compromised: by the revocation of a certificate of it, as the key
	/// of an anchor, or by its own word. Of a key that was a device's before, its own record tells.
	fn compromised_since(&self, key: KeyId) -> Result<Option<Moment>, Self::Error>;

	/// The key, if it is also registered as that of a device.
	fn key(&self, id: KeyId) -> Result<Option<KeyRecord>, Self::Error>;

	/// The device that the certificate is about.
	fn device(&self, id: DeviceId) -> Result<Option<DeviceRecord>, Self::Error>;

	/// All endorsements of the certificate; none if nothing is stored.
	fn endorsements(&self, id: CertificateId) -> Result<Endorsements, Self::Error>;

	/// The accreditation of an account as endorser.
	fn endorser(&self, account: &[u8; 32]) -> Result<Option<Accreditation>, Self::Error>;

	/// The policy of the consortium; its default if nothing is stored.
	fn policy(&self) -> Result<CertificatePolicy, Self::Error>;
}

/// Reads records by their storage keys.
pub trait StoredRecords {
	/// Why a record could not be read.
	type Error;

	/// The record under a storage key; `None` means that there is none, and nothing else.
	fn stored<Record: Decode>(&self, key: &[u8]) -> Result<Option<Record>, Self::Error>;
}

impl<Reader: StoredRecords> CertificateRecords for Reader {
	type Error = Reader::Error;

	fn certificate(&self, id: CertificateId) -> Result<Option<CertificateRecord>, Self::Error> {
		self.stored(&storage_keys::certificate(id))
	}

	fn compromised_since(&self, key: KeyId) -> Result<Option<Moment>, Self::Error> {
		self.stored(&storage_keys::compromised_key(key))
	}

	fn key(&self, id: KeyId) -> Result<Option<KeyRecord>, Self::Error> {
		self.stored(&storage_keys::key(id))
	}

	fn device(&self, id: DeviceId) -> Result<Option<DeviceRecord>, Self::Error> {
		self.stored(&storage_keys::device(id))
	}

	fn endorsements(&self, id: CertificateId) -> Result<Endorsements, Self::Error> {
		Ok(self.stored(&storage_keys::endorsements(id))?.unwrap_or_default())
	}

	fn endorser(&self, account: &[u8; 32]) -> Result<Option<Accreditation>, Self::Error> {
		self.stored(&storage_keys::accreditation(Office::Endorser, account))
	}

	fn policy(&self) -> Result<CertificatePolicy, Self::Error> {
		Ok(self.stored(&storage_keys::certificate_policy())?.unwrap_or_default())
	}
}

/// A certificate, and what it is worth at one moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Assessed {
	/// The certificate as stored.
	pub record: CertificateRecord,
	/// The verdict about it, its effective level, and what became of each endorsement.
	pub assessment: Assessment,
}

impl Assessed {
	/// Whether the certificate may be relied on now, at this level at least.
	pub fn is_worth(&self, level: Level) -> bool {
		self.assessment.level.is_some_and(|effective| effective >= level)
	}
}

/// What a certificate is worth at chain time `now`; `None` if there is no such certificate.
///
/// Refused is what the reader refuses, and then there is no answer at all: no record is passed over.
pub fn assessed<Records: CertificateRecords>(
	records: &Records,
	id: CertificateId,
	now: Moment,
) -> Result<Option<Assessed>, Records::Error> {
	let Some(record) = records.certificate(id)? else { return Ok(None) };
	let status = verdict(records, &record, now)?;
	let endorsements = records
		.endorsements(id)?
		.into_iter()
		.map(|it| Ok((it, records.endorser(&it.endorser)?)))
		.collect::<Result<Vec<_>, _>>()?;
	let quorum = records.policy()?.endorsers;
	let assessment = assess(&record.endorsed(id, status), &endorsements, quorum, now);
	Ok(Some(Assessed { record, assessment }))
}

/// The verdict about a certificate that was read already, at chain time `now`.
pub fn verdict<Records: CertificateRecords>(
	records: &Records,
	record: &CertificateRecord,
	now: Moment,
) -> Result<Status, Records::Error> {
	let id = KeyId::of(&record.key);
	let key = records.key(id)?;
	let device = match record.subject {
		Subject::Device(device) => records.device(device)?,
		_ => None,
	};
	let dependencies = Dependencies {
		compromised: records.compromised_since(id)?,
		key: key.as_ref(),
		device: device.as_ref(),
	};
	Ok(certificate_status(Some(record), dependencies, now))
}

/// The storage keys that [`verdict`] reads, the chain time before them.
pub fn verdict_keys(record: &CertificateRecord) -> Vec<Vec<u8>> {
	let key = KeyId::of(&record.key);
	let mut keys = Vec::from([
		storage_keys::now(),
		storage_keys::compromised_key(key),
		storage_keys::key(key),
	]);
	if let Subject::Device(device) = record.subject {
		keys.push(storage_keys::device(device));
	}
	keys
}

/// The storage keys that [`assessed`] reads of a certificate with these endorsements, the chain time among them; of one that
/// does not exist, its own. At most 7 and one for each of [`MAX_ENDORSEMENTS`](crate::assurance::MAX_ENDORSEMENTS).
pub fn assessment_keys(
	id: CertificateId,
	record: Option<&CertificateRecord>,
	endorsements: &[EndorsementRecord],
) -> Vec<Vec<u8>> {
	let mut keys = Vec::from([storage_keys::certificate(id)]);
	let Some(record) = record else { return keys };
	keys.extend(verdict_keys(record));
	keys.push(storage_keys::endorsements(id));
	keys.push(storage_keys::certificate_policy());
	keys.extend(
		endorsements
			.iter()
			.map(|it| storage_keys::accreditation(Office::Endorser, &it.endorser)),
	);
	keys
}

#[cfg(test)]
mod tests;
