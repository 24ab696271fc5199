//! A runtime with this pallet and `pallet-utility` around it. In place of the others there are a list of registrars, a
//! list of voters, one device and one key that are registered singly, the keys that ended elsewhere, an economy that counts, and a clock that is set.
//! Leaves out signatures and extensions: a call is dispatched with the extrinsic noted that would carry it.

use crate as pallet_fleets;
use codec::Encode;
use core::cell::{Cell, RefCell};
use dpki_primitives::{
	Moment,
	device::DeviceRecord,
	economy::{Economy, FundsMissing, Operation, Resource},
	fleet::{
		AvailabilityVoters, ChunkMask, Commitment, FleetKey, FleetLeaf, FleetRecord,
		MembershipProof, Tile, Tiler,
		tree::{self, TreeHash, path_ranges},
	},
	ids::{BlobDigest, DeviceId, FleetId, KeyId, Name, OrganisationId, RevisionId},
	key::{KeyPurpose, KeyRecord, KeyType, PublicKey},
	key_policy::KeyPolicy,
	organisation::{Organisations, Role},
	registry::{CompromisedKeys, Registry},
	status::{Status, Validity},
};
use frame_support::{
	assert_ok, derive_impl,
	dispatch::DispatchResultWithPostInfo,
	traits::{ConstU32, Time},
};
use sp_runtime::{BuildStorage, traits::Dispatchable};
use std::collections::BTreeMap;

pub type Block = frame_system::mocking::MockBlock<Test>;
pub type Pallet = pallet_fleets::Pallet<Test>;
pub type Call = pallet_fleets::Call<Test>;
pub type Error = pallet_fleets::Error<Test>;
pub type Event = pallet_fleets::Event<Test>;

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
	pub type Fleets = pallet_fleets;
	#[runtime::pallet_index(2)]
	pub type Utility = pallet_utility;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = Block;
}

impl pallet_fleets::Config for Test {
	type Organisations = TestOrganisations;
	type Registry = TestRegistry;
	type CompromisedKeys = TestLeaks;
	type Voters = TestVoters;
	type Time = TestTime;
	type Economy = TestEconomy;
	type MaxVoters = ConstU32<10>;
	type QuotaWeight = ();
	type WeightInfo = pallet_fleets::weights::SubstrateWeight<Test>;
}

impl pallet_utility::Config for Test {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeCall = RuntimeCall;
	type PalletsOrigin = OriginCaller;
	type WeightInfo = ();
}

/// The chain time at which every test begins.
pub const NOW: Moment = 1_700_000_000_000;
/// A registrar of [`acme`].
pub const REGISTRAR: u64 = 1;
/// A member of [`acme`] with every other role.
pub const OTHER_MEMBER: u64 = 2;
/// Who has no part in anything.
pub const STRANGER: u64 = 3;
/// Who votes at first.
pub const VOTERS: [u64; 4] = [11, 12, 13, 14];

thread_local! {
	static CLOCK: Cell<Moment> = const { Cell::new(NOW) };
	static VOTER_LIST: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
	static SINGLE: RefCell<(Option<DeviceRecord>, Option<KeyRecord>)> = const { RefCell::new((None, None)) };
	static LEAKS: RefCell<BTreeMap<KeyId, Moment>> = const { RefCell::new(BTreeMap::new()) };
	static ANCHOR_KEYS: RefCell<Vec<KeyId>> = const { RefCell::new(Vec::new()) };
	static POLICY: Cell<KeyPolicy> = Cell::new(KeyPolicy::default());
	static CHARGED: RefCell<BTreeMap<Operation, u32>> = const { RefCell::new(BTreeMap::new()) };
	static HELD: RefCell<Vec<Resource>> = const { RefCell::new(Vec::new()) };
	static FUNDS: Cell<bool> = const { Cell::new(true) };
	static FOUNDED: RefCell<Vec<(OrganisationId, u64)>> = const { RefCell::new(Vec::new()) };
}

pub struct TestTime;

impl TestTime {
	pub fn set(now: Moment) {
		CLOCK.set(now);
	}
}

impl Time for TestTime {
	type Moment = Moment;

	fn now() -> Moment {
		CLOCK.get()
	}
}

pub struct TestOrganisations;

