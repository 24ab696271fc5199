//! The nodes of the chain: what a transaction stored, any node that keeps its blocks has.
//!
//! The answer comes as a whole, and how long a blob may be is not part of the question. So what is read before that is held
//! against it is bounded by others: from a node, by the 50 MiB of an answer at which its connection is given up; from a peer
//! of a light client, by the 4 MiB of a message of Bitswap (`MAX_BITSWAP_MESSAGE_SIZE` of smoldot 5.0), which is refused by
//! its announced length before it is read. Of an answer that is too long nothing is decoded here.

#[cfg(test)]
mod tests;

use super::{Attempt, BlobError, BlobStore, PATIENCE, cid, persist_by, verify};
use crate::client::Client;
use async_trait::async_trait;
use backon::Sleeper;
use dpki_primitives::ids::BlobDigest;
use std::time::Duration;
use subxt_rpcs::{RpcClient, client::rpc_params};
use tokio::time::timeout;

/// JSON-RPC code of `bitswap_v1_get` for a CID that it does not understand.
const INVALID_PARAMS: i32 = -32602;

/// How often it is asked. A light client asks another peer each time.
const ATTEMPTS: usize = 5;

/// Blobs from the nodes of the chain: by RPC from a node, by Bitswap from the peers of a light client.
#[derive(Clone, Debug)]
pub struct ChainBlobs {
	rpc: RpcClient,
	patience: Duration,
}

impl ChainBlobs {
	/// Blobs through this connection. A node or peer that is silent is left after [`PATIENCE`].
	pub fn new(client: &Client) -> Self {
		Self { rpc: client.rpc().clone(), patience: PATIENCE }
	}

	async fn fetch(
		&self,
		digest: BlobDigest,
		max_len: u32,
		clock: impl Sleeper,
	) -> Result<Vec<u8>, BlobError> {
		persist_by(ATTEMPTS, || self.attempt(digest, max_len), clock).await
	}

	async fn attempt(&self, digest: BlobDigest, max_len: u32) -> Result<Vec<u8>, Attempt> {
		let cid = cid(digest);
		let unavailable = |reason: String| BlobError::Unavailable { cid: cid.clone(), reason };
		let asking = self.rpc.request::<String>("bitswap_v1_get", rpc_params![&cid]);
		let answer = timeout(self.patience, asking).await.map_err(|_| {
			Attempt::Again(unavailable(format!(
				"no answer came within {} ms",
				self.patience.as_millis()
			)))
		})?;
		let text = answer.map_err(|error| match error {
			// A block that one peer has not got yet another one has, but a CID does not become valid by waiting.
			subxt_rpcs::Error::User(error) if error.code == INVALID_PARAMS => {
				Attempt::Final(unavailable(error.message))
			},
			error => Attempt::Again(unavailable(error.to_string())),
		})?;
		let digits = text.strip_prefix("0x").unwrap_or(&text);
		// Two digits are a byte: what is too long is not decoded.
		if digits.len() / 2 > max_len as usize {
			return Err(Attempt::Again(BlobError::TooLong { cid, max_len }));
		}
		let blob =
			hex::decode(digits).map_err(|error| Attempt::Again(unavailable(error.to_string())))?;
		verify(digest, max_len, &blob).map_err(Attempt::Again)?;
		Ok(blob)
	}
}

#[async_trait]
impl BlobStore for ChainBlobs {
	async fn get(&self, digest: BlobDigest, max_len: u32) -> Result<Vec<u8>, BlobError> {
		self.fetch(digest, max_len, tokio::time::sleep).await
	}
}
