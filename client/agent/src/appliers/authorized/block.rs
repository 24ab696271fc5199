//! The agent's block in somebody's `authorized_keys`.
//!
//! ```text
//! # BEGIN dpki-agent: changes between these lines are lost
//! ssh-ed25519 AAAA..
//! # END dpki-agent
//! ```
//!
//! Every byte outside the block stays as it is; a new block comes first, so that a last line without an end is none of the
//! agent's business either. Where the marks are not one pair the file is left alone: what is whose would be a guess.
//!
//! The directory belongs to a user: how the way to it is gone, and what is read there, is said in `appliers/place.rs`.

use crate::appliers::place::{Place, PlaceError, Rights};
use std::{io, path::Path};

const BEGIN: &str = "# BEGIN dpki-agent: changes between these lines are lost";
const END: &str = "# END dpki-agent";

/// The longest file that is read, in bytes: 256 keys of 8 KiB, and as much of the owner's own.
const MAX_LEN: usize = 4 << 20;

/// Why a block cannot be written. The file is as it was.
#[derive(Debug, thiserror::Error)]
pub enum BlockError {
	/// The file cannot be had.
	#[error(transparent)]
	Place(#[from] PlaceError),
	/// The marks of the block are not one pair.
	#[error(
		"has a broken block: remove the lines `{BEGIN}` and `{END}`, and what is the agent's between them"
	)]
	Broken,
}

/// The content with exactly these lines in the block, or without a block if there are none.
pub fn replace(content: &[u8], lines: &[String]) -> Result<Vec<u8>, BlockError> {
	let (before, after) = split(content)?.unwrap_or((&[], content));
	let mut text = before.to_vec();
	if !lines.is_empty() {
		for line in [BEGIN].into_iter().chain(lines.iter().map(String::as_str)).chain([END]) {
			text.extend_from_slice(line.as_bytes());
			text.push(b'\n');
		}
	}
	text.extend_from_slice(after);
	Ok(text)
}

/// What stands before and after the block.
fn split(content: &[u8]) -> Result<Option<(&[u8], &[u8])>, BlockError> {
	let (mut begin, mut end) = (None, None);
	let mut at = 0;
	for line in content.split_inclusive(|byte| *byte == b'\n') {
		let next = at + line.len();
		let words = line.trim_ascii();
		if words == BEGIN.as_bytes() && begin.replace(at).is_some()
			|| words == END.as_bytes() && end.replace(next).is_some()
		{
			return Err(BlockError::Broken);
		}
		at = next;
	}
	match (begin, end) {
		(None, None) => Ok(None),
		(Some(begin), Some(end)) if begin < end => {
			let (before, _) = content.split_at(begin);
			let (_, after) = content.split_at(end);
			Ok(Some((before, after)))
		},
		_ => Err(BlockError::Broken),
	}
}

/// Whether the block of this file has exactly these lines.
pub fn is_there(path: &Path, lines: &[String]) -> Result<bool, BlockError> {
	let found = match Place::open(path) {
		// Without a directory there is no file, and no block.
		Err(PlaceError::Io(error)) if error.kind() == io::ErrorKind::NotFound => None,
		place => place?.read(MAX_LEN)?,
	};
	match found {
		Some(found) => Ok(replace(&found.content, lines)? == *found.content),
		None => Ok(lines.is_empty()),
	}
}