impl Organisations<u64> for TestOrganisations {
	fn exists(organisation: OrganisationId) -> bool {
		organisation == acme()
	}

	fn has_role(organisation: OrganisationId, who: &u64, role: Role) -> bool {
		let of_acme = organisation == acme()
			&& match *who {
				REGISTRAR => role == Role::Registrar,
				OTHER_MEMBER => role != Role::Registrar,
				_ => false,
			};
		of_acme || FOUNDED.with_borrow(|founded| founded.contains(&(organisation, *who)))
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn create_for_benchmark(name: &[u8], who: &u64) -> OrganisationId {
		let organisation = OrganisationId::from_name(name);
		FOUNDED.with_borrow_mut(|founded| founded.push((organisation, *who)));
		organisation
	}
}

pub struct TestVoters;

impl TestVoters {
	pub fn set(voters: &[u64]) {
		VOTER_LIST.set(voters.to_vec());
	}
}

impl AvailabilityVoters<u64> for TestVoters {
	fn voters() -> Vec<u64> {
		VOTER_LIST.with_borrow(Clone::clone)
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn set_for_benchmark(voters: Vec<u64>) {
		VOTER_LIST.set(voters);
	}
}

pub struct TestRegistry;

impl TestRegistry {
	/// Registers a device and a key singly, in place of those before.
	pub fn set(device: Option<DeviceRecord>, key: Option<KeyRecord>) {
		SINGLE.set((device, key));
	}

	/// Has the organisation ask this of keys.
	pub fn set_policy(policy: KeyPolicy) {
		POLICY.set(policy);
	}

	/// Revokes a key as that of an anchor.
	pub fn revoke_anchor_key(key: KeyId) {
		ANCHOR_KEYS.with_borrow_mut(|keys| keys.push(key));
	}
}

/// The keys that are known elsewhere as compromised.
pub struct TestLeaks;

impl CompromisedKeys for TestLeaks {
	fn compromised_since(key: KeyId) -> Option<Moment> {
		LEAKS.with_borrow(|leaks| leaks.get(&key).copied())
	}

	fn note(key: KeyId, at: Moment) {
		LEAKS.with_borrow_mut(|leaks| {
			leaks.entry(key).or_insert(at);
		});
	}
}

impl Registry for TestRegistry {
	fn device(device: DeviceId) -> Option<DeviceRecord> {
		let own = |it: &DeviceRecord| DeviceId::from_name(it.organisation, &it.name) == device;
		SINGLE.with_borrow(|(found, _)| found.clone().filter(own))
	}

	fn device_status(_: DeviceId) -> Status {
		Status::Unknown
	}

	fn key(key: KeyId) -> Option<KeyRecord> {
		SINGLE.with_borrow(|(_, found)| found.clone().filter(|it| it.id() == key))
	}

	fn key_status(_: KeyId) -> Status {
		Status::Unknown
	}

	fn is_well_formed(_: &PublicKey) -> bool {
		false
	}

	fn key_policy(_: OrganisationId) -> KeyPolicy {
		POLICY.get()
	}

	fn is_anchor_key_revoked(key: KeyId) -> bool {
		ANCHOR_KEYS.with_borrow(|keys| keys.contains(&key))
	}

