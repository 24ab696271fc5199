//! The Merkle tree of RFC 6962 section 2.1 over SHA2-256.
//!
//! Leaves and inner nodes are hashed with different first bytes, so that neither passes for the other. A last node
//! without a sibling moves up as it is; the shape of the tree, and so every path, follows from the size. That is why a
//! root is worth nothing without its size: whoever records a root records both.
//!
//! What is proven is told by *ranges* of leaves ([`path_ranges`], [`consistency_ranges`]): whoever makes a proof collects
//! the roots of those, from wherever the leaves are. Proofs are checked as RFC 9162 sections 2.1.3.2 and 2.1.4.2 have it.

use alloc::vec::Vec;
use core::ops::Range;
use sp_crypto_hashing::sha2_256;

/// The hash of a leaf or of an inner node.
pub type TreeHash = [u8; 32];

/// Most leaves of a fleet: 2^24, three levels of tiles.
pub const MAX_FLEET_SIZE: u32 = 1 << 24;

/// For how many members of a fleet the fee of a commitment is due once: those of sixteen chunks of the bitmap.
pub const MEMBERS_PER_COMMITMENT_FEE: u32 = 1 << 16;

/// Most hashes of an inclusion proof: one for each level of the largest tree.
pub const MAX_PATH_LEN: u32 = MAX_FLEET_SIZE.ilog2();

/// Most hashes of a consistency proof: one for each level of the largest tree, and the one that it begins with.
pub const MAX_CONSISTENCY_LEN: u32 = MAX_PATH_LEN + 1;

/// What the hash of a leaf begins with.
const LEAF: u8 = 0;
/// What the hash of an inner node begins with.
const NODE: u8 = 1;

/// The hash of a leaf.
pub fn leaf_hash(leaf: &[u8]) -> TreeHash {
	let mut bytes = Vec::with_capacity(leaf.len().saturating_add(1));
	bytes.push(LEAF);
	bytes.extend_from_slice(leaf);
	sha2_256(&bytes)
}

/// The hash of an inner node.
pub fn node_hash(left: &TreeHash, right: &TreeHash) -> TreeHash {
	let mut bytes = [NODE; 65];
	bytes[1..33].copy_from_slice(left);
	bytes[33..].copy_from_slice(right);
	sha2_256(&bytes)
}

/// The root of the tree over these nodes of one level: leaf hashes, or the roots of complete subtrees of one size of
/// which the last may be incomplete. The root of nothing is the hash of nothing.
pub fn root_of(nodes: &[TreeHash]) -> TreeHash {
	let mut frontier = Frontier::default();
	nodes.iter().for_each(|node| frontier.push(*node));
	frontier.root()
}

/// The root of a tree that grows to the right, in as much memory as it has levels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
	/// How many nodes there are.
	count: u64,
	/// The roots of the largest complete subtrees, from the left: one for each bit of `count`.
	roots: Vec<TreeHash>,
}

impl Frontier {
	/// Adds a node at the right.
	pub fn push(&mut self, node: TreeHash) {
		let mut root = node;
		for _ in 0..self.count.trailing_ones() {
			// There is a root for each bit of the count.
			if let Some(left) = self.roots.pop() {
				root = node_hash(&left, &root);
			}
		}
		self.roots.push(root);
		self.count = self.count.saturating_add(1);
	}

	/// One that has so many nodes already, with the roots of its largest complete subtrees; `None` if there are not as many
	/// of those as the number has bits.
	pub fn resume(count: u32, roots: Vec<TreeHash>) -> Option<Self> {
		let expected = count.count_ones() as usize;
		(roots.len() == expected).then(|| Self { count: u64::from(count), roots })
	}

	/// The roots of its largest complete subtrees, from the left.
	pub fn into_roots(self) -> Vec<TreeHash> {
		self.roots
	}

	/// How many nodes there are.
	pub fn count(&self) -> u64 {
		self.count
	}

	/// The root over all of them.
	pub fn root(&self) -> TreeHash {
		self.roots
			.iter()
			.rev()
			.copied()
			.reduce(|right, left| node_hash(&left, &right))
			.unwrap_or_else(|| sha2_256(&[]))
	}
}

/// The largest power of two below `count`, which is at least 2.
fn split(count: u32) -> u32 {
	1 << (count - 1).ilog2()
}

