//! The access that is wanted, and the files that say so.

use crate::ssh::{
	krl::Krl,
	layout::{
		Files, HOST_CERTIFICATE, KNOWN_HOSTS, Layout, PRINCIPALS, REVOKED_HOST_KEYS, REVOKED_KEYS,
		SSH_CONF, SSHD_CONF, TRUSTED_USER_CA_KEYS,
	},
};
use dpki_client::{Item, primitives::ids::AnchorId};
use std::collections::BTreeMap;

/// A CA whose user certificates are believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserCa {
	/// Its anchor.
	pub anchor: AnchorId,
	/// Its key.
	pub key: ssh_key::PublicKey,
}

/// A CA whose host certificates are believed, for some hosts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownHostCa {
	/// Patterns of host names.
	pub hosts: Vec<String>,
	/// Its key.
	pub key: ssh_key::PublicKey,
}

/// The access that is wanted. Every name in it comes out of a bundle and so has passed [`dpki_client::names`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SshState {
	/// Whose user certificates are believed.
	pub user_cas: Vec<UserCa>,
	/// Whose host certificates are believed.
	pub known_host_cas: Vec<KnownHostCa>,
	/// The certificate of the host key, one line.
	pub host_certificate: Option<String>,
	/// Which principals open which login.
	pub principals: BTreeMap<String, Vec<String>>,
	/// What sshd does not believe: what is revoked under user CAs.
	pub revoked_keys: Krl,
	/// What the ssh client does not believe: what is revoked under host CAs.
	pub revoked_host_keys: Krl,
	/// What [other appliers](crate::appliers) put in force.
	pub parts: Vec<Item>,
}

impl SshState {
	/// The files of a generation. The same state gives the same bytes, so that a comparison with the disk tells whether
	/// there is anything to do.
	pub fn files(&self, layout: &Layout) -> Result<Files, ssh_key::Error> {
		let mut trusted = String::new();
		for ca in &self.user_cas {
			trusted += &format!("{} {}\n", bare(&ca.key)?, ca.anchor);
		}
		let mut known = String::new();
		for ca in &self.known_host_cas {
			known += &format!("@cert-authority {} {}\n", ca.hosts.join(","), bare(&ca.key)?);
		}
		let fragment = layout.fragment(&layout.current(), self.host_certificate.is_some());
		let mut files = Files::from([
			(TRUSTED_USER_CA_KEYS.into(), trusted.into_bytes()),
			(KNOWN_HOSTS.into(), known.into_bytes()),
			(REVOKED_KEYS.into(), self.revoked_keys.encode()),
			(REVOKED_HOST_KEYS.into(), self.revoked_host_keys.encode()),
			(SSHD_CONF.into(), fragment.into_bytes()),
			(SSH_CONF.into(), layout.client_fragment().into_bytes()),
		]);
		if let Some(certificate) = &self.host_certificate {
			files.insert(HOST_CERTIFICATE.into(), format!("{}\n", certificate.trim()).into_bytes());
		}
		for (login, principals) in &self.principals {
			let lines: String = principals.iter().map(|name| format!("{name}\n")).collect();
			files.insert(format!("{PRINCIPALS}/{login}"), lines.into_bytes());
		}
		Ok(files)
	}
}

/// Algorithm and key without the comment, which somebody else chose.
pub(crate) fn bare(key: &ssh_key::PublicKey) -> Result<String, ssh_key::Error> {
	ssh_key::PublicKey::new(key.key_data().clone(), "").to_openssh()
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::path::Path;

	#[test]
	fn a_comment_of_a_key_does_not_reach_the_files() {
		let text = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti cert-authority,evil";
		let key = ssh_key::PublicKey::from_openssh(text).unwrap();
		let state = SshState {
			user_cas: vec![UserCa { anchor: AnchorId([1; 32]), key: key.clone() }],
			known_host_cas: vec![KnownHostCa { hosts: vec!["a".into(), "b".into()], key }],
			..SshState::default()
		};
		let files = state.files(&Layout::new(Path::new("/d"), Path::new("/k"))).unwrap();
		for (name, content) in &files {
			assert!(!String::from_utf8_lossy(content).contains("evil"), "{name}");
		}
		let known = String::from_utf8_lossy(&files[KNOWN_HOSTS]);
		assert!(known.starts_with("@cert-authority a,b ssh-ed25519 AAAA"), "{known}");
	}
}
