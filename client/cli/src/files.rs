//! Files: secrets are born with mode 0600 and never overwrite anything; the rest is replaced in one step.

use crate::error::{Error, Result};
use std::{
	fs::{self, File, OpenOptions},
	io::{self, Read, Write},
	os::unix::fs::{OpenOptionsExt, PermissionsExt},
	path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// No key, certificate, bundle or voucher is larger; whatever is, was named by mistake.
const MAX_FILE_LEN: u64 = 1024 * 1024;

/// The test suites of other people have some ten megabytes.
const MAX_SUITE_LEN: u64 = 256 * 1024 * 1024;

fn file_error(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
	move |source| Error::File { doing, path: path.to_owned(), source }
}

/// Refuses if something lies at any of these paths, so that a pair of files is written as a whole or not at all.
pub fn refuse_existing(paths: &[&Path]) -> Result<()> {
	match paths.iter().find(|path| path.symlink_metadata().is_ok()) {
		Some(path) => Err(Error::Exists(path.to_path_buf())),
		None => Ok(()),
	}
}

/// Refuses a path at which nothing lies.
pub fn require(path: &Path) -> Result<()> {
	fs::metadata(path).map_err(file_error("read", path)).map(drop)
}

/// Writes a new file that only its owner can read.
pub fn write_secret(path: &Path, contents: &[u8]) -> Result<()> {
	write_new(path, contents, 0o600)
}

/// Writes a new file that everybody can read.
pub fn write_public(path: &Path, contents: &[u8]) -> Result<()> {
	write_new(path, contents, 0o644)
}

fn write_new(path: &Path, contents: &[u8], mode: u32) -> Result<()> {
	let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path).map_err(
		|source| match source.kind() {
			io::ErrorKind::AlreadyExists => Error::Exists(path.to_owned()),
			_ => Error::File { doing: "write", path: path.to_owned(), source },
		},
	)?;
	let written = file.write_all(contents).and_then(|()| file.sync_all());
	written.map_err(|source| {
		// Half a key is worse than none; if this fails too, the first error is the one to tell.
		let _ = fs::remove_file(path);
		Error::File { doing: "write", path: path.to_owned(), source }
	})
}

/// Replaces a public file in one step: readers see the old or the new contents, never half of one.
pub fn replace_public(path: &Path, contents: &[u8]) -> Result<()> {
	replace(path, contents, 0o644)
}

/// Replaces a file that only its owner can read, likewise.
pub fn replace_secret(path: &Path, contents: &[u8]) -> Result<()> {
	replace(path, contents, 0o600)
}

/// Has a file take the place of another one, in one step and on the disk.
pub fn rename(from: &Path, to: &Path) -> Result<()> {
	fs::rename(from, to).map_err(file_error("write", to))?;
	let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty());
	File::open(folder.unwrap_or(Path::new(".")))
		.and_then(|folder| folder.sync_all())
		.map_err(file_error("write", to))
}

fn replace(path: &Path, contents: &[u8], mode: u32) -> Result<()> {
	let mut temporary = path.as_os_str().to_owned();
	temporary.push(format!(".{}.tmp", std::process::id()));
	let temporary = PathBuf::from(temporary);
	// The person named the file, and not the one that comes before it.
	write_new(&temporary, contents, mode).map_err(|error| match error {
		Error::File { doing, source, .. } => Error::File { doing, path: path.to_owned(), source },
		error => error,
	})?;
	rename(&temporary, path).inspect_err(|_| {
		let _ = fs::remove_file(&temporary);
	})
}

/// Reads a file that may be secret; `-` is standard input.
pub fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>> {
	let contents = read_up_to(path, MAX_FILE_LEN)?;
	if contents.len() as u64 > MAX_FILE_LEN {
		let expected = "a key, a certificate or a voucher: it is larger than 1 MiB".to_owned();
		return Err(Error::WrongFile { path: path.to_owned(), expected });
	}
	Ok(contents)
}

/// Reads the blob of a runtime, of so many bytes at most.
pub fn read_blob(path: &Path, limit: usize) -> Result<Vec<u8>> {
	let mut contents = read_up_to(path, limit as u64)?;
	if contents.len() > limit {
		let expected = format!("a blob that fits into a block: it is larger than {limit} bytes");
		return Err(Error::WrongFile { path: path.to_owned(), expected });
	}
	Ok(std::mem::take(&mut *contents))
}

/// Reads a file of test cases; `-` is standard input.
pub fn read_suite(path: &Path) -> Result<String> {
	let mut contents = read_up_to(path, MAX_SUITE_LEN)?;
	if contents.len() as u64 > MAX_SUITE_LEN {
		let reason = "it is larger than 256 MiB".to_owned();
		return Err(Error::NotASuite { path: path.to_owned(), reason });
	}
	String::from_utf8(std::mem::take(&mut *contents))
		.map_err(|_| Error::NotASuite { path: path.to_owned(), reason: "it is no text".to_owned() })
}

