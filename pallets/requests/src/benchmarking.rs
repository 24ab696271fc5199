//! Benchmarks: every call at its longest path and with its largest arguments.

use crate::{Call, Config, Contents, Filings, Pallet, WaitingCount, filing::Statement};
use alloc::vec;
use core::hint::black_box;
use dpki_primitives::{
	channel::ChannelId,
	context::MAX_SIGNATURE_LIFETIME,
	delivery::DeliveryRegister,
	filing::{FilingBody, FilingKind, FilingStanding, MAX_FILING_LEN, Objection},
	ids::{DeviceId, KeyId, MAX_NAME_LEN, Name, OrganisationId},
	key::{KeyType, PublicKey, Signature},
	organisation::Organisations,
	registry::Registry,
};
use frame_benchmarking::v2::*;
use frame_support::{
	pallet_prelude::TransactionSource,
	traits::{Authorize, Time},
};
use frame_system::RawOrigin;
use sp_core::crypto::KeyTypeId;
use sp_runtime::traits::Dispatchable;

/// On which the answers of these benchmarks come.
const CHANNEL: ChannelId = ChannelId::DEFAULT;

/// Under which the keystore keeps the keys of these benchmarks.
const BENCHMARK_KEYS: KeyTypeId = KeyTypeId(*b"rqst");

/// The key, the message and the signature of RFC 6979 section A.2.5 (P-256, SHA-256, "sample"): no keystore makes P-256
/// signatures, whose verification is the dearest of all, so one is verified beside that of the device.
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
	key: KeyId,
}

fn key(key_type: KeyType, bytes: &[u8]) -> PublicKey {
	PublicKey::new(key_type, bytes).expect("the bytes have the length of the type")
}

fn scene<T: Config>() -> Scene<T> {
	let publisher: T::AccountId = whitelisted_caller();
	let organisation = T::Organisations::create_for_benchmark(b"acme", &publisher);
	let signing = sp_io::crypto::ed25519_generate(BENCHMARK_KEYS, None);
	let public = key(KeyType::Ed25519, &signing.0);
	// The base point of Curve25519: a public key that every check of X25519 keys accepts.
	let mut base_point = [0; 32];
	base_point[0] = 9;
	let agreement = key(KeyType::X25519, &base_point);
	let id = KeyId::of(&public);
	let device = T::Registry::enrol_for_benchmark(organisation, b"drone-7", public, agreement);
	Scene { publisher, organisation, device, signing, key: id }
}

fn kind() -> FilingKind {
	FilingKind::Tls { service: Name::truncate_from(vec![b'a'; MAX_NAME_LEN as usize]) }
}

fn body() -> FilingBody {
	FilingBody::truncate_from(vec![0xA5; MAX_FILING_LEN as usize])
}

impl<T: Config> Scene<T> {
	fn statement(&self, slot: u8, number: u64) -> Statement {
		let expires_at = T::Time::now() + MAX_SIGNATURE_LIFETIME;
		let content = kind().content(&body());
		Statement { device: self.device, slot, content, number, key: self.key, expires_at }
	}

	fn sign(&self, payload: &[u8]) -> Signature {
		let signature = sp_io::crypto::ed25519_sign(BENCHMARK_KEYS, &self.signing, payload)
			.expect("the keystore holds the key that it has just made");
		Signature::truncate_from(signature.0.to_vec())
	}

	fn filing(&self, slot: u8, number: u64) -> Call<T> {
		let statement = self.statement(slot, number);
		let signature = self.sign(&statement.to_file::<T>());
		let Statement { device, key, expires_at, .. } = statement;
		let (kind, body) = (kind(), body());
		Call::file { device, slot, kind, body, number, key, expires_at, signature }
	}

	fn withdrawal(&self, slot: u8, number: u64) -> Call<T> {
		let statement = self.statement(slot, number);
		let signature = self.sign(&statement.to_withdraw::<T>());
		let Statement { device, content, key, expires_at, .. } = statement;
		Call::withdraw { device, slot, content, number, key, expires_at, signature }
	}

