//! What a state that grows costs (M12): the same registrations and lookups on chains that begin with more and more devices.
//!
//! The devices are in the state of the first block, under their real keys with their real records, as if they had been
//! registered: what a registration and a lookup touch is what they would touch.

use super::own::from_file;
use crate::{
	Result,
	device::Device,
	nodes::{Genesis, Network, Setup},
	report::{Metric, Target},
	send::{Manner, Outcome},
	statistics::{median, percentile, ratio, rounded},
	world::{World, endowed},
};
use codec::Encode;
use dpki_primitives::{
	Moment,
	device::{DeviceRecord, KeyList},
	ids::{DeviceId, KeyId, OrganisationId},
	key::{KeyPurpose, KeyRecord, KeyType, PublicKey},
	status::Validity,
	storage_keys,
};
use dpki_verifier::Query;
use sp_crypto_hashing::blake2_256;
use std::{
	fs,
	os::unix::fs::MetadataExt,
	path::Path,
	time::{Duration, Instant},
};

/// How much the last registration may cost of the first.
const GOAL: f64 = 1.5;

/// Organisations that register in turns.
const ORGANISATIONS: u32 = 16;

/// How many devices are looked up.
const LOOKUPS: u32 = 200;

/// The unit of `st_blocks`, see stat(2).
const BLOCK: u64 = 512;

/// Some moment that is past.
const ENROLLED_AT: Moment = 1_700_000_000_000;

/// What is measured.
#[derive(Clone, Debug)]
pub struct Plan {
	/// With how many devices the chains begin.
	pub sizes: Vec<u32>,
	/// Registrations in a run.
	pub count: u32,
	/// Runs.
	pub runs: u32,
}

/// Measures it.
pub async fn measure(setup: &Setup, plan: &Plan) -> Result<Vec<Metric>> {
	let mut metrics = Vec::new();
	let mut first = None;
	for size in &plan.sizes {
		let (cost, of_size) = measure_one(setup, plan, *size, first).await?;
		first.get_or_insert(cost);
		metrics.extend(of_size);
	}
	Ok(metrics)
}

async fn measure_one(
	setup: &Setup,
	plan: &Plan,
	size: u32,
	first: Option<f64>,
) -> Result<(f64, Vec<Metric>)> {
	let count = plan.count.next_multiple_of(ORGANISATIONS);
	let mut state: Vec<_> = (0..size).flat_map(entries).collect();
	state.push((storage_keys::organisation_device_count(organisation()), size.encode()));
	let bytes: usize = state.iter().map(|(key, value)| key.len() + value.len()).sum();
	let genesis = Genesis { validators: 1, endowed: endowed(1, ORGANISATIONS * plan.runs), state };
	let name = format!("growth-{size}");
	let network = Network::start(setup, &name, &genesis).await?;
	drop(genesis);
	let manner = Manner { window: 2_000, gap: Duration::ZERO };
	let mut runs: Vec<Outcome> = Vec::new();
	for run in 0..plan.runs {
		let world = World::found(&network, run * ORGANISATIONS, ORGANISATIONS).await?;
		let load = world.registrations(count, 1);
		runs.push(from_file(setup, &network, &load, manner).await?);
	}
	let costs: Vec<_> = runs.iter().map(Outcome::cpu_each).collect();
	let cost = median(&costs).ok_or("nothing was measured")?;
	let (asked, lengths) = lookups(&network, size).await?;
	let disk = length(&setup.folder.join(&name).join("alice"))?;
	let metric = |what: &str, value: f64, unit: &str, runs: usize| {
		Metric::new(format!("growth/{what}/devices={size}"), "growth", value, unit, runs)
			.fact("devices", size)
			.fact("validators", 1)
	};
	let grown = first.and_then(|first| ratio(cost, first)).unwrap_or(1.0);
	let each = |value: f64| value / f64::from(size.max(1));
	let metrics = vec![
		metric("registration", cost, "us of processor time", runs.len())
			.ratio(Some(grown))
			.target(grown, Target::AtMost(GOAL))
			.facts(&super::own::middle(&runs)),
		metric("lookup", percentile(&asked, 0.5).unwrap_or_default(), "us to a proof", asked.len())
			.fact("p99", percentile(&asked, 0.99).map(|it| rounded(it, 1))),
		metric("proof", median(&lengths).unwrap_or_default(), "bytes", lengths.len()),
		metric("state", each(bytes as f64), "bytes of keys and values per device", 1)
			.fact("disk_bytes_per_device", rounded(each(disk as f64), 0)),
	];
	Ok((cost, metrics))
}

