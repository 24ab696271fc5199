//! The devices of each organisation: a list with its length in the state, as [`crate::children`] for anchors. It only
//! grows, as devices are never removed.

use crate::{Config, DeviceCount, OrganisationDevices, Pallet};
use dpki_primitives::ids::{DeviceId, OrganisationId};

impl<T: Config> Pallet<T> {
	/// Lists a new device behind the others of its organisation.
	pub(crate) fn list_device(organisation: OrganisationId, device: DeviceId) {
		let index = DeviceCount::<T>::get(organisation);
		OrganisationDevices::<T>::insert(organisation, index, device);
		DeviceCount::<T>::insert(organisation, index.saturating_add(1));
	}
}
