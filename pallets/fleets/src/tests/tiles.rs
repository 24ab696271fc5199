//! `publish_tile`: what nodes store is what was hashed.

use super::mock::*;
use crate::TileBytes;
use codec::{Decode, Encode};
use dpki_primitives::{economy::Operation, fleet::MAX_TILE_LEN, ids::BlobDigest};
use frame_support::assert_ok;
use sp_runtime::TokenError;

fn publish_call(tile: &TileBytes) -> Call {
	Call::publish_tile { organisation: acme(), tile: tile.clone() }
}

fn tile(byte: u8, len: usize) -> TileBytes {
	vec![byte; len].try_into().unwrap()
}

#[test]
fn a_tile_is_stored_under_its_name() {
	let bytes: TileBytes = cut(&leaves(5, 0)).1[0].encode().try_into().unwrap();
	let indexed = run(|| {
		assert_ok!(transact(REGISTRAR, publish_call(&bytes)));
		let digest = BlobDigest::of(&bytes);
		let length = bytes.len() as u32;
		let published = Event::TilePublished { organisation: acme(), digest, length };
		assert_eq!(events(), [published]);
		assert_eq!(TestEconomy::charged(Operation::PublishTile), 1);
	});
	assert_eq!(indexed, [(bytes.len() as u32, BlobDigest::of(&bytes))]);
}

#[test]
fn a_call_that_carries_it_last_carries_it_too() {
	let bytes = tile(5, 100);
	let indexed = run(|| {
		let remark = frame_system::Call::remark { remark: vec![1] }.into();
		let calls = vec![remark, publish_call(&bytes).into()];
		assert_ok!(transact(REGISTRAR, pallet_utility::Call::batch_all { calls }));
	});
	assert_eq!(indexed, [(100, BlobDigest::of(&bytes))]);
}

#[test]
fn a_tile_that_is_not_last_is_refused() {
	let bytes = tile(5, 100);
	let indexed = run(|| {
		let remark = frame_system::Call::remark { remark: vec![1] }.into();
		for calls in [
			vec![publish_call(&bytes).into(), remark],
			vec![publish_call(&bytes).into(), publish_call(&tile(6, 100)).into()],
		] {
			let refusal = transact(REGISTRAR, pallet_utility::Call::batch_all { calls });
			assert_eq!(refusal.unwrap_err().error, Error::TileNotLast.into());
		}
		// Without an extrinsic that carries it, as in a motion that is carried out later.
		System::note_extrinsic(vec![]);
		is_refused(REGISTRAR, publish_call(&bytes), Error::TileNotLast);
	});
	assert!(indexed.is_empty());
}

#[test]
fn an_empty_tile_is_refused() {
	run(|| is_refused(REGISTRAR, publish_call(&TileBytes::default()), Error::TileEmpty));
}

#[test]
fn a_tile_that_is_too_long_does_not_decode() {
	let too_long = vec![0u8; MAX_TILE_LEN as usize + 1].encode();
	assert!(TileBytes::decode(&mut &too_long[..]).is_err());
}

#[test]
fn a_tile_is_not_stored_on_credit() {
	let indexed = run(|| {
		TestEconomy::take_funds_away();
		let refusal = transact(REGISTRAR, publish_call(&tile(5, 100)));
		assert_eq!(refusal.unwrap_err().error, TokenError::FundsUnavailable.into());
	});
	assert!(indexed.is_empty());
}
