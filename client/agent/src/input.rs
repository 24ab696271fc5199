//! What a command is given on its standard input: a file that lies in memory only, and that nobody can change any more.
//!
//! A pipe has to be written to while the command runs. One that does not read could hold the agent up; and where the
//! agent is killed meanwhile the command takes the end of what came for the end of all, or for nothing at all, which
//! means that there is no content any more. Here all of it is there before the command is started, however long it is,
//! and stays there for as long as the command wants to read. The kernel forgets it with the last process that has it
//! open.

use rustix::{
	fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create},
	io::Errno,
};
use std::{
	fs::File,
	io::{self, Seek, Write},
};

/// What it is called where the open files of a process are listed.
const NAME: &str = "dpki-agent input";

/// A file with this content, from its beginning.
pub(crate) fn sealed(content: &[u8]) -> io::Result<File> {
	let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
	let made = match memfd_create(NAME, flags | MemfdFlags::NOEXEC_SEAL) {
		// Linux before 6.3 does not know that a file is not to be run.
		Err(Errno::INVAL) => memfd_create(NAME, flags),
		made => made,
	};
	let mut file = File::from(made?);
	file.write_all(content)?;
	file.rewind()?;
	fcntl_add_seals(
		&file,
		SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL,
	)?;
	Ok(file)
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::io::Read;

	#[test]
	fn what_is_sealed_is_read_as_it_was_and_changed_by_nobody() {
		for content in [&b""[..], b"a key", &[7; 1 << 20]] {
			let mut file = sealed(content).unwrap();
			assert!(file.write_all(b"another").is_err());
			assert!(file.set_len(0).is_err() || content.is_empty());
			assert!(file.set_len(2 << 20).is_err());
			let mut found = Vec::new();
			file.rewind().unwrap();
			file.read_to_end(&mut found).unwrap();
			assert_eq!(found, content);
		}
	}
}
