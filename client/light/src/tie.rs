//! Holds the chain that the light client follows against a checkpoint of `dpki-verifier`.
//!
//! A light client of an Aura chain begins at the genesis block at each start and finds the present authorities through all
//! former ones. Whoever has the keys of a set that was replaced long ago can lead it to another chain. A verifier with a
//! pinned checkpoint cannot be led there, but it proves single blocks and runs no runtime. Together they have both: a
//! block that the pinned authorities have finalised, shown by a bundle from anybody, has to be an ancestor of the
//! head that the light client follows, or that head itself.
//!
//! A head is tied as far as its ancestor is recent: what comes after the proven block is believed as the light client
//! believes it, until the next bundle. Validators that sign both chains need a third of the votes to break it, as ever.

use dpki_verifier::Checkpoint;
use serde::Deserialize;
use subxt_rpcs::{RpcClient, client::rpc_params};

/// Most blocks between the proven block and the head of the light client. A bundle is about the newest block of the node
/// that it comes from, so there are few; each costs a request to the light client.
pub const MAX_DISTANCE: u32 = 256;

/// Why a head is not tied to a checkpoint.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TieError {
	/// The checkpoint is of a chain with another first block.
	#[error("the checkpoint is of another chain: use the one that came with the device")]
	OtherChain,
	/// The light client has not come as far as the checkpoint.
	#[error("the light client is at block {head}, before block {proven} of the checkpoint: wait")]
	Behind {
		/// The head of the light client.
		head: u32,
		/// The block of the checkpoint.
		proven: u32,
	},
	/// The light client follows another chain than the pinned authorities.
	#[error(
		"block {number} of the light client is not the one that the pinned authorities have finalised: it was led \
		 astray; believe nothing that it says, and start it again with other peers"
	)]
	Diverged {
		/// The number of the block.
		number: u32,
	},
	/// The proven block is too far below the head.
	#[error(
		"block {proven} of the checkpoint is too far below block {head} of the light client: verify a newer bundle first"
	)]
	TooOld {
		/// The head of the light client.
		head: u32,
		/// The block of the checkpoint.
		proven: u32,
	},
	/// The light client does not answer as it should.
	#[error("the light client does not tell its headers ({reason}): try again")]
	Silent {
		/// What went wrong.
		reason: String,
	},
}

/// A finalised head of the light client that descends from a proven block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tied {
	/// The number of the head.
	pub number: u32,
	/// The hash of the head.
	pub hash: [u8; 32],
	/// The number of the proven block.
	pub proven: u32,
}

