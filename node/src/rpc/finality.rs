// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Blocks with their justifications: the newest one, and those at which the authority set changed.
//!
//! A voter writes the justification of each block that it finalises over the one before (`best_justification`), whatever
//! the period in which justifications are stored for good; so the newest finalised block can be proven. Justifications
//! of blocks that change the set are always stored.
//!
//! As stored they have all votes of a round, which is more than a verifier accepts: second votes of equivocating
//! authorities, and votes of strangers if a peer has put some in. They are served with one vote of each authority of
//! the set, and no more votes than are needed.

use super::{error::Refusal, limits::CACHED_FRAGMENTS};
use crate::service::FullBackend;
use codec::{DecodeAll, Encode};
use dpki_runtime::{BlockNumber, Hash, Header, opaque::Block};
use dpki_verifier::{AuthoritySet, Fragment, thin_justification};
use parking_lot::Mutex;
use sc_client_api::Backend;
use sc_consensus_grandpa::{
	AuthorityId, SharedAuthoritySet, best_justification, find_scheduled_change,
};
use sc_service::ChainSpec;
use schnellru::{ByLength, LruMap};
use sp_blockchain::{Backend as _, HeaderBackend};
use sp_consensus_grandpa::{AuthorityList, GRANDPA_ENGINE_ID, GrandpaJustification};
use sp_crypto_hashing::twox_128;
use std::sync::{Arc, OnceLock};

/// A finalised block and its proof, as they are served.
#[derive(Debug, PartialEq, Eq)]
pub struct Justified {
	/// Its number.
	pub number: BlockNumber,
	/// Its hash.
	pub hash: Hash,
	/// The encoded header.
	header: Vec<u8>,
	/// The encoded justification, with the votes that are needed.
	justification: Vec<u8>,
}

impl Justified {
	/// For the encoders of the verifier.
	pub fn fragment(&self) -> Fragment<'_> {
		Fragment { header: &self.header, justification: &self.justification }
	}

	/// Length of the two parts, in bytes.
	pub fn len(&self) -> usize {
		self.header.len() + self.justification.len()
	}

	/// A block of this length that proves nothing.
	#[cfg(test)]
	pub fn made_up(number: BlockNumber, len: usize) -> Self {
		Self { number, hash: Hash::zero(), header: vec![0; len], justification: Vec::new() }
	}
}

/// What the node knows of the chain's finality.
pub struct Finality<B = FullBackend> {
	backend: Arc<B>,
	authority_set: SharedAuthoritySet<Hash, BlockNumber>,
	spec: Box<dyn ChainSpec>,
	/// The first set, once it was needed; nothing if the specification does not tell it.
	first_set: OnceLock<Option<Vec<AuthorityId>>>,
	head: Mutex<Option<Arc<Justified>>>,
	changes: Mutex<LruMap<BlockNumber, Arc<Justified>>>,
}

impl<B: Backend<Block>> Finality<B> {
	/// Reads from this database. The specification of the chain knows who the first authorities were, when their state has
	/// long been pruned.
	pub fn new(
		backend: Arc<B>,
		authority_set: SharedAuthoritySet<Hash, BlockNumber>,
		spec: Box<dyn ChainSpec>,
	) -> Self {
		Self {
			backend,
			authority_set,
			spec,
			first_set: OnceLock::new(),
			head: Mutex::new(None),
			changes: Mutex::new(LruMap::new(ByLength::new(CACHED_FRAGMENTS))),
		}
	}

	/// The newest block that can be proven.
	pub fn head(&self) -> Result<Arc<Justified>, Refusal> {
		let newest = best_justification::<_, Block>(&*self.backend)?;
		let known = self.head.lock().clone();
		let Some(newest) = newest else { return known.ok_or(Refusal::NothingFinal) };
		let (number, hash) = newest.target();
		if let Some(known) = known.as_ref().filter(|known| known.hash == hash) {
			return Ok(known.clone());
		}
		let header = self.header(number)?;
		if header.hash() != hash {
			return Err(Refusal::internal(format_args!(
				"block {number} is justified, not canonical"
			)));
		}
		match self.thin(number, newest.justification)? {
			Thinned::Enough(justification) => {
				let head =
					Arc::new(Justified { number, hash, header: header.encode(), justification });
				*self.head.lock() = Some(head.clone());
				Ok(head)
			},
			// Final only because an equivocator counts for it. The block before serves until there is a better one.
			Thinned::TooFew => known.ok_or(Refusal::NothingFinal),
		}
	}

	/// Number of the finalised block that has this hash; that of the first block if there is none.
	///
	/// A block that is here and not final yet may be so on other nodes: whoever knows it is ahead of this one.
	pub fn number_of(&self, block: Option<Hash>) -> Result<BlockNumber, Refusal> {
		let Some(hash) = block else { return Ok(0) };
		let blockchain = self.backend.blockchain();
		let number = blockchain.number(hash)?.ok_or(Refusal::UnknownBlock { hash })?;
		let newest = blockchain.info().finalized_number;
		if number > newest {
			return Err(Refusal::Ahead { asked: number, newest });
		}
		if blockchain.hash(number)? != Some(hash) {
			return Err(Refusal::UnknownBlock { hash });
		}
		Ok(number)
	}

