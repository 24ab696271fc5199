//! What clients ask.

use crate::{
	AccountBuckets, BalanceOf, Config, DepositSchedule, Feeless, Fees, OrganisationBuckets, Pallet,
	Policies, quotas::reserve,
};
use alloc::vec::Vec;
use dpki_primitives::economy::{Allowance, Bucket, Operation, ResourceKind, Sponsors};
use frame_support::{dispatch::DispatchClass, traits::Contains};

impl<T: Config> Pallet<T> {
	/// The fee of every operation, as scheduled: the switch does not change the schedule.
	pub fn tariff() -> Vec<(Operation, BalanceOf<T>)> {
		Operation::ALL.into_iter().map(|it| (it, Fees::<T>::get(it))).collect()
	}

	/// The deposit for every kind of resource, as scheduled.
	pub fn deposit_schedule() -> Vec<(ResourceKind, BalanceOf<T>)> {
		ResourceKind::ALL
			.into_iter()
			.map(|it| (it, DepositSchedule::<T>::get(it)))
			.collect()
	}

	/// What `who` can still do for nothing, in calls that are not operational; `None` if it pays: the chain is not feeless, or nobody answers for the account.
	pub fn allowance(who: &T::AccountId) -> Option<Allowance> {
		if !Feeless::<T>::get() {
			return None;
		}
		let (policies, now) = (Policies::<T>::get(), Self::tick());
		let left = |bucket: Bucket, policy| {
			bucket.left(policy, now).saturating_sub(reserve(policy, DispatchClass::Normal))
		};
		let own = left(AccountBuckets::<T>::get(who), policies.account);
		if T::Trustees::contains(who) {
			return Some(Allowance { left: own, organisations: Vec::new() });
		}
		let organisations: Vec<_> = T::Organisations::sponsors(who)
			.into_iter()
			.map(|id| (id, left(OrganisationBuckets::<T>::get(id), policies.organisation)))
			.collect();
		(!organisations.is_empty()).then_some(Allowance { left: own, organisations })
	}
}
