//! The rules of convergence, free of any clock, network or thread of their own.
//!
//! On every finalised block the daemon calls, in this order,
//!
//! 1. [`Agent::enforce`]: what is in force is narrowed to what the chain still says is good. This never waits for
//!    anything but proven reads;
//! 2. [`Agent::wanted`]: whether there is a delivery to be fetched;
//! 3. [`Agent::deliver`] with the blob, when it has come;
//! 4. [`Agent::due_acknowledgement`]: what the chain is to be told.
//!
//! Rules that hold throughout: a block older than one that was acted on is not acted on, and the number of a block is on
//! the disk before anything that it changes is in force; a block that is old by the device's clock brings nothing new; a
//! delivery below the highest number seen, or with that number and another blob, is never applied; whatever goes wrong
//! with a delivery, the state before it stays in force; a revoked device takes no deliveries any more and keeps
//! enforcing revocations.

mod error;
mod lapse;

pub use error::{OpenError, StepError};

use crate::{
	appliers::{Appliers, ApplyError, Cause, Steps},
	approval::{self, ApprovalError},
	chain::Chain,
	config::{ChainSettings, Config, Stale},
	desired::{AnchorCache, ResolveError, Resolver},
	freshness::ChainTime,
	journal::{Accepted, Journal, JournalError, Plaintext, Seen},
	keys::DeviceKeys,
	refusal::Refusal,
	rotation::{self, SettleError},
	ssh::state::SshState,
	status::{HeadStatus, RefusalStatus, Reporter, Status},
};
use dpki_client::{
	Bundle, Content, Head, Policy,
	blob::{self, BlobError},
	envelope,
	primitives::{
		Moment,
		delivery::{DeliveryRecord, MAX_BLOB_LEN, Outcome, RefusalReason},
		device::DeviceRecord,
		ids::{DeviceId, OrganisationId},
		organisation::Role,
		status::status,
	},
	view::ReadError,
};
use std::time::Duration;

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
	/// About which delivery.
	pub seen: Seen,
	/// What became of it.
	pub outcome: Outcome,
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
	clock: fn() -> Moment,
	keys: DeviceKeys,
	journal: Journal,
	ssh_login: Policy,
	chain_time: ChainTime,
	/// Until when it was looked whether temporary access is over.
	looked_at: Moment,
	/// The same for plain keys.
	keys_looked_at: Moment,
	appliers: Appliers,
	steps: Steps,
	cache: AnchorCache,
	attempts: Option<Attempts>,
	proven: Option<Verdict>,
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
		let journal = Journal::open(&keys.vault, config.chain.genesis, device)?;
		let mut appliers = Appliers::new(config, steps.clone())?;
		appliers.ssh.resume(journal.entries.reload_due);
		Ok(Self {
			settings: config.chain.clone(),
			organisation: config.organisation_id(),
			device,
			clock,
			keys,
			journal,
			ssh_login: config.freshness.ssh_login.policy(),
			chain_time: ChainTime::open(&config.state),
			looked_at: 0,
			keys_looked_at: 0,
			appliers,
			steps,
			cache: AnchorCache::default(),
			attempts: None,
			proven: None,
			status: Status {
				organisation: config.organisation.clone(),
				device: config.device.clone(),
				device_id: device.to_string(),
				device_status: "unknown".into(),
				// What was refused before a restart is still worth knowing after it.
				last_refusal: Status::read(&config.status_path())
					.ok()
					.flatten()
					.and_then(|old| old.last_refusal),
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
		let entries = &self.journal.entries;
		self.status.sequence = entries.applied.as_ref().map(|applied| applied.seen.sequence);
		self.status.digest =
			entries.applied.as_ref().map(|applied| applied.seen.digest.to_string());
		self.status.highest_sequence = entries.highest.map(|seen| seen.sequence);
		self.status.acknowledged = self.proven.map(|verdict| verdict.seen.sequence);
		self.status.ssh.generation = self.appliers.ssh.generations.layout().current_generation();
		self.reporter.report(&self.status, (self.clock)());
	}

	/// Whether a block is fresh by the clock of the device, see [`Config::check_freshness`].
	pub fn is_fresh(&self, head: &Head) -> bool {
		self.check_freshness(head).is_ok()
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
			if !self.is_fresh(&chain.head()) {
				return self.lapse();
			}
			self.finish(chain).await?;
		}
		// Nothing was ever applied, or the journal was removed: then nothing is known that could be taken away.
		let Some(applied) = self.journal.entries.applied.clone() else { return Ok(()) };
		let state = self.narrow(chain, &applied).await?;
		self.apply(chain, &state, Cause::Enforcement)
			.await?
			.map_err(StepError::Enforce)?;
		self.note_enforced(chain);
		self.tell(&state);
		if self.journal.entries.head.saturating_add(HEAD_SAVE_INTERVAL) <= chain.head().number {
			self.save(chain)?;
		}
		Ok(())
	}

	/// The delivery to be fetched now, if there is one.
	pub async fn wanted(&mut self, chain: &dyn Chain) -> Result<Option<DeliveryRecord>, StepError> {
		let Some(record) = self.examine(chain).await? else { return Ok(None) };
		let seen = Seen::from(&record);
		let waiting = self
			.attempts
			.as_ref()
			.is_some_and(|attempts| attempts.seen == seen && chain.head().time < attempts.next);
		Ok((!waiting).then_some(record))
	}

	/// Takes the blob of a delivery that was wanted, or the news that it cannot be had.
	pub async fn deliver(
		&mut self,
		chain: &dyn Chain,
		record: &DeliveryRecord,
		blob: Result<Vec<u8>, BlobError>,
	) -> Result<(), StepError> {
		// The chain may have moved on while the blob was fetched.
		if self.examine(chain).await?.as_ref() != Some(record) {
			return Ok(());
		}
		let seen = Seen::from(record);
		let verified = blob.and_then(|envelope| {
			blob::verify(record.digest, record.length, &envelope).map(|()| envelope)
		});
		let envelope = match verified {
			Ok(envelope) => envelope,
			Err(error) => return self.blob_failed(chain, seen, &error),
		};
		self.attempts = None;
		let (content, plaintext) = match self.open_envelope(record, &envelope) {
			Ok(opened) => opened,
			Err(refusal) => return self.refuse(chain, seen, refusal),
		};
		let binding = record.binding(self.settings.genesis, self.device);
		match approval::judge_content(chain, &binding, record, &content).await {
			Ok(()) => {},
			Err(ApprovalError::Read(error)) => return Err(error.into()),
			Err(ApprovalError::Refused(refusal)) => return self.refuse(chain, seen, refusal),
		}
		let judged = self.resolver(chain).judge(&content.bundle).await;
		match judged {
			Ok(()) => {},
			Err(ResolveError::Read(error)) => return Err(error.into()),
			Err(ResolveError::Refused(refusal)) => return self.refuse(chain, seen, refusal),
		}
		self.journal.entries.highest = Some(seen);
		self.journal.entries.verdict = None;
		self.journal.entries.pending = Some(Accepted { seen, bundle: plaintext });
		self.save(chain)?;
		self.finish(chain).await
	}

	/// What the chain is to be told, unless it is proven that it knows.
	pub async fn due_acknowledgement(
		&mut self,
		chain: &dyn Chain,
	) -> Result<Option<Verdict>, StepError> {
		let entries = &self.journal.entries;
		let (Some(seen), Some(outcome)) = (entries.highest, entries.verdict) else {
			return Ok(None);
		};
		let verdict = Verdict { seen, outcome };
		if self.proven == Some(verdict) {
			return Ok(None);
		}
		let known = chain.acknowledgement(self.device).await?.is_some_and(|known| {
			(known.sequence, known.digest, known.outcome) == (seen.sequence, seen.digest, outcome)
		});
		if known {
			self.proven = Some(verdict);
			return Ok(None);
		}
		// The chain takes an acknowledgement of the newest delivery only, and of none from a revoked device.
		let newest = chain.delivery(self.device).await?.as_ref().map(Seen::from) == Some(seen);
		let valid = self.device_is_valid(chain).await?;
		Ok((newest && valid).then_some(verdict))
	}

	fn admit(&mut self, chain: &dyn Chain) -> Result<(), StepError> {
		let head = chain.head();
		let seen = self.journal.entries.head;
		if head.number < seen {
			return Err(StepError::OldHead { found: head.number, seen });
		}
		self.chain_time.rise(head.time);
		let freshness = self.check_freshness(&head);
		if let Err(error) = &freshness
			&& !self.status.head.as_ref().is_some_and(|before| before.stale)
		{
			tracing::warn!(block = head.number, "{error}");
		}
		let stale = freshness.is_err();
		self.status.head = Some(HeadStatus { number: head.number, time: head.time, stale });
		Ok(())
	}

	/// What this block says is in force: from here on logins are as young as it is.
	fn note_enforced(&mut self, chain: &dyn Chain) {
		let time = chain.head().time;
		self.chain_time.enforced(time);
		self.appliers.hear(time);
	}

	fn check_freshness(&self, head: &Head) -> Result<(), Stale> {
		let now = self.chain_time.now((self.clock)());
		self.settings.check_freshness_at(head.time, now)
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

	/// The newest delivery, if it is to be applied, as far as its record tells.
	async fn examine(&mut self, chain: &dyn Chain) -> Result<Option<DeliveryRecord>, StepError> {
		self.admit(chain)?;
		if !self.device_is_valid(chain).await? || !self.is_fresh(&chain.head()) {
			return Ok(None);
		}
		let Some(record) = chain.delivery(self.device).await? else { return Ok(None) };
		let seen = Seen::from(&record);
		if let Some(highest) = self.journal.entries.highest {
			if seen.sequence < highest.sequence {
				let refusal =
					Refusal::OlderSequence { found: seen.sequence, seen: highest.sequence };
				return self.refuse(chain, seen, refusal).map(|()| None);
			}
			if seen.sequence == highest.sequence && seen.digest != highest.digest {
				let refusal = Refusal::OtherBlob { sequence: seen.sequence };
				return self.refuse(chain, seen, refusal).map(|()| None);
			}
			let unavailable = Some(Outcome::Refused(RefusalReason::BlobUnavailable));
			let settled =
				self.journal.entries.verdict.is_some_and(|verdict| Some(verdict) != unavailable);
			if seen == highest && settled {
				return Ok(None);
			}
		}
		if record.organisation != self.organisation {
			return self.refuse(chain, seen, Refusal::OtherOrganisation).map(|()| None);
		}
		let roles = chain.roles(record.organisation, &record.publisher).await?;
		if !roles.contains(Role::Publisher) {
			return self.refuse(chain, seen, Refusal::SenderNotPublisher).map(|()| None);
		}
		match approval::judge(chain, self.device, &record).await {
			Ok(_) => {},
			Err(ApprovalError::Read(error)) => return Err(error.into()),
			Err(ApprovalError::Refused(refusal)) => {
				return self.refuse(chain, seen, refusal).map(|()| None);
			},
		}
		if self.keys.opener(self.device, record.recipient).is_none() {
			return self.refuse(chain, seen, Refusal::OtherRecipient).map(|()| None);
		}
		if record.length > MAX_BLOB_LEN {
			let problem = format!("its {} bytes are more than an envelope can have", record.length);
			return self.refuse(chain, seen, Refusal::EnvelopeInvalid(problem)).map(|()| None);
		}
		Ok(Some(record))
	}

	fn open_envelope(
		&self,
		record: &DeliveryRecord,
		envelope: &[u8],
	) -> Result<(Content, Plaintext), Refusal> {
		let binding = record.binding(self.settings.genesis, self.device);
		let key = self.keys.opener(self.device, record.recipient).ok_or(Refusal::OtherRecipient)?;
		let plaintext = envelope::open(key, &binding, envelope)
			.map_err(|error| Refusal::EnvelopeInvalid(error.to_string()))?;
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

	async fn narrow(
		&mut self,
		chain: &dyn Chain,
		accepted: &Accepted,
	) -> Result<SshState, ReadError> {
		let bundle = Bundle::decode(accepted.bundle.bytes()).unwrap_or_else(|error| {
			// It decoded when it was accepted; an agent that does not know its form any more grants nothing by it.
			tracing::error!(%error, "the bundle in force cannot be understood any more");
			Bundle { items: Vec::new() }
		});
		let mut state = self.resolver(chain).narrow(&bundle).await?;
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
		let Some(pending) = self.journal.entries.pending.clone() else { return Ok(()) };
		let state = self.narrow(chain, &pending).await?;
		match self.apply(chain, &state, Cause::Delivery).await? {
			Ok(()) => {
				tracing::info!(sequence = pending.seen.sequence, "the delivery is in force");
				self.note_enforced(chain);
				self.warn_of_closed_doors(&state);
				self.tell(&state);
				self.journal.entries.applied = self.journal.entries.pending.take();
				self.journal.entries.verdict = Some(Outcome::Applied);
				self.save(chain)?;
				self.appliers.settle();
				Ok(())
			},
			Err(error) => {
				self.journal.entries.pending = None;
				self.refuse(chain, pending.seen, Refusal::ApplyFailed(error.to_string()))
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
		seen: Seen,
		error: &BlobError,
	) -> Result<(), StepError> {
		let before = self.attempts.take().filter(|attempts| attempts.seen == seen);
		let failed = before.map_or(0, |attempts| attempts.failed) + 1;
		let pause = BLOB_PAUSE.saturating_mul(1 << (failed - 1).min(16)).min(MAX_BLOB_PAUSE);
		let next = chain.head().time.saturating_add(pause.as_millis() as Moment);
		self.attempts = Some(Attempts { seen, failed, next });
		let refusal = Refusal::BlobUnavailable(error.to_string());
		if failed < BLOB_ATTEMPTS {
			self.note(chain, seen, &refusal);
			return Ok(());
		}
		self.refuse(chain, seen, refusal)
	}

	/// The delivery is not taken: what is in force stays, and the chain is to be told if it listens.
	fn refuse(&mut self, chain: &dyn Chain, seen: Seen, refusal: Refusal) -> Result<(), StepError> {
		self.note(chain, seen, &refusal);
		let Some(reason) = refusal.reason() else { return Ok(()) };
		let verdict = Some(Outcome::Refused(reason));
		let entries = &mut self.journal.entries;
		if entries.highest == Some(seen) && entries.verdict == verdict {
			return Ok(());
		}
		entries.highest = Some(seen);
		entries.verdict = verdict;
		Ok(self.save(chain)?)
	}

	fn note(&mut self, chain: &dyn Chain, seen: Seen, refusal: &Refusal) {
		let noted = RefusalStatus {
			sequence: seen.sequence,
			digest: seen.digest.to_string(),
			reason: refusal.name().into(),
			sentence: refusal.to_string(),
			at: chain.head().time,
		};
		let again = self.status.last_refusal.as_ref().is_some_and(|last| {
			(last.sequence, &last.digest, &last.sentence)
				== (noted.sequence, &noted.digest, &noted.sentence)
		});
		if !again {
			tracing::warn!(sequence = seen.sequence, %refusal, "the delivery is refused");
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
