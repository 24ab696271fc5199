//! What an honest bundle proves.

use crate::kit::*;
use codec::Encode;
use dpki_primitives::{
	anchor::{Certification, Profile},
	ids::{AnchorId, DeviceId, KeyId},
	status::Status,
	storage_keys,
};
use dpki_verifier::{Error, Fragment, Part, Query, encode_bundle};
use sp_core::storage::StateVersion;

#[test]
fn a_record_is_proven_present() {
	let (world, query) = (World::new(4), drone_query());
	let bundle = world.answer(&query).encode();
	let verified = verified(&world, &bundle, &query);
	let device = verified.device(device_id("drone")).unwrap();
	assert_eq!(device.get(), Some(&device_record("drone", None)));
	assert_eq!((device.number(), device.time()), (20, TIME));
	assert_eq!(device.hash(), world.block(20, &[]).hash().0);
	assert_eq!(verified.key(key_id(1)).unwrap().into_option(), Some(key_record("drone", 1, None)));
	assert_eq!((verified.number(), verified.time()), (20, TIME));
}

#[test]
fn a_record_is_proven_absent() {
	let world = World::new(4);
	let nobody = DeviceId([0xab; 32]);
	let query = Query::new().device(nobody).key(KeyId([0xcd; 32]));
	let bundle = world.answer(&query).encode();
	let verified = verified(&world, &bundle, &query);
	assert_eq!(verified.device(nobody).unwrap().get(), None);
	assert_eq!(verified.device_status(nobody), Ok(Status::Unknown));
	assert_eq!(verified.key_status(KeyId([0xcd; 32])), Ok(Status::Unknown));
}

#[test]
fn the_verdict_is_that_of_the_chain() {
	let world = World::new(4);
	let query = Query::new()
		.anchor(anchor_id())
		.device(device_id("drone"))
		.device(device_id("lost"))
		.key(key_id(1))
		.key(key_id(2))
		.key(key_id(3));
	let bundle = world.answer(&query).encode();
	let verified = verified(&world, &bundle, &query);
	assert_eq!(verified.anchor(anchor_id()).unwrap().get(), Some(&anchor_record()));
	assert_eq!(verified.anchor_status(anchor_id()), Ok(Status::Valid));
	assert_eq!(verified.device_status(device_id("drone")), Ok(Status::Valid));
	assert_eq!(verified.device_status(device_id("lost")), Ok(Status::Revoked(revocation())));
	assert_eq!(verified.key_status(key_id(1)), Ok(Status::Valid));
	assert_eq!(verified.key_status(key_id(2)), Ok(Status::Revoked(revocation())));
	assert_eq!(verified.key_status(key_id(3)), Ok(Status::IssuerRevoked(revocation())));
}

#[test]
fn the_verdict_about_a_key_needs_its_device() {
	let world = World::new(4);
	let query = Query::new().key(key_id(1));
	let bundle = world.answer(&query).encode();
	let verified = verified(&world, &bundle, &query);
	assert!(verified.key(key_id(1)).is_ok());
	assert_eq!(verified.key_status(key_id(1)), Err(Error::NotAsked));
}

#[test]
fn the_verdict_about_an_anchor_needs_everything_above_it() {
	let (root, unit) = (AnchorId([20; 32]), AnchorId([21; 32]));
	let place = |issuer, depth| Certification { profile: Profile::Rfc5280, issuer, depth };
	let mut above = anchor_record();
	above.certification = Some(place(None, 0));
	let mut below = anchor_record();
	below.certification = Some(place(Some(root), 1));
	let mut entries = registry(0);
	for (revocation, expected) in
		[(None, Status::Valid), (Some(revocation()), Status::IssuerRevoked(revocation()))]
	{
		above.revocation = revocation;
		entries.insert(storage_keys::anchor(root), above.encode());
		entries.insert(storage_keys::anchor(unit), below.encode());
		let world = World::with(4, entries.clone(), StateVersion::V1);
		let query = Query::new().anchor(unit).anchor(root);
		let bundle = world.answer(&query).encode();
		assert_eq!(verified(&world, &bundle, &query).anchor_status(unit), Ok(expected));
		let query = Query::new().anchor(unit);
		let bundle = world.answer(&query).encode();
		let alone = verified(&world, &bundle, &query);
		assert_eq!(alone.anchor(unit).unwrap().get(), Some(&below));
		assert_eq!(alone.anchor_status(unit), Err(Error::NotAsked));
	}
}

#[test]
fn what_was_not_asked_is_not_answered() {
	let world = World::new(4);
	let query = drone_query();
	let bundle = world.answer(&query).encode();
	let verified = verified(&world, &bundle, &query);
	assert_eq!(verified.device(device_id("lost")), Err(Error::NotAsked));
	assert_eq!(verified.anchor(anchor_id()), Err(Error::NotAsked));
	assert_eq!(verified.value(b"anything"), Err(Error::NotAsked));
}

