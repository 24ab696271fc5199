//! Members and their roles: who gets in, who may change whom, and that somebody always can.

use crate::{
	Authority, Config, Error, Event, MAX_BODY_SEATS, MAX_MEMBERS, Members, Memberships,
	Organisations, Pallet, invitations::loses_seat,
};
use alloc::vec::Vec;
use dpki_primitives::{
	economy::{Departures, MAX_SPONSORS, Sponsors},
	ids::OrganisationId,
	organisation::{OrganisationRecord, Organisations as OrganisationDirectory, Role, RoleSet},
};
use frame_support::{ensure, pallet_prelude::*};

impl<T: Config> Pallet<T> {
	pub(crate) fn do_set_member(
		by: Authority<T::AccountId>,
		organisation: OrganisationId,
		account: T::AccountId,
		roles: RoleSet,
	) -> DispatchResult {
		let (record, changeable) = Self::changeable_roles(&by, organisation)?;
		ensure!(!roles.is_empty(), Error::<T>::RolesEmpty);
		let Some(before) = Members::<T>::get(organisation, &account) else {
			ensure!(roles.is_subset_of(changeable), Error::<T>::VoteNeeded);
			return Self::invite(by, organisation, record, account, roles);
		};
		if before == roles {
			return Ok(());
		}
		ensure!(before.changed(roles).is_subset_of(changeable), Error::<T>::VoteNeeded);
		let record = recount::<T>(record, Some(before), Some(roles))?;
		Organisations::<T>::insert(organisation, record);
		Members::<T>::insert(organisation, &account, roles);
		if loses_seat(before, roles) {
			Self::expire_offers(organisation);
		}
		Self::deposit_event(Event::MemberRolesChanged { organisation, account, roles, by });
		Ok(())
	}

	/// Stores the roles of a member, new or not. Its account exists from now on, with or without tokens, so that it can
	/// send transactions where it need not pay for them. What it was invited to has come about.
	pub(crate) fn admit_member(
		organisation: OrganisationId,
		account: &T::AccountId,
		roles: RoleSet,
	) {
		if !Members::<T>::contains_key(organisation, account) {
			frame_system::Pallet::<T>::inc_sufficients(account);
			Memberships::<T>::insert(account, organisation, ());
			Self::end_invitation(organisation, account);
		}
		Members::<T>::insert(organisation, account, roles);
	}

	/// Removes a member with all that is about it.
	///
	/// HAZARD: an account without tokens or another membership ends with this one, and its nonce with it. A transaction
	/// that it signed without an expiry could be sent again once it is a member again: clients sign mortal ones.
	pub(crate) fn expel_member(organisation: OrganisationId, account: &T::AccountId) {
		if Members::<T>::take(organisation, account).is_some() {
			Memberships::<T>::remove(account, organisation);
			frame_system::Pallet::<T>::dec_sufficients(account);
			T::Departures::departed(account);
		}
		Self::end_hand_over(organisation, account);
	}

	pub(crate) fn do_remove_member(
		by: Authority<T::AccountId>,
		organisation: OrganisationId,
		account: T::AccountId,
	) -> DispatchResult {
		if !Members::<T>::contains_key(organisation, &account) {
			return Self::withdraw_invitation(by, organisation, account);
		}
		let leaves = by == Authority::Account(account.clone());
		let (record, changeable) = if leaves {
			let record = Organisations::<T>::get(organisation).ok_or(Error::<T>::MemberUnknown)?;
			let free = RoleSet::ALL.without(record.policy.guarded_roles());
			(record, free)
		} else {
			Self::changeable_roles(&by, organisation)?
		};
		let before = Members::<T>::get(organisation, &account).ok_or(Error::<T>::MemberUnknown)?;
		ensure!(before.is_subset_of(changeable), Error::<T>::VoteNeeded);
		let record = recount::<T>(record, Some(before), None)?;
		Organisations::<T>::insert(organisation, record);
		Self::expel_member(organisation, &account);
		if loses_seat(before, RoleSet::EMPTY) {
			Self::expire_offers(organisation);
		}
		Self::deposit_event(Event::MemberRemoved { organisation, account, by });
		Ok(())
	}
}

/// The organisation after one member's roles went from `before` to `after`, where `None` is no member.
pub(crate) fn recount<T: Config>(
	mut record: OrganisationRecord,
	before: Option<RoleSet>,
	after: Option<RoleSet>,
) -> Result<OrganisationRecord, Error<T>> {
	let step = |count: u32, was: bool, is: bool| count - u32::from(was) + u32::from(is);
	let holds =
		|roles: Option<RoleSet>, role| roles.is_some_and(|roles: RoleSet| roles.contains(role));
	let seats = |count, role| step(count, holds(before, role), holds(after, role));
	record.members = step(record.members, before.is_some(), after.is_some());
	record.administrators = seats(record.administrators, Role::Administrator);
	record.watchdogs = seats(record.watchdogs, Role::Watchdog);
	ensure!(record.members <= MAX_MEMBERS, Error::<T>::MemberLimitReached);
	ensure!(
		record.administrators.max(record.watchdogs) <= MAX_BODY_SEATS,
		Error::<T>::SeatLimitReached
	);
	ensure!(record.administrators > 0, Error::<T>::LastAdministratorNeeded);
	ensure!(
		record.policy.is_met_by(record.administrators, record.watchdogs),
		Error::<T>::PolicyNotMet
	);
	Ok(record)
}

impl<T: Config> OrganisationDirectory<T::AccountId> for Pallet<T> {
	fn exists(organisation: OrganisationId) -> bool {
		Organisations::<T>::contains_key(organisation)
	}

	fn has_role(organisation: OrganisationId, who: &T::AccountId, role: Role) -> bool {
		Members::<T>::get(organisation, who).is_some_and(|roles| roles.contains(role))
	}

	fn is_member(organisation: OrganisationId, who: &T::AccountId) -> bool {
		// Nobody is in there without a role.
		Members::<T>::contains_key(organisation, who)
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn create_for_benchmark(name: &[u8], who: &T::AccountId) -> OrganisationId {
		use dpki_primitives::{ids::Name, organisation::OrganisationKind};
		let organisation = OrganisationId::from_name(name);
		let name = Name::truncate_from(name.to_vec());
		crate::Deposits::<T>::insert(organisation, (who, crate::BalanceOf::<T>::default()));
		Self::found(organisation, name, OrganisationKind::EcosystemOperator, who);
		organisation
	}
}

impl<T: Config> Sponsors<T::AccountId> for Pallet<T> {
	fn sponsors(who: &T::AccountId) -> Vec<OrganisationId> {
		Memberships::<T>::iter_key_prefix(who).take(MAX_SPONSORS as usize).collect()
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn sponsor_for_benchmark(who: &T::AccountId) {
		for index in 0..MAX_SPONSORS {
			<Self as OrganisationDirectory<_>>::create_for_benchmark(
				alloc::format!("sponsor-{index}").as_bytes(),
				who,
			);
		}
	}
}
