//! Keys of devices: what a new key must be, what proves its possession, what shows that its device wants it, and its
//! registration, with or without another key that it takes the place of.

use crate::{
	Config, DeviceKeys, Devices, Error, Event, KeyAnchors, KeyPolicies, Keys, NextKeys, Pallet,
	RevokedAnchorKeys, crypto,
};
use dpki_primitives::{
	Moment,
	context::{Action, Registrant},
	device::{DeviceRecord, KeyList, MAX_GRACE, MAX_KEYS_PER_DEVICE},
	ids::{DeviceId, KeyCommitment, KeyId},
	key::{Consent, KeyPurpose, KeyRecord, KeyTerms, NewKey, PublicKey, Signature},
	key_policy::KeyPolicy,
	registry::CompromisedKeys,
	revocation::Withdrawal,
	status::Validity,
};
use frame_support::ensure;

/// How many places in its list a device can fill alone. The last one is kept free for an announced key, so that a thief of
/// a signing key cannot fill the list before it.
const PLACES_OF_DEVICE: usize = MAX_KEYS_PER_DEVICE as usize - 1;

/// The circumstances under which possession of a key is proven and a device consents to it.
#[derive(Clone, Copy)]
pub(crate) struct Occasion {
	/// Who registers.
	pub registrant: Registrant,
	/// For which device.
	pub device: DeviceId,
	/// How many keys were ever registered for the device.
	pub nonce: u64,
	/// Last moment at which the signatures are accepted.
	pub expires_at: Moment,
}

/// Which key a new one takes the place of, and for how many milliseconds that one is good yet.
#[derive(Clone, Copy)]
pub(crate) struct Replacing {
	pub old: KeyId,
	pub grace: Moment,
}

/// A further key of a device, of which everything but the signatures has been judged.
pub(crate) struct Admission {
	occasion: Occasion,
	/// The device as it is now.
	pub record: DeviceRecord,
	/// The keys of the device, with a place for the new one.
	list: KeyList,
	/// The key by which the device consents.
	signer: PublicKey,
	/// The key that is replaced, if one is.
	replaced: Option<(Replacing, KeyRecord)>,
	now: Moment,
}

impl<T: Config> Pallet<T> {
	/// Registers a key for a device on the authority of `account`, with the consent of the device, in the place of
	/// another one or beside those that it has.
	pub(crate) fn do_register_key(
		account: T::AccountId,
		device: DeviceId,
		replacing: Option<Replacing>,
		key: NewKey,
		consent: Consent,
		expires_at: Moment,
	) -> Result<(), Error<T>> {
		Self::managed_device(&account, device)?;
		let registrant = Registrant::Account(account.into());
		let admission =
			Self::judge_admission(registrant, device, replacing, &key, consent.key, expires_at)?;
		Self::verify_admission(&admission, &key, &consent.signature)?;
		Self::admit(admission, key.into_terms())
	}

	/// The device to which a key belongs that is to be replaced.
	pub(crate) fn device_of_replaced(old: KeyId) -> Result<DeviceId, Error<T>> {
		Keys::<T>::get(old).map(|record| record.device).ok_or(Error::<T>::KeyUnknown)
	}

	/// Everything about a further key that depends on the state or the time.
	pub(crate) fn judge_admission(
		registrant: Registrant,
		device: DeviceId,
		replacing: Option<Replacing>,
		key: &NewKey,
		consenting: KeyId,
		expires_at: Moment,
	) -> Result<Admission, Error<T>> {
		let record = Devices::<T>::get(device).ok_or(Error::<T>::DeviceUnknown)?;
		Self::ensure_unwithdrawn(&record)?;
		let now = Self::now();
		Self::ensure_unexpired(expires_at, now)?;
		let replaced = match replacing {
			Some(it) => Some((it, Self::replaceable(device, it, key, now)?)),
			None => None,
		};

		let mut list = DeviceKeys::<T>::get(device);
		let places = match registrant {
			Registrant::Device => list.len().max(PLACES_OF_DEVICE),
			Registrant::Account(_) | Registrant::Voucher(_) => MAX_KEYS_PER_DEVICE as usize,
		};
		if let Some(Replacing { old, grace: 0 }) = replacing {
			list.retain(|id| *id != old);
		}
		Self::make_room(&mut list, places, now)?;

		let policy = KeyPolicies::<T>::get(record.organisation);
		Self::ensure_registrable(device, &key.clone().into_terms(), &policy, now)?;
		let signer = Self::speaking_key(device, consenting, &record, now)?;
		let occasion = Occasion { registrant, device, nonce: record.keys_registered, expires_at };
		Ok(Admission { occasion, record, list, signer, replaced, now })
	}

