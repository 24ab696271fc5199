//! The life of a motion: how it is proposed, carried out, withdrawn, and closed.

use crate::{
	Calls, Closed, ClosedRange, Config, Error, Event, HoldReason, MotionOf, Motions, NextMotion,
	OpenMotions, Pallet, WeightInfo,
};
use codec::{DecodeLimit, Encode};
use dpki_primitives::motion::{
	Electorate, Electorates, MotionId, MotionRecord, MotionState, Reason, Tally,
};
use frame_support::{
	MAX_EXTRINSIC_DEPTH,
	dispatch::{GetDispatchInfo, PostDispatchInfo, extract_actual_weight},
	ensure,
	pallet_prelude::*,
	traits::{fungible::MutateHold, tokens::Precision},
};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::{
	ArithmeticError, DispatchErrorWithPostInfo, Saturating,
	traits::{Dispatchable, SaturatedConversion},
};

impl<T: Config> Pallet<T> {
	/// What proposing can cost: it may carry the motion at once.
	pub(crate) fn weight_of_proposing(call_len: u32, call_weight: Weight) -> Weight {
		T::WeightInfo::propose(call_len)
			.saturating_add(T::WeightInfo::carry(1, call_len))
			.saturating_add(Self::reads_of_seats(1))
			.saturating_add(call_weight)
	}

	pub(crate) fn do_propose(
		proposer: T::AccountId,
		electorate: Electorate,
		call: <T as Config>::RuntimeCall,
		period: BlockNumberFor<T>,
		reason: Reason,
	) -> DispatchResultWithPostInfo {
		let call_len = call.encoded_size() as u32;
		let call_weight = call.get_dispatch_info().call_weight;
		// Nothing is dispatched before the last refusal, so a refused proposal does not pay for the call.
		let own_weight = T::WeightInfo::propose(call_len).saturating_add(Self::reads_of_seats(1));
		let charged = |error: DispatchError| DispatchErrorWithPostInfo {
			post_info: Some(own_weight).into(),
			error,
		};
		let (id, motion) =
			Self::open(&proposer, electorate, &call, period, reason.clone()).map_err(charged)?;
		let carried = Self::cast(id, motion, proposer, true, reason, call_len, call_weight)
			.map_err(charged)?;
		let weight = match carried {
			Some(call_weight) => own_weight
				.saturating_add(T::WeightInfo::carry(1, call_len))
				.saturating_add(call_weight),
			None => own_weight,
		};
		Ok(Some(weight).into())
	}

	/// Stores a new motion without a vote, and takes the deposit.
	fn open(
		proposer: &T::AccountId,
		electorate: Electorate,
		call: &<T as Config>::RuntimeCall,
		period: BlockNumberFor<T>,
		reason: Reason,
	) -> Result<(MotionId, MotionOf<T>), DispatchError> {
		let quorum = T::Electorates::quorum(&electorate).ok_or(Error::<T>::ElectorateUnknown)?;
		ensure!(quorum.needed <= T::MaxVotes::get(), Error::<T>::ElectorateTooLarge);
		ensure!(T::Electorates::has_seat(&electorate, proposer), Error::<T>::SeatMissing);
		ensure!(
			period >= T::MinPeriod::get() && period <= T::MaxPeriod::get(),
			Error::<T>::PeriodOutOfRange
		);
		ensure!(
			call.get_dispatch_info().call_weight.all_lte(T::MaxCallWeight::get()),
			Error::<T>::CallTooHeavy
		);
		let encoded: BoundedVec<u8, T::MaxCallLen> =
			call.encode().try_into().map_err(|_| Error::<T>::CallTooLong)?;
		OpenMotions::<T>::try_mutate(proposer, |open| {
			ensure!(*open < T::MaxOpenMotions::get(), Error::<T>::OpenMotionLimitReached);
			*open += 1;
			Ok::<_, Error<T>>(())
		})?;
		let id = NextMotion::<T>::get();
		NextMotion::<T>::put(id.checked_add(1).ok_or(ArithmeticError::Overflow)?);

		let call_len = encoded.len() as u32;
		let deposit = T::ByteDeposit::get()
			.saturating_mul(call_len.saturated_into())
			.saturating_add(T::BaseDeposit::get());
		// Holding nothing would still need an account with tokens.
		if !deposit.is_zero() {
			T::Currency::hold(&HoldReason::Motion.into(), proposer, deposit)?;
		}

		let now = frame_system::Pallet::<T>::block_number();
		let call_hash = sp_io::hashing::blake2_256(&encoded);
		let motion = MotionRecord {
			electorate,
			proposer: proposer.clone(),
			reason: reason.clone(),
			call_hash,
			call_len,
			transaction_version: Self::transaction_version(),
			proposed_at: now,
			deadline: now.saturating_add(period),
			deposit,
			ballots: 0,
			tally: Tally { ayes: 0, nays: 0, quorum },
			state: MotionState::Open,
		};
		Calls::<T>::insert(id, encoded);
		Self::deposit_event(Event::Proposed {
			motion: id,
			electorate,
			proposer: proposer.clone(),
			call_hash,
			deadline: motion.deadline,
			reason,
		});
		Ok((id, motion))
	}

