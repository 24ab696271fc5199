//! What happens when the chain is not heard any more, and when temporary access is over.
//!
//! A device that hears nothing cannot tell whether it is offline or kept from the news. When the newest proven block is
//! of which all is in force is older than the configuration allows, no user CA is believed any more: what was revoked meanwhile opens nothing, and
//! neither do plain keys that were delivered, nor anything else that needs the chain. What the owner has written into
//! `authorized_keys` is not the agent's and keeps working. The first block that is young enough brings everything back.
//!
//! TLS has a policy of its own. When it is over, every service of the configuration believes nobody, and no pre-shared key is
//! good; certificates by which the services prove themselves stay, and so does what is revoked. sshd and whoever reads plain
//! keys read files at each login, services have to be told: the files come first, [`Agent::tell_services`] after them.
//!
//! Temporary access ends by a timer, whether the chain is heard or not. The time is that of the newest proven block and what
//! has passed since by a clock that nobody sets, or that of the device's clock if it shows more: a clock that was set back
//! prolongs nothing. What has passed while the system was down, such a clock cannot tell; so after a start of the system
//! there is no temporary access before the chain tells something new.
//!
//! Plain keys of grants are temporary access like any other. Other plain keys that have an end are ended by the same timer;
//! they may be good for years, so a start of the system alone does not end them: until the chain tells something new the device's clock counts, or the newest proven block if that shows more.

use super::{Agent, StepError};
use crate::{
	appliers::{ApplyError, Now},
	config::Config,
	ssh::{
		layout::{TRUSTED_USER_CA_KEYS, read_files},
		state::{SshState, Temporary, withdraw},
	},
};
use dpki_client::{Bundle, Head, Item, Judgement, Policy, Use, primitives::Moment};
use std::time::Duration;

/// How old the chain may be, use by use.
pub(super) struct Policies {
	ssh_login: Policy,
	tls: Policy,
	delivery: Policy,
}

impl Policies {
	pub(super) fn of(config: &Config) -> Self {
		let settings = &config.freshness;
		Self {
			ssh_login: settings.ssh_login.policy(),
			tls: settings.tls.policy(),
			delivery: settings.delivery.policy(config.chain.max_head_age),
		}
	}
}

impl Agent {
	/// When [`lapse`](Self::lapse) is to be called next, from now; `None` if it need not be.
	pub fn lapses_in(&self) -> Option<Duration> {
		self.terms().into_iter().flatten().min()
	}

	/// When the next thing is over that is not over yet, from now.
	pub fn next_end_in(&self) -> Option<Duration> {
		self.terms().into_iter().flatten().filter(|term| !term.is_zero()).min()
	}

	fn terms(&self) -> [Option<Duration>; 4] {
		let clock = (self.clock)();
		let logins = self.chain_time.remaining(&self.policies.ssh_login, clock);
		let is_used = self.appliers.serves(Use::Tls);
		let peers = is_used.then(|| self.chain_time.remaining(&self.policies.tls, clock)).flatten();
		[logins, peers, self.ends_in(clock), self.keys_end_in(clock)]
	}

	/// Ends temporary access and plain keys that are over, and closes logins by certificate and TLS if the newest proven
	/// block is too old for them. [`tell_services`](Self::tell_services) has to follow.
	/// That it is too old is an error, each time.
	pub fn lapse(&mut self) -> Result<(), StepError> {
		// Nothing was ever applied, so there is nothing to close.
		if !self.journal.entries.is_in_force() {
			return Ok(());
		}
		let judged = self.judge_logins();
		let is_closed = matches!(judged, Judgement::Refused { .. });
		let peers = self.judge_peers();
		let mut taken = self.take_away(is_closed);
		if is_closed {
			taken = taken.and(self.appliers.close(Use::SshLogin));
		}
		if !peers.may_go_on() {
			self.tell_peers_closed(true);
			taken = taken.and(self.appliers.close(Use::Tls));
		}
		let now = self.chain_time.now((self.clock)());
		let is_certain = self.chain_time.is_certain();
		taken = taken.and(self.appliers.expire(Now { time: now, is_certain }));
		self.keys_looked_at = now;
		taken.map_err(StepError::Enforce)?;
		match (judged, peers) {
			(Judgement::Refused { allowed, .. }, _) => {
				Err(StepError::Lapsed { allowed: allowed / 1000 })
			},
			(_, Judgement::Refused { allowed, .. }) => {
				Err(StepError::PeersLapsed { allowed: allowed / 1000 })
			},
			_ => Ok(()),
		}
	}

