// SPDX-License-Identifier: Apache-2.0

//! What an upgrade does to the state that the runtime before it has left.
//!
//! A migration lives with the pallet whose layout it changes, in `migrations/`. Here they are put in order, each in one of two
//! lists: what is sure to fit into one block, and what is done in [`steps`]. Each is rehearsed on recorded states
//! (`tests/robustness/migrations.rs`) and on a network (`client/e2e/tests/e2e/upgrade.rs`) before it is voted on.

#[cfg(any(test, feature = "rehearsal"))]
pub mod rehearsal;
pub mod steps;
#[cfg(test)]
mod tests;

use crate::Runtime;

/// Carried out in the first block of an upgraded runtime, first to last, before anything else in it. All of it has to fit
/// into one block: a validator that takes longer misses its slot, and so does every other one.
///
/// Each names the versions between which it leads (`frame_support::migrations::VersionedMigration`), so that it runs once
/// whatever the chain skipped. The last one begins those of [`Stepped`].
pub type SingleBlock = (Steps,);

/// Carried out in steps, one in each block from the first one of an upgraded runtime on, first to last. A runtime keeps
/// those of the one before it in front of its own, until no chain is left on which they have not ended.
#[cfg(not(feature = "rehearsal"))]
pub type Stepped = ();

/// What is rehearsed.
#[cfg(feature = "rehearsal")]
pub type Stepped = (rehearsal::VisitDevices,);

/// Carries [`Stepped`] out.
pub type Steps = steps::Steps<Runtime, Stepped>;
