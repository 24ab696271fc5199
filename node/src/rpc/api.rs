// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! The methods `dpki_*`, as clients see them: positional parameters, hexadecimal bytes, `null` or nothing for what may be
//! left out. `client/js` has the same in the form that polkadot.js takes.

use super::{
	bundle::{Bundle, Bundles},
	deliveries::Delivery,
	error::Refusal,
	events::{BlockEvents, Events},
	figures::BundleFigures,
	finality::Finality,
	fragments::{Fragments, fragments},
	revocations::Revocation,
	subscriptions::{Ended, Subscriptions},
};
use crate::service::{FullBackend, FullClient};
use dpki_primitives::ids::DeviceId;
use dpki_runtime::{BlockNumber, Hash};
use jsonrpsee::{PendingSubscriptionSink, core::async_trait, proc_macros::rpc};
use serde::Serialize;
use sp_core::Bytes;
use std::sync::Arc;
use substrate_prometheus_endpoint::{PrometheusError, Registry};
use tokio::sync::watch;

/// What was revoked in a block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BlockRevocations {
	/// Number of the block: nothing is missing up to here, and a replay goes on at the one after it.
	pub block_number: BlockNumber,
	/// Hash of the block.
	pub block_hash: Hash,
	/// What was revoked in it; nothing, if the notification only tells how far the chain has come.
	pub revocations: Vec<Revocation>,
}

/// What happened to deliveries in a block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BlockDeliveries {
	/// Number of the block: nothing is missing up to here, and a replay goes on at the one after it.
	pub block_number: BlockNumber,
	/// Hash of the block.
	pub block_hash: Hash,
	/// What happened in it; nothing, if the notification only tells how far the chain has come.
	pub deliveries: Vec<Delivery>,
}

/// What state alone cannot give.
#[rpc(server, namespace = "dpki")]
pub trait DpkiRpc {
	/// A bundle that proves what lies under these storage keys, in the newest block that can be proven, to a device whose
	/// checkpoint is the block of this hash (the first block of the chain, if none is named).
	#[method(name = "bundle", blocking)]
	fn bundle(&self, keys: Vec<Bytes>, checkpoint: Option<Hash>) -> Result<Bundle, Refusal>;

	/// The changes of the authority set after this block (after the first block of the chain, if none is named), oldest
	/// first. If they are not all, one asks again from the last of them.
	#[method(name = "warpFragments", blocking)]
	fn warp_fragments(&self, from: Option<Hash>) -> Result<Fragments, Refusal>;

	/// What is revoked, beginning with block `since`, itself included (with the newest finalised block, if it is left out).
	#[subscription(
		name = "subscribeRevocations" => "revocations",
		unsubscribe = "unsubscribeRevocations",
		item = BlockRevocations
	)]
	async fn subscribe_revocations(&self, since: Option<BlockNumber>) -> Ended;

	/// What happens to deliveries, beginning with block `since` as for revocations; only to those for this device, if one is
	/// named.
	#[subscription(
		name = "subscribeDeliveries" => "deliveries",
		unsubscribe = "unsubscribeDeliveries",
		item = BlockDeliveries
	)]
	async fn subscribe_deliveries(&self, since: Option<BlockNumber>, device: Option<Hash>)
	-> Ended;
}

/// Serves the methods. Cheap to clone; all clones share what they keep.
#[derive(Clone)]
pub struct Dpki {
	finality: Arc<Finality>,
	bundles: Arc<Bundles>,
	subscriptions: Arc<Subscriptions>,
}

impl Dpki {
	/// Reads from these, and learns of new finalised blocks from
	/// [`track_finality`](super::subscriptions::track_finality). Its figures go to this registry, if there is one.
	pub fn new(
		client: Arc<FullClient>,
		backend: Arc<FullBackend>,
		finality: Finality,
		finalized: watch::Receiver<BlockNumber>,
		registry: Option<&Registry>,
	) -> Result<Self, PrometheusError> {
		let finality = Arc::new(finality);
		let events = Arc::new(Events::new(client.clone(), backend));
		let figures = BundleFigures::new(registry)?;
		Ok(Self {
			bundles: Arc::new(Bundles::new(client, finality.clone(), figures)),
			finality,
			subscriptions: Arc::new(Subscriptions::new(events, finalized)),
		})
	}
}

#[async_trait]
impl DpkiRpcServer for Dpki {
	fn bundle(&self, keys: Vec<Bytes>, checkpoint: Option<Hash>) -> Result<Bundle, Refusal> {
		self.bundles.bundle(keys, checkpoint)
	}

	fn warp_fragments(&self, from: Option<Hash>) -> Result<Fragments, Refusal> {
		fragments(&self.finality, from)
	}

	async fn subscribe_revocations(
		&self,
		pending: PendingSubscriptionSink,
		since: Option<BlockNumber>,
	) -> Ended {
		let tell = |block: &BlockEvents| {
			let revocations = block.revocations.clone();
			let (block_number, block_hash) = (block.number, block.hash);
			let told = BlockRevocations { block_number, block_hash, revocations };
			(!told.revocations.is_empty(), told)
		};
		self.subscriptions.serve(pending, since, tell).await
	}

	async fn subscribe_deliveries(
		&self,
		pending: PendingSubscriptionSink,
		since: Option<BlockNumber>,
		device: Option<Hash>,
	) -> Ended {
		let device = device.map(|id| DeviceId(id.0));
		let tell = move |block: &BlockEvents| {
			let concerns = block.deliveries.iter().filter(|delivery| delivery.is_for(device));
			let deliveries: Vec<_> = concerns.cloned().collect();
			let (block_number, block_hash) = (block.number, block.hash);
			let told = BlockDeliveries { block_number, block_hash, deliveries };
			(!told.deliveries.is_empty(), told)
		};
		self.subscriptions.serve(pending, since, tell).await
	}
}
