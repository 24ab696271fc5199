//! Plain keys that open logins, without any CA.
//!
//! | module | rule |
//! |---|---|
//! | [`list`] | the keys in force, in one file that tells whether it is whole |
//! | [`block`] | the agent's block in somebody's `authorized_keys` |
//! | [`answer`] | what sshd is told that asks for the keys of a login |
//!
//! What is in force lies in one file, and follows from proven state only. From it the blocks are written, and sshd is
//! answered. A key ends at its time in three ways: the agent takes it out, whether the chain is heard or not, sshd is told
//! with `expiry-time`, and the answer leaves it out. When the chain was not heard for too long no key is in force, like no
//! certificate; what stands outside the block is nobody's business but its owner's and keeps working.

pub mod answer;
pub mod block;
pub mod list;

use super::{
	ApplyError, Files, Now, Wanted, generational::Content, settings::AuthorizedKeysSettings,
};
use crate::{
	boot::Reading,
	config::Config,
	files::{self, PUBLIC},
	ssh::{check::CommandError, state::TemporaryKey},
};
use async_trait::async_trait;
use dpki_client::{Item, Use, primitives::Moment};
use list::{KEYS, Key, KeyList};
use std::{
	collections::BTreeMap,
	path::{Path, PathBuf},
	sync::atomic::{AtomicU64, Ordering},
};
use zeroize::Zeroizing;

const NAME: &str = "authorized keys";

/// The name of the file that tells when the chain was last heard: what the clock that runs since the start of the system
/// showed then, and the chain time.
const HEARD: &str = "heard";

/// How far that file may stay behind, in milliseconds: flash memory wears out.
const HEARD_INTERVAL: Moment = 60_000;

/// Plain keys of logins.
pub(super) struct AuthorizedKeys {
	origin: String,
	answers: bool,
	blocks: BTreeMap<String, PathBuf>,
	/// How far the time that is on the disk may stay behind.
	interval: Moment,
	heard: AtomicU64,
}

impl AuthorizedKeys {
	pub(super) fn new(settings: &AuthorizedKeysSettings, config: &Config) -> Self {
		let policy = config.freshness.ssh_login.policy();
		let allowed = policy.max_age.saturating_add(policy.grace).as_millis();
		let allowed = Moment::try_from(allowed).unwrap_or(Moment::MAX);
		Self {
			origin: list::origin(config),
			answers: settings.command,
			blocks: settings.files.clone(),
			interval: HEARD_INTERVAL.min(allowed / 4),
			heard: AtomicU64::new(0),
		}
	}

	fn serves(&self, login: &str) -> bool {
		self.answers || self.blocks.contains_key(login)
	}

	fn list_of(&self, files: &Files) -> Result<KeyList, ApplyError> {
		let Some(bytes) = files.get(KEYS) else { return Ok(KeyList::default()) };
		KeyList::read(bytes, &self.origin).map_err(|error| ApplyError::Content {
			applier: NAME.into(),
			problem: error.to_string(),
		})
	}

	fn write(&self, list: &KeyList) -> Files {
		let text = list.write(&self.origin);
		Files::from([(KEYS, Zeroizing::new(text.into_bytes()))])
	}

	/// Writes the blocks of those logins whose keys are not what they were, so that what an owner does to one file holds
	/// nothing else up.
	fn put_blocks(&self, files: &Files, before: Option<&Files>) -> Result<(), ApplyError> {
		let list = self.list_of(files)?;
		let known = before.and_then(|before| self.list_of(before).ok());
		let mut told = Ok(());
		for (login, path) in &self.blocks {
			let lines = Self::lines(&list, login);
			if known.as_ref().is_some_and(|known| Self::lines(known, login) == lines) {
				continue;
			}
			let written = block::put(path, &lines).map_err(|error| ApplyError::Told {
				applier: NAME.into(),
				source: CommandError {
					command: path.display().to_string(),
					problem: error.to_string(),
				},
			});
			told = told.and(written);
		}
		told
	}

	fn lines(list: &KeyList, login: &str) -> Vec<String> {
		list.0.get(login).into_iter().flatten().map(Key::line).collect()
	}
}

#[async_trait]
impl Content for AuthorizedKeys {
	fn name(&self) -> &str {
		NAME
	}

	fn names(&self) -> &'static [(&'static str, bool)] {
		&[(KEYS, false)]
	}

	fn takes(&self, part: &Item) -> bool {
		match part {
			Item::SshAuthorizedKeys { login, .. } | Item::SshTemporaryKey { login, .. } => {
				self.serves(login)
			},
			_ => false,
		}
	}

	fn files(&self, wanted: &Wanted<'_>, _: Option<&Files>) -> Result<Files, String> {
		let mut list = KeyList::default();
		for part in &wanted.state.parts {
			let Item::SshAuthorizedKeys { login, keys } = part else { continue };
			let in_time = |until: Option<Moment>| until.is_none_or(|until| until > wanted.now);
			let found = keys.iter().filter(|key| in_time(key.until)).map(Key::read);
			let found = found.collect::<Result<Vec<_>, _>>().map_err(|error| {
				format!(
					"a key for {login} cannot be written for sshd ({error}): deliver another one"
				)
			})?;
			list.0.entry(login.clone()).or_default().extend(found);
		}
		for TemporaryKey { login, key, until } in &wanted.state.temporary_keys {
			let key = Key { key: key.clone(), until: Some(*until), is_granted: true };
			if key.is_good_at(wanted.now) {
				list.0.entry(login.clone()).or_default().push(key);
			}
		}
		Ok(self.write(&list))
	}

	fn initial(&self) -> Option<Files> {
		Some(self.write(&KeyList::default()))
	}

	fn serves(&self) -> Option<Use> {
		Some(Use::SshLogin)
	}

	fn closed(&self, _: Option<&Files>) -> Files {
		self.write(&KeyList::default())
	}

	fn is_told_at_once(&self) -> bool {
		true
	}

	fn lasting(&self, files: &Files, now: Now) -> Option<Files> {
		// What is damaged opens nothing by an answer, and is written again with the next block.
		let mut list = self.list_of(files).ok()?;
		let is_good = |key: &Key| key.is_good_at(now.time) && (now.is_certain || !key.is_granted);
		list.0.values_mut().for_each(|keys| keys.retain(is_good));
		Some(self.write(&list))
	}

	fn is_told(&self, files: &Files) -> bool {
		let Ok(list) = self.list_of(files) else { return false };
		self.blocks
			.iter()
			.all(|(login, path)| block::is_there(path, &Self::lines(&list, login)).unwrap_or(false))
	}

	async fn tell(&self, files: &Files, before: Option<&Files>) -> Result<(), ApplyError> {
		self.put_blocks(files, before)
	}

	fn tell_at_once(&self, files: &Files, before: Option<&Files>) -> Result<(), ApplyError> {
		self.put_blocks(files, before)
	}

	fn hear(&self, time: Moment, directory: &Path) {
		let saved = self.heard.load(Ordering::Relaxed);
		if time < saved.saturating_add(self.interval) {
			return;
		}
		let Some(reading) = Reading::now() else {
			tracing::warn!("there is no clock since the start of the system: sshd is told no key");
			return;
		};
		let text = format!("{reading} {time}\n");
		match files::replace_lazily(&directory.join(HEARD), text.as_bytes(), PUBLIC) {
			Ok(()) => self.heard.store(time, Ordering::Relaxed),
			Err(error) => tracing::warn!(%error, "cannot write down the chain time for sshd"),
		}
	}
}
