// SPDX-License-Identifier: Apache-2.0

//! Lists of [`dpki_runtime::dpki_api::DpkiApi`]: paged, and proven by the storage that each page names; and the view
//! functions of the pallets.

use crate::common::{account, chain, origin};
use codec::{Decode, Encode};
use dpki_primitives::{
	Moment,
	anchor::{AnchorKind, AnchorRecord, Certification},
	certificate::{MAX_PAGE, Office, day_of},
	device::DeviceRecord,
	filing::{Filing, FilingKind, FilingStanding},
	fleet::FleetRecord,
	ids::{
		AnchorId, ApplicationId, CertificateId, DeviceId, FleetId, KeyId, Name, OrganisationId,
		RequestId,
	},
	key::{KeyPurpose, KeyRecord, KeyType, PublicKey},
	organisation::{OrganisationKind, RoleSet},
	request::{KeyRequest, QueuedRequest},
	revocation::{Revocation, RevocationReason},
	status::{Status, Validity},
	storage_keys,
};
use dpki_runtime::{
	Organisations, Runtime,
	dpki_api::{lists::Listing, runtime_decl_for_dpki_api::DpkiApiV1},
	genesis_config_presets::LOCAL_PRESET,
};
use frame_support::{
	assert_ok,
	view_functions::{ViewFunction, ViewFunctionDispatchError, ViewFunctionId},
};
use pallet_dpki::{
	Anchors, ChildCount, Children, DeviceCount, DeviceKeys, Devices, Keys, OrganisationAnchors,
	OrganisationDevices,
};
use pallet_fleets::{FleetCount, Fleets, OrganisationFleets};
use sp_keyring::Sr25519Keyring::{Alice, Bob};

const NOW: Moment = 1_800_000_000_000;

fn acme() -> OrganisationId {
	OrganisationId::from_name(b"acme")
}

fn stored<T: Decode>(key: &[u8]) -> Option<T> {
	sp_io::storage::get(key).map(|bytes| T::decode(&mut &bytes[..]).expect("it is of this type"))
}

fn anchor(n: u32) -> AnchorId {
	AnchorId::of(AnchorKind::X509Intermediate, &n.encode())
}

fn put_anchor(n: u32, issuer: Option<AnchorId>, not_after: Option<Moment>) -> AnchorId {
	let id = anchor(n);
	let (kind, validity) = (AnchorKind::X509Intermediate, Validity { not_before: 0, not_after });
	let record = AnchorRecord {
		certification: Some(Certification { issuer, ..Default::default() }),
		..AnchorRecord::new(acme(), kind, None, KeyId(id.0), validity, 0)
	};
	Anchors::<Runtime>::insert(id, record);
	if let Some(issuer) = issuer {
		let index = ChildCount::<Runtime>::get(issuer);
		Children::<Runtime>::insert(issuer, index, id);
		ChildCount::<Runtime>::insert(issuer, index + 1);
	}
	id
}

/// What whoever believes nothing but storage reads as a list with a length.
fn proven<Id: Decode>(listing: &Listing<impl Sized>, start: u32) -> (u32, Vec<Id>) {
	let (count, entries) = listing.list_keys.split_first().expect("there is the length");
	let count: u32 = stored(count).unwrap_or_default();
	let here = listing.next.unwrap_or(count) - start;
	let entries = entries.iter().take(here as usize);
	(count, entries.map(|key| stored(key).expect("a list has no gaps")).collect())
}

