//! Compiles a C program against header and library, and runs it on real bundles.

#[path = "../../tests/verifier/kit.rs"]
#[allow(dead_code)]
mod kit;

use codec::Encode;
use dpki_primitives::ids::KeyId;
use dpki_verifier::{Fragment, Query, encode_fragments, encode_recovery, recovery_payload};
use kit::*;
use sp_core::storage::StateVersion;
use std::{
	fs,
	path::{Path, PathBuf},
	process::Command,
	time::SystemTime,
};

/// The static library that cargo has built together with this test.
fn library() -> PathBuf {
	// The test has to name the crate, or cargo has no reason to build it.
	let _ = dpki_verifier_c::DPKI_STORAGE_KEY_LEN;
	let folder = std::env::current_exe().unwrap().parent().unwrap().to_path_buf();
	let age = |path: &PathBuf| -> SystemTime { fs::metadata(path).unwrap().modified().unwrap() };
	fs::read_dir(folder)
		.unwrap()
		.map(|entry| entry.unwrap().path())
		.filter(|path| {
			let name = path.file_name().unwrap().to_string_lossy().into_owned();
			name.starts_with("libdpki_verifier_c") && name.ends_with(".a")
		})
		.max_by_key(age)
		.expect("cargo builds the static library beside the tests")
}

/// What the C program reads.
fn write_inputs(folder: &Path) {
	let write = |name: &str, bytes: &[u8]| fs::write(folder.join(name), bytes).unwrap();
	let world = World::new(4);
	let (drone, lost) = (device_id("drone"), device_id("lost"));
	let answer = |device, key| world.answer(&Query::new().device(device).key(key)).encode();

	write("checkpoint", &world.checkpoint.encode());
	write("time", &TIME.to_le_bytes());
	write("device", &drone.0);
	write("lost", &lost.0);
	write("good", &key_id(1).0);
	write("revoked", &key_id(2).0);
	write("key-record", &key_record("drone", 1, None).encode());
	write("bundle", &answer(drone, key_id(1)));
	write("older", &world.answer_at(19, &drone_query()).encode());
	write("revoked-bundle", &answer(drone, key_id(2)));
	write("unknown-bundle", &answer(drone, KeyId(drone.0)));
	write("foreign-bundle", &answer(lost, key_id(1)));

	let bound = drone_query().bind_genesis();
	write("bound-bundle", &world.answer(&bound).encode());
	let mut entries = registry(50);
	entries.insert(genesis_key(), vec![0x68; 32]);
	let elsewhere = World::with(4, entries, StateVersion::V1);
	write("elsewhere-bundle", &elsewhere.answer(&bound).encode());

	let mut forged = world.answer(&drone_query());
	forged.header.extrinsics_root.0[0] ^= 1;
	write("forged", &forged.encode());

	let hand_over = world.block(15, &change_to(&keys(1, 4)));
	let justification = justify(&world.keys, world.set_id, &hand_over).encode();
	let fragment = Fragment { header: &hand_over.encode(), justification: &justification };
	write("fragments", &encode_fragments(&[fragment]));

	let new = checkpoint(9, &keys(50, 4), 100);
	let expiry = TIME + 3_600_000;
	let payload = recovery_payload(&world.checkpoint, &new, expiry);
	let signatures: Vec<([u8; 32], [u8; 64])> =
		world.keys.iter().map(|key| (public(key), key.sign(&payload).into())).collect();
	write("recovery", &encode_recovery(&new, expiry, &signatures));
	write("recovered", &new.encode());
}

#[test]
fn a_c_program_verifies_bundles() {
	let folder = tempfile::tempdir().unwrap();
	write_inputs(folder.path());
	let here = Path::new(env!("CARGO_MANIFEST_DIR"));
	let program = folder.path().join("test");
	let compiled = Command::new("cc")
		.args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-O1", "-g", "-I"])
		.arg(here.join("include"))
		.arg(here.join("tests/test.c"))
		.arg(library())
		.args(["-lpthread", "-ldl", "-lm", "-lgcc_s", "-o"])
		.arg(&program)
		.status()
		.expect("there is a C compiler named cc");
	assert!(compiled.success());
	let output = Command::new(&program).arg(folder.path()).output().unwrap();
	let (out, err) =
		(String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
	assert!(output.status.success(), "{out}{err}");
	assert_eq!(out, "the C interface holds\n");
}
