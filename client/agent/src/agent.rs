//! The rules of convergence, free of any clock, network or thread of their own.
//!
//! On every finalised block the daemon calls, in this order,
//!
//! 1. [`Agent::enforce`]: what is in force is narrowed to what the chain still says is good. This never waits for
//!    anything but proven reads;
//! 2. [`Agent::wanted`]: which deliveries are to be fetched, at most one on each channel;
//! 3. [`Agent::deliver`] with the blob of each, when it has come;
//! 4. [`Agent::due_acknowledgements`]: what the chain is to be told.
//!
//! Rules that hold throughout: a block older than one that was acted on is not acted on, and the number of a block is on
//! the disk before anything that it changes is in force; a block that is old by the device's clock brings nothing new; a
//! delivery below the highest number seen on its channel, or with that number and another blob, is never applied; whatever
//! goes wrong with a delivery, the state before it stays in force; what is in force on all channels is one state, see
//! [`crate::merge`]; a revoked device takes no deliveries any more and keeps
//! enforcing revocations.

mod channels;
mod error;
mod lapse;

pub use error::{OpenError, StepError};

use self::lapse::Policies;
use crate::{
	appliers::{Appliers, ApplyError, Cause, Steps},
	approval::{self, ApprovalError},
	chain::Chain,
	config::{ChainSettings, Config},
	desired::{AnchorCache, ResolveError, Resolver},
	freshness::ChainTime,
	journal::{Accepted, Journal, JournalError, Plaintext, Seen},
	keys::DeviceKeys,
	merge::Merged,
	refusal::Refusal,
	rotation::{self, SettleError},
	ssh::state::SshState,
	status::{HeadStatus, RefusalStatus, Reporter, Status},
};
use dpki_client::{
	Content, Head,
	blob::{self, BlobError},
	envelope,
	primitives::{
		Moment,
		channel::{ChannelId, ChannelSet},
		delivery::{DeliveryRecord, MAX_BLOB_LEN, Outcome, RefusalReason},
		device::DeviceRecord,
		ids::{DeviceId, OrganisationId},
		organisation::Role,
		status::status,
	},
	ssh::fingerprint_text,
	view::ReadError,
};
use std::{collections::BTreeMap, time::Duration};

/// How many times a blob is asked for before the chain is told that it cannot be had. It is asked for ever after.
const BLOB_ATTEMPTS: u32 = 5;
/// The pause after the first failure; it doubles.
const BLOB_PAUSE: Duration = Duration::from_secs(2);
/// The longest pause.
const MAX_BLOB_PAUSE: Duration = Duration::from_secs(300);

/// How far the head may run ahead of the journal, in blocks, when there is nothing else to write down.
const HEAD_SAVE_INTERVAL: u32 = 300;

/// What the chain is to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
	/// On which channel.
	pub channel: ChannelId,
	/// About which delivery.
	pub seen: Seen,
	/// What became of it.
	pub outcome: Outcome,
}

/// A delivery to be fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
	/// On which channel.
	pub channel: ChannelId,
	/// What the chain says of it.
	pub record: DeliveryRecord,
}

struct Attempts {
	seen: Seen,
	failed: u32,
	next: Moment,
}

/// One device's convergence.
pub struct Agent {
	settings: ChainSettings,
	organisation: OrganisationId,
	device: DeviceId,
	channels: ChannelSet,
	clock: fn() -> Moment,
	keys: DeviceKeys,
	journal: Journal,
	/// How old the chain may be, use by use.
	policies: Policies,
	chain_time: ChainTime,
	/// Until when it was looked whether temporary access is over.
	looked_at: Moment,
	/// The same for plain keys.
	keys_looked_at: Moment,
	appliers: Appliers,
	steps: Steps,
	cache: AnchorCache,
	attempts: BTreeMap<ChannelId, Attempts>,
	proven: BTreeMap<ChannelId, Verdict>,
	refusals: BTreeMap<ChannelId, RefusalStatus>,
	status: Status,
	reporter: Reporter,
}

