//! How an account becomes a member: it is invited, and accepts.
//!
//! Nobody becomes a member unasked. Where members pay with quotas, the organisations of an account decide what it can do
//! and for how long; and whoever reads the list of members takes them for people who belong to the organisation.
//!
//! An invitation is judged twice, as it is no better than the say of who gave it: an administrator who lost the role in
//! the meantime, or a policy that now guards the roles, makes it void. What a body has offered expires when the body is not any
//! more what it was when it voted: with another policy, with a seat that was lost, or with one that was recovered. Accepting costs nothing, because whoever is invited
//! may have no tokens, and no organisation yet that would answer for it. What bounds that are the invitations, for which
//! their givers pay.

use crate::{
	Authority, Config, Error, Event, InvitationOf, Invitations, Organisations, Pallet,
	members::recount,
};
use dpki_primitives::{
	ids::OrganisationId,
	organisation::{Invitation, OrganisationRecord, Role, RoleSet},
};
use frame_support::{ensure, pallet_prelude::*};
use frame_system::{ensure_signed, pallet_prelude::OriginFor};
use sp_runtime::{Saturating, traits::One};

impl<T: Config> Pallet<T> {
	/// Invites an account that is no member, on an authority that may give it these roles.
	pub(crate) fn invite(
		by: Authority<T::AccountId>,
		organisation: OrganisationId,
		record: OrganisationRecord,
		account: T::AccountId,
		roles: RoleSet,
	) -> DispatchResult {
		// What could not be accepted is not offered.
		recount::<T>(record, None, Some(roles))?;
		let now = frame_system::Pallet::<T>::block_number();
		let expires_at = now.saturating_add(T::HandOverPeriod::get());
		// The account exists from now on, with or without tokens, so that it can accept.
		frame_system::Pallet::<T>::inc_sufficients(&account);
		// It takes the place of an earlier one only on an authority that could take that one back.
		if let Some(earlier) = Self::end_invitation(organisation, &account) {
			let (_, changeable) = Self::changeable_roles(&by, organisation)?;
			ensure!(earlier.roles.is_subset_of(changeable), Error::<T>::VoteNeeded);
		}
		let invitation = Invitation { account: account.clone(), roles, by: by.clone(), expires_at };
		Invitations::<T>::try_mutate(organisation, |pending| -> Result<(), Error<T>> {
			if pending.is_full() {
				let expired = pending.iter().position(|it| it.expires_at < now);
				let expired = pending.remove(expired.ok_or(Error::<T>::InvitationLimitReached)?);
				frame_system::Pallet::<T>::dec_sufficients(&expired.account);
			}
			pending.try_push(invitation).map_err(|_| Error::<T>::InvitationLimitReached)
		})?;
		Self::deposit_event(Event::MemberInvited { organisation, account, roles, expires_at, by });
		Ok(())
	}

	/// Whether the signer is invited and could accept now: then it need not pay.
	pub(crate) fn can_join(origin: &OriginFor<T>, organisation: OrganisationId) -> bool {
		ensure_signed(origin.clone())
			.is_ok_and(|account| Self::judge_invitation(&account, organisation).is_ok())
	}

	pub(crate) fn do_join(account: T::AccountId, organisation: OrganisationId) -> DispatchResult {
		let (invitation, record) = Self::judge_invitation(&account, organisation)?;
		let Invitation { roles, by, .. } = invitation;
		Organisations::<T>::insert(organisation, record);
		Self::admit_member(organisation, &account, roles);
		Self::deposit_event(Event::MemberAdded { organisation, account, roles, by });
		Ok(())
	}

	/// The invitation of this account, if it can be accepted now, and the organisation as it is then.
	fn judge_invitation(
		account: &T::AccountId,
		organisation: OrganisationId,
	) -> Result<(InvitationOf<T>, OrganisationRecord), Error<T>> {
		let invitation = Invitations::<T>::get(organisation)
			.into_iter()
			.find(|it| it.account == *account)
			.ok_or(Error::<T>::InvitationUnknown)?;
		let now = frame_system::Pallet::<T>::block_number();
		ensure!(now <= invitation.expires_at, Error::<T>::InvitationExpired);
		let (record, changeable) = Self::changeable_roles(&invitation.by, organisation)
			.map_err(|_| Error::<T>::InvitationVoid)?;
		ensure!(invitation.roles.is_subset_of(changeable), Error::<T>::InvitationVoid);
		let record = recount::<T>(record, None, Some(invitation.roles))?;
		Ok((invitation, record))
	}

	/// Takes an invitation back, on an authority that may take its roles; or the account declines.
	pub(crate) fn withdraw_invitation(
		by: Authority<T::AccountId>,
		organisation: OrganisationId,
		account: T::AccountId,
	) -> DispatchResult {
		let declines = by == Authority::Account(account.clone());
		let changeable = match declines {
			true => RoleSet::ALL,
			false => Self::changeable_roles(&by, organisation)?.1,
		};
		let invitation =
			Self::end_invitation(organisation, &account).ok_or(Error::<T>::MemberUnknown)?;
		ensure!(invitation.roles.is_subset_of(changeable), Error::<T>::VoteNeeded);
		Self::deposit_event(Event::InvitationWithdrawn { organisation, account, by });
		Ok(())
	}

	/// Lets what the bodies of the organisation have offered expire at once. The accounts keep their references until the
	/// invitations are removed, as with all that have expired.
	pub(crate) fn expire_offers(organisation: OrganisationId) {
		let mut pending = Invitations::<T>::get(organisation);
		let past = frame_system::Pallet::<T>::block_number().saturating_sub(One::one());
		let mut has_changed = false;
		for invitation in pending.iter_mut() {
			if matches!(invitation.by, Authority::Body(_)) && invitation.expires_at > past {
				invitation.expires_at = past;
				has_changed = true;
			}
		}
		if has_changed {
			Invitations::<T>::insert(organisation, pending);
		}
	}

	/// Removes the invitation of an account, if there is one.
	///
	/// HAZARD: an account without tokens or a membership ends with it, see [`Self::expel_member`].
	pub(crate) fn end_invitation(
		organisation: OrganisationId,
		account: &T::AccountId,
	) -> Option<InvitationOf<T>> {
		let mut pending = Invitations::<T>::get(organisation);
		let position = pending.iter().position(|it| it.account == *account)?;
		let invitation = pending.remove(position);
		match pending.is_empty() {
			true => Invitations::<T>::remove(organisation),
			false => Invitations::<T>::insert(organisation, pending),
		}
		frame_system::Pallet::<T>::dec_sufficients(account);
		Some(invitation)
	}
}

/// Whether a member whose roles change like this loses a seat in a body.
pub(crate) fn loses_seat(before: RoleSet, after: RoleSet) -> bool {
	let lost = before.without(after);
	lost.contains(Role::Administrator) || lost.contains(Role::Watchdog)
}
