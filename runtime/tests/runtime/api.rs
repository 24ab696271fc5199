// SPDX-License-Identifier: Apache-2.0

//! What [`dpki_runtime::dpki_api::DpkiApi`] answers, and that each answer names the storage that proves it.

use crate::common::{account, chain};
use codec::{Decode, Encode};
use dpki_primitives::{
	anchor::{AnchorKind, AnchorRecord},
	delivery::{Acknowledgement, DeliveryRecord, Outcome, Suite},
	device::DeviceRecord,
	ids::{AnchorId, BlobDigest, DeviceId, KeyId, OrganisationId, VoucherId},
	key::{KeyPurpose, KeyRecord, KeyType, PublicKey},
	organisation::{OrganisationKind, OrganisationRecord},
	revocation::{Revocation, RevocationReason},
	status::{Status, Validity},
	voucher::{VoucherRecord, VoucherState},
};
use dpki_runtime::{
	Runtime, RuntimeOrigin,
	dpki_api::{Located, Verdict, runtime_decl_for_dpki_api::DpkiApiV1},
};
use frame_support::assert_ok;
use pallet_deliveries::{Acknowledgements, Deliveries};
use pallet_dpki::{Anchors, DeviceKeys, Devices, Keys, OrganisationAnchors, Vouchers};
use sp_genesis_builder::DEV_RUNTIME_PRESET;
use sp_keyring::Sr25519Keyring::Alice;

const ORGANISATION: &[u8] = b"acme";
const REVOCATION: Revocation = Revocation { reason: RevocationReason::KeyCompromise, at: 0 };
const FOREVER: Validity = Validity { not_before: 0, not_after: None };

fn organisation() -> OrganisationId {
	OrganisationId::from_name(ORGANISATION)
}

fn device() -> DeviceId {
	DeviceId::from_name(organisation(), b"drone-1")
}

fn put_device(revocation: Option<Revocation>) -> DeviceRecord {
	let record = DeviceRecord {
		organisation: organisation(),
		name: b"drone-1".to_vec().try_into().unwrap(),
		enrolled_at: 0,
		keys_registered: 1,
		revocation,
	};
	Devices::<Runtime>::insert(device(), record.clone());
	record
}

fn put_key() -> (KeyId, KeyRecord) {
	let public = PublicKey::new(KeyType::Ed25519, &[9; 32]).unwrap();
	let id = KeyId::of(&public);
	let record = KeyRecord {
		device: device(),
		public,
		purpose: KeyPurpose::Sign,
		validity: FOREVER,
		registered_at: 0,
		superseded: false,
		revocation: None,
	};
	Keys::<Runtime>::insert(id, record.clone());
	DeviceKeys::<Runtime>::mutate(device(), |keys| keys.try_push(id).unwrap());
	(id, record)
}

fn voucher() -> VoucherId {
	VoucherId::of(organisation(), &[5; 32])
}

fn put_anchor(revocation: Option<Revocation>) -> (AnchorId, AnchorRecord) {
	let id = AnchorId::of(AnchorKind::SshUserCa, b"material");
	let public = PublicKey::new(KeyType::Ed25519, &[8; 32]).unwrap();
	let record = AnchorRecord {
		organisation: organisation(),
		kind: AnchorKind::SshUserCa,
		key_id: KeyId::of(&public),
		key: Some(public),
		validity: FOREVER,
		registered_at: 0,
		retired_at: None,
		revocation,
	};
	Anchors::<Runtime>::insert(id, record.clone());
	OrganisationAnchors::<Runtime>::mutate(organisation(), |ids| ids.try_push(id).unwrap());
	(id, record)
}

/// What whoever does not believe the node reads under the key of an answer.
fn stored<Record: Decode>(storage_key: &[u8]) -> Option<Record> {
	let bytes = sp_io::storage::get(storage_key)?;
	Some(Record::decode(&mut &bytes[..]).expect("the key names a record of this type"))
}

fn assert_located<Record>(answer: Located<Record>, expected: Record)
where
	Record: Decode + PartialEq + core::fmt::Debug,
{
	assert_eq!(stored(&answer.storage_key).as_ref(), Some(&expected));
	assert_eq!(answer.record, Some(expected));
}

fn assert_verdict<Record>(answer: Verdict<Record>, expected: Record, status: Status)
where
	Record: Decode + PartialEq + core::fmt::Debug,
{
	assert_eq!(answer.status, status);
	assert_located(Located { record: answer.record, storage_key: answer.storage_key }, expected);
}

