//! Certificates: what has to be asked to know what one is worth, and the answer.
//!
//! The rule is [`assessed`], which the chain runs over its own storage. It reads nothing here but what was asked for and
//! proven, present or absent: an endorsement, an accreditation or a revocation that a carrier leaves out is
//! [`Error::NotAsked`] or a proof that does not hold, and never one that is not there.
//!
//! Whose accreditations matter stands in the list of endorsements, so an answer takes two questions: that of
//! [`Query::certificate`], and the wider one that [`Verified::next_query`] makes of what was proven by it. Only the second
//! answer is judged, by itself, so that both need not be about the same block; if there is another endorser by then, there
//! is a third question. Of all endorsements there are at most 16, and of all keys 24.

use crate::{
	bundle::Bundle,
	error::{Error, Part},
	query::Query,
	state_values,
	verified::{Verified, VerifiedRecord},
};
use codec::{Decode, DecodeAll};
use dpki_primitives::{
	assessment::{Assessed, StoredRecords, assessed, assessment_keys},
	assurance::Endorsements,
	certificate::CertificateRecord,
	ids::CertificateId,
	status::Status,
	storage_keys,
};

impl Query {
	/// Asks for a certificate, its endorsements, and the policy of the consortium: all that can be asked for as long as no
	/// more than the id is known. What else the answer takes says [`Verified::next_query`].
	pub fn certificate(self, id: CertificateId) -> Self {
		self.storage_key(storage_keys::certificate(id))
			.storage_key(storage_keys::endorsements(id))
			.storage_key(storage_keys::certificate_policy())
	}

	/// The certificates that are asked for together with their endorsements.
	pub fn certificates(&self) -> impl Iterator<Item = CertificateId> {
		self.keys().iter().filter_map(|key| {
			let id = CertificateId(*key.last_chunk()?);
			let is_whole = *key == storage_keys::certificate(id)
				&& self.position(&storage_keys::endorsements(id)).is_some();
			is_whole.then_some(id)
		})
	}

	/// As [`Verified::next_query`], by a bundle that nobody has verified: for those who serve and publish bundles. An
	/// answer for devices is the one for a query after which this has no other.
	pub fn next_in(&self, bundle: &[u8]) -> Result<Option<Query>, Error> {
		self.check()?;
		if self.certificates().next().is_none() {
			return Ok(None);
		}
		let values = state_values(&Bundle::decode(bundle)?, self)?;
		self.next(|key| {
			let position = self.position(key).ok_or(Error::NotAsked)?;
			values.get(position).copied().ok_or(Error::NotAsked)
		})
	}

	/// The query with everything in it that its certificates depend on, as far as the values tell; `None` if that is in it
	/// already.
	fn next<'a>(
		&self,
		value: impl Fn(&[u8]) -> Result<Option<&'a [u8]>, Error>,
	) -> Result<Option<Query>, Error> {
		let mut next = self.clone();
		for id in self.certificates() {
			let record: Option<CertificateRecord> = decode(value(&storage_keys::certificate(id))?)?;
			let endorsements: Option<Endorsements> =
				decode(value(&storage_keys::endorsements(id))?)?;
			let endorsements = endorsements.unwrap_or_default();
			next = assessment_keys(id, record.as_ref(), &endorsements)
				.into_iter()
				.fold(next, Query::storage_key);
		}
		Ok((next != *self).then_some(next))
	}
}

impl Verified<'_> {
	/// What has to be asked next to know what the certificates of the query are worth: the same and more; `None` if
	/// everything was asked for.
	pub fn next_query(&self) -> Result<Option<Query>, Error> {
		self.query.next(|key| self.value(key))
	}

	/// A certificate, the verdict about it, its effective level and what became of each endorsement, at the time of the
	/// block. [`Error::NotAsked`] means that something which it depends on is not part of the query, see
	/// [`Self::next_query`].
	pub fn certificate(&self, id: CertificateId) -> Result<VerifiedRecord<Assessed>, Error> {
		Ok(self.found(assessed(self, id, self.time())?))
	}

	/// The verdict about a certificate at the time of the block. What it is worth says [`Self::certificate`].
	pub fn certificate_status(&self, id: CertificateId) -> Result<Status, Error> {
		let found = self.certificate(id)?;
		Ok(found.get().map_or(Status::Unknown, |it| it.assessment.status))
	}
}

impl StoredRecords for Verified<'_> {
	type Error = Error;

	fn stored<Record: Decode>(&self, key: &[u8]) -> Result<Option<Record>, Error> {
		self.record(key).map(VerifiedRecord::into_option)
	}
}

fn decode<Record: Decode>(value: Option<&[u8]>) -> Result<Option<Record>, Error> {
	let decode = |bytes: &[u8]| Record::decode_all(&mut &*bytes);
	value.map(decode).transpose().map_err(|_| Error::Malformed(Part::Record))
}
