//! The gateway: proof bundles over HTTP, read-only, for devices that reach no node.
//!
//! It holds no key and vouches for nothing: devices verify what they get, as from any carrier. So it may stand anywhere,
//! behind any cache, and needs no more care than a mirror of packages. What it must be is hard to exhaust: everything that
//! a stranger can make grow has a bound here, and the node behind it sees a bounded number of requests at a time.
//!
//! The light client of the agent cannot feed it: it verifies justifications, and hands none out. The node need not be
//! trusted either.
//!
//! | answer | for how long caches may keep it |
//! |---|---|
//! | `/v1/bundle/..`, `/v1/chain`, the newest `/v1/changes/..` | [`Settings::max_age`]; the `ETag` names the block |
//! | `/v1/block/..`, `/v1/changes/..` of which more changes follow | for ever (`immutable`) |
//! | refusals | not at all |
//!
//! The paths are in [`dpki_client::carrier::http::route`].

mod answer;
mod cache;
mod server;

pub use crate::http::{MAX_HEAD_LEN, REQUEST_PATIENCE};
pub use server::serve;

use answer::{Answer, Keep};
use async_trait::async_trait;
use cache::{Cache, Held};
use dpki_client::carrier::{
	CarrierError,
	http::route::{Route, RouteError},
	node::{NodeCarrier, Served, ServedChanges},
};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::sync::Semaphore;

/// Most connections at a time. Whoever comes then waits until one ends.
pub const MAX_CONNECTIONS: usize = 512;

/// Most requests that the node answers for the gateway at a time.
pub const MAX_NODE_REQUESTS: usize = 8;

/// How long a request may wait for its turn at the node.
pub const TURN_PATIENCE: Duration = Duration::from_secs(5);

/// How long the node may take for one answer.
pub const NODE_PATIENCE: Duration = Duration::from_secs(10);

/// After so long a connection takes no further request, and after twice as long it is cut.
pub const CONNECTION_AGE: Duration = Duration::from_secs(30);

/// What the gateway is told.
#[derive(Clone, Debug)]
pub struct Settings {
	/// Where it listens.
	pub listen: SocketAddr,
	/// The address of the node, `ws://..` or `wss://..`.
	pub node: String,
	/// How long caches may keep what is newest: by so long a revocation may come later to devices.
	pub max_age: Duration,
}

/// Why the gateway ended.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
	/// It cannot listen there.
	#[error("cannot listen on {address} ({reason}): choose another address with --listen")]
	Listen {
		/// Where.
		address: SocketAddr,
		/// What the system says.
		reason: std::io::Error,
	},
}

/// Where bundles come from.
#[async_trait]
pub(crate) trait Upstream: Send + Sync + 'static {
	/// See [`NodeCarrier::serve`].
	async fn serve(
		&self,
		keys: &[Vec<u8>],
		checkpoint: Option<[u8; 32]>,
	) -> Result<Served, CarrierError>;

	/// See [`NodeCarrier::serve_changes`].
	async fn changes(&self, from: [u8; 32]) -> Result<ServedChanges, CarrierError>;

	/// See [`NodeCarrier::genesis`].
	async fn genesis(&self) -> Result<[u8; 32], CarrierError>;
}

#[async_trait]
impl Upstream for NodeCarrier {
	async fn serve(
		&self,
		keys: &[Vec<u8>],
		checkpoint: Option<[u8; 32]>,
	) -> Result<Served, CarrierError> {
		NodeCarrier::serve(self, keys, checkpoint).await
	}

	async fn changes(&self, from: [u8; 32]) -> Result<ServedChanges, CarrierError> {
		self.serve_changes(Some(from)).await
	}

	async fn genesis(&self) -> Result<[u8; 32], CarrierError> {
		NodeCarrier::genesis(self).await
	}
}

/// Answers questions, from what it holds or with the help of the node.
pub(crate) struct Gateway {
	upstream: Box<dyn Upstream>,
	cache: Cache,
	turns: Semaphore,
	max_age: Duration,
}

impl Gateway {
	pub(crate) fn new(upstream: Box<dyn Upstream>, max_age: Duration) -> Self {
		let (cache, turns) = (Cache::new(max_age), Semaphore::new(MAX_NODE_REQUESTS));
		Self { upstream, cache, turns, max_age }
	}

