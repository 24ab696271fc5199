//! Nobody: a certificate for which there is no private key.
//!
//! Servers that are to ask for certificates refuse to start, or to read their configuration anew, without any certificate to
//! believe; then they would go on believing those of before. So a service that is to believe nobody is given a certificate
//! that nobody has: it was signed once, by itself, and its private key was never written anywhere. It lies in the state
//! directory, so that a restart changes no file of a service.

use crate::files::{self, FileError, PUBLIC};
use pkcs8::Document;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, PKCS_ECDSA_P256_SHA256};
use std::{
	io,
	path::{Path, PathBuf},
	sync::OnceLock,
};

/// The name of the file in the state directory.
pub const FILE: &str = "nobody.pem";

const NAME: &str = "nobody: dpki-agent has not heard the chain";

/// Whom a service believes that believes nobody.
pub(super) struct Nobody {
	path: PathBuf,
	pem: OnceLock<String>,
}

impl Nobody {
	pub(super) fn new(state: &Path) -> Self {
		Self { path: state.join(FILE), pem: OnceLock::new() }
	}

	/// The certificate, in PEM. It is made when it is first asked for.
	pub(super) fn pem(&self) -> Result<&str, FileError> {
		if let Some(pem) = self.pem.get() {
			return Ok(pem);
		}
		let made = match read(&self.path)? {
			Some(pem) => pem,
			None => {
				let pem =
					make().map_err(io::Error::other).map_err(files::failed("make", &self.path))?;
				files::replace(&self.path, pem.as_bytes(), PUBLIC)?;
				pem
			},
		};
		Ok(self.pem.get_or_init(|| made))
	}
}

/// What lies there; `None` if that is nothing, or no certificate.
fn read(path: &Path) -> Result<Option<String>, FileError> {
	let text = files::read_if_there(path)?.and_then(|bytes| String::from_utf8(bytes).ok());
	Ok(text.filter(|text| Document::from_pem(text).is_ok_and(|(label, _)| label == "CERTIFICATE")))
}

fn make() -> Result<String, rcgen::Error> {
	let mut params = CertificateParams::default();
	params.distinguished_name = DistinguishedName::new();
	params.distinguished_name.push(DnType::CommonName, NAME);
	Ok(params.self_signed(&KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?)?.pem())
}

#[cfg(test)]
mod tests {
	use super::*;
	use rustls::{
		RootCertStore,
		pki_types::{CertificateDer, pem::PemObject},
	};

	#[test]
	fn nobody_is_the_same_after_a_restart_and_made_anew_if_it_is_damaged() {
		let dir = tempfile::tempdir().unwrap();
		let pem = || Nobody::new(dir.path()).pem().unwrap().to_owned();
		let first = pem();
		assert_eq!(pem(), first);
		assert!(!first.contains("PRIVATE"));
		let certificate = CertificateDer::from_pem_slice(first.as_bytes()).unwrap();
		RootCertStore::empty().add(certificate).unwrap();
		std::fs::write(dir.path().join(FILE), "damaged").unwrap();
		let second = pem();
		assert_ne!(second, first);
		assert!(CertificateDer::from_pem_slice(second.as_bytes()).is_ok());
	}
}
