//! What is true of the storage between any two calls.

use crate::{
	BalanceOf, Config, DepositSchedule, Deposits, Fees, HoldReason, Owed, Pallet, Policies,
};
use alloc::collections::BTreeMap;
use frame_support::{
	ensure,
	traits::fungible::{Inspect, InspectHold},
};
use sp_runtime::{Saturating, TryRuntimeError, traits::Zero};

impl<T: Config> Pallet<T> {
	/// What is recorded as held is held, to the last unit; what is free is not in the schedules; the quotas lock nobody
	/// out; what is owed is recorded, and once; the pot can take the smallest amount.
	pub(crate) fn do_try_state() -> Result<(), TryRuntimeError> {
		let mut held = BTreeMap::<T::AccountId, BalanceOf<T>>::new();
		for deposit in Deposits::<T>::iter_values() {
			ensure!(!deposit.amount.is_zero(), "a deposit of nothing is recorded");
			let sum = held.entry(deposit.payer).or_default();
			*sum = sum.saturating_add(deposit.amount);
		}
		for (payer, sum) in held {
			ensure!(
				T::Currency::balance_on_hold(&HoldReason::Resource.into(), &payer) == sum,
				"the deposits of an account differ from what is held"
			);
		}
		let owed = Owed::<T>::get();
		for (position, resource) in owed.iter().enumerate() {
			ensure!(
				Deposits::<T>::contains_key(resource),
				"a deposit is owed that is not recorded"
			);
			ensure!(!owed[..position].contains(resource), "a deposit is owed twice");
		}
		ensure!(!Fees::<T>::iter_values().any(|fee| fee.is_zero()), "a fee of nothing is recorded");
		ensure!(
			!DepositSchedule::<T>::iter_values().any(|deposit| deposit.is_zero()),
			"a deposit of nothing is scheduled"
		);
		ensure!(Self::is_usable(&Policies::<T>::get()), "the quotas lock everybody out");
		ensure!(
			T::Currency::balance(&Self::pot()) >= T::Currency::minimum_balance(),
			"the pot cannot take the smallest amount"
		);
		Ok(())
	}
}
