//! Block headers: their hash, and what they announce about the authorities.
//!
//! The encoding is that of `sp_runtime::generic::Header<u32, BlakeTwo256>`: parent hash, compact number, state root,
//! extrinsics root, digest. The hash is BLAKE2b-256 of exactly the bytes that were received, so a header that is encoded
//! in another way is another header.
//!
//! A digest is data of the block's author. Of its items only GRANDPA's (`FRNK`, `sp_consensus_grandpa::ConsensusLog`) mean
//! something here, and only in headers that are finalised:
//!
//! | item | treatment |
//! |---|---|
//! | scheduled change without delay | the next authority set, from the block after this one |
//! | scheduled change with a delay | refused: this chain makes none, and to hold a set back until some later block would be state that nobody tests |
//! | forced change | refused: it takes effect without the consent of the set that is trusted |
//! | disabled, pause, resume | of no meaning for who may sign |
//! | several changes, unknown or malformed items | refused |

use crate::{
	checkpoint::AuthoritySet,
	error::{Error, Part},
	limits::{MAX_AUTHORITIES, MAX_DIGEST_ITEMS, MAX_HEADER_LEN},
	reader::{Reader, at_most},
};
use alloc::vec::Vec;
use sp_crypto_hashing::blake2_256;

/// `sp_consensus_grandpa::GRANDPA_ENGINE_ID`.
const GRANDPA: &[u8; 4] = b"FRNK";

/// A header, borrowed.
#[derive(Clone, Copy)]
pub(crate) struct Header<'a> {
	pub(crate) bytes: &'a [u8],
	pub(crate) parent: &'a [u8; 32],
	pub(crate) number: u32,
	pub(crate) state_root: &'a [u8; 32],
	digest: &'a [u8],
}

impl<'a> Header<'a> {
	/// Reads one header and leaves what follows it.
	pub(crate) fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
		let outer = reader.within(Part::Header);
		let from = reader.rest();
		let parent = reader.array()?;
		let number = reader.compact()?;
		let state_root = reader.array()?;
		let _extrinsics_root: &[u8; 32] = reader.array()?;
		reader.within(Part::Digest);
		let digest_from = reader.rest();
		for _ in 0..reader.count(MAX_DIGEST_ITEMS)? {
			Item::read(reader)?;
		}
		let digest = before(digest_from, reader)?;
		let bytes = before(from, reader)?;
		at_most(Part::Header, bytes.len(), MAX_HEADER_LEN)?;
		reader.within(outer);
		Ok(Self { bytes, parent, number, state_root, digest })
	}

	pub(crate) fn hash(&self) -> [u8; 32] {
		blake2_256(self.bytes)
	}

	/// The authorities of the blocks after this one, if they change.
	pub(crate) fn next_authorities(&self) -> Result<Option<Vec<[u8; 32]>>, Error> {
		let number = self.number;
		let mut next = None;
		let mut digest = Reader::new(self.digest, Part::Digest);
		for _ in 0..digest.count(MAX_DIGEST_ITEMS)? {
			let Item::Grandpa(message) = Item::read(&mut digest)? else { continue };
			let mut message = Reader::new(message, Part::AuthorityChange);
			match message.u8()? {
				1 => {
					let authorities = read_authorities(&mut message)?;
					let delay = message.u32()?;
					message.finish()?;
					if delay != 0 {
						return Err(Error::ChangeDelayed { number, delay });
					}
					if next.replace(authorities).is_some() {
						return Err(Error::ChangeRepeated { number });
					}
				},
				2 => return Err(Error::ChangeForced { number }),
				3..=5 => {},
				kind => return Err(Error::ChangeUnknown { number, kind }),
			}
		}
		Ok(next)
	}
}

/// What was read since `from`.
fn before<'a>(from: &'a [u8], reader: &Reader<'a>) -> Result<&'a [u8], Error> {
	from.len()
		.checked_sub(reader.rest().len())
		.and_then(|len| from.get(..len))
		.ok_or(Error::Malformed(Part::Header))
}

fn read_authorities(reader: &mut Reader<'_>) -> Result<Vec<[u8; 32]>, Error> {
	let outer = reader.within(Part::Authorities);
	let count = reader.count(MAX_AUTHORITIES)?;
	let mut authorities = Vec::with_capacity(count);
	for _ in 0..count {
		let authority = *reader.array()?;
		let weight = reader.u64()?;
		if weight != 1 {
			return Err(Error::AuthorityWeight { authority, weight });
		}
		authorities.push(authority);
	}
	reader.within(outer);
	AuthoritySet::sort(&mut authorities)?;
	Ok(authorities)
}

/// `sp_runtime::DigestItem`.
enum Item<'a> {
	Grandpa(&'a [u8]),
	Other,
}

impl<'a> Item<'a> {
	fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
		match reader.u8()? {
			// Other.
			0 => reader.bytes(MAX_HEADER_LEN).map(|_| Item::Other),
			// Consensus.
			4 => {
				let engine: &[u8; 4] = reader.array()?;
				let message = reader.bytes(MAX_HEADER_LEN)?;
				Ok(if engine == GRANDPA { Item::Grandpa(message) } else { Item::Other })
			},
			// Seal, PreRuntime.
			5 | 6 => {
				let _engine: &[u8; 4] = reader.array()?;
				reader.bytes(MAX_HEADER_LEN).map(|_| Item::Other)
			},
			// RuntimeEnvironmentUpdated.
			8 => Ok(Item::Other),
			_ => Err(Error::Malformed(Part::Digest)),
		}
	}
}
