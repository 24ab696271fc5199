// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Bundles: all that a device needs to believe some records, see `dpki-verifier`.
//!
//! A bundle is about the newest block that can be proven, and it is the same for all devices that ask for the same keys
//! and know the same authority set. So it is made once per block and kept.

use super::{
	error::Refusal,
	finality::{Finality, Justified},
	limits::{
		CACHED_ANSWERS, MAX_ANSWER_LEN, MAX_CACHED_LEN, MAX_FRAGMENTS, MAX_KEY_LEN, MAX_KEYS,
		MIN_KEY_LEN,
	},
};
use crate::service::FullClient;
use codec::Encode;
use dpki_runtime::{BlockNumber, Hash};
use dpki_verifier::{
	Query, encode_bundle,
	limits::{MAX_NODE_LEN, MAX_PROOF_NODES},
};
use parking_lot::Mutex;
use sc_client_api::ProofProvider;
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

/// Makes bundles.
pub struct Bundles {
	client: Arc<FullClient>,
	finality: Arc<Finality>,
	answers: Mutex<LruMap<(Hash, [u8; 32]), Bundle>>,
}

impl Bundles {
	/// Proofs come from this client, finality from there.
	pub fn new(client: Arc<FullClient>, finality: Arc<Finality>) -> Self {
		let answers = Mutex::new(LruMap::new(ByLength::new(CACHED_ANSWERS)));
		Self { client, finality, answers }
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
		let keys = &mut query.keys().iter().map(Vec::as_slice);
		let proof = self.client.read_proof(head.hash, keys)?;
		let nodes: Vec<&[u8]> = proof.iter_nodes().map(Vec::as_slice).collect();

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
mod tests {
	use super::*;
	use dpki_primitives::storage_keys;

	fn key(number: u8) -> Bytes {
		Bytes(vec![number; MIN_KEY_LEN])
	}

	#[test]
	fn the_chain_time_is_always_proven() {
		assert_eq!(query(Vec::new()), Ok(Query::new()));
		assert_eq!(query(vec![Bytes(storage_keys::now())]), Ok(Query::new()));
		assert_eq!(query(vec![key(1)]).unwrap().keys().len(), 2);
	}

	#[test]
	fn the_order_of_keys_and_repetitions_make_no_difference() {
		assert_eq!(query(vec![key(1), key(2), key(1)]), query(vec![key(2), key(1)]));
	}

	#[test]
	fn too_many_keys_are_refused() {
		let keys = |count: usize| (0..count).map(|number| key(number as u8)).collect::<Vec<_>>();
		assert_eq!(query(keys(MAX_KEYS - 1)).unwrap().keys().len(), MAX_KEYS);
		for (count, found) in [(MAX_KEYS, MAX_KEYS + 1), (MAX_KEYS + 9, MAX_KEYS + 9)] {
			let refused = Refusal::TooManyKeys { found, allowed: MAX_KEYS };
			assert_eq!(query(keys(count)), Err(refused));
		}
	}

	#[test]
	fn keys_that_are_not_those_of_records_are_refused() {
		for found in [0, b":code".len(), MIN_KEY_LEN - 1, MAX_KEY_LEN + 1] {
			let refused = Refusal::KeyLength { found, min: MIN_KEY_LEN, max: MAX_KEY_LEN };
			assert_eq!(query(vec![Bytes(vec![1; found])]), Err(refused));
		}
	}
}
