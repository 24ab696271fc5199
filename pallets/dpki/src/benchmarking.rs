//! Benchmarks, each of the worst case of its call.
//!
//! What the chain verifies is signed here honestly, over the payload of the chain that the benchmark runs on: Ed25519
//! by the keystore of the host, the other algorithms by the crates that verify them, deterministically and outside
//! of what is measured.
//!
//! The keys of devices are P-256 keys: their verification in the runtime is the dearest that a device key can cause. An
//! X25519 key costs one conversion of a point in the runtime and one verification by the host, which is a fraction.

use super::*;
use crate::{crypto, fixtures};
use alloc::vec::Vec;
use dpki_primitives::{
	Moment,
	anchor::{AnchorKind, AnchorMaterial, AnchorRecord, MAX_ANCHORS_PER_ORGANISATION},
	context::{Action, Registrant, SigningContext},
	device::{
		Compromised, KeyList, MAX_DEVICES_PER_BATCH, MAX_GRACE, MAX_KEYS_PER_DEVICE,
		MAX_KEYS_PER_ENROLMENT, MAX_REVOCATIONS_PER_BATCH, NewDevice,
	},
	ids::{
		AnchorId, DeviceId, KeyCommitment, KeyId, Name, OrganisationId, RequestId,
		VoucherCommitment, VoucherId,
	},
	key::{Consent, KeyPurpose, KeyTerms, KeyType, NewKey, PublicKey, Signature},
	key_policy::KeyPolicy,
	organisation::Organisations,
	request::{KeyRequest, MAX_REQUESTS_PER_ORGANISATION, QueuedRequest, Rejection},
	revocation::{Revocation, RevocationReason, SSH_REVOCATIONS_PER_PAGE, SshSubject},
	status::Validity,
	voucher::{VoucherRecord, VoucherState},
};
use frame_benchmarking::v2::*;
use frame_support::pallet_prelude::{Authorize, TransactionSource};
use frame_system::{RawOrigin, pallet_prelude::BlockNumberFor};
use p256::ecdsa::signature::Signer;
use rsa::{
	Pkcs1v15Sign, RsaPrivateKey,
	pkcs1::{DecodeRsaPrivateKey, EncodeRsaPublicKey},
	sha2::{Digest, Sha512},
};
use sp_core::crypto::KeyTypeId;
use sp_runtime::traits::Zero;

const KEYSTORE: KeyTypeId = KeyTypeId(*b"dpki");
const DEVICE: &[u8] = b"device";
const REASON: RevocationReason = RevocationReason::KeyCompromise;

/// See [`Registry::enrol_for_benchmark`](dpki_primitives::registry::Registry::enrol_for_benchmark).
pub(crate) fn enrol_unchecked<T: Config>(
	organisation: OrganisationId,
	name: &[u8],
	signing: PublicKey,
	agreement: PublicKey,
) -> DeviceId {
	let device = DeviceId::from_name(organisation, name);
	let keys = [(KeyPurpose::Sign, signing), (KeyPurpose::KeyAgreement, agreement)];
	create_device::<T>(device, organisation, name, keys);
	device
}

fn create_device<T: Config>(
	device: DeviceId,
	organisation: OrganisationId,
	name: &[u8],
	keys: impl IntoIterator<Item = (KeyPurpose, PublicKey)>,
) {
	let keys =
		keys.into_iter()
			.map(|(purpose, public)| KeyTerms { purpose, public, not_after: None });
	Pallet::<T>::create_device(device, organisation, device_name(name), keys, Pallet::<T>::now())
		.expect("no more keys than fit");
	Registrants::<T>::insert(organisation, ());
}

fn device_name(name: &[u8]) -> Name {
	name.to_vec().try_into().expect("names are short")
}

fn expires_at<T: Config>() -> Moment {
	Pallet::<T>::now() + 1_000
}

fn bounded(bytes: impl AsRef<[u8]>) -> Signature {
	bytes
		.as_ref()
		.to_vec()
		.try_into()
		.expect("no signature is longer than one of RSA-4096")
}

