mod charges;
mod deposits;
mod extension;
mod fees;
pub mod mock;
mod quotas;
mod random;
mod settings;