impl Agent {
	/// The agent of this configuration, where it left off. `clock` gives the time in milliseconds since the Unix epoch.
	pub fn open(
		config: &Config,
		keys: DeviceKeys,
		clock: fn() -> Moment,
	) -> Result<Self, OpenError> {
		Self::open_watched(config, keys, clock, Steps::default())
	}

	/// The same with somebody who is told of every step of an apply.
	pub fn open_watched(
		config: &Config,
		keys: DeviceKeys,
		clock: fn() -> Moment,
		steps: Steps,
	) -> Result<Self, OpenError> {
		let device = config.device_id();
		// Copies of secrets may lie there that nobody would look for.
		rotation::sweep(&config.state).map_err(ApplyError::from)?;
		let journal = Journal::open(&keys.vault, config.chain.genesis, device)?;
		let mut appliers = Appliers::new(config, steps.clone())?;
		appliers.ssh.resume(journal.entries.reload_due);
		// What was refused before a restart is still worth knowing after it.
		let old = Status::read(&config.status_path()).ok().flatten().unwrap_or_default();
		Ok(Self {
			settings: config.chain.clone(),
			organisation: config.organisation_id(),
			device,
			channels: config.channels.unwrap_or(ChannelSet::ALL),
			clock,
			keys,
			journal,
			policies: Policies::of(config),
			chain_time: ChainTime::open(&config.state),
			looked_at: 0,
			keys_looked_at: 0,
			appliers,
			steps,
			cache: AnchorCache::default(),
			attempts: BTreeMap::new(),
			proven: BTreeMap::new(),
			refusals: channels::refusals_of(&old),
			status: Status {
				organisation: config.organisation.clone(),
				device: config.device.clone(),
				device_id: device.to_string(),
				device_status: "unknown".into(),
				last_refusal: old.last_refusal,
				..Status::default()
			},
			reporter: Reporter::new(config.status_path()),
		})
	}

	/// What there is to tell.
	pub fn status(&self) -> &Status {
		&self.status
	}

	/// The keys of the device.
	pub fn keys(&self) -> &DeviceKeys {
		&self.keys
	}

	/// Notes what hinders the agent, or that nothing does, and writes the status.
	pub fn report(&mut self, error: Option<String>) {
		self.status.error = error.or_else(|| self.appliers.trouble().map(ToOwned::to_owned));
		self.tell_channels();
		self.status.ssh.generation = self.appliers.ssh.generations.layout().current_generation();
		self.reporter.report(&self.status, (self.clock)());
	}

	/// Whether a block is young enough by the clock of the device to bring something new, see `freshness.delivery`.
	pub fn is_fresh(&self, head: &Head) -> bool {
		self.judge_delivery(head).may_begin()
	}

	/// Whether a block is fresh, and not older than one that was acted on.
	pub fn may_act_on(&self, head: &Head) -> bool {
		self.is_fresh(head) && head.number >= self.journal.entries.head
	}

