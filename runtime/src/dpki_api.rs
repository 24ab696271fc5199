// SPDX-License-Identifier: Apache-2.0

//! What clients may ask the registry in one call.
//!
//! Every answer carries the storage key of the record that it was made from, so that whoever does
//! not want to believe the node can ask for the proof. Light clients run these calls themselves.

pub mod certificates;
pub mod lists;

use crate::{AccountId, Balance, BlockNumber};
use alloc::vec::Vec;
use certificates::{
	ApplicationAnswer, AssessmentAnswer, CertificateAnswer, CertificateTerms, SubjectAnswer,
};
use codec::{Decode, Encode};
use dpki_primitives::{
	Moment,
	anchor::{AnchorRecord, ChainVerdict, Profile},
	assurance::{Accreditation, Endorsements},
	certificate::{Holder, Office},
	channel::{ChannelId, ChannelSet},
	delivery::{Acknowledgement, DeliveryRecord},
	device::DeviceRecord,
	economy::{Allowance, Operation, QuotaPolicies, ResourceKind},
	filing::{Filing, FilingPlace},
	fleet::{FleetRecord, MembershipProof},
	ids::{
		AnchorId, ApplicationId, CertificateId, DeviceId, FleetId, KeyId, OrganisationId,
		RequestId, SubjectId, VoucherId,
	},
	key::KeyRecord,
	motion::{MotionId, MotionRecord, MotionStanding},
	organisation::{HandOver, OrganisationRecord, Recovery, RoleSet},
	request::KeyRequest,
	status::Status,
	voucher::VoucherRecord,
};
use lists::{ListedAnchor, ListedCertificate, ListedDevice, ListedFleet, ListedKey, Listing};
use scale_info::TypeInfo;

/// A record, where it lies, and the verdict about it at the block that was asked.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct Verdict<Record> {
	/// The record, if the chain has one.
	pub record: Option<Record>,
	/// The verdict; unknown if there is no record.
	pub status: Status,
	/// The raw storage key of the record.
	pub storage_key: Vec<u8>,
}

/// A record without a verdict, and where it lies.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct Located<Record> {
	/// The record, if the chain has one.
	pub record: Option<Record>,
	/// The raw storage key of the record.
	pub storage_key: Vec<u8>,
}

/// An organisation, and what is pending in it.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct OrganisationAnswer {
	/// The organisation.
	pub organisation: Located<OrganisationRecord>,
	/// Who is to get a seat in a body whose keys were lost.
	pub recovery: Located<Recovery<AccountId, BlockNumber>>,
}

/// A member of an organisation, and what is pending about it.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct MemberAnswer {
	/// What the account may do; nothing if it is no member.
	pub roles: Located<RoleSet>,
	/// To whom it wants to move its membership.
	pub hand_over: Located<HandOver<AccountId, BlockNumber>>,
}

/// A motion as stored.
pub type Motion = MotionRecord<AccountId, Balance, BlockNumber>;

/// A motion, its call, and how it stands at the block that was asked.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct MotionAnswer {
	/// The motion.
	pub motion: Located<Motion>,
	/// Its encoded call.
	pub call: Located<Vec<u8>>,
	/// How it stands.
	pub standing: MotionStanding,
}

/// Some motions, newest first.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct MotionPage {
	/// How many motions there ever were; nothing if there was none.
	pub count: Located<u32>,
	/// Every number on the page, also of a motion that was forgotten and has no record any more.
	pub motions: Vec<(MotionId, Located<Motion>)>,
}

/// What things cost at the block that was asked. The schedules are told whether they hold or not:
/// while the chain is feeless, nothing is charged by them and no new deposit is held.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct EconomyAnswer {
	/// Whether the chain is feeless.
	pub feeless: bool,
	/// The fee of every operation, beside that of its transaction.
	pub fees: Vec<(Operation, Balance)>,
	/// The deposit for every kind of resource.
	pub deposits: Vec<(ResourceKind, Balance)>,
	/// How much can be done for nothing while the chain is feeless.
	pub quotas: QuotaPolicies,
}

