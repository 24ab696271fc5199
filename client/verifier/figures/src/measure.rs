//! What one kind of bundle costs a device.

use crate::{
	bundle::{Lengths, Validators},
	memory::{STACK, heap_of, stack_of},
	state::{Registry, Sample, TIME},
};
use dpki_verifier::{Checkpoint, Freshness, Query, Verifier, Zebra};
use serde_json::{Value, json};
use std::{
	hint::black_box,
	time::{Duration, Instant},
};

/// How often a time is taken in one run.
const TIMES: usize = 200;

/// What is measured.
pub struct Plan {
	/// How many runs.
	pub runs: usize,
	/// How many devices are asked for.
	pub samples: u32,
}

/// A bundle with what is needed to verify it.
#[derive(Clone)]
pub struct Case {
	/// What the device knows.
	pub checkpoint: Checkpoint,
	/// What it asks for.
	pub query: Query,
	/// What it gets.
	pub bundle: Vec<u8>,
	/// The bundle in parts.
	pub lengths: Lengths,
	sample: Sample,
}

impl Case {
	/// The bundle about one device of a registry.
	pub fn new(validators: &Validators, registry: &Registry, sample: Sample) -> Self {
		let query = sample.query();
		let (bundle, lengths) = validators.bundle(registry, &query);
		Self { checkpoint: validators.checkpoint(), query, bundle, lengths, sample }
	}

	fn verifier(&self) -> Verifier<Zebra> {
		Verifier::new(self.checkpoint.clone(), Zebra)
	}

	/// Verifies the bundle and gives the verdict about the key.
	fn verify(&self, verifier: &mut Verifier<Zebra>) -> bool {
		let verified = verifier.verify(&self.bundle, &self.query, fresh());
		verified.is_ok_and(|verified| self.sample.is_valid(&verified))
	}
}

/// Five seconds old, a minute allowed.
pub fn fresh() -> Freshness {
	Freshness::at_most(Duration::from_secs(60), TIME + 5_000)
}

/// Measures these cases, which differ in their sample only. A bundle that does not verify ends the program.
pub fn measure(cases: &[Case], plan: &Plan) -> Value {
	for case in cases {
		assert!(case.verify(&mut case.verifier()), "an honest bundle was refused");
	}
	let lengths: Vec<_> = cases.iter().map(|case| case.bundle.len()).collect();
	let typical = &cases[place_of_median(&lengths)];
	let (mut cold, mut warm) = (Vec::new(), Vec::new());
	let mut all_cold = Vec::new();
	for _ in 0..plan.runs {
		let mut times = Vec::new();
		for case in cases.iter().cycle().take(TIMES) {
			let mut verifier = case.verifier();
			let began = Instant::now();
			black_box(case.verify(&mut verifier));
			times.push(micros(began));
		}
		all_cold.extend_from_slice(&times);
		cold.push(median(times));
		let mut verifiers: Vec<_> = cases.iter().map(|case| (case, case.verifier())).collect();
		for (case, verifier) in &mut verifiers {
			case.verify(verifier);
		}
		let mut times = Vec::new();
		for number in 0..TIMES {
			let at = number % verifiers.len();
			let (case, verifier) = &mut verifiers[at];
			let began = Instant::now();
			black_box(case.verify(verifier));
			times.push(micros(began));
		}
		warm.push(median(times));
	}
	all_cold.sort_by(f64::total_cmp);
	let mut verifier = typical.verifier();
	let heap = heap_of(|| typical.verify(&mut verifier));
	json!({
		"bundle_bytes": typical.bundle.len(),
		"bundle_bytes_max": lengths.iter().max(),
		"header_bytes": typical.lengths.header,
		"justification_bytes": typical.lengths.justification,
		"proof_bytes": typical.lengths.proof,
		"proof_nodes": typical.lengths.nodes,
		"path_bytes": typical.sample.path_len(),
		"cold_us": median(cold),
		"cold_us_p99": all_cold[all_cold.len() * 99 / 100],
		"warm_us": median(warm),
		"heap_bytes": heap,
		"stack_bytes": stack(typical),
		"samples": cases.len(),
		"runs": plan.runs,
	})
}

fn stack(case: &Case) -> usize {
	let case = case.clone();
	std::thread::Builder::new()
		.stack_size(STACK)
		.spawn(move || {
			let mut verifier = case.verifier();
			stack_of(|| {
				black_box(case.verify(&mut verifier));
			})
		})
		.expect("a thread starts")
		.join()
		.expect("the thread ends well")
}

fn micros(since: Instant) -> f64 {
	since.elapsed().as_nanos() as f64 / 1000.0
}

fn median(mut values: Vec<f64>) -> f64 {
	values.sort_by(f64::total_cmp);
	(values[values.len() / 2] * 100.0).round() / 100.0
}

fn place_of_median(lengths: &[usize]) -> usize {
	let mut places: Vec<_> = (0..lengths.len()).collect();
	places.sort_by_key(|place| lengths[*place]);
	places[places.len() / 2]
}
