//! The unit of systemd that `dpki-agent install` writes: the one in this crate, with the paths of this configuration.
//!
//! It takes everything away from the agent that it does not need: which files it can write, which system calls it can make,
//! which rights of root it keeps. What the configuration names can be written, and whatever else is said with `writable`.
//!
//! What appliers write need not be there: systemd passes over it, and it cannot be written until the agent is started again.
//! So `dpki-agent install` makes their directories. Those of somebody's `authorized_keys` and keys are for their owner to make.
//! Beside it lies [`EARLY`], the unit of `dpki-agent lapse`, which needs no network and no key and writes the same places.
//!
//! Homes are hidden from the agent, unless something in them is to be written: then it sees them all, and writes only that.

use crate::{
	config::Config,
	files::{self, FileError, PUBLIC, PUBLIC_DIR},
	seal::SealSettings,
};
use std::{
	collections::BTreeSet,
	path::{Path, PathBuf},
};

/// The unit for the usual places.
const UNIT: &str = include_str!("../../dpki-agent.service");
/// The one that takes away what has ended before sshd starts, for the usual places.
const EARLY_UNIT: &str = include_str!("../../dpki-agent-lapse.service");
/// The name of its file, beside the other one.
pub const EARLY: &str = "dpki-agent-lapse.service";
/// Where systemd looks for encrypted credentials.
const CREDENTIALS: &str = "/etc/credstore.encrypted";
/// The state directory that systemd makes.
const STATE: &str = "/var/lib/dpki-agent";
/// Where systemd makes room for status and socket.
const RUNTIME: &str = "/run/dpki-agent";

/// What `ProtectHome=yes` hides, whatever else the unit says.
const HOMES: [&str; 3] = ["/root", "/home", "/run/user"];

/// What the unit is to say.
#[derive(Clone, Debug)]
pub struct Installation<'a> {
	/// The agent's program.
	pub program: &'a Path,
	/// Its configuration file.
	pub config_path: &'a Path,
	/// What is in it.
	pub config: &'a Config,
	/// The file of the credential that `service.seal` names; by default where systemd looks for it, encrypted.
	pub credential: Option<&'a Path>,
	/// Whether the credential is not encrypted.
	pub credential_is_plain: bool,
	/// Further directories that the agent may write to.
	pub writable: &'a [PathBuf],
}

/// Why there is no unit.
#[derive(Debug, thiserror::Error)]
pub enum UnitError {
	/// A path cannot stand in a unit.
	#[error(
		"the path {} cannot stand in a unit: use an absolute path of letters, digits and / . _ - + @",
		.0.display()
	)]
	Path(PathBuf),
	/// There is another unit.
	#[error("{} exists and says something else: look at it, and give --replace to write over it", .0.display())]
	Exists(PathBuf),
	/// The file cannot be read or written.
	#[error(transparent)]
	File(#[from] FileError),
}

/// The text of the unit.
pub fn text(installation: &Installation<'_>) -> Result<String, UnitError> {
	let Installation { program, config_path, config, .. } = installation;
	let (state, default_state) = (plain(&config.state)?, config.state == Path::new(STATE));
	let mut writable = vec![plain(&config.ssh.directory)?];
	let socket = config.service.api.as_ref().map(|api| &api.socket);
	for file in [config.status_file.as_ref(), socket].into_iter().flatten() {
		let directory = file.parent().unwrap_or(file);
		if directory != Path::new(RUNTIME) && directory != config.state {
			writable.push(plain(directory)?);
		}
	}
	if !default_state {
		writable.push(state);
	}
	writable.extend(further(installation)?);
	let needs_homes = writable.iter().any(|path| is_in_home(path));
	let mut lines = Vec::new();
	for line in UNIT.lines() {
		match line.split_once('=').map_or("", |(name, _)| name) {
			"ExecStart" => {
				let (program, path) = (plain(program)?, plain(config_path)?);
				lines.push(format!("ExecStart={program} run --config {path}"));
				lines.extend(credential(installation)?);
			},
			"ReadWritePaths" => lines.push(format!("ReadWritePaths={}", writable.join(" "))),
			"ProtectHome" if needs_homes => lines.push("ProtectHome=read-only".into()),
			"StateDirectory" | "StateDirectoryMode" if !default_state => {},
			"PrivateDevices" if needs_tpm(config) => {
				lines.push("# The program that prints the seal key asks the TPM.".into());
				lines.push("DevicePolicy=closed".into());
				lines.push("DeviceAllow=/dev/tpmrm0 rw".into());
			},
			_ => lines.push(line.into()),
		}
	}
	lines.push(String::new());
	Ok(lines.join("\n"))
}

