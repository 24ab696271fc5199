//! A runtime with the registry, and a small world in it.

use super::{purse::Purse, xeddsa};
use crate::{self as pallet_dpki, fixtures};
use alloc::{collections::BTreeMap, vec::Vec};
use dpki_primitives::{
	Moment,
	anchor::{AnchorKind, AnchorMaterial},
	context::{Action, Registrant, SigningContext},
	economy::{Exhausted, Quotas},
	ids::{AnchorId, DeviceId, KeyId, Name, OrganisationId, VoucherCommitment, VoucherId},
	key::{Consent, KeyPurpose, KeyType, NewKey, PublicKey, Signature},
	organisation::{Governance, Organisations, Role, RoleSet},
	refusal::Refusal,
	registry::CompromisedKeys,
	revocation::RevocationReason,
};
use frame_support::{
	derive_impl,
	dispatch::{DispatchResult, GetDispatchInfo},
	pallet_prelude::{InvalidTransaction, TransactionSource, ValidTransaction},
};
use p256::ecdsa::signature::Signer;
use rsa::{
	Pkcs1v15Sign, RsaPrivateKey,
	pkcs1::{DecodeRsaPrivateKey, EncodeRsaPublicKey},
	sha2::{Digest, Sha256},
};
use sp_core::{H256, Pair as _, ed25519};
use sp_runtime::{
	AccountId32, BuildStorage, DispatchError, MultiSignature, generic,
	traits::{Applyable, BlakeTwo256, Checkable, IdentityLookup},
	transaction_validity::TransactionValidityError,
};
use std::cell::RefCell;

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
		RuntimeTask,
		RuntimeViewFunction
	)]
	pub struct Test;

	#[runtime::pallet_index(0)]
	pub type System = frame_system::Pallet<Test>;

	#[runtime::pallet_index(1)]
	pub type Timestamp = pallet_timestamp::Pallet<Test>;

	#[runtime::pallet_index(2)]
	pub type Dpki = pallet_dpki::Pallet<Test>;
}

type Extension = (frame_system::AuthorizeCall<Test>,);
pub type Extrinsic =
	generic::UncheckedExtrinsic<AccountId32, RuntimeCall, MultiSignature, Extension>;
type Block = generic::Block<generic::Header<u32, BlakeTwo256>, Extrinsic>;

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = Block;
	type AccountId = AccountId32;
	type Lookup = IdentityLookup<AccountId32>;
}

#[derive_impl(pallet_timestamp::config_preludes::TestDefaultConfig)]
impl pallet_timestamp::Config for Test {}

impl crate::Config for Test {
	type Organisations = Roles;
	type Governance = Roles;
	type AnchorOrigin = frame_system::EnsureRoot<AccountId32>;
	type Time = Timestamp;
	type Economy = Purse;
	type Quotas = Allowances;
	type CompromisedKeys = Leaks;
	type WeightInfo = crate::weights::SubstrateWeight<Test>;
}

/// What organisations have left of their quotas, where a test has given them one. It leaves out that it recovers.
pub struct Allowances;

/// The keys that are known elsewhere as compromised. It leaves out where that is.
pub struct Leaks;

std::thread_local! {
	static ALLOWANCES: RefCell<BTreeMap<OrganisationId, u64>> = RefCell::default();
	static LEAKS: RefCell<BTreeMap<KeyId, Moment>> = RefCell::default();
}

impl Allowances {
	pub fn set(organisation: OrganisationId, units: u64) {
		ALLOWANCES.with_borrow_mut(|left| left.insert(organisation, units));
	}

	pub fn left(organisation: OrganisationId) -> Option<u64> {
		ALLOWANCES.with_borrow(|left| left.get(&organisation).copied())
	}
}

impl Quotas<OrganisationId> for Allowances {
	fn check(organisation: &OrganisationId, units: u64) -> Result<(), Exhausted> {
		match Self::left(*organisation) {
			Some(left) if left < units => Err(Exhausted { wait: None }),
			_ => Ok(()),
		}
	}

	fn take(organisation: &OrganisationId, units: u64) -> Result<(), Exhausted> {
		Self::check(organisation, units)?;
		if let Some(left) = Self::left(*organisation) {
			Self::set(*organisation, left - units);
		}
		Ok(())
	}
}