#[test]
fn what_an_anchor_has_issued_is_told_in_pages_that_can_be_proven() {
	chain(LOCAL_PRESET).execute_with(|| {
		let root = put_anchor(0, None, None);
		let none = Runtime::children_of(root, 0);
		assert_eq!((none.total, none.next, none.items.len()), (0, None, 0));
		assert_eq!(none.list_keys, [storage_keys::anchor_child_count(root)]);
		assert_eq!(sp_io::storage::get(&none.list_keys[0]), None);

		let children: Vec<_> =
			(1..=MAX_PAGE + 2).map(|n| put_anchor(n, Some(root), None)).collect();
		let revocation = Revocation { reason: RevocationReason::Superseded, at: 0 };
		Anchors::<Runtime>::mutate(children[1], |record| {
			record.as_mut().unwrap().revocation = Some(revocation);
		});

		let first = Runtime::children_of(root, 0);
		let second = Runtime::children_of(root, MAX_PAGE);
		assert_eq!((first.total, first.next), (MAX_PAGE + 2, Some(MAX_PAGE)));
		assert_eq!((second.total, second.next), (MAX_PAGE + 2, None));
		let (count, mut entries) = proven::<AnchorId>(&first, 0);
		entries.extend(proven::<AnchorId>(&second, MAX_PAGE).1);
		assert_eq!((count, &entries), (MAX_PAGE + 2, &children));
		let told = first.items.iter().chain(&second.items);
		for ((id, verdict), expected) in told.zip(&children) {
			assert_eq!(id, expected);
			let status =
				if *id == children[1] { Status::Revoked(revocation) } else { Status::Valid };
			assert_eq!(verdict.status, status);
			assert_eq!(stored(&verdict.storage_key), verdict.record);
		}
		assert!(Runtime::children_of(root, 1_000).items.is_empty());
		assert!(Runtime::children_of(children[0], 0).items.is_empty());
	});
}

#[test]
fn what_devices_ask_an_organisation_for_is_told_in_pages_that_can_be_proven() {
	chain(LOCAL_PRESET).execute_with(|| {
		let count = MAX_PAGE + 1;
		let place = |n: u32| (DeviceId(anchor(n).0), (n % 4) as u8);
		for position in 0..count {
			let (device, slot) = place(position);
			let kind = FilingKind::SshHost;
			let filing = Filing {
				organisation: acme(),
				content: kind.content(b"names"),
				kind,
				number: 0,
				key: KeyId([1; 32]),
				filed_at: NOW,
				expires_at: NOW,
				standing: FilingStanding::Waiting { position },
			};
			pallet_requests::Filings::<Runtime>::insert(device, slot, filing);
			pallet_requests::Waiting::<Runtime>::insert(acme(), position, (device, slot));
		}
		pallet_requests::WaitingCount::<Runtime>::insert(acme(), count);
		let (first, second) =
			(Runtime::filings_for(acme(), 0), Runtime::filings_for(acme(), MAX_PAGE));
		assert_eq!((first.total, first.next), (count, Some(MAX_PAGE)));
		assert_eq!((second.total, second.next), (count, None));
		let (told, mut entries) = proven::<(DeviceId, u8)>(&first, 0);
		entries.extend(proven::<(DeviceId, u8)>(&second, MAX_PAGE).1);
		assert_eq!((told, entries), (count, (0..count).map(place).collect::<Vec<_>>()));
		for ((device, slot), filing) in first.items.iter().chain(&second.items) {
			assert_eq!(stored(&filing.storage_key), filing.record);
			assert_eq!(Runtime::filing(*device, *slot), *filing);
		}
		assert_eq!(Runtime::filings_for(OrganisationId([9; 32]), 0).total, 0);
	});
}

#[test]
fn anchors_that_end_soon_are_those_between_now_and_then() {
	chain(LOCAL_PRESET).execute_with(|| {
		pallet_timestamp::Now::<Runtime>::put(NOW);
		let ends = [Some(NOW - 1), Some(NOW), Some(NOW + 10), Some(NOW + 11), None, None];
		let ids: Vec<_> = (0..).zip(ends).map(|(n, end)| put_anchor(n, None, end)).collect();
		// A planned rollover is an end too.
		Anchors::<Runtime>::mutate(ids[5], |record| {
			record.as_mut().unwrap().retired_at = Some(NOW + 5);
		});
		for id in &ids {
			OrganisationAnchors::<Runtime>::mutate(acme(), |list| list.try_push(*id).unwrap());
		}
		let listing = Runtime::anchors_ending(acme(), NOW + 10);
		let told: Vec<_> = listing.items.iter().map(|(id, _)| *id).collect();
		assert_eq!(told, [ids[1], ids[2], ids[5]]);
		assert_eq!((listing.total, listing.next), (6, None));
		assert_eq!(stored::<Vec<AnchorId>>(&listing.list_keys[0]), Some(ids));
	});
}

