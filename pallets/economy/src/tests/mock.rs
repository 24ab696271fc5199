//! A runtime with real balances and real fees around this pallet. Organisations, trustees and the author of a block are
//! lists that tests set; a picosecond and a byte cost one token each.

use crate as pallet_economy;
use core::cell::RefCell;
use dpki_primitives::{
	economy::{QuotaPolicies, QuotaPolicy, Sponsors},
	ids::OrganisationId,
};
use frame_support::{
	PalletId, assert_ok, derive_impl,
	dispatch::{DispatchClass, DispatchInfo, Pays, PostDispatchInfo},
	parameter_types,
	traits::{ConstU64, ConstU128, Contains, Get, fungible::InspectHold},
	weights::{IdentityFee, Weight},
};
use frame_system::{EnsureRoot, limits::BlockWeights};
use pallet_transaction_payment::{ChargeTransactionPayment, FungibleAdapter};
use sp_runtime::{
	BuildStorage, DispatchError, DispatchErrorWithPostInfo,
	generic::ExtensionVersion,
	traits::{DispatchTransaction, TransactionExtension},
	transaction_validity::{TransactionSource, TransactionValidityError, ValidTransaction},
};

pub type Block = frame_system::mocking::MockBlock<Test>;
pub type Pallet = pallet_economy::Pallet<Test>;
pub type Error = pallet_economy::Error<Test>;
pub type Event = pallet_economy::Event<Test>;
pub type HoldReason = pallet_economy::HoldReason;
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
		RuntimeTask
	)]
	pub struct Test;

	#[runtime::pallet_index(0)]
	pub type System = frame_system;
	#[runtime::pallet_index(1)]
	pub type Balances = pallet_balances;
	#[runtime::pallet_index(2)]
	pub type TransactionPayment = pallet_transaction_payment;
	#[runtime::pallet_index(3)]
	pub type Economy = pallet_economy;
}

pub const EXISTENTIAL_DEPOSIT: u64 = 10;
pub const ENDOWMENT: u64 = 1_000_000;
pub const MIN_CAPACITY: u64 = 100;
pub const QUOTA_UNIT: u64 = 10;

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = Block;
	type AccountData = pallet_balances::AccountData<u64>;
	type BlockWeights = TestBlockWeights;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
	type AccountStore = System;
	type ExistentialDeposit = ConstU64<EXISTENTIAL_DEPOSIT>;
}

#[derive_impl(pallet_transaction_payment::config_preludes::TestDefaultConfig)]
impl pallet_transaction_payment::Config for Test {
	type OnChargeTransaction = FungibleAdapter<Balances, pallet_economy::ToPot<Test>>;
	type WeightToFee = IdentityFee<u64>;
	type LengthToFee = IdentityFee<u64>;
	type WeightInfo = TestWeights;
}

/// What every transaction costs beside its own weight, in tokens.
pub const BASE_FEE: u64 = 100;
/// What metering costs.
pub const METER: u64 = 300;
/// What finding out costs that nobody answers for an account.
pub const PASS_METER: u64 = 100;
/// What finding out costs that the chain is not feeless.
pub const SKIP_METER: u64 = 10;
/// What paying the author costs.
pub const PAY_AUTHOR: u64 = 1_000;

/// What trying to return a deposit once more costs.
pub const RETURN_OWED: u64 = 500;

/// Weights of the size of the balances here. Charging costs nothing unless a test says so, so that members use what they
/// declare.
pub struct TestWeights;

impl crate::WeightInfo for TestWeights {
	fn set_fee() -> Weight {
		Weight::zero()
	}
	fn set_deposit() -> Weight {
		Weight::zero()
	}
	fn set_feeless() -> Weight {
		Weight::zero()
	}
	fn set_quotas() -> Weight {
		Weight::zero()
	}
	fn pay_author() -> Weight {
		Weight::from_parts(PAY_AUTHOR, 0)
	}
	fn return_owed() -> Weight {
		Weight::from_parts(RETURN_OWED, 0)
	}
	fn meter() -> Weight {
		Weight::from_parts(METER, 0)
	}
	fn pass_meter() -> Weight {
		Weight::from_parts(PASS_METER, 0)
	}
	fn skip_meter() -> Weight {
		Weight::from_parts(SKIP_METER, 0)
	}
}

