//! A runtime with real balances and real motions around this pallet. Time is a number that tests set, the council is one
//! account, and what belongs to organisations elsewhere is a list; fees are left out.

use crate as pallet_organisations;
use core::cell::{Cell, RefCell};
use dpki_primitives::{
	Moment,
	economy::Departures,
	ids::{Name, OrganisationId},
	motion::{Body, Electorate, Reason},
	organisation::{Belongings, DeliveryPolicy, OrganisationKind, Role, RoleSet},
};
use frame_support::{
	assert_ok, derive_impl, parameter_types,
	traits::{ConstU32, ConstU64, SortedMembers, Time, fungible::InspectHold},
	weights::Weight,
};
use sp_runtime::{AccountId32, BuildStorage, DispatchResult, traits::IdentityLookup};

pub type Block = frame_system::mocking::MockBlock<Test>;
pub type Pallet = pallet_organisations::Pallet<Test>;
pub type Error = pallet_organisations::Error<Test>;
pub type Event = pallet_organisations::Event<Test>;
pub type Authority = pallet_organisations::Authority<AccountId32>;
pub type HoldReason = pallet_organisations::HoldReason;

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
	pub type Organisations = pallet_organisations;
	#[runtime::pallet_index(2)]
	pub type Balances = pallet_balances;
	#[runtime::pallet_index(3)]
	pub type Motions = pallet_motions;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = Block;
	type AccountId = AccountId32;
	type Lookup = IdentityLookup<AccountId32>;
	type AccountData = pallet_balances::AccountData<u64>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
	type AccountStore = System;
}

pub const DEPOSIT: u64 = 1_000;
pub const ENDOWMENT: u64 = 10_000;
pub const HAND_OVER_PERIOD: u64 = 10;
pub const RECOVERY_DELAY: u64 = 100;

impl pallet_organisations::Config for Test {
	type Time = TestTime;
	type RuntimeHoldReason = RuntimeHoldReason;
	type Currency = Balances;
	type BodyOrigin = pallet_motions::EnsureOrganisation;
	type CouncilOrigin = pallet_motions::EnsureCouncil;
	type Belongings = TestBelongings;
	type Departures = TestDepartures;
	type Deposit = ConstU64<DEPOSIT>;
	type HandOverPeriod = ConstU64<HAND_OVER_PERIOD>;
	type RecoveryDelay = ConstU64<RECOVERY_DELAY>;
	type WeightInfo = pallet_organisations::weights::SubstrateWeight<Test>;
}

parameter_types! {
	pub MaxCallWeight: Weight = Weight::from_parts(100_000_000_000, 1_000_000);
}

impl pallet_motions::Config for Test {
	type RuntimeCall = RuntimeCall;
	type RuntimeHoldReason = RuntimeHoldReason;
	type Currency = Balances;
	type Electorates = pallet_motions::CouncilAndBodies<TestCouncil, Organisations>;
	type BaseDeposit = ConstU64<10>;
	type ByteDeposit = ConstU64<1>;
	type MinPeriod = ConstU64<1>;
	type MaxPeriod = ConstU64<100>;
	type Retention = ConstU64<100>;
	type MaxCallLen = ConstU32<1_000>;
	type MaxCallWeight = MaxCallWeight;
	type MaxOpenMotions = ConstU32<10>;
	type MaxVotes = ConstU32<100>;
	type WeightInfo = pallet_motions::weights::SubstrateWeight<Test>;
}

thread_local! {
	static NOW: Cell<Moment> = const { Cell::new(0) };
	static BELONGINGS: RefCell<Vec<OrganisationId>> = const { RefCell::new(Vec::new()) };
	static DEPARTED: RefCell<Vec<AccountId32>> = const { RefCell::new(Vec::new()) };
	static FOUNDED: RefCell<Vec<OrganisationId>> = const { RefCell::new(Vec::new()) };
}

/// The council: one trustee.
pub struct TestCouncil;

impl SortedMembers<AccountId32> for TestCouncil {
	fn sorted_members() -> Vec<AccountId32> {
		vec![trustee()]
	}
}

