// SPDX-License-Identifier: Apache-2.0

//! Measures the calls of the council's seats with what this runtime does when a seat changes. The framework's own
//! benchmarks want an origin that appoints a prime member, which nobody is here.

use crate::configs::governance::{CouncilInstance, MAX_COUNCIL_MEMBERS};
use alloc::vec::Vec;
use frame_benchmarking::v2::*;
use frame_support::traits::UnfilteredDispatchable;
use frame_system::RawOrigin;
use pallet_membership::{Call, Members};
use sp_runtime::traits::StaticLookup;

/// The pallet under which these benchmarks are listed.
pub struct Pallet<T: Config>(core::marker::PhantomData<T>);

/// What the benchmarks need of a runtime.
pub trait Config: pallet_membership::Config<CouncilInstance> {}

type Seats<T> = pallet_membership::Pallet<T, CouncilInstance>;

fn lookup<T: Config>(who: &T::AccountId) -> <T::Lookup as StaticLookup>::Source {
	T::Lookup::unlookup(who.clone())
}

/// A council of `m` trustees, in the order in which they are stored.
fn seated<T: Config>(m: u32) -> Vec<T::AccountId> {
	let members = (0..m).map(|index| account("trustee", index, 0)).collect();
	Seats::<T>::reset_members(RawOrigin::Root.into(), members).expect("root decides");
	Members::<T, CouncilInstance>::get().into_inner()
}

#[benchmarks]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn add_member(m: Linear<1, { MAX_COUNCIL_MEMBERS - 1 }>) -> Result<(), BenchmarkError> {
		seated::<T>(m);
		let newcomer: T::AccountId = account("newcomer", 0, 0);
		#[block]
		{
			Seats::<T>::add_member(RawOrigin::Root.into(), lookup::<T>(&newcomer))
				.map_err(|it| it.error)?;
		}
		assert_eq!(Members::<T, CouncilInstance>::get().len(), m as usize + 1);
		Ok(())
	}

	#[benchmark]
	fn remove_member(m: Linear<2, MAX_COUNCIL_MEMBERS>) -> Result<(), BenchmarkError> {
		let first = seated::<T>(m).remove(0);
		#[block]
		{
			Seats::<T>::remove_member(RawOrigin::Root.into(), lookup::<T>(&first))
				.map_err(|it| it.error)?;
		}
		assert_eq!(Members::<T, CouncilInstance>::get().len(), m as usize - 1);
		Ok(())
	}

	#[benchmark]
	fn swap_member(m: Linear<2, MAX_COUNCIL_MEMBERS>) -> Result<(), BenchmarkError> {
		let first = seated::<T>(m).remove(0);
		let newcomer: T::AccountId = account("newcomer", 0, 0);
		#[block]
		{
			Seats::<T>::swap_member(
				RawOrigin::Root.into(),
				lookup::<T>(&first),
				lookup::<T>(&newcomer),
			)
			.map_err(|it| it.error)?;
		}
		assert!(Members::<T, CouncilInstance>::get().contains(&newcomer));
		Ok(())
	}

	#[benchmark]
	fn reset_members(m: Linear<1, MAX_COUNCIL_MEMBERS>) -> Result<(), BenchmarkError> {
		seated::<T>(MAX_COUNCIL_MEMBERS);
		let others: Vec<T::AccountId> = (0..m).map(|index| account("other", index, 0)).collect();
		#[block]
		{
			Seats::<T>::reset_members(RawOrigin::Root.into(), others)?;
		}
		assert_eq!(Members::<T, CouncilInstance>::get().len(), m as usize);
		Ok(())
	}

	#[benchmark]
	fn change_key(m: Linear<2, MAX_COUNCIL_MEMBERS>) -> Result<(), BenchmarkError> {
		let first = seated::<T>(m).remove(0);
		let newcomer: T::AccountId = account("newcomer", 0, 0);
		#[block]
		{
			Seats::<T>::change_key(RawOrigin::Signed(first).into(), lookup::<T>(&newcomer))
				.map_err(|it| it.error)?;
		}
		assert!(Members::<T, CouncilInstance>::get().contains(&newcomer));
		Ok(())
	}

	/// Refused, whoever asks: there is no prime member here.
	#[benchmark]
	fn set_prime(m: Linear<1, MAX_COUNCIL_MEMBERS>) {
		let first = seated::<T>(m).remove(0);
		let call = Call::<T, CouncilInstance>::set_prime { who: lookup::<T>(&first) };
		#[block]
		{
			assert!(call.dispatch_bypass_filter(RawOrigin::Root.into()).is_err());
		}
	}

	/// Refused likewise.
	#[benchmark]
	fn clear_prime() {
		let call = Call::<T, CouncilInstance>::clear_prime {};
		#[block]
		{
			assert!(call.dispatch_bypass_filter(RawOrigin::Root.into()).is_err());
		}
	}
}
