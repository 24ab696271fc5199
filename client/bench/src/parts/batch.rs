//! T2 and T3: one signature for many keys (M2, M3), and what verification takes in WebAssembly and natively.
//!
//! Two calls register many keys under one signature: `dpki.register_batch`, which leaves more than two records for each device,
//! and `fleets.append_keys`, which leaves 32 bytes for each key. In both every key proves its possession: they are of class
//! T3. There is no call of class T2, by which bytes come into a block body without a proof for each: the figure for M2 is
//! that of keys on rolls, and says so.

use super::own::{from_file, middle, rate};
use crate::{
	Result,
	nodes::{Genesis, Network, Setup},
	report::{Metric, Target},
	send::{Manner, Outcome},
	statistics::{median, ratio},
	world::{World, endowed, prepare},
};
use codec::Encode;
use dpki_crypto::{Hash, Pure, Signed, Verifier, ed25519};
use dpki_primitives::{
	device::MAX_DEVICES_PER_BATCH,
	fleet::{MAX_KEYS_PER_APPEND, TILE_WIDTH},
	key::KeyType,
};
use ed25519_dalek::Signer;
use std::time::{Duration, Instant};
use subxt_rpcs::client::rpc_params;

/// Keys per second that are asked for, without and with possession.
const GOAL_BYTES: f64 = 100_000.0;
const GOAL_POSSESSION: f64 = 20_000.0;

/// How much faster a P-256 signature is verified natively than in WebAssembly.
const GOAL_NATIVE: f64 = 20.0;

/// Tiles of keys that a transaction appends to a roll: as many as it can.
const TILES: u32 = MAX_KEYS_PER_APPEND / TILE_WIDTH;

/// Of 400 kB each: together no more than a third of what a pool takes.
const ROLL_MANNER: Manner = Manner { window: 16, gap: Duration::ZERO };

/// Organisations that register in turns.
const ORGANISATIONS: u32 = 8;

/// Transfers in a run, to which batches are compared.
const TRANSFERS: u32 = 2_000;

/// How often a signature is verified for a figure.
const ROUNDS: usize = 200;

/// What is measured.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
	/// Validators.
	pub validators: usize,
	/// Batches in a run.
	pub count: u32,
	/// Transactions in a run that append keys to rolls.
	pub rolls: u32,
	/// Runs.
	pub runs: u32,
}

/// Measures it.
pub async fn measure(setup: &Setup, plan: Plan) -> Result<Vec<Metric>> {
	let count = plan.count.next_multiple_of(ORGANISATIONS);
	let rolls = plan.rolls.max(1).next_multiple_of(ORGANISATIONS);
	let endowed = endowed(TRANSFERS * plan.runs, ORGANISATIONS * (2 * plan.runs + 1));
	let genesis = Genesis { validators: plan.validators, endowed, state: vec![] };
	let network = Network::start(setup, "batch", &genesis).await?;
	let manner = Manner { window: 64, gap: Duration::ZERO };
	let mut runs: Vec<Outcome> = Vec::new();
	let mut transfers: Vec<Outcome> = Vec::new();
	let mut appends: Vec<Outcome> = Vec::new();
	for run in 0..plan.runs {
		let world = World::found(&network, run * ORGANISATIONS, ORGANISATIONS).await?;
		let load = world.transfers(run * TRANSFERS, TRANSFERS);
		let fast = Manner { window: TRANSFERS as usize, gap: Duration::ZERO };
		transfers.push(from_file(setup, &network, &load, fast).await?);
		let load = world.registrations(count, MAX_DEVICES_PER_BATCH);
		runs.push(from_file(setup, &network, &load, manner).await?);
		let first = (plan.runs + run) * ORGANISATIONS;
		let world = World::found(&network, first, ORGANISATIONS).await?;
		prepare(&network, &world.rolls()).await?;
		let load = world.appends(rolls, TILES);
		appends.push(from_file(setup, &network, &load, ROLL_MANNER).await?);
	}
	let figure = |name: &str, goal: f64, runs: &[Outcome], each: usize| {
		let value = rate(runs) * each as f64;
		let facts = runs.get(runs.len() / 2).map(|run| run.facts(each)).unwrap_or_default();
		Metric::new(name, "T3", value, "keys finalised/s", runs.len())
			.ratio(ratio(value, rate(&transfers)))
			.target(value, Target::AtLeast(goal))
			.fact("validators", plan.validators)
			.fact("slot_ms", setup.slot_ms)
			.fact("keys_per_transaction", each)
			.facts(&middle(runs))
			.facts(&facts)
	};
	let (devices, keys) = (MAX_DEVICES_PER_BATCH as usize, MAX_KEYS_PER_APPEND as usize);
	let mut metrics = vec![
		figure("M2", GOAL_BYTES, &appends, keys)
			.fact("note", "there is no call of class T2: this is the figure of class T3"),
		figure("M3/keys", GOAL_POSSESSION, &runs, devices),
		figure("M3/roll", GOAL_POSSESSION, &appends, keys),
	];
	let world = World::found(&network, 2 * plan.runs * ORGANISATIONS, ORGANISATIONS).await?;
	metrics.extend(verification(&network, &world).await?);
	Ok(metrics)
}