#[test]
fn answers_name_the_storage_that_proves_them() {
	chain(DEV_RUNTIME_PRESET).execute_with(|| {
		assert_ok!(dpki_runtime::Organisations::create(
			RuntimeOrigin::signed(account(Alice)),
			ORGANISATION.to_vec().try_into().unwrap(),
			OrganisationKind::Manufacturer,
		));
		let created: OrganisationRecord = Runtime::organisation(organisation()).record.unwrap();
		assert_eq!(created.name.as_slice(), ORGANISATION);
		assert_located(Runtime::organisation(organisation()), created);

		let record = put_device(None);
		assert_verdict(Runtime::device(device()), record, Status::Valid);

		let (id, key) = put_key();
		assert_verdict(Runtime::key(id), key.clone(), Status::Valid);
		let [(listed, verdict)] = <[_; 1]>::try_from(Runtime::keys_of(device())).unwrap();
		assert_eq!(listed, id);
		assert_verdict(verdict, key, Status::Valid);

		let (id, anchor) = put_anchor(None);
		assert_verdict(Runtime::anchor(id), anchor.clone(), Status::Valid);
		let [(listed, verdict)] = <[_; 1]>::try_from(Runtime::anchors_of(organisation())).unwrap();
		assert_eq!(listed, id);
		assert_verdict(verdict, anchor, Status::Valid);

		let record = VoucherRecord {
			organisation: organisation(),
			device: device(),
			sponsor: account(Alice).into(),
			expires_at: 1,
			state: VoucherState::Open,
		};
		Vouchers::<Runtime>::insert(voucher(), record.clone());
		assert_located(Runtime::voucher(voucher()), record);

		let delivery = DeliveryRecord {
			organisation: organisation(),
			publisher: account(Alice).into(),
			sequence: 1,
			suite: Suite::X25519ChaCha20Poly1305,
			recipient: KeyId::from([6; 32]),
			digest: BlobDigest::of(b"envelope"),
			length: 8,
			published_at: 0,
		};
		Deliveries::<Runtime>::insert(device(), delivery.clone());
		assert_located(Runtime::delivery(device()), delivery.clone());

		let acknowledgement = Acknowledgement {
			sequence: 1,
			digest: delivery.digest,
			outcome: Outcome::Applied,
			at: 0,
		};
		Acknowledgements::<Runtime>::insert(device(), acknowledgement.clone());
		assert_located(Runtime::acknowledgement(device()), acknowledgement);
	});
}

#[test]
fn revocation_of_a_device_is_the_verdict_about_its_keys() {
	chain(DEV_RUNTIME_PRESET).execute_with(|| {
		let revoked = put_device(Some(REVOCATION));
		let (id, key) = put_key();

		assert_verdict(Runtime::device(device()), revoked, Status::Revoked(REVOCATION));
		assert_verdict(Runtime::key(id), key, Status::IssuerRevoked(REVOCATION));
	});
}

#[test]
fn revoked_anchor_is_told_as_revoked() {
	chain(DEV_RUNTIME_PRESET).execute_with(|| {
		let (id, anchor) = put_anchor(Some(REVOCATION));

		assert_verdict(Runtime::anchor(id), anchor, Status::Revoked(REVOCATION));
	});
}

#[test]
fn what_the_chain_does_not_know_is_unknown_and_its_absence_can_be_proven() {
	chain(DEV_RUNTIME_PRESET).execute_with(|| {
		fn assert_unknown<Record: Encode>(answer: Verdict<Record>) {
			assert_eq!(answer.status, Status::Unknown);
			assert!(answer.record.is_none());
			assert_eq!(sp_io::storage::get(&answer.storage_key), None);
		}
		assert_unknown(Runtime::device(device()));
		assert_unknown(Runtime::key(KeyId::from([1; 32])));
		assert_unknown(Runtime::anchor(AnchorId::from([1; 32])));

		let nothing: [Vec<u8>; 4] = [
			Runtime::organisation(organisation()).storage_key,
			Runtime::voucher(voucher()).storage_key,
			Runtime::delivery(device()).storage_key,
			Runtime::acknowledgement(device()).storage_key,
		];
		for storage_key in nothing {
			assert_eq!(sp_io::storage::get(&storage_key), None);
		}
		assert!(Runtime::keys_of(device()).is_empty());
		assert!(Runtime::anchors_of(organisation()).is_empty());
	});
}
