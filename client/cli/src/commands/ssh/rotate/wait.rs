//! Waiting for devices and for moments, block by block.

use super::ledger::Ledger;
use crate::{
	error::Result,
	output::{Progress, rfc3339},
	proven::Chain,
};
use dpki_primitives::Moment;
use futures::StreamExt;
use std::{path::Path, time::Duration};
use tokio::time::timeout;

/// Waits until every device has said what became of its delivery, or patience ends.
pub async fn wait_for_devices(
	chain: &mut Chain,
	ledger: &mut Ledger,
	state: &Path,
	patience: Duration,
) -> Result<()> {
	let progress = Progress::bar("devices that have answered", ledger.entries.len() as u64);
	wait_while(chain, ledger, state, patience, Ledger::is_waiting, |ledger| {
		progress.at(ledger.answered());
	})
	.await
}

/// Waits until it is decided about every delivery, or patience ends.
pub async fn wait_for_approvals(
	chain: &mut Chain,
	ledger: &mut Ledger,
	state: &Path,
	patience: Duration,
) -> Result<()> {
	let total = ledger.awaiting().count() as u64;
	let progress = Progress::bar("deliveries that are approved", total);
	let is_awaiting = |ledger: &Ledger| ledger.awaiting().next().is_some();
	wait_while(chain, ledger, state, patience, is_awaiting, |ledger| {
		progress.at(total.saturating_sub(ledger.awaiting().count() as u64));
	})
	.await
}

/// Waits while this is true of the ledger, which each finalised block is noted in.
async fn wait_while(
	chain: &mut Chain,
	ledger: &mut Ledger,
	state: &Path,
	patience: Duration,
	is_on: impl Fn(&Ledger) -> bool,
	tell: impl Fn(&Ledger),
) -> Result<()> {
	let mut heads = chain.client().finalized_heads();
	let waiting = async {
		while is_on(ledger) {
			// An interrupted stream is being set up again, and the time runs on.
			let Some(Ok(head)) = heads.next().await else { continue };
			if ledger.look_for_answers(&chain.view_at(head).await?, state).await? {
				ledger.save(state)?;
			}
			tell(ledger);
		}
		Ok(())
	};
	timeout(patience, waiting).await.unwrap_or(Ok(()))
}

/// Waits for this moment of the chain; whether it came within patience.
pub async fn wait_until(chain: &mut Chain, until: Moment, patience: Duration) -> Result<bool> {
	let _progress = Progress::start(format!("both CAs are good until {}", rfc3339(until)));
	// There is no use in waiting for a week and giving up an hour before its end.
	let now = chain.view().await?.now();
	if u128::from(until.saturating_sub(now)) > patience.as_millis() {
		return Ok(false);
	}
	let mut heads = chain.client().finalized_heads();
	let waiting = async {
		loop {
			if let Some(Ok(head)) = heads.next().await
				&& head.time >= until
				&& chain.view_at(head).await?.now() >= until
			{
				return Ok(true);
			}
		}
	};
	timeout(patience, waiting).await.unwrap_or(Ok(false))
}
