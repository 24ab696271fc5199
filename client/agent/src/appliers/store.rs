//! Generations of files, some of which are secret, of which one is in force.
//!
//! ```text
//! <directory>/current -> generations/7    the generation in force, switched by one rename
//! <directory>/generations/7/..            its files; those that are secret for the agent, or for one group besides
//! <directory>/unsettled                   while there is a way back: the generation before, or `none`
//! ```
//!
//! A generation never changes once it has its number. Those that are not in force any more are overwritten and removed
//! when there is no way back to them.

use super::{ApplyError, Steps};
use crate::{
	files::{self, FileError, PUBLIC, PUBLIC_DIR, SECRET},
	ssh::layout::Layout,
};
use std::{
	collections::BTreeMap,
	fs, io,
	path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// The files of a generation by their names.
pub type Files = BTreeMap<&'static str, Zeroizing<Vec<u8>>>;

const UNSETTLED: &str = "unsettled";
const NONE: &str = "none";

/// Mode of secret files that a group may read.
const GROUP_SECRET: u32 = 0o640;

/// A directory of generations.
pub(super) struct Store {
	name: String,
	layout: Layout,
	/// Every name that a file of it can have, and whether that file is secret.
	names: &'static [(&'static str, bool)],
	group: Option<u32>,
	steps: Steps,
}

impl Store {
	pub(super) fn new(
		name: &str,
		directory: &Path,
		names: &'static [(&'static str, bool)],
		group: Option<u32>,
		steps: &Steps,
	) -> Self {
		let layout = Layout::new(directory, Path::new(""));
		Self { name: name.into(), layout, names, group, steps: steps.clone() }
	}

	pub(super) fn current(&self) -> Option<u64> {
		self.layout.current_generation()
	}

	/// The files of a generation; `None` if they cannot be read, or there are others.
	pub(super) fn read(&self, generation: u64) -> Option<Files> {
		let place = self.layout.generation(generation);
		let mut found = Files::new();
		for entry in fs::read_dir(&place).ok()? {
			let name = entry.ok()?.file_name();
			let &(name, _) = self.names.iter().find(|(known, _)| *known == name)?;
			found.insert(name, Zeroizing::new(fs::read(place.join(name)).ok()?));
		}
		Some(found)
	}

	/// Lays a generation with these files ready and reads it back.
	pub(super) fn stage(&self, meant: &Files) -> Result<u64, ApplyError> {
		self.steps.pass(&self.name, "stage");
		let generations = self.layout.generations();
		files::create_dir(self.layout.directory(), PUBLIC_DIR)?;
		files::create_dir(&generations, PUBLIC_DIR)?;
		let numbers =
			self.layout.generation_numbers().map_err(files::failed("list", &generations))?;
		let generation = numbers.last().map_or(0, |last| last + 1);
		let staging = generations.join(format!(".{generation}.new"));
		destroy(&staging)?;
		files::create_dir(&staging, PUBLIC_DIR)?;
		for (name, content) in meant {
			let path = staging.join(name);
			files::create(&path, content, if self.is_secret(name) { SECRET } else { PUBLIC })?;
			if let Some(group) = self.group.filter(|_| self.is_secret(name)) {
				files::share(&path, group, GROUP_SECRET)?;
			}
		}
		files::sync_dir(&staging)?;
		self.steps.pass(&self.name, "number");
		let place = self.layout.generation(generation);
		files::appear(&staging, &place)?;
		let found = self.read(generation).unwrap_or_default();
		for name in meant.keys().chain(found.keys()) {
			if meant.get(name) != found.get(name) {
				let file = place.join(name).display().to_string();
				return Err(ApplyError::ReadBack { applier: self.name.clone(), file });
			}
		}
		Ok(generation)
	}

	/// The generation to go back to, `Some(None)` if there was none before; `None` if there is no way back.
	pub(super) fn unsettled(&self) -> Result<Option<Option<u64>>, FileError> {
		let Some(bytes) = files::read_if_there(&self.mark())? else { return Ok(None) };
		let text = String::from_utf8_lossy(&bytes);
		let number = text.trim().parse().ok();
		// What cannot be read leads nowhere but to what is in force.
		Ok(Some(if text.trim() == NONE { None } else { number.or(self.current()) }))
	}

	/// Keeps the way back open. From here on whoever reads the files may not know of them.
	pub(super) fn unsettle(&self, previous: Option<u64>) -> Result<(), FileError> {
		self.steps.pass(&self.name, "mark");
		files::create_dir(self.layout.directory(), PUBLIC_DIR)?;
		let text = previous.map_or(NONE.to_owned(), |number| number.to_string());
		files::replace(&self.mark(), format!("{text}\n").as_bytes(), PUBLIC)
	}

	/// Puts a generation in force, or none.
	pub(super) fn switch(&self, generation: Option<u64>) -> Result<(), FileError> {
		self.steps.pass(&self.name, "switch");
		let current = self.layout.current();
		match generation {
			Some(number) => files::point(&current, &format!("generations/{number}")),
			None => {
				files::remove_if_there(&current)?;
				files::sync_dir(self.layout.directory())
			},
		}
	}

	/// Closes the way back, and destroys every generation but the one in force.
	pub(super) fn settle(&self) -> Result<(), FileError> {
		let generations = self.layout.generations();
		if !generations.is_dir() {
			return Ok(());
		}
		self.steps.pass(&self.name, "settle");
		files::remove_if_there(&self.mark())?;
		self.prune()
	}

	/// Destroys every generation but the one in force.
	pub(super) fn prune(&self) -> Result<(), FileError> {
		let generations = self.layout.generations();
		let current = self.current().map(|number| number.to_string());
		let entries = fs::read_dir(&generations).map_err(files::failed("list", &generations))?;
		for entry in entries {
			let entry = entry.map_err(files::failed("list", &generations))?;
			if Some(entry.file_name().to_string_lossy().into_owned()) != current {
				self.steps.pass(&self.name, "prune");
				destroy(&entry.path())?;
			}
		}
		Ok(())
	}

	/// Destroys what a crash left behind that leads nowhere. As long as there is a way back all of it may be needed.
	pub(super) fn sweep(&self) -> Result<(), FileError> {
		if self.current().is_none() || self.unsettled()?.is_some() {
			return Ok(());
		}
		let generations = self.layout.generations();
		let count =
			fs::read_dir(&generations).map_err(files::failed("list", &generations))?.count();
		if count > 1 { self.settle() } else { Ok(()) }
	}

	/// The directory itself.
	pub(super) fn directory(&self) -> &Path {
		self.layout.directory()
	}

	fn mark(&self) -> PathBuf {
		self.layout.directory().join(UNSETTLED)
	}

	fn is_secret(&self, name: &str) -> bool {
		self.names.iter().any(|(known, is_secret)| *known == name && *is_secret)
	}
}

