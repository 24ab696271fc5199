//! How organisations begin and end.

use crate::{
	Authority, BalanceOf, Config, Deposits, Dissolved, Error, Event, HoldReason, Invitations,
	Members, Organisations, Pallet,
};
use dpki_primitives::{
	economy::Departures,
	ids::{Name, OrganisationId, is_valid_name},
	organisation::{Belongings, DeliveryPolicy, OrganisationKind, OrganisationRecord, RoleSet},
};
use frame_support::{
	ensure,
	pallet_prelude::*,
	traits::{Time, fungible::MutateHold, tokens::Precision},
};
use sp_runtime::traits::Zero;

impl<T: Config> Pallet<T> {
	pub(crate) fn do_create(
		founder: T::AccountId,
		name: Name,
		kind: OrganisationKind,
		deposit: BalanceOf<T>,
	) -> DispatchResult {
		ensure!(is_valid_name(&name), Error::<T>::NameInvalid);
		let organisation = OrganisationId::from_name(&name);
		ensure!(!Organisations::<T>::contains_key(organisation), Error::<T>::NameTaken);
		ensure!(!Dissolved::<T>::contains_key(organisation), Error::<T>::NameRetired);
		// Holding nothing would still need an account with tokens.
		if !deposit.is_zero() {
			T::Currency::hold(&HoldReason::Organisation.into(), &founder, deposit)?;
		}
		Deposits::<T>::insert(organisation, (&founder, deposit));
		Self::found(organisation, name.clone(), kind, &founder);
		T::Departures::founded(organisation);
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
		Self::admit_member(organisation, founder, RoleSet::ALL);
	}

	pub(crate) fn do_dissolve(
		by: Authority<T::AccountId>,
		organisation: OrganisationId,
	) -> DispatchResult {
		let record = Self::governed_by(&by, organisation)?;
		let is_joinable = Invitations::<T>::contains_key(organisation);
		ensure!(record.members == 1 && !is_joinable, Error::<T>::MembersLeft);
		ensure!(T::Belongings::is_empty(organisation), Error::<T>::BelongingsLeft);
		let deposit = Deposits::<T>::take(organisation).filter(|(_, amount)| !amount.is_zero());
		if let Some((depositor, deposit)) = deposit {
			T::Currency::release(
				&HoldReason::Organisation.into(),
				&depositor,
				deposit,
				Precision::BestEffort,
			)?;
		}
		// There is one member.
		if let Some(member) = Members::<T>::iter_key_prefix(organisation).next() {
			Self::expel_member(organisation, &member);
		}
		Self::end_recovery(organisation);
		Organisations::<T>::remove(organisation);
		T::Departures::dissolved(organisation);
		Dissolved::<T>::insert(organisation, T::Time::now());
		Self::deposit_event(Event::OrganisationDissolved { organisation, by });
		Ok(())
	}
}
