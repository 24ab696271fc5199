//! The rules and prices that the consortium sets.

use crate::{BalanceOf, Config, Error, Event, FeeSchedule, Fees, Pallet, Policy};
use dpki_primitives::certificate::CertificatePolicy;
use frame_support::ensure;
use sp_runtime::DispatchResult;

impl<T: Config> Pallet<T> {
	pub(crate) fn do_set_policy(policy: CertificatePolicy) -> DispatchResult {
		ensure!(policy.is_coherent(), Error::<T>::PolicyIncoherent);
		Policy::<T>::put(policy);
		Self::deposit_event(Event::PolicySet { policy });
		Ok(())
	}

	pub(crate) fn do_set_fees(fees: FeeSchedule<BalanceOf<T>>) -> DispatchResult {
		ensure!(fees.is_payable(), Error::<T>::FeesTooHigh);
		Fees::<T>::put(fees);
		Self::deposit_event(Event::FeesSet { feeless: fees.feeless });
		Ok(())
	}
}
