//! The queue of registrars.

use super::{kit::*, mock::*};
use crate::{Error, Event, RequestQueues, Requests};
use dpki_primitives::{
	context::Registrant,
	device::MAX_KEYS_PER_DEVICE,
	ids::{DeviceId, RequestId},
	key::{Consent, KeyPurpose, KeyPurpose::*, KeyType, NewKey},
	key_policy::{KeyPolicy, KeyTypeSet},
	organisation::Belongings,
	request::{
		MAX_REQUESTS_PER_ACCOUNT, MAX_REQUESTS_PER_ORGANISATION, REQUEST_LIFETIME, Rejection,
	},
	status::Status,
};
use frame_support::{assert_noop, assert_ok, storage};
use sp_runtime::{AccountId32, DispatchResult};

/// Has no role anywhere.
const DAVE: AccountId32 = AccountId32::new([4; 32]);

pub(super) fn open() {
	set_policy(KeyPolicy { requests: true, ..Default::default() });
}

pub(super) fn device(name: &str) -> DeviceId {
	DeviceId::from_name(acme(), name.as_bytes())
}

fn proven(who: &AccountId32, name: &str, keys: &[(KeyPurpose, Pair)]) -> Vec<NewKey> {
	let registrant = Registrant::Account(who.clone().into());
	let device = device(name);
	(0..)
		.zip(keys)
		.map(|(nonce, (purpose, pair))| {
			let mut context = possession(registrant, device, *purpose, pair, nonce);
			context.expires_at = expires();
			new_key(*purpose, pair, pair.sign(&context.payload()))
		})
		.collect()
}

fn send(
	who: &AccountId32,
	device: &str,
	keys: Vec<NewKey>,
	consent: Option<Consent>,
) -> DispatchResult {
	let keys = keys.try_into().unwrap();
	Dpki::request_keys(signed(who.clone()), acme(), name(device), keys, consent, expires())
}

/// The request of an account for a new device with this signing key.
pub(super) fn request(who: &AccountId32, name: &str, pair: &Pair) -> DispatchResult {
	send(who, name, proven(who, name, &[(Sign, pair.clone())]), None)
}

/// Has an account request one more key of a device, with the consent of the key that is named last.
pub(super) fn request_further(
	who: &AccountId32,
	device: DeviceId,
	name: &str,
	pair: &Pair,
	signer: &Pair,
) {
	let registrant = Registrant::Account(who.clone().into());
	let (key, consent) = Wish { registrant, ..Wish::own(device, Tls, pair, signer) }.sign();
	assert_ok!(send(who, name, vec![key], Some(consent)));
}

/// The newest request of all.
pub(super) fn newest() -> RequestId {
	Dpki::requests_to(acme()).last().unwrap().id
}

#[test]
fn a_registrar_approves_what_somebody_requests() {
	run(|| {
		open();
		let keys = [(Sign, Pair::ed25519(1)), (Tls, Pair::new(KeyType::P256, 2))];
		assert_ok!(send(&DAVE, "drone-1", proven(&DAVE, "drone-1", &keys), None));
		let request = newest();
		let (organisation, device) = (acme(), device("drone-1"));
		let requester = DAVE.into();
		let event = Event::KeysRequested { request, organisation, device, requester };
		assert_eq!(last_event(), event.into());
		assert_eq!(Dpki::request(request).unwrap().id(), request);
		assert!(Dpki::device(device).is_none());

		assert_noop!(Dpki::approve_request(signed(CAROL), request), Error::<Test>::RoleMissing);
		assert_ok!(Dpki::approve_request(signed(BOB), request));
		assert_eq!(Dpki::device_status(device), Status::Valid);
		assert_eq!(Dpki::keys_of(device).len(), 2);
		assert_eq!(Dpki::key_status(Pair::ed25519(1).id()), Status::Valid);
		assert_noop!(Dpki::approve_request(signed(BOB), request), Error::<Test>::RequestUnknown);
		assert_eq!(Requests::<Test>::iter().count(), 0);
		assert_eq!(RequestQueues::<Test>::iter().count(), 0);
	});
}

/// Pitfall 12 of the sources: the token of a request was seen in the pool, and an attacker's key put in its place.
#[test]
fn what_is_approved_is_the_request_and_not_what_somebody_slips_in() {
	run(|| {
		open();
		let (honest, forged) = (Pair::ed25519(1), Pair::ed25519(66));
		assert_ok!(request(&DAVE, "drone-1", &honest));
		let approved = newest();
		assert_ok!(request(&MALLORY, "drone-1", &forged));
		assert_ne!(newest(), approved);
		assert_ok!(Dpki::approve_request(signed(BOB), approved));
		assert_eq!(Dpki::key_status(honest.id()), Status::Valid);
		assert_eq!(Dpki::key_status(forged.id()), Status::Unknown);
		assert_noop!(Dpki::approve_request(signed(BOB), newest()), Error::<Test>::DeviceExists);
	});
}

