// SPDX-License-Identifier: Apache-2.0

//! What nodes and clients may ask the runtime.

use crate::{
	AccountId, Aura, Balance, Block, Dpki, Economy, Executive, Fleets, Grandpa, InherentDataExt,
	Motions, Nonce, Runtime, RuntimeCall, RuntimeGenesisConfig, SessionKeys, System,
	TransactionPayment, VERSION,
	dpki_api::{
		EconomyAnswer, Located, MemberAnswer, MotionAnswer, MotionPage, OrganisationAnswer,
		Verdict,
		certificates::{
			self, ApplicationAnswer, AssessmentAnswer, CertificateAnswer, CertificateTerms,
			SubjectAnswer,
		},
		lists::{
			self, ListedAnchor, ListedCertificate, ListedDevice, ListedFleet, ListedKey, Listing,
		},
	},
	genesis_config_presets,
};
use alloc::vec::Vec;
use dpki_primitives::{
	Moment,
	anchor::{AnchorRecord, ChainVerdict, Profile},
	assurance::{Accreditation, Endorsements},
	certificate::{Holder, Office},
	channel::{ChannelId, ChannelSet},
	delivery::{Acknowledgement, DeliveryRecord},
	device::DeviceRecord,
	economy::Allowance,
	filing::{Filing, FilingPlace},
	fleet::{FleetRecord, MembershipProof},
	ids::{
		AnchorId, ApplicationId, CertificateId, DeviceId, FleetId, KeyId, OrganisationId,
		RequestId, SubjectId, VoucherId,
	},
	key::KeyRecord,
	motion::{CallBounds, MotionId, MotionStanding, motions_on_page},
	request::KeyRequest,
	status::Status,
	storage_keys,
	voucher::VoucherRecord,
};
use frame_support::{
	genesis_builder_helper::{build_state, get_preset},
	traits::KeyOwnerProofSystem,
	weights::Weight,
};
use pallet_transaction_payment_rpc_runtime_api::{FeeDetails, RuntimeDispatchInfo};
use sp_api::impl_runtime_apis;
use sp_consensus_aura::sr25519::AuthorityId as AuraId;
use sp_consensus_grandpa::AuthorityId as GrandpaId;
use sp_core::{OpaqueMetadata, crypto::KeyTypeId};
use sp_inherents::{CheckInherentsResult, InherentData};
use sp_runtime::{
	ApplyExtrinsicResult, ExtrinsicInclusionMode,
	traits::{Block as BlockT, NumberFor},
	transaction_validity::{TransactionSource, TransactionValidity},
};
use sp_session::OpaqueGeneratedSessionKeys;
use sp_version::RuntimeVersion;

