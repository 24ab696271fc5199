//! GRANDPA justifications: that more than two thirds of a set have finalised a block.
//!
//! The encoding is that of `sp_consensus_grandpa::GrandpaJustification`: round, commit (target hash, target number,
//! signed precommits), and the headers that link the votes to the target. A vote is signed over
//! `SCALE(1u8, target hash, target number, round, set id)`, 53 bytes, where 1 stands for "precommit".
//!
//! A signature is over the block that the *voter* named, not over the block that the justification claims. Whoever does
//! not compare the two accepts a real justification under a forged header. The rules, of which each refuses on its own:
//!
//! 1. the commit's target is the header beside the justification, by hash and number;
//! 2. the voters are distinct members of the set;
//! 3. there are at least [`threshold`](crate::AuthoritySet::threshold) of them;
//! 4. each votes for the target or for a descendant of it, shown by the vote ancestries, in which hashes and numbers
//!    agree;
//! 5. no header of the vote ancestries is missing, unused or there twice;
//! 6. the votes do not finalise a block above the target: honest voters name the highest one;
//! 7. every signature verifies, those beyond the threshold too.
//!
//! Compared with `finality_grandpa::validate_commit` this is stricter in rules 2, 4 and 5: that function passes over votes
//! of strangers, and lets an authority that has voted twice count for every block. Honest nodes make such a
//! justification when an authority equivocates, and put both votes in. Who serves bundles takes out what is too much
//! with [`thin_justification`](crate::thin_justification); what is left can be judged by simple rules.

use crate::{
	checkpoint::{AuthoritySet, Roll},
	crypto::Ed25519,
	error::{Error, Part},
	header::Header,
	limits::{MAX_AUTHORITIES, MAX_VOTE_ANCESTRIES},
	reader::Reader,
};
use alloc::vec::Vec;
use core::cmp::Reverse;

/// The bytes of a signed precommit: target hash, target number, signature, authority.
pub(crate) const VOTE_LEN: usize = 32 + 4 + 64 + 32;

/// `finality_grandpa::Message::Precommit`.
const PRECOMMIT: u8 = 1;

#[derive(Clone, Copy)]
pub(crate) struct Justification<'a> {
	pub(crate) round: u64,
	pub(crate) target: Target,
	votes: &'a [[u8; VOTE_LEN]],
	/// The vote ancestries: their count and their bytes, which have been read once.
	ancestries: (usize, &'a [u8]),
}

/// A block by number and hash.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Target {
	pub(crate) number: u32,
	pub(crate) hash: [u8; 32],
}

pub(crate) struct Vote<'a> {
	pub(crate) target: Target,
	signature: &'a [u8; 64],
	pub(crate) authority: &'a [u8; 32],
	/// All of it.
	pub(crate) bytes: &'a [u8; VOTE_LEN],
}