	/// Hash of a finalised block.
	pub fn hash_of(&self, number: BlockNumber) -> Result<Hash, Refusal> {
		self.backend
			.blockchain()
			.hash(number)?
			.ok_or_else(|| Refusal::internal(format_args!("block {number} is missing")))
	}

	/// The last blocks of the authority sets, of those above `after` and below `before`, in ascending order.
	pub fn changes(
		&self,
		after: BlockNumber,
		before: BlockNumber,
	) -> Result<Vec<BlockNumber>, Refusal> {
		let changes = self.authority_set.authority_set_changes();
		let changes = changes.iter_from(after).ok_or(Refusal::ChangeNotStored)?;
		Ok(changes.map(|(_, last)| *last).take_while(|last| *last < before).collect())
	}

	/// One of the [`Self::changes`] with its proof.
	pub fn change(&self, number: BlockNumber) -> Result<Arc<Justified>, Refusal> {
		if let Some(known) = self.changes.lock().get(&number) {
			return Ok(known.clone());
		}
		let header = self.header(number)?;
		if find_scheduled_change::<Block>(&header).is_none() {
			return Err(Refusal::ForcedChange { number });
		}
		let hash = header.hash();
		let stored = self
			.backend
			.blockchain()
			.justifications(hash)?
			.and_then(|all| all.into_justification(GRANDPA_ENGINE_ID))
			.ok_or(Refusal::ChangeNotStored)?;
		let stored =
			GrandpaJustification::<Header>::decode_all(&mut &*stored).map_err(|error| {
				Refusal::internal(format_args!("justification of {number}: {error}"))
			})?;
		// What has too few votes cannot be verified by anybody, so it is as good as not there.
		let Thinned::Enough(justification) = self.thin(number, stored)? else {
			return Err(Refusal::ChangeNotStored);
		};
		let change = Arc::new(Justified { number, hash, header: header.encode(), justification });
		self.changes.lock().insert(number, change.clone());
		Ok(change)
	}

	fn header(&self, number: BlockNumber) -> Result<Header, Refusal> {
		let hash = self.hash_of(number)?;
		self.backend.blockchain().header(hash)?.ok_or_else(|| {
			Refusal::internal(format_args!("the header of block {number} is missing"))
		})
	}

	fn thin(
		&self,
		number: BlockNumber,
		justification: GrandpaJustification<Header>,
	) -> Result<Thinned, Refusal> {
		thin(justification, self.authorities_of(number)?.as_deref())
	}

	/// Who finalises this block. `None` if that cannot be told, because the set came by a forced change.
	fn authorities_of(&self, number: BlockNumber) -> Result<Option<Vec<AuthorityId>>, Refusal> {
		let (changes, current) = loop {
			let id = self.authority_set.set_id();
			let changes = self.authority_set.authority_set_changes();
			let current = self.authority_set.current_authorities();
			// Both are of one moment if the set is still the same.
			if self.authority_set.set_id() == id {
				break (changes, current);
			}
		};
		let last_blocks: Vec<_> = match changes.iter_from(0) {
			Some(changes) => changes.map(|(_, last)| *last).collect(),
			// The first ones are not stored here, but who finalises now is known all the same.
			None => return Ok(Some(current.iter().map(|(id, _)| id.clone()).collect())),
		};
		let before = last_blocks.partition_point(|last| *last < number);
		if before == last_blocks.len() {
			return Ok(Some(current.iter().map(|(id, _)| id.clone()).collect()));
		}
		match before.checked_sub(1).and_then(|index| last_blocks.get(index)) {
			Some(previous) => Ok(find_scheduled_change::<Block>(&self.header(*previous)?)
				.map(|change| ids(change.next_authorities))),
			None => Ok(self.first_set.get_or_init(|| self.read_first_set()).clone()),
		}
	}

	fn read_first_set(&self) -> Option<Vec<AuthorityId>> {
		let state = self.spec.as_storage_builder().build_storage().ok()?;
		let key = [twox_128(b"Grandpa"), twox_128(b"Authorities")].concat();
		let authorities = state.top.get(&key)?;
		AuthorityList::decode_all(&mut &**authorities).ok().map(ids)
	}
}

fn ids(authorities: AuthorityList) -> Vec<AuthorityId> {
	authorities.into_iter().map(|(id, _)| id).collect()
}

/// A justification as a verifier wants it.
#[derive(Debug)]
enum Thinned {
	/// With enough votes.
	Enough(Vec<u8>),
	/// Without equivocators and strangers too few votes are left.
	TooFew,
}

