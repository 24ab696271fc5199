//! Real headers, justifications, states and proofs, made with the crates that a node is made of.

use codec::Encode;
use dpki_primitives::{
	Moment,
	anchor::{AnchorKind, AnchorRecord},
	assurance::{Accreditation, AccreditationState, EndorsementRecord, Level, Quorum},
	certificate::{CertificatePolicy, CertificateRecord, Holder, Office},
	device::DeviceRecord,
	ids::{AnchorId, CertificateId, DeviceId, KeyId, OrganisationId},
	key::{KeyPurpose, KeyRecord, KeyType, PublicKey},
	revocation::{Revocation, RevocationReason},
	status::Validity,
	storage_keys,
	subject::Subject,
};
use dpki_verifier::{AuthoritySet, Checkpoint, Error, Freshness, Query, Verified, Verifier, Zebra};
use ed25519_zebra::{SigningKey, VerificationKeyBytes};
use finality_grandpa::{Commit, Precommit, SignedPrecommit};
use sp_consensus_grandpa::{
	AuthorityId, AuthorityList, AuthoritySignature, ConsensusLog, GRANDPA_ENGINE_ID,
	ScheduledChange, localized_payload,
};
use sp_core::{H256, ed25519, storage::StateVersion};
use sp_runtime::{
	Digest, DigestItem,
	traits::{BlakeTwo256, Header as _},
};
use sp_state_machine::{InMemoryBackend, prove_read_on_trie_backend};
use std::{collections::BTreeMap, time::Duration};

pub type Header = sp_runtime::generic::Header<u32, BlakeTwo256>;
pub type Justification = sp_consensus_grandpa::GrandpaJustification<Header>;
pub type Vote = SignedPrecommit<H256, u32, AuthoritySignature, AuthorityId>;

pub const GENESIS: [u8; 32] = [0x67; 32];
pub const ROUND: u64 = 34;
/// The chain time of every state in here.
pub const TIME: Moment = 1_790_000_000_000;

/// Deterministic numbers: SplitMix64.
pub struct Random(pub u64);

impl Random {
	pub fn next(&mut self) -> u64 {
		self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
		let mut z = self.0;
		z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
		z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
		z ^ (z >> 31)
	}

	pub fn below(&mut self, bound: usize) -> usize {
		(self.next() % bound.max(1) as u64) as usize
	}

	/// How often to damage something: once or twice, and now and then not at all.
	pub fn damages(&mut self) -> usize {
		if self.below(8) == 0 { 0 } else { 1 + self.below(2) }
	}

	pub fn bytes(&mut self, len: usize) -> Vec<u8> {
		(0..len).map(|_| self.next() as u8).collect()
	}
}

/// The keys of validators `from..from + count`.
pub fn keys(from: u8, count: u8) -> Vec<SigningKey> {
	(from..from + count).map(|index| SigningKey::from([index + 1; 32])).collect()
}

pub fn public(key: &SigningKey) -> [u8; 32] {
	VerificationKeyBytes::from(key).into()
}

pub fn authority_id(key: &SigningKey) -> AuthorityId {
	ed25519::Public::from_raw(public(key)).into()
}

pub fn authority_list(keys: &[SigningKey]) -> AuthorityList {
	keys.iter().map(|key| (authority_id(key), 1)).collect()
}

pub fn set(id: u64, keys: &[SigningKey]) -> AuthoritySet {
	AuthoritySet::new(id, keys.iter().map(public).collect()).unwrap()
}

pub fn checkpoint(set_id: u64, keys: &[SigningKey], number: u32) -> Checkpoint {
	Checkpoint { genesis: GENESIS, set: set(set_id, keys), number, hash: [number as u8; 32] }
}

/// A header as Aura makes it: slot, whatever GRANDPA has to say, seal.
pub fn header(number: u32, parent: H256, root: H256, messages: &[ConsensusLog<u32>]) -> Header {
	let mut digest = Digest::default();
	digest.push(DigestItem::PreRuntime(*b"aura", u64::from(number).encode()));
	for message in messages {
		digest.push(DigestItem::Consensus(GRANDPA_ENGINE_ID, message.encode()));
	}
	digest.push(DigestItem::Seal(*b"aura", vec![0x5e; 64]));
	Header::new(number, H256::repeat_byte(0xee), root, parent, digest)
}

pub fn scheduled(keys: &[SigningKey], delay: u32) -> ScheduledChange<u32> {
	ScheduledChange { next_authorities: authority_list(keys), delay }
}

pub fn change_to(keys: &[SigningKey]) -> Vec<ConsensusLog<u32>> {
	vec![ConsensusLog::ScheduledChange(scheduled(keys, 0))]
}

/// What `key` says about a block.
pub fn vote(key: &SigningKey, hash: H256, number: u32, round: u64, set_id: u64) -> Vote {
	let precommit = Precommit { target_hash: hash, target_number: number };
	let message = finality_grandpa::Message::Precommit(precommit.clone());
	let signature: [u8; 64] = key.sign(&localized_payload(round, set_id, &message)).into();
	SignedPrecommit {
		precommit,
		signature: ed25519::Signature::from_raw(signature).into(),
		id: authority_id(key),
	}
}

