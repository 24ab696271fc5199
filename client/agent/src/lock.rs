//! One agent at a time: two on the same state would write over each other's journal and generations.
//!
//! Whoever runs holds an exclusive advisory lock on a file in the state directory. It belongs to the process and not to
//! the file: the kernel gives it back however the process ends, and a file that is left behind means nothing.

use crate::files::{self, FileError, SECRET};
use std::{
	fs::{File, OpenOptions, TryLockError},
	io::{self, Read, Write},
	os::unix::fs::OpenOptionsExt,
	path::{Path, PathBuf},
	time::Duration,
};

const FILE: &str = "lock";

/// How often and at what distance the lock is tried while somebody only looks at it, which takes microseconds.
const ATTEMPTS: u32 = 500;
const PAUSE: Duration = Duration::from_millis(10);

/// Why the state directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
	/// The lock cannot be tried.
	#[error(transparent)]
	File(#[from] FileError),
	/// It is held.
	#[error(
		"another agent ({}) uses the state directory {}: stop it first, or give this device a state directory of its own",
		process(*pid),
		state.display()
	)]
	Held {
		/// What is locked.
		state: PathBuf,
		/// Whose it is; `None` if the process has not said so yet.
		pid: Option<u32>,
	},
}

/// The right to use a state directory, until this is dropped.
#[derive(Debug)]
pub struct StateLock(File);

/// What can be seen of an agent from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
	/// One uses the state directory.
	Running {
		/// Its process; `None` if it has not said so yet.
		pid: Option<u32>,
	},
	/// None does.
	Absent,
	/// Whoever asks may not look.
	Hidden,
}

impl StateLock {
	/// Takes the lock, or tells who has it.
	pub fn acquire(state: &Path) -> Result<Self, LockError> {
		Self::acquire_with(state, || std::thread::sleep(PAUSE))
	}

	fn acquire_with(state: &Path, mut pause: impl FnMut()) -> Result<Self, LockError> {
		let path = state.join(FILE);
		let mut file = OpenOptions::new()
			.read(true)
			.write(true)
			.create(true)
			.truncate(false)
			.mode(SECRET)
			.open(&path)
			.map_err(files::failed("open", &path))?;
		for _ in 0..ATTEMPTS {
			if succeeded(file.try_lock()).map_err(files::failed("lock", &path))? {
				if let Err(error) = write_pid(&mut file) {
					// The lock counts, not the number.
					tracing::warn!(%error, path = %path.display(), "the process is not named in the lock");
				}
				return Ok(Self(file));
			}
			// Whoever looks shares the lock, whoever uses the directory does not.
			if !succeeded(file.try_lock_shared()).map_err(files::failed("lock", &path))? {
				break;
			}
			file.unlock().map_err(files::failed("unlock", &path))?;
			pause();
		}
		Err(LockError::Held { state: state.into(), pid: read_pid(&mut file) })
	}
}

impl Drop for StateLock {
	fn drop(&mut self) {
		// A child that was just forked has the file open until it becomes another program; it must not keep the lock.
		if let Err(error) = self.0.unlock() {
			tracing::debug!(%error, "the lock goes with the process");
		}
	}
}

/// Whether an agent uses this state directory. The lock is shared for a moment, never taken.
pub fn presence(state: &Path) -> Presence {
	let mut file = match File::open(state.join(FILE)) {
		Ok(file) => file,
		Err(error) if error.kind() == io::ErrorKind::NotFound => return Presence::Absent,
		Err(_) => return Presence::Hidden,
	};
	match succeeded(file.try_lock_shared()) {
		Ok(true) => Presence::Absent,
		Ok(false) => Presence::Running { pid: read_pid(&mut file) },
		Err(_) => Presence::Hidden,
	}
}

fn succeeded(tried: Result<(), TryLockError>) -> io::Result<bool> {
	match tried {
		Ok(()) => Ok(true),
		Err(TryLockError::WouldBlock) => Ok(false),
		Err(TryLockError::Error(error)) => Err(error),
	}
}

fn write_pid(file: &mut File) -> io::Result<()> {
	file.set_len(0)?;
	writeln!(file, "{}", std::process::id())
}

fn read_pid(file: &mut File) -> Option<u32> {
	let mut text = String::new();
	file.take(32).read_to_string(&mut text).ok()?;
	text.trim().parse().ok()
}

/// A process in words.
pub(crate) fn process(pid: Option<u32>) -> String {
	pid.map_or("a process that has just begun".into(), |pid| format!("process {pid}"))
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_directory_has_one_user_who_is_named() {
		let dir = tempfile::tempdir().unwrap();
		let pid = Some(std::process::id());
		assert_eq!(presence(dir.path()), Presence::Absent);
		let lock = StateLock::acquire(dir.path()).unwrap();
		assert_eq!(presence(dir.path()), Presence::Running { pid });
		let error = StateLock::acquire(dir.path()).unwrap_err();
		assert!(matches!(&error, LockError::Held { pid: named, .. } if *named == pid), "{error}");
		assert!(error.to_string().contains(&format!("process {}", std::process::id())), "{error}");
		drop(lock);
		assert_eq!(presence(dir.path()), Presence::Absent, "the file alone means nothing");
		StateLock::acquire(dir.path()).unwrap();
	}

	#[test]
	fn the_name_of_the_user_before_is_gone() {
		let dir = tempfile::tempdir().unwrap();
		std::fs::write(dir.path().join(FILE), "12345678901234567890\n").unwrap();
		let _lock = StateLock::acquire(dir.path()).unwrap();
		let named = std::fs::read_to_string(dir.path().join(FILE)).unwrap();
		assert_eq!(named, format!("{}\n", std::process::id()));
	}

	#[test]
	fn whoever_only_looks_keeps_nobody_out() {
		let dir = tempfile::tempdir().unwrap();
		drop(StateLock::acquire(dir.path()).unwrap());
		let looking = File::open(dir.path().join(FILE)).unwrap();
		looking.try_lock_shared().unwrap();
		let mut pauses = 0;
		let lock = StateLock::acquire_with(dir.path(), || {
			pauses += 1;
			looking.unlock().unwrap();
		});
		assert!(lock.is_ok() && pauses == 1, "{lock:?} after {pauses} pauses");
	}

	#[test]
	fn what_cannot_be_looked_at_is_not_taken_for_absent() {
		let file = tempfile::NamedTempFile::new().unwrap();
		assert_eq!(presence(file.path()), Presence::Hidden);
		assert!(matches!(StateLock::acquire(file.path()), Err(LockError::File(_))));
	}
}
