//! Certificates, read strictly (RFC 5280 section 4.1).
//!
//! What the parser reads, encoded again, must be the input: whatever has two encodings has one here, and no byte goes
//! unread. A certificate that was read keeps every rule that one certificate can keep alone; [`crate::path`] holds
//! those between certificates.

use crate::{
	MAX_CERTIFICATE_LEN,
	algorithm::{PublicKey, SignatureAlgorithm, Verifier},
	dn::DistinguishedName,
	error::Error,
	extension::Extensions,
	time::Validity,
	tlv,
};
use alloc::vec::Vec;
use x509_cert::{
	Certificate as Encoded, TbsCertificate, Version,
	der::{Encode, oid::AssociatedOid},
	ext::pkix::BasicConstraints,
	serial_number::SerialNumber,
};

/// Most octets of a serial number (RFC 5280 section 4.1.2.2).
pub const MAX_SERIAL_LEN: usize = 20;

/// A certificate of version 3.
#[derive(Clone, Debug)]
pub struct Certificate {
	der: Vec<u8>,
	signed: Vec<u8>,
	serial: Vec<u8>,
	issuer: DistinguishedName,
	subject: DistinguishedName,
	validity: Validity,
	key: PublicKey,
	algorithm: SignatureAlgorithm,
	signature: Vec<u8>,
	extensions: Extensions,
	reading: Reading,
}

/// How a certificate is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Reading {
	/// By the rules of RFC 5280 section 4.
	Conforming,
	/// Without the rules that section 4 sets for authorities and section 6 does not ask of those who judge.
	Tolerant,
}

impl Certificate {
	/// Reads a certificate. Neither its signature nor its validity is looked at.
	pub fn from_der(der: &[u8]) -> Result<Self, Error> {
		Self::read(der, Reading::Conforming)
	}

	/// Reads a certificate whose authority may have broken two rules that are set for authorities only: serial numbers
	/// are positive, and certain extensions are critical (RFC 5280 sections 4.1.2.2, 4.2.1.9 to 4.2.1.11 and
	/// 4.2.1.14).
	///
	/// This is for comparing the path algorithm with test suites that are older than these rules. Nothing that
	/// decides about access calls it.
	pub fn from_der_tolerant(der: &[u8]) -> Result<Self, Error> {
		Self::read(der, Reading::Tolerant)
	}

	fn read(der: &[u8], reading: Reading) -> Result<Self, Error> {
		ensure!(der.len() <= MAX_CERTIFICATE_LEN, Error::CertificateTooLong);
		let encoded: Encoded = tlv::decode_strict(der).ok_or(Error::CertificateMalformed)?;
		let body = &encoded.tbs_certificate;
		// Version 3 is the one with extensions, and every rule about authorities is in an extension.
		ensure!(body.version == Version::V3, Error::CertificateVersionUnsupported);
		let serial = read_serial(&body.serial_number, reading)?;

		// RFC 5280 section 4.1.1.2: the algorithm is named twice, inside and outside of what is signed.
		ensure!(body.signature == encoded.signature_algorithm, Error::AlgorithmMismatch);
		let algorithm = SignatureAlgorithm::read(&body.signature)?;
		let signature = encoded.signature.as_bytes().ok_or(Error::CertificateMalformed)?.to_vec();

		let (issuer, subject) = read_names(body)?;
		let validity = Validity::read(&body.validity)?;
		let key = PublicKey::read(&body.subject_public_key_info)?;
		// RFC 5280 section 4.1.2.9: if there is a list it is not empty.
		let list = body.extensions.as_deref();
		ensure!(list.is_none_or(|list| !list.is_empty()), Error::CertificateMalformed);
		let extensions = Extensions::read(list.unwrap_or_default())?;
		extensions.check(!subject.is_empty(), reading)?;

		let signed = body.to_der().map_err(|_| Error::CertificateMalformed)?;
		Ok(Self {
			der: der.to_vec(),
			signed,
			serial,
			issuer,
			subject,
			validity,
			key,
			algorithm,
			signature,
			extensions,
			reading,
		})
	}

	/// The DER that was read.
	pub fn der(&self) -> &[u8] {
		&self.der
	}

