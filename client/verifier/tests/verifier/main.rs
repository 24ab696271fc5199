//! What the verifier believes and what it refuses, with inputs from the crates that a node is made of.

mod answers;
mod bundles;
mod certificates;
mod changes;
mod checkpoints;
mod differential;
mod fleets;
mod freshness;
mod justifications;
mod kit;
mod policies;
mod proofs;
mod recoveries;
mod statuses;
mod thinning;
