//! One file per concept.

mod answers;
mod doubles;
mod filing;
mod layout;
pub(crate) mod mock;
mod waiting;
