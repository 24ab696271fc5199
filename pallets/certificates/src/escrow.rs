//! Fees: what an application costs, how the amount is held, and who is paid out of it.
//!
//! Everything that an application can cost is put on hold when it is made. Whoever earns something is paid out of that
//! hold; what is left goes back to the payer when the application is closed. Amounts are fixed in units and never split
//! by percentages, so that nothing is lost to rounding.

use crate::{Config, Error, Escrows, Event, Fees, HoldReason, Pallet};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use dpki_primitives::{
	assurance::Level,
	certificate::MAX_QUORUM,
	economy::{Economy, FundsMissing, UNITS_PER_APPLICATION},
	ids::{ApplicationId, OrganisationId},
};
use frame_support::{
	BoundedVec,
	storage::with_storage_layer,
	traits::{
		ConstU32, Get,
		fungible::{Inspect, MutateHold},
		tokens::{Fortitude, Precision, Restriction},
	},
};
use scale_info::TypeInfo;
use sp_runtime::{
	DispatchError, DispatchResult, TokenError,
	traits::{AtLeast32BitUnsigned, Zero},
};

/// An amount of what fees are paid in.
pub type BalanceOf<T> =
	<<T as Config>::Currency as Inspect<<T as frame_system::Config>::AccountId>>::Balance;

/// The price of one application. Parts that an application has no need of are not charged.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Debug,
	Default,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct Price<Balance> {
	/// For the validators, earned when the application is granted.
	pub network: Balance,
	/// For the observers together: all who reveal what they saw share it equally, and what cannot be divided returns.
	pub observation: Balance,
	/// For each of the endorsers that the policy asks for.
	pub endorsement: Balance,
}

/// A price for each level.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Debug,
	Default,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct LevelPrices<Balance> {
	/// For DV.
	pub dv: Price<Balance>,
	/// For OV.
	pub ov: Price<Balance>,
	/// For EV.
	pub ev: Price<Balance>,
}

impl<Balance> LevelPrices<Balance> {
	fn at(self, level: Level) -> Price<Balance> {
		match level {
			Level::Dv => self.dv,
			Level::Ov => self.ov,
			Level::Ev => self.ev,
		}
	}
}

/// What everything costs.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Debug,
	Default,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct FeeSchedule<Balance> {
	/// Whether everything below counts as zero, for whomever. On a feeless chain it does for those whom the consortium knows,
	/// whatever this says.
	pub feeless: bool,
	/// On hold while an application is open.
	pub deposit: Balance,
	/// For a new certificate.
	pub issue: LevelPrices<Balance>,
	/// For proving control again.
	pub control: LevelPrices<Balance>,
	/// For being endorsed again.
	pub endorsement: LevelPrices<Balance>,
}

impl<Balance: AtLeast32BitUnsigned + Copy> FeeSchedule<Balance> {
	/// Whether the dearest application under any policy can be added up.
	pub fn is_payable(&self) -> bool {
		[self.issue, self.control, self.endorsement]
			.into_iter()
			.flat_map(|prices| Level::ALL.map(|level| prices.at(level)))
			.all(|price| {
				Escrow::new(self.deposit, price, true, MAX_QUORUM)
					.checked_total()
					.and_then(|total| total.checked_add(&self.deposit))
					.is_some()
			})
	}
}

/// What an application is for, as far as its price is concerned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Order {
	/// Which prices apply.
	pub operation: Operation,
	/// The requested level.
	pub level: Level,
	/// Whether observers take part.
	pub observed: bool,
	/// How many endorsements are wanted.
	pub endorsements: u32,
}

/// Which prices apply.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Operation {
	/// A new certificate.
	Issue,
	/// Control once more.
	Control,
	/// Endorsements once more.
	Endorsement,
}

/// What the payer of an open application still has on hold for it.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Escrow<Balance> {
	/// Held for the state.
	pub deposit: Balance,
	/// The validators' share.
	pub network: Balance,
	/// The observers' share.
	pub observation: Balance,
	/// The share of each endorser.
	pub endorsement: Balance,
	/// How many endorsers can still be paid.
	pub endorsements_left: u32,
	/// The organisations whose endorsement was paid: it is paid once.
	pub paid: BoundedVec<OrganisationId, ConstU32<MAX_QUORUM>>,
}

impl<Balance: AtLeast32BitUnsigned + Copy> Escrow<Balance> {
	fn new(deposit: Balance, price: Price<Balance>, observed: bool, endorsements: u32) -> Self {
		Self {
			deposit,
			network: price.network,
			observation: if observed { price.observation } else { Zero::zero() },
			endorsement: price.endorsement,
			endorsements_left: endorsements,
			paid: BoundedVec::new(),
		}
	}

	/// Everything but the deposit; `None` if it is more than the currency can count.
	pub fn checked_total(&self) -> Option<Balance> {
		self.endorsement
			.checked_mul(&self.endorsements_left.into())?
			.checked_add(&self.network)?
			.checked_add(&self.observation)
	}
}