/// Overwrites and removes the files of a directory, and removes it.
fn destroy(directory: &Path) -> Result<(), FileError> {
	let entries = match fs::read_dir(directory) {
		Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
		entries => entries.map_err(files::failed("list", directory))?,
	};
	for entry in entries {
		let entry = entry.map_err(files::failed("list", directory))?;
		files::destroy(&entry.path())?;
	}
	files::remove_dir(directory)
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::os::unix::fs::PermissionsExt;

	const NAMES: &[(&str, bool)] = &[("open", false), ("closed", true)];

	fn store(dir: &Path) -> Store {
		Store::new("test", dir, NAMES, None, &Steps::default())
	}

	fn files_of(text: &str) -> Files {
		let bytes = || Zeroizing::new(text.as_bytes().to_vec());
		Files::from([("open", bytes()), ("closed", bytes())])
	}

	#[test]
	fn what_is_secret_is_for_the_owner_only() {
		let dir = tempfile::tempdir().unwrap();
		let store = store(dir.path());
		let number = store.stage(&files_of("1")).unwrap();
		store.switch(Some(number)).unwrap();
		let mode = |name: &str| {
			let path = dir.path().join("current").join(name);
			fs::metadata(path).unwrap().permissions().mode() & 0o777
		};
		assert_eq!((mode("open"), mode("closed")), (PUBLIC, SECRET));
	}

	#[test]
	fn nothing_but_what_is_in_force_is_left_once_it_is_settled() {
		let dir = tempfile::tempdir().unwrap();
		let store = store(dir.path());
		for text in ["1", "2", "3"] {
			let previous = store.current();
			let number = store.stage(&files_of(text)).unwrap();
			store.unsettle(previous).unwrap();
			store.switch(Some(number)).unwrap();
			assert_eq!(store.unsettled().unwrap(), Some(previous));
		}
		// From a crash.
		fs::create_dir(dir.path().join("generations/.9.new")).unwrap();
		fs::write(dir.path().join("generations/.9.new/closed"), "half").unwrap();
		store.settle().unwrap();
		assert_eq!(store.unsettled().unwrap(), None);
		assert_eq!(fs::read_dir(dir.path().join("generations")).unwrap().count(), 1);
		assert_eq!(store.read(store.current().unwrap()).unwrap(), files_of("3"));
	}

	#[test]
	fn a_file_that_nobody_meant_makes_a_generation_another_one() {
		let dir = tempfile::tempdir().unwrap();
		let store = store(dir.path());
		let number = store.stage(&files_of("1")).unwrap();
		fs::write(dir.path().join("generations/0/more"), "").unwrap();
		assert_eq!(store.read(number), None);
	}
}
