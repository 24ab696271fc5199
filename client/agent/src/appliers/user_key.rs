//! A private key with which a user of the device proves itself elsewhere, where that user looks for it, and its certificate
//! beside it.
//!
//! | file | content | mode |
//! |---|---|---|
//! | `<path>` | the private key in OpenSSH's form | 0600, of the user |
//! | `<path>-cert.pub` | its certificate, if one was delivered | 0644, of the user |
//!
//! The key was delivered, or the device has made it itself (`made`): then its certificate alone is delivered, and the key goes
//! with it. Without a certificate a key that was made here stays in the state directory. When it goes from there it is taken
//! from the user, too.
//!
//! The configuration names the path, by login. What is in force lies in the state directory, and from there it is written to
//! the user, who owns the directory and may do anything there: how the way is gone is said in `place`. The agent replaces
//! and removes what it has written itself and nothing else. It knows that by the digests of what it has written, which are on
//! the disk before it writes: so a file that a crash left behind is known as well, and one that its owner has put there or
//! changed stays as it is. Such a file keeps no delivery from taking the key away: what lies there is not what was delivered.
//!
//! Nor does it fail the delivery that brings a key, and nothing else does that a user can do in its own directory: otherwise
//! it could hold up what the same delivery takes from others. The key waits, is told of, and is put there later.

pub mod made;

use super::{
	ApplyError, Files, Wanted,
	generational::Content,
	place::{Found, Place, PlaceError, Rights},
	settings::{certificate_of, user_ids},
};
use crate::{
	files::{self, FileError, PUBLIC, SECRET},
	ssh::{check::CommandError, delivered::read_private},
};
use async_trait::async_trait;
use dpki_client::{Item, primitives::Moment};
use sha2::{Digest, Sha256};
use ssh_key::{Certificate, PublicKey, certificate::CertType};
use std::{
	collections::BTreeSet,
	io,
	path::{Path, PathBuf},
};
use zeroize::Zeroizing;

const KEY: &str = "key";
const CERTIFICATE: &str = "certificate";

/// The name of the file with the digests of what was written.
const WRITTEN: &str = "written";

/// The longest file that is read, in bytes: more than any key or certificate of a bundle has.
const MAX_LEN: usize = 64 * 1024;

/// Why a key is not where its user looks for it.
#[derive(Debug, thiserror::Error)]
enum UserKeyError {
	/// The file cannot be had.
	#[error(transparent)]
	Place(#[from] PlaceError),
	/// A file of the agent cannot be read or written, or there is no such user.
	#[error(transparent)]
	File(#[from] FileError),
	/// Somebody else could take the key.
	#[error(
		"lies in a directory of another user than {0}: give it to that user, or name another path"
	)]
	OtherOwner(String),
	/// There is something that the agent has not written.
	#[error("is not the agent's: move it away, or name another path")]
	NotOurs,
}

/// Where the state of a user's key lies.
pub(super) fn directory(state: &Path, login: &str) -> PathBuf {
	state.join("user-keys").join(login)
}

/// The private key of one user.
pub(super) struct UserKey {
	login: String,
	name: String,
	path: PathBuf,
	state: PathBuf,
	written: PathBuf,
}

impl UserKey {
	pub(super) fn new(login: &str, path: &Path, state: &Path) -> Self {
		Self {
			login: login.into(),
			name: format!("user key {login}"),
			path: path.into(),
			state: state.into(),
			written: directory(state, login).join(WRITTEN),
		}
	}

	/// The key that this certificate is for, which has to be one that was made here: the one in force may have been
	/// delivered, and others know it. Where a certificate that is in force has lost its key there is none.
	fn find_key(
		&self,
		certificate: &Certificate,
		is_new: bool,
	) -> Result<Option<Zeroizing<Vec<u8>>>, String> {
		let found = made::find(&self.state, &self.login, certificate.public_key());
		let found = found.map_err(|error| error.to_string())?;
		if found.is_none() && is_new {
			return Err(
				"is for a key that this device has not made: have it ask with `dpki-agent request ssh-user`"
					.into(),
			);
		}
		Ok(found)
	}

	/// Destroys the keys that were made for another account of this name. What keeps the agent from it must hold up nothing
	/// that others are delivered: the next block tries again.
	fn destroy_inherited(&self) {
		if !made::is_any(&self.state, &self.login) {
			return;
		}
		// An account that cannot be found is not gone: whoever tells of accounts over a network may be late.
		let Ok((user, _)) = user_ids(&self.login) else { return };
		if let Err(error) = made::keep_of(&self.state, &self.login, user) {
			tracing::warn!(login = self.login, %error, "keys of an account before cannot be removed");
		}
	}

