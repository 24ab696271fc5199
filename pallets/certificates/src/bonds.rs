//! Bonds: what an endorser stands to lose if it is proven to have misbehaved (decision 0053).
//!
//! What is slashed is burnt: nobody who votes on a slash, and nobody who makes blocks, is the richer for it.

use crate::{
	Accreditations, BalanceOf, Bonds, Config, Error, Event, HoldReason, MinimumBond, Pallet,
	SlashCount, Slashes,
	escrow::{hold, release},
};
use dpki_primitives::{
	assurance::{Accreditation, AccreditationState},
	bond::{Bond, SlashReason, SlashRecord, Unbonding},
	certificate::Office,
};
use frame_support::{
	ensure,
	traits::{
		Get,
		fungible::MutateHold,
		tokens::{Fortitude, Precision},
	},
};
use sp_runtime::{
	DispatchResult,
	traits::{CheckedSub, Saturating, Zero},
};

impl<T: Config> Pallet<T> {
	pub(crate) fn do_bond(account: T::AccountId, amount: BalanceOf<T>) -> DispatchResult {
		ensure!(!amount.is_zero(), Error::<T>::AmountZero);
		hold::<T>(HoldReason::EndorserBond, &account, amount)?;
		let mut bond = Self::bond_of(&account);
		// All that is on hold is part of what there is at all, which can be counted.
		bond.active = bond.active.saturating_add(amount);
		let active = bond.active;
		Bonds::<T>::insert(&account, bond);
		Self::deposit_event(Event::Bonded { account, amount, active });
		Ok(())
	}

	pub(crate) fn do_unbond(account: T::AccountId, amount: BalanceOf<T>) -> DispatchResult {
		ensure!(!amount.is_zero(), Error::<T>::AmountZero);
		let mut bond = Self::bond_of(&account);
		bond.active = bond.active.checked_sub(&amount).ok_or(Error::<T>::BondExceeded)?;
		let until = Self::block().saturating_add(T::UnbondingPeriod::get());
		bond.unbonding
			.try_push(Unbonding { amount, until })
			.map_err(|_| Error::<T>::UnbondingFull)?;
		Bonds::<T>::insert(&account, bond);
		Self::deposit_event(Event::UnbondingBegun { account: account.clone(), amount, until });
		Self::suspend_if_short(account);
		Ok(())
	}

	pub(crate) fn do_withdraw_bond(account: T::AccountId) -> DispatchResult {
		let (mut bond, now) = (Self::bond_of(&account), Self::block());
		let mut amount = BalanceOf::<T>::zero();
		bond.unbonding.retain(|part| {
			let is_due = now > part.until;
			if is_due {
				amount = amount.saturating_add(part.amount);
			}
			!is_due
		});
		ensure!(!amount.is_zero(), Error::<T>::UnbondingNotDue);
		release::<T>(HoldReason::EndorserBond, &account, amount)?;
		Self::store_bond(&account, bond);
		Self::deposit_event(Event::BondWithdrawn { account, amount });
		Ok(())
	}

	pub(crate) fn do_slash(
		account: T::AccountId,
		amount: BalanceOf<T>,
		reason: SlashReason,
		evidence: [u8; 32],
	) -> DispatchResult {
		ensure!(!amount.is_zero(), Error::<T>::AmountZero);
		let mut bond = Bonds::<T>::get(&account).ok_or(Error::<T>::BondMissing)?;
		let mut slashed = BalanceOf::<T>::zero();
		for part in bond.amounts_mut() {
			let taken = (*part).min(amount.saturating_sub(slashed));
			*part = (*part).saturating_sub(taken);
			slashed = slashed.saturating_add(taken);
		}
		bond.unbonding.retain(|part| !part.amount.is_zero());
		T::Currency::burn_held(
			&HoldReason::EndorserBond.into(),
			&account,
			slashed,
			Precision::Exact,
			// A lock that the account has come by does not keep what it owes.
			Fortitude::Force,
		)?;
		Self::store_bond(&account, bond);
		let index = SlashCount::<T>::get(&account);
		let record = SlashRecord { amount: slashed, reason, evidence, at: Self::now() };
		Slashes::<T>::insert(&account, index, record);
		SlashCount::<T>::insert(&account, index.saturating_add(1));
		Self::deposit_event(Event::BondSlashed {
			account: account.clone(),
			index,
			amount: slashed,
			reason,
		});
		Self::suspend_if_short(account);
		Ok(())
	}

	pub(crate) fn do_set_minimum_bond(minimum: BalanceOf<T>) {
		MinimumBond::<T>::put(minimum);
		Self::deposit_event(Event::MinimumBondSet { minimum });
	}

	/// Whether the account has bonded as much as is asked of endorsers.
	pub(crate) fn is_bonded(account: &T::AccountId) -> bool {
		let minimum = MinimumBond::<T>::get();
		minimum.is_zero() || Self::bond_of(account).active >= minimum
	}

	/// The accreditation of an endorser that may act now.
	pub(crate) fn active_endorser(account: &T::AccountId) -> Result<Accreditation, Error<T>> {
		let accreditation = Self::active(Office::Endorser, account)?;
		ensure!(Self::is_bonded(account), Error::<T>::BondTooLow);
		Ok(accreditation)
	}

	/// Suspends an endorser whose bond has shrunk below the minimum, so that the one rule about levels, which devices
	/// run over what is proven to them, needs to know nothing of bonds. What somebody compromised said before goes on
	/// counting: whoever stole the account must not undo it by taking the bond out.
	fn suspend_if_short(account: T::AccountId) {
		if Self::is_bonded(&account) {
			return;
		}
		let is_suspended = Accreditations::<T>::mutate(Office::Endorser, &account, |it| match it {
			Some(it) if it.may_act() => {
				it.state = AccreditationState::Suspended;
				true
			},
			_ => false,
		});
		if is_suspended {
			let office = Office::Endorser;
			Self::deposit_event(Event::AccreditationSuspended { office, account });
		}
	}

	fn bond_of(account: &T::AccountId) -> Bond<BalanceOf<T>> {
		Bonds::<T>::get(account).unwrap_or_default()
	}

	/// Stores a bond, of which nothing may be left.
	fn store_bond(account: &T::AccountId, bond: Bond<BalanceOf<T>>) {
		match bond.active.is_zero() && bond.unbonding.is_empty() {
			true => Bonds::<T>::remove(account),
			false => Bonds::<T>::insert(account, bond),
		}
	}
}
