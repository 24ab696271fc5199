//! X.509 certificates of anchors: what the registry keeps of one, and how the refusals of [`dpki_x509`] are told.

use crate::{Config, Error};
use dpki_primitives::{
	Moment,
	ids::KeyId,
	key::{KeyType, PublicKey},
	status::Validity,
};
use dpki_x509::{Certificate, Hash, SignatureAlgorithm};

/// Chain time as certificates tell it, in seconds. Rounded down, so that the last second of a validity belongs to it as
/// a whole, as in [`validity`].
pub(crate) const fn seconds(now: Moment) -> dpki_x509::time::UnixTime {
	now / 1000
}

/// The validity of a certificate in chain time.
pub(crate) fn validity(certificate: &Certificate) -> Validity {
	let validity = certificate.validity();
	Validity {
		not_before: validity.first_millisecond(),
		not_after: Some(validity.last_millisecond()),
	}
}

/// The key of a certificate in the form that records use, if it has one.
pub(crate) fn public_key(certificate: &Certificate) -> Option<PublicKey> {
	match certificate.key() {
		dpki_x509::PublicKey::Ed25519(key) => PublicKey::new(KeyType::Ed25519, key),
		key @ dpki_x509::PublicKey::P256(_) => {
			PublicKey::new(KeyType::P256, &key.compressed_point()?)
		},
		dpki_x509::PublicKey::P384(_) | dpki_x509::PublicKey::Rsa(_) => None,
	}
}

/// The id of the key of a certificate: one per key, in whatever form the certificate has it.
pub(crate) fn key_id<T: Config>(certificate: &Certificate) -> Result<KeyId, Error<T>> {
	if let Some(key) = public_key(certificate) {
		return Ok(KeyId::of(&key));
	}
	let info = certificate.key().spki_der().ok_or(Error::<T>::CertificateKeyUnsupported)?;
	Ok(KeyId::of_spki(&info))
}

/// Whether `signature` over `payload` shows that somebody holds the key of the certificate, see
/// [`dpki_primitives::context`] for the algorithms and encodings.
pub(crate) fn verify_possession(
	certificate: &Certificate,
	payload: &[u8],
	signature: &[u8],
) -> bool {
	let algorithm = match certificate.key() {
		dpki_x509::PublicKey::Ed25519(_) => SignatureAlgorithm::Ed25519,
		dpki_x509::PublicKey::P256(_) => SignatureAlgorithm::Ecdsa(Hash::Sha256),
		dpki_x509::PublicKey::P384(_) => SignatureAlgorithm::Ecdsa(Hash::Sha384),
		dpki_x509::PublicKey::Rsa(_) => {
			SignatureAlgorithm::RsaPkcs1(match certificate.algorithm() {
				SignatureAlgorithm::Ecdsa(hash)
				| SignatureAlgorithm::RsaPkcs1(hash)
				| SignatureAlgorithm::RsaPss(hash) => hash,
				SignatureAlgorithm::Ed25519 => Hash::Sha256,
			})
		},
	};
	certificate
		.key()
		.verify_raw(&crate::crypto::Verifier, algorithm, payload, signature)
}

impl<T: Config> From<dpki_x509::Error> for Error<T> {
	fn from(error: dpki_x509::Error) -> Self {
		use dpki_x509::Error as X509;
		match error {
			X509::CertificateTooLong | X509::CertificateMalformed | X509::AlgorithmMismatch => {
				Self::CertificateMalformed
			},
			X509::ExtensionListTooLong | X509::NameListTooLong => Self::CertificateTooComplex,
			X509::CertificateVersionUnsupported => Self::CertificateVersionUnsupported,
			X509::SerialNumberInvalid => Self::CertificateSerialInvalid,
			X509::IssuerEmpty | X509::SubjectEmpty => Self::CertificateNameMissing,
			X509::AnchorNotSelfIssued => Self::CertificateNotSelfIssued,
			X509::AnchorSelfIssued => Self::CertificateSelfIssued,
			X509::ExtensionRepeated => Self::CertificateExtensionRepeated,
			X509::ExtensionUnknown => Self::CertificateExtensionUnknown,
			X509::ExtensionMalformed => Self::CertificateExtensionMalformed,
			X509::ExtensionCriticalityInvalid => Self::CertificateCriticalityInvalid,
			X509::IssuerNotAuthority
			| X509::ExtensionNotAllowed
			| X509::KeyUsageInconsistent
			| X509::KeyUsageMissing
			| X509::KeyUsageMismatch => Self::CertificateNotAuthority,
			X509::SubjectKeyIdentifierMissing => Self::CertificateKeyIdentifierMissing,
			X509::AuthorityKeyIdentifierMissing | X509::AuthorityKeyIdentifierMismatch => {
				Self::CertificateIssuerKeyUnnamed
			},
			X509::ValidityInvalid => Self::CertificateValidityInvalid,
			X509::CertificateExpired => Self::CertificateExpired,
			X509::CertificateNotYetValid => Self::CertificateNotYetValid,
			X509::AlgorithmUnsupported => Self::CertificateAlgorithmUnsupported,
			X509::PublicKeyUnsupported | X509::PublicKeyMalformed => {
				Self::CertificateKeyUnsupported
			},
			X509::SignatureInvalid => Self::CertificateSignatureInvalid,
			X509::IssuerMismatch => Self::CertificateIssuerMismatch,
			X509::PathLengthExceeded | X509::PathTooLong => Self::CertificatePathTooLong,
			X509::NameNotPermitted | X509::NameExcluded | X509::NameFormUnsupported => {
				Self::CertificateNameNotPermitted
			},
			X509::PolicyMappingInvalid | X509::PolicyNotAccepted => Self::CertificatePolicyInvalid,
			X509::ProfileAlgorithmMismatch
			| X509::ProfileConstraintsMismatch
			| X509::ProfileKeyUsageMismatch
			| X509::ProfileExtendedKeyUsageMismatch
			| X509::ProfileKeyIdentifierInvalid
			| X509::ProfileNameMismatch
			| X509::ProfilePathMismatch
			| X509::DeviceSerialMissing => Self::CertificateProfileMismatch,
			X509::VendorIdMissing
			| X509::VendorIdMalformed
			| X509::VendorIdMismatch
			| X509::ProductIdMissing
			| X509::ProductIdMalformed
			| X509::ProductIdMismatch => Self::CertificateVendorMismatch,
			// About requests, revocation lists, looked-up names, demanded purposes and searched paths, none of which has to do
			// with an anchor.
			X509::CertificateRevoked
			| X509::ExtendedKeyUsageMismatch
			| X509::PathEmpty
			| X509::PathNotFound
			| X509::PathBudgetExceeded
			| X509::SubjectNameMismatch
			| X509::RequestTooLong
			| X509::RequestMalformed
			| X509::RequestChallengeMismatch
			| X509::RequestKeyMismatch
			| X509::RequestAttributeNotAllowed
			| X509::RequestedExtensionNotAllowed
			| X509::RevocationListTooLong
			| X509::RevocationListMalformed
			| X509::RevocationListUnsupported
			| X509::RevocationListExpired
			| X509::RevocationUnknown => Self::CertificateMalformed,
		}
	}
}
