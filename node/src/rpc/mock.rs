// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! A chain in memory for the tests of the methods: headers, justifications and what GRANDPA stores of its sets. Left out are
//! states, and signatures, at which nobody looks who serves them.

use super::finality::Finality;
use crate::chain_spec::ChainSpec;
use codec::{DecodeAll, Encode};
use dpki_runtime::{BlockNumber, Hash, Header, opaque::Block};
use finality_grandpa::SignedPrecommit;
use parking_lot::Mutex;
use sc_client_api::{AuxStore, Backend, NewBlockState, in_mem};
use sc_consensus_grandpa::{AuthorityId, AuthoritySet};
use sp_consensus_grandpa::{
	AuthorityList, AuthoritySignature, Commit, ConsensusLog, GRANDPA_ENGINE_ID,
	GrandpaJustification, Precommit, ScheduledChange,
};
use sp_core::ed25519;
use sp_crypto_hashing::twox_128;
use sp_keyring::Ed25519Keyring;
use sp_runtime::{Digest, DigestItem, Justifications, traits::Header as _};
use std::sync::Arc;

/// The database.
pub type Memory = in_mem::Backend<Block>;

/// A vote as it stands in a justification.
pub type Vote = SignedPrecommit<Hash, BlockNumber, AuthoritySignature, AuthorityId>;

/// Under this name GRANDPA keeps the justification of the newest block.
const BEST_JUSTIFICATION: &[u8] = b"grandpa_best_justification";

/// Who finalises, in each set.
const AUTHORITY: Ed25519Keyring = Ed25519Keyring::Alice;

/// A vote for this block, with a signature of nobody.
pub fn vote(voter: Ed25519Keyring, (target_hash, target_number): (Hash, BlockNumber)) -> Vote {
	Vote {
		precommit: Precommit::<Header> { target_hash, target_number },
		signature: AuthoritySignature::from(ed25519::Signature::from_raw([1; 64])),
		id: AuthorityId::from(voter.public()),
	}
}

/// The justification of this block by these votes.
pub fn justified_by(
	(target_hash, target_number): (Hash, BlockNumber),
	votes: Vec<Vote>,
) -> GrandpaJustification<Header> {
	GrandpaJustification {
		round: 1,
		commit: Commit::<Header> { target_hash, target_number, precommits: votes },
		votes_ancestries: Vec::new(),
	}
}

/// The last block of an authority set, and what of it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
	/// All that proves it.
	Proven,
	/// No justification.
	Unproven,
	/// A justification with votes of strangers alone.
	Strange,
	/// It was forced, so there is nothing that proves it.
	Forced,
}

/// A chain whose blocks are all final, and of which none can be proven at first.
pub struct Chain {
	backend: Arc<Memory>,
	hashes: Mutex<Vec<Hash>>,
	changes: Vec<BlockNumber>,
	first_set: u64,
}

impl Chain {
	/// A chain up to the block of this number, with these changes of the authority set.
	pub fn new(length: BlockNumber, changes: &[(BlockNumber, Change)]) -> Self {
		let chain = Self {
			backend: Arc::new(Memory::new()),
			hashes: Mutex::default(),
			changes: changes.iter().map(|(number, _)| *number).collect(),
			first_set: 0,
		};
		for number in 0..=length {
			let change = changes.iter().find(|(at, _)| *at == number);
			chain.add(number, change.map(|(_, change)| *change), NewBlockState::Final);
		}
		chain
	}

	/// The same, on a node that knows the sets from this one on.
	pub fn known_since(self, first_set: u64) -> Self {
		Self { first_set, ..self }
	}

	/// Hash of a block.
	pub fn hash(&self, number: BlockNumber) -> Hash {
		self.hashes.lock()[number as usize]
	}

	/// Adds a block that is not final.
	pub fn extend(&self) -> Hash {
		let number = self.hashes.lock().len() as BlockNumber;
		self.add(number, None, NewBlockState::Best);
		self.hash(number)
	}