	/// Where each file goes, and with which mode.
	fn places(&self) -> [(&'static str, PathBuf, u32); 2] {
		[(CERTIFICATE, certificate_of(&self.path), PUBLIC), (KEY, self.path.clone(), SECRET)]
	}

	fn known(&self) -> Result<BTreeSet<String>, FileError> {
		let bytes = files::read_if_there(&self.written)?.unwrap_or_default();
		Ok(String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect())
	}

	fn put(&self, wanted: &Files) -> Result<(), UserKeyError> {
		let before = self.known()?;
		let digests: BTreeSet<_> = wanted.values().map(|content| digest(content)).collect();
		let all: BTreeSet<_> = before.union(&digests).cloned().collect();
		self.note(&before, &all)?;
		// No certificate stands beside a key that it is not for. Another one for the same key takes its place by one rename.
		let is_other = |name| {
			let found = self.read(name).ok().flatten();
			found.is_some_and(|found| wanted.get(name).is_none_or(|it| *it != found.content))
		};
		let key = wanted.get(KEY).map(|content| content.as_slice());
		if !self.is_there(KEY, key) && is_other(CERTIFICATE) {
			self.replace(CERTIFICATE, None, &all)?;
		}
		for name in [KEY, CERTIFICATE] {
			self.replace(name, wanted.get(name).map(|content| content.as_slice()), &all)?;
		}
		Ok(self.note(&all, &digests)?)
	}

	fn note(&self, before: &BTreeSet<String>, now: &BTreeSet<String>) -> Result<(), FileError> {
		if before == now {
			return Ok(());
		}
		let text: String = now.iter().map(|digest| format!("{digest}\n")).collect();
		files::replace(&self.written, text.as_bytes(), SECRET)
	}

	fn place(&self, name: &str) -> Option<(PathBuf, u32)> {
		let mut places = self.places().into_iter();
		places.find(|(known, ..)| *known == name).map(|(_, path, mode)| (path, mode))
	}

	/// What lies there, whoever wrote it.
	fn read(&self, name: &str) -> Result<Option<Found>, PlaceError> {
		let Some((path, _)) = self.place(name) else { return Ok(None) };
		match Place::open(&path) {
			Err(PlaceError::Io(error)) if error.kind() == io::ErrorKind::NotFound => Ok(None),
			place => place?.read(MAX_LEN),
		}
	}

	/// Makes one of the files what it is to be, if nobody else has put anything there.
	fn replace(
		&self,
		name: &str,
		wanted: Option<&[u8]>,
		known: &BTreeSet<String>,
	) -> Result<(), UserKeyError> {
		let Some((path, mode)) = self.place(name) else { return Ok(()) };
		let Some(content) = wanted else {
			return self.remove(&path, known);
		};
		let (user, group) = user_ids(&self.login)?;
		let place = Place::open(&path)?;
		if place.owner.user != user {
			return Err(UserKeyError::OtherOwner(self.login.clone()));
		}
		// Of a key that was never put there, also if the one that is stays.
		place.destroy_staged()?;
		let rights = Rights { user, group, mode };
		let found = place.read(MAX_LEN)?;
		if let Some(found) = &found {
			if found.content.as_slice() == content && found.rights == rights {
				return Ok(());
			}
			if !known.contains(&digest(&found.content)) {
				return Err(UserKeyError::NotOurs);
			}
		}
		Ok(place.replace_secret(found.as_ref(), Some((content, rights)))?)
	}

	fn remove(&self, path: &Path, known: &BTreeSet<String>) -> Result<(), UserKeyError> {
		let place = match Place::open(path) {
			Err(PlaceError::Io(error)) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
			// Whatever is there, the agent has put nothing behind it.
			Err(PlaceError::Link | PlaceError::Foreign) => return Ok(()),
			place => place?,
		};
		place.destroy_staged()?;
		let found = match place.read(MAX_LEN) {
			Err(PlaceError::Link | PlaceError::Foreign | PlaceError::TooLong(_)) => return Ok(()),
			found => found?,
		};
		match found {
			Some(found) if known.contains(&digest(&found.content)) => {
				Ok(place.replace_secret(Some(&found), None)?)
			},
			_ => Ok(()),
		}
	}

	/// Whether one of the files is what it is to be; if there is to be none, whether none is that the agent has written.
	fn is_there(&self, name: &str, wanted: Option<&[u8]>) -> bool {
		match (self.read(name), wanted) {
			(Ok(Some(found)), Some(wanted)) => {
				let mode = self.place(name).map(|(_, mode)| mode);
				found.content.as_slice() == wanted && Some(found.rights.mode) == mode
			},
			(Ok(Some(found)), None) => {
				self.known().is_ok_and(|known| !known.contains(&digest(&found.content)))
			},
			(Ok(None), wanted) => wanted.is_none(),
			(Err(_), wanted) => wanted.is_none(),
		}
	}
}

#[async_trait]
impl Content for UserKey {
	fn name(&self) -> &str {
		&self.name
	}

