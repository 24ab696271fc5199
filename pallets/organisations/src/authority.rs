//! On whose authority something is done, and what that authority may change.

use crate::{Config, Error, Organisations, Pallet};
use dpki_primitives::{
	ids::OrganisationId,
	motion::Body,
	organisation::{
		Authority, DeliveryPolicy, Governance, OrganisationRecord,
		Organisations as OrganisationDirectory, Role, RoleSet,
	},
};
use frame_support::{ensure, pallet_prelude::*};
use frame_system::{ensure_signed, pallet_prelude::OriginFor};

impl<T: Config> Pallet<T> {
	/// Who calls, as far as this organisation is concerned. A body of another organisation is nobody in it.
	pub(crate) fn authority(
		origin: OriginFor<T>,
		organisation: OrganisationId,
	) -> Result<Authority<T::AccountId>, DispatchError> {
		match T::BodyOrigin::try_origin(origin) {
			Ok((of, body)) if of == organisation => Ok(Authority::Body(body)),
			Ok(_) => Err(Error::<T>::RoleMissing.into()),
			Err(origin) => Ok(Authority::Account(ensure_signed(origin)?)),
		}
	}

	/// As [`Self::authority`], but the council may call, too.
	pub(crate) fn recovery_authority(
		origin: OriginFor<T>,
		organisation: OrganisationId,
	) -> Result<Authority<T::AccountId>, DispatchError> {
		match T::CouncilOrigin::try_origin(origin) {
			Ok(_) => Ok(Authority::Council),
			Err(origin) => Self::authority(origin, organisation),
		}
	}

	/// The organisation, and the roles that `by` may give and take in it.
	pub(crate) fn changeable_roles(
		by: &Authority<T::AccountId>,
		organisation: OrganisationId,
	) -> Result<(OrganisationRecord, RoleSet), Error<T>> {
		let record = Organisations::<T>::get(organisation).ok_or(Error::<T>::RoleMissing)?;
		let watchdog = RoleSet::EMPTY.with(Role::Watchdog);
		let is_watched = matches!(record.policy, DeliveryPolicy::Watchdogs { .. });
		let roles = match by {
			Authority::Account(who) => {
				ensure!(
					Self::has_role(organisation, who, Role::Administrator),
					Error::<T>::RoleMissing
				);
				RoleSet::ALL.without(record.policy.guarded_roles())
			},
			Authority::Body(Body::Administrators) if is_watched => RoleSet::ALL.without(watchdog),
			Authority::Body(Body::Administrators) => RoleSet::ALL,
			Authority::Body(Body::Watchdogs) if is_watched => watchdog,
			Authority::Body(Body::Watchdogs) | Authority::Council => {
				return Err(Error::<T>::RoleMissing);
			},
		};
		Ok((record, roles))
	}

	/// The organisation, if `by` may change its policy.
	pub(crate) fn governed_by(
		by: &Authority<T::AccountId>,
		organisation: OrganisationId,
	) -> Result<OrganisationRecord, Error<T>> {
		let record = Organisations::<T>::get(organisation).ok_or(Error::<T>::RoleMissing)?;
		match by {
			Authority::Account(who) => {
				ensure!(
					Self::has_role(organisation, who, Role::Administrator),
					Error::<T>::RoleMissing
				);
				ensure!(record.policy == DeliveryPolicy::Simple, Error::<T>::VoteNeeded);
			},
			Authority::Body(body) => {
				// Administrators who vote are members of the organisation, but under watchdogs not the ones to ask.
				ensure!(*body == record.policy.body(), Error::<T>::VoteNeeded);
			},
			Authority::Council => return Err(Error::<T>::RoleMissing),
		}
		Ok(record)
	}
}

impl<T: Config> Governance<OriginFor<T>> for Pallet<T> {
	type Error = DispatchError;

	fn ensure_governs(
		origin: OriginFor<T>,
		organisation: OrganisationId,
	) -> Result<(), DispatchError> {
		let by = Self::authority(origin, organisation)?;
		Self::governed_by(&by, organisation)?;
		Ok(())
	}
}
