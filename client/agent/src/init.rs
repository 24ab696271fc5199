//! Makes everything that the agent needs before it can be enrolled: configuration, keys, and a first generation with
//! which sshd can start.

use crate::{
	config::{Config, ConfigError},
	files::{self, FileError, PUBLIC},
	keys::{DeviceKeys, Fingerprint, KeyError},
	ssh::applier::{Applier, ApplyError},
};
use std::path::{Path, PathBuf};

/// Why nothing was made, or not everything.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
	/// The settings cannot be.
	#[error(transparent)]
	Config(#[from] ConfigError),
	/// There is a configuration already.
	#[error("{} exists and says something else: remove it, or give another path", .0.display())]
	Exists(PathBuf),
	/// A file cannot be read or written.
	#[error(transparent)]
	File(#[from] FileError),
	/// The keys cannot be made.
	#[error(transparent)]
	Keys(#[from] KeyError),
	/// The first generation cannot be made.
	#[error(transparent)]
	Apply(#[from] ApplyError),
}

/// What was made.
#[derive(Debug)]
pub struct Made {
	/// The configuration as written, with the host key in its place.
	pub config: Config,
	/// The public keys.
	pub keys: Vec<Fingerprint>,
	/// The line for sshd_config.
	pub include: String,
	/// The line for ssh_config.
	pub client_include: String,
}

/// Makes everything. What is there already is kept, so that an interrupted run can be repeated. `take_over` is an
/// existing host key; without it one is made and `config.ssh.host_key` is set to it.
pub fn init(path: &Path, mut config: Config, take_over: Option<&Path>) -> Result<Made, InitError> {
	config.ssh.host_key =
		take_over.map_or_else(|| config.state.join("host_key"), Path::to_path_buf);
	config.validate()?;
	std::fs::metadata(&config.chain.spec).map_err(files::failed("find", &config.chain.spec))?;
	let text = config.to_toml();
	let before = files::read_if_there(path)?;
	if before.as_ref().is_some_and(|before| before != text.as_bytes()) {
		return Err(InitError::Exists(path.into()));
	}
	let comment = format!("{}@{}", config.device, config.organisation);
	let (keys, _) = DeviceKeys::create(&config.state, take_over, &comment)?;
	let applier = Applier::new(&config.ssh);
	applier.initialise()?;
	if before.is_none() {
		if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
			std::fs::create_dir_all(parent).map_err(files::failed("create", parent))?;
		}
		files::create_whole(path, text.as_bytes(), PUBLIC)?;
	}
	let layout = applier.layout();
	Ok(Made {
		config,
		keys: keys.fingerprints(),
		include: layout.include_line(),
		client_include: layout.client_include_line(),
	})
}
