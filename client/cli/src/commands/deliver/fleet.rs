//! One delivery for many devices: one envelope, whose content key is encrypted to each of them.

use super::{Deliver, Destination};
use crate::{
	commands::delivery,
	error::{Error, Result},
	output::Report,
	session::Session,
	values::DeviceRef,
};
use dpki_client::{blob, calls, envelope};
use dpki_primitives::{
	approval::ApprovalRule,
	delivery::{DeliveryBinding, Recipient, Suite},
	ids::{BlobDigest, OrganisationId},
};

impl Deliver {
	/// Runs the command for more than one device.
	pub(super) async fn to_many(&self, session: &Session) -> Result<Report> {
		let is_for_one = self.review.is_some() || !self.made.is_empty();
		if self.host_ca_key.is_some() || is_for_one || self.wait.is_some() {
			return Err(Error::NotAllowed {
				why: "--host-ca-key, --review, --sign-for, --wait, and what was made for one device are for one device"
					.into(),
				next: "deliver to each device by itself".into(),
			});
		}
		let account = session.account()?;
		let (client, view) = session.view().await?;
		let id = OrganisationId::from_name(self.org.as_str().as_bytes());
		let organisation = view.organisation(id).await?;
		if let Some(rule) = organisation.and_then(|record| ApprovalRule::of(record.policy)) {
			return Err(Error::NotAllowed {
				why: format!(
					"deliveries of this organisation need approvals by accounts with the role {}",
					rule.role.name()
				),
				next: "deliver to each device by itself, with --review FILE".into(),
			});
		}
		let copies = self.also.prepare()?;
		let mut warnings = Vec::new();
		let bundle = self.bundle(&view, id, None, &mut warnings).await?;
		let (mut sealed, mut published, mut names) = (Vec::new(), Vec::new(), Vec::new());
		let devices = self.device.iter().map(|name| DeviceRef::new(&self.org, name));
		let destinations = if self.hybrid_key.is_empty() {
			let mut found = Vec::new();
			for device in devices {
				found.push(Destination::read(&view, device, self.channel).await?);
			}
			found
		} else {
			Destination::hybrids(&view, devices.collect(), self.channel, &self.hybrid_key).await?
		};
		let suite = destinations.first().map_or(Suite::SharedX25519, Destination::shared_suite);
		for destination in destinations {
			let Destination { device, record, channel, sequence, .. } = destination;
			let (key, sealed_to) = (destination.recipient.0, destination.key);
			let binding = DeliveryBinding {
				genesis: client.genesis_hash(),
				organisation: record.organisation,
				publisher: session.actor(&account),
				device: device.id,
				channel,
				recipient: key,
				suite,
				sequence,
			};
			published.push(Recipient { device: device.id, sequence, key });
			sealed.push((sealed_to, binding));
			names.push(device.text);
		}
		let (envelope, _) = envelope::seal_shared(&sealed, &bundle.encode()?)?;
		let digest = BlobDigest::of(&envelope);
		let call = calls::publish_shared(self.channel, suite, &published, &envelope)?;
		let finalized = session.submit(&client, &account, &call, "publishing the delivery").await?;
		if let Some(copies) = &copies {
			let numbered = published.iter().map(|it| (it.device, self.channel, it.sequence));
			let numbered: Vec<_> = numbered.collect();
			copies.put(&client, &envelope, &numbered).await?;
		}
		let deliveries: Vec<_> = published
			.iter()
			.map(
				|it| serde_json::json!({ "device": it.device.to_string(), "sequence": it.sequence }),
			)
			.collect();
		let mut report = Report::new()
			.done(format!(
				"Published one delivery to {}{}",
				names.join(", "),
				delivery::place(self.channel)
			))
			.row("cid", blob::cid(digest))
			.row("digest", digest)
			.row_as("items", bundle.items.len().to_string(), bundle.items.len())
			.data("channel", self.channel.number())
			.data("deliveries", deliveries)
			.data("length", envelope.len())
			.finalized(&finalized);
		for warning in warnings {
			report = report.warn(warning);
		}
		Ok(report)
	}
}
