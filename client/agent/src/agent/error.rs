//! Why the agent cannot begin, or cannot go on with this block.

use crate::{appliers::ApplyError, journal::JournalError};
use dpki_client::view::ReadError;

/// Why a step of convergence could not be done. The next block brings the next attempt.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
	/// The chain gave no answer.
	#[error(transparent)]
	Read(#[from] ReadError),
	/// The journal cannot be written.
	#[error(transparent)]
	Journal(#[from] JournalError),
	/// What is in force is not what the chain says.
	#[error("what is in force could not be put right: {0}")]
	Enforce(#[source] ApplyError),
	/// The block is older than one that was acted on.
	#[error(
		"block {found} is older than block {seen}, which was seen before: waiting for the light client to catch up"
	)]
	OldHead {
		/// The block.
		found: u32,
		/// The newest one that was acted on.
		seen: u32,
	},
	/// The chain was not heard for too long.
	#[error(
		"the newest block that is known is more than {allowed} s old (`freshness.ssh-login`): nobody logs in by certificate \
		 until the chain is heard again; check the peers, the network and the clock"
	)]
	Lapsed {
		/// The highest age that would do, in seconds.
		allowed: u64,
	},
	/// The same for TLS, which is judged by itself.
	#[error(
		"the newest block that is known is more than {allowed} s old (`freshness.tls`): no TLS peer is believed and no \
		 pre-shared key is good until the chain is heard again; check the peers, the network and the clock"
	)]
	PeersLapsed {
		/// The highest age that would do, in seconds.
		allowed: u64,
	},
}

/// Why the agent cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
	/// The journal cannot be used.
	#[error(transparent)]
	Journal(#[from] JournalError),
	/// The first generation cannot be made, or what a crash left behind not be removed.
	#[error(transparent)]
	Apply(#[from] ApplyError),
}
