//! What the configuration says about appliers. A part of a bundle for which nothing is said here is refused.
//!
//! ```toml
//! [apply.tls.web]                        # what is delivered under the name `web`
//! directory = "/etc/dpki/tls/web"        # of `current/chain.pem`, `key.pem`, `trust.pem`, `crl.pem`
//! test = ["/usr/local/bin/try-web"]      # has to succeed before the service is told
//! reload = ["systemctl", "reload", "nginx"]
//! group = "ssl-cert"                     # may read the private key; without it only the agent's user may
//!
//! [apply.psk]                            # all pre-shared keys
//! directory = "/etc/mosquitto/dpki"      # of `current/psk_file`
//! reload = ["systemctl", "reload", "mosquitto"]
//! group = "mosquitto"
//!
//! [apply.hooks.maps]                     # opaque data of the name `maps`
//! command = ["/usr/local/bin/take-maps"] # reads it on its standard input
//! timeout = 60
//!
//! [apply.authorized-keys]
//! directory = "/etc/ssh/dpki-keys"
//! command = true                         # sshd asks `dpki-agent authorized-keys`
//! files = { ops = "/srv/ops/.ssh/authorized_keys" }
//!
//! [apply.user-keys]                      # private keys of users, delivered or made here, and beside each its certificate
//! ops = "/srv/ops/.ssh/id_dpki"
//!
//! [apply]
//! host-key = true                        # sshd gets a host key that was delivered, beside its own; needs `ssh.sshd-config`
//! ```

use crate::files::{self, FileError};
use dpki_client::names::NameKind;
use serde::{Deserialize, Serialize};
use std::{
	collections::BTreeMap,
	ffi::OsString,
	io,
	path::{Path, PathBuf},
};

/// The longest time that a command may be given, in seconds: while it runs, nothing else happens.
const MAX_TIMEOUT: u64 = 600;

/// Which parts of bundles are put in force besides certificates for SSH, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ApplySettings {
	/// The certificates of services, by the names under which they are delivered.
	#[serde(skip_serializing_if = "BTreeMap::is_empty")]
	pub tls: BTreeMap<String, TlsSettings>,
	/// Pre-shared keys.
	#[serde(skip_serializing_if = "Option::is_none")]
	pub psk: Option<PskSettings>,
	/// Opaque data, by the names under which it is delivered.
	#[serde(skip_serializing_if = "BTreeMap::is_empty")]
	pub hooks: BTreeMap<String, HookSettings>,
	/// Plain keys that open logins.
	#[serde(skip_serializing_if = "Option::is_none")]
	pub authorized_keys: Option<AuthorizedKeysSettings>,
	/// Where users of the device look for a private key that was delivered, or was made here, by login.
	#[serde(skip_serializing_if = "BTreeMap::is_empty")]
	pub user_keys: BTreeMap<String, PathBuf>,
	/// Whether sshd gets a host key that was delivered, beside that of the device. Then `ssh.sshd-config` has to be named.
	#[serde(skip_serializing_if = "std::ops::Not::not")]
	pub host_key: bool,
}

/// The certificates of a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TlsSettings {
	/// The directory that the service reads, see [`super::tls`].
	pub directory: PathBuf,
	/// The command that finds out whether the service would start with its new files; without one nothing is run.
	#[serde(default, skip_serializing_if = "Vec::is_empty")]
	pub test: Vec<String>,
	/// The command that makes the service read its files anew; without one nothing is run.
	#[serde(default, skip_serializing_if = "Vec::is_empty")]
	pub reload: Vec<String>,
	/// How many seconds a command may take.
	#[serde(default = "default_timeout")]
	pub timeout: u64,
	/// The group that may read the private key, besides the agent's user.
	#[serde(default, skip_serializing_if = "Option::is_none")]
	pub group: Option<String>,
	/// Whether the agent that runs asks for the certificate anew before it ends, see [`crate::renewal`].
	#[serde(default, skip_serializing_if = "std::ops::Not::not")]
	pub renew: bool,
}

/// Pre-shared keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PskSettings {
	/// The directory of `current/psk_file`.
	pub directory: PathBuf,
	/// The command that makes the broker read it anew; without one nothing is run.
	#[serde(default, skip_serializing_if = "Vec::is_empty")]
	pub reload: Vec<String>,
	/// How many seconds the command may take.
	#[serde(default = "default_timeout")]
	pub timeout: u64,
	/// The group that may read it, besides the agent's user.
	#[serde(default, skip_serializing_if = "Option::is_none")]
	pub group: Option<String>,
}

/// Opaque data of one name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct HookSettings {
	/// The program and its arguments.
	pub command: Vec<String>,
	/// How many seconds it may take.
	#[serde(default = "default_timeout")]
	pub timeout: u64,
}

