//! A runtime with real balances and a real list of the council's seats around this pallet, and a probe whose calls are
//! voted on. The watchdogs of one organisation are a list that tests set; fees are left out.

use super::probe;
use crate::{self as pallet_motions, BallotOf, MotionOf};
use core::cell::{Cell, RefCell};
use dpki_primitives::{
	ids::OrganisationId,
	motion::{Bodies, Body, Electorate, MotionId, MotionState, Quorum, Reason},
};
use frame_support::{
	BoundedVec, assert_ok, derive_impl,
	dispatch::{DispatchErrorWithPostInfo, DispatchResultWithPostInfo},
	parameter_types,
	traits::{
		ConstU32, ConstU64, EitherOfDiverse, EnsureOrigin, Get, NeverEnsureOrigin, SortedMembers,
	},
	weights::{Weight, constants::RocksDbWeight},
};
use frame_system::EnsureRoot;
use sp_runtime::{BuildStorage, DispatchError, DispatchResult};
use sp_version::RuntimeVersion;

pub type Block = frame_system::mocking::MockBlock<Test>;
pub type Pallet = pallet_motions::Pallet<Test>;
pub type Error = pallet_motions::Error<Test>;
pub type Event = pallet_motions::Event<Test>;
pub type HoldReason = pallet_motions::HoldReason;
pub type Account = u64;

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
	pub type System = frame_system;
	#[runtime::pallet_index(1)]
	pub type Balances = pallet_balances;
	#[runtime::pallet_index(2)]
	pub type Motions = pallet_motions;
	#[runtime::pallet_index(3)]
	pub type Probe = probe;
	#[runtime::pallet_index(4)]
	pub type CouncilMembership = pallet_membership<Instance1>;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = Block;
	type AccountData = pallet_balances::AccountData<u64>;
	type DbWeight = RocksDbWeight;
	type Version = TestVersion;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
	type AccountStore = System;
}

parameter_types! {
	pub MaxCallWeight: Weight = Weight::from_parts(1_000_000_000, 100_000);
}

pub const BASE_DEPOSIT: u64 = 100;
pub const BYTE_DEPOSIT: u64 = 1;
parameter_types! {
	pub static TestBaseDeposit: u64 = BASE_DEPOSIT;
	pub static TestByteDeposit: u64 = BYTE_DEPOSIT;
}

pub const MIN_PERIOD: u64 = 5;
pub const MAX_PERIOD: u64 = 50;
pub const RETENTION: u64 = 20;
pub const MAX_CALL_LEN: u32 = 200;
pub const MAX_OPEN: u32 = 3;
pub const MAX_VOTES: u32 = 12;

impl pallet_motions::Config for Test {
	type RuntimeCall = RuntimeCall;
	type RuntimeHoldReason = RuntimeHoldReason;
	type Currency = Balances;
	type Electorates = pallet_motions::CouncilAndBodies<CouncilMembership, Organisation>;
	type BaseDeposit = TestBaseDeposit;
	type ByteDeposit = TestByteDeposit;
	type MinPeriod = ConstU64<MIN_PERIOD>;
	type MaxPeriod = ConstU64<MAX_PERIOD>;
	type Retention = ConstU64<RETENTION>;
	type MaxCallLen = ConstU32<MAX_CALL_LEN>;
	type MaxCallWeight = MaxCallWeight;
	type MaxOpenMotions = ConstU32<MAX_OPEN>;
	type MaxVotes = ConstU32<MAX_VOTES>;
	type WeightInfo = pallet_motions::weights::SubstrateWeight<Test>;
}

impl probe::Config for Test {
	type Noted = Noted;
}

/// Takes both origins of motions, through the types that runtimes use.
pub struct Noted;

impl EnsureOrigin<RuntimeOrigin> for Noted {
	type Success = Electorate;

