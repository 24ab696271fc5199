//! Opening private keys: the passphrase is asked for only where a file is encrypted.

use crate::{
	error::{Error, Result},
	files, prompt,
};
use dpki_client::{
	Account,
	account::AccountError,
	possession::{PossessionError, RootKey, SoftwareKey},
	ssh::{self, SshError},
};
use ssh_key::PrivateKey;
use std::path::Path;

const OPENSSH: &str = "-----BEGIN OPENSSH PRIVATE KEY-----";
const PKCS8: &str = "-----BEGIN PRIVATE KEY-----";
const PKCS8_ENCRYPTED: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----";

/// The form of a private key file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Form {
	/// As `ssh-keygen` writes it.
	OpenSsh,
	/// PKCS#8 PEM in the clear.
	Pkcs8,
	/// PKCS#8 PEM under a passphrase.
	Pkcs8Encrypted,
}

/// Recognises a private key by its first line.
pub fn form(text: &str) -> Option<Form> {
	[(OPENSSH, Form::OpenSsh), (PKCS8, Form::Pkcs8), (PKCS8_ENCRYPTED, Form::Pkcs8Encrypted)]
		.into_iter()
		.find_map(|(line, form)| text.trim_start().starts_with(line).then_some(form))
}

/// Opens an account: a key file, or a secret URI such as `//Alice`.
pub fn account(text: &str) -> Result<Account> {
	let path = Path::new(text);
	// A phrase has spaces, a seed is hexadecimal and a development account has two slashes in front. Such a text may be
	// a secret, so no error repeats it.
	let is_uri = text.starts_with("//") || text.starts_with("0x") || text.trim().contains(' ');
	if is_uri && !path.exists() {
		return Ok(Account::from_uri(text)?);
	}
	let pem = files::read_text(path)?;
	files::refuse_exposed(path)?;
	let passphrase = match form(&pem) {
		Some(Form::Pkcs8) => None,
		Some(Form::Pkcs8Encrypted) => Some(prompt::passphrase(text)?),
		_ => {
			let expected = "an account key, as `dpki key new account` makes it".to_owned();
			return Err(Error::WrongFile { path: path.into(), expected });
		},
	};
	let passphrase = passphrase.as_ref().map(|passphrase| passphrase.as_str());
	Account::load(path, passphrase).map_err(|error| match error {
		AccountError::PassphraseWrong { path } => Error::PassphraseWrong(path),
		error => error.into(),
	})
}

/// Opens an OpenSSH private key.
pub fn ssh_key(path: &Path) -> Result<PrivateKey> {
	let pem = files::read_text(path)?;
	files::refuse_exposed(path)?;
	let key = parse_openssh(path, &pem)?;
	if !key.is_encrypted() {
		return Ok(key);
	}
	let passphrase = prompt::passphrase(&path.display().to_string())?;
	ssh::load_private(&pem, Some(passphrase.as_str())).map_err(|error| match error {
		SshError::PassphraseWrong => Error::PassphraseWrong(path.to_owned()),
		error => error.into(),
	})
}

/// The public half of an OpenSSH private key, which needs no passphrase.
pub fn parse_openssh(path: &Path, pem: &str) -> Result<PrivateKey> {
	PrivateKey::from_openssh(pem).map_err(|_| Error::WrongFile {
		path: path.to_owned(),
		expected: "an OpenSSH private key, as `dpki key new ssh-ca` or ssh-keygen makes it"
			.to_owned(),
	})
}

/// Opens a private key that proves its possession: OpenSSH or PKCS#8 PEM, Ed25519 or P-256.
pub fn signing_key(path: &Path) -> Result<SoftwareKey> {
	let pem = files::read_text(path)?;
	files::refuse_exposed(path)?;
	match form(&pem) {
		Some(Form::OpenSsh) => open(path, |passphrase| SoftwareKey::from_openssh(&pem, passphrase)),
		Some(Form::Pkcs8 | Form::Pkcs8Encrypted) => {
			open(path, |passphrase| SoftwareKey::from_pkcs8_pem(&pem, passphrase))
		},
		None => Err(Error::WrongFile {
			path: path.to_owned(),
			expected: "a private key in OpenSSH or PKCS#8 PEM form".to_owned(),
		}),
	}
}

/// Opens the private key of the X.509 root with this certificate in DER: PEM as OpenSSL writes it.
pub fn root_key(path: &Path, certificate: &[u8]) -> Result<RootKey> {
	let pem = files::read_text(path)?;
	files::refuse_exposed(path)?;
	open(path, |passphrase| RootKey::from_pem(&pem, passphrase, certificate))
}

/// Reads a key by `read`, with its passphrase if it needs one.
pub fn open<K>(
	path: &Path,
	read: impl Fn(Option<&str>) -> Result<K, PossessionError>,
) -> Result<K> {
	let opened = match read(None) {
		Err(PossessionError::PassphraseNeeded) => {
			let passphrase = prompt::passphrase(&path.display().to_string())?;
			read(Some(passphrase.as_str()))
		},
		opened => opened,
	};
	opened.map_err(|error| match error {
		PossessionError::PassphraseWrong => Error::PassphraseWrong(path.to_owned()),
		error => error.into(),
	})
}
