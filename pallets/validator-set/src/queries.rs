//! What other pallets ask.

use crate::{Config, Pallet, Validators};
use dpki_primitives::{ids::OrganisationId, organisation::Belongings};
use frame_support::traits::Contains;

impl<T: Config> Contains<T::AccountId> for Pallet<T> {
	/// Whether the account is on record as a validator, whatever its standing.
	fn contains(account: &T::AccountId) -> bool {
		Self::position(&Validators::<T>::get(), account).is_ok()
	}
}

impl<T: Config> Belongings for Pallet<T> {
	/// A validator belongs to who runs it until it is forgotten.
	fn is_empty(organisation: OrganisationId) -> bool {
		!Validators::<T>::get().iter().any(|record| record.organisation == organisation)
	}
}
