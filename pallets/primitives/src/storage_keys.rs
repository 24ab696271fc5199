//! Where each record lies in the state.
//!
//! A device proves a record by its raw storage key, so the layout is part of the interface. Each pallet has a test
//! that holds its own storage against these functions.
//!
//! A key is `twox_128(pallet) ++ twox_128(item) ++ key parts`; ids are hashes and go in as they are (`Identity`),
//! channels are single bytes and go in as they are too,
//! accounts are chosen by their owners and go in as `Blake2_128Concat`; running numbers go in as `Twox64Concat`.

use crate::{
	certificate::{Holder, Office},
	channel::ChannelId,
	ids::{
		AnchorId, ApplicationId, CertificateId, DeviceId, FleetId, KeyId, OrganisationId,
		RequestId, SubjectId, VoucherId,
	},
	motion::MotionId,
	revocation::SshSubject,
};
use alloc::vec::Vec;
use codec::Encode;
use sp_crypto_hashing::{blake2_128, twox_64, twox_128};

/// Name of the organisations pallet in the runtime.
pub const ORGANISATIONS: &str = "Organisations";
/// Name of the registry pallet in the runtime.
pub const DPKI: &str = "Dpki";
/// Name of the deliveries pallet in the runtime.
pub const DELIVERIES: &str = "Deliveries";
/// Name of the motions pallet in the runtime.
pub const MOTIONS: &str = "Motions";
/// Name of the certificates pallet in the runtime.
pub const CERTIFICATES: &str = "Certificates";
/// Name of the pallet of the validators in the runtime.
pub const VALIDATOR_SET: &str = "ValidatorSet";
/// Name of the fleets pallet in the runtime.
pub const FLEETS: &str = "Fleets";
/// Name of the pallet of requests in the runtime.
pub const REQUESTS: &str = "Requests";

fn item(pallet: &str, item: &str, parts: &[&[u8]]) -> Vec<u8> {
	let mut key = twox_128(pallet.as_bytes()).to_vec();
	key.extend(twox_128(item.as_bytes()));
	for part in parts {
		key.extend_from_slice(part);
	}
	key
}

/// `Timestamp.Now`: the chain time, a `u64`.
pub fn now() -> Vec<u8> {
	item("Timestamp", "Now", &[])
}

/// `System.Account`: a `frame_system::AccountInfo` with the balances in it.
pub fn account(account: &[u8; 32]) -> Vec<u8> {
	item("System", "Account", &[&blake2_128(account), account])
}

/// `Organisations.Organisations`: an [`OrganisationRecord`](crate::organisation::OrganisationRecord).
pub fn organisation(id: OrganisationId) -> Vec<u8> {
	item(ORGANISATIONS, "Organisations", &[&id.0])
}

/// `Organisations.Members`: a [`RoleSet`](crate::organisation::RoleSet).
pub fn member(organisation: OrganisationId, account: &[u8; 32]) -> Vec<u8> {
	item(ORGANISATIONS, "Members", &[&organisation.0, &blake2_128(account), account])
}

/// `Organisations.HandOvers`: a pending [`HandOver`](crate::organisation::HandOver) of this member.
pub fn hand_over(organisation: OrganisationId, from: &[u8; 32]) -> Vec<u8> {
	item(ORGANISATIONS, "HandOvers", &[&organisation.0, &blake2_128(from), from])
}

/// `Organisations.Invitations`: up to 32 pending [`Invitation`](crate::organisation::Invitation)s to this organisation;
/// absent means none.
pub fn invitations(organisation: OrganisationId) -> Vec<u8> {
	item(ORGANISATIONS, "Invitations", &[&organisation.0])
}

/// `Organisations.Recoveries`: the pending [`Recovery`](crate::organisation::Recovery) of this organisation.
pub fn recovery(organisation: OrganisationId) -> Vec<u8> {
	item(ORGANISATIONS, "Recoveries", &[&organisation.0])
}

/// `Motions.NextMotion`: how many motions there ever were, a `u32`; absent means 0.
pub fn next_motion() -> Vec<u8> {
	item(MOTIONS, "NextMotion", &[])
}

