#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]
#![deny(missing_docs, rustdoc::broken_intra_doc_links)]

extern crate alloc;

pub mod electorates;
mod motions;
pub mod origins;
mod queries;
mod retention;
#[cfg(any(feature = "try-runtime", test))]
mod try_state;
mod votes;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
#[cfg(test)]
mod tests;
pub mod weights;

pub use electorates::CouncilAndBodies;
pub use origins::{EnsureCouncil, EnsureOrganisation};
pub use pallet::*;
pub use weights::WeightInfo;

use dpki_primitives::motion::{Ballot, MotionRecord};
use frame_support::traits::fungible::Inspect;
use frame_system::pallet_prelude::BlockNumberFor;

/// What is held as a deposit.
pub type BalanceOf<T> =
	<<T as Config>::Currency as Inspect<<T as frame_system::Config>::AccountId>>::Balance;

/// A motion with the types of the runtime.
pub type MotionOf<T> =
	MotionRecord<<T as frame_system::Config>::AccountId, BalanceOf<T>, BlockNumberFor<T>>;

/// A vote with the types of the runtime.
pub type BallotOf<T> = Ballot<BlockNumberFor<T>>;

/// Storage, calls, events and errors; the rules are in the module named after their concept.
#[frame_support::pallet]
pub mod pallet {
	use crate::{BalanceOf, BallotOf, MotionOf, WeightInfo};
	use alloc::boxed::Box;
	use dpki_primitives::{
		motion::{Electorate, Electorates, MotionId, Reason, Tally},
		storage_keys,
	};
	use frame_support::{
		dispatch::{GetDispatchInfo, PostDispatchInfo},
		pallet_prelude::*,
		traits::{PalletInfoAccess, fungible},
	};
	use frame_system::pallet_prelude::*;
	use sp_runtime::traits::Dispatchable;

	/// The layout of the storage.
	const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	/// Motions of the council and of organisations.
	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	#[pallet::config]
	pub trait Config: frame_system::Config<RuntimeOrigin: From<Electorate>> {
		/// The calls that can be voted on.
		type RuntimeCall: Parameter
			+ Dispatchable<RuntimeOrigin = Self::RuntimeOrigin, PostInfo = PostDispatchInfo>
			+ GetDispatchInfo;

		/// The runtime's hold reasons.
		type RuntimeHoldReason: From<HoldReason>;

		/// What deposits are held in.
		type Currency: fungible::hold::Mutate<Self::AccountId, Reason = <Self as Config>::RuntimeHoldReason>;

		/// Who votes, and how many votes decide.
		type Electorates: Electorates<Self::AccountId>;

		/// Held for an open motion, whatever its call. It may change with time: a motion keeps what was held for it.
		type BaseDeposit: Get<BalanceOf<Self>>;

		/// Held for each byte of the call of an open motion. It may change with time.
		type ByteDeposit: Get<BalanceOf<Self>>;

		/// The shortest time for which a motion can be open, in blocks: long enough for the members to notice it.
		#[pallet::constant]
		type MinPeriod: Get<BlockNumberFor<Self>>;

		/// The longest time for which a motion can be open, in blocks.
		#[pallet::constant]
		type MaxPeriod: Get<BlockNumberFor<Self>>;

		/// For how many blocks a closed motion stays readable.
		#[pallet::constant]
		type Retention: Get<BlockNumberFor<Self>>;

		/// The longest call that can be voted on, encoded, in bytes.
		#[pallet::constant]
		type MaxCallLen: Get<u32>;

		/// The heaviest call that can be voted on.
		#[pallet::constant]
		type MaxCallWeight: Get<Weight>;

		/// How many motions of one proposer can be open at once. There is no common limit, which one member could
		/// exhaust for all.
		#[pallet::constant]
		type MaxOpenMotions: Get<u32>;

		/// How many accounts can vote on one motion, those that lose their seat in the meantime included. An electorate
		/// that needs more votes than that cannot propose.
		#[pallet::constant]
		type MaxVotes: Get<u32>;

		/// What the calls cost.
		type WeightInfo: WeightInfo;
	}

