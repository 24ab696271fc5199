//! `dpki blob`: copies of envelopes and tiles in stores besides the chain, and their end.
//!
//! `dpki deliver --also STORE --pins DIR` leaves a [`Pin`] in the folder for each envelope that it puts somewhere: where it is
//! kept, and for which deliveries. `dpki blob unpin DIR` asks the chain about them, and has the stores keep no longer what no
//! device needs.

mod also;
mod pin;

pub use also::{Also, Copies};

use crate::{
	error::{Error, Result},
	output::{Progress, Report},
	session::Session,
};
use clap::{Args, Subcommand};
use dpki_client::{BlobKeeper, BlobStore, StoreAddress, Stores, blob};
use dpki_primitives::{delivery::MAX_BLOB_LEN, fleet::MAX_TILE_LEN, ids::BlobDigest};
use pin::Pin;
use std::path::PathBuf;

/// Longest blob of any kind, in bytes.
const MAX_LEN: u32 = if MAX_BLOB_LEN > MAX_TILE_LEN { MAX_BLOB_LEN } else { MAX_TILE_LEN };

/// Copies of blobs.
#[derive(Subcommand)]
#[command(after_help = "\
Examples:
  dpki blob copy bafkrei.. --to kubo=http://127.0.0.1:5001
  dpki blob unpin pins
A STORE is chain, bitswap=/ip4/../tcp/../p2p/.., kubo=http://HOST:PORT, gateway=https://HOST,
gateway-car=https://HOST or folder=/PATH. Blobs can be put in kubo and folder.")]
pub enum BlobCommand {
	/// Fetch a blob, verify it, and put it in other stores
	#[command(after_help = "\
Examples:
  dpki blob copy bafkrei.. --to folder=/media/stick
  dpki blob copy bafkrei.. --from gateway=https://ipfs.acme.example --from chain \\
      --to kubo=http://127.0.0.1:5001")]
	Copy(Copy),
	/// Have stores keep no longer what the devices have applied
	///
	/// A blob is kept as long as one of the devices that it is for may still fetch it: until it says that it applied the
	/// delivery, until a newer one is in its place, or until the device is revoked.
	#[command(after_help = "\
Example:
  dpki blob unpin pins")]
	Unpin {
		/// What `dpki deliver --pins` wrote into
		#[arg(value_name = "DIR")]
		pins: PathBuf,
	},
}

/// Copy a blob.
#[derive(Args)]
pub struct Copy {
	/// Its CID, as `dpki deliver` and `dpki status delivery` show it
	#[arg(value_name = "CID", value_parser = digest)]
	cid: BlobDigest,
	/// Where to fetch it; several are asked in this order
	#[arg(long, value_name = "STORE", default_value = "chain")]
	from: Vec<StoreAddress>,
	/// Where to put it (repeat for several)
	#[arg(long, value_name = "STORE", required = true)]
	to: Vec<StoreAddress>,
}

impl BlobCommand {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		match self {
			Self::Copy(command) => command.run(session).await,
			Self::Unpin { pins } => unpin(session, pins).await,
		}
	}
}

impl Copy {
	async fn run(self, session: &Session) -> Result<Report> {
		let keepers = keepers(&self.to)?;
		let client = session.connect().await?;
		let progress = Progress::start(format!("fetching {}", blob::cid(self.cid)));
		let found = Stores::open(&self.from, &client)?.get(self.cid, MAX_LEN).await?;
		drop(progress);
		for (_, keeper) in &keepers {
			keeper.put(&found).await?;
		}
		let names: Vec<_> = self.to.iter().map(ToString::to_string).collect();
		Ok(Report::new()
			.done(format!("Put {} bytes in {}", found.len(), names.join(", ")))
			.row("cid", blob::cid(self.cid))
			.data("length", found.len())
			.data("stores", names))
	}
}

async fn unpin(session: &Session, folder: PathBuf) -> Result<Report> {
	let pins = Pin::all(&folder)?;
	let (client, view) = session.view().await?;
	let (mut unpinned, mut waiting, mut warnings) = (Vec::new(), Vec::new(), Vec::new());
	for (path, pin) in &pins {
		pin.require_chain(path, &client)?;
		let needed = pin.needed_by(&view).await?;
		if !needed.is_empty() {
			waiting.push(serde_json::json!({ "cid": pin.cid, "devices": needed }));
			continue;
		}
		match pin.end(path).await {
			Ok(()) => unpinned.push(pin.cid.clone()),
			Err(error) => warnings.push(error.to_string()),
		}
	}
	let (done, all) = (unpinned.len(), pins.len());
	let mut report = Report::new()
		.done(format!("Unpinned {done} of {all} blobs"))
		.row_as("waiting", waiting.len().to_string(), waiting)
		.data("unpinned", unpinned)
		.succeeded(warnings.is_empty())
		.read_at(view.head());
	for warning in warnings {
		report = report.warn(warning);
	}
	Ok(report)
}

/// The stores, each with its name, to put blobs in.
fn keepers(stores: &[StoreAddress]) -> Result<Vec<(String, Box<dyn BlobKeeper>)>> {
	stores.iter().map(|store| Ok((store.to_string(), store.keeper()?))).collect()
}

fn digest(text: &str) -> Result<BlobDigest, String> {
	blob::digest(text)
		.ok_or_else(|| format!("`{text}` is no CID of a blob: give one such as bafkrei.."))
}

/// A published delivery whose blob a store did not take.
fn not_copied(store: &str, cid: &str, error: &blob::BlobError) -> Error {
	Error::NotAllowed {
		why: format!(
			"the delivery is published, but {store} did not take its blob ({})",
			error.reason()
		),
		next: format!("`dpki blob copy {cid} --to {store}` puts it there"),
	}
}
