//! Calls about the keys of devices over time, and about many devices at once.
//!
//! [`add_own_key`], [`replace_own_key`], [`announce_own_key`], [`revoke_own_key`], [`reveal_next_key`] and
//! [`report_compromise`] carry their own authority and go to
//! [`Client::submit_general`](crate::Client::submit_general); the last one to
//! [`Client::submit`](crate::Client::submit) if [its proof is dear](is_proof_dear).

use super::{Call, CallError, check_len, name};
use crate::api::{BoundedVec, tx};
use dpki_primitives::{
	Moment,
	device::{
		Compromised, MAX_DEVICES_PER_BATCH, MAX_KEYS_PER_ENROLMENT, MAX_REVOCATIONS_PER_BATCH,
		NewDevice,
	},
	ids::{DeviceId, KeyCommitment, KeyId, OrganisationId, RequestId},
	key::{Consent, KeyType, NewKey, PublicKey, Signature},
	key_policy::KeyPolicy,
	request::Rejection,
	revocation::RevocationReason,
};
use subxt::utils::Static;

/// Sets what an organisation asks of the keys of its devices.
pub fn set_key_policy(organisation: OrganisationId, policy: KeyPolicy) -> impl Call + use<> {
	tx().dpki().set_key_policy(Static(organisation), Static(policy))
}

/// As [`super::register_key`], by the device alone: proof and consent are for the registrant
/// [`Device`](dpki_primitives::context::Registrant::Device).
pub fn add_own_key(
	device: DeviceId,
	key: NewKey,
	consent: Consent,
	expires_at: Moment,
) -> impl Call + use<> {
	tx().dpki()
		.add_own_key(Static(device), Static(key), Static(consent), expires_at)
}

/// Registers a key in the place of another one, which is good for `grace` milliseconds yet, with the
/// [consent](crate::possession::Registration::consent_to_replacement) of the device.
pub fn replace_key(
	old: KeyId,
	key: NewKey,
	grace: Moment,
	consent: Consent,
	expires_at: Moment,
) -> impl Call + use<> {
	tx().dpki()
		.replace_key(Static(old), Static(key), grace, Static(consent), expires_at)
}

/// As [`replace_key`], by the device alone.
pub fn replace_own_key(
	old: KeyId,
	key: NewKey,
	grace: Moment,
	consent: Consent,
	expires_at: Moment,
) -> impl Call + use<> {
	tx().dpki()
		.replace_own_key(Static(old), Static(key), grace, Static(consent), expires_at)
}

/// Announces the key that is to follow another one, with the
/// [consent](crate::possession::Registration::consent_to_announcement) of the device.
pub fn announce_next_key(
	key: KeyId,
	commitment: KeyCommitment,
	consent: Consent,
	expires_at: Moment,
) -> impl Call + use<> {
	tx().dpki()
		.announce_next_key(Static(key), Static(commitment), Static(consent), expires_at)
}

/// As [`announce_next_key`], by the device alone.
pub fn announce_own_key(
	key: KeyId,
	commitment: KeyCommitment,
	consent: Consent,
	expires_at: Moment,
) -> impl Call + use<> {
	tx().dpki()
		.announce_own_key(Static(key), Static(commitment), Static(consent), expires_at)
}

/// Revokes a key by the [word](crate::possession::OwnRevocation) of its device.
pub fn revoke_own_key(
	key: KeyId,
	reason: RevocationReason,
	consent: Consent,
	expires_at: Moment,
) -> impl Call + use<> {
	tx().dpki()
		.revoke_own_key(Static(key), Static(reason), Static(consent), expires_at)
}

/// Has the announced key take the place of another one, with the [proof](crate::possession::reveal) of its holder.
pub fn reveal_next_key(
	old: KeyId,
	key: NewKey,
	next: Option<KeyCommitment>,
	expires_at: Moment,
) -> impl Call + use<> {
	tx().dpki()
		.reveal_next_key(Static(old), Static(key), next.map(Static), expires_at)
}

