// SPDX-License-Identifier: Apache-2.0

//! Measures what the calls of a runtime cost, on the WebAssembly that nodes run.
//!
//! The command line is that of the framework's `benchmark pallet`, see `scripts/weights`. The tool
//! stands outside of the workspace: it depends on half of the polkadot-sdk, and nobody needs it to
//! build, run or test the chain. It exists beside `frame-omni-bencher` because that one knows no
//! host functions but Substrate's own, and brings RocksDB.

use clap::Parser;
use frame_benchmarking_cli::PalletCmd;
use sp_runtime::traits::BlakeTwo256;

/// The host functions that the node offers beyond Substrate's own.
type HostFunctions = dpki_crypto::host::HostFunctions;

fn main() -> sc_cli::Result<()> {
	PalletCmd::parse().run_with_spec::<BlakeTwo256, HostFunctions>(None)
}
