//! Where envelopes and tiles are fetched from, and where they can be put.
//!
//! A blob is named by the SHA2-256 of its bytes, so it does not matter who hands it out: what does not hash to its name
//! is not the blob. The same name is an IPFS CID ([`cid()`]): version 1, raw, one block.
//!
//! | store | address | module | takes blobs |
//! |---|---|---|---|
//! | the nodes of the chain | `chain` | [`chain`] | in transactions only |
//! | an IPFS peer, over Bitswap | `bitswap=/ip4/../tcp/../p2p/..` | [`bitswap`] | |
//! | a daemon with the RPC of Kubo | `kubo=http://HOST:PORT` | [`kubo`] | yes: stores and pins |
//! | a trustless gateway, single blocks | `gateway=https://HOST` | [`gateway`] | |
//! | the same, archives of blocks | `gateway-car=https://HOST` | [`gateway`], [`car`] | |
//! | a folder | `folder=/PATH` | [`folder`] | yes |
//!
//! No store is trusted. What comes from one is bounded before it is read, by the length that is announced, and while it
//! is read, but for the nodes of the chain, where a wider bound holds (see [`chain`]); then it is hashed. [`Stores`] asks several: each in its turn, and the next one also when one takes long.
//! What may pass is asked for again, after pauses that grow; what would be answered alike is not.
//!
//! ```no_run
//! # async fn example(client: &dpki_client::Client, digest: dpki_client::primitives::ids::BlobDigest)
//! # -> Result<(), Box<dyn std::error::Error>> {
//! use dpki_client::blob::{BlobStore, StoreAddress, Stores};
//!
//! let addresses = ["chain", "gateway=https://ipfs.acme.example"].map(str::parse::<StoreAddress>);
//! let addresses = addresses.into_iter().collect::<Result<Vec<_>, _>>()?;
//! let stores = Stores::open(&addresses, client)?;
//! let envelope = stores.get(digest, 64 * 1024).await?;
//! # Ok(())
//! # }
//! ```

pub mod address;
pub mod bitswap;
pub mod car;
pub mod chain;
pub mod folder;
pub mod gateway;
pub mod kubo;
pub mod stores;
#[cfg(test)]
mod tests;

pub use address::{AddressError, StoreAddress, StoreKind};
pub use bitswap::BitswapBlobs;
pub use chain::ChainBlobs;
pub use folder::BlobFolder;
pub use gateway::GatewayBlobs;
pub use kubo::KuboBlobs;
pub use stores::Stores;

use async_trait::async_trait;
use backon::{ExponentialBuilder, Retryable, Sleeper};
use dpki_primitives::ids::BlobDigest;
use std::time::Duration;

/// How long a store may take for one attempt.
pub const PATIENCE: Duration = Duration::from_secs(15);

/// Why a blob could not be had, or not be put somewhere.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BlobError {
	/// Nobody gave it.
	#[error("the blob {cid} could not be fetched ({reason}): try again later or at another place")]
	Unavailable {
		/// Which blob.
		cid: String,
		/// What was said.
		reason: String,
	},
	/// What came back is something else.
	#[error("what came for the blob {cid} is something else: fetch it from another place")]
	Mismatch {
		/// Which blob.
		cid: String,
	},
	/// It is longer than it may be.
	#[error(
		"the blob {cid} has more than the {max_len} bytes that are allowed: it cannot be the right one"
	)]
	TooLong {
		/// Which blob.
		cid: String,
		/// How long it may be.
		max_len: u32,
	},
	/// A store did not take it.
	#[error("{store} did not take the blob {cid} ({reason}): try again, or name another store")]
	NotStored {
		/// Which store.
		store: String,
		/// Which blob.
		cid: String,
		/// What was said.
		reason: String,
	},
	/// A store did not let go of it.
	#[error("{store} did not let go of the blob {cid} ({reason}): try again")]
	NotReleased {
		/// Which store.
		store: String,
		/// Which blob.
		cid: String,
		/// What was said.
		reason: String,
	},
}

