// SPDX-License-Identifier: Apache-2.0

//! The client crate is compiled against a copy of this runtime's metadata.

use crate::common::chain;
use dpki_runtime::{Runtime, genesis_config_presets::LOCAL_PRESET};
use std::{env, fs, path::Path};

/// The newest format: the only one that describes view functions and every version of an extension.
const VERSION: u32 = 16;

#[test]
fn the_clients_copy_is_up_to_date() {
	// Some constants are state, so the metadata needs a chain to be read on.
	let metadata = chain(LOCAL_PRESET)
		.execute_with(|| Runtime::metadata_at_version(VERSION))
		.expect("this version is supported");
	let copy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../client/sdk/artifacts/metadata.scale");

	if env::var_os("UPDATE_METADATA").is_some() {
		fs::create_dir_all(copy.parent().expect("a file has a folder")).expect("can be created");
		fs::write(&copy, &*metadata).expect("can be written");
	}

	assert!(
		fs::read(&copy).is_ok_and(|bytes| bytes == *metadata),
		"client/sdk/artifacts/metadata.scale is stale: update it with `UPDATE_METADATA=1 cargo test \
		 -p dpki-runtime metadata`",
	);
}
