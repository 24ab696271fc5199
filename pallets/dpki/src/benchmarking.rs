//! Benchmarks, each of the worst case of its call.
//!
//! What the chain verifies is signed here honestly, over the payload of the chain that the benchmark runs on: Ed25519
//! by the keystore of the host, the other algorithms by the crates that verify them, deterministically and outside
//! of what is measured.
//!
//! The keys of devices are P-256 keys: their verification is the dearest that the host does for a device key. An X25519
//! key costs a cheaper one and the conversion of a point in the runtime; that the sum is less has to be seen whenever
//! weights are measured.

use super::*;
use crate::{crypto, fixtures};
use alloc::vec::Vec;
use dpki_primitives::{
	Moment,
	anchor::{AnchorKind, AnchorMaterial, AnchorRecord, MAX_ANCHORS_PER_ORGANISATION},
	context::{Action, Registrant},
	device::{MAX_KEYS_PER_DEVICE, MAX_KEYS_PER_ENROLMENT},
	ids::{AnchorId, DeviceId, KeyId, Name, OrganisationId, VoucherCommitment, VoucherId},
	key::{Consent, KeyPurpose, NewKey, PublicKey, Signature},
	organisation::Organisations,
	revocation::{RevocationReason, SSH_REVOCATIONS_PER_PAGE, SshSubject},
	status::Validity,
	voucher::{VoucherRecord, VoucherState},
};
use frame_benchmarking::v2::*;
use frame_support::pallet_prelude::{Authorize, TransactionSource};
use frame_system::RawOrigin;
use p256::ecdsa::signature::Signer;
use rsa::{
	Pkcs1v15Sign, RsaPrivateKey,
	pkcs1::DecodeRsaPrivateKey,
	sha2::{Digest, Sha512},
};
use sp_core::crypto::KeyTypeId;

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
	let keys = keys.into_iter().map(|(purpose, public)| NewKey {
		purpose,
		public,
		not_after: None,
		possession: Default::default(),
	});
	Pallet::<T>::create_device(device, organisation, device_name(name), keys, Pallet::<T>::now())
		.expect("no more keys than fit");
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

	let purpose = KeyPurpose::Sign;
	let keys: Vec<NewKey> = (0..count)
		.map(|n| {
			let (pair, public) = p256_pair(n);
			let payload =
				possession_payload::<T>(registrant, device, purpose, &public, u64::from(n));
			let possession = sign_p256(&pair, &payload);
			NewKey { purpose, public, not_after: None, possession }
		})
		.collect();

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

	/// A P-256 key that fills the list of its device, with the consent of another one.
	#[benchmark]
	fn register_key() {
		let (who, organisation) = member::<T>();
		let count = MAX_KEYS_PER_DEVICE - 1;
		let device = device_with_keys::<T>(organisation, count);
		let registrant = Registrant::Account(who.clone().into());
		let purpose = KeyPurpose::Sign;
		let nonce = u64::from(count);
		let (pair, public) = p256_pair(count);
		let payload = possession_payload::<T>(registrant, device, purpose, &public, nonce);
		let possession = sign_p256(&pair, &payload);

		let (consenting, consenting_public) = p256_pair(count - 1);
		let key = KeyId::of(&public);
		let action = Action::AdmitKey { registrant, device, purpose, key, not_after: None };
		let payload = Pallet::<T>::payload(action, nonce, expires_at::<T>());
		let consent = Consent {
			key: KeyId::of(&consenting_public),
			signature: sign_p256(&consenting, &payload),
		};
		let key = NewKey { purpose, public, not_after: None, possession };

		#[extrinsic_call]
		_(RawOrigin::Signed(who), device, key, consent, expires_at::<T>());

		assert_eq!(DeviceKeys::<T>::get(device).len() as u32, count + 1);
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

	impl_benchmark_test_suite!(Pallet, crate::tests::mock::ext(), crate::tests::mock::Test);
}
