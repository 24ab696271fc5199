//! Follows a chain in this process, without a server, and tells with each finalised block whether a key is valid.
//!
//! ```sh
//! dpki-node build-spec --chain dev --raw --disable-default-bootnode >spec.json   # the chain, from anywhere
//! cargo run -p dpki-light --example embed -- spec.json 0xGENESIS /ip4/../tcp/../p2p/.. 0xKEY checkpoint.bin
//! ```
//!
//! The genesis hash is what has to come from a trusted place; nobody else has to be trusted. The last file is written
//! here and read again at the next start.

use dpki_client::{Client, primitives::ids::KeyId};
use dpki_light::{Checkpoint, LightClient};
use dpki_verifier::{Judgement, Policy};
use futures::StreamExt;
use std::{
	error::Error,
	io::ErrorKind,
	time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Peers cannot forge a block, but they can withhold it: an answer about an old one is none.
const POLICY: Policy = Policy::closed_after(Duration::from_secs(30));

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
	let args: Vec<String> = std::env::args().skip(1).collect();
	let [spec, genesis, peer, key, kept] = args.as_slice() else {
		return Err("usage: embed SPEC.json GENESIS PEER KEY CHECKPOINT".into());
	};
	let (spec, peers) = (std::fs::read_to_string(spec)?, std::slice::from_ref(peer));
	let genesis: [u8; 32] = hex::decode(genesis.trim_start_matches("0x"))?
		.try_into()
		.map_err(|_| "a genesis hash has 32 bytes")?;
	let key: KeyId = key.parse()?;
	let light = match std::fs::read(kept) {
		Ok(bytes) => LightClient::start_from(&spec, peers, Checkpoint::decode(&bytes)?).await?,
		Err(error) if error.kind() == ErrorKind::NotFound => {
			LightClient::start(&spec, peers, genesis).await?
		},
		Err(error) => return Err(error.into()),
	};
	let client = Client::from_rpc(light.rpc()).await?;
	let mut heads = client.finalized_heads();
	while let Some(head) = heads.next().await {
		let Ok(head) = head.inspect_err(|error| eprintln!("trying again: {error}")) else {
			continue;
		};
		std::fs::write(kept, light.checkpoint().encode())?;
		let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis() as u64;
		let status = client.at(head).key_status(key).await?;
		let usable = POLICY.judge(head.time, now) == Judgement::Fresh && status.is_valid();
		println!("block {}: {status:?}, {}", head.number, if usable { "use it" } else { "do not" });
	}
	Ok(())
}
