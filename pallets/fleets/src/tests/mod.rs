//! One file per concept.

mod commitments;
mod layout;
mod members;
pub(crate) mod mock;
mod random;
mod revocation;
mod roll;
mod tiles;
mod voting;
