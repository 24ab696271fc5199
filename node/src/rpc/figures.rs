// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! What Prometheus learns about the methods `dpki_*`: whether bundles are as cheap as they are meant to be.

use substrate_prometheus_endpoint::{Counter, PrometheusError, Registry, U64, register};

/// Where the answers of `dpki_bundle` came from.
pub struct BundleFigures {
	/// Storage proofs that were made, those of answers that were too long among them.
	pub made: Counter<U64>,
	/// Answers that were kept from before.
	pub kept: Counter<U64>,
}

impl BundleFigures {
	/// Counts from zero, for this registry if there is one.
	pub fn new(registry: Option<&Registry>) -> Result<Self, PrometheusError> {
		let counter = |name: &str, help: &str| {
			let counter = Counter::new(name, help)?;
			registry.map_or(Ok(counter.clone()), |registry| register(counter, registry))
		};
		Ok(Self {
			made: counter(
				"dpki_bundle_proofs_total",
				"Storage proofs that were made for dpki_bundle since the start of the node",
			)?,
			kept: counter(
				"dpki_bundle_kept_total",
				"Answers of dpki_bundle that were kept from one who asked before, since the start of the node",
			)?,
		})
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn the_figures_are_counted_with_and_without_a_registry() {
		let registry = Registry::new();
		let figures = BundleFigures::new(Some(&registry)).unwrap();
		figures.made.inc();
		figures.kept.inc_by(2);
		let counted = |name: &str| {
			let families = registry.gather();
			let family = families.iter().find(|family| family.get_name() == name).unwrap();
			family.get_metric()[0].get_counter().get_value()
		};
		assert_eq!(counted("dpki_bundle_proofs_total"), 1.0);
		assert_eq!(counted("dpki_bundle_kept_total"), 2.0);
		assert!(BundleFigures::new(Some(&registry)).is_err(), "registered twice");
		assert!(BundleFigures::new(None).is_ok());
	}
}