	/// Narrows what is in force to what the chain still says is good, and finishes what a crash interrupted.
	///
	/// Narrowing does not ask whether the block is fresh: no revocation is ever taken back, so whatever any block shows
	/// to be revoked still is, and a device whose clock runs ahead must not be deaf to it. Finishing a delivery does.
	pub async fn enforce(&mut self, chain: &dyn Chain) -> Result<(), StepError> {
		self.admit(chain)?;
		match rotation::settle(&mut self.keys, self.device, chain).await {
			Ok(()) => {},
			Err(SettleError::Read(error)) => return Err(error.into()),
			// A key that cannot be put away must not hold a revocation up.
			Err(SettleError::Keys(error)) => {
				tracing::warn!(%error, "an old key cannot be put away");
			},
		}
		if self.journal.entries.pending.is_some() {
			// The crash may have come before or after the switch: to narrow the delivery before this one could undo it. What
			// is over ends all the same, in whichever of the two it is.
			if !self.judge_delivery(&chain.head()).may_go_on() {
				let lapsed = self.lapse();
				self.tell_services().await;
				return lapsed;
			}
			self.finish(chain).await?;
		}
		// Nothing was ever applied, or the journal was removed: then nothing is known that could be taken away.
		if !self.journal.entries.is_in_force() {
			return Ok(());
		}
		let merged = self.merged(None);
		let state = self.narrow(chain, &merged).await?;
		self.apply(chain, &state, Cause::Enforcement)
			.await?
			.map_err(StepError::Enforce)?;
		self.note_enforced(chain);
		self.tell(&state);
		if self.overrule(chain, &merged) {
			self.save(chain)?;
		}
		if self.journal.entries.head.saturating_add(HEAD_SAVE_INTERVAL) <= chain.head().number {
			self.save(chain)?;
		}
		Ok(())
	}

	/// The deliveries to be fetched now, from the lowest channel.
	pub async fn wanted(&mut self, chain: &dyn Chain) -> Result<Vec<Due>, StepError> {
		let mut wanted = Vec::new();
		if !self.may_take(chain).await? {
			return Ok(wanted);
		}
		for channel in chain.channels(self.device).await?.iter() {
			let Some(record) = self.examine(chain, channel).await? else { continue };
			let seen = Seen::from(&record);
			let attempts = self.attempts.get(&channel).filter(|attempts| attempts.seen == seen);
			if attempts.is_none_or(|attempts| chain.head().time >= attempts.next) {
				wanted.push(Due { channel, record });
			}
		}
		Ok(wanted)
	}

	/// Takes the blob of a delivery that was wanted, or the news that it cannot be had.
	pub async fn deliver(
		&mut self,
		chain: &dyn Chain,
		Due { channel, record }: &Due,
		blob: Result<Vec<u8>, BlobError>,
	) -> Result<(), StepError> {
		let channel = *channel;
		// The chain may have moved on while the blob was fetched.
		if !self.may_take(chain).await?
			|| self.examine(chain, channel).await?.as_ref() != Some(record)
		{
			return Ok(());
		}
		let seen = Seen::from(record);
		let verified = blob.and_then(|envelope| {
			blob::verify(record.digest, record.length, &envelope).map(|()| envelope)
		});
		let envelope = match verified {
			Ok(envelope) => envelope,
			Err(error) => return self.blob_failed(chain, channel, seen, &error),
		};
		self.attempts.remove(&channel);
		let (content, plaintext) = match self.open_envelope(channel, record, &envelope) {
			Ok(opened) => opened,
			Err(refusal) => return self.refuse(chain, channel, seen, refusal),
		};
		let binding = record.binding(self.settings.genesis, self.device, channel);
		match approval::judge_content(chain, &binding, record, &content).await {
			Ok(()) => {},
			Err(ApprovalError::Read(error)) => return Err(error.into()),
			Err(ApprovalError::Refused(refusal)) => {
				return self.refuse(chain, channel, seen, refusal);
			},
		}
		let merged = self.merged(Some((channel, content.bundle.clone())));
		if let Some(refusal) = channels::conflict(&merged, channel) {
			return self.refuse(chain, channel, seen, refusal);
		}
		let judged = self.resolver(chain).judge(&content.bundle, &merged).await;
		match judged {
			Ok(()) => {},
			Err(ResolveError::Read(error)) => return Err(error.into()),
			Err(ResolveError::Refused(refusal)) => {
				return self.refuse(chain, channel, seen, refusal);
			},
		}
		let lane = self.journal.entries.lane(channel);
		(lane.highest, lane.verdict) = (Some(seen), None);
		self.journal.entries.pending = Some((channel, Accepted { seen, bundle: plaintext }));
		self.save(chain)?;
		self.finish(chain).await
	}