	pub(crate) async fn answer(&self, path: &str, query: Option<&str>) -> Answer {
		let route = match Route::parse(path, query) {
			Ok(route) => route,
			Err(error) => return refuse(error),
		};
		match self.try_answer(route).await {
			Ok(answer) => answer,
			Err(Trouble::Busy) => Answer::refusal(503, "too many ask at once: ask again"),
			Err(Trouble::Gone) => Answer::refusal(
				404,
				"the bundle about this block is not held here: ask for the newest with /v1/bundle",
			),
			Err(Trouble::Node(error)) => explain(&error),
		}
	}

	async fn try_answer(&self, route: Route) -> Result<Answer, Trouble> {
		match route {
			Route::Bundle { keys, checkpoint } => {
				let held = self.newest(keys, checkpoint).await?;
				Ok(Answer::bundle(&held, Keep::For(self.max_age)))
			},
			Route::BundleAt { block, keys, checkpoint } => {
				if let Some(held) = self.cache.at(block, &keys, checkpoint) {
					return Ok(Answer::bundle(&held, Keep::Forever));
				}
				// It may be the newest one, which nobody has asked for yet.
				let held = self.newest(keys, checkpoint).await?;
				if held.hash != block {
					return Err(Trouble::Gone);
				}
				Ok(Answer::bundle(&held, Keep::Forever))
			},
			Route::Changes { from } => {
				let changes = self.at_node(self.upstream.changes(from)).await?;
				// Where more follow, these are as many as there will ever be.
				let keep = match changes.is_finished {
					true => Keep::For(self.max_age),
					false => Keep::Forever,
				};
				Ok(Answer::changes(changes, keep))
			},
			Route::Chain => {
				let genesis = self.at_node(self.upstream.genesis()).await?;
				let held = self.newest(Vec::new(), None).await?;
				Ok(Answer::chain(genesis, &held, Keep::For(self.max_age)))
			},
		}
	}

	/// The newest bundle for a question; at most [`Settings::max_age`] old.
	async fn newest(
		&self,
		keys: Vec<Vec<u8>>,
		checkpoint: Option<[u8; 32]>,
	) -> Result<Arc<Held>, Trouble> {
		if let Some(held) = self.cache.newest(&keys, checkpoint) {
			return Ok(held);
		}
		let served = self.at_node(self.upstream.serve(&keys, checkpoint)).await?;
		Ok(self.cache.keep(keys, checkpoint, served))
	}

	async fn at_node<T>(
		&self,
		asking: impl Future<Output = Result<T, CarrierError>>,
	) -> Result<T, Trouble> {
		let turn = tokio::time::timeout(TURN_PATIENCE, self.turns.acquire()).await;
		let _turn = turn.map_err(|_| Trouble::Busy)?.map_err(|_| Trouble::Busy)?;
		asking.await.map_err(Trouble::Node)
	}
}

enum Trouble {
	/// No turn came.
	Busy,
	/// The block is no longer held.
	Gone,
	/// The node refuses or is not there.
	Node(CarrierError),
}

fn refuse(error: RouteError) -> Answer {
	let status = match error {
		RouteError::Unknown => 404,
		RouteError::TooLong => 414,
		_ => 400,
	};
	Answer::refusal(status, &error.to_string())
}

/// What the node refuses is told in its words. Where it stands and how it failed is nobody's business.
fn explain(error: &CarrierError) -> Answer {
	match error {
		CarrierError::Behind { sentence, .. } => {
			Answer::refusal(409, &format!("{sentence}; here they are under /v1/changes/HASH"))
		},
		CarrierError::Refused { code, sentence, .. } => {
			let status = match code {
				// Too many keys, a key of the wrong length, too long an answer.
				18_002..=18_004 => 400,
				// A block of another chain.
				18_005 => 404,
				// Nothing is final yet, or the device is ahead.
				18_001 | 18_006 => 503,
				// No proof can lead over a forced change.
				18_008 => 410,
				_ => 502,
			};
			Answer::refusal(status, sentence)
		},
		CarrierError::TimedOut { .. } => {
			Answer::refusal(504, "the node did not answer in time: ask again, or elsewhere")
		},
		error => {
			tracing::warn!("{error}");
			Answer::refusal(502, "the node cannot be reached: ask again, or elsewhere")
		},
	}
}

#[cfg(test)]
mod tests;
