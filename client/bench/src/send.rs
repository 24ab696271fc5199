//! Sends a load and waits until it is final.
//!
//! So many transactions are under way at once: accepted by a pool and not final yet. A pool that says that it is full is
//! asked again; that is no loss, because nobody was promised anything. What a pool has accepted and no finalised block
//! holds at the end is lost.

use crate::{
	Result,
	follow::{Block, Follower, found, missed_slots},
	load::Transaction,
	nodes::Network,
	processes::{cpu_time, ticks_per_second},
	statistics::{percentile, rounded},
};
use futures::{FutureExt, StreamExt, stream::FuturesUnordered};
use serde_json::{Value, json};
use std::{
	collections::{HashMap, VecDeque},
	future::Future,
	pin::Pin,
	time::{Duration, Instant},
};
use subxt_rpcs::{Error as RpcError, RpcClient, client::rpc_params};
use tokio::{sync::mpsc, time::sleep_until};

/// How long a pool is left alone that was full.
const PAUSE: Duration = Duration::from_millis(50);

/// After so long without a finalised transaction the rest is given up.
const STALL: Duration = Duration::from_secs(60);

/// How many requests wait for their answers at once.
const IN_FLIGHT: usize = 64;

/// How many entries of the state are asked for at once.
const PAGE: usize = 512;

/// JSON-RPC codes of `author_submitExtrinsic`: the pool has it already; the pool is full.
const ALREADY_IMPORTED: i32 = 1013;
const IMMEDIATELY_DROPPED: i32 = 1016;

/// How a load is sent.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
	/// How many transactions may be accepted and not final.
	pub window: usize,
	/// The pause between two of them, on average; none at full load.
	pub gap: Duration,
}

/// What became of a load.
#[derive(Clone, Debug)]
pub struct Outcome {
	/// How many a pool has accepted.
	pub accepted: usize,
	/// How many a pool has refused for good, and what it said of the first.
	pub refused: usize,
	/// What was said of the first that was refused.
	pub refusal: Option<String>,
	/// How many are in a finalised block.
	pub finalized: usize,
	/// How many have changed the state as they should.
	pub effective: usize,
	/// From the first submission to the last finality.
	pub seconds: f64,
	/// From submission to finality, in milliseconds.
	pub latencies: Vec<f64>,
	/// The finalised blocks in the meantime.
	pub blocks: Vec<Block>,
	/// Bytes of the transactions in them.
	pub bytes: usize,
	/// The most of them in one block.
	pub fullest: usize,
	/// Processor time of all validators.
	pub nodes_cpu: Duration,
	/// Processor time of this program.
	pub own_cpu: Duration,
}

impl Outcome {
	/// Accepted and not final.
	pub fn lost(&self) -> usize {
		self.accepted.saturating_sub(self.finalized)
	}

	/// How many were finalised in a second.
	pub fn rate(&self) -> f64 {
		self.finalized as f64 / self.seconds.max(f64::EPSILON)
	}

	/// Microseconds of processor time of all validators for each.
	pub fn cpu_each(&self) -> f64 {
		self.nodes_cpu.as_secs_f64() * 1e6 / self.finalized.max(1) as f64
	}

	/// What belongs to every figure, for `keys` keys in each transaction.
	pub fn facts(&self, keys: usize) -> Value {
		let total = (self.finalized * keys).max(1) as f64;
		let (slots, missed) = missed_slots(&self.blocks);
		json!({
			"keys": self.finalized * keys,
			"seconds": rounded(self.seconds, 3),
			"cpu_us_per_key": rounded(self.nodes_cpu.as_secs_f64() * 1e6 / total, 1),
			"generator_cpu_us_per_key": rounded(self.own_cpu.as_secs_f64() * 1e6 / total, 1),
			"bytes_per_key": rounded(self.bytes as f64 / total, 1),
			"slots": slots,
			"missed_slots": missed,
			"fullest_block": self.fullest * keys,
			"final_p50_ms": percentile(&self.latencies, 0.5).map(|it| rounded(it, 1)),
			"final_p99_ms": percentile(&self.latencies, 0.99).map(|it| rounded(it, 1)),
			"accepted_but_lost": self.lost(),
			"refused": self.refused,
			"refusal": self.refusal,
			"without_effect": self.finalized - self.effective.min(self.finalized),
		})
	}
}