	fn admit(&mut self, chain: &dyn Chain) -> Result<(), StepError> {
		let head = chain.head();
		let seen = self.journal.entries.head;
		if head.number < seen {
			return Err(StepError::OldHead { found: head.number, seen });
		}
		self.chain_time.rise(head.time);
		let stale = !self.is_fresh(&head);
		if stale && !self.status.head.as_ref().is_some_and(|before| before.stale) {
			self.warn_of_old_news(&head);
		}
		self.status.head = Some(HeadStatus { number: head.number, time: head.time, stale });
		Ok(())
	}

	/// What this block says is in force: from here on logins are as young as it is.
	fn note_enforced(&mut self, chain: &dyn Chain) {
		let time = chain.head().time;
		self.chain_time.enforced(time);
		self.appliers.hear(time);
	}

	async fn device_is_valid(&mut self, chain: &dyn Chain) -> Result<bool, StepError> {
		let record = chain.device(self.device).await?;
		let own = record.as_ref().map(DeviceRecord::standing);
		let verdict = status(own.as_ref(), &[], chain.head().time);
		if self.status.device_status != verdict.name() {
			tracing::info!(status = verdict.name(), "the device's status has changed");
			self.status.device_status = verdict.name().into();
		}
		Ok(verdict.is_valid())
	}

	/// Whether this block may bring anything new.
	async fn may_take(&mut self, chain: &dyn Chain) -> Result<bool, StepError> {
		self.admit(chain)?;
		Ok(self.device_is_valid(chain).await? && self.is_fresh(&chain.head()))
	}

	/// The newest delivery on a channel, if it is to be applied, as far as its record tells.
	async fn examine(
		&mut self,
		chain: &dyn Chain,
		channel: ChannelId,
	) -> Result<Option<DeliveryRecord>, StepError> {
		let record = chain.delivery(self.device, channel).await?;
		let Some(record) = record else { return Ok(None) };
		let seen = Seen::from(&record);
		let is_obeyed = self.channels.contains(channel);
		let lane = self.journal.entries.lane(channel);
		if let Some(highest) = lane.highest {
			let verdict = lane.verdict;
			if seen.sequence < highest.sequence {
				let refusal =
					Refusal::OlderSequence { found: seen.sequence, seen: highest.sequence };
				return self.refuse(chain, channel, seen, refusal).map(|()| None);
			}
			if seen.sequence == highest.sequence && seen.digest != highest.digest {
				let refusal = Refusal::OtherBlob { sequence: seen.sequence };
				return self.refuse(chain, channel, seen, refusal).map(|()| None);
			}
			let settled = match verdict {
				None | Some(Outcome::Refused(RefusalReason::BlobUnavailable)) => false,
				Some(Outcome::Refused(RefusalReason::ChannelIgnored)) => !is_obeyed,
				Some(_) => true,
			};
			if seen == highest && settled {
				return Ok(None);
			}
		}
		if !is_obeyed {
			let refusal = Refusal::ChannelIgnored(channel);
			return self.refuse(chain, channel, seen, refusal).map(|()| None);
		}
		if record.organisation != self.organisation {
			return self.refuse(chain, channel, seen, Refusal::OtherOrganisation).map(|()| None);
		}
		let roles = chain.roles(record.organisation, &record.publisher).await?;
		if !roles.contains(Role::Publisher) {
			return self.refuse(chain, channel, seen, Refusal::SenderNotPublisher).map(|()| None);
		}
		match approval::judge(chain, self.device, channel, &record).await {
			Ok(_) => {},
			Err(ApprovalError::Read(error)) => return Err(error.into()),
			Err(ApprovalError::Refused(refusal)) => {
				return self.refuse(chain, channel, seen, refusal).map(|()| None);
			},
		}
		if self.keys.opener(self.device, record.recipient).is_none() {
			return self.refuse(chain, channel, seen, Refusal::OtherRecipient).map(|()| None);
		}
		if record.length > MAX_BLOB_LEN {
			let refusal = Refusal::EnvelopeTooLong { length: record.length };
			return self.refuse(chain, channel, seen, refusal).map(|()| None);
		}
		Ok(Some(record))
	}

