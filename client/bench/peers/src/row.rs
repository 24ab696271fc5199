// SPDX-License-Identifier: Apache-2.0

//! Rows as `scripts/lib/peers.py` takes them.

use serde_json::{Value, json};

/// The median of what was measured under this name, with what belongs to it.
pub fn row(id: impl Into<String>, measured: &[f64], facts: Value) -> Value {
	let mut row = json!({
		"id": id.into(),
		"value": rounded(median(measured), 3),
		"runs": measured.len(),
	});
	if let (Value::Object(row), Value::Object(facts)) = (&mut row, facts) {
		row.extend(facts);
	}
	row
}

/// The value in the middle, or 0 of none.
pub fn median(values: &[f64]) -> f64 {
	let mut sorted = values.to_vec();
	sorted.sort_by(f64::total_cmp);
	let of = |place: usize| sorted.get(place).copied().unwrap_or_default();
	match sorted.len() % 2 {
		0 => (of((sorted.len() / 2).saturating_sub(1)) + of(sorted.len() / 2)) / 2.0,
		_ => of(sorted.len() / 2),
	}
}

/// With so many digits after the point.
pub fn rounded(value: f64, digits: i32) -> f64 {
	let scale = 10f64.powi(digits);
	(value * scale).round() / scale
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn the_median_is_in_the_middle() {
		assert_eq!((median(&[3.0, 1.0, 2.0]), median(&[4.0, 1.0]), median(&[])), (2.0, 2.5, 0.0));
	}

	#[test]
	fn a_row_has_its_facts() {
		let row = row("x", &[1.0, 2.0004, 3.0], json!({ "keys": 7 }));
		assert_eq!(row, json!({ "id": "x", "value": 2.0, "runs": 3, "keys": 7 }));
	}
}