/// The text of the unit [`EARLY`].
pub fn early_text(installation: &Installation<'_>) -> Result<String, UnitError> {
	let Installation { program, config_path, config, .. } = installation;
	let mut writable = vec![plain(&config.ssh.directory)?, plain(&config.state)?];
	writable.extend(further(installation)?);
	// What is not there is open to nobody, and must not keep the rest open.
	let optional = writable.iter().map(|path| format!("-{}", path.trim_start_matches('-')));
	let optional = optional.collect::<Vec<_>>().join(" ");
	let mut lines = Vec::new();
	for line in EARLY_UNIT.lines() {
		lines.push(match line.split_once('=').map_or("", |(name, _)| name) {
			"ExecStart" => {
				let (program, path) = (plain(program)?, plain(config_path)?);
				format!("ExecStart={program} lapse --config {path}")
			},
			"ReadWritePaths" => format!("ReadWritePaths={optional}"),
			"ProtectHome" if writable.iter().any(|path| is_in_home(path)) => {
				"ProtectHome=read-only".into()
			},
			_ => line.into(),
		});
	}
	lines.push(String::new());
	Ok(lines.join("\n"))
}

/// What can be written beside the agent's own directories: what appliers write, if it is there, and what is said.
fn further(installation: &Installation<'_>) -> Result<Vec<String>, UnitError> {
	let (directories, others) = applied(installation.config);
	let mut writable = Vec::new();
	for directory in directories.iter().chain(&others) {
		writable.push(format!("-{}", plain(directory)?));
	}
	for directory in installation.writable {
		writable.push(plain(directory)?);
	}
	Ok(writable)
}

fn is_in_home(path: &str) -> bool {
	let path = Path::new(path.trim_start_matches('-'));
	HOMES.iter().any(|home| path.starts_with(home))
}

/// Makes the directories of the appliers that are not there.
pub fn make_directories(config: &Config) -> Result<(), FileError> {
	let (directories, _) = applied(config);
	let mut missing = directories.iter().filter(|directory| !directory.exists());
	missing.try_for_each(|directory| files::create_dir(directory, PUBLIC_DIR))
}

/// What appliers write: their own directories, and those of others.
fn applied(config: &Config) -> (Vec<&Path>, Vec<&Path>) {
	let settings = &config.apply;
	let keys = settings.authorized_keys.as_ref();
	let tls = settings.tls.values().map(|it| it.directory.as_path());
	let psk = settings.psk.iter().map(|it| it.directory.as_path());
	let own = tls.chain(psk).chain(keys.map(|it| it.directory.as_path())).collect();
	let files = keys.into_iter().flat_map(|it| it.files.values());
	let of_users = files.chain(settings.user_keys.values()).filter_map(|file| file.parent());
	// Once each: a user's keys often lie beside its `authorized_keys`.
	let others: BTreeSet<&Path> = of_users.collect();
	(own, others.into_iter().collect())
}

/// Writes the unit. Tells whether it was not there before, word by word.
pub fn install(text: &str, path: &Path, replace: bool) -> Result<bool, UnitError> {
	match files::read_if_there(path)? {
		Some(found) if found == text.as_bytes() => return Ok(false),
		Some(_) if !replace => return Err(UnitError::Exists(path.into())),
		_ => {},
	}
	files::replace(path, text.as_bytes(), PUBLIC)?;
	Ok(true)
}

