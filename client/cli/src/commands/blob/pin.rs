//! What is remembered about an envelope that was put in stores: a small file in JSON for each.

use super::digest;
use crate::{
	error::{Error, Result},
	files,
	output::hex,
};
use dpki_client::{Client, StoreAddress, View};
use dpki_primitives::{
	channel::ChannelId,
	delivery::{Acknowledgement, DeliveryRecord, Outcome},
	ids::{BlobDigest, DeviceId},
	status::Status,
};
use serde::{Deserialize, Serialize};
use std::{
	fs,
	path::{Path, PathBuf},
};

const ENDING: &str = "pin";

/// Where an envelope is kept, and for which deliveries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pin {
	/// The genesis hash of the chain.
	genesis: String,
	/// The CID of the envelope.
	pub cid: String,
	/// The stores that keep it.
	stores: Vec<String>,
	/// Device, channel and number of each delivery.
	deliveries: Vec<(String, u8, u64)>,
}

impl Pin {
	/// That these stores keep the envelope of these deliveries.
	pub fn new(
		client: &Client,
		cid: &str,
		stores: Vec<String>,
		deliveries: &[(DeviceId, ChannelId, u64)],
	) -> Self {
		let written = |(device, channel, sequence): &(DeviceId, ChannelId, u64)| {
			(device.to_string(), channel.number(), *sequence)
		};
		let deliveries = deliveries.iter().map(written).collect();
		Self { genesis: hex(&client.genesis_hash()), cid: cid.into(), stores, deliveries }
	}

	/// Writes it into the folder.
	pub fn write(&self, folder: &Path) -> Result<()> {
		let text = serde_json::to_vec_pretty(self).expect("strings and numbers are JSON");
		files::replace_public(&Self::path(folder, &self.cid), &text)
	}

	fn path(folder: &Path, cid: &str) -> PathBuf {
		folder.join(format!("{cid}.{ENDING}"))
	}

	fn read(path: &Path) -> Result<Self> {
		let failed = |source| Error::File { doing: "read", path: path.into(), source };
		let text = fs::read(path).map_err(failed)?;
		serde_json::from_slice(&text).map_err(|_| wrong(path))
	}

	/// Has the stores keep this envelope no longer, and forgets it, unless another device may still fetch it; whether they
	/// were asked to.
	pub async fn free(folder: &Path, cid: &str, view: &View) -> Result<bool> {
		let path = Self::path(folder, cid);
		let pin = Self::read(&path)?;
		if !pin.needed_by(view).await?.is_empty() {
			return Ok(false);
		}
		pin.end(&path).await?;
		Ok(true)
	}

	/// Has the stores keep the envelope no longer, and then forgets it.
	pub async fn end(&self, path: &Path) -> Result<()> {
		self.release().await?;
		Self::remove(path)
	}

	/// All in the folder, sorted by name.
	pub fn all(folder: &Path) -> Result<Vec<(PathBuf, Self)>> {
		let failed = |path: &Path, source| Error::File { doing: "read", path: path.into(), source };
		let mut paths = Vec::new();
		for entry in fs::read_dir(folder).map_err(|error| failed(folder, error))? {
			let path = entry.map_err(|error| failed(folder, error))?.path();
			if path.extension().is_some_and(|ending| ending == ENDING) {
				paths.push(path);
			}
		}
		paths.sort();
		let read = |path: PathBuf| Self::read(&path).map(|pin| (path, pin));
		paths.into_iter().map(read).collect()
	}

	/// Forgets the one in this file.
	fn remove(path: &Path) -> Result<()> {
		fs::remove_file(path).map_err(|source| Error::File {
			doing: "remove",
			path: path.into(),
			source,
		})
	}

	/// Refuses one of another chain than that of this connection.
	pub fn require_chain(&self, path: &Path, client: &Client) -> Result<()> {
		if self.genesis == hex(&client.genesis_hash()) {
			return Ok(());
		}
		Err(Error::NotAllowed {
			why: format!("{} is about another chain", path.display()),
			next: "give --url and --genesis of that chain".into(),
		})
	}

	/// The devices that may still fetch the envelope.
	pub async fn needed_by(&self, view: &View) -> Result<Vec<String>> {
		let unreadable = || Error::NotAllowed {
			why: format!("what is remembered about {} is damaged", self.cid),
			next: "remove its file, and unpin it in the stores by hand".into(),
		};
		let envelope = digest(&self.cid).map_err(|_| unreadable())?;
		let mut needed = Vec::new();
		for (device, channel, sequence) in &self.deliveries {
			let id: DeviceId = device.parse().map_err(|_| unreadable())?;
			let channel = ChannelId::new(*channel).ok_or_else(unreadable)?;
			let status = view.device_status(id).await?;
			let newest = view.delivery(id, channel).await?;
			let acknowledged = view.acknowledgement(id, channel).await?;
			if is_needed(envelope, *sequence, status, newest.as_ref(), acknowledged.as_ref()) {
				needed.push(device.clone());
			}
		}
		Ok(needed)
	}

	/// Has every store keep the envelope no longer.
	async fn release(&self) -> Result<()> {
		let envelope = digest(&self.cid).map_err(Error::Usage)?;
		for store in &self.stores {
			store.parse::<StoreAddress>()?.keeper()?.release(envelope).await?;
		}
		Ok(())
	}
}

