//! What a device reads of its own after a crash, or after somebody has been at its disk.

use dpki_agent::journal::{Entries, read};
use dpki_client::primitives::ids::DeviceId;
use sha2::{Digest, Sha256};

/// Whose journal it is.
pub const OWNER: ([u8; 32], DeviceId) = ([1; 32], DeviceId([2; 32]));

/// Bytes as what a journal holds, behind a hash that is right, as whoever can write to the disk can make it. What is read is
/// written as something that is read in the same way.
pub fn journal(data: &[u8]) {
	let hash = Sha256::digest(data);
	let Ok(entries) = read(&[&hash[..], data].concat(), OWNER) else { return };
	let again = read(&entries.to_file(OWNER), OWNER);
	assert_eq!(again.as_ref().ok(), Some(&entries), "one journal, two meanings");
	// Without the right hash nothing is believed.
	let mut changed = [&hash[..], data].concat();
	changed[0] ^= 1;
	assert!(read(&changed, OWNER).is_err());
	let _ = Entries::is_in_force(&entries);
}
