// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Assembles a node from its parts.

use crate::{
	cli::NodeOptions,
	consensus::{Finality, Tasks},
	metrics::Metrics,
	rpc::{self, Dpki, Finality as ProvenFinality, GrandpaDeps},
	validator_metrics::ValidatorMetrics,
};
use dpki_runtime::{Hash, apis::RuntimeApi, opaque::Block};
use futures::FutureExt;
use sc_client_api::{Backend, BlockBackend};
use sc_consensus_aura::ImportQueueParams;
use sc_consensus_grandpa::{FinalityProofProvider, SharedVoterState, warp_proof::NetworkProvider};
use sc_executor::{DEFAULT_HEAP_ALLOC_STRATEGY, HeapAllocStrategy, WasmExecutor};
use sc_network::NetworkBackend;
use sc_service::{
	Configuration, PartialComponents, TaskManager, WarpSyncConfig, config::ExecutorConfiguration,
	error::Error as ServiceError,
};
use sc_telemetry::{Telemetry, TelemetryWorker};
use sc_transaction_pool::TransactionPoolHandle;
use sc_transaction_pool_api::OffchainTransactionPoolFactory;
use sp_consensus_aura::{
	SlotDuration, inherents::InherentDataProvider as SlotProvider,
	sr25519::AuthorityPair as AuraPair,
};
use sp_timestamp::InherentDataProvider as TimestampProvider;
use std::{path::Path, sync::Arc};
use tokio::sync::watch;

/// What the runtime may import: Substrate's functions and [those of the project](dpki_crypto::host).
pub type HostFunctions = (sp_io::SubstrateHostFunctions, dpki_crypto::host::HostFunctions);
/// The chain's client.
pub type FullClient = sc_service::TFullClient<Block, RuntimeApi, WasmExecutor<HostFunctions>>;
/// The chain's database.
pub type FullBackend = sc_service::TFullBackend<Block>;
/// The rule by which one of several forks is the best: the longest.
pub type FullSelectChain = sc_consensus::LongestChain<FullBackend, Block>;
/// The pool of transactions.
pub type FullPool = TransactionPoolHandle<Block, FullClient>;
/// Imports blocks and tracks their finality.
pub type FinalityImport =
	sc_consensus_grandpa::GrandpaBlockImport<FullBackend, Block, FullClient, FullSelectChain>;
/// Connects [`FinalityImport`] with the voter.
pub type FinalityLink = sc_consensus_grandpa::LinkHalf<Block, FullClient, FullSelectChain>;

/// Blocks between two stored justifications, by which peers prove finality to each other while they
/// synchronise; storing each would cost more disk than the blocks themselves. The one of the newest
/// finalised block is kept besides, and is what bundles are made of.
pub const GRANDPA_JUSTIFICATION_PERIOD: u32 = 16;

/// Where compiled runtimes are kept, below the base path: several chains may have the same runtime.
const RUNTIME_CACHE: &str = "runtime-cache";

/// What is particular to this node among its [`Components`].
pub struct Consensus {
	/// Imports blocks and tracks their finality.
	block_import: FinalityImport,
	/// Connects the import with the voter.
	link: FinalityLink,
	/// Length of a slot, as the genesis has it.
	slot_duration: SlotDuration,
	/// Telemetry, if the operator wants any.
	telemetry: Option<Telemetry>,
}

/// The parts of a node that commands need without a network.
pub type Components = PartialComponents<
	FullClient,
	FullBackend,
	FullSelectChain,
	sc_consensus::DefaultImportQueue<Block>,
	FullPool,
	Consensus,
>;

/// What executes the runtime, as Substrate would make it, but that what it has compiled is kept in this folder: compiling is
/// nearly all of what a start takes.
fn new_executor(
	config: &ExecutorConfiguration,
	runtime_cache: &Path,
) -> WasmExecutor<HostFunctions> {
	let heap = config.default_heap_pages.map_or(DEFAULT_HEAP_ALLOC_STRATEGY, |pages| {
		HeapAllocStrategy::Static { extra_pages: u32::try_from(pages).unwrap_or(u32::MAX) }
	});
	WasmExecutor::builder()
		.with_execution_method(config.wasm_method)
		.with_onchain_heap_alloc_strategy(heap)
		.with_offchain_heap_alloc_strategy(heap)
		.with_max_runtime_instances(config.max_runtime_instances)
		.with_runtime_cache_size(config.runtime_cache_size)
		.with_cache_path(runtime_cache)
		.build()
}

