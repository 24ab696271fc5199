//! What the benchmarks of key operations start from.

use super::*;
use rsa::{
	RsaPrivateKey,
	pkcs1::{DecodeRsaPrivateKey, EncodeRsaPublicKey},
};

/// A device whose list is full, of which the newest key but one was replaced: a further key has to look at all before it.
/// Returns the device and how many keys it has.
pub(super) fn device_with_full_list<T: Config>(organisation: OrganisationId) -> (DeviceId, u32) {
	let device = device_with_keys::<T>(organisation, MAX_KEYS_PER_DEVICE);
	let ended = DeviceKeys::<T>::get(device)[MAX_KEYS_PER_DEVICE as usize - 2];
	Keys::<T>::mutate(ended, |key| {
		key.as_mut().expect("it is listed").superseded_at = Some(0);
	});
	(device, MAX_KEYS_PER_DEVICE)
}

/// Lets the devices of the organisation do everything, so that nothing is refused and the policy is read.
pub(super) fn open_policy<T: Config>(organisation: OrganisationId) {
	let policy = KeyPolicy { self_service: true, requests: true, ..Default::default() };
	KeyPolicies::<T>::insert(organisation, policy);
}

/// The word of the `by`-th key of the benchmarks on what a device does.
pub(super) fn word<T: Config>(by: u32, action: Action, nonce: u64) -> Consent {
	let (pair, public) = p256_pair(by);
	let payload = Pallet::<T>::payload(action, nonce, expires_at::<T>());
	Consent { key: KeyId::of(&public), signature: sign_p256(&pair, &payload) }
}

/// The `n`-th key as a new one of the device.
pub(super) fn new_key<T: Config>(
	registrant: Registrant,
	device: DeviceId,
	n: u32,
	nonce: u64,
) -> NewKey {
	let purpose = KeyPurpose::Sign;
	let (pair, public) = p256_pair(n);
	let payload = possession_payload::<T>(registrant, device, purpose, &public, nonce);
	let possession = sign_p256(&pair, &payload);
	NewKey { purpose, public, not_after: None, possession }
}

/// A further key of a device with a full list, in the place of its first key, by the word of its last one.
pub(super) fn replacement<T: Config>(
	registrant: Registrant,
	organisation: OrganisationId,
) -> (DeviceId, KeyId, NewKey, Consent) {
	let (device, count) = device_with_full_list::<T>(organisation);
	let nonce = u64::from(count);
	let key = new_key::<T>(registrant, device, count, nonce);
	let old = KeyId::of(&p256_pair(0).1);
	NextKeys::<T>::insert(old, KeyCommitment::of(old, &key.public));
	let action = Action::ReplaceKey {
		registrant,
		device,
		old,
		purpose: key.purpose,
		key: key.id(device),
		not_after: None,
		grace: MAX_GRACE,
	};
	(device, old, key, word::<T>(count - 1, action, nonce))
}

/// A further key of a device with a full list, by the word of its last one.
pub(super) fn addition<T: Config>(organisation: OrganisationId) -> Call<T> {
	let (device, count) = device_with_full_list::<T>(organisation);
	let (registrant, nonce) = (Registrant::Device, u64::from(count));
	let key = new_key::<T>(registrant, device, count, nonce);
	let (purpose, id) = (key.purpose, key.id(device));
	let action = Action::AdmitKey { registrant, device, purpose, key: id, not_after: None };
	let consent = word::<T>(count - 1, action, nonce);
	Call::add_own_key { device, key, consent, expires_at: expires_at::<T>() }
}

/// The announcement of a device by the word of its last key.
pub(super) fn announcement<T: Config>(
	registrant: Registrant,
	organisation: OrganisationId,
) -> (KeyId, KeyCommitment, Consent) {
	let count = MAX_KEYS_PER_DEVICE;
	let device = device_with_keys::<T>(organisation, count);
	let (key, commitment) = (KeyId::of(&p256_pair(0).1), KeyCommitment([1; 32]));
	let action = Action::AnnounceKey { registrant, device, key, commitment };
	(key, commitment, word::<T>(count - 1, action, u64::from(count)))
}