/// An answer of a pool, for the transaction of this number.
type Submission = Pin<Box<dyn Future<Output = (usize, Result<(), RpcError>)> + Send>>;

/// Everything that is under way.
struct Sending<'a> {
	load: &'a [Transaction],
	manner: Manner,
	places: HashMap<[u8; 32], usize>,
	sent: Vec<Instant>,
	is_final: Vec<bool>,
	next: usize,
	again: VecDeque<usize>,
	not_before: Instant,
	outcome: Outcome,
	ended: Instant,
}

/// Sends a load to the validators in turns.
pub async fn send(network: &Network, load: &[Transaction], manner: Manner) -> Result<Outcome> {
	let before = effects(&network.first().rpc, load).await?;
	let mut blocks = follow(&network.first().rpc).await?;
	let ticks = ticks_per_second()?;
	let own = std::process::id();
	let (nodes_cpu, own_cpu) = (network.cpu_time()?, cpu_time(own, ticks)?);
	let began = Instant::now();

	let mut sending = Sending::new(load, manner, began);
	let mut pending: FuturesUnordered<Submission> = FuturesUnordered::new();
	let mut progress = began;
	while !sending.is_done() || !pending.is_empty() {
		while pending.len() < IN_FLIGHT
			&& let Some(index) = sending.take(pending.len())
		{
			let rpc = &network.nodes[index % network.nodes.len()].rpc;
			pending.push(submit(rpc, index, &load[index].bytes));
		}
		let now = Instant::now();
		if now.duration_since(progress) > STALL {
			break;
		}
		let wake = if sending.not_before > now { sending.not_before } else { now + PAUSE };
		tokio::select! {
			Some((index, answer)) = pending.next(), if !pending.is_empty() => {
				sending.answered(index, answer);
				if manner.gap > Duration::ZERO {
					progress = Instant::now();
				}
			},
			block = blocks.recv() => {
				let block = block.ok_or("the finalised blocks are not told any more")??;
				if sending.finalized(block) {
					progress = Instant::now();
				}
			},
			_ = sleep_until(wake.into()) => {},
		}
	}

	let mut outcome = sending.outcome;
	outcome.seconds = sending.ended.duration_since(began).as_secs_f64();
	outcome.nodes_cpu = network.cpu_time()?.saturating_sub(nodes_cpu);
	outcome.own_cpu = cpu_time(own, ticks)?.saturating_sub(own_cpu);
	let after = effects(&network.first().rpc, load).await?;
	outcome.effective = before.iter().zip(&after).filter(|(before, after)| before != after).count();
	Ok(outcome)
}

impl<'a> Sending<'a> {
	fn new(load: &'a [Transaction], manner: Manner, now: Instant) -> Self {
		let places = load.iter().enumerate().map(|(index, it)| (it.hash(), index)).collect();
		let outcome = Outcome {
			accepted: 0,
			refused: 0,
			refusal: None,
			finalized: 0,
			effective: 0,
			seconds: 0.0,
			latencies: Vec::with_capacity(load.len()),
			blocks: Vec::new(),
			bytes: 0,
			fullest: 0,
			nodes_cpu: Duration::ZERO,
			own_cpu: Duration::ZERO,
		};
		Self {
			load,
			manner,
			places,
			sent: vec![now; load.len()],
			is_final: vec![false; load.len()],
			next: 0,
			again: VecDeque::new(),
			not_before: now,
			outcome,
			ended: now,
		}
	}

	fn is_done(&self) -> bool {
		let settled = self.outcome.finalized + self.outcome.refused;
		self.next == self.load.len() && self.again.is_empty() && settled >= self.load.len()
	}

