//! Verdicts that are computed here from proven records, where that is asked for.

use super::{Chain, Kept, Trust};
use crate::{commands::bundle::checkpoint_at, error::Result, session::Session};
use clap::Args;
use dpki_client::View;
use std::{path::PathBuf, time::Duration};

/// Whether a node has to prove what it says.
#[derive(Args)]
pub struct Proof {
	/// Have the node prove each record, and compute the verdict here
	#[arg(long)]
	proven: bool,
	/// With --proven: from where the node has to prove what it says; where it leads is remembered for the chain. Without any, only a
	/// node on this computer is believed in who finalises blocks
	#[arg(long, env = "DPKI_CHECKPOINT", value_name = "FILE")]
	checkpoint: Option<PathBuf>,
}

impl Proof {
	/// The newest state that the node proves, if that is wanted. Blocks older than this are refused.
	pub async fn view(&self, session: &Session, max_age: Duration) -> Result<Option<View>> {
		if !self.proven {
			return Ok(None);
		}
		let trust = Trust { checkpoint: self.checkpoint.clone(), max_age };
		let mut chain = trust.chain(session).await?;
		if chain.proven.is_none() {
			chain = by_its_word(chain, session).await?;
		}
		chain.view().await.map(Some)
	}
}

/// A node on this computer is believed in who finalises blocks, and proves everything else. Nothing is remembered of that.
async fn by_its_word(chain: Chain, session: &Session) -> Result<Chain> {
	let head = chain.client.finalized_head().await?;
	let checkpoint = checkpoint_at(&chain.client, head).await?;
	let from = Kept { root: checkpoint.digest(), checkpoint };
	chain.proven_from(session.url(), from, None)
}