#[test]
fn keys_that_end_soon_are_those_between_now_and_then() {
	chain(LOCAL_PRESET).execute_with(|| {
		pallet_timestamp::Now::<Runtime>::put(NOW);
		let name: Name = b"drone-1".to_vec().try_into().unwrap();
		let device = DeviceId::from_name(acme(), &name);
		let record = DeviceRecord {
			organisation: acme(),
			name,
			enrolled_at: 0,
			keys_registered: 3,
			withdrawal: Default::default(),
		};
		Devices::<Runtime>::insert(device, record);
		let mut ids = Vec::new();
		let ends = [(Some(NOW + 1), None), (Some(NOW + 99), Some(NOW + 2)), (None, None)];
		for (n, (not_after, superseded_at)) in (1..).zip(ends) {
			let public = PublicKey::new(KeyType::Ed25519, &[n; 32]).unwrap();
			let id = KeyId::of(&public);
			let record = KeyRecord {
				device,
				public,
				purpose: KeyPurpose::Tls,
				validity: Validity { not_before: 0, not_after },
				registered_at: 0,
				superseded_at,
				withdrawal: Default::default(),
			};
			Keys::<Runtime>::insert(id, record);
			DeviceKeys::<Runtime>::mutate(device, |list| list.try_push(id).unwrap());
			ids.push(id);
		}
		let listing = Runtime::keys_ending(device, NOW + 2);
		let told: Vec<_> = listing.items.iter().map(|(id, _)| *id).collect();
		assert_eq!((listing.total, &told[..]), (3, &ids[..2]));
		assert_eq!(listing.list_keys, [storage_keys::device_keys(device)]);
		assert_eq!(Runtime::keys_of(device).items.len(), 3);
	});
}

#[test]
fn the_devices_of_an_organisation_are_told_in_pages_that_can_be_proven() {
	chain(LOCAL_PRESET).execute_with(|| {
		let none = Runtime::devices_of(acme(), 0);
		assert_eq!((none.total, none.next, none.items.len()), (0, None, 0));
		assert_eq!(none.list_keys, [storage_keys::organisation_device_count(acme())]);

		let revocation = Revocation { reason: RevocationReason::Superseded, at: 0 };
		let put = |n: u32| {
			let name: Name = format!("drone-{n}").into_bytes().try_into().unwrap();
			let device = DeviceId::from_name(acme(), &name);
			let record = DeviceRecord {
				organisation: acme(),
				name,
				enrolled_at: 0,
				keys_registered: 0,
				withdrawal: (n == 1).then_some(revocation).into(),
			};
			Devices::<Runtime>::insert(device, record);
			OrganisationDevices::<Runtime>::insert(acme(), n, device);
			DeviceCount::<Runtime>::insert(acme(), n + 1);
			device
		};
		let devices: Vec<_> = (0..MAX_PAGE + 2).map(put).collect();
		let first = Runtime::devices_of(acme(), 0);
		let second = Runtime::devices_of(acme(), MAX_PAGE);
		assert_eq!((first.total, first.next), (MAX_PAGE + 2, Some(MAX_PAGE)));
		assert_eq!((second.total, second.next), (MAX_PAGE + 2, None));
		let (count, mut entries) = proven::<DeviceId>(&first, 0);
		entries.extend(proven::<DeviceId>(&second, MAX_PAGE).1);
		assert_eq!((count, &entries), (MAX_PAGE + 2, &devices));
		for (id, verdict) in first.items.iter().chain(&second.items) {
			let is_revoked = *id == devices[1];
			assert_eq!(verdict.status == Status::Revoked(revocation), is_revoked);
			assert_eq!(stored(&verdict.storage_key), verdict.record);
		}
		assert!(Runtime::devices_of(OrganisationId([9; 32]), 0).items.is_empty());
	});
}

