//! The transport that others get: smoldot's, and nothing of it before it is tied.

use crate::{
	anchor::{Anchor, AnchorError, Seen},
	followed::followed,
	transport::Transport,
	warp::{self, Peers},
};
use dpki_verifier::Checkpoint;
use futures::FutureExt;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::{future::pending, sync::Arc, time::Duration};
use subxt_rpcs::{
	Error, RpcClient, RpcClientT,
	client::{RawRpcFuture, RawRpcSubscription, RpcSubscription, rpc_params},
};
use tokio::{sync::watch, time::Instant};

/// What says nothing about the chain beyond its pinned genesis, and what proves itself by its hash. The rest waits.
const OPEN: [&str; 13] = [
	"bitswap_unstable_get",
	"bitswap_v1_get",
	"chainSpec_v1_chainName",
	"chainSpec_v1_genesisHash",
	"chainSpec_v1_properties",
	"rpc_methods",
	"system_chain",
	"system_chainType",
	"system_health",
	"system_name",
	"system_peers",
	"system_properties",
	"system_version",
];

/// The one request about a block that is open: by it clients learn the genesis hash.
const GENESIS_BY_NUMBER: (&str, &str) = ("chain_getBlockHash", "[0]");

/// How many finalised blocks the checkpoint stays behind: smoldot copies the runtime each time that it is asked.
const ROLL_INTERVAL: u32 = 64;

/// How long after a failure peers are asked for hand-overs, or smoldot for its blocks, again.
const RETRY: Duration = Duration::from_millis(if cfg!(test) { 10 } else { 10_000 });

/// How often in a row smoldot may refuse to tell its blocks: then it has stopped.
const MAX_SILENCES: u32 = 6;

/// Whether what smoldot says counts.
#[derive(Clone, Debug)]
pub(crate) enum Standing {
	/// Not yet.
	CatchingUp,
	/// No; the reason may go away, but for a divergence. When it will not, nothing is told any more.
	Refused(AnchorError),
	/// Yes.
	Tied,
}

/// What is known of the tie.
#[derive(Clone, Debug)]
pub(crate) struct Tie {
	pub(crate) standing: Standing,
	/// The newest block that counts.
	pub(crate) checkpoint: Checkpoint,
}

/// Requests pass when smoldot is tied to the pinned authorities, wait as long as it catches up, and fail otherwise.
pub(crate) struct Gate<T = Transport> {
	inner: Arc<T>,
	tie: watch::Receiver<Tie>,
}

impl<T> Clone for Gate<T> {
	fn clone(&self) -> Self {
		Self { inner: self.inner.clone(), tie: self.tie.clone() }
	}
}

impl<T: RpcClientT> Gate<T> {
	/// Begins to follow, from this checkpoint.
	pub(crate) fn start(inner: Arc<T>, peers: Peers, checkpoint: Checkpoint) -> Self {
		let tie = Tie { standing: Standing::CatchingUp, checkpoint: checkpoint.clone() };
		let (sender, tie) = watch::channel(tie);
		let rpc = RpcClient::new(inner.clone());
		tokio::spawn(async move {
			let stop = sender.clone();
			let anchor = Anchor::new(checkpoint);
			let mut keeper = Keeper { rpc, peers, anchor, sender, counts_from: None, retry: None };
			// Whoever has dropped all gates wants smoldot to stop, and this task keeps it alive.
			tokio::select! {
				() = stop.closed() => {},
				() = keeper.run() => {},
			}
		});
		Self { inner, tie }
	}

	pub(crate) fn tie(&self) -> watch::Receiver<Tie> {
		self.tie.clone()
	}

	async fn pass(&self, method: &str, params: Option<&RawValue>) -> Result<(), Error> {
		let params = params.map_or("[]", RawValue::get);
		if OPEN.contains(&method) || (method, params) == GENESIS_BY_NUMBER {
			return Ok(());
		}
		tied(self.tie.clone()).await.map_err(|error| Error::Client(Box::new(error)))
	}
}

