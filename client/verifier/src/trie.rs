//! Storage proofs: what lies under a key of a state whose root is trusted, or that nothing does.
//!
//! The state is a radix-16 Merkle trie over BLAKE2b-256 in the layout of `sp_trie::{LayoutV0, LayoutV1}`; the node format is
//! that of the [Polkadot specification](https://spec.polkadot.network/chap-state#sect-merkl-proof). A proof is a list of nodes in
//! any order, as `state_getReadProof` gives it. Both state versions are read, node by node: in version 1 a value of more
//! than 32 bytes lies beside its node, under its hash.
//!
//! A node is found by its hash, so no node can be forged; what can be tried is to leave nodes out, to add some, and to
//! pass one off for another. Nodes that no key needs are refused: a carrier cannot smuggle anything in a proof, and two
//! proofs of the same thing have the same nodes.
//!
//! The walk is a loop that takes at least one half-byte of the key each time, so it ends. It allocates one table of
//! the nodes; values are borrowed from the proof.

use crate::{
	error::{Error, Part},
	limits::{MAX_KEY_LEN, MAX_NODE_LEN, MAX_PROOF_NODES},
	reader::{Reader, at_most},
};
use alloc::vec::Vec;
use sp_crypto_hashing::blake2_256;

/// Reads values out of a storage proof.
///
/// It proves what a *state root* stands for. That the root is one of a finalised block is for the
/// [`Verifier`](crate::Verifier) to find out.
///
/// ```
/// use dpki_verifier::{Error, TrieReader};
///
/// // The root of the empty trie is the hash of its only node, and nothing lies under any key.
/// let root = sp_crypto_hashing::blake2_256(&[0]);
/// let mut reader = TrieReader::new(&root, &[&[0]])?;
/// assert_eq!(reader.read(b"key")?, None);
/// reader.finish()?;
/// # Ok::<_, Error>(())
/// ```
pub struct TrieReader<'a> {
	root: &'a [u8; 32],
	/// Ascending by hash.
	nodes: Vec<ProofNode<'a>>,
}

struct ProofNode<'a> {
	hash: [u8; 32],
	bytes: &'a [u8],
	used: bool,
}

impl<'a> TrieReader<'a> {
	/// Prepares to read from these nodes.
	///
	/// Refused are [`Error::TooLarge`] and [`Error::NodeRepeated`].
	pub fn new(root: &'a [u8; 32], nodes: &[&'a [u8]]) -> Result<Self, Error> {
		at_most(Part::Proof, nodes.len(), MAX_PROOF_NODES)?;
		let mut table = Vec::with_capacity(nodes.len());
		for bytes in nodes {
			at_most(Part::ProofNode, bytes.len(), MAX_NODE_LEN)?;
			table.push(ProofNode { hash: blake2_256(bytes), bytes, used: false });
		}
		table.sort_unstable_by_key(|node| node.hash);
		let mut previous = None;
		for ProofNode { hash, .. } in &table {
			if previous == Some(hash) {
				return Err(Error::NodeRepeated);
			}
			previous = Some(hash);
		}
		Ok(Self { root, nodes: table })
	}

	/// The value under `key`, or `None` if the proof shows that there is none.
	///
	/// Refused are [`Error::NodeMissing`], [`Error::Malformed`] and [`Error::TooLarge`].
	pub fn read(&mut self, key: &[u8]) -> Result<Option<&'a [u8]>, Error> {
		match self.locate(key)? {
			Value::None => Ok(None),
			Value::Inline(value) => Ok(Some(value)),
			Value::Hashed(hash) => self.find(hash).map(Some),
		}
	}

	/// The BLAKE2b-256 of the value under `key`, or `None` if the proof shows that there is none. For values that are longer than
	/// [`MAX_NODE_LEN`]: where they lie beside their node, they need not be among the nodes.
	///
	/// Refused is what [`Self::read`] refuses.
	pub fn read_hash(&mut self, key: &[u8]) -> Result<Option<[u8; 32]>, Error> {
		Ok(match self.locate(key)? {
			Value::None => None,
			Value::Inline(value) => Some(blake2_256(value)),
			Value::Hashed(hash) => Some(*hash),
		})
	}

	/// Where the value under `key` is.
	fn locate(&mut self, key: &[u8]) -> Result<Value<'a>, Error> {
		at_most(Part::Key, key.len(), MAX_KEY_LEN)?;
		let mut path = key.iter().flat_map(|byte| [byte >> 4, byte & 0x0f]);
		let mut node = Node::decode_root(self.find(self.root)?)?;
		loop {
			for nibble in node.partial() {
				if path.next() != Some(nibble) {
					return Ok(Value::None);
				}
			}
			let Some(branch) = path.next() else { return Ok(node.value) };
			let Some(child) = node.child(branch)? else { return Ok(Value::None) };
			node = match child.try_into() {
				Ok(hash) => {
					let bytes = self.find(hash)?;
					// What is shorter lies inside its parent, and nowhere else.
					if bytes.len() < 32 {
						return Err(Error::Malformed(Part::ProofNode));
					}
					Node::decode(bytes)?
				},
				Err(_) => Node::decode(child)?,
			};
		}
	}

	/// Every node has been needed.
	pub fn finish(self) -> Result<(), Error> {
		if self.nodes.iter().all(|node| node.used) { Ok(()) } else { Err(Error::NodeSurplus) }
	}

	fn find(&mut self, hash: &[u8; 32]) -> Result<&'a [u8], Error> {
		let node = self
			.nodes
			.binary_search_by_key(hash, |node| node.hash)
			.ok()
			.and_then(|index| self.nodes.get_mut(index))
			.ok_or(Error::NodeMissing)?;
		node.used = true;
		Ok(node.bytes)
	}
}

