//! Archives of blocks: CARv1 (<https://ipld.io/specs/transport/car/carv1/>), as far as one block is wanted.
//!
//! The header is DAG-CBOR, which has one encoding for one content. An archive with one root that is known has therefore one
//! header, and it is compared, not parsed.

use dpki_primitives::ids::BlobDigest;

/// What an archive of one block has around it, in bytes: a length and the header, a length and the CID.
pub const OVERHEAD: usize = 1 + HEADER_LEN + 10 + CID_LEN;

/// Length of a CIDv1 with the codec raw and a SHA2-256.
const CID_LEN: usize = 36;

/// A map of two entries, the first of which is `roots`: a list of one CID, which is bytes under tag 42, with a zero before it.
const BEFORE_ROOT: &[u8] = b"\xa2\x65roots\x81\xd8\x2a\x58\x25\x00";

/// The second entry: `version`, 1.
const BEHIND_ROOT: &[u8] = b"\x67version\x01";

const HEADER_LEN: usize = BEFORE_ROOT.len() + CID_LEN + BEHIND_ROOT.len();

/// Why an archive does not hold the block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CarError {
	/// It begins otherwise than an archive of this one block.
	#[error("no archive with this blob as its root")]
	OtherRoot,
	/// It ends within a part.
	#[error("an archive that breaks off")]
	Truncated,
	/// A length is none.
	#[error("an archive with a length that is none")]
	Malformed,
	/// It holds other blocks, and not this one.
	#[error("an archive without the blob")]
	Missing,
}

/// The block with this digest, in an archive of which it is the root. What it hashes to is for the caller to see.
pub fn block(digest: BlobDigest, archive: &[u8]) -> Result<&[u8], CarError> {
	let name = dpki_bitswap::cid(digest.0).to_bytes();
	let (header, mut rest) = section(archive)?.ok_or(CarError::Truncated)?;
	if header != [BEFORE_ROOT, &name, BEHIND_ROOT].concat() {
		return Err(CarError::OtherRoot);
	}
	while let Some((part, behind)) = section(rest)? {
		if let Some(block) = part.strip_prefix(&name[..]) {
			return Ok(block);
		}
		rest = behind;
	}
	Err(CarError::Missing)
}

/// The next section, and what is behind it; `None` at the end.
fn section(bytes: &[u8]) -> Result<Option<(&[u8], &[u8])>, CarError> {
	if bytes.is_empty() {
		return Ok(None);
	}
	let (mut length, mut rest) = (0u64, bytes);
	for shift in (0..63).step_by(7) {
		let (digit, behind) = rest.split_first().ok_or(CarError::Truncated)?;
		rest = behind;
		length |= u64::from(digit & 0x7f) << shift;
		if digit & 0x80 == 0 {
			let length = usize::try_from(length).map_err(|_| CarError::Malformed)?;
			return rest.split_at_checked(length).map(Some).ok_or(CarError::Truncated);
		}
	}
	Err(CarError::Malformed)
}

#[cfg(test)]
pub(crate) mod tests {
	use super::*;

	/// An archive with this root and these blocks; they are shorter than 92 bytes, so that a length is one byte.
	pub(crate) fn archive(root: BlobDigest, blocks: &[(BlobDigest, &[u8])]) -> Vec<u8> {
		let name = |digest: BlobDigest| dpki_bitswap::cid(digest.0).to_bytes();
		let mut sections = vec![[BEFORE_ROOT, &name(root), BEHIND_ROOT].concat()];
		sections.extend(blocks.iter().map(|(digest, block)| [&name(*digest), *block].concat()));
		let with_length = |section: Vec<u8>| [vec![section.len() as u8], section].concat();
		sections.into_iter().flat_map(with_length).collect()
	}

	const BLOB: &[u8] = b"an envelope";

	fn held() -> (BlobDigest, Vec<u8>) {
		let digest = BlobDigest::of(BLOB);
		(digest, archive(digest, &[(digest, BLOB)]))
	}

	#[test]
	fn the_block_of_an_archive_is_found() {
		let (digest, whole) = held();
		assert!(whole.len() <= BLOB.len() + OVERHEAD);
		assert_eq!(block(digest, &whole), Ok(BLOB));
		let other = BlobDigest::of(b"other");
		let later = archive(digest, &[(other, b"other"), (digest, BLOB)]);
		assert_eq!(block(digest, &later), Ok(BLOB));
	}

	#[test]
	fn an_archive_with_another_root_is_refused() {
		let (digest, _) = held();
		let other = archive(BlobDigest([1; 32]), &[(digest, BLOB)]);
		assert_eq!(block(digest, &other), Err(CarError::OtherRoot));
		assert_eq!(block(digest, b"<html></html>"), Err(CarError::Truncated));
	}

	#[test]
	fn every_cut_of_an_archive_is_refused() {
		let (digest, whole) = held();
		for end in 0..whole.len() {
			let cut = block(digest, &whole[..end]);
			// Behind the header it may be one without blocks.
			let expected =
				if end == 1 + HEADER_LEN { CarError::Missing } else { CarError::Truncated };
			assert_eq!(cut, Err(expected), "{end}");
		}
	}

	#[test]
	fn an_archive_of_other_blocks_is_refused() {
		let (digest, _) = held();
		let other = archive(digest, &[(BlobDigest([1; 32]), BLOB)]);
		assert_eq!(block(digest, &other), Err(CarError::Missing));
	}

	#[test]
	fn a_length_without_an_end_is_refused() {
		let (digest, _) = held();
		assert_eq!(block(digest, &[0xff; 20]), Err(CarError::Malformed));
		let (_, mut whole) = held();
		whole.truncate(1 + HEADER_LEN);
		whole.extend([0xff; 20]);
		assert_eq!(block(digest, &whole), Err(CarError::Malformed));
	}
}