/// Asks the registrars of an organisation to register keys: the first ones of a device that it does not have yet, or one
/// more of a device that consents.
pub fn request_keys(
	organisation: OrganisationId,
	device: &str,
	keys: &[NewKey],
	consent: Option<Consent>,
	expires_at: Moment,
) -> Result<impl Call + use<>, CallError> {
	check_len("the list of keys", keys.len(), 1..=MAX_KEYS_PER_ENROLMENT)?;
	Ok(tx().dpki().request_keys(
		Static(organisation),
		name(device)?,
		BoundedVec(keys.iter().cloned().map(Static).collect()),
		consent.map(Static),
		expires_at,
	))
}

/// Registers what was requested.
pub fn approve_request(request: RequestId) -> impl Call + use<> {
	tx().dpki().approve_request(Static(request))
}

/// Takes a request out of the queue.
pub fn reject_request(request: RequestId, reason: Rejection) -> impl Call + use<> {
	tx().dpki().reject_request(Static(request), Static(reason))
}

/// Whether the proof that this key has leaked is too dear for the chain to verify it for nothing: it is one of RSA or P-384,
/// which `None` stands for, the key of an anchor whose record has none.
pub fn is_proof_dear(key: Option<&PublicKey>) -> bool {
	key.is_none_or(|key| key.key_type == KeyType::Rsa)
}

/// Revokes a key or an anchor with the [proof](crate::possession::prove_compromise) of its own compromise. One that is
/// named by itself, as keys of certificates and of members of fleets are, goes to
/// [`Client::submit`](crate::Client::submit): it is never free.
pub fn report_compromise(what: Compromised, proof: Signature) -> impl Call + use<> {
	tx().dpki().report_compromise(Static(what), BoundedVec(proof.into()))
}

/// Registers devices with their keys: all of them, or none.
pub fn register_batch(
	organisation: OrganisationId,
	devices: Vec<NewDevice>,
	expires_at: Moment,
) -> Result<impl Call + use<>, CallError> {
	check_len("the list of devices", devices.len(), 1..=MAX_DEVICES_PER_BATCH)?;
	Ok(tx().dpki().register_batch(
		Static(organisation),
		BoundedVec(devices.into_iter().map(Static).collect()),
		expires_at,
	))
}

/// Revokes keys of devices: all of them, or none.
pub fn revoke_keys(
	keys: &[KeyId],
	reason: RevocationReason,
) -> Result<impl Call + use<>, CallError> {
	check_len("the list of keys", keys.len(), 1..=MAX_REVOCATIONS_PER_BATCH)?;
	let keys = BoundedVec(keys.iter().copied().map(Static).collect());
	Ok(tx().dpki().revoke_keys(keys, Static(reason)))
}