	fn names(&self) -> &'static [(&'static str, bool)] {
		&[(KEY, true), (CERTIFICATE, false)]
	}

	fn takes(&self, part: &Item) -> bool {
		match part {
			Item::SshUserKey { login, .. } | Item::SshUserCertificate { login, .. } => {
				*login == self.login
			},
			_ => false,
		}
	}

	fn files(&self, wanted: &Wanted<'_>, _: Option<&Files>) -> Result<Files, String> {
		self.destroy_inherited();
		let mut files = Files::new();
		for part in wanted.state.parts.iter().filter(|part| self.takes(part)) {
			let new_at = wanted.is_new(part).then_some(wanted.now);
			let wrong = |problem: String| format!("the certificate {problem}");
			let (key, certificate) = match part {
				Item::SshUserKey { private, certificate, .. } => {
					let (text, public) =
						read_private(private).map_err(|it| format!("the key {it}"))?;
					let judge = |line| judge_certificate(line, Some(&public), new_at);
					let certificate =
						certificate.as_deref().map(judge).transpose().map_err(wrong)?;
					(text, certificate.map(|(_, line)| line))
				},
				Item::SshUserCertificate { certificate, .. } => {
					let (certificate, line) =
						judge_certificate(certificate, None, new_at).map_err(wrong)?;
					let key = self.find_key(&certificate, new_at.is_some()).map_err(wrong)?;
					let Some(key) = key else {
						let login = &self.login;
						tracing::warn!(login, "a user certificate is left out, its key is gone");
						continue;
					};
					(key, Some(line))
				},
				_ => continue,
			};
			if let Some(line) = certificate {
				files.insert(CERTIFICATE, Zeroizing::new(line.into_bytes()));
			}
			files.insert(KEY, key);
		}
		Ok(files)
	}

	fn is_told(&self, files: &Files) -> bool {
		// Where nothing was ever written there is nothing to look for in somebody's home.
		if files.is_empty() && !self.written.exists() {
			return true;
		}
		let wanted = |name| files.get(name).map(|content| content.as_slice());
		[KEY, CERTIFICATE].into_iter().all(|name| self.is_there(name, wanted(name)))
	}

	async fn tell(&self, files: &Files, _: Option<&Files>) -> Result<(), ApplyError> {
		self.put(files).map_err(|error| {
			let applier = self.name.clone();
			let source = CommandError {
				command: self.path.display().to_string(),
				problem: error.to_string(),
			};
			match error {
				// The agent's own disk, or the list of users: no user has a hand in these.
				UserKeyError::File(_) => ApplyError::Told { applier, source },
				_ => ApplyError::Hindered { applier, source },
			}
		})
	}
}

fn digest(content: &[u8]) -> String {
	hex::encode(Sha256::digest(content))
}

/// A certificate, for this key if it is known, and its line. One that nobody could take is refused; who signed it is judged
/// elsewhere, if at all. One that is in force stays so when it is over: the key without it may still be of use.
fn judge_certificate(
	line: &str,
	key: Option<&PublicKey>,
	new_at: Option<Moment>,
) -> Result<(Certificate, String), String> {
	let malformed = || "is malformed: deliver a line as ssh-keygen writes it".to_owned();
	let certificate = Certificate::from_openssh(line.trim()).map_err(|_| malformed())?;
	if certificate.cert_type() != CertType::User {
		return Err("is not for a user".into());
	}
	if key.is_some_and(|key| certificate.public_key() != key.key_data()) {
		return Err("is for another key".into());
	}
	if new_at.is_some_and(|now| certificate.valid_before() <= now / 1000) {
		return Err("has expired".into());
	}
	// Without its comment, which somebody else chose.
	let bare = certificate.to_bytes().and_then(|bytes| Certificate::from_bytes(&bytes));
	let line = bare.and_then(|it| it.to_openssh()).map_err(|_| malformed())?;
	Ok((certificate, format!("{}\n", line.trim())))
}
