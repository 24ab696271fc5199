//! How an organisation gets going again when the keys of a body were lost.
//!
//! Nobody on the chain can tell a lost key from a silent one. So a seat is given by vote and after a delay, in which
//! every present member of the body can say that it is still there. It takes nothing from anybody: the seats of lost keys
//! are taken away afterwards, under the organisation's own policy, which the new seat helps to meet.

use crate::{Authority, Config, Error, Event, Members, Organisations, Pallet, Recoveries};
use dpki_primitives::{
	ids::OrganisationId,
	motion::{Bodies, Body},
	organisation::Recovery,
};
use frame_support::{ensure, pallet_prelude::*};
use sp_runtime::Saturating;

impl<T: Config> Pallet<T> {
	pub(crate) fn do_begin_recovery(
		by: Authority<T::AccountId>,
		organisation: OrganisationId,
		body: Body,
		account: T::AccountId,
	) -> DispatchResult {
		match by {
			Authority::Council => (),
			// Administrators who could appoint watchdogs would be watched by whom they like.
			Authority::Body(Body::Administrators) => {
				ensure!(body == Body::Administrators, Error::<T>::RoleMissing)
			},
			// Watchdogs who can vote give seats to watchdogs at once, by `set_member`.
			Authority::Body(Body::Watchdogs) => return Err(Error::<T>::RoleMissing.into()),
			Authority::Account(_) => return Err(Error::<T>::VoteNeeded.into()),
		}
		ensure!(
			<Self as Bodies<_>>::quorum(organisation, body).is_some(),
			Error::<T>::BodyWithoutSay
		);
		ensure!(
			!<Self as Bodies<_>>::has_seat(organisation, body, &account),
			Error::<T>::SeatTaken
		);
		ensure!(!Recoveries::<T>::contains_key(organisation), Error::<T>::RecoveryPending);
		let ready_at =
			frame_system::Pallet::<T>::block_number().saturating_add(T::RecoveryDelay::get());
		Recoveries::<T>::insert(
			organisation,
			Recovery { account: account.clone(), body, ready_at },
		);
		Self::deposit_event(Event::RecoveryBegun { organisation, body, account, ready_at, by });
		Ok(())
	}

	pub(crate) fn do_cancel_recovery(
		by: Authority<T::AccountId>,
		organisation: OrganisationId,
	) -> DispatchResult {
		let recovery = Recoveries::<T>::get(organisation).ok_or(Error::<T>::RecoveryUnknown)?;
		let may_object = match &by {
			Authority::Account(who) => {
				<Self as Bodies<_>>::has_seat(organisation, recovery.body, who)
			},
			// A body that can vote is present.
			Authority::Body(body) => *body == recovery.body,
			Authority::Council => true,
		};
		ensure!(may_object, Error::<T>::RoleMissing);
		Recoveries::<T>::remove(organisation);
		let account = recovery.account;
		Self::deposit_event(Event::RecoveryCancelled { organisation, account, by });
		Ok(())
	}

	pub(crate) fn do_complete_recovery(organisation: OrganisationId) -> DispatchResult {
		let Recovery { account, body, ready_at } =
			Recoveries::<T>::get(organisation).ok_or(Error::<T>::RecoveryUnknown)?;
		let now = frame_system::Pallet::<T>::block_number();
		ensure!(now >= ready_at, Error::<T>::RecoveryNotReady);
		// A dissolved organisation has no pending recovery.
		let record = Organisations::<T>::get(organisation).ok_or(Error::<T>::RecoveryUnknown)?;
		let before = Members::<T>::get(organisation, &account);
		let roles = before.unwrap_or_default().with(body.role());
		Self::give_roles(organisation, record, &account, before, roles)?;
		Recoveries::<T>::remove(organisation);
		Self::deposit_event(Event::RecoveryCompleted { organisation, account, roles });
		Ok(())
	}
}
