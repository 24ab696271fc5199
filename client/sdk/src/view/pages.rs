//! Many entries of one item at once.

use super::{ReadError, View, decode};
use crate::client::{ClientError, Head};
use codec::Decode;
use subxt::config::substrate::H256;
use subxt_rpcs::client::rpc_params;

impl View {
	/// The first `count` entries under a prefix after the key `last`, with their keys, in the order of these.
	pub(crate) async fn read_page<T: Decode>(
		&self,
		item: &'static str,
		prefix: &[u8],
		count: u32,
		last: Option<&[u8]>,
	) -> Result<Vec<(Vec<u8>, T)>, ReadError> {
		#[derive(serde::Deserialize)]
		struct Changes {
			changes: Vec<(String, Option<String>)>,
		}
		self.require_told(item)?;
		let Head { number: block, hash, .. } = self.head;
		let unanswered =
			|error: ClientError| ReadError::Request { item, block, reason: error.to_string() };
		let text = |key: &[u8]| format!("0x{}", hex::encode(key));
		let params = rpc_params![text(prefix), count, last.map(text), H256(hash)];
		let keys: Vec<String> =
			self.client.request("state_getKeysPaged", params).await.map_err(unanswered)?;
		if keys.is_empty() {
			return Ok(Vec::new());
		}
		let params = rpc_params![keys, H256(hash)];
		let sets: Vec<Changes> =
			self.client.request("state_queryStorageAt", params).await.map_err(unanswered)?;
		let entries = sets.into_iter().flat_map(|set| set.changes);
		entries
			.map(|(key, value)| {
				let digits = key.strip_prefix("0x").unwrap_or(&key);
				let key =
					hex::decode(digits).map_err(|error| self.malformed(item, error.to_string()))?;
				let value = value.ok_or_else(|| self.malformed(item, "a key without a value"))?;
				Ok((key, decode(item, block, &value)?))
			})
			.collect()
	}

	pub(crate) fn malformed(&self, item: &'static str, reason: impl Into<String>) -> ReadError {
		ReadError::Malformed { item, block: self.head.number, reason: reason.into() }
	}
}
