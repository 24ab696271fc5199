// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! The chains that are built in.
//!
//! Specifications have no extensions of our own: light clients refuse fields that they do not know.

use dpki_runtime::{WASM_BINARY, genesis_config_presets::LOCAL_PRESET};
use sc_service::{ChainType, NoExtension, Properties};
use sp_genesis_builder::DEV_RUNTIME_PRESET;

/// Specification of a chain of this runtime, which builds its own genesis and for that needs the functions of the host.
pub type ChainSpec = sc_service::GenericChainSpec<NoExtension, dpki_crypto::host::HostFunctions>;

/// What wallets show. The runtime's build script binds symbol and decimals into the metadata hash.
fn properties() -> Properties {
	let mut properties = Properties::new();
	properties.insert("tokenSymbol".into(), "DPKI".into());
	properties.insert("tokenDecimals".into(), 12.into());
	properties.insert("ss58Format".into(), 42.into());
	properties
}

fn chain(name: &str, id: &str, kind: ChainType, preset: &str) -> Result<ChainSpec, String> {
	let code = WASM_BINARY.ok_or(
		"this binary was built without a runtime blob (SKIP_WASM_BUILD was set); build it again \
		 without, or pass the path of a chain specification",
	)?;
	Ok(ChainSpec::builder(code, None)
		.with_name(name)
		.with_id(id)
		.with_chain_type(kind)
		.with_properties(properties())
		.with_genesis_config_preset_name(preset)
		.build())
}

/// One validator on this machine, with an administrator's key.
pub fn development() -> Result<ChainSpec, String> {
	chain("DPKI development", "dpki_dev", ChainType::Development, DEV_RUNTIME_PRESET)
}

/// Four well-known validators who are also the council.
pub fn local() -> Result<ChainSpec, String> {
	chain("DPKI local consortium", "dpki_local", ChainType::Local, LOCAL_PRESET)
}
