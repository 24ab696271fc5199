//! Files in directories that belong to users.
//!
//! A user may put links where files were while root writes. So the way to a file is gone directory by directory without
//! following a link, everything happens relative to the directory that was found, and what is read has to be a plain file of
//! one name that belongs to the owner of the directory or to the agent's user.

use crate::files;
use rustix::{
	fd::OwnedFd,
	fs::{
		AtFlags, CWD, FileType, Gid, Mode, OFlags, Stat, Uid, fchmod, fchown, fstat, fsync, openat,
		renameat, unlinkat,
	},
	io::Errno,
};
use std::{
	fs::{self, File},
	io::{self, Read, Write},
	os::unix::fs::MetadataExt,
	path::{Component, Path, PathBuf},
};
use zeroize::Zeroizing;

/// How much of what was laid ready is overwritten, in bytes: more than the agent ever writes, and no more than a user who
/// puts a file there may have us write.
const MAX_STAGED: usize = 8 << 20;

/// Why a file of somebody else cannot be read or written. It is as it was.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
	/// The system does not let us.
	#[error("cannot be written: {0}")]
	Io(#[from] io::Error),
	/// There is a link on the way.
	#[error("lies behind a symbolic link: write the path without links")]
	Link,
	/// It is not what it should be.
	#[error("is no plain file of the owner of its directory: the agent leaves it alone")]
	Foreign,
	/// It is too long.
	#[error("is longer than {0} bytes: the agent leaves it alone")]
	TooLong(usize),
}

impl From<Errno> for PlaceError {
	fn from(error: Errno) -> Self {
		match error {
			Errno::LOOP | Errno::NOTDIR => Self::Link,
			error => Self::Io(error.into()),
		}
	}
}

/// To whom a file belongs, and who may do what with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rights {
	/// The number of its user.
	pub user: u32,
	/// The number of its group.
	pub group: u32,
	/// The mode.
	pub mode: u32,
}

/// A file as it was found.
pub(super) struct Found {
	/// What is in it.
	pub content: Zeroizing<Vec<u8>>,
	/// Whose it is.
	pub rights: Rights,
	identity: (u64, u64),
}

/// A name in a directory that was reached without following a link.
pub(super) struct Place {
	directory: OwnedFd,
	/// Whose the directory is.
	pub owner: Rights,
	name: String,
	path: PathBuf,
}

impl Place {
	/// The place of this absolute path; its directory has to be there.
	pub(super) fn open(path: &Path) -> Result<Self, PlaceError> {
		let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
		let (Some(parent), Some(name)) =
			(path.parent(), path.file_name().and_then(|it| it.to_str()))
		else {
			return Err(PlaceError::Foreign);
		};
		let mut directory = openat(CWD, "/", flags, Mode::empty())?;
		for part in parent.components() {
			match part {
				Component::RootDir => {},
				Component::Normal(name) => {
					directory = openat(&directory, name, flags, Mode::empty())?;
				},
				_ => return Err(PlaceError::Link),
			}
		}
		let owner = rights(&fstat(&directory)?);
		Ok(Self { directory, owner, name: name.into(), path: path.into() })
	}

	/// The file, if there is one, and no longer than this.
	pub(super) fn read(&self, max_len: usize) -> Result<Option<Found>, PlaceError> {
		// A pipe would keep us waiting for whoever writes to it.
		let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
		let file = match openat(&self.directory, &self.name, flags, Mode::empty()) {
			Err(Errno::NOENT) => return Ok(None),
			file => File::from(file?),
		};
		let stat = fstat(&file)?;
		if !self.is_ours(&stat)? {
			return Err(PlaceError::Foreign);
		}
		let len = usize::try_from(stat.st_size).unwrap_or(usize::MAX);
		// With all the room that it needs, so that nothing secret is left behind where it grew.
		let mut content = Zeroizing::new(Vec::with_capacity(len.min(max_len) + 64));
		file.take(max_len as u64 + 1).read_to_end(&mut content)?;
		if content.len() > max_len {
			return Err(PlaceError::TooLong(max_len));
		}
		Ok(Some(Found { content, rights: rights(&stat), identity: identity(&stat) }))
	}

