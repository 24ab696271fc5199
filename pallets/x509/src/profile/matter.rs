//! Device attestation certificates of Matter: a product attestation authority (PAA) issues intermediates (PAI), which
//! issue device attestation certificates (DAC).
//!
//! Vendor and product are attributes of the subject. Certificates whose authority could not add attributes have them
//! inside of the common name, as `Mvid:FFF1` and `Mpid:8000`; that counts if neither attribute is there.

use super::{Role, criticality};
use crate::{
	algorithm::{Hash, PublicKey, SignatureAlgorithm},
	certificate::Certificate,
	dn::{COMMON_NAME, DistinguishedName},
	error::{Error, PathError},
};
use x509_cert::{
	der::{asn1::ObjectIdentifier, flagset::FlagSet},
	ext::pkix::{BasicConstraints, KeyUsage, KeyUsages},
};

/// The attribute of the vendor id.
const VENDOR_ID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.37244.2.1");

/// The attribute of the product id.
const PRODUCT_ID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.37244.2.2");

/// Octets of a key identifier: a SHA-1 digest.
const KEY_ID_LEN: usize = 20;

/// A vendor or product id.
pub type MatterId = u16;

/// The vendor that a name states; `None` if it states none.
pub fn vendor_id(name: &DistinguishedName) -> Result<Option<MatterId>, Error> {
	read_id(name, VENDOR_ID, "Mvid:", Error::VendorIdMalformed)
}

/// The product that a name states; `None` if it states none.
pub fn product_id(name: &DistinguishedName) -> Result<Option<MatterId>, Error> {
	read_id(name, PRODUCT_ID, "Mpid:", Error::ProductIdMalformed)
}

pub(super) fn check_certificate(certificate: &Certificate, role: Role) -> Result<(), Error> {
	ensure!(
		certificate.algorithm() == SignatureAlgorithm::Ecdsa(Hash::Sha256)
			&& matches!(certificate.key(), PublicKey::P256(_)),
		Error::ProfileAlgorithmMismatch
	);
	check_constraints(certificate, role)?;
	check_key_usage(certificate, role)?;
	check_key_ids(certificate, role)?;
	check_ids(certificate.subject(), role)
}

/// Vendor and product of each certificate against those of its issuer.
pub(super) fn check_path(anchor: &Certificate, path: &[&Certificate]) -> Result<(), PathError> {
	let authorities = path.iter().filter(|certificate| certificate.extensions().is_authority());
	let mut issuer = anchor;
	// A device is issued by an intermediate, and there is one level of these.
	let is_shaped = match path {
		[only] => only.extensions().is_authority(),
		[_, device] => authorities.count() == 1 && !device.extensions().is_authority(),
		_ => false,
	};
	ensure!(is_shaped, PathError { index: path.len(), error: Error::ProfilePathMismatch });
	for (index, certificate) in (1..).zip(path) {
		check_issuer(certificate, issuer).map_err(PathError::at(index))?;
		issuer = certificate;
	}
	Ok(())
}

fn check_constraints(certificate: &Certificate, role: Role) -> Result<(), Error> {
	let mismatch = Error::ProfileConstraintsMismatch;
	ensure!(criticality::<BasicConstraints>(certificate) == Some(true), mismatch);
	let extensions = certificate.extensions();
	let is_right = match role {
		Role::Anchor => {
			extensions.is_authority() && matches!(extensions.path_len(), None | Some(1))
		},
		Role::Intermediate => extensions.is_authority() && extensions.path_len() == Some(0),
		Role::EndEntity => !extensions.is_authority(),
	};
	ensure!(is_right, mismatch);
	Ok(())
}

fn check_key_usage(certificate: &Certificate, role: Role) -> Result<(), Error> {
	let mismatch = Error::ProfileKeyUsageMismatch;
	ensure!(criticality::<KeyUsage>(certificate) == Some(true), mismatch);
	let usage = certificate.extensions().key_usage.map(|usage| usage.0).unwrap_or_default();
	let signing = KeyUsages::KeyCertSign | KeyUsages::CRLSign;
	let digital: FlagSet<KeyUsages> = KeyUsages::DigitalSignature.into();
	let is_right = match role {
		Role::Anchor | Role::Intermediate => usage == signing || usage == (signing | digital),
		Role::EndEntity => usage == digital,
	};
	ensure!(is_right, mismatch);
	Ok(())
}

fn check_key_ids(certificate: &Certificate, role: Role) -> Result<(), Error> {
	let extensions = certificate.extensions();
	let own = extensions.subject_key_id.as_deref();
	let issuers = extensions.authority_key.as_ref().and_then(|key| key.id.as_deref());
	let is_right = |id: Option<&[u8]>| id.is_some_and(|id| id.len() == KEY_ID_LEN);
	ensure!(is_right(own), Error::ProfileKeyIdentifierInvalid);
	match role {
		Role::Anchor => {
			ensure!(issuers.is_none() || issuers == own, Error::AuthorityKeyIdentifierMismatch)
		},
		Role::Intermediate | Role::EndEntity => {
			ensure!(is_right(issuers), Error::ProfileKeyIdentifierInvalid);
		},
	}
	Ok(())
}

