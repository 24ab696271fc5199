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
		let end = expiry_time(self.until)?;
		Some(format!("{EXPIRY}{end}\" {}", self.principal))
	}
}

/// How a line begins that says its end.
const EXPIRY: &str = "expiry-time=\"";

/// A moment in UTC, as sshd(8) takes it. One after the year 9999 cannot be written so, and is none that sshd would live to
/// see. What is later is greater as a text, too.
pub(crate) fn expiry_time(moment: Moment) -> Option<String> {
	let time = OffsetDateTime::from_unix_timestamp(i64::try_from(moment / 1000).ok()?).ok()?;
	let (year, month, day) = time.to_calendar_date();
	let (hour, minute, second) = time.to_hms();
	let month = u8::from(month);
	Some(format!("{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}Z"))
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
		let ending = format!(" {}", access.principal);
		take_lines(files, &format!("{PRINCIPALS}/{}", access.login), |line| {
			line.starts_with(EXPIRY) && line.ends_with(&ending)
		});
	}
}

/// Takes every access out of the files of a generation whose line says an end that has come, to the second that sshd is told;
/// if nobody can tell what time it is, every one that says an end. What says none stays.
pub fn withdraw_ended(files: &mut Files, now: Option<Moment>) {
	let now = now.and_then(expiry_time);
	let is_over = |line: &str| {
		// No principal has white space in it, so nothing that stays is a line of this form.
		let end = line.strip_prefix(EXPIRY).and_then(|rest| rest.split_once("\" "));
		let Some((end, _)) = end else { return false };
		let lasts = |now: &String| end.len() == now.len() && end > now.as_str();
		!now.as_ref().is_some_and(lasts)
	};
	let of_logins = |file: &&String| file.starts_with(&format!("{PRINCIPALS}/"));
	for file in files.keys().filter(of_logins).cloned().collect::<Vec<_>>() {
		take_lines(files, &file, is_over);
	}
}

/// Takes these lines out of a file, and the file away if nothing is left.
fn take_lines(files: &mut Files, file: &str, is_taken: impl Fn(&str) -> bool) {
	let Some(content) = files.get_mut(file) else { return };
	let text = String::from_utf8_lossy(content);
	if !text.lines().any(&is_taken) {
		return;
	}
	let rest = text.lines().filter(|line| !is_taken(line));
	let rest: String = rest.map(|line| format!("{line}\n")).collect();
	if rest.is_empty() {
		files.remove(file);
	} else {
		*content = rest.into_bytes();
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
	fn what_says_its_end_leaves_by_it_and_what_says_none_stays() {
		const END: Moment = 1_790_000_000_999;
		let layout = Layout::new(Path::new("/d"), Path::new("/k"));
		let access = |login: &str, until| Temporary {
			login: login.into(),
			principal: "grant".into(),
			until,
		};
		let standing = SshState {
			principals: BTreeMap::from([("root".into(), vec!["ops".into(), "grant".into()])]),
			..SshState::default()
		};
		let temporary = vec![access("root", END), access("pilot", END + 86_400_000)];
		let state = SshState { temporary, ..standing.clone() };
		let left = |now| {
			let mut files = state.files(&layout).unwrap();
			withdraw_ended(&mut files, now);
			files
		};
		assert_eq!(left(Some(END - 1000)), state.files(&layout).unwrap());
		let later = SshState { temporary: state.temporary[1..].to_vec(), ..standing.clone() };
		assert_eq!(left(Some(END)), later.files(&layout).unwrap(), "in the second that is told");
		let standing = standing.files(&layout).unwrap();
		for now in [Some(END + 86_400_000), None, Some(Moment::MAX)] {
			assert_eq!(left(now), standing, "{now:?}");
		}
		let file = format!("{PRINCIPALS}/root");
		let mut odd = Files::from([(file.clone(), b"expiry-time=\"9\" x\nops\n".to_vec())]);
		withdraw_ended(&mut odd, Some(END));
		assert_eq!(odd[&file], b"ops\n", "an end that nobody understands has come");
	}

	#[test]
	fn access_is_over_behind_its_end_and_when_nobody_knows_the_time() {
		let access = Temporary { login: "a".into(), principal: "b".into(), until: 5 };
		assert!(!access.is_over(Some(5)) && access.is_over(Some(6)) && access.is_over(None));
	}
}
