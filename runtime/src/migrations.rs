// SPDX-License-Identifier: Apache-2.0

//! What an upgrade does to the state that the runtime before it has left.
//!
//! A migration lives with the pallet whose layout it changes, in `migrations/`, and names the versions between which it
//! leads (`frame_support::migrations::VersionedMigration`), so that it runs once whatever the chain skipped. Here they are
//! put in order. Each is rehearsed on recorded states (`tests/robustness/migrations.rs`) before it is voted on.

/// Carried out in the first block of an upgraded runtime, first to last, before anything else in it. All of it has to fit
/// into one block: a validator that takes longer misses its slot, and so does every other one.
pub type SingleBlock = ();
