//! Deliveries that are sealed to the hybrid keys of devices.

use super::Destination;
use crate::{
	error::{Error, Result},
	files,
	values::DeviceRef,
};
use dpki_client::{
	View,
	envelope::{RecipientError, RecipientKey},
};
use dpki_primitives::{channel::ChannelId, ids::KeyId, key::KeyPurpose};
use std::path::{Path, PathBuf};

impl Destination {
	/// The chain has the hash of the key, which the device has vouched for; the file has the key.
	pub(super) async fn hybrid(
		view: &View,
		device: DeviceRef,
		channel: ChannelId,
		path: &Path,
	) -> Result<Self> {
		let key = read(path)?;
		match Self::to_hybrid(view, &device, channel, &key).await? {
			Some(destination) => Ok(destination),
			None => Err(not_registered(&path.display().to_string(), &device.text)),
		}
	}

	/// The same for several devices, each of which has its key in one of these files.
	pub(super) async fn hybrids(
		view: &View,
		devices: Vec<DeviceRef>,
		channel: ChannelId,
		paths: &[PathBuf],
	) -> Result<Vec<Self>> {
		require_one_for_each(devices.len(), paths.len())?;
		let mut keys = paths.iter().map(|path| read(path)).collect::<Result<Vec<_>>>()?;
		let mut destinations = Vec::new();
		for device in devices {
			let mut found = None;
			for (index, key) in keys.iter().enumerate() {
				if let Some(destination) = Self::to_hybrid(view, &device, channel, key).await? {
					found = Some((index, destination));
					break;
				}
			}
			let Some((index, destination)) = found else {
				return Err(not_registered("any of these files", &device.text));
			};
			// In their order: where that is the order of the devices, each is found at once.
			keys.remove(index);
			destinations.push(destination);
		}
		Ok(destinations)
	}

	/// If it is a valid key of the device.
	pub async fn to_hybrid(
		view: &View,
		device: &DeviceRef,
		channel: ChannelId,
		key: &RecipientKey,
	) -> Result<Option<Self>> {
		let id = KeyId::of_device(device.id, &key.public());
		let Some(record) = view.key(id).await? else { return Ok(None) };
		let is_good = view.key_status(id).await?.is_valid()
			&& record.device == device.id
			&& record.purpose == KeyPurpose::KeyAgreement;
		if !is_good {
			return Ok(None);
		}
		let (recipient, key) = ((id, record), key.clone());
		Ok(Some(Self { recipient, key, ..Self::read(view, device.clone(), channel).await? }))
	}
}

/// The public half of a hybrid key, as `dpki-agent hybrid` wrote it into this file.
pub fn read(path: &Path) -> Result<RecipientKey> {
	files::read_text(path)?
		.parse()
		.map_err(|error: RecipientError| Error::NotAllowed {
			why: format!("{} holds no hybrid key", path.display()),
			next: error.to_string(),
		})
}

/// One envelope is as safe as the weakest key that opens it, so it goes to hybrid keys or to none.
fn require_one_for_each(devices: usize, keys: usize) -> Result<()> {
	if devices == keys {
		return Ok(());
	}
	Err(Error::NotAllowed {
		why: format!("there are {devices} devices and {keys} hybrid keys"),
		next: "give --hybrid-key once for each device, in any order, or deliver to the others by themselves"
			.into(),
	})
}

fn not_registered(place: &str, device: &str) -> Error {
	Error::NotAllowed {
		why: format!("the key in {place} is no valid key of {device}"),
		next: "register it with the consent that `dpki-agent consent --hybrid` signs on the device, by \
		       `dpki device register-key`; after `dpki-agent rotate --hybrid` give the file that it wrote"
			.into(),
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::commands::deliver::Deliver;
	use clap::CommandFactory;
	use dpki_client::{Bundle, envelope::most_recipients};
	use dpki_primitives::delivery::Suite;

	#[derive(clap::Parser)]
	struct Words {
		#[command(flatten)]
		_deliver: Deliver,
	}

	/// The limits that a person reads are those of the envelopes.
	#[test]
	fn the_help_says_for_how_many_devices_one_envelope_has_room() {
		let help = Words::command().render_long_help().to_string();
		let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
		let content = Bundle::default().encode().unwrap().len();
		let most = |suite| most_recipients(suite, content);
		let of_hybrid = format!("room for {} of these keys", most(Suite::SharedXWing));
		let of_others = format!("one for each {} of them", most(Suite::SharedX25519));
		assert!(help.contains(&of_hybrid) && help.contains(&of_others), "{help}");
	}

	#[test]
	fn an_envelope_goes_to_hybrid_keys_or_to_none() {
		require_one_for_each(2, 2).unwrap();
		for keys in [1, 3] {
			let error = require_one_for_each(2, keys).unwrap_err();
			assert!(error.next_step().unwrap().contains("once for each device"), "{error}");
		}
	}

	#[test]
	fn a_file_without_a_hybrid_key_is_named() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("drone-7.hybrid");
		std::fs::write(&path, "x25519:0x00").unwrap();
		let error = read(&path).unwrap_err();
		assert!(error.to_string().contains("drone-7.hybrid holds no hybrid key"), "{error}");
	}
}
