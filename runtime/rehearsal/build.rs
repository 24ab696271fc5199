// SPDX-License-Identifier: Apache-2.0

//! Builds the runtime a second time, as the version after the present one.

use std::path::Path;
use substrate_wasm_builder::WasmBuilder;

fn main() {
	// As cargo names it: the builder looks for it among the packages.
	let runtime = Path::new(env!("CARGO_MANIFEST_DIR"))
		.parent()
		.expect("this crate is in the folder of the runtime")
		.join("Cargo.toml");
	WasmBuilder::new()
		.with_project(runtime)
		.expect("the runtime is the folder above")
		.import_memory()
		.export_heap_base()
		.enable_feature("rehearsal")
		// Also the name of the blob, which would be that of the runtime's own otherwise.
		.set_file_name("rehearsal")
		.build();
}
