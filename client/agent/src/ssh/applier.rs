//! How a generation is made, tested and switched to.
//!
//! The steps are separate because the daemon writes its journal between them:
//! [`Applier::stage`], [`Applier::check`], journal, [`Applier::switch`], [`Applier::reload`], journal. Whatever fails, the
//! link still leads to the old generation or is led back to it.

use crate::{
	config::SshSettings,
	files::{self, FileError, PUBLIC, PUBLIC_DIR},
	ssh::{
		check::{CheckError, Checker, CommandError, read_back, run},
		delivered::{self, HostKey},
		layout::{Files, HOST_CERTIFICATE, Layout, PRINCIPALS, SSHD_CONF, read_files},
		state::SshState,
	},
};
use std::{ffi::OsString, fs, path::Path, time::Duration};

/// Why the new state is not in force.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
	/// A file cannot be read or written.
	#[error(transparent)]
	File(#[from] FileError),
	/// It did not pass its test.
	#[error(transparent)]
	Check(#[from] CheckError),
	/// sshd could not be told.
	#[error("sshd could not be reloaded: {0}")]
	Reload(#[source] CommandError),
	/// A key cannot be written in OpenSSH's form.
	#[error("a key cannot be written for sshd ({0}): deliver one of another type")]
	Key(#[from] ssh_key::Error),
}

/// A generation that lies ready.
#[derive(Debug, PartialEq, Eq)]
pub struct Staged {
	/// Its number.
	pub generation: u64,
	/// The one in force before it.
	pub previous: Option<u64>,
	/// Whether it differs in what sshd reads when it starts.
	pub needs_reload: bool,
}

/// Makes and switches generations.
#[derive(Clone, Debug)]
pub struct Applier {
	layout: Layout,
	checker: Checker,
	reload: Vec<OsString>,
	timeout: Duration,
	keep: usize,
}

impl Applier {
	/// The applier that these settings ask for.
	pub fn new(settings: &SshSettings) -> Self {
		Self {
			layout: Layout::new(&settings.directory, &settings.host_key),
			checker: Checker {
				sshd: settings.sshd.clone(),
				sshd_config: settings.sshd_config.clone(),
				timeout: settings.timeout(),
			},
			reload: settings.reload.iter().map(OsString::from).collect(),
			timeout: settings.timeout(),
			keep: settings.keep_generations,
		}
	}

	/// What lies where.
	pub fn layout(&self) -> &Layout {
		&self.layout
	}

	/// Makes generation 0 if there is no generation in force: no CA, nothing revoked, so that sshd can start before the
	/// device is enrolled.
	pub fn initialise(&self) -> Result<(), ApplyError> {
		if self.layout.current_generation().is_some() {
			return Ok(());
		}
		files::create_dir(self.layout.directory(), PUBLIC_DIR)?;
		files::create_dir(&self.layout.generations(), PUBLIC_DIR)?;
		if let Some(staged) = self.stage(&SshState::default().files(&self.layout)?)? {
			self.switch(staged.generation)?;
		}
		Ok(())
	}

	/// Lays a generation with these files ready, or tells with `None` that the one in force has exactly these.
	pub fn stage(&self, meant: &Files) -> Result<Option<Staged>, ApplyError> {
		let previous = self.layout.current_generation();
		let current = previous
			.map(|number| read_files(&self.layout.generation(number)).unwrap_or_default())
			.unwrap_or_default();
		if previous.is_some() && current == *meant {
			return Ok(None);
		}
		let generations = self.layout.generations();
		files::create_dir(&generations, PUBLIC_DIR)?;
		let numbers =
			self.layout.generation_numbers().map_err(files::failed("list", &generations))?;
		let generation = numbers.last().map_or(0, |last| last + 1);
		let staging = generations.join(format!(".{generation}.new"));
		if staging.exists() {
			// From a crash: it has no number yet, so nothing points to it.
			files::remove_tree(&staging)?;
		}
		let place = self.layout.generation(generation);
		write_files(&staging, meant).map_err(|error| in_place(error, &staging, &place))?;
		files::appear(&staging, &place)?;
		let start_files = [SSHD_CONF, HOST_CERTIFICATE];
		let needs_reload = previous.is_some()
			&& start_files.iter().any(|file| current.get(*file) != meant.get(*file));
		let staged = Staged { generation, previous, needs_reload };
		if let Err(error) = read_back(meant, &place) {
			self.discard(staged.generation);
			return Err(error.into());
		}
		Ok(Some(staged))
	}

	/// Whether the file of this delivered host key is as it should be.
	pub fn has_host_key(&self, key: &HostKey) -> bool {
		delivered::is_there(&self.layout, key)
	}

	/// Lays the file of a delivered host key ready, if it is not there as it should be; tells whether it was not.
	pub fn put_host_key(&self, key: &HostKey) -> Result<bool, ApplyError> {
		Ok(delivered::put(&self.layout, key)?)
	}

	/// Destroys the delivered host keys that the generation in force does not name. There is no way back behind it.
	pub fn tidy_host_keys(&self) -> Result<(), ApplyError> {
		let Some(current) = self.layout.current_generation() else { return Ok(()) };
		let path = self.layout.generation(current).join(SSHD_CONF);
		let text = fs::read_to_string(&path).map_err(files::failed("read", &path))?;
		let named = self.layout.delivered_host_key(&text);
		Ok(delivered::destroy_others(&self.layout, named.as_deref())?)
	}

	/// Lets sshd test the generation; one that does not pass is removed. `is_new` is whether it was just delivered.
	pub async fn check(&self, staged: &Staged, is_new: bool) -> Result<(), ApplyError> {
		let tested = self.checker.sshd(&self.layout, staged.generation, is_new).await;
		if tested.is_err() {
			self.discard(staged.generation);
		}
		Ok(tested?)
	}

	/// Puts a generation in force: `current` leads to the old one or the new one at every moment.
	pub fn switch(&self, generation: u64) -> Result<(), ApplyError> {
		Ok(files::point(&self.layout.current(), &format!("generations/{generation}"))?)
	}

	/// Tells sshd to read its configuration anew.
	pub async fn reload(&self) -> Result<(), ApplyError> {
		if self.reload.is_empty() {
			return Ok(());
		}
		run(&self.reload, self.timeout).await.map(drop).map_err(ApplyError::Reload)
	}

	/// Puts the generation before in force again, and tells sshd.
	pub async fn go_back(&self, previous: u64) -> Result<(), ApplyError> {
		let refused = self.layout.current_generation();
		// A link that leads nowhere would keep sshd from starting.
		if self.layout.generation(previous).is_dir() {
			self.switch(previous)?;
		}
		if let Some(generation) =
			refused.filter(|refused| Some(*refused) != self.layout.current_generation())
		{
			self.discard(generation);
		}
		self.reload().await
	}

	/// Removes old generations, but for the newest few up to the one in force, and what a crash left behind.
	pub fn prune(&self) -> Result<(), ApplyError> {
		let generations = self.layout.generations();
		let Some(current) = self.layout.current_generation() else { return Ok(()) };
		let numbers =
			self.layout.generation_numbers().map_err(files::failed("list", &generations))?;
		let kept: Vec<u64> = numbers
			.iter()
			.rev()
			.filter(|number| **number <= current)
			.take(self.keep)
			.copied()
			.collect();
		for number in numbers.into_iter().filter(|number| !kept.contains(number)) {
			files::remove_tree(&self.layout.generation(number))?;
		}
		Ok(())
	}

	/// A generation that is not in force may stay lying; it only costs space until the next pruning.
	fn discard(&self, generation: u64) {
		let place = self.layout.generation(generation);
		if let Err(error) = files::remove_tree(&place) {
			tracing::warn!(place = %place.display(), %error, "cannot remove a generation that was refused");
		}
	}
}

/// An error under the name that a generation will have: the one under which it is written is gone when somebody looks.
fn in_place(error: FileError, staging: &Path, place: &Path) -> FileError {
	let path = error.path.strip_prefix(staging).map(|name| place.join(name));
	match path {
		Ok(path) => FileError { path, ..error },
		Err(_) => error,
	}
}

fn write_files(directory: &Path, meant: &Files) -> Result<(), FileError> {
	files::create_dir(directory, PUBLIC_DIR)?;
	let principals = directory.join(PRINCIPALS);
	files::create_dir(&principals, PUBLIC_DIR)?;
	for (name, content) in meant {
		files::create(&directory.join(name), content, PUBLIC)?;
	}
	files::sync_dir(&principals)?;
	files::sync_dir(directory)
}