impl pallet_transaction_payment::WeightInfo for TestWeights {
	fn charge_transaction_payment() -> Weight {
		Weight::from_parts(ChargeWeight::get(), 0)
	}
}

parameter_types! {
	pub static ChargeWeight: u64 = 0;
	pub TestBlockWeights: BlockWeights = BlockWeights::builder()
		.base_block(Weight::zero())
		.for_class(DispatchClass::all(), |weights| {
			weights.base_extrinsic = Weight::from_parts(BASE_FEE, 0);
			weights.max_total = Some(Weight::from_parts(1_000_000_000, u64::MAX));
		})
		.build_or_panic();
	pub const PotId: PalletId = PalletId(*b"test/pot");
}

impl pallet_economy::Config for Test {
	type RuntimeHoldReason = RuntimeHoldReason;
	type Currency = Balances;
	type EconomyOrigin = EnsureRoot<Account>;
	type Organisations = TestOrganisations;
	type Trustees = TestTrustees;
	type Author = TestAuthor;
	type PotId = PotId;
	type QuotaUnit = ConstU128<{ QUOTA_UNIT as u128 }>;
	type MinCapacity = ConstU64<MIN_CAPACITY>;
	type WeightInfo = TestWeights;
}

thread_local! {
	static MEMBERS: RefCell<Vec<(Account, OrganisationId)>> = const { RefCell::new(Vec::new()) };
	static TRUSTEES: RefCell<Vec<Account>> = const { RefCell::new(Vec::new()) };
	static AUTHOR: RefCell<Option<Account>> = const { RefCell::new(None) };
}

/// Organisations answer for whom a test has made a member.
pub struct TestOrganisations;

