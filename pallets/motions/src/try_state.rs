//! What is true of the storage between any two calls.

use crate::{
	BalanceOf, Ballots, Calls, Closed, ClosedRange, Config, HoldReason, Motions, NextMotion,
	OpenMotions, Pallet,
};
use alloc::collections::{BTreeMap, BTreeSet};
use dpki_primitives::motion::{MotionState, Verdict};
use frame_support::{ensure, traits::fungible::InspectHold};
use sp_runtime::{
	TryRuntimeError,
	traits::{Get, Saturating, Zero},
};

impl<T: Config> Pallet<T> {
	/// Every motion has its call and as many ballots as it says; the count of a decided one supports the decision; open
	/// motions are counted per proposer and covered by a deposit; closed ones are queued, in the order of closing.
	pub(crate) fn do_try_state() -> Result<(), TryRuntimeError> {
		let mut open = BTreeMap::<T::AccountId, (u32, BalanceOf<T>)>::new();
		let mut closed = BTreeSet::new();
		for (id, motion) in Motions::<T>::iter() {
			ensure!(id < NextMotion::<T>::get(), "a motion has a number that was not given yet");
			let call = Calls::<T>::get(id).ok_or("a motion has no call")?;
			ensure!(call.len() as u32 == motion.call_len, "a motion misstates its call's length");
			ensure!(
				sp_io::hashing::blake2_256(&call) == motion.call_hash,
				"a motion has another call than it was proposed with"
			);
			let ballots = Ballots::<T>::iter_key_prefix(id).count() as u32;
			ensure!(ballots == motion.ballots, "a motion miscounts its ballots");
			ensure!(ballots <= T::MaxVotes::get(), "a motion has too many ballots");
			ensure!(
				motion.tally.ayes.saturating_add(motion.tally.nays) <= ballots,
				"more votes are counted than were cast"
			);
			match motion.state {
				MotionState::Open => {
					ensure!(motion.tally.verdict() == Verdict::Open, "a decided motion is open");
					let (count, held) = open.entry(motion.proposer).or_default();
					count.saturating_inc();
					*held = held.saturating_add(motion.deposit);
				},
				MotionState::Carried { .. } => ensure!(
					motion.tally.verdict() == Verdict::Carried,
					"a motion was carried without the votes"
				),
				MotionState::Rejected { .. } => ensure!(
					motion.tally.verdict() == Verdict::Rejected,
					"a motion was rejected without the votes"
				),
				MotionState::Withdrawn { .. } | MotionState::Expired { .. } => (),
			}
			if !motion.state.is_open() {
				closed.insert(id);
			}
		}
		Self::try_state_of_proposers(&open)?;
		Self::try_state_of_queue(closed)?;
		for id in Calls::<T>::iter_keys().chain(Ballots::<T>::iter_keys().map(|(id, _)| id)) {
			ensure!(Motions::<T>::contains_key(id), "a call or ballot belongs to no motion");
		}
		Ok(())
	}

	fn try_state_of_proposers(
		open: &BTreeMap<T::AccountId, (u32, BalanceOf<T>)>,
	) -> Result<(), TryRuntimeError> {
		for (proposer, count) in OpenMotions::<T>::iter() {
			ensure!(count > 0, "a proposer without open motions is counted");
			ensure!(count <= T::MaxOpenMotions::get(), "a proposer has too many open motions");
			ensure!(
				open.get(&proposer).is_some_and(|(open, _)| *open == count),
				"the open motions of a proposer are miscounted"
			);
		}
		for (proposer, (count, held)) in open {
			ensure!(
				OpenMotions::<T>::get(proposer) == *count,
				"the open motions of a proposer are not counted"
			);
			ensure!(
				T::Currency::balance_on_hold(&HoldReason::Motion.into(), proposer) == *held,
				"the deposits of a proposer differ from what is held"
			);
		}
		for motion in Motions::<T>::iter_values().filter(|motion| !motion.state.is_open()) {
			if !open.contains_key(&motion.proposer) {
				ensure!(
					T::Currency::balance_on_hold(&HoldReason::Motion.into(), &motion.proposer)
						.is_zero(),
					"a deposit is held for a closed motion"
				);
			}
		}
		Ok(())
	}

	fn try_state_of_queue(mut closed: BTreeSet<u32>) -> Result<(), TryRuntimeError> {
		let (first, next) = ClosedRange::<T>::get();
		ensure!(
			Closed::<T>::iter_keys().count() as u32 == next.saturating_sub(first),
			"the queue of closed motions is longer than its range"
		);
		let mut before = None;
		for position in first..next {
			let id = Closed::<T>::get(position).ok_or("the queue of closed motions has a gap")?;
			ensure!(closed.remove(&id), "an open, unknown or repeated motion is queued");
			let at = Motions::<T>::get(id).and_then(|motion| motion.state.closed_at());
			ensure!(at >= before, "the queue of closed motions is out of order");
			before = at;
		}
		ensure!(closed.is_empty(), "a closed motion is not queued");
		Ok(())
	}
}
