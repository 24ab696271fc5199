//! What is true of the storage between any two calls.

use crate::{
	BalanceOf, Config, Deposits, Dissolved, HandOvers, HoldReason, MAX_BODY_SEATS, MAX_MEMBERS,
	Members, Memberships, Organisations, Pallet, Recoveries,
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
	/// organisation and a role; deposits are what is held; what is pending is pending for somebody.
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
		for (account, count) in &memberships {
			ensure!(
				Memberships::<T>::iter_key_prefix(account).count() as u32 == *count,
				"an account is listed under an organisation of which it is no member"
			);
			ensure!(
				frame_system::Pallet::<T>::sufficients(account) >= *count,
				"a member's account may end before its membership"
			);
		}
		ensure!(
			Memberships::<T>::iter_keys().all(|(account, _)| memberships.contains_key(&account)),
			"an account is listed that is no member"
		);
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
