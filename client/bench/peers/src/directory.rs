// SPDX-License-Identifier: Apache-2.0

//! `akd`: the auditable key directory behind WhatsApp's key transparency, with its database in memory.

use crate::{
	Result,
	row::{median, rounded, row},
};
use akd::{
	AkdLabel, AkdValue, AzksParallelismConfig, Directory, EpochHash, WhatsAppV1Configuration,
	client::lookup_verify,
	ecvrf::HardCodedAkdVRF,
	proto::specs::types::LookupProof,
	storage::{StorageManager, memory::AsyncInMemoryDatabase},
};
use cpu_time::ProcessTime;
use protobuf::Message;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::time::Instant;
use tokio::runtime::Runtime;

type Config = WhatsAppV1Configuration;
type InMemory = Directory<Config, AsyncInMemoryDatabase, HardCodedAkdVRF>;

/// Lookups that are proven and checked.
const SAMPLES: u32 = 200;

/// Keys added per second; bytes of the proof of one, as the library encodes it; microseconds to check one.
pub fn measure(labels: u32, epoch: u32, runs: usize) -> Result<Vec<Value>> {
	Runtime::new()?.block_on(async {
		let (mut rates, mut costs, mut seconds, mut last) = (vec![], vec![], vec![], None);
		for run in 0..runs {
			let (began, cpu) = (Instant::now(), ProcessTime::now());
			last = Some(filled(labels, epoch).await?);
			let took = began.elapsed().as_secs_f64();
			costs.push(cpu.elapsed().as_secs_f64() * 1e6 / f64::from(labels));
			rates.push(f64::from(labels) / took);
			seconds.push(took);
			eprintln!("run {run} of the directory is measured");
		}
		let (directory, head) = last.ok_or("nothing was measured")?;
		let (lengths, times) = sample(&directory, &head, labels).await?;
		let with = |mut facts: Value| {
			facts["keys"] = labels.into();
			facts["validators"] = 0.into();
			facts["epoch"] = epoch.into();
			facts
		};
		let ingested = json!({
			"seconds": rounded(median(&seconds), 3),
			"cpu_us_per_key": rounded(median(&costs), 1),
		});
		Ok(vec![
			row("peers/akd/ingest", &rates, with(ingested)),
			row("peers/akd/proof", &lengths, with(json!({}))),
			row("peers/akd/verify", &times, with(json!({}))),
		])
	})
}

async fn filled(labels: u32, epoch: u32) -> Result<(InMemory, EpochHash)> {
	let storage = StorageManager::new_no_cache(AsyncInMemoryDatabase::new());
	let parallel = AzksParallelismConfig::default();
	let directory = InMemory::new(storage, HardCodedAkdVRF, parallel).await?;
	let mut head = None;
	for first in (0..labels).step_by(epoch as usize) {
		let keys = first..first.saturating_add(epoch).min(labels);
		head = Some(
			directory
				.publish(keys.map(|number| (label(number), key(number))).collect())
				.await?,
		);
	}
	Ok((directory, head.ok_or("the directory is empty")?))
}

async fn sample(
	directory: &InMemory,
	head: &EpochHash,
	labels: u32,
) -> Result<(Vec<f64>, Vec<f64>)> {
	let public = directory.get_public_key().await?;
	let (mut lengths, mut times) = (vec![], vec![]);
	for sample in 0..SAMPLES.min(labels) {
		let number = sample * (labels / SAMPLES.min(labels));
		let (proof, EpochHash(epoch, root)) = directory.lookup(label(number)).await?;
		if (epoch, root) != (head.epoch(), head.hash()) {
			return Err("the directory answers of another epoch".into());
		}
		lengths.push(LookupProof::from(&proof).write_to_bytes()?.len() as f64);
		let verify = |of: u32| {
			lookup_verify::<Config>(public.as_bytes(), root, epoch, label(of), proof.clone())
		};
		let began = Instant::now();
		let found = verify(number).map_err(|error| error.to_string())?;
		times.push(began.elapsed().as_secs_f64() * 1e6);
		if found.value != key(number) {
			return Err("the directory proves another key".into());
		}
		if verify(number + 1).is_ok() {
			return Err("the directory proves the key of another label".into());
		}
	}
	Ok((lengths, times))
}

fn label(number: u32) -> AkdLabel {
	AkdLabel(format!("device-{number}").into_bytes())
}

fn key(number: u32) -> AkdValue {
	AkdValue(Sha256::digest(number.to_le_bytes()).to_vec())
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn keys_are_proven_over_several_epochs() {
		let rows = measure(40, 15, 1).unwrap();
		let ids: Vec<_> = rows.iter().map(|row| row["id"].as_str().unwrap()).collect();
		assert_eq!(ids, ["peers/akd/ingest", "peers/akd/proof", "peers/akd/verify"]);
		assert!(rows[1]["value"].as_f64().unwrap() > 0.0);
	}
}
