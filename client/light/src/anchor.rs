//! Holds the chain that smoldot follows against the authorities that a device has pinned.
//!
//! smoldot begins at the genesis block at each start and finds the present authorities through all former ones. Whoever
//! has the keys of a set that was replaced can lead it elsewhere (the long-range attack). A pinned
//! [`Checkpoint`] cannot be led: it names the set, and only that set can hand over to another.
//!
//! So nothing that smoldot says about the chain counts before the two meet:
//!
//! | smoldot's set | what follows |
//! |---|---|
//! | an earlier one, below the pinned block | it catches up: wait |
//! | the pinned one | whatever it finalises *from now on* has been signed by the pinned authorities. The block at which it arrived has not been: it may be one that former authorities made up, to name the right successors |
//! | a later one, and the pinned set is the first of the chain | smoldot has begun with the pinned set itself and has seen each hand-over since |
//! | a later one | the hand-overs since the pinned set are fetched from peers and verified here; then as above |
//! | anything else | it was led astray: nothing is believed any more |
//!
//! After they have met, smoldot goes from set to set by the same rules as the verifier, and the checkpoint follows it.

use dpki_verifier::Checkpoint;
use std::cmp::Ordering;

/// Why nothing of what the light client says counts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnchorError {
	/// The checkpoint is of a chain with another first block, or with other first authorities.
	#[error("the checkpoint is of another chain: use the one that came with the device")]
	OtherChain,
	/// The light client follows another chain than the pinned authorities.
	#[error(
		"block {number}, which the light client takes for final, is not of the chain of the pinned authorities (set {set}): \
		 it was led astray; nothing that it says is believed. Start it again with other peers; if your organisation says that \
		 the chain was restarted by force, get a new checkpoint from it"
	)]
	Diverged {
		/// The number of the block.
		number: u32,
		/// The number of the pinned set.
		set: u64,
	},
	/// The authorities have changed since the checkpoint, and nobody proves how.
	#[error(
		"the authorities have changed from set {pinned} to set {found} since the checkpoint, and no peer proves it ({reason}): \
		 trying again; if it stays so, get a newer checkpoint from your organisation"
	)]
	TooOld {
		/// The number of the pinned set.
		pinned: u64,
		/// The number of the set that the light client follows.
		found: u64,
		/// What the peers said.
		reason: String,
	},
	/// smoldot does not tell what it follows.
	#[error("the light client does not tell what it follows ({reason}): start it again")]
	Silent {
		/// What went wrong.
		reason: String,
	},
}

/// What is to be done about a block that smoldot has finalised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen {
	/// It is on its way: wait for the next one.
	Wait,
	/// Prove the hand-overs between the pinned set and this one, then look again.
	Fetch,
	/// It counts, and so does all that follows.
	Tied,
}

/// A checkpoint, and whether smoldot has met it.
pub(crate) struct Anchor {
	pinned: Checkpoint,
	/// The block at which smoldot was first seen with the pinned set.
	met: Option<Checkpoint>,
	is_tied: bool,
}

impl Anchor {
	pub(crate) fn new(pinned: Checkpoint) -> Self {
		Self { pinned, met: None, is_tied: false }
	}

	pub(crate) fn pinned(&self) -> &Checkpoint {
		&self.pinned
	}

	/// Takes a checkpoint to which verified hand-overs have led.
	pub(crate) fn advance(&mut self, verified: Checkpoint) {
		self.pinned = verified;
	}

	/// Judges what smoldot has finalised by now.
	pub(crate) fn see(&mut self, found: &Checkpoint) -> Result<Seen, AnchorError> {
		if found.genesis != self.pinned.genesis {
			return Err(AnchorError::OtherChain);
		}
		let seen = if self.is_tied { Seen::Tied } else { self.approach(found)? };
		if seen == Seen::Tied {
			self.is_tied = true;
			if found.number > self.pinned.number {
				self.pinned = found.clone();
			}
		}
		Ok(seen)
	}

