//! Bundles: all that a device needs to believe some records, from a carrier that it need not trust.
//!
//! Encoding, version 1, SCALE of these in order:
//!
//! | part | type |
//! |---|---|
//! | version | `u8`, 1 |
//! | authority-set changes since the checkpoint | `Vec<(Header, GrandpaJustification)>`, oldest first |
//! | head | `(Header, GrandpaJustification)` |
//! | storage proof in the state of the head | `Vec<Vec<u8>>`, nodes in any order |
//!
//! The changes are the fragments of a warp sync proof, without one for the head itself. A bundle may begin with
//! changes that a device knows already. The proof covers [`Query::keys`](crate::Query::keys) and nothing else.

use crate::{
	chain::Justified,
	error::{Error, Part},
	limits::{MAX_BUNDLE_LEN, MAX_NODE_LEN, MAX_PROOF_NODES},
	reader::{Reader, at_most},
};
use alloc::vec::Vec;
use codec::{Compact, Encode};

const VERSION: u8 = 1;

pub(crate) struct Bundle<'a> {
	pub(crate) fragments: Vec<Justified<'a>>,
	pub(crate) head: Justified<'a>,
	pub(crate) proof: Vec<&'a [u8]>,
}

impl<'a> Bundle<'a> {
	pub(crate) fn decode(bytes: &'a [u8]) -> Result<Self, Error> {
		at_most(Part::Bundle, bytes.len(), MAX_BUNDLE_LEN)?;
		let mut reader = Reader::new(bytes, Part::Bundle);
		let found = reader.u8()?;
		if found != VERSION {
			return Err(Error::UnknownVersion { part: Part::Bundle, found });
		}
		let fragments = Justified::read_list(&mut reader)?;
		let head = Justified::read(&mut reader)?;
		reader.within(Part::Proof);
		let count = reader.count(MAX_PROOF_NODES)?;
		reader.within(Part::ProofNode);
		let proof = (0..count).map(|_| reader.bytes(MAX_NODE_LEN)).collect::<Result<_, _>>()?;
		reader.within(Part::Bundle);
		reader.finish()?;
		Ok(Self { fragments, head, proof })
	}
}

/// A header and its justification, both as SCALE. For those who serve bundles.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fragment<'a> {
	/// The encoded `sp_runtime::generic::Header<u32, BlakeTwo256>`.
	pub header: &'a [u8],
	/// The encoded `sp_consensus_grandpa::GrandpaJustification`, as a node stores it.
	pub justification: &'a [u8],
}

/// A bundle of these parts. They are not looked at.
pub fn encode_bundle(fragments: &[Fragment<'_>], head: Fragment<'_>, proof: &[&[u8]]) -> Vec<u8> {
	let mut bytes = VERSION.encode();
	bytes.extend(encode_fragments(fragments));
	bytes.extend_from_slice(head.header);
	bytes.extend_from_slice(head.justification);
	proof.encode_to(&mut bytes);
	bytes
}

/// A list of authority-set changes for [`Verifier::advance`](crate::Verifier::advance). They are not looked at.
pub fn encode_fragments(fragments: &[Fragment<'_>]) -> Vec<u8> {
	// More than `u32::MAX` of them do not fit into a bundle anyway.
	let mut bytes = Compact(u32::try_from(fragments.len()).unwrap_or(u32::MAX)).encode();
	for Fragment { header, justification } in fragments {
		bytes.extend_from_slice(header);
		bytes.extend_from_slice(justification);
	}
	bytes
}
