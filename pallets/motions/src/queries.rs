//! What clients ask before they vote.

use crate::{Config, Motions, Pallet};
use dpki_primitives::motion::{Electorates, MotionId, Tally};
use frame_support::{dispatch::GetDispatchInfo, pallet_prelude::Weight};

impl<T: Config> Pallet<T> {
	pub(crate) fn bounds_of_call(id: MotionId) -> Option<(u32, Weight)> {
		let motion = Motions::<T>::get(id)?;
		Some((motion.call_len, Self::call_of(id)?.get_dispatch_info().call_weight))
	}

	pub(crate) fn tally_now(id: MotionId) -> Option<Tally> {
		let electorate = Motions::<T>::get(id)?.electorate;
		Some(Self::count(id, &electorate, T::Electorates::quorum(&electorate)?))
	}
}
