//! What is asked about, and what a verified bundle says about it.

use crate::{
	output::hex,
	values::{DeviceRef, HexBytes},
};
use clap::Args;
use dpki_client::carrier::Carriers;
use dpki_primitives::{
	Moment,
	ids::{AnchorId, DeviceId, KeyId},
	status::Status,
	storage_keys,
};
use dpki_verifier::{Error as Unproven, Query, Verified, genesis_key};
use serde_json::{Value, json};
use std::fmt;

/// What is asked about. The chain time is always part of it.
#[derive(Args)]
pub struct Question {
	/// A device, as ORGANISATION/NAME or its id; may be repeated
	#[arg(long = "device", value_name = "ORG/NAME|ID")]
	devices: Vec<DeviceRef>,
	/// A key; its device has to be asked about too, because a key falls with its device
	#[arg(long = "key", value_name = "ID")]
	keys: Vec<KeyId>,
	/// A trust anchor; those above it have to be asked about too
	#[arg(long = "anchor", value_name = "ID")]
	anchors: Vec<AnchorId>,
	/// Whatever lies under this storage key
	#[arg(long = "storage-key", value_name = "HEX")]
	storage_keys: Vec<HexBytes>,
	/// Do not have the genesis hash proven. Signatures of finality do not name their chain: then a block of another chain passes
	/// if the same validators run that with the same keys. It saves up to 2 kB, and has to be the same for whoever exports or
	/// publishes and whoever asks
	#[arg(long)]
	no_bind_genesis: bool,
}

impl Question {
	/// Whether nothing is asked about but the chain time.
	pub fn is_empty(&self) -> bool {
		self.named() == Query::new()
	}

	/// For the verifier.
	pub fn query(&self) -> Query {
		if self.no_bind_genesis { self.named() } else { self.named().bind_genesis() }
	}

	/// These carriers, asked as the question is meant.
	pub fn to(&self, carriers: Carriers) -> Carriers {
		if self.no_bind_genesis { carriers.without_genesis() } else { carriers }
	}

	fn named(&self) -> Query {
		let query = self.devices.iter().fold(Query::new(), |query, it| query.device(it.id));
		let query = self.keys.iter().fold(query, |query, id| query.key(*id));
		let query = self.anchors.iter().fold(query, |query, id| query.anchor(*id));
		self.storage_keys
			.iter()
			.fold(query, |query, key| query.storage_key(key.0.clone()))
	}
}

/// What is proven about one storage key.
pub struct Finding {
	what: &'static str,
	id: String,
	/// The verdict, if there is one about such a thing.
	pub status: Option<Status>,
	/// What there is to say instead of a verdict.
	note: String,
}

impl Finding {
	/// For programs.
	pub fn to_json(&self) -> Value {
		let status = self.status.map(|status| status.name());
		json!({ "what": self.what, "id": self.id, "status": status, "note": self.note })
	}
}

impl fmt::Display for Finding {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let Self { what, id, .. } = self;
		match self.status {
			Some(status) => write!(f, "  {what} {id}: {}", status.name()),
			None => write!(f, "  {what} {id}: {}", self.note),
		}
	}
}

/// What a verified bundle says about each key of its query, and the chain time. That the chain is the right one is no
/// finding, but what all of them stand on.
pub fn findings(
	verified: &Verified<'_>,
	query: &Query,
) -> Result<(Vec<Finding>, Moment), Unproven> {
	let now = storage_keys::now();
	let genesis = query.binds_genesis().then(genesis_key);
	let keys = query.keys().iter().filter(|key| **key != now && Some(*key) != genesis.as_ref());
	let findings = keys.map(|key| finding(verified, key)).collect::<Result<_, _>>()?;
	Ok((findings, verified.time()))
}

fn finding(verified: &Verified<'_>, key: &[u8]) -> Result<Finding, Unproven> {
	let (what, id, status) = match Thing::of(key) {
		Thing::Device(id) => ("device", id.to_string(), verified.device_status(id)),
		Thing::Key(id) => ("key", id.to_string(), verified.key_status(id)),
		Thing::Anchor(id) => ("anchor", id.to_string(), verified.anchor_status(id)),
		Thing::Other => {
			let value = verified.value(key)?;
			let note = value.map_or_else(|| "proven absent".to_owned(), hex);
			return Ok(Finding { what: "storage key", id: hex(key), status: None, note });
		},
	};
	match status {
		Ok(status) => Ok(Finding { what, id, status: Some(status), note: String::new() }),
		Err(Unproven::NotAsked) => {
			let note = "no verdict without what it depends on: ask about that too".to_owned();
			Ok(Finding { what, id, status: None, note })
		},
		Err(error) => Err(error),
	}
}

/// What lies under a storage key.
enum Thing {
	Device(DeviceId),
	Key(KeyId),
	Anchor(AnchorId),
	Other,
}

impl Thing {
	fn of(key: &[u8]) -> Self {
		let Some((_, id)) = key.split_last_chunk::<32>() else { return Self::Other };
		let (device, known, anchor) = (DeviceId(*id), KeyId(*id), AnchorId(*id));
		if key == storage_keys::device(device) {
			Self::Device(device)
		} else if key == storage_keys::key(known) {
			Self::Key(known)
		} else if key == storage_keys::anchor(anchor) {
			Self::Anchor(anchor)
		} else {
			Self::Other
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_storage_key_tells_what_lies_under_it() {
		let id = [7; 32];
		assert!(
			matches!(Thing::of(&storage_keys::device(DeviceId(id))), Thing::Device(it) if it.0 == id)
		);
		assert!(matches!(Thing::of(&storage_keys::key(KeyId(id))), Thing::Key(it) if it.0 == id));
		assert!(
			matches!(Thing::of(&storage_keys::anchor(AnchorId(id))), Thing::Anchor(it) if it.0 == id)
		);
		for other in [Vec::new(), vec![1; 31], vec![1; 64], storage_keys::now()] {
			assert!(matches!(Thing::of(&other), Thing::Other));
		}
		assert!(matches!(Thing::of(&storage_keys::device_keys(DeviceId(id))), Thing::Other));
	}
}
