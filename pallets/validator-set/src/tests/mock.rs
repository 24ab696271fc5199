//! A runtime with real sessions and a real history around this pallet. Session keys are numbers, the council is root, and
//! a list stands for the organisations. Consensus is left out: what it is told of sessions is written down.

use crate as pallet_validator_set;
use codec::{Encode, MaxEncodedLen};
use core::cell::RefCell;
use dpki_primitives::{
	ids::OrganisationId,
	organisation::{Organisations, Role},
	validator::{SessionIndex, ValidatorRecord},
};
use frame_support::{
	assert_ok, derive_impl, parameter_types,
	traits::{ConstU32, ConstU64, OnFinalize, OnInitialize},
};
use frame_system::EnsureRoot;
use pallet_session::{PeriodicSessions, SessionHandler, historical};
use sp_runtime::{
	BuildStorage, DispatchResult, KeyTypeId, RuntimeAppPublic, impl_opaque_keys,
	testing::UintAuthorityId, traits::OpaqueKeys,
};
use sp_staking::offence::{OffenceDetails, OnOffenceHandler};

pub type Block = frame_system::mocking::MockBlock<Test>;
pub type Pallet = pallet_validator_set::Pallet<Test>;
pub type Error = pallet_validator_set::Error<Test>;
pub type Event = pallet_validator_set::Event<Test>;
pub type Account = u64;

/// Blocks per session.
pub const LENGTH: u64 = 5;
pub const HISTORY: SessionIndex = 4;
pub const MAX_VALIDATORS: u32 = 10;

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
	pub type Balances = pallet_balances;
	#[runtime::pallet_index(2)]
	pub type ValidatorSet = pallet_validator_set;
	#[runtime::pallet_index(3)]
	pub type Historical = pallet_session::historical;
	#[runtime::pallet_index(4)]
	pub type Session = pallet_session;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = Block;
	type AccountData = pallet_balances::AccountData<u64>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
	type AccountStore = System;
}

impl_opaque_keys! {
	#[derive(MaxEncodedLen)]
	pub struct Keys {
		pub number: UintAuthorityId,
	}
}

pub fn keys(number: u64) -> Keys {
	Keys { number: UintAuthorityId(number) }
}

parameter_types! {
	/// The keys of those who make blocks, as consensus was told last.
	pub static Authorities: Vec<u64> = Vec::new();
	/// How often consensus was told of another set.
	pub static Changes: u32 = 0;
	pub static ChangesHeld: bool = false;
}

/// Consensus, as far as sessions know it.
pub struct Consensus;

impl SessionHandler<Account> for Consensus {
	const KEY_TYPE_IDS: &'static [KeyTypeId] = &[UintAuthorityId::ID];

	fn on_genesis_session<Ks: OpaqueKeys>(validators: &[(Account, Ks)]) {
		Self::set(validators);
		Changes::set(0);
	}

	fn on_new_session<Ks: OpaqueKeys>(
		changed: bool,
		validators: &[(Account, Ks)],
		_: &[(Account, Ks)],
	) {
		if changed {
			Self::set(validators);
			Changes::mutate(|changes| *changes += 1);
		}
	}

	fn on_disabled(_: u32) {}
}

impl Consensus {
	fn set<Ks: OpaqueKeys>(validators: &[(Account, Ks)]) {
		let key = |keys: &Ks| keys.get::<UintAuthorityId>(UintAuthorityId::ID).unwrap().0;
		Authorities::set(validators.iter().map(|(_, keys)| key(keys)).collect());
	}
}

impl pallet_session::Config for Test {
	type RuntimeEvent = RuntimeEvent;
	type ValidatorId = Account;
	type ValidatorIdOf = pallet_validator_set::MemberId<Test>;
	type ShouldEndSession = PeriodicSessions<ConstU64<LENGTH>, ConstU64<0>>;
	type NextSessionRotation = PeriodicSessions<ConstU64<LENGTH>, ConstU64<0>>;
	type SessionManager = historical::NoteHistoricalRoot<Self, ValidatorSet>;
	type SessionHandler = Consensus;
	type Keys = Keys;
	type DisablingStrategy = ();
	type WeightInfo = ();
	type Currency = Balances;
	type KeyDeposit = ConstU64<0>;
}

impl historical::Config for Test {
	type RuntimeEvent = RuntimeEvent;
	type FullIdentification = ();
	type FullIdentificationOf = pallet_validator_set::NothingMore;
}

impl pallet_validator_set::Config for Test {
	type ValidatorOrigin = EnsureRoot<Account>;
	type Organisations = TestOrganisations;
	type ChangesHeld = ChangesHeld;
	type History = ConstU32<HISTORY>;
	type MaxValidators = ConstU32<MAX_VALIDATORS>;
	type WeightInfo = pallet_validator_set::weights::SubstrateWeight<Test>;
}

thread_local! {
	static ORGANISATIONS: RefCell<Vec<OrganisationId>> = const { RefCell::new(Vec::new()) };
}

/// A list. Nobody has a role.
pub struct TestOrganisations;