/// Waits until what smoldot says counts.
pub(crate) async fn tied(mut tie: watch::Receiver<Tie>) -> Result<(), AnchorError> {
	loop {
		match &tie.borrow_and_update().standing {
			Standing::Tied => return Ok(()),
			Standing::Refused(error) => return Err(error.clone()),
			Standing::CatchingUp => {},
		}
		let stopped = |_| AnchorError::Silent { reason: "it has stopped".into() };
		tie.changed().await.map_err(stopped)?;
	}
}

/// Waits until nothing will ever count again.
pub(crate) async fn lost(mut tie: watch::Receiver<Tie>) -> AnchorError {
	// What tells goes with the task that follows smoldot.
	while tie.changed().await.is_ok() {}
	match &tie.borrow().standing {
		Standing::Refused(error) => error.clone(),
		Standing::CatchingUp | Standing::Tied => {
			AnchorError::Silent { reason: "it has stopped".into() }
		},
	}
}

impl<T: RpcClientT> RpcClientT for Gate<T> {
	fn request_raw<'a>(
		&'a self,
		method: &'a str,
		params: Option<Box<RawValue>>,
	) -> RawRpcFuture<'a, Box<RawValue>> {
		Box::pin(async move {
			self.pass(method, params.as_deref()).await?;
			self.inner.request_raw(method, params).await
		})
	}

	fn subscribe_raw<'a>(
		&'a self,
		method: &'a str,
		params: Option<Box<RawValue>>,
		unsubscribe: &'a str,
	) -> RawRpcFuture<'a, RawRpcSubscription> {
		Box::pin(async move {
			self.pass(method, params.as_deref()).await?;
			self.inner.subscribe_raw(method, params, unsubscribe).await
		})
	}
}

#[derive(Deserialize)]
struct Header {
	/// Hexadecimal.
	number: String,
}

/// Follows the finalised blocks of smoldot and keeps the tie.
struct Keeper {
	rpc: RpcClient,
	peers: Peers,
	anchor: Anchor,
	sender: watch::Sender<Tie>,
	/// The first block that counts. What is served to others lags behind what smoldot keeps, and the blocks before may
	/// be anything.
	counts_from: Option<u32>,
	/// When peers are to be asked for hand-overs again.
	retry: Option<Instant>,
}

impl Keeper {
	/// Ends when smoldot has stopped, or was led astray.
	async fn run(&mut self) {
		let mut silences = 0;
		loop {
			let heads = self.rpc.subscribe(
				"chain_subscribeFinalizedHeads",
				rpc_params![],
				"chain_unsubscribeFinalizedHeads",
			);
			let mut heads: RpcSubscription<Header> = match heads.await {
				Ok(heads) => heads,
				Err(error) => {
					let error = AnchorError::Silent { reason: error.to_string() };
					tracing::warn!("{error}");
					self.publish(Standing::Refused(error));
					silences += 1;
					if silences == MAX_SILENCES {
						return;
					}
					tokio::time::sleep(RETRY).await;
					continue;
				},
			};
			silences = 0;
			if self.is_silent() {
				// What counted before counts again with the next block: smoldot has not been anywhere else meanwhile.
				self.publish(Standing::CatchingUp);
			}
			let mut last = None;
			loop {
				let retry = self.retry;
				let head = tokio::select! {
					head = newest(&mut heads) => head,
					// A chain that stands still tells nothing, and peers that were silent may answer.
					() = until(retry) => {
						self.retry = None;
						last
					},
				};
				// The stream ends if it was not read while peers were asked.
				let Some(head) = head else { break };
				last = Some(head);
				if self.is_due(head)
					&& let Err(error) = self.look(head).await
				{
					tracing::error!("{error}");
					return self.publish(Standing::Refused(error));
				}
			}
		}
	}

	fn is_tied(&self) -> bool {
		matches!(self.sender.borrow().standing, Standing::Tied)
	}

	fn is_silent(&self) -> bool {
		matches!(self.sender.borrow().standing, Standing::Refused(AnchorError::Silent { .. }))
	}

