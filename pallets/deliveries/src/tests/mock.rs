//! A runtime with the real executive, the real wrappers of calls (utility, sudo) and the real extensions around this
//! pallet. Leaves out fees, nonces and eras, which have no part in what is tested.

use super::doubles::{self, TestEconomy, TestOrganisations, TestRegistry, TestTime};
use crate::{self as pallet_deliveries, DirectBlob, Envelope};
use codec::Encode;
use dpki_primitives::{
	Moment,
	channel::ChannelId,
	context::{Action, SigningContext},
	delivery::{DeliveryRecord, Outcome, Suite},
	ids::{BlobDigest, DeliveryId, DeviceId, KeyId, OrganisationId},
	key::{KeyPurpose, KeyType, PublicKey, Signature},
};
use frame_support::{assert_ok, derive_impl, dispatch::DispatchResultWithPostInfo};
use sp_core::{H256, Pair, ed25519, sr25519};
use sp_keystore::{KeystoreExt, testing::MemoryKeystore};
use sp_runtime::{
	AccountId32, ApplyExtrinsicResult, BuildStorage, MultiSignature, generic,
	traits::{BlakeTwo256, Header as _, IdentityLookup},
	transaction_validity::{TransactionSource, TransactionValidity},
};
use sp_state_machine::IndexOperation;

pub type Header = generic::Header<u64, BlakeTwo256>;
pub type Block = generic::Block<Header, UncheckedExtrinsic>;
pub type TxExtension = (frame_system::AuthorizeCall<Test>, DirectBlob<Test>);
pub type UncheckedExtrinsic =
	generic::UncheckedExtrinsic<AccountId32, RuntimeCall, MultiSignature, TxExtension>;
pub type Executive = frame_executive::Executive<
	Test,
	Block,
	frame_system::ChainContext<Test>,
	Test,
	AllPalletsWithSystem,
>;
pub type Pallet = pallet_deliveries::Pallet<Test>;
pub type Error = pallet_deliveries::Error<Test>;
pub type Event = pallet_deliveries::Event<Test>;

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
	pub type Deliveries = pallet_deliveries;
	#[runtime::pallet_index(2)]
	pub type Utility = pallet_utility;
	#[runtime::pallet_index(3)]
	pub type Sudo = pallet_sudo;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = Block;
	type AccountId = AccountId32;
	type Lookup = IdentityLookup<AccountId32>;
}

impl pallet_deliveries::Config for Test {
	type Organisations = TestOrganisations;
	type Policies = TestOrganisations;
	type Registry = TestRegistry;
	type Time = TestTime;
	type Wrapper = ();
	type Economy = TestEconomy;
	type WeightInfo = pallet_deliveries::weights::SubstrateWeight<Test>;
}

impl pallet_utility::Config for Test {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeCall = RuntimeCall;
	type PalletsOrigin = OriginCaller;
	type WeightInfo = ();
}

impl pallet_sudo::Config for Test {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeCall = RuntimeCall;
	type WeightInfo = ();
}

/// The genesis hash.
pub const GENESIS: [u8; 32] = [7; 32];
/// The chain time at which every test begins.
pub const NOW: Moment = 1_700_000_000_000;
/// The expiry of signatures that are still good.
pub const EXPIRY: Moment = NOW + 60_000;
/// The organisation of the device.
pub const ACME: OrganisationId = OrganisationId([1; 32]);

/// The channel of every test that names none.
pub const CHANNEL: ChannelId = ChannelId::DEFAULT;

fn publisher_pair() -> sr25519::Pair {
	sr25519::Pair::from_seed(&[11; 32])
}

fn device_pair() -> ed25519::Pair {
	ed25519::Pair::from_seed(&[12; 32])
}

/// The publisher of [`ACME`], who also holds the sudo key.
pub fn publisher() -> AccountId32 {
	publisher_pair().public().into()
}

/// The device.
pub fn drone() -> DeviceId {
	DeviceId::from_name(ACME, b"drone-7")
}

/// A public key from its parts.
pub fn public(key_type: KeyType, bytes: &[u8]) -> PublicKey {
	PublicKey::new(key_type, bytes).expect("tests know the length of a key")
}

/// The signing key of the device.
pub fn signing_public() -> PublicKey {
	public(KeyType::Ed25519, &device_pair().public().0)
}

fn recipient_public() -> PublicKey {
	public(KeyType::X25519, &[9; 32])
}

/// The id of the device's signing key.
pub fn signing_key() -> KeyId {
	KeyId::of(&signing_public())
}

/// The id of the device's agreement key.
pub fn recipient() -> KeyId {
	KeyId::of(&recipient_public())
}

pub fn envelope(length: usize) -> Envelope {
	Envelope::truncate_from((0..length).map(|index| index as u8).collect())
}

/// Another channel.
pub fn other_channel() -> ChannelId {
	ChannelId::new(3).expect("there is one")
}

pub fn publish_call(sequence: u64, envelope: Envelope) -> RuntimeCall {
	publish_call_on(CHANNEL, sequence, envelope)
}

pub fn publish_call_on(channel: ChannelId, sequence: u64, envelope: Envelope) -> RuntimeCall {
	pallet_deliveries::Call::publish {
		device: drone(),
		channel,
		sequence,
		suite: Suite::X25519ChaCha20Poly1305,
		recipient: recipient(),
		envelope,
	}
	.into()
}

/// The acknowledgement of a device before it is signed.
#[derive(Clone)]
pub struct Ack {
	pub genesis: [u8; 32],
	pub device: DeviceId,
	pub channel: ChannelId,
	pub sequence: u64,
	pub digest: BlobDigest,
	pub outcome: Outcome,
	pub key: KeyId,
	pub expires_at: Moment,
}

