//! What lies where in the directory that sshd reads.
//!
//! ```text
//! <directory>/current -> generations/7      the generation in force, switched by one rename
//! <directory>/generations/7/sshd.conf       for `Include <directory>/current/sshd.conf` in sshd_config
//!                          /trusted_user_ca_keys
//!                          /revoked_keys            binary key revocation list of what user CAs revoked
//!                          /principals/<login>
//!                          /host_certificate.pub    only if one was delivered
//!                          /ssh.conf                for `Include <directory>/current/ssh.conf` in ssh_config
//!                          /known_hosts
//!                          /revoked_host_keys       binary key revocation list of what host CAs revoked
//! <directory>/host_keys/..                  the host key that was delivered, if there is one, see [`super::delivered`]
//! ```
//!
//! A generation never changes once it has its number. sshd reads `trusted_user_ca_keys`, `revoked_keys` and
//! `principals/<login>` at every authentication, through `current`: a switch takes effect at once, without a reload.
//! It reads `sshd.conf` and `host_certificate.pub` when it starts or reloads. A `HostCertificate` line for a missing file
//! is an error in its log at every start, so `sshd.conf` is part of the generation and has the line only with the file.
//! `ssh` reads everything anew at every connection. It refuses every host if the file of `RevokedHostKeys` is missing, so
//! there is always one.

use std::{
	collections::BTreeMap,
	fs, io,
	path::{Path, PathBuf},
};

/// Text for `Include` in sshd_config.
pub const SSHD_CONF: &str = "sshd.conf";
/// The CAs whose user certificates are believed.
pub const TRUSTED_USER_CA_KEYS: &str = "trusted_user_ca_keys";
/// The key revocation list of sshd.
pub const REVOKED_KEYS: &str = "revoked_keys";
/// The certificate of the host key.
pub const HOST_CERTIFICATE: &str = "host_certificate.pub";
/// The CAs whose host certificates are believed.
pub const KNOWN_HOSTS: &str = "known_hosts";
/// Text for `Include` in ssh_config.
pub const SSH_CONF: &str = "ssh.conf";
/// The key revocation list of the ssh client.
pub const REVOKED_HOST_KEYS: &str = "revoked_host_keys";
/// One file per login.
pub const PRINCIPALS: &str = "principals";

/// The files of a generation by their path within it.
pub type Files = BTreeMap<String, Vec<u8>>;

/// The directory.
#[derive(Clone, Debug)]
pub struct Layout {
	directory: PathBuf,
	host_key: PathBuf,
}

impl Layout {
	/// The layout under `directory` for this private host key.
	pub fn new(directory: &Path, host_key: &Path) -> Self {
		Self { directory: directory.into(), host_key: host_key.into() }
	}

	/// The directory itself.
	pub fn directory(&self) -> &Path {
		&self.directory
	}

	/// The symbolic link to the generation in force.
	pub fn current(&self) -> PathBuf {
		self.directory.join("current")
	}

	/// Where the generations lie.
	pub fn generations(&self) -> PathBuf {
		self.directory.join("generations")
	}

	/// Where this generation lies.
	pub fn generation(&self, number: u64) -> PathBuf {
		self.generations().join(number.to_string())
	}

	/// Where host keys lie that were delivered.
	pub fn host_keys(&self) -> PathBuf {
		self.directory.join("host_keys")
	}

	/// Where the host key of this name lies that was delivered.
	pub fn host_key_file(&self, name: &str) -> PathBuf {
		self.host_keys().join(name)
	}

	/// The private host key of the device itself.
	pub fn own_host_key(&self) -> &Path {
		&self.host_key
	}

	/// The name of the delivered host key that a configuration by [`fragment`](Self::fragment) names, if it does.
	pub fn delivered_host_key(&self, fragment: &str) -> Option<String> {
		let start = format!("HostKey {}/", self.host_keys().display());
		fragment.lines().find_map(|line| line.strip_prefix(&start)).map(str::to_owned)
	}

	/// The number of the generation in force, or `None` if the link is missing or leads elsewhere.
	pub fn current_generation(&self) -> Option<u64> {
		let target = fs::read_link(self.current()).ok()?;
		let number = number_of(target.strip_prefix("generations").ok()?.to_str()?)?;
		self.generation(number).is_dir().then_some(number)
	}

	/// The numbers of all generations, rising.
	pub fn generation_numbers(&self) -> io::Result<Vec<u64>> {
		let mut numbers = Vec::new();
		for entry in fs::read_dir(self.generations())? {
			numbers.extend(entry?.file_name().to_str().and_then(number_of));
		}
		numbers.sort_unstable();
		Ok(numbers)
	}

