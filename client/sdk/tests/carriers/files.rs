//! Files.

use super::*;
use dpki_client::carrier::{
	CarrierError,
	file::{Contents, FileCarrier, MAX_FILE_LEN},
};
use std::{fs::File, path::PathBuf};
use tempfile::TempDir;

fn written(bytes: &[u8]) -> (TempDir, PathBuf) {
	let folder = tempfile::tempdir().unwrap();
	let path = folder.path().join("drone.dpki");
	std::fs::write(&path, bytes).unwrap();
	(folder, path)
}

fn file(query: &Query, bundle: Vec<u8>) -> Vec<u8> {
	Contents::new(kit::GENESIS, query, Vec::new(), bundle).encode()
}

async fn refusal(bytes: &[u8]) -> CarrierError {
	let (_folder, path) = written(bytes);
	match asked(FileCarrier::new(&path)).await.0 {
		Err(Failure::Carrier(error)) => error,
		other => panic!("{other:?}"),
	}
}

#[tokio::test]
async fn a_file_delivers() {
	let (_folder, path) = written(&file(&question(), honest()));
	assert_delivers(FileCarrier::new(&path)).await;
}

#[tokio::test]
async fn a_file_that_lies_is_refused() {
	for (lie, bundle, expected) in lies() {
		let (_folder, path) = written(&file(&question(), bundle));
		assert_unproven(FileCarrier::new(&path), lie, expected).await;
	}
}

#[tokio::test]
async fn a_file_that_is_honest_about_being_the_wrong_one_is_told_apart() {
	let others = Query::new().key(key_id(3));
	let bundle = World::new(4).answer(&others).encode();
	let error = refusal(&file(&others, bundle)).await;
	assert!(matches!(error, CarrierError::OtherQuestion { .. }), "{error}");
	let elsewhere = Contents::new([1; 32], &question(), Vec::new(), honest()).encode();
	let error = refusal(&elsewhere).await;
	assert!(matches!(error, CarrierError::OtherChain { .. }), "{error}");
}

#[tokio::test]
async fn every_cut_of_a_file_is_refused() {
	let bytes = file(&question(), honest());
	for len in [0, 8, 9, 40, 60, bytes.len() - 1] {
		let error = refusal(&bytes[..len]).await;
		assert!(matches!(error, CarrierError::NotAFile { .. }), "{len}: {error}");
	}
}

#[tokio::test]
async fn a_file_without_an_end_is_not_read_to_it() {
	let (_folder, path) = written(b"dpkifile");
	// Full of holes, so that it takes no room on the disk.
	File::options().write(true).open(&path).unwrap().set_len(1 << 40).unwrap();
	let (answer, _) = asked(FileCarrier::new(&path)).await;
	let too_large = |error: &CarrierError| matches!(error, CarrierError::TooLarge { allowed, .. } if *allowed == MAX_FILE_LEN);
	let Err(Failure::Carrier(error)) = answer else { panic!("{answer:?}") };
	assert!(too_large(&error), "{error}");

	let (answer, _) = asked(FileCarrier::new("/dev/zero".as_ref())).await;
	let Err(Failure::Carrier(error)) = answer else { panic!("{answer:?}") };
	assert!(matches!(error, CarrierError::NotAFile { .. }), "{error}");
}

#[tokio::test]
async fn a_file_that_is_not_there_is_told_apart() {
	let (answer, _) = asked(FileCarrier::new("/nonexistent/drone.dpki".as_ref())).await;
	let Err(Failure::Carrier(error)) = answer else { panic!("{answer:?}") };
	assert!(matches!(error, CarrierError::Missing { .. }), "{error}");
}
