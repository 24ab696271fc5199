//! What a scenario found out, in the form of `scripts/bench`.

use serde_json::{Value, json};
use std::time::Duration;

/// A figure.
#[derive(Clone, PartialEq, Debug)]
pub struct Figure {
	/// What it says, such as `chaos.kill_one.longest_stall`.
	pub id: String,
	/// The value.
	pub value: f64,
	/// Of what.
	pub unit: &'static str,
	/// What it may be at most, if anything was promised.
	pub most: Option<f64>,
	/// How often it was measured.
	pub runs: usize,
}

impl Figure {
	fn met(&self) -> Option<bool> {
		self.most.map(|most| self.value <= most)
	}
}

/// The figures of one run.
#[derive(Clone, Default, Debug)]
pub struct Figures {
	list: Vec<Figure>,
	/// What could not be tried, or has no number.
	pub remarks: Vec<String>,
}

impl Figures {
	/// Adds a figure that is what it is.
	pub fn tell(&mut self, id: &str, value: f64, unit: &'static str) {
		self.add(id, value, unit, None, 1);
	}

	/// Adds a figure of which so much is allowed at most.
	pub fn promise(&mut self, id: &str, value: f64, unit: &'static str, most: f64, runs: usize) {
		self.add(id, value, unit, Some(most), runs);
	}

	/// Adds the median and the 99th percentile of these durations, in seconds.
	pub fn spread(&mut self, id: &str, durations: &[Duration]) {
		let runs = durations.len();
		for (name, share) in [("p50", 50), ("p99", 99), ("max", 100)] {
			let value = percentile(durations, share).as_secs_f64();
			self.add(&format!("{id}.{name}"), value, "s", None, runs);
		}
	}

	/// Adds something in words.
	pub fn remark(&mut self, words: impl Into<String>) {
		let words = words.into();
		eprintln!("{words}");
		self.remarks.push(words);
	}

	/// The value of a figure.
	pub fn value(&self, id: &str) -> Option<f64> {
		self.list.iter().find(|figure| figure.id == id).map(|figure| figure.value)
	}

	/// The figures that are more than was promised.
	pub fn missed(&self) -> Vec<&Figure> {
		self.list.iter().filter(|figure| figure.met() == Some(false)).collect()
	}

	/// Takes those of another run in.
	pub fn join(&mut self, other: Figures) {
		self.list.extend(other.list);
		self.remarks.extend(other.remarks);
	}

	/// As `scripts/bench` reads them.
	pub fn json(&self) -> Value {
		let metric = |figure: &Figure| {
			json!({
				"id": figure.id,
				"value": figure.value,
				"unit": figure.unit,
				"ratio": null,
				"target": figure.most.map(|most| format!("<= {most}")),
				"met": figure.met(),
				"runs": figure.runs,
			})
		};
		self.list.iter().map(metric).collect()
	}

	fn add(&mut self, id: &str, value: f64, unit: &'static str, most: Option<f64>, runs: usize) {
		let value = (value * 1_000.0).round() / 1_000.0;
		eprintln!("{id} = {value} {unit}");
		self.list.push(Figure { id: format!("chaos.{id}"), value, unit, most, runs });
	}
}

/// The smallest of these durations that so many per cent of them do not exceed; zero, if there are none.
pub fn percentile(durations: &[Duration], share: usize) -> Duration {
	let mut sorted = durations.to_vec();
	sorted.sort();
	let rank = (sorted.len() * share).div_ceil(100).max(1);
	sorted.get(rank - 1).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_percentile_is_one_of_the_values() {
		let durations: Vec<_> = (1..=10).rev().map(Duration::from_secs).collect();
		assert_eq!(percentile(&durations, 50), Duration::from_secs(5));
		assert_eq!(percentile(&durations, 99), Duration::from_secs(10));
		assert_eq!(percentile(&durations[..1], 50), Duration::from_secs(10));
		assert_eq!(percentile(&[], 50), Duration::ZERO);
	}

	#[test]
	fn a_promise_is_kept_or_missed() {
		let mut figures = Figures::default();
		figures.tell("a", 9.0, "s");
		figures.promise("b", 1.0, "s", 1.0, 1);
		assert!(figures.missed().is_empty());
		figures.promise("c", 1.1, "s", 1.0, 1);
		assert_eq!(figures.missed()[0].id, "chaos.c");
		let metrics = figures.json();
		assert_eq!((&metrics[0]["met"], &metrics[1]["met"]), (&Value::Null, &json!(true)));
	}
}
