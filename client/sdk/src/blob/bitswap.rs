//! One IPFS peer, asked over Bitswap; `dpki-bitswap` does the talking.

use super::{ATTEMPTS, Attempt, BlobError, BlobStore, PATIENCE, cid, persist, verify};
use crate::http::sentence;
use async_trait::async_trait;
use dpki_bitswap::{AddressError, FetchError, Peer};
use dpki_primitives::ids::BlobDigest;
use std::time::Duration;

/// Blobs from one IPFS peer: Kubo, Helia, or a node of the chain.
#[derive(Clone, Debug)]
pub struct BitswapBlobs {
	peer: Peer,
}

impl BitswapBlobs {
	/// The peer at this address, `/ip4/../tcp/../p2p/..`.
	pub fn new(address: &str) -> Result<Self, AddressError> {
		Ok(Self { peer: Peer::new(address)?.with_patience(PATIENCE) })
	}

	/// Waits this long for each attempt instead of [`PATIENCE`].
	pub fn with_patience(self, patience: Duration) -> Self {
		Self { peer: self.peer.with_patience(patience) }
	}

	async fn attempt(&self, digest: BlobDigest, max_len: u32) -> Result<Vec<u8>, Attempt> {
		let fetched = self.peer.fetch(digest.0, max_len as usize).await;
		let blob = fetched.map_err(|error| {
			let cid = cid(digest);
			let is_temporary = error.is_temporary();
			let error = match error {
				FetchError::OtherBlock { .. } => BlobError::Mismatch { cid },
				FetchError::TooLong { .. } => BlobError::TooLong { cid, max_len },
				error => BlobError::Unavailable { cid, reason: sentence(&error.to_string()) },
			};
			if is_temporary { Attempt::Again(error) } else { Attempt::Final(error) }
		})?;
		verify(digest, max_len, &blob).map_err(Attempt::Final)?;
		Ok(blob)
	}
}

#[async_trait]
impl BlobStore for BitswapBlobs {
	async fn get(&self, digest: BlobDigest, max_len: u32) -> Result<Vec<u8>, BlobError> {
		persist(ATTEMPTS, || self.attempt(digest, max_len)).await
	}
}
