//! Transactions on a chain on which nothing becomes final.
//!
//! Once more than a third of the validators are gone, blocks go on and none of them becomes final. The votes by which the
//! others get out of that cannot wait for finality, and cannot count from the newest final block on: it lies further back
//! than a transaction lives.

use super::{
	FINALITY_TIMEOUT, Included, SubmitError, Transaction, submission_failed, timed_out, unreported,
};
use crate::{
	account::Account,
	calls::Call,
	client::{Client, Head},
};
use subxt::{config::substrate::H256, transactions::TransactionStatus};
use subxt_rpcs::client::rpc_params;
use tokio::time::timeout;

/// So many blocks before the newest one a transaction begins to count: forks are shorter than that, so that it is good on all of
/// them.
const MARGIN: u32 = 8;

impl Client {
	/// Signs a call, submits it, and waits until a block of the best chain holds it, by the word of the node. It counts in a
	/// chain that has the blocks up to some before the newest one.
	///
	/// Nothing of it is final: another fork may take its place, without it. This is for votes on a chain that stands still.
	/// Whatever somebody is to rely on waits for finality, see [`Client::include`].
	pub async fn include_unfinalised(
		&self,
		account: &Account,
		call: &impl Call,
		tip: u128,
	) -> Result<Included, SubmitError> {
		let newest = self.best_head().await?;
		let number = newest.number.saturating_sub(MARGIN);
		let hash: H256 = self.request("chain_getBlockHash", rpc_params![number]).await?;
		let from = Head { number, hash: hash.0, time: 0 };
		let transaction = self.sign(account, call, tip, from, H256(newest.hash)).await?;
		let extrinsic = transaction.hash();
		let waited = timeout(FINALITY_TIMEOUT, in_block(&transaction)).await;
		let block = waited.map_err(|_| timed_out(extrinsic))??;
		Ok(Included { block: block.0, extrinsic: extrinsic.0 })
	}
}

/// Submits the transaction and waits for a block of the best chain that holds it.
async fn in_block(transaction: &Transaction) -> Result<H256, SubmitError> {
	let mut progress = match transaction.submit_and_watch().await {
		Ok(progress) => progress,
		Err(error) => {
			submission_failed(error)?;
			return Err(unreported("the connection was lost".into()));
		},
	};
	while let Some(status) = progress.next().await {
		match status {
			Ok(
				TransactionStatus::InBestBlock(block) | TransactionStatus::InFinalizedBlock(block),
			) => return Ok(block.block_hash()),
			Ok(
				TransactionStatus::Error { message }
				| TransactionStatus::Invalid { message }
				| TransactionStatus::Dropped { message },
			) => return Err(unreported(message)),
			Ok(_) => {},
			Err(error) => return Err(unreported(error.to_string())),
		}
	}
	Err(unreported("the reports about it have ended".into()))
}
