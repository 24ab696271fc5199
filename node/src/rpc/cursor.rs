// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Where a subscriber stands.
//!
//! There is no seam between a replay and what is new: a cursor walks over the numbers of finalised blocks, each once and
//! in order, and waits at the end. So nothing is missed and nothing is told twice, whatever the rhythm in which blocks
//! become final, and a subscriber that comes back goes on at the block after the last one that it was told.

use super::{
	error::Refusal,
	limits::{MAX_AHEAD, PROGRESS_INTERVAL},
};
use dpki_runtime::BlockNumber;

/// Where a subscriber stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
	/// The block that is read next.
	next: BlockNumber,
	/// The block that was told last, if there was one.
	told: Option<BlockNumber>,
}

impl Cursor {
	/// Begins with block `since`; with the newest finalised one if it is not said.
	pub fn new(since: Option<BlockNumber>, finalized: BlockNumber) -> Result<Self, Refusal> {
		let next = since.unwrap_or(finalized);
		if next > finalized.saturating_add(MAX_AHEAD) {
			return Err(Refusal::SinceTooFar { asked: next, newest: finalized });
		}
		Ok(Self { next, told: None })
	}

	/// The block that is read next, if it is final already.
	pub fn due(&self, finalized: BlockNumber) -> Option<BlockNumber> {
		(self.next <= finalized).then_some(self.next)
	}

	/// Moves past the block that was due. Says whether the subscriber is to be told of it: if something happened in it, if it is
	/// the first, and now and then, so that the subscriber knows from where to go on.
	pub fn pass(&mut self, something_happened: bool) -> bool {
		let number = self.next;
		self.next = number.saturating_add(1);
		let is_long_ago =
			self.told.is_none_or(|told| number.saturating_sub(told) >= PROGRESS_INTERVAL);
		let tell = something_happened || is_long_ago;
		if tell {
			self.told = Some(number);
		}
		tell
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	/// Which blocks are told, up to a finalised block, if something happens in these.
	fn told(
		cursor: &mut Cursor,
		finalized: BlockNumber,
		happened: &[BlockNumber],
	) -> Vec<BlockNumber> {
		let mut all = Vec::new();
		while let Some(number) = cursor.due(finalized) {
			if cursor.pass(happened.contains(&number)) {
				all.push(number);
			}
		}
		all
	}

	#[test]
	fn a_replay_begins_with_the_block_that_was_named() {
		let mut cursor = Cursor::new(Some(5), 8).unwrap();
		assert_eq!(told(&mut cursor, 8, &[4, 5, 7]), [5, 7]);
	}

	#[test]
	fn without_a_beginning_the_newest_block_is_told_at_once() {
		let mut cursor = Cursor::new(None, 8).unwrap();
		assert_eq!(told(&mut cursor, 8, &[]), [8]);
		assert!(told(&mut cursor, 12, &[]).is_empty());
	}

	#[test]
	fn no_block_is_missed_or_told_twice_however_blocks_become_final() {
		let happened: Vec<_> = (1..=40).filter(|number| number % 3 == 0).collect();
		for steps in [vec![40], vec![7, 7, 8, 30, 40], (0..=40).collect()] {
			let mut cursor = Cursor::new(Some(1), 0).unwrap();
			let mut all = Vec::new();
			for finalized in steps {
				all.extend(told(&mut cursor, finalized, &happened));
			}
			all.retain(|number| happened.contains(number));
			assert_eq!(all, happened);
		}
	}

	#[test]
	fn who_comes_back_after_the_last_told_block_misses_nothing() {
		let happened: Vec<_> = (1..=100).filter(|number| number % 21 == 0).collect();
		let mut all = Vec::new();
		let mut since = 1;
		for finalized in [10, 30, 31, 70, 100] {
			let mut cursor = Cursor::new(Some(since), finalized).unwrap();
			let heard = told(&mut cursor, finalized, &happened);
			since = heard.last().map_or(since, |last| last + 1);
			all.extend(heard.into_iter().filter(|number| happened.contains(number)));
		}
		assert_eq!(all, happened);
	}

	#[test]
	fn a_quiet_chain_is_told_of_now_and_then() {
		let mut cursor = Cursor::new(Some(1), 50).unwrap();
		let expected: Vec<_> = (1..=50).step_by(PROGRESS_INTERVAL as usize).collect();
		assert_eq!(told(&mut cursor, 50, &[]), expected);
	}

	#[test]
	fn a_node_that_is_a_little_behind_waits_and_the_far_future_is_refused() {
		let cursor = Cursor::new(Some(10 + MAX_AHEAD), 10).unwrap();
		assert_eq!(cursor.due(10), None);
		let asked = 11 + MAX_AHEAD;
		let refused = Err(Refusal::SinceTooFar { asked, newest: 10 });
		assert_eq!(Cursor::new(Some(asked), 10), refused);
		assert!(Cursor::new(Some(u32::MAX), u32::MAX).is_ok());
	}
}
