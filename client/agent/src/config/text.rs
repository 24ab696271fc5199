//! How hashes and checkpoints are written in the configuration and on the command line.

use dpki_light::Checkpoint;

/// 32 bytes as `0x` and 64 hexadecimal digits.
pub fn parse_hash(text: &str) -> Result<[u8; 32], String> {
	let digits = text.strip_prefix("0x").unwrap_or(text);
	let mut bytes = [0; 32];
	hex::decode_to_slice(digits, &mut bytes)
		.map_err(|_| format!("`{text}` is no hash: write 0x and 64 hexadecimal digits"))?;
	Ok(bytes)
}

/// A checkpoint as `0x` and the hexadecimal digits of its encoding.
pub fn parse_checkpoint(text: &str) -> Result<Checkpoint, String> {
	let bytes = hex::decode(text.strip_prefix("0x").unwrap_or(text)).map_err(|_| {
		"that is no checkpoint: write 0x and the digits that `dpki-agent checkpoint` prints"
			.to_owned()
	})?;
	Checkpoint::decode(&bytes).map_err(|error| error.to_string())
}

pub(super) mod checkpoint {
	use super::Checkpoint;
	use serde::{Deserialize, Deserializer, Serializer, de::Error};

	pub fn serialize<S: Serializer>(
		checkpoint: &Option<Checkpoint>,
		serializer: S,
	) -> Result<S::Ok, S::Error> {
		match checkpoint {
			Some(checkpoint) => {
				serializer.serialize_str(&format!("0x{}", hex::encode(checkpoint.encode())))
			},
			None => serializer.serialize_none(),
		}
	}

	pub fn deserialize<'de, D: Deserializer<'de>>(
		deserializer: D,
	) -> Result<Option<Checkpoint>, D::Error> {
		let text = String::deserialize(deserializer)?;
		super::parse_checkpoint(&text).map(Some).map_err(D::Error::custom)
	}
}

pub(super) mod channels {
	use dpki_client::primitives::channel::{ChannelId, ChannelSet, NoSuchChannel};
	use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

	pub fn serialize<S: Serializer>(
		channels: &Option<ChannelSet>,
		serializer: S,
	) -> Result<S::Ok, S::Error> {
		let numbers: Option<Vec<u8>> =
			channels.map(|channels| channels.iter().map(ChannelId::number).collect());
		numbers.serialize(serializer)
	}

	pub fn deserialize<'de, D: Deserializer<'de>>(
		deserializer: D,
	) -> Result<Option<ChannelSet>, D::Error> {
		let numbers = Vec::<u8>::deserialize(deserializer)?;
		let channels =
			numbers.into_iter().map(|number| ChannelId::new(number).ok_or(NoSuchChannel));
		channels.collect::<Result<_, _>>().map(Some).map_err(D::Error::custom)
	}
}

pub(super) mod hash {
	use serde::{Deserialize, Deserializer, Serializer, de::Error};

	pub fn serialize<S: Serializer>(hash: &[u8; 32], serializer: S) -> Result<S::Ok, S::Error> {
		serializer.serialize_str(&format!("0x{}", hex::encode(hash)))
	}

	pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 32], D::Error> {
		super::parse_hash(&String::deserialize(deserializer)?).map_err(D::Error::custom)
	}
}