/// Walks from the finalised head back to the block of the checkpoint.
pub(crate) async fn tie(rpc: &RpcClient, checkpoint: &Checkpoint) -> Result<Tied, TieError> {
	let hash: String = request(rpc, "chain_getFinalizedHead", None).await?;
	let hash = parse_hash(&hash)?;
	let mut header = header(rpc, &hash).await?;
	let (number, proven) = (header.number()?, checkpoint.number);
	let Some(distance) = number.checked_sub(proven) else {
		return Err(TieError::Behind { head: number, proven });
	};
	if distance > MAX_DISTANCE {
		return Err(TieError::TooOld { head: number, proven });
	}
	let mut ancestor = hash;
	for left in (0..distance).rev() {
		ancestor = parse_hash(&header.parent_hash)?;
		// The header of the last one is not needed: its hash is in its child.
		if left > 0 {
			header = self::header(rpc, &ancestor).await?;
		}
	}
	if ancestor != checkpoint.hash {
		return Err(TieError::Diverged { number: proven });
	}
	Ok(Tied { number, hash, proven })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Header {
	parent_hash: String,
	/// Hexadecimal.
	number: String,
}

impl Header {
	fn number(&self) -> Result<u32, TieError> {
		let digits = self.number.strip_prefix("0x").unwrap_or_default();
		u32::from_str_radix(digits, 16).map_err(|error| silent(&error))
	}
}

async fn header(rpc: &RpcClient, hash: &[u8; 32]) -> Result<Header, TieError> {
	let header: Option<Header> = request(rpc, "chain_getHeader", Some(hash)).await?;
	header.ok_or_else(|| silent(&"a header is missing"))
}

async fn request<T: serde::de::DeserializeOwned>(
	rpc: &RpcClient,
	method: &str,
	hash: Option<&[u8; 32]>,
) -> Result<T, TieError> {
	let params = match hash {
		Some(hash) => rpc_params![format!("0x{}", hex::encode(hash))],
		None => rpc_params![],
	};
	rpc.request(method, params).await.map_err(|error| silent(&error))
}

fn parse_hash(text: &str) -> Result<[u8; 32], TieError> {
	let mut hash = [0; 32];
	let digits = text.strip_prefix("0x").unwrap_or_default();
	hex::decode_to_slice(digits, &mut hash).map_err(|error| silent(&error))?;
	Ok(hash)
}

fn silent(reason: &dyn std::fmt::Display) -> TieError {
	TieError::Silent { reason: reason.to_string() }
}

#[cfg(test)]
mod tests {
	use super::*;
	use dpki_verifier::AuthoritySet;
	use serde_json::{json, value::RawValue};
	use subxt_rpcs::{
		Error, RpcClientT,
		client::{RawRpcFuture, RawRpcSubscription},
	};

	/// A light client of a chain up to block `head`, which does not know the headers below `oldest`.
	struct Chain {
		head: u32,
		oldest: u32,
	}

	impl RpcClientT for Chain {
		fn request_raw<'a>(
			&'a self,
			method: &'a str,
			params: Option<Box<RawValue>>,
		) -> RawRpcFuture<'a, Box<RawValue>> {
			let asked = params.map(|params| params.get().to_owned()).unwrap_or_default();
			let answer = match method {
				"chain_getFinalizedHead" => json!(text(self.head)),
				_ => {
					match (self.oldest..=self.head).find(|number| asked.contains(&text(*number))) {
						Some(number) => json!({
							"parentHash": text(number.wrapping_sub(1)),
							"number": format!("{number:#x}"),
						}),
						None => json!(null),
					}
				},
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
			Box::pin(async { Err(Error::Client("nothing is subscribed to".into())) })
		}
	}

	/// The hash of a block of the chain.
	fn hash(number: u32) -> [u8; 32] {
		let mut hash = [0xab; 32];
		hash[..4].copy_from_slice(&number.to_le_bytes());
		hash
	}

	fn text(number: u32) -> String {
		format!("0x{}", hex::encode(hash(number)))
	}

	fn checkpoint(number: u32, hash: [u8; 32]) -> Checkpoint {
		let set = AuthoritySet::new(0, vec![[1; 32]]).unwrap();
		Checkpoint { genesis: [0; 32], set, number, hash }
	}

	async fn tied(chain: Chain, checkpoint: Checkpoint) -> Result<Tied, TieError> {
		tie(&RpcClient::new(chain), &checkpoint).await
	}

	#[tokio::test]
	async fn a_head_is_tied_to_a_proven_ancestor_and_to_itself() {
		for proven in [0, 1, 19, 20] {
			let expected = Tied { number: 20, hash: hash(20), proven };
			let tied = tied(Chain { head: 20, oldest: 0 }, checkpoint(proven, hash(proven))).await;
			assert_eq!(tied.unwrap(), expected);
		}
	}

	#[tokio::test]
	async fn another_block_at_the_proven_height_is_a_divergence() {
		for proven in [0, 7, 20] {
			let error = tied(Chain { head: 20, oldest: 0 }, checkpoint(proven, hash(99))).await;
			let error = error.unwrap_err();
			assert!(matches!(error, TieError::Diverged { number } if number == proven), "{error}");
		}
	}

	#[tokio::test]
	async fn a_light_client_that_is_behind_has_to_come_closer() {
		let error = tied(Chain { head: 20, oldest: 0 }, checkpoint(21, hash(21))).await;
		let error = error.unwrap_err();
		assert!(matches!(error, TieError::Behind { head: 20, proven: 21 }), "{error}");
	}

	#[tokio::test]
	async fn the_walk_has_an_end() {
		let far = |proven| tied(Chain { head: 300, oldest: 0 }, checkpoint(proven, hash(proven)));
		let error = far(300 - MAX_DISTANCE - 1).await.unwrap_err();
		assert!(matches!(error, TieError::TooOld { head: 300, .. }), "{error}");
		far(300 - MAX_DISTANCE).await.unwrap();
	}

	#[tokio::test]
	async fn a_header_that_is_not_there_ties_nothing() {
		let error = tied(Chain { head: 20, oldest: 10 }, checkpoint(5, hash(5))).await;
		let error = error.unwrap_err();
		assert!(matches!(error, TieError::Silent { .. }), "{error}");
	}
}
