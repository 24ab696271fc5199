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
use ssh_key::{Certificate, PrivateKey, PublicKey};
use std::path::Path;
use zeroize::Zeroizing;

const OPENSSH: &str = "-----BEGIN OPENSSH PRIVATE KEY-----";
const PKCS8: &str = "-----BEGIN PRIVATE KEY-----";
const PKCS8_ENCRYPTED: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----";

/// How many hexadecimal digits the key of a device's agent has.
const DEVICE_KEY_DIGITS: usize = 64;

/// What an SSH CA has to be.
const OPENSSH_EXPECTED: &str =
	"an OpenSSH private key, as `dpki key new ssh-ca` or ssh-keygen makes it";

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

/// Whether these are the bare digits of a secret, as the agent of a device keeps its keys.
pub fn is_device_key(text: &str) -> bool {
	let digits = text.trim();
	digits.len() == DEVICE_KEY_DIGITS && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
}

/// Whether there is a private key of any form in a PEM file.
fn has_private_block(text: &str) -> bool {
	text.contains("PRIVATE KEY-----")
}

/// What a public file holds, for those that are easily taken for the private half.
fn public_form(text: &str) -> Option<&'static str> {
	let line = text.trim();
	if text.contains("-----BEGIN CERTIFICATE-----") {
		Some("an X.509 certificate")
	} else if Certificate::from_openssh(line).is_ok() {
		Some("an SSH certificate")
	} else if text.contains("-----BEGIN PUBLIC KEY-----") || PublicKey::from_openssh(line).is_ok() {
		Some("a public key")
	} else {
		None
	}
}

/// Reads a private key file that nobody but its owner can read. What `is_one` does not know is refused first: whether
/// others can read a public key is nobody's concern.
fn read_private(
	path: &Path,
	expected: &str,
	is_one: impl Fn(&str) -> bool,
) -> Result<Zeroizing<String>> {
	let text = files::read_text(path)?;
	if is_one(&text) {
		files::refuse_exposed(path)?;
		return Ok(text);
	}
	Err(match public_form(&text) {
		Some(what) => Error::PublicHalf { path: path.to_owned(), what },
		None => wrong_file(path, expected),
	})
}

fn wrong_file(path: &Path, expected: &str) -> Error {
	Error::WrongFile { path: path.to_owned(), expected: expected.to_owned() }
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
	let expected = "an account key, as `dpki key new account` makes it";
	let is_one = |pem: &str| matches!(form(pem), Some(Form::Pkcs8 | Form::Pkcs8Encrypted));
	let pem = read_private(path, expected, is_one)?;
	let passphrase = match form(&pem) {
		Some(Form::Pkcs8Encrypted) => Some(prompt::passphrase(text)?),
		_ => None,
	};
	let passphrase = passphrase.as_ref().map(|passphrase| passphrase.as_str());
	Account::load(path, passphrase).map_err(|error| match error {
		AccountError::PassphraseWrong { path } => prompt::wrong_passphrase(&path),
		error => error.into(),
	})
}

/// Opens an OpenSSH private key.
pub fn ssh_key(path: &Path) -> Result<PrivateKey> {
	let pem = read_private(path, OPENSSH_EXPECTED, |pem| form(pem) == Some(Form::OpenSsh))?;
	let key = parse_openssh(path, &pem)?;
	if !key.is_encrypted() {
		return Ok(key);
	}
	let passphrase = prompt::passphrase(&path.display().to_string())?;
	ssh::load_private(&pem, Some(passphrase.as_str())).map_err(|error| match error {
		SshError::PassphraseWrong => prompt::wrong_passphrase(path),
		error => error.into(),
	})
}

/// The public half of an OpenSSH private key, which needs no passphrase.
pub fn parse_openssh(path: &Path, pem: &str) -> Result<PrivateKey> {
	PrivateKey::from_openssh(pem).map_err(|_| wrong_file(path, OPENSSH_EXPECTED))
}

/// Opens a private key that proves its possession: OpenSSH or PKCS#8 PEM, Ed25519 or P-256.
pub fn signing_key(path: &Path) -> Result<SoftwareKey> {
	let expected = "a private key in OpenSSH or PKCS#8 PEM form";
	let pem = read_private(path, expected, |pem| form(pem).is_some())?;
	open(path, |passphrase| SoftwareKey::from_text(&pem, passphrase))
}

/// Opens a private key of a device by `read`: PEM, or digits as its agent keeps them.
pub fn device_key<K>(
	path: &Path,
	read: fn(&str, Option<&str>) -> Result<K, PossessionError>,
) -> Result<K> {
	let expected = "a private key in PEM, or in digits as an agent keeps it";
	let text = read_private(path, expected, |text| has_private_block(text) || is_device_key(text))?;
	open(path, |passphrase| read(&text, passphrase))
}

/// Opens the private key of the X.509 root with this certificate in DER: PEM as OpenSSL writes it.
pub fn root_key(path: &Path, certificate: &[u8]) -> Result<RootKey> {
	let pem = read_private(path, "a private key in PEM", has_private_block)?;
	open(path, |passphrase| RootKey::from_pem(&pem, passphrase, certificate))
}

/// Reads the private key of an X.509 CA in PEM.
pub fn x509_key(path: &Path) -> Result<Zeroizing<String>> {
	read_private(path, "a private key in PEM", has_private_block)
}

/// Reads a key by `read`, with its passphrase if it needs one.
fn open<K>(path: &Path, read: impl Fn(Option<&str>) -> Result<K, PossessionError>) -> Result<K> {
	let opened = match read(None) {
		Err(PossessionError::PassphraseNeeded) => {
			let passphrase = prompt::passphrase(&path.display().to_string())?;
			read(Some(passphrase.as_str()))
		},
		opened => opened,
	};
	opened.map_err(|error| match error {
		PossessionError::PassphraseWrong => prompt::wrong_passphrase(path),
		error => error.into(),
	})
}
