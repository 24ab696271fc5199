//! From a checkpoint to the head, through the changes of the authority set.
//!
//! A change is announced in the last block that the old set finalises; from the next block on the new set finalises.
//! The justification of that last block proves the hand-over, as in warp sync proofs (`sc_consensus_grandpa::warp_proof`).
//!
//! What this cannot see: whether a set that has been replaced signs again. Keys of a former set that fall into wrong
//! hands can lead a device that still trusts that set to another chain (the long-range attack). A device is safe from
//! the keys of every set that it has left, which is why it should follow changes soon, and why validators should destroy
//! old keys.

use crate::{
	checkpoint::{AuthoritySet, Checkpoint},
	crypto::Ed25519,
	error::{Error, Part},
	header::Header,
	justification::{Justification, Target},
	limits::{MAX_BUNDLE_LEN, MAX_FRAGMENTS},
	reader::{Reader, at_most},
};
use alloc::{borrow::Cow, vec::Vec};

/// A header and what proves it final.
#[derive(Clone, Copy)]
pub(crate) struct Justified<'a> {
	pub(crate) header: Header<'a>,
	pub(crate) justification: Justification<'a>,
}

impl<'a> Justified<'a> {
	pub(crate) fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
		let header = Header::read(reader)?;
		let justification = Justification::read(reader)?;
		Ok(Self { header, justification })
	}

	/// Reads a list of them.
	pub(crate) fn read_list(reader: &mut Reader<'a>) -> Result<Vec<Self>, Error> {
		let outer = reader.within(Part::Fragments);
		let fragments = (0..reader.count(MAX_FRAGMENTS)?).map(|_| Self::read(reader)).collect();
		reader.within(outer);
		fragments
	}

	/// The list of fragments that is the whole of `bytes`.
	pub(crate) fn decode_list(bytes: &'a [u8]) -> Result<Vec<Self>, Error> {
		at_most(Part::Fragments, bytes.len(), MAX_BUNDLE_LEN)?;
		let mut reader = Reader::new(bytes, Part::Fragments);
		let fragments = Self::read_list(&mut reader)?;
		reader.finish()?;
		Ok(fragments)
	}

	fn target(&self) -> Target {
		Target { number: self.header.number, hash: self.header.hash() }
	}
}

/// Where a device stands while it follows.
pub(crate) struct Position<'a> {
	checkpoint: &'a Checkpoint,
	set: Cow<'a, AuthoritySet>,
	block: Target,
}

impl<'a> Position<'a> {
	pub(crate) fn at(checkpoint: &'a Checkpoint) -> Self {
		Self {
			checkpoint,
			set: Cow::Borrowed(&checkpoint.set),
			block: Target { number: checkpoint.number, hash: checkpoint.hash },
		}
	}

	/// Follows changes of the set. Those at or below the checkpoint are passed over: one bundle serves devices that
	/// have come differently far, and nothing depends on what is passed over.
	pub(crate) fn follow(
		&mut self,
		fragments: &[Justified<'_>],
		crypto: &impl Ed25519,
	) -> Result<(), Error> {
		let mut previous = None;
		for fragment in fragments {
			let number = fragment.header.number;
			check_above(number, previous)?;
			previous = Some(number);
			if number > self.checkpoint.number && !self.accept(fragment, crypto)? {
				return Err(Error::ChangeMissing { number });
			}
		}
		Ok(())
	}

	/// Moves to the head, the block that is asked about.
	pub(crate) fn arrive(
		&mut self,
		fragments: &[Justified<'_>],
		head: &Justified<'_>,
		crypto: &impl Ed25519,
	) -> Result<(), Error> {
		// Without signatures to check, the most frequent refusal is the cheapest one.
		let (number, seen) = (head.header.number, self.checkpoint.number);
		if number < seen {
			return Err(Error::OlderThanSeen { number, seen });
		}
		check_above(number, fragments.last().map(|it| it.header.number))?;
		self.follow(fragments, crypto)?;
		if number == seen {
			// The checkpoint itself. It is final already, and if it announced a change its justification is by a
			// set that is no longer known here.
			let block = head.target();
			if block != self.block {
				return Err(Error::ConflictsWithSeen { number });
			}
			return head.justification.check_target(block);
		}
		self.accept(head, crypto).map(|_| ())
	}

	/// Moves to a block that the current set has finalised; says whether it announces another set.
	fn accept(&mut self, next: &Justified<'_>, crypto: &impl Ed25519) -> Result<bool, Error> {
		let block = next.target();
		next.justification.verify(block, &self.set, crypto)?;
		let authorities = next.header.next_authorities()?;
		let changes = authorities.is_some();
		if let Some(authorities) = authorities {
			self.set = Cow::Owned(self.set.next(authorities)?);
		}
		self.block = block;
		Ok(changes)
	}

	pub(crate) fn into_checkpoint(self) -> Checkpoint {
		Checkpoint {
			genesis: self.checkpoint.genesis,
			set: self.set.into_owned(),
			number: self.block.number,
			hash: self.block.hash,
		}
	}
}

fn check_above(number: u32, previous: Option<u32>) -> Result<(), Error> {
	match previous {
		Some(previous) if number <= previous => Err(Error::OutOfOrder { number, previous }),
		_ => Ok(()),
	}
}