/// What belongs to organisations elsewhere: nothing, until a test gives them something.
pub struct TestBelongings;

impl TestBelongings {
	pub fn give(organisation: OrganisationId) {
		BELONGINGS.with_borrow_mut(|owners| owners.push(organisation));
	}
}

impl Belongings for TestBelongings {
	fn is_empty(organisation: OrganisationId) -> bool {
		BELONGINGS.with_borrow(|owners| !owners.contains(&organisation))
	}
}

/// Remembers who has left, and which organisations were founded and are not dissolved.
pub struct TestDepartures;

impl Departures<AccountId32> for TestDepartures {
	fn departed(who: &AccountId32) {
		DEPARTED.with_borrow_mut(|departed| departed.push(who.clone()));
	}

	fn founded(organisation: OrganisationId) {
		FOUNDED.with_borrow_mut(|founded| founded.push(organisation));
	}

	fn dissolved(organisation: OrganisationId) {
		FOUNDED.with_borrow_mut(|founded| founded.retain(|id| *id != organisation));
	}
}

/// Who has left since the last time that it was asked.
pub fn departed() -> Vec<AccountId32> {
	DEPARTED.take()
}

/// The organisations of which is known that they were founded, and not that they were dissolved.
pub fn founded() -> Vec<OrganisationId> {
	FOUNDED.with_borrow(Clone::clone)
}

/// A clock that stands still until it is set.
pub struct TestTime;

impl TestTime {
	pub fn set(now: Moment) {
		NOW.with(|cell| cell.set(now));
	}
}

impl Time for TestTime {
	type Moment = Moment;

	fn now() -> Moment {
		NOW.with(Cell::get)
	}
}

pub fn alice() -> AccountId32 {
	AccountId32::new([1; 32])
}

pub fn bob() -> AccountId32 {
	AccountId32::new([2; 32])
}

pub fn carol() -> AccountId32 {
	AccountId32::new([3; 32])
}

pub fn dave() -> AccountId32 {
	AccountId32::new([4; 32])
}

pub fn erin() -> AccountId32 {
	AccountId32::new([5; 32])
}

pub fn trustee() -> AccountId32 {
	AccountId32::new([6; 32])
}

/// What the administrators of [`acme`] carried.
pub fn administrators() -> RuntimeOrigin {
	Electorate::Organisation(acme(), Body::Administrators).into()
}

/// What the watchdogs of [`acme`] carried.
pub fn watchdogs() -> RuntimeOrigin {
	Electorate::Organisation(acme(), Body::Watchdogs).into()
}

/// What the council carried.
pub fn council() -> RuntimeOrigin {
	Electorate::Council.into()
}

pub const ADMINISTRATOR: RoleSet = RoleSet::EMPTY.with(Role::Administrator);
pub const PUBLISHER: RoleSet = RoleSet::EMPTY.with(Role::Publisher);
pub const WATCHDOG: RoleSet = RoleSet::EMPTY.with(Role::Watchdog);

pub fn signed(who: AccountId32) -> RuntimeOrigin {
	RuntimeOrigin::signed(who)
}

pub fn name(text: &str) -> Name {
	Name::truncate_from(text.as_bytes().to_vec())
}

/// The organisation of Alice.
pub fn acme() -> OrganisationId {
	OrganisationId::from_name(b"acme")
}

pub fn create_acme() {
	assert_ok!(Pallet::create(signed(alice()), name("acme"), OrganisationKind::EcosystemOperator));
}

/// Gives an account these roles; if it is no member yet, it is invited and accepts.
pub fn set(by: AccountId32, account: AccountId32, roles: RoleSet) -> DispatchResult {
	set_as(signed(by), account, roles)
}

pub fn set_as(origin: RuntimeOrigin, account: AccountId32, roles: RoleSet) -> DispatchResult {
	invite_as(origin, account.clone(), roles)?;
	match is_invited(&account) {
		true => join(account),
		false => Ok(()),
	}
}

