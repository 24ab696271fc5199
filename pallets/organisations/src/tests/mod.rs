//! One file per concept.

mod creation;
mod directory;
mod layout;
mod members;
pub(crate) mod mock;
mod removal;
