//! The configuration file.
//!
//! ```
//! let config: dpki_agent::config::Config = toml::from_str(r#"
//! organisation = "acme"
//! device = "drone-7"
//! state = "/var/lib/dpki-agent"
//! status-file = "/run/dpki-agent/status.json"
//!
//! [chain]
//! spec = "/etc/dpki/chain.json"
//! genesis = "0x6e3c1b8f0a0f4ad1f3d5d6ff5a4f0a4e3a0c3a7f2b1e9d8c7b6a59483726150f"
//! peers = ["/dns/node.example/tcp/30333/p2p/12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp"]
//!
//! [ssh]
//! directory = "/etc/ssh/dpki"
//! host-key = "/etc/ssh/ssh_host_ed25519_key"
//! sshd-config = "/etc/ssh/sshd_config"
//! reload = ["systemctl", "reload", "ssh"]
//!
//! [freshness.ssh-login]
//! max-age = 600
//! grace = 86400
//! when-stale = "refuse"
//!
//! [freshness.tls]
//! grace = 3600
//!
//! [freshness.delivery]
//! max-age = 600
//!
//! [apply.tls.web]
//! directory = "/etc/dpki/tls/web"
//! reload = ["systemctl", "reload", "nginx"]
//!
//! [service.seal]
//! credential = "dpki-agent.seal"
//!
//! [service.api]
//! socket = "/run/dpki-agent/agent.sock"
//! group = "dpki"
//!
//! [service.metrics]
//! listen = "127.0.0.1:9470"
//! "#)?;
//! config.validate()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod blobs;
mod chain;
mod ssh;
mod text;

pub use blobs::BlobSettings;
pub use chain::{ChainSettings, Stale};
pub use ssh::SshSettings;
pub use text::{parse_checkpoint, parse_hash};

use crate::{
	appliers::settings::ApplySettings,
	files::{self, FileError},
	freshness::FreshnessSettings,
	run::clock,
	service::ServiceSettings,
	status,
};
use dpki_client::{
	StoreAddress,
	primitives::{
		Moment,
		channel::ChannelSet,
		ids::{DeviceId, OrganisationId, is_valid_name},
	},
};
use serde::{Deserialize, Serialize};
use std::{
	collections::BTreeMap,
	path::{Path, PathBuf},
};

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
	/// It cannot be read or written.
	#[error(transparent)]
	File(#[from] FileError),
	/// It is not TOML, or has a field too many or too few.
	#[error("{path}, line {line}: {problem}")]
	Syntax {
		/// Which file.
		path: String,
		/// Where.
		line: usize,
		/// What is wrong.
		problem: String,
	},
	/// A value cannot be.
	#[error("the setting `{field}` {problem}")]
	Value {
		/// Which setting.
		field: &'static str,
		/// What is wrong, and what would be right.
		problem: String,
	},
}

/// Everything that the agent is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
	/// The name of the organisation that the device belongs to.
	pub organisation: String,
	/// The name of the device in it.
	pub device: String,
	/// The directory of keys, journal and lock; for the agent only.
	pub state: PathBuf,
	/// Where the agent writes its status; by default `status.json` in the state directory, where only its own user can
	/// read it. The directory has to exist.
	#[serde(default, skip_serializing_if = "Option::is_none")]
	pub status_file: Option<PathBuf>,
	/// The channels whose deliveries the agent obeys, as numbers from 0 to 15; by default all of them. What came on another
	/// one is taken away.
	#[serde(default, with = "text::channels", skip_serializing_if = "Option::is_none")]
	pub channels: Option<ChannelSet>,
	/// Which chain.
	pub chain: ChainSettings,
	/// What to do with SSH.
	pub ssh: SshSettings,
	/// How old the chain may be, use by use.
	#[serde(default)]
	pub freshness: FreshnessSettings,
	/// Where blobs are fetched from, in this order; without any, from the chain.
	#[serde(default, skip_serializing_if = "Vec::is_empty")]
	pub blobs: Vec<BlobSettings>,
	/// Which parts of bundles are put in force besides certificates for SSH, and how.
	#[serde(default, skip_serializing_if = "is_default")]
	pub apply: ApplySettings,
	/// What the agent is for others on the machine, and how its state is kept.
	#[serde(default, skip_serializing_if = "ServiceSettings::is_default")]
	pub service: ServiceSettings,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
	*value == T::default()
}

