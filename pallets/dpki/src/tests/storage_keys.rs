//! The layout that devices prove against.

use super::mock::*;
use crate::*;
use dpki_primitives::{
	ids::{AnchorId, DeviceId, KeyId, OrganisationId, RequestId, VoucherId},
	revocation::SshSubject,
	storage_keys,
};
use frame_support::traits::Hooks;

#[test]
fn every_item_lies_where_the_primitives_say() {
	let id = [5; 32];
	let subject = SshSubject::Serial(9);
	let (anchor, device) = (AnchorId(id), DeviceId(id));
	for (ours, theirs) in [
		(Anchors::<Test>::hashed_key_for(anchor), storage_keys::anchor(anchor)),
		(AnchorMaterials::<Test>::hashed_key_for(anchor), storage_keys::anchor_material(anchor)),
		(
			RevokedAnchorKeys::<Test>::hashed_key_for(KeyId(id)),
			storage_keys::revoked_anchor_key(KeyId(id)),
		),
		(CrlPointers::<Test>::hashed_key_for(anchor), storage_keys::crl_pointer(anchor)),
		(ChildCount::<Test>::hashed_key_for(anchor), storage_keys::anchor_child_count(anchor)),
		(
			Children::<Test>::hashed_key_for(anchor, 0x0102_0304),
			storage_keys::anchor_child(anchor, 0x0102_0304),
		),
		(
			Serials::<Test>::hashed_key_for(KeyId(id), [6; 32]),
			storage_keys::anchor_serial(KeyId(id), &[6; 32]),
		),
		(
			DeviceCount::<Test>::hashed_key_for(OrganisationId(id)),
			storage_keys::organisation_device_count(OrganisationId(id)),
		),
		(
			OrganisationDevices::<Test>::hashed_key_for(OrganisationId(id), 0x0102_0304),
			storage_keys::organisation_device(OrganisationId(id), 0x0102_0304),
		),
		(KeyAnchors::<Test>::hashed_key_for(KeyId(id)), storage_keys::key_anchors(KeyId(id))),
		(
			OrganisationAnchors::<Test>::hashed_key_for(OrganisationId(id)),
			storage_keys::organisation_anchors(OrganisationId(id)),
		),
		(
			Registrants::<Test>::hashed_key_for(OrganisationId(id)),
			storage_keys::registrant(OrganisationId(id)),
		),
		(Devices::<Test>::hashed_key_for(device), storage_keys::device(device)),
		(DeviceKeys::<Test>::hashed_key_for(device), storage_keys::device_keys(device)),
		(Keys::<Test>::hashed_key_for(KeyId(id)), storage_keys::key(KeyId(id))),
		(NextKeys::<Test>::hashed_key_for(KeyId(id)), storage_keys::next_key(KeyId(id))),
		(
			KeyPolicies::<Test>::hashed_key_for(OrganisationId(id)),
			storage_keys::key_policy(OrganisationId(id)),
		),
		(KeyQuotas::<Test>::hashed_key_for(device), storage_keys::key_quota(device)),
		(Requests::<Test>::hashed_key_for(RequestId(id)), storage_keys::request(RequestId(id))),
		(
			RequestQueues::<Test>::hashed_key_for(OrganisationId(id)),
			storage_keys::request_queue(OrganisationId(id)),
		),
		(Vouchers::<Test>::hashed_key_for(VoucherId(id)), storage_keys::voucher(VoucherId(id))),
		(
			SshRevocationCount::<Test>::hashed_key_for(anchor),
			storage_keys::ssh_revocation_count(anchor),
		),
		(
			SshRevocations::<Test>::hashed_key_for(anchor, 0x0102_0304),
			storage_keys::ssh_revocations(anchor, 0x0102_0304),
		),
		(
			RevokedSshSubjects::<Test>::hashed_key_for(anchor, subject.digest()),
			storage_keys::revoked_ssh_subject(anchor, &subject),
		),
		(pallet_timestamp::Now::<Test>::hashed_key().to_vec(), storage_keys::now()),
	] {
		assert_eq!(ours, theirs);
	}
}

#[test]
fn the_constants_fit_together_and_the_pallet_has_its_name() {
	run(<Dpki as Hooks<u32>>::integrity_test);
}
