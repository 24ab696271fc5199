#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs, rustdoc::broken_intra_doc_links)]
// Whatever comes in, nothing in here may panic: there is nobody to catch it on a device.
#![deny(
	clippy::arithmetic_side_effects,
	clippy::as_conversions,
	clippy::expect_used,
	clippy::indexing_slicing,
	clippy::panic,
	clippy::string_slice,
	clippy::todo,
	clippy::unimplemented,
	clippy::unreachable,
	clippy::unwrap_used
)]

extern crate alloc;

mod bundle;
mod certificates;
mod chain;
mod checkpoint;
mod crypto;
mod error;
mod freshness;
mod header;
mod justification;
pub mod limits;
mod policy;
mod query;
mod reader;
mod recovery;
mod thin;
mod trie;
mod verified;

pub use bundle::{Fragment, encode_bundle, encode_fragments};
pub use checkpoint::{AuthoritySet, Checkpoint};
pub use crypto::Ed25519;
#[cfg(feature = "zebra")]
pub use crypto::Zebra;
pub use error::{Error, Part};
pub use freshness::{DEFAULT_MAX_AHEAD, Freshness};
pub use policy::{Floor, Judgement, Policy, Use, WhenStale};
pub use query::{Query, genesis_key};
pub use recovery::{MAX_RECOVERY_LIFETIME, RECOVERY_DOMAIN, encode_recovery, recovery_payload};
pub use thin::thin_justification;
pub use trie::TrieReader;
pub use verified::{Verified, VerifiedRecord};

use bundle::Bundle;
use chain::{Justified, Position};
use codec::DecodeAll;
use dpki_primitives::{Moment, storage_keys};

/// Holds a checkpoint and moves it forward, block by verified block.
///
/// After each success the new [`checkpoint`](Self::checkpoint) has to be stored by the caller. After an error nothing has
/// changed.
#[derive(Clone, Debug)]
pub struct Verifier<C> {
	checkpoint: Checkpoint,
	crypto: C,
}

impl<C: Ed25519> Verifier<C> {
	/// Starts from a checkpoint that is trusted.
	pub fn new(checkpoint: Checkpoint, crypto: C) -> Self {
		Self { checkpoint, crypto }
	}

	/// Where the verifier stands.
	pub fn checkpoint(&self) -> &Checkpoint {
		&self.checkpoint
	}

	/// Verifies that a bundle answers a query.
	///
	/// In this order: the outline of the bundle; that the head is not older than what was seen; for each change of the
	/// authority set and for the head, its hash, its justification and what it announces; the storage proof for exactly
	/// the keys of the query; the chain time and its age.
	///
	/// `bundle` is what [`encode_bundle`] makes. Each [`Error`] says what is refused; those of recovery do not occur here.
	pub fn verify<'a>(
		&mut self,
		bundle: &'a [u8],
		query: &'a Query,
		freshness: Freshness,
	) -> Result<Verified<'a>, Error> {
		query.check()?;
		let bundle = Bundle::decode(bundle)?;
		let mut position = Position::at(&self.checkpoint);
		position.arrive(&bundle.fragments, &bundle.head, &self.crypto)?;
		let checkpoint = position.into_checkpoint();

		let values = state_values(&bundle, query)?;
		let mut verified = Verified { query, values, time: 0, checkpoint };
		let time = verified.value(&storage_keys::now())?.ok_or(Error::TimeMissing)?;
		verified.time =
			Moment::decode_all(&mut &*time).map_err(|_| Error::Malformed(Part::Record))?;
		if query.binds_genesis() {
			let genesis = verified.value(&genesis_key())?;
			if genesis != Some(verified.checkpoint.genesis.as_slice()) {
				return Err(Error::OtherChain);
			}
		}
		freshness.check(verified.time)?;
		self.checkpoint = verified.checkpoint.clone();
		Ok(verified)
	}

	/// Follows changes of the authority set without asking about any record: for a device that was away for more
	/// changes than fit into a bundle, or that keeps up between bundles.
	///
	/// `fragments` is what [`encode_fragments`] makes. They say nothing about the age of the chain.
	pub fn advance(&mut self, fragments: &[u8]) -> Result<&Checkpoint, Error> {
		let fragments = Justified::decode_list(fragments)?;
		let mut position = Position::at(&self.checkpoint);
		position.follow(&fragments, &self.crypto)?;
		self.checkpoint = position.into_checkpoint();
		Ok(&self.checkpoint)
	}

	/// Goes on from a new checkpoint that more than two thirds of the pinned authorities have signed.
	///
	/// `recovery` is what [`encode_recovery`] makes, `now` what the device's clock shows, in milliseconds since the Unix
	/// epoch. A device without a clock cannot tell whether a recovery has expired; it should not take any.
	pub fn recover(&mut self, recovery: &[u8], now: Moment) -> Result<&Checkpoint, Error> {
		self.checkpoint = recovery::recover(&self.checkpoint, recovery, now, &self.crypto)?;
		Ok(&self.checkpoint)
	}
}

/// What the state of the head of a bundle holds under the keys of a query. The proof is for exactly these keys.
fn state_values<'a>(
	bundle: &Bundle<'a>,
	query: &Query,
) -> Result<alloc::vec::Vec<Option<&'a [u8]>>, Error> {
	let mut state = TrieReader::new(bundle.head.header.state_root, &bundle.proof)?;
	let mut values = alloc::vec::Vec::with_capacity(query.keys().len());
	for key in query.keys() {
		values.push(state.read(key)?);
	}
	state.finish()?;
	Ok(values)
}
