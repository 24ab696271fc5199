//! Figures of proof bundles, for `scripts/bench`. Times are those of the profile that this was built with.
//!
//! ```text
//! dpki-figures measure FOLDER    one line of JSON for each number of validators and devices; leaves bundles there
//! dpki-figures verify FOLDER NAME    verifies one of them, as a program of its own
//! ```
//!
//! | word | meaning |
//! |---|---|
//! | cold | the verifier stands at a checkpoint and is shown a later block: it checks every signature |
//! | warm | the verifier stands at the block of the bundle: it checks the storage proof |
//! | single | each device is registered by itself |
//! | fleet | devices are members of fleets, and bring their path beside the bundle, see `fleet` |
//! | constructed | the state is not built as a whole, see `state` |

mod bundle;
mod fleet;
mod measure;
mod memory;
mod state;

use bundle::Validators;
use codec::{Decode, Encode};
use dpki_verifier::{Checkpoint, Query, Verifier, Zebra};
use measure::{Case, Plan, fresh, measure};
use serde_json::json;
use state::{KEYS_PER_DEVICE, Registry};
use std::{error::Error, fs, path::Path, time::Instant};

#[global_allocator]
static ALLOCATOR: memory::Counting = memory::Counting;

const PLAN: Plan = Plan { runs: 5, samples: 100 };
const VALIDATORS: [u8; 3] = [4, 7, 21];
/// Built as a whole.
const BUILT: [u32; 2] = [10_000, 1_000_000];
/// Constructed.
const CONSTRUCTED: u64 = 1_000_000_000;
/// Members of fleets, and in how many states of them one is asked for in each fleet.
const MEMBERS: [(u64, u64); 3] = [(10_000, 30), (1_000_000, 30), (1_000_000_000, 1)];

fn main() -> Result<(), Box<dyn Error>> {
	let args: Vec<_> = std::env::args().skip(1).collect();
	match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
		["measure", folder] => all(folder.as_ref()),
		["verify", folder, name] => verify(folder.as_ref(), name),
		_ => Err("usage: dpki-figures measure FOLDER | dpki-figures verify FOLDER NAME".into()),
	}
}

fn all(folder: &Path) -> Result<(), Box<dyn Error>> {
	fs::create_dir_all(folder)?;
	for devices in BUILT {
		let began = Instant::now();
		let registry = Registry::built(devices, PLAN.samples);
		eprintln!("a state with {devices} devices took {} ms", began.elapsed().as_millis());
		let registries = [registry];
		tell(folder, "single", devices.into(), "built", &registries)?;
	}
	let registries: Vec<_> = (0..u64::from(PLAN.samples))
		.map(|seed| Registry::constructed(CONSTRUCTED, seed))
		.collect();
	tell(folder, "single", CONSTRUCTED, "constructed", &registries)?;
	for (members, states) in MEMBERS {
		let registries: Vec<_> = (0..states).map(|seed| Registry::fleets(members, seed)).collect();
		tell(folder, "fleet", members, "built, paths drawn", &registries)?;
	}
	Ok(())
}

fn tell(
	folder: &Path,
	kind: &str,
	devices: u64,
	state: &str,
	registries: &[Registry],
) -> Result<(), Box<dyn Error>> {
	for count in VALIDATORS {
		let validators = Validators::new(count);
		let cases = cases(&validators, registries);
		let mut figures = measure(&cases, &PLAN);
		let name = match kind {
			"single" => format!("{count}-{devices}"),
			_ => format!("{kind}-{count}-{devices}"),
		};
		figures["name"] = json!(name);
		figures["kind"] = json!(kind);
		figures["validators"] = json!(count);
		figures["devices"] = json!(devices);
		figures["keys_per_device"] = json!(KEYS_PER_DEVICE);
		figures["state"] = json!(state);
		println!("{figures}");
		let write =
			|ending: &str, bytes: &[u8]| fs::write(folder.join(format!("{name}.{ending}")), bytes);
		write("bundle", &cases[0].bundle)?;
		write("checkpoint", &cases[0].checkpoint.encode())?;
		write("keys", &cases[0].query.keys().encode())?;
	}
	Ok(())
}

