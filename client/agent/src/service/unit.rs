//! The unit of systemd that `dpki-agent install` writes: the one in this crate, with the paths of this configuration.
//!
//! It takes everything away from the agent that it does not need: which files it can write, which system calls it can make,
//! which rights of root it keeps. What the configuration names can be written, and whatever else is said with `writable`.

use crate::{
	config::Config,
	files::{self, FileError, PUBLIC},
	seal::SealSettings,
};
use std::path::{Path, PathBuf};

/// The unit for the usual places.
const UNIT: &str = include_str!("../../dpki-agent.service");
/// Where systemd looks for encrypted credentials.
const CREDENTIALS: &str = "/etc/credstore.encrypted";
/// The state directory that systemd makes.
const STATE: &str = "/var/lib/dpki-agent";
/// Where systemd makes room for status and socket.
const RUNTIME: &str = "/run/dpki-agent";

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
	for directory in installation.writable {
		writable.push(plain(directory)?);
	}
	let mut lines = Vec::new();
	for line in UNIT.lines() {
		match line.split_once('=').map_or("", |(name, _)| name) {
			"ExecStart" => {
				let (program, path) = (plain(program)?, plain(config_path)?);
				lines.push(format!("ExecStart={program} run --config {path}"));
				lines.extend(credential(installation)?);
			},
			"ReadWritePaths" => lines.push(format!("ReadWritePaths={}", writable.join(" "))),
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
