//! Benchmarks: every call at its longest path and with its largest arguments.

use crate::{
	Acknowledgements, Approvals, Call, Config, Deliveries, DirectBlob, DirectPublish, Envelope,
	Pallet, Proposals, acknowledgement::Statement,
};
use alloc::{vec, vec::Vec};
use core::hint::black_box;
use dpki_primitives::{
	approval::MAX_APPROVALS,
	context::MAX_SIGNATURE_LIFETIME,
	delivery::{
		Acknowledgement, MAX_BLOB_LEN, MAX_RECIPIENTS, MIN_BLOB_LEN, Outcome, Recipient,
		Recipients, RefusalReason, Suite,
	},
	economy::Economy,
	ids::{BlobDigest, DeviceId, KeyId, OrganisationId},
	key::{KeyType, PublicKey, Signature},
	organisation::{DeliveryPolicies, Organisations},
	registry::Registry,
};
use frame_benchmarking::v2::*;
use frame_support::{
	dispatch::{DispatchInfo, PostDispatchInfo},
	pallet_prelude::TransactionSource,
	traits::{Authorize, IsSubType, Time},
};
use frame_system::{Pallet as System, RawOrigin};
use sp_core::crypto::KeyTypeId;
use sp_runtime::traits::{AsTransactionAuthorizedOrigin, DispatchTransaction, Dispatchable};

/// Under which the keystore keeps the keys of these benchmarks.
const BENCHMARK_KEYS: KeyTypeId = KeyTypeId(*b"dlvr");

/// The key, the message and the signature of RFC 6979 section A.2.5 (P-256, SHA-256, "sample").
///
/// No keystore makes P-256 signatures, whose verification is the dearest of all. So the acknowledgement that is
/// authorised here is signed with Ed25519, and this signature is verified beside it: the sum is above any single one.
const P256_PUBLIC: [u8; 33] =
	sp_core::hex2array!("0360fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6");
const P256_MESSAGE: &[u8] = b"sample";
const P256_SIGNATURE: [u8; 64] = sp_core::hex2array!(
	"efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"
);

/// A device with a signing key that the keystore holds, and a publisher for it.
struct Scene<T: Config> {
	publisher: T::AccountId,
	organisation: OrganisationId,
	device: DeviceId,
	signing: sp_core::ed25519::Public,
	signing_id: KeyId,
	recipient: KeyId,
}

fn scene<T: Config>() -> Scene<T> {
	let publisher: T::AccountId = whitelisted_caller();
	let organisation = T::Organisations::create_for_benchmark(b"acme", &publisher);
	T::Economy::endow_for_benchmark(&publisher);
	let signing = sp_io::crypto::ed25519_generate(BENCHMARK_KEYS, None);
	let key = |key_type, bytes: &[u8]| {
		PublicKey::new(key_type, bytes).expect("the bytes have the length of the type")
	};
	let signing_key = key(KeyType::Ed25519, &signing.0);
	// The base point of Curve25519: a public key that every check of X25519 keys accepts.
	let mut base_point = [0; 32];
	base_point[0] = 9;
	let agreement_key = key(KeyType::X25519, &base_point);
	let (signing_id, recipient) = (KeyId::of(&signing_key), KeyId::of(&agreement_key));
	let device =
		T::Registry::enrol_for_benchmark(organisation, b"drone-7", signing_key, agreement_key);
	// A note is for one extrinsic of one block. The bencher starts without any extrinsic and leaves block 0 between the
	// note and the call.
	System::<T>::set_block_number(1u32.into());
	System::<T>::set_extrinsic_index(0);
	Scene { publisher, organisation, device, signing, signing_id, recipient }
}

impl<T: Config> Scene<T> {
	/// Publishes delivery number `sequence` with an envelope of `length` bytes.
	fn publish(&self, sequence: u64, length: u32) -> BlobDigest {
		Pallet::<T>::note_direct_publish();
		Pallet::<T>::publish(
			RawOrigin::Signed(self.publisher.clone()).into(),
			self.device,
			sequence,
			Suite::X25519ChaCha20Poly1305,
			self.recipient,
			envelope(length),
		)
		.expect("a publisher publishes for a valid device");
		BlobDigest::of(&envelope(length))
	}

	/// A delivery that the device refused at first and acknowledges now: the longest way through the rules.
	fn acknowledgement(&self) -> Call<T> {
		let (sequence, outcome) = (1, Outcome::Applied);
		let digest = self.publish(sequence, MIN_BLOB_LEN);
		let at = T::Time::now();
		Acknowledgements::<T>::insert(
			self.device,
			Acknowledgement {
				sequence,
				digest,
				outcome: Outcome::Refused(RefusalReason::ApplyFailed),
				at,
			},
		);
		let expires_at = at + MAX_SIGNATURE_LIFETIME;
		let (device, key) = (self.device, self.signing_id);
		let payload =
			Statement { device, sequence, digest, outcome, key, expires_at }.payload::<T>();
		let signature = sp_io::crypto::ed25519_sign(BENCHMARK_KEYS, &self.signing, &payload)
			.expect("the keystore holds the key that it has just made");
		let signature = Signature::truncate_from(signature.0.to_vec());
		Call::acknowledge { device, sequence, digest, outcome, key, expires_at, signature }
	}
}

fn envelope(length: u32) -> Envelope {
	Envelope::truncate_from(vec![0xA5; length as usize])
}

fn p256_public() -> PublicKey {
	PublicKey::new(KeyType::P256, &P256_PUBLIC).expect("the bytes have the length of the type")
}

