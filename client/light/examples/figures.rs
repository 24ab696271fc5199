//! What the light client costs, for `scripts/bench`: the milliseconds from the start of the program to the first value that
//! is verified, and the memory that it holds some blocks later. One line of JSON.
//!
//! ```sh
//! cargo run -p dpki-light --example figures -- spec.json 0xGENESIS /ip4/../tcp/../p2p/..
//! ```

use dpki_client::Client;
use dpki_light::LightClient;
use futures::StreamExt;
use std::{error::Error, time::Instant};

/// Finalised blocks that are followed before the memory is looked at.
const BLOCKS: u32 = 20;

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), Box<dyn Error>> {
	let began = Instant::now();
	let args: Vec<String> = std::env::args().skip(1).collect();
	let [spec, genesis, peer] = args.as_slice() else {
		return Err("usage: figures SPEC.json GENESIS PEER".into());
	};
	let spec = std::fs::read_to_string(spec)?;
	let genesis: [u8; 32] = hex::decode(genesis.trim_start_matches("0x"))?
		.try_into()
		.map_err(|_| "a genesis hash has 32 bytes")?;
	let light = LightClient::start(&spec, std::slice::from_ref(peer), genesis).await?;
	let client = Client::from_rpc(light.rpc()).await?;
	let mut heads = client.finalized_heads();
	let (mut first, mut seen) = (None, 0);
	let last = loop {
		// The time of a head is a storage value that was proven against it; the first block has none.
		let Some(head) = heads.next().await else { return Err("there are no more blocks".into()) };
		let Ok(head) = head else { continue };
		if head.number == 0 {
			continue;
		}
		first.get_or_insert_with(|| (head.number, began.elapsed().as_millis()));
		seen += 1;
		if seen == BLOCKS {
			break head.number;
		}
	};
	let (first, millis) = first.unwrap_or_default();
	println!(
		"{{\"cold_start_ms\": {millis}, \"first_block\": {first}, \"last_block\": {last}, \"resident_kib\": {}, \
		 \"peak_kib\": {}}}",
		memory("VmRSS")?,
		memory("VmHWM")?
	);
	Ok(())
}

/// A line of `/proc/self/status`, in KiB.
fn memory(name: &str) -> Result<u64, Box<dyn Error>> {
	let status = std::fs::read_to_string("/proc/self/status")?;
	let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
	let words = line.ok_or("the system does not tell the memory of a process")?;
	Ok(words.trim().trim_end_matches("kB").trim().parse()?)
}