	/// The configuration of sshd for the files under `base`: `current` for the one in force, a generation to test it.
	/// `delivered` is the name of a host key that comes after the own one.
	pub fn fragment(&self, base: &Path, delivered: Option<&str>, host_certificate: bool) -> String {
		let base = base.display();
		let host_key = self.host_key.display();
		let mut text = format!(
			"# Written by dpki-agent; changes are lost.\n\
			HostKey {host_key}\n\
			TrustedUserCAKeys {base}/{TRUSTED_USER_CA_KEYS}\n\
			RevokedKeys {base}/{REVOKED_KEYS}\n\
			AuthorizedPrincipalsFile {base}/{PRINCIPALS}/%u\n"
		);
		if let Some(name) = delivered {
			text += &format!("HostKey {}\n", self.host_key_file(name).display());
		}
		if host_certificate {
			text += &format!("HostCertificate {base}/{HOST_CERTIFICATE}\n");
		}
		text
	}

	/// The configuration of the ssh client for the files in force. The files that ssh reads without it are named as
	/// well, since the line replaces them.
	pub fn client_fragment(&self) -> String {
		let base = self.current();
		let base = base.display();
		format!(
			"# Written by dpki-agent; changes are lost.\n\
			GlobalKnownHostsFile /etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2 {base}/{KNOWN_HOSTS}\n\
			RevokedHostKeys {base}/{REVOKED_HOST_KEYS}\n"
		)
	}

	/// The line for sshd_config.
	pub fn include_line(&self) -> String {
		format!("Include {}/{SSHD_CONF}", self.current().display())
	}

	/// The line for ssh_config.
	pub fn client_include_line(&self) -> String {
		format!("Include {}/{SSH_CONF}", self.current().display())
	}
}

/// Only the one spelling of a number that [`Layout::generation`] writes.
fn number_of(name: &str) -> Option<u64> {
	let number: u64 = name.parse().ok()?;
	(number.to_string() == name).then_some(number)
}

/// The files of a generation as they lie on the disk.
pub fn read_files(generation: &Path) -> io::Result<Files> {
	let mut files = Files::new();
	for entry in fs::read_dir(generation)? {
		let entry = entry?;
		let name = entry.file_name().to_string_lossy().into_owned();
		if entry.file_type()?.is_dir() {
			for inner in fs::read_dir(entry.path())? {
				let inner = inner?;
				let path = format!("{name}/{}", inner.file_name().to_string_lossy());
				files.insert(path, fs::read(inner.path())?);
			}
		} else {
			files.insert(name, fs::read(entry.path())?);
		}
	}
	Ok(files)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_host_certificate_is_named_only_if_there_is_one() {
		let layout = Layout::new(Path::new("/etc/ssh/dpki"), Path::new("/etc/ssh/key"));
		assert!(!layout.fragment(&layout.current(), None, false).contains("HostCertificate"));
		assert!(
			layout
				.fragment(&layout.current(), None, true)
				.contains("HostCertificate /etc/ssh/dpki/current/host_certificate.pub\n")
		);
		assert_eq!(layout.include_line(), "Include /etc/ssh/dpki/current/sshd.conf");
		assert_eq!(layout.client_include_line(), "Include /etc/ssh/dpki/current/ssh.conf");
	}

	#[test]
	fn a_delivered_host_key_comes_after_the_own_one() {
		let layout = Layout::new(Path::new("/etc/ssh/dpki"), Path::new("/etc/ssh/key"));
		let text = layout.fragment(&layout.current(), Some("abc"), true);
		let keys: Vec<_> = text.lines().filter(|line| line.starts_with("HostKey ")).collect();
		assert_eq!(keys, ["HostKey /etc/ssh/key", "HostKey /etc/ssh/dpki/host_keys/abc"]);
		assert_eq!(layout.delivered_host_key(&text).as_deref(), Some("abc"));
		let without = layout.fragment(&layout.current(), None, true);
		assert_eq!(layout.delivered_host_key(&without), None);
	}

	#[test]
	fn a_link_that_leads_elsewhere_is_no_generation() {
		let dir = tempfile::tempdir().unwrap();
		let layout = Layout::new(dir.path(), Path::new("/key"));
		assert_eq!(layout.current_generation(), None);
		fs::create_dir_all(layout.generation(3)).unwrap();
		fs::create_dir_all(layout.generations().join("04")).unwrap();
		for (target, number) in [
			("generations/3", Some(3)),
			("generations/04", None),
			("generations/9", None),
			("/etc", None),
			("generations/3/..", None),
		] {
			let _ = fs::remove_file(layout.current());
			std::os::unix::fs::symlink(target, layout.current()).unwrap();
			assert_eq!(layout.current_generation(), number, "{target}");
		}
		assert_eq!(layout.generation_numbers().unwrap(), [3]);
	}
}