	/// A block of this number beside the one of the chain.
	pub fn fork(&self, number: BlockNumber) -> Hash {
		let other = Hash::repeat_byte(9);
		let parent = self.hash(number - 1);
		let header = Header::new(number, other, Hash::zero(), parent, Digest::default());
		let hash = header.hash();
		let blockchain = self.backend.blockchain();
		blockchain
			.insert(hash, header, None, None, NewBlockState::Normal, true)
			.unwrap();
		hash
	}

	/// Makes this the newest block that can be proven.
	pub fn justify(&self, number: BlockNumber) {
		self.justify_by(number, &[AUTHORITY]);
	}

	/// The same by votes of these.
	pub fn justify_by(&self, number: BlockNumber, voters: &[Ed25519Keyring]) {
		let justification = self.justification(number, voters);
		let newest = (BEST_JUSTIFICATION, &justification[..]);
		AuxStore::insert_aux(&*self.backend, &[newest], &[]).unwrap();
	}

	/// What a node of this chain knows of its finality.
	pub fn finality(&self) -> Finality<Memory> {
		let changes: Vec<_> = (self.first_set..).zip(self.changes.iter().copied()).collect();
		let id = self.first_set + changes.len() as u64;
		// No change is on its way, be it scheduled (a tree and a number) or forced.
		let pending = ((Vec::<()>::new(), None::<BlockNumber>), Vec::<()>::new());
		let set = (authorities(), id, pending, changes).encode();
		let set = AuthoritySet::<Hash, BlockNumber>::decode_all(&mut &*set).unwrap();
		let key = [twox_128(b"Grandpa"), twox_128(b"Authorities")].concat();
		let spec = serde_json::json!({
			"name": "in memory",
			"id": "memory",
			"chainType": "Development",
			"bootNodes": [],
			"genesis": { "raw": {
				"top": { (text(&key)): text(&authorities().encode()) },
				"childrenDefault": {},
			} },
		});
		let spec = ChainSpec::from_json_bytes(spec.to_string().into_bytes()).unwrap();
		Finality::new(self.backend.clone(), set.into(), Box::new(spec))
	}

	fn add(&self, number: BlockNumber, change: Option<Change>, state: NewBlockState) {
		let parent = self.hashes.lock().last().copied().unwrap_or_default();
		let next = ScheduledChange { next_authorities: authorities(), delay: 0 };
		let log = change.map(|change| match change {
			Change::Forced => ConsensusLog::ForcedChange(number, next),
			_ => ConsensusLog::ScheduledChange(next),
		});
		let logs = log.map(|log| DigestItem::Consensus(GRANDPA_ENGINE_ID, log.encode()));
		let digest = Digest { logs: logs.into_iter().collect() };
		let header = Header::new(number, Hash::zero(), Hash::zero(), parent, digest);
		let hash = header.hash();
		self.hashes.lock().push(hash);
		let voters = match change {
			Some(Change::Proven) => Some(AUTHORITY),
			Some(Change::Strange) => Some(Ed25519Keyring::Eve),
			_ => None,
		};
		let stored = voters.map(|voter| self.justification(number, &[voter]));
		let stored = stored.map(|stored| Justifications::from((GRANDPA_ENGINE_ID, stored)));
		self.backend
			.blockchain()
			.insert(hash, header, stored, None, state, true)
			.unwrap();
	}

	fn justification(&self, number: BlockNumber, voters: &[Ed25519Keyring]) -> Vec<u8> {
		let target = (self.hash(number), number);
		let votes = voters.iter().map(|voter| vote(*voter, target)).collect();
		justified_by(target, votes).encode()
	}
}

fn authorities() -> AuthorityList {
	vec![(AUTHORITY.public().into(), 1)]
}

fn text(bytes: &[u8]) -> String {
	serde_json::to_value(sp_core::Bytes(bytes.to_vec()))
		.unwrap()
		.as_str()
		.unwrap()
		.to_owned()
}
