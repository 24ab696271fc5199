//! What sshd is told that asks for the keys of a login.
//!
//! ```text
//! AuthorizedKeysCommand /usr/bin/dpki-agent authorized-keys %u
//! AuthorizedKeysCommandUser nobody
//! ```
//!
//! The answer comes from the disk, from what the agent has proven, and from nothing else; no chain and no secret is
//! touched. Where it is missing, too old for the policy of logins, from before the system has started, damaged, of another device, or open to be written by
//! others, there is an error and no key.

use super::{
	HEARD,
	list::{Damaged, KEYS, KeyList, origin},
};
use crate::{
	boot::Reading,
	config::Config,
	files::{self, FileError},
};
use dpki_client::{
	names::{InvalidName, NameKind},
	primitives::Moment,
};
use std::{
	fs,
	os::unix::fs::PermissionsExt,
	path::{Path, PathBuf},
};

/// Why sshd gets no answer.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
	/// That is no login.
	#[error(transparent)]
	Login(#[from] InvalidName),
	/// The agent is not told to answer.
	#[error(
		"the configuration does not say `command = true` under [apply.authorized-keys]: add it and restart the agent"
	)]
	NotConfigured,
	/// There is nothing to answer from.
	#[error(transparent)]
	File(#[from] FileError),
	/// Others could have written it.
	#[error("{} can be written by others than its owner: take that right away", .0.display())]
	Writable(PathBuf),
	/// It is not what the agent wrote.
	#[error(transparent)]
	Damaged(#[from] Damaged),
	/// The chain was not heard for too long, or not since the system has started.
	#[error(
		"the chain was not heard for too long (`freshness.ssh-login`), or not since the system has started: check that the agent runs, its peers and the clock"
	)]
	Stale,
}

/// The lines for this login, when the device's clock says `now`, in milliseconds since the Unix epoch. There may be none.
pub fn answer(config: &Config, login: &str, now: Moment) -> Result<String, AnswerError> {
	NameKind::Login.check(login)?;
	let settings = config.apply.authorized_keys.as_ref().filter(|it| it.command);
	let Some(settings) = settings else { return Err(AnswerError::NotConfigured) };
	let directory = &settings.directory;
	let current = fs::canonicalize(directory.join("current"))
		.map_err(files::failed("find", &directory.join("current")))?;
	let (keys, heard) = (current.join(KEYS), directory.join(HEARD));
	for path in [directory, &directory.join("generations"), &current, &keys, &heard] {
		check_mode(path)?;
	}
	let bytes = fs::read(&keys).map_err(files::failed("read", &keys))?;
	let list = KeyList::read(&bytes, &origin(config))?;
	let text = fs::read_to_string(&heard).map_err(files::failed("read", &heard))?;
	let (reading, heard) = text.trim().rsplit_once(' ').ok_or(Damaged)?;
	let reading: Reading = reading.parse().map_err(|_| Damaged)?;
	let heard: Moment = heard.parse().map_err(|_| Damaged)?;
	// A clock that was set back makes nothing young again. What has passed while the system was down, nobody can tell.
	let passed = Reading::now().and_then(|reads| reads.since(&reading));
	let now = now.max(heard.saturating_add(passed.ok_or(AnswerError::Stale)?));
	if !config.freshness.ssh_login.policy().judge(heard, now).may_go_on() {
		return Err(AnswerError::Stale);
	}
	let keys = list.0.get(login).into_iter().flatten();
	Ok(keys.filter(|key| key.is_good_at(now)).map(|key| key.line() + "\n").collect())
}

fn check_mode(path: &Path) -> Result<(), AnswerError> {
	let metadata = fs::metadata(path).map_err(files::failed("read", path))?;
	if metadata.permissions().mode() & 0o022 != 0 {
		return Err(AnswerError::Writable(path.into()));
	}
	Ok(())
}
