//! A runtime with balances around this pallet, and a small world in it: applicants, six observers and six endorsers of
//! organisations of their own, and an organisation `acme` with an administrator and a registrar. Leaves out fees of
//! transactions, nonces and eras.

use super::doubles::{self, TestEconomy, TestOrganisations, TestRegistry, TestRequests, TestTime};
use crate::{
	self as pallet_certificates, FeeSchedule, LevelPrices, Price, weights::SubstrateWeight,
};
use dpki_primitives::{
	Moment,
	application::{CertificateRequest, Observation, Outcome, Phase, Possession, commitment},
	assurance::{Assessment, Finding, Level, Quorum},
	certificate::{CertificatePolicy, Holder, Office},
	context::{Action, SigningContext},
	ids::{ApplicationId, CertificateId, OrganisationId},
	key::{KeyType, PublicKey, Signature},
	organisation::Role,
	subject::Subject,
};
use frame_support::{
	assert_ok, derive_impl, parameter_types,
	traits::{ConstU32, ConstU64, Hooks},
	weights::Weight,
};
use frame_system::EnsureRoot;
use sp_core::{H256, Pair, ed25519};
use sp_runtime::{AccountId32, BuildStorage, DispatchResult, traits::IdentityLookup};

pub type Error = pallet_certificates::Error<Test>;
pub type Event = pallet_certificates::Event<Test>;

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
	pub type Certificates = pallet_certificates;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = frame_system::mocking::MockBlockU32<Test>;
	type AccountId = AccountId32;
	type Lookup = IdentityLookup<AccountId32>;
	type AccountData = pallet_balances::AccountData<u64>;
}

/// An account with less than this does not exist.
pub const EXISTENTIAL: u64 = 10;

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
	type AccountStore = System;
	type ExistentialDeposit = ConstU64<EXISTENTIAL>;
}

parameter_types! {
	pub DefaultFees: FeeSchedule<u64> = FEES;
	pub ValidatorsAccount: AccountId32 = VALIDATORS;
	pub static LongestVote: u32 = UNBONDING - 1;
}

impl pallet_certificates::Config for Test {
	type RuntimeHoldReason = RuntimeHoldReason;
	type Currency = Balances;
	type Economy = TestEconomy;
	type QuotaWeight = ();
	type Organisations = TestOrganisations;
	type Registry = TestRegistry;
	type Requests = TestRequests;
	type Time = TestTime;
	type AccreditationOrigin = EnsureRoot<AccountId32>;
	type RevocationOrigin = EnsureRoot<AccountId32>;
	type PolicyOrigin = EnsureRoot<AccountId32>;
	type DefaultFees = DefaultFees;
	type ValidatorsAccount = ValidatorsAccount;
	type ClosedRetention = ConstU32<50>;
	type UnbondingPeriod = ConstU32<UNBONDING>;
	type LongestVote = LongestVote;
	type WeightInfo = SubstrateWeight<Test>;
}

/// For how many blocks what is taken out of a bond stays on hold.
pub const UNBONDING: u32 = 60;
pub const GENESIS: [u8; 32] = [7; 32];
pub const DAY: Moment = 24 * 60 * 60 * 1000;
/// The chain time at which every test begins.
pub const NOW: Moment = 1_800_000_000_000;
/// The expiry of signatures that are still good.
pub const EXPIRY: Moment = NOW + 60_000;
/// The end that is asked for certificates.
pub const NOT_AFTER: Moment = NOW + 150 * DAY;
/// What each applicant has at the beginning.
pub const WEALTH: u64 = 1_000_000;

pub const ALICE: AccountId32 = AccountId32::new([1; 32]);
pub const BOB: AccountId32 = AccountId32::new([2; 32]);
/// Registrar of [`acme`].
pub const REGISTRAR: AccountId32 = AccountId32::new([3; 32]);
/// Administrator of [`acme`].
pub const ADMIN: AccountId32 = AccountId32::new([4; 32]);
pub const VALIDATORS: AccountId32 = AccountId32::new([99; 32]);

const fn prices(network: u64, observation: u64, endorsement: u64) -> Price<u64> {
	Price { network, observation, endorsement }
}

pub const FEES: FeeSchedule<u64> = FeeSchedule {
	feeless: false,
	deposit: 100,
	issue: LevelPrices { dv: prices(20, 101, 0), ov: prices(40, 101, 50), ev: prices(80, 101, 70) },
	control: LevelPrices { dv: prices(11, 61, 0), ov: prices(12, 61, 0), ev: prices(13, 61, 0) },
	endorsement: LevelPrices { dv: prices(0, 0, 0), ov: prices(14, 0, 30), ev: prices(15, 0, 35) },
};

pub const POLICY: CertificatePolicy = CertificatePolicy {
	observers: 2,
	endorsers: Quorum { ov: 2, ev: 3 },
	commit_blocks: 10,
	reveal_blocks: 10,
	endorsement_blocks: 100,
	control_lifetime: 90 * DAY,
	max_lifetime: 200 * DAY,
	max_endorsement_lifetime: 100 * DAY,
};

