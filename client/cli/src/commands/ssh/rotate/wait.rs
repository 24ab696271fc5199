//! Waiting for devices and for moments, block by block.

use super::ledger::Ledger;
use crate::{
	error::Result,
	output::{Progress, rfc3339},
	proven::Chain,
	session::Session,
};
use dpki_primitives::Moment;
use futures::StreamExt;
use std::{path::Path, time::Duration};
use tokio::time::timeout;

/// What is shown of how many devices.
const ANSWERED: &str = "devices have answered";

fn show_answers(progress: &Progress, ledger: &Ledger) {
	progress.at(ledger.answered());
}

/// Waits until every device has said what became of its delivery, or patience ends.
pub async fn wait_for_devices(
	session: &Session,
	chain: &mut Chain,
	ledger: &mut Ledger,
	state: &Path,
	patience: Duration,
) -> Result<()> {
	let progress = session.progress(ANSWERED, ledger.entries.len() as u64);
	show_answers(&progress, ledger);
	wait_while(chain, ledger, state, patience, Ledger::is_waiting, |ledger| {
		show_answers(&progress, ledger);
	})
	.await
}

/// Waits until it is decided about every delivery, or patience ends.
pub async fn wait_for_approvals(
	session: &Session,
	chain: &mut Chain,
	ledger: &mut Ledger,
	state: &Path,
	patience: Duration,
) -> Result<()> {
	let total = ledger.awaiting().count() as u64;
	let progress = session.progress("deliveries are approved", total);
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

#[cfg(test)]
mod tests {
	use super::*;
	use crate::{
		commands::ssh::rotate::ledger::{Fate, Stage},
		output::progress::tests::Paper,
		values::DeviceRef,
	};
	use dpki_primitives::{
		channel::ChannelId,
		ids::{AnchorId, BlobDigest, DeviceId, OrganisationId},
	};

	#[test]
	fn without_a_terminal_each_answer_of_a_device_is_a_line() {
		let ids = (OrganisationId([2; 32]), AnchorId([3; 32]), AnchorId([4; 32]));
		let devices = (5..8).map(|id| DeviceRef::from(DeviceId([id; 32])));
		let mut ledger = Ledger::new([1; 32], ids, ChannelId::DEFAULT, [9; 32], devices);
		let paper = Paper::default();
		let progress = Progress::lines(ANSWERED, 3, false, Box::new(paper.clone()));
		for entry in &mut ledger.entries {
			entry.attempt(1, BlobDigest([1; 32]), Stage::InForce);
		}
		show_answers(&progress, &ledger);
		for (index, fate) in [Fate::Applied, Fate::Refused("x".into()), Fate::Applied]
			.into_iter()
			.enumerate()
		{
			ledger.entries[index].fate = Some(fate);
			show_answers(&progress, &ledger);
			// The next block has nothing new.
			show_answers(&progress, &ledger);
		}
		let lines = [0, 1, 2, 3].map(|done| format!("{done} of 3 devices have answered\n"));
		assert_eq!(paper.text(), lines.concat());
	}
}
