//! One file per concept.

mod acknowledgement;
mod approval;
mod blob;
mod channels;
mod doubles;
mod layout;
pub(crate) mod mock;
mod nesting;
mod publishing;
mod register;
mod shared;
