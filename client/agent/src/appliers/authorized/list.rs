//! The keys in force, in one file.
//!
//! ```text
//! dpki-authorized-keys 1 <genesis> <device>
//! <login> <last moment in milliseconds since 1970, or -> <key>
//! <login> grant:<last moment> <key>
//! sha256 <digest of all above>
//! ```
//!
//! It is text so that a person can read it, and says of itself whether it is whole and of this device: what answers sshd
//! has nothing else to go by.

use crate::{
	config::Config,
	ssh::state::{bare, expiry_time},
};
use dpki_client::{bundle::AuthorizedKey, primitives::Moment};
use sha2::{Digest, Sha256};
use std::{collections::BTreeMap, fmt::Write};

/// The name of the file.
pub const KEYS: &str = "keys";

const MAGIC: &str = "dpki-authorized-keys 1";

/// The first line of the list of this device.
pub fn origin(config: &Config) -> String {
	format!("{MAGIC} 0x{} {}", hex::encode(config.chain.genesis), config.device_id())
}

/// A key that opens a login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
	/// Algorithm and key, without the comment, which somebody else chose.
	pub key: String,
	/// Last moment at which it opens the login.
	pub until: Option<Moment>,
	/// Whether it is of a grant: then it opens nothing while nobody can tell what time it is.
	pub is_granted: bool,
}

/// Opens the end of a key of a grant in the file.
const GRANTED: &str = "grant:";

/// The list cannot be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the list of keys is damaged, or of another device: the agent writes it again")]
pub struct Damaged;

impl Key {
	pub(super) fn read(key: &AuthorizedKey) -> Result<Self, ssh_key::Error> {
		let public = ssh_key::PublicKey::from_openssh(&key.key)?;
		Ok(Self { key: bare(&public)?, until: key.until, is_granted: false })
	}

	/// The line for sshd, which is told when the key ends as well: then it holds to that even if the agent does not run.
	pub fn line(&self) -> String {
		match self.until.and_then(expiry_time) {
			Some(until) => format!("expiry-time=\"{until}\" {}", self.key),
			None => self.key.clone(),
		}
	}

	/// Whether it opens the login at this moment.
	pub fn is_good_at(&self, now: Moment) -> bool {
		self.until.is_none_or(|until| until > now)
	}
}

/// The keys by login.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyList(pub BTreeMap<String, Vec<Key>>);

impl KeyList {
	/// The text of the file.
	pub fn write(&self, origin: &str) -> String {
		let mut text = format!("{origin}\n");
		for (login, keys) in &self.0 {
			for Key { key, until, is_granted } in keys {
				let until = until.map_or("-".into(), |until| until.to_string());
				let granted = if *is_granted { GRANTED } else { "" };
				// Writing to a string cannot fail.
				let _ = writeln!(text, "{login} {granted}{until} {key}");
			}
		}
		let digest = hex::encode(Sha256::digest(&text));
		let _ = writeln!(text, "sha256 {digest}");
		text
	}

	/// What the file says, if it is whole and begins with `origin`.
	pub fn read(bytes: &[u8], origin: &str) -> Result<Self, Damaged> {
		let text = std::str::from_utf8(bytes).map_err(|_| Damaged)?;
		let text = text.strip_suffix('\n').ok_or(Damaged)?;
		let end = text.rfind('\n').ok_or(Damaged)? + 1;
		let (body, last) = text.split_at(end);
		let digest = hex::encode(Sha256::digest(body));
		if last.strip_prefix("sha256 ") != Some(digest.as_str()) {
			return Err(Damaged);
		}
		let mut lines = body.lines();
		if lines.next() != Some(origin) {
			return Err(Damaged);
		}
		let mut list = Self::default();
		for line in lines {
			let mut words = line.splitn(3, ' ');
			let (Some(login), Some(until), Some(key)) = (words.next(), words.next(), words.next())
			else {
				return Err(Damaged);
			};
			let (until, is_granted) = match until.strip_prefix(GRANTED) {
				Some(until) => (until, true),
				None => (until, false),
			};
			let until = match until {
				"-" if !is_granted => None,
				until => Some(until.parse().map_err(|_| Damaged)?),
			};
			let key = Key { key: key.into(), until, is_granted };
			list.0.entry(login.into()).or_default().push(key);
		}
		Ok(list)
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	const KEY: &str =
		"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti";

	fn sample() -> KeyList {
		let until = Some(1_790_000_000_999);
		let key = |until, is_granted| Key { key: KEY.into(), until, is_granted };
		let keys = vec![key(None, false), key(until, false), key(until, true)];
		KeyList(BTreeMap::from([("root".into(), keys)]))
	}

	#[test]
	fn a_list_reads_back_and_no_other_does() {
		let text = sample().write("dpki-authorized-keys 1 0x07 0x08");
		let read = |bytes: &[u8]| KeyList::read(bytes, "dpki-authorized-keys 1 0x07 0x08");
		assert_eq!(read(text.as_bytes()), Ok(sample()));
		assert_eq!(
			KeyList::read(text.as_bytes(), "dpki-authorized-keys 1 0x07 0x09"),
			Err(Damaged)
		);
		for at in 0..text.len() {
			assert_eq!(read(&text.as_bytes()[..at]), Err(Damaged), "cut {at}");
			let mut broken = text.clone().into_bytes();
			broken[at] ^= 1;
			assert_eq!(read(&broken), Err(Damaged), "flip {at}");
		}
	}

	#[test]
	fn sshd_is_told_when_a_key_ends() {
		let lines: Vec<_> = sample().0["root"].iter().map(Key::line).collect();
		assert_eq!(lines[0], KEY);
		assert_eq!(lines[1], format!("expiry-time=\"20260921141320Z\" {KEY}"));
		assert_eq!(lines[2], lines[1], "sshd need not know why");
		let ever = Key { key: KEY.into(), until: Some(Moment::MAX), is_granted: false };
		assert_eq!(ever.line(), KEY);
	}

	#[test]
	fn a_comment_does_not_reach_sshd() {
		let key = AuthorizedKey { key: format!("{KEY} command=evil"), until: None };
		assert_eq!(Key::read(&key).unwrap().line(), KEY);
	}
}
