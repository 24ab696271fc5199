//! What a transaction did, without believing the node that says so.
//!
//! | what is shown | by what |
//! |---|---|
//! | that the block is final | headers from the proven block of the view back to it, each of the hash that the one after it names |
//! | that the transaction is in it | all transactions of the block, whose root the header names |
//! | what it did | the events of the block, in a proof under the root of the state after it |
//!
//! Events are told apart by the index of their transaction in the block, and read as the committed metadata has them.

use super::View;
use crate::{
	client::Head,
	submit::{Finalized, Included, SubmitError, extrinsics_root, signed},
};
use sp_crypto_hashing::twox_128;
use subxt::config::substrate::{H256, SubstrateHeader};

/// How far behind the block of the view that of the transaction may lie. Nodes keep the state of some hundred blocks.
const MAX_WAY_BACK: u32 = 256;

impl View {
	/// What a transaction did in the block that holds it, which lies not behind that of the view; proven, where the view is.
	///
	/// Refused is [`SubmitError::Unproven`] for a node that does not prove what it says: then it is not known what became of the
	/// transaction.
	pub async fn outcome(&self, included: &Included) -> Result<Finalized, SubmitError> {
		if !self.is_proven() {
			return self.client.outcome(included).await;
		}
		let unproven = |reason: String| included.unproven(reason);
		let (number, header) = self.way_back_to(included.block).await.map_err(unproven)?;
		let block = self.client.block(H256(included.block)).await;
		let block = block.map_err(|error| unproven(error.to_string()))?;
		if extrinsics_root(&block.extrinsics) != header.extrinsics_root.0 {
			return Err(unproven("these are not the transactions of the block".into()));
		}
		let position = block
			.position(H256(included.extrinsic))
			.ok_or_else(|| unproven("the block does not hold it".into()))?;
		let (root, item) = (header.state_root.0, "the record of what happened");
		let head = Head { number, hash: included.block, time: 0 };
		let after = View::proven(self.client.clone(), head, root);
		let events = after.long_value(item, &events_key()).await;
		let events = events.map_err(|error| unproven(error.to_string()))?.unwrap_or_default();
		let events = signed::happened(events, position)
			.map_err(|reason| included.unreadable(format!("update this program, as {reason}")))??;
		Ok(Finalized { proven: true, ..included.finalized(number, events) })
	}

	/// The number and the header of a block that is the one of the view, or an ancestor of it.
	async fn way_back_to(&self, block: [u8; 32]) -> Result<(u32, SubstrateHeader<H256>), String> {
		let wanted = self.client.header(block).await.map_err(|error| error.to_string())?;
		let head = self.head.number;
		let steps = u64::from(head).checked_sub(wanted.number);
		let steps = steps.filter(|steps| *steps <= u64::from(MAX_WAY_BACK));
		let steps =
			steps.ok_or_else(|| format!("it is too far from block {head}, which is proven"))?;
		let mut hash = self.head.hash;
		for _ in 0..steps {
			let header = self.client.header(hash).await.map_err(|error| error.to_string())?;
			hash = header.parent_hash.0;
		}
		match hash == block {
			// It is not larger than the one of the view.
			true => Ok((wanted.number as u32, wanted)),
			false => Err(format!("it is no ancestor of block {head}, which is proven")),
		}
	}
}

/// `System.Events`: what happened in a block, as every Substrate chain has it.
fn events_key() -> Vec<u8> {
	[twox_128(b"System"), twox_128(b"Events")].concat()
}