	fn open_envelope(
		&self,
		channel: ChannelId,
		record: &DeliveryRecord,
		envelope: &[u8],
	) -> Result<(Content, Plaintext), Refusal> {
		let binding = record.binding(self.settings.genesis, self.device, channel);
		let key = self.keys.opener(self.device, record.recipient).ok_or(Refusal::OtherRecipient)?;
		let plaintext = envelope::open(key, &binding, envelope)?;
		let content = Content::decode(&plaintext)
			.map_err(|error| Refusal::BundleInvalid(error.to_string()))?;
		if !content.skipped.is_empty() {
			let kinds = &content.skipped;
			tracing::warn!(
				?kinds,
				"optional items of kinds that this agent does not know are left out"
			);
		}
		Ok((content, Plaintext::new(plaintext)))
	}

	async fn narrow(&mut self, chain: &dyn Chain, all: &Merged) -> Result<SshState, ReadError> {
		let mut state = self.resolver(chain).narrow(all).await?;
		self.limit(&mut state, chain.head().time);
		Ok(state)
	}

	fn resolver<'a>(&'a mut self, chain: &'a dyn Chain) -> Resolver<'a> {
		Resolver {
			chain,
			organisation: self.organisation,
			device: self.device,
			host_key: &self.keys.host,
			cache: &mut self.cache,
			appliers: &mut self.appliers,
		}
	}

	/// Puts the pending delivery in force, or goes back to what was in force before it.
	async fn finish(&mut self, chain: &dyn Chain) -> Result<(), StepError> {
		let Some((channel, pending)) = self.journal.entries.pending.clone() else { return Ok(()) };
		let merged = self.merged(Some((channel, channels::bundle(&pending))));
		// Before a restart the agent may have obeyed other channels.
		let refusal = if self.channels.contains(channel) {
			channels::conflict(&merged, channel)
		} else {
			Some(Refusal::ChannelIgnored(channel))
		};
		if let Some(refusal) = refusal {
			self.journal.entries.pending = None;
			return self.refuse(chain, channel, pending.seen, refusal);
		}
		let state = self.narrow(chain, &merged).await?;
		match self.apply(chain, &state, Cause::Delivery).await? {
			Ok(()) => {
				let sequence = pending.seen.sequence;
				tracing::info!(%channel, sequence, "the delivery is in force");
				self.note_enforced(chain);
				self.warn_of_closed_doors(&state);
				self.tell(&state);
				self.overrule(chain, &merged);
				self.journal.entries.pending = None;
				let lane = self.journal.entries.lane(channel);
				(lane.applied, lane.verdict) = (Some(pending), Some(Outcome::Applied));
				self.save(chain)?;
				self.appliers.settle();
				Ok(())
			},
			Err(error) => {
				self.journal.entries.pending = None;
				self.refuse(chain, channel, pending.seen, Refusal::ApplyFailed(error.to_string()))
			},
		}
	}

	/// The outer error is that of the journal: without it nothing is switched.
	async fn apply(
		&mut self,
		chain: &dyn Chain,
		state: &SshState,
		cause: Cause,
	) -> Result<Result<(), ApplyError>, JournalError> {
		match self.appliers.prepare(state, chain.head().time, cause).await {
			Ok(true) => {},
			prepared => return Ok(prepared.map(drop)),
		}
		self.journal.entries.reload_due = self.appliers.ssh.reload_due();
		// From the switch on this block counts: after a restart an older one would bring back what this one takes away.
		self.save(chain)?;
		let committed = self.appliers.commit(cause).await;
		let reload_due = self.appliers.ssh.reload_due();
		if self.journal.entries.reload_due != reload_due {
			self.journal.entries.reload_due = reload_due;
			self.journal.save()?;
		}
		Ok(committed)
	}

