//! Tells the chain what became of a delivery, until it is proven that the chain knows.
//!
//! Submitting runs beside convergence and never holds it up.

use crate::{agent::Verdict, keys::DeviceKeys};
use dpki_client::{
	Client, SubmitError, calls,
	possession::{SigningKey, SoftwareKey, sign_acknowledgement},
	primitives::{Moment, channel::ChannelId, ids::DeviceId, ids::KeyId, refusal::Refusal},
};
use std::{collections::BTreeMap, time::Duration};
use tokio::{task::JoinHandle, time::Instant};

/// How long the signature is good for: longer than any finality delay that one would wait through.
const LIFETIME: Moment = 15 * 60 * 1000;
/// The pause after the first failure; it doubles.
const PAUSE: Duration = Duration::from_secs(2);
/// The longest pause.
const MAX_PAUSE: Duration = Duration::from_secs(300);

/// Submits acknowledgements, one at a time.
pub struct Acknowledger {
	client: Client,
	genesis: [u8; 32],
	device: DeviceId,
	key: SoftwareKey,
	running: Option<(Verdict, JoinHandle<Result<(), Ended>>)>,
	/// How often it has failed on a channel, and when the next attempt is due.
	failed: BTreeMap<ChannelId, (u32, Instant)>,
	closed: BTreeMap<ChannelId, Verdict>,
}

impl Acknowledger {
	/// For this device.
	pub fn new(client: Client, genesis: [u8; 32], device: DeviceId, keys: &DeviceKeys) -> Self {
		Self {
			client,
			genesis,
			device,
			key: keys.signing.clone(),
			running: None,
			failed: BTreeMap::new(),
			closed: BTreeMap::new(),
		}
	}

	/// Begins to submit the first of these verdicts, which the chain does not know, that was not tried just now, unless one
	/// is under way. `now` is the chain time.
	pub fn submit(&mut self, due: &[Verdict], now: Moment) {
		if self.running.is_some() {
			return;
		}
		let may_try = |verdict: &&Verdict| {
			let next = self.failed.get(&verdict.channel).map(|(_, next)| *next);
			next.is_none_or(|next| Instant::now() >= next) && !self.is_closed(**verdict)
		};
		let Some(&verdict) = due.iter().find(may_try) else { return };
		let (client, key) = (self.client.clone(), self.key.clone());
		let (genesis, device) = (self.genesis, self.device);
		let task = tokio::spawn(async move {
			submit_once(&client, &key, genesis, device, verdict, now + LIFETIME).await
		});
		self.running = Some((verdict, task));
	}

	/// Waits until a submission has ended; for ever if none is under way. Can be dropped and called again.
	pub async fn settled(&mut self) {
		let Some((verdict, task)) = &mut self.running else { return std::future::pending().await };
		let verdict = *verdict;
		let result = task.await.unwrap_or_else(|error| Err(Ended::Failed(error.to_string())));
		self.running = None;
		match result {
			Ok(()) => {
				let Verdict { channel, seen, outcome } = verdict;
				tracing::info!(%channel, sequence = seen.sequence, ?outcome, "acknowledged");
				self.failed.remove(&channel);
			},
			Err(Ended::Closed(refusal)) => {
				tracing::warn!(%refusal, "the chain takes no acknowledgement of this delivery");
				self.failed.remove(&verdict.channel);
				self.closed.insert(verdict.channel, verdict);
			},
			Err(Ended::Failed(reason)) => {
				let failed = self.failed.get(&verdict.channel).map_or(0, |(failed, _)| *failed);
				let pause = PAUSE.saturating_mul(1 << failed.min(16)).min(MAX_PAUSE);
				tracing::warn!(
					reason,
					"the acknowledgement failed, trying again in {} s",
					pause.as_secs()
				);
				let next = Instant::now() + pause;
				self.failed.insert(verdict.channel, (failed.saturating_add(1), next));
			},
		}
	}

	/// Whether the chain will never take this verdict.
	pub fn is_closed(&self, verdict: Verdict) -> bool {
		self.closed.get(&verdict.channel) == Some(&verdict)
	}
}

/// How a submission ended that did not succeed.
enum Ended {
	/// The chain has closed the matter.
	Closed(Refusal),
	/// It may be tried again.
	Failed(String),
}

async fn submit_once(
	client: &Client,
	key: &SoftwareKey,
	genesis: [u8; 32],
	device: DeviceId,
	verdict: Verdict,
	expires_at: Moment,
) -> Result<(), Ended> {
	let Verdict { channel, seen, outcome } = verdict;
	let (sequence, digest) = (seen.sequence, seen.digest);
	let signature =
		sign_acknowledgement(genesis, device, channel, sequence, digest, outcome, expires_at, key)
			.map_err(|error| Ended::Failed(error.to_string()))?;
	let id = KeyId::of(&key.public());
	let call =
		calls::acknowledge(device, channel, sequence, digest, outcome, id, expires_at, signature);
	match client.submit_general(&call).await {
		Ok(_) => Ok(()),
		Err(SubmitError::Refused(
			refusal @ (Refusal::DeliveryAcknowledged | Refusal::DeliverySuperseded),
		)) => Err(Ended::Closed(refusal)),
		Err(error) => Err(Ended::Failed(error.to_string())),
	}
}