	/// Writes the file: old content or new content at every moment. If it cannot, nothing of the new one is left.
	pub(super) fn put(&self, content: &[u8], rights: Rights) -> Result<(), PlaceError> {
		self.destroy_staged()?;
		let written = self.write(content, rights);
		if written.is_err()
			&& let Err(error) = self.destroy_staged()
		{
			tracing::warn!(%error, path = %self.path.display(), "what was laid ready beside a file stays there");
		}
		written
	}

	fn write(&self, content: &[u8], rights: Rights) -> Result<(), PlaceError> {
		let staged = self.staged();
		files::step("create the one beside", &self.path);
		// What somebody else has put there gives way, and is not overwritten.
		match unlinkat(&self.directory, &staged, AtFlags::empty()) {
			Ok(()) | Err(Errno::NOENT) => {},
			Err(error) => return Err(error.into()),
		}
		let flags =
			OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
		let file = openat(&self.directory, &staged, flags, Mode::RUSR | Mode::WUSR)?;
		let mut file = File::from(file);
		files::step("write the one beside", &self.path);
		file.write_all(content)?;
		fchown(&file, Some(Uid::from_raw(rights.user)), Some(Gid::from_raw(rights.group)))?;
		fchmod(&file, Mode::from_raw_mode(rights.mode))?;
		file.sync_all()?;
		files::step("replace", &self.path);
		renameat(&self.directory, &staged, &self.directory, &self.name)?;
		Ok(fsync(&self.directory)?)
	}

	/// Overwrites and removes what somebody who was ended has laid ready beside the file. Anything but a plain file of one
	/// name, of the owner of the directory or of the agent's user, is somebody else's and stays.
	pub(super) fn destroy_staged(&self) -> Result<(), PlaceError> {
		let staged = self.staged();
		let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
		let Ok(file) = openat(&self.directory, &staged, flags, Mode::empty()) else {
			return Ok(());
		};
		let stat = fstat(&file)?;
		if !self.is_ours(&stat)? {
			return Ok(());
		}
		let mut file = File::from(file);
		let len = usize::try_from(stat.st_size).unwrap_or(usize::MAX).min(MAX_STAGED);
		files::step("overwrite the one beside", &self.path);
		wipe(&mut file, len);
		files::step("remove the one beside", &self.path);
		unlinkat(&self.directory, &staged, AtFlags::empty())?;
		Ok(fsync(&self.directory)?)
	}

	fn staged(&self) -> String {
		format!(".{}.dpki-new", self.name)
	}

	/// Whether it is a plain file of one name, and of the owner of the directory or of the agent's user.
	fn is_ours(&self, stat: &Stat) -> Result<bool, PlaceError> {
		let is_plain = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
		let own = fs::metadata("/proc/self")?.uid();
		let is_owned = [self.owner.user, own].contains(&stat.st_uid);
		Ok(is_plain && is_owned && stat.st_nlink == 1)
	}

	/// As [`put`](Self::put), or removes the file if there is to be none; what it held before is overwritten afterwards, and
	/// what a crash has left beside it as well.
	pub(super) fn replace_secret(
		&self,
		found: Option<&Found>,
		wanted: Option<(&[u8], Rights)>,
	) -> Result<(), PlaceError> {
		self.destroy_staged()?;
		let old = found.and_then(|found| self.open_same(found));
		match wanted {
			Some((content, rights)) => self.put(content, rights)?,
			None if found.is_some() => {
				files::step("remove", &self.path);
				unlinkat(&self.directory, &self.name, AtFlags::empty())?;
				fsync(&self.directory)?;
			},
			None => {},
		}
		if let (Some(mut old), Some(found)) = (old, found) {
			files::step("overwrite what was", &self.path);
			wipe(&mut old, found.content.len());
		}
		Ok(())
	}

	/// The file that was found, to be overwritten, unless another one is in its place by now.
	fn open_same(&self, found: &Found) -> Option<File> {
		let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
		let file = openat(&self.directory, &self.name, flags, Mode::empty()).ok()?;
		let stat = fstat(&file).ok()?;
		let is_same = identity(&stat) == found.identity && stat.st_nlink == 1;
		is_same.then(|| File::from(file))
	}
}

/// It has no name any more, or loses it now. If it cannot be overwritten, it is gone all the same.
fn wipe(file: &mut File, len: usize) {
	let wiped = file.write_all(&vec![0; len]).and_then(|()| file.sync_all());
	if let Err(error) = wiped {
		tracing::warn!(%error, "what a file held before cannot be overwritten");
	}
}