/// `Motions.Motions`: a [`MotionRecord`](crate::motion::MotionRecord).
pub fn motion(id: MotionId) -> Vec<u8> {
	let id = id.to_le_bytes();
	item(MOTIONS, "Motions", &[&twox_64(&id), &id])
}

/// `Motions.Calls`: the encoded call of a motion, with its length before it.
pub fn motion_call(id: MotionId) -> Vec<u8> {
	let id = id.to_le_bytes();
	item(MOTIONS, "Calls", &[&twox_64(&id), &id])
}

/// `Motions.Ballots`: a [`Ballot`](crate::motion::Ballot).
pub fn ballot(id: MotionId, voter: &[u8; 32]) -> Vec<u8> {
	let id = id.to_le_bytes();
	item(MOTIONS, "Ballots", &[&twox_64(&id), &id, &blake2_128(voter), voter])
}

/// `ValidatorSet.Validators`: all [`ValidatorRecord`](crate::validator::ValidatorRecord)s, a bounded list in the order of
/// their accounts.
pub fn validators() -> Vec<u8> {
	item(VALIDATOR_SET, "Validators", &[])
}

/// `ValidatorSet.Bounds`: the [`ValidatorBounds`](crate::validator::ValidatorBounds).
pub fn validator_bounds() -> Vec<u8> {
	item(VALIDATOR_SET, "Bounds", &[])
}

/// `Session.NextKeys`: the session keys that a validator has set, as bytes; absent if it has none.
pub fn session_keys(account: &[u8; 32]) -> Vec<u8> {
	item("Session", "NextKeys", &[&twox_64(account), account])
}

/// `Session.Validators`: the accounts that serve in this session.
pub fn serving_validators() -> Vec<u8> {
	item("Session", "Validators", &[])
}

/// `Dpki.Anchors`: an [`AnchorRecord`](crate::anchor::AnchorRecord).
pub fn anchor(id: AnchorId) -> Vec<u8> {
	item(DPKI, "Anchors", &[&id.0])
}

/// `Dpki.AnchorMaterials`: an [`AnchorMaterial`](crate::anchor::AnchorMaterial).
pub fn anchor_material(id: AnchorId) -> Vec<u8> {
	item(DPKI, "AnchorMaterials", &[&id.0])
}

/// `Dpki.RevokedAnchorKeys`: nothing (the unit), present if this key was revoked with an anchor; never removed.
pub fn revoked_anchor_key(id: KeyId) -> Vec<u8> {
	item(DPKI, "RevokedAnchorKeys", &[&id.0])
}

/// `Dpki.KeyAnchors`: the ids of all anchors of this key, a bounded list of [`AnchorId`]; absent if there is none or the
/// key was revoked.
pub fn key_anchors(id: KeyId) -> Vec<u8> {
	item(DPKI, "KeyAnchors", &[&id.0])
}

/// `Dpki.CrlPointers`: a [`CrlPointer`](crate::anchor::CrlPointer).
pub fn crl_pointer(id: AnchorId) -> Vec<u8> {
	item(DPKI, "CrlPointers", &[&id.0])
}

/// `Dpki.ChildCount`: how many anchors this one has issued, a `u32`; absent means 0.
pub fn anchor_child_count(id: AnchorId) -> Vec<u8> {
	item(DPKI, "ChildCount", &[&id.0])
}

/// `Dpki.Children`: number `index` of them, counted from 0: an [`AnchorId`].
pub fn anchor_child(id: AnchorId, index: u32) -> Vec<u8> {
	item(DPKI, "Children", &[&id.0, &index.to_le_bytes()])
}

/// `Dpki.Serials`: the [`AnchorId`] to whose certificate this key has given the serial number with this
/// [`serial_digest`](crate::anchor::serial_digest); absent means none that is an anchor.
pub fn anchor_serial(issuer: KeyId, digest: &[u8; 32]) -> Vec<u8> {
	item(DPKI, "Serials", &[&issuer.0, digest])
}

