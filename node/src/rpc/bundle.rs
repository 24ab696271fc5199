// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Bundles: all that a device needs to believe some records, see `dpki-verifier`.
//!
//! A bundle is about the newest block that can be proven, and it is the same for all devices that ask for the same keys
//! and know the same authority set. So it is made once per block and kept.

use super::{
	error::Refusal,
	figures::BundleFigures,
	finality::{Finality, Justified},
	limits::{
		CACHED_ANSWERS, MAX_ANSWER_LEN, MAX_CACHED_LEN, MAX_FRAGMENTS, MAX_KEY_LEN, MAX_KEYS,
		MIN_KEY_LEN,
	},
};
use crate::service::{FullBackend, FullClient};
use codec::Encode;
use dpki_runtime::{BlockNumber, Hash, opaque::Block};
use dpki_verifier::{
	Query, encode_bundle,
	limits::{MAX_NODE_LEN, MAX_PROOF_NODES},
};
use parking_lot::Mutex;
use sc_client_api::{Backend, ProofProvider};
use schnellru::{ByLength, LruMap};
use serde::Serialize;
use sp_core::Bytes;
use sp_crypto_hashing::blake2_256;
use std::sync::Arc;

/// A bundle and the block that it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Bundle {
	/// Number of the block. Not proven by itself: the verifier finds it in the bundle.
	pub block_number: BlockNumber,
	/// Hash of the block.
	pub block_hash: Hash,
	/// The bundle, as `dpki_verifier` takes it.
	pub bundle: Bytes,
}

/// States of blocks, of which parts can be proven.
pub trait States: Send + Sync {
	/// The trie nodes that prove what lies under these keys, or that nothing does, in the state of this block.
	fn prove(&self, block: Hash, keys: &[Vec<u8>]) -> Result<Vec<Vec<u8>>, Refusal>;
}

impl States for FullClient {
	fn prove(&self, block: Hash, keys: &[Vec<u8>]) -> Result<Vec<Vec<u8>>, Refusal> {
		let proof = self.read_proof(block, &mut keys.iter().map(Vec::as_slice))?;
		Ok(proof.into_iter_nodes().collect())
	}
}

/// Makes bundles.
pub struct Bundles<B = FullBackend> {
	states: Arc<dyn States>,
	finality: Arc<Finality<B>>,
	answers: Mutex<LruMap<(Hash, [u8; 32]), Bundle>>,
	figures: BundleFigures,
}

impl<B: Backend<Block>> Bundles<B> {
	/// Proofs come from these states, finality from there.
	pub fn new(
		states: Arc<dyn States>,
		finality: Arc<Finality<B>>,
		figures: BundleFigures,
	) -> Self {
		let answers = Mutex::new(LruMap::new(ByLength::new(CACHED_ANSWERS)));
		Self { states, finality, answers, figures }
	}

	/// The bundle for these storage keys, for a device whose checkpoint is this block.
	pub fn bundle(&self, keys: Vec<Bytes>, checkpoint: Option<Hash>) -> Result<Bundle, Refusal> {
		let query = query(keys)?;
		let from = self.finality.number_of(checkpoint)?;
		let head = self.finality.head()?;
		if from > head.number {
			return Err(Refusal::Ahead { asked: from, newest: head.number });
		}
		let changes = self.finality.changes(from, head.number)?;
		if changes.len() > MAX_FRAGMENTS {
			let found = changes.len();
			return Err(Refusal::TooManyChanges { found, allowed: MAX_FRAGMENTS });
		}

		let id = (head.hash, blake2_256(&(query.keys(), changes.first()).encode()));
		if let Some(known) = self.answers.lock().get(&id) {
			self.figures.kept.inc();
			return Ok(known.clone());
		}
		let bundle = self.make(&query, &changes, &head)?;
		if bundle.bundle.len() <= MAX_CACHED_LEN {
			self.answers.lock().insert(id, bundle.clone());
		}
		Ok(bundle)
	}

	fn make(
		&self,
		query: &Query,
		changes: &[BlockNumber],
		head: &Justified,
	) -> Result<Bundle, Refusal> {
		let changes = changes
			.iter()
			.map(|number| self.finality.change(*number))
			.collect::<Result<Vec<_>, _>>()?;
		let proof = self.states.prove(head.hash, query.keys())?;
		self.figures.made.inc();
		let nodes: Vec<&[u8]> = proof.iter().map(Vec::as_slice).collect();

		let fragments: Vec<_> = changes.iter().map(|change| change.fragment()).collect();
		let len = nodes.iter().map(|node| node.len()).sum::<usize>()
			+ changes.iter().map(|change| change.len()).sum::<usize>();
		let is_long = nodes.len() > MAX_PROOF_NODES
			|| nodes.iter().any(|node| node.len() > MAX_NODE_LEN)
			|| len > MAX_ANSWER_LEN;
		if is_long {
			return Err(Refusal::AnswerTooLong { allowed: MAX_ANSWER_LEN });
		}
		let bundle = encode_bundle(&fragments, head.fragment(), &nodes);
		Ok(Bundle { block_number: head.number, block_hash: head.hash, bundle: bundle.into() })
	}
}

/// The query of the verifier, which has the chain time besides what was asked for.
fn query(keys: Vec<Bytes>) -> Result<Query, Refusal> {
	// Counted before they are sorted.
	if keys.len() > MAX_KEYS {
		return Err(Refusal::TooManyKeys { found: keys.len(), allowed: MAX_KEYS });
	}
	let mut query = Query::new();
	for Bytes(key) in keys {
		if !(MIN_KEY_LEN..=MAX_KEY_LEN).contains(&key.len()) {
			let found = key.len();
			return Err(Refusal::KeyLength { found, min: MIN_KEY_LEN, max: MAX_KEY_LEN });
		}
		query = query.storage_key(key);
	}
	match query.keys().len() {
		found if found > MAX_KEYS => Err(Refusal::TooManyKeys { found, allowed: MAX_KEYS }),
		_ => Ok(query),
	}
}

#[cfg(test)]
mod tests;
