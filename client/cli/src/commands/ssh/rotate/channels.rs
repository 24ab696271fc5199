//! What the devices of a rotation have on other channels than that of the rotation.
//!
//! A device refuses a new delivery as a whole that names a CA which is revoked. So what came on another channel, and may name
//! the old CA, has to be answered before that goes: before anything is delivered beside it, and again before the old CA is
//! revoked, as others go on delivering meanwhile.

use super::{
	Rotate,
	ledger::{Fate, Ledger},
};
use crate::error::Result;
use dpki_client::View;
use dpki_primitives::{
	channel::ChannelId,
	ids::{BlobDigest, DeviceId},
};

impl Rotate {
	/// Why nothing can be delivered to a device beside what it has on other channels. `late` is one that gets the new CA alone,
	/// because the old one goes: nothing is gained by having it wait, and it could not be reached without the new one.
	pub(super) async fn other_channels(
		&self,
		view: &View,
		device: DeviceId,
		late: bool,
	) -> Result<Option<Fate>> {
		let channels = view.channels(device).await?;
		let has_others = channels.iter().any(|channel| channel != self.channel);
		if has_others && !self.keep_other_channels {
			// What came there may name the old CA, or claim what this delivery claims.
			return Ok(Some(Fate::Unfit(not_meant())));
		}
		let waiting = if late { None } else { unanswered(view, device, self.channel).await? };
		Ok(waiting.map(|channel| Fate::Waits(reason_to_wait(channel))))
	}

	/// Why the old CA cannot go yet: devices, in words, that have it and may be about to refuse what names it.
	pub(super) async fn held_up(&self, view: &View, ledger: &Ledger) -> Result<Vec<String>> {
		let mut held = Vec::new();
		if self.despite_stragglers {
			return Ok(held);
		}
		for entry in &ledger.entries {
			let device = &entry.device;
			let Some(channel) = unanswered(view, device.id, self.channel).await? else { continue };
			// One that is revoked answers nothing any more.
			if view.device_status(device.id).await?.is_valid() {
				held.push(format!("{}: {}", device.text, reason_to_wait(channel)));
			}
		}
		Ok(held)
	}
}

fn not_meant() -> String {
	"it has deliveries on other channels: say --keep-other-channels if these may stay beside the new one, and --again".into()
}

fn reason_to_wait(channel: ChannelId) -> String {
	format!(
		"it has not answered its newest delivery on channel {channel} yet, which may name the old CA"
	)
}

/// The first channel other than this one on which a device has not answered its newest delivery.
async fn unanswered(view: &View, device: DeviceId, apart: ChannelId) -> Result<Option<ChannelId>> {
	for channel in view.channels(device).await?.iter().filter(|channel| *channel != apart) {
		let newest = view.delivery(device, channel).await?.map(|newest| newest.digest);
		let said = view.acknowledgement(device, channel).await?.map(|said| said.digest);
		if is_open(newest, said) {
			return Ok(Some(channel));
		}
	}
	Ok(None)
}

/// Whether something was delivered of which the device has said nothing, whatever it said of what was before.
fn is_open(newest: Option<BlobDigest>, answered: Option<BlobDigest>) -> bool {
	newest.is_some() && newest != answered
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn what_is_under_way_on_another_channel_is_waited_for() {
		let (one, other) = (Some(BlobDigest([1; 32])), Some(BlobDigest([2; 32])));
		assert!(is_open(one, None) && is_open(one, other));
		assert!(!is_open(one, one) && !is_open(None, one) && !is_open(None, None));
		let why = reason_to_wait(ChannelId::new(5).unwrap());
		assert!(why.contains("channel 5"), "{why}");
	}

	#[test]
	fn whoever_is_left_out_reads_which_option_takes_it_in() {
		let why = not_meant();
		assert!(why.contains("--keep-other-channels") && why.contains("--again"), "{why}");
	}
}