impl<T: Config> Pallet<T> {
	/// Puts on hold what the application can cost: nothing of somebody for whom the chain is feeless. Whatever becomes of
	/// that, or of the schedule, what is in escrow stays what it is.
	pub(crate) fn open_escrow(
		application: ApplicationId,
		payer: &T::AccountId,
		order: Order,
	) -> DispatchResult {
		let fees = Fees::<T>::get();
		let is_waived = T::Economy::waive(payer, UNITS_PER_APPLICATION)
			.map_err(|FundsMissing| TokenError::FundsUnavailable)?;
		// Without prices the escrow still remembers whose endorsements it has seen.
		let escrow = if is_waived || fees.feeless {
			Escrow::new(Zero::zero(), Price::default(), order.observed, order.endorsements)
		} else {
			let prices = match order.operation {
				Operation::Issue => fees.issue,
				Operation::Control => fees.control,
				Operation::Endorsement => fees.endorsement,
			};
			let price = prices.at(order.level);
			Escrow::new(fees.deposit, price, order.observed, order.endorsements)
		};
		let total = escrow.checked_total().ok_or(Error::<T>::FeesTooHigh)?;
		hold::<T>(HoldReason::Escrow, payer, total)?;
		hold::<T>(HoldReason::ApplicationDeposit, payer, escrow.deposit)?;
		Escrows::<T>::insert(application, escrow);
		Ok(())
	}

	/// Pays the validators.
	pub(crate) fn pay_network(application: ApplicationId, payer: &T::AccountId) -> DispatchResult {
		Self::with_escrow(application, |escrow| {
			let amount = core::mem::take(&mut escrow.network);
			Self::pay(application, payer, &T::ValidatorsAccount::get(), amount)
		})
	}

	/// Pays the observers, each as much as any other.
	pub(crate) fn pay_observers(
		application: ApplicationId,
		payer: &T::AccountId,
		observers: &[T::AccountId],
	) -> DispatchResult {
		if observers.is_empty() {
			return Ok(());
		}
		Self::with_escrow(application, |escrow| {
			let share = escrow.observation / (observers.len() as u32).into();
			for observer in observers {
				escrow.observation -= share;
				Self::pay(application, payer, observer, share)?;
			}
			Ok(())
		})
	}

	/// Pays an endorser, unless its organisation was paid before. Returns whether all that were wanted are paid.
	pub(crate) fn pay_endorser(
		application: ApplicationId,
		payer: &T::AccountId,
		endorser: &T::AccountId,
		organisation: OrganisationId,
	) -> Result<bool, DispatchError> {
		Self::with_escrow(application, |escrow| {
			let is_wanted = escrow.endorsements_left > 0 && !escrow.paid.contains(&organisation);
			if is_wanted && escrow.paid.try_push(organisation).is_ok() {
				escrow.endorsements_left -= 1;
				Self::pay(application, payer, endorser, escrow.endorsement)?;
			}
			Ok(escrow.endorsements_left == 0)
		})
	}

	/// Returns what is left of the escrow, and the deposit. Tells how much of the escrow that is.
	pub(crate) fn settle(
		application: ApplicationId,
		payer: &T::AccountId,
	) -> Result<BalanceOf<T>, DispatchError> {
		let Some(escrow) = Escrows::<T>::take(application) else { return Ok(Zero::zero()) };
		let left = escrow.checked_total().ok_or(Error::<T>::FeesTooHigh)?;
		release::<T>(HoldReason::Escrow, payer, left)?;
		release::<T>(HoldReason::ApplicationDeposit, payer, escrow.deposit)?;
		Ok(left)
	}

	fn with_escrow<R>(
		application: ApplicationId,
		change: impl FnOnce(&mut Escrow<BalanceOf<T>>) -> Result<R, DispatchError>,
	) -> Result<R, DispatchError> {
		Escrows::<T>::try_mutate(application, |escrow| {
			change(escrow.as_mut().ok_or(Error::<T>::ApplicationNotFound)?)
		})
	}

	/// Pays out of the escrow. An amount that the recipient's account cannot take, because it would be less than the
	/// existential deposit in an account that does not exist, returns to the payer: dust must not stop a decision.
	fn pay(
		application: ApplicationId,
		payer: &T::AccountId,
		recipient: &T::AccountId,
		amount: BalanceOf<T>,
	) -> DispatchResult {
		if amount.is_zero() {
			return Ok(());
		}
		let paid = payer != recipient
			&& with_storage_layer(|| {
				T::Currency::transfer_on_hold(
					&HoldReason::Escrow.into(),
					payer,
					recipient,
					amount,
					Precision::Exact,
					Restriction::Free,
					// What is in escrow is owed: a lock that the payer comes by later does not take it back.
					Fortitude::Force,
				)
			})
			.is_ok();
		if !paid {
			return release::<T>(HoldReason::Escrow, payer, amount);
		}
		Self::deposit_event(Event::FeePaid { application, recipient: recipient.clone(), amount });
		Ok(())
	}
}

pub(crate) fn hold<T: Config>(
	reason: HoldReason,
	payer: &T::AccountId,
	amount: BalanceOf<T>,
) -> DispatchResult {
	match amount.is_zero() {
		true => Ok(()),
		false => T::Currency::hold(&reason.into(), payer, amount),
	}
}

pub(crate) fn release<T: Config>(
	reason: HoldReason,
	payer: &T::AccountId,
	amount: BalanceOf<T>,
) -> DispatchResult {
	match amount.is_zero() {
		true => Ok(()),
		false => T::Currency::release(&reason.into(), payer, amount, Precision::Exact).map(|_| ()),
	}
}
