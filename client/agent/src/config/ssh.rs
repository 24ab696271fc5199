//! What to do with SSH.

use serde::{Deserialize, Serialize};
use std::{path::PathBuf, time::Duration};

/// What to do with SSH.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SshSettings {
	/// The directory that sshd reads, see [`crate::ssh::layout`].
	pub directory: PathBuf,
	/// The private host key, in OpenSSH format.
	pub host_key: PathBuf,
	/// The sshd that tests a configuration.
	#[serde(default = "default_sshd")]
	pub sshd: PathBuf,
	/// The main configuration of sshd, which is tested together with ours. A delivered host key is taken only where it is
	/// named: it says which other ones there are.
	#[serde(default, skip_serializing_if = "Option::is_none")]
	pub sshd_config: Option<PathBuf>,
	/// The command that makes sshd read its host certificate anew; without one nothing is run.
	#[serde(default, skip_serializing_if = "Vec::is_empty")]
	pub reload: Vec<String>,
	/// How many generations are kept, the current one included.
	#[serde(default = "default_keep_generations")]
	pub keep_generations: usize,
	/// How many seconds a test or a reload may take.
	#[serde(default = "default_command_timeout")]
	pub command_timeout: u64,
}

fn default_sshd() -> PathBuf {
	"/usr/sbin/sshd".into()
}

fn default_keep_generations() -> usize {
	4
}

fn default_command_timeout() -> u64 {
	20
}

impl Default for SshSettings {
	/// The usual places, without a host key.
	fn default() -> Self {
		Self {
			directory: "/etc/ssh/dpki".into(),
			host_key: PathBuf::new(),
			sshd: default_sshd(),
			sshd_config: None,
			reload: Vec::new(),
			keep_generations: default_keep_generations(),
			command_timeout: default_command_timeout(),
		}
	}
}

impl SshSettings {
	/// How long a test or a reload may take.
	pub fn timeout(&self) -> Duration {
		Duration::from_secs(self.command_timeout)
	}
}
