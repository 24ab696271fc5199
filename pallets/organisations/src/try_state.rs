//! What is true of the storage between any two calls.

use crate::{
	BalanceOf, Config, Deposits, Dissolved, HandOvers, HoldReason, InvitationOf, Invitations,
	MAX_BODY_SEATS, MAX_MEMBERS, Members, Memberships, Organisations, Pallet, Recoveries,
};
use alloc::collections::BTreeMap;
use dpki_primitives::{
	ids::{OrganisationId, is_valid_name},
	organisation::{OrganisationRecord, Role},
};
use frame_support::{ensure, traits::fungible::InspectHold};
use sp_runtime::{Saturating, TryRuntimeError};

impl<T: Config> Pallet<T> {
	/// Ids follow from names, counts agree with members, every organisation can meet its policy, every member has an
	/// organisation and a role; deposits are what is held; what is pending is pending for somebody, who exists.
	pub(crate) fn do_try_state() -> Result<(), TryRuntimeError> {
		for (organisation, record) in Organisations::<T>::iter() {
			Self::try_state_of(organisation, &record)?;
		}
		for (organisation, _) in Members::<T>::iter_keys() {
			ensure!(
				Organisations::<T>::contains_key(organisation),
				"a member belongs to an organisation that does not exist"
			);
		}
		Self::try_state_of_memberships()?;
		Self::try_state_of_invitations()?;
		for (organisation, from) in HandOvers::<T>::iter_keys() {
			ensure!(
				Members::<T>::contains_key(organisation, &from),
				"a membership is offered that does not exist"
			);
		}
		for organisation in Recoveries::<T>::iter_keys() {
			ensure!(
				Organisations::<T>::contains_key(organisation),
				"an organisation is recovered that does not exist"
			);
		}
		Self::try_state_of_deposits()
	}

	fn try_state_of(
		organisation: OrganisationId,
		record: &OrganisationRecord,
	) -> Result<(), TryRuntimeError> {
		ensure!(is_valid_name(&record.name), "an organisation has an invalid name");
		ensure!(
			organisation == OrganisationId::from_name(&record.name),
			"an organisation lies under an id that is not that of its name"
		);
		ensure!(
			!Dissolved::<T>::contains_key(organisation),
			"a dissolved organisation has come back"
		);
		ensure!(Deposits::<T>::contains_key(organisation), "an organisation has no deposit");
		let (mut members, mut administrators, mut watchdogs) = (0u32, 0u32, 0u32);
		for (_, roles) in Members::<T>::iter_prefix(organisation) {
			ensure!(!roles.is_empty(), "a member has no role");
			members += 1;
			administrators += u32::from(roles.contains(Role::Administrator));
			watchdogs += u32::from(roles.contains(Role::Watchdog));
		}
		ensure!(members == record.members, "an organisation miscounts its members");
		ensure!(members <= MAX_MEMBERS, "an organisation has too many members");
		ensure!(
			administrators == record.administrators,
			"an organisation miscounts its administrators"
		);
		ensure!(watchdogs == record.watchdogs, "an organisation miscounts its watchdogs");
		ensure!(
			administrators.max(watchdogs) <= MAX_BODY_SEATS,
			"a body of an organisation has too many seats"
		);
		ensure!(
			record.policy.is_met_by(administrators, watchdogs),
			"an organisation cannot meet its policy"
		);
		Ok(())
	}

	fn try_state_of_memberships() -> Result<(), TryRuntimeError> {
		let mut memberships = BTreeMap::<T::AccountId, u32>::new();
		for (organisation, account) in Members::<T>::iter_keys() {
			ensure!(
				Memberships::<T>::contains_key(&account, organisation),
				"a member is not listed under its account"
			);
			*memberships.entry(account).or_default() += 1;
		}
		let mut kept = memberships.clone();
		let invited = Invitations::<T>::iter_values().flatten().map(|it| it.account);
		let appointed = Recoveries::<T>::iter_values().map(|it| it.account);
		let offered = HandOvers::<T>::iter_values().map(|it| it.to);
		for account in invited.chain(appointed).chain(offered) {
			*kept.entry(account).or_default() += 1;
		}
		ensure!(
			kept.iter()
				.all(|(who, count)| frame_system::Pallet::<T>::sufficients(who) >= *count),
			"an account may end before its membership, or before it could become a member"
		);
		for (account, count) in &memberships {
			ensure!(
				Memberships::<T>::iter_key_prefix(account).count() as u32 == *count,
				"an account is listed under an organisation of which it is no member"
			);
		}
		ensure!(
			Memberships::<T>::iter_keys().all(|(account, _)| memberships.contains_key(&account)),
			"an account is listed that is no member"
		);
		Ok(())
	}

	/// Whoever is invited is invited to an organisation, once, to some role, and is no member of it.
	fn try_state_of_invitations() -> Result<(), TryRuntimeError> {
		for (organisation, pending) in Invitations::<T>::iter() {
			ensure!(
				Organisations::<T>::contains_key(organisation),
				"somebody is invited to an organisation that does not exist"
			);
			ensure!(!pending.is_empty(), "an empty list of invitations is stored");
			for (position, invitation) in pending.iter().enumerate() {
				ensure!(!invitation.roles.is_empty(), "somebody is invited to no role");
				ensure!(
					!Members::<T>::contains_key(organisation, &invitation.account),
					"a member is invited"
				);
				let is_same = |it: &InvitationOf<T>| it.account == invitation.account;
				ensure!(
					pending.iter().position(is_same) == Some(position),
					"an account is invited twice"
				);
			}
		}
		Ok(())
	}

	fn try_state_of_deposits() -> Result<(), TryRuntimeError> {
		let mut deposits = BTreeMap::<T::AccountId, BalanceOf<T>>::new();
		for (organisation, (depositor, amount)) in Deposits::<T>::iter() {
			ensure!(
				Organisations::<T>::contains_key(organisation),
				"a deposit is kept for an organisation that does not exist"
			);
			let sum = deposits.entry(depositor).or_default();
			*sum = sum.saturating_add(amount);
		}
		for (depositor, sum) in deposits {
			ensure!(
				T::Currency::balance_on_hold(&HoldReason::Organisation.into(), &depositor) == sum,
				"the deposits of an account differ from what is held"
			);
		}
		Ok(())
	}
}