/// A justification of `header` by votes of `keys` for it.
pub fn justify(keys: &[SigningKey], set_id: u64, header: &Header) -> Justification {
	let (hash, number) = (header.hash(), header.number);
	Justification {
		round: ROUND,
		commit: Commit {
			target_hash: hash,
			target_number: number,
			precommits: keys.iter().map(|key| vote(key, hash, number, ROUND, set_id)).collect(),
		},
		votes_ancestries: Vec::new(),
	}
}

/// A state.
pub struct State {
	pub backend: InMemoryBackend<BlakeTwo256>,
}

impl State {
	pub fn new(entries: BTreeMap<Vec<u8>, Vec<u8>>, version: StateVersion) -> Self {
		Self { backend: InMemoryBackend::from((entries, version)) }
	}

	pub fn root(&self) -> H256 {
		*self.backend.root()
	}

	/// As `state_getReadProof` does it.
	pub fn prove(&self, keys: &[Vec<u8>]) -> Vec<Vec<u8>> {
		prove_read_on_trie_backend(&self.backend, keys)
			.unwrap()
			.into_iter_nodes()
			.collect()
	}
}

/// `System.BlockHash(0)`, as every Substrate chain has it.
pub fn genesis_key() -> Vec<u8> {
	sp_core::bytes::from_hex(
		"0x26aa394eea5630e07c48ae0c9558cef7a44704b568d21667356a5a050c118746b4def25cfda6ef3a00000000",
	)
	.unwrap()
}

pub fn device_id(name: &str) -> DeviceId {
	DeviceId::from_name(organisation(), name.as_bytes())
}

pub fn organisation() -> OrganisationId {
	OrganisationId::from_name(b"acme")
}

pub fn public_key(fill: u8) -> PublicKey {
	PublicKey::new(KeyType::Ed25519, &[fill; 32]).unwrap()
}

pub fn key_id(fill: u8) -> KeyId {
	KeyId::of(&public_key(fill))
}

pub fn anchor_id() -> AnchorId {
	AnchorId::of(AnchorKind::SshUserCa, b"an SSH public key")
}

pub fn device_record(name: &str, revocation: Option<Revocation>) -> DeviceRecord {
	DeviceRecord {
		organisation: organisation(),
		name: name.as_bytes().to_vec().try_into().unwrap(),
		enrolled_at: TIME - 1_000_000,
		keys_registered: 2,
		withdrawal: revocation.into(),
	}
}

pub fn key_record(device: &str, fill: u8, revocation: Option<Revocation>) -> KeyRecord {
	KeyRecord {
		device: device_id(device),
		purpose: KeyPurpose::Sign,
		public: public_key(fill),
		validity: Validity { not_before: TIME - 1_000_000, not_after: None },
		registered_at: TIME - 1_000_000,
		superseded_at: None,
		withdrawal: revocation.into(),
	}
}

pub fn anchor_record() -> AnchorRecord {
	AnchorRecord::new(
		organisation(),
		AnchorKind::SshUserCa,
		Some(public_key(9)),
		key_id(9),
		Validity { not_before: 0, not_after: None },
		TIME - 1_000_000,
	)
}

pub fn revocation() -> Revocation {
	Revocation { reason: RevocationReason::KeyCompromise, at: TIME - 500 }
}

/// A registry of `others` devices beside the ones that the tests speak of: `drone` with the good key 1 and the revoked
/// key 2, and the revoked device `lost` with key 3.
pub fn registry(others: u32) -> BTreeMap<Vec<u8>, Vec<u8>> {
	let mut entries = BTreeMap::new();
	let mut device = |name: &str, revocation| {
		let record = device_record(name, revocation);
		entries.insert(storage_keys::device(device_id(name)), record.encode());
	};
	device("drone", None);
	device("lost", Some(revocation()));
	for index in 0..others {
		device(&format!("other-{index}"), None);
	}
	let mut key = |device, fill, revocation| {
		let record = key_record(device, fill, revocation);
		entries.insert(storage_keys::key(key_id(fill)), record.encode());
	};
	key("drone", 1, None);
	key("drone", 2, Some(revocation()));
	key("lost", 3, None);
	entries.insert(storage_keys::anchor(anchor_id()), anchor_record().encode());
	entries.insert(storage_keys::now(), TIME.encode());
	entries.insert(genesis_key(), GENESIS.to_vec());
	entries
}

pub const CERTIFICATE: CertificateId = CertificateId([0x11; 32]);
pub const OTHER_CERTIFICATE: CertificateId = CertificateId([0x22; 32]);

/// About `drone`, at EV, for a key that is no device's.
pub fn certificate_record() -> CertificateRecord {
	CertificateRecord {
		subject: Subject::Device(device_id("drone")),
		holder: Holder::Organisation(organisation()),
		requested: Level::Ev,
		key: public_key(5),
		display_name: None,
		validity: Validity { not_before: TIME - 1_000_000, not_after: Some(TIME + 1_000_000) },
		control_until: None,
		suspension: None,
		revocation: None,
	}
}

