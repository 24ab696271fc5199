//! Accounts that sign, and their key files.
//!
//! Accounts for production are Ed25519 keys in PKCS#8 PEM files: a standard form, encrypted (PBES2 with scrypt and
//! AES-256) if a passphrase is given, which OpenSSL reads too. Secret URIs such as `//Alice` are sr25519, as in every
//! Substrate tool, and meant for development and for keys that were made elsewhere.

use crate::AccountId;
use codec::{Decode, Encode};
use ed25519_dalek::Signer as _;
use pkcs8::{EncryptedPrivateKeyInfo, LineEnding, PrivateKeyInfo};
use rand_core::OsRng;
use std::{
	fs::{File, OpenOptions},
	io::{Read, Write},
	os::unix::fs::OpenOptionsExt,
	path::{Path, PathBuf},
	str::FromStr,
};
use subxt::utils::{AccountId32, MultiSignature};
use subxt_signer::{SecretUri, sr25519};
use zeroize::Zeroizing;

/// Longest key file that is read, in bytes: an encrypted Ed25519 key takes about 400.
const MAX_KEY_FILE_LEN: u64 = 16 * 1024;

/// Why an account could not be loaded or stored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AccountError {
	/// The text is no secret URI. It is not repeated here, because it may be a secret with a slip of the pen.
	#[error(
		"this is no secret URI: write //Name for a development account, or the words of a recovery phrase"
	)]
	InvalidUri,
	/// The text is no account.
	#[error(
		"`{text}` is no account: write its SS58 address, or its 32 bytes as hexadecimal digits after 0x"
	)]
	InvalidAddress {
		/// What was given.
		text: String,
	},
	/// There is a file of this name.
	#[error("{path} exists already and is not overwritten: choose another name, or move it away")]
	FileExists {
		/// Which file.
		path: PathBuf,
	},
	/// The file cannot be read or written.
	#[error("{path} could not be read or written ({source}): check the path and its permissions")]
	File {
		/// Which file.
		path: PathBuf,
		/// What the system says.
		source: std::io::Error,
	},
	/// The file is encrypted.
	#[error("{path} is encrypted: give its passphrase")]
	PassphraseNeeded {
		/// Which file.
		path: PathBuf,
	},
	/// The file does not open with this passphrase.
	#[error("{path} does not open with this passphrase: try again")]
	PassphraseWrong {
		/// Which file.
		path: PathBuf,
	},
	/// The file is not a key file.
	#[error(
		"{path} holds no Ed25519 key in PKCS#8 PEM: check that it is the key file of an account"
	)]
	NoKeyFile {
		/// Which file.
		path: PathBuf,
	},
	/// Accounts from a secret URI are not stored.
	#[error("an account from a secret URI is not stored: keep the URI, or generate an account")]
	NotStorable,
	/// The key could not be encrypted.
	#[error("the key could not be encrypted ({reason}): try again without a passphrase")]
	Encryption {
		/// What the library says.
		reason: String,
	},
}

/// The algorithm of an account's signature.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub enum Scheme {
	/// Ed25519.
	#[codec(index = 0)]
	Ed25519,
	/// sr25519, in the `substrate` context.
	#[codec(index = 1)]
	Sr25519,
}

/// Whether a signature is that of this account over these bytes. Accounts of several people have no key, and so no
/// signature.
pub fn verify(account: &AccountId, scheme: Scheme, payload: &[u8], signature: &[u8; 64]) -> bool {
	match scheme {
		Scheme::Ed25519 => ed25519_dalek::VerifyingKey::from_bytes(account).is_ok_and(|key| {
			key.verify_strict(payload, &ed25519_dalek::Signature::from_bytes(signature))
				.is_ok()
		}),
		Scheme::Sr25519 => {
			sr25519::verify(&sr25519::Signature(*signature), payload, &sr25519::PublicKey(*account))
		},
	}
}

/// An account that signs. Its secret is wiped from memory when the last copy is dropped.
#[derive(Clone)]
pub struct Account(Key);

#[derive(Clone)]
enum Key {
	Sr25519(sr25519::Keypair),
	Ed25519(ed25519_dalek::SigningKey),
}

