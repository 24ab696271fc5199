//! The stores that an envelope is put in when it is published.

use super::{keepers, not_copied, pin::Pin};
use crate::{
	error::{Error, Result},
	output::{Progress, Report},
};
use clap::Args;
use dpki_client::{BlobKeeper, Client, StoreAddress, blob};
use dpki_primitives::{
	channel::ChannelId,
	ids::{BlobDigest, DeviceId},
};
use std::{fs, path::PathBuf};

/// Stores that get the envelope besides the chain.
#[derive(Args)]
pub struct Also {
	/// Store that gets the envelope besides the chain: kubo=http://HOST:PORT or folder=/PATH (repeat for several)
	#[arg(long, value_name = "STORE", requires = "pins")]
	also: Vec<StoreAddress>,
	/// Folder that remembers what was put where, for `dpki blob unpin`
	#[arg(long, value_name = "DIR", requires = "also")]
	pins: Option<PathBuf>,
}

/// Stores that were looked at, and the folder that remembers.
pub struct Copies {
	stores: Vec<(String, Box<dyn BlobKeeper>)>,
	pins: PathBuf,
}

impl Also {
	/// Refuses what could only be refused after the delivery is published. `None` if no store is named.
	pub fn prepare(&self) -> Result<Option<Copies>> {
		let Some(pins) = &self.pins else { return Ok(None) };
		let stores = keepers(&self.also)?;
		fs::create_dir_all(pins).map_err(|source| Error::File {
			doing: "write",
			path: pins.clone(),
			source,
		})?;
		Ok(Some(Copies { stores, pins: pins.clone() }))
	}
}

impl Copies {
	/// Puts the envelope of these deliveries, which is published, in every store.
	pub async fn put(
		&self,
		client: &Client,
		envelope: &[u8],
		deliveries: &[(DeviceId, ChannelId, u64)],
	) -> Result<()> {
		let cid = blob::cid(BlobDigest::of(envelope));
		let names = self.stores.iter().map(|(name, _)| name.clone()).collect();
		// Before anything is put anywhere: what is remembered in vain costs nothing, what is forgotten is kept for ever.
		Pin::new(client, &cid, names, deliveries).write(&self.pins)?;
		let mut failed = None;
		for (name, store) in &self.stores {
			let _progress = Progress::start(format!("putting the envelope in {name}"));
			if let Err(error) = store.put(envelope).await {
				failed.get_or_insert(not_copied(name, &cid, &error));
			}
		}
		failed.map_or(Ok(()), Err)
	}

	/// Has the stores keep the envelope no longer, as the device has applied it. What a store does not release is remembered for
	/// `dpki blob unpin`, and warned about: the delivery is in force all the same.
	pub async fn free(
		&self,
		client: &Client,
		digest: BlobDigest,
		report: Report,
	) -> Result<Report> {
		let cid = blob::cid(digest);
		let view = client.at_finalized().await?;
		Ok(match Pin::free(&self.pins, &cid, &view).await {
			Ok(is_free) => report.data("unpinned", is_free),
			Err(error) => report
				.data("unpinned", false)
				.warn(format!("{error}: `dpki blob unpin {}` tries it again", self.pins.display())),
		})
	}
}