	fn is_due(&self, head: u32) -> bool {
		!self.is_tied() || head >= self.anchor.pinned().number.saturating_add(ROLL_INTERVAL)
	}

	/// Holds what smoldot has finalised against the checkpoint. An error is for ever.
	async fn look(&mut self, head: u32) -> Result<(), AnchorError> {
		let found = match followed(&self.rpc).await {
			Ok(found) => found,
			Err(reason) => {
				tracing::debug!(reason, "the light client does not tell what it follows");
				return Ok(());
			},
		};
		let mut seen = self.anchor.see(&found)?;
		if seen == Seen::Fetch {
			if self.retry.is_some() {
				return Ok(());
			}
			match warp::follow(&self.peers, self.anchor.pinned()).await {
				Ok(verified) => {
					tracing::info!(set = verified.set.id(), "the authorities have changed");
					self.anchor.advance(verified);
					self.publish(Standing::CatchingUp);
					seen = self.anchor.see(&found)?;
				},
				Err(reason) => {
					self.retry = Some(Instant::now() + RETRY);
					let (pinned, found) = (self.anchor.pinned().set.id(), found.set.id());
					let error = AnchorError::TooOld { pinned, found, reason };
					tracing::warn!("{error}");
					self.publish(Standing::Refused(error));
				},
			}
		}
		if seen == Seen::Tied && head >= *self.counts_from.get_or_insert(found.number) {
			self.publish(Standing::Tied);
		}
		Ok(())
	}

	fn publish(&self, standing: Standing) {
		self.sender
			.send_replace(Tie { standing, checkpoint: self.anchor.pinned().clone() });
	}
}

/// Waits until then; for ever without a time.
async fn until(time: Option<Instant>) {
	match time {
		Some(time) => tokio::time::sleep_until(time).await,
		None => pending().await,
	}
}

/// The number of the newest finalised block, or `None` when the stream is over. Can be dropped and called again.
async fn newest(heads: &mut RpcSubscription<Header>) -> Option<u32> {
	let mut newest = None;
	loop {
		let next = match newest {
			None => heads.next().await,
			Some(_) => match heads.next().now_or_never() {
				Some(next) => next,
				None => return newest,
			},
		};
		let header = next?.ok()?;
		let digits = header.number.strip_prefix("0x").unwrap_or_default();
		newest = Some(u32::from_str_radix(digits, 16).ok()?);
	}
}

impl<T> std::fmt::Debug for Gate<T> {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		write!(f, "Gate({:?})", self.tie.borrow().standing)
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use dpki_verifier::AuthoritySet;
	use futures::{StreamExt, channel::mpsc};
	use serde_json::{Value, json};
	use sp_crypto_hashing::blake2_256;
	use std::sync::Mutex;

	const GENESIS: [u8; 32] = [1; 32];

	/// A smoldot that tells what it is told to.
	struct Fake {
		document: Mutex<Value>,
		heads: Mutex<Option<mpsc::UnboundedReceiver<u32>>>,
	}

