//! What has to be true of the constants and the weights for the pallet to work at all.

use crate::{Config, Pallet, WeightInfo};
use dpki_primitives::storage_keys;
use frame_support::{
	dispatch::DispatchClass,
	traits::{Get, PalletInfoAccess},
};

impl<T: Config> Pallet<T> {
	/// The pallet has the name under which its storage is looked for, there can be validators and proofs, and every call
	/// fits into a block.
	pub(crate) fn check_constants() {
		assert_eq!(
			<Self as PalletInfoAccess>::name(),
			storage_keys::VALIDATOR_SET,
			"clients look for the storage of this pallet under another name: rename it in the runtime",
		);
		assert!(T::MaxValidators::get() > 0, "there have to be validators");
		assert!(T::History::get() > 0, "what happened in a session is proven in a later one");
		let weights = T::BlockWeights::get();
		let normal = weights.get(DispatchClass::Normal);
		let limit = normal.max_extrinsic.or(normal.max_total).unwrap_or(weights.max_block);
		for (call, weight) in [
			("add_validator", <T as Config>::WeightInfo::add_validator()),
			("remove_validator", <T as Config>::WeightInfo::remove_validator()),
			("disable_validator", <T as Config>::WeightInfo::disable_validator()),
			("enable_validator", <T as Config>::WeightInfo::enable_validator()),
			("set_bounds", <T as Config>::WeightInfo::set_bounds()),
			("leave", <T as Config>::WeightInfo::leave()),
			("handling of an offence", <T as Config>::WeightInfo::on_offence()),
		] {
			assert!(weight.all_lte(limit), "the dearest `{call}` has to fit into a block");
		}
		assert!(
			<T as Config>::WeightInfo::plan().all_lte(weights.max_block),
			"a session has to end within a block",
		);
	}
}
