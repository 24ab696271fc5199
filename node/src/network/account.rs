// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! The key file of a member's account, in the form of `dpki key new account`: Ed25519 in PKCS#8 PEM, encrypted if there
//! is a passphrase.
//!
//! It is the key of a trustee. It belongs to a person and not onto the machine of the validator, so it may have been made
//! elsewhere, and may be taken away once the member's file is made.

use super::{NetworkError, Result, file_error, write_new};
use ed25519_dalek::SigningKey;
use pkcs8::{
	EncodePrivateKey, EncryptedPrivateKeyInfo, LineEnding, PrivateKeyInfo, SecretDocument,
};
use rand_core::OsRng;
use sp_core::{Pair as _, ed25519};
use std::{os::unix::fs::PermissionsExt, path::Path};
use zeroize::Zeroizing;

/// Where the passphrase of the file comes from, as for `dpki`.
pub const PASSPHRASE_VARIABLE: &str = "DPKI_PASSPHRASE";

const PLAIN: &str = "PRIVATE KEY";
const ENCRYPTED: &str = "ENCRYPTED PRIVATE KEY";

/// The passphrase in the environment, unless it is empty.
pub fn passphrase() -> Option<Zeroizing<String>> {
	let passphrase = std::env::var(PASSPHRASE_VARIABLE).ok().map(Zeroizing::new);
	passphrase.filter(|passphrase| !passphrase.is_empty())
}

/// The account in the file of this name, or a new one that is stored there.
pub fn load_or_make(path: &Path, passphrase: Option<&str>) -> Result<ed25519::Pair> {
	if path.exists() {
		return load(path, passphrase);
	}
	let key = SigningKey::generate(&mut OsRng);
	let unfit = |_| problem(path, "could not be encoded: try another passphrase");
	let document = key.to_pkcs8_der().map_err(|_| unfit(()))?;
	let pem = match passphrase {
		None => document.to_pem(PLAIN, LineEnding::LF).map_err(|_| unfit(()))?,
		Some(passphrase) => PrivateKeyInfo::try_from(document.as_bytes())
			.and_then(|info| info.encrypt(OsRng, passphrase))
			.map_err(|_| unfit(()))?
			.to_pem(ENCRYPTED, LineEnding::LF)
			.map_err(|_| unfit(()))?,
	};
	write_new(path, pem.as_bytes(), 0o600)?;
	Ok(pair(&key))
}

fn load(path: &Path, passphrase: Option<&str>) -> Result<ed25519::Pair> {
	let no_key = || {
		problem(
			path,
			"holds no Ed25519 key in PKCS#8 PEM: give a key file of `dpki key new account`",
		)
	};
	let metadata = path.metadata().map_err(file_error(path, "read"))?;
	if metadata.permissions().mode() & 0o077 != 0 {
		return Err(problem(path, "can be read by others: make it yours alone with `chmod 600`"));
	}
	let pem = std::fs::read_to_string(path)
		.map(Zeroizing::new)
		.map_err(file_error(path, "read"))?;
	let (label, der) = SecretDocument::from_pem(&pem).map_err(|_| no_key())?;
	let der = match (label, passphrase) {
		(PLAIN, _) => der,
		(ENCRYPTED, Some(passphrase)) => EncryptedPrivateKeyInfo::try_from(der.as_bytes())
			.map_err(|_| no_key())?
			.decrypt(passphrase)
			.map_err(|_| {
				problem(path, "does not open with the passphrase in DPKI_PASSPHRASE: correct it")
			})?,
		(ENCRYPTED, None) => {
			return Err(problem(path, "is encrypted: set DPKI_PASSPHRASE to its passphrase"));
		},
		_ => return Err(no_key()),
	};
	let info = PrivateKeyInfo::try_from(der.as_bytes()).map_err(|_| no_key())?;
	SigningKey::try_from(info).map(|key| pair(&key)).map_err(|_| no_key())
}

fn pair(key: &SigningKey) -> ed25519::Pair {
	ed25519::Pair::from_seed(key.as_bytes())
}

fn problem(path: &Path, problem: &'static str) -> NetworkError {
	NetworkError::Account { path: path.into(), problem }
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn an_account_is_made_once_and_comes_back() {
		let folder = tempfile::tempdir().unwrap();
		for (name, passphrase) in [("plain", None), ("encrypted", Some("four common words"))] {
			let path = folder.path().join(name);
			let made = load_or_make(&path, passphrase).unwrap();
			assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
			assert_eq!(load_or_make(&path, passphrase).unwrap().public(), made.public());
		}
		let encrypted = folder.path().join("encrypted");
		for (passphrase, word) in [(None, "is encrypted"), (Some("others"), "does not open")] {
			let refused = load_or_make(&encrypted, passphrase).err().unwrap().to_string();
			assert!(refused.contains(word), "{refused}");
		}
	}

	#[test]
	fn a_file_that_is_no_account_or_lies_open_is_refused() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("key");
		write_new(&path, b"no key at all", 0o600).unwrap();
		let refused = load_or_make(&path, None).err().unwrap().to_string();
		assert!(refused.contains("holds no Ed25519 key"), "{refused}");
		std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
		let refused = load_or_make(&path, None).err().unwrap().to_string();
		assert!(refused.contains("can be read by others"), "{refused}");
	}
}