fn rights(stat: &Stat) -> Rights {
	Rights { user: stat.st_uid, group: stat.st_gid, mode: stat.st_mode & 0o777 }
}

fn identity(stat: &Stat) -> (u64, u64) {
	(stat.st_dev, stat.st_ino)
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::os::unix::fs::symlink;

	#[test]
	fn what_a_secret_file_held_is_overwritten_when_it_goes() {
		let dir = tempfile::tempdir().unwrap();
		let path = dir.path().join("key");
		let place = Place::open(&path).unwrap();
		let rights = Rights { mode: 0o600, ..place.owner };
		place.put(b"first", rights).unwrap();
		let mut old = File::open(&path).unwrap();
		let found = place.read(100).unwrap().unwrap();
		assert_eq!((found.content.as_slice(), found.rights), (&b"first"[..], rights));
		place.replace_secret(Some(&found), Some((b"second", rights))).unwrap();
		let mut text = Vec::new();
		old.read_to_end(&mut text).unwrap();
		assert_eq!((text, fs::read(&path).unwrap()), (vec![0; 5], b"second".to_vec()));
		let found = place.read(100).unwrap().unwrap();
		place.replace_secret(Some(&found), None).unwrap();
		assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
	}

	#[test]
	fn what_was_laid_ready_and_never_counted_is_overwritten_and_removed() {
		let dir = tempfile::tempdir().unwrap();
		let (path, staged) = (dir.path().join("key"), dir.path().join(".key.dpki-new"));
		let place = Place::open(&path).unwrap();
		let rights = Rights { mode: 0o600, ..place.owner };
		let zeroed_by = |change: &dyn Fn()| {
			fs::write(&staged, "half a key").unwrap();
			let mut old = File::open(&staged).unwrap();
			change();
			let mut text = Vec::new();
			old.read_to_end(&mut text).unwrap();
			assert_eq!(text, vec![0; 10]);
			assert!(!staged.exists());
		};
		zeroed_by(&|| place.put(b"key", rights).unwrap());
		zeroed_by(&|| {
			let found = place.read(100).unwrap();
			place.replace_secret(found.as_ref(), Some((b"other", rights))).unwrap();
		});
		zeroed_by(&|| place.replace_secret(None, None).unwrap());
		assert_eq!(fs::read(&path).unwrap(), b"other");
		// Nor is anything left by who could not complete it.
		fs::remove_file(&path).unwrap();
		fs::create_dir(&path).unwrap();
		assert!(place.put(b"key", rights).is_err());
		assert!(!staged.exists());
	}

	#[test]
	fn what_somebody_else_has_put_where_a_file_is_laid_ready_is_not_overwritten() {
		let dir = tempfile::tempdir().unwrap();
		let (other, staged) = (dir.path().join("other"), dir.path().join(".key.dpki-new"));
		fs::write(&other, "of somebody else").unwrap();
		let place = Place::open(&dir.path().join("key")).unwrap();
		let make: [&dyn Fn(); 2] = [&|| symlink(&other, &staged).unwrap(), &|| {
			fs::hard_link(&other, &staged).unwrap();
		}];
		for make in make {
			make();
			place.destroy_staged().unwrap();
			assert!(staged.symlink_metadata().is_ok(), "it is not ours to remove");
			place.put(b"key", Rights { mode: 0o600, ..place.owner }).unwrap();
			assert!(staged.symlink_metadata().is_err());
			assert_eq!(fs::read(&other).unwrap(), b"of somebody else");
		}
	}

	#[test]
	fn nothing_is_overwritten_that_took_the_place_of_what_was_found() {
		let dir = tempfile::tempdir().unwrap();
		let (path, other) = (dir.path().join("key"), dir.path().join("other"));
		let place = Place::open(&path).unwrap();
		place.put(b"first", Rights { mode: 0o600, ..place.owner }).unwrap();
		let found = place.read(100).unwrap().unwrap();
		fs::write(&other, b"other").unwrap();
		fs::rename(&path, dir.path().join("kept")).unwrap();
		symlink(&other, &path).unwrap();
		place.replace_secret(Some(&found), None).unwrap();
		let read = |name: &str| fs::read(dir.path().join(name)).unwrap();
		assert_eq!((read("kept"), read("other")), (b"first".to_vec(), b"other".to_vec()));
	}
}
