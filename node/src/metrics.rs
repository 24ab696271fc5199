// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! What Prometheus learns about the PKI, beside what every Substrate node tells about itself. Each
//! figure carries the id of the chain as the label `chain`.
//!
//! Counts of records come from walks over the state of finalised blocks. A walk reads at most [`walk::RECORDS_PER_STEP`]
//! records, once every [`BLOCKS_PER_READING`] blocks, and goes on where the last one stopped: however large the registry
//! is, the cost stays the same, and the figures of a large one are some minutes old. Revocations are counted from the
//! events of each block since the node was started, as Prometheus expects of counters.

mod walk;

use crate::{
	rpc::{Events, Revoked},
	service::{FullBackend, FullClient},
};
use codec::Decode;
use dpki_primitives::{
	certificate::day_of,
	channel::ChannelId,
	ids::{AnchorId, DeviceId},
	motion::{Electorate, MotionRecord},
	revocation::RevocationReason,
	storage_keys,
};
use dpki_runtime::{AccountId, Balance, BlockNumber, Hash};
use futures::{StreamExt, future::Either, stream};
use sc_client_api::{BlockchainEvents, StorageKey, StorageProvider};
use sp_blockchain::HeaderBackend;
use sp_crypto_hashing::twox_128;
use std::{sync::Arc, time::Duration};
use substrate_prometheus_endpoint::{
	CounterVec, Gauge, GaugeVec, Opts, PrometheusError, Registry, U64, register,
};
use walk::{AnchorTally, DeliveryTally, MotionTally, Walk};

/// Finalised blocks from one reading of the state to the next: half a minute at one second.
const BLOCKS_PER_READING: BlockNumber = 30;

/// Finalised blocks whose revocations are counted at once. A node that catches up with more skips the older ones, whose
/// states are pruned by then.
const MAX_BLOCKS_AT_ONCE: BlockNumber = 256;

/// How far ahead an end counts as near, in days.
const SOON_DAYS: u32 = 30;

/// What can be revoked.
const KINDS: [Revoked; 10] = [
	Revoked::Anchor,
	Revoked::AnchorKey,
	Revoked::SshSubject,
	Revoked::Device,
	Revoked::Key,
	Revoked::LeakedKey,
	Revoked::ReplacedKey,
	Revoked::Certificate,
	Revoked::Fleet,
	Revoked::FleetMembers,
];

/// The figures.
struct Figures {
	anchors: GaugeVec<U64>,
	anchors_ending: Gauge<U64>,
	certificates_ending: Gauge<U64>,
	deliveries: GaugeVec<U64>,
	motions: GaugeVec<U64>,
	oldest_motion: GaugeVec<U64>,
	revocations: CounterVec<U64>,
	finality_lag: Gauge<U64>,
	finalized_time: Gauge<U64>,
}

impl Figures {
	fn register(registry: &Registry) -> Result<Self, PrometheusError> {
		let gauge = |name: &str, help: &str| register(Gauge::new(name, help)?, registry);
		let gauges = |name: &str, help: &str, label: &str| {
			register(GaugeVec::new(Opts::new(name, help), &[label])?, registry)
		};
		let revocations = register(
			CounterVec::new(
				Opts::new(
					"dpki_revocations_total",
					"Revocations in finalised blocks since the start of the node",
				),
				&["kind", "reason"],
			)?,
			registry,
		)?;
		// An increase is seen only of what was there before: those that somebody is called for are there from the start.
		for kind in KINDS {
			for reason in [RevocationReason::KeyCompromise, RevocationReason::CaCompromise] {
				revocations.with_label_values(&[name_of(kind), reason.rfc5280_name()]);
			}
		}
		Ok(Self {
			anchors: gauges("dpki_anchors", "Trust anchors by their own status", "status")?,
			anchors_ending: gauge(
				"dpki_anchors_ending_soon",
				"Trust anchors that are valid now and end within 30 days",
			)?,
			certificates_ending: gauge(
				"dpki_certificates_ending_soon",
				"Ends of certificates within 30 days, those included that were renewed since",
			)?,
			deliveries: gauges(
				"dpki_deliveries",
				"Newest deliveries of the devices, on each of their channels, by what became of them",
				"state",
			)?,
			motions: gauges("dpki_motions_open", "Motions that wait for votes", "electorate")?,
			oldest_motion: gauges(
				"dpki_motion_oldest_open_seconds",
				"Age of the oldest motion that waits for votes; 0 if none does",
				"electorate",
			)?,
			revocations,
			finality_lag: gauge(
				"dpki_finality_lag_blocks",
				"Blocks by which the finalised one is behind the best one",
			)?,
			finalized_time: gauge(
				"dpki_finalized_time_seconds",
				"Chain time of the newest finalised block, in seconds since 1970",
			)?,
		})
	}
}

