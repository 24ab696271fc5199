//! The list of filings that wait for an organisation.
//!
//! It has its length beside its entries, so that whoever proves both knows that nothing was left out of a page. Each filing
//! knows its position, and the last one takes the place of one that ends: nothing is ever searched for.

use crate::{Config, Filings, Pallet, Waiting, WaitingCount};
use dpki_primitives::{
	filing::{Filing, FilingPlace, FilingStanding},
	ids::{DeviceId, OrganisationId},
};

impl<T: Config> Pallet<T> {
	/// The filing in a slot that nobody has answered, with its position; its time may be over.
	pub(crate) fn waiting(device: DeviceId, slot: u8) -> Option<(Filing, u32)> {
		let filing = Filings::<T>::get(device, slot)?;
		match filing.standing {
			FilingStanding::Waiting { position } => Some((filing, position)),
			FilingStanding::Answered { .. } | FilingStanding::Refused { .. } => None,
		}
	}

	/// Adds a filing and gives its position.
	pub(crate) fn enlist(organisation: OrganisationId, place: FilingPlace) -> u32 {
		WaitingCount::<T>::mutate(organisation, |count| {
			let position = *count;
			Waiting::<T>::insert(organisation, position, place);
			// There are four per device, and no chain has a billion devices.
			*count = position.saturating_add(1);
			position
		})
	}

	/// Removes the filing at this position. The last one moves there.
	pub(crate) fn delist(organisation: OrganisationId, position: u32) {
		let last = WaitingCount::<T>::get(organisation).saturating_sub(1);
		if last == 0 {
			WaitingCount::<T>::remove(organisation);
		} else {
			WaitingCount::<T>::insert(organisation, last);
		}
		let Some(moved) = Waiting::<T>::take(organisation, last).filter(|_| last != position)
		else {
			return;
		};
		Waiting::<T>::insert(organisation, position, moved);
		if let Some(filing) = Filings::<T>::get(moved.0, moved.1) {
			let standing = FilingStanding::Waiting { position };
			Filings::<T>::insert(moved.0, moved.1, Filing { standing, ..filing });
		}
	}
}