	fn blob_failed(
		&mut self,
		chain: &dyn Chain,
		channel: ChannelId,
		seen: Seen,
		error: &BlobError,
	) -> Result<(), StepError> {
		let before = self.attempts.remove(&channel).filter(|attempts| attempts.seen == seen);
		let failed = before.map_or(0, |attempts| attempts.failed) + 1;
		let pause = BLOB_PAUSE.saturating_mul(1 << (failed - 1).min(16)).min(MAX_BLOB_PAUSE);
		let next = chain.head().time.saturating_add(pause.as_millis() as Moment);
		self.attempts.insert(channel, Attempts { seen, failed, next });
		let refusal = Refusal::from(error);
		if failed < BLOB_ATTEMPTS {
			self.note(chain, channel, seen, &refusal);
			return Ok(());
		}
		self.refuse(chain, channel, seen, refusal)
	}

	/// The delivery is not taken: what is in force stays, and the chain is to be told if it listens.
	fn refuse(
		&mut self,
		chain: &dyn Chain,
		channel: ChannelId,
		seen: Seen,
		refusal: Refusal,
	) -> Result<(), StepError> {
		self.note(chain, channel, seen, &refusal);
		let Some(reason) = refusal.reason() else { return Ok(()) };
		let verdict = Some(Outcome::Refused(reason));
		let lane = self.journal.entries.lane(channel);
		if lane.highest == Some(seen) && lane.verdict == verdict {
			return Ok(());
		}
		(lane.highest, lane.verdict) = (Some(seen), verdict);
		Ok(self.save(chain)?)
	}

	fn note(&mut self, chain: &dyn Chain, channel: ChannelId, seen: Seen, refusal: &Refusal) {
		let noted = RefusalStatus {
			channel: channel.number(),
			sequence: seen.sequence,
			digest: seen.digest.to_string(),
			reason: refusal.name().into(),
			sentence: refusal.to_string(),
			at: chain.head().time,
		};
		let again = self.refusals.get(&channel).is_some_and(|last| {
			(last.sequence, &last.digest, &last.sentence)
				== (noted.sequence, &noted.digest, &noted.sentence)
		});
		if !again {
			tracing::warn!(%channel, sequence = seen.sequence, %refusal, "the delivery is refused");
			self.refusals.insert(channel, noted.clone());
			self.status.last_refusal = Some(noted);
		}
	}

	fn tell(&mut self, state: &SshState) {
		let ssh = &mut self.status.ssh;
		ssh.user_cas = state.user_cas.iter().map(|ca| ca.anchor.to_string()).collect();
		ssh.revoked_serials = state.revoked_keys.serial_count();
		ssh.revoked_keys = state.revoked_keys.fingerprints.len();
		ssh.revoked_host_serials = state.revoked_host_keys.serial_count();
		ssh.revoked_host_keys = state.revoked_host_keys.fingerprints.len();
		ssh.host_certificate = state.host_certificate.is_some();
		let delivered = state.host_key.as_ref();
		ssh.delivered_host_key = delivered.map(|key| fingerprint_text(key.public()));
		ssh.temporary = state.temporary.len() + state.temporary_keys.len();
	}

	fn warn_of_closed_doors(&self, state: &SshState) {
		let is_open = !state.temporary.is_empty() || !state.principals.values().all(Vec::is_empty);
		if !state.user_cas.is_empty() && !is_open {
			tracing::warn!(
				"the bundle names user CAs and no principals: nobody can log in by certificate"
			);
		}
	}

	fn save(&mut self, chain: &dyn Chain) -> Result<(), JournalError> {
		self.steps.pass("journal", "save");
		self.journal.entries.head = chain.head().number;
		self.journal.save()
	}
}
