// SPDX-License-Identifier: Apache-2.0

//! Chains to test on, and transactions for them.

use codec::Encode;
use dpki_runtime::{
	AccountId, Balance, Executive, Header, Nonce, RuntimeCall, RuntimeGenesisConfig, RuntimeOrigin,
	Session, System, TxExtension, UncheckedExtrinsic, genesis_config_presets,
};
use frame_support::{
	assert_ok,
	genesis_builder_helper::{build_state, get_preset},
};
use pallet_transaction_payment::ChargeTransactionPayment;
use serde_json::Value;
use sp_consensus_aura::{AURA_ENGINE_ID, Slot};
use sp_genesis_builder::PresetId;
use sp_io::TestExternalities;
use sp_keyring::Sr25519Keyring;
use sp_runtime::{
	ApplyExtrinsicResult, Digest, DigestItem,
	generic::{Era, SignedPayload},
	traits::Header as _,
};

/// The slot of block 0, of one second.
const SLOT: u64 = 1_800_000_000;

/// The genesis configuration of a preset, as a node puts it together: defaults, overlaid by the
/// preset.
pub fn genesis_of(preset: &str) -> Value {
	genesis_with(preset_of(Some(preset.into())))
}

/// A genesis that is the default but for this.
pub fn genesis_with(patch: Value) -> Value {
	let mut genesis = preset_of(None);
	overlay(&mut genesis, patch);
	genesis
}

fn preset_of(preset: Option<PresetId>) -> Value {
	let bytes = get_preset::<RuntimeGenesisConfig>(&preset, genesis_config_presets::get_preset)
		.expect("the preset exists");
	serde_json::from_slice(&bytes).expect("a preset is JSON")
}

fn overlay(base: &mut Value, patch: Value) {
	match (base, patch) {
		(Value::Object(base), Value::Object(patch)) => {
			for (key, value) in patch {
				overlay(base.entry(key).or_insert(Value::Null), value);
			}
		},
		(base, patch) => *base = patch,
	}
}

/// The chain that `genesis` begins, at its first block.
pub fn chain_of(genesis: Value) -> TestExternalities {
	let mut chain = TestExternalities::new_empty();
	chain.execute_with(|| {
		build_state::<RuntimeGenesisConfig>(genesis.to_string().into_bytes())
			.expect("the genesis is valid");
		System::set_block_number(1);
	});
	chain
}

/// The chain that `preset` begins, at its first block.
pub fn chain(preset: &str) -> TestExternalities {
	chain_of(genesis_of(preset))
}

/// The account of a well-known name.
pub fn account(name: Sr25519Keyring) -> AccountId {
	name.to_account_id()
}

/// The origin of a call that this account signed.
pub fn origin(name: Sr25519Keyring) -> RuntimeOrigin {
	RuntimeOrigin::signed(account(name))
}

/// What a transaction carries beside its call.
pub fn extension(nonce: Nonce) -> TxExtension {
	extension_with_tip(nonce, 0)
}

/// What a transaction carries beside its call.
pub fn extension_with_tip(nonce: Nonce, tip: Balance) -> TxExtension {
	(
		frame_system::AuthorizeCall::new(),
		frame_system::CheckNonZeroSender::new(),
		frame_system::CheckSpecVersion::new(),
		frame_system::CheckTxVersion::new(),
		frame_system::CheckGenesis::new(),
		frame_system::CheckEra::from(Era::Immortal),
		frame_system::CheckNonce::from(nonce),
		frame_system::CheckWeight::new(),
		pallet_economy::Metered::from(ChargeTransactionPayment::from(tip)).into(),
		frame_metadata_hash_extension::CheckMetadataHash::new(false),
		pallet_deliveries::DirectBlob::new(),
		frame_system::WeightReclaim::new(),
	)
}

/// A transaction that this account signed.
pub fn signed(name: Sr25519Keyring, call: RuntimeCall) -> UncheckedExtrinsic {
	signed_with_tip(name, call, 0)
}

/// A transaction that this account signed, with a tip.
pub fn signed_with_tip(
	name: Sr25519Keyring,
	call: RuntimeCall,
	tip: Balance,
) -> UncheckedExtrinsic {
	let extension = extension_with_tip(System::account_nonce(account(name)), tip);
	let payload =
		SignedPayload::new(call.clone(), extension.clone()).expect("what it implies is known");
	let signature = payload.using_encoded(|bytes| name.sign(bytes));
	UncheckedExtrinsic::new_signed(call, account(name).into(), signature.into(), extension)
}

/// What a block does with a transaction.
pub fn apply(transaction: UncheckedExtrinsic) -> ApplyExtrinsicResult {
	Executive::apply_extrinsic(transaction)
}

/// Builds the next block, of these transactions, which are all carried out, and tells whose slot it has.
pub fn build_block(transactions: impl IntoIterator<Item = UncheckedExtrinsic>) -> AccountId {
	let number = System::block_number() + 1;
	let slot = SLOT + u64::from(number);
	let validators = Session::validators();
	let author = validators[(slot % validators.len() as u64) as usize].clone();
	let digest =
		Digest { logs: vec![DigestItem::PreRuntime(AURA_ENGINE_ID, Slot::from(slot).encode())] };
	let parent = System::parent_hash();
	let header = Header::new(number, Default::default(), Default::default(), parent, digest);
	Executive::initialize_block(&header);
	let now = pallet_timestamp::Call::set { now: slot * 1_000 }.into();
	assert_ok!(apply(UncheckedExtrinsic::new_bare(now)).expect("the time can be set"));
	for transaction in transactions {
		assert_ok!(apply(transaction).expect("it is applied"));
	}
	Executive::finalize_block();
	author
}
