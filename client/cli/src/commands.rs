//! The commands, one module per group: its arguments, and what it does with them.

pub mod account;
pub mod accreditation;
pub mod anchor;
pub mod bundle;
pub mod certificate;
pub mod chain;
pub mod deliver;
pub mod delivery;
pub mod device;
pub mod economy;
pub mod endorser;
pub mod fleet;
pub mod key;
pub mod motion;
pub mod multisig;
pub mod network;
pub mod node;
pub mod observer;
pub mod org;
pub mod revoke;
pub mod ssh;
pub mod status;
pub mod subject;
pub mod validator;
pub mod voucher;
pub mod x509;
