//! Waiting for devices and for moments, block by block.

use super::ledger::Ledger;
use crate::{
	error::Result,
	output::{Progress, rfc3339},
};
use dpki_client::Client;
use dpki_primitives::Moment;
use futures::StreamExt;
use std::{path::Path, time::Duration};
use tokio::time::timeout;

/// Waits until every device has said what became of its delivery, or patience ends. Each finalised block is looked at once.
pub async fn wait_for_devices(
	client: &Client,
	ledger: &mut Ledger,
	state: &Path,
	patience: Duration,
) -> Result<()> {
	let total = ledger.entries.len() as u64;
	let progress = Progress::bar("devices that have answered", total);
	let mut heads = client.finalized_heads();
	let waiting = async {
		while ledger.is_waiting() {
			// An interrupted stream is being set up again, and the time runs on.
			let Some(Ok(head)) = heads.next().await else { continue };
			if ledger.look_for_answers(&client.at(head), state).await? {
				ledger.save(state)?;
			}
			progress.at(ledger.answered());
		}
		Ok(())
	};
	timeout(patience, waiting).await.unwrap_or(Ok(()))
}

/// Waits for this moment of the chain; whether it came within patience.
pub async fn wait_until(client: &Client, until: Moment, patience: Duration) -> Result<bool> {
	let _progress = Progress::start(format!("both CAs are good until {}", rfc3339(until)));
	let mut heads = client.finalized_heads();
	let waiting = async {
		loop {
			if let Some(Ok(head)) = heads.next().await
				&& head.time >= until
			{
				return true;
			}
		}
	};
	// There is no use in waiting for a week and giving up an hour before its end.
	let now = client.at_finalized().await?.now();
	if u128::from(until.saturating_sub(now)) > patience.as_millis() {
		return Ok(false);
	}
	Ok(timeout(patience, waiting).await.unwrap_or(false))
}
