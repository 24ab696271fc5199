//! What a device trusts: a block, and who may finalise the blocks after it.
//!
//! The first checkpoint comes with the device, from somebody who is trusted: everything else follows from it. A
//! checkpoint is public, but whoever can replace it can make the device believe anything, so it is stored like a
//! root certificate. Each accepted block gives the next one; a device that keeps only the first one forgets which
//! blocks it has seen, and can be shown older ones again.
//!
//! Encoding, version 1:
//!
//! | field | bytes |
//! |---|---|
//! | version | 1 |
//! | genesis hash | 32 |
//! | authority set id | 8, little endian |
//! | block number | 4, little endian |
//! | block hash | 32 |
//! | number of authorities | SCALE compact |
//! | authorities, strictly ascending | 32 each |
//!
//! The order of authorities carries no meaning in GRANDPA. It is fixed here so that equal checkpoints are equal bytes.

use crate::{
	error::{Error, Part},
	limits::MAX_AUTHORITIES,
	reader::{Reader, at_most},
};
use alloc::vec::Vec;
use codec::{Compact, Encode};
use sp_crypto_hashing::blake2_256;

const VERSION: u8 = 1;

/// Who may finalise blocks: Ed25519 keys of equal weight, and the number of the set.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuthoritySet {
	id: u64,
	authorities: Vec<[u8; 32]>,
}

impl AuthoritySet {
	/// The set `id` of these authorities, in any order.
	///
	/// Refused are [`Error::AuthoritiesEmpty`], [`Error::AuthorityRepeated`] and [`Error::TooLarge`].
	pub fn new(id: u64, mut authorities: Vec<[u8; 32]>) -> Result<Self, Error> {
		Self::sort(&mut authorities)?;
		Ok(Self { id, authorities })
	}

	/// Brings a list of authorities into the one order, or says why it is none.
	pub(crate) fn sort(authorities: &mut [[u8; 32]]) -> Result<(), Error> {
		at_most(Part::Authorities, authorities.len(), MAX_AUTHORITIES)?;
		authorities.sort_unstable();
		Self::check_order(authorities)
	}

	fn check_order(authorities: &[[u8; 32]]) -> Result<(), Error> {
		let mut previous = None;
		for authority in authorities {
			if previous >= Some(authority) {
				return Err(Error::AuthorityRepeated { authority: *authority });
			}
			previous = Some(authority);
		}
		if previous.is_none() { Err(Error::AuthoritiesEmpty) } else { Ok(()) }
	}

	/// The number of the set: 0 at genesis, one more with each change.
	pub fn id(&self) -> u64 {
		self.id
	}

	/// The authorities, ascending.
	pub fn authorities(&self) -> &[[u8; 32]] {
		&self.authorities
	}

	/// How many of them have to agree: `n - (n - 1) / 3`, the least number above two thirds.
	pub fn threshold(&self) -> usize {
		let count = self.authorities.len();
		count.saturating_sub(count.saturating_sub(1) / 3)
	}

	/// The set that comes after this one. `authorities` are sorted and distinct.
	pub(crate) fn next(&self, authorities: Vec<[u8; 32]>) -> Result<Self, Error> {
		let id = self.id.checked_add(1).ok_or(Error::SetIdExhausted)?;
		Ok(Self { id, authorities })
	}

	/// What a recovery is signed over in place of the set: its BLAKE2b-256 under the genesis hash of the chain.
	pub(crate) fn digest(&self, genesis: &[u8; 32]) -> [u8; 32] {
		blake2_256(&(genesis, self.id, &self.authorities).encode())
	}
}

/// Marks who has spoken, and refuses who must not or has done so before.
pub(crate) struct Roll<'a> {
	authorities: &'a [[u8; 32]],
	seen: Vec<bool>,
}

impl<'a> Roll<'a> {
	pub(crate) fn new(set: &'a AuthoritySet) -> Self {
		Self { authorities: &set.authorities, seen: alloc::vec![false; set.authorities.len()] }
	}

	pub(crate) fn note(&mut self, authority: &[u8; 32]) -> Result<(), Error> {
		let seen = self
			.authorities
			.binary_search(authority)
			.ok()
			.and_then(|index| self.seen.get_mut(index))
			.ok_or(Error::UnknownAuthority { authority: *authority })?;
		if core::mem::replace(seen, true) {
			return Err(Error::RepeatedVote { authority: *authority });
		}
		Ok(())
	}
}

/// A finalised block of one chain, and the authority set that finalises the blocks after it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checkpoint {
	/// The hash of the chain's first block.
	pub genesis: [u8; 32],
	/// Who finalises the blocks after [`Self::number`].
	pub set: AuthoritySet,
	/// The number of the finalised block.
	pub number: u32,
	/// The hash of the finalised block.
	pub hash: [u8; 32],
}

impl Checkpoint {
	/// The bytes to be stored: 78 and 32 for each authority, if they are fewer than 64.
	pub fn encode(&self) -> Vec<u8> {
		let authorities = self.set.authorities.as_flattened();
		// A set has at most `MAX_AUTHORITIES`.
		let count = u32::try_from(self.set.authorities.len()).unwrap_or(u32::MAX);
		let head = (VERSION, self.genesis, self.set.id, self.number, self.hash, Compact(count));
		let mut bytes = head.encode();
		bytes.extend_from_slice(authorities);
		bytes
	}

	/// The checkpoint in these bytes.
	///
	/// Refused are [`Error::Malformed`], [`Error::UnknownVersion`], [`Error::TooLarge`], [`Error::AuthoritiesEmpty`] and
	/// [`Error::AuthorityRepeated`].
	pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
		let mut reader = Reader::new(bytes, Part::Checkpoint);
		let checkpoint = Self::read(&mut reader)?;
		reader.finish()?;
		Ok(checkpoint)
	}

	pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
		let outer = reader.within(Part::Checkpoint);
		let found = reader.u8()?;
		if found != VERSION {
			return Err(Error::UnknownVersion { part: Part::Checkpoint, found });
		}
		let genesis = *reader.array()?;
		let id = reader.u64()?;
		let number = reader.u32()?;
		let hash = *reader.array()?;
		reader.within(Part::Authorities);
		let count = reader.count(MAX_AUTHORITIES)?;
		let bytes = reader.take(count.saturating_mul(32))?;
		let (authorities, _) = bytes.as_chunks();
		AuthoritySet::check_order(authorities)?;
		reader.within(outer);
		Ok(Self {
			genesis,
			set: AuthoritySet { id, authorities: authorities.to_vec() },
			number,
			hash,
		})
	}

	/// The BLAKE2b-256 of the encoded checkpoint, for people to compare.
	pub fn digest(&self) -> [u8; 32] {
		blake2_256(&self.encode())
	}
}
