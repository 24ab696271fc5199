//! What can still be done for nothing.

use crate::{
	AccountBuckets, Config, Feeless, OrganisationBuckets, Pallet, Policies, quotas::reserve,
};
use alloc::vec::Vec;
use dpki_primitives::economy::{Allowance, Bucket, Sponsors};
use frame_support::{dispatch::DispatchClass, traits::Contains};

impl<T: Config> Pallet<T> {
	/// What `who` can still do for nothing, in calls that are not operational; `None` if it pays: the chain is not feeless,
	/// or nobody answers for the account.
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
