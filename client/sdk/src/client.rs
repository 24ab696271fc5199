//! The connection to the chain, and its finalised heads.

use crate::{
	AccountId,
	api::ChainConfig,
	calls::SessionKeys,
	carrier::without_user,
	view::{self, ReadError, View},
};
use backon::{ExponentialBuilder, Retryable};
use codec::Encode;
use dpki_primitives::Moment;
use futures::{FutureExt, Stream, future::BoxFuture};
use std::{
	pin::Pin,
	sync::{
		Arc,
		atomic::{AtomicBool, Ordering},
	},
	task::{Context, Poll},
	time::Duration,
};
use subxt::{
	OnlineClient,
	backend::LegacyBackend,
	config::substrate::{H256, SubstrateHeader},
};
use subxt_rpcs::{
	RpcClient,
	client::{
		RpcSubscription,
		reconnecting_rpc_client::{ExponentialBackoff, RpcClient as ReconnectingClient},
		rpc_params,
	},
};

/// How long one request may take. A light client fetches from the network what it is asked for.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

/// How long the first attempt to connect may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// Longest answer of a node, in bytes: a full block in hexadecimal digits is some ten million.
const MAX_ANSWER_LEN: u32 = 50 * 1024 * 1024;

/// The longest pause between two attempts to connect again.
const MAX_RECONNECT_PAUSE: Duration = Duration::from_secs(5);

/// Why the chain could not be reached or asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
	/// The address of the node is not one.
	#[error("`{url}` is not the address of a node: write it as ws://host:port or wss://host:port")]
	InvalidUrl {
		/// What was given.
		url: String,
	},
	/// Nobody answers there.
	#[error(
		"no node answers at {url} ({reason}): check that it runs and that its RPC port is open"
	)]
	Unreachable {
		/// Where.
		url: String,
		/// What the transport says.
		reason: String,
	},
	/// A request failed.
	#[error("the request {method} failed ({reason}): check the connection and try again")]
	Request {
		/// Which method.
		method: String,
		/// What the transport or the node says.
		reason: String,
	},
	/// What came back has not the promised form.
	#[error(
		"the answer to {method} is malformed ({reason}): check that client and node belong together"
	)]
	Malformed {
		/// Which method.
		method: String,
		/// What is wrong with it.
		reason: String,
	},
	/// The stream of heads was interrupted.
	#[error("the stream of finalised blocks was interrupted ({reason}): it is being set up again")]
	Interrupted {
		/// What the transport says.
		reason: String,
	},
	/// The state at a head could not be read.
	#[error(transparent)]
	Read(#[from] ReadError),
}

/// The pauses between attempts to connect: none before the first connection, because the address may simply be wrong;
/// without end after it, because it was right once.
#[derive(Clone)]
struct Patience {
	connected: Arc<AtomicBool>,
	pauses: ExponentialBackoff,
}

impl Patience {
	fn new() -> Self {
		let pauses = ExponentialBackoff::from_millis(50).max_delay(MAX_RECONNECT_PAUSE);
		Self { connected: Arc::default(), pauses }
	}
}

impl Iterator for Patience {
	type Item = Duration;

	fn next(&mut self) -> Option<Duration> {
		if self.connected.load(Ordering::Relaxed) { self.pauses.next() } else { None }
	}
}

/// A finalised block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Head {
	/// Its number.
	pub number: u32,
	/// Its hash.
	pub hash: [u8; 32],
	/// The chain time in it; 0 in the genesis block, which has none.
	pub time: Moment,
}

/// A connection to the chain. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Client {
	rpc: RpcClient,
	chain: OnlineClient<ChainConfig>,
}

impl Client {
	/// Connects to a node over WebSocket, and again whenever the connection is lost.
	///
	/// The node is believed in what it says. Where that is not good enough, embed a light client and use
	/// [`Client::from_rpc`], or read through a [`Prover`](crate::Prover).
	pub async fn connect(url: &str) -> Result<Self, ClientError> {
		Self::from_rpc(connect_rpc(url, MAX_ANSWER_LEN).await?).await
	}

