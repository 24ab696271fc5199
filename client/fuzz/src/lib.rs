#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

#[cfg(feature = "agent")]
pub mod agent;
#[cfg(feature = "chain")]
pub mod chain;
#[cfg(feature = "client")]
pub mod client;
#[cfg(feature = "client")]
pub mod exchange;
pub mod mutation;
pub mod primitives;
pub mod verifier;
pub mod x509;

/// What reads bytes: it may refuse them, and may not panic. Some check more than that, and panic themselves.
pub type Target = fn(&[u8]);

/// All targets by their names, which are those of their folders in `corpus`.
pub const TARGETS: &[(&str, Target)] = &[
	("records", primitives::records),
	("status", primitives::status),
	("assessment", primitives::assessment),
	("certificate", x509::certificate),
	("request", x509::request),
	("revocation_list", x509::revocation_list),
	("path", x509::path),
	("bundle", verifier::bundle),
	("checkpoint", verifier::checkpoint),
	("proof", verifier::proof),
	("justification", verifier::justification),
	#[cfg(feature = "chain")]
	("extrinsic", chain::extrinsic),
	#[cfg(all(feature = "chain", feature = "client"))]
	("ssh_key", chain::ssh_key),
	#[cfg(feature = "client")]
	("envelope", client::envelope),
	#[cfg(feature = "client")]
	("desired_state", client::desired_state),
	#[cfg(feature = "client")]
	("carried", client::carried),
	#[cfg(feature = "client")]
	("text", client::text),
	#[cfg(feature = "client")]
	("archive", exchange::archive),
	#[cfg(feature = "client")]
	("bitswap", exchange::bitswap),
	#[cfg(feature = "client")]
	("krl", exchange::krl),
	#[cfg(feature = "client")]
	("voucher", exchange::voucher),
	#[cfg(feature = "client")]
	("device_request", exchange::device_request),
	#[cfg(feature = "agent")]
	("journal", agent::journal),
];
