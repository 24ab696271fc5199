//! A runtime with the real executive and the real extension around this pallet. Leaves out fees, nonces and eras, which
//! have no part in what is tested.

use super::doubles::{self, TestDeliveries, TestOrganisations, TestRegistry, TestTime};
use crate as pallet_requests;
use dpki_primitives::{
	Moment,
	context::{Action, SigningContext},
	filing::{FilingBody, FilingKind},
	ids::{DeviceId, KeyId, Login, Name, OrganisationId},
	key::{KeyPurpose, KeyType, PublicKey, Signature},
};
use frame_support::{assert_ok, derive_impl};
use sp_core::{H256, Pair, ed25519};
use sp_keystore::{KeystoreExt, testing::MemoryKeystore};
use sp_runtime::{
	AccountId32, BuildStorage, MultiSignature, generic,
	traits::{BlakeTwo256, Header as _, IdentityLookup},
	transaction_validity::{TransactionSource, TransactionValidity},
};

pub type Header = generic::Header<u64, BlakeTwo256>;
pub type Block = generic::Block<Header, UncheckedExtrinsic>;
pub type TxExtension = frame_system::AuthorizeCall<Test>;
pub type UncheckedExtrinsic =
	generic::UncheckedExtrinsic<AccountId32, RuntimeCall, MultiSignature, TxExtension>;
pub type Executive = frame_executive::Executive<
	Test,
	Block,
	frame_system::ChainContext<Test>,
	Test,
	AllPalletsWithSystem,
>;
pub type Pallet = pallet_requests::Pallet<Test>;
pub type Error = pallet_requests::Error<Test>;
pub type Event = pallet_requests::Event<Test>;

#[frame_support::runtime]
mod runtime {
	#[runtime::runtime]
	#[runtime::derive(
		RuntimeCall,
		RuntimeEvent,
		RuntimeError,
		RuntimeOrigin,
		RuntimeFreezeReason,
		RuntimeHoldReason,
		RuntimeSlashReason,
		RuntimeLockId,
		RuntimeTask
	)]
	pub struct Test;

	#[runtime::pallet_index(0)]
	pub type System = frame_system;
	#[runtime::pallet_index(1)]
	pub type Requests = pallet_requests;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = Block;
	type AccountId = AccountId32;
	type Lookup = IdentityLookup<AccountId32>;
}

impl pallet_requests::Config for Test {
	type Organisations = TestOrganisations;
	type Registry = TestRegistry;
	type Deliveries = TestDeliveries;
	type Time = TestTime;
	type WeightInfo = pallet_requests::weights::SubstrateWeight<Test>;
}

/// The genesis hash.
pub const GENESIS: [u8; 32] = [7; 32];
/// The chain time at which every test begins.
pub const NOW: Moment = 1_700_000_000_000;
/// The expiry of signatures that are still good.
pub const EXPIRY: Moment = NOW + 60_000;
/// The organisation of the devices.
pub const ACME: OrganisationId = OrganisationId([1; 32]);

fn device_pair() -> ed25519::Pair {
	ed25519::Pair::from_seed(&[12; 32])
}

/// A publisher of [`ACME`].
pub fn publisher() -> AccountId32 {
	AccountId32::new([11; 32])
}

/// Somebody who is nobody in [`ACME`].
pub fn stranger() -> AccountId32 {
	AccountId32::new([13; 32])
}

/// The device.
pub fn drone() -> DeviceId {
	DeviceId::from_name(ACME, b"drone-7")
}

/// The signing key of the device.
pub fn signing_public() -> PublicKey {
	PublicKey::new(KeyType::Ed25519, &device_pair().public().0).expect("it is 32 bytes")
}

/// Its id.
pub fn signing_key() -> KeyId {
	KeyId::of(&signing_public())
}

/// A certificate for this service.
pub fn tls(service: &str) -> FilingKind {
	FilingKind::Tls { service: Name::truncate_from(service.as_bytes().to_vec()) }
}

/// A certificate for this account of the device.
pub fn user(login: &str) -> FilingKind {
	FilingKind::SshUser { login: Login::truncate_from(login.as_bytes().to_vec()) }
}

/// A statement of a device before it is signed.
#[derive(Clone)]
pub struct Said {
	pub genesis: [u8; 32],
	pub device: DeviceId,
	pub slot: u8,
	pub kind: FilingKind,
	pub body: Vec<u8>,
	pub number: u64,
	pub key: KeyId,
	pub expires_at: Moment,
}

