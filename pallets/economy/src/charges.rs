//! Fees per operation: the schedule, and what is paid by it, or taken from quotas in its place.

use crate::{BalanceOf, Config, Event, Feeless, Fees, Pallet};
use dpki_primitives::economy::{FundsMissing, Operation};
use frame_support::{
	dispatch::DispatchClass,
	traits::{fungible::Mutate, tokens::Preservation},
};
use sp_runtime::{Saturating, traits::Zero};

impl<T: Config> Pallet<T> {
	pub(crate) fn put_fee(operation: Operation, amount: BalanceOf<T>) {
		// What is free is not in the map, so that there is one state for it.
		if amount.is_zero() {
			Fees::<T>::remove(operation);
		} else {
			Fees::<T>::insert(operation, amount);
		}
	}

	/// What `count` operations cost now.
	pub fn fee_of(operation: Operation, count: u32) -> BalanceOf<T> {
		if Feeless::<T>::get() {
			return Zero::zero();
		}
		Fees::<T>::get(operation).saturating_mul(count.into())
	}

	pub(crate) fn do_charge(
		payer: &T::AccountId,
		operation: Operation,
		count: u32,
	) -> Result<(), FundsMissing> {
		if Feeless::<T>::get() {
			return Self::take_for(payer, operation, count);
		}
		let amount = Self::fee_of(operation, count);
		if amount.is_zero() {
			return Ok(());
		}
		// Who pays has to exist afterwards: others refer to the account.
		T::Currency::transfer(payer, &Self::pot(), amount, Preservation::Preserve)
			.map_err(|_| FundsMissing)?;
		Self::deposit_event(Event::Charged { payer: payer.clone(), operation, count, amount });
		Ok(())
	}

	/// Takes from the quotas of `payer` what so many operations oblige others to. Its transaction has taken its own part
	/// before. Nothing is taken of somebody for whom nobody answers: that one has paid for its transaction.
	fn take_for(
		payer: &T::AccountId,
		operation: Operation,
		count: u32,
	) -> Result<(), FundsMissing> {
		let units = operation.units().saturating_mul(count.into());
		if units == 0 {
			return Ok(());
		}
		Self::take_if_known(payer, units).map(|_| ())
	}

	/// Whether the chain is feeless for `payer`, of whose quotas so many units are taken then.
	pub(crate) fn do_waive(payer: &T::AccountId, units: u64) -> Result<bool, FundsMissing> {
		match Feeless::<T>::get() {
			true => Self::take_if_known(payer, units),
			// It pays by the schedule of whoever asks.
			false => Ok(false),
		}
	}

	/// Takes so many units from the quotas of `payer`, if somebody answers for it. Tells whether somebody does.
	fn take_if_known(payer: &T::AccountId, units: u64) -> Result<bool, FundsMissing> {
		let sponsor =
			Self::sponsor(payer, units, DispatchClass::Normal).map_err(|_| FundsMissing)?;
		let Some(sponsor) = sponsor else { return Ok(false) };
		Self::take(payer, sponsor, units).map_err(|_| FundsMissing)?;
		Ok(true)
	}
}