/// `Dpki.OrganisationAnchors`: the ids of the organisation's unrevoked anchors, a bounded list of [`AnchorId`].
pub fn organisation_anchors(id: OrganisationId) -> Vec<u8> {
	item(DPKI, "OrganisationAnchors", &[&id.0])
}

/// `Dpki.Registrants`: nothing (the unit), present if anything was ever registered for this organisation; never removed.
pub fn registrant(id: OrganisationId) -> Vec<u8> {
	item(DPKI, "Registrants", &[&id.0])
}

/// `Dpki.Devices`: a [`DeviceRecord`](crate::device::DeviceRecord).
pub fn device(id: DeviceId) -> Vec<u8> {
	item(DPKI, "Devices", &[&id.0])
}

/// `Dpki.DeviceCount`: how many devices the organisation ever had, a `u32`; absent means 0.
pub fn organisation_device_count(id: OrganisationId) -> Vec<u8> {
	item(DPKI, "DeviceCount", &[&id.0])
}

/// `Dpki.OrganisationDevices`: number `index` of them, counted from 0: a [`DeviceId`].
pub fn organisation_device(id: OrganisationId, index: u32) -> Vec<u8> {
	item(DPKI, "OrganisationDevices", &[&id.0, &index.to_le_bytes()])
}

/// `Dpki.DeviceKeys`: a [`KeyList`](crate::device::KeyList).
pub fn device_keys(id: DeviceId) -> Vec<u8> {
	item(DPKI, "DeviceKeys", &[&id.0])
}

/// `Dpki.Keys`: a [`KeyRecord`](crate::key::KeyRecord).
pub fn key(id: KeyId) -> Vec<u8> {
	item(DPKI, "Keys", &[&id.0])
}

/// `Dpki.NextKeys`: the [`KeyCommitment`](crate::ids::KeyCommitment) to the key that is to follow this one; absent means
/// that none is announced.
pub fn next_key(id: KeyId) -> Vec<u8> {
	item(DPKI, "NextKeys", &[&id.0])
}

/// `Dpki.KeyPolicies`: a [`KeyPolicy`](crate::key_policy::KeyPolicy); absent means its default.
pub fn key_policy(id: OrganisationId) -> Vec<u8> {
	item(DPKI, "KeyPolicies", &[&id.0])
}

/// `Dpki.KeyQuotas`: a [`DeviceQuota`](crate::quota::DeviceQuota); absent means its default.
pub fn key_quota(id: DeviceId) -> Vec<u8> {
	item(DPKI, "KeyQuotas", &[&id.0])
}

/// `Dpki.Requests`: a [`KeyRequest`](crate::request::KeyRequest).
pub fn request(id: RequestId) -> Vec<u8> {
	item(DPKI, "Requests", &[&id.0])
}

/// `Dpki.RequestQueues`: a bounded list of [`QueuedRequest`](crate::request::QueuedRequest), oldest first; absent means
/// that it is empty.
pub fn request_queue(id: OrganisationId) -> Vec<u8> {
	item(DPKI, "RequestQueues", &[&id.0])
}

/// `Dpki.Vouchers`: a [`VoucherRecord`](crate::voucher::VoucherRecord).
pub fn voucher(id: VoucherId) -> Vec<u8> {
	item(DPKI, "Vouchers", &[&id.0])
}

/// `Dpki.SshRevocationCount`: the number of entries in the anchor's SSH revocation list, a `u32`; absent means 0.
pub fn ssh_revocation_count(anchor: AnchorId) -> Vec<u8> {
	item(DPKI, "SshRevocationCount", &[&anchor.0])
}

/// `Dpki.SshRevocations`: page `page` of that list, at most
/// [`SSH_REVOCATIONS_PER_PAGE`](crate::revocation::SSH_REVOCATIONS_PER_PAGE) of
/// [`SshRevocation`](crate::revocation::SshRevocation).
pub fn ssh_revocations(anchor: AnchorId, page: u32) -> Vec<u8> {
	item(DPKI, "SshRevocations", &[&anchor.0, &page.to_le_bytes()])
}

