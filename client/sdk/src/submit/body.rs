//! The root of the transactions of a block, which its header names.
//!
//! A radix-16 Merkle trie over BLAKE2b-256, as that of the state (see `dpki_verifier::TrieReader`), of the transactions by their
//! index in SCALE's compact form. It has the older of the two layouts, `sp_trie::LayoutV0`, in which values lie inside of their
//! nodes however long they are: that is what `system_version` 1 of the runtime means.

use codec::{Compact, Encode};
use sp_crypto_hashing::blake2_256;

/// The half-bytes of a key, with what lies under it.
type Entry<'a> = (Vec<u8>, &'a [u8]);

/// The root of these transactions, in their order, each with its length before it.
pub(crate) fn extrinsics_root(extrinsics: &[Vec<u8>]) -> [u8; 32] {
	let numbered = (0u32..).zip(extrinsics);
	let mut entries: Vec<Entry<'_>> = numbered
		.map(|(index, bytes)| {
			let key = Compact(index).encode();
			let nibbles = key.iter().flat_map(|byte| [byte >> 4, byte & 0x0f]).collect();
			(nibbles, bytes.as_slice())
		})
		.collect();
	entries.sort_unstable();
	blake2_256(&node(&entries, 0))
}

/// The node of these entries, which have so many half-bytes in common with all of their parents.
///
/// No key is the beginning of another one, as the first bits of a compact number tell its length: no branch has a value.
fn node(entries: &[Entry<'_>], depth: usize) -> Vec<u8> {
	const EMPTY: u8 = 0;
	const LEAF: u8 = 0b0100_0000;
	const BRANCH: u8 = 0b1000_0000;
	match entries {
		[] => vec![EMPTY],
		[(key, value)] => {
			let mut node = beginning(LEAF, &key[depth..]);
			value.encode_to(&mut node);
			node
		},
		[(first, _), .., (last, _)] => {
			let common = first.iter().zip(last).skip(depth).take_while(|(a, b)| a == b).count();
			let end = depth + common;
			let mut bitmap = 0u16;
			let mut children = Vec::new();
			for group in entries.chunk_by(|(one, _), (other, _)| one[end] == other[end]) {
				bitmap |= 1 << group[0].0[end];
				let child = node(group, end + 1);
				// What is shorter than a hash lies inside of its parent.
				match child.len() {
					0..32 => child.encode_to(&mut children),
					_ => blake2_256(&child).as_slice().encode_to(&mut children),
				}
			}
			let mut node = beginning(BRANCH, &first[depth..end]);
			bitmap.encode_to(&mut node);
			node.extend(children);
			node
		},
	}
}

/// The header of a node, and its half-bytes. There are ten at most, so that their number fits into the header.
fn beginning(kind: u8, nibbles: &[u8]) -> Vec<u8> {
	let mut node = vec![kind | nibbles.len() as u8];
	let (odd, pairs) = nibbles.split_at(nibbles.len() % 2);
	node.extend(odd);
	node.extend(pairs.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]));
	node
}

#[cfg(test)]
mod tests {
	use super::*;
	use sp_core::storage::StateVersion;
	use sp_runtime::traits::{BlakeTwo256, Hash};

	/// As many as need keys of four, two and one bytes, short ones that lie inside of their parents and long ones that do not.
	#[test]
	fn the_root_is_that_of_the_crate_that_nodes_are_made_of() {
		for count in [0, 1, 2, 3, 15, 16, 17, 63, 64, 65, 300, 16_383, 16_500] {
			for len in [0, 1, 30, 200] {
				let bodies: Vec<Vec<u8>> = (0..count)
					.map(|index: u32| {
						let bytes = index.to_le_bytes();
						bytes.iter().copied().cycle().take(len + index as usize % 5).collect()
					})
					.collect();
				let expected = BlakeTwo256::ordered_trie_root(bodies.clone(), StateVersion::V0);
				assert_eq!(extrinsics_root(&bodies), expected.0, "{count} of {len} bytes");
			}
		}
	}

	#[test]
	fn another_order_or_another_transaction_has_another_root() {
		let bodies = vec![vec![1; 40], vec![2; 40], vec![3; 40]];
		let root = extrinsics_root(&bodies);
		let mut swapped = bodies.clone();
		swapped.swap(0, 1);
		let mut changed = bodies.clone();
		changed[2][39] ^= 1;
		for other in [&swapped[..], &changed, &bodies[..2]] {
			assert_ne!(extrinsics_root(other), root);
		}
	}
}