/// The end of the first key of a device with a full list, which has an announced successor and does not sign, by the word of
/// its last one.
pub(super) fn renunciation<T: Config>(organisation: OrganisationId) -> Call<T> {
	let count = MAX_KEYS_PER_DEVICE;
	let device = device_with_keys::<T>(organisation, count);
	let key = KeyId::of(&p256_pair(0).1);
	Keys::<T>::mutate(key, |record| {
		record.as_mut().expect("it is stored").purpose = KeyPurpose::Tls;
	});
	NextKeys::<T>::insert(key, KeyCommitment([1; 32]));
	hold_from_another::<T>(0, Resource::Key(key));
	let consent = word::<T>(count - 1, Action::RevokeKey { device, key, reason: REASON }, 0);
	Call::revoke_own_key { key, reason: REASON, consent, expires_at: expires_at::<T>() }
}

/// The reveal of the announced successor of the first key of a device with a full list.
pub(super) fn reveal<T: Config>(organisation: OrganisationId) -> Call<T> {
	let (device, count) = device_with_full_list::<T>(organisation);
	let old = KeyId::of(&p256_pair(0).1);
	// It was revoked, so its place went to another key.
	Keys::<T>::mutate(old, |key| {
		let revocation = Revocation { reason: REASON, at: 0 };
		key.as_mut().expect("it is stored").withdrawal = Withdrawal::Revoked(revocation);
	});
	let (_, other) = p256_pair(count + 1);
	DeviceKeys::<T>::mutate(device, |list| list[0] = KeyId::of(&other));
	let (mut record, mut list) = (Devices::<T>::get(device).unwrap(), KeyList::default());
	let terms = KeyTerms { purpose: KeyPurpose::Sign, public: other, not_after: None };
	Pallet::<T>::add_key(device, &mut record, &mut list, terms, 0).expect("there is a place");
	Devices::<T>::insert(device, record);

	let (purpose, next) = (KeyPurpose::Sign, Some(KeyCommitment([1; 32])));
	let (pair, public) = p256_pair(count);
	NextKeys::<T>::insert(old, KeyCommitment::of(old, &public));
	let key = KeyId::of(&public);
	let action = Action::RevealKey { device, old, purpose, key, not_after: None, next };
	let payload = Pallet::<T>::payload(action, 0, expires_at::<T>());
	let key = NewKey { purpose, public, not_after: None, possession: sign_p256(&pair, &payload) };
	Call::reveal_next_key { old, key, next, expires_at: expires_at::<T>() }
}

/// A queue in which the oldest of all requests has expired.
pub(super) fn fill_queue<T: Config>(organisation: OrganisationId) -> RequestId {
	// Benchmarks start at the beginning of time, when nothing can have expired.
	frame_support::storage::unhashed::put::<Moment>(&storage_keys::now(), &1_000);
	let now = Pallet::<T>::now();
	let mut first = None;
	for n in 0..MAX_REQUESTS_PER_ORGANISATION {
		let keys: Vec<KeyTerms> = (0..MAX_KEYS_PER_ENROLMENT)
			.map(|k| KeyTerms {
				purpose: KeyPurpose::Sign,
				public: placeholder(n * MAX_KEYS_PER_ENROLMENT + k),
				not_after: None,
			})
			.collect();
		let request = KeyRequest {
			requester: [9; 32],
			organisation,
			device_name: device_name(&[b'a' + (n % 26) as u8, b'a' + (n / 26) as u8]),
			keys: keys.try_into().expect("no more keys than fit"),
			consenting: None,
			expires_at: if n == 0 { now.saturating_sub(1) } else { now + 1_000 },
		};
		let id = request.id();
		let place =
			QueuedRequest { id, requester: request.requester, expires_at: request.expires_at };
		RequestQueues::<T>::mutate(organisation, |queue| queue.try_push(place))
			.expect("no more requests than fit");
		Requests::<T>::insert(id, request);
		first.get_or_insert(id);
	}
	first.expect("a queue has places")
}