impl Account {
	/// The sr25519 account of a secret URI: `//Alice`, or a recovery phrase with derivations and a password.
	pub fn from_uri(uri: &str) -> Result<Self, AccountError> {
		let uri = SecretUri::from_str(uri).map_err(|_| AccountError::InvalidUri)?;
		let keypair = sr25519::Keypair::from_uri(&uri).map_err(|_| AccountError::InvalidUri)?;
		Ok(Self(Key::Sr25519(keypair)))
	}

	/// A new Ed25519 account.
	pub fn generate() -> Self {
		Self(Key::Ed25519(ed25519_dalek::SigningKey::generate(&mut OsRng)))
	}

	/// The account in a key file.
	pub fn load(path: &Path, passphrase: Option<&str>) -> Result<Self, AccountError> {
		let file_error = |source| AccountError::File { path: path.into(), source };
		let no_key_file = || AccountError::NoKeyFile { path: path.into() };
		let mut pem = Zeroizing::new(String::new());
		File::open(path)
			.and_then(|file| file.take(MAX_KEY_FILE_LEN).read_to_string(&mut pem))
			.map_err(file_error)?;
		let (label, der) = pkcs8::SecretDocument::from_pem(&pem).map_err(|_| no_key_file())?;
		let der = match (label, passphrase) {
			("PRIVATE KEY", _) => der,
			("ENCRYPTED PRIVATE KEY", Some(passphrase)) => {
				EncryptedPrivateKeyInfo::try_from(der.as_bytes())
					.map_err(|_| no_key_file())?
					.decrypt(passphrase)
					.map_err(|_| AccountError::PassphraseWrong { path: path.into() })?
			},
			("ENCRYPTED PRIVATE KEY", None) => {
				return Err(AccountError::PassphraseNeeded { path: path.into() });
			},
			_ => return Err(no_key_file()),
		};
		let info = PrivateKeyInfo::try_from(der.as_bytes()).map_err(|_| no_key_file())?;
		let key = ed25519_dalek::SigningKey::try_from(info).map_err(|_| no_key_file())?;
		Ok(Self(Key::Ed25519(key)))
	}

	/// Stores a generated account in a new file that only its owner can read.
	pub fn save(&self, path: &Path, passphrase: Option<&str>) -> Result<(), AccountError> {
		let Key::Ed25519(key) = &self.0 else { return Err(AccountError::NotStorable) };
		let encryption = |reason: String| AccountError::Encryption { reason };
		let document = pkcs8::EncodePrivateKey::to_pkcs8_der(key)
			.map_err(|error| encryption(error.to_string()))?;
		let pem = match passphrase {
			None => document.to_pem("PRIVATE KEY", LineEnding::LF),
			Some(passphrase) => PrivateKeyInfo::try_from(document.as_bytes())
				.and_then(|info| info.encrypt(OsRng, passphrase))
				.map_err(|error| encryption(error.to_string()))?
				.to_pem("ENCRYPTED PRIVATE KEY", LineEnding::LF),
		}
		.map_err(|error| encryption(error.to_string()))?;
		let written = OpenOptions::new()
			.write(true)
			.create_new(true)
			.mode(0o600)
			.open(path)
			.and_then(|mut file| file.write_all(pem.as_bytes()).and_then(|()| file.sync_all()));
		written.map_err(|source| match source.kind() {
			std::io::ErrorKind::AlreadyExists => AccountError::FileExists { path: path.into() },
			_ => AccountError::File { path: path.into(), source },
		})
	}

	/// The public half.
	pub fn id(&self) -> AccountId {
		match &self.0 {
			Key::Sr25519(keypair) => keypair.public_key().0,
			Key::Ed25519(key) => key.verifying_key().to_bytes(),
		}
	}

	/// Signs a payload of [`SigningContext`](crate::primitives::context::SigningContext), which cannot be taken for a
	/// transaction.
	pub(crate) fn sign_payload(&self, payload: &[u8]) -> (Scheme, [u8; 64]) {
		match &self.0 {
			Key::Sr25519(keypair) => (Scheme::Sr25519, keypair.sign(payload).0),
			Key::Ed25519(key) => (Scheme::Ed25519, key.sign(payload).to_bytes()),
		}
	}

	/// The SS58 address, with the prefix 42 of Substrate chains in general.
	pub fn address(&self) -> String {
		address(&self.id())
	}
}

