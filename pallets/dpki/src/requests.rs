//! The queue of registrars: keys that somebody asks for, and a registrar approves.
//!
//! An account asks, and pays for it; what it can take up is a few places in the queue of an organisation that has opened
//! one. Possession is proven when the request is made, for the account that makes it, so nobody makes it in another name.
//! What the registrar approves is the id of the request, which covers all that follows from it: a request that somebody
//! else slips in for the same device has another id.

use crate::{
	Config, DeviceKeys, Devices, Error, Event, KeyPolicies, Pallet, Registrants, RequestQueues,
	Requests, crypto,
};
use alloc::vec::Vec;
use dpki_primitives::{
	Moment,
	context::Registrant,
	device::{MAX_KEYS_PER_DEVICE, MAX_KEYS_PER_ENROLMENT},
	economy::{Operation, Resource},
	ids::{DeviceId, KeyId, Name, OrganisationId, RequestId, is_valid_name},
	key::{Consent, KeyTerms, NewKey},
	organisation::{Organisations, Role},
	request::{
		KeyRequest, MAX_REQUESTS_PER_ACCOUNT, MAX_REQUESTS_PER_ORGANISATION, QueuedRequest,
		REQUEST_LIFETIME, Rejection,
	},
};
use frame_support::{BoundedVec, ensure, pallet_prelude::ConstU32};
use sp_runtime::DispatchResult;

impl<T: Config> Pallet<T> {
	/// Puts keys into the queue of the organisation: the first ones of a device that it does not have yet, or a further
	/// one of a device that consents.
	pub(crate) fn do_request_keys(
		account: T::AccountId,
		organisation: OrganisationId,
		device_name: Name,
		keys: BoundedVec<NewKey, ConstU32<MAX_KEYS_PER_ENROLMENT>>,
		consent: Option<Consent>,
		expires_at: Moment,
	) -> DispatchResult {
		ensure!(T::Organisations::exists(organisation), Error::<T>::OrganisationUnknown);
		ensure!(KeyPolicies::<T>::get(organisation).requests, Error::<T>::RequestsClosed);
		ensure!(is_valid_name(&device_name), Error::<T>::DeviceNameInvalid);
		let now = Self::now();
		Self::ensure_unexpired(expires_at, now)?;

		let requester = account.into();
		let device = DeviceId::from_name(organisation, &device_name);
		let consenting = consent.as_ref().map(|consent| consent.key);
		Self::judge_requested(organisation, device, requester, &keys, consent, expires_at, now)?;
		let terms = keys.into_iter().map(NewKey::into_terms).collect();
		let request = KeyRequest {
			requester,
			organisation,
			device_name,
			keys: BoundedVec::truncate_from(terms),
			consenting,
			expires_at: now.saturating_add(REQUEST_LIFETIME),
		};
		let id = request.id();
		Self::enqueue(id, &request, now)?;
		Requests::<T>::insert(id, request);
		Self::deposit_event(Event::KeysRequested { request: id, organisation, device, requester });
		Ok(())
	}

	/// That the keys may be registered, belong to those who ask, and are wanted by the device if there is one.
	fn judge_requested(
		organisation: OrganisationId,
		device: DeviceId,
		requester: [u8; 32],
		keys: &[NewKey],
		consent: Option<Consent>,
		expires_at: Moment,
		now: Moment,
	) -> Result<(), Error<T>> {
		let registrant = Registrant::Account(requester);
		match (Devices::<T>::contains_key(device), consent, keys) {
			(false, None, keys) => {
				Self::judge_first_keys(organisation, device, keys, now)?;
				let claims = Self::first_claims(registrant, device, keys, expires_at);
				crypto::verify_all(&claims).map_err(|_| Error::<T>::PossessionInvalid)
			},
			(true, Some(consent), [key]) => {
				let admission =
					Self::judge_admission(registrant, device, None, key, consent.key, expires_at)?;
				Self::verify_admission(&admission, key, &consent.signature)
			},
			_ => Err(Error::<T>::RequestUnfit),
		}
	}

	/// Gives the request a place in the queue. If there is none, the oldest request loses its own if it has expired.
	fn enqueue(id: RequestId, request: &KeyRequest, now: Moment) -> Result<(), Error<T>> {
		let KeyRequest { requester, organisation, expires_at, .. } = *request;
		RequestQueues::<T>::try_mutate(organisation, |queue| {
			if let Some(position) = queue.iter().position(|it| it.id == id) {
				ensure!(queue[position].expires_at < now, Error::<T>::RequestExists);
				queue.remove(position);
			}
			let is_own = |it: &&QueuedRequest| it.requester == requester && it.expires_at >= now;
			ensure!(
				queue.iter().filter(is_own).count() < MAX_REQUESTS_PER_ACCOUNT as usize,
				Error::<T>::RequestsTooMany
			);
			if queue.len() >= MAX_REQUESTS_PER_ORGANISATION as usize
				&& queue.first().is_some_and(|oldest| oldest.expires_at < now)
			{
				let request = queue.remove(0).id;
				Requests::<T>::remove(request);
				Self::deposit_event(Event::RequestExpired { request, organisation });
			}
			let place = QueuedRequest { id, requester, expires_at };
			queue.try_push(place).map_err(|_| Error::<T>::RequestQueueFull)
		})
	}

