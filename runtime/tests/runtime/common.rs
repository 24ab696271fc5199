// SPDX-License-Identifier: Apache-2.0

//! Chains to test on.

use dpki_runtime::{AccountId, RuntimeGenesisConfig, System, genesis_config_presets};
use frame_support::genesis_builder_helper::{build_state, get_preset};
use serde_json::Value;
use sp_genesis_builder::PresetId;
use sp_io::TestExternalities;
use sp_keyring::Sr25519Keyring;

/// The genesis configuration of a preset, as a node puts it together: defaults, overlaid by the
/// preset.
pub fn genesis_of(preset: &str) -> Value {
	let json = |name: Option<PresetId>| -> Value {
		let bytes = get_preset::<RuntimeGenesisConfig>(&name, genesis_config_presets::get_preset)
			.expect("the preset exists");
		serde_json::from_slice(&bytes).expect("a preset is JSON")
	};
	let mut genesis = json(None);
	overlay(&mut genesis, json(Some(preset.into())));
	genesis
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
