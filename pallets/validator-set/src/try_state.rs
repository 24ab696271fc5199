//! What is true of the storage between any two calls.

use crate::{Bounds, Config, KeysInService, Pallet, Validators};
use dpki_primitives::validator::ValidatorStanding;
use frame_support::ensure;
use pallet_session::{NextKeys, QueuedKeys};
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
	/// Validators are in order; their numbers are within the bounds; whoever serves, or is planned to, is on record and has
	/// keys; the keys in service are those of who serves.
	pub(crate) fn do_try_state() -> Result<(), TryRuntimeError> {
		let records = Validators::<T>::get();
		ensure!(
			records.windows(2).all(|pair| pair[0].account < pair[1].account),
			"the validators are out of order"
		);
		let bounds = Bounds::<T>::get();
		ensure!(Self::are_possible(&bounds), "no set of validators has these bounds");
		ensure!(Self::seats(&records) <= bounds.maximum, "there are too many validators");
		ensure!(Self::able(&records) >= bounds.minimum, "too few validators could serve");

		let serving = pallet_session::Pallet::<T>::validators();
		ensure!(!serving.is_empty(), "nobody serves");
		let planned = QueuedKeys::<T>::get();
		for validator in serving.iter().chain(planned.iter().map(|(validator, _)| validator)) {
			ensure!(Self::position(&records, validator).is_ok(), "a stranger serves");
			ensure!(NextKeys::<T>::contains_key(validator), "a validator has lost its keys");
		}
		let in_service = KeysInService::<T>::get();
		ensure!(
			in_service.iter().map(|(validator, _)| validator).eq(serving.iter()),
			"the keys in service are those of others"
		);
		for record in &records {
			ensure!(
				frame_system::Pallet::<T>::providers(&record.account) > 0,
				"a validator has no account"
			);
			ensure!(
				record.standing == ValidatorStanding::Leaving
					|| record.caught.is_none_or(|session| session >= record.answers_from),
				"a validator answers for what was forgiven"
			);
		}
		Ok(())
	}
}
