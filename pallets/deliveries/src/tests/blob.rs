//! What a node will store: the last bytes of the extrinsic, under their digest.

use super::mock::*;
use codec::{Decode, Encode};
use dpki_primitives::{
	delivery::{MAX_BLOB_LEN, MIN_BLOB_LEN},
	ids::BlobDigest,
};
use frame_support::assert_ok;
use sp_runtime::OpaqueExtrinsic;
use sp_state_machine::IndexOperation;

#[test]
fn the_indexed_bytes_are_the_last_ones_of_the_extrinsic() {
	for length in [MIN_BLOB_LEN, 63, 64, 16_383, 16_384, MAX_BLOB_LEN] {
		let mut encoded = Vec::new();
		let indexed = run(|| {
			let extrinsic = signed(publish_call(1, envelope(length as usize)));
			encoded = extrinsic.encode();
			assert_ok!(Executive::apply_extrinsic(extrinsic).unwrap());
		});
		// The database takes them from the extrinsic as the block holds it.
		let stored = OpaqueExtrinsic::decode(&mut &encoded[..]).unwrap().encode();
		let [IndexOperation::Insert { extrinsic: 0, hash, size }] = &indexed[..] else {
			panic!("expected one entry for the first extrinsic, found {indexed:?}");
		};
		assert_eq!(*size, length);
		let blob = &stored[stored.len() - *size as usize..];
		assert_eq!(blob, &envelope(length as usize)[..]);
		assert_eq!(hash, &BlobDigest::of(blob).0);
	}
}

#[test]
fn an_extrinsic_that_came_over_the_wire_is_indexed_alike() {
	let indexed = run(|| {
		let encoded = signed(publish_call(1, envelope(100))).encode();
		let extrinsic = UncheckedExtrinsic::decode(&mut &encoded[..]).unwrap();
		assert_eq!(extrinsic.encode(), encoded);
		assert_ok!(Executive::apply_extrinsic(extrinsic).unwrap());
	});
	assert!(matches!(&indexed[..], [IndexOperation::Insert { extrinsic: 0, size: 100, .. }]));
}

#[test]
fn each_extrinsic_of_a_block_is_indexed_by_itself() {
	let indexed = run(|| {
		publish(1);
		assert!(apply(publish_call(1, envelope(100))).unwrap().is_err());
		publish(2);
	});
	let extrinsics: Vec<_> = indexed
		.iter()
		.map(|operation| match operation {
			IndexOperation::Insert { extrinsic, .. } => *extrinsic,
			IndexOperation::Renew { .. } => panic!("nothing is ever renewed"),
		})
		.collect();
	assert_eq!(extrinsics, [0, 2]);
}

#[test]
fn the_extension_adds_nothing_to_a_transaction() {
	use sp_runtime::traits::TransactionExtension;
	let extension = crate::DirectBlob::<Test>::new();
	assert!(extension.encode().is_empty());
	assert_ok!(TransactionExtension::<RuntimeCall>::implicit(&extension));
	let metadata = <crate::DirectBlob<Test> as TransactionExtension<RuntimeCall>>::metadata();
	assert_eq!(metadata.len(), 1);
	assert_eq!(metadata[0].identifier, "DirectBlob");
}
