// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! The tasks by which a running node takes part in consensus: making blocks and finalising them.

use crate::{
	cli::NodeOptions,
	service::{
		FinalityImport, FinalityLink, FullClient, FullPool, FullSelectChain,
		GRANDPA_JUSTIFICATION_PERIOD, inherents_now,
	},
};
use dpki_runtime::opaque::Block;
use sc_consensus_aura::{SlotProportion, StartAuraParams};
use sc_consensus_grandpa::{BeforeBestBlockBy, SharedVoterState, VotingRulesBuilder};
use sc_network::{
	ProtocolName,
	service::traits::{NetworkService, NotificationService},
};
use sc_network_sync::SyncingService;
use sc_service::{KeystoreContainer, Role, TaskManager, error::Error as ServiceError};
use sc_telemetry::TelemetryHandle;
use sc_transaction_pool_api::OffchainTransactionPoolFactory;
use sp_consensus_aura::{SlotDuration, sr25519::AuthorityPair as AuraPair};
use std::sync::Arc;
use substrate_prometheus_endpoint::Registry;

/// Share of a slot in which a block is built. The other half is for the way to the next author, who
/// has to execute the same transactions before the next slot begins.
const PROPOSAL_SLOT_PORTION: f32 = 0.5;

/// What both tasks need of a running node.
pub struct Tasks<'node> {
	/// Runs them, and ends the node with them.
	pub task_manager: &'node TaskManager,
	/// The keys that they sign with.
	pub keystore: &'node KeystoreContainer,
	/// Where transactions wait.
	pub transaction_pool: Arc<FullPool>,
	/// How far the node is behind the chain.
	pub sync_service: Arc<SyncingService<Block>>,
	/// Where they count, if the operator wants metrics.
	pub prometheus_registry: Option<Registry>,
	/// Telemetry, if the operator wants any.
	pub telemetry: Option<TelemetryHandle>,
}

/// What the voter needs besides.
pub struct Finality {
	/// Whether the node votes.
	pub role: Role,
	/// What the node calls itself in logs and metrics.
	pub name: String,
	/// The name under which votes travel on this chain.
	pub protocol_name: ProtocolName,
	/// Connects the voter with the import of blocks.
	pub link: FinalityLink,
	/// The peers.
	pub network: Arc<dyn NetworkService>,
	/// The votes of the peers.
	pub notifications: Box<dyn NotificationService>,
	/// Where the voter tells how the current round stands.
	pub voter_state: SharedVoterState,
}

impl Tasks<'_> {
	/// Starts making blocks, for a validator. With `force_authoring` it does so without peers, too.
	pub fn start_authoring(
		&self,
		client: Arc<FullClient>,
		select_chain: FullSelectChain,
		block_import: FinalityImport,
		slot_duration: SlotDuration,
		force_authoring: bool,
	) -> Result<(), ServiceError> {
		let proposer_factory = sc_basic_authorship::ProposerFactory::new(
			self.task_manager.spawn_handle(),
			client.clone(),
			self.transaction_pool.clone(),
			self.prometheus_registry.as_ref(),
			self.telemetry.clone(),
		);
		let aura = sc_consensus_aura::start_aura::<AuraPair, _, _, _, _, _, _, _, _, _, _>(
			StartAuraParams {
				slot_duration,
				client,
				select_chain,
				block_import,
				proposer_factory,
				sync_oracle: self.sync_service.clone(),
				justification_sync_link: self.sync_service.clone(),
				create_inherent_data_providers: move |_, ()| async move {
					Ok(inherents_now(slot_duration))
				},
				force_authoring,
				backoff_authoring_blocks: None::<()>,
				keystore: self.keystore.keystore(),
				block_proposal_slot_portion: SlotProportion::new(PROPOSAL_SLOT_PORTION),
				max_block_proposal_slot_portion: None,
				telemetry: self.telemetry.clone(),
				compatibility_mode: Default::default(),
			},
		)?;
		// A validator that can no longer make blocks is better stopped than silent.
		self.task_manager.spawn_essential_handle().spawn_blocking(
			"aura",
			Some("block-authoring"),
			aura,
		);
		Ok(())
	}

	/// Starts following the finality votes, and casting them if the node is a validator.
	pub fn start_finality(
		&self,
		finality: Finality,
		options: &NodeOptions,
	) -> Result<(), ServiceError> {
		let mut voting_rules = VotingRulesBuilder::new();
		if options.grandpa_voting_lag > 0 {
			voting_rules = voting_rules.add(BeforeBestBlockBy(options.grandpa_voting_lag));
		}
		let Finality { role, name, protocol_name, link, network, notifications, voter_state } =
			finality;
		let grandpa =
			sc_consensus_grandpa::run_grandpa_voter(sc_consensus_grandpa::GrandpaParams {
				config: sc_consensus_grandpa::Config {
					gossip_duration: options.grandpa_gossip(),
					justification_generation_period: GRANDPA_JUSTIFICATION_PERIOD,
					name: Some(name),
					observer_enabled: false,
					keystore: role.is_authority().then(|| self.keystore.keystore()),
					local_role: role,
					telemetry: self.telemetry.clone(),
					protocol_name,
				},
				link,
				network,
				sync: Arc::new(self.sync_service.clone()),
				notification_service: notifications,
				voting_rule: voting_rules.build(),
				prometheus_registry: self.prometheus_registry.clone(),
				shared_voter_state: voter_state,
				telemetry: self.telemetry.clone(),
				offchain_tx_pool_factory: OffchainTransactionPoolFactory::new(
					self.transaction_pool.clone(),
				),
			})?;
		self.task_manager
			.spawn_essential_handle()
			.spawn_blocking("grandpa-voter", None, grandpa);
		Ok(())
	}
}