#[benchmarks(where
	T: Send + Sync,
	T::RuntimeCall: Dispatchable<Info = DispatchInfo, PostInfo = PostDispatchInfo>
		+ From<Call<T>>
		+ IsSubType<Call<T>>,
	T::RuntimeOrigin: AsTransactionAuthorizedOrigin,
)]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn publish(n: Linear<MIN_BLOB_LEN, MAX_BLOB_LEN>) {
		let scene = scene::<T>();
		scene.publish(1, MIN_BLOB_LEN);
		let envelope = envelope(n);
		Pallet::<T>::note_direct_publish();

		#[extrinsic_call]
		_(
			RawOrigin::Signed(scene.publisher.clone()),
			scene.device,
			2,
			Suite::X25519ChaCha20Poly1305,
			scene.recipient,
			envelope,
		);

		assert_eq!(Deliveries::<T>::get(scene.device).map(|record| record.sequence), Some(2));
	}

	#[benchmark]
	fn acknowledge() -> Result<(), BenchmarkError> {
		let scene = scene::<T>();
		let call: T::RuntimeCall = scene.acknowledgement().into();

		#[block]
		{
			call.dispatch(frame_system::Origin::<T>::Authorized.into())
				.map_err(|e| e.error)?;
		}

		assert_eq!(
			Acknowledgements::<T>::get(scene.device).map(|ack| ack.outcome),
			Some(Outcome::Applied)
		);
		Ok(())
	}

	#[benchmark]
	fn authorize_acknowledge() -> Result<(), BenchmarkError> {
		let call = scene::<T>().acknowledgement();
		let p256 = p256_public();

		#[block]
		{
			black_box(T::Registry::verify(&p256, P256_MESSAGE, &P256_SIGNATURE));
			call.authorize(TransactionSource::External)
				.ok_or("an acknowledgement authorises itself")??;
		}

		Ok(())
	}

	/// The last approval of so many, all of which are counted again.
	#[benchmark]
	fn approve(a: Linear<0, { MAX_APPROVALS - 1 }>) {
		let scene = scene::<T>();
		let watchdogs: Vec<[u8; 32]> = (0..=a).map(|index| [index as u8 + 1; 32]).collect();
		T::Policies::watch_for_benchmark(scene.organisation, &watchdogs);
		let digest = scene.publish(1, MIN_BLOB_LEN);
		for watchdog in &watchdogs[1..] {
			let origin = RawOrigin::Signed(T::AccountId::from(*watchdog)).into();
			Pallet::<T>::approve(origin, scene.device, 1, digest)
				.expect("a watchdog approves what waits");
		}

		#[extrinsic_call]
		_(RawOrigin::Signed(T::AccountId::from(watchdogs[0])), scene.device, 1, digest);

		let approved = Approvals::<T>::get(scene.device).map(|record| record.by.len());
		assert_eq!(approved, Some(watchdogs.len()));
	}

	#[benchmark]
	fn publish_shared(r: Linear<1, MAX_RECIPIENTS>, n: Linear<MIN_BLOB_LEN, MAX_BLOB_LEN>) {
		let scene = scene::<T>();
		let suite = Suite::SharedX25519;
		let recipients: Vec<Recipient> = (1..=r)
			.map(|number| {
				let bytes = |prefix: u8| {
					let mut bytes = [prefix; 32];
					bytes[..4].copy_from_slice(&number.to_le_bytes());
					bytes
				};
				let key = |key_type, bytes: [u8; 32]| {
					PublicKey::new(key_type, &bytes).expect("the bytes have the length of the type")
				};
				let agreement = key(KeyType::X25519, bytes(1));
				let id = KeyId::of(&agreement);
				let name = alloc::format!("drone-{number}-of-many");
				let device = T::Registry::enrol_for_benchmark(
					scene.organisation,
					name.as_bytes(),
					key(KeyType::Ed25519, bytes(2)),
					agreement,
				);
				Recipient { device, sequence: 1, key: id }
			})
			.collect();
		let last = recipients[recipients.len() - 1];
		let recipients = Recipients::truncate_from(recipients);
		let envelope = envelope(n.max(suite.min_len() + (r - 1) * suite.slot_len()));
		Pallet::<T>::note_direct_publish();

		#[extrinsic_call]
		_(RawOrigin::Signed(scene.publisher.clone()), suite, recipients, envelope);

		assert!(Deliveries::<T>::contains_key(last.device));
	}

	#[benchmark]
	fn withdraw() {
		let scene = scene::<T>();
		T::Policies::watch_for_benchmark(scene.organisation, &[[1; 32]]);
		let digest = scene.publish(1, MIN_BLOB_LEN);

		#[extrinsic_call]
		_(RawOrigin::Signed(scene.publisher.clone()), scene.device, 1, digest);

		assert!(!Proposals::<T>::contains_key(scene.device));
	}

	#[benchmark]
	fn direct_blob() {
		let scene = scene::<T>();
		let call: T::RuntimeCall = Call::<T>::publish {
			device: scene.device,
			sequence: 1,
			suite: Suite::X25519ChaCha20Poly1305,
			recipient: scene.recipient,
			envelope: envelope(MIN_BLOB_LEN),
		}
		.into();
		let origin = RawOrigin::Signed(scene.publisher.clone());
		let info = DispatchInfo::default();

		#[block]
		{
			// The call leaves the note where it is, as one does that fails.
			DirectBlob::<T>::new()
				.test_run(origin.into(), &call, &info, 0, 0, |_| Ok(().into()))
				.expect("the extension accepts every transaction")
				.expect("the substitute for the call succeeds");
		}

		assert!(!DirectPublish::<T>::exists());
	}

	impl_benchmark_test_suite!(
		Pallet,
		crate::tests::mock::new_test_ext(),
		crate::tests::mock::Test
	);
}
