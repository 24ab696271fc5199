// SPDX-License-Identifier: Apache-2.0

//! What [`dpki_runtime::dpki_api::DpkiApi`] answers, and that each answer names the storage that proves it.

use crate::common::{account, chain, origin};
use codec::{Decode, Encode};
use dpki_primitives::{
	anchor::{AnchorKind, AnchorRecord, ChainVerdict, Profile},
	channel::{ChannelId, ChannelSet},
	delivery::{Acknowledgement, DeliveryRecord, Outcome, Suite},
	device::DeviceRecord,
	ids::{AnchorId, BlobDigest, DeviceId, KeyId, OrganisationId, VoucherId},
	key::{KeyPurpose, KeyRecord, KeyType, PublicKey},
	motion::{Body, Electorate, MOTIONS_PER_PAGE, Reason, Tally},
	organisation::{HandOver, OrganisationKind, OrganisationRecord, Recovery, RoleSet},
	revocation::{Revocation, RevocationReason},
	status::{Status, Validity},
	storage_keys,
	voucher::{VoucherRecord, VoucherState},
};
use dpki_runtime::{
	AccountId, Motions, Organisations, Runtime, RuntimeCall,
	configs::governance::MinPeriod,
	dpki_api::{Located, Motion, Verdict, runtime_decl_for_dpki_api::DpkiApiV1},
	genesis_config_presets::LOCAL_PRESET,
};
use frame_support::{assert_ok, dispatch::GetDispatchInfo};
use pallet_deliveries::{Acknowledgements, Channels, Deliveries};
use pallet_dpki::{Anchors, DeviceKeys, Devices, Keys, OrganisationAnchors, Vouchers};
use sp_genesis_builder::DEV_RUNTIME_PRESET;
use sp_keyring::Sr25519Keyring::{Alice, Bob};

const ORGANISATION: &[u8] = b"acme";
const REVOCATION: Revocation = Revocation { reason: RevocationReason::KeyCompromise, at: 0 };
const FOREVER: Validity = Validity { not_before: 0, not_after: None };

fn organisation() -> OrganisationId {
	OrganisationId::from_name(ORGANISATION)
}

fn create_organisation() {
	assert_ok!(Organisations::create(
		origin(Alice),
		ORGANISATION.to_vec().try_into().unwrap(),
		OrganisationKind::Manufacturer,
	));
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
		withdrawal: revocation.into(),
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
		superseded_at: None,
		withdrawal: Default::default(),
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
	let (kind, key_id) = (AnchorKind::SshUserCa, KeyId::of(&public));
	let mut record = AnchorRecord::new(organisation(), kind, Some(public), key_id, FOREVER, 0);
	record.revocation = revocation;
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
		create_organisation();
		let answer = Runtime::organisation(organisation()).organisation;
		let created: OrganisationRecord = answer.record.clone().unwrap();
		assert_eq!(created.name.as_slice(), ORGANISATION);
		assert_located(answer, created);

		let record = put_device(None);
		assert_verdict(Runtime::device(device()), record, Status::Valid);

		let (id, key) = put_key();
		assert_verdict(Runtime::key(id), key.clone(), Status::Valid);
		let listing = Runtime::keys_of(device());
		assert_eq!(listing.list_keys, [storage_keys::device_keys(device())]);
		let [(listed, verdict)] = <[_; 1]>::try_from(listing.items).unwrap();
		assert_eq!(listed, id);
		assert_verdict(verdict, key, Status::Valid);

		let (id, anchor) = put_anchor(None);
		assert_verdict(Runtime::anchor(id), anchor.clone(), Status::Valid);
		let listing = Runtime::anchors_of(organisation());
		assert_eq!(listing.list_keys, [storage_keys::organisation_anchors(organisation())]);
		let [(listed, verdict)] = <[_; 1]>::try_from(listing.items).unwrap();
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
		let channel = ChannelId::new(3).unwrap();
		Deliveries::<Runtime>::insert(device(), channel, delivery.clone());
		assert_located(Runtime::delivery(device(), channel), delivery.clone());
		let channels = ChannelSet::EMPTY.with(channel);
		Channels::<Runtime>::insert(device(), channels);
		assert_located(Runtime::channels(device()), channels);

		let acknowledgement = Acknowledgement {
			sequence: 1,
			digest: delivery.digest,
			outcome: Outcome::Applied,
			at: 0,
		};
		Acknowledgements::<Runtime>::insert(device(), channel, acknowledgement.clone());
		assert_located(Runtime::acknowledgement(device(), channel), acknowledgement);
	});
}