/// `Dpki.RevokedSshSubjects`: where in that list the subject stands, a `u32`; absent means not revoked.
pub fn revoked_ssh_subject(anchor: AnchorId, subject: &SshSubject) -> Vec<u8> {
	item(DPKI, "RevokedSshSubjects", &[&anchor.0, &subject.digest()])
}

/// `Deliveries.Deliveries`: a [`DeliveryRecord`](crate::delivery::DeliveryRecord).
pub fn delivery(device: DeviceId, channel: ChannelId) -> Vec<u8> {
	item(DELIVERIES, "Deliveries", &[&device.0, &[channel.number()]])
}

/// `Deliveries.Channels`: the [`ChannelSet`](crate::channel::ChannelSet) of the channels that ever had a delivery; absent
/// means none. Whoever has proven it knows that no delivery is kept from it.
pub fn channels(device: DeviceId) -> Vec<u8> {
	item(DELIVERIES, "Channels", &[&device.0])
}

/// `Deliveries.Acknowledgements`: an [`Acknowledgement`](crate::delivery::Acknowledgement).
pub fn acknowledgement(device: DeviceId, channel: ChannelId) -> Vec<u8> {
	item(DELIVERIES, "Acknowledgements", &[&device.0, &[channel.number()]])
}

/// `Deliveries.Proposals`: the [`Proposal`](crate::approval::Proposal) that waits for approvals; absent means that none
/// does.
pub fn proposal(device: DeviceId, channel: ChannelId) -> Vec<u8> {
	item(DELIVERIES, "Proposals", &[&device.0, &[channel.number()]])
}

/// `Deliveries.Approvals`: the [`ApprovalRecord`](crate::approval::ApprovalRecord) of the newest delivery; absent means
/// that the policy asked for nobody.
pub fn approvals(device: DeviceId, channel: ChannelId) -> Vec<u8> {
	item(DELIVERIES, "Approvals", &[&device.0, &[channel.number()]])
}

/// `Certificates.Certificates`: a [`CertificateRecord`](crate::certificate::CertificateRecord).
pub fn certificate(id: CertificateId) -> Vec<u8> {
	item(CERTIFICATES, "Certificates", &[&id.0])
}

/// `Certificates.CompromisedKeys`: since when a certified key is known to be compromised, a `u64`; absent means that
/// it is not.
pub fn compromised_key(id: KeyId) -> Vec<u8> {
	item(CERTIFICATES, "CompromisedKeys", &[&id.0])
}

/// `Certificates.Endorsements`: all [`Endorsements`](crate::assurance::Endorsements) of a certificate; absent means
/// none.
pub fn endorsements(id: CertificateId) -> Vec<u8> {
	item(CERTIFICATES, "Endorsements", &[&id.0])
}

/// `Certificates.Accreditations`: an [`Accreditation`](crate::assurance::Accreditation).
pub fn accreditation(office: Office, account: &[u8; 32]) -> Vec<u8> {
	item(CERTIFICATES, "Accreditations", &[&office.encode(), &blake2_128(account), account])
}

/// `Certificates.AccreditedCount`: how many accounts were ever accredited for an office, a `u32`; absent means 0.
pub fn accredited_count(office: Office) -> Vec<u8> {
	item(CERTIFICATES, "AccreditedCount", &[&office.encode()])
}

/// `Certificates.Accredited`: the account that was accredited as number `index`, counted from 0.
pub fn accredited(office: Office, index: u32) -> Vec<u8> {
	item(CERTIFICATES, "Accredited", &[&office.encode(), &index.to_le_bytes()])
}

/// `Certificates.Bonds`: the [`Bond`](crate::bond::Bond) of an account in a `u128`; absent means none.
pub fn bond(account: &[u8; 32]) -> Vec<u8> {
	item(CERTIFICATES, "Bonds", &[&blake2_128(account), account])
}

/// `Certificates.MinimumBond`: what an endorser has to have bonded, a `u128`; absent means nothing.
pub fn minimum_bond() -> Vec<u8> {
	item(CERTIFICATES, "MinimumBond", &[])
}