/// The contents, or one byte more than `limit` of them.
fn read_up_to(path: &Path, limit: u64) -> Result<Zeroizing<Vec<u8>>> {
	// Room for everything that may be read, so that a growing buffer leaves no copies of a secret behind.
	let mut contents = Zeroizing::new(Vec::with_capacity(64 * 1024));
	let read = |contents: &mut Vec<u8>| -> io::Result<usize> {
		if path == Path::new("-") {
			return io::stdin().lock().take(limit + 1).read_to_end(contents);
		}
		let file = File::open(path)?;
		contents.reserve_exact(file.metadata()?.len().min(limit) as usize);
		file.take(limit + 1).read_to_end(contents)
	};
	read(&mut contents).map_err(file_error("read", path))?;
	Ok(contents)
}

/// Reads a text file that may be secret; `-` is standard input.
pub fn read_text(path: &Path) -> Result<Zeroizing<String>> {
	let bytes = read(path)?;
	match std::str::from_utf8(&bytes) {
		Ok(text) => Ok(Zeroizing::new(text.to_owned())),
		Err(_) => Err(Error::WrongFile { path: path.to_owned(), expected: "a text file".into() }),
	}
}

/// Refuses a secret that somebody other than its owner can read, as ssh does: it may be one no more.
pub fn refuse_exposed(path: &Path) -> Result<()> {
	let mode = fs::metadata(path).map_err(file_error("read", path))?.permissions().mode() & 0o777;
	if mode & 0o077 != 0 {
		return Err(Error::Exposed { path: path.to_owned(), mode });
	}
	Ok(())
}

/// `path` with `ending` behind its whole name: `ca` becomes `ca.pub`.
pub fn with_ending(path: &Path, ending: &str) -> PathBuf {
	let mut name = path.as_os_str().to_owned();
	name.push(ending);
	name.into()
}

#[cfg(test)]
mod tests {
	use super::*;

	fn mode(path: &Path) -> u32 {
		fs::metadata(path).unwrap().permissions().mode() & 0o777
	}

	#[test]
	fn a_secret_is_readable_by_its_owner_only_and_never_overwritten() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("secret");
		write_secret(&path, b"first").unwrap();
		assert_eq!(mode(&path), 0o600);
		assert!(matches!(write_secret(&path, b"second"), Err(Error::Exists(_))));
		assert_eq!(read(&path).unwrap().as_slice(), b"first");
	}

	#[test]
	fn an_existing_half_of_a_pair_is_noticed() {
		let folder = tempfile::tempdir().unwrap();
		let (private, public) = (folder.path().join("ca"), folder.path().join("ca.pub"));
		assert!(refuse_existing(&[&private, &public]).is_ok());
		write_public(&public, b"x").unwrap();
		assert!(
			matches!(refuse_existing(&[&private, &public]), Err(Error::Exists(path)) if path == public)
		);
	}

	#[test]
	fn a_public_file_is_replaced_without_leftovers() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("cert.pub");
		replace_public(&path, b"one").unwrap();
		replace_public(&path, b"two").unwrap();
		assert_eq!(read(&path).unwrap().as_slice(), b"two");
		assert_eq!(mode(&path) & 0o600, 0o600);
		assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
	}

	#[test]
	fn a_secret_file_is_replaced_and_stays_secret() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("state");
		replace_secret(&path, b"one").unwrap();
		replace_secret(&path, b"two").unwrap();
		assert_eq!((read(&path).unwrap().as_slice(), mode(&path)), (&b"two"[..], 0o600));
		assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
	}

	#[test]
	fn an_error_names_the_file_that_was_to_be_replaced() {
		let path = Path::new("/nonexistent/cert.pub");
		let error = replace_public(path, b"one").unwrap_err();
		assert!(matches!(error, Error::File { path: named, .. } if named == path));
	}

	#[test]
	fn a_file_that_is_far_too_large_is_refused() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("large");
		fs::write(&path, vec![0; MAX_FILE_LEN as usize + 1]).unwrap();
		assert!(matches!(read(&path), Err(Error::WrongFile { .. })));
	}

	#[test]
	fn a_secret_that_others_can_read_is_refused() {
		let folder = tempfile::tempdir().unwrap();
		let (secret, public) = (folder.path().join("s"), folder.path().join("p"));
		write_secret(&secret, b"x").unwrap();
		write_public(&public, b"x").unwrap();
		fs::set_permissions(&public, fs::Permissions::from_mode(0o644)).unwrap();
		assert!(refuse_exposed(&secret).is_ok());
		assert!(matches!(refuse_exposed(&public), Err(Error::Exposed { mode: 0o644, .. })));
	}
}
