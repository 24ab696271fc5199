//! Initial device identities (IEEE 802.1AR-2018 section 8): given by the maker, for the whole life of a device. They
//! commonly end at [`crate::time::Validity::NO_END`].

use super::{Role, criticality};
use crate::{
	algorithm::{Hash, PublicKey, SignatureAlgorithm},
	certificate::Certificate,
	dn::SERIAL_NUMBER,
	error::Error,
	extension::ANY_PURPOSE,
};
use x509_cert::ext::pkix::KeyUsage;

pub(super) fn check_certificate(certificate: &Certificate, role: Role) -> Result<(), Error> {
	if role != Role::EndEntity {
		return Ok(());
	}
	// Section 9: RSA with SHA-256, ECDSA over P-256 with SHA-256, ECDSA over P-384 with SHA-384.
	let is_known = matches!(
		certificate.algorithm(),
		SignatureAlgorithm::RsaPkcs1(Hash::Sha256)
			| SignatureAlgorithm::Ecdsa(Hash::Sha256 | Hash::Sha384)
	);
	let is_known_key = !matches!(certificate.key(), PublicKey::Ed25519(_));
	ensure!(is_known && is_known_key, Error::ProfileAlgorithmMismatch);

	// Section 8.6: the subject is there and names the device within the products of its maker.
	let mut serials = certificate.subject().attributes(SERIAL_NUMBER);
	let serial = serials.next().flatten().map(str::trim);
	ensure!(serial.is_some_and(|serial| !serial.is_empty()), Error::DeviceSerialMissing);
	ensure!(serials.next().is_none(), Error::ProfileNameMismatch);

	// Section 8.10.3: a critical key usage includes digital signatures.
	let extensions = certificate.extensions();
	let may_sign = extensions.key_usage.is_some_and(|usage| usage.digital_signature());
	let is_limited = criticality::<KeyUsage>(certificate) == Some(true);
	ensure!(may_sign || !is_limited, Error::ProfileKeyUsageMismatch);
	// An identity that lasts for ever is not given for purposes that nobody knows yet.
	let is_for_all = super::has_purpose(certificate, ANY_PURPOSE);
	ensure!(!is_for_all, Error::ProfileExtendedKeyUsageMismatch);
	Ok(())
}