/// `Certificates.SlashCount`: how often an account was slashed, a `u32`; absent means never.
pub fn slash_count(account: &[u8; 32]) -> Vec<u8> {
	item(CERTIFICATES, "SlashCount", &[&blake2_128(account), account])
}

/// `Certificates.Slashes`: the [`SlashRecord`](crate::bond::SlashRecord) of number `index`, counted from 0, in a `u128`.
pub fn slash(account: &[u8; 32], index: u32) -> Vec<u8> {
	item(CERTIFICATES, "Slashes", &[&blake2_128(account), account, &index.to_le_bytes()])
}

/// `Certificates.Policy`: a [`CertificatePolicy`](crate::certificate::CertificatePolicy); absent means its default.
pub fn certificate_policy() -> Vec<u8> {
	item(CERTIFICATES, "Policy", &[])
}

/// `Certificates.Applications`: an [`ApplicationRecord`](crate::application::ApplicationRecord).
pub fn application(id: ApplicationId) -> Vec<u8> {
	item(CERTIFICATES, "Applications", &[&id.0])
}

/// `Certificates.ApplicationVotes`: the [`Votes`](crate::application::Votes) on an application; absent means none.
pub fn application_votes(id: ApplicationId) -> Vec<u8> {
	item(CERTIFICATES, "ApplicationVotes", &[&id.0])
}

/// `Certificates.Escrows`: what the payer of an open application has on hold for it; absent once it is closed.
pub fn escrow(id: ApplicationId) -> Vec<u8> {
	item(CERTIFICATES, "Escrows", &[&id.0])
}

/// `Certificates.ApplicationNonce`: how many applications an account ever made, a `u64`; absent means 0.
pub fn application_nonce(account: &[u8; 32]) -> Vec<u8> {
	item(CERTIFICATES, "ApplicationNonce", &[&blake2_128(account), account])
}

/// `Certificates.OpenCount`: how many applications are open, a `u32`; absent means 0.
pub fn open_application_count() -> Vec<u8> {
	item(CERTIFICATES, "OpenCount", &[])
}

/// `Certificates.OpenApplications`: number `position` of them, counted from 0: an [`ApplicationId`].
pub fn open_application(position: u32) -> Vec<u8> {
	item(CERTIFICATES, "OpenApplications", &[&position.to_le_bytes()])
}

/// `Certificates.EndingCount`: how many entries the index by end has for a day since the Unix epoch, a `u32`; absent
/// means 0.
pub fn ending_count(day: u32) -> Vec<u8> {
	item(CERTIFICATES, "EndingCount", &[&day.to_le_bytes()])
}

/// `Certificates.Ending`: number `index` of them, counted from 0: a [`CertificateId`] whose certificate was to end on
/// that day, and tells itself whether it still is.
pub fn ending(day: u32, index: u32) -> Vec<u8> {
	item(CERTIFICATES, "Ending", &[&day.to_le_bytes(), &index.to_le_bytes()])
}

/// `Certificates.Subjects`: a [`SubjectRecord`](crate::certificate::SubjectRecord).
pub fn subject(id: SubjectId) -> Vec<u8> {
	item(CERTIFICATES, "Subjects", &[&id.0])
}

/// `Certificates.SubjectCertificateCount`: how many certificates were ever granted about a subject, a `u32`; absent
/// means 0.
pub fn subject_certificate_count(id: SubjectId) -> Vec<u8> {
	item(CERTIFICATES, "SubjectCertificateCount", &[&id.0])
}

/// `Certificates.SubjectCertificates`: number `index` of them, counted from 0: a [`CertificateId`].
pub fn subject_certificate(id: SubjectId, index: u32) -> Vec<u8> {
	item(CERTIFICATES, "SubjectCertificates", &[&id.0, &index.to_le_bytes()])
}

/// `Certificates.HolderCertificateCount`: how many certificates a holder was ever granted, a `u32`; absent means 0.
pub fn holder_certificate_count(holder: Holder) -> Vec<u8> {
	let holder = holder.encode();
	item(CERTIFICATES, "HolderCertificateCount", &[&blake2_128(&holder), &holder])
}

