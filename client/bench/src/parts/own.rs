//! T1: each key in a transaction of its own, beside plain transfers on the same chain in the same run (M4).

use crate::{
	Result,
	follow::bytes,
	load::{Transaction, read, write},
	nodes::{Genesis, Network, Setup},
	report::{Metric, Target},
	send::{Manner, Outcome, send},
	statistics::{median, percentile, ratio},
	world::{World, endowed, prepare},
};
use codec::{Compact, Decode, Encode};
use dpki_primitives::key::KeyType;
use serde_json::{Value, json};
use std::time::Duration;
use subxt_rpcs::client::rpc_params;

/// Finalised registrations per second that are asked for.
const GOAL: f64 = 2_000.0;

/// Organisations that register in turns: accounts whose transactions do not wait for each other.
const ORGANISATIONS: u32 = 64;

/// What is measured.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
	/// Validators.
	pub validators: usize,
	/// Transactions of each kind in a run.
	pub count: u32,
	/// Runs.
	pub runs: u32,
	/// How many may be under way.
	pub window: usize,
}

/// Measures it.
pub async fn measure(setup: &Setup, plan: Plan) -> Result<Vec<Metric>> {
	let count = plan.count.next_multiple_of(ORGANISATIONS);
	let manner = Manner { window: plan.window, gap: Duration::ZERO };
	let genesis = Genesis {
		validators: plan.validators,
		endowed: endowed(count * plan.runs, 2 * ORGANISATIONS * plan.runs),
		state: vec![],
	};
	let network = Network::start(setup, "own", &genesis).await?;

	let (mut transfers, mut registrations, mut enrolments) = (vec![], vec![], vec![]);
	let mut declared = Vec::new();
	for run in 0..plan.runs {
		let first = 2 * run * ORGANISATIONS;
		let world = World::found(&network, first, ORGANISATIONS).await?;
		let load = world.transfers(run * count, count);
		if run == 0 {
			declared.push(declared_us(&network, &load).await?);
		}
		transfers.push(from_file(setup, &network, &load, manner).await?);
		let load = world.registrations(count, 1);
		if run == 0 {
			declared.push(declared_us(&network, &load).await?);
		}
		registrations.push(from_file(setup, &network, &load, manner).await?);
		let world = World::found(&network, first + ORGANISATIONS, ORGANISATIONS).await?;
		let (vouchers, issue) = world.vouchers(count)?;
		prepare(&network, &issue).await?;
		let load = world.enrolments(&vouchers, KeyType::Ed25519, 1);
		if run == 0 {
			declared.push(declared_us(&network, &load).await?);
		}
		enrolments.push(from_file(setup, &network, &load, manner).await?);
		eprintln!(
			"run {run}: {:.0} transfers, {:.0} registrations, {:.0} enrolments per second",
			transfers[run as usize].rate(),
			registrations[run as usize].rate(),
			enrolments[run as usize].rate(),
		);
	}
	let proposals: Vec<_> =
		network.nodes.iter().map(|node| node.proposals()).collect::<Result<_>>()?;
	let proposals = each_in_a_block(&proposals.concat());
	let shown = |metric: Metric| {
		metric.facts(&facts(&plan, setup.slot_ms)).fact("proposing", proposals.clone())
	};
	let reference = rate(&transfers);
	let of = |name: &str, kind: usize, runs: &[Outcome]| {
		let value = rate(runs);
		let metric = Metric::new(name, "T1", value, "finalised/s", runs.len());
		let metric = metric.fact("declared_us", declared.get(kind).copied());
		(value, shown(metric.ratio(ratio(value, reference)).facts(&middle(runs))))
	};
	let (value, register) = of("M4/register", 1, &registrations);
	let share = ratio(value, reference).unwrap_or_default();
	let cost = |runs: &[Outcome]| median(&runs.iter().map(Outcome::cpu_each).collect::<Vec<_>>());
	let (ours, theirs) = (cost(&registrations), cost(&transfers));
	let cost = ours
		.zip(theirs)
		.and_then(|(ours, theirs)| ratio(theirs, ours))
		.unwrap_or_default();
	let lost: usize = [&transfers, &registrations, &enrolments]
		.into_iter()
		.flatten()
		.map(Outcome::lost)
		.sum();
	Ok(vec![
		of("M4/transfer", 0, &transfers).1,
		register.target(value, Target::AtLeast(GOAL)),
		of("M4/enrol", 2, &enrolments).1,
		shown(
			Metric::new("M4/ratio", "T1", share, "registrations per transfer", plan.runs as usize)
				.ratio(Some(share))
				.target(share, Target::AtLeast(1.0))
				.fact("transfer_cpu_per_registration_cpu", cost),
		),
		shown(
			Metric::new("M4/lost", "T1", lost as f64, "accepted but lost", plan.runs as usize)
				.target(lost as f64, Target::AtMost(0.0)),
		),
	])
}

