//! A runtime of two pallets: the system and this one. Time is a number that tests set; fees, and with them the
//! payment of a call, are left out.

use crate as pallet_organisations;
use core::cell::Cell;
use dpki_primitives::{
	Moment,
	ids::{Name, OrganisationId},
	organisation::{OrganisationKind, RoleSet},
};
use frame_support::{assert_ok, derive_impl, traits::Time};
use sp_runtime::{AccountId32, BuildStorage, traits::IdentityLookup};

pub type Block = frame_system::mocking::MockBlock<Test>;
pub type Pallet = pallet_organisations::Pallet<Test>;
pub type Error = pallet_organisations::Error<Test>;
pub type Event = pallet_organisations::Event<Test>;

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
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = Block;
	type AccountId = AccountId32;
	type Lookup = IdentityLookup<AccountId32>;
}

impl pallet_organisations::Config for Test {
	type Time = TestTime;
	type WeightInfo = crate::weights::SubstrateWeight<Test>;
}

thread_local! {
	static NOW: Cell<Moment> = const { Cell::new(0) };
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

pub fn set(by: AccountId32, account: AccountId32, roles: RoleSet) -> sp_runtime::DispatchResult {
	Pallet::set_member(signed(by), acme(), account, roles)
}

pub fn remove(by: AccountId32, account: AccountId32) -> sp_runtime::DispatchResult {
	Pallet::remove_member(signed(by), acme(), account)
}

/// The last event, which has to be one of this pallet.
pub fn last_event() -> Event {
	match System::events().pop().expect("there was an event").event {
		RuntimeEvent::Organisations(event) => event,
		other => panic!("expected an event of organisations, found {other:?}"),
	}
}

pub fn new_test_ext() -> sp_io::TestExternalities {
	let mut ext: sp_io::TestExternalities =
		frame_system::GenesisConfig::<Test>::default().build_storage().unwrap().into();
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
