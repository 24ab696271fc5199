//! One file per concept.

mod deposits;
mod execution;
mod layout;
pub(crate) mod mock;
mod origins;
mod probe;
mod proposing;
mod queries;
mod random;
mod retention;
mod voting;
mod withdrawal;
