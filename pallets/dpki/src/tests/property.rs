//! Random trees, and random ends in them: whatever is wrong with an anchor is wrong with everything below it.
//!
//! The model beside the chain knows the parent of each anchor and what was done to it, and looks at all of it.

use super::{mock::*, pki::*};
use dpki_primitives::{anchor::MAX_ANCHOR_DEPTH, ids::AnchorId, status::Status};
use frame_support::assert_ok;

/// SplitMix64: small, deterministic, and good enough to choose by.
struct Random(u64);

impl Random {
	fn below(&mut self, bound: usize) -> usize {
		self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
		let mut z = self.0;
		z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
		z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
		((z ^ (z >> 31)) % bound as u64) as usize
	}
}

/// What the model knows of an anchor.
struct Node {
	party: Party,
	parent: Option<usize>,
	depth: u8,
	revoked: bool,
	suspended: bool,
	retired: bool,
}

struct Forest(Vec<Node>);

impl Forest {
	fn grow(random: &mut Random, count: usize) -> Self {
		let mut forest = Self(Vec::new());
		for n in 0..count {
			let name = format!("Authority {n}");
			let parent = (n > 0 && random.below(8) > 0)
				.then(|| random.below(n))
				.filter(|parent| forest.0[*parent].depth < MAX_ANCHOR_DEPTH);
			let (party, depth) = match parent {
				None => (Party::root(&name), 0),
				Some(parent) => {
					let parent = &forest.0[parent];
					(parent.party.issue(&name), parent.depth + 1)
				},
			};
			match parent {
				None => party.register_root(),
				Some(parent) => party.register_below(&forest.0[parent].party),
			};
			let (revoked, suspended, retired) = (false, false, false);
			forest.0.push(Node { party, parent, depth, revoked, suspended, retired });
		}
		forest
	}

	/// From the node up to its root.
	fn path(&self, node: usize) -> Vec<&Node> {
		std::iter::successors(Some(node), |node| self.0[*node].parent)
			.map(|node| &self.0[node])
			.collect()
	}

	fn expected(&self, node: usize) -> &'static str {
		let (own, path) = (&self.0[node], self.path(node));
		if own.revoked {
			"revoked"
		} else if path.iter().any(|node| node.revoked) {
			"issuer revoked"
		} else if path.iter().any(|node| node.suspended) {
			"suspended"
		} else if own.retired {
			"superseded"
		} else {
			"valid"
		}
	}

	fn change(&mut self, random: &mut Random) {
		let at = random.below(self.0.len());
		let node = &mut self.0[at];
		let (id, who) = (node.party.id(), signed(CAROL));
		match random.below(4) {
			0 if !node.revoked => {
				assert_ok!(Dpki::revoke_anchor(who, id, REASON));
				node.revoked = true;
			},
			1 if !node.revoked && !node.suspended => {
				assert_ok!(Dpki::suspend_anchor(who, id));
				node.suspended = true;
			},
			2 if !node.revoked && node.suspended => {
				assert_ok!(Dpki::release_anchor(who, id));
				node.suspended = false;
			},
			3 if !node.revoked && !node.retired => {
				assert_ok!(Dpki::retire_anchor(who, id));
				node.retired = true;
			},
			_ => {},
		}
	}
}

#[test]
fn every_verdict_is_that_of_everything_above() {
	for seed in 0..12 {
		run(|| {
			let mut random = Random(seed);
			let mut forest = Forest::grow(&mut random, 12);
			for _ in 0..40 {
				forest.change(&mut random);
				for node in 0..forest.0.len() {
					let verdict = Dpki::anchor_status(forest.0[node].party.id());
					assert_eq!(verdict.name(), forest.expected(node), "seed {seed}, {node}");
				}
			}
		});
	}
}

#[test]
fn a_revoked_anchor_makes_no_descendant_valid_whatever_was_or_is_done_to_it() {
	for seed in 100..112 {
		run(|| {
			let mut random = Random(seed);
			let mut forest = Forest::grow(&mut random, 12);
			for _ in 0..10 {
				forest.change(&mut random);
			}
			let revoked: Vec<bool> = (0..forest.0.len())
				.map(|node| forest.path(node).iter().any(|node| node.revoked))
				.collect();
			let ids: Vec<AnchorId> = forest.0.iter().map(|node| node.party.id()).collect();
			for _ in 0..20 {
				forest.change(&mut random);
				for (id, _) in ids.iter().zip(&revoked).filter(|(_, revoked)| **revoked) {
					let verdict = Dpki::anchor_status(*id);
					let ended = matches!(verdict, Status::Revoked(_) | Status::IssuerRevoked(_));
					assert!(ended, "seed {seed}: {verdict:?}");
				}
			}
		});
	}
}