/// Plain keys that open logins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AuthorizedKeysSettings {
	/// The directory of what is in force. sshd's `AuthorizedKeysCommandUser` has to be able to read it.
	pub directory: PathBuf,
	/// Whether sshd asks `dpki-agent authorized-keys`, so that keys for every login can be put in force.
	#[serde(default)]
	pub command: bool,
	/// The `authorized_keys` files in which a block is the agent's, by login.
	#[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
	pub files: BTreeMap<String, PathBuf>,
}

fn default_timeout() -> u64 {
	20
}

/// The number of the group of this name, by `/etc/group`.
pub(super) fn group_id(name: Option<&String>) -> Result<Option<u32>, FileError> {
	let Some(name) = name else { return Ok(None) };
	let path = Path::new("/etc/group");
	let text = std::fs::read_to_string(path).map_err(files::failed("read", path))?;
	let number = text.lines().find_map(|line| {
		let mut fields = line.split(':');
		(fields.next() == Some(name)).then(|| fields.nth(1)?.parse().ok())?
	});
	let missing = || io::Error::new(io::ErrorKind::NotFound, format!("no group {name}"));
	number
		.map(Some)
		.ok_or_else(missing)
		.map_err(files::failed("find the group in", path))
}

/// The numbers of the user of this name and of its group, by `/etc/passwd`.
pub(crate) fn user_ids(name: &str) -> Result<(u32, u32), FileError> {
	let path = Path::new("/etc/passwd");
	let text = std::fs::read_to_string(path).map_err(files::failed("read", path))?;
	let numbers = text.lines().find_map(|line| {
		let mut fields = line.split(':');
		let is_it = fields.next() == Some(name);
		is_it.then(|| Some((fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?)))?
	});
	let missing = || io::Error::new(io::ErrorKind::NotFound, format!("no user {name}"));
	numbers.ok_or_else(missing).map_err(files::failed("find the user in", path))
}

impl ApplySettings {
	/// What cannot be: which setting, and why. `state` is the agent's own directory, `ssh` the one that sshd reads.
	pub fn check(&self, state: &Path, ssh: &Path) -> Result<(), (&'static str, String)> {
		let mut directories: Vec<(&'static str, &Path)> = Vec::new();
		for (name, it) in &self.tls {
			let field = "apply.tls";
			check_name(field, NameKind::Label, name)?;
			check_timeout(field, it.timeout)?;
			directories.push((field, &it.directory));
		}
		if let Some(it) = &self.psk {
			check_timeout("apply.psk", it.timeout)?;
			directories.push(("apply.psk", &it.directory));
		}
		for (name, it) in &self.hooks {
			let field = "apply.hooks";
			check_name(field, NameKind::Label, name)?;
			check_timeout(field, it.timeout)?;
			if !it.command.first().is_some_and(|program| program.starts_with('/')) {
				let problem =
					format!("has no program for `{name}`: write its whole path in `command`");
				return Err((field, problem));
			}
		}
		if let Some(it) = &self.authorized_keys {
			let field = "apply.authorized-keys";
			directories.push((field, &it.directory));
			if !it.command && it.files.is_empty() {
				return Err((
					field,
					"puts nothing in force: set `command`, or name `files`".into(),
				));
			}
			for (login, path) in &it.files {
				check_name(field, NameKind::Login, login)?;
				if !path.is_absolute() || path.file_name().is_none() {
					return Err((field, format!("has no absolute path for `{login}`")));
				}
				if it.files.values().filter(|other| *other == path).count() > 1 {
					return Err((field, format!("names {} twice", path.display())));
				}
			}
		}
		self.check_user_keys(state)?;
		let mut taken = vec![ssh];
		for (field, directory) in directories {
			if !directory.is_absolute() {
				return Err((field, "has a directory that is not an absolute path".into()));
			}
			if directory.starts_with(state) {
				let problem =
					"has a directory inside the state directory, where nobody else can read";
				return Err((field, problem.into()));
			}
			if let Some(other) =
				taken.iter().find(|it| it.starts_with(directory) || directory.starts_with(it))
			{
				let problem = format!(
					"has the directory {}, which is not apart from {}",
					directory.display(),
					other.display()
				);
				return Err((field, problem));
			}
			taken.push(directory);
		}
		Ok(())
	}

	fn check_user_keys(&self, state: &Path) -> Result<(), (&'static str, String)> {
		let field = "apply.user-keys";
		let blocks = self.authorized_keys.iter().flat_map(|it| it.files.values().cloned());
		let mut taken: Vec<PathBuf> = blocks.collect();
		for (login, path) in &self.user_keys {
			check_name(field, NameKind::Login, login)?;
			if !path.is_absolute() || path.file_name().is_none() {
				return Err((field, format!("has no absolute path for `{login}`")));
			}
			if path.starts_with(state) {
				let problem = format!("has a path for `{login}` inside the state directory");
				return Err((field, problem));
			}
			for place in [path.clone(), certificate_of(path)] {
				if taken.contains(&place) {
					return Err((field, format!("names {} twice", place.display())));
				}
				taken.push(place);
			}
		}
		Ok(())
	}
}

/// Where `ssh` looks for the certificate of a private key.
pub(super) fn certificate_of(key: &Path) -> PathBuf {
	let mut name = key.as_os_str().to_owned();
	name.push("-cert.pub");
	name.into()
}

/// The words of a command, which no shell sees.
pub(super) fn argv(command: &[String]) -> Vec<OsString> {
	command.iter().map(OsString::from).collect()
}

fn check_name(
	field: &'static str,
	kind: NameKind,
	name: &str,
) -> Result<(), (&'static str, String)> {
	kind.check(name)
		.map_err(|error| (field, format!("has an impossible name: {error}")))
}

fn check_timeout(field: &'static str, timeout: u64) -> Result<(), (&'static str, String)> {
	if (1..=MAX_TIMEOUT).contains(&timeout) {
		return Ok(());
	}
	Err((field, format!("has a timeout of {timeout} s: give 1 to {MAX_TIMEOUT}")))
}

#[cfg(test)]
mod tests {
	use super::*;

