// SPDX-License-Identifier: Apache-2.0

//! Lists, one page at a time, each with the storage that it was made from.
//!
//! A list has its length in the state beside its entries, or is one bounded value. Whoever proves the keys that come
//! with a page knows that nothing was left out of it and nothing put in.

use super::{Located, Verdict};
use crate::{AccountId, Certificates, Dpki, Fleets, Requests, Runtime};
use alloc::vec::Vec;
use codec::{Decode, Encode};
use dpki_primitives::{
	Moment,
	anchor::AnchorRecord,
	application::ApplicationRecord,
	assurance::Accreditation,
	certificate::{CertificateRecord, Holder, Office, Page},
	device::DeviceRecord,
	filing::{Filing, FilingPlace},
	fleet::FleetRecord,
	ids::{
		AnchorId, ApplicationId, CertificateId, DeviceId, FleetId, KeyId, OrganisationId,
		RequestId, SubjectId,
	},
	key::KeyRecord,
	request::KeyRequest,
	storage_keys,
};
use scale_info::TypeInfo;

/// One page of a list, and where it lies.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
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

impl<Item> Listing<Item> {
	/// A page that begins at `start`, of a list with its length under one key and each entry under another.
	fn counted(
		page: Page<Item>,
		start: u32,
		count_key: Vec<u8>,
		entry_key: impl Fn(u32) -> Vec<u8>,
	) -> Self {
		let Page { total, next, items } = page;
		let entries = (start..next.unwrap_or(total)).map(entry_key);
		Self { total, next, items, list_keys: core::iter::once(count_key).chain(entries).collect() }
	}

	/// Those of a list that is one value of so many entries which answer the question.
	fn whole(total: usize, items: Vec<Item>, list_key: Vec<u8>) -> Self {
		// No list that is one value is nearly as long as a number of 32 bits can tell.
		let total = u32::try_from(total).unwrap_or(u32::MAX);
		Self { total, next: None, items, list_keys: Vec::from([list_key]) }
	}

	fn map<Other>(self, change: impl FnMut(Item) -> Other) -> Listing<Other> {
		let Self { total, next, items, list_keys } = self;
		Listing { total, next, items: items.into_iter().map(change).collect(), list_keys }
	}
}

/// An anchor with the verdict about it.
pub type ListedAnchor = (AnchorId, Verdict<AnchorRecord>);

/// A device with the verdict about it.
pub type ListedDevice = (DeviceId, Verdict<DeviceRecord>);

/// A fleet with the verdict about it.
pub type ListedFleet = (FleetId, Verdict<FleetRecord>);

/// A key with the verdict about it.
pub type ListedKey = (KeyId, Verdict<KeyRecord>);

/// A certificate with the verdict about it.
pub type ListedCertificate = (CertificateId, Verdict<CertificateRecord>);

fn anchor(id: AnchorId) -> ListedAnchor {
	let (record, status) = (Dpki::anchor(id), Dpki::anchor_status(id));
	(id, Verdict { record, status, storage_key: storage_keys::anchor(id) })
}

fn device(id: DeviceId) -> ListedDevice {
	let (record, status) = (Dpki::device(id), Dpki::device_status(id));
	(id, Verdict { record, status, storage_key: storage_keys::device(id) })
}

fn fleet(id: FleetId) -> ListedFleet {
	let (record, status) = (Fleets::fleet(id), Fleets::fleet_status(id));
	(id, Verdict { record, status, storage_key: storage_keys::fleet(id) })
}

fn key(id: KeyId) -> ListedKey {
	let (record, status) = (Dpki::key(id), Dpki::key_status(id));
	(id, Verdict { record, status, storage_key: storage_keys::key(id) })
}

fn certificate(id: CertificateId) -> ListedCertificate {
	(id, super::certificates::verdict(id))
}

/// See [`DpkiApi`](super::DpkiApi).
pub fn anchors_of(organisation: OrganisationId) -> Listing<ListedAnchor> {
	let ids: Vec<_> = Dpki::anchors_of(organisation).into_iter().map(|(id, _)| id).collect();
	Listing::whole(ids.len(), ids, storage_keys::organisation_anchors(organisation)).map(anchor)
}

