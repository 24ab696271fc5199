//! The switch between fees and quotas: an extension around the one that charges for transactions.
//!
//! While the chain is feeless, a transaction of somebody for whom the council or an organisation answers takes from quotas
//! what it would have cost, and everybody else pays. It is judged before the pool: who has no quota left is refused
//! with a number that says so, and takes no room in a block. What a dispatch did not use is put back; that it failed is
//! no reason to put back anything else.
//!
//! The refusal is `InvalidTransaction::Custom` and not `ExhaustsResources`, which tells a block's author that the block is
//! full: one transaction too many would end it for everybody.
//!
//! Nobody sees this extension from outside: clients encode a tip, as for the one inside.

use crate::{Config, Feeless, Pallet, Sponsor, WeightInfo};
use codec::{Decode, DecodeWithMemTracking, Encode};
use dpki_primitives::{economy::Exhausted, refusal::Refusal};
use frame_support::{
	dispatch::{DispatchInfo, PostDispatchInfo},
	pallet_prelude::{TransactionSource, TransactionValidityError, Weight},
};
use pallet_transaction_payment::{ChargeTransactionPayment, Pallet as TransactionPayment};
use scale_info::{StaticTypeInfo, TypeInfo};
use sp_runtime::{
	DispatchResult, SaturatedConversion,
	traits::{
		AsSystemOriginSigner, DispatchInfoOf, DispatchOriginOf, Dispatchable, Implication,
		PostDispatchInfoOf, RefundWeight, TransactionExtension, TransactionExtensionMetadata,
		ValidateResult, Zero,
	},
	transaction_validity::{InvalidTransaction, ValidTransaction},
};

/// Charges for a transaction, or takes from the quotas of who sent it.
#[derive(Encode, Decode, DecodeWithMemTracking, Clone, Eq, PartialEq)]
pub struct Metered<T: pallet_transaction_payment::Config>(ChargeTransactionPayment<T>);

impl<T: pallet_transaction_payment::Config> From<ChargeTransactionPayment<T>> for Metered<T> {
	fn from(payment: ChargeTransactionPayment<T>) -> Self {
		Self(payment)
	}
}

impl<T: pallet_transaction_payment::Config> core::fmt::Debug for Metered<T> {
	fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
		self.0.fmt(f)
	}
}

impl<T: pallet_transaction_payment::Config> TypeInfo for Metered<T>
where
	ChargeTransactionPayment<T>: StaticTypeInfo,
{
	type Identity = ChargeTransactionPayment<T>;

	fn type_info() -> scale_info::Type {
		ChargeTransactionPayment::<T>::type_info()
	}
}

/// How a transaction is paid for.
pub enum Payment<AccountId, Fee> {
	/// With a fee, or not at all because nobody signed it.
	Fee {
		/// What the charge knows.
		fee: Fee,
		/// The weight of the metering that does not take place.
		unused: Weight,
	},
	/// With quotas.
	Quota {
		/// Who sent it.
		who: AccountId,
		/// Who answers for it.
		sponsor: Sponsor,
		/// How much it takes at most.
		units: u64,
		/// The weight of the charge that does not take place.
		unused: Weight,
	},
}

type Inner<T> = ChargeTransactionPayment<T>;
type CallOf<T> = <T as frame_system::Config>::RuntimeCall;

impl<T> Metered<T>
where
	T: Config + pallet_transaction_payment::Config + Send + Sync,
	CallOf<T>: Dispatchable<Info = DispatchInfo, PostInfo = PostDispatchInfo>,
{
	/// What of the weight of metering is not used for a transaction that pays.
	fn unused(feeless: bool) -> Weight {
		let used = match feeless {
			true => <T as Config>::WeightInfo::pass_meter(),
			false => <T as Config>::WeightInfo::skip_meter(),
		};
		<T as Config>::WeightInfo::meter().saturating_sub(used)
	}
}