fn member<T: Config>() -> (T::AccountId, OrganisationId) {
	let who: T::AccountId = whitelisted_caller();
	let organisation = T::Organisations::create_for_benchmark(b"organisation", &who);
	(who, organisation)
}

/// The `n`-th P-256 key.
fn p256_pair(n: u32) -> (p256::ecdsa::SigningKey, PublicKey) {
	let mut scalar = [1u8; 32];
	scalar[..4].copy_from_slice(&n.to_be_bytes());
	let pair = p256::ecdsa::SigningKey::from_slice(&scalar).expect("less than the order");
	let point = pair.verifying_key().to_encoded_point(false);
	let public = crypto::p256_key(point.as_bytes()).expect("a point of the curve");
	(pair, public)
}

fn sign_p256(pair: &p256::ecdsa::SigningKey, payload: &[u8]) -> Signature {
	let signature: p256::ecdsa::Signature = pair.sign(payload);
	bounded(signature.to_bytes())
}

fn possession_payload<T: Config>(
	registrant: Registrant,
	device: DeviceId,
	purpose: KeyPurpose,
	public: &PublicKey,
	nonce: u64,
) -> Vec<u8> {
	let key = KeyId::of(public);
	let action = Action::PossessKey { registrant, device, purpose, key, not_after: None };
	Pallet::<T>::payload(action, nonce, expires_at::<T>())
}

fn anchor_payload<T: Config>(
	who: &T::AccountId,
	organisation: OrganisationId,
	kind: AnchorKind,
	material: &[u8],
) -> Vec<u8> {
	let anchor = AnchorId::of(kind, material);
	let action = Action::PossessAnchor { account: who.clone().into(), organisation, anchor };
	Pallet::<T>::payload(action, 0, expires_at::<T>())
}

/// `count` anchors of the organisation, unchecked; returns the last one.
fn fill_anchors<T: Config>(organisation: OrganisationId, count: u32) -> AnchorId {
	let kind = AnchorKind::SshUserCa;
	let now = Pallet::<T>::now();
	let mut last = AnchorId::default();
	for n in 0..count {
		let (_, key) = p256_pair(n);
		let (key_id, material) = (KeyId::of(&key), key.bytes.to_vec());
		let material: AnchorMaterial = material.try_into().expect("33 bytes");
		last = AnchorId::of(kind, &material);
		let record = AnchorRecord {
			organisation,
			kind,
			key: Some(key),
			key_id,
			validity: Validity { not_before: now, not_after: None },
			registered_at: now,
			retired_at: None,
			revocation: None,
		};
		Anchors::<T>::insert(last, record);
		AnchorMaterials::<T>::insert(last, material);
		OrganisationAnchors::<T>::mutate(organisation, |list| list.try_push(last))
			.expect("no more anchors than fit");
	}
	last
}

fn ssh_p256_blob(public: &p256::ecdsa::SigningKey) -> AnchorMaterial {
	let point = public.verifying_key().to_encoded_point(false);
	let parts: [&[u8]; 3] = [b"ecdsa-sha2-nistp256", b"nistp256", point.as_bytes()];
	let string = |part: &[u8]| [&(part.len() as u32).to_be_bytes(), part].concat();
	let blob: Vec<u8> = parts.iter().flat_map(|part| string(part)).collect();
	blob.try_into().expect("104 bytes")
}

fn open_voucher<T: Config>(
	who: &T::AccountId,
	organisation: OrganisationId,
	voucher: VoucherId,
) -> DeviceId {
	let device = DeviceId::from_name(organisation, DEVICE);
	let sponsor = who.clone().into();
	let expires_at = expires_at::<T>();
	let state = VoucherState::Open;
	let record = VoucherRecord { organisation, device, sponsor, expires_at, state };
	Vouchers::<T>::insert(voucher, record);
	device
}

