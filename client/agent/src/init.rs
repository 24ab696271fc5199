//! Makes everything that the agent needs before it can be enrolled: configuration, keys, and a first generation with
//! which sshd can start.

use crate::{
	config::{Config, ConfigError},
	connect::{ConnectError, check_genesis},
	files::{self, FileError, PUBLIC},
	keys::{DeviceKeys, Fingerprint, KeyError, read_host_key},
	seal::{SealError, Vault},
	ssh::applier::{Applier, ApplyError},
};
use std::{
	collections::{BTreeMap, BTreeSet},
	os::unix::fs::PermissionsExt,
	path::{Path, PathBuf},
};

/// Why nothing was made, or not everything.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
	/// The settings cannot be.
	#[error(transparent)]
	Config(#[from] ConfigError),
	/// There is a configuration already. Nothing was made.
	#[error(
		"{} exists, and in it {differences}: give the same values, or edit or remove the file, which does not touch the \
		 keys in {}",
		path.display(),
		state.display()
	)]
	Exists {
		/// Where it lies.
		path: PathBuf,
		/// Which settings are different, with both values.
		differences: String,
		/// Where the keys lie by that configuration.
		state: PathBuf,
	},
	/// There is no such program. Nothing was made.
	#[error(
		"{} is no program: install OpenSSH's server, which tests every configuration, or say with --sshd where it is",
		.0.display()
	)]
	Sshd(PathBuf),
	/// The chain specification cannot be used, or is that of another chain. Nothing was made.
	#[error(transparent)]
	Chain(#[from] ConnectError),
	/// A file cannot be read or written.
	#[error(transparent)]
	File(#[from] FileError),
	/// The state cannot be sealed, or not be opened.
	#[error(transparent)]
	Seal(#[from] SealError),
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

/// Makes everything, once it is known that the chain specification has the genesis that the configuration pins. What is
/// there already is kept, so that an interrupted run can be repeated. `take_over` is an existing host key; without it one
/// is made and `config.ssh.host_key` is set to it.
pub async fn init(
	path: &Path,
	config: Config,
	take_over: Option<&Path>,
) -> Result<Made, InitError> {
	let config = with_host_key(config, take_over);
	check(path, &config, take_over)?;
	check_genesis(&config).await?;
	let vault = Vault::begin(&config).await?;
	make_in(&vault, path, config, take_over)
}

/// The part of [`init`] that needs no chain: the specification has to be there, and is not read. The state is not sealed.
pub fn make(path: &Path, config: Config, take_over: Option<&Path>) -> Result<Made, InitError> {
	make_in(&Vault::open_state(&config.state), path, config, take_over)
}

/// The same in a state directory that may be sealed.
pub fn make_in(
	vault: &Vault,
	path: &Path,
	config: Config,
	take_over: Option<&Path>,
) -> Result<Made, InitError> {
	let config = with_host_key(config, take_over);
	let exists = check(path, &config, take_over)?;
	let comment = format!("{}@{}", config.device, config.organisation);
	let (keys, _) = DeviceKeys::create(vault, take_over, &comment)?;
	let applier = Applier::new(&config.ssh);
	applier.initialise()?;
	if exists {
		files::clear(path)?;
	} else {
		files::create_parents(path)?;
		files::create_whole(path, config.to_toml().as_bytes(), PUBLIC)?;
	}
	let layout = applier.layout();
	Ok(Made {
		config,
		keys: keys.fingerprints(),
		include: layout.include_line(),
		client_include: layout.client_include_line(),
	})
}

fn with_host_key(mut config: Config, take_over: Option<&Path>) -> Config {
	config.ssh.host_key =
		take_over.map_or_else(|| config.state.join("host_key"), Path::to_path_buf);
	config
}

/// Whether everything is there that nobody but the caller can bring. Tells whether the configuration is there as well.
fn check(path: &Path, config: &Config, take_over: Option<&Path>) -> Result<bool, InitError> {
	config.validate()?;
	let exists = check_existing(path, config)?;
	for needed in [Some(&config.chain.spec), config.ssh.sshd_config.as_ref()]
		.into_iter()
		.flatten()
	{
		std::fs::metadata(needed).map_err(files::failed("find", needed))?;
	}
	let sshd = &config.ssh.sshd;
	let is_program = std::fs::metadata(sshd)
		.is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0);
	if !is_program {
		return Err(InitError::Sshd(sshd.clone()));
	}
	take_over.map(read_host_key).transpose()?;
	Ok(exists)
}

/// Whether there is a configuration already; an error if it says anything else.
fn check_existing(path: &Path, config: &Config) -> Result<bool, InitError> {
	let Some(text) = files::read_if_there(path)? else { return Ok(false) };
	let before = Config::parse(&String::from_utf8_lossy(&text), path)?;
	if before == *config {
		return Ok(true);
	}
	let (old, new) = (before.settings(), config.settings());
	let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
	let value = |settings: &BTreeMap<String, String>, name: &str| {
		settings.get(name).cloned().unwrap_or_else(|| "not set".into())
	};
	let differences: Vec<String> = names
		.into_iter()
		.filter(|name| old.get(*name) != new.get(*name))
		.map(|name| format!("{name} is {}, not {}", value(&old, name), value(&new, name)))
		.collect();
	Err(InitError::Exists {
		path: path.into(),
		differences: differences.join(", "),
		state: before.state,
	})
}