	fn try_origin(origin: RuntimeOrigin) -> Result<Electorate, RuntimeOrigin> {
		let origin = match pallet_motions::EnsureCouncil::try_origin(origin) {
			Ok(()) => return Ok(Electorate::Council),
			Err(origin) => origin,
		};
		pallet_motions::EnsureOrganisation::try_origin(origin)
			.map(|(organisation, body)| Electorate::Organisation(organisation, body))
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn try_successful_origin() -> Result<RuntimeOrigin, ()> {
		pallet_motions::EnsureCouncil::try_successful_origin()
	}
}

thread_local! {
	static WATCHDOGS: RefCell<(u32, Vec<Account>)> = const { RefCell::new((1, Vec::new())) };
	static TRANSACTION_VERSION: Cell<u32> = const { Cell::new(1) };
}

type CouncilOrRoot = EitherOfDiverse<EnsureRoot<Account>, pallet_motions::EnsureCouncil>;

impl pallet_membership::Config<pallet_membership::Instance1> for Test {
	type RuntimeEvent = RuntimeEvent;
	type AddOrigin = CouncilOrRoot;
	type RemoveOrigin = CouncilOrRoot;
	type SwapOrigin = CouncilOrRoot;
	type ResetOrigin = CouncilOrRoot;
	type PrimeOrigin = NeverEnsureOrigin<()>;
	type MembershipInitialized = ();
	type MembershipChanged = ();
	type MaxMembers = ConstU32<100>;
	type WeightInfo = ();
}

/// The council.
pub struct Council;

impl Council {
	pub fn set(seats: impl IntoIterator<Item = Account>) {
		let seats = seats.into_iter().collect();
		assert_ok!(CouncilMembership::reset_members(RuntimeOrigin::root(), seats));
	}

	pub fn seats() -> Vec<Account> {
		CouncilMembership::sorted_members()
	}
}

/// One organisation, whose watchdogs tests set. Its administrators have no say.
pub struct Organisation;

impl Organisation {
	pub fn set(needed: u32, seats: impl IntoIterator<Item = Account>) {
		WATCHDOGS.with_borrow_mut(|watchdogs| *watchdogs = (needed, seats.into_iter().collect()));
	}
}

impl Bodies<Account> for Organisation {
	fn quorum(organisation: OrganisationId, body: Body) -> Option<Quorum> {
		let (needed, seats) = WATCHDOGS.with_borrow(|(needed, seats)| (*needed, seats.len()));
		(organisation == acme() && body == Body::Watchdogs && seats > 0)
			.then(|| Quorum::at_least(needed, seats as u32))
	}

