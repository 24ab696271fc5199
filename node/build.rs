// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Stamps the binary with its version and, where there is one, the commit it was built from.

use std::{env, path::Path};

fn main() {
	let in_repository = Path::new(&env::var("CARGO_MANIFEST_DIR").expect("set by cargo; qed"))
		.ancestors()
		.any(|directory| directory.join(".git/HEAD").exists());

	// Sources from an archive have no history; the version must not depend on it.
	if in_repository {
		substrate_build_script_utils::generate_cargo_keys();
		substrate_build_script_utils::rerun_if_git_head_changed();
	} else {
		let version = env::var("CARGO_PKG_VERSION").expect("set by cargo; qed");
		println!("cargo:rustc-env=SUBSTRATE_CLI_IMPL_VERSION={version}");
	}
}