	/// A client over any transport, such as an embedded light client.
	pub async fn from_rpc(rpc: RpcClient) -> Result<Self, ClientError> {
		// Of the two generations of the RPC interface nodes and smoldot both serve the older one completely, and it
		// needs no pinned blocks, which a client that was cut off would have to win back.
		let backend = LegacyBackend::builder().build(rpc.clone());
		let chain = OnlineClient::from_backend_with_config(ChainConfig::new(), Arc::new(backend))
			.await
			.map_err(|error| ClientError::Request {
				method: "chain_getBlockHash".into(),
				reason: error.to_string(),
			})?;
		Ok(Self { rpc, chain })
	}

	/// The transport, for requests that this crate does not know.
	pub fn rpc(&self) -> &RpcClient {
		&self.rpc
	}

	/// Lets the node make session keys for a validator, and prove to it that it has them: for
	/// [`calls::set_session_keys`](crate::calls::set_session_keys).
	///
	/// It has to be the validator's own node, as the keys stay there. Nodes do this for those alone whom they trust, on
	/// the loopback address or with `--rpc-methods unsafe`.
	pub async fn new_session_keys(
		&self,
		validator: &AccountId,
	) -> Result<(SessionKeys, Vec<u8>), ClientError> {
		#[derive(serde::Deserialize)]
		struct Generated {
			keys: String,
			proof: Option<String>,
		}
		let method = "author_rotateKeysWithOwner";
		let malformed = |reason: String| ClientError::Malformed { method: method.into(), reason };
		let bytes = |text: &str| {
			hex::decode(text.strip_prefix("0x").unwrap_or(text))
				.map_err(|error| malformed(error.to_string()))
		};
		let owner = format!("0x{}", hex::encode(validator));
		let Generated { keys, proof } = self.request(method, rpc_params![owner]).await?;
		let keys = SessionKeys::from_bytes(&bytes(&keys)?)
			.map_err(|error| malformed(error.to_string()))?;
		let proof = proof.ok_or_else(|| malformed("there is no proof".into()))?;
		Ok((keys, bytes(&proof)?))
	}

	/// The hash of the genesis block, which names the chain.
	pub fn genesis_hash(&self) -> [u8; 32] {
		self.chain.genesis_hash().0
	}

	/// The newest finalised block.
	pub async fn finalized_head(&self) -> Result<Head, ClientError> {
		let hash: H256 = self.request("chain_getFinalizedHead", rpc_params![]).await?;
		let header: Option<SubstrateHeader<H256>> =
			self.request("chain_getHeader", rpc_params![hash]).await?;
		let header = header.ok_or_else(|| ClientError::Malformed {
			method: "chain_getHeader".into(),
			reason: "the newest finalised block is missing".into(),
		})?;
		self.head_of(&header).await
	}

	/// The newest block of the chain that the node takes for the best one, final or not: another one may take its place.
	pub async fn best_head(&self) -> Result<Head, ClientError> {
		let header: Option<SubstrateHeader<H256>> =
			self.request("chain_getHeader", rpc_params![]).await?;
		let header = header.ok_or_else(|| ClientError::Malformed {
			method: "chain_getHeader".into(),
			reason: "the newest block is missing".into(),
		})?;
		self.head_of(&header).await
	}

	/// The finalised blocks from the newest on, without end. See [`Heads`].
	pub fn finalized_heads(&self) -> Heads {
		Heads::new(self.clone())
	}

	/// The state at the newest finalised block.
	pub async fn at_finalized(&self) -> Result<View, ClientError> {
		Ok(self.at(self.finalized_head().await?))
	}

	/// The state at a finalised block. Nodes keep the state of some hundred blocks only.
	pub fn at(&self, head: Head) -> View {
		View::new(self.clone(), head)
	}