impl BlobError {
	/// What happened, without which blob it was and what to do.
	pub fn reason(&self) -> String {
		match self {
			Self::Unavailable { reason, .. }
			| Self::NotStored { reason, .. }
			| Self::NotReleased { reason, .. } => reason.clone(),
			Self::Mismatch { .. } => "what came is something else".into(),
			Self::TooLong { max_len, .. } => {
				format!("it has more than the {max_len} bytes that are allowed")
			},
		}
	}
}

/// A place that blobs are fetched from.
#[async_trait]
pub trait BlobStore: Send + Sync {
	/// The blob with this digest, verified, of at most `max_len` bytes.
	async fn get(&self, digest: BlobDigest, max_len: u32) -> Result<Vec<u8>, BlobError>;
}

/// A place that blobs can be put in besides.
#[async_trait]
pub trait BlobKeeper: BlobStore {
	/// Stores a blob and keeps it until it is released; one that is there already, too.
	async fn put(&self, blob: &[u8]) -> Result<(), BlobError>;

	/// Does not keep a blob any more; one that is not there, neither.
	async fn release(&self, digest: BlobDigest) -> Result<(), BlobError>;
}

/// The CID of a blob: version 1, raw, SHA2-256, in base32.
pub fn cid(digest: BlobDigest) -> String {
	dpki_bitswap::cid(digest.0).to_string()
}

/// The digest in the CID of a blob, which is one as [`cid()`] gives it.
pub fn digest(text: &str) -> Option<BlobDigest> {
	let parsed: cid::Cid = text.parse().ok()?;
	let digest = BlobDigest(parsed.hash().digest().try_into().ok()?);
	(parsed == dpki_bitswap::cid(digest.0)).then_some(digest)
}

/// Whether these bytes are the blob with this digest; every [`BlobStore`] asks this of all it hands out.
pub fn verify(digest: BlobDigest, max_len: u32, blob: &[u8]) -> Result<(), BlobError> {
	if blob.len() > max_len as usize {
		return Err(BlobError::TooLong { cid: cid(digest), max_len });
	}
	if BlobDigest::of(blob) != digest {
		return Err(BlobError::Mismatch { cid: cid(digest) });
	}
	Ok(())
}

/// Why one attempt failed.
enum Attempt {
	/// The next one may do better.
	Again(BlobError),
	/// The next one would not.
	Final(BlobError),
}

impl Attempt {
	/// Whether another one makes sense.
	fn is_worth_another(&self) -> bool {
		matches!(self, Self::Again(_))
	}
}

/// Pauses between attempts; two stores that are asked at once are not asked again at once.
fn pauses(attempts: usize) -> ExponentialBuilder {
	ExponentialBuilder::default()
		.with_min_delay(Duration::from_millis(250))
		.with_max_delay(Duration::from_secs(5))
		.with_max_times(attempts.saturating_sub(1))
		.with_jitter()
}

/// Attempts this as often as it makes sense, with pauses.
async fn persist<T, F>(attempts: usize, attempt: impl FnMut() -> F) -> Result<T, BlobError>
where
	F: Future<Output = Result<T, Attempt>>,
{
	persist_by(attempts, attempt, tokio::time::sleep).await
}

/// The same by a clock of somebody else's.
async fn persist_by<T, F>(
	attempts: usize,
	attempt: impl FnMut() -> F,
	clock: impl Sleeper,
) -> Result<T, BlobError>
where
	F: Future<Output = Result<T, Attempt>>,
{
	attempt
		.retry(pauses(attempts))
		.sleep(clock)
		.when(Attempt::is_worth_another)
		.await
		.map_err(|(Attempt::Again(error) | Attempt::Final(error))| error)
}

/// How often a store that is no node of the chain is asked. There are others.
const ATTEMPTS: usize = 3;
