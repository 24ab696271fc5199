//! What is true of the storage between any two blocks.

use crate::{Config, Contents, Filers, Filings, Pallet, Waiting, WaitingCount};
use dpki_primitives::{
	filing::{FILING_LIFETIME, Filing, FilingStanding, MAX_FILINGS_PER_DEVICE},
	ids::DeviceId,
	registry::Registry,
};
use frame_support::ensure;
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
	/// Filings are in slots that there are, of devices of their organisation, under numbers that these have used; contents
	/// are kept for those that wait, and for no other; the list of an organisation has each of them once, and no other.
	pub(crate) fn do_try_state() -> Result<(), TryRuntimeError> {
		for (device, slot, filing) in Filings::<T>::iter() {
			Self::try_state_of(device, slot, &filing)?;
		}
		for (device, slot, _) in Contents::<T>::iter() {
			ensure!(
				Self::waiting(device, slot).is_some(),
				"a content is that of nothing that waits"
			);
		}
		for (organisation, count) in WaitingCount::<T>::iter() {
			ensure!(count > 0, "an empty list has a length");
			for position in 0..count {
				let place = Waiting::<T>::get(organisation, position);
				let filing = place.and_then(|(device, slot)| Filings::<T>::get(device, slot));
				let is_there = filing.is_some_and(|filing| {
					filing.organisation == organisation
						&& filing.standing == FilingStanding::Waiting { position }
				});
				ensure!(is_there, "a list names what does not wait there");
			}
		}
		for (organisation, position, _) in Waiting::<T>::iter() {
			let is_within = position < WaitingCount::<T>::get(organisation);
			ensure!(is_within, "an entry lies beyond the end of its list");
		}
		Ok(())
	}

	fn try_state_of(device: DeviceId, slot: u8, filing: &Filing) -> Result<(), TryRuntimeError> {
		ensure!(slot < MAX_FILINGS_PER_DEVICE, "a filing is in a slot that there is not");
		ensure!(
			T::Registry::device(device)
				.is_some_and(|record| record.organisation == filing.organisation),
			"a filing is that of no device of its organisation"
		);
		ensure!(filing.number < Filers::<T>::get(device).next, "a filing has an unused number");
		let ends = filing.filed_at.saturating_add(FILING_LIFETIME);
		ensure!(filing.expires_at == ends, "a filing waits for another time than it should");
		if let FilingStanding::Answered { sequence, .. } = filing.standing {
			ensure!(sequence > 0, "a filing is answered by no delivery");
		}
		let FilingStanding::Waiting { position } = filing.standing else { return Ok(()) };
		let place = Waiting::<T>::get(filing.organisation, position);
		ensure!(place == Some((device, slot)), "a filing that waits is in no list");
		let Some(content) = Contents::<T>::get(device, slot) else {
			return Err("a filing that waits has no content".into());
		};
		ensure!(
			filing.kind.content(&content.body) == filing.content,
			"the content of a filing is another one"
		);
		Ok(())
	}
}
