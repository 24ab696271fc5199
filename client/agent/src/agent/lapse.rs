//! What happens when the chain is not heard any more.
//!
//! A device that hears nothing cannot tell whether it is offline or kept from the news. When the newest proven block is
//! older than the configuration allows, no user CA is believed any more: what was revoked meanwhile opens nothing, and
//! neither do plain keys that were delivered, nor anything else that needs the chain. What the owner has written into
//! `authorized_keys` is not the agent's and keeps working. The first block that is young enough brings everything back.

use super::{Agent, StepError};
use crate::{
	appliers::ApplyError,
	ssh::{
		layout::{TRUSTED_USER_CA_KEYS, read_files},
		state::SshState,
	},
};
use dpki_client::{Item, Judgement};
use std::time::Duration;

impl Agent {
	/// When [`lapse`](Self::lapse) is to be called next, from now; `None` if it need not be.
	pub fn lapses_in(&self) -> Option<Duration> {
		self.chain_time.remaining(&self.ssh_login, (self.clock)())
	}

	/// Closes logins by certificate if the newest proven block is too old for them. That it is so is an error, each time.
	pub fn lapse(&mut self) -> Result<(), StepError> {
		// Nothing was ever applied, so there is nothing to close.
		if self.journal.entries.applied.is_none() {
			return Ok(());
		}
		let Judgement::Refused { allowed, .. } = self.judge_logins() else { return Ok(()) };
		self.close().and(self.appliers.close()).map_err(StepError::Enforce)?;
		Err(StepError::Lapsed { allowed: allowed / 1000 })
	}

	/// Takes out of what is wanted what the age of the newest block does not allow.
	pub(super) fn limit(&mut self, state: &mut SshState) {
		let is_closed = !self.judge_logins().may_go_on();
		if is_closed {
			state.user_cas.clear();
			state.parts.retain(|part| !matches!(part, Item::SshAuthorizedKeys { .. }));
		}
		self.tell_closed(is_closed);
	}

	fn judge_logins(&self) -> Judgement {
		self.chain_time.judge(&self.ssh_login, (self.clock)())
	}

	fn tell_closed(&mut self, is_closed: bool) {
		if self.status.ssh.closed != is_closed {
			if is_closed {
				tracing::warn!("the chain was not heard for too long: no user CA is believed");
			} else {
				tracing::info!("the chain is heard again: user CAs are believed");
			}
		}
		self.status.ssh.closed = is_closed;
	}

	/// What is in force without its user CAs. Works on the files, because after a restart there is nothing else as long as
	/// the chain is not heard.
	fn close(&mut self) -> Result<(), ApplyError> {
		self.tell_closed(true);
		let generations = &self.appliers.ssh.generations;
		let layout = generations.layout();
		let Some(current) = layout.current_generation() else { return Ok(()) };
		let place = layout.generation(current);
		let mut files = read_files(&place).map_err(crate::files::failed("read", &place))?;
		let trusted = files.entry(TRUSTED_USER_CA_KEYS.into()).or_default();
		if trusted.is_empty() {
			return Ok(());
		}
		trusted.clear();
		self.status.ssh.user_cas.clear();
		if let Some(staged) = generations.stage(&files)? {
			generations.switch(staged.generation)?;
			if let Err(error) = generations.prune() {
				tracing::warn!(%error, "old generations cannot be removed");
			}
		}
		Ok(())
	}
}
