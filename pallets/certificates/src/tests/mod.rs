//! One file per concept.

mod accreditation;
mod applications;
mod bonds;
mod cleaning;
mod control;
mod doubles;
mod economy;
mod endorsements;
mod events;
mod layout;
pub(crate) mod mock;
mod property;
mod queries;
mod refusals;
mod renewal;
mod revocation;
mod status;