	const GOOD: &str = r#"
		[tls.web]
		directory = "/etc/dpki/tls/web"
		reload = ["systemctl", "reload", "nginx"]
		group = "root"
		[psk]
		directory = "/etc/mosquitto/dpki"
		[hooks.maps]
		command = ["/usr/local/bin/take-maps"]
		[authorized-keys]
		directory = "/etc/ssh/dpki-keys"
		files = { ops = "/srv/ops/.ssh/authorized_keys" }
		[user-keys]
		ops = "/srv/ops/.ssh/id_dpki"
		pilot = "/srv/pilot/.ssh/id_dpki"
	"#;

	fn check(text: &str) -> Result<(), String> {
		let settings: ApplySettings =
			toml::from_str(text).map_err(|error| error.message().to_owned())?;
		let checked = settings.check(Path::new("/var/lib/dpki-agent"), Path::new("/etc/ssh/dpki"));
		checked.map_err(|(field, problem)| format!("{field} {problem}"))
	}

	#[test]
	fn every_impossible_setting_is_refused() {
		check(GOOD).unwrap();
		for (from, to, words) in [
			("tls.web", "tls.\"../web\"", "apply.tls has an impossible name"),
			("/etc/dpki/tls/web", "tls/web", "not an absolute path"),
			("/etc/dpki/tls/web", "/var/lib/dpki-agent/web", "inside the state directory"),
			("/etc/dpki/tls/web", "/etc/ssh/dpki/web", "not apart from /etc/ssh/dpki"),
			("/etc/dpki/tls/web", "/etc/mosquitto/dpki/web", "not apart from"),
			("/usr/local/bin/take-maps", "take-maps", "has no program for `maps`"),
			("[\"/usr/local/bin/take-maps\"]", "[]", "has no program for `maps`"),
			("[psk]", "[psk]\ntimeout = 0", "has a timeout of 0 s"),
			("[psk]", "[psk]\ntimeout = 601", "has a timeout of 601 s"),
			("[psk]", "[psk]\ncolour = 1", "unknown field"),
			("files = ", "command = false # ", "puts nothing in force"),
			("ops = ", "\"-x\" = ", "impossible name"),
			("/srv/ops/.ssh", ".ssh", "no absolute path"),
			("pilot = ", "\"-x\" = ", "apply.user-keys has an impossible name"),
			("/srv/pilot/.ssh/id_dpki", "id_dpki", "no absolute path for `pilot`"),
			("/srv/pilot/.ssh", "/var/lib/dpki-agent", "inside the state directory"),
			("/srv/pilot", "/srv/ops", "names /srv/ops/.ssh/id_dpki twice"),
			("/srv/pilot/.ssh/id_dpki", "/srv/ops/.ssh/id_dpki-cert.pub", "-cert.pub twice"),
			("/srv/pilot/.ssh/id_dpki", "/srv/ops/.ssh/authorized_keys", "authorized_keys twice"),
		] {
			let error = check(&GOOD.replace(from, to)).unwrap_err();
			assert!(error.contains(words), "{to}: {error}");
		}
	}

	#[test]
	fn a_group_is_found_by_its_name() {
		let id = |name: &str| group_id(Some(&name.into()));
		assert_eq!(id("root").unwrap(), Some(0));
		assert_eq!(group_id(None).unwrap(), None);
		let error = id("no such group").unwrap_err().to_string();
		assert!(error.contains("no such group"), "{error}");
	}

	#[test]
	fn a_user_is_found_by_its_name() {
		assert_eq!(user_ids("root").unwrap(), (0, 0));
		let error = user_ids("no such user").unwrap_err().to_string();
		assert!(error.contains("no such user"), "{error}");
	}
}