/// Invites an account, or gives a member these roles.
pub fn invite(by: AccountId32, account: AccountId32, roles: RoleSet) -> DispatchResult {
	invite_as(signed(by), account, roles)
}

pub fn invite_as(origin: RuntimeOrigin, account: AccountId32, roles: RoleSet) -> DispatchResult {
	Pallet::set_member(origin, acme(), account, roles)
}

pub fn join(account: AccountId32) -> DispatchResult {
	Pallet::join(signed(account), acme())
}

pub fn is_invited(account: &AccountId32) -> bool {
	crate::Invitations::<Test>::get(acme()).iter().any(|it| it.account == *account)
}

pub fn remove(by: AccountId32, account: AccountId32) -> DispatchResult {
	Pallet::remove_member(signed(by), acme(), account)
}

/// Acme under the policy `MultiAdmin`: Alice with every role and Bob are its administrators, Carol is its publisher.
pub fn multi_admin_acme() {
	create_acme();
	assert_ok!(set(alice(), bob(), ADMINISTRATOR));
	assert_ok!(set(alice(), carol(), PUBLISHER));
	assert_ok!(Pallet::set_policy(signed(alice()), acme(), DeliveryPolicy::MultiAdmin));
}

/// Acme with Alice as its administrator and Bob, Carol and Dave as watchdogs, of whom two are needed.
pub fn watched_acme() {
	create_acme();
	assert_ok!(set(alice(), alice(), ADMINISTRATOR.with(Role::Publisher)));
	for watchdog in [bob(), carol(), dave()] {
		assert_ok!(set(alice(), watchdog, WATCHDOG));
	}
	let policy = DeliveryPolicy::Watchdogs { needed: 2 };
	assert_ok!(Pallet::set_policy(signed(alice()), acme(), policy));
}

/// The policy of Acme.
pub fn policy() -> DeliveryPolicy {
	crate::Organisations::<Test>::get(acme()).expect("acme exists").policy
}

pub fn roles(who: AccountId32) -> Option<RoleSet> {
	crate::Members::<Test>::get(acme(), who)
}

/// `proposer` proposes, as a motion of this electorate, and `voters` vote for it.
pub fn carry(
	electorate: Electorate,
	proposer: AccountId32,
	voters: impl IntoIterator<Item = AccountId32>,
	call: impl Into<RuntimeCall>,
) -> DispatchResult {
	let id = pallet_motions::NextMotion::<Test>::get();
	let reason = Reason::default();
	let call = Box::new(call.into());
	Motions::propose(signed(proposer), electorate, call, 10, reason.clone())
		.map_err(|refused| refused.error)?;
	for voter in voters {
		Motions::vote(signed(voter), id, true, reason.clone(), 1_000, MaxCallWeight::get())
			.map_err(|refused| refused.error)?;
	}
	Ok(())
}

pub fn held(who: AccountId32) -> u64 {
	Balances::balance_on_hold(&HoldReason::Organisation.into(), &who)
}

pub fn go_to(block: u64) {
	System::set_block_number(block);
}

/// The last event, which has to be one of this pallet.
pub fn last_event() -> Event {
	match System::events().pop().expect("there was an event").event {
		RuntimeEvent::Organisations(event) => event,
		other => panic!("expected an event of organisations, found {other:?}"),
	}
}

pub fn new_test_ext() -> sp_io::TestExternalities {
	BELONGINGS.with_borrow_mut(Vec::clear);
	departed();
	let genesis = RuntimeGenesisConfig {
		balances: pallet_balances::GenesisConfig {
			balances: [alice(), bob(), carol(), dave(), erin(), trustee()]
				.map(|who| (who, ENDOWMENT))
				.to_vec(),
			..Default::default()
		},
		..Default::default()
	};
	let mut ext: sp_io::TestExternalities = genesis.build_storage().unwrap().into();
	ext.execute_with(|| System::set_block_number(1));
	ext
}

/// Runs `test` in a fresh state and checks the state afterwards.
pub fn run(test: impl FnOnce()) {
	new_test_ext().execute_with(|| {
		test();
		assert_ok!(Pallet::do_try_state());
	});
}
