//! Delivering to the devices of a rotation, in envelopes that several of them can open.

use super::{
	Plan, Rotate,
	content::reason_against,
	ledger::{Entry, Fate, Ledger, Stage},
	names,
};
use crate::{
	commands::{access::approval::Procedure, deliver::Destination, delivery::Review},
	error::{Error, Result},
	proven::Chain,
	session::Session,
};
use dpki_client::{
	Account, AccountId, Bundle, Client, Item, View, bundle::ContentSignature, calls, envelope,
};
use dpki_primitives::{
	Moment,
	context::MAX_SIGNATURE_LIFETIME,
	delivery::{DeliveryBinding, Recipient},
	ids::BlobDigest,
};

/// To what the end of a signature is rounded down, in milliseconds: what is signed in one go reads alike, and whoever
/// publishes is shown it once.
const SIGNED_TOGETHER: Moment = 60 * 60 * 1000;

impl Rotate {
	/// Publishes to every device that has no delivery of this rotation yet, or signs for the account that does.
	pub(super) async fn publish(
		&self,
		session: &Session,
		chain: &mut Chain,
		account: &Account,
		plan: &Plan,
		ledger: &mut Ledger,
	) -> Result<()> {
		let client = chain.client().clone();
		let total = ledger.entries.len() as u64;
		let progress = session.progress("devices are delivered to or left out", total);
		let is_signed = matches!(plan.procedure, Procedure::Signed(..));
		// A content that is signed is for one device, and so is one with its host certificate.
		let size = if plan.host_ca.is_some() || is_signed { 1 } else { self.batch as usize };
		let publisher = plan.procedure.publisher(session.actor(account));
		loop {
			let view = chain.view().await?;
			ledger.reconcile(&view, &self.state).await?;
			ledger.save(&self.state)?;
			let late = ledger.unpublished().next().is_some_and(|index| ledger.entries[index].late);
			let alike = ledger.unpublished().filter(|index| ledger.entries[*index].late == late);
			let waiting: Vec<usize> = alike.take(size).collect();
			progress.at(total - ledger.unpublished().count() as u64);
			if waiting.is_empty() {
				return Ok(());
			}
			let mut batch = Vec::new();
			for index in waiting {
				match self.destination(&view, plan, &ledger.entries[index]).await? {
					Ok(destination) => batch.push((index, destination)),
					Err(fate) => ledger.entries[index].fate = Some(fate),
				}
			}
			ledger.save(&self.state)?;
			let Some((_, first)) = batch.first() else { continue };
			let suite = first.shared_suite();
			let mut items = plan.items.clone();
			items.retain(|item| !(late && names(item, plan.old)));
			if let Some(ca) = &plan.host_ca {
				match self.host_certificate(&view, first, ca).await? {
					Ok(certificate) => items.push(Item::SshHostCertificate { certificate }),
					Err(why) => {
						ledger.entries[batch[0].0].fate = Some(Fate::Unfit(why));
						continue;
					},
				}
			}
			let bundle = Bundle { items };
			// Those who do not share this envelope get the next one.
			batch.retain(|(_, to)| to.shared_suite() == suite);
			batch.truncate(envelope::most_recipients(suite, bundle.encode()?.len()).max(1));
			let sealed: Vec<_> = batch
				.iter()
				.map(|(_, to)| (to.key.clone(), binding(&client, plan, to, publisher)))
				.collect();
			let (plaintext, stage) = match &sealed[..] {
				[(_, binding)] if is_signed => {
					let until = signed_until(view.now());
					let sign = |digest| ContentSignature::sign(account, binding, digest, until);
					(bundle.encode_signed(sign)?, Stage::Signed(until))
				},
				_ => (bundle.encode()?, Stage::Begun),
			};
			let (envelope, key) = envelope::seal_shared(&sealed, &plaintext)?;
			let digest = BlobDigest::of(&envelope);
			for ((index, destination), (_, binding)) in batch.iter().zip(&sealed) {
				let review = ledger.entries[*index].review(&self.state);
				Review::new(binding, &envelope, key.clone(), is_signed)
					.replace(&Review::next_to(&review))?;
				ledger.entries[*index].attempt(destination.sequence, digest, stage);
			}
			// Before it is sent: whatever becomes of it, the next run knows it by its digest.
			ledger.save(&self.state)?;
			if is_signed {
				continue;
			}
			let published: Vec<_> = sealed
				.iter()
				.map(|(_, binding)| Recipient {
					device: binding.device,
					sequence: binding.sequence,
					key: binding.recipient,
				})
				.collect();
			let call = calls::publish_shared(self.channel, suite, &published, &envelope)?;
			session.submit(&client, account, &call, "publishing the delivery").await?;
		}
	}

