//! The tree against the text of RFC 6962, published values, and those who would cheat.

use super::*;
use alloc::{vec, vec::Vec};

/// The leaves of the tests of google/certificate-transparency, `merkle_tree_test.cc`.
const LEAVES: [&[u8]; 8] = [
	&[],
	&[0],
	&[0x10],
	&[0x20, 0x21],
	&[0x30, 0x31],
	&[0x40, 0x41, 0x42, 0x43],
	&[0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57],
	&[
		0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e,
		0x6f,
	],
];

/// The roots over the first so many of them, from none on, as that test has them.
const ROOTS: [&str; 9] = [
	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
	"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
	"aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
	"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
	"4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
	"76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
	"ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
	"5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

fn hex(hash: &TreeHash) -> alloc::string::String {
	hash.iter().map(|byte| alloc::format!("{byte:02x}")).collect()
}

fn published() -> Vec<TreeHash> {
	LEAVES.iter().map(|leaf| leaf_hash(leaf)).collect()
}

fn leaves(size: u32) -> Vec<TreeHash> {
	(0..size).map(|index| leaf_hash(&index.to_be_bytes())).collect()
}

fn range_root(leaves: &[TreeHash], range: &Range<u32>) -> TreeHash {
	root_of(&leaves[range.start as usize..range.end as usize])
}

fn collect(leaves: &[TreeHash], ranges: Option<Vec<Range<u32>>>) -> Vec<TreeHash> {
	ranges.unwrap().iter().map(|range| range_root(leaves, range)).collect()
}

fn path(leaves: &[TreeHash], index: u32) -> Vec<TreeHash> {
	collect(leaves, path_ranges(index, leaves.len() as u32))
}

fn consistency(leaves: &[TreeHash], first: u32) -> Vec<TreeHash> {
	collect(leaves, consistency_ranges(first, leaves.len() as u32))
}

/// The definitions of RFC 6962 section 2.1, word for word, to hold the code against.
mod rfc6962 {
	use super::*;

	fn k(n: usize) -> usize {
		let mut k = 1;
		while k * 2 < n {
			k *= 2;
		}
		k
	}

	pub fn mth(d: &[TreeHash]) -> TreeHash {
		match d {
			[] => sha2_256(&[]),
			[leaf] => *leaf,
			_ => {
				let (left, right) = d.split_at(k(d.len()));
				sha2_256(&[&[1][..], &mth(left), &mth(right)].concat())
			},
		}
	}

	pub fn path(m: usize, d: &[TreeHash]) -> Vec<TreeHash> {
		if d.len() == 1 {
			return vec![];
		}
		let (left, right) = d.split_at(k(d.len()));
		let (mut path, last) = match m < left.len() {
			true => (path(m, left), mth(right)),
			false => (path(m - left.len(), right), mth(left)),
		};
		path.push(last);
		path
	}

	pub fn proof(m: usize, d: &[TreeHash]) -> Vec<TreeHash> {
		subproof(m, d, true)
	}

	fn subproof(m: usize, d: &[TreeHash], b: bool) -> Vec<TreeHash> {
		if m == d.len() {
			return if b { vec![] } else { vec![mth(d)] };
		}
		let (left, right) = d.split_at(k(d.len()));
		let (mut proof, last) = match m <= left.len() {
			true => (subproof(m, left, b), mth(right)),
			false => (subproof(m - left.len(), right, false), mth(left)),
		};
		proof.push(last);
		proof
	}
}

#[test]
fn the_roots_are_the_published_ones() {
	let leaves = published();
	for (size, root) in ROOTS.iter().enumerate() {
		assert_eq!(hex(&root_of(&leaves[..size])), *root, "of {size}");
	}
}

#[test]
fn roots_paths_and_consistency_are_those_of_the_rfc() {
	for size in 1..=70 {
		let leaves = leaves(size);
		assert_eq!(root_of(&leaves), rfc6962::mth(&leaves));
		for index in 0..size {
			assert_eq!(path(&leaves, index), rfc6962::path(index as usize, &leaves));
		}
		for first in 1..=size {
			assert_eq!(consistency(&leaves, first), rfc6962::proof(first as usize, &leaves));
		}
	}
}

#[test]
fn every_leaf_of_every_size_is_proven_at_its_place_and_at_no_other() {
	for size in 1..=40 {
		let leaves = leaves(size);
		let root = root_of(&leaves);
		for index in 0..size {
			let path = path(&leaves, index);
			for place in 0..size + 2 {
				let proven = is_included(place, size, &root, &leaves[index as usize], &path);
				assert_eq!(proven, place == index, "{index} at {place} of {size}");
			}
		}
	}
}

#[test]
fn a_longer_tree_is_proven_to_begin_with_each_shorter_one() {
	for size in 1..=40 {
		let leaves = leaves(size);
		let second = (size, &root_of(&leaves));
		for first in 1..=size {
			let root = root_of(&leaves[..first as usize]);
			let proof = consistency(&leaves, first);
			assert!(is_consistent((first, &root), second, &proof), "{first} of {size}");
			// The proof of one length is none of another, nor of another beginning.
			for other in (0..=size + 1).filter(|other| *other != first) {
				assert!(!is_consistent((other, &root), second, &proof));
			}
			let forged = leaf_hash(b"forged");
			assert!(!is_consistent((first, &forged), second, &proof));
			assert!(!is_consistent((first, &root), (size, &forged), &proof));
		}
	}
}

#[test]
fn a_tree_with_another_beginning_is_no_continuation() {
	for size in 2..=33 {
		let honest = leaves(size);
		for changed in 0..size - 1 {
			let mut other = honest.clone();
			other[changed as usize] = leaf_hash(b"replaced");
			for first in changed + 1..size {
				let root = root_of(&honest[..first as usize]);
				let proof = consistency(&other, first);
				assert!(!is_consistent((first, &root), (size, &root_of(&other)), &proof));
			}
		}
	}
}

#[test]
fn nothing_begins_with_the_empty_tree() {
	let leaves = leaves(3);
	let root = root_of(&leaves);
	assert!(!is_consistent((0, &root_of(&[])), (3, &root), &[]));
	assert_eq!(consistency_ranges(0, 3), None);
	assert_eq!(consistency_ranges(4, 3), None);
	assert!(is_consistent((3, &root), (3, &root), &[]));
	assert!(!is_consistent((3, &root), (3, &root), &[root]));
	assert!(!is_consistent((2, &root), (3, &root), &[]));
}

#[test]
fn an_inner_node_is_no_leaf() {
	let leaves = leaves(4);
	let root = root_of(&leaves);
	let [left, right] = [0..2, 2..4].map(|range| range_root(&leaves, &range));
	// A second pre-image of the root: its two children, taken for a leaf in a tree of one or of two.
	let children = [left, right].concat();
	assert!(!is_included(0, 1, &root, &leaf_hash(&children), &[]));
	let grandchildren = [leaves[0], leaves[1]].concat();
	assert!(!is_included(0, 2, &root, &leaf_hash(&grandchildren), &[right]));
	// With the hash of the node itself it works only for who may choose the size, which the record fixes.
	assert!(!is_included(0, 4, &root, &left, &[right]));
}

#[test]
fn a_leaf_is_no_inner_node() {
	// Somebody commits a leaf that looks like a node, and shows what would be below it.
	let [a, b] = [leaf_hash(b"a"), leaf_hash(b"b")];
	let looks_like_node = leaf_hash(&[a, b].concat());
	assert_ne!(looks_like_node, node_hash(&a, &b));
	let prefixed = leaf_hash(&[&[NODE][..], &a, &b].concat());
	assert_ne!(prefixed, node_hash(&a, &b));
	let sibling = leaf_hash(b"c");
	let root = root_of(&[looks_like_node, sibling]);
	assert!(!is_included(0, 3, &root, &a, &[b, sibling]));
}

#[test]
fn a_last_leaf_without_sibling_is_not_there_twice() {
	// In a tree that doubles its last node, three leaves have the root of four. In this one they have not.
	let mut doubled = leaves(3);
	let root = root_of(&doubled);
	let last = doubled[2];
	let path = path(&doubled, 2);
	assert_eq!(path.len(), 1);
	assert!(is_included(2, 3, &root, &last, &path));
	assert!(!is_included(3, 4, &root, &last, &[last, path[0]]));
	assert!(!is_included(3, 3, &root, &last, &path));
	doubled.push(last);
	assert_ne!(root_of(&doubled), root);
}

#[test]
fn a_path_that_is_too_short_or_too_long_is_refused() {
	for size in 2..=20 {
		let leaves = leaves(size);
		let root = root_of(&leaves);
		for index in 0..size {
			let path = path(&leaves, index);
			let leaf = &leaves[index as usize];
			for end in 0..path.len() {
				assert!(!is_included(index, size, &root, leaf, &path[..end]));
				assert!(!is_included(index, size, &root, leaf, &path[end + 1..]));
			}
			for extra in [*leaf, root, [0; 32]] {
				let longer = [&path[..], &[extra]].concat();
				assert!(!is_included(index, size, &root, leaf, &longer));
			}
		}
	}
	assert_eq!(path_ranges(5, 5), None);
	assert_eq!(path_ranges(0, 0), None);
	assert!(!is_included(0, 0, &root_of(&[]), &root_of(&[]), &[]));
	assert!(!is_included(u32::MAX, u32::MAX, &[0; 32], &[0; 32], &[]));
}

#[test]
fn a_wrong_size_is_refused_wherever_it_changes_the_way_up() {
	// Which sibling is on which side, from the leaf up: all that a path knows of the size.
	let way = |index, size| -> Option<Vec<bool>> {
		Some(path_ranges(index, size)?.iter().map(|range| range.start > index).collect())
	};
	let mut refused = 0;
	for size in 1..=33 {
		let leaves = leaves(size);
		let root = root_of(&leaves);
		for index in 0..size {
			let path = path(&leaves, index);
			for other in 0..=70 {
				let proven = is_included(index, other, &root, &leaves[index as usize], &path);
				assert_eq!(proven, way(index, other) == way(index, size));
				refused += u32::from(!proven);
			}
		}
	}
	assert!(refused > 30_000, "{refused}");
}

#[test]
fn the_largest_tree_has_the_longest_proofs() {
	let longest = |ranges: Option<Vec<_>>| ranges.unwrap().len() as u32;
	assert_eq!(longest(path_ranges(0, MAX_FLEET_SIZE)), MAX_PATH_LEN);
	assert_eq!(
		longest(consistency_ranges(MAX_FLEET_SIZE - 1, MAX_FLEET_SIZE)),
		MAX_CONSISTENCY_LEN
	);
	for first in [1, 2, 3, 255, 256, 257, MAX_FLEET_SIZE / 2 + 1, MAX_FLEET_SIZE - 3] {
		assert!(longest(consistency_ranges(first, MAX_FLEET_SIZE)) <= MAX_CONSISTENCY_LEN);
	}
}

#[test]
fn a_frontier_grows_as_the_tree_does() {
	let leaves = leaves(300);
	let mut frontier = Frontier::default();
	for (count, leaf) in leaves.iter().enumerate() {
		assert_eq!(frontier.root(), rfc6962::mth(&leaves[..count]));
		frontier.push(*leaf);
		assert_eq!(frontier.count(), count as u64 + 1);
	}
}

#[test]
fn another_implementation_makes_the_same_proofs_and_accepts_ours() {
	use ct_merkle::{ConsistencyProof, InclusionProof, mem_backed_tree::MemoryBackedTree};
	let mut theirs = MemoryBackedTree::<sha2::Sha256, Vec<u8>>::new();
	let mut roots = vec![];
	for size in 1..=64u32 {
		theirs.push((size - 1).to_be_bytes().to_vec());
		roots.push(theirs.root());
		let ours = leaves(size);
		assert_eq!(theirs.root().as_bytes()[..], root_of(&ours));
		for index in 0..size {
			let path = path(&ours, index).concat();
			assert_eq!(theirs.prove_inclusion(index as usize).as_bytes(), path);
			let proof = InclusionProof::try_from_bytes(path).unwrap();
			let leaf = index.to_be_bytes().to_vec();
			assert!(theirs.root().verify_inclusion(&leaf, index.into(), &proof).is_ok());
		}
		for first in 1..size {
			let proof = consistency(&ours, first).concat();
			let added = (size - first) as usize;
			assert_eq!(theirs.prove_consistency(added).as_bytes(), proof);
			let proof = ConsistencyProof::try_from_bytes(proof).unwrap();
			let before = &roots[first as usize - 1];
			assert!(theirs.root().verify_consistency(before, &proof).is_ok());
		}
	}
}
