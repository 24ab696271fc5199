//! Benchmarks, each of the worst case of its call.
//!
//! What the chain verifies is signed here honestly, over the payload of the chain that the benchmark runs on: Ed25519
//! by the keystore of the host, the other algorithms by the crates that verify them, deterministically and outside
//! of what is measured.
//!
//! The keys of devices are P-256 keys: their verification is the dearest that the host does for a device key. An X25519
//! key costs a cheaper one and the conversion of a point in the runtime; that the sum is less has to be seen whenever
//! weights are measured.

mod anchors;
mod keys;
mod prelude;
mod setup;

use super::*;
use crate::{crypto, fixtures, migrations::v2::MigrateV1ToV2};
use anchors::*;
use prelude::*;
pub(crate) use setup::enrol_unchecked;
use setup::*;

const KEYSTORE: KeyTypeId = KeyTypeId(*b"dpki");
const DEVICE: &[u8] = b"device";
const REASON: RevocationReason = RevocationReason::KeyCompromise;

#[benchmarks]
mod benchmarks {
	use super::{keys::*, *};

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
		let origin = RawOrigin::Signed(who);

		#[extrinsic_call]
		register_anchor(origin, organisation, kind, material, possession, expires_at::<T>());

		assert!(Anchors::<T>::contains_key(anchor));
	}

	#[benchmark]
	fn register_rsa_anchor() {
		let RootToRegister { origin, organisation, material, possession, anchor } =
			root_to_register::<T>(&fixtures::RSA4096_ROOT, rsa_possession::<T>);
		let kind = AnchorKind::X509Root;

		#[extrinsic_call]
		register_anchor(origin, organisation, kind, material, possession, expires_at::<T>());

		assert!(Anchors::<T>::contains_key(anchor));
	}

	#[benchmark]
	fn register_p384_anchor() {
		let RootToRegister { origin, organisation, material, possession, anchor } =
			root_to_register::<T>(&fixtures::P384_ROOT, p384_possession::<T>);
		let kind = AnchorKind::X509Root;

		#[extrinsic_call]
		register_anchor(origin, organisation, kind, material, possession, expires_at::<T>());

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

	/// As many anchors as a key can have, in organisations of their own with full lists, each with a payer of its own.
	#[benchmark]
	fn revoke_anchor() {
		let (who, organisation) = member::<T>();
		let anchor = anchor_of_the_most::<T>(organisation);

		#[extrinsic_call]
		_(RawOrigin::Signed(who), anchor, REASON);

		assert_eq!(RevokedAnchorKeys::<T>::iter_keys().count(), 1);
		assert_eq!(
			OrganisationAnchors::<T>::decode_len(organisation),
			Some(MAX_ANCHORS_PER_ORGANISATION as usize - 1)
		);
	}

	/// The last entry of a page: the largest value that is read and written.
	#[benchmark]
	fn revoke_ssh() {
		let (who, organisation) = member::<T>();
		let anchor = fill_anchors::<T>(organisation, 1);
		revoke_but_one::<T>(&who, anchor);

		#[extrinsic_call]
		_(RawOrigin::Signed(who), anchor, SshSubject::KeyFingerprint([1; 32]), REASON);

		assert_eq!(SshRevocationCount::<T>::get(anchor), SSH_REVOCATIONS_PER_PAGE);
	}

	#[benchmark]
	fn issue_voucher() {
		let (who, organisation) = member::<T>();
		let commitment = VoucherCommitment([1; 32]);
		let (name, expires_at) = (device_name(&[b'a'; 63]), expires_at::<T>());

		#[extrinsic_call]
		_(RawOrigin::Signed(who), organisation, commitment, name, expires_at);

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
			authorize(&call)?;
		}

		Ok(())
	}

	#[benchmark]
	fn enrol(k: Linear<1, MAX_KEYS_PER_ENROLMENT>) -> Result<(), BenchmarkError> {
		let call = enrolment::<T>(k);

		#[block]
		{
			carry_out(call)?;
		}

		assert_eq!(Keys::<T>::iter_keys().count() as u32, k);
		Ok(())
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
		hold_from_another::<T>(0, Resource::Key(key));

		#[extrinsic_call]
		_(RawOrigin::Signed(who), key, REASON);

		assert!(Keys::<T>::get(key).unwrap().withdrawal.is_revoked());
	}

	#[benchmark]
	fn revoke_device() {
		let (origin, device, _) = own_device::<T>();
		hold_from_another::<T>(0, Resource::Device(device));

		#[extrinsic_call]
		_(origin, device, REASON);

		assert!(Devices::<T>::get(device).unwrap().withdrawal.is_revoked());
	}

	/// An intermediate at the bottom of the deepest tree.
	#[benchmark]
	fn register_rsa_authority() {
		let AuthorityToRegister { origin, organisation, basis, material, possession, anchor } =
			authority_to_register::<T>(fixtures::RSA4096_AUTHORITY, rsa_possession::<T>);

		#[extrinsic_call]
		register_authority(origin, organisation, basis, material, possession, expires_at::<T>());

		assert!(Anchors::<T>::contains_key(anchor));
	}

	/// An intermediate at the bottom of the deepest tree.
	#[benchmark]
	fn register_p384_authority() {
		let AuthorityToRegister { origin, organisation, basis, material, possession, anchor } =
			authority_to_register::<T>(fixtures::P384_AUTHORITY, p384_possession::<T>);

		#[extrinsic_call]
		register_authority(origin, organisation, basis, material, possession, expires_at::<T>());

		assert!(Anchors::<T>::contains_key(anchor));
	}

	#[benchmark]
	fn adopt_rsa_authority() -> Result<(), BenchmarkError> {
		let (origin, basis, material, anchor) = adoption::<T>(fixtures::RSA4096_AUTHORITY)?;

		#[extrinsic_call]
		adopt_authority(origin as T::RuntimeOrigin, basis, material);

		assert!(Anchors::<T>::contains_key(anchor));
		Ok(())
	}

	#[benchmark]
	fn adopt_p384_authority() -> Result<(), BenchmarkError> {
		let (origin, basis, material, anchor) = adoption::<T>(fixtures::P384_AUTHORITY)?;

		#[extrinsic_call]
		adopt_authority(origin as T::RuntimeOrigin, basis, material);

		assert!(Anchors::<T>::contains_key(anchor));
		Ok(())
	}

	#[benchmark]
	fn plan_rollover() {
		let (who, organisation) = member::<T>();
		let successor = deepest_authority::<T>(organisation, fixtures::P384_AUTHORITY);
		let anchor = root::<T>(organisation, false);

		#[extrinsic_call]
		_(RawOrigin::Signed(who), anchor, successor, expires_at::<T>());

		assert_eq!(Anchors::<T>::get(anchor).unwrap().successor, Some(successor));
	}

	#[benchmark]
	fn cancel_rollover() {
		let (who, organisation) = member::<T>();
		let anchor = fill_anchors::<T>(organisation, 1);
		plan_end::<T>(anchor);

		#[extrinsic_call]
		_(RawOrigin::Signed(who), anchor);

		assert!(Anchors::<T>::get(anchor).unwrap().retired_at.is_none());
	}

	#[benchmark]
	fn suspend_anchor() {
		let (who, organisation) = member::<T>();
		let anchor = root::<T>(organisation, false);

		#[extrinsic_call]
		_(RawOrigin::Signed(who), anchor);

		assert!(Anchors::<T>::get(anchor).unwrap().suspended);
	}

	#[benchmark]
	fn release_anchor() {
		let (who, organisation) = member::<T>();
		let anchor = root::<T>(organisation, true);

		#[extrinsic_call]
		_(RawOrigin::Signed(who), anchor);

		assert!(!Anchors::<T>::get(anchor).unwrap().suspended);
	}

	#[benchmark]
	fn set_crl_pointer() {
		let (who, organisation) = member::<T>();
		let anchor = root::<T>(organisation, false);
		let pointer = longest_crl_pointer();

		#[extrinsic_call]
		_(RawOrigin::Signed(who), anchor, Some(pointer.clone()));

		assert_eq!(CrlPointers::<T>::get(anchor), Some(pointer));
	}

	/// A root of version 1 whose key was revoked with another one, which takes it off the list of its organisation.
	#[benchmark]
	fn migrate_anchor() {
		let (_, organisation) = member::<T>();
		let last = fill_anchors::<T>(organisation, MAX_ANCHORS_PER_ORGANISATION);
		put_old_record::<T>(last);

		#[block]
		{
			MigrateV1ToV2::<T>::migrate(last);
		}

		assert!(Anchors::<T>::get(last).unwrap().revocation.is_some());
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
			is_valid = verifies(&public, &signature);
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
			is_valid = verifies(&public, &signature);
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
			authorize(&call)?;
		}

		Ok(())
	}

	#[benchmark]
	fn add_own_key() -> Result<(), BenchmarkError> {
		let (_, organisation) = member::<T>();
		open_policy::<T>(organisation);
		let call = addition::<T>(organisation);
		let before = Keys::<T>::iter_keys().count();

		#[block]
		{
			carry_out(call)?;
		}

		assert_eq!(Keys::<T>::iter_keys().count(), before + 1);
		Ok(())
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
			authorize(&call)?;
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
	fn authorize_own_revocation() -> Result<(), BenchmarkError> {
		let (_, organisation) = member::<T>();
		open_policy::<T>(organisation);
		let call = renunciation::<T>(organisation);

		#[block]
		{
			authorize(&call)?;
		}

		Ok(())
	}

	#[benchmark]
	fn revoke_own_key() -> Result<(), BenchmarkError> {
		let (_, organisation) = member::<T>();
		open_policy::<T>(organisation);
		let call = renunciation::<T>(organisation);
		let key = KeyId::of(&p256_pair(0).1);

		#[block]
		{
			carry_out(call)?;
		}

		assert!(Keys::<T>::get(key).unwrap().withdrawal.is_revoked());
		Ok(())
	}

	#[benchmark]
	fn clear_expired_voucher() -> Result<(), BenchmarkError> {
		let (who, organisation) = member::<T>();
		let voucher = VoucherId([1; 32]);
		open_voucher::<T>(&who, organisation, voucher);
		let_expire::<T>();

		#[block]
		{
			carry_out(Call::<T>::clear_expired_voucher { voucher })?;
		}

		assert!(!Vouchers::<T>::contains_key(voucher));
		Ok(())
	}

	#[benchmark]
	fn authorize_reveal() -> Result<(), BenchmarkError> {
		let (_, organisation) = member::<T>();
		open_policy::<T>(organisation);
		let call = reveal::<T>(organisation);

		#[block]
		{
			authorize(&call)?;
		}

		Ok(())
	}

	#[benchmark]
	fn reveal_next_key() -> Result<(), BenchmarkError> {
		let (_, organisation) = member::<T>();
		open_policy::<T>(organisation);
		let call = reveal::<T>(organisation);
		let before = Keys::<T>::iter_keys().count();

		#[block]
		{
			carry_out(call)?;
		}

		assert_eq!(Keys::<T>::iter_keys().count(), before + 1);
		Ok(())
	}

	/// The first keys of a device, while the queue is full but for one that has expired.
	#[benchmark]
	fn request_keys(k: Linear<1, MAX_KEYS_PER_ENROLMENT>) {
		let (who, organisation) = member::<T>();
		open_policy::<T>(organisation);
		let expired = fill_queue::<T>(organisation);
		let device = DeviceId::from_name(organisation, DEVICE);
		let registrant = Registrant::Account(who.clone().into());
		let keys = (0..k).map(|n| new_key::<T>(registrant, device, n, u64::from(n)));
		let keys = keys.collect::<Vec<_>>().try_into().expect("no more keys than fit");

		#[extrinsic_call]
		_(RawOrigin::Signed(who), organisation, device_name(DEVICE), keys, None, expires_at::<T>());

		assert!(!Requests::<T>::contains_key(expired));
	}

	#[benchmark]
	fn approve_request() {
		let (who, organisation) = member::<T>();
		open_policy::<T>(organisation);
		let request = newest_request::<T>(organisation);
		let device = Requests::<T>::get(request).unwrap().device();

		#[extrinsic_call]
		_(RawOrigin::Signed(who), request);

		assert!(Devices::<T>::contains_key(device));
	}

	#[benchmark]
	fn reject_request() {
		let (who, organisation) = member::<T>();
		let request = newest_request::<T>(organisation);

		#[extrinsic_call]
		_(RawOrigin::Signed(who), request, Rejection::KeysDiffer);

		assert!(!Requests::<T>::contains_key(request));
	}

	/// The proof of an RSA-4096 key.
	#[benchmark]
	fn authorize_compromise() -> Result<(), BenchmarkError> {
		let (_, organisation) = member::<T>();
		let (key, proof) = leaked_rsa_key::<T>(organisation);

		// Whoever reports this pays, so it is not verified by the authorisation, whose weight stands for it.
		#[block]
		{
			Pallet::<T>::verify_compromise(&Compromised::Key(key), &proof)
				.map_err(|_| "the key has signed it")?;
		}

		Ok(())
	}

	/// A key that is registered as nothing, without its proof.
	#[benchmark]
	fn note_compromise() {
		let key = PublicKey::new(KeyType::P256, &[2; 33]).expect("it has the length of a key");
		let id = KeyId::of(&key);

		#[block]
		{
			Pallet::<T>::do_report_compromise(Compromised::Public(key)).expect("it was not known");
		}

		assert!(T::CompromisedKeys::is_compromised(id));
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

	/// Each of a device of its own in an organisation of its own, with a payer of its own.
	#[benchmark]
	fn revoke_keys(n: Linear<1, MAX_REVOCATIONS_PER_BATCH>) {
		let who: T::AccountId = whitelisted_caller();
		let (_, keys): (Vec<_>, Vec<_>) = devices_apart::<T>(&who, n).into_iter().unzip();

		#[extrinsic_call]
		_(RawOrigin::Signed(who), keys.clone().try_into().unwrap(), RevocationReason::Unspecified);

		assert!(keys.iter().all(|key| Keys::<T>::get(key).unwrap().withdrawal.is_revoked()));
	}

	/// Each in an organisation of its own, with a payer of its own.
	#[benchmark]
	fn revoke_devices(n: Linear<1, MAX_REVOCATIONS_PER_BATCH>) {
		let who: T::AccountId = whitelisted_caller();
		let (devices, _): (Vec<_>, Vec<_>) = devices_apart::<T>(&who, n).into_iter().unzip();

		#[extrinsic_call]
		_(RawOrigin::Signed(who), devices.clone().try_into().unwrap(), REASON);

		assert!(devices.iter().all(|it| Devices::<T>::get(it).unwrap().withdrawal.is_revoked()));
	}

	/// Where whoever calls it governs, which is looked up either way.
	#[benchmark]
	fn suspend_device() {
		let (origin, device, _) = own_device::<T>();

		#[extrinsic_call]
		_(origin, device, REASON);

		assert!(Devices::<T>::get(device).unwrap().withdrawal.is_on_hold());
	}

	#[benchmark]
	fn release_device() -> Result<(), BenchmarkError> {
		let (origin, device, _) = own_device::<T>();
		Pallet::<T>::suspend_device(origin.clone().into(), device, REASON)?;

		#[extrinsic_call]
		_(origin, device);

		assert!(!Devices::<T>::get(device).unwrap().withdrawal.is_on_hold());
		Ok(())
	}

	#[benchmark]
	fn suspend_key() {
		let (origin, _, key) = own_device::<T>();

		#[extrinsic_call]
		_(origin, key, REASON);

		assert!(Keys::<T>::get(key).unwrap().withdrawal.is_on_hold());
	}

	#[benchmark]
	fn release_key() -> Result<(), BenchmarkError> {
		let (origin, _, key) = own_device::<T>();
		Pallet::<T>::suspend_key(origin.clone().into(), key, REASON)?;

		#[extrinsic_call]
		_(origin, key);

		assert!(!Keys::<T>::get(key).unwrap().withdrawal.is_on_hold());
		Ok(())
	}

	impl_benchmark_test_suite!(Pallet, crate::tests::mock::ext(), crate::tests::mock::Test);
}