/// How long the node takes to prove a device with its key, in microseconds, and the bytes of the bundles.
async fn lookups(network: &Network, size: u32) -> Result<(Vec<f64>, Vec<f64>)> {
	let mut device = Device::new(&network.first().rpc).await?;
	let (mut times, mut lengths) = (Vec::new(), Vec::new());
	while times.len() < LOOKUPS.min(size) as usize {
		let number = times.len() as u32 * (size / LOOKUPS.min(size));
		let (id, key) = (device_id(number), KeyId::of(&public_key(number)));
		let query = Query::new().key(key).device(id);
		let began = Instant::now();
		// Between a finalised block and its justification there is nothing to be had.
		let Ok(bundle) = device.fetch(&query).await else { continue };
		times.push(began.elapsed().as_secs_f64() * 1e6);
		lengths.push(bundle.len() as f64);
		if !device.verify(&bundle, &query, |verified| verified.key_status(key))?.is_valid() {
			return Err(format!("device {number} is not valid").into());
		}
	}
	Ok((times, lengths))
}

/// What the registry keeps of the device of this number: its records and its place in the list of its organisation.
fn entries(number: u32) -> [(Vec<u8>, Vec<u8>); 4] {
	let (device, public) = (device_id(number), public_key(number));
	let key = KeyId::of(&public);
	let record = DeviceRecord {
		organisation: organisation(),
		name: name(number).try_into().expect("the name is short"),
		enrolled_at: ENROLLED_AT,
		keys_registered: 1,
		withdrawal: Default::default(),
	};
	let keys: KeyList = vec![key].try_into().expect("one key is no more than a device may have");
	let of_key = KeyRecord {
		device,
		purpose: KeyPurpose::Sign,
		public,
		validity: Validity { not_before: ENROLLED_AT, not_after: None },
		registered_at: ENROLLED_AT,
		superseded_at: None,
		withdrawal: Default::default(),
	};
	[
		(storage_keys::device(device), record.encode()),
		(storage_keys::device_keys(device), keys.encode()),
		(storage_keys::key(key), of_key.encode()),
		(storage_keys::organisation_device(organisation(), number), device.encode()),
	]
}

fn organisation() -> OrganisationId {
	OrganisationId::from_name(b"grown")
}

fn name(number: u32) -> Vec<u8> {
	format!("device-{number:08}").into_bytes()
}

fn device_id(number: u32) -> DeviceId {
	DeviceId::from_name(organisation(), &name(number))
}

fn public_key(number: u32) -> PublicKey {
	let bytes = blake2_256(&("grown", number).encode());
	PublicKey::new(KeyType::Ed25519, &bytes).expect("an Ed25519 key has 32 bytes")
}

/// Bytes that all files in a folder take of the disk, holes in them left out, but for the logs of the database, which are as
/// long as what was written last.
fn length(folder: &Path) -> Result<u64> {
	let mut sum = 0;
	for entry in fs::read_dir(folder)? {
		let entry = entry?;
		if entry.file_name().to_string_lossy().starts_with("log") {
			continue;
		}
		let kind = entry.metadata()?;
		sum += if kind.is_dir() { length(&entry.path())? } else { kind.blocks() * BLOCK };
	}
	Ok(sum)
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::io::Write;

	#[test]
	fn each_device_has_records_of_its_own() {
		let keys: std::collections::BTreeSet<_> =
			(0..3).flat_map(entries).map(|(key, _)| key).collect();
		assert_eq!(keys.len(), 12);
	}

	#[test]
	fn a_folder_is_as_long_as_its_files_but_for_logs_and_holes() {
		let folder = tempfile::tempdir().unwrap();
		fs::create_dir(folder.path().join("inner")).unwrap();
		let write = |name: &str| {
			let mut file = fs::File::create(folder.path().join(name)).unwrap();
			file.write_all(&[7; 65_536]).unwrap();
			// Some file systems find room for what was written when it is.
			file.sync_all().unwrap();
			file
		};
		let hole = write("inner/a");
		let one = length(folder.path()).unwrap();
		assert!(one >= 65_536);
		hole.set_len(1 << 30).unwrap();
		assert!(length(folder.path()).unwrap() < 1 << 20);
		write("b");
		write("log1");
		assert!(length(folder.path()).unwrap() >= 2 * 65_536);
		fs::remove_file(folder.path().join("b")).unwrap();
		assert!(length(folder.path()).unwrap() < 2 * 65_536, "a log does not count");
	}
}
