//! The fleets of each organisation: a list with its length in the state, so that a page of it can be proven to leave
//! nothing out. It only grows, as fleets are never removed.

use crate::{Config, FleetCount, OrganisationFleets, Pallet};
use dpki_primitives::{
	certificate::Page,
	ids::{FleetId, OrganisationId},
};

impl<T: Config> Pallet<T> {
	/// Lists a new fleet behind the others of its organisation.
	pub(crate) fn list_fleet(organisation: OrganisationId, fleet: FleetId) {
		let index = FleetCount::<T>::get(organisation);
		OrganisationFleets::<T>::insert(organisation, index, fleet);
		FleetCount::<T>::insert(organisation, index.saturating_add(1));
	}

	/// The fleets that were ever proposed for the organisation, those that have ended or never counted too, in the order of
	/// their first proposal, from number `start` on.
	pub fn fleets_of(organisation: OrganisationId, start: u32) -> Page<FleetId> {
		let fleet = |index| OrganisationFleets::<T>::get(organisation, index);
		Page::of(FleetCount::<T>::get(organisation), start, fleet)
	}
}