enum Value<'a> {
	None,
	Inline(&'a [u8]),
	Hashed(&'a [u8; 32]),
}

struct Node<'a> {
	/// The half-bytes of the key that the node adds, two to a byte; of an odd number the first is padded with zero.
	partial: (&'a [u8], bool),
	value: Value<'a>,
	/// Which children there are, the first in the lowest bit, and the children after one another.
	children: (u16, &'a [u8]),
}

impl<'a> Node<'a> {
	/// A node other than that of the empty trie, which is nobody's child.
	fn decode(bytes: &'a [u8]) -> Result<Self, Error> {
		let malformed = Error::Malformed(Part::ProofNode);
		let mut reader = Reader::new(bytes, Part::ProofNode);
		let header = reader.u8()?;
		// The kind is in the upper bits, the number of half-bytes in the `bits` below.
		let (has_children, value, bits) = match header {
			0b0100_0000..=0b0111_1111 => (false, Some(false), 6),
			0b1000_0000..=0b1011_1111 => (true, None, 6),
			0b1100_0000..=0b1111_1111 => (true, Some(false), 6),
			0b0010_0000..=0b0011_1111 => (false, Some(true), 5),
			0b0001_0000..=0b0001_1111 => (true, Some(true), 4),
			_ => return Err(malformed),
		};
		let nibbles = read_nibble_count(&mut reader, header, bits)?;
		let is_odd = nibbles % 2 == 1;
		let partial = reader.take(nibbles.div_ceil(2))?;
		if is_odd && partial.first().is_none_or(|first| first >> 4 != 0) {
			return Err(malformed);
		}
		let bitmap = if has_children { u16::from_le_bytes(*reader.array()?) } else { 0 };
		let value = match value {
			None => Value::None,
			Some(false) => Value::Inline(reader.bytes(MAX_NODE_LEN)?),
			Some(true) => Value::Hashed(reader.array()?),
		};
		let children = (bitmap, reader.rest());
		for _ in 0..bitmap.count_ones() {
			read_child(&mut reader)?;
		}
		reader.finish()?;
		// A branch without children is a leaf, and one with a single child and no value is not there at all.
		let fewest = if matches!(value, Value::None) { 2 } else { 1 };
		if has_children && bitmap.count_ones() < fewest {
			return Err(malformed);
		}
		Ok(Self { partial: (partial, is_odd), value, children })
	}

	fn decode_root(bytes: &'a [u8]) -> Result<Self, Error> {
		if bytes == [0] {
			return Ok(Self { partial: (&[], false), value: Value::None, children: (0, &[]) });
		}
		Self::decode(bytes)
	}

	fn partial(&self) -> impl Iterator<Item = u8> + use<'a> {
		let (bytes, is_odd) = self.partial;
		bytes.iter().flat_map(|byte| [byte >> 4, byte & 0x0f]).skip(usize::from(is_odd))
	}

	/// The child for this half-byte: a hash if it has 32 bytes, else the node itself.
	fn child(&self, branch: u8) -> Result<Option<&'a [u8]>, Error> {
		let (bitmap, bytes) = self.children;
		let mut reader = Reader::new(bytes, Part::ProofNode);
		for index in 0..16u8 {
			let there = bitmap.checked_shr(index.into()).is_some_and(|bits| bits & 1 == 1);
			if there {
				let child = read_child(&mut reader)?;
				if index == branch {
					return Ok(Some(child));
				}
			}
		}
		Ok(None)
	}
}

/// A child: a hash, or a node that is shorter than one.
fn read_child<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], Error> {
	reader.bytes(32).map_err(|_| Error::Malformed(Part::ProofNode))
}

/// The number of half-bytes: in the header if it fits, else followed by bytes of which all but the last are 255.
fn read_nibble_count(reader: &mut Reader<'_>, header: u8, bits: u32) -> Result<usize, Error> {
	let full = 0xff_u8.checked_shr(8_u32.saturating_sub(bits)).unwrap_or_default();
	let first = header & full;
	let mut count = usize::from(first);
	if first == full {
		loop {
			let more = reader.u8()?;
			count = count.saturating_add(usize::from(more));
			if more != u8::MAX {
				break;
			}
		}
	}
	Ok(count)
}
