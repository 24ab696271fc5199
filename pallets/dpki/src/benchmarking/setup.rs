//! What most benchmarks start from: members, devices, proofs.

use super::*;
use dpki_primitives::voucher::VoucherRecord;
use rsa::{
	Pkcs1v15Sign, RsaPrivateKey,
	pkcs1::DecodeRsaPrivateKey,
	sha2::{Digest, Sha512},
};

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

pub(super) fn create_device<T: Config>(
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

pub(super) fn device_name(name: &[u8]) -> Name {
	name.to_vec().try_into().expect("names are short")
}

pub(super) fn expires_at<T: Config>() -> Moment {
	Pallet::<T>::now() + 1_000
}

pub(super) fn bounded(bytes: impl AsRef<[u8]>) -> Signature {
	bytes
		.as_ref()
		.to_vec()
		.try_into()
		.expect("no signature is longer than one of RSA-4096")
}

pub(super) fn member<T: Config>() -> (T::AccountId, OrganisationId) {
	let who: T::AccountId = whitelisted_caller();
	let organisation = T::Organisations::create_for_benchmark(b"organisation", &who);
	T::Economy::endow_for_benchmark(&who);
	(who, organisation)
}

/// The `n`-th P-256 key.
pub(super) fn p256_pair(n: u32) -> (p256::ecdsa::SigningKey, PublicKey) {
	let mut scalar = [1u8; 32];
	scalar[..4].copy_from_slice(&n.to_be_bytes());
	let pair = p256::ecdsa::SigningKey::from_slice(&scalar).expect("less than the order");
	let point = pair.verifying_key().to_encoded_point(false);
	let public = crypto::p256_key(point.as_bytes()).expect("a point of the curve");
	(pair, public)
}

/// The `n`-th of the keys that are stored and never verified with: of the size of a P-256 key, and no point of the curve,
/// because thousands of those take longer to make than everything that is measured.
pub(super) fn placeholder(n: u32) -> PublicKey {
	let mut bytes = [2; 33];
	bytes[1..5].copy_from_slice(&n.to_be_bytes());
	PublicKey::new(KeyType::P256, &bytes).expect("33 bytes")
}

pub(super) fn sign_p256(pair: &p256::ecdsa::SigningKey, payload: &[u8]) -> Signature {
	let signature: p256::ecdsa::Signature = pair.sign(payload);
	bounded(signature.to_bytes())
}

pub(super) fn possession_payload<T: Config>(
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

pub(super) fn anchor_payload<T: Config>(
	who: &T::AccountId,
	organisation: OrganisationId,
	kind: AnchorKind,
	material: &[u8],
) -> Vec<u8> {
	let anchor = AnchorId::of(kind, material);
	let action = Action::PossessAnchor { account: who.clone().into(), organisation, anchor };
	Pallet::<T>::payload(action, 0, expires_at::<T>())
}

pub(super) fn open_voucher<T: Config>(
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
	hold::<T>(who, Resource::Voucher(voucher));
	device
}

/// Holds the deposit for something that was stored unchecked.
pub(super) fn hold<T: Config>(who: &T::AccountId, resource: Resource) {
	T::Economy::hold(who, resource).expect("the account was endowed");
}

/// As [`hold`], for the `n`-th of several things, which all have payers of their own.
pub(super) fn hold_from_another<T: Config>(n: u32, resource: Resource) {
	let payer: T::AccountId = account("payer", n, 0);
	T::Economy::endow_for_benchmark(&payer);
	hold::<T>(&payer, resource);
}

/// An enrolment of `count` P-256 keys.
pub(super) fn enrolment<T: Config>(count: u32) -> Call<T> {
	let (who, organisation) = member::<T>();
	let voucher_key = sp_io::crypto::ed25519_generate(KEYSTORE, None);
	let voucher = VoucherId::of(organisation, &voucher_key.0);
	let device = open_voucher::<T>(&who, organisation, voucher);
	let registrant = Registrant::Voucher(voucher);

	let keys: Vec<NewKey> = (0..count)
		.map(|n| keys::new_key::<T>(registrant, device, n, u64::from(n)))
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
pub(super) fn device_with_keys<T: Config>(organisation: OrganisationId, count: u32) -> DeviceId {
	let device = DeviceId::from_name(organisation, DEVICE);
	let keys = (0..count).map(|n| (KeyPurpose::Sign, p256_pair(n).1));
	create_device::<T>(device, organisation, DEVICE, keys);
	device
}

/// The proof of possession of the RSA-4096 key that the fixtures certify.
pub(super) fn rsa_possession<T: Config>(
	who: &T::AccountId,
	organisation: OrganisationId,
	kind: AnchorKind,
	material: &[u8],
) -> Signature {
	let payload = anchor_payload::<T>(who, organisation, kind, material);
	let key = RsaPrivateKey::from_pkcs1_der(&fixtures::RSA4096_KEY).expect("it is a key");
	key.sign(Pkcs1v15Sign::new::<Sha512>(), &Sha512::digest(&payload))
		.map(bounded)
		.expect("the key signs")
}

/// The proof of possession of the P-384 key that the fixtures certify.
pub(super) fn p384_possession<T: Config>(
	who: &T::AccountId,
	organisation: OrganisationId,
	kind: AnchorKind,
	material: &[u8],
) -> Signature {
	let pair = p384::ecdsa::SigningKey::from_slice(&fixtures::P384_KEY).expect("it is a key");
	let signature: p384::ecdsa::Signature =
		pair.sign(&anchor_payload::<T>(who, organisation, kind, material));
	bounded(signature.to_bytes())
}

/// What a pool and a block do with a call that brings its own authorisation.
pub(super) fn authorize<T: Config>(call: &Call<T>) -> Result<(), BenchmarkError> {
	call.authorize(TransactionSource::External)
		.ok_or("the call has an authorization")??;
	Ok(())
}

/// What a block does with a call that has been authorised.
pub(super) fn carry_out<T: Config>(call: Call<T>) -> Result<(), BenchmarkError> {
	call.dispatch_bypass_filter(frame_system::Origin::<T>::Authorized.into())
		.map(drop)
		.map_err(|refused| refused.error.into())
}

/// Whether this is a key, and its signature of `message`.
pub(super) fn verifies(public: &PublicKey, signature: &Signature) -> bool {
	crypto::is_well_formed(public) && crypto::verify(public, b"message", signature)
}

/// A device with one key, and the origin of somebody who governs its organisation.
pub(super) fn own_device<T: Config>() -> (RawOrigin<T::AccountId>, DeviceId, KeyId) {
	let (who, organisation) = member::<T>();
	let device = device_with_keys::<T>(organisation, 1);
	let key = DeviceKeys::<T>::get(device)[0];
	(RawOrigin::Signed(who), device, key)
}

/// Lets time pass until what was made now has expired. Benchmarks start at the beginning of time, when nothing can have.
pub(super) fn let_expire<T: Config>() {
	let after = expires_at::<T>() + 1;
	frame_support::storage::unhashed::put::<Moment>(&storage_keys::now(), &after);
}