impl Config {
	/// The configuration in this file, valid as far as that can be seen.
	pub fn load(path: &Path) -> Result<Self, ConfigError> {
		let text = std::fs::read_to_string(path).map_err(files::failed("read", path))?;
		let config = Self::parse(&text, path)?;
		config.validate()?;
		Ok(config)
	}

	/// The configuration in this text; an error names `path` as where it is from. Whether the values can be is not asked.
	pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
		toml::from_str(text).map_err(|error| {
			let before = error.span().map_or("", |span| text.get(..span.start).unwrap_or(""));
			ConfigError::Syntax {
				path: path.display().to_string(),
				line: before.matches('\n').count() + 1,
				problem: error.message().replace('\n', " "),
			}
		})
	}

	/// The text of the file.
	pub fn to_toml(&self) -> String {
		toml::to_string(self).expect("strings, numbers, lists and tables last are TOML")
	}

	/// Every setting that is made, by its full name, such as `chain.genesis`, with its value as TOML.
	pub fn settings(&self) -> BTreeMap<String, String> {
		fn flatten(prefix: &str, table: toml::Table, settings: &mut BTreeMap<String, String>) {
			for (name, value) in table {
				let name = format!("{prefix}{name}");
				match value {
					toml::Value::Table(table) => flatten(&format!("{name}."), table, settings),
					value => {
						settings.insert(name, value.to_string());
					},
				}
			}
		}
		let table =
			toml::Table::try_from(self).expect("strings, numbers, lists and tables are TOML");
		let mut settings = BTreeMap::new();
		flatten("", table, &mut settings);
		settings
	}

	/// Where the agent writes its status.
	pub fn status_path(&self) -> PathBuf {
		self.status_file.clone().unwrap_or_else(|| self.state.join(status::FILE))
	}

	/// Where blobs are fetched from.
	pub fn stores(&self) -> Vec<StoreAddress> {
		blobs::stores(&self.blobs)
	}

	/// Whether every value can be.
	pub fn validate(&self) -> Result<(), ConfigError> {
		let value =
			|field, problem: &str| Err(ConfigError::Value { field, problem: problem.into() });
		let name =
			"is not a name: use 1 to 63 of a-z, 0-9, `-` and `.`, letters or digits at both ends";
		if !is_valid_name(self.organisation.as_bytes()) {
			return value("organisation", name);
		}
		if !is_valid_name(self.device.as_bytes()) {
			return value("device", name);
		}
		let absolute = "is not an absolute path: write it from / on";
		let own = [
			("state", Some(&self.state)),
			("status-file", self.status_file.as_ref()),
			("chain.spec", Some(&self.chain.spec)),
		];
		for (field, path) in own {
			if path.is_some_and(|path| !path.is_absolute()) {
				return value(field, absolute);
			}
		}
		let named_to_sshd = [
			("ssh.directory", Some(&self.ssh.directory)),
			("ssh.host-key", Some(&self.ssh.host_key)),
			("ssh.sshd-config", self.ssh.sshd_config.as_ref()),
			("ssh.sshd", Some(&self.ssh.sshd)),
		];
		for (field, path) in named_to_sshd {
			let Some(path) = path else { continue };
			if !path.is_absolute() {
				return value(field, absolute);
			}
			// sshd splits words, expands `%` and globs in what it is told.
			let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@".contains(c);
			if !path.to_str().is_some_and(|text| text.chars().all(plain)) {
				return value(
					field,
					"may hold only letters, digits and / . _ - + @: sshd reads others as more than text",
				);
			}
		}
		if self.ssh.directory.starts_with(&self.state) {
			return value(
				"ssh.directory",
				"lies inside the state directory, where users cannot read: choose another one",
			);
		}
		if self.channels.is_some_and(ChannelSet::is_empty) {
			return value("channels", "is empty, so that no delivery would ever do: leave it out");
		}
		if let Some((field, problem)) = self.chain.problem() {
			return value(field, &problem);
		}
		if let Some(field) = self.freshness.impossible() {
			return value(field, "is 0, so that no block would ever do: try 600");
		}
		if let Some((field, problem)) = self.service.problem(&self.state) {
			return value(field, problem);
		}
		if self.ssh.keep_generations < 2 {
			return value(
				"ssh.keep-generations",
				"is below 2, so that there is no way back: try 4",
			);
		}
		if let Err((field, problem)) = self.apply.check(&self.state, &self.ssh.directory) {
			return value(field, &problem);
		}
		// Otherwise nobody could tell which keys of the machine a delivered one would be shown in the place of.
		if self.apply.host_key && self.ssh.sshd_config.is_none() {
			return value(
				"apply.host-key",
				"needs to know which host keys the machine has: name the main configuration of sshd in `ssh.sshd-config`, \
				 as a rule /etc/ssh/sshd_config",
			);
		}
		if self.ssh.command_timeout == 0 {
			return value("ssh.command-timeout", "is 0, so that nothing could be tested: try 20");
		}
		Ok(())
	}

	/// Whether a finalised block of this chain time, in milliseconds since the Unix epoch, is recent enough by the
	/// device's clock to bring something new. A clock that is behind finds every block recent, but for one without a time.
	pub fn check_freshness(&self, head_time: Moment) -> Result<(), Stale> {
		self.chain.check_freshness_at(head_time, clock())
	}

	/// The id of the organisation.
	pub fn organisation_id(&self) -> OrganisationId {
		OrganisationId::from_name(self.organisation.as_bytes())
	}

	/// The id of the device.
	pub fn device_id(&self) -> DeviceId {
		DeviceId::from_name(self.organisation_id(), self.device.as_bytes())
	}
}