/// Revokes devices with all their keys: all of them, or none.
pub fn revoke_devices(
	devices: &[DeviceId],
	reason: RevocationReason,
) -> Result<impl Call + use<>, CallError> {
	check_len("the list of devices", devices.len(), 1..=MAX_REVOCATIONS_PER_BATCH)?;
	let devices = BoundedVec(devices.iter().copied().map(Static).collect());
	Ok(tx().dpki().revoke_devices(devices, Static(reason)))
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::calls::tests::assert_encodes;
	use dpki_primitives::key::{KeyPurpose, KeyType, PublicKey};

	const ORGANISATION: OrganisationId = OrganisationId([4; 32]);
	const DEVICE: DeviceId = DeviceId([6; 32]);
	const OLD: KeyId = KeyId([7; 32]);
	const NEXT: KeyCommitment = KeyCommitment([8; 32]);
	const REQUEST: RequestId = RequestId([9; 32]);
	const REASON: RevocationReason = RevocationReason::KeyCompromise;

	fn signature() -> Signature {
		vec![10; 64].try_into().unwrap()
	}

	fn new_key() -> NewKey {
		NewKey {
			purpose: KeyPurpose::Ssh,
			public: PublicKey::new(KeyType::Ed25519, &[9; 32]).unwrap(),
			not_after: Some(1),
			possession: signature(),
		}
	}

	fn consent() -> Consent {
		Consent { key: OLD, signature: signature() }
	}

	#[test]
	fn calls_about_keys_over_time_encode() {
		let policy = KeyPolicy::default();
		assert_encodes(&set_key_policy(ORGANISATION, policy), (21, 20), (ORGANISATION, policy));
		let (key, grace) = (new_key(), 5u64);
		let add = (DEVICE, key.clone(), consent(), 9u64);
		assert_encodes(&add_own_key(DEVICE, key.clone(), consent(), 9), (21, 21), add);
		let replace = (OLD, key.clone(), grace, consent(), 9u64);
		let signed = replace_key(OLD, key.clone(), grace, consent(), 9);
		assert_encodes(&signed, (21, 22), replace.clone());
		let own = replace_own_key(OLD, key.clone(), grace, consent(), 9);
		assert_encodes(&own, (21, 23), replace);
		let announce = (OLD, NEXT, consent(), 9u64);
		assert_encodes(&announce_next_key(OLD, NEXT, consent(), 9), (21, 24), announce.clone());
		assert_encodes(&announce_own_key(OLD, NEXT, consent(), 9), (21, 33), announce);
		let revoke = (OLD, REASON, consent(), 9u64);
		assert_encodes(&revoke_own_key(OLD, REASON, consent(), 9), (21, 35), revoke);
		for next in [None, Some(NEXT)] {
			let reveal = reveal_next_key(OLD, key.clone(), next, 9);
			assert_encodes(&reveal, (21, 25), (OLD, key.clone(), next, 9u64));
		}
		for what in [Compromised::Key(OLD), Compromised::Public(key.public.clone())] {
			let report = report_compromise(what.clone(), signature());
			assert_encodes(&report, (21, 29), (what, signature()));
		}
	}

	#[test]
	fn calls_about_requests_encode() {
		for consent in [None, Some(consent())] {
			let request = request_keys(ORGANISATION, "drone", &[new_key()], consent.clone(), 9);
			let arguments =
				(ORGANISATION, b"drone".to_vec(), vec![new_key()], consent.clone(), 9u64);
			assert_encodes(&request.unwrap(), (21, 26), arguments);
		}
		assert_encodes(&approve_request(REQUEST), (21, 27), REQUEST);
		let reason = Rejection::KeysDiffer;
		assert_encodes(&reject_request(REQUEST, reason), (21, 28), (REQUEST, reason));
	}

	#[test]
	fn calls_about_many_encode() {
		let device = NewDevice {
			name: b"drone".to_vec().try_into().unwrap(),
			keys: vec![new_key()].try_into().unwrap(),
		};
		let batch = register_batch(ORGANISATION, vec![device.clone()], 9).unwrap();
		assert_encodes(&batch, (21, 30), (ORGANISATION, vec![device], 9u64));
		let keys = revoke_keys(&[OLD], REASON).unwrap();
		assert_encodes(&keys, (21, 31), (vec![OLD], REASON));
		let devices = revoke_devices(&[DEVICE], REASON).unwrap();
		assert_encodes(&devices, (21, 32), (vec![DEVICE], REASON));
	}

	#[test]
	fn lists_that_are_empty_or_too_long_are_refused() {
		let length = |is_refused: Option<CallError>| {
			assert!(matches!(is_refused, Some(CallError::Length { .. })));
		};
		length(revoke_keys(&[], REASON).err());
		length(revoke_keys(&[OLD; MAX_REVOCATIONS_PER_BATCH as usize + 1], REASON).err());
		length(revoke_devices(&[], REASON).err());
		length(register_batch(ORGANISATION, Vec::new(), 9).err());
		length(request_keys(ORGANISATION, "drone", &[], None, 9).err());
		let unnamed = request_keys(ORGANISATION, "Drone", &[new_key()], None, 9).err();
		assert!(matches!(unnamed, Some(CallError::Name { .. })));
	}
}
