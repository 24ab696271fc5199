//! Metrics as `scripts/lib/report.py` takes them.

use crate::statistics::rounded;
use serde_json::{Map, Value, json};

/// What a figure is held against.
#[derive(Clone, Copy, Debug)]
pub enum Target {
	/// It has to be this much at least.
	AtLeast(f64),
	/// It may be this much at most.
	AtMost(f64),
}

impl Target {
	fn is_met(self, value: f64) -> bool {
		match self {
			Self::AtLeast(least) => value >= least,
			Self::AtMost(most) => value <= most,
		}
	}

	fn words(self) -> String {
		match self {
			Self::AtLeast(least) => format!(">= {least}"),
			Self::AtMost(most) => format!("<= {most}"),
		}
	}
}

/// One figure.
#[derive(Clone, Debug)]
pub struct Metric(Map<String, Value>);

impl Metric {
	/// The figure of this name, in the class of `METRICS`: `T1`, `T3`, `T4` or a word for what is none of them.
	pub fn new(id: impl Into<String>, class: &str, value: f64, unit: &str, runs: usize) -> Self {
		let metric = json!({
			"id": id.into(),
			"class": class,
			"value": rounded(value, 3),
			"unit": unit,
			"ratio": null,
			"target": null,
			"met": null,
			"runs": runs,
		});
		match metric {
			Value::Object(metric) => Self(metric),
			_ => Self(Map::new()),
		}
	}

	/// To what it was compared in the same run, where there was such a thing.
	pub fn ratio(mut self, ratio: Option<f64>) -> Self {
		self.0.insert("ratio".into(), json!(ratio.map(|ratio| rounded(ratio, 3))));
		self
	}

	/// What it is held against, as it was measured and not as it is shown.
	pub fn target(mut self, value: f64, target: Target) -> Self {
		self.0.insert("target".into(), json!(target.words()));
		self.0.insert("met".into(), json!(target.is_met(value)));
		self
	}

	/// A target that depends on more than the figure.
	pub fn judged(mut self, target: &str, met: bool) -> Self {
		self.0.insert("target".into(), json!(target));
		self.0.insert("met".into(), json!(met));
		self
	}

	/// Something that belongs to the figure.
	pub fn fact(mut self, key: &str, value: impl Into<Value>) -> Self {
		self.0.insert(key.into(), value.into());
		self
	}

	/// Several of them.
	pub fn facts(mut self, facts: &Value) -> Self {
		self.0.extend(facts.as_object().cloned().unwrap_or_default());
		self
	}

	/// As the report takes it.
	pub fn into_json(self) -> Value {
		Value::Object(self.0)
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_metric_has_what_the_report_reads() {
		let metric = Metric::new("M4", "T1", 1999.99951, "keys/s", 5)
			.ratio(Some(1.23456))
			.target(1999.99951, Target::AtLeast(2000.0))
			.fact("validators", 2)
			.into_json();
		for column in ["id", "class", "value", "unit", "ratio", "target", "met", "runs"] {
			assert!(metric.get(column).is_some(), "{column}");
		}
		// What rounds to the target has not met it.
		assert_eq!((&metric["value"], &metric["met"]), (&json!(2000.0), &json!(false)));
		assert_eq!((&metric["ratio"], &metric["target"]), (&json!(1.235), &json!(">= 2000")));
	}

	#[test]
	fn without_a_target_nothing_is_met_or_missed() {
		let metric = Metric::new("x", "T1", 1.0, "s", 1).into_json();
		assert_eq!((&metric["target"], &metric["met"]), (&Value::Null, &Value::Null));
		assert!(Target::AtMost(6.0).is_met(6.0) && !Target::AtMost(6.0).is_met(6.1));
	}
}