	/// Tells the services of what was closed to them. One that cannot be told is told again later, and holds nothing up.
	pub async fn tell_services(&mut self) {
		self.appliers.tell_closed().await;
	}

	/// Takes out of what is wanted what the age of the newest block does not allow, and what is over.
	/// `read_at` is the time of the block at which all of it was proven.
	pub(super) fn limit(&mut self, state: &mut SshState, read_at: Moment) {
		let now = self.certain_now();
		state.temporary.retain(|access| !access.is_over(now));
		state.temporary_keys.retain(|key| !key.is_over(now));
		let now = self.chain_time.now((self.clock)());
		for part in &mut state.parts {
			if let Item::SshAuthorizedKeys { keys, .. } = part {
				keys.retain(|key| key.until.is_none_or(|until| until > now));
			}
		}
		let clock = (self.clock)();
		let judge =
			|policy: &Policy| self.chain_time.judge_read(policy, read_at, clock).may_go_on();
		let is_closed = !judge(&self.policies.ssh_login);
		let are_peers_closed = self.appliers.serves(Use::Tls) && !judge(&self.policies.tls);
		if is_closed {
			state.user_cas.clear();
			state.temporary_keys.clear();
			state.parts.retain(|part| !matches!(part, Item::SshAuthorizedKeys { .. }));
		}
		state.peers_closed = are_peers_closed;
		self.tell_closed(is_closed);
		self.tell_peers_closed(are_peers_closed);
	}

	fn judge_logins(&self) -> Judgement {
		self.chain_time.judge(&self.policies.ssh_login, (self.clock)())
	}

	/// Where nothing is put in force for TLS there is nothing to be judged.
	fn judge_peers(&self) -> Judgement {
		if !self.appliers.serves(Use::Tls) {
			return Judgement::Fresh;
		}
		self.chain_time.judge(&self.policies.tls, (self.clock)())
	}

	/// What may be taken from this block: something new only if it is fresh, what was accepted before as long as it may go on.
	pub(super) fn judge_delivery(&self, head: &Head) -> Judgement {
		let now = self.chain_time.now((self.clock)());
		self.policies.delivery.judge(head.time, now)
	}

	pub(super) fn warn_of_old_news(&self, head: &Head) {
		let age = self.chain_time.now((self.clock)()).saturating_sub(head.time).div_ceil(1000);
		let max = self.policies.delivery.max_age.as_secs();
		tracing::warn!(
			block = head.number,
			age,
			max,
			"the newest finalised block is too old to bring anything new (`freshness.delivery`): check the peers, the \
			 network and the clock"
		);
	}

	/// The time, unless only the device's clock could tell it.
	fn certain_now(&self) -> Option<Moment> {
		self.chain_time.is_certain().then(|| self.chain_time.now((self.clock)()))
	}

	/// Until the next temporary access is over, from now; `None` if there is none.
	fn ends_in(&self, clock: Moment) -> Option<Duration> {
		let now = self.chain_time.now(clock);
		let items = self.items();
		let ends = items.iter().filter_map(temporary_until);
		// Whatever was over when it was last looked is taken away.
		let next = ends.filter(|until| *until >= self.looked_at).min()?;
		self.chain_time
			.is_certain()
			.then(|| Duration::from_millis(next.saturating_sub(now).saturating_add(1)))
	}