	/// Files in the first two slots: the second one moves when the first one ends.
	fn file_two(&self) -> [u8; 32] {
		for slot in [0, 1] {
			let statement = self.statement(slot, slot.into());
			let signature = self.sign(&[]);
			Pallet::<T>::do_file(statement, kind(), body(), signature)
				.expect("a new device has filings at hand");
		}
		kind().content(&body())
	}

	fn has_moved(&self) -> bool {
		let second = Filings::<T>::get(self.device, 1).map(|filing| filing.standing);
		WaitingCount::<T>::get(self.organisation) == 1
			&& second == Some(FilingStanding::Waiting { position: 0 })
	}
}

fn verify_p256<T: Config>() -> bool {
	T::Registry::verify(&key(KeyType::P256, &P256_PUBLIC), P256_MESSAGE, &P256_SIGNATURE)
}

#[benchmarks(where T::RuntimeCall: From<Call<T>>)]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn file() -> Result<(), BenchmarkError> {
		let scene = scene::<T>();
		// It takes the place of one that was answered, in a list that has others.
		let content = scene.file_two();
		T::Deliveries::propose_for_benchmark(scene.device, CHANNEL, 1);
		Pallet::<T>::do_answer(scene.publisher.clone(), scene.device, 0, content, CHANNEL, 1)
			.expect("it waits, and whoever answers may");
		let call: T::RuntimeCall = scene.filing(0, 2).into();

		#[block]
		{
			call.dispatch(frame_system::Origin::<T>::Authorized.into())
				.map_err(|e| e.error)?;
		}

		assert!(Contents::<T>::contains_key(scene.device, 0));
		Ok(())
	}

	#[benchmark]
	fn authorize_file() -> Result<(), BenchmarkError> {
		let call = scene::<T>().filing(0, 0);

		#[block]
		{
			black_box(verify_p256::<T>());
			call.authorize(TransactionSource::External)
				.ok_or("a filing authorises itself")??;
		}

		Ok(())
	}

	#[benchmark]
	fn withdraw() -> Result<(), BenchmarkError> {
		let scene = scene::<T>();
		scene.file_two();
		let call: T::RuntimeCall = scene.withdrawal(0, 2).into();

		#[block]
		{
			call.dispatch(frame_system::Origin::<T>::Authorized.into())
				.map_err(|e| e.error)?;
		}

		assert!(scene.has_moved());
		Ok(())
	}

	#[benchmark]
	fn authorize_withdraw() -> Result<(), BenchmarkError> {
		let scene = scene::<T>();
		scene.file_two();
		let call = scene.withdrawal(0, 2);

		#[block]
		{
			black_box(verify_p256::<T>());
			call.authorize(TransactionSource::External)
				.ok_or("a withdrawal authorises itself")??;
		}

		Ok(())
	}

	#[benchmark]
	fn answer() {
		let scene = scene::<T>();
		let content = scene.file_two();
		T::Deliveries::propose_for_benchmark(scene.device, CHANNEL, 1);

		#[extrinsic_call]
		_(RawOrigin::Signed(scene.publisher.clone()), scene.device, 0, content, CHANNEL, 1);

		assert!(scene.has_moved());
	}

	#[benchmark]
	fn refuse() {
		let scene = scene::<T>();
		let (content, objection) = (scene.file_two(), Objection::KeyUnfit);

		#[extrinsic_call]
		_(RawOrigin::Signed(scene.publisher.clone()), scene.device, 0, content, objection);

		assert!(scene.has_moved());
	}

	#[benchmark]
	fn clear() {
		let scene = scene::<T>();
		scene.file_two();
		T::Registry::revoke_for_benchmark(scene.key);

		#[extrinsic_call]
		_(RawOrigin::Signed(scene.publisher.clone()), scene.device, 0);

		assert!(scene.has_moved());
	}

	impl_benchmark_test_suite!(
		Pallet,
		crate::tests::mock::new_test_ext(),
		crate::tests::mock::Test
	);
}
