//! Certification requests (PKCS#10, RFC 2986): the subject and the key that ask for a certificate, and the proof that
//! the key is held by who asks.

use crate::{
	MAX_REQUEST_LEN,
	algorithm::{PublicKey, SignatureAlgorithm, Verifier},
	dn::DistinguishedName,
	error::Error,
	extension::Extensions,
	tlv,
};
use alloc::vec::Vec;
use x509_cert::{
	attr::Attributes,
	der::{
		Encode,
		oid::{AssociatedOid, db::rfc5912::ID_EXTENSION_REQ},
	},
	ext::{
		Extension,
		pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAltName},
	},
	request::CertReq,
};

/// The extensions that an applicant may ask for. Whether a certificate gets them is for its issuer to say.
const REQUESTABLE: [x509_cert::der::asn1::ObjectIdentifier; 4] =
	[SubjectAltName::OID, KeyUsage::OID, ExtendedKeyUsage::OID, BasicConstraints::OID];

/// A request whose signature was verified with the key in it.
#[derive(Clone, Debug)]
pub struct CertificationRequest {
	subject: DistinguishedName,
	key: PublicKey,
	extensions: Extensions,
}

impl CertificationRequest {
	/// Reads a request and verifies that its key signed it.
	///
	/// The proof says that the holder of the key wanted this subject, at some time: it binds neither a chain nor an
	/// account. Who needs that asks for a signature over a context besides.
	pub fn verify<V: Verifier + ?Sized>(verifier: &V, der: &[u8]) -> Result<Self, Error> {
		ensure!(der.len() <= MAX_REQUEST_LEN, Error::RequestTooLong);
		let malformed = Error::RequestMalformed;
		let encoded: CertReq = tlv::decode_strict(der).ok_or(malformed)?;
		let info = &encoded.info;
		let subject = DistinguishedName::read(info.subject.clone()).map_err(|_| malformed)?;
		let key = PublicKey::read(&info.public_key)?;
		let algorithm = SignatureAlgorithm::read(&encoded.algorithm)?;
		let extensions = Extensions::read(&requested(&info.attributes)?)?;
		ensure!(
			extensions.oids().all(|oid| REQUESTABLE.contains(&oid)),
			Error::RequestedExtensionNotAllowed
		);
		ensure!(!extensions.is_authority(), Error::RequestedExtensionNotAllowed);
		let may_sign = extensions.key_usage.is_some_and(|usage| usage.key_cert_sign());
		ensure!(!may_sign, Error::RequestedExtensionNotAllowed);
		ensure!(!subject.is_empty() || extensions.subject_names.is_some(), Error::SubjectEmpty);

		let signed = info.to_der().map_err(|_| malformed)?;
		let signature = encoded.signature.as_bytes().ok_or(malformed)?;
		ensure!(key.verify(verifier, algorithm, &signed, signature), Error::SignatureInvalid);
		Ok(Self { subject, key, extensions })
	}

	/// Who asks.
	pub fn subject(&self) -> &DistinguishedName {
		&self.subject
	}

	/// The key to be certified.
	pub fn key(&self) -> &PublicKey {
		&self.key
	}

	/// What is asked for.
	pub fn extensions(&self) -> &Extensions {
		&self.extensions
	}
}

/// The extensions that are asked for. No other attribute is read: a challenge password is a secret between
/// applicant and issuer, and has no place where everybody can read it.
fn requested(attributes: &Attributes) -> Result<Vec<Extension>, Error> {
	let mut requested = None;
	for attribute in attributes.iter() {
		ensure!(attribute.oid == ID_EXTENSION_REQ, Error::RequestAttributeNotAllowed);
		let [value] = attribute.values.as_slice() else { return Err(Error::RequestMalformed) };
		let der = value.to_der().map_err(|_| Error::RequestMalformed)?;
		let list: Vec<Extension> = tlv::decode_strict(&der).ok_or(Error::RequestMalformed)?;
		ensure!(requested.replace(list).is_none(), Error::RequestMalformed);
	}
	Ok(requested.unwrap_or_default())
}
