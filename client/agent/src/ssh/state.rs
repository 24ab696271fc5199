//! The access that is wanted, and the files that say so.

use crate::ssh::{
	delivered::HostKey,
	krl::Krl,
	layout::{
		Files, HOST_CERTIFICATE, KNOWN_HOSTS, Layout, PRINCIPALS, REVOKED_HOST_KEYS, REVOKED_KEYS,
		SSH_CONF, SSHD_CONF, TRUSTED_USER_CA_KEYS,
	},
};
use dpki_client::{
	Item,
	primitives::{Moment, ids::AnchorId},
};
use std::collections::{BTreeMap, BTreeSet};
use time::OffsetDateTime;

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

/// A principal that opens a login for a short time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Temporary {
	/// The login.
	pub login: String,
	/// The principal.
	pub principal: String,
	/// Last moment at which it does so.
	pub until: Moment,
}

impl Temporary {
	/// Whether it is over at this moment. If nobody can tell what time it is, it is over.
	pub fn is_over(&self, now: Option<Moment>) -> bool {
		now.is_none_or(|now| now > self.until)
	}

	/// Its line in the file of the login. sshd, too, takes the principal for none when its time is over, by the clock of the
	/// device; one before OpenSSH 9.1 does not know the form of the time, and takes it for none at once.
	fn line(&self) -> Option<String> {
		let seconds = i64::try_from(self.until / 1000).ok()?;
		let end = OffsetDateTime::from_unix_timestamp(seconds).ok()?;
		let (year, month, day) = end.to_calendar_date();
		let (hour, minute, second) = end.to_hms();
		let month = u8::from(month);
		Some(format!(
			"expiry-time=\"{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}Z\" {}",
			self.principal
		))
	}
}

/// A key that opens a login for a short time, without a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemporaryKey {
	/// The login.
	pub login: String,
	/// Algorithm and key, as in a `.pub` file.
	pub key: String,
	/// Last moment at which it does so.
	pub until: Moment,
}

impl TemporaryKey {
	/// Whether it is over at this moment. If nobody can tell what time it is, it is over.
	pub fn is_over(&self, now: Option<Moment>) -> bool {
		now.is_none_or(|now| now >= self.until)
	}
}

/// Takes these accesses out of the files of a generation.
pub fn withdraw(files: &mut Files, over: &[Temporary]) {
	for access in over {
		let file = format!("{PRINCIPALS}/{}", access.login);
		let Some(content) = files.get_mut(&file) else { continue };
		let text = String::from_utf8_lossy(content);
		let ending = format!(" {}", access.principal);
		let is_its = |line: &&str| line.starts_with("expiry-time=") && line.ends_with(&ending);
		let rest: String = text
			.lines()
			.filter(|line| !is_its(line))
			.map(|line| format!("{line}\n"))
			.collect();
		if rest.is_empty() {
			files.remove(&file);
		} else {
			*content = rest.into_bytes();
		}
	}
}

/// The access that is wanted. Every name in it comes out of a bundle and so has passed [`dpki_client::names`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SshState {
	/// Whose user certificates are believed.
	pub user_cas: Vec<UserCa>,
	/// Whose host certificates are believed.
	pub known_host_cas: Vec<KnownHostCa>,
	/// A host key beside that of the device.
	pub host_key: Option<HostKey>,
	/// The certificate of one of the two, one line.
	pub host_certificate: Option<String>,
	/// Which principals open which login.
	pub principals: BTreeMap<String, Vec<String>>,
	/// What opens logins for a short time, beside the principals.
	pub temporary: Vec<Temporary>,
	/// The keys that do so; [the applier of plain keys](crate::appliers::authorized) puts them in force.
	pub temporary_keys: Vec<TemporaryKey>,
	/// What sshd does not believe: what is revoked under user CAs.
	pub revoked_keys: Krl,
	/// What the ssh client does not believe: what is revoked under host CAs.
	pub revoked_host_keys: Krl,
	/// What [other appliers](crate::appliers) put in force.
	pub parts: Vec<Item>,
	/// What another channel than that of a new delivery has in force already.
	pub settled: Vec<Item>,
	/// Whether the parts that are about TLS let nobody in, because the chain was not heard for too long.
	pub peers_closed: bool,
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
		let delivered = self.host_key.as_ref().map(HostKey::name);
		let is_certified = self.host_certificate.is_some();
		let fragment = layout.fragment(&layout.current(), delivered.as_deref(), is_certified);
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
		let logins = self.principals.keys().chain(self.temporary.iter().map(|it| &it.login));
		for login in logins.collect::<BTreeSet<_>>() {
			let standing = self.principals.get(login).into_iter().flatten().cloned();
			let temporary = self.temporary.iter().filter(|it| it.login == *login);
			let lines = standing.chain(temporary.filter_map(Temporary::line));
			let lines: String = lines.map(|line| line + "\n").collect();
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

	#[test]
	fn temporary_access_has_its_end_in_its_line_and_leaves_without_a_trace() {
		let layout = Layout::new(Path::new("/d"), Path::new("/k"));
		let access = |login: &str, principal: &str| Temporary {
			login: login.into(),
			principal: principal.into(),
			until: 1_790_000_000_999,
		};
		let standing = SshState {
			principals: BTreeMap::from([("root".into(), vec!["ops".into(), "grant-1".into()])]),
			..SshState::default()
		};
		let temporary = vec![access("root", "grant-1"), access("root", "1"), access("pilot", "2")];
		let state = SshState { temporary: temporary.clone(), ..standing.clone() };
		let mut files = state.files(&layout).unwrap();
		let text = |files: &Files, login: &str| {
			String::from_utf8_lossy(&files[&format!("{PRINCIPALS}/{login}")]).into_owned()
		};
		let lines = "ops\ngrant-1\nexpiry-time=\"20260921141320Z\" grant-1\n\
			expiry-time=\"20260921141320Z\" 1\n";
		assert_eq!(text(&files, "root"), lines);
		assert_eq!(text(&files, "pilot"), "expiry-time=\"20260921141320Z\" 2\n");
		withdraw(&mut files, &temporary[1..2]);
		let lines = "ops\ngrant-1\nexpiry-time=\"20260921141320Z\" grant-1\n";
		assert_eq!(text(&files, "root"), lines);
		withdraw(&mut files, &temporary);
		assert_eq!(files, standing.files(&layout).unwrap());
	}

	#[test]
	fn access_is_over_behind_its_end_and_when_nobody_knows_the_time() {
		let access = Temporary { login: "a".into(), principal: "b".into(), until: 5 };
		assert!(!access.is_over(Some(5)) && access.is_over(Some(6)) && access.is_over(None));
	}
}