/// Opens the database and builds what does not need a network. Compiled runtimes are kept in `runtime_cache`, or in a folder
/// [of their own](RUNTIME_CACHE) below the base path.
pub fn new_partial(
	config: &Configuration,
	runtime_cache: Option<&Path>,
) -> Result<Components, ServiceError> {
	let default_cache = config.base_path.path().join(RUNTIME_CACHE);
	let runtime_cache = runtime_cache.unwrap_or(&default_cache);
	let telemetry = config
		.telemetry_endpoints
		.clone()
		.filter(|endpoints| !endpoints.is_empty())
		.map(|endpoints| -> Result<_, sc_telemetry::Error> {
			let worker = TelemetryWorker::new(16)?;
			let telemetry = worker.handle().new_telemetry(endpoints);
			Ok((worker, telemetry))
		})
		.transpose()?;

	let executor = new_executor(&config.executor, runtime_cache);
	let (client, backend, keystore_container, task_manager) =
		sc_service::new_full_parts::<Block, RuntimeApi, _>(
			config,
			telemetry.as_ref().map(|(_, telemetry)| telemetry.handle()),
			executor,
			Vec::new(),
		)?;
	let client = Arc::new(client);

	let telemetry = telemetry.map(|(worker, telemetry)| {
		task_manager.spawn_handle().spawn("telemetry", None, worker.run());
		telemetry
	});

	let select_chain = sc_consensus::LongestChain::new(backend.clone());

	let transaction_pool = Arc::from(
		sc_transaction_pool::Builder::new(
			task_manager.spawn_essential_handle(),
			client.clone(),
			config.role.is_authority().into(),
		)
		.with_options(config.transaction_pool.clone())
		.with_prometheus(config.prometheus_registry())
		.build(),
	);

	let (block_import, link) = sc_consensus_grandpa::block_import(
		client.clone(),
		GRANDPA_JUSTIFICATION_PERIOD,
		&client,
		select_chain.clone(),
		telemetry.as_ref().map(Telemetry::handle),
	)?;

	// Fixed by the genesis, so it is enough to ask once.
	let slot_duration = sc_consensus_aura::slot_duration(&*client)?;
	let import_queue =
		sc_consensus_aura::import_queue::<AuraPair, _, _, _, _, _>(ImportQueueParams {
			block_import: block_import.clone(),
			justification_import: Some(Box::new(block_import.clone())),
			client: client.clone(),
			create_inherent_data_providers: move |_, ()| async move { Ok(inherents_now(slot_duration)) },
			spawner: &task_manager.spawn_essential_handle(),
			registry: config.prometheus_registry(),
			check_for_equivocation: Default::default(),
			telemetry: telemetry.as_ref().map(Telemetry::handle),
			compatibility_mode: Default::default(),
		})?;

	Ok(PartialComponents {
		client,
		backend,
		task_manager,
		import_queue,
		keystore_container,
		select_chain,
		transaction_pool,
		other: Consensus { block_import, link, slot_duration, telemetry },
	})
}

/// The data that every block carries: its slot and its time.
pub fn inherents_now(slot_duration: SlotDuration) -> (SlotProvider, TimestampProvider) {
	let timestamp = TimestampProvider::from_system_time();
	let slot = SlotProvider::from_timestamp_and_slot_duration(*timestamp, slot_duration);
	(slot, timestamp)
}

