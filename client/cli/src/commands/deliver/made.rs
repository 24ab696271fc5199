//! What was made elsewhere and comes into a delivery as it is: certificates for keys of the device, and private keys.
//!
//! A device should make its keys itself. Whoever delivers a private key knows it, and so does everybody who ever opens the
//! envelope, which stays on the chain for ever: it is labelled as such, and asked about.

use crate::{
	commands::ssh as certificates,
	error::{Error, Result, crypto},
	files, prompt, secrets,
	values::{LoginFile, ServiceFile},
};
use clap::Args;
use dpki_client::{Item, bundle::Secret};
use std::path::PathBuf;
use x509_parser::pem::Pem;

/// What was made elsewhere.
#[derive(Args, Default)]
pub struct Made {
	/// Host certificate that `dpki ssh sign-requests` made, for the device's own host key
	#[arg(long, value_name = "FILE", conflicts_with = "host_ca_key")]
	host_cert: Option<PathBuf>,
	/// Certificates in PEM for a service of the device, as `dpki certificate issue` makes them (repeat for several)
	#[arg(long, value_name = "SERVICE=FILE")]
	tls: Vec<ServiceFile>,
	/// Private key in PEM for a service that is named by --tls, if the device did not make it; asks for confirmation
	#[arg(long, value_name = "SERVICE=FILE", requires = "tls")]
	tls_key: Vec<ServiceFile>,
	/// SSH host key, if the device shall not use its own; asks for confirmation
	#[arg(long, value_name = "FILE")]
	host_key: Option<PathBuf>,
	/// SSH key for a user of the device; asks for confirmation (repeat for several)
	#[arg(long, value_name = "LOGIN=FILE")]
	user_key: Vec<LoginFile>,
}

impl Made {
	/// Whether there is nothing.
	pub fn is_empty(&self) -> bool {
		self.host_cert.is_none()
			&& self.tls.is_empty()
			&& self.host_key.is_none()
			&& self.user_key.is_empty()
	}

	/// Whether it is for one device only.
	pub fn is_personal(&self) -> bool {
		!self.is_empty()
	}

	/// The parts of the delivery.
	pub fn items(&self) -> Result<Vec<Item>> {
		let mut items = Vec::new();
		if let Some(path) = &self.host_cert {
			let certificate = certificates::read_certificate(path)?;
			let line = certificates::openssh_line(&certificate)?;
			items.push(Item::SshHostCertificate { certificate: line.trim_end().to_owned() });
		}
		for ServiceFile { service, path } in &self.tls {
			let key = self.tls_key.iter().find(|it| it.service == *service);
			let key = key.map(|it| x509_key(&it.path)).transpose()?;
			items.push(Item::TlsIdentity { name: service.clone(), chain: chain(path)?, key });
		}
		let without = |key: &&ServiceFile| !self.tls.iter().any(|it| it.service == key.service);
		if let Some(key) = self.tls_key.iter().find(without) {
			return Err(Error::Usage(format!(
				"--tls-key names the service {}, and no --tls does",
				key.service
			)));
		}
		if let Some(path) = &self.host_key {
			items.push(Item::SshHostKey { private: ssh_key(path)? });
		}
		for LoginFile { login, path } in &self.user_key {
			let (login, private) = (login.clone(), ssh_key(path)?);
			items.push(Item::SshUserKey { login, private, certificate: None });
		}
		Ok(items)
	}
}

/// Labels private keys that are delivered, and asks whether that is meant.
pub fn confirm_escrow(items: &[Item], device: &str, yes: bool) -> Result<Vec<String>> {
	let escrow: Vec<_> = items.iter().filter(|item| item.is_escrow()).map(Item::name).collect();
	if escrow.is_empty() {
		return Ok(Vec::new());
	}
	let what = escrow.join(", ");
	let question = format!(
		"PRIVATE KEYS go to {device} ({what}): somebody else knows them, and the encrypted envelope stays on the chain for \
		 ever. `dpki-agent request` has the device make its own. Deliver them all the same?"
	);
	prompt::confirm(&question, yes)?;
	Ok(vec![format!("private keys that somebody else knows are delivered: {what}")])
}

/// The private key of an OpenSSH file, as the device reads it: without passphrase.
fn ssh_key(path: &std::path::Path) -> Result<Secret> {
	let key = secrets::ssh_key(path)?;
	let text = key.to_openssh(ssh_key::LineEnding::LF).map_err(crypto("write the key"))?;
	Ok(Secret::from(text.as_bytes()))
}

/// The private key of a PEM file in PKCS#8 DER.
fn x509_key(path: &std::path::Path) -> Result<Secret> {
	let pem = secrets::x509_key(path)?;
	let wrong = || Error::WrongFile {
		path: path.to_owned(),
		expected: "a private key in PKCS#8 PEM without a passphrase".into(),
	};
	let (label, der) = pkcs8::SecretDocument::from_pem(&pem).map_err(|_| wrong())?;
	if label != "PRIVATE KEY" {
		return Err(wrong());
	}
	Ok(Secret::from(der.as_bytes()))
}

/// The certificates of a PEM file in DER.
fn chain(path: &std::path::Path) -> Result<Vec<Vec<u8>>> {
	let bytes = files::read(path)?;
	let pems = Pem::iter_from_buffer(&bytes).filter_map(|pem| pem.ok());
	let found: Vec<_> =
		pems.filter(|pem| pem.label == "CERTIFICATE").map(|pem| pem.contents).collect();
	match found.is_empty() {
		true => Err(Error::WrongFile {
			path: path.to_owned(),
			expected: "a list of certificates in PEM".into(),
		}),
		false => Ok(found),
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn without_a_terminal_no_private_key_is_delivered_unless_it_is_meant() {
		let key = || Item::SshHostKey { private: Secret::from(&b"secret"[..]) };
		assert!(confirm_escrow(&[], "acme/drone-7", false).unwrap().is_empty());
		// Tests have no terminal.
		let refused = confirm_escrow(&[key()], "acme/drone-7", false);
		assert!(matches!(refused, Err(Error::ConfirmationMissing)));
		let warnings = confirm_escrow(&[key()], "acme/drone-7", true).unwrap();
		assert!(warnings[0].contains("SSH host key"), "{warnings:?}");
	}

	#[test]
	fn a_key_belongs_to_a_service_that_is_named() {
		let made = Made {
			tls_key: vec![ServiceFile { service: "web".into(), path: "key".into() }],
			..Made::default()
		};
		let error = made.items().unwrap_err();
		assert!(error.to_string().contains("no --tls does"), "{error}");
	}
}