impl TestOrganisations {
	pub fn add(name: &[u8]) -> OrganisationId {
		let organisation = OrganisationId::from_name(name);
		ORGANISATIONS.with_borrow_mut(|all| all.push(organisation));
		organisation
	}
}

impl Organisations<Account> for TestOrganisations {
	fn exists(organisation: OrganisationId) -> bool {
		ORGANISATIONS.with_borrow(|all| all.contains(&organisation))
	}

	fn has_role(_: OrganisationId, _: &Account, _: Role) -> bool {
		false
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn create_for_benchmark(name: &[u8], _: &Account) -> OrganisationId {
		Self::add(name)
	}
}

pub const ACME: &[u8] = b"acme";

pub fn acme() -> OrganisationId {
	OrganisationId::from_name(ACME)
}

/// A chain with four validators, of whom at least three have to serve, in its first block.
pub fn new_test_ext() -> sp_io::TestExternalities {
	chain_of(4, 3)
}

/// A chain with the validators 1, 2 and so on, whose keys have the numbers 101, 102 and so on.
pub fn chain_of(validators: u64, minimum: u32) -> sp_io::TestExternalities {
	ORGANISATIONS.with_borrow_mut(Vec::clear);
	ChangesHeld::set(false);
	let mut storage = frame_system::GenesisConfig::<Test>::default().build_storage().unwrap();
	let keys = (1..=validators).map(|who| (who, who, keys(100 + who))).collect();
	pallet_session::GenesisConfig::<Test> { keys, ..Default::default() }
		.assimilate_storage(&mut storage)
		.unwrap();
	pallet_validator_set::GenesisConfig::<Test> {
		minimum: Some(minimum),
		maximum: Some(8),
		..Default::default()
	}
	.assimilate_storage(&mut storage)
	.unwrap();
	let mut chain = sp_io::TestExternalities::new(storage);
	chain.execute_with(|| {
		System::set_block_number(1);
		TestOrganisations::add(ACME);
	});
	chain
}

/// Runs `test` on the chain of [`new_test_ext`], and holds its state against the invariants afterwards.
pub fn run(test: impl FnOnce()) {
	new_test_ext().execute_with(|| {
		test();
		assert_ok!(Pallet::do_try_state());
	});
}

/// Makes blocks up to the first one of this session.
pub fn pass_to_session(session: SessionIndex) {
	while Session::current_index() < session {
		let number = System::block_number() + 1;
		AllPalletsWithSystem::on_finalize(number - 1);
		System::reset_events();
		System::set_block_number(number);
		AllPalletsWithSystem::on_initialize(number);
		assert_ok!(Pallet::do_try_state());
	}
}

/// Makes blocks until the session has ended so many times.
pub fn end_sessions(number: u32) {
	pass_to_session(Session::current_index() + number);
}

pub fn add(validator: Account) -> DispatchResult {
	ValidatorSet::add_validator(RuntimeOrigin::root(), validator, acme())
}

pub fn remove(validator: Account) -> DispatchResult {
	ValidatorSet::remove_validator(RuntimeOrigin::root(), validator)
}

pub fn disable(validator: Account) -> DispatchResult {
	ValidatorSet::disable_validator(RuntimeOrigin::root(), validator)
}

pub fn enable(validator: Account) -> DispatchResult {
	ValidatorSet::enable_validator(RuntimeOrigin::root(), validator)
}

pub fn set_bounds(minimum: u32, maximum: u32) -> DispatchResult {
	ValidatorSet::set_bounds(RuntimeOrigin::root(), minimum, maximum)
}

pub fn leave(validator: Account) -> DispatchResult {
	ValidatorSet::leave(RuntimeOrigin::signed(validator))
}

/// Sets the key of this number, with a proof by whoever `prover` is.
pub fn set_keys_as(prover: Account, validator: Account, number: u64) -> DispatchResult {
	let proof = UintAuthorityId(number).sign(&prover.encode()).unwrap().encode();
	Session::set_keys(RuntimeOrigin::signed(validator), keys(number), proof)
}

pub fn set_keys(validator: Account, number: u64) -> DispatchResult {
	set_keys_as(validator, validator, number)
}

/// Admits a validator that has set its key.
pub fn add_with_keys(validator: Account) {
	assert_ok!(add(validator));
	assert_ok!(set_keys(validator, 100 + validator));
}

/// What happens when a double vote in this session was proven.
pub fn catch(validator: Account, session: SessionIndex) {
	let offender = OffenceDetails { offender: (validator, ()), reporters: vec![] };
	<Pallet as OnOffenceHandler<_, _, _>>::on_offence(&[offender], &[Default::default()], session);
}

pub fn record(validator: Account) -> Option<ValidatorRecord<Account>> {
	crate::Validators::<Test>::get()
		.into_iter()
		.find(|record| record.account == validator)
}

/// The validators of this session who may not make blocks.
pub fn barred() -> Vec<Account> {
	let serving = Session::validators();
	Session::disabled_validators()
		.into_iter()
		.map(|index| serving[index as usize])
		.collect()
}

/// What this pallet has said in this block.
pub fn events() -> Vec<Event> {
	System::read_events_for_pallet::<Event>()
}