/// Makes the block of this file have exactly these lines: old content or new content at every moment.
pub fn put(path: &Path, lines: &[String]) -> Result<(), BlockError> {
	if is_there(path, lines)? {
		return Ok(());
	}
	let place = Place::open(path)?;
	let found = place.read(MAX_LEN)?;
	let content = found.as_ref().map_or(&[][..], |found| found.content.as_slice());
	let content = replace(content, lines)?;
	// sshd refuses (`StrictModes`) what others can write, and a file of another owner.
	let rights = found.map_or(Rights { mode: 0o600, ..place.owner }, |found| found.rights);
	Ok(place.put(&content, rights)?)
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::{
		fs,
		os::unix::fs::{PermissionsExt, symlink},
	};

	fn lines(all: &[&str]) -> Vec<String> {
		all.iter().map(ToString::to_string).collect()
	}

	#[test]
	fn everything_outside_the_block_stays_byte_by_byte() {
		for outside in
			[&b""[..], b"ssh-rsa AAAA me\n", b"no end", b"\n\n# mine\r\n\xff\xfe", b"a\nb"]
		{
			let first = replace(outside, &lines(&["one", "two"])).unwrap();
			assert!(first.ends_with(outside));
			let own = [b"owner added this\n", &first[..], b"and that\n"].concat();
			let second = replace(&own, &lines(&["three"])).unwrap();
			let text = String::from_utf8_lossy(&second);
			assert!(text.contains("three") && !text.contains("one"), "{text}");
			let gone = replace(&second, &[]).unwrap();
			assert_eq!(gone, [b"owner added this\n", outside, b"and that\n"].concat());
			assert_eq!(replace(&first, &[]).unwrap(), outside);
		}
	}

	#[test]
	fn a_broken_block_is_left_alone() {
		let (begin, end) = (format!("{BEGIN}\n"), format!("{END}\n"));
		for broken in [
			begin.clone(),
			end.clone(),
			format!("{end}{begin}"),
			format!("{begin}{begin}{end}"),
			format!("{begin}{end}{end}"),
			format!("{begin}{end}{begin}{end}"),
		] {
			let replaced = replace(broken.as_bytes(), &lines(&["one"]));
			assert!(matches!(replaced, Err(BlockError::Broken)), "{broken}");
		}
	}

	#[test]
	fn a_file_keeps_its_mode_and_a_new_one_is_for_its_owner() {
		let dir = tempfile::tempdir().unwrap();
		let path = dir.path().join("authorized_keys");
		let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
		assert!(is_there(&path, &[]).unwrap());
		put(&path, &lines(&["one"])).unwrap();
		assert_eq!(mode(), 0o600);
		fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
		put(&path, &lines(&["two"])).unwrap();
		assert_eq!(mode(), 0o644);
		assert!(is_there(&path, &lines(&["two"])).unwrap());
		assert!(!is_there(&path, &lines(&["one"])).unwrap());
		put(&path, &[]).unwrap();
		assert_eq!(fs::read(&path).unwrap(), b"");
		assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing else is left behind");
	}

	#[test]
	fn nothing_behind_a_link_is_read_or_written() {
		let dir = tempfile::tempdir().unwrap();
		let (home, other) = (dir.path().join("home"), dir.path().join("other"));
		fs::create_dir(&home).unwrap();
		fs::create_dir(&other).unwrap();
		let secret = other.join("authorized_keys");
		fs::write(&secret, "secret").unwrap();
		let path = home.join("authorized_keys");
		symlink(&secret, &path).unwrap();
		assert!(matches!(put(&path, &lines(&["one"])), Err(BlockError::Place(PlaceError::Link))));
		symlink(&other, home.join(".ssh")).unwrap();
		let linked = put(&home.join(".ssh/authorized_keys"), &lines(&["one"]));
		assert!(matches!(linked, Err(BlockError::Place(PlaceError::Link))), "{linked:?}");
		fs::remove_file(&path).unwrap();
		fs::hard_link(&secret, &path).unwrap();
		assert!(matches!(
			put(&path, &lines(&["one"])),
			Err(BlockError::Place(PlaceError::Foreign))
		));
		assert_eq!(fs::read(&secret).unwrap(), b"secret");
		fs::remove_file(&path).unwrap();
		fs::create_dir(&path).unwrap();
		assert!(matches!(
			put(&path, &lines(&["one"])),
			Err(BlockError::Place(PlaceError::Foreign))
		));
	}

	#[test]
	fn a_directory_that_is_missing_is_an_error_only_for_keys() {
		let dir = tempfile::tempdir().unwrap();
		let path = dir.path().join("nobody/authorized_keys");
		put(&path, &[]).unwrap();
		assert!(matches!(put(&path, &lines(&["one"])), Err(BlockError::Place(PlaceError::Io(_)))));
	}

	#[test]
	fn a_file_that_is_too_long_is_left_alone() {
		let dir = tempfile::tempdir().unwrap();
		let path = dir.path().join("authorized_keys");
		fs::write(&path, vec![b'\n'; MAX_LEN + 1]).unwrap();
		assert!(matches!(
			put(&path, &lines(&["one"])),
			Err(BlockError::Place(PlaceError::TooLong(_)))
		));
	}
}