#[test]
fn nobody_requests_with_the_proofs_of_another() {
	run(|| {
		open();
		let keys = proven(&DAVE, "drone-1", &[(Sign, Pair::ed25519(1))]);
		assert_noop!(
			send(&MALLORY, "drone-1", keys.clone(), None),
			Error::<Test>::PossessionInvalid
		);
		assert_noop!(send(&DAVE, "drone-2", keys.clone(), None), Error::<Test>::PossessionInvalid);
		assert_ok!(send(&DAVE, "drone-1", keys, None));
	});
}

#[test]
fn an_organisation_has_to_open_its_queue() {
	run(|| {
		assert_noop!(request(&DAVE, "drone-1", &Pair::ed25519(1)), Error::<Test>::RequestsClosed);
		let keys = proven(&DAVE, "drone-1", &[(Sign, Pair::ed25519(1))]).try_into().unwrap();
		let nobody = dpki_primitives::ids::OrganisationId([9; 32]);
		assert_noop!(
			Dpki::request_keys(signed(DAVE), nobody, name("drone-1"), keys, None, expires()),
			Error::<Test>::OrganisationUnknown
		);
	});
}

#[test]
fn a_request_that_could_not_be_carried_out_is_refused() {
	run(|| {
		open();
		let key = Pair::ed25519(1);
		let refused = |name: &str, keys: &[(KeyPurpose, Pair)], consent| {
			send(&DAVE, name, proven(&DAVE, name, keys), consent).unwrap_err()
		};
		let good = [(Sign, key.clone())];
		assert_eq!(refused("Drone", &good, None), Error::<Test>::DeviceNameInvalid.into());
		assert_eq!(refused("drone-1", &[], None), Error::<Test>::KeyListEmpty.into());
		let tls = [(Tls, key.clone())];
		assert_eq!(refused("drone-1", &tls, None), Error::<Test>::SigningKeyMissing.into());
		let consent = Consent { key: key.id(), signature: Default::default() };
		assert_eq!(refused("drone-1", &good, Some(consent)), Error::<Test>::RequestUnfit.into());
		enrol("drone-2", &[(Sign, Pair::ed25519(2))]);
		assert_eq!(refused("drone-2", &good, None), Error::<Test>::RequestUnfit.into());
		let keys = proven(&DAVE, "drone-1", &good).try_into().unwrap();
		assert_noop!(
			Dpki::request_keys(signed(DAVE), acme(), name("drone-1"), keys, None, NOW - 1),
			Error::<Test>::SignatureExpired
		);
	});
}

#[test]
fn a_further_key_is_requested_with_the_consent_of_the_device() {
	run(|| {
		open();
		let first = Pair::ed25519(1);
		let device = enrol("drone-1", &[(Sign, first.clone())]);
		let wish = Wish {
			registrant: Registrant::Account(DAVE.into()),
			..Wish::own(device, Tls, &Pair::ed25519(2), &first)
		};
		let (key, consent) = wish.sign();
		let forged = Consent { signature: key.possession.clone(), ..consent.clone() };
		assert_noop!(
			send(&DAVE, "drone-1", vec![key.clone()], Some(forged)),
			Error::<Test>::ConsentInvalid
		);
		assert_ok!(send(&DAVE, "drone-1", vec![key.clone()], Some(consent.clone())));
		assert_ok!(Dpki::approve_request(signed(BOB), newest()));
		assert_eq!(Dpki::key_status(Pair::ed25519(2).id()), Status::Valid);

		let wish = Wish { pair: Pair::ed25519(3), ..wish };
		let (key, consent) = wish.sign();
		assert_ok!(send(&DAVE, "drone-1", vec![key], Some(consent)));
		assert_ok!(Dpki::revoke_key(signed(BOB), first.id(), REASON));
		assert_noop!(Dpki::approve_request(signed(BOB), newest()), Error::<Test>::ConsentInvalid);
		assert_ok!(Dpki::revoke_device(signed(BOB), device, REASON));
		assert_noop!(Dpki::approve_request(signed(BOB), newest()), Error::<Test>::DeviceWasRevoked);
	});
}

#[test]
fn what_changed_since_the_request_is_judged_again() {
	run(|| {
		open();
		let pair = Pair::new(KeyType::P256, 1);
		assert_ok!(request(&DAVE, "drone-1", &pair));
		let first = newest();
		let key_types = KeyTypeSet::EMPTY.with(KeyType::Ed25519);
		set_policy(KeyPolicy { key_types, requests: true, ..Default::default() });
		assert_noop!(Dpki::approve_request(signed(BOB), first), Error::<Test>::KeyTypeNotAllowed);
		open();
		enrol("drone-2", &[(Sign, pair)]);
		assert_noop!(
			Dpki::approve_request(signed(BOB), first),
			Error::<Test>::KeyAlreadyRegistered
		);
	});
}

