//! One file per concept.

mod accounts;
mod creation;
mod directory;
mod dissolution;
mod guarded_roles;
mod hand_over;
mod invitations;
mod layout;
mod members;
pub(crate) mod mock;
mod policy;
mod random;
mod recovery;
mod removal;