/// An enrolment of `count` P-256 keys.
fn enrolment<T: Config>(count: u32) -> Call<T> {
	let (who, organisation) = member::<T>();
	let voucher_key = sp_io::crypto::ed25519_generate(KEYSTORE, None);
	let voucher = VoucherId::of(organisation, &voucher_key.0);
	let device = open_voucher::<T>(&who, organisation, voucher);
	let registrant = Registrant::Voucher(voucher);

	let keys: Vec<NewKey> =
		(0..count).map(|n| new_key::<T>(registrant, device, n, u64::from(n))).collect();

	let action = Action::Enrol {
		voucher,
		device,
		keys: keys.iter().map(|key| (key.purpose, KeyId::of(&key.public))).collect(),
	};
	let payload = Pallet::<T>::payload(action, 0, expires_at::<T>());
	let signature = sp_io::crypto::ed25519_sign(KEYSTORE, &voucher_key, &payload)
		.expect("the keystore holds the key");
	Call::enrol {
		organisation,
		voucher_public: voucher_key.0,
		device_name: device_name(DEVICE),
		keys: keys.try_into().expect("no more keys than fit"),
		expires_at: expires_at::<T>(),
		voucher_signature: signature.0,
	}
}

/// A device whose list is full, of which the newest key but one was replaced: a further key has to look at all before it.
/// Returns the device and how many keys it has.
fn device_with_full_list<T: Config>(organisation: OrganisationId) -> (DeviceId, u32) {
	let device = device_with_keys::<T>(organisation, MAX_KEYS_PER_DEVICE);
	let ended = DeviceKeys::<T>::get(device)[MAX_KEYS_PER_DEVICE as usize - 2];
	Keys::<T>::mutate(ended, |key| {
		key.as_mut().expect("it is listed").superseded_at = Some(0);
	});
	(device, MAX_KEYS_PER_DEVICE)
}

/// Lets the devices of the organisation do everything, so that nothing is refused and the policy is read.
fn open_policy<T: Config>(organisation: OrganisationId) {
	let policy = KeyPolicy { self_service: true, requests: true, ..Default::default() };
	KeyPolicies::<T>::insert(organisation, policy);
}

/// The word of the `by`-th key of the benchmarks on what a device does.
fn word<T: Config>(by: u32, action: Action, nonce: u64) -> Consent {
	let (pair, public) = p256_pair(by);
	let payload = Pallet::<T>::payload(action, nonce, expires_at::<T>());
	Consent { key: KeyId::of(&public), signature: sign_p256(&pair, &payload) }
}

/// The `n`-th key as a new one of the device.
fn new_key<T: Config>(registrant: Registrant, device: DeviceId, n: u32, nonce: u64) -> NewKey {
	let purpose = KeyPurpose::Sign;
	let (pair, public) = p256_pair(n);
	let payload = possession_payload::<T>(registrant, device, purpose, &public, nonce);
	let possession = sign_p256(&pair, &payload);
	NewKey { purpose, public, not_after: None, possession }
}