/// Reads the state and keeps the figures up to date.
pub struct Metrics {
	client: Arc<FullClient>,
	events: Events,
	figures: Figures,
	slot: Duration,
	anchors: Walk<AnchorTally>,
	deliveries: Walk<DeliveryTally>,
	motions: Walk<MotionTally>,
	counted: BlockNumber,
	next_reading: BlockNumber,
}

impl Metrics {
	/// Registers the figures. `slot` is the length of a slot, by which the ages of motions are told.
	pub fn register(
		client: Arc<FullClient>,
		backend: Arc<FullBackend>,
		slot: Duration,
		registry: &Registry,
	) -> Result<Self, PrometheusError> {
		let counted = client.info().finalized_number;
		Ok(Self {
			events: Events::new(client.clone(), backend),
			client,
			figures: Figures::register(registry)?,
			slot,
			anchors: Walk::new(record_prefix(storage_keys::anchor(AnchorId([0; 32])))),
			deliveries: Walk::new(record_prefix(storage_keys::delivery(
				DeviceId([0; 32]),
				ChannelId::DEFAULT,
			))),
			motions: Walk::new(record_prefix(storage_keys::motion(0))),
			counted,
			next_reading: 0,
		})
	}

	/// Runs until the node ends.
	pub async fn run(mut self) {
		let finalized = self.client.finality_notification_stream();
		let finalized = finalized.map(|block| Either::Left((block.hash, block.header.number)));
		let imported = self.client.import_notification_stream();
		let mut news = stream::select(finalized, imported.map(|_| Either::Right(())));
		while let Some(news) = news.next().await {
			if let Either::Left((hash, number)) = news {
				self.block_finalized(hash, number);
			}
			let info = self.client.info();
			let lag = info.best_number.saturating_sub(info.finalized_number);
			self.figures.finality_lag.set(lag.into());
		}
	}

	fn block_finalized(&mut self, hash: Hash, number: BlockNumber) {
		let now = self.read::<u64>(hash, storage_keys::now()).unwrap_or_default();
		self.figures.finalized_time.set(now / 1_000);
		self.count_revocations(number);
		if number >= self.next_reading {
			self.next_reading = number.saturating_add(BLOCKS_PER_READING);
			if let Err(error) = self.read_state(hash, number, now) {
				// A figure that is a little older is no reason to stop, and the next reading may do better.
				log::debug!(target: "dpki::metrics", "the state of block {number} could not be read: {error}");
			}
		}
	}

	fn count_revocations(&mut self, finalized: BlockNumber) {
		let first = self.counted.saturating_add(1);
		let first = first.max(finalized.saturating_sub(MAX_BLOCKS_AT_ONCE));
		for number in first..=finalized {
			let Ok(block) = self.events.read(number) else { continue };
			for revocation in &block.revocations {
				let labels = [name_of(revocation.kind), revocation.reason];
				self.figures.revocations.with_label_values(&labels).inc();
			}
		}
		self.counted = finalized;
	}

	fn read_state(
		&mut self,
		hash: Hash,
		number: BlockNumber,
		now: u64,
	) -> sp_blockchain::Result<()> {
		let client = self.client.clone();
		let pairs = |prefix: &StorageKey, after: Option<&StorageKey>| {
			client.storage_pairs(hash, Some(prefix), after)
		};
		let soon = now.saturating_add(u64::from(SOON_DAYS) * 86_400_000);
		let anchors = self.anchors.step(pairs, |tally: &mut AnchorTally, _, value| {
			tally.add(Decode::decode(&mut &*value).ok(), now, soon);
		})?;
		if let Some(tally) = anchors {
			set_all(&self.figures.anchors, tally.by_status.iter().map(|(k, v)| (*k, *v)));
			self.figures.anchors_ending.set(tally.ending);
		}
		let acknowledged = client.clone();
		let deliveries = self.deliveries.step(pairs, |tally: &mut DeliveryTally, key, value| {
			let place = key.last_chunk::<33>().map(|bytes| &bytes[..]);
			let place = place.and_then(|place| <(DeviceId, ChannelId)>::decode(&mut &*place).ok());
			let read = |(device, channel)| {
				let key = StorageKey(storage_keys::acknowledgement(device, channel));
				let value = acknowledged.storage(hash, &key).ok().flatten()?;
				Decode::decode(&mut &*value.0).ok()
			};
			tally.add(Decode::decode(&mut &*value).ok(), place.and_then(read));
		})?;
		if let Some(tally) = deliveries {
			set_all(
				&self.figures.deliveries,
				[
					("waiting", tally.waiting),
					("applied", tally.applied),
					("refused", tally.refused),
				],
			);
		}
		let motions = self.motions.step(pairs, |tally: &mut MotionTally, _, value| {
			type Record = MotionRecord<AccountId, Balance, BlockNumber>;
			if let Ok(motion) = Record::decode(&mut &*value)
				&& motion.state.is_open()
			{
				let is_council = motion.electorate == Electorate::Council;
				tally.add(is_council, motion.proposed_at);
			}
		})?;
		if let Some(tally) = motions {
			for (electorate, open) in [("council", tally.council), ("organisation", tally.others)] {
				let age = open.oldest.map_or(0, |at| number.saturating_sub(at));
				let age = self.slot.as_secs_f64() * f64::from(age);
				self.figures.motions.with_label_values(&[electorate]).set(open.count);
				self.figures.oldest_motion.with_label_values(&[electorate]).set(age as u64);
			}
		}
		let today = day_of(now);
		let ending = (today..=today.saturating_add(SOON_DAYS))
			.filter_map(|day| self.read::<u32>(hash, ending_count(day)))
			.fold(0u64, |sum, count| sum.saturating_add(count.into()));
		self.figures.certificates_ending.set(ending);
		Ok(())
	}

