//! The daemon: follows the finalised heads and converges on each.

use crate::{
	acknowledge::Acknowledger,
	agent::{Agent, Due, OpenError, StepError},
	chain::Chain,
	config::Config,
	connect::{ConnectError, Connection, connect, head_within},
	early::Early,
	keys::{DeviceKeys, KeyError},
	lock::{LockError, StateLock},
	notify::{Notifier, Readiness},
	renewal::Renewer,
	seal::{SealError, Vault},
	service::{ServiceError, Services},
	status::Status,
};
use dpki_client::{
	BlobStore, Stores, View,
	blob::{self, AddressError, BlobError},
	primitives::{Moment, channel::ChannelId, delivery::DeliveryRecord},
};
use dpki_light::AnchorError;
use futures::StreamExt;
use std::{
	collections::BTreeMap,
	future::Future,
	sync::Arc,
	time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::{
	task::{AbortHandle, JoinSet},
	time::Instant,
};

/// How long one attempt to fetch a blob may take.
const BLOB_TIMEOUT: Duration = Duration::from_secs(60);

/// A step is not broken off before, however soon something is over: on a slow link none would ever end.
const MIN_STEP_TIME: Duration = Duration::from_secs(10);

/// How often it is looked whether the chain was heard, when it was not.
const MIN_LAPSE_CHECK: Duration = Duration::from_secs(1);
/// How often it is looked when it was.
const MAX_LAPSE_CHECK: Duration = Duration::from_secs(30);

/// Why the daemon ended.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
	/// The keys cannot be read.
	#[error("{0}; if there are none yet, run `dpki-agent init`")]
	Keys(#[from] KeyError),
	/// The state is sealed, and does not open.
	#[error(transparent)]
	Seal(#[from] SealError),
	/// Nobody could ask the agent.
	#[error(transparent)]
	Service(#[from] ServiceError),
	/// Another agent runs.
	#[error(transparent)]
	Lock(#[from] LockError),
	/// Journal or generations cannot be used.
	#[error(transparent)]
	Open(#[from] OpenError),
	/// No light client.
	#[error(transparent)]
	Connect(#[from] ConnectError),
	/// A store of blobs cannot be opened.
	#[error(transparent)]
	Store(#[from] AddressError),
	/// The light client is not believed any more.
	#[error("{0}")]
	Lost(#[from] AnchorError),
	/// Convergence failed.
	#[error(transparent)]
	Step(#[from] StepError),
	/// No fresh block came in time.
	#[error(
		"no fresh finalised block came within {0} s: check the peers, the network and the clock"
	)]
	NoHead(u64),
	/// The chain does not know the device.
	#[error("the chain knows no device {0}: spend a voucher on it with `dpki-agent enrol`")]
	NotEnrolled(String),
	/// The device is revoked, which is for ever.
	#[error(
		"the device {0} is revoked and cannot come back: make another one with `dpki-agent init`, under a new name and \
		 with a state directory of its own, and enrol that"
	)]
	Revoked(String),
	/// The device has another status than valid.
	#[error("the device {device} is {status} on the chain: ask the organisation")]
	NotValid {
		/// The device.
		device: String,
		/// Its status.
		status: String,
	},
	/// The newest delivery on a channel was not taken.
	#[error("delivery {sequence} on channel {channel} is not in force: {sentence}")]
	Refused {
		/// On which channel it came.
		channel: u8,
		/// Its number.
		sequence: u64,
		/// Why not.
		sentence: String,
	},
	/// The chain did not learn what became of the delivery in time.
	#[error("converged, but the acknowledgement was not proven within {0} s: run the agent again")]
	NotAcknowledged(u64),
	/// Signals cannot be caught.
	#[error("signals cannot be caught: {0}")]
	Signals(#[from] std::io::Error),
}

/// The time of the device's clock, in milliseconds since the Unix epoch.
pub fn clock() -> Moment {
	// A clock before 1970 counts as 1970: every block is fresh then, and none is refused for the clock's sake.
	SystemTime::now()
		.duration_since(UNIX_EPOCH)
		.map_or(0, |time| time.as_millis() as Moment)
}

/// Follows the chain until `stop` is done. It ends with an error as well when nothing that its light client says will ever
/// count again: whoever keeps it running, such as systemd, starts it with another one.
pub async fn run(config: &Config, stop: impl Future<Output = ()>) -> Result<(), RunError> {
	let mut readiness = Readiness::new(Notifier::from_env());
	let (mut agent, _lock) = open(config).await?;
	let lapsed = lapse(&mut agent).await;
	agent.report(lapsed);
	let services = Services::start(config, agent.status().clone()).await?;
	tokio::pin!(stop);
	let connecting = connect(config);
	tokio::pin!(connecting);
	let mut looked = Instant::now();
	let connection = loop {
		let lapsing = lapse_in(&agent, looked);
		tokio::select! {
			connection = &mut connecting => break connection,
			() = &mut stop => return Ok(()),
			// What is over is over, however long the light client takes.
			() = lapsing => {
				looked = Instant::now();
				let lapsed = agent.lapse();
				tokio::select! {
					() = agent.tell_services() => {},
					() = &mut stop => return Ok(()),
				}
				if let Err(error) = lapsed {
					agent.report(Some(error.to_string()));
				}
				services.tell(agent.status(), None);
			},
		}
	};
	let connection = match connection {
		Ok(connection) => connection,
		Err(error) => {
			lapse(&mut agent).await;
			agent.report(Some(error.to_string()));
			return Err(error.into());
		},
	};
	tracing::info!(device = %config.device_id(), "following the chain");
	let lost = connection.lost();
	tokio::pin!(lost);
	let Connection { client, .. } = &connection;
	let mut acknowledger =
		Acknowledger::new(client.clone(), config.chain.genesis, config.device_id(), agent.keys());
	let mut renewer = Renewer::new(config, client.clone());
	let mut fetcher = Fetcher::new(Arc::new(Stores::open(&config.stores(), client)?));
	let mut heads = client.finalized_heads();
	let mut newest: Option<View> = None;
	loop {
		let lapsing = lapse_in(&agent, looked);
		let step = tokio::select! {
			// A stop must not wait for a chain that is busy.
			biased;
			() = &mut stop => break,
			error = &mut lost => {
				lapse(&mut agent).await;
				agent.report(Some(error.to_string()));
				return Err(error.into());
			},
			// Before the heads: whoever sends them must not hold up what is over.
			() = lapsing => {
				looked = Instant::now();
				let lapsed = agent.lapse();
				tokio::select! {
					() = agent.tell_services() => {},
					() = &mut stop => break,
				}
				match lapsed {
					// The time has not come, and nothing is known that was not known before.
					Ok(()) => continue,
					Err(error) => Err(error.to_string()),
				}
			},
			head = heads.next() => match head {
				Some(Ok(head)) => {
					let view = newest.insert(client.at(head));
					let over = step_over(agent.next_end_in());
					let step = tokio::select! {
						step = on_head(&mut agent, view, &mut fetcher, &mut acknowledger) => Some(step),
						() = &mut stop => break,
						() = over => None,
					};
					let is_done = matches!(step, Some(Ok(())));
					let step = step.unwrap_or_else(|| agent.lapse());
					readiness.acted_on(head.number, is_done, agent.is_fresh(&head));
					if is_done && readiness.is_ready() {
						renewer.look(view);
					}
					step.map_err(|error| error.to_string())
				},
				Some(Err(error)) => Err(error.to_string()),
				None => break,
			},
			(due, blob) = fetcher.fetched() => match &newest {
				Some(view) => {
					let over = step_over(agent.next_end_in());
					let step = tokio::select! {
						step = agent.deliver(view, &due, blob) => Some(step),
						() = &mut stop => break,
						() = over => None,
					};
					step.unwrap_or_else(|| agent.lapse()).map_err(|error| error.to_string())
				},
				None => Ok(()),
			},
			() = acknowledger.settled() => Ok(()),
		};
		if let Err(error) = &step
			&& agent.status().error.as_ref() != Some(error)
		{
			tracing::warn!("{error}");
		}
		agent.report(step.err());
		services.tell(agent.status(), newest.as_ref());
	}
	readiness.stopping();
	tracing::info!("stopping");
	Ok(())
}

/// Closes logins and TLS if the last news are too old, and says so. Also without a light client: whoever can keep that from
/// starting must not keep them open with it.
async fn lapse(agent: &mut Agent) -> Option<String> {
	let lapsed = agent.lapse();
	agent.tell_services().await;
	let said = lapsed.err()?.to_string();
	tracing::warn!("{said}");
	Some(said)
}

/// Waits until the chain has not been heard for too long, or until it is time to look whether that is so: while a device
/// sleeps, timers stand still and its clock does not. It was looked at `looked`: what happens since puts nothing off.
fn lapse_in(agent: &Agent, looked: Instant) -> impl Future<Output = ()> + use<> {
	let next = agent.lapses_in().map(|remaining| next_look(remaining, looked, Instant::now()));
	async move {
		match next {
			Some(next) => tokio::time::sleep_until(next).await,
			None => std::future::pending().await,
		}
	}
}

fn next_look(remaining: Duration, looked: Instant, now: Instant) -> Instant {
	let due = now + remaining.min(MAX_LAPSE_CHECK);
	due.clamp(looked + MIN_LAPSE_CHECK, looked + MAX_LAPSE_CHECK)
}

/// Waits until a step has to be broken off, because something is over by then. Every step can be: the journal says where to
/// go on, and what is planned is planned anew. What is over already has been taken away, and is no reason.
async fn step_over(remaining: Option<Duration>) {
	match step_time(remaining) {
		Some(time) => tokio::time::sleep(time).await,
		None => std::future::pending().await,
	}
}

fn step_time(remaining: Option<Duration>) -> Option<Duration> {
	let remaining = remaining.filter(|remaining| !remaining.is_zero())?;
	Some(remaining.max(MIN_STEP_TIME))
}

async fn on_head(
	agent: &mut Agent,
	view: &View,
	fetcher: &mut Fetcher,
	acknowledger: &mut Acknowledger,
) -> Result<(), StepError> {
	agent.enforce(view).await?;
	for due in agent.wanted(view).await? {
		fetcher.fetch(due);
	}
	acknowledger.submit(&agent.due_acknowledgements(view).await?, view.now());
	Ok(())
}

/// Converges once, acknowledges, and ends with the status then; gives up after `timeout`.
pub async fn run_once(config: &Config, timeout: Duration) -> Result<Status, RunError> {
	let (mut agent, _lock) = open(config).await?;
	let result = converge_once(config, &mut agent, timeout).await;
	agent.report(result.as_ref().err().map(ToString::to_string));
	result.map(|()| Status { updated_at: clock(), ..agent.status().clone() })
}

async fn converge_once(
	config: &Config,
	agent: &mut Agent,
	timeout: Duration,
) -> Result<(), RunError> {
	let deadline = tokio::time::Instant::now() + timeout;
	let seconds = timeout.as_secs();
	lapse(agent).await;
	let connected = connect(config).await;
	if connected.is_err() {
		lapse(agent).await;
	}
	let connection = connected?;
	let Connection { client, .. } = &connection;
	let head = tokio::select! {
		head = head_within(client, timeout, |head| agent.may_act_on(head)) => head,
		error = connection.lost() => {
			lapse(agent).await;
			return Err(error.into());
		},
	};
	if head.is_none() {
		let lapsed = agent.lapse();
		agent.tell_services().await;
		lapsed?;
	}
	let view = client.at(head.ok_or(RunError::NoHead(seconds))?);
	converge(agent, &view, &Stores::open(&config.stores(), client)?).await?;
	agent.report(None);
	check_device(agent.status())?;
	let lapsed = agent.lapse();
	agent.tell_services().await;
	lapsed?;
	let mut acknowledger =
		Acknowledger::new(client.clone(), config.chain.genesis, config.device_id(), agent.keys());
	let acknowledging = async {
		let mut heads = client.finalized_heads();
		while let Some(head) = heads.next().await {
			let Ok(head) = head else { continue };
			let view = client.at(head);
			match agent.due_acknowledgements(&view).await {
				Ok(due) if due.iter().all(|verdict| acknowledger.is_closed(*verdict)) => break,
				Ok(due) => {
					acknowledger.submit(&due, view.now());
					// Until it is proven or the next attempt is due, there is nothing else to do.
					let _ =
						tokio::time::timeout(Duration::from_secs(5), acknowledger.settled()).await;
				},
				Err(error) => tracing::debug!(%error, "the acknowledgement cannot be looked up"),
			}
		}
	};
	tokio::time::timeout_at(deadline, acknowledging)
		.await
		.map_err(|_| RunError::NotAcknowledged(seconds))?;
	let obeyed = agent.status().channels.iter().filter(|channel| channel.obeyed);
	let mut refused = obeyed.filter_map(|channel| {
		let refusal = channel.last_refusal.as_ref()?;
		let is_newest = channel.sequence.is_none_or(|applied| refusal.sequence > applied);
		is_newest.then_some(refusal)
	});
	match refused.next() {
		Some(refusal) => Err(RunError::Refused {
			channel: refusal.channel,
			sequence: refusal.sequence,
			sentence: refusal.sentence.clone(),
		}),
		None => Ok(()),
	}
}

/// Everything that one block asks for, the fetching included.
pub async fn converge(
	agent: &mut Agent,
	chain: &dyn Chain,
	blobs: &dyn BlobStore,
) -> Result<(), StepError> {
	agent.enforce(chain).await?;
	for due in agent.wanted(chain).await? {
		let blob = fetch(blobs, &due.record).await;
		agent.deliver(chain, &due, blob).await?;
	}
	Ok(())
}

/// The agent, and what has to be held as long as it works. What has ended is taken away before anything that can fail:
/// neither a missing key nor a damaged journal keeps it.
async fn open(config: &Config) -> Result<(Agent, StateLock), RunError> {
	let mut early = Early::begin(config)?;
	if let Err(error) = early.take_away(clock()) {
		tracing::warn!(%error, "not everything that has ended could be taken away");
	}
	let opened = open_state(config, early.take_lock()).await;
	if opened.is_err() {
		early.tell_services().await;
	}
	opened
}

async fn open_state(
	config: &Config,
	lock: Option<StateLock>,
) -> Result<(Agent, StateLock), RunError> {
	let mut vault = Vault::of(config).await?;
	// Who has no keys is told so, and not that there is nothing to lock.
	DeviceKeys::load(&vault)?;
	let lock = lock.map_or_else(|| StateLock::acquire(&config.state), Ok)?;
	vault.complete()?;
	let keys = DeviceKeys::load(&vault)?;
	Ok((Agent::open(config, keys, clock)?, lock))
}

/// Whether the device may take deliveries; the error says what can be done about it.
fn check_device(status: &Status) -> Result<(), RunError> {
	let device = format!("{}/{}", status.organisation, status.device);
	match status.device_status.as_str() {
		"valid" => Ok(()),
		"unknown" => Err(RunError::NotEnrolled(device)),
		"revoked" => Err(RunError::Revoked(device)),
		other => Err(RunError::NotValid { device, status: other.into() }),
	}
}

async fn fetch(blobs: &dyn BlobStore, record: &DeliveryRecord) -> Result<Vec<u8>, BlobError> {
	let fetching = blobs.get(record.digest, record.length);
	tokio::time::timeout(BLOB_TIMEOUT, fetching).await.unwrap_or_else(|_| {
		Err(BlobError::Unavailable {
			cid: blob::cid(record.digest),
			reason: format!("{} s have passed", BLOB_TIMEOUT.as_secs()),
		})
	})
}

type Fetched = (Due, Result<Vec<u8>, BlobError>);

/// Fetches one blob at a time for each channel, beside convergence: a blob that is slow must not hold a revocation up, nor what
/// came on another channel.
struct Fetcher {
	blobs: Arc<dyn BlobStore>,
	tasks: JoinSet<Fetched>,
	running: BTreeMap<ChannelId, (Due, AbortHandle)>,
}

impl Fetcher {
	fn new(blobs: Arc<dyn BlobStore>) -> Self {
		Self { blobs, tasks: JoinSet::new(), running: BTreeMap::new() }
	}

	/// Begins to fetch, unless this is under way; something else that is under way on the channel is given up.
	fn fetch(&mut self, due: Due) {
		if let Some((running, task)) = self.running.get(&due.channel) {
			if *running == due {
				return;
			}
			task.abort();
		}
		let (blobs, wanted) = (self.blobs.clone(), due.clone());
		let task = self.tasks.spawn(async move {
			let blob = fetch(blobs.as_ref(), &wanted.record).await;
			(wanted, blob)
		});
		self.running.insert(due.channel, (due, task));
	}

	/// Waits for a blob; for ever if none is under way. Can be dropped and called again.
	async fn fetched(&mut self) -> Fetched {
		while let Some(ended) = self.tasks.join_next_with_id().await {
			let id = match &ended {
				Ok((id, _)) => *id,
				Err(error) => error.id(),
			};
			let channel = self.running.iter().find(|(_, (_, task))| task.id() == id);
			let channel = channel.map(|(channel, _)| *channel);
			// Nobody waits for what was given up.
			let Some((due, _)) = channel.and_then(|channel| self.running.remove(&channel)) else {
				continue;
			};
			return match ended {
				Ok((_, fetched)) => fetched,
				Err(error) => {
					let cid = blob::cid(due.record.digest);
					(due, Err(BlobError::Unavailable { cid, reason: error.to_string() }))
				},
			};
		}
		std::future::pending().await
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use dpki_client::primitives::{
		delivery::Suite,
		ids::{BlobDigest, KeyId, OrganisationId},
	};

	/// A store that never answers for one digest, and at once for every other.
	struct Slow(BlobDigest);

	#[async_trait::async_trait]
	impl BlobStore for Slow {
		async fn get(&self, digest: BlobDigest, _: u32) -> Result<Vec<u8>, BlobError> {
			if digest == self.0 {
				std::future::pending::<()>().await;
			}
			Ok(digest.0.to_vec())
		}
	}

	fn due(channel: u8, digest: u8) -> Due {
		let record = DeliveryRecord {
			organisation: OrganisationId([1; 32]),
			publisher: [2; 32],
			sequence: 1,
			suite: Suite::X25519ChaCha20Poly1305,
			recipient: KeyId([3; 32]),
			digest: BlobDigest([digest; 32]),
			length: 32,
			published_at: 1,
		};
		Due { channel: ChannelId::new(channel).unwrap(), record }
	}

	#[tokio::test]
	async fn a_slow_blob_holds_up_no_other_channel() {
		let mut fetcher = Fetcher::new(Arc::new(Slow(BlobDigest([9; 32]))));
		fetcher.fetch(due(0, 9));
		fetcher.fetch(due(1, 5));
		fetcher.fetch(due(1, 5));
		let (found, blob) = fetcher.fetched().await;
		assert_eq!((found, blob.unwrap()), (due(1, 5), vec![5; 32]));
		// A newer delivery on the channel takes the place of the one that is waited for.
		fetcher.fetch(due(0, 6));
		assert_eq!(fetcher.fetched().await.0, due(0, 6));
		let nothing = tokio::time::timeout(Duration::from_millis(20), fetcher.fetched()).await;
		assert!(nothing.is_err() && fetcher.running.is_empty());
	}

	#[test]
	fn however_often_heads_come_it_is_looked_in_time() {
		let looked = Instant::now();
		let next = |remaining, after| {
			let (remaining, after) = (Duration::from_secs(remaining), Duration::from_secs(after));
			(next_look(remaining, looked, looked + after) - looked).as_secs()
		};
		assert_eq!((next(0, 0), next(5, 0), next(86_400, 0)), (1, 5, 30));
		assert_eq!((next(0, 5), next(5, 5), next(86_400, 29)), (5, 10, 30));
		assert_eq!(next(u64::MAX, 600), 30, "a look that is overdue is not put off");
	}

	#[test]
	fn a_step_that_stalls_is_broken_off_when_something_is_over() {
		let (soon, later) = (Duration::from_millis(1), Duration::from_secs(100));
		assert_eq!(step_time(Some(later)), Some(later));
		assert_eq!(step_time(Some(soon)), Some(MIN_STEP_TIME), "a step gets some time");
		assert_eq!(step_time(Some(Duration::ZERO)), None, "it is over, and taken away");
		assert_eq!(step_time(None), None);
	}

	#[test]
	fn a_device_that_takes_no_deliveries_is_told_what_can_be_done() {
		let check = |word: &str| {
			check_device(&Status {
				organisation: "acme".into(),
				device: "drone-7".into(),
				device_status: word.into(),
				..Status::default()
			})
			.map_err(|error| error.to_string())
		};
		assert_eq!(check("valid"), Ok(()));
		for (word, next) in [
			("unknown", "`dpki-agent enrol`"),
			("revoked", "under a new name"),
			("suspended", "suspended on the chain: ask the organisation"),
		] {
			let sentence = check(word).unwrap_err();
			assert!(sentence.contains("acme/drone-7") && sentence.contains(next), "{sentence}");
		}
		let revoked = check("revoked").unwrap_err();
		assert!(!revoked.contains("dpki-agent enrol"), "the same device is lost: {revoked}");
	}
}