pub fn endorsement(id: CertificateId, endorser: u8) -> EndorsementRecord {
	EndorsementRecord {
		endorser: [endorser; 32],
		level: Level::Ev,
		digest: certificate_record().digest(id),
		evidence: None,
		endorsed_at: TIME - 1_000,
		expires_at: TIME + 1_000,
		withdrawn: None,
	}
}

pub fn accreditation(organisation: u8) -> Accreditation {
	Accreditation {
		organisation: OrganisationId([organisation; 32]),
		level: Level::Ev,
		state: AccreditationState::Active,
		accredited_at: 1,
		compromised_from: None,
	}
}

/// Where the accreditation of this endorser lies.
pub fn accreditation_place(endorser: u8) -> Vec<u8> {
	storage_keys::accreditation(Office::Endorser, &[endorser; 32])
}

/// The registry with two certificates, of which these endorse the first at EV, each for an organisation of its own. The policy
/// asks for one of them at OV and two at EV.
pub fn certified(endorsers: std::ops::Range<u8>) -> BTreeMap<Vec<u8>, Vec<u8>> {
	let mut entries = registry(50);
	let endorsers_needed = Quorum { ov: 1, ev: 2 };
	let policy = CertificatePolicy { endorsers: endorsers_needed, ..Default::default() };
	entries.insert(storage_keys::certificate_policy(), policy.encode());
	for id in [CERTIFICATE, OTHER_CERTIFICATE] {
		entries.insert(storage_keys::certificate(id), certificate_record().encode());
	}
	let endorsements: Vec<_> = endorsers.clone().map(|it| endorsement(CERTIFICATE, it)).collect();
	entries.insert(storage_keys::endorsements(CERTIFICATE), endorsements.encode());
	for endorser in endorsers {
		entries.insert(accreditation_place(endorser), accreditation(endorser).encode());
	}
	entries
}

/// The parts of a bundle, before they are bytes.
#[derive(Clone)]
pub struct Parts {
	pub fragments: Vec<(Header, Justification)>,
	pub header: Header,
	pub justification: Justification,
	pub proof: Vec<Vec<u8>>,
}

impl Parts {
	/// The documented form, by the ordinary codec.
	pub fn encode(&self) -> Vec<u8> {
		(1u8, &self.fragments, &self.header, &self.justification, &self.proof).encode()
	}
}

/// A chain with one state, its validators, and a checkpoint at block 10.
pub struct World {
	pub keys: Vec<SigningKey>,
	pub set_id: u64,
	pub checkpoint: Checkpoint,
	pub state: State,
}

impl World {
	pub fn new(validators: u8) -> Self {
		Self::with(validators, registry(50), StateVersion::V1)
	}

	pub fn with(
		validators: u8,
		entries: BTreeMap<Vec<u8>, Vec<u8>>,
		version: StateVersion,
	) -> Self {
		let (keys, set_id) = (keys(0, validators), 7);
		let checkpoint = checkpoint(set_id, &keys, 10);
		Self { keys, set_id, checkpoint, state: State::new(entries, version) }
	}

	/// Block `number`, with the state of this world.
	pub fn block(&self, number: u32, messages: &[ConsensusLog<u32>]) -> Header {
		header(number, H256::repeat_byte(number as u8), self.state.root(), messages)
	}

	/// An honest answer in block `number`, signed by all.
	pub fn answer_at(&self, number: u32, query: &Query) -> Parts {
		let header = self.block(number, &[]);
		Parts {
			fragments: Vec::new(),
			justification: justify(&self.keys, self.set_id, &header),
			header,
			proof: self.state.prove(query.keys()),
		}
	}

	/// An honest answer in block 20.
	pub fn answer(&self, query: &Query) -> Parts {
		self.answer_at(20, query)
	}

	pub fn verifier(&self) -> Verifier<Zebra> {
		Verifier::new(self.checkpoint.clone(), Zebra)
	}

	/// What a new verifier says to a bundle.
	pub fn verdict(&self, parts: &Parts, query: &Query) -> Result<Checkpoint, Error> {
		self.verdict_on_bytes(&parts.encode(), query)
	}

	pub fn verdict_on_bytes(&self, bundle: &[u8], query: &Query) -> Result<Checkpoint, Error> {
		self.verifier().verify(bundle, query, fresh()).map(|it| it.checkpoint().clone())
	}
}

/// Five seconds old, a minute allowed.
pub fn fresh() -> Freshness {
	Freshness::at_most(Duration::from_secs(60), TIME + 5_000)
}

/// Takes the bundle, which has to be good.
pub fn verified<'a>(world: &World, bundle: &'a [u8], query: &'a Query) -> Verified<'a> {
	world.verifier().verify(bundle, query, fresh()).unwrap()
}

pub fn drone_query() -> Query {
	Query::new().device(device_id("drone")).key(key_id(1))
}