/// Microseconds of computation that the runtime declares for the first transaction: its call and its extensions, without
/// what every transaction costs.
async fn declared_us(network: &Network, load: &[Transaction]) -> Result<f64> {
	let transaction = load.first().ok_or("there is no transaction")?;
	let arguments = [&transaction.bytes[..], &(transaction.bytes.len() as u32).encode()].concat();
	let text = format!("0x{}", hex::encode(arguments));
	let params = rpc_params!["TransactionPaymentApi_query_info", text];
	let answer: String = network.first().rpc.request("state_call", params).await?;
	let Compact(picoseconds) = Compact::<u64>::decode(&mut &bytes(&answer)?[..])?;
	Ok(picoseconds as f64 / 1e6)
}

/// Keeps the load in a file, as it is sent later by whoever has not signed it, and sends what is in the file.
pub async fn from_file(
	setup: &Setup,
	network: &Network,
	load: &[Transaction],
	manner: Manner,
) -> Result<Outcome> {
	let path = setup.folder.join("load");
	write(&path, load)?;
	let load = read(&path)?;
	std::fs::remove_file(&path)?;
	send(network, &load, manner).await
}

/// The median rate.
pub fn rate(runs: &[Outcome]) -> f64 {
	median(&runs.iter().map(Outcome::rate).collect::<Vec<_>>()).unwrap_or_default()
}

/// The facts of the run in the middle, with the sums of what must not happen and the spread of the rates.
pub fn middle(runs: &[Outcome]) -> Value {
	let mut sorted: Vec<_> = runs.iter().collect();
	sorted.sort_by(|one, other| one.rate().total_cmp(&other.rate()));
	let Some(middle) = sorted.get(sorted.len() / 2) else { return json!({}) };
	let mut facts = middle.facts(1);
	facts["accepted_but_lost"] = runs.iter().map(Outcome::lost).sum::<usize>().into();
	facts["slowest"] = json!(sorted.first().map(|run| run.rate().round()));
	facts["fastest"] = json!(sorted.last().map(|run| run.rate().round()));
	facts
}

/// How long the authors took for blocks with transactions, in microseconds for each of these.
fn each_in_a_block(proposals: &[(u64, u64)]) -> Value {
	let full: Vec<_> = proposals.iter().filter(|(count, _)| *count >= 100).collect();
	let each: Vec<_> =
		full.iter().map(|(count, took)| *took as f64 * 1e3 / *count as f64).collect();
	json!({
		"blocks": full.len(),
		"us_per_transaction_p50": percentile(&each, 0.5),
		"fullest": full.iter().map(|it| it.0).max(),
		"longest_ms": full.iter().map(|it| it.1).max(),
	})
}

fn facts(plan: &Plan, slot_ms: u64) -> Value {
	json!({ "validators": plan.validators, "slot_ms": slot_ms, "window": plan.window })
}
