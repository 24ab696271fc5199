//! Where transactions became final, as one who reads every finalised block of a node finds out.

use super::rpc::{Refusal, Rpc};
use crate::{
	PATIENCE,
	history::{Block, Hash},
};
use std::{
	collections::BTreeMap,
	thread,
	time::{Duration, Instant},
};

/// From one look to the next while somebody waits.
const LOOK: Duration = Duration::from_millis(10);

/// The finalised blocks of a node from some block on.
pub struct Tail {
	rpc: Rpc,
	/// The newest block that was read.
	pub at: Block,
	/// What the blocks hold.
	found: BTreeMap<Hash, Block>,
}

impl Tail {
	/// From the newest finalised block on, itself excluded.
	pub fn from_now(rpc: Rpc) -> Result<Self, Refusal> {
		Ok(Self { rpc, at: rpc.finalized()?, found: BTreeMap::new() })
	}

	/// Reads what has become final since, and gives how many blocks that was.
	pub fn read(&mut self) -> Result<u32, Refusal> {
		let head = self.rpc.finalized()?;
		let first = self.at.number + 1;
		for number in first..=head.number {
			let silent = || Refusal::Silent(format!("final block {number} is missing"));
			let block = self.rpc.block_of(number)?.ok_or_else(silent)?;
			for transaction in self.rpc.transactions(block)? {
				self.found.insert(transaction, block);
			}
			self.at = block;
		}
		Ok((head.number + 1).saturating_sub(first))
	}

	/// The block that a transaction was found in.
	pub fn block_of(&self, transaction: &Hash) -> Option<Block> {
		self.found.get(transaction).copied()
	}

	/// Reads until a transaction is there.
	///
	/// # Panics
	///
	/// If that takes longer than [`PATIENCE`].
	pub fn wait_for(&mut self, transaction: &Hash) -> Block {
		let deadline = Instant::now() + PATIENCE;
		loop {
			// Who does not answer for a moment may do so at the next look.
			let read = self.read();
			if let Some(block) = self.block_of(transaction) {
				return block;
			}
			let at = self.at.number;
			assert!(Instant::now() < deadline, "not final by block {at}: {read:?}");
			thread::sleep(LOOK);
		}
	}
}