impl Ack {
	/// The success of delivery number `sequence`, whose envelope is [`envelope`]`(100)`.
	pub fn applied(sequence: u64) -> Self {
		Self {
			genesis: GENESIS,
			device: drone(),
			channel: CHANNEL,
			sequence,
			digest: BlobDigest::of(&envelope(100)),
			outcome: Outcome::Applied,
			key: signing_key(),
			expires_at: EXPIRY,
		}
	}

	/// What the device signs.
	pub fn signature(&self) -> Signature {
		let Self { genesis, device, channel, sequence, digest, outcome, expires_at, .. } =
			self.clone();
		let action = Action::AcknowledgeDelivery { device, channel, digest, outcome };
		let payload = SigningContext { genesis, action, nonce: sequence, expires_at }.payload();
		Signature::truncate_from(device_pair().sign(&payload).0.to_vec())
	}

	pub fn call(&self) -> RuntimeCall {
		self.call_with(self.signature())
	}

	pub fn call_with(&self, signature: Signature) -> RuntimeCall {
		let Self { device, channel, sequence, digest, outcome, key, expires_at, .. } = self.clone();
		pallet_deliveries::Call::acknowledge {
			device,
			channel,
			sequence,
			digest,
			outcome,
			key,
			expires_at,
			signature,
		}
		.into()
	}
}

fn extension() -> TxExtension {
	(frame_system::AuthorizeCall::new(), DirectBlob::new())
}

/// A transaction that the publisher signed.
pub fn signed(call: RuntimeCall) -> UncheckedExtrinsic {
	let payload = generic::SignedPayload::new(call.clone(), extension()).unwrap();
	let signature = payload.using_encoded(|payload| publisher_pair().sign(payload));
	UncheckedExtrinsic::new_signed(call, publisher(), signature.into(), extension())
}

/// A transaction that nobody signed.
pub fn general(call: RuntimeCall) -> UncheckedExtrinsic {
	UncheckedExtrinsic::new_transaction(call, extension())
}

/// A watchdog, or an anchor manager, by number.
pub fn approver(number: u8) -> AccountId32 {
	AccountId32::new([100 + number; 32])
}

/// The id of delivery number `sequence` with [`envelope`]`(100)`.
pub fn delivery_id(channel: ChannelId, sequence: u64) -> DeliveryId {
	let record = DeliveryRecord {
		organisation: ACME,
		publisher: publisher().into(),
		sequence,
		suite: Suite::X25519ChaCha20Poly1305,
		recipient: recipient(),
		digest: BlobDigest::of(&envelope(100)),
		length: 100,
		published_at: 0,
	};
	record.id(drone(), channel)
}

/// The account approves delivery number `sequence` with [`envelope`]`(100)`.
pub fn approve(who: AccountId32, sequence: u64) -> DispatchResultWithPostInfo {
	approve_on(CHANNEL, who, sequence)
}

/// The same on this channel.
pub fn approve_on(
	channel: ChannelId,
	who: AccountId32,
	sequence: u64,
) -> DispatchResultWithPostInfo {
	let delivery = delivery_id(channel, sequence);
	Pallet::approve(RuntimeOrigin::signed(who), drone(), channel, delivery)
}

/// Applies a call of the publisher as the next extrinsic of the block.
pub fn apply(call: RuntimeCall) -> ApplyExtrinsicResult {
	Executive::apply_extrinsic(signed(call))
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

/// Publishes delivery number `sequence` with [`envelope`]`(100)`.
pub fn publish(sequence: u64) {
	publish_on(CHANNEL, sequence);
}

/// The same on this channel.
pub fn publish_on(channel: ChannelId, sequence: u64) {
	assert_ok!(apply(publish_call_on(channel, sequence, envelope(100))).unwrap());
}

pub fn begin_block(number: u64, parent: H256) {
	Executive::initialize_block(&Header::new(
		number,
		Default::default(),
		Default::default(),
		parent,
		Default::default(),
	));
}

/// Ends the block and begins the next one.
pub fn next_block() {
	let header = Executive::finalize_block();
	begin_block(header.number + 1, header.hash());
}

/// The events of this pallet, oldest first.
pub fn events() -> Vec<Event> {
	System::events()
		.into_iter()
		.filter_map(|record| match record.event {
			RuntimeEvent::Deliveries(event) => Some(event),
			_ => None,
		})
		.collect()
}

/// The first block with a device of [`ACME`] and its publisher.
pub fn new_test_ext() -> sp_io::TestExternalities {
	doubles::reset();
	let genesis = RuntimeGenesisConfig {
		sudo: pallet_sudo::GenesisConfig { key: Some(publisher()) },
		..Default::default()
	};
	let mut ext: sp_io::TestExternalities = genesis.build_storage().unwrap().into();
	ext.register_extension(KeystoreExt::new(MemoryKeystore::new()));
	ext.execute_with(|| {
		begin_block(1, H256(GENESIS));
		TestTime::set(NOW);
		TestOrganisations::add_publisher(ACME, publisher());
		TestRegistry::add_device(ACME, "drone-7");
		TestRegistry::add_key(drone(), KeyPurpose::Sign, signing_public());
		TestRegistry::add_key(drone(), KeyPurpose::KeyAgreement, recipient_public());
	});
	ext
}

/// Runs `test` in the first block, checks the state afterwards, and returns what was indexed.
pub fn run(test: impl FnOnce()) -> Vec<IndexOperation> {
	let mut ext = new_test_ext();
	ext.execute_with(|| {
		test();
		assert_ok!(Pallet::do_try_state());
	});
	ext.overlayed_changes().transaction_index_ops().to_vec()
}
