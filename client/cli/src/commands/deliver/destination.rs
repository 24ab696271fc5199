//! Where a delivery goes, as the chain has it, and what the device says of it.

use crate::{
	error::{Error, Result},
	lookup,
	output::Progress,
	proven::Chain,
	values::DeviceRef,
};
use dpki_client::{View, envelope::RecipientKey};
use dpki_primitives::{
	channel::ChannelId,
	delivery::{Acknowledgement, Suite},
	device::DeviceRecord,
	ids::KeyId,
	key::{KeyPurpose, KeyRecord},
};
use futures::StreamExt;
use std::{path::Path, time::Duration};
use tokio::time::timeout;

/// What a delivery starts from, read at one finalised block.
pub struct Destination {
	/// The device.
	pub device: DeviceRef,
	/// Its record.
	pub record: DeviceRecord,
	/// The key that deliveries to it are encrypted to, as it stands on the chain.
	pub recipient: (KeyId, KeyRecord),
	/// The same, with what sealing needs.
	pub key: RecipientKey,
	/// On which channel it is reached.
	pub channel: ChannelId,
	/// The number of the next delivery on it.
	pub sequence: u64,
}

impl Destination {
	/// Of a device that can take deliveries, to the hybrid key in this file if one is given.
	pub async fn of(
		view: &View,
		device: DeviceRef,
		channel: ChannelId,
		hybrid_key: Option<&Path>,
	) -> Result<Self> {
		match hybrid_key {
			Some(path) => Self::hybrid(view, device, channel, path).await,
			None => Self::read(view, device, channel).await,
		}
	}

	/// The suite of an envelope that others can look into.
	pub fn shared_suite(&self) -> Suite {
		match self.key {
			RecipientKey::X25519(_) => Suite::SharedX25519,
			RecipientKey::XWing(_) => Suite::SharedXWing,
		}
	}

	/// Refuses to seal to what is not so any more. Whoever was asked something may have answered after hours, in which the key was
	/// revoked because it had leaked: with a state from before, the leaked key would open what is sealed to it.
	pub async fn require_current(&self, view: &View) -> Result<()> {
		let device = &self.device;
		let now = match &self.key {
			RecipientKey::X25519(_) => Some(Self::read(view, device.clone(), self.channel).await?),
			key => Self::to_hybrid(view, device, self.channel, key).await?,
		};
		self.require_same(now.as_ref())
	}

	fn require_same(&self, now: Option<&Self>) -> Result<()> {
		let name = &self.device.text;
		let is_key = |now: &&Self| {
			let (id, record) = &now.recipient;
			(*id, &record.public) == (self.recipient.0, &self.recipient.1.public)
		};
		let why = match now.filter(is_key) {
			None => {
				format!("the key to which deliveries to {name} are sealed has changed meanwhile")
			},
			Some(now) if now.record.organisation != self.record.organisation => {
				format!("{name} belongs to another organisation by now")
			},
			Some(now) if now.sequence != self.sequence => {
				format!("delivery {} to {name} was published meanwhile", now.sequence - 1)
			},
			Some(_) => return Ok(()),
		};
		Err(Error::NotAllowed { why, next: "run the command again".into() })
	}

	/// Of a device that can take deliveries.
	pub async fn read(view: &View, device: DeviceRef, channel: ChannelId) -> Result<Self> {
		let record = lookup::device(view, &device).await?;
		let status = view.device_status(device.id).await?;
		if !status.is_valid() {
			let verdict = lookup::verdict(status, &record.standing());
			return Err(Error::NotAllowed {
				why: format!("the device {} is {verdict}", device.text),
				next: match record.withdrawal.is_on_hold() {
					true => "release it first: `dpki release device`".into(),
					false => "enrol it under a new name".into(),
				},
			});
		}
		let recipient = lookup::valid_key(view, &device, KeyPurpose::KeyAgreement).await?;
		let recipient = recipient.ok_or_else(|| Error::NotAllowed {
			why: format!("{} has no valid key to encrypt to", device.text),
			next: "make one with `dpki key new agreement` and register it with the consent of the \
			       device by `dpki device register-key`, or enrol it under a new name"
				.into(),
		})?;
		let newest = view.delivery(device.id, channel).await?;
		let sequence = newest.map_or(0, |delivery| delivery.sequence) + 1;
		let key = RecipientKey::X25519(recipient.1.public.clone());
		Ok(Self { device, record, recipient, key, channel, sequence })
	}
}

/// Waits for what the device says about exactly this delivery.
pub async fn acknowledgement(
	chain: &mut Chain,
	destination: &Destination,
	patience: Duration,
) -> Result<Acknowledgement> {
	let (device, channel) = (destination.device.id, destination.channel);
	let sequence = destination.sequence;
	let _progress = Progress::start(format!(
		"delivery {sequence} is final: waiting for {}",
		destination.device.text
	));
	let mut heads = chain.client().finalized_heads();
	let waiting = async {
		while let Some(head) = heads.next().await {
			// An interrupted stream is being set up again, and the time runs on.
			let Ok(head) = head else { continue };
			let view = chain.view_at(head).await?;
			if let Some(seen) = view.acknowledgement(device, channel).await?
				&& seen.sequence == sequence
			{
				return Ok(seen);
			}
			if let Some(newest) = view.delivery(device, channel).await?
				&& newest.sequence > sequence
			{
				return Err(Error::DeliveryReplaced { channel, sequence, newer: newest.sequence });
			}
		}
		Err(Error::NotAcknowledged { channel, sequence, waited: patience })
	};
	timeout(patience, waiting).await.unwrap_or(Err(Error::NotAcknowledged {
		channel,
		sequence,
		waited: patience,
	}))
}

#[cfg(test)]
mod tests {
	use super::*;
	use dpki_client::possession::AgreementKey;
	use dpki_primitives::{
		ids::{DeviceId, OrganisationId},
		status::Validity,
	};

	fn destination(seed: u8, sequence: u64) -> Destination {
		let device = DeviceRef::from(DeviceId([4; 32]));
		let public = AgreementKey::from_secret_bytes(&[seed; 32]).public();
		let record = KeyRecord {
			device: device.id,
			purpose: KeyPurpose::KeyAgreement,
			public: public.clone(),
			validity: Validity { not_before: 1, not_after: None },
			registered_at: 1,
			superseded_at: None,
			withdrawal: Default::default(),
		};
		Destination {
			device,
			record: DeviceRecord {
				organisation: OrganisationId([2; 32]),
				name: b"drone-7".to_vec().try_into().unwrap(),
				enrolled_at: 1,
				keys_registered: 3,
				withdrawal: Default::default(),
			},
			recipient: (KeyId::of(&public), record),
			key: RecipientKey::X25519(public),
			channel: ChannelId::DEFAULT,
			sequence,
		}
	}

	#[test]
	fn nothing_is_sealed_to_what_has_changed_since_it_was_read() {
		let read = destination(7, 5);
		read.require_same(Some(&destination(7, 5))).unwrap();
		let mut moved = destination(7, 5);
		moved.record.organisation = OrganisationId([9; 32]);
		for (now, why) in [
			(None, "has changed"),
			(Some(destination(8, 5)), "has changed"),
			(Some(destination(7, 6)), "delivery 5 to"),
			(Some(moved), "another organisation"),
		] {
			let error = read.require_same(now.as_ref()).unwrap_err();
			assert!(error.to_string().contains(why), "{error}");
			assert!(error.next_step().unwrap().contains("again"), "{error}");
		}
	}
}