pub fn acme() -> OrganisationId {
	OrganisationId::from_name(b"acme")
}

/// Observer number `n`; its organisation is [`observer_organisation`].
pub fn observer(n: u8) -> AccountId32 {
	AccountId32::new([20 + n; 32])
}

pub fn observer_organisation(n: u8) -> OrganisationId {
	OrganisationId([20 + n; 32])
}

/// Endorser number `n`; its organisation is [`endorser_organisation`].
pub fn endorser(n: u8) -> AccountId32 {
	AccountId32::new([40 + n; 32])
}

pub fn endorser_organisation(n: u8) -> OrganisationId {
	OrganisationId([40 + n; 32])
}

pub fn new_test_ext() -> sp_io::TestExternalities {
	let balances = [ALICE, BOB, REGISTRAR, ADMIN]
		.into_iter()
		.map(|who| (who, WEALTH))
		.chain((0..6).flat_map(|n| [(observer(n), EXISTENTIAL), (endorser(n), EXISTENTIAL)]))
		.chain([(VALIDATORS, EXISTENTIAL)])
		.collect();
	let genesis = RuntimeGenesisConfig {
		balances: pallet_balances::GenesisConfig { balances, ..Default::default() },
		..Default::default()
	};
	let mut ext = sp_io::TestExternalities::new(genesis.build_storage().unwrap());
	ext.register_extension(sp_keystore::KeystoreExt::new(
		sp_keystore::testing::MemoryKeystore::new(),
	));
	doubles::reset();
	ext.execute_with(|| {
		System::set_block_number(1);
		frame_system::BlockHash::<Test>::insert(0, H256(GENESIS));
		TestTime::set(NOW);
		TestOrganisations::grant(acme(), &REGISTRAR, Role::Registrar);
		TestOrganisations::grant(acme(), &ADMIN, Role::Administrator);
		crate::Policy::<Test>::put(POLICY);
		for n in 0..6 {
			TestOrganisations::add(observer_organisation(n));
			TestOrganisations::add(endorser_organisation(n));
			accredit(Office::Observer, observer(n), observer_organisation(n), Level::Dv);
			accredit(Office::Endorser, endorser(n), endorser_organisation(n), Level::Ev);
		}
		System::reset_events();
	});
	ext
}

/// Runs a test and checks the invariants after it.
pub fn run(test: impl FnOnce()) {
	new_test_ext().execute_with(|| {
		test();
		assert_ok!(Certificates::do_try_state());
	});
}

pub fn signed(who: AccountId32) -> RuntimeOrigin {
	RuntimeOrigin::signed(who)
}

pub fn root() -> RuntimeOrigin {
	RuntimeOrigin::root()
}

pub fn accredit(office: Office, who: AccountId32, organisation: OrganisationId, level: Level) {
	assert_ok!(Certificates::accredit(root(), office, who, organisation, level));
}

/// Goes on by some blocks, without their hooks.
pub fn skip(blocks: u32) {
	System::set_block_number(System::block_number() + blocks);
}

/// Lets a block with plenty of time left clean up.
pub fn idle() {
	Certificates::on_idle(System::block_number(), Weight::MAX);
}

pub fn set_time(now: Moment) {
	TestTime::set(now);
}

/// The Ed25519 key pair of this seed.
pub fn pair(seed: u8) -> ed25519::Pair {
	ed25519::Pair::from_seed(&[seed; 32])
}

pub fn public(seed: u8) -> PublicKey {
	PublicKey::new(KeyType::Ed25519, &pair(seed).public().0).unwrap()
}

pub fn account_holder(who: AccountId32) -> Holder {
	Holder::Account(who.into())
}

pub fn dns(name: &str) -> Subject {
	Subject::Dns(name.as_bytes().to_vec().try_into().unwrap())
}

/// A request of [`ALICE`]'s.
pub fn request(subject: Subject, level: Level, seed: u8) -> CertificateRequest {
	CertificateRequest {
		subject,
		holder: account_holder(ALICE),
		level,
		key: public(seed),
		display_name: None,
		not_after: NOT_AFTER,
	}
}

/// A request for a certificate of the organisation [`acme`].
pub fn acme_request(level: Level, seed: u8) -> CertificateRequest {
	CertificateRequest {
		holder: Holder::Organisation(acme()),
		..request(Subject::Organisation(acme()), level, seed)
	}
}

/// The key's signature over a request of this payer.
pub fn possession_of(payer: &AccountId32, request: &CertificateRequest, seed: u8) -> Possession {
	possession_with(payer, request, seed, crate::ApplicationNonce::<Test>::get(payer), EXPIRY)
}