/// Starts a node on network backend `N`.
pub fn new_full<N: NetworkBackend<Block, Hash>>(
	config: Configuration,
	options: &NodeOptions,
) -> Result<TaskManager, ServiceError> {
	let PartialComponents {
		client,
		backend,
		mut task_manager,
		import_queue,
		keystore_container,
		select_chain,
		transaction_pool,
		other: Consensus { block_import, link, slot_duration, mut telemetry },
	} = new_partial(&config, options.runtime_cache.as_deref())?;

	let mut net_config = sc_network::config::FullNetworkConfiguration::<_, _, N>::new(
		&config.network,
		config.prometheus_registry().cloned(),
	);
	let metrics = N::register_notification_metrics(config.prometheus_registry());
	let genesis = client.block_hash(0)?.expect("a chain has a genesis block; qed");
	let grandpa_protocol =
		sc_consensus_grandpa::protocol_standard_name(&genesis, &config.chain_spec);
	let (grandpa_config, grandpa_notifications) =
		sc_consensus_grandpa::grandpa_peers_set_config::<_, N>(
			grandpa_protocol.clone(),
			metrics.clone(),
			net_config.peer_store_handle(),
		);
	net_config.add_notification_protocol(grandpa_config);

	let warp_sync = Arc::new(NetworkProvider::new(
		backend.clone(),
		link.shared_authority_set().clone(),
		Vec::new(),
	));

	let (network, system_rpc_tx, tx_handler_controller, sync_service, _bitswap) =
		sc_service::build_network(sc_service::BuildNetworkParams {
			config: &config,
			net_config,
			client: client.clone(),
			transaction_pool: transaction_pool.clone(),
			spawn_handle: task_manager.spawn_handle(),
			spawn_essential_handle: task_manager.spawn_essential_handle(),
			import_queue,
			block_announce_validator_builder: None,
			warp_sync_config: Some(WarpSyncConfig::WithProvider(warp_sync)),
			block_relay: None,
			metrics,
			gap_sync_body_policy: None,
		})?;

	if config.offchain_worker.enabled {
		let workers = sc_offchain::OffchainWorkers::new(sc_offchain::OffchainWorkerOptions {
			runtime_api_provider: client.clone(),
			is_validator: config.role.is_authority(),
			keystore: Some(keystore_container.keystore()),
			offchain_db: backend.offchain_storage(),
			transaction_pool: Some(OffchainTransactionPoolFactory::new(transaction_pool.clone())),
			network_provider: Arc::new(network.clone()),
			enable_http_requests: true,
			custom_extensions: |_| Vec::new(),
		})?;
		task_manager.spawn_handle().spawn(
			"offchain-workers-runner",
			"offchain-worker",
			workers.run(client.clone(), task_manager.spawn_handle()).boxed(),
		);
	}

	let role = config.role;
	let name = config.network.node_name.clone();
	let force_authoring = config.force_authoring;
	let enable_grandpa = !config.disable_grandpa;
	let prometheus_registry = config.prometheus_registry().cloned();
	let voter_state = SharedVoterState::empty();
	if let Some(registry) = &prometheus_registry {
		let metrics = ValidatorMetrics::new(registry)?;
		task_manager.spawn_handle().spawn(
			"dpki-validator-metrics",
			None,
			metrics.follow(client.clone()),
		);
	}

	let rpc_builder = {
		let client = client.clone();
		let pool = transaction_pool.clone();
		let voter_state = voter_state.clone();
		let justifications = link.justification_stream();
		let authority_set = link.shared_authority_set().clone();
		let proofs =
			FinalityProofProvider::new_for_service(backend.clone(), Some(authority_set.clone()));
		let finality = ProvenFinality::new(
			backend.clone(),
			authority_set.clone(),
			config.chain_spec.cloned_box(),
		);
		let (tell_finalized, finalized) = watch::channel(0);
		task_manager.spawn_handle().spawn(
			"dpki-rpc-finality",
			Some("rpc"),
			rpc::track_finality(client.clone(), tell_finalized),
		);
		let dpki = Dpki::new(
			client.clone(),
			backend.clone(),
			finality,
			finalized,
			prometheus_registry.as_ref(),
		)?;

		Box::new(move |executor| {
			let grandpa = GrandpaDeps {
				authority_set: authority_set.clone(),
				voter_state: voter_state.clone(),
				justifications: justifications.clone(),
				proofs: proofs.clone(),
			};
			rpc::create(client.clone(), pool.clone(), grandpa, dpki.clone(), executor)
				.map_err(Into::into)
		})
	};

	if let Some(registry) = &prometheus_registry {
		let slot = slot_duration.as_duration();
		let metrics = Metrics::register(client.clone(), backend.clone(), slot, registry)?;
		// Blocking, because it reads the database for longer than a task that shares its thread should.
		task_manager.spawn_handle().spawn_blocking("dpki-metrics", None, metrics.run());
	}

	sc_service::spawn_tasks(sc_service::SpawnTasksParams {
		network: Arc::new(network.clone()),
		client: client.clone(),
		keystore: keystore_container.keystore(),
		task_manager: &mut task_manager,
		transaction_pool: transaction_pool.clone(),
		rpc_builder,
		backend,
		system_rpc_tx,
		tx_handler_controller,
		sync_service: sync_service.clone(),
		config,
		telemetry: telemetry.as_mut(),
		tracing_execute_block: None,
	})?;

	let tasks = Tasks {
		task_manager: &task_manager,
		keystore: &keystore_container,
		transaction_pool,
		sync_service,
		prometheus_registry,
		telemetry: telemetry.as_ref().map(Telemetry::handle),
	};
	if role.is_authority() {
		tasks.start_authoring(
			client,
			select_chain,
			block_import,
			slot_duration,
			force_authoring,
		)?;
	}
	if enable_grandpa {
		let finality = Finality {
			role,
			name,
			protocol_name: grandpa_protocol,
			link,
			network,
			notifications: grandpa_notifications,
			voter_state,
		};
		tasks.start_finality(finality, options)?;
	}

	Ok(task_manager)
}