	/// The number of the transaction that is to be sent now, while so many wait for their answers.
	fn take(&mut self, waiting: usize) -> Option<usize> {
		let now = Instant::now();
		let under_way = self.outcome.accepted.saturating_sub(self.outcome.finalized) + waiting;
		if now < self.not_before || under_way >= self.manner.window {
			return None;
		}
		let index = self.again.pop_front().or_else(|| {
			let index = self.next;
			(index < self.load.len()).then(|| {
				self.next += 1;
				index
			})
		})?;
		self.sent[index] = now;
		if self.manner.gap > Duration::ZERO {
			// From half to one and a half times the pause, so that no slot is met at the same place again and again.
			let jitter = 0.5 + f64::from(self.load[index].hash()[0]) / 255.0;
			self.not_before = now + self.manner.gap.mul_f64(jitter);
		}
		Some(index)
	}

	fn answered(&mut self, index: usize, answer: Result<(), RpcError>) {
		match answer {
			Ok(()) => self.outcome.accepted += 1,
			Err(RpcError::User(error)) if error.code == ALREADY_IMPORTED => {
				self.outcome.accepted += 1;
			},
			Err(RpcError::User(error)) if error.code == IMMEDIATELY_DROPPED => {
				self.again.push_back(index);
				self.not_before = Instant::now() + PAUSE;
			},
			Err(error) => {
				self.outcome.refused += 1;
				self.outcome.refusal.get_or_insert_with(|| said(&error));
			},
		}
	}

	/// Whether any transaction of the load is in the block.
	fn finalized(&mut self, block: Block) -> bool {
		let of_load = found(&block, &self.places);
		let mut count = 0;
		for (index, len) in of_load {
			if std::mem::replace(&mut self.is_final[*index], true) {
				continue;
			}
			count += 1;
			self.outcome.bytes += len;
			let took = block.seen.saturating_duration_since(self.sent[*index]);
			self.outcome.latencies.push(took.as_secs_f64() * 1e3);
			self.ended = block.seen;
		}
		self.outcome.finalized += count;
		self.outcome.fullest = self.outcome.fullest.max(count);
		self.outcome.blocks.push(block);
		count > 0
	}
}

fn said(error: &RpcError) -> String {
	match error {
		RpcError::User(error) => match &error.data {
			Some(data) => format!("{} ({data})", error.message),
			None => error.message.clone(),
		},
		error => error.to_string(),
	}
}

fn submit(rpc: &RpcClient, index: usize, bytes: &[u8]) -> Submission {
	let (rpc, text) = (rpc.clone(), format!("0x{}", hex::encode(bytes)));
	async move {
		let answer: Result<String, RpcError> =
			rpc.request("author_submitExtrinsic", rpc_params![text]).await;
		(index, answer.map(|_| ()))
	}
	.boxed()
}

/// Follows the finalised blocks in a task of its own, so that sending does not keep it from the clock.
async fn follow(rpc: &RpcClient) -> Result<mpsc::UnboundedReceiver<Result<Block>>> {
	let mut follower = Follower::new(rpc).await?;
	let (sender, blocks) = mpsc::unbounded_channel();
	tokio::spawn(async move {
		loop {
			let block = follower.next().await;
			let is_over = block.is_err();
			if sender.send(block).is_err() || is_over {
				return;
			}
		}
	});
	Ok(blocks)
}

/// The values that a load changes, at the newest finalised block.
async fn effects(rpc: &RpcClient, load: &[Transaction]) -> Result<Vec<Option<String>>> {
	let at: String = rpc.request("chain_getFinalizedHead", rpc_params![]).await?;
	let mut values = Vec::with_capacity(load.len());
	for page in load.chunks(PAGE) {
		let keys: Vec<_> = page.iter().map(|it| format!("0x{}", hex::encode(&it.effect))).collect();
		let params = rpc_params![&keys, &at];
		let sets: Vec<Value> = rpc.request("state_queryStorageAt", params).await?;
		let entries = sets.iter().filter_map(|set| set["changes"].as_array()).flatten();
		let known: HashMap<_, _> = entries
			.filter_map(|entry| Some((entry[0].as_str()?, entry[1].as_str().map(String::from))))
			.collect();
		values.extend(keys.iter().map(|key| known.get(key.as_str()).cloned().flatten()));
	}
	Ok(values)
}

