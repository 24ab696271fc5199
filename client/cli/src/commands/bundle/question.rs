//! What is asked about, and what a verified bundle says about it.

use crate::{
	commands::certificate::show,
	output::hex,
	values::{DeviceRef, HexBytes, certificates::LevelArg},
};
use clap::Args;
use dpki_client::carrier::{Carriers, file::Contents};
use dpki_primitives::{
	Moment,
	assessment::assessment_keys,
	assurance::{Endorsements, Level},
	certificate::CertificateRecord,
	ids::{AnchorId, CertificateId, DeviceId, KeyId},
	status::Status,
	storage_keys,
};
use dpki_verifier::{Error as Unproven, Query, Verified, genesis_key};
use serde_json::{Map, Value, json};
use std::{collections::BTreeSet, fmt};

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
	/// A certificate: its status, its level, and which endorsements count; all that they depend on is asked about with it
	#[arg(long = "certificate", value_name = "ID")]
	certificates: Vec<CertificateId>,
	/// The level that certificates have to have at least
	#[arg(long, value_enum, default_value = "dv")]
	level: LevelArg,
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
	/// For the verifier.
	pub fn query(&self) -> Query {
		if self.no_bind_genesis { self.named() } else { self.named().bind_genesis() }
	}

	/// What is asked about, or, if that is nothing, what this file is about.
	pub fn asked(&self, file: Option<&Contents>) -> Asked {
		let level = self.level.into();
		match file.filter(|_| self.named() == Query::new()) {
			Some(file) => Asked { query: file.query(), is_named: false, level },
			None => Asked { query: self.query(), is_named: true, level },
		}
	}

	/// These carriers, asked as the question is meant.
	pub fn to(&self, carriers: Carriers) -> Carriers {
		if self.no_bind_genesis { carriers.without_genesis() } else { carriers }
	}

	fn named(&self) -> Query {
		let query = self.devices.iter().fold(Query::new(), |query, it| query.device(it.id));
		let query = self.keys.iter().fold(query, |query, id| query.key(*id));
		let query = self.anchors.iter().fold(query, |query, id| query.anchor(*id));
		let query = self.certificates.iter().fold(query, |query, id| query.certificate(*id));
		self.storage_keys
			.iter()
			.fold(query, |query, key| query.storage_key(key.0.clone()))
	}
}

/// What is asked.
pub struct Asked {
	/// For the verifier.
	pub query: Query,
	/// Whether a person has named what it is about, and a file has not.
	is_named: bool,
	/// What certificates have to be worth.
	level: Level,
}

/// What is proven about one storage key.
pub struct Finding {
	what: &'static str,
	id: String,
	/// The verdict, if there is one about such a thing.
	status: Option<Status>,
	/// Whether its level is none of those that were asked for.
	is_too_low: bool,
	/// What there is to say instead of a verdict, or beside it.
	note: String,
	/// More lines for people.
	lines: Vec<String>,
	/// More fields for programs.
	fields: Map<String, Value>,
}

impl Finding {
	fn new(what: &'static str, id: String, status: Option<Status>, note: String) -> Self {
		let (lines, fields) = (Vec::new(), Map::new());
		Self { what, id, status, is_too_low: false, note, lines, fields }
	}

	/// Whether it may be relied on as it was asked for, if there is a verdict about such a thing.
	pub fn is_good(&self) -> Option<bool> {
		self.status.map(|status| status.is_valid() && !self.is_too_low)
	}

	/// Whether it is valid, and not at the level that was asked for.
	pub fn is_too_low(&self) -> bool {
		self.is_too_low
	}

	/// For programs.
	pub fn to_json(&self) -> Value {
		let status = self.status.map(|status| status.name());
		let mut all = self.fields.clone();
		for (key, value) in [
			("what", json!(self.what)),
			("id", json!(self.id)),
			("status", json!(status)),
			("note", json!(self.note)),
		] {
			all.insert(key.to_owned(), value);
		}
		Value::Object(all)
	}
}

impl fmt::Display for Finding {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let Self { what, id, note, .. } = self;
		match self.status {
			Some(status) if note.is_empty() => write!(f, "  {what} {id}: {}", status.name())?,
			_ => write!(f, "  {what} {id}: {note}")?,
		}
		self.lines.iter().try_for_each(|line| write!(f, "\n  {line}"))
	}
}