/// `Certificates.HolderCertificates`: number `index` of them, counted from 0: a [`CertificateId`].
pub fn holder_certificate(holder: Holder, index: u32) -> Vec<u8> {
	let holder = holder.encode();
	let index = index.to_le_bytes();
	item(CERTIFICATES, "HolderCertificates", &[&blake2_128(&holder), &holder, &index])
}

/// `Fleets.Fleets`: a [`FleetRecord`](crate::fleet::FleetRecord).
pub fn fleet(id: FleetId) -> Vec<u8> {
	item(FLEETS, "Fleets", &[&id.0])
}

/// `Fleets.FleetCount`: how many fleets were ever proposed for the organisation, a `u32`; absent means 0.
pub fn organisation_fleet_count(id: OrganisationId) -> Vec<u8> {
	item(FLEETS, "FleetCount", &[&id.0])
}

/// `Fleets.OrganisationFleets`: number `index` of them, counted from 0: a [`FleetId`].
pub fn organisation_fleet(id: OrganisationId, index: u32) -> Vec<u8> {
	item(FLEETS, "OrganisationFleets", &[&id.0, &index.to_le_bytes()])
}

/// `Fleets.RevokedMembers`: chunk `chunk` of the revoked members of a fleet, a
/// [`RevocationChunk`](crate::fleet::RevocationChunk); absent means that none of them is revoked.
pub fn revoked_members(id: FleetId, chunk: u32) -> Vec<u8> {
	item(FLEETS, "RevokedMembers", &[&id.0, &chunk.to_le_bytes()])
}

/// `Fleets.Rolls`: the [`RollRecord`](crate::fleet::RollRecord) of a fleet; absent if its leaves are in tiles.
pub fn roll(id: FleetId) -> Vec<u8> {
	item(FLEETS, "Rolls", &[&id.0])
}

/// `Fleets.RollTiles`: tile `tile` of the keys of a roll, a [`RollTile`](crate::fleet::RollTile); absent beyond the last.
pub fn roll_tile(id: FleetId, tile: u32) -> Vec<u8> {
	item(FLEETS, "RollTiles", &[&id.0, &tile.to_le_bytes()])
}

/// `Fleets.Votes`: what the voters say of revision `revision` of a fleet, a bounded list of
/// [`AvailabilityVote`](crate::fleet::AvailabilityVote); absent means that nobody has said anything.
pub fn availability_votes(id: FleetId, revision: u32) -> Vec<u8> {
	item(FLEETS, "Votes", &[&id.0, &revision.to_le_bytes()])
}

/// `Requests.Filings`: the [`Filing`](crate::filing::Filing) in a slot of a device.
pub fn filing(device: DeviceId, slot: u8) -> Vec<u8> {
	item(REQUESTS, "Filings", &[&device.0, &[slot]])
}

/// `Requests.Contents`: the [`FilingContent`](crate::filing::FilingContent) of a filing that waits; absent once it has
/// ended.
pub fn filing_content(device: DeviceId, slot: u8) -> Vec<u8> {
	item(REQUESTS, "Contents", &[&device.0, &[slot]])
}

/// `Requests.Filers`: the [`Filer`](crate::filing::Filer) that a device is; absent means its default.
pub fn filer(device: DeviceId) -> Vec<u8> {
	item(REQUESTS, "Filers", &[&device.0])
}

/// `Requests.WaitingCount`: how many filings wait for an organisation, a `u32`; absent means 0.
pub fn waiting_filing_count(organisation: OrganisationId) -> Vec<u8> {
	item(REQUESTS, "WaitingCount", &[&organisation.0])
}

/// `Requests.Waiting`: number `position` of them, counted from 0: a [`FilingPlace`](crate::filing::FilingPlace).
pub fn waiting_filing(organisation: OrganisationId, position: u32) -> Vec<u8> {
	item(REQUESTS, "Waiting", &[&organisation.0, &position.to_le_bytes()])
}
