//! The parts of a delivery that are not about SSH certificates: what services, brokers and programs of the device get.

use crate::{
	error::{Error, Result},
	files,
	values::NamedFile,
};
use clap::Args;
use dpki_client::{
	Item,
	bundle::{AuthorizedKey, Secret},
	names::NameKind,
};
use pkcs8::SecretDocument;
use std::path::Path;
use x509_parser::pem::Pem;
use zeroize::Zeroizing;

/// What a delivery has besides SSH access.
#[derive(Args)]
pub struct Parts {
	/// Certificates by which a service of the device proves itself, its own first, in PEM
	#[arg(long, value_name = "SERVICE=FILE")]
	tls: Vec<NamedFile>,
	/// Private key for --tls, in PKCS#8 PEM, if the device has not made it itself; asks for --yes
	#[arg(long, value_name = "SERVICE=FILE")]
	tls_key: Vec<NamedFile>,
	/// Certificates that a service believes: of CAs, or of exactly its peers, in PEM
	#[arg(long, value_name = "SERVICE=FILE")]
	trust: Vec<NamedFile>,
	/// X.509 revocation lists for a service, in PEM
	#[arg(long, value_name = "SERVICE=FILE")]
	crl: Vec<NamedFile>,
	/// Pre-shared key, in hexadecimal digits
	#[arg(long, value_name = "IDENTITY=FILE")]
	psk: Vec<NamedFile>,
	/// Public keys that may log in without a certificate, as in .pub files
	#[arg(long, value_name = "LOGIN=FILE")]
	authorized_keys: Vec<NamedFile>,
	/// Anything else, for the program that the configuration of the device names
	#[arg(long, value_name = "NAME=FILE")]
	data: Vec<NamedFile>,
	/// A device that has no use for one of these parts may leave it out
	#[arg(long)]
	optional: bool,
}

impl Parts {
	/// Whether there are none.
	pub fn is_empty(&self) -> bool {
		let all = [&self.tls, &self.trust, &self.crl, &self.psk, &self.authorized_keys, &self.data];
		all.iter().all(|files| files.is_empty()) && self.tls_key.is_empty()
	}

	/// Whether somebody can log in by them.
	pub fn open_logins(&self) -> bool {
		!self.authorized_keys.is_empty()
	}

	/// The parts, read from their files.
	pub fn items(&self) -> Result<Vec<Item>> {
		let mut items = Vec::new();
		for file in &self.tls {
			let name = file.name(NameKind::Label)?;
			let key = self.tls_key.iter().find(|key| key.name == file.name);
			let key = key.map(|key| read_key(&key.path)).transpose()?;
			items.push(Item::TlsIdentity {
				name,
				chain: read_pem(&file.path, "CERTIFICATE")?,
				key,
			});
		}
		if let Some(alone) = self
			.tls_key
			.iter()
			.find(|key| self.tls.iter().all(|file| file.name != key.name))
		{
			return Err(Error::NotAllowed {
				why: format!("there is a private key for {} and no certificate", alone.name),
				next: format!("add --tls {}=FILE", alone.name),
			});
		}
		for file in &self.trust {
			let certificates = read_pem(&file.path, "CERTIFICATE")?;
			items.push(Item::TrustBundle { name: file.name(NameKind::Label)?, certificates });
		}
		for file in &self.crl {
			let lists = read_pem(&file.path, "X509 CRL")?;
			items.push(Item::RevocationLists { name: file.name(NameKind::Label)?, lists });
		}
		for file in &self.psk {
			let identity = file.name(NameKind::PskIdentity)?;
			items.push(Item::Psk { identity, key: read_digits(&file.path)? });
		}
		for file in &self.authorized_keys {
			let text = files::read_text(&file.path)?;
			let lines =
				text.lines().map(str::trim).filter(|it| !it.is_empty() && !it.starts_with('#'));
			let keys =
				lines.map(|key| AuthorizedKey { key: key.to_owned(), until: None }).collect();
			items.push(Item::SshAuthorizedKeys { login: file.name(NameKind::Login)?, keys });
		}
		for file in &self.data {
			let data = Secret::new(files::read(&file.path)?);
			items.push(Item::Opaque { name: file.name(NameKind::Label)?, data });
		}
		Ok(if self.optional { items.into_iter().map(Item::optional).collect() } else { items })
	}
}

fn read_pem(path: &Path, label: &str) -> Result<Vec<Vec<u8>>> {
	let bytes = files::read(path)?;
	let pems = Pem::iter_from_buffer(&bytes).filter_map(|pem| pem.ok());
	let found: Vec<_> = pems.filter(|pem| pem.label == label).map(|pem| pem.contents).collect();
	if found.is_empty() {
		let expected = format!("a PEM file with `BEGIN {label}`");
		return Err(Error::WrongFile { path: path.to_owned(), expected });
	}
	Ok(found)
}

fn read_key(path: &Path) -> Result<Secret> {
	let text = files::read_text(path)?;
	let wrong = || Error::WrongFile {
		path: path.to_owned(),
		expected: "an unencrypted private key in PKCS#8 PEM".into(),
	};
	let (label, key) = SecretDocument::from_pem(&text).map_err(|_| wrong())?;
	if label != "PRIVATE KEY" {
		return Err(wrong());
	}
	files::refuse_exposed(path)?;
	Ok(Secret::from(key.as_bytes()))
}

fn read_digits(path: &Path) -> Result<Secret> {
	let text = files::read_text(path)?;
	let key = hex::decode(text.trim()).map(Zeroizing::new).map_err(|_| Error::WrongFile {
		path: path.to_owned(),
		expected: "a key in hexadecimal digits, as `openssl rand -hex 32` makes it".into(),
	})?;
	files::refuse_exposed(path)?;
	Ok(Secret::new(key))
}