fn check_ids(subject: &DistinguishedName, role: Role) -> Result<(), Error> {
	let vendor = vendor_id(subject)?;
	let product = product_id(subject)?;
	ensure!(role == Role::Anchor || vendor.is_some(), Error::VendorIdMissing);
	match role {
		Role::Anchor => ensure!(product.is_none(), Error::ProductIdMalformed),
		Role::Intermediate => {},
		Role::EndEntity => ensure!(product.is_some(), Error::ProductIdMissing),
	}
	Ok(())
}

fn check_issuer(certificate: &Certificate, issuer: &Certificate) -> Result<(), Error> {
	ensure!(certificate.points_to(issuer), Error::AuthorityKeyIdentifierMismatch);
	let vendor = vendor_id(issuer.subject())?;
	ensure!(
		vendor.is_none() || vendor == vendor_id(certificate.subject())?,
		Error::VendorIdMismatch
	);
	let product = product_id(issuer.subject())?;
	ensure!(
		product.is_none() || product == product_id(certificate.subject())?,
		Error::ProductIdMismatch
	);
	Ok(())
}

fn read_id(
	name: &DistinguishedName,
	oid: ObjectIdentifier,
	prefix: &str,
	malformed: Error,
) -> Result<Option<MatterId>, Error> {
	let has_attributes = [VENDOR_ID, PRODUCT_ID]
		.into_iter()
		.any(|oid| name.attributes(oid).next().is_some());
	let mut found = None;
	if has_attributes {
		for text in name.attributes(oid) {
			let id = text.filter(|text| text.len() == 4).and_then(parse_id).ok_or(malformed)?;
			ensure!(found.replace(id).is_none(), malformed);
		}
	} else {
		for text in name.attributes(COMMON_NAME).flatten() {
			for (start, _) in text.match_indices(prefix) {
				let digits = text.get(start + prefix.len()..).and_then(|rest| rest.get(..4));
				let id = digits.and_then(parse_id).ok_or(malformed)?;
				ensure!(found.replace(id).is_none(), malformed);
			}
		}
	}
	Ok(found)
}

fn parse_id(text: &str) -> Option<MatterId> {
	let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'A'..=b'F');
	text.bytes()
		.all(is_digit)
		.then(|| MatterId::from_str_radix(text, 16).ok())
		.flatten()
}

#[cfg(test)]
mod tests {
	use super::*;
	use alloc::format;
	use core::str::FromStr;
	use x509_cert::name::Name;

	fn dn(text: &str) -> DistinguishedName {
		DistinguishedName::read(Name::from_str(text).unwrap()).unwrap()
	}

	#[test]
	fn ids_are_attributes_or_parts_of_the_common_name() {
		let name = dn("CN=A,1.3.6.1.4.1.37244.2.1=FFF1,1.3.6.1.4.1.37244.2.2=8000");
		assert_eq!((vendor_id(&name), product_id(&name)), (Ok(Some(0xfff1)), Ok(Some(0x8000))));
		let name = dn("CN=ACME Matter Mpid:00B1 Mvid:FFF1");
		assert_eq!((vendor_id(&name), product_id(&name)), (Ok(Some(0xfff1)), Ok(Some(0xb1))));
		assert_eq!(vendor_id(&dn("CN=A")), Ok(None));
	}

	#[test]
	fn an_attribute_silences_the_common_name() {
		let name = dn("CN=A Mvid:FFF2 Mpid:8001,1.3.6.1.4.1.37244.2.1=FFF1");
		assert_eq!((vendor_id(&name), product_id(&name)), (Ok(Some(0xfff1)), Ok(None)));
	}

	#[test]
	fn malformed_and_repeated_ids_are_errors_and_not_absent() {
		let oid = "1.3.6.1.4.1.37244.2.1";
		for id in ["fff1", "FFF", "FFF11", "-FF1", "FFG1"] {
			assert_eq!(
				vendor_id(&dn(&format!("{oid}={id}"))),
				Err(Error::VendorIdMalformed),
				"{id}"
			);
		}
		let twice = dn(&format!("{oid}=FFF1,{oid}=FFF2"));
		assert_eq!(vendor_id(&twice), Err(Error::VendorIdMalformed));
		assert_eq!(vendor_id(&dn("CN=Mvid:FFF")), Err(Error::VendorIdMalformed));
		assert_eq!(vendor_id(&dn("CN=Mvid:FFF1Mvid:FFF1")), Err(Error::VendorIdMalformed));
	}
}