#[cfg(test)]
pub(crate) mod tests {
	use super::*;
	use dpki_client::primitives::channel::ChannelId;
	use dpki_light::Checkpoint;

	pub(crate) fn sample() -> Config {
		Config {
			organisation: "acme".into(),
			device: "drone-7".into(),
			state: "/var/lib/dpki-agent".into(),
			status_file: None,
			channels: None,
			chain: ChainSettings {
				spec: "/etc/dpki/chain.json".into(),
				genesis: [7; 32],
				peers: vec!["/ip4/127.0.0.1/tcp/30333/p2p/12D3KooW".into()],
				max_head_age: 600,
				checkpoint: None,
			},
			ssh: SshSettings {
				host_key: "/var/lib/dpki-agent/host_key".into(),
				..SshSettings::default()
			},
			freshness: FreshnessSettings::default(),
			blobs: Vec::new(),
			apply: ApplySettings::default(),
			service: ServiceSettings::default(),
		}
	}

	fn load(text: &str) -> Result<Config, ConfigError> {
		let file = tempfile::NamedTempFile::new().unwrap();
		std::fs::write(file.path(), text).unwrap();
		Config::load(file.path())
	}

	#[test]
	fn a_written_configuration_reads_back() {
		let config = sample();
		assert_eq!(load(&config.to_toml()).unwrap(), config);
		let config = Config { status_file: Some("/run/dpki-agent/status.json".into()), ..config };
		assert_eq!(load(&config.to_toml()).unwrap(), config);
	}

	#[test]
	fn channels_are_numbers_below_sixteen_and_read_back() {
		let channels = [0, 15].into_iter().filter_map(ChannelId::new).collect();
		let config = Config { channels: Some(channels), ..sample() };
		assert!(config.to_toml().contains("channels = [0, 15]"), "{}", config.to_toml());
		assert_eq!(load(&config.to_toml()).unwrap(), config);
		let with = |numbers: &str| load(&format!("channels = [{numbers}]\n{}", sample().to_toml()));
		assert!(with("1, 16").unwrap_err().to_string().contains("from 0 to 15"));
		assert!(with("").unwrap_err().to_string().contains("`channels` is empty"));
	}

	#[test]
	fn a_checkpoint_is_written_as_digits_and_reads_back() {
		let set = dpki_verifier::AuthoritySet::new(3, vec![[5; 32]]).unwrap();
		let checkpoint = Checkpoint { genesis: [7; 32], set, number: 9, hash: [9; 32] };
		let mut config = sample();
		config.chain.checkpoint = Some(checkpoint);
		assert!(config.to_toml().contains("checkpoint = \"0x01"), "{}", config.to_toml());
		assert_eq!(load(&config.to_toml()).unwrap(), config);
		config.chain.genesis = [8; 32];
		let error = load(&config.to_toml()).unwrap_err().to_string();
		assert!(error.contains("`chain.checkpoint` is of another chain"), "{error}");
		let broken = config.to_toml().replace("checkpoint = \"0x01", "checkpoint = \"0x09");
		assert!(load(&broken).unwrap_err().to_string().contains("version 9"));
	}

	#[test]
	fn freshness_fails_closed_unless_it_is_said_otherwise() {
		let text = sample().to_toml();
		let without = text.split("[freshness").next().unwrap();
		assert_eq!(load(without).unwrap(), sample());
		let open = format!("{without}[freshness.ssh-login]\nwhen-stale = \"allow\"\n");
		let login = load(&open).unwrap().freshness.ssh_login;
		assert_eq!(login.when_stale, crate::freshness::Stale::Allow);
		assert_eq!(login.max_age, 600);
		let wrong = open.replace("allow", "hope");
		assert!(load(&wrong).unwrap_err().to_string().contains("hope"));
	}

