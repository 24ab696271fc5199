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

#[cfg(test)]
mod tests {
	use super::*;
	use clap::Parser;
	use std::{fs, os::unix::fs::PermissionsExt};

	#[derive(Parser)]
	struct Line {
		#[command(flatten)]
		parts: Parts,
	}

	/// The parts that these words make, with files that are for their owner only.
	fn items(files: &[(&str, &str, &str)], further: &[&str]) -> Result<Vec<Item>> {
		items_of(0o600, files, further)
	}

	fn items_of(mode: u32, files: &[(&str, &str, &str)], further: &[&str]) -> Result<Vec<Item>> {
		let dir = tempfile::tempdir().unwrap();
		let mut words = vec!["deliver".to_owned()];
		for (at, (option, name, content)) in files.iter().enumerate() {
			let path = dir.path().join(at.to_string());
			fs::write(&path, content).unwrap();
			fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
			words.push((*option).to_owned());
			words.push(format!("{name}={}", path.display()));
		}
		words.extend(further.iter().map(ToString::to_string));
		let Ok(line) = Line::try_parse_from(words) else { panic!("it can be parsed") };
		line.parts.items()
	}

	const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n";
	const LIST: &str = "-----BEGIN X509 CRL-----\nAQID\n-----END X509 CRL-----\n";
	const KEY: &str = "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n";

	#[test]
	fn files_become_parts() {
		let good = [
			("--tls", "web", CERTIFICATE),
			("--tls-key", "web", KEY),
			("--tls", "mesh", CERTIFICATE),
			("--trust", "web", CERTIFICATE),
			("--crl", "web", LIST),
			("--psk", "drone-7@acme", "00112233445566778899aabbccddeeff\n"),
			("--authorized-keys", "root", "# ours\nssh-ed25519 AAAA me\n\nssh-ed25519 BBBB you\n"),
			("--data", "maps", "anything"),
		];
		let found = items(&good, &[]).unwrap();
		let escrow: Vec<_> = found.iter().map(Item::is_escrow).collect();
		assert_eq!(escrow, [true, false, false, false, false, false, false]);
		assert!(matches!(&found[0], Item::TlsIdentity { chain, .. } if *chain == [vec![1, 2, 3]]));
		assert!(matches!(&found[4], Item::Psk { key, .. } if key.expose().len() == 16));
		assert!(matches!(&found[5], Item::SshAuthorizedKeys { keys, .. } if keys.len() == 2));
		let optional = items(&good, &["--optional"]).unwrap();
		assert!(optional.iter().all(|item| matches!(item, Item::Optional(_))));
		assert!(items(&[], &[]).unwrap().is_empty());
	}

	#[test]
	fn files_that_are_something_else_are_refused() {
		for (option, name, content, words) in [
			("--tls", "web", KEY, "BEGIN CERTIFICATE"),
			("--tls", "../web", CERTIFICATE, "cannot be the name of a service"),
			("--tls-key", "web", KEY, "no certificate"),
			("--crl", "web", CERTIFICATE, "BEGIN X509 CRL"),
			("--psk", "a:b", "00112233445566778899aabbccddeeff", "identity of a pre-shared key"),
			("--psk", "a", "no digits", "hexadecimal digits"),
			("--authorized-keys", ".ssh", "", "cannot be a login name"),
		] {
			let error = items(&[(option, name, content)], &[]).unwrap_err().to_string();
			assert!(error.contains(words), "{option}: {error}");
		}
		let digits = "00112233445566778899aabbccddeeff";
		let certified = [("--tls", "web", CERTIFICATE), ("--tls-key", "web", KEY)];
		for files in [&certified[..], &[("--psk", "a", digits)]] {
			items(files, &[]).unwrap();
			let exposed = items_of(0o644, files, &[]);
			assert!(matches!(exposed, Err(Error::Exposed { .. })), "{files:?}");
		}
	}
}