impl CompromisedKeys for Leaks {
	fn compromised_since(key: KeyId) -> Option<Moment> {
		LEAKS.with_borrow(|leaks| leaks.get(&key).copied())
	}

	fn note(key: KeyId, at: Moment) {
		LEAKS.with_borrow_mut(|leaks| {
			leaks.entry(key).or_insert(at);
		});
	}
}

/// Who has which role. It leaves out how roles are given and taken, which is the organisations pallet's.
pub struct Roles;

std::thread_local! {
	static ROLES: RefCell<BTreeMap<(OrganisationId, AccountId32), RoleSet>> = RefCell::default();
}

impl Roles {
	pub fn set(organisation: OrganisationId, who: &AccountId32, roles: &[Role]) {
		let roles = roles.iter().copied().collect();
		ROLES.with_borrow_mut(|table| table.insert((organisation, who.clone()), roles));
	}
}

impl Organisations<AccountId32> for Roles {
	fn exists(organisation: OrganisationId) -> bool {
		ROLES.with_borrow(|table| table.keys().any(|(id, _)| *id == organisation))
	}

	fn has_role(organisation: OrganisationId, who: &AccountId32, role: Role) -> bool {
		ROLES.with_borrow(|table| {
			table
				.get(&(organisation, who.clone()))
				.is_some_and(|roles| roles.contains(role))
		})
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn create_for_benchmark(name: &[u8], who: &AccountId32) -> OrganisationId {
		let organisation = OrganisationId::from_name(name);
		Roles::set(organisation, who, &Role::ALL);
		organisation
	}
}

/// Any administrator governs, and root, which stands for the body of whatever organisation.
impl Governance<RuntimeOrigin> for Roles {
	type Error = DispatchError;

	fn ensure_governs(
		origin: RuntimeOrigin,
		organisation: OrganisationId,
	) -> Result<(), DispatchError> {
		let Some(who) = frame_system::ensure_signed_or_root(origin)? else { return Ok(()) };
		let is_administrator = Self::has_role(organisation, &who, Role::Administrator);
		is_administrator.then_some(()).ok_or(DispatchError::Other("governs not"))
	}
}

/// 15 January 2027, inside the validity of every fixture.
pub const NOW: Moment = 1_800_000_000_000;
pub const GENESIS: [u8; 32] = [7; 32];
pub const REASON: RevocationReason = RevocationReason::KeyCompromise;

/// Holds every role in [`acme`].
pub const ALICE: AccountId32 = AccountId32::new([1; 32]);
/// Registrar of [`acme`].
pub const BOB: AccountId32 = AccountId32::new([2; 32]);
/// Anchor manager of [`acme`].
pub const CAROL: AccountId32 = AccountId32::new([3; 32]);
/// Holds every role in [`other`], and none in [`acme`].
pub const MALLORY: AccountId32 = AccountId32::new([9; 32]);

pub fn acme() -> OrganisationId {
	OrganisationId::from_name(b"acme")
}

pub fn other() -> OrganisationId {
	OrganisationId::from_name(b"other")
}

pub fn ext() -> sp_io::TestExternalities {
	let storage = RuntimeGenesisConfig::default().build_storage().unwrap();
	let mut ext = sp_io::TestExternalities::new(storage);
	ext.register_extension(sp_keystore::KeystoreExt::new(
		sp_keystore::testing::MemoryKeystore::new(),
	));
	ROLES.with_borrow_mut(BTreeMap::clear);
	ALLOWANCES.with_borrow_mut(BTreeMap::clear);
	LEAKS.with_borrow_mut(BTreeMap::clear);
	Purse::Full.set();
	Roles::set(acme(), &ALICE, &Role::ALL);
	Roles::set(acme(), &BOB, &[Role::Registrar]);
	Roles::set(acme(), &CAROL, &[Role::AnchorManager]);
	Roles::set(other(), &MALLORY, &Role::ALL);
	ext.execute_with(|| {
		System::set_block_number(1);
		frame_system::BlockHash::<Test>::insert(0, H256(GENESIS));
		set_time(NOW);
	});
	ext
}

/// Runs a test and checks the invariants after it.
pub fn run(test: impl FnOnce()) {
	ext().execute_with(|| {
		test();
		Dpki::do_try_state().unwrap();
	});
}

pub fn set_time(now: Moment) {
	pallet_timestamp::Now::<Test>::put(now);
}

pub fn signed(who: AccountId32) -> RuntimeOrigin {
	RuntimeOrigin::signed(who)
}

pub fn name(name: &str) -> Name {
	name.as_bytes().to_vec().try_into().unwrap()
}

pub fn last_event() -> RuntimeEvent {
	System::events().pop().expect("something happened").event
}

/// A key pair of any type. There are a handful of them in a test: their size does not matter.
#[derive(Clone)]
#[allow(clippy::large_enum_variant)]
pub enum Pair {
	Ed25519(ed25519::Pair),
	Sr25519(sp_core::sr25519::Pair),
	Secp256k1(sp_core::ecdsa::Pair),
	P256(p256::ecdsa::SigningKey),
	/// The secret; it signs by XEdDSA.
	X25519([u8; 32]),
	/// A key of 2048 bits, if the seed is odd, or of 4096.
	Rsa(Box<RsaPrivateKey>),
	/// The hash of a key of this type. Its signatures are made up.
	Hash(KeyType, [u8; 32]),
}

impl Pair {
	pub fn new(key_type: KeyType, seed: u8) -> Self {
		let seed = [seed; 32];
		match key_type {
			KeyType::Ed25519 => Self::Ed25519(ed25519::Pair::from_seed(&seed)),
			KeyType::Sr25519 => Self::Sr25519(sp_core::sr25519::Pair::from_seed(&seed)),
			KeyType::Secp256k1 => Self::Secp256k1(sp_core::ecdsa::Pair::from_seed(&seed)),
			KeyType::P256 => Self::P256(p256::ecdsa::SigningKey::from_slice(&seed).unwrap()),
			KeyType::X25519 => Self::X25519(seed),
			KeyType::Rsa => {
				let der: &[u8] = match seed[0] % 2 {
					1 => &fixtures::RSA2048_KEY,
					_ => &fixtures::RSA4096_KEY,
				};
				Self::Rsa(Box::new(RsaPrivateKey::from_pkcs1_der(der).unwrap()))
			},
			KeyType::MlDsa44 | KeyType::MlDsa65 | KeyType::MlDsa87 | KeyType::XWing => {
				Self::Hash(key_type, seed)
			},
		}
	}

