//! What is in force, refused and told on each channel, and what all of them give together.

use super::{Agent, Seen, StepError, Verdict};
use crate::{
	chain::Chain,
	journal::Accepted,
	merge::{Conflict, Merged, merge},
	refusal::Refusal,
	status::{ChannelStatus, RefusalStatus, Status},
};
use dpki_client::{
	Bundle,
	primitives::{
		channel::ChannelId,
		delivery::{Outcome, RefusalReason},
	},
};
use std::collections::BTreeMap;

/// The bundle of a delivery that was found good.
pub(super) fn bundle(accepted: &Accepted) -> Bundle {
	Bundle::decode(accepted.bundle.bytes()).unwrap_or_else(|error| {
		// It decoded when it was accepted; an agent that does not know its form any more grants nothing by it.
		tracing::error!(%error, "a bundle in force cannot be understood any more");
		Bundle { items: Vec::new() }
	})
}

/// Why the delivery of this channel is left out, if it is.
pub(super) fn conflict(merged: &Merged, channel: ChannelId) -> Option<Refusal> {
	merged.overruled.get(&channel).map(refusal)
}

fn refusal(Conflict { with, about }: &Conflict) -> Refusal {
	Refusal::ChannelConflict { with: *with, about: about.clone() }
}

/// The last refusals that an agent has told before.
pub(super) fn refusals_of(status: &Status) -> BTreeMap<ChannelId, RefusalStatus> {
	let channels = status.channels.iter().filter_map(|it| it.last_refusal.as_ref());
	channels
		.filter_map(|refusal| Some((ChannelId::new(refusal.channel)?, refusal.clone())))
		.collect()
}

impl Agent {
	/// What is in force on all channels that are obeyed, with a new delivery on its channel if there is one.
	pub(super) fn merged(&self, new: Option<(ChannelId, Bundle)>) -> Merged {
		let lanes = self.journal.entries.lanes.iter();
		let applied = lanes.filter_map(|(channel, lane)| Some((*channel, lane.applied.as_ref()?)));
		let mut bundles: BTreeMap<_, _> =
			applied.map(|(channel, applied)| (channel, bundle(applied))).collect();
		let channel = new.as_ref().map(|(channel, _)| *channel);
		bundles.extend(new);
		bundles.retain(|channel, _| self.channels.contains(*channel));
		merge(bundles, channel)
	}

	/// Lets go of what lower channels have claimed, now that their state is in force. Tells whether there was anything, which
	/// then has to be saved.
	pub(super) fn overrule(&mut self, chain: &dyn Chain, merged: &Merged) -> bool {
		let mut was_any = false;
		for (channel, conflict) in &merged.overruled {
			let lane = self.journal.entries.lane(*channel);
			let Some(applied) = lane.applied.take() else { continue };
			// Of a newer one that was refused the chain knows already.
			if lane.highest == Some(applied.seen) {
				lane.verdict = Some(Outcome::Refused(RefusalReason::ChannelConflict));
			}
			self.note(chain, *channel, applied.seen, &refusal(conflict));
			was_any = true;
		}
		was_any
	}

	/// What the chain is to be told, unless it is proven that it knows; from the lowest channel.
	pub async fn due_acknowledgements(
		&mut self,
		chain: &dyn Chain,
	) -> Result<Vec<Verdict>, StepError> {
		let lanes = self.journal.entries.lanes.iter();
		let verdicts: Vec<_> = lanes
			.filter_map(|(channel, lane)| {
				let (seen, outcome) = (lane.highest?, lane.verdict?);
				Some(Verdict { channel: *channel, seen, outcome })
			})
			.filter(|verdict| self.proven.get(&verdict.channel) != Some(verdict))
			.collect();
		let mut due = Vec::new();
		for verdict in verdicts {
			let Verdict { channel, seen, outcome } = verdict;
			let known = chain.acknowledgement(self.device, channel).await?;
			let known = known.is_some_and(|known| {
				(known.sequence, known.digest, known.outcome)
					== (seen.sequence, seen.digest, outcome)
			});
			if known {
				self.proven.insert(channel, verdict);
				continue;
			}
			// The chain takes an acknowledgement of the newest delivery only, and of none from a revoked device.
			let newest = chain.delivery(self.device, channel).await?;
			if newest.as_ref().map(Seen::from) == Some(seen) && self.device_is_valid(chain).await? {
				due.push(verdict);
			}
		}
		Ok(due)
	}

	pub(super) fn tell_channels(&mut self) {
		let lanes = self.journal.entries.lanes.iter();
		let channels = lanes.filter(|(_, lane)| lane.highest.is_some()).map(|(channel, lane)| {
			let obeyed = self.channels.contains(*channel);
			// What came on a channel that is not obeyed is kept in the journal, and is not in force.
			let applied = lane.applied.as_ref().filter(|_| obeyed).map(|applied| applied.seen);
			ChannelStatus {
				channel: channel.number(),
				obeyed,
				sequence: applied.map(|seen| seen.sequence),
				digest: applied.map(|seen| seen.digest.to_string()),
				highest_sequence: lane.highest.map(|seen| seen.sequence),
				acknowledged: self.proven.get(channel).map(|verdict| verdict.seen.sequence),
				last_refusal: self.refusals.get(channel).cloned(),
			}
		});
		self.status.channels = channels.collect();
		let default = ChannelId::DEFAULT.number();
		let first = self.status.channels.iter().find(|it| it.channel == default).cloned();
		let first = first.unwrap_or_default();
		self.status.sequence = first.sequence;
		self.status.digest = first.digest;
		self.status.highest_sequence = first.highest_sequence;
		self.status.acknowledged = first.acknowledged;
	}
}
