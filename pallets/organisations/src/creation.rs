//! How organisations begin and end.

use crate::{
	Authority, Config, Deposits, Dissolved, Error, Event, HandOvers, HoldReason, Members,
	Organisations, Pallet, Recoveries,
};
use dpki_primitives::{
	ids::{Name, OrganisationId, is_valid_name},
	organisation::{Belongings, DeliveryPolicy, OrganisationKind, OrganisationRecord, RoleSet},
};
use frame_support::{
	ensure,
	pallet_prelude::*,
	traits::{Time, fungible::MutateHold, tokens::Precision},
};

impl<T: Config> Pallet<T> {
	pub(crate) fn do_create(
		founder: T::AccountId,
		name: Name,
		kind: OrganisationKind,
	) -> DispatchResult {
		ensure!(is_valid_name(&name), Error::<T>::NameInvalid);
		let organisation = OrganisationId::from_name(&name);
		ensure!(!Organisations::<T>::contains_key(organisation), Error::<T>::NameTaken);
		ensure!(!Dissolved::<T>::contains_key(organisation), Error::<T>::NameRetired);
		let deposit = T::Deposit::get();
		T::Currency::hold(&HoldReason::Organisation.into(), &founder, deposit)?;
		Deposits::<T>::insert(organisation, (&founder, deposit));
		Self::found(organisation, name.clone(), kind, &founder);
		Self::deposit_event(Event::OrganisationCreated { organisation, name, kind, founder });
		Ok(())
	}

	/// Stores an organisation with its founder, unchecked.
	pub(crate) fn found(
		organisation: OrganisationId,
		name: Name,
		kind: OrganisationKind,
		founder: &T::AccountId,
	) {
		let record = OrganisationRecord {
			name,
			kind,
			created_at: T::Time::now(),
			members: 1,
			administrators: 1,
			watchdogs: 1,
			policy: DeliveryPolicy::Simple,
		};
		Organisations::<T>::insert(organisation, record);
		Members::<T>::insert(organisation, founder, RoleSet::ALL);
	}

	pub(crate) fn do_dissolve(
		by: Authority<T::AccountId>,
		organisation: OrganisationId,
	) -> DispatchResult {
		let record = Self::governed_by(&by, organisation)?;
		ensure!(record.members == 1, Error::<T>::MembersLeft);
		ensure!(T::Belongings::is_empty(organisation), Error::<T>::BelongingsLeft);
		if let Some((depositor, deposit)) = Deposits::<T>::take(organisation) {
			T::Currency::release(
				&HoldReason::Organisation.into(),
				&depositor,
				deposit,
				Precision::BestEffort,
			)?;
		}
		// There is one member, and only members have hand-overs.
		for (member, _) in Members::<T>::drain_prefix(organisation) {
			HandOvers::<T>::remove(organisation, member);
		}
		Recoveries::<T>::remove(organisation);
		Organisations::<T>::remove(organisation);
		Dissolved::<T>::insert(organisation, T::Time::now());
		Self::deposit_event(Event::OrganisationDissolved { organisation, by });
		Ok(())
	}
}
