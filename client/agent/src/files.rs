//! Files that survive a crash: each is there whole or not at all.
//!
//! The agent changes the disk by these functions alone, but for what their tests name: so each change is a step at which
//! [`crate::steps`] can end it.

use crate::steps;
use std::{
	fs::{self, File, OpenOptions, Permissions},
	io::{self, Write},
	os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, chown, symlink},
	path::{Path, PathBuf},
};

/// Mode of files that only the agent may read.
pub const SECRET: u32 = 0o600;
/// Mode of files that everybody may read.
pub const PUBLIC: u32 = 0o644;
/// Mode of directories that only the agent may enter.
pub const SECRET_DIR: u32 = 0o700;
/// Mode of directories that everybody may enter. sshd reads principals as the user who logs in, and refuses
/// (`StrictModes`) what the group or others can write.
pub const PUBLIC_DIR: u32 = 0o755;

/// Behind the name of a file that does not count yet.
const STAGED: &str = ".new";

/// Something went wrong with a file.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}: {source}", path.display())]
pub struct FileError {
	/// What was tried.
	pub action: &'static str,
	/// With which file.
	pub path: PathBuf,
	/// What the system says.
	#[source]
	pub source: io::Error,
}

/// Names the action and the file in an error.
pub(crate) fn failed<'a>(
	action: &'static str,
	path: &'a Path,
) -> impl FnOnce(io::Error) -> FileError + 'a {
	move |source| FileError { action, path: path.into(), source }
}

/// A change of the file is about to be made.
pub(crate) fn step(change: &str, path: &Path) {
	steps::of_the_disk(format_args!("{change} {}", path.display()));
}

/// Makes the directories above the file, with the mode that is usual here.
pub fn create_parents(path: &Path) -> Result<(), FileError> {
	let Some(parent) = path.parent().filter(|it| !it.as_os_str().is_empty() && !it.exists()) else {
		return Ok(());
	};
	step("create", parent);
	fs::create_dir_all(parent).map_err(failed("create", parent))
}

/// Makes the directory and the ones above it. An existing one keeps its owner and gets the mode.
pub fn create_dir(path: &Path, mode: u32) -> Result<(), FileError> {
	let is_new = !path.exists();
	if is_new {
		step("create", path);
	}
	fs::create_dir_all(path).map_err(failed("create", path))?;
	if is_new {
		step("set the mode of", path);
	}
	// The umask must not decide: too tight keeps users from their principals, too wide makes sshd refuse them.
	fs::set_permissions(path, Permissions::from_mode(mode)).map_err(failed("set the mode of", path))
}

/// Writes a new file to the disk; fails if it exists.
pub fn create(path: &Path, content: &[u8], mode: u32) -> Result<(), FileError> {
	write_new(path, content, mode)
		.and_then(|file| file.sync_all())
		.map_err(failed("write", path))
}

/// Writes a new file that appears whole or not at all; fails if it exists.
pub fn create_whole(path: &Path, content: &[u8], mode: u32) -> Result<(), FileError> {
	let write = || {
		let (staged, file) = stage(path, content, mode)?;
		file.sync_all()?;
		step("link", path);
		// A rename would replace what is there; a link does not.
		let linked = fs::hard_link(&staged, path);
		step("remove", &staged);
		let removed = fs::remove_file(&staged);
		linked.and(removed)
	};
	write().map_err(failed("create", path))?;
	sync_parent(path)
}

/// Removes what lies ready beside a file that was created by somebody who was ended after it counted.
pub fn clear(path: &Path) -> Result<(), FileError> {
	remove_if_there(&staging_path(path))
}

/// Replaces the file, old content or new content at every moment, and waits until it is on the disk.
pub fn replace(path: &Path, content: &[u8], mode: u32) -> Result<(), FileError> {
	let write = || {
		let (staged, file) = stage(path, content, mode)?;
		file.sync_all()?;
		step("replace", path);
		fs::rename(&staged, path)
	};
	write().map_err(failed("replace", path))?;
	sync_parent(path)
}

/// Replaces the file like [`replace`] but leaves it to the system when it reaches the disk: for what is written often
/// and can be lost.
pub fn replace_lazily(path: &Path, content: &[u8], mode: u32) -> Result<(), FileError> {
	let write = || {
		let (staged, _) = stage(path, content, mode)?;
		step("replace", path);
		fs::rename(&staged, path)
	};
	write().map_err(failed("replace", path))
}

/// The content of the file, or `None` if there is none.
pub fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>, FileError> {
	match fs::read(path) {
		Ok(content) => Ok(Some(content)),
		Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
		Err(error) => Err(failed("read", path)(error)),
	}
}

