//! Follows the finalised blocks, and nothing else: what is not final has not happened.

use crate::Result;
use serde_json::Value;
use sp_crypto_hashing::blake2_256;
use std::{collections::HashMap, time::Instant};
use subxt_rpcs::{
	RpcClient,
	client::{RpcSubscription, rpc_params},
};

/// The engine of block authors in a header.
const AURA: &[u8; 4] = b"aura";

/// A finalised block.
#[derive(Clone, Debug)]
pub struct Block {
	/// In which slot it was made.
	pub slot: Option<u64>,
	/// When it was known here to be final.
	pub seen: Instant,
	/// Hash and length of its transactions.
	pub transactions: Vec<([u8; 32], usize)>,
}

/// Gives every finalised block once, in order.
pub struct Follower {
	rpc: RpcClient,
	heads: RpcSubscription<Value>,
	next: Option<u64>,
	/// When each number was first known to be final.
	queue: Vec<(u64, Instant)>,
}

impl Follower {
	/// From the next finalised block on.
	pub async fn new(rpc: &RpcClient) -> Result<Self> {
		let heads = rpc
			.subscribe(
				"chain_subscribeFinalizedHeads",
				rpc_params![],
				"chain_unsubscribeFinalizedHeads",
			)
			.await?;
		Ok(Self { rpc: rpc.clone(), heads, next: None, queue: Vec::new() })
	}

	/// The next finalised block with what is in it.
	pub async fn next(&mut self) -> Result<Block> {
		while self.queue.is_empty() {
			let header = self.heads.next().await.ok_or("the node went away")??;
			let (seen, number) = (Instant::now(), number(&header)?);
			// Blocks that became final together are told of by the last of them alone.
			let first = self.next.unwrap_or(number);
			self.queue.extend((first..=number).rev().map(|number| (number, seen)));
			self.next = Some(first.max(number + 1));
		}
		let (number, seen) = self.queue.pop().ok_or("a number")?;
		fetch(&self.rpc, number, seen).await
	}
}

async fn fetch(rpc: &RpcClient, number: u64, seen: Instant) -> Result<Block> {
	let hash: String = rpc.request("chain_getBlockHash", rpc_params![number]).await?;
	let answer: Value = rpc.request("chain_getBlock", rpc_params![&hash]).await?;
	let block = &answer["block"];
	let transactions = block["extrinsics"].as_array().ok_or("a block has a body")?;
	let transactions = transactions.iter().map(|text| {
		let bytes = bytes(text.as_str().unwrap_or_default())?;
		Ok((blake2_256(&bytes), bytes.len()))
	});
	let slot = slot(&block["header"]);
	let transactions = transactions.collect::<Result<_>>()?;
	Ok(Block { slot, seen, transactions })
}

/// Hexadecimal digits after `0x`.
pub fn bytes(text: &str) -> Result<Vec<u8>> {
	Ok(hex::decode(text.strip_prefix("0x").unwrap_or(text))?)
}

fn number(header: &Value) -> Result<u64> {
	let text = header["number"].as_str().ok_or("a header has a number")?;
	Ok(u64::from_str_radix(text.trim_start_matches("0x"), 16)?)
}

/// The slot in the digest of a header: `PreRuntime` (6), the engine, and eight bytes with their length before them.
fn slot(header: &Value) -> Option<u64> {
	let logs = header["digest"]["logs"].as_array()?;
	logs.iter().find_map(|log| {
		let log = bytes(log.as_str()?).ok()?;
		let rest = log.strip_prefix(&[6])?.strip_prefix(AURA)?.strip_prefix(&[8 << 2])?;
		Some(u64::from_le_bytes(rest.try_into().ok()?))
	})
}

/// Slots from the first of these blocks to the last, and how many of them have no block.
pub fn missed_slots(blocks: &[Block]) -> (u64, u64) {
	let slots: Vec<_> = blocks.iter().filter_map(|block| block.slot).collect();
	let (Some(first), Some(last)) = (slots.iter().min(), slots.iter().max()) else { return (0, 0) };
	let all = last - first + 1;
	(all, all.saturating_sub(slots.len() as u64))
}

/// The lengths of transactions by their hashes, for what is wanted of a block.
pub fn found<'a, T>(block: &Block, wanted: &'a HashMap<[u8; 32], T>) -> Vec<(&'a T, usize)> {
	let of = |(hash, len): &([u8; 32], usize)| wanted.get(hash).map(|it| (it, *len));
	block.transactions.iter().filter_map(of).collect()
}

#[cfg(test)]
mod tests {
	use super::*;
	use serde_json::json;

	fn block(slot: Option<u64>) -> Block {
		let transactions = vec![([1; 32], 100), ([2; 32], 200)];
		Block { slot, seen: Instant::now(), transactions }
	}

	#[test]
	fn the_slot_is_in_the_digest() {
		let log = format!("0x06{}20{}", hex::encode(AURA), hex::encode(513u64.to_le_bytes()));
		let header = json!({ "number": "0x1f", "digest": { "logs": ["0x05", log] } });
		assert_eq!(slot(&header), Some(513));
		assert_eq!(number(&header).unwrap(), 31);
		assert_eq!(slot(&json!({ "digest": { "logs": ["0x0661757261"] } })), None);
		assert!(number(&json!({})).is_err());
	}

	#[test]
	fn slots_without_a_block_are_missed() {
		let blocks: Vec<_> = [10, 11, 14].map(|slot| block(Some(slot))).into();
		assert_eq!(missed_slots(&blocks), (5, 2));
		assert_eq!(missed_slots(&[]), (0, 0));
		assert_eq!(missed_slots(&[block(None)]), (0, 0));
	}

	#[test]
	fn what_is_not_wanted_is_not_counted() {
		let wanted = HashMap::from([([2; 32], "two"), ([3; 32], "three")]);
		assert_eq!(found(&block(None), &wanted), [(&"two", 200)]);
	}
}
