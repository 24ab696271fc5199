//! What the agent must not forget: the highest sequence number it has seen on each channel, and what is in force.
//!
//! The journal is one file, replaced as a whole and on the disk before anything relies on it. The steps of a delivery:
//!
//! 1. `highest` of its channel and `pending` are set: from here on nothing older is taken there, and after a crash the delivery is finished
//!    without being fetched again;
//! 2. the generation is tested and switched to;
//! 3. `applied` takes the place of `pending`, with the verdict; or only the verdict is set, if it failed;
//! 4. the verdict goes to the chain until it is proven there.
//!
//! An agent that knew one channel only wrote version 1, which is read as what is known of the default channel.

use crate::seal::{SealError, Vault};
use codec::{Decode, DecodeAll, Encode};
use dpki_client::primitives::{
	channel::ChannelId,
	delivery::{DeliveryRecord, Outcome},
	ids::{BlobDigest, DeviceId},
};
use sha2::{Digest, Sha256};
use std::{collections::BTreeMap, fmt, path::PathBuf};
use zeroize::{Zeroize, Zeroizing};

pub(crate) const FILE: &str = "journal";
const MAGIC: [u8; 16] = *b"dpki-journal/2\0\0";
/// How a journal of one channel begins.
const MAGIC_OF_ONE: [u8; 16] = *b"dpki-journal/1\0\0";

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

/// A delivery by what makes it unique on its channel.
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

/// What must not be forgotten of one channel.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode)]
pub struct Lane {
	/// The delivery with the highest number. Nothing below it is ever taken.
	pub highest: Option<Seen>,
	/// In force.
	pub applied: Option<Accepted>,
	/// What became of `highest`, for the chain.
	pub verdict: Option<Outcome>,
}

/// What must not be forgotten.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode)]
pub struct Entries {
	/// What is known of each channel, also of those that are not obeyed any more.
	pub lanes: BTreeMap<ChannelId, Lane>,
	/// Found good, and on its way into force on its channel: one at a time.
	pub pending: Option<(ChannelId, Accepted)>,
	/// Set while sshd has still to be told of what is in force: the generation to go back to if it cannot be.
	pub reload_due: Option<u64>,
	/// The highest finalised block that was acted on. What an older one says was true once.
	pub head: u32,
}

impl Entries {
	/// What is known of this channel; all of it may be nothing.
	pub fn lane(&mut self, channel: ChannelId) -> &mut Lane {
		self.lanes.entry(channel).or_default()
	}

	/// The bytes of a journal of this owner, which [`read`] reads.
	pub fn to_file(&self, owner: ([u8; 32], DeviceId)) -> Zeroizing<Vec<u8>> {
		let body = Zeroizing::new((MAGIC, owner, self).encode());
		let hash = Sha256::digest(body.as_slice());
		let mut bytes = Zeroizing::new(Vec::with_capacity(body.len() + 32));
		bytes.extend_from_slice(&hash);
		bytes.extend_from_slice(&body);
		bytes
	}

	/// Whether anything may be in force.
	pub fn is_in_force(&self) -> bool {
		self.pending.is_some() || self.lanes.values().any(|lane| lane.applied.is_some())
	}
}

/// What a journal of one channel holds.
#[derive(Decode)]
#[cfg_attr(test, derive(Encode))]
struct EntriesOfOne {
	highest: Option<Seen>,
	pending: Option<Accepted>,
	applied: Option<Accepted>,
	verdict: Option<Outcome>,
	reload_due: Option<u64>,
	head: u32,
}

/// Why the bytes of a journal are not read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unreadable {
	/// They are not what was written.
	Damaged,
	/// They were written for another device or chain.
	Foreign,
}

/// What a journal of this owner holds.
pub fn read(bytes: &[u8], owner: ([u8; 32], DeviceId)) -> Result<Entries, Unreadable> {
	let (hash, body) = bytes.split_at_checked(32).ok_or(Unreadable::Damaged)?;
	if Sha256::digest(body).as_slice() != hash {
		return Err(Unreadable::Damaged);
	}
	type Head = ([u8; 16], ([u8; 32], DeviceId));
	let mut rest = body;
	let (magic, found) = Head::decode(&mut rest).map_err(|_| Unreadable::Damaged)?;
	let entries = match magic {
		MAGIC => Entries::decode_all(&mut rest),
		MAGIC_OF_ONE => EntriesOfOne::decode_all(&mut rest).map(Entries::from),
		_ => return Err(Unreadable::Damaged),
	};
	let entries = entries.map_err(|_| Unreadable::Damaged)?;
	if found != owner { Err(Unreadable::Foreign) } else { Ok(entries) }
}

impl From<EntriesOfOne> for Entries {
	fn from(one: EntriesOfOne) -> Self {
		let EntriesOfOne { highest, pending, applied, verdict, reload_due, head } = one;
		let lane = Lane { highest, applied, verdict };
		let pending = pending.map(|pending| (ChannelId::DEFAULT, pending));
		Self { lanes: BTreeMap::from([(ChannelId::DEFAULT, lane)]), pending, reload_due, head }
	}
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
		let entries = read(&bytes, owner).map_err(|error| match error {
			Unreadable::Damaged => JournalError::Damaged(path),
			Unreadable::Foreign => JournalError::Foreign(path),
		})?;
		Ok(Self { vault, owner, entries })
	}

	/// Brings the entries to the disk.
	pub fn save(&self) -> Result<(), JournalError> {
		Ok(self.vault.replace(FILE, &self.entries.to_file(self.owner))?)
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
		let accepted = Accepted { seen, bundle: Plaintext(vec![1, 2, 3]) };
		let lane = Lane {
			highest: Some(seen),
			applied: Some(accepted.clone()),
			verdict: Some(Outcome::Applied),
		};
		let other = ChannelId::new(9).unwrap();
		let lanes = [(ChannelId::DEFAULT, lane), (other, Lane::default())];
		journal.entries = Entries {
			lanes: lanes.into(),
			pending: Some((other, accepted)),
			reload_due: Some(4),
			head: 99,
		};
		journal.save().unwrap();
		assert_eq!(open(dir.path()).unwrap().entries, journal.entries);
	}

	#[test]
	fn a_journal_of_one_channel_is_that_of_the_default_channel() {
		let dir = tempfile::tempdir().unwrap();
		let accepted = |sequence| Accepted {
			seen: Seen { sequence, digest: BlobDigest([3; 32]) },
			bundle: Plaintext(vec![1, 2, 3]),
		};
		let one = EntriesOfOne {
			highest: Some(accepted(8).seen),
			pending: Some(accepted(8)),
			applied: Some(accepted(7)),
			verdict: None,
			reload_due: Some(4),
			head: 99,
		};
		let body = (MAGIC_OF_ONE, ([1u8; 32], DeviceId([2; 32])), one).encode();
		let bytes = [&Sha256::digest(&body)[..], &body].concat();
		std::fs::write(dir.path().join(FILE), bytes).unwrap();
		let mut entries = open(dir.path()).unwrap().entries;
		assert_eq!(entries.pending, Some((ChannelId::DEFAULT, accepted(8))));
		assert_eq!((entries.reload_due, entries.head), (Some(4), 99));
		let lane = entries.lane(ChannelId::DEFAULT);
		assert_eq!((lane.highest, &lane.applied), (Some(accepted(8).seen), &Some(accepted(7))));
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
