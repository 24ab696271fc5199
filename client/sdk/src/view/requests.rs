//! Certificates that devices ask for over the chain.

use super::{Located, ReadError, View, lists::Listing};
use codec::Encode;
use dpki_primitives::{
	filing::{Filer, Filing, FilingContent, FilingPlace, slots},
	ids::{DeviceId, OrganisationId},
	storage_keys,
};

impl View {
	/// What a device has filed in a slot, and what became of it.
	pub async fn filing(&self, device: DeviceId, slot: u8) -> Result<Option<Filing>, ReadError> {
		self.read("the request", storage_keys::filing(device, slot)).await
	}

	/// What is in the slots of a device.
	pub async fn filings_of(&self, device: DeviceId) -> Result<Vec<(u8, Filing)>, ReadError> {
		let mut filings = Vec::new();
		for slot in slots() {
			filings.extend(self.filing(device, slot).await?.map(|filing| (slot, filing)));
		}
		Ok(filings)
	}

	/// What a request that waits is about.
	pub async fn filing_content(
		&self,
		device: DeviceId,
		slot: u8,
	) -> Result<Option<FilingContent>, ReadError> {
		let key = storage_keys::filing_content(device, slot);
		self.read("the content of the request", key).await
	}

	/// What a device may say next about requests.
	pub async fn filer(&self, device: DeviceId) -> Result<Filer, ReadError> {
		let filer =
			self.read("the number of the next request", storage_keys::filer(device)).await?;
		Ok(filer.unwrap_or_default())
	}

	/// The requests that wait for an organisation, from position `start` on; those whose time is over among them.
	pub async fn filings_for(
		&self,
		organisation: OrganisationId,
		start: u32,
	) -> Result<Listing<(FilingPlace, Located<Filing>)>, ReadError> {
		let item = "the requests that wait";
		self.call(item, "DpkiApi_filings_for", &(organisation, start).encode()).await
	}
}