	/// Why funds are held.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// For the room that an open motion takes.
		Motion,
	}

	/// Who carried the motion whose call is being dispatched.
	#[pallet::origin]
	pub type Origin = Electorate;

	/// How many motions there ever were, which is the number of the next one.
	#[pallet::storage]
	pub type NextMotion<T: Config> = StorageValue<_, MotionId, ValueQuery>;

	/// Every motion that is open, or closed for less than [`Config::Retention`].
	#[pallet::storage]
	pub type Motions<T: Config> = StorageMap<_, Twox64Concat, MotionId, MotionOf<T>, OptionQuery>;

	/// The encoded call of each motion. Kept as bytes: a call that an upgrade made unreadable must not make the motion
	/// unreadable.
	#[pallet::storage]
	pub type Calls<T: Config> =
		StorageMap<_, Twox64Concat, MotionId, BoundedVec<u8, T::MaxCallLen>, OptionQuery>;

	/// The votes on each motion.
	#[pallet::storage]
	pub type Ballots<T: Config> = StorageDoubleMap<
		_,
		Twox64Concat,
		MotionId,
		Blake2_128Concat,
		T::AccountId,
		BallotOf<T>,
		OptionQuery,
	>;

	/// How many motions of each proposer are open; never zero.
	#[pallet::storage]
	pub type OpenMotions<T: Config> =
		StorageMap<_, Blake2_128Concat, T::AccountId, u32, ValueQuery>;

	/// The closed motions in the order of their closing: a queue, from which the oldest is removed first.
	#[pallet::storage]
	pub type Closed<T: Config> = StorageMap<_, Twox64Concat, u32, MotionId, OptionQuery>;

	/// Where [`Closed`] begins, and where its next entry goes.
	#[pallet::storage]
	pub type ClosedRange<T: Config> = StorageValue<_, (u32, u32), ValueQuery>;

	/// What happened.
	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// A motion was proposed. The proposer's own vote follows as [`Event::Voted`].
		Proposed {
			/// The motion.
			motion: MotionId,
			/// Who votes.
			electorate: Electorate,
			/// Who proposed it.
			proposer: T::AccountId,
			/// BLAKE2-256 of the encoded call.
			call_hash: [u8; 32],
			/// The last block in which votes are taken.
			deadline: BlockNumberFor<T>,
			/// Why.
			reason: Reason,
		},
		/// A vote was cast, or replaced an earlier one of the same account.
		Voted {
			/// On which motion.
			motion: MotionId,
			/// By whom.
			voter: T::AccountId,
			/// In favour, or against.
			aye: bool,
			/// Why.
			reason: Reason,
			/// The count with this vote, over those who have a seat now.
			tally: Tally,
		},
		/// A motion was carried; its call is dispatched in the same call.
		Carried {
			/// The motion.
			motion: MotionId,
		},
		/// The call of a motion that was carried was dispatched.
		Executed {
			/// The motion.
			motion: MotionId,
			/// What became of the call. If it failed, it changed nothing, and is not tried again.
			result: DispatchResult,
		},
		/// A motion was voted down.
		Rejected {
			/// The motion.
			motion: MotionId,
		},
		/// A motion was taken back by its proposer.
		Withdrawn {
			/// The motion.
			motion: MotionId,
			/// Why.
			reason: Reason,
		},
		/// A motion was closed after its deadline, undecided.
		Expired {
			/// The motion.
			motion: MotionId,
		},
		/// A motion that was closed for long enough was removed from the state.
		Forgotten {
			/// The motion.
			motion: MotionId,
		},
	}

	/// Why a call was refused.
	#[pallet::error]
	pub enum Error<T> {
		/// There is no such motion, or it was closed so long ago that it was removed: check the number.
		MotionUnknown,
		/// The motion is decided, withdrawn or expired: nothing can be done about it any more.
		MotionClosed,
		/// The deadline of the motion has passed: close it, and propose it again if it is still wanted.
		DeadlinePassed,
		/// The deadline of the motion has not passed: vote on it, or wait.
		DeadlineNotPassed,
		/// There is no such electorate, or nobody has a seat in it: check the organisation and its policy.
		ElectorateUnknown,
		/// More votes are needed in this electorate than one motion can take: reduce its seats.
		ElectorateTooLarge,
		/// The signer has no seat in the electorate: only its members propose and vote.
		SeatMissing,
		/// The signer did not propose the motion: vote against it instead.
		NotProposer,
		/// The motion would be open for too short or too long: choose a period between `MinPeriod` and `MaxPeriod`.
		PeriodOutOfRange,
		/// The signer has as many open motions as it can: wait for a decision, or withdraw one.
		OpenMotionLimitReached,
		/// As many accounts have voted on this motion as can: propose it again.
		VoteLimitReached,
		/// The encoded call is too long to be voted on: split it.
		CallTooLong,
		/// The call is too heavy to be voted on: split it.
		CallTooHeavy,
		/// The call was encoded for an earlier runtime and could mean another thing now: propose it again.
		CallOutdated,
		/// This vote carries the motion, but the call is longer than the bound that was given: raise the bound.
		CallLengthBoundTooLow,
		/// This vote carries the motion, but the call is heavier than the bound that was given: raise the bound.
		CallWeightBoundTooLow,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		/// Removes motions that were closed long enough ago, as far as `remaining` reaches.
		fn on_idle(now: BlockNumberFor<T>, remaining: Weight) -> Weight {
			Self::forget_closed(now, remaining)
		}

		fn integrity_test() {
			assert_eq!(
				<Pallet<T> as PalletInfoAccess>::name(),
				storage_keys::MOTIONS,
				"clients look for the storage under this name",
			);
			assert!(T::MinPeriod::get() <= T::MaxPeriod::get(), "a period has to be possible");
			assert!(T::MaxOpenMotions::get() > 0, "a member has to be able to propose");
			assert!(T::MaxVotes::get() > 0, "a member has to be able to vote");
			let weights = T::BlockWeights::get();
			let operational = weights.get(DispatchClass::Operational);
			let limit =
				operational.max_extrinsic.or(operational.max_total).unwrap_or(weights.max_block);
			assert!(
				Self::weight_of_voting(T::MaxCallLen::get(), T::MaxCallWeight::get())
					.all_lte(limit),
				"the vote that carries the heaviest call has to fit into a block",
			);
			assert!(
				Self::weight_of_proposing(T::MaxCallLen::get(), T::MaxCallWeight::get())
					.all_lte(limit),
				"the heaviest call has to fit into a block with its proposal",
			);
			assert!(
				T::WeightInfo::on_idle_base()
					.saturating_add(T::WeightInfo::forget(T::MaxVotes::get()))
					.all_lte(weights.max_block),
				"the motion with the most votes has to be removable",
			);
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	/// What clients ask before they vote.
	#[pallet::view_functions]
	impl<T: Config> Pallet<T> {
		/// The length and the weight of the call of a motion, which a vote that may carry it has to allow for. `None` if
		/// there is no such motion, or if its call cannot be read any more.
		pub fn call_bounds(motion: MotionId) -> Option<(u32, Weight)> {
			Self::bounds_of_call(motion)
		}

		/// The count of the votes on a motion over those who have a seat now. The next vote starts from it.
		pub fn current_tally(motion: MotionId) -> Option<Tally> {
			Self::tally_now(motion)
		}
	}

	/// One thin call per intent. They are operational, so that governance works while the chain is flooded.
	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// Proposes a motion and votes for it. Where a single vote decides, its call is dispatched at once.
		///
		/// - **Who:** a member of the electorate.
		/// - **Cost:** the fee of its weight and length, without the weight of the call unless it is dispatched; a
		///   deposit of [`Config::BaseDeposit`] and [`Config::ByteDeposit`] per byte of the call, held until the motion
		///   is closed.
		/// - **Changes:** the motion, its call, the first ballot.
		/// - **Events:** [`Event::Proposed`], [`Event::Voted`]; with the deciding vote [`Event::Carried`] and
		///   [`Event::Executed`].
		/// - **Refusals:** [`Error::ElectorateUnknown`], [`Error::ElectorateTooLarge`], [`Error::SeatMissing`];
		///   [`Error::PeriodOutOfRange`]; [`Error::CallTooLong`], [`Error::CallTooHeavy`], because the deciding vote has
		///   to fit into a block with it; [`Error::OpenMotionLimitReached`], because one member must not fill the
		///   state; and the currency's refusal if the deposit is not there.
		/// - **Complexity:** O(b) in the length of the call.
		#[pallet::call_index(0)]
		#[pallet::weight((
			Pallet::<T>::weight_of_proposing(
				call.encoded_size() as u32,
				call.get_dispatch_info().call_weight,
			),
			DispatchClass::Operational,
		))]
		pub fn propose(
			origin: OriginFor<T>,
			electorate: Electorate,
			call: Box<<T as Config>::RuntimeCall>,
			period: BlockNumberFor<T>,
			reason: Reason,
		) -> DispatchResultWithPostInfo {
			let proposer = ensure_signed(origin)?;
			Self::do_propose(proposer, electorate, *call, period, reason)
		}

		/// Votes on a motion, or replaces the own earlier vote. If this vote decides, it closes the motion; if it
		/// carries the motion, the call is dispatched at once. The votes are counted anew over those who have a seat
		/// now; so a member can repeat its vote to have a motion decided after seats have changed.
		///
		/// - **Who:** a member of the electorate.
		/// - **Cost:** the fee of its weight and length, without the weight of the call unless it is dispatched.
		/// - **Changes:** the ballot and the count; with the deciding vote the motion is closed, the deposit returns to
		///   its proposer, and whatever the call does.
		/// - **Events:** [`Event::Voted`]; with the deciding vote [`Event::Rejected`], or [`Event::Carried`] and
		///   [`Event::Executed`].
		/// - **Refusals:** [`Error::MotionUnknown`], [`Error::MotionClosed`], [`Error::DeadlinePassed`], because a late
		///   vote changes nothing; [`Error::ElectorateUnknown`], [`Error::SeatMissing`], [`Error::VoteLimitReached`];
		///   if this vote carries the motion: [`Error::CallOutdated`], [`Error::CallLengthBoundTooLow`],
		///   [`Error::CallWeightBoundTooLow`], because the weight has to be declared before it is known who decides.
		///   Then the vote is not cast.
		/// - **Complexity:** O(v) in the number of votes on the motion; with the deciding vote O(b) in the length of
		///   the call, and the call's own.
		#[pallet::call_index(1)]
		#[pallet::weight((
			Pallet::<T>::weight_of_voting(*call_length_bound, *call_weight_bound),
			DispatchClass::Operational,
		))]
		pub fn vote(
			origin: OriginFor<T>,
			motion: MotionId,
			aye: bool,
			reason: Reason,
			call_length_bound: u32,
			call_weight_bound: Weight,
		) -> DispatchResultWithPostInfo {
			let voter = ensure_signed(origin)?;
			Self::do_vote(voter, motion, aye, reason, call_length_bound, call_weight_bound)
		}

		/// Takes an open motion back.
		///
		/// - **Who:** its proposer, whether or not it still has a seat.
		/// - **Cost:** the fee of its weight and length.
		/// - **Changes:** the motion is closed; the deposit returns.
		/// - **Events:** [`Event::Withdrawn`].
		/// - **Refusals:** [`Error::MotionUnknown`], [`Error::MotionClosed`], [`Error::DeadlinePassed`],
		///   [`Error::NotProposer`].
		/// - **Complexity:** O(1).
		#[pallet::call_index(2)]
		#[pallet::weight((T::WeightInfo::withdraw(), DispatchClass::Operational))]
		pub fn withdraw(origin: OriginFor<T>, motion: MotionId, reason: Reason) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_withdraw(who, motion, reason)
		}

		/// Closes a motion whose deadline has passed without a decision. Nothing is dispatched.
		///
		/// - **Who:** any account.
		/// - **Cost:** nothing if it succeeds, which it does once per motion.
		/// - **Changes:** the motion is closed; the deposit returns to its proposer.
		/// - **Events:** [`Event::Expired`].
		/// - **Refusals:** [`Error::MotionUnknown`], [`Error::MotionClosed`], [`Error::DeadlineNotPassed`].
		/// - **Complexity:** O(1).
		#[pallet::call_index(3)]
		#[pallet::weight((T::WeightInfo::close(), DispatchClass::Operational))]
		pub fn close(origin: OriginFor<T>, motion: MotionId) -> DispatchResultWithPostInfo {
			ensure_signed(origin)?;
			Self::do_close(motion)?;
			Ok(Pays::No.into())
		}
	}
}