impl<T> TransactionExtension<CallOf<T>> for Metered<T>
where
	T: Config + pallet_transaction_payment::Config + Send + Sync,
	CallOf<T>: Dispatchable<Info = DispatchInfo, PostInfo = PostDispatchInfo>,
	DispatchOriginOf<CallOf<T>>: AsSystemOriginSigner<T::AccountId>,
{
	const IDENTIFIER: &'static str = <Inner<T> as TransactionExtension<CallOf<T>>>::IDENTIFIER;
	type Implicit = <Inner<T> as TransactionExtension<CallOf<T>>>::Implicit;
	type Val = Payment<T::AccountId, <Inner<T> as TransactionExtension<CallOf<T>>>::Val>;
	type Pre = Payment<T::AccountId, <Inner<T> as TransactionExtension<CallOf<T>>>::Pre>;

	fn metadata() -> alloc::vec::Vec<TransactionExtensionMetadata> {
		<Inner<T> as TransactionExtension<CallOf<T>>>::metadata()
	}

	fn implicit(&self) -> Result<Self::Implicit, TransactionValidityError> {
		<Inner<T> as TransactionExtension<CallOf<T>>>::implicit(&self.0)
	}

	fn weight(&self, call: &CallOf<T>) -> Weight {
		self.0.weight(call).saturating_add(<T as Config>::WeightInfo::meter())
	}

	fn validate(
		&self,
		origin: DispatchOriginOf<CallOf<T>>,
		call: &CallOf<T>,
		info: &DispatchInfoOf<CallOf<T>>,
		len: usize,
		self_implicit: Self::Implicit,
		inherited_implication: &impl Implication,
		source: TransactionSource,
	) -> ValidateResult<Self::Val, CallOf<T>> {
		let feeless = Feeless::<T>::get();
		let metered = match origin.as_system_origin_signer().cloned() {
			Some(who) if feeless => {
				let fee = TransactionPayment::<T>::compute_fee(len as u32, info, Zero::zero());
				let units = Pallet::<T>::units(fee.saturated_into());
				match Pallet::<T>::sponsor(&who, units, info.class) {
					Ok(sponsor) => sponsor.map(|sponsor| (who, sponsor, units, fee)),
					// Whoever can pay is not locked out by being known.
					Err(_) if Pallet::<T>::can_pay(&who, fee.saturated_into()) => None,
					Err(exhausted) => return Err(refusal(exhausted)),
				}
			},
			_ => None,
		};
		let Some((who, sponsor, units, fee)) = metered else {
			let (valid, val, origin) = self.0.validate(
				origin,
				call,
				info,
				len,
				self_implicit,
				inherited_implication,
				source,
			)?;
			return Ok((valid, Payment::Fee { fee: val, unused: Self::unused(feeless) }, origin));
		};
		// A tip would buy a place in the block, and nobody would be charged for it.
		if !self.0.tip().is_zero() {
			return Err(InvalidTransaction::Custom(Refusal::TipUnwanted.code()).into());
		}
		let priority = Inner::<T>::get_priority(info, len, Zero::zero(), fee);
		let valid = ValidTransaction { priority, ..Default::default() };
		let unused = self.0.weight(call);
		Ok((valid, Payment::Quota { who, sponsor, units, unused }, origin))
	}

	fn prepare(
		self,
		val: Self::Val,
		origin: &DispatchOriginOf<CallOf<T>>,
		call: &CallOf<T>,
		info: &DispatchInfoOf<CallOf<T>>,
		len: usize,
	) -> Result<Self::Pre, TransactionValidityError> {
		match val {
			Payment::Fee { fee, unused } => {
				let fee = self.0.prepare(fee, origin, call, info, len)?;
				Ok(Payment::Fee { fee, unused })
			},
			Payment::Quota { who, sponsor, units, unused } => {
				Pallet::<T>::take(&who, sponsor, units).map_err(refusal)?;
				Ok(Payment::Quota { who, sponsor, units, unused })
			},
		}
	}

	fn post_dispatch_details(
		pre: Self::Pre,
		info: &DispatchInfoOf<CallOf<T>>,
		post_info: &PostDispatchInfoOf<CallOf<T>>,
		len: usize,
		result: &DispatchResult,
	) -> Result<Weight, TransactionValidityError> {
		let mut post_info = *post_info;
		match pre {
			Payment::Fee { fee, unused } => {
				// The fee is for what was used, too.
				post_info.refund(unused);
				let inner = <Inner<T> as TransactionExtension<CallOf<T>>>::post_dispatch_details(
					fee, info, &post_info, len, result,
				)?;
				Ok(unused.saturating_add(inner))
			},
			Payment::Quota { who, sponsor, units, unused } => {
				post_info.refund(unused);
				let fee = TransactionPayment::<T>::compute_actual_fee(
					len as u32,
					info,
					&post_info,
					Zero::zero(),
				);
				let used = Pallet::<T>::units(fee.saturated_into());
				Pallet::<T>::put_back(&who, sponsor, units.saturating_sub(used));
				Ok(unused)
			},
		}
	}
}

fn refusal(_: Exhausted) -> TransactionValidityError {
	InvalidTransaction::Custom(Refusal::AllowanceExhausted.code()).into()
}
