//! What the agent must not forget: the highest sequence number it has seen, and what is in force.
//!
//! The journal is one file, replaced as a whole and on the disk before anything relies on it. The steps of a delivery:
//!
//! 1. `highest` and `pending` are set: from here on nothing older is taken, and after a crash the delivery is finished
//!    without being fetched again;
//! 2. the generation is tested and switched to;
//! 3. `applied` takes the place of `pending`, with the verdict; or only the verdict is set, if it failed;
//! 4. the verdict goes to the chain until it is proven there.

use crate::seal::{SealError, Vault};
use codec::{Decode, DecodeAll, Encode};
use dpki_client::primitives::{
	delivery::{DeliveryRecord, Outcome},
	ids::{BlobDigest, DeviceId},
};
use sha2::{Digest, Sha256};
use std::{fmt, path::PathBuf};
use zeroize::{Zeroize, Zeroizing};

pub(crate) const FILE: &str = "journal";
const MAGIC: [u8; 16] = *b"dpki-journal/1\0\0";

/// Why the journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
	/// It cannot be read or written, or not be opened.
	#[error(transparent)]
	Seal(#[from] SealError),
	/// It is not what was written.
	#[error(
		"the journal {} is damaged: without it old deliveries could come back, so nothing is applied; \
		 remove it if you know that the newest delivery is the right one",
		.0.display()
	)]
	Damaged(PathBuf),
	/// It was written for something else.
	#[error("the journal {} belongs to another device or chain: use another state directory", .0.display())]
	Foreign(PathBuf),
}

/// A delivery by what makes it unique.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Seen {
	/// Its number.
	pub sequence: u64,
	/// Its blob.
	pub digest: BlobDigest,
}

impl From<&DeliveryRecord> for Seen {
	fn from(record: &DeliveryRecord) -> Self {
		Self { sequence: record.sequence, digest: record.digest }
	}
}

/// A bundle as it came out of its envelope.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct Plaintext(Vec<u8>);

impl Plaintext {
	/// Takes the bytes over.
	pub fn new(mut bytes: Zeroizing<Vec<u8>>) -> Self {
		Self(std::mem::take(&mut *bytes))
	}

	/// The bytes.
	pub fn bytes(&self) -> &[u8] {
		&self.0
	}
}

impl Drop for Plaintext {
	fn drop(&mut self) {
		self.0.zeroize();
	}
}

impl fmt::Debug for Plaintext {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		write!(f, "{} secret bytes", self.0.len())
	}
}

/// A delivery whose content was found good.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Accepted {
	/// Which one.
	pub seen: Seen,
	/// Its content.
	pub bundle: Plaintext,
}

/// What must not be forgotten.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode)]
pub struct Entries {
	/// The delivery with the highest number. Nothing below it is ever taken.
	pub highest: Option<Seen>,
	/// Found good, and on its way into force.
	pub pending: Option<Accepted>,
	/// In force.
	pub applied: Option<Accepted>,
	/// What became of `highest`, for the chain.
	pub verdict: Option<Outcome>,
	/// Set while sshd has still to be told of what is in force: the generation to go back to if it cannot be.
	pub reload_due: Option<u64>,
	/// The highest finalised block that was acted on. What an older one says was true once.
	pub head: u32,
}

/// The file.
pub struct Journal {
	vault: Vault,
	owner: ([u8; 32], DeviceId),
	/// What is in it. Changes count once they are saved.
	pub entries: Entries,
}

impl Journal {
	/// The journal of this device in this state directory; empty if there is none.
	pub fn open(vault: &Vault, genesis: [u8; 32], device: DeviceId) -> Result<Self, JournalError> {
		let path = vault.path(FILE);
		let vault = vault.clone();
		let owner = (genesis, device);
		let Some(bytes) = vault.read_if_there(FILE)? else {
			return Ok(Self { vault, owner, entries: Entries::default() });
		};
		let damaged = || JournalError::Damaged(path.clone());
		let (hash, body) = bytes.split_at_checked(32).ok_or_else(damaged)?;
		if Sha256::digest(body).as_slice() != hash {
			return Err(damaged());
		}
		type Body = ([u8; 16], ([u8; 32], DeviceId), Entries);
		let (magic, found, entries) = Body::decode_all(&mut &*body).map_err(|_| damaged())?;
		if magic != MAGIC {
			return Err(damaged());
		}
		if found != owner {
			return Err(JournalError::Foreign(path));
		}
		Ok(Self { vault, owner, entries })
	}

	/// Brings the entries to the disk.
	pub fn save(&self) -> Result<(), JournalError> {
		let body = Zeroizing::new((MAGIC, self.owner, &self.entries).encode());
		let hash = Sha256::digest(body.as_slice());
		let mut bytes = Zeroizing::new(Vec::with_capacity(body.len() + 32));
		bytes.extend_from_slice(&hash);
		bytes.extend_from_slice(&body);
		Ok(self.vault.replace(FILE, &bytes)?)
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::path::Path;

	fn open(dir: &Path) -> Result<Journal, JournalError> {
		Journal::open(&Vault::open_state(dir), [1; 32], DeviceId([2; 32]))
	}

	#[test]
	fn what_was_saved_is_there_after_a_restart() {
		let dir = tempfile::tempdir().unwrap();
		let mut journal = open(dir.path()).unwrap();
		let seen = Seen { sequence: 7, digest: BlobDigest([3; 32]) };
		journal.entries = Entries {
			highest: Some(seen),
			pending: None,
			applied: Some(Accepted { seen, bundle: Plaintext(vec![1, 2, 3]) }),
			verdict: Some(Outcome::Applied),
			reload_due: Some(4),
			head: 99,
		};
		journal.save().unwrap();
		assert_eq!(open(dir.path()).unwrap().entries, journal.entries);
	}

	#[test]
	fn a_damaged_journal_is_not_an_empty_one() {
		let dir = tempfile::tempdir().unwrap();
		let journal = open(dir.path()).unwrap();
		journal.save().unwrap();
		let bytes = std::fs::read(dir.path().join(FILE)).unwrap();
		for at in 0..bytes.len() {
			let mut broken = bytes.clone();
			broken[at] ^= 1;
			std::fs::write(dir.path().join(FILE), &broken).unwrap();
			assert!(matches!(open(dir.path()), Err(JournalError::Damaged(_))), "flip {at}");
			std::fs::write(dir.path().join(FILE), &bytes[..at]).unwrap();
			assert!(matches!(open(dir.path()), Err(JournalError::Damaged(_))), "cut {at}");
		}
	}

	#[test]
	fn a_journal_of_another_chain_or_device_is_refused() {
		let dir = tempfile::tempdir().unwrap();
		open(dir.path()).unwrap().save().unwrap();
		let foreign = |genesis, device| {
			matches!(
				Journal::open(&Vault::open_state(dir.path()), genesis, DeviceId(device)),
				Err(JournalError::Foreign(_))
			)
		};
		assert!(foreign([9; 32], [2; 32]) && foreign([1; 32], [9; 32]));
	}

	#[test]
	fn a_bundle_is_not_shown() {
		let plaintext = Plaintext(b"secret".to_vec());
		assert_eq!(format!("{plaintext:?}"), "6 secret bytes");
	}
}