#[test]
fn the_fleets_of_an_organisation_are_told_in_pages_that_can_be_proven() {
	chain(LOCAL_PRESET).execute_with(|| {
		let none = Runtime::fleets_of(acme(), 0);
		assert_eq!((none.total, none.next, none.items.len()), (0, None, 0));
		assert_eq!(none.list_keys, [storage_keys::organisation_fleet_count(acme())]);

		let put = |n: u32| {
			let name: Name = format!("fleet-{n}").into_bytes().try_into().unwrap();
			let fleet = FleetId::from_name(acme(), &name);
			let record = FleetRecord {
				organisation: acme(),
				name,
				committed_at: 0,
				revisions: 1,
				current: None,
				previous: None,
				candidate: None,
				retired_at: None,
				revocation: None,
			};
			Fleets::<Runtime>::insert(fleet, record);
			OrganisationFleets::<Runtime>::insert(acme(), n, fleet);
			FleetCount::<Runtime>::insert(acme(), n + 1);
			fleet
		};
		let fleets: Vec<_> = (0..MAX_PAGE + 2).map(put).collect();
		let first = Runtime::fleets_of(acme(), 0);
		let second = Runtime::fleets_of(acme(), MAX_PAGE);
		assert_eq!((first.total, first.next), (MAX_PAGE + 2, Some(MAX_PAGE)));
		let (count, mut entries) = proven::<FleetId>(&first, 0);
		entries.extend(proven::<FleetId>(&second, MAX_PAGE).1);
		assert_eq!((count, &entries), (MAX_PAGE + 2, &fleets));
		for (_, verdict) in &first.items {
			assert_eq!(verdict.status, Status::Unknown, "no commitment counts");
			assert_eq!(stored(&verdict.storage_key), verdict.record);
		}
		assert!(Runtime::fleets_of(OrganisationId([9; 32]), 0).items.is_empty());
	});
}

#[test]
fn requests_are_told_with_the_queue_that_they_wait_in() {
	chain(LOCAL_PRESET).execute_with(|| {
		let request = KeyRequest {
			requester: [1; 32],
			organisation: acme(),
			device_name: b"drone-1".to_vec().try_into().unwrap(),
			keys: Default::default(),
			consenting: None,
			expires_at: NOW,
		};
		let id = request.id();
		let place = QueuedRequest { id, requester: [1; 32], expires_at: NOW };
		pallet_dpki::Requests::<Runtime>::insert(id, request.clone());
		pallet_dpki::RequestQueues::<Runtime>::mutate(acme(), |it| it.try_push(place).unwrap());
		let listing = Runtime::requests_to(acme());
		let [(told, located)] = <[_; 1]>::try_from(listing.items).unwrap();
		assert_eq!((told, located.record.clone()), (id, Some(request)));
		assert_eq!(stored(&located.storage_key), located.record);
		assert_eq!(stored::<Vec<QueuedRequest>>(&listing.list_keys[0]), Some(vec![place]));
	});
}

#[test]
fn a_list_of_work_names_all_that_decides_what_is_work() {
	chain(LOCAL_PRESET).execute_with(|| {
		let (open, observer) = (ApplicationId([3; 32]), account(Bob));
		pallet_certificates::OpenCount::<Runtime>::put(1);
		pallet_certificates::OpenApplications::<Runtime>::insert(0, open);
		let listing = Runtime::pending_observations(observer.clone(), 0);
		assert_eq!((listing.total, listing.items.len()), (1, 0));
		let (count, entries) = proven::<ApplicationId>(&listing, 0);
		assert_eq!((count, entries), (1, vec![open]));
		let accreditation = storage_keys::accreditation(Office::Observer, observer.as_ref());
		assert!(listing.list_keys.contains(&accreditation));
		assert!(listing.list_keys.contains(&storage_keys::application(open)));
		// An endorser has work only if it has bonded enough.
		let listing = Runtime::pending_endorsements(observer.clone(), 0);
		for key in [storage_keys::bond(observer.as_ref()), storage_keys::minimum_bond()] {
			assert!(listing.list_keys.contains(&key));
		}
	});
}

