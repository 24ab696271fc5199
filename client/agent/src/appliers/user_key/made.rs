//! The keys of users that the device has made itself, by `dpki-agent request ssh-user`.
//!
//! | file in the state directory | content |
//! |---|---|
//! | `made-user-keys/LOGIN/0.key` | the private key of this user, Ed25519 in OpenSSH's form |
//!
//! The agent keeps it there, and puts it where the user looks for it together with a certificate that was delivered for it.
//! Renamed to `1.key` it is still found by certificates for it, and the next request makes another one.

use crate::{
	files::{self, FileError, SECRET, SECRET_DIR},
	ssh::delivered::read_private,
};
use dpki_client::{
	bundle::Secret,
	possession::{PossessionError, SoftwareKey},
	primitives::key::KeyType,
};
use ssh_key::{PublicKey, public::KeyData};
use std::{
	fs,
	path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum MadeError {
	/// It cannot be read or written.
	#[error(transparent)]
	File(#[from] FileError),
	/// It is none.
	#[error("{} is damaged: remove it, and a new key is made", .0.display())]
	Damaged(PathBuf),
	/// There is no randomness.
	#[error(transparent)]
	Possession(#[from] PossessionError),
}

/// Where the keys of a user lie.
fn directory(state: &Path, login: &str) -> PathBuf {
	state.join("made-user-keys").join(login)
}

/// Where the key lies for which a certificate is asked.
pub fn path(state: &Path, login: &str) -> PathBuf {
	directory(state, login).join("0.key")
}

/// The public half of the key of a user, which is made if there is none.
pub fn make(state: &Path, login: &str) -> Result<PublicKey, MadeError> {
	let path = path(state, login);
	// Whoever asked before may have been ended before the key had its name.
	path.parent().map_or(Ok(()), files::sweep)?;
	if let Some(bytes) = files::read_if_there(&path)? {
		let read = read_private(&Secret::new(Zeroizing::new(bytes)));
		return read.map(|(_, public)| public).map_err(|_| MadeError::Damaged(path));
	}
	for directory in path.ancestors().skip(1).take(2).collect::<Vec<_>>().into_iter().rev() {
		files::create_dir(directory, SECRET_DIR)?;
	}
	let text = SoftwareKey::generate(KeyType::Ed25519)?.to_openssh(login)?;
	files::create_whole(&path, text.as_bytes(), SECRET)?;
	match read_private(&Secret::from(text.as_bytes())) {
		Ok((_, public)) => Ok(public),
		Err(_) => Err(MadeError::Damaged(path)),
	}
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
	use std::os::unix::fs::PermissionsExt;

	#[test]
	fn a_key_is_made_once_and_for_the_agent_only() {
		let state = tempfile::tempdir().unwrap();
		let first = make(state.path(), "ops").unwrap();
		let path = path(state.path(), "ops");
		let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
		assert_eq!((mode(&path), mode(path.parent().unwrap())), (SECRET, SECRET_DIR));
		assert_eq!(make(state.path(), "ops").unwrap(), first, "a renewal is for the same key");
		assert_ne!(make(state.path(), "pilot").unwrap(), first);
		// One that has another name is found as long as it is there.
		fs::rename(&path, path.with_file_name("1.key")).unwrap();
		let second = make(state.path(), "ops").unwrap();
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
		make(state.path(), "ops").unwrap();
		let path = path(state.path(), "ops");
		fs::write(&path, "damaged").unwrap();
		assert!(matches!(make(state.path(), "ops"), Err(MadeError::Damaged(_))));
		assert_eq!(fs::read(&path).unwrap(), b"damaged");
	}
}
