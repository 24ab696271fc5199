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
	attr::{Attribute, Attributes},
	der::{
		Encode, Tag, Tagged,
		asn1::ObjectIdentifier,
		oid::{AssociatedOid, db::rfc5912::ID_EXTENSION_REQ},
	},
	ext::{
		Extension,
		pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAltName},
	},
	request::CertReq,
};

/// The extensions that an applicant may ask for. Whether a certificate gets them is for its issuer to say.
const REQUESTABLE: [ObjectIdentifier; 4] =
	[SubjectAltName::OID, KeyUsage::OID, ExtendedKeyUsage::OID, BasicConstraints::OID];

/// `challengePassword` (RFC 2985 section 5.4.1).
pub const CHALLENGE_PASSWORD: ObjectIdentifier =
	ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.7");

/// What a request is bound to beside its signature.
#[derive(Clone, Copy, Debug)]
pub struct Binding<'a> {
	/// The key that it has to be for.
	pub key: &'a PublicKey,
	/// What it has to carry as its `challengePassword`, as a string of the types UTF8String or PrintableString.
	pub challenge: &'a str,
}

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
	/// account. Who needs that asks for a signature over a context besides, or for a request that is
	/// [bound to one](Self::verify_bound).
	pub fn verify<V: Verifier + ?Sized>(verifier: &V, der: &[u8]) -> Result<Self, Error> {
		Self::read(verifier, der, None)
	}

	/// Reads a request for a key that is known before, verifies that this key signed it, and that it carries a challenge
	/// that was made for this one request.
	///
	/// Key and challenge are compared before the signature is verified, so that what a verification costs is the cost of
	/// a key that the caller has chosen.
	pub fn verify_bound<V: Verifier + ?Sized>(
		verifier: &V,
		der: &[u8],
		binding: Binding<'_>,
	) -> Result<Self, Error> {
		Self::read(verifier, der, Some(binding))
	}

	fn read<V: Verifier + ?Sized>(
		verifier: &V,
		der: &[u8],
		binding: Option<Binding<'_>>,
	) -> Result<Self, Error> {
		ensure!(der.len() <= MAX_REQUEST_LEN, Error::RequestTooLong);
		let malformed = Error::RequestMalformed;
		let encoded: CertReq = tlv::decode_strict(der).ok_or(malformed)?;
		let info = &encoded.info;
		let subject = DistinguishedName::read(info.subject.clone()).map_err(|_| malformed)?;
		let key = PublicKey::read(&info.public_key)?;
		let algorithm = SignatureAlgorithm::read(&encoded.algorithm)?;
		ensure!(
			binding.is_none_or(|binding| is_same_key(&key, binding.key)),
			Error::RequestKeyMismatch
		);
		let challenge = binding.map(|binding| binding.challenge);
		let extensions = Extensions::read(&requested(&info.attributes, challenge)?)?;
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

/// Whether two keys are the same, whatever the form of their points.
fn is_same_key(one: &PublicKey, other: &PublicKey) -> bool {
	let is_same_point = || {
		core::mem::discriminant(one) == core::mem::discriminant(other)
			&& one.compressed_point().is_some()
			&& one.compressed_point() == other.compressed_point()
	};
	one == other || is_same_point()
}

/// The extensions that are asked for. No other attribute is read but a challenge that is known before: a challenge
/// password of any other kind is a secret between applicant and issuer, and has no place where everybody can read it.
fn requested(attributes: &Attributes, challenge: Option<&str>) -> Result<Vec<Extension>, Error> {
	let (mut requested, mut challenged) = (None, false);
	for attribute in attributes.iter() {
		if let (CHALLENGE_PASSWORD, Some(challenge)) = (attribute.oid, challenge) {
			ensure!(carries(attribute, challenge), Error::RequestChallengeMismatch);
			ensure!(!challenged, Error::RequestMalformed);
			challenged = true;
			continue;
		}
		ensure!(attribute.oid == ID_EXTENSION_REQ, Error::RequestAttributeNotAllowed);
		let [value] = attribute.values.as_slice() else { return Err(Error::RequestMalformed) };
		let der = value.to_der().map_err(|_| Error::RequestMalformed)?;
		let list: Vec<Extension> = tlv::decode_strict(&der).ok_or(Error::RequestMalformed)?;
		ensure!(requested.replace(list).is_none(), Error::RequestMalformed);
	}
	ensure!(challenged || challenge.is_none(), Error::RequestChallengeMismatch);
	Ok(requested.unwrap_or_default())
}

/// Whether the attribute has this text as its one value.
fn carries(attribute: &Attribute, text: &str) -> bool {
	let [value] = attribute.values.as_slice() else { return false };
	matches!(value.tag(), Tag::Utf8String | Tag::PrintableString)
		&& value.value() == text.as_bytes()
}
