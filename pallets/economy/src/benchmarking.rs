//! Benchmarks: every call, and what transactions and blocks have to bear.

use crate::{
	AccountBuckets, Call, Config, Feeless, OrganisationBuckets, Pallet, Policies, Sponsor,
};
use dpki_primitives::economy::{MAX_SPONSORS, Operation, QuotaPolicies, ResourceKind, Sponsors};
use frame_benchmarking::v2::*;
use frame_support::{
	dispatch::DispatchClass,
	traits::{
		EnsureOrigin,
		fungible::{Inspect, Mutate},
	},
};
use sp_runtime::traits::Bounded;

#[benchmarks]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn set_fee() -> Result<(), BenchmarkError> {
		let origin =
			T::EconomyOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
		let amount = crate::BalanceOf::<T>::max_value();

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, Operation::PublishDelivery, amount);

		assert_eq!(crate::Fees::<T>::get(Operation::PublishDelivery), amount);
		Ok(())
	}

	#[benchmark]
	fn set_deposit() -> Result<(), BenchmarkError> {
		let origin =
			T::EconomyOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
		let amount = crate::BalanceOf::<T>::max_value();

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, ResourceKind::Device, amount);

		assert_eq!(crate::DepositSchedule::<T>::get(ResourceKind::Device), amount);
		Ok(())
	}

	#[benchmark]
	fn set_feeless() -> Result<(), BenchmarkError> {
		let origin =
			T::EconomyOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, true);

		assert!(Feeless::<T>::get());
		Ok(())
	}

	#[benchmark]
	fn set_quotas() -> Result<(), BenchmarkError> {
		let origin =
			T::EconomyOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, QuotaPolicies::default());

		Ok(())
	}

	/// Without a block there is no author: the payment goes to another account, which costs the same.
	#[benchmark]
	fn pay_author() {
		let pot = Pallet::<T>::pot();
		let least = T::Currency::minimum_balance();
		T::Currency::set_balance(&pot, least + least + least);
		let author: T::AccountId = whitelisted_caller();

		#[block]
		{
			Pallet::<T>::pay_author();
			let _ = T::Currency::transfer(
				&pot,
				&author,
				least,
				frame_support::traits::tokens::Preservation::Preserve,
			);
		}
	}

	/// A member of as many organisations as are tried, of which only the last has quota left.
	#[benchmark]
	fn meter() {
		Feeless::<T>::put(true);
		let who: T::AccountId = account("member", 0, 0);
		T::Organisations::sponsor_for_benchmark(&who);
		let organisations = T::Organisations::sponsors(&who);
		assert_eq!(organisations.len(), MAX_SPONSORS as usize);
		let (policies, now) = (Policies::<T>::get(), Pallet::<T>::tick());
		for organisation in &organisations[1..] {
			OrganisationBuckets::<T>::mutate(organisation, |bucket| {
				let all = policies.organisation.capacity;
				bucket.take(policies.organisation, now, all).expect("it was full");
			});
		}
		// The order of tries is that of the ids; the full bucket has to be the last one.
		let last = organisations[organisations.len() - 1];
		OrganisationBuckets::<T>::swap(organisations[0], last);

		#[block]
		{
			assert!(Feeless::<T>::get());
			let sponsor = Pallet::<T>::sponsor(&who, 10, DispatchClass::Normal)
				.expect("the last one has quota");
			let sponsor = sponsor.expect("it is a member");
			Pallet::<T>::take(&who, sponsor, 10).expect("there is quota");
			Pallet::<T>::put_back(&who, sponsor, 5);
		}

		assert!(AccountBuckets::<T>::contains_key(&who));
	}

	/// Somebody who pays although the chain is feeless.
	#[benchmark]
	fn pass_meter() {
		Feeless::<T>::put(true);
		let who: T::AccountId = account("stranger", 0, 0);
		let sponsor: Option<Sponsor>;

		#[block]
		{
			assert!(Feeless::<T>::get());
			sponsor =
				Pallet::<T>::sponsor(&who, 10, DispatchClass::Normal).expect("nobody answers");
		}

		assert_eq!(sponsor, None);
	}

	/// Somebody on a chain with fees.
	#[benchmark]
	fn skip_meter() {
		let feeless: bool;

		#[block]
		{
			feeless = Feeless::<T>::get();
		}

		assert!(!feeless);
	}

	impl_benchmark_test_suite! {
		Pallet,
		crate::tests::mock::new_test_ext(),
		crate::tests::mock::Test
	}
}
