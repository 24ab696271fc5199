//! SSH as one of the appliers. What it does is [`crate::ssh`]; that sshd has still to be told is written in the journal,
//! and not beside the generations, which sshd reads.

use super::{Applier, ApplyError, Cause, Steps, Wanted};
use crate::{
	config::SshSettings,
	ssh::{
		applier::{Applier as Generations, Staged},
		delivered::HostKey,
		layout::{Files, read_files},
	},
};
use async_trait::async_trait;
use dpki_client::Item;

const NAME: &str = "ssh";

struct Plan {
	files: Files,
	host_key: Option<HostKey>,
	cause: Cause,
}

/// Puts access by certificates in force.
pub struct SshApplier {
	/// Makes and switches generations.
	pub generations: Generations,
	steps: Steps,
	/// Whether the configuration lets sshd have a host key that was delivered.
	takes_host_key: bool,
	plan: Option<Plan>,
	staged: Option<Staged>,
	reload_due: Option<u64>,
	/// Whether sshd has not been told of what is in force, whatever becomes of the next generation.
	is_behind: bool,
	/// Whether host keys may lie there that were delivered and are not in force any more.
	is_untidy: bool,
}

impl SshApplier {
	pub(super) fn new(settings: &SshSettings, takes_host_key: bool, steps: Steps) -> Self {
		Self {
			generations: Generations::new(settings),
			steps,
			takes_host_key,
			plan: None,
			staged: None,
			reload_due: None,
			is_behind: false,
			is_untidy: true,
		}
	}

	/// Set while sshd has still to be told: the generation to go back to if it cannot be. It has to be on the disk before
	/// [`commit`](Applier::commit).
	pub fn reload_due(&self) -> Option<u64> {
		self.reload_due
	}

	/// What [`reload_due`](Self::reload_due) was before a restart.
	pub fn resume(&mut self, reload_due: Option<u64>) {
		self.reload_due = reload_due;
		self.is_behind = reload_due.is_some();
		self.tidy();
	}

	/// Destroys the host keys that are not in force any more, unless there is a way back to them.
	fn tidy(&mut self) {
		if !self.is_untidy || self.reload_due.is_some() {
			return;
		}
		match self.generations.tidy_host_keys() {
			Ok(()) => self.is_untidy = false,
			Err(error) => tracing::warn!(%error, "old host keys cannot be destroyed"),
		}
	}
}

#[async_trait]
impl Applier for SshApplier {
	fn name(&self) -> &str {
		NAME
	}

	fn takes(&self, part: &Item) -> bool {
		matches!(
			part,
			Item::SshUserCa { .. }
				| Item::SshKnownHostCa { .. }
				| Item::SshHostCertificate { .. }
				| Item::SshPrincipals { .. }
				| Item::SshTemporaryAccess { .. }
		) || self.takes_host_key && matches!(part, Item::SshHostKey { .. })
	}

	fn initialise(&mut self) -> Result<(), ApplyError> {
		Ok(self.generations.initialise()?)
	}

	fn plan(&mut self, wanted: &Wanted<'_>) -> Result<bool, ApplyError> {
		(self.plan, self.staged) = (None, None);
		let layout = self.generations.layout();
		let files = wanted.state.files(layout).map_err(crate::ssh::applier::ApplyError::from)?;
		let current = layout
			.current_generation()
			.and_then(|number| read_files(&layout.generation(number)).ok());
		let host_key = wanted.state.host_key.clone();
		let is_whole = host_key.as_ref().is_none_or(|key| self.generations.has_host_key(key));
		if current.as_ref() == Some(&files) && is_whole {
			return Ok(self.reload_due.is_some());
		}
		self.plan = Some(Plan { files, host_key, cause: wanted.cause });
		Ok(true)
	}

	async fn validate(&mut self) -> Result<(), ApplyError> {
		let Some(Plan { files, host_key, cause }) = self.plan.take() else { return Ok(()) };
		self.is_untidy = true;
		let mut is_put = false;
		if let Some(key) = &host_key {
			self.steps.pass(NAME, "host key");
			match self.generations.put_host_key(key) {
				Ok(was_missing) => is_put = was_missing,
				Err(error) if cause == Cause::Delivery => return Err(error.into()),
				// sshd starts without it, and what is revoked does not wait for it.
				Err(error) => tracing::warn!(%error, "the delivered host key cannot be put right"),
			}
		}
		self.steps.pass(NAME, "stage");
		let Some(staged) = self.generations.stage(&files)? else {
			// The file of the key was not as it should be, so sshd may have started without it.
			if is_put && self.reload_due.is_none() {
				self.reload_due = self.generations.layout().current_generation();
			}
			return Ok(());
		};
		// `sshd -t` tells nothing about files that sshd reads at each authentication, and a fault elsewhere in its
		// configuration must not hold a revocation up.
		let is_new = cause == Cause::Delivery;
		if is_new || staged.needs_reload {
			self.generations.check(&staged, is_new).await?;
		}
		if staged.needs_reload {
			self.reload_due = staged.previous;
		}
		self.staged = Some(staged);
		Ok(())
	}

	async fn commit(&mut self) -> Result<(), ApplyError> {
		if let Some(staged) = &self.staged {
			self.steps.pass(NAME, "switch");
			self.generations.switch(staged.generation)?;
		}
		if self.reload_due.is_some() {
			self.steps.pass(NAME, "reload");
			self.generations.reload().await?;
			(self.reload_due, self.is_behind) = (None, false);
		}
		if let Some(staged) = self.staged.take() {
			tracing::info!(generation = staged.generation, "ssh: a new generation is in force");
			self.steps.pass(NAME, "prune");
			if let Err(error) = self.generations.prune() {
				tracing::warn!(%error, "old generations cannot be removed");
			}
		}
		Ok(())
	}

	async fn rollback(&mut self) {
		(self.plan, self.staged) = (None, None);
		match self.reload_due.take() {
			// It was not switched yet, so sshd has nothing to hear of but what it has not heard before.
			Some(previous) if self.generations.layout().current_generation() == Some(previous) => {
				self.reload_due = self.is_behind.then_some(previous);
			},
			Some(previous) => {
				self.is_behind = false;
				self.steps.pass(NAME, "go back");
				if let Err(error) = self.generations.go_back(previous).await {
					tracing::error!(%error, "the way back to the old generation failed too");
				}
			},
			None => {},
		}
		self.tidy();
	}

	fn keep(&mut self) {
		(self.plan, self.staged) = (None, None);
		// sshd has still to be told, and no further back than here.
		if self.reload_due.is_some() {
			self.reload_due = self.generations.layout().current_generation();
			self.is_behind = true;
		}
	}

	fn settle(&mut self) {
		self.tidy();
	}
}
