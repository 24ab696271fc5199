//! A device of the smallest kind: it knows the first block of the chain and who finalises after it, and believes what
//! `dpki-verifier` proves to it.

use crate::{Result, follow::bytes};
use codec::DecodeAll;
use dpki_verifier::{AuthoritySet, Checkpoint, Freshness, Query, Verifier, Zebra};
use serde_json::Value;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use subxt_rpcs::{RpcClient, client::rpc_params};

/// How old an answer may be. Not part of a measurement: the machine may be busy.
const MAX_AGE: Duration = Duration::from_secs(60);

/// The device.
pub struct Device {
	rpc: RpcClient,
	verifier: Verifier<Zebra>,
}

impl Device {
	/// One that asks this node.
	pub async fn new(rpc: &RpcClient) -> Result<Self> {
		let hash: String = rpc.request("chain_getBlockHash", rpc_params![0]).await?;
		let params = rpc_params!["GrandpaApi_grandpa_authorities", "0x", &hash];
		let answer: String = rpc.request("state_call", params).await?;
		let authorities = Vec::<([u8; 32], u64)>::decode_all(&mut &bytes(&answer)?[..])?;
		let keys = authorities.into_iter().map(|(key, _)| key).collect();
		let set = AuthoritySet::new(0, keys).map_err(|error| format!("{error:?}"))?;
		let genesis: [u8; 32] = bytes(&hash)?.try_into().map_err(|_| "a hash has 32 bytes")?;
		let checkpoint = Checkpoint { genesis, set, number: 0, hash: genesis };
		Ok(Self { rpc: rpc.clone(), verifier: Verifier::new(checkpoint, Zebra) })
	}

	/// Fetches a bundle about the newest block that can be proven. The node has none while the newest finalised block has
	/// no justification yet.
	pub async fn fetch(&self, query: &Query) -> Result<Vec<u8>> {
		let keys: Vec<_> = query.keys().iter().map(|key| text(key)).collect();
		let checkpoint = text(&self.verifier.checkpoint().hash);
		let answer: Value = self.rpc.request("dpki_bundle", rpc_params![keys, checkpoint]).await?;
		bytes(answer["bundle"].as_str().ok_or("an answer has a bundle")?)
	}

	/// What a bundle proves: the answer is read by `read` from it.
	pub fn verify<T>(
		&mut self,
		bundle: &[u8],
		query: &Query,
		read: impl FnOnce(&dpki_verifier::Verified) -> Result<T, dpki_verifier::Error>,
	) -> Result<T> {
		let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
		let freshness = Freshness::at_most(MAX_AGE, now.try_into()?);
		let verified = self.verifier.verify(bundle, query, freshness)?;
		Ok(read(&verified)?)
	}
}

fn text(bytes: &[u8]) -> String {
	format!("0x{}", hex::encode(bytes))
}