	pub fn ed25519(seed: u8) -> Self {
		Self::new(KeyType::Ed25519, seed)
	}

	pub fn public(&self) -> PublicKey {
		let (key_type, bytes) = match self {
			Self::Ed25519(pair) => (KeyType::Ed25519, pair.public().0.to_vec()),
			Self::Sr25519(pair) => (KeyType::Sr25519, pair.public().0.to_vec()),
			Self::Secp256k1(pair) => (KeyType::Secp256k1, pair.public().0.to_vec()),
			Self::P256(pair) => {
				(KeyType::P256, pair.verifying_key().to_encoded_point(true).as_bytes().to_vec())
			},
			Self::X25519(secret) => (KeyType::X25519, xeddsa::public(secret).to_vec()),
			Self::Rsa(pair) => {
				(KeyType::Rsa, pair.to_public_key().to_pkcs1_der().unwrap().as_bytes().to_vec())
			},
			Self::Hash(key_type, hash) => (*key_type, hash.to_vec()),
		};
		PublicKey::new(key_type, &bytes).unwrap()
	}

	pub fn id(&self) -> KeyId {
		KeyId::of(&self.public())
	}

	pub fn sign(&self, payload: &[u8]) -> Signature {
		let bytes = match self {
			Self::Ed25519(pair) => pair.sign(payload).0.to_vec(),
			Self::Sr25519(pair) => pair.sign(payload).0.to_vec(),
			Self::Secp256k1(pair) => {
				pair.sign_prehashed(&sp_io::hashing::sha2_256(payload)).0.to_vec()
			},
			Self::P256(pair) => {
				let signature: p256::ecdsa::Signature = pair.sign(payload);
				signature.to_bytes().to_vec()
			},
			Self::X25519(secret) => xeddsa::sign(secret, payload, &[7; 64]).to_vec(),
			Self::Rsa(pair) => {
				pair.sign(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(payload)).unwrap()
			},
			Self::Hash(..) => vec![7; 64],
		};
		bytes.try_into().unwrap()
	}
}

/// The context of a possession proof as an honest holder fills it in.
pub fn possession(
	registrant: Registrant,
	device: DeviceId,
	purpose: KeyPurpose,
	pair: &Pair,
	nonce: u64,
) -> SigningContext {
	let key = pair.id();
	SigningContext {
		genesis: GENESIS,
		action: Action::PossessKey { registrant, device, purpose, key, not_after: None },
		nonce,
		expires_at: NOW + 1_000,
	}
}

pub fn new_key(purpose: KeyPurpose, pair: &Pair, possession: Signature) -> NewKey {
	NewKey { purpose, public: pair.public(), not_after: None, possession }
}

/// The consent of a device to the registration of `key` by `registrant`, as an honest device gives it.
pub fn consent(
	registrant: Registrant,
	device: DeviceId,
	key: &NewKey,
	nonce: u64,
	by: &Pair,
) -> Consent {
	let context = admission(registrant, device, key, nonce);
	Consent { key: by.id(), signature: by.sign(&context.payload()) }
}

/// The context of a consent as an honest device fills it in.
pub fn admission(
	registrant: Registrant,
	device: DeviceId,
	key: &NewKey,
	nonce: u64,
) -> SigningContext {
	let NewKey { purpose, public, not_after, .. } = key;
	SigningContext {
		genesis: GENESIS,
		action: Action::AdmitKey {
			registrant,
			device,
			purpose: *purpose,
			key: KeyId::of(public),
			not_after: *not_after,
		},
		nonce,
		expires_at: NOW + 1_000,
	}
}

/// The payload that possession of an anchor is proven over.
pub fn anchor_context(who: &AccountId32, kind: AnchorKind, material: &[u8]) -> SigningContext {
	SigningContext {
		genesis: GENESIS,
		action: Action::PossessAnchor {
			account: who.clone().into(),
			organisation: acme(),
			anchor: AnchorId::of(kind, material),
		},
		nonce: 0,
		expires_at: NOW + 1_000,
	}
}

fn ssh_string(part: &[u8]) -> Vec<u8> {
	[&(part.len() as u32).to_be_bytes(), part].concat()
}

/// The SSH wire encoding of strings.
pub fn ssh_blob(parts: &[&[u8]]) -> AnchorMaterial {
	let blob: Vec<u8> = parts.iter().flat_map(|part| ssh_string(part)).collect();
	blob.try_into().unwrap()
}

pub fn ssh_ed25519(pair: &Pair) -> AnchorMaterial {
	ssh_blob(&[b"ssh-ed25519", &pair.public().bytes])
}

pub fn ssh_p256(pair: &p256::ecdsa::SigningKey) -> AnchorMaterial {
	let point = pair.verifying_key().to_encoded_point(false);
	ssh_blob(&[b"ecdsa-sha2-nistp256", b"nistp256", point.as_bytes()])
}

/// Registers the SSH user CA of this pair for [`acme`].
pub fn register_ssh(pair: &Pair) -> AnchorId {
	let kind = AnchorKind::SshUserCa;
	let material = ssh_ed25519(pair);
	let anchor = AnchorId::of(kind, &material);
	let possession = pair.sign(&anchor_context(&ALICE, kind, &material).payload());
	let expires_at = NOW + 1_000;
	Dpki::register_anchor(signed(ALICE), acme(), kind, material, possession, expires_at).unwrap();
	anchor
}

/// An enrolment that can be tampered with before it is sent.
#[derive(Clone)]
pub struct Enrolment {
	pub organisation: OrganisationId,
	pub voucher: ed25519::Pair,
	pub name: Name,
	pub keys: Vec<NewKey>,
	pub expires_at: Moment,
	pub genesis: [u8; 32],
	pub signature: [u8; 64],
}

impl Enrolment {
	/// An honest enrolment of this device of [`acme`].
	pub fn new(voucher: &ed25519::Pair, device: &str, pairs: &[(KeyPurpose, Pair)]) -> Self {
		let id = DeviceId::from_name(acme(), device.as_bytes());
		let registrant = Registrant::Voucher(VoucherId::of(acme(), &voucher.public().0));
		let keys = (0..).zip(pairs).map(|(nonce, (purpose, pair))| {
			let payload = possession(registrant, id, *purpose, pair, nonce).payload();
			new_key(*purpose, pair, pair.sign(&payload))
		});
		let mut enrolment = Self {
			organisation: acme(),
			voucher: *voucher,
			name: name(device),
			keys: keys.collect(),
			expires_at: NOW + 1_000,
			genesis: GENESIS,
			signature: [0; 64],
		};
		enrolment.sign();
		enrolment
	}