sp_api::decl_runtime_apis! {
	/// Questions about the registry, answered from the state of one block.
	pub trait DpkiApi {
		/// The organisation.
		fn organisation(id: OrganisationId) -> OrganisationAnswer;

		/// What the account is in the organisation.
		fn member(organisation: OrganisationId, account: AccountId) -> MemberAnswer;

		/// The motion.
		fn motion(id: MotionId) -> MotionAnswer;

		/// The motions of a page, at most
		/// [`MOTIONS_PER_PAGE`](dpki_primitives::motion::MOTIONS_PER_PAGE); page 0 holds the newest.
		fn motions(page: u32) -> MotionPage;

		/// The trust anchor; everything above it is included in the verdict.
		fn anchor(id: AnchorId) -> Verdict<AnchorRecord>;

		/// The verdict about the first of these certificates in DER, each of which was issued by the next and the last by the
		/// anchor, under the profile of the anchor and this one. At most
		/// [`MAX_CHAIN_LEN`](dpki_primitives::anchor::MAX_CHAIN_LEN).
		fn check_certificate(
			anchor: AnchorId,
			chain: Vec<Vec<u8>>,
			profile: Profile,
		) -> ChainVerdict;

		/// The organisation's unrevoked anchors, at most
		/// [`MAX_ANCHORS_PER_ORGANISATION`](dpki_primitives::anchor::MAX_ANCHORS_PER_ORGANISATION).
		fn anchors_of(organisation: OrganisationId) -> Listing<ListedAnchor>;

		/// Those of them that end, or are to be retired, from now until this moment.
		fn anchors_ending(organisation: OrganisationId, until: Moment) -> Listing<ListedAnchor>;

		/// The anchors that this one has issued, revoked ones too, oldest first, from number `start` on.
		fn children_of(anchor: AnchorId, start: u32) -> Listing<ListedAnchor>;

		/// The devices that the organisation ever had, revoked ones too, oldest first, from number `start` on.
		fn devices_of(organisation: OrganisationId, start: u32) -> Listing<ListedDevice>;

		/// The device.
		fn device(id: DeviceId) -> Verdict<DeviceRecord>;

		/// The key, its device included in the verdict.
		fn key(id: KeyId) -> Verdict<KeyRecord>;

		/// The device's unrevoked keys, at most
		/// [`MAX_KEYS_PER_DEVICE`](dpki_primitives::device::MAX_KEYS_PER_DEVICE).
		fn keys_of(device: DeviceId) -> Listing<ListedKey>;

		/// Those of them that end, or are to be superseded, from now until this moment.
		fn keys_ending(device: DeviceId, until: Moment) -> Listing<ListedKey>;

		/// The requests that wait for the registrars of an organisation, oldest first, at most
		/// [`MAX_REQUESTS_PER_ORGANISATION`](dpki_primitives::request::MAX_REQUESTS_PER_ORGANISATION). Expired ones stay
		/// until their place is needed.
		fn requests_to(organisation: OrganisationId) -> Listing<(RequestId, Located<KeyRequest>)>;

		/// The certificates for which devices of the organisation ask, in no order, from position `start` on. Those whose time
		/// is over stay until somebody clears them.
		fn filings_for(
			organisation: OrganisationId,
			start: u32,
		) -> Listing<(FilingPlace, Located<Filing>)>;

		/// What a device has filed in a slot, and what became of it.
		fn filing(device: DeviceId, slot: u8) -> Located<Filing>;

		/// The voucher.
		fn voucher(id: VoucherId) -> Located<VoucherRecord>;

		/// The channels on which the device ever got a delivery.
		fn channels(device: DeviceId) -> Located<ChannelSet>;

		/// The device's newest delivery on a channel.
		fn delivery(device: DeviceId, channel: ChannelId) -> Located<DeliveryRecord>;

		/// The device's newest acknowledgement on a channel.
		fn acknowledgement(device: DeviceId, channel: ChannelId) -> Located<Acknowledgement>;

		/// What things cost.
		fn economy() -> EconomyAnswer;

		/// What the account can still do for nothing; `None` if it pays.
		fn quota(account: AccountId) -> Option<Allowance>;

		/// The fleet; unknown as long as no commitment of it counts.
		fn fleet(id: FleetId) -> Verdict<FleetRecord>;

		/// The fleets that were ever proposed for the organisation, those that have ended or never counted too, oldest first,
		/// from number `start` on.
		fn fleets_of(organisation: OrganisationId, start: u32) -> Listing<ListedFleet>;

		/// The verdict about the key of a fleet member, by the same rule as about one that is registered singly.
		fn fleet_member(proof: MembershipProof) -> Status;

		/// The certificate, and what the verdict about it depends on.
		fn certificate(id: CertificateId) -> CertificateAnswer;

		/// The effective level of the certificate with one explanation per endorsement.
		fn assessment(id: CertificateId) -> AssessmentAnswer;

		/// The endorsements of the certificate as stored.
		fn endorsements(id: CertificateId) -> Located<Endorsements>;

		/// The application, for as long as it is stored.
		fn application(id: ApplicationId) -> ApplicationAnswer;

		/// How many applications the account ever made: the nonce of its next proof of possession, and what the id of
		/// its next application is made from.
		fn application_nonce(account: AccountId) -> u64;

		/// Who holds the subject, and its certificates that were live when that was last changed.
		fn subject(id: SubjectId) -> SubjectAnswer;

		/// The certificates of a holder, oldest first, from number `start` on.
		fn certificates_of(
			holder: Holder,
			start: u32,
		) -> Listing<ListedCertificate>;

		/// The certificates ever granted about a subject, oldest first, from number `start` on.
		fn certificates_about(
			subject: SubjectId,
			start: u32,
		) -> Listing<ListedCertificate>;

		/// The unrevoked certificates that end on a day since the Unix epoch, from entry `start` on.
		fn certificates_ending_on(
			day: u32,
			start: u32,
		) -> Listing<ListedCertificate>;

		/// The accreditation of the account for the office.
		fn accreditation(office: Office, account: AccountId) -> Located<Accreditation>;

		/// Everyone who was ever accredited for the office, from number `start` on.
		fn accredited(office: Office, start: u32) -> Listing<(AccountId, Located<Accreditation>)>;

		/// The applications on which the organisation of this observer can still commit itself, from entry `start` of
		/// the open ones on.
		fn pending_observations(observer: AccountId, start: u32) -> Listing<ApplicationId>;

		/// The votes that this observer still has to reveal, from entry `start` of the open applications on.
		fn pending_reveals(observer: AccountId, start: u32) -> Listing<ApplicationId>;

		/// The certificates that this endorser could endorse and be paid for, from entry `start` of the open
		/// applications on.
		fn pending_endorsements(endorser: AccountId, start: u32) -> Listing<CertificateId>;

		/// The policy and the prices that hold.
		fn certificate_terms() -> CertificateTerms;
	}
}