	/// Where a delivery to a device goes, or why none can.
	async fn destination(
		&self,
		view: &View,
		plan: &Plan,
		entry: &Entry,
	) -> Result<std::result::Result<Destination, Fate>> {
		let found = match Destination::read(view, entry.device.clone(), self.channel).await {
			Ok(found) => found,
			Err(Error::NotAllowed { why, .. }) => return Ok(Err(Fate::Unfit(why))),
			Err(Error::Unknown { .. }) => {
				return Ok(Err(Fate::Unfit("the chain does not know it".into())));
			},
			Err(error) => return Err(error),
		};
		let found = match plan.hybrid_keys.redirect(view, found, self.channel).await? {
			Ok(found) => found,
			Err(why) => return Ok(Err(Fate::Unfit(why))),
		};
		let newest = view.delivery(entry.device.id, self.channel).await?;
		let weaker = newest.and_then(|newest| reason_against(newest.suite, found.shared_suite()));
		let others = self.other_channels(view, entry.device.id, entry.late).await?;
		if let Some(fate) = others.or(weaker.map(Fate::Unfit)) {
			return Ok(Err(fate));
		}
		let waiting = view.proposal(entry.device.id, self.channel).await?;
		let waiting = waiting.map(|waiting| (waiting.record.digest, waiting.expires_at));
		Ok(match occupied(entry, waiting, view.now()) {
			true => Err(Fate::Lapsed("another delivery to it waits for approvals".into())),
			false => Ok(found),
		})
	}
}

/// Whether a delivery of somebody else waits for approvals, which those who are to approve must not lose.
fn occupied(entry: &Entry, waiting: Option<(BlobDigest, Moment)>, now: Moment) -> bool {
	waiting.is_some_and(|(digest, until)| until >= now && !entry.has_sent(digest))
}

fn binding(
	client: &Client,
	plan: &Plan,
	destination: &Destination,
	publisher: AccountId,
) -> DeliveryBinding {
	DeliveryBinding {
		genesis: client.genesis_hash(),
		organisation: plan.organisation,
		publisher,
		device: destination.device.id,
		channel: destination.channel,
		recipient: destination.recipient.0,
		suite: destination.shared_suite(),
		sequence: destination.sequence,
	}
}

/// Until when what is signed now can be published.
fn signed_until(now: Moment) -> Moment {
	let latest = now.saturating_add(MAX_SIGNATURE_LIFETIME);
	latest - latest % SIGNED_TOGETHER
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::values::DeviceRef;
	use dpki_primitives::ids::DeviceId;

	#[test]
	fn what_somebody_else_has_put_there_to_be_approved_is_not_taken_away() {
		let mut entry = Entry::new(DeviceRef::from(DeviceId([5; 32])));
		let (ours, other) = (BlobDigest([1; 32]), BlobDigest([2; 32]));
		entry.attempt(1, ours, Stage::Begun);
		entry.begin_again(false);
		assert!(!occupied(&entry, None, 10));
		assert!(!occupied(&entry, Some((ours, 10)), 10), "it is our own, and given up");
		assert!(occupied(&entry, Some((other, 10)), 10));
		assert!(!occupied(&entry, Some((other, 9)), 10), "nobody can approve it any more");
	}

	#[test]
	fn what_is_signed_in_one_go_ends_together_and_never_later_than_a_signature_may() {
		let hour = SIGNED_TOGETHER;
		assert_eq!(signed_until(7 * hour), signed_until(8 * hour - 1));
		for now in [0, hour - 1, hour, 1_790_000_000_123] {
			let until = signed_until(now);
			assert!(until > now && until - now <= MAX_SIGNATURE_LIFETIME, "{now}");
		}
	}
}
