//! The commands, one module per group: its arguments, and what it does with them.

pub mod account;
pub mod anchor;
pub mod chain;
pub mod deliver;
pub mod device;
pub mod key;
pub mod motion;
pub mod multisig;
pub mod org;
pub mod revoke;
pub mod ssh;
pub mod status;
pub mod voucher;
pub mod x509;