impl std::fmt::Debug for Account {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		write!(f, "Account({})", self.address())
	}
}

impl<T> subxt::transactions::Signer<T> for Account
where
	T: subxt::Config<AccountId = AccountId32, Signature = MultiSignature>,
{
	fn account_id(&self) -> AccountId32 {
		AccountId32(self.id())
	}

	fn sign(&self, payload: &[u8]) -> MultiSignature {
		match &self.0 {
			Key::Sr25519(keypair) => MultiSignature::Sr25519(keypair.sign(payload).0),
			Key::Ed25519(key) => MultiSignature::Ed25519(key.sign(payload).to_bytes()),
		}
	}
}

/// The SS58 address of an account.
pub fn address(account: &AccountId) -> String {
	AccountId32(*account).to_string()
}

/// The account that an SS58 address (of any prefix) or 32 hexadecimal bytes after `0x` stand for.
pub fn parse_address(text: &str) -> Result<AccountId, AccountError> {
	let invalid = || AccountError::InvalidAddress { text: text.into() };
	match text.strip_prefix("0x") {
		Some(digits) => hex::decode(digits).ok().and_then(|bytes| bytes.try_into().ok()),
		None => AccountId32::from_str(text).ok().map(|account| account.0),
	}
	.ok_or_else(invalid)
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::os::unix::fs::PermissionsExt;

	#[test]
	fn the_development_account_is_the_known_one() {
		let alice = Account::from_uri("//Alice").unwrap();
		assert_eq!(alice.address(), "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY");
		assert_eq!(parse_address(&alice.address()).unwrap(), alice.id());
		assert_eq!(parse_address(&format!("0x{}", hex::encode(alice.id()))).unwrap(), alice.id());
	}

	#[test]
	fn what_is_no_address_is_refused() {
		for text in ["", "0x", "0x12", "alice", "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQZ"]
		{
			let error = parse_address(text).unwrap_err().to_string();
			assert!(error.contains("write its SS58 address"), "{error}");
		}
	}

	#[test]
	fn a_wrong_uri_is_not_repeated() {
		let error = Account::from_uri("my secret words").unwrap_err();
		assert!(!format!("{error} {error:?}").contains("secret words"));
	}

	#[test]
	fn a_stored_account_comes_back() {
		let folder = tempfile::tempdir().unwrap();
		for (name, passphrase) in [("plain", None), ("encrypted", Some("correct horse"))] {
			let (path, account) = (folder.path().join(name), Account::generate());
			account.save(&path, passphrase).unwrap();
			assert_eq!(Account::load(&path, passphrase).unwrap().id(), account.id());
			assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
		}
	}

	#[test]
	fn an_encrypted_file_needs_its_passphrase() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("key");
		Account::generate().save(&path, Some("right")).unwrap();
		let load = |passphrase| Account::load(&path, passphrase).unwrap_err();
		assert!(matches!(load(None), AccountError::PassphraseNeeded { .. }));
		assert!(matches!(load(Some("wrong")), AccountError::PassphraseWrong { .. }));
	}

	#[test]
	fn a_key_file_is_never_overwritten() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("key");
		let account = Account::generate();
		account.save(&path, None).unwrap();
		let again = Account::generate().save(&path, None);
		assert!(matches!(again, Err(AccountError::FileExists { .. })));
		assert_eq!(Account::load(&path, None).unwrap().id(), account.id());
	}

	#[test]
	fn what_is_no_key_file_is_refused() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("key");
		std::fs::write(&path, "hello").unwrap();
		assert!(matches!(Account::load(&path, None), Err(AccountError::NoKeyFile { .. })));
		let missing = Account::load(&folder.path().join("none"), None);
		assert!(matches!(missing, Err(AccountError::File { .. })));
	}

	#[test]
	fn an_account_from_a_uri_is_not_stored() {
		let alice = Account::from_uri("//Alice").unwrap();
		let saved = alice.save(Path::new("/nonexistent"), None);
		assert!(matches!(saved, Err(AccountError::NotStorable)));
	}

	#[test]
	fn debug_shows_the_address_only() {
		let alice = Account::from_uri("//Alice").unwrap();
		assert_eq!(format!("{alice:?}"), format!("Account({})", alice.address()));
	}
}