	fn read<T: Decode>(&self, hash: Hash, key: Vec<u8>) -> Option<T> {
		let value = self.client.storage(hash, &StorageKey(key)).ok().flatten()?;
		T::decode(&mut &*value.0).ok()
	}
}

fn set_all<'name>(gauges: &GaugeVec<U64>, values: impl IntoIterator<Item = (&'name str, u64)>) {
	for (label, value) in values {
		gauges.with_label_values(&[label]).set(value);
	}
}

/// The part of a record's storage key that it shares with all records of its kind: pallet and item.
fn record_prefix(mut key: Vec<u8>) -> StorageKey {
	key.truncate(32);
	StorageKey(key)
}

/// `Certificates.EndingCount`: how many ends of certificates this day was noted for, a `u32`.
fn ending_count(day: u32) -> Vec<u8> {
	let pallet = twox_128(storage_keys::CERTIFICATES.as_bytes());
	[&pallet[..], &twox_128(b"EndingCount"), &day.to_le_bytes()].concat()
}

/// The kinds of revocations as the subscription `dpki_revocations` names them.
fn name_of(kind: Revoked) -> &'static str {
	match kind {
		Revoked::Anchor => "anchor",
		Revoked::AnchorKey => "anchorKey",
		Revoked::SshSubject => "sshSubject",
		Revoked::Device => "device",
		Revoked::Key => "key",
		Revoked::LeakedKey => "leakedKey",
		Revoked::ReplacedKey => "replacedKey",
		Revoked::Certificate => "certificate",
		Revoked::Fleet => "fleet",
		Revoked::FleetMembers => "fleetMembers",
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use dpki_runtime::Runtime;

	#[test]
	fn storage_keys_are_those_of_the_runtime() {
		assert_eq!(ending_count(7), pallet_certificates::EndingCount::<Runtime>::hashed_key_for(7));
		for (prefix, key) in [
			(
				storage_keys::anchor(AnchorId([0; 32])),
				pallet_dpki::Anchors::<Runtime>::hashed_key_for(AnchorId([9; 32])),
			),
			(
				storage_keys::delivery(DeviceId([0; 32]), ChannelId::DEFAULT),
				pallet_deliveries::Deliveries::<Runtime>::hashed_key_for(
					DeviceId([9; 32]),
					ChannelId::DEFAULT,
				),
			),
		] {
			assert!(key.starts_with(&record_prefix(prefix).0));
		}
	}

	#[test]
	fn every_figure_has_a_name_of_its_own() {
		let registry = Registry::new();
		let figures = Figures::register(&registry).unwrap();
		set_all(&figures.anchors, [("valid", 3)]);
		figures.revocations.with_label_values(&["key", "keyCompromise"]).inc();
		let families = registry.gather();
		let value = |name: &str| {
			let family = families.iter().find(|family| family.get_name() == name).unwrap();
			let metric = &family.get_metric()[0];
			metric.get_gauge().get_value() + metric.get_counter().get_value()
		};
		assert_eq!(value("dpki_anchors"), 3.0);
		let revocations = families.iter().find(|it| it.get_name() == "dpki_revocations_total");
		let counts =
			revocations.unwrap().get_metric().iter().map(|it| it.get_counter().get_value());
		assert_eq!(counts.sum::<f64>(), 1.0);
		assert!(Figures::register(&registry).is_err(), "names are taken once");
	}

	#[test]
	fn kinds_are_named_as_in_the_subscription() {
		for kind in KINDS {
			assert_eq!(serde_json::json!(kind), name_of(kind));
		}
	}
}
