//! Benchmarks: every call at its longest path and with its largest arguments.

use crate::{
	Acknowledgements, Approvals, Call, Channels, Config, Deliveries, DirectBlob, DirectPublish,
	Envelope, Pallet, Proposals, acknowledgement::Statement,
};
use alloc::{vec, vec::Vec};
use core::hint::black_box;
use dpki_primitives::{
	approval::{MAX_APPROVALS, PROPOSAL_LIFETIME, Proposal},
	channel::ChannelId,
	context::MAX_SIGNATURE_LIFETIME,
	delivery::{
		Acknowledgement, DeliveryRecord, MAX_BLOB_LEN, MAX_RECIPIENTS, MIN_BLOB_LEN, Outcome,
		Recipient, Recipients, RefusalReason, Suite,
	},
	economy::Economy,
	ids::{BlobDigest, DeliveryId, DeviceId, KeyId, OrganisationId},
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

/// The channel of the benchmarks, but for the one that measures a new channel.
const CHANNEL: ChannelId = ChannelId::DEFAULT;

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
			CHANNEL,
			sequence,
			Suite::X25519ChaCha20Poly1305,
			self.recipient,
			envelope(length),
		)
		.expect("a publisher publishes for a valid device");
		BlobDigest::of(&envelope(length))
	}

	/// Publishes a delivery that waits for approvals.
	fn propose(&self) -> DeliveryId {
		self.publish(1, MIN_BLOB_LEN);
		let proposal = Proposals::<T>::get(self.device, CHANNEL).expect("it waits");
		proposal.record.id(self.device, CHANNEL)
	}

	/// Has as many watchdogs approve the deliveries as can, and gives the organisation a second publisher.
	fn guard(&self) -> (T::AccountId, Vec<[u8; 32]>) {
		let other: T::AccountId = account("publisher", 0, 0);
		assert_eq!(T::Organisations::create_for_benchmark(b"acme", &other), self.organisation);
		let watchdogs: Vec<_> = (0..MAX_APPROVALS).map(|index| [index as u8 + 1; 32]).collect();
		T::Policies::watch_for_benchmark(self.organisation, &watchdogs);
		(other, watchdogs)
	}

	/// A device for which a full proposal of another publisher waits, whose recipient key is revoked: what has to be found out
	/// before a new one may displace it. Returns the device with its valid key.
	fn occupied(
		&self,
		name: &[u8],
		number: u32,
		suite: Suite,
		(other, watchdogs): &(T::AccountId, Vec<[u8; 32]>),
	) -> (DeviceId, KeyId) {
		let numbered = |prefix: u8| {
			let mut bytes = [prefix; 32];
			bytes[..4].copy_from_slice(&number.to_le_bytes());
			bytes
		};
		let enrol = |prefix: u8| {
			let agreement = key(KeyType::X25519, &numbered(prefix));
			let id = KeyId::of(&agreement);
			let signing = key(KeyType::Ed25519, &numbered(prefix + 1));
			(T::Registry::enrol_for_benchmark(self.organisation, name, signing, agreement), id)
		};
		let (_, revoked) = enrol(1);
		let (device, valid) = enrol(3);
		T::Registry::revoke_for_benchmark(revoked);
		let now = T::Time::now();
		let record = DeliveryRecord {
			organisation: self.organisation,
			publisher: other.clone().into(),
			sequence: 1,
			suite,
			recipient: revoked,
			digest: BlobDigest([1; 32]),
			length: suite.min_len(),
			published_at: now,
		};
		let approvals = watchdogs.clone().try_into().expect("there is room for all of them");
		let expires_at = now + PROPOSAL_LIFETIME;
		Proposals::<T>::insert(device, CHANNEL, Proposal { record, expires_at, approvals });
		(device, valid)
	}

	/// A delivery that the device refused at first and acknowledges now: the longest way through the rules.
	fn acknowledgement(&self) -> Call<T> {
		let (sequence, outcome) = (1, Outcome::Applied);
		let digest = self.publish(sequence, MIN_BLOB_LEN);
		let at = T::Time::now();
		Acknowledgements::<T>::insert(
			self.device,
			CHANNEL,
			Acknowledgement {
				sequence,
				digest,
				outcome: Outcome::Refused(RefusalReason::ApplyFailed),
				at,
			},
		);
		let expires_at = at + MAX_SIGNATURE_LIFETIME;
		let (device, channel, key) = (self.device, CHANNEL, self.signing_id);
		let statement = Statement { device, channel, sequence, digest, outcome, key, expires_at };
		let payload = statement.payload::<T>();
		let signature = sp_io::crypto::ed25519_sign(BENCHMARK_KEYS, &self.signing, &payload)
			.expect("the keystore holds the key that it has just made");
		let signature = Signature::truncate_from(signature.0.to_vec());
		Call::acknowledge { device, channel, sequence, digest, outcome, key, expires_at, signature }
	}
}

fn envelope(length: u32) -> Envelope {
	Envelope::truncate_from(vec![0xA5; length as usize])
}

