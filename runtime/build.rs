// SPDX-License-Identifier: Apache-2.0

//! Builds the WebAssembly blob of the runtime.

/// The metadata hash binds the token's symbol and decimals; a chain spec must state the same.
#[cfg(all(feature = "std", feature = "metadata-hash"))]
fn main() {
	substrate_wasm_builder::WasmBuilder::init_with_defaults()
		.enable_metadata_hash("DPKI", 12)
		.build();
}

#[cfg(all(feature = "std", not(feature = "metadata-hash")))]
fn main() {
	substrate_wasm_builder::WasmBuilder::build_using_defaults();
}

/// The inner, `no_std` build is the blob itself.
#[cfg(not(feature = "std"))]
fn main() {}
