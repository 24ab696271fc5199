//! Benchmarks: every call on a full list of validators that all have session keys, and what blocks have to bear.

use crate::{Bounds, Call, Config, Pallet, ValidatorOf, Validators};
use alloc::vec::Vec;
use codec::Decode;
use dpki_primitives::{
	ids::OrganisationId,
	organisation::Organisations,
	validator::{ValidatorBounds, ValidatorRecord, ValidatorStanding},
};
use frame_benchmarking::v2::*;
use frame_support::{
	BoundedVec,
	traits::{EnsureOrigin, Get},
};
use frame_system::RawOrigin;
use pallet_session::{NextKeys, SessionManager};
use sp_runtime::traits::TrailingZeroInput;
use sp_staking::offence::{OffenceDetails, OnOffenceHandler};

/// So many validators, of whom the last is the caller. All have keys, which here may be the same: nobody looks.
fn fill<T: Config>(count: u32, standing: ValidatorStanding) -> T::AccountId {
	let caller: T::AccountId = whitelisted_caller();
	let others = (1..count).map(|index| account("validator", index, 0));
	let mut accounts: Vec<T::AccountId> = others.chain([caller.clone()]).collect();
	accounts.sort();
	let keys = T::Keys::decode(&mut TrailingZeroInput::zeroes()).expect("keys are bytes");
	let records: Vec<ValidatorOf<T>> = accounts
		.iter()
		.map(|account| {
			frame_system::Pallet::<T>::inc_providers(account);
			frame_system::Pallet::<T>::inc_providers(account);
			NextKeys::<T>::insert(account, keys.clone());
			ValidatorRecord {
				account: account.clone(),
				organisation: OrganisationId::CONSORTIUM,
				standing,
				answers_from: 0,
				caught: None,
			}
		})
		.collect();
	Validators::<T>::put(BoundedVec::truncate_from(records));
	let maximum = T::MaxValidators::get();
	Bounds::<T>::put(ValidatorBounds { minimum: 1, maximum });
	caller
}

fn full<T: Config>() -> T::AccountId {
	fill::<T>(T::MaxValidators::get(), ValidatorStanding::Enabled)
}

/// As [`full`], and all of them serve in this session.
fn serving<T: Config>() -> T::AccountId {
	let caller = full::<T>();
	let accounts: Vec<_> =
		Validators::<T>::get().into_iter().map(|record| record.account).collect();
	pallet_session::Validators::<T>::put(accounts);
	pallet_session::DisabledValidators::<T>::kill();
	caller
}

fn standing_of<T: Config>(validator: &T::AccountId) -> Option<ValidatorStanding> {
	let records = Validators::<T>::get();
	Pallet::<T>::position(&records, validator).ok().map(|at| records[at].standing)
}

#[benchmarks]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn add_validator() -> Result<(), BenchmarkError> {
		let origin =
			T::ValidatorOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
		let founder = fill::<T>(T::MaxValidators::get() - 1, ValidatorStanding::Enabled);
		let organisation = T::Organisations::create_for_benchmark(b"acme", &founder);
		let validator: T::AccountId = account("new", 0, 0);

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, validator.clone(), organisation);

		assert_eq!(standing_of::<T>(&validator), Some(ValidatorStanding::Enabled));
		Ok(())
	}

	#[benchmark]
	fn remove_validator() -> Result<(), BenchmarkError> {
		let origin =
			T::ValidatorOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
		let validator = full::<T>();

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, validator.clone());

		assert_eq!(standing_of::<T>(&validator), Some(ValidatorStanding::Leaving));
		Ok(())
	}

	#[benchmark]
	fn disable_validator() -> Result<(), BenchmarkError> {
		let origin =
			T::ValidatorOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
		let validator = serving::<T>();

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, validator.clone());

		assert_eq!(standing_of::<T>(&validator), Some(ValidatorStanding::Disabled));
		Ok(())
	}

	#[benchmark]
	fn enable_validator() -> Result<(), BenchmarkError> {
		let origin =
			T::ValidatorOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
		let validator = serving::<T>();
		Pallet::<T>::disable(&validator).expect("enough are left");

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, validator.clone());

		assert_eq!(standing_of::<T>(&validator), Some(ValidatorStanding::Enabled));
		Ok(())
	}

	#[benchmark]
	fn set_bounds() -> Result<(), BenchmarkError> {
		let origin =
			T::ValidatorOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
		full::<T>();
		let most = T::MaxValidators::get();

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, most, most);

		assert_eq!(Bounds::<T>::get(), ValidatorBounds { minimum: most, maximum: most });
		Ok(())
	}

	#[benchmark]
	fn leave() {
		let validator = full::<T>();

		#[extrinsic_call]
		_(RawOrigin::Signed(validator.clone()));

		assert_eq!(standing_of::<T>(&validator), Some(ValidatorStanding::Leaving));
	}

	#[benchmark]
	fn on_offence() {
		let validator = serving::<T>();
		let offender = OffenceDetails { offender: (validator.clone(), ()), reporters: Vec::new() };

		#[block]
		{
			<Pallet<T> as OnOffenceHandler<_, _, _>>::on_offence(&[offender], &[], 1);
		}

		assert_eq!(standing_of::<T>(&validator), Some(ValidatorStanding::Leaving));
	}

	/// The end of a session at which as many as can be are forgotten.
	#[benchmark]
	fn plan() {
		let validator = fill::<T>(T::MaxValidators::get(), ValidatorStanding::Leaving);
		pallet_session::Validators::<T>::kill();

		#[block]
		{
			<Pallet<T> as SessionManager<_>>::new_session(2);
		}

		assert_eq!(standing_of::<T>(&validator), None);
	}

	impl_benchmark_test_suite!(
		Pallet,
		crate::tests::mock::new_test_ext(),
		crate::tests::mock::Test
	);
}