fn key(key_type: KeyType, bytes: &[u8]) -> PublicKey {
	PublicKey::new(key_type, bytes).expect("the bytes have the length of the type")
}

fn p256_public() -> PublicKey {
	key(KeyType::P256, &P256_PUBLIC)
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

	/// The first delivery of a further channel.
	#[benchmark]
	fn publish(n: Linear<MIN_BLOB_LEN, MAX_BLOB_LEN>) {
		let scene = scene::<T>();
		scene.publish(1, MIN_BLOB_LEN);
		let last = ChannelId::all().next_back().expect("there are channels");
		let envelope = envelope(n);
		Pallet::<T>::note_direct_publish();

		#[extrinsic_call]
		_(
			RawOrigin::Signed(scene.publisher.clone()),
			scene.device,
			last,
			1,
			Suite::X25519ChaCha20Poly1305,
			scene.recipient,
			envelope,
		);

		assert!(Channels::<T>::get(scene.device).contains(last));
	}

	/// A proposal that displaces one that could not be approved any more.
	#[benchmark]
	fn publish_displacing(n: Linear<MIN_BLOB_LEN, MAX_BLOB_LEN>) {
		let scene = scene::<T>();
		let suite = Suite::X25519ChaCha20Poly1305;
		let guard = scene.guard();
		let (device, recipient) = scene.occupied(b"drone-8", 8, suite, &guard);
		let (origin, envelope) = (RawOrigin::Signed(scene.publisher.clone()), envelope(n));
		Pallet::<T>::note_direct_publish();

		#[extrinsic_call]
		publish(origin, device, CHANNEL, 1, suite, recipient, envelope);

		let waiting = Proposals::<T>::get(device, CHANNEL).map(|it| it.record.publisher);
		assert_eq!(waiting, Some(scene.publisher.into()));
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
			Acknowledgements::<T>::get(scene.device, CHANNEL).map(|ack| ack.outcome),
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
		let delivery = scene.propose();
		for watchdog in &watchdogs[1..] {
			let origin = RawOrigin::Signed(T::AccountId::from(*watchdog)).into();
			Pallet::<T>::approve(origin, scene.device, CHANNEL, delivery)
				.expect("a watchdog approves what waits");
		}

		#[extrinsic_call]
		_(RawOrigin::Signed(T::AccountId::from(watchdogs[0])), scene.device, CHANNEL, delivery);

		let approved = Approvals::<T>::get(scene.device, CHANNEL).map(|record| record.by.len());
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
				let agreement = key(KeyType::X25519, &bytes(1));
				let id = KeyId::of(&agreement);
				let name = alloc::format!("drone-{number}-of-many");
				let device = T::Registry::enrol_for_benchmark(
					scene.organisation,
					name.as_bytes(),
					key(KeyType::Ed25519, &bytes(2)),
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
		_(RawOrigin::Signed(scene.publisher.clone()), CHANNEL, suite, recipients, envelope);

		assert!(Deliveries::<T>::contains_key(last.device, CHANNEL));
	}

	/// Proposals that displace as many that could not be approved any more.
	#[benchmark]
	fn publish_shared_displacing(
		r: Linear<1, MAX_RECIPIENTS>,
		n: Linear<MIN_BLOB_LEN, MAX_BLOB_LEN>,
	) {
		let scene = scene::<T>();
		let suite = Suite::SharedX25519;
		let guard = scene.guard();
		let recipients: Vec<Recipient> = (1..=r)
			.map(|number| {
				let name = alloc::format!("drone-{number}-of-many");
				let (device, key) = scene.occupied(name.as_bytes(), number, suite, &guard);
				Recipient { device, sequence: 1, key }
			})
			.collect();
		let last = recipients[recipients.len() - 1];
		let recipients = Recipients::truncate_from(recipients);
		let envelope = envelope(n.max(suite.min_len() + (r - 1) * suite.slot_len()));
		let origin = RawOrigin::Signed(scene.publisher.clone());
		Pallet::<T>::note_direct_publish();

		#[extrinsic_call]
		publish_shared(origin, CHANNEL, suite, recipients, envelope);

		let waiting = Proposals::<T>::get(last.device, CHANNEL).map(|it| it.record.publisher);
		assert_eq!(waiting, Some(scene.publisher.into()));
	}

	#[benchmark]
	fn withdraw() {
		let scene = scene::<T>();
		T::Policies::watch_for_benchmark(scene.organisation, &[[1; 32]]);
		let delivery = scene.propose();

		#[extrinsic_call]
		_(RawOrigin::Signed(scene.publisher.clone()), scene.device, CHANNEL, delivery);

		assert!(!Proposals::<T>::contains_key(scene.device, CHANNEL));
	}

	#[benchmark]
	fn direct_blob() {
		let scene = scene::<T>();
		let call: T::RuntimeCall = Call::<T>::publish {
			device: scene.device,
			channel: CHANNEL,
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
