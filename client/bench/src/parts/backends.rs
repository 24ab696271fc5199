//! Two validators whose programs were compiled for different processors, and whether they agree on every block.
//!
//! The arithmetic of Ed25519 has several implementations, of which a program is compiled with one or chooses at its start
//! (`curve25519_dalek_backend`: portable, AVX2, AVX-512). Each block is made by one of the two and carried out by the other;
//! in the blocks are signatures over which verifiers are known to differ, good ones and spoilt ones, in batches.

use super::own::from_file;
use crate::{
	Result,
	nodes::{Genesis, Network, Node, Setup},
	report::{Metric, Target},
	send::Manner,
	world::{World, endowed, prepare},
};
use dpki_primitives::fleet::TILE_WIDTH;
use serde_json::Value;
use std::{path::PathBuf, time::Duration};
use subxt_rpcs::client::rpc_params;

/// Organisations that append in turns.
const ORGANISATIONS: u32 = 8;

/// Tiles of keys in a transaction.
const TILES: u32 = 4;

/// What is done.
#[derive(Clone, Debug)]
pub struct Plan {
	/// The program of the second validator.
	pub other: PathBuf,
	/// Transactions with good signatures; there are as many with a spoilt one.
	pub count: u32,
}

/// Lets them make blocks of odd signatures, and compares what they have.
pub async fn measure(setup: &Setup, plan: &Plan) -> Result<Vec<Metric>> {
	let count = plan.count.max(1).next_multiple_of(ORGANISATIONS);
	let setup = Setup { other: Some(plan.other.clone()), ..setup.clone() };
	let genesis = Genesis { validators: 2, endowed: endowed(0, 2 * ORGANISATIONS), state: vec![] };
	let network = Network::start(&setup, "backends", &genesis).await?;
	let manner = Manner { window: 16, gap: Duration::ZERO };
	let mut outcomes = Vec::new();
	for (nth, spoilt) in [false, true].into_iter().enumerate() {
		let world = World::found(&network, nth as u32 * ORGANISATIONS, ORGANISATIONS).await?;
		prepare(&network, &world.rolls()).await?;
		let load = world.odd_appends(count, TILES, spoilt);
		outcomes.push(from_file(&setup, &network, &load, manner).await?);
	}
	let (good, bad) = (&outcomes[0], &outcomes[1]);
	let [first, second] = &network.nodes[..] else { return Err("two validators run".into()) };
	// What both have final: one may be a block behind.
	let last = first.finalized().await?.min(second.finalized().await?);
	let (mut differing, mut authors) = (0, [0u32; 2]);
	for number in 1..=last {
		let (one, other) = (block(first, number).await?, block(second, number).await?);
		differing += u32::from(one.0 != other.0);
		authors[one.1] += 1;
	}
	// Each block that is not the other's, and each transaction that did something else than it has to.
	let wrong = differing as usize
		+ good.accepted.saturating_sub(good.effective)
		+ bad.effective
		+ good.lost()
		+ bad.lost();
	Ok(vec![
		Metric::new("M3/backends", "T3", wrong as f64, "disagreements", 1)
			.target(wrong as f64, Target::AtMost(0.0))
			.fact("validators", 2)
			.fact("blocks", last)
			.fact("blocks_of_the_first", authors[0])
			.fact("blocks_of_the_second", authors[1])
			.fact("odd_keys_taken", good.effective * (TILES * TILE_WIDTH) as usize)
			.fact("transactions_with_a_spoilt_signature", bad.finalized)
			.fact("of_these_taken", bad.effective),
	])
}

/// Hash of a block as this node has it, and which of the two validators made it: slots go in turns.
async fn block(node: &Node, number: u64) -> Result<(String, usize)> {
	let hash: String = node.rpc.request("chain_getBlockHash", rpc_params![number]).await?;
	let header: Value = node.rpc.request("chain_getHeader", rpc_params![&hash]).await?;
	let logs = header["digest"]["logs"].as_array().ok_or("a header has a digest")?;
	// A pre-runtime digest of Aura: its index, the engine, the length, and the slot as 8 bytes, least first.
	let slot = logs
		.iter()
		.filter_map(Value::as_str)
		.find_map(|log| log.strip_prefix("0x0661757261"));
	let slot = slot.and_then(|slot| u8::from_str_radix(slot.get(2..4)?, 16).ok());
	Ok((hash, usize::from(slot.ok_or("Aura names the slot")? % 2)))
}