	/// Registers what was requested.
	pub(crate) fn do_approve_request(account: T::AccountId, id: RequestId) -> DispatchResult {
		let request = Requests::<T>::get(id).ok_or(Error::<T>::RequestUnknown)?;
		let organisation = request.organisation;
		Self::ensure_role(organisation, &account, Role::Registrar)?;
		let now = Self::now();
		ensure!(request.expires_at >= now, Error::<T>::RequestExpired);
		let device = request.device();
		Self::dequeue(organisation, id);
		Self::deposit_event(Event::RequestApproved { request: id, organisation, device });
		let keys: Vec<_> =
			request.keys.iter().map(|key| KeyId::of_device(device, &key.public)).collect();
		let count = keys.len() as u32;
		match request.consenting {
			None => {
				Self::register_requested(device, request, now)?;
				Self::pay_for_all(
					&account,
					Operation::RegisterKey,
					count,
					[Resource::Device(device)],
				)
			},
			Some(consenting) => {
				Self::admit_requested(device, request, consenting, now)?;
				let keys = keys.into_iter().map(Resource::Key);
				Self::pay_for_all(&account, Operation::RegisterKey, count, keys)
			},
		}
	}

	/// Registers a device with the keys that were requested for it. What the state said when they were requested may
	/// hold no longer.
	fn register_requested(
		device: DeviceId,
		request: KeyRequest,
		now: Moment,
	) -> Result<(), Error<T>> {
		let KeyRequest { organisation, device_name, keys, .. } = request;
		ensure!(!Devices::<T>::contains_key(device), Error::<T>::DeviceExists);
		Self::ensure_still_registrable(organisation, device, &keys, now)?;
		Registrants::<T>::insert(organisation, ());
		Self::deposit_event(Event::DeviceRegistered { device, organisation });
		Self::create_device(device, organisation, device_name, keys, now)
	}

	/// Registers the key that was requested for a device, if the key by which the device agreed may still speak for it.
	fn admit_requested(
		device: DeviceId,
		request: KeyRequest,
		consenting: KeyId,
		now: Moment,
	) -> Result<(), Error<T>> {
		let mut record = Devices::<T>::get(device).ok_or(Error::<T>::DeviceUnknown)?;
		Self::ensure_unwithdrawn(&record)?;
		Self::ensure_still_registrable(request.organisation, device, &request.keys, now)?;
		Self::speaking_key(device, consenting, &record, now)?;
		let mut list = DeviceKeys::<T>::get(device);
		for key in request.keys {
			Self::make_room(&mut list, MAX_KEYS_PER_DEVICE as usize, now)?;
			Self::add_key(device, &mut record, &mut list, key, now)?;
		}
		DeviceKeys::<T>::insert(device, list);
		Devices::<T>::insert(device, record);
		Ok(())
	}

	fn ensure_still_registrable(
		organisation: OrganisationId,
		device: DeviceId,
		keys: &[KeyTerms],
		now: Moment,
	) -> Result<(), Error<T>> {
		let policy = KeyPolicies::<T>::get(organisation);
		keys.iter()
			.try_for_each(|key| Self::ensure_registrable(device, key, &policy, now))
	}

	/// Takes a request out of the queue: a registrar at any time, with a reason; anybody once it has expired.
	pub(crate) fn do_reject_request(
		account: T::AccountId,
		id: RequestId,
		reason: Rejection,
	) -> DispatchResult {
		let request = Requests::<T>::get(id).ok_or(Error::<T>::RequestUnknown)?;
		let organisation = request.organisation;
		if request.expires_at >= Self::now() {
			Self::ensure_role(organisation, &account, Role::Registrar)?;
		}
		Self::dequeue(organisation, id);
		Self::deposit_event(Event::RequestRejected { request: id, organisation, reason });
		Ok(())
	}

	fn dequeue(organisation: OrganisationId, id: RequestId) {
		Requests::<T>::remove(id);
		RequestQueues::<T>::mutate_exists(organisation, |queue| {
			let mut left = queue.take().unwrap_or_default();
			left.retain(|it| it.id != id);
			*queue = (!left.is_empty()).then_some(left);
		});
	}
}
