//! What the agent tells about itself: `status.json`, in the state directory or where the configuration puts it.
//!
//! It is for people and monitors, which [`crate::inspection`] tells how far it can be relied on. The agent itself relies
//! on its journal only.

use crate::files::{self, FileError, PUBLIC};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The name of the file in the state directory.
pub const FILE: &str = "status.json";

/// How often the file is written when only the head has moved, in milliseconds: flash memory wears out.
const HEAD_INTERVAL: u64 = 2000;

/// A finalised block.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadStatus {
	/// Its number.
	pub number: u32,
	/// The chain time in it, in milliseconds since the Unix epoch.
	pub time: u64,
	/// Whether it was too old by the device's clock to bring a new delivery into force.
	pub stale: bool,
}

/// What became of the deliveries on one channel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelStatus {
	/// Which channel.
	pub channel: u8,
	/// Whether deliveries on it are obeyed.
	pub obeyed: bool,
	/// The number of the delivery in force.
	pub sequence: Option<u64>,
	/// Its blob.
	pub digest: Option<String>,
	/// The highest number ever seen.
	pub highest_sequence: Option<u64>,
	/// The number of the delivery whose acknowledgement is proven.
	pub acknowledged: Option<u64>,
	/// The last delivery that was not taken.
	pub last_refusal: Option<RefusalStatus>,
}

/// A delivery that was not taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusalStatus {
	/// On which channel it came.
	#[serde(default)]
	pub channel: u8,
	/// Its number.
	pub sequence: u64,
	/// Its blob.
	pub digest: String,
	/// Why, in a word.
	pub reason: String,
	/// Why, in a sentence.
	pub sentence: String,
	/// When, in chain time.
	pub at: u64,
}

/// What is in force for SSH.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SshStatus {
	/// The generation.
	pub generation: Option<u64>,
	/// The anchors whose user certificates are believed.
	pub user_cas: Vec<String>,
	/// How many serial numbers sshd does not believe.
	pub revoked_serials: usize,
	/// How many keys sshd does not believe.
	pub revoked_keys: usize,
	/// How many serial numbers the ssh client does not believe.
	pub revoked_host_serials: usize,
	/// How many keys the ssh client does not believe.
	pub revoked_host_keys: usize,
	/// Whether sshd has a host certificate.
	pub host_certificate: bool,
	/// The fingerprint of the host key that sshd has beside that of the device, because it was delivered.
	#[serde(default)]
	pub delivered_host_key: Option<String>,
	/// How many temporary accesses are open.
	#[serde(default)]
	pub temporary: usize,
	/// Whether no user CA is believed, because the chain was not heard for too long.
	#[serde(default)]
	pub closed: bool,
}

/// Everything that is told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
	/// The organisation.
	pub organisation: String,
	/// The device.
	pub device: String,
	/// Its id.
	pub device_id: String,
	/// The verdict about it; "unknown" until it is enrolled.
	pub device_status: String,
	/// The newest finalised block that was seen.
	pub head: Option<HeadStatus>,
	/// The number of the delivery in force on the default channel.
	pub sequence: Option<u64>,
	/// Its blob.
	pub digest: Option<String>,
	/// The highest number ever seen on the default channel.
	pub highest_sequence: Option<u64>,
	/// The number of the delivery on the default channel whose acknowledgement is proven.
	pub acknowledged: Option<u64>,
	/// Every channel on which there ever was a delivery, the default one included.
	#[serde(default)]
	pub channels: Vec<ChannelStatus>,
	/// What is in force for SSH.
	pub ssh: SshStatus,
	/// Whether no TLS peer is believed and no pre-shared key is good, because the chain was not heard for too long.
	#[serde(default)]
	pub peers_closed: bool,
	/// The last delivery that was not taken, on any channel.
	pub last_refusal: Option<RefusalStatus>,
	/// What hinders the agent now.
	pub error: Option<String>,
	/// When this was written, by the device's clock, in milliseconds since the Unix epoch.
	pub updated_at: u64,
}

impl Status {
	/// The status in this file, or `None` if the agent has not run yet.
	pub fn read(path: &Path) -> Result<Option<Self>, FileError> {
		let Some(bytes) = files::read_if_there(path)? else { return Ok(None) };
		serde_json::from_slice(&bytes)
			.map(Some)
			.map_err(|error| files::failed("understand", path)(std::io::Error::other(error)))
	}

	/// The same without what changes with every block.
	fn substance(&self) -> Self {
		let head = self.head.clone().map(|head| HeadStatus { number: 0, time: 0, ..head });
		Self { head, updated_at: 0, ..self.clone() }
	}
}

/// Writes the file when there is something to tell.
pub struct Reporter {
	path: PathBuf,
	written: Option<Status>,
	failing: bool,
}

impl Reporter {
	/// Writes this file.
	pub fn new(path: PathBuf) -> Self {
		Self { path, written: None, failing: false }
	}

	/// Writes the status if its substance has changed, or the last writing is a while ago.
	pub fn report(&mut self, status: &Status, now: u64) {
		let due = self.written.as_ref().is_none_or(|written| {
			written.substance() != status.substance()
				|| now.abs_diff(written.updated_at) >= HEAD_INTERVAL
		});
		if !due {
			return;
		}
		let status = Status { updated_at: now, ..status.clone() };
		let text = serde_json::to_vec_pretty(&status).expect("the status is plain data");
		match files::replace_lazily(&self.path, &text, PUBLIC) {
			Ok(()) => {
				self.written = Some(status);
				self.failing = false;
			},
			// Telling is not what the device is for, and neither is a log that repeats itself with every block.
			Err(error) => {
				if !self.failing {
					tracing::warn!(%error, "cannot write the status");
				}
				self.failing = true;
			},
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_status_is_written_when_it_says_something_new() {
		let dir = tempfile::tempdir().unwrap();
		let path = dir.path().join(FILE);
		assert_eq!(Status::read(&path).unwrap(), None);
		let mut reporter = Reporter::new(path.clone());
		let head = |number| Some(HeadStatus { number, time: 1, stale: false });
		let mut status = Status { head: head(1), ..Status::default() };
		let written = || Status::read(&path).unwrap().unwrap().head.unwrap().number;
		reporter.report(&status, 10_000);
		status.head = head(2);
		reporter.report(&status, 10_500);
		assert_eq!(written(), 1, "a new head alone can wait");
		status.sequence = Some(1);
		reporter.report(&status, 10_600);
		assert_eq!(written(), 2, "a new delivery cannot");
		status.head = head(3);
		reporter.report(&status, 12_600);
		assert_eq!(written(), 3);
	}

	#[test]
	fn a_damaged_status_is_an_error() {
		let dir = tempfile::tempdir().unwrap();
		let path = dir.path().join(FILE);
		std::fs::write(&path, "{").unwrap();
		assert!(Status::read(&path).is_err());
	}
}
