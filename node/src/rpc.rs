// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! RPC on top of what every Substrate node serves: nonces, fees, finality, and our own methods `dpki_*`.
//!
//! What state can answer is asked through runtime APIs and view functions, which light clients can
//! verify; it needs no method here. Our own methods give what state cannot: proofs for devices, and events
//! without gaps. They are described in the README of this package.

mod api;
mod bundle;
mod cursor;
mod deliveries;
mod error;
mod events;
mod figures;
mod finality;
mod fragments;
mod limits;
#[cfg(test)]
mod mock;
mod revocations;
mod subscriptions;

pub use api::Dpki;
pub use events::Events;
pub use finality::Finality;
pub use revocations::Revoked;
pub use subscriptions::track_finality;

use crate::service::{FullBackend, FullClient};
use api::DpkiRpcServer;
use dpki_runtime::{BlockNumber, Hash, opaque::Block};
use jsonrpsee::RpcModule;
use sc_consensus_grandpa::{
	FinalityProofProvider, GrandpaJustificationStream, SharedAuthoritySet, SharedVoterState,
};
use sc_consensus_grandpa_rpc::{Grandpa, GrandpaApiServer};
use sc_rpc::SubscriptionTaskExecutor;
use sc_transaction_pool_api::TransactionPool;
use std::{error::Error, sync::Arc};
use substrate_frame_rpc_system::{System, SystemApiServer};

/// What the methods about finality need.
pub struct GrandpaDeps {
	/// Who finalises.
	pub authority_set: SharedAuthoritySet<Hash, BlockNumber>,
	/// How the current round stands.
	pub voter_state: SharedVoterState,
	/// New justifications.
	pub justifications: GrandpaJustificationStream<Block>,
	/// Proofs of finality.
	pub proofs: Arc<FinalityProofProvider<FullBackend, Block>>,
}

/// All methods of this module.
pub fn create<Pool>(
	client: Arc<FullClient>,
	pool: Arc<Pool>,
	grandpa: GrandpaDeps,
	dpki: Dpki,
	executor: SubscriptionTaskExecutor,
) -> Result<RpcModule<()>, Box<dyn Error + Send + Sync>>
where
	Pool: TransactionPool<Block = Block, Hash = Hash> + 'static,
{
	use pallet_transaction_payment_rpc::{TransactionPayment, TransactionPaymentApiServer};

	let mut module = RpcModule::new(());
	module.merge(System::new(client.clone(), pool).into_rpc())?;
	module.merge(TransactionPayment::new(client).into_rpc())?;
	let GrandpaDeps { authority_set, voter_state, justifications, proofs } = grandpa;
	module.merge(
		Grandpa::new(executor, authority_set, voter_state, justifications, proofs).into_rpc(),
	)?;
	module.merge(dpki.into_rpc())?;
	Ok(module)
}
