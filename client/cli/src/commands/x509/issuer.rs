//! An X.509 CA whose key lies on this computer.

use crate::{
	error::{Error, Result, crypto},
	files, lookup, secrets,
};
use rcgen::{Issuer, KeyPair, PublicKeyData};
use std::path::Path;
use x509_parser::{
	extensions::ParsedExtension,
	prelude::{FromDer, X509Certificate},
};

/// A CA that can sign.
pub struct Authority {
	/// Its certificate.
	pub der: Vec<u8>,
	/// What signs.
	pub issuer: Issuer<'static, KeyPair>,
}

impl Authority {
	/// The CA of a certificate, and the private key that belongs to it.
	pub fn read(certificate: &Path, key: &Path) -> Result<Self> {
		let der = lookup::certificate_der(certificate, &files::read(certificate)?)?;
		let pem = secrets::x509_key(key)?;
		let pair = KeyPair::from_pem(&pem).map_err(|_| Error::WrongFile {
			path: key.to_owned(),
			expected:
				"a private key in PKCS#8 PEM without a passphrase (Ed25519, P-256, P-384 or RSA)"
					.into(),
		})?;
		let (_, parsed) =
			X509Certificate::from_der(&der).map_err(crypto("read the certificate"))?;
		if parsed.public_key().raw != pair.subject_public_key_info() {
			return Err(Error::NotAllowed {
				why: format!("{} is not the key of {}", key.display(), certificate.display()),
				next: "give the private key of the CA".into(),
			});
		}
		if !parsed.is_ca() {
			return Err(Error::NotAllowed {
				why: format!("{} is the certificate of no CA", certificate.display()),
				next: "give the certificate of the CA".into(),
			});
		}
		let issuer = Issuer::from_ca_cert_der(&der.as_slice().into(), pair)
			.map_err(crypto("read the certificate of the CA"))?;
		Ok(Self { der, issuer })
	}

	/// By which its key is named in what it signs: as its own certificate has it.
	pub fn key_identifier(&self) -> Result<Vec<u8>> {
		let (_, parsed) =
			X509Certificate::from_der(&self.der).map_err(crypto("read the certificate"))?;
		let named = parsed.extensions().iter().find_map(|it| match it.parsed_extension() {
			ParsedExtension::SubjectKeyIdentifier(id) => Some(id.0.to_vec()),
			_ => None,
		});
		named.ok_or_else(|| Error::NotAllowed {
			why: "the certificate of the CA has no subject key identifier, which RFC 5280 asks for"
				.into(),
			next: "have it issued again with one".into(),
		})
	}
}