/// A further key of a device with a full list, in the place of its first key, by the word of its last one.
fn replacement<T: Config>(
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
fn addition<T: Config>(organisation: OrganisationId) -> Call<T> {
	let (device, count) = device_with_full_list::<T>(organisation);
	let (registrant, nonce) = (Registrant::Device, u64::from(count));
	let key = new_key::<T>(registrant, device, count, nonce);
	let (purpose, id) = (key.purpose, key.id(device));
	let action = Action::AdmitKey { registrant, device, purpose, key: id, not_after: None };
	let consent = word::<T>(count - 1, action, nonce);
	Call::add_own_key { device, key, consent, expires_at: expires_at::<T>() }
}

/// The announcement of a device by the word of its last key.
fn announcement<T: Config>(
	registrant: Registrant,
	organisation: OrganisationId,
) -> (KeyId, KeyCommitment, Consent) {
	let count = MAX_KEYS_PER_DEVICE;
	let device = device_with_keys::<T>(organisation, count);
	let (key, commitment) = (KeyId::of(&p256_pair(0).1), KeyCommitment([1; 32]));
	let action = Action::AnnounceKey { registrant, device, key, commitment };
	(key, commitment, word::<T>(count - 1, action, u64::from(count)))
}

/// The reveal of the announced successor of the first key of a device with a full list.
fn reveal<T: Config>(organisation: OrganisationId) -> Call<T> {
	let (device, count) = device_with_full_list::<T>(organisation);
	let old = KeyId::of(&p256_pair(0).1);
	// It was revoked, so its place went to another key.
	Keys::<T>::mutate(old, |key| {
		let revocation = Revocation { reason: REASON, at: 0 };
		key.as_mut().expect("it is stored").revocation = Some(revocation);
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
fn fill_queue<T: Config>(organisation: OrganisationId) -> RequestId {
	let now = Pallet::<T>::now();
	let mut first = None;
	for n in 0..MAX_REQUESTS_PER_ORGANISATION {
		let keys: Vec<KeyTerms> = (0..MAX_KEYS_PER_ENROLMENT)
			.map(|k| KeyTerms {
				purpose: KeyPurpose::Sign,
				public: p256_pair(1_000 + n * MAX_KEYS_PER_ENROLMENT + k).1,
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

/// `count` devices, of which the first ones have one key more, so that there are `keys` Ed25519 keys in all.
fn new_devices<T: Config>(
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
					let key = sp_io::crypto::ed25519_generate(KEYSTORE, None);
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

/// `count` devices with one key each.
fn devices_with_keys<T: Config>(
	organisation: OrganisationId,
	count: u32,
) -> Vec<(DeviceId, KeyId)> {
	(0..count)
		.map(|n| {
			let name = alloc::format!("device-{n}");
			let device = DeviceId::from_name(organisation, name.as_bytes());
			let (_, public) = p256_pair(n);
			let key = KeyId::of(&public);
			let keys = [(KeyPurpose::Sign, public)];
			create_device::<T>(device, organisation, name.as_bytes(), keys);
			(device, key)
		})
		.collect()
}

/// RSA-4096, and its proof of a message by the scheme that is tried last.
fn rsa_proof(message: &[u8]) -> (PublicKey, Signature) {
	let key = RsaPrivateKey::from_pkcs1_der(&fixtures::RSA4096_KEY).expect("it is a key");
	let public = key.to_public_key().to_pkcs1_der().expect("every key has an encoding");
	let public = PublicKey::new(KeyType::Rsa, public.as_bytes()).expect("526 bytes");
	(public, bounded(fixtures::sign_pss(&key, message)))
}

/// A device with `count` P-256 signing keys.
fn device_with_keys<T: Config>(organisation: OrganisationId, count: u32) -> DeviceId {
	let device = DeviceId::from_name(organisation, DEVICE);
	let keys = (0..count).map(|n| (KeyPurpose::Sign, p256_pair(n).1));
	create_device::<T>(device, organisation, DEVICE, keys);
	device
}

#[benchmarks]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn register_ssh_anchor() {
		let (who, organisation) = member::<T>();
		fill_anchors::<T>(organisation, MAX_ANCHORS_PER_ORGANISATION - 1);
		let kind = AnchorKind::SshUserCa;
		let (pair, _) = p256_pair(u32::MAX >> 1);
		let material = ssh_p256_blob(&pair);
		let possession =
			sign_p256(&pair, &anchor_payload::<T>(&who, organisation, kind, &material));
		let anchor = AnchorId::of(kind, &material);

		#[extrinsic_call]
		register_anchor(
			RawOrigin::Signed(who),
			organisation,
			kind,
			material,
			possession,
			expires_at::<T>(),
		);

		assert!(Anchors::<T>::contains_key(anchor));
	}

	#[benchmark]
	fn register_rsa_anchor() {
		let (who, organisation) = member::<T>();
		fill_anchors::<T>(organisation, MAX_ANCHORS_PER_ORGANISATION - 1);
		let kind = AnchorKind::X509Root;
		let material: AnchorMaterial = fixtures::RSA4096_ROOT.to_vec().try_into().unwrap();
		let payload = anchor_payload::<T>(&who, organisation, kind, &material);
		let possession = RsaPrivateKey::from_pkcs1_der(&fixtures::RSA4096_KEY)
			.unwrap()
			.sign(Pkcs1v15Sign::new::<Sha512>(), &Sha512::digest(&payload))
			.unwrap();
		let anchor = AnchorId::of(kind, &material);

		#[extrinsic_call]
		register_anchor(
			RawOrigin::Signed(who),
			organisation,
			kind,
			material,
			bounded(possession),
			expires_at::<T>(),
		);

		assert!(Anchors::<T>::contains_key(anchor));
	}

	#[benchmark]
	fn register_p384_anchor() {
		let (who, organisation) = member::<T>();
		fill_anchors::<T>(organisation, MAX_ANCHORS_PER_ORGANISATION - 1);
		let kind = AnchorKind::X509Root;
		let material: AnchorMaterial = fixtures::P384_ROOT.to_vec().try_into().unwrap();
		let payload = anchor_payload::<T>(&who, organisation, kind, &material);
		let pair = p384::ecdsa::SigningKey::from_slice(&fixtures::P384_KEY).unwrap();
		let possession: p384::ecdsa::Signature = pair.sign(&payload);
		let anchor = AnchorId::of(kind, &material);

		#[extrinsic_call]
		register_anchor(
			RawOrigin::Signed(who),
			organisation,
			kind,
			material,
			bounded(possession.to_bytes()),
			expires_at::<T>(),
		);

		assert!(Anchors::<T>::contains_key(anchor));
	}

	#[benchmark]
	fn retire_anchor() {
		let (who, organisation) = member::<T>();
		let anchor = fill_anchors::<T>(organisation, 1);

		#[extrinsic_call]
		_(RawOrigin::Signed(who), anchor);

		assert!(Anchors::<T>::get(anchor).unwrap().retired_at.is_some());
	}

	#[benchmark]
	fn revoke_anchor() {
		let (who, organisation) = member::<T>();
		let anchor = fill_anchors::<T>(organisation, MAX_ANCHORS_PER_ORGANISATION);

		#[extrinsic_call]
		_(RawOrigin::Signed(who), anchor, REASON);

		assert!(Anchors::<T>::get(anchor).unwrap().revocation.is_some());
	}

	/// The last entry of a page: the largest value that is read and written.
	#[benchmark]
	fn revoke_ssh() {
		let (who, organisation) = member::<T>();
		let anchor = fill_anchors::<T>(organisation, 1);
		for serial in 1..SSH_REVOCATIONS_PER_PAGE {
			let subject = SshSubject::Serial(u64::from(serial));
			Pallet::<T>::do_revoke_ssh(who.clone(), anchor, subject, REASON).unwrap();
		}

		#[extrinsic_call]
		_(RawOrigin::Signed(who), anchor, SshSubject::KeyFingerprint([1; 32]), REASON);

		assert_eq!(SshRevocationCount::<T>::get(anchor), SSH_REVOCATIONS_PER_PAGE);
	}

	#[benchmark]
	fn issue_voucher() {
		let (who, organisation) = member::<T>();
		let commitment = VoucherCommitment([1; 32]);

		#[extrinsic_call]
		_(
			RawOrigin::Signed(who),
			organisation,
			commitment,
			device_name(&[b'a'; 63]),
			expires_at::<T>(),
		);

		let voucher = VoucherId::from_commitment(organisation, commitment);
		assert!(Vouchers::<T>::contains_key(voucher));
	}

	#[benchmark]
	fn cancel_voucher() {
		let (who, organisation) = member::<T>();
		let voucher = VoucherId([1; 32]);
		open_voucher::<T>(&who, organisation, voucher);

		#[extrinsic_call]
		_(RawOrigin::Signed(who), voucher);

		let state = Vouchers::<T>::get(voucher).unwrap().state;
		assert!(matches!(state, VoucherState::Cancelled(_)));
	}

	#[benchmark]
	fn authorize_enrol(k: Linear<1, MAX_KEYS_PER_ENROLMENT>) -> Result<(), BenchmarkError> {
		let call = enrolment::<T>(k);

		#[block]
		{
			call.authorize(TransactionSource::External)
				.ok_or("the call has an authorization")??;
		}

		Ok(())
	}

	#[benchmark]
	fn enrol(k: Linear<1, MAX_KEYS_PER_ENROLMENT>) {
		let Call::enrol {
			organisation,
			voucher_public,
			device_name,
			keys,
			expires_at,
			voucher_signature,
		} = enrolment::<T>(k)
		else {
			unreachable!("it is an enrolment")
		};

		#[extrinsic_call]
		_(
			frame_system::Origin::<T>::Authorized,
			organisation,
			voucher_public,
			device_name,
			keys,
			expires_at,
			voucher_signature,
		);

		assert_eq!(Keys::<T>::iter_keys().count() as u32, k);
	}

	/// A P-256 key of a device whose list is full, with the consent of another one.
	#[benchmark]
	fn register_key() {
		let (who, organisation) = member::<T>();
		open_policy::<T>(organisation);
		let (device, count) = device_with_full_list::<T>(organisation);
		let (registrant, nonce) = (Registrant::Account(who.clone().into()), u64::from(count));
		let key = new_key::<T>(registrant, device, count, nonce);
		let (purpose, id) = (key.purpose, key.id(device));
		let action = Action::AdmitKey { registrant, device, purpose, key: id, not_after: None };
		let consent = word::<T>(count - 1, action, nonce);

		#[extrinsic_call]
		_(RawOrigin::Signed(who), device, key, consent, expires_at::<T>());

		assert!(DeviceKeys::<T>::get(device).contains(&id));
	}

	#[benchmark]
	fn revoke_key() {
		let (who, organisation) = member::<T>();
		let device = device_with_keys::<T>(organisation, MAX_KEYS_PER_DEVICE);
		let key = *DeviceKeys::<T>::get(device).last().unwrap();

		#[extrinsic_call]
		_(RawOrigin::Signed(who), key, REASON);

		assert!(Keys::<T>::get(key).unwrap().revocation.is_some());
	}

	#[benchmark]
	fn revoke_device() {
		let (who, organisation) = member::<T>();
		let device = device_with_keys::<T>(organisation, 1);

		#[extrinsic_call]
		_(RawOrigin::Signed(who), device, REASON);

		assert!(Devices::<T>::get(device).unwrap().revocation.is_some());
	}

	#[benchmark]
	fn set_key_policy() {
		let (who, organisation) = member::<T>();
		let policy = KeyPolicy { self_service: true, ..Default::default() };

		#[extrinsic_call]
		_(RawOrigin::Signed(who), organisation, policy);

		assert_eq!(KeyPolicies::<T>::get(organisation), policy);
	}

	/// The dearest verification for a key of a device but for RSA.
	#[benchmark]
	fn verify_p256() {
		let (pair, public) = p256_pair(1);
		let signature = sign_p256(&pair, b"message");
		let is_valid;

		#[block]
		{
			is_valid =
				crypto::is_well_formed(&public) && crypto::verify(&public, b"message", &signature);
		}

		assert!(is_valid);
	}

	/// RSA-4096 by the scheme that is tried last.
	#[benchmark]
	fn verify_rsa() {
		let (public, signature) = rsa_proof(b"message");
		let is_valid;

		#[block]
		{
			is_valid =
				crypto::is_well_formed(&public) && crypto::verify(&public, b"message", &signature);
		}

		assert!(is_valid);
	}

	#[benchmark]
	fn authorize_own_key() -> Result<(), BenchmarkError> {
		let (_, organisation) = member::<T>();
		open_policy::<T>(organisation);
		let registrant = Registrant::Device;
		let (_, old, key, consent) = replacement::<T>(registrant, organisation);
		let (grace, expires_at) = (MAX_GRACE, expires_at::<T>());
		let call = Call::<T>::replace_own_key { old, key, grace, consent, expires_at };

		#[block]
		{
			call.authorize(TransactionSource::External)
				.ok_or("the call has an authorization")??;
		}

		Ok(())
	}

	#[benchmark]
	fn add_own_key() {
		let (_, organisation) = member::<T>();
		open_policy::<T>(organisation);
		let Call::add_own_key { device, key, consent, expires_at } = addition::<T>(organisation)
		else {
			unreachable!("it is an addition")
		};
		let id = key.id(device);

		#[extrinsic_call]
		_(frame_system::Origin::<T>::Authorized, device, key, consent, expires_at);

		assert!(DeviceKeys::<T>::get(device).contains(&id));
	}

	#[benchmark]
	fn replace_own_key() {
		let (_, organisation) = member::<T>();
		open_policy::<T>(organisation);
		let (_, old, key, consent) = replacement::<T>(Registrant::Device, organisation);

		#[extrinsic_call]
		_(frame_system::Origin::<T>::Authorized, old, key, MAX_GRACE, consent, expires_at::<T>());

		assert!(Keys::<T>::get(old).unwrap().superseded_at.is_some());
	}

	#[benchmark]
	fn replace_key() {
		let (who, organisation) = member::<T>();
		open_policy::<T>(organisation);
		let registrant = Registrant::Account(who.clone().into());
		let (_, old, key, consent) = replacement::<T>(registrant, organisation);

		#[extrinsic_call]
		_(RawOrigin::Signed(who), old, key, MAX_GRACE, consent, expires_at::<T>());

		assert!(Keys::<T>::get(old).unwrap().superseded_at.is_some());
	}

	#[benchmark]
	fn announce_next_key() {
		let (who, organisation) = member::<T>();
		let registrant = Registrant::Account(who.clone().into());
		let (key, commitment, consent) = announcement::<T>(registrant, organisation);

		#[extrinsic_call]
		_(RawOrigin::Signed(who), key, commitment, consent, expires_at::<T>());

		assert!(NextKeys::<T>::contains_key(key));
	}

	#[benchmark]
	fn authorize_own_announcement() -> Result<(), BenchmarkError> {
		let (_, organisation) = member::<T>();
		open_policy::<T>(organisation);
		let (key, commitment, consent) = announcement::<T>(Registrant::Device, organisation);
		let expires_at = expires_at::<T>();
		let call = Call::<T>::announce_own_key { key, commitment, consent, expires_at };

		#[block]
		{
			call.authorize(TransactionSource::External)
				.ok_or("the call has an authorization")??;
		}

		Ok(())
	}

	#[benchmark]
	fn announce_own_key() {
		let (_, organisation) = member::<T>();
		open_policy::<T>(organisation);
		let (key, commitment, consent) = announcement::<T>(Registrant::Device, organisation);

		#[extrinsic_call]
		_(frame_system::Origin::<T>::Authorized, key, commitment, consent, expires_at::<T>());

		assert!(NextKeys::<T>::contains_key(key));
	}

	#[benchmark]
	fn authorize_reveal() -> Result<(), BenchmarkError> {
		let (_, organisation) = member::<T>();
		open_policy::<T>(organisation);
		let call = reveal::<T>(organisation);

		#[block]
		{
			call.authorize(TransactionSource::External)
				.ok_or("the call has an authorization")??;
		}

		Ok(())
	}

	#[benchmark]
	fn reveal_next_key() {
		let (_, organisation) = member::<T>();
		open_policy::<T>(organisation);
		let Call::reveal_next_key { old, key, next, expires_at } = reveal::<T>(organisation) else {
			unreachable!("it is a reveal")
		};
		let id = KeyId::of(&key.public);

		#[extrinsic_call]
		_(frame_system::Origin::<T>::Authorized, old, key, next, expires_at);

		assert!(NextKeys::<T>::contains_key(id));
	}

	/// The first keys of a device, while the queue is full but for one that has expired.
	#[benchmark]
	fn request_keys(k: Linear<1, MAX_KEYS_PER_ENROLMENT>) {
		let (who, organisation) = member::<T>();
		open_policy::<T>(organisation);
		let expired = fill_queue::<T>(organisation);
		let device = DeviceId::from_name(organisation, DEVICE);
		let registrant = Registrant::Account(who.clone().into());
		let keys: Vec<NewKey> =
			(0..k).map(|n| new_key::<T>(registrant, device, n, u64::from(n))).collect();
		let keys = keys.try_into().expect("no more keys than fit");

		#[extrinsic_call]
		_(RawOrigin::Signed(who), organisation, device_name(DEVICE), keys, None, expires_at::<T>());

		assert!(!Requests::<T>::contains_key(expired));
	}

	#[benchmark]
	fn approve_request() {
		let (who, organisation) = member::<T>();
		open_policy::<T>(organisation);
		fill_queue::<T>(organisation);
		let request = RequestQueues::<T>::get(organisation).last().unwrap().id;
		let device = Requests::<T>::get(request).unwrap().device();

		#[extrinsic_call]
		_(RawOrigin::Signed(who), request);

		assert!(Devices::<T>::contains_key(device));
	}

	#[benchmark]
	fn reject_request() {
		let (who, organisation) = member::<T>();
		fill_queue::<T>(organisation);
		let request = RequestQueues::<T>::get(organisation).last().unwrap().id;

		#[extrinsic_call]
		_(RawOrigin::Signed(who), request, Rejection::KeysDiffer);

		assert!(!Requests::<T>::contains_key(request));
	}

	/// The proof of an RSA-4096 key.
	#[benchmark]
	fn authorize_compromise() -> Result<(), BenchmarkError> {
		let (_, organisation) = member::<T>();
		let device = DeviceId::from_name(organisation, DEVICE);
		let genesis = frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::zero()).into();
		let (public, _) = rsa_proof(b"");
		let key = KeyId::of(&public);
		let (_, proof) = rsa_proof(&SigningContext::compromise(genesis, key).payload());
		create_device::<T>(device, organisation, DEVICE, [(KeyPurpose::Tls, public)]);
		let call = Call::<T>::report_compromise { what: Compromised::Key(key), proof };

		#[block]
		{
			call.authorize(TransactionSource::External)
				.ok_or("the call has an authorization")??;
		}

		Ok(())
	}

	/// `d` devices with `k` Ed25519 keys in all.
	#[benchmark]
	fn register_batch(
		d: Linear<1, MAX_DEVICES_PER_BATCH>,
		k: Linear<MAX_DEVICES_PER_BATCH, { 2 * MAX_DEVICES_PER_BATCH }>,
	) {
		let (who, organisation) = member::<T>();
		open_policy::<T>(organisation);
		// No device has more keys than it may.
		let k = k.min(d * MAX_KEYS_PER_ENROLMENT);
		let devices = new_devices::<T>(&who, organisation, d, k);
		let devices = devices.try_into().expect("no more devices than fit");

		#[extrinsic_call]
		_(RawOrigin::Signed(who), organisation, devices, expires_at::<T>());

		assert_eq!(Keys::<T>::iter_keys().count() as u32, k);
	}

	#[benchmark]
	fn revoke_keys(n: Linear<1, MAX_REVOCATIONS_PER_BATCH>) {
		let (who, organisation) = member::<T>();
		let keys: Vec<KeyId> = devices_with_keys::<T>(organisation, n)
			.into_iter()
			.map(|(_, key)| key)
			.collect();
		let last = *keys.last().unwrap();

		#[extrinsic_call]
		_(RawOrigin::Signed(who), keys.try_into().unwrap(), RevocationReason::Unspecified);

		assert!(Keys::<T>::get(last).unwrap().revocation.is_some());
	}

	#[benchmark]
	fn revoke_devices(n: Linear<1, MAX_REVOCATIONS_PER_BATCH>) {
		let (who, organisation) = member::<T>();
		let devices: Vec<DeviceId> = devices_with_keys::<T>(organisation, n)
			.into_iter()
			.map(|(device, _)| device)
			.collect();
		let last = *devices.last().unwrap();

		#[extrinsic_call]
		_(RawOrigin::Signed(who), devices.try_into().unwrap(), REASON);

		assert!(Devices::<T>::get(last).unwrap().revocation.is_some());
	}

	impl_benchmark_test_suite!(Pallet, crate::tests::mock::ext(), crate::tests::mock::Test);
}
