//! How closed motions leave the state: oldest first, a bounded number per block, in the weight that a block leaves idle.

use crate::{Ballots, Calls, Closed, ClosedRange, Config, Event, Motions, Pallet, WeightInfo};
use dpki_primitives::motion::MotionId;
use frame_support::pallet_prelude::*;
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::Saturating;
use sp_runtime::traits::Zero;

/// Most motions that are removed in one block, however idle it is.
pub(crate) const MAX_FORGOTTEN_PER_BLOCK: u32 = 8;

impl<T: Config> Pallet<T> {
	/// Removes what was closed at least [`Config::Retention`] blocks ago. Returns what it weighed.
	pub(crate) fn forget_closed(now: BlockNumberFor<T>, remaining: Weight) -> Weight {
		let mut meter = frame_support::weights::WeightMeter::with_limit(remaining);
		let look = T::WeightInfo::on_idle_base();
		let most = look.saturating_add(T::WeightInfo::forget(T::MaxVotes::get()));
		for _ in 0..MAX_FORGOTTEN_PER_BLOCK {
			if !meter.can_consume(most) {
				break;
			}
			meter.consume(look);
			let Some((id, ballots)) = Self::oldest_due(now) else { break };
			Self::forget(id);
			meter.consume(T::WeightInfo::forget(ballots));
		}
		meter.consumed()
	}

	/// The motion at the head of the queue with the number of its ballots, if its time has come.
	fn oldest_due(now: BlockNumberFor<T>) -> Option<(MotionId, u32)> {
		let (first, next) = ClosedRange::<T>::get();
		if first == next {
			return None;
		}
		let id = Closed::<T>::get(first)?;
		let motion = Motions::<T>::get(id)?;
		let closed_at = motion.state.closed_at()?;
		(now >= closed_at.saturating_add(T::Retention::get())).then_some((id, motion.ballots))
	}

	/// Removes the motion at the head of the queue.
	pub(crate) fn forget(id: MotionId) {
		ClosedRange::<T>::mutate(|(first, next)| {
			Closed::<T>::remove(*first);
			first.saturating_inc();
			// An empty queue begins anew, so that its numbers stay small.
			if first == next {
				(*first, *next) = (Zero::zero(), Zero::zero());
			}
		});
		Motions::<T>::remove(id);
		Calls::<T>::remove(id);
		// All in one go: there are never more ballots than `MaxVotes`, which the weight allows for.
		let _ = Ballots::<T>::clear_prefix(id, T::MaxVotes::get(), None);
		Self::deposit_event(Event::Forgotten { motion: id });
	}
}
