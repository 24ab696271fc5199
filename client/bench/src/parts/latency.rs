//! From submission to finality under light load (M5).

use super::own::from_file;
use crate::{
	Result,
	nodes::{Genesis, Network, Setup},
	report::{Metric, Target},
	send::{Manner, Outcome},
	statistics::{median, percentile},
	world::{World, endowed},
};
use std::time::Duration;

/// Milliseconds to finality that are asked for: of the half of all, and of all but one in a hundred.
const P50: f64 = 600.0;
const P99: f64 = 1_200.0;

/// Organisations that register in turns.
const ORGANISATIONS: u32 = 8;

/// The pause between two transactions: some in each slot, at a place in it that nobody chose.
const GAP: Duration = Duration::from_millis(230);

/// What is measured.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
	/// Validators.
	pub validators: usize,
	/// Registrations in a run.
	pub count: u32,
	/// Runs.
	pub runs: u32,
}

/// Measures it.
pub async fn measure(setup: &Setup, plan: Plan) -> Result<Vec<Metric>> {
	let count = plan.count.next_multiple_of(ORGANISATIONS);
	let endowed = endowed(1, ORGANISATIONS * plan.runs);
	let genesis = Genesis { validators: plan.validators, endowed, state: vec![] };
	let network = Network::start(setup, "latency", &genesis).await?;
	let manner = Manner { window: usize::MAX, gap: GAP };
	let mut runs: Vec<Outcome> = Vec::new();
	for run in 0..plan.runs {
		let world = World::found(&network, run * ORGANISATIONS, ORGANISATIONS).await?;
		let load = world.registrations(count, 1);
		runs.push(from_file(setup, &network, &load, manner).await?);
	}
	let of = |share| {
		let each: Vec<_> =
			runs.iter().filter_map(|run| percentile(&run.latencies, share)).collect();
		median(&each).ok_or("nothing became final")
	};
	let metric = |name: &str, value: f64, most: f64| {
		Metric::new(name, "T1", value, "ms to final", runs.len())
			.target(value, Target::AtMost(most))
			.fact("validators", plan.validators)
			.fact("slot_ms", setup.slot_ms)
			.facts(&super::own::middle(&runs))
	};
	Ok(vec![metric("M5/p50", of(0.5)?, P50), metric("M5/p99", of(0.99)?, P99)])
}