	pub fn voucher_id(&self) -> VoucherId {
		VoucherId::of(self.organisation, &self.voucher.public().0)
	}

	pub fn device(&self) -> DeviceId {
		DeviceId::from_name(self.organisation, &self.name)
	}

	/// Has the voucher sign what the enrolment holds now.
	pub fn sign(&mut self) {
		let keys = self.keys.iter().map(|key| (key.purpose, KeyId::of(&key.public))).collect();
		let action = Action::Enrol { voucher: self.voucher_id(), device: self.device(), keys };
		let context =
			SigningContext { genesis: self.genesis, action, nonce: 0, expires_at: self.expires_at };
		self.signature = self.voucher.sign(&context.payload()).0;
	}

	pub fn call(&self) -> RuntimeCall {
		RuntimeCall::Dpki(crate::Call::enrol {
			organisation: self.organisation,
			voucher_public: self.voucher.public().0,
			device_name: self.name.clone(),
			keys: self.keys.clone().try_into().unwrap(),
			expires_at: self.expires_at,
			voucher_signature: self.signature,
		})
	}

	/// What a pool says.
	pub fn validate(&self) -> Result<ValidTransaction, Refusal> {
		validate(self.call())
	}

	/// What a block does.
	pub fn submit(&self) -> Result<DispatchResult, Refusal> {
		submit(self.call())
	}
}

/// What a pool says of a general transaction.
pub fn validate(call: RuntimeCall) -> Result<ValidTransaction, Refusal> {
	let extrinsic = Extrinsic::new_transaction(call, (frame_system::AuthorizeCall::new(),));
	let info = extrinsic.get_dispatch_info();
	check(extrinsic)
		.validate::<Test>(TransactionSource::External, &info, 0)
		.map_err(refusal)
}

/// What a block does with a general transaction.
pub fn submit(call: RuntimeCall) -> Result<DispatchResult, Refusal> {
	let extrinsic = Extrinsic::new_transaction(call, (frame_system::AuthorizeCall::new(),));
	let info = extrinsic.get_dispatch_info();
	check(extrinsic)
		.apply::<Test>(&info, 0)
		.map(|result| result.map(drop).map_err(|error| error.error))
		.map_err(refusal)
}

fn check(
	extrinsic: Extrinsic,
) -> <Extrinsic as Checkable<frame_system::ChainContext<Test>>>::Checked {
	extrinsic
		.check(&frame_system::ChainContext::<Test>::default())
		.expect("a general transaction has no signature")
}

fn refusal(error: TransactionValidityError) -> Refusal {
	match error {
		TransactionValidityError::Invalid(InvalidTransaction::Custom(code)) => {
			Refusal::from_code(code).expect("the number of a refusal")
		},
		error => panic!("not a refusal: {error:?}"),
	}
}

pub fn voucher_pair() -> ed25519::Pair {
	ed25519::Pair::from_seed(&[100; 32])
}

/// Issues the voucher of this pair for a device of [`acme`], for a day.
pub fn issue(voucher: &ed25519::Pair, device: &str) -> VoucherId {
	let commitment = VoucherCommitment::of(&voucher.public().0);
	let expires_at = NOW + 24 * 60 * 60 * 1_000;
	Dpki::issue_voucher(signed(BOB), acme(), commitment, name(device), expires_at).unwrap();
	VoucherId::from_commitment(acme(), commitment)
}

/// Enrols a device of [`acme`] with the given keys.
pub fn enrol(device: &str, pairs: &[(KeyPurpose, Pair)]) -> DeviceId {
	let voucher = ed25519::Pair::from_seed(&sp_io::hashing::blake2_256(device.as_bytes()));
	issue(&voucher, device);
	let enrolment = Enrolment::new(&voucher, device, pairs);
	enrolment.submit().unwrap().unwrap();
	enrolment.device()
}
