//! How a member changes its key: it offers the membership to another account, which accepts.
//!
//! Accepting proves possession of the new key by the signature of the transaction, which is bound to this chain and good
//! for one use. A signature of the new key inside of the member's own call would prove the same, but only for accounts
//! that are keys; a multisignature account can accept, but cannot sign a message.

use crate::{Config, Error, Event, HandOvers, Members, Pallet, invitations::loses_seat};
use dpki_primitives::{
	ids::OrganisationId,
	organisation::{HandOver, RoleSet},
};
use frame_support::{ensure, pallet_prelude::*};
use sp_runtime::Saturating;

impl<T: Config> Pallet<T> {
	pub(crate) fn do_hand_over(
		from: T::AccountId,
		organisation: OrganisationId,
		to: T::AccountId,
	) -> DispatchResult {
		ensure!(Members::<T>::contains_key(organisation, &from), Error::<T>::MemberUnknown);
		ensure!(!Members::<T>::contains_key(organisation, &to), Error::<T>::MemberExists);
		let expires_at =
			frame_system::Pallet::<T>::block_number().saturating_add(T::HandOverPeriod::get());
		HandOvers::<T>::insert(organisation, &from, HandOver { to: to.clone(), expires_at });
		Self::deposit_event(Event::HandOverOffered { organisation, from, to, expires_at });
		Ok(())
	}

	pub(crate) fn do_cancel_hand_over(
		from: T::AccountId,
		organisation: OrganisationId,
	) -> DispatchResult {
		HandOvers::<T>::take(organisation, &from).ok_or(Error::<T>::HandOverUnknown)?;
		Self::deposit_event(Event::HandOverCancelled { organisation, from });
		Ok(())
	}

	pub(crate) fn do_accept_hand_over(
		to: T::AccountId,
		organisation: OrganisationId,
		from: T::AccountId,
	) -> DispatchResult {
		let offer = HandOvers::<T>::get(organisation, &from)
			.filter(|offer| offer.to == to)
			.ok_or(Error::<T>::HandOverUnknown)?;
		let now = frame_system::Pallet::<T>::block_number();
		ensure!(now <= offer.expires_at, Error::<T>::HandOverExpired);
		// The account may have become a member by other means since the offer.
		ensure!(!Members::<T>::contains_key(organisation, &to), Error::<T>::MemberExists);
		let roles = Members::<T>::get(organisation, &from).ok_or(Error::<T>::HandOverUnknown)?;
		Self::expel_member(organisation, &from);
		Self::admit_member(organisation, &to, roles);
		// Whoever had the keys of the old account until now may have used them.
		if loses_seat(roles, RoleSet::EMPTY) {
			Self::expire_offers(organisation);
		}
		Self::deposit_event(Event::MembershipMoved { organisation, from, to, roles });
		Ok(())
	}
}