impl Sponsors<Account> for TestOrganisations {
	fn sponsors(who: &Account) -> Vec<OrganisationId> {
		MEMBERS.with_borrow(|members| {
			members
				.iter()
				.filter(|(account, _)| account == who)
				.map(|(_, id)| *id)
				.collect()
		})
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn sponsor_for_benchmark(who: &Account) {
		for index in 0..dpki_primitives::economy::MAX_SPONSORS as u8 {
			join(*who, OrganisationId([index; 32]));
		}
	}
}

/// The trustees that a test has appointed.
pub struct TestTrustees;

impl Contains<Account> for TestTrustees {
	fn contains(who: &Account) -> bool {
		TRUSTEES.with_borrow(|trustees| trustees.contains(who))
	}
}

/// The author that a test has set.
pub struct TestAuthor;

impl Get<Option<Account>> for TestAuthor {
	fn get() -> Option<Account> {
		AUTHOR.with_borrow(|author| *author)
	}
}

pub const ALICE: Account = 1;
pub const BOB: Account = 2;
pub const CAROL: Account = 3;
/// Has no tokens.
pub const PAUPER: Account = 4;
/// Makes blocks.
pub const AUTHOR_ACCOUNT: Account = 5;

pub const ACME: OrganisationId = OrganisationId([7; 32]);
pub const BORG: OrganisationId = OrganisationId([8; 32]);

pub fn join(who: Account, organisation: OrganisationId) {
	MEMBERS.with_borrow_mut(|members| members.push((who, organisation)));
}

pub fn leave(who: Account) {
	MEMBERS.with_borrow_mut(|members| members.retain(|(account, _)| *account != who));
}

pub fn appoint(who: Account) {
	TRUSTEES.with_borrow_mut(|trustees| trustees.push(who));
}

pub fn dismiss(who: Account) {
	TRUSTEES.with_borrow_mut(|trustees| trustees.retain(|account| *account != who));
}

pub fn set_author(who: Option<Account>) {
	AUTHOR.with_borrow_mut(|author| *author = who);
}

pub fn root() -> RuntimeOrigin {
	RuntimeOrigin::root()
}

pub fn feeless(on: bool) {
	assert_ok!(Pallet::set_feeless(root(), on));
}

/// An account can take 200 units at once and 10 per block, an organisation 300 and 20; a fifth is left beside.
pub const POLICIES: QuotaPolicies = QuotaPolicies {
	account: QuotaPolicy { capacity: 250, refill: 10 },
	organisation: QuotaPolicy { capacity: 375, refill: 20 },
};

pub fn held(who: Account) -> u64 {
	Balances::balance_on_hold(&HoldReason::Resource.into(), &who)
}

pub fn free(who: Account) -> u64 {
	Balances::free_balance(who)
}

pub fn pot() -> u64 {
	free(Pallet::pot())
}

pub fn go_to(block: u64) {
	System::set_block_number(block);
}

/// The last event, which has to be one of this pallet.
pub fn last_event() -> Event {
	match System::events().pop().expect("there was an event").event {
		RuntimeEvent::Economy(event) => event,
		other => panic!("expected an event of the economy, found {other:?}"),
	}
}

pub fn call() -> RuntimeCall {
	frame_system::Call::remark { remark: vec![] }.into()
}

/// What a transaction weighs. Its length is left out of tests that are not about it.
pub fn weighing(weight: u64) -> DispatchInfo {
	DispatchInfo {
		call_weight: Weight::from_parts(weight, 0),
		extension_weight: extension(0).weight(&call()),
		..Default::default()
	}
}

pub fn extension(tip: u64) -> crate::Metered<Test> {
	ChargeTransactionPayment::from(tip).into()
}

/// What the pool says of a transaction of this weight.
pub fn pool(
	who: Account,
	weight: u64,
	tip: u64,
) -> Result<ValidTransaction, TransactionValidityError> {
	extension(tip)
		.validate_only(
			RuntimeOrigin::signed(who),
			&call(),
			&weighing(weight),
			0,
			TransactionSource::External,
			ExtensionVersion::default(),
		)
		.map(|(valid, ..)| valid)
}

/// How a dispatch went.
pub struct Dispatched {
	pub used: u64,
	pub fails: bool,
	pub pays: Pays,
}

/// Sends a transaction that declares this weight.
pub fn send(
	who: Account,
	weight: u64,
	dispatched: Dispatched,
) -> Result<(), TransactionValidityError> {
	let Dispatched { used, fails, pays } = dispatched;
	let dispatch = |_| {
		let actual_weight = Some(Weight::from_parts(used, 0));
		let post_info = PostDispatchInfo { actual_weight, pays_fee: pays };
		match fails {
			true => {
				Err(DispatchErrorWithPostInfo { post_info, error: DispatchError::CannotLookup })
			},
			false => Ok(post_info),
		}
	};
	let (origin, version) = (RuntimeOrigin::signed(who), ExtensionVersion::default());
	extension(0)
		.test_run(origin, &call(), &weighing(weight), 0, version, dispatch)
		.map(|_| ())
}

/// Sends a transaction that uses what it declares and succeeds.
pub fn transact(who: Account, weight: u64) -> Result<(), TransactionValidityError> {
	send(who, weight, Dispatched { used: weight, fails: false, pays: Pays::Yes })
}

pub fn new_test_ext() -> sp_io::TestExternalities {
	MEMBERS.with_borrow_mut(Vec::clear);
	TRUSTEES.with_borrow_mut(Vec::clear);
	set_author(None);
	let genesis = RuntimeGenesisConfig {
		balances: pallet_balances::GenesisConfig {
			balances: [ALICE, BOB, CAROL].map(|who| (who, ENDOWMENT)).to_vec(),
			..Default::default()
		},
		economy: pallet_economy::GenesisConfig {
			fees: vec![("issue-voucher".into(), 100), ("batch-key".into(), 3)],
			deposits: vec![("device".into(), 1_000), ("key".into(), 50)],
			account_quota: Some((POLICIES.account.capacity, POLICIES.account.refill)),
			organisation_quota: Some((
				POLICIES.organisation.capacity,
				POLICIES.organisation.refill,
			)),
			..Default::default()
		},
		..Default::default()
	};
	let mut ext: sp_io::TestExternalities = genesis.build_storage().unwrap().into();
	ext.execute_with(|| System::set_block_number(1));
	ext
}

/// Runs `test` in a fresh state and checks the state, and that no token came or went.
pub fn run(test: impl FnOnce()) {
	new_test_ext().execute_with(|| {
		let issuance = Balances::total_issuance();
		test();
		assert_ok!(Pallet::do_try_state());
		assert_eq!(Balances::total_issuance(), issuance);
	});
}