	fn has_seat(organisation: OrganisationId, body: Body, who: &Account) -> bool {
		organisation == acme()
			&& body == Body::Watchdogs
			&& WATCHDOGS.with_borrow(|(_, seats)| seats.contains(who))
	}
}

/// The version of the encoding of calls, which tests can raise.
pub struct TestVersion;

impl TestVersion {
	pub fn upgrade() {
		TRANSACTION_VERSION.set(TRANSACTION_VERSION.get() + 1);
	}
}

impl Get<RuntimeVersion> for TestVersion {
	fn get() -> RuntimeVersion {
		RuntimeVersion { transaction_version: TRANSACTION_VERSION.get(), ..Default::default() }
	}
}

pub fn acme() -> OrganisationId {
	OrganisationId::from_name(b"acme")
}

pub const COUNCIL_ELECTORATE: Electorate = Electorate::Council;

pub fn watchdogs() -> Electorate {
	Electorate::Organisation(acme(), Body::Watchdogs)
}

pub fn signed(who: Account) -> RuntimeOrigin {
	RuntimeOrigin::signed(who)
}

pub fn reason(text: &str) -> Reason {
	Reason::truncate_from(text.as_bytes().to_vec())
}

pub fn note(mark: u32) -> RuntimeCall {
	probe::Call::note { mark }.into()
}

pub fn propose(
	who: Account,
	electorate: Electorate,
	call: RuntimeCall,
) -> DispatchResultWithPostInfo {
	Pallet::propose(signed(who), electorate, Box::new(call), 10, reason("because"))
}

/// Proposes that the council notes `mark`.
pub fn proposed(who: Account, mark: u32) -> MotionId {
	assert_ok!(propose(who, COUNCIL_ELECTORATE, note(mark)));
	crate::NextMotion::<Test>::get() - 1
}

/// Votes with bounds that suffice for every call.
pub fn vote(who: Account, motion: MotionId, aye: bool) -> DispatchResultWithPostInfo {
	let weight = MaxCallWeight::get();
	Pallet::vote(signed(who), motion, aye, reason("so I think"), MAX_CALL_LEN, weight)
}

/// The refusal alone, without what it is charged.
pub fn refusal(result: DispatchResultWithPostInfo) -> DispatchResult {
	result.map(|_| ()).map_err(|DispatchErrorWithPostInfo { error, .. }| error)
}

/// Asserts that the call is refused with this error and changes nothing.
pub fn refused(expected: impl Into<DispatchError>, call: impl FnOnce() -> DispatchResult) {
	let before = sp_io::storage::root(sp_runtime::StateVersion::V1);
	// As in an extrinsic, what a refused call wrote is undone.
	let result = frame_support::storage::with_storage_layer(call);
	assert_eq!(result, Err(expected.into()));
	assert_eq!(sp_io::storage::root(sp_runtime::StateVersion::V1), before, "storage has changed");
}

pub fn motion(id: MotionId) -> MotionOf<Test> {
	crate::Motions::<Test>::get(id).expect("the motion is there")
}

pub fn state(id: MotionId) -> MotionState<u64> {
	motion(id).state
}

pub fn ballot(id: MotionId, who: Account) -> Option<BallotOf<Test>> {
	crate::Ballots::<Test>::get(id, who)
}

/// How often the council or the organisation noted this mark.
pub fn noted(mark: u32) -> u32 {
	probe::Marks::<Test>::get(mark).map_or(0, |(times, _)| times)
}

pub fn held(who: Account) -> u64 {
	use frame_support::traits::fungible::InspectHold;
	Balances::balance_on_hold(&HoldReason::Motion.into(), &who)
}

pub fn go_to(block: u64) {
	System::set_block_number(block);
}

pub fn idle(weight: Weight) -> Weight {
	use frame_support::traits::Hooks;
	Pallet::on_idle(System::block_number(), weight)
}

/// The events of this pallet, oldest first, which are then forgotten.
pub fn events() -> Vec<Event> {
	let events = System::events()
		.into_iter()
		.filter_map(|record| match record.event {
			RuntimeEvent::Motions(event) => Some(event),
			_ => None,
		})
		.collect();
	System::reset_events();
	events
}

pub const ENDOWMENT: u64 = 10_000;

/// A council of 1, 2 and 3; five watchdogs, 11 to 15, of whom two are needed.
pub fn new_test_ext() -> sp_io::TestExternalities {
	Organisation::set(2, 11..=15);
	TRANSACTION_VERSION.set(1);
	let genesis = RuntimeGenesisConfig {
		balances: pallet_balances::GenesisConfig {
			balances: (1..=20).map(|who| (who, ENDOWMENT)).collect(),
			..Default::default()
		},
		council_membership: pallet_membership::GenesisConfig {
			members: BoundedVec::truncate_from(vec![1, 2, 3]),
			..Default::default()
		},
		..Default::default()
	};
	let mut ext: sp_io::TestExternalities = genesis.build_storage().unwrap().into();
	ext.execute_with(|| go_to(1));
	ext
}

/// Runs `test` in a fresh state and checks the state afterwards.
pub fn run(test: impl FnOnce()) {
	new_test_ext().execute_with(|| {
		test();
		assert_ok!(Pallet::do_try_state());
	});
}