impl_runtime_apis! {
	impl sp_api::Core<Block> for Runtime {
		fn version() -> RuntimeVersion {
			VERSION
		}

		fn execute_block(block: <Block as BlockT>::LazyBlock) {
			Executive::execute_block(block);
		}

		fn initialize_block(header: &<Block as BlockT>::Header) -> ExtrinsicInclusionMode {
			Executive::initialize_block(header)
		}
	}

	impl sp_api::Metadata<Block> for Runtime {
		fn metadata() -> OpaqueMetadata {
			OpaqueMetadata::new(Runtime::metadata().into())
		}

		fn metadata_at_version(version: u32) -> Option<OpaqueMetadata> {
			Runtime::metadata_at_version(version)
		}

		fn metadata_versions() -> Vec<u32> {
			Runtime::metadata_versions()
		}
	}

	impl frame_support::view_functions::runtime_api::RuntimeViewFunction<Block> for Runtime {
		fn execute_view_function(
			id: frame_support::view_functions::ViewFunctionId,
			input: Vec<u8>,
		) -> Result<Vec<u8>, frame_support::view_functions::ViewFunctionDispatchError> {
			Runtime::execute_view_function(id, input)
		}
	}

	impl crate::dpki_api::DpkiApi<Block> for Runtime {
		fn organisation(id: OrganisationId) -> OrganisationAnswer {
			OrganisationAnswer {
				organisation: Located {
					record: pallet_organisations::Organisations::<Runtime>::get(id),
					storage_key: storage_keys::organisation(id),
				},
				recovery: Located {
					record: pallet_organisations::Recoveries::<Runtime>::get(id),
					storage_key: storage_keys::recovery(id),
				},
			}
		}

		fn member(organisation: OrganisationId, account: AccountId) -> MemberAnswer {
			MemberAnswer {
				roles: Located {
					record: pallet_organisations::Members::<Runtime>::get(organisation, &account),
					storage_key: storage_keys::member(organisation, account.as_ref()),
				},
				hand_over: Located {
					record: pallet_organisations::HandOvers::<Runtime>::get(organisation, &account),
					storage_key: storage_keys::hand_over(organisation, account.as_ref()),
				},
			}
		}

		fn motion(id: MotionId) -> MotionAnswer {
			let bounds = Motions::call_bounds(id).map(|(length, weight)| CallBounds {
				length,
				ref_time: weight.ref_time(),
				proof_size: weight.proof_size(),
			});
			MotionAnswer {
				motion: Located {
					record: pallet_motions::Motions::<Runtime>::get(id),
					storage_key: storage_keys::motion(id),
				},
				call: Located {
					record: pallet_motions::Calls::<Runtime>::get(id).map(Into::into),
					storage_key: storage_keys::motion_call(id),
				},
				standing: MotionStanding { tally: Motions::current_tally(id), bounds },
			}
		}

		fn motions(page: u32) -> MotionPage {
			let count = pallet_motions::NextMotion::<Runtime>::try_get().ok();
			let located = |id| {
				let record = pallet_motions::Motions::<Runtime>::get(id);
				(id, Located { record, storage_key: storage_keys::motion(id) })
			};
			MotionPage {
				motions: motions_on_page(count.unwrap_or_default(), page).map(located).collect(),
				count: Located { record: count, storage_key: storage_keys::next_motion() },
			}
		}

		fn anchor(id: AnchorId) -> Verdict<AnchorRecord> {
			Verdict {
				record: Dpki::anchor(id),
				status: Dpki::anchor_status(id),
				storage_key: storage_keys::anchor(id),
			}
		}

		fn check_certificate(
			anchor: AnchorId,
			chain: Vec<Vec<u8>>,
			profile: Profile,
		) -> ChainVerdict {
			// Light clients ask this too, and have no host functions of ours.
			dpki_crypto::host::without_host(|| Dpki::check_certificate(anchor, &chain, profile))
		}

		fn anchors_of(organisation: OrganisationId) -> Listing<ListedAnchor> {
			lists::anchors_of(organisation)
		}

		fn anchors_ending(organisation: OrganisationId, until: Moment) -> Listing<ListedAnchor> {
			lists::anchors_ending(organisation, until)
		}

		fn children_of(anchor: AnchorId, start: u32) -> Listing<ListedAnchor> {
			lists::children_of(anchor, start)
		}

		fn devices_of(organisation: OrganisationId, start: u32) -> Listing<ListedDevice> {
			lists::devices_of(organisation, start)
		}

		fn device(id: DeviceId) -> Verdict<DeviceRecord> {
			Verdict {
				record: Dpki::device(id),
				status: Dpki::device_status(id),
				storage_key: storage_keys::device(id),
			}
		}

		fn key(id: KeyId) -> Verdict<KeyRecord> {
			Verdict {
				record: Dpki::key(id),
				status: Dpki::key_status(id),
				storage_key: storage_keys::key(id),
			}
		}

		fn keys_of(device: DeviceId) -> Listing<ListedKey> {
			lists::keys_of(device)
		}

		fn keys_ending(device: DeviceId, until: Moment) -> Listing<ListedKey> {
			lists::keys_ending(device, until)
		}

		fn requests_to(organisation: OrganisationId) -> Listing<(RequestId, Located<KeyRequest>)> {
			lists::requests_to(organisation)
		}

		fn filings_for(
			organisation: OrganisationId,
			start: u32,
		) -> Listing<(FilingPlace, Located<Filing>)> {
			lists::filings_for(organisation, start)
		}

		fn filing(device: DeviceId, slot: u8) -> Located<Filing> {
			lists::filing((device, slot))
		}

		fn voucher(id: VoucherId) -> Located<VoucherRecord> {
			Located { record: Dpki::voucher(id), storage_key: storage_keys::voucher(id) }
		}

		fn channels(device: DeviceId) -> Located<ChannelSet> {
			Located {
				record: pallet_deliveries::Channels::<Runtime>::try_get(device).ok(),
				storage_key: storage_keys::channels(device),
			}
		}

		fn delivery(device: DeviceId, channel: ChannelId) -> Located<DeliveryRecord> {
			Located {
				record: pallet_deliveries::Deliveries::<Runtime>::get(device, channel),
				storage_key: storage_keys::delivery(device, channel),
			}
		}

		fn acknowledgement(device: DeviceId, channel: ChannelId) -> Located<Acknowledgement> {
			Located {
				record: pallet_deliveries::Acknowledgements::<Runtime>::get(device, channel),
				storage_key: storage_keys::acknowledgement(device, channel),
			}
		}

		fn economy() -> EconomyAnswer {
			EconomyAnswer {
				feeless: pallet_economy::Feeless::<Runtime>::get(),
				fees: Economy::tariff(),
				deposits: Economy::deposit_schedule(),
				quotas: pallet_economy::Policies::<Runtime>::get(),
			}
		}

		fn quota(account: AccountId) -> Option<Allowance> {
			Economy::allowance(&account)
		}

		fn fleet(id: FleetId) -> Verdict<FleetRecord> {
			Verdict {
				record: Fleets::fleet(id),
				status: Fleets::fleet_status(id),
				storage_key: storage_keys::fleet(id),
			}
		}

		fn fleets_of(organisation: OrganisationId, start: u32) -> Listing<ListedFleet> {
			lists::fleets_of(organisation, start)
		}

		fn fleet_member(proof: MembershipProof) -> Status {
			Fleets::member_status(&proof)
		}

		fn certificate(id: CertificateId) -> CertificateAnswer {
			certificates::certificate(id)
		}

		fn assessment(id: CertificateId) -> AssessmentAnswer {
			certificates::assessment(id)
		}

		fn endorsements(id: CertificateId) -> Located<Endorsements> {
			Located {
				record: pallet_certificates::Endorsements::<Runtime>::try_get(id).ok(),
				storage_key: storage_keys::endorsements(id),
			}
		}

		fn application(id: ApplicationId) -> ApplicationAnswer {
			certificates::application(id)
		}

		fn application_nonce(account: AccountId) -> u64 {
			pallet_certificates::ApplicationNonce::<Runtime>::get(account)
		}

		fn subject(id: SubjectId) -> SubjectAnswer {
			certificates::subject(id)
		}

		fn certificates_of(holder: Holder, start: u32) -> Listing<ListedCertificate> {
			lists::certificates_of(holder, start)
		}

		fn certificates_about(subject: SubjectId, start: u32) -> Listing<ListedCertificate> {
			lists::certificates_about(subject, start)
		}

		fn certificates_ending_on(day: u32, start: u32) -> Listing<ListedCertificate> {
			lists::certificates_ending_on(day, start)
		}

		fn accreditation(office: Office, account: AccountId) -> Located<Accreditation> {
			certificates::accreditation(office, &account)
		}

		fn accredited(office: Office, start: u32) -> Listing<(AccountId, Located<Accreditation>)> {
			lists::accredited(office, start)
		}

		fn pending_observations(observer: AccountId, start: u32) -> Listing<ApplicationId> {
			lists::pending_observations(observer, start)
		}

		fn pending_reveals(observer: AccountId, start: u32) -> Listing<ApplicationId> {
			lists::pending_reveals(observer, start)
		}

		fn pending_endorsements(endorser: AccountId, start: u32) -> Listing<CertificateId> {
			lists::pending_endorsements(endorser, start)
		}

		fn certificate_terms() -> CertificateTerms {
			certificates::terms()
		}
	}

	impl sp_block_builder::BlockBuilder<Block> for Runtime {
		fn apply_extrinsic(extrinsic: <Block as BlockT>::Extrinsic) -> ApplyExtrinsicResult {
			Executive::apply_extrinsic(extrinsic)
		}

		fn finalize_block() -> <Block as BlockT>::Header {
			Executive::finalize_block()
		}

		fn inherent_extrinsics(data: InherentData) -> Vec<<Block as BlockT>::Extrinsic> {
			data.create_extrinsics()
		}

		fn check_inherents(
			block: <Block as BlockT>::LazyBlock,
			data: InherentData,
		) -> CheckInherentsResult {
			data.check_extrinsics(&block)
		}
	}

	impl sp_transaction_pool::runtime_api::TaggedTransactionQueue<Block> for Runtime {
		fn validate_transaction(
			source: TransactionSource,
			tx: <Block as BlockT>::Extrinsic,
			block_hash: <Block as BlockT>::Hash,
		) -> TransactionValidity {
			// Light clients run this before they send a transaction, and have no host functions of ours.
			dpki_crypto::host::without_host(|| {
				Executive::validate_transaction(source, tx, block_hash)
			})
		}
	}

	impl sp_offchain::OffchainWorkerApi<Block> for Runtime {
		fn offchain_worker(header: &<Block as BlockT>::Header) {
			Executive::offchain_worker(header)
		}
	}

	impl sp_session::SessionKeys<Block> for Runtime {
		fn generate_session_keys(
			owner: Vec<u8>,
			seed: Option<Vec<u8>>,
		) -> OpaqueGeneratedSessionKeys {
			SessionKeys::generate(&owner, seed).into()
		}

		fn decode_session_keys(encoded: Vec<u8>) -> Option<Vec<(Vec<u8>, KeyTypeId)>> {
			SessionKeys::decode_into_raw_public_keys(&encoded)
		}
	}

	impl sp_consensus_aura::AuraApi<Block, AuraId> for Runtime {
		fn slot_duration() -> sp_consensus_aura::SlotDuration {
			sp_consensus_aura::SlotDuration::from_millis(Aura::slot_duration())
		}

		fn authorities() -> Vec<AuraId> {
			pallet_aura::Authorities::<Runtime>::get().into_inner()
		}
	}

	impl sp_consensus_grandpa::GrandpaApi<Block> for Runtime {
		fn grandpa_authorities() -> sp_consensus_grandpa::AuthorityList {
			Grandpa::grandpa_authorities()
		}

		fn current_set_id() -> sp_consensus_grandpa::SetId {
			pallet_grandpa::CurrentSetId::<Runtime>::get()
		}

		fn submit_report_equivocation_unsigned_extrinsic(
			equivocation_proof: sp_consensus_grandpa::EquivocationProof<
				<Block as BlockT>::Hash,
				NumberFor<Block>,
			>,
			key_owner_proof: sp_consensus_grandpa::OpaqueKeyOwnershipProof,
		) -> Option<()> {
			let key_owner_proof = key_owner_proof.decode()?;
			Grandpa::submit_unsigned_equivocation_report(equivocation_proof, key_owner_proof)
		}

		fn generate_key_ownership_proof(
			_set_id: sp_consensus_grandpa::SetId,
			authority_id: GrandpaId,
		) -> Option<sp_consensus_grandpa::OpaqueKeyOwnershipProof> {
			use codec::Encode;

			pallet_validator_set::ServedKeys::<Runtime>::prove((
				sp_consensus_grandpa::KEY_TYPE,
				authority_id,
			))
				.map(|proof| sp_consensus_grandpa::OpaqueKeyOwnershipProof::new(proof.encode()))
		}
	}

	impl frame_system_rpc_runtime_api::AccountNonceApi<Block, AccountId, Nonce> for Runtime {
		fn account_nonce(account: AccountId) -> Nonce {
			System::account_nonce(account)
		}
	}

	impl pallet_transaction_payment_rpc_runtime_api::TransactionPaymentApi<Block, Balance>
		for Runtime
	{
		fn query_info(
			uxt: <Block as BlockT>::Extrinsic,
			len: u32,
		) -> RuntimeDispatchInfo<Balance> {
			TransactionPayment::query_info(uxt, len)
		}

		fn query_fee_details(uxt: <Block as BlockT>::Extrinsic, len: u32) -> FeeDetails<Balance> {
			TransactionPayment::query_fee_details(uxt, len)
		}

		fn query_weight_to_fee(weight: Weight) -> Balance {
			TransactionPayment::weight_to_fee(weight)
		}

		fn query_length_to_fee(length: u32) -> Balance {
			TransactionPayment::length_to_fee(length)
		}
	}

	impl pallet_transaction_payment_rpc_runtime_api::TransactionPaymentCallApi<
		Block,
		Balance,
		RuntimeCall,
	> for Runtime
	{
		fn query_call_info(call: RuntimeCall, len: u32) -> RuntimeDispatchInfo<Balance> {
			TransactionPayment::query_call_info(call, len)
		}

		fn query_call_fee_details(call: RuntimeCall, len: u32) -> FeeDetails<Balance> {
			TransactionPayment::query_call_fee_details(call, len)
		}

		fn query_weight_to_fee(weight: Weight) -> Balance {
			TransactionPayment::weight_to_fee(weight)
		}

		fn query_length_to_fee(length: u32) -> Balance {
			TransactionPayment::length_to_fee(length)
		}
	}

	impl sp_genesis_builder::GenesisBuilder<Block> for Runtime {
		fn build_state(config: Vec<u8>) -> sp_genesis_builder::Result {
			build_state::<RuntimeGenesisConfig>(config)
		}

		fn get_preset(id: &Option<sp_genesis_builder::PresetId>) -> Option<Vec<u8>> {
			get_preset::<RuntimeGenesisConfig>(id, genesis_config_presets::get_preset)
		}

		fn preset_names() -> Vec<sp_genesis_builder::PresetId> {
			genesis_config_presets::preset_names()
		}
	}

	#[cfg(feature = "runtime-benchmarks")]
	impl frame_benchmarking::Benchmark<Block> for Runtime {
		fn benchmark_metadata(
			extra: bool,
		) -> (
			Vec<frame_benchmarking::BenchmarkList>,
			Vec<frame_support::traits::StorageInfo>,
		) {
			use crate::*;
			use crate::membership_benchmarks::Pallet as MembershipBench;
			use crate::session_benchmarks::Pallet as SessionBench;
			use dpki_crypto::benchmarking::Pallet as CryptoBench;
			use frame_benchmarking::{BenchmarkList, baseline::Pallet as BaselineBench};
			use frame_support::traits::StorageInfoTrait;
			use frame_system_benchmarking::{
				Pallet as SystemBench, extensions::Pallet as SystemExtensionsBench,
			};

			let mut list = Vec::<BenchmarkList>::new();
			list_benchmarks!(list, extra);
			(list, AllPalletsWithSystem::storage_info())
		}

		#[allow(non_local_definitions)]
		fn dispatch_benchmark(
			config: frame_benchmarking::BenchmarkConfig,
		) -> Result<Vec<frame_benchmarking::BenchmarkBatch>, alloc::string::String> {
			use crate::*;
			use crate::membership_benchmarks::Pallet as MembershipBench;
			use crate::session_benchmarks::Pallet as SessionBench;
			use dpki_crypto::benchmarking::Pallet as CryptoBench;
			use frame_benchmarking::{BenchmarkBatch, baseline::Pallet as BaselineBench};
			use frame_support::traits::{TrackedStorageKey, WhitelistedStorageKeys};
			use frame_system_benchmarking::{
				Pallet as SystemBench, extensions::Pallet as SystemExtensionsBench,
			};

			impl frame_system_benchmarking::Config for Runtime {}
			impl frame_benchmarking::baseline::Config for Runtime {}

			let whitelist: Vec<TrackedStorageKey> =
				AllPalletsWithSystem::whitelisted_storage_keys();
			let mut batches = Vec::<BenchmarkBatch>::new();
			let params = (&config, &whitelist);
			add_benchmarks!(params, batches);
			Ok(batches)
		}
	}

	#[cfg(feature = "try-runtime")]
	impl frame_try_runtime::TryRuntime<Block> for Runtime {
		fn on_runtime_upgrade(
			checks: frame_try_runtime::UpgradeCheckSelect,
		) -> (Weight, Weight) {
			let weight = Executive::try_runtime_upgrade(checks)
				.expect("an upgrade that breaks the state must not be tried further");
			(weight, crate::configs::system::RuntimeBlockWeights::get().max_block)
		}

		fn execute_block(
			block: <Block as BlockT>::LazyBlock,
			state_root_check: bool,
			signature_check: bool,
			select: frame_try_runtime::TryStateSelect,
		) -> Weight {
			Executive::try_execute_block(block, state_root_check, signature_check, select)
				.expect("a block that does not execute must not be tried further")
		}
	}
}
