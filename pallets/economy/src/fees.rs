//! Where fees go: into the pot, and from there to the author of the block.
//!
//! Fees of transactions, fees of operations and what validators earn elsewhere meet in one account. What it holds at the
//! end of a block goes to who made it: the fees of a block to its author, without a share to round. The pot keeps the
//! existential deposit, and what an author's account cannot take.

use crate::{Config, Event, Pallet};
use core::marker::PhantomData;
use frame_support::traits::{
	Get, OnUnbalanced,
	fungible::{Balanced, Credit, Inspect, Mutate},
	tokens::{Fortitude, Preservation},
};
use sp_runtime::{
	SaturatedConversion,
	traits::{AccountIdConversion, Zero},
};

impl<T: Config> Pallet<T> {
	/// The account in which fees wait for the author of the block.
	pub fn pot() -> T::AccountId {
		T::PotId::get().into_account_truncating()
	}

	/// Whether the account has so much to spend.
	pub(crate) fn can_pay(who: &T::AccountId, fee: u128) -> bool {
		let free = T::Currency::reducible_balance(who, Preservation::Preserve, Fortitude::Polite);
		free.saturated_into::<u128>() >= fee
	}

	/// Gives the pot what it needs to exist, unless it has it.
	pub(crate) fn found_pot() {
		let (pot, least) = (Self::pot(), T::Currency::minimum_balance());
		if T::Currency::balance(&pot) < least {
			T::Currency::set_balance(&pot, least);
		}
	}

	/// Pays what is in the pot to the author of this block.
	pub(crate) fn pay_author() {
		let pot = Self::pot();
		let amount =
			T::Currency::reducible_balance(&pot, Preservation::Preserve, Fortitude::Polite);
		if amount.is_zero() {
			return;
		}
		let Some(author) = T::Author::get() else { return };
		if T::Currency::transfer(&pot, &author, amount, Preservation::Preserve).is_ok() {
			Self::deposit_event(Event::AuthorPaid { author, amount });
		}
	}
}

/// Puts fees of transactions into the pot.
pub struct ToPot<T>(PhantomData<T>);

impl<T> OnUnbalanced<Credit<T::AccountId, T::Currency>> for ToPot<T>
where
	T: Config,
	T::Currency: Balanced<T::AccountId>,
{
	fn on_nonzero_unbalanced(fee: Credit<T::AccountId, T::Currency>) {
		// Only a pot without its existential deposit cannot take it; then the amount leaves the issuance.
		let _ = T::Currency::resolve(&Pallet::<T>::pot(), fee);
	}
}
