// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! What Prometheus is told of the validators: at each finalised block, what the chain's state says of them.

use crate::service::FullClient;
use codec::DecodeAll;
use dpki_primitives::{
	storage_keys,
	validator::{ValidatorRecord, ValidatorStanding},
};
use dpki_runtime::{AccountId, Hash};
use futures::StreamExt;
use sc_client_api::{BlockchainEvents, StorageKey, StorageProvider};
use std::sync::Arc;
use substrate_prometheus_endpoint::{
	Gauge, GaugeVec, Opts, PrometheusError, Registry, U64, register,
};

/// The gauges.
pub struct ValidatorMetrics {
	validators: GaugeVec<U64>,
	serving: Gauge<U64>,
	caught: Gauge<U64>,
}

impl ValidatorMetrics {
	/// Registers them.
	pub fn new(registry: &Registry) -> Result<Self, PrometheusError> {
		let by_standing = Opts::new(
			"dpki_validators",
			"Validators on record, by what the consortium has decided about them",
		);
		Ok(Self {
			validators: register(GaugeVec::new(by_standing, &["standing"])?, registry)?,
			serving: register(
				Gauge::new("dpki_validators_serving", "Validators that serve in this session")?,
				registry,
			)?,
			caught: register(
				Gauge::new(
					"dpki_validators_caught",
					"Validators that were proven to vote twice and are still on record: admit another if it stays",
				)?,
				registry,
			)?,
		})
	}

	/// Keeps them up to date, until the node ends.
	pub async fn follow(self, client: Arc<FullClient>) {
		let mut notifications = client.finality_notification_stream();
		self.update(&client, client.chain_info().finalized_hash);
		while let Some(notification) = notifications.next().await {
			self.update(&client, notification.hash);
		}
	}

	/// What cannot be read stays what it was: an older runtime does not have it.
	fn update(&self, client: &FullClient, block: Hash) {
		if let Some(records) =
			read::<Vec<ValidatorRecord<AccountId>>>(client, block, storage_keys::validators())
		{
			use ValidatorStanding::{Disabled, Enabled, Leaving};
			for standing in [Enabled, Disabled, Leaving] {
				let count = records.iter().filter(|record| record.standing == standing).count();
				self.validators.with_label_values(&[standing.name()]).set(count as u64);
			}
			let caught = records.iter().filter(|record| record.caught.is_some()).count();
			self.caught.set(caught as u64);
		}
		let serving = storage_keys::serving_validators();
		if let Some(serving) = read::<Vec<AccountId>>(client, block, serving) {
			self.serving.set(serving.len() as u64);
		}
	}
}

fn read<T: DecodeAll>(client: &FullClient, block: Hash, key: Vec<u8>) -> Option<T> {
	let value = client.storage(block, &StorageKey(key)).ok().flatten()?;
	T::decode_all(&mut &value.0[..]).ok()
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn the_gauges_have_names_of_their_own() {
		let registry = Registry::new();
		assert!(ValidatorMetrics::new(&registry).is_ok());
		assert!(ValidatorMetrics::new(&registry).is_err(), "registered twice");
	}
}