/// The ranges of leaves whose roots are the path of a leaf, from the leaf up; `None` if there is no such leaf.
///
/// ```
/// use dpki_primitives::fleet::tree::path_ranges;
///
/// assert_eq!(path_ranges(4, 7), Some(vec![5..6, 6..7, 0..4]));
/// ```
pub fn path_ranges(index: u32, size: u32) -> Option<Vec<Range<u32>>> {
	if index >= size {
		return None;
	}
	let (mut within, mut ranges) = (0..size, Vec::new());
	while within.end - within.start > 1 {
		let middle = within.start + split(within.end - within.start);
		let (own, sibling) = if index < middle {
			(within.start..middle, middle..within.end)
		} else {
			(middle..within.end, within.start..middle)
		};
		ranges.push(sibling);
		within = own;
	}
	ranges.reverse();
	Some(ranges)
}

/// The ranges of leaves whose roots prove that a tree of `second` leaves begins with one of `first`; `None` if it cannot,
/// or if the first is empty.
pub fn consistency_ranges(first: u32, second: u32) -> Option<Vec<Range<u32>>> {
	if first == 0 || first > second {
		return None;
	}
	let (mut within, mut ranges) = (0..second, Vec::new());
	while within.end != first {
		let middle = within.start + split(within.end - within.start);
		if first <= middle {
			ranges.push(middle..within.end);
			within.end = middle;
		} else {
			ranges.push(within.start..middle);
			within.start = middle;
		}
	}
	// The first tree itself is known to who checks.
	if within.start != 0 {
		ranges.push(within);
	}
	ranges.reverse();
	Some(ranges)
}

/// The root to which a path leads from a leaf; `None` if the path has not the length that index and size ask for.
pub fn root_from_path(
	index: u32,
	size: u32,
	leaf: &TreeHash,
	path: &[TreeHash],
) -> Option<TreeHash> {
	if index >= size {
		return None;
	}
	let (mut node, mut last, mut root) = (index, size - 1, *leaf);
	for sibling in path {
		if last == 0 {
			return None;
		}
		if node & 1 == 1 || node == last {
			root = node_hash(sibling, &root);
			skip_promotions(&mut node, &mut last);
		} else {
			root = node_hash(&root, sibling);
		}
		(node, last) = (node >> 1, last >> 1);
	}
	(last == 0).then_some(root)
}

/// Whether a leaf with this hash stands at `index` in the tree of this size and root.
pub fn is_included(
	index: u32,
	size: u32,
	root: &TreeHash,
	leaf: &TreeHash,
	path: &[TreeHash],
) -> bool {
	root_from_path(index, size, leaf, path).as_ref() == Some(root)
}

/// Whether the tree of size and root `second` begins with the one of size and root `first`. Nothing begins with the
/// empty tree: that would say nothing about the second.
pub fn is_consistent(
	first: (u32, &TreeHash),
	second: (u32, &TreeHash),
	proof: &[TreeHash],
) -> bool {
	let ((first, first_root), (second, second_root)) = (first, second);
	if first == 0 || first > second {
		return false;
	}
	if first == second {
		return proof.is_empty() && first_root == second_root;
	}
	let (mut node, mut last) = (first - 1, second - 1);
	let complete_levels = node.trailing_ones();
	(node, last) = (node.unbounded_shr(complete_levels), last.unbounded_shr(complete_levels));
	// A first tree that is complete is itself the node that the proof begins with.
	let (begin, rest) = if first.is_power_of_two() {
		(*first_root, proof)
	} else {
		match proof.split_first() {
			Some((begin, rest)) => (*begin, rest),
			None => return false,
		}
	};
	let (mut first_found, mut second_found) = (begin, begin);
	for hash in rest {
		if last == 0 {
			return false;
		}
		if node & 1 == 1 || node == last {
			first_found = node_hash(hash, &first_found);
			second_found = node_hash(hash, &second_found);
			skip_promotions(&mut node, &mut last);
		} else {
			second_found = node_hash(&second_found, hash);
		}
		(node, last) = (node >> 1, last >> 1);
	}
	last == 0 && first_found == *first_root && second_found == *second_root
}

/// From a last node without a sibling up to the level on which it has one.
fn skip_promotions(node: &mut u32, last: &mut u32) {
	while *node & 1 == 0 && *node != 0 {
		(*node, *last) = (*node >> 1, *last >> 1);
	}
}

#[cfg(test)]
mod tests;