#[cfg(test)]
mod tests {
	use super::*;
	use subxt_rpcs::UserError;

	fn load(count: u8) -> Vec<Transaction> {
		(0..count).map(|it| Transaction { bytes: vec![it], effect: vec![] }).collect()
	}

	fn sending(load: &[Transaction], window: usize) -> Sending<'_> {
		Sending::new(load, Manner { window, gap: Duration::ZERO }, Instant::now())
	}

	fn user(code: i32) -> RpcError {
		RpcError::User(UserError { code, message: "no".into(), data: None })
	}

	fn block(transactions: &[&Transaction]) -> Block {
		let transactions = transactions.iter().map(|it| (it.hash(), it.bytes.len())).collect();
		Block { slot: Some(1), seen: Instant::now(), transactions }
	}

	#[test]
	fn no_more_are_under_way_than_the_window_takes() {
		let load = load(3);
		let mut sending = sending(&load, 2);
		assert_eq!((sending.take(0), sending.take(1), sending.take(2)), (Some(0), Some(1), None));
		sending.answered(0, Ok(()));
		sending.answered(1, Ok(()));
		assert_eq!(sending.take(0), None);
		assert!(sending.finalized(block(&[&load[1]])));
		assert_eq!((sending.take(0), sending.take(1)), (Some(2), None));
	}

	#[test]
	fn what_is_accepted_and_not_final_is_lost() {
		let load = load(3);
		let mut sending = sending(&load, 9);
		(0..3).for_each(|_| assert!(sending.take(0).is_some()));
		sending.answered(0, Ok(()));
		sending.answered(1, Err(user(ALREADY_IMPORTED)));
		sending.answered(2, Err(user(1010)));
		// A block of others, and one that is told twice.
		assert!(!sending.finalized(block(&[])));
		assert!(sending.finalized(block(&[&load[0]])));
		assert!(!sending.finalized(block(&[&load[0]])));
		let outcome = &sending.outcome;
		assert_eq!((outcome.accepted, outcome.refused, outcome.finalized), (2, 1, 1));
		assert_eq!((outcome.lost(), outcome.bytes, outcome.fullest), (1, 1, 1));
		assert_eq!(outcome.refusal.as_deref(), Some("no"));
		assert!(!sending.is_done());
		assert!(sending.finalized(block(&[&load[1]])));
		assert!(sending.is_done());
	}

	#[test]
	fn a_full_pool_is_asked_again_later() {
		let load = load(1);
		let mut sending = sending(&load, 9);
		assert_eq!(sending.take(0), Some(0));
		sending.answered(0, Err(user(IMMEDIATELY_DROPPED)));
		assert_eq!((sending.outcome.accepted, sending.outcome.refused), (0, 0));
		assert_eq!(sending.take(0), None);
		sending.not_before = Instant::now();
		assert_eq!(sending.take(0), Some(0));
	}

	#[test]
	fn rates_and_costs_are_those_of_what_is_final() {
		let load = load(4);
		let mut sending = sending(&load, 9);
		(0..4).for_each(|index| sending.answered(index, Ok(())));
		sending.finalized(block(&[&load[0], &load[1]]));
		let mut outcome = sending.outcome;
		outcome.seconds = 0.5;
		outcome.nodes_cpu = Duration::from_millis(1);
		assert_eq!((outcome.rate(), outcome.cpu_each()), (4.0, 500.0));
		let facts = outcome.facts(10);
		assert_eq!((&facts["keys"], &facts["cpu_us_per_key"]), (&json!(20), &json!(50.0)));
		assert_eq!((&facts["accepted_but_lost"], &facts["without_effect"]), (&json!(2), &json!(2)));
	}
}