impl<'a> Justification<'a> {
	/// Reads one justification and leaves what follows it.
	pub(crate) fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
		let outer = reader.within(Part::Justification);
		let round = reader.u64()?;
		let hash = *reader.array()?;
		let number = reader.u32()?;
		let count = reader.count(MAX_AUTHORITIES)?;
		let (votes, _) = reader.take(count.saturating_mul(VOTE_LEN))?.as_chunks();
		reader.within(Part::VoteAncestries);
		let count = reader.count(MAX_VOTE_ANCESTRIES)?;
		let headers = reader.rest();
		for _ in 0..count {
			Header::read(reader)?;
		}
		reader.within(outer);
		Ok(Self { round, target: Target { number, hash }, votes, ancestries: (count, headers) })
	}

	/// Rule 1.
	pub(crate) fn check_target(&self, block: Target) -> Result<(), Error> {
		if self.target != block {
			return Err(Error::TargetMismatch { number: block.number });
		}
		Ok(())
	}

	/// All rules. What costs little is looked at first; signatures come last.
	pub(crate) fn verify(
		&self,
		block: Target,
		set: &AuthoritySet,
		crypto: &impl Ed25519,
	) -> Result<(), Error> {
		self.check_target(block)?;
		let mut roll = Roll::new(set);
		for vote in self.votes() {
			roll.note(vote?.authority)?;
		}
		let needed = set.threshold();
		if self.votes.len() < needed {
			return Err(Error::TooFewVotes { found: self.votes.len(), needed });
		}
		self.check_ancestries(needed)?;
		self.check_signatures(set.id(), crypto)
	}

	pub(crate) fn votes(&self) -> impl Iterator<Item = Result<Vote<'a>, Error>> {
		self.votes.iter().map(|bytes| {
			let mut reader = Reader::new(bytes, Part::Justification);
			let hash = *reader.array()?;
			let number = reader.u32()?;
			let signature = reader.array()?;
			let authority = reader.array()?;
			Ok(Vote { target: Target { number, hash }, signature, authority, bytes })
		})
	}

	pub(crate) fn ancestries(&self) -> impl Iterator<Item = Result<Header<'a>, Error>> {
		let (count, bytes) = self.ancestries;
		let mut reader = Reader::new(bytes, Part::VoteAncestries);
		(0..count).map(move |_| Header::read(&mut reader))
	}

	/// Rules 4 to 6. Votes are counted on the blocks that they name and handed down, from the highest block, to the
	/// parents.
	fn check_ancestries(&self, threshold: usize) -> Result<(), Error> {
		let mut blocks = self.read_ancestries()?;
		for vote in self.votes() {
			let target = vote?.target;
			if target != self.target {
				add_votes(&mut blocks, target, 1)
					.ok_or(Error::VoteUnlinked { number: target.number })?;
			}
		}
		for index in 0..blocks.len() {
			let Some(Block { target: Target { number, .. }, parent, votes }) = blocks.get(index)
			else {
				break;
			};
			let (number, votes) = (*number, *votes);
			if votes == 0 {
				return Err(Error::AncestryUnused { number });
			}
			if votes >= threshold {
				return Err(Error::TargetTooLow { number });
			}
			let unlinked = Error::VoteUnlinked { number };
			let Some(below) = number.checked_sub(1) else { return Err(unlinked) };
			let parent = Target { number: below, hash: *parent };
			if parent != self.target {
				add_votes(&mut blocks, parent, votes).ok_or(unlinked)?;
			}
		}
		Ok(())
	}

	/// The blocks of the vote ancestries, the highest first.
	fn read_ancestries(&self) -> Result<Vec<Block>, Error> {
		let mut blocks = Vec::with_capacity(self.ancestries.0);
		for header in self.ancestries() {
			let header = header?;
			let target = Target { number: header.number, hash: header.hash() };
			blocks.push(Block { target, parent: *header.parent, votes: 0 });
		}
		blocks.sort_unstable_by_key(Block::order);
		let mut previous = None;
		for Block { target, .. } in &blocks {
			if previous == Some(target) {
				return Err(Error::AncestryRepeated { number: target.number });
			}
			previous = Some(target);
		}
		Ok(blocks)
	}

	/// Rule 7.
	fn check_signatures(&self, set_id: u64, crypto: &impl Ed25519) -> Result<(), Error> {
		let mut message = Vec::with_capacity(53);
		for vote in self.votes() {
			let Vote { target, signature, authority, .. } = vote?;
			message.clear();
			message.push(PRECOMMIT);
			message.extend_from_slice(&target.hash);
			message.extend_from_slice(&target.number.to_le_bytes());
			message.extend_from_slice(&self.round.to_le_bytes());
			message.extend_from_slice(&set_id.to_le_bytes());
			if !crypto.verify(authority, &message, signature) {
				return Err(Error::BadSignature { authority: *authority });
			}
		}
		Ok(())
	}
}

/// A block of the vote ancestries, and how many votes are for it or its descendants.
struct Block {
	target: Target,
	parent: [u8; 32],
	votes: usize,
}

impl Block {
	fn order(&self) -> (Reverse<u32>, [u8; 32]) {
		(Reverse(self.target.number), self.target.hash)
	}
}

/// Adds votes to a block, or says that there is no such block.
fn add_votes(blocks: &mut [Block], to: Target, votes: usize) -> Option<()> {
	let index = blocks.binary_search_by_key(&(Reverse(to.number), to.hash), Block::order).ok()?;
	let block = blocks.get_mut(index)?;
	block.votes = block.votes.saturating_add(votes);
	Some(())
}