/// Whether a device may still fetch this envelope, which was published under this number.
fn is_needed(
	envelope: BlobDigest,
	sequence: u64,
	device: Status,
	newest: Option<&DeliveryRecord>,
	acknowledged: Option<&Acknowledgement>,
) -> bool {
	// A revoked device takes no deliveries. Any other status can pass.
	if matches!(device, Status::Revoked(_)) {
		return false;
	}
	// What waits for approvals is no delivery yet.
	let Some(newest) = newest.filter(|newest| newest.sequence >= sequence) else { return true };
	// Another one is in its place, and devices never look back.
	if newest.sequence > sequence || newest.digest != envelope {
		return false;
	}
	!acknowledged.is_some_and(|it| it.digest == envelope && it.outcome == Outcome::Applied)
}

fn wrong(path: &Path) -> Error {
	Error::WrongFile { path: path.into(), expected: "what `dpki deliver --pins` writes".into() }
}

#[cfg(test)]
mod tests {
	use super::*;
	use dpki_primitives::{
		delivery::{RefusalReason, Suite},
		ids::{KeyId, OrganisationId},
		revocation::{Revocation, RevocationReason},
	};

	const ENVELOPE: BlobDigest = BlobDigest([7; 32]);

	fn delivery(sequence: u64, digest: BlobDigest) -> DeliveryRecord {
		DeliveryRecord {
			organisation: OrganisationId([1; 32]),
			publisher: [2; 32],
			sequence,
			suite: Suite::SharedX25519,
			recipient: KeyId([3; 32]),
			digest,
			length: 100,
			published_at: 0,
		}
	}

	fn said(sequence: u64, outcome: Outcome) -> Acknowledgement {
		Acknowledgement { sequence, digest: ENVELOPE, outcome, at: 0 }
	}

	fn needed(newest: Option<DeliveryRecord>, acknowledged: Option<Acknowledgement>) -> bool {
		is_needed(ENVELOPE, 4, Status::Valid, newest.as_ref(), acknowledged.as_ref())
	}

	#[test]
	fn an_envelope_is_needed_until_the_device_has_applied_it() {
		let newest = || Some(delivery(4, ENVELOPE));
		assert!(needed(newest(), None));
		let other = Acknowledgement { digest: BlobDigest([1; 32]), ..said(3, Outcome::Applied) };
		assert!(needed(newest(), Some(other)), "that was the one before");
		let refused = Outcome::Refused(RefusalReason::BlobUnavailable);
		assert!(needed(newest(), Some(said(4, refused))), "it asks again");
		assert!(!needed(newest(), Some(said(4, Outcome::Applied))));
	}

	#[test]
	fn an_envelope_is_needed_while_it_waits_for_approvals() {
		assert!(needed(None, None));
		assert!(needed(Some(delivery(3, BlobDigest([1; 32]))), Some(said(3, Outcome::Applied))));
	}

	#[test]
	fn what_another_delivery_has_replaced_is_not_needed() {
		assert!(!needed(Some(delivery(5, BlobDigest([1; 32]))), None));
		assert!(!needed(Some(delivery(4, BlobDigest([1; 32]))), None), "it was never approved");
	}

	#[test]
	fn a_revoked_device_needs_nothing_and_a_suspended_one_waits() {
		let newest = delivery(4, ENVELOPE);
		let needed = |status| is_needed(ENVELOPE, 4, status, Some(&newest), None);
		assert!(!needed(Status::Revoked(Revocation {
			reason: RevocationReason::KeyCompromise,
			at: 0
		})));
		assert!(needed(Status::Suspended) && needed(Status::Unknown));
	}

	#[tokio::test]
	async fn a_copy_is_forgotten_when_its_stores_keep_it_no_longer_and_not_before() {
		let (pins, stick) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
		let store: StoreAddress = format!("folder={}", stick.path().display()).parse().unwrap();
		let envelope = b"an envelope";
		let digest = BlobDigest::of(envelope);
		store.keeper().unwrap().put(envelope).await.unwrap();
		let cid = dpki_client::blob::cid(digest);
		let pin = |stores: Vec<String>| Pin {
			genesis: "0x07".into(),
			cid: cid.clone(),
			stores,
			deliveries: vec![("0x01".into(), 0, 1)],
		};
		let path = Pin::path(pins.path(), &cid);
		// A store that is gone: the copy is remembered, to be released later.
		let both = pin(vec![store.to_string(), "kubo=http://127.0.0.1:1".into()]);
		both.write(pins.path()).unwrap();
		both.end(&path).await.unwrap_err();
		assert!(path.exists());
		store.keeper().unwrap().put(envelope).await.unwrap();
		let one = pin(vec![store.to_string()]);
		one.write(pins.path()).unwrap();
		one.end(&path).await.unwrap();
		assert!(!path.exists());
		assert!(!stick.path().join(&cid).exists());
	}

	#[test]
	fn what_is_remembered_is_read_again_and_the_rest_of_the_folder_is_left_alone() {
		let dir = tempfile::tempdir().unwrap();
		let pin = Pin {
			genesis: "0x07".into(),
			cid: "bafkrei".into(),
			stores: vec!["folder=/media/stick".into()],
			deliveries: vec![("0x01".into(), 2, 4)],
		};
		pin.write(dir.path()).unwrap();
		fs::write(dir.path().join("notes.txt"), "mine").unwrap();
		let all = Pin::all(dir.path()).unwrap();
		assert_eq!(all, [(dir.path().join("bafkrei.pin"), pin)]);
		Pin::remove(&all[0].0).unwrap();
		assert!(Pin::all(dir.path()).unwrap().is_empty());
		fs::write(dir.path().join("x.pin"), "mine").unwrap();
		let error = Pin::all(dir.path()).unwrap_err().to_string();
		assert!(error.contains("is not what `dpki deliver --pins` writes"), "{error}");
	}
}