	/// The number of the block of this hash, of which the node cannot name another one.
	pub async fn block_number(&self, hash: [u8; 32]) -> Result<u32, ClientError> {
		number_of(&self.header(hash).await?)
	}

	/// The header of the block of this hash. The hash is computed from it, so that no node can give another one.
	pub(crate) async fn header(
		&self,
		hash: [u8; 32],
	) -> Result<SubstrateHeader<H256>, ClientError> {
		let method = "chain_getHeader";
		let header: Option<SubstrateHeader<H256>> =
			self.request(method, rpc_params![H256(hash)]).await?;
		let header = header.filter(|it| sp_crypto_hashing::blake2_256(&it.encode()) == hash);
		header.ok_or_else(|| ClientError::Malformed {
			method: method.into(),
			reason: "it is not the header of the block that was asked for".into(),
		})
	}

	pub(crate) fn chain(&self) -> &OnlineClient<ChainConfig> {
		&self.chain
	}

	/// A request, sent again when the connection was lost under it: all requests made this way only read.
	pub(crate) async fn request<T: serde::de::DeserializeOwned>(
		&self,
		method: &str,
		params: subxt_rpcs::client::RpcParams,
	) -> Result<T, ClientError> {
		let attempt = || self.rpc.request(method, params.clone());
		let pauses = ExponentialBuilder::default()
			.with_min_delay(Duration::from_millis(50))
			.with_max_delay(MAX_RECONNECT_PAUSE)
			.with_max_times(6);
		attempt
			.retry(pauses)
			.when(subxt_rpcs::Error::is_disconnected_will_reconnect)
			.await
			.map_err(|error| match error {
				subxt_rpcs::Error::Deserialization(error) => {
					ClientError::Malformed { method: method.into(), reason: error.to_string() }
				},
				error => ClientError::Request { method: method.into(), reason: error.to_string() },
			})
	}

	async fn head_of(&self, header: &SubstrateHeader<H256>) -> Result<Head, ClientError> {
		// The hash is computed, not asked for: the two cannot disagree then.
		let hash = sp_crypto_hashing::blake2_256(&header.encode());
		let number = number_of(header)?;
		let time = if number == 0 { 0 } else { view::time_at(self, number, hash).await? };
		Ok(Head { number, hash, time })
	}
}

fn number_of(header: &SubstrateHeader<H256>) -> Result<u32, ClientError> {
	u32::try_from(header.number).map_err(|_| ClientError::Malformed {
		method: "chain_getHeader".into(),
		reason: format!("block number {} does not fit 32 bits", header.number),
	})
}

/// A connection to a node over WebSocket, which is set up again whenever it is lost. A node that sends a longer answer
/// than `longest`, in bytes, loses it.
pub(crate) async fn connect_rpc(url: &str, longest: u32) -> Result<RpcClient, ClientError> {
	// What is shown and logged is without the password.
	let shown = without_user(url);
	if !url.starts_with("ws://") && !url.starts_with("wss://") {
		return Err(ClientError::InvalidUrl { url: shown });
	}
	let Ok(secure) = subxt_rpcs::utils::url_is_secure(url) else {
		return Err(ClientError::InvalidUrl { url: shown });
	};
	if !secure {
		tracing::warn!(url = shown, "the connection to the node is neither local nor encrypted");
	}
	let patience = Patience::new();
	let connecting = ReconnectingClient::builder()
		.request_timeout(REQUEST_TIMEOUT)
		.connection_timeout(CONNECT_TIMEOUT)
		.retry_policy(patience.clone())
		.max_response_size(longest)
		.build(url);
	let rpc = connecting
		.await
		.map_err(|error| ClientError::Unreachable { url: shown, reason: error.to_string() })?;
	patience.connected.store(true, Ordering::Relaxed);
	Ok(RpcClient::new(rpc))
}

