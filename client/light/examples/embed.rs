//! Follows a chain in this process, without a server, and tells with each finalised block whether a device and its keys
//! are valid.
//!
//! ```sh
//! dpki-node build-spec --chain dev --raw --disable-default-bootnode >spec.json   # the chain, from anywhere
//! cargo run -p dpki-light --example embed -- spec.json 0xGENESIS /ip4/../tcp/../p2p/.. acme/drone-1 kept.bin
//! ```
//!
//! Only the genesis hash has to come from a trusted place. The last file is written here and read at the next start.

use dpki_client::{Client, primitives::ids::DeviceId, primitives::ids::OrganisationId};
use dpki_light::{Checkpoint, LightClient};
use dpki_verifier::{Judgement, Policy};
use futures::StreamExt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use std::{collections::BTreeMap, error::Error};

/// Peers cannot forge a block, but they can withhold it: an answer about an old one is none.
const POLICY: Policy = Policy::closed_after(Duration::from_secs(30));

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
	let args: Vec<String> = std::env::args().skip(1).collect();
	let [spec, genesis, peer, name, kept] = args.as_slice() else {
		return Err("usage: embed SPEC.json GENESIS PEER ORGANISATION/DEVICE CHECKPOINT".into());
	};
	let (spec, peers) = (std::fs::read_to_string(spec)?, std::slice::from_ref(peer));
	let mut first = [0; 32];
	hex::decode_to_slice(genesis.trim_start_matches("0x"), &mut first)?;
	let (organisation, device) = name.split_once('/').ok_or("a device is ORGANISATION/DEVICE")?;
	let organisation = OrganisationId::from_name(organisation.as_bytes());
	let device = DeviceId::from_name(organisation, device.as_bytes());
	let light = if std::fs::exists(kept)? {
		let checkpoint = Checkpoint::decode(&std::fs::read(kept)?)?;
		LightClient::start_from(&spec, peers, checkpoint).await?
	} else {
		LightClient::start(&spec, peers, first).await?
	};
	let client = Client::from_rpc(light.rpc()).await?;
	let (mut heads, mut keys) = (client.finalized_heads(), BTreeMap::new());
	while let Some(head) = heads.next().await {
		let Ok(head) = head.inspect_err(|error| eprintln!("trying again: {error}")) else {
			continue;
		};
		std::fs::write(kept, light.checkpoint().encode())?;
		let (at, now) = (client.at(head), SystemTime::now().duration_since(UNIX_EPOCH)?);
		let is_fresh = POLICY.judge(head.time, now.as_millis() as u64) == Judgement::Fresh;
		let tell = |what: &str, status: dpki_client::primitives::status::Status| {
			let usable = if is_fresh && status.is_valid() { "use it" } else { "do not" };
			println!("block {}: {what}: {status:?}, {usable}", head.number);
		};
		tell(&format!("{name} {device}"), at.device_status(device).await?);
		keys.extend(at.keys_of(device).await?); // the unrevoked ones; those of before are remembered
		for (key, record) in &keys {
			tell(&format!("{:?} key {key}", record.purpose), at.key_status(*key).await?);
		}
	}
	Ok(())
}