/// See [`DpkiApi`](super::DpkiApi).
pub fn anchors_ending(organisation: OrganisationId, until: Moment) -> Listing<ListedAnchor> {
	let total = Dpki::anchors_of(organisation).len();
	let ids = Dpki::anchors_ending(organisation, until);
	Listing::whole(total, ids, storage_keys::organisation_anchors(organisation)).map(anchor)
}

/// See [`DpkiApi`](super::DpkiApi).
pub fn children_of(id: AnchorId, start: u32) -> Listing<ListedAnchor> {
	let entry = |index| storage_keys::anchor_child(id, index);
	let count = storage_keys::anchor_child_count(id);
	Listing::counted(Dpki::children_of(id, start), start, count, entry).map(anchor)
}

/// See [`DpkiApi`](super::DpkiApi).
pub fn devices_of(organisation: OrganisationId, start: u32) -> Listing<ListedDevice> {
	let entry = |index| storage_keys::organisation_device(organisation, index);
	let count = storage_keys::organisation_device_count(organisation);
	Listing::counted(Dpki::devices_of(organisation, start), start, count, entry).map(device)
}

/// See [`DpkiApi`](super::DpkiApi).
pub fn fleets_of(organisation: OrganisationId, start: u32) -> Listing<ListedFleet> {
	let entry = |index| storage_keys::organisation_fleet(organisation, index);
	let count = storage_keys::organisation_fleet_count(organisation);
	Listing::counted(Fleets::fleets_of(organisation, start), start, count, entry).map(fleet)
}

/// See [`DpkiApi`](super::DpkiApi).
pub fn keys_of(device: DeviceId) -> Listing<ListedKey> {
	let ids: Vec<_> = Dpki::keys_of(device).into_iter().map(|(id, _)| id).collect();
	Listing::whole(ids.len(), ids, storage_keys::device_keys(device)).map(key)
}

/// See [`DpkiApi`](super::DpkiApi).
pub fn keys_ending(device: DeviceId, until: Moment) -> Listing<ListedKey> {
	let total = Dpki::keys_of(device).len();
	let ids = Dpki::keys_ending(device, until);
	Listing::whole(total, ids, storage_keys::device_keys(device)).map(key)
}

/// See [`DpkiApi`](super::DpkiApi).
pub fn requests_to(organisation: OrganisationId) -> Listing<(RequestId, Located<KeyRequest>)> {
	let queue = Dpki::requests_to(organisation);
	let located = |id| {
		let storage_key = storage_keys::request(id);
		(id, Located { record: Dpki::request(id), storage_key })
	};
	let ids: Vec<_> = queue.into_iter().map(|place| place.id).collect();
	Listing::whole(ids.len(), ids, storage_keys::request_queue(organisation)).map(located)
}

/// See [`DpkiApi`](super::DpkiApi).
pub fn filings_for(
	organisation: OrganisationId,
	start: u32,
) -> Listing<(FilingPlace, Located<Filing>)> {
	let entry = |position| storage_keys::waiting_filing(organisation, position);
	let count = storage_keys::waiting_filing_count(organisation);
	let page = Requests::waiting_for(organisation, start);
	Listing::counted(page, start, count, entry).map(|place| (place, filing(place)))
}

/// See [`DpkiApi`](super::DpkiApi).
pub fn filing((device, slot): FilingPlace) -> Located<Filing> {
	let record = pallet_requests::Filings::<Runtime>::get(device, slot);
	Located { record, storage_key: storage_keys::filing(device, slot) }
}

/// See [`DpkiApi`](super::DpkiApi).
pub fn certificates_of(holder: Holder, start: u32) -> Listing<ListedCertificate> {
	let entry = |index| storage_keys::holder_certificate(holder, index);
	let (page, count) = (
		Certificates::certificates_of(holder, start),
		storage_keys::holder_certificate_count(holder),
	);
	Listing::counted(page, start, count, entry).map(certificate)
}

