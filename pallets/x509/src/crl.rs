//! Certificate revocation lists (RFC 5280 section 5), as far as they are complete and direct: signed by the key that
//! issued the certificates, for all of them and all reasons. Partial, indirect and delta lists are refused.

use crate::{
	MAX_CRL_LEN,
	algorithm::{SignatureAlgorithm, Verifier},
	certificate::{Certificate, Reading, read_serial},
	dn::DistinguishedName,
	error::Error,
	time::{UnixTime, Validity, unix_time},
	tlv,
};
use alloc::{collections::BTreeSet, vec::Vec};
use x509_cert::{
	Version,
	crl::{CertificateList, TbsCertList},
	der::{Encode, oid::AssociatedOid},
	ext::{
		Extension,
		pkix::{AuthorityKeyIdentifier, CrlNumber},
	},
};

/// A revocation list of version 2.
#[derive(Clone, Debug)]
pub struct RevocationList {
	issuer: DistinguishedName,
	validity: Validity,
	revoked: BTreeSet<Vec<u8>>,
	algorithm: SignatureAlgorithm,
	signed: Vec<u8>,
	signature: Vec<u8>,
	/// Why the list must not be used, though it could be read.
	defect: Option<Error>,
}

impl RevocationList {
	/// Reads a list. Its signature and its validity are not looked at. A list that is well-formed, but not usable
	/// here, can be read and is never usable: its issuer is known to have one.
	pub fn from_der(der: &[u8]) -> Result<Self, Error> {
		ensure!(der.len() <= MAX_CRL_LEN, Error::RevocationListTooLong);
		let malformed = Error::RevocationListMalformed;
		let encoded: CertificateList = tlv::decode_strict(der).ok_or(malformed)?;
		let body = &encoded.tbs_cert_list;
		ensure!(body.version == Version::V2, malformed);
		ensure!(body.signature == encoded.signature_algorithm, Error::AlgorithmMismatch);
		let issuer = DistinguishedName::read(body.issuer.clone()).map_err(|_| malformed)?;
		ensure!(!issuer.is_empty(), Error::IssuerEmpty);
		// RFC 5280 section 5.1.2.6: where nothing is revoked the list is absent.
		let entries = body.revoked_certificates.as_deref();
		ensure!(entries.is_none_or(|entries| !entries.is_empty()), malformed);

		let not_before = unix_time(body.this_update);
		Ok(Self {
			issuer,
			validity: Validity {
				not_before,
				// RFC 5280 section 5.1.2.5: nextUpdate is always there. A list without is out of date at once.
				not_after: body.next_update.map_or(not_before, unix_time),
			},
			revoked: entries
				.unwrap_or_default()
				.iter()
				.filter_map(|entry| read_serial(&entry.serial_number, Reading::Tolerant).ok())
				.collect(),
			algorithm: SignatureAlgorithm::read(&body.signature)?,
			signed: body.to_der().map_err(|_| malformed)?,
			signature: encoded.signature.as_bytes().ok_or(malformed)?.to_vec(),
			defect: find_defect(body),
		})
	}

	/// Who issued the list.
	pub fn issuer(&self) -> &DistinguishedName {
		&self.issuer
	}

	/// From `thisUpdate` to `nextUpdate`.
	pub fn validity(&self) -> Validity {
		self.validity
	}

	/// Whether the serial number of the certificate is on the list.
	pub fn contains(&self, certificate: &Certificate) -> bool {
		self.revoked.contains(certificate.serial())
	}

	/// Refuses a list that says nothing about what `issuer` issued: of another name or key, of a key that must not
	/// sign lists, out of date, or of a kind that is not supported.
	pub fn check_usable<V: Verifier + ?Sized>(
		&self,
		verifier: &V,
		issuer: &Certificate,
		at: UnixTime,
	) -> Result<(), Error> {
		self.defect.map_or(Ok(()), Err)?;
		ensure!(self.issuer == *issuer.subject(), Error::IssuerMismatch);
		let usage = issuer.extensions().key_usage.ok_or(Error::KeyUsageMissing)?;
		ensure!(usage.crl_sign(), Error::KeyUsageMismatch);
		self.validity.check(at).map_err(|_| Error::RevocationListExpired)?;
		let is_signed =
			issuer.key().verify(verifier, self.algorithm, &self.signed, &self.signature);
		ensure!(is_signed, Error::SignatureInvalid);
		Ok(())
	}
}

/// Why a list must not be used. RFC 5280 section 5.2: a list has a number and names its key, neither critically; a
/// critical extension that is not evaluated, of the list or of an entry, makes it unusable. Those that make a list
/// partial, indirect or a delta are critical.
fn find_defect(body: &TbsCertList) -> Option<Error> {
	let entries = body.revoked_certificates.iter().flatten();
	let of_entries = entries.clone().flat_map(|entry| entry.crl_entry_extensions.iter().flatten());
	let mut of_list = body.crl_extensions.iter().flatten();
	let has = |oid| body.crl_extensions.iter().flatten().any(|extension| extension.extn_id == oid);
	let is_critical = |extension: &Extension| extension.critical;
	let is_unsupported = of_list.any(is_critical)
		|| of_entries.into_iter().any(is_critical)
		|| entries
			.into_iter()
			.any(|entry| read_serial(&entry.serial_number, Reading::Tolerant).is_err())
		|| !has(CrlNumber::OID)
		|| !has(AuthorityKeyIdentifier::OID);
	is_unsupported.then_some(Error::RevocationListUnsupported)
}
