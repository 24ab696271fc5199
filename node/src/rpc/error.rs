// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Why a request is refused: a code that stays, and a sentence with the next step.

use dpki_runtime::BlockNumber;
use jsonrpsee::types::ErrorObjectOwned;

/// First of the codes, which no other interface of the node uses.
const BASE: i32 = 18_000;

/// Why a request is refused. The codes are part of the interface: they are only ever added to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
	/// The database failed, or is not what it should be. Details are in the node's log.
	#[error("the node could not read its database: ask another node, and tell this one's operator")]
	Internal,
	/// There is no justified block yet.
	#[error("no block has been finalised yet: ask again in some seconds")]
	NothingFinal,
	/// Too many storage keys.
	#[error("{found} storage keys were asked for, at most {allowed} are allowed: ask for fewer")]
	TooManyKeys {
		/// How many.
		found: usize,
		/// How many may be.
		allowed: usize,
	},
	/// A storage key that cannot be that of a record.
	#[error(
		"a storage key has {found} bytes, those of records have {min} to {max}: build it with the \
		 storage layout of the chain"
	)]
	KeyLength {
		/// How long it is.
		found: usize,
		/// How short one may be.
		min: usize,
		/// How long one may be.
		max: usize,
	},
	/// The answer is longer than any that this interface gives.
	#[error("the answer would have more than {allowed} bytes: ask for fewer keys")]
	AnswerTooLong {
		/// How long one may be.
		allowed: usize,
	},
	/// No finalised block has this hash.
	#[error(
		"no finalised block of this chain has the hash {hash:?}: is the device of another chain?"
	)]
	UnknownBlock {
		/// The hash.
		hash: dpki_runtime::Hash,
	},
	/// The client knows a newer block than this node.
	#[error(
		"block {asked} is above {newest}, the newest justified block of this node: ask again later, or \
		 another node"
	)]
	Ahead {
		/// What the client knows.
		asked: BlockNumber,
		/// What the node knows.
		newest: BlockNumber,
	},
	/// More authority-set changes than an answer holds lie in between.
	#[error(
		"{found} changes of the authority set lie between that block and the newest, a bundle holds \
		 {allowed}: follow dpki_warpFragments first"
	)]
	TooManyChanges {
		/// How many.
		found: usize,
		/// How many may be.
		allowed: usize,
	},
	/// The set was changed without the consent of the one before.
	#[error(
		"the authority set that follows block {number} was put in place by a forced change, which no proof \
		 can show: the device needs a recovery or a new checkpoint"
	)]
	ForcedChange {
		/// Last block of the set that was replaced.
		number: BlockNumber,
	},
	/// The node has not stored what proves a change.
	#[error("this node does not have the proof of an authority-set change: ask another node")]
	ChangeNotStored,
	/// The states that the replay needs are gone.
	#[error(
		"the events of block {asked} are no longer stored here, the oldest are those of block {oldest}: \
		 begin there and read the current records, or ask a node with --state-pruning archive"
	)]
	Pruned {
		/// Where the replay should have begun or gone on.
		asked: BlockNumber,
		/// The oldest block that can be replayed.
		oldest: BlockNumber,
	},
	/// A replay that begins in the far future.
	#[error("block {asked} is too far above {newest}, the newest finalised block of this node")]
	SinceTooFar {
		/// Where it should begin.
		asked: BlockNumber,
		/// The newest finalised block.
		newest: BlockNumber,
	},
	/// No seat is free.
	#[error("there are {allowed} subscriptions already: end one, or use another {place}")]
	TooManySubscriptions {
		/// How many may be.
		allowed: usize,
		/// Where they are counted: "connection" or "node".
		place: &'static str,
	},
	/// The runtime is newer than this program.
	#[error(
		"the chain runs version {found} of its runtime, this node understands events up to version {known}: \
		 it has to be updated"
	)]
	RuntimeTooNew {
		/// The version that made the events.
		found: u32,
		/// The version that this program knows.
		known: u32,
	},
}

impl Refusal {
	/// The code of the JSON-RPC error object.
	pub fn code(&self) -> i32 {
		let offset = match self {
			Self::Internal => 0,
			Self::NothingFinal => 1,
			Self::TooManyKeys { .. } => 2,
			Self::KeyLength { .. } => 3,
			Self::AnswerTooLong { .. } => 4,
			Self::UnknownBlock { .. } => 5,
			Self::Ahead { .. } => 6,
			Self::TooManyChanges { .. } => 7,
			Self::ForcedChange { .. } => 8,
			Self::ChangeNotStored => 9,
			Self::Pruned { .. } => 10,
			Self::SinceTooFar { .. } => 11,
			Self::TooManySubscriptions { .. } => 12,
			Self::RuntimeTooNew { .. } => 13,
		};
		BASE + offset
	}

	/// For what the client did not cause. It is told that the node failed, the operator how.
	pub fn internal(error: impl std::fmt::Display) -> Self {
		log::warn!(target: "dpki-rpc", "a request failed: {error}");
		Self::Internal
	}
}

impl From<sp_blockchain::Error> for Refusal {
	fn from(error: sp_blockchain::Error) -> Self {
		Self::internal(error)
	}
}

impl From<Refusal> for ErrorObjectOwned {
	fn from(refusal: Refusal) -> Self {
		Self::owned(refusal.code(), refusal.to_string(), None::<()>)
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn codes_stay() {
		let hash = Default::default();
		let codes = [
			(Refusal::Internal, 18_000),
			(Refusal::NothingFinal, 18_001),
			(Refusal::TooManyKeys { found: 2, allowed: 1 }, 18_002),
			(Refusal::KeyLength { found: 5, min: 32, max: 256 }, 18_003),
			(Refusal::AnswerTooLong { allowed: 1 }, 18_004),
			(Refusal::UnknownBlock { hash }, 18_005),
			(Refusal::Ahead { asked: 2, newest: 1 }, 18_006),
			(Refusal::TooManyChanges { found: 2, allowed: 1 }, 18_007),
			(Refusal::ForcedChange { number: 1 }, 18_008),
			(Refusal::ChangeNotStored, 18_009),
			(Refusal::Pruned { asked: 1, oldest: 2 }, 18_010),
			(Refusal::SinceTooFar { asked: 2, newest: 1 }, 18_011),
			(Refusal::TooManySubscriptions { allowed: 1, place: "connection" }, 18_012),
			(Refusal::RuntimeTooNew { found: 2, known: 1 }, 18_013),
		];
		for (refusal, code) in codes {
			assert_eq!(ErrorObjectOwned::from(refusal).code(), code);
		}
	}
}
