//! Bundles from a node, for those who judge them: a device of the smallest kind.

use crate::{PATIENCE, hex};
use codec::{Decode, Encode};
use dpki_client::Client;
use dpki_verifier::{AuthoritySet, Checkpoint, Freshness, Query, Verifier, Zebra};
use futures::StreamExt;
use serde_json::Value;
use sp_crypto_hashing::twox_128;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use subxt_rpcs::{Error as RpcError, client::rpc_params};

/// How old an answer may be: the machine of the tests may be busy.
pub const MAX_AGE: Duration = Duration::from_secs(60);

/// What a device is, without all that is around it.
pub type Device = Verifier<Zebra>;

/// A device that knows the first block of the chain and who finalises after it.
pub async fn new_device(client: &Client) -> Device {
	let genesis = client.genesis_hash();
	let params = rpc_params!["GrandpaApi_grandpa_authorities", "0x", hex(&genesis)];
	let answer: Value = client.rpc().request("state_call", params).await.expect("it is answered");
	let authorities =
		Vec::<([u8; 32], u64)>::decode(&mut &*bytes(&answer)).expect("a list of authorities");
	let authorities = authorities.into_iter().map(|(key, _)| key).collect();
	let set = AuthoritySet::new(0, authorities).expect("a set of authorities");
	Verifier::new(Checkpoint { genesis, set, number: 0, hash: genesis }, Zebra)
}

/// By the clock of this machine.
pub fn freshness() -> Freshness {
	let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is set");
	Freshness::at_most(MAX_AGE, now.as_millis() as u64)
}

/// A bundle, and the number of the block that the node says it is about.
pub async fn bundle(
	client: &Client,
	query: &Query,
	checkpoint: Option<[u8; 32]>,
) -> Result<(u64, Vec<u8>), RpcError> {
	let keys: Vec<_> = query.keys().iter().map(|key| hex(key)).collect();
	let checkpoint = checkpoint.map(|hash| hex(&hash));
	let answer: Value = client.rpc().request("dpki_bundle", rpc_params![keys, checkpoint]).await?;
	Ok((answer["blockNumber"].as_u64().expect("a number"), bytes(&answer["bundle"])))
}

/// Waits for a bundle about a block that is at least this high.
pub async fn reach(
	client: &Client,
	query: &Query,
	checkpoint: Option<[u8; 32]>,
	number: u64,
) -> Vec<u8> {
	let reached = async {
		let mut heads = client.finalized_heads();
		loop {
			if let Ok((found, bundle)) = bundle(client, query, checkpoint).await
				&& found >= number
			{
				return bundle;
			}
			let _ = heads.next().await;
		}
	};
	tokio::time::timeout(PATIENCE, reached).await.expect("the chain goes on")
}

/// The changes of the authority set since this block, as the node serves them.
pub async fn fragments(client: &Client, from: Option<[u8; 32]>) -> Value {
	let from = from.map(|hash| hex(&hash));
	client
		.rpc()
		.request("dpki_warpFragments", rpc_params![from])
		.await
		.expect("they are served")
}

/// `System.set_storage`, by which GRANDPA's pallet finds a change to the same authorities due at this block.
pub fn schedule_change(device: &Device, block: u32) -> Vec<u8> {
	let authorities: Vec<_> =
		device.checkpoint().set.authorities().iter().map(|key| (*key, 1u64)).collect();
	let change = (block, 0u32, authorities, None::<u32>).encode();
	let key = [twox_128(b"Grandpa"), twox_128(b"PendingChange")].concat();
	// Pallet 0, call 4.
	(0u8, 4u8, vec![(key, change)]).encode()
}

/// Bytes that the node tells in hexadecimal digits.
pub fn bytes(text: &Value) -> Vec<u8> {
	let text = text.as_str().unwrap_or_else(|| panic!("no text: {text}"));
	let digits = text
		.strip_prefix("0x")
		.unwrap_or_else(|| panic!("no hexadecimal bytes: {text}"));
	hex::decode(digits).expect("hexadecimal digits")
}
