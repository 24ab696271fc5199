//! What has to be true of the constants and the weights for the pallet to work at all.

use crate::{Config, Pallet, WeightInfo};
use dpki_primitives::economy::QuotaPolicies;
use frame_support::{dispatch::DispatchClass, traits::Get};

impl<T: Config> Pallet<T> {
	/// Units stand for something, the default quotas lock nobody out, and every call fits into a block.
	pub(crate) fn check_constants() {
		assert!(T::QuotaUnit::get() > 0, "a unit has to stand for a fee");
		assert!(T::MinCapacity::get() > 0, "the council has to be able to act");
		assert!(
			Self::is_usable(&QuotaPolicies::default()),
			"the quotas with which a chain begins must not lock everybody out",
		);
		let weights = T::BlockWeights::get();
		let normal = weights.get(DispatchClass::Normal);
		let limit = normal.max_extrinsic.or(normal.max_total).unwrap_or(weights.max_block);
		for (what, weight) in [
			("set_fee", T::WeightInfo::set_fee()),
			("set_deposit", T::WeightInfo::set_deposit()),
			("set_feeless", T::WeightInfo::set_feeless()),
			("set_quotas", T::WeightInfo::set_quotas()),
			("metering", T::WeightInfo::meter()),
			("payment of the author", T::WeightInfo::pay_author()),
			("return of a deposit", T::WeightInfo::return_owed()),
		] {
			assert!(weight.all_lte(limit), "the dearest `{what}` has to fit into a block");
		}
		for less in [T::WeightInfo::pass_meter(), T::WeightInfo::skip_meter()] {
			assert!(
				less.all_lte(T::WeightInfo::meter()),
				"who pays is not dearer than who is metered"
			);
		}
	}
}
