//! Deposits: held when something is stored, recorded with its payer and its amount, and returned exactly so.
//!
//! Whoever asks for a return does not wait for it: a revocation must not fail for a deposit. What cannot return at once
//! stays recorded, is told, and is tried again, one deposit per block and none twice in a row while others wait.

use crate::{
	BalanceOf, Config, DepositSchedule, Deposits, Event, Feeless, HoldReason, Owed, Pallet,
};
use dpki_primitives::economy::{Deposit, Economy, FundsMissing, Operation, Resource, ResourceKind};
use frame_support::{
	storage::with_storage_layer,
	traits::{fungible::MutateHold, tokens::Precision},
};
use sp_runtime::traits::Zero;

impl<T: Config> Pallet<T> {
	pub(crate) fn put_deposit(kind: ResourceKind, amount: BalanceOf<T>) {
		// What needs no deposit is not in the map, so that there is one state for it.
		if amount.is_zero() {
			DepositSchedule::<T>::remove(kind);
		} else {
			DepositSchedule::<T>::insert(kind, amount);
		}
	}

	/// The deposit for a new resource of this kind.
	pub fn deposit_of(kind: ResourceKind) -> BalanceOf<T> {
		if Feeless::<T>::get() {
			return Zero::zero();
		}
		DepositSchedule::<T>::get(kind)
	}

	/// Returns what is held for a resource to who paid it. `false` if it could not be done, and nothing has changed.
	fn try_return(resource: Resource) -> bool {
		let Some(Deposit { payer, amount }) = Deposits::<T>::get(resource) else { return true };
		let reason = HoldReason::Resource.into();
		let returned =
			with_storage_layer(|| T::Currency::release(&reason, &payer, amount, Precision::Exact));
		if returned.is_err() {
			return false;
		}
		Deposits::<T>::remove(resource);
		Self::deposit_event(Event::DepositReturned { resource, payer, amount });
		true
	}

	/// Tries once more to return the deposit that has waited the longest.
	pub(crate) fn return_owed() {
		let mut owed = Owed::<T>::get();
		if owed.is_empty() {
			return;
		}
		let resource = owed.remove(0);
		if !Self::try_return(resource) {
			// Behind the others: there is room, as it was just taken out.
			let _ = owed.try_push(resource);
		}
		match owed.is_empty() {
			true => Owed::<T>::kill(),
			false => Owed::<T>::put(owed),
		}
	}
}

impl<T: Config> Economy<T::AccountId> for Pallet<T> {
	fn charge(payer: &T::AccountId, operation: Operation, count: u32) -> Result<(), FundsMissing> {
		Self::do_charge(payer, operation, count)
	}

	fn waive(payer: &T::AccountId, units: u64) -> Result<bool, FundsMissing> {
		Self::do_waive(payer, units)
	}

	fn hold(payer: &T::AccountId, resource: Resource) -> Result<(), FundsMissing> {
		let amount = Self::deposit_of(resource.kind());
		if amount.is_zero() || Deposits::<T>::contains_key(resource) {
			return Ok(());
		}
		T::Currency::hold(&HoldReason::Resource.into(), payer, amount).map_err(|_| FundsMissing)?;
		Deposits::<T>::insert(resource, Deposit { payer: payer.clone(), amount });
		Self::deposit_event(Event::DepositHeld { resource, payer: payer.clone(), amount });
		Ok(())
	}

	fn pass_on(from: Resource, to: Resource) {
		// A deposit that is held already is never overwritten: it could not return any more.
		if Deposits::<T>::contains_key(to) {
			return;
		}
		if let Some(deposit) = Deposits::<T>::take(from) {
			Deposits::<T>::insert(to, deposit);
			Self::deposit_event(Event::DepositPassedOn { from, to });
		}
	}

	fn release(resource: Resource) {
		// Exactly this amount is held, so only something that changes holds behind this pallet's back makes it fail.
		if Self::try_return(resource) {
			return;
		}
		if let Some(Deposit { payer, amount }) = Deposits::<T>::get(resource) {
			Self::deposit_event(Event::DepositOwed { resource, payer, amount });
		}
		if !Owed::<T>::get().contains(&resource) {
			// Where there is no room the record remains, and with it the right to the amount.
			let _ = Owed::<T>::try_append(resource);
		}
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn endow_for_benchmark(who: &T::AccountId) {
		use frame_support::traits::fungible::{Inspect, Mutate};
		use sp_runtime::Saturating;
		let least = T::Currency::minimum_balance();
		for operation in Operation::ALL {
			Self::put_fee(operation, least);
		}
		for kind in ResourceKind::ALL {
			Self::put_deposit(kind, least);
		}
		Self::found_pot();
		T::Currency::set_balance(who, least.saturating_mul(100_000u32.into()));
	}
}
