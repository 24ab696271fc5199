//! States of the size that the figures speak of: the real records under their real storage keys.
//!
//! A state is never held as a whole. Its entries are made in the order of their keys and go through the builder of
//! tries of the node, and of the nodes that come out only those are kept that lie on the way to the records that will be
//! asked for. A million devices take seconds and some hundred megabytes.
//!
//! Beyond that, [`Registry::constructed`] makes a state in which the way to those records is what it would be among so
//! many devices, and everything else is left out: a node tells of its children nothing but their hashes, so a subtree
//! needs one entry to look, from its parent, like one with millions. Whether there is such a subtree is drawn with the
//! probability that it has in a state of hashed ids. Such a figure is called constructed wherever it stands.

use codec::Encode;
use dpki_primitives::{
	Moment,
	device::{DeviceRecord, KeyList},
	fleet::MembershipProof,
	ids::{DeviceId, KeyId, OrganisationId},
	key::{KeyPurpose, KeyRecord, KeyType, PublicKey},
	status::Validity,
	storage_keys,
};
use dpki_verifier::{Query, Verified};
use sp_core::{Blake2Hasher, H256};
use sp_crypto_hashing::{blake2_256, twox_128};
use sp_trie::{EMPTY_PREFIX, HashDBT, LayoutV1, MemoryDB};
use std::{
	collections::{BTreeMap, BTreeSet},
	ops::Bound,
};
use trie_db::{ChildReference, ProcessEncodedNode, Recorder, Trie, TrieDBBuilder, trie_visit};

/// The trie of a node, state version 1.
type Layout = LayoutV1<Blake2Hasher>;

/// The chain time of every state in here.
pub const TIME: Moment = 1_790_000_000_000;

/// Keys of each device, as its agent enrols them: to sign with, for deliveries, of its SSH server.
pub const KEYS_PER_DEVICE: u32 = 3;

/// Organisations that the devices belong to in turns.
const ORGANISATIONS: u32 = 100;

/// The other pallets of the runtime, which share the upper nodes of the trie, and how many small items each has in here.
const OTHERS: [&str; 18] = [
	"System",
	"Balances",
	"TransactionPayment",
	"Authorship",
	"Aura",
	"Offences",
	"Historical",
	"Session",
	"Grandpa",
	"CouncilMembership",
	"Sudo",
	"Motions",
	"Multisig",
	"Proxy",
	"Organisations",
	"Deliveries",
	"Certificates",
	"Economy",
];
const ITEMS_OF_OTHERS: u8 = 5;

/// Whom a bundle is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Sample {
	/// A device that is registered by itself, and the first of its keys.
	Single(DeviceId, KeyId),
	/// A member of a fleet.
	Member(Box<MembershipProof>),
}

impl Sample {
	/// What the verdict about the key depends on, and the chain time.
	pub fn query(&self) -> Query {
		match self {
			Self::Single(device, key) => Query::new().device(*device).key(*key),
			Self::Member(proof) => Query::new().member(proof),
		}
	}

	/// Whether the key is proven to be good.
	pub fn is_valid(&self, verified: &Verified<'_>) -> bool {
		let status = match self {
			Self::Single(_, key) => verified.key_status(*key),
			Self::Member(proof) => verified.member_status(proof),
		};
		status.is_ok_and(|status| status.is_valid())
	}

	/// How many bytes the device brings along beside the bundle.
	pub fn path_len(&self) -> usize {
		match self {
			Self::Single(..) => 0,
			Self::Member(proof) => proof.to_bytes().len(),
		}
	}
}

/// The root of a state, and of its nodes those on the way to the samples.
pub struct Registry {
	/// The state root.
	pub root: [u8; 32],
	/// The devices that can be asked for.
	pub samples: Vec<Sample>,
	nodes: MemoryDB<Blake2Hasher>,
}