	/// Until the next plain key is over, from now; `None` if there is none that will be.
	fn keys_end_in(&self, clock: Moment) -> Option<Duration> {
		let items = self.items();
		let keys = items.iter().filter_map(|item| match item.part() {
			Item::SshAuthorizedKeys { keys, .. } => Some(keys),
			_ => None,
		});
		let ends = keys.flatten().filter_map(|key| key.until);
		let next = ends.filter(|until| *until > self.keys_looked_at).min()?;
		Some(Duration::from_millis(next.saturating_sub(self.chain_time.now(clock))))
	}

	/// What may be in force: after the switch that is the delivery on its way already, and until the chain is heard what came
	/// on channels that are not obeyed any more.
	fn items(&self) -> Vec<Item> {
		let entries = &self.journal.entries;
		let applied = entries.lanes.values().filter_map(|lane| lane.applied.as_ref());
		let accepted = applied.chain(entries.pending.as_ref().map(|(_, pending)| pending));
		accepted
			.filter_map(|it| Bundle::decode(it.bundle.bytes()).ok())
			.flat_map(|bundle| bundle.items)
			.collect()
	}

	/// The temporary access of what may be in force, whether it is over or not.
	fn temporary(&self) -> Vec<Temporary> {
		let items = self.items();
		let parts = items.iter().filter_map(|item| match item.part() {
			Item::SshTemporaryAccess { login, principal, until, .. } => Some(Temporary {
				login: login.clone(),
				principal: principal.clone(),
				until: *until,
			}),
			_ => None,
		});
		parts.collect()
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

	fn tell_peers_closed(&mut self, are_closed: bool) {
		if self.status.peers_closed != are_closed {
			if are_closed {
				tracing::warn!(
					"the chain was not heard for too long: no TLS peer is believed and no pre-shared key is good"
				);
			} else {
				tracing::info!("the chain is heard again: TLS peers are believed");
			}
		}
		self.status.peers_closed = are_closed;
	}

	/// What is in force without temporary access that is over, and without its user CAs if logins are closed. Works on the
	/// files, because after a restart there is nothing else as long as the chain is not heard.
	fn take_away(&mut self, is_closed: bool) -> Result<(), ApplyError> {
		if is_closed {
			self.tell_closed(true);
		}
		let now = self.certain_now();
		let temporary = self.temporary();
		let (over, open): (Vec<_>, Vec<_>) =
			temporary.into_iter().partition(|access| access.is_over(now));
		let generations = &self.appliers.ssh.generations;
		let layout = generations.layout();
		let Some(current) = layout.current_generation() else { return Ok(()) };
		let place = layout.generation(current);
		let before = read_files(&place).map_err(crate::files::failed("read", &place))?;
		let mut files = before.clone();
		withdraw(&mut files, &over);
		if is_closed {
			files.entry(TRUSTED_USER_CA_KEYS.into()).or_default().clear();
			self.status.ssh.user_cas.clear();
		}
		if files != before
			&& let Some(staged) = generations.stage(&files)?
		{
			generations.switch(staged.generation)?;
			tracing::info!(
				generation = staged.generation,
				"ssh: access that is over is taken away"
			);
			if let Err(error) = generations.prune() {
				tracing::warn!(%error, "old generations cannot be removed");
			}
		}
		self.looked_at = now.unwrap_or(0);
		let keys = self.items().into_iter().filter(|item| {
			matches!(item.part(), Item::SshTemporaryKey { until, .. } if now.is_some_and(|now| now < *until))
		});
		let open = if is_closed { open.len() } else { open.len() + keys.count() };
		self.status.ssh.temporary = self.status.ssh.temporary.min(open);
		Ok(())
	}
}

/// The end of access that ends by itself; `None` of any other part.
fn temporary_until(item: &Item) -> Option<Moment> {
	match item.part() {
		Item::SshTemporaryAccess { until, .. } | Item::SshTemporaryKey { until, .. } => {
			Some(*until)
		},
		_ => None,
	}
}