	/// The record of a key that this one may take the place of.
	fn replaceable(
		device: DeviceId,
		replacing: Replacing,
		key: &NewKey,
		now: Moment,
	) -> Result<KeyRecord, Error<T>> {
		let Replacing { old, grace } = replacing;
		let record = Keys::<T>::get(old)
			.filter(|record| record.device == device)
			.ok_or(Error::<T>::KeyUnknown)?;
		Self::ensure_replaceable(&record)?;
		ensure!(record.superseded_at.is_none(), Error::<T>::KeyAlreadyReplaced);
		ensure!(record.purpose == key.purpose, Error::<T>::KeyPurposeDiffers);
		ensure!(grace <= MAX_GRACE, Error::<T>::GraceTooLong);
		// Else the device could be left without either.
		let until = now.saturating_add(grace);
		ensure!(key.not_after.is_none_or(|end| end >= until), Error::<T>::SuccessorTooShort);
		let announced = NextKeys::<T>::get(old);
		ensure!(
			announced.is_none_or(|it| it == KeyCommitment::of(old, &key.public)),
			Error::<T>::SuccessorDiffers
		);
		Ok(record)
	}

	/// Everything about a further key that depends on its own bytes and the chain only.
	pub(crate) fn verify_admission(
		admission: &Admission,
		key: &NewKey,
		consent: &Signature,
	) -> Result<(), Error<T>> {
		let Occasion { registrant, device, nonce, expires_at } = admission.occasion;
		let (purpose, id, not_after) = (key.purpose, key.id(device), key.not_after);
		let action = match admission.replaced {
			None => Action::AdmitKey { registrant, device, purpose, key: id, not_after },
			Some((Replacing { old, grace }, _)) => {
				Action::ReplaceKey { registrant, device, old, purpose, key: id, not_after, grace }
			},
		};
		let payload = Self::payload(action, nonce, expires_at);
		ensure!(crypto::verify(&admission.signer, &payload, consent), Error::<T>::ConsentInvalid);
		Self::ensure_possession(key, &admission.occasion)
	}

	/// Stores a further key, of which everything has been judged.
	pub(crate) fn admit(admission: Admission, key: KeyTerms) -> Result<(), Error<T>> {
		let Admission { occasion, mut record, mut list, replaced, now, .. } = admission;
		let device = occasion.device;
		let id = Self::add_key(device, &mut record, &mut list, key, now)?;
		DeviceKeys::<T>::insert(device, list);
		Devices::<T>::insert(device, record);
		if let Some((Replacing { old, grace }, record)) = replaced {
			Self::supersede(old, record, id, now.saturating_add(grace));
		}
		Ok(())
	}

	/// Notes that `key` takes the place of another one. What was announced is fulfilled by that.
	pub(crate) fn supersede(old: KeyId, mut record: KeyRecord, key: KeyId, superseded_at: Moment) {
		let device = record.device;
		record.superseded_at = Some(superseded_at);
		Keys::<T>::insert(old, record);
		NextKeys::<T>::remove(old);
		Self::deposit_event(Event::KeyReplaced { old, key, device, superseded_at });
	}

	/// The key by which the device consents. It has to be one that may speak for the device now; whoever asks names it,
	/// so that one signature is verified and not one per key of the device.
	pub(crate) fn speaking_key(
		device: DeviceId,
		consenting: KeyId,
		record: &DeviceRecord,
		now: Moment,
	) -> Result<PublicKey, Error<T>> {
		Keys::<T>::get(consenting)
			.filter(|it| it.device == device && it.purpose == KeyPurpose::Sign)
			.filter(|it| Self::status_of_key(it, Some(record), now).is_valid())
			.map(|it| it.public)
			.ok_or(Error::<T>::ConsentInvalid)
	}

