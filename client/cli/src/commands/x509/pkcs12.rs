//! `dpki x509 pkcs12`: a private key and the certificates above it in one file (PKCS#12, RFC 7292), for what takes nothing
//! else: browsers, Java, Windows.
//!
//! Encrypted by PBES2 with AES-256 (RFC 8018) and sealed by HMAC-SHA256, whose keys are made from the password in 100,000
//! iterations each: importers that bound their number, of both together, take 600,000.

use super::show::certificates;
use crate::{
	error::{Error, Result, crypto},
	files,
	output::Report,
	prompt, secrets,
};
use clap::Args;
use p12_keystore::{
	Certificate, EncryptionAlgorithm, KeyStore, KeyStoreEntry, MacAlgorithm, PrivateKeyChain,
};
use pkcs8::{EncryptedPrivateKeyInfo, PrivateKeyInfo, SecretDocument};
use rcgen::{KeyPair, PublicKeyData};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use x509_parser::prelude::{FromDer, X509Certificate};
use zeroize::Zeroizing;

/// How often the password is hashed for each of the keys that are made from it.
const ITERATIONS: u64 = 100_000;

/// Put a private key and its certificates into one file.
#[derive(Args)]
pub struct Pkcs12 {
	/// The private key in PKCS#8 PEM, with or without a passphrase
	#[arg(long, value_name = "FILE")]
	key: PathBuf,
	/// The certificate of the key, and behind it those of the authorities above it, in PEM
	#[arg(long, value_name = "FILE")]
	chain: PathBuf,
	/// The new file
	#[arg(long, value_name = "FILE")]
	out: PathBuf,
	/// What programs show as its name; the subject of the certificate if left out
	#[arg(long, value_name = "NAME")]
	name: Option<String>,
	/// A file with the password in its first line, - for standard input; it is asked for if left out
	#[arg(long, value_name = "FILE")]
	password_file: Option<PathBuf>,
	/// No password: whoever has the file has the key
	#[arg(long, conflicts_with = "password_file")]
	no_password: bool,
}

impl Pkcs12 {
	/// Runs the command.
	pub fn run(self) -> Result<Report> {
		files::refuse_existing(&[&self.out])?;
		let key = read_key(&self.key)?;
		let chain = certificates(&self.chain)?;
		let subject = self.check(&key, &chain)?;
		let password = self.password()?;
		let name = self.name.clone().unwrap_or(subject);
		let contents = write(&key, &chain, &name, &password)?;
		files::write_secret(&self.out, &contents)?;
		Ok(Report::new()
			.done(format!("Put the key and {} certificates into one file", chain.len()))
			.row("file", self.out.display())
			.row("name", name)
			.data("certificates", chain.len())
			.data("encrypted", !self.no_password))
	}

	/// That the first certificate is that of the key, and each of the others is named as the issuer of the one before it.
	/// Returns what the first one is about.
	fn check(&self, key: &SecretDocument, chain: &[Vec<u8>]) -> Result<String> {
		let pair = KeyPair::try_from(key.as_bytes()).map_err(|_| self.unfit_key())?;
		let mut parsed = Vec::new();
		for der in chain {
			let (_, one) = X509Certificate::from_der(der).map_err(crypto("read a certificate"))?;
			parsed.push(one);
		}
		let Some(own) = parsed.first() else {
			let expected = "certificates in PEM".to_owned();
			return Err(Error::WrongFile { path: self.chain.clone(), expected });
		};
		if own.public_key().raw != pair.subject_public_key_info() {
			return Err(Error::NotAllowed {
				why: format!(
					"{} is not the key of the first certificate in {}",
					self.key.display(),
					self.chain.display()
				),
				next: "give the key of that certificate, or put its certificate first".into(),
			});
		}
		let broken = parsed.windows(2).position(|pair| pair[0].issuer() != pair[1].subject());
		if let Some(at) = broken {
			return Err(Error::NotAllowed {
				why: format!("certificate {} of the chain was not issued by the next", at + 1),
				next: "put each certificate before that of its issuer".into(),
			});
		}
		Ok(own.subject().to_string())
	}

	fn unfit_key(&self) -> Error {
		Error::WrongFile {
			path: self.key.clone(),
			expected: "a private key in PKCS#8 PEM (Ed25519, P-256, P-384 or RSA)".into(),
		}
	}

	fn password(&self) -> Result<Zeroizing<String>> {
		let Some(path) = &self.password_file else {
			return match self.no_password {
				true => Ok(Zeroizing::default()),
				false => prompt::new_passphrase(&self.out.display().to_string()),
			};
		};
		let text = files::read_text(path)?;
		if path != Path::new("-") {
			files::refuse_exposed(path)?;
		}
		let password = Zeroizing::new(text.lines().next().unwrap_or_default().to_owned());
		if password.is_empty() {
			return Err(Error::NotAllowed {
				why: format!("the password in {} is empty", path.display()),
				next: "put one into its first line, or say --no-password".into(),
			});
		}
		prompt::require_length(&password)?;
		Ok(password)
	}
}

/// The key as version 1 of PKCS#8, which everybody reads: what some tools add in version 2, the public key, is left out.
fn read_key(path: &Path) -> Result<SecretDocument> {
	let text = secrets::x509_key(path)?;
	let wrong = || Error::WrongFile {
		path: path.to_owned(),
		expected: "a private key in PKCS#8 PEM: `openssl pkcs8 -topk8` makes one of others".into(),
	};
	let (label, document) = SecretDocument::from_pem(&text).map_err(|_| wrong())?;
	let document = match label {
		"PRIVATE KEY" => document,
		"ENCRYPTED PRIVATE KEY" => {
			let passphrase = prompt::passphrase(&path.display().to_string())?;
			EncryptedPrivateKeyInfo::try_from(document.as_bytes())
				.map_err(|_| wrong())?
				.decrypt(passphrase.as_bytes())
				.map_err(|_| prompt::wrong_passphrase(path))?
		},
		_ => return Err(wrong()),
	};
	let info = PrivateKeyInfo::try_from(document.as_bytes()).map_err(|_| wrong())?;
	let plain = PrivateKeyInfo { public_key: None, ..info };
	SecretDocument::try_from(plain).map_err(|_| wrong())
}

fn write(key: &SecretDocument, chain: &[Vec<u8>], name: &str, password: &str) -> Result<Vec<u8>> {
	let doing = "write the PKCS#12 file";
	let certificates = chain
		.iter()
		.map(|der| Certificate::from_der(der))
		.collect::<Result<Vec<_>, _>>()
		.map_err(crypto(doing))?;
	// By which key and certificate find each other in the file; any octets that both have.
	let id = chain.first().map(Sha256::digest).unwrap_or_default();
	let entry = PrivateKeyChain::new(key.as_bytes(), id, certificates);
	let mut store = KeyStore::new();
	store.add_entry(name, KeyStoreEntry::PrivateKeyChain(entry));
	store
		.writer(password)
		.encryption_algorithm(EncryptionAlgorithm::PbeWithHmacSha256AndAes256)
		.encryption_iterations(ITERATIONS)
		.mac_algorithm(MacAlgorithm::HmacSha256)
		.mac_iterations(ITERATIONS)
		.write()
		.map_err(crypto(doing))
}
