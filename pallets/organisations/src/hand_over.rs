//! How a member changes its key: it offers the membership to another account, which accepts.
//!
//! Accepting proves possession of the new key by the signature of the transaction, which is bound to this chain and good
//! for one use. A signature of the new key inside of the member's own call would prove the same, but only for accounts
//! that are keys; a multisignature account can accept, but cannot sign a message.
//!
//! The new account may have no tokens and nobody yet who would answer for it. So the offer, for which the member pays, keeps it
//! in existence, and accepting costs nothing; a member has one offer at a time, which is what bounds it.

use crate::{
	Config, Error, Event, HandOverOf, HandOvers, Members, Pallet, invitations::loses_seat,
};
use dpki_primitives::{
	ids::OrganisationId,
	organisation::{HandOver, RoleSet},
};
use frame_support::{ensure, pallet_prelude::*};
use frame_system::{ensure_signed, pallet_prelude::OriginFor};
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
		// The account exists from now on, with or without tokens, so that it can accept. It may be that of the offer which
		// this one replaces, so it is kept before that ends.
		frame_system::Pallet::<T>::inc_sufficients(&to);
		Self::end_hand_over(organisation, &from);
		HandOvers::<T>::insert(organisation, &from, HandOver { to: to.clone(), expires_at });
		Self::deposit_event(Event::HandOverOffered { organisation, from, to, expires_at });
		Ok(())
	}

	pub(crate) fn do_cancel_hand_over(
		from: T::AccountId,
		organisation: OrganisationId,
	) -> DispatchResult {
		Self::end_hand_over(organisation, &from).ok_or(Error::<T>::HandOverUnknown)?;
		Self::deposit_event(Event::HandOverCancelled { organisation, from });
		Ok(())
	}

	/// Removes the offer of a member, if there is one.
	///
	/// HAZARD: an account without tokens or a membership ends with it, see [`Self::expel_member`].
	pub(crate) fn end_hand_over(
		organisation: OrganisationId,
		from: &T::AccountId,
	) -> Option<HandOverOf<T>> {
		let offer = HandOvers::<T>::take(organisation, from)?;
		frame_system::Pallet::<T>::dec_sufficients(&offer.to);
		Some(offer)
	}

	/// Whether the membership is offered to the signer, who could accept it now: then it need not pay.
	pub(crate) fn can_accept_hand_over(
		origin: &OriginFor<T>,
		organisation: OrganisationId,
		from: &T::AccountId,
	) -> bool {
		ensure_signed(origin.clone())
			.is_ok_and(|to| Self::judge_hand_over(&to, organisation, from).is_ok())
	}

	pub(crate) fn do_accept_hand_over(
		to: T::AccountId,
		organisation: OrganisationId,
		from: T::AccountId,
	) -> DispatchResult {
		let roles = Self::judge_hand_over(&to, organisation, &from)?;
		// HAZARD: first the new member, as its account may have nothing but the offer, which goes with the old one.
		Self::admit_member(organisation, &to, roles);
		Self::expel_member(organisation, &from);
		// Whoever had the keys of the old account until now may have used them.
		if loses_seat(roles, RoleSet::EMPTY) {
			Self::expire_offers(organisation);
		}
		Self::deposit_event(Event::MembershipMoved { organisation, from, to, roles });
		Ok(())
	}

	/// The roles that move if the account accepts the offer of this member, if it can now.
	fn judge_hand_over(
		to: &T::AccountId,
		organisation: OrganisationId,
		from: &T::AccountId,
	) -> Result<RoleSet, Error<T>> {
		let offer = HandOvers::<T>::get(organisation, from)
			.filter(|offer| offer.to == *to)
			.ok_or(Error::<T>::HandOverUnknown)?;
		let now = frame_system::Pallet::<T>::block_number();
		ensure!(now <= offer.expires_at, Error::<T>::HandOverExpired);
		// The account may have become a member by other means since the offer.
		ensure!(!Members::<T>::contains_key(organisation, to), Error::<T>::MemberExists);
		Members::<T>::get(organisation, from).ok_or(Error::<T>::HandOverUnknown)
	}
}