	/// That there is a place for one more key among so many. If there is none, the oldest key that has ended loses its
	/// own: what has ended does not come back, and its record stays.
	pub(crate) fn make_room(
		list: &mut KeyList,
		places: usize,
		now: Moment,
	) -> Result<(), Error<T>> {
		if list.len() < places {
			return Ok(());
		}
		let has_ended = |id: &KeyId| Keys::<T>::get(id).is_none_or(|key| key.has_ended(now));
		let position = list.iter().position(has_ended).ok_or(Error::<T>::KeyListFull)?;
		list.remove(position);
		Ok(())
	}

	/// That a key may be registered for this device: its form, its purpose, its validity, the policy of the organisation,
	/// and that it is new to the chain.
	pub(crate) fn ensure_registrable(
		device: DeviceId,
		key: &KeyTerms,
		policy: &KeyPolicy,
		now: Moment,
	) -> Result<(), Error<T>> {
		ensure!(crypto::is_well_formed(&key.public), Error::<T>::KeyMalformed);
		ensure!(key.purpose.allows(key.public.key_type), Error::<T>::KeyUnfitForPurpose);
		ensure!(key.not_after.is_none_or(|end| end >= now), Error::<T>::KeyValidityInvalid);
		Self::ensure_allowed(policy, key, now)?;
		let id = KeyId::of_device(device, &key.public);
		ensure!(!Self::is_ruled_out(id), Error::<T>::KeyWasRevoked);
		// What a device signs must never read as what a certification authority signs.
		ensure!(!KeyAnchors::<T>::contains_key(id), Error::<T>::KeyAlreadyRegistered);
		match Keys::<T>::get(id) {
			None => Ok(()),
			Some(record) if record.withdrawal.is_revoked() => Err(Error::<T>::KeyWasRevoked),
			Some(_) => Err(Error::<T>::KeyAlreadyRegistered),
		}
	}

	/// Whether the key has ended in another way than as that of a device: as that of an anchor, or elsewhere for its
	/// compromise. Then it comes back as nothing.
	pub(crate) fn is_ruled_out(key: KeyId) -> bool {
		RevokedAnchorKeys::<T>::contains_key(key) || T::CompromisedKeys::is_compromised(key)
	}

	/// That the holder of the key wants it registered on this occasion. A key of which only the hash is known proves
	/// nothing, and brings nothing that could look like a proof.
	pub(crate) fn ensure_possession(key: &NewKey, occasion: &Occasion) -> Result<(), Error<T>> {
		let is_proven = if key.public.key_type.is_hash() {
			key.possession.is_empty()
		} else {
			let payload = Self::possession_payload(key, occasion);
			crypto::verify(&key.public, &payload, &key.possession)
		};
		ensure!(is_proven, Error::<T>::PossessionInvalid);
		Ok(())
	}

	/// What the key signs to be registered on this occasion.
	pub(crate) fn possession_payload(key: &NewKey, occasion: &Occasion) -> alloc::vec::Vec<u8> {
		let action = Action::PossessKey {
			registrant: occasion.registrant,
			device: occasion.device,
			purpose: key.purpose,
			key: key.id(occasion.device),
			not_after: key.not_after,
		};
		Self::payload(action, occasion.nonce, occasion.expires_at)
	}

	/// Stores a key that has been judged. The caller stores `record` and `list`.
	pub(crate) fn add_key(
		device: DeviceId,
		record: &mut DeviceRecord,
		list: &mut KeyList,
		key: KeyTerms,
		now: Moment,
	) -> Result<KeyId, Error<T>> {
		let KeyTerms { purpose, public, not_after } = key;
		let id = KeyId::of_device(device, &public);
		list.try_push(id).map_err(|_| Error::<T>::KeyListFull)?;
		record.keys_registered = record.keys_registered.saturating_add(1);
		let key = KeyRecord {
			device,
			purpose,
			public,
			validity: Validity { not_before: now, not_after },
			registered_at: now,
			superseded_at: None,
			withdrawal: Withdrawal::None,
		};
		Keys::<T>::insert(id, key);
		Self::deposit_event(Event::KeyRegistered { key: id, device, purpose });
		Ok(id)
	}
}
