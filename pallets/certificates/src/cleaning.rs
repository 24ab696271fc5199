//! Cleaning: closed applications and past days of the index by end, a bounded number per block, when there is time left.
//!
//! No rule depends on it: deadlines are judged when they are read, so a chain that never cleans answers the same.

use crate::{
	ApplicationVotes, Applications, ClosedQueue, ClosedRange, Config, Ending, EndingCount,
	EndingCursor, Pallet, WeightInfo,
};
use dpki_primitives::certificate::day_of;
use frame_support::weights::{Weight, WeightMeter};

/// Most entries of each kind that one block removes.
const MAX_PER_BLOCK: u32 = 64;

impl<T: Config> Pallet<T> {
	pub(crate) fn clean(remaining: Weight) -> Weight {
		let mut meter = WeightMeter::with_limit(remaining);
		let steps: [(fn() -> bool, Weight); 2] = [
			(Self::clean_application, T::WeightInfo::clean_application()),
			(Self::clean_ending, T::WeightInfo::clean_ending()),
		];
		for (step, weight) in steps {
			for _ in 0..MAX_PER_BLOCK {
				// Looking whether there is anything to do is part of the step, so it is paid for either way.
				if meter.try_consume(weight).is_err() || !step() {
					break;
				}
			}
		}
		meter.consumed()
	}

	/// Removes the oldest closed application if its time is over.
	pub(crate) fn clean_application() -> bool {
		let (first, next) = ClosedRange::<T>::get();
		let Some((id, remove_after)) = ClosedQueue::<T>::get(first) else { return false };
		if Self::block() <= remove_after {
			return false;
		}
		ClosedQueue::<T>::remove(first);
		ClosedRange::<T>::put((first.saturating_add(1), next));
		Applications::<T>::remove(id);
		ApplicationVotes::<T>::remove(id);
		true
	}

	/// Removes one entry of the first day that is over, or goes on to the next day.
	fn clean_ending() -> bool {
		Self::clean_ending_before(day_of(Self::now()))
	}

	pub(crate) fn clean_ending_before(today: u32) -> bool {
		let Some(day) = EndingCursor::<T>::get().filter(|day| *day < today) else {
			return false;
		};
		match EndingCount::<T>::get(day).checked_sub(1) {
			Some(last) => {
				Ending::<T>::remove(day, last);
				match last {
					0 => EndingCount::<T>::remove(day),
					_ => EndingCount::<T>::insert(day, last),
				}
			},
			None => EndingCursor::<T>::put(day.saturating_add(1)),
		}
		true
	}
}
