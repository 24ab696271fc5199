//! Votes: who casts them, how they are counted, and when they decide.

use crate::{Ballots, Config, Error, Event, MotionOf, Motions, Pallet, WeightInfo};
use dpki_primitives::motion::{
	Ballot, Electorate, Electorates, MotionId, MotionState, Quorum, Reason, Tally, Verdict,
};
use frame_support::{dispatch::DispatchResultWithPostInfo, ensure, pallet_prelude::*};
use sp_runtime::DispatchErrorWithPostInfo;

impl<T: Config> Pallet<T> {
	/// What a vote can cost: it may decide either way, for the electorate whose seats are the dearest to look up.
	pub(crate) fn weight_of_voting(call_length_bound: u32, call_weight_bound: Weight) -> Weight {
		let votes = T::MaxVotes::get();
		T::WeightInfo::vote(votes)
			.max(T::WeightInfo::reject(votes))
			.max(T::WeightInfo::carry(votes, call_length_bound.min(T::MaxCallLen::get())))
			.saturating_add(Self::reads_of_seats(votes))
			.saturating_add(call_weight_bound)
	}

	/// What the benchmarks leave out of so many votes. They measure the council, whose seats are one list; of an organisation the
	/// record is read, and the member behind each ballot.
	pub(crate) fn reads_of_seats(votes: u32) -> Weight {
		<T as frame_system::Config>::DbWeight::get().reads(votes.saturating_add(1).into())
	}

	pub(crate) fn do_vote(
		voter: T::AccountId,
		id: MotionId,
		aye: bool,
		reason: Reason,
		call_length_bound: u32,
		call_weight_bound: Weight,
	) -> DispatchResultWithPostInfo {
		// Nothing is dispatched before the last refusal, so a refused vote does not pay for the call.
		let charged = |error: DispatchError| DispatchErrorWithPostInfo {
			post_info: Some(Self::weight_of_voting(call_length_bound, Weight::zero())).into(),
			error,
		};
		let motion = Self::voting(id).map_err(|error| charged(error.into()))?;
		let votes = motion.ballots.saturating_add(1);
		let call_len = motion.call_len;
		let carried =
			Self::cast(id, motion, voter, aye, reason, call_length_bound, call_weight_bound)
				.map_err(charged)?;
		let weight = match carried {
			Some(call_weight) => T::WeightInfo::carry(votes, call_len).saturating_add(call_weight),
			None => T::WeightInfo::vote(votes).max(T::WeightInfo::reject(votes)),
		};
		Ok(Some(weight.saturating_add(Self::reads_of_seats(votes))).into())
	}

	/// Casts a vote on an open motion, counts, and does what follows from the count. Returns what the motion's call
	/// weighed if the motion was carried.
	pub(crate) fn cast(
		id: MotionId,
		mut motion: MotionOf<T>,
		voter: T::AccountId,
		aye: bool,
		reason: Reason,
		call_length_bound: u32,
		call_weight_bound: Weight,
	) -> Result<Option<Weight>, DispatchError> {
		let electorate = motion.electorate;
		let quorum = T::Electorates::quorum(&electorate).ok_or(Error::<T>::ElectorateUnknown)?;
		ensure!(T::Electorates::has_seat(&electorate, &voter), Error::<T>::SeatMissing);
		if !Ballots::<T>::contains_key(id, &voter) {
			ensure!(motion.ballots < T::MaxVotes::get(), Error::<T>::VoteLimitReached);
			motion.ballots += 1;
		}
		let at = frame_system::Pallet::<T>::block_number();
		Ballots::<T>::insert(id, &voter, Ballot { aye, reason: reason.clone(), at });
		motion.tally = Self::count(id, &electorate, quorum);
		let tally = motion.tally;
		Self::deposit_event(Event::Voted { motion: id, voter, aye, reason, tally });

		match tally.verdict() {
			Verdict::Open => Motions::<T>::insert(id, motion),
			Verdict::Carried => {
				return Self::carry(id, motion, call_length_bound, call_weight_bound).map(Some);
			},
			Verdict::Rejected => {
				Self::conclude(id, motion, MotionState::Rejected { at })?;
				Self::deposit_event(Event::Rejected { motion: id });
			},
		}
		Ok(None)
	}

	/// Counts the votes of those who have a seat now.
	pub(crate) fn count(id: MotionId, electorate: &Electorate, quorum: Quorum) -> Tally {
		let mut tally = Tally { ayes: 0, nays: 0, quorum };
		for (voter, ballot) in Ballots::<T>::iter_prefix(id) {
			if !T::Electorates::has_seat(electorate, &voter) {
				continue;
			}
			if ballot.aye {
				tally.ayes += 1;
			} else {
				tally.nays += 1;
			}
		}
		tally
	}
}