impl Registry {
	/// A state with so many devices, built as a whole; `samples` of them can be asked for.
	pub fn built(devices: u32, samples: u32) -> Self {
		let mut places: Vec<_> = (0..devices).map(|index| (device_id(index).0, index)).collect();
		places.sort_unstable();
		let mut keys: Vec<_> = (0..devices * KEYS_PER_DEVICE)
			.map(|index| (KeyId::of(&public_key(index)).0, index))
			.collect();
		keys.sort_unstable();
		let samples = (0..samples).map(|number| {
			let index = (u64::from(number) * u64::from(devices) / u64::from(samples)) as u32;
			sample(index)
		});
		let samples: Vec<_> = samples.collect();

		let large: [(Vec<u8>, Box<dyn Iterator<Item = Entry> + '_>); 3] = [
			(
				prefix(storage_keys::device(DeviceId([0; 32]))),
				Box::new(places.iter().map(|(id, index)| {
					(storage_keys::device(DeviceId(*id)), device_record(*index).encode())
				})),
			),
			(
				prefix(storage_keys::device_keys(DeviceId([0; 32]))),
				Box::new(places.iter().map(|(id, index)| {
					(storage_keys::device_keys(DeviceId(*id)), key_list(*index).encode())
				})),
			),
			(
				prefix(storage_keys::key(KeyId([0; 32]))),
				Box::new(keys.iter().map(|(id, index)| {
					(storage_keys::key(KeyId(*id)), key_record(*index).encode())
				})),
			),
		];
		Self::merged(small_items(), large.into(), samples)
	}

	/// A state of small items and of large ones, each behind its prefix and in order.
	pub(crate) fn merged<'a>(
		mut small: BTreeMap<Vec<u8>, Vec<u8>>,
		mut large: Vec<(Vec<u8>, Box<dyn Iterator<Item = Entry> + 'a>)>,
		samples: Vec<Sample>,
	) -> Self {
		large.sort_by(|(one, _), (next, _)| one.cmp(next));
		let mut entries: Box<dyn Iterator<Item = Entry> + 'a> = Box::new(std::iter::empty());
		for (prefix, items) in large {
			let after = small.split_off(&prefix);
			entries = Box::new(entries.chain(std::mem::replace(&mut small, after)).chain(items));
		}
		Self::visit(entries.chain(small), samples)
	}

	/// A state in which the way to one sample is as among so many devices; see above. `seed` draws one of many such.
	pub fn constructed(devices: u64, seed: u64) -> Self {
		let mut random = Random(seed);
		let index = random.next() as u32;
		let (device, key) = ids(index);
		let mut entries = small_items();
		entries.insert(storage_keys::device_keys(device), key_list(index).encode());
		let (device, key) = (storage_keys::device(device), storage_keys::key(key));
		for sibling in random.siblings(&device, devices) {
			entries.insert(sibling, device_record(random.next() as u32).encode());
		}
		for sibling in random.siblings(&key, devices * u64::from(KEYS_PER_DEVICE)) {
			entries.insert(sibling, key_record(random.next() as u32).encode());
		}
		entries.insert(device, device_record(index).encode());
		entries.insert(key, key_record_of(index, index.wrapping_mul(KEYS_PER_DEVICE)).encode());
		Self::visit(entries.into_iter(), vec![sample(index)])
	}

	fn visit(entries: impl Iterator<Item = Entry>, samples: Vec<Sample>) -> Self {
		let wanted = samples.iter().flat_map(|it| it.query().keys().to_vec()).collect();
		let mut keeper = Keeper { wanted, nodes: MemoryDB::default(), root: H256::zero() };
		trie_visit::<Layout, _, _, _, _>(entries, &mut keeper);
		Self { root: keeper.root.0, samples, nodes: keeper.nodes }
	}

	/// The nodes that prove what lies under these keys, each once.
	///
	/// The keys have to be those that samples ask for.
	pub fn prove(&self, keys: &[Vec<u8>]) -> Vec<Vec<u8>> {
		let root = H256(self.root);
		let mut recorder = Recorder::<Layout>::new();
		{
			let trie = TrieDBBuilder::<Layout>::new(&self.nodes, &root)
				.with_recorder(&mut recorder)
				.build();
			for key in keys {
				trie.get(key).expect("the nodes on the way were kept");
			}
		}
		let nodes: BTreeMap<_, _> =
			recorder.drain().into_iter().map(|node| (node.hash, node.data)).collect();
		nodes.into_values().collect()
	}
}

pub(crate) type Entry = (Vec<u8>, Vec<u8>);

/// Hashes nodes, and keeps those that lie on the way to what is wanted.
struct Keeper {
	wanted: BTreeSet<Vec<u8>>,
	nodes: MemoryDB<Blake2Hasher>,
	root: H256,
}

impl Keeper {
	/// Whether the path begins that of a wanted key; a last half-byte is not looked at, so some are kept in vain.
	fn is_wanted(&self, path: &[u8]) -> bool {
		let range = (Bound::Included(path), Bound::Unbounded);
		let next = self.wanted.range::<[u8], _>(range).next();
		next.is_some_and(|key| key.starts_with(path))
	}

	fn keep(&mut self, path: &[u8], node: &[u8]) -> H256 {
		match self.is_wanted(path) {
			true => self.nodes.insert(EMPTY_PREFIX, node),
			false => H256(blake2_256(node)),
		}
	}
}

impl ProcessEncodedNode<H256> for Keeper {
	fn process(
		&mut self,
		(path, _): (&[u8], Option<u8>),
		node: Vec<u8>,
		is_root: bool,
	) -> ChildReference<H256> {
		if node.len() < 32 && !is_root {
			// It lies inside its parent.
			let mut inline = H256::zero();
			inline.0[..node.len()].copy_from_slice(&node);
			return ChildReference::Inline(inline, node.len());
		}
		let hash = self.keep(path, &node);
		if is_root {
			self.root = hash;
		}
		ChildReference::Hash(hash)
	}

	fn process_inner_hashed_value(&mut self, (path, _): (&[u8], Option<u8>), value: &[u8]) -> H256 {
		self.keep(path, value)
	}
}

/// Deterministic numbers: SplitMix64.
pub(crate) struct Random(pub(crate) u64);

impl Random {
	pub(crate) fn next(&mut self) -> u64 {
		self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
		let mut z = self.0;
		z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
		z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
		z ^ (z >> 31)
	}

