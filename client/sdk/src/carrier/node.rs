//! A node as carrier: its methods `dpki_bundle` and `dpki_warpFragments`. Gateways and publishers stand on it too.

use super::{Carrier, CarrierError, MAX_CARRIED_LEN, PATIENCE, Pursuit, sentence, without_user};
use async_trait::async_trait;
use dpki_verifier::{Checkpoint, Error as Unproven, Query};
use serde::Deserialize;
use std::time::Duration;
use subxt_rpcs::{
	Error as RpcError, RpcClient,
	client::{RpcParams, rpc_params},
};
use tokio::sync::OnceCell;

/// The code of a node for a device that is more changes behind than a bundle holds.
pub const TOO_MANY_CHANGES: i32 = 18_007;

/// Longest answer that is taken from a node, in bytes: two digits for each byte, and room for what stands around them.
const MAX_ANSWER_LEN: u32 = 2 * MAX_CARRIED_LEN as u32 + 1024 * 1024;

/// A bundle, and what the node says that it is about. Only the verifier finds out whether that is so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
	/// Number of the block.
	pub number: u32,
	/// Hash of the block.
	pub hash: [u8; 32],
	/// The bundle.
	pub bundle: Vec<u8>,
}

/// Changes of the authority set, and what the node says about them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServedChanges {
	/// How many they are.
	pub count: u32,
	/// From where to ask again.
	pub last: [u8; 32],
	/// Whether there are no more.
	pub is_finished: bool,
	/// The changes, as [`dpki_verifier::Verifier::advance`] takes them.
	pub fragments: Vec<u8>,
}

/// A node, reached when it is first asked and again whenever the connection is lost.
pub struct NodeCarrier {
	url: String,
	/// As it is called: without user and password.
	name: String,
	patience: Duration,
	rpc: OnceCell<RpcClient>,
}

impl NodeCarrier {
	/// The node at this address, `ws://..` or `wss://..`.
	pub fn new(url: &str) -> Self {
		Self { url: url.into(), name: without_user(url), patience: PATIENCE, rpc: OnceCell::new() }
	}

	/// A node that is connected to already; `url` is its name.
	pub fn connected(url: &str, rpc: RpcClient) -> Self {
		Self { rpc: OnceCell::new_with(Some(rpc)), ..Self::new(url) }
	}

	/// Waits this long for an answer instead of [`PATIENCE`].
	pub fn with_patience(self, patience: Duration) -> Self {
		Self { patience, ..self }
	}

	/// The bundle for these storage keys, with or without the chain time, for a device whose checkpoint is the block of this hash.
	pub async fn serve(
		&self,
		keys: &[Vec<u8>],
		checkpoint: Option<[u8; 32]>,
	) -> Result<Served, CarrierError> {
		#[derive(Deserialize)]
		#[serde(rename_all = "camelCase")]
		struct Told {
			block_number: u32,
			block_hash: String,
			bundle: String,
		}
		let keys: Vec<_> = keys.iter().map(|key| text(key)).collect();
		let told: Told = self
			.request("dpki_bundle", rpc_params![keys, checkpoint.map(|hash| text(&hash))])
			.await?;
		Ok(Served {
			number: told.block_number,
			hash: self.hash(&told.block_hash)?,
			bundle: self.bytes(&told.bundle)?,
		})
	}

	/// The changes of the authority set after the block of this hash; from the first block on if none is named.
	pub async fn serve_changes(
		&self,
		from: Option<[u8; 32]>,
	) -> Result<ServedChanges, CarrierError> {
		#[derive(Deserialize)]
		#[serde(rename_all = "camelCase")]
		struct Told {
			count: u32,
			last: String,
			is_finished: bool,
			fragments: String,
		}
		let from = from.map(|hash| text(&hash));
		let told: Told = self.request("dpki_warpFragments", rpc_params![from]).await?;
		Ok(ServedChanges {
			count: told.count,
			last: self.hash(&told.last)?,
			is_finished: told.is_finished,
			fragments: self.bytes(&told.fragments)?,
		})
	}

