//! Private keys for SSH that somebody else has made, and the host key among them.
//!
//! A device makes its keys itself. Where its configuration allows it (`host-key` under `[apply]`) sshd gets a further host
//! key, which was delivered: so a device can take the place of another one. It never takes the place of the device's own:
//!
//! - its line comes after that of the device's own key, and sshd shows the first key of each type. So one of the same type is
//!   taken with a certificate only, which names it;
//! - one of a type that sshd has from elsewhere in its configuration is refused, see [`super::check`].
//!
//! The key lies in `host_keys`, beside the generations, in a file that is named by its public half and never changes. Which
//! one sshd reads is said by `sshd.conf`, which is part of a generation: so a switch or a way back is that of all files, and
//! no generation holds a secret. A key that the generation in force does not name is overwritten and removed, as soon as
//! there is no way back.

use crate::{
	files::{self, FileError, SECRET, SECRET_DIR},
	ssh::layout::Layout,
};
use dpki_client::{bundle::Secret, ssh::fingerprint};
use ssh_key::{Algorithm, LineEnding, PrivateKey, PublicKey};
use std::{fs, path::Path};
use zeroize::Zeroizing;

/// A host key that was delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostKey {
	private: Secret,
	public: PublicKey,
}

impl HostKey {
	/// The key in a bundle; the error is why it cannot be used.
	pub fn read(delivered: &Secret) -> Result<Self, String> {
		let (private, public) = read_private(delivered)?;
		Ok(Self { private: Secret::new(private), public })
	}

	/// The public half.
	pub fn public(&self) -> &PublicKey {
		&self.public
	}

	/// The name of its file.
	pub fn name(&self) -> String {
		hex::encode(fingerprint(&self.public))
	}
}

/// A private key in OpenSSH's form as it is written to the disk, with its public half. The error is why it cannot be used.
pub(crate) fn read_private(delivered: &Secret) -> Result<(Zeroizing<Vec<u8>>, PublicKey), String> {
	// What the parser says could quote what it has read.
	let malformed = || "is not in OpenSSH's form: deliver a file as ssh-keygen makes it".to_owned();
	let key = PrivateKey::from_openssh(delivered.expose()).map_err(|_| malformed())?;
	if key.is_encrypted() {
		return Err("has a passphrase, which nobody could type: take it away".into());
	}
	let is_plain = matches!(
		key.algorithm(),
		Algorithm::Ed25519 | Algorithm::Ecdsa { .. } | Algorithm::Rsa { .. }
	);
	if !is_plain {
		return Err(format!("is of the type {}: deliver Ed25519, ECDSA or RSA", key.algorithm()));
	}
	let text = key.to_openssh(LineEnding::LF).map_err(|_| malformed())?;
	Ok((Zeroizing::new(text.as_bytes().to_vec()), key.public_key().clone()))
}

/// Whether the file of this key is there and has it.
pub(super) fn is_there(layout: &Layout, key: &HostKey) -> bool {
	let found = fs::read(layout.host_key_file(&key.name())).map(Zeroizing::new);
	found.is_ok_and(|found| *found == key.private.expose())
}

/// Writes the file of this key, if it is not there as it should be, and tells whether it was not.
pub(super) fn put(layout: &Layout, key: &HostKey) -> Result<bool, FileError> {
	if is_there(layout, key) {
		return Ok(false);
	}
	files::create_dir(&layout.host_keys(), SECRET_DIR)?;
	files::replace(&layout.host_key_file(&key.name()), key.private.expose(), SECRET)?;
	Ok(true)
}

/// Overwrites and removes every key but this one.
pub(super) fn destroy_others(layout: &Layout, kept: Option<&str>) -> Result<(), FileError> {
	let directory = layout.host_keys();
	if !directory.is_dir() {
		return Ok(());
	}
	for entry in fs::read_dir(&directory).map_err(files::failed("list", &directory))? {
		let name = entry.map_err(files::failed("list", &directory))?.file_name();
		if kept.is_none_or(|kept| name != kept) {
			files::destroy(&directory.join(name))?;
		}
	}
	Ok(())
}

/// The public half of a host key file of the machine, of whatever form that file is.
pub(super) fn public_half(private: &Path) -> Option<PublicKey> {
	let read = |path: &Path| fs::read(path).map(Zeroizing::new).ok();
	let from_private =
		|| Some(PrivateKey::from_openssh(&*read(private)?).ok()?.public_key().clone());
	from_private().or_else(|| {
		let mut name = private.as_os_str().to_owned();
		name.push(".pub");
		let text = read(Path::new(&name))?;
		PublicKey::from_openssh(std::str::from_utf8(&text).ok()?).ok()
	})
}

#[cfg(test)]
mod tests {
	use super::*;
	use ssh_key::rand_core::OsRng;
	use std::os::unix::fs::PermissionsExt;

	fn key() -> (Secret, PrivateKey) {
		let key = PrivateKey::random(&mut OsRng, Algorithm::Ed25519).unwrap();
		(Secret::from(key.to_openssh(LineEnding::LF).unwrap().as_bytes()), key)
	}

	#[test]
	fn only_a_private_key_that_opens_by_itself_is_taken() {
		let (text, key) = key();
		assert_eq!(HostKey::read(&text).unwrap().public(), key.public_key());
		let locked = key.encrypt(&mut OsRng, "word").unwrap();
		let locked = Secret::from(locked.to_openssh(LineEnding::LF).unwrap().as_bytes());
		let public = Secret::from(key.public_key().to_openssh().unwrap().as_bytes());
		for (wrong, words) in [
			(locked, "passphrase"),
			(public, "OpenSSH's form"),
			(Secret::from(&b"-----BEGIN"[..]), "OpenSSH's form"),
		] {
			let why = HostKey::read(&wrong).unwrap_err();
			assert!(why.contains(words), "{why}");
		}
	}

	#[test]
	fn a_key_is_for_its_owner_and_its_like_are_destroyed() {
		let dir = tempfile::tempdir().unwrap();
		let layout = Layout::new(dir.path(), Path::new("/key"));
		let (first, second) = (HostKey::read(&key().0).unwrap(), HostKey::read(&key().0).unwrap());
		for key in [&first, &second] {
			assert!(put(&layout, key).unwrap() && !put(&layout, key).unwrap());
		}
		let file = layout.host_key_file(&first.name());
		assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, SECRET);
		assert_eq!(public_half(&file).as_ref(), Some(first.public()));
		fs::write(&file, "altered").unwrap();
		assert!(!is_there(&layout, &first) && is_there(&layout, &second));
		destroy_others(&layout, Some(&second.name())).unwrap();
		assert!(!file.exists() && is_there(&layout, &second));
		destroy_others(&layout, None).unwrap();
		assert_eq!(fs::read_dir(layout.host_keys()).unwrap().count(), 0);
	}

	#[test]
	fn a_key_does_not_show_when_it_is_told_of() {
		let (text, key) = key();
		let told = format!("{:?}", HostKey::read(&text).unwrap());
		let seed = key.key_data().ed25519().unwrap().private.to_bytes();
		assert!(!told.contains("PRIVATE") && !told.contains(&hex::encode(seed)), "{told}");
		assert!(!told.contains(&format!("{seed:?}").replace(['[', ']'], "")), "{told}");
	}
}
