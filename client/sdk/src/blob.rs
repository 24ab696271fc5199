//! Where envelopes are fetched from.
//!
//! A blob is named by the SHA2-256 of its bytes, so it does not matter who hands it out: what does not hash to its name
//! is not the blob. The same name is an IPFS CID ([`cid()`]).

use crate::client::Client;
use async_trait::async_trait;
use backon::{ExponentialBuilder, Retryable};
use dpki_primitives::ids::BlobDigest;
use std::time::Duration;
use subxt_rpcs::client::rpc_params;

/// Multicodec of raw binary.
const RAW: u64 = 0x55;
/// Multicodec of SHA2-256.
const SHA2_256: u64 = 0x12;
/// JSON-RPC code of `bitswap_v1_get` for a CID that it does not understand.
const INVALID_PARAMS: i32 = -32602;

/// Why a blob could not be had.
#[derive(Debug, thiserror::Error)]
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
		"the blob {cid} has {len} bytes, at most {max_len} are allowed: it cannot be the right one"
	)]
	TooLong {
		/// Which blob.
		cid: String,
		/// How long it is.
		len: usize,
		/// How long it may be.
		max_len: u32,
	},
}

/// A place that blobs are fetched from.
#[async_trait]
pub trait BlobStore: Send + Sync {
	/// The blob with this digest, verified, of at most `max_len` bytes.
	async fn get(&self, digest: BlobDigest, max_len: u32) -> Result<Vec<u8>, BlobError>;
}

/// The CID of a blob: version 1, raw, SHA2-256, in base32.
pub fn cid(digest: BlobDigest) -> String {
	let hash = cid::multihash::Multihash::<64>::wrap(SHA2_256, &digest.0)
		.expect("a digest of 32 bytes fits a multihash of 64");
	cid::Cid::new_v1(RAW, hash).to_string()
}

/// Whether these bytes are the blob with this digest; every [`BlobStore`] asks this of all it hands out.
pub fn verify(digest: BlobDigest, max_len: u32, blob: &[u8]) -> Result<(), BlobError> {
	if blob.len() > max_len as usize {
		return Err(BlobError::TooLong { cid: cid(digest), len: blob.len(), max_len });
	}
	if BlobDigest::of(blob) != digest {
		return Err(BlobError::Mismatch { cid: cid(digest) });
	}
	Ok(())
}

/// Blobs from the nodes of the chain: by RPC from a node, by Bitswap from the peers of a light client.
#[derive(Clone, Debug)]
pub struct ChainBlobs {
	client: Client,
	pauses: ExponentialBuilder,
}

impl ChainBlobs {
	/// Blobs through this connection.
	pub fn new(client: &Client) -> Self {
		let pauses = ExponentialBuilder::default()
			.with_min_delay(Duration::from_millis(250))
			.with_max_delay(Duration::from_secs(5))
			.with_max_times(4)
			.with_jitter();
		Self { client: client.clone(), pauses }
	}

	async fn attempt(&self, digest: BlobDigest, max_len: u32) -> Result<Vec<u8>, Attempt> {
		let cid = cid(digest);
		let unavailable = |reason: String| BlobError::Unavailable { cid: cid.clone(), reason };
		let answer: Result<String, _> =
			self.client.rpc().request("bitswap_v1_get", rpc_params![&cid]).await;
		let text = answer.map_err(|error| match error {
			// A block that one peer has not got yet another one has, but a CID does not become valid by waiting.
			subxt_rpcs::Error::User(error) if error.code == INVALID_PARAMS => {
				Attempt::Final(unavailable(error.message))
			},
			error => Attempt::Again(unavailable(error.to_string())),
		})?;
		let digits = text.strip_prefix("0x").unwrap_or(&text);
		let blob =
			hex::decode(digits).map_err(|error| Attempt::Again(unavailable(error.to_string())))?;
		verify(digest, max_len, &blob).map_err(Attempt::Again)?;
		Ok(blob)
	}
}

enum Attempt {
	Again(BlobError),
	Final(BlobError),
}

#[async_trait]
impl BlobStore for ChainBlobs {
	async fn get(&self, digest: BlobDigest, max_len: u32) -> Result<Vec<u8>, BlobError> {
		let attempt = || self.attempt(digest, max_len);
		attempt
			.retry(self.pauses)
			.when(|error| matches!(error, Attempt::Again(_)))
			.await
			.map_err(|(Attempt::Again(error) | Attempt::Final(error))| error)
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn the_cid_is_the_one_that_ipfs_computes() {
		// `ipfs add --cid-version 1 --raw-leaves` of the bytes `hello world`.
		assert_eq!(
			cid(BlobDigest::of(b"hello world")),
			"bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e"
		);
	}

	#[test]
	fn another_blob_is_refused() {
		let digest = BlobDigest::of(b"one");
		assert!(verify(digest, 3, b"one").is_ok());
		assert!(matches!(verify(digest, 3, b"two"), Err(BlobError::Mismatch { .. })));
		assert!(matches!(verify(digest, 2, b"one"), Err(BlobError::TooLong { len: 3, .. })));
	}
}