fn credential(installation: &Installation<'_>) -> Result<Option<String>, UnitError> {
	let Some(SealSettings::Credential(name)) = &installation.config.service.seal else {
		return Ok(None);
	};
	let usual = Path::new(CREDENTIALS).join(name);
	let path = plain(installation.credential.unwrap_or(&usual))?;
	let setting =
		if installation.credential_is_plain { "LoadCredential" } else { "LoadCredentialEncrypted" };
	Ok(Some(format!("{setting}={name}:{path}")))
}

fn needs_tpm(config: &Config) -> bool {
	matches!(config.service.seal, Some(SealSettings::Command(_)))
}

/// systemd splits words and expands `%` and `$` in what it is told.
fn plain(path: &Path) -> Result<String, UnitError> {
	let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@".contains(c);
	let text = path.to_str().filter(|text| path.is_absolute() && text.chars().all(is_plain));
	text.map(Into::into).ok_or_else(|| UnitError::Path(path.into()))
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::config::tests::sample;

	fn installation(config: &Config) -> Installation<'_> {
		Installation {
			program: Path::new("/usr/bin/dpki-agent"),
			config_path: Path::new("/etc/dpki/agent.toml"),
			config,
			credential: None,
			credential_is_plain: false,
			writable: &[],
		}
	}

	#[test]
	fn in_the_usual_places_it_is_the_unit_of_this_crate() {
		assert_eq!(text(&installation(&sample())).unwrap(), UNIT);
		assert_eq!(early_text(&installation(&sample())).unwrap(), EARLY_UNIT);
	}

	#[test]
	fn what_the_configuration_names_can_be_written_and_nothing_else() {
		let mut config = sample();
		config.state = "/srv/agent".into();
		config.status_file = Some("/run/monitor/agent.json".into());
		config.service.api = Some(crate::service::api::ApiSettings {
			socket: "/run/dpki-agent/agent.sock".into(),
			group: None,
			users: Vec::new(),
		});
		let further = ["/etc/mosquitto".into()];
		let unit = text(&Installation { writable: &further, ..installation(&config) }).unwrap();
		let line = "\nReadWritePaths=/etc/ssh/dpki /run/monitor /srv/agent /etc/mosquitto\n";
		assert!(unit.contains(line) && !unit.contains("\nStateDirectory"), "{unit}");
		assert_eq!(unit.matches("ReadWritePaths=").count(), 1);
	}

	fn with_appliers(text: &str) -> Config {
		let apply = toml::from_str(text).unwrap();
		Config { apply, ..sample() }
	}

	#[test]
	fn appliers_can_write_what_they_put_in_force() {
		let config = with_appliers(
			"[tls.web]\ndirectory = '/etc/dpki/tls/web'\n[psk]\ndirectory = '/etc/mosquitto/dpki'\n\
			 [authorized-keys]\ndirectory = '/etc/ssh/dpki-keys'\nfiles = { ops = '/srv/ops/keys' }\n\
			 [user-keys]\nops = '/srv/ops/id_dpki'\npilot = '/srv/pilot/id_dpki'\n",
		);
		let unit = text(&installation(&config)).unwrap();
		let line = "\nReadWritePaths=/etc/ssh/dpki -/etc/dpki/tls/web -/etc/mosquitto/dpki \
			-/etc/ssh/dpki-keys -/srv/ops -/srv/pilot\n";
		assert!(unit.contains(line) && unit.contains("\nProtectHome=yes\n"), "{unit}");
		let unit = early_text(&installation(&config)).unwrap();
		let line = "\nReadWritePaths=-/etc/ssh/dpki -/var/lib/dpki-agent -/etc/dpki/tls/web \
			-/etc/mosquitto/dpki -/etc/ssh/dpki-keys -/srv/ops -/srv/pilot\n";
		assert!(unit.contains(line) && unit.contains("\nProtectHome=yes\n"), "{unit}");
	}

	#[test]
	fn homes_are_hidden_unless_something_in_them_is_to_be_written() {
		for (file, writable, words) in [
			("/srv/keys", "/srv/maps", "ProtectHome=yes"),
			("/homes/keys", "/rooted", "ProtectHome=yes"),
			("/srv/keys", "/root", "ProtectHome=read-only"),
			("/home/ops/.ssh/authorized_keys", "/srv/maps", "ProtectHome=read-only"),
			("/srv/keys", "/run/user/1000/maps", "ProtectHome=read-only"),
		] {
			let config = with_appliers(&format!(
				"[authorized-keys]\ndirectory = '/etc/ssh/dpki-keys'\nfiles = {{ ops = '{file}' }}\n"
			));
			let further = [writable.into()];
			let unit = text(&Installation { writable: &further, ..installation(&config) }).unwrap();
			assert!(unit.contains(&format!("\n{words}\n")), "{file} {writable}: {unit}");
			let early = Installation { writable: &further, ..installation(&config) };
			assert!(early_text(&early).unwrap().contains(&format!("\n{words}\n")), "{file}");
			assert_eq!(unit.matches("ProtectHome=").count(), 1);
		}
		let config = with_appliers("[user-keys]\npilot = '/home/pilot/.ssh/id_dpki'\n");
		let unit = text(&installation(&config)).unwrap();
		let line = "\nReadWritePaths=/etc/ssh/dpki -/home/pilot/.ssh\n";
		assert!(unit.contains(line) && unit.contains("\nProtectHome=read-only\n"), "{unit}");
	}

	#[test]
	fn the_directories_of_appliers_are_made_and_no_home_is() {
		let dir = tempfile::tempdir().unwrap();
		let place = |name: &str| dir.path().join(name);
		let config = with_appliers(&format!(
			"[tls.web]\ndirectory = '{}'\n[authorized-keys]\ndirectory = '{}'\nfiles = {{ ops = '{}' }}\n\
			 [user-keys]\nops = '{}'\n",
			place("tls/web").display(),
			place("keys").display(),
			place("home/authorized_keys").display(),
			place("other/id_dpki").display()
		));
		make_directories(&config).unwrap();
		make_directories(&config).unwrap();
		assert!(place("tls/web").is_dir() && place("keys").is_dir());
		assert!(!place("home").exists() && !place("other").exists());
	}

	#[test]
	fn the_key_comes_from_where_the_configuration_says() {
		let mut config = sample();
		config.service.seal = Some(SealSettings::Credential("dpki-agent.seal".into()));
		let unit = text(&installation(&config)).unwrap();
		let line =
			"\nLoadCredentialEncrypted=dpki-agent.seal:/etc/credstore.encrypted/dpki-agent.seal\n";
		assert!(unit.contains(line), "{unit}");
		let plain = Installation {
			credential: Some(Path::new("/etc/dpki/seal.key")),
			credential_is_plain: true,
			..installation(&config)
		};
		let unit = text(&plain).unwrap();
		assert!(unit.contains("\nLoadCredential=dpki-agent.seal:/etc/dpki/seal.key\n"), "{unit}");
		config.service.seal = Some(SealSettings::Command(vec!["/usr/bin/tpm2_unseal".into()]));
		let unit = text(&installation(&config)).unwrap();
		assert!(unit.contains("\nDeviceAllow=/dev/tpmrm0 rw\n"), "{unit}");
		assert!(!unit.contains("\nPrivateDevices") && !unit.contains("Credential"), "{unit}");
	}

	#[test]
	fn a_path_that_systemd_would_read_as_more_is_refused() {
		for path in ["/usr/bin/a b", "/usr/bin/%h", "/usr/$bin", "agent", "/usr/bin/\"x\""] {
			let config = sample();
			let refused = text(&Installation { program: Path::new(path), ..installation(&config) });
			assert!(matches!(refused, Err(UnitError::Path(_))), "{path}");
		}
	}

	#[test]
	fn another_unit_is_not_written_over_unless_it_is_said() {
		let dir = tempfile::tempdir().unwrap();
		let path = dir.path().join("dpki-agent.service");
		assert!(install("[Unit]\n", &path, false).unwrap());
		assert!(!install("[Unit]\n", &path, false).unwrap(), "it is there already");
		assert!(matches!(install("[Other]\n", &path, false), Err(UnitError::Exists(_))));
		assert_eq!(std::fs::read_to_string(&path).unwrap(), "[Unit]\n");
		assert!(install("[Other]\n", &path, true).unwrap());
		assert_eq!(std::fs::read_to_string(&path).unwrap(), "[Other]\n");
	}
}