	fn verify(_: &PublicKey, _: &[u8], _: &[u8]) -> bool {
		false
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn enrol_for_benchmark(
		organisation: OrganisationId,
		name: &[u8],
		_: PublicKey,
		_: PublicKey,
	) -> DeviceId {
		DeviceId::from_name(organisation, name)
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn revoke_for_benchmark(_: KeyId) {}
}

/// Counts what is asked of it. It undoes nothing: tests look at it after calls that succeed.
pub struct TestEconomy;

impl TestEconomy {
	pub fn charged(operation: Operation) -> u32 {
		CHARGED.with_borrow(|charged| charged.get(&operation).copied().unwrap_or_default())
	}

	pub fn held() -> Vec<Resource> {
		HELD.with_borrow(Clone::clone)
	}

	pub fn take_funds_away() {
		FUNDS.set(false);
	}
}

impl Economy<u64> for TestEconomy {
	fn charge(_: &u64, operation: Operation, count: u32) -> Result<(), FundsMissing> {
		CHARGED.with_borrow_mut(|charged| *charged.entry(operation).or_default() += count);
		if FUNDS.get() { Ok(()) } else { Err(FundsMissing) }
	}

	fn waive(_: &u64, _: u64) -> Result<bool, FundsMissing> {
		unreachable!("fleets have no schedule of their own")
	}

	fn hold(_: &u64, resource: Resource) -> Result<(), FundsMissing> {
		HELD.with_borrow_mut(|held| {
			if !held.contains(&resource) {
				held.push(resource);
			}
		});
		if FUNDS.get() { Ok(()) } else { Err(FundsMissing) }
	}

	fn pass_on(_: Resource, _: Resource) {}

	fn release(resource: Resource) {
		HELD.with_borrow_mut(|held| held.retain(|it| *it != resource));
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn endow_for_benchmark(_: &u64) {}
}

pub fn acme() -> OrganisationId {
	OrganisationId::from_name(b"acme")
}

pub fn name(text: &str) -> Name {
	Name::truncate_from(text.as_bytes().to_vec())
}

/// The fleet of the tests.
pub fn drones() -> FleetId {
	FleetId::from_name(acme(), b"drones")
}

/// The leaf at a place, of the keys of this generation.
pub fn leaf(index: u32, generation: u8) -> FleetLeaf {
	let mut key = [generation; 32];
	key[..4].copy_from_slice(&index.to_be_bytes());
	FleetLeaf {
		name: name(&format!("drone-{index}")),
		purpose: KeyPurpose::Sign,
		key: FleetKey::new(KeyType::Ed25519, &key).unwrap(),
		validity: Validity { not_before: NOW, not_after: None },
	}
}

pub fn leaves(size: u32, generation: u8) -> Vec<FleetLeaf> {
	(0..size).map(|index| leaf(index, generation)).collect()
}

pub fn cut(leaves: &[FleetLeaf]) -> (Commitment, Vec<Tile>) {
	let (mut tiler, mut tiles) = (Tiler::default(), Vec::new());
	for leaf in leaves {
		tiler.push(leaf.clone(), &mut |tile| tiles.push(tile)).unwrap();
	}
	(tiler.finish(&mut |tile| tiles.push(tile)).unwrap(), tiles)
}

/// The commitment to so many leaves of a generation.
pub fn commitment(size: u32, generation: u8) -> Commitment {
	cut(&leaves(size, generation)).0
}

fn range_roots(leaves: &[FleetLeaf], ranges: Vec<core::ops::Range<u32>>) -> Vec<TreeHash> {
	let hashes: Vec<_> = leaves.iter().map(FleetLeaf::hash).collect();
	let root = |range: core::ops::Range<u32>| {
		tree::root_of(&hashes[range.start as usize..range.end as usize])
	};
	ranges.into_iter().map(root).collect()
}

pub fn prove(leaves: &[FleetLeaf], index: u32) -> MembershipProof {
	let ranges = path_ranges(index, leaves.len() as u32).unwrap();
	MembershipProof {
		fleet: drones(),
		organisation: acme(),
		index,
		leaf: leaves[index as usize].clone(),
		path: range_roots(leaves, ranges).try_into().unwrap(),
	}
}

pub fn prove_growth(leaves: &[FleetLeaf], from: u32) -> crate::ConsistencyProof {
	let ranges = tree::consistency_ranges(from, leaves.len() as u32).unwrap();
	range_roots(leaves, ranges).try_into().unwrap()
}

/// A mask of these members, cut into chunks.
pub fn masks(members: &[u32]) -> crate::ChunkMasks {
	let mut chunks = BTreeMap::<u16, Vec<u8>>::new();
	for member in members {
		let (chunk, place) = ((member / 4096) as u16, member % 4096);
		let mask = chunks.entry(chunk).or_insert_with(|| vec![0; 512]);
		mask[place as usize / 8] |= 1 << (place % 8);
	}
	let chunks: Vec<_> = chunks
		.into_iter()
		.map(|(chunk, mask)| ChunkMask { chunk, mask: mask.try_into().unwrap() })
		.collect();
	chunks.try_into().unwrap()
}

/// Dispatches a call as the next extrinsic of the block.
pub fn transact(who: u64, call: impl Into<RuntimeCall>) -> DispatchResultWithPostInfo {
	let call = call.into();
	// The header of a signed extrinsic comes before the call, whatever it is.
	System::note_extrinsic([vec![0x84; 100], call.encode()].concat());
	call.dispatch(RuntimeOrigin::signed(who))
}

pub fn commit(commitment: Commitment) -> DispatchResultWithPostInfo {
	transact(REGISTRAR, Call::commit { organisation: acme(), name: name("drones"), commitment })
}

/// What a vote names on the candidate or the current head that has this number, or on nothing that there is.
pub fn revision_id(revision: u32) -> RevisionId {
	let Some(fleet) = Pallet::fleet(drones()) else { return RevisionId([0; 32]) };
	let ids = [fleet.candidate_id(), fleet.head_id()];
	let found = ids.into_iter().flatten().find(|id| fleet.revision_of(*id) == Some(revision));
	found.unwrap_or(RevisionId([0xff; 32]))
}

pub fn vote(voter: u64, revision: u32, available: bool) -> DispatchResultWithPostInfo {
	transact(voter, Call::vote { fleet: drones(), revision: revision_id(revision), available })
}

/// Three of four voters say that the leaves of this revision are there.
pub fn carry(revision: u32) {
	for voter in &VOTERS[..3] {
		assert_ok!(vote(*voter, revision, true));
	}
}

/// Commits so many leaves of generation 0, and carries them.
pub fn committed(size: u32) {
	assert_ok!(commit(commitment(size, 0)));
	carry(0);
}

pub fn fleet() -> FleetRecord {
	Pallet::fleet(drones()).unwrap()
}

/// The call is refused for this reason, and changes nothing.
pub fn is_refused(who: u64, call: Call, error: Error) {
	let before = sp_io::storage::root(sp_runtime::StateVersion::V1);
	let call = RuntimeCall::from(call);
	let refusal = frame_support::storage::with_transaction(|| {
		let refusal = call.dispatch(RuntimeOrigin::signed(who));
		sp_runtime::TransactionOutcome::Rollback(Ok::<_, sp_runtime::DispatchError>(refusal))
	});
	assert_eq!(refusal.unwrap().unwrap_err().error, error.into());
	assert_eq!(sp_io::storage::root(sp_runtime::StateVersion::V1), before);
}

/// The events of this pallet, oldest first.
pub fn events() -> Vec<Event> {
	System::events()
		.into_iter()
		.filter_map(|record| match record.event {
			RuntimeEvent::Fleets(event) => Some(event),
			_ => None,
		})
		.collect()
}

/// The first block.
pub fn new_test_ext() -> sp_io::TestExternalities {
	CLOCK.set(NOW);
	TestVoters::set(&VOTERS);
	TestRegistry::set(None, None);
	TestRegistry::set_policy(KeyPolicy::default());
	LEAKS.with_borrow_mut(BTreeMap::clear);
	ANCHOR_KEYS.with_borrow_mut(Vec::clear);
	CHARGED.with_borrow_mut(BTreeMap::clear);
	HELD.with_borrow_mut(Vec::clear);
	FOUNDED.with_borrow_mut(Vec::clear);
	FUNDS.set(true);
	let storage = RuntimeGenesisConfig::default().build_storage().unwrap();
	let mut ext: sp_io::TestExternalities = storage.into();
	ext.register_extension(sp_keystore::KeystoreExt::new(
		sp_keystore::testing::MemoryKeystore::new(),
	));
	ext.execute_with(|| {
		System::set_block_number(1);
		System::set_extrinsic_index(0);
	});
	ext
}

/// Runs `test` in the first block, checks the state afterwards, and returns what was indexed: length and name.
pub fn run(test: impl FnOnce()) -> Vec<(u32, BlobDigest)> {
	let mut ext = new_test_ext();
	ext.execute_with(|| {
		test();
		assert_ok!(Pallet::do_try_state());
	});
	ext.overlayed_changes()
		.transaction_index_ops()
		.iter()
		.map(|operation| match operation {
			sp_state_machine::IndexOperation::Insert { hash, size, .. } => {
				(*size, BlobDigest(hash.as_slice().try_into().unwrap()))
			},
			other => panic!("nothing is renewed: {other:?}"),
		})
		.collect()
}
