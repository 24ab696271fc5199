//! Follows a chain in this process, without a server, and tells with each finalised block whether a key is valid.
//!
//! ```sh
//! dpki-node build-spec --chain dev --raw --disable-default-bootnode >spec.json   # the chain, from anywhere
//! cargo run -p dpki-light --example embed -- spec.json 0xGENESIS /ip4/../tcp/../p2p/.. 0xKEY
//! ```
//!
//! The genesis hash is what has to come from a trusted place; nobody else has to be trusted.

use dpki_client::{Client, primitives::ids::KeyId};
use dpki_light::LightClient;
use futures::StreamExt;
use std::{
	error::Error,
	time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Peers cannot forge a block, but they can withhold it: an answer about an old one is none.
const MAX_AGE: Duration = Duration::from_secs(30);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
	let args: Vec<String> = std::env::args().skip(1).collect();
	let [spec, genesis, peer, key] = args.as_slice() else {
		return Err("usage: embed SPEC.json GENESIS PEER KEY".into());
	};
	let spec = std::fs::read_to_string(spec)?;
	let genesis: [u8; 32] = hex::decode(genesis.trim_start_matches("0x"))?
		.try_into()
		.map_err(|_| "a genesis hash has 32 bytes")?;
	let key: KeyId = key.parse()?;

	let light = LightClient::start(&spec, std::slice::from_ref(peer), genesis).await?;
	let client = Client::from_rpc(light.rpc()).await?;
	let mut heads = client.finalized_heads();
	while let Some(head) = heads.next().await {
		let head = match head {
			Ok(head) => head,
			Err(error) => {
				eprintln!("interrupted, and trying again: {error}");
				continue;
			},
		};
		let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
		let status = client.at(head).key_status(key).await?;
		let is_fresh = now.saturating_sub(Duration::from_millis(head.time)) <= MAX_AGE;
		let usable = is_fresh && status.is_valid();
		println!("block {}: {status:?}, {}", head.number, if usable { "use it" } else { "do not" });
	}
	Ok(())
}
