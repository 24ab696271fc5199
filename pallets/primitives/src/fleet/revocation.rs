//! The bitmap: which members are revoked, why, and since when.
//!
//! It is cut into chunks of [`MEMBERS_PER_CHUNK`] members, each a value of its own in the state; no chunk means that none
//! of its members is revoked. Bit *n* of a mask is bit `n % 8`, counted from the lowest, of byte `n / 8`. A bit stays set for ever,
//! and it stands for the *place* in the fleet: no later leaf at that place is good.
//!
//! A chunk keeps one mask for each call that revoked something in it, with reason and time. When there are more calls
//! than [`MAX_BATCHES_PER_CHUNK`], the two oldest become one: since the earlier time, for the common reason. Whoever needs
//! more than that finds it in the events.

use super::tree::MAX_FLEET_SIZE;
use crate::revocation::{Revocation, RevocationReason};
use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Members of a chunk.
pub const MEMBERS_PER_CHUNK: u32 = 4096;

/// Bytes of the mask of a chunk.
pub const MASK_LEN: usize = MEMBERS_PER_CHUNK as usize / 8;

/// Most calls that a chunk tells apart.
pub const MAX_BATCHES_PER_CHUNK: u32 = 4;

/// Most chunks that one call can touch: a million members and more.
pub const MAX_CHUNKS_PER_REVOCATION: u32 = 256;

/// What a call adds to a chunk. Zeros at the end can be left out.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct ChunkMask {
	/// Which chunk: it begins with member `chunk * MEMBERS_PER_CHUNK`.
	pub chunk: u16,
	/// A bit for each member that is to be revoked.
	pub mask: BoundedVec<u8, ConstU32<{ MASK_LEN as u32 }>>,
}

/// What one call revoked in a chunk.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct RevocationBatch {
	/// Why and since when.
	pub revocation: Revocation,
	/// Whom.
	pub mask: [u8; MASK_LEN],
}

/// What is revoked in a chunk, as stored. No member is in two batches.
#[derive(
	Clone,
	PartialEq,
	Eq,
	Debug,
	Default,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct RevocationChunk {
	/// Oldest first.
	pub batches: BoundedVec<RevocationBatch, ConstU32<MAX_BATCHES_PER_CHUNK>>,
}

impl RevocationChunk {
	/// Whether and why the member at this place in the chunk is revoked.
	pub fn of(&self, place: u32) -> Option<Revocation> {
		self.batches
			.iter()
			.find(|batch| is_set(&batch.mask, place))
			.map(|batch| batch.revocation)
	}

	/// How many members are revoked.
	pub fn count(&self) -> u32 {
		self.batches.iter().map(|batch| count(&batch.mask)).sum()
	}

	/// Revokes who is in `mask` and was not revoked before, and tells how many those are.
	pub fn revoke(&mut self, mask: &[u8], revocation: Revocation) -> u32 {
		let mut new = [0; MASK_LEN];
		for (place, (byte, added)) in new.iter_mut().zip(mask).enumerate() {
			let known = self.batches.iter().fold(0, |known, batch| known | batch.mask[place]);
			*byte = added & !known;
		}
		let revoked = count(&new);
		if revoked == 0 {
			return 0;
		}
		if self.batches.is_full() {
			self.join_oldest();
		}
		// There is room: either the list was not full, or two of it have become one.
		let _ = self.batches.try_push(RevocationBatch { revocation, mask: new });
		revoked
	}

	fn join_oldest(&mut self) {
		let oldest = self.batches.remove(0);
		let Some(joint) = self.batches.get_mut(0) else { return };
		for (byte, older) in joint.mask.iter_mut().zip(oldest.mask) {
			*byte |= older;
		}
		joint.revocation = Revocation {
			reason: common_reason(oldest.revocation.reason, joint.revocation.reason),
			at: joint.revocation.at.min(oldest.revocation.at),
		};
	}
}

/// The reason for which both can be said to be revoked: that a key may be known to somebody else is not forgotten.
fn common_reason(one: RevocationReason, other: RevocationReason) -> RevocationReason {
	match one == other {
		true => one,
		false if [one, other].contains(&RevocationReason::KeyCompromise) => {
			RevocationReason::KeyCompromise
		},
		false => RevocationReason::Unspecified,
	}
}

/// The chunk of a member.
pub const fn chunk_of(index: u32) -> u32 {
	index / MEMBERS_PER_CHUNK
}

/// How many chunks the members of a fleet of this size are in.
pub const fn chunks(size: u32) -> u32 {
	size.div_ceil(MEMBERS_PER_CHUNK)
}