#[test]
fn a_list_that_has_been_filled_since_has_no_room_for_what_was_requested() {
	run(|| {
		open();
		let first = Pair::ed25519(1);
		let device = enrol("drone-1", &[(Sign, first.clone())]);
		request_further(&DAVE, device, "drone-1", &Pair::ed25519(2), &first);
		let last = Pair::ed25519(100);
		for n in 1..MAX_KEYS_PER_DEVICE as u8 {
			assert_ok!(Wish::own(device, Tls, &Pair::ed25519(99 + n), &first).by_bob().register());
		}
		assert_noop!(
			storage::with_storage_layer(|| Dpki::approve_request(signed(BOB), newest())),
			Error::<Test>::KeyListFull
		);
		assert_ok!(Dpki::revoke_key(signed(BOB), last.id(), REASON));
		assert_ok!(Dpki::approve_request(signed(BOB), newest()));
	});
}

#[test]
fn a_request_expires_and_anybody_clears_it_away() {
	run(|| {
		open();
		assert_ok!(request(&DAVE, "drone-1", &Pair::ed25519(1)));
		let id = newest();
		set_time(NOW + REQUEST_LIFETIME);
		assert_noop!(
			Dpki::reject_request(signed(MALLORY), id, Rejection::Unspecified),
			Error::<Test>::RoleMissing
		);
		set_time(NOW + REQUEST_LIFETIME + 1);
		assert_noop!(Dpki::approve_request(signed(BOB), id), Error::<Test>::RequestExpired);
		assert_ok!(request(&DAVE, "drone-1", &Pair::ed25519(1)));
		assert_eq!(newest(), id);
		assert_eq!(Dpki::requests_to(acme()).len(), 1);
		set_time(NOW + 2 * REQUEST_LIFETIME + 2);
		assert_ok!(Dpki::reject_request(signed(MALLORY), id, Rejection::Unspecified));
		assert_eq!(Requests::<Test>::iter().count(), 0);
	});
}

#[test]
fn a_registrar_rejects_a_request_with_a_reason() {
	run(|| {
		open();
		assert_ok!(request(&DAVE, "drone-1", &Pair::ed25519(1)));
		let (request, organisation, reason) = (newest(), acme(), Rejection::KeysDiffer);
		assert_ok!(Dpki::reject_request(signed(BOB), request, reason));
		assert_eq!(last_event(), Event::RequestRejected { request, organisation, reason }.into());
		assert_noop!(
			Dpki::reject_request(signed(BOB), request, reason),
			Error::<Test>::RequestUnknown
		);
	});
}

#[test]
fn the_queue_is_bounded_for_an_account_and_for_all() {
	run(|| {
		open();
		for n in 0..MAX_REQUESTS_PER_ACCOUNT as u8 {
			assert_ok!(request(&DAVE, &format!("drone-{n}"), &Pair::ed25519(10 + n)));
		}
		assert_noop!(request(&DAVE, "drone-9", &Pair::ed25519(9)), Error::<Test>::RequestsTooMany);
		assert_noop!(request(&DAVE, "drone-0", &Pair::ed25519(10)), Error::<Test>::RequestExists);
		for n in MAX_REQUESTS_PER_ACCOUNT..MAX_REQUESTS_PER_ORGANISATION {
			let who = AccountId32::new([100 + n as u8; 32]);
			assert_ok!(request(&who, &format!("drone-{n}"), &Pair::ed25519(10 + n as u8)));
		}
		assert_noop!(
			request(&MALLORY, "drone-99", &Pair::ed25519(99)),
			Error::<Test>::RequestQueueFull
		);
		set_time(NOW + REQUEST_LIFETIME + 1);
		let (oldest, organisation) = (Dpki::requests_to(acme())[0].id, acme());
		assert_ok!(request(&MALLORY, "drone-99", &Pair::ed25519(99)));
		assert_eq!(Dpki::request(oldest), None);
		System::assert_has_event(Event::RequestExpired { request: oldest, organisation }.into());
		assert_eq!(Dpki::requests_to(acme()).len() as u32, MAX_REQUESTS_PER_ORGANISATION);
	});
}

#[test]
fn an_organisation_with_a_request_is_not_empty() {
	run(|| {
		open();
		assert_ok!(request(&DAVE, "drone-1", &Pair::ed25519(1)));
		set_policy(KeyPolicy::default());
		assert!(!<Dpki as Belongings>::is_empty(acme()));
		assert_ok!(Dpki::reject_request(signed(BOB), newest(), Rejection::NotNeeded));
		assert!(<Dpki as Belongings>::is_empty(acme()));
	});
}
