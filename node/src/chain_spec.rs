// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! The chains that are built in.
//!
//! Specifications have no extensions of our own: light clients refuse fields that they do not know.

use dpki_runtime::{
	Hash, WASM_BINARY,
	genesis_config_presets::{LOCAL_PRESET, get_preset},
	opaque::Block,
};
use sc_network::config::MultiaddrWithPeerId;
use sc_service::{ChainType, NoExtension, Properties};
use serde_json::Value;
use sp_core::storage::StateVersion;
use sp_genesis_builder::DEV_RUNTIME_PRESET;
use sp_runtime::BuildStorage;

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

/// The runtime of this program.
pub fn code() -> Result<&'static [u8], String> {
	let code = WASM_BINARY.ok_or(
		"this binary was built without a runtime blob (SKIP_WASM_BUILD was set); build it again \
		 without, or pass the path of a chain specification",
	)?;
	Ok(code)
}

fn chain(
	name: &str,
	id: &str,
	kind: ChainType,
	boot_nodes: Vec<MultiaddrWithPeerId>,
	genesis: Value,
	code: &[u8],
) -> ChainSpec {
	ChainSpec::builder(code, None)
		.with_name(name)
		.with_id(id)
		.with_chain_type(kind)
		.with_boot_nodes(boot_nodes)
		.with_properties(properties())
		.with_genesis_config_patch(genesis)
		.build()
}

fn preset(name: &str) -> Value {
	let preset = get_preset(&name.into()).expect("a preset of the runtime; qed");
	serde_json::from_slice(&preset).expect("a preset is JSON; qed")
}

/// One validator on this machine, with an administrator's key.
pub fn development() -> Result<ChainSpec, String> {
	code().map(development_of)
}

/// [`development`] with this runtime.
pub fn development_of(code: &[u8]) -> ChainSpec {
	let genesis = preset(DEV_RUNTIME_PRESET);
	chain("DPKI development", "dpki_dev", ChainType::Development, Vec::new(), genesis, code)
}

/// Four well-known validators who are also the council.
pub fn local() -> Result<ChainSpec, String> {
	code().map(local_of)
}

/// [`local`] with this runtime.
pub fn local_of(code: &[u8]) -> ChainSpec {
	let genesis = preset(LOCAL_PRESET);
	chain("DPKI local consortium", "dpki_local", ChainType::Local, Vec::new(), genesis, code)
}

/// The chain of a consortium, with what its founders agreed on.
pub fn consortium(
	network: &str,
	boot_nodes: Vec<MultiaddrWithPeerId>,
	genesis: Value,
	code: &[u8],
) -> ChainSpec {
	chain(network, network, ChainType::Live, boot_nodes, genesis, code)
}

/// The hash of the first block, which names the chain. Like every chain of this runtime it has state version 1.
pub fn genesis_hash(spec: &ChainSpec) -> Result<Hash, String> {
	let storage = spec.build_storage()?;
	if !storage.children_default.is_empty() {
		return Err("it has child tries, which no chain of this runtime has".into());
	}
	let root = sp_io::trie::blake2_256_root(storage.top.into_iter().collect(), StateVersion::V1);
	let block: Block = sc_service::construct_genesis_block(root, StateVersion::V1);
	Ok(block.header.hash())
}