	/// Closes the motion as carried and dispatches its call. Returns what the call weighed.
	pub(crate) fn carry(
		id: MotionId,
		motion: MotionOf<T>,
		call_length_bound: u32,
		call_weight_bound: Weight,
	) -> Result<Weight, DispatchError> {
		ensure!(
			motion.transaction_version == Self::transaction_version(),
			Error::<T>::CallOutdated
		);
		ensure!(motion.call_len <= call_length_bound, Error::<T>::CallLengthBoundTooLow);
		let call = Self::call_of(id).ok_or(Error::<T>::CallOutdated)?;
		let info = call.get_dispatch_info();
		ensure!(info.call_weight.all_lte(call_weight_bound), Error::<T>::CallWeightBoundTooLow);

		// HAZARD: the motion has to be closed before the dispatch. Else a call that leads back to here, by whatever
		// way, could carry the same motion again.
		let origin = motion.electorate;
		let at = frame_system::Pallet::<T>::block_number();
		Self::conclude(id, motion, MotionState::Carried { at, succeeded: false })?;
		Self::deposit_event(Event::Carried { motion: id });
		let result = call.dispatch(origin.into());
		let weight = extract_actual_weight(&result, &info);
		if result.is_ok() {
			Motions::<T>::mutate(id, |motion| {
				if let Some(motion) = motion {
					motion.state = MotionState::Carried { at, succeeded: true };
				}
			});
		}
		Self::deposit_event(Event::Executed {
			motion: id,
			result: result.map(|_: PostDispatchInfo| ()).map_err(|failure| failure.error),
		});
		Ok(weight)
	}

	pub(crate) fn do_withdraw(who: T::AccountId, id: MotionId, reason: Reason) -> DispatchResult {
		let motion = Self::voting(id)?;
		ensure!(motion.proposer == who, Error::<T>::NotProposer);
		let at = frame_system::Pallet::<T>::block_number();
		Self::conclude(id, motion, MotionState::Withdrawn { at, reason: reason.clone() })?;
		Self::deposit_event(Event::Withdrawn { motion: id, reason });
		Ok(())
	}

	pub(crate) fn do_close(id: MotionId) -> DispatchResult {
		let motion = Self::undecided(id)?;
		let at = frame_system::Pallet::<T>::block_number();
		ensure!(at > motion.deadline, Error::<T>::DeadlineNotPassed);
		Self::conclude(id, motion, MotionState::Expired { at })?;
		Self::deposit_event(Event::Expired { motion: id });
		Ok(())
	}

	/// Closes an open motion in this state: returns the deposit, and queues it for removal.
	pub(crate) fn conclude(
		id: MotionId,
		motion: MotionOf<T>,
		state: MotionState<BlockNumberFor<T>>,
	) -> DispatchResult {
		if !motion.deposit.is_zero() {
			T::Currency::release(
				&HoldReason::Motion.into(),
				&motion.proposer,
				motion.deposit,
				Precision::BestEffort,
			)?;
		}
		OpenMotions::<T>::mutate_exists(&motion.proposer, |open| {
			*open = open.and_then(|open| open.checked_sub(1)).filter(|open| *open > 0);
		});
		Motions::<T>::insert(id, MotionRecord { state, ..motion });
		ClosedRange::<T>::mutate(|(_, next)| {
			Closed::<T>::insert(*next, id);
			// There are at most as many entries as motions, whose numbers do not overflow.
			next.saturating_inc();
		});
		Ok(())
	}

	/// The motion, if votes on it are still taken.
	pub(crate) fn voting(id: MotionId) -> Result<MotionOf<T>, Error<T>> {
		let motion = Self::undecided(id)?;
		let now = frame_system::Pallet::<T>::block_number();
		ensure!(now <= motion.deadline, Error::<T>::DeadlinePassed);
		Ok(motion)
	}

	fn undecided(id: MotionId) -> Result<MotionOf<T>, Error<T>> {
		let motion = Motions::<T>::get(id).ok_or(Error::<T>::MotionUnknown)?;
		ensure!(motion.state.is_open(), Error::<T>::MotionClosed);
		Ok(motion)
	}

	/// The call of this motion, if this runtime can read it.
	pub(crate) fn call_of(id: MotionId) -> Option<<T as Config>::RuntimeCall> {
		let encoded = Calls::<T>::get(id)?;
		DecodeLimit::decode_all_with_depth_limit(MAX_EXTRINSIC_DEPTH, &mut &encoded[..]).ok()
	}

	/// Changes when the encoding of calls does.
	fn transaction_version() -> u32 {
		T::Version::get().transaction_version
	}
}