/// Removes the file if there is one.
pub fn remove_if_there(path: &Path) -> Result<(), FileError> {
	remove(path).map_err(failed("remove", path))
}

/// Overwrites the file and removes it, if there is one. What a journalling file system or the flash below it keeps of the old
/// content is beyond the reach of a program: where that matters, the directory has to lie on an encrypted disk.
pub fn destroy(path: &Path) -> Result<(), FileError> {
	if !path.exists() {
		return Ok(());
	}
	let wipe = || {
		let mut file = OpenOptions::new().write(true).open(path)?;
		let len = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
		step("overwrite", path);
		file.write_all(&vec![0; len.min(1 << 20)])?;
		file.sync_all()?;
		step("remove", path);
		fs::remove_file(path)
	};
	wipe().map_err(failed("destroy", path))?;
	sync_parent(path)
}

/// Gives the file another name, in the same directory.
pub fn rename(from: &Path, to: &Path) -> Result<(), FileError> {
	step("rename", from);
	fs::rename(from, to).map_err(failed("rename", from))?;
	sync_parent(to)
}

/// Gives a directory that was laid ready the name that counts, in the same directory.
pub fn appear(staged: &Path, path: &Path) -> Result<(), FileError> {
	step("create", path);
	fs::rename(staged, path).map_err(failed("create", path))?;
	sync_parent(path)
}

/// Gives the file a second name.
pub fn link(path: &Path, second: &Path) -> Result<(), FileError> {
	step("link", second);
	fs::hard_link(path, second).map_err(failed("link", path))
}

/// Makes the symbolic link lead to `target`, where it led before or there at every moment.
pub fn point(path: &Path, target: &str) -> Result<(), FileError> {
	let staged = staging_path(path);
	remove_if_there(&staged)?;
	let write = || {
		step("create", &staged);
		symlink(target, &staged)?;
		step("replace", path);
		fs::rename(&staged, path)
	};
	write().map_err(failed("replace", path))?;
	sync_parent(path)
}

/// Lets a group have the file besides its owner, with this mode.
pub fn share(path: &Path, group: u32, mode: u32) -> Result<(), FileError> {
	step("share", path);
	chown(path, None, Some(group))
		.and_then(|()| fs::set_permissions(path, Permissions::from_mode(mode)))
		.map_err(failed("give the group", path))
}

/// Removes a directory that is empty.
pub fn remove_dir(path: &Path) -> Result<(), FileError> {
	step("remove", path);
	fs::remove_dir(path).map_err(failed("remove", path))
}

/// Removes a directory with all that is in it.
pub fn remove_tree(path: &Path) -> Result<(), FileError> {
	for entry in fs::read_dir(path).map_err(failed("list", path))? {
		let entry = entry.map_err(failed("list", path))?;
		let kind = entry.file_type().map_err(failed("list", path))?;
		if kind.is_dir() {
			remove_tree(&entry.path())?;
		} else {
			remove_if_there(&entry.path())?;
		}
	}
	remove_dir(path)
}

/// Destroys the files of this directory that were laid ready by somebody who was ended before they counted.
pub fn sweep(directory: &Path) -> Result<(), FileError> {
	let entries = match fs::read_dir(directory) {
		Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
		entries => entries.map_err(failed("list", directory))?,
	};
	for entry in entries {
		let entry = entry.map_err(failed("list", directory))?;
		let (name, path) = (entry.file_name(), entry.path());
		let name = name.to_string_lossy();
		let metadata = entry.metadata().map_err(failed("read", &path))?;
		if metadata.is_dir() || !(name.starts_with('.') && name.ends_with(STAGED)) {
			continue;
		}
		// What has a second name counts under that one by now.
		if metadata.is_file() && metadata.nlink() == 1 {
			destroy(&path)?;
		} else {
			remove_if_there(&path)?;
		}
	}
	Ok(())
}

fn remove(path: &Path) -> io::Result<()> {
	if fs::symlink_metadata(path).is_ok() {
		step("remove", path);
	}
	match fs::remove_file(path) {
		Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
		_ => Ok(()),
	}
}

/// Writes the content beside the file that it is for. The errors have no name, so that whoever reads them is told of
/// that file, and not of one that is there for a moment only.
fn stage(path: &Path, content: &[u8], mode: u32) -> io::Result<(PathBuf, File)> {
	let staged = staging_path(path);
	remove(&staged)?;
	let file = write_new(&staged, content, mode)?;
	Ok((staged, file))
}

fn write_new(path: &Path, content: &[u8], mode: u32) -> io::Result<File> {
	step("create", path);
	let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
	file.set_permissions(Permissions::from_mode(mode))?;
	step("write", path);
	file.write_all(content)?;
	Ok(file)
}

