// SPDX-License-Identifier: Apache-2.0

//! What holds whatever happens: random transactions, and upgrades of the runtime.
//!
//! It needs the invariants that pallets check under `try-runtime`; `scripts/test benchmarks` runs it with that feature.

mod between_blocks;
#[path = "../runtime/common.rs"]
#[allow(dead_code)]
mod common;
mod migrations;
mod state_machine;
