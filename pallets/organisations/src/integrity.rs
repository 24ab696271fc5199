//! What has to be true of the constants and the weights for the pallet to work at all.

use crate::{Config, MAX_BODY_SEATS, MAX_MEMBERS, Pallet, WeightInfo};
use dpki_primitives::storage_keys;
use frame_support::{dispatch::DispatchClass, traits::PalletInfoAccess};
use sp_runtime::traits::{Get, Zero};

impl<T: Config> Pallet<T> {
	/// The pallet has the name under which its storage is looked for, its constants fit together, and every call fits
	/// into a block.
	pub(crate) fn check_constants() {
		const {
			assert!(MAX_MEMBERS > 0, "the founder has to fit");
			assert!(0 < MAX_BODY_SEATS && MAX_BODY_SEATS <= MAX_MEMBERS, "seats are members");
		};
		assert_eq!(
			<Self as PalletInfoAccess>::name(),
			storage_keys::ORGANISATIONS,
			"devices look for the storage of this pallet under another name: rename it in the runtime",
		);
		assert!(
			!T::HandOverPeriod::get().is_zero() && !T::RecoveryDelay::get().is_zero(),
			"there has to be time to accept, and to object",
		);
		let weights = T::BlockWeights::get();
		let normal = weights.get(DispatchClass::Normal);
		let limit = normal.max_extrinsic.or(normal.max_total).unwrap_or(weights.max_block);
		for (call, weight) in [
			("create", T::WeightInfo::create()),
			("set_member", T::WeightInfo::set_member()),
			("remove_member", T::WeightInfo::remove_member()),
			("set_policy", T::WeightInfo::set_policy()),
			("hand_over", T::WeightInfo::hand_over()),
			("cancel_hand_over", T::WeightInfo::cancel_hand_over()),
			("accept_hand_over", T::WeightInfo::accept_hand_over()),
			("begin_recovery", T::WeightInfo::begin_recovery()),
			("cancel_recovery", T::WeightInfo::cancel_recovery()),
			("complete_recovery", T::WeightInfo::complete_recovery()),
			("dissolve", T::WeightInfo::dissolve()),
			("join", T::WeightInfo::join()),
		] {
			assert!(weight.all_lte(limit), "the dearest `{call}` has to fit into a block");
		}
	}
}