/// The finalised blocks from the newest on.
///
/// The stream never ends. Numbers rise strictly, and may jump: when finality advances by several blocks at once, or the
/// reader is slower than the chain, only the newest is given. An error tells that the stream was interrupted and is
/// being set up again; the items after it are as before. Silence is no error: whoever relies on fresh heads compares
/// [`Head::time`] with a clock.
pub struct Heads {
	next: BoxFuture<'static, (Result<Head, ClientError>, Follower)>,
}

impl Heads {
	fn new(client: Client) -> Self {
		let follower = Follower { client, subscription: None, last: None, failures: 0 };
		Self { next: follower.next().boxed() }
	}
}

impl Stream for Heads {
	type Item = Result<Head, ClientError>;

	fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
		let (item, follower) = std::task::ready!(self.next.as_mut().poll(context));
		self.next = follower.next().boxed();
		Poll::Ready(Some(item))
	}
}

impl std::fmt::Debug for Heads {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		f.debug_struct("Heads").finish_non_exhaustive()
	}
}

struct Follower {
	client: Client,
	subscription: Option<RpcSubscription<SubstrateHeader<H256>>>,
	last: Option<u32>,
	failures: u32,
}

impl Follower {
	async fn next(mut self) -> (Result<Head, ClientError>, Self) {
		let item = self.advance().await;
		match item {
			Ok(head) => {
				self.last = Some(head.number);
				self.failures = 0;
			},
			Err(_) => {
				self.subscription = None;
				self.failures = self.failures.saturating_add(1);
			},
		}
		(item, self)
	}

	async fn advance(&mut self) -> Result<Head, ClientError> {
		loop {
			let header = self.newest_header().await?;
			if self.last.is_some_and(|last| header.number <= u64::from(last)) {
				continue;
			}
			return self.client.head_of(&header).await;
		}
	}

	async fn newest_header(&mut self) -> Result<SubstrateHeader<H256>, ClientError> {
		let interrupted = |reason: String| ClientError::Interrupted { reason };
		let subscription = match &mut self.subscription {
			Some(subscription) => subscription,
			slot => {
				if self.failures > 0 {
					let pause = Duration::from_millis(100) * 2u32.pow(self.failures.min(6) - 1);
					tokio::time::sleep(pause.min(MAX_RECONNECT_PAUSE)).await;
				}
				let subscribing = self.client.rpc.subscribe(
					"chain_subscribeFinalizedHeads",
					rpc_params![],
					"chain_unsubscribeFinalizedHeads",
				);
				slot.insert(subscribing.await.map_err(|error| interrupted(error.to_string()))?)
			},
		};
		let ended = || interrupted("the stream ended".into());
		let mut newest = subscription.next().await.ok_or_else(ended)?;
		while let Some(item) = subscription.next().now_or_never() {
			newest = item.ok_or_else(ended)?;
		}
		newest.map_err(|error| interrupted(error.to_string()))
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[tokio::test]
	async fn an_address_is_a_web_socket() {
		for url in ["", "localhost:9944", "http://127.0.0.1:9944", "ws://"] {
			let error = Client::connect(url).await.unwrap_err();
			assert!(matches!(error, ClientError::InvalidUrl { .. }), "{url}: {error}");
		}
	}

	#[tokio::test]
	async fn nobody_there_is_told_at_once() {
		// Port 1 is for TCPMUX (RFC 1078), which nobody has run for decades.
		let error = Client::connect("ws://127.0.0.1:1").await.unwrap_err();
		assert!(matches!(error, ClientError::Unreachable { .. }), "{error}");
	}

	#[test]
	fn patience_comes_with_the_first_connection() {
		let mut patience = Patience::new();
		assert_eq!(patience.next(), None);
		patience.connected.store(true, Ordering::Relaxed);
		let pauses: Vec<_> = patience.clone().take(100).collect();
		assert_eq!(pauses.len(), 100);
		assert!(pauses.iter().all(|pause| *pause <= MAX_RECONNECT_PAUSE));
	}
}