/// The newest request of a full queue.
pub(super) fn newest_request<T: Config>(organisation: OrganisationId) -> RequestId {
	fill_queue::<T>(organisation);
	RequestQueues::<T>::get(organisation).last().expect("it is full").id
}

/// `count` devices, of which the first ones have one key more, so that there are `keys` Ed25519 keys in all.
pub(super) fn new_devices<T: Config>(
	who: &T::AccountId,
	organisation: OrganisationId,
	count: u32,
	keys: u32,
) -> Vec<NewDevice> {
	let registrant = Registrant::Account(who.clone().into());
	let purpose = KeyPurpose::Sign;
	(0..count)
		.map(|n| {
			let name = device_name(alloc::format!("device-{n}").as_bytes());
			let device = DeviceId::from_name(organisation, &name);
			let share = keys / count + u32::from(n < keys % count);
			let keys: Vec<NewKey> = (0..u64::from(share))
				.map(|nonce| {
					// From a seed: a phrase would be stretched once more for each signature, which takes minutes.
					let number = u64::from(n) * u64::from(MAX_KEYS_PER_ENROLMENT) + nonce;
					let seed = alloc::format!("0x{number:064x}").into_bytes();
					let key = sp_io::crypto::ed25519_generate(KEYSTORE, Some(seed));
					let public = PublicKey::new(KeyType::Ed25519, &key.0).expect("32 bytes");
					let payload =
						possession_payload::<T>(registrant, device, purpose, &public, nonce);
					let signature = sp_io::crypto::ed25519_sign(KEYSTORE, &key, &payload)
						.expect("the keystore holds the key");
					NewKey { purpose, public, not_after: None, possession: bounded(signature.0) }
				})
				.collect();
			NewDevice { name, keys: keys.try_into().expect("no more keys than fit") }
		})
		.collect()
}

/// `count` devices with one key each, in organisations of their own that `who` administers, and with payers of
/// their own.
pub(super) fn devices_apart<T: Config>(who: &T::AccountId, count: u32) -> Vec<(DeviceId, KeyId)> {
	(0..count)
		.map(|n| {
			let name = alloc::format!("organisation-{n}");
			let organisation = T::Organisations::create_for_benchmark(name.as_bytes(), who);
			let device = DeviceId::from_name(organisation, DEVICE);
			let public = placeholder(n);
			let key = KeyId::of(&public);
			create_device::<T>(device, organisation, DEVICE, [(KeyPurpose::Sign, public)]);
			hold_from_another::<T>(n, Resource::Device(device));
			hold_from_another::<T>(n, Resource::Key(key));
			(device, key)
		})
		.collect()
}

/// RSA-4096, and its proof of a message by the scheme that is tried last.
pub(super) fn rsa_proof(message: &[u8]) -> (PublicKey, Signature) {
	let key = RsaPrivateKey::from_pkcs1_der(&fixtures::RSA4096_KEY).expect("it is a key");
	let public = key.to_public_key().to_pkcs1_der().expect("every key has an encoding");
	let public = PublicKey::new(KeyType::Rsa, public.as_bytes()).expect("526 bytes");
	(public, bounded(fixtures::sign_pss(&key, message)))
}

/// An RSA-4096 key of a device, and the proof that it is compromised.
pub(super) fn leaked_rsa_key<T: Config>(organisation: OrganisationId) -> (KeyId, Signature) {
	let device = DeviceId::from_name(organisation, DEVICE);
	let genesis = frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::zero()).into();
	let (public, _) = rsa_proof(b"");
	let key = KeyId::of(&public);
	let (_, proof) = rsa_proof(&SigningContext::compromise(genesis, key).payload());
	create_device::<T>(device, organisation, DEVICE, [(KeyPurpose::Tls, public)]);
	(key, proof)
}