/// Takes out what a verifier refuses. If the authorities are not known, each vote is believed to be of one.
fn thin(
	mut justification: GrandpaJustification<Header>,
	authorities: Option<&[AuthorityId]>,
) -> Result<Thinned, Refusal> {
	let mut threshold = usize::MAX;
	if let Some(authorities) = authorities {
		let keys = authorities.iter().map(key_of).collect();
		threshold = AuthoritySet::new(0, keys).map_err(Refusal::internal)?.threshold();
		justification.commit.precommits.retain(|vote| authorities.contains(&vote.id));
	}
	let thinned =
		thin_justification(&justification.encode(), threshold).map_err(Refusal::internal)?;
	let votes = GrandpaJustification::<Header>::decode_all(&mut &*thinned)
		.map_err(Refusal::internal)?
		.commit
		.precommits
		.len();
	let needed = if authorities.is_some() { threshold } else { 1 };
	Ok(if votes < needed { Thinned::TooFew } else { Thinned::Enough(thinned) })
}

fn key_of(id: &AuthorityId) -> [u8; 32] {
	sp_core::ed25519::Public::from(id.clone()).0
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::rpc::mock::{Chain, Change, Vote, justified_by, vote};
	use sp_keyring::Ed25519Keyring::{self, Alice, Bob, Charlie, Dave, Eve};

	fn target() -> (Hash, BlockNumber) {
		(Hash::repeat_byte(7), 9)
	}

	fn justification(votes: Vec<Vote>) -> GrandpaJustification<Header> {
		justified_by(target(), votes)
	}

	fn authorities(voters: &[Ed25519Keyring]) -> Vec<AuthorityId> {
		voters.iter().map(|voter| voter.public().into()).collect()
	}

	fn voters(thinned: Thinned) -> Vec<AuthorityId> {
		let Thinned::Enough(bytes) = thinned else { panic!("too few votes") };
		let justification = GrandpaJustification::<Header>::decode_all(&mut &*bytes).unwrap();
		justification.commit.precommits.into_iter().map(|vote| vote.id).collect()
	}

	#[test]
	fn no_more_votes_are_served_than_are_needed() {
		let all = [Alice, Bob, Charlie, Dave];
		let votes = all.map(|voter| vote(voter, target())).to_vec();
		let thinned = thin(justification(votes), Some(&authorities(&all))).unwrap();
		assert_eq!(voters(thinned), authorities(&[Alice, Bob, Charlie]));
	}

	#[test]
	fn a_second_vote_and_the_votes_of_strangers_are_taken_out() {
		let elsewhere = (Hash::repeat_byte(8), 9);
		let votes = vec![
			vote(Eve, target()),
			vote(Alice, elsewhere),
			vote(Alice, target()),
			vote(Bob, target()),
			vote(Charlie, target()),
		];
		let set = authorities(&[Alice, Bob, Charlie, Dave]);
		let thinned = thin(justification(votes), Some(&set)).unwrap();
		assert_eq!(voters(thinned), authorities(&[Alice, Bob, Charlie]));
	}

	#[test]
	fn a_block_that_is_final_by_an_equivocator_only_is_not_served() {
		let (here, there) = ((Hash::repeat_byte(5), 9), (Hash::repeat_byte(6), 9));
		let votes = vec![
			vote(Alice, here),
			vote(Alice, there),
			vote(Bob, target()),
			vote(Charlie, target()),
		];
		let set = authorities(&[Alice, Bob, Charlie, Dave]);
		assert!(matches!(thin(justification(votes), Some(&set)), Ok(Thinned::TooFew)));
	}

	#[test]
	fn without_a_known_set_each_voter_keeps_one_vote() {
		let votes = vec![vote(Alice, target()), vote(Alice, target()), vote(Eve, target())];
		let thinned = thin(justification(votes), None).unwrap();
		assert_eq!(voters(thinned), authorities(&[Alice, Eve]));
		assert!(matches!(thin(justification(Vec::new()), None), Ok(Thinned::TooFew)));
	}

	#[test]
	fn a_block_that_is_not_final_here_is_ahead_and_one_of_a_fork_is_unknown() {
		let chain = Chain::new(5, &[]);
		let finality = chain.finality();
		let (coming, astray) = (chain.extend(), chain.fork(3));
		assert_eq!(finality.number_of(Some(chain.hash(5))), Ok(5));
		let ahead = Refusal::Ahead { asked: 6, newest: 5 };
		assert_eq!(finality.number_of(Some(coming)), Err(ahead));
		let unknown = Refusal::UnknownBlock { hash: astray };
		assert_eq!(finality.number_of(Some(astray)), Err(unknown));
	}

	#[test]
	fn the_newest_block_that_can_be_proven_serves_until_there_is_a_better_one() {
		let chain = Chain::new(5, &[(2, Change::Proven)]);
		let finality = chain.finality();
		assert_eq!(finality.head(), Err(Refusal::NothingFinal));
		chain.justify(4);
		assert_eq!(finality.head().unwrap().number, 4);
		// Only strangers have voted for this one.
		chain.justify_by(5, &[Eve]);
		assert_eq!(finality.head().unwrap().hash, chain.hash(4));
		chain.justify(5);
		assert_eq!(finality.head().unwrap().hash, chain.hash(5));
	}
}
