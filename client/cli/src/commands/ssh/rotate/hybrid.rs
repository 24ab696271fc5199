//! Which device each of the hybrid keys is of that were given to a rotation.
//!
//! Whoever gives a key means that something is sealed to it. So a key of no device is refused before anything begins, and a
//! device whose key is not valid any more is left out: neither gets what was meant for it under a weaker key.

use crate::{
	commands::deliver::{self, Destination},
	error::{Error, Result},
	values::DeviceRef,
};
use dpki_client::{View, envelope::RecipientKey};
use dpki_primitives::{
	channel::ChannelId,
	ids::{DeviceId, KeyId},
};
use std::{
	collections::BTreeMap,
	path::{Path, PathBuf},
};

/// The keys that were given, by device. One that is about to replace its key may have two.
#[derive(Default)]
pub struct HybridKeys(BTreeMap<DeviceId, Vec<RecipientKey>>);

impl HybridKeys {
	/// The keys in these files, each of which has to be an unrevoked key of one of the devices.
	pub async fn read(view: &View, devices: &[DeviceRef], paths: &[PathBuf]) -> Result<Self> {
		let mut given = Vec::new();
		for path in paths {
			given.push((path.as_path(), deliver::hybrid_key(path)?));
		}
		let mut known = Vec::new();
		if !given.is_empty() {
			for device in devices {
				known.push((device.id, view.device_keys(device.id).await?));
			}
		}
		Self::assign(&given, &known)
	}

	fn assign(given: &[(&Path, RecipientKey)], known: &[(DeviceId, Vec<KeyId>)]) -> Result<Self> {
		let mut keys = Self::default();
		for (path, key) in given {
			let public = key.public();
			let is_of = |(device, ids): &&(DeviceId, Vec<KeyId>)| {
				ids.contains(&KeyId::of_device(*device, &public))
			};
			let mut found = false;
			for (device, _) in known.iter().filter(is_of) {
				keys.0.entry(*device).or_default().push(key.clone());
				found = true;
			}
			if !found {
				return Err(Error::NotAllowed {
					why: format!("the key in {} is of none of these devices", path.display()),
					next: "leave it out, or have it registered with `dpki device register-key`; after `dpki-agent rotate \
					       --hybrid` give the file that it wrote"
						.into(),
				});
			}
		}
		Ok(keys)
	}

	/// Where the same delivery goes by the hybrid key of the device, if one was given; `Err` says in words why it cannot.
	pub async fn redirect(
		&self,
		view: &View,
		found: Destination,
		channel: ChannelId,
	) -> Result<std::result::Result<Destination, String>> {
		let Some(keys) = self.0.get(&found.device.id) else { return Ok(Ok(found)) };
		for key in keys {
			if let Some(to) = Destination::to_hybrid(view, &found.device, channel, key).await? {
				return Ok(Ok(to));
			}
		}
		Ok(Err(
			"its hybrid key is not valid any more: give the one in its place, and --again".into()
		))
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use dpki_client::possession::HybridKey;

	fn device(byte: u8) -> DeviceId {
		DeviceId([byte; 32])
	}

	#[test]
	fn a_key_is_that_of_the_device_that_has_registered_it() {
		let keys: Vec<_> = (0..2)
			.map(|_| RecipientKey::XWing(HybridKey::generate().public_bytes()))
			.collect();
		let id = |of: u8, key: &RecipientKey| KeyId::of_device(device(of), &key.public());
		let known = [
			(device(1), vec![KeyId([9; 32]), id(1, &keys[1])]),
			(device(2), vec![id(2, &keys[0])]),
			(device(3), vec![]),
		];
		let given: Vec<_> =
			keys.iter().map(|key| (Path::new("some.hybrid"), key.clone())).collect();
		let assigned = HybridKeys::assign(&given, &known).unwrap();
		assert_eq!(assigned.0[&device(1)], [keys[1].clone()]);
		assert_eq!(assigned.0[&device(2)], [keys[0].clone()]);
		assert_eq!(assigned.0.len(), 2, "a device without one is delivered to as before");
		assert!(HybridKeys::assign(&[], &known).unwrap().0.is_empty());
	}

	#[test]
	fn a_key_that_is_of_no_device_or_was_registered_by_another_is_refused() {
		let key = RecipientKey::XWing(HybridKey::generate().public_bytes());
		let given = [(Path::new("drone-9.hybrid"), key.clone())];
		for known in [
			vec![],
			vec![(device(1), vec![])],
			// The id under which device 2 would have it.
			vec![(device(1), vec![KeyId::of_device(device(2), &key.public())])],
		] {
			let error = HybridKeys::assign(&given, &known).err().expect("it is refused");
			assert!(error.to_string().contains("drone-9.hybrid is of none"), "{error}");
			assert!(error.next_step().unwrap().contains("leave it out"), "{error}");
		}
	}
}
