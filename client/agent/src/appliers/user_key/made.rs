//! The keys of users that the device has made itself, by `dpki-agent request ssh-user`.
//!
//! | file in the state directory | content |
//! |---|---|
//! | `made-user-keys/LOGIN/uid` | the number of the account for which it was made |
//! | `made-user-keys/LOGIN/0.key` | the private key of this user, Ed25519 in OpenSSH's form |
//!
//! The agent keeps it there, and puts it where the user looks for it together with a certificate that was delivered for it.
//! Renamed to `1.key` it is still found by certificates for it, and the next request makes another one.
//!
//! A name is no person: whoever gets an account later must not inherit what certificates have opened for the one before.
//! So the agent destroys the keys when it sees that the account has another number, and the next request destroys those of
//! logins that the configuration does not name any more. An account that has the same number again is the same, as it is for
//! the files that it owns.

use crate::{
	files::{self, FileError, SECRET, SECRET_DIR},
	ssh::delivered::read_private,
};
use dpki_client::{
	bundle::Secret,
	possession::{PossessionError, SoftwareKey},
	primitives::key::KeyType,
};
use ssh_key::public::KeyData;
use std::{
	collections::BTreeSet,
	fs,
	path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// The name of the directory with the keys of all users.
const ALL: &str = "made-user-keys";

/// The name of the file with the number of the account.
const OWNER: &str = "uid";

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum MadeError {
	/// It cannot be read or written.
	#[error(transparent)]
	File(#[from] FileError),
	/// It is none.
	#[error("{} is damaged: remove it, and a new key is made", .0.display())]
	Damaged(PathBuf),
	/// It is of a type that the agent does not sign with.
	#[error("{} is neither an Ed25519 nor a P-256 key: give it another name, and a new key is made", .0.display())]
	Type(PathBuf),
	/// There is no randomness.
	#[error(transparent)]
	Possession(#[from] PossessionError),
}

/// Where the keys of a user lie.
fn directory(state: &Path, login: &str) -> PathBuf {
	state.join(ALL).join(login)
}

/// Where the key lies for which a certificate is asked.
pub fn path(state: &Path, login: &str) -> PathBuf {
	directory(state, login).join("0.key")
}

/// Whether keys of a user may be there.
pub(super) fn is_any(state: &Path, login: &str) -> bool {
	directory(state, login).is_dir()
}

/// The key of a user, whose account has this number. It is made if there is none.
pub fn make(state: &Path, login: &str, user: u32) -> Result<SoftwareKey, MadeError> {
	keep_of(state, login, user)?;
	let path = path(state, login);
	// Whoever asked before may have been ended before the key had its name.
	path.parent().map_or(Ok(()), files::sweep)?;
	if let Some(bytes) = files::read_if_there(&path)? {
		return read(bytes, path);
	}
	for directory in path.ancestors().skip(1).take(2).collect::<Vec<_>>().into_iter().rev() {
		files::create_dir(directory, SECRET_DIR)?;
	}
	// Before the key, which is nobody's without it.
	files::replace(&path.with_file_name(OWNER), owner(user).as_bytes(), SECRET)?;
	let key = SoftwareKey::generate(KeyType::Ed25519)?;
	files::create_whole(&path, key.to_openssh(login)?.as_bytes(), SECRET)?;
	Ok(key)
}

/// The key in this file, which the agent may not have made.
fn read(bytes: Vec<u8>, path: PathBuf) -> Result<SoftwareKey, MadeError> {
	let secret = Secret::new(Zeroizing::new(bytes));
	let Ok((text, _)) = read_private(&secret) else { return Err(MadeError::Damaged(path)) };
	let key = std::str::from_utf8(&text).ok();
	key.and_then(|text| SoftwareKey::from_openssh(text, None).ok())
		.ok_or(MadeError::Type(path))
}

/// Destroys the keys of a user unless they were made for the account of this number.
pub(super) fn keep_of(state: &Path, login: &str, user: u32) -> Result<(), FileError> {
	let directory = directory(state, login);
	let noted = files::read_if_there(&directory.join(OWNER))?;
	if noted.as_deref() == Some(owner(user).as_bytes()) {
		return Ok(());
	}
	destroy(&directory)
}

/// Destroys the keys of users whom the configuration does not name any more: nothing could come back for them.
pub fn keep_named<'a>(
	state: &Path,
	logins: impl IntoIterator<Item = &'a String>,
) -> Result<(), FileError> {
	let logins: BTreeSet<_> = logins.into_iter().collect();
	let all = state.join(ALL);
	if !all.is_dir() {
		return Ok(());
	}
	for entry in fs::read_dir(&all).map_err(files::failed("list", &all))? {
		let entry = entry.map_err(files::failed("list", &all))?;
		let login = entry.file_name().to_string_lossy().into_owned();
		if !logins.contains(&login) {
			destroy(&entry.path())?;
		}
	}
	Ok(())
}

/// Destroys the keys in a directory, also one that a crash has left half-way. The directory stays, since a request may be
/// about to make another key there.
fn destroy(directory: &Path) -> Result<(), FileError> {
	if !directory.is_dir() {
		return Ok(());
	}
	files::sweep(directory)?;
	for entry in fs::read_dir(directory).map_err(files::failed("list", directory))? {
		let path = entry.map_err(files::failed("list", directory))?.path();
		if path.extension().is_some_and(|ending| ending == "key") {
			files::destroy(&path)?;
		}
	}
	Ok(())
}

/// What says for which account keys were made.
fn owner(user: u32) -> String {
	format!("{user}\n")
}

/// The private key of a user with this public half, as it is written to the disk.
pub(super) fn find(
	state: &Path,
	login: &str,
	public: &KeyData,
) -> Result<Option<Zeroizing<Vec<u8>>>, FileError> {
	let directory = directory(state, login);
	if !directory.is_dir() {
		return Ok(None);
	}
	for entry in fs::read_dir(&directory).map_err(files::failed("list", &directory))? {
		let path = entry.map_err(files::failed("list", &directory))?.path();
		if path.extension().is_none_or(|ending| ending != "key") {
			continue;
		}
		let bytes = Zeroizing::new(fs::read(&path).map_err(files::failed("read", &path))?);
		if let Ok((text, found)) = read_private(&Secret::new(bytes))
			&& found.key_data() == public
		{
			return Ok(Some(text));
		}
	}
	Ok(None)
}

#[cfg(test)]
mod tests {
	use super::*;
	use dpki_client::{possession::SigningKey, ssh::from_public_key};
	use ssh_key::PublicKey;
	use std::os::unix::fs::PermissionsExt;

	fn made(state: &Path, login: &str, user: u32) -> PublicKey {
		from_public_key(&make(state, login, user).unwrap().public()).unwrap()
	}

	#[test]
	fn a_key_is_made_once_and_for_the_agent_only() {
		let state = tempfile::tempdir().unwrap();
		let first = made(state.path(), "ops", 7);
		let path = path(state.path(), "ops");
		let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
		assert_eq!((mode(&path), mode(path.parent().unwrap())), (SECRET, SECRET_DIR));
		assert_eq!(made(state.path(), "ops", 7), first, "a renewal is for the same key");
		assert_ne!(made(state.path(), "pilot", 7), first);
		// One that has another name is found as long as it is there.
		fs::rename(&path, path.with_file_name("1.key")).unwrap();
		let second = made(state.path(), "ops", 7);
		assert_ne!(second, first);
		for key in [&first, &second] {
			let found = find(state.path(), "ops", key.key_data()).unwrap().unwrap();
			assert_eq!(read_private(&Secret::new(found)).unwrap().1.key_data(), key.key_data());
			assert!(find(state.path(), "pilot", key.key_data()).unwrap().is_none());
		}
		assert!(find(state.path(), "nobody", first.key_data()).unwrap().is_none());
	}

	#[test]
	fn what_is_no_key_is_neither_asked_about_nor_written_over() {
		let state = tempfile::tempdir().unwrap();
		make(state.path(), "ops", 7).unwrap();
		let path = path(state.path(), "ops");
		fs::write(&path, "damaged").unwrap();
		assert!(matches!(make(state.path(), "ops", 7), Err(MadeError::Damaged(_))));
		assert_eq!(fs::read(&path).unwrap(), b"damaged");
		fs::remove_file(&path).unwrap();
		let args = ["-q", "-t", "ecdsa", "-b", "384", "-N", "", "-f"];
		let made = std::process::Command::new("ssh-keygen").args(args).arg(&path).status();
		assert!(made.unwrap().success());
		let error = make(state.path(), "ops", 7).unwrap_err();
		assert!(error.to_string().contains("neither an Ed25519 nor a P-256 key"), "{error}");
	}

	#[test]
	fn whoever_has_the_name_later_does_not_inherit_the_key() {
		let state = tempfile::tempdir().unwrap();
		let (state, path) = (state.path(), path(state.path(), "ops"));
		let first = made(state, "ops", 7);
		fs::rename(&path, path.with_file_name("1.key")).unwrap();
		let second = made(state, "ops", 7);
		keep_of(state, "ops", 7).unwrap();
		let is_there = |key: &PublicKey| find(state, "ops", key.key_data()).unwrap().is_some();
		assert!(is_there(&first) && is_there(&second));
		// Another account asks.
		let third = made(state, "ops", 8);
		assert!(![&first, &second].contains(&&third));
		assert!(!is_there(&first) && !is_there(&second) && is_there(&third));
		// The account is seen to be another one before anybody asks.
		keep_of(state, "ops", 7).unwrap();
		assert!(!is_there(&third));
		// Nobody knows whose it is.
		let fourth = made(state, "ops", 7);
		fs::remove_file(path.with_file_name(OWNER)).unwrap();
		keep_of(state, "ops", 7).unwrap();
		assert!(!is_there(&fourth));
		// A crash has left one half-way.
		let staged = path.with_file_name(".0.key.new");
		fs::write(&staged, "half of a key").unwrap();
		keep_of(state, "ops", 8).unwrap();
		assert!(!staged.exists());
	}

	#[test]
	fn keys_of_those_whom_the_configuration_does_not_name_any_more_go() {
		let state = tempfile::tempdir().unwrap();
		let state = state.path();
		keep_named(state, &[]).unwrap();
		let (kept, gone) = (made(state, "ops", 7), made(state, "pilot", 8));
		keep_named(state, &["ops".to_owned(), "other".to_owned()]).unwrap();
		assert!(find(state, "ops", kept.key_data()).unwrap().is_some());
		assert!(find(state, "pilot", gone.key_data()).unwrap().is_none());
		assert!(!path(state, "pilot").exists());
	}
}