	pub(crate) fn hash(&mut self) -> [u8; 32] {
		blake2_256(&self.next().to_le_bytes())
	}

	/// From 0 to 1.
	fn share(&mut self) -> f64 {
		(self.next() >> 11) as f64 / (1u64 << 53) as f64
	}

	/// One key for each subtree beside the way to `key`, as there are among `count` random ids under the same item.
	fn siblings(&mut self, key: &[u8], count: u64) -> Vec<Vec<u8>> {
		let mut siblings = Vec::new();
		let (first, last) = (64, 2 * key.len());
		for level in first..last {
			let share = 16f64.powi(-((level - first + 1) as i32));
			// 1 - (1 - share)^count, without losing small numbers.
			let probability = -(count as f64 * (-share).ln_1p()).exp_m1();
			if probability < 1e-15 {
				break;
			}
			for branch in (0..16).filter(|branch| *branch != nibble(key, level)) {
				if self.share() < probability {
					let mut sibling = key.to_vec();
					set_nibble(&mut sibling, level, branch);
					for below in level + 1..last {
						set_nibble(&mut sibling, below, (self.next() & 0xf) as u8);
					}
					siblings.push(sibling);
				}
			}
		}
		siblings
	}
}

fn nibble(key: &[u8], level: usize) -> u8 {
	let byte = key[level / 2];
	if level.is_multiple_of(2) { byte >> 4 } else { byte & 0xf }
}

fn set_nibble(key: &mut [u8], level: usize, value: u8) {
	let byte = &mut key[level / 2];
	*byte = match level.is_multiple_of(2) {
		true => (value << 4) | (*byte & 0xf),
		false => (*byte & 0xf0) | value,
	};
}

/// The hashed names of a pallet and of an item.
pub(crate) fn prefix(key: Vec<u8>) -> Vec<u8> {
	key[..32].to_vec()
}

/// Everything but the registry.
fn small_items() -> BTreeMap<Vec<u8>, Vec<u8>> {
	let mut items = BTreeMap::from([(storage_keys::now(), TIME.encode())]);
	for pallet in OTHERS {
		for item in 0..ITEMS_OF_OTHERS {
			let key = [twox_128(pallet.as_bytes()), twox_128(&[item])].concat();
			items.insert(key, vec![item; 16]);
		}
	}
	items
}

/// Everything but the registry, and so many devices in it that are registered by themselves.
pub(crate) fn singles(count: u32) -> BTreeMap<Vec<u8>, Vec<u8>> {
	let mut items = small_items();
	for index in 0..count {
		let id = device_id(index);
		items.insert(storage_keys::device(id), device_record(index).encode());
		items.insert(storage_keys::device_keys(id), key_list(index).encode());
	}
	for index in 0..count * KEYS_PER_DEVICE {
		let id = KeyId::of(&public_key(index));
		items.insert(storage_keys::key(id), key_record(index).encode());
	}
	items
}

fn organisation(index: u32) -> OrganisationId {
	OrganisationId::from_name(format!("organisation-{}", index % ORGANISATIONS).as_bytes())
}

pub(crate) fn device_name(index: u32) -> String {
	format!("device-{index:010}")
}

fn device_id(index: u32) -> DeviceId {
	DeviceId::from_name(organisation(index), device_name(index).as_bytes())
}

pub(crate) fn public_key(index: u32) -> PublicKey {
	let bytes = blake2_256(&index.to_le_bytes());
	PublicKey::new(KeyType::Ed25519, &bytes).expect("an Ed25519 key has 32 bytes")
}

fn ids(index: u32) -> (DeviceId, KeyId) {
	let first = index.wrapping_mul(KEYS_PER_DEVICE);
	(device_id(index), KeyId::of(&public_key(first)))
}

fn sample(index: u32) -> Sample {
	let (device, key) = ids(index);
	Sample::Single(device, key)
}

fn device_record(index: u32) -> DeviceRecord {
	DeviceRecord {
		organisation: organisation(index),
		name: device_name(index).into_bytes().try_into().expect("the name is short"),
		enrolled_at: TIME - 1_000_000,
		keys_registered: KEYS_PER_DEVICE.into(),
		withdrawal: Default::default(),
	}
}

fn key_list(index: u32) -> KeyList {
	let first = index.wrapping_mul(KEYS_PER_DEVICE);
	let ids = (0..KEYS_PER_DEVICE).map(|nth| KeyId::of(&public_key(first.wrapping_add(nth))));
	ids.collect::<Vec<_>>().try_into().expect("the list is short")
}

fn key_record(index: u32) -> KeyRecord {
	key_record_of(index / KEYS_PER_DEVICE, index)
}

fn key_record_of(device: u32, index: u32) -> KeyRecord {
	KeyRecord {
		device: device_id(device),
		purpose: KeyPurpose::Sign,
		public: public_key(index),
		validity: Validity { not_before: TIME - 1_000_000, not_after: None },
		registered_at: TIME - 1_000_000,
		superseded_at: None,
		withdrawal: Default::default(),
	}
}