	#[test]
	fn the_status_lies_in_the_state_directory_unless_it_is_put_elsewhere() {
		let config = sample();
		assert_eq!(config.status_path(), Path::new("/var/lib/dpki-agent/status.json"));
		let config = Config { status_file: Some("/run/x.json".into()), ..config };
		assert_eq!(config.status_path(), Path::new("/run/x.json"));
	}

	#[test]
	fn settings_are_named_in_full_with_their_values() {
		let settings = sample().settings();
		let value = |name: &str| settings.get(name).map(String::as_str);
		assert_eq!(value("device"), Some("\"drone-7\""));
		assert_eq!(value("chain.max-head-age"), Some("600"));
		assert_eq!(value("chain.genesis"), Some(format!("\"0x{}\"", "07".repeat(32)).as_str()));
		assert_eq!(value("status-file"), None, "it is not set");
	}

	#[test]
	fn an_unknown_setting_is_named_with_its_line() {
		let text = sample().to_toml().replace("device = ", "colour = \"red\"\ndevice = ");
		let error = load(&text).unwrap_err().to_string();
		assert!(error.contains("line 2") && error.contains("colour"), "{error}");
		assert!(!error.contains('\n'), "{error}");
	}

	#[test]
	fn a_missing_setting_is_named() {
		let text = sample().to_toml().replace("organisation = \"acme\"\n", "");
		let error = load(&text).unwrap_err().to_string();
		assert!(error.contains("organisation"), "{error}");
	}

	#[test]
	fn a_malformed_genesis_hash_is_refused() {
		let text = sample().to_toml().replace(&"07".repeat(32), "0707");
		let error = load(&text).unwrap_err().to_string();
		assert!(error.contains("64 hexadecimal digits"), "{error}");
	}

	#[test]
	fn freshness_is_judged_by_the_clock_of_the_device() {
		assert_eq!(sample().check_freshness(clock()), Ok(()));
		let stale = sample().check_freshness(1).unwrap_err();
		assert!(stale.to_string().contains("max-head-age"), "{stale}");
	}

	#[test]
	fn a_host_key_is_taken_only_where_those_of_the_machine_are_known() {
		let mut config = sample();
		config.apply.host_key = true;
		let error = load(&config.to_toml()).unwrap_err().to_string();
		assert!(
			error.contains("`apply.host-key`") && error.contains("`ssh.sshd-config`"),
			"{error}"
		);
		config.ssh.sshd_config = Some("/etc/ssh/sshd_config".into());
		assert_eq!(load(&config.to_toml()).unwrap(), config);
	}

	#[test]
	fn every_impossible_value_is_refused_by_name() {
		type Change = fn(&mut Config);
		let changes: [(&str, Change); 16] = [
			("organisation", |c| c.organisation = "ACME".into()),
			("device", |c| c.device = "../x".into()),
			("state", |c| c.state = "state".into()),
			("status-file", |c| c.status_file = Some("status.json".into())),
			("chain.spec", |c| c.chain.spec = "spec.json".into()),
			("chain.peers", |c| c.chain.peers.clear()),
			("chain.peers", |c| c.chain.peers = vec!["127.0.0.1:30333".into()]),
			("chain.max-head-age", |c| c.chain.max_head_age = 0),
			("freshness.ssh-login.max-age", |c| c.freshness.ssh_login.max_age = 0),
			("freshness.tls.max-age", |c| c.freshness.tls.max_age = 0),
			("freshness.delivery.max-age", |c| c.freshness.delivery.max_age = Some(0)),
			("ssh.directory", |c| c.ssh.directory = "/etc/ssh/a b".into()),
			("ssh.directory", |c| c.ssh.directory = c.state.join("ssh")),
			("ssh.host-key", |c| c.ssh.host_key = "/etc/%h".into()),
			("ssh.keep-generations", |c| c.ssh.keep_generations = 1),
			("ssh.command-timeout", |c| c.ssh.command_timeout = 0),
		];
		sample().validate().unwrap();
		for (field, change) in changes {
			let mut config = sample();
			change(&mut config);
			let error = config.validate().unwrap_err().to_string();
			assert!(error.contains(&format!("`{field}`")), "{field}: {error}");
		}
	}
}