impl Said {
	/// A good filing for the service `web` in this slot, as statement `number`.
	pub fn web(slot: u8, number: u64) -> Self {
		Self {
			genesis: GENESIS,
			device: drone(),
			slot,
			kind: tls("web"),
			body: b"request".to_vec(),
			number,
			key: signing_key(),
			expires_at: EXPIRY,
		}
	}

	pub fn content(&self) -> [u8; 32] {
		self.kind.content(&self.body)
	}

	fn sign(&self, action: Action) -> Signature {
		let Self { genesis, number, expires_at, .. } = *self;
		let payload = SigningContext { genesis, action, nonce: number, expires_at }.payload();
		Signature::truncate_from(device_pair().sign(&payload).0.to_vec())
	}

	/// What the device signs to file.
	pub fn to_file(&self) -> Signature {
		let (device, slot, content) = (self.device, self.slot, self.content());
		self.sign(Action::FileRequest { device, slot, content })
	}

	/// What the device signs to withdraw.
	pub fn to_withdraw(&self) -> Signature {
		let (device, slot, content) = (self.device, self.slot, self.content());
		self.sign(Action::WithdrawRequest { device, slot, content })
	}

	pub fn file(&self) -> RuntimeCall {
		self.file_with(self.to_file())
	}

	pub fn file_with(&self, signature: Signature) -> RuntimeCall {
		let Self { device, slot, kind, body, number, key, expires_at, .. } = self.clone();
		let body = FilingBody::truncate_from(body);
		pallet_requests::Call::file { device, slot, kind, body, number, key, expires_at, signature }
			.into()
	}

	pub fn withdraw(&self) -> RuntimeCall {
		self.withdraw_with(self.to_withdraw())
	}

	pub fn withdraw_with(&self, signature: Signature) -> RuntimeCall {
		let Self { device, slot, number, key, expires_at, .. } = self.clone();
		let content = self.content();
		pallet_requests::Call::withdraw {
			device,
			slot,
			content,
			number,
			key,
			expires_at,
			signature,
		}
		.into()
	}
}

/// A transaction that nobody signed.
pub fn general(call: RuntimeCall) -> UncheckedExtrinsic {
	UncheckedExtrinsic::new_transaction(call, frame_system::AuthorizeCall::new())
}

/// Puts a statement into the block, which has to take it.
pub fn accept(call: RuntimeCall) {
	assert_ok!(pool_verdict(call.clone()));
	assert_ok!(Executive::apply_extrinsic(general(call)).unwrap());
}

/// What a pool says to a transaction that nobody signed.
pub fn pool_verdict(call: RuntimeCall) -> TransactionValidity {
	let verdict = || {
		Executive::validate_transaction(
			TransactionSource::External,
			general(call),
			H256::repeat_byte(8),
		)
	};
	// As in a node, what the verdict writes is thrown away.
	frame_support::storage::with_transaction(|| {
		sp_runtime::TransactionOutcome::Rollback(Ok::<_, sp_runtime::DispatchError>(verdict()))
	})
	.unwrap()
}

/// The events of this pallet, oldest first.
pub fn events() -> Vec<Event> {
	System::events()
		.into_iter()
		.filter_map(|record| match record.event {
			RuntimeEvent::Requests(event) => Some(event),
			_ => None,
		})
		.collect()
}

/// The first block with a device of [`ACME`] and its publisher.
pub fn new_test_ext() -> sp_io::TestExternalities {
	doubles::reset();
	let genesis = RuntimeGenesisConfig::default();
	let mut ext: sp_io::TestExternalities = genesis.build_storage().unwrap().into();
	ext.register_extension(KeystoreExt::new(MemoryKeystore::new()));
	ext.execute_with(|| {
		Executive::initialize_block(&Header::new(
			1,
			Default::default(),
			Default::default(),
			H256(GENESIS),
			Default::default(),
		));
		TestTime::set(NOW);
		TestOrganisations::add_publisher(ACME, publisher());
		TestRegistry::add_device(ACME, "drone-7");
		TestRegistry::add_key(drone(), KeyPurpose::Sign, signing_public());
	});
	ext
}

/// Runs `test` in the first block, and checks the state afterwards.
pub fn run(test: impl FnOnce()) {
	new_test_ext().execute_with(|| {
		test();
		assert_ok!(Pallet::do_try_state());
	});
}
