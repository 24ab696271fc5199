//! X.509 roots (RFC 5280), read strictly.
//!
//! The profile is that of a certification authority that vouches for itself: version 3, self-issued, self-signed,
//! with the extensions that RFC 5280 sections 4.2.1.2, 4.2.1.3 and 4.2.1.9 ask of an authority. What the parser
//! reads, encoded again, must be the input: whatever has two encodings has one here, and no byte goes unread.

use crate::{
	Config, Error,
	crypto::{self, AnchorKey},
};
use alloc::collections::BTreeSet;
use dpki_crypto::Hash;
use dpki_primitives::{
	Moment,
	ids::KeyId,
	key::{KeyType, PublicKey},
	status::Validity,
};
use frame_support::ensure;
use x509_cert::{
	Certificate, TbsCertificate, Version,
	der::{
		Decode, Encode, Tag, Tagged,
		asn1::ObjectIdentifier,
		oid::{
			AssociatedOid,
			db::{rfc5912, rfc8410},
		},
	},
	ext::pkix::{BasicConstraints, KeyUsage, SubjectKeyIdentifier},
	spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned},
	time::Time,
};

/// The extensions that are evaluated here, and so the only ones that may be critical. A root with critical name
/// constraints is refused: nothing on the chain would hold it to them.
const EVALUATED: [ObjectIdentifier; 3] =
	[BasicConstraints::OID, KeyUsage::OID, SubjectKeyIdentifier::OID];

/// Most octets of a serial number (RFC 5280 section 4.1.2.2).
const MAX_SERIAL_LEN: usize = 20;

/// What the registry keeps of a root.
pub struct Root {
	/// The key with the algorithm that signed the certificate.
	pub key: AnchorKey,
	/// The id of that key.
	pub key_id: KeyId,
	/// The validity of the certificate.
	pub validity: Validity,
}

/// Reads and verifies the root in `der`. Whether it is expired is for the caller to say.
pub fn parse_root<T: Config>(der: &[u8]) -> Result<Root, Error<T>> {
	let certificate = Certificate::from_der(der).map_err(|_| Error::<T>::CertificateMalformed)?;
	ensure!(
		certificate.to_der().is_ok_and(|encoded| encoded == der),
		Error::<T>::CertificateMalformed
	);
	let body = &certificate.tbs_certificate;
	ensure!(body.version == Version::V3, Error::<T>::CertificateVersionUnsupported);
	check_serial(body)?;
	ensure!(
		body.issuer == body.subject && !body.subject.is_empty(),
		Error::<T>::CertificateNotSelfIssued
	);
	check_extensions(body)?;
	let validity = read_validity(body)?;

	// RFC 5280 section 4.1.1.2: the algorithm is named twice, inside and outside of what is signed.
	ensure!(body.signature == certificate.signature_algorithm, Error::<T>::CertificateMalformed);
	let info = &body.subject_public_key_info;
	let key = read_key(info, &body.signature)?;
	let key_id = match &key {
		AnchorKey::Device(public) => KeyId::of(public),
		// One encoding per key: strict DER, parameters that are fixed, an uncompressed point.
		AnchorKey::P384(_) | AnchorKey::Rsa { .. } => {
			KeyId::of_spki(&info.to_der().map_err(|_| Error::<T>::CertificateMalformed)?)
		},
	};
	let signature = certificate.signature.as_bytes().ok_or(Error::<T>::CertificateMalformed)?;
	let signed = body.to_der().map_err(|_| Error::<T>::CertificateMalformed)?;
	ensure!(key.verify_certificate(&signed, signature), Error::<T>::CertificateSignatureInvalid);
	Ok(Root { key, key_id, validity })
}

fn check_serial<T: Config>(body: &TbsCertificate) -> Result<(), Error<T>> {
	// The tag and the length take one byte each, as the parser reads 21 octets at most.
	let encoded = body.serial_number.to_der().map_err(|_| Error::<T>::CertificateMalformed)?;
	let serial = encoded.get(2..).unwrap_or_default();
	let is_positive =
		serial.first().is_some_and(|byte| byte & 0x80 == 0) && serial.iter().any(|byte| *byte != 0);
	ensure!(is_positive && serial.len() <= MAX_SERIAL_LEN, Error::<T>::CertificateSerialInvalid);
	Ok(())
}

