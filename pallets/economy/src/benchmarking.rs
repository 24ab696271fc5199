//! Benchmarks: every call, and what transactions and blocks have to bear.

use crate::{
	AccountBuckets, Call, Config, Deposits, Feeless, MAX_OWED, OrganisationBuckets, Owed, Pallet,
	Policies, Sponsor,
};
use dpki_primitives::{
	economy::{Economy, MAX_SPONSORS, Operation, QuotaPolicies, Resource, ResourceKind, Sponsors},
	ids::KeyId,
};
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

	/// The last place of the list is taken, and the first deposit of it can return.
	#[benchmark]
	fn return_owed() {
		let payer: T::AccountId = whitelisted_caller();
		Pallet::<T>::endow_for_benchmark(&payer);
		let resource = |index: u32| {
			let mut id = [0; 32];
			id[..4].copy_from_slice(&index.to_le_bytes());
			Resource::Key(KeyId(id))
		};
		for index in 0..MAX_OWED {
			Pallet::<T>::hold(&payer, resource(index)).expect("the payer can pay");
			Owed::<T>::try_append(resource(index)).expect("there is room");
		}

		#[block]
		{
			Pallet::<T>::return_owed();
		}

		assert!(!Deposits::<T>::contains_key(resource(0)));
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