/// What a verified bundle says about each key of what is asked, and the chain time. That the chain is the right one is no
/// finding, but what all of them stand on; what a certificate depends on is told with it.
pub fn findings(
	verified: &Verified<'_>,
	asked: &Asked,
) -> Result<(Vec<Finding>, Moment), Unproven> {
	let mut silent = told_with_certificates(verified, asked)?;
	silent.insert(storage_keys::now());
	if asked.query.binds_genesis() {
		silent.insert(genesis_key());
	}
	let keys = asked.query.keys().iter().filter(|key| !silent.contains(*key));
	let findings = keys
		.map(|key| {
			let mut certificates = asked.query.certificates();
			match certificates.find(|id| *key == storage_keys::certificate(*id)) {
				Some(id) => certified(verified, id, asked.level),
				None => finding(verified, key),
			}
		})
		.collect::<Result<_, _>>()?;
	Ok((findings, verified.time()))
}

/// The keys that are asked for because of a certificate. A file names all of them, and nobody has asked about them.
fn told_with_certificates(
	verified: &Verified<'_>,
	asked: &Asked,
) -> Result<BTreeSet<Vec<u8>>, Unproven> {
	let mut keys = BTreeSet::new();
	for id in asked.query.certificates() {
		let own = storage_keys::certificate(id);
		let list = storage_keys::endorsements(id);
		if !asked.is_named {
			let record = verified.record::<CertificateRecord>(&own)?;
			let endorsements = verified.record::<Endorsements>(&list)?.into_option();
			let endorsements = endorsements.unwrap_or_default();
			let all = assessment_keys(id, record.get(), &endorsements);
			keys.extend(all.into_iter().filter(|key| *key != own));
		}
		keys.extend([list, storage_keys::certificate_policy()]);
	}
	Ok(keys)
}

/// What is proven about a certificate.
fn certified(
	verified: &Verified<'_>,
	id: CertificateId,
	wanted: Level,
) -> Result<Finding, Unproven> {
	let found = match verified.certificate(id) {
		Ok(found) => found.into_option(),
		Err(Unproven::NotAsked) => {
			return Ok(Finding::new("certificate", id.to_string(), None, incomplete()));
		},
		Err(error) => return Err(error),
	};
	let Some(found) = found else {
		let status = Some(Status::Unknown);
		return Ok(Finding::new("certificate", id.to_string(), status, String::new()));
	};
	let is_too_low = found.assessment.level.is_some_and(|level| level < wanted);
	let mut note = show::headline(&found);
	if is_too_low {
		note.push_str(&format!(", not {}", wanted.name()));
	}
	let status = Some(found.assessment.status);
	let (lines, endorsements) = show::endorsements(&found.assessment, |id| id.to_string());
	let mut fields = Map::new();
	fields.insert("level".into(), json!(found.assessment.level.map(|level| level.name())));
	fields.insert("requested_level".into(), json!(found.assessment.requested.name()));
	fields.insert("endorsements".into(), Value::Array(endorsements));
	let finding = Finding::new("certificate", id.to_string(), status, note);
	Ok(Finding { is_too_low, lines, fields, ..finding })
}

fn incomplete() -> String {
	"no verdict without what it depends on: ask about that too".to_owned()
}

fn finding(verified: &Verified<'_>, key: &[u8]) -> Result<Finding, Unproven> {
	let (what, id, status) = match Thing::of(key) {
		Thing::Device(id) => ("device", id.to_string(), verified.device_status(id)),
		Thing::Key(id) => ("key", id.to_string(), verified.key_status(id)),
		Thing::Anchor(id) => ("anchor", id.to_string(), verified.anchor_status(id)),
		Thing::Other => {
			let value = verified.value(key)?;
			let note = value.map_or_else(|| "proven absent".to_owned(), hex);
			return Ok(Finding::new("storage key", hex(key), None, note));
		},
	};
	match status {
		Ok(status) => Ok(Finding::new(what, id, Some(status), String::new())),
		Err(Unproven::NotAsked) => Ok(Finding::new(what, id, None, incomplete())),
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