fn cases(validators: &Validators, registries: &[Registry]) -> Vec<Case> {
	let of = |registry: &Registry| {
		let samples = registry.samples.iter();
		samples
			.map(|sample| Case::new(validators, registry, sample.clone()))
			.collect::<Vec<_>>()
	};
	registries.iter().flat_map(of).collect()
}

fn verify(folder: &Path, name: &str) -> Result<(), Box<dyn Error>> {
	let read = |ending: &str| fs::read(folder.join(format!("{name}.{ending}")));
	let checkpoint = Checkpoint::decode(&read("checkpoint")?)?;
	let keys = Vec::<Vec<u8>>::decode(&mut &*read("keys")?)?;
	let query = keys.into_iter().fold(Query::new(), Query::storage_key);
	let bundle = read("bundle")?;
	let mut verifier = Verifier::new(checkpoint, Zebra);
	let verified = verifier.verify(&bundle, &query, fresh())?;
	println!("block {} is proven", verified.number());
	Ok(())
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn the_bundles_of_a_small_state_verify_and_are_measured() {
		let registries = [Registry::built(1_000, 10)];
		let plan = Plan { runs: 1, samples: 10 };
		let mut lengths = Vec::new();
		for count in VALIDATORS {
			let cases = cases(&Validators::new(count), &registries);
			assert_eq!(cases.len(), plan.samples as usize);
			let figures = measure(&cases, &plan);
			let parts = ["header_bytes", "justification_bytes", "proof_bytes"];
			let sum: u64 = parts.iter().map(|part| figures[part].as_u64().unwrap()).sum();
			assert_eq!(figures["bundle_bytes"], sum + 2, "{figures}");
			assert!(figures["heap_bytes"].as_u64().unwrap() < 16 * 1024, "{figures}");
			lengths.push(figures["bundle_bytes"].as_u64().unwrap());
		}
		assert!(lengths.is_sorted_by(|less, more| less < more), "{lengths:?}");
	}

	#[test]
	fn what_is_measured_can_be_verified_by_another_process() {
		let folder = std::env::temp_dir().join(format!("dpki-figures-{}", std::process::id()));
		fs::create_dir_all(&folder).unwrap();
		tell(&folder, "single", 50, "built", &[Registry::built(50, 5)]).unwrap();
		verify(&folder, "4-50").unwrap();
		let path = folder.join("4-50.bundle");
		let mut bundle = fs::read(&path).unwrap();
		*bundle.last_mut().unwrap() ^= 1;
		fs::write(&path, bundle).unwrap();
		assert!(verify(&folder, "4-50").is_err());
		fs::remove_dir_all(&folder).unwrap();
	}

	#[test]
	fn a_member_of_a_fleet_is_proven_with_the_path_that_it_brings() {
		let plan = Plan { runs: 1, samples: 1 };
		let mut lengths = Vec::new();
		for (members, fleets) in [(10_000, 1), (1_000_000, 1), (1_000_000_000, 60)] {
			let cases = cases(&Validators::new(4), &[Registry::fleets(members, 1)]);
			assert_eq!(cases.len(), fleets, "one of each fleet");
			let figures = measure(&cases, &plan);
			println!("{members} {figures}");
			lengths.push(figures["path_bytes"].as_u64().unwrap());
		}
		// A hash for each level: 24 in place of 14, but for the places beside which the tree is not complete.
		assert!((9 * 32..=12 * 32).contains(&(lengths[2] - lengths[0])), "{lengths:?}");
	}

	/// The mean length of the bundles of some states with one sample each, or of one with many.
	fn mean(registries: &[Registry]) -> f64 {
		let cases = cases(&Validators::new(4), registries);
		cases.iter().map(|case| case.bundle.len() as f64).sum::<f64>() / cases.len() as f64
	}

	#[test]
	fn a_constructed_state_proves_like_a_built_one() {
		for devices in [1_000, 20_000] {
			let built = mean(&[Registry::built(devices, 200)]);
			let constructed: Vec<_> =
				(0..200).map(|seed| Registry::constructed(devices.into(), seed)).collect();
			let constructed = mean(&constructed);
			let difference = (constructed - built).abs() / built;
			assert!(difference < 0.02, "{devices}: {built} and {constructed}");
		}
	}
}
