//! For those who serve bundles: a justification with no more than it needs.
//!
//! A node stores all precommits of a round. If an authority has voted twice, both votes are in, wherever they point: to
//! `finality-grandpa` an equivocator counts for every block. The verifier refuses that, as smoldot and the bridge do, so
//! the server takes it out. It needs no trust to do so: what it leaves is judged by the same rules.

use crate::{
	error::{Error, Part},
	justification::{Justification, Target, Vote},
	reader::Reader,
};
use alloc::{collections::BTreeSet, vec::Vec};
use codec::{Compact, Encode};

/// The justification with one vote of each authority, at most `threshold` votes, and the headers that these need.
///
/// `threshold` is that of the set ([`AuthoritySet::threshold`](crate::AuthoritySet::threshold)). Votes for the target come
/// first, as they need no headers; votes that are not linked to it are left out. Signatures are not looked at. The result
/// may have too few votes, if the block is final only because an equivocator counts for it: then serve another block.
///
/// Refused are [`Error::Malformed`] and [`Error::TooLarge`].
pub fn thin_justification(justification: &[u8], threshold: usize) -> Result<Vec<u8>, Error> {
	let mut reader = Reader::new(justification, Part::Justification);
	let justification = Justification::read(&mut reader)?;
	reader.finish()?;
	let target = justification.target;

	let mut headers = Vec::new();
	for header in justification.ancestries() {
		let header = header?;
		headers.push((Target { number: header.number, hash: header.hash() }, header));
	}
	// Parents before children.
	headers.sort_unstable_by_key(|(block, _)| *block);
	headers.dedup_by_key(|(block, _)| *block);
	let mut linked = BTreeSet::from([target]);
	for (block, header) in &headers {
		let below = header.number.checked_sub(1);
		let parent = below.map(|number| Target { number, hash: *header.parent });
		if parent.is_some_and(|parent| linked.contains(&parent)) {
			linked.insert(*block);
		}
	}

	let mut votes = justification.votes().collect::<Result<Vec<Vote<'_>>, _>>()?;
	votes.sort_by_key(|vote| vote.target != target);
	let mut voters = BTreeSet::new();
	let mut wanted = BTreeSet::new();
	votes.retain(|vote| {
		let is_needed = voters.len() < threshold
			&& linked.contains(&vote.target)
			&& voters.insert(*vote.authority);
		if is_needed {
			wanted.insert(vote.target);
		}
		is_needed
	});

	// From the highest header down: one that is wanted wants its parent.
	headers.retain(|(block, _)| linked.contains(block) && *block != target);
	headers.reverse();
	headers.retain(|(block, header)| {
		let is_needed = wanted.contains(block);
		if let (true, Some(number)) = (is_needed, header.number.checked_sub(1)) {
			wanted.insert(Target { number, hash: *header.parent });
		}
		is_needed
	});

	let mut bytes = (justification.round, target.hash, target.number).encode();
	bytes.extend(count(votes.len()));
	votes.iter().for_each(|vote| bytes.extend_from_slice(vote.bytes));
	bytes.extend(count(headers.len()));
	headers.iter().for_each(|(_, header)| bytes.extend_from_slice(header.bytes));
	Ok(bytes)
}

/// Both lists have been read within their limits.
fn count(len: usize) -> Vec<u8> {
	Compact(u32::try_from(len).unwrap_or(u32::MAX)).encode()
}