/// What a signature takes in WebAssembly, by the pool's own judgement of enrolments, and natively, by the same code in this
/// program.
async fn verification(network: &Network, world: &World) -> Result<Vec<Metric>> {
	let (vouchers, issue) = world.vouchers(1)?;
	prepare(network, &issue).await?;
	let mut wasm = Vec::new();
	for keys in [1, 4] {
		let load = world.enrolments(&vouchers, KeyType::P256, keys);
		wasm.push(judged(network, &load[0].bytes).await?);
	}
	// Both are judged in the same way but for three signatures.
	let wasm = (wasm[1] - wasm[0]) / 3.0;
	let native = native_p256();
	let times = ratio(wasm, native).unwrap_or_default();
	let (single, batch) = native_ed25519();
	let micros = |name: &str, value: f64| Metric::new(name, "verify", value, "us", ROUNDS);
	Ok(vec![
		micros("M3/p256/wasm", wasm),
		micros("M3/p256/native", native)
			.ratio(Some(times))
			.target(times, Target::AtLeast(GOAL_NATIVE)),
		micros("M3/ed25519/native", single),
		micros("M3/ed25519/native-batch", batch)
			.ratio(ratio(single, batch))
			.fact("batch", MAX_DEVICES_PER_BATCH),
	])
}

/// Microseconds in which the runtime judges a transaction, asked over RPC.
async fn judged(network: &Network, transaction: &[u8]) -> Result<f64> {
	let rpc = &network.first().rpc;
	let best: String = rpc.request("chain_getBlockHash", rpc_params![]).await?;
	let hash: [u8; 32] =
		crate::follow::bytes(&best)?.try_into().map_err(|_| "a hash has 32 bytes")?;
	// From outside (2), the transaction, and at which block.
	let arguments = [&[2u8][..], transaction, &hash.encode()].concat();
	let text = format!("0x{}", hex::encode(arguments));
	let mut times = Vec::new();
	for _ in 0..ROUNDS {
		let params = rpc_params!["TaggedTransactionQueue_validate_transaction", &text, &best];
		let began = Instant::now();
		let answer: String = rpc.request("state_call", params).await?;
		times.push(began.elapsed().as_secs_f64() * 1e6);
		if !answer.starts_with("0x00") {
			return Err(format!("the pool would refuse the enrolment: {answer}").into());
		}
	}
	median(&times).ok_or_else(|| "nothing was measured".into())
}

fn native_p256() -> f64 {
	use dpki_client::possession::{Signer, SigningKey, SoftwareKey};
	let key = SoftwareKey::generate(KeyType::P256).expect("P-256 is supported");
	let (message, public) = ([7u8; 200], key.public());
	let signature = key.sign(&message).expect("a key in memory signs");
	let signature = signature[..].try_into().expect("64 bytes");
	micros(|| assert!(Pure.p256(&public.bytes, Hash::Sha256, &message, signature)))
}

/// Of one signature by itself, and of one in a batch.
fn native_ed25519() -> (f64, f64) {
	let message = [7u8; 200];
	let signed: Vec<_> = (0..MAX_DEVICES_PER_BATCH)
		.map(|number| {
			let key = crate::load::key("native", number);
			(key.verifying_key().to_bytes(), key.sign(&message).to_bytes())
		})
		.collect();
	let batch: Vec<_> = signed
		.iter()
		.map(|(key, signature)| Signed { key, message: &message, signature })
		.collect();
	let (key, signature) = &signed[0];
	let single = micros(|| assert!(ed25519::verify(&Pure, key, &message, signature)));
	let whole = micros(|| assert!(ed25519::verify_batch(&Pure, &batch)));
	(single, whole / f64::from(MAX_DEVICES_PER_BATCH))
}

/// The median time in microseconds.
fn micros(mut work: impl FnMut()) -> f64 {
	let times: Vec<_> = (0..ROUNDS)
		.map(|_| {
			let began = Instant::now();
			work();
			began.elapsed().as_secs_f64() * 1e6
		})
		.collect();
	median(&times).unwrap_or_default()
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn what_is_measured_natively_verifies() {
		let (single, batch) = native_ed25519();
		assert!(native_p256() > 0.0 && single > 0.0 && batch > 0.0);
	}
}
