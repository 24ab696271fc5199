//! How an organisation gets going again when the keys of a body were lost.
//!
//! Nobody on the chain can tell a lost key from a silent one. So a seat is given by vote and after a delay, in which
//! every present member of the body can say that it is still there. It takes nothing from anybody: the seats of lost keys
//! are taken away afterwards, under the organisation's own policy, which the new seat helps to meet. The account takes its
//! seat itself, as nobody becomes a member unasked.

use crate::{
	Authority, Config, Error, Event, Members, Organisations, Pallet, Recoveries, members::recount,
};
use dpki_primitives::{
	ids::OrganisationId,
	motion::{Bodies, Body},
	organisation::{OrganisationRecord, Recovery, RoleSet},
};
use frame_support::{ensure, pallet_prelude::*};
use frame_system::{ensure_signed, pallet_prelude::OriginFor};
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
		// The account exists from now on, with or without tokens, so that it can take the seat.
		frame_system::Pallet::<T>::inc_sufficients(&account);
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
		Self::end_recovery(organisation);
		let account = recovery.account;
		Self::deposit_event(Event::RecoveryCancelled { organisation, account, by });
		Ok(())
	}

	/// Whether the signer could take the seat now: then it need not pay.
	pub(crate) fn can_complete_recovery(
		origin: &OriginFor<T>,
		organisation: OrganisationId,
	) -> bool {
		ensure_signed(origin.clone())
			.is_ok_and(|account| Self::judge_completion(&account, organisation).is_ok())
	}

	pub(crate) fn do_complete_recovery(
		account: T::AccountId,
		organisation: OrganisationId,
	) -> DispatchResult {
		let (roles, record) = Self::judge_completion(&account, organisation)?;
		Organisations::<T>::insert(organisation, record);
		Self::admit_member(organisation, &account, roles);
		// Whoever had the keys until now may have used them.
		Self::expire_offers(organisation);
		Self::end_recovery(organisation);
		Self::deposit_event(Event::RecoveryCompleted { organisation, account, roles });
		Ok(())
	}

	/// The roles that the account has once it has taken its seat, and the organisation as it is then.
	fn judge_completion(
		who: &T::AccountId,
		organisation: OrganisationId,
	) -> Result<(RoleSet, OrganisationRecord), Error<T>> {
		let Recovery { account, body, ready_at } =
			Recoveries::<T>::get(organisation).ok_or(Error::<T>::RecoveryUnknown)?;
		ensure!(*who == account, Error::<T>::RecoveryForAnother);
		let now = frame_system::Pallet::<T>::block_number();
		ensure!(now >= ready_at, Error::<T>::RecoveryNotReady);
		// A dissolved organisation has no pending recovery.
		let record = Organisations::<T>::get(organisation).ok_or(Error::<T>::RecoveryUnknown)?;
		let before = Members::<T>::get(organisation, &account);
		let roles = before.unwrap_or_default().with(body.role());
		Ok((roles, recount::<T>(record, before, Some(roles))?))
	}

	/// Removes the recovery of an organisation, if one is pending. An account without tokens or a membership ends with it.
	pub(crate) fn end_recovery(organisation: OrganisationId) {
		if let Some(recovery) = Recoveries::<T>::take(organisation) {
			frame_system::Pallet::<T>::dec_sufficients(&recovery.account);
		}
	}
}