	impl RpcClientT for Fake {
		fn request_raw<'a>(
			&'a self,
			method: &'a str,
			_: Option<Box<RawValue>>,
		) -> RawRpcFuture<'a, Box<RawValue>> {
			let answer = match method {
				"chainHead_unstable_finalizedDatabase" => {
					json!(self.document.lock().unwrap().to_string())
				},
				_ => json!(method),
			};
			let answer = serde_json::value::to_raw_value(&answer).map_err(Error::Deserialization);
			Box::pin(async move { answer })
		}

		fn subscribe_raw<'a>(
			&'a self,
			_: &'a str,
			_: Option<Box<RawValue>>,
			_: &'a str,
		) -> RawRpcFuture<'a, RawRpcSubscription> {
			let heads = self.heads.lock().unwrap().take();
			Box::pin(async move {
				let heads = heads.ok_or_else(|| Error::Client("it has stopped".into()))?;
				let stream = heads.map(|number| {
					serde_json::value::to_raw_value(&json!({ "number": format!("{number:#x}") }))
						.map_err(Error::Deserialization)
				});
				Ok(RawRpcSubscription { stream: Box::pin(stream), id: None })
			})
		}
	}

	struct World {
		fake: Arc<Fake>,
		heads: mpsc::UnboundedSender<u32>,
		gate: Gate<Fake>,
	}

	fn header(number: u32) -> Vec<u8> {
		use codec::Encode;
		([3u8; 32], codec::Compact(number), [4u8; 64], 0u8).encode()
	}

	fn set(id: u64, key: u8) -> AuthoritySet {
		AuthoritySet::new(id, vec![[key; 32]]).unwrap()
	}

	fn pinned(number: u32, set: AuthoritySet) -> Checkpoint {
		Checkpoint { genesis: GENESIS, set, number, hash: blake2_256(&header(number)) }
	}

	impl World {
		fn new(pinned: Checkpoint) -> Self {
			let (heads, receiver) = mpsc::unbounded();
			let fake = Arc::new(Fake {
				document: Mutex::new(Value::Null),
				heads: Mutex::new(Some(receiver)),
			});
			let peers = Peers { genesis: GENESIS, fork_id: None, addresses: vec![] };
			let gate = Gate::start(fake.clone(), peers, pinned);
			Self { fake, heads, gate }
		}

		/// smoldot keeps this, and serves the block `head`.
		fn finalise(&self, number: u32, id: u64, key: u8, head: u32) {
			*self.fake.document.lock().unwrap() = json!({
				"genesisHash": hex::encode(GENESIS),
				"chain": {
					"version": "1",
					"finalized_block_header": hex::encode(header(number)),
					"grandpa_after_finalized_block_authorities_set_id": id,
					"grandpa_finalized_triggered_authorities": [
						{ "public_key": hex::encode([key; 32]), "weight": 1 },
					],
				},
				"nodes": {},
			});
			self.heads.unbounded_send(head).unwrap();
		}

		async fn request(&self, method: &str, params: &str) -> Result<String, Error> {
			let params = Some(RawValue::from_string(params.into()).unwrap());
			let answer = self.gate.request_raw(method, params).await?;
			Ok(serde_json::from_str(answer.get()).unwrap())
		}

		/// Lets the keeper do what it can.
		async fn waits(&self) -> bool {
			for _ in 0..50 {
				tokio::task::yield_now().await;
			}
			self.request("chain_getFinalizedHead", "[]").now_or_never().is_none()
		}
	}

	#[tokio::test]
	async fn nothing_about_the_chain_passes_before_it_is_tied() {
		let world = World::new(pinned(10, set(3, 1)));
		world.finalise(4, 2, 9, 4);
		assert!(world.waits().await, "it catches up");
		for (method, params) in [
			("state_getStorage", "[\"0x\"]"),
			("chain_getBlockHash", "[7]"),
			("system_accountNextIndex", "[]"),
			("author_submitExtrinsic", "[]"),
			("what_comes_with_a_later_version", "[]"),
		] {
			assert!(world.request(method, params).now_or_never().is_none(), "{method}");
		}
		assert!(world.gate.subscribe_raw("s", None, "u").now_or_never().is_none());
		world.request("chain_getBlockHash", "[0]").await.unwrap();
		world.request("system_health", "[]").await.unwrap();
		world.finalise(20, 3, 1, 20);
		assert!(world.waits().await, "the block may have been made up");
		world.finalise(21, 3, 1, 20);
		assert!(world.waits().await, "others are still served the block before");
		world.finalise(22, 3, 1, 21);
		assert!(!world.waits().await);
		assert_eq!(world.request("state_call", "[]").await.unwrap(), "state_call");
	}

	#[tokio::test]
	async fn a_chain_that_was_led_astray_is_never_believed_again() {
		let world = World::new(pinned(10, set(3, 1)));
		world.finalise(20, 3, 66, 20);
		let error = world.request("chain_getFinalizedHead", "[]").await.unwrap_err();
		assert!(error.to_string().contains("was led astray"), "{error}");
		let _ = world.heads.unbounded_send(21);
		let error = world.request("state_getStorage", "[]").await.unwrap_err();
		assert!(error.to_string().contains("was led astray"), "{error}");
		assert_eq!(world.gate.tie().borrow().checkpoint, pinned(10, set(3, 1)));
	}

	#[tokio::test]
	async fn a_checkpoint_that_is_too_old_is_told_with_the_way_back() {
		let world = World::new(pinned(10, set(3, 1)));
		world.finalise(20, 5, 7, 20);
		let error = world.request("chain_getFinalizedHead", "[]").await.unwrap_err().to_string();
		for words in ["from set 3 to set 5", "no address", "get a newer checkpoint"] {
			assert!(error.contains(words), "{error}");
		}
	}

	#[tokio::test]
	async fn the_checkpoint_follows_the_chain() {
		let world = World::new(pinned(0, set(0, 1)));
		let mut tie = world.gate.tie();
		world.finalise(5, 0, 1, 5);
		let first = tie.wait_for(|tie| tie.checkpoint.number == 5).await.unwrap().clone();
		assert!(matches!(first.standing, Standing::Tied));
		world.finalise(5 + ROLL_INTERVAL, 1, 2, 5 + ROLL_INTERVAL);
		let next = tie.wait_for(|tie| tie.checkpoint.number > 5).await.unwrap().clone();
		assert_eq!(next.checkpoint, pinned(5 + ROLL_INTERVAL, set(1, 2)));
	}

	impl World {
		/// smoldot tells its blocks again, after it has ended the stream.
		fn speak_again(&mut self) {
			let (heads, receiver) = mpsc::unbounded();
			*self.fake.heads.lock().unwrap() = Some(receiver);
			self.heads = heads;
		}
	}

	#[tokio::test]
	async fn smoldot_that_is_silent_for_a_while_is_asked_again() {
		let mut world = World::new(pinned(0, set(0, 1)));
		world.finalise(5, 0, 1, 5);
		world.request("state_call", "[]").await.unwrap();
		world.heads.close_channel();
		let mut tie = world.gate.tie();
		let is_silent =
			|tie: &Tie| matches!(tie.standing, Standing::Refused(AnchorError::Silent { .. }));
		tie.wait_for(is_silent).await.unwrap();
		assert!(world.request("state_call", "[]").await.is_err());
		world.speak_again();
		tie.wait_for(|tie| matches!(tie.standing, Standing::CatchingUp)).await.unwrap();
		assert!(lost(world.gate.tie()).now_or_never().is_none());
		world.finalise(6, 0, 1, 6);
		world.request("state_call", "[]").await.unwrap();
	}

	#[tokio::test]
	async fn a_tie_that_is_over_is_told() {
		let silent = World::new(pinned(0, set(0, 1)));
		silent.heads.close_channel();
		assert!(matches!(lost(silent.gate.tie()).await, AnchorError::Silent { .. }));
		let astray = World::new(pinned(10, set(3, 1)));
		astray.finalise(20, 3, 66, 20);
		assert!(matches!(lost(astray.gate.tie()).await, AnchorError::Diverged { .. }));
		// One that is too old may be helped yet.
		let old = World::new(pinned(10, set(3, 1)));
		old.finalise(20, 5, 7, 20);
		assert!(old.request("chain_getFinalizedHead", "[]").await.is_err());
		assert!(lost(old.gate.tie()).now_or_never().is_none());
	}

	#[tokio::test]
	async fn whoever_drops_the_gate_stops_the_light_client() {
		let world = World::new(pinned(0, set(0, 1)));
		// It has subscribed.
		assert!(world.waits().await);
		let World { fake, heads, gate } = world;
		drop(gate);
		for _ in 0..50 {
			tokio::task::yield_now().await;
		}
		assert!(heads.is_closed());
		assert_eq!(Arc::strong_count(&fake), 1, "nothing keeps it");
	}
}
