//! What has ended is taken away before anything else: without the network, without a key, and before sshd starts.
//!
//! The files by which sshd judges lie on the disk while the system is down, and when it starts its clock may show anything.
//! The agent can be late then, or never come: the network is away, the key of the sealed state is missing, the journal is
//! damaged. So `dpki-agent lapse` runs before sshd, by a unit of its own, and `dpki-agent run` begins with the same.
//! All that has to be known lies in the open, and whoever could change it could change the files themselves:
//!
//! | what | where it is read |
//! |---|---|
//! | what time it is at least, whether that is certain, and when the chain was last in force | the times of [`crate::freshness`], in the state directory |
//! | the ends of principals of grants | `expiry-time` in their lines, in the generation that sshd reads |
//! | the ends of plain keys, and which are of grants | the list of keys, from which the block in `authorized_keys` is written |
//!
//! The rules are those of the agent that runs: after a start of the system there is no temporary access until the chain
//! tells something new, and if the chain was not heard for too long nobody logs in by what it says. What cannot be read
//! counts as never heard. What has no end stays, and so does what the owner has written. Nothing is made that is not there.

use crate::{
	appliers::{Appliers, ApplyError, Now},
	config::Config,
	files,
	freshness::ChainTime,
	lock::{LockError, StateLock},
	ssh::{
		layout::{TRUSTED_USER_CA_KEYS, read_files},
		state::withdraw_ended,
	},
};
use dpki_client::{Judgement, Use, primitives::Moment};

/// The first step, and what it holds.
pub struct Early<'a> {
	config: &'a Config,
	appliers: Appliers,
	/// Why some appliers are not among these.
	missing: Vec<ApplyError>,
	lock: Option<StateLock>,
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
	/// Whether it is known what time it is, whatever the clock shows; otherwise there is no temporary access.
	pub is_certain: bool,
	/// Whether nobody logs in by what the chain says, because it was not heard for too long.
	pub are_logins_closed: bool,
	/// The same of TLS peers.
	pub are_peers_closed: bool,
	/// The new generation of what sshd reads, if something was taken out.
	pub generation: Option<u64>,
}

impl<'a> Early<'a> {
	/// Takes the lock of the state directory. An agent that holds it sees to all this itself.
	pub fn begin(config: &'a Config) -> Result<Self, LockError> {
		let lock = match StateLock::acquire(&config.state) {
			Ok(lock) => Some(lock),
			Err(error @ LockError::Held { .. }) => return Err(error),
			// A state directory that is missing or cannot be written keeps nothing open.
			Err(LockError::File(error)) => {
				tracing::debug!(%error, "the state directory is not locked");
				None
			},
		};
		let (appliers, missing) = Appliers::as_they_are(config);
		Ok(Self { config, appliers, missing, lock })
	}

	/// Takes away what has ended, by the device's clock or the newest chain time on the disk if that shows more. Whatever
	/// fails, everything else is taken away; the first failure is told.
	pub fn take_away(&mut self, clock: Moment) -> Result<Taken, ApplyError> {
		let time = ChainTime::open(&self.config.state);
		let (now, is_certain) = (time.now(clock), time.is_certain());
		let freshness = &self.config.freshness;
		let is_refused = |judged| matches!(judged, Judgement::Refused { .. });
		let are_logins_closed = is_refused(time.judge(&freshness.ssh_login.policy(), clock));
		let are_peers_closed = self.appliers.serves(Use::Tls)
			&& is_refused(time.judge(&freshness.tls.policy(), clock));
		let ssh = self.narrow(is_certain.then_some(now), are_logins_closed);
		let expired = self.appliers.expire(Now { time: now, is_certain });
		let close = |appliers: &mut Appliers, is_closed, what| match is_closed {
			true => appliers.close(what),
			false => Ok(()),
		};
		let logins = close(&mut self.appliers, are_logins_closed, Use::SshLogin);
		let peers = close(&mut self.appliers, are_peers_closed, Use::Tls);
		let missing = self.missing.pop().map_or(Ok(()), Err);
		let generation = ssh?;
		expired.and(logins).and(peers).and(missing)?;
		Ok(Taken { is_certain, are_logins_closed, are_peers_closed, generation })
	}

	/// Tells services of what was closed to them, for whoever ends here. An agent that goes on does so itself.
	pub async fn tell_services(&mut self) {
		self.appliers.tell_closed().await;
	}

	/// The lock, for whoever goes on; `None` if it could not be had.
	pub fn take_lock(&mut self) -> Option<StateLock> {
		self.lock.take()
	}

	/// What sshd reads, without what has ended; the new generation, if there is one.
	fn narrow(&self, now: Option<Moment>, is_closed: bool) -> Result<Option<u64>, ApplyError> {
		let generations = &self.appliers.ssh.generations;
		let layout = generations.layout();
		let Some(current) = layout.current_generation() else { return Ok(None) };
		let place = layout.generation(current);
		let before = read_files(&place).map_err(files::failed("read", &place))?;
		let mut wanted = before.clone();
		withdraw_ended(&mut wanted, now);
		if is_closed {
			wanted.entry(TRUSTED_USER_CA_KEYS.into()).or_default().clear();
		}
		if wanted == before {
			return Ok(None);
		}
		let Some(staged) = generations.stage(&wanted)? else { return Ok(None) };
		generations.switch(staged.generation)?;
		tracing::info!(
			generation = staged.generation,
			"ssh: access that is over is taken away before anything else"
		);
		if let Err(error) = generations.prune() {
			tracing::warn!(%error, "old generations cannot be removed");
		}
		Ok(Some(staged.generation))
	}
}