	/// The hash of the chain's first block, as the node tells it.
	pub async fn genesis(&self) -> Result<[u8; 32], CarrierError> {
		let told: String = self.request("chain_getBlockHash", rpc_params![0]).await?;
		self.hash(&told)
	}

	async fn request<T: serde::de::DeserializeOwned>(
		&self,
		method: &str,
		params: RpcParams,
	) -> Result<T, CarrierError> {
		let carrier = || self.name.clone();
		let asking = async {
			let connecting = self.rpc.get_or_try_init(|| async {
				crate::client::connect_rpc(&self.url, MAX_ANSWER_LEN).await.map_err(|error| {
					CarrierError::Unreachable { carrier: carrier(), reason: error.to_string() }
				})
			});
			connecting
				.await?
				.request(method, params)
				.await
				.map_err(|error| self.refusal(error))
		};
		let answered = tokio::time::timeout(self.patience, asking).await;
		answered
			.unwrap_or(Err(CarrierError::TimedOut { carrier: carrier(), waited: self.patience }))
	}

	fn refusal(&self, error: RpcError) -> CarrierError {
		let carrier = self.name.clone();
		match error {
			RpcError::User(refused) if refused.code == TOO_MANY_CHANGES => {
				CarrierError::Behind { carrier, sentence: sentence(&refused.message) }
			},
			RpcError::User(refused) => CarrierError::Refused {
				carrier,
				code: refused.code,
				sentence: sentence(&refused.message),
			},
			RpcError::Deserialization(error) => {
				CarrierError::Protocol { carrier, reason: sentence(&error.to_string()) }
			},
			error => CarrierError::Interrupted { carrier, reason: sentence(&error.to_string()) },
		}
	}

	fn hash(&self, text: &str) -> Result<[u8; 32], CarrierError> {
		let mut hash = [0; 32];
		let digits = text.strip_prefix("0x").unwrap_or_default();
		match hex::decode_to_slice(digits, &mut hash) {
			Ok(()) => Ok(hash),
			Err(_) => Err(self.malformed("a hash is none")),
		}
	}

	fn bytes(&self, text: &str) -> Result<Vec<u8>, CarrierError> {
		let digits = text.strip_prefix("0x");
		let digits = digits.ok_or_else(|| self.malformed("bytes do not begin with 0x"))?;
		if digits.len() / 2 > MAX_CARRIED_LEN {
			return Err(CarrierError::TooLarge {
				carrier: self.name.clone(),
				allowed: MAX_CARRIED_LEN,
			});
		}
		hex::decode(digits).map_err(|_| self.malformed("bytes are not hexadecimal digits"))
	}

	/// That a bundle of this node is none, as far as can be told without a checkpoint.
	pub(crate) fn unreadable(&self, error: &Unproven) -> CarrierError {
		self.malformed(&error.to_string())
	}

	fn malformed(&self, reason: &str) -> CarrierError {
		CarrierError::Protocol { carrier: self.name.clone(), reason: reason.into() }
	}
}

#[async_trait]
impl Carrier for NodeCarrier {
	fn name(&self) -> String {
		self.name.clone()
	}

	async fn bundle(
		&self,
		query: &Query,
		checkpoint: &Checkpoint,
	) -> Result<Vec<u8>, CarrierError> {
		Ok(self.serve(query.keys(), Some(checkpoint.hash)).await?.bundle)
	}

	async fn changes(&self, pursuit: Pursuit<'_>) -> Result<Option<Vec<u8>>, CarrierError> {
		let changes = self.serve_changes(Some(pursuit.now.hash)).await?;
		Ok((changes.count > 0).then_some(changes.fragments))
	}
}

fn text(bytes: &[u8]) -> String {
	format!("0x{}", hex::encode(bytes))
}