/// See [`DpkiApi`](super::DpkiApi).
pub fn certificates_about(subject: SubjectId, start: u32) -> Listing<ListedCertificate> {
	let entry = |index| storage_keys::subject_certificate(subject, index);
	let (page, count) = (
		Certificates::certificates_about(subject, start),
		storage_keys::subject_certificate_count(subject),
	);
	Listing::counted(page, start, count, entry).map(certificate)
}

/// See [`DpkiApi`](super::DpkiApi).
pub fn certificates_ending_on(day: u32, start: u32) -> Listing<ListedCertificate> {
	let page = Certificates::ending_on(day, start);
	let entry = |index| storage_keys::ending(day, index);
	let mut listing = Listing::counted(page, start, storage_keys::ending_count(day), entry);
	// An entry of the index that is no item is one whose certificate ends on another day or was revoked.
	let indexed = (start..listing.next.unwrap_or(listing.total))
		.filter_map(|index| pallet_certificates::Ending::<Runtime>::get(day, index));
	let others: Vec<_> = indexed.filter(|id| !listing.items.contains(id)).collect();
	listing.list_keys.extend(others.into_iter().map(storage_keys::certificate));
	listing.map(certificate)
}

/// See [`DpkiApi`](super::DpkiApi).
pub fn accredited(office: Office, start: u32) -> Listing<(AccountId, Located<Accreditation>)> {
	let entry = |index| storage_keys::accredited(office, index);
	let (page, count) =
		(Certificates::accredited(office, start), storage_keys::accredited_count(office));
	Listing::counted(page, start, count, entry).map(|(account, accreditation)| {
		let storage_key = storage_keys::accreditation(office, account.as_ref());
		(account, Located { record: Some(accreditation), storage_key })
	})
}

/// See [`DpkiApi`](super::DpkiApi).
pub fn pending_observations(observer: AccountId, start: u32) -> Listing<ApplicationId> {
	let own = storage_keys::accreditation(Office::Observer, observer.as_ref());
	open(Certificates::pending_observations(observer, start), start, own, |id, _| {
		Vec::from([storage_keys::application_votes(id)])
	})
}

/// See [`DpkiApi`](super::DpkiApi).
pub fn pending_reveals(observer: AccountId, start: u32) -> Listing<ApplicationId> {
	let own = storage_keys::accreditation(Office::Observer, observer.as_ref());
	open(Certificates::pending_reveals(observer, start), start, own, |id, _| {
		Vec::from([storage_keys::application_votes(id)])
	})
}

/// See [`DpkiApi`](super::DpkiApi).
pub fn pending_endorsements(endorser: AccountId, start: u32) -> Listing<CertificateId> {
	let own = storage_keys::accreditation(Office::Endorser, endorser.as_ref());
	let bond = [storage_keys::bond(endorser.as_ref()), storage_keys::minimum_bond()];
	let page = Certificates::pending_endorsements(endorser, start);
	let mut listing = open(page, start, own, |id, record| {
		Vec::from([storage_keys::certificate(record.certificate(id)), storage_keys::escrow(id)])
	});
	listing.list_keys.extend(bond);
	listing
}

/// A page of the open applications, of which the accreditation of whoever asks, and what belongs to each of them, decides
/// which are work for them.
fn open<Item>(
	page: Page<Item>,
	start: u32,
	accreditation: Vec<u8>,
	belonging: impl Fn(ApplicationId, &ApplicationRecord) -> Vec<Vec<u8>>,
) -> Listing<Item> {
	let count = storage_keys::open_application_count();
	let mut listing = Listing::counted(page, start, count, storage_keys::open_application);
	listing.list_keys.push(accreditation);
	for position in start..listing.next.unwrap_or(listing.total) {
		let found = pallet_certificates::OpenApplications::<Runtime>::get(position);
		let Some(id) = found else { continue };
		listing.list_keys.push(storage_keys::application(id));
		if let Some(record) = Certificates::application(id) {
			listing.list_keys.extend(belonging(id, &record));
		}
	}
	listing
}
