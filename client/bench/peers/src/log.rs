// SPDX-License-Identifier: Apache-2.0

//! `tlog_tiles`: the tiles of Cloudflare's transparency log. A million keys are taken in at once, as a fleet is.

use crate::{
	Result,
	row::{median, rounded, row},
};
use cpu_time::ProcessTime;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::{
	fs, io,
	path::Path,
	time::{Duration, Instant},
};
use tlog_tiles::{
	Checkpoint, Error, Hash, HashReader, Tile, check_record, prove_record, record_hash,
	stored_hash_count, stored_hashes, tree_hash,
};

/// Levels of the tree in a tile.
const HEIGHT: u8 = 8;

/// Bytes of an entry: as many as the leaf of a fleet's member with a short name and an Ed25519 key has.
const ENTRY: usize = 59;

/// Proofs that are made and checked.
const SAMPLES: u64 = 1_000;

const ORIGIN: &str = "peers.example/log";

/// What a signed note has beyond its text: an empty line, and a line with a dash, the name, and 4 bytes of the key's id with
/// the 64 of the signature in base64.
const NOTE: usize = 1 + "\u{2014} ".len() + ORIGIN.len() + 1 + 92 + 1;

/// All hashes of a tree, in the order in which they came to be.
struct Stored(Vec<Hash>);

impl HashReader for Stored {
	fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, Error> {
		let of = |index: &u64| usize::try_from(*index).ok().and_then(|index| self.0.get(index));
		indexes
			.iter()
			.map(|index| of(index).copied().ok_or(Error::IndexesNotInTree))
			.collect()
	}
}

/// A log as those see it who ask it.
struct Log {
	stored: Stored,
	root: Hash,
	checkpoint: Vec<u8>,
	signature: Signature,
}

/// Entries taken in per second, until the first of them is proven; bytes of a proof; microseconds to check one.
pub fn measure(folder: &Path, count: u32, runs: usize) -> Result<Vec<Value>> {
	let key = SigningKey::from_bytes(&[7; 32]);
	let size = u64::from(count);
	let entries: Vec<_> = (0..count).map(entry).collect();
	let (mut rates, mut seconds, mut costs, mut log) = (vec![], vec![], vec![], None);
	for run in 0..runs {
		let place = folder.join(format!("log-{run}"));
		let (began, cpu) = (Instant::now(), ProcessTime::now());
		let taken = ingest(&place, &entries, &key)?;
		let proof = prove_record(size, 0, &taken.stored)?;
		check(&taken, &key.verifying_key(), size, 0, &entries[0], &proof)?;
		let took = began.elapsed().as_secs_f64();
		costs.push(micros(cpu.elapsed()) / f64::from(count));
		rates.push(f64::from(count) / took);
		seconds.push(took);
		fs::remove_dir_all(&place)?;
		log = Some(taken);
	}
	let log = log.ok_or("nothing was measured")?;

	let (mut lengths, mut times) = (vec![], vec![]);
	for sample in 0..SAMPLES.min(size) {
		let number = sample * (size / SAMPLES.min(size));
		let proof = prove_record(size, number, &log.stored)?;
		let entry = entry(u32::try_from(number)?);
		let began = Instant::now();
		check(&log, &key.verifying_key(), size, number, &entry, &proof)?;
		times.push(micros(began.elapsed()));
		// The number of the entry goes with it.
		lengths.push((log.checkpoint.len() + NOTE + 8 + proof.len() * 32) as f64);
		let other = (number + 1) % size;
		if other != number && check(&log, &key.verifying_key(), size, other, &entry, &proof).is_ok()
		{
			return Err("the log proves an entry in the place of another".into());
		}
	}
	let facts = json!({ "keys": count, "validators": 0 });
	let with = |more: Value| {
		let mut facts = facts.clone();
		if let (Value::Object(facts), Value::Object(more)) = (&mut facts, more) {
			facts.extend(more);
		}
		facts
	};
	let ingested = json!({
		"seconds": rounded(median(&seconds), 3),
		"cpu_us_per_key": rounded(median(&costs), 3),
	});
	Ok(vec![
		row("peers/tlog/ingest", &rates, with(ingested)),
		row("peers/tlog/proof", &lengths, facts.clone()),
		row("peers/tlog/verify", &times, facts.clone()),
	])
}

/// Hashes the entries, writes tiles and entries as they are served, and signs the head.
fn ingest(folder: &Path, entries: &[[u8; ENTRY]], key: &SigningKey) -> Result<Log> {
	let size = entries.len() as u64;
	let mut stored = Stored(Vec::with_capacity(usize::try_from(stored_hash_count(size))?));
	for (number, entry) in (0..).zip(entries) {
		let hashes = stored_hashes(number, entry, &stored)?;
		stored.0.extend(hashes);
	}
	for mut tile in Tile::new_tiles(HEIGHT, 0, size) {
		write(&folder.join(tile.path()), &tile.read_data(&stored)?)?;
		if tile.level() == 0 {
			let first = usize::try_from(tile.level_index() << HEIGHT)?;
			let held = &entries[first..first + tile.width() as usize];
			let bytes: Vec<_> = held
				.iter()
				.flat_map(|entry| (ENTRY as u16).to_be_bytes().into_iter().chain(*entry))
				.collect();
			tile.set_is_data();
			write(&folder.join(tile.path()), &bytes)?;
		}
	}
	let root = tree_hash(size, &stored)?;
	let checkpoint = Checkpoint::new(ORIGIN, size, root, "")
		.map_err(|error| error.to_string())?
		.to_bytes();
	write(&folder.join("checkpoint"), &checkpoint)?;
	let signature = key.sign(&checkpoint);
	Ok(Log { stored, root, checkpoint, signature })
}

/// As somebody does who knows the log's key and nothing else: the head, and then the entry under it.
fn check(
	log: &Log,
	key: &VerifyingKey,
	size: u64,
	number: u64,
	entry: &[u8],
	proof: &Vec<Hash>,
) -> Result<()> {
	key.verify_strict(&log.checkpoint, &log.signature)?;
	Ok(check_record(proof, size, log.root, number, record_hash(entry))?)
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
	if let Some(folder) = path.parent() {
		fs::create_dir_all(folder)?;
	}
	fs::write(path, bytes)
}

fn entry(number: u32) -> [u8; ENTRY] {
	let mut entry = [0; ENTRY];
	entry[..32].copy_from_slice(&Sha256::digest(number.to_le_bytes()));
	entry[32..36].copy_from_slice(&number.to_le_bytes());
	entry
}

fn micros(time: Duration) -> f64 {
	time.as_secs_f64() * 1e6
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn entries_are_proven_and_no_others() {
		let folder = std::env::temp_dir().join(format!("dpki-peers-{}", std::process::id()));
		let rows = measure(&folder, 1_000, 1).unwrap();
		let _ = fs::remove_dir_all(&folder);
		let ids: Vec<_> = rows.iter().map(|row| row["id"].as_str().unwrap()).collect();
		assert_eq!(ids, ["peers/tlog/ingest", "peers/tlog/proof", "peers/tlog/verify"]);
		// Ten hashes for a thousand entries.
		assert!(rows[1]["value"].as_f64().unwrap() > 320.0);
	}
}