fn check_extensions<T: Config>(body: &TbsCertificate) -> Result<(), Error<T>> {
	let mut seen = BTreeSet::new();
	for extension in body.extensions.iter().flatten() {
		ensure!(seen.insert(extension.extn_id), Error::<T>::CertificateExtensionRepeated);
		ensure!(
			!extension.critical || EVALUATED.contains(&extension.extn_id),
			Error::<T>::CertificateExtensionUnknown
		);
	}
	let (critical, constraints) =
		extension::<T, BasicConstraints>(body)?.ok_or(Error::<T>::CertificateNotAuthority)?;
	ensure!(critical && constraints.ca, Error::<T>::CertificateNotAuthority);
	let (critical, usage) =
		extension::<T, KeyUsage>(body)?.ok_or(Error::<T>::CertificateNotAuthority)?;
	ensure!(critical && usage.key_cert_sign(), Error::<T>::CertificateNotAuthority);
	let (_, key_id) = extension::<T, SubjectKeyIdentifier>(body)?
		.ok_or(Error::<T>::CertificateKeyIdentifierMissing)?;
	ensure!(!key_id.0.as_bytes().is_empty(), Error::<T>::CertificateKeyIdentifierMissing);
	Ok(())
}

fn extension<'a, T: Config, E: Decode<'a> + AssociatedOid>(
	body: &'a TbsCertificate,
) -> Result<Option<(bool, E)>, Error<T>> {
	body.get::<E>().map_err(|_| Error::<T>::CertificateMalformed)
}

fn read_validity<T: Config>(body: &TbsCertificate) -> Result<Validity, Error<T>> {
	let moment = |time: Time| -> Result<Moment, Error<T>> {
		time.to_unix_duration()
			.as_millis()
			.try_into()
			.map_err(|_| Error::<T>::CertificateMalformed)
	};
	let not_before = moment(body.validity.not_before)?;
	let not_after = moment(body.validity.not_after)?;
	ensure!(not_before <= not_after, Error::<T>::CertificateValidityInvalid);
	Ok(Validity { not_before, not_after: Some(not_after) })
}

/// The key, if it and the algorithm of the signature are a pair that is accepted here.
fn read_key<T: Config>(
	info: &SubjectPublicKeyInfoOwned,
	signature: &AlgorithmIdentifierOwned,
) -> Result<AnchorKey, Error<T>> {
	let bytes = info.subject_public_key.as_bytes().ok_or(Error::<T>::CertificateMalformed)?;
	let unsupported = || Error::<T>::CertificateAlgorithmUnsupported;
	let is = |wanted| if wanted { Ok(()) } else { Err(unsupported()) };

	let key = match signature.oid {
		rfc8410::ID_ED_25519 => {
			is(signature.parameters.is_none())?;
			is(info.algorithm.oid == rfc8410::ID_ED_25519 && info.algorithm.parameters.is_none())?;
			PublicKey::new(KeyType::Ed25519, bytes)
				.filter(crypto::is_well_formed)
				.map(AnchorKey::Device)
		},
		rfc5912::ECDSA_WITH_SHA_256 => {
			is(signature.parameters.is_none() && is_curve(info, rfc5912::SECP_256_R_1))?;
			crypto::p256_key(bytes).map(AnchorKey::Device)
		},
		rfc5912::ECDSA_WITH_SHA_384 => {
			is(signature.parameters.is_none() && is_curve(info, rfc5912::SECP_384_R_1))?;
			AnchorKey::p384(bytes)
		},
		oid => {
			let hash = match oid {
				rfc5912::SHA_256_WITH_RSA_ENCRYPTION => Hash::Sha256,
				rfc5912::SHA_384_WITH_RSA_ENCRYPTION => Hash::Sha384,
				rfc5912::SHA_512_WITH_RSA_ENCRYPTION => Hash::Sha512,
				_ => return Err(unsupported()),
			};
			// RFC 4055 sections 1.2 and 5: the parameters of both are NULL, and not absent.
			is(has_null_parameters(signature))?;
			is(info.algorithm.oid == rfc5912::RSA_ENCRYPTION
				&& has_null_parameters(&info.algorithm))?;
			AnchorKey::rsa(bytes, hash)
		},
	};
	key.ok_or(Error::<T>::CertificateKeyUnsupported)
}

fn is_curve(info: &SubjectPublicKeyInfoOwned, curve: ObjectIdentifier) -> bool {
	info.algorithm.oid == rfc5912::ID_EC_PUBLIC_KEY
		&& info
			.algorithm
			.parameters
			.as_ref()
			.is_some_and(|parameters| parameters.decode_as::<ObjectIdentifier>() == Ok(curve))
}

fn has_null_parameters(algorithm: &AlgorithmIdentifierOwned) -> bool {
	algorithm
		.parameters
		.as_ref()
		.is_some_and(|parameters| parameters.tag() == Tag::Null && parameters.value().is_empty())
}