	/// The octets of the serial number as DER has them: big-endian, with a leading zero where the first bit is set.
	pub fn serial(&self) -> &[u8] {
		&self.serial
	}

	/// Who issued it.
	pub fn issuer(&self) -> &DistinguishedName {
		&self.issuer
	}

	/// Whose key it certifies.
	pub fn subject(&self) -> &DistinguishedName {
		&self.subject
	}

	/// When it is in force.
	pub fn validity(&self) -> Validity {
		self.validity
	}

	/// The key that it certifies.
	pub fn key(&self) -> &PublicKey {
		&self.key
	}

	/// The algorithm by which the issuer signed it.
	pub fn algorithm(&self) -> SignatureAlgorithm {
		self.algorithm
	}

	/// Its extensions.
	pub fn extensions(&self) -> &Extensions {
		&self.extensions
	}

	/// Whether issuer and subject have the same name (RFC 5280 section 6.1).
	pub fn is_self_issued(&self) -> bool {
		self.issuer == self.subject
	}

	/// Whether the holder of `issuer`'s key signed it. That `issuer` may do so is for [`crate::path`] to say.
	pub fn is_signed_by<V: Verifier + ?Sized>(&self, verifier: &V, issuer: &Self) -> bool {
		issuer.key.verify(verifier, self.algorithm, &self.signed, &self.signature)
	}

	/// Refuses a certificate that must not issue others: what RFC 5280 asks of authorities in sections 4.1.2.6,
	/// 4.2.1.2, 4.2.1.3, 4.2.1.9 and 6.1.4 (k) and (n).
	pub fn check_authority(&self) -> Result<(), Error> {
		let extensions = &self.extensions;
		ensure!(extensions.is_authority(), Error::IssuerNotAuthority);
		ensure!(
			extensions.criticality(BasicConstraints::OID) == Some(true)
				|| self.reading == Reading::Tolerant,
			Error::ExtensionCriticalityInvalid
		);
		let usage = extensions.key_usage.ok_or(Error::KeyUsageMissing)?;
		ensure!(usage.key_cert_sign(), Error::KeyUsageMismatch);
		ensure!(extensions.subject_key_id.is_some(), Error::SubjectKeyIdentifierMissing);
		ensure!(!self.subject.is_empty(), Error::SubjectEmpty);
		Ok(())
	}

	/// Refuses a certificate that does not name the key of its issuer (RFC 5280 section 4.2.1.1): each has to, except
	/// one that its own key signed.
	pub(crate) fn check_names_issuer_key(&self) -> Result<(), Error> {
		let names_key = self.extensions.authority_key.as_ref().is_some_and(|key| key.id.is_some());
		ensure!(names_key, Error::AuthorityKeyIdentifierMissing);
		Ok(())
	}

	/// Whether the key identifiers speak for `issuer`. They are a hint by which paths are found, and no proof.
	pub(crate) fn points_to(&self, issuer: &Self) -> bool {
		let wanted = self.extensions.authority_key.as_ref().and_then(|key| key.id.as_ref());
		wanted.is_some() && wanted == issuer.extensions.subject_key_id.as_ref()
	}
}

/// The octets of a serial number, which is positive and has 20 of them at most.
pub(crate) fn read_serial(serial: &SerialNumber, reading: Reading) -> Result<Vec<u8>, Error> {
	// The tag and the length take one byte each, as the parser reads 21 octets at most.
	let encoded = serial.to_der().map_err(|_| Error::SerialNumberInvalid)?;
	let octets = encoded.get(2..).unwrap_or_default();
	ensure!(octets.len() <= MAX_SERIAL_LEN, Error::SerialNumberInvalid);
	let is_negative = octets.first().is_some_and(|byte| byte & 0x80 != 0);
	let is_positive = !is_negative && octets.iter().any(|byte| *byte != 0);
	ensure!(is_positive || reading == Reading::Tolerant, Error::SerialNumberInvalid);
	Ok(octets.to_vec())
}

fn read_names(body: &TbsCertificate) -> Result<(DistinguishedName, DistinguishedName), Error> {
	let issuer = DistinguishedName::read(body.issuer.clone())?;
	ensure!(!issuer.is_empty(), Error::IssuerEmpty);
	Ok((issuer, DistinguishedName::read(body.subject.clone())?))
}
