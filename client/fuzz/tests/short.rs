//! The short run: each target over its seeds, and over ten thousand inputs that come of damaging them.

use dpki_fuzz::{TARGETS, mutation::Random};
use std::{fs, panic, path::Path};

/// Inputs for each target, unless `DPKI_INPUTS` says otherwise.
const INPUTS: usize = 10_000;

/// The seed of the damage, unless `DPKI_SEED` says otherwise.
const SEED: u64 = 19;

fn number(variable: &str, otherwise: u64) -> u64 {
	std::env::var(variable).ok().map_or(otherwise, |text| {
		text.parse().unwrap_or_else(|_| panic!("{variable} is no number"))
	})
}

/// The committed seeds of a target, in the order of their names.
fn seeds(name: &str) -> Vec<Vec<u8>> {
	let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
	let entries = fs::read_dir(&folder).unwrap_or_else(|_| panic!("{name} has no seeds"));
	let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
	paths.sort();
	paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

fn run(name: &str) {
	let (_, target) = TARGETS.iter().find(|(known, _)| *known == name).expect("it is in the list");
	let seeds = seeds(name);
	assert!(!seeds.is_empty(), "{name} has no seeds");
	let seed = number("DPKI_SEED", SEED);
	let inputs = number("DPKI_INPUTS", INPUTS as u64);
	println!("DPKI_SEED={seed} DPKI_INPUTS={inputs}");
	let mut random = Random(seed);
	let damaged = (0..inputs).map(|_| random.damaged(&seeds));
	for input in seeds.iter().cloned().chain(damaged) {
		let judged = panic::catch_unwind(|| target(&input));
		assert!(judged.is_ok(), "{name} with DPKI_SEED={seed} panics at {}", hex::encode(&input));
	}
}

macro_rules! short_runs {
	($($name:ident),* $(,)?) => {
		$(
			#[test]
			fn $name() {
				run(stringify!($name));
			}
		)*

		#[test]
		fn every_target_has_a_short_run() {
			let known: Vec<_> = TARGETS.iter().map(|(name, _)| *name).collect();
			assert_eq!(known, [$(stringify!($name)),*]);
		}
	};
}

short_runs![
	records,
	status,
	assessment,
	certificate,
	request,
	revocation_list,
	path,
	bundle,
	checkpoint,
	proof,
	justification,
	extrinsic,
	ssh_key,
	envelope,
	desired_state,
	carried,
	text,
	archive,
	bitswap,
	krl,
	voucher,
	device_request,
	journal,
];
