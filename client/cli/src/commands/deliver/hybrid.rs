//! Deliveries that are sealed to the hybrid key of a device.

use super::Destination;
use crate::{
	error::{Error, Result},
	files,
	values::DeviceRef,
};
use dpki_client::{View, envelope::RecipientKey};
use dpki_primitives::{channel::ChannelId, ids::KeyId, key::KeyPurpose};
use std::path::Path;

impl Destination {
	/// The chain has the hash of the key, which the device has vouched for; the file has the key.
	pub(super) async fn hybrid(
		view: &View,
		device: DeviceRef,
		channel: ChannelId,
		path: &Path,
	) -> Result<Self> {
		let parsed = files::read_text(path)?.parse::<RecipientKey>();
		let key = parsed.map_err(|error| Error::NotAllowed {
			why: format!("{} holds no hybrid key", path.display()),
			next: error.to_string(),
		})?;
		let id = KeyId::of_device(device.id, &key.public());
		let record = view.key(id).await?;
		let is_good = view.key_status(id).await?.is_valid();
		let record = record.filter(|record| {
			is_good && record.device == device.id && record.purpose == KeyPurpose::KeyAgreement
		});
		let record = record.ok_or_else(|| {
			Error::NotAllowed {
			why: format!("the key in {} is no valid key of {}", path.display(), device.text),
			next: "register it with the consent that `dpki-agent consent --hybrid` signs on the device, by \
			       `dpki device register-key`"
				.into(),
		}
		})?;
		Ok(Self { recipient: (id, record), key, ..Self::read(view, device, channel).await? })
	}
}
