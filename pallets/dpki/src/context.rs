//! What every rule asks: the time, the role of the sender, and what is to be signed.

use crate::{Config, Error, Pallet};
use alloc::vec::Vec;
use dpki_primitives::{
	Moment,
	context::{Action, SigningContext, is_expiry_acceptable},
	ids::OrganisationId,
	organisation::{Organisations, Role},
};
use frame_support::{
	ensure,
	traits::{EnsureOrigin, Time},
};
use frame_system::{
	ensure_signed,
	pallet_prelude::{BlockNumberFor, OriginFor},
};
use sp_runtime::traits::{BadOrigin, Zero};

/// Who acts on an anchor.
pub(crate) enum Actor<AccountId> {
	/// An account, for an organisation in which it has a role.
	Account(AccountId),
	/// The consortium by its vote, for itself.
	Consortium,
}

impl<T: Config> Pallet<T> {
	/// Who acts, by the origin of a call.
	pub(crate) fn actor(origin: OriginFor<T>) -> Result<Actor<T::AccountId>, BadOrigin> {
		match T::AnchorOrigin::try_origin(origin) {
			Ok(_) => Ok(Actor::Consortium),
			Err(origin) => ensure_signed(origin).map(Actor::Account),
		}
	}

	/// Chain time.
	pub(crate) fn now() -> Moment {
		T::Time::now()
	}

	/// What is to be signed for `action` on this chain. The genesis hash is the one block hash that the system never
	/// prunes.
	pub(crate) fn payload(action: Action, nonce: u64, expires_at: Moment) -> Vec<u8> {
		let genesis = frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::zero()).into();
		SigningContext { genesis, action, nonce, expires_at }.payload()
	}

	/// That a signature with this expiry is acceptable now.
	pub(crate) fn ensure_unexpired(expires_at: Moment, now: Moment) -> Result<(), Error<T>> {
		ensure!(is_expiry_acceptable(expires_at, now), Error::<T>::SignatureExpired);
		Ok(())
	}

	/// That whoever acts may do so on the anchors of this owner.
	pub(crate) fn ensure_manager(
		actor: &Actor<T::AccountId>,
		owner: OrganisationId,
	) -> Result<(), Error<T>> {
		match actor {
			Actor::Account(account) if owner != OrganisationId::CONSORTIUM => {
				Self::ensure_role(owner, account, Role::AnchorManager)
			},
			Actor::Consortium if owner == OrganisationId::CONSORTIUM => Ok(()),
			_ => Err(Error::<T>::RoleMissing),
		}
	}

	/// That `account` holds `role` in the organisation.
	pub(crate) fn ensure_role(
		organisation: OrganisationId,
		account: &T::AccountId,
		role: Role,
	) -> Result<(), Error<T>> {
		ensure!(T::Organisations::exists(organisation), Error::<T>::OrganisationUnknown);
		ensure!(T::Organisations::has_role(organisation, account, role), Error::<T>::RoleMissing);
		Ok(())
	}
}