pub fn possession_with(
	payer: &AccountId32,
	request: &CertificateRequest,
	seed: u8,
	nonce: u64,
	expires_at: Moment,
) -> Possession {
	let action =
		Action::ApplyForCertificate { payer: payer.clone().into(), request: request.digest() };
	let payload = SigningContext { genesis: GENESIS, action, nonce, expires_at }.payload();
	let signature = pair(seed).sign(&payload).0.to_vec();
	Possession::Signature(Signature::truncate_from(signature))
}

/// Applies with a good proof of possession by the key of `seed`.
pub fn try_apply(payer: AccountId32, request: CertificateRequest, seed: u8) -> DispatchResult {
	let now = <TestTime as frame_support::traits::Time>::now();
	let nonce = crate::ApplicationNonce::<Test>::get(&payer);
	let possession = possession_with(&payer, &request, seed, nonce, now + 60_000);
	Certificates::apply(signed(payer), request, possession, now + 60_000)
}

pub fn apply(payer: AccountId32, request: CertificateRequest, seed: u8) -> ApplicationId {
	let nonce = crate::ApplicationNonce::<Test>::get(&payer);
	assert_ok!(try_apply(payer.clone(), request, seed));
	ApplicationId::of(&payer.into(), nonce)
}

/// The application that this payer makes next.
pub fn next_application(payer: AccountId32) -> ApplicationId {
	ApplicationId::of(&payer.clone().into(), crate::ApplicationNonce::<Test>::get(&payer))
}

pub const SALT: [u8; 32] = [5; 32];

pub fn commit(id: ApplicationId, n: u8, observation: Observation) -> DispatchResult {
	let hash = commitment(id, &observer(n).into(), observation, &SALT);
	Certificates::commit(signed(observer(n)), id, hash)
}

pub fn reveal(id: ApplicationId, n: u8, observation: Observation) -> DispatchResult {
	Certificates::reveal(signed(observer(n)), id, observation, SALT)
		.map(|_| ())
		.map_err(|error| error.error)
}

pub fn close(id: ApplicationId) -> DispatchResult {
	Certificates::close(signed(BOB), id).map(|_| ()).map_err(|error| error.error)
}

/// Lets two observers see control.
pub fn prove_control(id: ApplicationId) {
	for n in 0..2 {
		assert_ok!(commit(id, n, Observation::Controlled));
	}
	skip(11);
	for n in 0..2 {
		assert_ok!(reveal(id, n, Observation::Controlled));
	}
}

/// A valid DV certificate of [`ALICE`]'s about a name.
pub fn dns_certificate(name: &str, seed: u8) -> CertificateId {
	let id = apply(ALICE, request(dns(name), Level::Dv, seed), seed);
	prove_control(id);
	CertificateId::of(id)
}

/// A certificate of the organisation [`acme`] at a requested level, without endorsements.
pub fn acme_certificate(level: Level, seed: u8) -> CertificateId {
	CertificateId::of(apply(ADMIN, acme_request(level, seed), seed))
}

pub fn endorse(id: CertificateId, n: u8, level: Level) -> DispatchResult {
	let digest = crate::Certificates::<Test>::get(id).unwrap_or_else(unknown).digest(id);
	let now = <TestTime as frame_support::traits::Time>::now();
	Certificates::endorse(signed(endorser(n)), id, level, digest, None, now + 50 * DAY)
}

/// A record that is not on the chain.
fn unknown() -> dpki_primitives::certificate::CertificateRecord {
	dpki_primitives::certificate::CertificateRecord {
		subject: Subject::Person([0; 32]),
		holder: account_holder(ALICE),
		requested: Level::Ov,
		key: public(1),
		display_name: None,
		validity: dpki_primitives::status::Validity { not_before: 0, not_after: None },
		control_until: None,
		suspension: None,
		revocation: None,
	}
}

pub fn outcome(id: ApplicationId) -> Option<Outcome> {
	match crate::Applications::<Test>::get(id)?.phase {
		Phase::Closed { outcome, .. } => Some(outcome),
		_ => None,
	}
}

pub fn assessment(id: CertificateId) -> Assessment {
	Certificates::assessment(id).expect("the certificate exists")
}

pub fn level(id: CertificateId) -> Option<Level> {
	assessment(id).level
}

pub fn findings(id: CertificateId) -> Vec<Finding> {
	assessment(id).explanations.iter().map(|it| it.finding).collect()
}

pub fn held(reason: crate::HoldReason, who: &AccountId32) -> u64 {
	use frame_support::traits::fungible::InspectHold;
	Balances::balance_on_hold(&reason.into(), who)
}

/// What the account owns, held or not.
pub fn wealth(who: &AccountId32) -> u64 {
	use frame_support::traits::fungible::Inspect;
	Balances::total_balance(who)
}

/// The events of this pallet since the last call, in their order.
pub fn events() -> Vec<Event> {
	let events = System::events()
		.into_iter()
		.filter_map(|it| match it.event {
			RuntimeEvent::Certificates(event) => Some(event),
			_ => None,
		})
		.collect();
	System::reset_events();
	events
}
