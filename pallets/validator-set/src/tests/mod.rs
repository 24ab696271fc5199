mod keys;
mod layout;
mod membership;
pub mod mock;
mod offences;
mod random;
mod sessions;