#[test]
fn an_entry_of_the_index_by_end_that_is_told_no_more_can_be_looked_up() {
	chain(LOCAL_PRESET).execute_with(|| {
		let (day, gone) = (day_of(NOW), CertificateId([4; 32]));
		pallet_certificates::EndingCount::<Runtime>::insert(day, 1);
		pallet_certificates::Ending::<Runtime>::insert(day, 0, gone);
		let listing = Runtime::certificates_ending_on(day, 0);
		assert!(listing.items.is_empty());
		assert_eq!(proven::<CertificateId>(&listing, 0), (1, vec![gone]));
		assert!(listing.list_keys.contains(&storage_keys::certificate(gone)));
	});
}

/// Asks the runtime by the id of a view function, as clients do.
fn view<F: ViewFunction>(id: ViewFunctionId, input: impl Encode) -> F::ReturnType
where
	F::ReturnType: Decode,
{
	let output = Runtime::execute_view_function(id, input.encode())
		.unwrap_or_else(|error| panic!("it is a view function: {error:?}"));
	F::ReturnType::decode(&mut &output[..]).expect("it is of this type")
}

/// The same, by its type.
macro_rules! ask {
	($function:ty, $input:expr) => {
		view::<$function>(<$function>::id(), $input)
	};
}

#[test]
fn view_functions_answer_what_the_runtime_api_does() {
	use pallet_certificates::pallet as certificates;
	use pallet_dpki::pallet as dpki;
	use pallet_organisations::pallet as organisations;

	chain(LOCAL_PRESET).execute_with(|| {
		let name = b"acme".to_vec().try_into().unwrap();
		assert_ok!(Organisations::create(origin(Alice), name, OrganisationKind::Manufacturer));
		let record = ask!(organisations::OrganisationViewFunction<Runtime>, acme());
		assert_eq!(record, Runtime::organisation(acme()).organisation.record);
		let roles = ask!(organisations::RolesViewFunction<Runtime>, (acme(), account(Alice)));
		assert_eq!(roles, Some(RoleSet::ALL));

		let root = put_anchor(0, None, None);
		let child = put_anchor(1, Some(root), None);
		assert_eq!(ask!(dpki::AnchorViewFunction<Runtime>, root), Runtime::anchor(root).record);
		assert_eq!(ask!(dpki::AnchorStatusViewFunction<Runtime>, child), Status::Valid);
		let page = ask!(dpki::ChildrenOfViewFunction<Runtime>, (root, 0u32));
		assert_eq!((page.total, page.items), (1, vec![child]));
		assert_eq!(ask!(dpki::KeyStatusViewFunction<Runtime>, KeyId([1; 32])), Status::Unknown);
		assert_eq!(ask!(dpki::RequestViewFunction<Runtime>, RequestId([1; 32])), None);

		let unknown = CertificateId([1; 32]);
		let status = ask!(certificates::StatusViewFunction<Runtime>, unknown);
		assert_eq!(status, Status::Unknown);
		assert_eq!(ask!(certificates::EffectiveLevelViewFunction<Runtime>, unknown), None);
		let work =
			ask!(certificates::PendingEndorsementsViewFunction<Runtime>, (account(Bob), 0u32));
		assert_eq!((work.total, work.items), (0, vec![]));
	});
}

#[test]
fn what_is_no_view_function_or_no_input_of_it_is_refused() {
	chain(LOCAL_PRESET).execute_with(|| {
		let id = pallet_dpki::pallet::AnchorViewFunction::<Runtime>::id();
		let short = Runtime::execute_view_function(id.clone(), vec![1, 2, 3]);
		assert!(matches!(short, Err(ViewFunctionDispatchError::Codec)));
		let other = ViewFunctionId { suffix: [0; 16], ..id };
		let none = Runtime::execute_view_function(other, vec![]);
		assert!(matches!(none, Err(ViewFunctionDispatchError::NotFound(_))));
	});
}