#[test]
fn what_is_pending_in_an_organisation_is_told_with_it() {
	chain(DEV_RUNTIME_PRESET).execute_with(|| {
		create_organisation();
		assert_ok!(Organisations::hand_over(origin(Alice), organisation(), account(Bob)));
		let member = Runtime::member(organisation(), account(Alice));
		assert_located(member.roles, RoleSet::ALL);
		let offer: HandOver<AccountId, u32> = member.hand_over.record.clone().unwrap();
		assert_eq!(offer.to, account(Bob));
		assert_located(member.hand_over, offer);

		assert_ok!(Organisations::begin_recovery(
			Electorate::Council.into(),
			organisation(),
			Body::Administrators,
			account(Bob),
		));
		let answer = Runtime::organisation(organisation()).recovery;
		let recovery: Recovery<AccountId, u32> = answer.record.clone().unwrap();
		assert_eq!(recovery.account, account(Bob));
		assert_located(answer, recovery);
	});
}

fn propose(number: u32) -> RuntimeCall {
	let call: RuntimeCall =
		frame_system::Call::remark { remark: number.to_le_bytes().to_vec() }.into();
	assert_ok!(Motions::propose(
		origin(Alice),
		Electorate::Council,
		Box::new(call.clone()),
		MinPeriod::get(),
		Reason::default(),
	));
	call
}

#[test]
fn a_motion_is_told_with_its_call_and_how_it_stands() {
	chain(LOCAL_PRESET).execute_with(|| {
		let call = propose(7);

		let answer = Runtime::motion(0);
		let motion: Motion = answer.motion.record.clone().unwrap();
		assert_eq!(motion.proposer, account(Alice));
		let quorum = motion.tally.quorum;
		assert_located(answer.motion, motion);
		assert_eq!(stored(&answer.call.storage_key), Some(call.encode()));
		assert_eq!(answer.call.record, Some(call.encode()));
		assert_eq!(answer.standing.tally, Some(Tally { ayes: 1, nays: 0, quorum }));
		let bounds = answer.standing.bounds.unwrap();
		let weight = call.get_dispatch_info().call_weight;
		assert_eq!(bounds.length as usize, call.encoded_size());
		assert_eq!((bounds.ref_time, bounds.proof_size), (weight.ref_time(), weight.proof_size()));
	});
}

#[test]
fn motions_are_told_in_pages_of_which_none_is_left_out() {
	chain(DEV_RUNTIME_PRESET).execute_with(|| {
		let none = Runtime::motions(0);
		assert_eq!((none.count.record, none.motions.len()), (None, 0));
		assert_eq!(sp_io::storage::get(&none.count.storage_key), None);

		// The council has one seat, which decides each of them at once.
		(0..=MOTIONS_PER_PAGE).for_each(|number| {
			propose(number);
		});
		pallet_motions::Motions::<Runtime>::remove(5);

		let (newest, oldest) = (Runtime::motions(0), Runtime::motions(1));
		assert_located(newest.count, MOTIONS_PER_PAGE + 1);
		let numbers = newest.motions.iter().chain(&oldest.motions).map(|(id, _)| *id);
		assert_eq!(numbers.collect::<Vec<_>>(), (0..=MOTIONS_PER_PAGE).rev().collect::<Vec<_>>());
		for (id, motion) in newest.motions.into_iter().chain(oldest.motions) {
			assert_eq!(motion.record.is_none(), id == 5);
			assert_eq!(stored(&motion.storage_key), motion.record);
		}
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
		let channel = ChannelId::DEFAULT;
		fn assert_unknown<Record: Encode>(answer: Verdict<Record>) {
			assert_eq!(answer.status, Status::Unknown);
			assert!(answer.record.is_none());
			assert_eq!(sp_io::storage::get(&answer.storage_key), None);
		}
		assert_unknown(Runtime::device(device()));
		assert_unknown(Runtime::key(KeyId::from([1; 32])));
		assert_unknown(Runtime::anchor(AnchorId::from([1; 32])));
		let verdict =
			Runtime::check_certificate(AnchorId::from([1; 32]), vec![vec![1]], Profile::Rfc5280);
		assert_eq!(verdict, ChainVerdict::Status(Status::Unknown));

		let organisation_answer = Runtime::organisation(organisation());
		let member = Runtime::member(organisation(), account(Alice));
		let motion = Runtime::motion(0);
		assert_eq!((motion.standing.tally, motion.standing.bounds), (None, None));
		let nothing = [
			organisation_answer.organisation.storage_key,
			organisation_answer.recovery.storage_key,
			member.roles.storage_key,
			member.hand_over.storage_key,
			motion.motion.storage_key,
			motion.call.storage_key,
			Runtime::voucher(voucher()).storage_key,
			Runtime::delivery(device(), channel).storage_key,
			Runtime::acknowledgement(device(), channel).storage_key,
		];
		for storage_key in nothing {
			assert_eq!(sp_io::storage::get(&storage_key), None);
		}
		assert!(Runtime::keys_of(device()).items.is_empty());
		assert!(Runtime::anchors_of(organisation()).items.is_empty());
	});
}
