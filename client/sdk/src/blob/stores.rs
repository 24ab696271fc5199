//! Several stores as one.

use super::{AddressError, BlobError, BlobStore, StoreAddress, cid};
use crate::client::Client;
use async_trait::async_trait;
use dpki_primitives::ids::BlobDigest;
use futures::{StreamExt, stream::FuturesUnordered};
use std::time::Duration;

/// How long a store is asked alone before the next one is asked besides.
pub const HEAD_START: Duration = Duration::from_secs(3);

/// Several stores: each is asked when the one before it has failed, or has not answered for [`HEAD_START`]. The first
/// blob that is the right one is taken, and the others are broken off.
///
/// So a store that is gone costs nothing, one that hangs costs seconds, and one that is not needed does not learn what is
/// asked.
pub struct Stores {
	stores: Vec<(String, Box<dyn BlobStore>)>,
	head_start: Duration,
}

impl Stores {
	/// These stores, in this order, each with its name.
	pub fn new(stores: Vec<(String, Box<dyn BlobStore>)>) -> Self {
		Self { stores, head_start: HEAD_START }
	}

	/// The stores at these addresses, in this order.
	pub fn open(addresses: &[StoreAddress], client: &Client) -> Result<Self, AddressError> {
		let open = |address: &StoreAddress| Ok((address.to_string(), address.open(client)?));
		addresses.iter().map(open).collect::<Result<_, _>>().map(Self::new)
	}

	/// Asks each store alone for so long instead of [`HEAD_START`].
	pub fn with_head_start(self, head_start: Duration) -> Self {
		Self { head_start, ..self }
	}
}

#[async_trait]
impl BlobStore for Stores {
	async fn get(&self, digest: BlobDigest, max_len: u32) -> Result<Vec<u8>, BlobError> {
		let mut waiting = self.stores.iter();
		let mut asked = FuturesUnordered::new();
		let mut failed = Vec::new();
		loop {
			if let Some((name, store)) = waiting.next() {
				asked.push(async move { (name, store.get(digest, max_len).await) });
			}
			tokio::select! {
				biased;
				Some((name, answer)) = asked.next() => match answer {
					Ok(blob) => return Ok(blob),
					Err(error) => failed.push((name, error)),
				},
				() = tokio::time::sleep(self.head_start), if waiting.len() > 0 => {},
				else => return Err(all(digest, failed)),
			}
		}
	}
}

/// One error of all stores. If there is only one, it has the best words itself.
fn all(digest: BlobDigest, mut failed: Vec<(&String, BlobError)>) -> BlobError {
	if let [_] = &failed[..]
		&& let Some((_, error)) = failed.pop()
	{
		return error;
	}
	let reasons = failed.iter().map(|(name, error)| format!("{name}: {}", error.reason()));
	let reason = match failed.is_empty() {
		true => "no store is named".to_owned(),
		false => reasons.collect::<Vec<_>>().join("; "),
	};
	BlobError::Unavailable { cid: cid(digest), reason }
}