/// Whether a mask has a bit for a member that a fleet of this size has not.
pub fn exceeds(mask: &ChunkMask, size: u32) -> bool {
	let begin = u32::from(mask.chunk) * MEMBERS_PER_CHUNK;
	let last = mask.mask.iter().enumerate().rev().find(|(_, byte)| **byte != 0);
	last.is_some_and(|(place, byte)| {
		// The place is below `MASK_LEN`.
		let last = begin + place as u32 * 8 + byte.ilog2();
		last >= size
	})
}

/// How many bits of a mask are set.
pub fn count(mask: &[u8]) -> u32 {
	mask.iter().map(|byte| byte.count_ones()).sum()
}

fn is_set(mask: &[u8; MASK_LEN], place: u32) -> bool {
	let byte = mask.get(place as usize / 8).copied().unwrap_or_default();
	byte >> (place % 8) & 1 == 1
}

const _: () = {
	assert!(chunks(MAX_FLEET_SIZE) <= u16::MAX as u32 + 1, "every chunk has a number");
	assert!(MAX_BATCHES_PER_CHUNK >= 2, "two batches can become one");
};

#[cfg(test)]
mod tests {
	use super::*;
	use alloc::{vec, vec::Vec};

	fn revocation(reason: RevocationReason, at: u64) -> Revocation {
		Revocation { reason, at }
	}

	const CEASED: RevocationReason = RevocationReason::CessationOfOperation;

	#[test]
	fn a_member_is_revoked_for_the_reason_of_its_call() {
		let mut chunk = RevocationChunk::default();
		assert_eq!(chunk.revoke(&[0b101], revocation(CEASED, 5)), 2);
		let compromise = revocation(RevocationReason::KeyCompromise, 6);
		assert_eq!(chunk.revoke(&[0b111, 1], compromise), 2);
		let found: Vec<_> = (0..10).map(|place| chunk.of(place).map(|it| it.at)).collect();
		let (five, six) = (Some(5), Some(6));
		assert_eq!(found, [five, six, five, None, None, None, None, None, six, None]);
		assert_eq!(chunk.count(), 4);
		assert_eq!(chunk.of(MEMBERS_PER_CHUNK), None);
	}

	#[test]
	fn what_is_revoked_already_keeps_its_reason() {
		let mut chunk = RevocationChunk::default();
		chunk.revoke(&[1], revocation(CEASED, 5));
		let before = chunk.clone();
		assert_eq!(chunk.revoke(&[1], revocation(RevocationReason::KeyCompromise, 6)), 0);
		assert_eq!(chunk.revoke(&[], revocation(CEASED, 6)), 0);
		assert_eq!(chunk, before);
	}

	#[test]
	fn nobody_comes_back_when_batches_become_one() {
		let mut chunk = RevocationChunk::default();
		for place in 0..100u32 {
			let mut mask = vec![0; MASK_LEN];
			mask[place as usize] = 0x80;
			assert_eq!(chunk.revoke(&mask, revocation(CEASED, u64::from(place) + 1)), 1);
			assert_eq!(chunk.count(), place + 1);
			assert!((0..=place).all(|place| chunk.of(place * 8 + 7).is_some()));
		}
		assert_eq!(chunk.of(7), Some(revocation(CEASED, 1)));
		assert_eq!(chunk.of(96 * 8 + 7), Some(revocation(CEASED, 1)));
		assert_eq!(chunk.of(99 * 8 + 7), Some(revocation(CEASED, 100)));
	}

	#[test]
	fn a_compromise_is_not_forgotten_when_batches_become_one() {
		let compromise = RevocationReason::KeyCompromise;
		assert_eq!(common_reason(CEASED, compromise), compromise);
		assert_eq!(common_reason(compromise, CEASED), compromise);
		assert_eq!(common_reason(CEASED, CEASED), CEASED);
		let other = RevocationReason::Superseded;
		assert_eq!(common_reason(CEASED, other), RevocationReason::Unspecified);
	}

	#[test]
	fn a_bit_beyond_the_last_member_is_noticed() {
		let mask = |chunk, mask: Vec<u8>| ChunkMask { chunk, mask: mask.try_into().unwrap() };
		assert!(!exceeds(&mask(0, vec![0b111]), 3) && exceeds(&mask(0, vec![0b1000]), 3));
		assert!(!exceeds(&mask(0, vec![1, 0, 0]), 1) && !exceeds(&mask(9, vec![0; 4]), 1));
		assert!(!exceeds(&mask(1, vec![1]), 4097) && exceeds(&mask(1, vec![1]), 4096));
		assert!(exceeds(&mask(u16::MAX, vec![0xff; MASK_LEN]), MAX_FLEET_SIZE));
		assert!(!exceeds(&mask(4095, vec![0xff; MASK_LEN]), MAX_FLEET_SIZE));
	}
}