/// Waits until the entries of the directory are on the disk.
pub fn sync_dir(path: &Path) -> Result<(), FileError> {
	File::open(path).and_then(|dir| dir.sync_all()).map_err(failed("sync", path))
}

fn sync_parent(path: &Path) -> Result<(), FileError> {
	path.parent().map_or(Ok(()), |parent| {
		sync_dir(if parent.as_os_str().is_empty() { Path::new(".") } else { parent })
	})
}

fn staging_path(path: &Path) -> PathBuf {
	let name = path.file_name().unwrap_or_default().to_string_lossy();
	path.with_file_name(format!(".{name}{STAGED}"))
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::collections::BTreeSet;

	fn mode(path: &Path) -> u32 {
		fs::metadata(path).unwrap().permissions().mode() & 0o7777
	}

	#[test]
	fn a_file_is_never_overwritten_by_creating_it() {
		let dir = tempfile::tempdir().unwrap();
		let path = dir.path().join("key");
		create_whole(&path, b"first", SECRET).unwrap();
		assert!(create_whole(&path, b"second", SECRET).is_err());
		assert_eq!(fs::read(&path).unwrap(), b"first");
		assert_eq!(mode(&path), SECRET);
		assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing else is left behind");
	}

	#[test]
	fn a_replaced_file_has_its_mode_and_nothing_is_left_behind() {
		let dir = tempfile::tempdir().unwrap();
		let path = dir.path().join("journal");
		fs::write(dir.path().join(".journal.new"), b"half of it, from a crash").unwrap();
		replace(&path, b"1", SECRET).unwrap();
		replace(&path, b"2", SECRET).unwrap();
		replace_lazily(&path, b"3", PUBLIC).unwrap();
		assert_eq!(fs::read(&path).unwrap(), b"3");
		assert_eq!(mode(&path), PUBLIC);
		assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
	}

	#[test]
	fn an_error_names_the_file_that_was_meant() {
		let dir = tempfile::tempdir().unwrap();
		std::fs::write(dir.path().join("file"), "").unwrap();
		for parent in ["missing", "file"] {
			let path = dir.path().join(parent).join("journal");
			for write in [create, create_whole, replace, replace_lazily] {
				let error = write(&path, b"1", SECRET).unwrap_err();
				assert_eq!(error.path, path, "{error}");
			}
		}
	}

	#[test]
	fn a_link_in_the_way_leads_nothing_astray() {
		let dir = tempfile::tempdir().unwrap();
		let (path, other) = (dir.path().join("status.json"), dir.path().join("other"));
		fs::write(&other, b"other").unwrap();
		std::os::unix::fs::symlink(&other, dir.path().join(".status.json.new")).unwrap();
		replace_lazily(&path, b"status", PUBLIC).unwrap();
		assert_eq!(
			(fs::read(&path).unwrap(), fs::read(&other).unwrap()),
			(b"status".to_vec(), b"other".to_vec())
		);
	}

	#[test]
	fn what_lay_ready_for_somebody_who_was_ended_is_destroyed_and_nothing_else_is() {
		let dir = tempfile::tempdir().unwrap();
		let place = |name: &str| dir.path().join(name);
		sweep(&place("missing")).unwrap();
		for name in ["journal", ".journal.new", ".agreement.key.new", ".hidden", "new"] {
			fs::write(place(name), "secret").unwrap();
		}
		fs::write(place("agreement.key"), "secret").unwrap();
		fs::remove_file(place(".agreement.key.new")).unwrap();
		fs::hard_link(place("agreement.key"), place(".agreement.key.new")).unwrap();
		std::os::unix::fs::symlink("journal", place(".current.new")).unwrap();
		fs::create_dir(place(".7.new")).unwrap();
		sweep(dir.path()).unwrap();
		let names = fs::read_dir(dir.path()).unwrap().map(|it| it.unwrap().file_name());
		let kept: BTreeSet<_> = names.map(|it| it.into_string().unwrap()).collect();
		assert_eq!(
			kept,
			[".7.new", ".hidden", "agreement.key", "journal", "new"].map(Into::into).into()
		);
		for name in ["journal", "agreement.key"] {
			assert_eq!(fs::read(place(name)).unwrap(), b"secret", "{name}");
		}
	}

	#[test]
	fn a_file_that_is_not_there_is_no_error() {
		let dir = tempfile::tempdir().unwrap();
		assert_eq!(read_if_there(&dir.path().join("x")).unwrap(), None);
		remove_if_there(&dir.path().join("x")).unwrap();
		assert!(read_if_there(dir.path()).is_err(), "a directory is no file");
	}
}