	fn approach(&mut self, found: &Checkpoint) -> Result<Seen, AnchorError> {
		let pinned = &self.pinned;
		let diverged = || AnchorError::Diverged { number: found.number, set: pinned.set.id() };
		if let Some(met) = &self.met {
			// Between the two the pinned set has finalised a block, and any later set is its successor.
			return Ok(if found.number > met.number { Seen::Tied } else { Seen::Wait });
		}
		if found.number < pinned.number {
			return Ok(Seen::Wait);
		}
		let is_pinned_block = found.number == pinned.number;
		if is_pinned_block && found.hash != pinned.hash {
			return Err(diverged());
		}
		let began_with_pinned = pinned.set.id() == 0;
		match found.set.id().cmp(&pinned.set.id()) {
			Ordering::Less => Err(diverged()),
			Ordering::Equal if found.set != pinned.set => Err(diverged()),
			Ordering::Equal | Ordering::Greater if began_with_pinned => Ok(Seen::Tied),
			Ordering::Equal if is_pinned_block => Ok(Seen::Tied),
			Ordering::Equal => {
				self.met = Some(found.clone());
				Ok(Seen::Wait)
			},
			Ordering::Greater => Ok(Seen::Fetch),
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use dpki_verifier::AuthoritySet;

	fn set(id: u64, key: u8) -> AuthoritySet {
		AuthoritySet::new(id, vec![[key; 32], [99; 32]]).unwrap()
	}

	fn at(number: u32, set: AuthoritySet) -> Checkpoint {
		Checkpoint { genesis: [0; 32], set, number, hash: [number as u8; 32] }
	}

	fn diverges(pinned: Checkpoint, found: &Checkpoint) -> bool {
		matches!(Anchor::new(pinned).see(found), Err(AnchorError::Diverged { .. }))
	}

	#[test]
	fn a_chain_that_began_with_the_pinned_set_is_tied_once_it_has_come_as_far() {
		let mut anchor = Anchor::new(at(10, set(0, 1)));
		assert_eq!(anchor.see(&at(0, set(0, 1))), Ok(Seen::Wait));
		assert_eq!(anchor.see(&at(9, set(0, 1))), Ok(Seen::Wait));
		assert_eq!(anchor.see(&at(12, set(0, 1))), Ok(Seen::Tied));
		assert_eq!(anchor.pinned(), &at(12, set(0, 1)));
		let mut later = Anchor::new(at(0, set(0, 1)));
		assert_eq!(later.see(&at(500, set(7, 3))), Ok(Seen::Tied));
		assert_eq!(later.pinned(), &at(500, set(7, 3)));
	}

	#[test]
	fn the_block_at_which_the_pinned_set_is_met_does_not_count_yet() {
		let mut anchor = Anchor::new(at(10, set(3, 1)));
		assert_eq!(anchor.see(&at(5, set(2, 8))), Ok(Seen::Wait), "it catches up");
		assert_eq!(anchor.see(&at(20, set(3, 1))), Ok(Seen::Wait), "who named this set?");
		assert_eq!(anchor.see(&at(20, set(3, 1))), Ok(Seen::Wait), "the same block again");
		assert_eq!(anchor.pinned(), &at(10, set(3, 1)));
		assert_eq!(anchor.see(&at(21, set(3, 1))), Ok(Seen::Tied));
		assert_eq!(anchor.pinned(), &at(21, set(3, 1)));
	}

	#[test]
	fn the_pinned_block_itself_counts_at_once() {
		let mut anchor = Anchor::new(at(10, set(3, 1)));
		assert_eq!(anchor.see(&at(10, set(3, 1))), Ok(Seen::Tied));
	}

	#[test]
	fn a_tied_chain_is_followed_from_set_to_set() {
		let mut anchor = Anchor::new(at(10, set(3, 1)));
		anchor.see(&at(10, set(3, 1))).unwrap();
		assert_eq!(anchor.see(&at(30, set(5, 7))), Ok(Seen::Tied));
		assert_eq!(anchor.pinned(), &at(30, set(5, 7)));
		assert_eq!(anchor.see(&at(29, set(5, 7))), Ok(Seen::Tied));
		assert_eq!(anchor.pinned().number, 30, "it never goes back");
	}

	#[test]
	fn a_later_set_has_to_be_proven() {
		let mut anchor = Anchor::new(at(10, set(3, 1)));
		assert_eq!(anchor.see(&at(40, set(5, 7))), Ok(Seen::Fetch));
		anchor.advance(at(35, set(5, 7)));
		assert_eq!(anchor.see(&at(40, set(5, 7))), Ok(Seen::Wait));
		assert_eq!(anchor.see(&at(41, set(5, 7))), Ok(Seen::Tied));
		// Proven is one set, followed is another of the same number.
		let mut astray = Anchor::new(at(10, set(3, 1)));
		assert_eq!(astray.see(&at(40, set(5, 66))), Ok(Seen::Fetch));
		astray.advance(at(35, set(5, 7)));
		assert!(matches!(astray.see(&at(40, set(5, 66))), Err(AnchorError::Diverged { .. })));
	}

	#[test]
	fn another_chain_of_former_authorities_is_never_believed() {
		let pinned = || at(10, set(3, 1));
		assert!(diverges(pinned(), &at(11, set(2, 8))), "a set that was replaced");
		assert!(diverges(pinned(), &at(11, set(3, 8))), "other keys under the same number");
		let other = Checkpoint { hash: [77; 32], ..pinned() };
		assert!(diverges(pinned(), &other), "another block at the pinned height");
		let elsewhere = Checkpoint { genesis: [5; 32], ..pinned() };
		assert_eq!(Anchor::new(pinned()).see(&elsewhere), Err(AnchorError::OtherChain));
	}
}