#[test]
fn a_record_of_another_type_is_malformed() {
	let (drone, longer) = (device_id("drone"), device_id("longer"));
	let mut entries = registry(0);
	entries.insert(storage_keys::device(drone), vec![1, 2, 3]);
	let mut record = device_record("longer", None).encode();
	record.push(0);
	entries.insert(storage_keys::device(longer), record);
	let world = World::with(4, entries, StateVersion::V1);
	let query = Query::new().device(drone).device(longer);
	let bundle = world.answer(&query).encode();
	let verified = verified(&world, &bundle, &query);
	assert_eq!(verified.device(drone), Err(Error::Malformed(Part::Record)));
	assert_eq!(verified.device(longer), Err(Error::Malformed(Part::Record)));
	assert_eq!(verified.value(&storage_keys::device(drone)), Ok(Some(&[1, 2, 3][..])));
}

#[test]
fn states_of_both_versions_are_read() {
	for version in [StateVersion::V0, StateVersion::V1] {
		let world = World::with(4, registry(50), version);
		let query = drone_query().device(DeviceId([1; 32]));
		let bundle = world.answer(&query).encode();
		let verified = verified(&world, &bundle, &query);
		assert_eq!(verified.key_status(key_id(1)), Ok(Status::Valid), "{version:?}");
		assert_eq!(verified.device_status(DeviceId([1; 32])), Ok(Status::Unknown), "{version:?}");
	}
}

#[test]
fn the_checkpoint_moves_to_the_head() {
	let (world, query) = (World::new(4), drone_query());
	let mut verifier = world.verifier();
	for number in [11, 12, 40] {
		let bundle = world.answer_at(number, &query).encode();
		let hash = world.block(number, &[]).hash().0;
		let verified = verifier.verify(&bundle, &query, fresh()).unwrap();
		assert_eq!((verified.checkpoint().number, verified.checkpoint().hash), (number, hash));
		assert_eq!(verified.checkpoint().set, world.checkpoint.set);
		let checkpoint = verified.checkpoint().clone();
		assert_eq!(verifier.checkpoint(), &checkpoint);
	}
}

#[test]
fn the_same_head_can_be_shown_again() {
	let (world, query) = (World::new(4), drone_query());
	let mut verifier = world.verifier();
	let bundle = world.answer(&query).encode();
	let other = Query::new().anchor(anchor_id());
	let other_bundle = world.answer(&other).encode();
	verifier.verify(&bundle, &query, fresh()).unwrap();
	verifier.verify(&bundle, &query, fresh()).unwrap();
	verifier.verify(&other_bundle, &other, fresh()).unwrap();
}

#[test]
fn the_genesis_hash_is_compared_with_that_in_the_state() {
	let query = drone_query().bind_genesis();
	let world = World::new(4);
	assert!(world.verdict(&world.answer(&query), &query).is_ok());
	assert_eq!(dpki_verifier::genesis_key(), genesis_key());
	assert!(query.keys().contains(&genesis_key()) && query.binds_genesis());
}

#[test]
fn the_same_authorities_on_another_chain_are_told_apart() {
	let query = drone_query().bind_genesis();
	for genesis in [None, Some(vec![0x68; 32]), Some(Vec::new())] {
		let mut entries = registry(0);
		entries.remove(&genesis_key());
		entries.extend(genesis.map(|hash| (genesis_key(), hash)));
		let world = World::with(4, entries, StateVersion::V1);
		assert_eq!(world.verdict(&world.answer(&query), &query), Err(Error::OtherChain));
	}
}

/// `System.BlockHash` keeps the hashes of so many blocks beside that of the first one, as `BlockHashCount` of the runtime
/// has it.
const BLOCK_HASHES: u32 = 2_400;

#[test]
fn the_genesis_hash_takes_less_than_two_kilobytes_of_a_bundle() {
	let mut entries = registry(1_000);
	let map = &genesis_key()[..32];
	for number in 1_000_000..1_000_000 + BLOCK_HASHES {
		let number = number.to_le_bytes();
		let parts: [&[u8]; 3] = [map, &sp_crypto_hashing::twox_64(&number), &number];
		let key = parts.concat();
		entries.insert(key, vec![number[0]; 32]);
	}
	let world = World::with(4, entries, StateVersion::V1);
	let length = |query: &Query| world.answer(query).encode().len();
	let more = length(&drone_query().bind_genesis()) - length(&drone_query());
	println!("the genesis hash takes {more} bytes");
	assert!((1_000..2_000).contains(&more), "{more}");
}

#[test]
fn bundles_are_encoded_as_documented() {
	let (world, query) = (World::new(4), drone_query());
	let parts = world.answer(&query);
	let (header, justification) = (parts.header.encode(), parts.justification.encode());
	let head = Fragment { header: &header, justification: &justification };
	let proof: Vec<&[u8]> = parts.proof.iter().map(|node| &node[..]).collect();
	assert_eq!(encode_bundle(&[], head, &proof), parts.encode());
	let mut with_fragment = parts.clone();
	with_fragment.fragments = vec![(parts.header, parts.justification)];
	assert_eq!(encode_bundle(&[head], head, &proof), with_fragment.encode());
}

#[test]
fn a_query_asks_for_each_key_once() {
	let query = drone_query();
	assert_eq!(drone_query().key(key_id(1)).device(device_id("drone")), query);
	assert_eq!(Query::default().keys(), &[storage_keys::now()]);
	assert!(query.keys().is_sorted());
}
