//! Lists that the runtime answers, one page at a time, with the storage that proves them.

use super::{ReadError, Verdict, View};
use codec::{Decode, Encode};
use dpki_primitives::{
	Moment,
	anchor::{AnchorRecord, ChainVerdict, Profile},
	device::DeviceRecord,
	fleet::FleetRecord,
	ids::{AnchorId, DeviceId, FleetId, KeyId, OrganisationId},
	key::KeyRecord,
};

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
