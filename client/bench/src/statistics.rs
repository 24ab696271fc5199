//! Arithmetic of figures.

/// The value below or at which this share of the values lies, by the nearest rank; `None` of nothing.
pub fn percentile(values: &[f64], share: f64) -> Option<f64> {
	let mut sorted = values.to_vec();
	sorted.sort_by(f64::total_cmp);
	let rank = (share * sorted.len() as f64).ceil() as usize;
	sorted.get(rank.saturating_sub(1)).copied()
}

/// The middle value, or the mean of the two in the middle; `None` of nothing.
pub fn median(values: &[f64]) -> Option<f64> {
	let mut sorted = values.to_vec();
	sorted.sort_by(f64::total_cmp);
	let middle = sorted.len() / 2;
	match sorted.len() {
		0 => None,
		len if len.is_multiple_of(2) => Some((sorted[middle - 1] + sorted[middle]) / 2.0),
		_ => Some(sorted[middle]),
	}
}

/// How many times `value` is `reference`; `None` if that is nothing.
pub fn ratio(value: f64, reference: f64) -> Option<f64> {
	(reference > 0.0).then(|| value / reference)
}

/// With so many digits behind the point: nobody believes more.
pub fn rounded(value: f64, digits: i32) -> f64 {
	let scale = 10f64.powi(digits);
	(value * scale).round() / scale
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_percentile_is_one_of_the_values() {
		let values: Vec<f64> = (1..=100).rev().map(f64::from).collect();
		assert_eq!(percentile(&values, 0.5), Some(50.0));
		assert_eq!(percentile(&values, 0.99), Some(99.0));
		assert_eq!(percentile(&values, 1.0), Some(100.0));
		assert_eq!(percentile(&values, 0.0), Some(1.0));
		assert_eq!(percentile(&[7.0], 0.99), Some(7.0));
		assert_eq!(percentile(&[], 0.5), None);
	}

	#[test]
	fn a_median_has_as_many_values_above_as_below() {
		assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
		assert_eq!(median(&[4.0, 1.0, 3.0, 2.0]), Some(2.5));
		assert_eq!(median(&[]), None);
	}

	#[test]
	fn nothing_is_no_reference() {
		assert_eq!(ratio(3.0, 2.0), Some(1.5));
		assert_eq!(ratio(3.0, 0.0), None);
	}

	#[test]
	fn digits_beyond_are_dropped() {
		assert_eq!(rounded(1.23456, 2), 1.23);
		assert_eq!(rounded(1234.5, 0), 1235.0);
	}
}
