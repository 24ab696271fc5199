//! Lists that the runtime answers, one page at a time, with the storage that proves them.

use super::{ReadError, Verdict, View};
use crate::AccountId;
use codec::{Decode, Encode};
use dpki_primitives::{
	Moment,
	anchor::{AnchorRecord, ChainVerdict, Profile},
	device::DeviceRecord,
	fleet::FleetRecord,
	ids::{AnchorId, ApplicationId, DeviceId, FleetId, KeyId, OrganisationId},
	key::KeyRecord,
	organisation::RoleSet,
	storage_keys,
};

/// How many members are read at once.
const MEMBERS_PER_PAGE: u32 = 256;

/// How long the end of a storage key is that names a member: the account behind its BLAKE2-128.
const MEMBER_LEN: usize = 16 + 32;

/// One page of a list, and where it lies.
#[derive(Clone, PartialEq, Eq, Debug, Decode)]
pub struct Listing<Item> {
	/// How many entries the whole list has, those that do not answer the question included.
	pub total: u32,
	/// The index at which the next page begins; `None` after the last.
	pub next: Option<u32>,
	/// Those entries of the page that answer the question.
	pub items: Vec<Item>,
	/// The raw storage keys of the length of the list and of its entries on this page, or of the whole list; then of
	/// whatever else decides which of them answer the question, beside the records of the items themselves.
	pub list_keys: Vec<Vec<u8>>,
}

impl View {
	/// The members of an organisation with their roles, in the order of their storage keys. The node is asked which keys there
	/// are, which no proof covers: [`OrganisationRecord::members`](dpki_primitives::organisation::OrganisationRecord) tells
	/// how many there have to be.
	pub async fn members_of(
		&self,
		organisation: OrganisationId,
	) -> Result<Vec<(AccountId, RoleSet)>, ReadError> {
		let item = "the members of the organisation";
		let mut prefix = storage_keys::member(organisation, &[0; 32]);
		prefix.truncate(prefix.len().saturating_sub(MEMBER_LEN));
		let (mut members, mut last) = (Vec::new(), None::<Vec<u8>>);
		loop {
			let page: Vec<(_, RoleSet)> =
				self.read_page(item, &prefix, MEMBERS_PER_PAGE, last.as_deref()).await?;
			for (key, roles) in &page {
				let account = key.last_chunk::<32>().copied();
				let account = account
					.filter(|account| *key == storage_keys::member(organisation, account))
					.ok_or_else(|| self.malformed(item, "a key of another item"))?;
				members.push((account, *roles));
			}
			// A node that goes back to where it was would be asked for ever.
			match page.last() {
				Some((key, _)) if last.as_ref().is_none_or(|last| last < key) => {
					last = Some(key.clone());
				},
				_ => return Ok(members),
			}
		}
	}

	/// How many applications are open.
	pub async fn open_application_count(&self) -> Result<u32, ReadError> {
		let key = storage_keys::open_application_count();
		Ok(self.read("the count of open applications", key).await?.unwrap_or(0))
	}

	/// The open application at this place of their list, in which they stand in no order.
	pub async fn open_application(
		&self,
		position: u32,
	) -> Result<Option<ApplicationId>, ReadError> {
		self.read("the open application", storage_keys::open_application(position))
			.await
	}

	/// The anchors that this one has issued, revoked ones too, oldest first, from number `start` on.
	pub async fn anchor_children(
		&self,
		id: AnchorId,
		start: u32,
	) -> Result<Listing<(AnchorId, Verdict<AnchorRecord>)>, ReadError> {
		let item = "what the anchor has issued";
		self.call(item, "DpkiApi_children_of", &(id, start).encode()).await
	}

	/// Those unrevoked anchors of an organisation that end, or are to be retired, from now until this moment.
	pub async fn anchors_ending(
		&self,
		organisation: OrganisationId,
		until: Moment,
	) -> Result<Listing<(AnchorId, Verdict<AnchorRecord>)>, ReadError> {
		let item = "the anchors that end soon";
		self.call(item, "DpkiApi_anchors_ending", &(organisation, until).encode()).await
	}

	/// The verdict about the first of these certificates in DER, each of which was issued by the next and the last by the
	/// anchor, under the profile of the anchor and this one; what the chain has revoked is part of it. It comes from the
	/// runtime, by the node that is asked.
	pub async fn check_certificate(
		&self,
		anchor: AnchorId,
		chain: &[Vec<u8>],
		profile: Profile,
	) -> Result<ChainVerdict, ReadError> {
		let item = "the verdict about the certificate";
		self.call(item, "DpkiApi_check_certificate", &(anchor, chain, profile).encode())
			.await
	}

	/// The devices that the organisation ever had, revoked ones too, oldest first, from number `start` on.
	pub async fn devices_of(
		&self,
		organisation: OrganisationId,
		start: u32,
	) -> Result<Listing<(DeviceId, Verdict<DeviceRecord>)>, ReadError> {
		let item = "the devices of the organisation";
		self.call(item, "DpkiApi_devices_of", &(organisation, start).encode()).await
	}

	/// The fleets that were ever proposed for the organisation, those that have ended or never counted too, oldest first,
	/// from number `start` on.
	pub async fn fleets_of(
		&self,
		organisation: OrganisationId,
		start: u32,
	) -> Result<Listing<(FleetId, Verdict<FleetRecord>)>, ReadError> {
		let item = "the fleets of the organisation";
		self.call(item, "DpkiApi_fleets_of", &(organisation, start).encode()).await
	}

	/// Those unrevoked keys of a device that end, or are to be superseded, from now until this moment.
	pub async fn keys_ending(
		&self,
		device: DeviceId,
		until: Moment,
	) -> Result<Listing<(KeyId, Verdict<KeyRecord>)>, ReadError> {
		let item = "the keys that end soon";
		self.call(item, "DpkiApi_keys_ending", &(device, until).encode()).await
	}
}
